//! Reads the outcome of a lot while it comes: what stands before the items, then one item after the other. It keeps no more
//! than one item and what came with it, and it takes nothing for whole that has not ended.

use std::collections::VecDeque;
use std::io::{self, Read, Write};

use anyhow::{Context as _, Result, bail};

use super::dialogo::Andamento;
use crate::cli::send::risposta::{Elemento, Errore, errors};
use crate::xml::{Checkpoint, Limits, Reader, Token};

/// Bytes read at once.
const PEZZO: usize = 256 * 1024;

/// So deep are the items: Envelope, Body, EsitoLottoResponse.
const PROFONDITA: usize = 3;

/// The outcome of one item, as the gateway told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Voce {
    pub(super) posto: u64,
    pub(super) riga: u32,
    pub(super) colonna: u32,
    pub(super) chiave: String,
    pub(super) esito: String,
    pub(super) protocollo: String,
    pub(super) numero_domanda: String,
    pub(super) registrata_il: String,
    pub(super) ripetizione: bool,
    pub(super) errori: Vec<Errore>,
}

impl Voce {
    fn of(elemento: &Elemento) -> Result<Self> {
        let numero = |nome: &str| {
            let testo = elemento.testo(nome);
            testo
                .parse()
                .with_context(|| format!("nell'esito {nome} è «{testo}»"))
        };
        Ok(Self {
            posto: u64::from(numero("Posto")?),
            riga: numero("Riga")?,
            colonna: numero("Colonna")?,
            chiave: elemento.testo("ChiaveInvio").to_owned(),
            esito: elemento.testo("Esito").to_owned(),
            protocollo: elemento.testo("Protocollo").to_owned(),
            numero_domanda: elemento.testo("NumeroDomanda").to_owned(),
            registrata_il: elemento.testo("RegistrataIl").to_owned(),
            ripetizione: elemento.testo("Ripetizione") == "true",
            errori: errors(elemento),
        })
    }
}

/// The answer to `EsitoLotto`.
pub(super) struct Spoglio<R> {
    lettore: R,
    /// The lot and its counts.
    pub(super) quadro: Andamento,
    /// The beginning, and behind it what came and was not given up yet.
    byte: Vec<u8>,
    /// Behind the start tag of `Elementi` or `Csv`.
    dopo: Checkpoint,
    /// So many bytes behind the beginning were looked at and given out.
    visti: usize,
    pronti: VecDeque<Elemento>,
    chiuso: bool,
    limits: Limits,
}

impl<R: Read> Spoglio<R> {
    /// Reads up to the first item.
    pub(super) fn open(mut lettore: R) -> Result<Self> {
        let limits = Limits {
            // The gateway's own words: only their depth is bounded.
            text_bytes_max: usize::MAX,
            elements_max: usize::MAX,
            ..Limits::default()
        };
        let mut byte = Vec::new();
        let (quadro, dopo) = loop {
            if read_some(&mut lettore, &mut byte)? == 0 {
                bail!("la risposta si interrompe prima degli esiti");
            }
            if let Some(principio) = principio(&byte, &limits)? {
                break principio;
            }
        };
        Ok(Self {
            lettore,
            quadro,
            visti: dopo.offset(),
            byte,
            dopo,
            pronti: VecDeque::new(),
            chiuso: false,
            limits,
        })
    }

    /// The next item; `None` once the answer has ended, rightly.
    pub(super) fn prossima(&mut self) -> Result<Option<Voce>> {
        loop {
            if let Some(elemento) = self.pronti.pop_front() {
                return Voce::of(&elemento).map(Some);
            }
            if self.chiuso {
                return Ok(None);
            }
            self.scan()?;
            if self.pronti.is_empty() && !self.chiuso {
                self.give_up();
                if read_some(&mut self.lettore, &mut self.byte)? == 0 {
                    bail!("la risposta si interrompe a metà degli esiti: ripetere il comando");
                }
            }
        }
    }

    /// Writes the lines of a CSV, which are one text.
    pub(super) fn copy_csv(mut self, dove: &mut impl Write) -> Result<()> {
        let mut testo = self.byte.split_off(self.dopo.offset());
        loop {
            let fine = testo.iter().position(|byte| *byte == b'<');
            let quanti = fine.unwrap_or_else(|| before_reference(&testo));
            dove.write_all(&unescaped(&testo[..quanti]))?;
            testo.drain(..quanti);
            if fine.is_some() {
                break;
            }
            if read_some(&mut self.lettore, &mut testo)? == 0 {
                bail!("la risposta si interrompe a metà degli esiti: ripetere il comando");
            }
        }
        self.byte.append(&mut testo);
        self.end()
    }

    /// Takes out all items that are wholly there.
    fn scan(&mut self) -> Result<()> {
        let inizio = self.dopo.offset();
        self.give_up();
        let mut reader = Reader::resume(&self.byte, &self.dopo, &self.limits);
        let mut aperti: Vec<Elemento> = Vec::new();
        let mut visti = inizio;
        let chiuso = loop {
            match reader.next() {
                Ok(Token::Start { nome, .. }) => aperti.push(Elemento {
                    nome: nome.locale.to_owned(),
                    ..Elemento::default()
                }),
                Ok(Token::Text(testo)) => {
                    if let Some(aperto) = aperti.last_mut() {
                        aperto.testo.push_str(&testo);
                    }
                }
                Ok(Token::End { fine, .. }) => {
                    let Some(elemento) = aperti.pop() else {
                        break true;
                    };
                    if let Some(padre) = aperti.last_mut() {
                        padre.figli.push(elemento);
                    } else {
                        self.pronti.push_back(elemento);
                        visti = fine;
                    }
                }
                Ok(Token::Eof) => break false,
                Err(errore) if errore.is_incomplete() => break false,
                Err(errore) => return Err(errore).context("la risposta del varco non si può leggere"),
            }
        };
        self.visti = visti;
        if chiuso {
            self.chiuso = true;
            self.give_up();
            self.end()?;
        }
        Ok(())
    }

    /// The answer must end as an answer does: one that was cut off is none.
    fn end(&mut self) -> Result<()> {
        while read_some(&mut self.lettore, &mut self.byte)? > 0 {}
        let mut reader = Reader::resume(&self.byte, &self.dopo, &self.limits);
        loop {
            match reader.next() {
                Ok(Token::Eof) => return Ok(()),
                Ok(_) => {}
                Err(_) => bail!("la risposta si interrompe dopo gli esiti: ripetere il comando"),
            }
        }
    }

    fn give_up(&mut self) {
        let inizio = self.dopo.offset();
        self.byte.drain(inizio..self.visti);
        self.visti = inizio;
    }
}

/// What stands before the items, as far as it has come.
fn principio(byte: &[u8], limits: &Limits) -> Result<Option<(Andamento, Checkpoint)>> {
    let mut reader = Reader::new(byte, limits);
    let mut aperti: Vec<Elemento> = Vec::new();
    loop {
        match reader.next() {
            Ok(Token::Start { nome, .. }) => {
                if aperti.len() == PROFONDITA && matches!(nome.locale, "Elementi" | "Csv") {
                    let dopo = reader.checkpoint();
                    return Ok(aperti.pop().map(|risposta| (Andamento::of(&risposta), dopo)));
                }
                aperti.push(Elemento {
                    nome: nome.locale.to_owned(),
                    ..Elemento::default()
                });
            }
            Ok(Token::Text(testo)) => {
                if let Some(aperto) = aperti.last_mut() {
                    aperto.testo.push_str(&testo);
                }
            }
            Ok(Token::End { .. }) => {
                let chiuso = aperti.pop().unwrap_or_default();
                match aperti.last_mut() {
                    Some(padre) => padre.figli.push(chiuso),
                    None => bail!("la risposta non ha gli esiti di un lotto"),
                }
            }
            Ok(Token::Eof) => return Ok(None),
            Err(errore) if errore.is_incomplete() => return Ok(None),
            Err(errore) => return Err(errore).context("la risposta del varco non si può leggere"),
        }
    }
}

/// As many bytes as can be looked at before a reference that has not come whole.
fn before_reference(testo: &[u8]) -> usize {
    match testo.iter().rposition(|byte| *byte == b'&') {
        Some(da) if !testo[da..].contains(&b';') => da,
        _ => testo.len(),
    }
}

/// A text without its references: those that an XML writer uses.
fn unescaped(testo: &[u8]) -> Vec<u8> {
    let mut fuori = Vec::with_capacity(testo.len());
    let mut resto = testo;
    while let Some(da) = resto.iter().position(|byte| *byte == b'&') {
        fuori.extend_from_slice(&resto[..da]);
        let fine = resto[da..]
            .iter()
            .position(|byte| *byte == b';')
            .map_or(resto.len(), |fine| da + fine + 1);
        match &resto[da..fine] {
            b"&amp;" => fuori.push(b'&'),
            b"&lt;" => fuori.push(b'<'),
            b"&gt;" => fuori.push(b'>'),
            b"&quot;" => fuori.push(b'"'),
            b"&apos;" => fuori.push(b'\''),
            b"&#13;" | b"&#xD;" => fuori.push(b'\r'),
            altro => fuori.extend_from_slice(altro),
        }
        resto = &resto[fine..];
    }
    fuori.extend_from_slice(resto);
    fuori
}

fn read_some(lettore: &mut impl Read, byte: &mut Vec<u8>) -> io::Result<usize> {
    lettore.take(PEZZO as u64).read_to_end(byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn risposta(dentro: &str) -> String {
        format!(
            "<e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\"><e:Body><r xmlns:c=\"urn:c\">\
             <c:IdLotto>x</c:IdLotto><c:Esito>PARZIALE</c:Esito><c:Conteggi><c:Elementi>2</c:Elementi>\
             <c:Lavorati>2</c:Lavorati></c:Conteggi>{dentro}</r></e:Body></e:Envelope>"
        )
    }

    fn voce(posto: u64) -> String {
        format!(
            "<c:Elemento><c:Posto>{posto}</c:Posto><c:Riga>3</c:Riga><c:Colonna>5</c:Colonna>\
             <c:Esito>RIFIUTATA</c:Esito><c:Errore><c:Codice>CF-002</c:Codice></c:Errore></c:Elemento>"
        )
    }

    /// Gives its bytes a few at a time.
    struct Goccia<'a>(&'a [u8]);

    impl Read for Goccia<'_> {
        fn read(&mut self, dove: &mut [u8]) -> io::Result<usize> {
            let quanti = self.0.len().min(dove.len()).min(7);
            dove[..quanti].copy_from_slice(&self.0[..quanti]);
            self.0 = &self.0[quanti..];
            Ok(quanti)
        }
    }

    #[test]
    fn items_come_one_by_one_and_a_cut_answer_is_no_answer() {
        let intera = risposta(&format!("<c:Elementi>{}{}</c:Elementi>", voce(1), voce(2)));
        let mut spoglio = Spoglio::open(Goccia(intera.as_bytes())).unwrap();
        assert_eq!(
            (spoglio.quadro.esito.as_str(), spoglio.quadro.elementi),
            ("PARZIALE", Some(2))
        );
        for posto in [1, 2] {
            let voce = spoglio.prossima().unwrap().unwrap();
            assert_eq!((voce.posto, voce.errori[0].codice.as_str()), (posto, "CF-002"));
        }
        assert_eq!(spoglio.prossima().unwrap(), None);
        let inizio = intera.find("<c:Elementi><c:Elemento>").unwrap();
        for fine in inizio..intera.len() {
            let tronca = match Spoglio::open(&intera.as_bytes()[..fine]) {
                Err(_) => true,
                Ok(mut spoglio) => (0..3).any(|_| spoglio.prossima().is_err()),
            };
            assert!(tronca, "cut at {fine}");
        }
    }

    #[test]
    fn a_csv_is_one_text_without_its_references() {
        let righe = risposta("<c:Csv>posto;errori\n1;&lt;a&gt; &amp;amp; &quot;b&quot;\n</c:Csv>");
        let mut fuori = Vec::new();
        Spoglio::open(Goccia(righe.as_bytes()))
            .unwrap()
            .copy_csv(&mut fuori)
            .unwrap();
        assert_eq!(
            String::from_utf8(fuori).unwrap(),
            "posto;errori\n1;<a> &amp; \"b\"\n"
        );
    }
}
