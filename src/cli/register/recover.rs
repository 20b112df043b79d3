//! `varco register recover`: the register of a store that was put back from a copy goes on behind what was told.

use std::path::PathBuf;

use anyhow::Result;

use super::{Autorita, open, una_riga};
use crate::cli::{DoveConfig, Uscita};
use crate::clock::{Clock as _, WallClock};
use crate::config::Config;
use crate::protocollo::NumeroProtocollo;
use crate::registro::{Lacuna, RecuperoFatto, a_roma};
use crate::store::ancore::{Detti, Detto, told};
use crate::store::lacune::Dichiarazione;
use crate::store::recupero::{Recuperate, Recupero, Tratto, recover};
use crate::store::{OpenOptions, StoreError, StoreUrl};

/// What to declare.
#[derive(Debug, clap::Args)]
pub(super) struct Recover {
    /// Perché mancano dei numeri
    #[arg(long, value_name = "TESTO", value_parser = una_riga)]
    motivo: String,
    #[command(flatten)]
    autorita: Autorita,
    /// Altre cartelle di ancore, oltre a quella della configurazione: di altri varchi, o salvate da una macchina perduta
    #[arg(long, value_name = "CARTELLA")]
    ancore: Vec<PathBuf>,
    /// Registri giornalieri conservati altrove (con il loro .sha256), oltre a quelli della configurazione
    #[arg(long, value_name = "FILE")]
    giornaliero: Vec<PathBuf>,
    /// L'ultimo numero di cui si ha notizia (da una ricevuta), se è oltre le ancore e i registri giornalieri
    #[arg(long, value_name = "PROTOCOLLO")]
    ultimo: Vec<NumeroProtocollo>,
    /// Riporta prima i numeri che un altro archivio conosce ancora: il file messo da parte, la vecchia primaria
    #[arg(long, value_name = "ARCHIVIO")]
    da: Option<StoreUrl>,
    /// Dice soltanto quanti numeri tornerebbero e quanti resterebbero lacuna
    #[arg(long, requires = "da")]
    prova: bool,
    #[command(flatten)]
    dove: DoveConfig,
}

impl Recover {
    pub(super) async fn run(self) -> Result<Uscita> {
        let config = self.dove.read()?;
        let giornalieri = &config.registro.ancore.giornalieri;
        let mut detti = told(&config.registro.ancore.cartella)?;
        detti.join(&giornalieri.told(config.ambiente)?);
        for cartella in &self.ancore {
            detti.join(&told(cartella)?);
        }
        for documento in &self.giornaliero {
            detti.join(&giornalieri.told_by(documento, config.ambiente)?);
        }
        for protocollo in &self.ultimo {
            detti.join(&known(protocollo));
        }
        if let Some(da) = &self.da {
            return self.bring_back(&config, da, &detti).await;
        }
        let (store, adesso) = open(&self.dove).await?;
        let Some(provvedimento) = self.autorita.in_force(adesso) else {
            return Ok(Uscita::Rifiutato);
        };
        let dichiarazione = Dichiarazione {
            detti: &detti,
            operatore: &self.autorita.operatore,
            motivo: &self.motivo,
            provvedimento: &provvedimento,
        };
        let esito = store.dichiara(&dichiarazione, adesso).await;
        store.close().await;
        match esito {
            Ok(lacune) => {
                for lacuna in &lacune {
                    outln!("{}", shown(lacuna));
                }
                outln!("il registro riprende dopo questi numeri; controllarlo: varco register verify");
                Ok(Uscita::Fatto)
            }
            Err(StoreError::Refused(_)) => {
                eprintln!(
                    "varco: l'archivio conosce tutti i numeri che le ancore dicono: non c'è nulla da dichiarare"
                );
                Ok(Uscita::Rifiutato)
            }
            Err(errore) => Err(errore.into()),
        }
    }
}

impl Recover {
    /// What the other store knows comes back; the rest is a hole.
    async fn bring_back(&self, config: &Config, da: &StoreUrl, detti: &Detti) -> Result<Uscita> {
        let (store, adesso) = open(&self.dove).await?;
        store.close().await;
        let Some(provvedimento) = self.autorita.in_force(adesso) else {
            return Ok(Uscita::Rifiutato);
        };
        let recupero = Recupero {
            qui: &config.store,
            da,
            options: &OpenOptions::new(config.ambiente, WallClock::default().wall()),
            dichiarazione: &Dichiarazione {
                detti,
                operatore: &self.autorita.operatore,
                motivo: &self.motivo,
                provvedimento: &provvedimento,
            },
            adesso,
            prova: self.prova,
        };
        let barra = crate::cli::progress_bar(0, "{msg}");
        let esito = recover(&recupero, &mut |tabella| barra.set_message(tabella)).await;
        barra.finish_and_clear();
        match esito {
            Ok(fatte) => {
                tell(&fatte, self.prova);
                Ok(Uscita::Fatto)
            }
            Err(StoreError::Refused(causa)) => {
                eprintln!("varco: nulla è cambiato: {causa}");
                Ok(Uscita::Rifiutato)
            }
            Err(errore) => Err(errore.into()),
        }
    }
}

/// What came back and what did not.
fn tell(fatte: &Recuperate, prova: bool) {
    let (tornata, lacuna) = if prova {
        ("tornerebbero", "resterebbe lacuna")
    } else {
        ("tornate", "lacuna")
    };
    for tratto in &fatte.tornate {
        outln!("{tornata}: {}", stretch(tratto));
    }
    for tratto in &fatte.lacune {
        outln!("{lacuna}: {}", stretch(tratto));
    }
    if fatte.gia_lacuna > 0 {
        outln!(
            "{} numeri che quell'archivio conosce sono qui una lacuna già dichiarata, e restano tali",
            fatte.gia_lacuna
        );
    }
    if fatte.tornate.is_empty() && fatte.lacune.is_empty() {
        outln!("non c'è nulla da riportare né da dichiarare");
    } else if prova {
        outln!("prova: nulla è cambiato");
    } else {
        outln!("il registro riprende dopo questi numeri; controllarlo: varco register verify");
    }
}

fn stretch(tratto: &Tratto) -> String {
    let numero = |numero| NumeroProtocollo::new(&tratto.registro, tratto.anno, numero);
    let estremi = numero(tratto.da).zip(numero(tratto.a));
    let estremi = estremi.map_or_else(String::new, |(da, a)| format!("{da} - {a}"));
    format!("{estremi} ({} numeri)", tratto.quante)
}

/// A number that somebody has a receipt of.
fn known(protocollo: &NumeroProtocollo) -> Detti {
    let detto = Detto {
        numero: protocollo.numero(),
        picco: 0,
    };
    let mut detti = Detti::default();
    detti
        .registri
        .insert((protocollo.registro().to_owned(), protocollo.anno()), detto);
    detti
}

/// What came back once, for people.
pub(super) fn shown_recupero(recupero: &RecuperoFatto) -> String {
    let tratto = Tratto {
        registro: recupero.registro.clone(),
        anno: recupero.anno,
        da: recupero.da,
        a: recupero.a,
        quante: recupero.quante,
    };
    format!(
        "recupero {}: {} da {}; il {} da {}",
        recupero.id,
        stretch(&tratto),
        recupero.archivio,
        a_roma(recupero.recuperate_il),
        recupero.operatore
    )
}

/// A hole for people.
pub(super) fn shown(lacuna: &Lacuna) -> String {
    let numero = |numero| NumeroProtocollo::new(&lacuna.registro, lacuna.anno, numero);
    let estremi = numero(lacuna.da).zip(numero(lacuna.a));
    let estremi = estremi.map_or_else(String::new, |(da, a)| format!("{da} - {a}"));
    let domande = lacuna
        .domande
        .map_or_else(String::new, |(da, a)| format!("; numeri di domanda {da} - {a}"));
    format!(
        "lacuna {}: {estremi} ({} numeri){domande}; dichiarata il {} da {}",
        lacuna.id,
        lacuna.a - lacuna.da + 1,
        a_roma(lacuna.dichiarata_il),
        lacuna.operatore
    )
}
