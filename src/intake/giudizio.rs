//! Meaning, whichever way a message came: what the rules look at in the store, and what they then say. The gateway and
//! the import of an emergency register both ask here, so that neither knows a rule that the other does not.

use crate::catalogo::Codice;
use crate::domanda::consultazione::DomandaConsultata;
use crate::domanda::{
    AttoSuDomanda, Avente, CodiceFiscale, Contesto, DomandaViva, Esame, Istanza, SchedaViva, Violazione,
};
use crate::patronato::CodiceEnte;
use crate::ricevuta::{Digest, Registrata};
use crate::rifiuto::{Failure, Guasto, Rifiuto};
use crate::schema::Lettura;
use crate::store::{Chiave, Contenuto, Store, StoreError, secondo};

/// What the rules hold a message against.
#[derive(Debug, Default)]
pub struct Attuale {
    /// The domanda that an act is about; another ente's is none.
    pub domanda: Option<DomandaConsultata>,
    /// The live sheets of the children that it brings.
    pub schede_vive: Vec<SchedaViva>,
    /// The live domande of whose it is.
    pub domande_vive: Vec<DomandaViva>,
}

impl Attuale {
    /// As the store has it now, for what an ente hands in; of a message with findings of form there is nothing to look
    /// for.
    pub async fn read(
        store: &dyn Store,
        ente: &CodiceEnte,
        servizio: &'static str,
        istanza: Option<&Istanza>,
    ) -> Result<Self, StoreError> {
        let atto = istanza.and_then(atto);
        let domanda = match atto.map(|atto| (atto, atto.by_second_parent())) {
            Some((atto, None)) => store.domanda(ente, servizio, atto.riferimento()).await?,
            Some((_, Some(Some(corrispondenza)))) => {
                secondo::domanda_of(store, servizio, &corrispondenza).await?
            }
            Some((_, Some(None))) | None => None,
        };
        let mut attuale = Self {
            domanda,
            schede_vive: store.schede_vive(servizio, &minori(istanza)).await?,
            domande_vive: Vec::new(),
        };
        // Read after the state: were it another by then, the registration would find that state gone.
        if let Some(domanda) = &mut attuale.domanda
            && atto.is_some_and(AttoSuDomanda::wants_quadro)
        {
            domanda.quadro = store.quadro(domanda.registrata.numero_domanda).await?;
        }
        if let Some(avente) = avente(istanza, attuale.domanda.as_ref()) {
            attuale.domande_vive = store.domande_vive(servizio, &avente).await?;
        }
        Ok(attuale)
    }
}

/// What a key says, before anything is told against what came with it: `None` = it is free; else the registration that it
/// repeats, or the refusal of other content under it.
pub async fn before(
    store: &dyn Store,
    chiave: &Chiave,
    digest: Digest,
) -> Result<Result<Option<Registrata>, Rifiuto>, StoreError> {
    Ok(match store.registrata(chiave).await? {
        Some(registrata) if registrata.digest == digest => Ok(Some(registrata)),
        Some(registrata) => Err(Rifiuto::Conflitto {
            protocollo: registrata.protocollo,
        }),
        None => match store.lotto_by_chiave(chiave).await? {
            None => Ok(None),
            Some(lotto) => Err(Rifiuto::ChiaveDiLotto { lotto: lotto.id }),
        },
    })
}

/// What the rules say of a message that has no findings of form: what there is to register, with their warnings; else why
/// not. `domanda` is the one that an act is about. Findings are not placed yet.
pub fn giudica(
    istanza: &Istanza,
    lettura: &Lettura,
    domanda: Option<&DomandaConsultata>,
    contesto: &Contesto<'_>,
) -> Result<(Contenuto, Vec<Violazione>), Contro> {
    let Esame { violazioni, avvisi } = match (istanza, domanda) {
        (Istanza::Domanda(domanda), _) => domanda.esamina(contesto),
        // Of an annulled domanda all else follows from that.
        (Istanza::Atto(_), Some(attuale)) if attuale.registrata.annullata => annullata(lettura),
        (Istanza::Atto(atto), Some(attuale)) => atto.esamina(contesto, Some(attuale)),
        // With a codice fiscale that is none nothing can be found, and the rules say so.
        (Istanza::Atto(atto), None) if matches!(atto.by_second_parent(), Some(None)) => {
            atto.esamina(contesto, None)
        }
        // Another ente's domanda is answered like one that is not there.
        (Istanza::Atto(_), None) => return Err(Contro::NonTrovata),
    };
    if !violazioni.is_empty() {
        return Err(Contro::Regole(Esame { violazioni, avvisi }));
    }
    let contenuto = match (istanza, domanda) {
        // The rules refuse what cannot be read; if one day they forget one, it is a fault of ours.
        (Istanza::Domanda(domanda), _) => {
            Contenuto::Domanda(domanda.fascicolo(contesto).ok_or(Contro::Illeggibile)?)
        }
        (Istanza::Atto(atto), Some(attuale)) => Contenuto::Seguito(atto.seguito(contesto, attuale)),
        (Istanza::Atto(_), None) => return Err(Contro::NonTrovata),
    };
    Ok((contenuto, avvisi))
}

/// Why there is nothing to register.
#[derive(Debug)]
pub enum Contro {
    /// Rules are broken: all findings at once, warnings beside them.
    Regole(Esame),
    /// No domanda of this ente has that name.
    NonTrovata,
    /// Ours: the rules let through what cannot be read.
    Illeggibile,
}

impl From<Contro> for Failure {
    fn from(contro: Contro) -> Self {
        match contro {
            Contro::Regole(Esame { violazioni, avvisi }) => Rifiuto::Regole { violazioni, avvisi }.into(),
            Contro::NonTrovata => Rifiuto::NonTrovata.into(),
            Contro::Illeggibile => Guasto::Interno("identificativo illeggibile").into(),
        }
    }
}

/// The refusal for what was taken between the look and the registration: children who have a sheet, whose domanda it is
/// who has another. In the words of what brought them. Not placed yet.
#[must_use]
pub fn taken_meanwhile(
    istanza: &Istanza,
    lettura: &Lettura,
    ente: &CodiceEnte,
    domanda: Option<&DomandaViva>,
    schede: &[(u32, SchedaViva)],
) -> Vec<Violazione> {
    let refuse = lettura.prestazione.scheda_viva;
    let della_domanda = domanda.and_then(|viva| match istanza {
        Istanza::Domanda(domanda) => domanda.domanda_viva(viva, Some(ente)),
        Istanza::Atto(atto) => atto.domanda_viva(viva, Some(ente)),
    });
    let delle_schede = schede.iter().filter_map(|(posto, scheda)| match istanza {
        Istanza::Domanda(_) => Some(refuse(*posto, scheda)),
        Istanza::Atto(atto) => atto.scheda_viva(scheda),
    });
    della_domanda.into_iter().chain(delle_schede).collect()
}

fn atto(istanza: &Istanza) -> Option<&dyn AttoSuDomanda> {
    match istanza {
        Istanza::Domanda(_) => None,
        Istanza::Atto(atto) => Some(&**atto),
    }
}

/// Whose other live domande count: of a domanda, of an act only where it makes the domanda theirs.
fn avente(istanza: Option<&Istanza>, attuale: Option<&DomandaConsultata>) -> Option<Avente> {
    match istanza? {
        Istanza::Domanda(domanda) => domanda.avente(),
        Istanza::Atto(atto) => atto.nuovo_avente(attuale?),
    }
}

fn minori(istanza: Option<&Istanza>) -> Vec<CodiceFiscale> {
    match istanza {
        None => Vec::new(),
        Some(Istanza::Domanda(domanda)) => domanda.minori(),
        Some(Istanza::Atto(atto)) => atto.minori(),
    }
}

/// STA-004, at the act as a whole.
fn annullata(lettura: &Lettura) -> Esame {
    let elemento = lettura.operazione.elemento().unwrap_or_default();
    let dove = format!("/{}:{elemento}", lettura.prestazione.prefisso);
    Esame {
        violazioni: vec![Violazione::at(Codice::Sta004, dove)],
        avvisi: Vec::new(),
    }
}
