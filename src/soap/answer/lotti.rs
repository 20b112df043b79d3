//! The answers about lots. The outcome of a lot is as long as the lot: what stands before its items and what stands behind
//! them is written here, and its items by pages.

use bytes::Bytes;
use jiff::Timestamp;
use uuid::Uuid;

use super::{booleano, istante};
use crate::domanda::lotto::{Conteggi, EsitoElemento, EsitoLotto, SorteElemento, StatoLotto};
use crate::patronato::ChiaveInvio;
use crate::soap::scrittore::Scrittore;
use crate::xml::{Limits, Reader, Token};

/// A lot that was taken in, now or before.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the XSD says what each of them is")]
pub struct LottoAccolto {
    pub id: Uuid,
    pub stato: StatoLotto,
    pub ripetizione: bool,
    pub presentato_il: Timestamp,
    pub byte: u64,
    pub elementi: Option<u64>,
    pub chiedere_fra_s: u64,
}

/// A lot as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the XSD says what each of them is")]
pub struct LottoDetto {
    pub id: Uuid,
    pub chiave: ChiaveInvio,
    pub stato: StatoLotto,
    pub esito: Option<EsitoLotto>,
    pub sospeso: bool,
    pub presentato_il: Timestamp,
    pub elementi: Option<u64>,
    pub lavorati: u64,
    pub conteggi: Conteggi,
    pub byte: u64,
    pub byte_lavorati: u64,
    pub elementi_al_secondo: Option<u64>,
    pub fine_stimata: Option<Timestamp>,
    pub chiedere_fra_s: Option<u64>,
    /// `coop:Errore` elements.
    pub interruzione: Option<Bytes>,
}

/// In which form the items are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormatoEsito {
    /// Elements of the contract.
    Xml,
    /// Lines for a spreadsheet.
    Csv,
}

pub(super) fn accolto(w: &mut Scrittore, lotto: &LottoAccolto) {
    w.campo("coop:IdLotto", lotto.id.to_string());
    w.campo("coop:Stato", lotto.stato.as_str());
    w.campo("coop:Ripetizione", booleano(lotto.ripetizione));
    w.campo("coop:PresentatoIl", istante(lotto.presentato_il));
    w.campo("coop:Byte", lotto.byte.to_string());
    w.campo_se(
        "coop:Elementi",
        lotto.elementi.map(|elementi| elementi.to_string()),
    );
    w.campo("coop:ChiedereFraSecondi", lotto.chiedere_fra_s.to_string());
}

pub(super) fn stato(w: &mut Scrittore, lotto: &LottoDetto) {
    w.campo("coop:IdLotto", lotto.id.to_string());
    w.campo("coop:ChiaveInvio", lotto.chiave.as_str());
    w.campo("coop:Stato", lotto.stato.as_str());
    w.campo_se("coop:Esito", lotto.esito.map(EsitoLotto::as_str));
    w.campo("coop:Sospeso", booleano(lotto.sospeso));
    w.campo("coop:PresentatoIl", istante(lotto.presentato_il));
    conteggi(w, lotto);
    w.campo("coop:Byte", lotto.byte.to_string());
    w.campo("coop:ByteLavorati", lotto.byte_lavorati.to_string());
    let numero = |numero: u64| numero.to_string();
    w.campo_se("coop:ElementiAlSecondo", lotto.elementi_al_secondo.map(numero));
    w.campo_se("coop:FineStimata", lotto.fine_stimata.map(istante));
    w.campo_se("coop:ChiedereFraSecondi", lotto.chiedere_fra_s.map(numero));
    interruzione(w, lotto);
}

/// The outcome with nothing between the beginning and the end of its items but [`SEGNO`].
pub(super) fn esito(w: &mut Scrittore, lotto: &LottoDetto, formato: FormatoEsito) {
    w.campo("coop:IdLotto", lotto.id.to_string());
    w.campo("coop:ChiaveInvio", lotto.chiave.as_str());
    w.campo_se("coop:Esito", lotto.esito.map(EsitoLotto::as_str));
    w.campo("coop:PresentatoIl", istante(lotto.presentato_il));
    conteggi(w, lotto);
    interruzione(w, lotto);
    match formato {
        FormatoEsito::Xml => w.elemento("coop:Elementi", &[], |w| w.grezzo(SEGNO)),
        FormatoEsito::Csv => w.elemento("coop:Csv", &[], |w| {
            w.testo(COLONNE);
            w.grezzo(SEGNO);
        }),
    }
}

fn conteggi(w: &mut Scrittore, lotto: &LottoDetto) {
    w.elemento("coop:Conteggi", &[], |w| {
        w.campo_se(
            "coop:Elementi",
            lotto.elementi.map(|elementi| elementi.to_string()),
        );
        w.campo("coop:Lavorati", lotto.lavorati.to_string());
        w.campo("coop:Registrati", lotto.conteggi.registrate.to_string());
        w.campo("coop:Ripetuti", lotto.conteggi.ripetute.to_string());
        w.campo("coop:Rifiutati", lotto.conteggi.rifiutate.to_string());
        w.campo("coop:NonLetti", lotto.conteggi.non_lette.to_string());
    });
}

fn interruzione(w: &mut Scrittore, lotto: &LottoDetto) {
    if let Some(errori) = &lotto.interruzione {
        w.elemento("coop:Interruzione", &[], |w| {
            w.grezzo(&String::from_utf8_lossy(errori));
        });
    }
}

/// Stands where the items go: no XML can hold it, so nothing else in an answer is taken for it.
const SEGNO: &str = "\u{0}";

/// What stands before the items, and what stands behind them.
#[must_use]
pub fn parted(mut busta: Bytes) -> (Bytes, Bytes) {
    let qui = busta.iter().position(|byte| *byte == 0).unwrap_or(busta.len());
    let coda = busta.split_off(qui);
    let coda = coda.slice(coda.len().min(SEGNO.len())..);
    (busta, coda)
}

/// A page of items.
#[must_use]
pub fn pagina(formato: FormatoEsito, esiti: &[EsitoElemento]) -> Vec<u8> {
    let mut w = Scrittore::new();
    for esito in esiti {
        match formato {
            FormatoEsito::Xml => elemento(&mut w, esito),
            FormatoEsito::Csv => w.testo(&riga(esito)),
        }
    }
    w.finish()
}

fn elemento(w: &mut Scrittore, esito: &EsitoElemento) {
    w.elemento("coop:Elemento", &[], |w| {
        w.campo("coop:Posto", esito.posto.to_string());
        w.campo("coop:Riga", esito.luogo.riga.max(1).to_string());
        w.campo("coop:Colonna", esito.luogo.colonna.max(1).to_string());
        w.campo_se("coop:ChiaveInvio", esito.chiave.as_ref().map(ChiaveInvio::as_str));
        match &esito.sorte {
            SorteElemento::Registrata {
                protocollo,
                numero_domanda,
                registrata_il,
                ripetizione,
            } => {
                w.campo("coop:Esito", "REGISTRATA");
                w.campo("coop:Protocollo", protocollo.to_string());
                w.campo("coop:NumeroDomanda", numero_domanda.0.to_string());
                w.campo("coop:RegistrataIl", istante(*registrata_il));
                w.campo("coop:Ripetizione", booleano(*ripetizione));
            }
            SorteElemento::Rifiutata(errori) => {
                w.campo("coop:Esito", "RIFIUTATA");
                w.grezzo(&String::from_utf8_lossy(errori));
            }
        }
    });
}

const COLONNE: &str = "posto;riga;colonna;chiave_invio;esito;protocollo;numero_domanda;registrata_il;ripetizione;codici;errori\n";

/// One line of the CSV (RFC 4180, with the semicolon that Italian spreadsheets expect).
fn riga(esito: &EsitoElemento) -> String {
    let chiave = esito.chiave.as_ref().map_or("", ChiaveInvio::as_str);
    let luogo = esito.luogo;
    let testa = format!(
        "{};{};{};{}",
        esito.posto,
        luogo.riga,
        luogo.colonna,
        cella(chiave)
    );
    match &esito.sorte {
        SorteElemento::Registrata {
            protocollo,
            numero_domanda,
            registrata_il,
            ripetizione,
        } => format!(
            "{testa};REGISTRATA;{protocollo};{};{};{};;\n",
            numero_domanda.0,
            istante(*registrata_il),
            booleano(*ripetizione)
        ),
        SorteElemento::Rifiutata(errori) => {
            let errori = letti(errori);
            let codici: Vec<_> = errori.iter().map(|errore| errore.codice.as_str()).collect();
            let frasi: Vec<_> = errori.iter().map(ErroreLetto::frase).collect();
            format!(
                "{testa};RIFIUTATA;;;;;{};{}\n",
                cella(&codici.join(" ")),
                cella(&frasi.join(" | "))
            )
        }
    }
}

/// A cell, in quotes where it must be; a spreadsheet shall not take it for a formula.
fn cella(testo: &str) -> String {
    let formula = testo.starts_with(['=', '+', '-', '@']);
    let testo = testo.replace(['\r', '\n'], " ");
    match (formula, testo.contains([';', '"'])) {
        (false, false) => testo,
        (false, true) => format!("\"{}\"", testo.replace('"', "\"\"")),
        (true, _) => format!("\"'{}\"", testo.replace('"', "\"\"")),
    }
}

/// An error as it was written.
#[derive(Debug, Default)]
struct ErroreLetto {
    codice: String,
    testo: String,
    riga: String,
    colonna: String,
}

impl ErroreLetto {
    fn frase(&self) -> String {
        format!(
            "{} riga {} colonna {}: {}",
            self.codice, self.riga, self.colonna, self.testo
        )
    }
}

/// Reads `coop:Errore` elements that we wrote.
fn letti(errori: &[u8]) -> Vec<ErroreLetto> {
    let documento = [&b"<e xmlns:coop=\"urn:x\">"[..], errori, b"</e>"].concat();
    let mut reader = Reader::new(&documento, &Limits::default());
    let mut trovati: Vec<ErroreLetto> = Vec::new();
    let mut campo = String::new();
    loop {
        match reader.next() {
            Ok(Token::Start { nome, .. }) => {
                nome.locale.clone_into(&mut campo);
                if campo == "Errore" {
                    trovati.push(ErroreLetto::default());
                }
            }
            Ok(Token::Text(testo)) => {
                if let Some(errore) = trovati.last_mut() {
                    match campo.as_str() {
                        "Codice" => errore.codice.push_str(&testo),
                        "Testo" => errore.testo.push_str(&testo),
                        "Riga" => errore.riga.push_str(&testo),
                        "Colonna" => errore.colonna.push_str(&testo),
                        _ => {}
                    }
                }
            }
            Ok(Token::End { .. }) => campo.clear(),
            Ok(Token::Eof) | Err(_) => return trovati,
        }
    }
}
