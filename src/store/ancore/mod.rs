//! Anchors: the last number that was told, kept outside the store. A store that was put back from a copy of before knows
//! nothing of what was registered since, and would give those numbers to others. So every process that draws numbers
//! writes, before an answer leaves, how far it has come, into a small file of its own; and under the lock of a register no
//! number is drawn while its counter stands before what any file of that folder says. What to do then is
//! `varco register recover`'s.
//!
//! Writing is one call into the page cache, synced every second: the death of the process loses nothing, that of the
//! machine at most a second. What can have been told in such a second is reckoned from the busiest second so far.
//!
//! The file is text, for people too. It has two places, written in turn, each with a serial number and a check sum: of
//! a place that was half written the other one holds.

mod giornalieri;
mod pagina;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use jiff::Timestamp;

pub use self::giornalieri::GiornalieriConfig;
use self::pagina::{POSTO, newest, page};
use super::registro::Tratti;
use super::{Inconsistency, StoreError};
use crate::domanda::Ambiente;
use crate::protocollo::{NumeroDomanda, NumeroProtocollo};

/// Section `registro`, as far as it speaks of anchors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AncoreConfig {
    /// The folder; best on another disk than the store's.
    pub cartella: PathBuf,
    /// What this gateway's files are called; gateways that share a folder and a name get a suffix each.
    pub nodo: String,
    /// The daily registers that tell how far it had come, too.
    pub giornalieri: GiornalieriConfig,
}

impl Default for AncoreConfig {
    fn default() -> Self {
        Self {
            cartella: "ancore".into(),
            nodo: "varco".to_owned(),
            giornalieri: GiornalieriConfig::default(),
        }
    }
}

/// Whose numbers they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Archivio {
    pub(super) ambiente: Ambiente,
    /// When the store was laid down: tells two stores of one ambiente apart.
    pub(super) creato_il: String,
}

impl Archivio {
    pub(super) fn new(ambiente: Ambiente, creato_il: Option<String>) -> Self {
        Self {
            ambiente,
            creato_il: creato_il.unwrap_or_default(),
        }
    }
}

/// How far one register has come in one year.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Detto {
    /// The last number that was told.
    pub numero: u64,
    /// The most that were told within a second.
    pub picco: u64,
}

/// What anchors say, of all files of a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Detti {
    /// By register and year.
    pub registri: BTreeMap<(String, i16), Detto>,
    /// The last number of a domanda.
    pub domanda: u64,
}

impl Detti {
    /// The furthest of both.
    pub fn join(&mut self, altri: &Self) {
        for (dove, detto) in &altri.registri {
            let mio = self.registri.entry(dove.clone()).or_insert(*detto);
            mio.numero = mio.numero.max(detto.numero);
            mio.picco = mio.picco.max(detto.picco);
        }
        self.domanda = self.domanda.max(altri.domanda);
    }

    /// The furthest of a register: year and number.
    #[must_use]
    pub fn ultimo(&self, registro: &str) -> Option<(i16, u64)> {
        let anni = self.registri.iter().filter(|((di, _), _)| di == registro);
        anni.map(|((_, anno), detto)| (*anno, detto.numero)).max()
    }

    /// Refuses a counter (year and number) that stands before what was told.
    fn hold(&self, registro: &str, contatore: (i16, u64)) -> Result<(), StoreError> {
        match self.ultimo(registro) {
            Some(detto) if detto > contatore => Err(StoreError::Indietro(format!(
                "register {registro} stands at {}/{}, and {}/{} was told: this is not the store that told it (`varco \
                 register recover`)",
                contatore.0, contatore.1, detto.0, detto.1
            ))),
            _ => Ok(()),
        }
    }

    /// The same of the numbers of domande.
    fn hold_domande(&self, ultima: u64) -> Result<(), StoreError> {
        if self.domanda > ultima {
            return Err(StoreError::Indietro(format!(
                "the last domanda has number {ultima}, and {} was told: this is not the store that told it (`varco \
                 register recover`)",
                self.domanda
            )));
        }
        Ok(())
    }

    /// Refuses a store whose counters stand before what was told.
    pub(super) fn check(&self, contatori: &Contatori) -> Result<(), StoreError> {
        self.behind(contatori).next().map_or(Ok(()), Err)
    }

    fn behind<'a>(&'a self, contatori: &'a Contatori) -> impl Iterator<Item = StoreError> + 'a {
        let registri: BTreeSet<&str> = self.registri.keys().map(|(registro, _)| &**registro).collect();
        let dei_registri = registri.into_iter().map(|registro| {
            let contatore = contatori.registri.iter().find(|(nome, ..)| nome == registro);
            self.hold(
                registro,
                contatore.map_or((0, 0), |(_, anno, ultimo)| (*anno, non_negativo(*ultimo))),
            )
        });
        let delle_domande = || self.hold_domande(non_negativo(contatori.domanda));
        dei_registri
            .chain(std::iter::once_with(delle_domande))
            .filter_map(Result::err)
    }
}

/// Where the counters of a store stand.
#[derive(Debug)]
pub(super) struct Contatori {
    /// Register, year and last number.
    pub(super) registri: Vec<(String, i16, i64)>,
    /// The last domanda.
    pub(super) domanda: i64,
}

impl Contatori {
    /// What `registri` is read by, in every store.
    pub(super) const REGISTRI: &str = "SELECT registro, anno, ultimo FROM registro";
    /// What `domanda` is read by.
    pub(super) const DOMANDA: &str = "SELECT ultimo FROM contatori WHERE nome = 'domanda'";
}

fn non_negativo(numero: i64) -> u64 {
    u64::try_from(numero).unwrap_or(0)
}

/// The anchors of one process. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Ancore {
    /// `None`: nothing is told from here.
    dentro: Option<Arc<Dentro>>,
}

#[derive(Debug)]
struct Dentro {
    path: PathBuf,
    file: File,
    archivio: Archivio,
    stato: Mutex<Stato>,
    sporca: AtomicBool,
}

#[derive(Debug)]
struct Stato {
    /// What was told from here.
    nostri: Detti,
    /// What was told, from here or from elsewhere.
    tutti: Detti,
    serie: u64,
    /// The second that runs, and how many were told in it by register.
    secondo: i64,
    nel_secondo: BTreeMap<String, u64>,
    /// That it cannot be written was said.
    guasta: bool,
}

impl Ancore {
    /// Opens the anchors of a store, and begins to sync them. Nobody else writes the same file.
    pub(super) fn open(config: &AncoreConfig, archivio: Archivio) -> Result<Self, StoreError> {
        let dentro = Arc::new(Dentro::open(config, archivio)?);
        let debole = Arc::downgrade(&dentro);
        std::thread::Builder::new()
            .name("ancore".to_owned())
            .spawn(move || keep_synced(&debole))
            .map_err(StoreError::unavailable)?;
        Ok(Self { dentro: Some(dentro) })
    }

    /// The same, and no thread syncs them: processes die in the simulation, machines do not.
    #[cfg(test)]
    pub(super) fn open_unsynced(config: &AncoreConfig, archivio: Archivio) -> Result<Self, StoreError> {
        let dentro = Some(Arc::new(Dentro::open(config, archivio)?));
        Ok(Self { dentro })
    }

    /// Refuses to draw from a register whose counter (year and number) stands before what was told.
    pub(super) fn hold(&self, registro: &str, contatore: (i16, u64)) -> Result<(), StoreError> {
        self.look(|stato| stato.tutti.hold(registro, contatore))
            .unwrap_or(Ok(()))
    }

    /// What was told, from here or from elsewhere. Counters that are held against it are read after it.
    pub(super) fn detti(&self) -> Detti {
        self.look(|stato| stato.tutti.clone()).unwrap_or_default()
    }

    /// Says of each counter that stands before what was told, for whoever starts a gateway.
    pub(super) fn warn(&self, contatori: &Contatori) {
        for errore in self.detti().behind(contatori) {
            tracing::error!("{errore}; no number is drawn");
        }
    }

    /// Refuses to draw the number of a domanda while the last one stands before what was told.
    pub(super) fn hold_domande(&self, ultima: u64) -> Result<(), StoreError> {
        self.look(|stato| stato.tutti.hold_domande(ultima))
            .unwrap_or(Ok(()))
    }

    /// Notes what was drawn and committed, before it is told. An anchor that cannot be written stops nobody: it is said.
    pub(super) fn tell(&self, tratti: Option<&Tratti>, adesso: Timestamp) {
        let (Some(dentro), Some(tratti)) = (&self.dentro, tratti) else {
            return;
        };
        let mut stato = dentro.stato.lock().unwrap_or_else(PoisonError::into_inner);
        let secondo = adesso.as_second();
        if secondo != stato.secondo {
            stato.secondo = secondo;
            stato.nel_secondo.clear();
        }
        let mut nuovi = Detti {
            domanda: tratti.domanda,
            ..Detti::default()
        };
        for (registro, anno, numero) in &tratti.registri {
            let nel_secondo = stato.nel_secondo.entry((*registro).to_owned()).or_default();
            *nel_secondo += tratti.quanti;
            let detto = Detto {
                numero: *numero,
                picco: *nel_secondo,
            };
            nuovi.registri.insert(((*registro).to_owned(), *anno), detto);
        }
        dentro.write(&mut stato, &nuovi);
    }

    /// Notes what is told once more. It may stand in no anchor yet: drawn by a process that died between the commit and its
    /// anchor, or that was not told what became of its commit. What is known to be anchored costs a comparison.
    pub(super) fn tell_again<'a>(
        &self,
        dette: impl IntoIterator<Item = (&'a NumeroProtocollo, NumeroDomanda)>,
    ) {
        let Some(dentro) = &self.dentro else { return };
        let mut stato = dentro.stato.lock().unwrap_or_else(PoisonError::into_inner);
        let mut nuovi = Detti::default();
        for (protocollo, domanda) in dette {
            let (registro, anno, numero) = (protocollo.registro(), protocollo.anno(), protocollo.numero());
            if stato.tutti.ultimo(registro) < Some((anno, numero)) {
                let detto = nuovi.registri.entry((registro.to_owned(), anno)).or_default();
                detto.numero = detto.numero.max(numero);
            }
            nuovi.domanda = nuovi.domanda.max(domanda.0);
        }
        if !nuovi.registri.is_empty() || nuovi.domanda > stato.tutti.domanda {
            dentro.write(&mut stato, &nuovi);
        }
    }

    fn look<T>(&self, guarda: impl FnOnce(&Stato) -> T) -> Option<T> {
        let dentro = self.dentro.as_ref()?;
        let stato = dentro.stato.lock().unwrap_or_else(PoisonError::into_inner);
        Some(guarda(&stato))
    }
}

/// What all anchors of a folder say; with `archivio`, only what binds that store: in produzione all, since a number is
/// told once whichever store told it; elsewhere what the same store has written.
fn read_all(cartella: &Path, archivio: Option<&Archivio>) -> Result<Detti, StoreError> {
    let mut detti = Detti::default();
    let voci = match fs::read_dir(cartella) {
        Ok(voci) => voci,
        Err(errore) if errore.kind() == io::ErrorKind::NotFound => return Ok(detti),
        Err(errore) => return Err(refused(cartella, &errore)),
    };
    for voce in voci {
        let path = voce.map_err(|errore| refused(cartella, &errore))?.path();
        if path.extension().is_none_or(|estensione| estensione != ESTENSIONE) {
            continue;
        }
        let bytes = fs::read(&path).map_err(|errore| refused(&path, &errore))?;
        if let Some((_, letti)) = newest(&bytes, archivio) {
            detti.join(&letti);
        }
    }
    Ok(detti)
}

/// What the anchors of a folder say, whosever they are: for whoever declares what is missing.
pub fn told(cartella: &Path) -> Result<Detti, StoreError> {
    read_all(cartella, None)
}

/// The first file of this name that nobody holds.
fn lock(cartella: &Path, nodo: &str) -> Result<(PathBuf, File), StoreError> {
    for posto in 1..=NODI_MAX {
        let nome = if posto == 1 {
            format!("{nodo}.{ESTENSIONE}")
        } else {
            format!("{nodo}-{posto}.{ESTENSIONE}")
        };
        let path = cartella.join(nome);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|errore| refused(&path, &errore))?;
        match file.try_lock() {
            Ok(()) => return Ok((path, file)),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(errore)) => return Err(refused(&path, &errore)),
        }
    }
    let troppi = io::Error::other("too many gateways write here; give each its own registro.nodo");
    Err(refused(cartella, &troppi))
}

fn read(file: &File, archivio: &Archivio) -> io::Result<Option<(u64, Detti)>> {
    let mut bytes = vec![0; POSTO * 2];
    let mut letti = 0;
    while letti < bytes.len() {
        match file.read_at(&mut bytes[letti..], letti as u64)? {
            0 => break,
            quanti => letti += quanti,
        }
    }
    Ok(newest(&bytes[..letti], Some(archivio)))
}

/// Syncs what was written, every second, for as long as anybody has the anchors; once more at the end.
fn keep_synced(dentro: &Weak<Dentro>) {
    loop {
        std::thread::sleep(SINCRONIZZAZIONE);
        let Some(dentro) = dentro.upgrade() else { return };
        dentro.sync();
    }
}

impl Dentro {
    fn open(config: &AncoreConfig, archivio: Archivio) -> Result<Self, StoreError> {
        let AncoreConfig {
            cartella,
            nodo,
            giornalieri,
        } = config;
        if !nodo
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        {
            let nome = io::Error::other("registro.nodo may have letters, digits, -, _ and . only");
            return Err(refused(cartella, &nome));
        }
        let mut detti = read_all(cartella, Some(&archivio))?;
        detti.join(&giornalieri.told(archivio.ambiente)?);
        fs::create_dir_all(cartella).map_err(|errore| refused(cartella, &errore))?;
        let (path, file) = lock(cartella, nodo)?;
        let nostri = read(&file, &archivio).map_err(|errore| refused(&path, &errore))?;
        let (serie, nostri) = nostri.unwrap_or_default();
        Ok(Self {
            path,
            file,
            archivio,
            stato: Mutex::new(Stato {
                nostri,
                tutti: detti,
                serie,
                secondo: i64::MIN,
                nel_secondo: BTreeMap::new(),
                guasta: false,
            }),
            sporca: AtomicBool::new(false),
        })
    }

    /// Writes how far it has come, into the place that is not the newest.
    fn write(&self, stato: &mut Stato, nuovi: &Detti) {
        stato.nostri.join(nuovi);
        stato.tutti.join(nuovi);
        stato.serie += 1;
        let posto = stato.serie % 2 * POSTO as u64;
        let scritto = page(&self.archivio, stato.serie, &stato.nostri);
        match self.file.write_all_at(scritto.as_bytes(), posto) {
            Ok(()) => {
                stato.guasta = false;
                self.sporca.store(true, Ordering::Release);
            }
            Err(errore) if !stato.guasta => {
                stato.guasta = true;
                tracing::error!("the anchor {} cannot be written: {errore}", self.path.display());
            }
            Err(_) => {}
        }
    }

    fn sync(&self) {
        if self.sporca.swap(false, Ordering::AcqRel)
            && let Err(errore) = self.file.sync_data()
        {
            self.sporca.store(true, Ordering::Release);
            tracing::error!("the anchor {} cannot be synced: {errore}", self.path.display());
        }
    }
}

impl Drop for Dentro {
    fn drop(&mut self) {
        self.sync();
    }
}

fn refused(path: &Path, errore: &io::Error) -> StoreError {
    StoreError::Refused(format!(
        "{}: the anchors cannot be used: {errore}",
        path.display()
    ))
}

/// What can have been told and is in no anchor: all of a second, at twice the busiest.
#[must_use]
pub fn margine(picco: u64) -> u64 {
    picco.max(1).saturating_mul(2)
}

/// The last number that may be drawn after a hole: the last that there is.
pub(super) fn beyond(numero: u64, picco: u64) -> Result<u64, Inconsistency> {
    numero
        .checked_add(margine(picco))
        .filter(|fino_a| *fino_a <= 999_999_999_999)
        .ok_or_else(|| Inconsistency::new("registro", "ultimo", "no number is left in this year"))
}

const ESTENSIONE: &str = "ancora";
const NODI_MAX: u32 = 64;
const SINCRONIZZAZIONE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn archivio(ambiente: Ambiente, creato_il: &str) -> Archivio {
        Archivio {
            ambiente,
            creato_il: creato_il.to_owned(),
        }
    }

    pub(super) fn detti(voci: &[(&str, i16, u64, u64)], domanda: u64) -> Detti {
        let registri = voci
            .iter()
            .map(|(registro, anno, numero, picco)| {
                let detto = Detto {
                    numero: *numero,
                    picco: *picco,
                };
                (((*registro).to_owned(), *anno), detto)
            })
            .collect();
        Detti { registri, domanda }
    }

    #[test]
    fn a_counter_before_what_was_told_is_refused_and_any_other_is_not() {
        let detti = detti(&[("AUF", 2021, 500, 1), ("AUF", 2022, 7, 1)], 0);
        for (contatore, indietro) in [
            ((2022, 7), false),
            ((2022, 8), false),
            ((2023, 1), false),
            ((2022, 6), true),
        ] {
            assert_eq!(detti.hold("AUF", contatore).is_err(), indietro, "{contatore:?}");
        }
        assert!(detti.hold("AUF", (2021, 900)).is_err());
        assert!(detti.hold("AUU", (2021, 0)).is_ok());
    }

    #[test]
    fn a_number_that_is_told_again_is_anchored_by_whoever_repeats_it() {
        let cartella = tempfile::tempdir().unwrap();
        let config = AncoreConfig {
            cartella: cartella.path().join("ancore"),
            nodo: "a".to_owned(),
            ..AncoreConfig::default()
        };
        let ancore = Ancore::open_unsynced(&config, archivio(Ambiente::Sandbox, "1")).unwrap();
        let numero = |anno, numero| NumeroProtocollo::new("AUF", anno, numero).unwrap();
        ancore.tell_again([
            (&numero(2022, 7), NumeroDomanda(12)),
            (&numero(2022, 6), NumeroDomanda(11)),
        ]);
        let detto = told(&config.cartella).unwrap();
        assert_eq!((detto.ultimo("AUF"), detto.domanda), (Some((2022, 7)), 12));
        // What is anchored already is not written again, nor is an older year.
        ancore.tell_again([
            (&numero(2022, 3), NumeroDomanda(4)),
            (&numero(2021, 9), NumeroDomanda(3)),
        ]);
        assert_eq!(told(&config.cartella).unwrap(), detto);
        assert_eq!(ancore.look(|stato| stato.serie), Some(1));
    }

    #[test]
    fn two_processes_of_one_name_write_two_files_and_each_reads_both() {
        let cartella = tempfile::tempdir().unwrap();
        let config = AncoreConfig {
            cartella: cartella.path().join("ancore"),
            nodo: "a".to_owned(),
            ..AncoreConfig::default()
        };
        let sandbox = archivio(Ambiente::Sandbox, "1");
        let uno = Ancore::open(&config, sandbox.clone()).unwrap();
        let due = Ancore::open(&config, sandbox).unwrap();
        let nomi = [&uno, &due].map(|ancore| {
            ancore
                .dentro
                .as_ref()
                .unwrap()
                .path
                .file_name()
                .unwrap()
                .to_owned()
        });
        assert_eq!(nomi, ["a.ancora", "a-2.ancora"]);
    }
}
