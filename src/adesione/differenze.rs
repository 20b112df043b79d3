//! What changes between two adesioni of an ente, in words; and between two texts of the file, line by line.

use super::{CertificatoEnte, Ente, PortaEnte, Riconoscimento, StatoEnte};

/// What is told of an ente, by key of the file.
type Voci = Vec<(&'static str, Vec<String>)>;

/// The changes, one sentence each: `+ uffici: 004`. None = nothing changes.
#[must_use]
pub fn differenze(prima: Option<&Ente>, dopo: &Ente) -> Vec<String> {
    let vuote = Vec::new();
    let prima = prima.map(voci).unwrap_or_default();
    let mut righe = Vec::new();
    for (chiave, nuovi) in voci(dopo) {
        let vecchi = prima
            .iter()
            .find(|(nome, _)| *nome == chiave)
            .map_or(&vuote, |(_, valori)| valori);
        let tolti = vecchi.iter().filter(|valore| !nuovi.contains(valore));
        righe.extend(tolti.map(|valore| format!("- {chiave}: {valore}")));
        let messi = nuovi.iter().filter(|valore| !vecchi.contains(valore));
        righe.extend(messi.map(|valore| format!("+ {chiave}: {valore}")));
    }
    righe
}

fn voci(ente: &Ente) -> Voci {
    let stato = match ente.stato {
        StatoEnte::Attivo => "attivo",
        StatoEnte::Sospeso => "sospeso",
    };
    let indirizzi = if ente.indirizzi.is_empty() {
        vec!["da ovunque".to_owned()]
    } else {
        ente.indirizzi.iter().map(ToString::to_string).collect()
    };
    let servizi = ente
        .servizi
        .iter()
        .flat_map(|(servizio, operazioni)| {
            operazioni
                .iter()
                .map(move |operazione| format!("{servizio} {operazione}"))
        })
        .collect();
    let quota = ente
        .quota_al_minuto
        .map_or_else(|| "nessuna".to_owned(), |quota| quota.to_string());
    let identity = match ente.identity_strict {
        None => "come per tutti",
        Some(true) => "solo la forma pubblicata",
        Some(false) => "tutte le forme note",
    };
    vec![
        ("codice", vec![ente.codice.to_string()]),
        ("denominazione", vec![ente.denominazione.clone()]),
        ("codice_fiscale", vec![ente.codice_fiscale.clone()]),
        ("stato", vec![stato.to_owned()]),
        ("certificati", ente.certificati.iter().map(certificato).collect()),
        ("uffici", ente.uffici.iter().map(ToString::to_string).collect()),
        ("indirizzi", indirizzi),
        ("servizi", servizi),
        ("quota_al_minuto", vec![quota]),
        ("identity_strict", vec![identity.to_owned()]),
        ("pdd", ente.pdd.iter().map(porta).collect()),
    ]
}

fn certificato(voce: &CertificatoEnte) -> String {
    let nome = match &voce.riconoscimento {
        Riconoscimento::Sha256(sha256) => format!("sha256 {sha256}"),
        Riconoscimento::EmittenteSeriale { emittente, seriale } => {
            format!("emittente {emittente} seriale {seriale}")
        }
    };
    match voce.scadenza {
        Some(scadenza) => format!("{nome}, scade il {scadenza:.0}"),
        None => nome,
    }
}

/// A porta; who operates is told by his ufficio alone.
fn porta(porta: &PortaEnte) -> String {
    let codice = porta.porta.as_deref().unwrap_or("qualunque");
    let operatore = match &porta.operatore {
        Some((_, ufficio)) => format!("operatore dell'ufficio {ufficio}"),
        None => "Identity obbligatoria".to_owned(),
    };
    format!(
        "{} {}, porta {codice}, regole {}, {operatore}",
        porta.parte.tipo,
        porta.parte.nome,
        porta.regole.as_str()
    )
}

/// The lines that differ, with a few of those around them, as `diff -u` writes them. The file of the adesioni changes in
/// one place at a time: what is common before it and behind it is left out.
#[must_use]
pub fn righe(prima: &str, dopo: &str) -> String {
    const INTORNO: usize = 3;
    let (a, b): (Vec<&str>, Vec<&str>) = (prima.lines().collect(), dopo.lines().collect());
    let testa = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let resto = a.len().min(b.len()) - testa;
    let coda = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take(resto)
        .take_while(|(a, b)| a == b)
        .count();
    if testa == a.len() && testa == b.len() {
        return String::new();
    }
    let da = testa.saturating_sub(INTORNO);
    let (fine_a, fine_b) = (a.len() - coda, b.len() - coda);
    let dietro = coda.min(INTORNO);
    let mut testo = format!(
        "@@ -{},{} +{},{} @@\n",
        da + 1,
        fine_a + dietro - da,
        da + 1,
        fine_b + dietro - da
    );
    let mut put = |segno: char, righe: &[&str]| {
        for riga in righe {
            testo.push(segno);
            testo.push_str(riga);
            testo.push('\n');
        }
    };
    put(' ', &a[da..testa]);
    put('-', &a[testa..fine_a]);
    put('+', &b[testa..fine_b]);
    put(' ', &a[fine_a..fine_a + dietro]);
    testo
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_shown_with_three_lines_around() {
        let prima = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let dopo = "1\n2\n3\n4\nnuova\n6\n7\n8\n9\n";
        assert_eq!(
            righe(prima, dopo),
            "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+nuova\n 6\n 7\n 8\n"
        );
        assert_eq!(righe(prima, prima), "");
        assert_eq!(righe("", "a\n"), "@@ -1,0 +1,1 @@\n+a\n");
        // A line that is the same before and behind is not counted twice.
        assert_eq!(righe("x\n", "x\nx\n"), "@@ -1,1 +1,2 @@\n x\n+x\n");
    }
}
