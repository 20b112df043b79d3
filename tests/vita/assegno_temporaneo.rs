//! Assegno temporaneo: a separated couple's domanda from its first day to its end.

use varco::prestazione::assegno_temporaneo::PRESTAZIONE;

use crate::Vita;
use crate::helpers::{Archivio, on_both_stores};

on_both_stores! {
    the_life_of_an_assegno_temporaneo,
}

fn the_life_of_an_assegno_temporaneo(archivio: Archivio) {
    let vita = Vita::begin(&PRESTAZIONE, "assegno-temporaneo", archivio);

    // Presented; the engine claims it, and asks for the form of a foreign account.
    vita.sends("2021-07-10", "PAT01", "01-domanda");
    vita.stands("PAT01", &["1 PRESENTATA", "2 PRESENTATA", "3 PRESENTATA"]);
    vita.engine("2021-07-11");
    vita.stands(
        "PAT01",
        &[
            "1 IN_EVIDENZA_CITTADINO ALLEGARE_DOCUMENTI",
            "2 IN_EVIDENZA_CITTADINO ALLEGARE_DOCUMENTI",
            "3 IN_EVIDENZA_CITTADINO ALLEGARE_DOCUMENTI",
        ],
    );

    // The document comes: two sheets are accepted, one is refused. The first waits for the other parent's account.
    vita.sends("2021-07-14", "PAT01", "02-modulo-sepa");
    vita.engine("2021-07-15");
    vita.stands(
        "PAT01",
        &["1 ACCOLTA INTEGRARE_ALTRO_GENITORE", "2 ACCOLTA", "3 RESPINTA"],
    );

    // Another patronato brings it, and from then on sees that sheet and no other. July is paid.
    vita.sends("2021-07-20", "PAT02", "03-secondo-genitore");
    vita.stands("PAT02", &["1 ACCOLTA"]);
    vita.engine("2021-08-02");
    vita.stands("PAT01", &["1 ACCOLTA", "2 ACCOLTA", "3 RESPINTA"]);

    // An account that is nobody's, and the right one.
    vita.sends("2021-08-10", "PAT01", "04-iban-di-nessuno");
    vita.engine("2021-08-11");
    vita.stands(
        "PAT01",
        &[
            "1 ACCOLTA AGGIORNARE_IBAN",
            "2 ACCOLTA AGGIORNARE_IBAN",
            "3 RESPINTA",
        ],
    );
    vita.sends("2021-08-12", "PAT01", "05-iban-giusto");
    vita.engine("2021-08-13");
    vita.stands("PAT01", &["1 ACCOLTA", "2 ACCOLTA", "3 RESPINTA"]);

    // The refusal is looked at again, and reversed. A fourth child is born.
    vita.sends("2021-08-15", "PAT01", "06-riesame");
    vita.engine("2021-08-16");
    vita.stands("PAT01", &["1 ACCOLTA", "2 ACCOLTA", "3 ACCOLTA"]);
    vita.sends("2021-08-25", "PAT01", "07-neonato");
    vita.engine("2021-08-26");
    vita.stands("PAT01", &["1 ACCOLTA", "2 ACCOLTA", "3 ACCOLTA", "4 ACCOLTA"]);

    // The parents change the split; the second child is eighteen.
    vita.sends("2021-09-10", "PAT02", "08-cambio-ripartizione");
    vita.engine("2021-11-21");
    vita.stands("PAT01", &["1 ACCOLTA", "2 DECADUTA", "3 ACCOLTA", "4 ACCOLTA"]);

    // Given up. The feed has told each ente what was its business, in order.
    vita.sends("2021-12-01", "PAT01", "09-rinuncia");
    vita.stands(
        "PAT01",
        &["1 RINUNCIATA", "2 DECADUTA", "3 RINUNCIATA", "4 RINUNCIATA"],
    );
    vita.fed("PAT01", "variazioni-PAT01.txt");
    vita.fed("PAT02", "variazioni-PAT02.txt");
}
