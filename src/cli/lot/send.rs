//! `varco lot send`: the file goes from the disk to the gateway while it is read. Its key comes from its content, so that
//! the same file is the same lot, however often and in whichever form it is sent.

use std::fmt::Write as _;
use std::io::{self, Cursor, Read};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use flate2::Compression;
use flate2::read::GzEncoder;
use uuid::Uuid;

use super::dialogo::{Chi, Dialogo, ended, not_sent};
use super::file::{Cesoia, Origine, Passo};
use super::watch;
use crate::cli::send::busta::{CHIUSURA, Operatore, Sguardo};
use crate::cli::send::risposta::{Elemento, Esito};
use crate::cli::{BARRA_BYTE, Uscita, progress_bar};
use crate::clock::{Ids as _, RandomIds};
use crate::domanda::sha256::{Sha256, hex};
use crate::domanda::{Posizione, Violazione};
use crate::intake::lotto::LottiConfig;
use crate::patronato::ChiaveInvio;
use crate::prestazione::{Operazione, Prestazione};
use crate::soap::SoapVersion;
use crate::xml::posizione;

/// Which lot, in which form.
#[derive(Debug, clap::Args)]
pub(super) struct Send {
    /// File con radice Lotto nel namespace del servizio, in UTF-8, anche compresso con gzip; - legge lo standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// ChiaveInvio del lotto (predefinita: dallo SHA-256 del contenuto, così lo stesso file è lo stesso lotto)
    #[arg(long, value_name = "CHIAVE")]
    chiave: Option<ChiaveInvio>,
    /// Comprime il file con gzip mentre lo invia
    #[arg(long, conflicts_with = "inline")]
    gzip: bool,
    /// Mette il lotto nel corpo del messaggio, invece che accanto alla busta (MTOM)
    #[arg(long)]
    inline: bool,
    /// Poi segue il lotto fino alla fine, come `varco lot watch`
    #[arg(long)]
    watch: bool,
    #[command(flatten)]
    chi: Chi,
}

/// What must be known of a lot before it goes.
#[derive(Debug)]
struct Lotto {
    prestazione: &'static Prestazione,
    operatore: Operatore,
    /// SHA-256 of what counts: the unzipped file, or the element `Lotto`.
    digest: [u8; 32],
    /// Where the element begins and ends, as bytes of the unzipped file, and where it begins as a line.
    elemento: (u64, u64, Posizione),
}

impl Send {
    /// Sends, prints, and says how it went.
    pub(super) fn run(self) -> Result<Uscita> {
        let origine = Origine::of(&self.file)?;
        let lotto = match self.look(&origine)? {
            Ok(lotto) => lotto,
            Err(violazione) => return Ok(ended(&Esito::refused(&[*violazione]))),
        };
        let chiave = self.chiave.as_ref().map_or_else(
            || format!("lotto-{}", &hex(&lotto.digest)[..40]),
            ToString::to_string,
        );
        let dialogo = self.chi.open(Some(lotto.prestazione), lotto.operatore.clone())?;
        let esito = self.send(&origine, &lotto, &chiave, &dialogo)?;
        let Esito::Altro(risposta) = &esito else {
            return Ok(ended(&esito));
        };
        out!("{}", accolto(risposta, &chiave));
        match risposta.testo("IdLotto").parse::<Uuid>() {
            Ok(id) if self.watch => match dialogo.stato(id)? {
                Ok(stato) => watch::follow(&dialogo, id, stato),
                Err(esito) => Ok(ended(&esito)),
            },
            Ok(_) => Ok(Uscita::Fatto),
            Err(_) => anyhow::bail!("la risposta non dice l'identificativo del lotto"),
        }
    }

    /// Reads the file once: what it is, whose, and its digest.
    fn look(&self, origine: &Origine) -> Result<Result<Lotto, Box<Violazione>>> {
        let cannot = || format!("impossibile leggere {}", origine.nome());
        let massimo = LottiConfig::default().elemento_bytes_max;
        let mut cesoia = match Cesoia::open(origine, self.chi.servizio, massimo)? {
            Ok(cesoia) => cesoia,
            Err(violazione) => return Ok(Err(violazione)),
        };
        let prestazione = cesoia.prestazione;
        let mut operatore = Operatore::default();
        let mut passo = cesoia.prossimo().with_context(cannot)?;
        if let Passo::Elemento(_, elemento) = &passo {
            let intero = cesoia.involucro.around(cesoia.slice(elemento));
            if let Ok(sguardo) = Sguardo::over(&intero) {
                (operatore.user_id, operatore.ufficio) = (sguardo.operatore, sguardo.ufficio);
            }
        }
        let (digest, elemento) = if self.inline {
            // In the body the element counts, and where it ends must be known.
            while let Passo::Elemento(..) = passo {
                passo = cesoia.prossimo().with_context(cannot)?;
            }
            if let Passo::Guasto(violazione) = passo {
                return Ok(Err(violazione));
            }
            let (da, a, digest) = cesoia.lotto().context("il lotto non finisce")?;
            let mut prima = Vec::new();
            let mut decoded = origine.decoded().with_context(cannot)?;
            decoded
                .by_ref()
                .take(da)
                .read_to_end(&mut prima)
                .with_context(cannot)?;
            (digest, (da, a, posizione(&prima, prima.len())))
        } else {
            let mut sha256 = Sha256::new();
            let mut decoded = origine.decoded().with_context(cannot)?;
            let mut pezzo = vec![0; 1 << 18];
            loop {
                match decoded.read(&mut pezzo).with_context(cannot)? {
                    0 => break,
                    letti => sha256.update(&pezzo[..letti]),
                }
            }
            (sha256.finish(), (0, 0, Posizione { riga: 1, colonna: 1 }))
        };
        Ok(Ok(Lotto {
            prestazione,
            operatore,
            digest,
            elemento,
        }))
    }

    fn send(&self, origine: &Origine, lotto: &Lotto, chiave: &str, dialogo: &Dialogo) -> Result<Esito> {
        let (p, namespace) = (lotto.prestazione.prefisso, lotto.prestazione.namespace);
        let operazione = Operazione::InviaLotto.nome();
        let apre = format!(
            "{}<{p}:{operazione} xmlns:{p}=\"{namespace}\"><{p}:ChiaveInvio>{chiave}</{p}:ChiaveInvio>",
            dialogo.opening()
        );
        let chiude = format!("</{p}:{operazione}>{CHIUSURA}");
        let forma = if self.inline {
            inline(lotto, &apre, &chiude)
        } else {
            let file = format!(
                "<{p}:File><xop:Include xmlns:xop=\"http://www.w3.org/2004/08/xop/include\" href=\"cid:{PARTE}\"/></{p}:File>"
            );
            beside(&format!("{apre}{file}{chiude}"))
        };
        let zip = self.gzip && !origine.gzip;
        let (da, a, _) = lotto.elemento;
        let (barra_len, corpo_len) = if self.inline {
            (a - da, Some(a - da))
        } else {
            (origine.byte, (!zip).then_some(origine.byte))
        };
        let barra = progress_bar(barra_len, BARRA_BYTE);
        let lunghezza = corpo_len.map(|corpo| (forma.prima.len() + forma.dopo.len()) as u64 + corpo);
        let corpo = || -> io::Result<Box<dyn Read>> {
            barra.set_position(0);
            let mezzo: Box<dyn Read> = if self.inline {
                let mut decoded = origine.decoded()?;
                io::copy(&mut decoded.by_ref().take(da), &mut io::sink())?;
                Box::new(barra.wrap_read(decoded.take(a - da)))
            } else if zip {
                Box::new(GzEncoder::new(
                    barra.wrap_read(origine.raw()?),
                    Compression::fast(),
                ))
            } else {
                // As long as it was when its length was told, whoever writes to it meanwhile.
                Box::new(barra.wrap_read(origine.raw()?.take(origine.byte)))
            };
            Ok(Box::new(
                Cursor::new(forma.prima.clone())
                    .chain(mezzo)
                    .chain(Cursor::new(forma.dopo.clone())),
            ))
        };
        let servizio = lotto.prestazione.servizio;
        let ricevuto = dialogo
            .cliente
            .post_stream(servizio, &forma.content_type, lunghezza, corpo);
        barra.finish_and_clear();
        match ricevuto {
            Ok(ricevuto) => Ok(Esito::read(&ricevuto)),
            Err(mancato) => not_sent(mancato),
        }
    }
}

/// A message around the bytes of a lot.
struct Forma {
    content_type: String,
    prima: String,
    dopo: String,
}

/// The element in the body: at the line and column that it has in the file, as far as the envelope leaves room.
fn inline(lotto: &Lotto, apre: &str, chiude: &str) -> Forma {
    let (_, _, luogo) = lotto.elemento;
    let mut prima = apre.to_owned();
    if luogo.riga > 1 {
        prima.extend((1..luogo.riga).map(|_| '\n'));
        prima.extend((1..luogo.colonna).map(|_| ' '));
    }
    Forma {
        content_type: SoapVersion::V12.content_type().to_owned(),
        prima,
        dopo: chiude.to_owned(),
    }
}

/// Content-ID of the part that holds the file.
const PARTE: &str = "lotto@varco";

/// The file in a part of its own (MTOM/XOP).
fn beside(busta: &str) -> Forma {
    // A random id: no file holds it.
    let confine = format!("varco-{}", RandomIds.next().simple());
    Forma {
        content_type: format!(
            "multipart/related; type=\"application/xop+xml\"; start=\"<busta@varco>\"; start-info=\"application/soap+xml\"; boundary=\"{confine}\""
        ),
        prima: format!(
            "--{confine}\r\nContent-Type: application/xop+xml; charset=UTF-8; type=\"application/soap+xml\"\r\n\
             Content-Transfer-Encoding: 8bit\r\nContent-ID: <busta@varco>\r\n\r\n{busta}\r\n--{confine}\r\n\
             Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\
             Content-ID: <{PARTE}>\r\n\r\n"
        ),
        dopo: format!("\r\n--{confine}--\r\n"),
    }
}

/// What the gateway says of a lot that it has taken in.
fn accolto(risposta: &Elemento, chiave: &str) -> String {
    let ripetizione = if risposta.testo("Ripetizione") == "true" {
        "  Ripetizione=true"
    } else {
        ""
    };
    let mut testo = format!("ACCOLTO {}{ripetizione}\n", risposta.testo("IdLotto"));
    for (etichetta, valore) in [
        ("ChiaveInvio", chiave),
        ("presentato il", risposta.testo("PresentatoIl")),
        ("stato", risposta.testo("Stato")),
        ("byte", risposta.testo("Byte")),
        ("domande", risposta.testo("Elementi")),
        ("chiedere fra (s)", risposta.testo("ChiedereFraSecondi")),
    ] {
        if !valore.is_empty() {
            let _ = writeln!(testo, "  {etichetta:<18}{valore}");
        }
    }
    testo
}
