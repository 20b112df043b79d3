//! People and accounts that do not exist, for samples, demonstrations and load: made from a counter, so that the same
//! counter gives the same people and two counters never the same codice fiscale. Every identifier is valid by shape
//! and check characters; that it belongs to nobody, only the Anagrafe could say, so none of it goes to produzione.

use jiff::ToSpan;
use jiff::civil::Date;

use super::codice_fiscale::Sesso;
use super::{CodiceFiscale, Iban, Lettore};

/// A made-up person.
#[derive(Clone, PartialEq, Eq)]
pub struct Persona {
    /// The codice fiscale, composed from all the rest.
    pub codice_fiscale: CodiceFiscale,
    /// Given name.
    pub nome: String,
    /// Family name.
    pub cognome: String,
    /// Date of birth.
    pub nascita: Date,
}

/// Who sends, as Identity and the Domanda say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mittente<'a> {
    /// The ente.
    pub ente: &'a str,
    /// Its ufficio.
    pub ufficio: &'a str,
    /// The operator.
    pub user_id: &'a str,
}

/// How much of the optional is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ampiezza {
    /// Everything that the sample has.
    Intera,
    /// What must be there, and one child.
    Minima,
}

/// What a sample is made of: the same one gives the same sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spunto<'a> {
    /// Which people: two counters (modulo [`PERIODO`]) share nobody.
    pub contatore: u64,
    /// The day to which ages and mandate are fitted.
    pub presentazione: Date,
    /// Who sends.
    pub mittente: Mittente<'a>,
    /// How much is written.
    pub ampiezza: Ampiezza,
}

/// A field of a sample: a name of the XSD with its text, or with fields of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Campo {
    /// With a text.
    Foglia(&'static str, String),
    /// With fields.
    Gruppo(&'static str, Vec<Self>),
}

impl Campo {
    /// A field with a text.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers hand in texts, dates and booleans as they have them"
    )]
    pub fn foglia(nome: &'static str, testo: impl ToString) -> Self {
        Self::Foglia(nome, testo.to_string())
    }

    /// The patronato's block, as it begins every Domanda: who sends, on which mandate.
    #[must_use]
    pub fn assistenza(spunto: &Spunto<'_>) -> Vec<Self> {
        let mittente = &spunto.mittente;
        let mandato = spunto.presentazione.saturating_sub(1.day());
        let pratica = (spunto.ampiezza == Ampiezza::Intera).then(|| Self::foglia("DataPratica", mandato));
        let numero = format!("{}/{:06}", mandato.year(), spunto.contatore % 1_000_000);
        pratica
            .into_iter()
            .chain([
                Self::Gruppo(
                    "Patronato",
                    vec![
                        Self::foglia("Codice", mittente.ente),
                        Self::foglia("Ufficio", mittente.ufficio),
                    ],
                ),
                Self::foglia("Operatore", mittente.user_id),
                Self::Gruppo(
                    "Mandato",
                    vec![Self::foglia("Numero", numero), Self::foglia("Data", mandato)],
                ),
            ])
            .collect()
    }

    /// Codice fiscale and names, as they begin every `Richiedente`.
    #[must_use]
    pub fn persona(persona: &Persona) -> Vec<Self> {
        vec![
            Self::foglia("CodiceFiscale", persona.codice_fiscale.as_str()),
            Self::foglia("Nome", &persona.nome),
            Self::foglia("Cognome", &persona.cognome),
        ]
    }

    /// How to reach a made-up person.
    #[must_use]
    pub fn contatti(persona: &Persona, contatore: u64) -> Self {
        let email = format!(
            "{}.{}@esempio.it",
            persona.nome.to_ascii_lowercase(),
            persona.cognome.to_ascii_lowercase()
        );
        Self::Gruppo(
            "Contatti",
            vec![
                Self::foglia("Email", email),
                Self::foglia("Cellulare", format!("+39333{:07}", contatore % 10_000_000)),
                Self::foglia("Indirizzo", "Via dell'Esempio 1, 00100 Roma"),
            ],
        )
    }

    /// A `CodiceFiscale` inside an element of that name.
    #[must_use]
    pub fn codice_fiscale(nome: &'static str, codice: &CodiceFiscale) -> Self {
        Self::Gruppo(nome, vec![Self::foglia("CodiceFiscale", codice.as_str())])
    }

    /// A declaration that is made, with its sub-choice where the sample is whole.
    #[must_use]
    pub fn dichiarazione(codice: &'static str, scelta: Option<&'static str>, ampiezza: Ampiezza) -> Self {
        let mut campi = vec![Self::foglia("Codice", codice), Self::foglia("Valore", true)];
        let scelta = scelta.filter(|_| ampiezza == Ampiezza::Intera);
        campi.extend(scelta.map(|scelta| Self::foglia("Scelta", scelta)));
        Self::Gruppo("Dichiarazione", campi)
    }

    /// Tells a reader the field, as a message would.
    pub fn racconta(&self, lettore: &mut dyn Lettore) {
        match self {
            Self::Foglia(nome, testo) => {
                lettore.apri(nome);
                lettore.valore(nome, testo);
                lettore.chiudi(nome);
            }
            Self::Gruppo(nome, campi) => {
                lettore.apri(nome);
                for campo in campi {
                    campo.racconta(lettore);
                }
                lettore.chiudi(nome);
            }
        }
    }
}

/// A day of the year that is so many before that of the presentation.
#[must_use]
pub fn nato(presentazione: Date, eta: u64, seme: u64) -> Date {
    let anno = presentazione
        .year()
        .saturating_sub(i16::try_from(eta).unwrap_or(0));
    let giorni = i64::try_from(seme % 365).unwrap_or(0);
    let capodanno = Date::new(anno, 1, 1).unwrap_or(presentazione);
    capodanno.saturating_add(giorni.days())
}

/// How many people one counter can make: `ruolo` is less than this.
pub const RUOLI: u64 = 6;

/// After so many counters the codici fiscali begin again: 15 consonants at six places, and the places of birth that
/// [`RUOLI`] leave to each role. Almost nineteen thousand million.
pub const PERIODO: u64 = COMBINAZIONI * LUOGHI_PER_RUOLO;

/// The consonants of the names. All of them spell themselves in a codice fiscale.
const CONSONANTI: &[u8; 15] = b"BCDFGLMNPRSTVZK";

/// Three consonants.
const NOMI: u64 = 15 * 15 * 15;

/// A family name and a given name.
const COMBINAZIONI: u64 = NOMI * NOMI;

/// Cadastral codes from A001 to I999 and L001 to L999, fairly shared among the roles.
const LUOGHI_PER_RUOLO: u64 = 10 * 999 / RUOLI;

/// Shuffles the combinations, so that neighbouring counters have unlike names: a number without factor 3 or 5 has an
/// inverse modulo 15⁶, so no two counters meet.
const RIMESCOLO: u64 = 7_368_787;

impl Persona {
    /// The person of a counter and a role (richiedente, first child…), born on a day.
    ///
    /// The names carry the counter and the place of birth carries role and the counter's high part, so two people with
    /// different counter or role differ whatever their births: at whatever date a sample is made, its codici fiscali
    /// are those of no other counter within [`PERIODO`]. People of a counter with the same `famiglia` share the family
    /// name; it must be the same for a role at every counter.
    #[must_use]
    pub fn new(contatore: u64, ruolo: u64, famiglia: u64, nascita: Date, sesso: Sesso) -> Self {
        let (contatore, ruolo) = (contatore % PERIODO, ruolo % RUOLI);
        let combinazione = contatore % COMBINAZIONI * RIMESCOLO % COMBINAZIONI;
        // Family and role only turn the wheel of each name: a bijection of the combination for each of them.
        let cognome = parola((combinazione / NOMI + famiglia) % NOMI, VOCALI_COGNOME);
        let nome = parola((combinazione % NOMI + ruolo * PASSO_NOMI) % NOMI, vocali(sesso));
        let luogo = luogo(ruolo * LUOGHI_PER_RUOLO + contatore / COMBINAZIONI);
        let codice_fiscale = CodiceFiscale::compose(&cognome, &nome, nascita, sesso, &luogo)
            // Names of three consonants, a real day and a letter with three digits can always be spelt.
            .expect("made-up people have a codice fiscale");
        Self {
            codice_fiscale,
            nome,
            cognome,
            nascita,
        }
    }
}

/// So that brothers have unlike names.
const PASSO_NOMI: u64 = 557;

/// Vowels after the consonants of a family name.
const VOCALI_COGNOME: [char; 3] = ['E', 'A', 'I'];

/// Vowels after the consonants of a given name.
fn vocali(sesso: Sesso) -> [char; 3] {
    match sesso {
        Sesso::Femmina => ['A', 'E', 'A'],
        Sesso::Maschio => ['A', 'E', 'O'],
    }
}

/// Three consonants, each with its vowel: a name of just three consonants is spelt by them.
fn parola(numero: u64, vocali: [char; 3]) -> String {
    [numero / 225, numero / 15, numero]
        .map(|cifra| CONSONANTI[usize::try_from(cifra % 15).unwrap_or(0)])
        .into_iter()
        .zip(vocali)
        .flat_map(|(consonante, vocale)| [char::from(consonante), vocale])
        .collect()
}

fn luogo(numero: u64) -> String {
    let lettera = char::from(b"ABCDEFGHIL"[usize::try_from(numero / 999 % 10).unwrap_or(0)]);
    format!("{lettera}{:03}", numero % 999 + 1)
}

/// An Italian IBAN with right CIN and check digits, at the bank of the published example (ABI 05428): a different one
/// for each counter below 10¹².
#[must_use]
pub fn iban(contatore: u64) -> Iban {
    Iban::italiano(
        "05428",
        "11101",
        &format!("{:012}", contatore % 1_000_000_000_000),
    )
    // Five digits, five digits and twelve digits.
    .expect("digits make an Italian IBAN")
}

impl std::fmt::Debug for Persona {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Persona")
            .field("codice_fiscale", &self.codice_fiscale)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use jiff::civil::date;

    use super::*;

    fn persona(contatore: u64, ruolo: u64) -> Persona {
        Persona::new(contatore, ruolo, 0, date(2014, 1, 1), Sesso::Maschio)
    }

    #[test]
    fn the_period_is_long_and_the_shuffle_loses_nothing() {
        assert_eq!(PERIODO, 11_390_625 * 1665);
        const { assert!(!RIMESCOLO.is_multiple_of(3) && !RIMESCOLO.is_multiple_of(5)) };
        const { assert!(RUOLI * LUOGHI_PER_RUOLO <= 9990) };
    }

    #[test]
    fn distinct_counters_and_roles_give_distinct_codici() {
        let mut visti = HashSet::new();
        // Neighbours, both sides of the first combination's end, and far steps.
        let contatori = (0..3_000)
            .chain(COMBINAZIONI - 500..COMBINAZIONI + 500)
            .chain((1..1_000).map(|passo| COMBINAZIONI + 500 + passo * 18_957_113));
        for contatore in contatori {
            assert!(contatore < PERIODO);
            for ruolo in 0..RUOLI {
                assert!(
                    visti.insert(persona(contatore, ruolo).codice_fiscale),
                    "{contatore}/{ruolo}"
                );
            }
        }
        assert_eq!(persona(7, 1), persona(7 + PERIODO, 1));
    }

    #[test]
    fn every_combination_of_letters_is_reached_once() {
        // The whole first stretch, by arithmetic alone: no combination twice.
        let mut visti = vec![false; usize::try_from(COMBINAZIONI).unwrap()];
        for contatore in 0..COMBINAZIONI {
            let combinazione = usize::try_from(contatore * RIMESCOLO % COMBINAZIONI).unwrap();
            assert!(!std::mem::replace(&mut visti[combinazione], true));
        }
    }

    #[test]
    fn every_place_of_birth_belongs_to_one_role_and_stretch() {
        let luoghi: HashSet<String> = (0..RUOLI * LUOGHI_PER_RUOLO).map(luogo).collect();
        assert_eq!(u64::try_from(luoghi.len()).unwrap(), RUOLI * LUOGHI_PER_RUOLO);
        let (prima, ultima) = (persona(0, 5), persona(PERIODO - 1, 5));
        assert_ne!(
            prima.codice_fiscale.luogo_nascita(),
            ultima.codice_fiscale.luogo_nascita()
        );
    }

    #[test]
    fn the_names_are_those_of_the_codice() {
        let nata = Persona::new(123_456_789, 2, 10, date(2016, 2, 29), Sesso::Femmina);
        let composto =
            CodiceFiscale::compose(&nata.cognome, &nata.nome, nata.nascita, Sesso::Femmina, "A001").unwrap();
        assert_eq!(composto.as_str()[..11], nata.codice_fiscale.as_str()[..11]);
        assert_eq!(nata.codice_fiscale.sesso(), Some(Sesso::Femmina));
        assert_eq!(
            nata.codice_fiscale.data_nascita(date(2021, 7, 1)),
            Ok(Some(nata.nascita))
        );
    }

    #[test]
    fn ibans_are_valid_and_distinct() {
        let ibans: HashSet<Iban> = (0..1000).map(|passo| iban(passo * 999_983)).collect();
        assert_eq!(ibans.len(), 1000);
        assert!(ibans.iter().all(Iban::is_italiano));
    }
}
