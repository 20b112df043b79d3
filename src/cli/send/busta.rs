//! From a file to an envelope. A whole envelope goes as it is; a bare `InviaDomanda`, `VerificaDomanda` or `Domanda`
//! is wrapped, and all that is added stands before the file's first line and after its last: so a line that the
//! gateway tells is a line of the file, and a column too once what was added before it is taken away.

use std::path::Path;

use super::risposta::{Errore, versione};
use crate::domanda::Violazione;
use crate::domanda::sha256::{Sha256, hex};
use crate::egov::costanti::EGOV;
use crate::prestazione::{PRESTAZIONI, Prestazione};
use crate::soap::SoapVersion;
use crate::xml::{Limits, Reader, Token};

/// What is told when a file cannot become an envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BustaErrata {
    /// It is not XML that may be sent.
    #[error("XML non leggibile")]
    Xml(Box<Violazione>),
    /// Not in the encoding that is spoken.
    #[error("il file non è in UTF-8: salvarlo in UTF-8 senza cambiare altro")]
    Codifica,
    /// Its root is none of those that are known.
    #[error(
        "la radice {0} non è una busta SOAP né un elemento InviaDomanda, VerificaDomanda o Domanda di un servizio noto"
    )]
    Radice(String),
    /// An envelope for the ModI channel, which a porta di dominio does not send.
    #[error(
        "è una busta SOAP senza Intestazione e-Gov: con --pdd si invia il solo elemento della richiesta (InviaDomanda, …), una Domanda, o \
         una busta e-Gov"
    )]
    SenzaIntestazione,
    /// A domanda that does not say who operates, and nobody else said it.
    #[error("{0} non è nella Domanda: indicarlo con {1}")]
    Identity(&'static str, &'static str),
}

/// Who operates, as the header Identity says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Operatore {
    /// The operator.
    pub user_id: Option<String>,
    /// The ufficio.
    pub ufficio: Option<String>,
}

/// An envelope that is ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Busta {
    /// Its SOAP version.
    pub versione: SoapVersion,
    /// The service that it is for.
    pub servizio: &'static str,
    /// The key it carries, as far as it could be seen.
    pub chiave: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Line and columns by which what was added moves that line; `None` when nothing was added.
    spostamento: Option<(u32, i64)>,
}

impl Busta {
    /// The envelope of a file's content; `servizio` decides where the content does not say.
    pub fn of(
        contenuto: &[u8],
        file: &Path,
        servizio: Option<&'static Prestazione>,
        operatore: &Operatore,
    ) -> Result<Self, BustaErrata> {
        let testo = std::str::from_utf8(contenuto).map_err(|_| BustaErrata::Codifica)?;
        let sguardo = Sguardo::over(contenuto)?;
        if let Some(versione) = versione(&sguardo.namespace)
            && sguardo.radice == "Envelope"
        {
            let prestazione = servizio.or(sguardo.prestazione).unwrap_or(PRESTAZIONI[0]);
            return Ok(Self {
                versione,
                servizio: prestazione.servizio,
                chiave: sguardo.chiave.unwrap_or_default(),
                bytes: contenuto.to_vec(),
                spostamento: None,
            });
        }
        let prestazione = sguardo
            .prestazione
            .filter(|_| {
                matches!(
                    sguardo.radice.as_str(),
                    "InviaDomanda" | "VerificaDomanda" | "Domanda"
                )
            })
            .ok_or_else(|| BustaErrata::Radice(format!("{{{}}}{}", sguardo.namespace, sguardo.radice)))?;
        let user_id = operatore
            .user_id
            .clone()
            .or(sguardo.operatore)
            .ok_or(BustaErrata::Identity("l'Operatore", "--user-id"))?;
        let ufficio = operatore
            .ufficio
            .clone()
            .or(sguardo.ufficio)
            .ok_or(BustaErrata::Identity("l'Ufficio del Patronato", "--ufficio"))?;
        let nuda = sguardo.radice == "Domanda";
        let chiave = if nuda {
            chiave_del_file(file)
        } else {
            sguardo.chiave.unwrap_or_default()
        };
        let (apertura, chiusura) = if nuda {
            operation(prestazione, &chiave)
        } else {
            (String::new(), String::new())
        };
        Ok(wrap(
            testo,
            prestazione,
            chiave,
            &user_id,
            &ufficio,
            &apertura,
            &chiusura,
        ))
    }

    /// Puts an error where the file has it. What was added is nobody's line.
    pub fn place(&self, errore: &mut Errore) {
        let Some((riga, davanti)) = self.spostamento else {
            return;
        };
        if errore.riga != Some(riga) {
            return;
        }
        let nel_file = errore.colonna.map(|colonna| i64::from(colonna) - davanti);
        match nel_file.map(u32::try_from) {
            Some(Ok(colonna)) if colonna > 0 => errore.colonna = Some(colonna),
            _ => (errore.riga, errore.colonna) = (None, None),
        }
    }
}

/// A file that goes to a porta di dominio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BustaPerPorta {
    /// The key it carries, as far as it could be seen.
    pub chiave: String,
    /// The request, and what it calls: service and action; `None`: it is a whole busta.
    chiama: Option<(&'static str, String)>,
    testo: String,
}

impl BustaPerPorta {
    /// What a file's content is sent as.
    pub fn of(
        contenuto: &[u8],
        file: &Path,
        servizio: Option<&'static Prestazione>,
    ) -> Result<Self, BustaErrata> {
        let testo = std::str::from_utf8(contenuto).map_err(|_| BustaErrata::Codifica)?;
        let sguardo = Sguardo::over(contenuto)?;
        if sguardo.radice == "Envelope" && testo.contains(EGOV) {
            return Ok(Self {
                chiave: sguardo.chiave.unwrap_or_default(),
                chiama: None,
                testo: testo.to_owned(),
            });
        }
        if sguardo.radice == "Envelope" && versione(&sguardo.namespace).is_some() {
            return Err(BustaErrata::SenzaIntestazione);
        }
        let prestazione = sguardo.prestazione.filter(|prestazione| {
            sguardo.namespace == prestazione.namespace
                && (sguardo.radice == "Domanda" || prestazione.by_nome(&sguardo.radice).is_some())
                && servizio.is_none_or(|servizio| servizio.servizio == prestazione.servizio)
        });
        let Some(prestazione) = prestazione else {
            let radice = format!("{{{}}}{}", sguardo.namespace, sguardo.radice);
            return Err(BustaErrata::Radice(radice));
        };
        let senza_bom = testo.trim_start_matches('\u{feff}');
        let nudo = match senza_bom.strip_prefix("<?xml") {
            Some(_) => senza_bom.split_once("?>").map_or("", |(_, resto)| resto),
            None => senza_bom,
        };
        let (chiave, azione, testo) = if sguardo.radice == "Domanda" {
            let chiave = chiave_del_file(file);
            let (apertura, chiusura) = operation(prestazione, &chiave);
            (
                chiave,
                "InviaDomanda".to_owned(),
                format!("{apertura}{nudo}{chiusura}"),
            )
        } else {
            (
                sguardo.chiave.unwrap_or_default(),
                sguardo.radice,
                nudo.to_owned(),
            )
        };
        Ok(Self {
            chiave,
            chiama: Some((prestazione.servizio, azione)),
            testo,
        })
    }

    /// The next busta of it.
    pub fn in_busta(&self, intestazione: impl FnOnce(&str, &str) -> String) -> Vec<u8> {
        let Some((servizio, azione)) = &self.chiama else {
            return self.testo.clone().into_bytes();
        };
        format!(
            "<soapenv:Envelope xmlns:soapenv=\"{}\"><soapenv:Header>{}</soapenv:Header><soapenv:Body>{}</soapenv:Body></soapenv:Envelope>",
            SoapVersion::V11.namespace(),
            intestazione(servizio, azione),
            self.testo,
        )
        .into_bytes()
    }
}

fn operation(prestazione: &Prestazione, chiave: &str) -> (String, String) {
    let (prefisso, namespace) = (prestazione.prefisso, prestazione.namespace);
    (
        format!(
            r#"<{prefisso}:InviaDomanda xmlns:{prefisso}="{namespace}"><{prefisso}:ChiaveInvio>{chiave}</{prefisso}:ChiaveInvio>"#
        ),
        format!("</{prefisso}:InviaDomanda>"),
    )
}

/// An envelope up to its body, on one line; `blocchi` are header blocks beside Identity.
pub(in crate::cli) fn opening(user_id: &str, ufficio: &str, blocchi: &str) -> String {
    format!(
        r#"<env:Envelope xmlns:env="{}"><env:Header>{blocchi}<inps:Identity xmlns:inps="http://inps.it/"><UserId>{}</UserId><CodiceUfficio>{}</CodiceUfficio></inps:Identity></env:Header><env:Body>"#,
        SoapVersion::V12.namespace(),
        escape(user_id),
        escape(ufficio),
    )
}

/// What closes such an envelope.
pub(in crate::cli) const CHIUSURA: &str = "</env:Body></env:Envelope>";

fn wrap(
    testo: &str,
    prestazione: &Prestazione,
    chiave: String,
    user_id: &str,
    ufficio: &str,
    apertura: &str,
    chiusura: &str,
) -> Busta {
    let senza_bom = testo.trim_start_matches('\u{feff}');
    // The XML declaration goes, with what it said of the encoding: the envelope is UTF-8 and says nothing.
    let (dichiarazione, resto) = match senza_bom.strip_prefix("<?xml") {
        Some(_) => senza_bom.split_at(senza_bom.find("?>").map_or(0, |fine| fine + 2)),
        None => ("", senza_bom),
    };
    let intestazione = opening(user_id, ufficio, "") + apertura;
    // A declaration over several lines leaves its line ends behind, so that the lines of the rest stay.
    let a_capo: String = dichiarazione.chars().filter(|c| *c == '\n').collect();
    let ultima_riga = dichiarazione.rsplit('\n').next().unwrap_or_default();
    let righe = u32::try_from(a_capo.len()).unwrap_or(u32::MAX);
    let colonne = i64::try_from(intestazione.chars().count()).unwrap_or(i64::MAX)
        - i64::try_from(ultima_riga.chars().count()).unwrap_or(0);
    let bytes = format!("{a_capo}{intestazione}{resto}{chiusura}{CHIUSURA}").into_bytes();
    Busta {
        versione: SoapVersion::V12,
        servizio: prestazione.servizio,
        chiave,
        bytes,
        spostamento: Some((righe.saturating_add(1), colonne)),
    }
}

/// What must be known of a file before it is sent.
#[derive(Debug, Default)]
pub(in crate::cli) struct Sguardo {
    namespace: String,
    radice: String,
    prestazione: Option<&'static Prestazione>,
    chiave: Option<String>,
    /// Who operates, as the Domanda says it.
    pub(in crate::cli) operatore: Option<String>,
    /// The ufficio, as the Domanda says it.
    pub(in crate::cli) ufficio: Option<String>,
}

impl Sguardo {
    /// Looks at the root and at the few values that the envelope needs. The gateway judges the rest: whatever is
    /// wrong below the root is its finding, not ours.
    pub(in crate::cli) fn over(contenuto: &[u8]) -> Result<Self, BustaErrata> {
        let limits = Limits::default();
        let mut reader = Reader::new(contenuto, &limits);
        let mut sguardo = Self::default();
        let mut percorso: Vec<String> = Vec::new();
        let mut testo = String::new();
        loop {
            let token = match reader.next() {
                Ok(token) => token,
                Err(error) if sguardo.radice.is_empty() => {
                    return Err(BustaErrata::Xml(Box::new(error.violazione())));
                }
                Err(_) => return Ok(sguardo),
            };
            match token {
                Token::Start { nome, .. } => {
                    if sguardo.radice.is_empty() {
                        nome.namespace.clone_into(&mut sguardo.namespace);
                        nome.locale.clone_into(&mut sguardo.radice);
                    }
                    if sguardo.prestazione.is_none() {
                        sguardo.prestazione = PRESTAZIONI
                            .iter()
                            .copied()
                            .find(|prestazione| prestazione.namespace == nome.namespace);
                    }
                    percorso.push(nome.locale.to_owned());
                    testo.clear();
                }
                Token::Text(pezzo) => testo.push_str(&pezzo),
                Token::End { .. } => {
                    sguardo.note(&percorso, testo.trim());
                    percorso.pop();
                    testo.clear();
                }
                Token::Eof => return Ok(sguardo),
            }
        }
    }

    fn note(&mut self, percorso: &[String], valore: &str) {
        let mut ultimi = percorso.iter().rev().map(String::as_str);
        let (nome, padre) = (ultimi.next(), ultimi.next());
        let dove = match (nome, padre) {
            (Some("ChiaveInvio"), Some("InviaDomanda" | "VerificaDomanda")) => &mut self.chiave,
            (Some("Operatore"), Some("Domanda")) => &mut self.operatore,
            (Some("Ufficio"), Some("Patronato")) => &mut self.ufficio,
            _ => return,
        };
        if dove.is_none() && !valore.is_empty() {
            *dove = Some(valore.to_owned());
        }
    }
}

/// The key of a bare domanda: the file's name without its ending. The same name gives the same key for ever; a name
/// that a key cannot spell is spelt with `-` and told apart by eight digits of its SHA-256.
#[must_use]
pub fn chiave_del_file(file: &Path) -> String {
    let nome = file
        .file_stem()
        .map(|nome| nome.to_string_lossy())
        .unwrap_or_default();
    let ammesso = |c: char| c.is_ascii_alphanumeric() || "._:/-".contains(c);
    if (1..=64).contains(&nome.len()) && nome.chars().all(ammesso) {
        return nome.into_owned();
    }
    let scritto: String = nome
        .chars()
        .map(|c| if ammesso(c) { c } else { '-' })
        .take(64 - 9)
        .collect();
    let cifre = hex(&Sha256::of(nome.as_bytes())[..4]);
    format!("{scritto}-{cifre}")
}

/// Text as XML wants it.
#[must_use]
pub fn escape(testo: &str) -> String {
    testo
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOMANDA: &str = "<at:Domanda xmlns:at=\"http://inps.it/AssegnoTemporaneo/v1\">\n  <at:Patronato><at:Codice>PAT01</at:Codice><at:Ufficio>002</at:Ufficio></at:Patronato>\n  <at:Operatore>anna &amp; c</at:Operatore>\n</at:Domanda>\n";

    fn busta(contenuto: &str) -> Result<Busta, BustaErrata> {
        Busta::of(
            contenuto.as_bytes(),
            Path::new("lotto/pratica-7.xml"),
            None,
            &Operatore::default(),
        )
    }

    #[test]
    fn a_bare_domanda_gets_a_key_from_its_name_and_an_identity_from_its_content() {
        let busta = busta(DOMANDA).unwrap();
        let testo = String::from_utf8(busta.bytes.clone()).unwrap();
        assert_eq!(
            (busta.chiave.as_str(), busta.servizio),
            ("pratica-7", "AssegnoTemporaneo")
        );
        assert!(
            testo.contains("<UserId>anna &amp; c</UserId><CodiceUfficio>002</CodiceUfficio>"),
            "{testo}"
        );
        assert!(
            testo.contains("<at:ChiaveInvio>pratica-7</at:ChiaveInvio><at:Domanda"),
            "{testo}"
        );
    }

    #[test]
    fn errors_are_told_at_the_lines_of_the_file() {
        for prima in [
            "",
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
            "<?xml version=\"1.0\"?>\n<!-- mia -->\n",
        ] {
            let file = format!("{prima}{DOMANDA}");
            let busta = busta(&file).unwrap();
            let inviato = String::from_utf8(busta.bytes.clone()).unwrap();
            for cercato in ["<at:Domanda ", "<at:Operatore>"] {
                let (riga, colonna) = place_of(&inviato, cercato);
                let mut errore = Errore {
                    riga: Some(riga),
                    colonna: Some(colonna),
                    ..Errore::default()
                };
                busta.place(&mut errore);
                let (riga, colonna) = place_of(&file, cercato);
                assert_eq!(
                    (errore.riga, errore.colonna),
                    (Some(riga), Some(colonna)),
                    "{prima}{cercato}"
                );
            }
            let (riga, colonna) = place_of(&inviato, "<UserId>");
            let mut errore = Errore {
                riga: Some(riga),
                colonna: Some(colonna),
                ..Errore::default()
            };
            busta.place(&mut errore);
            assert_eq!((errore.riga, errore.colonna), (None, None));
        }
    }

    fn place_of(testo: &str, cercato: &str) -> (u32, u32) {
        let prima = &testo[..testo.find(cercato).unwrap()];
        let riga = prima.matches('\n').count() + 1;
        let colonna = prima.rsplit('\n').next().unwrap().chars().count() + 1;
        (u32::try_from(riga).unwrap(), u32::try_from(colonna).unwrap())
    }

    #[test]
    fn an_envelope_goes_as_it_is() {
        let testo = format!(
            "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><at:InviaDomanda xmlns:at=\"http://inps.it/AssegnoTemporaneo/v1\"><at:ChiaveInvio> k-1 </at:ChiaveInvio>{DOMANDA}</at:InviaDomanda></s:Body></s:Envelope>"
        );
        let busta = busta(&testo).unwrap();
        assert_eq!(busta.bytes, testo.as_bytes());
        assert_eq!((busta.versione, busta.chiave.as_str()), (SoapVersion::V11, "k-1"));
    }

    #[test]
    fn what_cannot_be_sent_is_said() {
        assert_eq!(busta("<altro/>"), Err(BustaErrata::Radice("{}altro".to_owned())));
        assert!(matches!(busta("non xml"), Err(BustaErrata::Xml(_))));
        let senza = DOMANDA.replace("Operatore", "Altro");
        assert_eq!(
            busta(&senza),
            Err(BustaErrata::Identity("l'Operatore", "--user-id"))
        );
    }

    #[test]
    fn a_file_name_gives_one_key_for_ever() {
        let chiave = |nome: &str| chiave_del_file(Path::new(nome));
        assert_eq!(chiave("lotto/2021-07-001.xml"), "2021-07-001");
        assert_eq!(chiave("pratica rossi.xml"), "pratica-rossi-9ff1a172");
        assert_ne!(chiave("pratica rossi.xml"), chiave("pratica_rossi.xml"));
        let lunga = chiave(&format!("{}.xml", "a".repeat(200)));
        assert_eq!(lunga.len(), 64);
        assert!(lunga.parse::<crate::patronato::ChiaveInvio>().is_ok());
    }

    #[test]
    fn an_envelope_of_the_other_channel_is_not_put_into_a_busta() {
        let modi = r#"<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body/></e:Envelope>"#;
        assert_eq!(
            BustaPerPorta::of(modi.as_bytes(), Path::new("modi.xml"), None),
            Err(BustaErrata::SenzaIntestazione)
        );
    }
}
