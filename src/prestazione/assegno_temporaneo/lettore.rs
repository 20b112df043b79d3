//! From the fields of a message to an [`AssegnoTemporaneo`], while the message is read. It follows the XSD's names
//! and nothing of its rules: a field that is not readable is a field that is not there, and a domanda that lacks one
//! is no domanda. On a message with findings of form it may be told anything, in any order.

use base64::Engine as _;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use jiff::civil::Date;

use super::domanda::{
    AllegatoInviato, AltroGenitore, AssegnoTemporaneo, CodiceDichiarazione, DichiarazioneInviata, Minore,
    MotivoAssenza, PresentataDa, Qualita, RichiedenteInviato, Ripartizione, Scelta, TipoAllegato, TipoMime,
};
use crate::domanda::lettura::{booleano, data};
use crate::domanda::pagamento::{IbanErrato, Modalita, PagamentoInviato};
use crate::domanda::regole::CodiceInviato;
use crate::domanda::sha256::Sha256;
use crate::domanda::{Assistenza, Domanda, Iban, Lettore};

/// Builds a domanda field by field.
#[derive(Default)]
pub struct LettoreAssegnoTemporaneo {
    /// The sections that are open, outermost first.
    aperte: Vec<Sezione>,
    letta: Bozza,
}

/// An element with children: the same name means another field in another section.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sezione {
    Domanda,
    Patronato,
    Mandato,
    Richiedente,
    GenitoreTutelato,
    Minore,
    AltroGenitore,
    Pagamento,
    Dichiarazione,
    Allegato,
}

/// What was read so far.
#[derive(Default)]
struct Bozza {
    data_pratica: Option<Date>,
    codice_patronato: Option<String>,
    codice_ufficio: Option<String>,
    operatore: Option<String>,
    mandato_numero: Option<String>,
    mandato_data: Option<Date>,
    richiedente_codice: Option<CodiceInviato>,
    nome: Option<String>,
    cognome: Option<String>,
    email: Option<String>,
    cellulare: Option<String>,
    indirizzo: Option<String>,
    presentata_da: Option<PresentataDa>,
    genitore_tutelato: Option<CodiceInviato>,
    minori: Vec<BozzaMinore>,
    modalita: Option<Modalita>,
    iban: Option<Result<Iban, IbanErrato>>,
    intestato_richiedente: Option<bool>,
    dichiarazioni: Vec<BozzaDichiarazione>,
    allegati: Vec<BozzaAllegato>,
}

#[derive(Default)]
struct BozzaMinore {
    qualita: Option<Qualita>,
    codice_fiscale: Option<CodiceInviato>,
    data_nascita: Option<Date>,
    disabile: Option<bool>,
    affido_condiviso: Option<bool>,
    altro_genitore: Option<AltroGenitore>,
    ripartizione: Option<Ripartizione>,
}

#[derive(Default)]
struct BozzaDichiarazione {
    codice: Option<CodiceDichiarazione>,
    valore: Option<bool>,
    scelta: Option<Scelta>,
}

#[derive(Default)]
struct BozzaAllegato {
    tipo: Option<TipoAllegato>,
    nome_file: Option<String>,
    tipo_mime: Option<TipoMime>,
    impronta_dichiarata: Option<String>,
    contenuto: Option<([u8; 32], u64)>,
}

impl Sezione {
    /// The section that an element opens; `Minori` and the like only gather, and open none.
    fn by_campo(campo: &str) -> Option<Self> {
        Some(match campo {
            "Domanda" => Self::Domanda,
            "Patronato" => Self::Patronato,
            "Mandato" => Self::Mandato,
            "Richiedente" => Self::Richiedente,
            "GenitoreTutelato" => Self::GenitoreTutelato,
            "Minore" => Self::Minore,
            "AltroGenitore" => Self::AltroGenitore,
            "Pagamento" => Self::Pagamento,
            "Dichiarazione" => Self::Dichiarazione,
            "Allegato" => Self::Allegato,
            _ => return None,
        })
    }
}

impl Lettore for LettoreAssegnoTemporaneo {
    fn apri(&mut self, campo: &str) {
        let Some(sezione) = Sezione::by_campo(campo) else {
            // An empty document is a document, whether or not its empty text is told: ALL-003 speaks of it.
            if campo == "Contenuto" {
                self.valore(campo, "");
            }
            return;
        };
        self.aperte.push(sezione);
        match sezione {
            Sezione::Minore => self.letta.minori.push(BozzaMinore::default()),
            Sezione::Dichiarazione => self.letta.dichiarazioni.push(BozzaDichiarazione::default()),
            Sezione::Allegato => self.letta.allegati.push(BozzaAllegato::default()),
            _ => {}
        }
    }

    fn valore(&mut self, campo: &str, testo: &str) {
        let letta = &mut self.letta;
        let minore = letta.minori.last_mut();
        let dichiarazione = letta.dichiarazioni.last_mut();
        let allegato = letta.allegati.last_mut();
        let parola = || Some(testo.to_owned());
        match (self.aperte.last().copied().unwrap_or(Sezione::Domanda), campo) {
            (Sezione::Domanda, "DataPratica") => letta.data_pratica = data(testo),
            (Sezione::Domanda, "Operatore") => letta.operatore = parola(),
            (Sezione::Domanda, "PresentataDa") => letta.presentata_da = PresentataDa::parse(testo),

            (Sezione::Patronato, "Codice") => letta.codice_patronato = parola(),
            (Sezione::Patronato, "Ufficio") => letta.codice_ufficio = parola(),

            (Sezione::Mandato, "Numero") => letta.mandato_numero = parola(),
            (Sezione::Mandato, "Data") => letta.mandato_data = data(testo),

            (Sezione::Richiedente, "CodiceFiscale") => letta.richiedente_codice = Some(testo.parse()),
            (Sezione::Richiedente, "Nome") => letta.nome = parola(),
            (Sezione::Richiedente, "Cognome") => letta.cognome = parola(),
            (Sezione::Richiedente, "Email") => letta.email = parola(),
            (Sezione::Richiedente, "Cellulare") => letta.cellulare = parola(),
            (Sezione::Richiedente, "Indirizzo") => letta.indirizzo = parola(),

            (Sezione::GenitoreTutelato, "CodiceFiscale") => letta.genitore_tutelato = Some(testo.parse()),

            (Sezione::Minore, _) => {
                if let Some(minore) = minore {
                    minore.valore(campo, testo);
                }
            }
            (Sezione::AltroGenitore, "CodiceFiscale") => {
                if let Some(minore) = minore {
                    minore.altro_genitore = Some(AltroGenitore::Presente(testo.parse()));
                }
            }

            (Sezione::Pagamento, "Modalita") => letta.modalita = Modalita::parse(testo),
            (Sezione::Pagamento, "Iban") => letta.iban = Some(testo.parse()),
            (Sezione::Pagamento, "IntestatoRichiedente") => letta.intestato_richiedente = booleano(testo),

            (Sezione::Dichiarazione, _) => {
                if let Some(dichiarazione) = dichiarazione {
                    dichiarazione.valore(campo, testo);
                }
            }
            (Sezione::Allegato, _) => {
                if let Some(allegato) = allegato {
                    allegato.valore(campo, testo);
                }
            }
            // Not a field of ours: the form has its finding.
            _ => {}
        }
    }

    fn chiudi(&mut self, campo: &str) {
        if let Some(sezione) = Sezione::by_campo(campo)
            && self.aperte.last() == Some(&sezione)
        {
            self.aperte.pop();
        }
    }

    fn domanda(self: Box<Self>) -> Option<Box<dyn Domanda>> {
        Some(Box::new(self.assegno()?))
    }
}

impl LettoreAssegnoTemporaneo {
    /// The domanda by its own type.
    pub(super) fn assegno(self) -> Option<AssegnoTemporaneo> {
        self.letta.domanda()
    }
}

impl Bozza {
    fn domanda(self) -> Option<AssegnoTemporaneo> {
        Some(AssegnoTemporaneo {
            assistenza: Assistenza {
                data_pratica: self.data_pratica,
                codice_patronato: self.codice_patronato?,
                codice_ufficio: self.codice_ufficio?,
                operatore: self.operatore?,
                mandato_numero: self.mandato_numero?,
                mandato_data: self.mandato_data?,
            },
            richiedente: RichiedenteInviato {
                codice_fiscale: self.richiedente_codice?,
                nome: self.nome?,
                cognome: self.cognome?,
                email: self.email,
                cellulare: self.cellulare,
                indirizzo: self.indirizzo,
            },
            presentata_da: self.presentata_da?,
            genitore_tutelato: self.genitore_tutelato,
            minori: self
                .minori
                .into_iter()
                .map(BozzaMinore::minore)
                .collect::<Option<_>>()?,
            pagamento: PagamentoInviato {
                modalita: self.modalita?,
                iban: self.iban,
                intestato_richiedente: self.intestato_richiedente,
            },
            dichiarazioni: self
                .dichiarazioni
                .into_iter()
                .map(BozzaDichiarazione::dichiarazione)
                .collect::<Option<_>>()?,
            allegati: self
                .allegati
                .into_iter()
                .map(BozzaAllegato::allegato)
                .collect::<Option<_>>()?,
        })
    }
}

impl BozzaMinore {
    fn valore(&mut self, campo: &str, testo: &str) {
        match campo {
            "Qualita" => self.qualita = Qualita::parse(testo),
            "CodiceFiscale" => self.codice_fiscale = Some(testo.parse()),
            "DataNascita" => self.data_nascita = data(testo),
            "Disabile" => self.disabile = booleano(testo),
            "AffidoCondiviso" => self.affido_condiviso = booleano(testo),
            "AltroGenitoreAssente" => {
                self.altro_genitore = MotivoAssenza::parse(testo).map(AltroGenitore::Assente);
            }
            "Ripartizione" => self.ripartizione = Ripartizione::parse(testo),
            _ => {}
        }
    }

    fn minore(self) -> Option<Minore> {
        Some(Minore {
            qualita: self.qualita?,
            codice_fiscale: self.codice_fiscale?,
            data_nascita: self.data_nascita,
            disabile: self.disabile?,
            affido_condiviso: self.affido_condiviso?,
            altro_genitore: self.altro_genitore?,
            ripartizione: self.ripartizione?,
        })
    }
}

impl BozzaDichiarazione {
    fn valore(&mut self, campo: &str, testo: &str) {
        match campo {
            "Codice" => self.codice = CodiceDichiarazione::parse(testo),
            "Valore" => self.valore = booleano(testo),
            "Scelta" => self.scelta = Scelta::parse(testo),
            _ => {}
        }
    }

    fn dichiarazione(self) -> Option<DichiarazioneInviata> {
        Some(DichiarazioneInviata {
            codice: self.codice?,
            valore: self.valore?,
            scelta: self.scelta,
        })
    }
}

impl BozzaAllegato {
    fn valore(&mut self, campo: &str, testo: &str) {
        match campo {
            "Tipo" => self.tipo = TipoAllegato::parse(testo),
            "NomeFile" => self.nome_file = Some(testo.to_owned()),
            "TipoMime" => self.tipo_mime = TipoMime::parse(testo),
            "Impronta" => self.impronta_dichiarata = Some(testo.to_owned()),
            "Contenuto" => self.contenuto = impronta(testo),
            _ => {}
        }
    }

    fn allegato(self) -> Option<AllegatoInviato> {
        let (impronta, bytes_len) = self.contenuto?;
        Some(AllegatoInviato {
            tipo: self.tipo?,
            nome_file: self.nome_file?,
            tipo_mime: self.tipo_mime?,
            impronta_dichiarata: self.impronta_dichiarata,
            impronta,
            bytes_len,
        })
    }
}

/// `xs:base64Binary` pads, and lets spaces stand anywhere; the bits that padding leaves over mean nothing.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Characters decoded at a time: whole groups of four.
const BLOCCO: usize = 4096;

/// SHA-256 and length of what base64 text holds, block by block: a document is not held twice in memory.
fn impronta(testo: &str) -> Option<([u8; 32], u64)> {
    let mut caratteri = testo
        .bytes()
        .filter(|carattere| !carattere.is_ascii_whitespace())
        .peekable();
    let (mut sha, mut bytes_len) = (Sha256::new(), 0_u64);
    let (mut blocco, mut decodificato) = (Vec::with_capacity(BLOCCO), [0; BLOCCO / 4 * 3]);
    while caratteri.peek().is_some() {
        blocco.clear();
        blocco.extend(caratteri.by_ref().take(BLOCCO));
        // Padding ends the document: a block that has it must be the last one.
        if blocco.ends_with(b"=") && caratteri.peek().is_some() {
            return None;
        }
        let scritti = BASE64.decode_slice(&blocco, &mut decodificato).ok()?;
        sha.update(&decodificato[..scritti]);
        bytes_len += u64::try_from(scritti).ok()?;
    }
    Some((sha.finish(), bytes_len))
}

#[cfg(test)]
mod tests;
