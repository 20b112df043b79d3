//! One connection: who is on the other end, and whether they are still welcome.
//!
//! The handshake's verdict ages: a certificate expires, a list is published, a CA is taken out. So the [`Peer`] is
//! handed out by a question, [`Connessione::peer`], and each request asks it. The question costs a comparison, or
//! the whole check of the chain when the door's material has changed since it was last asked.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::HttpRequest;
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use tokio::time::Instant;

use super::limits::Posto;
use super::refusal::{Chi, of_tls, refusal};
use super::tls::Porta;
use crate::adesione::Peer;
use crate::catalogo::Codice;
use crate::domanda::Violazione;

/// Where a connection stands between two requests: what the stream may wait for, and until when.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fase {
    /// For the first byte of a head.
    Attesa(Instant),
    /// For the rest of a head.
    Testata(Instant),
    /// For nothing: a request is being answered, and its body has a deadline of its own.
    Occupata,
    /// The last answer is out; what still comes is thrown away.
    Commiato(Instant),
}

/// One accepted connection.
pub struct Connessione {
    peer: Arc<Peer>,
    catena: Vec<CertificateDer<'static>>,
    porta: Arc<Porta>,
    /// The material that the certificate was last checked against.
    generazione: Cell<u64>,
    /// Whether the door log knows already that the peer is no longer welcome.
    detto: Cell<bool>,
    pub(super) fase: Cell<Fase>,
    /// Its places among the connections: given back when it ends.
    _posti: [Posto; 2],
}

impl Connessione {
    pub(super) fn new(
        peer: Peer,
        catena: Vec<CertificateDer<'static>>,
        porta: Arc<Porta>,
        generazione: u64,
        fase: Fase,
        posti: [Posto; 2],
    ) -> Rc<Self> {
        Rc::new(Self {
            peer: Arc::new(peer),
            catena,
            porta,
            generazione: Cell::new(generazione),
            detto: Cell::new(false),
            fase: Cell::new(fase),
            _posti: posti,
        })
    }

    /// The connection that a request came by; `None` only where the request did not come through the door (tests).
    #[must_use]
    pub fn of(richiesta: &HttpRequest) -> Option<Rc<Self>> {
        richiesta.conn_data::<Rc<Self>>().cloned()
    }

    /// Who showed which certificate, welcome or not: for the record of what is refused.
    #[must_use]
    pub fn presentato(&self) -> &Arc<Peer> {
        &self.peer
    }

    /// Who is on the other end, if the certificate is still accepted now; else `ACC-008`, and the door log has it.
    pub fn peer(&self) -> Result<&Peer, Violazione> {
        match self.still_welcome() {
            Ok(()) => Ok(&self.peer),
            Err(errore) => {
                let causa = of_tls(&errore, Some(&self.peer.certificato)).testo();
                let violazione = refusal(Codice::Acc008).with("causa", causa);
                if !self.detto.replace(true) {
                    self.porta
                        .refuse(self.chi().refused(&*self.porta.clock, &violazione));
                }
                Err(violazione)
            }
        }
    }

    /// When the certificate ends, where that is so soon that its owner should hear of it.
    #[must_use]
    pub fn ends_soon(&self) -> Option<Timestamp> {
        self.porta.ends_soon(&self.peer.certificato)
    }

    pub(super) fn catena(&self) -> &[CertificateDer<'static>] {
        &self.catena
    }

    pub(super) fn chi(&self) -> Chi {
        let mut chi = Chi {
            indirizzo: Some(self.peer.indirizzo),
            sni: self.peer.sni.clone(),
            ..Chi::default()
        };
        chi.showed(&self.peer.certificato);
        chi
    }

    pub(super) fn refuse(&self, violazione: &Violazione) {
        self.porta
            .refuse(self.chi().refused(&*self.porta.clock, violazione));
    }

    /// Checks the certificate against what is in force now.
    pub(super) fn still_welcome(&self) -> Result<(), rustls::Error> {
        let adesso = self.porta.clock.wall();
        let materiale = self.porta.materiale();
        let uguale = materiale.generazione == self.generazione.get();
        let valido = adesso < self.peer.certificato.scadenza;
        if uguale && valido && !self.porta.crl_scaduta(&materiale, adesso) {
            return Ok(());
        }
        materiale.verify(&self.catena, adesso)?;
        self.generazione.set(materiale.generazione);
        Ok(())
    }
}

impl std::fmt::Debug for Connessione {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connessione")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}
