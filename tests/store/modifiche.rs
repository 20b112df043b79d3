//! The story of acts that change what a domanda says, and that add a sheet to it. Told on both kinds, by [`crate::story`].

use serde_json::json;
use varco::domanda::atto::{Effetto, Seguito};
use varco::domanda::consultazione::{DomandaConsultata, Riferimento};
use varco::domanda::quadro::{Quadro, Valori};
use varco::domanda::stato::{AzioneRichiesta, StatoDomanda};
use varco::domanda::{Allegato, Dettagli, Mese, Originale, PagamentoAltroGenitore, Scheda};
use varco::prestazione::Operazione;
use varco::prestazione::assegno_temporaneo::PRESTAZIONE;
use varco::protocollo::NumeroDomanda;
use varco::store::{Atto, Contenuto, Registrazione};

use crate::atti::{LUGLIO, atto, fascicolo, istante, minore, registrata, rinuncia};
use crate::banco::Banco;
use crate::story::vista;

/// An act on a domanda as it was seen, with these effects.
fn seguito(nome: &str, operazione: Operazione, vista: &DomandaConsultata, effetti: Vec<Effetto>) -> Atto {
    let mut modello = rinuncia(nome, 7, vista, &[]);
    modello.operazione = operazione;
    modello.presentata_il = istante("2021-09-01T08:00:00Z");
    let Contenuto::Seguito(della_rinuncia) = modello.contenuto else {
        panic!("an act");
    };
    modello.contenuto = Contenuto::Seguito(Seguito {
        effetti,
        ..della_rinuncia
    });
    modello
}

/// One sheet more, for this child.
fn aggiunta(nome: &str, vista: &DomandaConsultata, n: u64) -> Atto {
    let modello = atto(nome, 1, &[n]);
    let mut scheda: Scheda = modello.contenuto.schede().next().unwrap().clone();
    scheda.posto = u32::try_from(vista.schede.len()).unwrap() + 1;
    let effetti = vec![Effetto::Scheda(Box::new(scheda))];
    seguito(nome, Operazione::AggiungiMinore, vista, effetti)
}

async fn quadro(banco: &Banco, numero: u64) -> Quadro {
    let quadro = banco.store.quadro(NumeroDomanda(numero)).await;
    quadro.unwrap().unwrap()
}

pub(crate) async fn what_is_kept_of_a_domanda_is_what_was_sent(banco: &Banco) {
    let mut inviata = atto("a", 1, &[1, 2]);
    let fascicolo = fascicolo(&mut inviata);
    fascicolo.dettagli = Dettagli::default()
        .with("anno_competenza", 2022)
        .with("nucleo", vec!["uno".to_owned(), "due".to_owned()]);
    fascicolo.pagamento.modalita = "CC";
    fascicolo.pagamento.iban = Some("IT60X0542811101000000123456".parse().unwrap());
    fascicolo.pagamento.intestato_richiedente = Some(true);
    fascicolo.dichiarazioni[3].scelta = Some("ITALIANO");
    fascicolo.schede[0].dettagli = Dettagli::default().with("nuova_nascita", true);
    fascicolo.schede[0].pagamento_altro_genitore = Some(PagamentoAltroGenitore {
        modalita: "IBAN",
        iban: Some("IT60X0542811101000000123456".parse().unwrap()),
    });
    fascicolo.schede[1].data_nascita = None;
    let atteso = fascicolo.clone();
    banco.one(inviata, LUGLIO).await;

    let quadro = quadro(banco, 1).await;
    assert_eq!(quadro.domanda, Valori::of_domanda(&atteso));
    let schede: Vec<&Valori> = quadro.schede.iter().map(|scheda| &scheda.valori).collect();
    let attese: Vec<Valori> = atteso.schede.iter().map(Valori::of_scheda).collect();
    assert_eq!(schede, attese.iter().collect::<Vec<_>>());
    assert_eq!(quadro.allegati.into_iter().collect::<Vec<_>>(), [[9; 32]]);
    assert_eq!(banco.store.quadro(NumeroDomanda(2)).await.unwrap(), None);
}

pub(crate) async fn what_an_act_changes_is_read_by_who_comes_after(banco: &Banco) {
    let mut inviata = atto("a", 1, &[1, 2]);
    fascicolo(&mut inviata).dettagli = Dettagli::default().with("isee_presente", false);
    banco.one(inviata.clone(), LUGLIO).await;
    let mut motore = banco.raw().await;
    motore
        .execute(
            "UPDATE schede SET stato = 'IN_ISTRUTTORIA' WHERE posto = 2;
             UPDATE schede SET stato = 'IN_EVIDENZA_CITTADINO', azione_richiesta = 'AGGIORNARE_DATI_FIGLIO' WHERE posto = 2",
        )
        .await
        .unwrap();
    let stato_dal = motore
        .rows("SELECT stato_dal FROM motore_schede_v1 WHERE posto = 2")
        .await;

    let nuovo = fascicolo(&mut inviata);
    nuovo.richiedente.email = Some("mario@example.org".to_owned());
    nuovo.richiedente.cellulare = None;
    nuovo.presentata_da = "TUTORE_DEL_GENITORE";
    nuovo.genitore_tutelato = Some(minore(9));
    nuovo.dichiarazioni[6].scelta = Some("RESIDENZA");
    nuovo.pagamento.modalita = "CC";
    nuovo.pagamento.iban = Some("IT60X0542811101000000123456".parse().unwrap());
    nuovo.pagamento.intestato_richiedente = Some(true);
    nuovo.dettagli = Dettagli::default().with("isee_presente", true);
    let scheda = &mut nuovo.schede[1];
    scheda.disabile = true;
    scheda.data_nascita = Some("2015-02-03".parse().unwrap());
    scheda.altro_genitore = None;
    scheda.altro_genitore_assente = Some("DECEDUTO");
    scheda.ripartizione = "INTERO_RICHIEDENTE";
    scheda.dettagli = Dettagli::default().with("disabilita", "GRAVE");
    let (valori, della_scheda) = (Valori::of_domanda(nuovo), Valori::of_scheda(&nuovo.schede[1]));
    let vista = vista(banco, 1).await;
    let mut modifica = seguito(
        "m",
        Operazione::ModificaDomanda,
        &vista,
        vec![
            Effetto::Dati {
                posto: None,
                valori: valori.clone(),
                decorrenza_presunta: None,
            },
            Effetto::Pagamento {
                valori: valori.clone(),
            },
            Effetto::Contatti {
                valori: valori.clone(),
            },
            Effetto::Dati {
                posto: Some(2),
                valori: della_scheda.clone(),
                decorrenza_presunta: Some(Mese { anno: 2021, mese: 9 }),
            },
            Effetto::Stato {
                posto: 2,
                stato: StatoDomanda::InEvidenzaCittadino,
                azione: AzioneRichiesta::Nessuna,
                libera: None,
            },
        ],
    );
    if let Contenuto::Seguito(seguito) = &mut modifica.contenuto {
        seguito.allegati = vec![Allegato {
            tipo: "CERT_DISABILITA",
            nome_file: "certificato.pdf".to_owned(),
            tipo_mime: "application/pdf",
            impronta: [8; 32],
            bytes_len: 77,
            originale: Originale::default(),
        }];
    }
    let esito = banco.one(modifica, LUGLIO).await;
    assert_eq!(registrata(&esito).protocollo.numero(), 2);

    let dopo = quadro(banco, 1).await;
    assert_eq!(dopo.domanda, valori);
    assert_eq!(dopo.schede[1].valori, della_scheda);
    assert_eq!(
        dopo.schede[0].valori,
        Valori::of_scheda(&fascicolo(&mut inviata).schede[0]),
        "the other sheet is as it was"
    );
    assert_eq!(dopo.allegati.len(), 2);
    let rivista = crate::story::vista(banco, 1).await;
    assert_eq!(
        rivista.schede[1].decorrenza_presunta,
        Some(Mese { anno: 2021, mese: 9 })
    );
    assert!(rivista.versione > vista.versione);
    assert_eq!(rivista.richiedente.email.as_deref(), Some("mario@example.org"));
    // What was asked for is asked no more; the state, and since when, are the engine's.
    assert_eq!(
        (rivista.schede[1].stato, rivista.schede[1].azione_richiesta),
        (StatoDomanda::InEvidenzaCittadino, AzioneRichiesta::Nessuna)
    );
    let ancora = motore
        .rows("SELECT stato_dal FROM motore_schede_v1 WHERE posto = 2")
        .await;
    assert_eq!(ancora, stato_dal);
    let feed = motore
        .rows("SELECT tipo, posto, stato, azione_richiesta AS azione FROM variazioni WHERE registrazione IN (SELECT registrazione FROM atti) ORDER BY cursore")
        .await;
    assert_eq!(
        feed,
        [
            json!({"tipo": "ATTO", "posto": null, "stato": null, "azione": null}),
            json!({"tipo": "MODIFICA", "posto": null, "stato": null, "azione": null}),
            json!({"tipo": "MODIFICA", "posto": 2, "stato": null, "azione": null}),
            json!({"tipo": "STATO", "posto": 2, "stato": "IN_EVIDENZA_CITTADINO", "azione": "NESSUNA"}),
        ]
    );
    let allegati = motore
        .rows("SELECT protocollo, nome_file FROM motore_allegati_v1 ORDER BY protocollo")
        .await;
    assert_eq!(
        allegati,
        [
            json!({"protocollo": "INPS-AUF-2021-000000000001", "nome_file": "foglio.pdf"}),
            json!({"protocollo": "INPS-AUF-2021-000000000002", "nome_file": "certificato.pdf"}),
        ]
    );
    let dichiarazione =
        "SELECT count(*) AS n FROM motore_dichiarazioni_v1 WHERE codice = 'D7' AND scelta = 'RESIDENZA'";
    assert_eq!(motore.number(dichiarazione).await, 1);
    banco.all_is_well(2).await;
}

pub(crate) async fn a_sheet_that_is_added_takes_its_child(banco: &Banco) {
    banco.one(atto("a", 1, &[1, 2]), LUGLIO).await;
    banco.one(atto("b", 2, &[3]), LUGLIO).await;
    // Of a domanda and an act for the same child the first is registered; the place that is told is the act's own.
    let prima = vista(banco, 1).await;
    let esiti = banco
        .register(
            &[
                aggiunta("x", &prima, 3),
                aggiunta("y", &prima, 4),
                atto("z", 3, &[4]),
            ],
            LUGLIO,
        )
        .await;
    let viva = |esito: &Registrazione| match esito {
        Registrazione::SchedaViva(schede) => schede.iter().map(|(posto, _)| *posto).collect::<Vec<_>>(),
        altro => panic!("{altro:?}"),
    };
    assert_eq!(viva(&esiti[0]), [3]);
    assert_eq!(registrata(&esiti[1]).protocollo.numero(), 3, "no number is burnt");
    assert_eq!(viva(&esiti[2]), [1]);

    // A child that is given up is free for another domanda in the same batch.
    let (una, altra) = (vista(banco, 1).await, vista(banco, 2).await);
    let esiti = banco
        .register(&[rinuncia("r", 5, &una, &[3]), aggiunta("w", &altra, 4)], LUGLIO)
        .await;
    assert_eq!(registrata(&esiti[0]).protocollo.numero(), 4);
    assert_eq!(registrata(&esiti[1]).numero_domanda, NumeroDomanda(2));
    // It holds its child from then on, until it is given up in its turn.
    let dopo = banco.one(atto("v", 6, &[4]), LUGLIO).await;
    assert_eq!(viva(&dopo), [1]);
    let ultima = rinuncia("s", 7, &vista(banco, 2).await, &[2]);
    banco.one(ultima, LUGLIO).await;
    let libera = banco.one(atto("v", 6, &[4]), LUGLIO).await;
    assert_eq!(registrata(&libera).protocollo.numero(), 7);

    // When each sheet came: its age counts from there.
    let mut motore = banco.raw().await;
    let presentate = motore
        .rows(
            "SELECT numero_domanda AS numero, posto, protocollo, operazione FROM motore_presentazioni_v1
             WHERE numero_domanda = 1 ORDER BY posto",
        )
        .await;
    let riga = |posto, numero: u64, operazione| json!({"numero": 1, "posto": posto, "protocollo": format!("INPS-AUF-2021-{numero:012}"), "operazione": operazione});
    assert_eq!(
        presentate,
        [
            riga(1, 1, "InviaDomanda"),
            riga(2, 1, "InviaDomanda"),
            riga(3, 3, "AggiungiMinore"),
        ]
    );
    let quadro = quadro(banco, 1).await;
    assert_eq!(quadro.schede[2].presentata_il, istante("2021-09-01T08:00:00Z"));
    let feed = motore
        .rows("SELECT tipo, posto, stato FROM variazioni WHERE tipo = 'SCHEDA' ORDER BY cursore")
        .await;
    assert_eq!(
        feed,
        [
            json!({"tipo": "SCHEDA", "posto": 3, "stato": "PRESENTATA"}),
            json!({"tipo": "SCHEDA", "posto": 2, "stato": "PRESENTATA"}),
        ]
    );
    banco.all_is_well(7).await;
}

pub(crate) async fn an_act_that_adds_a_sheet_too_late_takes_no_child(banco: &Banco) {
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let prima = vista(banco, 1).await;
    let esiti = banco
        .register(&[aggiunta("x", &prima, 2), aggiunta("y", &prima, 3)], LUGLIO)
        .await;
    assert_eq!(registrata(&esiti[0]).protocollo.numero(), 2);
    assert_eq!(esiti[1], Registrazione::Superata);
    let libera = banco.one(atto("z", 3, &[3]), LUGLIO).await;
    assert_eq!(registrata(&libera).protocollo.numero(), 3);
    banco.all_is_well(3).await;
}

pub(crate) async fn a_registration_is_found_by_its_own_name(banco: &Banco) {
    banco.one(atto("a", 1, &[1, 2]), LUGLIO).await;
    let fatta = banco
        .one(rinuncia("r", 2, &vista(banco, 1).await, &[2]), LUGLIO)
        .await;
    let find = async |ente: &str, riferimento: Riferimento| {
        let ente = ente.parse().unwrap();
        let trovata = banco
            .store
            .registrazione(&ente, PRESTAZIONE.servizio, &riferimento)
            .await;
        trovata
            .unwrap()
            .map(|trovata| trovata.registrata.protocollo.numero())
    };
    let protocollo = registrata(&fatta).protocollo.clone();
    assert_eq!(
        find("PAT01", Riferimento::Protocollo(protocollo.clone())).await,
        Some(2)
    );
    assert_eq!(
        find("PAT01", Riferimento::ChiaveInvio("r".parse().unwrap())).await,
        Some(2)
    );
    assert_eq!(find("PAT01", Riferimento::Impronta([2; 32])).await, Some(2));
    assert_eq!(
        find("PAT01", Riferimento::ChiaveInvio("a".parse().unwrap())).await,
        Some(1)
    );
    assert_eq!(
        find("PAT01", Riferimento::NumeroDomanda(NumeroDomanda(1))).await,
        Some(1)
    );
    assert_eq!(find("PAT02", Riferimento::Protocollo(protocollo)).await, None);
}
