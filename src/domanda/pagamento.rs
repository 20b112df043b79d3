//! How to pay: the modality, and the IBAN where it has one (spec/domain.md §7.2).
//!
//! An [`Iban`] has the shape of its country, right check digits and, for Italy and San Marino, a right CIN. Whether
//! payments reach that country is a question of the day: [`Iban::in_sepa`]. Whether it fits the modality is a rule.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;

use super::codelista::codelista;
use super::codice_fiscale::lettera_di_controllo;
use super::sepa::Paese;

/// An IBAN, upper case and without spaces, whose shape was verified. Masked in `Debug`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Iban(String);

codelista! {
    /// The modalities of payment (codelist PAG-AT of spec/domain.md §3).
    Modalita {
        /// Account at a bank or at the Poste.
        ContoCorrente = "CC",
        /// Cash at the counter of a post office: no IBAN.
        BonificoDomiciliato = "BD",
        /// Postal savings book.
        LibrettoPostale = "LP",
        /// Account abroad, within SEPA.
        ContoEstero = "ES",
        /// Prepaid card that has an IBAN.
        CartaPrepagata = "CP",
    }
}

/// How to pay a domanda.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pagamento {
    /// A word of the prestazione's codelist: `CC`, `BD`…; `IBAN`, `CONTANTE_POSTE`.
    pub modalita: &'static str,
    /// Where the modality has one.
    pub iban: Option<Iban>,
    /// Whether the account is the richiedente's.
    pub intestato_richiedente: Option<bool>,
}

/// How to pay, as it was sent: the rules have not seen it yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagamentoInviato {
    /// The modality.
    pub modalita: Modalita,
    /// The IBAN, or what is wrong with it.
    pub iban: Option<Result<Iban, IbanErrato>>,
    /// Whether the account is the richiedente's.
    pub intestato_richiedente: Option<bool>,
}

/// Why a text is no IBAN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IbanErrato {
    /// Not an IBAN's characters, or not the length and structure of its country.
    #[error("forma errata")]
    Forma {
        /// The country whose structure was expected, if it is known.
        paese: Option<&'static Paese>,
    },
    /// The remainder by 97 is not 1.
    #[error("cifre di controllo errate")]
    Controllo,
    /// The letter before the ABI is another.
    #[error("CIN errato")]
    Cin,
}

/// The ABI of the Poste: what the IBAN of a postal savings book begins with.
const ABI_POSTE: &str = "07601";

impl Iban {
    /// The whole IBAN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The country, two letters.
    #[must_use]
    pub fn paese(&self) -> &str {
        &self.0[..2]
    }

    /// Whether it is an Italian one. San Marino's look alike and are foreign.
    #[must_use]
    pub fn is_italiano(&self) -> bool {
        self.paese() == "IT"
    }

    /// Whether payments of that day reach its country.
    #[must_use]
    pub fn in_sepa(&self, il: Date) -> bool {
        Paese::by_codice(self.paese()).is_some_and(|paese| paese.sepa_dal <= il)
    }

    /// Whether the Poste keep the account (Italian IBAN with ABI 07601).
    #[must_use]
    pub fn is_postale(&self) -> bool {
        self.is_italiano() && self.0.get(5..10) == Some(ABI_POSTE)
    }

    /// Composes an Italian IBAN from ABI (5 digits), CAB (5 digits) and account (12 letters or digits): what
    /// samples and tests are made with. `None` when they have another shape.
    #[must_use]
    pub fn italiano(abi: &str, cab: &str, conto: &str) -> Option<Self> {
        let coordinate = format!("{abi}{cab}{conto}");
        let bban = format!("{}{coordinate}", lettera_di_controllo(coordinate.as_bytes())?);
        let controllo = 98 - resto_97(format!("{bban}IT00").as_bytes());
        format!("IT{controllo:02}{bban}").parse().ok()
    }
}

impl FromStr for Iban {
    type Err = IbanErrato;

    fn from_str(text: &str) -> Result<Self, IbanErrato> {
        const IGNOTA: IbanErrato = IbanErrato::Forma { paese: None };
        let (codice, resto) = text.split_at_checked(2).ok_or(IGNOTA)?;
        let (controllo, bban) = resto.split_at_checked(2).ok_or(IGNOTA)?;
        let forma = codice.bytes().all(|carattere| carattere.is_ascii_uppercase())
            && controllo.bytes().all(|carattere| carattere.is_ascii_digit())
            && (11..=30).contains(&bban.len())
            && bban
                .bytes()
                .all(|carattere| carattere.is_ascii_digit() || carattere.is_ascii_uppercase());
        if !forma {
            return Err(IGNOTA);
        }
        // A country that is not in the table has no structure to hold: a rule refuses it for not being in SEPA.
        if let Some(paese) = Paese::by_codice(codice)
            && !paese.has_struttura(bban)
        {
            return Err(IbanErrato::Forma { paese: Some(paese) });
        }
        // ISO 13616 makes check digits 02 to 98: 00, 01 and 99 would be a second spelling of the same number.
        if !("02"..="98").contains(&controllo)
            || resto_97(format!("{bban}{codice}{controllo}").as_bytes()) != 1
        {
            return Err(IbanErrato::Controllo);
        }
        if matches!(codice, "IT" | "SM")
            && !bban.starts_with(lettera_di_controllo(&bban.as_bytes()[1..]).ok_or(IGNOTA)?)
        {
            return Err(IbanErrato::Cin);
        }
        Ok(Self(text.to_owned()))
    }
}

/// The remainder by 97 of letters and digits read as one number, `A` = 10 to `Z` = 35 (ISO 7064).
fn resto_97(caratteri: &[u8]) -> u32 {
    caratteri.iter().fold(0, |resto, carattere| match carattere {
        b'0'..=b'9' => (resto * 10 + u32::from(carattere - b'0')) % 97,
        _ => (resto * 100 + u32::from(carattere.saturating_sub(b'A')) + 10) % 97,
    })
}

impl fmt::Debug for Iban {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Iban({}…)", self.0.get(..4).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn parse(text: &str) -> Result<Iban, IbanErrato> {
        text.parse()
    }

    #[test]
    fn every_valid_vector_is_taken() {
        let esempi = "IT60X0542811101000000123456 SM86U0322509800000000270100 IT30O0760103200000012345678 \
             IT43P3608105138200000000017 DE89370400440532013000 FR1420041010050500013M02606 \
             ES9121000418450200051332 AT611904300234573201 BE68539007547034 NL91ABNA0417164300 \
             PT50000201231234567890154 CH9300762011623852957 GB29NWBK60161331926819 \
             MT84MALT011000012345MTLCAST001S RO49AAAA1B31007593840000 PL61109010140000071219812874 \
             VA59001123000012345678 GR1601101250000000012300695 IE29AIBK93115212345678 \
             LU280019400644750000 SI56263300012039086 HR1210010051863000160 LI21088100002324013AA \
             MC5811222000010123456789030 AD1200012030200359100100 NO9386011117947 \
             IS140159260076545510730339 SE4550000000058398257466 DK5000400440116243 FI2112345600000785 \
             EE382200221020145685 LV80BANK0000435195001 LT121000011101001000 CZ6508000000192000145399 \
             SK3112000000198742637541 HU42117730161111101800000000 BG80BNBG96611020345678 \
             CY17002001280000001200527600 GI75NWBK000000007099453";
        for valido in esempi.split_whitespace() {
            let iban = parse(valido).unwrap_or_else(|errore| panic!("{valido}: {errore}"));
            assert!(iban.in_sepa(date(2021, 7, 1)), "{valido}");
        }
    }

    #[test]
    fn each_fault_has_its_own_name() {
        assert_eq!(parse("IT02L1234512345123456789012"), Err(IbanErrato::Controllo));
        assert_eq!(parse("IT40S0542811101000000123456"), Err(IbanErrato::Cin));
        let forma = |text| matches!(parse(text), Err(IbanErrato::Forma { .. }));
        for errato in [
            "",
            "IT",
            "I",
            "ÌT60X0542811101000000123456",
            "it60x0542811101000000123456",
            "IT60 X054 2811 1010 0000 0123 456",
            "IT60X054281110100000012345",
            "IT60X05428111010000001234567",
            "IT6050542811101000000123456",
            "DE8937040044053201300A",
            "IT60X0542811101000000è2345",
        ] {
            assert!(forma(errato), "{errato}");
        }
        let Err(IbanErrato::Forma { paese: Some(paese) }) = parse("DE8937040044053201300") else {
            panic!("one digit short")
        };
        assert_eq!((paese.codice, paese.lunghezza()), ("DE", 22));
    }

    #[test]
    fn one_number_has_one_spelling() {
        // 98 - 97 = 1: by 97 alone, check digits 01 would pass in the place of 98.
        let (novantotto, uno) = (1..=9_999_999_u64)
            .map(|conto| format!("{conto:022}"))
            .find_map(|bban| {
                let resto = resto_97(format!("{bban}LU01").as_bytes());
                (resto == 1).then_some(bban)
            })
            .map(|bban| (format!("LU98{}", &bban[6..]), format!("LU01{}", &bban[6..])))
            .unwrap();
        assert!(parse(&novantotto).is_ok());
        assert_eq!(parse(&uno), Err(IbanErrato::Controllo));
    }

    #[test]
    fn outside_sepa_an_iban_is_an_iban_all_the_same() {
        let turco = parse("TR330006100519786457841326").unwrap();
        assert!(!turco.in_sepa(date(2021, 7, 1)) && !turco.in_sepa(date(2030, 1, 1)));
    }

    #[test]
    fn sepa_grows_with_the_days() {
        let albanese = parse("AL47212110090000000235698741").unwrap();
        assert!(!albanese.in_sepa(date(2025, 10, 4)));
        assert!(albanese.in_sepa(date(2025, 10, 5)));
    }

    #[test]
    fn postal_accounts_are_known_by_their_abi() {
        assert!(parse("IT30O0760103200000012345678").unwrap().is_postale());
        assert!(!parse("IT43P3608105138200000000017").unwrap().is_postale());
        let sammarinese = parse("SM86U0322509800000000270100").unwrap();
        assert!(!sammarinese.is_postale() && !sammarinese.is_italiano());
    }

    #[test]
    fn an_italian_iban_is_composed_with_cin_and_check_digits() {
        for (abi, cab, conto, atteso) in [
            ("05428", "11101", "000000123456", "IT60X0542811101000000123456"),
            ("07601", "03200", "000012345678", "IT30O0760103200000012345678"),
            ("36081", "05138", "200000000017", "IT43P3608105138200000000017"),
        ] {
            let composto = Iban::italiano(abi, cab, conto);
            assert_eq!(composto.as_ref().map(Iban::as_str), Some(atteso));
        }
        assert_eq!(Iban::italiano("5428", "11101", "000000123456"), None);
        assert_eq!(Iban::italiano("05428", "11101", "00000012345è"), None);
    }

    #[test]
    fn nobody_reads_an_iban_in_a_log() {
        let iban = parse("IT60X0542811101000000123456").unwrap();
        assert_eq!(format!("{iban:?}"), "Iban(IT60…)");
    }
    proptest::proptest! {
        #[test]
        fn whatever_the_text_it_is_answered(text in "\\PC{0,40}|IT[0-9]{2}[A-Z][0-9]{22}|[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}") {
            if let Ok(iban) = parse(&text) {
                proptest::prop_assert_eq!(iban.as_str(), text);
                let _ = (iban.is_postale(), iban.in_sepa(date(2021, 7, 1)));
            }
        }
    }
}
