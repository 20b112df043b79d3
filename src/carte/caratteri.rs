//! The typefaces of the pages: what a text measures in them, where its lines break, which glyphs it becomes. They are
//! compiled in (`caratteri/`), so that a page never depends on what a machine has installed.
//!
//! A letter that they have not is not dropped and not guessed at: it is told by its number, `‹U+0416›`.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider as _};

use super::CartaError;

/// A cut of the typefaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taglio {
    /// For reading.
    Tondo,
    /// For titles, and for what must be seen.
    Nero,
    /// For codes that are compared sign by sign.
    Macchina,
}

/// How a text is set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stile {
    pub(super) taglio: Taglio,
    /// Points.
    pub(super) corpo: f32,
    pub(super) colore: Colore,
}

/// Red, green, blue.
pub(super) type Colore = (u8, u8, u8);

impl Stile {
    pub(super) const fn new(taglio: Taglio, corpo: f32, colore: Colore) -> Self {
        Self {
            taglio,
            corpo,
            colore,
        }
    }

    /// From one baseline to the next.
    pub(super) fn interlinea(self) -> f32 {
        self.corpo * 1.4
    }
}

/// A typeface, ready to measure and to draw.
pub(super) struct Carattere {
    pub(super) font: Font,
    /// Glyph and width in ems of each letter that it has.
    segni: HashMap<char, (u32, f32)>,
}

/// The three cuts.
pub(super) struct Cassa([Carattere; 3]);

impl Cassa {
    /// Opens them, once for the process.
    pub(super) fn open() -> Result<&'static Self, CartaError> {
        static CASSA: LazyLock<Option<Cassa>> = LazyLock::new(|| {
            Some(Cassa([
                Carattere::read(include_bytes!("caratteri/TitilliumWeb-Regular.ttf"))?,
                Carattere::read(include_bytes!("caratteri/TitilliumWeb-SemiBold.ttf"))?,
                Carattere::read(include_bytes!("caratteri/RobotoMono-Regular.ttf"))?,
            ]))
        });
        CASSA.as_ref().ok_or(CartaError::Caratteri)
    }

    pub(super) fn carattere(&self, taglio: Taglio) -> &Carattere {
        match taglio {
            Taglio::Tondo => &self.0[0],
            Taglio::Nero => &self.0[1],
            Taglio::Macchina => &self.0[2],
        }
    }

    /// The width of a text in points.
    pub(super) fn larghezza(&self, stile: Stile, testo: &str) -> f32 {
        let carattere = self.carattere(stile.taglio);
        let ems: f32 = testo.chars().map(|c| carattere.segno(c).1).sum();
        ems * stile.corpo
    }

    /// The text as these typefaces can set it: what is only space is a space, and a letter that one of them lacks is
    /// told by its number.
    pub(super) fn componibile(&self, testo: &str) -> String {
        let mut composto = String::with_capacity(testo.len());
        for c in testo.chars() {
            if c.is_whitespace() && c != '\u{A0}' {
                composto.push(' ');
            } else if self.0.iter().all(|carattere| carattere.segni.contains_key(&c)) {
                composto.push(c);
            } else {
                let _ = write!(composto, "‹U+{:04X}›", u32::from(c));
            }
        }
        composto
    }

    /// The lines of a text, none wider than `larghezza`: broken at spaces, and within a word only where the word alone
    /// is wider. There is always one.
    pub(super) fn righe(&self, tratti: &[Tratto], larghezza: f32) -> Vec<Vec<Tratto>> {
        let mut righe = vec![Vec::new()];
        let mut usata = 0.0;
        for tratto in tratti {
            let testo = self.componibile(&tratto.testo);
            for (numero, parola) in testo.split(' ').enumerate() {
                let spazio = if numero > 0 { " " } else { "" };
                let larga = self.larghezza(tratto.stile, spazio) + self.larghezza(tratto.stile, parola);
                if usata + larga <= larghezza {
                    accoda(&mut righe, tratto.stile, &format!("{spazio}{parola}"));
                    usata += larga;
                    continue;
                }
                // The space that a line breaks at stays with it, so that the text is whole when it is read out.
                accoda(&mut righe, tratto.stile, spazio);
                if usata > 0.0 {
                    righe.push(Vec::new());
                    usata = 0.0;
                }
                for c in parola.chars() {
                    let largo = self.carattere(tratto.stile.taglio).segno(c).1 * tratto.stile.corpo;
                    if usata > 0.0 && usata + largo > larghezza {
                        righe.push(Vec::new());
                        usata = 0.0;
                    }
                    accoda(&mut righe, tratto.stile, c.encode_utf8(&mut [0; 4]));
                    usata += largo;
                }
            }
        }
        righe
    }
}

/// Text of one style.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tratto {
    pub(super) stile: Stile,
    pub(super) testo: String,
}

impl Tratto {
    pub(super) fn new(stile: Stile, testo: impl Into<String>) -> Self {
        Self {
            stile,
            testo: testo.into(),
        }
    }
}

fn accoda(righe: &mut [Vec<Tratto>], stile: Stile, testo: &str) {
    let Some(riga) = righe.last_mut() else { return };
    if testo.is_empty() {
        return;
    }
    match riga.last_mut() {
        Some(ultimo) if ultimo.stile == stile => ultimo.testo.push_str(testo),
        Some(_) | None => riga.push(Tratto::new(stile, testo)),
    }
}

impl Carattere {
    fn read(bytes: &'static [u8]) -> Option<Self> {
        let tabelle = FontRef::new(bytes).ok()?;
        let misure = tabelle.glyph_metrics(Size::unscaled(), LocationRef::default());
        let font = Font::new(bytes.into(), 0)?;
        let segni = tabelle
            .charmap()
            .mappings()
            .filter_map(|(codice, glifo)| {
                let larghezza = misure.advance_width(glifo)? / font.units_per_em();
                Some((char::from_u32(codice)?, (glifo.to_u32(), larghezza)))
            })
            .collect();
        Some(Self { font, segni })
    }

    fn segno(&self, c: char) -> (u32, f32) {
        self.segni.get(&c).copied().unwrap_or_default()
    }

    /// The glyphs of a text that [`Cassa::componibile`] has made.
    pub(super) fn glifi(&self, testo: &str) -> Vec<KrillaGlyph> {
        testo
            .char_indices()
            .map(|(dove, c)| {
                let (glifo, larghezza) = self.segno(c);
                let estensione = dove..dove + c.len_utf8();
                KrillaGlyph::new(GlyphId::new(glifo), larghezza, 0.0, 0.0, 0.0, estensione, None)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STILE: Stile = Stile::new(Taglio::Tondo, 10.0, (0, 0, 0));

    fn righe(testo: &str, larghezza: f32) -> Vec<String> {
        let cassa = Cassa::open().unwrap();
        cassa
            .righe(&[Tratto::new(STILE, testo)], larghezza)
            .into_iter()
            .map(|riga| riga.into_iter().map(|tratto| tratto.testo).collect())
            .collect()
    }

    #[test]
    fn lines_break_at_spaces_and_nothing_is_lost() {
        let testo = "La domanda per il soggetto è stata registrata con numero domanda 371, già così.";
        let composte = righe(testo, 120.0);
        assert!(composte.len() > 2);
        assert_eq!(composte.concat(), testo);
        let cassa = Cassa::open().unwrap();
        for riga in &composte {
            assert!(cassa.larghezza(STILE, riga.trim_end()) <= 120.0, "{riga}");
        }
    }

    #[test]
    fn a_word_wider_than_the_line_breaks_within() {
        let parola = "W".repeat(200);
        let composte = righe(&format!("prima {parola} dopo"), 120.0);
        assert_eq!(composte.concat(), format!("prima {parola} dopo"));
        let cassa = Cassa::open().unwrap();
        for riga in &composte {
            assert!(cassa.larghezza(STILE, riga.trim_end()) <= 120.0, "{riga}");
        }
    }

    #[test]
    fn a_letter_that_the_typefaces_lack_is_told_by_its_number() {
        let cassa = Cassa::open().unwrap();
        let italiano = "ÀÈÉÌÒÙ àèéìòù €«»’“”…–—·›";
        assert_eq!(cassa.componibile(italiano), italiano);
        assert_eq!(cassa.componibile("Ж\u{202E}a\tb"), "‹U+0416›‹U+202E›a b");
    }

    #[test]
    fn an_empty_text_has_one_line() {
        assert_eq!(righe("", 100.0), [""]);
    }
}
