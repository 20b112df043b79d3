//! A day, tampered with in a thousand places: each is found, and named.

use std::io::Cursor;

use uuid::Uuid;

use super::catena::{Anomalia, Che};
use super::esporta::{Fine, Inizio, Linea};
use super::firma::Firma;
use super::giornata::{Blocchi, Giornata};
use super::inclusione::{Inclusione, NonProva};
use super::verifica::{Ancora, verifica};
use super::*;
use crate::domanda::Ambiente;

/// A small generator: the same seed, the same day.
struct Dado(u64);

impl Dado {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, quanti: usize) -> usize {
        usize::try_from(self.next() % quanti as u64).unwrap()
    }
}

/// A day as it is exported, line by line, and what it is held against.
struct Esempio {
    linee: Vec<String>,
    ancora: Ancora,
    righe: Vec<Riga>,
    blocchi: Vec<Blocco>,
}

/// Where a line stands: its block, and its place if it is a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Dove {
    blocco: u64,
    posto: Option<usize>,
}

fn riga(dado: &mut Dado, n: u64) -> Riga {
    let id = Uuid::from_u128(u128::from(n) << 64 | u128::from(dado.next()));
    let (genere, chiave, corpi) = match n % 4 {
        0 => (Genere::Registrazione, format!("INPS-AUF-2021-{n:012}"), [None; 2]),
        1 => (Genere::Porta, n.to_string(), [None; 2]),
        2 => (Genere::TracciaRegistrata, id.to_string(), [None; 2]),
        _ => (
            Genere::Traccia,
            id.to_string(),
            [Some(Impronta::of(&n.to_be_bytes())), None],
        ),
    };
    let mut testo = Vec::new();
    push_campo(&mut testo, "protocollo", Some(chiave.as_bytes()));
    push_campo(&mut testo, "causa", Some("à \"virgolette\" \u{1f}\n".as_bytes()));
    push_campo(&mut testo, "ente", None);
    Riga {
        genere,
        chiave,
        testo,
        corpi,
    }
}

fn sealed(numero: u64, righe: &[Riga], precedente: Impronta) -> Blocco {
    let voci: Vec<Voce> = righe.iter().map(Riga::voce).collect();
    let testata = Testata {
        numero,
        giorno: "2021-07-15".parse().unwrap(),
        sigillato_il: "2021-07-15T10:00:00Z".parse().unwrap(),
        sale_sha256: Impronta::of(&[7; 32]),
        segni: Segni::default(),
        righe: voci.len(),
        radice: radice_di(&voci),
        precedente,
    };
    Blocco {
        sigillo: testata.sigillo(),
        testata,
        sale: [7; 32],
        voci,
    }
}

fn example() -> Esempio {
    let mut dado = Dado(0x5eed);
    let precedente = Impronta::of(b"ieri");
    let mut righe: Vec<Riga> = (1..=240).map(|n| riga(&mut dado, n)).collect();
    // A sender that hung up: its trace stood at 7, and gave way to the one at 150.
    righe[150].chiave = righe[6].chiave.clone();
    righe[150].genere = Genere::TracciaRegistrata;
    let mut linee = vec![
        Linea::Inizio(Inizio {
            versione: 1,
            ambiente: "collaudo".to_owned(),
            giorno: "2021-07-15".parse().unwrap(),
            dopo_blocco: 40,
            precedente,
            giorno_precedente_sha256: precedente,
        })
        .write(),
    ];
    let mut blocchi: Vec<Blocco> = Vec::new();
    let mut resto = &righe[..];
    while !resto.is_empty() {
        let (sue, dopo) = resto.split_at((10 + dado.below(20)).min(resto.len()));
        let numero = 41 + blocchi.len() as u64;
        let blocco = sealed(
            numero,
            sue,
            blocchi.last().map_or(precedente, |blocco| blocco.sigillo),
        );
        linee.push(Linea::Blocco(blocco.testata.clone()).write());
        linee.push(Linea::Voci(blocco.voci.clone()).write());
        linee.extend(sue.iter().map(|riga| Linea::Riga(riga.clone()).write()));
        linee.push(Linea::Sigillo(blocco.sigillo).write());
        blocchi.push(blocco);
        resto = dopo;
    }
    let sua = blocchi
        .iter()
        .find(|blocco| {
            blocco
                .voci
                .iter()
                .any(|voce| voce.impronta == righe[150].voce().impronta)
        })
        .unwrap();
    let posto = linee
        .iter()
        .position(|linea| linea.contains(&righe[6].chiave) && linea.starts_with("riga t"));
    linee[posto.unwrap()] = Linea::Sostituita {
        chiave: righe[6].chiave.clone(),
        blocco: Some(sua.testata.numero),
    }
    .write();
    let del_giorno = Blocchi {
        sigilli: blocchi.iter().map(|blocco| blocco.sigillo).collect(),
        righe: righe.len() as u64,
    };
    let documento = Giornata {
        ultimo_blocco: 40 + blocchi.len() as u64,
        precedente_sha256: precedente,
        ..Giornata::new(
            Ambiente::Collaudo,
            "2021-07-01T00:00:00Z",
            "2021-07-15".parse().unwrap(),
            "2021-07-15T22:00:04Z".parse().unwrap(),
            &del_giorno,
        )
    }
    .documento();
    linee.push(Linea::Chiusura(Some(documento.clone())).write());
    linee.push(
        Linea::Fine(Fine {
            blocchi: blocchi.len() as u64,
            righe: righe.len() as u64,
        })
        .write(),
    );
    let firma = Firma::from_pem(&Firma::generate().unwrap()).unwrap();
    Esempio {
        linee,
        ancora: Ancora {
            firma: Some((firma.sign(documento.as_bytes()), firma.pubblica())),
            documento,
        },
        righe,
        blocchi,
    }
}

fn check(linee: &[impl AsRef<[u8]>], ancora: &Ancora) -> Result<verifica::Esito, Anomalia> {
    let testo: Vec<u8> = linee.iter().flat_map(|linea| linea.as_ref().to_vec()).collect();
    verifica(&mut Cursor::new(testo), Some(ancora), &|_| {}).unwrap()
}

impl Esempio {
    /// Where each line stands; `None` of those that are of no block.
    fn places(&self) -> Vec<Option<Dove>> {
        let (mut blocco, mut posto) = (40, 0);
        let places = self.linee.iter().map(|linea| {
            if linea.starts_with("blocco ") {
                (blocco, posto) = (blocco + 1, 0);
            }
            let riga = linea.starts_with("riga ") || linea.starts_with("sostituita ");
            posto += usize::from(riga);
            let in_un_blocco = riga
                || ["blocco ", "voci ", "sigillo "]
                    .iter()
                    .any(|che| linea.starts_with(che));
            in_un_blocco.then_some(Dove {
                blocco,
                posto: riga.then_some(posto),
            })
        });
        places.collect()
    }

    fn rows(&self) -> Vec<usize> {
        let places = self.places();
        (0..places.len())
            .filter(|n| places[*n].is_some_and(|dove| dove.posto.is_some()))
            .collect()
    }
}

/// Whether it was named: at its place; a line that is of no row by its block, or by the one in whose place it stands.
fn assert_named(trovata: Result<verifica::Esito, Anomalia>, dove: Option<Dove>, che: &str) {
    let Err(anomalia) = trovata else {
        panic!("not found: {che}");
    };
    let Some(dove) = dove else { return };
    assert_eq!(anomalia.blocco, Some(dove.blocco), "{che}: {anomalia}");
    if dove.posto.is_some() {
        assert_eq!(anomalia.posto, dove.posto, "{che}: {anomalia}");
        assert!(anomalia.riga.is_some(), "{che}: {anomalia}");
    }
}

#[test]
fn a_day_that_was_left_alone_is_in_order() {
    let esempio = example();
    let esito = check(&esempio.linee, &esempio.ancora).unwrap();
    assert_eq!(esito.quanto.righe, 240);
    assert_eq!(esito.quanto.blocchi, esempio.blocchi.len() as u64);
    assert_eq!(
        esito.chiusura,
        Some(Impronta::of(esempio.ancora.documento.as_bytes()))
    );
    assert_eq!(esito.sostituite_altrove, Vec::<String>::new());
}

/// One byte, one row, two rows; a row of another's; a block, the end, the anchor: at a thousand places.
#[test]
fn of_a_thousand_tamperings_each_is_found_and_named() {
    let esempio = example();
    let (places, rows) = (esempio.places(), esempio.rows());
    let mut dado = Dado(0xd1ce);
    let mut trovate = [0_u32; 8];
    for giro in 0..1000 {
        let mut linee: Vec<Vec<u8>> = esempio
            .linee
            .iter()
            .map(|linea| linea.clone().into_bytes())
            .collect();
        let mut ancora = esempio.ancora.clone();
        let come = giro % 8;
        let (dove, che) = match come {
            // One bit of any byte of any line.
            0 | 1 => {
                let n = if come == 0 {
                    rows[dado.below(rows.len())]
                } else {
                    dado.below(linee.len())
                };
                let (byte, bit) = (dado.below(linee[n].len()), dado.below(8));
                linee[n][byte] ^= 1 << bit;
                (places[n], format!("bit {bit} of byte {byte} of line {n}"))
            }
            2 => {
                let n = rows[dado.below(rows.len())];
                linee.remove(n);
                (places[n], format!("line {n} taken away"))
            }
            3 => {
                let (una, altra) = (dado.below(rows.len()), dado.below(rows.len()));
                let altra = if una == altra {
                    (altra + 1) % rows.len()
                } else {
                    altra
                };
                let (prima, dopo) = (rows[una.min(altra)], rows[una.max(altra)]);
                linee.swap(prima, dopo);
                (
                    places[prima],
                    format!("lines {prima} and {dopo} in each other's place"),
                )
            }
            4 => {
                let n = rows[dado.below(rows.len())];
                let nuova = Linea::Riga(riga(&mut dado, 1000 + giro)).write();
                linee.insert(n, nuova.into_bytes());
                (places[n], format!("a line before line {n}"))
            }
            5 => {
                let blocchi: Vec<usize> = (0..linee.len())
                    .filter(|n| linee[*n].starts_with(b"blocco "))
                    .collect();
                let n = dado.below(blocchi.len());
                let fine = blocchi.get(n + 1).copied().unwrap_or(linee.len() - 2);
                linee.drain(blocchi[n]..fine);
                // The next block does not follow; behind the last one stands the end of the day.
                let dove = (n + 1 < blocchi.len()).then(|| Dove {
                    blocco: 42 + n as u64,
                    posto: None,
                });
                (dove, format!("block {n} taken away"))
            }
            6 => {
                let n = 1 + dado.below(linee.len() - 1);
                linee.truncate(n);
                if giro % 16 == 6 {
                    // Cut off within a line.
                    let ultima = linee.last_mut().unwrap();
                    ultima.truncate(dado.below(ultima.len()));
                }
                (None, format!("cut before line {n}"))
            }
            _ => {
                match dado.below(3) {
                    0 => ancora.documento = ancora.documento.replace("\"righe\": 240", "\"righe\": 241"),
                    1 => ancora.firma.as_mut().unwrap().0[dado.below(64)] ^= 1,
                    _ => {
                        let altra = Firma::from_pem(&Firma::generate().unwrap()).unwrap();
                        ancora.firma.as_mut().unwrap().1 = altra.pubblica();
                    }
                }
                (None, "the anchor".to_owned())
            }
        };
        assert_named(check(&linee, &ancora), dove, &format!("round {giro}: {che}"));
        trovate[usize::try_from(come).unwrap()] += 1;
    }
    assert_eq!(trovate, [125; 8]);
}

/// Who forges a row with its entry, its block and all that follows is found by the anchor, which lies elsewhere.
#[test]
fn a_day_that_was_sealed_anew_is_not_the_one_of_the_anchor() {
    let esempio = example();
    let mut righe = esempio.righe.clone();
    righe[40].testo.push(b'!');
    let mut linee = vec![esempio.linee[0].clone()];
    let mut sigilli = Vec::new();
    let (mut da, mut precedente) = (0, Impronta::of(b"ieri"));
    for blocco in &esempio.blocchi {
        let sue = &righe[da..da + blocco.voci.len()];
        let rifatto = sealed(blocco.testata.numero, sue, precedente);
        linee.push(Linea::Blocco(rifatto.testata.clone()).write());
        linee.push(Linea::Voci(rifatto.voci.clone()).write());
        linee.extend(sue.iter().map(|riga| Linea::Riga(riga.clone()).write()));
        linee.push(Linea::Sigillo(rifatto.sigillo).write());
        sigilli.push(rifatto.sigillo);
        precedente = rifatto.sigillo;
        da += sue.len();
    }
    linee.extend(esempio.linee[esempio.linee.len() - 2..].to_vec());
    let anomalia = check(&linee, &esempio.ancora).unwrap_err();
    assert_eq!(
        anomalia.che,
        Che::Chiusura("i sigilli dei blocchi non portano alla radice della chiusura del giorno")
    );
    let giornata = Giornata::read(&esempio.ancora.documento).unwrap();
    let rifatta = Giornata {
        radice: merkle::radice(&sigilli),
        ultimo_sigillo: sigilli.last().copied(),
        ..giornata
    };
    let chiusura = linee.len() - 2;
    linee[chiusura] = Linea::Chiusura(Some(rifatta.documento())).write();
    let anomalia = check(&linee, &esempio.ancora).unwrap_err();
    assert_eq!(
        anomalia.che,
        Che::Ancora("la chiusura del giorno non è quella dell'ancora")
    );
}

#[test]
fn a_trace_that_gave_way_must_have_the_other_behind_it() {
    let esempio = example();
    let mut linee = esempio.linee.clone();
    let n = esempio.rows()[2];
    // The trace of a message that was never registered, said to be replaced.
    let chiave = esempio.righe[2].chiave.clone();
    linee[n] = Linea::Sostituita {
        chiave: chiave.clone(),
        blocco: Some(45),
    }
    .write();
    let anomalia = check(&linee, &esempio.ancora).unwrap_err();
    assert_eq!((anomalia.posto, anomalia.che), (Some(3), Che::Rimossa));
    // That of another day is told, and left to whoever has that day.
    linee[n] = Linea::Sostituita {
        chiave: chiave.clone(),
        blocco: Some(900),
    }
    .write();
    let esito = check(&linee, &esempio.ancora).unwrap();
    assert_eq!(esito.sostituite_altrove, [chiave]);
}

#[test]
fn a_registration_is_proved_by_its_row_and_a_few_hashes() {
    let esempio = example();
    let giornata = Giornata::read(&esempio.ancora.documento).unwrap();
    let sigilli: Vec<Impronta> = esempio.blocchi.iter().map(|blocco| blocco.sigillo).collect();
    let mut dado = Dado(0xfade);
    for riga in esempio
        .righe
        .iter()
        .filter(|riga| riga.genere == Genere::Registrazione)
    {
        let voce = riga.voce();
        let blocco = esempio
            .blocchi
            .iter()
            .find(|blocco| blocco.voci.contains(&voce))
            .unwrap();
        let prova = Inclusione::new(riga, blocco, &sigilli).unwrap();
        let documento = prova.documento();
        let letta = Inclusione::read(&documento).unwrap();
        letta.verify(&giornata, None).unwrap();
        assert_eq!(
            letta.verify(&giornata, Some(b"altra")),
            Err(NonProva::AltraRicevuta)
        );
        // One bit of it changed, it proves nothing any more.
        let mut alterata = documento.into_bytes();
        let byte = dado.below(alterata.len());
        alterata[byte] ^= 1 << dado.below(7);
        let alterata = String::from_utf8(alterata).unwrap();
        let esito = Inclusione::read(&alterata).and_then(|prova| prova.verify(&giornata, None));
        assert!(esito.is_err(), "{byte} of {alterata}");
        let domani = Giornata {
            radice: Impronta::of(b"domani"),
            ..giornata.clone()
        };
        assert_eq!(letta.verify(&domani, None), Err(NonProva::FuoriDalGiorno));
    }
}

#[test]
fn entries_come_back_as_they_were_and_nothing_else_does() {
    let esempio = example();
    let voci = &esempio.blocchi[0].voci;
    let bytes = write_voci(voci);
    assert_eq!(read_voci(&bytes).as_ref(), Some(voci));
    assert_eq!(read_voci(&bytes[..bytes.len() - 1]), None);
    assert_eq!(read_voci(b"?"), None);
}

#[test]
fn a_column_of_a_sealed_text_is_found_whatever_the_others_hold() {
    let mut testo = Vec::new();
    push_campo(&mut testo, "a", Some(b"b=1:x,"));
    push_campo(&mut testo, "c", None);
    push_campo(&mut testo, "b", Some(b"y"));
    assert_eq!(testo, b"a=6:b=1:x,,c=-,b=1:y,");
    assert_eq!(campo(&testo, "b"), Some(&b"y"[..]));
    assert_eq!((campo(&testo, "c"), campo(&testo, "d")), (None, None));
}
