//! The compiled schema held to the authority, on any bytes at all: what is read with the tables is what is read without.
#![no_main]

use std::sync::LazyLock;

use varco::{domanda, prestazione, schema, soap, xml};

#[path = "../confronto.rs"]
mod confronto;

static SCHEMA: LazyLock<schema::Schema> =
    LazyLock::new(|| schema::Schema::load().expect("the XSDs of this release are usable"));

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    confronto::confronta(&SCHEMA, bytes, "input", false, confronto::leggi_file);
});
