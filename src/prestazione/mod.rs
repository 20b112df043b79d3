//! What a prestazione is, and the catalogue of them. A new one is one folder here, one XSD, one WSDL and one line in
//! [`PRESTAZIONI`]; the way of a message does not change for it.

pub mod assegno_temporaneo;
pub mod assegno_unico;
#[cfg(test)]
mod prova;

#[cfg(test)]
pub(crate) use prova::racconta;

use jiff::civil::Date;

use crate::domanda::atto::completamento::{LettoreCompletamento, LettoreMeta};
use crate::domanda::atto::documento::LettoreDocumento;
use crate::domanda::atto::modifica::LettoreModifica;
use crate::domanda::atto::riesame::{LettoreRiesame, Termine};
use crate::domanda::atto::rinuncia::LettoreRinuncia;
use crate::domanda::campione::{Campo, Spunto};
use crate::domanda::dichiarazione::TestoFirmato;
use crate::domanda::regole::Finestra;
use crate::domanda::{Lettore, SchedaViva, Violazione};

/// A prestazione as the gateway sees it: a service with its namespace, its register and its reader.
#[derive(Debug)]
pub struct Prestazione {
    /// Name of the service, as in the URL: `AssegnoTemporaneo`.
    pub servizio: &'static str,
    /// Version of its contract: `1.0.0`.
    pub versione: &'static str,
    /// Target namespace of its WSDL and XSD.
    pub namespace: &'static str,
    /// The documented prefix of that namespace, used in every path that we tell: `at`.
    pub prefisso: &'static str,
    /// The register that numbers it: `AUF`.
    pub registro: &'static str,
    /// Its name for people.
    pub titolo: &'static str,
    /// File name of its XSD under `xsd/`.
    pub xsd: &'static str,
    /// What the receipt says about the next steps.
    pub prossimi_passi: &'static str,
    /// Makes a fresh reader of its `Domanda`.
    pub lettore: fn() -> Box<dyn Lettore>,
    /// The finding for a child, by its place from 1, whose live sheet the store met only while it registered.
    pub scheda_viva: fn(u32, &SchedaViva) -> Violazione,
    /// The text of a declaration, by its code, for a domanda presented on a day.
    pub testo_firmato: fn(&str, Date) -> Option<TestoFirmato>,
    /// Within which days a decision can be asked to be looked at again, oldest first.
    pub termini_riesame: &'static [Termine],
    /// When it takes domande.
    pub finestra: &'static Finestra,
    /// Makes the Domanda of a sample, of people that do not exist.
    pub campione: fn(&Spunto<'_>) -> Campo,
    /// Its operation that adds a child to a domanda: named as its domanda names a child.
    pub aggiungi: Operazione,
    /// Makes a fresh reader of what that operation carries.
    pub lettore_aggiunta: fn() -> Box<dyn Lettore>,
    /// Makes a fresh reader of split and payment in the act of a second parent.
    pub lettore_meta: fn() -> Box<dyn LettoreMeta>,
}

impl Prestazione {
    /// The operations of its service, in the order of the WSDL.
    pub fn operazioni(&self) -> impl Iterator<Item = Operazione> + '_ {
        Operazione::TUTTE
            .iter()
            .copied()
            .filter(|operazione| self.offers(*operazione))
    }

    /// Whether its service has that operation: every one but those that add the child of another.
    #[must_use]
    pub fn offers(&self, operazione: Operazione) -> bool {
        !operazione.adds_child() || operazione == self.aggiungi
    }

    /// The operation of its service whose request element has this local name.
    #[must_use]
    pub fn by_nome(&self, nome: &str) -> Option<Operazione> {
        self.operazioni().find(|operazione| operazione.nome() == nome)
    }

    /// The first operation of its service with this content: what a file that holds nothing else is taken for.
    #[must_use]
    pub fn by_elemento(&self, elemento: &str) -> Option<Operazione> {
        self.operazioni()
            .find(|operazione| operazione.elemento() == Some(elemento))
    }

    /// Makes a fresh reader of what an operation carries; `None` where it carries nothing.
    #[must_use]
    pub fn reader(&'static self, operazione: Operazione) -> Option<Box<dyn Lettore>> {
        match operazione {
            Operazione::InviaDomanda | Operazione::VerificaDomanda => Some((self.lettore)()),
            Operazione::AggiungiMinore | Operazione::AggiungiFiglio => Some((self.lettore_aggiunta)()),
            // The acts that are the same for every prestazione.
            Operazione::ModificaDomanda => Some(Box::new(LettoreModifica::new(self))),
            Operazione::CompletaSecondoGenitore => Some(Box::new(LettoreCompletamento::new(
                self.prefisso,
                self.titolo,
                (self.lettore_meta)(),
            ))),
            Operazione::AllegaDocumento => Some(Box::new(LettoreDocumento::new(self.prefisso, self.titolo))),
            Operazione::RichiediRiesame => Some(Box::new(LettoreRiesame::new(self))),
            Operazione::RinunciaDomanda => Some(Box::new(LettoreRinuncia::new(self.prefisso, self.titolo))),
            Operazione::Echo
            | Operazione::InviaLotto
            | Operazione::StatoLotto
            | Operazione::EsitoLotto
            | Operazione::ConsultaDomanda
            | Operazione::RicercaDomande
            | Operazione::ElencoVariazioni
            | Operazione::ScaricaRicevuta
            | Operazione::ScaricaRiepilogo
            | Operazione::Limiti
            | Operazione::Diagnosi => None,
        }
    }
}

/// Every prestazione that this gateway takes in.
pub const PRESTAZIONI: &[&Prestazione] = &[&assegno_temporaneo::PRESTAZIONE, &assegno_unico::PRESTAZIONE];

/// The prestazione of a service name.
#[must_use]
pub fn by_servizio(servizio: &str) -> Option<&'static Prestazione> {
    PRESTAZIONI
        .iter()
        .copied()
        .find(|prestazione| prestazione.servizio == servizio)
}

/// The operations (design.md §3) that this gateway speaks. All services have the same names, but for the child that is
/// added to a domanda.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operazione {
    /// The service's state (ModI `RAC_SOAP_004`).
    Echo,
    /// Dry run.
    VerificaDomanda,
    /// One domanda → receipt.
    InviaDomanda,
    /// A domanda as it shall be.
    ModificaDomanda,
    /// One child more, of the assegno temporaneo.
    AggiungiMinore,
    /// One child more, of the assegno unico.
    AggiungiFiglio,
    /// The other parent's half, by that parent.
    CompletaSecondoGenitore,
    /// A document for a domanda.
    AllegaDocumento,
    /// Gives up sheets of a domanda.
    RinunciaDomanda,
    /// Asks for sheets to be looked at again.
    RichiediRiesame,
    /// Many domande at once, to be worked later.
    InviaLotto,
    /// How far a lot is.
    StatoLotto,
    /// What became of each domanda of a lot.
    EsitoLotto,
    /// State of a domanda.
    ConsultaDomanda,
    /// The own domande.
    RicercaDomande,
    /// What changed since.
    ElencoVariazioni,
    /// The receipt again.
    ScaricaRicevuta,
    /// All that was sent, in words for people.
    ScaricaRiepilogo,
    /// Limits and quota.
    Limiti,
    /// What the gateway sees of the caller.
    Diagnosi,
}

impl Operazione {
    /// All of them, in the order of the WSDL.
    pub const TUTTE: &'static [Self] = &[
        Self::Echo,
        Self::VerificaDomanda,
        Self::InviaDomanda,
        Self::ModificaDomanda,
        Self::AggiungiMinore,
        Self::AggiungiFiglio,
        Self::CompletaSecondoGenitore,
        Self::AllegaDocumento,
        Self::RinunciaDomanda,
        Self::RichiediRiesame,
        Self::InviaLotto,
        Self::StatoLotto,
        Self::EsitoLotto,
        Self::ConsultaDomanda,
        Self::RicercaDomande,
        Self::ElencoVariazioni,
        Self::ScaricaRicevuta,
        Self::ScaricaRiepilogo,
        Self::Limiti,
        Self::Diagnosi,
    ];

    /// The local name of its request element.
    #[must_use]
    pub fn nome(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::VerificaDomanda => "VerificaDomanda",
            Self::InviaDomanda => "InviaDomanda",
            Self::ModificaDomanda => "ModificaDomanda",
            Self::AggiungiMinore => "AggiungiMinore",
            Self::AggiungiFiglio => "AggiungiFiglio",
            Self::CompletaSecondoGenitore => "CompletaSecondoGenitore",
            Self::AllegaDocumento => "AllegaDocumento",
            Self::RinunciaDomanda => "RinunciaDomanda",
            Self::RichiediRiesame => "RichiediRiesame",
            Self::InviaLotto => "InviaLotto",
            Self::StatoLotto => "StatoLotto",
            Self::EsitoLotto => "EsitoLotto",
            Self::ConsultaDomanda => "ConsultaDomanda",
            Self::RicercaDomande => "RicercaDomande",
            Self::ElencoVariazioni => "ElencoVariazioni",
            Self::ScaricaRicevuta => "ScaricaRicevuta",
            Self::ScaricaRiepilogo => "ScaricaRiepilogo",
            Self::Limiti => "Limiti",
            Self::Diagnosi => "Diagnosi",
        }
    }

    /// Its content: the element of its request, by local name, that digest and imprint are of, that is read whole and
    /// registered where the operation writes. `None` where a request is a few fields.
    #[must_use]
    pub fn elemento(self) -> Option<&'static str> {
        match self {
            Self::InviaDomanda | Self::VerificaDomanda => Some("Domanda"),
            Self::ModificaDomanda => Some("Modifica"),
            Self::AggiungiMinore => Some("NuovoMinore"),
            Self::AggiungiFiglio => Some("NuovoFiglio"),
            Self::CompletaSecondoGenitore => Some("Completamento"),
            Self::AllegaDocumento => Some("Documento"),
            Self::RinunciaDomanda => Some("Rinuncia"),
            Self::RichiediRiesame => Some("Riesame"),
            Self::Echo
            | Self::InviaLotto
            | Self::StatoLotto
            | Self::EsitoLotto
            | Self::ConsultaDomanda
            | Self::RicercaDomande
            | Self::ElencoVariazioni
            | Self::ScaricaRicevuta
            | Self::ScaricaRiepilogo
            | Self::Limiti
            | Self::Diagnosi => None,
        }
    }

    /// Whether it adds a child to a domanda: an operation of one service alone.
    #[must_use]
    pub fn adds_child(self) -> bool {
        matches!(self, Self::AggiungiMinore | Self::AggiungiFiglio)
    }

    /// The operation, of whichever service, whose request element has this local name.
    #[must_use]
    pub fn by_nome(nome: &str) -> Option<Self> {
        Self::TUTTE
            .iter()
            .copied()
            .find(|operazione| operazione.nome() == nome)
    }
}
