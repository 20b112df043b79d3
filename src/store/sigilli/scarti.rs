//! What retention took, looked up while the chain is walked: a row that is missing is held against the purges of its day, and each
//! purge against the chain.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use jiff::civil::Date;

use super::{ArchivioSigilli, ScartoConservato, StoreError};
use crate::protocollo::data_a_roma;
use crate::sigilli::catena::{Anomalia, Che, Vista};
use crate::sigilli::scarto::{Conto, Scarto, TROPPE};
use crate::sigilli::{Blocco, Genere, Riga, Segni, Voce};

/// The purges of a store.
pub(super) struct Scarti<'s> {
    store: &'s dyn ArchivioSigilli,
    tutti: Vec<Scarto>,
    per_giorno: HashMap<Date, Vec<usize>>,
    /// Those that had ended when the walk began: what they took cannot be there.
    finiti: HashSet<String>,
    /// Those whose seal was walked.
    sigillati: HashSet<String>,
    conto: Conto,
}

impl<'s> Scarti<'s> {
    pub(super) async fn load(store: &'s dyn ArchivioSigilli) -> Result<Self, StoreError> {
        let mut scarti = Self {
            store,
            tutti: Vec::new(),
            per_giorno: HashMap::new(),
            finiti: HashSet::new(),
            sigillati: HashSet::new(),
            conto: Conto::default(),
        };
        scarti.reload().await?;
        let finiti = scarti.tutti.iter().filter(|scarto| scarto.is_over());
        scarti.finiti = finiti.map(|scarto| scarto.riga.chiave.clone()).collect();
        Ok(scarti)
    }

    /// Reads them as they are now. What cannot be read takes nothing.
    async fn reload(&mut self) -> Result<(), StoreError> {
        let conservati = self.store.scarti(&Segni::default()).await?;
        self.tutti = conservati
            .into_iter()
            .filter_map(|conservato| Scarto::read(conservato.riga))
            .collect();
        self.per_giorno.clear();
        for (posto, scarto) in self.tutti.iter().enumerate() {
            self.per_giorno.entry(scarto.giorno()).or_default().push(posto);
        }
        Ok(())
    }

    fn of_days(&self, voce: &Voce, sigillata_il: Timestamp) -> impl Iterator<Item = &Scarto> {
        let giorni = Scarto::giorni_di(voce, sigillata_il);
        giorni
            .into_iter()
            .filter_map(|giorno| self.per_giorno.get(&giorno))
            .flatten()
            .map(|posto| &self.tutti[*posto])
    }

    fn who_took(&self, voce: &Voce, sigillata_il: Timestamp) -> Option<&Scarto> {
        self.of_days(voce, sigillata_il)
            .find(|scarto| scarto.took(voce, sigillata_il))
    }

    /// The purge that took each of these, by name; rows were read before this is asked. A purge moves on in the transaction that
    /// takes a row, so who reads it afterwards knows of all that is missing.
    pub(super) async fn took<'v>(
        &mut self,
        assenti: &[&'v Voce],
        sigillata_il: Timestamp,
    ) -> Result<HashMap<&'v str, String>, StoreError> {
        if assenti
            .iter()
            .any(|voce| self.who_took(voce, sigillata_il).is_none())
        {
            self.reload().await?;
        }
        let presi = assenti.iter().filter_map(|voce| {
            let scarto = self.who_took(voce, sigillata_il)?;
            Some((&*voce.chiave, scarto.riga.chiave.clone()))
        });
        Ok(presi.collect())
    }

    /// The purge of this name.
    pub(super) fn get(&self, pulizia: &str) -> Option<&Scarto> {
        self.tutti.iter().find(|scarto| scarto.riga.chiave == pulizia)
    }

    /// Holds the rows of a block against the purges, and the purges that it sealed against what retention does.
    pub(super) fn note(&mut self, blocco: &Blocco, righe: &[Riga], viste: &[Vista]) -> Result<(), Anomalia> {
        let testata = &blocco.testata;
        for (posto, (voce, vista)) in (1..).zip(blocco.voci.iter().zip(viste)) {
            let qui = |che| Anomalia {
                giorno: testata.giorno,
                blocco: Some(testata.numero),
                posto: Some(posto),
                riga: Some((voce.genere, voce.chiave.clone())),
                che,
            };
            match vista {
                Vista::Scartata { pulizia, .. } => self.conto.add(voce, pulizia, testata.giorno),
                Vista::Riga(_) if voce.genere == Genere::Pulizia => {
                    let riga = righe
                        .iter()
                        .find(|riga| riga.genere == voce.genere && riga.chiave == voce.chiave);
                    let Some(scarto) = riga.cloned().and_then(Scarto::read) else {
                        return Err(qui(Che::Illeggibile("la pulizia non si legge")));
                    };
                    if let Some(contraria) = scarto.contradiction(testata.sigillato_il) {
                        return Err(qui(Che::Scarto(contraria)));
                    }
                    self.sigillati.insert(voce.chiave.clone());
                }
                Vista::Riga(_) => {
                    let nega = self
                        .of_days(voce, testata.sigillato_il)
                        .filter(|scarto| self.finiti.contains(&scarto.riga.chiave))
                        .any(|scarto| scarto.claims(voce, testata.sigillato_il));
                    if nega {
                        return Err(qui(Che::NonScartata));
                    }
                }
                Vista::Sostituita { .. } => {}
            }
        }
        Ok(())
    }

    /// When the chain was walked to here: what rows went by which rule, and how many purges that have ended wait to be sealed.
    pub(super) async fn finish(
        &mut self,
        segni: &Segni,
        adesso: Timestamp,
    ) -> Result<Result<(BTreeMap<String, u64>, u64), Anomalia>, StoreError> {
        let conservati = self.store.scarti(segni).await?;
        let mut in_attesa = 0;
        let mut scarti = HashMap::new();
        for ScartoConservato {
            riga,
            in_attesa: attende,
        } in conservati
        {
            let chiave = riga.chiave.clone();
            let Some(scarto) = Scarto::read(riga) else {
                return Ok(Err(of_purge(
                    adesso,
                    chiave,
                    Che::Illeggibile("la pulizia non si legge"),
                )));
            };
            if scarto.is_over() && !self.sigillati.contains(&chiave) {
                // It stands behind the end of what was sealed, or was never written by who purges.
                if !attende {
                    return Ok(Err(of_purge(adesso, chiave, Che::Inserita)));
                }
                in_attesa += 1;
            }
            scarti.insert(chiave, scarto);
        }
        let mut per_regola = BTreeMap::new();
        for (chiave, quante) in self.conto.iter() {
            let no = |che| of_purge(adesso, chiave.to_owned(), che);
            let Some(scarto) = scarti.get(chiave) else {
                return Ok(Err(no(Che::Rimossa)));
            };
            let sigillato = self.sigillati.contains(chiave);
            if let Some(contraria) = scarto.contradiction(adesso).filter(|_| !sigillato) {
                return Ok(Err(no(Che::Scarto(contraria))));
            }
            if !scarto.admits(quante) {
                return Ok(Err(no(Che::Scarto(TROPPE))));
            }
            *per_regola.entry(scarto.regola.clone()).or_default() += quante;
        }
        Ok(Ok((per_regola, in_attesa)))
    }
}

fn of_purge(adesso: Timestamp, chiave: String, che: Che) -> Anomalia {
    Anomalia {
        giorno: data_a_roma(adesso),
        blocco: None,
        posto: None,
        riga: Some((Genere::Pulizia, chiave)),
        che,
    }
}
