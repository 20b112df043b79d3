//! Which registrations the other store has behind the last one that both know, and that both know the same up to it.

use std::collections::{BTreeMap, BTreeSet};

use super::voci::{by_id, conflict, differs, number, numero_of, one};
use super::vuoti::counters;
use super::{Archivi, Lato, Voce};
use crate::store::{Inconsistency, StoreError};

/// What the other store knows and this one does not.
pub(super) struct Perdute {
    /// The last registration that both know.
    pub(super) dopo: i64,
    pub(super) numeri: BTreeSet<(String, i16, u64)>,
    /// From where on the other store's registers are brought back: year and number.
    pub(super) confini: BTreeMap<String, (i16, u64)>,
    /// Holes of the other store that this one does not know: from this one on.
    pub(super) lacune_dopo: i64,
    /// The last recovery that is told here.
    pub(super) recuperi_dopo: i64,
    pub(super) gia_lacuna: u64,
}

/// So many registrations before the end are compared: a copy of the same store that agrees in these agrees in all.
pub(super) const CONFRONTATE: i64 = 50_000;

/// The columns that are compared, as people call them.
pub(super) const CONFRONTO: [&str; 8] = [
    "protocollo",
    "ente",
    "servizio",
    "ChiaveInvio",
    "digest",
    "impronta",
    "ricevuta",
    "istante di registrazione",
];

pub(super) async fn lost(archivi: &mut dyn Archivi) -> Result<Perdute, StoreError> {
    let nati = "SELECT valore FROM @impostazioni WHERE nome = 'creato_il'";
    if archivi.righe(Lato::Qui, nati).await? != archivi.righe(Lato::Altrove, nati).await? {
        return Err(conflict("it is the store of another installation"));
    }
    let massimo = "SELECT CAST(coalesce(max(id), 0) AS text) FROM @registrazioni";
    let dopo: i64 = one(&archivi.righe(Lato::Qui, massimo).await?)?;
    let confronto = format!(
        "SELECT CAST(id AS text), protocollo, ente, servizio, chiave_invio, {}, {}, {}, CAST(registrata_il AS text)
         FROM @registrazioni WHERE id > {} ORDER BY id",
        archivi.hex("digest"),
        archivi.hex("impronta"),
        archivi.hex("ricevuta_sha256"),
        dopo - CONFRONTATE
    );
    let qui = by_id(archivi.righe(Lato::Qui, &confronto).await?)?;
    let mut altrove = by_id(archivi.righe(Lato::Altrove, &confronto).await?)?;
    let mut nostra = None;
    for (id, voce) in &qui {
        match altrove.remove(id) {
            None => nostra = nostra.or_else(|| voce[1].clone()),
            Some(altra) if altra == *voce => {}
            Some(altra) => return Err(differs(voce, &altra)),
        }
    }
    let perdute = Perdute {
        dopo,
        numeri: altrove.values().map(numero_of).collect::<Result<_, _>>()?,
        confini: BTreeMap::new(),
        lacune_dopo: 0,
        recuperi_dopo: 0,
        gia_lacuna: 0,
    };
    if let (Some(nostra), false) = (nostra, altrove.is_empty()) {
        return Err(conflict(&format!(
            "{nostra} is registered here and not there, and the other store has numbers of its own: the two have gone \
             different ways"
        )));
    }
    if altrove.keys().next().is_some_and(|primo| *primo <= dopo) {
        return Err(conflict(
            "a registration in the middle of the register is missing here; look with `varco register verify`",
        ));
    }
    same_keys_of_lots(archivi, &altrove).await?;
    beside_the_holes(archivi, perdute).await
}

/// A key that comes back may not be that of a lot that came in since.
async fn same_keys_of_lots(
    archivi: &mut dyn Archivi,
    altrove: &BTreeMap<i64, Voce>,
) -> Result<(), StoreError> {
    let lotti =
        format!("SELECT ente, servizio, chiave_invio FROM @lotti ORDER BY numero DESC LIMIT {CONFRONTATE}");
    let chiavi: BTreeSet<Voce> = archivi.righe(Lato::Qui, &lotti).await?.into_iter().collect();
    match altrove.values().find(|voce| chiavi.contains(&voce[2..5])) {
        Some(voce) => Err(conflict(&format!(
            "{}: its ChiaveInvio is that of a lot here",
            voce[1].as_deref().unwrap_or_default()
        ))),
        None => Ok(()),
    }
}

/// Takes out what was declared a hole here, and finds from where on the other store is read.
async fn beside_the_holes(archivi: &mut dyn Archivi, mut perdute: Perdute) -> Result<Perdute, StoreError> {
    let lacune = "SELECT CAST(id AS text), registro, CAST(anno AS text), CAST(da AS text), CAST(a AS text)
                  FROM @lacune ORDER BY id";
    let qui = by_id(archivi.righe(Lato::Qui, lacune).await?)?;
    let altrove = by_id(archivi.righe(Lato::Altrove, lacune).await?)?;
    perdute.lacune_dopo = qui.keys().next_back().copied().unwrap_or(0);
    let recuperi = "SELECT CAST(max(id) AS text) FROM @recuperi";
    if let Some([Some(ultimo)]) = archivi
        .righe(Lato::Qui, recuperi)
        .await?
        .first()
        .map(Vec::as_slice)
    {
        perdute.recuperi_dopo = ultimo
            .parse()
            .map_err(|source| Inconsistency::new("recuperi", "id", source))?;
    }
    let nostre: Vec<&Voce> = qui
        .iter()
        .filter(|(id, voce)| altrove.get(id) != Some(voce))
        .map(|(_, voce)| voce)
        .collect();
    if let Some(nostra) = nostre.first() {
        let (tutte, prima) = (perdute.numeri.len() as u64, nostra);
        let mut dentro = 0;
        for voce in &nostre {
            let (anno, da, a): (i16, u64, u64) = (number(voce, 2)?, number(voce, 3)?, number(voce, 4)?);
            let registro = voce[1].as_deref().unwrap_or_default();
            dentro += perdute
                .numeri
                .iter()
                .filter(|(di, del, numero)| di == registro && *del == anno && (da..=a).contains(numero))
                .count() as u64;
        }
        if dentro < tutte {
            return Err(conflict(&format!(
                "a hole was declared here that the other store does not have ({} {}, from {})",
                prima[1].as_deref().unwrap_or_default(),
                prima[2].as_deref().unwrap_or_default(),
                prima[3].as_deref().unwrap_or_default()
            )));
        }
        perdute.gia_lacuna = dentro;
        perdute.numeri.clear();
    }
    let contatori = counters(archivi).await?;
    for (registro, _, _) in &perdute.numeri {
        let confine = contatori.iter().find(|(nome, ..)| nome == registro);
        let confine = confine.map_or((0, 0), |(_, anno, ultimo)| (*anno, ultimo.unsigned_abs()));
        perdute.confini.insert(registro.clone(), confine);
    }
    for (registro, anno, numero) in &perdute.numeri {
        if (*anno, *numero) <= perdute.confini[registro] {
            return Err(conflict(&format!(
                "{registro} {anno} {numero}: this number is behind the counter here, and no registration has it"
            )));
        }
    }
    Ok(perdute)
}
