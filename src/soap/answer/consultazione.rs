//! The answer of `ConsultaDomanda`.

use super::{booleano, esadecimale, istante};
use crate::domanda::atto::riesame::StatoRiesame;
use crate::domanda::consultazione::{AttoDetto, Consultazione, PagamentoDelMese, SchedaDetta, SecondaMeta};
use crate::soap::scrittore::Scrittore;

pub(super) fn write(w: &mut Scrittore, domanda: &Consultazione) {
    w.campo("coop:Protocollo", domanda.protocollo.to_string());
    w.campo("coop:NumeroDomanda", domanda.numero_domanda.0.to_string());
    w.campo("coop:ChiaveInvio", domanda.chiave.as_str());
    w.campo("coop:PresentataIl", istante(domanda.presentata_il));
    w.campo("coop:RegistrataIl", istante(domanda.registrata_il));
    w.campo("coop:CodiceUfficio", &domanda.codice_ufficio);
    w.campo("coop:Impronta", esadecimale(&domanda.impronta));
    w.campo("coop:Annullata", booleano(domanda.annullata));
    w.elemento("coop:Schede", &[], |w| {
        for detta in &domanda.schede {
            w.elemento("coop:Scheda", &[], |w| scheda(w, detta));
        }
    });
    if !domanda.atti.is_empty() {
        w.elemento("coop:Atti", &[], |w| {
            for detto in &domanda.atti {
                w.elemento("coop:Atto", &[], |w| atto(w, detto));
            }
        });
    }
}

fn scheda(w: &mut Scrittore, scheda: &SchedaDetta) {
    w.campo("coop:Posto", scheda.posto.to_string());
    w.campo("coop:CodiceFiscale", scheda.codice_fiscale.as_str());
    w.campo("coop:Stato", scheda.stato.as_str());
    w.campo("coop:AzioneRichiesta", scheda.azione_richiesta.as_str());
    let decorrenza = scheda.decorrenza_presunta.map(|mese| mese.to_string());
    w.campo_se("coop:DecorrenzaPresunta", decorrenza);
    w.campo("coop:StatoDal", istante(scheda.stato_dal));
    w.campo("coop:Ripartizione", &scheda.ripartizione);
    w.campo_se("coop:MotivoAzione", scheda.azione_motivo.as_deref());
    if !scheda.pagamenti.is_empty() {
        w.elemento("coop:Pagamenti", &[], |w| {
            for detto in &scheda.pagamenti {
                w.elemento("coop:Pagamento", &[], |w| pagamento(w, detto));
            }
        });
    }
    if let Some(detta) = &scheda.seconda_meta {
        w.elemento("coop:SecondaMeta", &[], |w| seconda_meta(w, detta));
    }
    w.campo_se("coop:Riesame", scheda.riesame.map(StatoRiesame::as_str));
}

fn seconda_meta(w: &mut Scrittore, meta: &SecondaMeta) {
    w.campo_se("coop:Modalita", meta.modalita.as_deref());
    w.campo_se("coop:IbanFinale", meta.iban_finale.as_deref());
    w.campo_se("coop:Dal", meta.dal.map(|mese| mese.to_string()));
}

fn pagamento(w: &mut Scrittore, pagamento: &PagamentoDelMese) {
    w.campo("coop:Mese", pagamento.mese.to_string());
    w.campo("coop:Beneficiario", &pagamento.beneficiario);
    w.campo("coop:Tipo", &pagamento.tipo);
    let (euro, cent) = (pagamento.importo_cent / 100, pagamento.importo_cent % 100);
    w.campo("coop:Importo", format!("{euro}.{cent:02}"));
    w.campo("coop:Istante", istante(pagamento.istante));
    w.campo_se("coop:Motivo", pagamento.motivo.as_deref());
}

fn atto(w: &mut Scrittore, atto: &AttoDetto) {
    w.campo("coop:Protocollo", atto.protocollo.to_string());
    w.campo("coop:Operazione", &atto.operazione);
    w.campo("coop:PresentataIl", istante(atto.presentata_il));
    w.campo("coop:RegistrataIl", istante(atto.registrata_il));
    w.campo("coop:Annullata", booleano(atto.annullata));
}
