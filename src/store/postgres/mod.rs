//! The store of production: one database of a PostgreSQL cluster, shared by several gateways and by the engine. Each
//! gateway registers through one connection, a batch at a time, and reads through a small pool. What was acknowledged is
//! on the disk of the primary (and of its synchronous standbys, where there are any): `fsync` and `synchronous_commit`
//! are looked at on every connection. It speaks as the role `varco_gateway` whenever it may, so that the database itself
//! refuses what no gateway shall do.

mod anni;
mod assegnazioni;
mod aventi;
mod carte;
mod cerca;
mod consulta;
mod deleghe;
pub(super) mod destinazione;
mod diagnosi;
mod documenti;
mod egov;
mod elenchi;
mod emergenze;
mod filtri;
mod gruppo;
mod insert;
mod interessato;
mod lacune;
mod legale;
mod lotti;
mod manutenzione;
mod modifiche;
mod nodi;
mod open;
mod operatori;
mod pulizie;
mod query;
mod quote;
pub(super) mod recupero;
mod register;
mod row;
mod sigilli;
mod sonda;
mod spazio;
mod spool;
mod statement;
mod tracce;
mod verify;

use std::collections::BTreeSet;
use std::sync::Mutex as StdMutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::Connection as _;
use sqlx::postgres::{PgConnection, PgPool};
use tokio::sync::{Mutex, MutexGuard};

use self::open::Accesso;
pub(crate) use self::open::connect_options;
use super::ancore::Ancore;
use super::gara::Contesa;
use super::registro::note;
use super::{
    Atto, Chiave, Identikit, Misure, PaginaTracce, Registrazione, RegistrazioneTrovata, Ricerca, Richiesta,
    RigaRegistro, Store, StoreError, Verifica, transazione,
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

/// The store in a database.
#[derive(Debug)]
pub struct PostgresStore {
    ambiente: Ambiente,
    accesso: Accesso,
    /// How long the database may take for one answer, as seen from here.
    limite: Duration,
    scrittura: Mutex<Scrittura>,
    lettori: PgPool,
    /// Which numbers were told.
    ancore: Ancore,
    /// To which node of the URL the readers go.
    mirato: AtomicUsize,
    /// The connection of the readiness probe.
    sonda: Mutex<Option<PgConnection>>,
    /// By which the trace finds persons.
    chiave_ricerca: Option<ChiaveRicerca>,
    /// The years whose partitions are there.
    anni: StdMutex<BTreeSet<i16>>,
}

/// The connection that registers, and what is known of it.
#[derive(Debug)]
pub(super) struct Scrittura {
    /// `None` after any failure, and while somebody holds it.
    connessione: Option<PgConnection>,
    /// When it was given back.
    dal: Instant,
    /// The store was just opened, or a commit failed, or nobody waited for its answer: no number before [`settle`].
    ///
    /// [`settle`]: Presa::settle
    sospetta: bool,
}

/// The connection that registers, taken out. Whoever drops it without giving it back (an error, a panic, a future that
/// was dropped) has closed it, and PostgreSQL rolls back what was open.
pub(super) struct Presa<'a> {
    scrittura: MutexGuard<'a, Scrittura>,
    connessione: PgConnection,
}

impl<'a> Presa<'a> {
    /// Puts the connection back, for the next to use.
    fn give_back(mut self) {
        self.scrittura.connessione = Some(self.connessione);
        self.scrittura.dal = Instant::now();
    }

    /// Settles a suspicion before a number is drawn: what is there is confirmed by the standbys, and the register is
    /// looked over, on a connection of after it.
    async fn settle(&mut self) -> Result<(), StoreError> {
        if self.scrittura.sospetta {
            sonda::confirm(&mut self.connessione).await?;
            verify::look_over(&mut self.connessione).await?;
            self.scrittura.sospetta = false;
        }
        Ok(())
    }

    async fn begin(&mut self) -> Result<(), StoreError> {
        Contesa::begin(&mut self.connessione).await
    }

    /// Takes back what the transaction did and puts the connection back.
    async fn rollback(mut self) -> Result<(), StoreError> {
        self.connessione.take_back().await?;
        self.give_back();
        Ok(())
    }

    /// Closes the connection; what was open is rolled back.
    async fn discard(self) {
        close(self.connessione).await;
    }

    /// Commits and puts the connection back. A failure, or no answer in time, leaves the store under suspicion and hands
    /// out its lock, so that the same caller may look what became of the transaction.
    async fn commit(mut self, store: &PostgresStore) -> Result<(), (MutexGuard<'a, Scrittura>, StoreError)> {
        self.scrittura.sospetta = true;
        match store.within(execute(&mut self.connessione, "COMMIT")).await {
            Ok(()) => {
                self.scrittura.sospetta = false;
                self.give_back();
                Ok(())
            }
            Err(errore) => {
                // Dropped without a word: a COMMIT that still waits over there shall not be disturbed.
                let Self { scrittura, .. } = self;
                Err((scrittura, errore))
            }
        }
    }
}

impl PostgresStore {
    /// The ambiente that the database belongs to.
    #[must_use]
    pub fn ambiente(&self) -> Ambiente {
        self.ambiente
    }

    /// The registering connection, opened again where a failure closed it.
    async fn take(&self) -> Result<Presa<'_>, StoreError> {
        self.take_from(self.scrittura.lock().await).await
    }

    async fn take_from<'a>(&self, mut scrittura: MutexGuard<'a, Scrittura>) -> Result<Presa<'a>, StoreError> {
        let rimasta = match scrittura.connessione.take() {
            // One that rested may have died of a restart over there: asked first, so that no registration pays for it.
            Some(mut connessione) if scrittura.dal.elapsed() > RIPOSO => {
                let viva = self
                    .within(async { connessione.ping().await.map_err(row::guasto) })
                    .await;
                viva.is_ok().then_some(connessione)
            }
            altra => altra,
        };
        let connessione = match rimasta {
            Some(connessione) => connessione,
            None => self.accesso.connect().await?,
        };
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

    /// A connection for anything but a registration.
    async fn lettore(&self) -> Result<sqlx::pool::PoolConnection<sqlx::Postgres>, StoreError> {
        self.aim();
        match self.lettori.acquire().await {
            Ok(lettore) => Ok(lettore),
            // Perhaps another node is the primary by now, and nobody has registered since.
            Err(_) if self.accesso.nodi.several() => {
                close(self.accesso.nodi.reach().await?).await;
                self.aim();
                self.lettori.acquire().await.map_err(row::guasto)
            }
            Err(errore) => Err(row::guasto(errore)),
        }
    }

    /// Sends new readers to the node that was last found to be the primary.
    fn aim(&self) {
        let (primo, options) = self.accesso.nodi.primo();
        if self.mirato.swap(primo, Ordering::Relaxed) != primo {
            self.lettori.set_connect_options(options.clone());
        }
    }

    /// Opens the registering connection again and settles what is suspected of it, where nobody is at work with it.
    async fn settle_idle(&self) -> Result<(), StoreError> {
        // A connection that is out is one at work; only a closed one says something.
        let Ok(scrittura) = self.scrittura.try_lock() else {
            return Ok(());
        };
        self.within(async {
            let mut presa = self.take_from(scrittura).await?;
            let esito = presa.settle().await;
            presa.give_back();
            esito
        })
        .await
    }

    /// What the database does not answer in time is not waited for: its own time-outs end a statement, ours end the
    /// waiting for a machine that is no longer there.
    async fn within<T>(&self, lavoro: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        match tokio::time::timeout(self.limite, lavoro).await {
            Ok(esito) => esito,
            Err(_) => Err(StoreError::unavailable(format!(
                "the database did not answer within {} s",
                self.limite.as_secs()
            ))),
        }
    }
}

async fn execute(connessione: &mut PgConnection, sql: &'static str) -> Result<(), StoreError> {
    sqlx::raw_sql(sql)
        .execute(connessione)
        .await
        .map_err(row::guasto)?;
    Ok(())
}

/// After so long without work the registering connection is asked whether it lives.
const RIPOSO: Duration = Duration::from_millis(500);

/// Closes a connection with a word of goodbye. That it fails to close changes nothing for us.
async fn close(connessione: PgConnection) {
    if let Err(errore) = connessione.close().await {
        tracing::debug!("closing a store connection: {errore}");
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn registrata(&self, chiave: &Chiave) -> Result<Option<Registrata>, StoreError> {
        let trovata = self
            .within(async {
                let mut lettore = self.lettore().await?;
                Ok(query::registrate(&mut lettore, [chiave]).await?.remove(chiave))
            })
            .await?;
        self.ancore.tell_again(trovata.iter().map(Registrata::numeri));
        Ok(trovata)
    }

    async fn schede_vive(
        &self,
        servizio: &'static str,
        minori: &[CodiceFiscale],
    ) -> Result<Vec<SchedaViva>, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            query::schede_vive(&mut lettore, servizio, minori).await
        })
        .await
    }

    async fn domande_vive(
        &self,
        servizio: &'static str,
        avente: &Avente,
    ) -> Result<Vec<DomandaViva>, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            let aperte = aventi::domande_vive(&mut lettore, servizio, &[avente]).await?;
            Ok(note(aperte))
        })
        .await
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
        let consultata = self
            .within(async {
                let mut lettore = self.lettore().await?;
                match consulta::consulta(&mut lettore, ente, servizio, riferimento).await? {
                    None => deleghe::consulta(&mut lettore, ente, servizio, riferimento).await,
                    propria => Ok(propria),
                }
            })
            .await?;
        self.ancore
            .tell_again(consultata.iter().flat_map(Consultazione::numeri));
        Ok(consultata)
    }

    async fn scheda_di(
        &self,
        servizio: &'static str,
        corrispondenza: &Corrispondenza,
    ) -> Result<Option<SchedaTrovata>, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            deleghe::scheda_di(&mut lettore, servizio, corrispondenza).await
        })
        .await
    }

    async fn quadro(&self, numero: NumeroDomanda) -> Result<Option<Quadro>, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            modifiche::quadro(&mut lettore, numero).await
        })
        .await
    }

    async fn domanda(
        &self,
        ente: &CodiceEnte,
        servizio: &'static str,
        riferimento: &Riferimento,
    ) -> Result<Option<DomandaConsultata>, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            query::domanda(&mut lettore, ente, servizio, riferimento).await
        })
        .await
    }

    async fn variazioni(
        &self,
        ente: &CodiceEnte,
        servizio: &'static str,
        inizio: Inizio,
        righe_max: u32,
    ) -> Result<Pagina<Variazione, u64>, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            elenchi::variazioni(&mut lettore, ente, servizio, inizio, righe_max).await
        })
        .await
    }

    async fn registrazione(
        &self,
        ente: &CodiceEnte,
        servizio: &'static str,
        riferimento: &Riferimento,
    ) -> Result<Option<RegistrazioneTrovata>, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            carte::registrazione(&mut lettore, ente, servizio, riferimento).await
        })
        .await
    }

    async fn carta(
        &self,
        trovata: &RegistrazioneTrovata,
        quale: Quale,
        formato: Formato,
    ) -> Result<Option<Carta>, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            carte::find(&mut lettore, trovata, quale, formato).await
        })
        .await
    }

    async fn richiesta(&self, trovata: &RegistrazioneTrovata) -> Result<Option<Richiesta>, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            carte::richiesta(&mut lettore, trovata).await
        })
        .await
    }

    async fn keep_carta(
        &self,
        trovata: &RegistrazioneTrovata,
        carta: &Carta,
        adesso: Timestamp,
    ) -> Result<Option<Carta>, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            carte::keep(&mut lettore, trovata, carta, adesso).await
        })
        .await
    }

    async fn ricerca(
        &self,
        ente: &CodiceEnte,
        servizio: &'static str,
        filtro: &Filtro,
        dopo: Option<PostoInElenco>,
        righe_max: u32,
    ) -> Result<Pagina<DomandaElencata, Option<PostoInElenco>>, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            elenchi::ricerca(&mut lettore, ente, servizio, filtro, dopo, righe_max).await
        })
        .await
    }

    async fn write_tracce(&self, tracce: &[Traccia]) -> Result<(), StoreError> {
        self.within(tracce::write_tracce(self, tracce)).await
    }

    async fn write_porta(&self, rifiuti: &[RifiutoAllaPorta]) -> Result<(), StoreError> {
        self.within(tracce::write_porta(self, rifiuti)).await
    }

    async fn tracce(&self, ricerca: &Ricerca) -> Result<PaginaTracce, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            cerca::find(&mut lettore, ricerca, self.chiave_ricerca.as_ref()).await
        })
        .await
    }

    fn trova_persone(&self) -> bool {
        self.chiave_ricerca.is_some()
    }

    async fn porta(&self, dal: Option<Timestamp>, limite: u32) -> Result<Vec<RifiutoAllaPorta>, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            tracce::porta(&mut lettore, dal, limite).await
        })
        .await
    }

    async fn registro(
        &self,
        dopo: Option<&NumeroProtocollo>,
        limite: u32,
    ) -> Result<Vec<RigaRegistro>, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            query::registro(&mut lettore, dopo, limite).await
        })
        .await
    }

    async fn verify(&self) -> Result<Verifica, StoreError> {
        let mut lettore = self.lettore().await?;
        verify::verify(&mut lettore).await
    }

    async fn identikit(&self) -> Result<Identikit, StoreError> {
        self.within(self.accesso.identikit()).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            lettore.ping().await.map_err(row::guasto)
        })
        .await?;
        self.settle_idle().await
    }

    async fn probe(&self) -> Result<(), StoreError> {
        sonda::probe(self).await
    }

    fn misure(&self) -> Misure {
        Misure::of(&self.lettori)
    }

    async fn close(&self) {
        self.lettori.close().await;
        self.sonda.lock().await.take();
        let presa = self.scrittura.lock().await.connessione.take();
        if let Some(connessione) = presa {
            close(connessione).await;
        }
    }
}
