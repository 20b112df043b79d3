//! The file of the enti → [`Adesioni`]. Every mistake is told at once, with its line; a file with a mistake is not
//! taken at all, so that nobody is let in, or shut out, by half a file. Format: docs/adesioni.sample.toml.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::str::FromStr;

use ipnet::IpNet;
use toml::de::DeTable;

use super::documento::{Documento, Errore, FileErrato, nearest, specie};
use super::{Adesioni, Ente, Riconoscimento, StatoEnte};
use crate::domanda::CodiceFiscale;
use crate::patronato::{CodiceEnte, CodiceUfficio};
use crate::prestazione::{Operazione, PRESTAZIONI, by_servizio};

const CHIAVI: &[&str] = &[
    "codice",
    "denominazione",
    "codice_fiscale",
    "stato",
    "certificati",
    "uffici",
    "indirizzi",
    "servizi",
    "quota_al_minuto",
    "identity_strict",
    "pdd",
];

impl Adesioni {
    /// Reads the register from its file; certificates named by path are looked for beside it.
    pub fn load(file: &Path) -> Result<Self, FileErrato> {
        let testo = std::fs::read_to_string(file).map_err(|causa| FileErrato::unreadable(file, &causa))?;
        Self::parse(&testo, file)
    }

    /// Reads the register from its text; `file` names it in errors and is where relative paths start.
    pub fn parse(testo: &str, file: &Path) -> Result<Self, FileErrato> {
        let (enti, errori) = read(testo, file);
        if errori.is_empty() {
            Ok(Self::new(enti))
        } else {
            Err(FileErrato::new(file, errori))
        }
    }
}

/// All that can be read of a file, and all that is wrong with it.
pub(super) fn read(testo: &str, file: &Path) -> (Vec<Ente>, Vec<Errore>) {
    let (documento, tabella) = Documento::open(testo);
    let mut lettura = Lettura {
        documento,
        cartella: file.parent().unwrap_or_else(|| Path::new("")),
        codici: HashMap::new(),
        certificati: HashMap::new(),
        mittenti: HashMap::new(),
    };
    let enti = if lettura.documento.errori.is_empty() {
        lettura.enti(tabella.get_ref())
    } else {
        Vec::new()
    };
    (enti, lettura.documento.errori)
}

/// A reading of the file: what is known of the enti before this one.
pub(super) struct Lettura<'a> {
    pub(super) documento: Documento<'a>,
    pub(super) cartella: &'a Path,
    /// Where each code was first used.
    codici: HashMap<String, usize>,
    /// Whose each certificate is, under every name it is known by.
    pub(super) certificati: HashMap<Riconoscimento, (usize, String)>,
    /// Where each name on SPCoop was first used: type and name.
    pub(super) mittenti: HashMap<(String, String), usize>,
}

impl<'a> Lettura<'a> {
    fn enti(&mut self, radice: &DeTable<'a>) -> Vec<Ente> {
        self.documento.refuse_unknown("", radice, &["ente"]);
        let lista = radice.get("ente").and_then(|valore| valore.get_ref().as_array());
        let Some(lista) = lista.filter(|lista| !lista.is_empty()) else {
            self.documento.tell(
                0,
                "nessun ente: ogni ente si scrive in un blocco che comincia con [[ente]]",
            );
            return Vec::new();
        };
        let mut enti = Vec::new();
        for voce in lista {
            let riga = self.documento.riga(voce.span().start);
            match voce.get_ref().as_table() {
                Some(tabella) => enti.extend(self.ente(riga, tabella)),
                None => self.documento.tell(riga, "ente: atteso un blocco [[ente]]"),
            }
        }
        enti
    }

    /// One ente; `None` when something that it needs is missing or wrong (and was told).
    fn ente(&mut self, riga: usize, tabella: &DeTable<'a>) -> Option<Ente> {
        self.documento.refuse_unknown("ente.", tabella, CHIAVI);
        let codice = self.codice(riga, tabella);
        let nome = codice.as_ref().map_or("?", CodiceEnte::as_str).to_owned();
        let denominazione = self.denominazione(riga, tabella);
        let codice_fiscale = self.codice_fiscale(riga, tabella);
        let stato = self.stato(tabella);
        let certificati = self.certificati(riga, &nome, tabella);
        let uffici = self.uffici(riga, &nome, tabella);
        let indirizzi = self.indirizzi(tabella);
        let servizi = self.servizi(riga, &nome, tabella);
        let quota_al_minuto = self.quota(tabella);
        let identity_strict = self.identity_strict(tabella);
        let pdd = self.pdd(&nome, &uffici, tabella);
        Some(Ente {
            codice: codice?,
            denominazione: denominazione?,
            codice_fiscale: codice_fiscale?,
            stato,
            certificati,
            uffici,
            indirizzi,
            servizi,
            quota_al_minuto,
            identity_strict,
            pdd,
        })
    }

    fn required(&mut self, riga: usize, tabella: &DeTable<'a>, chiave: &str) -> Option<(String, usize)> {
        if tabella.get(chiave).is_none() {
            self.documento.tell(riga, format!("manca «{chiave}»"));
            return None;
        }
        self.documento.text(tabella, chiave)
    }

    fn codice(&mut self, riga: usize, tabella: &DeTable<'a>) -> Option<CodiceEnte> {
        let (testo, riga) = self.required(riga, tabella, "codice")?;
        let Ok(codice) = CodiceEnte::from_str(&testo) else {
            self.documento.tell(
                riga,
                format!("codice «{testo}»: da 1 a 16 caratteri fra lettere, cifre e . _ - /"),
            );
            return None;
        };
        if let Some(prima) = self.codici.insert(testo.clone(), riga) {
            self.documento
                .tell(riga, format!("codice «{testo}» già usato alla riga {prima}"));
        }
        Some(codice)
    }

    fn denominazione(&mut self, riga: usize, tabella: &DeTable<'a>) -> Option<String> {
        let (testo, riga) = self.required(riga, tabella, "denominazione")?;
        if testo.trim().is_empty() || testo.chars().any(char::is_control) {
            self.documento
                .tell(riga, "denominazione: vuota o con caratteri di controllo");
            return None;
        }
        Some(testo)
    }

    fn codice_fiscale(&mut self, riga: usize, tabella: &DeTable<'a>) -> Option<String> {
        let (testo, riga) = self.required(riga, tabella, "codice_fiscale")?;
        // An ente is no natural person: eleven digits. The check digit is the domain's business.
        let cifre = testo.len() == 11 && testo.bytes().all(|byte| byte.is_ascii_digit());
        if !cifre {
            self.documento
                .tell(riga, "codice_fiscale: quello di un ente ha undici cifre");
            return None;
        }
        if let Err(causa) = CodiceFiscale::from_str(&testo) {
            self.documento.tell(riga, format!("codice_fiscale: {causa}"));
            return None;
        }
        Some(testo)
    }

    fn stato(&mut self, tabella: &DeTable<'a>) -> StatoEnte {
        let Some((testo, riga)) = self.documento.text(tabella, "stato") else {
            return StatoEnte::Attivo;
        };
        match testo.as_str() {
            "attivo" => StatoEnte::Attivo,
            "sospeso" => StatoEnte::Sospeso,
            altro => {
                self.documento.tell(
                    riga,
                    format!("stato «{altro}»: si può scrivere «attivo» o «sospeso»"),
                );
                StatoEnte::Sospeso
            }
        }
    }

    /// Notes a mistake, where it leaves nothing to go on with.
    pub(super) fn none<T>(&mut self, riga: usize, testo: &str) -> Option<T> {
        self.documento.tell(riga, testo);
        None
    }

    fn uffici(&mut self, riga: usize, ente: &str, tabella: &DeTable<'a>) -> Vec<CodiceUfficio> {
        if tabella.get("uffici").is_none() {
            self.documento.tell(
                riga,
                format!("ente {ente}: manca «uffici» (senza sedi proprie: uffici = [\"001\"])"),
            );
        }
        let mut uffici = Vec::new();
        for (testo, riga) in self.documento.texts(tabella, "uffici") {
            match CodiceUfficio::from_str(&testo) {
                Ok(ufficio) if uffici.contains(&ufficio) => {
                    self.documento
                        .tell(riga, format!("uffici: «{testo}» compare due volte"));
                }
                Ok(ufficio) => uffici.push(ufficio),
                Err(_) => self.documento.tell(
                    riga,
                    format!("uffici: «{testo}» non è un codice (da 1 a 16 fra lettere, cifre e . _ - /)"),
                ),
            }
        }
        uffici
    }

    fn indirizzi(&mut self, tabella: &DeTable<'a>) -> Vec<IpNet> {
        let mut indirizzi = Vec::new();
        for (testo, riga) in self.documento.texts(tabella, "indirizzi") {
            match network(&testo) {
                Some(rete) => indirizzi.push(rete),
                None => self.documento.tell(
                    riga,
                    format!(
                        "indirizzi: «{testo}» non è né un indirizzo (192.0.2.7) né una rete (192.0.2.0/24)"
                    ),
                ),
            }
        }
        indirizzi
    }

    fn servizi(&mut self, riga: usize, ente: &str, tabella: &DeTable<'a>) -> Vec<(String, Vec<String>)> {
        let Some(valore) = tabella.get("servizi") else {
            self.documento.tell(
                riga,
                format!("ente {ente}: manca «servizi» (tutto: servizi = {{ AssegnoTemporaneo = [\"*\"] }})"),
            );
            return Vec::new();
        };
        let riga = self.documento.riga(valore.span().start);
        let Some(mappa) = valore.get_ref().as_table() else {
            self.documento.tell(
                riga,
                format!(
                    "servizi: attesa una tabella {{ Servizio = [operazioni] }}, trovato {}",
                    specie(valore.get_ref())
                ),
            );
            return Vec::new();
        };
        let noti: Vec<&str> = PRESTAZIONI
            .iter()
            .map(|prestazione| prestazione.servizio)
            .collect();
        let mut servizi = Vec::new();
        for (chiave, concesse) in mappa {
            let servizio: &str = chiave.get_ref();
            if !noti.contains(&servizio) {
                let riga = self.documento.riga(chiave.span().start);
                self.documento.tell(riga, unknown("servizio", servizio, &noti));
            }
            // Of a service that is not ours there is nothing to say but that.
            let operazioni: Option<Vec<&str>> = by_servizio(servizio)
                .map(|prestazione| prestazione.operazioni().map(Operazione::nome).collect());
            let mut elenco = Vec::new();
            for (operazione, riga) in self.documento.texts_of(servizio, concesse) {
                if let Some(operazioni) = &operazioni
                    && operazione != "*"
                    && !operazioni.contains(&operazione.as_str())
                {
                    self.documento
                        .tell(riga, unknown("operazione", &operazione, operazioni));
                }
                elenco.push(operazione);
            }
            servizi.push((servizio.to_owned(), elenco));
        }
        servizi
    }

    fn quota(&mut self, tabella: &DeTable<'a>) -> Option<u32> {
        let valore = tabella.get("quota_al_minuto")?;
        let letta = valore
            .get_ref()
            .as_integer()
            .and_then(|numero| u32::from_str_radix(numero.as_str(), numero.radix()).ok())
            .filter(|quota| *quota > 0);
        if letta.is_none() {
            let riga = self.documento.riga(valore.span().start);
            self.documento.tell(
                riga,
                "quota_al_minuto: atteso un numero intero maggiore di zero (senza quota: togliere la riga)",
            );
        }
        letta
    }

    fn identity_strict(&mut self, tabella: &DeTable<'a>) -> Option<bool> {
        let valore = tabella.get("identity_strict")?;
        let letto = valore.get_ref().as_bool();
        if letto.is_none() {
            let riga = self.documento.riga(valore.span().start);
            self.documento.tell(riga, "identity_strict: atteso true o false");
        }
        letto
    }
}

fn unknown(cosa: &str, nome: &str, noti: &[&str]) -> String {
    match nearest(nome, noti) {
        Some(vicino) => format!("{cosa} «{nome}» sconosciuto: forse «{vicino}»?"),
        None => format!("{cosa} «{nome}» sconosciuto: esistono {}", noti.join(", ")),
    }
}

/// A network, or one address as the network of itself alone.
fn network(testo: &str) -> Option<IpNet> {
    IpNet::from_str(testo)
        .ok()
        .or_else(|| IpAddr::from_str(testo).ok().map(IpNet::from))
}
