//! The fields of an Intestazione, one by one, by the letter of the busta. Order inside `IntestazioneMessaggio` and
//! attributes that nobody knows are let pass, as the porte in the field do.

use super::Identificatore;
use super::costanti::{
    ALPIUUNAVOLTA, EGOV, FORMATO_NON_CORRETTO, PIUDIUNAVOLTA, PORTA_DOMINIO, Profilo, SOAP, TEMPO_LOCALE,
    TEMPO_SPC, TIPI_SERVIZIO,
};
use super::eccezione::{CodiceEgov, Contesto, Eccezione, Rilevanza};
use super::intestazione::{
    DESTINATARIO, DESTINAZIONE, Illeggibile, Intestazione, MITTENTE, ORIGINE, Parte, Posti,
    ProfiloTrasmissione, Servizio, Trasmissione,
};
use super::ora;
use crate::soap::{Elemento, leggi_blocco};
use crate::xml::{Reader, Token, is_bianco};

/// The reading of one Intestazione.
pub(super) struct Campi<'e> {
    elemento: &'e Elemento,
    rilievi: Vec<Eccezione>,
}

type Lettura<T> = Result<T, Illeggibile>;

impl<'e> Campi<'e> {
    pub(super) fn new(elemento: &'e Elemento) -> Self {
        Self {
            elemento,
            rilievi: Vec::new(),
        }
    }

    /// What was found.
    pub(super) fn finish(self) -> Vec<Eccezione> {
        self.rilievi
    }

    /// The whole block.
    pub(super) fn intestazione(&mut self) -> Lettura<Intestazione> {
        let radice = self.elemento;
        if radice.namespace != EGOV {
            self.grave(CodiceEgov::E002, "Intestazione/namespace");
        }
        if radice.attributo(SOAP, "actor").map(str::trim) != Some(PORTA_DOMINIO) {
            self.grave(CodiceEgov::E002, "Intestazione/actor");
        }
        if radice.attributo(SOAP, "mustUnderstand").map(str::trim) != Some("1") {
            self.grave(CodiceEgov::E002, "Intestazione/mustUnderstand");
        }
        self.solo(
            radice,
            &[
                "IntestazioneMessaggio",
                "ListaRiscontri",
                "ListaTrasmissioni",
                "ListaEccezioni",
            ],
            CodiceEgov::E002,
            "Intestazione",
        );
        let mut letta = Intestazione::default();
        match self.unico(radice, "IntestazioneMessaggio")? {
            Some(messaggio) => {
                if !radice
                    .figli
                    .first()
                    .is_some_and(|primo| std::ptr::eq(primo, messaggio))
                {
                    self.grave(CodiceEgov::E002, "IntestazioneMessaggio");
                }
                self.intestazione_messaggio(messaggio, &mut letta)?;
            }
            None => self.grave(CodiceEgov::E002, "IntestazioneMessaggio"),
        }
        if let Some(lista) = self.unico(radice, "ListaRiscontri")? {
            letta.riscontri = true;
            self.riscontri(lista)?;
        }
        if let Some(lista) = self.unico(radice, "ListaTrasmissioni")? {
            letta.trasmissioni = self.trasmissioni(lista)?;
        }
        if let Some(lista) = self.unico(radice, "ListaEccezioni")? {
            letta.eccezioni = self.eccezioni(lista)?;
        }
        Ok(letta)
    }

    fn intestazione_messaggio(&mut self, padre: &'e Elemento, letta: &mut Intestazione) -> Lettura<()> {
        const FIGLI: &[&str] = &[
            "Mittente",
            "Destinatario",
            "ProfiloCollaborazione",
            "Collaborazione",
            "Servizio",
            "Azione",
            "Messaggio",
            "ProfiloTrasmissione",
            "Sequenza",
        ];
        self.solo(padre, FIGLI, CodiceEgov::E002, "IntestazioneMessaggio");
        letta.mittente = Some(self.parte(padre, "Mittente", &MITTENTE)?);
        letta.destinatario = Some(self.parte(padre, "Destinatario", &DESTINATARIO)?);
        if let Some(profilo) = self.unico(padre, "ProfiloCollaborazione")? {
            self.profilo(profilo, letta);
        }
        if let Some(collaborazione) = self.unico(padre, "Collaborazione")? {
            let testo = self.testo(collaborazione, CodiceEgov::E104, "Collaborazione");
            if testo.parse::<Identificatore>().is_err() {
                self.grave(CodiceEgov::E104, "Collaborazione");
            }
            letta.collaborazione = Some(testo);
        }
        if let Some(servizio) = self.unico(padre, "Servizio")? {
            letta.servizio = Some(self.servizio(servizio)?);
        }
        if let Some(azione) = self.unico(padre, "Azione")? {
            letta.azione = Some(self.pieno(azione, CodiceEgov::E106, "Azione"));
        }
        let messaggio = self.necessario(padre, "Messaggio", "Messaggio")?;
        self.messaggio(messaggio, letta)?;
        if let Some(trasmissione) = self.unico(padre, "ProfiloTrasmissione")? {
            letta.trasmissione = Some(self.profilo_trasmissione(trasmissione));
        }
        if let Some(sequenza) = self.unico(padre, "Sequenza")? {
            letta.sequenza = Some(self.sequenza(sequenza)?);
        }
        Ok(())
    }

    fn parte(&mut self, padre: &'e Elemento, nome: &'static str, posti: &Posti) -> Lettura<Parte> {
        let elemento = self.necessario(padre, nome, posti.radice)?;
        self.solo(elemento, &["IdentificativoParte"], posti.codice, posti.radice);
        let mut letta: Option<Parte> = None;
        for parte in self.tutti(elemento, "IdentificativoParte") {
            let tipo = attributo(parte, "tipo").ok_or_else(|| struttura(posti.tipo))?;
            if letta.is_some() {
                self.grave(posti.codice, posti.parte);
                continue;
            }
            if tipo.is_empty() {
                self.grave(posti.codice, posti.tipo);
            }
            letta = Some(Parte {
                tipo,
                nome: self.pieno(parte, posti.codice, posti.parte),
                indirizzo: attributo(parte, "indirizzoTelematico"),
            });
        }
        letta.ok_or_else(|| struttura(posti.parte))
    }

    fn profilo(&mut self, elemento: &'e Elemento, letta: &mut Intestazione) {
        let testo = self.testo(elemento, CodiceEgov::E103, "ProfiloCollaborazione");
        let profilo = Profilo::parse(&testo);
        if profilo.is_none() {
            self.grave(CodiceEgov::E103, "ProfiloCollaborazione");
        }
        for (nome, posizione) in [
            ("servizioCorrelato", "ProfiloCollaborazione/servizioCorrelato"),
            ("tipo", "ProfiloCollaborazione/tipo"),
        ] {
            if elemento.attributo("", nome).is_none() {
                continue;
            }
            letta.profilo_correlato = true;
            // They name the service of the answer, which these two do not have.
            if matches!(profilo, Some(Profilo::Sincrono | Profilo::OneWay)) {
                self.grave(CodiceEgov::E103, posizione);
            }
        }
        letta.profilo = Some(testo);
    }

    fn servizio(&mut self, elemento: &'e Elemento) -> Lettura<Servizio> {
        let tipo = attributo(elemento, "tipo").ok_or_else(|| struttura("Servizio/tipo"))?;
        if !TIPI_SERVIZIO.contains(&tipo.as_str()) {
            self.grave(CodiceEgov::E105, "Servizio/tipo");
        }
        Ok(Servizio {
            tipo,
            nome: self.pieno(elemento, CodiceEgov::E105, "Servizio"),
        })
    }

    fn messaggio(&mut self, padre: &'e Elemento, letta: &mut Intestazione) -> Lettura<()> {
        const ID: &str = "Messaggio/Identificatore";
        const RIFERIMENTO: &str = "Messaggio/RiferimentoMessaggio";
        const SCADENZA: &str = "Messaggio/Scadenza";
        self.solo(
            padre,
            &[
                "Identificatore",
                "OraRegistrazione",
                "RiferimentoMessaggio",
                "Scadenza",
            ],
            CodiceEgov::E002,
            "Messaggio",
        );
        let identificatore = self.necessario(padre, "Identificatore", ID)?;
        let testo = self.testo(identificatore, CodiceEgov::E110, ID);
        if testo.is_empty() {
            self.grave(CodiceEgov::E107, ID);
        } else if testo.parse::<Identificatore>().is_err() {
            self.grave(CodiceEgov::E110, ID);
        }
        letta.identificatore = Some(testo);

        match self.unico(padre, "OraRegistrazione")? {
            Some(elemento) => {
                let posti = ("Messaggio/OraRegistrazione", "Messaggio/OraRegistrazione/tempo");
                let (ora, tempo) = self.ora(elemento, CodiceEgov::E108, posti);
                letta.ora_registrazione = Some(ora);
                letta.tempo = tempo;
            }
            None => self.grave(CodiceEgov::E108, "Messaggio/OraRegistrazione"),
        }
        if let Some(elemento) = self.unico(padre, "RiferimentoMessaggio")? {
            let testo = self.testo(elemento, CodiceEgov::E111, RIFERIMENTO);
            if testo.is_empty() {
                self.grave(CodiceEgov::E109, RIFERIMENTO);
            } else if testo.parse::<Identificatore>().is_err() {
                self.grave(CodiceEgov::E111, RIFERIMENTO);
            }
            letta.riferimento = Some(testo);
        }
        if let Some(elemento) = self.unico(padre, "Scadenza")? {
            let testo = self.testo(elemento, CodiceEgov::E112, SCADENZA);
            if ora::leggi(&testo).is_none() {
                self.grave(CodiceEgov::E112, SCADENZA);
            }
            letta.scadenza = Some(testo);
        }
        Ok(())
    }

    /// An instant with its `tempo`.
    fn ora(
        &mut self,
        elemento: &'e Elemento,
        codice: CodiceEgov,
        (posto, posto_tempo): (&'static str, &'static str),
    ) -> (String, Option<String>) {
        let testo = self.testo(elemento, codice, posto);
        if ora::leggi(&testo).is_none() {
            self.grave(codice, posto);
        }
        let tempo = attributo(elemento, "tempo");
        if !tempo
            .as_deref()
            .is_some_and(|tempo| matches!(tempo, TEMPO_LOCALE | TEMPO_SPC))
        {
            self.grave(codice, posto_tempo);
        }
        (testo, tempo)
    }

    fn profilo_trasmissione(&mut self, elemento: &'e Elemento) -> ProfiloTrasmissione {
        self.solo(elemento, &[], CodiceEgov::E113, "ProfiloTrasmissione");
        let letto = ProfiloTrasmissione {
            inoltro: attributo(elemento, "inoltro"),
            conferma: attributo(elemento, "confermaRicezione"),
        };
        if !matches!(
            letto.inoltro.as_deref(),
            None | Some(ALPIUUNAVOLTA | PIUDIUNAVOLTA)
        ) {
            self.grave(CodiceEgov::E113, "ProfiloTrasmissione/inoltro");
        }
        if !matches!(letto.conferma.as_deref(), None | Some("true" | "false")) {
            self.grave(CodiceEgov::E113, "ProfiloTrasmissione/confermaRicezione");
        }
        letto
    }

    fn sequenza(&mut self, elemento: &'e Elemento) -> Lettura<String> {
        const NUMERO: &str = "Sequenza/numeroProgressivo";
        self.solo(elemento, &[], CodiceEgov::E114, "Sequenza");
        let numero = attributo(elemento, "numeroProgressivo").ok_or_else(|| struttura(NUMERO))?;
        let cifre = numero.len() == 7 && numero.bytes().all(|byte| byte.is_ascii_digit());
        if !cifre || numero.bytes().all(|byte| byte == b'0') {
            self.grave(CodiceEgov::E114, NUMERO);
        }
        Ok(numero)
    }

    fn riscontri(&mut self, lista: &'e Elemento) -> Lettura<()> {
        const LISTA: &str = "ListaRiscontri";
        const ID: &str = "ListaRiscontri/Riscontro/Identificatore";
        const ORA: &str = "ListaRiscontri/Riscontro/OraRegistrazione";
        const TEMPO: &str = "ListaRiscontri/Riscontro/OraRegistrazione/tempo";
        self.solo(lista, &["Riscontro"], CodiceEgov::E115, LISTA);
        if self.tutti(lista, "Riscontro").next().is_none() {
            self.grave(CodiceEgov::E115, LISTA);
        }
        for riscontro in self.tutti(lista, "Riscontro") {
            self.solo(
                riscontro,
                &["Identificatore", "OraRegistrazione"],
                CodiceEgov::E115,
                "ListaRiscontri/Riscontro",
            );
            let identificatore = self.necessario(riscontro, "Identificatore", ID)?;
            let testo = self.testo(identificatore, CodiceEgov::E115, ID);
            if testo.parse::<Identificatore>().is_err() {
                self.grave(CodiceEgov::E115, ID);
            }
            let ora = self.necessario(riscontro, "OraRegistrazione", ORA)?;
            if attributo(ora, "tempo").is_none() {
                return Err(struttura(TEMPO));
            }
            self.ora(ora, CodiceEgov::E115, (ORA, TEMPO));
        }
        Ok(())
    }

    fn trasmissioni(&mut self, lista: &'e Elemento) -> Lettura<Vec<Trasmissione>> {
        const LISTA: &str = "ListaTrasmissioni";
        const ORA: &str = "ListaTrasmissioni/Trasmissione/OraRegistrazione";
        const TEMPO: &str = "ListaTrasmissioni/Trasmissione/OraRegistrazione/tempo";
        self.solo(lista, &["Trasmissione"], CodiceEgov::E116, LISTA);
        if self.tutti(lista, "Trasmissione").next().is_none() {
            self.grave(CodiceEgov::E116, LISTA);
        }
        let mut lette = Vec::new();
        for trasmissione in self.tutti(lista, "Trasmissione") {
            self.solo(
                trasmissione,
                &["Origine", "Destinazione", "OraRegistrazione"],
                CodiceEgov::E116,
                "ListaTrasmissioni/Trasmissione",
            );
            let origine = self.parte(trasmissione, "Origine", &ORIGINE)?;
            let destinazione = self.parte(trasmissione, "Destinazione", &DESTINAZIONE)?;
            let ora = self.necessario(trasmissione, "OraRegistrazione", ORA)?;
            let (_, tempo) = self.ora(ora, CodiceEgov::E116, (ORA, TEMPO));
            lette.push(Trasmissione {
                origine,
                destinazione,
                tempo,
            });
        }
        Ok(lette)
    }

    fn eccezioni(&mut self, lista: &'e Elemento) -> Lettura<Vec<Eccezione>> {
        const UNA: &str = "ListaEccezioni/Eccezione";
        self.solo(lista, &["Eccezione"], CodiceEgov::E002, "ListaEccezioni");
        if self.tutti(lista, "Eccezione").next().is_none() {
            self.grave(CodiceEgov::E002, "ListaEccezioni");
        }
        let mut lette = Vec::new();
        for elemento in self.tutti(lista, "Eccezione") {
            let campo = |nome| attributo(elemento, nome).ok_or_else(|| struttura(UNA));
            let (contesto, codice, rilevanza, posizione) = (
                campo("contestoCodifica")?,
                campo("codiceEccezione")?,
                campo("rilevanza")?,
                campo("posizione")?,
            );
            let contesto = Contesto::parse(&contesto);
            let (codice, rilevanza) = (CodiceEgov::parse(&codice), Rilevanza::parse(&rilevanza));
            match (contesto, codice, rilevanza) {
                (Some(contesto), Some(codice), Some(rilevanza)) => lette.push(Eccezione {
                    contesto,
                    codice,
                    rilevanza,
                    posizione: posizione.into(),
                }),
                _ => self.grave(CodiceEgov::E002, UNA),
            }
        }
        Ok(lette)
    }

    /// The children of a name, which are in the namespace of the block, right or wrong.
    fn tutti(&self, padre: &'e Elemento, nome: &'static str) -> impl Iterator<Item = &'e Elemento> + use<'e> {
        let namespace = &self.elemento.namespace;
        padre
            .figli
            .iter()
            .filter(move |figlio| figlio.is(namespace, nome))
    }

    /// The only child of a name. Twice is no value to be wrong: nobody can tell which of them is meant.
    fn unico(&self, padre: &'e Elemento, nome: &'static str) -> Lettura<Option<&'e Elemento>> {
        let mut tutti = self.tutti(padre, nome);
        let primo = tutti.next();
        match tutti.next() {
            None => Ok(primo),
            Some(_) => Err(struttura(nome)),
        }
    }

    /// The same of a child without which there is nothing to answer to.
    fn necessario(
        &self,
        padre: &'e Elemento,
        nome: &'static str,
        posizione: &'static str,
    ) -> Lettura<&'e Elemento> {
        self.unico(padre, nome)?.ok_or_else(|| struttura(posizione))
    }

    /// Nothing but these children may be in an element that has children: no other one, and no text.
    fn solo(&mut self, padre: &Elemento, noti: &[&str], codice: CodiceEgov, posizione: &'static str) {
        let estraneo = padre
            .figli
            .iter()
            .any(|figlio| !noti.contains(&&*figlio.locale) || figlio.namespace != self.elemento.namespace);
        if estraneo || !is_bianco(&padre.testo) {
            self.grave(codice, posizione);
        }
    }

    /// The text of an element that has no children.
    fn testo(&mut self, elemento: &Elemento, codice: CodiceEgov, posizione: &'static str) -> String {
        if !elemento.figli.is_empty() {
            self.grave(codice, posizione);
        }
        elemento.testo.trim().to_owned()
    }

    /// The same, which must not be empty.
    fn pieno(&mut self, elemento: &Elemento, codice: CodiceEgov, posizione: &'static str) -> String {
        let testo = self.testo(elemento, codice, posizione);
        if testo.is_empty() {
            self.grave(codice, posizione);
        }
        testo
    }

    /// Takes up a finding, once.
    fn grave(&mut self, codice: CodiceEgov, posizione: &'static str) {
        let eccezione = Eccezione::grave(codice, posizione);
        if !self.rilievi.contains(&eccezione) {
            self.rilievi.push(eccezione);
        }
    }
}

/// A busta that carries grave exceptions is no request: it is the answer to one, with its fault. Which of the two is
/// wrong about it is all that is left to say.
pub(super) fn check_fault(reader: &mut Reader<'_>, campi: &mut Campi<'_>) -> Result<(), Illeggibile> {
    let fault = loop {
        match reader.next()? {
            Token::Start { nome, attributi, .. } if nome.is(SOAP, "Fault") => {
                break Elemento::new(nome, attributi);
            }
            Token::Text(testo) if is_bianco(&testo) => {}
            Token::Start { .. } | Token::Text(_) | Token::End { .. } | Token::Eof => {
                campi.grave(CodiceEgov::E003, "ListaEccezioni/SOAPFault");
                return Ok(());
            }
        }
    };
    let fault = leggi_blocco(reader, fault)?;
    let figlio = |nome| fault.figlio("", nome).map(|figlio| figlio.testo.trim());
    let locale = |codice: &str| codice.rsplit(':').next() == Some("Client");
    if !figlio("faultcode").is_some_and(locale) {
        campi.grave(CodiceEgov::E003, "ListaEccezioni/SOAPFault/FaultCode");
    }
    if figlio("faultstring") != Some(FORMATO_NON_CORRETTO) {
        campi.grave(CodiceEgov::E003, "ListaEccezioni/SOAPFault/FaultString");
    }
    if fault
        .figlio("", "detail")
        .is_some_and(|detail| !detail.figli.is_empty())
    {
        campi.grave(CodiceEgov::E003, "ListaEccezioni/SOAPFault/Details");
    }
    campi.grave(CodiceEgov::E002, "ListaEccezioni");
    Ok(())
}

/// The value of an attribute in no namespace.
fn attributo(elemento: &Elemento, nome: &str) -> Option<String> {
    elemento
        .attributo("", nome)
        .map(|valore| valore.trim().to_owned())
}

fn struttura(posizione: &'static str) -> Illeggibile {
    Illeggibile::Struttura { posizione }
}
