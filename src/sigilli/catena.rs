//! The chain, walked from one block to the next: each is held against itself, against the one before and against the rows
//! that it sealed; and what is wrong first is named. The same walk checks an export and a store.

use std::collections::HashMap;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;

use super::giornata::{Blocchi, Giornata};
use super::{Genere, Impronta, Testata, Voce, radice_di};
use crate::protocollo::data_a_roma;

/// What is wrong, and where it was found first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anomalia {
    /// The day.
    pub giorno: Date,
    /// The block.
    pub blocco: Option<u64>,
    /// The place in the block, from 1.
    pub posto: Option<usize>,
    /// The row.
    pub riga: Option<(Genere, String)>,
    /// What is wrong.
    pub che: Che,
}

/// What can be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Che {
    /// The row is another than was sealed.
    Alterata,
    /// A row that was sealed is not there.
    Rimossa,
    /// A row stands among those that were sealed, and was not.
    Inserita,
    /// The rows are there, and stand in another order.
    Scambiata,
    /// The row is there, and a purge says that it went.
    NonScartata,
    /// A purge is not such as retention does it.
    Scarto(&'static str),
    /// The list of what was sealed is another.
    Voce,
    /// The block is not what its own seal says.
    Sigillo,
    /// The block does not follow the one before.
    Catena,
    /// Blocks from this one on are missing.
    Mancano {
        /// The first that is not there.
        dal: u64,
    },
    /// Something cannot be read.
    Illeggibile(&'static str),
    /// The day is not as its closing says.
    Chiusura(&'static str),
    /// The anchor says something else.
    Ancora(&'static str),
}

impl fmt::Display for Anomalia {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.giorno)?;
        if let Some(blocco) = self.blocco {
            write!(f, ", blocco {blocco}")?;
        }
        if let Some(posto) = self.posto {
            write!(f, ", posto {posto}")?;
        }
        if let Some((genere, chiave)) = &self.riga {
            write!(f, ", {} {chiave}", genere.tabella())?;
        }
        f.write_str(": ")?;
        match &self.che {
            Che::Alterata => f.write_str("la riga non è quella che fu sigillata"),
            Che::Rimossa => f.write_str("la riga fu sigillata e non c'è più"),
            Che::Inserita => f.write_str("la riga non fu sigillata, e sta fra quelle che lo furono"),
            Che::Scambiata => f.write_str("la riga c'è, ma in un altro ordine"),
            Che::NonScartata => {
                f.write_str("la riga c'è, e una pulizia dice di averla scartata con tutto il suo giorno")
            }
            Che::Voce => f.write_str("l'elenco di ciò che fu sigillato è stato alterato"),
            Che::Sigillo => f.write_str("il blocco non è quello che dice il suo sigillo"),
            Che::Catena => f.write_str("il blocco non segue quello prima"),
            Che::Mancano { dal } => write!(f, "mancano i blocchi dal {dal}"),
            Che::Illeggibile(che) | Che::Chiusura(che) | Che::Ancora(che) | Che::Scarto(che) => {
                f.write_str(che)
            }
        }
    }
}

/// A row as it is found where one was sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Vista {
    /// It is there.
    Riga(Voce),
    /// The trace of a message whose sender hung up, whose place the trace of its registration has taken: sealed in that
    /// block, if it was yet.
    Sostituita {
        /// Message id.
        chiave: String,
        /// Where the one that took its place was sealed, if it is known.
        blocco: Option<u64>,
    },
    /// Retention took it.
    Scartata {
        /// What it is.
        genere: Genere,
        /// What it is called.
        chiave: String,
        /// The purge.
        pulizia: String,
    },
}

impl Vista {
    fn chiave(&self) -> &str {
        match self {
            Self::Riga(voce) => &voce.chiave,
            Self::Sostituita { chiave, .. } | Self::Scartata { chiave, .. } => chiave,
        }
    }

    /// Whether it is what this entry says.
    fn is(&self, voce: &Voce) -> bool {
        match self {
            // A block of before entries had an instant has none of the row either.
            Self::Riga(vista) => {
                let istante = voce.istante.and(vista.istante);
                *voce
                    == Voce {
                        istante,
                        ..vista.clone()
                    }
            }
            Self::Sostituita { chiave, .. } => voce.genere == Genere::Traccia && *chiave == voce.chiave,
            Self::Scartata { genere, chiave, .. } => *genere == voce.genere && *chiave == voce.chiave,
        }
    }
}

/// How far the chain was walked.
#[derive(Debug, Clone)]
pub struct Filo {
    /// The last block.
    pub numero: u64,
    /// What the next one must name as the one before.
    pub atteso: Impronta,
    /// What was walked of the day that is not closed yet.
    pub aperti: Blocchi,
    /// The day that was closed last.
    pub chiuso: Option<Date>,
    /// SHA-256 of its document.
    pub chiusura: Impronta,
    istante: Timestamp,
    /// Rows that were replaced, and must come again: message id, block and place, and in which block they are said to.
    sostituite: HashMap<String, (u64, usize, Option<u64>)>,
}

impl Filo {
    /// From the very beginning.
    #[must_use]
    pub fn new() -> Self {
        Self::after(0, Impronta::NESSUNA, None)
    }

    /// From behind a block; `atteso` is what the next one names.
    #[must_use]
    pub fn after(numero: u64, atteso: Impronta, chiuso: Option<Date>) -> Self {
        Self {
            numero,
            atteso,
            aperti: Blocchi::default(),
            chiuso,
            chiusura: Impronta::NESSUNA,
            istante: Timestamp::MIN,
            sostituite: HashMap::new(),
        }
    }

    /// The next block, with the rows that stand where it sealed them.
    pub fn blocco(
        &mut self,
        testata: &Testata,
        voci: &[Voce],
        sigillo: Impronta,
        viste: &[Vista],
    ) -> Result<(), Anomalia> {
        self.itself(testata, sigillo)
            .map_err(|che| anomalia(testata, che))?;
        let differenza = first_difference(voci, viste);
        let intatte = testata.righe == voci.len() && testata.radice == radice_di(voci);
        if !intatte {
            // Where entries and rows part, the entry is at fault; where they do not, both were changed.
            let (posto, riga) = differenza.map(|(posto, riga, _)| (posto, riga)).unzip();
            return Err(Anomalia {
                posto,
                riga: riga.flatten(),
                ..anomalia(testata, Che::Voce)
            });
        }
        if let Some((posto, riga, che)) = differenza {
            return Err(Anomalia {
                posto: Some(posto),
                riga,
                ..anomalia(testata, che)
            });
        }
        for (posto, (voce, vista)) in (1..).zip(voci.iter().zip(viste)) {
            match vista {
                Vista::Sostituita { chiave, blocco } => {
                    self.sostituite
                        .insert(chiave.clone(), (testata.numero, posto, *blocco));
                }
                Vista::Riga(_) | Vista::Scartata { .. } if voce.genere == Genere::TracciaRegistrata => {
                    let (blocco, posto, detto) = self.sostituite.remove(&voce.chiave).unwrap_or_default();
                    if detto.is_some_and(|detto| detto != testata.numero) {
                        return Err(Anomalia {
                            blocco: Some(blocco),
                            posto: Some(posto),
                            riga: Some((Genere::Traccia, voce.chiave.clone())),
                            ..anomalia(testata, Che::Alterata)
                        });
                    }
                }
                Vista::Riga(_) | Vista::Scartata { .. } => {}
            }
        }
        self.numero = testata.numero;
        self.atteso = sigillo;
        self.istante = testata.sigillato_il;
        self.aperti.sigilli.push(sigillo);
        self.aperti.righe += voci.len() as u64;
        Ok(())
    }

    /// What the block says of itself, and whether it follows.
    fn itself(&self, testata: &Testata, sigillo: Impronta) -> Result<(), Che> {
        if testata.sigillo() != sigillo {
            return Err(Che::Sigillo);
        }
        if testata.numero > self.numero + 1 {
            return Err(Che::Mancano { dal: self.numero + 1 });
        }
        let giorno_giusto = testata.giorno == data_a_roma(testata.sigillato_il)
            && self.chiuso.is_none_or(|chiuso| testata.giorno > chiuso);
        let segue = testata.numero == self.numero + 1
            && testata.precedente == self.atteso
            && testata.sigillato_il >= self.istante;
        if segue && giorno_giusto {
            Ok(())
        } else {
            Err(Che::Catena)
        }
    }

    /// When what was walked last was written, by the chain's clock.
    #[must_use]
    pub fn istante(&self) -> Timestamp {
        self.istante
    }

    /// The end of a day.
    pub fn chiusura(&mut self, giornata: &Giornata) -> Result<(), Anomalia> {
        let che = |che| Anomalia {
            giorno: giornata.giorno,
            blocco: None,
            posto: None,
            riga: None,
            che: Che::Chiusura(che),
        };
        if let Some(chiuso) = self.chiuso
            && chiuso.tomorrow().ok() != Some(giornata.giorno)
        {
            return Err(che("manca la chiusura di un giorno prima di questo"));
        }
        if giornata.precedente_sha256 != self.chiusura {
            return Err(che("la chiusura del giorno non segue quella del giorno prima"));
        }
        if let Some(contraria) = giornata.contradiction(&self.aperti, self.numero) {
            return Err(che(contraria));
        }
        self.istante = self.istante.max(giornata.chiuso_il);
        self.chiuso = Some(giornata.giorno);
        self.chiusura = Impronta::of(giornata.documento().as_bytes());
        self.atteso = self.chiusura;
        self.aperti = Blocchi::default();
        Ok(())
    }

    /// Traces that gave way to others which did not come: message id, block and place.
    #[must_use]
    pub fn in_sospeso(&self) -> Vec<(String, u64, usize)> {
        let mut tutte: Vec<_> = self
            .sostituite
            .iter()
            .map(|(chiave, (blocco, posto, _))| (chiave.clone(), *blocco, *posto))
            .collect();
        tutte.sort_by_key(|(_, blocco, posto)| (*blocco, *posto));
        tutte
    }
}

impl Default for Filo {
    fn default() -> Self {
        Self::new()
    }
}

fn anomalia(testata: &Testata, che: Che) -> Anomalia {
    Anomalia {
        giorno: testata.giorno,
        blocco: Some(testata.numero),
        posto: None,
        riga: None,
        che,
    }
}

type Differenza = (usize, Option<(Genere, String)>, Che);

/// Where rows and entries part: the place from 1, the row, what happened to it.
fn first_difference(voci: &[Voce], viste: &[Vista]) -> Option<Differenza> {
    let uguali = voci
        .iter()
        .zip(viste)
        .take_while(|(voce, vista)| vista.is(voce))
        .count();
    let di = |voce: &Voce| Some((voce.genere, voce.chiave.clone()));
    let (voce, vista) = (voci.get(uguali), viste.get(uguali));
    let posto = uguali + 1;
    let is_sealed = |vista: &Vista| voci[uguali..].iter().any(|voce| voce.chiave == vista.chiave());
    let is_there = |voce: &Voce| viste[uguali..].iter().any(|vista| vista.chiave() == voce.chiave);
    let inserita = |vista: &Vista| match vista {
        Vista::Riga(voce) => di(voce),
        Vista::Sostituita { chiave, .. } => Some((Genere::Traccia, chiave.clone())),
        Vista::Scartata { genere, chiave, .. } => Some((*genere, chiave.clone())),
    };
    match (voce, vista) {
        (None, None) => None,
        (Some(voce), None) => Some((posto, di(voce), Che::Rimossa)),
        (None, Some(vista)) => Some((posto, inserita(vista), Che::Inserita)),
        (Some(voce), Some(vista)) => Some(match (is_there(voce), is_sealed(vista)) {
            _ if voce.chiave == vista.chiave() => (posto, di(voce), Che::Alterata),
            (false, true) => (posto, di(voce), Che::Rimossa),
            (true, false) => (posto, inserita(vista), Che::Inserita),
            (true, true) => (posto, di(voce), Che::Scambiata),
            // Neither is known on the other side: what makes up its name was changed.
            (false, false) => (posto, di(voce), Che::Alterata),
        }),
    }
}
