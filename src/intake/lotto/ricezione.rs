//! A lot comes in: its bytes go to the spool while they are read, whichever way they come (in the body, as a part beside
//! it, in base64; a file also by gzip). It promises that nothing of a lot is kept that is not whole, and that a lot in the
//! body is well-formed to its last byte; what is in its items is looked at when they are worked.

use bytes::{Bytes, BytesMut};
use uuid::Uuid;

use super::LottiConfig;
use super::ingresso::{FileInArrivo, Spool, TestoInArrivo, too_many_bytes};
use super::taglio::{Principio, Prossimo, Taglio, Testa, TestaFile, etichetta, percorso};
use crate::catalogo::Codice;
use crate::domanda::Violazione;
use crate::intake::corpo::Corpo;
use crate::intake::scadenza::Scadenza;
use crate::manutenzione::Custode;
use crate::patronato::{ChiaveInvio, CodiceEnte};
use crate::prestazione::{Operazione, Prestazione};
use crate::rifiuto::{Failure, Guasto, Rifiuto};
use crate::schema::{Lettura, Schema};
use crate::soap::envelope::Envelope;
use crate::soap::mtom::{Evento, Flusso, MtomError, ParteInArrivo, Parti};
use crate::spazio::Sentinella;
use crate::store::{Chiave, SharedStore};
use crate::xml::{Limits, Token, is_bianco};

/// What is needed to take a lot in.
#[derive(Debug, Clone, Copy)]
pub struct Ricezione<'a> {
    /// Form.
    pub schema: &'a Schema,
    /// Where the spool is.
    pub store: &'a SharedStore,
    /// Bounds of lots.
    pub config: &'a LottiConfig,
    /// Bounds of reading.
    pub limits: &'a Limits,
    /// Bytes of all that is no lot: the envelope around a file.
    pub busta_bytes_max: usize,
    /// Whose service.
    pub prestazione: &'static Prestazione,
    /// The beginning of the message.
    pub envelope: &'a Envelope,
    /// Moves on with the bytes.
    pub scadenza: &'a Scadenza,
    /// Who sends it.
    pub ente: &'a CodiceEnte,
    /// Whether there is room for it.
    pub spazio: &'a Sentinella,
    /// Whether there is maintenance.
    pub custode: &'a Custode,
}

/// A lot whose bytes are all in the spool, not durable yet.
#[derive(Debug)]
pub struct Ricevuto {
    /// Its key.
    pub chiave: ChiaveInvio,
    /// Bytes in the spool.
    pub byte: u64,
    /// SHA-256 of its bytes, decoded.
    pub digest: [u8; 32],
    /// How many items, where it was read on the way.
    pub elementi: Option<u64>,
    /// Bytes of the message as they came.
    pub arrivati: u64,
}

impl Ricezione<'_> {
    /// Takes a lot in. Whatever stands against it, its spool is forgotten.
    pub async fn receive(&self, corpo: &mut Corpo, lotto: Uuid) -> Result<Ricevuto, Failure> {
        let ricevuto = self.receive_whole(corpo, lotto).await;
        if ricevuto.is_err()
            && let Err(errore) = self.store.spool_discard(lotto).await
        {
            tracing::warn!(%lotto, "the spool of a lot that was not taken in stays until it is swept: {errore}");
        }
        ricevuto
    }

    async fn receive_whole(&self, corpo: &mut Corpo, lotto: Uuid) -> Result<Ricevuto, Failure> {
        let spool = Spool::new(self.store, self.config, lotto);
        let letti = corpo.take();
        let Some(mut radice) = Radice::open(corpo, &letti, self)? else {
            corpo.put_back(&letti);
            return self.neither(corpo).await;
        };
        let mut testa = BytesMut::new();
        let principio = loop {
            // Before the envelope is open there is nothing to go on from.
            if testa.len() >= self.envelope.corpo.offset() {
                match Testa::in_busta(&testa, &self.envelope.corpo, self.prestazione, self.limits) {
                    Ok(Principio::ServeAltro) => {}
                    Ok(principio) => break principio,
                    Err(errore) => return Err(Rifiuto::Lettura(errore.violazione()).into()),
                }
            }
            match radice.chunk().await? {
                Some(byte) if testa.len() <= self.busta_bytes_max => testa.extend_from_slice(&byte),
                _ => break Principio::Altro,
            }
        };
        match principio {
            Principio::Lotto(inizio) => self.lotto(radice, spool, inizio, &testa).await,
            Principio::File(inizio) => self.file(radice, spool, inizio, testa).await,
            Principio::ServeAltro | Principio::Altro => {
                // Read as any other request, it says what is wrong with it.
                radice.rest(&mut testa, self.busta_bytes_max).await?;
                let lettura = self.read(&testa, Some(Parti::none()).filter(|_| radice.flusso.is_some()))?;
                chiave_di(&lettura)?;
                Err(Guasto::Interno("un lotto senza Lotto né File è valido").into())
            }
        }
    }

    /// The lot stands in the body.
    async fn lotto(
        &self,
        mut radice: Radice<'_, '_>,
        mut spool: Spool<'_>,
        inizio: Testa,
        letti: &[u8],
    ) -> Result<Ricevuto, Failure> {
        let chiave = self.check_head(&inizio.emptied())?;
        self.admit_new(&chiave, &mut spool).await?;
        spool.push(letti).await?;
        let dopo = inizio.len();
        let mut taglio = Taglio::new(inizio, self.limits, self.config.elemento_bytes_max).digesting();
        taglio.push(&letti[dopo..]);
        let mut elementi = 0;
        let mut coda = 0;
        loop {
            match taglio
                .prossimo()
                .map_err(|violazione| Rifiuto::Lettura(*violazione))?
            {
                Prossimo::Elemento(elemento) => {
                    elementi += 1;
                    if elementi > self.config.elementi_max as u64 {
                        let troppe = Violazione::at(Codice::Lot008, percorso(self.prestazione))
                            .with("limite", self.config.elementi_max)
                            .placed(elemento.luogo);
                        return Err(Rifiuto::Lettura(troppe).into());
                    }
                    continue;
                }
                Prossimo::Fine if coda > self.limits.envelope_head_bytes_max => break,
                Prossimo::ServeAltro | Prossimo::Fine => {}
            }
            match radice.chunk().await? {
                Some(byte) => {
                    spool.push(&byte).await?;
                    if taglio.impronta().is_some() {
                        coda += byte.len();
                    }
                    taglio.push(&byte);
                }
                None if taglio.impronta().is_some() => break,
                None => taglio.finish(),
            }
        }
        self.check_tail(&taglio)?;
        radice.nothing_else().await?;
        let digest = taglio.impronta().ok_or(Guasto::Interno("un lotto senza fine"))?;
        if elementi == 0 {
            let vuoto = Violazione::at(Codice::Lot010, percorso(self.prestazione)).with(
                "atteso",
                etichetta(self.prestazione, Operazione::InviaDomanda.nome()),
            );
            return Err(Rifiuto::Forma(vec![vuoto]).into());
        }
        Ok(Ricevuto {
            chiave,
            byte: spool.finish().await?,
            digest,
            elementi: Some(elementi),
            arrivati: radice.arrivati,
        })
    }

    /// What follows the lot: the ends of request, body and envelope, and nothing else.
    fn check_tail(&self, taglio: &Taglio) -> Result<(), Failure> {
        let mut reader = taglio.coda().ok_or(Guasto::Interno("un lotto senza coda"))?;
        let richiesta = etichetta(self.prestazione, Operazione::InviaLotto.nome());
        loop {
            let (codice, trovato) = match reader.next() {
                Ok(Token::End { .. } | Token::Eof) => break,
                Ok(Token::Text(testo)) if is_bianco(&testo) => continue,
                Ok(Token::Text(_)) => (Codice::Xsd020, richiesta.clone()),
                Ok(Token::Start { nome, .. }) => {
                    (Codice::Xsd002, crate::schema::shown(nome.namespace, nome.locale))
                }
                Err(errore) => return Err(Rifiuto::Lettura(errore.violazione()).into()),
            };
            let violazione = Violazione::at(codice, format!("/{richiesta}"))
                .with("elemento", trovato)
                .with("atteso", format!("la fine di {richiesta}"))
                .with("expected", format!("the end of {richiesta}"))
                .placed(reader.posizione());
            return Err(Rifiuto::Forma(vec![violazione]).into());
        }
        Ok(self.envelope.close(&mut reader)?)
    }

    /// The lot is a file: in base64 in its element, or a part beside the envelope.
    async fn file(
        &self,
        mut radice: Radice<'_, '_>,
        mut spool: Spool<'_>,
        inizio: TestaFile,
        mut letti: BytesMut,
    ) -> Result<Ricevuto, Failure> {
        let chiave = self.check_head(&inizio.emptied(&letti))?;
        self.admit_new(&chiave, &mut spool).await?;
        // Text, or markup that stands for it?
        let primo = loop {
            let primo = letti[inizio.dopo..]
                .iter()
                .find(|byte| !byte.is_ascii_whitespace());
            match primo {
                Some(primo) => break Some(*primo),
                None => match radice.chunk().await? {
                    Some(byte) => letti.extend_from_slice(&byte),
                    None => break None,
                },
            }
            if letti.len() > self.busta_bytes_max {
                return Err(too_many_bytes(self.config));
            }
        };
        if primo == Some(b'<') {
            self.beside(radice, spool, letti).await
        } else {
            self.inline(radice, spool, inizio, letti).await
        }
    }

    /// In base64, in its element.
    async fn inline(
        &self,
        mut radice: Radice<'_, '_>,
        spool: Spool<'_>,
        inizio: TestaFile,
        mut letti: BytesMut,
    ) -> Result<Ricevuto, Failure> {
        let mut file = FileInArrivo::new(spool, true);
        let mut testo = TestoInArrivo::new();
        let mut byte = letti.split_off(inizio.dopo).freeze();
        loop {
            let (pezzo, fine) = testo.text(&byte);
            if file.push(&pezzo).await?.is_none() {
                return Err(self.no_base64());
            }
            if let Some(fine) = fine {
                letti.extend_from_slice(&byte[fine..]);
                break;
            }
            match radice.chunk().await? {
                Some(altri) => byte = altri,
                None => break,
            }
        }
        // What is left is a request with an empty file, and is read as one.
        radice.rest(&mut letti, self.busta_bytes_max).await?;
        radice.nothing_else().await?;
        let lettura = self.read(&letti, Some(Parti::none()).filter(|_| radice.flusso.is_some()))?;
        self.received(&radice, file, &lettura).await
    }

    /// As a part, or in an element with markup in it.
    async fn beside(
        &self,
        mut radice: Radice<'_, '_>,
        spool: Spool<'_>,
        mut letti: BytesMut,
    ) -> Result<Ricevuto, Failure> {
        radice.rest(&mut letti, self.busta_bytes_max).await?;
        if radice.flusso.is_none() {
            let lettura = self.read(&letti, None)?;
            let mut file = FileInArrivo::new(spool, true);
            let testo = lettura.campi.iter().find(|(nome, _)| nome == "File");
            if let Some((_, testo)) = testo
                && file.push(testo.as_bytes()).await?.is_none()
            {
                return Err(self.no_base64());
            }
            return self.received(&radice, file, &lettura).await;
        }
        let Some(parte) = radice.next_part().await? else {
            self.read(&letti, Some(Parti::none()))
                .and_then(|lettura| chiave_di(&lettura))?;
            return Err(self.no_base64());
        };
        let content_id = parte
            .content_id
            .clone()
            .ok_or_else(|| MtomError::of(Codice::Mtm014, parte.numero))?;
        let lettura = self.read(&letti, Some(Parti::coming(parte.numero, content_id)))?;
        chiave_di(&lettura)?;
        let mut file = FileInArrivo::new(spool, parte.in_base64);
        while let Some(byte) = radice.chunk().await? {
            if file.push(&byte).await?.is_none() {
                return Err(MtomError::of(Codice::Mtm012, parte.numero).into());
            }
        }
        radice.nothing_else().await?;
        self.received(&radice, file, &lettura).await
    }

    async fn received(
        &self,
        radice: &Radice<'_, '_>,
        file: FileInArrivo<'_>,
        lettura: &Lettura,
    ) -> Result<Ricevuto, Failure> {
        let chiave = chiave_di(lettura)?;
        let Some((byte, digest)) = file.finish().await? else {
            return Err(self.no_base64());
        };
        Ok(Ricevuto {
            chiave,
            byte,
            digest,
            elementi: None,
            arrivati: radice.arrivati,
        })
    }

    /// Whether a lot with this key is taken: not without room, and not during maintenance. One that was registered before is
    /// read and digested as ever, but what it says is known: it is not spooled, so that a retry needs no room.
    async fn admit_new(&self, chiave: &ChiaveInvio, spool: &mut Spool<'_>) -> Result<(), Failure> {
        let chiave = Chiave {
            ente: self.ente.clone(),
            servizio: self.prestazione.servizio,
            chiave: chiave.clone(),
        };
        let nota = self.store.lotto_by_chiave(&chiave).await?.is_some()
            || self.store.registrata(&chiave).await?.is_some();
        if nota {
            spool.keep_nothing();
        } else {
            self.custode.admit()?;
            self.spazio.admit_lotto()?;
        }
        Ok(())
    }

    /// What the XSD says of the beginning, with nothing in the lot.
    fn check_head(&self, emptied: &[u8]) -> Result<ChiaveInvio, Failure> {
        let richiesta = (self.prestazione, Operazione::InviaLotto);
        let lettura = self
            .schema
            .read_element(richiesta, &self.envelope.corpo, emptied, self.limits)?;
        chiave_di(&lettura)
    }

    /// The whole envelope, when nothing long is in it.
    fn read(&self, busta: &[u8], parti: Option<Parti>) -> Result<Lettura, Failure> {
        let richiesta = (self.prestazione, Operazione::InviaLotto);
        Ok(self
            .schema
            .read_parted(richiesta, self.envelope, busta, parti, self.limits)?)
    }

    /// A multipart whose first part is not the envelope: small, or refused.
    async fn neither(&self, corpo: &mut Corpo) -> Result<Ricevuto, Failure> {
        let bytes = corpo.whole().await?;
        let messaggio = corpo.parted(&bytes)?;
        let lettura = self.read(&messaggio.busta, messaggio.parti)?;
        chiave_di(&lettura)?;
        Err(MtomError::of(Codice::Mtm021, 1).into())
    }

    fn no_base64(&self) -> Failure {
        let richiesta = etichetta(self.prestazione, Operazione::InviaLotto.nome());
        let file = etichetta(self.prestazione, "File");
        let violazione = Violazione::at(Codice::Xsd010, format!("/{richiesta}/{file}"))
            .with("elemento", file)
            .with("forma", "byte in base64")
            .with("form", "bytes in base64")
            .with("trovato", "")
            .with("found", "");
        Rifiuto::Forma(vec![violazione]).into()
    }
}

/// The key of a request without findings; else all of them.
fn chiave_di(lettura: &Lettura) -> Result<ChiaveInvio, Failure> {
    if !lettura.rilievi.is_empty() {
        return Err(Rifiuto::Forma(lettura.rilievi.clone()).into());
    }
    // To the reading a lot has no content of its own: its key is a field like any other.
    let campo = lettura.campi.iter().find(|(nome, _)| nome == "ChiaveInvio");
    campo
        .and_then(|(_, testo)| testo.parse().ok())
        .ok_or_else(|| Guasto::Interno("un lotto valido senza ChiaveInvio").into())
}

/// The part of a message that holds the envelope, while it comes; all of a message that is no multipart.
struct Radice<'c, 'r> {
    corpo: &'c mut Corpo,
    ricezione: &'r Ricezione<'r>,
    /// Handed over and not asked for yet.
    letti: Option<Bytes>,
    flusso: Option<Flusso>,
    arrivati: u64,
    inizio: tokio::time::Instant,
}

impl<'c, 'r> Radice<'c, 'r> {
    /// At its first byte; `None`: another part comes first.
    fn open(
        corpo: &'c mut Corpo,
        letti: &Bytes,
        ricezione: &'r Ricezione<'r>,
    ) -> Result<Option<Self>, Failure> {
        let mut flusso = corpo.multiparte().cloned().map(Flusso::new);
        let mut da_leggere = Some(letti.clone());
        if let Some(flusso) = &mut flusso {
            flusso.push(letti);
            da_leggere = None;
            match flusso.next(false)? {
                Evento::Parte(ParteInArrivo { radice: true, .. }) => {}
                _ => return Ok(None),
            }
        }
        Ok(Some(Self {
            corpo,
            ricezione,
            letti: da_leggere,
            flusso,
            arrivati: letti.len() as u64,
            inizio: tokio::time::Instant::now(),
        }))
    }

    /// More bytes of the part that is open; `None` at its end.
    async fn chunk(&mut self) -> Result<Option<Bytes>, Failure> {
        if let Some(letti) = self.letti.take().filter(|letti| !letti.is_empty()) {
            return Ok(Some(letti));
        }
        if self.flusso.is_none() {
            return self.arrive().await;
        }
        Ok(match self.evento().await? {
            Evento::Byte(byte) => Some(byte),
            _ => None,
        })
    }

    /// The next part.
    async fn next_part(&mut self) -> Result<Option<ParteInArrivo>, Failure> {
        Ok(match self.evento().await? {
            Evento::Parte(parte) => Some(parte),
            _ => None,
        })
    }

    /// No further part; the message ends.
    async fn nothing_else(&mut self) -> Result<(), Failure> {
        if self.flusso.is_none() {
            return Ok(());
        }
        match self.next_part().await? {
            None => Ok(()),
            Some(parte) => Err(MtomError::of(Codice::Mtm018, parte.numero).into()),
        }
    }

    /// All that is left of the part, behind these bytes.
    async fn rest(&mut self, letti: &mut BytesMut, bytes_max: usize) -> Result<(), Failure> {
        while let Some(byte) = self.chunk().await? {
            if letti.len() + byte.len() > bytes_max {
                let violazione = Violazione::at(Codice::Htp005, "").with("limite", bytes_max);
                return Err(Rifiuto::Http {
                    violazione,
                    status: 413,
                }
                .into());
            }
            letti.extend_from_slice(&byte);
        }
        Ok(())
    }

    async fn evento(&mut self) -> Result<Evento, Failure> {
        let mut finito = false;
        loop {
            let Some(flusso) = &mut self.flusso else {
                return Ok(Evento::Fine);
            };
            match flusso.next(finito)? {
                Evento::ServeAltro => {}
                evento => return Ok(evento),
            }
            match self.arrive().await? {
                Some(byte) => {
                    if let Some(flusso) = &mut self.flusso {
                        flusso.push(&byte);
                    }
                }
                None => finito = true,
            }
        }
    }

    /// The next bytes of the message: the time that it may take grows with them.
    async fn arrive(&mut self) -> Result<Option<Bytes>, Failure> {
        let byte = self.corpo.chunk().await?;
        if let Some(byte) = &byte {
            self.arrivati += byte.len() as u64;
            let config = self.ricezione.config;
            let secondi = self.arrivati / config.byte_al_secondo_min.max(1) as u64;
            self.ricezione.scadenza.extend(self.inizio, secondi);
            // In base64 four bytes stand for three.
            if self.arrivati > config.messaggio_bytes_max() {
                return Err(too_many_bytes(config));
            }
        }
        Ok(byte)
    }
}
