//! Bytes that mean harm: nothing panics, nothing that is not the published request is served by accident, and whatever is
//! answered is well-formed.

use proptest::prelude::*;

use self::tutto::tutto;
use super::*;
use crate::{egov, soap, xml};

#[path = "../../../fuzz/tutto.rs"]
mod tutto;

/// The pieces that a header is made of, right and wrong.
fn pezzo() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("<eGov_IT:Mittente>".to_owned()),
        Just("</eGov_IT:Mittente>".to_owned()),
        Just("<eGov_IT:IdentificativoParte tipo=\"SPC\">".to_owned()),
        Just("</eGov_IT:IdentificativoParte>".to_owned()),
        Just("<eGov_IT:Azione/>".to_owned()),
        Just("<eGov_IT:Sequenza numeroProgressivo='1'/>".to_owned()),
        Just("<eGov_IT:ListaRiscontri/>".to_owned()),
        Just("<x:y xmlns:x='urn:x' xmlns:t='urn:t'/>".to_owned()),
        Just("]]>".to_owned()),
        Just("<![CDATA[<]]>".to_owned()),
        Just("&#0;".to_owned()),
        Just("&amp;".to_owned()),
        Just("\u{FEFF}".to_owned()),
        Just("\"".to_owned()),
        "[ -~]{0,8}",
        "\\PC{0,4}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_never_served(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(tutto(&bytes).is_none());
    }

    #[test]
    fn a_request_cut_anywhere_before_its_body_is_never_served(fine in 0..RICHIESTA.find("<soapenv:Body>").unwrap()) {
        prop_assert!(tutto(&RICHIESTA.as_bytes()[..fine]).is_none());
    }

    #[test]
    fn a_request_with_a_byte_changed_breaks_nothing(posto in 0..RICHIESTA.len(), byte in any::<u8>()) {
        let mut bytes = RICHIESTA.as_bytes().to_vec();
        bytes[posto] = byte;
        tutto(&bytes);
    }

    #[test]
    fn a_request_with_something_put_into_it_breaks_nothing(
        posto in 0..RICHIESTA.len(),
        pezzi in proptest::collection::vec(pezzo(), 1..6),
    ) {
        let xml = format!("{}{}{}", &RICHIESTA[..posto], pezzi.concat(), &RICHIESTA[posto..]);
        tutto(xml.as_bytes());
    }

    #[test]
    fn whatever_a_value_is_only_the_right_one_is_served(valore in "\\PC{0,24}") {
        let testo = valore.replace('&', "&amp;").replace('<', "&lt;").replace("]]>", "");
        for (da, giusto) in [
            (">InviaDomanda<", "InviaDomanda"),
            (">DomandaAssegno<", "DomandaAssegno"),
            (">EGOV_IT_ServizioSincrono<", "EGOV_IT_ServizioSincrono"),
            (">INPS<", "INPS"),
            (">2021-07-05T10:36:07<", "2021-07-05T10:36:07"),
        ] {
            let servita = tutto(con(da, &format!(">{testo}<")).as_bytes()).is_some();
            prop_assert_eq!(servita, valore.trim() == giusto, "{}", da);
        }
    }

    #[test]
    fn an_identifier_is_read_back_as_it_was_written(
        nome in "[A-Za-z0-9]{1,20}",
        porta in "[A-Za-z0-9]{1,20}",
        numero in any::<u64>(),
        secondi in 0_i64..4_000_000_000,
    ) {
        let dominio = Dominio::new(&nome, &porta).unwrap();
        let minted = Identificatore::mint(&dominio, numero, Timestamp::from_second(secondi).unwrap());
        let scritto = minted.to_string();
        let letto: Identificatore = scritto.parse().unwrap();
        prop_assert_eq!(&letto, &minted);
        prop_assert_eq!(letto.to_string(), scritto);
    }

    #[test]
    fn no_text_is_an_identifier_but_in_its_own_spelling(testo in "[A-Za-z0-9]{0,3}_?[A-Z]{1,3}_[0-9]{6,8}_[0-9]{4}-[0-9]{2}-[0-9]{2}_[0-9]{2}:[0-9]{2}") {
        if let Ok(letto) = testo.parse::<Identificatore>() {
            prop_assert_eq!(letto.to_string(), testo);
        }
    }

    #[test]
    fn an_instant_that_is_read_is_written_to_the_same_second(secondi in 0_i64..4_000_000_000) {
        let istante = Timestamp::from_second(secondi).unwrap();
        let scritto = ora::scrivi(istante);
        let letto = ora::leggi(&scritto).unwrap();
        // In the hour that comes twice the later one is read.
        let scarto = letto.duration_since(istante).as_secs();
        prop_assert!(scarto == 0 || scarto == 3600, "{}", scritto);
    }
}

/// The same for minutes: `cargo test --release --lib egov -- --ignored`, with as many cases as `EGOV_CASI` says. The
/// fuzz target (`fuzz/fuzz_targets/intestazione.rs`) does the same with coverage to guide it.
#[test]
#[ignore = "as long as one likes"]
fn many_mutations_break_nothing() {
    let casi = option_env!("EGOV_CASI").map_or(1_000_000, |casi| casi.parse().unwrap());
    let mut seme = 0x9E37_79B9_7F4A_7C15_u64;
    let mut caso = move || {
        seme ^= seme << 13;
        seme ^= seme >> 7;
        seme ^= seme << 17;
        seme
    };
    let sotto = |numero: u64, limite: usize| usize::try_from(numero % limite as u64).unwrap();
    for _ in 0..casi {
        let mut bytes = RICHIESTA.as_bytes().to_vec();
        for _ in 0..=sotto(caso(), 4) {
            let (da, lungo) = (sotto(caso(), bytes.len()), sotto(caso(), 40));
            let a = (da + lungo).min(bytes.len());
            match sotto(caso(), 4) {
                0 => bytes[da] = caso().to_le_bytes()[0],
                1 => drop(bytes.drain(da..a)),
                2 => {
                    let copia = bytes[da..a].to_vec();
                    let dove = sotto(caso(), bytes.len());
                    bytes.splice(dove..dove, copia);
                }
                _ => bytes.swap(da, a.saturating_sub(1)),
            }
            if bytes.is_empty() {
                break;
            }
        }
        tutto(&bytes);
    }
}
