use super::*;
use crate::catalogo::Codice;
use crate::domanda::atto::riesame::StatoRiesame;
use crate::domanda::consultazione::{AttoDetto, Consultazione, PagamentoDelMese, SchedaDetta, SecondaMeta};
use crate::domanda::stato::{AzioneRichiesta, StatoDomanda};
use crate::domanda::{Mese, Posizione, Richiedente};
use crate::prestazione::assegno_temporaneo::PRESTAZIONE;
use crate::protocollo::{NumeroDomanda, NumeroProtocollo};
use crate::soap::prova::{estratto, valida};

fn quando(testo: &str) -> Timestamp {
    testo.parse().unwrap()
}

fn protocollo() -> NumeroProtocollo {
    NumeroProtocollo::new("AUF", 2021, 10_797).unwrap()
}

fn scheda(posto: u32, decorrenza_presunta: Option<Mese>) -> SchedaRicevuta {
    SchedaRicevuta {
        posto,
        codice_fiscale: "BBBRRR14A01A001X".parse().unwrap(),
        decorrenza_presunta,
    }
}

fn esempio(ambiente: Ambiente) -> Ricevuta {
    Ricevuta {
        prestazione: "Assegno temporaneo per i figli minori".to_owned(),
        ambiente,
        protocollo: protocollo(),
        numero_domanda: NumeroDomanda(371),
        chiave: "P01/2021:42".parse().unwrap(),
        presentata_il: quando("2021-07-01T08:00:00Z"),
        registrata_il: quando("2021-07-01T08:00:00.0459Z"),
        oggetto: "Assegno Temporaneo DL 79/2021 - domanda n. 371 - 2 minori".to_owned(),
        ente: "PAT01".parse().unwrap(),
        ente_denominazione: "Patronato <Alfa> & C.".to_owned(),
        codice_ufficio: "0001".parse().unwrap(),
        user_id: "op\u{2028}1".parse().unwrap(),
        richiedente: Richiedente {
            codice_fiscale: "BBBRRR14A01A001X".parse().unwrap(),
            nome: "NICCOLÒ".to_owned(),
            cognome: "D'AVARÈ".to_owned(),
            email: None,
            cellulare: None,
            indirizzo: None,
        },
        canale: "ModI",
        impronta: [0xA0; 32],
        schede: vec![scheda(1, Some(Mese { anno: 2021, mese: 7 })), scheda(2, None)],
        prossimi_passi: "La domanda è in istruttoria.".to_owned(),
    }
}

#[track_caller]
fn scrivi(operazione: Operazione, risposta: &Risposta) -> String {
    for versione in [SoapVersion::V11, SoapVersion::V12] {
        let scritto = write(versione, &PRESTAZIONE, operazione, risposta, Uuid::from_u128(7));
        let scritto = String::from_utf8(scritto).unwrap();
        assert!(scritto.contains(versione.namespace()));
        let corpo = estratto(&scritto, &format!("at:{}Response", operazione.nome())).to_owned();
        valida("assegno-temporaneo-v1.xsd", &corpo);
        if versione == SoapVersion::V12 {
            return corpo;
        }
    }
    unreachable!("both versions were written")
}

fn violazione(codice: Codice) -> Violazione {
    Violazione::at(codice, "/at:Domanda/at:Minori/at:Minore[2]").placed(Posizione { riga: 4, colonna: 2 })
}

#[test]
fn a_receipt_is_valid_stands_alone_and_never_changes() {
    let scritta = String::from_utf8(ricevuta(&esempio(Ambiente::Produzione))).unwrap();
    valida("cooperazione-v1.xsd", &scritta);
    assert_eq!(scritta.as_bytes(), ricevuta(&esempio(Ambiente::Produzione)));
    assert_eq!(
        scritta,
        "<Ricevuta xmlns=\"http://inps.it/cooperazione/v1\">\
         <Intestazione>INPS - Istituto Nazionale della Previdenza Sociale</Intestazione>\
         <Prestazione>Assegno temporaneo per i figli minori</Prestazione><Ambiente>produzione</Ambiente>\
         <Protocollo>INPS-AUF-2021-000000010797</Protocollo><NumeroDomanda>371</NumeroDomanda>\
         <ChiaveInvio>P01/2021:42</ChiaveInvio><PresentataIl>2021-07-01T08:00:00.000Z</PresentataIl>\
         <RegistrataIl>2021-07-01T08:00:00.045Z</RegistrataIl>\
         <Oggetto>Assegno Temporaneo DL 79/2021 - domanda n. 371 - 2 minori</Oggetto>\
         <Ente><Codice>PAT01</Codice><Denominazione>Patronato &lt;Alfa&gt; &amp; C.</Denominazione></Ente>\
         <CodiceUfficio>0001</CodiceUfficio><UserId>op\u{2028}1</UserId>\
         <Richiedente><CodiceFiscale>BBBRRR14A01A001X</CodiceFiscale><Nome>NICCOLÒ</Nome>\
         <Cognome>D'AVARÈ</Cognome></Richiedente><Canale>ModI</Canale>\
         <Impronta>a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0</Impronta>\
         <Schede><Scheda><Posto>1</Posto><CodiceFiscale>BBBRRR14A01A001X</CodiceFiscale>\
         <DecorrenzaPresunta>2021-07</DecorrenzaPresunta></Scheda>\
         <Scheda><Posto>2</Posto><CodiceFiscale>BBBRRR14A01A001X</CodiceFiscale></Scheda></Schede>\
         <ProssimiPassi>La domanda è in istruttoria.</ProssimiPassi></Ricevuta>"
    );
}

#[test]
fn outside_produzione_a_receipt_is_watermarked() {
    for (ambiente, nome) in [(Ambiente::Sandbox, "SANDBOX"), (Ambiente::Collaudo, "COLLAUDO")] {
        let scritta = String::from_utf8(ricevuta(&esempio(ambiente))).unwrap();
        valida("cooperazione-v1.xsd", &scritta);
        let avvertenza = estratto(&scritta, "Avvertenza");
        assert!(
            avvertenza.contains(nome) && avvertenza.contains("SENZA ALCUN VALORE"),
            "{avvertenza}"
        );
    }
}

#[test]
fn the_bytes_of_a_receipt_are_carried_and_not_rewritten() {
    let bytes = Bytes::from(ricevuta(&esempio(Ambiente::Sandbox)));
    let testo = std::str::from_utf8(&bytes).unwrap();
    for (ripetizione, annullata) in [(false, false), (true, false), (true, true)] {
        let allora = RicevutaDiAllora {
            ricevuta: bytes.clone(),
            ripetizione,
            annullata,
        };
        let coda = format!(
            "<coop:Ripetizione>{ripetizione}</coop:Ripetizione><coop:Annullata>{annullata}</coop:Annullata>"
        );
        let invio = scrivi(
            Operazione::InviaDomanda,
            &Risposta::Invio {
                esito: EsitoInvio::Registrata(allora.clone()),
                avvisi: vec![],
            },
        );
        assert!(
            invio.contains(&format!("<coop:Esito>REGISTRATA</coop:Esito>{testo}{coda}</at:")),
            "{invio}"
        );
        let verifica = scrivi(
            Operazione::VerificaDomanda,
            &Risposta::Verifica {
                esito: EsitoVerifica::Registrata(allora),
                avvisi: vec![violazione(Codice::Idn101).with("forma", "ATTRIBUTI")],
            },
        );
        assert!(
            verifica.contains(&format!(
                "{testo}{coda}<coop:Avvisi><coop:Avviso><coop:Codice>IDN-101<"
            )),
            "{verifica}"
        );
        let scaricata = scrivi(
            Operazione::ScaricaRicevuta,
            &Risposta::Ricevuta {
                ricevuta: bytes.clone(),
                annullata,
                documento: None,
            },
        );
        assert!(scaricata.contains(&format!(
            "{testo}<coop:Annullata>{annullata}</coop:Annullata></at:"
        )));
    }
}

#[test]
fn a_refused_domanda_gets_all_its_errors_and_no_receipt() {
    let errori = vec![violazione(Codice::Rpl001).with("protocollo", protocollo()); 3];
    let invio = scrivi(
        Operazione::InviaDomanda,
        &Risposta::Invio {
            esito: EsitoInvio::Rifiutata {
                errori: errori.clone(),
            },
            avvisi: vec![violazione(Codice::Idn101).with("forma", "ATTRIBUTI")],
        },
    );
    assert_eq!(invio.matches("<coop:Errore>").count(), 3);
    assert!(invio.contains("<coop:IdMessaggio>00000000-0000-0000-0000-000000000007</coop:IdMessaggio>"));
    assert!(!invio.contains("<Ricevuta") && !invio.contains("Ripetizione"));
    let verifica = scrivi(
        Operazione::VerificaDomanda,
        &Risposta::Verifica {
            esito: EsitoVerifica::Rifiutata {
                errori: vec![errori[0].clone(); 150],
            },
            avvisi: vec![],
        },
    );
    assert_eq!(verifica.matches("<coop:Errore>").count(), 100);
}

#[test]
fn every_other_answer_is_valid() {
    let ammissibile = scrivi(
        Operazione::VerificaDomanda,
        &Risposta::Verifica {
            esito: EsitoVerifica::Ammissibile {
                schede: vec![scheda(1, Some(Mese { anno: 2021, mese: 7 }))],
            },
            avvisi: vec![],
        },
    );
    assert!(
        ammissibile.contains("<coop:Esito>AMMISSIBILE</coop:Esito><coop:Schede><coop:Scheda><coop:Posto>1<")
    );

    let consultata = Consultazione {
        protocollo: protocollo(),
        numero_domanda: NumeroDomanda(371),
        chiave: "42".parse().unwrap(),
        presentata_il: quando("2021-12-31T23:59:59.999Z"),
        registrata_il: quando("2022-01-01T00:00:00Z"),
        codice_ufficio: "0001".to_owned(),
        impronta: [7; 32],
        annullata: false,
        schede: vec![SchedaDetta {
            posto: 1,
            codice_fiscale: "BBBRRR14A01A001X".parse().unwrap(),
            stato: StatoDomanda::Accolta,
            stato_dal: quando("2022-01-02T00:00:00Z"),
            azione_richiesta: AzioneRichiesta::AggiornareIban,
            riesame: Some(StatoRiesame::InEsame),
            decorrenza_presunta: Some(Mese { anno: 2021, mese: 7 }),
            ripartizione: "META_ENTRAMBI".to_owned(),
            azione_motivo: Some("IBAN non abbinato".to_owned()),
            pagamenti: vec![PagamentoDelMese {
                mese: Mese { anno: 2021, mese: 12 },
                beneficiario: "ALTRO_GENITORE".to_owned(),
                tipo: "RESTITUITO".to_owned(),
                importo_cent: 8_305,
                istante: quando("2022-01-10T00:00:00Z"),
                motivo: Some("conto chiuso".to_owned()),
            }],
            seconda_meta: Some(SecondaMeta {
                modalita: Some("CC".to_owned()),
                iban_finale: Some("3456".to_owned()),
                dal: Some(Mese { anno: 2022, mese: 1 }),
            }),
        }],
        atti: vec![AttoDetto {
            protocollo: protocollo(),
            operazione: "RinunciaDomanda".to_owned(),
            presentata_il: quando("2022-01-03T00:00:00Z"),
            registrata_il: quando("2022-01-03T00:00:01Z"),
            annullata: false,
        }],
    };
    let detta = scrivi(
        Operazione::ConsultaDomanda,
        &Risposta::Consultazione(Box::new(consultata)),
    );
    assert!(detta.contains("<coop:Importo>83.05</coop:Importo>"), "{detta}");

    let eco = scrivi(
        Operazione::Echo,
        &Risposta::Echo {
            msg: "prova <&\u{b}>".to_owned(),
            attivo: true,
            versione: "1.0.0".to_owned(),
            ambiente: Ambiente::Collaudo,
            istante: quando("2021-07-01T08:00:00.5Z"),
        },
    );
    assert!(
        eco.contains("<coop:Msg>prova &lt;&amp;\u{FFFD}&gt;</coop:Msg><coop:Stato>ATTIVO</coop:Stato>"),
        "{eco}"
    );
    assert!(
        eco.contains("<coop:Istante>2021-07-01T08:00:00.500Z</coop:Istante>"),
        "{eco}"
    );

    let limite = Limite {
        nome: "elements_max",
        valore: 200_000,
        unita: "elementi",
        descrizione: "Elementi di un messaggio",
    };
    for quota in [
        None,
        Some(Quota {
            concesse: 60,
            rimaste: 0,
            secondi_al_rinnovo: 12,
        }),
    ] {
        scrivi(
            Operazione::Limiti,
            &Risposta::Limiti {
                limiti: vec![limite.clone(); 2],
                quota,
            },
        );
    }

    for scarto in [None, Some(-3)] {
        let diagnosi = Diagnosi {
            ente: "PAT01".parse().unwrap(),
            ente_denominazione: "Patronato Alfa".to_owned(),
            codice_ufficio: "0001".parse().unwrap(),
            user_id: "op".parse().unwrap(),
            forma_identity: Forma::Attributi,
            certificato_soggetto: "CN=pat01,O=Alfa".to_owned(),
            certificato_emittente: "CN=CA".to_owned(),
            certificato_seriale: "1A".to_owned(),
            certificato_sha256: "00".repeat(32),
            certificato_scadenza: quando("2030-01-01T00:00:00Z"),
            indirizzo: "127.0.0.1".to_owned(),
            versione_tls: "TLSv1.3".to_owned(),
            suite_tls: "TLS_AES_256_GCM_SHA384".to_owned(),
            versione_soap: SoapVersion::V12,
            operazioni_concesse: vec!["echo".to_owned(), "InviaDomanda".to_owned()],
            ora_del_varco: quando("2026-01-01T00:00:00Z"),
            ora_di_servizio: quando("2021-07-01T00:00:00Z"),
            scarto_orologio_secondi: scarto,
        };
        scrivi(Operazione::Diagnosi, &Risposta::Diagnosi(Box::new(diagnosi)));
    }
}
