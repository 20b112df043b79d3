use super::*;
use crate::domanda::{Ambiente, Mese};

/// A receipt of people that do not exist.
pub(crate) fn dati(ambiente: Ambiente, schede: usize) -> RicevutaDati {
    RicevutaDati {
        operazione: "InviaDomanda".to_owned(),
        intestazione: "INPS - Istituto Nazionale della Previdenza Sociale".to_owned(),
        prestazione: "Assegno temporaneo per i figli minori".to_owned(),
        ambiente,
        avvertenza: (ambiente != Ambiente::Produzione)
            .then(|| "AMBIENTE DI COLLAUDO: RICEVUTA DI PROVA, SENZA ALCUN VALORE".to_owned()),
        protocollo: "INPS-AUF-2021-000000010797".to_owned(),
        numero_domanda: "371".to_owned(),
        chiave: "2021/PRAT-000371".to_owned(),
        presentata_il: "2021-06-18T10:30:05.123Z".parse().unwrap(),
        registrata_il: "2021-06-18T10:30:05.140Z".parse().unwrap(),
        oggetto: "Assegno Temporaneo DL 79/2021 - domanda n. 371 - 2 minori".to_owned(),
        ente: "PAT01".to_owned(),
        ente_denominazione: "Patronato di prova PAT01".to_owned(),
        codice_ufficio: "001".to_owned(),
        user_id: "op.rossi".to_owned(),
        richiedente_codice_fiscale: "RSSMRA80A01H501U".to_owned(),
        richiedente_nome: "MARIA GIOVANNA".to_owned(),
        richiedente_cognome: "D'ALÒ-ROSSI".to_owned(),
        canale: "MODI".to_owned(),
        impronta: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".to_owned(),
        schede: (1..=schede)
            .map(|posto| SchedaDati {
                posto: posto.to_string(),
                codice_fiscale: "BBBRRR14A01A001X".to_owned(),
                decorrenza_presunta: (posto != 2).then_some(Mese { anno: 2021, mese: 7 }),
            })
            .collect(),
        prossimi_passi: crate::prestazione::PRESTAZIONI[0].prossimi_passi.to_owned(),
    }
}
