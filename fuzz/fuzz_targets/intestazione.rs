//! The header block of a busta, from any bytes at all.
#![no_main]

use varco::{egov, soap, xml};

#[path = "../tutto.rs"]
mod tutto;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    tutto::tutto(bytes);
});
