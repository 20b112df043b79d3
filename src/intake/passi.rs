//! The proofs of the way: each wraps the one before it, and only the step that checked can build it.

use bytes::Bytes;
use jiff::Timestamp;

use crate::access::Authorized;
use crate::domanda::{Ambiente, Contesto, Domanda, Esame, Istanza, SchedaViva, Violazione};
use crate::patronato::ChiaveInvio;
use crate::rifiuto::Rifiuto;
use crate::schema::Lettura;

/// Read to its last byte: well-formed, within limits; findings of form are kept and not yet told.
#[derive(Debug)]
pub(super) struct Letta {
    pub(super) authorized: Authorized<Lettura>,
    pub(super) bytes: Bytes,
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
    pub(super) domanda: Box<dyn Domanda>,
}

/// Valid, and within the rules of its prestazione.
#[derive(Debug)]
pub(super) struct Ammessa {
    pub(super) valida: Valida,
    pub(super) avvisi: Vec<Violazione>,
}

impl Letta {
    /// The key, where it could be read.
    pub(super) fn chiave(&self) -> Option<&ChiaveInvio> {
        self.authorized.message().chiave.as_ref()
    }

    /// Valid and within the rules, as far as can be said without the store; else the message as it was.
    pub(super) fn without_objections(
        mut self,
        ambiente: Ambiente,
        avvisi: &mut Vec<Violazione>,
    ) -> Result<Ammessa, Box<Self>> {
        let lettura = self.authorized.message_mut();
        let Some(Istanza::Domanda(domanda)) = lettura.istanza.take() else {
            return Err(Box::new(self));
        };
        let valida = Valida { letta: self, domanda };
        let esame = valida.esamina(&[], ambiente);
        if esame.violazioni.is_empty() {
            let mut avvisi = std::mem::take(avvisi);
            avvisi.extend(esame.avvisi);
            return Ok(Ammessa { valida, avvisi });
        }
        let Valida { mut letta, domanda } = valida;
        letta.authorized.message_mut().istanza = Some(Istanza::Domanda(domanda));
        Err(Box::new(letta))
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
        let Some(Istanza::Domanda(domanda)) = lettura.istanza.take() else {
            // A message without findings has a domanda: the XSD demands it, and schema holds itself to that.
            return Err(Rifiuto::Forma(Vec::new()));
        };
        Ok(Valida { letta, domanda })
    }
}

impl Valida {
    /// What the rules say, each finding at its line.
    pub(super) fn esamina(&self, schede_vive: &[SchedaViva], ambiente: Ambiente) -> Esame {
        let mut esame = self.domanda.esamina(&self.contesto(schede_vive, ambiente));
        let posizioni = &self.letta.authorized.message().posizioni;
        posizioni.place(&mut esame.violazioni, &self.letta.bytes);
        posizioni.place(&mut esame.avvisi, &self.letta.bytes);
        esame
    }

    /// The refusal for children whose sheet was taken between the look and the registration, each at its line.
    pub(super) fn schede_vive(&self, schede: &[(u32, SchedaViva)]) -> Vec<Violazione> {
        let lettura = self.letta.authorized.message();
        let refuse = lettura.prestazione.scheda_viva;
        let mut violazioni: Vec<_> = schede
            .iter()
            .map(|(posto, scheda)| refuse(*posto, scheda))
            .collect();
        lettura.posizioni.place(&mut violazioni, &self.letta.bytes);
        violazioni
    }

    /// What rules may look at beside the domanda.
    pub(super) fn contesto<'a>(&'a self, schede_vive: &'a [SchedaViva], ambiente: Ambiente) -> Contesto<'a> {
        let identity = self.letta.authorized.identity();
        Contesto {
            presentata_il: self.letta.presentata_il,
            ambiente,
            ente: Some(&self.letta.authorized.ente().codice),
            codice_ufficio: Some(&identity.codice_ufficio),
            user_id: Some(&identity.user_id),
            schede_vive,
        }
    }
}
