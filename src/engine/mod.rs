//! The reference engine: a benefit engine for sandbox and tests, on the contract that every engine has
//! (docs/contratto-motore.md) and by no back door: it knows the views, and no table of the store.
//!
//! It works like this: claim a few domande that wait, read each, take one decision after the other ([`regole`], pure) and
//! write it with the version that was seen; a domanda that changed meanwhile is read again; mark it worked, give it back.
//! Then, once a day of its clock, look at what is accepted: a month may be due, or a birthday reached.

pub mod archivio;
pub mod caso;
pub mod regole;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use self::archivio::{Archivio, Contratto, Errore, Presa};
use self::caso::Decisione;
use crate::clock::Ids;
use crate::protocollo::data_a_roma;

/// The contract that it speaks: another first number means another contract.
pub const CONTRATTO: &str = "1.";

/// How an engine is set up.
#[derive(Debug, Clone)]
pub struct Opzioni {
    /// Its name, in claims and decisions.
    pub nome: String,
    /// How long a claim lasts unless it is renewed.
    pub durata_presa: Duration,
    /// How many domande it claims at once.
    pub blocco: u32,
    /// How far its clock is ahead of the store's business clock; `None` = that clock, told by the store.
    pub scarto: Option<SignedDuration>,
}

/// What an engine tells of its work, one line each; no personal data.
#[derive(Debug)]
pub enum Evento<'a> {
    /// A decision is written.
    Decisa {
        /// When, by its clock.
        istante: Timestamp,
        /// About which domanda.
        numero_domanda: i64,
        /// What.
        decisione: &'a Decisione,
    },
    /// Somebody else changed the domanda meanwhile: it is read again.
    Cambiata {
        /// Which one.
        numero_domanda: i64,
    },
    /// The claim was lost (it expired): another engine goes on.
    Persa {
        /// Which one.
        numero_domanda: i64,
    },
}

/// What became of one pass.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Giro {
    /// Domande that it worked.
    pub lavorate: u64,
    /// Decisions that it wrote.
    pub decisioni: u64,
}

/// An engine at work on one store.
#[derive(Debug)]
pub struct Motore<'a> {
    archivio: Archivio,
    opzioni: Opzioni,
    ids: &'a dyn Ids,
    /// Set from outside: it stops after the domanda that it has in hand.
    fermo: &'a AtomicBool,
    /// The day on which it last looked at what is accepted.
    guardate: Option<Date>,
}

/// How often a domanda is read again because somebody changed it: then it waits for the next pass.
const RILETTURE_MAX: u32 = 5;

/// How many accepted domande are looked at in one query.
const PAGINA: i64 = 200;

impl<'a> Motore<'a> {
    /// An engine that stops when `fermo` is set.
    #[must_use]
    pub fn new(archivio: Archivio, opzioni: Opzioni, ids: &'a dyn Ids, fermo: &'a AtomicBool) -> Self {
        Self {
            archivio,
            opzioni,
            ids,
            fermo,
            guardate: None,
        }
    }

    /// One pass: what waits, until nothing waits; then what time brings, once a day of its clock.
    pub async fn giro(&mut self, dire: &mut dyn FnMut(&Evento<'_>)) -> Result<Giro, Errore> {
        let mut giro = Giro::default();
        while !self.stopped() {
            let gettone = self.ids.next().to_string();
            let presa = self.presa(&gettone);
            let prese = self
                .archivio
                .prendi(presa, i64::from(self.opzioni.blocco))
                .await?;
            if prese.is_empty() {
                break;
            }
            self.lavora(&gettone, &prese, &mut giro, dire).await?;
        }
        let (_, oggi) = self.adesso().await?;
        if self.guardate != Some(oggi) && !self.stopped() {
            self.guarda(&mut giro, dire).await?;
            if !self.stopped() {
                self.guardate = Some(oggi);
            }
        }
        Ok(giro)
    }

    /// Looks through what is accepted, and claims where there is something to decide.
    async fn guarda(&mut self, giro: &mut Giro, dire: &mut dyn FnMut(&Evento<'_>)) -> Result<(), Errore> {
        let mut dopo = 0;
        loop {
            let accolte = self.archivio.accolte(dopo, PAGINA).await?;
            for numero in &accolte {
                if self.stopped() {
                    return Ok(());
                }
                let caso = self.archivio.caso(*numero).await?;
                let (_, oggi) = self.adesso().await?;
                if regole::decidi(&caso, oggi).is_none() {
                    continue;
                }
                let gettone = self.ids.next().to_string();
                let presa = self.presa(&gettone);
                if self.archivio.prendi_questa(presa, *numero).await? {
                    self.lavora(&gettone, &[*numero], giro, dire).await?;
                }
            }
            match accolte.last() {
                Some(ultima) => dopo = *ultima,
                None => return Ok(()),
            }
        }
    }

    /// Works the domande of a claim, and gives back what is left of it.
    async fn lavora(
        &mut self,
        gettone: &str,
        numeri: &[i64],
        giro: &mut Giro,
        dire: &mut dyn FnMut(&Evento<'_>),
    ) -> Result<(), Errore> {
        let mut rinnovata = Instant::now();
        for numero in numeri {
            if self.stopped() {
                break;
            }
            // Half of the lease is gone: what is still to be worked must not be lost meanwhile.
            if rinnovata.elapsed() > self.opzioni.durata_presa / 2 {
                rinnovata = Instant::now();
                self.archivio.rinnova(self.presa(gettone)).await?;
            }
            self.lavora_una(gettone, *numero, giro, dire).await?;
        }
        self.archivio.lascia(gettone).await
    }

    async fn lavora_una(
        &mut self,
        gettone: &str,
        numero: i64,
        giro: &mut Giro,
        dire: &mut dyn FnMut(&Evento<'_>),
    ) -> Result<(), Errore> {
        for _ in 0..RILETTURE_MAX {
            let mut caso = self.archivio.caso(numero).await?;
            let cambiata = loop {
                let (istante, oggi) = self.adesso().await?;
                let Some(decisione) = regole::decidi(&caso, oggi) else {
                    break false;
                };
                let quando = self.opzioni.scarto.map(|_| istante);
                match self.archivio.decidi(gettone, &caso, quando, &decisione).await {
                    Ok(()) => {}
                    Err(Errore::Rifiutata { codice, .. }) if codice == "MOT-002" || codice == "MOT-003" => {
                        break true;
                    }
                    Err(Errore::Rifiutata { codice, .. }) if codice == "MOT-001" => {
                        dire(&Evento::Persa {
                            numero_domanda: numero,
                        });
                        return Ok(());
                    }
                    Err(errore) => return Err(errore),
                }
                giro.decisioni += 1;
                dire(&Evento::Decisa {
                    istante,
                    numero_domanda: numero,
                    decisione: &decisione,
                });
                caso.apply(&decisione);
            };
            if cambiata {
                dire(&Evento::Cambiata {
                    numero_domanda: numero,
                });
                continue;
            }
            giro.lavorate += 1;
            return self.archivio.segna(gettone, numero, caso.versione).await;
        }
        Ok(())
    }

    /// The time by which it decides, and its day in Rome.
    async fn adesso(&mut self) -> Result<(Timestamp, Date), Errore> {
        let Contratto { adesso, .. } = self.archivio.contratto().await?;
        let adesso = self
            .opzioni
            .scarto
            .map_or(Ok(adesso), |scarto| adesso.checked_add(scarto))
            .map_err(Errore::strange)?;
        Ok((adesso, data_a_roma(adesso)))
    }

    fn presa<'b>(&self, gettone: &'b str) -> Presa<'b> {
        Presa {
            motore: self.opzioni.nome.clone(),
            gettone,
            durata_s: i64::try_from(self.opzioni.durata_presa.as_secs()).unwrap_or(i64::MAX),
        }
    }

    fn stopped(&self) -> bool {
        self.fermo.load(Ordering::Relaxed)
    }
}
