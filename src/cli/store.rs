//! `varco store`: what is done to a store as a whole. `copy` moves an embedded one to PostgreSQL; what it promises stands
//! in `store::copy`.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

use super::Uscita;
use crate::clock::{Clock as _, Ids as _, RandomIds, WallClock};
use crate::store::StoreUrl;
use crate::store::copy::{self, Copia, CopyOptions, Esito, Passo, Stato};

/// What to do with a store.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    comando: Comando,
}

#[derive(Debug, clap::Subcommand)]
enum Comando {
    /// Trasferisce un archivio incorporato (sqlite:FILE) in un database PostgreSQL vuoto, con i suoi numeri.
    ///
    /// Il varco dev'essere fermo. Tutto è scritto in una transazione, riletto e confrontato riga per riga; il registro è
    /// verificato da entrambe le parti. Poi l'archivio di partenza è segnato come trasferito: si può ancora consultare,
    /// ma nessun varco lo apre più. Interrotto in qualunque momento, lo stesso comando si può ripetere.
    ///
    /// Il database appartiene all'utente che si collega (come per varco migrate). La password si può dare in PGPASSWORD
    /// o in ~/.pgpass, invece che nell'URL. L'ambiente è quello dell'archivio.
    ///
    /// Esce con 65 se qualcosa non torna (nulla è trasferito), con 75 se l'archivio è in uso o il database non risponde.
    ///
    /// Esempio: varco store copy sqlite:/var/lib/varco/store.db postgres://varco_owner@db.esempio.it/varco
    Copy(Copy),
}

#[derive(Debug, clap::Args)]
struct Copy {
    /// Archivio da trasferire: sqlite:FILE
    #[arg(value_name = "DA")]
    da: StoreUrl,
    /// Database in cui trasferirlo, vuoto: postgres://UTENTE@HOST/DATABASE
    #[arg(value_name = "A")]
    a: StoreUrl,
}

impl Args {
    /// Does it, and says how it ended.
    pub async fn run(self) -> Result<Uscita> {
        match self.comando {
            Comando::Copy(copia) => copia.run().await,
        }
    }
}

impl Copy {
    async fn run(self) -> Result<Uscita> {
        let (da, a) = match (&self.da, &self.a) {
            (StoreUrl::Sqlite(da), StoreUrl::Postgres(a)) => (da, a),
            (da, a) => bail!(
                "si trasferisce da sqlite:FILE a postgres://…, non da {da} a {a}: in un database PostgreSQL si porta \
                 un altro PostgreSQL con i suoi strumenti (pg_dump)"
            ),
        };
        let options = CopyOptions::new(WallClock::default().wall(), RandomIds.next());
        let inizio = Instant::now();
        let mut quadro = Quadro::new();
        let esito = copy::copy(da, a, &options, &mut |passo| quadro.show(passo)).await;
        quadro.barra.finish_and_clear();
        match esito? {
            Esito::Fatta(copia) => {
                tell(&copia, inizio.elapsed());
                outln!("l'archivio di partenza è segnato come trasferito: resta per la consultazione");
                outln!("ora, in varco.toml:  store = \"{a}\"");
                outln!(
                    "con l'utente del varco (GRANT varco_gateway TO …) e la sua password; poi varco check, varco serve"
                );
                Ok(Uscita::Fatto)
            }
            Esito::Anomalie { confermata, trovate } => {
                for anomalia in &trovate {
                    outln!("anomalia: {anomalia}");
                }
                let e_dunque = if confermata {
                    "il database era già stato confermato da un trasferimento precedente: chiamare chi lo amministra"
                } else {
                    "nulla è stato trasferito"
                };
                outln!("{} anomalie: {e_dunque}", trovate.len());
                Ok(Uscita::Rifiutato)
            }
        }
    }
}

/// Rows a table, the registers of both sides, how long it took.
fn tell(copia: &Copia, durata: Duration) {
    let mut righe = 0;
    for (tabella, quante) in &copia.tabelle {
        outln!("{tabella:<23} {quante:>12} righe uguali");
        righe += quante;
    }
    for (
        parte,
        Stato {
            registrazioni,
            registri,
        },
    ) in [
        ("di partenza", &copia.origine),
        ("di arrivo", &copia.destinazione),
    ] {
        let numeri: Vec<_> = registri
            .iter()
            .map(|registro| format!("{} {}/{}", registro.registro, registro.anno, registro.ultimo))
            .collect();
        outln!(
            "registro {parte:<12} {registrazioni} registrazioni, nessuna anomalia; ultimo numero: {}",
            if numeri.is_empty() {
                "nessuno".to_owned()
            } else {
                numeri.join(", ")
            }
        );
    }
    let che_cosa = if copia.gia_fatta {
        "già trasferito in precedenza, riguardato"
    } else {
        "trasferito"
    };
    outln!(
        "{che_cosa}: {righe} righe in {:.1} secondi ({})",
        durata.as_secs_f64(),
        copia.ambiente.as_str()
    );
}

/// How far it has come: a bar on a terminal, else a line a table.
struct Quadro {
    barra: ProgressBar,
    /// The table at work, and how many of its rows are done.
    ultima: Option<(&'static str, &'static str, u64)>,
}

impl Quadro {
    fn new() -> Self {
        let barra = if std::io::stderr().is_terminal() {
            ProgressBar::new(0)
        } else {
            ProgressBar::hidden()
        };
        if let Ok(stile) =
            ProgressStyle::with_template("{msg:<24} {bar:40} {percent:>3}%  {per_sec}  mancano {eta}")
        {
            barra.set_style(stile);
        }
        Self { barra, ultima: None }
    }

    fn show(&mut self, passo: Passo) {
        match passo {
            Passo::Inizio { righe } => self.barra.set_length(righe),
            Passo::Scritte { tabella, righe } => self.add("scrittura", tabella, righe),
            Passo::Confrontate { tabella, righe } => self.add("confronto", tabella, righe),
            Passo::Segnata | Passo::Confermata => self.line(),
        }
    }

    fn add(&mut self, fase: &'static str, tabella: &'static str, righe: u64) {
        self.barra.inc(righe);
        match &mut self.ultima {
            Some((ultima_fase, ultima, fatte)) if (*ultima_fase, *ultima) == (fase, tabella) => {
                *fatte += righe;
            }
            _ => {
                self.line();
                self.barra.set_message(format!("{fase} {tabella}"));
                self.ultima = Some((fase, tabella, righe));
            }
        }
    }

    /// The end of a table.
    fn line(&mut self) {
        if let Some((fase, tabella, righe)) = self.ultima.take()
            && self.barra.is_hidden()
        {
            eprintln!("{fase} {tabella}: {righe} righe");
        }
    }
}
