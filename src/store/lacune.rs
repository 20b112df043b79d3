//! Declared holes: what a register goes on behind after a restore. Numbers that anchors say were told, and those that can
//! have been told since, are in no row and are never given again; who declared it, and on whose authority, stands beside.

use std::collections::BTreeMap;

use sqlx::{ColumnIndex, Decode, Row, Type};

use super::ancore::{Detti, beyond, margine};
use super::legale::millesimo;
use super::valori::Riga;
use super::{Inconsistency, StoreError};
use crate::registro::{Lacuna, Provvedimento, RecuperoFatto};

/// What to declare, and on whose authority.
#[derive(Debug, Clone, Copy)]
pub struct Dichiarazione<'a> {
    /// How far the numbers went.
    pub detti: &'a Detti,
    /// By whom.
    pub operatore: &'a str,
    /// Why.
    pub motivo: &'a str,
    /// The provision that authorises it.
    pub provvedimento: &'a Provvedimento,
}

/// A hole that is not declared yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Vuoto {
    pub(super) registro: String,
    pub(super) anno: i16,
    pub(super) da: u64,
    pub(super) a: u64,
    pub(super) domande: Option<(u64, u64)>,
}

/// The holes between counters (register, year and number) and what was told, in order. In the year that ran at the end a
/// hole goes as far as numbers can have been told without being anchored.
pub(super) fn vuoti(
    detti: &Detti,
    contatori: Vec<(String, i16, i64)>,
    ultima_domanda: i64,
) -> Result<Vec<Vuoto>, Inconsistency> {
    let numero = |table, numero: i64| {
        u64::try_from(numero).map_err(|source| Inconsistency::new(table, "ultimo", source))
    };
    let ultima_domanda = numero("contatori", ultima_domanda)?;
    let contatori = contatori
        .into_iter()
        .map(|(registro, anno, ultimo)| Ok((registro, (anno, numero("registro", ultimo)?))))
        .collect::<Result<BTreeMap<_, _>, Inconsistency>>()?;
    let mut vuoti = Vec::new();
    let (mut non_ancorate, mut perdute) = (0, 0);
    for ((registro, anno), detto) in &detti.registri {
        let (anno_ora, numero) = contatori.get(registro).copied().unwrap_or((0, 0));
        let noto = match anno.cmp(&anno_ora) {
            std::cmp::Ordering::Less => continue,
            std::cmp::Ordering::Equal => numero,
            std::cmp::Ordering::Greater => 0,
        };
        if detto.numero <= noto {
            continue;
        }
        let in_corso = detti.ultimo(registro) == Some((*anno, detto.numero));
        let a = if in_corso {
            non_ancorate += margine(detto.picco);
            beyond(detto.numero, detto.picco)?
        } else {
            detto.numero
        };
        perdute += a - noto;
        vuoti.push(Vuoto {
            registro: registro.clone(),
            anno: *anno,
            da: noto + 1,
            a,
            domande: None,
        });
    }
    if let Some(primo) = vuoti.first_mut() {
        // No more domande can have been opened than numbers were drawn.
        let a = (detti.domanda + non_ancorate).max(ultima_domanda + perdute);
        primo.domande = Some((ultima_domanda + 1, a));
    }
    Ok(vuoti)
}

/// How far a register and the domande have come, rows and declared holes together: the highest, and how many.
#[derive(Debug, Clone, Default)]
pub(super) struct Lacune(pub(super) Vec<Lacuna>);

impl Lacune {
    /// Of one register, as year, first and last number, in order.
    pub(super) fn di(&self, registro: &str) -> Vec<(i64, u64, u64)> {
        let mut lacune: Vec<_> = self
            .0
            .iter()
            .filter(|lacuna| lacuna.registro == registro)
            .map(|lacuna| (i64::from(lacuna.anno), lacuna.da, lacuna.a))
            .collect();
        lacune.sort_unstable();
        lacune
    }

    /// Of a year of a register from a number on: the highest number in one, and how many are in them.
    pub(super) fn tra(&self, registro: &str, anno: i64, da: u64) -> (u64, u64) {
        let lacune = self.di(registro);
        let lacune = lacune.iter().filter(|(di, _, a)| *di == anno && *a >= da);
        lacune.fold((0, 0), |(massimo, quante), (_, inizio, a)| {
            (massimo.max(*a), quante + (a - da.max(*inizio) + 1))
        })
    }

    /// The highest number of a domanda in one, and how many are in them.
    pub(super) fn domande(&self) -> (u64, u64) {
        let domande = self.0.iter().filter_map(|lacuna| lacuna.domande);
        domande.fold((0, 0), |(massimo, quante), (da, a)| {
            (massimo.max(a), quante + (a - da + 1))
        })
    }
}

/// The columns of a hole.
pub(super) fn lacuna_from<R: Row>(row: &R) -> Result<Lacuna, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    String: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    i64: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let riga = Riga { table: "lacune", row };
    let domanda = |colonna| riga.parse_option(colonna, |numero: i64| u64::try_from(numero));
    Ok(Lacuna {
        id: riga.get("id")?,
        registro: riga.get("registro")?,
        anno: riga.parse("anno", |anno: i64| i16::try_from(anno))?,
        da: riga.count("da")?,
        a: riga.count("a")?,
        domande: domanda("domanda_da")?.zip(domanda("domanda_a")?),
        dichiarata_il: millesimo(&riga, "dichiarata_ms")?,
        operatore: riga.get("operatore")?,
        motivo: riga.get("motivo")?,
        provvedimento_numero: riga.get("provvedimento_numero")?,
        provvedimento_data: riga.get("provvedimento_data")?,
    })
}

/// The columns of a recovery.
pub(super) fn recupero_from<R: Row>(row: &R) -> Result<RecuperoFatto, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    String: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    i64: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let riga = Riga {
        table: "recuperi",
        row,
    };
    Ok(RecuperoFatto {
        id: riga.get("id")?,
        registro: riga.get("registro")?,
        anno: riga.parse("anno", |anno: i64| i16::try_from(anno))?,
        da: riga.count("da")?,
        a: riga.count("a")?,
        quante: riga.count("quante")?,
        archivio: riga.get("archivio")?,
        recuperate_il: millesimo(&riga, "recuperate_ms")?,
        operatore: riga.get("operatore")?,
        motivo: riga.get("motivo")?,
        provvedimento_numero: riga.get("provvedimento_numero")?,
        provvedimento_data: riga.get("provvedimento_data")?,
    })
}

/// Nothing is to be declared where the store is as far as what was told.
pub(super) fn nothing_to_declare() -> StoreError {
    StoreError::Refused(
        "nothing was told beyond what this store knows: there is no hole to declare".to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ancore::Detto;

    fn detti(voci: &[(&str, i16, u64, u64)], domanda: u64) -> Detti {
        let registri = voci
            .iter()
            .map(|&(registro, anno, numero, picco)| ((registro.to_owned(), anno), Detto { numero, picco }))
            .collect();
        Detti { registri, domanda }
    }

    type InBreve<'v> = (&'v str, i16, u64, u64, Option<(u64, u64)>);

    fn in_breve(vuoti: &[Vuoto]) -> Vec<InBreve<'_>> {
        vuoti
            .iter()
            .map(|vuoto| (&*vuoto.registro, vuoto.anno, vuoto.da, vuoto.a, vuoto.domande))
            .collect()
    }

    #[test]
    fn a_hole_goes_on_for_a_second_at_twice_the_peak() {
        let contatori = vec![("AUF".to_owned(), 2021, 400)];
        let detti = detti(&[("AUF", 2021, 500, 30)], 450);
        let vuoti = vuoti(&detti, contatori, 350).unwrap();
        assert_eq!(in_breve(&vuoti), [("AUF", 2021, 401, 560, Some((351, 510)))]);
    }

    #[test]
    fn over_the_turn_of_a_year_each_year_has_its_hole_and_only_the_last_a_margin() {
        let contatori = vec![("AUF".to_owned(), 2021, 400), ("AUU".to_owned(), 2022, 9)];
        let detti = detti(
            &[
                ("AUF", 2020, 9000, 1),
                ("AUF", 2021, 500, 30),
                ("AUF", 2022, 7, 5),
                ("AUU", 2022, 9, 3),
            ],
            0,
        );
        let vuoti = vuoti(&detti, contatori, 900).unwrap();
        assert_eq!(
            in_breve(&vuoti),
            [
                ("AUF", 2021, 401, 500, Some((901, 1017))),
                ("AUF", 2022, 1, 17, None)
            ]
        );
    }

    #[test]
    fn a_store_that_knows_all_has_no_hole() {
        let contatori = vec![("AUF".to_owned(), 2021, 500)];
        assert_eq!(
            vuoti(&detti(&[("AUF", 2021, 500, 30)], 450), contatori, 450).unwrap(),
            []
        );
    }
}
