//! The answers that come by pages.

use super::istante;
use crate::domanda::elenco::Variazione;
use crate::soap::scrittore::Scrittore;

/// A page as it is told: its rows, and the cursor of the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaginaDetta<R> {
    /// The rows.
    pub righe: Vec<R>,
    /// What asks for the next page.
    pub cursore: String,
    /// Whether there is one by now.
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
            w.campo_se("coop:Stato", riga.stato.map(|stato| stato.as_str()));
            w.campo_se(
                "coop:AzioneRichiesta",
                riga.azione_richiesta.map(|azione| azione.as_str()),
            );
        });
    }
    fine(w, &pagina.cursore, pagina.altre);
}

/// What ends every page.
fn fine(w: &mut Scrittore, cursore: &str, altre: bool) {
    w.campo("coop:Cursore", cursore);
    w.campo("coop:Altre", super::booleano(altre));
}
