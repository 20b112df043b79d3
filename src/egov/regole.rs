//! Whether a busta that was read may be served: its age, the registry, the rules of the partner. It promises that all
//! that is wrong is told at once, and that only what passed here is an [`Accolta`]. Time and registry are handed in.
//!
//! Two sets of rules. The Linee guida 1.1 are the default: what they deprecate is told as INFO and served. Plain 1.1
//! knows no INFO: what it takes it takes silently, all else is grave.

use jiff::{SignedDuration, Timestamp};

use super::costanti::{ALPIUUNAVOLTA, Profilo, SPC, TEMPO_LOCALE};
use super::eccezione::{CodiceEgov, Eccezione};
use super::intestazione::{
    Busta, DESTINATARIO, DESTINAZIONE, Intestazione, MITTENTE, ORIGINE, Parte, Posti, Servizio,
};
use super::{Identificatore, ora};
use crate::domanda::codelista::codelista;

codelista! {
    /// By which rules a partner writes its buste; the words are those of the adesioni.
    RegoleBusta {
        /// "Linee guida busta e-gov v1.1": what the qualification checks.
        LineeGuida11 = "lineeGuida1.1",
        /// "Busta di e-Gov v1.1" alone.
        Egov11 = "1.1",
    }
}

/// What time it is, and what that means to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tempi {
    /// Now.
    pub adesso: Timestamp,
    /// How old a message may be. Identifiers are remembered at least so long.
    pub finestra: SignedDuration,
    /// How far a message may be ahead of us; `None`: as far as it likes.
    pub anticipo: Option<SignedDuration>,
}

/// The registry: who and what is known.
pub trait Anagrafe {
    /// What is known of a sender; `None`: no party of ours.
    fn mittente(&self, parte: &Parte) -> Option<MittenteNoto<'_>>;
    /// Whether a Destinatario means us.
    fn is_nostro(&self, destinatario: &Parte) -> bool;
    /// The profile under which a service is registered; `None`: no such service.
    fn profilo(&self, servizio: &Servizio) -> Option<Profilo>;
    /// Whether that service has that action.
    fn has_azione(&self, servizio: &Servizio, azione: &str) -> bool;
}

/// A sender as the registry has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MittenteNoto<'a> {
    /// The code of its porta, compared whatever its case; `None`: any.
    pub porta: Option<&'a str>,
    /// Its rules.
    pub regole: RegoleBusta,
}

/// A busta that may be served. Only [`esamina`] makes one.
///
/// ```compile_fail,E0451
/// fn forge(accolta: varco::egov::Accolta) -> varco::egov::Accolta {
///     varco::egov::Accolta { azione: "InviaDomanda".to_owned(), ..accolta }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accolta {
    mittente: Parte,
    servizio: Servizio,
    azione: String,
    identificatore: Identificatore,
    regole: RegoleBusta,
    filtra_doppioni: bool,
    avvisi: Vec<Eccezione>,
}

impl Accolta {
    /// Who sends.
    #[must_use]
    pub fn mittente(&self) -> &Parte {
        &self.mittente
    }

    /// Which service.
    #[must_use]
    pub fn servizio(&self) -> &Servizio {
        &self.servizio
    }

    /// Which of its actions.
    #[must_use]
    pub fn azione(&self) -> &str {
        &self.azione
    }

    /// The key of the duplicate filter.
    #[must_use]
    pub fn identificatore(&self) -> &Identificatore {
        &self.identificatore
    }

    /// By which rules it was read.
    #[must_use]
    pub fn regole(&self) -> RegoleBusta {
        self.regole
    }

    /// Whether a second busta with this identifier is an error: always under the Linee guida, else when the sender
    /// asked for it.
    #[must_use]
    pub fn filtra_doppioni(&self) -> bool {
        self.filtra_doppioni
    }

    /// The INFO findings that the answer tells.
    #[must_use]
    pub fn avvisi(&self) -> &[Eccezione] {
        &self.avvisi
    }
}

/// A busta that is not served: shape B.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Respinta {
    /// All findings, in document order. At least one is grave.
    pub eccezioni: Vec<Eccezione>,
    /// By which rules.
    pub regole: RegoleBusta,
}

/// Looks at all that the header says: syntax, age, registry, rules.
pub fn esamina(busta: &Busta, tempi: &Tempi, anagrafe: &dyn Anagrafe) -> Result<Accolta, Respinta> {
    let letta = &busta.intestazione;
    let noto = letta
        .mittente
        .as_ref()
        .and_then(|mittente| anagrafe.mittente(mittente));
    let regole = noto.map_or(RegoleBusta::LineeGuida11, |noto| noto.regole);

    let id = identificatore(letta.identificatore.as_deref());
    let mut rilievi = Rilievi(busta.rilievi.clone());
    eta(letta, id.as_ref(), tempi, &mut rilievi);
    match regole {
        RegoleBusta::LineeGuida11 => linee_guida(letta, &mut rilievi),
        RegoleBusta::Egov11 => egov(letta, &mut rilievi),
    }
    registro(letta, noto, anagrafe, &mut rilievi);
    appartenenza(letta, id.as_ref(), noto, &mut rilievi);
    let eccezioni = rilievi.in_ordine();

    if eccezioni.iter().any(Eccezione::is_grave) {
        return Err(Respinta { eccezioni, regole });
    }
    accogli(letta, id, regole, eccezioni).ok_or_else(|| Respinta {
        // Whatever is missing has a finding: this one would be a fault of the reader.
        eccezioni: vec![Eccezione::grave(CodiceEgov::E001, "Intestazione")],
        regole,
    })
}

fn accogli(
    letta: &Intestazione,
    identificatore: Option<Identificatore>,
    regole: RegoleBusta,
    avvisi: Vec<Eccezione>,
) -> Option<Accolta> {
    let trasmissione = letta.trasmissione.as_ref();
    let inoltro = trasmissione.and_then(|trasmissione| trasmissione.inoltro.as_deref());
    Some(Accolta {
        mittente: letta.mittente.clone()?,
        servizio: letta.servizio.clone()?,
        azione: letta.azione.clone()?,
        identificatore: identificatore?,
        regole,
        filtra_doppioni: regole == RegoleBusta::LineeGuida11 || inoltro == Some(ALPIUUNAVOLTA),
        avvisi,
    })
}

/// Findings, each once.
struct Rilievi(Vec<Eccezione>);

impl Rilievi {
    fn grave(&mut self, codice: CodiceEgov, posizione: &'static str) {
        self.push(Eccezione::grave(codice, posizione));
    }

    fn push(&mut self, eccezione: Eccezione) {
        if !self.0.contains(&eccezione) {
            self.0.push(eccezione);
        }
    }

    /// Whether something grave is known of a field: then the registry has nothing to add.
    fn has(&self, codice: CodiceEgov) -> bool {
        self.0
            .iter()
            .any(|eccezione| eccezione.codice == codice && eccezione.is_grave())
    }

    /// In the order of the document; INFO first where both are told of one place, as official answers have it.
    fn in_ordine(mut self) -> Vec<Eccezione> {
        const ORDINE: &[&str] = &[
            "Intestazione",
            "IntestazioneMessaggio",
            "Mittente",
            "Destinatario",
            "ProfiloCollaborazione",
            "Collaborazione",
            "Servizio",
            "Azione",
            "Messaggio",
            "ProfiloTrasmissione",
            "Sequenza",
            "ListaRiscontri",
            "ListaTrasmissioni",
            "ListaEccezioni",
        ];
        self.0.sort_by_key(|eccezione| {
            let radice = eccezione.posizione.split('/').next();
            let posto = ORDINE.iter().position(|nome| Some(*nome) == radice);
            (posto.unwrap_or(ORDINE.len()), eccezione.rilevanza)
        });
        self.0
    }
}

/// Scadenza and age. All of it is told at one place, whatever field was too old.
fn eta(letta: &Intestazione, id: Option<&Identificatore>, tempi: &Tempi, rilievi: &mut Rilievi) {
    const SCADENZA: &str = "Messaggio/Scadenza";
    let ora = letta.ora_registrazione.as_deref().and_then(ora::leggi);
    let minuto = id.and_then(Identificatore::minuto);
    let scadenza = letta.scadenza.as_deref().and_then(ora::leggi);
    let vecchio = |istante: Option<Timestamp>| {
        istante.is_some_and(|istante| tempi.adesso.duration_since(istante) > tempi.finestra)
    };
    if scadenza.is_some_and(|scadenza| scadenza < tempi.adesso) || vecchio(ora) || vecchio(minuto) {
        rilievi.grave(CodiceEgov::E301, SCADENZA);
    }
    let Some(anticipo) = tempi.anticipo else { return };
    let futuro = |istante: Option<Timestamp>| {
        istante.is_some_and(|istante| istante.duration_since(tempi.adesso) > anticipo)
    };
    if futuro(ora) {
        rilievi.grave(CodiceEgov::E108, "Messaggio/OraRegistrazione");
    }
    if futuro(minuto) {
        rilievi.grave(CodiceEgov::E110, "Messaggio/Identificatore");
    }
}

/// The rules of the Linee guida. INFO findings are added only when these rules found nothing grave.
fn linee_guida(letta: &Intestazione, rilievi: &mut Rilievi) {
    let mut propri = Rilievi(Vec::new());
    gravi_linee_guida(letta, &mut propri);
    if propri.0.is_empty() {
        info_linee_guida(letta, &mut propri);
    }
    for eccezione in propri.0 {
        rilievi.push(eccezione);
    }
}

fn gravi_linee_guida(letta: &Intestazione, propri: &mut Rilievi) {
    for (parte, posti) in parti(letta) {
        if parte.tipo != SPC {
            propri.grave(posti.codice, posti.tipo);
        }
    }
    // A block without its message has no profile either.
    if letta.profilo.is_none() && letta.identificatore.is_some() {
        propri.grave(CodiceEgov::E103, "ProfiloCollaborazione");
    }
    if letta
        .servizio
        .as_ref()
        .is_some_and(|servizio| servizio.tipo != SPC)
    {
        propri.grave(CodiceEgov::E105, "Servizio/tipo");
    }
    if letta.tempo.as_deref() == Some(TEMPO_LOCALE) {
        propri.grave(CodiceEgov::E108, "Messaggio/OraRegistrazione/tempo");
    }
    if let Some(trasmissione) = &letta.trasmissione {
        // An absent attribute means PIUDIUNAVOLTA.
        if trasmissione.inoltro.as_deref() != Some(ALPIUUNAVOLTA) {
            propri.grave(CodiceEgov::E113, "ProfiloTrasmissione/inoltro");
        }
        if trasmissione.conferma.as_deref() == Some("true") {
            propri.grave(CodiceEgov::E113, "ProfiloTrasmissione/confermaRicezione");
        }
    }
    let locale = |tempo: &Option<String>| tempo.as_deref() == Some(TEMPO_LOCALE);
    if letta.trasmissioni.iter().any(|hop| locale(&hop.tempo)) {
        propri.grave(
            CodiceEgov::E116,
            "ListaTrasmissioni/Trasmissione/OraRegistrazione/tempo",
        );
    }
}

fn info_linee_guida(letta: &Intestazione, propri: &mut Rilievi) {
    for (parte, posti) in parti(letta) {
        if parte.indirizzo.is_some() {
            propri.push(Eccezione::info(posti.codice, posti.indirizzo));
        }
    }
    let profilo = letta.profilo.as_deref().and_then(Profilo::parse);
    let sincrono = matches!(profilo, Some(Profilo::Sincrono | Profilo::OneWay));
    for (presente, codice, posizione) in [
        (
            letta.profilo_correlato && !sincrono && profilo.is_some(),
            CodiceEgov::E103,
            "ProfiloCollaborazione",
        ),
        (
            letta.collaborazione.is_some() && sincrono,
            CodiceEgov::E104,
            "Collaborazione",
        ),
        (letta.sequenza.is_some(), CodiceEgov::E401, "Sequenza"),
        (letta.riscontri, CodiceEgov::E115, "ListaRiscontri"),
    ] {
        if presente {
            propri.push(Eccezione::info(codice, posizione));
        }
    }
}

/// The rules of plain 1.1, where they ask for what we do not do or for what cannot be right.
fn egov(letta: &Intestazione, rilievi: &mut Rilievi) {
    for (parte, posti) in parti(letta) {
        if parte.indirizzo.as_deref().is_some_and(|uri| !is_uri(uri)) {
            rilievi.grave(posti.codice, posti.indirizzo);
        }
    }
    // Who numbers its messages asks that they be worked in order. They would not be.
    if letta.sequenza.is_some() {
        rilievi.grave(CodiceEgov::E401, "Sequenza");
    }
}

/// Every party of a header with the places of its fields.
fn parti(letta: &Intestazione) -> impl Iterator<Item = (&Parte, &'static Posti)> {
    let mittente = letta.mittente.iter().map(|parte| (parte, &MITTENTE));
    let destinatario = letta.destinatario.iter().map(|parte| (parte, &DESTINATARIO));
    let hop = letta
        .trasmissioni
        .iter()
        .flat_map(|hop| [(&hop.origine, &ORIGINE), (&hop.destinazione, &DESTINAZIONE)]);
    mittente.chain(destinatario).chain(hop)
}

/// The registry. It is not asked about what is known to be wrong.
fn registro(
    letta: &Intestazione,
    noto: Option<MittenteNoto<'_>>,
    anagrafe: &dyn Anagrafe,
    rilievi: &mut Rilievi,
) {
    if noto.is_none() && letta.mittente.is_some() && !rilievi.has(MITTENTE.codice) {
        rilievi.grave(MITTENTE.codice, MITTENTE.parte);
    }
    if let Some(destinatario) = &letta.destinatario
        && !rilievi.has(DESTINATARIO.codice)
        && !anagrafe.is_nostro(destinatario)
    {
        rilievi.grave(DESTINATARIO.codice, DESTINATARIO.parte);
    }
    // A block without its message names no service: that is told already.
    if letta.identificatore.is_none() {
        return;
    }
    let servizio = letta.servizio.as_ref();
    let registrato = servizio.and_then(|servizio| anagrafe.profilo(servizio));
    if registrato.is_none() && !rilievi.has(CodiceEgov::E105) {
        rilievi.grave(CodiceEgov::E105, "Servizio");
    }
    if let (Some(registrato), Some(profilo)) = (registrato, &letta.profilo)
        && !rilievi.has(CodiceEgov::E103)
        && profilo != registrato.as_str()
    {
        rilievi.grave(CodiceEgov::E103, "ProfiloCollaborazione");
    }
    let conosciuta = match (servizio, &letta.azione) {
        (_, None) => false,
        // Of a service that nobody knows no action can be known or not.
        (Some(servizio), Some(azione)) if registrato.is_some() => anagrafe.has_azione(servizio, azione),
        _ => true,
    };
    if !conosciuta && !rilievi.has(CodiceEgov::E106) {
        rilievi.grave(CodiceEgov::E106, "Azione");
    }
}

/// Identifiers say who made them.
fn appartenenza(
    letta: &Intestazione,
    id: Option<&Identificatore>,
    noto: Option<MittenteNoto<'_>>,
    rilievi: &mut Rilievi,
) {
    let (Some(mittente), Some(destinatario)) = (&letta.mittente, &letta.destinatario) else {
        return;
    };
    let mittente_errato = rilievi.has(MITTENTE.codice) && noto.is_none();
    let porta = noto.and_then(|noto| noto.porta);
    if let Some(id) = id
        && !mittente_errato
        && !id.is_of(&mittente.nome, porta)
    {
        rilievi.grave(CodiceEgov::E110, "Messaggio/Identificatore");
    }
    if let Some(id) = identificatore(letta.riferimento.as_deref())
        && !rilievi.has(DESTINATARIO.codice)
        && !id.is_of(&destinatario.nome, None)
    {
        rilievi.grave(CodiceEgov::E111, "Messaggio/RiferimentoMessaggio");
    }
    if let Some(id) = identificatore(letta.collaborazione.as_deref())
        && ![mittente, destinatario]
            .iter()
            .any(|parte| id.is_of(&parte.nome, None))
    {
        rilievi.grave(CodiceEgov::E104, "Collaborazione");
    }
}

fn identificatore(testo: Option<&str>) -> Option<Identificatore> {
    testo.and_then(|testo| testo.parse().ok())
}

/// Whether a text can be an address: a scheme, and something behind it.
fn is_uri(testo: &str) -> bool {
    let dopo = testo
        .split_once(':')
        .map(|(_, dopo)| dopo.trim_start_matches('/'));
    dopo.is_some_and(|dopo| !dopo.is_empty()) && !testo.contains(char::is_whitespace)
}
