//! Who operates: the header block Identity (spec of INPS, `xsd/identity.xsd`). It promises one `UserId` and one
//! `CodiceUfficio` of the right shape, or says which of them is wrong and how. Published is one form, with two
//! unqualified children; the other forms that clients are known to send are read too, with a warning, unless the
//! ente (or the installation) asks for the published one alone. It authenticates nobody: the certificate does.

use std::collections::BTreeSet;

use super::blocco::Elemento;
use super::envelope::{Envelope, INPS};
use crate::catalogo::Codice;
use crate::domanda::codice_fiscale::CodiceFiscaleErrato;
use crate::domanda::{CodiceFiscale, Posizione, Violazione};
use crate::patronato::{CodiceUfficio, UserId};

/// Who operates, and how they said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The operator, as the ente knows them.
    pub user_id: UserId,
    /// The ufficio of the ente.
    pub codice_ufficio: CodiceUfficio,
    /// The form that was read: the one farthest from the published, when several traits came together.
    pub forma: Forma,
    /// Warnings for the answer: a form that is not the published one.
    pub avvisi: Vec<Violazione>,
}

/// How Identity was written, from the published form to the farthest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Forma {
    /// As published.
    Canonica,
    /// `CodiceUfficio` before `UserId`.
    OrdineInverso,
    /// With children that are not published, such as `CodiceEnte`.
    FigliInPiu,
    /// Children in the namespace of Identity.
    FigliQualificati,
    /// `Userid` for `UserId`.
    NomeUserid,
    /// Attributes for children.
    Attributi,
    /// Two header blocks of their own.
    BlocchiSeparati,
    /// None in the message: the adesione says who operates (porte di dominio).
    Adesione,
}

impl Forma {
    /// As trace and Diagnosi spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Canonica => "CANONICA",
            Self::OrdineInverso => "ORDINE_INVERSO",
            Self::FigliInPiu => "FIGLI_IN_PIU",
            Self::FigliQualificati => "FIGLI_QUALIFICATI",
            Self::NomeUserid => "NOME_USERID",
            Self::Attributi => "ATTRIBUTI",
            Self::BlocchiSeparati => "BLOCCHI_SEPARATI",
            Self::Adesione => "ADESIONE",
        }
    }
}

/// Why nobody can be told from an envelope. Never carries the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("identity refused: {}", .0.codice)]
pub struct IdentityError(Violazione);

impl IdentityError {
    /// The finding, placed.
    #[must_use]
    pub fn violazione(&self) -> Violazione {
        self.0.clone()
    }
}

impl Identity {
    /// Reads Identity, or takes `altrimenti` where the message says nothing of it.
    pub fn read_or(
        envelope: &Envelope,
        strict: bool,
        altrimenti: Option<Self>,
    ) -> Result<Self, IdentityError> {
        match (Self::read(envelope, strict), altrimenti) {
            (Err(errore), Some(altrimenti)) if errore.0.codice == Codice::Idn001 => Ok(altrimenti),
            (letta, _) => letta,
        }
    }

    /// Reads Identity from the header blocks for us; `strict` takes the published form alone.
    pub fn read(envelope: &Envelope, strict: bool) -> Result<Self, IdentityError> {
        let letture = Letture::collect(envelope)?;
        let user_id = letture.valore(Campo::UserId)?;
        let codice_ufficio = letture.valore(Campo::CodiceUfficio)?;
        let mut avvisi = Vec::new();
        if let Some(&forma) = letture.tratti.last() {
            let tratti: Vec<_> = letture.tratti.iter().map(|tratto| tratto.as_str()).collect();
            let codice = if strict { Codice::Idn005 } else { Codice::Idn101 };
            let violazione = Violazione::at(codice, IDENTITY)
                .with("forma", tratti.join(", "))
                .placed(letture.posizione);
            if strict {
                return Err(IdentityError(violazione));
            }
            debug_assert!(forma != Forma::Canonica);
            avvisi.push(violazione);
        }
        Ok(Self {
            user_id: check_user_id(&user_id)?,
            codice_ufficio: check_codice_ufficio(&codice_ufficio)?,
            forma: letture.tratti.last().copied().unwrap_or(Forma::Canonica),
            avvisi,
        })
    }
}

const HEADER: &str = "/env:Envelope/env:Header";
const IDENTITY: &str = "/env:Envelope/env:Header/inps:Identity";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Campo {
    UserId,
    CodiceUfficio,
}

impl Campo {
    fn nome(self) -> &'static str {
        match self {
            Self::UserId => "UserId",
            Self::CodiceUfficio => "CodiceUfficio",
        }
    }

    fn by_nome(nome: &str) -> Option<Self> {
        match nome {
            "UserId" | "Userid" => Some(Self::UserId),
            "CodiceUfficio" => Some(Self::CodiceUfficio),
            _ => None,
        }
    }
}

/// One place in which a field was given.
#[derive(Debug, Clone)]
struct Lettura<'e> {
    campo: Campo,
    valore: &'e str,
    modo: Modo,
    dove: String,
    posizione: Posizione,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Modo {
    Figlio,
    Attributo,
    Blocco,
}

/// All places in which the fields were given.
struct Letture<'e> {
    date: Vec<Lettura<'e>>,
    tratti: BTreeSet<Forma>,
    posizione: Posizione,
}

impl<'e> Letture<'e> {
    fn collect(envelope: &'e Envelope) -> Result<Self, IdentityError> {
        let mut letture = Self {
            date: Vec::new(),
            tratti: BTreeSet::new(),
            posizione: envelope.posizione_header,
        };
        let mut identity = None;
        for elemento in envelope.blocchi_per_noi() {
            if elemento.is(INPS, "Identity") {
                if identity.is_some() {
                    let violazione = Violazione::at(Codice::Idn003, IDENTITY)
                        .with("motivo", "l'intestazione è presente due volte")
                        .placed(elemento.posizione);
                    return Err(IdentityError(violazione));
                }
                identity = Some(elemento);
                letture.posizione = elemento.posizione;
                letture.identity(elemento);
            } else if matches!(&*elemento.namespace, "" | INPS)
                && let Some(campo) = Campo::by_nome(&elemento.locale)
            {
                letture.blocco(campo, elemento);
            }
        }
        if identity.is_none() && letture.date.is_empty() {
            return Err(IdentityError(assente(envelope)));
        }
        Ok(letture)
    }

    fn identity(&mut self, identity: &'e Elemento) {
        for [namespace, locale, valore] in &identity.attributi {
            if namespace.is_empty()
                && let Some(campo) = Campo::by_nome(locale)
            {
                self.tratti.insert(Forma::Attributi);
                self.nome(locale);
                self.date.push(Lettura {
                    campo,
                    valore,
                    modo: Modo::Attributo,
                    dove: format!("{IDENTITY}/@{locale}"),
                    posizione: identity.posizione,
                });
            }
        }
        let mut ufficio_visto = false;
        for figlio in &identity.figli {
            let prefisso = match &*figlio.namespace {
                "" => "",
                INPS => "inps:",
                _ => {
                    self.tratti.insert(Forma::FigliInPiu);
                    continue;
                }
            };
            let Some(campo) = Campo::by_nome(&figlio.locale) else {
                self.tratti.insert(Forma::FigliInPiu);
                continue;
            };
            if !prefisso.is_empty() {
                self.tratti.insert(Forma::FigliQualificati);
            }
            if campo == Campo::UserId && ufficio_visto {
                self.tratti.insert(Forma::OrdineInverso);
            }
            ufficio_visto |= campo == Campo::CodiceUfficio;
            self.nome(&figlio.locale);
            self.date.push(Lettura {
                campo,
                valore: &figlio.testo,
                modo: Modo::Figlio,
                dove: format!("{IDENTITY}/{prefisso}{}", figlio.locale),
                posizione: figlio.posizione,
            });
        }
    }

    fn blocco(&mut self, campo: Campo, blocco: &'e Elemento) {
        self.tratti.insert(Forma::BlocchiSeparati);
        self.nome(&blocco.locale);
        let prefisso = if blocco.namespace.is_empty() { "" } else { "inps:" };
        self.date.push(Lettura {
            campo,
            valore: &blocco.testo,
            modo: Modo::Blocco,
            dove: format!("{HEADER}/{prefisso}{}", blocco.locale),
            posizione: blocco.posizione,
        });
    }

    fn nome(&mut self, locale: &str) {
        if locale == "Userid" {
            self.tratti.insert(Forma::NomeUserid);
        }
    }

    /// The one value of a field. The same value may be given in two ways, but not twice in one.
    fn valore(&self, campo: Campo) -> Result<Lettura<'e>, IdentityError> {
        let mut sue = self.date.iter().filter(|lettura| lettura.campo == campo);
        let Some(prima) = sue.next() else {
            let violazione = Violazione::at(Codice::Idn002, format!("{IDENTITY}/{}", campo.nome()))
                .with("campo", campo.nome())
                .with("difetto", "assente")
                .placed(self.posizione);
            return Err(IdentityError(violazione));
        };
        for altra in sue {
            let motivo = if altra.modo == prima.modo {
                format!("{} è presente due volte", campo.nome())
            } else if altra.valore.trim() != prima.valore.trim() {
                format!("{} è presente con due valori diversi", campo.nome())
            } else {
                continue;
            };
            let violazione = Violazione::at(Codice::Idn003, altra.dove.as_str())
                .with("motivo", motivo)
                .placed(altra.posizione);
            return Err(IdentityError(violazione));
        }
        if prima.valore.trim().is_empty() {
            let violazione = Violazione::at(Codice::Idn002, prima.dove.as_str())
                .with("campo", campo.nome())
                .with("difetto", "vuoto")
                .placed(prima.posizione);
            return Err(IdentityError(violazione));
        }
        Ok(prima.clone())
    }
}

/// No Identity at all; a block that only looks like it is named, since that is what its sender needs to see.
fn assente(envelope: &Envelope) -> Violazione {
    let simile = envelope
        .blocchi
        .iter()
        .find(|blocco| blocco.elemento.locale.eq_ignore_ascii_case("identity"));
    let (trovato, posizione) = match simile {
        None => (
            "nessuna intestazione Identity".to_owned(),
            envelope.posizione_header,
        ),
        Some(blocco) if blocco.per_noi => (blocco.elemento.nome().to_string(), blocco.elemento.posizione),
        Some(blocco) => (
            format!("{} per un altro destinatario", blocco.elemento.nome()),
            blocco.elemento.posizione,
        ),
    };
    Violazione::at(Codice::Idn001, IDENTITY)
        .with("atteso", format!("{{{INPS}}}Identity"))
        .with("trovato", trovato)
        .placed(posizione)
}

fn errata(lettura: &Lettura<'_>, motivo: &str) -> IdentityError {
    IdentityError(
        Violazione::at(Codice::Idn004, lettura.dove.as_str())
            .with("campo", lettura.campo.nome())
            .with("motivo", motivo)
            .placed(lettura.posizione),
    )
}

fn check_user_id(lettura: &Lettura<'_>) -> Result<UserId, IdentityError> {
    let valore = lettura.valore.trim();
    let user_id = valore
        .parse()
        .map_err(|_| errata(lettura, "da 1 a 64 caratteri, senza caratteri di controllo"))?;
    // A username may be anything; a codice fiscale mistyped by one key would be nobody's.
    let maiuscolo = valore.to_ascii_uppercase();
    if has_forma_cf(&maiuscolo) && maiuscolo.parse::<CodiceFiscale>() == Err(CodiceFiscaleErrato::Controllo) {
        return Err(errata(
            lettura,
            "il carattere di controllo del codice fiscale non torna",
        ));
    }
    Ok(user_id)
}

fn check_codice_ufficio(lettura: &Lettura<'_>) -> Result<CodiceUfficio, IdentityError> {
    lettura
        .valore
        .trim()
        .parse()
        .map_err(|_| errata(lettura, "da 1 a 16 caratteri fra lettere, cifre e . _ - /"))
}

/// Whether a text has the sixteen-character shape of a codice fiscale (omocodia included).
fn has_forma_cf(testo: &str) -> bool {
    let cifra = |b: u8| b.is_ascii_digit() || b"LMNPQRSTUV".contains(&b);
    testo.len() == 16
        && testo.bytes().enumerate().all(|(posto, b)| match posto {
            8 => b"ABCDEHLMPRST".contains(&b),
            6 | 7 | 9 | 10 | 12..=14 => cifra(b),
            _ => b.is_ascii_uppercase(),
        })
}

#[cfg(test)]
mod tests;
