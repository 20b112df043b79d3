//! Lots, told on both kinds of store: what is promised of their keys, their bytes, their turn and the outcome of each item.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;
use varco::clock::HandClock;
use varco::domanda::Posizione;
use varco::domanda::consultazione::Riferimento;
use varco::patronato::CodiceEnte;
use varco::prestazione::assegno_unico;
use varco::store::lotti::{
    Accettazione, Avanzamento, Comando, Conteggi, EsitoElemento, EsitoLotto, Fine, Gruppo, Lavorazione,
    Lotto, NuovoLotto, PEZZO_BYTES, Quali, SorteElemento, SorteVoce, StatoLotto, Voce,
};
use varco::store::writer::{Writer, WriterConfig};
use varco::store::{Atto, Chiave, Registrazione, SharedStore, StoreError};

use crate::atti::{LUGLIO, atto, chiave, istante, protocollo, registrata, rinuncia};
use crate::banco::Banco;

macro_rules! stories {
    ($banco:path) => {
        $crate::tell! { lotti, $banco:
            a_lot_is_taken_in_once_and_its_key_is_its_alone,
            the_key_of_a_lot_and_of_a_domanda_at_once_goes_to_one_of_them,
            an_ente_has_no_more_open_lots_than_it_may,
            the_bytes_of_a_lot_come_back_as_they_came,
            a_lot_whose_bytes_are_not_all_there_is_not_taken_in,
            spools_go_when_nobody_needs_them_any_more,
            a_group_registers_without_gap_and_its_outcome_agrees,
            an_act_that_cannot_be_registered_is_named_and_nothing_is_written,
            what_hangs_on_an_act_of_the_same_group_waits_for_it,
            a_group_of_a_lot_that_is_elsewhere_is_lost,
            lots_are_claimed_oldest_first_and_one_of_an_ente,
            gateways_at_once_never_claim_the_same_lot,
            a_lot_ends_as_it_was_read,
            outcomes_come_page_by_page_and_the_refused_alone,
            a_commit_of_a_group_that_fails_leaves_nothing,
            work_that_is_dropped_midway_goes_on_where_it_was,
            the_same_group_twice_at_once_is_worked_once,
            no_number_is_drawn_for_a_lot_while_the_register_stands_still,
            what_was_worked_of_a_lot_cannot_be_changed,
            groups_and_single_acts_go_through_the_writer_together,
        }
    };
}

mod sqlite {
    stories!(crate::banco::Banco::sqlite);
}

mod postgres {
    stories!(crate::banco::Banco::postgres);
}

// ── What a test hands in ──

fn id(n: u128) -> Uuid {
    Uuid::from_u128(0xa000 + n)
}

/// A lot of the ente PAT01.
fn nuovo(n: u128, nome: &str, byte: u64) -> NuovoLotto {
    NuovoLotto {
        id: id(n),
        chiave: chiave(nome),
        digest: [7; 32],
        ente_denominazione: "Patronato Uno".to_owned(),
        codice_ufficio: "001".parse().unwrap(),
        user_id: "op.uno".parse().unwrap(),
        certificato_sha256: "ab".repeat(32),
        message_id: Uuid::from_u128(0xb000 + n),
        byte,
        elementi: None,
    }
}

fn of_ente(ente: &str, nuovo: NuovoLotto) -> NuovoLotto {
    let chiave = Chiave {
        ente: ente.parse().unwrap(),
        ..nuovo.chiave
    };
    NuovoLotto { chiave, ..nuovo }
}

async fn spool(store: &SharedStore, lotto: Uuid, byte: &[u8]) {
    for (n, pezzo) in (0..).zip(byte.chunks(PEZZO_BYTES)) {
        store
            .spool_append(lotto, n, Bytes::copy_from_slice(pezzo))
            .await
            .unwrap();
    }
}

/// A lot that was taken in, with a few bytes.
pub(crate) async fn accepted(store: &SharedStore, nuovo: NuovoLotto) -> Lotto {
    spool(store, nuovo.id, &vec![b'x'; usize::try_from(nuovo.byte).unwrap()]).await;
    match store.accept_lotto(&nuovo, 100, istante(LUGLIO)).await.unwrap() {
        Accettazione::Accettato(lotto) => *lotto,
        altro => panic!("{altro:?}"),
    }
}

fn ora() -> Timestamp {
    istante("2026-11-02T10:00:00Z")
}

fn fra(secondi: i64) -> Timestamp {
    ora() + SignedDuration::from_secs(secondi)
}

/// The oldest lot, claimed by `chi` for a minute.
async fn claimed(store: &SharedStore, chi: &str) -> Lotto {
    let lotto = store.claim_lotto(chi, &[], ora(), fra(60)).await.unwrap();
    lotto.expect("a lot that is free")
}

fn voce(n: u64, sorte: SorteVoce) -> Voce {
    let chiave = match &sorte {
        SorteVoce::Atto(atto) => Some(atto.chiave.chiave.clone()),
        SorteVoce::Ripetuta(registrata) => Some(registrata.chiave.clone()),
        SorteVoce::Rifiutata(_) => None,
    };
    let riga = u32::try_from(n * 10).unwrap();
    Voce {
        chiave,
        luogo: Posizione { riga, colonna: 3 },
        sorte,
    }
}

fn da_registrare(n: u64, atto: Atto) -> Voce {
    voce(n, SorteVoce::Atto(Box::new(atto)))
}

fn rifiutata(n: u64) -> Voce {
    voce(n, SorteVoce::Rifiutata(errori(n)))
}

fn errori(n: u64) -> Bytes {
    Bytes::from(format!("<Errore><Codice>XSD-001</Codice><Riga>{n}</Riga></Errore>").repeat(3))
}

/// The next items of a lot as it stands.
fn gruppo(lotto: &Lotto, chi: &str, voci: Vec<Voce>) -> Gruppo {
    let elementi = lotto.fatto.elementi + voci.len() as u64;
    Gruppo {
        lotto: lotto.id,
        chi: Arc::from(chi),
        fino_a: fra(60),
        da: lotto.fatto,
        a: Avanzamento {
            elementi,
            byte: elementi,
            luogo: Some(Posizione {
                riga: u32::try_from(elementi * 10 + 10).unwrap(),
                colonna: 1,
            }),
        },
        voci,
        fine: None,
    }
}

fn ending(gruppo: Gruppo, fine: Fine) -> Gruppo {
    Gruppo {
        fine: Some(fine),
        ..gruppo
    }
}

async fn work(store: &SharedStore, gruppo: &Gruppo) -> Lavorazione {
    store.work_gruppo(gruppo, istante(LUGLIO), ora()).await.unwrap()
}

async fn done(store: &SharedStore, gruppo: &Gruppo) -> Lotto {
    match work(store, gruppo).await {
        Lavorazione::Fatta(lotto) => *lotto,
        altro => panic!("{altro:?}"),
    }
}

async fn refused(store: &SharedStore, gruppo: &Gruppo) -> Vec<(usize, Registrazione)> {
    match work(store, gruppo).await {
        Lavorazione::Respinta(respinte) => respinte,
        altro => panic!("{altro:?}"),
    }
}

async fn outcomes(store: &SharedStore, lotto: Uuid) -> Vec<EsitoElemento> {
    store.esiti_lotto(lotto, 0, false, 1000).await.unwrap()
}

/// `1 a 000000000001`, `2 - refused`: place, key, number.
fn in_words(esiti: &[EsitoElemento]) -> Vec<String> {
    esiti
        .iter()
        .map(|esito| {
            let chiave = esito.chiave.as_ref().map_or("-", |chiave| chiave.as_str());
            let sorte = match &esito.sorte {
                SorteElemento::Rifiutata(_) => "refused".to_owned(),
                SorteElemento::Registrata {
                    protocollo,
                    ripetizione,
                    ..
                } => format!(
                    "{}{}",
                    protocollo.numero(),
                    if *ripetizione { " again" } else { "" }
                ),
            };
            format!("{} {chiave} {sorte}", esito.posto)
        })
        .collect()
}

async fn find(store: &SharedStore, lotto: &Lotto) -> Lotto {
    let trovato = store
        .lotto(&lotto.chiave.ente, lotto.chiave.servizio, lotto.id)
        .await;
    trovato.unwrap().expect("the lot")
}

// ── A lot for a store that is moved ──

fn pieces() -> Vec<u8> {
    (0..2 * PEZZO_BYTES + 77)
        .map(|n| u8::try_from(n % 241).unwrap())
        .collect()
}

/// A lot of three pieces, of which two items were worked, behind one that has ended.
pub(crate) async fn begin_a_lot(store: &SharedStore) {
    accepted(store, of_ente("PAT02", nuovo(1, "finito", 100))).await;
    let lotto = claimed(store, "w1").await;
    let voci = vec![rifiutata(1), rifiutata(2)];
    done(store, &ending(gruppo(&lotto, "w1", voci), Fine::Letto)).await;

    let byte = pieces();
    spool(store, id(2), &byte).await;
    let nuovo = nuovo(2, "lotto", byte.len() as u64);
    store.accept_lotto(&nuovo, 9, istante(LUGLIO)).await.unwrap();
    let lotto = claimed(store, "w1").await;
    let voci = vec![
        da_registrare(1, atto("a", 1, &[1])),
        da_registrare(2, atto("b", 1, &[2])),
    ];
    done(store, &gruppo(&lotto, "w1", voci)).await;
}

/// Works the rest of it.
pub(crate) async fn end_that_lot(store: &SharedStore) {
    let mut riletti = Vec::new();
    while riletti.len() < pieces().len() {
        let letti = store.spool_read(id(2), riletti.len() as u64, PEZZO_BYTES).await;
        riletti.extend_from_slice(&letti.unwrap());
    }
    assert!(riletti == pieces());
    // Whoever worked it is gone with the old store: its time runs out.
    assert!(
        store
            .claim_lotto("w2", &[], ora(), fra(60))
            .await
            .unwrap()
            .is_none()
    );
    let lotto = store
        .claim_lotto("w2", &[], fra(60), fra(90))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (lotto.id, lotto.fatto.elementi, lotto.presentato_il),
        (id(2), 2, istante(LUGLIO))
    );
    let resto = vec![da_registrare(3, atto("c", 1, &[3])), rifiutata(4)];
    let lotto = done(store, &ending(gruppo(&lotto, "w2", resto), Fine::Letto)).await;
    assert_eq!(lotto.esito(), Some(EsitoLotto::Parziale));
    assert_eq!(
        in_words(&outcomes(store, id(2)).await),
        ["1 a 1", "2 b 2", "3 c 3", "4 - refused"]
    );
    let presa = store
        .register(&[atto("lotto", 1, &[9])], istante(LUGLIO))
        .await
        .unwrap();
    assert_eq!(presa, [Registrazione::ChiaveDiLotto(id(2))]);
    // The next lot has a place of its own.
    accepted(store, nuovo(3, "nuovo", 3)).await;
    let tutti = store.lotti(Quali::Tutti, 9).await.unwrap();
    assert_eq!(
        tutti.iter().map(|lotto| lotto.id).collect::<Vec<_>>(),
        [3, 2, 1].map(id)
    );
}

// ── Keys ──

async fn a_lot_is_taken_in_once_and_its_key_is_its_alone(banco: &Banco) {
    let store = &banco.store;
    let prima = banco.one(atto("domanda", 1, &[1]), LUGLIO).await;

    let lotto = accepted(store, nuovo(1, "lotto", 10)).await;
    assert_eq!((lotto.id, lotto.stato), (id(1), StatoLotto::Accettato));
    assert_eq!(lotto.presentato_il, istante(LUGLIO));
    assert_eq!((lotto.esito(), lotto.elementi, lotto.byte), (None, None, 10));
    assert_eq!(lotto.fatto, Avanzamento::default());
    assert_eq!(lotto.conteggi, Conteggi::default());

    // The same lot once more, by another message: the first one.
    spool(store, id(2), b"0123456789").await;
    let ancora = store
        .accept_lotto(&nuovo(2, "lotto", 10), 1, istante("2021-07-02T08:00:00Z"))
        .await
        .unwrap();
    let Accettazione::Ripetuto(gia) = ancora else {
        panic!("{ancora:?}")
    };
    assert_eq!((gia.id, gia.presentato_il), (id(1), istante(LUGLIO)));
    let altro = NuovoLotto {
        digest: [8; 32],
        ..nuovo(2, "lotto", 10)
    };
    let altro = store.accept_lotto(&altro, 1, istante(LUGLIO)).await.unwrap();
    assert!(
        matches!(altro, Accettazione::AltroLotto(di) if di == id(1)),
        "{altro:?}"
    );
    let di_domanda = store
        .accept_lotto(&nuovo(2, "domanda", 10), 100, istante(LUGLIO))
        .await
        .unwrap();
    let Accettazione::AltraRegistrazione(numero) = di_domanda else {
        panic!("{di_domanda:?}")
    };
    assert_eq!(numero.to_string(), protocollo(&prima));

    // The key refuses a domanda, alone and among others, and no number is lost for it.
    let esiti = banco
        .register(
            &[atto("b", 1, &[2]), atto("lotto", 1, &[3]), atto("c", 1, &[3])],
            LUGLIO,
        )
        .await;
    assert_eq!(esiti[1], Registrazione::ChiaveDiLotto(id(1)));
    assert_eq!(
        [protocollo(&esiti[0]), protocollo(&esiti[2])],
        ["INPS-AUF-2021-000000000002", "INPS-AUF-2021-000000000003"]
    );
    let sola = banco.one(atto("lotto", 1, &[9]), LUGLIO).await;
    assert_eq!(sola, Registrazione::ChiaveDiLotto(id(1)));
    banco.all_is_well(3).await;

    // Whose it is not finds nothing.
    let altri: CodiceEnte = "PAT02".parse().unwrap();
    assert!(
        store
            .lotto(&altri, lotto.chiave.servizio, id(1))
            .await
            .unwrap()
            .is_none()
    );
    let altrove = assegno_unico::PRESTAZIONE.servizio;
    assert!(
        store
            .lotto(&lotto.chiave.ente, altrove, id(1))
            .await
            .unwrap()
            .is_none()
    );
    let per_chiave = store.lotto_by_chiave(&chiave("lotto")).await.unwrap().unwrap();
    assert_eq!(per_chiave.id, id(1));
    assert!(store.lotto_by_chiave(&chiave("domanda")).await.unwrap().is_none());
    let di_altri = of_ente("PAT02", nuovo(4, "lotto", 10));
    assert_eq!(accepted(store, di_altri).await.id, id(4), "another's key");
}

async fn the_key_of_a_lot_and_of_a_domanda_at_once_goes_to_one_of_them(banco: &Banco) {
    let altro = banco.another().await;
    for n in 0..20_u32 {
        let nome = format!("k{n}");
        let lotto = nuovo(n.into(), &nome, 3);
        spool(&banco.store, lotto.id, b"xyz").await;
        let atti = [atto(&nome, 1, &[u64::from(n) + 1])];
        let (accettato, registrati) = tokio::join!(
            altro.accept_lotto(&lotto, 100, istante(LUGLIO)),
            banco.store.register(&atti, istante(LUGLIO))
        );
        match (accettato.unwrap(), &registrati.unwrap()[0]) {
            (Accettazione::Accettato(lotto), Registrazione::ChiaveDiLotto(id)) => assert_eq!(lotto.id, *id),
            (Accettazione::AltraRegistrazione(numero), Registrazione::Registrata(registrata)) => {
                assert_eq!(numero, registrata.protocollo);
            }
            altri => panic!("both, or neither: {altri:?}"),
        }
    }
}

async fn an_ente_has_no_more_open_lots_than_it_may(banco: &Banco) {
    let store = &banco.store;
    let accept = async |nuovo: NuovoLotto| {
        spool(store, nuovo.id, b"xyz").await;
        store.accept_lotto(&nuovo, 2, istante(LUGLIO)).await.unwrap()
    };
    assert!(matches!(
        accept(nuovo(1, "a", 3)).await,
        Accettazione::Accettato(_)
    ));
    let altrove = NuovoLotto {
        chiave: Chiave {
            servizio: assegno_unico::PRESTAZIONE.servizio,
            ..chiave("b")
        },
        ..nuovo(2, "b", 3)
    };
    assert!(matches!(accept(altrove).await, Accettazione::Accettato(_)));
    assert!(matches!(accept(nuovo(3, "c", 3)).await, Accettazione::Troppi));
    // A repetition is no further lot, and another ente has its own measure.
    assert!(matches!(
        accept(nuovo(4, "a", 3)).await,
        Accettazione::Ripetuto(_)
    ));
    let di_altri = of_ente("PAT02", nuovo(5, "c", 3));
    assert!(matches!(accept(di_altri).await, Accettazione::Accettato(_)));
    let annulla = Comando::Annulla(errori(0));
    store
        .command_lotto(id(1), &annulla, ora())
        .await
        .unwrap()
        .unwrap();
    assert!(matches!(
        accept(nuovo(3, "c", 3)).await,
        Accettazione::Accettato(_)
    ));
}

// ── Bytes ──

async fn the_bytes_of_a_lot_come_back_as_they_came(banco: &Banco) {
    let store = &banco.store;
    let quanti = 2 * PEZZO_BYTES + PEZZO_BYTES / 2;
    let byte: Vec<u8> = (0..quanti).map(|n| u8::try_from(n % 251).unwrap()).collect();
    spool(store, id(1), &byte).await;
    // A piece that is handed in once more changes nothing.
    store
        .spool_append(
            id(1),
            1,
            Bytes::copy_from_slice(&byte[PEZZO_BYTES..2 * PEZZO_BYTES]),
        )
        .await
        .unwrap();
    let nuovo = nuovo(1, "a", quanti as u64);
    let accettato = store.accept_lotto(&nuovo, 10, istante(LUGLIO)).await.unwrap();
    assert!(matches!(accettato, Accettazione::Accettato(_)), "{accettato:?}");

    let altro = banco.another().await;
    for passo in [quanti, 300_000, PEZZO_BYTES] {
        let mut riletti = Vec::new();
        loop {
            let letti = altro
                .spool_read(id(1), riletti.len() as u64, passo)
                .await
                .unwrap();
            assert!(letti.len() <= passo);
            if letti.is_empty() {
                break;
            }
            riletti.extend_from_slice(&letti);
        }
        assert!(riletti == byte, "by {passo}");
    }
    let dal_mezzo = altro.spool_read(id(1), PEZZO_BYTES as u64 - 2, 4).await.unwrap();
    assert!(!dal_mezzo.is_empty() && byte[PEZZO_BYTES - 2..].starts_with(&dal_mezzo));

    // What was taken in is not forgotten by mistake.
    store.spool_discard(id(1)).await.unwrap();
    assert!(!altro.spool_read(id(1), 0, 1).await.unwrap().is_empty());
}

async fn a_lot_whose_bytes_are_not_all_there_is_not_taken_in(banco: &Banco) {
    let store = &banco.store;
    let errore = |esito: Result<Accettazione, StoreError>| match esito {
        Err(errore @ StoreError::Inconsistency(_)) => errore.to_string(),
        altro => panic!("{altro:?}"),
    };
    let manca = "inconsistent row in lotti.byte: its spool is not there, or not whole";
    let esito = store.accept_lotto(&nuovo(1, "a", 3), 10, istante(LUGLIO)).await;
    assert_eq!(errore(esito), manca);
    spool(store, id(1), b"xy").await;
    let esito = store.accept_lotto(&nuovo(1, "a", 3), 10, istante(LUGLIO)).await;
    assert_eq!(errore(esito), manca);
    store.spool_discard(id(1)).await.unwrap();
    let letto = store.spool_read(id(1), 0, 1).await.unwrap_err();
    assert_eq!(letto.to_string(), manca);
    // Nothing is left of it: the key is free.
    registrata(&banco.one(atto("a", 1, &[1]), LUGLIO).await);
}

async fn spools_go_when_nobody_needs_them_any_more(banco: &Banco) {
    let store = &banco.store;
    let poi = istante("2099-01-01T00:00:00Z");
    let mai = istante("2001-01-01T00:00:00Z");
    accepted(store, nuovo(1, "aperto", 3)).await;
    accepted(store, nuovo(2, "concluso", 3)).await;
    spool(store, id(3), b"di nessuno").await;
    let annulla = Comando::Annulla(errori(0));
    store.command_lotto(id(2), &annulla, ora()).await.unwrap();

    assert_eq!(store.spool_sweep(mai, mai).await.unwrap(), 0);
    assert_eq!(
        store.spool_sweep(ora(), mai).await.unwrap(),
        0,
        "ended at that instant"
    );
    assert_eq!(store.spool_sweep(fra(1), mai).await.unwrap(), 1);
    assert_eq!(store.spool_sweep(poi, mai).await.unwrap(), 0);
    assert_eq!(store.spool_sweep(mai, poi).await.unwrap(), 1, "nobody took it in");
    assert_eq!(store.spool_sweep(poi, poi).await.unwrap(), 0, "one is open");
    assert_eq!(&store.spool_read(id(1), 0, 10).await.unwrap()[..], b"xxx");
    store.spool_read(id(2), 0, 1).await.unwrap_err();
}

// ── Work ──

async fn a_group_registers_without_gap_and_its_outcome_agrees(banco: &Banco) {
    let store = &banco.store;
    let prima = banco.one(atto("prima", 1, &[100]), LUGLIO).await;
    accepted(store, nuovo(1, "lotto", 1000)).await;
    let lotto = claimed(store, "w1").await;
    assert_eq!(lotto.id, id(1));

    let voci = vec![
        da_registrare(1, atto("a", 1, &[1])),
        rifiutata(2),
        // Registered before, and found so by the registration; and found so by who works the lot.
        da_registrare(3, atto("prima", 1, &[100])),
        voce(4, SorteVoce::Ripetuta(Box::new(registrata(&prima).clone()))),
        da_registrare(5, atto("b", 1, &[2, 3])),
        // Twice in the lot.
        da_registrare(6, atto("a", 1, &[1])),
    ];
    let primo = gruppo(&lotto, "w1", voci);
    let lotto = done(store, &primo).await;
    assert_eq!(lotto.stato, StatoLotto::InLavorazione);
    assert_eq!(lotto.fatto, primo.a);
    let conteggi = Conteggi {
        registrate: 2,
        ripetute: 3,
        rifiutate: 1,
        non_lette: 0,
    };
    assert_eq!(lotto.conteggi, conteggi);
    assert_eq!((lotto.iniziato_il, lotto.avanzato_il), (Some(ora()), Some(ora())));

    let molti: Vec<_> = (7..=206)
        .map(|n| da_registrare(n, atto(&format!("k{n}"), 1, &[5000 + n])))
        .collect();
    let lotto = done(store, &gruppo(&lotto, "w1", molti)).await;
    assert_eq!((lotto.fatto.elementi, lotto.conteggi.registrate), (206, 202));
    let fine = ending(gruppo(&lotto, "w1", Vec::new()), Fine::Letto);
    let lotto = done(store, &fine).await;
    assert_eq!(
        (lotto.stato, lotto.elementi, lotto.esito()),
        (StatoLotto::Concluso, Some(206), Some(EsitoLotto::Parziale))
    );

    let esiti = outcomes(store, id(1)).await;
    assert_eq!(
        in_words(&esiti)[..8],
        [
            "1 a 2",
            "2 - refused",
            "3 prima 1 again",
            "4 prima 1 again",
            "5 b 3",
            "6 a 2 again",
            "7 k7 4",
            "8 k8 5"
        ]
    );
    assert_eq!(esiti.len(), 206);
    assert_eq!(esiti[1].sorte, SorteElemento::Rifiutata(errori(2)));
    assert_eq!(esiti[4].luogo, Posizione { riga: 50, colonna: 3 });
    let SorteElemento::Registrata {
        protocollo,
        numero_domanda,
        registrata_il,
        ..
    } = &esiti[205].sorte
    else {
        panic!("{:?}", esiti[205])
    };
    let ultima = store.registrata(&chiave("k206")).await.unwrap().unwrap();
    assert_eq!(
        (protocollo, numero_domanda),
        (&ultima.protocollo, &ultima.numero_domanda)
    );
    assert_eq!(*registrata_il, istante(LUGLIO));
    let tracce = store
        .tracce(&varco::store::Ricerca {
            protocollo: Some(protocollo.into()),
            ..Default::default()
        })
        .await
        .unwrap()
        .righe;
    assert_eq!((tracce.len(), tracce[0].esito.as_str()), (1, "REGISTRATA"));
    banco.all_is_well(203).await;
}

async fn an_act_that_cannot_be_registered_is_named_and_nothing_is_written(banco: &Banco) {
    let store = &banco.store;
    banco.one(atto("prima", 1, &[100]), LUGLIO).await;
    accepted(store, nuovo(1, "lotto", 100)).await;
    let lotto = claimed(store, "w1").await;
    let voci = vec![
        da_registrare(1, atto("a", 1, &[1])),
        rifiutata(2),
        da_registrare(3, atto("b", 1, &[2, 100])),
        da_registrare(4, atto("prima", 2, &[4])),
        da_registrare(5, atto("lotto", 1, &[5])),
        da_registrare(6, atto("c", 1, &[6])),
    ];
    let respinte = refused(store, &gruppo(&lotto, "w1", voci)).await;
    let [
        (2, Registrazione::SchedaViva(vive)),
        (3, Registrazione::Conflitto(gia)),
        (4, Registrazione::ChiaveDiLotto(di)),
    ] = &respinte[..]
    else {
        panic!("{respinte:?}")
    };
    assert_eq!(
        (vive.len(), vive[0].0, vive[0].1.stato.as_str()),
        (1, 2, "PRESENTATA")
    );
    assert_eq!(
        (gia.protocollo.to_string().as_str(), *di),
        ("INPS-AUF-2021-000000000001", id(1))
    );
    assert_eq!(find(store, &lotto).await.fatto, Avanzamento::default());
    assert_eq!(outcomes(store, id(1)).await, []);
    assert!(store.registrata(&chiave("a")).await.unwrap().is_none());
    banco.all_is_well(1).await;

    // Worded as refusals, the group goes in, with no number lost.
    let voci = vec![
        da_registrare(1, atto("a", 1, &[1])),
        rifiutata(2),
        rifiutata(3),
        rifiutata(4),
        rifiutata(5),
        da_registrare(6, atto("c", 1, &[6])),
    ];
    done(store, &gruppo(&lotto, "w1", voci)).await;
    assert_eq!(
        in_words(&outcomes(store, id(1)).await),
        [
            "1 a 2",
            "2 - refused",
            "3 - refused",
            "4 - refused",
            "5 - refused",
            "6 c 3"
        ]
    );
    banco.all_is_well(3).await;
}

async fn what_hangs_on_an_act_of_the_same_group_waits_for_it(banco: &Banco) {
    let store = &banco.store;
    let prima = banco.one(atto("prima", 1, &[100, 101]), LUGLIO).await;
    let vista = store
        .domanda(
            &"PAT01".parse().unwrap(),
            chiave("prima").servizio,
            &Riferimento::NumeroDomanda(registrata(&prima).numero_domanda),
        )
        .await
        .unwrap()
        .unwrap();
    accepted(store, nuovo(1, "lotto", 100)).await;
    let lotto = claimed(store, "w1").await;
    let voci = || {
        vec![
            da_registrare(1, atto("a", 1, &[1])),
            // The child that the first asks for; the key of the first with other content; a second act on one domanda.
            da_registrare(2, atto("b", 1, &[1])),
            da_registrare(3, atto("a", 2, &[3])),
            da_registrare(4, rinuncia("r1", 1, &vista, &[1])),
            da_registrare(5, rinuncia("r2", 1, &vista, &[2])),
        ]
    };
    let respinte = refused(store, &gruppo(&lotto, "w1", voci())).await;
    assert_eq!(
        respinte,
        [1, 2, 4].map(|posto| (posto, Registrazione::Superata)),
        "none is told a number that nothing has yet"
    );
    banco.all_is_well(1).await;

    // What was before them is written: now each is told what is.
    let mut voci = voci();
    let resto = voci.split_off(1);
    let lotto = done(store, &gruppo(&lotto, "w1", voci)).await;
    let respinte = refused(store, &gruppo(&lotto, "w1", resto)).await;
    let [
        (0, Registrazione::SchedaViva(vive)),
        (1, Registrazione::Conflitto(gia)),
        (3, Registrazione::Superata),
    ] = &respinte[..]
    else {
        panic!("{respinte:?}")
    };
    assert_eq!(vive[0].1.stato, "PRESENTATA");
    assert_eq!(gia.protocollo.to_string(), "INPS-AUF-2021-000000000002");

    // A domanda that names a child twice is told so, wherever it stands in its group.
    let doppia = vec![da_registrare(2, atto("d", 1, &[7, 7]))];
    let respinte = refused(store, &gruppo(&lotto, "w1", doppia)).await;
    assert!(
        matches!(&respinte[..], [(0, Registrazione::SchedaViva(vive))] if vive[0].0 == 2),
        "{respinte:?}"
    );
    banco.all_is_well(2).await;
}

async fn a_group_of_a_lot_that_is_elsewhere_is_lost(banco: &Banco) {
    let store = &banco.store;
    accepted(store, nuovo(1, "lotto", 100)).await;
    let libero = store.lotto_by_chiave(&chiave("lotto")).await.unwrap().unwrap();
    let is_lost = async |gruppo: Gruppo, causa: &str| {
        let esito = work(store, &gruppo).await;
        assert!(matches!(esito, Lavorazione::Persa), "{causa}: {esito:?}");
    };
    let uno = || vec![da_registrare(1, atto("a", 1, &[1]))];
    is_lost(gruppo(&libero, "w1", uno()), "with nobody").await;
    let lotto = claimed(store, "w1").await;
    is_lost(gruppo(&lotto, "w2", uno()), "with another").await;
    let mut avanti = gruppo(&lotto, "w1", uno());
    avanti.da.elementi = 1;
    avanti.a.elementi = 2;
    is_lost(avanti, "not yet there").await;

    store.release_lotto(id(1), "w2").await.unwrap();
    let primo = gruppo(&lotto, "w1", uno());
    let lotto = done(store, &primo).await;
    is_lost(primo, "no longer there").await;
    let due = || vec![da_registrare(2, atto("b", 1, &[2]))];
    let sospeso = store.command_lotto(id(1), &Comando::Sospendi, ora()).await;
    assert!(sospeso.unwrap().unwrap().sospeso);
    is_lost(gruppo(&lotto, "w1", due()), "held back").await;
    let nessuno = store.claim_lotto("w1", &[], ora(), fra(60)).await.unwrap();
    assert!(nessuno.is_none(), "{nessuno:?}");
    store
        .command_lotto(id(1), &Comando::Riprendi, ora())
        .await
        .unwrap();
    is_lost(gruppo(&lotto, "w1", due()), "given back meanwhile").await;

    let lotto = claimed(store, "w2").await;
    assert_eq!(lotto.fatto.elementi, 1, "it goes on where it was");
    let lotto = done(store, &gruppo(&lotto, "w2", due())).await;
    let annulla = Comando::Annulla(errori(0));
    let annullato = store
        .command_lotto(id(1), &annulla, ora())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(annullato.esito(), Some(EsitoLotto::Interrotto));
    let tre = vec![da_registrare(3, atto("c", 1, &[3]))];
    is_lost(gruppo(&lotto, "w2", tre), "called off").await;
    for comando in [Comando::Sospendi, Comando::Riprendi, annulla] {
        assert!(
            store
                .command_lotto(id(1), &comando, ora())
                .await
                .unwrap()
                .is_none()
        );
    }
    assert_eq!(in_words(&outcomes(store, id(1)).await), ["1 a 1", "2 b 2"]);
    banco.all_is_well(2).await;
}

// ── The queue ──

async fn lots_are_claimed_oldest_first_and_one_of_an_ente(banco: &Banco) {
    let store = &banco.store;
    for (n, ente) in (1..).zip(["PAT01", "PAT01", "PAT02", "PAT03"]) {
        accepted(store, of_ente(ente, nuovo(n, &format!("l{n}"), 3))).await;
    }
    let claim = async |chi: &str, esclusi: &[&str], adesso: i64| {
        let esclusi: Vec<CodiceEnte> = esclusi.iter().map(|ente| ente.parse().unwrap()).collect();
        let lotto = store
            .claim_lotto(chi, &esclusi, fra(adesso), fra(adesso + 30))
            .await
            .unwrap();
        lotto.map(|lotto| lotto.id.as_u128() - 0xa000)
    };
    assert_eq!(claim("w1", &["PAT02"], 0).await, Some(1));
    assert_eq!(
        claim("w1", &["PAT02"], 0).await,
        Some(4),
        "one of an ente, and not PAT02"
    );
    assert_eq!(claim("w1", &[], 0).await, Some(3));
    assert_eq!(claim("w1", &[], 0).await, None);
    assert_eq!(claim("w2", &["PAT01"], 0).await, None);
    assert_eq!(claim("w2", &[], 0).await, Some(2));
    assert_eq!(claim("w3", &[], 29).await, None);
    assert_eq!(
        claim("w3", &[], 30).await,
        Some(1),
        "who is not heard of has it no more"
    );
    store.release_lotto(id(2), "w2").await.unwrap();
    assert_eq!(claim("w4", &[], 29).await, Some(2));

    let aperti = store.lotti(Quali::Aperti, 3).await.unwrap();
    assert_eq!(
        aperti.iter().map(|lotto| lotto.id).collect::<Vec<_>>(),
        [1, 2, 3].map(id)
    );
    let annulla = Comando::Annulla(errori(0));
    store.command_lotto(id(4), &annulla, ora()).await.unwrap();
    assert_eq!(store.lotti(Quali::Aperti, 10).await.unwrap().len(), 3);
    let tutti = store.lotti(Quali::Tutti, 2).await.unwrap();
    assert_eq!(
        tutti.iter().map(|lotto| lotto.id).collect::<Vec<_>>(),
        [4, 3].map(id)
    );
}

async fn gateways_at_once_never_claim_the_same_lot(banco: &Banco) {
    for n in 1..=12 {
        accepted(
            &banco.store,
            of_ente(&format!("PAT{n:02}"), nuovo(n, &format!("l{n}"), 3)),
        )
        .await;
    }
    let altro = banco.another().await;
    let mut lavori = Vec::new();
    for n in 0..4 {
        let store = if n % 2 == 0 { &banco.store } else { &altro };
        let (store, chi) = (Arc::clone(store), format!("w{n}"));
        lavori.push(tokio::spawn(async move {
            let mut presi = Vec::new();
            // A claim that another won is none: who gets nothing looks once more.
            for _ in 0..24 {
                let lotto = store.claim_lotto(&chi, &[], ora(), fra(60)).await.unwrap();
                presi.extend(lotto.map(|lotto| lotto.id));
            }
            presi
        }));
    }
    let mut presi = Vec::new();
    for lavoro in lavori {
        presi.extend(lavoro.await.unwrap());
    }
    let diversi: BTreeSet<_> = presi.iter().collect();
    assert_eq!((presi.len(), diversi.len()), (12, 12));
}

// ── Ends ──

async fn a_lot_ends_as_it_was_read(banco: &Banco) {
    let store = &banco.store;
    let conta = |n: u128, nome: &str, elementi| NuovoLotto {
        elementi,
        ..nuovo(n, nome, 100)
    };
    // Whole.
    accepted(store, conta(1, "l1", Some(1))).await;
    let lotto = claimed(store, "w1").await;
    let tutto = gruppo(&lotto, "w1", vec![da_registrare(1, atto("a", 1, &[1]))]);
    let lotto = done(store, &ending(tutto, Fine::Letto)).await;
    assert_eq!(
        (lotto.esito(), lotto.concluso_il),
        (Some(EsitoLotto::Completo), Some(ora()))
    );

    // Broken off: what was counted and not reached was not read.
    accepted(store, conta(2, "l2", Some(10))).await;
    let lotto = claimed(store, "w1").await;
    let rotto = gruppo(&lotto, "w1", vec![da_registrare(1, atto("b", 1, &[2]))]);
    let lotto = done(store, &ending(rotto, Fine::Interrotto(errori(9)))).await;
    assert_eq!(
        (lotto.esito(), lotto.conteggi.non_lette),
        (Some(EsitoLotto::Interrotto), 9)
    );
    assert_eq!(lotto.interruzione, Some(errori(9)));
    assert_eq!((lotto.elementi, lotto.fatto.elementi), (Some(10), 1));

    // Called off, before its first item and without a count.
    accepted(store, conta(3, "l3", None)).await;
    let annulla = Comando::Annulla(errori(8));
    let lotto = store
        .command_lotto(id(3), &annulla, ora())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (lotto.esito(), lotto.conteggi),
        (Some(EsitoLotto::Interrotto), Conteggi::default())
    );
    assert_eq!(lotto.interruzione, Some(errori(8)));
    assert!(
        store
            .claim_lotto("w1", &[], ora(), fra(60))
            .await
            .unwrap()
            .is_none()
    );
    // A lot that was called off is still the one of its key.
    let ancora = store
        .accept_lotto(&nuovo(9, "l3", 100), 10, istante(LUGLIO))
        .await
        .unwrap();
    assert!(matches!(ancora, Accettazione::Ripetuto(gia) if gia.id == id(3)));
}

async fn outcomes_come_page_by_page_and_the_refused_alone(banco: &Banco) {
    let store = &banco.store;
    accepted(store, nuovo(1, "l1", 100)).await;
    accepted(store, of_ente("PAT02", nuovo(2, "l2", 100))).await;
    let lotto = claimed(store, "w1").await;
    let voci = (1..=10)
        .map(|n| match n % 3 {
            0 => rifiutata(n),
            _ => da_registrare(n, atto(&format!("k{n}"), 1, &[n])),
        })
        .collect();
    done(store, &gruppo(&lotto, "w1", voci)).await;
    let altro = claimed(store, "w1").await;
    done(store, &gruppo(&altro, "w1", vec![rifiutata(1)])).await;

    let page = async |dopo, solo_rifiutate, righe_max| {
        let esiti = store
            .esiti_lotto(id(1), dopo, solo_rifiutate, righe_max)
            .await
            .unwrap();
        esiti.iter().map(|esito| esito.posto).collect::<Vec<_>>()
    };
    assert_eq!(page(0, false, 4).await, [1, 2, 3, 4]);
    assert_eq!(page(4, false, 4).await, [5, 6, 7, 8]);
    assert_eq!(page(8, false, 4).await, [9, 10]);
    assert_eq!(page(10, false, 4).await, [0; 0]);
    assert_eq!(page(0, true, 2).await, [3, 6]);
    assert_eq!(page(6, true, 2).await, [9]);
    assert_eq!(in_words(&outcomes(store, id(2)).await), ["1 - refused"]);
    assert_eq!(outcomes(store, id(3)).await, []);
}

// ── Harm ──

async fn a_commit_of_a_group_that_fails_leaves_nothing(banco: &Banco) {
    let store = &banco.store;
    accepted(store, nuovo(1, "l1", 100)).await;
    let lotto = claimed(store, "w1").await;
    let mut raw = banco.raw().await;
    // A constraint that is looked at by COMMIT alone.
    let guaio = banco.says(
        "CREATE TABLE guaio (x TEXT REFERENCES registro (registro) DEFERRABLE INITIALLY DEFERRED);
         CREATE TRIGGER guaio_al_commit AFTER INSERT ON lotti_esiti BEGIN INSERT INTO guaio VALUES ('nessuno'); END",
        "CREATE CONSTRAINT TRIGGER guaio_al_commit AFTER INSERT ON lotti_esiti DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION varco_vietato('guaio al commit')",
    );
    raw.execute(guaio).await.unwrap();
    let uno = gruppo(&lotto, "w1", vec![da_registrare(1, atto("a", 1, &[1]))]);
    store.work_gruppo(&uno, istante(LUGLIO), ora()).await.unwrap_err();
    assert_eq!(find(store, &lotto).await.fatto.elementi, 0);
    assert!(store.registrata(&chiave("a")).await.unwrap().is_none());
    let basta = banco.says(
        "DROP TRIGGER guaio_al_commit; DROP TABLE guaio",
        "DROP TRIGGER guaio_al_commit ON lotti_esiti",
    );
    raw.execute(basta).await.unwrap();
    done(store, &uno).await;
    assert_eq!(in_words(&outcomes(store, id(1)).await), ["1 a 1"]);
    banco.all_is_well(1).await;
}

/// Four items of a lot from where it stands: three to register, one refused; their keys follow from their places.
fn next_four(lotto: &Lotto) -> Gruppo {
    let voci = (lotto.fatto.elementi + 1..)
        .take(4)
        .map(|n| match n % 4 {
            0 => rifiutata(n),
            _ => da_registrare(n, atto(&format!("k{n}"), 1, &[n])),
        })
        .collect();
    gruppo(lotto, "w1", voci)
}

async fn work_that_is_dropped_midway_goes_on_where_it_was(banco: &Banco) {
    accepted(&banco.store, nuovo(1, "l1", 1000)).await;
    let lotto = claimed(&banco.store, "w1").await;
    for giro in 0..60_u64 {
        let store = Arc::clone(&banco.store);
        let quattro = next_four(&find(&store, &lotto).await);
        let lavoro = tokio::spawn(async move { store.work_gruppo(&quattro, istante(LUGLIO), ora()).await });
        tokio::time::sleep(Duration::from_micros(giro * 300)).await;
        lavoro.abort();
        let _ = lavoro.await;
    }
    // Whoever goes on reads where the lot stands; what was committed behind its back shows as a lost group.
    let mut lotto = find(&banco.store, &lotto).await;
    while lotto.fatto.elementi < 240 {
        lotto = match work(&banco.store, &next_four(&lotto)).await {
            Lavorazione::Fatta(lotto) => *lotto,
            Lavorazione::Persa => find(&banco.store, &lotto).await,
            altro @ Lavorazione::Respinta(_) => panic!("{altro:?}"),
        };
    }
    let attesi = Conteggi {
        registrate: lotto.fatto.elementi / 4 * 3,
        ripetute: 0,
        rifiutate: lotto.fatto.elementi / 4,
        non_lette: 0,
    };
    assert_eq!(lotto.conteggi, attesi, "no item twice");
    let esiti = outcomes(&banco.store, lotto.id).await;
    let posti: Vec<_> = esiti.iter().map(|esito| esito.posto).collect();
    assert_eq!(posti, (1..=lotto.fatto.elementi).collect::<Vec<_>>());
    banco.all_is_well(attesi.registrate).await;
}

async fn the_same_group_twice_at_once_is_worked_once(banco: &Banco) {
    accepted(&banco.store, nuovo(1, "l1", 1000)).await;
    let mut lotto = claimed(&banco.store, "w1").await;
    let altro = banco.another().await;
    for giro in 1..=15_u64 {
        let quattro = next_four(&lotto);
        let (qui, la) = tokio::join!(work(&banco.store, &quattro), work(&altro, &quattro));
        lotto = match (qui, la) {
            (Lavorazione::Fatta(lotto), Lavorazione::Persa)
            | (Lavorazione::Persa, Lavorazione::Fatta(lotto)) => *lotto,
            altri => panic!("{altri:?}"),
        };
        assert_eq!(lotto.fatto.elementi, giro * 4);
    }
    assert_eq!((lotto.conteggi.registrate, lotto.conteggi.ripetute), (45, 0));
    banco.all_is_well(45).await;
}

async fn no_number_is_drawn_for_a_lot_while_the_register_stands_still(banco: &Banco) {
    let store = &banco.store;
    banco.one(atto("prima", 1, &[100]), LUGLIO).await;
    accepted(store, nuovo(1, "l1", 100)).await;
    let lotto = claimed(store, "w1").await;
    let mut raw = banco.raw().await;
    raw.execute(banco.says(
        "INSERT INTO emergenze (id, registro, aperta_il, causa, operatore, provvedimento_numero, provvedimento_data)
         VALUES (1, 'AUF', 0, 'x', 'x', 'x', '2021-07-01');
         UPDATE registro SET emergenza = 1",
        "INSERT INTO emergenze (id, registro, aperta_il, causa, operatore, provvedimento_numero, provvedimento_data)
         VALUES (1, 'AUF', 'epoch', 'x', 'x', 'x', '2021-07-01');
         UPDATE registro SET emergenza = 1",
    ))
    .await
    .unwrap();
    let voci = vec![rifiutata(1), da_registrare(2, atto("a", 1, &[1]))];
    let errore = store
        .work_gruppo(&gruppo(&lotto, "w1", voci), istante(LUGLIO), ora())
        .await
        .unwrap_err();
    assert!(
        matches!(&errore, StoreError::Emergenza(registro) if registro == "AUF"),
        "{errore:?}"
    );
    assert_eq!(find(store, &lotto).await.fatto.elementi, 0);
}

async fn what_was_worked_of_a_lot_cannot_be_changed(banco: &Banco) {
    let store = &banco.store;
    accepted(store, nuovo(1, "l1", 100)).await;
    let lotto = claimed(store, "w1").await;
    let voci = vec![da_registrare(1, atto("a", 1, &[1])), rifiutata(2)];
    done(
        store,
        &ending(gruppo(&lotto, "w1", voci), Fine::Interrotto(errori(3))),
    )
    .await;
    accepted(store, nuovo(2, "l2", 100)).await;
    let mut raw = banco.raw().await;
    for (sql, causa) in [
        (
            "UPDATE lotti_esiti SET riga = 7",
            "lotti_esiti: un esito non si modifica",
        ),
        ("DELETE FROM lotti_esiti", "lotti_esiti: un esito non si cancella"),
        ("DELETE FROM lotti", "lotti: un lotto resta"),
        (
            "UPDATE lotti SET sospeso = NOT sospeso WHERE stato = 'done'",
            "lotti: un lotto avanza e basta, e concluso non cambia",
        ),
        (
            "UPDATE lotti SET byte = byte + 1 WHERE stato <> 'done'",
            "lotti: un lotto avanza e basta, e concluso non cambia",
        ),
    ] {
        let detto = raw.refused(sql).await;
        assert!(detto.contains(causa), "{sql}: {detto}");
    }
}

// ── The writer ──

async fn groups_and_single_acts_go_through_the_writer_together(banco: &Banco) {
    let store = &banco.store;
    accepted(store, nuovo(1, "lotto", 100)).await;
    let mut lotto = claimed(store, "w1").await;
    let clock = Arc::new(HandClock::at(istante(LUGLIO)));
    let handle = Writer::spawn(Arc::clone(store), clock, WriterConfig::default());
    let singole: Vec<_> = (0..40_u64)
        .map(|n| {
            let handle = handle.clone();
            tokio::spawn(async move {
                let atto = atto(&format!("s{n}"), 1, &[1000 + n]);
                protocollo(&handle.register(atto).await.unwrap())
            })
        })
        .collect();
    for n in 0..4_u64 {
        let voci = (1..=10)
            .map(|k| da_registrare(k, atto(&format!("l{n}-{k}"), 1, &[n * 10 + k])))
            .collect();
        let gruppo = Arc::new(gruppo(&lotto, "w1", voci));
        lotto = match handle.work(Arc::clone(&gruppo)).await.unwrap() {
            Lavorazione::Fatta(lotto) => *lotto,
            altro => panic!("{altro:?}"),
        };
        Arc::try_unwrap(gruppo).expect("whoever works the lot has its group back");
    }
    let mut numeri = BTreeSet::new();
    for singola in singole {
        numeri.insert(singola.await.unwrap());
    }
    assert_eq!((numeri.len(), lotto.conteggi.registrate), (40, 40));
    handle.close().await;
    let chiuso = handle.work(gruppo(&lotto, "w1", Vec::new())).await.unwrap_err();
    assert_eq!(chiuso.to_string(), "store unavailable: the writer is closed");
    banco.all_is_well(80).await;
}
