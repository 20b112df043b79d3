//! What a registration is, whatever the store: which acts of a batch are new, which number each of them draws, what is
//! written of it. No SQL and no waiting; the stores look up, lock and write.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use jiff::Timestamp;

use super::codec::{Conservati, pack};
use super::valori::al_millesimo;
use super::{Atto, Chiave, Inconsistency, Registrazione, StoreError};
use crate::domanda::sha256::Sha256;
use crate::domanda::{Ambiente, SchedaViva};
use crate::protocollo::{NumeroDomanda, NumeroProtocollo, data_a_roma};
use crate::ricevuta::{DIGEST_VERSIONE, Registrata, Ricevuta};
use crate::trace::Traccia;

/// The live sheets of children, by service and codice fiscale.
pub(super) type Vive = HashMap<(&'static str, String), SchedaViva>;

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
}

/// Decides in the order of the batch, which is the order of arrival.
pub(super) fn decide(
    atti: &[Atto],
    gia_registrate: &HashMap<Chiave, Registrata>,
    mut vive: Vive,
) -> Vec<Sorte> {
    let mut accolti: HashMap<&Chiave, usize> = HashMap::new();
    let mut sorti = Vec::with_capacity(atti.len());
    for (posto, atto) in atti.iter().enumerate() {
        if let Some(registrata) = gia_registrate.get(&atto.chiave) {
            sorti.push(Sorte::GiaRegistrato(registrata.clone()));
            continue;
        }
        if let Some(primo) = accolti.get(&atto.chiave) {
            sorti.push(Sorte::CopiaDi(*primo));
            continue;
        }
        let servizio = atto.chiave.servizio;
        let mut propri: HashMap<_, SchedaViva> = HashMap::new();
        let mut gia_vive = Vec::new();
        for scheda in &atto.fascicolo.schede {
            let chiave = (servizio, scheda.codice_fiscale.as_str().to_owned());
            let viva = vive.get(&chiave).filter(|viva| !scheda.takes_place_of(viva));
            if let Some(viva) = viva.or_else(|| propri.get(&chiave)) {
                gia_vive.push((scheda.posto, viva.clone()));
                continue;
            }
            let presentata = SchedaViva {
                codice_fiscale: scheda.codice_fiscale.clone(),
                stato: PRESENTATA.to_owned(),
                subentrata: scheda.subentra,
            };
            propri.insert(chiave, presentata);
        }
        if gia_vive.is_empty() {
            vive.extend(propri);
            accolti.insert(&atto.chiave, posto);
            sorti.push(Sorte::Accolto);
        } else {
            sorti.push(Sorte::SchedaViva(gia_vive));
        }
    }
    sorti
}

/// The outcome of each act, told from what was decided and what was written.
pub(super) fn outcomes(
    atti: &[Atto],
    sorti: Vec<Sorte>,
    nuove: &[Nuova<'_>],
) -> Result<Vec<Registrazione>, StoreError> {
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
        });
    }
    Ok(esiti)
}

/// The same key again: a repetition when the content is the same, else a conflict.
fn again(atto: &Atto, registrata: Registrata) -> Registrazione {
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
    atti: &[Atto],
    esiti: &[Registrazione],
    trovate: &HashMap<Chiave, Registrata>,
) -> bool {
    atti.iter().zip(esiti).all(|(atto, esito)| match esito {
        Registrazione::Registrata(registrata) => trovate.get(&atto.chiave) == Some(registrata),
        Registrazione::Ripetuta(_) | Registrazione::Conflitto(_) | Registrazione::SchedaViva(_) => true,
    })
}

/// The registers of these acts, in the order in which they are locked.
pub(super) fn registri(atti: &[Atto]) -> BTreeSet<&'static str> {
    atti.iter().map(|atto| atto.prestazione.registro).collect()
}

/// The counters, as they stand under the lock; what was drawn is written back before it is let go.
pub(super) struct Numeri {
    registri: HashMap<&'static str, Contatore>,
    ultima_domanda: u64,
}

/// What one registration draws.
pub(super) struct Estratti {
    pub(super) protocollo: NumeroProtocollo,
    pub(super) numero_domanda: NumeroDomanda,
    pub(super) registrata_il: Timestamp,
}

/// One register at the instant of a batch.
pub(super) struct Contatore {
    pub(super) anno: i16,
    pub(super) ultimo: u64,
    pub(super) istante: Timestamp,
}

/// The row of a register: `anno`, `ultimo`, `ultimo_istante` and `chiuso_fino_a` in milliseconds, and the emergency that
/// is open on it.
pub(super) type RigaContatore = (i16, i64, i64, i64, Option<i64>);

impl Numeri {
    /// No register yet; the numbers of domande go on after this one.
    pub(super) fn after(ultima_domanda: u64) -> Self {
        Self {
            registri: HashMap::new(),
            ultima_domanda,
        }
    }

    /// Adds a register.
    pub(super) fn insert(&mut self, registro: &'static str, contatore: Contatore) {
        self.registri.insert(registro, contatore);
    }

    /// Draws the next number of a register, and the next domanda with it.
    pub(super) fn draw(&mut self, registro: &'static str) -> Result<Estratti, StoreError> {
        let contatore = self.registri.get_mut(registro).ok_or_else(misura)?;
        let protocollo = contatore.next(registro)?;
        self.ultima_domanda += 1;
        Ok(Estratti {
            protocollo,
            numero_domanda: NumeroDomanda(self.ultima_domanda),
            registrata_il: contatore.istante,
        })
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
    /// never in a closed day; a new year in Rome begins at 1. While an emergency is open, nothing is drawn.
    pub(super) fn at(
        registro: &str,
        adesso: Timestamp,
        riga: Option<RigaContatore>,
    ) -> Result<Self, StoreError> {
        let (anno, ultimo, ultimo_istante, chiuso_fino_a, emergenza) =
            riga.unwrap_or((0, 0, i64::MIN, i64::MIN, None));
        if emergenza.is_some() {
            return Err(StoreError::Emergenza(registro.to_owned()));
        }
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

/// The state in which every sheet begins.
const PRESENTATA: &str = "PRESENTATA";

/// One new registration, with all that its rows need.
pub(super) struct Nuova<'a> {
    /// The store's own id of it.
    pub(super) id: i64,
    pub(super) protocollo: String,
    pub(super) atto: &'a Atto,
    pub(super) registrata: Registrata,
    pub(super) ricevuta: Ricevuta,
    /// SHA-256 of the receipt's bytes.
    pub(super) ricevuta_sha256: [u8; 32],
    pub(super) richiesta: Richiesta,
    pub(super) traccia: Traccia,
}

/// A request as it is kept.
pub(super) struct Richiesta {
    /// SHA-256 of the whole of it, as received.
    pub(super) sha256: [u8; 32],
    pub(super) conservata: Conservati,
}

impl Richiesta {
    fn of(bytes: &[u8]) -> Self {
        Self {
            sha256: Sha256::of(bytes),
            conservata: pack(bytes),
        }
    }
}

impl<'a> Nuova<'a> {
    /// Draws the numbers and writes the receipt.
    pub(super) fn compose(
        ambiente: Ambiente,
        id: i64,
        atto: &'a Atto,
        richiesta: Richiesta,
        numeri: &mut Numeri,
    ) -> Result<Self, StoreError> {
        let Estratti {
            protocollo,
            numero_domanda,
            registrata_il,
        } = numeri.draw(atto.prestazione.registro)?;
        let fascicolo = &atto.fascicolo;
        let ricevuta = Ricevuta {
            prestazione: atto.prestazione.titolo.to_owned(),
            ambiente,
            protocollo: protocollo.clone(),
            numero_domanda,
            chiave: atto.chiave.chiave.clone(),
            presentata_il: al_millesimo(atto.presentata_il),
            registrata_il,
            oggetto: fascicolo
                .oggetto
                .replace("{numero}", &numero_domanda.0.to_string()),
            ente: atto.chiave.ente.clone(),
            ente_denominazione: atto.ente_denominazione.clone(),
            codice_ufficio: atto.codice_ufficio.clone(),
            user_id: atto.user_id.clone(),
            richiedente: fascicolo.richiedente.clone(),
            canale: atto.canale,
            impronta: atto.impronta,
            schede: fascicolo.schede.clone(),
            prossimi_passi: atto.prestazione.prossimi_passi.to_owned(),
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
        Ok(Self {
            id,
            protocollo: in_lettere,
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
            richiesta,
            traccia,
        })
    }
}

/// Hashes and compresses the requests; long ones away from the threads that serve connections.
pub(super) async fn pack_richieste(atti: &[Atto]) -> Vec<Richiesta> {
    let in_tutto: usize = atti.iter().map(|atto| atto.richiesta.len()).sum();
    if in_tutto > COMPRESSIONE_IN_DISPARTE {
        let richieste: Vec<Bytes> = atti.iter().map(|atto| atto.richiesta.clone()).collect();
        let in_disparte =
            tokio::task::spawn_blocking(move || richieste.iter().map(|bytes| Richiesta::of(bytes)).collect());
        if let Ok(compresse) = in_disparte.await {
            return compresse;
        }
    }
    atti.iter().map(|atto| Richiesta::of(&atto.richiesta)).collect()
}

/// From so many bytes on a batch is compressed on a thread of its own (some milliseconds' work).
const COMPRESSIONE_IN_DISPARTE: usize = 512 * 1024;
