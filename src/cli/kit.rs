//! `varco kit`: all that an integrator needs, in a folder, without a network: the contract with relative names, a
//! sample of each message, the catalogue of errors. The files are those compiled into this program, so that the kit
//! always speaks of the gateway that wrote it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::Uscita;
use crate::catalogo;

/// Where to write.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Cartella in cui scrivere (creata se manca; i file del kit vengono riscritti)
    #[arg(value_name = "CARTELLA")]
    dir: PathBuf,
}

/// A file of the kit: its name in it, its content.
type FileDelKit = (&'static str, &'static str);

macro_rules! files {
    ($cartella:literal -> $dentro:literal: $($nome:literal),* $(,)?) => {
        &[$((concat!($dentro, $nome), include_str!(concat!("../../", $cartella, "/", $nome)))),*]
    };
}

const WSDL: &[FileDelKit] = files!("wsdl" -> "": "AssegnoTemporaneo.wsdl");
const XSD: &[FileDelKit] =
    files!("xsd" -> "": "assegno-temporaneo-v1.xsd", "cooperazione-v1.xsd", "identity.xsd");
const MESSAGGI: &[FileDelKit] = files!("docs/messaggi" -> "messaggi/":
    "echo.xml",
    "VerificaDomanda.xml",
    "InviaDomanda.xml",
    "InviaDomanda-soap11.xml",
    "ConsultaDomanda.xml",
    "ScaricaRicevuta.xml",
    "Limiti.xml",
    "Diagnosi.xml",
);

const LEGGIMI: &str = "\
# Kit di integrazione del Varco

| file | che cosa è |
|---|---|
| `AssegnoTemporaneo.wsdl` | il contratto del servizio; carica gli XSD accanto, senza rete |
| `*.xsd` | gli schemi: la domanda, i tipi comuni, l'intestazione Identity |
| `messaggi/*.xml` | una richiesta di esempio per operazione, valida |
| `errori.md`, `errori.xml` | tutti i codici di errore: testo, suggerimento, se ripetere o correggere |

Il primo messaggio, con il certificato dell'ente:

    curl --cert ente.pem --key ente.key --cacert ca.pem \\
         -H 'Content-Type: application/soap+xml; charset=utf-8' \\
         --data-binary @messaggi/echo.xml \\
         https://HOST:PORTA/modi/soap/AssegnoTemporaneo/v1/

Da ricordare:

1. Ogni richiesta porta l'intestazione `Identity` (UserId e CodiceUfficio), accanto al certificato.
2. `ChiaveInvio` è del mittente ed è unica per domanda. Senza risposta si ripete lo stesso messaggio con la stessa
   chiave: se era già registrato torna la ricevuta di allora, con lo stesso numero e `Ripetizione=true`.
3. Un Fault o `Esito=RIFIUTATA` porta in `Errori` tutti gli errori trovati, con codice, percorso, riga e colonna.
   `Ripetere=true`: riprovare più tardi. `Ripetere=false`: correggere e inviare con la stessa chiave.
4. `varco validate FILE` dice gli stessi errori senza inviare nulla; `varco sample` scrive messaggi validi.
";

impl Args {
    /// Writes the kit.
    pub fn run(self) -> Result<Uscita> {
        let scritti = write(&self.dir)?;
        outln!("{scritti} file in {}", self.dir.display());
        Ok(Uscita::Fatto)
    }
}

/// Writes every file of the kit under `dir`; answers how many.
pub fn write(dir: &Path) -> Result<usize> {
    let (markdown, xml) = (catalogo::markdown(), catalogo::xml());
    let scritti_qui = [
        ("errori.md", markdown.as_str()),
        ("errori.xml", xml.as_str()),
        ("LEGGIMI.md", LEGGIMI),
    ];
    let files: Vec<_> = [WSDL, XSD, MESSAGGI, &scritti_qui].concat();
    std::fs::create_dir_all(dir.join("messaggi"))
        .with_context(|| format!("impossibile creare {}", dir.display()))?;
    for (nome, contenuto) in &files {
        let file = dir.join(nome);
        std::fs::write(&file, contenuto)
            .with_context(|| format!("impossibile scrivere {}", file.display()))?;
    }
    Ok(files.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prestazione::{Operazione, PRESTAZIONI};

    #[test]
    fn the_contract_of_the_kit_loads_without_a_network() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path()).unwrap();
        for (nome, contenuto) in [WSDL, XSD].concat() {
            for luogo in contenuto.split("schemaLocation=\"").skip(1) {
                let luogo = luogo.split('"').next().unwrap();
                assert!(dir.path().join(luogo).is_file(), "{nome} wants {luogo}");
            }
        }
    }

    #[test]
    fn every_service_and_every_operation_is_in_it() {
        for prestazione in PRESTAZIONI {
            assert!(
                WSDL.iter()
                    .any(|(nome, _)| *nome == format!("{}.wsdl", prestazione.servizio))
            );
            assert!(XSD.iter().any(|(nome, _)| *nome == prestazione.xsd));
        }
        for operazione in Operazione::TUTTE {
            let nome = format!("messaggi/{}.xml", operazione.nome());
            assert!(MESSAGGI.iter().any(|(file, _)| *file == nome), "{nome}");
        }
    }
}
