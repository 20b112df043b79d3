//! From a TCP connection to a watched stream, or to a line of the door log that says why not. The dispatcher's own
//! acceptor drops a failed handshake in silence; this one names who was there, with what, and what would help.

use std::cell::RefCell;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rustls::HandshakeKind;
use rustls::server::Acceptor;
use rustls::{CipherSuite, ProtocolVersion};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::answer;
use super::limits::Bounds;
use super::peer::{Connessione, Fase};
use super::refusal::{Chi, INIZIO_BYTES, Inizio, PROTOCOL_VERSION, inizio, of_handshake, of_tls, refusal};
use super::stream::{COMMIATO, Flusso};
use super::tls::{Materiale, Porta, VISTO};
use crate::adesione::{Certificato, Peer};
use crate::catalogo::Codice;
use crate::domanda::Violazione;

/// The name under which all connections are counted together.
pub(super) const TUTTE: &str = "";

/// What every acceptor of the process shares.
#[derive(Clone)]
pub(super) struct Ingresso {
    pub(super) porta: Arc<Porta>,
}

/// Somebody who was not let in, and the socket to say it on, where that still makes sense.
struct Respinto {
    violazione: Violazione,
    socket: Option<TcpStream>,
    /// Said in clear, to who does not speak TLS.
    parola: Vec<u8>,
}

impl Respinto {
    fn silently(violazione: Violazione) -> Self {
        Self {
            violazione,
            socket: None,
            parola: Vec::new(),
        }
    }
}

impl Ingresso {
    /// Takes one connection through the handshake; `None` = refused, and told to the door log.
    pub(super) async fn accept(&self, tcp: TcpStream, bounds: &Rc<Bounds>) -> Option<(Flusso, SocketAddr)> {
        // Without an address the other end is gone already.
        let indirizzo = tcp.peer_addr().ok()?;
        let ip = indirizzo.ip().to_canonical();
        let mut chi = Chi {
            indirizzo: Some(ip),
            ..Chi::default()
        };
        let Some(posto) = self.porta.aperte.take(TUTTE, bounds.connessioni_max) else {
            self.log(
                &chi,
                &refusal(Codice::Tls015).with("limite", bounds.connessioni_max),
            );
            return None;
        };
        // An answer goes out in one piece: waiting for more to send would only delay it.
        let _ = tcp.set_nodelay(true);
        let materiale = self.porta.materiale();
        let visto = RefCell::new(None);
        let (esito, visto) = VISTO
            .scope(visto, async {
                let esito = handshake(tcp, &materiale, bounds, &mut chi).await;
                (esito, VISTO.with(RefCell::take))
            })
            .await;
        let tls = match esito {
            Ok(tls) => tls,
            Err(errore) => {
                let visto = visto.and_then(|der| Certificato::from_der(&der).ok());
                if let Some(visto) = &visto {
                    chi.showed(visto);
                }
                let respinto = errore.into_respinto(visto.as_ref(), bounds);
                self.log(&chi, &respinto.violazione);
                if let Some(socket) = respinto.socket {
                    say_goodbye(socket, &respinto.parola).await;
                }
                return None;
            }
        };
        let (catena, certificato) = match shown(&tls) {
            Ok(mostrato) => mostrato,
            Err(violazione) => {
                self.log(&chi, &violazione);
                return None;
            }
        };
        chi.showed(&certificato);
        let Some(suo_posto) = self
            .porta
            .aperte
            .take(&certificato.sha256, bounds.connessioni_per_certificato_max)
        else {
            let violazione = refusal(Codice::Tls016).with("limite", bounds.connessioni_per_certificato_max);
            self.turn_away(tls, &chi, &violazione).await;
            return None;
        };
        let peer = peer(&tls, certificato.clone(), ip, chi.sni.clone());
        // The first request is awaited as long as a head may take, not as an idle connection between two.
        let fase = Fase::Attesa(Instant::now() + bounds.testata);
        let connessione = Connessione::new(
            peer,
            catena,
            Arc::clone(&self.porta),
            materiale.generazione,
            fase,
            [posto, suo_posto],
        );
        // A resumed session skipped the verifier, and a reload may have come during the handshake.
        let verdetto = if tls_ripresa(&tls) {
            self.porta
                .materiale()
                .verify(connessione.catena(), self.porta.clock.wall())
        } else {
            connessione.still_welcome()
        };
        if let Err(errore) = verdetto {
            let violazione = of_tls(&errore, Some(&certificato));
            self.turn_away(tls, &chi, &violazione).await;
            return None;
        }
        self.porta.accepted(connessione.presentato().tls_ripresa);
        Some((Flusso::new(tls, connessione, Rc::clone(bounds)), indirizzo))
    }

    fn log(&self, chi: &Chi, violazione: &Violazione) {
        self.porta.refuse(chi.refused(&*self.porta.clock, violazione));
    }

    /// Refuses somebody with whom TLS is established: they can be told in HTTP.
    async fn turn_away(&self, mut tls: TlsStream<TcpStream>, chi: &Chi, violazione: &Violazione) {
        self.log(chi, violazione);
        let _ = timeout(COMMIATO, async {
            tls.write_all(&answer::raw(violazione)).await?;
            tls.shutdown().await
        })
        .await;
        let (socket, _) = tls.into_inner();
        say_goodbye(socket, &[]).await;
    }
}

/// How a handshake can fail.
enum Fallito {
    /// Not finished in time.
    Tardi,
    /// The first bytes are no TLS.
    NonTls(TcpStream, Inizio),
    /// The other end closed before saying anything, or in the middle.
    Chiuso,
    /// TLS or the socket failed; the socket, when it is still there, has been sent the alert.
    Tls(io::Error, Option<TcpStream>),
}

impl Fallito {
    fn into_respinto(self, visto: Option<&Certificato>, bounds: &Bounds) -> Respinto {
        match self {
            Self::Tardi => {
                Respinto::silently(refusal(Codice::Tls012).with("secondi", bounds.handshake.as_secs()))
            }
            Self::Chiuso => Respinto::silently(refusal(Codice::Tls013)),
            Self::NonTls(socket, Inizio::Http) => {
                let violazione = refusal(Codice::Tls011).with("causa", "è HTTP in chiaro");
                Respinto {
                    parola: answer::raw(&violazione),
                    violazione,
                    socket: Some(socket),
                }
            }
            Self::NonTls(socket, Inizio::Vecchio) => Respinto {
                violazione: refusal(Codice::Tls009),
                socket: Some(socket),
                parola: PROTOCOL_VERSION.to_vec(),
            },
            Self::NonTls(_, Inizio::Tls | Inizio::Altro) => Respinto::silently(
                refusal(Codice::Tls011).with("causa", "i primi byte non sono un ClientHello"),
            ),
            Self::Tls(errore, socket) => Respinto {
                violazione: of_handshake(&errore, visto),
                socket,
                parola: Vec::new(),
            },
        }
    }
}

async fn handshake(
    tcp: TcpStream,
    materiale: &Materiale,
    bounds: &Bounds,
    chi: &mut Chi,
) -> Result<TlsStream<TcpStream>, Fallito> {
    let entro = Instant::now() + bounds.handshake;
    let mut primi = [0; INIZIO_BYTES];
    let quanti = match timeout_at(entro, tcp.peek(&mut primi)).await {
        Err(_) => return Err(Fallito::Tardi),
        Ok(Ok(0) | Err(_)) => return Err(Fallito::Chiuso),
        Ok(Ok(quanti)) => quanti,
    };
    let cosa = inizio(&primi[..quanti]);
    if cosa != Inizio::Tls {
        return Err(Fallito::NonTls(tcp, cosa));
    }
    let mut acceptor = LazyConfigAcceptor::new(Acceptor::default(), tcp);
    let saluto = match timeout_at(entro, &mut acceptor).await {
        Err(_) => return Err(Fallito::Tardi),
        Ok(Err(errore)) => return Err(Fallito::Tls(errore, acceptor.take_io())),
        Ok(Ok(saluto)) => saluto,
    };
    chi.sni = saluto.client_hello().server_name().map(str::to_owned);
    let config = Arc::clone(&materiale.config);
    match timeout_at(entro, saluto.into_stream(config).into_fallible()).await {
        Err(_) => Err(Fallito::Tardi),
        Ok(Err((errore, socket))) => Err(Fallito::Tls(errore, Some(socket))),
        Ok(Ok(tls)) => Ok(tls),
    }
}

/// The certificate that the session rests on, whether it was shown now or when the session began.
fn shown(
    tls: &TlsStream<TcpStream>,
) -> Result<(Vec<rustls::pki_types::CertificateDer<'static>>, Certificato), Violazione> {
    let catena = tls.get_ref().1.peer_certificates().unwrap_or_default();
    let foglia = catena.first().ok_or_else(|| refusal(Codice::Tls001))?;
    let certificato =
        Certificato::of_peer(foglia).map_err(|causa| refusal(Codice::Tls008).with("causa", causa))?;
    Ok((catena.to_vec(), certificato))
}

fn peer(
    tls: &TlsStream<TcpStream>,
    certificato: Certificato,
    indirizzo: IpAddr,
    sni: Option<String>,
) -> Peer {
    let sessione = tls.get_ref().1;
    Peer {
        certificato,
        indirizzo,
        sni,
        tls_versione: versione(sessione.protocol_version()),
        tls_suite: sessione
            .negotiated_cipher_suite()
            .map_or_else(String::new, |suite| iana(suite.suite())),
        tls_ripresa: tls_ripresa(tls),
    }
}

fn tls_ripresa(tls: &TlsStream<TcpStream>) -> bool {
    tls.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed)
}

pub(super) fn versione(versione: Option<ProtocolVersion>) -> String {
    match versione {
        Some(ProtocolVersion::TLSv1_2) => "TLSv1.2".to_owned(),
        Some(ProtocolVersion::TLSv1_3) => "TLSv1.3".to_owned(),
        altra => format!("{altra:?}"),
    }
}

/// The suite's name as IANA writes it: rustls marks those of TLS 1.3.
fn iana(suite: CipherSuite) -> String {
    suite
        .as_str()
        .map_or_else(|| format!("{suite:?}"), |nome| nome.replacen("TLS13_", "TLS_", 1))
}

/// Closes so that the last word arrives: what the client has sent meanwhile is read and thrown away, since closing
/// over unread bytes resets the connection and the alert is lost with it.
async fn say_goodbye(mut socket: TcpStream, parola: &[u8]) {
    const CESTINO_BYTES_MAX: usize = 64 * 1024;
    let addio = async {
        socket.write_all(parola).await?;
        socket.shutdown().await?;
        let mut cestino = [0; 1024];
        let mut letti = 0;
        while letti < CESTINO_BYTES_MAX {
            match socket.read(&mut cestino).await? {
                0 => break,
                quanti => letti += quanti,
            }
        }
        io::Result::Ok(())
    };
    // Whoever does not close in a moment is closed upon.
    let _ = timeout(ADDIO, addio).await;
}

const ADDIO: Duration = Duration::from_millis(500);
