//! One stage of the way over fixed messages, and nothing that reads a clock: so that the instructions it takes can be
//! counted, and held against those of another commit. `benches/istruzioni.sh` does both.
//!
//! `istruzioni STAGE N`: N times. Only what is within [`conta_la_fase`] counts: making ready costs another number of
//! instructions in every run, by the keys of hash tables.
#![expect(clippy::unwrap_used, reason = "a measure may stop where it stands")]

#[path = "../benches/comune/mod.rs"]
mod comune;

use std::hint::black_box;

use comune::{MITTENTE, Voci, contesto, cut, lotto, message, open, read_item, read_opened};
use varco::domanda::{Contesto, Domanda};
use varco::schema::Schema;
use varco::soap::envelope::Envelope;
use varco::soap::identity::Identity;

/// What the stages work on.
struct Pronto<'a> {
    schema: Schema,
    autorita: Schema,
    bytes: Vec<u8>,
    aperta: Box<Envelope>,
    domanda: Box<dyn Domanda>,
    contesto: Contesto<'a>,
    file: Vec<u8>,
    voci: Voci,
}

fn main() {
    let mut argomenti = std::env::args().skip(1);
    let fase = argomenti.next().expect("which stage?");
    let volte: usize = argomenti.next().expect("how many times?").parse().unwrap();
    let schema = Schema::load().unwrap();
    schema.warm().unwrap();
    let bytes = message(1);
    let aperta = open(&bytes);
    let file = lotto(LOTTO_DI);
    let voci = cut(&file);
    let ente = MITTENTE.ente.parse().unwrap();
    let contesto = contesto(&ente);
    let domanda = read_opened(&schema, &aperta, &bytes)
        .istanza
        .unwrap()
        .domanda()
        .unwrap();
    let pronto = Pronto {
        autorita: schema.by_authority(),
        schema,
        bytes,
        aperta,
        domanda,
        contesto,
        file,
        voci,
    };
    for passo in 0..volte {
        conta_la_fase(&fase, passo, &pronto);
    }
}

/// Once. The name is what callgrind is told to look for.
#[inline(never)]
fn conta_la_fase(fase: &str, passo: usize, pronto: &Pronto<'_>) {
    let Pronto {
        schema,
        autorita,
        bytes,
        aperta,
        domanda,
        contesto,
        file,
        voci,
    } = pronto;
    match fase {
        "envelope" => {
            let aperta = open(black_box(bytes));
            black_box(Identity::read(&aperta, false).unwrap());
        }
        "validation" => {
            black_box(read_opened(schema, aperta, black_box(bytes)));
        }
        "authority" => {
            black_box(read_opened(autorita, aperta, black_box(bytes)));
        }
        "rules" => {
            black_box(domanda.esamina(black_box(contesto)));
            black_box(domanda.fascicolo(black_box(contesto)).unwrap());
        }
        // A lot at a time: its items are cut together.
        "cutting" => {
            black_box(cut(black_box(file)));
        }
        "item" => {
            let voce = &voci.voci[passo % voci.voci.len()];
            black_box(read_item(schema, voci, black_box(voce)));
        }
        altra => panic!("{altra} is no stage"),
    }
}

/// Items of the lot.
const LOTTO_DI: u64 = 50;
