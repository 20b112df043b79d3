//! What is said to the gateway about a lot that it has, and what it answers.

use std::fmt::{self, Write as _};

use anyhow::Result;
use uuid::Uuid;

use crate::catalogo::Codice;
use crate::cli::send::busta::{CHIUSURA, Operatore, opening};
use crate::cli::send::cliente::{Aperta, Cliente, Mancato};
use crate::cli::send::risposta::{Elemento, Errore, Esito, errors};
use crate::cli::send::{Dove, uscita};
use crate::cli::{Uscita, sample};
use crate::prestazione::{PRESTAZIONI, Prestazione};
use crate::soap::SoapVersion;

/// Which gateway, as whom.
#[derive(Debug, clap::Args)]
pub(super) struct Chi {
    #[command(flatten)]
    pub(super) dove: Dove,
    /// Servizio del lotto, dove il file non lo dice (predefinito: AssegnoTemporaneo; di un lotto già inviato, quello che
    /// lo conosce)
    #[arg(long, value_name = "NOME", value_parser = sample::servizio)]
    pub(super) servizio: Option<&'static Prestazione>,
    /// UserId dell'intestazione Identity (predefinito: l'Operatore della prima domanda del file, se c'è un file)
    #[arg(long, value_name = "TESTO")]
    pub(super) user_id: Option<String>,
    /// CodiceUfficio dell'intestazione Identity (predefinito: l'Ufficio della prima domanda del file; senza file 001)
    #[arg(long, value_name = "CODICE")]
    pub(super) ufficio: Option<String>,
    /// Tentativi per messaggio se il varco non risponde o chiede di riprovare (predefinito: 5)
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(super) tentativi: u32,
}

impl Chi {
    /// A connection for questions about lots; what the options leave open comes from the file.
    pub(super) fn open(
        &self,
        prestazione: Option<&'static Prestazione>,
        del_file: Operatore,
    ) -> Result<Dialogo> {
        Ok(Dialogo {
            cliente: self.dove.client(1, self.tentativi)?,
            prestazione: prestazione.or(self.servizio).unwrap_or(PRESTAZIONI[0]),
            user_id: self
                .user_id
                .clone()
                .or(del_file.user_id)
                .unwrap_or_else(|| "operatore".to_owned()),
            ufficio: self
                .ufficio
                .clone()
                .or(del_file.ufficio)
                .unwrap_or_else(|| "001".to_owned()),
        })
    }

    /// A connection to the service that has this lot, and how far the lot is. An id says nothing of its service: without
    /// the option each is asked, and what the last one says stands.
    pub(super) fn find(&self, id: Uuid) -> Result<Detto<(Dialogo, Andamento)>> {
        let mut dialogo = self.open(None, Operatore::default())?;
        let altri = if self.servizio.is_none() {
            &PRESTAZIONI[1..]
        } else {
            &[]
        };
        let mut detto = dialogo.stato(id)?;
        for altro in altri {
            if !matches!(&detto, Err(esito) if esito.is_refused_for(Codice::Lot004)) {
                break;
            }
            dialogo.prestazione = altro;
            detto = dialogo.stato(id)?;
        }
        Ok(detto.map(|stato| (dialogo, stato)))
    }
}

/// A connection to the service of a lot.
#[derive(Debug)]
pub(super) struct Dialogo {
    pub(super) cliente: Cliente,
    pub(super) prestazione: &'static Prestazione,
    user_id: String,
    ufficio: String,
}

/// An answer, or why there is none: printed as it is, it ends the command.
pub(super) type Detto<T> = Result<T, Box<Esito>>;

impl Dialogo {
    /// How far a lot is.
    pub(super) fn stato(&self, id: Uuid) -> Result<Detto<Andamento>> {
        let busta = self.about(id, "StatoLotto", "");
        let servizio = self.prestazione.servizio;
        let esito = match self.cliente.post(servizio, SoapVersion::V12, &busta) {
            Ok(ricevuto) => Esito::read(&ricevuto),
            Err(mancato) => not_sent(mancato)?,
        };
        Ok(match esito {
            Esito::Altro(elemento) => Ok(Andamento::of(&elemento)),
            altro => Err(Box::new(altro)),
        })
    }

    /// The outcome of a lot; `dentro` are the further elements of the request.
    pub(super) fn esito(&self, id: Uuid, dentro: &str) -> Result<Detto<Box<dyn std::io::Read>>> {
        let busta = self.about(id, "EsitoLotto", dentro);
        let servizio = self.prestazione.servizio;
        Ok(match self.cliente.open(servizio, SoapVersion::V12, &busta) {
            Ok(Aperta::DaLeggere(corpo)) => Ok(corpo),
            Ok(Aperta::Intera(ricevuto)) => Err(Box::new(Esito::read(&ricevuto))),
            Err(mancato) => Err(Box::new(not_sent(mancato)?)),
        })
    }

    /// An envelope up to its body.
    pub(super) fn opening(&self) -> String {
        opening(&self.user_id, &self.ufficio, "")
    }

    /// A request about a lot, which the header names.
    fn about(&self, id: Uuid, operazione: &str, dentro: &str) -> Vec<u8> {
        let (p, namespace) = (self.prestazione.prefisso, self.prestazione.namespace);
        let correlazione =
            format!("<{p}:X-Correlation-ID xmlns:{p}=\"{namespace}\">{id}</{p}:X-Correlation-ID>");
        format!(
            "{}<{p}:{operazione} xmlns:{p}=\"{namespace}\" xmlns:coop=\"http://inps.it/cooperazione/v1\">{dentro}</{p}:{operazione}>{CHIUSURA}",
            opening(&self.user_id, &self.ufficio, &correlazione)
        )
        .into_bytes()
    }
}

/// A message that did not get there: an outcome, but for a door that does not open.
pub(super) fn not_sent(mancato: Mancato) -> Result<Esito> {
    match mancato {
        porta @ Mancato::Porta(_) => Err(porta.into()),
        mancato => Ok(Esito::NonInviata {
            causa: mancato.to_string(),
        }),
    }
}

/// Prints an answer that ends the command.
pub(super) fn ended(esito: &Esito) -> Uscita {
    out!("{esito}");
    uscita(esito)
}

/// A lot as it stands, as the gateway told it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Andamento {
    pub(super) id: String,
    pub(super) chiave: String,
    pub(super) stato: String,
    /// Empty until it has ended.
    pub(super) esito: String,
    pub(super) sospeso: bool,
    pub(super) presentato_il: String,
    pub(super) elementi: Option<u64>,
    pub(super) lavorati: u64,
    pub(super) registrati: u64,
    pub(super) ripetuti: u64,
    pub(super) rifiutati: u64,
    pub(super) non_letti: u64,
    pub(super) byte: u64,
    pub(super) byte_lavorati: u64,
    pub(super) al_secondo: Option<u64>,
    pub(super) fine_stimata: String,
    pub(super) chiedere_fra_s: Option<u64>,
    pub(super) interruzione: Vec<Errore>,
}

impl Andamento {
    /// From the answer to `StatoLotto`, or from the beginning of that to `EsitoLotto`.
    pub(super) fn of(risposta: &Elemento) -> Self {
        let vuoto = Elemento::default();
        let conteggi = risposta.figlio("Conteggi").unwrap_or(&vuoto);
        let numero = |dove: &Elemento, nome: &str| dove.testo(nome).parse::<u64>().ok();
        let quanti = |nome: &str| numero(conteggi, nome).unwrap_or(0);
        Self {
            id: risposta.testo("IdLotto").to_owned(),
            chiave: risposta.testo("ChiaveInvio").to_owned(),
            stato: risposta.testo("Stato").to_owned(),
            esito: risposta.testo("Esito").to_owned(),
            sospeso: risposta.testo("Sospeso") == "true",
            presentato_il: risposta.testo("PresentatoIl").to_owned(),
            elementi: numero(conteggi, "Elementi"),
            lavorati: quanti("Lavorati"),
            registrati: quanti("Registrati"),
            ripetuti: quanti("Ripetuti"),
            rifiutati: quanti("Rifiutati"),
            non_letti: quanti("NonLetti"),
            byte: numero(risposta, "Byte").unwrap_or(0),
            byte_lavorati: numero(risposta, "ByteLavorati").unwrap_or(0),
            al_secondo: numero(risposta, "ElementiAlSecondo"),
            fine_stimata: risposta.testo("FineStimata").to_owned(),
            chiedere_fra_s: numero(risposta, "ChiedereFraSecondi"),
            interruzione: risposta.figlio("Interruzione").map(errors).unwrap_or_default(),
        }
    }

    /// The exit code of a lot that has ended like this; one that has not is neither done nor refused.
    pub(super) fn uscita(&self) -> Uscita {
        match self.esito.as_str() {
            "COMPLETO" => Uscita::Fatto,
            "" => Uscita::Riprovare,
            _ => Uscita::Rifiutato,
        }
    }

    /// `3 registrate, 2 rifiutate`, and more only where there is more.
    pub(super) fn somma(&self) -> String {
        let mut somma = format!("{} registrate, {} rifiutate", self.registrati, self.rifiutati);
        for (quante, che_cosa) in [
            (self.ripetuti, "già registrate in precedenza"),
            (self.non_letti, "non lette"),
        ] {
            if quante > 0 {
                let _ = write!(somma, ", {quante} {che_cosa}");
            }
        }
        somma
    }
}

/// All that a person wants to see of a lot.
impl fmt::Display for Andamento {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let detto = match (self.esito.as_str(), self.stato.as_str(), self.sospeso) {
            ("", _, true) => "SOSPESO",
            ("", "accepted", _) => "IN CODA",
            ("", _, _) => "IN LAVORAZIONE",
            (esito, _, _) => esito,
        };
        writeln!(f, "{detto} {}", self.id)?;
        let mut riga = |etichetta: &str, valore: &str| writeln!(f, "  {etichetta:<16}{valore}");
        riga("ChiaveInvio", &self.chiave)?;
        riga("presentato il", &self.presentato_il)?;
        match self.elementi {
            Some(elementi) => riga("domande", &format!("{} di {elementi}", self.lavorati))?,
            None => riga("domande", &self.lavorati.to_string())?,
        }
        if self.esito.is_empty() {
            riga("byte", &format!("{} di {}", self.byte_lavorati, self.byte))?;
        }
        riga("esiti", &self.somma())?;
        if let Some(al_secondo) = self.al_secondo {
            riga("al secondo", &al_secondo.to_string())?;
        }
        if !self.fine_stimata.is_empty() {
            riga("fine stimata", &self.fine_stimata)?;
        }
        if let Some(fra) = self.chiedere_fra_s {
            riga("chiedere fra", &format!("{fra} s"))?;
        }
        for errore in &self.interruzione {
            writeln!(f, "  {errore}")?;
        }
        Ok(())
    }
}
