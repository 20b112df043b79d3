//! The domanda of assegno temporaneo: every field of `xsd/assegno-temporaneo-v1.xsd`, typed. Codici fiscali and IBAN
//! stand as they were read, right or wrong, so that the rules can say of each what is wrong with it.

use jiff::civil::Date;

use super::dati::TestoDichiarazione;
use super::decorrenza::decorrenza_presunta;
use super::regole;
use crate::domanda::codelista::codelista;
use crate::domanda::pagamento::PagamentoInviato;
use crate::domanda::regole::CodiceInviato;
use crate::domanda::{
    Allegato, Assistenza, CodiceFiscale, Contesto, Dichiarazione, Domanda, Esame, Fascicolo, Pagamento,
    Richiedente, Scheda,
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

/// The person who asks, as sent.
#[derive(Clone, PartialEq, Eq)]
pub struct RichiedenteInviato {
    /// Their codice fiscale.
    pub codice_fiscale: CodiceInviato,
    /// Given name.
    pub nome: String,
    /// Family name.
    pub cognome: String,
    /// For notices.
    pub email: Option<String>,
    /// For notices.
    pub cellulare: Option<String>,
    /// For notices.
    pub indirizzo: Option<String>,
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

/// The other parent of a child.
#[derive(Clone, PartialEq, Eq)]
pub enum AltroGenitore {
    /// There is one.
    Presente(CodiceInviato),
    /// There is none.
    Assente(MotivoAssenza),
}

/// A declaration, as sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DichiarazioneInviata {
    /// Which.
    pub codice: CodiceDichiarazione,
    /// Whether it is made.
    pub valore: bool,
    /// The sub-choice.
    pub scelta: Option<Scelta>,
}

/// A document, as sent; its bytes stay in the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllegatoInviato {
    /// Its type.
    pub tipo: TipoAllegato,
    /// The file name.
    pub nome_file: String,
    /// The MIME type.
    pub tipo_mime: TipoMime,
    /// The imprint that the sender tells, 64 hexadecimal digits.
    pub impronta_dichiarata: Option<String>,
    /// SHA-256 of the decoded bytes.
    pub impronta: [u8; 32],
    /// Length of the decoded bytes.
    pub bytes_len: u64,
}

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
    /// Why there is no other parent.
    MotivoAssenza {
        /// Dead.
        Deceduto = "DECEDUTO",
        /// Has not acknowledged the child.
        NonRiconosciuto = "NON_RICONOSCIUTO",
        /// Unknown.
        Ignoto = "IGNOTO",
        /// Otherwise.
        Altro = "ALTRO",
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

codelista! {
    /// What a document is.
    TipoAllegato {
        /// Bank's form for accounts abroad.
        FinancialIdentificationSepa = "FINANCIAL_IDENTIFICATION_SEPA",
        /// Decision of a court.
        ProvvedimentoGiudice = "PROVVEDIMENTO_GIUDICE",
        /// Permit of stay.
        TitoloSoggiorno = "TITOLO_SOGGIORNO",
        /// Certificate of disability.
        CertDisabilita = "CERT_DISABILITA",
        /// Certificate of attendance.
        CertFrequenza = "CERT_FREQUENZA",
        /// Identity document.
        DocumentoIdentita = "DOCUMENTO_IDENTITA",
        /// The mandate.
        MandatoPatronato = "MANDATO_PATRONATO",
        /// Something else.
        Altro = "ALTRO",
    }
}

codelista! {
    /// In which format a document is.
    TipoMime {
        /// PDF.
        Pdf = "application/pdf",
        /// JPEG.
        Jpeg = "image/jpeg",
        /// TIFF.
        Tiff = "image/tiff",
        /// P7M.
        Pkcs7 = "application/pkcs7-mime",
    }
}

impl Minore {
    /// The date of birth for a domanda presented `oggi`: the codice fiscale's, or the one sent beside a
    /// provisional one; `None` when neither tells.
    #[must_use]
    pub fn nascita(&self, oggi: Date) -> Option<Date> {
        match &self.codice_fiscale {
            Ok(codice) if codice.is_provvisorio() => self.data_nascita,
            Ok(codice) => codice.data_nascita(oggi).ok().flatten(),
            Err(_) => None,
        }
    }
}

impl AltroGenitore {
    /// The codice fiscale, where there is another parent.
    #[must_use]
    pub fn codice_fiscale(&self) -> Option<&CodiceInviato> {
        match self {
            Self::Presente(codice) => Some(codice),
            Self::Assente(_) => None,
        }
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

    fn fascicolo(&self, contesto: &Contesto<'_>) -> Fascicolo {
        let oggi = contesto.oggi();
        let schede: Vec<Scheda> = (1..)
            .zip(&self.minori)
            .map(|(posto, minore)| scheda(posto, minore, oggi))
            .collect();
        let minori = if schede.len() == 1 {
            "1 minore".to_owned()
        } else {
            format!("{} minori", schede.len())
        };
        Fascicolo {
            data_pratica: self.assistenza.data_pratica,
            mandato_numero: self.assistenza.mandato_numero.clone(),
            mandato_data: self.assistenza.mandato_data,
            richiedente: Richiedente {
                codice_fiscale: read(&self.richiedente.codice_fiscale),
                nome: self.richiedente.nome.clone(),
                cognome: self.richiedente.cognome.clone(),
                email: self.richiedente.email.clone(),
                cellulare: self.richiedente.cellulare.clone(),
                indirizzo: self.richiedente.indirizzo.clone(),
            },
            presentata_da: self.presentata_da.as_str(),
            genitore_tutelato: self.genitore_tutelato.as_ref().map(read),
            pagamento: Pagamento {
                modalita: self.pagamento.modalita.as_str(),
                iban: self.pagamento.iban.as_ref().map(read),
                intestato_richiedente: self.pagamento.intestato_richiedente,
            },
            schede,
            dichiarazioni: self
                .dichiarazioni
                .iter()
                .map(|inviata| Dichiarazione {
                    codice: inviata.codice.as_str(),
                    versione_testo: TestoDichiarazione::in_vigore(inviata.codice, oggi).versione,
                    scelta: inviata.scelta.map(Scelta::as_str),
                })
                .collect(),
            allegati: self
                .allegati
                .iter()
                .map(|inviato| Allegato {
                    tipo: inviato.tipo.as_str(),
                    nome_file: inviato.nome_file.clone(),
                    tipo_mime: inviato.tipo_mime.as_str(),
                    impronta: inviato.impronta,
                    bytes_len: inviato.bytes_len,
                })
                .collect(),
            oggetto: format!("Assegno Temporaneo DL 79/2021 - domanda n. {{numero}} - {minori}"),
        }
    }
}

fn scheda(posto: u32, minore: &Minore, oggi: Date) -> Scheda {
    let nascita = minore.nascita(oggi);
    let (altro_genitore, altro_genitore_assente) = match &minore.altro_genitore {
        AltroGenitore::Presente(codice) => (Some(read(codice)), None),
        AltroGenitore::Assente(motivo) => (None, Some(motivo.as_str())),
    };
    Scheda {
        posto,
        codice_fiscale: read(&minore.codice_fiscale),
        data_nascita: nascita,
        qualita: minore.qualita.as_str(),
        disabile: minore.disabile,
        affido_condiviso: minore.affido_condiviso,
        altro_genitore,
        altro_genitore_assente,
        ripartizione: minore.ripartizione.as_str(),
        decorrenza_presunta: decorrenza_presunta(oggi, nascita),
    }
}

/// What was sent, once the rules have found nothing wrong with it.
fn read<T: Clone, E: std::error::Error>(inviato: &Result<T, E>) -> T {
    // `fascicolo` follows an `esamina` without violations (intake's order of steps), and the rules refuse, on
    // whatever day, every domanda that holds an `Err` (CF-001… and IBN-001… are `Vigenza::SEMPRE`, held by a test).
    inviato
        .as_ref()
        .expect("a domanda with an unreadable identifier is refused before it is registered")
        .clone()
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
