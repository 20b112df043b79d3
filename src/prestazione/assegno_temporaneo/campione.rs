//! A valid domanda of made-up people, as the fields of the XSD: what `varco sample`, `demo`, `send` and the load tool
//! write as XML.

use super::domanda::{CodiceDichiarazione, Scelta};
use crate::domanda::campione::{self, Ampiezza, Campo, Persona, Spunto, nato};
use crate::domanda::codice_fiscale::Sesso;
use crate::domanda::{CodiceFiscale, Iban};

/// How many children a sample has.
const MINORI: usize = 2;

// The roles of `Persona::new`: richiedente 0, other parent 1, children from 2 on.
const RICHIEDENTE: u64 = 0;
const ALTRO_GENITORE: u64 = 1;
const PRIMO_MINORE: u64 = 2;

/// The other parent's family name is as far as this from the richiedente's.
const ALTRA_FAMIGLIA: u64 = 1009;

/// The Domanda of a sample: it breaks no rule, within the window or (with its warning) outside it.
#[must_use]
pub fn domanda(spunto: &Spunto<'_>) -> Campo {
    let quanti = match spunto.ampiezza {
        Ampiezza::Intera => MINORI,
        Ampiezza::Minima => 1,
    };
    with_minori(spunto, quanti)
}

/// The same with as many children.
fn with_minori(spunto: &Spunto<'_>, quanti: usize) -> Campo {
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
    chiede.extend(intera.then(|| Campo::contatti(&richiedente, contatore)));
    let minori = (PRIMO_MINORE..).take(quanti).map(|ruolo| {
        // In one of the sixteen years before that of the presentation: born, and not yet eighteen.
        let anni = 1 + (contatore + ruolo * 3) % 16;
        let sesso = if (contatore + ruolo).is_multiple_of(2) {
            Sesso::Femmina
        } else {
            Sesso::Maschio
        };
        let nascita = nato(spunto.presentazione, anni, contatore / 16 + ruolo * 5);
        let figlio = Persona::new(contatore, ruolo, ALTRA_FAMIGLIA, nascita, sesso);
        minore(&figlio.codice_fiscale, &altro_genitore)
    });
    let dichiarazioni = CodiceDichiarazione::TUTTI.iter().map(|codice| {
        let scelta = match codice {
            CodiceDichiarazione::D4 => Some(Scelta::Italiano.as_str()),
            CodiceDichiarazione::D7 => Some(Scelta::Residenza.as_str()),
            _ => None,
        };
        Campo::dichiarazione(codice.as_str(), scelta, spunto.ampiezza)
    });

    let mut campi = Campo::assistenza(spunto);
    campi.extend([
        Campo::Gruppo("Richiedente", chiede),
        Campo::foglia("PresentataDa", "GENITORE"),
        Campo::Gruppo("Minori", minori.collect()),
        pagamento(&campione::iban(contatore)),
        Campo::Gruppo("Dichiarazioni", dichiarazioni.collect()),
    ]);
    Campo::Gruppo("Domanda", campi)
}

fn minore(codice: &CodiceFiscale, altro_genitore: &CodiceFiscale) -> Campo {
    Campo::Gruppo(
        "Minore",
        vec![
            Campo::foglia("Qualita", "GENITORE"),
            Campo::foglia("CodiceFiscale", codice.as_str()),
            Campo::foglia("Disabile", false),
            Campo::foglia("AffidoCondiviso", false),
            Campo::codice_fiscale("AltroGenitore", altro_genitore),
            Campo::foglia("Ripartizione", "INTERO_RICHIEDENTE"),
        ],
    )
}

fn pagamento(iban: &Iban) -> Campo {
    Campo::Gruppo(
        "Pagamento",
        vec![
            Campo::foglia("Modalita", "CC"),
            Campo::foglia("Iban", iban.as_str()),
            Campo::foglia("IntestatoRichiedente", true),
        ],
    )
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use jiff::ToSpan;
    use jiff::civil::{Date, date};

    use super::*;
    use crate::domanda::campione::Mittente;
    use crate::domanda::{Ambiente, Domanda, Esame, Istanza, Lettore as _};
    use crate::prestazione::assegno_temporaneo::lettore::LettoreAssegnoTemporaneo;
    use crate::prestazione::prova;

    /// As many children as roles are left for.
    const MINORI_MAX: usize = 4;

    fn spunto(contatore: u64, presentazione: Date) -> Spunto<'static> {
        Spunto {
            contatore,
            presentazione,
            mittente: Mittente {
                ente: "PAT01",
                ufficio: "001",
                user_id: "operatore1",
            },
            ampiezza: Ampiezza::Intera,
        }
    }

    /// The sample, as a message would bring it.
    fn letta(campo: &Campo) -> Box<dyn Domanda> {
        let mut lettore = Box::new(LettoreAssegnoTemporaneo::default());
        campo.racconta(&mut *lettore);
        lettore.istanza().and_then(Istanza::domanda).expect("complete")
    }

    #[test]
    fn every_sample_passes_every_rule_in_produzione() {
        for presentazione in [date(2021, 7, 1), date(2021, 10, 31), date(2021, 12, 31)] {
            let contesto = prova::contesto(Ambiente::Produzione, presentazione);
            for passo in 0_u32..200 {
                let spunto = spunto(u64::from(passo) * 37_000_003, presentazione);
                let quanti = 1 + usize::try_from(passo).unwrap() % MINORI_MAX;
                let domanda = letta(&with_minori(&spunto, quanti));
                assert_eq!(domanda.esamina(&contesto), Esame::default(), "{spunto:?}");
                assert_eq!(domanda.minori().len(), quanti);
                let fascicolo = domanda.fascicolo(&contesto).unwrap();
                assert!(
                    fascicolo
                        .schede
                        .iter()
                        .all(|scheda| scheda.decorrenza_presunta.is_some())
                );
                assert_eq!(fascicolo.dichiarazioni.len(), 8);
            }
        }
    }

    #[test]
    fn no_two_samples_share_a_codice_fiscale_also_of_different_days() {
        let mut visti = HashSet::new();
        for contatore in 0..5_000_u64 {
            let giorno = date(2021, 7, 1).saturating_add(i64::try_from(contatore % 180).unwrap().days());
            let domanda = letta(&with_minori(&spunto(contatore, giorno), MINORI_MAX));
            let fascicolo = domanda
                .fascicolo(&prova::contesto(Ambiente::Sandbox, giorno))
                .unwrap();
            assert!(visti.insert(fascicolo.richiedente.codice_fiscale));
            assert!(visti.insert(fascicolo.schede[0].altro_genitore.clone().unwrap()));
            for scheda in fascicolo.schede {
                assert!(visti.insert(scheda.codice_fiscale), "{contatore}");
            }
        }
        assert_eq!(visti.len(), 30_000);
    }

    #[test]
    fn every_child_has_a_role_of_its_own() {
        let minori = u64::try_from(MINORI_MAX).unwrap();
        assert_eq!(PRIMO_MINORE + minori, campione::RUOLI);
    }

    #[test]
    fn a_counter_always_gives_the_same_sample() {
        let giorno = date(2021, 7, 1);
        assert_eq!(domanda(&spunto(42, giorno)), domanda(&spunto(42, giorno)));
        assert_ne!(domanda(&spunto(42, giorno)), domanda(&spunto(43, giorno)));
    }
}
