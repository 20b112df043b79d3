//! `varco dev postgres`: a PostgreSQL of one's own for as long as one looks at it: for drills, and for whoever tries a
//! configuration of production without asking anybody for a database.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::Uscita;
use super::cluster::{Binaries, Cluster, Opzioni};
use super::demo::wait_for_signal;

/// The database that is made in it.
const DATABASE: &str = "varco";

/// Where it lies.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Cartella del cluster, creata se manca e conservata (predefinita: una temporanea, eliminata alla fine)
    #[arg(long, value_name = "CARTELLA")]
    dir: Option<PathBuf>,
}

impl Args {
    /// Starts it, tells how to come to it, and stops it at the end.
    pub async fn run(self) -> Result<Uscita> {
        let cluster = tokio::task::spawn_blocking(move || {
            let opzioni = Opzioni {
                cartella: self.dir,
                ..Opzioni::default()
            };
            let cluster = Cluster::start(&Binaries::require()?, &opzioni)?;
            cluster.ensure_database(DATABASE)?;
            anyhow::Ok(cluster)
        })
        .await??;
        for utente in ["varco", "varco_gateway", "varco_motore", "varco_audit"] {
            outln!("{utente:<14}{}", cluster.url_as(utente, DATABASE).as_str());
        }
        let segnale = wait_for_signal()?;
        outln!("cartella      {}", cluster.cartella().display());
        outln!(
            "\nIl proprietario del database è varco; gli altri ruoli ci sono dopo `varco migrate`:\n\
             \n  VARCO_STORE='{}' varco migrate --config varco.toml\n\
             \nIl server resta in funzione: Ctrl-C per fermarlo.",
            cluster.url(DATABASE).as_str()
        );
        tokio::select! {
            () = segnale => {}
            () = end_of_stdin() => {}
        }
        tokio::task::spawn_blocking(move || drop(cluster))
            .await
            .context("il server non si ferma")?;
        Ok(Uscita::Fatto)
    }
}

/// Comes when a pipe on stdin ends: who wrote into it is gone. What is no pipe (a terminal, /dev/null) never ends.
async fn end_of_stdin() {
    use std::os::unix::fs::FileTypeExt as _;
    if !std::fs::metadata("/dev/stdin").is_ok_and(|stdin| stdin.file_type().is_fifo()) {
        return std::future::pending().await;
    }
    let (fine, finito) = tokio::sync::oneshot::channel();
    // A thread of its own, which nobody waits for: a read from a pipe cannot be called off.
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = fine.send(());
    });
    // An error cannot be: the thread says its word before it ends.
    let _ = finito.await;
}
