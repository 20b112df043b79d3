//! The two places of an anchor's file, as text: how far each register has come, under a serial number and a check sum.

use std::fmt::Write as _;

use super::{Archivio, Detti, Detto};
use crate::domanda::Ambiente;

const TESTATA: &str = "varco ancora 1";
/// Bytes of a place.
pub(super) const POSTO: usize = 4096;

/// The newer of the two places that can be read.
pub(super) fn newest(bytes: &[u8], archivio: Option<&Archivio>) -> Option<(u64, Detti)> {
    bytes
        .chunks(POSTO)
        .filter_map(|posto| parse(posto, archivio))
        .max_by_key(|(serie, _)| *serie)
}

/// A place as it is written: lines, the check sum last, spaces up to its end.
pub(super) fn page(archivio: &Archivio, serie: u64, detti: &Detti) -> String {
    let mut testo = format!(
        "{TESTATA}\nserie {serie}\nambiente {}\narchivio {}\ndomanda {}\n",
        archivio.ambiente.as_str(),
        archivio.creato_il,
        detti.domanda
    );
    // The two newest years of each register are enough: a store that lies further back is told by the newest alone.
    for ((registro, anno), detto) in &detti.registri {
        if detti
            .ultimo(registro)
            .is_some_and(|(ultimo, _)| *anno + 1 >= ultimo)
        {
            let _ = writeln!(
                testo,
                "registro {registro} {anno} {} {}",
                detto.numero, detto.picco
            );
        }
    }
    let somma = sum(testo.as_bytes());
    let _ = writeln!(testo, "somma {somma:08x}");
    let riempitivo = POSTO.saturating_sub(testo.len() + 1);
    testo.extend(std::iter::repeat_n(' ', riempitivo));
    testo.push('\n');
    testo
}

fn parse(posto: &[u8], archivio: Option<&Archivio>) -> Option<(u64, Detti)> {
    let testo = std::str::from_utf8(posto).ok()?;
    let (corpo, resto) = testo.split_once("somma ")?;
    let somma = u32::from_str_radix(resto.get(..8)?, 16).ok()?;
    if sum(corpo.as_bytes()) != somma {
        return None;
    }
    let mut righe = corpo.lines();
    if righe.next()? != TESTATA {
        return None;
    }
    let (mut serie, mut ambiente, mut creato_il) = (None, "", "");
    let mut detti = Detti::default();
    for riga in righe {
        let (nome, valore) = riga.split_once(' ')?;
        match nome {
            "serie" => serie = valore.parse().ok(),
            "ambiente" => ambiente = valore,
            "archivio" => creato_il = valore,
            "domanda" => detti.domanda = valore.parse().ok()?,
            "registro" => {
                let mut parti = valore.split(' ');
                let registro = parti.next()?.to_owned();
                let anno = parti.next()?.parse().ok()?;
                let numero = parti.next()?.parse().ok()?;
                let picco = parti.next()?.parse().ok()?;
                detti.registri.insert((registro, anno), Detto { numero, picco });
            }
            _ => return None,
        }
    }
    let nostro = archivio.is_none_or(|archivio| {
        ambiente == archivio.ambiente.as_str()
            && (archivio.ambiente == Ambiente::Produzione || creato_il == archivio.creato_il)
    });
    Some((serie?, if nostro { detti } else { Detti::default() }))
}

fn sum(bytes: &[u8]) -> u32 {
    let mut somma = flate2::Crc::new();
    somma.update(bytes);
    somma.sum()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{archivio, detti};
    use super::*;

    #[test]
    fn a_page_is_read_as_it_was_written() {
        let sandbox = archivio(Ambiente::Sandbox, "2026-11-22T10:00:00Z");
        let scritti = detti(&[("AUF", 2021, 10_797, 12), ("AUF", 2022, 3, 2)], 10_000);
        let pagina = page(&sandbox, 7, &scritti);
        assert_eq!(pagina.len(), POSTO);
        assert_eq!(parse(pagina.as_bytes(), Some(&sandbox)), Some((7, scritti)));
    }

    #[test]
    fn of_a_page_that_is_half_written_the_one_before_holds() {
        let sandbox = archivio(Ambiente::Sandbox, "1");
        let (prima, dopo) = (detti(&[("AUF", 2021, 5, 1)], 5), detti(&[("AUF", 2021, 6, 1)], 6));
        let prima_pagina = page(&sandbox, 1, &prima);
        let dopo_pagina = page(&sandbox, 2, &dopo);
        for tagliata_a in 1..dopo_pagina.trim_end().len() {
            let mut bytes = dopo_pagina.as_bytes()[..tagliata_a].to_vec();
            bytes.resize(POSTO, 0);
            bytes.extend_from_slice(prima_pagina.as_bytes());
            assert_eq!(
                newest(&bytes, Some(&sandbox)),
                Some((1, prima.clone())),
                "{tagliata_a}"
            );
        }
        let bytes = [dopo_pagina, prima_pagina].concat().into_bytes();
        assert_eq!(newest(&bytes, Some(&sandbox)), Some((2, dopo)));
    }

    #[test]
    fn in_produzione_every_anchor_binds_and_elsewhere_those_of_the_same_store() {
        for (ambiente, legano) in [(Ambiente::Produzione, true), (Ambiente::Collaudo, false)] {
            let pagina = page(
                &archivio(ambiente, "un altro"),
                1,
                &detti(&[("AUF", 2021, 5, 1)], 5),
            );
            let (_, letti) = parse(pagina.as_bytes(), Some(&archivio(ambiente, "questo"))).unwrap();
            assert_eq!(letti.ultimo("AUF").is_some(), legano, "{ambiente:?}");
        }
    }
}
