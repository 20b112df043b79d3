//! The sealer: beside the gateway, every few seconds, what was written since is sealed (ADR 21), and the documents of days
//! that are over are put where the anchors lie, outside of the store. Nothing waits for it; what it did not come to is
//! sealed by whoever seals next, this gateway or another.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::domanda::Ambiente;
use crate::metriche::{Conti, SIGILLATE, SIGILLO_ETA, SIGILLO_GUASTO, Testo};
use crate::sigilli::firma::{Firma, casuali};
use crate::sigilli::giornata::{FIRMA, Giornata};
use crate::sigilli::{Impronta, Testata};
use crate::store::sigilli::{Esterne, sigilla};
use crate::store::{SharedStore, StoreError};
use crate::trace::writer::TraceConfig;

/// Where the documents of days are put, and by whom they are signed.
#[derive(Debug)]
pub struct Bacheca {
    /// The folder of the anchors.
    pub cartella: PathBuf,
    /// What this gateway's own file is called.
    pub nodo: String,
    /// The key; `None` = they are not signed.
    pub firma: Option<Firma>,
}

/// Why a document was not put there.
#[derive(Debug, thiserror::Error)]
pub enum NonEsposta {
    /// It cannot be written.
    #[error("{}: {errore}", path.display())]
    Scrittura {
        /// Which file.
        path: PathBuf,
        /// Why.
        errore: io::Error,
    },
    /// There is another of the same day.
    #[error("{}: says something else of that day than the store does (`varco trace verify`)", .0.display())]
    Altra(PathBuf),
}

impl Bacheca {
    /// Puts the document of a day there, with its signature; one that is there already stays.
    pub fn put(&self, giorno: Date, documento: &str) -> Result<(), NonEsposta> {
        let path = self.cartella.join(Giornata::nome_file(giorno));
        let refused = |errore| NonEsposta::Scrittura {
            path: path.clone(),
            errore,
        };
        match fs::read(&path) {
            Ok(bytes) if bytes == documento.as_bytes() => {}
            Ok(bytes) if is_of_another_store(&bytes, documento) => {
                set_aside(&path).map_err(refused)?;
                write_whole(&path, documento.as_bytes(), true).map_err(refused)?;
            }
            Ok(_) => return Err(NonEsposta::Altra(path)),
            Err(errore) if errore.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(&self.cartella).map_err(refused)?;
                write_whole(&path, documento.as_bytes(), true).map_err(refused)?;
            }
            Err(errore) => return Err(refused(errore)),
        }
        let sua = signature_of(&path);
        if let Some(firma) = &self.firma
            && !sua.exists()
        {
            write_whole(&sua, &firma.sign(documento.as_bytes()), true).map_err(refused)?;
        }
        Ok(())
    }

    /// Notes how far the chain has come: whoever cuts its end off in the store, cuts it off here too, or is found.
    fn note(&self, archivio: &str, testata: &Testata, sigillo: Impronta) -> io::Result<()> {
        fs::create_dir_all(&self.cartella)?;
        let numero = testata.numero;
        let testo = format!("{TESTATA}\narchivio {archivio}\nblocco {numero}\nsigillo {sigillo}\n");
        let nome = format!("{}.{ESTENSIONE}", self.nodo);
        write_whole(&self.cartella.join(nome), testo.as_bytes(), false)
    }
}

/// The file in which the signature of another lies.
#[must_use]
pub fn signature_of(path: &Path) -> PathBuf {
    let mut nome = path.as_os_str().to_owned();
    nome.push(FIRMA);
    nome.into()
}

/// Outside produzione who begins anew with an empty store may keep its folder: the document is of another store, then.
fn is_of_another_store(bytes: &[u8], documento: &str) -> bool {
    let letta = |documento: &str| Giornata::read(documento);
    match (std::str::from_utf8(bytes).ok().and_then(letta), letta(documento)) {
        (Some(vecchia), Some(nuova)) => {
            nuova.ambiente != Ambiente::Produzione.as_str() && vecchia.archivio != nuova.archivio
        }
        _ => false,
    }
}

/// A document that another takes the place of stays beside it, with its signature.
fn set_aside(path: &Path) -> io::Result<()> {
    for path in [path.to_owned(), signature_of(path)] {
        let mut accanto = path.as_os_str().to_owned();
        accanto.push(".altra");
        match fs::rename(&path, &accanto) {
            Err(errore) if errore.kind() != io::ErrorKind::NotFound => return Err(errore),
            _ => {}
        }
    }
    Ok(())
}

/// What lies among the anchors of a folder that the chain of a store is held against: in produzione all, whichever store
/// wrote it; elsewhere what the same store has written (ADR 13).
pub fn outside(cartella: &Path, ambiente: Ambiente, archivio: &str) -> io::Result<Esterne> {
    let binds = |altro: &str| ambiente == Ambiente::Produzione || altro == archivio;
    let mut esterne = Esterne::default();
    let voci = match fs::read_dir(cartella) {
        Err(errore) if errore.kind() == io::ErrorKind::NotFound => return Ok(esterne),
        altre => altre?,
    };
    for voce in voci {
        let path = voce?.path();
        let nome = path.file_name().unwrap_or_default().to_string_lossy();
        if let Some(giorno) = Giornata::giorno_di(&nome) {
            let documento = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
            if Giornata::read(&documento).is_none_or(|giornata| binds(&giornata.archivio)) {
                esterne.giornate.push((giorno, documento));
            }
        } else if path
            .extension()
            .is_some_and(|estensione| estensione == ESTENSIONE)
        {
            let nota =
                read_note(&String::from_utf8_lossy(&fs::read(&path)?)).filter(|(altro, ..)| binds(altro));
            esterne
                .teste
                .extend(nota.map(|(_, numero, sigillo)| (numero, sigillo)));
        }
    }
    esterne.giornate.sort();
    Ok(esterne)
}

/// Of which store, which block, its seal.
fn read_note(testo: &str) -> Option<(String, u64, Impronta)> {
    let mut righe = testo.lines();
    if righe.next() != Some(TESTATA) {
        return None;
    }
    let archivio = righe.next()?.strip_prefix("archivio ")?.to_owned();
    let numero = righe.next()?.strip_prefix("blocco ")?.parse().ok()?;
    Some((
        archivio,
        numero,
        righe.next()?.strip_prefix("sigillo ")?.parse().ok()?,
    ))
}

const TESTATA: &str = "varco-sigillo 1";
const ESTENSIONE: &str = "sigillo";

/// A file is there whole or not at all; `durevole`: also after the machine's death.
fn write_whole(path: &Path, bytes: &[u8], durevole: bool) -> io::Result<()> {
    let mut prima = path.as_os_str().to_owned();
    prima.push(format!(".{}.tmp", std::process::id()));
    let mut file = File::create(&prima)?;
    file.write_all(bytes)?;
    if durevole {
        file.sync_all()?;
    }
    fs::rename(&prima, path)?;
    if let Some(cartella) = path.parent().filter(|_| durevole) {
        File::open(cartella)?.sync_all()?;
    }
    Ok(())
}

/// The sealer of a gateway. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sigillatore {
    stato: Arc<Stato>,
    chiusura: watch::Sender<bool>,
    lavoro: Arc<Mutex<Option<JoinHandle<()>>>>,
}

#[derive(Debug)]
struct Stato {
    sigillate: Conti,
    visto: Mutex<Visto>,
    clock: Arc<dyn Clock>,
}

/// What was seen last.
#[derive(Debug, Default)]
struct Visto {
    /// When the oldest trace came that is not sealed.
    attesa: Option<Timestamp>,
    /// A document could not be put among the anchors.
    guasta: bool,
}

impl Sigillatore {
    /// Begins to seal a store, on the runtime of the caller; with `config.sigilli` off, it never does.
    #[must_use]
    pub fn spawn(store: SharedStore, clock: Arc<dyn Clock>, config: TraceConfig, bacheca: Bacheca) -> Self {
        let (chiusura, chiusa) = watch::channel(false);
        let stato = Arc::new(Stato {
            sigillate: Conti::new(1),
            visto: Mutex::default(),
            clock,
        });
        let lavoro = config.sigilli.then(|| {
            let giri = Giri {
                store,
                stato: Arc::clone(&stato),
                bacheca,
                righe: u32::try_from(config.sigillo_righe).unwrap_or(u32::MAX),
                esposta: None,
                annotato: 0,
                detto: false,
            };
            tokio::spawn(giri.run(config.sigillo, chiusa))
        });
        Self {
            stato,
            chiusura,
            lavoro: Arc::new(Mutex::new(lavoro)),
        }
    }

    /// What was counted, as text.
    pub fn tell(&self, testo: &mut Testo) {
        testo.one(&SIGILLATE, self.stato.sigillate.total());
        let visto = self.stato.visto.lock().unwrap_or_else(PoisonError::into_inner);
        let eta = visto.attesa.map_or(SignedDuration::ZERO, |attesa| {
            self.stato.clock.wall().duration_since(attesa)
        });
        testo.one(&SIGILLO_ETA, eta.as_secs().max(0));
        testo.one(&SIGILLO_GUASTO, u8::from(visto.guasta));
    }

    /// Seals once more what was written to the end, and returns.
    pub async fn close(&self) {
        self.chiusura.send_replace(true);
        let lavoro = self.lavoro.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(lavoro) = lavoro
            && let Err(errore) = lavoro.await
        {
            tracing::error!("the sealer ended badly: {errore}");
        }
    }
}

struct Giri {
    store: SharedStore,
    stato: Arc<Stato>,
    bacheca: Bacheca,
    righe: u32,
    /// The day whose document was put among the anchors last.
    esposta: Option<Date>,
    /// The block that was noted last.
    annotato: u64,
    /// That it does not work was said.
    detto: bool,
}

impl Giri {
    async fn run(mut self, ogni: Duration, mut chiusa: watch::Receiver<bool>) {
        loop {
            let fine = tokio::time::timeout(ogni, chiusa.wait_for(|chiusa| *chiusa))
                .await
                .is_ok();
            let esito = self.round(fine).await;
            match (&esito, self.detto) {
                (Err(errore), false) => {
                    tracing::warn!("the chain waits, the store does not let itself be sealed: {errore}");
                }
                (Ok(()), true) => tracing::info!("the chain goes on"),
                _ => {}
            }
            self.detto = esito.is_err();
            if fine {
                return;
            }
        }
    }

    /// Seals all that there is. What is being written while a gateway closes is sealed by who comes after.
    async fn round(&mut self, ultimo: bool) -> Result<(), StoreError> {
        let mut rimasti = if ultimo { GIRI_ALLA_FINE } else { u32::MAX };
        loop {
            let sale = casuali().map_err(|errore| StoreError::unavailable(errore.to_string()))?;
            let giro = sigilla(self.store.as_ref(), self.stato.clock.wall(), sale, self.righe).await?;
            self.stato.sigillate.add(0, giro.righe);
            rimasti -= 1;
            if !giro.ancora || rimasti == 0 {
                break;
            }
            // Of a long way there is always more: messages go first.
            tokio::task::yield_now().await;
        }
        let coda = self.store.coda().await?;
        let attesa = self.store.attesa(&coda.segni()).await?;
        let guasta = self.put_outside().await?;
        if let Some((testata, sigillo)) = &coda.ultimo
            && testata.numero > self.annotato
        {
            let (_, archivio) = self.store.identita().await?;
            match self.bacheca.note(&archivio, testata, *sigillo) {
                Ok(()) => self.annotato = testata.numero,
                Err(errore) => {
                    tracing::warn!("the head of the chain cannot be noted among the anchors: {errore}");
                }
            }
        }
        let mut visto = self.stato.visto.lock().unwrap_or_else(PoisonError::into_inner);
        *visto = Visto { attesa, guasta };
        Ok(())
    }

    /// Puts the documents of closed days among the anchors; whether one could not be.
    async fn put_outside(&mut self) -> Result<bool, StoreError> {
        loop {
            let giornate = self.store.giornate(self.esposta, GIORNI).await?;
            if giornate.is_empty() {
                return Ok(false);
            }
            for (giorno, documento) in giornate {
                if let Err(errore) = self.bacheca.put(giorno, &documento) {
                    tracing::error!("the end of a day is not among the anchors: {errore}");
                    return Ok(true);
                }
                self.esposta = Some(giorno);
            }
        }
    }
}

/// Days put among the anchors at once.
const GIORNI: u32 = 64;
/// Rounds that a gateway still makes when it closes: it shall not take long.
const GIRI_ALLA_FINE: u32 = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sigilli::giornata::Blocchi;

    const GIORNO: &str = "2021-07-15";

    fn bacheca(cartella: &Path, firma: bool) -> Bacheca {
        let chiave = || Firma::from_pem(&Firma::generate().unwrap()).unwrap();
        Bacheca {
            cartella: cartella.join("ancore"),
            nodo: "varco".to_owned(),
            firma: firma.then(chiave),
        }
    }

    #[test]
    fn a_document_is_put_once_and_signed() {
        let cartella = tempfile::tempdir().unwrap();
        let giorno: Date = GIORNO.parse().unwrap();
        bacheca(cartella.path(), false).put(giorno, "documento").unwrap();
        let con_chiave = bacheca(cartella.path(), true);
        let path = con_chiave.cartella.join("prova-2021-07-15.json");
        assert!(!signature_of(&path).exists());
        // The signature follows when there is a key; put again, nothing changes.
        con_chiave.put(giorno, "documento").unwrap();
        con_chiave.put(giorno, "documento").unwrap();
        let firmata = fs::read(signature_of(&path)).unwrap();
        let pubblica = con_chiave.firma.as_ref().unwrap().pubblica();
        assert!(pubblica.verify(b"documento", &firmata));
        assert!(matches!(
            con_chiave.put(giorno, "altro"),
            Err(NonEsposta::Altra(_))
        ));
        assert_eq!(fs::read(&path).unwrap(), b"documento");
        let fuori = outside(&con_chiave.cartella, Ambiente::Sandbox, "a").unwrap();
        assert_eq!(fuori.giornate, [(giorno, "documento".to_owned())]);
    }

    #[test]
    fn who_begins_anew_keeps_the_old_document_beside_the_new_one() {
        let cartella = tempfile::tempdir().unwrap();
        let bacheca = bacheca(cartella.path(), true);
        let giorno: Date = GIORNO.parse().unwrap();
        let documento = |ambiente, archivio| {
            let chiuso_il = "2021-07-15T22:00:00Z".parse().unwrap();
            Giornata::new(ambiente, archivio, giorno, chiuso_il, &Blocchi::default()).documento()
        };
        let (vecchia, nuova) = (
            documento(Ambiente::Sandbox, "a"),
            documento(Ambiente::Sandbox, "b"),
        );
        bacheca.put(giorno, &vecchia).unwrap();
        bacheca.put(giorno, &nuova).unwrap();
        let path = bacheca.cartella.join("prova-2021-07-15.json");
        assert_eq!(fs::read_to_string(&path).unwrap(), nuova);
        assert_eq!(
            fs::read_to_string(format!("{}.altra", path.display())).unwrap(),
            vecchia
        );
        let in_produzione = documento(Ambiente::Produzione, "c");
        assert!(matches!(
            bacheca.put(giorno, &in_produzione),
            Err(NonEsposta::Altra(_))
        ));
    }

    #[test]
    fn the_head_of_the_chain_is_noted_and_read_back() {
        let cartella = tempfile::tempdir().unwrap();
        let bacheca = bacheca(cartella.path(), false);
        let fuori = |archivio| outside(&bacheca.cartella, Ambiente::Sandbox, archivio).unwrap();
        assert_eq!(fuori("a"), Esterne::default());
        let testata: Testata = serde_json::from_value(serde_json::json!({
            "numero": 7, "giorno": GIORNO, "sigillato_il": "2021-07-15T10:00:00Z", "sale_sha256": Impronta::NESSUNA,
            "segni": {"tracce": null, "porta": null, "registri": {}, "giornalieri": {}}, "righe": 0,
            "radice": Impronta::NESSUNA, "precedente": Impronta::NESSUNA,
        }))
        .unwrap();
        for n in [6, 7] {
            let testata = Testata {
                numero: n,
                ..testata.clone()
            };
            bacheca.note("a", &testata, testata.sigillo()).unwrap();
        }
        assert_eq!(fuori("a").teste, [(7, testata.sigillo())]);
        // Outside produzione another store's says nothing of this one.
        assert_eq!(fuori("b").teste, []);
        let di_tutti = outside(&bacheca.cartella, Ambiente::Produzione, "b").unwrap();
        assert_eq!(di_tutti.teste.len(), 1);
        // What was half written by somebody else says nothing.
        assert_eq!(read_note("varco-sigillo 1\nblocco 7\n"), None);
    }
}
