//! What the act of a second parent is held against: the domanda of the one sheet that matches, whoever presented it.

use super::{Store, StoreError};
use crate::domanda::CodiceFiscale;
use crate::domanda::consultazione::{Corrispondenza, DomandaConsultata, Riferimento};

/// The domanda with that sheet alone, and with all its plain values; `None` where no sheet matches.
pub async fn domanda_of(
    store: &dyn Store,
    servizio: &'static str,
    corrispondenza: &Corrispondenza,
) -> Result<Option<DomandaConsultata>, StoreError> {
    let Some(trovata) = store.scheda_di(servizio, corrispondenza).await? else {
        return Ok(None);
    };
    let numero = Riferimento::NumeroDomanda(trovata.numero_domanda);
    let Some(mut domanda) = store.domanda(&trovata.ente, servizio, &numero).await? else {
        return Ok(None);
    };
    domanda.schede.retain(|scheda| scheda.posto == trovata.posto);
    domanda.quadro = store.quadro(trovata.numero_domanda).await?;
    // What matched may have changed until its state was read; what changes after that the registration finds.
    let scheda = domanda
        .quadro
        .as_ref()
        .and_then(|quadro| quadro.scheda(trovata.posto));
    let matches = scheda.is_some_and(|scheda| {
        let is = |nome, codice: &CodiceFiscale| scheda.valori.testo(nome) == Some(codice.as_str());
        is("codice_fiscale", &corrispondenza.figlio) && is("altro_genitore", &corrispondenza.secondo_genitore)
    });
    Ok(Some(domanda).filter(|_| matches))
}
