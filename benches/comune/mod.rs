//! Fixed messages, and the stages that they go through: what the benches time and what `examples/istruzioni.rs` counts.

use jiff::civil::date;
use varco::cli::sample;
use varco::domanda::campione::{Ampiezza, Mittente, Spunto};
use varco::domanda::{Ambiente, Contesto};
use varco::intake::lotto::taglio::{Involucro, LOTTO, Prossimo, Taglio, Testa};
use varco::patronato::CodiceEnte;
use varco::prestazione::Operazione;
use varco::prestazione::assegno_temporaneo::PRESTAZIONE;
use varco::schema::{Lettura, Schema};
use varco::soap::SoapVersion;
use varco::soap::envelope::{Apertura, Envelope};
use varco::xml::Limits;

/// Who sends them all.
pub(crate) const MITTENTE: Mittente<'_> = Mittente {
    ente: "PAT01",
    ufficio: "001",
    user_id: "bench",
};

fn spunto(contatore: u64, ampiezza: Ampiezza) -> Spunto<'static> {
    Spunto {
        contatore,
        presentazione: date(2021, 7, 15),
        mittente: MITTENTE,
        ampiezza,
    }
}

/// The message of the load tool: two minors, about 3 KB pretty printed.
pub(crate) fn message(contatore: u64) -> Vec<u8> {
    let spunto = spunto(contatore, Ampiezza::Intera);
    let chiave = format!("bench-{contatore}");
    sample::envelope(&PRESTAZIONE, &spunto, &chiave, SoapVersion::V12).into_bytes()
}

/// Opens a message.
pub(crate) fn open(bytes: &[u8]) -> Box<Envelope> {
    match Envelope::open(bytes, true, &Limits::default()).unwrap() {
        Apertura::Aperta(envelope) => envelope,
        Apertura::ServeAltro => panic!("the sample is whole"),
    }
}

/// Reads the rest of a message that was opened.
pub(crate) fn read_opened(schema: &Schema, envelope: &Envelope, bytes: &[u8]) -> Lettura {
    schema
        .read(
            &PRESTAZIONE,
            Operazione::InviaDomanda,
            envelope,
            bytes,
            &Limits::default(),
        )
        .unwrap()
}

/// Under which circumstances the rules look at it.
pub(crate) fn contesto(ente: &CodiceEnte) -> Contesto<'_> {
    Contesto {
        presentata_il: "2021-07-15T10:00:00Z".parse().unwrap(),
        ambiente: Ambiente::Sandbox,
        ente: Some(ente),
        codice_ufficio: None,
        user_id: None,
        schede_vive: &[],
        domande_vive: &[],
        pregresso: None,
        allegato_bytes_max: varco::domanda::allegato::ALLEGATO_BYTES_MAX,
    }
}

/// A file of a lot: items of one minor, as `varco sample --lotto --semplice` writes them.
pub(crate) fn lotto(quanti: u64) -> Vec<u8> {
    let (p, namespace) = (PRESTAZIONE.prefisso, PRESTAZIONE.namespace);
    let mut file = format!("<{p}:{LOTTO} xmlns:{p}=\"{namespace}\">\n");
    for contatore in 0..quanti {
        let spunto = spunto(contatore, Ampiezza::Minima);
        let chiave = format!("bench-{contatore}");
        file.push_str(&sample::with_domanda(
            &PRESTAZIONE,
            Operazione::InviaDomanda,
            &spunto,
            &chiave,
        ));
    }
    file.extend(["</", p, ":", LOTTO, ">\n"]);
    file.into_bytes()
}

/// The items of a lot, each with what is around it, ready to be read.
pub(crate) struct Voci {
    involucro: Involucro,
    pub(crate) voci: Vec<Vec<u8>>,
}

/// Cuts a lot into its items.
pub(crate) fn cut(file: &[u8]) -> Voci {
    const ELEMENTO_BYTES_MAX: usize = 1 << 20;
    let limits = Limits::default();
    let testa = Testa::find(file, true, &PRESTAZIONE, &limits).unwrap().unwrap();
    let involucro = Involucro::of(&testa);
    let da = testa.len();
    let mut taglio = Taglio::new(testa, &limits, ELEMENTO_BYTES_MAX);
    taglio.push(&file[da..]);
    taglio.finish();
    let mut voci = Vec::new();
    while let Prossimo::Elemento(elemento) = taglio.prossimo().unwrap() {
        voci.push(involucro.around(taglio.slice(&elemento)));
    }
    Voci { involucro, voci }
}

/// Reads one of them.
pub(crate) fn read_item(schema: &Schema, voci: &Voci, voce: &[u8]) -> Lettura {
    let richiesta = (&PRESTAZIONE, Operazione::InviaDomanda);
    schema
        .read_element(richiesta, voci.involucro.dopo(), voce, &Limits::default())
        .unwrap()
}
