//! Certificates and revocation lists looked into: who is named, which serial, until when. Nothing is verified here:
//! the handshake does that.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{LazyLock, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use openssl::asn1::{Asn1IntegerRef, Asn1Time, Asn1TimeRef};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::x509::{X509, X509Crl, X509NameRef, X509Ref};

use super::Certificato;
use crate::domanda::sha256::hex;

/// Bytes that are no certificate or no revocation list.
#[derive(Debug, thiserror::Error)]
pub enum CertificatoErrato {
    /// OpenSSL does not read it.
    #[error("il contenuto non è leggibile: {0}")]
    Illeggibile(#[from] ErrorStack),
    /// There is none in the file.
    #[error("il file non contiene alcun blocco «{0}»")]
    Assente(&'static str),
    /// An instant that no calendar has.
    #[error("data fuori dal calendario")]
    Data,
}

impl Certificato {
    /// What the handshake's certificate says of itself.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificatoErrato> {
        let x509 = X509::from_der(der)?;
        Self::from_x509(&x509)
    }

    /// As [`Certificato::from_der`], for one that a handshake has accepted: the same few come again and again, and
    /// looking into one costs more than the rest of a connection's bookkeeping together.
    pub fn of_peer(der: &[u8]) -> Result<Self, CertificatoErrato> {
        /// Certificates of enti that are remembered; past it the memory starts anew.
        const CONOSCIUTI_MAX: usize = 1024;
        static CONOSCIUTI: LazyLock<Mutex<HashMap<Box<[u8]>, Certificato>>> = LazyLock::new(Mutex::default);
        // A panic under the lock leaves a map of whole entries.
        let mut conosciuti = CONOSCIUTI.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(certificato) = conosciuti.get(der) {
            return Ok(certificato.clone());
        }
        let certificato = Self::from_der(der)?;
        if conosciuti.len() >= CONOSCIUTI_MAX {
            conosciuti.clear();
        }
        conosciuti.insert(der.into(), certificato.clone());
        Ok(certificato)
    }

    /// Every certificate of a PEM file, in order.
    pub fn from_pem(pem: &[u8]) -> Result<Vec<Self>, CertificatoErrato> {
        let certificati = X509::stack_from_pem(pem)?;
        if certificati.is_empty() {
            return Err(CertificatoErrato::Assente("CERTIFICATE"));
        }
        certificati.iter().map(|x509| Self::from_x509(x509)).collect()
    }

    fn from_x509(x509: &X509Ref) -> Result<Self, CertificatoErrato> {
        Ok(Self {
            soggetto: one_line(x509.subject_name()),
            emittente: one_line(x509.issuer_name()),
            seriale: serial(x509.serial_number())?,
            sha256: hex(&x509.digest(MessageDigest::sha256())?),
            scadenza: instant(x509.not_after())?,
        })
    }
}

/// A revocation list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListaRevoche {
    /// Who issued it, one line as in [`Certificato::emittente`].
    pub emittente: String,
    /// When it was made.
    pub emessa: Timestamp,
    /// Until when it may be trusted; `None` = it does not say.
    pub prossima: Option<Timestamp>,
    /// The serials it revokes, as in [`Certificato::seriale`], sorted.
    pub revocati: Vec<String>,
}

impl ListaRevoche {
    /// Every list of a PEM file, in order.
    pub fn from_pem(pem: &[u8]) -> Result<Vec<Self>, CertificatoErrato> {
        let liste = blocks(pem)
            .map(|blocco| Self::read(&X509Crl::from_pem(blocco)?))
            .collect::<Result<Vec<_>, _>>()?;
        if liste.is_empty() {
            return Err(CertificatoErrato::Assente("X509 CRL"));
        }
        Ok(liste)
    }

    /// Whether it revokes a certificate.
    #[must_use]
    pub fn revokes(&self, certificato: &Certificato) -> bool {
        self.emittente == certificato.emittente && self.revocati.binary_search(&certificato.seriale).is_ok()
    }

    fn read(crl: &X509Crl) -> Result<Self, CertificatoErrato> {
        let mut revocati = Vec::new();
        for revocato in crl.get_revoked().into_iter().flatten() {
            revocati.push(serial(revocato.serial_number())?);
        }
        revocati.sort_unstable();
        Ok(Self {
            emittente: one_line(crl.issuer_name()),
            emessa: instant(crl.last_update())?,
            prossima: crl.next_update().map(instant).transpose()?,
            revocati,
        })
    }
}

/// A serial as we spell it: upper-case hex, no separators, no leading zeros (`0` itself excepted).
#[must_use]
pub fn normalize_serial(testo: &str) -> Option<String> {
    let cifre: String = testo.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
    if cifre.is_empty() || !cifre.chars().all(|c| c.is_ascii_hexdigit()) {
        return None;
    }
    let corto = cifre.trim_start_matches('0');
    Some(if corto.is_empty() {
        "0".to_owned()
    } else {
        corto.to_ascii_uppercase()
    })
}

/// A SHA-256 as we spell it: 64 lower-case hex digits.
#[must_use]
pub fn normalize_sha256(testo: &str) -> Option<String> {
    let cifre: String = testo.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
    (cifre.len() == 64 && cifre.chars().all(|c| c.is_ascii_hexdigit())).then(|| cifre.to_ascii_lowercase())
}

/// A name as RFC 4514 writes it, most specific part first: `CN=pat01,O=Patronato,C=IT`. A control character never
/// comes through: these names are printed in logs.
fn one_line(nome: &X509NameRef) -> String {
    let mut parti: Vec<String> = nome
        .entries()
        .map(|voce| {
            let nid = voce.object().nid();
            let tipo = nid
                .short_name()
                .map_or_else(|_| voce.object().to_string(), str::to_owned);
            let valore = voce
                .data()
                .to_string()
                .map_or_else(|_| hex(voce.data().as_slice()), |testo| escape(&testo));
            format!("{tipo}={valore}")
        })
        .collect();
    parti.reverse();
    parti.join(",")
}

fn escape(valore: &str) -> String {
    let ultimo = valore.chars().count().saturating_sub(1);
    let mut testo = String::with_capacity(valore.len());
    for (posto, lettera) in valore.chars().enumerate() {
        match lettera {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => {
                testo.push('\\');
                testo.push(lettera);
            }
            '#' if posto == 0 => testo.push_str("\\#"),
            ' ' if posto == 0 || posto == ultimo => testo.push_str("\\ "),
            lettera if lettera.is_control() => {
                for byte in lettera.to_string().bytes() {
                    // Writing to a String cannot fail.
                    let _ = write!(testo, "\\{byte:02X}");
                }
            }
            lettera => testo.push(lettera),
        }
    }
    testo
}

fn serial(numero: &Asn1IntegerRef) -> Result<String, CertificatoErrato> {
    let esadecimale = numero.to_bn()?.to_hex_str()?;
    let corto = esadecimale.trim_start_matches('0');
    Ok(if corto.is_empty() {
        "0".to_owned()
    } else {
        corto.to_owned()
    })
}

fn instant(istante: &Asn1TimeRef) -> Result<Timestamp, CertificatoErrato> {
    let distanza = Asn1Time::from_unix(0)?.diff(istante)?;
    let secondi = i64::from(distanza.days) * 86_400 + i64::from(distanza.secs);
    Timestamp::UNIX_EPOCH
        .checked_add(SignedDuration::from_secs(secondi))
        .map_err(|_| CertificatoErrato::Data)
}

/// The PEM blocks of revocation lists: OpenSSL reads only the first of a file.
fn blocks(pem: &[u8]) -> impl Iterator<Item = &[u8]> {
    const INIZIO: &[u8] = b"-----BEGIN X509 CRL-----";
    let mut resto = pem;
    std::iter::from_fn(move || {
        let da = resto
            .windows(INIZIO.len())
            .position(|finestra| finestra == INIZIO)?;
        let dopo = &resto[da + INIZIO.len()..];
        let a = dopo
            .windows(INIZIO.len())
            .position(|finestra| finestra == INIZIO)
            .map_or(resto.len(), |a| da + INIZIO.len() + a);
        let blocco = &resto[da..a];
        resto = &resto[a..];
        Some(blocco)
    })
}

#[cfg(test)]
mod tests {
    use openssl::x509::X509NameBuilder;

    use super::*;

    #[test]
    fn a_serial_and_a_fingerprint_have_one_spelling() {
        assert_eq!(normalize_serial("00:0a:1B").as_deref(), Some("A1B"));
        assert_eq!(normalize_serial("00").as_deref(), Some("0"));
        assert_eq!(normalize_serial("xyz"), None);
        assert_eq!(normalize_sha256(&"AB:".repeat(32)), Some("ab".repeat(32)));
        assert_eq!(normalize_sha256("ab"), None);
    }

    #[test]
    fn a_name_is_one_line_whatever_it_holds() {
        let mut nome = X509NameBuilder::new().unwrap();
        nome.append_entry_by_text("C", "IT").unwrap();
        nome.append_entry_by_text("O", "Patronato, Uno + Due").unwrap();
        nome.append_entry_by_text("CN", "pat01\nFAKE").unwrap();
        assert_eq!(
            one_line(&nome.build()),
            "CN=pat01\\0AFAKE,O=Patronato\\, Uno \\+ Due,C=IT"
        );
    }
}
