//! The segnatura (DPR 445/2000 art. 55) in the shape of `AgID`'s `SegnaturaInformatica` 3.0.0: what identifies the
//! registration, who sent it to whom, the imprint of the document. Unsigned: the `ds:Signature` that ends it (XAdES-B)
//! is put there by the administration's own signing service.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Iscrizione;
use crate::prestazione;
use crate::protocollo::{NumeroProtocollo, roma};
use crate::soap::scrittore::Scrittore;

/// The administration and its area, as the index of public administrations (IPA) knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aoo {
    /// IPA code of the administration.
    pub codice_amministrazione: String,
    /// IPA code of its homogeneous organisational area.
    pub codice_aoo: String,
    /// Entry of the classification scheme in which domande stand.
    pub classifica: String,
}

/// The segnatura of a registration.
#[must_use]
pub fn segnatura(iscrizione: &Iscrizione, protocollo: &NumeroProtocollo, aoo: &Aoo) -> Vec<u8> {
    let mut w = Scrittore::documento();
    let radice = [
        ("xmlns:prot", "http://www.agid.gov.it/protocollo/"),
        ("prot:versione", "3.0.0"),
        ("prot:lang", "it"),
    ];
    w.elemento("prot:SegnaturaInformatica", &radice, |w| {
        w.elemento("prot:Intestazione", &[], |w| {
            intestazione(w, iscrizione, protocollo, aoo);
        });
        w.elemento("prot:Descrizione", &[], |w| descrizione(w, iscrizione, aoo));
    });
    w.grezzo("\n");
    w.finish()
}

fn intestazione(w: &mut Scrittore, iscrizione: &Iscrizione, protocollo: &NumeroProtocollo, aoo: &Aoo) {
    let a_roma = iscrizione.registrata_il.to_zoned(roma());
    w.elemento("prot:Identificatore", &[], |w| {
        w.campo("prot:CodiceAmministrazione", &aoo.codice_amministrazione);
        w.campo("prot:CodiceAOO", &aoo.codice_aoo);
        w.campo("prot:CodiceRegistro", protocollo.registro());
        w.campo("prot:NumeroRegistrazione", format!("{:012}", protocollo.numero()));
        w.campo("prot:DataRegistrazione", a_roma.date().to_string());
        w.campo(
            "prot:OraRegistrazione",
            a_roma.strftime("%H:%M:%S%.3f%:z").to_string(),
        );
    });
    w.campo("prot:Oggetto", &iscrizione.oggetto);
    w.elemento("prot:Classifica", &[], |w| {
        let titolo = prestazione::by_servizio(&iscrizione.servizio)
            .map_or(iscrizione.servizio.as_str(), |prestazione| prestazione.titolo);
        w.campo("prot:Denominazione", titolo);
        w.campo("prot:CodiceFlat", &aoo.classifica);
    });
}

fn descrizione(w: &mut Scrittore, iscrizione: &Iscrizione, aoo: &Aoo) {
    w.elemento("prot:Mittente", &[], |w| {
        w.elemento("prot:PersonaGiuridica", &[], |w| {
            w.campo("prot:Denominazione", &iscrizione.ente_denominazione);
        });
    });
    w.elemento("prot:Destinatario", &[], |w| {
        w.elemento("prot:Amministrazione", &[], |w| {
            w.campo("prot:DenominazioneAmministrazione", &iscrizione.destinatario);
            w.campo("prot:CodiceIPAAmministrazione", &aoo.codice_amministrazione);
            w.campo("prot:CodiceIPAAOO", &aoo.codice_aoo);
        });
    });
    let nome_file = format!("{}.xml", iscrizione.protocollo);
    documento(
        w,
        "prot:DocumentoPrimario",
        &nome_file,
        "application/xml",
        &iscrizione.impronta,
    );
    for allegato in &iscrizione.allegati {
        documento(
            w,
            "prot:Allegato",
            &allegato.nome_file,
            &allegato.tipo_mime,
            &allegato.impronta,
        );
    }
}

fn documento(w: &mut Scrittore, elemento: &str, nome_file: &str, tipo_mime: &str, impronta: &str) {
    let attributi = [("prot:nomeFile", nome_file), ("prot:mimeType", tipo_mime)];
    w.elemento(elemento, &attributi, |w| {
        w.elemento("prot:Impronta", &[("prot:algoritmo", "SHA-256")], |w| {
            w.testo(&STANDARD.encode(from_hex(impronta)));
        });
    });
}

/// The bytes of an imprint as the store tells it.
fn from_hex(testo: &str) -> Vec<u8> {
    (0..testo.len() / 2)
        .filter_map(|posto| u8::from_str_radix(testo.get(2 * posto..2 * posto + 2)?, 16).ok())
        .collect()
}
