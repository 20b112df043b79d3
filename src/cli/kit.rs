//! `varco kit`: all that an integrator needs, in a folder, without a network: the contract with relative names, a
//! sample of each message, the catalogue of errors. The files are those compiled into this program, so that the kit
//! always speaks of the gateway that wrote it.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::Uscita;
use crate::catalogo;
use crate::contratto::{WSDLS, XSDS, XSDS_DELLA_BUSTA, wsdl_per_pdd};

/// Where to write.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Cartella in cui scrivere (creata se manca; i file del kit vengono riscritti)
    #[arg(value_name = "CARTELLA")]
    dir: PathBuf,
}

/// A file of the kit: its name in it, its content.
type FileDelKit = (&'static str, &'static str);

/// The contract: for each service a WSDL, and one for who sends by a porta di dominio; and the XSDs that they import by
/// their names.
fn contratto() -> Vec<(String, Cow<'static, str>)> {
    let wsdl = WSDLS.iter().flat_map(|(servizio, testo)| {
        [
            (format!("{servizio}.wsdl"), Cow::Borrowed(*testo)),
            (format!("{servizio}-pdd.wsdl"), Cow::Owned(wsdl_per_pdd(testo))),
        ]
    });
    let xsd = XSDS
        .iter()
        .chain(XSDS_DELLA_BUSTA)
        .map(|(nome, testo)| ((*nome).to_owned(), Cow::Borrowed(*testo)));
    wsdl.chain(xsd).collect()
}

macro_rules! messaggi {
    ($($nome:literal),* $(,)?) => {
        &[$((concat!("messaggi/", $nome), include_str!(concat!("../../docs/messaggi/", $nome)))),*]
    };
}

/// The requests shown to integrators: those of the first service, and in a folder of its own those of each other.
const MESSAGGI: &[FileDelKit] = messaggi!(
    "echo.xml",
    "VerificaDomanda.xml",
    "InviaDomanda.xml",
    "InviaDomanda-soap11.xml",
    "ModificaDomanda.xml",
    "AggiungiMinore.xml",
    "CompletaSecondoGenitore.xml",
    "AllegaDocumento.xml",
    "RinunciaDomanda.xml",
    "RichiediRiesame.xml",
    "InviaLotto.xml",
    "StatoLotto.xml",
    "EsitoLotto.xml",
    "ConsultaDomanda.xml",
    "RicercaDomande.xml",
    "ElencoVariazioni.xml",
    "ScaricaRicevuta.xml",
    "ScaricaRiepilogo.xml",
    "Limiti.xml",
    "Diagnosi.xml",
    "AssegnoUnicoUniversale/echo.xml",
    "AssegnoUnicoUniversale/VerificaDomanda.xml",
    "AssegnoUnicoUniversale/InviaDomanda.xml",
    "AssegnoUnicoUniversale/InviaDomanda-soap11.xml",
    "AssegnoUnicoUniversale/InviaDomanda-figlio-maggiorenne.xml",
    "AssegnoUnicoUniversale/ModificaDomanda.xml",
    "AssegnoUnicoUniversale/AggiungiFiglio.xml",
    "AssegnoUnicoUniversale/CompletaSecondoGenitore.xml",
    "AssegnoUnicoUniversale/AllegaDocumento.xml",
    "AssegnoUnicoUniversale/RinunciaDomanda.xml",
    "AssegnoUnicoUniversale/RichiediRiesame.xml",
    "AssegnoUnicoUniversale/InviaLotto.xml",
    "AssegnoUnicoUniversale/StatoLotto.xml",
    "AssegnoUnicoUniversale/EsitoLotto.xml",
    "AssegnoUnicoUniversale/ConsultaDomanda.xml",
    "AssegnoUnicoUniversale/RicercaDomande.xml",
    "AssegnoUnicoUniversale/ElencoVariazioni.xml",
    "AssegnoUnicoUniversale/ScaricaRicevuta.xml",
    "AssegnoUnicoUniversale/ScaricaRiepilogo.xml",
    "AssegnoUnicoUniversale/Limiti.xml",
    "AssegnoUnicoUniversale/Diagnosi.xml",
);

const LEGGIMI: &str = "\
# Kit di integrazione del Varco

| file | che cosa è |
|---|---|
| `NomeServizio.wsdl` | il contratto di ciascun servizio; carica gli XSD accanto, senza rete |
| `NomeServizio-pdd.wsdl` | lo stesso per chi invia con una Porta di Dominio (SPCoop, `/PD`) |
| `*.xsd` | gli schemi: la domanda, i tipi comuni, l'intestazione Identity; la busta di e-Gov e le sue tracce |
| `messaggi/*.xml` | una richiesta di esempio per operazione, valida: dell'assegno temporaneo, e in `messaggi/NomeServizio` di ogni altro servizio |
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
    let mut files = contratto();
    files.extend(
        MESSAGGI
            .iter()
            .chain(&scritti_qui)
            .map(|(nome, contenuto)| ((*nome).to_owned(), Cow::Borrowed(*contenuto))),
    );
    for (nome, contenuto) in &files {
        let file = dir.join(nome);
        let cartella = file.parent().unwrap_or(dir);
        std::fs::create_dir_all(cartella)
            .with_context(|| format!("impossibile creare {}", cartella.display()))?;
        std::fs::write(&file, contenuto.as_bytes())
            .with_context(|| format!("impossibile scrivere {}", file.display()))?;
    }
    Ok(files.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prestazione::PRESTAZIONI;

    #[test]
    fn the_contract_of_the_kit_loads_without_a_network() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path()).unwrap();
        for (nome, contenuto) in contratto() {
            for luogo in contenuto.split("schemaLocation=\"").skip(1) {
                let luogo = luogo.split('"').next().unwrap();
                assert!(dir.path().join(luogo).is_file(), "{nome} wants {luogo}");
            }
        }
    }

    #[test]
    fn every_service_and_every_operation_is_in_it() {
        for prestazione in PRESTAZIONI {
            for nome in [&format!("{}.wsdl", prestazione.servizio), prestazione.xsd] {
                assert!(contratto().iter().any(|(file, _)| file == nome), "{nome}");
            }
            for operazione in prestazione.operazioni() {
                let richiesta = format!("<{}:{}", prestazione.prefisso, operazione.nome());
                let trovata = MESSAGGI
                    .iter()
                    .any(|(_, messaggio)| messaggio.contains(&richiesta));
                assert!(trovata, "{richiesta}");
            }
        }
    }
}
