//! Searches among the traces that somebody gave a name: kept in the store, so that the console and the command line share
//! them. Nobody is named in one: whom to look for is asked again each time.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Inconsistency, StoreError};
use crate::trace::ricerca::Ricerca;

/// A search with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiltroSalvato {
    nome: String,
    proprietario: Option<String>,
    ricerca: Ricerca,
    salvato_il: Timestamp,
}

/// Why a search gets no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FiltroErrato {
    /// The name.
    #[error("il nome di un filtro ha da 1 a {NOME_MAX} caratteri, senza caratteri di controllo")]
    Nome,
    /// The search names somebody.
    #[error("un filtro salvato non contiene un codice fiscale: si indica ogni volta")]
    Persona,
    /// The search asks for nothing.
    #[error("il filtro è vuoto: indicare almeno un criterio")]
    Vuoto,
}

/// Characters of a name.
pub const NOME_MAX: usize = 64;

/// How many searches are listed at most.
pub(super) const FILTRI_MAX: u32 = 1000;

impl FiltroSalvato {
    /// A search under a name: of one operator, or of everybody.
    pub fn new(
        nome: &str,
        proprietario: Option<&str>,
        ricerca: &Ricerca,
        adesso: Timestamp,
    ) -> Result<Self, FiltroErrato> {
        let nome = nome.trim();
        if !(1..=NOME_MAX).contains(&nome.chars().count()) || nome.chars().any(char::is_control) {
            return Err(FiltroErrato::Nome);
        }
        if ricerca.persona.is_some() {
            return Err(FiltroErrato::Persona);
        }
        if ricerca.criteri().is_empty() {
            return Err(FiltroErrato::Vuoto);
        }
        Ok(Self {
            nome: nome.to_owned(),
            proprietario: proprietario.map(str::to_owned),
            // Where somebody was in a list is no part of what is searched for.
            ricerca: Ricerca {
                dopo: None,
                limite: 0,
                senza_byte: false,
                ..ricerca.clone()
            },
            salvato_il: adesso,
        })
    }

    /// Its name.
    #[must_use]
    pub fn nome(&self) -> &str {
        &self.nome
    }

    /// Whose it is; `None`: everybody's.
    #[must_use]
    pub fn proprietario(&self) -> Option<&str> {
        self.proprietario.as_deref()
    }

    /// What it looks for.
    #[must_use]
    pub fn ricerca(&self) -> &Ricerca {
        &self.ricerca
    }

    /// When it was kept.
    #[must_use]
    pub fn salvato_il(&self) -> Timestamp {
        self.salvato_il
    }

    /// Its criteria as a JSON object.
    pub(super) fn json(&self) -> String {
        let criteri: BTreeMap<_, _> = self.ricerca.criteri().into_iter().collect();
        // A map of texts: that cannot fail.
        serde_json::to_string(&criteri).unwrap_or_else(|_| "{}".to_owned())
    }

    /// As a row tells it.
    pub(super) fn from_row(
        nome: String,
        proprietario: String,
        criteri: &str,
        salvato_il: Timestamp,
    ) -> Result<Self, Inconsistency> {
        let inconsistente = |causa: String| Inconsistency::new("tracce_filtri", "criteri", causa);
        let criteri: BTreeMap<String, String> =
            serde_json::from_str(criteri).map_err(|errore| inconsistente(errore.to_string()))?;
        let mut ricerca = Ricerca::default();
        for (criterio, valore) in &criteri {
            ricerca
                .set(criterio, valore)
                .map_err(|errore| inconsistente(errore.to_string()))?;
        }
        Ok(Self {
            nome,
            proprietario: Some(proprietario).filter(|proprietario| !proprietario.is_empty()),
            ricerca,
            salvato_il,
        })
    }
}

/// The store's part for searches with a name.
#[async_trait]
pub trait ArchivioFiltri {
    /// The searches that somebody may use: those of everybody, and their own; by name.
    async fn filtri(&self, di: Option<&str>) -> Result<Vec<FiltroSalvato>, StoreError>;

    /// Keeps a search; the one of that name and owner gives way.
    async fn keep_filtro(&self, filtro: &FiltroSalvato) -> Result<(), StoreError>;

    /// Forgets a search; whether it was there.
    async fn forget_filtro(&self, di: Option<&str>, nome: &str) -> Result<bool, StoreError>;
}
