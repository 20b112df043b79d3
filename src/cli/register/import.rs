//! `varco register emergency import`: what was taken into the emergency register gets its ordinary numbers, in the order
//! of the emergency, and the store keeps which number became which (DPR 445/2000 art. 63). It happens while the emergency
//! is open, so that nobody else's act comes between; the closing follows.
//!
//! An act that was taken in there was handed in then: that instant governs windows, ages and decorrenza. All of the list
//! is held against the XSDs and the rules before the first number is drawn.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use jiff::Timestamp;

use super::elenco::{self, Voce};
use super::emergency::un_registro;
use super::open_with;
use crate::adesione::{Adesioni, Ente};
use crate::catalogo::Codice;
use crate::cli::send::risposta::Errore;
use crate::cli::{DoveConfig, Uscita};
use crate::clock::{Ids as _, RandomIds};
use crate::config::Limits;
use crate::domanda::sha256::hex;
use crate::domanda::{Contesto, DomandaViva, Istanza, SchedaViva, Violazione};
use crate::intake::giudizio::{Attuale, Contro, giudica, taken_meanwhile};
use crate::registro::{Correlazione, Emergenza};
use crate::schema::{Lettura, Schema};
use crate::soap::answer;
use crate::store::legale::SharedRegistro;
use crate::store::{Atto, Chiave, Contenuto, Registrazione};
use crate::trace::Traccia;

/// What to import.
#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// L'elenco: un file TOML con un blocco [[registrazione]] per ogni numero di emergenza
    #[arg(value_name = "ELENCO")]
    elenco: PathBuf,
    /// Verifica tutto l'elenco e non registra nulla
    #[arg(long)]
    solo_verifica: bool,
    /// Quale registro (predefinito: AUF)
    #[arg(long, value_name = "REGISTRO", value_parser = un_registro, default_value = "AUF")]
    registro: String,
    #[command(flatten)]
    dove: DoveConfig,
}

impl Import {
    pub(super) async fn run(self) -> Result<Uscita> {
        let config = self.dove.read()?;
        let adesioni = Adesioni::load(&config.adesioni)?;
        let schema = Schema::load().context("gli schemi compilati in questo programma non si caricano")?;
        let voci = match elenco::load(&self.elenco) {
            Ok(voci) => voci,
            Err(errato) => {
                eprintln!("{errato}");
                return Ok(Uscita::Rifiutato);
            }
        };
        let (store, adesso) = open_with(&config, Some(config.registro.ancore.clone())).await?;
        let Some(banco) = Banco::open(Arc::clone(&store), &self.registro, config.limits, adesso).await?
        else {
            eprintln!(
                "varco: EMG-{}: il registro di emergenza non è aperto; si importa prima di chiuderlo",
                self.registro
            );
            store.close().await;
            return Ok(Uscita::Rifiutato);
        };
        let esito = banco.import(&schema, &adesioni, voci, self.solo_verifica).await;
        store.close().await;
        esito
    }
}

/// Where the list is worked: the open interruption, and what was imported before.
struct Banco {
    store: SharedRegistro,
    registro: String,
    /// The bounds of the gateways.
    limits: Limits,
    aperta: Emergenza,
    /// What was imported of this interruption.
    correlate: Vec<Correlazione>,
    /// The last emergency number of the interruptions before: numbers are never given twice.
    prima: u64,
    adesso: Timestamp,
}

/// A line whose request has been read, and by whom it was handed in.
struct Letta<'a> {
    voce: Voce,
    ente: &'a Ente,
    chiave: Chiave,
    bytes: Bytes,
    lettura: Lettura,
    /// The ordinary number that it has from an earlier run.
    gia: Option<String>,
}

impl Letta<'_> {
    /// The refusal for what was taken since the list was read.
    fn taken(&self, domanda: Option<&DomandaViva>, schede: &[(u32, SchedaViva)]) -> Vec<Violazione> {
        let lettura = &self.lettura;
        let Some(istanza) = &lettura.istanza else {
            return Vec::new();
        };
        let mut violazioni = taken_meanwhile(istanza, lettura, &self.ente.codice, domanda, schede);
        lettura.posizioni.place(&mut violazioni, &self.bytes);
        violazioni
    }
}

impl Banco {
    /// `None` = no emergency is open on the register.
    async fn open(
        store: SharedRegistro,
        registro: &str,
        limits: Limits,
        adesso: Timestamp,
    ) -> Result<Option<Self>> {
        let (mut aperta, mut correlate, mut prima) = (None, Vec::new(), 0);
        for emergenza in store.emergenze().await? {
            if emergenza.registro != registro {
                continue;
            }
            let sue = store.correlazioni(emergenza.id).await?;
            if emergenza.chiusa_il.is_none() {
                (aperta, correlate) = (Some(emergenza), sue);
            } else {
                prima = sue.iter().map(|correlata| correlata.numero).fold(prima, u64::max);
            }
        }
        Ok(aperta.map(|aperta| Self {
            store,
            registro: registro.to_owned(),
            limits,
            aperta,
            correlate,
            prima,
            adesso,
        }))
    }

    async fn import(
        &self,
        schema: &Schema,
        adesioni: &Adesioni,
        voci: Vec<Voce>,
        solo_verifica: bool,
    ) -> Result<Uscita> {
        let (mut lette, mut errate) = (Vec::new(), 0_usize);
        for voce in voci {
            let numero = voce.numero;
            match self.read(schema, adesioni, voce).await? {
                Ok(letta) => lette.push(letta),
                Err(contro) => {
                    errate += 1;
                    self.tell(numero, &contro);
                }
            }
        }
        if errate > 0 {
            eprintln!("varco: registrazioni da correggere: {errate}; non ne è stata importata nessuna");
            return Ok(Uscita::Rifiutato);
        }
        if solo_verifica {
            outln!("{} registrazioni verificate, nessuna importata", lette.len());
            return Ok(Uscita::Fatto);
        }
        let quante = lette.len();
        for letta in lette {
            let numero = letta.voce.numero;
            match self.register(letta).await? {
                Ok(protocollo) => outln!("EMG-{}/{numero}  {protocollo}", self.registro),
                Err(contro) => {
                    self.tell(numero, &contro);
                    eprintln!(
                        "varco: da qui in poi non è stato importato nulla; corretto l'elenco, lo si importa di nuovo"
                    );
                    return Ok(Uscita::Rifiutato);
                }
            }
        }
        outln!("{quante} registrazioni importate; il registro riprende con: varco register emergency close");
        Ok(Uscita::Fatto)
    }

    fn tell(&self, numero: u64, contro: &[String]) {
        for testo in contro {
            eprintln!("EMG-{}/{numero}  {testo}", self.registro);
        }
    }

    /// Reads the request of a line; all that can be said against it before anything is registered.
    async fn read<'a>(
        &self,
        schema: &Schema,
        adesioni: &'a Adesioni,
        voce: Voce,
    ) -> Result<Result<Letta<'a>, Vec<String>>> {
        let file = voce.richiesta.display().to_string();
        let contro = |testo: String| Ok(Err(vec![testo]));
        if voce.istante < self.aperta.aperta_il || voce.istante > self.adesso {
            return contro("l'istante non è fra l'apertura del registro di emergenza e adesso".to_owned());
        }
        if voce.numero <= self.prima {
            return contro(format!(
                "il numero fu già usato in un'interruzione precedente: si continua da {}",
                self.prima + 1
            ));
        }
        let Some(ente) = adesioni.enti().iter().find(|ente| ente.codice == voce.ente) else {
            return contro(format!("l'ente {} non è fra le adesioni", voce.ente));
        };
        if !ente.uffici.contains(&voce.ufficio) {
            return contro(format!(
                "l'ufficio {} non è dell'ente {}",
                voce.ufficio, voce.ente
            ));
        }
        let bytes = match std::fs::read(&voce.richiesta) {
            Ok(bytes) => Bytes::from(bytes),
            Err(causa) => return contro(format!("{file}: non si legge: {causa}")),
        };
        let lettura = match schema.read_file(&bytes, &self.limits.xml) {
            Ok(lettura) => lettura,
            Err(errore) => match errore.violazione() {
                Some(violazione) => return Ok(Err(told(&file, &[violazione]))),
                None => return Err(errore.into()),
            },
        };
        if !lettura.rilievi.is_empty() {
            return Ok(Err(told(&file, &lettura.rilievi)));
        }
        if lettura.prestazione.registro != self.registro {
            let (servizio, registro) = (lettura.prestazione.servizio, lettura.prestazione.registro);
            return contro(format!(
                "{file}: {servizio} si protocolla nel registro {registro}"
            ));
        }
        let Some(chiave) = lettura.chiave.clone() else {
            return contro(format!(
                "{file}: manca la ChiaveInvio; serve l'elemento della richiesta, non solo il suo contenuto"
            ));
        };
        let chiave = Chiave {
            ente: ente.codice.clone(),
            servizio: lettura.prestazione.servizio,
            chiave,
        };
        let gia = match self.before(&voce, &chiave, &lettura).await? {
            Ok(gia) => gia,
            Err(testo) => return contro(testo),
        };
        let letta = Letta {
            voce,
            ente,
            chiave,
            bytes,
            lettura,
            gia,
        };
        if letta.gia.is_none()
            && let Err(mut violazioni) = self.judge(&letta).await?
        {
            // A domanda that stands in this very list is not there yet: the second look, before the number, finds it.
            violazioni.retain(|violazione| violazione.codice != Codice::Pro101);
            if !violazioni.is_empty() {
                return Ok(Err(told(&file, &violazioni)));
            }
        }
        Ok(Ok(letta))
    }

    /// What the store knows of this line already: the ordinary number that it got in an earlier run, or why it can get
    /// none.
    async fn before(
        &self,
        voce: &Voce,
        chiave: &Chiave,
        lettura: &Lettura,
    ) -> Result<Result<Option<String>, String>> {
        let sua = self
            .correlate
            .iter()
            .find(|correlata| correlata.numero == voce.numero);
        let registrata = self.store.registrata(chiave).await?;
        let ultima = self.correlate.last();
        Ok(match (sua, registrata) {
            (Some(sua), Some(registrata))
                if registrata.digest == lettura.digest
                    && sua.protocollo == registrata.protocollo.to_string() =>
            {
                Ok(Some(sua.protocollo.clone()))
            }
            (Some(sua), _) => Err(format!(
                "è già stata importata come {}, con altro contenuto",
                sua.protocollo
            )),
            (None, Some(registrata)) => Err(format!(
                "la ChiaveInvio {} è già registrata come {}: non va importata",
                chiave.chiave, registrata.protocollo
            )),
            (None, None) => match ultima.filter(|ultima| ultima.numero > voce.numero) {
                Some(ultima) => Err(format!(
                    "EMG-{}/{} è già stata importata come {}: i numeri ordinari seguono l'ordine dell'emergenza",
                    self.registro, ultima.numero, ultima.protocollo
                )),
                None => Ok(None),
            },
        })
    }

    /// Meaning, as the gateway asks for it; what is there to register, where there is nothing against it.
    async fn judge(&self, letta: &Letta<'_>) -> Result<Result<Contenuto, Vec<Violazione>>> {
        let Letta {
            voce, ente, lettura, ..
        } = letta;
        let Some(istanza) = &lettura.istanza else {
            // Without findings the content is there: the XSD demands it.
            return Ok(Err(Vec::new()));
        };
        let servizio = lettura.prestazione.servizio;
        let attuale = Attuale::read(&*self.store, &ente.codice, servizio, Some(istanza)).await?;
        let contesto = Contesto {
            presentata_il: voce.istante,
            ambiente: self.store.ambiente(),
            ente: Some(&ente.codice),
            codice_ufficio: Some(&voce.ufficio),
            user_id: Some(&voce.operatore),
            schede_vive: &attuale.schede_vive,
            domande_vive: &attuale.domande_vive,
            pregresso: None,
            allegato_bytes_max: self.limits.allegato_bytes_max as u64,
        };
        let mut violazioni = match giudica(istanza, lettura, attuale.domanda.as_ref(), &contesto) {
            Ok((contenuto, _)) => return Ok(Ok(contenuto)),
            Err(Contro::Regole(esame)) => esame.violazioni,
            // Perhaps it stands in this very list: what can be said without it is said.
            Err(Contro::NonTrovata) => {
                let mut trovate = match istanza {
                    Istanza::Domanda(_) => Vec::new(),
                    Istanza::Atto(atto) => atto.esamina(&contesto, None).violazioni,
                };
                trovate.push(Violazione::at(Codice::Pro101, ""));
                trovate
            }
            Err(Contro::Illeggibile) => {
                anyhow::bail!("i codici fiscali, che le regole hanno letto, non si leggono")
            }
        };
        lettura.posizioni.place(&mut violazioni, &letta.bytes);
        Ok(Err(violazioni))
    }

    /// Draws the ordinary number of a line, and tells it; else what has come to stand against it since it was read.
    async fn register(&self, letta: Letta<'_>) -> Result<Result<String, Vec<String>>> {
        if let Some(gia) = letta.gia {
            return Ok(Ok(gia));
        }
        let file = letta.voce.richiesta.display().to_string();
        let contenuto = match self.judge(&letta).await? {
            Ok(contenuto) => contenuto,
            Err(violazioni) => return Ok(Err(told(&file, &violazioni))),
        };
        let atto = atto(&letta, contenuto, self.adesso);
        Ok(match self.store.register(&[atto], self.adesso).await?.pop() {
            Some(Registrazione::Registrata(registrata) | Registrazione::Ripetuta(registrata)) => {
                Ok(registrata.protocollo.to_string())
            }
            Some(Registrazione::SchedaViva(schede)) => Err(told(&file, &letta.taken(None, &schede))),
            Some(Registrazione::DomandaViva(viva, schede)) => {
                Err(told(&file, &letta.taken(Some(&viva), &schede)))
            }
            Some(
                Registrazione::Conflitto(_)
                | Registrazione::ChiaveDiLotto(_)
                | Registrazione::Superata
                | Registrazione::BustaDoppia,
            )
            | None => Err(vec![format!("{file}: l'archivio è cambiato mentre si importava")]),
        })
    }
}

/// All that the registration needs. The list is its message: the trace says where it came from.
fn atto(letta: &Letta<'_>, contenuto: Contenuto, adesso: Timestamp) -> Atto {
    let Letta {
        voce,
        ente,
        chiave,
        bytes,
        lettura,
        ..
    } = letta;
    let operazione = lettura.operazione;
    Atto {
        prestazione: lettura.prestazione,
        digest: lettura.digest,
        impronta: lettura.impronta,
        presentata_il: voce.istante,
        ente_denominazione: ente.denominazione.clone(),
        codice_ufficio: voce.ufficio.clone(),
        user_id: voce.operatore.clone(),
        // Nobody showed a certificate: the office took it in.
        certificato_sha256: String::new(),
        canale: CANALE,
        emergenza: Some(voce.numero),
        operazione,
        contenuto,
        contenuto_in_richiesta: lettura.contenuto_in_richiesta,
        traccia: Traccia {
            message_id: RandomIds.next(),
            ricevuto_il: adesso,
            canale: CANALE.to_owned(),
            ente: Some(ente.codice.to_string()),
            user_id: Some(voce.operatore.to_string()),
            codice_ufficio: Some(voce.ufficio.to_string()),
            uri: "varco register emergency import".to_owned(),
            servizio: Some(chiave.servizio.to_owned()),
            operazione: Some(operazione.nome().to_owned()),
            chiave_invio: Some(chiave.chiave.to_string()),
            digest: Some(hex(&lettura.digest.0)),
            impronta: Some(hex(&lettura.impronta)),
            richiesta_len: bytes.len() as u64,
            http_status: 200,
            ..Traccia::default()
        },
        chiave: chiave.clone(),
        richiesta: bytes.clone(),
        stampa: answer::ricevuta,
    }
}

/// How the receipt and the register name the way it came by.
const CANALE: &str = "EMERGENZA";

/// `file:12:7 CF-002 …`, each with what to do.
fn told(file: &str, violazioni: &[Violazione]) -> Vec<String> {
    violazioni
        .iter()
        .map(|violazione| format!("{file}:{}", Errore::from(violazione)))
        .collect()
}
