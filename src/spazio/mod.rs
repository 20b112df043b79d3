//! Room: how much is left where we write, and what is still taken when it runs out ([`Sentinella`]). It looks again and
//! again at the store's disk or database and at the anchors' disk. When room gets scarce it refuses first new lots, then new
//! domande and acts; never the retry of what was registered, never a look-up. It comes back by itself (ADR 22).

pub mod conservazione;
pub mod previsione;
mod soglie;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinHandle;

use self::previsione::{MEMORIA, Previsione};
pub use self::soglie::{Posto, Soglie, Stato};
use crate::catalogo::Codice;
use crate::clock::Clock;
use crate::metriche::{SPAZIO_CAPIENZA, SPAZIO_CRESCITA, SPAZIO_GIORNI, SPAZIO_LIBERO, SPAZIO_STATO, Testo};
use crate::rifiuto::Guasto;
use crate::store::spazio::Campione;
use crate::store::{SharedStore, StoreError};

/// Section `spazio`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpazioConfig {
    /// How long after a look comes the next one.
    pub intervallo: Duration,
    /// How much is little.
    pub soglie: Soglie,
    /// What a sender is told to wait who is refused for lack of room.
    pub riprova: Duration,
    /// Bytes that the store may take up; 0 = as many as its disk has.
    pub database_bytes_max: u64,
    /// A folder on the disk of a PostgreSQL server that runs on this machine.
    pub database_cartella: Option<PathBuf>,
}

impl Default for SpazioConfig {
    fn default() -> Self {
        Self {
            intervallo: Duration::from_secs(2),
            soglie: Soglie::default(),
            riprova: Duration::from_secs(30),
            database_bytes_max: 0,
            database_cartella: None,
        }
    }
}

/// Who looks at the room, as the way of a message sees it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sentinella(Arc<Dentro>);

#[derive(Debug)]
struct Dentro {
    config: SpazioConfig,
    /// The worst of what was seen, for whoever asks with every message.
    stato: AtomicU8,
    visti: Mutex<Vec<(Posto, Stato)>>,
    /// Places that could not be looked at the last time.
    ciechi: Mutex<Vec<&'static str>>,
    /// The hour of the last sample, and what the samples said then.
    previsione: Mutex<(Option<Timestamp>, Previsione)>,
    lavoro: Mutex<Option<JoinHandle<()>>>,
}

impl Sentinella {
    /// Looks once, and from then on again and again, on the runtime of the caller. `ancore` is where the anchors lie.
    pub async fn spawn(
        store: SharedStore,
        clock: Arc<dyn Clock>,
        config: SpazioConfig,
        ancore: PathBuf,
    ) -> Self {
        let sentinella = Self::idle(config);
        sentinella.look(&store, &ancore).await;
        let sua = sentinella.clone();
        let lavoro = tokio::spawn(async move {
            loop {
                if let Err(errore) = sua.sample(&store, clock.wall()).await {
                    tracing::debug!("no sample of the room was kept: {errore}");
                }
                tokio::time::sleep(sua.0.config.intervallo).await;
                sua.look(&store, &ancore).await;
            }
        });
        *sentinella.0.lavoro.lock().unwrap_or_else(PoisonError::into_inner) = Some(lavoro);
        sentinella
    }

    /// One that does not look: there is room.
    #[must_use]
    pub fn idle(config: SpazioConfig) -> Self {
        Self(Arc::new(Dentro {
            config,
            stato: AtomicU8::new(Stato::Normale as u8),
            visti: Mutex::default(),
            ciechi: Mutex::default(),
            previsione: Mutex::default(),
            lavoro: Mutex::default(),
        }))
    }

    /// What there is room for.
    #[must_use]
    pub fn stato(&self) -> Stato {
        let visto = self.0.stato.load(Ordering::Relaxed);
        Stato::TUTTI
            .into_iter()
            .find(|stato| *stato as u8 == visto)
            .unwrap_or_default()
    }

    /// Room for a domanda or an act that is not registered yet.
    pub fn admit_atto(&self) -> Result<(), Guasto> {
        self.admit(Stato::Critico, Codice::Sto005)
    }

    /// Room for a lot that is not here yet.
    pub fn admit_lotto(&self) -> Result<(), Guasto> {
        self.admit(Stato::Stretto, Codice::Lot016)
    }

    /// Room to go on with the lots that were taken in.
    #[must_use]
    pub fn works_lots(&self) -> bool {
        self.stato() < Stato::Critico
    }

    fn admit(&self, da: Stato, codice: Codice) -> Result<(), Guasto> {
        if self.stato() < da {
            return Ok(());
        }
        Err(Guasto::Spazio {
            codice,
            riprova_fra_s: self.0.config.riprova.as_secs(),
        })
    }

    /// What was seen, as text.
    pub fn tell(&self, testo: &mut Testo) {
        let stato = self.stato();
        let mut stati = testo.of(&SPAZIO_STATO);
        for altro in Stato::TUTTI {
            stati.tell(&[altro.as_str()], u8::from(altro == stato));
        }
        let visti = self.seen();
        let mut liberi = testo.of(&SPAZIO_LIBERO);
        for (posto, _) in &visti {
            liberi.tell(&[posto.nome], posto.liberi);
        }
        let mut capienza = testo.of(&SPAZIO_CAPIENZA);
        for (posto, _) in &visti {
            capienza.tell(&[posto.nome], posto.capienza);
        }
        let (_, previsione) = *self.0.previsione.lock().unwrap_or_else(PoisonError::into_inner);
        testo
            .of(&SPAZIO_CRESCITA)
            .tell_some(&[], previsione.byte_al_giorno);
        testo.of(&SPAZIO_GIORNI).tell_some(&[], previsione.giorni);
    }

    /// Ends the looking.
    pub fn close(&self) {
        let lavoro = self
            .0
            .lavoro
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(lavoro) = lavoro {
            lavoro.abort();
        }
    }

    fn seen(&self) -> Vec<(Posto, Stato)> {
        self.0
            .visti
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// One look. What cannot be seen stays as it was seen last: that the store is away is for others to say.
    async fn look(&self, store: &SharedStore, ancore: &Path) {
        let config = &self.0.config;
        let prima = self.seen();
        let mut visti = Vec::with_capacity(3);
        let mut ciechi = Vec::new();
        for (nome, letto) in look_at(store, config, ancore).await {
            match letto {
                Ok(posto) => visti.extend(posto),
                Err(errore) => {
                    let di_prima = prima.iter().find(|(posto, _)| posto.nome == nome);
                    visti.extend(di_prima.map(|(posto, _)| *posto));
                    ciechi.push((nome, errore));
                }
            }
        }
        self.note_blind(&ciechi);
        let giudicati: Vec<_> = visti
            .into_iter()
            .map(|posto| {
                let suo = prima.iter().find(|(altro, _)| altro.nome == posto.nome);
                let stato = config
                    .soglie
                    .judge(suo.map_or(Stato::Normale, |(_, stato)| *stato), &posto);
                (posto, stato)
            })
            .collect();
        self.note(giudicati);
    }

    /// A place that cannot be looked at any more is told in the log, once.
    fn note_blind(&self, ciechi: &[(&'static str, StoreError)]) {
        let mut prima = self.0.ciechi.lock().unwrap_or_else(PoisonError::into_inner);
        for (nome, errore) in ciechi.iter().filter(|(nome, _)| !prima.contains(nome)) {
            tracing::warn!(
                posto = nome,
                "how much room there is cannot be seen, it stays as it was seen last: {errore}"
            );
        }
        *prima = ciechi.iter().map(|(nome, _)| *nome).collect();
    }

    /// What is free for the store, and how much of it must stay: of the place that has the least.
    fn left(&self) -> Option<(u64, u64)> {
        least(&self.seen(), &self.0.config)
    }

    /// A sample an hour, whichever gateway keeps it; from all of them what is to come.
    async fn sample(&self, store: &SharedStore, adesso: Timestamp) -> Result<(), StoreError> {
        let ora = adesso - SignedDuration::from_secs(adesso.as_second().rem_euclid(ORA_S));
        let ora = Timestamp::from_second(ora.as_second()).unwrap_or(ora);
        if self.0.previsione.lock().unwrap_or_else(PoisonError::into_inner).0 == Some(ora) {
            return Ok(());
        }
        let left = self.left();
        let campione = Campione {
            ora,
            occupati: store.byte_occupati().await?,
            liberi: left.map(|(liberi, _)| liberi),
        };
        store.keep_campione(&campione, ora - MEMORIA).await?;
        let soglia = left.map_or(0, |(_, soglia)| soglia);
        let previsione = Previsione::of(&store.campioni().await?, soglia);
        *self.0.previsione.lock().unwrap_or_else(PoisonError::into_inner) = (Some(ora), previsione);
        Ok(())
    }

    /// The worst place says what there is room for. A change is told in the log, once.
    fn note(&self, visti: Vec<(Posto, Stato)>) {
        let peggiore = visti.iter().max_by_key(|(_, stato)| *stato).copied();
        let stato = peggiore.map_or(Stato::Normale, |(_, stato)| stato);
        *self.0.visti.lock().unwrap_or_else(PoisonError::into_inner) = visti;
        let prima = self.stato();
        self.0.stato.store(stato as u8, Ordering::Relaxed);
        let Some((posto, _)) = peggiore.filter(|_| stato != prima) else {
            return;
        };
        let (dove, liberi) = (posto.nome, posto.liberi);
        match stato {
            Stato::Normale => tracing::info!("room again ({dove}: {liberi} bytes free): everything is taken"),
            Stato::Stretto => {
                tracing::warn!("room is scarce ({dove}: {liberi} bytes free): new lots are refused");
            }
            Stato::Critico => {
                tracing::error!(
                    "room runs out ({dove}: {liberi} bytes free): new domande and lots are refused, retries and look-ups go on"
                );
            }
        }
    }
}

/// The places as they are now, each with its state as a gateway would find it that begins: for a command.
pub async fn places(
    store: &SharedStore,
    config: &SpazioConfig,
    ancore: &Path,
) -> Result<Vec<(Posto, Stato)>, StoreError> {
    let mut posti = Vec::with_capacity(3);
    for (nome, letto) in look_at(store, config, ancore).await {
        match letto {
            Ok(posto) => posti.extend(posto),
            // The folder of the anchors is made by the gateway: before it ever ran there is none.
            Err(errore) if nome == ANCORE => tracing::debug!("no room is seen for the anchors: {errore}"),
            Err(errore) => return Err(errore),
        }
    }
    Ok(posti
        .into_iter()
        .map(|posto| (posto, config.soglie.judge(Stato::Normale, &posto)))
        .collect())
}

/// A place by its name, as far as it could be looked at; `Ok(None)` = nobody said that there is such a place.
type Sguardo = (&'static str, Result<Option<Posto>, StoreError>);

/// Each place as it is now. A disk that hangs holds no thread that serves.
async fn look_at(store: &SharedStore, config: &SpazioConfig, ancore: &Path) -> [Sguardo; 3] {
    let (suo, cartella) = (Arc::clone(store), config.database_cartella.clone());
    let ancore = ancore.to_owned();
    let dischi = tokio::task::spawn_blocking(move || {
        (
            store_disk(&suo, cartella.as_deref()),
            disk(ANCORE, &ancore).map(Some),
        )
    });
    let (archivio, ancore) = match dischi.await {
        Ok(visti) => visti,
        Err(errore) => {
            let errore = StoreError::unavailable(errore);
            (Err(errore.clone()), Err(errore))
        }
    };
    [
        (ARCHIVIO, archivio),
        (QUOTA, quota(store, config).await),
        (ANCORE, ancore),
    ]
}

/// What is free for the store where it has the least, and how much of it must stay free for domande.
#[must_use]
pub fn least(visti: &[(Posto, Stato)], config: &SpazioConfig) -> Option<(u64, u64)> {
    let suoi = visti
        .iter()
        .map(|(posto, _)| posto)
        .filter(|posto| posto.nome != ANCORE);
    suoi.map(|posto| {
        (
            posto.liberi,
            config.soglie.threshold(Stato::Critico, posto.capienza),
        )
    })
    .min()
}

/// The disk of the embedded store, or of a database that is said to lie on this machine.
fn store_disk(store: &SharedStore, cartella: Option<&Path>) -> Result<Option<Posto>, StoreError> {
    match (store.misure().file, cartella) {
        (Some(file), _) => {
            let (Some(liberi), Some(capienza)) = (file.disco_libero, file.disco) else {
                return Err(StoreError::unavailable(
                    "the disk of the store does not tell its size",
                ));
            };
            Ok(Some(Posto {
                nome: ARCHIVIO,
                liberi,
                capienza,
            }))
        }
        (None, Some(cartella)) => disk(ARCHIVIO, cartella).map(Some),
        (None, None) => Ok(None),
    }
}

/// What the store may take up, where somebody said how much.
async fn quota(store: &SharedStore, config: &SpazioConfig) -> Result<Option<Posto>, StoreError> {
    let capienza = config.database_bytes_max;
    if capienza == 0 {
        return Ok(None);
    }
    let occupati = tokio::time::timeout(ATTESA, store.byte_occupati())
        .await
        .map_err(StoreError::unavailable)??;
    Ok(Some(Posto {
        nome: QUOTA,
        liberi: capienza.saturating_sub(occupati),
        capienza,
    }))
}

/// The disk of a folder.
fn disk(nome: &'static str, cartella: &Path) -> Result<Posto, StoreError> {
    let disco = rustix::fs::statvfs(cartella).map_err(StoreError::unavailable)?;
    Ok(Posto {
        nome,
        liberi: disco.f_bavail * disco.f_frsize,
        capienza: disco.f_blocks * disco.f_frsize,
    })
}

/// The disk of the store.
const ARCHIVIO: &str = "archivio";
/// The disk of the anchors.
const ANCORE: &str = "ancore";
const ORA_S: i64 = 3600;
/// The place that is bounded by the configuration and not by a disk.
const QUOTA: &str = "quota";
/// A database that does not tell its size in so long is asked again at the next look.
const ATTESA: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_is_no_room() {
        let qui = disk(ANCORE, Path::new(".")).unwrap();
        assert!(qui.liberi <= qui.capienza && qui.capienza > 0);
        disk(ANCORE, Path::new("/nessuna/cartella")).unwrap_err();
    }
}
