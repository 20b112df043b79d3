//! `varco adesione`: from a filled form to the register of those who may send. The form is judged whole, by the checks
//! of the register and of the door; what it would change is shown; what it changes is recorded.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;

use super::{DoveConfig, Uscita};
use crate::adesione::differenze::{differenze, righe};
use crate::adesione::modulo::{Esame, MODULO, Modulo, esamina, ritratto};
use crate::adesione::scrittura::{Modifica, commit, compose, impronta, register};
use crate::adesione::{Adesioni, Ente};
use crate::clock::{Clock as _, WallClock};
use crate::config::Config;
use crate::listener::Fiducia;

/// What to do with a form.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    comando: Comando,
}

#[derive(Debug, Subcommand)]
enum Comando {
    /// Scrive il modulo da compilare, con la spiegazione di ogni voce.
    ///
    /// Esempio: varco adesione form > pat99.toml
    Form,
    /// Verifica un modulo compilato: certificati, indirizzi, codici, conflitti con gli altri enti. Non cambia nulla.
    ///
    /// Dice tutto ciò che non va, con la riga e il rimedio. Esce con 65 se il modulo non si può registrare.
    ///
    /// Esempio: varco adesione check --config varco.toml pat99.toml
    Check(Quale),
    /// Mostra che cosa cambierebbe in adesioni.toml, a parole e riga per riga. Non cambia nulla.
    ///
    /// Esempio: varco adesione diff --config varco.toml pat99.toml
    Diff(Quale),
    /// Registra il modulo in adesioni.toml, con una copia del file di prima e una riga in adesioni.log.
    ///
    /// Ordine e commenti del file restano. Il varco in ascolto lo rilegge con SIGHUP.
    ///
    /// Esempio: varco adesione add --config varco.toml pat99.toml --chi "ufficio accordi" --perche "prot. 123/2026"
    Add(Registra),
}

#[derive(Debug, clap::Args)]
struct Quale {
    #[command(flatten)]
    dove: DoveConfig,
    /// Il modulo compilato
    #[arg(value_name = "MODULO")]
    modulo: PathBuf,
    /// L'ente c'è già: il modulo prende il posto della sua adesione
    #[arg(long)]
    sostituisci: bool,
}

#[derive(Debug, clap::Args)]
struct Registra {
    #[command(flatten)]
    quale: Quale,
    /// Chi registra la modifica (un ufficio o un ruolo, non una persona)
    #[arg(long, value_name = "TESTO")]
    chi: String,
    /// Perché: la richiesta, l'atto, il protocollo
    #[arg(long, value_name = "TESTO")]
    perche: String,
}

/// A form with all that it is held against.
struct Pratica {
    file: PathBuf,
    /// The text of the register; `None` = there is none yet.
    testo: Option<String>,
    registro: Adesioni,
    modulo_testo: String,
    modulo: Modulo,
}

impl Args {
    /// Does what the command says.
    pub fn run(self) -> Result<Uscita> {
        match self.comando {
            Comando::Form => {
                out!("{MODULO}");
                Ok(Uscita::Fatto)
            }
            Comando::Check(quale) => check(&quale),
            Comando::Diff(quale) => diff(&quale),
            Comando::Add(registra) => add(&registra),
        }
    }
}

impl Pratica {
    fn open(quale: &Quale) -> Result<Self> {
        let config = quale.dove.read()?;
        let file = config.adesioni.clone();
        let testo = read_if_there(&file)?;
        let registro = register(testo.as_deref().unwrap_or_default(), &file)
            .context("le adesioni in vigore hanno errori: correggerli prima")?;
        let modulo_testo = std::fs::read_to_string(&quale.modulo)
            .with_context(|| format!("il modulo {} non si legge", quale.modulo.display()))?;
        let modulo = judge(&config, &registro, &modulo_testo, quale)?;
        Ok(Self {
            file,
            testo,
            registro,
            modulo_testo,
            modulo,
        })
    }

    /// The ente of a form that nothing stands against.
    fn ente(&self) -> Option<&Ente> {
        self.modulo
            .ente
            .as_ref()
            .filter(|_| self.modulo.errori.is_empty())
    }

    /// How the ente was told until now.
    fn prima(&self, ente: &Ente) -> Option<&Ente> {
        let enti = self.registro.enti().iter();
        enti.map(AsRef::as_ref).find(|altro| altro.codice == ente.codice)
    }

    /// Everything that is wrong, and everything to look at.
    fn tell(&self, modulo: &Path) {
        let nome = modulo.display();
        for (specie, voci) in [("errore", &self.modulo.errori), ("avviso", &self.modulo.avvisi)] {
            for voce in voci {
                match voce.riga {
                    0 => outln!("{specie}  {nome}: {}", voce.testo),
                    riga => outln!("{specie}  {nome}:{riga}: {}", voce.testo),
                }
            }
        }
    }
}

fn read_if_there(file: &Path) -> Result<Option<String>> {
    match std::fs::read_to_string(file) {
        Ok(testo) => Ok(Some(testo)),
        Err(causa) if causa.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(causa) => Err(causa).with_context(|| format!("{} non si legge", file.display())),
    }
}

fn judge(config: &Config, registro: &Adesioni, testo: &str, quale: &Quale) -> Result<Modulo> {
    let fiducia = Fiducia::load(&config.tls)
        .map_err(anyhow::Error::msg)
        .context("senza le CA non si verifica alcun certificato")?;
    let adesso = WallClock::default().wall();
    let esame = Esame {
        registro,
        sostituisce: quale.sostituisci,
        adesso,
        giudice: &|catena| fiducia.judge(catena, adesso),
    };
    Ok(esamina(testo, &quale.modulo, &esame))
}

fn check(quale: &Quale) -> Result<Uscita> {
    let pratica = Pratica::open(quale)?;
    if let Some(ente) = &pratica.modulo.ente {
        outln!("ente        {} {}", ente.codice, ente.denominazione);
        for voce in &ente.certificati {
            outln!("certificato alla riga {}", voce.riga);
            for riga in ritratto(voce) {
                outln!("  {riga}");
            }
        }
    }
    pratica.tell(&quale.modulo);
    if pratica.ente().is_none() {
        return Ok(Uscita::Rifiutato);
    }
    outln!("il modulo si può registrare");
    Ok(Uscita::Fatto)
}

fn diff(quale: &Quale) -> Result<Uscita> {
    let pratica = Pratica::open(quale)?;
    pratica.tell(&quale.modulo);
    let Some(ente) = pratica.ente() else {
        return Ok(Uscita::Rifiutato);
    };
    let prima = pratica.testo.as_deref().unwrap_or_default();
    let dopo = compose(prima, &pratica.file, ente)?;
    let cambiamenti = differenze(pratica.prima(ente), ente);
    if prima == dopo {
        outln!("non cambia nulla");
        return Ok(Uscita::Fatto);
    }
    for cambiamento in &cambiamenti {
        outln!("{cambiamento}");
    }
    outln!("");
    outln!("--- {0}\n+++ {0}", pratica.file.display());
    out!("{}", righe(prima, &dopo));
    Ok(Uscita::Fatto)
}

fn add(registra: &Registra) -> Result<Uscita> {
    let Registra { quale, chi, perche } = registra;
    for (nome, testo) in [("--chi", chi), ("--perche", perche)] {
        if testo.trim().is_empty() || testo.chars().any(char::is_control) {
            bail!("{nome}: atteso un testo su una riga");
        }
    }
    let pratica = Pratica::open(quale)?;
    pratica.tell(&quale.modulo);
    let Some(ente) = pratica.ente() else {
        return Ok(Uscita::Rifiutato);
    };
    let prima = pratica.testo.as_deref().unwrap_or_default();
    let dopo = compose(prima, &pratica.file, ente)?;
    if prima == dopo {
        outln!("non cambia nulla: l'adesione di {} è già così", ente.codice);
        return Ok(Uscita::Fatto);
    }
    let presente = pratica.prima(ente);
    let operazione = if presente.is_some() {
        "sostituzione"
    } else {
        "aggiunta"
    };
    let modifica = Modifica {
        istante: WallClock::default().wall(),
        operazione: operazione.to_owned(),
        ente: ente.codice.to_string(),
        chi: chi.clone(),
        perche: perche.clone(),
        differenze: differenze(presente, ente),
        modulo_sha256: impronta(&pratica.modulo_testo),
        prima_sha256: impronta(prima),
        dopo_sha256: impronta(&dopo),
        precedente_sha256: String::new(),
    };
    let scritto = commit(&pratica.file, pratica.testo.as_deref(), &dopo, modifica)?;
    outln!("{operazione} di {} in {}", ente.codice, pratica.file.display());
    if let Some(copia) = &scritto.copia {
        outln!("il file di prima è in {}", copia.display());
    }
    outln!("la modifica è annotata in {}", scritto.registro.display());
    outln!("per metterla in vigore: kill -HUP al processo di varco serve (systemctl reload varco)");
    Ok(Uscita::Fatto)
}

#[cfg(test)]
mod tests;
