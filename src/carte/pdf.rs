//! The two papers as pages. Each is a pure function of its values: the clock, the machine and the order of calls do not
//! matter.

use qrcodegen::{QrCode, QrCodeEcc};

use super::caratteri::{Cassa, Stile, Taglio, Tratto};
use super::foglio::{
    BLU, CELESTE, COLONNA, ETICHETTA, FORTE, Foglio, GRIGIO, INCHIOSTRO, MACCHINA, MARGINE, PAGINA, PICCOLO,
    ROSA, ROSSO, Ruolo, Segno, TESTO, Voce,
};
use super::parole::{Genere, titoli};
use super::riepilogo::Resa;
use super::stampa::{Contorno, stampa};
use super::{CartaError, RicevutaDati, Riepilogo, italiano};

/// The receipt.
pub fn ricevuta(dati: &RicevutaDati) -> Result<Vec<u8>, CartaError> {
    let (titolo, _) = titoli(&dati.operazione);
    stampa(&pagine_della_ricevuta(dati)?, &contorno(dati, titolo))
}

/// The summary.
pub fn riepilogo(riepilogo: &Riepilogo) -> Result<Vec<u8>, CartaError> {
    let dati = &riepilogo.ricevuta;
    let (_, titolo) = titoli(&dati.operazione);
    stampa(&pagine_del_riepilogo(riepilogo)?, &contorno(dati, titolo))
}

pub(super) fn pagine_della_ricevuta(dati: &RicevutaDati) -> Result<Foglio<'static>, CartaError> {
    let (titolo, _) = titoli(&dati.operazione);
    let mut foglio = testata(dati, titolo)?;
    foglio.paragrafo(&conferma(dati));
    foglio.spazio(12.0);
    estremi(&mut foglio, dati)?;
    foglio.sezione("Registrazione", &registrazione(dati));
    schede(&mut foglio, dati);
    let passi = [Tratto::new(TESTO, dati.prossimi_passi.as_str())];
    let note = [Tratto::new(PICCOLO, NOTE_RICEVUTA)];
    // No page for the small print alone.
    foglio.serve(foglio.alto(&passi) + foglio.alto(&note) + 40.0);
    foglio.titolo(2, "Che cosa succede ora");
    foglio.paragrafo(&passi);
    foglio.spazio(12.0);
    foglio.paragrafo(&note);
    Ok(foglio)
}

pub(super) fn pagine_del_riepilogo(riepilogo: &Riepilogo) -> Result<Foglio<'static>, CartaError> {
    let dati = &riepilogo.ricevuta;
    let (_, titolo) = titoli(&dati.operazione);
    let mut foglio = testata(dati, titolo)?;
    foglio.paragrafo(&[Tratto::new(TESTO, PREMESSA)]);
    foglio.spazio(12.0);
    estremi(&mut foglio, dati)?;
    for sezione in &riepilogo.sezioni {
        let voci: Vec<Voce> = sezione.voci.iter().map(voce_inviata).collect();
        foglio.sezione(&sezione.titolo, &voci);
    }
    if !riepilogo.dichiarazioni.is_empty() {
        foglio.titolo(2, "Dichiarazioni");
        foglio.paragrafo(&[Tratto::new(TESTO, DICHIARA)]);
        foglio.spazio(4.0);
        let rese: Vec<Voce> = riepilogo.dichiarazioni.iter().map(resa).collect();
        foglio.voci(&rese);
    }
    if !riepilogo.allegati.is_empty() {
        foglio.titolo(2, "Documenti allegati");
        for (numero, allegato) in (1..).zip(&riepilogo.allegati) {
            foglio.titolo(3, &format!("Documento {numero}"));
            foglio.voci(&[
                voce("Tipo di documento", allegato.tipo_a_voce()),
                voce("Nome del file", &allegato.nome_file),
                voce("Formato", allegato.formato_a_voce()),
                voce("Dimensione", &format!("{} byte", migliaia(allegato.bytes_len))),
                di_macchina("Impronta SHA-256", &allegato.impronta_hex()),
            ]);
        }
    }
    foglio.sezione("Registrazione", &registrazione(dati));
    schede(&mut foglio, dati);
    foglio.spazio(14.0);
    foglio.paragrafo(&[Tratto::new(PICCOLO, NOTE_RIEPILOGO)]);
    Ok(foglio)
}

/// The head of a first page, down to below the title.
fn testata(dati: &RicevutaDati, titolo: &str) -> Result<Foglio<'static>, CartaError> {
    let mut foglio = Foglio::new(Cassa::open()?, 44.0);
    let (sigla, nome) = dati
        .intestazione
        .split_once(" - ")
        .unwrap_or((&dati.intestazione, ""));
    let capo = foglio.nodo(Ruolo::Paragrafo, None);
    let grande = Stile::new(Taglio::Nero, 26.0, BLU);
    foglio.riga(
        MARGINE,
        67.0,
        vec![Tratto::new(grande, format!("{sigla} "))],
        capo,
    );
    let accanto = MARGINE + foglio.cassa.larghezza(grande, sigla) + 12.0;
    let stile = Stile::new(Taglio::Tondo, 10.5, BLU);
    foglio.riga(accanto, 56.5, vec![Tratto::new(stile, nome)], capo);
    let misura = Stile::new(Taglio::Nero, 10.5, INCHIOSTRO);
    foglio.riga(
        accanto,
        70.5,
        vec![Tratto::new(misura, dati.prestazione.as_str())],
        capo,
    );
    foglio.fondo(MARGINE, 82.0, COLONNA, 1.5, BLU);
    foglio.y = 96.0;
    if let Some(avvertenza) = &dati.avvertenza {
        avviso(&mut foglio, avvertenza);
    }
    foglio.titolo(1, titolo);
    foglio.spazio(4.0);
    Ok(foglio)
}

/// What nobody may overlook.
fn avviso(foglio: &mut Foglio<'_>, testo: &str) {
    let stile = Stile::new(Taglio::Nero, 9.5, ROSSO);
    let righe = foglio.cassa.righe(&[Tratto::new(stile, testo)], COLONNA - 20.0);
    let nodo = foglio.nodo(Ruolo::Paragrafo, None);
    let passo = stile.interlinea();
    let alto = righe.iter().fold(10.0, |alto, _| alto + passo);
    foglio.fondo(MARGINE, foglio.y, COLONNA, alto, ROSA);
    foglio.fondo(MARGINE, foglio.y, 3.0, alto, ROSSO);
    let mut y = foglio.y + 5.0;
    for riga in righe {
        foglio.riga(MARGINE + 12.0, y + stile.corpo, riga, nodo);
        y += passo;
    }
    foglio.y += alto + 14.0;
}

/// The sentence of the source (spec/domain.md §5.3); of an act, what it is.
fn conferma(dati: &RicevutaDati) -> Vec<Tratto> {
    let stile = Stile::new(Taglio::Tondo, 11.0, INCHIOSTRO);
    let forte = Stile::new(Taglio::Nero, 11.0, INCHIOSTRO);
    let soggetto = format!("{} {}", dati.richiedente_nome, dati.richiedente_cognome);
    let testo = |testo: &str| Tratto::new(stile, testo);
    let nero = |testo: &str| Tratto::new(forte, testo);
    if dati.operazione == "InviaDomanda" {
        vec![
            testo("La domanda per il soggetto "),
            nero(&soggetto),
            testo(" è stata registrata con numero domanda "),
            nero(&dati.numero_domanda),
            testo(" e numero protocollo "),
            nero(&dati.protocollo),
            testo("."),
        ]
    } else {
        vec![
            testo("L'atto sulla domanda numero "),
            nero(&dati.numero_domanda),
            testo(" per il soggetto "),
            nero(&soggetto),
            testo(" è stato registrato con numero protocollo "),
            nero(&dati.protocollo),
            testo("."),
        ]
    }
}

/// The numbers and instants that are asked for at a counter, in a box beside the square code.
fn estremi(foglio: &mut Foglio<'_>, dati: &RicevutaDati) -> Result<(), CartaError> {
    const ALTO: f32 = 106.0;
    let codice = QrCode::encode_text(&dati.codice(), QrCodeEcc::Medium).map_err(|_| CartaError::Codice)?;
    foglio.serve(ALTO);
    let y = foglio.y;
    foglio.fondo(MARGINE, y, COLONNA, ALTO, CELESTE);
    foglio.fondo(MARGINE, y, 3.0, ALTO, BLU);
    let piccolo = Stile::new(Taglio::Tondo, 8.5, GRIGIO);
    let grande = Stile::new(Taglio::Nero, 14.0, BLU);
    let medio = Stile::new(Taglio::Nero, 10.0, INCHIOSTRO);
    let (prima, seconda, terza) = (MARGINE + 16.0, MARGINE + 116.0, MARGINE + 192.0);
    let presentata = italiano::istante(dati.presentata_il);
    let registrata = italiano::istante(dati.registrata_il);
    for (x, sopra, nome, valore, stile) in [
        (prima, 24.0, "Numero domanda", &dati.numero_domanda, grande),
        (seconda, 24.0, "Numero di protocollo", &dati.protocollo, grande),
        (prima, 70.0, "Presentata il", &presentata, medio),
        (terza, 70.0, "Registrata il", &registrata, medio),
    ] {
        let nodo = foglio.nodo(Ruolo::Paragrafo, None);
        foglio.riga(x, y + sopra, vec![Tratto::new(piccolo, format!("{nome} "))], nodo);
        foglio.riga(
            x,
            y + sopra + 16.0,
            vec![Tratto::new(stile, valore.as_str())],
            nodo,
        );
    }
    let figura = foglio.nodo(
        Ruolo::Figura(format!(
            "Codice QR con il numero di protocollo {} e l'impronta SHA-256 {}",
            dati.protocollo, dati.impronta
        )),
        None,
    );
    // The quiet zone of four modules is white whatever lies around it.
    let lato = 84.0;
    let (x, alto) = (PAGINA.0 - MARGINE - lato - 12.0, y + (ALTO - lato) / 2.0);
    foglio.fondo(x - 9.0, alto - 9.0, lato + 18.0, lato + 18.0, (255, 255, 255));
    foglio.segna(Segno::Codice {
        x,
        y: alto,
        lato,
        codice,
        nodo: figura,
    });
    foglio.y += ALTO + 4.0;
    Ok(())
}

fn registrazione(dati: &RicevutaDati) -> Vec<Voce> {
    vec![
        voce("Prestazione", &dati.prestazione),
        voce("Oggetto", &dati.oggetto),
        Voce {
            etichetta: "Richiedente".to_owned(),
            valore: vec![
                Tratto::new(
                    FORTE,
                    format!("{} {}", dati.richiedente_nome, dati.richiedente_cognome),
                ),
                Tratto::new(TESTO, ", codice fiscale "),
                Tratto::new(MACCHINA, dati.richiedente_codice_fiscale.as_str()),
            ],
        },
        voce(
            "Patronato",
            &format!("{} ({})", dati.ente_denominazione, dati.ente),
        ),
        voce("Ufficio", &dati.codice_ufficio),
        voce("Operatore", &dati.user_id),
        voce("Riferimento del patronato", &dati.chiave),
        voce("Canale", canale(&dati.canale)),
        di_macchina("Impronta SHA-256", &dati.impronta),
    ]
}

fn schede(foglio: &mut Foglio<'_>, dati: &RicevutaDati) {
    if dati.schede.is_empty() {
        return;
    }
    foglio.titolo(2, "Schede");
    let righe: Vec<Vec<Tratto>> = dati
        .schede
        .iter()
        .map(|scheda| {
            let decorrenza = scheda
                .decorrenza_presunta
                .map_or_else(|| "–".to_owned(), italiano::mese);
            vec![
                Tratto::new(TESTO, scheda.posto.as_str()),
                Tratto::new(MACCHINA, scheda.codice_fiscale.as_str()),
                Tratto::new(TESTO, decorrenza),
            ]
        })
        .collect();
    let capi = [
        ("Scheda", 70.0),
        ("Codice fiscale del figlio", 220.0),
        ("Decorrenza presunta", COLONNA - 290.0),
    ];
    foglio.tabella(&capi, &righe);
}

/// A field of the summary: for people, and in brackets the word that was sent.
fn voce_inviata(inviata: &super::riepilogo::Voce) -> Voce {
    let valore = match (&inviata.a_voce, inviata.genere) {
        (Some(a_voce), Genere::Iban) => vec![Tratto::new(MACCHINA, a_voce.as_str())],
        (Some(a_voce), Genere::Parola) => vec![
            Tratto::new(TESTO, a_voce.as_str()),
            Tratto::new(ETICHETTA, format!(" ({})", inviata.valore)),
        ],
        (Some(a_voce), _) => vec![Tratto::new(TESTO, a_voce.as_str())],
        (None, Genere::Codice) => vec![Tratto::new(MACCHINA, inviata.valore.as_str())],
        (None, _) => vec![Tratto::new(TESTO, inviata.valore.as_str())],
    };
    Voce {
        etichetta: inviata.etichetta.clone(),
        valore,
    }
}

fn resa(resa: &Resa) -> Voce {
    let (testo, versione) = resa
        .testo
        .map_or(("", "non nota"), |firmato| (firmato.testo, firmato.versione));
    let mut valore = match &resa.scelta {
        Some(scelta) => {
            let a_voce = resa.scelta_a_voce.unwrap_or(scelta);
            vec![
                Tratto::new(TESTO, format!("{testo}:")),
                Tratto::new(FORTE, format!(" {a_voce}")),
            ]
        }
        None => vec![Tratto::new(TESTO, testo)],
    };
    if !resa.valore {
        valore.push(Tratto::new(FORTE, " (non resa)"));
    }
    Voce {
        etichetta: format!("{} (testo {versione})", resa.codice),
        valore,
    }
}

fn voce(etichetta: &str, valore: &str) -> Voce {
    Voce {
        etichetta: etichetta.to_owned(),
        valore: vec![Tratto::new(TESTO, valore)],
    }
}

fn di_macchina(etichetta: &str, valore: &str) -> Voce {
    Voce {
        etichetta: etichetta.to_owned(),
        valore: vec![Tratto::new(
            Stile {
                corpo: 8.0,
                ..MACCHINA
            },
            valore,
        )],
    }
}

fn contorno<'a>(dati: &'a RicevutaDati, titolo: &'a str) -> Contorno<'a> {
    Contorno {
        titolo,
        protocollo: &dati.protocollo,
        filigrana: dati.filigrana(),
        istante: dati.registrata_il,
    }
}

/// What people call a channel; the source's own word where this has none.
fn canale(canale: &str) -> &str {
    match canale {
        "MODI" => "Cooperazione applicativa (ModI)",
        "PDD" => "Cooperazione applicativa (Porta di Dominio)",
        "LOTTO" => "Cooperazione applicativa (lotto)",
        "EMERGENZA" => "Registro di emergenza",
        altro => altro,
    }
}

/// `12.345`.
fn migliaia(numero: u64) -> String {
    let cifre = numero.to_string();
    let mut scritto = String::with_capacity(cifre.len() + cifre.len() / 3);
    for (posto, cifra) in cifre.chars().enumerate() {
        if posto > 0 && (cifre.len() - posto).is_multiple_of(3) {
            scritto.push('.');
        }
        scritto.push(cifra);
    }
    scritto
}

const PREMESSA: &str = "Tutto ciò che è stato trasmesso per conto del richiedente, come è stato ricevuto e registrato. \
                        Fra parentesi, in grigio, la voce del tracciato.";

const DICHIARA: &str = "Il richiedente ha dichiarato, con i testi in vigore il giorno della presentazione:";

const NOTE_RICEVUTA: &str = "Ricevuta della registrazione di protocollo (DPR 28 dicembre 2000, n. 445, artt. 53 e 55; L. \
                             7 agosto 1990, n. 241, art. 18-bis). L'impronta è quella del contenuto ricevuto; con il \
                             numero di protocollo è nel codice QR. Date e ore sono quelle italiane. Questo documento è lo \
                             stesso, byte per byte, ogni volta che si scarica.";

const NOTE_RIEPILOGO: &str = "Contiene dati personali e coordinate bancarie: è per il richiedente e per il patronato che lo \
                              assiste. Date e ore sono quelle italiane. Questo documento è lo stesso, byte per byte, ogni \
                              volta che si scarica.";
