//! The story of a store: what is promised of numbers, keys, sheets and receipts, whatever keeps them. Each function is
//! told on the bench that it is handed; [`stories`] is the table of contents.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;
use varco::catalogo::Codice;
use varco::clock::{Clock, HandClock};
use varco::domanda::consultazione::{DomandaConsultata, Riferimento};
use varco::domanda::stato::StatoDomanda;
use varco::domanda::{Ambiente, Dettagli, Mese, PagamentoAltroGenitore};
use varco::patronato::CodiceEnte;
use varco::prestazione::assegno_temporaneo::PRESTAZIONE;
use varco::protocollo::NumeroDomanda;
use varco::ricevuta::Digest;
use varco::store::writer::{Handle, Writer, WriterConfig};
use varco::store::{Atto, OpenOptions, Registrazione, Ricerca, StoreError};
use varco::trace::RifiutoAllaPorta;
use varco::trace::writer::{Tracciati, TraceConfig};

use crate::atti::{
    LUGLIO, atto, chiave, fascicolo, istante, minore, options, protocollo, registrata, rinuncia, ripetuta,
    traccia,
};
use crate::banco::Banco;
pub(crate) use crate::modifiche::{
    a_registration_is_found_by_its_own_name, a_sheet_that_is_added_takes_its_child,
    an_act_that_adds_a_sheet_too_late_takes_no_child, what_an_act_changes_is_read_by_who_comes_after,
    what_is_kept_of_a_domanda_is_what_was_sent,
};

pub(crate) use crate::una_domanda::{
    a_domanda_with_no_live_sheet_stands_in_nobodys_way,
    a_parent_with_a_live_domanda_has_no_second_one_whoever_presents_it,
    of_a_parents_domande_in_one_batch_the_first_is_taken,
    of_two_hundred_at_once_by_different_enti_one_is_taken,
    the_tutor_of_two_parents_asks_for_each_and_neither_asks_twice,
};

/// Makes a test of each story, on a bench of this kind. A story that is missing here is an unused function.
macro_rules! stories {
    ($banco:path) => {
        $crate::tell! { story, $banco:
            numbers_begin_at_one_and_have_no_gap,
            a_repeated_message_gets_the_same_receipt_byte_for_byte,
            the_same_key_with_other_content_names_the_original,
            two_hundred_copies_at_once_get_one_number,
            each_act_of_a_batch_has_its_own_outcome,
            a_sheet_that_is_no_longer_live_leaves_its_child_free,
            who_asks_for_itself_takes_the_place_of_the_sheet_that_another_asked_for,
            a_parent_with_a_live_domanda_has_no_second_one_whoever_presents_it,
            the_tutor_of_two_parents_asks_for_each_and_neither_asks_twice,
            a_domanda_with_no_live_sheet_stands_in_nobodys_way,
            of_a_parents_domande_in_one_batch_the_first_is_taken,
            of_two_hundred_at_once_by_different_enti_one_is_taken,
            what_only_one_prestazione_knows_is_read_by_the_engine,
            an_act_has_a_number_of_its_own_and_the_domanda_keeps_its_own,
            an_act_on_a_domanda_that_changed_since_is_too_late,
            a_child_that_is_given_up_is_free_in_the_same_batch,
            what_is_kept_of_a_domanda_is_what_was_sent,
            what_an_act_changes_is_read_by_who_comes_after,
            a_sheet_that_is_added_takes_its_child,
            an_act_that_adds_a_sheet_too_late_takes_no_child,
            a_registration_is_found_by_its_own_name,
            a_sheet_moves_only_as_the_table_of_moves_allows,
            the_year_turns_at_midnight_in_rome,
            a_clock_that_goes_back_and_a_closed_day_hold_the_instant,
            the_business_clock_runs_on_from_where_it_was_set,
            a_registration_cannot_be_changed_deleted_or_replaced,
            an_annulment_stands_beside_the_registration,
            a_tampered_register_is_found_and_not_written_to,
            a_commit_that_fails_leaves_nothing_and_the_next_one_goes_on,
            a_reader_that_stays_holds_nobody_up,
            one_act_that_the_store_cannot_hold_does_not_take_the_others_with_it,
            work_that_is_dropped_midway_is_there_whole_or_not_at_all,
            a_caller_that_hangs_up_cancels_nothing,
            a_full_queue_is_told_at_once_and_closing_works_off_what_waits,
            one_ente_fills_its_share_of_the_queue_and_leaves_the_others_theirs,
            a_domanda_is_found_by_each_of_its_names_and_only_by_its_ente,
            another_process_reads_the_views_field_by_field,
            a_registered_message_has_its_trace_with_the_bytes_of_the_registration,
            traces_are_found_by_any_of_their_names_newest_first,
            a_trace_is_closed_whatever_happens_and_written_once,
            what_was_registered_speaks_last_of_a_message_whose_sender_hung_up,
            the_door_log_is_kept_newest_first,
        }
    };
}
pub(crate) use stories;

// ── Numbers and keys ──

pub(crate) async fn numbers_begin_at_one_and_have_no_gap(banco: &Banco) {
    assert_eq!(
        protocollo(&banco.one(atto("a", 1, &[1]), LUGLIO).await),
        "INPS-AUF-2021-000000000001"
    );
    let atti: Vec<_> = (2..=100)
        .map(|n| atto(&format!("k{n}"), 1, &[n * 10, n * 10 + 1]))
        .collect();
    let numeri: Vec<_> = banco
        .register(&atti, LUGLIO)
        .await
        .iter()
        .map(protocollo)
        .collect();
    let attesi: Vec<_> = (2..=100).map(|n| format!("INPS-AUF-2021-{n:012}")).collect();
    assert_eq!(numeri, attesi);
    banco.all_is_well(100).await;

    let righe = banco.store.registro(None, 3).await.unwrap();
    assert_eq!(
        righe
            .iter()
            .map(|riga| riga.chiave_invio.as_str())
            .collect::<Vec<_>>(),
        ["a", "k2", "k3"]
    );
    let dopo = banco
        .store
        .registro(Some(&righe[2].protocollo), 1000)
        .await
        .unwrap();
    assert_eq!((dopo.len(), dopo[0].chiave_invio.as_str()), (97, "k4"));
}

pub(crate) async fn a_repeated_message_gets_the_same_receipt_byte_for_byte(banco: &Banco) {
    let prima = banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let prima = registrata(&prima);
    assert_eq!(
        prima.ricevuta,
        "INPS-AUF-2021-000000000001 n. 1 per a presentata 2021-07-01T07:59:59.123Z \
         registrata 2021-07-01T08:00:00Z [Assegno Temporaneo - domanda n. 1] collaudo"
    );
    let seconda = banco.one(atto("a", 1, &[1]), "2021-08-01T08:00:00Z").await;
    assert_eq!(ripetuta(&seconda), prima);
    assert_eq!(
        banco.store.registrata(&chiave("a")).await.unwrap().as_ref(),
        Some(prima)
    );
    assert_eq!(banco.store.registrata(&chiave("b")).await.unwrap(), None);
    // Keys are compared byte by byte, and are each ente's own.
    assert_eq!(
        protocollo(&banco.one(atto("A", 1, &[2]), LUGLIO).await),
        "INPS-AUF-2021-000000000002"
    );
    let mut altrui = atto("a", 1, &[3]);
    altrui.chiave.ente = "PAT02".parse().unwrap();
    altrui.traccia.message_id = Uuid::from_u128(77);
    assert_eq!(
        protocollo(&banco.one(altrui, LUGLIO).await),
        "INPS-AUF-2021-000000000003"
    );
    banco.all_is_well(3).await;
}

pub(crate) async fn the_same_key_with_other_content_names_the_original(banco: &Banco) {
    let prima = banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let Registrazione::Conflitto(originale) = banco.one(atto("a", 2, &[2]), LUGLIO).await else {
        panic!("no conflict");
    };
    assert_eq!(&originale, registrata(&prima));
    // It left nothing: child 2 is free, number 2 is the next.
    assert_eq!(
        protocollo(&banco.one(atto("b", 2, &[2]), LUGLIO).await),
        "INPS-AUF-2021-000000000002"
    );
    banco.all_is_well(2).await;
}

pub(crate) async fn two_hundred_copies_at_once_get_one_number(banco: &Banco) {
    let clock: Arc<dyn Clock> = Arc::new(HandClock::at(istante(LUGLIO)));
    let writer = Writer::spawn(banco.store.clone(), clock, WriterConfig::default());
    let copie = (0..200).map(|_| {
        let writer = writer.clone();
        tokio::spawn(async move { writer.register(atto("a", 1, &[1, 2])).await.unwrap() })
    });
    let (mut nuove, mut ricevute) = (0, BTreeSet::new());
    for copia in copie.collect::<Vec<_>>() {
        match copia.await.unwrap() {
            Registrazione::Registrata(registrata) => {
                nuove += 1;
                ricevute.insert(registrata.ricevuta);
            }
            Registrazione::Ripetuta(registrata) => {
                ricevute.insert(registrata.ricevuta);
            }
            altro => panic!("{altro:?}"),
        }
    }
    assert_eq!((nuove, ricevute.len()), (1, 1));
    writer.close().await;
    banco.all_is_well(1).await;
}

pub(crate) async fn each_act_of_a_batch_has_its_own_outcome(banco: &Banco) {
    banco.one(atto("prima", 1, &[1]), LUGLIO).await;
    let esiti = banco
        .register(
            &[
                atto("nuova", 2, &[10, 11]),   // 0: good
                atto("nuova", 2, &[10, 11]),   // 1: a copy of 0
                atto("nuova", 3, &[12]),       // 2: its key, other content
                atto("gemella", 4, &[12, 11]), // 3: child 11 is in 0
                atto("prima", 1, &[1]),        // 4: a copy of what was there before
                atto("viva", 5, &[1]),         // 5: child 1 was there before
                atto("gemella", 6, &[12]),     // 6: the key of 3 is free, child 12 too
                atto("doppia", 7, &[20, 20]),  // 7: the same child twice
                atto("ultima", 8, &[20]),      // 8: good: 7 left nothing
            ],
            LUGLIO,
        )
        .await;
    assert_eq!(protocollo(&esiti[0]), "INPS-AUF-2021-000000000002");
    assert_eq!(ripetuta(&esiti[1]), registrata(&esiti[0]));
    assert_eq!(esiti[2], Registrazione::Conflitto(registrata(&esiti[0]).clone()));
    let viva = |posto, n| {
        let viva = varco::domanda::SchedaViva {
            codice_fiscale: minore(n),
            stato: "PRESENTATA".to_owned(),
            subentrata: false,
        };
        Registrazione::SchedaViva(vec![(posto, viva)])
    };
    assert_eq!(esiti[3], viva(2, 11));
    assert_eq!(ripetuta(&esiti[4]).protocollo.numero(), 1);
    assert_eq!(esiti[5], viva(1, 1));
    assert_eq!(protocollo(&esiti[6]), "INPS-AUF-2021-000000000003");
    assert_eq!(esiti[7], viva(2, 20));
    assert_eq!(protocollo(&esiti[8]), "INPS-AUF-2021-000000000004");
    banco.all_is_well(4).await;
}

pub(crate) async fn a_sheet_that_is_no_longer_live_leaves_its_child_free(banco: &Banco) {
    banco.one(atto("a", 1, &[1, 2]), LUGLIO).await;
    let vive = banco
        .store
        .schede_vive(PRESTAZIONE.servizio, &[minore(1), minore(3)])
        .await
        .unwrap();
    assert_eq!(
        vive.iter().map(|viva| &viva.codice_fiscale).collect::<Vec<_>>(),
        [&minore(1)]
    );

    let mut motore = banco.raw().await;
    motore
        .execute(
            "UPDATE schede SET stato = 'IN_ISTRUTTORIA' WHERE numero_domanda = 1 AND posto = 1;
             UPDATE schede SET stato = 'RESPINTA' WHERE numero_domanda = 1 AND posto = 1",
        )
        .await
        .unwrap();
    assert_eq!(
        protocollo(&banco.one(atto("b", 2, &[1]), LUGLIO).await),
        "INPS-AUF-2021-000000000002"
    );
    // The database itself holds it, whoever writes.
    let errore = motore
        .refused("UPDATE schede SET stato = 'IN_ISTRUTTORIA' WHERE numero_domanda = 1 AND posto = 1")
        .await;
    let chiave_doppia = banco.says(
        "UNIQUE constraint failed: schede.servizio, schede.codice_fiscale",
        "duplicate key value violates unique constraint \"schede_vive_pkey\"",
    );
    assert!(errore.contains(chiave_doppia), "{errore}");
    let Registrazione::SchedaViva(vive) = banco.one(atto("c", 3, &[9, 2]), LUGLIO).await else {
        panic!("child 2 is live");
    };
    assert_eq!((vive.len(), vive[0].0), (1, 2));
}

/// The same act with its sheets asked for by the child itself.
pub(crate) fn per_se(mut atto: Atto) -> Atto {
    for scheda in &mut fascicolo(&mut atto).schede {
        scheda.subentra = true;
    }
    atto
}

pub(crate) async fn who_asks_for_itself_takes_the_place_of_the_sheet_that_another_asked_for(banco: &Banco) {
    let genitore = atto("genitore", 1, &[1, 2]);
    let figlio = per_se(atto("figlio", 2, &[1]));
    // The parent's first, then all of one batch: the second child replaces a sheet that is not written yet.
    banco.one(genitore, LUGLIO).await;
    let esiti = banco
        .register(
            &[
                figlio,
                atto("altro", 3, &[3]),
                per_se(atto("terzo", 4, &[3])),
                // Nothing takes the place of what a child asked for itself: neither itself again nor a parent.
                per_se(atto("ancora", 5, &[1])),
                atto("tardi", 6, &[3]),
            ],
            LUGLIO,
        )
        .await;
    for (esito, atteso) in esiti.iter().zip(2..=4) {
        assert_eq!(registrata(esito).protocollo.numero(), atteso);
    }
    for (esito, n) in esiti[3..].iter().zip([1, 3]) {
        let viva = varco::domanda::SchedaViva {
            codice_fiscale: minore(n),
            stato: "PRESENTATA".to_owned(),
            subentrata: true,
        };
        assert_eq!(*esito, Registrazione::SchedaViva(vec![(1, viva)]));
    }
    let mut motore = banco.raw().await;
    let schede = motore
        .rows(
            "SELECT numero_domanda, stato, CASE WHEN subentra THEN 1 ELSE 0 END AS subentra
             FROM motore_schede_v1 ORDER BY numero_domanda, posto",
        )
        .await;
    let attese = [
        (1, "SOSTITUITA", 0),
        (1, "PRESENTATA", 0),
        (2, "PRESENTATA", 1),
        (3, "SOSTITUITA", 0),
        (4, "PRESENTATA", 1),
    ];
    let attese = attese.map(
        |(numero, stato, subentra)| json!({ "numero_domanda": numero, "stato": stato, "subentra": subentra }),
    );
    assert_eq!(schede, attese);
    // The feed tells it to the patronato whose sheet it was, with the registration that is the cause.
    let variazioni = motore
        .rows(
            "SELECT v.numero_domanda, v.posto, v.stato, r.numero_domanda AS causa
             FROM variazioni v JOIN registrazioni r ON r.id = v.registrazione
             WHERE v.tipo = 'STATO' ORDER BY v.cursore",
        )
        .await;
    let attese = [(1, 2), (3, 4)].map(|(numero, causa)| {
        json!({ "numero_domanda": numero, "posto": 1, "stato": "SOSTITUITA", "causa": causa })
    });
    assert_eq!(variazioni, attese);
    banco.all_is_well(4).await;
}

pub(crate) async fn what_only_one_prestazione_knows_is_read_by_the_engine(banco: &Banco) {
    let mut con_dettagli = atto("a", 1, &[1, 2]);
    let fascicolo = fascicolo(&mut con_dettagli);
    fascicolo.dettagli = Dettagli::default().with("anno_competenza", 2022);
    fascicolo.schede[0].dettagli = Dettagli::default().with("disabilita", "GRAVE");
    fascicolo.schede[0].pagamento_altro_genitore = Some(PagamentoAltroGenitore {
        modalita: "IBAN",
        iban: Some("IT60X0542811101000000123456".parse().unwrap()),
    });
    banco.one(con_dettagli, LUGLIO).await;
    let mut motore = banco.raw().await;
    let domanda = "SELECT CAST(dettagli ->> 'anno_competenza' AS INTEGER) AS n FROM motore_domande_v1";
    assert_eq!(motore.number(domanda).await, 2022);
    let schede = motore
        .rows(
            "SELECT dettagli ->> 'disabilita' AS disabilita, pagamento_altro_genitore_modalita AS modalita,
                 pagamento_altro_genitore_iban AS iban
             FROM motore_schede_v1 ORDER BY posto",
        )
        .await;
    let attese = [
        json!({
            "disabilita": "GRAVE", "modalita": "IBAN", "iban": "IT60X0542811101000000123456"
        }),
        json!({ "disabilita": null, "modalita": null, "iban": null }),
    ];
    assert_eq!(schede, attese);
}

// ── Acts about a domanda that is there ──

/// What an engine or a patronato sees of a domanda of PAT01.
pub(crate) async fn vista(banco: &Banco, numero: u64) -> DomandaConsultata {
    vista_di(banco, PRESTAZIONE.servizio, numero).await
}

/// The same of a service.
pub(crate) async fn vista_di(banco: &Banco, servizio: &'static str, numero: u64) -> DomandaConsultata {
    let riferimento = Riferimento::NumeroDomanda(NumeroDomanda(numero));
    let ente = "PAT01".parse().unwrap();
    let trovata = banco.store.domanda(&ente, servizio, &riferimento).await;
    trovata.unwrap().unwrap()
}

pub(crate) async fn an_act_has_a_number_of_its_own_and_the_domanda_keeps_its_own(banco: &Banco) {
    banco.one(atto("a", 1, &[1, 2]), LUGLIO).await;
    let chiesta = rinuncia("r", 2, &vista(banco, 1).await, &[2]);
    let esito = banco.one(chiesta.clone(), LUGLIO).await;
    let fatta = registrata(&esito);
    assert_eq!(
        (fatta.protocollo.numero(), fatta.numero_domanda),
        (2, NumeroDomanda(1))
    );
    // The promises of a domanda: the same receipt, a conflict, the next domanda without a gap.
    assert_eq!(ripetuta(&banco.one(chiesta.clone(), LUGLIO).await), fatta);
    let altra = Atto {
        digest: Digest([9; 32]),
        ..chiesta
    };
    assert_eq!(
        banco.one(altra, LUGLIO).await,
        Registrazione::Conflitto(fatta.clone())
    );
    let dopo = banco.one(atto("b", 3, &[3]), LUGLIO).await;
    assert_eq!(registrata(&dopo).numero_domanda, NumeroDomanda(2));

    let dopo = vista(banco, 1).await;
    let stati: Vec<_> = dopo.schede.iter().map(|scheda| scheda.stato.as_str()).collect();
    assert_eq!(stati, ["PRESENTATA", "RINUNCIATA"]);
    let mut motore = banco.raw().await;
    let collegata = "SELECT count(*) AS n FROM registrazioni r JOIN registrazioni p ON p.id = r.collegato_a
                     WHERE r.operazione = 'RinunciaDomanda' AND p.operazione = 'InviaDomanda'
                       AND p.numero_domanda = r.numero_domanda";
    assert_eq!(motore.number(collegata).await, 1);
    let feed = motore
        .rows("SELECT tipo, numero_domanda, posto, stato FROM variazioni ORDER BY cursore")
        .await;
    assert_eq!(
        feed,
        [
            json!({"tipo": "REGISTRATA", "numero_domanda": 1, "posto": null, "stato": "PRESENTATA"}),
            json!({"tipo": "ATTO", "numero_domanda": 1, "posto": null, "stato": null}),
            json!({"tipo": "STATO", "numero_domanda": 1, "posto": 2, "stato": "RINUNCIATA"}),
            json!({"tipo": "REGISTRATA", "numero_domanda": 2, "posto": null, "stato": "PRESENTATA"}),
        ]
    );
    let atti = motore
        .rows(
            "SELECT protocollo, numero_domanda, operazione, mandato_numero, dettagli ->> 'motivo' AS motivo
             FROM motore_atti_v1",
        )
        .await;
    assert_eq!(
        atti,
        [json!({
            "protocollo": "INPS-AUF-2021-000000000002", "numero_domanda": 1, "operazione": "RinunciaDomanda",
            "mandato_numero": "M-2", "motivo": "ERRORE_COMPILAZIONE"
        })]
    );
    banco.all_is_well(3).await;
}

pub(crate) async fn an_act_on_a_domanda_that_changed_since_is_too_late(banco: &Banco) {
    banco.one(atto("a", 1, &[1, 2]), LUGLIO).await;
    banco.one(atto("b", 2, &[3]), LUGLIO).await;
    let prima = vista(banco, 1).await;
    // Of two on one domanda in one batch the first is in time; another domanda is nobody's business.
    let esiti = banco
        .register(
            &[
                rinuncia("r1", 3, &prima, &[1]),
                rinuncia("r2", 4, &prima, &[2]),
                rinuncia("r3", 5, &vista(banco, 2).await, &[1]),
                rinuncia("r1", 3, &prima, &[1]),
            ],
            LUGLIO,
        )
        .await;
    assert_eq!(registrata(&esiti[0]).protocollo.numero(), 3);
    assert_eq!(esiti[1], Registrazione::Superata);
    assert_eq!(registrata(&esiti[2]).protocollo.numero(), 4);
    assert_eq!(ripetuta(&esiti[3]), registrata(&esiti[0]));
    // Read again it is in time; and its key was not burnt.
    let letta = vista(banco, 1).await;
    let mut motore = banco.raw().await;
    motore
        .execute("UPDATE schede SET stato = 'IN_ISTRUTTORIA' WHERE numero_domanda = 1 AND posto = 2")
        .await
        .unwrap();
    let tardi = banco.one(rinuncia("r2", 4, &letta, &[2]), LUGLIO).await;
    assert_eq!(tardi, Registrazione::Superata);
    let letta = vista(banco, 1).await;
    let in_tempo = banco.one(rinuncia("r2", 4, &letta, &[2]), LUGLIO).await;
    assert_eq!(registrata(&in_tempo).protocollo.numero(), 5);
    banco.all_is_well(5).await;
}

pub(crate) async fn a_child_that_is_given_up_is_free_in_the_same_batch(banco: &Banco) {
    banco.one(atto("a", 1, &[1, 2]), LUGLIO).await;
    let prima = vista(banco, 1).await;
    let esiti = banco
        .register(
            &[
                atto("troppo-presto", 2, &[1]),
                rinuncia("r", 3, &prima, &[1]),
                atto("di-nuovo", 4, &[1, 7]),
                atto("troppo-tardi", 5, &[1]),
                atto("altra", 6, &[2]),
            ],
            LUGLIO,
        )
        .await;
    assert!(matches!(esiti[0], Registrazione::SchedaViva(_)), "{:?}", esiti[0]);
    assert_eq!(registrata(&esiti[1]).protocollo.numero(), 2);
    assert_eq!(registrata(&esiti[2]).protocollo.numero(), 3);
    assert!(matches!(esiti[3], Registrazione::SchedaViva(_)), "{:?}", esiti[3]);
    assert!(matches!(esiti[4], Registrazione::SchedaViva(_)), "{:?}", esiti[4]);
    // And what took its place is live in its own right.
    assert!(matches!(
        banco.one(atto("ancora", 7, &[1]), LUGLIO).await,
        Registrazione::SchedaViva(_)
    ));
    banco.all_is_well(3).await;
}

/// The table of the database is that of the rules; whoever writes is held to it.
pub(crate) async fn a_sheet_moves_only_as_the_table_of_moves_allows(banco: &Banco) {
    let mut motore = banco.raw().await;
    let scritte: BTreeSet<[String; 3]> = motore
        .rows("SELECT da, a, chi FROM mosse")
        .await
        .iter()
        .map(|riga| ["da", "a", "chi"].map(|colonna| riga[colonna].as_str().unwrap().to_owned()))
        .collect();
    let attese: BTreeSet<[String; 3]> = StatoDomanda::TUTTI
        .iter()
        .flat_map(|da| da.mosse().iter().map(move |a| (da, a)))
        .filter(|(da, a)| da != a)
        .map(|(da, a)| [da.as_str(), a.as_str(), a.chi().as_str()].map(str::to_owned))
        .collect();
    assert_eq!(scritte, attese);

    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let errore = motore
        .refused("UPDATE schede SET stato = 'ACCOLTA' WHERE numero_domanda = 1")
        .await;
    assert!(
        errore.contains(banco.says(
            "schede: mossa non ammessa (tabella mosse)",
            "schede: da PRESENTATA non si passa a ACCOLTA"
        )),
        "{errore}"
    );
    assert_eq!(vista(banco, 1).await.versione, 1);
    motore
        .execute("UPDATE schede SET stato = 'IN_ISTRUTTORIA' WHERE numero_domanda = 1")
        .await
        .unwrap();
    motore
        .execute("UPDATE domande SET mandato_numero = 'M-9', versione = 77 WHERE numero = 1")
        .await
        .unwrap();
    assert_eq!(vista(banco, 1).await.versione, 3);
}

// ── Time ──

pub(crate) async fn the_year_turns_at_midnight_in_rome(banco: &Banco) {
    banco.one(atto("a", 1, &[1]), "2021-12-31T10:00:00Z").await;
    let prima = banco.one(atto("b", 1, &[2]), "2021-12-31T22:59:59.999Z").await;
    let dopo = banco.one(atto("c", 1, &[3]), "2021-12-31T23:00:00Z").await;
    assert_eq!(protocollo(&prima), "INPS-AUF-2021-000000000002");
    assert_eq!(protocollo(&dopo), "INPS-AUF-2022-000000000001");
    // The domanda's own number goes on.
    assert_eq!(registrata(&dopo).numero_domanda.0, 3);
    // A clock that goes back over the year's turn does not take the register with it.
    let indietro = banco.one(atto("d", 1, &[4]), "2021-12-31T22:00:00Z").await;
    assert_eq!(protocollo(&indietro), "INPS-AUF-2022-000000000002");
    banco.all_is_well(4).await;
}

pub(crate) async fn a_clock_that_goes_back_and_a_closed_day_hold_the_instant(banco: &Banco) {
    banco.one(atto("a", 1, &[1]), "2021-07-02T08:00:00Z").await;
    banco.one(atto("b", 1, &[2]), "2021-07-01T08:00:00Z").await;
    let chiusura = banco.says(
        "UPDATE registro SET chiuso_fino_a = unixepoch('2021-07-03T22:00:00Z') * 1000",
        "UPDATE registro SET chiuso_fino_a = '2021-07-03T22:00:00Z'",
    );
    banco.raw().await.execute(chiusura).await.unwrap();
    banco.one(atto("c", 1, &[3]), "2021-07-03T12:00:00Z").await;
    let istanti: Vec<_> = banco
        .store
        .registro(None, 10)
        .await
        .unwrap()
        .iter()
        .map(|riga| riga.registrata_il.to_string())
        .collect();
    assert_eq!(
        istanti,
        [
            "2021-07-02T08:00:00Z",
            "2021-07-02T08:00:00Z",
            "2021-07-03T22:00:00Z"
        ]
    );
    banco.all_is_well(3).await;
}

pub(crate) async fn the_business_clock_runs_on_from_where_it_was_set(banco: &Banco) {
    let open = async |inizio: Option<&str>, adesso: &str| {
        let options = OpenOptions {
            orologio_inizio: inizio.map(istante),
            adesso: istante(adesso),
            ..options()
        };
        let (store, offset) = banco.open(&options).await.unwrap();
        store.close().await;
        offset
    };
    let giorni = |giorni: i64| SignedDuration::from_hours(24 * giorni);
    assert_eq!(open(None, "2026-01-11T00:00:00Z").await, giorni(0));
    assert_eq!(
        open(Some("2026-01-01T00:00:00Z"), "2026-01-11T00:00:00Z").await,
        giorni(-10)
    );
    // Ten days later the same start is not a new one.
    assert_eq!(
        open(Some("2026-01-01T00:00:00Z"), "2026-01-21T00:00:00Z").await,
        giorni(-10)
    );
    assert_eq!(open(None, "2026-01-21T00:00:00Z").await, giorni(-10));
    assert_eq!(
        open(Some("2026-01-22T00:00:00Z"), "2026-01-21T00:00:00Z").await,
        giorni(1)
    );

    let produzione = OpenOptions {
        orologio_inizio: Some(istante(LUGLIO)),
        create: true,
        ..OpenOptions::new(Ambiente::Produzione, istante(LUGLIO))
    };
    let errore = banco.open(&produzione).await.unwrap_err();
    assert!(errore.to_string().contains("orologio.inizio"), "{errore}");
}

// ── What the database itself refuses ──

pub(crate) async fn a_registration_cannot_be_changed_deleted_or_replaced(banco: &Banco) {
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let mut raw = banco.raw().await;
    let bytes = banco.says(
        "UPDATE ricevute SET bytes = x'00'",
        "UPDATE ricevute SET bytes = '\\x00'",
    );
    for (sql, causa) in [
        (
            "UPDATE registrazioni SET oggetto = 'altro'",
            "una registrazione non si modifica",
        ),
        ("DELETE FROM registrazioni", "una registrazione non si cancella"),
        (bytes, "una ricevuta non si modifica"),
        ("DELETE FROM ricevute", "una ricevuta non si cancella"),
        (
            "UPDATE registro SET ultimo = 0",
            "il contatore non torna indietro",
        ),
        ("DELETE FROM registro", "il contatore non si cancella"),
        (
            "UPDATE contatori SET ultimo = 0",
            "un contatore non torna indietro",
        ),
        (
            "UPDATE motore_domande_v1 SET ente = 'x'",
            banco.says("because it is a view", "cannot update view"),
        ),
    ] {
        let errore = raw.refused(sql).await;
        assert!(errore.contains(causa), "{sql}: {errore}");
    }
    // The request may go when its time is over (`spazio`), and not before.
    let errore = raw.refused("DELETE FROM payload").await;
    assert!(errore.contains("una richiesta si scarta soltanto"), "{errore}");
    ripetuta(&banco.one(atto("a", 1, &[1]), LUGLIO).await);
    banco.all_is_well(1).await;
}

pub(crate) async fn an_annulment_stands_beside_the_registration(banco: &Banco) {
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let mut raw = banco.raw().await;
    let adesso = banco.says("0", "'epoch'");
    raw.execute(&format!(
        "INSERT INTO annullamenti (registrazione, annullata_il, operatore, motivo, provvedimento_numero, provvedimento_data)
         SELECT id, {adesso}, 'protocollo', 'prova', '12', '2021-07-02' FROM registrazioni"
    ))
    .await
    .unwrap();
    let ancora = banco.one(atto("a", 1, &[1]), LUGLIO).await;
    assert!(ripetuta(&ancora).annullata);
    let errore = raw.refused("DELETE FROM annullamenti").await;
    assert!(errore.contains("un annullamento non si cancella"), "{errore}");
}

pub(crate) async fn a_tampered_register_is_found_and_not_written_to(banco: &Banco) {
    for n in 1..=3 {
        banco.one(atto(&format!("k{n}"), 1, &[n]), LUGLIO).await;
    }
    let mut raw = banco.raw().await;
    // Whoever owns the store can take the guards away; the look over the register still sees it.
    let senza_guardie = banco.says(
        "PRAGMA foreign_keys = OFF; DROP TRIGGER registrazioni_non_si_cancellano",
        "SET session_replication_role = replica",
    );
    for sql in [
        senza_guardie,
        "DELETE FROM registrazioni WHERE numero = 2",
        "UPDATE registro SET ultimo = 5",
    ] {
        raw.execute(sql).await.unwrap();
    }
    let verifica = banco.store.verify().await.unwrap();
    assert_eq!(
        verifica.anomalie,
        [
            "register AUF: the counter stands at 2021/5, the last registration at 2021/3",
            "register AUF of 2021: 2 is missing, the next number is 3",
        ]
    );
    // Opened again it can be read, but draws no number.
    banco.store.close().await;
    let store = banco.another().await;
    assert!(store.registrata(&chiave("k1")).await.unwrap().is_some());
    let errore = store
        .register(&[atto("k4", 1, &[4])], istante(LUGLIO))
        .await
        .unwrap_err();
    assert_eq!(
        errore.to_string(),
        "store refused: register AUF of 2021: the counter says 5, the highest number is 3, registrations are 2; \
         no number is drawn until this is cleared up (`varco register verify`)"
    );
    assert_eq!(errore.codice(), Codice::Sto003);
    assert!(store.ping().await.is_err());
}

// ── Opening ──

// ── Trouble ──

pub(crate) async fn a_commit_that_fails_leaves_nothing_and_the_next_one_goes_on(banco: &Banco) {
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let mut raw = banco.raw().await;
    // A constraint that is looked at by COMMIT alone.
    let guaio = banco.says(
        "CREATE TABLE guaio (x TEXT REFERENCES registro (registro) DEFERRABLE INITIALLY DEFERRED);
         CREATE TRIGGER guaio_al_commit AFTER INSERT ON domande BEGIN INSERT INTO guaio VALUES ('nessuno'); END",
        "CREATE CONSTRAINT TRIGGER guaio_al_commit AFTER INSERT ON domande DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION varco_vietato('guaio al commit')",
    );
    raw.execute(guaio).await.unwrap();
    banco
        .store
        .register(&[atto("b", 1, &[2])], istante(LUGLIO))
        .await
        .unwrap_err();
    assert_eq!(banco.store.registrata(&chiave("b")).await.unwrap(), None);
    let via = banco.says(
        "DROP TRIGGER guaio_al_commit",
        "DROP TRIGGER guaio_al_commit ON domande",
    );
    raw.execute(via).await.unwrap();
    assert_eq!(
        protocollo(&banco.one(atto("b", 1, &[2]), LUGLIO).await),
        "INPS-AUF-2021-000000000002"
    );
    banco.all_is_well(2).await;
}

pub(crate) async fn a_reader_that_stays_holds_nobody_up(banco: &Banco) {
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let mut lettore = banco.raw().await;
    let quante = "SELECT count(*) AS n FROM registrazioni";
    lettore
        .execute(banco.says("BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ"))
        .await
        .unwrap();
    assert_eq!(lettore.number(quante).await, 1);
    // The reader sees what it saw, the register goes on, and upkeep waits for nobody.
    banco.one(atto("b", 1, &[2]), LUGLIO).await;
    banco.store.tidy().await.unwrap();
    assert_eq!(lettore.number(quante).await, 1);
    lettore.execute("ROLLBACK").await.unwrap();
    assert_eq!(lettore.number(quante).await, 2);
    banco.all_is_well(2).await;
}

pub(crate) async fn one_act_that_the_store_cannot_hold_does_not_take_the_others_with_it(banco: &Banco) {
    let guasto = banco.says(
        "CREATE TRIGGER guasto BEFORE INSERT ON domande WHEN NEW.mandato_numero = 'GUASTO'
         BEGIN SELECT RAISE(ABORT, 'guasto'); END",
        "CREATE TRIGGER guasto BEFORE INSERT ON domande FOR EACH ROW WHEN (NEW.mandato_numero = 'GUASTO')
         EXECUTE FUNCTION varco_vietato('guasto')",
    );
    banco.raw().await.execute(guasto).await.unwrap();
    let clock: Arc<dyn Clock> = Arc::new(HandClock::at(istante(LUGLIO)));
    let writer = Writer::spawn(banco.store.clone(), clock, WriterConfig::default());
    let mut guasto = atto("guasto", 1, &[2]);
    "GUASTO".clone_into(&mut fascicolo(&mut guasto).mandato_numero);
    let (a, b, c) = tokio::join!(
        writer.register(atto("a", 1, &[1])),
        writer.register(guasto),
        writer.register(atto("c", 1, &[3])),
    );
    assert_eq!(b.unwrap_err().codice(), Codice::Sys001);
    let numeri = BTreeSet::from([a, c].map(|esito| protocollo(&esito.unwrap())));
    assert_eq!(numeri.len(), 2);
    banco.all_is_well(2).await;
}

pub(crate) async fn work_that_is_dropped_midway_is_there_whole_or_not_at_all(banco: &Banco) {
    for giro in 0..60_u64 {
        let store = Arc::clone(&banco.store);
        let atti: Vec<_> = (0..4)
            .map(|n| atto(&format!("g{giro}-{n}"), 1, &[giro * 4 + n]))
            .collect();
        let lavoro = tokio::spawn(async move { store.register(&atti, istante(LUGLIO)).await });
        tokio::time::sleep(Duration::from_micros(giro * 300)).await;
        lavoro.abort();
        let _ = lavoro.await;
    }
    let verifica = banco.store.verify().await.unwrap();
    assert_eq!(verifica.anomalie, Vec::<String>::new());
    assert_eq!(verifica.registrazioni % 4, 0, "a batch is whole or not at all");
    // Whatever became of the first attempt, every retry gets its one number.
    let mut numeri = BTreeSet::new();
    for n in 0..240_u64 {
        let (giro, n) = (n / 4, n % 4);
        let esito = banco
            .one(atto(&format!("g{giro}-{n}"), 1, &[giro * 4 + n]), LUGLIO)
            .await;
        let (Registrazione::Registrata(registrata) | Registrazione::Ripetuta(registrata)) = esito else {
            panic!("{esito:?}");
        };
        numeri.insert(registrata.protocollo.numero());
    }
    assert_eq!(numeri, (1..=240).collect());
    banco.all_is_well(240).await;
}

// ── The writer ──

pub(crate) async fn a_caller_that_hangs_up_cancels_nothing(banco: &Banco) {
    let clock: Arc<dyn Clock> = Arc::new(HandClock::at(istante(LUGLIO)));
    let writer = Writer::spawn(banco.store.clone(), clock, WriterConfig::default());
    let attesa = {
        let writer = writer.clone();
        tokio::spawn(async move { writer.register(atto("a", 1, &[1])).await })
    };
    while writer.coda() == 0 && writer.ultimo_lotto() == 0 {
        tokio::task::yield_now().await;
    }
    attesa.abort();
    writer.close().await;
    assert!(banco.store.registrata(&chiave("a")).await.unwrap().is_some());
    assert!(matches!(
        writer.register(atto("b", 1, &[2])).await,
        Err(StoreError::Unavailable(_))
    ));
}

/// Hands acts in, polled in one go before the writer has its turn, then closes it.
async fn at_once(
    writer: &Handle,
    atti: impl Iterator<Item = Atto>,
) -> Vec<Result<Registrazione, StoreError>> {
    let tutte = futures_util::future::join_all(atti.map(|atto| Box::pin(writer.register(atto))));
    let chiudi = async {
        tokio::task::yield_now().await;
        writer.close().await;
    };
    tokio::join!(tutte, chiudi).0
}

pub(crate) async fn a_full_queue_is_told_at_once_and_closing_works_off_what_waits(banco: &Banco) {
    let clock: Arc<dyn Clock> = Arc::new(HandClock::at(istante(LUGLIO)));
    let config = WriterConfig {
        coda: 8,
        ..WriterConfig::default()
    };
    let writer = Writer::spawn(banco.store.clone(), clock, config);
    let atti = (0..20_u64).map(|n| atto(&format!("k{n}"), 1, &[n]));
    // Eight find a place.
    let esiti = at_once(&writer, atti).await;
    let (presi, rifiutati): (Vec<_>, Vec<_>) = esiti.into_iter().partition(Result::is_ok);
    assert_eq!((presi.len(), rifiutati.len()), (8, 12));
    for rifiutato in rifiutati {
        assert!(matches!(rifiutato, Err(StoreError::Full(_))));
    }
    assert_eq!(writer.ultimo_lotto(), 8);
    banco.all_is_well(8).await;
}

pub(crate) async fn one_ente_fills_its_share_of_the_queue_and_leaves_the_others_theirs(banco: &Banco) {
    let clock: Arc<dyn Clock> = Arc::new(HandClock::at(istante(LUGLIO)));
    let config = WriterConfig {
        coda: 8,
        coda_ente: 5,
        ..WriterConfig::default()
    };
    let writer = Writer::spawn(banco.store.clone(), clock, config);
    let atti = (0..12_u64).map(|n| {
        let mut atto = atto(&format!("k{n}"), 1, &[n]);
        if n >= 10 {
            atto.chiave.ente = "PAT02".parse().unwrap();
        }
        atto
    });
    // Of the ten of one ente five find a place, and after them both of the other's.
    let esiti = at_once(&writer, atti).await;
    let presi: Vec<_> = esiti.iter().map(Result::is_ok).collect();
    assert_eq!(presi, [&[true; 5][..], &[false; 5], &[true; 2]].concat());
    for rifiutato in &esiti[5..10] {
        assert_eq!(
            rifiutato.as_ref().unwrap_err().to_string(),
            "store full: 5 acts of ente PAT01 wait for the register (writer.coda_ente)"
        );
    }
    banco.all_is_well(7).await;
}

// ── Looking up ──

pub(crate) async fn a_domanda_is_found_by_each_of_its_names_and_only_by_its_ente(banco: &Banco) {
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let esito = banco.one(atto("b", 7, &[2, 3]), LUGLIO).await;
    let registrata = registrata(&esito);
    let pat01: CodiceEnte = "PAT01".parse().unwrap();
    for riferimento in [
        Riferimento::Protocollo(registrata.protocollo.clone()),
        Riferimento::NumeroDomanda(registrata.numero_domanda),
        Riferimento::ChiaveInvio(registrata.chiave.clone()),
        Riferimento::Impronta([7; 32]),
    ] {
        let domanda = banco
            .store
            .domanda(&pat01, PRESTAZIONE.servizio, &riferimento)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(&domanda.registrata, registrata);
        assert_eq!(domanda.registrata_il, istante(LUGLIO));
        let schede: Vec<_> = domanda
            .schede
            .iter()
            .map(|scheda| {
                (
                    scheda.posto,
                    scheda.stato.as_str(),
                    scheda.azione_richiesta.as_str(),
                )
            })
            .collect();
        assert_eq!(
            schede,
            [(1, "PRESENTATA", "NESSUNA"), (2, "PRESENTATA", "NESSUNA")]
        );
        assert_eq!(
            domanda.schede[1].decorrenza_presunta,
            Some(Mese { anno: 2021, mese: 7 })
        );
        let pat02 = "PAT02".parse().unwrap();
        let altrui = banco
            .store
            .domanda(&pat02, PRESTAZIONE.servizio, &riferimento)
            .await
            .unwrap();
        assert_eq!(altrui, None);
    }
}

pub(crate) async fn another_process_reads_the_views_field_by_field(banco: &Banco) {
    banco.one(atto("a", 1, &[1, 2]), LUGLIO).await;
    let mut motore = banco.raw_as("varco_motore").await;
    let righe = motore.rows("SELECT * FROM motore_domande_v1").await;
    assert_eq!(righe.len(), 1);
    for (colonna, atteso) in [
        ("protocollo", "INPS-AUF-2021-000000000001"),
        ("servizio", "AssegnoTemporaneo"),
        ("registro", "AUF"),
        ("ente", "PAT01"),
        ("ente_denominazione", "Patronato Uno"),
        ("ufficio", "001"),
        ("operatore", "op.uno"),
        ("chiave_invio", "a"),
        ("mandato_numero", "M-1"),
        ("mandato_data", "2021-06-29"),
        ("data_pratica", "2021-06-30"),
        ("canale", "MODI"),
        ("richiedente_codice_fiscale", "RSSMRA80A01H501U"),
        ("richiedente_nome", "MARIO"),
        ("richiedente_cognome", "ROSSI"),
        ("richiedente_cellulare", "3331234567"),
        ("presentata_da", "GENITORE"),
        ("pagamento_modalita", "BD"),
        ("oggetto", "Assegno Temporaneo - domanda n. 1"),
        ("impronta", &"01".repeat(32)),
    ] {
        assert_eq!(righe[0][colonna], atteso, "{colonna}");
    }
    for (colonna, atteso) in [("anno", 2021), ("numero_domanda", 1), ("numero_schede", 2)] {
        assert_eq!(righe[0][colonna], atteso, "{colonna}");
    }
    for colonna in ["pagamento_iban", "richiedente_email", "genitore_tutelato"] {
        assert_eq!(righe[0][colonna], Value::Null, "{colonna}");
    }
    // Instants and truth values are written in each database's own way, and mean the same.
    assert_eq!(
        told_instant(&righe[0]["presentata_il"]),
        istante("2021-07-01T07:59:59.123Z")
    );
    assert_eq!(told_instant(&righe[0]["registrata_il"]), istante(LUGLIO));
    assert_eq!(righe[0]["annullata"], banco.says(json!(0), json!(false)));

    let schede = motore.rows("SELECT * FROM motore_schede_v1 ORDER BY posto").await;
    assert_eq!(schede.len(), 2);
    for (colonna, atteso) in [
        ("protocollo", "INPS-AUF-2021-000000000001"),
        ("codice_fiscale", minore(2).as_str()),
        ("data_nascita", "2014-01-01"),
        ("qualita", "GENITORE"),
        ("altro_genitore", "VRDLGU82B52F205E"),
        ("ripartizione", "META_ENTRAMBI"),
        ("stato", "PRESENTATA"),
        ("azione_richiesta", "NESSUNA"),
        ("decorrenza_presunta", "2021-07"),
    ] {
        assert_eq!(schede[1][colonna], atteso, "{colonna}");
    }
    assert_eq!(schede[1]["posto"], 2);
    assert_eq!(told_instant(&schede[1]["stato_dal"]), istante(LUGLIO));
    assert_eq!(schede[1]["affido_condiviso"], banco.says(json!(1), json!(true)));

    let feed = banco
        .raw()
        .await
        .rows("SELECT cursore, tipo, numero_domanda FROM variazioni")
        .await;
    assert_eq!(
        feed,
        [json!({ "cursore": 1, "tipo": "REGISTRATA", "numero_domanda": 1 })]
    );
    let quante = motore
        .rows(
            "SELECT (SELECT count(*) FROM motore_dichiarazioni_v1) AS dichiarazioni,
                    (SELECT count(*) FROM motore_allegati_v1) AS allegati",
        )
        .await;
    assert_eq!(quante, [json!({ "dichiarazioni": 8, "allegati": 1 })]);
}

fn told_instant(valore: &Value) -> Timestamp {
    istante(valore.as_str().unwrap())
}

// ── The trace ──

pub(crate) async fn a_registered_message_has_its_trace_with_the_bytes_of_the_registration(banco: &Banco) {
    let invio = atto("a", 1, &[1]);
    let (richiesta, message_id) = (invio.richiesta.clone(), invio.traccia.message_id);
    let esito = banco.one(invio, LUGLIO).await;
    let ricerca = Ricerca {
        protocollo: protocollo(&esito).parse().ok(),
        ..Ricerca::default()
    };
    let tracce = banco.store.tracce(&ricerca).await.unwrap().righe;
    assert_eq!(tracce.len(), 1);
    let trovata = &tracce[0];
    assert_eq!(
        (trovata.message_id, trovata.esito.as_str()),
        (message_id, "REGISTRATA")
    );
    assert_eq!(trovata.numero_domanda, Some(1));
    assert_eq!(trovata.tempi_us, [("busta", 12), ("lettura", 345)]);
    assert_eq!(trovata.richiesta.as_ref(), Some(&richiesta));
    assert_eq!(trovata.risposta.as_ref(), Some(&registrata(&esito).ricevuta));
    let per_chiave = Ricerca {
        chiave_invio: Some("a".to_owned()),
        ..Ricerca::default()
    };
    assert_eq!(banco.store.tracce(&per_chiave).await.unwrap().righe, tracce);
    let elenco = Ricerca {
        senza_byte: true,
        ..ricerca
    };
    assert_eq!(
        banco.store.tracce(&elenco).await.unwrap().righe[0].richiesta,
        None
    );
}

pub(crate) async fn traces_are_found_by_any_of_their_names_newest_first(banco: &Banco) {
    let mut rifiutata = traccia("r");
    rifiutata.ricevuto_il = istante("2021-07-02T00:00:00Z");
    "FAULT".clone_into(&mut rifiutata.esito);
    rifiutata.codice = Some("XSD-001".to_owned());
    rifiutata.codici = vec!["XSD-001".to_owned(), "XSD-004".to_owned()];
    rifiutata.id_transazione = Some("gw-1".to_owned());
    rifiutata.indirizzo = Some("192.0.2.7".parse().unwrap());
    rifiutata.note = vec!["identity: attributi".to_owned()];
    rifiutata.http_status = 500;
    rifiutata.richiesta = Some(Bytes::from("<a/>".repeat(1000)));
    rifiutata.risposta = Some(Bytes::from_static(b"<Fault/>"));
    let mut eco = traccia("e");
    eco.operazione = Some("echo".to_owned());
    banco
        .store
        .write_tracce(&[rifiutata.clone(), eco.clone()])
        .await
        .unwrap();
    // Written twice (a commit whose answer was lost), there once.
    banco.store.write_tracce(&[rifiutata.clone()]).await.unwrap();

    let find = async |ricerca: Ricerca| banco.store.tracce(&ricerca).await.unwrap().righe;
    assert_eq!(find(Ricerca::default()).await, [rifiutata.clone(), eco.clone()]);
    for ricerca in [
        Ricerca {
            codice: Some("XSD-004".to_owned()),
            ..Ricerca::default()
        },
        Ricerca {
            id_mittente: Some("gw-1".to_owned()),
            ..Ricerca::default()
        },
        Ricerca {
            esito: Some("FAULT".to_owned()),
            ..Ricerca::default()
        },
        Ricerca {
            message_id: Some(rifiutata.message_id),
            ..Ricerca::default()
        },
        Ricerca {
            chiave_invio: Some("r".to_owned()),
            ente: Some("PAT01".to_owned()),
            ..Ricerca::default()
        },
        Ricerca {
            dal: Some(istante("2021-07-02T00:00:00Z")),
            ..Ricerca::default()
        },
        Ricerca {
            limite: 1,
            ..Ricerca::default()
        },
    ] {
        assert_eq!(find(ricerca.clone()).await, [rifiutata.clone()], "{ricerca:?}");
    }
    let prima = Ricerca {
        al: Some(istante("2021-07-02T00:00:00Z")),
        ..Ricerca::default()
    };
    assert_eq!(find(prima).await, [eco]);
    let nessuna = Ricerca {
        ente: Some("PAT02".to_owned()),
        ..Ricerca::default()
    };
    assert_eq!(find(nessuna).await, []);
}

pub(crate) async fn a_trace_is_closed_whatever_happens_and_written_once(banco: &Banco) {
    let store = banco.store.clone();
    let config = TraceConfig {
        coda: 3,
        ..TraceConfig::default()
    };
    let tracciati = Tracciati::spawn(store, config);
    let mut risposta = tracciati.begin(traccia("a")).unwrap();
    let interrotta = tracciati.begin(traccia("b")).unwrap();
    let registrata = tracciati.begin(traccia("c")).unwrap();
    assert!(
        tracciati.begin(traccia("d")).is_err(),
        "a full queue is known at the door"
    );
    assert_eq!(tracciati.coda(), 3);

    "RIFIUTATA".clone_into(&mut risposta.esito);
    risposta.close();
    drop(interrotta);
    banco.one(atto("c", 1, &[1]), LUGLIO).await;
    registrata.registered();
    tracciati.close().await;

    let mut esiti: Vec<_> = banco
        .store
        .tracce(&Ricerca::default())
        .await
        .unwrap()
        .righe
        .into_iter()
        .map(|traccia| (traccia.chiave_invio.unwrap(), traccia.esito))
        .collect();
    esiti.sort();
    let attesi = [("a", "RIFIUTATA"), ("b", "INTERROTTA"), ("c", "REGISTRATA")];
    assert_eq!(
        esiti,
        attesi.map(|(chiave, esito)| (chiave.to_owned(), esito.to_owned()))
    );
}

pub(crate) async fn what_was_registered_speaks_last_of_a_message_whose_sender_hung_up(banco: &Banco) {
    let mut interrotta = traccia("a");
    "INTERROTTA".clone_into(&mut interrotta.esito);
    banco.store.write_tracce(&[interrotta.clone()]).await.unwrap();
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    banco.store.write_tracce(&[interrotta]).await.unwrap();
    let trovate = banco.store.tracce(&Ricerca::default()).await.unwrap().righe;
    assert_eq!(
        trovate
            .iter()
            .map(|traccia| traccia.esito.as_str())
            .collect::<Vec<_>>(),
        ["REGISTRATA"]
    );
}

pub(crate) async fn the_door_log_is_kept_newest_first(banco: &Banco) {
    let tracciati = Tracciati::spawn(banco.store.clone(), TraceConfig::default());
    let rifiuto = |giorno: &str, codice: &str| RifiutoAllaPorta {
        istante: istante(giorno),
        indirizzo: Some("2001:db8::1".parse().unwrap()),
        soggetto: Some("CN=pat01".to_owned()),
        seriale: None,
        sni: None,
        codice: codice.to_owned(),
        causa: "certificato revocato".to_owned(),
        rimedio: "chiedere un certificato nuovo".to_owned(),
    };
    let (uno, due) = (
        rifiuto("2021-07-01T00:00:00Z", "TLS-001"),
        rifiuto("2021-07-02T00:00:00Z", "TLS-002"),
    );
    tracciati.porta(uno.clone());
    tracciati.porta(due.clone());
    tracciati.close().await;
    assert_eq!(tracciati.persi(), 0);
    assert_eq!(banco.store.porta(None, 10).await.unwrap(), [due.clone(), uno]);
    let dal = Some(istante("2021-07-02T00:00:00Z"));
    assert_eq!(banco.store.porta(dal, 10).await.unwrap(), [due]);
}
