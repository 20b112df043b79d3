//! `varco trace`: answers "where is my domanda?" and "why was I not let in?". Values of persons are masked; seeing a
//! message in clear needs a written reason, and that somebody looked is itself a trace (design.md §2.13).

mod criteri;
mod esporta;
mod vista;

use anyhow::{Context as _, Result, bail};
use indicatif::ProgressBar;
use jiff::Timestamp;
use uuid::Uuid;

use self::criteri::Criteri;
use self::vista::{INTESTAZIONE, brief_json, columns, door, door_json, row, whole, whole_json};
use super::{DoveConfig, Uscita, chiave};
use crate::clock::{Clock as _, Ids as _, RandomIds, WallClock};
use crate::config::Config;
use crate::protocollo::NumeroProtocollo;
use crate::store::{Ricerca, SharedStore, Store};
use crate::trace::csv;
use crate::trace::{Traccia, ricerca};

/// What to look for.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = false)]
pub struct Args {
    #[command(subcommand)]
    comando: Option<Comando>,
    /// File di configurazione (predefinito: varco.toml nella cartella corrente)
    #[arg(long, value_name = "FILE", default_value = "varco.toml", global = true)]
    config: std::path::PathBuf,
    #[command(flatten)]
    criteri: Criteri,
    /// Riprende da dove un elenco si era fermato: il cursore indicato alla sua fine, con gli stessi criteri
    #[arg(long, value_name = "CURSORE")]
    dopo: Option<String>,
    /// Usa i criteri di un filtro salvato; quelli indicati qui valgono al loro posto
    #[arg(long, value_name = "NOME")]
    filtro: Option<String>,
    /// Salva i criteri sotto un nome, per chi usa questo archivio e per la console (mai il codice fiscale)
    #[arg(long, value_name = "NOME")]
    salva: Option<String>,
    /// Scrive CSV: una riga per messaggio, dati personali mascherati
    #[arg(long, conflicts_with_all = ["json", "porta"])]
    csv: bool,
    /// Esporta in un file ZIP: indice CSV, un testo mascherato per messaggio, elenco con gli SHA-256; resta nella traccia
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "porta", "csv"])]
    esporta: Option<std::path::PathBuf>,
    /// Quante righe al più (predefinito: 50)
    #[arg(long, value_name = "N", default_value_t = 50, global = true)]
    limite: u32,
    /// Scrive JSON: un oggetto per riga
    #[arg(long, global = true)]
    json: bool,
    /// Mostra il registro della porta: chi non è stato fatto entrare, perché, e che cosa fare
    #[arg(long)]
    porta: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Comando {
    /// Mostra per intero un messaggio: passi e tempi, identità, dimensioni, codici, richiesta e risposta.
    ///
    /// I dati personali sono mascherati; con --in-chiaro serve un motivo, che resta nella traccia.
    ///
    /// Esempio: varco trace show 0197a3c1-0000-7000-8000-000000000001 --config demo/varco.toml
    Show {
        /// Identificativo del messaggio (IdMessaggio) o numero di protocollo
        #[arg(value_name = "ID")]
        id: String,
        /// Mostra richiesta e risposta senza mascherare i dati personali
        #[arg(long, requires = "motivo")]
        in_chiaro: bool,
        /// Perché servono i dati in chiaro: resta nella traccia
        #[arg(long, value_name = "TESTO")]
        motivo: Option<String>,
    },
    /// Scrive in XML le tracce delle buste e-Gov scambiate con le porte di dominio, in entrata e in uscita.
    ///
    /// Ogni record Tracciamento contiene l'Intestazione byte per byte; un messaggio senza busta ha un MessaggioDiagnostico.
    ///
    /// Esempio: varco trace egov --parte PatronatoUno --dal 2021-07-15 -o tracce.xml --config demo/varco.toml
    Egov(super::trace_egov::Args),
    /// Scrive in un file la catena di prova di un giorno, da verificare altrove con varco trace verify.
    ///
    /// Una riga per traccia, registrazione, rifiuto alla porta: senza richieste né risposte, i dati personali coperti.
    ///
    /// Esempio: varco trace export --giorno 2021-07-15 -o catena-2021-07-15.txt --config demo/varco.toml
    Export(super::trace_prova::Export),
    /// Verifica la catena di prova, e dice la prima riga alterata, tolta, aggiunta o spostata.
    ///
    /// Con un FILE scritto da varco trace export lavora senza archivio; senza FILE verifica l'archivio della configurazione,
    /// riga per riga, e le chiusure dei giorni fra le ancore. Esce con 65 se qualcosa non è come fu sigillato.
    ///
    /// Esempio: varco trace verify catena-2021-07-15.txt --ancora prova-2021-07-15.json --chiave firma.pem.pub
    ///
    /// Esempio: varco trace verify --config demo/varco.toml
    Verify(super::trace_prova::Verify),
    /// Crea la chiave Ed25519 con cui si firma la chiusura di ogni giorno (registro.firma).
    ///
    /// Esempio: varco trace key -o /etc/varco/firma.pem
    Key(super::trace_prova::Key),
    /// Elenca i filtri salvati, o ne dimentica uno.
    ///
    /// Esempio: varco trace filtri --config demo/varco.toml
    Filtri {
        /// Dimentica il filtro con questo nome
        #[arg(long, value_name = "NOME")]
        dimentica: Option<String>,
    },
}

pub(super) fn istante(testo: &str) -> Result<Timestamp, String> {
    ricerca::istante(testo)
        .ok_or_else(|| "serve una data (2021-07-15) o un istante (2021-07-15T10:00:00Z)".to_owned())
}

impl Args {
    /// Searches and prints.
    pub async fn run(self) -> Result<Uscita> {
        match &self.comando {
            Some(Comando::Verify(verify)) => return verify.run(&self.config).await,
            Some(Comando::Key(key)) => return key.run(),
            _ => {}
        }
        let dove = DoveConfig {
            config: self.config.clone(),
        };
        let config: Config = dove.read()?;
        let store = self.open(&config).await?;
        match &self.comando {
            Some(Comando::Show {
                id,
                in_chiaro,
                motivo,
            }) => {
                let traccia = find(store.as_ref(), id).await?;
                if *in_chiaro {
                    record_look(store.as_ref(), &traccia, motivo.as_deref().unwrap_or_default()).await?;
                }
                if self.json {
                    outln!("{}", whole_json(&traccia, *in_chiaro));
                } else {
                    out!("{}", whole(&traccia, *in_chiaro));
                }
            }
            Some(Comando::Egov(egov)) => egov.run(store.as_ref()).await?,
            Some(Comando::Export(export)) => return export.run(store.as_ref()).await,
            // Done above: they need no store, or open one of their own.
            Some(Comando::Verify(_) | Comando::Key(_)) => {}
            Some(Comando::Filtri { dimentica }) => {
                criteri::filtri(store.as_ref(), dimentica.as_deref()).await?;
            }
            None if self.porta => {
                let mut ricerca = Ricerca::default();
                self.criteri.set(&mut ricerca)?;
                for rifiuto in store.porta(ricerca.dal, self.limite).await? {
                    if self.json {
                        outln!("{}", door_json(&rifiuto));
                    } else {
                        out!("{}", door(&rifiuto));
                    }
                }
            }
            None => self.search(store.as_ref()).await?,
        }
        Ok(Uscita::Fatto)
    }

    /// The store; with the key of the search where a person is asked for, which is refused if it is not the store's.
    async fn open(&self, config: &Config) -> Result<SharedStore> {
        if !self.criteri.persona() {
            return super::open_store(config).await;
        }
        let chiave_ricerca = chiave::read(config)?;
        if chiave_ricerca.is_none() {
            eprintln!(
                "nota: manca la chiave di ricerca (trace.chiave_ricerca): trovo la persona solo nelle domande registrate"
            );
        }
        super::open_store_with(config, chiave_ricerca).await
    }

    /// What is asked for, the kept search first and what was given over it.
    async fn search(&self, store: &dyn Store) -> Result<()> {
        let mut ricerca = match &self.filtro {
            Some(nome) => criteri::kept(store, nome).await?,
            None => Ricerca::default(),
        };
        self.criteri.set(&mut ricerca)?;
        ricerca.senza_byte = true;
        if let Some(nome) = &self.salva {
            criteri::keep(store, nome, &ricerca).await?;
        }
        if let Some(cursore) = &self.dopo {
            let Some(posto) = ricerca.posto(cursore) else {
                bail!("il cursore non è di questa ricerca: servono gli stessi criteri con cui è stato dato");
            };
            ricerca.dopo = Some(posto);
        }
        if let Some(file) = &self.esporta {
            let esportata = esporta::write(store, &ricerca, self.limite, file).await?;
            outln!("{}: {} messaggi", file.display(), esportata.messaggi);
            tell_more(esportata.dopo.as_deref());
            return Ok(());
        }
        self.list(store, &ricerca).await
    }

    /// Prints page after page, until there are as many as were asked for.
    async fn list(&self, store: &dyn Store, ricerca: &Ricerca) -> Result<()> {
        if self.csv {
            out!("{}", csv::head());
        } else if !self.json {
            outln!("{}", row(&INTESTAZIONE));
        }
        let avanzamento = ProgressBar::new_spinner();
        let mut pagina_di = ricerca.clone();
        let mut mancano = self.limite;
        loop {
            pagina_di.limite = mancano.clamp(1, PAGINA);
            let pagina = store.tracce(&pagina_di).await?;
            avanzamento.suspend(|| pagina.righe.iter().for_each(|traccia| self.print(traccia)));
            mancano = mancano.saturating_sub(u32::try_from(pagina.righe.len()).unwrap_or(u32::MAX));
            pagina_di.dopo = pagina.posizione;
            let fin_qui = pagina.posizione.filter(|_| pagina.altre);
            let Some(posto) = fin_qui.filter(|_| mancano > 0) else {
                avanzamento.finish_and_clear();
                tell_more(fin_qui.map(|posto| ricerca.cursore(posto)).as_deref());
                return Ok(());
            };
            // What is rare takes many pages, most of them empty: how far the search has come is told.
            avanzamento.set_message(format!("cercato fino al {}", vista::when(posto.ricevuto_il)));
            avanzamento.tick();
        }
    }

    fn print(&self, traccia: &Traccia) {
        if self.csv {
            out!("{}", csv::line(traccia));
        } else if self.json {
            outln!("{}", brief_json(traccia));
        } else {
            outln!("{}", row(&columns(traccia)));
        }
    }
}

/// Traces a page of the list.
const PAGINA: u32 = 500;

/// That there is more, and how to come to it.
fn tell_more(cursore: Option<&str>) {
    if let Some(cursore) = cursore {
        eprintln!("ce ne sono altri; per proseguire, con gli stessi criteri: --dopo {cursore}");
    }
}

async fn find(store: &dyn Store, id: &str) -> Result<Traccia> {
    let message_id: Option<Uuid> = id.parse().ok();
    // The whole number: of what is half remembered there may be several.
    let protocollo: Option<NumeroProtocollo> = id.parse().ok();
    anyhow::ensure!(
        message_id.is_some() || protocollo.is_some(),
        "{id} non è un identificativo di messaggio né un numero di protocollo"
    );
    let ricerca = Ricerca {
        protocollo: protocollo.as_ref().map(Into::into),
        message_id,
        limite: 1,
        ..Ricerca::default()
    };
    // Of a number: the message that got it, before those that only named it.
    let registrata = Ricerca {
        esito: Some("REGISTRATA".to_owned()),
        ..ricerca.clone()
    };
    let mut trovate = store.tracce(&registrata).await?.righe;
    if trovate.is_empty() {
        trovate = store.tracce(&ricerca).await?.righe;
    }
    trovate
        .into_iter()
        .next()
        .with_context(|| format!("nessuna traccia con identificativo o protocollo {id}"))
}

/// That somebody looked, at what and why: a trace like any other, written before anything is shown.
async fn record_look(store: &dyn Store, vista: &Traccia, motivo: &str) -> Result<()> {
    let sguardo = Traccia {
        message_id: RandomIds.next(),
        ricevuto_il: WallClock::default().wall(),
        canale: "CLI".to_owned(),
        ente: vista.ente.clone(),
        uri: format!("varco trace show {} --in-chiaro", vista.message_id),
        operazione: Some("trace show".to_owned()),
        protocollo: vista.protocollo.clone(),
        numero_domanda: vista.numero_domanda,
        esito: "RISPOSTA".to_owned(),
        note: vec![format!("motivo: {motivo}")],
        ..Traccia::default()
    };
    store.write_tracce(&[sguardo]).await?;
    Ok(())
}
