//! Papers as answers: the summary as XML, and any paper as the bytes of a file.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::{COOP, booleano};
use crate::carte::{Carta, Formato, IMPAGINAZIONE, Riepilogo};
use crate::domanda::sha256::hex;
use crate::soap::scrittore::Scrittore;

/// A paper as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CartaDetta {
    /// The number that it is about.
    pub protocollo: String,
    /// The paper.
    pub carta: Carta,
}

/// The summary's bytes: an element that stands alone, with its namespace; `ricevuta` are the receipt's as they were told.
#[must_use]
pub fn riepilogo(riepilogo: &Riepilogo, ricevuta: &[u8]) -> Vec<u8> {
    let mut w = Scrittore::new();
    w.elemento("Riepilogo", &[("xmlns", COOP)], |w| {
        w.grezzo(&String::from_utf8_lossy(ricevuta));
        w.campo("Operazione", &riepilogo.ricevuta.operazione);
        w.campo("Impaginazione", IMPAGINAZIONE.to_string());
        w.elemento("Sezioni", &[], |w| {
            for sezione in &riepilogo.sezioni {
                w.elemento("Sezione", &[], |w| {
                    w.campo("Titolo", &sezione.titolo);
                    for voce in &sezione.voci {
                        w.elemento("Voce", &[], |w| {
                            w.campo("Campo", &voce.campo);
                            w.campo("Etichetta", &voce.etichetta);
                            w.campo("Valore", &voce.valore);
                            w.campo_se("AVoce", voce.a_voce.as_ref());
                        });
                    }
                });
            }
        });
        dichiarazioni(w, riepilogo);
        allegati(w, riepilogo);
    });
    w.finish()
}

fn dichiarazioni(w: &mut Scrittore, riepilogo: &Riepilogo) {
    if riepilogo.dichiarazioni.is_empty() {
        return;
    }
    w.elemento("Dichiarazioni", &[], |w| {
        for resa in &riepilogo.dichiarazioni {
            w.elemento("Dichiarazione", &[], |w| {
                w.campo("Codice", &resa.codice);
                if let Some(firmato) = resa.testo {
                    w.campo("VersioneTesto", firmato.versione);
                    w.campo("Testo", firmato.testo);
                }
                w.campo("Valore", booleano(resa.valore));
                w.campo_se("Scelta", resa.scelta.as_ref());
                w.campo_se("SceltaAVoce", resa.scelta_a_voce);
            });
        }
    });
}

fn allegati(w: &mut Scrittore, riepilogo: &Riepilogo) {
    if riepilogo.allegati.is_empty() {
        return;
    }
    w.elemento("Allegati", &[], |w| {
        for allegato in &riepilogo.allegati {
            w.elemento("Allegato", &[], |w| {
                w.campo("Tipo", &allegato.tipo);
                w.campo("TipoAVoce", allegato.tipo_a_voce());
                w.campo("NomeFile", &allegato.nome_file);
                w.campo("TipoMime", &allegato.tipo_mime);
                w.campo("Impronta", allegato.impronta_hex());
                w.campo("Dimensione", allegato.bytes_len.to_string());
            });
        }
    });
}

/// A paper: XML stands in the answer as it is, anything else as a file.
pub(super) fn carta(w: &mut Scrittore, detta: &CartaDetta) {
    let carta = &detta.carta;
    match carta.formato {
        Formato::Xml => w.grezzo(&String::from_utf8_lossy(&carta.bytes)),
        Formato::Pdf => w.elemento("coop:Documento", &[], |w| {
            w.campo("coop:NomeFile", carta.nome_file(&detta.protocollo));
            w.campo("coop:TipoMime", carta.formato.tipo_mime());
            w.campo("coop:Impronta", hex(&carta.impronta));
            w.campo("coop:Contenuto", BASE64_STANDARD.encode(&carta.bytes));
        }),
    }
}
