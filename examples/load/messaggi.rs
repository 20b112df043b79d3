//! Messages, each a function of its key alone: run and place tell which codici fiscali it has, so that no two messages
//! of any two runs share a child, and a key that is sent again years later is the same message byte for byte.

use std::collections::HashMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use varco::cli::porta::{Nomi, Porta};
use varco::cli::sample;
use varco::clock::{Clock as _, WallClock};
use varco::domanda::campione::{Ampiezza, Mittente, Spunto};
use varco::prestazione::{Operazione, Prestazione};
use varco::soap::SoapVersion;

/// Runs are told apart by the millisecond they began in; each may use so many codici fiscali a millisecond.
const PERSONE_PER_MS: u64 = 64;
/// A message has a richiedente and two children.
const PERSONE_PER_MESSAGGIO: u64 = 3;
/// Milliseconds before this are not counted: 2026-01-01.
const INIZIO_MS: u64 = 1_767_225_600_000;

/// The message with its places cut out.
#[derive(Debug)]
pub(crate) struct Modello {
    pezzi: Vec<Pezzo>,
    echo: Vec<u8>,
    consulta: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pezzo {
    Testo(String),
    Chiave,
    /// The number of the busta's Identificatore.
    Progressivo,
    Persona {
        posto: u64,
        minore: bool,
    },
}

/// Stands in the template of a busta where the number of its Identificatore goes.
const PROGRESSIVO: &str = "LOAD-PROGRESSIVO";
/// Stands in the template of `ConsultaDomanda` where the number goes.
const PROTOCOLLO: &str = "LOAD-PROTOCOLLO";

/// The key of a place in a run.
pub(crate) fn chiave(giro: u64, posto: u64) -> String {
    format!("load-{giro}-{posto}")
}

fn places(chiave: &str) -> Option<(u64, u64)> {
    let (giro, posto) = chiave.strip_prefix("load-")?.split_once('-')?;
    Some((giro.parse().ok()?, posto.parse().ok()?))
}

impl Modello {
    /// Cuts a sample message of that sender.
    pub(crate) fn new(
        prestazione: &'static Prestazione,
        [ente, ufficio, user_id]: [&str; 3],
        pdd: bool,
        ampiezza: Ampiezza,
        allegato_kib: usize,
    ) -> Self {
        const CHIAVE: &str = "LOAD-CHIAVE";
        let mittente = Mittente {
            ente,
            ufficio,
            user_id,
        };
        let spunto = Spunto {
            contatore: 1,
            // A day of the window: the mandate is never later than the presentation, whenever that is.
            presentazione: prestazione.finestra.dal,
            mittente,
            ampiezza,
        };
        let mut busta = if pdd {
            in_busta(prestazione, &spunto, CHIAVE)
        } else {
            sample::envelope(prestazione, &spunto, CHIAVE, SoapVersion::V12)
        };
        if allegato_kib > 0 {
            attach(&mut busta, prestazione.prefisso, allegato_kib);
        }
        let echo = sample::without_domanda(prestazione, Operazione::Echo, "");
        let echo = sample::in_envelope(SoapVersion::V12, &mittente, &echo);
        let consulta = sample::without_domanda(prestazione, Operazione::ConsultaDomanda, PROTOCOLLO);
        let apre = format!("<{}:CodiceFiscale>", prestazione.prefisso);
        let altro_genitore = format!("<{}:AltroGenitore>", prestazione.prefisso);
        let mut pezzi = Vec::new();
        let mut resto = busta.as_str();
        // Whose place each codice fiscale of the sample is; the same one stays the same person wherever it stands.
        let mut persone: HashMap<&str, Option<u64>> = HashMap::new();
        let mut trovate = 0;
        while let Some(fine) = [CHIAVE, PROGRESSIVO, &apre]
            .into_iter()
            .filter_map(|cercato| resto.find(cercato))
            .min()
        {
            if resto[fine..].starts_with(PROGRESSIVO) {
                pezzi.push(Pezzo::Testo(resto[..fine].to_owned()));
                pezzi.push(Pezzo::Progressivo);
                resto = &resto[fine + PROGRESSIVO.len()..];
                continue;
            }
            if resto[fine..].starts_with(CHIAVE) {
                pezzi.push(Pezzo::Testo(resto[..fine].to_owned()));
                pezzi.push(Pezzo::Chiave);
                resto = &resto[fine + CHIAVE.len()..];
                continue;
            }
            let dopo = fine + apre.len();
            let chiude = resto[dopo..].find('<').map_or(resto.len(), |qui| dopo + qui);
            // The other parent may be the same for all: nothing depends on it.
            let fisso = resto[..fine].trim_end().ends_with(&altro_genitore);
            let posto = *persone.entry(&resto[dopo..chiude]).or_insert_with(|| {
                let posto = (!fisso).then_some(trovate);
                trovate += u64::from(!fisso);
                posto
            });
            let testo = resto[..if posto.is_some() { dopo } else { chiude }].to_owned();
            pezzi.push(Pezzo::Testo(testo));
            pezzi.extend(posto.map(|posto| Pezzo::Persona {
                posto,
                minore: posto > 0,
            }));
            resto = &resto[chiude..];
        }
        pezzi.push(Pezzo::Testo(resto.to_owned()));
        assert!(
            (1..=PERSONE_PER_MESSAGGIO).contains(&trovate),
            "the sample has another number of persons"
        );
        Self {
            pezzi,
            echo: echo.into_bytes(),
            consulta: sample::in_envelope(SoapVersion::V12, &mittente, &consulta),
        }
    }

    /// The message of a key; `None` when the key is not one of ours.
    pub(crate) fn message(&self, chiave: &str) -> Option<Vec<u8>> {
        let (giro, posto) = places(chiave)?;
        let primo = giro.saturating_sub(INIZIO_MS) * PERSONE_PER_MS + posto * PERSONE_PER_MESSAGGIO;
        let mut testo = String::with_capacity(4096);
        for pezzo in &self.pezzi {
            match pezzo {
                Pezzo::Testo(scritto) => testo.push_str(scritto),
                Pezzo::Chiave => testo.push_str(chiave),
                // Runs that begin in one minute begin far from each other.
                Pezzo::Progressivo => {
                    let numero = (giro % 60_000 * 150 + posto) % 9_999_999 + 1;
                    let _ = write!(testo, "{numero:07}");
                }
                Pezzo::Persona { posto, minore } => codice_fiscale(&mut testo, primo + posto, *minore),
            }
        }
        Some(testo.into_bytes())
    }

    /// A `ConsultaDomanda` about a number.
    pub(crate) fn consulta(&self, protocollo: &str) -> Vec<u8> {
        self.consulta.replace(PROTOCOLLO, protocollo).into_bytes()
    }

    /// An `echo`.
    pub(crate) fn echo(&self) -> Vec<u8> {
        self.echo.clone()
    }
}

/// Puts a document of so many KiB into the domanda, behind its last field: bytes that look like a PDF's and do not compress.
fn attach(busta: &mut String, p: &str, kib: usize) {
    let mut documento = b"%PDF-1.4\n%".to_vec();
    let mut rumore = 1_u64;
    while documento.len() + CODA.len() < kib * 1024 {
        rumore = rumore.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        documento.push(rumore.to_be_bytes()[0]);
    }
    documento.extend(CODA);
    let contenuto = STANDARD.encode(documento);
    let allegato = format!(
        "<{p}:Allegati><{p}:Allegato><{p}:Tipo>ALTRO</{p}:Tipo><{p}:NomeFile>documento.pdf</{p}:NomeFile>\
         <{p}:TipoMime>application/pdf</{p}:TipoMime><{p}:Contenuto>{contenuto}</{p}:Contenuto></{p}:Allegato></{p}:Allegati>"
    );
    let fine = format!("</{p}:Dichiarazioni>");
    let posto = busta.rfind(&fine).expect("a domanda ends with its declarations");
    busta.insert_str(posto + fine.len(), &allegato);
}

/// How a PDF ends.
const CODA: &[u8] = b"\n%%EOF\n";

/// The message as a porta di dominio sends it, now.
fn in_busta(prestazione: &'static Prestazione, spunto: &Spunto<'_>, chiave: &str) -> String {
    let nomi = Nomi {
        mittente: "PatronatoUno".to_owned(),
        destinatario: "INPS".to_owned(),
    };
    let operazione = Operazione::InviaDomanda;
    let intestazione = Porta::new(&nomi).expect("letters alone").intestazione(
        prestazione.servizio,
        operazione.nome(),
        WallClock::default().wall(),
    );
    let (prima, dopo) = intestazione.split_once("SPCoopIT_").expect("an Identificatore");
    let intestazione = format!("{prima}SPCoopIT_{PROGRESSIVO}{}", &dopo[7..]);
    let richiesta = sample::with_domanda(prestazione, operazione, spunto, chiave);
    sample::in_busta(&intestazione, &richiesta)
}

/// Writes the codice fiscale of person `numero`: another number, another person, for the next 10^15 of them.
fn codice_fiscale(testo: &mut String, numero: u64, minore: bool) {
    const MESI: &[u8] = b"ABCDEHLMPRST";
    let mut resto = numero;
    let mut digit = |base: u64| {
        let cifra = resto % base;
        resto /= base;
        cifra
    };
    let giorno = 1 + digit(28);
    let mese = MESI[usize::try_from(digit(12)).unwrap_or(0)] as char;
    let comune = digit(1000);
    // Born 2012 to 2020, or 1980 to 1988: minors and parents for years on either side of now.
    let anno = digit(9) + if minore { 12 } else { 80 };
    let inizio = testo.len();
    for _ in 0..6 {
        testo.push(char::from(b'A' + u8::try_from(digit(26)).unwrap_or(0)));
    }
    // Writing to a String does not fail.
    let _ = write!(testo, "{anno:02}{mese}{giorno:02}H{comune:03}");
    let controllo = check_character(&testo.as_bytes()[inizio..]);
    testo.push(controllo);
}

/// DM 23/12/1976: characters in odd places by table, those in even places by value, modulo 26.
fn check_character(quindici: &[u8]) -> char {
    const DISPARI: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
    ];
    let somma: u32 = quindici
        .iter()
        .enumerate()
        .map(|(posto, carattere)| {
            let valore = match carattere {
                b'0'..=b'9' => carattere - b'0',
                _ => carattere - b'A',
            };
            if posto % 2 == 0 {
                DISPARI[usize::from(valore)]
            } else {
                u32::from(valore)
            }
        })
        .sum();
    char::from(b'A' + u8::try_from(somma % 26).unwrap_or(0))
}
