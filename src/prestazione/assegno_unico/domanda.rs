//! The domanda of assegno unico: every field of `xsd/assegno-unico-v1.xsd`, typed. Codici fiscali and IBAN stand as they
//! were read, right or wrong, so that the rules can say of each what is wrong with it.

use jiff::civil::Date;

use super::dati::{CAMPI, DICHIARAZIONI, anno_aperto};
use super::decorrenza::decorrenza_presunta;
use super::pagamento::{PagamentoAltroInviato, PagamentoInviato, QualitaIntestatario};
use super::{avente, regole};
use crate::domanda::allegato::AllegatoInviato;
use crate::domanda::codelista::codelista;
use crate::domanda::persona::{self, AltroGenitore, CodiceInviato, MotivoAssenza, RichiedenteInviato};
use crate::domanda::regole::{letto, letto_option, percorso, same};
use crate::domanda::{
    Assistenza, Avente, CodiceFiscale, Contesto, Dettagli, Domanda, DomandaViva, Esame, Fascicolo, Pagamento,
    PagamentoAltroGenitore, Scheda, Violazione, dichiarazione,
};
use crate::patronato::CodiceEnte;

/// A domanda of assegno unico, as it was sent. Masked in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct AssegnoUnico {
    /// Who hands in, on which mandate.
    pub assistenza: Assistenza,
    /// From March of which year; the year of presentation where it is not told.
    pub anno_competenza: Option<i16>,
    /// Who asks.
    pub richiedente: RichiedenteInviato,
    /// In which role.
    pub ruolo: Ruolo,
    /// The parent under tutelage, when a tutor asks in their place.
    pub genitore_tutelato: Option<CodiceInviato>,
    /// One a child, in the order sent.
    pub figli: Vec<Figlio>,
    /// What is said of the ISEE.
    pub isee: Option<Isee>,
    /// The members of the nucleus, where there is no ISEE.
    pub nucleo: Vec<CodiceInviato>,
    /// Whether the nucleus had the assegno per il nucleo familiare in 2021.
    pub anf_2021_percepito: Option<bool>,
    /// How to pay who asks.
    pub pagamento: PagamentoInviato,
    /// How to pay the other parents, one each.
    pub pagamenti_altri: Vec<PagamentoAltroInviato>,
    /// The declarations, in the order sent.
    pub dichiarazioni: Vec<DichiarazioneInviata>,
    /// The documents, in the order sent.
    pub allegati: Vec<AllegatoInviato>,
}

/// One child, as sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Figlio {
    /// The child's codice fiscale.
    pub codice_fiscale: CodiceInviato,
    /// Date of birth: needed with a provisional codice fiscale.
    pub data_nascita: Option<Date>,
    /// A birth told within 120 days.
    pub nuova_nascita: Option<bool>,
    /// The other parent, or why there is none; nothing only for an orphan who asks for itself.
    pub altro_genitore: Option<AltroGenitore>,
    /// How the parents stand to each other.
    pub situazione_genitori: SituazioneGenitori,
    /// Custody.
    pub affidamento: Option<Affidamento>,
    /// How the sum is split.
    pub ripartizione: Ripartizione,
    /// The grade of disability.
    pub disabilita: Disabilita,
    /// What a child of 18 to 20 years does.
    pub condizione_maggiorenne: Option<CondizioneMaggiorenne>,
    /// Income below the threshold, for who works.
    pub reddito_sotto_soglia: Option<bool>,
    /// Whether the child is dependent.
    pub a_carico: bool,
    /// The mother is younger than 21.
    pub madre_under_21: Option<bool>,
    /// Both parents have income from work.
    pub entrambi_reddito_lavoro: Option<bool>,
}

/// What is said of the ISEE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Isee {
    /// Whether there is one.
    pub presente: bool,
    /// Protocol of the declaration that it comes from.
    pub protocollo_dsu: Option<String>,
}

/// A declaration, as sent.
pub type DichiarazioneInviata = dichiarazione::Inviata<CodiceDichiarazione, Scelta>;

codelista! {
    /// In which role the richiedente asks (circ. INPS 23/2022 §2, §7).
    Ruolo {
        /// Parent.
        Genitore = "GENITORE",
        /// Holder of parental responsibility.
        EsercenteRespGenitoriale = "ESERCENTE_RESP_GENITORIALE",
        /// Tutor of the child.
        Tutore = "TUTORE",
        /// Custodian (L. 184/1983).
        Affidatario = "AFFIDATARIO",
        /// Adult child, for itself.
        FiglioMaggiorenne = "FIGLIO_MAGGIORENNE",
        /// Tutor of a parent who cannot act.
        TutoreGenitore = "TUTORE_GENITORE",
    }
}

codelista! {
    /// How the parents of a child stand to each other.
    SituazioneGenitori {
        /// Married, living together.
        ConiugatiConviventi = "CONIUGATI_CONVIVENTI",
        /// Separated or divorced.
        SeparatiDivorziati = "SEPARATI_DIVORZIATI",
        /// Not married.
        NonConiugati = "NON_CONIUGATI",
        /// There is one parent only.
        GenitoreUnico = "GENITORE_UNICO",
        /// There is none.
        OrfanoEntrambi = "ORFANO_ENTRAMBI",
    }
}

codelista! {
    /// Custody of a child.
    Affidamento {
        /// Of one parent.
        Esclusivo = "ESCLUSIVO",
        /// Of both.
        Condiviso = "CONDIVISO",
        /// Of both, and the child lives with the richiedente.
        CondivisoCollocatoRichiedente = "CONDIVISO_COLLOCATO_RICHIEDENTE",
        /// Of a tutor or custodian.
        TutoreAffidatario = "TUTORE_AFFIDATARIO",
        /// No decision on it.
        Nessuno = "NESSUNO",
    }
}

codelista! {
    /// How the sum is split: the three choices of the on-line form (circ. INPS 23/2022 §7).
    Ripartizione {
        /// All to the richiedente, in agreement with the other parent.
        Intero = "A",
        /// Half each; the richiedente also tells how to pay the other parent.
        MetaConAltroGenitore = "B",
        /// Half each; the richiedente tells only how to be paid.
        MetaSenzaAccordo = "C",
    }
}

codelista! {
    /// The grade of disability, as the ISEE defines it.
    Disabilita {
        /// None.
        Nessuna = "NESSUNA",
        /// Medium.
        Media = "MEDIA",
        /// Severe.
        Grave = "GRAVE",
        /// Not self-sufficient.
        NonAutosufficiente = "NON_AUTOSUFFICIENTE",
    }
}

codelista! {
    /// What a child of 18 to 20 years does (D.lgs 230/2021 art. 2 c. 1 b).
    CondizioneMaggiorenne {
        /// School or vocational training.
        FormazioneScolasticaProfessionale = "FORMAZIONE_SCOLASTICA_PROFESSIONALE",
        /// University.
        CorsoLaurea = "CORSO_LAUREA",
        /// Traineeship, with little income.
        Tirocinio = "TIROCINIO",
        /// Work, with little income.
        Lavoro = "LAVORO",
        /// Registered as looking for work.
        DisoccupatoRegistrato = "DISOCCUPATO_REGISTRATO",
        /// Civil service.
        ServizioCivileUniversale = "SERVIZIO_CIVILE_UNIVERSALE",
    }
}

codelista! {
    /// The declarations of the domanda.
    CodiceDichiarazione {
        /// Citizenship or permit.
        U1 = "U1",
        /// Taxed in Italy.
        U2 = "U2",
        /// Resident and domiciled in Italy.
        U3 = "U3",
        /// Resident long enough, or a contract.
        U4 = "U4",
        /// The children are dependent.
        U5 = "U5",
        /// All of it is true.
        U6 = "U6",
        /// Privacy notice read.
        U7 = "U7",
    }
}

codelista! {
    /// The sub-choices of U1 and U4.
    Scelta {
        /// U1: Italian citizen.
        Italiano = "ITALIANO",
        /// U1: citizen of the Union.
        Ue = "UE",
        /// U1: family of a citizen of the Union.
        FamiliareUe = "FAMILIARE_UE",
        /// U1: long-term resident.
        ExtraUeLungoPeriodo = "EXTRA_UE_LUNGO_PERIODO",
        /// U1: single permit for work, more than six months.
        PermessoUnicoLavoro = "PERMESSO_UNICO_LAVORO",
        /// U1: permit for research, more than six months.
        PermessoRicerca = "PERMESSO_RICERCA",
        /// U4: by residence.
        Residenza = "RESIDENZA",
        /// U4: by contract.
        Contratto = "CONTRATTO",
    }
}

impl CondizioneMaggiorenne {
    /// The group of the circolare (§2): 1 school or degree, 2 traineeship or work, 3 looking for work, 4 civil service.
    #[must_use]
    pub fn gruppo(self) -> i64 {
        match self {
            Self::FormazioneScolasticaProfessionale | Self::CorsoLaurea => 1,
            Self::Tirocinio | Self::Lavoro => 2,
            Self::DisoccupatoRegistrato => 3,
            Self::ServizioCivileUniversale => 4,
        }
    }
}

impl Figlio {
    /// The date of birth for a domanda presented `oggi`; `None` when nothing tells it.
    #[must_use]
    pub fn nascita(&self, oggi: Date) -> Option<Date> {
        persona::nascita(&self.codice_fiscale, self.data_nascita, oggi)
    }

    /// The other parent's codice fiscale, where there is one.
    #[must_use]
    pub fn altro_codice(&self) -> Option<&CodiceInviato> {
        self.altro_genitore
            .as_ref()
            .and_then(AltroGenitore::codice_fiscale)
    }
}

impl Figlio {
    /// Its sheet, presented on a day by somebody in that role, with the payment of its other parent; `None` where an
    /// identifier cannot be read.
    #[must_use]
    pub fn scheda(
        &self,
        posto: u32,
        ruolo: Ruolo,
        altra_meta: Option<&PagamentoInviato>,
        oggi: Date,
    ) -> Option<Scheda> {
        let nascita = self.nascita(oggi);
        let altra_meta = altra_meta.filter(|_| self.ripartizione == Ripartizione::MetaConAltroGenitore);
        let pagamento_altro_genitore = match altra_meta {
            Some(pagamento) => Some(PagamentoAltroGenitore {
                modalita: pagamento.modalita.as_str(),
                iban: letto_option(pagamento.conto_da_usare().map(|conto| &conto.iban))?,
            }),
            None => None,
        };
        Some(Scheda {
            posto,
            codice_fiscale: letto(&self.codice_fiscale)?,
            data_nascita: nascita,
            qualita: ruolo.as_str(),
            disabile: self.disabilita != Disabilita::Nessuna,
            affido_condiviso: matches!(
                self.affidamento,
                Some(Affidamento::Condiviso | Affidamento::CondivisoCollocatoRichiedente)
            ),
            altro_genitore: letto_option(self.altro_codice())?,
            altro_genitore_assente: self
                .altro_genitore
                .as_ref()
                .and_then(AltroGenitore::assenza)
                .map(MotivoAssenza::as_str),
            ripartizione: self.ripartizione.as_str(),
            pagamento_altro_genitore,
            decorrenza_presunta: Some(decorrenza_presunta(
                oggi,
                nascita,
                self.nuova_nascita == Some(true),
            )),
            subentra: ruolo == Ruolo::FiglioMaggiorenne,
            dettagli: dettagli_della_scheda(self, altra_meta),
        })
    }
}

impl AssegnoUnico {
    /// The payment of the other parent of a sheet, where the sheet asks for one.
    #[must_use]
    pub fn pagamento_altro(&self, figlio: &Figlio) -> Option<&PagamentoAltroInviato> {
        let altro = figlio
            .altro_codice()
            .filter(|_| figlio.ripartizione == Ripartizione::MetaConAltroGenitore)?;
        self.pagamenti_altri
            .iter()
            .find(|pagamento| same(&pagamento.codice_fiscale, altro))
    }

    fn dettagli(&self, oggi: Date) -> Option<Dettagli> {
        let conto = self.pagamento.conto_da_usare();
        let nucleo = self
            .nucleo
            .iter()
            .map(|codice| Some(letto(codice)?.as_str().to_owned()))
            .collect::<Option<Vec<String>>>()?;
        let protocollo_dsu = self.isee.as_ref().and_then(|isee| isee.protocollo_dsu.as_deref());
        let intestatario_codice = letto_option(conto.map(|conto| &conto.intestatario_codice))?;
        let dettagli = Dettagli::default()
            .with(
                "anno_competenza",
                i64::from(self.anno_competenza.unwrap_or_else(|| anno_aperto(oggi))),
            )
            .with_option("isee_presente", self.isee.as_ref().map(|isee| isee.presente))
            .with_option("protocollo_dsu", protocollo_dsu)
            .with_option("nucleo", (!nucleo.is_empty()).then_some(nucleo))
            .with_option("anf_2021_percepito", self.anf_2021_percepito)
            .with_option("pagamento_strumento", conto.map(|conto| conto.strumento.as_str()))
            .with_option(
                "pagamento_intestatario",
                conto.map(|conto| conto.intestatario.as_str()),
            )
            .with_option(
                "pagamento_intestatario_codice_fiscale",
                intestatario_codice.as_ref().map(CodiceFiscale::as_str),
            );
        Some(dettagli)
    }
}

fn dettagli_della_scheda(figlio: &Figlio, altra_meta: Option<&PagamentoInviato>) -> Dettagli {
    let condizione = figlio.condizione_maggiorenne;
    let altro_conto = altra_meta.and_then(PagamentoInviato::conto_da_usare);
    Dettagli::default()
        .with_option("nuova_nascita", figlio.nuova_nascita)
        .with("situazione_genitori", figlio.situazione_genitori.as_str())
        .with_option("affidamento", figlio.affidamento.map(Affidamento::as_str))
        .with("disabilita", figlio.disabilita.as_str())
        .with_option(
            "condizione_maggiorenne",
            condizione.map(CondizioneMaggiorenne::as_str),
        )
        .with_option("condizione_gruppo", condizione.map(CondizioneMaggiorenne::gruppo))
        .with_option("madre_under_21", figlio.madre_under_21)
        .with_option("entrambi_reddito_lavoro", figlio.entrambi_reddito_lavoro)
        .with_option(
            "pagamento_altro_genitore_strumento",
            altro_conto.map(|conto| conto.strumento.as_str()),
        )
}

impl Domanda for AssegnoUnico {
    fn minori(&self) -> Vec<CodiceFiscale> {
        self.figli
            .iter()
            .filter_map(|figlio| figlio.codice_fiscale.clone().ok())
            .collect()
    }

    fn avente(&self) -> Option<Avente> {
        avente::avente(self)
    }

    fn domanda_viva(&self, viva: &DomandaViva, ente: Option<&CodiceEnte>) -> Option<Violazione> {
        Some(avente::gia_viva(self, viva, ente))
    }

    fn esamina(&self, contesto: &Contesto<'_>) -> Esame {
        regole::esamina(self, contesto)
    }

    fn fascicolo(&self, contesto: &Contesto<'_>) -> Option<Fascicolo> {
        let oggi = contesto.oggi();
        let schede = (1..)
            .zip(&self.figli)
            .map(|(posto, figlio)| {
                let altra_meta = self.pagamento_altro(figlio).map(|altro| &altro.pagamento);
                let presentata = contesto.presentazione_di(&figlio.codice_fiscale);
                figlio.scheda(posto, self.ruolo, altra_meta, presentata)
            })
            .collect::<Option<Vec<Scheda>>>()?;
        let figli = if schede.len() == 1 {
            "1 figlio".to_owned()
        } else {
            format!("{} figli", schede.len())
        };
        let conto = self.pagamento.conto_da_usare();
        Some(Fascicolo {
            data_pratica: self.assistenza.data_pratica,
            mandato_numero: self.assistenza.mandato_numero.clone(),
            mandato_data: self.assistenza.mandato_data,
            richiedente: self.richiedente.registrato()?,
            presentata_da: self.ruolo.as_str(),
            genitore_tutelato: letto_option(self.genitore_tutelato.as_ref())?,
            pagamento: Pagamento {
                modalita: self.pagamento.modalita.as_str(),
                iban: letto_option(conto.map(|conto| &conto.iban))?,
                intestato_richiedente: conto
                    .map(|conto| conto.intestatario == QualitaIntestatario::Richiedente),
            },
            schede,
            dichiarazioni: dichiarazione::registrate(&self.dichiarazioni, DICHIARAZIONI, oggi),
            allegati: self.allegati.iter().map(AllegatoInviato::registrato).collect(),
            dettagli: self.dettagli(oggi)?,
            avente: avente::avente(self),
            oggetto: format!("Assegno Unico e Universale D.lgs 230/2021 - domanda n. {{numero}} - {figli}"),
        })
    }

    fn assistenza(&self) -> &Assistenza {
        &self.assistenza
    }

    fn dove(&self, posto: Option<u32>, valore: &str) -> String {
        match posto {
            Some(posto) => self.dove_nella_scheda(posto, valore),
            None => percorso(PREFISSO, passi_nella_domanda(valore)),
        }
    }

    fn campi(&self) -> &'static [&'static str] {
        CAMPI
    }
}

const PREFISSO: &str = super::PRESTAZIONE.prefisso;

fn passi_nella_domanda(valore: &str) -> &'static [&'static str] {
    match valore {
        "richiedente" => &["Richiedente", "CodiceFiscale"],
        "richiedente_nome" => &["Richiedente", "Nome"],
        "richiedente_cognome" => &["Richiedente", "Cognome"],
        "richiedente_email" => &["Richiedente", "Contatti", "Email"],
        "richiedente_cellulare" => &["Richiedente", "Contatti", "Cellulare"],
        "richiedente_indirizzo" => &["Richiedente", "Contatti", "Indirizzo"],
        "presentata_da" => RUOLO,
        "genitore_tutelato" => &["GenitoreTutelato", "CodiceFiscale"],
        "anno_competenza" => &["AnnoCompetenza"],
        "isee_presente" => &["Isee", "Presente"],
        "protocollo_dsu" => &["Isee", "ProtocolloDSU"],
        "nucleo" => &["Nucleo"],
        "anf_2021_percepito" => &["Anf2021Percepito"],
        "modalita" => &["PagamentoRichiedente", "Modalita"],
        "iban" => &["PagamentoRichiedente", "Conto", "Iban"],
        "pagamento_strumento" => &["PagamentoRichiedente", "Conto", "Strumento"],
        "intestato_richiedente" | "pagamento_intestatario" => {
            &["PagamentoRichiedente", "Conto", "Intestatario", "Qualita"]
        }
        "pagamento_intestatario_codice_fiscale" => {
            &["PagamentoRichiedente", "Conto", "Intestatario", "CodiceFiscale"]
        }
        "dichiarazioni" => &["Dichiarazioni"],
        "allegati" => &["Allegati"],
        "schede" => &["Figli"],
        _ => &[],
    }
}

/// Where the role stands, which every sheet repeats.
const RUOLO: &[&str] = &["Richiedente", "Ruolo"];

impl AssegnoUnico {
    fn dove_nella_scheda(&self, posto: u32, valore: &str) -> String {
        let passi: &[&str] = match valore {
            "qualita" => return percorso(PREFISSO, RUOLO),
            "altro_genitore_modalita" => return self.dove_si_paga_l_altro(posto, &["Modalita"]),
            "altro_genitore_iban" => return self.dove_si_paga_l_altro(posto, &["Conto", "Iban"]),
            "pagamento_altro_genitore_strumento" => {
                return self.dove_si_paga_l_altro(posto, &["Conto", "Strumento"]);
            }
            "codice_fiscale" => &["CodiceFiscale"],
            "data_nascita" => &["DataNascita"],
            "nuova_nascita" => &["NuovaNascita"],
            "altro_genitore" => &["AltroGenitore", "CodiceFiscale"],
            "altro_genitore_assente" => &["AltroGenitoreAssente"],
            "situazione_genitori" => &["SituazioneGenitori"],
            "affidamento" | "affido_condiviso" => &["Affidamento"],
            "ripartizione" => &["Ripartizione"],
            "disabilita" | "disabile" => &["Disabilita"],
            "condizione_maggiorenne" | "condizione_gruppo" => &["CondizioneMaggiorenne"],
            "madre_under_21" => &["Maggiorazioni", "MadreUnder21"],
            "entrambi_reddito_lavoro" => &["Maggiorazioni", "EntrambiRedditoLavoro"],
            _ => &[],
        };
        let figlio = format!("Figlio[{posto}]");
        percorso(PREFISSO, &[&["Figli", &figlio], passi].concat())
    }

    /// The payment of the other parent of a child; where none is told any more, what says so: the split.
    fn dove_si_paga_l_altro(&self, posto: u32, passi: &[&str]) -> String {
        let altro = usize::try_from(posto)
            .ok()
            .and_then(|posto| self.figli.get(posto.checked_sub(1)?)?.altro_codice());
        let pagamento = self
            .pagamenti_altri
            .iter()
            .position(|pagamento| altro.is_some_and(|altro| same(&pagamento.codice_fiscale, altro)));
        match pagamento {
            Some(indice) => {
                let pagamento = format!("PagamentoAltroGenitore[{}]", indice + 1);
                percorso(PREFISSO, &[&[pagamento.as_str()], passi].concat())
            }
            None => self.dove_nella_scheda(posto, "ripartizione"),
        }
    }
}

impl std::fmt::Debug for AssegnoUnico {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AssegnoUnico")
            .field("ruolo", &self.ruolo)
            .field("figli", &self.figli.len())
            .field("pagamento", &self.pagamento.modalita)
            .finish_non_exhaustive()
    }
}
