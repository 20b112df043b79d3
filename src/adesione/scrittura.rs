//! Writing an ente into the file of the adesioni. What people wrote there stays as they wrote it: order, comments, spaces;
//! only what changes is touched. What was composed is read back and held against what was meant before anything is
//! written; the old file is kept beside the new one, and every change is a line of `adesioni.log`, which names the
//! fingerprint of the line before it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::{FlockOperation, flock};
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value, value};

use super::modulo::written;
use super::{Adesioni, Certificato, CertificatoEnte, Ente, PortaEnte, Riconoscimento, StatoEnte};
use crate::domanda::sha256::{Sha256, hex};

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum NonScritto {
    /// The file that is there is no good one.
    #[error("{0}")]
    Errato(String),
    /// Somebody changed the file since it was read.
    #[error("il file è cambiato nel frattempo: ripetere il comando")]
    Cambiato,
    /// What was composed does not say what was meant.
    #[error("il file composto non dice ciò che si voleva ({0}): non è stato scritto nulla")]
    Infedele(String),
    /// The disk.
    #[error("{0}: {1}")]
    Disco(PathBuf, io::Error),
}

/// The text of the register with this ente in it: put at the end, or in place of what it was.
pub fn compose(testo: &str, file: &Path, dopo: &Ente) -> Result<String, NonScritto> {
    let mut documento: DocumentMut = testo
        .parse()
        .map_err(|causa| NonScritto::Errato(format!("{}: {causa}", file.display())))?;
    let registro = register(testo, file)?;
    let posto = registro.enti().iter().position(|ente| ente.codice == dopo.codice);
    let enti = documento
        .entry("ente")
        .or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()))
        .as_array_of_tables_mut()
        .ok_or_else(|| NonScritto::Errato("gli enti non sono blocchi [[ente]]".to_owned()))?;
    if let Some((prima, tabella)) =
        posto.and_then(|posto| Some((registro.enti().get(posto)?, enti.get_mut(posto)?)))
    {
        fill(tabella, Some(prima), dopo);
    } else {
        let mut tabella = Table::new();
        if !testo.trim().is_empty() {
            tabella.decor_mut().set_prefix("\n");
        }
        fill(&mut tabella, None, dopo);
        enti.push(tabella);
    }
    let composto = documento.to_string();
    faithful(&composto, file, &registro, dopo)?;
    Ok(composto)
}

/// The register of a text; an empty one is a register that nobody has joined yet.
pub fn register(testo: &str, file: &Path) -> Result<Adesioni, NonScritto> {
    if testo.parse::<DocumentMut>().is_ok_and(|vuoto| vuoto.is_empty()) {
        return Ok(Adesioni::default());
    }
    Adesioni::parse(testo, file).map_err(|errato| NonScritto::Errato(errato.to_string()))
}

/// Reads what was composed: all others are as they were, and this one is as it shall be.
fn faithful(composto: &str, file: &Path, prima: &Adesioni, dopo: &Ente) -> Result<(), NonScritto> {
    let letto = Adesioni::parse(composto, file).map_err(|errato| NonScritto::Infedele(errato.to_string()))?;
    let altri = |registro: &Adesioni| -> Vec<Ente> {
        let altri = registro.enti().iter().filter(|ente| ente.codice != dopo.codice);
        altri.map(|ente| bare(ente)).collect()
    };
    if altri(&letto) != altri(prima) {
        return Err(NonScritto::Infedele("un altro ente cambierebbe".to_owned()));
    }
    let suo = letto.enti().iter().find(|ente| ente.codice == dopo.codice);
    if suo.map(|ente| bare(ente)) != Some(bare(dopo)) {
        return Err(NonScritto::Infedele(format!("ente {}", dopo.codice)));
    }
    Ok(())
}

/// An ente by what it may, whatever the order and the form in which that was written.
fn bare(ente: &Ente) -> Ente {
    let mut ente = ente.clone();
    for voce in &mut ente.certificati {
        voce.catena.clear();
        voce.riga = 0;
    }
    ente.certificati
        .sort_by_key(|voce| format!("{:?}", voce.riconoscimento));
    ente.uffici.sort();
    ente.indirizzi.sort();
    ente.servizi.sort();
    for (_, operazioni) in &mut ente.servizi {
        operazioni.sort();
    }
    ente
}

/// Writes an ente's keys into its table: all of a new one, of another those that change.
fn fill(tabella: &mut Table, prima: Option<&Ente>, dopo: &Ente) {
    let changes = |diverso: &dyn Fn(&Ente) -> bool| prima.is_none_or(diverso);
    let mut put = |chiave: &str, nuovo: Option<Value>| match (nuovo, tabella.get_mut(chiave)) {
        (Some(mut nuovo), Some(Item::Value(vecchio))) => {
            // The comment behind the old value stays where it was.
            *nuovo.decor_mut() = vecchio.decor().clone();
            *vecchio = nuovo;
        }
        (Some(nuovo), _) => {
            tabella.insert(chiave, value(nuovo));
        }
        (None, _) => {
            tabella.remove(chiave);
        }
    };
    if prima.is_none() {
        put("codice", Some(dopo.codice.as_str().into()));
    }
    if changes(&|prima| prima.denominazione != dopo.denominazione) {
        put("denominazione", Some(dopo.denominazione.as_str().into()));
    }
    if changes(&|prima| prima.codice_fiscale != dopo.codice_fiscale) {
        put("codice_fiscale", Some(dopo.codice_fiscale.as_str().into()));
    }
    if prima.map_or(StatoEnte::Attivo, |prima| prima.stato) != dopo.stato {
        let stato = match dopo.stato {
            StatoEnte::Attivo => "attivo",
            StatoEnte::Sospeso => "sospeso",
        };
        put("stato", Some(stato.into()));
    }
    lists(tabella, prima, dopo);
    let mut put = |chiave: &str, nuovo: Option<Value>| match nuovo {
        Some(nuovo) => drop(tabella.insert(chiave, value(nuovo))),
        None => drop(tabella.remove(chiave)),
    };
    if changes(&|prima| bare(prima).servizi != bare(dopo).servizi) {
        put("servizi", Some(Value::InlineTable(services(dopo))));
    }
    if prima.and_then(|prima| prima.quota_al_minuto) != dopo.quota_al_minuto {
        put(
            "quota_al_minuto",
            dopo.quota_al_minuto.map(|quota| i64::from(quota).into()),
        );
    }
    if prima.and_then(|prima| prima.identity_strict) != dopo.identity_strict {
        put("identity_strict", dopo.identity_strict.map(Into::into));
    }
    if prima.map_or(&[][..], |prima| &prima.pdd) != dopo.pdd {
        tabella.remove("pdd");
        if !dopo.pdd.is_empty() {
            tabella.insert("pdd", Item::ArrayOfTables(dopo.pdd.iter().map(porta).collect()));
        }
    }
}

/// The lists: what stays keeps its line and its comment.
fn lists(tabella: &mut Table, prima: Option<&Ente>, dopo: &Ente) {
    let vuoto = (Vec::new(), Vec::new(), Vec::new());
    let (certificati, uffici, indirizzi) = prima.map_or(vuoto, |prima| {
        (
            prima.certificati.clone(),
            prima.uffici.clone(),
            prima.indirizzi.clone(),
        )
    });
    let known = |voce: &CertificatoEnte| (voce.riconoscimento.clone(), voce.scadenza);
    merge(
        tabella,
        "certificati",
        &certificati,
        &dopo.certificati,
        |una, altra| known(una) == known(altra),
        certificato,
    );
    merge(
        tabella,
        "uffici",
        &uffici,
        &dopo.uffici,
        PartialEq::eq,
        |ufficio| ufficio.as_str().into(),
    );
    merge(
        tabella,
        "indirizzi",
        &indirizzi,
        &dopo.indirizzi,
        PartialEq::eq,
        |rete| written(*rete).into(),
    );
    if dopo.indirizzi.is_empty() {
        tabella.remove("indirizzi");
    }
}

/// Takes out of a list what is no more, and puts in what is new; `prima` is what the list says now, place by place.
fn merge<T>(
    tabella: &mut Table,
    chiave: &str,
    prima: &[T],
    dopo: &[T],
    same: impl Fn(&T, &T) -> bool,
    write: impl Fn(&T) -> Value,
) {
    let item = tabella.entry(chiave).or_insert_with(|| value(Array::new()));
    let Some(lista) = item.as_array_mut() else {
        return;
    };
    let mut posto = 0;
    lista.retain(|_| {
        let resta = prima
            .get(posto)
            .is_some_and(|vecchio| dopo.iter().any(|nuovo| same(vecchio, nuovo)));
        posto += 1;
        resta
    });
    for nuovo in dopo {
        if prima.iter().any(|vecchio| same(vecchio, nuovo)) {
            continue;
        }
        let mut scritto = write(nuovo);
        let in_righe = lista.trailing().as_str().is_some_and(|coda| coda.contains('\n'));
        if scritto.decor().prefix().is_some() || in_righe {
            let nota = scritto
                .decor()
                .prefix()
                .and_then(|nota| nota.as_str())
                .unwrap_or("\n  ")
                .to_owned();
            scritto.decor_mut().set_prefix(nota);
            lista.push_formatted(scritto);
            lista.set_trailing("\n");
            lista.set_trailing_comma(true);
        } else {
            lista.push(scritto);
        }
    }
}

/// A certificate: by its fingerprint and its end; whose it is stands above it for people.
fn certificato(voce: &CertificatoEnte) -> Value {
    let mut tabella = InlineTable::new();
    match &voce.riconoscimento {
        Riconoscimento::Sha256(sha256) => {
            tabella.insert("sha256", sha256.as_str().into());
        }
        Riconoscimento::EmittenteSeriale { emittente, seriale } => {
            tabella.insert("emittente", emittente.as_str().into());
            tabella.insert("seriale", seriale.as_str().into());
        }
    }
    if let Some(scadenza) = voce.scadenza {
        tabella.insert("scade", scadenza.to_string().into());
    }
    let chi = voce
        .catena
        .first()
        .and_then(|der| Certificato::from_der(der).ok());
    let nota = chi.map_or_else(
        || "\n  ".to_owned(),
        |chi| format!("\n  # {}, seriale {}\n  ", chi.soggetto, chi.seriale),
    );
    Value::InlineTable(tabella).decorated(nota, "")
}

fn services(ente: &Ente) -> InlineTable {
    ente.servizi
        .iter()
        .map(|(servizio, operazioni)| (servizio.as_str(), operazioni.iter().collect::<Array>()))
        .collect()
}

fn porta(porta: &PortaEnte) -> Table {
    let mut tabella = Table::new();
    tabella.insert("mittente", value(porta.parte.nome.as_str()));
    if porta.parte.tipo != crate::egov::Parte::spc("").tipo {
        tabella.insert("tipo", value(porta.parte.tipo.as_str()));
    }
    if let Some(codice) = &porta.porta {
        tabella.insert("porta", value(codice.as_str()));
    }
    tabella.insert("regole", value(porta.regole.as_str()));
    if let Some((user_id, ufficio)) = &porta.operatore {
        tabella.insert("user_id", value(user_id.as_str()));
        tabella.insert("codice_ufficio", value(ufficio.as_str()));
    }
    tabella
}

/// A change as it is kept: who made it, when, why, and from what to what.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Modifica {
    /// When.
    pub istante: Timestamp,
    /// `aggiunta` or `sostituzione`.
    pub operazione: String,
    /// Which ente.
    pub ente: String,
    /// Who made it.
    pub chi: String,
    /// Why.
    pub perche: String,
    /// What changed, as `diff` tells it.
    pub differenze: Vec<String>,
    /// SHA-256 of the form.
    pub modulo_sha256: String,
    /// SHA-256 of the file before.
    pub prima_sha256: String,
    /// SHA-256 of the file after.
    pub dopo_sha256: String,
    /// SHA-256 of the line before this one; empty in the first.
    #[serde(default)]
    pub precedente_sha256: String,
}

/// SHA-256 of a text, in hex.
#[must_use]
pub fn impronta(testo: &str) -> String {
    hex(&Sha256::of(testo.as_bytes()))
}

/// Where a change left its traces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scritto {
    /// The file as it was.
    pub copia: Option<PathBuf>,
    /// Where the change is recorded.
    pub registro: PathBuf,
}

/// Puts the new text in place of the one that was read. The change is recorded first: a change without its line would be
/// one that nobody answers for, a line without its change shows by the fingerprint of the file.
pub fn commit(
    file: &Path,
    prima: Option<&str>,
    dopo: &str,
    mut modifica: Modifica,
) -> Result<Scritto, NonScritto> {
    let registro = file.with_extension("log");
    let disco = |percorso: &Path| {
        let percorso = percorso.to_owned();
        move |causa| NonScritto::Disco(percorso, causa)
    };
    let mut log = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(&registro)
        .map_err(disco(&registro))?;
    // One writer at a time, from here until the log is closed.
    flock(&log, FlockOperation::LockExclusive).map_err(|causa| disco(&registro)(causa.into()))?;
    let attuale = match fs::read_to_string(file) {
        Ok(testo) => Some(testo),
        Err(causa) if causa.kind() == io::ErrorKind::NotFound => None,
        Err(causa) => return Err(disco(file)(causa)),
    };
    if attuale.as_deref() != prima {
        return Err(NonScritto::Cambiato);
    }
    let copia = attuale.as_ref().map(|_| {
        let istante = modifica.istante.strftime("%Y%m%dT%H%M%SZ");
        let mut nome = file.as_os_str().to_owned();
        // Two changes in one second leave two copies.
        let impronta = modifica.prima_sha256.get(..8).unwrap_or_default();
        nome.push(format!(".{istante}-{impronta}.bak"));
        PathBuf::from(nome)
    });
    if let Some(copia) = &copia {
        fs::copy(file, copia).map_err(disco(copia))?;
    }
    note(&mut log, &mut modifica).map_err(disco(&registro))?;
    replace(file, dopo).map_err(disco(file))?;
    Ok(Scritto { copia, registro })
}

/// Appends the line, durably.
fn note(log: &mut File, modifica: &mut Modifica) -> io::Result<()> {
    let mut finora = String::new();
    log.read_to_string(&mut finora)?;
    modifica.precedente_sha256 = finora.lines().last().map_or_else(String::new, impronta);
    let mut riga = serde_json::to_string(modifica)?;
    riga.push('\n');
    log.write_all(riga.as_bytes())?;
    log.sync_all()
}

/// A new file beside the old one, as readable as that, durable before it takes its name.
fn replace(file: &Path, testo: &str) -> io::Result<()> {
    let mut nome = file.as_os_str().to_owned();
    nome.push(".nuovo");
    let nuovo = PathBuf::from(nome);
    let mut scritto = File::create(&nuovo)?;
    if let Ok(vecchio) = fs::metadata(file) {
        fs::set_permissions(&nuovo, fs::Permissions::from_mode(vecchio.mode()))?;
        // Who is not root keeps what he may: his own file.
        let _ = std::os::unix::fs::chown(&nuovo, Some(vecchio.uid()), Some(vecchio.gid()));
    }
    scritto.write_all(testo.as_bytes())?;
    scritto.sync_all()?;
    fs::rename(&nuovo, file)?;
    let cartella = file.parent().filter(|cartella| !cartella.as_os_str().is_empty());
    File::open(cartella.unwrap_or_else(|| Path::new(".")))?.sync_all()
}
