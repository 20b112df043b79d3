//! The daily register (DPR 445/2000 art. 53 c. 2): all registrations of a day, all that was annulled or changed on it,
//! the imprint of the day before. It follows from the rows alone: made again, it has the same bytes, so a row that was
//! tampered with shows. One line a registration, so that two of them can be compared with `diff`.
//!
//! Its form is published as xsd/registro-giornaliero-v1.xsd.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use super::{
    Annullamento, Assegnazione, Emergenza, Fatti, Iscrizione, Lacuna, Proroga, RecuperoFatto, a_roma,
};
use crate::domanda::Ambiente;
use crate::domanda::sha256::{Sha256, hex};
use crate::soap::scrittore::Scrittore;

/// What its elements are in.
pub(super) const NAMESPACE: &str = "http://inps.it/registro-giornaliero/v1";
/// The imprint of the day before the first one, which there is not.
pub const PRIMO_ANELLO: [u8; 32] = [0; 32];

/// What a daily register is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Giornata<'a> {
    /// The ambiente of the store.
    pub ambiente: Ambiente,
    /// The register.
    pub registro: &'a str,
    /// The day.
    pub giorno: Date,
    /// When the document is made.
    pub composto_il: Timestamp,
    /// SHA-256 of the document of the day before; [`PRIMO_ANELLO`] on the first day.
    pub precedente: [u8; 32],
}

/// A daily register as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Giornaliero {
    /// Of which register.
    pub registro: String,
    /// Which day.
    pub giorno: Date,
    /// When it was made.
    pub composto_il: Timestamp,
    /// The last registration up to the end of the day, year and number; zeroes when there was none yet.
    pub fino_a: (i16, u64),
    /// SHA-256 of the day before.
    pub precedente: [u8; 32],
    /// SHA-256 of the document.
    pub sha256: [u8; 32],
    /// The document.
    pub documento: Vec<u8>,
}

/// A daily register in the making: registrations come page by page.
#[derive(Debug)]
pub struct Composto {
    scrittore: Scrittore,
    quante: u64,
    prima: Option<String>,
    ultima: Option<String>,
}

impl Composto {
    /// Its beginning.
    #[must_use]
    pub fn new(giornata: &Giornata<'_>) -> Self {
        let mut w = Scrittore::documento();
        w.grezzo(&format!(
            "<RegistroGiornaliero xmlns=\"{NAMESPACE}\" versione=\"1\">\n"
        ));
        w.elemento("Intestazione", &[], |w| {
            w.campo("Ambiente", giornata.ambiente.as_str());
            w.campo("Registro", giornata.registro);
            w.campo("Giorno", giornata.giorno.to_string());
            w.campo("CompostoIl", a_roma(giornata.composto_il));
            w.campo("GiornoPrecedenteSha256", hex(&giornata.precedente));
        });
        w.grezzo("\n<Registrazioni>\n");
        Self {
            scrittore: w,
            quante: 0,
            prima: None,
            ultima: None,
        }
    }

    /// The next registration.
    pub fn iscrizione(&mut self, iscrizione: &Iscrizione) {
        write_iscrizione(&mut self.scrittore, iscrizione);
        self.quante += 1;
        self.prima.get_or_insert_with(|| iscrizione.protocollo.clone());
        self.ultima = Some(iscrizione.protocollo.clone());
    }

    /// What else was written on the day, and the end: the document.
    #[must_use]
    pub fn finish(self, fatti: &Fatti) -> Vec<u8> {
        let Self {
            scrittore: mut w,
            quante,
            prima,
            ultima,
        } = self;
        w.grezzo("</Registrazioni>\n<Annullamenti>\n");
        for annullamento in &fatti.annullamenti {
            write_annullamento(&mut w, annullamento);
        }
        w.grezzo("</Annullamenti>\n<Modifiche>\n");
        for assegnazione in &fatti.assegnazioni {
            write_assegnazione(&mut w, assegnazione);
        }
        w.grezzo("</Modifiche>\n<Emergenze>\n");
        for emergenza in &fatti.emergenze {
            write_emergenza(&mut w, emergenza);
        }
        w.grezzo("</Emergenze>\n");
        if !fatti.proroghe.is_empty() {
            w.grezzo("<Proroghe>\n");
            for proroga in &fatti.proroghe {
                write_proroga(&mut w, proroga);
            }
            w.grezzo("</Proroghe>\n");
        }
        if !fatti.lacune.is_empty() {
            w.grezzo("<Lacune>\n");
            for lacuna in &fatti.lacune {
                write_lacuna(&mut w, lacuna);
            }
            w.grezzo("</Lacune>\n");
        }
        if !fatti.recuperi.is_empty() {
            w.grezzo("<Recuperi>\n");
            for recupero in &fatti.recuperi {
                write_recupero(&mut w, recupero);
            }
            w.grezzo("</Recuperi>\n");
        }
        w.elemento("Riepilogo", &[], |w| {
            w.campo("Registrazioni", quante.to_string());
            w.campo_se("PrimoProtocollo", prima);
            w.campo_se("UltimoProtocollo", ultima);
            w.campo("Annullamenti", fatti.annullamenti.len().to_string());
            w.campo("Modifiche", fatti.assegnazioni.len().to_string());
            w.campo("Emergenze", fatti.emergenze.len().to_string());
        });
        w.grezzo("\n</RegistroGiornaliero>\n");
        w.finish()
    }
}

impl Giornaliero {
    /// The document of a day with its imprint.
    #[must_use]
    pub fn new(giornata: &Giornata<'_>, fino_a: (i16, u64), documento: Vec<u8>) -> Self {
        Self {
            registro: giornata.registro.to_owned(),
            giorno: giornata.giorno,
            composto_il: giornata.composto_il,
            fino_a,
            precedente: giornata.precedente,
            sha256: Sha256::of(&documento),
            documento,
        }
    }

    /// The lines of the document that are of one registration, by its number.
    pub fn righe(documento: &[u8]) -> impl Iterator<Item = (&str, &[u8])> {
        documento
            .split(|byte| *byte == b'\n')
            .filter_map(|riga| Some((protocollo_of(riga)?, riga)))
    }

    /// In what a document, made again from the rows as they are now, is not the one that is kept: one sentence each.
    #[must_use]
    pub fn differenze(&self, rifatto: &[u8]) -> Vec<String> {
        let giorno = self.giorno;
        let allora: BTreeMap<_, _> = Self::righe(&self.documento).collect();
        let adesso: BTreeMap<_, _> = Self::righe(rifatto).collect();
        let mut frasi = Vec::new();
        for (protocollo, riga) in &allora {
            match adesso.get(protocollo) {
                None => frasi.push(format!(
                    "{protocollo}: in the daily register of {giorno}, and no longer registered on that day"
                )),
                Some(nuova) if nuova != riga => frasi.push(format!(
                    "{protocollo}: {} is not as the daily register of {giorno} has it",
                    first_difference(riga, nuova)
                )),
                Some(_) => {}
            }
        }
        for protocollo in adesso
            .keys()
            .filter(|protocollo| !allora.contains_key(*protocollo))
        {
            frasi.push(format!(
                "{protocollo}: registered on {giorno}, and not in its daily register"
            ));
        }
        let registro = &self.registro;
        let (allora, adesso) = (altre_righe(&self.documento), altre_righe(rifatto));
        for riga in allora.iter().filter(|riga| !adesso.contains(*riga)) {
            frasi.push(format!(
                "register {registro}, {giorno}: {} of the daily register is no longer there, or is another",
                name_of(riga)
            ));
        }
        for riga in adesso.iter().filter(|riga| !allora.contains(*riga)) {
            frasi.push(format!(
                "register {registro}, {giorno}: {} is not in the daily register, or is another there",
                name_of(riga)
            ));
        }
        frasi
    }
}

/// The lines that are of no registration, but for the sum at the end, which only follows from them.
fn altre_righe(documento: &[u8]) -> Vec<&[u8]> {
    documento
        .split(|byte| *byte == b'\n')
        .filter(|riga| protocollo_of(riga).is_none() && !riga.starts_with(b"<Riepilogo>"))
        .collect()
}

/// The name of the element in which two lines part.
fn first_difference<'r>(una: &'r [u8], altra: &[u8]) -> Cow<'r, str> {
    let mut parti = una
        .split(|byte| *byte == b'<')
        .zip(altra.split(|byte| *byte == b'<'));
    parti
        .find(|(una, altra)| una != altra)
        .map_or(Cow::Borrowed("the line"), |(una, _)| name_of(una))
}

/// The element that a line or a piece of one begins with; `the line` where it is none.
fn name_of(riga: &[u8]) -> Cow<'_, str> {
    let riga = riga.strip_prefix(b"<").unwrap_or(riga);
    let riga = riga.strip_prefix(b"/").unwrap_or(riga);
    let fine = riga
        .iter()
        .position(|byte| !byte.is_ascii_alphanumeric())
        .unwrap_or(riga.len());
    if fine == 0 {
        Cow::Borrowed("a line")
    } else {
        String::from_utf8_lossy(&riga[..fine])
    }
}

/// The number of a line `<Registrazione><Protocollo>…`.
fn protocollo_of(riga: &[u8]) -> Option<&str> {
    let dopo = riga.strip_prefix(b"<Registrazione><Protocollo>")?;
    let fine = dopo.iter().position(|byte| *byte == b'<')?;
    std::str::from_utf8(&dopo[..fine]).ok()
}

fn write_iscrizione(w: &mut Scrittore, iscrizione: &Iscrizione) {
    w.elemento("Registrazione", &[], |w| {
        w.campo("Protocollo", &iscrizione.protocollo);
        w.campo("RegistrataIl", a_roma(iscrizione.registrata_il));
        w.campo("PresentataIl", a_roma(iscrizione.presentata_il));
        w.campo("Oggetto", &iscrizione.oggetto);
        w.campo("Servizio", &iscrizione.servizio);
        w.campo("Operazione", &iscrizione.operazione);
        w.elemento("Mittente", &[], |w| {
            w.campo("Ente", &iscrizione.ente);
            w.campo("Denominazione", &iscrizione.ente_denominazione);
            w.campo("CodiceUfficio", &iscrizione.codice_ufficio);
            w.campo("UserId", &iscrizione.user_id);
            w.campo("Richiedente", &iscrizione.richiedente);
        });
        w.campo("Destinatario", &iscrizione.destinatario);
        w.elemento("ProtocolloMittente", &[], |w| {
            w.campo("ChiaveInvio", &iscrizione.chiave_invio);
            w.campo_se("Data", iscrizione.data_pratica.as_ref());
        });
        w.campo("NumeroDomanda", iscrizione.numero_domanda.to_string());
        w.campo_se("CollegatoA", iscrizione.collegato_a.as_ref());
        w.elemento(
            "Impronta",
            &[("algoritmo", &iscrizione.impronta_algoritmo)],
            |w| w.testo(&iscrizione.impronta),
        );
        for allegato in &iscrizione.allegati {
            w.elemento(
                "AllegatoSha256",
                &[
                    ("nomeFile", &allegato.nome_file),
                    ("mimeType", &allegato.tipo_mime),
                ],
                |w| w.testo(&allegato.impronta),
            );
        }
        w.elemento(
            "Digest",
            &[("versione", &iscrizione.digest_versione.to_string())],
            |w| w.testo(&iscrizione.digest),
        );
        w.campo("Canale", &iscrizione.canale);
        w.campo("IdMessaggio", &iscrizione.message_id);
        w.campo("CertificatoSha256", &iscrizione.certificato_sha256);
        w.campo_se(
            "NumeroEmergenza",
            iscrizione.emergenza.map(|numero| numero.to_string()),
        );
        w.campo_se("RicevutaSha256", iscrizione.ricevuta_sha256.as_ref());
        w.campo_se("RichiestaSha256", iscrizione.richiesta_sha256.as_ref());
    });
    w.grezzo("\n");
}

fn write_annullamento(w: &mut Scrittore, annullamento: &Annullamento) {
    w.elemento(
        "Annullamento",
        &[("progressivo", &annullamento.id.to_string())],
        |w| {
            w.campo("Protocollo", &annullamento.protocollo);
            w.campo_se("Campo", annullamento.campo.as_ref());
            w.campo("AnnullataIl", a_roma(annullamento.annullata_il));
            w.campo("Operatore", &annullamento.operatore);
            w.campo("Motivo", &annullamento.motivo);
            w.elemento("Provvedimento", &[], |w| {
                w.campo("Numero", &annullamento.provvedimento_numero);
                w.campo("Data", &annullamento.provvedimento_data);
            });
        },
    );
    w.grezzo("\n");
}

fn write_assegnazione(w: &mut Scrittore, assegnazione: &Assegnazione) {
    w.elemento(
        "Modifica",
        &[("progressivo", &assegnazione.id.to_string())],
        |w| {
            w.campo("Protocollo", &assegnazione.protocollo);
            w.campo("Dal", a_roma(assegnazione.dal));
            w.campo("Operatore", &assegnazione.operatore);
            w.campo_se("Classifica", assegnazione.classifica.as_ref());
            w.campo_se("Assegnazione", assegnazione.assegnazione.as_ref());
        },
    );
    w.grezzo("\n");
}

/// An interruption is told on the day on which it began, as it stood then, and whole on the day on which it ended.
fn write_emergenza(w: &mut Scrittore, emergenza: &Emergenza) {
    w.elemento("Emergenza", &[("progressivo", &emergenza.id.to_string())], |w| {
        w.campo("ApertaIl", a_roma(emergenza.aperta_il));
        w.campo("Causa", &emergenza.causa);
        w.campo("Operatore", &emergenza.operatore);
        w.elemento("Provvedimento", &[], |w| {
            w.campo("Numero", &emergenza.provvedimento_numero);
            w.campo("Data", &emergenza.provvedimento_data);
        });
        w.campo_se("ChiusaIl", emergenza.chiusa_il.map(a_roma));
        w.campo_se("ChiusaDa", emergenza.chiusa_da.as_ref());
    });
    w.grezzo("\n");
}

/// A further period of an interruption.
fn write_proroga(w: &mut Scrittore, proroga: &Proroga) {
    let progressivi = [
        ("progressivo", proroga.id.to_string()),
        ("emergenza", proroga.emergenza.to_string()),
    ];
    let attributi = progressivi
        .each_ref()
        .map(|(nome, valore)| (*nome, valore.as_str()));
    w.elemento("Proroga", &attributi, |w| {
        w.campo("Dal", a_roma(proroga.dal));
        w.campo("Al", a_roma(proroga.al));
        w.campo("ConcessaIl", a_roma(proroga.concessa_il));
        w.campo("Operatore", &proroga.operatore);
        w.elemento("Provvedimento", &[], |w| {
            w.campo("Numero", &proroga.provvedimento_numero);
            w.campo("Data", &proroga.provvedimento_data);
        });
    });
    w.grezzo("\n");
}

/// Numbers that are not there and never will be.
fn write_lacuna(w: &mut Scrittore, lacuna: &Lacuna) {
    w.elemento("Lacuna", &[("progressivo", &lacuna.id.to_string())], |w| {
        w.campo("Anno", lacuna.anno.to_string());
        w.campo("Da", lacuna.da.to_string());
        w.campo("A", lacuna.a.to_string());
        if let Some((da, a)) = lacuna.domande {
            w.campo("DomandaDa", da.to_string());
            w.campo("DomandaA", a.to_string());
        }
        w.campo("DichiarataIl", a_roma(lacuna.dichiarata_il));
        w.campo("Operatore", &lacuna.operatore);
        w.campo("Motivo", &lacuna.motivo);
        w.elemento("Provvedimento", &[], |w| {
            w.campo("Numero", &lacuna.provvedimento_numero);
            w.campo("Data", &lacuna.provvedimento_data);
        });
    });
    w.grezzo("\n");
}

/// Numbers that are there again.
fn write_recupero(w: &mut Scrittore, recupero: &RecuperoFatto) {
    w.elemento("Recupero", &[("progressivo", &recupero.id.to_string())], |w| {
        w.campo("Anno", recupero.anno.to_string());
        w.campo("Da", recupero.da.to_string());
        w.campo("A", recupero.a.to_string());
        w.campo("Quante", recupero.quante.to_string());
        w.campo("Archivio", &recupero.archivio);
        w.campo("RecuperateIl", a_roma(recupero.recuperate_il));
        w.campo("Operatore", &recupero.operatore);
        w.campo("Motivo", &recupero.motivo);
        w.elemento("Provvedimento", &[], |w| {
            w.campo("Numero", &recupero.provvedimento_numero);
            w.campo("Data", &recupero.provvedimento_data);
        });
    });
    w.grezzo("\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_day_has_its_document_too() {
        let giornata = Giornata {
            ambiente: Ambiente::Collaudo,
            registro: "AUF",
            giorno: "2021-08-15".parse().unwrap(),
            composto_il: "2021-08-16T06:00:00Z".parse().unwrap(),
            precedente: PRIMO_ANELLO,
        };
        let documento = Composto::new(&giornata).finish(&Fatti::default());
        assert_eq!(
            String::from_utf8(documento).unwrap(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <RegistroGiornaliero xmlns=\"http://inps.it/registro-giornaliero/v1\" versione=\"1\">\n\
             <Intestazione><Ambiente>collaudo</Ambiente><Registro>AUF</Registro><Giorno>2021-08-15</Giorno>\
             <CompostoIl>2021-08-16T08:00:00.000+02:00</CompostoIl><GiornoPrecedenteSha256>\
             0000000000000000000000000000000000000000000000000000000000000000\
             </GiornoPrecedenteSha256></Intestazione>\n\
             <Registrazioni>\n</Registrazioni>\n<Annullamenti>\n</Annullamenti>\n<Modifiche>\n</Modifiche>\n\
             <Emergenze>\n</Emergenze>\n\
             <Riepilogo><Registrazioni>0</Registrazioni><Annullamenti>0</Annullamenti><Modifiche>0</Modifiche>\
             <Emergenze>0</Emergenze></Riepilogo>\n</RegistroGiornaliero>\n"
        );
    }
}
