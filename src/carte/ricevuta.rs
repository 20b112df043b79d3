//! What a receipt says, read again from the bytes that were told: they alone are what the sender was given.

use jiff::Timestamp;

use super::CartaError;
use crate::domanda::{Ambiente, Mese};
use crate::xml::{Elemento, Limits};

/// The values of a receipt. Masked in `Debug`.
#[derive(Clone, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each is an element of coop:Ricevuta, documented there"
)]
pub struct RicevutaDati {
    /// By which operation it was registered.
    pub operazione: String,
    pub intestazione: String,
    pub prestazione: String,
    pub ambiente: Ambiente,
    pub avvertenza: Option<String>,
    pub protocollo: String,
    pub numero_domanda: String,
    pub chiave: String,
    pub presentata_il: Timestamp,
    pub registrata_il: Timestamp,
    pub oggetto: String,
    pub ente: String,
    pub ente_denominazione: String,
    pub codice_ufficio: String,
    pub user_id: String,
    pub richiedente_codice_fiscale: String,
    pub richiedente_nome: String,
    pub richiedente_cognome: String,
    pub canale: String,
    pub impronta: String,
    pub schede: Vec<SchedaDati>,
    pub prossimi_passi: String,
}

/// A sheet of it.
#[derive(Clone, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each is an element of coop:SchedaRicevuta, documented there"
)]
pub struct SchedaDati {
    pub posto: String,
    pub codice_fiscale: String,
    pub decorrenza_presunta: Option<Mese>,
}

impl RicevutaDati {
    /// Reads the receipt's bytes; `operazione` is the one that was registered.
    pub fn read(ricevuta: &[u8], operazione: &str) -> Result<Self, CartaError> {
        let illeggibile = || CartaError::Illeggibile { cosa: "the receipt" };
        let letta = Elemento::at(ricevuta, 0, "", &Limits::default())
            .ok()
            .flatten()
            .ok_or_else(illeggibile)?;
        let campo = |percorso: &[&str]| letta.testo_di(percorso).to_owned();
        let istante = |nome: &str| letta.testo_di(&[nome]).parse::<Timestamp>().ok();
        let ambiente = [Ambiente::Sandbox, Ambiente::Collaudo, Ambiente::Produzione]
            .into_iter()
            .find(|ambiente| ambiente.as_str() == letta.testo_di(&["Ambiente"]));
        let schede = letta.figlio("Schede").map_or(&[][..], |schede| &schede.figli);
        let dati = Self {
            operazione: operazione.to_owned(),
            intestazione: campo(&["Intestazione"]),
            prestazione: campo(&["Prestazione"]),
            ambiente: ambiente.ok_or_else(illeggibile)?,
            avvertenza: letta
                .figlio("Avvertenza")
                .map(|avvertenza| avvertenza.testo.clone()),
            protocollo: campo(&["Protocollo"]),
            numero_domanda: campo(&["NumeroDomanda"]),
            chiave: campo(&["ChiaveInvio"]),
            presentata_il: istante("PresentataIl").ok_or_else(illeggibile)?,
            registrata_il: istante("RegistrataIl").ok_or_else(illeggibile)?,
            oggetto: campo(&["Oggetto"]),
            ente: campo(&["Ente", "Codice"]),
            ente_denominazione: campo(&["Ente", "Denominazione"]),
            codice_ufficio: campo(&["CodiceUfficio"]),
            user_id: campo(&["UserId"]),
            richiedente_codice_fiscale: campo(&["Richiedente", "CodiceFiscale"]),
            richiedente_nome: campo(&["Richiedente", "Nome"]),
            richiedente_cognome: campo(&["Richiedente", "Cognome"]),
            canale: campo(&["Canale"]),
            impronta: campo(&["Impronta"]),
            schede: schede.iter().map(SchedaDati::read).collect(),
            prossimi_passi: campo(&["ProssimiPassi"]),
        };
        let intera = [&dati.protocollo, &dati.numero_domanda, &dati.impronta]
            .iter()
            .all(|campo| !campo.is_empty());
        if intera { Ok(dati) } else { Err(illeggibile()) }
    }

    /// Nobody may take a try for the real thing: the word across each page.
    #[must_use]
    pub fn filigrana(&self) -> Option<&'static str> {
        match self.ambiente {
            Ambiente::Sandbox => Some("PROVA"),
            Ambiente::Collaudo => Some("COLLAUDO"),
            Ambiente::Produzione => None,
        }
    }

    /// What the square code holds: the number, and the imprint of what was received.
    #[must_use]
    pub fn codice(&self) -> String {
        format!("{} {}", self.protocollo, self.impronta)
    }
}

impl SchedaDati {
    fn read(scheda: &Elemento) -> Self {
        Self {
            posto: scheda.testo_di(&["Posto"]).to_owned(),
            codice_fiscale: scheda.testo_di(&["CodiceFiscale"]).to_owned(),
            decorrenza_presunta: mese(scheda.testo_di(&["DecorrenzaPresunta"])),
        }
    }
}

impl std::fmt::Debug for RicevutaDati {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RicevutaDati")
            .field("protocollo", &self.protocollo)
            .field("schede", &self.schede.len())
            .finish_non_exhaustive()
    }
}

/// `2021-07`.
fn mese(testo: &str) -> Option<Mese> {
    let (anno, mese) = testo.split_once('-')?;
    Some(Mese {
        anno: anno.parse().ok()?,
        mese: mese.parse().ok().filter(|mese| (1..=12).contains(mese))?,
    })
}
