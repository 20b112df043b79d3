//! Reads what the gateway answers: an outcome with its receipt or its errors, a fault, or the answer of an operation
//! that registers nothing. Prefixes do not matter and unknown elements are passed over: a later gateway may say more.

use std::fmt;

use crate::catalogo::Codice;
use crate::cli::send::cliente::Ricevuto;
use crate::domanda::Violazione;
use crate::egov::CodiceEgov;
use crate::egov::costanti::EGOV;
use crate::soap::SoapVersion;
use crate::xml::{Attributi, Limits, Nome, Reader, Token};

/// How one message ended, for the person or the script that sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Esito {
    /// It has its number.
    Registrata(Box<Registrata>),
    /// Sent now it would be registered (`VerificaDomanda`).
    Ammissibile {
        /// Warnings.
        avvisi: Vec<Errore>,
    },
    /// Refused, by a fault or by the rules: to be corrected.
    Rifiutata {
        /// Every error.
        errori: Vec<Errore>,
    },
    /// Not taken now: the same message may succeed later.
    Sospesa {
        /// What was said.
        errori: Vec<Errore>,
    },
    /// The answer of another operation.
    Altro(Elemento),
    /// It did not reach the gateway, or what came back is no answer.
    NonInviata {
        /// Why.
        causa: String,
    },
}

/// A registration as it was told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Registrata {
    /// The receipt.
    pub ricevuta: Elemento,
    /// It had been registered before.
    pub ripetizione: bool,
    /// It was annulled since.
    pub annullata: bool,
    /// Warnings beside the receipt.
    pub avvisi: Vec<Errore>,
}

/// One error, or one warning.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Errore {
    /// The stable code.
    pub codice: String,
    /// The Italian sentence.
    pub testo: String,
    /// What to do.
    pub suggerimento: String,
    /// Where, as a path.
    pub percorso: String,
    /// Where, as a line.
    pub riga: Option<u32>,
    /// Where, as a column.
    pub colonna: Option<u32>,
    /// Whether the same message may succeed later.
    pub ripetere: bool,
}

/// An element of an answer: local name, text, children.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Elemento {
    /// Local name.
    pub nome: String,
    /// Its own text, trimmed.
    pub testo: String,
    /// Its children, in order.
    pub figli: Vec<Self>,
}

impl Elemento {
    /// The first child of a name.
    #[must_use]
    pub fn figlio(&self, nome: &str) -> Option<&Self> {
        self.figli.iter().find(|figlio| figlio.nome == nome)
    }

    /// The text of the first child of a name; empty when there is none.
    #[must_use]
    pub fn testo(&self, nome: &str) -> &str {
        self.figlio(nome).map_or("", |figlio| &figlio.testo)
    }

    /// The first element of a name, here or below, in document order.
    #[must_use]
    pub fn trova(&self, nome: &str) -> Option<&Self> {
        if self.nome == nome {
            return Some(self);
        }
        self.figli.iter().find_map(|figlio| figlio.trova(nome))
    }

    /// Reads a whole document.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let limits = Limits {
            // An answer is the gateway's own: only the depth is bounded, because `trova` calls itself.
            text_bytes_max: usize::MAX,
            elements_max: usize::MAX,
            ..Limits::default()
        };
        let mut reader = Reader::new(bytes, &limits);
        let mut aperti = vec![Self::default()];
        loop {
            match reader.next().ok()? {
                Token::Start { nome, attributi, .. } => aperti.push(Self {
                    nome: nome.locale.to_owned(),
                    testo: eccezione(nome, attributi),
                    ..Self::default()
                }),
                Token::Text(testo) => aperti.last_mut()?.testo.push_str(&testo),
                Token::End { .. } => {
                    let mut chiuso = aperti.pop()?;
                    if chiuso.testo.trim().len() < chiuso.testo.len() {
                        let pulito = chiuso.testo.trim().to_owned();
                        chiuso.testo = pulito;
                    }
                    aperti.last_mut()?.figli.push(chiuso);
                }
                Token::Eof => return aperti.pop()?.figli.pop(),
            }
        }
    }
}

/// An exception of a busta e-Gov in words; of any other element nothing.
fn eccezione(nome: Nome<'_>, attributi: Attributi<'_>) -> String {
    if !nome.is(EGOV, "Eccezione") {
        return String::new();
    }
    let valore = |nome| attributi.valore("", nome).unwrap_or_default();
    let codice = valore("codiceEccezione");
    let detto = CodiceEgov::parse(codice).map_or("", CodiceEgov::testo);
    format!(
        "{codice} {} ({}): {detto}",
        valore("posizione"),
        valore("rilevanza")
    )
}

impl Esito {
    /// Whether it was refused for this alone.
    #[must_use]
    pub fn is_refused_for(&self, codice: Codice) -> bool {
        matches!(self, Self::Rifiutata { errori } if errori.len() == 1 && errori[0].codice == codice.as_str())
    }

    /// What an answer means.
    #[must_use]
    pub fn read(ricevuto: &Ricevuto) -> Self {
        let busta = Elemento::parse(&ricevuto.corpo).filter(|busta| busta.nome == "Envelope");
        let Some(contenuto) = busta
            .as_ref()
            .and_then(|busta| busta.figlio("Body"))
            .and_then(|corpo| corpo.figli.first())
        else {
            return Self::without_envelope(ricevuto);
        };
        let mut errori = contenuto.trova("Errori").map(errors).unwrap_or_default();
        let lista = busta.as_ref().and_then(|busta| busta.trova("ListaEccezioni"));
        if contenuto.nome == "Fault"
            && let Some(lista) = lista
        {
            errori.extend(lista.figli.iter().map(|eccezione| Errore {
                testo: eccezione.testo.clone(),
                ..Errore::default()
            }));
        }
        if contenuto.nome == "Fault" {
            return Self::of_fault(contenuto, errori);
        }
        let avvisi = contenuto.figlio("Avvisi").map(errors).unwrap_or_default();
        match (contenuto.testo("Esito"), contenuto.figlio("Ricevuta")) {
            ("REGISTRATA", Some(elemento)) => Self::Registrata(Box::new(Registrata {
                ricevuta: elemento.clone(),
                ripetizione: contenuto.testo("Ripetizione") == "true",
                annullata: contenuto.testo("Annullata") == "true",
                avvisi,
            })),
            ("AMMISSIBILE", _) => Self::Ammissibile { avvisi },
            ("RIFIUTATA", _) => Self::Rifiutata { errori },
            _ => Self::Altro(contenuto.clone()),
        }
    }

    /// A refusal that our own side found before anything was sent.
    #[must_use]
    pub fn refused(violazioni: &[Violazione]) -> Self {
        Self::Rifiutata {
            errori: violazioni.iter().map(Errore::from).collect(),
        }
    }

    fn of_fault(fault: &Elemento, mut errori: Vec<Errore>) -> Self {
        if errori.is_empty() {
            // A fault that is not ours (a proxy's, perhaps): its reason is all that there is.
            let ragione = fault
                .trova("Text")
                .or_else(|| fault.trova("faultstring"))
                .map_or_else(|| "Fault senza motivo".to_owned(), |motivo| motivo.testo.clone());
            errori.push(Errore {
                testo: ragione,
                ripetere: fault
                    .figlio("Code")
                    .map_or_else(|| fault.testo("faultcode"), |code| code.testo("Value"))
                    .ends_with("Receiver"),
                ..Errore::default()
            });
        }
        if errori.iter().all(|errore| errore.ripetere) {
            Self::Sospesa { errori }
        } else {
            Self::Rifiutata { errori }
        }
    }

    fn without_envelope(ricevuto: &Ricevuto) -> Self {
        let testo = String::from_utf8_lossy(&ricevuto.corpo);
        let inizio: String = testo.trim().chars().take(200).collect();
        let frase = match ricevuto.status {
            404 => "il varco non ha questo servizio (HTTP 404): controllare --url e --servizio".to_owned(),
            413 => "il messaggio supera la dimensione ammessa (HTTP 413)".to_owned(),
            status => format!("risposta senza busta SOAP (HTTP {status}): {inizio}"),
        };
        match ricevuto.status {
            // What HTTP itself refuses is refused again tomorrow; all else may be a proxy's bad moment.
            400..=499 if !matches!(ricevuto.status, 408 | 429) => Self::Rifiutata {
                errori: vec![Errore {
                    testo: frase,
                    ..Errore::default()
                }],
            },
            _ => Self::NonInviata { causa: frase },
        }
    }

    /// The word of `esiti.csv`.
    #[must_use]
    pub fn nome(&self) -> &'static str {
        match self {
            Self::Registrata(_) => "REGISTRATA",
            Self::Ammissibile { .. } => "AMMISSIBILE",
            Self::Rifiutata { .. } => "RIFIUTATA",
            Self::Sospesa { .. } => "SOSPESA",
            Self::Altro(_) => "RISPOSTA",
            Self::NonInviata { .. } => "NON_INVIATA",
        }
    }
}

/// The errors, or warnings, among the children of an element.
pub(in crate::cli) fn errors(lista: &Elemento) -> Vec<Errore> {
    lista
        .figli
        .iter()
        .filter(|figlio| matches!(figlio.nome.as_str(), "Errore" | "Avviso"))
        .map(|errore| Errore {
            codice: errore.testo("Codice").to_owned(),
            testo: errore.testo("Testo").to_owned(),
            suggerimento: errore.testo("Suggerimento").to_owned(),
            percorso: errore.testo("Percorso").to_owned(),
            riga: errore.testo("Riga").parse().ok(),
            colonna: errore.testo("Colonna").parse().ok(),
            ripetere: errore.testo("Ripetere") == "true",
        })
        .collect()
}

impl From<&Violazione> for Errore {
    fn from(violazione: &Violazione) -> Self {
        Self {
            codice: violazione.codice.to_string(),
            testo: violazione.testo(),
            suggerimento: violazione.suggerimento(),
            percorso: violazione.dove.clone(),
            riga: violazione.posizione.map(|posizione| posizione.riga),
            colonna: violazione.posizione.map(|posizione| posizione.colonna),
            ripetere: violazione.voce().ripetere,
        }
    }
}

/// `12:7 CF-002 /at:Domanda/… : frase` and, below, what to do.
impl fmt::Display for Errore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.riga, self.colonna) {
            (Some(riga), Some(colonna)) => write!(f, "{riga}:{colonna} ")?,
            (Some(riga), None) => write!(f, "{riga} ")?,
            (None, _) => {}
        }
        let codice = if self.codice.is_empty() {
            "—"
        } else {
            &self.codice
        };
        write!(f, "{codice} {}", self.testo)?;
        if !self.percorso.is_empty() {
            write!(f, "\n    {}", self.percorso)?;
        }
        if !self.suggerimento.is_empty() {
            write!(f, "\n    → {}", self.suggerimento)?;
        }
        Ok(())
    }
}

/// All that a person wants to see of an outcome.
impl fmt::Display for Esito {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registrata(registrata) => write!(f, "{registrata}"),
            Self::Ammissibile { avvisi } => {
                writeln!(f, "AMMISSIBILE: inviata ora sarebbe registrata")?;
                warnings(f, avvisi)
            }
            Self::Rifiutata { errori } | Self::Sospesa { errori } => {
                let nota = match self {
                    Self::Sospesa { .. } => ": riprovare più tardi con lo stesso file",
                    _ => "",
                };
                writeln!(f, "{} ({}){nota}", self.nome(), count(errori.len()))?;
                for errore in errori {
                    writeln!(f, "  {errore}")?;
                }
                Ok(())
            }
            Self::Altro(elemento) => tree(f, elemento, 0),
            Self::NonInviata { causa } => writeln!(f, "NON INVIATA: {causa}"),
        }
    }
}

impl fmt::Display for Registrata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ricevuta = &self.ricevuta;
        write!(f, "REGISTRATA {}", ricevuta.testo("Protocollo"))?;
        if self.ripetizione {
            write!(f, "  Ripetizione=true")?;
        }
        if self.annullata {
            write!(f, "  Annullata=true")?;
        }
        writeln!(f)?;
        for (etichetta, nome) in [
            ("numero domanda", "NumeroDomanda"),
            ("ChiaveInvio", "ChiaveInvio"),
            ("presentata il", "PresentataIl"),
            ("registrata il", "RegistrataIl"),
            ("impronta", "Impronta"),
        ] {
            writeln!(f, "  {etichetta:<16}{}", ricevuta.testo(nome))?;
        }
        for scheda in ricevuta
            .figlio("Schede")
            .map(|schede| &schede.figli)
            .into_iter()
            .flatten()
        {
            let decorrenza = match scheda.testo("DecorrenzaPresunta") {
                "" => "nessuna decorrenza presunta",
                mese => mese,
            };
            let (posto, codice_fiscale) = (scheda.testo("Posto"), scheda.testo("CodiceFiscale"));
            writeln!(f, "  scheda {posto:<9}{codice_fiscale}  {decorrenza}")?;
        }
        match ricevuta.testo("Avvertenza") {
            "" => {}
            avvertenza => writeln!(f, "  {:<16}{avvertenza}", "avvertenza")?,
        }
        warnings(f, &self.avvisi)
    }
}

fn warnings(f: &mut fmt::Formatter<'_>, avvisi: &[Errore]) -> fmt::Result {
    for avviso in avvisi {
        writeln!(f, "  avviso {avviso}")?;
    }
    Ok(())
}

fn tree(f: &mut fmt::Formatter<'_>, elemento: &Elemento, rientro: usize) -> fmt::Result {
    writeln!(f, "{:rientro$}{}: {}", "", elemento.nome, elemento.testo)?;
    elemento
        .figli
        .iter()
        .try_for_each(|figlio| tree(f, figlio, rientro + 2))
}

fn count(errori: usize) -> String {
    match errori {
        1 => "1 errore".to_owned(),
        altri => format!("{altri} errori"),
    }
}

/// The version of an envelope that is about to be sent; `None` when it is no envelope.
#[must_use]
pub fn versione(namespace: &str) -> Option<SoapVersion> {
    [SoapVersion::V12, SoapVersion::V11]
        .into_iter()
        .find(|versione| versione.namespace() == namespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, corpo: &str) -> Esito {
        let corpo = format!(
            r#"<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope"><env:Body>{corpo}</env:Body></env:Envelope>"#
        );
        Esito::read(&Ricevuto {
            status,
            corpo: corpo.into_bytes(),
        })
    }

    const ERRORI: &str = r#"<c:Errori xmlns:c="http://inps.it/cooperazione/v1"><c:IdMessaggio>1</c:IdMessaggio>
        <c:Errore><c:Codice>CF-002</c:Codice><c:Testo>il carattere di controllo è errato</c:Testo>
        <c:TestoInglese>wrong</c:TestoInglese><c:Suggerimento>Correggere.</c:Suggerimento>
        <c:Percorso>/at:Domanda/at:Richiedente/at:CodiceFiscale</c:Percorso><c:Riga>9</c:Riga><c:Colonna>24</c:Colonna>
        <c:Ripetere>false</c:Ripetere><c:Documentazione>https://x/</c:Documentazione></c:Errore></c:Errori>"#;

    #[test]
    fn a_receipt_is_read_with_its_number_and_its_sheets() {
        let esito = read(
            200,
            r#"<InviaDomandaResponse xmlns="http://inps.it/AssegnoTemporaneo/v1"><Esito>REGISTRATA</Esito>
            <Ricevuta xmlns="http://inps.it/cooperazione/v1"><Protocollo>INPS-AUF-2021-000000000001</Protocollo>
            <NumeroDomanda>1</NumeroDomanda><Schede><Scheda><Posto>1</Posto><CodiceFiscale>X</CodiceFiscale>
            <DecorrenzaPresunta>2021-07</DecorrenzaPresunta></Scheda></Schede></Ricevuta>
            <Ripetizione>true</Ripetizione></InviaDomandaResponse>"#,
        );
        let Esito::Registrata(registrata) = &esito else {
            panic!("{esito:?}");
        };
        assert!(registrata.ripetizione && !registrata.annullata);
        assert_eq!(
            registrata.ricevuta.testo("Protocollo"),
            "INPS-AUF-2021-000000000001"
        );
        let stampata = esito.to_string();
        assert!(stampata.starts_with("REGISTRATA INPS-AUF-2021-000000000001  Ripetizione=true\n"));
        assert!(stampata.contains("  scheda 1        X  2021-07\n"), "{stampata}");
    }

    #[test]
    fn a_refusal_by_the_rules_and_one_by_fault_read_alike() {
        let regole = read(200, &format!("<r><Esito>RIFIUTATA</Esito>{ERRORI}</r>"));
        let fault = read(
            500,
            &format!(
                r#"<env:Fault><env:Code><env:Value>env:Sender</env:Value></env:Code>
                <env:Reason><env:Text xml:lang="it">x</env:Text></env:Reason><env:Detail>{ERRORI}</env:Detail></env:Fault>"#
            ),
        );
        assert_eq!(regole, fault);
        let Esito::Rifiutata { errori } = regole else {
            panic!()
        };
        assert_eq!(errori.len(), 1);
        assert_eq!((errori[0].riga, errori[0].colonna), (Some(9), Some(24)));
        assert_eq!(
            errori[0].to_string(),
            "9:24 CF-002 il carattere di controllo è errato\n    /at:Domanda/at:Richiedente/at:CodiceFiscale\n    → Correggere."
        );
    }

    #[test]
    fn a_fault_of_the_gateway_asks_to_try_again() {
        let errori = ERRORI
            .replace("CF-002", "STO-001")
            .replace("<c:Ripetere>false", "<c:Ripetere>true");
        let esito = read(
            503,
            &format!("<env:Fault><env:Detail>{errori}</env:Detail></env:Fault>"),
        );
        assert!(matches!(esito, Esito::Sospesa { .. }), "{esito:?}");
    }

    #[test]
    fn what_is_no_envelope_is_said_by_its_status() {
        let html = |status| {
            Esito::read(&Ricevuto {
                status,
                corpo: b"<html>Access not permitted</html>".to_vec(),
            })
        };
        assert!(matches!(html(404), Esito::Rifiutata { .. }));
        assert!(matches!(html(502), Esito::NonInviata { .. }));
        assert!(html(502).to_string().contains("HTTP 502"));
    }

    #[test]
    fn another_operation_is_shown_as_it_is() {
        let esito = read(
            200,
            "<echoResponse><Msg>ciao</Msg><Stato>ATTIVO</Stato></echoResponse>",
        );
        assert_eq!(
            esito.to_string(),
            "echoResponse: \n  Msg: ciao\n  Stato: ATTIVO\n"
        );
    }
}
