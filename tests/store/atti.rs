//! What a test hands in: acts whose content, key and children follow from small numbers.

use bytes::Bytes;
use jiff::Timestamp;
use uuid::Uuid;
use varco::domanda::atto::Seguito;
use varco::domanda::consultazione::DomandaConsultata;
use varco::domanda::stato::{AzioneRichiesta, StatoDomanda};
use varco::domanda::{
    Allegato, Ambiente, Assistenza, CodiceFiscale, Dettagli, Dichiarazione, Fascicolo, Mese, Originale,
    Pagamento, Richiedente, Scheda,
};
use varco::prestazione::Operazione;
use varco::prestazione::assegno_temporaneo::PRESTAZIONE;
use varco::ricevuta::{Digest, Registrata, Ricevuta};
use varco::store::{Atto, Chiave, Contenuto, OpenOptions, Registrazione};
use varco::trace::Traccia;

pub(crate) const LUGLIO: &str = "2021-07-01T08:00:00Z";

pub(crate) fn istante(testo: &str) -> Timestamp {
    testo.parse().unwrap()
}

/// A provisional codice fiscale with its check digit: as many children as a test needs.
pub(crate) fn minore(n: u64) -> CodiceFiscale {
    let dieci = format!("{n:010}");
    let somma: u32 = dieci
        .chars()
        .enumerate()
        .map(|(posto, cifra)| {
            let cifra = cifra.to_digit(10).unwrap();
            match posto % 2 {
                0 => cifra,
                _ if cifra > 4 => cifra * 2 - 9,
                _ => cifra * 2,
            }
        })
        .sum();
    format!("{dieci}{}", (10 - somma % 10) % 10).parse().unwrap()
}

/// A receipt that says what a test wants to compare, and is no XML.
pub(crate) fn stampa(ricevuta: &Ricevuta) -> Vec<u8> {
    format!(
        "{} n. {} per {} presentata {} registrata {} [{}] {}",
        ricevuta.protocollo,
        ricevuta.numero_domanda.0,
        ricevuta.chiave,
        ricevuta.presentata_il,
        ricevuta.registrata_il,
        ricevuta.oggetto,
        ricevuta.ambiente.as_str(),
    )
    .into_bytes()
}

pub(crate) fn chiave(nome: &str) -> Chiave {
    Chiave {
        ente: "PAT01".parse().unwrap(),
        servizio: PRESTAZIONE.servizio,
        chiave: nome.parse().unwrap(),
    }
}

/// An act with this key, this content and these children.
pub(crate) fn atto(nome: &str, contenuto: u8, minori: &[u64]) -> Atto {
    let richiesta =
        Bytes::from(format!("<Envelope><Domanda>{nome} {contenuto}</Domanda></Envelope>").repeat(20));
    Atto {
        chiave: chiave(nome),
        prestazione: &PRESTAZIONE,
        digest: Digest([contenuto; 32]),
        impronta: [contenuto; 32],
        presentata_il: istante("2021-07-01T07:59:59.123456Z"),
        ente_denominazione: "Patronato Uno".to_owned(),
        codice_ufficio: "001".parse().unwrap(),
        user_id: "op.uno".parse().unwrap(),
        certificato_sha256: "ab".repeat(32),
        canale: "MODI",
        emergenza: None,
        operazione: Operazione::InviaDomanda,
        contenuto: Contenuto::Domanda(Fascicolo {
            data_pratica: Some("2021-06-30".parse().unwrap()),
            mandato_numero: "M-1".to_owned(),
            mandato_data: "2021-06-29".parse().unwrap(),
            richiedente: Richiedente {
                codice_fiscale: "RSSMRA80A01H501U".parse().unwrap(),
                nome: "MARIO".to_owned(),
                cognome: "ROSSI".to_owned(),
                email: None,
                cellulare: Some("3331234567".to_owned()),
                indirizzo: None,
            },
            presentata_da: "GENITORE",
            genitore_tutelato: None,
            pagamento: Pagamento {
                modalita: "BD",
                iban: None,
                intestato_richiedente: None,
            },
            schede: (1..)
                .zip(minori)
                .map(|(posto, n)| Scheda {
                    posto,
                    codice_fiscale: minore(*n),
                    data_nascita: Some("2014-01-01".parse().unwrap()),
                    qualita: "GENITORE",
                    disabile: false,
                    affido_condiviso: true,
                    altro_genitore: Some("VRDLGU82B52F205E".parse().unwrap()),
                    altro_genitore_assente: None,
                    ripartizione: "META_ENTRAMBI",
                    pagamento_altro_genitore: None,
                    decorrenza_presunta: Some(Mese { anno: 2021, mese: 7 }),
                    subentra: false,
                    dettagli: Dettagli::default(),
                })
                .collect(),
            dichiarazioni: ["D1", "D2", "D3", "D4", "D5", "D6", "D7", "D8"]
                .map(|codice| Dichiarazione {
                    codice,
                    versione_testo: "1",
                    scelta: None,
                })
                .to_vec(),
            allegati: vec![Allegato {
                tipo: "ALTRO",
                nome_file: "foglio.pdf".to_owned(),
                tipo_mime: "application/pdf",
                impronta: [9; 32],
                bytes_len: 1234,
                originale: Originale::default(),
            }],
            dettagli: Dettagli::default(),
            avente: None,
            oggetto: "Assegno Temporaneo - domanda n. {numero}".to_owned(),
        }),
        contenuto_in_richiesta: (10, 10 + 30),
        richiesta,
        traccia: traccia(nome),
        stampa,
    }
}

/// An act that gives up these sheets of a domanda, as it was seen.
pub(crate) fn rinuncia(nome: &str, contenuto: u8, vista: &DomandaConsultata, posti: &[u32]) -> Atto {
    let assistenza = Assistenza {
        data_pratica: None,
        codice_patronato: "PAT01".to_owned(),
        codice_ufficio: "001".to_owned(),
        operatore: "op.uno".to_owned(),
        mandato_numero: "M-2".to_owned(),
        mandato_data: "2021-06-30".parse().unwrap(),
    };
    let mut seguito = Seguito::of(vista, &assistenza, "rinuncia".to_owned(), "nessuno");
    seguito.dettagli = Dettagli::default().with("motivo", "ERRORE_COMPILAZIONE");
    for scheda in vista.schede.iter().filter(|scheda| posti.contains(&scheda.posto)) {
        seguito = seguito.moving(scheda, StatoDomanda::Rinunciata, AzioneRichiesta::Nessuna);
    }
    Atto {
        operazione: Operazione::RinunciaDomanda,
        contenuto: Contenuto::Seguito(seguito),
        ..atto(nome, contenuto, &[])
    }
}

/// The domanda of an act that opens one.
pub(crate) fn fascicolo(atto: &mut Atto) -> &mut Fascicolo {
    match &mut atto.contenuto {
        Contenuto::Domanda(fascicolo) => fascicolo,
        Contenuto::Seguito(_) => panic!("no domanda"),
    }
}

pub(crate) fn traccia(nome: &str) -> Traccia {
    // A message id that follows from the key, so that a test can ask for it.
    let id = nome
        .bytes()
        .fold(1_u128, |id, byte| id.wrapping_mul(257) ^ u128::from(byte));
    Traccia {
        message_id: Uuid::from_u128(id),
        ricevuto_il: istante("2021-07-01T07:59:59Z"),
        canale: "MODI".to_owned(),
        ente: Some("PAT01".to_owned()),
        operazione: Some("InviaDomanda".to_owned()),
        chiave_invio: Some(nome.to_owned()),
        esito: "RISPOSTA".to_owned(),
        tempi_us: vec![("busta", 12), ("lettura", 345)],
        ..Traccia::default()
    }
}

pub(crate) fn options() -> OpenOptions {
    OpenOptions {
        create: true,
        ..OpenOptions::new(Ambiente::Collaudo, istante(LUGLIO))
    }
}

pub(crate) fn registrata(esito: &Registrazione) -> &Registrata {
    match esito {
        Registrazione::Registrata(registrata) => registrata,
        altro => panic!("not registered: {altro:?}"),
    }
}

pub(crate) fn ripetuta(esito: &Registrazione) -> &Registrata {
    match esito {
        Registrazione::Ripetuta(registrata) => registrata,
        altro => panic!("not repeated: {altro:?}"),
    }
}

pub(crate) fn protocollo(esito: &Registrazione) -> String {
    registrata(esito).protocollo.to_string()
}
