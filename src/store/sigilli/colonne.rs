//! Which columns are sealed, and how each database writes them as one text: the work of a row is done where the row lies,
//! and one value comes out of it. Both databases write the same text of the same row, so a store that was moved
//! (`store copy`) is checked against the seals that it was moved with.

/// What a column holds.
#[derive(Clone, Copy)]
pub(in crate::store) enum Tipo {
    /// A text.
    Testo,
    /// A whole number.
    Intero,
    /// An instant: told in microseconds.
    Istante,
    /// A date.
    Data,
    /// Bytes: told in hex.
    Byte,
    /// An id.
    Id,
}
use Tipo::{Byte, Data, Id, Intero, Istante, Testo};

type Colonne = &'static [(&'static str, Tipo)];

const TRACCE: Colonne = &[
    ("message_id", Id),
    ("ricevuto_il", Istante),
    ("canale", Testo),
    ("indirizzo", Testo),
    ("certificato_soggetto", Testo),
    ("certificato_seriale", Testo),
    ("tls", Testo),
    ("ente", Testo),
    ("codice_ufficio", Testo),
    ("identity_forma", Testo),
    ("uri", Testo),
    ("servizio", Testo),
    ("operazione", Testo),
    ("id_mittente", Testo),
    ("id_transazione", Testo),
    ("chiave_invio", Testo),
    ("digest", Testo),
    ("impronta", Testo),
    ("richiesta_len", Intero),
    ("risposta_len", Intero),
    ("http_status", Intero),
    ("esito", Testo),
    ("codice", Testo),
    ("protocollo", Testo),
    ("numero_domanda", Intero),
];

const EGOV: Colonne = &[
    ("istante", Istante),
    ("porta", Testo),
    ("controparte", Testo),
    ("identificatore", Testo),
    ("risposta_identificatore", Testo),
    ("risposta_istante", Istante),
    ("certificato_sha256", Testo),
    ("forma", Testo),
    ("legami", Testo),
    ("livello", Intero),
    ("diagnostico", Testo),
];

const REGISTRAZIONI: Colonne = &[
    ("id", Intero),
    ("registro", Testo),
    ("anno", Intero),
    ("numero", Intero),
    ("protocollo", Testo),
    ("registrata_il", Istante),
    ("presentata_il", Istante),
    ("oggetto", Testo),
    ("servizio", Testo),
    ("operazione", Testo),
    ("ente", Testo),
    ("ente_denominazione", Testo),
    ("codice_ufficio", Testo),
    ("destinatario", Testo),
    ("chiave_invio", Testo),
    ("data_pratica", Data),
    ("numero_domanda", Intero),
    ("collegato_a", Intero),
    ("digest", Byte),
    ("digest_versione", Intero),
    ("impronta", Byte),
    ("impronta_algoritmo", Testo),
    ("canale", Testo),
    ("message_id", Id),
    ("certificato_sha256", Testo),
    ("ricevuta_sha256", Byte),
    ("richiesta_sha256", Byte),
];

const PORTA: Colonne = &[
    ("id", Intero),
    ("istante", Istante),
    ("indirizzo", Testo),
    ("soggetto", Testo),
    ("seriale", Testo),
    ("sni", Testo),
    ("codice", Testo),
    ("causa", Testo),
    ("rimedio", Testo),
];

const GIORNALIERI: Colonne = &[
    ("registro", Testo),
    ("giorno", Data),
    ("composto_il", Istante),
    ("fino_anno", Intero),
    ("fino_numero", Intero),
    ("precedente", Byte),
    ("sha256", Byte),
    ("bytes_len", Intero),
];

const PULIZIE: Colonne = &[
    ("id", Intero),
    ("regola", Testo),
    ("da", Istante),
    ("fino_a", Istante),
    ("iniziata_il", Istante),
    ("conclusa_il", Istante),
    ("arrivata_a", Istante),
    ("fermata_da", Intero),
    ("righe", Intero),
    ("byte", Intero),
];

/// What a database calls things.
pub(in crate::store) struct Dialetto {
    /// A column as text; NULL where there is none.
    pub(in crate::store) testo: fn(&str, Tipo) -> String,
    /// A text as its bytes, whatever they are.
    pub(in crate::store) byte: fn(&str) -> String,
    /// Where a row stands in the order in which rows became durable: of `tracce`, of `porta`.
    pub(in crate::store) posto: &'static str,
    /// The columns in which headers of buste lay before ADR 17.
    pub(in crate::store) intestazioni_di_prima: [&'static str; 2],
}

/// What is selected of each table.
pub(in crate::store) struct Scelte {
    /// `t` is the trace, `e` its exchange.
    pub(in crate::store) tracce: String,
    /// `t` is the registration.
    pub(in crate::store) registrazioni: String,
    /// `t` is the refusal.
    pub(in crate::store) porta: String,
    /// `t` is the daily register.
    pub(in crate::store) giornalieri: String,
    /// `t` is the purge.
    pub(in crate::store) pulizie: String,
}

impl Dialetto {
    /// What is selected, in this database's words.
    pub(in crate::store) fn scelte(&self) -> Scelte {
        let byte = self.byte;
        let posto = self.posto;
        let byte_as = |colonne: &[(&str, &str)]| {
            let tutte: Vec<_> = colonne
                .iter()
                .map(|(colonna, nome)| format!("{} AS {nome}", byte(colonna)))
                .collect();
            tutte.join(", ")
        };
        let [richiesta, risposta] = self.intestazioni_di_prima;
        Scelte {
            tracce: format!(
                "{posto} AS posto, {}, {}, t.richiesta_bytes_len, t.richiesta, t.risposta_bytes_len, t.risposta, \
                 CASE WHEN e.message_id IS NOT NULL THEN {} END AS e_testo, {}, e.richiesta_len AS e_richiesta_len, \
                 e.risposta_len AS e_risposta_len, e.intestazioni AS e_intestazioni, {richiesta} AS e_richiesta, \
                 {risposta} AS e_risposta",
                self.insieme("t", TRACCE),
                byte_as(&[
                    (&(self.testo)("t.message_id", Id), "chiave"),
                    ("t.esito", "esito"),
                    (&(self.testo)("t.codici", Intero), "codici"),
                    (&(self.testo)("t.tempi_us", Intero), "tempi_us"),
                    (&(self.testo)("t.note", Intero), "note"),
                    ("t.user_id", "user_id"),
                    ("t.chiave_id", "chiave_id"),
                    ("t.richiesta_codec", "richiesta_codec"),
                    ("t.risposta_codec", "risposta_codec"),
                ]),
                byte(&self.concat("e", EGOV)),
                byte_as(&[("e.codec", "e_codec")]),
            ),
            registrazioni: format!(
                "t.anno AS anno, t.numero AS numero, {}, {}",
                self.insieme("t", REGISTRAZIONI),
                byte_as(&[
                    ("t.protocollo", "chiave"),
                    ("t.user_id", "user_id"),
                    ("t.richiedente", "richiedente"),
                ]),
            ),
            porta: format!(
                "{posto} AS posto, {}, {}",
                self.insieme("t", PORTA),
                byte_as(&[(&(self.testo)("t.id", Intero), "chiave")]),
            ),
            giornalieri: format!(
                "{}, {}",
                self.insieme("t", GIORNALIERI),
                byte_as(&[(
                    &format!("t.registro || '/' || {}", (self.testo)("t.giorno", Data)),
                    "chiave"
                )]),
            ),
            pulizie: format!(
                "t.posto AS posto, {}, {}",
                self.insieme("t", PULIZIE),
                byte_as(&[(
                    &format!("t.regola || '/' || {}", (self.testo)("t.id", Intero)),
                    "chiave"
                )]),
            ),
        }
    }

    fn insieme(&self, da: &str, colonne: Colonne) -> String {
        format!("{} AS testo", (self.byte)(&self.concat(da, colonne)))
    }

    /// `nome=5:valore,` of every column, one behind the other.
    fn concat(&self, da: &str, colonne: Colonne) -> String {
        let tutte: Vec<_> = colonne
            .iter()
            .map(|(nome, tipo)| {
                let valore = (self.testo)(&format!("{da}.{nome}"), *tipo);
                format!(
                    "coalesce('{nome}=' || octet_length({valore}) || ':' || {valore} || ',', '{nome}=-,')"
                )
            })
            .collect();
        format!("({})", tutte.join(" || "))
    }
}
