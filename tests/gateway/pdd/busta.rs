//! A busta e-Gov as a porta writes it, with every field at hand: what a test breaks, it names.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use varco::clock::{Clock as _, WallClock};

use crate::helpers::Reply;

/// An instant in Italian local time, as buste write it.
pub(crate) fn ora(istante: Timestamp) -> String {
    let roma = TimeZone::get("Europe/Rome").unwrap();
    roma.to_datetime(istante)
        .strftime("%Y-%m-%dT%H:%M:%S")
        .to_string()
}

/// An instant that long ago.
pub(crate) fn fa(quanto: SignedDuration) -> Timestamp {
    WallClock::default().wall() - quanto
}

/// The Identificatore of this number of `PatronatoUno`, of a minute ago.
pub(crate) fn identificatore(numero: u32) -> String {
    let minuto = ora(fa(SignedDuration::from_secs(60)));
    let (giorno, ora) = minuto.split_once('T').unwrap();
    format!(
        "PatronatoUno_PatronatoUnoSPCoopIT_{numero:07}_{giorno}_{}",
        &ora[..5]
    )
}

/// A whole envelope: the header block around these fields, and a body.
#[derive(Debug, Clone)]
pub(crate) struct Busta {
    /// `IntestazioneMessaggio`, whole.
    pub(crate) intestazione: String,
    /// The body child.
    pub(crate) corpo: String,
}

impl Busta {
    /// A good one, to this service and action.
    pub(crate) fn new(numero: u32, azione: &str, corpo: &str) -> Self {
        let (id, adesso) = (identificatore(numero), ora(fa(SignedDuration::from_secs(30))));
        let scadenza = ora(fa(SignedDuration::from_secs(-300)));
        Self {
            intestazione: format!(
                "<eGov_IT:IntestazioneMessaggio>\
                 <eGov_IT:Mittente><eGov_IT:IdentificativoParte tipo=\"SPC\">PatronatoUno</eGov_IT:IdentificativoParte></eGov_IT:Mittente>\
                 <eGov_IT:Destinatario><eGov_IT:IdentificativoParte tipo=\"SPC\">INPS</eGov_IT:IdentificativoParte></eGov_IT:Destinatario>\
                 <eGov_IT:ProfiloCollaborazione>EGOV_IT_ServizioSincrono</eGov_IT:ProfiloCollaborazione>\
                 <eGov_IT:Servizio tipo=\"SPC\">AssegnoTemporaneo</eGov_IT:Servizio>\
                 <eGov_IT:Azione>{azione}</eGov_IT:Azione>\
                 <eGov_IT:Messaggio>\
                 <eGov_IT:Identificatore>{id}</eGov_IT:Identificatore>\
                 <eGov_IT:OraRegistrazione tempo=\"EGOV_IT_SPC\">{adesso}</eGov_IT:OraRegistrazione>\
                 <eGov_IT:Scadenza>{scadenza}</eGov_IT:Scadenza>\
                 </eGov_IT:Messaggio>\
                 <eGov_IT:ProfiloTrasmissione inoltro=\"EGOV_IT_ALPIUUNAVOLTA\" confermaRicezione=\"false\"/>\
                 </eGov_IT:IntestazioneMessaggio>"
            ),
            corpo: corpo.to_owned(),
        }
    }

    /// The good domanda of tests/messages under a key.
    pub(crate) fn domanda(numero: u32, chiave: &str) -> Self {
        Self::new(numero, "InviaDomanda", &domanda(chiave))
    }

    /// An echo.
    pub(crate) fn echo(numero: u32) -> Self {
        let corpo =
            "<at:echo xmlns:at=\"http://inps.it/AssegnoTemporaneo/v1\"><at:Msg>prova</at:Msg></at:echo>";
        Self::new(numero, "echo", corpo)
    }

    /// The same with some of its header changed.
    pub(crate) fn with(mut self, da: &str, a: &str) -> Self {
        assert!(self.intestazione.contains(da), "no {da} in {}", self.intestazione);
        self.intestazione = self.intestazione.replacen(da, a, 1);
        self
    }

    /// The same with more behind `IntestazioneMessaggio`.
    pub(crate) fn and(mut self, altro: &str) -> Self {
        self.intestazione.push_str(altro);
        self
    }

    /// The header block as it goes out.
    pub(crate) fn blocco(&self) -> String {
        format!(
            "<eGov_IT:Intestazione xmlns:eGov_IT=\"http://www.cnipa.it/schemas/2003/eGovIT/Busta1_0/\" \
             soapenv:actor=\"http://www.cnipa.it/eGov_it/portadominio\" soapenv:mustUnderstand=\"1\">{}</eGov_IT:Intestazione>",
            self.intestazione
        )
    }

    /// The envelope.
    pub(crate) fn testo(&self) -> String {
        envelope(&self.blocco(), &self.corpo)
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.testo().into_bytes()
    }
}

/// An envelope of SOAP 1.1 around header blocks and a body child.
pub(crate) fn envelope(blocchi: &str, corpo: &str) -> String {
    format!(
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Header>{blocchi}</soapenv:Header>\
         <soapenv:Body>{corpo}</soapenv:Body></soapenv:Envelope>"
    )
}

/// The element that the good domanda of tests/messages sends, under another key.
pub(crate) fn domanda(chiave: &str) -> String {
    let testo = include_str!("../../messages/domanda-registered/request.xml");
    let (_, corpo) = testo.split_once("<env:Body>").unwrap();
    let (corpo, _) = corpo.split_once("</env:Body>").unwrap();
    corpo.trim().replace(">K-1<", &format!(">{chiave}<")).replacen(
        "<at:InviaDomanda>",
        "<at:InviaDomanda xmlns:at=\"http://inps.it/AssegnoTemporaneo/v1\">",
        1,
    )
}

/// What a porta sees of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Forma {
    /// A busta without a fault, and its exceptions.
    Risposta(Vec<String>),
    /// A busta around a fault of the service: its code, by our name.
    FaultApplicativo(String),
    /// A.
    A,
    /// B, with its exceptions: code, weight, place.
    B(Vec<String>),
    /// C, with our code; whether it has a header.
    C(String, bool),
}

/// Looks at an answer as a porta does: by strings.
pub(crate) fn forma(reply: &Reply) -> Forma {
    let testo = reply.text();
    assert_eq!(reply.content_type, "text/xml; charset=utf-8", "{testo}");
    let header = testo.matches("<eGov_IT:Intestazione ").count();
    assert!(header <= 1, "{testo}");
    let eccezioni: Vec<String> = testo
        .split("<eGov_IT:Eccezione ")
        .skip(1)
        .map(eccezione)
        .collect();
    let lista = testo.contains("<eGov_IT:ListaEccezioni>");
    assert_eq!(lista, !eccezioni.is_empty(), "{testo}");
    match reply.status {
        200 => {
            assert!(header == 1 && !testo.contains("Fault"), "{testo}");
            return Forma::Risposta(eccezioni);
        }
        500 => {}
        altro => panic!("{altro}: {testo}"),
    }
    let (client, server) = (
        testo.contains(
            "<faultcode xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\">soap:Client</faultcode>",
        ),
        testo.contains(
            "<faultcode xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\">soap:Server</faultcode>",
        ),
    );
    match reply.value("faultstring").unwrap().as_str() {
        "EGOV_IT_001 - Formato Busta non corretto" => {
            assert!(client && !testo.contains("<detail"), "{testo}");
            assert_eq!(header == 1, lista, "{testo}");
            if lista { Forma::B(eccezioni) } else { Forma::A }
        }
        "EGOV_IT_300 - Errore nel processamento del messaggio SPCoop" => {
            assert!(server && !lista, "{testo}");
            Forma::C(reply.value("Codice").unwrap_or_default(), header == 1)
        }
        _ => {
            assert!(header == 1 && !client && !server, "{testo}");
            Forma::FaultApplicativo(reply.value("Codice").unwrap())
        }
    }
}

/// `EGOV_IT_101 GRAVE Mittente`.
fn eccezione(attributi: &str) -> String {
    let valore = |nome: &str| {
        let (_, dopo) = attributi.split_once(&format!("{nome}=\"")).unwrap();
        dopo.split_once('"').unwrap().0.to_owned()
    };
    assert_eq!(valore("contestoCodifica"), "ErroreIntestazioneMessaggioSPCoop");
    format!(
        "{} {} {}",
        valore("codiceEccezione"),
        valore("rilevanza"),
        valore("posizione")
    )
}

/// Shape B with one grave exception.
pub(crate) fn b(codice: u16, posizione: &str) -> Forma {
    Forma::B(vec![format!("EGOV_IT_{codice:03} GRAVE {posizione}")])
}
