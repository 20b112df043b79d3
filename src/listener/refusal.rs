//! Why somebody was not let in, in the catalogue's words: one place that turns the errors of TLS and of the socket
//! into a code, a cause and a remedy for the door log.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use rustls::{AlertDescription, CertificateError, InvalidMessage, PeerIncompatible};

use crate::adesione::Certificato;
use crate::catalogo::Codice;
use crate::clock::Clock;
use crate::domanda::Violazione;
use crate::trace::RifiutoAllaPorta;

/// Where refusals at the door are handed: it must not wait (the trace's writer queues them).
pub type DoorLog = Arc<dyn Fn(RifiutoAllaPorta) + Send + Sync>;

/// What is known of whoever is at the door.
#[derive(Debug, Clone, Default)]
pub(super) struct Chi {
    pub(super) indirizzo: Option<IpAddr>,
    pub(super) soggetto: Option<String>,
    pub(super) seriale: Option<String>,
    pub(super) sni: Option<String>,
}

impl Chi {
    pub(super) fn showed(&mut self, certificato: &Certificato) {
        self.soggetto = Some(certificato.soggetto.clone());
        self.seriale = Some(certificato.seriale.clone());
    }

    /// The line of the door log.
    pub(super) fn refused(&self, clock: &dyn Clock, violazione: &Violazione) -> RifiutoAllaPorta {
        RifiutoAllaPorta {
            istante: clock.wall(),
            indirizzo: self.indirizzo,
            soggetto: self.soggetto.clone(),
            seriale: self.seriale.clone(),
            sni: self.sni.clone(),
            codice: violazione.codice.as_str().to_owned(),
            causa: violazione.testo(),
            rimedio: violazione.suggerimento(),
        }
    }
}

/// A refusal about no place in a message.
pub(super) fn refusal(codice: Codice) -> Violazione {
    Violazione::at(codice, "")
}

/// Why a handshake failed, from what the socket or TLS said.
pub(super) fn of_handshake(errore: &io::Error, visto: Option<&Certificato>) -> Violazione {
    let tls = errore
        .get_ref()
        .and_then(|interno| interno.downcast_ref::<rustls::Error>());
    match tls {
        Some(tls) => of_tls(tls, visto),
        // Nothing but the connection's end comes from the socket itself.
        None => refusal(Codice::Tls013),
    }
}

/// Why TLS refused.
pub(super) fn of_tls(errore: &rustls::Error, visto: Option<&Certificato>) -> Violazione {
    use rustls::Error as E;
    match errore {
        E::NoCertificatesPresented => refusal(Codice::Tls001),
        E::InvalidCertificate(causa) => of_certificate(causa, visto),
        E::PeerIncompatible(causa) => of_incompatible(causa),
        E::NoApplicationProtocol => refusal(Codice::Tls017),
        E::AlertReceived(AlertDescription::CloseNotify | AlertDescription::UserCanceled) => {
            refusal(Codice::Tls013)
        }
        E::AlertReceived(avviso) => refusal(Codice::Tls014).with("causa", alert(*avviso)),
        E::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion) => {
            refusal(Codice::Tls011).with("causa", "i primi byte non sono un ClientHello")
        }
        altro => refusal(Codice::Tls018).with("causa", altro),
    }
}

fn of_certificate(causa: &CertificateError, visto: Option<&Certificato>) -> Violazione {
    use CertificateError as C;
    let emittente = || visto.map_or("ignoto", |visto| visto.emittente.as_str());
    match causa {
        C::UnknownIssuer => refusal(Codice::Tls002).with("emittente", emittente()),
        C::Expired | C::ExpiredContext { .. } => {
            let scadenza = visto.map_or_else(|| "ignota".to_owned(), |visto| visto.scadenza.to_string());
            refusal(Codice::Tls003).with("scadenza", scadenza)
        }
        C::NotValidYet | C::NotValidYetContext { .. } => refusal(Codice::Tls004),
        C::Revoked => refusal(Codice::Tls005),
        C::UnknownRevocationStatus => refusal(Codice::Tls006).with("emittente", emittente()),
        C::ExpiredRevocationList | C::ExpiredRevocationListContext { .. } => refusal(Codice::Tls007),
        C::BadSignature => refusal(Codice::Tls008).with(
            "causa",
            "la chiave privata del client non è quella del certificato",
        ),
        C::InvalidPurpose | C::InvalidPurposeContext { .. } => {
            refusal(Codice::Tls008).with("causa", "non è per autenticazione client")
        }
        C::BadEncoding => refusal(Codice::Tls008).with("causa", "non è un certificato X.509 leggibile"),
        // Made by its own hand, as `openssl req -x509` makes it: whatever else is wrong with it, nobody vouches for it.
        _ if visto.is_some_and(|visto| visto.soggetto == visto.emittente) => {
            refusal(Codice::Tls002).with("emittente", emittente())
        }
        altro => refusal(Codice::Tls008).with("causa", altro),
    }
}

fn of_incompatible(causa: &PeerIncompatible) -> Violazione {
    use PeerIncompatible as P;
    match causa {
        P::Tls12NotOffered
        | P::Tls12NotOfferedOrEnabled
        | P::ServerDoesNotSupportTls12Or13
        | P::ServerTlsVersionIsDisabledByOurConfig
        | P::SupportedVersionsExtensionRequired
        // A hello without it is older than TLS 1.2, which brought it.
        | P::SignatureAlgorithmsExtensionRequired => refusal(Codice::Tls009),
        P::NoCipherSuitesInCommon => refusal(Codice::Tls010).with("causa", "nessuna suite"),
        P::NoKxGroupsInCommon | P::NamedGroupsExtensionRequired => {
            refusal(Codice::Tls010).with("causa", "nessuna curva")
        }
        P::NoSignatureSchemesInCommon | P::NoCertificateRequestSignatureSchemesInCommon => {
            refusal(Codice::Tls010).with("causa", "nessuna firma")
        }
        altra => refusal(Codice::Tls018).with("causa", format!("{altra:?}")),
    }
}

fn alert(avviso: AlertDescription) -> String {
    match avviso {
        AlertDescription::UnknownCA => {
            "non riconosce la CA del certificato del server (unknown_ca)".to_owned()
        }
        AlertDescription::CertificateExpired => {
            "trova scaduto il certificato del server (certificate_expired)".to_owned()
        }
        AlertDescription::BadCertificate | AlertDescription::CertificateUnknown => {
            format!("non accetta il certificato del server ({avviso:?})")
        }
        AlertDescription::ProtocolVersion => "non accetta la versione di TLS (protocol_version)".to_owned(),
        altro => format!("avviso TLS {altro:?}"),
    }
}

/// What the first bytes of a connection are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inizio {
    Tls,
    /// A hello of TLS 1.1, 1.0, SSL 3 or SSL 2.
    Vecchio,
    Http,
    Altro,
}

/// So many bytes tell what a connection begins with: a record's header, a message's, and the client's version.
pub(super) const INIZIO_BYTES: usize = 11;

/// The alert `protocol_version`, as a whole record that every version can read.
pub(super) const PROTOCOL_VERSION: [u8; 7] = [0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 70];

/// Looks at the first bytes, before TLS does: plain HTTP deserves an answer that it can read, and an old hello the
/// alert that says so (rustls misses its extensions first, and speaks of those).
pub(super) fn inizio(primi: &[u8]) -> Inizio {
    const METODI: [&[u8]; 8] = [
        b"GET ", b"POST", b"HEAD", b"PUT ", b"OPTI", b"DELE", b"CONN", b"PATC",
    ];
    match primi {
        // TLS 1.3 names 3.3 here too, and its own number in an extension.
        [0x16, _, _, _, _, 0x01, _, _, _, 0x03, minore, ..] if *minore < 0x03 => Inizio::Vecchio,
        [0x16, ..] => Inizio::Tls,
        [lunghezza, _, 0x01, ..] if lunghezza & 0x80 != 0 => Inizio::Vecchio,
        primi
            if METODI
                .iter()
                .any(|metodo| metodo.starts_with(primi) || primi.starts_with(metodo)) =>
        {
            Inizio::Http
        }
        _ => Inizio::Altro,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_what_comes() {
        let hello = |minore| [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, minore];
        assert_eq!(inizio(&hello(3)), Inizio::Tls);
        assert_eq!(inizio(&hello(2)), Inizio::Vecchio);
        assert_eq!(inizio(&hello(0)), Inizio::Vecchio);
        assert_eq!(inizio(&[0x16]), Inizio::Tls);
        assert_eq!(inizio(&[0x80, 0x2e, 0x01, 0x03]), Inizio::Vecchio);
        assert_eq!(inizio(b"POST /modi/"), Inizio::Http);
        assert_eq!(inizio(b"G"), Inizio::Http);
        assert_eq!(inizio(b"SSH-2.0-"), Inizio::Altro);
    }

    #[test]
    fn every_refusal_fills_its_sentence() {
        use CertificateError as C;
        let errori = [
            rustls::Error::NoCertificatesPresented,
            C::UnknownIssuer.into(),
            C::Expired.into(),
            C::NotValidYet.into(),
            C::Revoked.into(),
            C::UnknownRevocationStatus.into(),
            C::ExpiredRevocationList.into(),
            C::InvalidPurpose.into(),
            C::UnhandledCriticalExtension.into(),
            PeerIncompatible::Tls12NotOffered.into(),
            PeerIncompatible::NoKxGroupsInCommon.into(),
            rustls::Error::AlertReceived(AlertDescription::UnknownCA),
            rustls::Error::NoApplicationProtocol,
            rustls::Error::DecryptError,
        ];
        for errore in errori {
            let violazione = of_tls(&errore, None);
            for testo in [
                violazione.testo(),
                violazione.testo_inglese(),
                violazione.suggerimento(),
            ] {
                assert!(!testo.contains('{'), "{testo}");
            }
        }
    }
}
