//! The form by which an ente asks to join (docs/adesione.modulo.toml): one block `[[ente]]`, as it shall stand in the
//! register, its certificates with it. It is held against the register that it shall join, and everything that is wrong
//! is told at once, at its line: what stops it, and what somebody should look at first.

use std::net::IpAddr;
use std::path::Path;

use ipnet::IpNet;
use jiff::Timestamp;
use openssl::pkey::Id;
use openssl::x509::X509;

use super::documento::Errore;
use super::file::read;
use super::{Adesioni, Certificato, CertificatoEnte, Ente, Riconoscimento};
use crate::domanda::Violazione;

/// The form to fill in, with what each key means.
pub const MODULO: &str = include_str!("../../docs/adesione.modulo.toml");

/// What the door would say of a chain (DER, the client's own certificate first).
pub type Giudice<'a> = &'a dyn Fn(&[Vec<u8>]) -> Result<(), Violazione>;

/// Against what a form is held.
pub struct Esame<'a> {
    /// Who has joined already.
    pub registro: &'a Adesioni,
    /// Whether the ente is already there and shall be replaced.
    pub sostituisce: bool,
    /// Now.
    pub adesso: Timestamp,
    /// The door.
    pub giudice: Giudice<'a>,
}

/// A form that was read.
#[derive(Debug, Default)]
pub struct Modulo {
    /// The ente, when enough of it could be read.
    pub ente: Option<Ente>,
    /// What stops it, in order of line.
    pub errori: Vec<Errore>,
    /// What somebody should look at, in order of line.
    pub avvisi: Vec<Errore>,
}

/// Reads a form and says everything about it; `file` is where its relative paths start.
#[must_use]
pub fn esamina(testo: &str, file: &Path, esame: &Esame<'_>) -> Modulo {
    let (mut enti, errori) = read(testo, file);
    let mut modulo = Modulo {
        errori,
        ..Modulo::default()
    };
    if enti.len() > 1 {
        modulo.stop(0, "un modulo contiene un solo ente: scriverne uno per file");
        enti.clear();
    }
    if let Some(ente) = enti.pop() {
        let righe = Righe(testo);
        modulo.look_at_names(&ente, &righe, esame);
        for certificato in &ente.certificati {
            modulo.look_at_certificate(&ente, certificato, esame);
        }
        modulo.look_at_addresses(&ente, &righe, esame.registro);
        modulo.ente = Some(ente);
    }
    modulo.errori.sort();
    modulo.avvisi.sort();
    modulo
}

impl Modulo {
    fn stop(&mut self, riga: usize, testo: impl Into<String>) {
        self.errori.push(Errore {
            riga,
            testo: testo.into(),
        });
    }

    fn warn(&mut self, riga: usize, testo: impl Into<String>) {
        self.avvisi.push(Errore {
            riga,
            testo: testo.into(),
        });
    }

    /// Its code, its codice fiscale, its names on SPCoop.
    fn look_at_names(&mut self, ente: &Ente, righe: &Righe<'_>, esame: &Esame<'_>) {
        let codice = &ente.codice;
        let presente = esame.registro.enti().iter().any(|altro| altro.codice == *codice);
        let riga = righe.of("codice", codice.as_str());
        if presente && !esame.sostituisce {
            self.stop(
                riga,
                format!(
                    "codice «{codice}»: l'ente è già fra le adesioni; se è un aggiornamento, aggiungere --sostituisci"
                ),
            );
        }
        if !presente && esame.sostituisce {
            self.stop(
                riga,
                format!(
                    "codice «{codice}»: non è fra le adesioni; se è un ente nuovo, togliere --sostituisci"
                ),
            );
        }
        for altro in others(esame.registro, ente) {
            if altro.codice_fiscale == ente.codice_fiscale {
                self.warn(
                    righe.of("codice_fiscale", &ente.codice_fiscale),
                    format!("codice_fiscale: è lo stesso dell'ente {}", altro.codice),
                );
            }
            for porta in &ente.pdd {
                if altro.porta(&porta.parte).is_some() {
                    self.stop(
                        righe.of("mittente", &porta.parte.nome),
                        format!(
                            "pdd.mittente «{}»: è già dell'ente {}; il Mittente di una busta dice di un ente solo",
                            porta.parte.nome, altro.codice
                        ),
                    );
                }
            }
        }
    }

    fn look_at_certificate(&mut self, ente: &Ente, voce: &CertificatoEnte, esame: &Esame<'_>) {
        let riga = voce.riga;
        let visto = voce
            .catena
            .first()
            .and_then(|der| Certificato::from_der(der).ok());
        for altro in others(esame.registro, ente) {
            let suo = altro.certificati.iter().any(|suo| {
                suo.riconoscimento == voce.riconoscimento
                    || visto.as_ref().is_some_and(|visto| suo.riconoscimento.is(visto))
            });
            if suo {
                self.stop(
                    riga,
                    format!(
                        "certificato già dell'ente {}: un certificato parla per un ente solo; chiederne un altro",
                        altro.codice
                    ),
                );
            }
        }
        if voce.catena.is_empty() {
            self.warn(
                riga,
                "certificato detto solo per nome: non si può verificare; meglio { file = \"…\" } oppure { pem = \"\"\"…\"\"\" }",
            );
        } else if let Err(violazione) = (esame.giudice)(&voce.catena) {
            self.stop(
                riga,
                format!(
                    "certificato: {} {}; {}",
                    violazione.codice,
                    violazione.testo(),
                    violazione.suggerimento()
                ),
            );
        }
        if let Some(der) = voce.catena.first()
            && let Some(bit) = weak(der)
        {
            self.stop(
                riga,
                format!("certificato: chiave RSA di {bit} bit; ne servono almeno 2048"),
            );
        }
        let giorni = voce
            .scadenza
            .map(|scadenza| scadenza.duration_since(esame.adesso).as_hours() / 24);
        if let Some(giorni) = giorni
            && (0..GIORNI_POCHI).contains(&giorni)
        {
            self.warn(
                riga,
                format!("certificato: scade fra {giorni} giorni; chiedere intanto il prossimo"),
            );
        }
    }

    fn look_at_addresses(&mut self, ente: &Ente, righe: &Righe<'_>, registro: &Adesioni) {
        for (posto, rete) in ente.indirizzi.iter().enumerate() {
            let scritto = written(*rete);
            let riga = righe.of("indirizzi", &scritto);
            if rete.prefix_len() == 0 {
                self.warn(
                    riga,
                    format!("indirizzi: {rete} è ovunque; se è voluto, togliere «indirizzi»"),
                );
            }
            if rete.trunc() != *rete {
                self.warn(
                    riga,
                    format!(
                        "indirizzi: {rete} ha bit oltre la maschera; vale per tutta la rete {}",
                        rete.trunc()
                    ),
                );
            }
            if ente.indirizzi[..posto].iter().any(|altra| overlap(altra, rete)) {
                self.warn(
                    riga,
                    format!("indirizzi: {scritto} sta già in un'altra riga di questo modulo"),
                );
            }
            for altro in others(registro, ente) {
                if let Some(sua) = altro.indirizzi.iter().find(|sua| overlap(sua, rete)) {
                    self.warn(
                        riga,
                        format!(
                            "indirizzi: {scritto} si sovrappone a {sua} dell'ente {}",
                            altro.codice
                        ),
                    );
                }
            }
        }
    }
}

/// Within so many days a new certificate is hardly worth joining with.
const GIORNI_POCHI: i64 = 60;

fn others<'a>(registro: &'a Adesioni, ente: &Ente) -> impl Iterator<Item = &'a Ente> {
    let codice = ente.codice.clone();
    registro
        .enti()
        .iter()
        .map(AsRef::as_ref)
        .filter(move |altro| altro.codice != codice)
}

fn overlap(una: &IpNet, altra: &IpNet) -> bool {
    una.contains(&altra.network()) || altra.contains(&una.network())
}

/// As people write it: one address without its mask.
pub(super) fn written(rete: IpNet) -> String {
    if rete.prefix_len() == rete.max_prefix_len() {
        rete.addr().to_string()
    } else {
        rete.to_string()
    }
}

/// The bits of an RSA key that is too short to sign a handshake.
fn weak(der: &[u8]) -> Option<u32> {
    let chiave = X509::from_der(der).ok()?.public_key().ok()?;
    (chiave.id() == Id::RSA && chiave.bits() < 2048).then(|| chiave.bits())
}

/// What a certificate says of itself, for people: who, of whom, from when, until when, for what.
#[must_use]
pub fn ritratto(voce: &CertificatoEnte) -> Vec<String> {
    let Some(x509) = voce.catena.first().and_then(|der| X509::from_der(der).ok()) else {
        return match &voce.riconoscimento {
            Riconoscimento::Sha256(sha256) => vec![format!("sha256      {sha256}")],
            Riconoscimento::EmittenteSeriale { emittente, seriale } => {
                vec![
                    format!("emittente   {emittente}"),
                    format!("seriale     {seriale}"),
                ]
            }
        };
    };
    let mut righe = Vec::new();
    if let Some(letto) = voce
        .catena
        .first()
        .and_then(|der| Certificato::from_der(der).ok())
    {
        righe.push(format!("soggetto    {}", letto.soggetto));
        righe.push(format!("emittente   {}", letto.emittente));
        righe.push(format!("seriale     {}", letto.seriale));
        righe.push(format!(
            "valido      dal {} al {:.0}",
            x509.not_before(),
            letto.scadenza
        ));
        righe.push(format!("sha256      {}", letto.sha256));
    }
    let testo = x509.to_text().unwrap_or_default();
    let testo = String::from_utf8_lossy(&testo);
    for (nome, titolo) in [
        ("X509v3 Key Usage", "uso"),
        ("X509v3 Extended Key Usage", "uso esteso"),
    ] {
        let mut linee = testo.lines();
        if linee.any(|linea| linea.trim_start().starts_with(nome))
            && let Some(uso) = linee.next()
        {
            righe.push(format!("{titolo:<11} {}", uso.trim()));
        }
    }
    righe
}

/// Where something stands in the text of a form.
struct Righe<'a>(&'a str);

impl Righe<'_> {
    /// The first line, from that of the key on, with this value between quotes; 0 where it was written otherwise.
    fn of(&self, chiave: &str, valore: &str) -> usize {
        let cercato = format!("\"{valore}\"");
        let is_key = |riga: &str| {
            riga.trim_start()
                .strip_prefix(chiave)
                .is_some_and(|resto| resto.trim_start().starts_with('='))
        };
        let singolo: Option<IpAddr> = valore.parse().ok();
        (1..)
            .zip(self.0.lines())
            .skip_while(|(_, riga)| !is_key(riga))
            .find(|(_, riga)| {
                riga.contains(&cercato) || singolo.is_some_and(|_| riga.contains(&format!("\"{valore}/")))
            })
            .map_or(0, |(numero, _)| numero)
    }
}
