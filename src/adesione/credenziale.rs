//! The certificates of an ente as its file tells them: by the file, by the text itself, or by a name that a handshake's
//! certificate can be held against. Of one that was told by name alone nobody knows the end, unless `scade` tells it.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use jiff::Timestamp;
use openssl::x509::X509;

use super::certificato::{normalize_serial, normalize_sha256};
use super::documento::specie;
use super::file::Lettura;
use super::{Certificato, CertificatoEnte, Riconoscimento};

const FORME: &str = "atteso { file = \"…\" }, { pem = \"\"\"…\"\"\" }, { sha256 = \"…\" } o { emittente = \"…\", seriale = \"…\" }";

impl<'a> Lettura<'a> {
    /// Every certificate of an ente; those that are wrong are told and left out.
    pub(super) fn certificati(
        &mut self,
        riga: usize,
        ente: &str,
        tabella: &DeTable<'a>,
    ) -> Vec<CertificatoEnte> {
        let lista = tabella
            .get("certificati")
            .map(|valore| (valore, valore.get_ref().as_array()));
        let lista = match lista {
            Some((_, Some(lista))) if !lista.is_empty() => lista,
            Some((valore, None)) => {
                let riga = self.documento.riga(valore.span().start);
                let trovato = specie(valore.get_ref());
                self.documento
                    .tell(riga, format!("certificati: attesa una lista, trovato {trovato}"));
                return Vec::new();
            }
            Some((_, Some(_))) | None => {
                self.documento.tell(
                    riga,
                    format!(
                        "ente {ente}: nessun certificato; ne serve almeno uno: \
                         certificati = [{{ file = \"certs/nome.pem\" }}]"
                    ),
                );
                return Vec::new();
            }
        };
        lista
            .iter()
            .filter_map(|voce| self.certificato(ente, voce))
            .collect()
    }

    fn certificato(&mut self, ente: &str, voce: &Spanned<DeValue<'a>>) -> Option<CertificatoEnte> {
        let riga = self.documento.riga(voce.span().start);
        let Some(tabella) = voce.get_ref().as_table() else {
            return self.none(riga, &format!("certificati: {FORME}"));
        };
        let ammesse = ["sha256", "emittente", "seriale", "scade", "file", "pem"];
        self.documento.refuse_unknown("certificati.", tabella, &ammesse);
        let (nomi, letto) = match self.nomi(riga, tabella) {
            Ok(letto) => letto,
            Err(errore) => return self.none(riga, &errore),
        };
        for nome in &nomi {
            if let Some((prima, altro)) = self.certificati.get(nome) {
                let detto = format!("ente {ente}: certificato già dato all'ente {altro} (riga {prima})");
                return self.none(riga, &detto);
            }
        }
        for nome in &nomi {
            self.certificati.insert(nome.clone(), (riga, ente.to_owned()));
        }
        let (scadenza, catena) = match letto {
            Letto::Intero(scadenza, catena) => (Some(scadenza), catena),
            Letto::Nome => (self.scade(tabella), Vec::new()),
        };
        Some(CertificatoEnte {
            riconoscimento: nomi.into_iter().next()?,
            scadenza,
            catena,
            riga,
        })
    }

    /// The names by which it is known, and what was read of it.
    fn nomi(&mut self, riga: usize, tabella: &DeTable<'a>) -> Result<(Vec<Riconoscimento>, Letto), String> {
        let mut testo = |chiave: &str| self.documento.text(tabella, chiave).map(|(testo, _)| testo);
        let forme = (
            testo("sha256"),
            testo("emittente"),
            testo("seriale"),
            testo("file"),
            testo("pem"),
        );
        if tabella.contains_key("scade") && (forme.3.is_some() || forme.4.is_some()) {
            self.documento.tell(
                riga,
                "certificati.scade: la scadenza è già nel certificato, togliere «scade»",
            );
        }
        match forme {
            (Some(sha256), None, None, None, None) => normalize_sha256(&sha256)
                .map(|sha256| (vec![Riconoscimento::Sha256(sha256)], Letto::Nome))
                .ok_or_else(|| "sha256: attese 64 cifre esadecimali".to_owned()),
            (None, Some(emittente), Some(seriale), None, None) => normalize_serial(&seriale)
                .map(|seriale| {
                    let nome = Riconoscimento::EmittenteSeriale { emittente, seriale };
                    (vec![nome], Letto::Nome)
                })
                .ok_or_else(|| "seriale: attese cifre esadecimali".to_owned()),
            (None, None, None, Some(file), None) => {
                let percorso = self.cartella.join(&file);
                std::fs::read(&percorso)
                    .map_err(|causa| causa.to_string())
                    .and_then(|pem| whole(&pem))
                    .map_err(|causa| format!("certificato {}: {causa}", percorso.display()))
            }
            (None, None, None, None, Some(pem)) => {
                whole(pem.as_bytes()).map_err(|causa| format!("certificato in «pem»: {causa}"))
            }
            _ => Err(format!("certificati: {FORME}")),
        }
    }

    fn scade(&mut self, tabella: &DeTable<'a>) -> Option<Timestamp> {
        let (testo, riga) = self.documento.text(tabella, "scade")?;
        let letta = testo.parse().ok();
        if letta.is_none() {
            self.documento.tell(
                riga,
                format!("certificati.scade «{testo}»: atteso un istante come 2027-11-23T10:00:00Z"),
            );
        }
        letta
    }
}

/// How much of a certificate a file tells.
enum Letto {
    /// The certificate itself: its end, and the chain as DER.
    Intero(Timestamp, Vec<Vec<u8>>),
    /// Only how to know it.
    Nome,
}

/// A certificate given whole, and what follows it in its file.
fn whole(pem: &[u8]) -> Result<(Vec<Riconoscimento>, Letto), String> {
    let chiaro = |causa: &dyn std::fmt::Display| causa.to_string();
    let primo = Certificato::from_pem(pem)
        .map_err(|causa| chiaro(&causa))?
        .into_iter()
        .next()
        .ok_or("nessun certificato")?;
    let catena = X509::stack_from_pem(pem)
        .and_then(|catena| catena.iter().map(|x509| x509.to_der()).collect())
        .map_err(|causa| chiaro(&causa))?;
    let nomi = vec![
        Riconoscimento::Sha256(primo.sha256),
        Riconoscimento::EmittenteSeriale {
            emittente: primo.emittente,
            seriale: primo.seriale,
        },
    ];
    Ok((nomi, Letto::Intero(primo.scadenza, catena)))
}
