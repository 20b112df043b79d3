//! Many cases, counted: on two threads for `cargo test`, or by hand for hours, going on where it was stopped.

use std::ops::Range;
use std::path::PathBuf;

/// What became of the cases so far.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Conto {
    pub(super) casi: u64,
    /// Read, with no finding by the authority.
    pub(super) valide: u64,
    /// Of these: let pass by the tables.
    pub(super) provate: u64,
    /// Made valid and left so; of these, asked about without need.
    pub(super) intatte: u64,
    pub(super) intatte_chieste: u64,
}

impl Conto {
    pub(super) fn aggiungi(&mut self, altro: Self) {
        self.casi += altro.casi;
        self.valide += altro.valide;
        self.provate += altro.provate;
        self.intatte += altro.intatte;
        self.intatte_chieste += altro.intatte_chieste;
    }
}

/// The cases below `casi`, shared by two threads, each of which is given its numbers.
pub(super) fn corri(casi: u64, lavora: impl Fn(&mut dyn Iterator<Item = u64>, &mut Conto) + Sync) -> Conto {
    const FILI: usize = 2;
    let mut somma = Conto::default();
    std::thread::scope(|scope| {
        let fili: Vec<_> = (0..)
            .take(FILI)
            .map(|filo| {
                let lavora = &lavora;
                scope.spawn(move || {
                    let mut conto = Conto::default();
                    lavora(&mut (filo..casi).step_by(FILI), &mut conto);
                    conto
                })
            })
            .collect();
        for filo in fili {
            somma.aggiungi(filo.join().unwrap());
        }
    });
    somma
}

/// A run by hand: as many cases as `CASI` says, of the seed `SEME`, from where the file `STATO` (or `stato`) says that the
/// last one stopped.
pub(super) fn lunga(stato: &str, mut lavora: impl FnMut(u64, Range<u64>, &mut Conto)) {
    const PASSO: u64 = 10_000;
    // The one place for settings of a test that is run by hand.
    let detto = |nome: &str| {
        std::env::vars()
            .find(|(noto, _)| noto == nome)
            .map(|(_, valore)| valore)
    };
    let numero = |nome: &str, altrimenti| detto(nome).map_or(altrimenti, |valore| valore.parse().unwrap());
    let (seme, casi) = (numero("SEME", 1), numero("CASI", 100_000));
    let stato = PathBuf::from(detto("STATO").unwrap_or_else(|| stato.to_owned()));
    let scritto = std::fs::read_to_string(&stato).unwrap_or_default();
    let mut conto = read_state(&scritto, seme);
    while conto.casi < casi {
        let fin = (conto.casi + PASSO).min(casi);
        lavora(seme, conto.casi..fin, &mut conto);
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
fn read_state(scritto: &str, seme: u64) -> Conto {
    let numeri: Vec<u64> = scritto
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
