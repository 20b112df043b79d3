//! Words for people: what each field of a domanda or an act is called, and what each word of a codelist means. The texts
//! of the declarations are not here: they are the prestazione's, with their versions.
//!
//! A test holds the XSDs against these tables; a field that is nevertheless not in them is called by its own
//! name, and a word stands for itself.

use jiff::civil::Date;

use super::italiano;

/// How the value of a field is written for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Genere {
    /// As it was sent.
    Testo,
    /// Letters and digits to be compared sign by sign.
    Codice,
    /// An IBAN, in groups of four.
    Iban,
    /// A day.
    Data,
    /// Yes or no.
    SiNo,
    /// A word of a codelist.
    Parola,
}

/// A field: its name in the XSD, with that of its parent where the parent matters; what people call it; its kind.
type Campo = (&'static str, &'static str, Genere);

/// The fields, those with a parent first.
pub const CAMPI: &[Campo] = &[
    ("Patronato/Codice", "Codice del patronato", Genere::Testo),
    ("Patronato/Ufficio", "Ufficio", Genere::Testo),
    ("Mandato/Numero", "Mandato di assistenza", Genere::Testo),
    ("Mandato/Data", "Data del mandato", Genere::Data),
    ("AltroGenitore/CodiceFiscale", "Altro genitore", Genere::Codice),
    (
        "PagamentoAltroGenitore/CodiceFiscale",
        "Altro genitore",
        Genere::Codice,
    ),
    ("Componente/CodiceFiscale", "Componente", Genere::Codice),
    ("Intestatario/Qualita", "Intestatario del conto", Genere::Parola),
    (
        "Intestatario/CodiceFiscale",
        "Codice fiscale dell'intestatario",
        Genere::Codice,
    ),
    ("Completamento/Figlio", "Figlio", Genere::Codice),
    ("Isee/Presente", "ISEE presente", Genere::SiNo),
    ("Schede/Scheda", "Scheda", Genere::Testo),
    ("DataPratica", "Data della pratica", Genere::Data),
    ("Operatore", "Operatore", Genere::Testo),
    ("CodiceFiscale", "Codice fiscale", Genere::Codice),
    ("Nome", "Nome", Genere::Testo),
    ("Cognome", "Cognome", Genere::Testo),
    ("Email", "Posta elettronica", Genere::Testo),
    ("Cellulare", "Telefono cellulare", Genere::Testo),
    ("Indirizzo", "Indirizzo", Genere::Testo),
    ("PresentataDa", "Presentata da", Genere::Parola),
    ("AnnoCompetenza", "Anno di competenza", Genere::Testo),
    ("Ruolo", "In qualità di", Genere::Parola),
    ("Qualita", "Qualità del richiedente", Genere::Parola),
    ("DataNascita", "Data di nascita", Genere::Data),
    (
        "NuovaNascita",
        "Nuova nascita comunicata entro 120 giorni",
        Genere::SiNo,
    ),
    ("Disabile", "Con disabilità", Genere::SiNo),
    ("Disabilita", "Disabilità ai fini ISEE", Genere::Parola),
    ("AffidoCondiviso", "Affido condiviso", Genere::SiNo),
    ("Affidamento", "Affidamento", Genere::Parola),
    ("AltroGenitoreAssente", "Altro genitore assente", Genere::Parola),
    ("SituazioneGenitori", "Situazione dei genitori", Genere::Parola),
    ("Ripartizione", "Ripartizione dell'assegno", Genere::Parola),
    (
        "CondizioneMaggiorenne",
        "Condizione del figlio maggiorenne",
        Genere::Parola,
    ),
    (
        "RedditoSottoSoglia",
        "Reddito complessivo inferiore a 8.000 euro annui",
        Genere::SiNo,
    ),
    ("ACarico", "A carico", Genere::SiNo),
    ("MadreUnder21", "Madre con meno di 21 anni", Genere::SiNo),
    (
        "EntrambiRedditoLavoro",
        "Entrambi i genitori con reddito da lavoro",
        Genere::SiNo,
    ),
    ("ProtocolloDSU", "Protocollo della DSU", Genere::Codice),
    (
        "Anf2021Percepito",
        "Assegno per il nucleo familiare percepito nel 2021",
        Genere::SiNo,
    ),
    ("Modalita", "Modalità di pagamento", Genere::Parola),
    ("Strumento", "Tipo di conto", Genere::Parola),
    ("Iban", "IBAN", Genere::Iban),
    (
        "IntestatoRichiedente",
        "Conto intestato al richiedente",
        Genere::SiNo,
    ),
    ("Tipo", "Tipo di documento", Genere::Parola),
    ("NomeFile", "Nome del file", Genere::Testo),
    ("TipoMime", "Formato", Genere::Parola),
    ("Impronta", "Impronta SHA-256", Genere::Codice),
    ("Riferimento/Protocollo", "Domanda con protocollo", Genere::Codice),
    ("Riferimento/NumeroDomanda", "Domanda numero", Genere::Testo),
    (
        "Riferimento/ChiaveInvio",
        "Domanda inviata con chiave",
        Genere::Testo,
    ),
    ("Riferimento/Impronta", "Domanda con impronta", Genere::Codice),
    ("Motivo", "Motivo", Genere::Parola),
    ("Motivazione", "Motivazione", Genere::Testo),
];

/// The elements that open a section of their own, and its title; `#` is the place among those of the same name.
pub const SEZIONI: &[(&str, &str)] = &[
    ("Domanda", "Domanda"),
    ("Modifica", "Modifica"),
    ("NuovoMinore", "Nuovo minore"),
    ("NuovoFiglio", "Nuovo figlio"),
    ("Completamento", "Completamento"),
    ("SecondoGenitore", "Secondo genitore"),
    ("Documento", "Documento"),
    ("Rinuncia", "Rinuncia"),
    ("Riesame", "Riesame"),
    ("Patronato", "Patronato e mandato"),
    ("Mandato", "Patronato e mandato"),
    ("Richiedente", "Richiedente"),
    ("GenitoreTutelato", "Genitore tutelato"),
    ("Minore", "Minore #"),
    ("Figlio", "Figlio #"),
    ("Isee", "ISEE"),
    ("Nucleo", "Nucleo familiare"),
    ("Pagamento", "Pagamento"),
    ("PagamentoRichiedente", "Pagamento al richiedente"),
    ("PagamentoAltroGenitore", "Pagamento all'altro genitore"),
];

/// Field, word, what it means. A word that means the same in every field has none.
pub const PAROLE: &[(&str, &str, &str)] = &[
    ("PresentataDa", "GENITORE", "genitore"),
    ("PresentataDa", "TUTORE_DEL_GENITORE", "tutore del genitore"),
    ("Ruolo", "GENITORE", "genitore"),
    (
        "Ruolo",
        "ESERCENTE_RESP_GENITORIALE",
        "esercente la responsabilità genitoriale",
    ),
    ("Ruolo", "TUTORE", "tutore del figlio"),
    ("Ruolo", "AFFIDATARIO", "affidatario (L. 184/1983)"),
    ("Ruolo", "FIGLIO_MAGGIORENNE", "figlio maggiorenne, per sé"),
    ("Ruolo", "TUTORE_GENITORE", "tutore di un genitore incapace"),
    ("Qualita", "GENITORE", "genitore"),
    (
        "Qualita",
        "AFFIDATARIO_PREADOTTIVO",
        "genitore affidatario (affido preadottivo)",
    ),
    ("Qualita", "TUTORE_MINORE", "tutore del minore"),
    ("Qualita", "RICHIEDENTE", "richiedente"),
    ("Qualita", "ALTRO_GENITORE", "altro genitore"),
    ("Qualita", "GENITORE_TUTELATO", "genitore tutelato"),
    (
        "Qualita",
        "ALTRO_TUTORE_AFFIDATARIO",
        "altro tutore o affidatario",
    ),
    ("AltroGenitoreAssente", "DECEDUTO", "deceduto"),
    (
        "AltroGenitoreAssente",
        "NON_RICONOSCIUTO",
        "non ha riconosciuto il figlio",
    ),
    ("AltroGenitoreAssente", "IGNOTO", "ignoto"),
    ("AltroGenitoreAssente", "ALTRO", "altro motivo"),
    (
        "SituazioneGenitori",
        "CONIUGATI_CONVIVENTI",
        "coniugati, conviventi",
    ),
    (
        "SituazioneGenitori",
        "SEPARATI_DIVORZIATI",
        "separati o divorziati",
    ),
    ("SituazioneGenitori", "NON_CONIUGATI", "non coniugati"),
    ("SituazioneGenitori", "GENITORE_UNICO", "genitore unico"),
    (
        "SituazioneGenitori",
        "ORFANO_ENTRAMBI",
        "orfano di entrambi i genitori",
    ),
    ("Affidamento", "ESCLUSIVO", "esclusivo"),
    ("Affidamento", "CONDIVISO", "condiviso"),
    (
        "Affidamento",
        "CONDIVISO_COLLOCATO_RICHIEDENTE",
        "condiviso, con collocazione presso il richiedente",
    ),
    ("Affidamento", "TUTORE_AFFIDATARIO", "a un tutore o affidatario"),
    ("Affidamento", "NESSUNO", "nessun provvedimento"),
    ("Ripartizione", "INTERO_RICHIEDENTE", "100% al richiedente"),
    ("Ripartizione", "META_ENTRAMBI", "50% a ciascuno dei due genitori"),
    (
        "Ripartizione",
        "A",
        "in accordo con l'altro genitore, l'intero importo è corrisposto al richiedente",
    ),
    (
        "Ripartizione",
        "B",
        "50% a ciascuno; il richiedente, autorizzato dall'altro genitore, indica la modalità di pagamento della sua \
         quota",
    ),
    (
        "Ripartizione",
        "C",
        "50% a ciascuno; in mancanza di accordo il richiedente indica solo la modalità di pagamento della propria \
         quota",
    ),
    ("Disabilita", "NESSUNA", "nessuna"),
    ("Disabilita", "MEDIA", "media"),
    ("Disabilita", "GRAVE", "grave"),
    ("Disabilita", "NON_AUTOSUFFICIENTE", "non autosufficiente"),
    (
        "CondizioneMaggiorenne",
        "FORMAZIONE_SCOLASTICA_PROFESSIONALE",
        "frequenta un corso di formazione scolastica o professionale",
    ),
    (
        "CondizioneMaggiorenne",
        "CORSO_LAUREA",
        "frequenta un corso di laurea",
    ),
    ("CondizioneMaggiorenne", "TIROCINIO", "svolge un tirocinio"),
    ("CondizioneMaggiorenne", "LAVORO", "lavora"),
    (
        "CondizioneMaggiorenne",
        "DISOCCUPATO_REGISTRATO",
        "registrato come disoccupato e in cerca di lavoro",
    ),
    (
        "CondizioneMaggiorenne",
        "SERVIZIO_CIVILE_UNIVERSALE",
        "svolge il servizio civile universale",
    ),
    ("Modalita", "CC", "accredito su conto corrente bancario o postale"),
    (
        "Modalita",
        "BD",
        "bonifico domiciliato presso lo sportello postale",
    ),
    ("Modalita", "LP", "libretto postale"),
    ("Modalita", "ES", "conto corrente estero dell'area SEPA"),
    ("Modalita", "CP", "carta prepagata con IBAN"),
    ("Modalita", "IBAN", "accredito su un conto"),
    (
        "Modalita",
        "CONTANTE_POSTE",
        "in contanti allo sportello di un ufficio postale italiano",
    ),
    ("Modalita", "CARTA_RDC", "carta del Reddito di cittadinanza"),
    ("Strumento", "CC_BANCARIO", "conto corrente bancario"),
    ("Strumento", "CC_POSTALE", "conto corrente postale"),
    (
        "Strumento",
        "CARTA_CREDITO_DEBITO",
        "carta di credito o di debito con IBAN",
    ),
    (
        "Strumento",
        "LIBRETTO_RISPARMIO",
        "libretto di risparmio con IBAN",
    ),
    ("Scelta", "ITALIANO", "cittadinanza italiana"),
    ("Scelta", "UE", "cittadinanza di uno Stato dell'Unione europea"),
    (
        "Scelta",
        "FAMILIARE_UE",
        "familiare di un cittadino dell'Unione europea, con diritto di soggiorno",
    ),
    (
        "Scelta",
        "EXTRA_UE_LUNGO_PERIODO",
        "permesso di soggiorno UE per soggiornanti di lungo periodo",
    ),
    (
        "Scelta",
        "EXTRA_UE_LAVORO_RICERCA",
        "permesso di soggiorno per motivi di lavoro o di ricerca",
    ),
    (
        "Scelta",
        "PERMESSO_UNICO_LAVORO",
        "permesso unico di lavoro per più di sei mesi",
    ),
    (
        "Scelta",
        "PERMESSO_RICERCA",
        "permesso per motivi di ricerca per più di sei mesi",
    ),
    ("Scelta", "RESIDENZA", "per residenza"),
    ("Scelta", "CONTRATTO", "per contratto di lavoro"),
    (
        "Tipo",
        "FINANCIAL_IDENTIFICATION_SEPA",
        "modulo di identificazione finanziaria SEPA",
    ),
    ("Tipo", "PROVVEDIMENTO_GIUDICE", "provvedimento del giudice"),
    ("Tipo", "TITOLO_SOGGIORNO", "titolo di soggiorno"),
    ("Tipo", "CERT_DISABILITA", "certificato di disabilità"),
    ("Tipo", "CERT_FREQUENZA", "certificato di frequenza"),
    ("Tipo", "DOCUMENTO_IDENTITA", "documento d'identità"),
    ("Tipo", "MANDATO_PATRONATO", "mandato al patronato"),
    ("Tipo", "ALTRO", "altro documento"),
    ("TipoMime", "application/pdf", "PDF"),
    ("TipoMime", "image/jpeg", "immagine JPEG"),
    ("TipoMime", "image/tiff", "immagine TIFF"),
    ("TipoMime", "application/pkcs7-mime", "documento firmato P7M"),
    ("Motivo", "ERRORE_COMPILAZIONE", "errore di compilazione"),
    ("Motivo", "RINUNCIA_PRESTAZIONE", "rinuncia alla prestazione"),
    ("Motivo", "DATI_ERRATI", "la decisione parte da dati non veri"),
    (
        "Motivo",
        "DOCUMENTO_NON_VALUTATO",
        "un documento non è stato valutato",
    ),
    ("Motivo", "REQUISITO_POSSEDUTO", "il requisito è posseduto"),
    ("Motivo", "IMPORTO_O_DECORRENZA", "importo o decorrenza errati"),
    ("Motivo", "ALTRO", "altro"),
];

/// The operations that register, by the papers that they give: title of the receipt, title of the summary.
const ATTI: &[(&str, &str, &str)] = &[
    (
        "InviaDomanda",
        "Ricevuta di presentazione della domanda",
        "Riepilogo della domanda",
    ),
    (
        "ModificaDomanda",
        "Ricevuta della modifica della domanda",
        "Riepilogo della modifica",
    ),
    (
        "AggiungiMinore",
        "Ricevuta dell'aggiunta di un minore",
        "Riepilogo dell'aggiunta di un minore",
    ),
    (
        "AggiungiFiglio",
        "Ricevuta dell'aggiunta di un figlio",
        "Riepilogo dell'aggiunta di un figlio",
    ),
    (
        "CompletaSecondoGenitore",
        "Ricevuta del completamento del secondo genitore",
        "Riepilogo del completamento",
    ),
    (
        "AllegaDocumento",
        "Ricevuta del documento allegato",
        "Riepilogo del documento allegato",
    ),
    (
        "RinunciaDomanda",
        "Ricevuta della rinuncia",
        "Riepilogo della rinuncia",
    ),
    (
        "RichiediRiesame",
        "Ricevuta della richiesta di riesame",
        "Riepilogo della richiesta di riesame",
    ),
];

/// Titles of the receipt and of the summary of what an operation registered.
#[must_use]
pub fn titoli(operazione: &str) -> (&'static str, &'static str) {
    ATTI.iter().find(|(nome, ..)| *nome == operazione).map_or(
        ("Ricevuta di registrazione", "Riepilogo"),
        |(_, ricevuta, riepilogo)| (ricevuta, riepilogo),
    )
}

/// What people call a field of an element, and the kind of its value.
#[must_use]
pub fn campo(padre: &str, nome: &str) -> (String, Genere) {
    let intero = format!("{padre}/{nome}");
    CAMPI
        .iter()
        .find(|(campo, ..)| *campo == intero)
        .or_else(|| CAMPI.iter().find(|(campo, ..)| *campo == nome))
        .map_or_else(
            || (a_parole(nome), Genere::Testo),
            |(_, etichetta, genere)| ((*etichetta).to_owned(), *genere),
        )
}

/// What a word of a codelist means in a field.
#[must_use]
pub fn significato(nome: &str, parola: &str) -> Option<&'static str> {
    PAROLE
        .iter()
        .find(|(campo, altra, _)| *campo == nome && *altra == parola)
        .map(|(.., significato)| *significato)
}

/// A value as people write it; `None` where that is as it was sent.
#[must_use]
pub fn a_voce(nome: &str, genere: Genere, valore: &str) -> Option<String> {
    match genere {
        Genere::Testo | Genere::Codice => None,
        Genere::Iban => Some(gruppi_di_quattro(valore)),
        Genere::Data => valore.parse::<Date>().ok().map(italiano::data),
        Genere::SiNo => match valore {
            "true" | "1" => Some("sì".to_owned()),
            "false" | "0" => Some("no".to_owned()),
            _ => None,
        },
        Genere::Parola => significato(nome, valore).map(str::to_owned),
    }
}

/// `IT60 X054 2811 1010 0000 0123 456`.
fn gruppi_di_quattro(iban: &str) -> String {
    let segni: Vec<char> = iban.chars().collect();
    segni
        .chunks(4)
        .map(|gruppo| gruppo.iter().collect::<String>())
        .collect::<Vec<_>>()
        .join(" ")
}

/// `NuovaNascita` as `Nuova nascita`.
fn a_parole(nome: &str) -> String {
    let mut parole = String::with_capacity(nome.len() + 4);
    for c in nome.chars() {
        if c.is_uppercase() && !parole.is_empty() {
            parole.push(' ');
            parole.extend(c.to_lowercase());
        } else {
            parole.push(c);
        }
    }
    parole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_called_by_its_parent_first_and_an_unknown_one_by_its_own_name() {
        assert_eq!(campo("Mandato", "Data").0, "Data del mandato");
        assert_eq!(campo("Minore", "CodiceFiscale").0, "Codice fiscale");
        assert_eq!(campo("AltroGenitore", "CodiceFiscale").0, "Altro genitore");
        assert_eq!(
            campo("X", "EsitoNonNoto"),
            ("Esito non noto".to_owned(), Genere::Testo)
        );
    }

    #[test]
    fn values_are_written_as_people_write_them() {
        let iban = a_voce("Iban", Genere::Iban, "IT60X0542811101000000123456");
        assert_eq!(iban.unwrap(), "IT60 X054 2811 1010 0000 0123 456");
        assert_eq!(
            a_voce("Data", Genere::Data, "2021-07-01").unwrap(),
            "1° luglio 2021"
        );
        assert_eq!(a_voce("ACarico", Genere::SiNo, "1").unwrap(), "sì");
        assert_eq!(a_voce("Modalita", Genere::Parola, "XX"), None);
    }

    #[test]
    fn no_table_has_a_line_twice() {
        let mut campi: Vec<_> = CAMPI.iter().map(|(campo, ..)| campo).collect();
        campi.sort_unstable();
        assert!(campi.is_sorted_by(|prima, dopo| prima < dopo));
        let mut parole: Vec<_> = PAROLE.iter().map(|(campo, parola, _)| (campo, parola)).collect();
        parole.sort_unstable();
        assert!(parole.is_sorted_by(|prima, dopo| prima < dopo));
    }
}
