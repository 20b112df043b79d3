//! Makes the papers that docs/ricevuta.md shows, of people that do not exist, without a store and without a gateway, and
//! tells how long each took: `cargo run --example carte -- CARTELLA`. Their pictures: `pdftoppm -r 70 -png`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use varco::carte::riepilogo::{AllegatoElencato, Originale};
use varco::carte::{RicevutaDati, Riepilogo, pdf};
use varco::domanda::sha256::Sha256;
use varco::domanda::{Ambiente, Mese, Richiedente};
use varco::prestazione::{PRESTAZIONI, Prestazione};
use varco::protocollo::{NumeroDomanda, NumeroProtocollo};
use varco::ricevuta::{Ricevuta, SchedaRicevuta};
use varco::soap::answer;

/// A request of docs/messaggi, as if it had been registered.
struct Esempio {
    prestazione: &'static Prestazione,
    richiesta: &'static str,
    ambiente: Ambiente,
    istante: &'static str,
    numero: u64,
    domanda: u64,
    figli: &'static [&'static str],
    decorrenza: Mese,
}

fn main() -> Result<()> {
    let cartella: PathBuf = std::env::args_os().nth(1).context("in which folder?")?.into();
    let at = Esempio {
        prestazione: PRESTAZIONI[0],
        richiesta: include_str!("../docs/messaggi/InviaDomanda.xml"),
        ambiente: Ambiente::Collaudo,
        istante: "2021-07-15T08:41:07.250Z",
        numero: 10797,
        domanda: 371,
        figli: &["BBBRRR14A01A001X", "BNCNNA10T45H501Y"],
        decorrenza: Mese { anno: 2021, mese: 7 },
    };
    let au = Esempio {
        prestazione: PRESTAZIONI[1],
        richiesta: include_str!("../docs/messaggi/AssegnoUnicoUniversale/InviaDomanda.xml"),
        ambiente: Ambiente::Produzione,
        istante: "2022-03-15T16:02:44.031Z",
        numero: 248_113,
        domanda: 9_204,
        figli: &[
            "BBBRRR14A01A001X",
            "BNCNNA10T45H501Y",
            "BNCGLI22C55F205L",
            "BNCLCU04M15H501H",
            "MXABKP55H18F205I",
        ],
        decorrenza: Mese { anno: 2022, mese: 3 },
    };
    for (nome, esempio) in [("at", &at), ("auu", &au)] {
        let dati = RicevutaDati::read(&esempio.ricevuta()?, "InviaDomanda")?;
        make(&cartella.join(format!("ricevuta-{nome}.pdf")), || {
            Ok(pdf::ricevuta(&dati)?)
        })?;
        let originale = esempio.originale()?;
        make(&cartella.join(format!("riepilogo-{nome}.pdf")), || {
            let riepilogo = Riepilogo::read(&originale, esempio.prestazione.testo_firmato)?;
            Ok(pdf::riepilogo(&riepilogo)?)
        })?;
    }
    Ok(())
}

/// Makes a paper ten times, so that the typefaces are read and the time is that of one.
fn make(file: &Path, carta: impl Fn() -> Result<Vec<u8>>) -> Result<()> {
    let prima = carta()?;
    let inizio = Instant::now();
    for _ in 0..10 {
        anyhow::ensure!(carta()? == prima, "not the same bytes");
    }
    let durata = inizio.elapsed() / 10;
    eprintln!("{}: {} byte in {durata:?}", file.display(), prima.len());
    Ok(std::fs::write(file, prima)?)
}

impl Esempio {
    fn ricevuta(&self) -> Result<Vec<u8>> {
        let istante: jiff::Timestamp = self.istante.parse()?;
        let anno = varco::protocollo::data_a_roma(istante).year();
        Ok(answer::ricevuta(&Ricevuta {
            prestazione: self.prestazione.titolo.to_owned(),
            ambiente: self.ambiente,
            protocollo: NumeroProtocollo::new(self.prestazione.registro, anno, self.numero)
                .context("a number")?,
            numero_domanda: NumeroDomanda(self.domanda),
            chiave: "2021-004512-1".parse()?,
            presentata_il: istante,
            registrata_il: istante,
            oggetto: format!(
                "{} - domanda n. {} - {} figli",
                self.prestazione.titolo,
                self.domanda,
                self.figli.len()
            ),
            ente: "PAT01".parse()?,
            ente_denominazione: "Patronato di prova PAT01".to_owned(),
            codice_ufficio: "001".parse()?,
            user_id: "op.rossi".parse()?,
            richiedente: Richiedente {
                codice_fiscale: "RSSMRA80A01H501U".parse()?,
                nome: "MARIO".to_owned(),
                cognome: "ROSSI".to_owned(),
                email: None,
                cellulare: None,
                indirizzo: None,
            },
            canale: "MODI",
            impronta: Sha256::of(self.richiesta.as_bytes()),
            schede: (1..)
                .zip(self.figli)
                .map(|(posto, figlio)| {
                    Ok(SchedaRicevuta {
                        posto,
                        codice_fiscale: figlio.parse()?,
                        decorrenza_presunta: Some(self.decorrenza),
                    })
                })
                .collect::<Result<_>>()?,
            prossimi_passi: self.prestazione.prossimi_passi.to_owned(),
        }))
    }

    fn originale(&self) -> Result<Originale> {
        let domanda = format!("<{}:Domanda>", self.prestazione.prefisso);
        Ok(Originale {
            ricevuta: self.ricevuta()?.into(),
            operazione: "InviaDomanda".to_owned(),
            richiesta: Bytes::from_static(self.richiesta.as_bytes()),
            contenuto_da: self.richiesta.find(&domanda).context("no Domanda")?,
            allegati: vec![AllegatoElencato {
                tipo: "TITOLO_SOGGIORNO".to_owned(),
                nome_file: "permesso-di-soggiorno.pdf".to_owned(),
                tipo_mime: "application/pdf".to_owned(),
                impronta: Sha256::of(b"permesso"),
                bytes_len: 148_213,
            }],
        })
    }
}
