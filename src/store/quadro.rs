//! Between the plain values of a domanda and its columns, whatever the store: which columns an act writes, and what stands
//! in those that are read. The SQL around them is each store's own.

use std::collections::BTreeMap;

use sqlx::{ColumnIndex, Decode, Row, Type};

use super::Inconsistency;
use super::effetti::effetti;
use super::registro::Nuova;
use super::valori::Riga;
use crate::domanda::atto::Effetto;
use crate::domanda::dettagli::Valore;
use crate::domanda::quadro::{
    COLONNE_DELLA_DOMANDA, COLONNE_DELLA_SCHEDA, Valori, resa_as_line, resa_from_line,
};

/// Columns of one row that an act changes.
pub(super) struct Modifica<'a> {
    pub(super) nuova: &'a Nuova<'a>,
    /// Of which sheet; `None` = of the domanda itself.
    pub(super) posto: Option<u32>,
    pub(super) colonne: Vec<(&'static str, Cella)>,
}

/// What goes into one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cella {
    Testo(Option<String>),
    Data(Option<String>),
    Json(Option<String>),
    Booleano(Option<bool>),
}

/// The columns that these registrations change, in their order.
pub(super) fn modifiche<'a>(nuove: &'a [Nuova<'a>]) -> Vec<Modifica<'a>> {
    let modifica = |(nuova, effetto): (&'a Nuova<'a>, &'a Effetto)| {
        let (posto, colonne) = columns_of(effetto)?;
        Some(Modifica {
            nuova,
            posto,
            colonne,
        })
    };
    effetti(nuove).filter_map(modifica).collect()
}

/// Whose row an effect changes, and what it writes there.
type Scritto = (Option<u32>, Vec<(&'static str, Cella)>);

fn columns_of(effetto: &Effetto) -> Option<Scritto> {
    let scritto = match effetto {
        Effetto::Stato { .. } | Effetto::Scheda(_) | Effetto::Documento { .. } | Effetto::Riesame { .. } => {
            return None;
        }
        Effetto::Dati {
            posto: Some(posto),
            valori,
            decorrenza_presunta,
        } => {
            let mut colonne = cells(valori, COLONNE_DELLA_SCHEDA, |nome| nome != "codice_fiscale");
            let mese = decorrenza_presunta.map(|mese| mese.to_string());
            colonne.push(("decorrenza_presunta", Cella::Testo(mese)));
            colonne.push(dettagli(valori, COLONNE_DELLA_SCHEDA));
            (Some(*posto), colonne)
        }
        Effetto::Dati {
            posto: None, valori, ..
        } => {
            let dati = ["presentata_da", "genitore_tutelato", "dichiarazioni"];
            let mut colonne = cells(valori, COLONNE_DELLA_DOMANDA, |nome| dati.contains(&nome));
            colonne.push(dettagli(valori, COLONNE_DELLA_DOMANDA));
            (None, colonne)
        }
        Effetto::Ripartizione {
            posto,
            ripartizione,
            pagamento,
            dal,
            azione,
        } => {
            let iban = pagamento.as_ref().and_then(|altra| altra.iban.as_ref());
            let modalita = pagamento.as_ref().map(|altra| altra.modalita.to_owned());
            let mut colonne = vec![
                ("ripartizione", Cella::Testo(Some((*ripartizione).to_owned()))),
                ("altro_genitore_modalita", Cella::Testo(modalita)),
                (
                    "altro_genitore_iban",
                    Cella::Testo(iban.map(|iban| iban.as_str().to_owned())),
                ),
                ("azione_richiesta", Cella::Testo(Some(azione.as_str().to_owned()))),
            ];
            if let Some(dal) = dal {
                colonne.push(("altro_genitore_dal", Cella::Testo(Some(dal.to_string()))));
            }
            (Some(*posto), colonne)
        }
        Effetto::Pagamento { valori } => {
            let pagamento = ["modalita", "iban", "intestato_richiedente"];
            let mut colonne = cells(valori, COLONNE_DELLA_DOMANDA, |nome| pagamento.contains(&nome));
            colonne.push(dettagli(valori, COLONNE_DELLA_DOMANDA));
            (None, colonne)
        }
        Effetto::Contatti { valori } => {
            let contatti = cells(valori, COLONNE_DELLA_DOMANDA, |nome| {
                nome.starts_with("richiedente_")
            });
            (None, contatti)
        }
    };
    Some(scritto)
}

/// The cells of some columns.
fn cells(
    valori: &Valori,
    colonne: &[&'static str],
    which: impl Fn(&str) -> bool,
) -> Vec<(&'static str, Cella)> {
    colonne
        .iter()
        .filter(|nome| which(nome))
        .map(|nome| (*nome, cell(nome, valori)))
        .collect()
}

fn cell(nome: &str, valori: &Valori) -> Cella {
    let testo = || valori.testo(nome).map(str::to_owned);
    match nome {
        "disabile" | "affido_condiviso" | "intestato_richiedente" => {
            Cella::Booleano(match valori.get(nome) {
                Some(Valore::Booleano(valore)) => Some(*valore),
                _ => None,
            })
        }
        "data_nascita" => Cella::Data(testo()),
        "dichiarazioni" => {
            let righe = match valori.get(nome) {
                Some(Valore::Elenco(righe)) => righe.as_slice(),
                _ => &[],
            };
            let rese: Vec<_> = righe.iter().map(|riga| resa_from_line(riga)).collect();
            Cella::Json(Some(super::valori::json(&rese)))
        }
        _ => Cella::Testo(testo()),
    }
}

/// What is no column, as one JSON object; nothing where there is nothing.
fn dettagli(valori: &Valori, colonne: &[&str]) -> (&'static str, Cella) {
    let dettagli: BTreeMap<&str, &Valore> = valori.beside(colonne).collect();
    let testo = (!dettagli.is_empty()).then(|| super::valori::json(&dettagli));
    ("dettagli", Cella::Json(testo))
}

/// The values of a domanda, from its columns; JSON and dates are read as text.
pub(super) fn domanda_from<R: Row>(row: &R) -> Result<Valori, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    Option<String>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    Option<bool>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let riga = Riga {
        table: "domande",
        row,
    };
    values_from(&riga, COLONNE_DELLA_DOMANDA)
}

/// The values of a sheet, from its columns.
pub(super) fn scheda_from<R: Row>(row: &R) -> Result<Valori, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    Option<String>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    Option<bool>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let riga = Riga { table: "schede", row };
    values_from(&riga, COLONNE_DELLA_SCHEDA)
}

fn values_from<R: Row>(riga: &Riga<'_, R>, colonne: &[&'static str]) -> Result<Valori, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    Option<String>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    Option<bool>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let unreadable = |colonna| move |errore| Inconsistency::new(riga.table, colonna, errore);
    let mut valori = Valori::default();
    for colonna in colonne {
        let colonna: &'static str = colonna;
        let valore: Option<Valore> = match cell(colonna, &Valori::default()) {
            Cella::Booleano(_) => riga.get::<Option<bool>>(colonna)?.map(Valore::from),
            Cella::Testo(_) | Cella::Data(_) => riga.get::<Option<String>>(colonna)?.map(Valore::from),
            Cella::Json(_) => {
                let testo: String = riga.get::<Option<String>>(colonna)?.unwrap_or_default();
                let rese: Vec<(String, String, Option<String>)> =
                    serde_json::from_str(&testo).map_err(unreadable(colonna))?;
                let mut righe: Vec<String> = rese
                    .iter()
                    .map(|(codice, versione, scelta)| resa_as_line(codice, versione, scelta.as_deref()))
                    .collect();
                righe.sort_unstable();
                Some(Valore::from(righe))
            }
        };
        valori = valori.with_option(colonna, valore);
    }
    if let Some(testo) = riga.get::<Option<String>>("dettagli")? {
        let dettagli: BTreeMap<String, Valore> =
            serde_json::from_str(&testo).map_err(unreadable("dettagli"))?;
        for (nome, valore) in dettagli {
            valori = valori.with(&nome, valore);
        }
    }
    Ok(valori)
}
