//! Sealing, over whatever store (ADR 21): what is durable and not sealed yet becomes the next block, a day that is over is
//! closed. It works beside the gateway, never in the way of a message: it reads rows that are committed and that no earlier
//! neighbour can come before any more, and writes one row for some hundreds of them. Several gateways may seal: a block is
//! kept only behind the one that it names, so of two at once one is kept, and the other's rows go into the next.

pub(in crate::store) mod colonne;
mod esame;
pub(in crate::store) mod righe;
mod scarti;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;

pub use self::esame::{Avanzamento, Esaminata, Esterne, Provata, esamina, esporta, prova_di};
use super::{StoreError, valori::al_millesimo};
use crate::domanda::Ambiente;
use crate::protocollo::data_a_roma;
use crate::sigilli::giornata::{Blocchi, Giornata, UltimoGiornaliero};
use crate::sigilli::{Blocco, Impronta, Riga, Segni, Testata, Voce, radice_di, read_voci};

/// Where the chain ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coda {
    /// The last block, and its seal.
    pub ultimo: Option<(Testata, Impronta)>,
    /// The document of the day that was closed last.
    pub chiusura: Option<Giornata>,
}

impl Coda {
    /// Number of the last block; 0 = there is none.
    #[must_use]
    pub fn numero(&self) -> u64 {
        self.ultimo.as_ref().map_or(0, |(testata, _)| testata.numero)
    }

    /// The day that was closed last.
    #[must_use]
    pub fn chiuso(&self) -> Option<Date> {
        self.chiusura.as_ref().map(|giornata| giornata.giorno)
    }

    /// How far everything was sealed.
    #[must_use]
    pub fn segni(&self) -> Segni {
        self.ultimo
            .as_ref()
            .map_or_else(Segni::default, |(testata, _)| testata.segni.clone())
    }

    /// The day that is open; `None` before the first block.
    fn aperto(&self) -> Option<Date> {
        match (self.chiuso(), &self.ultimo) {
            // There is a day after one that is over.
            (Some(chiuso), _) => chiuso.tomorrow().ok(),
            (None, Some((testata, _))) => Some(testata.giorno),
            (None, None) => None,
        }
    }

    /// What the next block names as the one before.
    fn precedente(&self) -> Impronta {
        let chiusura = self.chiusura.as_ref();
        match (&self.ultimo, chiusura) {
            (Some((testata, sigillo)), _) if self.chiuso().is_none_or(|chiuso| testata.giorno > chiuso) => {
                *sigillo
            }
            (_, Some(giornata)) => Impronta::of(giornata.documento().as_bytes()),
            (_, None) => Impronta::NESSUNA,
        }
    }

    /// Time as the chain sees it: a clock that was set back stands still until it has caught up.
    fn istante(&self, adesso: Timestamp) -> Timestamp {
        let ultimo = self.ultimo.as_ref().map(|(testata, _)| testata.sigillato_il);
        let chiuso = self.chiusura.as_ref().map(|giornata| giornata.chiuso_il);
        al_millesimo(adesso).max(ultimo.max(chiuso).unwrap_or(Timestamp::MIN))
    }
}

/// What is added to the chain.
#[derive(Debug)]
pub enum Nuovo {
    /// A block.
    Blocco(Blocco),
    /// The end of a day.
    Chiusura(Giornata),
}

/// A block as the store has it, whatever somebody made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BloccoConservato {
    /// Its number.
    pub numero: u64,
    /// Its day.
    pub giorno: Date,
    /// What it says of itself, as JSON.
    pub testata: String,
    /// The salt.
    pub sale: Vec<u8>,
    /// The entries.
    pub voci: Vec<u8>,
    /// The seal.
    pub sigillo: Vec<u8>,
}

impl BloccoConservato {
    /// The block; `None` for one that we cannot have written.
    #[must_use]
    pub fn read(self) -> Option<Blocco> {
        let testata: Testata = serde_json::from_str(&self.testata).ok()?;
        let sale: [u8; 32] = self.sale.try_into().ok()?;
        let una_scrittura = serde_json::to_string(&testata).ok()? == self.testata;
        let sua = testata.numero == self.numero
            && testata.giorno == self.giorno
            && testata.sale_sha256 == Impronta::of(&sale);
        (una_scrittura && sua).then_some(Blocco {
            testata,
            sale,
            voci: read_voci(&self.voci)?,
            sigillo: Impronta(self.sigillo.try_into().ok()?),
        })
    }
}

/// A purge as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScartoConservato {
    /// Its row.
    pub riga: Riga,
    /// Whether it waits to be sealed.
    pub in_attesa: bool,
}

/// The store's part of the chain. Two implementations, each with its own SQL.
#[async_trait]
pub trait ArchivioSigilli: Send + Sync {
    /// The ambiente, and when the store was laid down.
    async fn identita(&self) -> Result<(Ambiente, String), StoreError>;

    /// Where the chain ends.
    async fn coda(&self) -> Result<Coda, StoreError>;

    /// What can be sealed behind these places: of each table at most so many rows, in the order in which they became durable.
    /// With them, how far it is sealed then.
    async fn da_sigillare(
        &self,
        dopo: &Segni,
        sale: &[u8; 32],
        limite: u32,
    ) -> Result<(Vec<Riga>, Segni), StoreError>;

    /// The rows that stand now where a block sealed its own, in their order; `dopo` is how far the block before came.
    async fn sigillate(&self, dopo: &Segni, blocco: &Blocco) -> Result<Vec<Riga>, StoreError>;

    /// Keeps a block, or the end of a day, where the chain still ends like this; else nothing is kept.
    async fn keep_sigillo(&self, coda: &Coda, nuovo: &Nuovo) -> Result<bool, StoreError>;

    /// Blocks behind a number, in order.
    async fn blocchi(&self, dopo: u64, limite: u32) -> Result<Vec<BloccoConservato>, StoreError>;

    /// The seals of a day, in order, and how many rows they are of.
    async fn sigilli_di(&self, giorno: Date) -> Result<Blocchi, StoreError>;

    /// The documents of the days behind one, in order, with the day under which each is kept.
    async fn giornate(&self, dopo: Option<Date>, limite: u32) -> Result<Vec<(Date, String)>, StoreError>;

    /// When the oldest trace came that is not sealed; `None` = there is none.
    async fn attesa(&self, segni: &Segni) -> Result<Option<Timestamp>, StoreError>;

    /// Which of these messages have a trace that says that they were registered.
    async fn registrate_fra(&self, message_id: &[String]) -> Result<Vec<String>, StoreError>;

    /// Every purge, also those that go on; which of them have ended and are to be sealed behind this place.
    async fn scarti(&self, dopo: &Segni) -> Result<Vec<ScartoConservato>, StoreError>;

    /// The newest daily register of each register.
    async fn ultimi_giornalieri(&self) -> Result<Vec<UltimoGiornaliero>, StoreError>;
}

/// What one round of sealing did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Giro {
    /// Rows that were sealed.
    pub righe: u64,
    /// Days that were closed.
    pub giorni: u64,
    /// There may be more: a table had as many rows as were asked for, or somebody else was quicker.
    pub ancora: bool,
}

/// Days that one round closes at most: a clock that is wrong by years shall not stop everything else.
const GIORNI_MAX: u64 = 400;

/// One round: closes the days that are over, then seals at most `limite` rows of each table. `adesso` is the true time.
pub async fn sigilla(
    store: &dyn ArchivioSigilli,
    adesso: Timestamp,
    sale: [u8; 32],
    limite: u32,
) -> Result<Giro, StoreError> {
    let mut giro = Giro::default();
    let mut coda = store.coda().await?;
    let oggi = data_a_roma(coda.istante(adesso));
    while let Some(aperto) = coda.aperto().filter(|aperto| *aperto < oggi) {
        let giornata = close(store, &coda, aperto, coda.istante(adesso)).await?;
        if giro.giorni == GIORNI_MAX
            || !store
                .keep_sigillo(&coda, &Nuovo::Chiusura(giornata.clone()))
                .await?
        {
            giro.ancora = true;
            return Ok(giro);
        }
        giro.giorni += 1;
        coda.chiusura = Some(giornata);
    }
    let (righe, segni) = store.da_sigillare(&coda.segni(), &sale, limite).await?;
    if righe.is_empty() {
        return Ok(giro);
    }
    let voci: Vec<Voce> = righe.iter().map(Riga::voce).collect();
    let testata = Testata {
        numero: coda.numero() + 1,
        giorno: oggi,
        sigillato_il: coda.istante(adesso),
        sale_sha256: Impronta::of(&sale),
        segni,
        righe: voci.len(),
        radice: radice_di(&voci),
        precedente: coda.precedente(),
    };
    let blocco = Blocco {
        sigillo: testata.sigillo(),
        testata,
        sale,
        voci,
    };
    giro.ancora = righe.len() >= limite as usize;
    if store.keep_sigillo(&coda, &Nuovo::Blocco(blocco)).await? {
        giro.righe = righe.len() as u64;
    } else {
        giro.ancora = true;
    }
    Ok(giro)
}

async fn close(
    store: &dyn ArchivioSigilli,
    coda: &Coda,
    giorno: Date,
    chiuso_il: Timestamp,
) -> Result<Giornata, StoreError> {
    let (ambiente, archivio) = store.identita().await?;
    let blocchi = store.sigilli_di(giorno).await?;
    Ok(Giornata {
        ultimo_blocco: coda.numero(),
        registri_giornalieri: store.ultimi_giornalieri().await?,
        precedente_sha256: coda.chiusura.as_ref().map_or(Impronta::NESSUNA, |giornata| {
            Impronta::of(giornata.documento().as_bytes())
        }),
        ..Giornata::new(ambiente, &archivio, giorno, chiuso_il, &blocchi)
    })
}
