//! The engine's contract (docs/contratto-motore.md), told on both stores as the engine comes to it: over a connection of
//! its own, on PostgreSQL as `varco_motore`.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use varco::clock::RandomIds;
use varco::domanda::{Mese, PagamentoAltroGenitore};
use varco::engine::archivio::Archivio;
use varco::engine::{Giro, Motore, Opzioni};
use varco::store::Registrazione;

use crate::atti::{LUGLIO, atto, fascicolo, registrata, rinuncia};
use crate::banco::{Banco, Raw};
use crate::story::vista;

/// Makes a test of each story, on a bench of this kind.
macro_rules! stories {
    ($banco:path) => {
        $crate::tell! { motore, $banco:
            engines_at_once_never_take_the_same_domanda,
            a_lease_that_expired_passes_to_another_and_the_old_token_is_refused,
            a_decision_moves_the_sheet_and_is_told_in_order,
            what_the_engine_may_not_do_is_refused_by_name,
            a_decision_on_a_domanda_that_changed_since_is_too_late,
            an_act_on_a_domanda_that_the_engine_changed_is_too_late,
            what_is_paid_comes_back_or_is_recovered,
            a_sheet_goes_on_in_a_new_year_once,
            a_sheet_is_opened_again_only_while_its_child_is_free,
            what_waits_is_told_until_it_was_seen,
            what_was_decided_stays,
            engines_and_a_gateway_at_once_lose_nothing,
        }
    };
}

mod sqlite {
    stories!(crate::banco::Banco::sqlite);
}

mod postgres {
    stories!(crate::banco::Banco::postgres);
}

const PRIMO: &str = "gettone-primo-000001";
const SECONDO: &str = "gettone-secondo-0002";

/// Claims a domanda for a minute.
async fn take(motore: &mut Raw, gettone: &str, numero: u64) {
    take_for(motore, gettone, numero, 60).await.unwrap();
}

async fn take_for(motore: &mut Raw, gettone: &str, numero: u64, secondi: u64) -> Result<(), sqlx::Error> {
    motore
        .execute(&format!(
            "INSERT INTO motore_prese_v1 (numero_domanda, motore, gettone, durata_s)
             VALUES ({numero}, 'm', '{gettone}', {secondi})"
        ))
        .await
}

/// How many domande a token holds.
async fn held(motore: &mut Raw, gettone: &str) -> i64 {
    motore
        .number(&format!(
            "SELECT count(*) AS n FROM motore_prese_v1 WHERE gettone = '{gettone}'"
        ))
        .await
}

/// A move of the first sheet of the first domanda.
fn mossa(gettone: &str, versione: u64, da: &str, a: &str) -> String {
    azione(gettone, versione, da, a, "'NESSUNA', NULL")
}

fn azione(gettone: &str, versione: u64, da: &str, a: &str, azione: &str) -> String {
    format!(
        "INSERT INTO motore_decisioni_v1 (tipo, numero_domanda, posto, gettone, versione, istante, da, a, azione_richiesta, azione_motivo)
         VALUES ('STATO', 1, 1, '{gettone}', {versione}, '2021-07-02T08:00:00.000Z', '{da}', '{a}', {azione})"
    )
}

fn pagamento(versione: u64, pagamento: &str, mese: &str, beneficiario: &str, motivo: &str) -> String {
    format!(
        "INSERT INTO motore_decisioni_v1 (tipo, numero_domanda, posto, gettone, versione, istante, pagamento, mese, beneficiario, importo_cent, motivo)
         VALUES ('PAGAMENTO', 1, 1, '{PRIMO}', {versione}, '2021-08-02T08:00:00.000Z', '{pagamento}', '{mese}', '{beneficiario}', 8375, {motivo})"
    )
}

fn rinnovo(versione: u64, anno: &str) -> String {
    format!(
        "INSERT INTO motore_decisioni_v1 (tipo, numero_domanda, posto, gettone, versione, anno)
         VALUES ('RINNOVO', 1, 1, '{PRIMO}', {versione}, {anno})"
    )
}

/// One domanda with two children, claimed and accepted: the engine's next decision names version 3.
async fn accepted(banco: &Banco) -> Raw {
    banco.one(atto("a", 1, &[1, 2]), LUGLIO).await;
    let mut motore = banco.raw_as("varco_motore").await;
    take(&mut motore, PRIMO, 1).await;
    for sql in [
        mossa(PRIMO, 1, "PRESENTATA", "IN_ISTRUTTORIA"),
        mossa(PRIMO, 2, "IN_ISTRUTTORIA", "ACCOLTA"),
    ] {
        motore.execute(&sql).await.unwrap();
    }
    motore
}

pub(crate) async fn engines_at_once_never_take_the_same_domanda(banco: &Banco) {
    const DOMANDE: u64 = 60;
    let atti: Vec<_> = (0..DOMANDE).map(|n| atto(&format!("k{n}"), 1, &[n])).collect();
    banco.register(&atti, LUGLIO).await;
    let claim = async |nome: usize| {
        let mut motore = banco.raw_as("varco_motore").await;
        let mut prese = Vec::new();
        for volta in 0.. {
            let gettone = format!("gettone-{nome}-{volta:012}");
            let attesa = motore
                .number("SELECT count(*) AS n FROM motore_da_lavorare_v1")
                .await;
            if attesa == 0 {
                return prese;
            }
            motore
                .execute(&format!(
                    "INSERT INTO motore_prese_v1 (numero_domanda, motore, gettone, durata_s)
                     SELECT numero_domanda, 'm{nome}', '{gettone}', 60
                     FROM motore_da_lavorare_v1 ORDER BY numero_domanda LIMIT 3"
                ))
                .await
                .unwrap();
            prese.extend(
                motore
                    .rows(&format!(
                        "SELECT numero_domanda AS n FROM motore_prese_v1 WHERE gettone = '{gettone}'"
                    ))
                    .await
                    .iter()
                    .map(|riga| riga["n"].as_i64().unwrap()),
            );
        }
        unreachable!()
    };
    let (a, b, c, d) = tokio::join!(claim(1), claim(2), claim(3), claim(4));
    let mut tutte = [a, b, c, d].concat();
    tutte.sort_unstable();
    assert_eq!(tutte, (1..=i64::try_from(DOMANDE).unwrap()).collect::<Vec<_>>());
}

pub(crate) async fn a_lease_that_expired_passes_to_another_and_the_old_token_is_refused(banco: &Banco) {
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let mut lento = banco.raw_as("varco_motore").await;
    let mut altro = banco.raw_as("varco_motore").await;
    take_for(&mut lento, PRIMO, 1, 1).await.unwrap();
    take(&mut altro, SECONDO, 1).await;
    assert_eq!(
        (held(&mut lento, PRIMO).await, held(&mut altro, SECONDO).await),
        (1, 0)
    );
    // Renewed it holds on; then it is let go by time alone.
    lento
        .execute(&format!(
            "UPDATE motore_prese_v1 SET durata_s = 2 WHERE gettone = '{PRIMO}'"
        ))
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(1200)).await;
    take(&mut altro, SECONDO, 1).await;
    assert_eq!(
        (held(&mut lento, PRIMO).await, held(&mut altro, SECONDO).await),
        (1, 0)
    );
    tokio::time::sleep(Duration::from_secs(1)).await;
    take(&mut altro, SECONDO, 1).await;
    assert_eq!(
        (held(&mut lento, PRIMO).await, held(&mut altro, SECONDO).await),
        (0, 1)
    );
    let errore = lento
        .refused(&mossa(PRIMO, 1, "PRESENTATA", "IN_ISTRUTTORIA"))
        .await;
    assert!(
        errore.contains("MOT-001 presa: la domanda non e presa con questo gettone, o la presa e scaduta"),
        "{errore}"
    );
    altro
        .execute(&mossa(SECONDO, 1, "PRESENTATA", "IN_ISTRUTTORIA"))
        .await
        .unwrap();
    // What was over is over: neither renewing nor giving back touches what another holds.
    for sql in [
        "UPDATE motore_prese_v1 SET durata_s = 60",
        "DELETE FROM motore_prese_v1",
    ] {
        lento
            .execute(&format!("{sql} WHERE gettone = '{PRIMO}'"))
            .await
            .unwrap();
    }
    assert_eq!(held(&mut altro, SECONDO).await, 1);
    let storia = banco
        .raw()
        .await
        .rows("SELECT gettone, CASE WHEN lasciata_il = fino_a THEN 1 ELSE 0 END AS scaduta FROM prese ORDER BY id")
        .await;
    assert_eq!(
        storia
            .iter()
            .map(|riga| (
                riga["gettone"].as_str().unwrap(),
                riga["scaduta"].as_i64().unwrap()
            ))
            .collect::<Vec<_>>(),
        [(PRIMO, 1), (SECONDO, 0)]
    );
}

pub(crate) async fn a_decision_moves_the_sheet_and_is_told_in_order(banco: &Banco) {
    let mut motore = accepted(banco).await;
    let motivo = "'AGGIORNARE_IBAN', 'IBAN_NON_ABBINATO: indicare un altro IBAN'";
    motore
        .execute(&azione(PRIMO, 3, "ACCOLTA", "ACCOLTA", motivo))
        .await
        .unwrap();
    let stato = &motore
        .rows("SELECT versione, stato, azione_richiesta, azione_motivo FROM motore_stati_v1 WHERE posto = 1")
        .await[0];
    assert_eq!(
        *stato,
        serde_json::json!({
            "versione": 4,
            "stato": "ACCOLTA",
            "azione_richiesta": "AGGIORNARE_IBAN",
            "azione_motivo": "IBAN_NON_ABBINATO: indicare un altro IBAN",
        })
    );
    motore
        .execute(&mossa(PRIMO, 4, "ACCOLTA", "IN_ISTRUTTORIA"))
        .await
        .unwrap();
    let feed = banco
        .raw()
        .await
        .rows(
            "SELECT tipo, posto, stato, azione_richiesta AS azione, motivo FROM variazioni ORDER BY cursore",
        )
        .await;
    let feed: Vec<_> = feed
        .iter()
        .map(|riga| {
            (
                riga["tipo"].as_str().unwrap(),
                riga["posto"].as_i64(),
                riga["stato"].as_str(),
                riga["azione"].as_str(),
                riga["motivo"].as_str(),
            )
        })
        .collect();
    let una = |stato, azione, motivo| ("STATO", Some(1), Some(stato), Some(azione), motivo);
    assert_eq!(
        feed[1..],
        [
            una("IN_ISTRUTTORIA", "NESSUNA", None),
            una("ACCOLTA", "NESSUNA", None),
            una(
                "ACCOLTA",
                "AGGIORNARE_IBAN",
                Some("IBAN_NON_ABBINATO: indicare un altro IBAN")
            ),
            una("IN_ISTRUTTORIA", "NESSUNA", None),
        ]
    );
    let decisioni = motore
        .rows("SELECT motore, versione, da, a FROM motore_decisioni_v1 ORDER BY id")
        .await;
    assert_eq!(decisioni.len(), 4);
    for (prima, dopo) in decisioni.iter().zip(&decisioni[1..]) {
        assert_eq!(prima["a"], dopo["da"]);
        assert_eq!(prima["motore"], "m");
    }
}

const PRESA: &str =
    "MOT-014 presa: motore (1-64 caratteri), gettone (16-64), durata_s (1-3600) e una domanda che c'e";
const SOLO: &str = "MOT-014 presa: si cambiano solo durata_s (1-3600) e lavorata (una versione vista)";
const MOSSA: &str = "MOT-004 mossa: non ammessa al motore (tabella mosse)";
const AZIONE: &str = "MOT-006 azione: azione_richiesta e azione_motivo vanno insieme, NESSUNA senza motivo";
const PAGAMENTO: &str =
    "MOT-009 pagamento: mese AAAA-MM, beneficiario, pagamento e importo_cent; il motivo, se non e PAGATO";
const RINNOVO: &str = "MOT-013 rinnovo: di una scheda viva, per un anno, una volta";

pub(crate) async fn what_the_engine_may_not_do_is_refused_by_name(banco: &Banco) {
    let mut motore = accepted(banco).await;
    let presa = |motore: &str, gettone: &str, durata: &str, numero: u32| {
        format!(
            "INSERT INTO motore_prese_v1 (numero_domanda, motore, gettone, durata_s)
             VALUES ({numero}, {motore}, '{gettone}', {durata})"
        )
    };
    let prima = banco
        .raw()
        .await
        .number("SELECT count(*) AS n FROM variazioni")
        .await;
    for (sql, atteso) in [
        (
            mossa(SECONDO, 3, "ACCOLTA", "DECADUTA"),
            "MOT-001 presa: la domanda non e presa con questo gettone, o la presa e scaduta",
        ),
        (
            mossa(PRIMO, 2, "ACCOLTA", "DECADUTA"),
            "MOT-002 domanda: e cambiata, la versione non e piu quella vista",
        ),
        (
            mossa(PRIMO, 3, "SOSPESA", "DECADUTA"),
            "MOT-003 scheda: non e nello stato detto in da",
        ),
        (mossa(PRIMO, 3, "ACCOLTA", "RESPINTA"), MOSSA),
        (mossa(PRIMO, 3, "ACCOLTA", "PRESENTATA"), MOSSA),
        // The patronato's move, and the office's: allowed, but not from this side.
        (mossa(PRIMO, 3, "ACCOLTA", "RINUNCIATA"), MOSSA),
        (mossa(PRIMO, 3, "ACCOLTA", "SOSTITUITA"), MOSSA),
        (mossa(PRIMO, 3, "ACCOLTA", "ANNULLATA"), MOSSA),
        (mossa(PRIMO, 3, "ACCOLTA", "PERSA"), MOSSA),
        (
            mossa(PRIMO, 3, "ACCOLTA", "DECADUTA").replace("('STATO', 1, 1", "('STATO', 1, 3"),
            "MOT-005 scheda: la domanda non ne ha una con questo posto",
        ),
        (
            azione(PRIMO, 3, "ACCOLTA", "ACCOLTA", "'AGGIORNARE_IBAN', ' '"),
            AZIONE,
        ),
        (
            azione(PRIMO, 3, "ACCOLTA", "DECADUTA", "'NESSUNA', 'perché'"),
            AZIONE,
        ),
        (
            azione(PRIMO, 3, "ACCOLTA", "ACCOLTA", "'CAMBIARE_BANCA', 'perché'"),
            AZIONE,
        ),
        (
            mossa(PRIMO, 3, "ACCOLTA", "ACCOLTA"),
            "MOT-007 decisione: non cambia nulla",
        ),
        (
            pagamento(3, "PAGATO", "2021-13", "RICHIEDENTE", "NULL"),
            PAGAMENTO,
        ),
        (pagamento(3, "PAGATO", "2021-07", "ZIO", "NULL"), PAGAMENTO),
        (
            pagamento(3, "REGALATO", "2021-07", "RICHIEDENTE", "NULL"),
            PAGAMENTO,
        ),
        (
            pagamento(3, "RESTITUITO", "2021-07", "RICHIEDENTE", "NULL"),
            PAGAMENTO,
        ),
        (
            pagamento(3, "RESTITUITO", "2021-07", "RICHIEDENTE", "'conto chiuso'"),
            "MOT-011 pagamento: si paga una scheda ACCOLTA, e torna o si recupera solo cio che fu pagato",
        ),
        (
            // The second child's sheet is still PRESENTATA.
            pagamento(3, "PAGATO", "2021-07", "RICHIEDENTE", "NULL")
                .replace("('PAGAMENTO', 1, 1", "('PAGAMENTO', 1, 2"),
            "MOT-011 pagamento: si paga una scheda ACCOLTA, e torna o si recupera solo cio che fu pagato",
        ),
        (rinnovo(3, "NULL"), RINNOVO),
        (
            mossa(PRIMO, 3, "ACCOLTA", "DECADUTA").replace("'STATO'", "'OPINIONE'"),
            "MOT-015 decisione: il tipo non e fra quelli del contratto",
        ),
        (presa("'m'", "corto", "60", 1), PRESA),
        (presa("''", SECONDO, "60", 1), PRESA),
        (presa("'m'", SECONDO, "0", 1), PRESA),
        (presa("'m'", SECONDO, "3601", 1), PRESA),
        (presa("'m'", SECONDO, "60", 99), PRESA),
        (
            format!("UPDATE motore_prese_v1 SET lavorata = 4 WHERE gettone = '{PRIMO}'"),
            SOLO,
        ),
        (
            format!("UPDATE motore_prese_v1 SET durata_s = 0 WHERE gettone = '{PRIMO}'"),
            SOLO,
        ),
    ] {
        let errore = motore.refused(&sql).await;
        assert!(errore.contains(atteso), "{sql}\n{errore}");
    }
    let mut raw = banco.raw().await;
    assert_eq!(
        raw.number("SELECT count(*) AS n FROM variazioni").await,
        prima,
        "what was refused leaves nothing"
    );
    assert_eq!(raw.number("SELECT count(*) AS n FROM decisioni").await, 2);
    assert_eq!(vista(banco, 1).await.versione, 3);
}

pub(crate) async fn a_decision_on_a_domanda_that_changed_since_is_too_late(banco: &Banco) {
    let mut motore = accepted(banco).await;
    // The patronato gives up the other sheet: what the engine saw is no longer what is there.
    let esito = banco
        .one(rinuncia("r", 2, &vista(banco, 1).await, &[2]), LUGLIO)
        .await;
    assert_eq!(registrata(&esito).protocollo.numero(), 2);
    let errore = motore.refused(&mossa(PRIMO, 3, "ACCOLTA", "DECADUTA")).await;
    assert!(errore.contains("MOT-002 "), "{errore}");
    let versione = vista(banco, 1).await.versione;
    motore
        .execute(&mossa(PRIMO, versione, "ACCOLTA", "DECADUTA"))
        .await
        .unwrap();
}

pub(crate) async fn an_act_on_a_domanda_that_the_engine_changed_is_too_late(banco: &Banco) {
    banco.one(atto("a", 1, &[1, 2]), LUGLIO).await;
    let prima = vista(banco, 1).await;
    let mut motore = banco.raw_as("varco_motore").await;
    take(&mut motore, PRIMO, 1).await;
    // A claim alone changes nothing, and no payment or mark makes a patronato's act come too late.
    assert_eq!(vista(banco, 1).await.versione, prima.versione);
    motore
        .execute(&mossa(PRIMO, 1, "PRESENTATA", "IN_ISTRUTTORIA"))
        .await
        .unwrap();
    let esito = banco.one(rinuncia("r", 2, &prima, &[2]), LUGLIO).await;
    assert!(matches!(esito, Registrazione::Superata), "{esito:?}");
    let ora = vista(banco, 1).await;
    motore
        .execute(&format!(
            "UPDATE motore_prese_v1 SET lavorata = 2 WHERE gettone = '{PRIMO}'"
        ))
        .await
        .unwrap();
    assert_eq!(vista(banco, 1).await.versione, ora.versione);
    registrata(&banco.one(rinuncia("r", 2, &ora, &[2]), LUGLIO).await);
}

pub(crate) async fn what_is_paid_comes_back_or_is_recovered(banco: &Banco) {
    let mut motore = accepted(banco).await;
    let pagato = |mese: &str, a: &str| pagamento(3, "PAGATO", mese, a, "NULL");
    motore.execute(&pagato("2021-07", "RICHIEDENTE")).await.unwrap();
    let due_volte = motore.refused(&pagato("2021-07", "RICHIEDENTE")).await;
    assert!(
        due_volte.contains(
            "MOT-010 pagamento: gia pagato per questa scheda, mese e beneficiario, e non restituito"
        ),
        "{due_volte}"
    );
    motore
        .execute(&pagato("2021-07", "ALTRO_GENITORE"))
        .await
        .unwrap();
    motore.execute(&pagato("2021-08", "RICHIEDENTE")).await.unwrap();
    let restituito = pagamento(3, "RESTITUITO", "2021-07", "RICHIEDENTE", "'conto chiuso'");
    motore.execute(&restituito).await.unwrap();
    let ancora = motore.refused(&restituito).await;
    assert!(ancora.contains("MOT-011 "), "{ancora}");
    // What came back is paid again, and once.
    motore.execute(&pagato("2021-07", "RICHIEDENTE")).await.unwrap();
    assert!(
        motore
            .refused(&pagato("2021-07", "RICHIEDENTE"))
            .await
            .contains("MOT-010 ")
    );
    motore
        .execute(&pagamento(
            3,
            "DA_RECUPERARE",
            "2021-08",
            "RICHIEDENTE",
            "'non spettava'",
        ))
        .await
        .unwrap();
    let righe = motore
        .rows("SELECT mese, beneficiario, tipo, importo_cent, motivo FROM motore_pagamenti_v1 ORDER BY decisione")
        .await;
    let righe: Vec<_> = righe
        .iter()
        .map(|riga| {
            let testo = |nome: &str| riga[nome].as_str().unwrap_or("-").to_owned();
            format!(
                "{} {} {} {}",
                testo("mese"),
                testo("beneficiario"),
                testo("tipo"),
                testo("motivo")
            )
        })
        .collect();
    assert_eq!(
        righe,
        [
            "2021-07 RICHIEDENTE PAGATO -",
            "2021-07 ALTRO_GENITORE PAGATO -",
            "2021-08 RICHIEDENTE PAGATO -",
            "2021-07 RICHIEDENTE RESTITUITO conto chiuso",
            "2021-07 RICHIEDENTE PAGATO -",
            "2021-08 RICHIEDENTE DA_RECUPERARE non spettava",
        ]
    );
    let feed = banco
        .raw()
        .await
        .rows("SELECT motivo FROM variazioni WHERE tipo = 'PAGAMENTO' ORDER BY cursore")
        .await;
    assert_eq!(feed.len(), 6);
    assert_eq!(feed[0]["motivo"], "PAGATO 2021-07 RICHIEDENTE");
    assert_eq!(feed[3]["motivo"], "RESTITUITO 2021-07 RICHIEDENTE: conto chiuso");
    assert_eq!(vista(banco, 1).await.versione, 3, "a payment changes no sheet");

    // A sheet that one parent has whole.
    let mut intera = atto("b", 2, &[3]);
    fascicolo(&mut intera).schede[0].ripartizione = "INTERO_RICHIEDENTE";
    banco.one(intera, LUGLIO).await;
    take(&mut motore, PRIMO, 2).await;
    for (versione, da, a) in [
        (1, "PRESENTATA", "IN_ISTRUTTORIA"),
        (2, "IN_ISTRUTTORIA", "ACCOLTA"),
    ] {
        let sql = mossa(PRIMO, versione, da, a).replace("('STATO', 1, 1", "('STATO', 2, 1");
        motore.execute(&sql).await.unwrap();
    }
    let errore = motore
        .refused(&pagato("2021-07", "ALTRO_GENITORE").replace("('PAGAMENTO', 1", "('PAGAMENTO', 2"))
        .await;
    assert!(
        errore.contains("MOT-012 pagamento: la scheda non e divisa con l'altro genitore"),
        "{errore}"
    );
}

pub(crate) async fn a_sheet_goes_on_in_a_new_year_once(banco: &Banco) {
    let mut motore = accepted(banco).await;
    motore.execute(&rinnovo(3, "2022")).await.unwrap();
    let errore = motore.refused(&rinnovo(3, "2022")).await;
    assert!(errore.contains("MOT-013 "), "{errore}");
    motore.execute(&rinnovo(3, "2023")).await.unwrap();
    assert_eq!(
        motore
            .number("SELECT count(*) AS n FROM motore_rinnovi_v1 WHERE numero_domanda = 1 AND posto = 1")
            .await,
        2
    );
    let feed = banco
        .raw()
        .await
        .rows("SELECT motivo FROM variazioni WHERE tipo = 'RINNOVO' ORDER BY cursore")
        .await;
    assert_eq!(feed[0]["motivo"], "RINNOVATA 2022");
    motore
        .execute(&mossa(PRIMO, 3, "ACCOLTA", "DECADUTA"))
        .await
        .unwrap();
    let errore = motore.refused(&rinnovo(4, "2024")).await;
    assert!(errore.contains("MOT-013 "), "{errore}");
}

pub(crate) async fn a_sheet_is_opened_again_only_while_its_child_is_free(banco: &Banco) {
    let mut motore = accepted(banco).await;
    motore
        .execute(&mossa(PRIMO, 3, "ACCOLTA", "DECADUTA"))
        .await
        .unwrap();
    // Free: it is opened, and has its child again.
    motore
        .execute(&mossa(PRIMO, 4, "DECADUTA", "IN_ISTRUTTORIA"))
        .await
        .unwrap();
    let esito = banco.one(atto("b", 2, &[1]), LUGLIO).await;
    assert!(matches!(esito, Registrazione::SchedaViva(_)), "{esito:?}");
    motore
        .execute(&mossa(PRIMO, 5, "IN_ISTRUTTORIA", "RESPINTA"))
        .await
        .unwrap();
    // Taken: another domanda has it.
    registrata(&banco.one(atto("b", 2, &[1]), LUGLIO).await);
    let errore = motore
        .refused(&mossa(PRIMO, 6, "RESPINTA", "IN_ISTRUTTORIA"))
        .await;
    assert!(
        errore.contains("MOT-008 mossa: il figlio ha un'altra scheda viva"),
        "{errore}"
    );
}

pub(crate) async fn what_waits_is_told_until_it_was_seen(banco: &Banco) {
    let mut motore = banco.raw_as("varco_motore").await;
    let waiting = async |motore: &mut Raw| {
        let righe = motore
            .rows("SELECT numero_domanda, novita, ultimo_atto FROM motore_da_lavorare_v1 ORDER BY numero_domanda")
            .await;
        righe
            .iter()
            .map(|riga| {
                let testo = |nome: &str| riga[nome].as_str().unwrap_or("-").to_owned();
                format!(
                    "{} {} {}",
                    riga["numero_domanda"],
                    testo("novita"),
                    testo("ultimo_atto")
                )
            })
            .collect::<Vec<_>>()
    };
    banco
        .register(&[atto("a", 1, &[1, 2]), atto("b", 2, &[3])], LUGLIO)
        .await;
    assert_eq!(waiting(&mut motore).await, ["1 PRESENTATA -", "2 PRESENTATA -"]);
    take(&mut motore, PRIMO, 1).await;
    assert_eq!(
        waiting(&mut motore).await,
        ["2 PRESENTATA -"],
        "what is held waits for nobody else"
    );
    motore
        .execute(&format!(
            "UPDATE motore_prese_v1 SET lavorata = versione WHERE gettone = '{PRIMO}'"
        ))
        .await
        .unwrap();
    motore
        .execute(&format!("DELETE FROM motore_prese_v1 WHERE gettone = '{PRIMO}'"))
        .await
        .unwrap();
    assert_eq!(waiting(&mut motore).await, ["2 PRESENTATA -"]);
    banco
        .one(rinuncia("r", 3, &vista(banco, 1).await, &[2]), LUGLIO)
        .await;
    assert_eq!(
        waiting(&mut motore).await,
        ["1 CAMBIATA RinunciaDomanda", "2 PRESENTATA -"]
    );
    let contratto = motore
        .rows("SELECT versione, ambiente FROM motore_contratto_v1")
        .await;
    assert_eq!(
        contratto,
        [serde_json::json!({"versione": "1.0", "ambiente": "collaudo"})]
    );
}

pub(crate) async fn what_was_decided_stays(banco: &Banco) {
    let mut motore = accepted(banco).await;
    motore
        .execute(&pagamento(3, "PAGATO", "2021-07", "RICHIEDENTE", "NULL"))
        .await
        .unwrap();
    motore.execute(&rinnovo(3, "2022")).await.unwrap();
    let mut raw = banco.raw().await;
    for (tabella, colonna, atteso) in [
        (
            "decisioni",
            "motivo = 'x'",
            "decisioni: una decisione resta; ne segue un'altra",
        ),
        (
            "pagamenti",
            "importo_cent = 1",
            "pagamenti: un pagamento resta; si restituisce o si recupera",
        ),
        ("rinnovi", "anno = 2030", "rinnovi: un rinnovo resta"),
        (
            "prese",
            "gettone = 'x'",
            "prese: una presa si rinnova o si lascia soltanto",
        ),
    ] {
        let errore = raw.refused(&format!("UPDATE {tabella} SET {colonna}")).await;
        assert!(errore.contains(atteso), "{tabella}: {errore}");
        if tabella != "prese" {
            let errore = raw.refused(&format!("DELETE FROM {tabella}")).await;
            assert!(errore.contains(atteso), "{tabella}: {errore}");
        }
    }
    // A reason goes with what it was the reason of, whoever takes it back.
    motore
        .execute(&azione(
            PRIMO,
            3,
            "ACCOLTA",
            "ACCOLTA",
            "'AGGIORNARE_IBAN', 'perché'",
        ))
        .await
        .unwrap();
    raw.execute("UPDATE schede SET azione_richiesta = 'NESSUNA' WHERE posto = 1")
        .await
        .unwrap();
    let motivo = raw.rows("SELECT azione_motivo FROM schede WHERE posto = 1").await;
    assert!(motivo[0]["azione_motivo"].is_null());
}

/// An engine that works what there is, as another process would.
async fn engine(banco: &Banco, nome: &str, giri: usize) -> Giro {
    let url = banco.url();
    let fermo = AtomicBool::new(false);
    let mut tutto = Giro::default();
    let mut motore = Motore::new(
        Archivio::open(&url).await.unwrap(),
        Opzioni {
            nome: nome.to_owned(),
            durata_presa: Duration::from_mins(1),
            blocco: 4,
            scarto: None,
        },
        &RandomIds,
        &fermo,
    );
    for _ in 0..giri {
        let giro = motore.giro(&mut |_| {}).await.unwrap();
        tutto.lavorate += giro.lavorate;
        tutto.decisioni += giro.decisioni;
    }
    tutto
}

/// Every decision begins where the one before it ended, and the sheet stands where the last one left it unless somebody
/// else moved it; no claim overlaps another one of its domanda.
pub(crate) async fn nothing_was_lost(banco: &Banco) {
    let mut raw = banco.raw().await;
    let decisioni = raw
        .rows("SELECT numero_domanda, posto, da, a FROM decisioni WHERE tipo = 'STATO' ORDER BY id")
        .await;
    let mut ultimi: BTreeMap<(i64, i64), String> = BTreeMap::new();
    for riga in &decisioni {
        let scheda = (
            riga["numero_domanda"].as_i64().unwrap(),
            riga["posto"].as_i64().unwrap(),
        );
        let da = riga["da"].as_str().unwrap();
        assert_eq!(
            ultimi.get(&scheda).map_or("PRESENTATA", String::as_str),
            da,
            "{scheda:?}"
        );
        ultimi.insert(scheda, riga["a"].as_str().unwrap().to_owned());
    }
    let schede = raw.rows("SELECT numero_domanda, posto, stato FROM schede").await;
    for riga in &schede {
        let scheda = (
            riga["numero_domanda"].as_i64().unwrap(),
            riga["posto"].as_i64().unwrap(),
        );
        let stato = riga["stato"].as_str().unwrap();
        let atteso = ultimi.get(&scheda).map_or("PRESENTATA", String::as_str);
        assert!(
            stato == atteso || stato == "RINUNCIATA",
            "{scheda:?}: {stato}, {atteso}"
        );
    }
    let doppie = raw
        .number(
            "SELECT count(*) AS n FROM prese a JOIN prese b ON b.numero_domanda = a.numero_domanda AND b.id > a.id
             WHERE b.presa_il < coalesce(a.lasciata_il, a.fino_a)",
        )
        .await;
    assert_eq!(doppie, 0, "two claims of one domanda at one time");
}

pub(crate) async fn engines_and_a_gateway_at_once_lose_nothing(banco: &Banco) {
    const DOMANDE: u64 = 40;
    let patronato = async {
        let mut rinunciate = 0;
        for n in 0..DOMANDE {
            let mut domanda = atto(&format!("k{n}"), 1, &[2 * n, 2 * n + 1]);
            for scheda in &mut fascicolo(&mut domanda).schede {
                scheda.pagamento_altro_genitore = Some(PagamentoAltroGenitore {
                    modalita: "CONTANTE_POSTE",
                    iban: None,
                });
                scheda.decorrenza_presunta = Some(Mese { anno: 2022, mese: 2 });
            }
            let numero = registrata(&banco.one(domanda, LUGLIO).await).numero_domanda.0;
            // Until the domanda is for a moment as it was seen: the engines change it meanwhile.
            for volta in 0.. {
                let seconda = rinuncia(&format!("r{n}-{volta}"), 2, &vista(banco, numero).await, &[2]);
                match banco.one(seconda, LUGLIO).await {
                    Registrazione::Registrata(_) => {
                        rinunciate += 1;
                        break;
                    }
                    Registrazione::Superata => {}
                    altro => panic!("{altro:?}"),
                }
            }
        }
        rinunciate
    };
    let (rinunciate, a, b) = tokio::join!(
        patronato,
        engine(banco, "motore-1", 60),
        engine(banco, "motore-2", 60)
    );
    let dopo = engine(banco, "motore-3", 1).await;
    assert_eq!(rinunciate, DOMANDE);
    assert!(a.lavorate + b.lavorate + dopo.lavorate >= DOMANDE);
    nothing_was_lost(banco).await;
    let mut raw = banco.raw().await;
    let stati = raw
        .rows("SELECT stato, count(*) AS n FROM schede GROUP BY stato ORDER BY stato")
        .await;
    assert_eq!(
        stati
            .iter()
            .map(|riga| (riga["stato"].as_str().unwrap(), riga["n"].as_i64().unwrap()))
            .collect::<Vec<_>>(),
        [("ACCOLTA", 40), ("RINUNCIATA", 40)]
    );
    assert_eq!(
        raw.number("SELECT count(*) AS n FROM motore_da_lavorare_v1")
            .await,
        0
    );
    // February to both parents, for the sheets that were not given up; none of them twice.
    assert_eq!(
        raw.number("SELECT count(*) AS n FROM pagamenti WHERE posto = 1 AND mese = '2022-02'")
            .await,
        80
    );
    banco.all_is_well(2 * DOMANDE).await;
}

const NEGATO: &str = "permission denied for ";

/// What only PostgreSQL promises: the engine's role may do exactly this.
#[tokio::test]
async fn the_role_of_the_engine_may_do_this_and_nothing_else() {
    let Some(banco) = Banco::postgres().await else {
        return;
    };
    let mut motore = accepted(&banco).await;
    for (sql, atteso) in [
        ("UPDATE schede SET stato = 'DECADUTA'", NEGATO),
        ("UPDATE domande SET lavorata = 0", NEGATO),
        ("INSERT INTO decisioni (tipo) VALUES ('STATO')", NEGATO),
        ("INSERT INTO pagamenti (decisione) VALUES (1)", NEGATO),
        ("INSERT INTO prese (numero_domanda) VALUES (1)", NEGATO),
        ("INSERT INTO variazioni (cursore) VALUES (99)", NEGATO),
        ("UPDATE contatori SET ultimo = 0", NEGATO),
        ("SELECT 1 FROM schede", NEGATO),
        ("SELECT 1 FROM decisioni", NEGATO),
        ("SELECT 1 FROM payload", NEGATO),
        ("SELECT 1 FROM orologio", NEGATO),
        ("DELETE FROM motore_pagamenti_v1", NEGATO),
        ("UPDATE motore_rinnovi_v1 SET anno = 2030", NEGATO),
        ("UPDATE motore_prese_v1 SET gettone = 'x'", NEGATO),
        ("INSERT INTO motore_decisioni_v1 (motore) VALUES ('x')", NEGATO),
        ("UPDATE mosse SET chi = 'MOTORE'", NEGATO),
        ("SELECT varco_prepara_anno(2040)", NEGATO),
        ("SELECT varco_subentra(1, 1)", NEGATO),
        // Not even its owner could.
        ("DELETE FROM motore_decisioni_v1", "cannot delete from view"),
        (
            "UPDATE motore_decisioni_v1 SET motivo = 'x'",
            "cannot update view",
        ),
        (
            "UPDATE motore_stati_v1 SET stato = 'DECADUTA'",
            "cannot update view",
        ),
    ] {
        let errore = motore.refused(sql).await;
        assert!(errore.contains(atteso), "{sql}\n{errore}");
    }

    // What is locked last is held until COMMIT, so a second domanda would be locked out of order.
    registrata(&banco.one(atto("b", 2, &[3]), LUGLIO).await);
    take(&mut motore, PRIMO, 2).await;
    let seconda = mossa(PRIMO, 1, "PRESENTATA", "IN_ISTRUTTORIA").replace("('STATO', 1, 1", "('STATO', 2, 1");
    motore
        .execute(&format!(
            "BEGIN; {}; {}; COMMIT",
            pagamento(3, "PAGATO", "2021-07", "RICHIEDENTE", "NULL"),
            mossa(PRIMO, 3, "ACCOLTA", "DECADUTA"),
        ))
        .await
        .unwrap();
    let errore = motore
        .refused(&format!(
            "BEGIN; {}; {seconda}; COMMIT",
            mossa(PRIMO, 4, "DECADUTA", "IN_ISTRUTTORIA"),
        ))
        .await;
    assert!(
        errore.contains("MOT-017 decisione: una transazione decide di una domanda sola"),
        "{errore}"
    );
    motore.execute("ROLLBACK").await.unwrap();
    motore.execute(&seconda).await.unwrap();
    let errore = motore
        .refused(&format!(
            "UPDATE motore_prese_v1 SET lavorata = versione WHERE gettone = '{PRIMO}'"
        ))
        .await;
    assert!(errore.contains("MOT-017 "), "{errore}");
}

/// Outside produzione an engine's clock may stand anywhere; there it may not.
#[tokio::test]
async fn in_produzione_the_engine_has_the_clock_of_the_store() {
    for banco in [Banco::sqlite().await, Banco::postgres().await]
        .into_iter()
        .flatten()
    {
        banco.one(atto("a", 1, &[1]), LUGLIO).await;
        let mut raw = banco.raw().await;
        raw.execute(banco.says(
            "UPDATE impostazioni SET valore = 'produzione' WHERE nome = 'ambiente'",
            "ALTER TABLE impostazioni DISABLE TRIGGER impostazioni_restano;
             UPDATE impostazioni SET valore = 'produzione' WHERE nome = 'ambiente'",
        ))
        .await
        .unwrap();
        let mut motore = banco.raw_as("varco_motore").await;
        take(&mut motore, PRIMO, 1).await;
        let mossa = mossa(PRIMO, 1, "PRESENTATA", "IN_ISTRUTTORIA");
        let errore = motore.refused(&mossa).await;
        assert!(
            errore.contains("MOT-016 decisione: istante non leggibile, oppure lontano piu di un giorno dall'orologio in produzione"),
            "{errore}"
        );
        motore
            .execute(&mossa.replace("'2021-07-02T08:00:00.000Z'", "NULL"))
            .await
            .unwrap();
    }
}
