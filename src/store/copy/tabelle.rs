//! What both kinds of store hold, table by table: from which rows of the embedded store each row of PostgreSQL is made.
//! Reading, writing and comparing go by this one description; a table or column that a migration adds is a line here,
//! and a copy refuses stores that hold what it does not name (`copy::gaps`).

use std::collections::{BTreeMap, BTreeSet};

use super::valore::{Tipo, Valore};
use Tipo::{Booleano, Byte, Data, Intero, Istante, Json, Testo, Uuid as Id};

/// One table of PostgreSQL and the rows of the embedded store that it is made of.
pub(in crate::store) struct Tabella {
    /// The table of PostgreSQL.
    pub(in crate::store) nome: &'static str,
    /// The table of the embedded store, `t` in what follows.
    pub(in crate::store) da: &'static str,
    /// What is joined to it, and which of its rows are meant.
    pub(in crate::store) unione: &'static str,
    /// Which of its rows are meant; empty = all.
    pub(in crate::store) dove: &'static str,
    /// The columns of `t` in whose order its rows are walked: a key that has its index.
    pub(in crate::store) cammino: &'static [(&'static str, Tipo)],
    /// The columns by which PostgreSQL finds a row: its primary key.
    pub(in crate::store) chiave: &'static [&'static str],
    /// The column by whose year PostgreSQL parts its rows.
    pub(in crate::store) partizione: Option<&'static str>,
    pub(in crate::store) colonne: &'static [Colonna],
    /// The columns of `t` that stay behind.
    pub(in crate::store) omesse: &'static [&'static str],
    /// A fresh database holds rows of it already, which these take the place of; others stay.
    pub(in crate::store) predisposta: bool,
    /// Its rows never change: they can be compared even after a gateway went on with the database.
    pub(in crate::store) immutabile: bool,
}

/// One column.
pub(in crate::store) struct Colonna {
    pub(in crate::store) nome: &'static str,
    pub(in crate::store) tipo: Tipo,
    /// What it is made of in the embedded store; `None` = the column of the same name.
    pub(in crate::store) da: Option<&'static str>,
}

/// One row, made for PostgreSQL.
pub(in crate::store) struct Riga {
    /// Where it stands on the way of its table.
    pub(in crate::store) passo: Vec<Valore>,
    /// Its columns, as the table names them.
    pub(in crate::store) valori: Vec<Valore>,
}

const fn col(nome: &'static str, tipo: Tipo) -> Colonna {
    Colonna { nome, tipo, da: None }
}

/// A column that the embedded store has elsewhere.
const fn made(nome: &'static str, tipo: Tipo, da: &'static str) -> Colonna {
    Colonna {
        nome,
        tipo,
        da: Some(da),
    }
}

const TABELLA: Tabella = Tabella {
    nome: "",
    da: "",
    unione: "",
    dove: "",
    cammino: &[("id", Intero)],
    chiave: &["id"],
    partizione: None,
    colonne: &[],
    omesse: &[],
    predisposta: false,
    immutabile: false,
};

/// The live sheet's claim: the states of AT-6. (`+`: not by the index of live sheets, whose order is another.)
pub(in crate::store) const VIVE: &str = "+t.stato IN ('PRESENTATA', 'IN_ISTRUTTORIA', 'IN_EVIDENZA_CITTADINO', 'IN_EVIDENZA_SEDE', \
                    'SOSPESA', 'ACCOLTA')";

/// Every table, each after those that it refers to.
pub(in crate::store) const TABELLE: &[Tabella] = &[
    Tabella {
        nome: "impostazioni",
        da: "impostazioni",
        // Each store has these of its own.
        dove: "t.nome NOT IN ('ambiente', 'creato_il', 'trasferimento', 'trasferito_a', 'trasferito_il')",
        cammino: &[("nome", Testo)],
        chiave: &["nome"],
        colonne: &[col("nome", Testo), col("valore", Testo)],
        predisposta: true,
        ..TABELLA
    },
    // Who may look; who is signed in signs in again.
    Tabella {
        nome: "operatori",
        da: "operatori",
        colonne: &[
            col("id", Intero),
            col("nome", Testo),
            col("ruolo", Testo),
            col("password", Testo),
            col("certificato_sha256", Testo),
            col("creato_il", Istante),
            col("disabilitato_il", Istante),
        ],
        ..TABELLA
    },
    Tabella {
        nome: "manutenzioni",
        da: "manutenzioni",
        colonne: &[
            col("id", Intero),
            col("istante", Istante),
            col("operatore", Testo),
            col("messaggio", Testo),
            col("fino_a", Istante),
        ],
        immutabile: true,
        ..TABELLA
    },
    Tabella {
        nome: "sessioni",
        da: "sessioni",
        dove: "1 = 0",
        cammino: &[("impronta", Byte)],
        chiave: &["impronta"],
        colonne: &[
            col("impronta", Byte),
            col("operatore", Intero),
            col("creata_il", Istante),
            col("vista_il", Istante),
        ],
        ..TABELLA
    },
    Tabella {
        nome: "registro",
        da: "registro",
        cammino: &[("registro", Testo)],
        chiave: &["registro"],
        colonne: &[
            col("registro", Testo),
            col("anno", Intero),
            col("ultimo", Intero),
            col("ultimo_istante", Istante),
            col("chiuso_fino_a", Istante),
            col("emergenza", Intero),
        ],
        ..TABELLA
    },
    Tabella {
        nome: "contatori",
        da: "contatori",
        cammino: &[("nome", Testo)],
        chiave: &["nome"],
        colonne: &[col("nome", Testo), col("ultimo", Intero)],
        predisposta: true,
        ..TABELLA
    },
    // The feed's cursor: SQLite counts it by itself.
    Tabella {
        nome: "contatori",
        da: "sqlite_sequence",
        dove: "t.name = 'variazioni'",
        cammino: &[("name", Testo)],
        chiave: &["nome"],
        colonne: &[
            made("nome", Testo, "'variazione'"),
            made("ultimo", Intero, "t.seq"),
        ],
        predisposta: true,
        ..TABELLA
    },
    Tabella {
        nome: "chiavi",
        da: "registrazioni",
        chiave: &["chiave_invio", "ente", "servizio"],
        colonne: &[
            col("ente", Testo),
            col("servizio", Testo),
            col("chiave_invio", Testo),
            col("id", Intero),
        ],
        immutabile: true,
        ..TABELLA
    },
    // The keys of lots, which no registration has: the embedded store finds them among the lots themselves.
    Tabella {
        nome: "chiavi",
        da: "lotti",
        cammino: &[("numero", Intero)],
        chiave: &["chiave_invio", "ente", "servizio"],
        colonne: &[
            col("ente", Testo),
            col("servizio", Testo),
            col("chiave_invio", Testo),
            made("id", Intero, "0"),
        ],
        immutabile: true,
        ..TABELLA
    },
    Tabella {
        nome: "registrazioni",
        da: "registrazioni",
        chiave: &["id", "anno"],
        partizione: Some("anno"),
        colonne: &[
            col("id", Intero),
            col("registro", Testo),
            col("anno", Intero),
            col("numero", Intero),
            col("protocollo", Testo),
            col("registrata_il", Istante),
            col("presentata_il", Istante),
            col("oggetto", Testo),
            col("servizio", Testo),
            col("operazione", Testo),
            col("ente", Testo),
            col("ente_denominazione", Testo),
            col("codice_ufficio", Testo),
            col("user_id", Testo),
            col("richiedente", Testo),
            col("destinatario", Testo),
            col("chiave_invio", Testo),
            col("data_pratica", Data),
            col("numero_domanda", Intero),
            col("collegato_a", Intero),
            col("digest", Byte),
            col("digest_versione", Intero),
            col("impronta", Byte),
            col("impronta_algoritmo", Testo),
            col("canale", Testo),
            col("message_id", Id),
            col("certificato_sha256", Testo),
            col("ricevuta_sha256", Byte),
            col("richiesta_sha256", Byte),
        ],
        immutabile: true,
        ..TABELLA
    },
    Tabella {
        nome: "scarti",
        da: "scarti",
        cammino: &[("registrazione", Intero)],
        chiave: &["registrazione"],
        colonne: &[
            col("registrazione", Intero),
            col("scartata_il", Istante),
            col("motivo", Testo),
        ],
        immutabile: true,
        ..TABELLA
    },
    Tabella {
        nome: "registri_giornalieri",
        da: "registri_giornalieri",
        cammino: &[("registro", Testo), ("giorno", Testo)],
        chiave: &["registro", "giorno"],
        colonne: &[
            col("registro", Testo),
            col("giorno", Data),
            col("composto_il", Istante),
            col("fino_anno", Intero),
            col("fino_numero", Intero),
            col("precedente", Byte),
            col("sha256", Byte),
            col("bytes_len", Intero),
            col("codec", Testo),
            col("chiave_id", Testo),
            col("bytes", Byte),
        ],
        immutabile: true,
        ..TABELLA
    },
    Tabella {
        nome: "emergenze",
        da: "emergenze",
        colonne: &[
            col("id", Intero),
            col("registro", Testo),
            col("aperta_il", Istante),
            col("causa", Testo),
            col("operatore", Testo),
            col("provvedimento_numero", Testo),
            col("provvedimento_data", Data),
            col("chiusa_il", Istante),
            col("chiusa_da", Testo),
        ],
        ..TABELLA
    },
    Tabella {
        nome: "proroghe",
        da: "proroghe",
        colonne: &[
            col("id", Intero),
            col("emergenza", Intero),
            col("dal", Istante),
            col("al", Istante),
            col("concessa_il", Istante),
            col("operatore", Testo),
            col("provvedimento_numero", Testo),
            col("provvedimento_data", Data),
        ],
        immutabile: true,
        ..TABELLA
    },
    Tabella {
        nome: "emergenza_registrazioni",
        da: "emergenza_registrazioni",
        cammino: &[("registro", Testo), ("numero", Intero)],
        chiave: &["registro", "numero"],
        colonne: &[
            col("registro", Testo),
            col("numero", Intero),
            col("emergenza", Intero),
            col("istante", Istante),
            col("registrazione", Intero),
        ],
        immutabile: true,
        ..TABELLA
    },
    Tabella {
        nome: "annullamenti",
        da: "annullamenti",
        colonne: &[
            col("id", Intero),
            col("registrazione", Intero),
            col("campo", Testo),
            col("annullata_il", Istante),
            col("operatore", Testo),
            col("motivo", Testo),
            col("provvedimento_numero", Testo),
            col("provvedimento_data", Data),
        ],
        immutabile: true,
        ..TABELLA
    },
    Tabella {
        nome: "lacune",
        da: "lacune",
        colonne: &[
            col("id", Intero),
            col("registro", Testo),
            col("anno", Intero),
            col("da", Intero),
            col("a", Intero),
            col("domanda_da", Intero),
            col("domanda_a", Intero),
            col("dichiarata_il", Istante),
            col("operatore", Testo),
            col("motivo", Testo),
            col("provvedimento_numero", Testo),
            col("provvedimento_data", Data),
        ],
        immutabile: true,
        ..TABELLA
    },
    Tabella {
        nome: "recuperi",
        da: "recuperi",
        colonne: &[
            col("id", Intero),
            col("registro", Testo),
            col("anno", Intero),
            col("da", Intero),
            col("a", Intero),
            col("quante", Intero),
            col("archivio", Testo),
            col("recuperate_il", Istante),
            col("operatore", Testo),
            col("motivo", Testo),
            col("provvedimento_numero", Testo),
            col("provvedimento_data", Data),
        ],
        immutabile: true,
        ..TABELLA
    },
    Tabella {
        nome: "assegnazioni",
        da: "assegnazioni",
        colonne: &[
            col("id", Intero),
            col("registrazione", Intero),
            col("dal", Istante),
            col("operatore", Testo),
            col("classifica", Testo),
            col("assegnazione", Testo),
        ],
        ..TABELLA
    },
    Tabella {
        nome: "domande",
        da: "domande",
        unione: "CROSS JOIN registrazioni r ON r.id = t.registrazione",
        cammino: &[("numero", Intero)],
        chiave: &["numero"],
        colonne: &[
            col("numero", Intero),
            col("registrazione", Intero),
            made("anno", Intero, "r.anno"),
            col("servizio", Testo),
            col("ente", Testo),
            col("richiedente", Testo),
            col("richiedente_nome", Testo),
            col("richiedente_cognome", Testo),
            col("richiedente_email", Testo),
            col("richiedente_cellulare", Testo),
            col("richiedente_indirizzo", Testo),
            col("presentata_da", Testo),
            col("genitore_tutelato", Testo),
            col("mandato_numero", Testo),
            col("mandato_data", Data),
            col("modalita", Testo),
            col("iban", Testo),
            col("intestato_richiedente", Booleano),
            col("dichiarazioni", Json),
            col("dettagli", Json),
            col("versione", Intero),
            col("lavorata", Intero),
        ],
        ..TABELLA
    },
    Tabella {
        nome: "schede",
        da: "schede",
        cammino: &[("numero_domanda", Intero), ("posto", Intero)],
        chiave: &["numero_domanda", "posto"],
        colonne: &[
            col("numero_domanda", Intero),
            col("posto", Intero),
            col("registrazione", Intero),
            col("servizio", Testo),
            col("codice_fiscale", Testo),
            col("data_nascita", Data),
            col("qualita", Testo),
            col("disabile", Booleano),
            col("affido_condiviso", Booleano),
            col("altro_genitore", Testo),
            col("altro_genitore_assente", Testo),
            col("ripartizione", Testo),
            col("decorrenza_presunta", Testo),
            col("stato", Testo),
            col("stato_dal", Istante),
            col("azione_richiesta", Testo),
            col("altro_genitore_modalita", Testo),
            col("altro_genitore_iban", Testo),
            col("altro_genitore_dal", Testo),
            col("altro_genitore_dopo", Intero),
            col("subentra", Booleano),
            col("dettagli", Json),
            col("azione_motivo", Testo),
        ],
        ..TABELLA
    },
    Tabella {
        nome: "deleghe",
        da: "deleghe",
        unione: "CROSS JOIN registrazioni r ON r.id = t.registrazione",
        cammino: &[("numero_domanda", Intero), ("posto", Intero), ("ente", Testo)],
        chiave: &["numero_domanda", "posto", "ente"],
        colonne: &[
            col("ente", Testo),
            col("servizio", Testo),
            col("numero_domanda", Intero),
            col("posto", Intero),
            col("registrazione", Intero),
            made("anno", Intero, "r.anno"),
            col("dal", Istante),
        ],
        immutabile: true,
        ..TABELLA
    },
    Tabella {
        nome: "elenco",
        da: "elenco",
        unione: "CROSS JOIN registrazioni r ON r.id = t.registrazione",
        cammino: &[("numero_domanda", Intero), ("posto", Intero), ("ente", Testo)],
        chiave: &["numero_domanda", "posto", "ente"],
        colonne: &[
            col("ente", Testo),
            col("servizio", Testo),
            col("presentata_il", Istante),
            col("numero_domanda", Intero),
            col("posto", Intero),
            col("registrazione", Intero),
            made("anno", Intero, "r.anno"),
            col("codice_ufficio", Testo),
            col("richiedente", Testo),
            col("codice_fiscale", Testo),
            col("stato", Testo),
            col("azione_richiesta", Testo),
        ],
        ..TABELLA
    },
    Tabella {
        nome: "schede_vive",
        da: "schede",
        dove: VIVE,
        cammino: &[("numero_domanda", Intero), ("posto", Intero)],
        chiave: &["servizio", "codice_fiscale"],
        colonne: &[
            col("servizio", Testo),
            col("codice_fiscale", Testo),
            col("registrazione", Intero),
        ],
        ..TABELLA
    },
    Tabella {
        nome: "ricevute",
        da: "ricevute",
        unione: "CROSS JOIN registrazioni r ON r.id = t.registrazione",
        cammino: &[("registrazione", Intero)],
        chiave: &["numero_domanda", "registrazione", "anno"],
        partizione: Some("anno"),
        colonne: &[
            made("numero_domanda", Intero, "r.numero_domanda"),
            col("registrazione", Intero),
            made("anno", Intero, "r.anno"),
            col("formato", Testo),
            col("bytes_len", Intero),
            col("codec", Testo),
            col("chiave_id", Testo),
            col("bytes", Byte),
        ],
        immutabile: true,
        ..TABELLA
    },
    Tabella {
        nome: "payload",
        da: "payload",
        unione: "CROSS JOIN registrazioni r ON r.id = t.registrazione",
        cammino: &[("registrazione", Intero)],
        chiave: &["numero_domanda", "registrazione", "anno"],
        partizione: Some("anno"),
        colonne: &[
            made("numero_domanda", Intero, "r.numero_domanda"),
            col("registrazione", Intero),
            made("anno", Intero, "r.anno"),
            col("bytes_len", Intero),
            col("domanda_da", Intero),
            col("domanda_a", Intero),
            col("codec", Testo),
            col("chiave_id", Testo),
            col("bytes", Byte),
        ],
        ..TABELLA
    },
    Tabella {
        nome: "carte",
        da: "carte",
        unione: "CROSS JOIN registrazioni r ON r.id = t.registrazione",
        cammino: &[
            ("registrazione", Intero),
            ("documento", Testo),
            ("formato", Testo),
        ],
        chiave: &["numero_domanda", "registrazione", "documento", "formato"],
        colonne: &[
            made("numero_domanda", Intero, "r.numero_domanda"),
            col("registrazione", Intero),
            made("anno", Intero, "r.anno"),
            col("documento", Testo),
            col("formato", Testo),
            col("impaginazione", Intero),
            col("composta_il", Istante),
            col("impronta", Byte),
            col("bytes_len", Intero),
            col("codec", Testo),
            col("chiave_id", Testo),
            col("bytes", Byte),
        ],
        ..TABELLA
    },
    Tabella {
        nome: "allegati",
        da: "allegati",
        unione: "CROSS JOIN registrazioni r ON r.id = t.registrazione",
        cammino: &[("registrazione", Intero), ("posto", Intero)],
        chiave: &["numero_domanda", "registrazione", "posto"],
        colonne: &[
            made("numero_domanda", Intero, "r.numero_domanda"),
            col("registrazione", Intero),
            col("posto", Intero),
            col("tipo", Testo),
            col("nome_file", Testo),
            col("tipo_mime", Testo),
            col("impronta", Byte),
            col("bytes_len", Intero),
            col("schede", Json),
        ],
        ..TABELLA
    },
    Tabella {
        nome: "mosse_riesame",
        da: "mosse_riesame",
        cammino: &[("da", Testo), ("a", Testo)],
        chiave: &["da", "a"],
        colonne: &[col("da", Testo), col("a", Testo)],
        predisposta: true,
        ..TABELLA
    },
    Tabella {
        nome: "riesami",
        da: "riesami",
        cammino: &[("registrazione", Intero), ("posto", Intero)],
        chiave: &["numero_domanda", "registrazione", "posto"],
        colonne: &[
            col("numero_domanda", Intero),
            col("registrazione", Intero),
            col("posto", Intero),
            col("motivo", Testo),
            col("motivazione", Testo),
            col("stato", Testo),
            col("stato_dal", Istante),
            col("esito_motivo", Testo),
        ],
        ..TABELLA
    },
    Tabella {
        nome: "documenti",
        da: "documenti",
        unione: "CROSS JOIN registrazioni r ON r.id = t.registrazione",
        cammino: &[("registrazione", Intero), ("posto", Intero)],
        chiave: &["numero_domanda", "registrazione", "posto"],
        colonne: &[
            made("numero_domanda", Intero, "r.numero_domanda"),
            col("registrazione", Intero),
            col("posto", Intero),
            col("codec", Testo),
            col("chiave_id", Testo),
            col("bytes", Byte),
        ],
        ..TABELLA
    },
    Tabella {
        nome: "atti",
        da: "atti",
        unione: "CROSS JOIN registrazioni r ON r.id = t.registrazione",
        cammino: &[("registrazione", Intero)],
        chiave: &["registrazione"],
        colonne: &[
            col("registrazione", Intero),
            made("anno", Intero, "r.anno"),
            col("numero_domanda", Intero),
            col("operazione", Testo),
            col("mandato_numero", Testo),
            col("mandato_data", Data),
            col("dettagli", Json),
        ],
        immutabile: true,
        ..TABELLA
    },
    Tabella {
        nome: "mosse",
        da: "mosse",
        cammino: &[("da", Testo), ("a", Testo)],
        chiave: &["da", "a"],
        colonne: &[col("da", Testo), col("a", Testo), col("chi", Testo)],
        predisposta: true,
        ..TABELLA
    },
    Tabella {
        nome: "prese",
        da: "prese",
        colonne: &[
            col("id", Intero),
            col("numero_domanda", Intero),
            col("motore", Testo),
            col("gettone", Testo),
            col("presa_il", Istante),
            col("durata_s", Intero),
            col("fino_a", Istante),
            col("lasciata_il", Istante),
        ],
        ..TABELLA
    },
    Tabella {
        nome: "decisioni",
        da: "decisioni",
        colonne: &[
            col("id", Intero),
            col("tipo", Testo),
            col("numero_domanda", Intero),
            col("posto", Intero),
            col("motore", Testo),
            col("gettone", Testo),
            col("versione", Intero),
            col("istante", Istante),
            col("scritta_il", Istante),
            col("da", Testo),
            col("a", Testo),
            col("azione_richiesta", Testo),
            col("azione_motivo", Testo),
            col("motivo", Testo),
        ],
        immutabile: true,
        ..TABELLA
    },
    Tabella {
        nome: "pagamenti",
        da: "pagamenti",
        cammino: &[("decisione", Intero)],
        chiave: &["decisione"],
        colonne: &[
            col("decisione", Intero),
            col("numero_domanda", Intero),
            col("posto", Intero),
            col("mese", Testo),
            col("beneficiario", Testo),
            col("tipo", Testo),
            col("importo_cent", Intero),
            col("motivo", Testo),
            col("istante", Istante),
        ],
        immutabile: true,
        ..TABELLA
    },
    Tabella {
        nome: "rinnovi",
        da: "rinnovi",
        cammino: &[("decisione", Intero)],
        chiave: &["decisione"],
        colonne: &[
            col("decisione", Intero),
            col("numero_domanda", Intero),
            col("posto", Intero),
            col("anno", Intero),
            col("istante", Istante),
        ],
        immutabile: true,
        ..TABELLA
    },
    Tabella {
        nome: "variazioni",
        da: "variazioni",
        cammino: &[("cursore", Intero)],
        chiave: &["cursore", "istante"],
        partizione: Some("istante"),
        colonne: &[
            col("cursore", Intero),
            col("istante", Istante),
            col("tipo", Testo),
            col("ente", Testo),
            col("servizio", Testo),
            col("numero_domanda", Intero),
            col("posto", Intero),
            col("registrazione", Intero),
            col("presentata_il", Istante),
            col("registrata_il", Istante),
            col("stato", Testo),
            col("azione_richiesta", Testo),
            col("motivo", Testo),
            col("beneficiario", Testo),
        ],
        ..TABELLA
    },
    Tabella {
        nome: "variazioni_scartate",
        da: "variazioni_scartate",
        cammino: &[("ente", Testo), ("servizio", Testo)],
        chiave: &["ente", "servizio"],
        colonne: &[
            col("ente", Testo),
            col("servizio", Testo),
            col("cursore", Intero),
            col("istante", Istante),
        ],
        ..TABELLA
    },
    Tabella {
        nome: "pulizie",
        da: "pulizie",
        colonne: &[
            col("id", Intero),
            col("regola", Testo),
            col("da", Istante),
            col("fino_a", Istante),
            // Where a purge stands is told in another way over there: it looks again from its beginning.
            made("passo", Intero, "0"),
            col("iniziata_il", Istante),
            col("conclusa_il", Istante),
            col("righe", Intero),
            col("byte", Intero),
            col("arrivata_a", Istante),
            col("fermata_da", Intero),
            made("posto", Intero, DA_FILE_PULIZIE),
        ],
        omesse: &["passo", "posto"],
        ..TABELLA
    },
    Tabella {
        nome: "vincoli",
        da: "vincoli",
        colonne: &[
            col("id", Intero),
            col("numero_domanda", Intero),
            col("posto_il", Istante),
            col("operatore", Testo),
            col("motivo", Testo),
            col("tolto_il", Istante),
            col("tolto_da", Testo),
            col("tolto_motivo", Testo),
        ],
        ..TABELLA
    },
    Tabella {
        nome: "spazio",
        da: "spazio",
        cammino: &[("ora", Intero)],
        chiave: &["ora"],
        colonne: &[
            col("ora", Istante),
            col("occupati", Intero),
            // Room over there is another matter.
            made("liberi", Intero, "NULL"),
        ],
        omesse: &["liberi"],
        ..TABELLA
    },
    Tabella {
        nome: "tracce",
        da: "tracce",
        chiave: &["message_id", "ricevuto_il"],
        partizione: Some("ricevuto_il"),
        colonne: &[
            col("message_id", Id),
            col("ricevuto_il", Istante),
            col("canale", Testo),
            col("indirizzo", Testo),
            col("certificato_soggetto", Testo),
            col("certificato_seriale", Testo),
            col("tls", Testo),
            col("ente", Testo),
            col("user_id", Testo),
            col("codice_ufficio", Testo),
            col("identity_forma", Testo),
            col("uri", Testo),
            col("servizio", Testo),
            col("operazione", Testo),
            col("id_mittente", Testo),
            col("id_transazione", Testo),
            col("chiave_invio", Testo),
            col("digest", Testo),
            col("impronta", Testo),
            col("richiesta_len", Intero),
            col("risposta_len", Intero),
            col("http_status", Intero),
            col("esito", Testo),
            col("codice", Testo),
            col("codici", Json),
            col("protocollo", Testo),
            col("numero_domanda", Intero),
            col("tempi_us", Json),
            col("note", Json),
            col("chiave_id", Testo),
            col("richiesta_codec", Testo),
            col("richiesta_bytes_len", Intero),
            col("richiesta", Byte),
            col("risposta_codec", Testo),
            col("risposta_bytes_len", Intero),
            col("risposta", Byte),
            // Where it stands in the chain: before all that the database will write, in the order of the file.
            made("transazione", Intero, DA_FILE),
        ],
        omesse: &["id"],
        ..TABELLA
    },
    Tabella {
        nome: "sigilli",
        da: "sigilli",
        cammino: &[("numero", Intero)],
        chiave: &["numero"],
        colonne: &[
            col("numero", Intero),
            col("giorno", Data),
            col("testata", Testo),
            col("sale", Byte),
            col("voci", Byte),
            col("sigillo", Byte),
        ],
        immutabile: true,
        ..TABELLA
    },
    Tabella {
        nome: "tracce_indizi",
        da: "tracce_indizi",
        unione: "JOIN tracce m ON m.id = t.traccia",
        cammino: &[("indizio", Byte), ("ricevuto_il", Intero), ("traccia", Intero)],
        chiave: &["indizio", "ricevuto_il", "message_id"],
        partizione: Some("ricevuto_il"),
        colonne: &[
            col("indizio", Byte),
            col("ricevuto_il", Istante),
            made("message_id", Id, "m.message_id"),
        ],
        omesse: &["traccia"],
        immutabile: true,
        ..TABELLA
    },
    Tabella {
        nome: "sigilli_giorni",
        da: "sigilli_giorni",
        cammino: &[("giorno", Testo)],
        chiave: &["giorno"],
        colonne: &[col("giorno", Data), col("documento", Testo)],
        immutabile: true,
        ..TABELLA
    },
    Tabella {
        nome: "tracce_filtri",
        da: "tracce_filtri",
        cammino: &[("proprietario", Testo), ("nome", Testo)],
        chiave: &["proprietario", "nome"],
        colonne: &[
            col("proprietario", Testo),
            col("nome", Testo),
            col("criteri", Json),
            col("salvato_il", Istante),
        ],
        ..TABELLA
    },
    Tabella {
        nome: "buste",
        da: "buste",
        cammino: &[("giorno", Testo), ("identificatore", Testo)],
        chiave: &["giorno", "identificatore"],
        colonne: &[col("giorno", Data), col("identificatore", Testo)],
        ..TABELLA
    },
    Tabella {
        nome: "egov",
        da: "egov",
        cammino: &[("istante", Intero), ("message_id", Testo)],
        chiave: &["message_id", "istante"],
        partizione: Some("istante"),
        colonne: &[
            col("message_id", Id),
            col("istante", Istante),
            col("porta", Testo),
            col("controparte", Testo),
            col("identificatore", Testo),
            col("risposta_identificatore", Testo),
            col("risposta_istante", Istante),
            col("certificato_sha256", Testo),
            col("forma", Testo),
            // Only what PostgreSQL holds since before ADR 17 lies there.
            made("richiesta", Byte, "NULL"),
            made("risposta", Byte, "NULL"),
            col("codec", Testo),
            col("richiesta_len", Intero),
            col("risposta_len", Intero),
            col("intestazioni", Byte),
            col("legami", Testo),
            col("livello", Intero),
            col("diagnostico", Testo),
        ],
        immutabile: true,
        ..TABELLA
    },
    Tabella {
        nome: "porta",
        da: "porta",
        chiave: &["istante", "id"],
        partizione: Some("istante"),
        colonne: &[
            col("id", Intero),
            col("istante", Istante),
            col("indirizzo", Testo),
            col("soggetto", Testo),
            col("seriale", Testo),
            col("sni", Testo),
            col("codice", Testo),
            col("causa", Testo),
            col("rimedio", Testo),
            made("transazione", Intero, DA_FILE),
        ],
        immutabile: true,
        ..TABELLA
    },
    Tabella {
        nome: "lotti",
        da: "lotti",
        cammino: &[("numero", Intero)],
        chiave: &["numero"],
        colonne: &[
            col("numero", Intero),
            col("id", Id),
            col("chiave_invio", Testo),
            col("ente", Testo),
            col("servizio", Testo),
            col("digest", Byte),
            col("ente_denominazione", Testo),
            col("codice_ufficio", Testo),
            col("user_id", Testo),
            col("certificato_sha256", Testo),
            col("message_id", Id),
            col("presentato_il", Istante),
            col("byte", Intero),
            col("elementi", Intero),
            col("stato", Testo),
            col("sospeso", Booleano),
            col("preso_da", Testo),
            col("preso_fino_a", Istante),
            col("fatto_elementi", Intero),
            col("fatto_byte", Intero),
            col("fatto_riga", Intero),
            col("fatto_colonna", Intero),
            col("registrate", Intero),
            col("ripetute", Intero),
            col("rifiutate", Intero),
            col("non_lette", Intero),
            col("iniziato_il", Istante),
            col("avanzato_il", Istante),
            col("concluso_il", Istante),
            col("interruzione", Byte),
        ],
        ..TABELLA
    },
    Tabella {
        nome: "lotti_esiti",
        da: "lotti_esiti",
        unione: "LEFT JOIN registrazioni r ON r.id = t.registrazione",
        cammino: &[("lotto", Intero), ("posto", Intero)],
        chiave: &["lotto", "posto"],
        colonne: &[
            col("lotto", Intero),
            col("posto", Intero),
            col("registrazione", Intero),
            col("riga", Intero),
            col("colonna", Intero),
            made("anno", Intero, "r.anno"),
            col("ripetizione", Booleano),
            col("chiave_invio", Testo),
            col("errori_len", Intero),
            col("errori_codec", Testo),
            col("errori", Byte),
        ],
        immutabile: true,
        ..TABELLA
    },
    // The bytes of the lots that are open: files beside the embedded store. Those of the others are needed by nobody.
    Tabella {
        nome: "lotti_pezzi",
        da: SPOOL,
        cammino: &[("lotto", Testo), ("pezzo", Intero)],
        chiave: &["lotto", "pezzo"],
        colonne: &[
            col("lotto", Id),
            col("pezzo", Intero),
            col("scritto_il", Istante),
            col("byte", Byte),
        ],
        ..TABELLA
    },
];

/// The place of a row of the file among the transactions of PostgreSQL (`postgres::sigilli::DA_FILE`).
const DA_FILE: &str = "t.id - 4611686018427387904";
/// The same of a purge that ended.
const DA_FILE_PULIZIE: &str = "t.posto - 4611686018427387904";

/// What `lotti_pezzi` is made of: no table of the embedded store, but its files.
pub(in crate::store) const SPOOL: &str = "";

impl Tabella {
    /// The place of a column.
    pub(in crate::store) fn posto(&self, nome: &str) -> Option<usize> {
        self.colonne.iter().position(|colonna| colonna.nome == nome)
    }

    /// The row as the messages name it: its place on the way, which is no personal datum.
    pub(in crate::store) fn name(&self, riga: &Riga) -> String {
        let passo: Vec<String> = riga.passo.iter().map(Valore::in_words).collect();
        format!("{} ({})", self.nome, passo.join(", "))
    }
}

/// Table → columns.
pub(in crate::store) type Colonne = BTreeMap<String, BTreeSet<String>>;

/// What the description takes from the embedded store.
pub(super) fn taken() -> Colonne {
    let mut prese = Colonne::new();
    let sue = |tabella: &&Tabella| tabella.da != "sqlite_sequence" && tabella.da != SPOOL;
    for tabella in TABELLE.iter().filter(sue) {
        let colonne = tabella.colonne.iter().filter(|colonna| colonna.da.is_none());
        prese.entry(tabella.da.to_owned()).or_default().extend(
            colonne
                .map(|colonna| colonna.nome)
                .chain(tabella.omesse.iter().copied())
                .map(str::to_owned),
        );
    }
    prese
}

/// What the description writes into PostgreSQL.
pub(super) fn written() -> Colonne {
    let mut scritte = Colonne::new();
    for tabella in TABELLE {
        scritte
            .entry(tabella.nome.to_owned())
            .or_default()
            .extend(tabella.colonne.iter().map(|colonna| colonna.nome.to_owned()));
    }
    scritte
}
