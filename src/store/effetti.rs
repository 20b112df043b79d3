//! What acts bring beside their registration, as rows: sheets that move, documents, riesami, sheets that another ente sees
//! from then on, and what the feed tells of it all. Plain values; the stores write them.
//!
//! A new kind of effect is asked for by the compiler in [`variazioni`], and in `quadro` for the columns that it changes.

use super::Contenuto;
use super::registro::Nuova;
use crate::domanda::Allegato;
use crate::domanda::atto::{Effetto, Seguito};
use crate::domanda::stato::{AzioneRichiesta, StatoDomanda};
use crate::patronato::CodiceEnte;
use crate::protocollo::NumeroDomanda;

/// Each effect of these registrations, in their order.
pub(super) fn effetti<'a>(nuove: &'a [Nuova<'a>]) -> impl Iterator<Item = (&'a Nuova<'a>, &'a Effetto)> {
    nuove
        .iter()
        .filter_map(Nuova::following)
        .flat_map(|(nuova, seguito)| seguito.effetti.iter().map(move |effetto| (nuova, effetto)))
}

/// A sheet that an act moves.
pub(super) struct Mossa<'a> {
    pub(super) nuova: &'a Nuova<'a>,
    pub(super) posto: u32,
    pub(super) stato: &'static str,
    pub(super) azione: &'static str,
}

/// The sheets that these registrations move, in their order.
pub(super) fn mosse<'a>(nuove: &'a [Nuova<'a>]) -> Vec<Mossa<'a>> {
    let mossa = |(nuova, effetto): (&'a Nuova<'a>, &'a Effetto)| {
        let Effetto::Stato {
            posto, stato, azione, ..
        } = effetto
        else {
            return None;
        };
        Some(Mossa {
            nuova,
            posto: *posto,
            stato: stato.as_str(),
            azione: azione.as_str(),
        })
    };
    effetti(nuove).filter_map(mossa).collect()
}

/// A document, of a domanda or of an act.
pub(super) struct Documento<'a> {
    pub(super) nuova: &'a Nuova<'a>,
    /// Place in its registration, from 1.
    pub(super) posto: u32,
    pub(super) allegato: &'a Allegato,
    /// The sheets that it is for; `None`: the domanda as a whole.
    pub(super) schede: Option<&'a [u32]>,
}

/// The documents that came with these registrations.
pub(super) fn documenti<'a>(nuove: &'a [Nuova<'a>]) -> Vec<Documento<'a>> {
    let documento = |(nuova, posto, allegato): (&'a Nuova<'a>, u32, &'a Allegato)| Documento {
        nuova,
        posto,
        allegato,
        schede: nuova
            .atto
            .contenuto
            .seguito()
            .and_then(Seguito::schede_dei_documenti),
    };
    nuove.iter().flat_map(Nuova::allegati).map(documento).collect()
}

/// The sheets that waited for the documents of these registrations: which domanda, which place.
pub(super) fn attese(nuove: &[Nuova<'_>]) -> Vec<(NumeroDomanda, u32)> {
    let mut attese_in_tutto = Vec::new();
    for (nuova, effetto) in effetti(nuove) {
        if let Effetto::Documento { attese, .. } = effetto {
            let numero = nuova.registrata.numero_domanda;
            attese_in_tutto.extend(attese.iter().map(|posto| (numero, *posto)));
        }
    }
    attese_in_tutto
}

/// A sheet that is to be looked at again.
pub(super) struct Riesame<'a> {
    pub(super) nuova: &'a Nuova<'a>,
    pub(super) posto: u32,
    pub(super) motivo: &'static str,
    pub(super) motivazione: &'a str,
}

/// The sheets that these registrations ask to be looked at again.
pub(super) fn riesami<'a>(nuove: &'a [Nuova<'a>]) -> Vec<Riesame<'a>> {
    let mut riesami = Vec::new();
    for (nuova, effetto) in effetti(nuove) {
        if let Effetto::Riesame {
            schede,
            motivo,
            motivazione,
        } = effetto
        {
            riesami.extend(schede.iter().map(|posto| Riesame {
                nuova,
                posto: *posto,
                motivo,
                motivazione,
            }));
        }
    }
    riesami
}

/// A row of the feed.
pub(super) struct Variazione<'a> {
    pub(super) nuova: &'a Nuova<'a>,
    pub(super) tipo: &'static str,
    /// `None`: the domanda as a whole.
    pub(super) posto: Option<u32>,
    pub(super) stato: Option<&'static str>,
    pub(super) azione: Option<&'static str>,
}

/// What the feed tells of these registrations, in their order: `REGISTRATA` of a domanda; of an act `ATTO`, then a row each
/// effect: `STATO` of a sheet that moves, `SCHEDA` of one that is added, `MODIFICA` of one whose data change, or of the
/// domanda itself, once; `COMPLETAMENTO` of one whose split or other parent's payment does; `DOCUMENTO` of each that a
/// document is for, `RIESAME` of each that is to be looked at again.
pub(super) fn variazioni<'a>(nuove: &'a [Nuova<'a>]) -> Vec<Variazione<'a>> {
    let presentata = Some(StatoDomanda::Presentata.as_str());
    let nessuna = Some(AzioneRichiesta::Nessuna.as_str());
    let mut righe: Vec<Variazione<'a>> = Vec::with_capacity(nuove.len());
    for nuova in nuove {
        let riga = |tipo, posto, stato: Option<&'static str>, azione| Variazione {
            nuova,
            tipo,
            posto,
            stato,
            azione,
        };
        let Contenuto::Seguito(seguito) = &nuova.atto.contenuto else {
            righe.push(riga("REGISTRATA", None, presentata, nessuna));
            continue;
        };
        righe.push(riga("ATTO", None, None, None));
        let mut domanda_modificata = false;
        for effetto in &seguito.effetti {
            righe.push(match effetto {
                Effetto::Stato {
                    posto, stato, azione, ..
                } => riga("STATO", Some(*posto), Some(stato.as_str()), Some(azione.as_str())),
                Effetto::Scheda(scheda) => riga("SCHEDA", Some(scheda.posto), presentata, nessuna),
                Effetto::Documento { schede, attese } => {
                    let azione = |posto| nessuna.filter(|_| attese.contains(posto));
                    righe.extend(
                        schede
                            .iter()
                            .map(|posto| riga("DOCUMENTO", Some(*posto), None, azione(posto))),
                    );
                    continue;
                }
                Effetto::Riesame { schede, .. } => {
                    righe.extend(
                        schede
                            .iter()
                            .map(|posto| riga("RIESAME", Some(*posto), None, None)),
                    );
                    continue;
                }
                Effetto::Dati {
                    posto: Some(posto), ..
                } => riga("MODIFICA", Some(*posto), None, None),
                Effetto::Ripartizione { posto, azione, .. } => {
                    riga("COMPLETAMENTO", Some(*posto), None, Some(azione.as_str()))
                }
                Effetto::Dati { posto: None, .. } | Effetto::Pagamento { .. } | Effetto::Contatti { .. } => {
                    if std::mem::replace(&mut domanda_modificata, true) {
                        continue;
                    }
                    riga("MODIFICA", None, None, None)
                }
            });
        }
    }
    righe
}

impl Variazione<'_> {
    /// Whose domanda it is.
    pub(super) fn ente(&self) -> &CodiceEnte {
        match &self.nuova.atto.contenuto {
            Contenuto::Domanda(_) => &self.nuova.atto.chiave.ente,
            Contenuto::Seguito(seguito) => &seguito.ente,
        }
    }
}

/// A sheet that another ente than the domanda's sees from then on.
pub(super) struct Delega<'a> {
    pub(super) nuova: &'a Nuova<'a>,
    pub(super) posto: u32,
}

/// The sheets that these registrations open to the ente that sent them.
pub(super) fn deleghe<'a>(nuove: &'a [Nuova<'a>]) -> Vec<Delega<'a>> {
    let delega = |(nuova, effetto): (&'a Nuova<'a>, &'a Effetto)| match effetto {
        Effetto::Ripartizione { posto, .. } if is_of_another(nuova) => Some(Delega { nuova, posto: *posto }),
        _ => None,
    };
    effetti(nuove).filter_map(delega).collect()
}

fn is_of_another(nuova: &Nuova<'_>) -> bool {
    nuova
        .following()
        .is_some_and(|(nuova, seguito)| seguito.ente != nuova.atto.chiave.ente)
}
