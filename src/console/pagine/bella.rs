//! A message laid out for the eye: one element a line, those within it further in. It looks at the text and not at the XML, so
//! that what nobody could read is shown all the same; and each line keeps the place at which it stood as received, since that is
//! what an error names.

use super::plain;

/// Lines that are laid out; a message may have a million.
const RIGHE_MAX: usize = 4000;
/// Levels that are drawn; deeper is no further in.
const RIENTRO_MAX: usize = 24;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::console) struct Riga {
    /// The blanks before it.
    pub(in crate::console) rientro: String,
    pub(in crate::console) testo: String,
    /// Where it stood, both from 1.
    pub(in crate::console) numero: usize,
    pub(in crate::console) colonna: usize,
    /// An error names a place in it.
    pub(in crate::console) segnata: bool,
}

/// A message laid out, and whether it is longer than that.
pub(in crate::console) fn lay_out(testo: &str, segnati: &[(usize, usize)]) -> (Vec<Riga>, bool) {
    let pezzi = pieces(testo);
    let mut righe: Vec<Riga> = Vec::new();
    let mut livello = 0_usize;
    let mut posto = 0;
    while let Some(pezzo) = pezzi.get(posto) {
        if righe.len() == RIGHE_MAX {
            return (marked(righe, segnati), true);
        }
        let quanti = if pezzo.apre { closes_at(&pezzi[posto..]) } else { 1 };
        if pezzo.chiude {
            livello = livello.saturating_sub(1);
        }
        let insieme: String = pezzi[posto..posto + quanti]
            .iter()
            .map(|pezzo| pezzo.testo)
            .collect();
        for (numero, linea) in insieme.split('\n').enumerate() {
            let linea = linea.trim_end_matches('\r');
            if numero > 0 && linea.trim().is_empty() {
                continue;
            }
            righe.push(Riga {
                rientro: "  ".repeat(livello.min(RIENTRO_MAX)),
                testo: plain(if numero > 0 { linea.trim_start() } else { linea }),
                numero: pezzo.riga + numero,
                colonna: if numero > 0 { 1 } else { pezzo.colonna },
                segnata: false,
            });
        }
        if pezzo.apre && quanti == 1 {
            livello += 1;
        }
        posto += quanti;
    }
    (marked(righe, segnati), false)
}

/// Marks the lines that an error names: the last one that begins at or before its place.
fn marked(mut righe: Vec<Riga>, segnati: &[(usize, usize)]) -> Vec<Riga> {
    for segnato in segnati {
        let dopo = righe.partition_point(|riga| (riga.numero, riga.colonna) <= *segnato);
        if let Some(riga) = dopo.checked_sub(1).and_then(|posto| righe.get_mut(posto)) {
            riga.segnata = true;
        }
    }
    righe
}

/// A tag, or the text between two.
struct Pezzo<'t> {
    testo: &'t str,
    riga: usize,
    colonna: usize,
    apre: bool,
    chiude: bool,
}

/// How many pieces an element is that holds no other, from its start tag on; 1 for one that does.
fn closes_at(pezzi: &[Pezzo<'_>]) -> usize {
    match pezzi {
        [_, fine, ..] if fine.chiude => 2,
        [_, testo, fine, ..] if !testo.apre && !testo.testo.starts_with('<') && fine.chiude => 3,
        _ => 1,
    }
}

fn pieces(testo: &str) -> Vec<Pezzo<'_>> {
    let mut pezzi = Vec::new();
    let (mut riga, mut colonna) = (1, 1);
    let mut resto = testo;
    while !resto.is_empty() {
        let fine = if resto.starts_with('<') {
            tag_end(resto)
        } else {
            resto.find('<').unwrap_or(resto.len())
        };
        let (pezzo, dopo) = resto.split_at(fine);
        let tag = pezzo.starts_with('<');
        let bianchi = pezzo.len() - pezzo.trim_start().len();
        let (prima_riga, prima_colonna) = advance(&pezzo[..bianchi], (riga, colonna));
        let asciutto = if tag { pezzo } else { pezzo.trim() };
        if !asciutto.is_empty() {
            let chiude = pezzo.starts_with("</");
            pezzi.push(Pezzo {
                testo: asciutto,
                riga: prima_riga,
                colonna: prima_colonna,
                apre: tag
                    && !chiude
                    && !pezzo.ends_with("/>")
                    && !pezzo.starts_with("<?")
                    && !pezzo.starts_with("<!"),
                chiude,
            });
        }
        (riga, colonna) = advance(pezzo, (riga, colonna));
        resto = dopo;
    }
    pezzi
}

/// Where a tag, a comment or a section ends; one that does not ends with the text.
fn tag_end(testo: &str) -> usize {
    for (inizio, fine) in [("<!--", "-->"), ("<![CDATA[", "]]>")] {
        if testo.starts_with(inizio) {
            return testo.find(fine).map_or(testo.len(), |dove| dove + fine.len());
        }
    }
    testo.find('>').map_or(testo.len(), |dove| dove + 1)
}

fn advance(testo: &str, (riga, colonna): (usize, usize)) -> (usize, usize) {
    match testo.rsplit_once('\n') {
        Some((prima, ultima)) => (riga + prima.matches('\n').count() + 1, ultima.chars().count() + 1),
        None => (riga, colonna + testo.chars().count()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(testo: &str, segnati: &[(usize, usize)]) -> Vec<String> {
        let (righe, _) = lay_out(testo, segnati);
        let tell = |riga: &Riga| {
            let segno = if riga.segnata { "!" } else { "" };
            format!(
                "{}:{}{segno} {}{}",
                riga.numero, riga.colonna, riga.rientro, riga.testo
            )
        };
        righe.iter().map(tell).collect()
    }

    #[test]
    fn one_element_a_line_with_the_place_where_it_stood() {
        let testo = "<?xml version='1.0'?><a x='1'><b>uno</b><c/><d></d><e><f>due</f>\n  <g>tre</g></e></a>";
        assert_eq!(
            told(testo, &[(1, 35), (2, 7)]),
            [
                "1:1 <?xml version='1.0'?>",
                "1:22 <a x='1'>",
                "1:31!   <b>uno</b>",
                "1:41   <c/>",
                "1:45   <d></d>",
                "1:52   <e>",
                "1:55     <f>due</f>",
                "2:3!     <g>tre</g>",
                "2:13   </e>",
                "2:17 </a>",
            ]
        );
    }

    #[test]
    fn what_is_no_xml_is_shown_all_the_same() {
        assert_eq!(told("pippo", &[]), ["1:1 pippo"]);
        assert_eq!(told("</a></a><b", &[]), ["1:1 </a>", "1:5 </a>", "1:9 <b"]);
        assert_eq!(
            told("<a><!-- <b> -->x", &[]),
            ["1:1 <a>", "1:4   <!-- <b> -->", "1:16   x"]
        );
        assert_eq!(told("", &[(1, 1)]), Vec::<String>::new());
    }

    #[test]
    fn a_long_message_is_cut_and_says_so() {
        let (righe, tagliata) = lay_out(&"<a>".repeat(RIGHE_MAX + 1), &[]);
        assert_eq!((righe.len(), tagliata), (RIGHE_MAX, true));
    }

    proptest! {
        /// Nothing but blanks is lost, whatever came.
        #[test]
        fn every_sign_is_shown(testo in "[<>/a-c!?\\[\\]\\-\"' \n]{0,80}") {
            let (righe, _) = lay_out(&testo, &[(1, 1)]);
            let mostrati: String = righe.iter().map(|riga| riga.testo.as_str()).collect();
            let senza = |testo: &str| testo.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(senza(&mostrati), senza(&testo));
        }
    }
}
