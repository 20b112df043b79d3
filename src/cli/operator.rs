//! `varco operator`: who may use the console. A password is read from the terminal, where nobody sees it, or from standard
//! input; never from the command line, which every process of the machine may read.

use std::fmt::Write as _;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use super::{DoveConfig, Uscita, open_store};
use crate::adesione::Certificato;
use crate::clock::{Clock as _, WallClock};
use crate::console::password;
use crate::registro::a_roma;
use crate::store::operatori::{NuovoOperatore, Operatore, Ruolo};

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    comando: Comando,
}

#[derive(Debug, clap::Subcommand)]
enum Comando {
    /// Aggiunge un operatore. La password si scrive al terminale, o arriva dall'ingresso: mai sulla riga di comando.
    ///
    /// Ruoli: lettore (vede tutto con i dati personali mascherati), indagatore (vede in chiaro e scarica, con un motivo
    /// scritto), gestore (comanda anche i lotti).
    ///
    /// Esempio: varco operator add anna.bianchi --ruolo indagatore --config varco.toml
    Add {
        /// Il nome con cui accede: lettere minuscole, cifre, punto, trattino
        #[arg(value_name = "NOME", value_parser = nome)]
        nome: String,
        /// lettore, indagatore o gestore
        #[arg(long, value_name = "RUOLO", value_parser = ruolo)]
        ruolo: Ruolo,
        /// Genera una password e la scrive, una volta sola
        #[arg(long)]
        genera: bool,
        /// Accede con questo certificato (PEM); senza --genera, con esso soltanto
        #[arg(long, value_name = "FILE")]
        certificato: Option<PathBuf>,
        #[command(flatten)]
        dove: DoveConfig,
    },
    /// Elenca gli operatori: nome, ruolo, con che cosa accede, da quando.
    ///
    /// Esempio: varco operator list --config varco.toml
    List(DoveConfig),
    /// Cambia la password di un operatore e chiude le sue sessioni.
    ///
    /// Esempio: varco operator passwd anna.bianchi --genera --config varco.toml
    Passwd {
        /// Il nome
        #[arg(value_name = "NOME")]
        nome: String,
        /// Genera una password e la scrive, una volta sola
        #[arg(long)]
        genera: bool,
        #[command(flatten)]
        dove: DoveConfig,
    },
    /// Toglie l'accesso a un operatore e chiude le sue sessioni. Il nome resta: è nelle tracce di ciò che ha guardato.
    ///
    /// Esempio: varco operator disable anna.bianchi --config varco.toml
    Disable {
        /// Il nome
        #[arg(value_name = "NOME")]
        nome: String,
        #[command(flatten)]
        dove: DoveConfig,
    },
    /// Ridà l'accesso a un operatore a cui era stato tolto.
    ///
    /// Esempio: varco operator enable anna.bianchi --config varco.toml
    Enable {
        /// Il nome
        #[arg(value_name = "NOME")]
        nome: String,
        #[command(flatten)]
        dove: DoveConfig,
    },
}

fn nome(testo: &str) -> Result<String, String> {
    let segni = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
    let buono = (2..=32).contains(&testo.len())
        && testo.chars().all(segni)
        && testo.starts_with(|c: char| c.is_ascii_lowercase());
    if buono {
        Ok(testo.to_owned())
    } else {
        Err("da 2 a 32 lettere minuscole, cifre, punti, trattini; comincia con una lettera".to_owned())
    }
}

fn ruolo(testo: &str) -> Result<Ruolo, String> {
    Ruolo::parse(&testo.to_uppercase()).ok_or_else(|| "attesi lettore, indagatore, gestore".to_owned())
}

impl Args {
    /// Does it on the store of the configuration.
    pub async fn run(self) -> Result<Uscita> {
        match self.comando {
            Comando::Add {
                nome,
                ruolo,
                genera,
                certificato,
                dove,
            } => add(nome, ruolo, genera, certificato, &dove).await,
            Comando::List(dove) => {
                let store = open_store(&dove.read()?).await?;
                let operatori = store.operatori().await?;
                store.close().await;
                out!("{}", table(&operatori));
                Ok(Uscita::Fatto)
            }
            Comando::Passwd { nome, genera, dove } => {
                let store = open_store(&dove.read()?).await?;
                let (conservata, generata) = new_password(&nome, genera)?;
                let cambiata = store.set_password(&nome, &conservata).await?;
                store.close().await;
                Ok(tell(
                    &nome,
                    cambiata,
                    "password cambiata, sessioni chiuse",
                    generata,
                ))
            }
            Comando::Disable { nome, dove } => set(&nome, &dove, false).await,
            Comando::Enable { nome, dove } => set(&nome, &dove, true).await,
        }
    }
}

async fn add(
    nome: String,
    ruolo: Ruolo,
    genera: bool,
    certificato: Option<PathBuf>,
    dove: &DoveConfig,
) -> Result<Uscita> {
    let certificato_sha256 = certificato.map(|file| fingerprint(&file)).transpose()?;
    let store = open_store(&dove.read()?).await?;
    let (password, generata) = if certificato_sha256.is_some() && !genera {
        (None, None)
    } else {
        let (conservata, generata) = new_password(&nome, genera)?;
        (Some(conservata), generata)
    };
    let nuovo = NuovoOperatore {
        nome,
        ruolo,
        password,
        certificato_sha256,
    };
    let aggiunto = store.add_operatore(&nuovo, WallClock::default().wall()).await?;
    store.close().await;
    if !aggiunto {
        eprintln!(
            "varco: {}: c'è già un operatore con questo nome o questo certificato (varco operator list)",
            nuovo.nome
        );
        return Ok(Uscita::Rifiutato);
    }
    let parola = ruolo.as_str().to_lowercase();
    Ok(tell(
        &nuovo.nome,
        true,
        &format!("aggiunto, ruolo {parola}"),
        generata,
    ))
}

async fn set(nome: &str, dove: &DoveConfig, abilitato: bool) -> Result<Uscita> {
    let store = open_store(&dove.read()?).await?;
    let dal = (!abilitato).then(|| WallClock::default().wall());
    let cambiato = store.set_disabilitato(nome, dal).await?;
    store.close().await;
    let fatto = if abilitato {
        "abilitato"
    } else {
        "disabilitato, sessioni chiuse"
    };
    Ok(tell(nome, cambiato, fatto, None))
}

fn tell(nome: &str, fatto: bool, che: &str, generata: Option<String>) -> Uscita {
    if !fatto {
        eprintln!("varco: {nome}: nessun operatore ha questo nome (varco operator list)");
        return Uscita::Rifiutato;
    }
    outln!("{nome}: {che}");
    if let Some(generata) = generata {
        outln!("password: {generata}   (non si può rileggere)");
    }
    Uscita::Fatto
}

/// What is kept of a new password; with it the password itself, where it was made here.
fn new_password(nome: &str, genera: bool) -> Result<(String, Option<String>)> {
    if genera {
        let generata = password::generate()?;
        return Ok((password::keep(&generata, nome)?, Some(generata)));
    }
    let scritta = if std::io::stdin().is_terminal() {
        let scritta = ask("Password: ")?;
        if ask("Di nuovo: ")? != scritta {
            bail!("le due password non sono uguali");
        }
        scritta
    } else {
        line()?
    };
    Ok((password::keep(&scritta, nome)?, None))
}

/// Asks at the terminal, which shows nothing of what is typed. It shows again even where reading fails.
fn ask(domanda: &str) -> Result<String> {
    let stdin = std::io::stdin();
    eprint!("{domanda}");
    std::io::stderr().flush()?;
    let prima = tcgetattr(&stdin).context("il terminale non risponde")?;
    let mut muto = prima.clone();
    muto.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Flush, &muto).context("il terminale non si può ammutolire")?;
    let scritta = line();
    tcsetattr(&stdin, OptionalActions::Flush, &prima).context("il terminale non si può ripristinare")?;
    eprintln!();
    scritta
}

fn line() -> Result<String> {
    let mut riga = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut riga)
        .context("password illeggibile")?;
    Ok(riga.trim_end_matches(['\r', '\n']).to_owned())
}

fn fingerprint(file: &PathBuf) -> Result<String> {
    let pem = std::fs::read(file).with_context(|| format!("impossibile leggere {}", file.display()))?;
    let certificati = Certificato::from_pem(&pem).with_context(|| file.display().to_string())?;
    let primo = certificati.into_iter().next().context("nessun certificato")?;
    Ok(primo.sha256)
}

fn table(operatori: &[Operatore]) -> String {
    if operatori.is_empty() {
        return "nessun operatore: varco operator add NOME --ruolo gestore\n".to_owned();
    }
    let mut testo = format!(
        "{:<32}  {:<10}  {:<22}  {:<29}  {}\n",
        "nome", "ruolo", "accede con", "dal", "stato"
    );
    for operatore in operatori {
        let con = match (operatore.con_password, operatore.con_certificato) {
            (true, true) => "password, certificato",
            (true, false) => "password",
            (false, _) => "certificato",
        };
        let stato = operatore.disabilitato_il.map_or_else(
            || "attivo".to_owned(),
            |dal| format!("disabilitato dal {}", a_roma(dal)),
        );
        let _ = writeln!(
            testo,
            "{:<32}  {:<10}  {con:<22}  {:<29}  {stato}",
            operatore.nome,
            operatore.ruolo.as_str().to_lowercase(),
            a_roma(operatore.creato_il),
        );
    }
    testo
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_people_type_and_pages_show() {
        for buono in ["anna", "anna.bianchi", "op-2"] {
            assert_eq!(nome(buono).as_deref(), Ok(buono));
        }
        for cattivo in [
            "",
            "a",
            "Anna",
            "1anna",
            "anna bianchi",
            "<script>",
            "ànna",
            &"a".repeat(33),
        ] {
            assert!(nome(cattivo).is_err(), "{cattivo}");
        }
    }

    #[test]
    fn a_role_is_one_of_three() {
        assert_eq!(ruolo("gestore"), Ok(Ruolo::Gestore));
        assert!(ruolo("root").is_err());
    }
}
