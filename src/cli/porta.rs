//! The other side of `/PD`: a porta di dominio as the sandbox needs one. It writes the busta around a request; what it
//! sends is what docs/spcoop.md shows. For `varco sample --pdd`, `varco send --pdd`, the load tool.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp};

use super::send::busta::escape;
use crate::clock::Ids as _;
use crate::clock::RandomIds;
use crate::egov::costanti::{ALPIUUNAVOLTA, EGOV, PORTA_DOMINIO, SPC, TEMPO_SPC};
use crate::egov::{Dominio, Identificatore, Parte, Profilo, ora, porta_solita};
use crate::soap::SoapVersion;

/// Who sends on SPCoop, and to whom.
#[derive(Debug, Clone, clap::Args)]
pub struct Nomi {
    /// Con --pdd: il nome SPCoop di chi invia, come in adesioni.toml (predefinito: PatronatoUno)
    #[arg(long, value_name = "NOME", default_value = "PatronatoUno", requires = "pdd")]
    pub mittente: String,
    /// Con --pdd: il nome SPCoop del varco, pdd.nome in varco.toml (predefinito: INPS)
    #[arg(long, value_name = "NOME", default_value = "INPS", requires = "pdd")]
    pub destinatario: String,
}

/// A porta that sends.
#[derive(Debug)]
pub struct Porta {
    dominio: Dominio,
    destinatario: String,
    prossimo: AtomicU32,
}

/// For so long what was sent may be worked.
const SCADENZA: SignedDuration = SignedDuration::from_hours(24);

impl Porta {
    /// The porta of these names. Its numbers begin anywhere: others may send under the same name in the same minute.
    pub fn new(nomi: &Nomi) -> Result<Self> {
        let codice = porta_solita(&Parte::spc(&nomi.mittente));
        let dominio = Dominio::new(&nomi.mittente, &codice).context("--mittente: solo lettere e cifre")?;
        #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
        let primo = RandomIds.next().as_u128() as u32 % Identificatore::PROGRESSIVO_MAX;
        Ok(Self {
            dominio,
            destinatario: nomi.destinatario.clone(),
            prossimo: AtomicU32::new(primo),
        })
    }

    /// The header block of the next message to a service.
    pub fn intestazione(&self, servizio: &str, azione: &str, adesso: Timestamp) -> String {
        let numero = u64::from(self.prossimo.fetch_add(1, Ordering::Relaxed)) + 1;
        let id = Identificatore::mint(&self.dominio, numero, adesso);
        let (registrata, scadenza) = (ora::scrivi(adesso), ora::scrivi(adesso + SCADENZA));
        let parte = |nome: &str| {
            format!(
                "<eGov_IT:IdentificativoParte tipo=\"{SPC}\">{}</eGov_IT:IdentificativoParte>",
                escape(nome)
            )
        };
        let righe = [
            format!(
                "<eGov_IT:Intestazione xmlns:eGov_IT=\"{EGOV}\" xmlns:soapenv=\"{}\" soapenv:actor=\"{PORTA_DOMINIO}\" soapenv:mustUnderstand=\"1\">",
                SoapVersion::V11.namespace()
            ),
            "  <eGov_IT:IntestazioneMessaggio>".to_owned(),
            format!(
                "    <eGov_IT:Mittente>{}</eGov_IT:Mittente>",
                parte(&self.dominio.parte().nome)
            ),
            format!(
                "    <eGov_IT:Destinatario>{}</eGov_IT:Destinatario>",
                parte(&self.destinatario)
            ),
            format!(
                "    <eGov_IT:ProfiloCollaborazione>{}</eGov_IT:ProfiloCollaborazione>",
                Profilo::Sincrono.as_str()
            ),
            format!("    <eGov_IT:Servizio tipo=\"{SPC}\">{servizio}</eGov_IT:Servizio>"),
            format!("    <eGov_IT:Azione>{azione}</eGov_IT:Azione>"),
            "    <eGov_IT:Messaggio>".to_owned(),
            format!("      <eGov_IT:Identificatore>{id}</eGov_IT:Identificatore>"),
            format!(
                "      <eGov_IT:OraRegistrazione tempo=\"{TEMPO_SPC}\">{registrata}</eGov_IT:OraRegistrazione>"
            ),
            format!("      <eGov_IT:Scadenza>{scadenza}</eGov_IT:Scadenza>"),
            "    </eGov_IT:Messaggio>".to_owned(),
            format!(
                "    <eGov_IT:ProfiloTrasmissione inoltro=\"{ALPIUUNAVOLTA}\" confermaRicezione=\"false\"/>"
            ),
            "  </eGov_IT:IntestazioneMessaggio>".to_owned(),
            "</eGov_IT:Intestazione>".to_owned(),
        ];
        righe.join("\n")
    }
}
