//! `register verify`: a byte that was changed or a row that was taken away is found, and told for what it is.

use varco::domanda::sha256::Sha256;
use varco::registro::Provvedimento;
use varco::store::Atto;
use varco::store::esame::esamina;
use varco::store::legale::Apertura;

use crate::annul::annulla;
use crate::atti::{LUGLIO, atto, istante};
use crate::banco::{Banco, Raw};
use crate::comando::{config_of, keeper, register};
use crate::daily::daily;

/// An act whose imprint is that of its Domanda.
pub(crate) fn vero(nome: &str, minori: &[u64]) -> Atto {
    let mut atto = atto(nome, 1, minori);
    let (da, a) = atto.contenuto_in_richiesta;
    atto.impronta = Sha256::of(&atto.richiesta[da..a]);
    atto
}

/// Four registrations, the second annulled, an assignment, an emergency; closed up to the end of 4 July.
async fn story(banco: &Banco) {
    let store = keeper(banco).await;
    banco
        .register(&[vero("a", &[1, 2]), vero("b", &[3])], LUGLIO)
        .await;
    let secondo = "2021-07-02T09:30:00Z";
    annulla(&*store, "INPS-AUF-2021-000000000002", None, secondo).await;
    let mut raw = banco.raw().await;
    raw.execute(banco.says(
        "INSERT INTO assegnazioni (registrazione, dal, operatore, classifica)
         SELECT id, 1625220000000, 'm.verdi', '5.2' FROM registrazioni WHERE numero = 1",
        "INSERT INTO assegnazioni (registrazione, dal, operatore, classifica)
         SELECT id, '2021-07-02T10:00:00Z', 'm.verdi', '5.2' FROM registrazioni WHERE numero = 1",
    ))
    .await
    .unwrap();
    let provvedimento = Provvedimento {
        numero: "7/2021".to_owned(),
        data: "2021-07-02".parse().unwrap(),
    };
    let apertura = Apertura {
        registro: "AUF",
        causa: "guasto alla sala dati",
        operatore: "m.verdi",
        provvedimento: &provvedimento,
    };
    store
        .apri_emergenza(&apertura, istante("2021-07-02T10:00:00Z"))
        .await
        .unwrap();
    store
        .chiudi_emergenza("AUF", "m.verdi", istante("2021-07-03T07:00:00Z"))
        .await
        .unwrap()
        .unwrap();
    banco.one(vero("c", &[4]), "2021-07-03T08:00:00Z").await;
    daily(&*store, "2021-07-04", "2021-07-05T05:00:00Z").await;
    banco.one(vero("d", &[5]), "2021-07-05T08:00:00Z").await;
}

async fn anomalie(banco: &Banco) -> Vec<String> {
    let verifica = esamina(&*keeper(banco).await, &|_, _| {}).await.unwrap();
    verifica.anomalie
}

/// The owner with every guard off.
async fn owner(banco: &Banco) -> Raw {
    let mut raw = banco.raw().await;
    match raw {
        Raw::Postgres(_) => raw
            .execute("SET session_replication_role = replica")
            .await
            .unwrap(),
        Raw::Sqlite(_) => {
            raw.execute("PRAGMA foreign_keys = OFF").await.unwrap();
            for riga in raw
                .rows("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
                .await
            {
                let nome = riga["name"].as_str().unwrap();
                raw.execute(&format!("DROP TRIGGER {nome}")).await.unwrap();
            }
        }
    }
    raw
}

/// The statement of an owner on the embedded store, on PostgreSQL, and what is found.
type Caso = (&'static str, &'static str, &'static [&'static str]);

/// The same words on both.
const fn comune(sql: &'static str, trovate: &'static [&'static str]) -> Caso {
    (sql, sql, trovate)
}

const CASI: &[Caso] = &[
    // ── registrazioni ──
    comune(
        "UPDATE registrazioni SET oggetto = 'Assegno temporaneo' WHERE numero = 1",
        &["INPS-AUF-2021-000000000001: Oggetto is not as the daily register of 2021-07-01 has it"],
    ),
    comune(
        "UPDATE registrazioni SET user_id = 'op.due' WHERE numero = 3",
        &["INPS-AUF-2021-000000000003: UserId is not as the daily register of 2021-07-03 has it"],
    ),
    (
        "UPDATE registrazioni SET registrata_il = registrata_il + 1 WHERE numero = 2",
        "UPDATE registrazioni SET registrata_il = registrata_il + interval '1 ms' WHERE numero = 2",
        &["INPS-AUF-2021-000000000002: RegistrataIl is not as the daily register of 2021-07-01 has it"],
    ),
    (
        "UPDATE registrazioni SET digest = zeroblob(32) WHERE numero = 1",
        "UPDATE registrazioni SET digest = decode(repeat('00', 32), 'hex') WHERE numero = 1",
        &["INPS-AUF-2021-000000000001: Digest is not as the daily register of 2021-07-01 has it"],
    ),
    (
        "UPDATE registrazioni SET impronta = zeroblob(32) WHERE numero = 1",
        "UPDATE registrazioni SET impronta = decode(repeat('00', 32), 'hex') WHERE numero = 1",
        &[
            "INPS-AUF-2021-000000000001: its imprint is not that of the Domanda in its request",
            "INPS-AUF-2021-000000000001: Impronta is not as the daily register of 2021-07-01 has it",
        ],
    ),
    (
        "UPDATE registrazioni SET ricevuta_sha256 = NULL WHERE numero = 1",
        "UPDATE registrazioni SET ricevuta_sha256 = NULL WHERE numero = 1",
        &["INPS-AUF-2021-000000000001: RicevutaSha256 is not as the daily register of 2021-07-01 has it"],
    ),
    comune(
        "DELETE FROM registrazioni WHERE numero = 2",
        &[
            "register AUF of 2021: 2 is missing, the next number is 3",
            "INPS-AUF-2021-000000000002: in the daily register of 2021-07-01, and no longer registered on that day",
            "register AUF, 2021-07-02: Annullamento of the daily register is no longer there, or is another",
            "annulment 1: of a registration that is not there",
        ],
    ),
    // The last one, whose day is not closed.
    comune(
        "DELETE FROM registrazioni WHERE numero = 4",
        &[
            "register AUF: the counter stands at 2021/4, the last registration at 2021/3",
            "register AUF: the counter's instant is not that of the last registration",
        ],
    ),
    // ── ricevute, closed and not ──
    (
        "UPDATE ricevute SET bytes = CAST('X' || substr(bytes, 2) AS BLOB) WHERE registrazione = 1",
        "UPDATE ricevute SET bytes = set_byte(bytes, 0, 88) WHERE numero_domanda = 1",
        &["INPS-AUF-2021-000000000001: its receipt cannot be read: inconsistent row in ricevute.bytes: Unknown frame descriptor"],
    ),
    (
        "UPDATE ricevute SET codec = 'IDENTITY', bytes = CAST(substr(hex(zeroblob(bytes_len)), 1, bytes_len) AS BLOB)
         WHERE registrazione = 4",
        "UPDATE ricevute SET codec = 'IDENTITY', bytes = convert_to(repeat('0', bytes_len::int), 'UTF8')
         WHERE numero_domanda = 4",
        &["INPS-AUF-2021-000000000004: its receipt is not the one that was told (SHA-256)"],
    ),
    (
        "UPDATE ricevute SET formato = 'PDF' WHERE registrazione = 1",
        "UPDATE ricevute SET formato = 'PDF' WHERE numero_domanda = 1",
        &[
            "INPS-AUF-2021-000000000001: its receipt cannot be read: inconsistent row in ricevute.formato: unknown format",
        ],
    ),
    (
        "UPDATE ricevute SET bytes_len = bytes_len + 1 WHERE registrazione = 1",
        "UPDATE ricevute SET bytes_len = bytes_len + 1 WHERE numero_domanda = 1",
        &[
            "INPS-AUF-2021-000000000001: its receipt cannot be read: inconsistent row in ricevute.bytes_len: length differs",
        ],
    ),
    (
        "DELETE FROM ricevute WHERE registrazione = 1",
        "DELETE FROM ricevute WHERE numero_domanda = 1",
        &["INPS-AUF-2021-000000000001: no receipt"],
    ),
    // ── payload ──
    (
        "UPDATE payload SET domanda_da = domanda_da + 1 WHERE registrazione = 1",
        "UPDATE payload SET domanda_da = domanda_da + 1 WHERE numero_domanda = 1",
        &["INPS-AUF-2021-000000000001: its imprint is not that of the Domanda in its request"],
    ),
    (
        "UPDATE payload SET codec = 'LZ4' WHERE registrazione = 1",
        "UPDATE payload SET codec = 'LZ4' WHERE numero_domanda = 1",
        &["INPS-AUF-2021-000000000001: its request cannot be read: inconsistent row in payload.codec: unknown codec"],
    ),
    // The same text as it is kept, but one byte, outside the Domanda.
    (
        "UPDATE payload SET codec = 'IDENTITY', bytes = CAST(replace('<Xnvelope><Domanda>a 1</Domanda></Envelope>'
             || printf('%.*c', 19, '#'), '#', '<Envelope><Domanda>a 1</Domanda></Envelope>') AS BLOB)
         WHERE registrazione = 1",
        "UPDATE payload SET codec = 'IDENTITY', bytes = convert_to('<Xnvelope><Domanda>a 1</Domanda></Envelope>'
             || repeat('<Envelope><Domanda>a 1</Domanda></Envelope>', 19), 'UTF8')
         WHERE numero_domanda = 1",
        &["INPS-AUF-2021-000000000001: its request is not the one that was received (SHA-256)"],
    ),
    (
        "DELETE FROM payload WHERE registrazione = 3",
        "DELETE FROM payload WHERE numero_domanda = 3",
        &["INPS-AUF-2021-000000000003: its request is not there, and was not purged"],
    ),
    (
        "DELETE FROM payload WHERE registrazione = 3;
         INSERT INTO scarti (registrazione, scartata_il, motivo) VALUES (3, 0, 'termine')",
        "INSERT INTO scarti (registrazione, scartata_il, motivo)
             SELECT registrazione, now(), 'termine' FROM payload WHERE numero_domanda = 3;
         DELETE FROM payload WHERE numero_domanda = 3",
        &[],
    ),
    // ── allegati, annullamenti, assegnazioni, emergenze ──
    (
        "UPDATE allegati SET impronta = zeroblob(32) WHERE registrazione = 1",
        "UPDATE allegati SET impronta = decode(repeat('00', 32), 'hex') WHERE numero_domanda = 1",
        &["INPS-AUF-2021-000000000001: AllegatoSha256 is not as the daily register of 2021-07-01 has it"],
    ),
    comune(
        "UPDATE annullamenti SET motivo = 'altro'",
        &[
            "register AUF, 2021-07-02: Annullamento of the daily register is no longer there, or is another",
            "register AUF, 2021-07-02: Annullamento is not in the daily register, or is another there",
        ],
    ),
    comune(
        "DELETE FROM annullamenti",
        &[
            "register AUF, 2021-07-02: Annullamento of the daily register is no longer there, or is another",
            "INPS-AUF-2021-000000000002: 1 of its sheets are annulled, and it is not",
        ],
    ),
    comune(
        "UPDATE schede SET stato = 'ACCOLTA' WHERE numero_domanda = 2",
        &["INPS-AUF-2021-000000000002: annulled, and 1 of its sheets are not"],
    ),
    comune(
        "DELETE FROM assegnazioni",
        &["register AUF, 2021-07-02: Modifica of the daily register is no longer there, or is another"],
    ),
    comune(
        "UPDATE emergenze SET causa = 'altro'",
        &[
            "register AUF, 2021-07-02: Emergenza of the daily register is no longer there, or is another",
            "register AUF, 2021-07-02: Emergenza is not in the daily register, or is another there",
            "register AUF, 2021-07-03: Emergenza of the daily register is no longer there, or is another",
            "register AUF, 2021-07-03: Emergenza is not in the daily register, or is another there",
        ],
    ),
    comune(
        "DELETE FROM emergenze",
        &[
            "register AUF, 2021-07-02: Emergenza of the daily register is no longer there, or is another",
            "register AUF, 2021-07-03: Emergenza of the daily register is no longer there, or is another",
        ],
    ),
    comune(
        "UPDATE registro SET emergenza = 1",
        &["register AUF: the emergency in its row is not the one that is open"],
    ),
    // ── registri_giornalieri ──
    (
        "UPDATE registri_giornalieri SET sha256 = zeroblob(32) WHERE giorno = '2021-07-02'",
        "UPDATE registri_giornalieri SET sha256 = decode(repeat('00', 32), 'hex') WHERE giorno = '2021-07-02'",
        &[
            "register AUF: the daily register of 2021-07-02 does not have its SHA-256",
            "register AUF: the daily register of 2021-07-03 is not chained to the day before",
        ],
    ),
    (
        "UPDATE registri_giornalieri SET precedente = zeroblob(32) WHERE giorno = '2021-07-03'",
        "UPDATE registri_giornalieri SET precedente = decode(repeat('00', 32), 'hex') WHERE giorno = '2021-07-03'",
        &[
            "register AUF: the daily register of 2021-07-03 is not chained to the day before",
            "register AUF, 2021-07-03: Intestazione of the daily register is no longer there, or is another",
            "register AUF, 2021-07-03: Intestazione is not in the daily register, or is another there",
        ],
    ),
    comune(
        "UPDATE registri_giornalieri SET fino_numero = 2 WHERE giorno = '2021-07-03'",
        &["register AUF: the daily register of 2021-07-03 does not end where it says"],
    ),
    comune(
        "DELETE FROM registri_giornalieri WHERE giorno = '2021-07-02'",
        &[
            "register AUF: 2021-07-02 is closed, and its daily register is not there",
            "register AUF: the daily register of 2021-07-03 is not chained to the day before",
        ],
    ),
    comune(
        "DELETE FROM registri_giornalieri WHERE giorno = '2021-07-04'",
        &["register AUF: 2021-07-04 is closed, and its daily register is not there"],
    ),
    // ── registro, contatori ──
    comune(
        "UPDATE registro SET ultimo = 9",
        &["register AUF: the counter stands at 2021/9, the last registration at 2021/4"],
    ),
    (
        "UPDATE registro SET chiuso_fino_a = chiuso_fino_a - 86400000",
        "UPDATE registro SET chiuso_fino_a = chiuso_fino_a - interval '1 day'",
        &["register AUF: 2021-07-04 has a daily register, and is not closed"],
    ),
    (
        "UPDATE registro SET chiuso_fino_a = chiuso_fino_a + 1",
        "UPDATE registro SET chiuso_fino_a = chiuso_fino_a + interval '1 ms'",
        &["register AUF: it is closed up to an instant that is not the end of a day"],
    ),
    comune(
        "UPDATE contatori SET ultimo = 9 WHERE nome = 'domanda'",
        &["numero domanda: the counter says 9, the highest is 4, domande are 4"],
    ),
];

/// The cases of PostgreSQL alone.
const SOLO_POSTGRES: &[Caso] = &[
    comune(
        "DELETE FROM chiavi WHERE chiave_invio = 'c'",
        &["INPS-AUF-2021-000000000003: its ChiaveInvio is not claimed for it"],
    ),
    comune(
        "UPDATE contatori SET ultimo = 9 WHERE nome = 'variazione'",
        &["variazioni: the counter says 9, the highest cursor is 5"],
    ),
];

async fn try_all(fresh: impl AsyncFn() -> Option<Banco>, altri: &[Caso]) {
    let Some(banco) = fresh().await else { return };
    story(&banco).await;
    assert_eq!(anomalie(&banco).await, Vec::<String>::new(), "untouched");
    for (sqlite, postgres, attese) in CASI.iter().chain(altri) {
        let banco = fresh().await.unwrap();
        story(&banco).await;
        let sql = banco.says(*sqlite, *postgres);
        owner(&banco).await.execute(sql).await.unwrap();
        assert_eq!(anomalie(&banco).await, *attese, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_byte_or_a_missing_row_is_found_on_sqlite() {
    try_all(Banco::sqlite, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_byte_or_a_missing_row_is_found_on_postgres() {
    try_all(Banco::postgres, SOLO_POSTGRES).await;
}

/// Compressed bytes: what a changed one unfolds to cannot be foretold, that it is found can.
async fn changed_where_it_is_compressed(banco: &Banco) {
    story(banco).await;
    let mut raw = owner(banco).await;
    for (posto, tabella, dove, detto) in [
        (20, "payload", "domanda_a = 40 AND bytes_len > 0", "request"),
        (
            300,
            "registri_giornalieri",
            "giorno = '2021-07-01'",
            "the daily register of 2021-07-01",
        ),
    ] {
        raw.execute(&banco.says(
            format!(
                "UPDATE {tabella} SET bytes = CAST(substr(bytes, 1, {posto}) || X'FF' || substr(bytes, {posto} + 2) AS BLOB)
                 WHERE {dove}"
            ),
            format!("UPDATE {tabella} SET bytes = set_byte(bytes, {posto}, 255) WHERE {dove}"),
        ))
        .await
        .unwrap();
        let trovate = anomalie(banco).await;
        assert!(
            trovate.iter().any(|anomalia| anomalia.contains(detto)),
            "{tabella}: {trovate:?}"
        );
    }
}

crate::tell! { changed_where_it_is_compressed, the_command_tells_each_anomaly, }

async fn the_command_tells_each_anomaly(banco: &Banco) {
    story(banco).await;
    let cartella = config_of(banco);
    let config = cartella.path().join("varco.toml");
    let bene = register(&config, &["verify"]);
    assert_eq!(
        (bene.codice, bene.fuori.as_str(), bene.errori.as_str()),
        (0, "4 registrazioni, 0 anomalie\n", "")
    );
    owner(banco)
        .await
        .execute("UPDATE registrazioni SET oggetto = 'altro' WHERE numero = 1")
        .await
        .unwrap();
    let male = register(&config, &["verify"]);
    assert_eq!(
        (male.codice, male.fuori.as_str()),
        (
            65,
            "anomalia: INPS-AUF-2021-000000000001: Oggetto is not as the daily register of 2021-07-01 has it\n\
             4 registrazioni, 1 anomalie\n"
        )
    );
}
