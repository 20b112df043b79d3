//! `varco register`: the protocol register: its lines, whether it is as promised, and what the law has its keeper do.

mod annul;
mod assign;
mod carta;
mod daily;
mod elenco;
mod emergency;
mod import;
mod proof;
mod recover;
mod segnatura;

use std::fmt::Write as _;

use anyhow::Result;
use jiff::Timestamp;
use jiff::civil::Date;

use super::{DoveConfig, Uscita};
use crate::clock::{Clock as _, WallClock};
use crate::config::Config;
use crate::protocollo::data_a_roma;
use crate::registro::Provvedimento;
use crate::store::OpenOptions;
use crate::store::ancore::AncoreConfig;
use crate::store::esame::esamina;
use crate::store::legale::{SharedRegistro, open_registro};

/// Rows fetched at once: the whole register is never in memory.
const PAGINA: u32 = 1000;

/// What to do with the register.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    comando: Comando,
}

#[derive(Debug, clap::Subcommand)]
enum Comando {
    /// Scrive una riga per registrazione: protocollo, ente, ChiaveInvio, separati da tabulazione.
    ///
    /// Le righe sono nell'ordine del registro, dalla prima all'ultima.
    ///
    /// Esempio: varco register list --config demo/varco.toml
    List(DoveConfig),
    /// Mostra una registrazione con tutti i suoi dati e con ciò che ne è stato annullato.
    ///
    /// Con --pdf scrive anche la ricevuta per il cittadino.
    ///
    /// Esempio: varco register show INPS-AUF-2021-000000010797 --pdf ricevuta.pdf
    Show(annul::Show),
    /// Verifica tutto il registro: numeri, istanti, impronte, ricevute, annullamenti, catena dei registri giornalieri.
    ///
    /// Numeri da 1 all'ultimo senza buchi né doppioni; istanti che non tornano indietro; ricevute e richieste identiche a
    /// quando furono registrate; ogni giorno chiuso, ricomposto dalle sue righe, identico al suo registro giornaliero.
    /// Esce con 65 se trova anche una sola anomalia.
    ///
    /// Esempio: varco register verify --config demo/varco.toml
    Verify(DoveConfig),
    /// Annulla una registrazione, o uno solo dei suoi campi (DPR 445/2000 art. 54).
    ///
    /// La registrazione resta leggibile, con il segno dell'annullamento: motivo, operatore, data e provvedimento. Il
    /// numero non si usa più. Annullata l'intera registrazione di una domanda, le sue schede diventano ANNULLATA e i
    /// minori si possono chiedere di nuovo; chi rinvia il messaggio riceve la ricevuta di allora con Annullata=true.
    ///
    /// Esempio: varco register annul INPS-AUF-2021-000000010797 --motivo "inviata per errore" --provvedimento 12/2021
    /// --provvedimento-data 2021-07-02 --operatore m.verdi
    Annul(annul::Annul),
    /// Classifica una registrazione, o la assegna a un ufficio: i soli dati che possono cambiare.
    ///
    /// Ciò che valeva prima resta leggibile (varco register show), e il registro giornaliero riporta il cambiamento.
    ///
    /// Esempio: varco register assign INPS-AUF-2021-000000010797 --ufficio "sede di Terni" --operatore m.verdi
    Assign(assign::Assign),
    /// Chiude un giorno e ne dà il registro giornaliero: XML, con lo SHA-256 di quello del giorno prima (art. 53 c. 2).
    ///
    /// Un giorno si chiude quando è finito, e con esso quelli di prima che mancano; poi non vi si registra più nulla.
    /// Richiesto di nuovo è lo stesso, byte per byte. Contiene dati personali.
    ///
    /// Esempio: varco register daily 2021-07-01 --out registro-2021-07-01.xml
    Daily(daily::Daily),
    /// Apre, proroga, importa, chiude ed elenca il registro di emergenza (art. 63).
    ///
    /// Finché è aperto il registro ordinario è fermo.
    ///
    /// Esempio: varco register emergency list --config demo/varco.toml
    Emergency(emergency::Emergency),
    /// Dopo il ripristino di una copia: dichiara i numeri comunicati che l'archivio non ha, e riprende dopo di essi.
    ///
    /// Fino a dove si era arrivati lo dicono le ancore (registro.ancore). Il buco dichiarato arriva all'ultimo numero che
    /// può essere stato comunicato: quello dell'ancora più un secondo al doppio del picco. Sta nel registro, con motivo,
    /// operatore e provvedimento, e nel registro giornaliero; quei numeri non saranno mai più dati.
    ///
    /// Esempio: varco register recover --motivo "ripristino della copia delle 02:00" --provvedimento 12/2021
    /// --provvedimento-data 2021-07-02 --operatore m.verdi
    Recover(recover::Recover),
    /// Scrive la segnatura di una registrazione: SegnaturaInformatica 3.0.0 dell'AgID, senza firma (art. 55).
    ///
    /// I codici IPA e la voce di titolario sono nella sezione [registro] della configurazione.
    ///
    /// Esempio: varco register segnatura INPS-AUF-2021-000000010797
    Segnatura(segnatura::Segnatura),
    /// Scrive la prova che una registrazione sta nella catena di prova; con --verify la verifica, senza archivio.
    ///
    /// La prova porta dalla riga della registrazione, senza dati personali, alla chiusura firmata del suo giorno
    /// (prova-AAAA-MM-GG.json fra le ancore): chi ha entrambe non ha bisogno d'altro. Esce con 75 finché il giorno è aperto, con
    /// 65 se la prova non prova nulla.
    ///
    /// Esempio: varco register proof INPS-AUF-2021-000000010797 -o prova.json
    ///
    /// Esempio: varco register proof --verify prova.json --ancora prova-2021-07-01.json --chiave firma.pem.pub --ricevuta
    /// ricevuta.xml
    Proof(proof::Proof),
}

impl Args {
    /// Does it.
    pub async fn run(self) -> Result<Uscita> {
        match self.comando {
            Comando::List(dove) => list(&dove).await,
            Comando::Show(show) => show.run().await,
            Comando::Verify(dove) => verify(&dove).await,
            Comando::Annul(annul) => annul.run().await,
            Comando::Assign(assign) => assign.run().await,
            Comando::Daily(daily) => daily.run().await,
            Comando::Emergency(emergency) => emergency.run().await,
            Comando::Recover(recover) => recover.run().await,
            Comando::Segnatura(segnatura) => segnatura.run().await,
            Comando::Proof(proof) => proof.run().await,
        }
    }
}

/// Who acts, and by which provision.
#[derive(Debug, clap::Args)]
struct Autorita {
    /// Numero del provvedimento che autorizza
    #[arg(long, value_name = "NUMERO", value_parser = una_riga)]
    provvedimento: String,
    /// Data del provvedimento, come 2021-07-02
    #[arg(long, value_name = "DATA")]
    provvedimento_data: Date,
    /// Chi opera
    #[arg(long, value_name = "UTENTE", value_parser = una_riga)]
    operatore: String,
}

impl Autorita {
    fn provvedimento(&self) -> Provvedimento {
        Provvedimento {
            numero: self.provvedimento.clone(),
            data: self.provvedimento_data,
        }
    }

    /// The provision, where it is none of the future; else says so.
    fn in_force(&self, adesso: Timestamp) -> Option<Provvedimento> {
        let provvedimento = self.provvedimento();
        if provvedimento.data > data_a_roma(adesso) {
            eprintln!(
                "varco: la data del provvedimento ({}) è futura",
                provvedimento.data
            );
            return None;
        }
        Some(provvedimento)
    }
}

/// The longest text that the register takes from the command line, in characters.
const TESTO_MAX: usize = 1000;

/// A text for the register: it says something, and stands on one line.
pub(super) fn una_riga(testo: &str) -> Result<String, String> {
    let testo = testo.trim();
    if testo.is_empty() {
        return Err("non può essere vuoto".to_owned());
    }
    if testo.chars().any(char::is_control) {
        return Err("va scritto su una sola riga".to_owned());
    }
    if testo.chars().count() > TESTO_MAX {
        return Err(format!("al massimo {TESTO_MAX} caratteri"));
    }
    Ok(testo.to_owned())
}

/// The store as its keeper opens it, and what time its business clock shows.
async fn open(dove: &DoveConfig) -> Result<(SharedRegistro, Timestamp)> {
    open_with(&dove.read()?, None).await
}

/// The same; with anchors it may draw numbers.
async fn open_with(config: &Config, ancore: Option<AncoreConfig>) -> Result<(SharedRegistro, Timestamp)> {
    let orologio = WallClock::default();
    let options = OpenOptions {
        migrate: false,
        ancore,
        ..OpenOptions::new(config.ambiente, orologio.wall())
    };
    let (store, offset) = open_registro(&config.store, &options).await?;
    Ok((store, WallClock::with_offset(offset).business()))
}

async fn list(dove: &DoveConfig) -> Result<Uscita> {
    let store = super::open_store(&dove.read()?).await?;
    let mut dopo = None;
    loop {
        let righe = store.registro(dopo.as_ref(), PAGINA).await?;
        let Some(ultima) = righe.last() else {
            return Ok(Uscita::Fatto);
        };
        dopo = Some(ultima.protocollo.clone());
        let mut pagina = String::new();
        for riga in &righe {
            let _ = writeln!(
                pagina,
                "{}\t{}\t{}",
                riga.protocollo, riga.ente, riga.chiave_invio
            );
        }
        out!("{pagina}");
    }
}

async fn verify(dove: &DoveConfig) -> Result<Uscita> {
    let (store, _) = open(dove).await?;
    let barra = super::progress_bar(0, super::BARRA);
    let verifica = esamina(&*store, &|viste, tutte| {
        barra.set_length(tutte);
        barra.set_position(viste);
    })
    .await?;
    barra.finish_and_clear();
    let (lacune, recuperi) = (store.lacune().await?, store.recuperi().await?);
    store.close().await;
    for recupero in &recuperi {
        outln!("{}", recover::shown_recupero(recupero));
    }
    for lacuna in &lacune {
        outln!("{}", recover::shown(lacuna));
    }
    for anomalia in &verifica.anomalie {
        outln!("anomalia: {anomalia}");
    }
    outln!(
        "{} registrazioni, {} anomalie",
        verifica.registrazioni,
        verifica.anomalie.len()
    );
    Ok(if verifica.anomalie.is_empty() {
        Uscita::Fatto
    } else {
        Uscita::Rifiutato
    })
}
