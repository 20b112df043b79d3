//! Whom the door trusts: the CAs of client certificates and their revocation lists, and the one check of a chain by them.
//! The handshake, an open connection and whoever writes an adesione ask the same question here.

use std::sync::Arc;

use jiff::Timestamp;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, RootCertStore};

use super::refusal::of_tls;
use super::tls::{NelDubbio, TlsConfig, certificates, provider, slurp, told, unix};
use crate::adesione::Certificato;
use crate::adesione::certificato::ListaRevoche;
use crate::domanda::Violazione;

/// Trust anchors and revocation lists, as their files hold them.
#[derive(Debug)]
pub struct Fiducia {
    pub(super) verifier: Arc<dyn ClientCertVerifier>,
    pub(super) liste: Vec<ListaRevoche>,
    pub(super) autorita: Vec<Certificato>,
}

impl Fiducia {
    /// Reads the files of section `tls`; the error is a sentence for people.
    pub fn load(tls: &TlsConfig) -> Result<Self, String> {
        let mut radici = RootCertStore::empty();
        let mut autorita = Vec::new();
        for ca in certificates(&tls.ca)? {
            autorita.push(Certificato::from_der(&ca).map_err(|causa| told(&tls.ca, causa))?);
            radici.add(ca).map_err(|causa| told(&tls.ca, causa))?;
        }
        let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(radici), provider());
        let mut liste = Vec::new();
        if let Some(file) = &tls.crl {
            let pem = slurp(file)?;
            liste = ListaRevoche::from_pem(&pem).map_err(|causa| told(file, causa))?;
            let der: Vec<_> = CertificateRevocationListDer::pem_slice_iter(&pem)
                .collect::<Result<_, _>>()
                .map_err(|causa| told(file, causa))?;
            builder = builder.with_crls(der);
            if tls.crl_scaduta == NelDubbio::Rifiuta {
                builder = builder.enforce_revocation_expiration();
            }
            if tls.crl_assente == NelDubbio::Accetta {
                builder = builder.allow_unknown_revocation_status();
            }
        }
        let file = tls.crl.as_ref().unwrap_or(&tls.ca);
        let verifier = builder.build().map_err(|causa| told(file, causa))?;
        Ok(Self {
            verifier,
            liste,
            autorita,
        })
    }

    /// The whole check of a chain, as in a handshake.
    pub(super) fn verify(
        &self,
        catena: &[CertificateDer<'_>],
        adesso: Timestamp,
    ) -> Result<(), rustls::Error> {
        let (foglia, intermedi) = catena
            .split_first()
            .ok_or(rustls::Error::NoCertificatesPresented)?;
        named(self.verifier.verify_client_cert(foglia, intermedi, unix(adesso))).map(|_| ())
    }

    /// The same for a chain that nobody has shown yet (DER, the client's own first): what the door would say of it.
    pub fn judge(&self, catena: &[Vec<u8>], adesso: Timestamp) -> Result<(), Violazione> {
        let der: Vec<_> = catena
            .iter()
            .map(|der| CertificateDer::from(der.as_slice()))
            .collect();
        self.verify(&der, adesso).map_err(|errore| {
            let visto = catena.first().and_then(|der| Certificato::from_der(der).ok());
            of_tls(&errore, visto.as_ref())
        })
    }
}

/// A chain whose CA has the right name but another key (two sets of test certificates, a CA made anew) is of an
/// unknown CA: "bad signature" would send people to look at their keys.
pub(super) fn named(
    verdetto: Result<ClientCertVerified, rustls::Error>,
) -> Result<ClientCertVerified, rustls::Error> {
    verdetto.map_err(|errore| match errore {
        rustls::Error::InvalidCertificate(CertificateError::BadSignature) => {
            rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)
        }
        altro => altro,
    })
}
