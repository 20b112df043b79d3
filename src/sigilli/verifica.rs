//! An export of a day, checked on any machine: line by line, a block at a time in memory, until the end or the first thing
//! that is not as it was sealed.

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use jiff::Timestamp;
use jiff::civil::Date;

use super::catena::{Anomalia, Che, Filo, Vista};
use super::esporta::{Fine, Inizio, Linea};
use super::firma::Pubblica;
use super::giornata::Giornata;
use super::scarto::{Conto, Scarto, TROPPE};
use super::{Genere, Impronta, Testata, Voce};

/// What an export is held against, beside itself.
#[derive(Debug, Clone, Default)]
pub struct Ancora {
    /// The document of the day, kept outside of the store.
    pub documento: String,
    /// Its signature, and the key that checks it.
    pub firma: Option<(Vec<u8>, Pubblica)>,
}

/// What was checked and is in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Esito {
    /// The day.
    pub giorno: Date,
    /// How much.
    pub quanto: Fine,
    /// SHA-256 of the document of the day; `None` = it is not closed.
    pub chiusura: Option<Impronta>,
    /// Traces that gave way to others which were sealed on another day.
    pub sostituite_altrove: Vec<String>,
    /// What retention took.
    pub scartate: Vec<Scartate>,
}

/// Rows of the day that one purge took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scartate {
    /// The purge.
    pub pulizia: String,
    /// How many.
    pub righe: u64,
    /// The block that sealed the purge, of another day as a rule: only there it is proved. `None` = it was not sealed yet.
    pub blocco: Option<u64>,
}

/// The longest line of an export: a row whose names are as long as a message may make them.
const LINEA_MAX: u64 = 16 * 1024 * 1024;

/// Reads an export to its end, or to the first anomaly. `visto` is told how many bytes were read.
pub fn verifica(
    lettore: &mut dyn BufRead,
    ancora: Option<&Ancora>,
    visto: &dyn Fn(u64),
) -> io::Result<Result<Esito, Anomalia>> {
    let mut linee = Linee {
        lettore,
        letti: 0,
        visto,
    };
    let Some(Linea::Inizio(inizio @ Inizio { versione: 1, .. })) = linee.next()? else {
        return Ok(Err(Anomalia {
            giorno: Date::ZERO,
            blocco: None,
            posto: None,
            riga: None,
            che: Che::Illeggibile("la prima riga non è quella di un'esportazione della catena"),
        }));
    };
    let filo = Filo::after(inizio.dopo_blocco, inizio.precedente, None);
    let mut lettura = Lettura {
        inizio,
        filo,
        letto: Fine::default(),
        sostituite: Vec::new(),
        pulizie: BTreeMap::new(),
        sigillate: BTreeMap::new(),
        conto: Conto::default(),
    };
    lettura.run(&mut linee, ancora)
}

struct Linee<'r> {
    lettore: &'r mut dyn BufRead,
    letti: u64,
    visto: &'r dyn Fn(u64),
}

impl Linee<'_> {
    /// The next line; `None` where there is none, or none of ours.
    fn next(&mut self) -> io::Result<Option<Linea>> {
        let mut bytes = Vec::new();
        let letti = io::Read::take(&mut *self.lettore, LINEA_MAX).read_until(b'\n', &mut bytes)?;
        self.letti += letti as u64;
        (self.visto)(self.letti);
        Ok(std::str::from_utf8(&bytes).ok().and_then(Linea::parse))
    }

    fn at_end(&mut self) -> io::Result<bool> {
        Ok(self.lettore.fill_buf()?.is_empty())
    }
}

struct Lettura {
    inizio: Inizio,
    filo: Filo,
    letto: Fine,
    /// Traces that gave way, with the block of what took their place.
    sostituite: Vec<(String, Option<u64>)>,
    /// Purges that are told of, with the block that sealed each.
    pulizie: BTreeMap<String, (Scarto, Option<u64>)>,
    /// Purges that were sealed on this very day.
    sigillate: BTreeMap<String, Voce>,
    conto: Conto,
}

impl Lettura {
    fn run(&mut self, linee: &mut Linee<'_>, ancora: Option<&Ancora>) -> io::Result<Result<Esito, Anomalia>> {
        loop {
            let esito = match linee.next()? {
                Some(Linea::Blocco(testata)) => self.blocco(linee, &testata)?,
                Some(Linea::Chiusura(documento)) => {
                    return Ok(match self.chiusura(documento.as_deref(), ancora) {
                        Ok(chiusura) => self.fine(linee, chiusura)?,
                        Err(anomalia) => Err(anomalia),
                    });
                }
                _ => Err(self.at(ILLEGGIBILE)),
            };
            if let Err(anomalia) = esito {
                return Ok(Err(anomalia));
            }
        }
    }

    /// An anomaly where the next block should be.
    fn at(&self, che: Che) -> Anomalia {
        Anomalia {
            giorno: self.inizio.giorno,
            blocco: Some(self.filo.numero + 1),
            posto: None,
            riga: None,
            che,
        }
    }

    fn blocco(&mut self, linee: &mut Linee<'_>, testata: &Testata) -> io::Result<Result<(), Anomalia>> {
        let Some(Linea::Voci(voci)) = linee.next()? else {
            return Ok(Err(self.at(Che::Voce)));
        };
        let mut viste = Vec::with_capacity(voci.len());
        let sigillo = loop {
            match linee.next()? {
                Some(Linea::Riga(riga)) => viste.push(Vista::Riga(riga.voce())),
                Some(Linea::Sostituita { chiave, blocco }) => {
                    self.sostituite.push((chiave.clone(), blocco));
                    viste.push(Vista::Sostituita { chiave, blocco });
                }
                Some(Linea::Pulizia { riga, blocco }) => match Scarto::read(riga) {
                    Some(scarto) => {
                        self.pulizie.insert(scarto.riga.chiave.clone(), (scarto, blocco));
                    }
                    None => return Ok(Err(self.at(ILLEGGIBILE))),
                },
                Some(Linea::Scartata {
                    genere,
                    chiave,
                    pulizia,
                }) => viste.push(Vista::Scartata {
                    genere,
                    chiave,
                    pulizia,
                }),
                Some(Linea::Sigillo(sigillo)) => break sigillo,
                // A line that is none of ours stands where this row stood, or where the block ended.
                _ => return Ok(Err(self.unreadable(testata, &voci, viste))),
            }
            if viste.len() > voci.len() {
                break testata.sigillo();
            }
        };
        if testata.giorno != self.inizio.giorno {
            return Ok(Err(self.at(Che::Catena)));
        }
        let esito = self
            .filo
            .blocco(testata, &voci, sigillo, &viste)
            .and_then(|()| self.scartate(testata, &voci, &viste));
        self.letto.blocchi += 1;
        self.letto.righe += voci.len() as u64;
        Ok(esito)
    }

    /// What is said to have been discarded must be what its purge took.
    fn scartate(&mut self, testata: &Testata, voci: &[Voce], viste: &[Vista]) -> Result<(), Anomalia> {
        for (posto, (voce, vista)) in (1..).zip(voci.iter().zip(viste)) {
            if voce.genere == Genere::Pulizia {
                self.sigillate.insert(voce.chiave.clone(), voce.clone());
            }
            let Vista::Scartata { pulizia, .. } = vista else {
                continue;
            };
            let sua = self.pulizie.get(pulizia);
            if !sua.is_some_and(|(scarto, _)| scarto.took(voce, testata.sigillato_il)) {
                return Err(Anomalia {
                    giorno: testata.giorno,
                    blocco: Some(testata.numero),
                    posto: Some(posto),
                    riga: Some((voce.genere, voce.chiave.clone())),
                    che: Che::Rimossa,
                });
            }
            self.conto.add(voce, pulizia, testata.giorno);
        }
        Ok(())
    }

    /// The purges themselves: such as retention does them, and as they were sealed where that was on this day.
    fn pulizie(&self) -> Result<Vec<Scartate>, Anomalia> {
        let mut scartate = Vec::new();
        for (chiave, righe) in self.conto.iter() {
            let Some((scarto, blocco)) = self.pulizie.get(chiave) else {
                continue;
            };
            let qui = |che| Anomalia {
                giorno: self.inizio.giorno,
                blocco: *blocco,
                posto: None,
                riga: Some((Genere::Pulizia, chiave.to_owned())),
                che,
            };
            let adesso = scarto.conclusa_il().unwrap_or(Timestamp::MAX);
            if let Some(contraria) = scarto.contradiction(adesso) {
                return Err(qui(Che::Scarto(contraria)));
            }
            if !scarto.admits(righe) {
                return Err(qui(Che::Scarto(TROPPE)));
            }
            let di_oggi = blocco
                .is_some_and(|blocco| (self.inizio.dopo_blocco + 1..=self.filo.numero).contains(&blocco));
            if di_oggi && self.sigillate.get(chiave) != Some(&scarto.riga.voce()) {
                return Err(qui(Che::Alterata));
            }
            scartate.push(Scartate {
                pulizia: chiave.to_owned(),
                righe,
                blocco: *blocco,
            });
        }
        Ok(scartate)
    }

    fn unreadable(&mut self, testata: &Testata, voci: &[Voce], mut viste: Vec<Vista>) -> Anomalia {
        let posto = viste.len();
        let Some(voce) = voci.get(posto) else {
            return self.at(ILLEGGIBILE);
        };
        // What was read before it may be wrong already.
        viste.extend(voci[posto..].iter().cloned().map(Vista::Riga));
        match self.filo.blocco(testata, voci, testata.sigillo(), &viste) {
            Err(anomalia) => anomalia,
            Ok(()) => Anomalia {
                blocco: Some(testata.numero),
                posto: Some(posto + 1),
                riga: Some((voce.genere, voce.chiave.clone())),
                ..self.at(ILLEGGIBILE)
            },
        }
    }

    fn chiusura(
        &mut self,
        documento: Option<&str>,
        ancora: Option<&Ancora>,
    ) -> Result<Option<Impronta>, Anomalia> {
        let che = |che| Anomalia {
            giorno: self.inizio.giorno,
            blocco: None,
            posto: None,
            riga: None,
            che,
        };
        if let Some(Ancora {
            documento: detto,
            firma,
        }) = ancora
        {
            if let Some((firma, pubblica)) = firma
                && !pubblica.verify(detto.as_bytes(), firma)
            {
                return Err(che(Che::Ancora(
                    "la firma dell'ancora non è di questa chiave, o l'ancora è alterata",
                )));
            }
            if documento != Some(detto) {
                return Err(che(Che::Ancora(
                    "la chiusura del giorno non è quella dell'ancora",
                )));
            }
        }
        let Some(documento) = documento else {
            return Ok(None);
        };
        let giornata = Giornata::read(documento).filter(|giornata| {
            giornata.giorno == self.inizio.giorno && giornata.ambiente == self.inizio.ambiente
        });
        let Some(giornata) = giornata else {
            return Err(che(Che::Illeggibile(
                "la chiusura del giorno non si legge, o è di un altro",
            )));
        };
        self.filo.chiusura = self.inizio.giorno_precedente_sha256;
        self.filo.chiusura(&giornata)?;
        Ok(Some(self.filo.chiusura))
    }

    fn fine(
        &mut self,
        linee: &mut Linee<'_>,
        chiusura: Option<Impronta>,
    ) -> io::Result<Result<Esito, Anomalia>> {
        let fine = match linee.next()? {
            Some(Linea::Fine(fine)) if linee.at_end()? => fine,
            _ => return Ok(Err(self.at(ILLEGGIBILE))),
        };
        if fine != self.letto {
            return Ok(Err(self.at(Che::Mancano {
                dal: self.filo.numero + 1,
            })));
        }
        // What gave way to a trace of this very file must have it behind it.
        let ultimo = self.filo.numero;
        let in_sospeso = self.filo.in_sospeso();
        for (chiave, blocco, posto) in &in_sospeso {
            let dove = self.sostituite.iter().find(|(altra, _)| altra == chiave);
            if dove.is_some_and(|(_, dove)| dove.is_some_and(|dove| dove <= ultimo)) {
                return Ok(Err(Anomalia {
                    blocco: Some(*blocco),
                    posto: Some(*posto),
                    riga: Some((Genere::Traccia, chiave.clone())),
                    ..self.at(Che::Rimossa)
                }));
            }
        }
        Ok(self.pulizie().map(|scartate| Esito {
            giorno: self.inizio.giorno,
            quanto: self.letto,
            chiusura,
            scartate,
            sostituite_altrove: in_sospeso.into_iter().map(|(chiave, ..)| chiave).collect(),
        }))
    }
}

const ILLEGGIBILE: Che = Che::Illeggibile("qui manca o è alterata una riga del file");
