//! `varco register annul` and `show`: the annulled stays readable, with its sign.

use std::path::PathBuf;

use anyhow::Result;

use super::carta::write_ricevuta;
use super::{Autorita, open, una_riga};
use crate::cli::{DoveConfig, Uscita};
use crate::protocollo::NumeroProtocollo;
use crate::registro::{Annullamento, Assegnazione, Campo, Iscrizione, a_roma};
use crate::store::legale::{Annullo, EsitoAnnullo};

/// What to annul.
#[derive(Debug, clap::Args)]
pub(super) struct Annul {
    /// Numero di protocollo, come INPS-AUF-2021-000000010797
    #[arg(value_name = "PROTOCOLLO")]
    protocollo: NumeroProtocollo,
    /// Perché si annulla
    #[arg(long, value_name = "TESTO", value_parser = una_riga)]
    motivo: String,
    #[command(flatten)]
    autorita: Autorita,
    /// Annulla solo questo campo: oggetto, mittente, destinatario, protocollo-mittente, impronta (predefinito: l'intera
    /// registrazione)
    #[arg(long, value_name = "CAMPO")]
    campo: Option<Campo>,
    #[command(flatten)]
    dove: DoveConfig,
}

impl Annul {
    pub(super) async fn run(self) -> Result<Uscita> {
        let (store, adesso) = open(&self.dove).await?;
        let Self {
            protocollo, campo, ..
        } = &self;
        let Some(provvedimento) = self.autorita.in_force(adesso) else {
            return Ok(Uscita::Rifiutato);
        };
        let annullo = Annullo {
            protocollo,
            campo: *campo,
            operatore: &self.autorita.operatore,
            motivo: &self.motivo,
            provvedimento: &provvedimento,
        };
        let che = campo.map_or_else(String::new, |campo| format!(", campo {}", campo.as_str()));
        let esito = store.annulla(&annullo, adesso).await?;
        store.close().await;
        match esito {
            EsitoAnnullo::Annullata { annullata_il, schede } => {
                outln!("{protocollo}{che}: ANNULLATA il {}", a_roma(annullata_il));
                if campo.is_none() {
                    outln!("schede annullate: {schede}");
                }
                Ok(Uscita::Fatto)
            }
            EsitoAnnullo::Sconosciuta => {
                eprintln!("varco: {protocollo}: nessuna registrazione ha questo numero");
                Ok(Uscita::Rifiutato)
            }
            EsitoAnnullo::GiaAnnullata(quando) => {
                eprintln!("varco: {protocollo}{che}: già annullata il {}", a_roma(quando));
                Ok(Uscita::Rifiutato)
            }
        }
    }
}

/// What to show.
#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// Numero di protocollo, come INPS-AUF-2021-000000010797
    #[arg(value_name = "PROTOCOLLO")]
    protocollo: NumeroProtocollo,
    /// Scrive in questo file la ricevuta in PDF, per il cittadino: la stessa di ScaricaRicevuta, byte per byte
    #[arg(long, value_name = "FILE")]
    pdf: Option<PathBuf>,
    #[command(flatten)]
    dove: DoveConfig,
}

impl Show {
    pub(super) async fn run(self) -> Result<Uscita> {
        let (store, adesso) = open(&self.dove).await?;
        let Some(iscrizione) = store.iscrizione(&self.protocollo).await? else {
            eprintln!(
                "varco: {}: nessuna registrazione ha questo numero",
                self.protocollo
            );
            return Ok(Uscita::Rifiutato);
        };
        let annullamenti = store.annullamenti(&iscrizione).await?;
        let assegnazioni = store.assegnazioni(&iscrizione).await?;
        store.close().await;
        if let Some(file) = &self.pdf {
            write_ricevuta(&self.dove, &iscrizione, file, adesso).await?;
        }
        outln!("{}", shown(&iscrizione, &annullamenti));
        for assegnazione in &assegnazioni {
            outln!("{}", assigned(assegnazione));
        }
        Ok(Uscita::Fatto)
    }
}

/// A registration for people: the sign first, then the data, what is annulled beside what it annuls.
fn shown(iscrizione: &Iscrizione, annullamenti: &[Annullamento]) -> String {
    let mut righe = Vec::new();
    for annullamento in annullamenti {
        righe.push(format!(
            "ANNULLATA{}: {} da {} per {} (provvedimento {} del {})",
            annullamento
                .campo
                .as_ref()
                .map_or_else(String::new, |campo| format!(" nel campo {campo}")),
            a_roma(annullamento.annullata_il),
            annullamento.operatore,
            annullamento.motivo,
            annullamento.provvedimento_numero,
            annullamento.provvedimento_data,
        ));
    }
    let emergenza = iscrizione.emergenza.map(|numero| numero.to_string());
    let mut dato = |campo: Option<Campo>, nome: &str, valore: Option<&str>| {
        let Some(valore) = valore else { return };
        let annullato = annullamenti.iter().any(|annullamento| {
            annullamento
                .campo
                .as_deref()
                .is_none_or(|detto| campo.is_some_and(|campo| campo.as_str() == detto))
        });
        let segno = if annullato { "  [ANNULLATO]" } else { "" };
        righe.push(format!("{nome:<22}{valore}{segno}"));
    };
    dato(None, "protocollo", Some(&iscrizione.protocollo));
    dato(None, "registrata il", Some(&a_roma(iscrizione.registrata_il)));
    dato(None, "presentata il", Some(&a_roma(iscrizione.presentata_il)));
    dato(Some(Campo::Oggetto), "oggetto", Some(&iscrizione.oggetto));
    dato(None, "servizio", Some(&iscrizione.servizio));
    dato(None, "operazione", Some(&iscrizione.operazione));
    let mittente = format!(
        "{} {}, ufficio {}, operatore {}",
        iscrizione.ente, iscrizione.ente_denominazione, iscrizione.codice_ufficio, iscrizione.user_id
    );
    dato(Some(Campo::Mittente), "mittente", Some(&mittente));
    dato(
        Some(Campo::Destinatario),
        "destinatario",
        Some(&iscrizione.destinatario),
    );
    dato(
        Some(Campo::ProtocolloMittente),
        "protocollo mittente",
        Some(&iscrizione.chiave_invio),
    );
    dato(
        Some(Campo::ProtocolloMittente),
        "data mittente",
        iscrizione.data_pratica.as_deref(),
    );
    dato(
        None,
        "numero domanda",
        Some(&iscrizione.numero_domanda.to_string()),
    );
    dato(None, "collegata a", iscrizione.collegato_a.as_deref());
    dato(
        Some(Campo::Impronta),
        "impronta",
        Some(&format!(
            "{} {}",
            iscrizione.impronta_algoritmo, iscrizione.impronta
        )),
    );
    dato(None, "canale", Some(&iscrizione.canale));
    dato(None, "messaggio", Some(&iscrizione.message_id));
    dato(None, "numero di emergenza", emergenza.as_deref());
    righe.join("\n")
}

/// A change of classification or office, in the order in which they came.
fn assigned(assegnazione: &Assegnazione) -> String {
    let classifica = assegnazione
        .classifica
        .as_ref()
        .map(|voce| format!(", classifica {voce}"));
    let ufficio = assegnazione
        .assegnazione
        .as_ref()
        .map(|ufficio| format!(", ufficio {ufficio}"));
    format!(
        "{:<22}dal {}{}{} ({})",
        "assegnata",
        a_roma(assegnazione.dal),
        classifica.unwrap_or_default(),
        ufficio.unwrap_or_default(),
        assegnazione.operatore
    )
}
