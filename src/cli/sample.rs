//! `varco sample`: valid messages of people that do not exist. The same writer serves the demonstration, the load tool
//! and the tests, so that what they send is what an integrator gets to see: pretty printed, with the prefixes that the
//! documentation uses.

mod atti;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use jiff::civil::Date;

use super::Uscita;
use super::lot::Foglio;
use super::porta::{Nomi, Porta};
use super::send::busta::escape;
use crate::clock::{Clock as _, Ids as _, RandomIds, WallClock};
use crate::domanda::campione::{Ampiezza, Campo, Mittente, PERIODO, Spunto};
use crate::intake::lotto::taglio::LOTTO;
use crate::prestazione::{Operazione, PRESTAZIONI, Prestazione, by_servizio};
use crate::protocollo::data_a_roma;
use crate::soap::SoapVersion;

/// Which message, of whom, where to.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command")]
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Operazione: echo, VerificaDomanda, InviaDomanda, ModificaDomanda, AggiungiMinore (dell'assegno unico:
    /// AggiungiFiglio), RinunciaDomanda, ConsultaDomanda, ScaricaRicevuta, ScaricaRiepilogo,
    /// Limiti, Diagnosi (predefinita: InviaDomanda)
    #[arg(value_name = "OPERAZIONE", default_value = "InviaDomanda", value_parser = operazione)]
    operazione: Operazione,
    /// Servizio a cui è destinato il messaggio (predefinito: AssegnoTemporaneo)
    #[arg(long, value_name = "NOME", default_value = PRESTAZIONI[0].servizio, value_parser = servizio)]
    servizio: &'static Prestazione,
    /// Solo ciò che è obbligatorio, un solo figlio
    #[arg(long)]
    semplice: bool,
    /// Lo stesso seme, con la stessa --data, dà lo stesso messaggio (predefinito: uno nuovo ogni volta)
    #[arg(long, value_name = "N")]
    seme: Option<u64>,
    /// Busta SOAP 1.1 (predefinita: SOAP 1.2)
    #[arg(long)]
    soap11: bool,
    /// Scrive solo l'elemento della richiesta, senza busta
    #[arg(long, conflicts_with = "soap11")]
    senza_busta: bool,
    /// Busta e-Gov per POST /PD, come la scrive una porta di dominio: vale cinque giorni, e una volta sola
    #[arg(long, conflicts_with_all = ["soap11", "senza_busta", "lotto"])]
    pdd: bool,
    #[command(flatten)]
    nomi: Nomi,
    /// Giorno di presentazione: età e mandato vi si adeguano (predefinito: oggi)
    #[arg(long, value_name = "DATA")]
    data: Option<Date>,
    /// Protocollo della domanda a cui la richiesta si riferisce
    #[arg(long, value_name = "NUMERO")]
    protocollo: Option<String>,
    /// Codice dell'ente (predefinito: PAT01)
    #[arg(long, value_name = "CODICE", default_value = "PAT01")]
    ente: String,
    /// Codice dell'ufficio (predefinito: 001)
    #[arg(long, value_name = "CODICE", default_value = "001")]
    ufficio: String,
    /// Operatore (predefinito: operatore)
    #[arg(long, value_name = "TESTO", default_value = "operatore")]
    user_id: String,
    /// Scrive un file di lotto con N domande, per varco lot send
    #[arg(long, value_name = "N", conflicts_with_all = ["quanti", "soap11", "senza_busta"], value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    lotto: Option<u32>,
    /// File in cui scrivere (predefinito: lo standard output)
    #[arg(short = 'o', value_name = "FILE", conflicts_with = "quanti")]
    output: Option<PathBuf>,
    /// Quanti messaggi scrivere in --dir: 0001.xml, 0002.xml, …
    #[arg(long, value_name = "N", requires = "dir", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    quanti: Option<u32>,
    /// Cartella in cui scriverli (creata se manca)
    #[arg(long, value_name = "CARTELLA", requires = "quanti")]
    dir: Option<PathBuf>,
}

fn operazione(nome: &str) -> Result<Operazione, String> {
    Operazione::TUTTE
        .iter()
        .copied()
        .find(|operazione| operazione.nome().eq_ignore_ascii_case(nome))
        .ok_or_else(|| {
            let esistono: Vec<_> = Operazione::TUTTE
                .iter()
                .map(|operazione| operazione.nome())
                .collect();
            format!("operazione sconosciuta; esistono {}", esistono.join(", "))
        })
}

/// The service of that name.
pub(super) fn servizio(nome: &str) -> Result<&'static Prestazione, String> {
    by_servizio(nome).ok_or_else(|| {
        let esistono: Vec<_> = PRESTAZIONI
            .iter()
            .map(|prestazione| prestazione.servizio)
            .collect();
        format!("servizio sconosciuto; esistono {}", esistono.join(", "))
    })
}

/// A counter that no other call is likely to get.
#[must_use]
pub fn fresh_seed() -> u64 {
    // The random half of the id; what is cut off is what does not fit.
    #[expect(clippy::cast_possible_truncation, reason = "any 64 bits will do")]
    let bits = RandomIds.next().as_u128() as u64;
    bits % PERIODO
}

/// The key of a sample: it names all that the content depends on, so the same key is always the same content.
#[must_use]
pub fn chiave(seme: u64, presentazione: Date) -> String {
    format!("campione-{}-{seme}", presentazione.strftime("%Y%m%d"))
}

/// A whole `InviaDomanda` message.
#[must_use]
pub fn envelope(
    prestazione: &'static Prestazione,
    spunto: &Spunto<'_>,
    chiave: &str,
    versione: SoapVersion,
) -> String {
    let richiesta = with_domanda(prestazione, Operazione::InviaDomanda, spunto, chiave);
    in_envelope(versione, &spunto.mittente, &richiesta)
}

/// An envelope around a request, which is indented to its place.
#[must_use]
pub fn in_envelope(versione: SoapVersion, mittente: &Mittente<'_>, richiesta: &str) -> String {
    let mut busta = Scrittore::new();
    busta.open_with(
        "env:Envelope",
        &format!(" xmlns:env=\"{}\"", versione.namespace()),
    );
    busta.open("env:Header");
    busta.open_with("inps:Identity", " xmlns:inps=\"http://inps.it/\"");
    busta.leaf("UserId", mittente.user_id);
    busta.leaf("CodiceUfficio", mittente.ufficio);
    busta.close();
    busta.close();
    busta.open("env:Body");
    busta.raw(richiesta);
    busta.close();
    busta.close();
    busta.testo
}

/// The same as a porta di dominio sends it: the adesione says who operates.
#[must_use]
pub fn in_busta(intestazione: &str, richiesta: &str) -> String {
    let mut busta = Scrittore::new();
    busta.open_with(
        "soapenv:Envelope",
        &format!(" xmlns:soapenv=\"{}\"", SoapVersion::V11.namespace()),
    );
    for (dove, testo) in [("soapenv:Header", intestazione), ("soapenv:Body", richiesta)] {
        busta.open(dove);
        busta.raw(testo);
        busta.close();
    }
    busta.close();
    busta.testo
}

/// The request element of an operation that carries a Domanda.
#[must_use]
pub fn with_domanda(
    prestazione: &'static Prestazione,
    operazione: Operazione,
    spunto: &Spunto<'_>,
    chiave: &str,
) -> String {
    let mut richiesta = Scrittore::of(prestazione);
    richiesta.root(operazione.nome());
    richiesta.leaf("ChiaveInvio", chiave);
    richiesta.campo(&(prestazione.campione)(spunto));
    richiesta.close();
    richiesta.testo
}

/// The request element of a lot of these requests.
#[must_use]
pub fn lotto(prestazione: &'static Prestazione, chiave: &str, richieste: &[String]) -> String {
    let mut richiesta = Scrittore::of(prestazione);
    richiesta.root(Operazione::InviaLotto.nome());
    richiesta.leaf("ChiaveInvio", chiave);
    richiesta.open("Lotto");
    for una in richieste {
        richiesta.raw(una);
    }
    richiesta.close();
    richiesta.close();
    richiesta.testo
}

/// A lot that is not there.
const LOTTO_DI_ESEMPIO: &str = "00000000-0000-4000-8000-000000000001";

/// The request element of an operation that carries none.
#[must_use]
pub fn without_domanda(
    prestazione: &'static Prestazione,
    operazione: Operazione,
    protocollo: &str,
) -> String {
    let mut richiesta = Scrittore::of(prestazione);
    richiesta.root(operazione.nome());
    match operazione {
        Operazione::Echo => richiesta.leaf("Msg", "prova di collegamento"),
        Operazione::ConsultaDomanda | Operazione::ScaricaRicevuta | Operazione::ScaricaRiepilogo => {
            richiesta.open("Riferimento");
            // The choice inside is of the shared types, hence of their namespace.
            richiesta.line(&format!(
                "<coop:Protocollo xmlns:coop=\"http://inps.it/cooperazione/v1\">{}</coop:Protocollo>",
                escape(protocollo)
            ));
            richiesta.close();
        }
        Operazione::Diagnosi => {
            let adesso = WallClock::default().wall();
            richiesta.leaf("OraDelChiamante", &format!("{adesso:.3}"));
        }
        Operazione::StatoLotto | Operazione::EsitoLotto => {
            richiesta.line(&format!(
                "<coop:IdLotto xmlns:coop=\"http://inps.it/cooperazione/v1\">{LOTTO_DI_ESEMPIO}</coop:IdLotto>"
            ));
        }
        // From the beginning.
        Operazione::InviaLotto
        | Operazione::RicercaDomande
        | Operazione::ElencoVariazioni
        | Operazione::Limiti
        | Operazione::VerificaDomanda
        | Operazione::InviaDomanda
        | Operazione::ModificaDomanda
        | Operazione::AggiungiMinore
        | Operazione::AggiungiFiglio
        | Operazione::CompletaSecondoGenitore
        | Operazione::AllegaDocumento
        | Operazione::RinunciaDomanda
        | Operazione::RichiediRiesame => {}
    }
    richiesta.close();
    richiesta.testo
}

/// Writes elements one below the other, two blanks deeper at each level.
#[derive(Debug, Default)]
struct Scrittore {
    testo: String,
    aperti: Vec<String>,
    prestazione: Option<&'static Prestazione>,
}

impl Scrittore {
    fn new() -> Self {
        Self::default()
    }

    fn of(prestazione: &'static Prestazione) -> Self {
        Self {
            prestazione: Some(prestazione),
            ..Self::default()
        }
    }

    /// Writes some fields with the prefix of another service, or of none.
    fn within(&mut self, prestazione: Option<&'static Prestazione>, write: impl FnOnce(&mut Self)) {
        let propria = std::mem::replace(&mut self.prestazione, prestazione);
        write(self);
        self.prestazione = propria;
    }

    /// The name with the prefix of the service, when there is one.
    fn name(&self, nome: &str) -> String {
        match self.prestazione {
            Some(prestazione) => format!("{}:{nome}", prestazione.prefisso),
            None => nome.to_owned(),
        }
    }

    fn line(&mut self, testo: &str) {
        for _ in &self.aperti {
            self.testo.push_str("  ");
        }
        self.testo.push_str(testo);
        self.testo.push('\n');
    }

    fn open_with(&mut self, nome: &str, attributi: &str) {
        let nome = self.name(nome);
        self.line(&format!("<{nome}{attributi}>"));
        self.aperti.push(nome);
    }

    fn open(&mut self, nome: &str) {
        self.open_with(nome, "");
    }

    /// Opens the outermost element of a service, which declares its prefix.
    fn root(&mut self, nome: &str) {
        let attributi = self
            .prestazione
            .map(|prestazione| format!(" xmlns:{}=\"{}\"", prestazione.prefisso, prestazione.namespace))
            .unwrap_or_default();
        self.open_with(nome, &attributi);
    }

    fn close(&mut self) {
        if let Some(nome) = self.aperti.pop() {
            self.line(&format!("</{nome}>"));
        }
    }

    fn leaf(&mut self, nome: &str, testo: &str) {
        let nome = self.name(nome);
        self.line(&format!("<{nome}>{}</{nome}>", escape(testo)));
    }

    fn campo(&mut self, campo: &Campo) {
        match campo {
            Campo::Foglia(nome, testo) => self.leaf(nome, testo),
            Campo::Gruppo(nome, campi) => {
                self.open(nome);
                for campo in campi {
                    self.campo(campo);
                }
                self.close();
            }
        }
    }

    fn raw(&mut self, testo: &str) {
        for riga in testo.lines() {
            self.line(riga);
        }
    }
}

impl Args {
    /// Writes one message, or many.
    pub fn run(self) -> Result<Uscita> {
        ensure!(
            self.servizio.offers(self.operazione),
            "{} non ha l'operazione {}; ha {}",
            self.servizio.servizio,
            self.operazione.nome(),
            self.servizio.aggiungi.nome()
        );
        let presentazione = self
            .data
            .unwrap_or_else(|| data_a_roma(WallClock::default().wall()));
        let seme = self.seme.unwrap_or_else(fresh_seed);
        if let (Some(dir), Some(quanti)) = (&self.dir, self.quanti) {
            self.write_folder(dir, quanti, seme, presentazione)?;
            outln!("{quanti} messaggi in {}", dir.display());
            return Ok(Uscita::Fatto);
        }
        if let Some(quanti) = self.lotto {
            ensure!(
                self.operazione == Operazione::InviaDomanda,
                "in un lotto stanno solo richieste InviaDomanda"
            );
            self.write_lot(quanti, seme, presentazione)?;
            return Ok(Uscita::Fatto);
        }
        let testo = self.message(seme, presentazione)?;
        match &self.output {
            Some(file) => std::fs::write(file, testo)
                .with_context(|| format!("impossibile scrivere {}", file.display()))?,
            None => out!("{testo}"),
        }
        Ok(Uscita::Fatto)
    }

    /// One request after the other: a file of any length needs the memory of one of them.
    fn write_lot(&self, quanti: u32, seme: u64, presentazione: Date) -> Result<()> {
        let mut foglio = Foglio::create(self.output.as_deref())?;
        let (p, namespace) = (self.servizio.prefisso, self.servizio.namespace);
        write!(
            foglio,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{p}:{LOTTO} xmlns:{p}=\"{namespace}\">\n"
        )?;
        for passo in 0..quanti {
            let seme = seme.wrapping_add(u64::from(passo));
            let spunto = self.spunto(seme, presentazione);
            let chiave = chiave(seme, presentazione);
            let richiesta = with_domanda(self.servizio, Operazione::InviaDomanda, &spunto, &chiave);
            foglio.write_all(richiesta.as_bytes())?;
        }
        writeln!(foglio, "</{p}:{LOTTO}>")?;
        foglio.finish()?;
        if let Some(file) = &self.output {
            outln!("{quanti} domande in {}", file.display());
        }
        Ok(())
    }

    fn spunto(&self, seme: u64, presentazione: Date) -> Spunto<'_> {
        Spunto {
            contatore: seme,
            presentazione,
            mittente: Mittente {
                ente: &self.ente,
                ufficio: &self.ufficio,
                user_id: &self.user_id,
            },
            ampiezza: if self.semplice {
                Ampiezza::Minima
            } else {
                Ampiezza::Intera
            },
        }
    }

    fn write_folder(&self, dir: &Path, quanti: u32, seme: u64, presentazione: Date) -> Result<()> {
        std::fs::create_dir_all(dir).with_context(|| format!("impossibile creare {}", dir.display()))?;
        // As wide as the last one, so that names sort as numbers.
        let cifre = quanti.to_string().len().max(4);
        for passo in 0..quanti {
            let file = dir.join(format!("{:0cifre$}.xml", passo + 1));
            let testo = self.message(seme.wrapping_add(u64::from(passo)), presentazione)?;
            std::fs::write(&file, testo)
                .with_context(|| format!("impossibile scrivere {}", file.display()))?;
        }
        Ok(())
    }

    fn message(&self, seme: u64, presentazione: Date) -> Result<String> {
        let spunto = self.spunto(seme, presentazione);
        let primo = format!(
            "INPS-{}-{}-000000000001",
            self.servizio.registro,
            presentazione.year()
        );
        let protocollo = self.protocollo.as_deref().unwrap_or(&primo);
        let chiave = chiave(seme, presentazione);
        let richiesta = match self.operazione {
            operazione @ (Operazione::InviaDomanda | Operazione::VerificaDomanda) => {
                with_domanda(self.servizio, operazione, &spunto, &chiave)
            }
            Operazione::InviaLotto => {
                let altra = self::chiave(seme + 1, presentazione);
                let domande = [(&chiave, seme), (&altra, seme + 1)].map(|(chiave, seme)| {
                    let spunto = Spunto {
                        contatore: seme,
                        ..spunto
                    };
                    with_domanda(self.servizio, Operazione::InviaDomanda, &spunto, chiave)
                });
                lotto(self.servizio, &format!("lotto-{chiave}"), &domande)
            }
            Operazione::ModificaDomanda => atti::modifica(self.servizio, &spunto, &chiave, protocollo),
            operazione @ (Operazione::AggiungiMinore | Operazione::AggiungiFiglio) => {
                atti::aggiunta(self.servizio, operazione, &spunto, &chiave, protocollo)
            }
            Operazione::CompletaSecondoGenitore => {
                atti::completamento(self.servizio, &spunto, &chiave, protocollo)
            }
            Operazione::AllegaDocumento => atti::documento(self.servizio, &spunto, &chiave, protocollo),
            Operazione::RinunciaDomanda => atti::rinuncia(self.servizio, &spunto, &chiave, protocollo),
            Operazione::RichiediRiesame => atti::riesame(self.servizio, &spunto, &chiave, protocollo),
            operazione @ (Operazione::Echo
            | Operazione::StatoLotto
            | Operazione::EsitoLotto
            | Operazione::ConsultaDomanda
            | Operazione::RicercaDomande
            | Operazione::ElencoVariazioni
            | Operazione::ScaricaRicevuta
            | Operazione::ScaricaRiepilogo
            | Operazione::Limiti
            | Operazione::Diagnosi) => without_domanda(self.servizio, operazione, protocollo),
        };
        let versione = if self.soap11 {
            SoapVersion::V11
        } else {
            SoapVersion::V12
        };
        let corpo = if self.senza_busta {
            richiesta
        } else if self.pdd {
            let adesso = WallClock::default().wall();
            let porta = Porta::new(&self.nomi)?;
            let intestazione = porta.intestazione(self.servizio.servizio, self.operazione.nome(), adesso);
            in_busta(&intestazione, &richiesta)
        } else {
            in_envelope(versione, &spunto.mittente, &richiesta)
        };
        Ok(format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{corpo}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::validate::judge;
    use crate::domanda::Ambiente;
    use crate::schema::Schema;
    use crate::xml::Limits;

    const MITTENTE: Mittente<'_> = Mittente {
        ente: "PAT01",
        ufficio: "001",
        user_id: "anna & co",
    };

    fn args(servizio: &'static Prestazione, operazione: Operazione) -> Args {
        Args {
            operazione,
            servizio,
            semplice: false,
            seme: Some(42),
            soap11: false,
            senza_busta: false,
            pdd: false,
            nomi: Nomi {
                mittente: "PatronatoUno".to_owned(),
                destinatario: "INPS".to_owned(),
            },
            data: Some(jiff::civil::date(2021, 7, 15)),
            protocollo: None,
            ente: MITTENTE.ente.to_owned(),
            ufficio: MITTENTE.ufficio.to_owned(),
            user_id: MITTENTE.user_id.to_owned(),
            output: None,
            lotto: None,
            quanti: None,
            dir: None,
        }
    }

    #[test]
    fn every_sample_is_valid_in_every_shape() {
        let schema = Schema::load().unwrap();
        for prestazione in PRESTAZIONI {
            let giorno = prestazione.finestra.dal;
            let presentata_il = giorno
                .at(12, 0, 0, 0)
                .to_zoned(crate::protocollo::roma())
                .unwrap()
                .timestamp();
            for operazione in prestazione.operazioni() {
                for (semplice, soap11, senza_busta) in [
                    (false, false, false),
                    (true, false, false),
                    (false, true, false),
                    (false, false, true),
                ] {
                    let forma = Args {
                        semplice,
                        soap11,
                        senza_busta,
                        ..args(prestazione, operazione)
                    };
                    let testo = forma.message(7, giorno).unwrap();
                    let lettura = schema.read_file(testo.as_bytes(), &Limits::default()).unwrap();
                    assert_eq!(lettura.operazione, operazione);
                    assert_eq!(lettura.prestazione.servizio, prestazione.servizio);
                    assert_eq!(lettura.rilievi, [], "{testo}");
                    if lettura.istanza.is_some() {
                        let verdetto =
                            judge(&schema, testo.as_bytes(), Ambiente::Produzione, presentata_il).unwrap();
                        assert_eq!(verdetto.errori, [], "{testo}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_seed_other_people() {
        let giorno = jiff::civil::date(2021, 7, 15);
        let testo = |seme| {
            args(PRESTAZIONI[0], Operazione::InviaDomanda)
                .message(seme, giorno)
                .unwrap()
        };
        assert_eq!(testo(1), testo(1));
        assert_ne!(testo(1), testo(2));
        assert!(testo(1).contains("<at:ChiaveInvio>campione-20210715-1</at:ChiaveInvio>"));
        assert!(testo(1).contains("<UserId>anna &amp; co</UserId>"));
    }

    #[test]
    fn an_operation_is_found_whatever_its_capitals_and_a_service_by_its_name() {
        assert_eq!(servizio("AssegnoTemporaneo").unwrap().prefisso, "at");
        assert!(servizio("Assegno").unwrap_err().contains("AssegnoTemporaneo"));
        assert_eq!(operazione("inviadomanda"), Ok(Operazione::InviaDomanda));
        assert!(operazione("Invia").unwrap_err().contains("InviaDomanda"));
    }
}
