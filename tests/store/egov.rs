//! What is kept for the porte di dominio: no Identificatore is used up twice, no exchange is lost or changed, no number
//! of ours comes twice.

use std::collections::BTreeSet;

use bytes::Bytes;
use varco::store::egov::{RicercaScambi, ScambioDi};
use varco::store::{Atto, Registrazione};
use varco::trace::egov::{BustaInviata, Diagnostico, Forma, Scambio};

use crate::atti::{LUGLIO, atto, istante, protocollo, registrata, ripetuta, traccia};
use crate::banco::Banco;

macro_rules! stories {
    ($banco:path) => {
        $crate::tell! { egov, $banco:
            a_busta_is_used_up_with_the_registration_that_came_in_it,
            two_domande_in_one_busta_are_one,
            a_refusal_uses_up_no_busta,
            two_hundred_copies_of_a_busta_get_one_number,
            what_registers_nothing_uses_up_its_busta_once,
            exchanges_are_found_page_by_page,
            an_exchange_cannot_be_changed_or_deleted,
            an_exchange_is_told_byte_by_byte_whichever_half_it_has,
            numbers_of_ours_never_come_twice,
            old_buste_are_forgotten_a_few_at_a_time,
        }
    };
}

mod sqlite {
    stories!(crate::banco::Banco::sqlite);
}

mod postgres {
    stories!(crate::banco::Banco::postgres);
}

/// The exchange that a busta with this number begins.
fn scambio(numero: u32) -> Scambio {
    let identificatore = format!("PatUno_PatUnoSPCoopIT_{numero:07}_2021-07-01_09:59");
    Scambio {
        porta: "INPSSPCoopIT".to_owned(),
        controparte: Some("PatUno".to_owned()),
        giorno: Some("2021-07-01".parse().unwrap()),
        certificato_sha256: "ab".repeat(32),
        richiesta: Some(Bytes::from(format!(
            "<e:Intestazione>{identificatore}</e:Intestazione>"
        ))),
        legami: " xmlns=\"urn:x\" xmlns:e=\"urn:e\"".to_owned(),
        forma: Some(Forma::Risposta),
        risposta: Some(BustaInviata {
            istante: istante("2021-07-01T08:00:00.5Z"),
            identificatore: format!("INPS_INPSSPCoopIT_{numero:07}_2021-07-01_10:00"),
            intestazione: Bytes::from_static(b"<Intestazione/>"),
        }),
        diagnostico: None,
        identificatore: Some(identificatore),
    }
}

/// An act that came in the busta of this number.
fn in_busta(nome: &str, contenuto: u8, minori: &[u64], busta: u32) -> Atto {
    let mut atto = atto(nome, contenuto, minori);
    atto.traccia.egov = Some(Box::new(scambio(busta)));
    atto
}

/// The message of this name, which registers nothing, with the busta of this number.
pub(crate) fn letto(nome: &str, busta: u32) -> ScambioDi {
    let traccia = traccia(nome);
    ScambioDi {
        message_id: traccia.message_id,
        istante: traccia.ricevuto_il,
        scambio: scambio(busta),
    }
}

async fn all(banco: &Banco) -> Vec<ScambioDi> {
    let ricerca = RicercaScambi {
        limite: 1000,
        ..RicercaScambi::default()
    };
    banco.store.scambi(&ricerca).await.unwrap()
}

pub(crate) async fn a_busta_is_used_up_with_the_registration_that_came_in_it(banco: &Banco) {
    registrata(&banco.one(in_busta("a", 1, &[1], 1), LUGLIO).await);
    let kept = all(banco).await;
    let mut atteso = scambio(1);
    atteso.giorno = None;
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].scambio, atteso);
    assert_eq!(kept[0].message_id, traccia("a").message_id);

    // Another domanda in the same busta, also at another gateway: nothing is written, and its key is free.
    let doppia = in_busta("b", 1, &[2], 1);
    assert_eq!(
        banco
            .another()
            .await
            .register(std::slice::from_ref(&doppia), istante(LUGLIO))
            .await
            .unwrap(),
        [Registrazione::BustaDoppia]
    );
    let nuova = in_busta("b", 1, &[2], 2);
    assert_eq!(
        protocollo(&banco.one(nuova, LUGLIO).await),
        "INPS-AUF-2021-000000000002"
    );
    banco.all_is_well(2).await;
}

pub(crate) async fn two_domande_in_one_busta_are_one(banco: &Banco) {
    let esiti = banco
        .register(
            &[
                in_busta("a", 1, &[1], 1),
                in_busta("b", 1, &[2], 1),
                in_busta("c", 1, &[3], 2),
            ],
            LUGLIO,
        )
        .await;
    assert_eq!(protocollo(&esiti[0]), "INPS-AUF-2021-000000000001");
    assert_eq!(esiti[1], Registrazione::BustaDoppia);
    assert_eq!(protocollo(&esiti[2]), "INPS-AUF-2021-000000000002");
    assert_eq!(all(banco).await.len(), 2);
    banco.all_is_well(2).await;
}

pub(crate) async fn a_refusal_uses_up_no_busta(banco: &Banco) {
    registrata(&banco.one(in_busta("a", 1, &[1], 1), LUGLIO).await);
    let viva = banco.one(in_busta("b", 1, &[1], 2), LUGLIO).await;
    assert!(matches!(viva, Registrazione::SchedaViva(_)), "{viva:?}");
    // The busta is still there for what becomes of it then.
    let mut rifiuto = letto("b", 2);
    assert_eq!(
        banco.store.accept_buste(&[rifiuto.clone()]).await.unwrap(),
        [true]
    );
    rifiuto.message_id = traccia("c").message_id;
    assert_eq!(banco.store.accept_buste(&[rifiuto]).await.unwrap(), [false]);
}

pub(crate) async fn two_hundred_copies_of_a_busta_get_one_number(banco: &Banco) {
    // Another gateway, where there can be one.
    let altro = banco.says(banco.store.clone(), banco.another().await);
    let (mut uno, mut molti) = (Vec::new(), Vec::new());
    for n in 0..200_u64 {
        // Each with a key and a child of its own: only the busta holds them together.
        let atto = in_busta(&format!("k{n}"), 1, &[n + 1], 1);
        if n % 2 == 0 {
            uno.push(atto);
        } else {
            molti.push(atto);
        }
    }
    let (uno, altri) = tokio::join!(
        banco.store.register(&uno, istante(LUGLIO)),
        altro.register(&molti, istante(LUGLIO))
    );
    let esiti: Vec<_> = uno.unwrap().into_iter().chain(altri.unwrap()).collect();
    let nuove = esiti
        .iter()
        .filter(|esito| matches!(esito, Registrazione::Registrata(_)));
    let doppie = esiti.iter().filter(|esito| **esito == Registrazione::BustaDoppia);
    assert_eq!((nuove.count(), doppie.count()), (1, 199));
    banco.all_is_well(1).await;
}

pub(crate) async fn what_registers_nothing_uses_up_its_busta_once(banco: &Banco) {
    let scambi = [letto("a", 1), letto("b", 2), letto("c", 1)];
    assert_eq!(
        banco.store.accept_buste(&scambi).await.unwrap(),
        [true, true, false]
    );
    assert_eq!(banco.store.accept_buste(&[letto("d", 2)]).await.unwrap(), [false]);
    let kept: Vec<_> = all(banco).await.into_iter().map(|uno| uno.message_id).collect();
    assert_eq!(kept.len(), 2);
    assert!(kept.contains(&traccia("a").message_id) && kept.contains(&traccia("b").message_id));
    // A registration in the same busta comes too late, and a copy of a registered message is told as a repetition.
    assert_eq!(
        banco.one(in_busta("x", 1, &[1], 1), LUGLIO).await,
        Registrazione::BustaDoppia
    );
    registrata(&banco.one(in_busta("y", 1, &[2], 3), LUGLIO).await);
    ripetuta(&banco.one(in_busta("y", 1, &[2], 3), LUGLIO).await);
}

pub(crate) async fn exchanges_are_found_page_by_page(banco: &Banco) {
    // What was not taken in leaves its exchange with the record of its message.
    let tracce: Vec<_> = (0..5_u32)
        .map(|n| {
            let mut traccia = traccia(&format!("t{n}"));
            traccia.ricevuto_il = istante(&format!("2021-07-01T08:00:0{}Z", n / 2));
            traccia.egov = Some(Box::new(scambio(n)));
            traccia
        })
        .collect();
    banco.store.write_tracce(&tracce).await.unwrap();
    let mut senza = traccia("senza");
    senza.egov = Some(Box::new(Scambio {
        porta: "INPSSPCoopIT".to_owned(),
        certificato_sha256: "ab".repeat(32),
        forma: Some(Forma::SoloFault),
        diagnostico: Some(Diagnostico {
            livello: 1,
            testo: "nessuna busta".to_owned(),
        }),
        ..Scambio::default()
    }));
    senza.ricevuto_il = istante("2021-07-02T08:00:00Z");
    banco.store.write_tracce(&[senza.clone(), senza]).await.unwrap();

    let mut ricerca = RicercaScambi {
        limite: 2,
        ..RicercaScambi::default()
    };
    let mut trovati = Vec::new();
    loop {
        let pagina = banco.store.scambi(&ricerca).await.unwrap();
        let Some(ultimo) = pagina.last() else { break };
        ricerca.dopo = Some((ultimo.istante, ultimo.message_id));
        trovati.extend(pagina);
    }
    assert_eq!(trovati.len(), 6);
    assert!(trovati.windows(2).all(|due| due[0].istante <= due[1].istante));
    let ultimo = &trovati[5].scambio;
    assert_eq!(
        (
            ultimo.forma,
            ultimo.diagnostico.as_ref().map(|uno| uno.livello),
            &ultimo.richiesta
        ),
        (Some(Forma::SoloFault), Some(1), &None)
    );
    let quanti = |ricerca: RicercaScambi| {
        let store = banco.store.clone();
        async move {
            store
                .scambi(&RicercaScambi {
                    limite: 100,
                    ..ricerca
                })
                .await
                .unwrap()
                .len()
        }
    };
    let cercati = RicercaScambi {
        identificatore: scambio(3).identificatore,
        ..RicercaScambi::default()
    };
    assert_eq!(quanti(cercati).await, 1);
    let nostro = scambio(3).risposta.map(|risposta| risposta.identificatore);
    assert_eq!(
        quanti(RicercaScambi {
            identificatore: nostro,
            ..RicercaScambi::default()
        })
        .await,
        1
    );
    let riferiti = RicercaScambi {
        riferimento: scambio(3).identificatore,
        ..RicercaScambi::default()
    };
    assert_eq!(quanti(riferiti).await, 1);
    let uno = RicercaScambi {
        controparte: Some("PatUno".to_owned()),
        ..RicercaScambi::default()
    };
    assert_eq!(quanti(uno).await, 5);
    let altro = RicercaScambi {
        controparte: Some("PatDue".to_owned()),
        ..RicercaScambi::default()
    };
    assert_eq!(quanti(altro).await, 0);
    let fra = RicercaScambi {
        dal: Some(istante("2021-07-01T08:00:01Z")),
        al: Some(istante("2021-07-01T08:00:02Z")),
        ..RicercaScambi::default()
    };
    assert_eq!(quanti(fra).await, 2);
}

pub(crate) async fn an_exchange_cannot_be_changed_or_deleted(banco: &Banco) {
    registrata(&banco.one(in_busta("a", 1, &[1], 1), LUGLIO).await);
    let mut raw = banco.raw().await;
    for comando in [
        "UPDATE egov SET controparte = 'Altro'",
        "DELETE FROM egov",
        "UPDATE buste SET identificatore = 'x'",
    ] {
        raw.execute(comando).await.unwrap_err();
    }
    assert_eq!(all(banco).await.len(), 1);
}

pub(crate) async fn an_exchange_is_told_byte_by_byte_whichever_half_it_has(banco: &Banco) {
    let header = |n: usize| Bytes::from("<e:Intestazione>\r\n\tà&#13;</e:Intestazione>".repeat(n));
    let inviata = |n| BustaInviata {
        intestazione: header(n),
        ..scambio(1).risposta.unwrap()
    };
    let meta = [
        (Some(header(1)), Some(inviata(40))),
        (Some(header(40)), None),
        (None, Some(inviata(1))),
        (Some(Bytes::new()), Some(inviata(0))),
        (None, None),
    ];
    let tracce: Vec<_> = meta
        .iter()
        .zip(0..)
        .map(|((richiesta, risposta), n)| {
            let mut traccia = traccia(&format!("t{n}"));
            traccia.ricevuto_il = istante(&format!("2021-07-01T08:00:0{n}Z"));
            traccia.egov = Some(Box::new(Scambio {
                richiesta: richiesta.clone(),
                risposta: risposta.clone(),
                ..scambio(n)
            }));
            traccia
        })
        .collect();
    banco.store.write_tracce(&tracce).await.unwrap();
    let told: Vec<_> = all(banco)
        .await
        .into_iter()
        .map(|uno| (uno.scambio.richiesta, uno.scambio.risposta))
        .collect();
    assert_eq!(told, meta);
}

pub(crate) async fn numbers_of_ours_never_come_twice(banco: &Banco) {
    let altro = banco.another().await;
    let mut presi = BTreeSet::new();
    for _ in 0..10 {
        let (uno, due) = tokio::join!(
            banco.store.reserve_identificativi(7),
            altro.reserve_identificativi(7)
        );
        for prima in [uno.unwrap(), due.unwrap()] {
            for n in prima + 1..=prima + 7 {
                assert!(presi.insert(n), "{n} came twice");
            }
        }
    }
    assert_eq!((presi.len(), presi.first().copied()), (140, Some(1)));
}

pub(crate) async fn old_buste_are_forgotten_a_few_at_a_time(banco: &Banco) {
    let scambi: Vec<_> = (0..5).map(|n| letto(&format!("a{n}"), n)).collect();
    banco.store.accept_buste(&scambi).await.unwrap();
    let prima = "2021-07-02".parse().unwrap();
    assert_eq!(
        banco
            .store
            .forget_buste("2021-07-01".parse().unwrap(), 3)
            .await
            .unwrap(),
        0
    );
    assert_eq!(banco.store.forget_buste(prima, 3).await.unwrap(), 3);
    assert_eq!(banco.store.forget_buste(prima, 3).await.unwrap(), 2);
    assert_eq!(banco.store.forget_buste(prima, 3).await.unwrap(), 0);
    // What was exchanged stays.
    assert_eq!(all(banco).await.len(), 5);
}
