//! What only a message in a busta e-Gov has: its Intestazione says which service and operation it calls and whose it is,
//! its Identificatore is used up with the outcome, and the answer goes back in a busta of ours. Everything else is the
//! way of every message. The order of the checks is that of spec/spcoop.md §2.2; docs/spcoop.md tells it to integrators.

mod accettazione;
mod numeri;
mod veste;

use std::sync::Arc;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

pub use self::accettazione::Accettazione;
pub use self::numeri::Numeri;
pub(super) use self::veste::Veste;
use super::{Chiamata, Diario, Esito, Incoming, Intake};
use crate::adesione::{Adesioni, Peer};
use crate::catalogo::Codice;
use crate::domanda::Violazione;
use crate::egov::{
    Accolta, Anagrafe, Busta, Dominio, DominioErrato, Eccezione, Identificatore, Illeggibile,
    IntestazioneRisposta, MittenteNoto, Parte, Profilo, RegoleBusta, Servizio, Tempi, esamina,
};
use crate::prestazione::by_servizio;
use crate::protocollo::data_a_roma;
use crate::rifiuto::{Failure, Guasto, Rifiuto};
use crate::soap::envelope::Envelope;
use crate::soap::identity::{Forma, Identity};
use crate::store::egov::ScambioDi;
use crate::trace::egov::{BustaInviata, Scambio};
use crate::xml::{Reader, Token};

/// Section `pdd`: who we are on SPCoop, and how old a busta may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PddConfig {
    /// Our name: the Destinatario of what is for us.
    pub nome: String,
    /// The code of our porta.
    pub porta: String,
    /// Minutes after which a busta is too old.
    pub finestra_minuti: usize,
    /// Minutes that a busta may be ahead of us; 0 = as many as it likes.
    pub anticipo_minuti: usize,
}

impl Default for PddConfig {
    fn default() -> Self {
        Self {
            nome: "INPS".to_owned(),
            porta: "INPSSPCoopIT".to_owned(),
            finestra_minuti: 7200,
            anticipo_minuti: 0,
        }
    }
}

/// Our porta di dominio at work.
#[derive(Debug)]
pub struct Porta {
    dominio: Dominio,
    finestra: SignedDuration,
    anticipo: Option<SignedDuration>,
    numeri: Numeri,
    accettazione: Accettazione,
}

impl Porta {
    /// The porta that the configuration says.
    pub fn new(
        config: &PddConfig,
        numeri: Numeri,
        accettazione: Accettazione,
    ) -> Result<Self, DominioErrato> {
        let minuti =
            |minuti: usize| SignedDuration::from_mins(i64::try_from(minuti).unwrap_or(i64::MAX / 60));
        Ok(Self {
            dominio: Dominio::new(&config.nome, &config.porta)?,
            finestra: minuti(config.finestra_minuti),
            anticipo: (config.anticipo_minuti > 0).then(|| minuti(config.anticipo_minuti)),
            numeri,
            accettazione,
        })
    }

    /// The exchange that a message begins.
    fn exchange(&self, peer: &Peer) -> Scambio {
        Scambio {
            porta: self.dominio.porta().to_owned(),
            certificato_sha256: peer.certificato.sha256.clone(),
            ..Scambio::default()
        }
    }
}

/// A busta that was read: what is answered to it.
#[derive(Debug)]
pub(super) struct BustaLetta {
    busta: Busta,
    regole: RegoleBusta,
    /// Ours, for the answer.
    identificatore: Identificatore,
    ora: Timestamp,
    /// INFO findings, told beside the answer.
    avvisi: Vec<Eccezione>,
}

impl BustaLetta {
    /// The header of an answer that tells these findings.
    fn header(&self, dominio: &Dominio, eccezioni: &[Eccezione]) -> BustaInviata {
        let intestazione = IntestazioneRisposta {
            dominio,
            identificatore: &self.identificatore,
            ora: self.ora,
            richiesta: &self.busta.intestazione,
            regole: self.regole,
            eccezioni,
        };
        BustaInviata {
            istante: self.ora,
            identificatore: self.identificatore.to_string(),
            intestazione: intestazione.write().into(),
        }
    }
}

impl Intake {
    /// Opens a message to our porta: what its Intestazione calls, or all that is wrong with it; then whether the
    /// certificate speaks for its Mittente.
    pub(super) async fn open_busta(
        &self,
        incoming: &mut Incoming,
        diario: &mut Diario,
        esito: &mut Esito,
    ) -> Result<(Envelope, Chiamata), Failure> {
        diario.traccia().egov = Some(Box::new(self.porta.exchange(&incoming.peer)));
        let aperto = incoming.corpo.envelope(&self.limits).await;
        let busta = match &aperto {
            // What the Intestazione says of itself comes before what SOAP says of its blocks.
            Err(Failure::Rifiuto(Rifiuto::Envelope(errore))) if errore.non_compresi().is_empty() => None,
            Err(Failure::Guasto(_) | Failure::Rifiuto(Rifiuto::Http { .. })) => None,
            _ => Some(self.read_busta(aperto.as_ref().ok(), incoming, diario)?),
        };
        let Some(busta) = busta else {
            return Err(aperto
                .err()
                .unwrap_or_else(|| Guasto::Interno("busta non letta").into()));
        };
        let ora = self.clock.wall();
        let numero = self.porta.numeri.next(&*self.store, ora).await?;
        let letta = esito.busta.insert(Box::new(BustaLetta {
            busta,
            regole: RegoleBusta::LineeGuida11,
            identificatore: Identificatore::mint(&self.porta.dominio, numero, ora),
            ora,
            avvisi: Vec::new(),
        }));
        if letta.busta.non_compreso {
            return Err(Rifiuto::BloccoNonCompreso.into());
        }
        // An Intestazione without its actor is for us, says SOAP, and we are no porta to whom it is not addressed: what is wrong
        // with it is said in its own words below.
        let aperto = match aperto {
            Err(Failure::Rifiuto(Rifiuto::Envelope(errore)))
                if errore
                    .non_compresi()
                    .iter()
                    .any(|blocco| blocco.locale != INTESTAZIONE) =>
            {
                return Err(errore.into());
            }
            aperto => aperto,
        };
        let adesioni = self.access.adesioni();
        let tempi = Tempi {
            adesso: ora,
            finestra: self.porta.finestra,
            anticipo: self.porta.anticipo,
        };
        let anagrafe = Registro {
            adesioni: &adesioni,
            dominio: &self.porta.dominio,
        };
        let accolta = match esamina(&letta.busta, &tempi, &anagrafe) {
            Ok(accolta) => accolta,
            Err(respinta) => {
                letta.regole = respinta.regole;
                return Err(self
                    .respinge(Rifiuto::Busta(respinta.eccezioni).into(), incoming, diario)
                    .await);
            }
        };
        letta.regole = accolta.regole();
        let envelope = aperto?;
        letta.avvisi = accolta.avvisi().to_vec();
        let chiamata = match self.chiamata(&accolta, incoming) {
            Ok(chiamata) => chiamata,
            Err(negata) => return Err(self.respinge(negata, incoming, diario).await),
        };
        let giorno = accolta
            .filtra_doppioni()
            .then(|| accolta.identificatore().minuto())
            .flatten()
            .map(data_a_roma);
        diario.promise(letta.header(&self.porta.dominio, &letta.avvisi), giorno);
        Ok((envelope, chiamata))
    }

    /// Reads the header block, and keeps its bytes for the trace. An envelope that was opened holds it already.
    fn read_busta(
        &self,
        aperto: Option<&Envelope>,
        incoming: &Incoming,
        diario: &mut Diario,
    ) -> Result<Busta, Failure> {
        let testa = incoming.corpo.testa()?;
        let busta = match aperto {
            Some(envelope) => Busta::of(envelope, testa, &self.limits),
            None => Busta::read(testa, &self.limits),
        };
        let busta = busta.map_err(|causa| illeggibile(&causa))?;
        let letta = &busta.intestazione;
        let traccia = diario.traccia();
        traccia.id_mittente.clone_from(&letta.identificatore);
        if let Some(scambio) = &mut traccia.egov {
            scambio.controparte = letta.mittente.as_ref().map(|parte| parte.nome.clone());
            scambio.identificatore.clone_from(&letta.identificatore);
            scambio.richiesta = Some(Bytes::copy_from_slice(&testa[busta.byte.clone()]));
            scambio.legami.clone_from(&busta.legami);
        }
        Ok(busta)
    }

    /// What an accepted busta calls; refuses a certificate that does not speak for its Mittente.
    fn chiamata(&self, accolta: &Accolta, incoming: &Incoming) -> Result<Chiamata, Failure> {
        let ente = self.access.ente(&incoming.peer);
        let Some(porta) = ente.as_ref().and_then(|ente| ente.porta(accolta.mittente())) else {
            return Err(Rifiuto::MittenteDiAltri {
                mittente: accolta.mittente().nome.clone(),
            }
            .into());
        };
        // The registry has just said that both are ours.
        let prestazione = by_servizio(&accolta.servizio().nome).ok_or(Guasto::Interno("servizio"))?;
        let operazione = prestazione
            .by_nome(accolta.azione())
            .ok_or(Guasto::Interno("azione"))?;
        let operatore = porta.operatore.clone().map(|(user_id, codice_ufficio)| Identity {
            user_id,
            codice_ufficio,
            forma: Forma::Adesione,
            avvisi: Vec::new(),
        });
        Ok(Chiamata {
            prestazione,
            operazione: Some(operazione),
            operatore,
        })
    }

    /// What a message is refused for whose Intestazione is against it: that, unless its XML breaks further on, which comes
    /// first (spec/spcoop.md §2.1). What is too long to be read whole, or does not come, is refused for its Intestazione.
    async fn respinge(&self, rifiuto: Failure, incoming: &mut Incoming, diario: &mut Diario) -> Failure {
        let Ok(bytes) = incoming.corpo.whole().await else {
            return rifiuto;
        };
        diario.richiesta(bytes.clone());
        let messaggio = match incoming.corpo.parted(&bytes) {
            Ok(messaggio) => messaggio,
            Err(malformato) => return malformato,
        };
        let mut reader = Reader::new(&messaggio.busta, &self.limits);
        loop {
            match reader.next() {
                Ok(Token::Eof) => return rifiuto,
                Ok(_) => {}
                Err(errore) => return illeggibile(&Illeggibile::Xml(errore)),
            }
        }
    }

    /// Uses up the Identificatore of a message that registers nothing, and writes what was exchanged, before it is
    /// answered. Nothing to do where no busta was accepted, or where the registration did it.
    pub(super) async fn use_up(&self, diario: &mut Diario) -> Result<(), Failure> {
        let Some(scambio) = diario.promised() else {
            return Ok(());
        };
        let traccia = diario.traccia();
        let di = ScambioDi {
            message_id: traccia.message_id,
            istante: traccia.ricevuto_il,
            scambio,
        };
        if self.porta.accettazione.accept(di).await? {
            diario.used_up();
            Ok(())
        } else {
            Err(Rifiuto::BustaDoppia.into())
        }
    }
}

/// The local name of the header block.
const INTESTAZIONE: &str = "Intestazione";

/// The refusal of a message without a busta that can be read.
fn illeggibile(causa: &Illeggibile) -> Failure {
    let violazione = match causa {
        Illeggibile::Xml(errore) => errore.violazione(),
        _ => Violazione::at(Codice::Bst001, "").with("motivo", causa.testo()),
    };
    Rifiuto::SenzaBusta(violazione).into()
}

/// The registry of parties, services and actions: the adesioni, and what we serve.
struct Registro<'a> {
    adesioni: &'a Arc<Adesioni>,
    dominio: &'a Dominio,
}

impl Anagrafe for Registro<'_> {
    fn mittente(&self, parte: &Parte) -> Option<MittenteNoto<'_>> {
        self.adesioni.porta(parte).map(|porta| MittenteNoto {
            porta: porta.porta.as_deref(),
            regole: porta.regole,
        })
    }

    fn is_nostro(&self, destinatario: &Parte) -> bool {
        self.dominio.parte().is(destinatario)
    }

    fn profilo(&self, servizio: &Servizio) -> Option<Profilo> {
        let nostro = servizio.tipo == self.dominio.parte().tipo && by_servizio(&servizio.nome).is_some();
        nostro.then_some(Profilo::Sincrono)
    }

    fn has_azione(&self, servizio: &Servizio, azione: &str) -> bool {
        by_servizio(&servizio.nome).is_some_and(|prestazione| prestazione.by_nome(azione).is_some())
    }
}
