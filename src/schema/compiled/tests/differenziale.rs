//! The tables held to the authority: messages made from the tables and mutated, each read with the tables and without.
//! What the tables let pass, the authority finds nothing in; and all that is read is the same. So are the tokens of
//! the reader's short way and of its long one.
//!
//! `cargo test` looks at 20,000 cases. The long run goes on where it stopped:
//! `CASI=10000000 SEME=1 STATO=/tmp/varco.differenziale cargo test --release --lib differenziale -- --ignored --nocapture`.

use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::caso::{Albero, Dado, Penna, muta, sporca, valido};
use crate::prestazione::{Operazione, Prestazione, assegno_temporaneo, assegno_unico};
use crate::schema::tests::{SCHEMA, TACCUINO, Taccuino, VALIDA};
use crate::schema::{Lettura, LetturaError, Radice, Schema};
use crate::soap::mtom::Tipo;
use crate::xml::{Limits, Reader, Token, XmlError};

/// The prestazioni with a reader that notes what it is told.
static PROVE: [Prestazione; 2] = [
    Prestazione {
        lettore: || Box::new(Taccuino(Vec::new())),
        ..assegno_temporaneo::PRESTAZIONE
    },
    Prestazione {
        lettore: || Box::new(Taccuino(Vec::new())),
        ..assegno_unico::PRESTAZIONE
    },
];

/// What became of the cases so far.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Conto {
    casi: u64,
    /// Read, with no finding by the authority.
    valide: u64,
    /// Of these: let pass by the tables.
    provate: u64,
    /// Made valid and left so; of these, asked about without need.
    intatte: u64,
    intatte_chieste: u64,
}

/// The whole of a document, text in one piece, each thing with its place; and why it is not read further.
fn tokens(mut reader: Reader<'_>) -> (Vec<String>, Option<XmlError>) {
    let mut letti = Vec::new();
    let mut testo = String::new();
    loop {
        let da = reader.end_offset();
        match reader.next() {
            Ok(Token::Text(pezzo)) => {
                if testo.is_empty() {
                    letti.push(format!("{da}"));
                }
                testo.push_str(&pezzo);
                continue;
            }
            Ok(altro) => {
                letti.push(std::mem::take(&mut testo));
                letti.push(format!("{altro:?}"));
                if matches!(altro, Token::Eof) {
                    return (letti, None);
                }
            }
            Err(errore) => return (letti, Some(errore)),
        }
        letti.push(format!(
            "{} {} {}",
            reader.offset(),
            reader.end_offset(),
            reader.depth()
        ));
    }
}

/// Reads a message.
fn leggi(schema: &Schema, bytes: &[u8]) -> Esito {
    TACCUINO.take();
    let limits = Limits::default();
    let mut reader = Reader::new(bytes, &limits);
    let principio = reader.checkpoint();
    let radice = match reader.next() {
        Ok(Token::Start { nome, .. }) => Radice::of(nome),
        Ok(_) | Err(_) => None,
    };
    let letta = match radice {
        Some(Radice::Richiesta(prestazione, operazione)) => {
            let prova = PROVE.iter().find(|prova| prova.servizio == prestazione.servizio);
            let mut reader = Reader::resume(bytes, &principio, &limits);
            let letta = schema.pass((prova.unwrap(), operazione), &principio, &mut reader, bytes, None);
            letta.and_then(|letta| {
                reader.next()?;
                Ok(letta)
            })
        }
        Some(Radice::Busta) | None => schema.read_file(bytes, &limits),
    };
    (letta, TACCUINO.take())
}

/// What came of a reading; beside it, what the reader of the domanda was told.
type Esito = (Result<Lettura, LetturaError>, Vec<String>);

/// Holds the two readings of one message against each other; whether it is valid, and whether the tables said so.
/// `solo_provate`: one that the tables doubted has been before the authority already, and once is enough.
fn confronta(
    bytes: &[u8],
    dove: &str,
    solo_provate: bool,
    leggi: impl Fn(&Schema, &[u8]) -> Esito,
) -> (bool, bool) {
    let (nostra, detto) = leggi(&SCHEMA, bytes);
    if let (Ok(nostra), true) = (&nostra, solo_provate)
        && !nostra.provata
    {
        return (nostra.rilievi.is_empty(), false);
    }
    let (sua, suo_detto) = leggi(&SCHEMA.by_authority(), bytes);
    let messaggio = || format!("{dove}\n{}", String::from_utf8_lossy(bytes));
    let (nostra, sua) = match (nostra, sua) {
        (Ok(nostra), Ok(sua)) => (nostra, sua),
        (nostra, sua) => {
            assert_eq!(nostra.err(), sua.err(), "{}", messaggio());
            return (false, false);
        }
    };
    assert_eq!(
        nostra.rilievi,
        sua.rilievi,
        "provata: {}\n{}",
        nostra.provata,
        messaggio()
    );
    assert!(!sua.provata && (nostra.rilievi.is_empty() || !nostra.provata));
    assert_eq!(detto, suo_detto, "{}", messaggio());
    let fatti = |lettura: Lettura| {
        (
            lettura.digest,
            lettura.impronta,
            lettura.chiave,
            lettura.contenuto_in_richiesta,
            lettura.campi,
            format!("{:?}", lettura.istanza),
            (lettura.prestazione.servizio, lettura.operazione),
        )
    };
    assert!(nostra.posizioni.same(&sua.posizioni), "{}", messaggio());
    let (provata, valida) = (nostra.provata, sua.rilievi.is_empty());
    assert_eq!(fatti(nostra), fatti(sua), "{}", messaggio());
    (valida, provata)
}

/// The case of this number.
fn caso(seme: u64, numero: u64, conto: &mut Conto) {
    let tavole = SCHEMA.tavole.as_ref().unwrap();
    let mut dado = Dado(seme.wrapping_mul(0x0100_0000_01B3) ^ numero);
    dado.tira();
    let globale = *dado.uno(&tavole.globali);
    let mut albero: Albero = valido(tavole, globale, &mut dado);
    let mutazioni = *dado.uno(&[0, 1, 1, 1, 2, 3]);
    for _ in 0..mutazioni {
        muta(tavole, &mut albero, &mut dado);
    }
    let mut bytes = Penna::scrivi(&albero, &mut dado).into_bytes();
    let sporca_anche = dado.capita(20);
    if sporca_anche {
        for _ in 0..*dado.uno(&[1, 1, 2]) {
            sporca(&mut bytes, &mut dado);
        }
    }
    let limits = Limits::default();
    if numero.is_multiple_of(4) || sporca_anche {
        assert_eq!(
            tokens(Reader::new(&bytes, &limits)),
            tokens(Reader::new(&bytes, &limits).lento()),
            "case {numero} of seed {seme}\n{}",
            String::from_utf8_lossy(&bytes)
        );
    }
    let (valida, provata) = confronta(
        &bytes,
        &format!("case {numero} of seed {seme}"),
        !numero.is_multiple_of(4),
        leggi,
    );
    let intatta = mutazioni == 0 && !sporca_anche;
    assert!(
        valida || !intatta,
        "case {numero} of seed {seme} was made valid\n{}",
        String::from_utf8_lossy(&bytes)
    );
    conto.casi += 1;
    conto.valide += u64::from(valida);
    conto.provate += u64::from(provata);
    conto.intatte += u64::from(intatta);
    conto.intatte_chieste += u64::from(intatta && !provata);
}

#[test]
fn what_the_tables_let_pass_the_authority_finds_nothing_in() {
    const CASI: u64 = 20_000;
    const FILI: usize = 2;
    let mut conti = Vec::new();
    std::thread::scope(|scope| {
        let fili: Vec<_> = (0..)
            .take(FILI)
            .map(|filo| {
                scope.spawn(move || {
                    let mut conto = Conto::default();
                    for numero in (filo..CASI).step_by(FILI) {
                        caso(1, numero, &mut conto);
                    }
                    conto
                })
            })
            .collect();
        conti.extend(fili.into_iter().map(|filo| filo.join().unwrap()));
    });
    let somma = |di: fn(&Conto) -> u64| conti.iter().map(di).sum::<u64>();
    let (intatte, chieste) = (somma(|c| c.intatte), somma(|c| c.intatte_chieste));
    let (valide, provate) = (somma(|c| c.valide), somma(|c| c.provate));
    // Made valid: the tables let them pass, but for less than one in a thousand.
    assert!(
        intatte > 2000 && chieste * 1000 < intatte,
        "{chieste} of {intatte} asked about"
    );
    // Valid after a mutation: forms that the tables leave to the authority are among them.
    assert!(
        valide > 5000 && provate * 100 > valide * 97,
        "{provate} of {valide} valid ones let pass"
    );
}

#[test]
fn every_letter_of_the_tests_is_read_the_same() {
    let lettere = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/messages");
    let mut provate = 0;
    let mut lette = 0;
    for caso in std::fs::read_dir(lettere).unwrap() {
        let richiesta: PathBuf = caso.unwrap().path().join("request.xml");
        let Ok(bytes) = std::fs::read(&richiesta) else {
            continue;
        };
        lette += 1;
        provate += usize::from(confronta(&bytes, &richiesta.display().to_string(), false, leggi).1);
    }
    assert!(lette > 150 && provate > 50, "{provate} of {lette}");
}

#[test]
fn a_document_beside_the_envelope_is_let_pass_and_a_wrong_reference_is_told() {
    const TIPO: &str = "multipart/related; type=\"application/xop+xml\"; start=\"<busta>\"; \
                        start-info=\"application/soap+xml\"; boundary=\"b\"";
    let tipo = Tipo::parse(TIPO, crate::soap::mtom::Limits::default()).unwrap();
    let include =
        |dentro: &str| format!("<x:Include xmlns:x=\"http://www.w3.org/2004/08/xop/include\" {dentro}");
    let una = include("href=\"cid:uno\"/>");
    for (contenuto, provata) in [
        (una.clone(), true),
        (format!(" {una}\n"), true),
        (include("href='cid:%75no'></x:Include>"), true),
        (include("href=\"cid:due\"/>"), false),
        (include("/>"), false),
        (include("href=\"cid:uno\"> x</x:Include>"), false),
        (include("href=\"cid:uno\"><a/></x:Include>"), false),
        (format!("{una}{una}"), false),
        (format!("{una}JVBERi0xLjQ="), false),
        (format!("J{una}"), false),
        // Nobody asks for the part.
        ("JVBERi0xLjQ=".to_owned(), false),
    ] {
        let busta = VALIDA.replace("JVBERi0xLjQ=", &contenuto);
        let testa = "Content-Type: application/xop+xml; charset=UTF-8; type=\"application/soap+xml\"\r\nContent-ID: <busta>";
        let uno = "Content-Type: application/pdf\r\nContent-ID: <uno>\r\n\r\n%PDF-1.4";
        let intero = format!("--b\r\n{testa}\r\n\r\n{busta}\r\n--b\r\n{uno}\r\n--b--\r\n");
        let messaggio = tipo.parts(&Bytes::from(intero)).unwrap();
        let leggi = |schema: &Schema, bytes: &[u8]| {
            TACCUINO.take();
            let mut reader = Reader::new(bytes, &Limits::default());
            let principio = reader.checkpoint();
            let parti = messaggio.parti.clone();
            let richiesta = (&PROVE[0], Operazione::InviaDomanda);
            let letta = schema.pass(richiesta, &principio, &mut reader, bytes, parti);
            (letta, TACCUINO.take())
        };
        let esito = confronta(&messaggio.busta, &contenuto, false, leggi);
        assert_eq!(esito, (provata, provata), "{contenuto}");
    }
}

#[test]
#[ignore = "hours: the long run, outside of CI"]
fn a_long_run_goes_on_where_it_stopped() {
    // The one place for settings of a test that is run by hand.
    let detto = |nome: &str| {
        std::env::vars()
            .find(|(noto, _)| noto == nome)
            .map(|(_, valore)| valore)
    };
    let numero = |nome: &str, altrimenti| detto(nome).map_or(altrimenti, |valore| valore.parse().unwrap());
    let (seme, casi) = (numero("SEME", 1), numero("CASI", 100_000));
    let stato = PathBuf::from(detto("STATO").unwrap_or_else(|| "/tmp/varco.differenziale".to_owned()));
    let mut conto = read_state(&stato, seme);
    while conto.casi < casi {
        let fin = (conto.casi + 10_000).min(casi);
        while conto.casi < fin {
            caso(seme, conto.casi, &mut conto);
        }
        let Conto {
            casi,
            valide,
            provate,
            intatte,
            intatte_chieste,
        } = conto;
        std::fs::write(
            &stato,
            format!("{seme} {casi} {valide} {provate} {intatte} {intatte_chieste}\n"),
        )
        .unwrap();
    }
    println!("seed {seme}: {conto:?}");
}

/// Seed and counts of a run that stopped; from the beginning where there is none of this seed.
fn read_state(stato: &Path, seme: u64) -> Conto {
    let testo = std::fs::read_to_string(stato).unwrap_or_default();
    let numeri: Vec<u64> = testo
        .split_whitespace()
        .filter_map(|numero| numero.parse().ok())
        .collect();
    match numeri[..] {
        [suo, casi, valide, provate, intatte, intatte_chieste] if suo == seme => Conto {
            casi,
            valide,
            provate,
            intatte,
            intatte_chieste,
        },
        _ => Conto::default(),
    }
}
