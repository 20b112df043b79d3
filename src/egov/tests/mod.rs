//! The busta by its letter. A message is the published one with one thing changed; what becomes of it is one line:
//! `A` (nothing can be answered to), `B` with every exception, `servita` with those that are told.

mod intestazione;
mod ostili;
mod qualificazione;
mod regole;
mod risposta;
mod traccia;
mod valori;

use jiff::{SignedDuration, Timestamp};
use xsd_schema::SchemaSetBuilder;
use xsd_schema::validation::{CollectingValidationSink, SchemaValidator, ValidationFlags, drive_quick_xml};

use super::*;
use crate::soap::envelope::{Apertura, Envelope};
use crate::soap::prova;
use crate::xml::Limits;

/// The request of spec/spcoop.md §5.1.
pub(super) const RICHIESTA: &str = r#"<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">
 <soapenv:Header>
  <eGov_IT:Intestazione xmlns:eGov_IT="http://www.cnipa.it/schemas/2003/eGovIT/Busta1_0/"
      soapenv:actor="http://www.cnipa.it/eGov_it/portadominio" soapenv:mustUnderstand="1">
   <eGov_IT:IntestazioneMessaggio>
    <eGov_IT:Mittente><eGov_IT:IdentificativoParte tipo="SPC">PatronatoEsempio</eGov_IT:IdentificativoParte></eGov_IT:Mittente>
    <eGov_IT:Destinatario><eGov_IT:IdentificativoParte tipo="SPC">INPS</eGov_IT:IdentificativoParte></eGov_IT:Destinatario>
    <eGov_IT:ProfiloCollaborazione>EGOV_IT_ServizioSincrono</eGov_IT:ProfiloCollaborazione>
    <eGov_IT:Servizio tipo="SPC">DomandaAssegno</eGov_IT:Servizio>
    <eGov_IT:Azione>InviaDomanda</eGov_IT:Azione>
    <eGov_IT:Messaggio>
     <eGov_IT:Identificatore>PatronatoEsempio_PatronatoEsempioSPCoopIT_0000042_2021-07-05_10:31</eGov_IT:Identificatore>
     <eGov_IT:OraRegistrazione tempo="EGOV_IT_SPC">2021-07-05T10:31:07</eGov_IT:OraRegistrazione>
     <eGov_IT:Scadenza>2021-07-05T10:36:07</eGov_IT:Scadenza>
    </eGov_IT:Messaggio>
    <eGov_IT:ProfiloTrasmissione inoltro="EGOV_IT_ALPIUUNAVOLTA" confermaRicezione="false"/>
   </eGov_IT:IntestazioneMessaggio>
  </eGov_IT:Intestazione>
 </soapenv:Header>
 <soapenv:Body>
  <d:InviaDomandaRequest xmlns:d="urn:esempio:domanda-assegno:v1"/>
 </soapenv:Body>
</soapenv:Envelope>"#;

/// Where the lists of a header go.
pub(super) const DOPO: &str = "</eGov_IT:IntestazioneMessaggio>";

/// Our registry: one sender, ourselves, a service with an action and one without a synchronous profile.
pub(super) struct Prova {
    pub(super) regole: RegoleBusta,
}

impl Anagrafe for Prova {
    fn mittente(&self, parte: &Parte) -> Option<MittenteNoto<'_>> {
        let noto = parte.nome == "PatronatoEsempio" && matches!(parte.tipo.as_str(), "SPC" | "TEST");
        noto.then_some(MittenteNoto {
            porta: Some("patronatoESEMPIOspcoopIT"),
            regole: self.regole,
        })
    }

    fn is_nostro(&self, destinatario: &Parte) -> bool {
        destinatario.is(&Parte::spc("INPS"))
    }

    fn profilo(&self, servizio: &Servizio) -> Option<Profilo> {
        (servizio.nome == "DomandaAssegno").then_some(Profilo::Sincrono)
    }

    fn has_azione(&self, _servizio: &Servizio, azione: &str) -> bool {
        azione == "InviaDomanda"
    }
}

pub(super) fn tempi() -> Tempi {
    Tempi {
        adesso: "2021-07-05T10:31:08+02:00".parse::<Timestamp>().unwrap(),
        finestra: SignedDuration::from_hours(5 * 24),
        anticipo: None,
    }
}

/// The published request with one thing changed.
#[track_caller]
pub(super) fn con(da: &str, a: &str) -> String {
    assert_eq!(RICHIESTA.matches(da).count(), 1, "{da}");
    RICHIESTA.replace(da, a)
}

/// The published request with something more behind its `IntestazioneMessaggio`.
#[track_caller]
pub(super) fn con_lista(lista: &str) -> String {
    con(DOPO, &format!("{DOPO}{lista}"))
}

/// What is read of a message; the same, whether its envelope was opened before or not.
pub(super) fn leggi(xml: &str) -> Result<Busta, Illeggibile> {
    let (bytes, limiti) = (xml.as_bytes(), Limits::default());
    let letta = Busta::read(bytes, &limiti);
    if let Ok(Apertura::Aperta(envelope)) = Envelope::open(bytes, true, &limiti) {
        assert_eq!(Busta::of(&envelope, bytes, &limiti), letta);
    }
    letta
}

/// What becomes of a message.
pub(super) fn esito_per(xml: &str, regole: RegoleBusta, tempi: &Tempi) -> String {
    let elenco = |eccezioni: &[Eccezione]| -> String {
        eccezioni
            .iter()
            .map(|eccezione| format!(" {}", eccezione.to_string().trim_start_matches("EGOV_IT_")))
            .collect::<Vec<_>>()
            .join(",")
    };
    let Ok(busta) = leggi(xml) else {
        return "A".to_owned();
    };
    match esamina(&busta, tempi, &Prova { regole }) {
        Ok(accolta) => format!("servita{}", elenco(accolta.avvisi())),
        Err(respinta) => format!("B{}", elenco(&respinta.eccezioni)),
    }
}

/// The same under the Linee guida.
pub(super) fn esito(xml: &str) -> String {
    esito_per(xml, RegoleBusta::LineeGuida11, &tempi())
}

/// Each of these changes has this outcome.
#[track_caller]
pub(super) fn tavola(casi: &[(&str, &str, &str)]) {
    for (da, a, atteso) in casi {
        assert_eq!(esito(&con(da, a)), *atteso, "{da} → {a}");
    }
}

/// Holds a document against one of our XSDs, before the authority that the gateway asks and before xmllint.
#[track_caller]
pub(super) fn valida(namespace: &str, xsd: &str, xml: &str) {
    let file = format!("{}/xsd/{xsd}", env!("CARGO_MANIFEST_DIR"));
    let schemi = SchemaSetBuilder::new()
        .add(namespace, &file)
        .unwrap()
        .compile()
        .unwrap();
    assert!(schemi.directive_failures().is_empty());
    let schemi = schemi.schema_set();
    let validatore = SchemaValidator::new(schemi, ValidationFlags::default());
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    let mut corsa = validatore.start_run(CollectingValidationSink {
        errors: &mut errors,
        warnings: &mut warnings,
    });
    drive_quick_xml(xml.as_bytes(), &mut corsa, schemi).unwrap();
    drop(corsa);
    let detti: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(detti, Vec::<String>::new(), "{xml}");
    prova::valida(xsd, xml);
}

/// The page that partners read: its samples are buste of ours, and it has a row for every code.
#[test]
fn the_accordo_di_servizio_says_what_is_done() {
    let pagina = include_str!("../../../docs/spcoop.md");
    let campione = |nome: &str| {
        let (_, dopo) = pagina
            .split_once(&format!("<!-- campione: {nome} -->\n```xml\n"))
            .unwrap();
        dopo.split_once("```").unwrap().0
    };
    let richiesta = campione("richiesta");
    assert_eq!(
        esito(&richiesta.replace(">AssegnoTemporaneo<", ">DomandaAssegno<")),
        "servita"
    );
    let risposta = campione("risposta");
    valida(costanti::EGOV, "busta-egov.xsd", risposta);
    let busta = Busta::read(&errore_di_validazione(risposta.as_bytes()), &Limits::default()).unwrap();
    let chiesta = leggi(richiesta).unwrap().intestazione;
    assert_eq!(busta.rilievi, []);
    assert_eq!(busta.intestazione.riferimento, chiesta.identificatore);
    assert!(campione("eccezioni").contains("codiceEccezione=\"EGOV_IT_106\""));
    for codice in CodiceEgov::TUTTI {
        let riga = format!("\n| {} | {} | ", codice.as_str(), codice.testo());
        assert_eq!(pagina.matches(&riga).count(), 1, "{riga}");
    }
    let prove = [
        include_str!("intestazione.rs"),
        include_str!("qualificazione.rs"),
        include_str!("regole.rs"),
        include_str!("risposta.rs"),
        include_str!("traccia.rs"),
        include_str!("valori.rs"),
        include_str!("../../../tests/store/egov.rs"),
        include_str!("../../../tests/gateway/pdd/mod.rs"),
        include_str!("../../../tests/gateway/pdd/busta.rs"),
        include_str!("../../../tests/gateway/pdd/comandi.rs"),
        include_str!("../../../tests/gateway/pdd/elenco.rs"),
        include_str!("../../../tests/gateway/pdd/qualificazione.rs"),
    ]
    .concat();
    let (_, tavola) = pagina.split_once("## 10.").unwrap();
    for nome in tavola.split('`').filter(|nome| nome.matches('_').count() > 2) {
        assert!(prove.contains(&format!("fn {nome}(")), "{nome}");
    }
}
