//! The embedded store: one SQLite file of one ambiente. WAL with `synchronous=FULL`, set and asserted on every
//! connection: what was acknowledged is on the disk. One connection writes, a few read, and no reading lasts (a long
//! one would make the log grow). It refuses files of another ambiente, another application or a newer schema, and
//! after a failed commit it draws no number before it was opened again and the register looked over (design.md §2.9).

mod assegnazioni;
mod backup;
mod batch;
mod carte;
mod cerca;
mod consulta;
mod deleghe;
mod diagnosi;
mod documenti;
mod egov;
mod elenchi;
mod emergenze;
mod filtri;
mod giro;
mod gruppo;
mod insert;
mod interessato;
mod lacune;
mod legale;
mod lotti;
mod manutenzione;
mod modifiche;
mod open;
mod operatori;
pub(super) mod origine;
mod piega;
mod pulizie;
mod query;
mod quote;
pub(super) mod recupero;
mod register;
mod row;
mod sigilli;
mod spazio;
mod spool;
mod tracce;
mod verify;

pub(super) use self::open::versioni;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqlitePool};
use sqlx::{AssertSqlSafe, Connection};
use tokio::sync::{Mutex, MutexGuard, Notify};

pub use self::backup::{backup, check};
use self::consulta::Consulte;
use self::piega::Piega;
use super::ancore::Ancore;
use super::registro::note;
use super::sportello::Sportello;
use super::{
    Atto, Chiave, FileArchivio, Identikit, Misure, PaginaTracce, Registrazione, RegistrazioneTrovata,
    Ricerca, Richiesta, RigaRegistro, Store, StoreError, Verifica, transazione,
};
use crate::carte::{Carta, Formato, Quale};
use crate::domanda::consultazione::{
    Consultazione, Corrispondenza, DomandaConsultata, Riferimento, SchedaTrovata,
};
use crate::domanda::elenco::{DomandaElencata, Filtro, Inizio, Pagina, PostoInElenco, Variazione};
use crate::domanda::quadro::Quadro;
use crate::domanda::{Ambiente, Avente, CodiceFiscale, DomandaViva, SchedaViva};
use crate::patronato::CodiceEnte;
use crate::protocollo::{NumeroDomanda, NumeroProtocollo};
use crate::ricevuta::Registrata;
use crate::trace::persona::ChiaveRicerca;
use crate::trace::{RifiutoAllaPorta, Traccia};

/// The store in one file.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    ambiente: Ambiente,
    options: SqliteConnectOptions,
    max_page_count: AtomicU32,
    scrittura: Arc<Mutex<Scrittura>>,
    /// Who folds the log.
    piega: Piega,
    lettori: SqlitePool,
    /// Which numbers were told.
    ancore: Ancore,
    /// By which the trace finds persons.
    chiave_ricerca: Option<ChiaveRicerca>,
    /// Where `ConsultaDomanda` asks, with a connection of its own.
    consulte: Sportello<Consulte>,
}

/// The connection that writes, and what is known of it.
#[derive(Debug)]
pub(super) struct Scrittura {
    /// `None` after any failure, and while somebody holds it.
    connessione: Option<SqliteConnection>,
    /// The store was just opened, or a commit failed, or nobody waited for its answer: no number before [`settle`].
    ///
    /// [`settle`]: Presa::settle
    sospetta: bool,
    /// How long another process is waited for.
    attesa: Duration,
    /// Told of every commit, for who folds the log.
    scritto: Arc<Notify>,
}

/// The write connection, taken out. Whoever drops it without giving it back (an error, a panic, a future that was
/// dropped) has closed it, and SQLite has rolled back what was open.
pub(super) struct Presa<'a> {
    scrittura: MutexGuard<'a, Scrittura>,
    connessione: SqliteConnection,
}

impl<'a> Presa<'a> {
    /// Puts the connection back, for the next to use.
    fn give_back(mut self) {
        self.scrittura.connessione = Some(self.connessione);
    }

    /// Settles a suspicion before a number is drawn: the log is folded into the file and synced once more (after a
    /// failed sync it may have been in the cache and not on the disk), then the register is looked over.
    async fn settle(&mut self) -> Result<(), StoreError> {
        if self.scrittura.sospetta {
            piega::fold_all(&mut self.connessione, self.scrittura.attesa).await?;
            verify::look_over(&mut self.connessione).await?;
            self.scrittura.sospetta = false;
        }
        Ok(())
    }

    /// Closes the connection; what was open is rolled back.
    async fn discard(self) {
        close(self.connessione).await;
    }

    /// Commits and puts the connection back. A failure leaves the store under suspicion, and hands out its lock so
    /// that the same caller may look what became of the transaction.
    async fn commit(mut self) -> Result<(), (MutexGuard<'a, Scrittura>, StoreError)> {
        self.scrittura.sospetta = true;
        match sqlx::query("COMMIT").execute(&mut self.connessione).await {
            Ok(_) => {
                self.scrittura.sospetta = false;
                self.scrittura.scritto.notify_one();
                self.give_back();
                Ok(())
            }
            Err(errore) => {
                let Self {
                    scrittura,
                    connessione,
                } = self;
                close(connessione).await;
                Err((scrittura, row::guasto(errore)))
            }
        }
    }
}

impl SqliteStore {
    /// The ambiente that the file belongs to.
    #[must_use]
    pub fn ambiente(&self) -> Ambiente {
        self.ambiente
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Sets a ceiling to the file, in pages of 4 KiB, so that the store is full before the disk is; 0 = none. Holds
    /// from the next transaction on.
    pub async fn limit_pages(&self, pages: u32) -> Result<(), StoreError> {
        self.max_page_count.store(pages, Ordering::Relaxed);
        let mut presa = self.take().await?;
        self.apply_limit(&mut presa.connessione).await?;
        presa.give_back();
        Ok(())
    }

    /// The write connection, opened again where a failure closed it.
    async fn take(&self) -> Result<Presa<'_>, StoreError> {
        self.take_from(self.scrittura.lock().await).await
    }

    async fn take_from<'a>(&self, mut scrittura: MutexGuard<'a, Scrittura>) -> Result<Presa<'a>, StoreError> {
        if let Some(connessione) = scrittura.connessione.take() {
            return Ok(Presa {
                scrittura,
                connessione,
            });
        }
        let mut connessione = open::connect(&self.options, &self.path).await?;
        self.apply_limit(&mut connessione).await?;
        Ok(Presa {
            scrittura,
            connessione,
        })
    }

    /// The same after a commit that did not say yes, settled: for a look at what became of it. `None` where that cannot be
    /// done, and no number is drawn until it can.
    async fn take_settled<'a>(&self, scrittura: MutexGuard<'a, Scrittura>) -> Option<Presa<'a>> {
        let mut presa = self.take_from(scrittura).await.ok()?;
        if let Err(ancora) = presa.settle().await {
            tracing::error!("the store cannot be settled, no number is drawn until it is: {ancora}");
            presa.discard().await;
            return None;
        }
        Some(presa)
    }

    async fn apply_limit(&self, connessione: &mut SqliteConnection) -> Result<(), StoreError> {
        // 4294967294 is SQLite's own ceiling; its pragma takes 0 for "tell me".
        let pages = match self.max_page_count.load(Ordering::Relaxed) {
            0 => 4_294_967_294,
            pages => pages,
        };
        sqlx::query(AssertSqlSafe(format!("PRAGMA max_page_count = {pages}")))
            .execute(connessione)
            .await
            .map_err(row::guasto)?;
        Ok(())
    }
}

/// Closes a connection and waits for it, so that its locks are gone. That it fails to close changes nothing for us.
async fn close(connessione: SqliteConnection) {
    if let Err(errore) = connessione.close().await {
        tracing::debug!("closing a store connection: {errore}");
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn registrata(&self, chiave: &Chiave) -> Result<Option<Registrata>, StoreError> {
        let trovata = query::registrata(&self.lettori, chiave).await?;
        self.ancore.tell_again(trovata.iter().map(Registrata::numeri));
        Ok(trovata)
    }

    async fn schede_vive(
        &self,
        servizio: &'static str,
        minori: &[CodiceFiscale],
    ) -> Result<Vec<SchedaViva>, StoreError> {
        let mut lettore = self.lettori.acquire().await.map_err(row::guasto)?;
        query::schede_vive(&mut lettore, servizio, minori).await
    }

    async fn domande_vive(
        &self,
        servizio: &'static str,
        avente: &Avente,
    ) -> Result<Vec<DomandaViva>, StoreError> {
        let mut lettore = self.lettori.acquire().await.map_err(row::guasto)?;
        let aperte = query::domande_vive(&mut lettore, servizio, avente).await?;
        Ok(note(aperte))
    }

    async fn register(&self, atti: &[Atto], adesso: Timestamp) -> Result<Vec<Registrazione>, StoreError> {
        transazione::register(self, atti, adesso).await
    }

    async fn consulta(
        &self,
        ente: &CodiceEnte,
        servizio: &'static str,
        riferimento: &Riferimento,
    ) -> Result<Option<Consultazione>, StoreError> {
        let consultata = match consulta::consulta(&self.consulte, ente, servizio, riferimento).await? {
            None => deleghe::consulta(&self.lettori, ente, servizio, riferimento).await?,
            propria => propria,
        };
        self.ancore
            .tell_again(consultata.iter().flat_map(Consultazione::numeri));
        Ok(consultata)
    }

    async fn scheda_di(
        &self,
        servizio: &'static str,
        corrispondenza: &Corrispondenza,
    ) -> Result<Option<SchedaTrovata>, StoreError> {
        deleghe::scheda_di(&self.lettori, servizio, corrispondenza).await
    }

    async fn quadro(&self, numero: NumeroDomanda) -> Result<Option<Quadro>, StoreError> {
        let mut lettore = self.lettori.acquire().await.map_err(row::guasto)?;
        modifiche::quadro(&mut lettore, numero).await
    }

    async fn domanda(
        &self,
        ente: &CodiceEnte,
        servizio: &'static str,
        riferimento: &Riferimento,
    ) -> Result<Option<DomandaConsultata>, StoreError> {
        query::domanda(&self.lettori, ente, servizio, riferimento).await
    }

    async fn variazioni(
        &self,
        ente: &CodiceEnte,
        servizio: &'static str,
        inizio: Inizio,
        righe_max: u32,
    ) -> Result<Pagina<Variazione, u64>, StoreError> {
        elenchi::variazioni(&self.lettori, ente, servizio, inizio, righe_max).await
    }

    async fn registrazione(
        &self,
        ente: &CodiceEnte,
        servizio: &'static str,
        riferimento: &Riferimento,
    ) -> Result<Option<RegistrazioneTrovata>, StoreError> {
        carte::registrazione(&self.lettori, ente, servizio, riferimento).await
    }

    async fn carta(
        &self,
        trovata: &RegistrazioneTrovata,
        quale: Quale,
        formato: Formato,
    ) -> Result<Option<Carta>, StoreError> {
        carte::find(&self.lettori, trovata, quale, formato).await
    }

    async fn richiesta(&self, trovata: &RegistrazioneTrovata) -> Result<Option<Richiesta>, StoreError> {
        carte::richiesta(&self.lettori, trovata).await
    }

    async fn keep_carta(
        &self,
        trovata: &RegistrazioneTrovata,
        carta: &Carta,
        adesso: Timestamp,
    ) -> Result<Option<Carta>, StoreError> {
        carte::keep(self, trovata, carta, adesso).await
    }

    async fn ricerca(
        &self,
        ente: &CodiceEnte,
        servizio: &'static str,
        filtro: &Filtro,
        dopo: Option<PostoInElenco>,
        righe_max: u32,
    ) -> Result<Pagina<DomandaElencata, Option<PostoInElenco>>, StoreError> {
        let mut lettore = self.lettori.acquire().await.map_err(row::guasto)?;
        elenchi::ricerca(&mut lettore, ente, servizio, filtro, dopo, righe_max).await
    }

    async fn write_tracce(&self, tracce: &[Traccia]) -> Result<(), StoreError> {
        tracce::write_tracce(self, tracce).await
    }

    async fn write_porta(&self, rifiuti: &[RifiutoAllaPorta]) -> Result<(), StoreError> {
        tracce::write_porta(self, rifiuti).await
    }

    async fn tracce(&self, ricerca: &Ricerca) -> Result<PaginaTracce, StoreError> {
        cerca::find(&self.lettori, ricerca, self.chiave_ricerca.as_ref()).await
    }

    fn trova_persone(&self) -> bool {
        self.chiave_ricerca.is_some()
    }

    async fn porta(&self, dal: Option<Timestamp>, limite: u32) -> Result<Vec<RifiutoAllaPorta>, StoreError> {
        tracce::porta(&self.lettori, dal, limite).await
    }

    async fn registro(
        &self,
        dopo: Option<&NumeroProtocollo>,
        limite: u32,
    ) -> Result<Vec<RigaRegistro>, StoreError> {
        query::registro(&self.lettori, dopo, limite).await
    }

    async fn verify(&self) -> Result<Verifica, StoreError> {
        let mut lettore = self.lettori.acquire().await.map_err(row::guasto)?;
        verify::verify(&mut lettore).await
    }

    async fn identikit(&self) -> Result<Identikit, StoreError> {
        let (versione, schema): (String, i64) = sqlx::query_as(
            "SELECT sqlite_version(), (SELECT coalesce(max(version), 0) FROM _sqlx_migrations)",
        )
        .fetch_one(&self.lettori)
        .await
        .map_err(row::guasto)?;
        Ok(Identikit {
            motore: format!("SQLite {versione}"),
            schema,
            // Asserted when the store was opened.
            sincronia: "synchronous=FULL".to_owned(),
            ingresso: None,
        })
    }

    async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1")
            .execute(&self.lettori)
            .await
            .map_err(row::guasto)?;
        // A connection that is out is one at work; only a closed one says something.
        let Ok(scrittura) = self.scrittura.try_lock() else {
            return Ok(());
        };
        let mut presa = self.take_from(scrittura).await?;
        let esito = presa.settle().await;
        presa.give_back();
        esito
    }

    fn misure(&self) -> Misure {
        let size = |path: &Path| std::fs::metadata(path).ok().map(|file| file.len());
        let mut wal = self.path.clone().into_os_string();
        wal.push("-wal");
        let cartella = self
            .path
            .parent()
            .filter(|cartella| !cartella.as_os_str().is_empty());
        let disco = rustix::fs::statvfs(cartella.unwrap_or_else(|| Path::new("."))).ok();
        Misure {
            file: Some(FileArchivio {
                byte: size(&self.path),
                wal: size(Path::new(&wal)),
                disco_libero: disco.as_ref().map(|disco| disco.f_bavail * disco.f_frsize),
                disco: disco.as_ref().map(|disco| disco.f_blocks * disco.f_frsize),
            }),
            ..Misure::of(&self.lettori)
        }
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.ping().await?;
        // Who is at work with it writes better than any probe.
        let Ok(scrittura) = self.scrittura.try_lock() else {
            return Ok(());
        };
        let mut presa = self.take_from(scrittura).await?;
        let detti = self.ancore.detti();
        let contatori = open::counters(&mut presa.connessione).await?;
        if let Err(indietro) = detti.check(&contatori) {
            presa.give_back();
            return Err(indietro);
        }
        // Room for a domanda, taken and given back; then a page that is written as it was, and synced.
        for sql in [
            "BEGIN IMMEDIATE",
            "INSERT INTO impostazioni (nome, valore) VALUES ('sonda', hex(zeroblob(32768)))",
            "ROLLBACK",
            open::STESSA_APPLICAZIONE,
        ] {
            sqlx::raw_sql(sql)
                .execute(&mut presa.connessione)
                .await
                .map_err(row::guasto)?;
        }
        presa.give_back();
        Ok(())
    }

    async fn tidy(&self) -> Result<(), StoreError> {
        let mut presa = self.take().await?;
        // A bounded step at a time: a purge of a year's payloads must not keep a registration waiting.
        sqlx::query("PRAGMA incremental_vacuum(256)")
            .fetch_all(&mut presa.connessione)
            .await
            .map_err(row::guasto)?;
        piega::fold_at_rest(&mut presa.connessione).await?;
        presa.give_back();
        Ok(())
    }

    /// Folds the log into the file on the way.
    async fn close(&self) {
        self.piega.close().await;
        self.lettori.close().await;
        self.consulte.viaggio().close().await;
        let presa = self.scrittura.lock().await.connessione.take();
        if let Some(connessione) = presa {
            close(connessione).await;
        }
    }
}
