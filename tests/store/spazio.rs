//! Room and retention: what goes when its time is over goes whole and recorded, by steps that can be left at any moment; all
//! else stays, whoever asks.

use jiff::Timestamp;
use serde_json::json;
use varco::domanda::consultazione::Riferimento;
use varco::patronato::CodiceEnte;
use varco::protocollo::NumeroDomanda;
use varco::store::esame::esamina;
use varco::store::legale::{SharedRegistro, open_registro};
use varco::store::spazio::{Campione, EsitoVincolo, Perche, Regola, Scaduti};
use varco::store::{Ricerca, SharedStore, StoreError};
use varco::trace::RifiutoAllaPorta;

use crate::atti::{LUGLIO, atto, istante, options, registrata, ripetuta, traccia};
use crate::banco::{Banco, Raw};

macro_rules! stories {
    ($banco:path) => {
        $crate::tell! { spazio, $banco:
            a_request_goes_when_its_procedure_has_been_over_for_long_enough,
            what_is_held_stays_and_goes_once_it_is_released,
            nothing_goes_that_no_purge_covers,
            a_purge_that_was_left_goes_on_where_it_was,
            traces_go_by_whole_days_the_oldest_first,
            a_day_on_which_a_held_domanda_left_a_trace_is_kept_whole,
            a_hold_that_is_placed_while_a_day_goes_ends_its_purge,
            bytes_of_a_day_that_was_held_go_once_it_is_released,
            the_bytes_of_a_trace_go_by_an_open_purge_alone,
            the_feed_is_cut_at_its_beginning_and_who_stands_before_the_cut_is_known,
            a_sample_an_hour_is_kept_and_the_old_ones_are_forgotten,
            what_takes_how_much_is_told_by_kind,
        }
    };
}

mod sqlite {
    stories!(crate::banco::Banco::sqlite);
}

mod postgres {
    stories!(crate::banco::Banco::postgres);
}

/// Five years and some days after [`LUGLIO`], and what is five years before it.
pub(crate) const ADESSO: &str = "2026-08-01T08:00:00Z";
const LIMITE: &str = "2021-07-31T22:00:00Z";

const PERCHE: Perche<'_> = Perche {
    operatore: "m.verdi",
    motivo: "causa R.G. 12/2021",
};

/// Who keeps the register.
async fn keeper(banco: &Banco) -> SharedRegistro {
    open_registro(&banco.url(), &options()).await.unwrap().0
}

/// Purges by a rule until nothing is due, a few rows a step.
pub(crate) async fn purge(store: &SharedStore, regola: Regola, limite: &str) -> Scaduti {
    let mut tutto = Scaduti::default();
    let adesso = istante(ADESSO);
    while store
        .begin_pulizia(regola, istante(limite), adesso)
        .await
        .unwrap()
        .is_some()
    {
        loop {
            let passo = store
                .step_pulizia(regola, 2, adesso, adesso)
                .await
                .unwrap()
                .unwrap();
            tutto.righe += passo.righe;
            tutto.byte += passo.byte;
            if passo.finita {
                break;
            }
        }
    }
    tutto
}

/// The engine decides against a domanda, on that day.
async fn refuse(banco: &Banco, raw: &mut Raw, numero: u64, quando: &str) {
    let ms = istante(quando).as_millisecond();
    let quando = banco.says(ms.to_string(), format!("'{quando}'"));
    for sql in [
        format!(
            "UPDATE schede SET stato = 'IN_ISTRUTTORIA', stato_dal = {quando} WHERE numero_domanda = {numero}"
        ),
        format!("UPDATE schede SET stato = 'RESPINTA', stato_dal = {quando} WHERE numero_domanda = {numero}"),
    ] {
        raw.execute(&sql).await.unwrap();
    }
}

async fn has_request(store: &SharedStore, chiave: &str) -> bool {
    let ente: CodiceEnte = "PAT01".parse().unwrap();
    let riferimento = Riferimento::ChiaveInvio(chiave.parse().unwrap());
    let trovata = store
        .registrazione(&ente, "AssegnoTemporaneo", &riferimento)
        .await
        .unwrap()
        .unwrap();
    store.richiesta(&trovata).await.unwrap().is_some()
}

async fn has_requests(store: &SharedStore, chiavi: &[&str]) -> Vec<bool> {
    let mut trovate = Vec::new();
    for chiave in chiavi {
        trovate.push(has_request(store, chiave).await);
    }
    trovate
}

/// What `varco register verify` finds; the imprints of these tests' domande are made up.
async fn anomalie(banco: &Banco) -> Vec<String> {
    let mut anomalie = esamina(&*keeper(banco).await, &|_, _| {}).await.unwrap().anomalie;
    anomalie.retain(|anomalia| !anomalia.ends_with("its imprint is not that of the Domanda in its request"));
    anomalie
}

pub(crate) async fn a_request_goes_when_its_procedure_has_been_over_for_long_enough(banco: &Banco) {
    let prime = banco
        .register(
            &[atto("a", 1, &[1]), atto("b", 1, &[2]), atto("c", 1, &[3])],
            LUGLIO,
        )
        .await;
    let mut raw = banco.raw().await;
    refuse(banco, &mut raw, 1, "2021-07-10T08:00:00Z").await;
    // Decided too late, and not decided at all.
    refuse(banco, &mut raw, 2, "2021-08-10T08:00:00Z").await;
    let store = &banco.store;
    let documenti = raw.number("SELECT count(*) AS n FROM documenti").await;
    assert!(documenti > 0);
    let detto = store.scaduti(Regola::Richieste, istante(LIMITE)).await.unwrap();
    assert_eq!(detto.righe, 1);
    assert!(detto.byte > 0);
    assert_eq!(purge(store, Regola::Richieste, LIMITE).await, detto);
    assert_eq!(has_requests(store, &["a", "b", "c"]).await, [false, true, true]);
    let rimasti = raw.number("SELECT count(*) AS n FROM documenti").await;
    assert_eq!(
        rimasti * 3,
        documenti * 2,
        "a third of the documents went with it"
    );
    assert_eq!(
        store.scaduti(Regola::Richieste, istante(LIMITE)).await.unwrap(),
        Scaduti::default()
    );
    // Registration, imprint, receipt and number stay, and the register is in order.
    assert_eq!(anomalie(banco).await, Vec::<String>::new());
    let ancora = banco.one(atto("a", 1, &[1]), ADESSO).await;
    assert_eq!(ripetuta(&ancora).ricevuta, registrata(&prime[0]).ricevuta);
    let [fatta] = store.pulizie(10).await.unwrap()[..] else {
        panic!("one purge is on record");
    };
    assert_eq!(
        (fatta.regola, fatta.fino_a, fatta.righe, fatta.byte),
        (Regola::Richieste, istante(LIMITE), detto.righe, detto.byte)
    );
    assert_eq!(fatta.conclusa_il, Some(istante(ADESSO)));
    // Nothing more is due today; a month later the second one is.
    assert_eq!(
        store
            .begin_pulizia(Regola::Richieste, istante(LIMITE), istante(ADESSO))
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        purge(store, Regola::Richieste, "2021-09-01T08:00:00Z")
            .await
            .righe,
        1
    );
    assert_eq!(has_requests(store, &["a", "b", "c"]).await, [false, false, true]);
}

pub(crate) async fn what_is_held_stays_and_goes_once_it_is_released(banco: &Banco) {
    banco
        .register(&[atto("a", 1, &[1]), atto("b", 1, &[2])], LUGLIO)
        .await;
    let mut raw = banco.raw().await;
    for numero in [1, 2] {
        refuse(banco, &mut raw, numero, "2021-07-10T08:00:00Z").await;
    }
    let registro = keeper(banco).await;
    let adesso = istante(ADESSO);
    let vincola = |numero| registro.vincola(NumeroDomanda(numero), &PERCHE, adesso);
    assert_eq!(vincola(1).await.unwrap(), EsitoVincolo::Fatto);
    assert_eq!(vincola(1).await.unwrap(), EsitoVincolo::GiaCosi);
    assert_eq!(vincola(9).await.unwrap(), EsitoVincolo::Sconosciuta);
    assert_eq!(
        banco
            .store
            .scaduti(Regola::Richieste, istante(LIMITE))
            .await
            .unwrap()
            .righe,
        1
    );
    assert_eq!(purge(&banco.store, Regola::Richieste, LIMITE).await.righe, 1);
    assert_eq!(has_requests(&banco.store, &["a", "b"]).await, [true, false]);

    let altra = Perche {
        operatore: "l.bianchi",
        motivo: "sentenza passata in giudicato",
    };
    let libera = |numero| registro.libera(NumeroDomanda(numero), &altra, adesso);
    assert_eq!(libera(1).await.unwrap(), EsitoVincolo::Fatto);
    assert_eq!(libera(1).await.unwrap(), EsitoVincolo::GiaCosi);
    assert_eq!(libera(9).await.unwrap(), EsitoVincolo::Sconosciuta);
    let [vincolo] = &registro.vincoli().await.unwrap()[..] else {
        panic!("the hold is on record");
    };
    assert_eq!(
        (
            vincolo.numero_domanda,
            vincolo.operatore.as_str(),
            vincolo.motivo.as_str()
        ),
        (NumeroDomanda(1), PERCHE.operatore, PERCHE.motivo)
    );
    let tolto = (adesso, altra.operatore.to_owned(), altra.motivo.to_owned());
    assert_eq!(vincolo.tolto.as_ref(), Some(&tolto));
    assert_eq!(
        purge(&banco.store, Regola::Richieste, "2021-08-01T08:00:00Z")
            .await
            .righe,
        0,
        "of that day all was done"
    );
    assert_eq!(
        purge(&banco.store, Regola::Richieste, "2021-08-02T08:00:00Z")
            .await
            .righe,
        1
    );
    assert_eq!(has_requests(&banco.store, &["a", "b"]).await, [false, false]);
    assert_eq!(anomalie(banco).await, Vec::<String>::new());
}

pub(crate) async fn nothing_goes_that_no_purge_covers(banco: &Banco) {
    banco
        .register(&[atto("a", 1, &[1]), atto("b", 1, &[2])], LUGLIO)
        .await;
    banco.store.write_tracce(&[traccia("x")]).await.unwrap();
    let registro = keeper(banco).await;
    registro
        .vincola(NumeroDomanda(2), &PERCHE, istante(ADESSO))
        .await
        .unwrap();
    let mut raw = banco.raw().await;
    refuse(banco, &mut raw, 2, "2021-07-10T08:00:00Z").await;
    // A purge is open, of requests and of one day of traces.
    let (regola, ora) = (Regola::Richieste, istante(ADESSO));
    banco
        .store
        .begin_pulizia(regola, istante(LIMITE), ora)
        .await
        .unwrap()
        .unwrap();
    let zero = banco.says("0", "'epoch'");
    let presto = banco.says(
        "(SELECT vero - 86400000 FROM orologio)",
        "now() - interval '1 day'",
    );
    for (sql, causa) in [
        (
            "DELETE FROM payload".to_owned(),
            "una richiesta si scarta soltanto",
        ),
        (
            "DELETE FROM documenti".to_owned(),
            "un documento si scarta soltanto",
        ),
        (
            "UPDATE payload SET codec = 'X'".to_owned(),
            "una richiesta non si modifica",
        ),
        ("DELETE FROM tracce".to_owned(), "una traccia si scarta soltanto"),
        (
            "DELETE FROM variazioni".to_owned(),
            "una variazione si scarta soltanto",
        ),
        // Alive, and held.
        (
            format!(
                "INSERT INTO scarti (registrazione, scartata_il, motivo) SELECT registrazione, {zero}, 'x' FROM domande WHERE numero = 1"
            ),
            "il procedimento non e finito da abbastanza, o la domanda e vincolata",
        ),
        (
            format!(
                "INSERT INTO scarti (registrazione, scartata_il, motivo) SELECT registrazione, {zero}, 'x' FROM domande WHERE numero = 2"
            ),
            "il procedimento non e finito da abbastanza, o la domanda e vincolata",
        ),
        (
            format!(
                "INSERT INTO pulizie (regola, da, fino_a, iniziata_il) VALUES ('TRACCE', {zero}, {presto}, {zero})"
            ),
            "prima del termine minimo nulla si scarta",
        ),
        (
            format!(
                "INSERT INTO pulizie (regola, da, fino_a, iniziata_il) VALUES ('PORTA', {zero}, {presto}, {zero})"
            ),
            "prima del termine minimo nulla si scarta",
        ),
        ("DELETE FROM pulizie".to_owned(), "una pulizia resta scritta"),
        (
            "UPDATE pulizie SET righe = righe, regola = 'TRACCE'".to_owned(),
            "una pulizia avanza e basta",
        ),
        ("DELETE FROM vincoli".to_owned(), "un vincolo resta scritto"),
        (
            "UPDATE vincoli SET motivo = 'altro'".to_owned(),
            "un vincolo si toglie soltanto",
        ),
    ] {
        let errore = raw.refused(&sql).await;
        assert!(errore.contains(causa), "{sql}: {errore}");
    }
    assert_eq!(has_requests(&banco.store, &["a", "b"]).await, [true, true]);
}

pub(crate) async fn a_purge_that_was_left_goes_on_where_it_was(banco: &Banco) {
    let atti: Vec<_> = (1..=5).map(|n| atto(&format!("k{n}"), 1, &[n])).collect();
    banco.register(&atti, LUGLIO).await;
    let mut raw = banco.raw().await;
    for numero in 1..=5 {
        refuse(banco, &mut raw, numero, "2021-07-10T08:00:00Z").await;
    }
    let (limite, ora) = (istante(LIMITE), istante(ADESSO));
    let aperta = banco
        .store
        .begin_pulizia(Regola::Richieste, limite, ora)
        .await
        .unwrap()
        .unwrap();
    let passo = banco
        .store
        .step_pulizia(Regola::Richieste, 2, ora, ora)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((passo.righe, passo.finita), (2, false));
    // Another gateway, another day, another term: the one that was begun is finished first.
    let altro = banco.another().await;
    let domani = istante("2026-08-02T08:00:00Z");
    let ripresa = altro
        .begin_pulizia(Regola::Richieste, istante("2021-08-01T22:00:00Z"), domani)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (ripresa.da, ripresa.fino_a, ripresa.iniziata_il),
        (aperta.da, aperta.fino_a, ora)
    );
    assert_eq!(ripresa.righe, 2);
    let passo = altro
        .step_pulizia(Regola::Richieste, 2, domani, domani)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((passo.righe, passo.finita), (2, false));
    let passo = altro
        .step_pulizia(Regola::Richieste, 2, domani, domani)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((passo.righe, passo.finita), (1, true));
    assert_eq!(
        altro
            .step_pulizia(Regola::Richieste, 2, domani, domani)
            .await
            .unwrap(),
        None
    );
    assert_eq!(altro.pulizie(10).await.unwrap()[0].righe, 5);
    assert_eq!(anomalie(banco).await, Vec::<String>::new());
}

/// Traces with bytes, one at each of these instants, about a domanda.
async fn traces(store: &SharedStore, quando: &[&str], numero: Option<u64>) {
    let tracce: Vec<_> = quando
        .iter()
        .map(|istante_| {
            let mut traccia = traccia(istante_);
            traccia.ricevuto_il = istante(istante_);
            traccia.richiesta = Some(b"richiesta".to_vec().into());
            traccia.risposta = Some(b"risposta".to_vec().into());
            traccia.numero_domanda = numero;
            traccia
        })
        .collect();
    store.write_tracce(&tracce).await.unwrap();
}

/// When the traces that are there came, and whether they have their bytes.
async fn there(store: &SharedStore) -> Vec<(Timestamp, bool)> {
    let mut tracce: Vec<_> = store
        .tracce(&Ricerca::default())
        .await
        .unwrap()
        .righe
        .into_iter()
        .map(|traccia| (traccia.ricevuto_il, traccia.richiesta.is_some()))
        .collect();
    tracce.sort();
    tracce
}

pub(crate) async fn traces_go_by_whole_days_the_oldest_first(banco: &Banco) {
    let store = &banco.store;
    // The first day of Rome ends at 22:00 of UTC.
    let quando = [
        "2021-07-01T08:00:00Z",
        "2021-07-01T21:59:59.999Z",
        "2021-07-01T22:00:00Z",
        "2021-07-02T08:00:00Z",
        "2021-07-05T08:00:00Z",
        "2021-07-06T08:00:00Z",
    ];
    traces(store, &quando, None).await;
    let prime = store
        .begin_pulizia(Regola::Tracce, istante("2021-07-05T08:00:00Z"), istante(ADESSO))
        .await;
    let prima = prime.unwrap().unwrap();
    assert_eq!(
        (prima.da, prima.fino_a),
        (istante("2021-06-30T22:00:00Z"), istante("2021-07-01T22:00:00Z"))
    );
    // Half a step into the fifth: a limit is the beginning of its day.
    let andate = purge(store, Regola::Tracce, "2021-07-05T08:00:00Z").await;
    assert_eq!(andate.righe, 4);
    assert_eq!(
        there(store).await,
        [(istante(quando[4]), true), (istante(quando[5]), true)]
    );
    // Then the bytes of one more day: its rows stay.
    let vuotate = purge(store, Regola::TracceByte, "2021-07-06T08:00:00Z").await;
    assert_eq!(vuotate.righe, 1);
    assert!(vuotate.byte > 0);
    assert_eq!(
        there(store).await,
        [(istante(quando[4]), false), (istante(quando[5]), true)]
    );
    assert_eq!(
        purge(store, Regola::TracceByte, "2021-07-06T08:00:00Z").await,
        Scaduti::default()
    );
    let fatte: Vec<_> = store
        .pulizie(10)
        .await
        .unwrap()
        .into_iter()
        .map(|pulizia| {
            (
                pulizia.regola.as_str(),
                pulizia.righe,
                pulizia.conclusa_il.is_some(),
            )
        })
        .collect();
    assert_eq!(
        fatte,
        [("TRACCE_BYTE", 1, true), ("TRACCE", 2, true), ("TRACCE", 2, true)]
    );

    let rifiuto = |quando: &str| RifiutoAllaPorta {
        istante: istante(quando),
        indirizzo: None,
        soggetto: None,
        seriale: None,
        sni: None,
        codice: "TLS-001".to_owned(),
        causa: "certificato revocato".to_owned(),
        rimedio: "chiedere un certificato nuovo".to_owned(),
    };
    store.write_porta(&quando.map(rifiuto)).await.unwrap();
    assert_eq!(
        store
            .scaduti(Regola::Porta, istante("2021-07-04T22:00:00Z"))
            .await
            .unwrap()
            .righe,
        4
    );
    assert_eq!(purge(store, Regola::Porta, "2021-07-05T08:00:00Z").await.righe, 4);
    assert_eq!(store.porta(None, 10).await.unwrap().len(), 2);
}

pub(crate) async fn a_day_on_which_a_held_domanda_left_a_trace_is_kept_whole(banco: &Banco) {
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let store = &banco.store;
    traces(store, &["2021-07-03T08:00:00Z", "2021-07-04T08:00:00Z"], None).await;
    traces(store, &["2021-07-03T09:00:00Z"], Some(1)).await;
    let registro = keeper(banco).await;
    registro
        .vincola(NumeroDomanda(1), &PERCHE, istante(ADESSO))
        .await
        .unwrap();
    // The day of the registration has a trace of it, too.
    assert_eq!(purge(store, Regola::Tracce, LIMITE).await.righe, 1);
    let giorni: Vec<_> = there(store)
        .await
        .into_iter()
        .map(|(quando, _)| quando.to_string())
        .collect();
    assert_eq!(
        giorni,
        [
            "2021-07-01T07:59:59Z",
            "2021-07-03T08:00:00Z",
            "2021-07-03T09:00:00Z"
        ]
    );
    registro
        .libera(NumeroDomanda(1), &PERCHE, istante(ADESSO))
        .await
        .unwrap();
    traces(store, &["2026-07-31T08:00:00Z"], None).await;
    assert_eq!(purge(store, Regola::Tracce, LIMITE).await.righe, 3);
    assert_eq!(there(store).await.len(), 1);
}

pub(crate) async fn a_hold_that_is_placed_while_a_day_goes_ends_its_purge(banco: &Banco) {
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let (store, adesso) = (&banco.store, istante(ADESSO));
    let ore: Vec<String> = (1..=6).map(|n| format!("2021-06-01T08:00:0{n}Z")).collect();
    for (n, ora) in (1..).zip(&ore) {
        traces(store, &[ora], (n == 5).then_some(1)).await;
    }
    traces(store, &["2021-06-02T08:00:00Z", ADESSO], None).await;
    let registro = keeper(banco).await;
    for (regola, rimaste, vuotate) in [(Regola::TracceByte, 6, 2), (Regola::Tracce, 4, 0)] {
        let step = async || {
            store
                .step_pulizia(regola, 2, adesso, adesso)
                .await
                .unwrap()
                .unwrap()
        };
        let aperta = store
            .begin_pulizia(regola, istante(LIMITE), adesso)
            .await
            .unwrap();
        let da = aperta.unwrap().da;
        assert_eq!(step().await.righe, 2);
        registro.vincola(NumeroDomanda(1), &PERCHE, adesso).await.unwrap();
        let passo = step().await;
        assert_eq!((passo.righe, passo.finita), (0, true));
        let fatta = store.pulizie(1).await.unwrap()[0];
        assert_eq!(
            (fatta.regola, fatta.da, fatta.righe, fatta.fermata_da),
            (regola, da, 2, Some(NumeroDomanda(1)))
        );
        assert!(fatta.conclusa_il.is_some());
        let del_giorno: Vec<_> = there(store)
            .await
            .into_iter()
            .filter(|(quando, _)| *quando < istante("2021-06-01T22:00:00Z"))
            .collect();
        assert_eq!(del_giorno.len(), rimaste, "{regola:?}");
        let senza_byte = del_giorno.iter().filter(|(_, byte)| !byte).count();
        assert_eq!(senza_byte, vuotate, "{regola:?}");
        // The next day is not held, and goes.
        let prossima = store
            .begin_pulizia(regola, istante(LIMITE), adesso)
            .await
            .unwrap();
        assert_eq!(prossima.unwrap().da, istante("2021-06-01T22:00:00Z"));
        assert!(step().await.finita);
        registro.libera(NumeroDomanda(1), &PERCHE, adesso).await.unwrap();
    }
}

pub(crate) async fn bytes_of_a_day_that_was_held_go_once_it_is_released(banco: &Banco) {
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let (store, adesso) = (&banco.store, istante(ADESSO));
    traces(store, &["2021-06-01T08:00:00Z"], Some(1)).await;
    traces(store, &["2021-06-01T09:00:00Z", "2021-06-02T08:00:00Z"], None).await;
    let registro = keeper(banco).await;
    registro.vincola(NumeroDomanda(1), &PERCHE, adesso).await.unwrap();
    assert_eq!(
        purge(store, Regola::TracceByte, "2021-06-20T08:00:00Z")
            .await
            .righe,
        1
    );
    registro.libera(NumeroDomanda(1), &PERCHE, adesso).await.unwrap();
    assert_eq!(
        purge(store, Regola::TracceByte, "2021-06-20T08:00:00Z")
            .await
            .righe,
        2
    );
    let di_giugno = |(quando, _): &&(Timestamp, bool)| *quando < istante("2021-06-20T08:00:00Z");
    let rimaste = there(store).await;
    let di_giugno: Vec<_> = rimaste.iter().filter(di_giugno).collect();
    assert_eq!(di_giugno.len(), 3);
    assert!(di_giugno.iter().all(|(_, byte)| !byte));
    assert_eq!(
        purge(store, Regola::TracceByte, "2021-06-20T08:00:00Z").await,
        Scaduti::default()
    );
}

pub(crate) async fn the_bytes_of_a_trace_go_by_an_open_purge_alone(banco: &Banco) {
    let store = &banco.store;
    traces(store, &["2021-06-01T08:00:00Z", "2021-06-02T08:00:00Z"], None).await;
    let mut raw = banco.raw_as("varco_gateway").await;
    let (vuota, altra, di_due) = (
        "UPDATE tracce SET richiesta = NULL, risposta = NULL",
        banco.says(
            "UPDATE tracce SET richiesta = x'00'",
            "UPDATE tracce SET richiesta = '\\x00'",
        ),
        banco.says(
            "UPDATE tracce SET richiesta = NULL, risposta = NULL WHERE ricevuto_il > 1622584800000",
            "UPDATE tracce SET richiesta = NULL, risposta = NULL WHERE ricevuto_il > '2021-06-01T22:00:00Z'",
        ),
    );
    let causa = "i byte di una traccia si scartano soltanto";
    for sql in [vuota, altra, "UPDATE tracce SET richiesta_codec = 'X'"] {
        let errore = raw.refused(sql).await;
        assert!(errore.contains(causa), "{sql}: {errore}");
    }
    // Of one day, with its purge open; and of no other.
    store
        .begin_pulizia(Regola::TracceByte, istante(LIMITE), istante(ADESSO))
        .await
        .unwrap()
        .unwrap();
    for sql in [altra, di_due] {
        let errore = raw.refused(sql).await;
        assert!(errore.contains(causa), "{sql}: {errore}");
    }
    purge(store, Regola::TracceByte, LIMITE).await;
    assert!(there(store).await.iter().all(|(_, byte)| !byte));
}

/// An id is a place in the chain: given away again, what it is of would never be sealed.
#[tokio::test]
async fn the_last_row_of_a_file_stays_so_that_no_id_is_used_again() {
    let banco = Banco::sqlite().await.unwrap();
    let store = &banco.store;
    traces(store, &["2021-06-01T08:00:00Z", "2021-06-02T08:00:00Z"], None).await;
    assert_eq!(purge(store, Regola::Tracce, LIMITE).await.righe, 1);
    assert_eq!(there(store).await.len(), 1);
    let errore = banco.raw().await.refused("DELETE FROM tracce").await;
    assert!(
        errore.contains("l'ultima traccia scritta resta") || errore.contains("a termine"),
        "{errore}"
    );
    traces(store, &["2026-06-02T08:00:00Z"], None).await;
    let mut raw = banco.raw().await;
    assert_eq!(raw.number("SELECT max(id) AS n FROM tracce").await, 3);
    assert_eq!(purge(store, Regola::Tracce, LIMITE).await.righe, 1);
}

pub(crate) async fn the_feed_is_cut_at_its_beginning_and_who_stands_before_the_cut_is_known(banco: &Banco) {
    use varco::domanda::elenco::Inizio;
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    banco.one(atto("b", 1, &[2]), "2021-07-02T08:00:00Z").await;
    banco.one(atto("c", 1, &[3]), "2021-08-02T08:00:00Z").await;
    let (store, ente): (_, CodiceEnte) = (&banco.store, "PAT01".parse().unwrap());
    let cursori = async || -> Vec<u64> {
        let pagina = store
            .variazioni(&ente, "AssegnoTemporaneo", Inizio::Dopo(0), 100)
            .await
            .unwrap();
        pagina.righe.iter().map(|riga| riga.cursore).collect()
    };
    let prima = cursori().await;
    assert_eq!(prima.len(), 3);
    assert_eq!(
        store
            .variazioni_scartate(&ente, "AssegnoTemporaneo")
            .await
            .unwrap(),
        None
    );
    assert_eq!(purge(store, Regola::Variazioni, LIMITE).await.righe, 2);
    assert_eq!(cursori().await, prima[2..]);
    assert_eq!(
        store
            .variazioni_scartate(&ente, "AssegnoTemporaneo")
            .await
            .unwrap(),
        Some(prima[1])
    );
    assert_eq!(
        store
            .variazioni_scartate(&ente, "AssegnoUnicoUniversale")
            .await
            .unwrap(),
        None
    );
    // All of it gone: what comes next goes on behind it, and the register is in order.
    assert_eq!(
        purge(store, Regola::Variazioni, "2021-09-01T08:00:00Z")
            .await
            .righe,
        1
    );
    assert_eq!(anomalie(banco).await, Vec::<String>::new());
    banco.one(atto("d", 1, &[4]), "2021-09-02T08:00:00Z").await;
    assert!(cursori().await[0] > prima[2]);
}

pub(crate) async fn a_sample_an_hour_is_kept_and_the_old_ones_are_forgotten(banco: &Banco) {
    let campione = |ora: &str, occupati| Campione {
        ora: istante(ora),
        occupati,
        liberi: (occupati > 2).then_some(10 * occupati),
    };
    let dal = istante("2021-07-01T01:00:00Z");
    for uno in [
        campione("2021-07-01T00:00:00Z", 1),
        campione("2021-07-01T01:00:00Z", 2),
        campione("2021-07-01T02:00:00Z", 3),
        campione("2021-07-01T02:00:00Z", 4),
    ] {
        banco.store.keep_campione(&uno, dal).await.unwrap();
    }
    assert_eq!(
        banco.store.campioni().await.unwrap(),
        [
            campione("2021-07-01T01:00:00Z", 2),
            campione("2021-07-01T02:00:00Z", 3)
        ]
    );
}

pub(crate) async fn what_takes_how_much_is_told_by_kind(banco: &Banco) {
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let ingombri = banco.store.ingombri().await.unwrap();
    for genere in [
        "richieste",
        "documenti",
        "ricevute",
        "tracce",
        "porta",
        "variazioni",
        "registro",
        "domande",
        "lotti",
        "indici",
    ] {
        assert!(
            ingombri.iter().any(|ingombro| ingombro.genere == genere),
            "{genere}: {ingombri:?}"
        );
    }
    let somma: u64 = ingombri.iter().map(|ingombro| ingombro.byte).sum();
    let occupati = banco.store.byte_occupati().await.unwrap();
    assert!(somma > 0 && somma <= occupati, "{somma} of {occupati}");
    assert!(ingombri.is_sorted_by(|una, altra| una.byte >= altra.byte));
}

#[tokio::test]
async fn the_gateway_s_role_deletes_by_steps_alone_and_holds_nothing() {
    let Some(banco) = Banco::postgres().await else {
        return;
    };
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let errore = banco
        .store
        .vincola(NumeroDomanda(1), &PERCHE, istante(ADESSO))
        .await
        .unwrap_err();
    assert!(matches!(errore, StoreError::Refused(_)), "{errore}");
    let mut raw = banco.raw_as("varco_gateway").await;
    for sql in [
        "DELETE FROM payload",
        "DELETE FROM documenti",
        "DELETE FROM porta",
        "DELETE FROM variazioni",
        "DELETE FROM egov",
        "INSERT INTO scarti (registrazione, scartata_il, motivo) VALUES (1, now(), 'x')",
        "UPDATE pulizie SET fino_a = now()",
        "INSERT INTO variazioni_scartate (ente, servizio, cursore, istante) VALUES ('PAT01', 'x', 1, now())",
        "INSERT INTO vincoli (numero_domanda, posto_il, operatore, motivo) VALUES (1, now(), 'x', 'x')",
        "UPDATE vincoli SET tolto_il = now()",
    ] {
        let errore = raw.refused(sql).await;
        assert!(errore.contains("permission denied"), "{sql}: {errore}");
    }
    assert_eq!(
        raw.rows("SELECT count(*) AS n FROM varco_pulisci('TRACCE', 10, now(), now())")
            .await,
        [json!({"n": 0})]
    );
}
