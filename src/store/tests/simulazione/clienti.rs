//! The senders: enti that send domande and acts, and send each again, here or there, until they have an answer. They
//! hang up, they send twice at once, they use a key for two contents, and two of them ask for the same child.

use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use futures_util::future::join;
use tokio::time::sleep;

use super::caso::Caso;
use super::mondo::Mondo;
use super::nodo::{ENTI, Messaggio};
use super::promesse::{Detta, Promesse, chiave};
use crate::cli::sample;
use crate::domanda::campione::{Ampiezza, Mittente, Spunto};
use crate::intake::Reply;
use crate::prestazione::Prestazione;
use crate::protocollo::NumeroProtocollo;
use crate::soap::SoapVersion;

/// What a sender was told.
#[derive(Debug, Clone)]
pub(super) enum Risposta {
    /// A receipt.
    Registrata(Detta),
    /// Its key has another content.
    Conflitto(NumeroProtocollo),
    /// Rules refuse it, by these codes.
    Rifiutata(Vec<String>),
    /// It is our fault, by this code: sent again it may be taken.
    Nostra(String),
}

/// One case of an ente, from the domanda to what becomes of it.
pub(super) async fn pratica(mondo: Arc<Mondo>, numero: u64) {
    let caso = &mondo.scena.caso;
    sleep(caso.ms(0, 20_000)).await;
    // Some ask for the children of somebody else's case.
    let persone = if numero > 0 && caso.happens(350) {
        caso.below(numero)
    } else {
        numero
    };
    let ente = *caso.pick(&ENTI);
    let spunto = mondo.spunto(ente, persone);
    let prestazione = *caso.pick(crate::prestazione::PRESTAZIONI);
    let messaggio = domanda(prestazione, &spunto, &format!("c{persone}.{numero}"));
    let risposta = match caso.below(5) {
        // Twice at once.
        0 => {
            let (risposta, altra) = join(insist(&mondo, &messaggio), insist(&mondo, &messaggio)).await;
            if let (Risposta::Registrata(_), Risposta::Rifiutata(codici))
            | (Risposta::Rifiutata(codici), Risposta::Registrata(_)) = (&risposta, &altra)
                && !mondo.somebody_else_asked(&messaggio)
            {
                let nome = &messaggio.chiave;
                let cronaca = &mondo.scena.cronaca;
                cronaca.violate(format_args!(
                    "{nome} was registered and refused: {}",
                    codici.join(" ")
                ));
            }
            risposta
        }
        // Two contents under one key: one of them is registered, and the other one told so.
        1 => {
            let diverso = altered(&messaggio);
            let (risposta, altra) = join(insist(&mondo, &messaggio), insist(&mondo, &diverso)).await;
            if let (Risposta::Registrata(_), Risposta::Registrata(_)) = (&risposta, &altra) {
                let nome = &messaggio.chiave;
                let cronaca = &mondo.scena.cronaca;
                cronaca.violate(format_args!("two contents of {nome} have a number"));
            }
            match risposta {
                Risposta::Registrata(_) => risposta,
                _ => return,
            }
        }
        _ => insist(&mondo, &messaggio).await,
    };
    let Risposta::Registrata(detta) = risposta else {
        return;
    };
    if caso.happens(400) {
        // Later, once more.
        sleep(caso.ms(0, 20_000)).await;
        insist(&mondo, &messaggio).await;
    }
    if caso.happens(250) {
        insist(&mondo, &altered(&messaggio)).await;
    }
    if caso.happens(400) {
        sleep(caso.ms(0, 5_000)).await;
        let chiave = format!("c{persone}.{numero}.r");
        let rinuncia = rinuncia(prestazione, &spunto, &chiave, &detta.protocollo);
        if caso.happens(400) {
            // Once more, under the same key or under another: one of two keys finds nothing left.
            let altra_chiave = if caso.happens(500) {
                chiave
            } else {
                format!("{chiave}.2")
            };
            let altra = self::rinuncia(prestazione, &spunto, &altra_chiave, &detta.protocollo);
            join(insist(&mondo, &rinuncia), insist(&mondo, &altra)).await;
        } else {
            insist(&mondo, &rinuncia).await;
        }
    }
}

/// Sends until there is an answer that is not our fault.
pub(super) async fn insist(mondo: &Mondo, messaggio: &Messaggio) -> Risposta {
    loop {
        match send(mondo, messaggio).await {
            Some(Risposta::Nostra(_)) | None => sleep(mondo.scena.caso.ms(5, 3_000)).await,
            Some(risposta) => return risposta,
        }
    }
}

/// Sends once, to one of the nodes, and holds what comes back against what was promised.
pub(super) async fn send(mondo: &Mondo, messaggio: &Messaggio) -> Option<Risposta> {
    let scena = &mondo.scena;
    let (quale, nodo) = mondo.any_node()?;
    let message_id = mondo.next_id();
    let posto = message_id.as_u128();
    scena.cronaca.count(|conto| conto.messaggi += 1);
    let (ente, nome) = (&messaggio.ente, &messaggio.chiave);
    scena
        .cronaca
        .note(format_args!("{ente} sends {nome} to {quale} (m{posto})"));
    let pazienza = if scena.caso.happens(200) {
        scena.caso.ms(1, 2_000)
    } else {
        scena.caso.ms(10_000, 40_000)
    };
    let risposta = hesitating(&scena.caso, nodo.answer(messaggio, message_id, pazienza)).await;
    let Some(reply) = risposta else {
        scena.cronaca.note(format_args!("m{posto}: no answer"));
        return None;
    };
    let testo = String::from_utf8_lossy(&reply.bytes);
    let risposta = read(&reply, &testo);
    scena.cronaca.count(|conto| conto.risposte += 1);
    scena
        .cronaca
        .note(format_args!("m{posto}: {}", in_words(&risposta)));
    let ripetizione = between(&testo, "<coop:Ripetizione>", "</") == Some("true");
    mondo.weigh(messaggio, &risposta, ripetizione);
    Some(risposta)
}

/// Polls it only sometimes when it is woken: others go on before it, at each of its await points.
async fn hesitating<T>(caso: &Caso, futuro: impl Future<Output = T>) -> T {
    let mut futuro = std::pin::pin!(futuro);
    std::future::poll_fn(|contesto| {
        if caso.happens(250) {
            contesto.waker().wake_by_ref();
            return Poll::Pending;
        }
        futuro.as_mut().poll(contesto)
    })
    .await
}

fn read(reply: &Reply, testo: &str) -> Risposta {
    let codici = || {
        // Warnings stand behind the errors, in an element of their own.
        let errori = testo.split("<coop:Avvisi>").next().unwrap_or_default();
        let codici = errori.split("<coop:Codice>").skip(1);
        codici
            .filter_map(|resto| Some(resto.split_once('<')?.0.to_owned()))
            .collect::<Vec<_>>()
    };
    let primo = || {
        codici()
            .first()
            .cloned()
            .unwrap_or_else(|| reply.status.to_string())
    };
    match (reply.status, between(testo, "<coop:Esito>", "</")) {
        (200, Some("REGISTRATA")) => {
            let inizio = testo.find("<Ricevuta").unwrap();
            let fine = testo.find("</Ricevuta>").unwrap() + "</Ricevuta>".len();
            let ricevuta = testo[inizio..fine].to_owned();
            Risposta::Registrata(Detta {
                protocollo: between(&ricevuta, "<Protocollo>", "</").unwrap().parse().unwrap(),
                numero_domanda: between(&ricevuta, "<NumeroDomanda>", "</")
                    .unwrap()
                    .parse()
                    .unwrap(),
                ricevuta,
            })
        }
        (200, Some("RIFIUTATA")) => Risposta::Rifiutata(codici()),
        (_, None) if primo() == "RPL-001" => {
            let numero = between(testo, "protocollo INPS-", "<").unwrap();
            Risposta::Conflitto(format!("INPS-{numero}").parse().unwrap())
        }
        (503, None) => Risposta::Nostra(primo()),
        _ => Risposta::Rifiutata(vec![format!("{}:{}", reply.status, primo())]),
    }
}

fn between<'t>(testo: &'t str, da: &str, a: &str) -> Option<&'t str> {
    let (_, resto) = testo.split_once(da)?;
    Some(resto.split_once(a)?.0)
}

fn in_words(risposta: &Risposta) -> String {
    match risposta {
        Risposta::Registrata(detta) => format!("registered as {}", detta.protocollo),
        Risposta::Conflitto(numero) => format!("the key has another content, {numero}"),
        Risposta::Rifiutata(codici) => format!("refused: {}", codici.join(" ")),
        Risposta::Nostra(codice) => format!("our fault: {codice}"),
    }
}

/// The message of a domanda.
pub(super) fn domanda(prestazione: &'static Prestazione, spunto: &Spunto<'_>, chiave: &str) -> Messaggio {
    let testo = sample::envelope(prestazione, spunto, chiave, SoapVersion::V12);
    Messaggio {
        ente: spunto.mittente.ente.to_owned(),
        prestazione,
        chiave: chiave.to_owned(),
        bytes: testo.into(),
    }
}

/// The same key with another content: a mandate of another number.
fn altered(messaggio: &Messaggio) -> Messaggio {
    let testo = std::str::from_utf8(&messaggio.bytes).unwrap();
    Messaggio {
        bytes: Bytes::from(testo.replacen(":Numero>", ":Numero>9", 1)),
        ..messaggio.clone()
    }
}

/// The message of an act that gives a whole domanda up.
fn rinuncia(
    prestazione: &'static Prestazione,
    spunto: &Spunto<'_>,
    chiave: &str,
    protocollo: &NumeroProtocollo,
) -> Messaggio {
    let (prefisso, namespace, mittente) = (prestazione.prefisso, prestazione.namespace, &spunto.mittente);
    let (ente, ufficio, user_id, data) = (
        mittente.ente,
        mittente.ufficio,
        mittente.user_id,
        spunto.presentazione,
    );
    let richiesta = format!(
        "<p:RinunciaDomanda xmlns:p=\"{namespace}\" xmlns:coop=\"http://inps.it/cooperazione/v1\">
<p:ChiaveInvio>{chiave}</p:ChiaveInvio>
<p:Rinuncia>
<coop:Riferimento><coop:Protocollo>{protocollo}</coop:Protocollo></coop:Riferimento>
<coop:Patronato><coop:Codice>{ente}</coop:Codice><coop:Ufficio>{ufficio}</coop:Ufficio></coop:Patronato>
<coop:Operatore>{user_id}</coop:Operatore>
<coop:Mandato><coop:Numero>M-{prefisso}</coop:Numero><coop:Data>{data}</coop:Data></coop:Mandato>
<coop:Motivo>ERRORE_COMPILAZIONE</coop:Motivo>
</p:Rinuncia>
</p:RinunciaDomanda>"
    );
    Messaggio {
        ente: ente.to_owned(),
        prestazione,
        chiave: chiave.to_owned(),
        bytes: sample::in_envelope(SoapVersion::V12, mittente, &richiesta).into(),
    }
}

impl Mondo {
    /// Who sends, and of whom: the people of a case are its own.
    pub(super) fn spunto<'a>(&self, ente: &'a str, persone: u64) -> Spunto<'a> {
        Spunto {
            contatore: persone,
            presentazione: self.presentazione(),
            mittente: Mittente {
                ente,
                ufficio: "001",
                user_id: "operatore",
            },
            ampiezza: if persone.is_multiple_of(2) {
                Ampiezza::Minima
            } else {
                Ampiezza::Intera
            },
        }
    }

    /// Holds an answer against the promises.
    fn weigh(&self, messaggio: &Messaggio, risposta: &Risposta, ripetizione: bool) {
        let cronaca = &self.scena.cronaca;
        let nome = &messaggio.chiave;
        match risposta {
            Risposta::Registrata(detta) => {
                cronaca.count(|conto| conto.ripetizioni += u64::from(ripetizione));
                self.scena.promesse.told(&self.scena, messaggio, detta);
            }
            Risposta::Conflitto(numero) => {
                cronaca.count(|conto| conto.conflitti += 1);
                let suo = self
                    .scena
                    .banca
                    .look(|stato| stato.registrata(&chiave(messaggio)));
                if suo.is_none_or(|suo| suo.protocollo != *numero) {
                    cronaca.violate(format_args!("{nome} is said to have {numero}, and has not"));
                }
                Promesse::anchored(&self.scena, numero, 0);
            }
            Risposta::Rifiutata(codici) => {
                cronaca.count(|conto| conto.rifiutate += 1);
                if self.scena.promesse.of(messaggio).is_some() && !self.somebody_else_asked(messaggio) {
                    cronaca.violate(format_args!(
                        "{nome} has its number and is refused: {}",
                        codici.join(" ")
                    ));
                }
                let noto = |codice: &String| NOTI.contains(&codice.as_str());
                if !codici.iter().all(noto) || !self.somebody_else_asked(messaggio) {
                    cronaca.violate(format_args!(
                        "{nome} is refused without a cause: {}",
                        codici.join(" ")
                    ));
                }
            }
            Risposta::Nostra(codice) => {
                cronaca.count(|conto| conto.receiver += 1);
                cronaca.count(|conto| conto.indietro += u64::from(codice == INDIETRO));
                let promesso = ["STO-001", "STO-002", "SYS-002", "SYS-003"].contains(&codice.as_str())
                    || (codice == INDIETRO && self.is_restored());
                if !promesso {
                    cronaca.violate(format_args!("{nome}: {codice} without a cause"));
                }
            }
        }
    }

    /// Whether another key was registered for the same: a domanda for the same people, who stand first in its key; a
    /// renunciation of the same domanda.
    fn somebody_else_asked(&self, messaggio: &Messaggio) -> bool {
        let sua = chiave(messaggio);
        let e_rinuncia = sua.0.contains(".r");
        let inizio = match sua.0.split_once(".r") {
            Some((domanda, _)) => format!("{domanda}.r"),
            None => sua.0.split('.').next().unwrap_or_default().to_owned() + ".",
        };
        self.scena.banca.look(|stato| {
            let mut altre = stato.chiavi.keys().filter(|altra| **altra != sua);
            altre.any(|altra| altra.0.starts_with(&inizio) && altra.0.contains(".r") == e_rinuncia)
        })
    }
}

/// The store stands before its anchors.
const INDIETRO: &str = "STO-004";

/// The refusals that senders bring upon each other: a live sheet, a live domanda, nothing left to renounce.
const NOTI: &[&str] = &["AT-006", "AU-007", "AU-008", "AU-030", "STA-003"];
