//! Annulment (DPR 445/2000 art. 54): a new fact beside the registration, which stays as it was.

use jiff::Timestamp;
use serde_json::json;
use varco::protocollo::NumeroProtocollo;
use varco::registro::{Campo, Provvedimento};
use varco::store::StoreUrl;
use varco::store::legale::{Annullo, EsitoAnnullo, RegistroLegale, open_registro};

use crate::atti::{LUGLIO, atto, istante, options, protocollo, registrata, ripetuta};
use crate::banco::Banco;
use crate::comando::{Detto, config_of, keeper, register, set_clock};
use crate::tell;

tell! {
    the_annulled_stays_as_it_was_and_its_children_are_free,
    a_field_is_annulled_by_itself,
    an_annulment_is_never_on_a_closed_day_nor_before_what_it_annuls,
    an_annulment_stands,
    the_command_says_what_it_did_and_what_it_refuses,
}

pub(crate) async fn annulla(
    store: &dyn RegistroLegale,
    numero: &str,
    campo: Option<Campo>,
    adesso: &str,
) -> EsitoAnnullo {
    let numero: NumeroProtocollo = numero.parse().unwrap();
    let provvedimento = Provvedimento {
        numero: "12/2021".to_owned(),
        data: "2021-07-01".parse().unwrap(),
    };
    let annullo = Annullo {
        protocollo: &numero,
        campo,
        operatore: "m.verdi",
        motivo: "inviata per errore",
        provvedimento: &provvedimento,
    };
    store.annulla(&annullo, istante(adesso)).await.unwrap()
}

const UNO: &str = "INPS-AUF-2021-000000000001";
const DUE: &str = "INPS-AUF-2021-000000000002";
const DOPO: &str = "2021-07-02T09:30:00Z";

async fn the_annulled_stays_as_it_was_and_its_children_are_free(banco: &Banco) {
    let store = keeper(banco).await;
    let prima = banco.one(atto("a", 1, &[1, 2]), LUGLIO).await;
    let registrazioni =
        "SELECT protocollo, registrata_il, oggetto, ente, user_id FROM registrazioni ORDER BY protocollo";
    let mut raw = banco.raw().await;
    let allora = raw.rows(registrazioni).await;

    assert_eq!(
        annulla(&*store, UNO, None, DOPO).await,
        EsitoAnnullo::Annullata {
            annullata_il: istante(DOPO),
            schede: 2
        }
    );
    assert_eq!(
        raw.rows(registrazioni).await,
        allora,
        "the registration is not touched"
    );
    assert_eq!(
        raw.rows("SELECT campo, operatore, motivo, provvedimento_numero FROM annullamenti")
            .await,
        [json!({
            "campo": null,
            "operatore": "m.verdi",
            "motivo": "inviata per errore",
            "provvedimento_numero": "12/2021",
        })]
    );
    assert_eq!(
        raw.rows("SELECT posto, stato, azione_richiesta FROM schede ORDER BY posto")
            .await,
        [1, 2].map(|posto| json!({"posto": posto, "stato": "ANNULLATA", "azione_richiesta": "NESSUNA"}))
    );
    assert_eq!(
        raw.rows("SELECT cursore, tipo, ente, numero_domanda, posto, stato FROM variazioni ORDER BY cursore")
            .await,
        [
            json!({"cursore": 1, "tipo": "REGISTRATA", "ente": "PAT01", "numero_domanda": 1, "posto": null, "stato": "PRESENTATA"}),
            json!({"cursore": 2, "tipo": "ANNULLATA", "ente": "PAT01", "numero_domanda": 1, "posto": null, "stato": "ANNULLATA"}),
        ]
    );

    let ancora = banco.one(atto("a", 1, &[1, 2]), DOPO).await;
    let (prima, ancora) = (registrata(&prima), ripetuta(&ancora));
    assert_eq!(ancora.ricevuta, prima.ricevuta, "the receipt of then");
    assert_eq!((prima.annullata, ancora.annullata), (false, true));

    assert_eq!(
        annulla(&*store, UNO, None, DOPO).await,
        EsitoAnnullo::GiaAnnullata(istante(DOPO))
    );
    assert_eq!(
        annulla(&*store, UNO, Some(Campo::Oggetto), DOPO).await,
        EsitoAnnullo::GiaAnnullata(istante(DOPO))
    );
    assert_eq!(annulla(&*store, DUE, None, DOPO).await, EsitoAnnullo::Sconosciuta);
    assert_eq!(
        annulla(&*store, "INPS-ZZZ-2021-000000000001", None, DOPO).await,
        EsitoAnnullo::Sconosciuta
    );

    // The number is never used again, the children are.
    assert_eq!(protocollo(&banco.one(atto("b", 2, &[1, 2]), DOPO).await), DUE);
    banco.all_is_well(2).await;
}

async fn a_field_is_annulled_by_itself(banco: &Banco) {
    let store = keeper(banco).await;
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let fatto = EsitoAnnullo::Annullata {
        annullata_il: istante(DOPO),
        schede: 0,
    };
    assert_eq!(annulla(&*store, UNO, Some(Campo::Oggetto), DOPO).await, fatto);
    assert_eq!(annulla(&*store, UNO, Some(Campo::Mittente), DOPO).await, fatto);
    assert_eq!(
        annulla(&*store, UNO, Some(Campo::Oggetto), DOPO).await,
        EsitoAnnullo::GiaAnnullata(istante(DOPO))
    );
    assert!(!ripetuta(&banco.one(atto("a", 1, &[1]), DOPO).await).annullata);
    let mut raw = banco.raw().await;
    assert_eq!(
        raw.rows("SELECT stato FROM schede").await,
        [json!({"stato": "PRESENTATA"})]
    );
    assert_eq!(raw.number("SELECT count(*) AS n FROM variazioni").await, 1);

    // What is left of it can still be annulled whole.
    let intera = annulla(&*store, UNO, None, DOPO).await;
    assert!(
        matches!(intera, EsitoAnnullo::Annullata { schede: 1, .. }),
        "{intera:?}"
    );
    let iscrizione = store.iscrizione(&UNO.parse().unwrap()).await.unwrap().unwrap();
    let campi: Vec<_> = store
        .annullamenti(&iscrizione)
        .await
        .unwrap()
        .into_iter()
        .map(|annullamento| annullamento.campo)
        .collect();
    assert_eq!(
        campi,
        [Some("oggetto".to_owned()), Some("mittente".to_owned()), None]
    );
}

async fn an_annulment_is_never_on_a_closed_day_nor_before_what_it_annuls(banco: &Banco) {
    let store = keeper(banco).await;
    banco
        .register(&[atto("a", 1, &[1]), atto("b", 1, &[2])], LUGLIO)
        .await;
    let quando = |esito| match esito {
        EsitoAnnullo::Annullata { annullata_il, .. } => annullata_il,
        altro => panic!("{altro:?}"),
    };
    let indietro = annulla(&*store, UNO, None, "2021-06-01T00:00:00Z").await;
    assert_eq!(quando(indietro), istante(LUGLIO));
    let mut raw = banco.raw().await;
    raw.execute(banco.says(
        "UPDATE registro SET chiuso_fino_a = 1625263200000",
        "UPDATE registro SET chiuso_fino_a = '2021-07-02T22:00:00Z'",
    ))
    .await
    .unwrap();
    let chiuso = annulla(&*store, DUE, None, DOPO).await;
    assert_eq!(quando(chiuso), istante("2021-07-02T22:00:00Z"));
}

async fn an_annulment_stands(banco: &Banco) {
    let store = keeper(banco).await;
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    annulla(&*store, UNO, None, DOPO).await;
    let mut raw = banco.raw().await;
    for sql in [
        "UPDATE annullamenti SET motivo = 'altro'",
        "DELETE FROM annullamenti",
    ] {
        let errore = raw.refused(sql).await;
        assert!(errore.contains("(DPR 445/2000 art. 54)"), "{sql}: {errore}");
    }
    let ancora = raw
        .refused(banco.says(
            "INSERT OR REPLACE INTO annullamenti (registrazione, annullata_il, operatore, motivo, provvedimento_numero,
             provvedimento_data) VALUES (1, 0, 'x', 'x', 'x', '2021-07-01')",
            "INSERT INTO annullamenti (registrazione, annullata_il, operatore, motivo, provvedimento_numero,
             provvedimento_data) SELECT registrazione, annullata_il, 'x', 'x', 'x', '2021-07-01' FROM annullamenti",
        ))
        .await;
    assert!(
        ancora.contains(banco.says("gia annullato", "annullamenti_una_volta")),
        "{ancora}"
    );
}

async fn the_command_says_what_it_did_and_what_it_refuses(banco: &Banco) {
    banco.one(atto("a", 1, &[1, 2]), LUGLIO).await;
    set_clock(banco, "2021-07-02T10:00:00Z").await;
    let cartella = config_of(banco);
    let config = cartella.path().join("varco.toml");
    let annul = |numero: &str, altro: &[&str]| {
        let mut argomenti = vec!["annul", numero, "--motivo", "inviata per errore"];
        argomenti.extend(["--provvedimento", "12/2021", "--operatore", "m.verdi"]);
        if !altro.contains(&"--provvedimento-data") {
            argomenti.extend(["--provvedimento-data", "2021-07-01"]);
        }
        argomenti.extend(altro);
        register(&config, &argomenti)
    };
    let rifiutato = |errori: &str| Detto {
        codice: 65,
        fuori: String::new(),
        errori: format!("varco: {errori}\n"),
    };
    assert_eq!(
        annul(DUE, &[]),
        rifiutato("INPS-AUF-2021-000000000002: nessuna registrazione ha questo numero")
    );
    assert_eq!(
        annul(UNO, &["--provvedimento-data", "2021-07-03"]),
        rifiutato("la data del provvedimento (2021-07-03) è futura")
    );
    let campo = annul(UNO, &["--campo", "numero"]);
    assert_eq!(campo.codice, 64);
    assert!(
        campo
            .errori
            .contains("campo «numero» sconosciuto: si annullano oggetto, mittente, destinatario"),
        "{}",
        campo.errori
    );
    let vuoto = annul(UNO, &["--campo", "oggetto", "--operatore", " "]);
    assert_eq!(vuoto.codice, 64, "{}", vuoto.errori);

    let un_campo = annul(UNO, &["--campo", "oggetto"]);
    assert_eq!((un_campo.codice, un_campo.errori.as_str()), (0, ""));
    assert!(
        un_campo
            .fuori
            .starts_with("INPS-AUF-2021-000000000001, campo oggetto: ANNULLATA il 2021-07-02T12:00:"),
        "{}",
        un_campo.fuori
    );
    let intera = annul(UNO, &[]);
    assert!(
        intera.fuori.ends_with("\nschede annullate: 2\n"),
        "{}",
        intera.fuori
    );
    let ancora = annul(UNO, &[]);
    assert_eq!(ancora.codice, 65);
    assert!(
        ancora
            .errori
            .starts_with("varco: INPS-AUF-2021-000000000001: già annullata il 2021-07-02T12:00:"),
        "{}",
        ancora.errori
    );

    let show = register(&config, &["show", UNO]);
    let righe: Vec<_> = show.fuori.lines().collect();
    assert!(
        righe[0].starts_with("ANNULLATA nel campo oggetto: 2021-07-02T12:00:")
            && righe[0]
                .ends_with(" da m.verdi per inviata per errore (provvedimento 12/2021 del 2021-07-01)"),
        "{}",
        show.fuori
    );
    assert!(
        righe[1].starts_with("ANNULLATA: 2021-07-02T12:00:"),
        "{}",
        show.fuori
    );
    assert!(
        righe.contains(&"oggetto               Assegno Temporaneo - domanda n. 1  [ANNULLATO]"),
        "{}",
        show.fuori
    );
}

#[tokio::test]
async fn a_gateway_cannot_annul_and_the_keeper_can() {
    let Some(banco) = Banco::postgres().await else {
        return;
    };
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let as_user = |utente: &str| StoreUrl::Postgres(banco.url_as(utente));
    let options = options();
    let numero: NumeroProtocollo = UNO.parse().unwrap();
    for utente in ["varco_gateway", "varco_audit"] {
        let (store, _) = open_registro(&as_user(utente), &options).await.unwrap();
        let provvedimento = Provvedimento {
            numero: "1".to_owned(),
            data: "2021-07-01".parse().unwrap(),
        };
        let annullo = Annullo {
            protocollo: &numero,
            campo: None,
            operatore: "x",
            motivo: "x",
            provvedimento: &provvedimento,
        };
        let errore = store.annulla(&annullo, Timestamp::UNIX_EPOCH).await.unwrap_err();
        assert!(
            errore
                .to_string()
                .contains("GRANT varco_gateway TO it, or varco_registro to whoever keeps the register"),
            "{utente}: {errore}"
        );
        assert!(
            store.iscrizione(&numero).await.unwrap().is_some(),
            "{utente} reads"
        );
    }
    let (store, _) = open_registro(&as_user("varco_registro"), &options).await.unwrap();
    let esito = annulla(&*store, UNO, None, DOPO).await;
    assert!(
        matches!(esito, EsitoAnnullo::Annullata { schede: 1, .. }),
        "{esito:?}"
    );
    store.close().await;
    let mut raw = banco.raw_as("varco_registro").await;
    for sql in [
        "UPDATE registrazioni SET oggetto = 'altro'",
        "UPDATE annullamenti SET motivo = 'altro'",
        "DELETE FROM annullamenti",
        "DELETE FROM registri_giornalieri",
        "DELETE FROM emergenze",
        "UPDATE emergenza_registrazioni SET numero = 2",
        "DELETE FROM schede",
    ] {
        let errore = raw.refused(sql).await;
        assert!(errore.contains("permission denied"), "{sql}: {errore}");
    }
}
