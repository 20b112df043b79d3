//! What is held on somebody, gathered domanda by domanda into the file: at most one domanda, one document or one page of
//! messages is in memory.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufWriter;

use anyhow::{Context as _, Result, ensure};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::accessi::{Pagine, accesso, is_look, looks_at, messaggio};
use super::parte::{Parti, sentence};
use super::{OPERAZIONE, leggimi};
use crate::cli::zip::Zip;
use crate::cli::{BARRA, progress_bar};
use crate::domanda::atto::riesame::StatoRiesame;
use crate::domanda::consultazione::{Riferimento, SchedaDetta};
use crate::domanda::sha256::hex;
use crate::prestazione::PRESTAZIONI;
use crate::protocollo::NumeroDomanda;
use crate::spazio::conservazione::ConservazioneConfig;
use crate::store::interessato::{DomandaTenuta, RegistrazioneTenuta};
use crate::store::spazio::Vincolo;
use crate::store::{Ricerca, Store};
use crate::trace::Traccia;
use crate::trace::persona::Persona;

/// So many numbers of domande are looked at in one statement.
const TRATTO: u64 = 10_000;

/// The file as it grows.
pub(super) struct Raccolta<'a> {
    store: &'a dyn Store,
    persona: &'a Persona,
    zip: Zip<BufWriter<File>>,
    adesso: Timestamp,
    pub(super) domande: Vec<NumeroDomanda>,
    pub(super) messaggi: u64,
    pub(super) accessi: u64,
    pub(super) documenti: u64,
    pub(super) scartate: u64,
    pub(super) vincolate: u64,
    /// The messages that have no domanda.
    sciolti: BTreeSet<Uuid>,
    sguardi: Vec<Traccia>,
    visti: BTreeSet<Uuid>,
}

impl<'a> Raccolta<'a> {
    pub(super) fn new(
        store: &'a dyn Store,
        persona: &'a Persona,
        zip: Zip<BufWriter<File>>,
        adesso: Timestamp,
    ) -> Self {
        Self {
            store,
            persona,
            zip,
            adesso,
            domande: Vec::new(),
            messaggi: 0,
            accessi: 0,
            documenti: 0,
            scartate: 0,
            vincolate: 0,
            sciolti: BTreeSet::new(),
            sguardi: Vec::new(),
            visti: BTreeSet::new(),
        }
    }

    /// All of it but the page that explains it.
    pub(super) async fn gather(&mut self, documenti: bool) -> Result<()> {
        let vincoli = self.store.vincoli().await?;
        let ultima = self.store.ultima_domanda().await?;
        let barra = progress_bar(ultima, BARRA);
        let mut dopo = 0;
        while dopo < ultima {
            let fino_a = dopo.saturating_add(TRATTO).min(ultima);
            for domanda in self.store.domande_con(self.persona, dopo, fino_a).await? {
                self.add_domanda(&domanda, &vincoli, documenti).await?;
            }
            dopo = fino_a;
            barra.set_position(dopo);
        }
        barra.finish_and_clear();
        for numero in self.domande.clone() {
            let ricerca = Ricerca {
                numero_domanda: Some(numero.0),
                ..Ricerca::default()
            };
            self.add_messaggi(ricerca).await?;
        }
        let ricerca = Ricerca {
            persona: Some(self.persona.clone()),
            ..Ricerca::default()
        };
        self.add_messaggi(ricerca).await?;
        for sguardo in looks_at(self.store, &self.sciolti).await? {
            self.add_sguardo(sguardo);
        }
        self.add_accessi()
    }

    async fn add_domanda(
        &mut self,
        domanda: &DomandaTenuta,
        vincoli: &[Vincolo],
        documenti: bool,
    ) -> Result<()> {
        let numero = domanda.numero;
        // A domanda is never taken away: what was found is there.
        let quadro = self.store.quadro(numero).await?.context("domanda scomparsa")?;
        let parti = Parti::of(&quadro, self.persona);
        let stati = self.stati(domanda).await?;
        let mut registrazioni = Vec::new();
        for registrazione in self.store.registrazioni_di(numero).await? {
            registrazioni.push(
                self.registrazione(numero, &registrazione, &parti, documenti)
                    .await?,
            );
        }
        let schede: Vec<_> = quadro
            .schede
            .iter()
            .filter(|scheda| parti.sees(scheda.posto))
            .map(|scheda| {
                let sue = parti.scheda(scheda.posto, &scheda.valori);
                let stato = stati.iter().find(|stato| stato.posto == scheda.posto);
                json!({
                    "posto": scheda.posto,
                    "valori": sue.valori,
                    "coperti_perche_di_altri": sue.coperti,
                    "stato": stato.map(|stato| self::stato(stato, &parti)),
                })
            })
            .collect();
        let vincoli: Vec<_> = vincoli
            .iter()
            .filter(|vincolo| vincolo.numero_domanda == numero)
            .map(vincolo)
            .collect();
        self.vincolate += u64::from(!vincoli.is_empty());
        let sue = parti.domanda(&quadro);
        let contenuto = json!({
            "numero_domanda": numero.0,
            "servizio": domanda.servizio,
            "ente": domanda.ente,
            "parti": parti.nomi(),
            "valori": sue.valori,
            "coperti_perche_di_altri": sue.coperti,
            "schede": schede,
            "registrazioni": registrazioni,
            "vincoli": vincoli,
        });
        self.add(&format!("domande/{:012}.json", numero.0), &contenuto)?;
        self.domande.push(numero);
        Ok(())
    }

    /// How far its sheets are, and what was paid.
    async fn stati(&self, domanda: &DomandaTenuta) -> Result<Vec<SchedaDetta>> {
        let servizio = PRESTAZIONI
            .iter()
            .map(|prestazione| prestazione.servizio)
            .find(|servizio| *servizio == domanda.servizio)
            .with_context(|| format!("servizio sconosciuto: {}", domanda.servizio))?;
        let ente = domanda.ente.parse().context("ente illeggibile")?;
        let riferimento = Riferimento::NumeroDomanda(domanda.numero);
        let detta = self.store.consulta(&ente, servizio, &riferimento).await?;
        Ok(detta.map(|detta| detta.schede).unwrap_or_default())
    }

    /// One registration; what it brought is told to whoever it was sent for, and to nobody else.
    async fn registrazione(
        &mut self,
        numero: NumeroDomanda,
        registrazione: &RegistrazioneTenuta,
        parti: &Parti,
        documenti: bool,
    ) -> Result<Value> {
        let sua = registrazione.richiedente == self.persona.as_str();
        self.scartate += u64::from(registrazione.scartata_il.is_some());
        let elenco = if sua {
            Some(self.documenti(numero, registrazione, documenti).await?)
        } else {
            None
        };
        self.looks_at_protocollo(&registrazione.protocollo).await?;
        Ok(json!({
            "protocollo": registrazione.protocollo,
            "operazione": registrazione.operazione,
            "presentata_il": registrazione.presentata_il.to_string(),
            "registrata_il": registrazione.registrata_il.to_string(),
            "ente": registrazione.ente,
            "canale": registrazione.canale,
            "annullata": registrazione.annullata,
            "presentata_per_la_persona": sua,
            "impronta_sha256": (sua || parti.asks()).then(|| hex(&registrazione.impronta)),
            "richiesta_scartata_il": registrazione.scartata_il.map(|quando| quando.to_string()),
            "documenti": elenco,
        }))
    }

    async fn documenti(
        &mut self,
        numero: NumeroDomanda,
        registrazione: &RegistrazioneTenuta,
        con_byte: bool,
    ) -> Result<Vec<Value>> {
        let mut elenco = Vec::new();
        for documento in self.store.documenti_di(numero, registrazione.id).await? {
            let allegato = &documento.allegato;
            self.documenti += 1;
            let mut nel_file = None;
            if con_byte
                && documento.tenuto
                && let Some(bytes) = self
                    .store
                    .byte_del_documento(numero, registrazione.id, documento.posto)
                    .await?
            {
                let estensione = allegato.tipo_mime.rsplit('/').next().unwrap_or("bin");
                let sicura = estensione.chars().all(|c| c.is_ascii_alphanumeric());
                let estensione = if sicura { estensione } else { "bin" };
                let nome = format!(
                    "documenti/{}-{:02}.{estensione}",
                    registrazione.protocollo, documento.posto
                );
                self.add_bytes(&nome, &bytes)?;
                nel_file = Some(nome);
            }
            elenco.push(json!({
                "tipo": allegato.tipo,
                "nome_file": allegato.nome_file,
                "tipo_mime": allegato.tipo_mime,
                "sha256": hex(&allegato.impronta),
                "byte": allegato.bytes_len,
                "conservato": documento.tenuto,
                "nel_file": nel_file,
            }));
        }
        Ok(elenco)
    }

    /// The messages of a search, and the looks among them.
    async fn add_messaggi(&mut self, ricerca: Ricerca) -> Result<()> {
        let ricerca = Ricerca {
            // The record of this export is not in it.
            al: Some(self.adesso),
            ..ricerca
        };
        let mut pagine = Pagine::of(self.store, ricerca);
        while let Some(pagina) = pagine.next().await? {
            let mut detti = Vec::new();
            for traccia in pagina {
                if is_look(&traccia) {
                    self.add_sguardo(traccia);
                } else if self.visti.insert(traccia.message_id) {
                    if traccia.numero_domanda.is_none() {
                        self.sciolti.insert(traccia.message_id);
                    }
                    detti.push(messaggio(&traccia));
                }
            }
            if !detti.is_empty() {
                self.messaggi += detti.len() as u64;
                let nome = format!("messaggi/{:08}.json", self.messaggi);
                self.add(&nome, &Value::Array(detti))?;
            }
        }
        Ok(())
    }

    async fn looks_at_protocollo(&mut self, protocollo: &str) -> Result<()> {
        let ricerca = Ricerca {
            protocollo: Some(protocollo.parse().context("protocollo illeggibile")?),
            al: Some(self.adesso),
            ..Ricerca::default()
        };
        let mut pagine = Pagine::of(self.store, ricerca);
        while let Some(pagina) = pagine.next().await? {
            for traccia in pagina.into_iter().filter(is_look) {
                self.add_sguardo(traccia);
            }
        }
        Ok(())
    }

    fn add_sguardo(&mut self, sguardo: Traccia) {
        if self.visti.insert(sguardo.message_id) {
            self.sguardi.push(sguardo);
        }
    }

    fn add_accessi(&mut self) -> Result<()> {
        self.sguardi.sort_by_key(|sguardo| sguardo.ricevuto_il);
        self.accessi = self.sguardi.len() as u64;
        let detti: Vec<_> = self.sguardi.iter().map(accesso).collect();
        self.add("accessi.json", &Value::Array(detti))
    }

    /// The page that explains the rest, and the list of what is in the file.
    pub(super) fn add_leggimi(
        &mut self,
        conservazione: &ConservazioneConfig,
        con_chiave: bool,
        con_documenti: bool,
    ) -> Result<()> {
        let testo = leggimi::text(self, conservazione, con_chiave, con_documenti);
        self.add_bytes("LEGGIMI.txt", testo.as_bytes())?;
        let voci: Vec<_> = self
            .zip
            .voci()
            .iter()
            .map(|voce| json!({ "nome": voce.nome, "byte": voce.byte, "sha256": voce.sha256 }))
            .collect();
        let manifesto = json!({
            "esportato_il": self.adesso.to_string(),
            "varco": env!("CARGO_PKG_VERSION"),
            "operazione": OPERAZIONE,
            "domande": self.domande.iter().map(|numero| numero.0).collect::<Vec<_>>(),
            "messaggi": self.messaggi,
            "accessi": self.accessi,
            "messaggi_non_registrati_cercati": con_chiave,
            "voci": voci,
        });
        self.add("manifesto.json", &manifesto)
    }

    /// What was found, in numbers.
    pub(super) fn conti(&self) -> String {
        format!(
            "{} domande, {} messaggi, {} accessi, {} documenti",
            self.domande.len(),
            self.messaggi,
            self.accessi,
            self.documenti
        )
    }

    /// When it was asked for, and of whom.
    pub(super) fn head(&self) -> (Timestamp, &str) {
        (self.adesso, self.persona.as_str())
    }

    pub(super) fn finish(self) -> Result<BufWriter<File>> {
        Ok(self.zip.finish()?)
    }

    fn add(&mut self, nome: &str, contenuto: &Value) -> Result<()> {
        self.add_bytes(nome, format!("{contenuto:#}\n").as_bytes())
    }

    fn add_bytes(&mut self, nome: &str, bytes: &[u8]) -> Result<()> {
        ensure!(
            self.zip.has_room(bytes.len()),
            "i dati superano quanto un file ZIP può contenere: ripetere senza --documenti"
        );
        Ok(self.zip.add(nome, bytes)?)
    }
}

fn stato(scheda: &SchedaDetta, parti: &Parti) -> Value {
    let pagamenti: Vec<_> = scheda
        .pagamenti
        .iter()
        .filter(|pagamento| parti.is_paid(scheda.posto, &pagamento.beneficiario))
        .map(|pagamento| {
            json!({
                "mese": pagamento.mese.to_string(),
                "tipo": pagamento.tipo,
                "importo_cent": pagamento.importo_cent,
                "istante": pagamento.istante.to_string(),
                "motivo": sentence(pagamento.motivo.as_deref()),
            })
        })
        .collect();
    json!({
        "stato": scheda.stato.as_str(),
        "dal": scheda.stato_dal.to_string(),
        "decorrenza_presunta": scheda.decorrenza_presunta.map(|mese| mese.to_string()),
        "riesame": scheda.riesame.map(StatoRiesame::as_str),
        "azione_richiesta": parti.asks().then(|| scheda.azione_richiesta.as_str()),
        "azione_motivo": sentence(scheda.azione_motivo.as_deref()).filter(|_| parti.asks()),
        "pagamenti": pagamenti,
    })
}

/// A hold: that it is there. Why may be the business of a court, and of others (d.lgs. 196/2003 art. 2-undecies).
fn vincolo(vincolo: &Vincolo) -> Value {
    json!({
        "dal": vincolo.posto_il.to_string(),
        "tolto_il": vincolo.tolto.as_ref().map(|(quando, _, _)| quando.to_string()),
    })
}
