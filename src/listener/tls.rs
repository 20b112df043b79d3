//! The material of TLS and its reload. TLS 1.2 and 1.3 with the suites of Mozilla Intermediate that rustls has (all
//! with forward secrecy and AEAD), ALPN `http/1.1`, a client certificate always; trust anchors and revocation lists
//! come from files.
//!
//! A reload builds new material beside the old and puts it in place whole; a bad file keeps the old and says why.
//! Each reload makes a new ticketer, so that no session from before is resumed after it: resumption would skip the
//! verifier. Connections that are already open look again by themselves (see `peer`).

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::NoServerSessionStorage;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::TimeProvider;
use rustls::{DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};

use super::fiducia::{Fiducia, named};
use super::handshake::TUTTE;
use super::limits::Conteggio;
use super::metriche::ContiPorta;
use super::refusal::DoorLog;
use super::scadenze::{Scadenza, Soglie};
use crate::adesione::certificato::ListaRevoche;
use crate::adesione::{Adesioni, AdesioniVive, Certificato};
use crate::catalogo::Codice;
use crate::clock::Clock;
use crate::metriche::{CONNESSIONI, Testo};
use crate::trace::RifiutoAllaPorta;

/// What to do where a revocation list leaves a doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NelDubbio {
    /// Refuse the certificate.
    Rifiuta,
    /// Let it in; `check` and the log warn.
    Accetta,
}

/// Section `tls` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsConfig {
    /// PEM: the server's certificate, then its intermediates.
    pub certificato: PathBuf,
    /// PEM: the server's private key.
    pub chiave: PathBuf,
    /// PEM: the CAs whose client certificates are recognised.
    pub ca: PathBuf,
    /// PEM: revocation lists of those CAs; without, revocation is not checked.
    pub crl: Option<PathBuf>,
    /// When a list is past its next update.
    pub crl_scaduta: NelDubbio,
    /// When there are lists, but none of the certificate's issuer.
    pub crl_assente: NelDubbio,
    /// How long before its end a certificate is spoken of.
    pub avvisi: Soglie,
    /// How long before its next update a revocation list is spoken of.
    pub crl_avviso: Duration,
}

impl Default for TlsConfig {
    fn default() -> Self {
        Self {
            certificato: "certs/server.pem".into(),
            chiave: "certs/server.key".into(),
            ca: "certs/ca.pem".into(),
            crl: None,
            crl_scaduta: NelDubbio::Rifiuta,
            crl_assente: NelDubbio::Rifiuta,
            avvisi: Soglie::default(),
            crl_avviso: Duration::from_hours(24),
        }
    }
}

/// The door: what it lets in, by which files, and where it writes what it refused.
pub struct Porta {
    tls: TlsConfig,
    adesioni_file: PathBuf,
    adesioni: AdesioniVive,
    materiale: ArcSwap<Materiale>,
    pub(super) clock: Arc<dyn Clock>,
    door_log: DoorLog,
    ricarica: Mutex<()>,
    /// The connections that are open.
    pub(super) aperte: Conteggio,
    conti: ContiPorta,
}

/// A door that cannot be opened: everything that is wrong with its files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct PortaErrata(pub Vec<String>);

/// What a reload did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ricarica {
    /// What is new, for the log.
    pub prese: Vec<&'static str>,
    /// What was left as it was, and why.
    pub errori: Vec<String>,
}

impl Ricarica {
    /// One thing that was read again: taken, or left as it was.
    pub fn note(&mut self, letto: Result<(), String>, nome: &'static str) {
        match letto {
            Ok(()) => self.prese.push(nome),
            Err(causa) => self.errori.push(causa),
        }
    }
}

impl Porta {
    /// Opens every file of the door, without binding anything.
    pub fn open(
        tls: TlsConfig,
        adesioni_file: PathBuf,
        clock: Arc<dyn Clock>,
        door_log: DoorLog,
    ) -> Result<Arc<Self>, PortaErrata> {
        let identita = load_identita(&tls);
        let fiducia = Fiducia::load(&tls).map(Arc::new);
        let adesioni = Adesioni::load(&adesioni_file).map_err(|errato| errato.to_string());
        match (identita, fiducia, adesioni) {
            (Ok(identita), Ok(fiducia), Ok(adesioni)) => {
                let materiale = Materiale::new(1, identita, fiducia, &clock)
                    .map_err(|causa| PortaErrata(vec![causa.to_string()]))?;
                Ok(Arc::new(Self {
                    tls,
                    adesioni_file,
                    adesioni: Arc::new(ArcSwap::from_pointee(adesioni)),
                    materiale: ArcSwap::from_pointee(materiale),
                    clock,
                    door_log,
                    ricarica: Mutex::new(()),
                    aperte: Conteggio::default(),
                    conti: ContiPorta::default(),
                }))
            }
            (identita, fiducia, adesioni) => Err(PortaErrata(
                [identita.err(), fiducia.err(), adesioni.err()]
                    .into_iter()
                    .flatten()
                    .collect(),
            )),
        }
    }

    /// Reads every file again. What is good comes into force at once; what is bad stays as it was and is told.
    pub fn reload(&self) -> Ricarica {
        // The lock guards no data, so a panic under it spoilt none.
        let _una_alla_volta = self.ricarica.lock().unwrap_or_else(PoisonError::into_inner);
        let mut esito = Ricarica::default();
        let attuale = self.materiale.load_full();
        let mut identita = Arc::clone(&attuale.identita);
        esito.note(
            load_identita(&self.tls).map(|nuova| identita = nuova),
            "certificato del server",
        );
        let mut fiducia = Arc::clone(&attuale.fiducia);
        esito.note(
            Fiducia::load(&self.tls).map(|nuova| fiducia = Arc::new(nuova)),
            "CA e CRL",
        );
        esito.note(
            Adesioni::load(&self.adesioni_file)
                .map(|nuove| self.adesioni.store(Arc::new(nuove)))
                .map_err(|errato| errato.to_string()),
            "adesioni",
        );
        match Materiale::new(attuale.generazione + 1, identita, fiducia, &self.clock) {
            Ok(nuovo) => self.materiale.store(Arc::new(nuovo)),
            Err(causa) => esito.errori.push(causa.to_string()),
        }
        esito
    }

    /// The register of adesioni in force: a reload changes what it points to.
    #[must_use]
    pub fn adesioni(&self) -> AdesioniVive {
        Arc::clone(&self.adesioni)
    }

    /// What an operator should know before it becomes a refusal: what ends soon, revocation that is not checked.
    #[must_use]
    pub fn avvisi(&self) -> Vec<String> {
        let adesso = self.clock.wall();
        let scadenze = self.scadenze().into_iter();
        let mut avvisi: Vec<String> = scadenze
            .filter_map(|scadenza| scadenza.avviso(adesso))
            .map(|avviso| avviso.frase)
            .collect();
        if self.tls.crl.is_none() {
            avvisi.push("tls.crl non impostata: la revoca dei certificati non viene verificata".to_owned());
        }
        avvisi
    }

    /// Everything that ends some day: ours, the CAs', the lists', and what the adesioni tell of the enti's.
    #[must_use]
    pub fn scadenze(&self) -> Vec<Scadenza> {
        let materiale = self.materiale.load();
        let soglie = &self.tls.avvisi;
        let mut scadenze = vec![Scadenza::new(
            "certificato del server".to_owned(),
            materiale.identita.certificato.scadenza,
            soglie,
        )];
        for ca in &materiale.identita.intermedi {
            scadenze.push(Scadenza::new(
                format!("CA intermedia del server {}", ca.soggetto),
                ca.scadenza,
                soglie,
            ));
        }
        for ca in &materiale.fiducia.autorita {
            scadenze.push(Scadenza::new(format!("CA {}", ca.soggetto), ca.scadenza, soglie));
        }
        for lista in &materiale.fiducia.liste {
            if let Some(prossima) = lista.prossima {
                let cosa = format!("CRL di {}", lista.emittente);
                scadenze.push(Scadenza::of_list(cosa, prossima, self.tls.crl_avviso));
            }
        }
        for ente in self.adesioni.load().enti() {
            for (posto, voce) in (1..).zip(&ente.certificati) {
                if let Some(fine) = voce.scadenza {
                    let cosa = format!("certificato {posto} dell'ente {}", ente.codice);
                    scadenze.push(Scadenza::new(cosa, fine, soglie));
                }
            }
        }
        scadenze
    }

    /// When a caller's certificate ends, where that is soon.
    #[must_use]
    pub fn ends_soon(&self, certificato: &Certificato) -> Option<Timestamp> {
        let giorni = self.tls.avvisi.first();
        let resta = certificato.scadenza.duration_since(self.clock.wall());
        (resta <= SignedDuration::from_hours(24 * giorni)).then_some(certificato.scadenza)
    }

    /// The server's own certificate.
    #[must_use]
    pub fn certificato(&self) -> Certificato {
        self.materiale.load().identita.certificato.clone()
    }

    /// The revocation lists in force.
    #[must_use]
    pub fn liste(&self) -> Vec<ListaRevoche> {
        self.materiale.load().fiducia.liste.clone()
    }

    /// The CAs whose certificates are recognised.
    #[must_use]
    pub fn autorita(&self) -> Vec<Certificato> {
        self.materiale.load().fiducia.autorita.clone()
    }

    /// What was counted, as text.
    pub fn tell(&self, testo: &mut Testo) {
        self.conti.tell(testo);
        testo.one(&CONNESSIONI, self.aperte.count(TUTTE));
    }

    /// Somebody came through.
    pub(super) fn accepted(&self, ripresa: bool) {
        self.conti.accolti.add(usize::from(ripresa), 1);
    }

    /// Somebody asked at the trial door.
    pub(super) fn tried(&self, codice: Option<Codice>) {
        self.conti.tried(codice);
    }

    pub(super) fn materiale(&self) -> Arc<Materiale> {
        self.materiale.load_full()
    }

    pub(super) fn refuse(&self, rifiuto: RifiutoAllaPorta) {
        tracing::info!(
            codice = rifiuto.codice,
            indirizzo = rifiuto.indirizzo.map(tracing::field::display),
            soggetto = rifiuto.soggetto,
            seriale = rifiuto.seriale,
            "refused at the door: {}",
            rifiuto.causa,
        );
        self.conti.refused(&rifiuto.codice);
        (self.door_log)(rifiuto);
    }

    /// Whether a list that has run out since it was loaded now leaves a doubt that refuses.
    pub(super) fn crl_scaduta(&self, materiale: &Materiale, adesso: Timestamp) -> bool {
        self.tls.crl_scaduta == NelDubbio::Rifiuta
            && materiale.crl_prossima.is_some_and(|fine| adesso >= fine)
    }
}

impl std::fmt::Debug for Porta {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Porta")
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// What one generation of connections is accepted with.
pub(super) struct Materiale {
    /// Which reload it came by; a connection of an older one checks its certificate again.
    pub(super) generazione: u64,
    pub(super) config: Arc<ServerConfig>,
    identita: Arc<Identita>,
    fiducia: Arc<Fiducia>,
    /// The first of the lists' next updates.
    crl_prossima: Option<Timestamp>,
}

struct Identita {
    chiave: Arc<CertifiedKey>,
    certificato: Certificato,
    intermedi: Vec<Certificato>,
}

impl Materiale {
    fn new(
        generazione: u64,
        identita: Arc<Identita>,
        fiducia: Arc<Fiducia>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, rustls::Error> {
        let verifier = Arc::new(Testimone(Arc::clone(&fiducia.verifier)));
        let risolutore = Arc::new(SingleCertAndKey::from(CertifiedKey::clone(&identita.chiave)));
        let mut config = ServerConfig::builder_with_details(provider(), Arc::new(OraVera(Arc::clone(clock))))
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(risolutore);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Tickets alone, and none that outlives this generation: no session is kept in memory for strangers.
        config.ticketer = rustls::crypto::ring::Ticketer::new()?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        let crl_prossima = fiducia.liste.iter().filter_map(|lista| lista.prossima).min();
        Ok(Self {
            generazione,
            config: Arc::new(config),
            identita,
            fiducia,
            crl_prossima,
        })
    }

    /// The server's certificate with its key.
    pub(super) fn server_key(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.identita.chiave)
    }

    /// The whole check of a chain, as in a handshake.
    pub(super) fn verify(
        &self,
        catena: &[CertificateDer<'_>],
        adesso: Timestamp,
    ) -> Result<(), rustls::Error> {
        self.fiducia.verify(catena, adesso)
    }
}

tokio::task_local! {
    /// The certificate that the handshake under way was shown, whatever became of it: looked into only when it is
    /// refused and has to be named.
    pub(super) static VISTO: RefCell<Option<CertificateDer<'static>>>;
}

/// The verifier, with a witness beside it: a refused certificate is named in the door log.
#[derive(Debug)]
struct Testimone(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for Testimone {
    fn offer_client_auth(&self) -> bool {
        true
    }

    fn client_auth_mandatory(&self) -> bool {
        true
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        foglia: &CertificateDer<'_>,
        intermedi: &[CertificateDer<'_>],
        adesso: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        // Outside a handshake there is nobody to tell.
        let _ = VISTO.try_with(|visto| visto.replace(Some(foglia.clone().into_owned())));
        named(self.0.verify_client_cert(foglia, intermedi, adesso))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// TLS lives by the true clock, whatever the business clock says.
#[derive(Debug)]
struct OraVera(Arc<dyn Clock>);

impl TimeProvider for OraVera {
    fn current_time(&self) -> Option<UnixTime> {
        Some(unix(self.0.wall()))
    }
}

pub(super) fn unix(istante: Timestamp) -> UnixTime {
    let secondi = u64::try_from(istante.as_second()).unwrap_or(0);
    UnixTime::since_unix_epoch(Duration::from_secs(secondi))
}

pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn load_identita(tls: &TlsConfig) -> Result<Arc<Identita>, String> {
    Ok(Arc::new(identity(&tls.certificato, &tls.chiave)?))
}

/// A server's certificate with its key, as connections are taken in with them.
pub(super) fn server_identity(
    certificato: &Path,
    chiave: &Path,
) -> Result<(Arc<CertifiedKey>, Certificato), String> {
    let identita = identity(certificato, chiave)?;
    Ok((identita.chiave, identita.certificato))
}

fn identity(file: &Path, file_chiave: &Path) -> Result<Identita, String> {
    let catena = certificates(file)?;
    let foglia = catena.first().ok_or_else(|| told(file, "nessun certificato"))?;
    let certificato = Certificato::from_der(foglia).map_err(|causa| told(file, causa))?;
    let intermedi = catena
        .iter()
        .skip(1)
        .map(|der| Certificato::from_der(der).map_err(|causa| told(file, causa)))
        .collect::<Result<_, _>>()?;
    let chiave = PrivateKeyDer::from_pem_slice(&slurp(file_chiave)?)
        .map_err(|causa| told(file_chiave, format!("nessuna chiave privata leggibile ({causa})")))?;
    let chiave = CertifiedKey::from_der(catena, chiave, &provider()).map_err(|causa| match causa {
        rustls::Error::InconsistentKeys(_) => told(
            file_chiave,
            format!("non è la chiave del certificato {}", file.display()),
        ),
        altra => told(file_chiave, altra),
    })?;
    Ok(Identita {
        chiave: Arc::new(chiave),
        certificato,
        intermedi,
    })
}

pub(super) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificati: Vec<_> = CertificateDer::pem_slice_iter(&slurp(file)?)
        .collect::<Result<_, _>>()
        .map_err(|causa| told(file, causa))?;
    if certificati.is_empty() {
        return Err(told(file, "nessun blocco «CERTIFICATE»"));
    }
    Ok(certificati)
}

pub(super) fn slurp(file: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(file).map_err(|causa| told(file, causa))
}

pub(super) fn told(file: &Path, causa: impl std::fmt::Display) -> String {
    format!("{}: {causa}", file.display())
}
