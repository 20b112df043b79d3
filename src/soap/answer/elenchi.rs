//! The answers that come by pages.

use super::istante;
use crate::domanda::CodiceFiscale;
use crate::domanda::elenco::{DomandaElencata, Variazione};
use crate::domanda::stato::{AzioneRichiesta, StatoDomanda};
use crate::soap::scrittore::Scrittore;

/// A page as it is told: its rows, and the cursor of the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaginaDetta<R> {
    /// The rows.
    pub righe: Vec<R>,
    /// What asks for the next page, where the list has a place to go on from.
    pub cursore: Option<String>,
    /// Whether there is more by now.
    pub altre: bool,
}

pub(super) fn variazioni(w: &mut Scrittore, pagina: &PaginaDetta<Variazione>) {
    for riga in &pagina.righe {
        w.elemento("coop:Variazione", &[], |w| {
            w.campo("coop:Istante", istante(riga.istante));
            w.campo("coop:Tipo", &riga.tipo);
            w.campo("coop:NumeroDomanda", riga.numero_domanda.0.to_string());
            w.campo("coop:Protocollo", riga.protocollo.to_string());
            w.campo_se(
                "coop:ProtocolloCausa",
                riga.causa.as_ref().map(ToString::to_string),
            );
            w.campo_se("coop:Posto", riga.posto.map(|posto| posto.to_string()));
            w.campo_se("coop:Stato", riga.stato.map(StatoDomanda::as_str));
            w.campo_se(
                "coop:AzioneRichiesta",
                riga.azione_richiesta.map(AzioneRichiesta::as_str),
            );
            w.campo_se("coop:Motivo", riga.motivo.as_deref());
        });
    }
    fine(w, pagina);
}

pub(super) fn ricerca(w: &mut Scrittore, pagina: &PaginaDetta<DomandaElencata>) {
    for riga in &pagina.righe {
        w.elemento("coop:Domanda", &[], |w| domanda(w, riga));
    }
    fine(w, pagina);
}

fn domanda(w: &mut Scrittore, riga: &DomandaElencata) {
    w.campo("coop:NumeroDomanda", riga.numero_domanda.0.to_string());
    w.campo("coop:Protocollo", riga.protocollo.to_string());
    w.campo("coop:PresentataIl", istante(riga.presentata_il));
    w.campo("coop:CodiceUfficio", &riga.codice_ufficio);
    w.campo_se(
        "coop:Richiedente",
        riga.richiedente.as_ref().map(CodiceFiscale::as_str),
    );
    w.campo_se("coop:PresentataDa", riga.presentata_da.as_deref());
    w.campo("coop:Annullata", super::booleano(riga.annullata));
    w.elemento("coop:Schede", &[], |w| {
        for scheda in &riga.schede {
            w.elemento("coop:Scheda", &[], |w| {
                w.campo("coop:Posto", scheda.posto.to_string());
                w.campo("coop:CodiceFiscale", scheda.codice_fiscale.as_str());
                w.campo_se(
                    "coop:AltroGenitore",
                    scheda.altro_genitore.as_ref().map(CodiceFiscale::as_str),
                );
                let decorrenza = scheda.decorrenza_presunta.map(|mese| mese.to_string());
                w.campo_se("coop:DecorrenzaPresunta", decorrenza);
                w.campo("coop:Stato", scheda.stato.as_str());
                w.campo("coop:AzioneRichiesta", scheda.azione_richiesta.as_str());
            });
        }
    });
}

/// What ends every page.
fn fine<R>(w: &mut Scrittore, pagina: &PaginaDetta<R>) {
    w.campo_se("coop:Cursore", pagina.cursore.as_deref());
    w.campo("coop:Altre", super::booleano(pagina.altre));
}
