//! The proofs of the way: each wraps the one before it, and only the step that checked can build it.

use bytes::Bytes;
use jiff::Timestamp;

use super::giudizio::{Attuale, Contro, giudica, taken_meanwhile};
use crate::access::Authorized;
use crate::domanda::{Ambiente, Contesto, DomandaViva, Istanza, SchedaViva, Violazione};
use crate::patronato::ChiaveInvio;
use crate::rifiuto::{Failure, Rifiuto};
use crate::schema::Lettura;
use crate::soap::identity::Forma;
use crate::store::Contenuto;

/// Read to its last byte: well-formed, within limits; findings of form are kept and not yet told.
#[derive(Debug)]
pub(super) struct Letta {
    pub(super) authorized: Authorized<Lettura>,
    /// The envelope: what line and column are counted in.
    pub(super) busta: Bytes,
    /// Where it begins in the message.
    pub(super) busta_da: usize,
    /// The whole message as received.
    pub(super) intera: Bytes,
    pub(super) presentata_il: Timestamp,
}

/// Its key was never used, or it has none that can be read.
#[derive(Debug)]
pub(super) struct Nuova {
    pub(super) letta: Letta,
}

/// Valid against the XSD.
#[derive(Debug)]
pub(super) struct Valida {
    pub(super) letta: Letta,
    istanza: Istanza,
}

/// Valid, and within the rules of its prestazione.
#[derive(Debug)]
pub(super) struct Ammessa {
    pub(super) valida: Valida,
    pub(super) contenuto: Contenuto,
    pub(super) avvisi: Vec<Violazione>,
}

/// What every message of a gateway is judged by, beside its prestazione's rules.
#[derive(Debug, Clone, Copy)]
pub(super) struct Regime {
    pub(super) ambiente: Ambiente,
    pub(super) allegato_bytes_max: u64,
}

impl Letta {
    /// The key, where it could be read.
    pub(super) fn chiave(&self) -> Option<&ChiaveInvio> {
        self.authorized.message().chiave.as_ref()
    }

    /// Where the content stands in the message as received.
    pub(super) fn contenuto(&self) -> (usize, usize) {
        let (da, a) = self.authorized.message().contenuto_in_richiesta;
        (self.busta_da + da, self.busta_da + a)
    }

    /// A domanda, valid and within the rules, as far as can be said without the store; else the message as it was.
    pub(super) fn without_objections(
        mut self,
        regime: Regime,
        avvisi: &[Violazione],
    ) -> Result<Ammessa, Box<Self>> {
        let Some(Istanza::Domanda(domanda)) = self.authorized.message_mut().istanza.take_if(is_domanda)
        else {
            return Err(Box::new(self));
        };
        let valida = Valida {
            letta: self,
            istanza: Istanza::Domanda(domanda),
        };
        valida
            .ammetti(&Attuale::default(), regime, avvisi)
            .map_err(|respinta| Box::new(respinta.0.take_back()))
    }

    /// The text of a simple operation's field, by its path under the wrapper.
    pub(super) fn campo(&self, percorso: &str) -> Option<&str> {
        let campi = &self.authorized.message().campi;
        campi
            .iter()
            .find(|(nome, _)| nome == percorso)
            .map(|(_, testo)| testo.as_str())
    }
}

impl Nuova {
    /// No findings of form; else all of them at once.
    pub(super) fn without_findings(self) -> Result<Valida, Rifiuto> {
        let mut letta = self.letta;
        let lettura = letta.authorized.message_mut();
        let rilievi = std::mem::take(&mut lettura.rilievi);
        if !rilievi.is_empty() {
            return Err(Rifiuto::Forma(rilievi));
        }
        let Some(istanza) = lettura.istanza.take() else {
            // A message without findings has its content: the XSD demands it, and schema holds itself to that.
            return Err(Rifiuto::Forma(Vec::new()));
        };
        Ok(Valida { letta, istanza })
    }
}

impl Valida {
    /// What the rules say, each finding at its line: nothing against it, and there is something to register; else all
    /// that refuses it. `attuale` is what it is held against.
    pub(super) fn ammetti(
        self,
        attuale: &Attuale,
        regime: Regime,
        avvisi: &[Violazione],
    ) -> Result<Ammessa, Box<(Self, Failure)>> {
        let contesto = self.contesto(attuale, regime);
        let lettura = self.letta.authorized.message();
        let place = |trovate: &mut Vec<Violazione>| lettura.posizioni.place(trovate, &self.letta.busta);
        let prima = avvisi.iter().cloned();
        match giudica(&self.istanza, lettura, attuale.domanda.as_ref(), &contesto) {
            Ok((contenuto, mut avvisi)) => {
                place(&mut avvisi);
                Ok(Ammessa {
                    contenuto,
                    avvisi: prima.chain(avvisi).collect(),
                    valida: self,
                })
            }
            Err(mut contro) => {
                if let Contro::Regole(esame) = &mut contro {
                    place(&mut esame.violazioni);
                    place(&mut esame.avvisi);
                    esame.avvisi = prima.chain(std::mem::take(&mut esame.avvisi)).collect();
                }
                Err(Box::new((self, contro.into())))
            }
        }
    }

    /// The message as it was read, for another look at its key and its domanda.
    pub(super) fn take_back(self) -> Letta {
        let Self { mut letta, istanza } = self;
        letta.authorized.message_mut().istanza = Some(istanza);
        letta
    }

    /// The refusal for what was taken between the look and the registration, each finding at its line.
    pub(super) fn taken(
        &self,
        domanda: Option<&DomandaViva>,
        schede: &[(u32, SchedaViva)],
    ) -> Vec<Violazione> {
        let lettura = self.letta.authorized.message();
        let ente = &self.letta.authorized.ente().codice;
        let mut violazioni = taken_meanwhile(&self.istanza, lettura, ente, domanda, schede);
        lettura.posizioni.place(&mut violazioni, &self.letta.busta);
        violazioni
    }

    /// Whether this is the act of a second parent, and names what can be looked for.
    pub(super) fn could_be_found(&self) -> bool {
        match &self.istanza {
            Istanza::Domanda(_) => false,
            Istanza::Atto(atto) => matches!(atto.by_second_parent(), Some(Some(_))),
        }
    }

    /// What rules may look at beside the domanda.
    fn contesto<'a>(&'a self, attuale: &'a Attuale, regime: Regime) -> Contesto<'a> {
        let identity = self.letta.authorized.identity();
        Contesto {
            presentata_il: self.letta.presentata_il,
            ambiente: regime.ambiente,
            ente: Some(&self.letta.authorized.ente().codice),
            codice_ufficio: Some(&identity.codice_ufficio),
            // The adesione's operator sends for others, whom the domanda names: nobody told a second name to compare.
            user_id: (identity.forma != Forma::Adesione).then_some(&identity.user_id),
            schede_vive: &attuale.schede_vive,
            domande_vive: &attuale.domande_vive,
            allegato_bytes_max: regime.allegato_bytes_max,
            pregresso: None,
        }
    }
}

/// In the shape that `take_if` asks for.
fn is_domanda(istanza: &mut Istanza) -> bool {
    matches!(istanza, Istanza::Domanda(_))
}
