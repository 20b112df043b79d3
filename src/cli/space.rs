//! `varco space`: what takes how much room, how fast it grows and when it will be full; what goes when its time is over, what went,
//! and what is held back from going.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use jiff::Timestamp;
use tokio::sync::watch;

use super::{DoveConfig, Uscita};
use crate::clock::{Clock, WallClock};
use crate::config::Config;
use crate::protocollo::{NumeroDomanda, data_a_roma};
use crate::registro::a_roma;
use crate::spazio::conservazione::{ConservazioneConfig, Potatore};
use crate::spazio::previsione::Previsione;
use crate::spazio::{self, Stato};
use crate::store::legale::open_registro;
use crate::store::spazio::{EsitoVincolo, Perche, Pulizia, Regola};
use crate::store::{OpenOptions, SharedStore};

/// What to do about room.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// File di configurazione (predefinito: varco.toml nella cartella corrente)
    #[arg(long, value_name = "FILE", default_value = "varco.toml", global = true)]
    config: PathBuf,
    #[command(subcommand)]
    comando: Option<Comando>,
}

#[derive(Debug, clap::Subcommand)]
enum Comando {
    /// Scarta ciò che è oltre i termini della sezione [conservazione], come fa il varco mentre lavora.
    ///
    /// Si può interrompere in qualunque momento: riprende da dove era. Registrazioni, impronte, ricevute, domande, stati e
    /// pagamenti restano; le domande vincolate (hold) non si toccano. Ogni pulizia è scritta nell'archivio (log).
    ///
    /// Esempio: varco space purge --prova --config demo/varco.toml
    Purge {
        /// Dice soltanto che cosa andrebbe: righe e byte
        #[arg(long)]
        prova: bool,
    },
    /// Vincola una domanda: richiesta, documenti, riepiloghi e tracce restano finché il vincolo non è tolto.
    ///
    /// Le sue variazioni no: l'elenco si taglia dall'inizio, per tutti. Ferma la pulizia di un giorno che è in corso; ciò che era
    /// già andato non torna.
    ///
    /// Su PostgreSQL serve chi tiene il registro (GRANT varco_registro TO …).
    ///
    /// Esempio: varco space hold 10797 --motivo "causa R.G. 12/2021" --operatore m.verdi
    Hold(Vincolo),
    /// Toglie il vincolo a una domanda; resta scritto che ci fu, di chi e perché.
    ///
    /// Esempio: varco space release 10797 --motivo "sentenza passata in giudicato" --operatore m.verdi
    Release(Vincolo),
    /// Elenca i vincoli, i più recenti per primi, anche quelli tolti.
    ///
    /// Esempio: varco space holds --config demo/varco.toml
    Holds,
    /// Elenca le pulizie, le più recenti per prime: quale regola, fino a quando, quante righe e quanti byte.
    ///
    /// Esempio: varco space log --config demo/varco.toml
    Log {
        /// Quante al massimo
        #[arg(long, value_name = "RIGHE", default_value_t = 50)]
        limite: u32,
    },
}

#[derive(Debug, clap::Args)]
struct Vincolo {
    /// Numero della domanda
    #[arg(value_name = "NUMERO")]
    numero: u64,
    /// Perché
    #[arg(long, value_name = "TESTO", value_parser = super::register::una_riga)]
    motivo: String,
    /// Chi opera
    #[arg(long, value_name = "UTENTE", value_parser = super::register::una_riga)]
    operatore: String,
}

impl Args {
    /// Does it.
    pub async fn run(self) -> Result<Uscita> {
        let config = DoveConfig { config: self.config }.read()?;
        match self.comando {
            None => show(&config).await,
            Some(Comando::Purge { prova: true }) => foretell(&config).await,
            Some(Comando::Purge { prova: false }) => purge(&config).await,
            Some(Comando::Hold(vincolo)) => vincolo.write(&config, true).await,
            Some(Comando::Release(vincolo)) => vincolo.write(&config, false).await,
            Some(Comando::Holds) => holds(&config).await,
            Some(Comando::Log { limite }) => log(&config, limite).await,
        }
    }
}

/// The store for a look or a purge, and its clock.
async fn open(config: &Config) -> Result<(SharedStore, Arc<dyn Clock>)> {
    let options = OpenOptions {
        migrate: false,
        ..super::store_options(config)
    };
    let (store, offset) = crate::store::open(&config.store, &options).await?;
    Ok((store, Arc::new(WallClock::with_offset(offset))))
}

async fn show(config: &Config) -> Result<Uscita> {
    let (store, clock) = open(config).await?;
    let (posti, frasi) = look(&store, config).await?;
    for frase in &frasi {
        outln!("{frase}");
    }
    outln!("");
    tell_kinds(&store).await?;
    outln!("");
    let left = spazio::least(&posti, &config.spazio);
    let campioni = store.campioni().await?;
    outln!(
        "{}",
        growth(
            Previsione::of(&campioni, left.map_or(0, |(_, soglia)| soglia)),
            campioni.len()
        )
    );
    outln!("");
    tell_terms(&store, &*clock, &config.conservazione).await?;
    let vincoli = store.vincoli().await?;
    let vivi = vincoli.iter().filter(|vincolo| vincolo.tolto.is_none()).count();
    outln!("domande vincolate: {vivi}");
    store.close().await;
    Ok(Uscita::Fatto)
}

/// The places with their states, and a line each; the same that `check` tells.
pub(super) async fn look(
    store: &SharedStore,
    config: &Config,
) -> Result<(Vec<(spazio::Posto, Stato)>, Vec<String>)> {
    let posti = spazio::places(store, &config.spazio, &config.registro.ancore.cartella).await?;
    let soglie = &config.spazio.soglie;
    let mut frasi = vec![format!(
        "spazio      archivio: {} occupati",
        byte(store.byte_occupati().await?)
    )];
    frasi.extend(posti.iter().map(|(posto, stato)| {
        format!(
            "spazio      {}: liberi {} di {}, {} (stretto sotto {}, critico sotto {})",
            posto.nome,
            byte(posto.liberi),
            byte(posto.capienza),
            stato.as_str(),
            byte(soglie.threshold(Stato::Stretto, posto.capienza)),
            byte(soglie.threshold(Stato::Critico, posto.capienza))
        )
    }));
    if spazio::least(&posti, &config.spazio).is_none() {
        frasi.push(
            "avviso      quanto può occupare l'archivio non è noto: impostare spazio.database_bytes_max o \
             spazio.database_cartella"
                .to_owned(),
        );
    }
    Ok((posti, frasi))
}

async fn tell_kinds(store: &SharedStore) -> Result<()> {
    let ingombri = store.ingombri().await?;
    let tutti: u64 = ingombri.iter().map(|ingombro| ingombro.byte).sum();
    for ingombro in &ingombri {
        let percento = ingombro.byte * 100 / tutti.max(1);
        outln!(
            "{:<12} {:>12} {percento:>4} %",
            ingombro.genere,
            byte(ingombro.byte)
        );
    }
    Ok(())
}

fn growth(previsione: Previsione, campioni: usize) -> String {
    let Some(al_giorno) = previsione.byte_al_giorno else {
        return format!(
            "crescita: non ancora nota ({campioni} campioni, uno all'ora mentre il varco lavora; ne serve un giorno)"
        );
    };
    let segno = if al_giorno < 0 { "-" } else { "" };
    let quanto = byte(al_giorno.unsigned_abs());
    match previsione.giorni {
        Some(giorni) => format!(
            "crescita: {segno}{quanto} al giorno ({campioni} campioni); spazio critico fra {giorni} giorni"
        ),
        None => format!(
            "crescita: {segno}{quanto} al giorno ({campioni} campioni); lo spazio libero non cala, o non è noto"
        ),
    }
}

async fn tell_terms(store: &SharedStore, clock: &dyn Clock, config: &ConservazioneConfig) -> Result<()> {
    for regola in Regola::TUTTE {
        let termine = config.termine(regola);
        let Some(limite) = config.limite(regola, clock) else {
            outln!("{:<12} per sempre", regola.as_str());
            continue;
        };
        let scaduti = store.scaduti(regola, limite).await?;
        let unita = match regola {
            Regola::Richieste => "anni dalla fine del procedimento",
            Regola::TracceByte | Regola::Tracce | Regola::Porta | Regola::Variazioni => "giorni",
        };
        outln!(
            "{:<12} {termine} {unita}, prima del {}: {} righe, {}",
            regola.as_str(),
            data_a_roma(limite),
            scaduti.righe,
            byte(scaduti.byte)
        );
    }
    Ok(())
}

async fn foretell(config: &Config) -> Result<Uscita> {
    let (store, clock) = open(config).await?;
    outln!("andrebbero:");
    tell_terms(&store, &*clock, &config.conservazione).await?;
    store.close().await;
    Ok(Uscita::Fatto)
}

async fn purge(config: &Config) -> Result<Uscita> {
    let (store, clock) = open(config).await?;
    let potatore = Potatore {
        store: Arc::clone(&store),
        clock,
        config: config.conservazione,
        writer: None,
    };
    let (_aperta, chiusa) = watch::channel(false);
    potatore
        .all(&chiusa, |_, pulizia| outln!("{}", line(pulizia)))
        .await?;
    store.close().await;
    outln!("nulla di più è oltre i termini");
    Ok(Uscita::Fatto)
}

async fn log(config: &Config, limite: u32) -> Result<Uscita> {
    let store = super::open_store(config).await?;
    for pulizia in store.pulizie(limite).await? {
        outln!("{}", line(&pulizia));
    }
    store.close().await;
    Ok(Uscita::Fatto)
}

fn line(pulizia: &Pulizia) -> String {
    let da = if pulizia.da == Timestamp::UNIX_EPOCH {
        String::new()
    } else {
        format!("dal {} ", data_a_roma(pulizia.da))
    };
    let stato = match (pulizia.conclusa_il, pulizia.fermata_da) {
        (Some(quando), Some(numero)) => {
            format!(
                "fermata {} dal vincolo della domanda {}",
                a_roma(quando),
                numero.0
            )
        }
        (Some(quando), None) => format!("conclusa {}", a_roma(quando)),
        (None, _) => format!("in corso dal {}", a_roma(pulizia.iniziata_il)),
    };
    format!(
        "{:<12} {da}fino al {} escluso: {} righe, {}; {stato}",
        pulizia.regola.as_str(),
        data_a_roma(pulizia.fino_a),
        pulizia.righe,
        byte(pulizia.byte)
    )
}

async fn holds(config: &Config) -> Result<Uscita> {
    let store = super::open_store(config).await?;
    for vincolo in store.vincoli().await? {
        let tolto = match &vincolo.tolto {
            Some((quando, chi, perche)) => format!("; tolto {} da {chi}: {perche}", a_roma(*quando)),
            None => String::new(),
        };
        outln!(
            "{}\t{} {}: {}{tolto}",
            vincolo.numero_domanda.0,
            a_roma(vincolo.posto_il),
            vincolo.operatore,
            vincolo.motivo
        );
    }
    store.close().await;
    Ok(Uscita::Fatto)
}

impl Vincolo {
    /// Puts the hold, or takes it away.
    async fn write(self, config: &Config, posto: bool) -> Result<Uscita> {
        let orologio = WallClock::default();
        let options = OpenOptions {
            migrate: false,
            ..OpenOptions::new(config.ambiente, orologio.wall())
        };
        let (store, offset) = open_registro(&config.store, &options).await?;
        let adesso = WallClock::with_offset(offset).business();
        let numero = NumeroDomanda(self.numero);
        let perche = Perche {
            operatore: &self.operatore,
            motivo: &self.motivo,
        };
        let esito = if posto {
            store.vincola(numero, &perche, adesso).await?
        } else {
            store.libera(numero, &perche, adesso).await?
        };
        store.close().await;
        let domanda = format!("domanda {}", self.numero);
        match (esito, posto) {
            (EsitoVincolo::Fatto, true) => outln!("{domanda}: VINCOLATA il {}", a_roma(adesso)),
            (EsitoVincolo::Fatto, false) => outln!("{domanda}: vincolo tolto il {}", a_roma(adesso)),
            (EsitoVincolo::GiaCosi, true) => outln!("{domanda}: già vincolata"),
            (EsitoVincolo::GiaCosi, false) => outln!("{domanda}: nessun vincolo"),
            (EsitoVincolo::Sconosciuta, _) => {
                eprintln!("varco: {domanda}: non c'è");
                return Ok(Uscita::Rifiutato);
            }
        }
        Ok(Uscita::Fatto)
    }
}

/// As people write it: three digits and a unit, with a comma.
fn byte(quanti: u64) -> String {
    let mut unita = UNITA.iter();
    let (mut intero, mut resto, mut nome) = (quanti, 0, "byte");
    while intero >= 1000
        && let Some(prossima) = unita.next()
    {
        (intero, resto, nome) = (intero / 1000, intero % 1000 / 100, prossima);
    }
    if nome == "byte" || intero >= 100 {
        format!("{intero} {nome}")
    } else {
        format!("{intero},{resto} {nome}")
    }
}

const UNITA: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_told_as_people_write_them() {
        for (quanti, detto) in [
            (0, "0 byte"),
            (999, "999 byte"),
            (1_500, "1,5 kB"),
            (123_456, "123 kB"),
            (2_147_483_648, "2,1 GB"),
            (u64::MAX, "18446 PB"),
        ] {
            assert_eq!(byte(quanti), detto);
        }
    }

    #[test]
    fn what_is_not_known_is_not_foretold() {
        assert!(growth(Previsione::default(), 3).contains("non ancora nota (3 campioni"));
        let previsione = Previsione {
            byte_al_giorno: Some(-2_000_000),
            giorni: None,
        };
        assert_eq!(
            growth(previsione, 30),
            "crescita: -2,0 MB al giorno (30 campioni); lo spazio libero non cala, o non è noto"
        );
        let previsione = Previsione {
            byte_al_giorno: Some(120_000_000),
            giorni: Some(41),
        };
        assert_eq!(
            growth(previsione, 672),
            "crescita: 120 MB al giorno (672 campioni); spazio critico fra 41 giorni"
        );
    }
}
