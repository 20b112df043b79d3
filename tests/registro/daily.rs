//! The daily register: every day once, chained, whatever the clock did.

use std::io::Write as _;
use std::process::{Command, Stdio};

use varco::domanda::sha256::{Sha256, hex};
use varco::registro::{Giornaliero, PRIMO_ANELLO};
use varco::store::giornaliero::{GiornoNegato, giornaliero};
use varco::store::legale::RegistroLegale;

use crate::annul::annulla;
use crate::atti::{LUGLIO, atto, istante, protocollo};
use crate::banco::Banco;
use crate::comando::{config_of, keeper, register, set_clock};
use crate::tell;

tell! {
    every_day_has_its_register_and_carries_the_imprint_of_the_day_before,
    asked_for_again_it_has_the_same_bytes,
    an_annulment_stands_in_the_register_of_its_own_day,
    a_change_of_assignment_stands_in_the_register_of_its_day,
    nothing_is_registered_on_a_closed_day_whatever_the_clock_says,
    a_day_that_is_not_over_or_before_the_register_is_refused,
    the_year_turns_at_midnight_in_rome,
    days_of_23_and_25_hours_hold_what_was_registered_on_them,
    two_keepers_at_once_keep_one_register,
    what_is_kept_cannot_be_changed,
    the_command_hands_out_the_document_and_its_imprint,
}

const FERRAGOSTO: &str = "2021-08-15T06:00:00Z";

pub(crate) async fn daily(store: &dyn RegistroLegale, giorno: &str, adesso: &str) -> Giornaliero {
    giornaliero(store, "AUF", giorno.parse().unwrap(), istante(adesso))
        .await
        .unwrap()
}

/// The numbers of a day's registrations.
fn numeri(giornaliero: &Giornaliero) -> Vec<String> {
    Giornaliero::righe(&giornaliero.documento)
        .map(|(protocollo, _)| protocollo.to_owned())
        .collect()
}

/// The text of an element of the document.
fn valore(giornaliero: &Giornaliero, nome: &str) -> String {
    let testo = std::str::from_utf8(&giornaliero.documento).unwrap();
    let (_, dopo) = testo.split_once(&format!("<{nome}>")).unwrap();
    dopo.split_once('<').unwrap().0.to_owned()
}

/// Holds the document against the published XSD. Where there is no xmllint, says so, and lets pass.
pub(crate) fn valida(documento: &[u8]) {
    let xsd = concat!(env!("CARGO_MANIFEST_DIR"), "/xsd/registro-giornaliero-v1.xsd");
    let figlio = Command::new("xmllint")
        .args(["--noout", "--nonet", "--schema", xsd, "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut figlio) = figlio else {
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: no xmllint (package libxml2-utils), the XSD was not consulted"
        );
        return;
    };
    figlio.stdin.take().unwrap().write_all(documento).unwrap();
    let detto = figlio.wait_with_output().unwrap();
    assert!(
        detto.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&detto.stderr),
        String::from_utf8_lossy(documento)
    );
}

async fn every_day_has_its_register_and_carries_the_imprint_of_the_day_before(banco: &Banco) {
    let store = keeper(banco).await;
    banco
        .register(&[atto("a", 1, &[1, 2]), atto("b", 2, &[3])], LUGLIO)
        .await;
    banco.one(atto("c", 3, &[4]), "2021-07-04T21:59:59.999Z").await;
    banco.one(atto("d", 4, &[5]), "2021-07-04T22:00:00Z").await;
    // The fifth is asked for: those before it are made first.
    let quinto = daily(&*store, "2021-07-05", "2021-07-06T05:00:00Z").await;
    let mut catena = PRIMO_ANELLO;
    for (giorno, attesi) in [
        ("2021-07-01", &[1, 2][..]),
        ("2021-07-02", &[]),
        ("2021-07-03", &[]),
        ("2021-07-04", &[3]),
        ("2021-07-05", &[4]),
    ] {
        let conservato = store
            .giornaliero("AUF", giorno.parse().unwrap())
            .await
            .unwrap()
            .unwrap();
        valida(&conservato.documento);
        let attesi: Vec<_> = attesi
            .iter()
            .map(|numero| format!("INPS-AUF-2021-{numero:012}"))
            .collect();
        assert_eq!(numeri(&conservato), attesi, "{giorno}");
        assert_eq!(valore(&conservato, "Giorno"), giorno);
        assert_eq!(
            valore(&conservato, "GiornoPrecedenteSha256"),
            hex(&catena),
            "{giorno}"
        );
        assert_eq!(conservato.precedente, catena);
        assert_eq!(conservato.sha256, Sha256::of(&conservato.documento));
        catena = conservato.sha256;
    }
    assert_eq!(catena, quinto.sha256);

    let primo = daily(&*store, "2021-07-01", "2021-07-06T05:00:00Z").await;
    let testo = String::from_utf8(primo.documento.clone()).unwrap();
    for dato in [
        "<Protocollo>INPS-AUF-2021-000000000001</Protocollo><RegistrataIl>2021-07-01T10:00:00.000+02:00</RegistrataIl>\
         <PresentataIl>2021-07-01T09:59:59.123+02:00</PresentataIl>",
        "<Oggetto>Assegno Temporaneo - domanda n. 1</Oggetto><Servizio>AssegnoTemporaneo</Servizio>\
         <Operazione>InviaDomanda</Operazione>",
        "<Mittente><Ente>PAT01</Ente><Denominazione>Patronato Uno</Denominazione><CodiceUfficio>001</CodiceUfficio>\
         <UserId>op.uno</UserId><Richiedente>RSSMRA80A01H501U</Richiedente></Mittente>\
         <Destinatario>INPS</Destinatario>",
        "<ProtocolloMittente><ChiaveInvio>a</ChiaveInvio><Data>2021-06-30</Data></ProtocolloMittente>\
         <NumeroDomanda>1</NumeroDomanda>",
        "<Riepilogo><Registrazioni>2</Registrazioni><PrimoProtocollo>INPS-AUF-2021-000000000001</PrimoProtocollo>\
         <UltimoProtocollo>INPS-AUF-2021-000000000002</UltimoProtocollo><Annullamenti>0</Annullamenti>",
    ] {
        assert!(testo.contains(dato), "{dato}\n{testo}");
    }
    let allegato = format!(
        "<AllegatoSha256 nomeFile=\"foglio.pdf\" mimeType=\"application/pdf\">{}</AllegatoSha256>",
        "09".repeat(32)
    );
    assert!(testo.contains(&allegato), "{testo}");
    let ricevuta = &banco
        .store
        .registrata(&crate::atti::chiave("a"))
        .await
        .unwrap()
        .unwrap()
        .ricevuta;
    assert_eq!(valore(&primo, "RicevutaSha256"), hex(&Sha256::of(ricevuta)));
    assert_eq!(
        valore(&primo, "RichiestaSha256"),
        hex(&Sha256::of(&atto("a", 1, &[1, 2]).richiesta))
    );
}

async fn asked_for_again_it_has_the_same_bytes(banco: &Banco) {
    let store = keeper(banco).await;
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let prima = daily(&*store, "2021-07-01", "2021-07-02T05:00:00Z").await;
    banco.one(atto("b", 2, &[2]), "2021-07-02T06:00:00Z").await;
    assert_eq!(daily(&*store, "2021-07-01", "2021-07-09T05:00:00Z").await, prima);
    // And opened again, by somebody else.
    assert_eq!(
        daily(&*keeper(banco).await, "2021-07-01", "2022-07-09T05:00:00Z").await,
        prima
    );
}

async fn an_annulment_stands_in_the_register_of_its_own_day(banco: &Banco) {
    let store = keeper(banco).await;
    let numero = protocollo(&banco.one(atto("a", 1, &[1]), LUGLIO).await);
    let primo = daily(&*store, "2021-07-01", "2021-07-02T05:00:00Z").await;
    annulla(&*store, &numero, None, "2021-07-03T08:00:00Z").await;
    let terzo = daily(&*store, "2021-07-03", "2021-07-04T05:00:00Z").await;
    valida(&terzo.documento);
    let testo = String::from_utf8(terzo.documento.clone()).unwrap();
    assert!(
        testo.contains(
            "<Annullamento progressivo=\"1\"><Protocollo>INPS-AUF-2021-000000000001</Protocollo>\
             <AnnullataIl>2021-07-03T10:00:00.000+02:00</AnnullataIl><Operatore>m.verdi</Operatore>\
             <Motivo>inviata per errore</Motivo><Provvedimento><Numero>12/2021</Numero><Data>2021-07-01</Data>\
             </Provvedimento></Annullamento>"
        ),
        "{testo}"
    );
    assert_eq!(numeri(&terzo), Vec::<String>::new());
    assert_eq!(
        valore(&terzo, "UltimoProtocollo".trim_start_matches("Ultimo")),
        numero
    );
    // The day of the registration says what it said.
    assert_eq!(daily(&*store, "2021-07-01", "2021-07-05T05:00:00Z").await, primo);
    let testo = String::from_utf8(primo.documento).unwrap();
    assert!(testo.contains("<Annullamenti>\n</Annullamenti>"), "{testo}");
}

async fn a_change_of_assignment_stands_in_the_register_of_its_day(banco: &Banco) {
    let store = keeper(banco).await;
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let mut raw = banco.raw().await;
    raw.execute(banco.says(
        "INSERT INTO assegnazioni (registrazione, dal, operatore, classifica, assegnazione)
         SELECT id, 1625220000000, 'm.verdi', '5.2', NULL FROM registrazioni",
        "INSERT INTO assegnazioni (registrazione, dal, operatore, classifica, assegnazione)
         SELECT id, '2021-07-02T10:00:00Z', 'm.verdi', '5.2', NULL FROM registrazioni",
    ))
    .await
    .unwrap();
    let secondo = daily(&*store, "2021-07-02", "2021-07-03T05:00:00Z").await;
    valida(&secondo.documento);
    let testo = String::from_utf8(secondo.documento).unwrap();
    assert!(
        testo.contains(
            "<Modifica progressivo=\"1\"><Protocollo>INPS-AUF-2021-000000000001</Protocollo>\
             <Dal>2021-07-02T12:00:00.000+02:00</Dal><Operatore>m.verdi</Operatore><Classifica>5.2</Classifica></Modifica>"
        ),
        "{testo}"
    );
}

async fn nothing_is_registered_on_a_closed_day_whatever_the_clock_says(banco: &Banco) {
    let store = keeper(banco).await;
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let primo = daily(&*store, "2021-07-01", "2021-07-02T05:00:00Z").await;
    // A gateway whose clock is behind: it registers at the first instant that is not closed.
    banco.one(atto("b", 1, &[2]), "2021-07-01T21:00:00Z").await;
    let righe = banco.store.registro(None, 10).await.unwrap();
    assert_eq!(righe[1].registrata_il, istante("2021-07-01T22:00:00Z"));
    let secondo = daily(&*store, "2021-07-02", "2021-07-03T05:00:00Z").await;
    assert_eq!(numeri(&primo), ["INPS-AUF-2021-000000000001"]);
    assert_eq!(numeri(&secondo), ["INPS-AUF-2021-000000000002"]);
    banco.all_is_well(2).await;
}

async fn a_day_that_is_not_over_or_before_the_register_is_refused(banco: &Banco) {
    let store = keeper(banco).await;
    let negato = async |registro: &str, giorno: &str, adesso: &str| -> GiornoNegato {
        giornaliero(&*store, registro, giorno.parse().unwrap(), istante(adesso))
            .await
            .unwrap_err()
    };
    assert_eq!(
        negato("AUF", "2021-07-01", FERRAGOSTO).await.to_string(),
        "il registro AUF non ha ancora registrazioni"
    );
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    assert_eq!(
        negato("AUF", "2021-07-01", "2021-07-01T21:59:59.999Z")
            .await
            .to_string(),
        "il 2021-07-01 non è ancora finito: si chiude dalle 2021-07-02T00:00:00.000+02:00"
    );
    assert_eq!(
        negato("AUF", "2021-06-30", FERRAGOSTO).await.to_string(),
        "il registro AUF comincia il 2021-07-01"
    );
    assert_eq!(
        negato("ZZZ", "2021-07-01", FERRAGOSTO).await.to_string(),
        "il registro ZZZ non ha ancora registrazioni"
    );
    // What was refused closed nothing.
    banco.one(atto("b", 1, &[2]), "2021-07-01T12:00:00Z").await;
    let primo = daily(&*store, "2021-07-01", "2021-07-01T22:00:00Z").await;
    assert_eq!(numeri(&primo).len(), 2);
}

async fn the_year_turns_at_midnight_in_rome(banco: &Banco) {
    let store = keeper(banco).await;
    banco.one(atto("a", 1, &[1]), "2021-12-31T22:59:59.999Z").await;
    banco.one(atto("b", 1, &[2]), "2021-12-31T23:00:00Z").await;
    let capodanno = daily(&*store, "2022-01-01", "2022-01-02T05:00:00Z").await;
    let san_silvestro = daily(&*store, "2021-12-31", "2022-01-02T05:00:00Z").await;
    assert_eq!(numeri(&san_silvestro), ["INPS-AUF-2021-000000000001"]);
    assert_eq!(numeri(&capodanno), ["INPS-AUF-2022-000000000001"]);
    assert_eq!(capodanno.precedente, san_silvestro.sha256);
    valida(&capodanno.documento);
    // A clock set back over the turn: the register stays in the new year.
    let dopo = banco.one(atto("c", 1, &[3]), "2021-12-31T12:00:00Z").await;
    assert_eq!(protocollo(&dopo), "INPS-AUF-2022-000000000002");
    banco.all_is_well(3).await;
}

async fn days_of_23_and_25_hours_hold_what_was_registered_on_them(banco: &Banco) {
    let store = keeper(banco).await;
    // 30 October 2022 has 25 hours, from 22:00Z to 23:00Z; 26 March 2023 has 23, from 23:00Z to 22:00Z.
    for (chiave, minore, quando) in [
        ("a", 1, "2022-10-29T22:00:00Z"),
        ("b", 2, "2022-10-30T22:59:59.999Z"),
        ("c", 3, "2022-10-30T23:00:00Z"),
        ("d", 4, "2023-03-25T23:00:00Z"),
        ("e", 5, "2023-03-26T21:59:59.999Z"),
        ("f", 6, "2023-03-26T22:00:00Z"),
    ] {
        banco.one(atto(chiave, 1, &[minore]), quando).await;
    }
    daily(&*store, "2023-03-27", "2023-04-01T00:00:00Z").await;
    for (giorno, attesi) in [
        ("2022-10-30", &["2022-000000000001", "2022-000000000002"][..]),
        ("2022-10-31", &["2022-000000000003"]),
        ("2023-03-25", &[]),
        ("2023-03-26", &["2023-000000000001", "2023-000000000002"]),
        ("2023-03-27", &["2023-000000000003"]),
    ] {
        let conservato = daily(&*store, giorno, "2023-04-01T00:00:00Z").await;
        let attesi: Vec<_> = attesi.iter().map(|numero| format!("INPS-AUF-{numero}")).collect();
        assert_eq!(numeri(&conservato), attesi, "{giorno}");
        valida(&conservato.documento);
    }
}

async fn two_keepers_at_once_keep_one_register(banco: &Banco) {
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let (uno, due) = (keeper(banco).await, keeper(banco).await);
    // Each with a clock of its own, so that their documents would differ.
    let (uno, due) = tokio::join!(
        daily(&*uno, "2021-07-20", "2021-07-21T05:00:00Z"),
        daily(&*due, "2021-07-20", "2021-07-21T05:00:01Z")
    );
    assert_eq!(uno, due);
    let mut raw = banco.raw().await;
    assert_eq!(
        raw.number("SELECT count(*) AS n FROM registri_giornalieri").await,
        20
    );
}

async fn what_is_kept_cannot_be_changed(banco: &Banco) {
    let store = keeper(banco).await;
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    daily(&*store, "2021-07-01", FERRAGOSTO).await;
    let mut raw = banco.raw().await;
    for sql in [
        "UPDATE registri_giornalieri SET fino_numero = 7",
        "DELETE FROM registri_giornalieri",
        banco.says(
            "INSERT OR REPLACE INTO registri_giornalieri SELECT * FROM registri_giornalieri",
            "TRUNCATE registri_giornalieri",
        ),
    ] {
        let errore = raw.refused(sql).await;
        assert!(errore.contains("(DPR 445/2000 art. 53)"), "{sql}: {errore}");
    }
    for sql in banco.says(
        ["UPDATE registro SET chiuso_fino_a = 0"],
        ["UPDATE registro SET chiuso_fino_a = 'epoch'"],
    ) {
        let errore = raw.refused(sql).await;
        assert!(errore.contains("il contatore non torna indietro"), "{errore}");
    }
}

async fn the_command_hands_out_the_document_and_its_imprint(banco: &Banco) {
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    set_clock(banco, "2021-07-03T10:00:00Z").await;
    let cartella = config_of(banco);
    let config = cartella.path().join("varco.toml");
    let file = cartella.path().join("registro.xml");
    let scritto = register(&config, &["daily", "2021-07-02", "--out", file.to_str().unwrap()]);
    assert_eq!(scritto.codice, 0, "{}", scritto.errori);
    let documento = std::fs::read(&file).unwrap();
    let impronta = hex(&Sha256::of(&documento));
    assert_eq!(
        scritto.fuori,
        format!("AUF 2021-07-02: 0 registrazioni, SHA-256 {impronta}\n")
    );
    assert_eq!(
        std::fs::read_to_string(cartella.path().join("registro.xml.sha256")).unwrap(),
        format!("{impronta}  registro.xml\n")
    );
    let ancora = register(&config, &["daily", "2021-07-02"]);
    assert_eq!(ancora.fuori.as_bytes(), documento, "the same bytes on stdout");

    let oggi = register(&config, &["daily", "2021-07-03"]);
    assert_eq!(
        (oggi.codice, oggi.errori.as_str()),
        (
            65,
            "varco: il 2021-07-03 non è ancora finito: si chiude dalle 2021-07-04T00:00:00.000+02:00\n"
        )
    );
}
