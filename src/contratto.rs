//! The contract as compiled in: the WSDLs and the XSDs, by the names with which they import each other. What the gateway
//! validates by, what it serves (`?wsdl`, `?xsd=`) and what `varco kit` writes are these same texts. The WSDL for a porta
//! di dominio is made of them: the same operations and messages, bound to SOAP 1.1 alone and to `/PD`.

/// A document of the contract: its file name and its text.
pub type Documento = (&'static str, &'static str);

/// The header block Identity.
pub const IDENTITY: Documento = ("identity.xsd", include_str!("../xsd/identity.xsd"));

/// What all services share.
pub const COOPERAZIONE: Documento = ("cooperazione-v1.xsd", include_str!("../xsd/cooperazione-v1.xsd"));

/// Assegno Temporaneo.
pub const ASSEGNO_TEMPORANEO: Documento = (
    "assegno-temporaneo-v1.xsd",
    include_str!("../xsd/assegno-temporaneo-v1.xsd"),
);

/// Assegno Unico e Universale.
pub const ASSEGNO_UNICO: Documento = (
    "assegno-unico-v1.xsd",
    include_str!("../xsd/assegno-unico-v1.xsd"),
);

/// The XSDs of requests and answers: what a message is held against.
pub const XSDS_DEL_CORPO: &[Documento] = &[COOPERAZIONE, ASSEGNO_TEMPORANEO, ASSEGNO_UNICO];

/// The XSDs of the PDD channel: the busta, its trace and its diagnostics, and the export of both.
pub const XSDS_DELLA_BUSTA: &[Documento] = &[
    (
        "soap-11-attributi.xsd",
        include_str!("../xsd/soap-11-attributi.xsd"),
    ),
    ("busta-egov.xsd", include_str!("../xsd/busta-egov.xsd")),
    (
        "tracciamento-egov.xsd",
        include_str!("../xsd/tracciamento-egov.xsd"),
    ),
    (
        "diagnostica-egov.xsd",
        include_str!("../xsd/diagnostica-egov.xsd"),
    ),
    ("tracce-egov-v1.xsd", include_str!("../xsd/tracce-egov-v1.xsd")),
];

/// Every XSD that the WSDLs lead to.
pub const XSDS: &[Documento] = &[IDENTITY, COOPERAZIONE, ASSEGNO_TEMPORANEO, ASSEGNO_UNICO];

/// Every WSDL, by the name of its service.
pub const WSDLS: &[Documento] = &[
    (
        "AssegnoTemporaneo",
        include_str!("../wsdl/AssegnoTemporaneo.wsdl"),
    ),
    (
        "AssegnoUnicoUniversale",
        include_str!("../wsdl/AssegnoUnicoUniversale.wsdl"),
    ),
];

/// The document of a name.
#[must_use]
pub fn by_name(documenti: &[Documento], nome: &str) -> Option<&'static str> {
    documenti
        .iter()
        .find(|(uno, _)| *uno == nome)
        .map(|(_, testo)| *testo)
}

/// The WSDL of a service for who sends by a porta di dominio. Its header block is written by the porta, so none is
/// declared; Identity is not sent there (who operates is in the adesione), and is not asked for.
#[must_use]
pub fn wsdl_per_pdd(wsdl: &str) -> String {
    let mut righe = Vec::new();
    let mut fine_saltata = None;
    let mut in_testa = true;
    for riga in wsdl.lines() {
        // What the file says of itself before its root is of the other channel.
        if std::mem::take(&mut in_testa) {
            righe.extend([riga, COMMENTO_PDD]);
            fine_saltata = Some("-->");
            continue;
        }
        if let Some(fine) = fine_saltata {
            if riga.trim() == fine {
                fine_saltata = None;
            }
            continue;
        }
        if riga.contains("Soap12\"") {
            fine_saltata = Some(if riga.contains("<wsdl:binding") {
                "</wsdl:binding>"
            } else {
                "</wsdl:port>"
            });
        } else if !riga.contains("<soap:header") || !riga.contains("part=\"Identity\"") {
            righe.push(riga);
        }
    }
    let mut insieme = righe.join("\n");
    insieme.push('\n');
    let (prima, dopo) = insieme
        .split_once("<soap:address location=\"")
        .unwrap_or((&insieme, ""));
    let porta = dopo.split_once("/modi/").map_or("", |(ospite, _)| ospite);
    let resto = dopo.split_once('"').map_or("", |(_, resto)| resto);
    format!("{prima}<soap:address location=\"{porta}/PD\"{resto}")
}

const COMMENTO_PDD: &str = "\
<!--
  Lo stesso servizio per chi invia con una Porta di Dominio (SPCoop): un solo binding, SOAP 1.1, sull'indirizzo /PD. La
  busta di e-Gov la scrivono le porte: Servizio è il nome del servizio, Azione quello dell'operazione. Niente Identity:
  operatore e ufficio sono nell'adesione. Le regole dell'intestazione sono in docs/spcoop.md.
-->";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prestazione::PRESTAZIONI;
    use crate::xml::{Limits, Reader, Token};

    #[test]
    fn the_wsdl_for_a_porta_has_the_same_operations_on_soap_11_alone() {
        for prestazione in PRESTAZIONI {
            let intero = by_name(WSDLS, prestazione.servizio).unwrap();
            let wsdl = wsdl_per_pdd(intero);
            let mut reader = Reader::new(wsdl.as_bytes(), &Limits::default());
            while !matches!(reader.next().unwrap(), Token::Eof) {}
            let quante = |parte: &str| wsdl.matches(parte).count();
            let operazioni = prestazione.operazioni().count();
            for (parte, attese) in [
                ("<wsdl:binding ", 1),
                ("<wsdl:port ", 1),
                ("<soap:operation soapAction=", operazioni),
                ("<soap:header message=", 3),
                ("part=\"Identity\"", 0),
                ("Soap12", 0),
                ("<soap12:", 0),
                ("<soap:address location=\"https://localhost:8443/PD\"/>", 1),
            ] {
                assert_eq!(quante(parte), attese, "{} {parte}", prestazione.servizio);
            }
            let porta = "<wsdl:portType";
            let fino_a = |wsdl: &str| {
                let (_, dopo) = wsdl.split_once(porta).unwrap();
                dopo.split_once("</wsdl:portType>").unwrap().0.to_owned()
            };
            assert_eq!(fino_a(&wsdl), fino_a(intero));
        }
    }

    #[test]
    fn every_xsd_of_the_busta_finds_the_ones_that_it_imports() {
        for (nome, testo) in XSDS_DELLA_BUSTA {
            for luogo in testo.split("schemaLocation=\"").skip(1) {
                let luogo = luogo.split('"').next().unwrap();
                assert!(by_name(XSDS_DELLA_BUSTA, luogo).is_some(), "{nome} wants {luogo}");
            }
        }
    }
}
