//! A valid domanda of made-up people, as the fields of the XSD: what `varco sample`, `demo`, `send` and the load tool
//! write as XML.

use super::domanda::{CodiceDichiarazione, Scelta};
use super::pagamento::QualitaIntestatario;
use crate::domanda::campione::{self, Ampiezza, Campo, Persona, Spunto, nato};
use crate::domanda::codice_fiscale::Sesso;
use crate::domanda::{CodiceFiscale, Iban};

// The roles of `Persona::new`: richiedente 0, other parent 1, children from 2 on.
const RICHIEDENTE: u64 = 0;
const ALTRO_GENITORE: u64 = 1;
const PRIMO_FIGLIO: u64 = 2;

/// The other parent's family name is as far as this from the richiedente's.
const ALTRA_FAMIGLIA: u64 = 1009;

/// The Domanda of a sample: it breaks no rule, within the window or (with its warning) outside it. A whole one has two
/// minors, half each to their parents (B); a minimal one has one, all to the richiedente (A), in cash.
#[must_use]
pub fn domanda(spunto: &Spunto<'_>) -> Campo {
    let contatore = spunto.contatore % campione::PERIODO;
    let intera = spunto.ampiezza == Ampiezza::Intera;
    let adulto = |ruolo: u64, famiglia, sesso| {
        let anni = 25 + (contatore + ruolo * 7) % 20;
        let nascita = nato(spunto.presentazione, anni, contatore + ruolo);
        Persona::new(contatore, ruolo, famiglia, nascita, sesso)
    };
    let richiedente = adulto(RICHIEDENTE, 0, Sesso::Femmina);
    let altro_genitore = adulto(ALTRO_GENITORE, ALTRA_FAMIGLIA, Sesso::Maschio).codice_fiscale;

    let mut chiede = Campo::persona(&richiedente);
    chiede.push(Campo::foglia("Ruolo", "GENITORE"));
    chiede.extend(intera.then(|| Campo::contatti(&richiedente, contatore)));
    let figli = (PRIMO_FIGLIO..).take(if intera { 2 } else { 1 }).map(|ruolo| {
        // In one of the sixteen years before that of the presentation: born, and not yet eighteen.
        let anni = 1 + (contatore + ruolo * 3) % 16;
        let sesso = if (contatore + ruolo).is_multiple_of(2) {
            Sesso::Femmina
        } else {
            Sesso::Maschio
        };
        let nascita = nato(spunto.presentazione, anni, contatore / 16 + ruolo * 5);
        let figlio = Persona::new(contatore, ruolo, ALTRA_FAMIGLIA, nascita, sesso);
        scheda(&figlio.codice_fiscale, &altro_genitore, spunto.ampiezza)
    });
    let dichiarazioni = CodiceDichiarazione::TUTTI.iter().map(|codice| {
        let scelta = match codice {
            CodiceDichiarazione::U1 => Some(Scelta::Italiano.as_str()),
            CodiceDichiarazione::U4 => Some(Scelta::Residenza.as_str()),
            _ => None,
        };
        Campo::dichiarazione(codice.as_str(), scelta, spunto.ampiezza)
    });

    let mut campi = Campo::assistenza(spunto);
    campi.extend([
        Campo::Gruppo("Richiedente", chiede),
        Campo::Gruppo("Figli", figli.collect()),
    ]);
    if intera {
        let della_richiedente = conto(
            &campione::iban(contatore),
            QualitaIntestatario::Richiedente,
            &richiedente.codice_fiscale,
        );
        let dell_altro = conto(
            &campione::iban(contatore + campione::PERIODO),
            QualitaIntestatario::AltroGenitore,
            &altro_genitore,
        );
        let iban = || Campo::foglia("Modalita", "IBAN");
        campi.extend([
            Campo::Gruppo(
                "Isee",
                vec![
                    Campo::foglia("Presente", true),
                    Campo::foglia("ProtocolloDSU", protocollo_dsu(spunto)),
                ],
            ),
            Campo::Gruppo("PagamentoRichiedente", vec![iban(), della_richiedente]),
            Campo::Gruppo(
                "PagamentoAltroGenitore",
                vec![
                    Campo::foglia("CodiceFiscale", altro_genitore.as_str()),
                    iban(),
                    dell_altro,
                ],
            ),
        ]);
    } else {
        campi.push(Campo::Gruppo(
            "PagamentoRichiedente",
            vec![Campo::foglia("Modalita", "CONTANTE_POSTE")],
        ));
    }
    campi.push(Campo::Gruppo("Dichiarazioni", dichiarazioni.collect()));
    Campo::Gruppo("Domanda", campi)
}

fn scheda(codice: &CodiceFiscale, altro_genitore: &CodiceFiscale, ampiezza: Ampiezza) -> Campo {
    let intera = ampiezza == Ampiezza::Intera;
    let mut campi = vec![
        Campo::foglia("CodiceFiscale", codice.as_str()),
        Campo::codice_fiscale("AltroGenitore", altro_genitore),
        Campo::foglia("SituazioneGenitori", "CONIUGATI_CONVIVENTI"),
        Campo::foglia("Ripartizione", if intera { "B" } else { "A" }),
        Campo::foglia("Disabilita", "NESSUNA"),
        Campo::foglia("ACarico", true),
    ];
    campi.extend(intera.then(|| {
        Campo::Gruppo(
            "Maggiorazioni",
            vec![Campo::foglia("EntrambiRedditoLavoro", true)],
        )
    }));
    Campo::Gruppo("Figlio", campi)
}

fn conto(iban: &Iban, qualita: QualitaIntestatario, codice: &CodiceFiscale) -> Campo {
    Campo::Gruppo(
        "Conto",
        vec![
            Campo::foglia("Strumento", "CC_BANCARIO"),
            Campo::foglia("Iban", iban.as_str()),
            Campo::Gruppo(
                "Intestatario",
                vec![
                    Campo::foglia("Qualita", qualita.as_str()),
                    Campo::foglia("CodiceFiscale", codice.as_str()),
                ],
            ),
        ],
    )
}

/// `INPS-ISEE-2022-01234567P-00`.
fn protocollo_dsu(spunto: &Spunto<'_>) -> String {
    format!(
        "INPS-ISEE-{:04}-{:08}P-00",
        spunto.presentazione.year(),
        spunto.contatore % 100_000_000
    )
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domanda::campione::Mittente;
    use crate::domanda::{Ambiente, Esame, Istanza, Lettore as _};
    use crate::prestazione::assegno_unico::lettore::LettoreAssegnoUnico;
    use crate::prestazione::prova;

    #[test]
    fn every_sample_passes_every_rule_in_produzione() {
        for presentazione in [
            date(2022, 1, 1),
            date(2022, 6, 30),
            date(2024, 2, 29),
            date(2026, 12, 31),
        ] {
            let contesto = prova::contesto(Ambiente::Produzione, presentazione);
            for passo in 0_u64..200 {
                for (ampiezza, figli) in [(Ampiezza::Intera, 2), (Ampiezza::Minima, 1)] {
                    let spunto = Spunto {
                        contatore: passo * 37_000_003,
                        presentazione,
                        mittente: Mittente {
                            ente: "PAT01",
                            ufficio: "001",
                            user_id: "operatore1",
                        },
                        ampiezza,
                    };
                    let mut lettore = Box::new(LettoreAssegnoUnico::default());
                    domanda(&spunto).racconta(&mut *lettore);
                    let letta = lettore.istanza().and_then(Istanza::domanda).expect("complete");
                    assert_eq!(letta.esamina(&contesto), Esame::default(), "{spunto:?}");
                    let fascicolo = letta.fascicolo(&contesto).unwrap();
                    assert_eq!(fascicolo.schede.len(), figli);
                    assert_eq!(fascicolo.dichiarazioni.len(), 7);
                    let altre_meta = fascicolo
                        .schede
                        .iter()
                        .filter(|scheda| scheda.pagamento_altro_genitore.is_some());
                    assert_eq!(altre_meta.count(), if figli == 2 { 2 } else { 0 });
                }
            }
        }
    }
}
