//! A lot as a file on the sender's side: plain or gzip, read in pieces and cut into its items, so that a lot of any size
//! takes no more memory than one of its items.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use flate2::read::MultiGzDecoder;

use crate::catalogo::Codice;
use crate::clock::{Ids as _, RandomIds};
use crate::domanda::Violazione;
use crate::intake::lotto::taglio::{Elemento, Involucro, LOTTO, Prossimo, Taglio, Testa};
use crate::prestazione::{Operazione, PRESTAZIONI, Prestazione};
use crate::xml::Limits;

/// Bytes read at once.
const PEZZO: usize = 256 * 1024;

/// So much is looked at behind the end tag of a lot.
const CODA_PEZZI_MAX: usize = 16;

/// A file that may be a lot.
#[derive(Debug)]
pub(in crate::cli) struct Origine {
    percorso: PathBuf,
    /// It is a copy of what came on stdin, which is read once and a lot more than once.
    copia: bool,
    /// It is gzip.
    pub(in crate::cli) gzip: bool,
    /// Its bytes, as they lie on the disk.
    pub(in crate::cli) byte: u64,
}

impl Origine {
    /// Looks whether it is there, and whether it is gzip; `-` is stdin.
    pub(in crate::cli) fn of(percorso: &Path) -> Result<Self> {
        if percorso != Path::new("-") {
            return Self::at(percorso);
        }
        let percorso = std::env::temp_dir().join(format!("varco-lotto-{}.xml", RandomIds.next()));
        let cannot = || format!("impossibile scrivere {}", percorso.display());
        // People's data: for nobody else, and gone when we are.
        let mut file = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&percorso)
            .with_context(cannot)?;
        let mut copia = Self {
            percorso: percorso.clone(),
            copia: true,
            gzip: false,
            byte: 0,
        };
        io::copy(&mut io::stdin().lock(), &mut file).with_context(cannot)?;
        let letto = Self::at(&percorso)?;
        (copia.gzip, copia.byte) = (letto.gzip, letto.byte);
        Ok(copia)
    }

    fn at(percorso: &Path) -> Result<Self> {
        let cannot = || format!("impossibile leggere {}", percorso.display());
        let mut file = File::open(percorso).with_context(cannot)?;
        let dati = file.metadata().with_context(cannot)?;
        anyhow::ensure!(dati.is_file(), "{}: serve un file", percorso.display());
        let mut inizio = Vec::new();
        file.by_ref()
            .take(2)
            .read_to_end(&mut inizio)
            .with_context(cannot)?;
        Ok(Self {
            percorso: percorso.to_owned(),
            copia: false,
            gzip: inizio == [0x1f, 0x8b],
            byte: dati.len(),
        })
    }

    /// Its bytes as they lie on the disk.
    pub(in crate::cli) fn raw(&self) -> io::Result<File> {
        File::open(&self.percorso)
    }

    /// Its bytes, unzipped.
    pub(in crate::cli) fn decoded(&self) -> io::Result<Box<dyn Read>> {
        let file = BufReader::with_capacity(PEZZO, self.raw()?);
        Ok(if self.gzip {
            Box::new(MultiGzDecoder::new(file))
        } else {
            Box::new(file)
        })
    }

    /// Its name, for errors.
    pub(in crate::cli) fn nome(&self) -> impl std::fmt::Display {
        if self.copia {
            Path::new("stdin").display()
        } else {
            self.percorso.display()
        }
    }

    fn cannot(&self) -> String {
        format!("impossibile leggere {}", self.nome())
    }
}

impl Drop for Origine {
    fn drop(&mut self) {
        if self.copia {
            // Nothing can be done about one that stays, and the lot is sent.
            let _ = std::fs::remove_file(&self.percorso);
        }
    }
}

/// What came of looking for the next item.
#[derive(Debug)]
pub(in crate::cli) enum Passo {
    /// One; the first is at place 1.
    Elemento(u64, Elemento),
    /// The file has ended, rightly.
    Fine,
    /// It cannot be read further.
    Guasto(Box<Violazione>),
}

/// Cuts a lot file into its items while it is read.
#[derive(Debug)]
pub(in crate::cli) struct Cesoia<R> {
    lettore: R,
    taglio: Taglio,
    testa: Testa,
    /// Whose lot it is.
    pub(in crate::cli) prestazione: &'static Prestazione,
    /// Prefixes of the lot around an item.
    pub(in crate::cli) involucro: Involucro,
    /// Items so far.
    pub(in crate::cli) posto: u64,
    pezzo: Vec<u8>,
}

/// The beginning of a lot file, or what is wrong with it.
pub(in crate::cli) type Aperto<R> = Result<Cesoia<R>, Box<Violazione>>;

impl Cesoia<Box<dyn Read>> {
    /// Reads up to the first item; `servizio` decides where the root names no service.
    pub(in crate::cli) fn open(
        origine: &Origine,
        servizio: Option<&'static Prestazione>,
        elemento_bytes_max: usize,
    ) -> Result<Aperto<Box<dyn Read>>> {
        let lettore = origine.decoded().with_context(|| origine.cannot())?;
        Cesoia::over(lettore, servizio, elemento_bytes_max).with_context(|| origine.cannot())
    }
}

impl<R: Read> Cesoia<R> {
    /// The same, over what is read from here.
    pub(in crate::cli) fn over(
        mut lettore: R,
        servizio: Option<&'static Prestazione>,
        elemento_bytes_max: usize,
    ) -> io::Result<Aperto<R>> {
        let limits = Limits::default();
        let mut pezzo = vec![0; PEZZO];
        let mut inizio = Vec::new();
        let (testa, prestazione) = loop {
            let letti = read_some(&mut lettore, &mut pezzo)?;
            inizio.extend_from_slice(&pezzo[..letti]);
            let finito = letti == 0 || inizio.len() > elemento_bytes_max;
            match find(&inizio, finito, servizio, &limits) {
                Ok(Some(trovata)) => break trovata,
                Ok(None) => {}
                Err(violazione) => return Ok(Err(violazione)),
            }
        };
        let mut taglio = Taglio::new(testa.clone(), &limits, elemento_bytes_max).digesting();
        taglio.push(&inizio[testa.len()..]);
        Ok(Ok(Self {
            lettore,
            taglio,
            involucro: Involucro::of(&testa),
            testa,
            prestazione,
            posto: 0,
            pezzo,
        }))
    }

    /// The next item.
    pub(in crate::cli) fn prossimo(&mut self) -> io::Result<Passo> {
        loop {
            match self.taglio.prossimo() {
                Ok(Prossimo::Elemento(elemento)) => {
                    self.posto += 1;
                    return Ok(Passo::Elemento(self.posto, elemento));
                }
                Ok(Prossimo::Fine) => return self.tail(),
                Ok(Prossimo::ServeAltro) => {}
                Err(violazione) => return Ok(Passo::Guasto(violazione)),
            }
            self.read_on()?;
        }
    }

    /// The bytes of an item: until the next one is asked for.
    pub(in crate::cli) fn slice(&self, elemento: &Elemento) -> &[u8] {
        self.taglio.slice(elemento)
    }

    /// Whether the lot stands in a message, not in a file.
    pub(in crate::cli) fn in_message(&self) -> bool {
        self.testa.in_message()
    }

    /// Where the element `Lotto` begins and ends in the file, and its digest: once the file has ended.
    pub(in crate::cli) fn lotto(&self) -> Option<(u64, u64, [u8; 32])> {
        Some((
            self.testa.lotto_da() as u64,
            self.taglio.fine_byte()?,
            self.taglio.impronta()?,
        ))
    }

    /// Behind the lot nothing may come but white space and comments, and little of them.
    fn tail(&mut self) -> io::Result<Passo> {
        if self.posto == 0 {
            let (p, invia) = (self.prestazione.prefisso, Operazione::InviaDomanda.nome());
            let vuoto = Violazione::at(Codice::Lot010, format!("/{p}:{LOTTO}"));
            return Ok(Passo::Guasto(Box::new(
                vuoto.with("atteso", format!("{p}:{invia}")),
            )));
        }
        for _ in 0..CODA_PEZZI_MAX {
            if !self.read_on()? {
                break;
            }
        }
        Ok(match self.taglio.coda().map(|mut coda| coda.next().map(drop)) {
            Some(Err(errore)) => Passo::Guasto(Box::new(errore.violazione())),
            Some(Ok(())) | None => Passo::Fine,
        })
    }

    /// Whether there was more to read.
    fn read_on(&mut self) -> io::Result<bool> {
        let letti = read_some(&mut self.lettore, &mut self.pezzo)?;
        if letti == 0 {
            self.taglio.finish();
        } else {
            self.taglio.push(&self.pezzo[..letti]);
        }
        Ok(letti > 0)
    }
}

/// The beginning, of whichever service it is.
fn find(
    bytes: &[u8],
    finito: bool,
    servizio: Option<&'static Prestazione>,
    limits: &Limits,
) -> Result<Option<(Testa, &'static Prestazione)>, Box<Violazione>> {
    let mut primo_guasto = None;
    let mut serve_altro = false;
    let candidati = PRESTAZIONI
        .iter()
        .copied()
        .filter(|prestazione| servizio.is_none_or(|servizio| servizio.servizio == prestazione.servizio));
    for prestazione in candidati {
        match Testa::find(bytes, finito, prestazione, limits) {
            Ok(Some(testa)) => return Ok(Some((testa, prestazione))),
            Ok(None) => serve_altro = true,
            Err(violazione) => primo_guasto = primo_guasto.or(Some(violazione)),
        }
    }
    match primo_guasto {
        Some(violazione) if !serve_altro => Err(violazione),
        _ => Ok(None),
    }
}

fn read_some(lettore: &mut impl Read, pezzo: &mut [u8]) -> io::Result<usize> {
    loop {
        match lettore.read(pezzo) {
            Err(errore) if errore.kind() == io::ErrorKind::Interrupted => {}
            letti => return letti,
        }
    }
}
