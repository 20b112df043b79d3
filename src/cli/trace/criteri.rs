//! What is searched for, as the command line says it.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use anyhow::{Context as _, Result, bail};

use crate::clock::{Clock as _, WallClock};
use crate::store::filtri::FiltroSalvato;
use crate::store::{Ricerca, Store};

/// The criteria; all that are given must hold.
#[derive(Debug, clap::Args)]
pub(super) struct Criteri {
    /// Numero di protocollo, anche in parte: il progressivo (0001234), con o senza anno (2026-0001234)
    #[arg(long, value_name = "NUMERO")]
    protocollo: Option<String>,
    /// Numero della domanda: tutti i messaggi che la riguardano
    #[arg(long, value_name = "NUMERO")]
    numero_domanda: Option<String>,
    /// Identificativo del messaggio, quello indicato nelle risposte come IdMessaggio
    #[arg(long, value_name = "UUID")]
    message_id: Option<String>,
    /// Identificativo dato dal mittente: wsa:MessageID, Identificatore e-Gov (anche il nostro), GovWay-Message-ID o
    /// GovWay-Transaction-ID
    #[arg(long, value_name = "TESTO")]
    id_mittente: Option<String>,
    /// ChiaveInvio
    #[arg(long, value_name = "CHIAVE")]
    chiave: Option<String>,
    /// Identificativo di un lotto: il messaggio che lo ha portato e le sue domande registrate
    #[arg(long, value_name = "UUID")]
    lotto: Option<String>,
    /// Chiede un codice fiscale, dal terminale o dalla prima riga in ingresso: come argomento resterebbe nella cronologia
    /// e nell'elenco dei processi
    #[arg(long)]
    persona: bool,
    /// Codice dell'ente
    #[arg(long, value_name = "CODICE")]
    ente: Option<String>,
    /// Codice dell'ufficio
    #[arg(long, value_name = "CODICE")]
    ufficio: Option<String>,
    /// UserId dell'operatore
    #[arg(long, value_name = "TESTO")]
    user_id: Option<String>,
    /// Canale: MODI, PDD, LOTTO, CLI
    #[arg(long, value_name = "CANALE")]
    canale: Option<String>,
    /// Servizio, come AssegnoTemporaneo
    #[arg(long, value_name = "NOME")]
    servizio: Option<String>,
    /// Operazione, come InviaDomanda
    #[arg(long, value_name = "NOME")]
    operazione: Option<String>,
    /// Esito: REGISTRATA, RIPETUTA, RIFIUTATA, AMMISSIBILE, ACCOLTO, RISPOSTA, FAULT, INTERROTTA
    #[arg(long, value_name = "ESITO")]
    esito: Option<String>,
    /// Codice di errore, come CF-002
    #[arg(long, value_name = "CODICE")]
    codice: Option<String>,
    /// Certificato del client: numero di serie, o una parte del soggetto
    #[arg(long, value_name = "TESTO")]
    certificato: Option<String>,
    /// Indirizzo del client, o una rete: 192.0.2.7, 192.0.2.0/24
    #[arg(long, value_name = "INDIRIZZO")]
    indirizzo: Option<String>,
    /// Da questo istante in poi: 2021-07-15 (ora di Roma) o 2021-07-15T10:00:00Z
    #[arg(long, value_name = "ISTANTE")]
    dal: Option<String>,
    /// Prima di questo istante
    #[arg(long, value_name = "ISTANTE")]
    al: Option<String>,
}

impl Criteri {
    /// Whether a person is searched for.
    pub(super) fn persona(&self) -> bool {
        self.persona
    }

    /// Sets what was given over what is there.
    pub(super) fn set(&self, ricerca: &mut Ricerca) -> Result<()> {
        for (nome, valore) in [
            ("protocollo", &self.protocollo),
            ("numero_domanda", &self.numero_domanda),
            ("message_id", &self.message_id),
            ("id_mittente", &self.id_mittente),
            ("chiave_invio", &self.chiave),
            ("lotto", &self.lotto),
            ("ente", &self.ente),
            ("codice_ufficio", &self.ufficio),
            ("user_id", &self.user_id),
            ("canale", &self.canale),
            ("servizio", &self.servizio),
            ("operazione", &self.operazione),
            ("esito", &self.esito),
            ("codice", &self.codice),
            ("certificato", &self.certificato),
            ("indirizzo", &self.indirizzo),
            ("dal", &self.dal),
            ("al", &self.al),
        ] {
            if let Some(valore) = valore {
                ricerca.set(nome, valore)?;
            }
        }
        if self.persona {
            ricerca.set("persona", &ask()?)?;
        }
        Ok(())
    }
}

/// Asks whom to look for, where no shell remembers it.
fn ask() -> Result<String> {
    let ingresso = std::io::stdin();
    if ingresso.is_terminal() {
        let mut errori = std::io::stderr();
        // A prompt that cannot be shown keeps nobody from answering it.
        let _ = write!(errori, "codice fiscale: ").and_then(|()| errori.flush());
    }
    let mut riga = String::new();
    ingresso
        .lock()
        .read_line(&mut riga)
        .context("impossibile leggere il codice fiscale dall'ingresso")?;
    Ok(riga.trim().to_owned())
}

/// The search that was kept under a name.
pub(super) async fn kept(store: &dyn Store, nome: &str) -> Result<Ricerca> {
    let filtri = store.filtri(None).await?;
    let Some(filtro) = filtri.iter().find(|filtro| filtro.nome() == nome) else {
        bail!("nessun filtro di nome {nome}; varco trace filtri li elenca");
    };
    Ok(filtro.ricerca().clone())
}

/// Keeps a search under a name.
pub(super) async fn keep(store: &dyn Store, nome: &str, ricerca: &Ricerca) -> Result<()> {
    let filtro = FiltroSalvato::new(nome, None, ricerca, WallClock::default().wall())?;
    store.keep_filtro(&filtro).await?;
    eprintln!("filtro salvato: {}", filtro.nome());
    Ok(())
}

/// Lists the searches that have a name, or forgets one.
pub(super) async fn filtri(store: &dyn Store, dimentica: Option<&str>) -> Result<()> {
    if let Some(nome) = dimentica {
        anyhow::ensure!(
            store.forget_filtro(None, nome).await?,
            "nessun filtro di nome {nome}"
        );
        outln!("filtro dimenticato: {nome}");
        return Ok(());
    }
    for filtro in store.filtri(None).await? {
        let criteri: Vec<_> = filtro
            .ricerca()
            .criteri()
            .iter()
            .map(|(nome, valore)| format!("{nome}={valore}"))
            .collect();
        outln!("{}: {}", filtro.nome(), criteri.join(" "));
    }
    Ok(())
}
