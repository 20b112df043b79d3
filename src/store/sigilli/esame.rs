//! The chain of a store, walked against its rows; a day of it as a file; the proof of one registration. Nothing of it is in
//! memory but a block and the seals of a day.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::scarti::Scarti;
use super::{ArchivioSigilli, BloccoConservato, StoreError};
use crate::protocollo::NumeroProtocollo;
use crate::sigilli::catena::{Anomalia, Che, Filo, Vista};
use crate::sigilli::esporta::{Fine, Inizio, Linea};
use crate::sigilli::giornata::Giornata;
use crate::sigilli::inclusione::Inclusione;
use crate::sigilli::scarto::Scarto;
use crate::sigilli::{Blocco, Genere, Impronta, Riga, Segni, Testata, Voce};
use crate::store::Inconsistency;

/// A chain that is in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Esaminata {
    /// Blocks.
    pub blocchi: u64,
    /// Rows that were sealed in them.
    pub righe: u64,
    /// Days that are closed.
    pub giorni: u64,
    /// Traces that gave way to that of the registration.
    pub sostituite: u64,
    /// Rows that retention took, by rule.
    pub scartate: BTreeMap<String, u64>,
    /// Purges that have ended and are not sealed yet: what they say is not proved.
    pub pulizie_in_attesa: u64,
    /// When the oldest trace came that is not sealed yet.
    pub in_attesa: Option<Timestamp>,
}

/// What is kept outside of the store and held against it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Esterne {
    /// The documents of closed days.
    pub giornate: Vec<(Date, String)>,
    /// Blocks that were kept, with their seals.
    pub teste: Vec<(u64, Impronta)>,
}

/// What is told of the walk: so many blocks of so many.
pub type Avanzamento<'a> = &'a (dyn Fn(u64, u64) + Send + Sync);

/// Blocks read at once.
const PAGINA: u32 = 16;
/// Days read at once.
const GIORNI: u32 = 64;

/// Walks the whole chain: to its end, or to the first thing that is not as it was sealed.
pub async fn esamina(
    store: &dyn ArchivioSigilli,
    esterne: &Esterne,
    visto: Avanzamento<'_>,
) -> Result<Result<Esaminata, Anomalia>, StoreError> {
    let mut esame = Esame {
        store,
        esterne,
        filo: Filo::new(),
        segni: Segni::default(),
        giornate: VecDeque::new(),
        ultima_giornata: None,
        scarti: Scarti::load(store).await?,
        esaminata: Esaminata::default(),
    };
    let tutti = store.coda().await.map_or(0, |coda| coda.numero());
    loop {
        let pagina = store.blocchi(esame.filo.numero, PAGINA).await?;
        if pagina.is_empty() {
            break;
        }
        for conservato in pagina {
            if let Err(anomalia) = esame.blocco(conservato).await? {
                return Ok(Err(anomalia));
            }
            visto(esame.filo.numero, tutti);
        }
    }
    esame.finish().await
}

struct Esame<'s> {
    store: &'s dyn ArchivioSigilli,
    esterne: &'s Esterne,
    filo: Filo,
    segni: Segni,
    giornate: VecDeque<(Date, String)>,
    ultima_giornata: Option<Date>,
    scarti: Scarti<'s>,
    esaminata: Esaminata,
}

impl Esame<'_> {
    async fn blocco(&mut self, conservato: BloccoConservato) -> Result<Result<(), Anomalia>, StoreError> {
        let (numero, giorno) = (conservato.numero, conservato.giorno);
        let qui = |che| Anomalia {
            giorno,
            blocco: Some(numero),
            posto: None,
            riga: None,
            che,
        };
        if let Err(anomalia) = self.close_before(Some(giorno)).await? {
            return Ok(Err(anomalia));
        }
        let Some(blocco) = conservato.read() else {
            return Ok(Err(qui(Che::Sigillo)));
        };
        let righe = self.store.sigillate(&self.segni, &blocco).await?;
        let viste = seen(self.store, &mut self.scarti, &blocco, &righe).await?;
        let esito = self
            .filo
            .blocco(&blocco.testata, &blocco.voci, blocco.sigillo, &viste)
            .and_then(|()| self.scarti.note(&blocco, &righe, &viste));
        if let Err(anomalia) = esito {
            return Ok(Err(anomalia));
        }
        let contraria = |(testa, sigillo): &(u64, Impronta)| *testa == numero && *sigillo != blocco.sigillo;
        if self.esterne.teste.iter().any(contraria) {
            return Ok(Err(qui(Che::Ancora(
                "il sigillo del blocco non è quello che fu annotato fuori dall'archivio",
            ))));
        }
        let sostituite = viste
            .iter()
            .filter(|vista| matches!(vista, Vista::Sostituita { .. }));
        self.esaminata.sostituite += sostituite.count() as u64;
        self.esaminata.blocchi += 1;
        self.esaminata.righe += blocco.voci.len() as u64;
        self.segni = blocco.testata.segni;
        Ok(Ok(()))
    }

    /// The ends of the days before this one, or of all.
    async fn close_before(&mut self, giorno: Option<Date>) -> Result<Result<(), Anomalia>, StoreError> {
        loop {
            if self.giornate.is_empty() {
                self.giornate = self.store.giornate(self.ultima_giornata, GIORNI).await?.into();
            }
            let prossima = self.giornate.front().map(|(prossimo, _)| *prossimo);
            match (prossima, giorno) {
                (None, _) => return Ok(Ok(())),
                (Some(prossimo), Some(giorno)) if prossimo >= giorno => return Ok(Ok(())),
                _ => {}
            }
            let Some((giorno, documento)) = self.giornate.pop_front() else {
                return Ok(Ok(()));
            };
            self.ultima_giornata = Some(giorno);
            if let Err(anomalia) = self.close(giorno, &documento) {
                return Ok(Err(anomalia));
            }
        }
    }

    fn close(&mut self, giorno: Date, documento: &str) -> Result<(), Anomalia> {
        let che = |che| Anomalia {
            giorno,
            blocco: None,
            posto: None,
            riga: None,
            che,
        };
        let esterna = self.esterne.giornate.iter().find(|(altro, _)| *altro == giorno);
        if esterna.is_some_and(|(_, detto)| detto != documento) {
            return Err(che(Che::Ancora(
                "la chiusura del giorno non è quella dell'ancora",
            )));
        }
        let giornata = Giornata::read(documento).filter(|giornata| giornata.giorno == giorno);
        let giornata = giornata.ok_or_else(|| che(Che::Chiusura("la chiusura del giorno non si legge")))?;
        self.filo.chiusura(&giornata)?;
        self.esaminata.giorni += 1;
        Ok(())
    }

    async fn finish(mut self) -> Result<Result<Esaminata, Anomalia>, StoreError> {
        if let Err(anomalia) = self.close_before(None).await? {
            return Ok(Err(anomalia));
        }
        let ultimo = self.filo.chiuso;
        let altra = self
            .esterne
            .giornate
            .iter()
            .find(|(giorno, _)| Some(*giorno) > ultimo);
        if let Some((giorno, _)) = altra {
            return Ok(Err(Anomalia {
                giorno: *giorno,
                blocco: None,
                posto: None,
                riga: None,
                che: Che::Ancora("il giorno fu chiuso, lo dice l'ancora, e l'archivio non ne sa"),
            }));
        }
        let numero = self.filo.numero;
        if self.esterne.teste.iter().any(|(testa, _)| *testa > numero) {
            return Ok(Err(Anomalia {
                giorno: ultimo.unwrap_or_default(),
                blocco: None,
                posto: None,
                riga: None,
                che: Che::Mancano { dal: numero + 1 },
            }));
        }
        match self.scarti.finish(&self.segni, self.filo.istante()).await? {
            Err(anomalia) => return Ok(Err(anomalia)),
            Ok((scartate, in_attesa)) => {
                self.esaminata.scartate = scartate;
                self.esaminata.pulizie_in_attesa = in_attesa;
            }
        }
        self.esaminata.in_attesa = self.store.attesa(&self.segni).await?;
        Ok(Ok(self.esaminata))
    }
}

/// The rows that stand where a block sealed its own, each in the place of the one that it may be.
async fn seen(
    store: &dyn ArchivioSigilli,
    scarti: &mut Scarti<'_>,
    blocco: &Blocco,
    righe: &[Riga],
) -> Result<Vec<Vista>, StoreError> {
    let presenti: BTreeSet<&str> = righe.iter().map(|riga| &*riga.chiave).collect();
    let mut assenti: Vec<_> = blocco
        .voci
        .iter()
        .filter(|voce| !presenti.contains(&*voce.chiave))
        .collect();
    let tracce = assenti.iter().filter(|voce| voce.genere == Genere::Traccia);
    let tracce: Vec<String> = tracce.map(|voce| voce.chiave.clone()).collect();
    let sostituite = if tracce.is_empty() {
        Vec::new()
    } else {
        store.registrate_fra(&tracce).await?
    };
    assenti.retain(|voce| voce.genere != Genere::Traccia || !sostituite.contains(&voce.chiave));
    let scartate = scarti.took(&assenti, blocco.testata.sigillato_il).await?;
    let mut righe = righe.iter().map(|riga| Vista::Riga(riga.voce()));
    let mut viste = Vec::with_capacity(blocco.voci.len());
    for voce in &blocco.voci {
        if voce.genere == Genere::Traccia && sostituite.contains(&voce.chiave) {
            viste.push(Vista::Sostituita {
                chiave: voce.chiave.clone(),
                blocco: None,
            });
        } else if let Some(pulizia) = scartate.get(&*voce.chiave) {
            viste.push(Vista::Scartata {
                genere: voce.genere,
                chiave: voce.chiave.clone(),
                pulizia: pulizia.clone(),
            });
        } else {
            viste.extend(righe.next());
        }
    }
    viste.extend(righe);
    Ok(viste)
}

/// The first block for which something is so, where it is so for all after it; with what stands before it.
async fn first_block(
    store: &dyn ArchivioSigilli,
    is_so: &(dyn Fn(&Testata) -> bool + Send + Sync),
) -> Result<Option<(Blocco, Option<Testata>)>, StoreError> {
    let (mut prima, mut fino) = (0, store.coda().await?.numero() + 1);
    // Behind `prima` it may be so; at `fino` it is, or there is nothing.
    while fino - prima > 1 {
        let mezzo = prima + (fino - prima) / 2;
        if is_so(&block(store, mezzo).await?.testata) {
            fino = mezzo;
        } else {
            prima = mezzo;
        }
    }
    if fino > store.coda().await?.numero() {
        return Ok(None);
    }
    let precedente = if fino > 1 {
        Some(block(store, fino - 1).await?.testata)
    } else {
        None
    };
    Ok(Some((block(store, fino).await?, precedente)))
}

async fn block(store: &dyn ArchivioSigilli, numero: u64) -> Result<Blocco, StoreError> {
    let trovati = store.blocchi(numero - 1, 1).await?;
    let conservato = trovati
        .into_iter()
        .next()
        .filter(|conservato| conservato.numero == numero);
    let letto = conservato.and_then(BloccoConservato::read);
    letto.ok_or_else(|| illeggibile(numero))
}

fn illeggibile(numero: u64) -> StoreError {
    let causa = format!("block {numero} is not there or cannot be read (`varco trace verify`)");
    Inconsistency::new("sigilli", "numero", causa).into()
}

async fn document(store: &dyn ArchivioSigilli, giorno: Date) -> Result<Option<String>, StoreError> {
    let trovate = store.giornate(giorno.yesterday().ok(), 1).await?;
    Ok(trovate
        .into_iter()
        .find(|(altro, _)| *altro == giorno)
        .map(|(_, documento)| documento))
}

/// Hands out a day line by line; `None` where nothing was sealed on it and it is not closed either. The rows are told as
/// they are now: whether they are as they were sealed is for whoever checks the file.
pub async fn esporta(
    store: &dyn ArchivioSigilli,
    giorno: Date,
    scrivi: &mut (dyn FnMut(&Linea) -> std::io::Result<()> + Send),
    visto: Avanzamento<'_>,
) -> Result<Option<std::io::Result<Fine>>, StoreError> {
    let chiusura = document(store, giorno).await?;
    let ieri = match giorno.yesterday() {
        Ok(ieri) => document(store, ieri).await?,
        Err(_) => None,
    };
    let ieri_sha256 = ieri.map_or(Impronta::NESSUNA, |documento| Impronta::of(documento.as_bytes()));
    let primo = first_block(store, &|testata| testata.giorno >= giorno).await?;
    let primo = primo.filter(|(blocco, _)| blocco.testata.giorno == giorno);
    if primo.is_none() && chiusura.is_none() {
        return Ok(None);
    }
    let (mut segni, dopo_blocco) = match &primo {
        Some((blocco, prima)) => (
            prima
                .as_ref()
                .map_or_else(Segni::default, |prima| prima.segni.clone()),
            blocco.testata.numero - 1,
        ),
        None => (
            Segni::default(),
            chiusura
                .as_deref()
                .and_then(Giornata::read)
                .map_or(0, |giornata| giornata.ultimo_blocco),
        ),
    };
    let mut linee = Linee {
        scrivi,
        esito: Ok(()),
        pulizie: BTreeSet::new(),
    };
    linee.write(&Linea::Inizio(Inizio {
        versione: 1,
        ambiente: store.identita().await?.0.as_str().to_owned(),
        giorno,
        dopo_blocco,
        precedente: primo
            .as_ref()
            .map_or(ieri_sha256, |(blocco, _)| blocco.testata.precedente),
        giorno_precedente_sha256: ieri_sha256,
    }));
    let mut scarti = Scarti::load(store).await?;
    let mut fine = Fine::default();
    let quanti = store.sigilli_di(giorno).await?.sigilli.len() as u64;
    while fine.blocchi < quanti && linee.esito.is_ok() {
        let blocco = block(store, dopo_blocco + fine.blocchi + 1).await?;
        write_block(store, &mut scarti, &segni, &blocco, &mut linee).await?;
        fine.blocchi += 1;
        fine.righe += blocco.voci.len() as u64;
        segni = blocco.testata.segni;
        visto(fine.blocchi, quanti);
    }
    linee.write(&Linea::Chiusura(chiusura));
    linee.write(&Linea::Fine(fine));
    Ok(Some(linee.esito.map(|()| fine)))
}

/// Lines go out until one does not.
struct Linee<'w> {
    scrivi: &'w mut (dyn FnMut(&Linea) -> std::io::Result<()> + Send),
    esito: std::io::Result<()>,
    /// Purges that were told already.
    pulizie: BTreeSet<String>,
}

impl Linee<'_> {
    fn write(&mut self, linea: &Linea) {
        if self.esito.is_ok() {
            self.esito = (self.scrivi)(linea);
        }
    }
}

async fn write_block(
    store: &dyn ArchivioSigilli,
    scarti: &mut Scarti<'_>,
    dopo: &Segni,
    blocco: &Blocco,
    linee: &mut Linee<'_>,
) -> Result<(), StoreError> {
    linee.write(&Linea::Blocco(blocco.testata.clone()));
    linee.write(&Linea::Voci(blocco.voci.clone()));
    let righe = store.sigillate(dopo, blocco).await?;
    let viste = seen(store, scarti, blocco, &righe).await?;
    let mut righe = righe.into_iter();
    for vista in viste {
        match vista {
            Vista::Riga(_) => {
                if let Some(riga) = righe.next() {
                    linee.write(&Linea::Riga(riga));
                }
            }
            Vista::Sostituita { chiave, .. } => {
                let dopo = blocco.testata.numero;
                let blocco = block_of(store, Genere::TracciaRegistrata, &chiave, dopo).await?;
                linee.write(&Linea::Sostituita { chiave, blocco });
            }
            Vista::Scartata {
                genere,
                chiave,
                pulizia,
            } => {
                if let Some(scarto) = scarti.get(&pulizia)
                    && linee.pulizie.insert(pulizia.clone())
                {
                    let blocco = block_of_purge(store, scarto).await?;
                    let riga = scarto.riga.clone();
                    linee.write(&Linea::Pulizia { riga, blocco });
                }
                linee.write(&Linea::Scartata {
                    genere,
                    chiave,
                    pulizia,
                });
            }
        }
    }
    linee.write(&Linea::Sigillo(blocco.sigillo));
    Ok(())
}

/// The block that sealed a purge which has ended.
async fn block_of_purge(store: &dyn ArchivioSigilli, scarto: &Scarto) -> Result<Option<u64>, StoreError> {
    let Some(conclusa_il) = scarto.conclusa_il() else {
        return Ok(None);
    };
    // Some seconds later, unless two machines' clocks differ.
    let dal = conclusa_il - SCARTO_DI_OROLOGI;
    let primo = first_block(store, &|testata| testata.sigillato_il >= dal).await?;
    match primo {
        Some((primo, _)) => {
            block_of(
                store,
                Genere::Pulizia,
                &scarto.riga.chiave,
                primo.testata.numero - 1,
            )
            .await
        }
        None => Ok(None),
    }
}

/// By how much the clocks of who purges and of who seals may differ.
const SCARTO_DI_OROLOGI: SignedDuration = SignedDuration::from_hours(1);

/// The block behind another that sealed a row.
async fn block_of(
    store: &dyn ArchivioSigilli,
    genere: Genere,
    chiave: &str,
    dopo: u64,
) -> Result<Option<u64>, StoreError> {
    let mut dopo = dopo;
    loop {
        let pagina = store.blocchi(dopo, PAGINA).await?;
        let Some(ultimo) = pagina.last() else {
            return Ok(None);
        };
        dopo = ultimo.numero;
        for conservato in pagina {
            let numero = conservato.numero;
            let blocco = conservato.read().ok_or_else(|| illeggibile(numero))?;
            let sua = |voce: &Voce| voce.genere == genere && voce.chiave == chiave;
            if blocco.voci.iter().any(sua) {
                return Ok(Some(numero));
            }
        }
    }
}

/// What there is to prove a registration with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provata {
    /// It is not sealed: it is not there, or is only seconds old.
    NonSigillata,
    /// It is sealed on this day, which is not closed yet.
    GiornoAperto(Date),
    /// The proof.
    Prova(Box<Inclusione>),
}

/// The proof that a registration stands in the chain.
pub async fn prova_di(
    store: &dyn ArchivioSigilli,
    protocollo: &NumeroProtocollo,
) -> Result<Provata, StoreError> {
    let suo = (protocollo.anno(), protocollo.numero());
    let trovato = first_block(store, &|testata| {
        testata
            .segni
            .registri
            .get(protocollo.registro())
            .is_some_and(|fino| *fino >= suo)
    })
    .await?;
    let Some((blocco, prima)) = trovato else {
        return Ok(Provata::NonSigillata);
    };
    let giorno = blocco.testata.giorno;
    if document(store, giorno).await?.is_none() {
        return Ok(Provata::GiornoAperto(giorno));
    }
    let dopo = prima.map_or_else(Segni::default, |prima| prima.segni);
    let righe = store.sigillate(&dopo, &blocco).await?;
    let chiave = protocollo.to_string();
    let sigilli = store.sigilli_di(giorno).await?.sigilli;
    let prova = righe
        .iter()
        .find(|riga| riga.genere == Genere::Registrazione && riga.chiave == chiave)
        .and_then(|riga| Inclusione::new(riga, &blocco, &sigilli));
    Ok(prova.map_or(Provata::NonSigillata, |prova| Provata::Prova(Box::new(prova))))
}
