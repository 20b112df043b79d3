//! Assegno unico: a separated couple's domanda from its first day to its end.

use varco::prestazione::assegno_unico::PRESTAZIONE;

use crate::Vita;
use crate::helpers::{Archivio, on_both_stores};

on_both_stores! {
    the_life_of_an_assegno_unico,
}

fn the_life_of_an_assegno_unico(archivio: Archivio) {
    let vita = Vita::begin(&PRESTAZIONE, "assegno-unico", archivio);

    // Presented; the engine claims it, and asks for the form of a foreign account.
    vita.sends("2022-03-10", "PAT01", "01-domanda");
    vita.stands(
        "PAT01",
        &["1 PRESENTATA", "2 PRESENTATA", "3 PRESENTATA", "4 PRESENTATA"],
    );
    vita.engine("2022-03-11");
    vita.stands(
        "PAT01",
        &[
            "1 IN_EVIDENZA_CITTADINO ALLEGARE_DOCUMENTI",
            "2 IN_EVIDENZA_CITTADINO ALLEGARE_DOCUMENTI",
            "3 IN_EVIDENZA_CITTADINO ALLEGARE_DOCUMENTI",
            "4 IN_EVIDENZA_CITTADINO ALLEGARE_DOCUMENTI",
        ],
    );

    // The document comes: three sheets are accepted, one is refused. The first waits for the other parent's account.
    vita.sends("2022-03-14", "PAT01", "02-modulo-sepa");
    vita.engine("2022-03-15");
    vita.stands(
        "PAT01",
        &[
            "1 ACCOLTA INTEGRARE_ALTRO_GENITORE",
            "2 ACCOLTA",
            "3 ACCOLTA",
            "4 RESPINTA",
        ],
    );

    // Another patronato brings it, and from then on sees that sheet and no other. March is paid.
    vita.sends("2022-03-20", "PAT02", "03-secondo-genitore");
    vita.stands("PAT02", &["1 ACCOLTA"]);
    vita.engine("2022-04-02");
    vita.stands("PAT01", &["1 ACCOLTA", "2 ACCOLTA", "3 ACCOLTA", "4 RESPINTA"]);

    // An account that is nobody's, and the right one.
    vita.sends("2022-04-10", "PAT01", "04-iban-di-nessuno");
    vita.engine("2022-04-11");
    vita.stands(
        "PAT01",
        &[
            "1 ACCOLTA AGGIORNARE_IBAN",
            "2 ACCOLTA AGGIORNARE_IBAN",
            "3 ACCOLTA AGGIORNARE_IBAN",
            "4 RESPINTA",
        ],
    );
    vita.sends("2022-04-12", "PAT01", "05-iban-giusto");
    vita.engine("2022-04-13");
    vita.stands("PAT01", &["1 ACCOLTA", "2 ACCOLTA", "3 ACCOLTA", "4 RESPINTA"]);

    // The refusal is looked at again, and reversed.
    vita.sends("2022-04-15", "PAT01", "06-riesame");
    vita.engine("2022-04-16");
    vita.stands("PAT01", &["1 ACCOLTA", "2 ACCOLTA", "3 ACCOLTA", "4 ACCOLTA"]);

    // The second child is eighteen, and asks for itself; a fifth is born.
    vita.sends("2022-05-10", "PAT02", "07-figlio-maggiorenne");
    vita.sends("2022-05-20", "PAT01", "08-neonato");
    vita.engine("2022-05-21");
    vita.stands(
        "PAT01",
        &["1 ACCOLTA", "2 SOSTITUITA", "3 ACCOLTA", "4 ACCOLTA", "5 ACCOLTA"],
    );

    // The parents change the split; the third child is twenty-one.
    vita.sends("2022-06-10", "PAT02", "09-cambio-ripartizione");
    vita.engine("2022-09-06");
    vita.stands(
        "PAT01",
        &[
            "1 ACCOLTA",
            "2 SOSTITUITA",
            "3 DECADUTA",
            "4 ACCOLTA",
            "5 ACCOLTA",
        ],
    );

    // Given up. The feed has told each ente what was its business, in order.
    vita.sends("2022-10-01", "PAT01", "10-rinuncia");
    vita.stands(
        "PAT01",
        &[
            "1 RINUNCIATA",
            "2 SOSTITUITA",
            "3 DECADUTA",
            "4 RINUNCIATA",
            "5 RINUNCIATA",
        ],
    );
    vita.fed("PAT01", "variazioni-PAT01.txt");
    vita.fed("PAT02", "variazioni-PAT02.txt");
}
