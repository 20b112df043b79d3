//! `varco lot queue`, `pause`, `resume`, `cancel`: lots as who runs the gateway sees them, on the store of a configuration.

use std::fmt::Write as _;

use anyhow::Result;
use jiff::Timestamp;
use uuid::Uuid;

use crate::catalogo::Codice;
use crate::cli::{DoveConfig, Uscita, open_store};
use crate::clock::{Clock as _, WallClock};
use crate::domanda::Violazione;
use crate::registro::a_roma;
use crate::soap::errori;
use crate::store::lotti::{Comando, EsitoLotto, Lotto, Quali, StatoLotto};

/// The most lots that are listed at once.
const ELENCO_MAX: u32 = 1000;

/// Which lots.
#[derive(Debug, clap::Args)]
pub(super) struct Queue {
    /// Anche i lotti conclusi, dal più recente
    #[arg(long)]
    tutti: bool,
    #[command(flatten)]
    dove: DoveConfig,
}

/// Which lot.
#[derive(Debug, clap::Args)]
pub(super) struct Pause {
    /// Identificativo del lotto
    #[arg(value_name = "ID")]
    id: Uuid,
    #[command(flatten)]
    dove: DoveConfig,
}

/// Which lot.
#[derive(Debug, clap::Args)]
pub(super) struct Resume {
    /// Identificativo del lotto
    #[arg(value_name = "ID")]
    id: Uuid,
    #[command(flatten)]
    dove: DoveConfig,
}

/// Which lot.
#[derive(Debug, clap::Args)]
pub(super) struct Cancel {
    /// Identificativo del lotto
    #[arg(value_name = "ID")]
    id: Uuid,
    /// Chiude davvero: non si può annullare
    #[arg(long)]
    conferma: bool,
    #[command(flatten)]
    dove: DoveConfig,
}

impl Queue {
    pub(super) async fn run(self) -> Result<Uscita> {
        let config = self.dove.read()?;
        let store = open_store(&config).await?;
        let quali = if self.tutti { Quali::Tutti } else { Quali::Aperti };
        let lotti = store.lotti(quali, ELENCO_MAX).await?;
        store.close().await;
        out!(
            "{}",
            table(&lotti, WallClock::default().wall(), config.lotti.fermo_dopo)
        );
        Ok(Uscita::Fatto)
    }
}

impl Pause {
    pub(super) async fn run(self) -> Result<Uscita> {
        command(&self.dove, self.id, &Comando::Sospendi).await
    }
}

impl Resume {
    pub(super) async fn run(self) -> Result<Uscita> {
        command(&self.dove, self.id, &Comando::Riprendi).await
    }
}

impl Cancel {
    pub(super) async fn run(self) -> Result<Uscita> {
        if !self.conferma {
            eprintln!(
                "varco: un lotto chiuso non riprende più, e le domande non ancora lette vanno inviate di nuovo; per chiuderlo davvero ripetere con --conferma, per fermarlo soltanto per ora: varco lot pause {}",
                self.id
            );
            return Ok(Uscita::Uso);
        }
        let motivo = errori::elementi(&[Violazione::at(Codice::Lot015, "")]);
        command(&self.dove, self.id, &Comando::Annulla(motivo.into())).await
    }
}

async fn command(dove: &DoveConfig, id: Uuid, comando: &Comando) -> Result<Uscita> {
    let store = open_store(&dove.read()?).await?;
    let lotto = store
        .command_lotto(id, comando, WallClock::default().wall())
        .await?;
    store.close().await;
    let Some(lotto) = lotto else {
        eprintln!("varco: {id}: nessun lotto aperto ha questo identificativo (varco lot queue --tutti)");
        return Ok(Uscita::Rifiutato);
    };
    let fatto = match comando {
        Comando::Sospendi => "sospeso",
        Comando::Riprendi => "riprende",
        Comando::Annulla(_) => "chiuso",
    };
    outln!("{id}: {fatto} dopo {}", done(&lotto));
    Ok(Uscita::Fatto)
}

fn table(lotti: &[Lotto], ora: Timestamp, fermo_dopo: std::time::Duration) -> String {
    if lotti.is_empty() {
        return "nessun lotto\n".to_owned();
    }
    let mut testo = format!(
        "{:<36}  {:<8}  {:<22}  {:<14}  {:>15}  {:>9}  {:>7}  {:<25}  {}\n",
        "lotto",
        "ente",
        "servizio",
        "stato",
        "lavorate",
        "rifiutate",
        "al sec.",
        "presentato il",
        "lavorato da"
    );
    for lotto in lotti {
        let _ = writeln!(
            testo,
            "{:<36}  {:<8}  {:<22}  {:<14}  {:>15}  {:>9}  {:>7}  {:<25}  {}{}",
            lotto.id.to_string(),
            lotto.chiave.ente.to_string(),
            lotto.chiave.servizio,
            state(lotto),
            done(lotto),
            lotto.conteggi.rifiutate,
            pace(lotto).map_or_else(|| "—".to_owned(), |passo| passo.to_string()),
            a_roma(lotto.presentato_il),
            worker(lotto),
            stuck(lotto, ora, fermo_dopo),
        );
    }
    testo
}

fn state(lotto: &Lotto) -> &'static str {
    match (lotto.stato, lotto.esito()) {
        (_, Some(esito)) => EsitoLotto::as_str(esito),
        _ if lotto.sospeso => "SOSPESO",
        (StatoLotto::Accettato, None) => "IN CODA",
        (_, None) => "IN LAVORAZIONE",
    }
}

/// `120/40000`; how many items a file has is not known before its end, and then the bytes tell.
fn done(lotto: &Lotto) -> String {
    if let Some(elementi) = lotto.elementi {
        return format!("{}/{elementi}", lotto.fatto.elementi);
    }
    let percento = lotto.fatto.byte.saturating_mul(100) / lotto.byte.max(1);
    format!("{} ({percento}%)", lotto.fatto.elementi)
}

/// Items a second, since the first was worked.
fn pace(lotto: &Lotto) -> Option<u64> {
    let (da, a) = (lotto.iniziato_il?, lotto.avanzato_il?);
    let ms = u64::try_from(a.as_millisecond() - da.as_millisecond()).unwrap_or(0);
    (lotto.fatto.elementi > 0).then(|| lotto.fatto.elementi * 1000 / ms.max(1))
}

/// The gateway that works it; who stands behind its name is told apart by the store alone.
fn worker(lotto: &Lotto) -> &str {
    let nome = lotto.preso.as_ref().map(|(chi, _)| chi.as_str());
    nome.map_or("—", |chi| chi.split(' ').next().unwrap_or(chi))
}

/// What is open, is not held back and stands still says so.
fn stuck(lotto: &Lotto, ora: Timestamp, fermo_dopo: std::time::Duration) -> String {
    let Some(avanzato) = lotto
        .avanzato_il
        .filter(|_| lotto.esito().is_none() && !lotto.sospeso)
    else {
        return String::new();
    };
    let secondi = u64::try_from(ora.as_second() - avanzato.as_second()).unwrap_or(0);
    if secondi < fermo_dopo.as_secs() {
        return String::new();
    }
    format!("  FERMO da {} min", secondi / 60)
}
