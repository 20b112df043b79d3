//! Lists by pages: each row once, in order, whoever writes meanwhile; and along an index, however much there is.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::SignedDuration;
use varco::domanda::consultazione::Riferimento;
use varco::domanda::elenco::{DomandaElencata, Filtro, Inizio, Ordine, Variazione};
use varco::domanda::stato::{AzioneRichiesta, StatoDomanda};
use varco::patronato::CodiceEnte;
use varco::prestazione::assegno_temporaneo::PRESTAZIONE;
use varco::store::{Atto, SharedStore};

use crate::atti::{LUGLIO, atto, fascicolo, istante, minore, options, rinuncia};
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
                a_domanda_is_found_by_each_criterion_and_by_all_together,
                the_list_is_the_same_however_it_is_cut_into_pages,
                a_search_that_finds_little_goes_on_over_short_pages,
                the_list_follows_whoever_moves_a_sheet,
                a_domanda_is_told_with_reasons_payments_and_acts,
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
            &Riferimento::ChiaveInvio("A".parse().unwrap()),
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
                riga.stato.map(StatoDomanda::as_str),
                riga.protocollo.numero(),
                riga.causa
                    .as_ref()
                    .map(varco::protocollo::NumeroProtocollo::numero),
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

/// All that a search finds, page by page, with the number of pages.
async fn cercate(store: &SharedStore, filtro: &Filtro, righe_max: u32) -> (Vec<DomandaElencata>, usize) {
    let (mut righe, mut dopo, mut pagine) = (Vec::new(), None, 0);
    loop {
        let pagina = store
            .ricerca(&pat01(), PRESTAZIONE.servizio, filtro, dopo, righe_max)
            .await
            .unwrap();
        assert!(pagina.righe.len() <= righe_max as usize);
        pagine += 1;
        righe.extend(pagina.righe);
        if !pagina.altre {
            return (righe, pagine);
        }
        assert_ne!(pagina.posizione, dopo, "the list goes on");
        dopo = pagina.posizione;
    }
}

fn numeri(righe: &[DomandaElencata]) -> Vec<u64> {
    righe.iter().map(|riga| riga.numero_domanda.0).collect()
}

/// An act presented so many hours after the first, from an ufficio.
fn presentata(nome: &str, ore: i64, ufficio: &str, minori: &[u64]) -> Atto {
    Atto {
        presentata_il: istante(LUGLIO) + SignedDuration::from_hours(ore),
        codice_ufficio: ufficio.parse().unwrap(),
        ..atto(nome, 1, minori)
    }
}

async fn a_domanda_is_found_by_each_criterion_and_by_all_together(banco: &Banco) {
    let mut altra = presentata("B", 24, "002", &[3]);
    fascicolo(&mut altra).richiedente.codice_fiscale = "VRDLGU82B52F205E".parse().unwrap();
    banco
        .register(
            &[
                presentata("A", 0, "001", &[1, 2]),
                altra,
                presentata("C", 48, "002", &[4]),
            ],
            LUGLIO,
        )
        .await;
    let mut motore = banco.raw().await;
    motore
        .execute("UPDATE schede SET stato = 'IN_ISTRUTTORIA' WHERE numero_domanda = 1 AND posto = 2")
        .await
        .unwrap();
    motore
        .execute(
            "UPDATE schede SET stato = 'IN_EVIDENZA_CITTADINO', azione_richiesta = 'AGGIORNARE_IBAN'
             WHERE numero_domanda = 1 AND posto = 2",
        )
        .await
        .unwrap();

    let tutto = Filtro::default;
    let evidenza = Some(StatoDomanda::InEvidenzaCittadino);
    let verde = Some("VRDLGU82B52F205E".parse().unwrap());
    let di_uno = Some("001".parse().unwrap());
    for (filtro, attese) in [
        (tutto(), vec![3, 2, 1]),
        (
            Filtro {
                ordine: Ordine::DallaMenoRecente,
                ..tutto()
            },
            vec![1, 2, 3],
        ),
        (
            Filtro {
                richiedente: verde.clone(),
                ..tutto()
            },
            vec![2],
        ),
        (
            Filtro {
                minore: Some(minore(2)),
                ..tutto()
            },
            vec![1],
        ),
        (
            Filtro {
                minore: Some(minore(9)),
                ..tutto()
            },
            vec![],
        ),
        (
            Filtro {
                dal: Some(istante("2021-07-02T08:00:00.001Z")),
                ..tutto()
            },
            vec![3],
        ),
        (
            Filtro {
                prima_di: Some(istante("2021-07-02T08:00:00Z")),
                ..tutto()
            },
            vec![1],
        ),
        (
            Filtro {
                stato: evidenza,
                ..tutto()
            },
            vec![1],
        ),
        (
            Filtro {
                stato: Some(StatoDomanda::Presentata),
                ..tutto()
            },
            vec![3, 2, 1],
        ),
        (
            Filtro {
                azione_richiesta: Some(AzioneRichiesta::AggiornareIban),
                ..tutto()
            },
            vec![1],
        ),
        (
            Filtro {
                azione_richiesta: Some(AzioneRichiesta::Nessuna),
                ..tutto()
            },
            vec![3, 2, 1],
        ),
        (
            Filtro {
                codice_ufficio: Some("002".parse().unwrap()),
                ..tutto()
            },
            vec![3, 2],
        ),
        // Of one and the same sheet: the one that is waited for is not the first child's.
        (
            Filtro {
                minore: Some(minore(1)),
                stato: evidenza,
                ..tutto()
            },
            vec![],
        ),
        (
            Filtro {
                minore: Some(minore(2)),
                stato: evidenza,
                azione_richiesta: Some(AzioneRichiesta::AggiornareIban),
                codice_ufficio: di_uno.clone(),
                dal: Some(istante("2021-06-30T22:00:00Z")),
                prima_di: Some(istante("2021-07-01T22:00:00Z")),
                ..tutto()
            },
            vec![1],
        ),
        // The same of a domanda that is found as a whole: its first child's sheet is the one that waits for nothing.
        (
            Filtro {
                stato: Some(StatoDomanda::Presentata),
                azione_richiesta: Some(AzioneRichiesta::Nessuna),
                codice_ufficio: di_uno.clone(),
                ..tutto()
            },
            vec![1],
        ),
        (
            Filtro {
                richiedente: verde.clone(),
                stato: evidenza,
                ..tutto()
            },
            vec![],
        ),
        (
            Filtro {
                richiedente: verde,
                codice_ufficio: di_uno,
                ..tutto()
            },
            vec![],
        ),
    ] {
        let (righe, _) = cercate(&banco.store, &filtro, 100).await;
        assert_eq!(numeri(&righe), attese, "{filtro:?}");
    }

    let (righe, _) = cercate(&banco.store, &tutto(), 100).await;
    let prima = &righe[2];
    assert_eq!(
        (
            prima.protocollo.numero(),
            prima.codice_ufficio.as_str(),
            prima.annullata
        ),
        (1, "001", false)
    );
    assert_eq!(prima.presentata_da.as_deref(), Some("GENITORE"));
    assert_eq!(
        prima
            .richiedente
            .as_ref()
            .map(varco::domanda::CodiceFiscale::as_str),
        Some("RSSMRA80A01H501U")
    );
    let schede: Vec<_> = prima
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
        [
            (1, "PRESENTATA", "NESSUNA"),
            (2, "IN_EVIDENZA_CITTADINO", "AGGIORNARE_IBAN")
        ]
    );
    let altri = banco
        .store
        .ricerca(
            &"PAT02".parse().unwrap(),
            PRESTAZIONE.servizio,
            &tutto(),
            None,
            100,
        )
        .await
        .unwrap();
    assert!(altri.righe.is_empty() && !altri.altre && altri.posizione.is_none());
}

async fn the_list_is_the_same_however_it_is_cut_into_pages(banco: &Banco) {
    // Several at the same instant, and of several sheets.
    let atti: Vec<_> = (0..23)
        .map(|n| {
            presentata(
                &format!("P-{n}"),
                n / 5,
                "001",
                &[n.unsigned_abs() * 3, n.unsigned_abs() * 3 + 1],
            )
        })
        .collect();
    banco.register(&atti, LUGLIO).await;
    for ordine in Ordine::TUTTI {
        let filtro = Filtro {
            ordine: *ordine,
            ..Filtro::default()
        };
        let (intera, pagine) = cercate(&banco.store, &filtro, 100).await;
        assert_eq!((intera.len(), pagine), (23, 1));
        for righe_max in [1, 4, 23] {
            let (a_pezzi, _) = cercate(&banco.store, &filtro, righe_max).await;
            assert_eq!(a_pezzi, intera, "{righe_max} a page, {ordine:?}");
        }
        let mut per_presentazione = numeri(&intera);
        if *ordine == Ordine::DallaPiuRecente {
            per_presentazione.reverse();
        }
        assert_eq!(per_presentazione, (1..=23).collect::<Vec<_>>());
    }
}

/// The last of very many: what one criterion finds is walked over a piece a page, and nothing is told twice or left out.
async fn a_search_that_finds_little_goes_on_over_short_pages(banco: &Banco) {
    banco.one(presentata("PRIMA", 0, "002", &[900_001]), LUGLIO).await;
    let atti: Vec<_> = (0..45)
        .map(|n| {
            let figli: Vec<u64> = (0..100).map(|figlio| n * 100 + figlio).collect();
            presentata(&format!("M-{n}"), 1, "001", &figli)
        })
        .collect();
    for lotto in atti.chunks(9) {
        banco.register(lotto, LUGLIO).await;
    }
    banco
        .one(presentata("ULTIMA", 2, "002", &[900_002]), LUGLIO)
        .await;
    banco
        .raw()
        .await
        .execute("UPDATE schede SET stato = 'IN_ISTRUTTORIA'")
        .await
        .unwrap();
    let filtro = Filtro {
        stato: Some(StatoDomanda::InIstruttoria),
        codice_ufficio: Some("002".parse().unwrap()),
        ..Filtro::default()
    };
    let (righe, pagine) = cercate(&banco.store, &filtro, 100).await;
    assert_eq!(numeri(&righe), [47, 1]);
    assert!(pagine >= 3, "{pagine}");
    let (indietro, _) = cercate(
        &banco.store,
        &Filtro {
            ordine: Ordine::DallaMenoRecente,
            ..filtro
        },
        100,
    )
    .await;
    assert_eq!(numeri(&indietro), [1, 47]);
    // And with everything found: a page holds fewer domande where they have very many sheets.
    let tutte = Filtro {
        stato: Some(StatoDomanda::InIstruttoria),
        ..Filtro::default()
    };
    let (righe, _) = cercate(&banco.store, &tutte, 100).await;
    assert_eq!(numeri(&righe), (1..=47).rev().collect::<Vec<_>>());
    assert!(righe[1..46].iter().all(|riga| riga.schede.len() == 100));
}

async fn the_list_follows_whoever_moves_a_sheet(banco: &Banco) {
    banco.one(atto("A", 1, &[1, 2]), LUGLIO).await;
    let vista = banco
        .store
        .domanda(
            &pat01(),
            PRESTAZIONE.servizio,
            &Riferimento::ChiaveInvio("A".parse().unwrap()),
        )
        .await
        .unwrap()
        .unwrap();
    banco.one(rinuncia("R", 3, &vista, &[2]), LUGLIO).await;
    banco
        .raw()
        .await
        .execute("UPDATE schede SET stato = 'IN_ISTRUTTORIA' WHERE posto = 1")
        .await
        .unwrap();
    for (stato, trovate) in [
        (StatoDomanda::Rinunciata, 1),
        (StatoDomanda::InIstruttoria, 1),
        (StatoDomanda::Presentata, 0),
    ] {
        let filtro = Filtro {
            stato: Some(stato),
            ..Filtro::default()
        };
        assert_eq!(
            cercate(&banco.store, &filtro, 100).await.0.len(),
            trovate,
            "{stato:?}"
        );
    }
    // A child is found by a closed sheet, too.
    let del_secondo = Filtro {
        minore: Some(minore(2)),
        ..Filtro::default()
    };
    let (righe, _) = cercate(&banco.store, &del_secondo, 100).await;
    assert_eq!(numeri(&righe), [1]);
}

/// An engine that works domanda 1 by the contract: each of these is the rest of a decision about a sheet.
pub(crate) async fn engine_decides(banco: &Banco, decisioni: &[(u32, &str, &str)]) {
    let mut motore = banco.raw().await;
    motore
        .execute(
            "INSERT INTO motore_prese_v1 (numero_domanda, motore, gettone, durata_s)
             VALUES (1, 'prova', 'gettone-di-prova-1', 60)",
        )
        .await
        .unwrap();
    for (posto, colonne, valori) in decisioni {
        motore
            .execute(&format!(
                "INSERT INTO motore_decisioni_v1 (numero_domanda, posto, gettone, versione, {colonne})
                 SELECT 1, {posto}, 'gettone-di-prova-1', versione, {valori}
                 FROM motore_stati_v1
                 WHERE numero_domanda = 1 AND posto = {posto}"
            ))
            .await
            .unwrap();
    }
    motore
        .execute("DELETE FROM motore_prese_v1 WHERE numero_domanda = 1")
        .await
        .unwrap();
}

pub(crate) const STATO: &str = "tipo, da, a, azione_richiesta, azione_motivo";
pub(crate) const PAGAMENTO: &str = "tipo, pagamento, mese, beneficiario, importo_cent, motivo";

async fn a_domanda_is_told_with_reasons_payments_and_acts(banco: &Banco) {
    banco.one(atto("A", 1, &[1, 2]), LUGLIO).await;
    let nome = Riferimento::ChiaveInvio("A".parse().unwrap());
    let vista = banco
        .store
        .domanda(&pat01(), PRESTAZIONE.servizio, &nome)
        .await
        .unwrap()
        .unwrap();
    banco
        .one(rinuncia("R", 3, &vista, &[2]), "2021-07-02T08:00:00Z")
        .await;
    engine_decides(
        banco,
        &[
            (
                1,
                STATO,
                "'STATO', 'PRESENTATA', 'IN_ISTRUTTORIA', 'NESSUNA', NULL",
            ),
            (1, STATO, "'STATO', 'IN_ISTRUTTORIA', 'ACCOLTA', 'NESSUNA', NULL"),
            (
                1,
                PAGAMENTO,
                "'PAGAMENTO', 'PAGATO', '2021-07', 'RICHIEDENTE', 8305, NULL",
            ),
            (
                1,
                PAGAMENTO,
                "'PAGAMENTO', 'RESTITUITO', '2021-07', 'RICHIEDENTE', 8305, 'conto chiuso'",
            ),
            (
                1,
                STATO,
                "'STATO', 'ACCOLTA', 'ACCOLTA', 'AGGIORNARE_IBAN', 'IBAN non abbinato'",
            ),
        ],
    )
    .await;

    let ente = pat01();
    for nome in [
        nome,
        Riferimento::NumeroDomanda(varco::protocollo::NumeroDomanda(1)),
        Riferimento::Protocollo("INPS-AUF-2021-000000000001".parse().unwrap()),
        // An act leads to its domanda.
        Riferimento::Protocollo("INPS-AUF-2021-000000000002".parse().unwrap()),
        Riferimento::Impronta([1; 32]),
    ] {
        let detta = banco
            .store
            .consulta(&ente, PRESTAZIONE.servizio, &nome)
            .await
            .unwrap()
            .unwrap_or_else(|| panic!("{nome:?}"));
        assert_eq!((detta.protocollo.numero(), detta.numero_domanda.0), (1, 1));
        assert_eq!((detta.chiave.as_str(), detta.annullata), ("A", false));
        assert_eq!(detta.registrata_il, istante(LUGLIO));
        let [prima, seconda] = &detta.schede[..] else {
            panic!("{detta:?}")
        };
        assert_eq!(
            (prima.stato, seconda.stato),
            (StatoDomanda::Accolta, StatoDomanda::Rinunciata)
        );
        assert_eq!(prima.azione_richiesta, AzioneRichiesta::AggiornareIban);
        assert_eq!(prima.azione_motivo.as_deref(), Some("IBAN non abbinato"));
        assert_eq!(prima.ripartizione, "META_ENTRAMBI");
        assert_eq!(seconda.stato_dal, istante("2021-07-02T08:00:00Z"));
        let pagamenti: Vec<_> = prima
            .pagamenti
            .iter()
            .map(|pagamento| {
                (
                    pagamento.tipo.as_str(),
                    pagamento.importo_cent,
                    pagamento.motivo.as_deref(),
                )
            })
            .collect();
        assert_eq!(
            pagamenti,
            [("PAGATO", 8305, None), ("RESTITUITO", 8305, Some("conto chiuso"))]
        );
        assert!(seconda.pagamenti.is_empty());
        let atti: Vec<_> = detta
            .atti
            .iter()
            .map(|atto| (atto.protocollo.numero(), atto.operazione.as_str(), atto.annullata))
            .collect();
        assert_eq!(atti, [(2, "RinunciaDomanda", false)]);
    }
    for ente in ["PAT01", "PAT02"] {
        let altrui = Riferimento::NumeroDomanda(varco::protocollo::NumeroDomanda(2));
        let nessuna = banco
            .store
            .consulta(&ente.parse().unwrap(), PRESTAZIONE.servizio, &altrui)
            .await
            .unwrap();
        assert_eq!(nessuna, None);
    }

    let dette: Vec<_> = feed(&banco.store, 100)
        .await
        .into_iter()
        .map(|riga| (riga.tipo, riga.motivo))
        .collect();
    let motivi = [
        ("REGISTRATA", None),
        ("ATTO", None),
        ("STATO", None),
        ("STATO", None),
        ("STATO", None),
        ("PAGAMENTO", Some("PAGATO 2021-07 RICHIEDENTE")),
        ("PAGAMENTO", Some("RESTITUITO 2021-07 RICHIEDENTE: conto chiuso")),
        ("STATO", Some("IBAN non abbinato")),
    ]
    .map(|(tipo, motivo)| (tipo.to_owned(), motivo.map(str::to_owned)));
    assert_eq!(dette, motivi);
}

/// On PostgreSQL no page reads a table from end to end, nor much more of it than it tells.
#[tokio::test]
async fn on_postgres_a_page_is_a_walk_along_one_index() {
    const DOMANDE: i64 = 40_000;
    let Some(banco) = Banco::postgres().await else {
        return;
    };
    let mut raw = banco.raw().await;
    raw.execute(&format!(
        "SELECT varco_prepara_anno(2021);
         INSERT INTO elenco (ente, servizio, presentata_il, numero_domanda, posto, registrazione, anno, codice_ufficio,
             richiedente, codice_fiscale, stato, azione_richiesta)
         SELECT 'PAT0' || n % 3, 'AssegnoTemporaneo', timestamptz '2021-07-01T08:00:00Z' + n * interval '1 s', n, 1, n, 2021,
                to_char(n % 40, 'FM000'), 'R' || n % 9000, 'M' || n,
                (ARRAY['PRESENTATA', 'ACCOLTA', 'IN_ISTRUTTORIA', 'RESPINTA'])[n % 7 % 4 + 1],
                CASE WHEN n % 50 = 0 THEN 'AGGIORNARE_IBAN' ELSE 'NESSUNA' END
         FROM generate_series(1, {DOMANDE}) AS n;
         INSERT INTO variazioni (cursore, istante, tipo, ente, servizio, numero_domanda)
         SELECT n, timestamptz '2021-07-01T08:00:00Z' + n * interval '1 s', 'STATO', 'PAT0' || n % 3, 'AssegnoTemporaneo', n
         FROM generate_series(1, {DOMANDE}) AS n;
         ANALYZE elenco; ANALYZE variazioni"
    ))
    .await
    .unwrap();
    raw.execute("SELECT pg_stat_reset()").await.unwrap();

    let (store, _) = varco::store::open(&banco.url(), &options()).await.unwrap();
    let chi = || Some("RSSMRA80A01H501U".parse().unwrap());
    let tutto = Filtro::default;
    let filtri = [
        tutto(),
        Filtro {
            dal: Some(istante("2021-07-01T12:00:00Z")),
            ..tutto()
        },
        Filtro {
            richiedente: chi(),
            ..tutto()
        },
        Filtro {
            minore: chi(),
            ..tutto()
        },
        Filtro {
            stato: Some(StatoDomanda::Accolta),
            ..tutto()
        },
        Filtro {
            azione_richiesta: Some(AzioneRichiesta::AggiornareIban),
            ..tutto()
        },
        Filtro {
            codice_ufficio: Some("007".parse().unwrap()),
            ..tutto()
        },
        Filtro {
            stato: Some(StatoDomanda::Respinta),
            codice_ufficio: Some("999".parse().unwrap()),
            ..tutto()
        },
    ];
    let mut pagine = 0;
    for filtro in &filtri {
        for ordine in Ordine::TUTTI {
            let filtro = Filtro {
                ordine: *ordine,
                ..filtro.clone()
            };
            store
                .ricerca(&pat01(), PRESTAZIONE.servizio, &filtro, None, 100)
                .await
                .unwrap();
            pagine += 1;
        }
    }
    for inizio in [
        Inizio::Dopo(0),
        Inizio::Dopo(20_000),
        Inizio::Dal(istante("2021-07-01T12:00:00Z")),
    ] {
        store
            .variazioni(&pat01(), PRESTAZIONE.servizio, inizio, 100)
            .await
            .unwrap();
    }
    // What a connection has counted is told when it ends, a moment after.
    store.close().await;
    let mut lette = Vec::new();
    for _ in 0..100 {
        lette = raw
            .rows(
                "SELECT relname, seq_scan, coalesce(idx_tup_fetch, 0) AS per_indice
                 FROM pg_stat_user_tables
                 WHERE (relname = 'elenco' OR relname LIKE 'variazioni%') AND seq_scan + coalesce(idx_scan, 0) > 0",
            )
            .await;
        if lette.len() >= 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(
        lette.iter().any(|tabella| tabella["relname"] == "elenco"),
        "{lette:?}"
    );
    for tabella in &lette {
        assert_eq!(tabella["seq_scan"], 0, "{tabella}");
        // Twice what a page looks at, and the page itself.
        let per_pagina = tabella["per_indice"].as_i64().unwrap() / pagine;
        assert!(per_pagina <= 2 * 2000 + 200, "{tabella}");
    }
}
