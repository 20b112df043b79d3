//! The page that a person reads first: what is in the file, until when it is kept, what is not in it and why.

use super::raccolta::Raccolta;
use crate::registro::a_roma;
use crate::spazio::conservazione::ConservazioneConfig;

pub(super) fn text(
    raccolta: &Raccolta<'_>,
    conservazione: &ConservazioneConfig,
    con_chiave: bool,
    con_documenti: bool,
) -> String {
    let (quando, persona) = raccolta.head();
    let numeri: Vec<_> = raccolta
        .domande
        .iter()
        .map(|numero| numero.0.to_string())
        .collect();
    let numeri = if numeri.is_empty() {
        "nessuna".to_owned()
    } else {
        numeri.join(", ")
    };
    let documenti = if con_documenti {
        "  documenti/      i documenti consegnati per la persona, se ancora conservati\n"
    } else {
        ""
    };
    let ricerca = if con_chiave {
        "I messaggi non registrati (rifiutati, di sola consultazione) sono stati cercati con la chiave di ricerca."
    } else {
        "I messaggi non registrati NON sono stati cercati: mancava la chiave di ricerca (trace.chiave_ricerca)."
    };
    format!(
        "Dati di {persona}\n\
         raccolti il {}\n\n\
         Risposta a una richiesta di accesso (regolamento UE 2016/679, art. 15); i file JSON servono anche alla\n\
         portabilità (art. 20).\n\n\
         Trovati: {}\n\
         Domande: {numeri}\n\
         Richieste già scartate a fine termine: {}. Domande con un vincolo, presente o passato: {}.\n\n\
         Che cosa c'è\n\
         \x20 domande/        una per domanda: in quale parte la persona vi compare, i suoi valori, le sue schede e il loro\n\
         \x20                 stato, i suoi pagamenti, protocolli, atti, documenti, vincoli\n\
         \x20 messaggi/       i messaggi che la riguardano: quando, da quale ente, con quale esito\n\
         \x20 accessi.json    chi ha visto in chiaro quei messaggi e perché, e le esportazioni come questa\n\
         {documenti}\
         \x20 manifesto.json  l'elenco dei file con la loro impronta SHA-256\n\n\
         Fino a quando si conserva\n\
         \x20 richieste, documenti, riepiloghi   {} dalla fine del procedimento\n\
         \x20 messaggi (i byte)                  {}\n\
         \x20 messaggi (la traccia), accessi     {}\n\
         \x20 registrazioni di protocollo        sempre (DPR 445/2000, art. 53)\n\
         Un vincolo posto su una domanda ferma lo scarto finché non è tolto.\n\n\
         Che cosa non c'è\n\
         \x20 I dati di altre persone della stessa domanda: di essi è detto solo il nome del campo\n\
         \x20 (coperti_perche_di_altri). Il motivo dei vincoli. Il testo delle richieste come furono ricevute, che\n\
         \x20 nomina anche altri: un messaggio si vede con varco trace show.\n\
         \x20 {ricerca}\n\
         \x20 Le esportazioni di elenchi interi, mascherate, non dicono di chi.\n\n\
         Prima di consegnare: accessi.json nomina operatori. Chi li ha impiegati valuta se comunicarne i nomi (Corte di\n\
         giustizia UE, C-579/21: non sono dovuti se non servono a far valere i diritti della persona).\n",
        a_roma(quando),
        raccolta.conti(),
        raccolta.scartate,
        raccolta.vincolate,
        term(conservazione.richieste_anni, "anni"),
        term(conservazione.tracce_byte_giorni, "giorni"),
        term(conservazione.tracce_giorni, "giorni"),
    )
}

fn term(quanti: usize, che: &str) -> String {
    if quanti == 0 {
        "senza termine".to_owned()
    } else {
        format!("{quanti} {che}")
    }
}
