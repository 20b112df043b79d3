//! The proof that one registration stands in a day: its row, and the hashes that lead from it to the root which the signed
//! document of the day says. It needs neither the other rows nor the store.

use serde::{Deserialize, Serialize};

use super::giornata::Giornata;
use super::{Blocco, Genere, Impronta, Riga, Testata, Voce, campo, merkle};

/// The proof, as a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inclusione {
    /// Of the form of this document.
    pub versione: u8,
    /// Of which registration.
    pub protocollo: String,
    /// The row as it was sealed.
    pub riga: String,
    /// Its place in its block, from 0.
    pub posto: usize,
    /// From its leaf up to the root of the block.
    pub cammino: Vec<Impronta>,
    /// The block.
    pub blocco: Testata,
    /// The place of the block in its day, from 0.
    pub posto_del_blocco: usize,
    /// How many blocks the day has.
    pub blocchi: usize,
    /// From the block's seal up to the root of the day.
    pub cammino_del_blocco: Vec<Impronta>,
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NonProva {
    /// It is none.
    #[error("il file non è una prova di inclusione")]
    Illeggibile,
    /// The row is of another registration.
    #[error("la riga non è di questo protocollo")]
    AltroProtocollo,
    /// The row does not lead to the block.
    #[error("la riga non sta nel blocco che la prova indica")]
    FuoriDalBlocco,
    /// The block does not lead to the day.
    #[error("il blocco non sta nel giorno che l'ancora chiude")]
    FuoriDalGiorno,
    /// The receipt is another.
    #[error("la ricevuta non è quella di questa registrazione")]
    AltraRicevuta,
}

impl Inclusione {
    /// The proof of one row of a block, among the seals of its day.
    #[must_use]
    pub fn new(riga: &Riga, blocco: &Blocco, sigilli: &[Impronta]) -> Option<Self> {
        let voce = riga.voce();
        let posto = blocco.voci.iter().position(|altra| *altra == voce)?;
        let foglie: Vec<Impronta> = blocco.voci.iter().map(Voce::foglia).collect();
        let posto_del_blocco = sigilli.iter().position(|sigillo| *sigillo == blocco.sigillo)?;
        Some(Self {
            versione: 1,
            protocollo: riga.chiave.clone(),
            riga: String::from_utf8_lossy(&riga.testo).into_owned(),
            posto,
            cammino: merkle::cammino(&foglie, posto),
            blocco: blocco.testata.clone(),
            posto_del_blocco,
            blocchi: sigilli.len(),
            cammino_del_blocco: merkle::cammino(sigilli, posto_del_blocco),
        })
    }

    /// Its bytes.
    #[must_use]
    pub fn documento(&self) -> String {
        let mut testo = serde_json::to_string_pretty(self).unwrap_or_default();
        testo.push('\n');
        testo
    }

    /// The one with these bytes.
    pub fn read(documento: &str) -> Result<Self, NonProva> {
        let letta: Self = serde_json::from_str(documento).map_err(|_| NonProva::Illeggibile)?;
        if letta.versione == 1 && letta.documento() == documento {
            Ok(letta)
        } else {
            Err(NonProva::Illeggibile)
        }
    }

    /// Holds it against the document of its day, and against the receipt, if one is there.
    pub fn verify(&self, giornata: &Giornata, ricevuta: Option<&[u8]>) -> Result<(), NonProva> {
        let testo = self.riga.as_bytes();
        if campo(testo, "protocollo") != Some(self.protocollo.as_bytes()) {
            return Err(NonProva::AltroProtocollo);
        }
        let foglia = Voce {
            genere: Genere::Registrazione,
            chiave: self.protocollo.clone(),
            impronta: Impronta::of(testo),
            corpi: [None, None],
            istante: None,
        }
        .foglia();
        let radice = merkle::risali(foglia, self.posto, self.blocco.righe, &self.cammino);
        if radice != Some(self.blocco.radice) {
            return Err(NonProva::FuoriDalBlocco);
        }
        let sigillo = self.blocco.sigillo();
        let radice = merkle::risali(
            sigillo,
            self.posto_del_blocco,
            self.blocchi,
            &self.cammino_del_blocco,
        );
        if radice != Some(giornata.radice)
            || self.blocchi != giornata.blocchi
            || self.blocco.giorno != giornata.giorno
        {
            return Err(NonProva::FuoriDalGiorno);
        }
        let Some(ricevuta) = ricevuta else {
            return Ok(());
        };
        let impronta = Impronta::of(ricevuta).to_string();
        if campo(testo, "ricevuta_sha256") == Some(impronta.as_bytes()) {
            Ok(())
        } else {
            Err(NonProva::AltraRicevuta)
        }
    }
}
