//! Metrics as text: the Prometheus format, or `OpenMetrics` for whoever asks for it.

use std::fmt::{Display, Write as _};

use super::{Istogramma, Metrica, Tipo};

/// In which words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Formato {
    /// Prometheus text, 0.0.4.
    Prometheus,
    /// `OpenMetrics` 1.0.
    OpenMetrics,
}

impl Formato {
    /// What somebody with this `Accept` is given.
    #[must_use]
    pub fn accepted(accept: &str) -> Self {
        if accept.contains("application/openmetrics-text") {
            Self::OpenMetrics
        } else {
            Self::Prometheus
        }
    }

    /// Its media type.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// A text that is being written, family by family.
#[derive(Debug)]
pub struct Testo {
    formato: Formato,
    scritto: String,
}

/// One metric of it. What is told here has exactly the labels of the table.
#[derive(Debug)]
pub struct Famiglia<'t> {
    testo: &'t mut Testo,
    metrica: &'static Metrica,
}

impl Testo {
    /// An empty one.
    #[must_use]
    pub fn new(formato: Formato) -> Self {
        Self {
            formato,
            scritto: String::with_capacity(16 * 1024),
        }
    }

    /// The text, whole.
    #[must_use]
    pub fn finish(mut self) -> String {
        if self.formato == Formato::OpenMetrics {
            self.scritto.push_str("# EOF\n");
        }
        self.scritto
    }

    /// Begins a metric: its values follow.
    pub fn of(&mut self, metrica: &'static Metrica) -> Famiglia<'_> {
        let nome = match self.formato {
            // There a counter's family is named without its suffix.
            Formato::OpenMetrics => metrica.nome.strip_suffix("_total").unwrap_or(metrica.nome),
            Formato::Prometheus => metrica.nome,
        };
        let aiuto = metrica.aiuto;
        let _ = write!(
            self.scritto,
            "# HELP {nome} {aiuto}\n# TYPE {nome} {}\n",
            metrica.tipo.as_str()
        );
        Famiglia { testo: self, metrica }
    }

    /// A metric without labels, whole.
    pub fn one(&mut self, metrica: &'static Metrica, valore: impl Display) {
        self.of(metrica).tell(&[], valore);
    }
}

impl Famiglia<'_> {
    /// One value; those of its labels, in the order of the table.
    pub fn tell(&mut self, etichette: &[&str], valore: impl Display) {
        self.sample("", etichette, None, valore);
    }

    /// One value, where there is one.
    pub fn tell_some(&mut self, etichette: &[&str], valore: Option<impl Display>) {
        if let Some(valore) = valore {
            self.tell(etichette, valore);
        }
    }

    /// A histogram; so many of its values make one of the metric's unit.
    pub fn histogram(&mut self, etichette: &[&str], istogramma: &Istogramma, per_unita: f64) {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a sum of times: an f64 is what is told"
        )]
        let scala = |valore: u64| valore as f64 / per_unita;
        for (soglia, quanti) in &istogramma.fino_a {
            let soglia = format!("{:?}", scala(*soglia));
            self.sample("_bucket", etichette, Some(&soglia), quanti);
        }
        self.sample("_bucket", etichette, Some("+Inf"), istogramma.quanti);
        self.sample("_sum", etichette, None, scala(istogramma.somma));
        self.sample("_count", etichette, None, istogramma.quanti);
    }

    fn sample(&mut self, suffisso: &str, etichette: &[&str], le: Option<&str>, valore: impl Display) {
        debug_assert_eq!(
            etichette.len(),
            self.metrica.etichette.len(),
            "{}",
            self.metrica.nome
        );
        let out = &mut self.testo.scritto;
        let _ = write!(out, "{}{suffisso}", self.metrica.nome);
        let nomi = self.metrica.etichette.iter().copied().chain(le.map(|_| "le"));
        let mut prima = '{';
        for (nome, valore) in nomi.zip(etichette.iter().copied().chain(le)) {
            let _ = write!(out, "{prima}{nome}=\"");
            escape(valore, out);
            out.push('"');
            prima = ',';
        }
        if prima == ',' {
            out.push('}');
        }
        let _ = writeln!(out, " {valore}");
    }
}

impl Tipo {
    /// As the format spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contatore => "counter",
            Self::Indicatore => "gauge",
            Self::Istogramma => "histogram",
        }
    }
}

/// A label's value: no quote and no line of its own.
fn escape(valore: &str, out: &mut String) {
    for carattere in valore.chars() {
        match carattere {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            altro => out.push(altro),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{BUILD_INFO, COMMIT_SECONDS, Istogrammi, PRONTO, SCADENZE};
    use super::*;

    #[test]
    fn values_are_told_with_the_labels_of_the_table() {
        let istogrammi = Istogrammi::new(1, &[500, 1_000]);
        istogrammi.observe(0, 700);
        istogrammi.observe(0, 2_000_000);
        let mut testo = Testo::new(Formato::Prometheus);
        testo.one(&PRONTO, 1);
        testo
            .of(&COMMIT_SECONDS)
            .histogram(&["atti"], &istogrammi.at(0).unwrap(), 1e6);
        testo.of(&BUILD_INFO).tell(&["a\"b\\c\nd", "e"], 1);
        let testo = testo.finish();
        assert!(
            testo.contains("# TYPE varco_ready gauge\nvarco_ready 1\n"),
            "{testo}"
        );
        assert!(
            testo.contains("varco_commit_seconds_bucket{tipo=\"atti\",le=\"0.0005\"} 0\n"),
            "{testo}"
        );
        assert!(
            testo.contains("varco_commit_seconds_bucket{tipo=\"atti\",le=\"0.001\"} 1\n"),
            "{testo}"
        );
        assert!(
            testo.contains("varco_commit_seconds_bucket{tipo=\"atti\",le=\"+Inf\"} 2\n"),
            "{testo}"
        );
        assert!(
            testo.contains("varco_commit_seconds_sum{tipo=\"atti\"} 2.0007\n"),
            "{testo}"
        );
        assert!(
            testo.contains("varco_commit_seconds_count{tipo=\"atti\"} 2\n"),
            "{testo}"
        );
        assert!(
            testo.contains("version=\"a\\\"b\\\\c\\nd\",revision=\"e\"} 1\n"),
            "{testo}"
        );
    }

    #[test]
    fn openmetrics_names_a_family_without_its_suffix_and_says_where_it_ends() {
        let mut testo = Testo::new(Formato::accepted(
            "application/openmetrics-text;version=1.0.0,text/plain;q=0.5",
        ));
        testo.one(&super::super::TRACCIA_PIENA, 3);
        let _ = testo.of(&SCADENZE);
        let testo = testo.finish();
        assert!(
            testo.contains("# TYPE varco_trace_queue_full counter\nvarco_trace_queue_full_total 3\n"),
            "{testo}"
        );
        assert!(testo.ends_with("# EOF\n"));
        assert_eq!(Formato::accepted("*/*"), Formato::Prometheus);
    }
}
