//! The trace record while the message is on its way: each step writes down what it learnt and how long it took.

use std::time::Instant;

use bytes::Bytes;
use jiff::civil::Date;
use uuid::Uuid;

use super::Reply;
use super::corpo::Corpo;
use crate::adesione::Ente;
use crate::domanda::Violazione;
use crate::domanda::sha256::hex;
use crate::patronato::ChiaveInvio;
use crate::prestazione::{Operazione, Prestazione};
use crate::ricevuta::Registrata;
use crate::schema::Lettura;
use crate::soap::answer::{EsitoInvio, EsitoVerifica, Risposta};
use crate::soap::envelope::Envelope;
use crate::soap::identity::Identity;
use crate::trace::Traccia;
use crate::trace::egov::{BustaInviata, Diagnostico, Forma, Scambio};
use crate::trace::writer::Guardia;

/// A [`Guardia`] with a stopwatch.
#[derive(Debug)]
pub struct Diario {
    guardia: Guardia,
    passo: Instant,
    ultimo: &'static str,
    richiesta: Option<Bytes>,
    registered: bool,
    /// The answer is kept elsewhere.
    senza_risposta: bool,
    /// The header of the answer in a busta, once one was accepted: what a registration writes with the record.
    promessa: Option<BustaInviata>,
}

impl Diario {
    /// The record that `guardia` keeps, from now on.
    #[must_use]
    pub fn new(guardia: Guardia) -> Self {
        Self {
            guardia,
            passo: Instant::now(),
            ultimo: "porta",
            richiesta: None,
            registered: false,
            senza_risposta: false,
            promessa: None,
        }
    }

    /// The record itself, for what the channel knows.
    pub fn traccia(&mut self) -> &mut Traccia {
        &mut self.guardia
    }

    /// A step is over: notes its time.
    pub(super) fn passo(&mut self, nome: &'static str) {
        let us = u64::try_from(self.passo.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.traccia().tempi_us.push((nome, us));
        self.passo = Instant::now();
        self.ultimo = nome;
    }

    /// The last step that was wholly done.
    pub(super) fn ultimo_passo(&self) -> &'static str {
        self.ultimo
    }

    /// The envelope is open and Identity was read.
    pub(super) fn identity(&mut self, identity: &Identity, envelope: &Envelope) {
        let id_mittente = envelope.wsa_message_id().map(str::to_owned);
        let traccia = self.traccia();
        traccia.user_id = Some(identity.user_id.to_string());
        traccia.codice_ufficio = Some(identity.codice_ufficio.to_string());
        traccia.identity_forma = Some(identity.forma.as_str().to_owned());
        traccia.id_mittente = id_mittente.or_else(|| traccia.id_mittente.take());
    }

    /// The certificate's ente, where it has one: a refusal is found by ente too.
    pub(super) fn ente(&mut self, ente: Option<&Ente>) {
        self.traccia().ente = ente.map(|ente| ente.codice.to_string());
    }

    /// The service is known.
    pub(super) fn servizio(&mut self, prestazione: &Prestazione) {
        let servizio = &mut self.traccia().servizio;
        if servizio.as_deref() != Some(prestazione.servizio) {
            *servizio = Some(prestazione.servizio.to_owned());
        }
    }

    /// The operation is known; an action that names another is worth a note, and no more (docs/integrazione.md).
    pub(super) fn operazione(&mut self, operazione: Operazione) {
        let traccia = self.traccia();
        traccia.operazione = Some(operazione.nome().to_owned());
        if let Some(azione) = traccia.azione.clone()
            && !azione.ends_with(operazione.nome())
        {
            traccia
                .note
                .push(format!("azione diversa dall'operazione: {azione}"));
        }
    }

    /// The whole message was read.
    pub(super) fn lettura(&mut self, lettura: &Lettura) {
        let traccia = self.traccia();
        traccia.chiave_invio = lettura.chiave.as_ref().map(ToString::to_string);
        if lettura.operazione.elemento().is_some() {
            traccia.digest = Some(hex(&lettura.digest.0));
            traccia.impronta = Some(hex(&lettura.impronta));
        }
    }

    /// The request's bytes, kept unless a registration keeps them.
    pub(super) fn richiesta(&mut self, bytes: Bytes) {
        self.traccia().richiesta_len = bytes.len() as u64;
        self.richiesta = Some(bytes);
    }

    /// A lot has come: its bytes are in its spool, not in the record.
    pub(super) fn lotto(&mut self, id: Uuid, chiave: &ChiaveInvio, arrivati: u64) {
        let traccia = self.traccia();
        traccia.chiave_invio = Some(chiave.to_string());
        traccia.richiesta_len = arrivati;
        traccia.note.push(format!("lotto {id}"));
    }

    /// The record as the registration writes it: as if it had gone well, since it is written only then.
    pub(super) fn snapshot(&mut self) -> Traccia {
        let promesso = self.promised();
        // What is promised stands in its place: it need not be copied first.
        let scambio = self.traccia().egov.take();
        let mut traccia = Traccia::clone(&self.guardia);
        self.traccia().egov = scambio;
        traccia.egov = promesso.map(Box::new);
        "REGISTRATA".clone_into(&mut traccia.esito);
        traccia.http_status = 200;
        traccia
    }

    /// The registration wrote the record: nothing is left to write.
    pub(super) fn registered(&mut self) {
        self.passo("registrazione");
        self.registered = true;
    }

    /// The busta was accepted: this is the header of its answer, and its Identificatore is used up under that day.
    pub(super) fn promise(&mut self, risposta: BustaInviata, giorno: Option<Date>) {
        self.promessa = Some(risposta);
        if let Some(scambio) = &mut self.traccia().egov {
            scambio.giorno = giorno;
        }
    }

    /// What is exchanged if the service answers; `None` where no busta was accepted, or it was written.
    pub(super) fn promised(&self) -> Option<Scambio> {
        let scambio = self.guardia.egov.as_deref().filter(|_| !self.registered)?;
        Some(Scambio {
            forma: Some(Forma::Risposta),
            risposta: Some(self.promessa.clone()?),
            ..scambio.clone()
        })
    }

    /// The header that was promised.
    pub(super) fn sent(&self) -> Option<BustaInviata> {
        self.promessa.clone()
    }

    /// The exchange was written: nothing is left to write of it.
    pub(super) fn used_up(&mut self) {
        self.traccia().egov = None;
    }

    /// How the busta was answered, and with which header.
    pub(super) fn answered(&mut self, forma: Forma, risposta: Option<BustaInviata>) {
        if let Some(scambio) = &mut self.traccia().egov {
            scambio.forma = Some(forma);
            scambio.risposta = risposta;
        }
    }

    /// The message has no busta that could be recorded: this is told instead.
    pub(super) fn diagnosed(&mut self, diagnostico: Diagnostico) {
        if let Some(scambio) = &mut self.traccia().egov {
            scambio.richiesta = None;
            scambio.diagnostico = Some(diagnostico);
        }
    }

    /// The message has a number, now or since long ago.
    pub(super) fn protocollo(&mut self, registrata: &Registrata) {
        let traccia = self.traccia();
        traccia.protocollo = Some(registrata.protocollo.to_string());
        traccia.numero_domanda = Some(registrata.numero_domanda.0);
    }

    /// The outcome of a message that was answered.
    pub(super) fn outcome(&mut self, risposta: &Risposta) {
        self.senza_risposta = risposta.is_kept();
        let esito = match risposta {
            Risposta::Invio {
                esito: EsitoInvio::Registrata(ricevuta),
                ..
            } if ricevuta.ripetizione => "RIPETUTA",
            Risposta::Invio {
                esito: EsitoInvio::Registrata(_),
                ..
            } => "REGISTRATA",
            Risposta::Verifica {
                esito: EsitoVerifica::Registrata(_),
                ..
            } => "RIPETUTA",
            Risposta::Verifica {
                esito: EsitoVerifica::Ammissibile { .. },
                ..
            } => "AMMISSIBILE",
            Risposta::Invio {
                esito: EsitoInvio::Rifiutata { .. },
                ..
            }
            | Risposta::Verifica {
                esito: EsitoVerifica::Rifiutata { .. },
                ..
            } => "RIFIUTATA",
            Risposta::Lotto(lotto) if lotto.ripetizione => "RIPETUTA",
            Risposta::Lotto(_) => "ACCOLTO",
            Risposta::StatoLotto(_)
            | Risposta::EsitoLotto { .. }
            | Risposta::Consultazione(_)
            | Risposta::Ricerca(_)
            | Risposta::Variazioni(_)
            | Risposta::Ricevuta { .. }
            | Risposta::Riepilogo { .. }
            | Risposta::Echo { .. }
            | Risposta::Limiti { .. }
            | Risposta::Diagnosi(_) => "RISPOSTA",
        };
        esito.clone_into(&mut self.traccia().esito);
    }

    /// The outcome of a message that was refused.
    pub fn refused(&mut self, esito: &str, violazioni: &[Violazione]) {
        let traccia = self.traccia();
        esito.clone_into(&mut traccia.esito);
        traccia.codici = violazioni
            .iter()
            .map(|violazione| violazione.codice.to_string())
            .collect();
        traccia.codice = traccia.codici.first().cloned();
    }

    /// A document of the contract was told.
    pub fn told(&mut self) {
        "RISPOSTA".clone_into(&mut self.traccia().esito);
    }

    /// As [`Diario::close`], for an answer that is the same for everybody and need not be kept.
    pub fn close_without_bytes(mut self, reply: &Reply) {
        let traccia = &mut self.guardia;
        traccia.risposta_len = reply.bytes.len() as u64;
        traccia.http_status = reply.status;
        self.guardia.close();
    }

    /// The answer is made: writes the record, unless a registration already did.
    pub fn close(mut self, corpo: &mut Corpo, reply: &Reply) {
        self.passo("risposta");
        self.guardia.risposta_len = reply.bytes.len() as u64;
        self.guardia.http_status = reply.status;
        if self.registered {
            self.guardia.registered();
            return;
        }
        let richiesta = self
            .richiesta
            .take()
            .or_else(|| (!corpo.is_empty()).then(|| corpo.so_far()));
        let traccia = &mut self.guardia;
        traccia.richiesta_len = traccia
            .richiesta_len
            .max(richiesta.as_ref().map_or(0, |bytes| bytes.len() as u64));
        traccia.richiesta = richiesta;
        traccia.risposta = (!self.senza_risposta).then(|| reply.bytes.clone());
        self.guardia.close();
    }
}
