//! `varco register emergency`: the emergency register (DPR 445/2000 art. 63).

use anyhow::Result;
use jiff::Timestamp;

use super::import::Import;
use super::{Autorita, open, una_riga};
use crate::cli::trace::istante;
use crate::cli::{DoveConfig, Uscita};
use crate::prestazione::PRESTAZIONI;
use crate::registro::{Emergenza, a_roma};
use crate::store::legale::{Apertura, EsitoApertura, EsitoProroga, RichiestaProroga};

/// What to do with it.
#[derive(Debug, clap::Args)]
pub(super) struct Emergency {
    #[command(subcommand)]
    comando: Comando,
}

#[derive(Debug, clap::Subcommand)]
enum Comando {
    /// Apre il registro di emergenza: da qui in poi il registro è fermo, e ogni nuova domanda riceve PRO-001 e Retry-After.
    ///
    /// Chi rinvia una domanda già registrata riceve comunque la sua ricevuta.
    ///
    /// Esempio: varco register emergency open --causa "guasto alla sala dati" --provvedimento 7/2021
    /// --provvedimento-data 2021-07-02 --operatore m.verdi
    Open(Open),
    /// Autorizza un altro periodo del registro di emergenza aperto, oltre le 24 ore: di una settimana al più (art. 63 c. 2).
    ///
    /// Il periodo comincia dove finisce quello di prima. Ogni periodo ha il suo provvedimento.
    ///
    /// Esempio: varco register emergency extend --fino 2021-07-09T12:00:00+02:00 --provvedimento 8/2021
    /// --provvedimento-data 2021-07-03 --operatore m.verdi
    Extend(Extend),
    /// Registra, nell'ordine dell'emergenza, ciò che fu protocollato nel registro di emergenza (art. 63 c. 5).
    ///
    /// L'elenco è un file TOML con un blocco [[registrazione]] per numero: numero, istante, ente, ufficio, operatore e
    /// richiesta (il file XML). Tutto è verificato prima che si dia il primo numero ordinario; l'istante dell'emergenza
    /// vale come data di presentazione. Si importa prima di chiudere; importare di nuovo lo stesso elenco non registra
    /// due volte.
    ///
    /// Esempio: varco register emergency import emergenza/elenco.toml
    Import(Import),
    /// Chiude il registro di emergenza: il registro riprende dal numero seguente.
    ///
    /// Esempio: varco register emergency close --operatore m.verdi
    Close(Close),
    /// Elenca le interruzioni, con i numeri ordinari dati a ciò che fu registrato in emergenza.
    ///
    /// Esempio: varco register emergency list
    List(List),
}

#[derive(Debug, clap::Args)]
struct Open {
    /// Perché si apre
    #[arg(long, value_name = "TESTO", value_parser = una_riga)]
    causa: String,
    #[command(flatten)]
    autorita: Autorita,
    /// Quale registro si ferma (predefinito: AUF)
    #[arg(long, value_name = "REGISTRO", value_parser = un_registro, default_value = "AUF")]
    registro: String,
    #[command(flatten)]
    dove: DoveConfig,
}

#[derive(Debug, clap::Args)]
struct Extend {
    /// Fino a quando: una data (fino alla mezzanotte con cui comincia) o un istante
    #[arg(long, value_name = "ISTANTE", value_parser = istante)]
    fino: Timestamp,
    #[command(flatten)]
    autorita: Autorita,
    /// Quale registro è fermo (predefinito: AUF)
    #[arg(long, value_name = "REGISTRO", value_parser = un_registro, default_value = "AUF")]
    registro: String,
    #[command(flatten)]
    dove: DoveConfig,
}

#[derive(Debug, clap::Args)]
struct Close {
    /// Chi opera
    #[arg(long, value_name = "UTENTE", value_parser = una_riga)]
    operatore: String,
    /// Quale registro riprende (predefinito: AUF)
    #[arg(long, value_name = "REGISTRO", value_parser = un_registro, default_value = "AUF")]
    registro: String,
    #[command(flatten)]
    dove: DoveConfig,
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    dove: DoveConfig,
}

impl Emergency {
    pub(super) async fn run(self) -> Result<Uscita> {
        match self.comando {
            Comando::Open(open) => open.run().await,
            Comando::Extend(extend) => extend.run().await,
            Comando::Import(import) => import.run().await,
            Comando::Close(close) => close.run().await,
            Comando::List(list) => list.run().await,
        }
    }
}

impl Open {
    async fn run(self) -> Result<Uscita> {
        let (store, adesso) = open(&self.dove).await?;
        let Some(provvedimento) = self.autorita.in_force(adesso) else {
            return Ok(Uscita::Rifiutato);
        };
        let registro = &self.registro;
        let apertura = Apertura {
            registro,
            causa: &self.causa,
            operatore: &self.autorita.operatore,
            provvedimento: &provvedimento,
        };
        let esito = store.apri_emergenza(&apertura, adesso).await?;
        store.close().await;
        match esito {
            EsitoApertura::Aperta(quando) => {
                outln!(
                    "registro {registro} fermo dal {}: registro di emergenza EMG-{registro} aperto",
                    a_roma(quando)
                );
                Ok(Uscita::Fatto)
            }
            EsitoApertura::GiaAperta(quando) => {
                eprintln!(
                    "varco: EMG-{registro}: il registro di emergenza è già aperto dal {}",
                    a_roma(quando)
                );
                Ok(Uscita::Rifiutato)
            }
        }
    }
}

impl Extend {
    async fn run(self) -> Result<Uscita> {
        let (store, adesso) = open(&self.dove).await?;
        let Some(provvedimento) = self.autorita.in_force(adesso) else {
            return Ok(Uscita::Rifiutato);
        };
        let registro = &self.registro;
        let richiesta = RichiestaProroga {
            registro,
            fino_a: self.fino,
            operatore: &self.autorita.operatore,
            provvedimento: &provvedimento,
        };
        let esito = store.proroga_emergenza(&richiesta, adesso).await?;
        store.close().await;
        let rifiuto = match esito {
            EsitoProroga::Concessa(dal, al) => {
                outln!(
                    "EMG-{registro}: autorizzato dal {} al {}",
                    a_roma(dal),
                    a_roma(al)
                );
                return Ok(Uscita::Fatto);
            }
            EsitoProroga::NonAperta => "il registro di emergenza non è aperto".to_owned(),
            EsitoProroga::NonDopo(dal) => format!(
                "il periodo comincia il {}, dove finisce quello già autorizzato, e deve finire dopo",
                a_roma(dal)
            ),
            EsitoProroga::TroppoLunga(dal, al_massimo) => format!(
                "il periodo comincia il {} e può durare una settimana: al più fino al {} (art. 63 c. 2)",
                a_roma(dal),
                a_roma(al_massimo)
            ),
        };
        eprintln!("varco: EMG-{registro}: {rifiuto}");
        Ok(Uscita::Rifiutato)
    }
}

impl Close {
    async fn run(self) -> Result<Uscita> {
        let (store, adesso) = open(&self.dove).await?;
        let registro = &self.registro;
        let chiusa = store.chiudi_emergenza(registro, &self.operatore, adesso).await?;
        store.close().await;
        let Some(chiusa) = chiusa else {
            eprintln!("varco: EMG-{registro}: il registro di emergenza non è aperto");
            return Ok(Uscita::Rifiutato);
        };
        outln!(
            "registro {registro} ripreso il {}",
            a_roma(chiusa.chiusa_il.unwrap_or(adesso))
        );
        Ok(Uscita::Fatto)
    }
}

impl List {
    async fn run(self) -> Result<Uscita> {
        let (store, adesso) = open(&self.dove).await?;
        let proroghe = store.proroghe().await?;
        for emergenza in store.emergenze().await? {
            outln!("{}", shown(&emergenza));
            for proroga in proroghe
                .iter()
                .filter(|proroga| proroga.emergenza == emergenza.id)
            {
                outln!(
                    "  prorogata dal {} al {}  (provvedimento {} del {}, {})",
                    a_roma(proroga.dal),
                    a_roma(proroga.al),
                    proroga.provvedimento_numero,
                    proroga.provvedimento_data,
                    proroga.operatore
                );
            }
            let autorizzata = emergenza.autorizzata_fino_a(&proroghe);
            if emergenza.chiusa_il.unwrap_or(adesso) > autorizzata {
                outln!(
                    "  senza provvedimento dal {}: ne serve uno per ogni periodo, di una settimana al più (art. 63 c. 2): varco register emergency extend",
                    a_roma(autorizzata)
                );
            }
            for correlata in store.correlazioni(emergenza.id).await? {
                outln!(
                    "  EMG-{}/{}  {}  {}",
                    emergenza.registro,
                    correlata.numero,
                    a_roma(correlata.istante),
                    correlata.protocollo
                );
            }
        }
        store.close().await;
        Ok(Uscita::Fatto)
    }
}

fn shown(emergenza: &Emergenza) -> String {
    let fine = match (emergenza.chiusa_il, &emergenza.chiusa_da) {
        (Some(chiusa_il), Some(chiusa_da)) => format!("al {} (chiusa da {chiusa_da})", a_roma(chiusa_il)),
        _ => "APERTA".to_owned(),
    };
    format!(
        "EMG-{}  dal {} {fine}  {}  (provvedimento {} del {}, {})",
        emergenza.registro,
        a_roma(emergenza.aperta_il),
        emergenza.causa,
        emergenza.provvedimento_numero,
        emergenza.provvedimento_data,
        emergenza.operatore,
    )
}

/// A register of one of our prestazioni.
pub(super) fn un_registro(testo: &str) -> Result<String, String> {
    let noto = PRESTAZIONI
        .iter()
        .any(|prestazione| prestazione.registro == testo);
    if noto {
        Ok(testo.to_owned())
    } else {
        Err("non è il registro di una prestazione".to_owned())
    }
}
