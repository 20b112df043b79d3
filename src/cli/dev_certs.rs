//! Certificates for trying Varco out: a CA, a server, two patronati, one certificate that is revoked (with its CRL)
//! and one that has expired. For the sandbox and for tests alone: the CA's key lies beside what it signs.
//!
//! What is there is kept, so that a client set up yesterday still works; `force` makes everything anew.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::stack::Stack;
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, CrlNumber, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName,
    SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509CrlBuilder, X509NameBuilder, X509RevokedBuilder};

/// The clients that are made, each with `.pem`, `.key` and `.p12`.
pub const CLIENTI: [&str; 4] = ["pat01", "pat02", "revoked", "expired"];

/// The password of the PKCS#12 copies, unless another is asked for. Stated in certs-dev/README.md.
pub const PASSWORD: &str = "varco";

/// Everything is valid for so long: a demo must not stop working by itself.
const ANNI_10: SignedDuration = SignedDuration::from_hours(24 * 3652);
const GIORNO: SignedDuration = SignedDuration::from_hours(24);

/// What kind of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Chiavi {
    /// ECDSA on P-256.
    #[default]
    P256,
    /// RSA, 2048 bits: for clients that know nothing else.
    Rsa2048,
}

/// How the certificates are to be.
#[derive(Debug, Clone)]
pub struct Opzioni {
    /// What time it is.
    pub adesso: Timestamp,
    /// Names and addresses of the server beside `localhost`, `127.0.0.1` and `::1`.
    pub nomi: Vec<String>,
    /// Make everything anew, also what is there.
    pub force: bool,
    /// What kind of keys.
    pub chiavi: Chiavi,
    /// Password of the PKCS#12 copies.
    pub password: String,
}

impl Opzioni {
    /// The usual ones, at `adesso`.
    #[must_use]
    pub fn at(adesso: Timestamp) -> Self {
        Self {
            adesso,
            nomi: Vec::new(),
            force: false,
            chiavi: Chiavi::default(),
            password: PASSWORD.to_owned(),
        }
    }
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fatti {
    /// Files that were written.
    pub scritti: Vec<PathBuf>,
    /// Files that were there and stayed.
    pub tenuti: Vec<PathBuf>,
}

/// Why the certificates could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DevCertsError {
    /// The directory or a file.
    #[error("{}: {causa}", .file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// What was wrong.
        #[source]
        causa: std::io::Error,
    },
    /// There are certificates but not the CA that signed them, or half a pair.
    #[error("{}: manca, ma ci sono altri file della stessa serie; usare --force per rifare tutto", .0.display())]
    Incompleta(PathBuf),
    /// A password or a name that cannot be written.
    #[error("{0} contiene un carattere nullo")]
    Nullo(&'static str),
    /// OpenSSL refused.
    #[error("OpenSSL: {0}")]
    OpenSsl(#[from] ErrorStack),
}

/// Makes what is missing in `dir` (all of it with `force`): `{ca,server,pat01,pat02,revoked,expired}.{pem,key}`,
/// `crl.pem`, and `.p12` copies for the clients.
pub fn make(dir: &Path, opzioni: &Opzioni) -> Result<Fatti, DevCertsError> {
    if opzioni.password.contains('\0') {
        return Err(DevCertsError::Nullo("la password"));
    }
    if opzioni.nomi.iter().any(|nome| nome.contains('\0')) {
        return Err(DevCertsError::Nullo("un nome del server"));
    }
    std::fs::create_dir_all(dir).map_err(|causa| DevCertsError::File {
        file: dir.to_owned(),
        causa,
    })?;
    let mut serie = Serie {
        dir,
        opzioni,
        fatti: Fatti::default(),
    };
    let ca = serie.ca()?;
    serie.server(&ca)?;
    for cliente in CLIENTI {
        serie.cliente(&ca, cliente)?;
    }
    if serie.wanted("crl.pem") {
        serie.crl(&ca, &["revoked"])?;
    }
    Ok(serie.fatti)
}

/// Writes `crl.pem` anew, revoking the named certificates of `dir` (`revoked`, `pat02`, …).
pub fn revoke(dir: &Path, nomi: &[&str], adesso: Timestamp) -> Result<Fatti, DevCertsError> {
    let opzioni = Opzioni::at(adesso);
    let mut serie = Serie {
        dir,
        opzioni: &opzioni,
        fatti: Fatti::default(),
    };
    let ca = serie.read("ca")?;
    serie.crl(&ca, nomi)?;
    Ok(serie.fatti)
}

/// A certificate and its key.
struct Coppia {
    certificato: X509,
    chiave: PKey<Private>,
}

/// What sets one certificate apart from another.
struct Ruolo<'a> {
    nome: &'a str,
    dal: Timestamp,
    al: Timestamp,
    uso: Uso,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Uso {
    Ca,
    Server,
    Client,
}

struct Serie<'a> {
    dir: &'a Path,
    opzioni: &'a Opzioni,
    fatti: Fatti,
}

impl Serie<'_> {
    fn ca(&mut self) -> Result<Coppia, DevCertsError> {
        if !self.wanted("ca.pem") {
            self.kept("ca.key")?;
            return self.read("ca");
        }
        // A new CA would leave the others signed by nobody: rather stop than break what somebody may be using.
        let altri = ["ca.key", "server.pem", "pat01.pem", "pat02.pem"];
        if !self.opzioni.force && altri.iter().any(|file| self.dir.join(file).exists()) {
            return Err(DevCertsError::Incompleta(self.dir.join("ca.pem")));
        }
        let ruolo = Ruolo {
            nome: "Varco CA di prova",
            dal: self.opzioni.adesso - GIORNO,
            al: self.opzioni.adesso + ANNI_10,
            uso: Uso::Ca,
        };
        let ca = self.issue(&ruolo, None)?;
        self.write_pair("ca", &ca)?;
        Ok(ca)
    }

    fn server(&mut self, ca: &Coppia) -> Result<(), DevCertsError> {
        if !self.wanted("server.pem") {
            return self.kept("server.key");
        }
        let ruolo = Ruolo {
            nome: "localhost",
            dal: self.opzioni.adesso - GIORNO,
            al: self.opzioni.adesso + ANNI_10,
            uso: Uso::Server,
        };
        let server = self.issue(&ruolo, Some(ca))?;
        self.write_pair("server", &server)
    }

    fn cliente(&mut self, ca: &Coppia, nome: &str) -> Result<(), DevCertsError> {
        if self.wanted(&format!("{nome}.pem")) {
            let (dal, al) = if nome == "expired" {
                (self.opzioni.adesso - GIORNO * 60, self.opzioni.adesso - GIORNO)
            } else {
                (self.opzioni.adesso - GIORNO, self.opzioni.adesso + ANNI_10)
            };
            let cliente = self.issue(
                &Ruolo {
                    nome,
                    dal,
                    al,
                    uso: Uso::Client,
                },
                Some(ca),
            )?;
            self.write_pair(nome, &cliente)?;
            self.pkcs12(ca, nome, &cliente)
        } else {
            self.kept(&format!("{nome}.key"))?;
            if self.wanted(&format!("{nome}.p12")) {
                let cliente = self.read(nome)?;
                self.pkcs12(ca, nome, &cliente)?;
            }
            Ok(())
        }
    }

    fn issue(&self, ruolo: &Ruolo<'_>, ca: Option<&Coppia>) -> Result<Coppia, DevCertsError> {
        let chiave = match self.opzioni.chiavi {
            Chiavi::P256 => PKey::from_ec_key(EcKey::generate(&*EcGroup::from_curve_name(
                Nid::X9_62_PRIME256V1,
            )?)?)?,
            Chiavi::Rsa2048 => PKey::from_rsa(Rsa::generate(2048)?)?,
        };
        let mut soggetto = X509NameBuilder::new()?;
        soggetto.append_entry_by_nid(Nid::COUNTRYNAME, "IT")?;
        soggetto.append_entry_by_nid(Nid::ORGANIZATIONNAME, "Varco, solo per prove")?;
        soggetto.append_entry_by_nid(Nid::COMMONNAME, ruolo.nome)?;
        let soggetto = soggetto.build();
        let mut numero = BigNum::new()?;
        numero.rand(127, MsbOption::MAYBE_ZERO, false)?;

        let mut x509 = X509::builder()?;
        x509.set_version(2)?;
        x509.set_serial_number(&*Asn1Integer::from_bn(&numero)?)?;
        x509.set_subject_name(&soggetto)?;
        x509.set_issuer_name(ca.map_or(&*soggetto, |ca| ca.certificato.subject_name()))?;
        x509.set_not_before(&*Asn1Time::from_unix(ruolo.dal.as_second())?)?;
        x509.set_not_after(&*Asn1Time::from_unix(ruolo.al.as_second())?)?;
        x509.set_pubkey(&chiave)?;
        match ruolo.uso {
            Uso::Ca => {
                x509.append_extension(BasicConstraints::new().critical().ca().pathlen(0).build()?)?;
                x509.append_extension(KeyUsage::new().critical().key_cert_sign().crl_sign().build()?)?;
            }
            Uso::Server | Uso::Client => {
                x509.append_extension(BasicConstraints::new().critical().build()?)?;
                let mut usi = KeyUsage::new();
                usi.critical().digital_signature();
                if self.opzioni.chiavi == Chiavi::Rsa2048 {
                    usi.key_encipherment();
                }
                x509.append_extension(usi.build()?)?;
                let mut scopo = ExtendedKeyUsage::new();
                if ruolo.uso == Uso::Server {
                    scopo.server_auth();
                } else {
                    scopo.client_auth();
                }
                x509.append_extension(scopo.build()?)?;
            }
        }
        let contesto = x509.x509v3_context(ca.map(|ca| &*ca.certificato), None);
        let impronta = SubjectKeyIdentifier::new().build(&contesto)?;
        x509.append_extension(impronta)?;
        if let Some(ca) = ca {
            let contesto = x509.x509v3_context(Some(&ca.certificato), None);
            let emittente = AuthorityKeyIdentifier::new().keyid(true).build(&contesto)?;
            x509.append_extension(emittente)?;
        }
        if ruolo.uso == Uso::Server {
            let mut nomi = SubjectAlternativeName::new();
            nomi.dns("localhost").ip("127.0.0.1").ip("::1");
            for nome in &self.opzioni.nomi {
                if nome.parse::<IpAddr>().is_ok() {
                    nomi.ip(nome);
                } else {
                    nomi.dns(nome);
                }
            }
            let contesto = x509.x509v3_context(ca.map(|ca| &*ca.certificato), None);
            let nomi = nomi.build(&contesto)?;
            x509.append_extension(nomi)?;
        }
        x509.sign(ca.map_or(&chiave, |ca| &ca.chiave), MessageDigest::sha256())?;
        Ok(Coppia {
            certificato: x509.build(),
            chiave,
        })
    }

    fn crl(&mut self, ca: &Coppia, revocati: &[&str]) -> Result<(), DevCertsError> {
        let adesso = self.opzioni.adesso;
        let mut crl = X509CrlBuilder::new()?;
        crl.set_issuer_name(ca.certificato.subject_name())?;
        crl.set_last_update(&*Asn1Time::from_unix((adesso - GIORNO).as_second())?)?;
        crl.set_next_update(&*Asn1Time::from_unix((adesso + ANNI_10).as_second())?)?;
        for nome in revocati {
            let certificato = X509::from_pem(&self.slurp(&format!("{nome}.pem"))?)?;
            let mut voce = X509RevokedBuilder::new()?;
            voce.set_serial_number(certificato.serial_number())?;
            voce.set_revocation_date(&*Asn1Time::from_unix(adesso.as_second())?)?;
            crl.add_revoked(voce.build())?;
        }
        crl.sort()?;
        let contesto = X509::builder()?;
        let contesto = contesto.x509v3_context(Some(&ca.certificato), None);
        crl.append_extension(AuthorityKeyIdentifier::new().keyid(true).build(&contesto)?)?;
        // Each list of a CA has a higher number than the one before: the second of its making will do.
        let numero = BigNum::from_dec_str(&adesso.as_second().max(0).to_string())?;
        crl.append_extension(CrlNumber::new(numero)?.build()?)?;
        crl.sign(&ca.chiave, MessageDigest::sha256())?;
        self.write("crl.pem", &crl.build()?.to_pem()?, 0o644)
    }

    fn pkcs12(&mut self, ca: &Coppia, nome: &str, coppia: &Coppia) -> Result<(), DevCertsError> {
        let mut catena = Stack::new()?;
        catena.push(ca.certificato.clone())?;
        let mut p12 = Pkcs12::builder();
        p12.name(nome)
            .pkey(&coppia.chiave)
            .cert(&coppia.certificato)
            .ca(catena)
            .key_algorithm(Nid::AES_256_CBC)
            .cert_algorithm(Nid::AES_256_CBC)
            .mac_md(MessageDigest::sha256());
        let p12 = p12.build2(&self.opzioni.password)?.to_der()?;
        self.write(&format!("{nome}.p12"), &p12, 0o600)
    }

    fn write_pair(&mut self, nome: &str, coppia: &Coppia) -> Result<(), DevCertsError> {
        // The key first: a run that is cut between the two leaves no certificate, and the next makes both anew.
        self.write(
            &format!("{nome}.key"),
            &coppia.chiave.private_key_to_pem_pkcs8()?,
            0o600,
        )?;
        self.write(&format!("{nome}.pem"), &coppia.certificato.to_pem()?, 0o644)
    }

    fn read(&self, nome: &str) -> Result<Coppia, DevCertsError> {
        Ok(Coppia {
            certificato: X509::from_pem(&self.slurp(&format!("{nome}.pem"))?)?,
            chiave: PKey::private_key_from_pem(&self.slurp(&format!("{nome}.key"))?)?,
        })
    }

    fn slurp(&self, nome: &str) -> Result<Vec<u8>, DevCertsError> {
        let file = self.dir.join(nome);
        std::fs::read(&file).map_err(|causa| DevCertsError::File { file, causa })
    }

    /// Whether a file is to be made; when it is there and may stay, that is noted.
    fn wanted(&mut self, nome: &str) -> bool {
        let file = self.dir.join(nome);
        let c_e = !self.opzioni.force && file.exists();
        if c_e {
            self.fatti.tenuti.push(file);
        }
        !c_e
    }

    /// The other half of a pair that stays must be there too.
    fn kept(&mut self, nome: &str) -> Result<(), DevCertsError> {
        if self.wanted(nome) {
            Err(DevCertsError::Incompleta(self.dir.join(nome)))
        } else {
            Ok(())
        }
    }

    /// Writes beside and moves into place: whoever reloads meanwhile reads the old file or the new one, never half.
    fn write(&mut self, nome: &str, bytes: &[u8], mode: u32) -> Result<(), DevCertsError> {
        let file = self.dir.join(nome);
        let accanto = self.dir.join(format!(".{nome}.nuovo"));
        let scritto = (|| {
            match std::fs::remove_file(&accanto) {
                Err(causa) if causa.kind() != std::io::ErrorKind::NotFound => return Err(causa),
                _ => {}
            }
            let mut aperto = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(mode)
                .open(&accanto)?;
            aperto.write_all(bytes)?;
            aperto.sync_all()?;
            std::fs::rename(&accanto, &file)
        })();
        scritto.map_err(|causa| DevCertsError::File {
            file: file.clone(),
            causa,
        })?;
        self.fatti.scritti.push(file);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::adesione::Certificato;
    use crate::adesione::certificato::ListaRevoche;

    fn adesso() -> Timestamp {
        "2021-07-01T10:00:00Z".parse().unwrap()
    }

    fn read(dir: &Path, nome: &str) -> Vec<u8> {
        std::fs::read(dir.join(nome)).unwrap()
    }

    #[test]
    fn every_file_is_made_once_and_kept_the_second_time() {
        let dir = tempfile::tempdir().unwrap();
        let fatti = make(dir.path(), &Opzioni::at(adesso())).unwrap();
        assert_eq!((fatti.scritti.len(), fatti.tenuti.len()), (17, 0));
        let prima = read(dir.path(), "pat01.pem");
        let fatti = make(dir.path(), &Opzioni::at(adesso())).unwrap();
        assert_eq!((fatti.scritti.len(), fatti.tenuti.len()), (0, 17));
        assert_eq!(read(dir.path(), "pat01.pem"), prima);
        let force = Opzioni {
            force: true,
            ..Opzioni::at(adesso())
        };
        assert_eq!(make(dir.path(), &force).unwrap().scritti.len(), 17);
        assert_ne!(read(dir.path(), "pat01.pem"), prima);
    }

    #[test]
    fn keys_are_for_their_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        make(dir.path(), &Opzioni::at(adesso())).unwrap();
        for nome in ["ca.key", "server.key", "pat01.key", "pat01.p12"] {
            let permessi = std::fs::metadata(dir.path().join(nome)).unwrap().permissions();
            assert_eq!(permessi.mode() & 0o777, 0o600, "{nome}");
        }
    }

    #[test]
    fn the_certificates_say_what_their_names_promise() {
        let dir = tempfile::tempdir().unwrap();
        make(dir.path(), &Opzioni::at(adesso())).unwrap();
        let letto = |nome: &str| Certificato::from_pem(&read(dir.path(), nome)).unwrap().remove(0);
        assert_eq!(
            letto("pat01.pem").soggetto,
            "CN=pat01,O=Varco\\, solo per prove,C=IT"
        );
        assert_eq!(letto("pat01.pem").emittente, letto("ca.pem").soggetto);
        assert_eq!(letto("expired.pem").scadenza, adesso() - GIORNO);
        let [crl] = &ListaRevoche::from_pem(&read(dir.path(), "crl.pem")).unwrap()[..] else {
            panic!("one list");
        };
        assert!(crl.revokes(&letto("revoked.pem")) && !crl.revokes(&letto("pat01.pem")));
        assert_eq!(crl.prossima, Some(adesso() + ANNI_10));
        let copia = Pkcs12::from_der(&read(dir.path(), "pat01.p12"))
            .unwrap()
            .parse2(PASSWORD)
            .unwrap();
        assert!(copia.pkey.is_some() && copia.cert.is_some());
    }

    #[test]
    fn a_lost_ca_is_said_and_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        make(dir.path(), &Opzioni::at(adesso())).unwrap();
        std::fs::remove_file(dir.path().join("ca.pem")).unwrap();
        let errore = make(dir.path(), &Opzioni::at(adesso())).unwrap_err();
        assert!(matches!(errore, DevCertsError::Incompleta(file) if file.ends_with("ca.pem")));
    }
}
