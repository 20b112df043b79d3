//! What does not come back: the holes that are left, and their numbers as they are told.

use std::collections::{BTreeMap, BTreeSet};

use super::confronto::Perdute;
use super::voci::{conflict, number, one};
use super::{Archivi, Lato, Tratto};
use crate::store::StoreError;
use crate::store::lacune::Vuoto;

/// Numbers that lie between those that come back and that the other store lacks without having declared it.
pub(super) async fn gaps(archivi: &mut dyn Archivi, perdute: &Perdute) -> Result<Vec<Vuoto>, StoreError> {
    let lacune = format!(
        "SELECT registro, CAST(anno AS text), CAST(da AS text), CAST(a AS text), CAST(domanda_da AS text),
             CAST(domanda_a AS text)
         FROM @lacune WHERE id > {}",
        perdute.lacune_dopo
    );
    let lacune = archivi.righe(Lato::Altrove, &lacune).await?;
    let mut noti: BTreeMap<(String, i16), Vec<(u64, u64)>> = BTreeMap::new();
    for (registro, anno, numero) in &perdute.numeri {
        noti.entry((registro.clone(), *anno))
            .or_default()
            .push((*numero, *numero));
    }
    let ultima: u64 = one(&archivi
        .righe(
            Lato::Qui,
            "SELECT CAST(ultimo AS text) FROM @contatori WHERE nome = 'domanda'",
        )
        .await?)?;
    let sql = format!("SELECT CAST(numero AS text) FROM @domande WHERE numero > {ultima}");
    let mut domande = Vec::new();
    for voce in archivi.righe(Lato::Altrove, &sql).await? {
        let numero: u64 = number(&voce, 0)?;
        domande.push((numero, numero));
    }
    for voce in &lacune {
        let anno: i16 = number(voce, 1)?;
        let dove = (voce[0].clone().unwrap_or_default(), anno);
        noti.entry(dove)
            .or_default()
            .push((number(voce, 2)?, number(voce, 3)?));
        if voce[4].is_some() {
            domande.push((number(voce, 4)?, number(voce, 5)?));
        }
    }
    let mut mancano = Vec::new();
    for ((registro, anno), tratti) in noti {
        let (anno_qui, ultimo) = perdute.confini.get(&registro).copied().unwrap_or((0, 0));
        let dopo = if anno == anno_qui { ultimo } else { 0 };
        for (da, a) in between(dopo, tratti) {
            mancano.push(Vuoto {
                registro: registro.clone(),
                anno,
                da,
                a,
                domande: None,
            });
        }
    }
    share(mancano, between(ultima, domande))
}

/// What lies between stretches of numbers, from after `dopo` to the last of them.
fn between(dopo: u64, mut tratti: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    tratti.sort_unstable();
    let mut atteso = dopo + 1;
    let mut vuoti = Vec::new();
    for (da, a) in tratti {
        if da > atteso {
            vuoti.push((atteso, da - 1));
        }
        atteso = atteso.max(a + 1);
    }
    vuoti
}

/// Gives each stretch of domande that are missing to a hole: each was opened by a registration that is missing, too, so
/// that there are numbers enough; the last hole is cut in as many as are needed.
fn share(mut mancano: Vec<Vuoto>, domande: Vec<(u64, u64)>) -> Result<Vec<Vuoto>, StoreError> {
    for (posto, tratto) in domande.into_iter().enumerate() {
        let Some(vuoto) = mancano.get_mut(posto) else {
            return Err(conflict(&format!(
                "domande {}-{} are missing in the other store, and no number of the register is",
                tratto.0, tratto.1
            )));
        };
        vuoto.domande = Some(tratto);
        if posto + 1 == mancano.len() && mancano[posto].da < mancano[posto].a {
            let mut resto = mancano[posto].clone();
            mancano[posto].a = mancano[posto].da;
            resto.da += 1;
            resto.domande = None;
            mancano.push(resto);
        }
    }
    Ok(mancano)
}

/// The counters, as they stand here.
pub(super) async fn counters(archivi: &mut dyn Archivi) -> Result<Vec<(String, i16, i64)>, StoreError> {
    let sql = "SELECT registro, CAST(anno AS text), CAST(ultimo AS text) FROM @registro";
    let righe = archivi.righe(Lato::Qui, sql).await?;
    righe
        .iter()
        .map(|voce| {
            Ok((
                voce[0].clone().unwrap_or_default(),
                number(voce, 1)?,
                number(voce, 2)?,
            ))
        })
        .collect()
}

/// The numbers, by register and year.
pub(super) fn tratti(numeri: &BTreeSet<(String, i16, u64)>) -> Vec<Tratto> {
    let mut tratti: Vec<Tratto> = Vec::new();
    for (registro, anno, numero) in numeri {
        match tratti.last_mut() {
            Some(tratto) if tratto.registro == *registro && tratto.anno == *anno => {
                tratto.a = *numero;
                tratto.quante += 1;
            }
            _ => tratti.push(Tratto {
                registro: registro.clone(),
                anno: *anno,
                da: *numero,
                a: *numero,
                quante: 1,
            }),
        }
    }
    tratti
}

impl From<Vuoto> for Tratto {
    fn from(vuoto: Vuoto) -> Self {
        Self {
            quante: vuoto.a - vuoto.da + 1,
            registro: vuoto.registro,
            anno: vuoto.anno,
            da: vuoto.da,
            a: vuoto.a,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_between_is_missing() {
        assert_eq!(
            between(20, vec![(25, 26), (21, 22), (28, 30)]),
            [(23, 24), (27, 27)]
        );
        assert_eq!(between(20, vec![(21, 30)]), []);
    }

    #[test]
    fn each_stretch_of_domande_has_a_hole_of_its_own() {
        let vuoto = |da, a, domande| Vuoto {
            registro: "AUF".to_owned(),
            anno: 2021,
            da,
            a,
            domande,
        };
        assert_eq!(
            share(vec![vuoto(23, 25, None)], vec![(21, 21), (23, 23)]).unwrap(),
            [
                vuoto(23, 23, Some((21, 21))),
                vuoto(24, 24, Some((23, 23))),
                vuoto(25, 25, None)
            ]
        );
        assert!(share(Vec::new(), vec![(21, 21)]).is_err());
    }
}
