//! What a registration is, whatever the store: which acts of a batch are new, which number each of them draws, what is
//! written of it. No SQL and no waiting; the stores look up, lock and write.

use std::collections::{BTreeSet, HashMap, HashSet};

use bytes::Bytes;
use jiff::Timestamp;
use uuid::Uuid;

use super::ancore::Ancore;
use super::codec::{Conservati, pack, packer};
use super::valori::al_millesimo;
use super::{Atto, Chiave, Contenuto, Inconsistency, Registrazione, StoreError};
use crate::domanda::atto::Seguito;
use crate::domanda::sha256::Sha256;
use crate::domanda::stato::StatoDomanda;
use crate::domanda::{Allegato, Ambiente, Avente, CodiceFiscale, DomandaViva, Fascicolo, Scheda, SchedaViva};
use crate::patronato::CodiceEnte;
use crate::protocollo::{NumeroDomanda, NumeroProtocollo, data_a_roma};
use crate::ricevuta::{DIGEST_VERSIONE, Registrata, Ricevuta, SchedaRicevuta};
use crate::trace::Traccia;

/// The live sheets of children, by service and codice fiscale.
pub(super) type Vive = HashMap<(&'static str, String), SchedaViva>;

/// The live domande of those who have one, by service and codice fiscale.
pub(super) type Aperte = HashMap<DiChi, Vec<Aperta>>;

/// In which service, and who.
type DiChi = (&'static str, CodiceFiscale);

/// A live domanda, with the children who have a live sheet in it.
#[derive(Clone)]
pub(super) struct Aperta {
    pub(super) chi: Chi,
    pub(super) minori: BTreeSet<CodiceFiscale>,
}

/// Which domanda is live.
#[derive(Clone)]
pub(super) enum Chi {
    /// One of before.
    Nota(DomandaViva),
    /// That of the act at that place of this very batch, which has no number yet.
    DiQui(usize),
}

/// Which domande they are, of before.
pub(super) fn note(aperte: Aperte) -> Vec<DomandaViva> {
    let aperte = aperte.into_values().flatten();
    let nota = |aperta: Aperta| match aperta.chi {
        Chi::Nota(viva) => Some(viva),
        Chi::DiQui(_) => None,
    };
    aperte.filter_map(nota).collect()
}

/// What becomes of one act.
pub(super) enum Sorte {
    /// Key and children are free: it gets the next number.
    Accolto,
    /// The key is taken by a registration of before.
    GiaRegistrato(Registrata),
    /// The key is taken by the act at that place of this very batch.
    CopiaDi(usize),
    /// These children (by place) have a live sheet.
    SchedaViva(Vec<(u32, SchedaViva)>),
    /// Whose domanda it is has this one; beside it these children have a live sheet.
    DomandaViva(Chi, Vec<(u32, SchedaViva)>),
    /// Its domanda is no longer the one that the rules saw.
    Superata,
    /// The key is taken by a lot.
    ChiaveDiLotto(Uuid),
    /// The busta was used up before, or by an act of this very batch.
    BustaDoppia,
}

/// What a store has seen, under its locks, before it decides.
#[derive(Default)]
pub(super) struct Visto {
    /// The keys that are taken.
    pub(super) gia_registrate: HashMap<Chiave, Registrata>,
    /// The keys that lots have.
    pub(super) di_lotti: HashMap<Chiave, Uuid>,
    /// The children that have a live sheet.
    pub(super) vive: Vive,
    /// Those who have a live domanda.
    pub(super) aperte: Aperte,
    /// The domande that acts are about.
    pub(super) attuali: HashMap<NumeroDomanda, Attuale>,
    /// The acts, by place, of which it was found before that they come too late.
    pub(super) superati: BTreeSet<usize>,
    /// The Identificativi of buste that were used up before.
    pub(super) buste: HashSet<String>,
}

/// A domanda as it stands under the lock.
#[derive(Clone, Copy)]
pub(super) struct Attuale {
    pub(super) versione: u64,
    /// The registration that opened it.
    pub(super) registrazione: i64,
}

/// Decides in the order of the batch, which is the order of arrival.
pub(super) fn decide(atti: &[&Atto], visto: &Visto) -> Vec<Sorte> {
    let mut decisione = Decisione {
        visto,
        vive: visto.vive.clone(),
        aperte: visto.aperte.clone(),
        toccate: HashSet::new(),
        subentrata: false,
    };
    let mut accolti: HashMap<&Chiave, usize> = HashMap::new();
    let mut buste: HashSet<&str> = HashSet::new();
    let mut sorti = Vec::with_capacity(atti.len());
    for (posto, atto) in atti.iter().enumerate() {
        if let Some(registrata) = visto.gia_registrate.get(&atto.chiave) {
            sorti.push(Sorte::GiaRegistrato(registrata.clone()));
            continue;
        }
        if let Some(lotto) = visto.di_lotti.get(&atto.chiave) {
            sorti.push(Sorte::ChiaveDiLotto(*lotto));
            continue;
        }
        if let Some(primo) = accolti.get(&atto.chiave) {
            sorti.push(Sorte::CopiaDi(*primo));
            continue;
        }
        let busta = atto.busta().map(|(_, identificatore)| identificatore);
        if busta.is_some_and(|busta| visto.buste.contains(busta) || buste.contains(busta)) {
            sorti.push(Sorte::BustaDoppia);
            continue;
        }
        let sorte = match &atto.contenuto {
            Contenuto::Domanda(fascicolo) => decisione.domanda(posto, atto, fascicolo),
            Contenuto::Seguito(seguito) => decisione.seguito(posto, atto, seguito),
        };
        if matches!(sorte, Sorte::Accolto) {
            accolti.insert(&atto.chiave, posto);
            buste.extend(busta);
        }
        sorti.push(sorte);
    }
    sorti
}

/// What a batch has decided so far.
struct Decisione<'v> {
    visto: &'v Visto,
    vive: Vive,
    aperte: Aperte,
    /// The domande that an act of this batch changes.
    toccate: HashSet<NumeroDomanda>,
    /// A domanda of this batch took the place of somebody's sheet.
    subentrata: bool,
}

impl Decisione<'_> {
    /// A domanda is taken when its sheets are, and whose it is has no other live one. Where no child is free, the sheets
    /// say all there is to say.
    fn domanda(&mut self, posto: usize, atto: &Atto, fascicolo: &Fascicolo) -> Sorte {
        let servizio = atto.chiave.servizio;
        let di_chi = di_chi(atto);
        if let Some(chi) = self.aperta(di_chi.as_ref(), &atto.chiave.ente) {
            let gia_vive = self.look(servizio, fascicolo.schede.iter()).gia_vive;
            return if gia_vive.len() < fascicolo.schede.len() {
                Sorte::DomandaViva(chi, gia_vive)
            } else {
                Sorte::SchedaViva(gia_vive)
            };
        }
        let sorte = self.schede(servizio, fascicolo.schede.iter());
        if matches!(sorte, Sorte::Accolto) {
            for scheda in fascicolo.schede.iter().filter(|scheda| scheda.subentra) {
                self.close(servizio, &scheda.codice_fiscale);
            }
            let minori = fascicolo
                .schede
                .iter()
                .map(|scheda| scheda.codice_fiscale.clone());
            self.open(di_chi, Chi::DiQui(posto), minori.collect());
        }
        sorte
    }

    /// The live domanda of somebody who may have one alone; of several the ente is told its own.
    fn aperta(&self, di_chi: Option<&DiChi>, ente: &CodiceEnte) -> Option<Chi> {
        let aperte = self.aperte.get(di_chi?)?;
        let propria = aperte
            .iter()
            .find(|aperta| matches!(&aperta.chi, Chi::Nota(viva) if viva.ente == *ente));
        propria
            .or_else(|| aperte.first())
            .map(|aperta| aperta.chi.clone())
    }

    /// From now on it is somebody's live domanda.
    fn open(&mut self, di_chi: Option<DiChi>, chi: Chi, minori: BTreeSet<CodiceFiscale>) {
        if let Some(di_chi) = di_chi {
            self.aperte
                .entry(di_chi)
                .or_default()
                .push(Aperta { chi, minori });
        }
    }

    /// The sheet of a child is no longer live, nor is its domanda when it was the last one.
    fn close(&mut self, servizio: &'static str, minore: &CodiceFiscale) {
        for (_, aperte) in self
            .aperte
            .iter_mut()
            .filter(|((altro, _), _)| *altro == servizio)
        {
            aperte.retain_mut(|aperta| !aperta.minori.remove(minore) || !aperta.minori.is_empty());
        }
    }

    /// Sheets are taken when the child of each is free, or has a sheet whose place it takes.
    fn schede<'s>(&mut self, servizio: &'static str, schede: impl Iterator<Item = &'s Scheda>) -> Sorte {
        let Sguardo {
            nuove,
            gia_vive,
            subentra,
        } = self.look(servizio, schede);
        if gia_vive.is_empty() {
            self.vive.extend(nuove);
            self.subentrata |= subentra;
            Sorte::Accolto
        } else {
            Sorte::SchedaViva(gia_vive)
        }
    }

    /// How these sheets stand to the live ones.
    fn look<'s>(&self, servizio: &'static str, schede: impl Iterator<Item = &'s Scheda>) -> Sguardo {
        let mut sguardo = Sguardo::default();
        for scheda in schede {
            let chiave = (servizio, scheda.codice_fiscale.as_str().to_owned());
            let viva = self.vive.get(&chiave);
            sguardo.subentra |= viva.is_some();
            let viva = viva.filter(|viva| !scheda.takes_place_of(viva));
            if let Some(viva) = viva.or_else(|| sguardo.nuove.get(&chiave)) {
                sguardo.gia_vive.push((scheda.posto, viva.clone()));
                continue;
            }
            let presentata = SchedaViva {
                codice_fiscale: scheda.codice_fiscale.clone(),
                stato: StatoDomanda::Presentata.as_str().to_owned(),
                subentrata: scheda.subentra,
            };
            sguardo.nuove.insert(chiave, presentata);
        }
        sguardo
    }

    /// An act is taken while its domanda is the one that the rules saw: nobody has changed it since, neither before this
    /// batch nor in it. (Whose sheet it was that somebody took the place of is not asked: the next batch tells.)
    fn seguito(&mut self, posto: usize, atto: &Atto, seguito: &Seguito) -> Sorte {
        let servizio = atto.chiave.servizio;
        let numero = seguito.numero_domanda;
        let e_quella = self
            .visto
            .attuali
            .get(&numero)
            .is_some_and(|attuale| attuale.versione == seguito.versione);
        if !e_quella
            || self.subentrata
            || self.visto.superati.contains(&posto)
            || self.toccate.contains(&numero)
        {
            return Sorte::Superata;
        }
        let di_chi = di_chi(atto);
        if let Some(chi) = self.aperta(di_chi.as_ref(), &atto.chiave.ente) {
            return Sorte::DomandaViva(chi, Vec::new());
        }
        let sorte = self.schede(servizio, seguito.nuove_schede());
        if !matches!(sorte, Sorte::Accolto) {
            return sorte;
        }
        self.toccate.insert(numero);
        let ora_sua = Chi::Nota(DomandaViva {
            numero,
            ente: seguito.ente.clone(),
        });
        // An act that changes whose domanda it is touches every live sheet.
        let minori = seguito.schede.iter().map(|scheda| scheda.codice_fiscale.clone());
        self.open(di_chi, ora_sua, minori.collect());
        for minore in seguito.liberati() {
            self.vive.remove(&(servizio, minore.as_str().to_owned()));
            self.close(servizio, minore);
        }
        Sorte::Accolto
    }
}

/// What a look at the sheets of an act has found.
#[derive(Default)]
struct Sguardo {
    /// Those that it brings.
    nuove: Vive,
    /// The live ones that stand in its way.
    gia_vive: Vec<(u32, SchedaViva)>,
    /// Some child had a live sheet before.
    subentra: bool,
}

/// Whose domanda an act opens, or makes of one that is there, where one of them lives at a time.
pub(super) fn avente(atto: &Atto) -> Option<(&'static str, &Avente)> {
    let avente = match &atto.contenuto {
        Contenuto::Domanda(fascicolo) => &fascicolo.avente,
        Contenuto::Seguito(seguito) => &seguito.nuovo_avente,
    };
    Some((atto.chiave.servizio, avente.as_ref()?))
}

/// The same, as their live domande are kept.
fn di_chi(atto: &Atto) -> Option<DiChi> {
    avente(atto).map(|(servizio, avente)| (servizio, avente.codice_fiscale.clone()))
}

/// Whose live domande are looked for, each once, and in which qualities: those are one prestazione's, the same for all.
/// Nobody is nothing to look for.
pub(super) fn cercati<'a>(aventi: &[&'a Avente]) -> Option<(BTreeSet<&'a str>, &'static [&'static str])> {
    let qualita = aventi.first()?.qualita;
    let codici = aventi.iter().map(|avente| avente.codice_fiscale.as_str());
    Some((codici.collect(), qualita))
}

/// The outcome of each act, told from what was decided and what was written.
pub(super) fn outcomes(
    atti: &[&Atto],
    sorti: Vec<Sorte>,
    nuove: &[Nuova<'_>],
) -> Result<Scritte, StoreError> {
    let mut per_posto: HashMap<usize, &Registrata> = HashMap::with_capacity(nuove.len());
    let mut in_ordine = nuove.iter();
    let mut esiti = Vec::with_capacity(atti.len());
    for (posto, (atto, sorte)) in atti.iter().zip(sorti).enumerate() {
        esiti.push(match sorte {
            Sorte::Accolto => {
                let scritta = in_ordine.next().ok_or_else(misura)?;
                per_posto.insert(posto, &scritta.registrata);
                Registrazione::Registrata(scritta.registrata.clone())
            }
            Sorte::GiaRegistrato(registrata) => again(atto, registrata),
            Sorte::CopiaDi(primo) => {
                let registrata = per_posto.get(&primo).ok_or_else(misura)?;
                again(atto, (*registrata).clone())
            }
            Sorte::SchedaViva(vive) => Registrazione::SchedaViva(vive),
            Sorte::DomandaViva(Chi::Nota(viva), vive) => Registrazione::DomandaViva(viva, vive),
            Sorte::DomandaViva(Chi::DiQui(primo), vive) => {
                let registrata = per_posto.get(&primo).ok_or_else(misura)?;
                let viva = DomandaViva {
                    numero: registrata.numero_domanda,
                    ente: atti[primo].chiave.ente.clone(),
                };
                Registrazione::DomandaViva(viva, vive)
            }
            Sorte::Superata => Registrazione::Superata,
            Sorte::ChiaveDiLotto(lotto) => Registrazione::ChiaveDiLotto(lotto),
            Sorte::BustaDoppia => Registrazione::BustaDoppia,
        });
    }
    Ok(Scritte {
        esiti,
        ids: nuove.iter().map(|nuova| nuova.id).collect(),
        tratti: None,
    })
}

/// What one transaction has made of its acts.
pub(super) struct Scritte {
    /// The outcome of each.
    pub(super) esiti: Vec<Registrazione>,
    /// The store's own ids of those that it registered, in their order.
    pub(super) ids: Vec<i64>,
    /// The numbers that were drawn for them, to be anchored once they are committed.
    pub(super) tratti: Option<Tratti>,
}

impl Scritte {
    /// With the numbers that were drawn for so many.
    pub(super) fn drawn(mut self, numeri: &Numeri, quanti: usize) -> Self {
        let registri = numeri.registri.iter();
        self.tratti = Some(Tratti {
            registri: registri
                .map(|(registro, contatore)| (*registro, contatore.anno, contatore.ultimo))
                .collect(),
            domanda: numeri.ultima_domanda,
            quanti: quanti as u64,
        });
        self
    }
}

/// How far the numbers have come with a batch.
#[derive(Debug)]
pub(super) struct Tratti {
    /// Register, year and last number.
    pub(super) registri: Vec<(&'static str, i16, u64)>,
    /// The last number of a domanda.
    pub(super) domanda: u64,
    /// So many were registered.
    pub(super) quanti: u64,
}

/// The same key again: a repetition when the content is the same, else a conflict.
pub(super) fn again(atto: &Atto, registrata: Registrata) -> Registrazione {
    if registrata.digest == atto.digest && registrata.digest_versione == DIGEST_VERSIONE {
        Registrazione::Ripetuta(registrata)
    } else {
        Registrazione::Conflitto(registrata)
    }
}

/// There is one new registration for each accepted act: anything else is a mistake of this module.
pub(super) fn misura() -> StoreError {
    Inconsistency::new("registrazioni", "id", "fewer rows than accepted acts").into()
}

/// Whether all that a batch was to register is there: a transaction is there whole or not at all, so with every new
/// registration found, all was told true.
pub(super) fn were_written(
    atti: &[&Atto],
    esiti: &[Registrazione],
    trovate: &HashMap<Chiave, Registrata>,
) -> bool {
    atti.iter().zip(esiti).all(|(atto, esito)| match esito {
        Registrazione::Registrata(registrata) => trovate.get(&atto.chiave) == Some(registrata),
        Registrazione::Ripetuta(_)
        | Registrazione::Conflitto(_)
        | Registrazione::SchedaViva(_)
        | Registrazione::DomandaViva(..)
        | Registrazione::Superata
        | Registrazione::ChiaveDiLotto(_)
        | Registrazione::BustaDoppia => true,
    })
}

/// The registers of these acts, in the order in which they are locked.
pub(super) fn registri(atti: &[&Atto]) -> BTreeSet<&'static str> {
    atti.iter().map(|atto| atto.prestazione.registro).collect()
}

/// The counters, as they stand under the lock; what was drawn is written back before it is let go.
pub(super) struct Numeri {
    registri: HashMap<&'static str, Contatore>,
    ultima_domanda: u64,
}

/// One register at the instant of a batch.
pub(super) struct Contatore {
    pub(super) anno: i16,
    pub(super) ultimo: u64,
    pub(super) istante: Timestamp,
    /// The emergency that is open on it.
    emergenza: Option<i64>,
}

/// The row of a register: `anno`, `ultimo`, `ultimo_istante` and `chiuso_fino_a` in milliseconds, and the emergency that
/// is open on it.
pub(super) type RigaContatore = (i16, i64, i64, i64, Option<i64>);

impl Numeri {
    /// No register yet; the numbers of domande go on after this one, unless a later one was told.
    pub(super) fn after(ultima_domanda: u64, ancore: &Ancore) -> Result<Self, StoreError> {
        ancore.hold_domande(ultima_domanda)?;
        Ok(Self {
            registri: HashMap::new(),
            ultima_domanda,
        })
    }

    /// Adds a register by its row, unless more was told than it knows of.
    pub(super) fn insert(
        &mut self,
        registro: &'static str,
        adesso: Timestamp,
        riga: Option<RigaContatore>,
        ancore: &Ancore,
    ) -> Result<(), StoreError> {
        let (anno, ultimo) = riga.map_or((0, 0), |(anno, ultimo, ..)| {
            (anno, u64::try_from(ultimo).unwrap_or(0))
        });
        ancore.hold(registro, (anno, ultimo))?;
        self.registri.insert(registro, Contatore::at(adesso, riga)?);
        Ok(())
    }

    /// Draws the next number of an act's register, and tells its instant and its line in the emergency register.
    fn draw(&mut self, atto: &Atto) -> Result<(NumeroProtocollo, Timestamp, Option<Correlata>), StoreError> {
        let registro = atto.prestazione.registro;
        let contatore = self.registri.get_mut(registro).ok_or_else(misura)?;
        let correlata = match (contatore.emergenza, atto.emergenza) {
            (None, None) => None,
            (Some(emergenza), Some(numero)) => Some(Correlata { emergenza, numero }),
            (Some(_), None) => return Err(StoreError::Emergenza(registro.to_owned())),
            (None, Some(_)) => {
                let chiusa = format!("the emergency register of {registro} is not open");
                return Err(StoreError::Refused(chiusa));
            }
        };
        Ok((contatore.next(registro)?, contatore.istante, correlata))
    }

    /// Draws the number of a new domanda.
    fn draw_domanda(&mut self) -> NumeroDomanda {
        self.ultima_domanda += 1;
        NumeroDomanda(self.ultima_domanda)
    }

    /// The registers with what was drawn from them.
    pub(super) fn registri(&self) -> Vec<(&'static str, &Contatore)> {
        self.registri
            .iter()
            .map(|(registro, contatore)| (*registro, contatore))
            .collect()
    }

    /// The last domanda that was drawn.
    pub(super) fn ultima_domanda(&self) -> u64 {
        self.ultima_domanda
    }
}

impl Contatore {
    /// A register's row (none: it was never drawn from), moved to the instant of this batch: never before the last one,
    /// never in a closed day; a new year in Rome begins at 1.
    fn at(adesso: Timestamp, riga: Option<RigaContatore>) -> Result<Self, StoreError> {
        let (anno, ultimo, ultimo_istante, chiuso_fino_a, emergenza) =
            riga.unwrap_or((0, 0, i64::MIN, i64::MIN, None));
        let ms = adesso.as_millisecond().max(ultimo_istante).max(chiuso_fino_a);
        let istante = Timestamp::from_millisecond(ms)
            .map_err(|source| Inconsistency::new("registro", "ultimo_istante", source))?;
        let anno_ora = data_a_roma(istante).year();
        let ultimo = if anno_ora == anno {
            u64::try_from(ultimo).map_err(|source| Inconsistency::new("registro", "ultimo", source))?
        } else {
            0
        };
        Ok(Self {
            anno: anno_ora,
            ultimo,
            istante,
            emergenza,
        })
    }

    fn next(&mut self, registro: &'static str) -> Result<NumeroProtocollo, StoreError> {
        let numero = self.ultimo + 1;
        let protocollo = NumeroProtocollo::new(registro, self.anno, numero).ok_or_else(|| {
            StoreError::Refused(format!(
                "register {registro} cannot number {numero} in {}",
                self.anno
            ))
        })?;
        self.ultimo = numero;
        Ok(protocollo)
    }
}

/// The new registrations of a batch, in its order: one for each accepted act, under the id that it has in the store.
pub(super) fn compose<'a>(
    ambiente: Ambiente,
    atti: &[&'a Atto],
    sorti: &[Sorte],
    richieste: Vec<Richiesta>,
    visto: &Visto,
    numeri: &mut Numeri,
    mut id: impl FnMut(&Atto) -> Result<i64, StoreError>,
) -> Result<Vec<Nuova<'a>>, StoreError> {
    let mut nuove = Vec::with_capacity(atti.len());
    for ((atto, sorte), richiesta) in atti.iter().zip(sorti).zip(richieste) {
        if matches!(sorte, Sorte::Accolto) {
            nuove.push(Nuova::compose(
                ambiente,
                id(atto)?,
                atto,
                richiesta,
                visto,
                numeri,
            )?);
        }
    }
    Ok(nuove)
}

/// One new registration, with all that its rows need.
pub(super) struct Nuova<'a> {
    /// The store's own id of it.
    pub(super) id: i64,
    /// The registration that opened the domanda, of an act about one.
    pub(super) collegato_a: Option<i64>,
    pub(super) protocollo: String,
    /// Its line in the emergency register, if it was taken in there.
    pub(super) correlata: Option<Correlata>,
    pub(super) atto: &'a Atto,
    pub(super) registrata: Registrata,
    pub(super) ricevuta: Ricevuta,
    /// SHA-256 of the receipt's bytes.
    pub(super) ricevuta_sha256: [u8; 32],
    /// The receipt as it is kept.
    pub(super) ricevuta_conservata: Conservati,
    pub(super) richiesta: Richiesta,
    pub(super) traccia: Traccia,
}

/// A line of the emergency register (DPR 445/2000 art. 63).
#[derive(Debug, Clone, Copy)]
pub(super) struct Correlata {
    /// Of which interruption.
    pub(super) emergenza: i64,
    /// The emergency number.
    pub(super) numero: u64,
}

/// A request as it is kept.
pub(super) struct Richiesta {
    /// SHA-256 of the whole of it, as received.
    pub(super) sha256: [u8; 32],
    pub(super) conservata: Conservati,
}

impl Richiesta {
    fn of(bytes: &[u8], pack: fn(&[u8]) -> Conservati) -> Self {
        Self {
            sha256: Sha256::of(bytes),
            conservata: pack(bytes),
        }
    }
}

impl<'a> Nuova<'a> {
    /// Draws the numbers and writes the receipt.
    fn compose(
        ambiente: Ambiente,
        id: i64,
        atto: &'a Atto,
        richiesta: Richiesta,
        visto: &Visto,
        numeri: &mut Numeri,
    ) -> Result<Self, StoreError> {
        let (protocollo, registrata_il, correlata) = numeri.draw(atto)?;
        let numero_domanda = match &atto.contenuto {
            Contenuto::Domanda(_) => numeri.draw_domanda(),
            Contenuto::Seguito(seguito) => seguito.numero_domanda,
        };
        let (oggetto, richiedente, schede, prossimi_passi) = match &atto.contenuto {
            Contenuto::Domanda(fascicolo) => (
                fascicolo
                    .oggetto
                    .replace("{numero}", &numero_domanda.0.to_string()),
                &fascicolo.richiedente,
                fascicolo.schede.iter().map(SchedaRicevuta::from).collect(),
                atto.prestazione.prossimi_passi,
            ),
            Contenuto::Seguito(seguito) => (
                seguito.oggetto.clone(),
                &seguito.richiedente,
                seguito.schede.clone(),
                seguito.prossimi_passi,
            ),
        };
        let ricevuta = Ricevuta {
            prestazione: atto.prestazione.titolo.to_owned(),
            ambiente,
            protocollo: protocollo.clone(),
            numero_domanda,
            chiave: atto.chiave.chiave.clone(),
            presentata_il: al_millesimo(atto.presentata_il),
            registrata_il,
            oggetto,
            ente: atto.chiave.ente.clone(),
            ente_denominazione: atto.ente_denominazione.clone(),
            codice_ufficio: atto.codice_ufficio.clone(),
            user_id: atto.user_id.clone(),
            richiedente: richiedente.clone(),
            canale: atto.canale,
            impronta: atto.impronta,
            schede,
            prossimi_passi: prossimi_passi.to_owned(),
        };
        let bytes = Bytes::from((atto.stampa)(&ricevuta));

        let mut traccia = atto.traccia.clone();
        "REGISTRATA".clone_into(&mut traccia.esito);
        let in_lettere = protocollo.to_string();
        traccia.protocollo = Some(in_lettere.clone());
        traccia.numero_domanda = Some(numero_domanda.0);
        // The answer is written after us; where the caller could not know its size, the receipt's says most of it.
        if traccia.risposta_len == 0 {
            traccia.risposta_len = bytes.len() as u64;
        }
        let ricevuta_sha256 = Sha256::of(&bytes);
        // Alike for every channel: a gateway of before, beside us during an upgrade, answers a repetition with it.
        let ricevuta_conservata = pack(&bytes);
        Ok(Self {
            id,
            collegato_a: visto
                .attuali
                .get(&numero_domanda)
                .map(|attuale| attuale.registrazione),
            protocollo: in_lettere,
            correlata,
            atto,
            registrata: Registrata {
                protocollo,
                numero_domanda,
                chiave: atto.chiave.chiave.clone(),
                digest: atto.digest,
                digest_versione: DIGEST_VERSIONE,
                ricevuta: bytes,
                annullata: false,
            },
            ricevuta,
            ricevuta_sha256,
            ricevuta_conservata,
            richiesta,
            traccia,
        })
    }
}

impl<'a> Nuova<'a> {
    /// With its line in the emergency register, if it was taken in there.
    pub(super) fn in_emergenza(&'a self) -> Option<(&'a Self, Correlata)> {
        Some((self, self.correlata?))
    }

    /// With each of the sheets that it brings.
    pub(super) fn schede(&'a self) -> impl Iterator<Item = (&'a Self, &'a Scheda)> {
        self.atto.contenuto.schede().map(move |scheda| (self, scheda))
    }

    /// With each of the documents that it brings, and its place among them from 1.
    pub(super) fn allegati(&'a self) -> impl Iterator<Item = (&'a Self, u32, &'a Allegato)> {
        (1..)
            .zip(self.atto.contenuto.allegati())
            .map(move |(posto, allegato)| (self, posto, allegato))
    }

    /// With the domanda that it opens, if it opens one.
    pub(super) fn opening(&'a self) -> Option<(&'a Self, &'a Fascicolo)> {
        Some((self, self.atto.contenuto.fascicolo()?))
    }

    /// With the change that it makes, if it makes one.
    pub(super) fn following(&'a self) -> Option<(&'a Self, &'a Seguito)> {
        Some((self, self.atto.contenuto.seguito()?))
    }
}

/// Hashes and compresses the requests; long ones away from the threads that serve connections.
pub(super) async fn pack_richieste(atti: &[&Atto]) -> Vec<Richiesta> {
    let in_tutto: usize = atti.iter().map(|atto| atto.richiesta.len()).sum();
    if in_tutto > COMPRESSIONE_IN_DISPARTE {
        let richieste: Vec<(Bytes, _)> = atti
            .iter()
            .map(|atto| (atto.richiesta.clone(), packer(&atto.traccia)))
            .collect();
        let in_disparte = tokio::task::spawn_blocking(move || {
            richieste
                .iter()
                .map(|(bytes, pack)| Richiesta::of(bytes, *pack))
                .collect()
        });
        if let Ok(compresse) = in_disparte.await {
            return compresse;
        }
    }
    atti.iter()
        .map(|atto| Richiesta::of(&atto.richiesta, packer(&atto.traccia)))
        .collect()
}

/// From so many bytes on a batch is compressed on a thread of its own (some milliseconds' work).
const COMPRESSIONE_IN_DISPARTE: usize = 512 * 1024;
