use super::*;
use crate::soap::SoapVersion;
use crate::soap::prova::{apri, busta, valida};

fn leggi(header: &str, strict: bool) -> Result<Identity, Violazione> {
    let envelope = apri(&busta(SoapVersion::V12, header, "<at:echo/>")).unwrap();
    Identity::read(&envelope, strict).map_err(|errore| errore.violazione())
}

const CANONICA: &str =
    "<inps:Identity><UserId>op.rossi</UserId><CodiceUfficio>0001</CodiceUfficio></inps:Identity>";

#[test]
fn the_published_form_is_read_without_a_warning() {
    for (header, strict) in [(CANONICA, true), (CANONICA, false)] {
        let identity = leggi(header, strict).unwrap();
        assert_eq!(identity.user_id.as_str(), "op.rossi");
        assert_eq!(identity.codice_ufficio.as_str(), "0001");
        assert_eq!((identity.forma, identity.avvisi), (Forma::Canonica, vec![]));
    }
    let da_sola = CANONICA.replace("<inps:Identity>", "<inps:Identity xmlns:inps='http://inps.it/'>");
    valida("identity.xsd", &da_sola);
    // What gSOAP adds, and what people's editors do.
    let header = "<i:Identity xmlns:i='http://inps.it/' env:mustUnderstand='true' env:role=''>\n <UserId> op.rossi\n</UserId>\n \
                  <!-- x --><CodiceUfficio>0<!-- y -->001</CodiceUfficio></i:Identity>";
    let identity = leggi(header, true).unwrap();
    assert_eq!(
        (identity.user_id.as_str(), identity.codice_ufficio.as_str()),
        ("op.rossi", "0001")
    );
}

#[test]
fn other_forms_are_read_with_a_warning_and_refused_in_strict_mode() {
    for (header, forma, nomi) in [
        (
            "<Identity xmlns='http://inps.it/'><UserId>op</UserId><CodiceUfficio>01</CodiceUfficio></Identity>",
            Forma::FigliQualificati,
            "FIGLI_QUALIFICATI",
        ),
        (
            "<inps:Identity UserId='op' CodiceUfficio='01'/>",
            Forma::Attributi,
            "ATTRIBUTI",
        ),
        (
            "<inps:Identity UserId='op'><CodiceUfficio>01</CodiceUfficio></inps:Identity>",
            Forma::Attributi,
            "ATTRIBUTI",
        ),
        (
            "<UserId>op</UserId><CodiceUfficio>01</CodiceUfficio>",
            Forma::BlocchiSeparati,
            "BLOCCHI_SEPARATI",
        ),
        (
            "<inps:CodiceUfficio>01</inps:CodiceUfficio><inps:Userid>op</inps:Userid>",
            Forma::BlocchiSeparati,
            "NOME_USERID, BLOCCHI_SEPARATI",
        ),
        (
            "<inps:Identity><Userid>op</Userid><CodiceUfficio>01</CodiceUfficio></inps:Identity>",
            Forma::NomeUserid,
            "NOME_USERID",
        ),
        (
            "<inps:Identity><CodiceUfficio>01</CodiceUfficio><UserId>op</UserId></inps:Identity>",
            Forma::OrdineInverso,
            "ORDINE_INVERSO",
        ),
        (
            "<inps:Identity><UserId>op</UserId><CodiceUfficio>01</CodiceUfficio><CodiceEnte>X</CodiceEnte></inps:Identity>",
            Forma::FigliInPiu,
            "FIGLI_IN_PIU",
        ),
        (
            "<inps:Identity UserId='op'><UserId>op </UserId><CodiceUfficio>01</CodiceUfficio></inps:Identity>",
            Forma::Attributi,
            "ATTRIBUTI",
        ),
        (
            "<inps:Identity><UserId>op</UserId></inps:Identity><CodiceUfficio>01</CodiceUfficio>",
            Forma::BlocchiSeparati,
            "BLOCCHI_SEPARATI",
        ),
    ] {
        let identity = leggi(header, false).unwrap();
        assert_eq!(
            (identity.user_id.as_str(), identity.codice_ufficio.as_str()),
            ("op", "01"),
            "{header}"
        );
        assert_eq!(identity.forma, forma, "{header}");
        let [avviso] = identity.avvisi.as_slice() else {
            panic!("{header}")
        };
        assert_eq!(avviso.codice, Codice::Idn101);
        assert_eq!(
            avviso.testo(),
            format!("header Identity letto in forma non canonica: {nomi}")
        );
        assert_eq!(
            leggi(header, true).unwrap_err().codice,
            Codice::Idn005,
            "{header}"
        );
    }
}

#[test]
fn who_cannot_be_told_is_told_why() {
    for (header, testo, dove, colonna) in [
        (
            "",
            "IDN-001 intestazione Identity assente: atteso {http://inps.it/}Identity, trovato nessuna intestazione Identity",
            "",
            1,
        ),
        (
            "<Identity xmlns='http://inps.it'><UserId>a</UserId></Identity>",
            "IDN-001 intestazione Identity assente: atteso {http://inps.it/}Identity, trovato {http://inps.it}Identity",
            "",
            13,
        ),
        (
            "<Identity/>",
            "IDN-001 intestazione Identity assente: atteso {http://inps.it/}Identity, trovato {}Identity",
            "",
            13,
        ),
        (
            "<inps:Identity env:role='urn:x'/>",
            "IDN-001 intestazione Identity assente: atteso {http://inps.it/}Identity, trovato {http://inps.it/}Identity per un altro destinatario",
            "",
            13,
        ),
        (
            "<inps:Identity/>",
            "IDN-002 header Identity: UserId assente",
            "/UserId",
            13,
        ),
        (
            "<inps:Identity><UserId>a</UserId></inps:Identity>",
            "IDN-002 header Identity: CodiceUfficio assente",
            "/CodiceUfficio",
            13,
        ),
        (
            "<inps:Identity><UserId>a</UserId><CodiceUfficio> \n </CodiceUfficio></inps:Identity>",
            "IDN-002 header Identity: CodiceUfficio vuoto",
            "/CodiceUfficio",
            46,
        ),
        (
            "<inps:Identity UserId='' CodiceUfficio='1'/>",
            "IDN-002 header Identity: UserId vuoto",
            "/@UserId",
            13,
        ),
        (
            "<inps:Identity><utente>a</utente></inps:Identity>",
            "IDN-002 header Identity: UserId assente",
            "/UserId",
            13,
        ),
        (
            "<inps:Identity><UserId>a</UserId><UserId>a</UserId><CodiceUfficio>1</CodiceUfficio></inps:Identity>",
            "IDN-003 header Identity ambiguo: UserId è presente due volte",
            "/UserId",
            46,
        ),
        (
            "<inps:Identity CodiceUfficio='2'><UserId>a</UserId><CodiceUfficio>1</CodiceUfficio></inps:Identity>",
            "IDN-003 header Identity ambiguo: CodiceUfficio è presente con due valori diversi",
            "/CodiceUfficio",
            64,
        ),
        (
            "<inps:Identity><UserId>a</UserId><CodiceUfficio>1</CodiceUfficio></inps:Identity><inps:Identity/>",
            "IDN-003 header Identity ambiguo: l'intestazione è presente due volte",
            "",
            94,
        ),
        (
            "<inps:Identity><UserId>a</UserId><CodiceUfficio>00 1</CodiceUfficio></inps:Identity>",
            "IDN-004 header Identity: CodiceUfficio non valido: da 1 a 16 caratteri fra lettere, cifre e . _ - /",
            "/CodiceUfficio",
            46,
        ),
        (
            "<inps:Identity><UserId>a&#x85;b</UserId><CodiceUfficio>1</CodiceUfficio></inps:Identity>",
            "IDN-004 header Identity: UserId non valido: da 1 a 64 caratteri, senza caratteri di controllo",
            "/UserId",
            28,
        ),
    ] {
        let violazione = leggi(header, false).unwrap_err();
        assert_eq!(
            format!("{} {}", violazione.codice, violazione.testo()),
            testo,
            "{header}"
        );
        assert_eq!(
            violazione.dove,
            format!("/env:Envelope/env:Header/inps:Identity{dove}"),
            "{header}"
        );
        let posizione = violazione.posizione.unwrap();
        assert_eq!((posizione.riga, posizione.colonna), (2, colonna), "{header}");
    }
}

#[test]
fn lengths_are_counted_in_characters() {
    let con = |user: &str, ufficio: &str| {
        leggi(
            &format!(
                "<inps:Identity><UserId>{user}</UserId><CodiceUfficio>{ufficio}</CodiceUfficio></inps:Identity>"
            ),
            true,
        )
    };
    assert!(con(&"à".repeat(64), &"9".repeat(16)).is_ok());
    assert_eq!(con(&"a".repeat(65), "1").unwrap_err().codice, Codice::Idn004);
    assert_eq!(con("a", &"9".repeat(17)).unwrap_err().codice, Codice::Idn004);
}

#[test]
fn a_codice_fiscale_with_the_wrong_check_character_is_no_operator() {
    for (user, e_cf) in [
        ("BBBRRR14A01A001X", true),
        ("BBBRRR14A01A001Y", true),
        ("bbbrrr14a01a001y", true),
        ("OPERATORE0000001", false),
        ("BBBRRR14A01A001", false),
    ] {
        let header =
            format!("<inps:Identity><UserId>{user}</UserId><CodiceUfficio>1</CodiceUfficio></inps:Identity>");
        let maiuscolo = user.to_ascii_uppercase();
        let controllo = maiuscolo.parse::<CodiceFiscale>() == Err(CodiceFiscaleErrato::Controllo);
        assert_eq!(has_forma_cf(&maiuscolo), e_cf);
        match leggi(&header, true) {
            Ok(identity) => {
                assert!(!(e_cf && controllo), "{user}");
                assert_eq!(identity.user_id.as_str(), user);
            }
            Err(violazione) => {
                assert!(e_cf && controllo, "{user}");
                assert_eq!(violazione.codice, Codice::Idn004);
                assert!(!format!("{violazione:?}{}", violazione.testo()).contains(user));
            }
        }
    }
}
