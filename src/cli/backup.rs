//! `varco backup`: a copy of the store while it works, verified before it is called one.

use std::fs::{self, File};
use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;

use super::cluster::Binaries;
use super::{DoveConfig, Uscita, store_options};
use crate::clock::{Clock as _, WallClock};
use crate::config::Config;
use crate::domanda::sha256::{Sha256, hex};
use crate::store::legale::open_registro;
use crate::store::{OpenOptions, PostgresUrl, StoreUrl, sqlite};

/// What to copy, and where to.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Cartella delle copie: ogni copia vi ha una cartella sua, col nome dell'istante
    #[arg(value_name = "CARTELLA")]
    cartella: PathBuf,
    /// Solo con PostgreSQL: l'URL di un utente con l'attributo REPLICATION (la password si può dare in PGPASSWORD o in
    /// ~/.pgpass)
    #[arg(long, value_name = "URL")]
    replica: Option<PostgresUrl>,
    #[command(flatten)]
    dove: DoveConfig,
}

impl Args {
    /// Copies, verifies, and only then gives the copy its name.
    pub async fn run(self) -> Result<Uscita> {
        let config = self.dove.read()?;
        let adesso = WallClock::default().wall();
        let nome = adesso.strftime("%Y%m%dT%H%M%SZ").to_string();
        let (in_corso, copia) = (
            self.cartella.join(format!("{nome}.in-corso")),
            self.cartella.join(&nome),
        );
        fs::create_dir_all(&self.cartella)
            .and_then(|()| fs::create_dir(&in_corso))
            .with_context(|| in_corso.display().to_string())?;
        private(&in_corso)?;
        let inizio = Instant::now();
        let fatto = match &config.store {
            StoreUrl::Sqlite(da) => embedded(&config, da, &in_corso, adesso).await,
            StoreUrl::Postgres(_) => self.cluster(&in_corso),
        };
        let che_cosa = match fatto {
            Ok(che_cosa) => che_cosa,
            Err(errore) => {
                // A copy that was not verified is none, and must not be taken for one.
                let _ = fs::remove_dir_all(&in_corso);
                return Err(errore);
            }
        };
        fs::rename(&in_corso, &copia)?;
        File::open(&self.cartella)?.sync_all()?;
        outln!("{che_cosa}");
        outln!(
            "copia verificata in {:.1} secondi: {}",
            inizio.elapsed().as_secs_f64(),
            copia.display()
        );
        Ok(Uscita::Fatto)
    }

    /// A physical copy of the whole cluster, with the log that it needs, held against its own manifest.
    fn cluster(&self, in_corso: &Path) -> Result<String> {
        let Some(replica) = &self.replica else {
            bail!(
                "con PostgreSQL si copia l'intero cluster: con --replica dare l'URL di un utente con l'attributo \
                 REPLICATION (CREATE ROLE … LOGIN REPLICATION)"
            );
        };
        let programmi = Binaries::require()?;
        let dati = in_corso.join("dati");
        run(Command::new(programmi.cartella().join("pg_basebackup"))
            .args([
                "--wal-method=stream",
                "--checkpoint=fast",
                "--manifest-checksums=SHA256",
            ])
            .arg("--pgdata")
            .arg(&dati)
            .arg("--dbname")
            .arg(replica.as_str()))?;
        run(Command::new(programmi.cartella().join("pg_verifybackup")).arg(&dati))?;
        Ok("cluster PostgreSQL: ogni file è come dice il suo manifesto (backup_manifest)".to_owned())
    }
}

/// Runs a program, with its words on our standard error.
fn run(comando: &mut Command) -> Result<()> {
    let nome = comando.get_program().to_string_lossy().into_owned();
    let uscita = comando
        .stdout(std::process::Stdio::null())
        .status()
        .with_context(|| format!("{nome} non si può eseguire"))?;
    if !uscita.success() {
        bail!("{nome} è finito male ({uscita}): nessuna copia");
    }
    Ok(())
}

/// The file and the lots beside it, then the copy looked over like a store: every page, every registration.
async fn embedded(config: &Config, da: &Path, in_corso: &Path, adesso: Timestamp) -> Result<String> {
    let options = store_options(config);
    let a = in_corso.join("store.db");
    let barra = bar(fs::metadata(da).map_or(0, |dati| dati.len()));
    barra.set_message("si copia");
    let copiato = {
        let copia = sqlite::backup(da, &a, &options);
        tokio::pin!(copia);
        loop {
            tokio::select! {
                fatto = &mut copia => break fatto,
                () = tokio::time::sleep(Duration::from_millis(200)) => {
                    barra.set_position(fs::metadata(&a).map_or(0, |dati| dati.len()));
                }
            }
        }
    };
    barra.finish_and_clear();
    copiato?;
    private(&a)?;
    sqlite::check(&a, &options).await?;
    let guardata = OpenOptions {
        migrate: false,
        anche_trasferito: true,
        ..options
    };
    let (store, _) = open_registro(&StoreUrl::Sqlite(a.clone()), &guardata).await?;
    let verifica = store.verify().await;
    let registri = store.registri().await;
    store.close().await;
    let verifica = verifica?;
    if let Some(anomalia) = verifica.anomalie.first() {
        bail!(
            "il registro della copia ha {} anomalie, la prima: {anomalia}: nessuna copia (varco register verify)",
            verifica.anomalie.len()
        );
    }
    let registri: Vec<_> = registri?
        .into_iter()
        .map(|stato| format!("{} {}", stato.registro, stato.quante))
        .collect();
    let somma = sum(&a)?;
    fs::write(in_corso.join("SHA256SUMS"), format!("{somma}  store.db\n"))?;
    File::open(in_corso.join("SHA256SUMS"))?.sync_all()?;
    let mut quando = File::create(in_corso.join("LEGGIMI"))?;
    writeln!(
        quando,
        "Copia dell'archivio di un varco ({}), delle {adesso}: {} registrazioni. Contiene dati personali.\n\
         Per rimetterla in servizio: docs/esercizio.md, \"Rimettere in servizio una copia\".",
        config.ambiente.as_str(),
        verifica.registrazioni
    )?;
    quando.sync_all()?;
    Ok(format!(
        "archivio: {} registrazioni, nessuna anomalia ({})",
        verifica.registrazioni,
        if registri.is_empty() {
            "nessun registro".to_owned()
        } else {
            registri.join(", ")
        }
    ))
}

/// For nobody but its owner.
fn private(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    let modo = if path.is_dir() { 0o700 } else { 0o600 };
    fs::set_permissions(path, fs::Permissions::from_mode(modo)).with_context(|| path.display().to_string())
}

/// SHA-256 of a file, in hexadecimal.
fn sum(path: &Path) -> Result<String> {
    let mut file = File::open(path)?;
    let mut somma = Sha256::new();
    let mut pezzo = vec![0; 1 << 20];
    loop {
        match file.read(&mut pezzo)? {
            0 => return Ok(hex(&somma.finish())),
            letti => somma.update(&pezzo[..letti]),
        }
    }
}

/// A bar on a terminal, else nothing.
fn bar(byte: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let stile = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(byte).with_style(stile)
}
