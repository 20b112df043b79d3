//! The domanda of assegno temporaneo: every field of `xsd/assegno-temporaneo-v1.xsd`, typed. Codici fiscali and IBAN
//! stand as they were read, right or wrong, so that the rules can say of each what is wrong with it.

use jiff::civil::Date;

use super::dati::{CAMPI, DICHIARAZIONI};
use super::decorrenza::decorrenza_presunta;
use super::regole;
use crate::domanda::allegato::AllegatoInviato;
use crate::domanda::codelista::codelista;
use crate::domanda::pagamento::PagamentoInviato;
use crate::domanda::persona::{self, AltroGenitore, CodiceInviato, MotivoAssenza, RichiedenteInviato};
use crate::domanda::regole::{letto, letto_option, percorso};
use crate::domanda::{
    Assistenza, CodiceFiscale, Contesto, Dettagli, Domanda, Esame, Fascicolo, Pagamento, Scheda,
    dichiarazione,
};

/// A domanda of assegno temporaneo, as it was sent. Masked in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct AssegnoTemporaneo {
    /// Who hands in, on which mandate.
    pub assistenza: Assistenza,
    /// Who asks.
    pub richiedente: RichiedenteInviato,
    /// In which quality.
    pub presentata_da: PresentataDa,
    /// The parent under tutelage, when a tutor asks in their place.
    pub genitore_tutelato: Option<CodiceInviato>,
    /// One a child, in the order sent.
    pub minori: Vec<Minore>,
    /// How to pay: once, for all children (AT-5).
    pub pagamento: PagamentoInviato,
    /// The declarations, in the order sent.
    pub dichiarazioni: Vec<DichiarazioneInviata>,
    /// The documents, in the order sent.
    pub allegati: Vec<AllegatoInviato>,
}

/// One child, as sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Minore {
    /// In which quality the richiedente asks.
    pub qualita: Qualita,
    /// The child's codice fiscale.
    pub codice_fiscale: CodiceInviato,
    /// Date of birth: needed with a provisional codice fiscale.
    pub data_nascita: Option<Date>,
    /// Whether the child is disabled.
    pub disabile: bool,
    /// Shared custody by a court.
    pub affido_condiviso: bool,
    /// The other parent, or why there is none.
    pub altro_genitore: AltroGenitore,
    /// How the sum is split.
    pub ripartizione: Ripartizione,
}

/// A declaration, as sent.
pub type DichiarazioneInviata = dichiarazione::Inviata<CodiceDichiarazione, Scelta>;

codelista! {
    /// In which quality the richiedente presents the domanda.
    PresentataDa {
        /// As a parent (or the child's tutor: [`Qualita`]).
        Genitore = "GENITORE",
        /// As tutor of a parent who cannot act.
        TutoreDelGenitore = "TUTORE_DEL_GENITORE",
    }
}

codelista! {
    /// In which quality the richiedente asks for one child.
    Qualita {
        /// Parent.
        Genitore = "GENITORE",
        /// Custodian before adoption.
        AffidatarioPreadottivo = "AFFIDATARIO_PREADOTTIVO",
        /// Tutor of the child.
        TutoreMinore = "TUTORE_MINORE",
    }
}

codelista! {
    /// How the sum is split.
    Ripartizione {
        /// All to the richiedente.
        InteroRichiedente = "INTERO_RICHIEDENTE",
        /// Half to each parent.
        MetaEntrambi = "META_ENTRAMBI",
    }
}

codelista! {
    /// The declarations of the domanda.
    CodiceDichiarazione {
        /// No Reddito di cittadinanza.
        D1 = "D1",
        /// No assegno per il nucleo familiare.
        D2 = "D2",
        /// A valid ISEE.
        D3 = "D3",
        /// Citizenship or permit.
        D4 = "D4",
        /// Taxed in Italy.
        D5 = "D5",
        /// Resident and domiciled with the children.
        D6 = "D6",
        /// Resident long enough, or a contract.
        D7 = "D7",
        /// Privacy notice read.
        D8 = "D8",
    }
}

codelista! {
    /// The sub-choices of D4 and D7.
    Scelta {
        /// D4: Italian citizen.
        Italiano = "ITALIANO",
        /// D4: citizen of the Union.
        Ue = "UE",
        /// D4: family of a citizen of the Union.
        FamiliareUe = "FAMILIARE_UE",
        /// D4: long-term resident.
        ExtraUeLungoPeriodo = "EXTRA_UE_LUNGO_PERIODO",
        /// D4: permit for work or research.
        ExtraUeLavoroRicerca = "EXTRA_UE_LAVORO_RICERCA",
        /// D7: by residence.
        Residenza = "RESIDENZA",
        /// D7: by contract.
        Contratto = "CONTRATTO",
    }
}

impl Minore {
    /// The date of birth for a domanda presented `oggi`: the codice fiscale's, or the one sent beside a
    /// provisional one; `None` when neither tells.
    #[must_use]
    pub fn nascita(&self, oggi: Date) -> Option<Date> {
        persona::nascita(&self.codice_fiscale, self.data_nascita, oggi)
    }
}

impl Domanda for AssegnoTemporaneo {
    fn minori(&self) -> Vec<CodiceFiscale> {
        self.minori
            .iter()
            .filter_map(|minore| minore.codice_fiscale.clone().ok())
            .collect()
    }

    fn esamina(&self, contesto: &Contesto<'_>) -> Esame {
        regole::esamina(self, contesto)
    }

    fn fascicolo(&self, contesto: &Contesto<'_>) -> Option<Fascicolo> {
        let schede = (1..)
            .zip(&self.minori)
            .map(|(posto, minore)| minore.scheda(posto, contesto.presentazione_di(&minore.codice_fiscale)))
            .collect::<Option<Vec<Scheda>>>()?;
        let minori = if schede.len() == 1 {
            "1 minore".to_owned()
        } else {
            format!("{} minori", schede.len())
        };
        Some(Fascicolo {
            data_pratica: self.assistenza.data_pratica,
            mandato_numero: self.assistenza.mandato_numero.clone(),
            mandato_data: self.assistenza.mandato_data,
            richiedente: self.richiedente.registrato()?,
            presentata_da: self.presentata_da.as_str(),
            genitore_tutelato: letto_option(self.genitore_tutelato.as_ref())?,
            pagamento: Pagamento {
                modalita: self.pagamento.modalita.as_str(),
                iban: letto_option(self.pagamento.iban.as_ref())?,
                intestato_richiedente: self.pagamento.intestato_richiedente,
            },
            schede,
            dichiarazioni: dichiarazione::registrate(&self.dichiarazioni, DICHIARAZIONI, contesto.oggi()),
            allegati: self.allegati.iter().map(AllegatoInviato::registrato).collect(),
            dettagli: Dettagli::default(),
            avente: None,
            oggetto: format!("Assegno Temporaneo DL 79/2021 - domanda n. {{numero}} - {minori}"),
        })
    }

    fn assistenza(&self) -> &Assistenza {
        &self.assistenza
    }

    fn dove(&self, posto: Option<u32>, valore: &str) -> String {
        let passi: &[&str] = match valore {
            "richiedente" => &["Richiedente", "CodiceFiscale"],
            "richiedente_nome" => &["Richiedente", "Nome"],
            "richiedente_cognome" => &["Richiedente", "Cognome"],
            "richiedente_email" => &["Richiedente", "Contatti", "Email"],
            "richiedente_cellulare" => &["Richiedente", "Contatti", "Cellulare"],
            "richiedente_indirizzo" => &["Richiedente", "Contatti", "Indirizzo"],
            "presentata_da" => &["PresentataDa"],
            "genitore_tutelato" => &["GenitoreTutelato", "CodiceFiscale"],
            "modalita" => &["Pagamento", "Modalita"],
            "iban" => &["Pagamento", "Iban"],
            "intestato_richiedente" => &["Pagamento", "IntestatoRichiedente"],
            "dichiarazioni" => &["Dichiarazioni"],
            "allegati" => &["Allegati"],
            "schede" => &["Minori"],
            "codice_fiscale" => &["CodiceFiscale"],
            "data_nascita" => &["DataNascita"],
            "qualita" => &["Qualita"],
            "disabile" => &["Disabile"],
            "affido_condiviso" => &["AffidoCondiviso"],
            "altro_genitore" => &["AltroGenitore", "CodiceFiscale"],
            "altro_genitore_assente" => &["AltroGenitoreAssente"],
            // The other half's payment comes from the other parent (AT-4): here it can only go with the split.
            "ripartizione" | "altro_genitore_modalita" | "altro_genitore_iban" => &["Ripartizione"],
            _ => &[],
        };
        let Some(posto) = posto else {
            return percorso(PREFISSO, passi);
        };
        let minore = format!("Minore[{posto}]");
        percorso(PREFISSO, &[&["Minori", &minore], passi].concat())
    }

    fn campi(&self) -> &'static [&'static str] {
        CAMPI
    }
}

const PREFISSO: &str = super::PRESTAZIONE.prefisso;

impl Minore {
    /// Its sheet, presented on a day; `None` where an identifier cannot be read.
    #[must_use]
    pub fn scheda(&self, posto: u32, oggi: Date) -> Option<Scheda> {
        let nascita = self.nascita(oggi);
        Some(Scheda {
            posto,
            codice_fiscale: letto(&self.codice_fiscale)?,
            data_nascita: nascita,
            qualita: self.qualita.as_str(),
            disabile: self.disabile,
            affido_condiviso: self.affido_condiviso,
            altro_genitore: letto_option(self.altro_genitore.codice_fiscale())?,
            altro_genitore_assente: self.altro_genitore.assenza().map(MotivoAssenza::as_str),
            ripartizione: self.ripartizione.as_str(),
            // The other half's payment comes later, from the other parent (AT-4).
            pagamento_altro_genitore: None,
            decorrenza_presunta: decorrenza_presunta(oggi, nascita),
            subentra: false,
            dettagli: Dettagli::default(),
        })
    }
}

impl std::fmt::Debug for AssegnoTemporaneo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AssegnoTemporaneo")
            .field("presentata_da", &self.presentata_da)
            .field("minori", &self.minori.len())
            .field("pagamento", &self.pagamento.modalita)
            .finish_non_exhaustive()
    }
}
