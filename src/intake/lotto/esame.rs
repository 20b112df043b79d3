//! An item of a lot, judged as a single domanda would be: the same reading, the same look at its key, the same rules, at
//! the instant at which its lot was durable. What is different is how it is told: not a Fault or an answer, but the
//! item's outcome, each finding at its line in the sender's file.

use std::sync::Arc;

use bytes::Bytes;

use super::taglio::{Elemento, Involucro, Spostamento, etichetta, percorso};
use crate::catalogo::Codice;
use crate::clock::{Clock, Ids};
use crate::domanda::{Ambiente, Contesto, DomandaViva, Posizione, SchedaViva, Violazione};
use crate::intake::giudizio::{Attuale, Contro, before, giudica, taken_meanwhile};
use crate::patronato::ChiaveInvio;
use crate::prestazione::{Operazione, Prestazione};
use crate::rifiuto::Rifiuto;
use crate::schema::{Lettura, Schema};
use crate::soap::{answer, errori};
use crate::store::lotti::{Avanzamento, Lotto, SorteVoce, Voce};
use crate::store::{Atto, Chiave, Contenuto, Registrazione, SharedStore, StoreError};
use crate::trace::Traccia;
use crate::xml::Limits;

/// What items are judged by.
#[derive(Debug, Clone)]
pub struct Banco {
    /// Form.
    pub schema: Schema,
    /// Keys and live sheets.
    pub store: SharedStore,
    /// Which environment this is.
    pub ambiente: Ambiente,
    /// Bounds of reading.
    pub limits: Limits,
    /// Bytes of one document.
    pub allegato_bytes_max: u64,
    /// Ids of the trace records.
    pub ids: Arc<dyn Ids>,
    /// The true time, for them.
    pub clock: Arc<dyn Clock>,
}

/// An item that was read, and what its refusal is worded from: now, or if it cannot be registered after all.
#[derive(Debug)]
pub struct Letto {
    /// How far the lot has come with it.
    pub dopo: Avanzamento,
    posto: u64,
    luogo: Posizione,
    spostamento: Spostamento,
    bytes: Bytes,
    lettura: Option<Box<Lettura>>,
}

impl Banco {
    /// Reads and judges one item, the `posto`-th of its lot.
    pub async fn judge(
        &self,
        lotto: &Lotto,
        involucro: &Involucro,
        posto: u64,
        elemento: &Elemento,
        byte: &[u8],
    ) -> Result<(Voce, Letto), StoreError> {
        let mut letto = Letto::new(involucro, posto, elemento, byte);
        let sorte = match &elemento.straniero {
            Some(trovato) => letto.refuse(lotto, vec![straniero(lotto.prestazione, trovato)]),
            None => match self.read(lotto, involucro, &mut letto)? {
                Some(illeggibile) => letto.refuse(lotto, vec![illeggibile]),
                None => self.weigh(lotto, &letto).await?,
            },
        };
        let chiave = letto.lettura.as_ref().and_then(|lettura| lettura.chiave.clone());
        let voce = Voce {
            chiave,
            luogo: elemento.luogo,
            sorte,
        };
        Ok((voce, letto))
    }

    /// SYS-001: one that cannot be judged, since we break on it. It is never looked at again.
    pub fn broken(
        &self,
        lotto: &Lotto,
        involucro: &Involucro,
        posto: u64,
        elemento: &Elemento,
        byte: &[u8],
    ) -> (Voce, Letto) {
        let letto = Letto::new(involucro, posto, elemento, byte);
        let voce = Voce {
            chiave: None,
            luogo: elemento.luogo,
            sorte: letto.refuse(lotto, vec![Violazione::at(Codice::Sys001, "")]),
        };
        (voce, letto)
    }

    /// Reads it; what stands against that.
    fn read(
        &self,
        lotto: &Lotto,
        involucro: &Involucro,
        letto: &mut Letto,
    ) -> Result<Option<Violazione>, StoreError> {
        let richiesta = (lotto.prestazione, Operazione::InviaDomanda);
        match self
            .schema
            .read_element(richiesta, involucro.dopo(), &letto.bytes, &self.limits)
        {
            Ok(lettura) => {
                letto.lettura = Some(Box::new(lettura));
                Ok(None)
            }
            Err(errore) => match errore.violazione() {
                Some(violazione) => Ok(Some(violazione)),
                None => Err(StoreError::unavailable(errore)),
            },
        }
    }

    /// What the rules say: first without the store, since mostly nothing stands against it; where something does, in the
    /// order in which a single domanda is told (its key, its form, the rules with the live sheets).
    async fn weigh(&self, lotto: &Lotto, letto: &Letto) -> Result<SorteVoce, StoreError> {
        let Some(lettura) = letto.lettura.as_deref() else {
            // What was not read has its refusal already, and is not asked again.
            return Ok(letto.refuse(lotto, vec![Violazione::at(Codice::Sys001, "")]));
        };
        let istanza = lettura.istanza.as_ref().filter(|_| lettura.rilievi.is_empty());
        if let Some(istanza) = istanza
            && let Ok((contenuto, _)) =
                giudica(istanza, lettura, None, &self.contesto(lotto, &Attuale::default()))
        {
            return Ok(self.register(lotto, lettura, letto, contenuto));
        }
        if let Some(chiave) = &lettura.chiave {
            match before(&*self.store, &chiave_di(lotto, chiave), lettura.digest).await? {
                Ok(Some(registrata)) => return Ok(SorteVoce::Ripetuta(Box::new(registrata))),
                Ok(None) => {}
                Err(conflitto) => return Ok(letto.refuse(lotto, conflitto.violazioni())),
            }
        }
        let Some(istanza) = istanza else {
            return Ok(letto.refuse(lotto, lettura.rilievi.clone()));
        };
        let servizio = lotto.chiave.servizio;
        let attuale = Attuale::read(&*self.store, &lotto.chiave.ente, servizio, Some(istanza)).await?;
        let contesto = self.contesto(lotto, &attuale);
        match giudica(istanza, lettura, attuale.domanda.as_ref(), &contesto) {
            Ok((contenuto, _)) => Ok(self.register(lotto, lettura, letto, contenuto)),
            Err(Contro::Regole(esame)) => Ok(letto.refuse_placed(lotto, lettura, esame.violazioni)),
            Err(Contro::NonTrovata) => Ok(letto.refuse(lotto, Rifiuto::NonTrovata.violazioni())),
            Err(Contro::Illeggibile) => Err(StoreError::unavailable(
                "the rules let through what cannot be read",
            )),
        }
    }

    /// What becomes of an item that the registration did not take.
    pub async fn reword(
        &self,
        lotto: &Lotto,
        letto: &Letto,
        registrazione: Registrazione,
    ) -> Result<SorteVoce, StoreError> {
        match registrazione {
            Registrazione::Registrata(registrata) | Registrazione::Ripetuta(registrata) => {
                Ok(SorteVoce::Ripetuta(Box::new(registrata)))
            }
            Registrazione::Conflitto(registrata) => {
                let conflitto = Rifiuto::Conflitto {
                    protocollo: registrata.protocollo,
                };
                Ok(letto.refuse(lotto, conflitto.violazioni()))
            }
            Registrazione::ChiaveDiLotto(altro) => {
                let conflitto = Rifiuto::ChiaveDiLotto { lotto: altro };
                Ok(letto.refuse(lotto, conflitto.violazioni()))
            }
            Registrazione::SchedaViva(schede) => self.taken(lotto, letto, None, &schede).await,
            Registrazione::DomandaViva(viva, schede) => self.taken(lotto, letto, Some(&viva), &schede).await,
            // An item of a lot comes in no busta of its own.
            Registrazione::Superata | Registrazione::BustaDoppia => self.weigh(lotto, letto).await,
        }
    }

    /// Somebody else's domanda won the race between the look and the registration.
    async fn taken(
        &self,
        lotto: &Lotto,
        letto: &Letto,
        domanda: Option<&DomandaViva>,
        schede: &[(u32, SchedaViva)],
    ) -> Result<SorteVoce, StoreError> {
        let Some(lettura) = letto.lettura.as_deref() else {
            return self.weigh(lotto, letto).await;
        };
        let Some(istanza) = &lettura.istanza else {
            return self.weigh(lotto, letto).await;
        };
        let violazioni = taken_meanwhile(istanza, lettura, &lotto.chiave.ente, domanda, schede);
        Ok(letto.refuse_placed(lotto, lettura, violazioni))
    }

    fn contesto<'c>(&self, lotto: &'c Lotto, attuale: &'c Attuale) -> Contesto<'c> {
        Contesto {
            presentata_il: lotto.presentato_il,
            ambiente: self.ambiente,
            schede_vive: &attuale.schede_vive,
            domande_vive: &attuale.domande_vive,
            ente: Some(&lotto.chiave.ente),
            codice_ufficio: Some(&lotto.codice_ufficio),
            user_id: Some(&lotto.user_id),
            allegato_bytes_max: self.allegato_bytes_max,
            pregresso: None,
        }
    }

    fn register(&self, lotto: &Lotto, lettura: &Lettura, letto: &Letto, contenuto: Contenuto) -> SorteVoce {
        let Some(chiave) = &lettura.chiave else {
            // The XSD demands a key: an item without findings has one.
            let senza = Violazione::at(Codice::Xsd099, "").with("vincolo", "ChiaveInvio");
            return letto.refuse(lotto, vec![senza]);
        };
        let chiave = chiave_di(lotto, chiave);
        let traccia = self.traccia(lotto, lettura, letto);
        SorteVoce::Atto(Box::new(Atto {
            prestazione: lotto.prestazione,
            digest: lettura.digest,
            impronta: lettura.impronta,
            presentata_il: lotto.presentato_il,
            ente_denominazione: lotto.ente_denominazione.clone(),
            codice_ufficio: lotto.codice_ufficio.clone(),
            user_id: lotto.user_id.clone(),
            certificato_sha256: lotto.certificato_sha256.clone(),
            canale: CANALE,
            emergenza: None,
            operazione: Operazione::InviaDomanda,
            contenuto,
            richiesta: letto.bytes.clone(),
            contenuto_in_richiesta: lettura.contenuto_in_richiesta,
            traccia,
            stampa: answer::ricevuta,
            chiave,
        }))
    }

    /// The record of an item that is registered: whoever looks for its number finds the lot.
    fn traccia(&self, lotto: &Lotto, lettura: &Lettura, letto: &Letto) -> Traccia {
        Traccia {
            message_id: self.ids.next(),
            ricevuto_il: self.clock.wall(),
            canale: CANALE.to_owned(),
            servizio: Some(lotto.prestazione.servizio.to_owned()),
            operazione: Some(Operazione::InviaDomanda.nome().to_owned()),
            ente: Some(lotto.chiave.ente.to_string()),
            codice_ufficio: Some(lotto.codice_ufficio.to_string()),
            user_id: Some(lotto.user_id.to_string()),
            chiave_invio: lettura.chiave.as_ref().map(ToString::to_string),
            uri: format!("LOTTO {}#{}", lotto.id, letto.posto),
            richiesta_len: letto.bytes.len() as u64,
            esito: "REGISTRATA".to_owned(),
            http_status: 200,
            ..Traccia::default()
        }
    }
}

impl Letto {
    /// Not read yet.
    fn new(involucro: &Involucro, posto: u64, elemento: &Elemento, byte: &[u8]) -> Self {
        Self {
            dopo: Avanzamento {
                elementi: posto,
                byte: elemento.dopo_byte,
                luogo: Some(elemento.dopo),
            },
            posto,
            luogo: elemento.luogo,
            spostamento: involucro.shift(elemento.luogo),
            bytes: Bytes::from(involucro.around(byte)),
            lettura: None,
        }
    }

    /// The refusal for reasons that are placed in the lot of one, or not at all.
    fn refuse(&self, lotto: &Lotto, violazioni: Vec<Violazione>) -> SorteVoce {
        let violazioni = placed(
            lotto.prestazione,
            self.posto,
            self.luogo,
            self.spostamento,
            violazioni,
        );
        SorteVoce::Rifiutata(errori::elementi(&violazioni).into())
    }

    /// The same, of findings that know where they are by their paths alone.
    fn refuse_placed(&self, lotto: &Lotto, lettura: &Lettura, mut violazioni: Vec<Violazione>) -> SorteVoce {
        lettura.posizioni.place(&mut violazioni, &self.bytes);
        self.refuse(lotto, violazioni)
    }
}

/// Findings of a lot of one, as they are told of the lot: with the item's place in their paths, at the lines of the
/// sender's file.
#[must_use]
pub fn placed(
    prestazione: &Prestazione,
    posto: u64,
    luogo: Posizione,
    spostamento: Spostamento,
    violazioni: Vec<Violazione>,
) -> Vec<Violazione> {
    let richiesta = etichetta(prestazione, Operazione::InviaDomanda.nome());
    let elemento = format!("{}/{richiesta}[{posto}]", percorso(prestazione));
    let richiesta = format!("/{richiesta}");
    violazioni
        .into_iter()
        .map(|mut violazione| {
            let dove = violazione
                .dove
                .strip_prefix(&richiesta)
                .unwrap_or(&violazione.dove);
            violazione.dove = format!("{elemento}{dove}");
            let posizione = violazione.posizione.map(|posizione| spostamento.of(posizione));
            violazione.placed(posizione.unwrap_or(luogo))
        })
        .collect()
}

/// LOT-013.
#[must_use]
pub fn straniero(prestazione: &Prestazione, trovato: &str) -> Violazione {
    let atteso = etichetta(prestazione, Operazione::InviaDomanda.nome());
    Violazione::at(Codice::Lot013, "")
        .with("trovato", trovato)
        .with("atteso", atteso)
}

fn chiave_di(lotto: &Lotto, chiave: &ChiaveInvio) -> Chiave {
    Chiave {
        ente: lotto.chiave.ente.clone(),
        servizio: lotto.chiave.servizio,
        chiave: chiave.clone(),
    }
}

/// By which way an item came.
const CANALE: &str = "LOTTO";
