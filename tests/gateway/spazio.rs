//! A store that fills: what is refused, in which order, and that it passes by itself. The room is that of
//! `spazio.database_bytes_max`, which is the same on both stores, taken by a table that is nobody's.

use uuid::Uuid;
use varco::patronato::{CodiceEnte, CodiceUfficio};
use varco::store::Chiave;
use varco::store::lotti::{Accettazione, NuovoLotto};

use crate::helpers::{Archivio, Gateway, Reply, Setting, on_both_stores};
use crate::lotti::{accolto, chiedi, concluso, elemento, file, in_linea};
use crate::metriche::until;
use crate::pdd::busta::{Busta, Forma, forma};
use crate::salute::{ask_with, raw};

on_both_stores! {
    as_room_runs_out_lots_are_refused_first_then_domande_and_never_a_retry_or_a_look_up,
    a_lot_that_was_taken_in_waits_for_room_and_goes_on_by_itself,
    a_gateway_purges_while_it_serves_and_a_cursor_of_before_the_cut_is_told,
}

const MIB: u64 = 1 << 20;
const QUOTA: u64 = 160 * MIB;
/// Free bytes at which room is scarce, and at which it runs out.
const STRETTO: u64 = 90 * MIB;
const CRITICO: u64 = 45 * MIB;

fn spawn(archivio: Archivio) -> Gateway {
    let sezioni = format!(
        "[salute]\nindirizzo = \"127.0.0.1:0\"\nintervallo_s = 0.05\n\
         [spazio]\nintervallo_s = 0.05\nriprova_s = 7\ndatabase_bytes_max = {QUOTA}\n\
         stretto_bytes = {STRETTO}\nstretto_percento = 100\ncritico_bytes = {CRITICO}\ncritico_percento = 100\n"
    );
    Gateway::spawn(&Setting {
        salute: Some(sezioni),
        ..Setting::on(archivio)
    })
}

/// Takes room until only so much is left, and waits until the gateway has seen it.
fn fill(gateway: &Gateway, archivio: Archivio, liberi: u64, stato: &str) {
    let occupati = gateway.block_on(gateway.store().byte_occupati()).unwrap();
    let pezzi = QUOTA.saturating_sub(occupati).saturating_sub(liberi) / MIB;
    let riempi = match archivio {
        Archivio::Sqlite => format!(
            "CREATE TABLE IF NOT EXISTS ingombro (byte BLOB);
             WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {pezzi})
             INSERT INTO ingombro SELECT zeroblob(1048576 - 4096) FROM n"
        ),
        Archivio::Postgres => format!(
            "CREATE TABLE IF NOT EXISTS ingombro (byte bytea);
             ALTER TABLE ingombro ALTER COLUMN byte SET STORAGE EXTERNAL;
             INSERT INTO ingombro SELECT convert_to(repeat('x', 1000000), 'UTF8') FROM generate_series(1, {pezzi})"
        ),
    };
    raw(gateway, archivio, &riempi);
    until(gateway, &format!("varco_space_state{{stato=\"{stato}\"}}"), 1.0);
}

fn make_room(gateway: &Gateway, archivio: Archivio) {
    raw(gateway, archivio, "DROP TABLE ingombro");
    until(gateway, "varco_space_state{stato=\"normale\"}", 1.0);
}

fn domanda(chiave: &str, seme: u64) -> String {
    let corpo = elemento(seme).replace(&format!("elemento-{seme}"), chiave);
    crate::lotti::busta("", &corpo)
}

fn told(reply: &Reply, status: u16, codice: &str) {
    assert_eq!(reply.status, status, "{}", reply.text());
    assert_eq!(reply.value("Codice").as_deref(), Some(codice), "{}", reply.text());
}

fn refused_for_room(reply: &Reply, codice: &str) {
    told(reply, 503, codice);
    assert_eq!(reply.header("retry-after"), Some("7"));
    assert!(reply.text().contains("env:Receiver"), "{}", reply.text());
}

fn as_room_runs_out_lots_are_refused_first_then_domande_and_never_a_retry_or_a_look_up(archivio: Archivio) {
    let gateway = spawn(archivio);
    let client = gateway.client("pat01");
    let porta = gateway.porta("pat01");
    let registrata = client.post(domanda("K-1", 1).as_bytes());
    let numero = registrata.value("Protocollo").unwrap();
    let lotto = in_linea("lotto-1", &[elemento(101), elemento(102)]);
    let id = accolto(&client.post(lotto.as_bytes()));
    concluso(&client, &id);

    // Scarce: no new lot; everything else as ever.
    fill(&gateway, archivio, u64::midpoint(STRETTO, CRITICO), "stretto");
    let altro = in_linea("lotto-2", &[elemento(201)]);
    refused_for_room(&client.post(altro.as_bytes()), "LOT-016");
    assert_eq!(
        accolto(&client.post(lotto.as_bytes())),
        id,
        "a retry is the same lot"
    );
    let seconda = client.post(domanda("K-2", 2).as_bytes());
    assert_eq!(
        seconda.value("Esito").as_deref(),
        Some("REGISTRATA"),
        "{}",
        seconda.text()
    );

    // Run out: nothing new at all.
    fill(&gateway, archivio, CRITICO / 2, "critico");
    refused_for_room(&client.post(domanda("K-3", 3).as_bytes()), "STO-005");
    refused_for_room(&client.post(altro.as_bytes()), "LOT-016");
    let busta = Busta::domanda(1, "K-PDD");
    assert_eq!(
        forma(&porta.post_busta(&busta.bytes())),
        Forma::C("STO-005".to_owned(), true)
    );
    // What was registered is told again, whichever way it is asked for.
    let ripetuta = client.post(domanda("K-1", 1).as_bytes());
    assert_eq!(ripetuta.status, 200, "{}", ripetuta.text());
    assert_eq!(ripetuta.value("Protocollo").as_ref(), Some(&numero));
    assert_eq!(ripetuta.value("Ripetizione").as_deref(), Some("true"));
    assert_eq!(accolto(&client.post(lotto.as_bytes())), id);
    assert_eq!(chiedi(&client, "EsitoLotto", &id, "").status, 200);
    let consulta = include_str!("../messages/consulta-by-chiave/request.xml");
    assert_eq!(client.post(consulta.as_bytes()).status, 200);
    // Who is wrong for another reason is told that one, and who may not ask learns nothing.
    told(&client.post(domanda("K-1", 4).as_bytes()), 500, "RPL-001");
    let sbagliata = domanda("K-5", 5).replace(">GENITORE<", ">ZIO<");
    told(&client.post(sbagliata.as_bytes()), 500, "XSD-011");
    let altrove = domanda("K-1", 1).replace("<CodiceUfficio>001<", "<CodiceUfficio>999<");
    let estraneo = client.post(altrove.as_bytes());
    assert!(
        estraneo.value("Codice").unwrap().starts_with("ACC-"),
        "{}",
        estraneo.text()
    );
    // A balancer that took the gateway out would refuse the look-ups, too.
    let (status, pronto) = ask_with(gateway.salute(), "GET", "/health/ready", "");
    assert_eq!(status, 200, "{pronto}");
    assert!(
        pronto.contains(r#""avvisi":[{"che":"spazio","codice":"STO-005""#),
        "{pronto}"
    );

    // Room again: nobody has to lift a hand.
    make_room(&gateway, archivio);
    for (chiave, seme) in [("K-3", 3), ("K-5", 5)] {
        let reply = client.post(domanda(chiave, seme).as_bytes());
        assert_eq!(
            reply.value("Ripetizione").as_deref(),
            Some("false"),
            "{}",
            reply.text()
        );
    }
    assert_eq!(
        forma(&porta.post_busta(&busta.bytes())),
        Forma::Risposta(Vec::new()),
        "the busta is not used up"
    );
    concluso(&client, &accolto(&client.post(altro.as_bytes())));
    let verifica = gateway.block_on(gateway.store().verify()).unwrap();
    assert_eq!((verifica.registrazioni, verifica.anomalie), (8, Vec::new()));
}

fn a_lot_that_was_taken_in_waits_for_room_and_goes_on_by_itself(archivio: Archivio) {
    let gateway = spawn(archivio);
    let client = gateway.client("pat01");
    fill(&gateway, archivio, CRITICO / 2, "critico");
    // As another gateway, which had room, took it in.
    let id = Uuid::from_u128(7);
    let byte = file(&[elemento(1), elemento(2)]).into_bytes();
    let nuovo = NuovoLotto {
        id,
        chiave: Chiave {
            ente: "PAT01".parse::<CodiceEnte>().unwrap(),
            servizio: "AssegnoTemporaneo",
            chiave: "lotto-1".parse().unwrap(),
        },
        digest: [1; 32],
        ente_denominazione: "Patronato Uno".to_owned(),
        codice_ufficio: "001".parse::<CodiceUfficio>().unwrap(),
        user_id: "op.rossi".parse().unwrap(),
        certificato_sha256: "ab".repeat(32),
        message_id: Uuid::from_u128(8),
        byte: byte.len() as u64,
        elementi: None,
    };
    let adesso = gateway.clock_now();
    gateway.block_on(async {
        gateway.store().spool_append(id, 0, byte.into()).await.unwrap();
        let accolto = gateway.store().accept_lotto(&nuovo, 16, adesso).await.unwrap();
        assert!(matches!(accolto, Accettazione::Accettato(_)), "{accolto:?}");
        // More than the time in which the queue is looked at.
        tokio::time::sleep(std::time::Duration::from_millis(2500)).await;
    });
    let stato = chiedi(&client, "StatoLotto", &id.to_string(), "");
    assert_eq!(
        stato.value("Stato").as_deref(),
        Some("accepted"),
        "{}",
        stato.text()
    );
    make_room(&gateway, archivio);
    let stato = concluso(&client, &id.to_string());
    assert_eq!(
        stato.value("Registrati").as_deref(),
        Some("2"),
        "{}",
        stato.text()
    );
}

fn variazioni(cursore: Option<&str>) -> String {
    let dentro = cursore.map_or(String::new(), |cursore| {
        format!("<c:Cursore xmlns:c=\"http://inps.it/cooperazione/v1\">{cursore}</c:Cursore>")
    });
    crate::lotti::busta(
        "",
        &format!(
            "<at:ElencoVariazioni xmlns:at=\"http://inps.it/AssegnoTemporaneo/v1\">{dentro}</at:ElencoVariazioni>"
        ),
    )
}

fn a_gateway_purges_while_it_serves_and_a_cursor_of_before_the_cut_is_told(archivio: Archivio) {
    let in_fretta = "[salute]\nindirizzo = \"127.0.0.1:0\"\nintervallo_s = 0.05\n\
         [conservazione]\nintervallo_s = 0.05\npausa_s = 0.001\nvariazioni_giorni = 31\n";
    let al = |orologio: &str| Setting {
        salute: Some(in_fretta.to_owned()),
        orologio: Some(orologio.to_owned()),
        ..Setting::on(archivio)
    };
    // The feed of these days is years old by the true clock, and fresh by the one that dates it.
    let gateway = Gateway::spawn(&al("2021-07-15T10:00:00Z"));
    let client = gateway.client("pat01");
    client.post(domanda("K-1", 1).as_bytes());
    let prima = client.post(variazioni(None).as_bytes()).value("Cursore").unwrap();
    client.post(domanda("K-2", 2).as_bytes());
    let dopo = client.post(variazioni(None).as_bytes()).value("Cursore").unwrap();
    assert_ne!(prima, dopo);
    let dir = gateway.stop();

    let gateway = Gateway::spawn_in(dir, &al("2021-09-15T10:00:00Z"));
    until(&gateway, "varco_retention_rows_total{regola=\"VARIAZIONI\"}", 2.0);
    let client = gateway.client("pat01");
    // Who has seen all that went misses nothing, who has not is told.
    let aggiornato = client.post(variazioni(Some(&dopo)).as_bytes());
    assert_eq!(aggiornato.status, 200, "{}", aggiornato.text());
    told(&client.post(variazioni(Some(&prima)).as_bytes()), 500, "CUR-004");
    assert_eq!(client.post(variazioni(None).as_bytes()).status, 200);
    // The domande are as they were.
    let ripetuta = client.post(domanda("K-1", 1).as_bytes());
    assert_eq!(
        ripetuta.value("Ripetizione").as_deref(),
        Some("true"),
        "{}",
        ripetuta.text()
    );
}
