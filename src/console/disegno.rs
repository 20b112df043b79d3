//! Charts as numbers: where each line goes. The templates spell them as SVG, and beside each stands a table that says the same
//! in words, for whoever does not see it.

use std::fmt::Write as _;

/// The drawing's size, in its own units.
pub(super) const LARGO: f64 = 720.0;
pub(super) const ALTO: f64 = 200.0;
const SINISTRA: f64 = 48.0;
const DESTRA: f64 = 8.0;
const SOPRA: f64 = 10.0;
const SOTTO: f64 = 22.0;

/// A chart.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Grafico {
    /// What it shows, for whoever does not see it.
    pub(super) descrizione: String,
    /// Lines across, with what they stand for.
    pub(super) righe: Vec<Tacca>,
    /// Words below.
    pub(super) sotto: Vec<Tacca>,
    /// Areas and lines, the first at the back.
    pub(super) forme: Vec<Forma>,
}

/// A mark on an axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tacca {
    pub(super) dove: String,
    pub(super) testo: String,
}

/// One series.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Forma {
    /// How it is drawn: a class of the style sheet.
    pub(super) classe: &'static str,
    pub(super) tratto: Tratto,
    /// Its corners.
    pub(super) punti: String,
}

/// What the corners are joined to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tratto {
    Area,
    Linea,
    /// A line of one point.
    Punto,
}

impl Forma {
    /// Where a dot stands.
    pub(super) fn x(&self) -> &str {
        self.punti.split_once(',').map_or("0", |(x, _)| x)
    }

    pub(super) fn y(&self) -> &str {
        self.punti.split_once(',').map_or("0", |(_, y)| y)
    }
}

/// Series that stand on one another.
pub(super) fn areas(serie: &[(&'static str, Vec<f64>)], sotto: Vec<String>) -> Grafico {
    let quanti = serie.first().map_or(0, |(_, valori)| valori.len());
    let mut base = vec![0.0; quanti];
    let mut cime = Vec::new();
    for (classe, valori) in serie {
        let cima: Vec<f64> = base
            .iter()
            .zip(valori)
            .map(|(base, valore)| base + valore)
            .collect();
        cime.push((*classe, base, cima.clone()));
        base = cima;
    }
    let scala = Scala::up_to(base.iter().copied().fold(0.0, f64::max));
    let mut grafico = scala.frame(sotto);
    for (classe, base, cima) in cime {
        let andata = cima.iter().enumerate().map(|(posto, valore)| (posto, *valore));
        let ritorno = base
            .iter()
            .enumerate()
            .rev()
            .map(|(posto, valore)| (posto, *valore));
        grafico.forme.push(Forma {
            classe,
            tratto: Tratto::Area,
            punti: scala.points(andata.chain(ritorno), quanti),
        });
    }
    grafico
}

/// Series beside one another. Where a value lacks the line is broken.
pub(super) fn lines(serie: &[(&'static str, Vec<Option<f64>>)], sotto: Vec<String>) -> Grafico {
    let massimo = serie.iter().flat_map(|(_, valori)| valori).flatten();
    let scala = Scala::up_to(massimo.copied().fold(0.0, f64::max));
    let mut grafico = scala.frame(sotto);
    for (classe, valori) in serie {
        let numerati: Vec<(usize, Option<f64>)> = valori.iter().copied().enumerate().collect();
        for tratto in numerati
            .split(|(_, valore)| valore.is_none())
            .filter(|tratto| !tratto.is_empty())
        {
            let corti = tratto
                .iter()
                .filter_map(|(posto, valore)| Some((*posto, (*valore)?)));
            let punti = scala.points(corti, valori.len());
            grafico.forme.push(Forma {
                classe,
                tratto: if tratto.len() == 1 {
                    Tratto::Punto
                } else {
                    Tratto::Linea
                },
                punti,
            });
        }
    }
    grafico
}

/// Where a bar ends, of a hundred.
pub(super) fn share(valore: u64, massimo: u64) -> String {
    let parte = super::campioni::float(valore) * 100.0 / super::campioni::float(massimo.max(1));
    format!("{:.1}", parte.min(100.0))
}

/// How high a value stands.
#[derive(Debug, Clone, Copy)]
struct Scala {
    massimo: f64,
}

impl Scala {
    /// Up to a round number: 1, 2 or 5 times a power of ten.
    fn up_to(valore: f64) -> Self {
        if valore <= 0.0 || !valore.is_finite() {
            return Self { massimo: 1.0 };
        }
        let potenza = 10_f64.powf(valore.log10().floor());
        let volte = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .find(|volte| volte * potenza >= valore);
        Self {
            massimo: volte.unwrap_or(10.0) * potenza,
        }
    }

    fn y(self, valore: f64) -> f64 {
        ALTO - SOTTO - (valore / self.massimo).clamp(0.0, 1.0) * (ALTO - SOPRA - SOTTO)
    }

    fn points(self, punti: impl Iterator<Item = (usize, f64)>, quanti: usize) -> String {
        let mut testo = String::new();
        for (posto, valore) in punti {
            let _ = write!(testo, "{:.1},{:.1} ", x(posto, quanti), self.y(valore));
        }
        testo.truncate(testo.trim_end().len());
        testo
    }

    fn frame(self, sotto: Vec<String>) -> Grafico {
        let righe = [0.0, 0.5, 1.0].map(|parte| Tacca {
            dove: format!("{:.1}", self.y(self.massimo * parte)),
            testo: number(self.massimo * parte),
        });
        let quanti = sotto.len();
        let sotto = sotto.into_iter().enumerate().map(|(posto, testo)| Tacca {
            dove: format!("{:.1}", x(posto, quanti)),
            testo,
        });
        Grafico {
            descrizione: String::new(),
            righe: righe.to_vec(),
            sotto: sotto.collect(),
            forme: Vec::new(),
        }
    }
}

fn x(posto: usize, quanti: usize) -> f64 {
    let ultimo = super::campioni::float(quanti.saturating_sub(1).max(1) as u64);
    SINISTRA + super::campioni::float(posto as u64) / ultimo * (LARGO - SINISTRA - DESTRA)
}

/// A number with as many digits as say something.
pub(super) fn number(valore: f64) -> String {
    let cifre = match valore.abs() {
        v if v >= 100.0 || v.fract() == 0.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        _ => 3,
    };
    format!("{valore:.cifre$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_stand_on_one_another() {
        let grafico = areas(
            &[("a", vec![1.0, 2.0]), ("b", vec![1.0, 0.0])],
            vec!["10:00".to_owned(), "10:05".to_owned()],
        );
        assert_eq!(
            grafico
                .righe
                .iter()
                .map(|tacca| tacca.testo.as_str())
                .collect::<Vec<_>>(),
            ["0", "1", "2"]
        );
        assert_eq!(
            grafico.forme[0].punti,
            "48.0,94.0 712.0,10.0 712.0,178.0 48.0,178.0"
        );
        assert_eq!(
            grafico.forme[1].punti,
            "48.0,10.0 712.0,10.0 712.0,10.0 48.0,94.0"
        );
    }

    #[test]
    fn a_line_is_broken_where_a_value_lacks() {
        let grafico = lines(&[("p", vec![Some(1.0), None, Some(2.0), Some(1.0)])], Vec::new());
        assert_eq!(grafico.forme.len(), 2);
        assert_eq!(
            (
                grafico.forme[0].tratto,
                grafico.forme[0].x(),
                grafico.forme[0].y()
            ),
            (Tratto::Punto, "48.0", "94.0")
        );
    }

    #[test]
    fn a_scale_ends_on_a_round_number() {
        for (valore, massimo) in [
            (0.0, 1.0),
            (0.3, 0.5),
            (7.0, 10.0),
            (10.0, 10.0),
            (11.0, 20.0),
            (480.0, 500.0),
            (f64::NAN, 1.0),
        ] {
            assert!((Scala::up_to(valore).massimo - massimo).abs() < 1e-9, "{valore}");
        }
    }

    #[test]
    fn numbers_are_short() {
        for (valore, testo) in [
            (0.0, "0"),
            (0.1234, "0.123"),
            (1.5, "1.50"),
            (12.34, "12.3"),
            (123.4, "123"),
        ] {
            assert_eq!(number(valore), testo);
        }
    }
}
