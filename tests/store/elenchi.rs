//! Lists by pages: each row once, in order, whoever writes meanwhile; and along an index, however much there is.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use varco::domanda::elenco::{Inizio, Variazione};
use varco::patronato::CodiceEnte;
use varco::prestazione::assegno_temporaneo::PRESTAZIONE;
use varco::store::SharedStore;

use crate::atti::{LUGLIO, atto, istante, rinuncia};
use crate::banco::Banco;

/// Makes a test of each story, on a bench of this kind.
macro_rules! stories {
    ($modulo:ident, $banco:path) => {
        mod $modulo {
            use crate::banco::Banco;

            $crate::elenchi::stories! { $banco:
                the_feed_tells_each_change_once_in_its_order,
                the_feed_begins_at_a_day,
                no_row_of_the_feed_is_missed_while_others_write,
            }
        }
    };
    ($banco:path: $($story:ident,)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                if let Some(banco) = $banco().await {
                    super::$story(&banco).await;
                }
            }
        )+
    };
}
use stories;

stories!(sqlite, Banco::sqlite);
stories!(postgres, Banco::postgres);

fn pat01() -> CodiceEnte {
    "PAT01".parse().unwrap()
}

/// The feed from its beginning, page by page.
async fn feed(store: &SharedStore, righe_max: u32) -> Vec<Variazione> {
    let mut righe = Vec::new();
    let mut dopo = 0;
    loop {
        let pagina = store
            .variazioni(&pat01(), PRESTAZIONE.servizio, Inizio::Dopo(dopo), righe_max)
            .await
            .unwrap();
        assert!(pagina.righe.len() <= righe_max as usize);
        righe.extend(pagina.righe);
        dopo = pagina.posizione;
        if !pagina.altre {
            return righe;
        }
    }
}

async fn the_feed_tells_each_change_once_in_its_order(banco: &Banco) {
    banco.one(atto("A", 1, &[1, 2]), LUGLIO).await;
    banco.one(atto("B", 2, &[3]), LUGLIO).await;
    let vista = banco
        .store
        .domanda(
            &pat01(),
            PRESTAZIONE.servizio,
            &varco::domanda::consultazione::Riferimento::ChiaveInvio("A".parse().unwrap()),
        )
        .await
        .unwrap()
        .unwrap();
    banco.one(rinuncia("R", 3, &vista, &[2]), LUGLIO).await;

    let tutte = feed(&banco.store, 100).await;
    let dette: Vec<_> = tutte
        .iter()
        .map(|riga| {
            (
                riga.tipo.as_str(),
                riga.numero_domanda.0,
                riga.posto,
                riga.stato.map(|stato| stato.as_str()),
                riga.protocollo.numero(),
                riga.causa.as_ref().map(|causa| causa.numero()),
            )
        })
        .collect();
    assert_eq!(
        dette,
        [
            ("REGISTRATA", 1, None, Some("PRESENTATA"), 1, Some(1)),
            ("REGISTRATA", 2, None, Some("PRESENTATA"), 2, Some(2)),
            ("ATTO", 1, None, None, 1, Some(3)),
            ("STATO", 1, Some(2), Some("RINUNCIATA"), 1, Some(3)),
        ]
    );
    assert_eq!(feed(&banco.store, 1).await, tutte, "however it is cut into pages");
    assert_eq!(feed(&banco.store, 3).await, tutte);

    let altri = banco
        .store
        .variazioni(
            &"PAT02".parse().unwrap(),
            PRESTAZIONE.servizio,
            Inizio::Dopo(0),
            100,
        )
        .await
        .unwrap();
    assert_eq!((altri.righe.len(), altri.posizione, altri.altre), (0, 0, false));
}

async fn the_feed_begins_at_a_day(banco: &Banco) {
    banco.one(atto("A", 1, &[1]), "2021-07-01T08:00:00Z").await;
    banco.one(atto("B", 2, &[2]), "2021-07-02T08:00:00Z").await;
    banco.one(atto("C", 3, &[3]), "2021-07-03T08:00:00Z").await;
    for (dal, attese) in [
        ("2021-06-01T00:00:00Z", 3),
        ("2021-07-01T08:00:00Z", 3),
        ("2021-07-01T08:00:00.001Z", 2),
        ("2021-07-03T00:00:00Z", 1),
        ("2021-07-04T00:00:00Z", 0),
    ] {
        let inizio = Inizio::Dal(istante(dal));
        let pagina = banco
            .store
            .variazioni(&pat01(), PRESTAZIONE.servizio, inizio, 100)
            .await
            .unwrap();
        assert_eq!(pagina.righe.len(), attese, "{dal}");
        // What comes then is told from there, with nothing in between.
        assert_eq!(pagina.posizione, 3, "{dal}");
    }
}

/// Two gateways and another process write; a patronato follows, and has all of it in the end, in the order of the feed.
async fn no_row_of_the_feed_is_missed_while_others_write(banco: &Banco) {
    const GATEWAY: u64 = 2;
    const LOTTI: u64 = 25;
    const NEL_LOTTO: u64 = 4;
    let finito = Arc::new(AtomicBool::new(false));
    let seguace = tokio::spawn({
        let (store, finito) = (banco.store.clone(), finito.clone());
        async move {
            let (mut viste, mut dopo) = (Vec::new(), 0);
            loop {
                // Asked before the page: what was written by then is on it or on those after it.
                let ultimo_giro = finito.load(Ordering::SeqCst);
                let pagina = store
                    .variazioni(&pat01(), PRESTAZIONE.servizio, Inizio::Dopo(dopo), 7)
                    .await
                    .unwrap();
                dopo = pagina.posizione;
                viste.extend(pagina.righe);
                if ultimo_giro && !pagina.altre {
                    return viste;
                }
                tokio::task::yield_now().await;
            }
        }
    });
    let mut gateway = Vec::new();
    for g in 0..GATEWAY {
        let store = banco.another().await;
        gateway.push(tokio::spawn(async move {
            for lotto in 0..LOTTI {
                let atti: Vec<_> = (0..NEL_LOTTO)
                    .map(|n| atto(&format!("G{g}-{lotto}-{n}"), 1, &[g * 10_000 + lotto * 100 + n]))
                    .collect();
                for esito in store.register(&atti, istante(LUGLIO)).await.unwrap() {
                    crate::atti::registrata(&esito);
                }
            }
        }));
    }
    for compito in gateway {
        compito.await.unwrap();
    }
    finito.store(true, Ordering::SeqCst);
    let viste = seguace.await.unwrap();
    let scritte = GATEWAY * LOTTI * NEL_LOTTO;
    let numeri: BTreeSet<u64> = viste.iter().map(|riga| riga.numero_domanda.0).collect();
    assert_eq!(numeri, (1..=scritte).collect(), "every domanda was told");
    assert_eq!(viste.len() as u64, scritte, "each once");
    assert!(
        viste.is_sorted_by_key(|riga| riga.cursore),
        "in the order of the feed"
    );
    assert_eq!(viste, feed(&banco.store, 100).await);
}
