//! The operations that only read: what they look up and what they tell.

use jiff::Timestamp;

use super::Intake;
use super::passi::Letta;
use crate::adesione::Peer;
use crate::domanda::consultazione::Riferimento;
use crate::patronato::CodiceEnte;
use crate::prestazione::{Operazione, Prestazione, by_servizio};
use crate::rifiuto::{Failure, Rifiuto};
use crate::soap::SoapVersion;
use crate::soap::answer::{self, Risposta};

impl Intake {
    /// State of a domanda of the own ente; another ente's is answered as unknown.
    pub(super) async fn consulta(&self, letta: Letta) -> Result<Risposta, Failure> {
        let (ente, servizio, riferimento) = riferimento(&letta)?;
        let consultata = self.store.consulta(ente, servizio, &riferimento).await?;
        let consultata = consultata.ok_or(Rifiuto::NonTrovata)?;
        Ok(Risposta::Consultazione(Box::new(consultata)))
    }

    /// The service's state (`ModI` `RAC_SOAP_004`).
    pub(super) async fn echo(
        &self,
        letta: Letta,
        prestazione: &'static Prestazione,
    ) -> Result<Risposta, Failure> {
        without_findings(&letta)?;
        let attivo = self.store.ping().await.is_ok();
        Ok(Risposta::Echo {
            msg: letta.campo("Msg").unwrap_or_default().to_owned(),
            attivo,
            versione: prestazione.versione.to_owned(),
            ambiente: self.ambiente,
            istante: self.clock.business(),
        })
    }

    /// The limits in force, and what is left of the caller's quota.
    pub(super) fn limiti(&self, letta: &Letta) -> Result<Risposta, Failure> {
        without_findings(letta)?;
        let quota = letta.authorized.quota().map(|quota| answer::Quota {
            concesse: quota.concesse.into(),
            rimaste: quota.rimaste.into(),
            secondi_al_rinnovo: quota.rinnovo_s.into(),
        });
        Ok(Risposta::Limiti {
            limiti: self.limiti.clone(),
            quota,
        })
    }

    /// What the gateway sees of the caller: so that a refusal can be understood without a telephone call.
    pub(super) fn diagnosi(
        &self,
        letta: &Letta,
        peer: &Peer,
        versione: SoapVersion,
    ) -> Result<Risposta, Failure> {
        without_findings(letta)?;
        let (ente, identity) = (letta.authorized.ente(), letta.authorized.identity());
        let wall = self.clock.wall();
        let concesse = ente.servizi.iter().map(|(servizio, operazioni)| {
            let tutte = operazioni.iter().any(|nome| nome == "*");
            let nomi: Vec<&str> = if tutte {
                by_servizio(servizio)
                    .into_iter()
                    .flat_map(Prestazione::operazioni)
                    .map(Operazione::nome)
                    .collect()
            } else {
                operazioni.iter().map(String::as_str).collect()
            };
            format!("{servizio}: {}", nomi.join(" "))
        });
        let chiamante = letta
            .campo("OraDelChiamante")
            .and_then(|testo| testo.parse::<Timestamp>().ok());
        Ok(Risposta::Diagnosi(Box::new(answer::Diagnosi {
            ente: ente.codice.clone(),
            ente_denominazione: ente.denominazione.clone(),
            codice_ufficio: identity.codice_ufficio.clone(),
            user_id: identity.user_id.clone(),
            forma_identity: identity.forma,
            certificato_soggetto: peer.certificato.soggetto.clone(),
            certificato_emittente: peer.certificato.emittente.clone(),
            certificato_seriale: peer.certificato.seriale.clone(),
            certificato_sha256: peer.certificato.sha256.clone(),
            certificato_scadenza: peer.certificato.scadenza,
            indirizzo: peer.indirizzo.to_string(),
            versione_tls: peer.tls_versione.clone(),
            suite_tls: peer.tls_suite.clone(),
            versione_soap: versione,
            operazioni_concesse: concesse.collect(),
            ora_del_varco: wall,
            ora_di_servizio: self.clock.business(),
            scarto_orologio_secondi: chiamante.map(|ora| ora.as_second() - wall.as_second()),
        })))
    }
}

pub(super) fn without_findings(letta: &Letta) -> Result<(), Rifiuto> {
    let rilievi = &letta.authorized.message().rilievi;
    if rilievi.is_empty() {
        Ok(())
    } else {
        Err(Rifiuto::Forma(rilievi.clone()))
    }
}

/// Which domanda is meant, and who asks; the XSD has already held each text to its pattern.
pub(super) fn riferimento(letta: &Letta) -> Result<(&CodiceEnte, &'static str, Riferimento), Rifiuto> {
    without_findings(letta)?;
    let lettura = letta.authorized.message();
    let riferimento = lettura
        .campi
        .iter()
        .find_map(|(percorso, testo)| Riferimento::parse(percorso.strip_prefix("Riferimento/")?, testo))
        .ok_or(Rifiuto::NonTrovata)?;
    Ok((
        &letta.authorized.ente().codice,
        lettura.prestazione.servizio,
        riferimento,
    ))
}
