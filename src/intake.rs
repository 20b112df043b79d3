//! The way of a message, whole, on one page: [`Intake::accept`]. The order of its lines is the order promised in
//! docs/integrazione.md; [`Intake::answer`] makes an envelope of whatever came out of it.
//!
//! A refusal consumes no number and burns no key. A caller that hangs up cancels nothing that was queued.

mod carte;
pub mod corpo;
mod diario;
mod elenchi;
pub mod giudizio;
pub mod lotto;
mod novita;
mod passi;
pub mod porta;
mod reply;
mod risposte;
pub mod scadenza;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use uuid::Uuid;

pub use self::carte::emessa;
use self::corpo::Corpo;
pub use self::diario::Diario;
use self::giudizio::Attuale;
use self::lotto::Lotti;
use self::passi::{Ammessa, Letta, Nuova, Regime, Valida};
use self::porta::{BustaLetta, Porta, Veste};
use self::reply::envelope_of;
pub use self::reply::{Flusso, Reply, plain};
use self::scadenza::Scadenza;
use crate::access::{Access, Quota, Tentativi};
use crate::adesione::Peer;
use crate::clock::Clock;
use crate::domanda::{Ambiente, Violazione};
use crate::manutenzione::Custode;
use crate::prestazione::{Operazione, Prestazione};
use crate::ricevuta::{Registrata, SchedaRicevuta};
use crate::rifiuto::{Failure, Guasto, Negato, Rifiuto};
use crate::schema::Schema;
use crate::soap::SoapVersion;
use crate::soap::answer::{self, EsitoInvio, EsitoVerifica, RicevutaDiAllora, Risposta};
use crate::soap::envelope::Envelope;
use crate::soap::identity::Identity;
use crate::soap::mtom::Messaggio;
use crate::spazio::Sentinella;
use crate::store::writer::Handle;
use crate::store::{Atto, Chiave, Contenuto, Registrazione, SharedStore, StoreError};
use crate::xml;

/// A message as a channel hands it over: who sends, by which way, and a body that is still coming.
#[derive(Debug)]
pub struct Incoming {
    /// The id that we gave to it.
    pub message_id: Uuid,
    /// Who is on the other end.
    pub peer: Arc<Peer>,
    /// Whether the certificate that the handshake took is still good: a reload may have revoked it since.
    pub still_welcome: Result<(), Negato>,
    /// `MODI`, `PDD`, `LOTTO`.
    pub canale: &'static str,
    /// Where it was sent to.
    pub indirizzo: Indirizzo,
    /// In which SOAP version to answer when the envelope does not tell: the Content-Type's.
    pub versione_attesa: SoapVersion,
    /// When the whole request must have been answered.
    pub scadenza: Scadenza,
    /// The body.
    pub corpo: Corpo,
}

/// Where messages are sent to.
#[derive(Debug, Clone, Copy)]
pub enum Indirizzo {
    /// The address of a service.
    Servizio(&'static Prestazione),
    /// That of all services: the busta e-Gov says which one.
    PortaDiDominio,
}

/// What a message calls, as far as its address or its busta says.
#[derive(Debug)]
struct Chiamata {
    prestazione: &'static Prestazione,
    /// The operation, where not only the body says it.
    operazione: Option<Operazione>,
    /// Who operates, where no header Identity says so.
    operatore: Option<Identity>,
}

/// The stages of the way, each ready for use.
#[derive(Debug)]
pub struct Intake {
    /// Who may.
    pub access: Access,
    /// Form.
    pub schema: Schema,
    /// What is kept.
    pub store: SharedStore,
    /// The one writer of registrations.
    pub writer: Handle,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Which environment this is.
    pub ambiente: Ambiente,
    /// Bounds of reading.
    pub limits: xml::Limits,
    /// What `Limiti` tells.
    pub limiti: Vec<answer::Limite>,
    /// How often an ente named a sheet that is not there.
    pub tentativi: Tentativi,
    /// Bytes of one document.
    pub allegato_bytes_max: u64,
    /// Lots: bounds, and who works them.
    pub lotti: Lotti,
    /// The porta di dominio.
    pub porta: Porta,
    /// Whether there is room.
    pub spazio: Sentinella,
    /// Whether there is maintenance.
    pub custode: Custode,
    /// Seconds told in `Retry-After` when we are the cause.
    pub retry_after: Duration,
}

/// What came out of the way, and what the answer's head needs to know of how it came.
struct Esito {
    versione: SoapVersion,
    prestazione: Option<&'static Prestazione>,
    busta: Option<Box<BustaLetta>>,
    operazione: Option<Operazione>,
    quota: Option<Quota>,
    avvisi: Vec<Violazione>,
}

impl Intake {
    /// Takes one message in.
    async fn accept(
        &self,
        incoming: &mut Incoming,
        diario: &mut Diario,
        esito: &mut Esito,
    ) -> Result<Risposta, Failure> {
        let (envelope, chiamata) = self.open(incoming, diario, esito).await?;
        esito.versione = envelope.versione;
        esito.prestazione = Some(chiamata.prestazione);
        diario.servizio(chiamata.prestazione);
        diario.passo("busta");

        let strict = self.access.identity_strict(&incoming.peer);
        let identity = Identity::read_or(&envelope, strict, chiamata.operatore.clone())?;
        diario.identity(&identity, &envelope);

        diario.ente(self.access.ente(&incoming.peer).as_deref());
        incoming.still_welcome.clone()?;
        self.access.admit(&incoming.peer)?;
        let operazione = envelope.operazione_di(chiamata.prestazione)?;
        esito.operazione = Some(operazione);
        diario.operazione(operazione);
        esito.avvisi.clone_from(&identity.avvisi);
        let now = self.clock.wall();
        let authorized = self
            .access
            .authorize(
                &incoming.peer,
                chiamata.prestazione,
                operazione,
                identity,
                now,
                envelope,
            )
            .await?;
        esito.quota = authorized.quota();
        diario.passo("accesso");
        chiamata.agree(operazione)?;
        if operazione == Operazione::InviaLotto {
            return self
                .invia_lotto(authorized, chiamata.prestazione, incoming, diario)
                .await;
        }
        let correlazione = lotto::correlazione(authorized.message(), chiamata.prestazione);

        let bytes = incoming.corpo.whole().await?;
        let presentata_il = self.clock.business();
        diario.passo("ricezione");
        diario.richiesta(bytes.clone());
        let Messaggio {
            busta,
            busta_da,
            parti,
        } = incoming.corpo.parted(&bytes)?;
        let authorized = authorized.try_map(|envelope| {
            let richiesta = (chiamata.prestazione, operazione);
            self.schema
                .read_parted(richiesta, &envelope, &busta, parti, &self.limits)
        })?;
        diario.lettura(authorized.message());
        diario.passo("lettura");
        let letta = Letta {
            authorized,
            busta,
            busta_da,
            intera: bytes,
            presentata_il,
        };

        match operazione {
            Operazione::InviaDomanda
            | Operazione::ModificaDomanda
            | Operazione::AggiungiMinore
            | Operazione::AggiungiFiglio
            | Operazione::CompletaSecondoGenitore
            | Operazione::AllegaDocumento
            | Operazione::RinunciaDomanda
            | Operazione::RichiediRiesame => self.invia(letta, incoming, diario, esito).await,
            Operazione::VerificaDomanda => self.verifica(letta, diario, esito).await,
            // It left the way where its bytes begin to come.
            Operazione::InviaLotto => Err(Guasto::Interno("un lotto letto come messaggio").into()),
            Operazione::StatoLotto => self.stato_lotto(&letta, correlazione).await,
            Operazione::EsitoLotto => self.esito_lotto(&letta, correlazione).await,
            Operazione::ConsultaDomanda => self.consulta(letta).await,
            Operazione::RicercaDomande => self.ricerca(letta).await,
            Operazione::ElencoVariazioni => self.variazioni(letta).await,
            Operazione::ScaricaRicevuta => self.ricevuta(letta).await,
            Operazione::ScaricaRiepilogo => self.riepilogo(letta).await,
            Operazione::Echo => self.echo(letta, chiamata.prestazione).await,
            Operazione::Limiti => self.limiti(&letta),
            Operazione::Diagnosi => self.diagnosi(&letta, &incoming.peer, esito.versione),
        }
    }

    /// The envelope, and what it calls: as the address says, or the busta that it comes in.
    async fn open(
        &self,
        incoming: &mut Incoming,
        diario: &mut Diario,
        esito: &mut Esito,
    ) -> Result<(Envelope, Chiamata), Failure> {
        match incoming.indirizzo {
            Indirizzo::Servizio(prestazione) => {
                let envelope = incoming.corpo.envelope(&self.limits).await?;
                Ok((envelope, Chiamata::of(prestazione)))
            }
            Indirizzo::PortaDiDominio => self.open_busta(incoming, diario, esito).await,
        }
    }

    /// On its way to a number: replay, form, meaning, register.
    ///
    /// Nothing is told against a message before its key was looked at. A domanda that has nothing against it needs no
    /// look of its own: the registration begins with that very look, and with the live sheets and domande. An act is held against
    /// the domanda that it is about; when that changed before the registration, it is read and asked again. Where room runs
    /// out, or during maintenance, only what was registered before goes on from there.
    async fn invia(
        &self,
        mut letta: Letta,
        incoming: &Incoming,
        diario: &mut Diario,
        esito: &Esito,
    ) -> Result<Risposta, Failure> {
        for _ in 0..RILETTURE_MAX {
            let ammessa = match letta.without_objections(self.regime(), &esito.avvisi) {
                Ok(ammessa) => ammessa,
                Err(letta) => {
                    // Read before its key is looked at: what a copy of this act has changed is not held against it.
                    let attuale = self.attuale(&letta).await?;
                    match self.admit(*letta).await? {
                        Admission::New(nuova) => {
                            let valida = nuova.without_findings()?;
                            self.weigh(&valida, &attuale)?;
                            self.ammetti(valida, &attuale, esito)?
                        }
                        Admission::Again(registrata) => {
                            return Ok(registrata_invio(diario, &registrata, true, Vec::new()));
                        }
                    }
                }
            };
            diario.passo("regole");
            if let Some(registrata) = self.admit_new(&ammessa).await? {
                return Ok(registrata_invio(diario, &registrata, true, Vec::new()));
            }
            match self.register(ammessa, incoming, diario).await? {
                Registered::Told(risposta) => return Ok(risposta),
                Registered::Superata(ancora) => letta = *ancora,
            }
        }
        let contesa = "the domanda changed at every attempt to register an act about it";
        Err(StoreError::unavailable(contesa).into())
    }

    /// All steps but the last: what `invia` would answer, with nothing registered and no key used.
    async fn verifica(&self, letta: Letta, diario: &mut Diario, esito: &Esito) -> Result<Risposta, Failure> {
        let attuale = self.attuale(&letta).await?;
        let nuova = match self.admit(letta).await? {
            Admission::New(nuova) => nuova,
            Admission::Again(registrata) => {
                diario.protocollo(&registrata);
                let esito = EsitoVerifica::Registrata(receipt(&registrata, true));
                return Ok(Risposta::Verifica {
                    esito,
                    avvisi: Vec::new(),
                });
            }
        };
        diario.passo("ripetizione");
        let valida = nuova.without_findings()?;
        let ammessa = self.ammetti(valida, &attuale, esito)?;
        diario.passo("regole");
        let esito = EsitoVerifica::Ammissibile {
            schede: ammessa.contenuto.schede().map(SchedaRicevuta::from).collect(),
        };
        Ok(Risposta::Verifica {
            esito,
            avvisi: ammessa.avvisi,
        })
    }

    /// Replay: decides before any finding of form or meaning is told, so that a newer XSD, a new rule or a closed
    /// window never refuses a retry.
    async fn admit(&self, letta: Letta) -> Result<Admission, Failure> {
        let Some(chiave) = letta.chiave() else {
            return Ok(Admission::New(Box::new(Nuova { letta })));
        };
        let chiave = Chiave {
            ente: letta.authorized.ente().codice.clone(),
            servizio: letta.authorized.message().prestazione.servizio,
            chiave: chiave.clone(),
        };
        let digest = letta.authorized.message().digest;
        Ok(match giudizio::before(&*self.store, &chiave, digest).await?? {
            None => Admission::New(Box::new(Nuova { letta })),
            Some(registrata) => Admission::Again(registrata),
        })
    }

    /// Meaning: all rules of the prestazione, live sheets included; all violations at once.
    fn ammetti(&self, valida: Valida, attuale: &Attuale, esito: &Esito) -> Result<Ammessa, Failure> {
        valida
            .ammetti(attuale, self.regime(), &esito.avvisi)
            .map_err(|respinta| respinta.1)
    }

    /// Counts what a second parent's act did not find; what it could not ask for is told by the rules instead.
    fn weigh(&self, valida: &Valida, attuale: &Attuale) -> Result<(), Failure> {
        if valida.could_be_found() {
            let ente = &valida.letta.authorized.ente().codice;
            let trovata = attuale.domanda.is_some();
            self.tentativi.weigh(ente, trovata, self.clock.wall())?;
        }
        Ok(())
    }

    /// What every message is judged by here.
    fn regime(&self) -> Regime {
        Regime {
            ambiente: self.ambiente,
            allegato_bytes_max: self.allegato_bytes_max,
        }
    }

    /// What the rules hold a message against.
    async fn attuale(&self, letta: &Letta) -> Result<Attuale, Failure> {
        let lettura = letta.authorized.message();
        let ente = &letta.authorized.ente().codice;
        let servizio = lettura.prestazione.servizio;
        Ok(Attuale::read(&*self.store, ente, servizio, lettura.istanza.as_ref()).await?)
    }

    /// The last step: number, domanda, key, receipt, feed row and trace record in one transaction.
    async fn register(
        &self,
        ammessa: Ammessa,
        incoming: &Incoming,
        diario: &mut Diario,
    ) -> Result<Registered, Failure> {
        let Ammessa {
            valida,
            contenuto,
            avvisi,
        } = ammessa;
        let atto = atto(&valida, contenuto, incoming, diario)?;
        match self.writer.register(atto).await? {
            Registrazione::Registrata(registrata) => {
                diario.registered();
                let risposta = registrata_invio(diario, &registrata, false, avvisi);
                Ok(Registered::Told(risposta))
            }
            Registrazione::Ripetuta(registrata) => {
                let risposta = registrata_invio(diario, &registrata, true, Vec::new());
                Ok(Registered::Told(risposta))
            }
            Registrazione::Conflitto(registrata) => Err(Rifiuto::Conflitto {
                protocollo: registrata.protocollo,
            }
            .into()),
            Registrazione::ChiaveDiLotto(lotto) => Err(Rifiuto::ChiaveDiLotto { lotto }.into()),
            // Another domanda for the same child, or of the same parent, won the race between the look and the
            // registration: the rules say so in their own words.
            Registrazione::SchedaViva(schede) => {
                let violazioni = valida.taken(None, &schede);
                Err(Rifiuto::Regole { violazioni, avvisi }.into())
            }
            Registrazione::DomandaViva(viva, schede) => {
                let violazioni = valida.taken(Some(&viva), &schede);
                Err(Rifiuto::Regole { violazioni, avvisi }.into())
            }
            Registrazione::BustaDoppia => Err(Rifiuto::BustaDoppia.into()),
            Registrazione::Superata => Ok(Registered::Superata(Box::new(valida.take_back()))),
        }
    }

    /// Takes the message in and makes what goes back: always an envelope, but for what HTTP itself refuses. Closes the
    /// trace record whatever happened; its own deadline cancels no act that is queued.
    pub async fn answer(&self, mut incoming: Incoming, mut diario: Diario) -> Reply {
        let mut esito = Esito::new(incoming.versione_attesa);
        let scadenza = incoming.scadenza.clone();
        let accepted = tokio::select! {
            biased;
            // What panics is a fault of ours, of this message alone: it is answered and traced like any other.
            accepted = AssertUnwindSafe(self.accept(&mut incoming, &mut diario, &mut esito)).catch_unwind() => {
                Some(accepted.unwrap_or_else(|_| Err(Guasto::Interno("la lavorazione si è interrotta (panic)").into())))
            }
            () = scadenza.over() => None,
        };
        let accepted = accepted.unwrap_or_else(|| Err(Guasto::TempoScaduto(diario.ultimo_passo()).into()));
        let accepted = self.settle(accepted, &mut diario).await;
        let veste = Veste::of(&accepted);
        let reply = match accepted {
            Ok(risposta) => {
                diario.outcome(&risposta);
                envelope_of(&risposta, &incoming, &esito).followed_by(risposta, &self.store)
            }
            Err(Failure::Rifiuto(Rifiuto::Regole { violazioni, avvisi })) => {
                diario.refused("RIFIUTATA", &violazioni);
                let verifica = esito.operazione == Some(Operazione::VerificaDomanda);
                let risposta = if verifica {
                    Risposta::Verifica {
                        esito: EsitoVerifica::Rifiutata { errori: violazioni },
                        avvisi,
                    }
                } else {
                    Risposta::Invio {
                        esito: EsitoInvio::Rifiutata { errori: violazioni },
                        avvisi,
                    }
                };
                envelope_of(&risposta, &incoming, &esito)
            }
            Err(failure) => {
                diario.refused("FAULT", &failure.violazioni());
                self.fault_of(&failure, &incoming, &esito)
            }
        };
        let reply = self.dress(reply, veste, esito.busta.as_deref(), &incoming, &mut diario);
        diario.close(&mut incoming.corpo, &reply);
        reply
    }

    /// A message that was taken uses up its busta, if it came in one: before it is answered, and once.
    async fn settle(
        &self,
        accepted: Result<Risposta, Failure>,
        diario: &mut Diario,
    ) -> Result<Risposta, Failure> {
        if Veste::of(&accepted).is_propria()
            && let Err(failure) = self.use_up(diario).await
        {
            novita::may_go_on_without(failure)?;
        }
        accepted
    }
}

impl Chiamata {
    /// What is sent to the address of a service.
    fn of(prestazione: &'static Prestazione) -> Self {
        Self {
            prestazione,
            operazione: None,
            operatore: None,
        }
    }

    /// Refuses a body that asks for another operation than what it came in.
    fn agree(&self, operazione: Operazione) -> Result<(), Rifiuto> {
        match self.operazione {
            Some(azione) if azione != operazione => Err(Rifiuto::AltraAzione {
                azione: azione.nome(),
                operazione: operazione.nome(),
            }),
            _ => Ok(()),
        }
    }
}

/// All that the registration needs, put together while nothing is locked yet.
fn atto(
    valida: &Valida,
    contenuto: Contenuto,
    incoming: &Incoming,
    diario: &mut Diario,
) -> Result<Atto, Failure> {
    let letta = &valida.letta;
    let lettura = letta.authorized.message();
    let ente = letta.authorized.ente();
    let identity = letta.authorized.identity();
    let Some(chiave) = lettura.chiave.clone() else {
        // The XSD demands a key of what is registered; a message without findings that has none is a fault of ours.
        return Err(Guasto::Interno("messaggio valido senza ChiaveInvio").into());
    };
    Ok(Atto {
        chiave: Chiave {
            ente: ente.codice.clone(),
            servizio: lettura.prestazione.servizio,
            chiave,
        },
        prestazione: lettura.prestazione,
        digest: lettura.digest,
        impronta: lettura.impronta,
        presentata_il: letta.presentata_il,
        ente_denominazione: ente.denominazione.clone(),
        codice_ufficio: identity.codice_ufficio.clone(),
        user_id: identity.user_id.clone(),
        certificato_sha256: incoming.peer.certificato.sha256.clone(),
        canale: incoming.canale,
        emergenza: None,
        operazione: lettura.operazione,
        contenuto,
        richiesta: letta.intera.clone(),
        contenuto_in_richiesta: letta.contenuto(),
        traccia: diario.snapshot(),
        stampa: answer::ricevuta,
    })
}

/// The receipt as an answer, with its number in the record.
fn registrata_invio(
    diario: &mut Diario,
    registrata: &Registrata,
    ripetizione: bool,
    avvisi: Vec<Violazione>,
) -> Risposta {
    diario.protocollo(registrata);
    Risposta::Invio {
        esito: EsitoInvio::Registrata(receipt(registrata, ripetizione)),
        avvisi,
    }
}

fn receipt(registrata: &Registrata, ripetizione: bool) -> RicevutaDiAllora {
    RicevutaDiAllora {
        ricevuta: registrata.ricevuta.clone(),
        ripetizione,
        annullata: registrata.annullata,
    }
}

/// How often an act is held anew against a domanda that somebody else changes meanwhile: each time one of them has won.
const RILETTURE_MAX: usize = 8;

/// What the registration said.
enum Registered {
    /// The answer.
    Told(Risposta),
    /// The domanda that the act is about has changed since it was read.
    Superata(Box<Letta>),
}

/// What the look at the key said.
enum Admission {
    /// Never seen.
    New(Box<Nuova>),
    /// Registered before with the same content.
    Again(Registrata),
}

impl Esito {
    fn new(versione: SoapVersion) -> Self {
        Self {
            versione,
            prestazione: None,
            busta: None,
            operazione: None,
            quota: None,
            avvisi: Vec::new(),
        }
    }
}
