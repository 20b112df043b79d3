//! What somebody changes behind the chain's back, with all rights and the guards put aside, is found and named: any column
//! of any row, a row, a block, the end.

use serde_json::Value;
use varco::sigilli::Genere;
use varco::sigilli::catena::Che;
use varco::store::sigilli::{Esterne, esamina};

use crate::atti::{LUGLIO, traccia};
use crate::banco::{Banco, Raw};
use crate::sigilli::{examine, fill, in_order, refused, seal, unguarded};

macro_rules! stories {
    ($banco:path) => {
        $crate::tell! { manomissioni, $banco:
            of_any_column_that_is_changed_the_row_is_named,
            a_row_that_is_taken_away_put_in_or_moved_is_named,
            a_block_that_is_changed_or_taken_away_is_named,
            what_lies_outside_tells_of_an_end_that_was_cut_off,
        }
    };
}

mod sqlite {
    stories!(crate::banco::Banco::sqlite);
}

mod postgres {
    stories!(crate::banco::Banco::postgres);
}

/// What makes another value of a column, by its type.
fn altered(colonna: &str, tipo: &str) -> String {
    match tipo {
        "TEXT" | "text" => format!("coalesce({colonna}, '') || 'x'"),
        "INTEGER" | "bigint" | "integer" | "smallint" => format!("coalesce({colonna}, 0) + 1000"),
        "BLOB" => format!(
            "CAST(x'00' || substr(coalesce({colonna}, x'00'), 2) || CASE WHEN length({colonna}) = 32 THEN '' ELSE 'x' END AS BLOB)"
        ),
        "bytea" => format!(
            "overlay(coalesce({colonna}, '\\x00') PLACING '\\x00' FROM 1) \
             || CASE WHEN length({colonna}) = 32 THEN ''::bytea ELSE '\\x78'::bytea END"
        ),
        "timestamp with time zone" => format!("coalesce({colonna}, now()) + interval '1 microsecond'"),
        "date" => format!("coalesce({colonna}, '2000-01-01'::date) + 1"),
        "uuid" => "'00000000-0000-0000-0000-000000000001'::uuid".to_owned(),
        "jsonb" => format!("coalesce({colonna}, '[]'::jsonb) || '[\"x\"]'::jsonb"),
        altro => panic!("no other value of {altro}"),
    }
}

pub(crate) async fn of_any_column_that_is_changed_the_row_is_named(banco: &Banco) {
    let store = banco.store.as_ref();
    fill(banco).await;
    seal(banco, LUGLIO).await;
    let mut raw = unguarded(banco).await;
    let busta = traccia("busta").message_id.to_string();
    let casi = [
        (
            "tracce",
            format!("message_id = '{busta}'"),
            Genere::Traccia,
            busta.clone(),
        ),
        (
            "egov",
            format!("message_id = '{busta}'"),
            Genere::Traccia,
            busta.clone(),
        ),
        (
            "registrazioni",
            "numero = 2".to_owned(),
            Genere::Registrazione,
            "INPS-AUF-2021-000000000002".to_owned(),
        ),
        ("porta", "id = 1".to_owned(), Genere::Porta, "1".to_owned()),
    ];
    let mut provate = 0;
    for (tabella, dove, genere, chiave) in casi {
        let colonne = raw
            .rows(&banco.says(
                format!("SELECT name AS nome, type AS tipo FROM pragma_table_info('{tabella}')"),
                format!(
                    "SELECT column_name AS nome, data_type AS tipo FROM information_schema.columns \
                     WHERE table_name = '{tabella}' AND table_schema = 'public'"
                ),
            ))
            .await;
        // Its values, as they were; SQLite and PostgreSQL both copy a table so.
        raw.execute(&format!("CREATE TABLE prima AS SELECT * FROM {tabella}"))
            .await
            .unwrap();
        for colonna in &colonne {
            let (nome, tipo) = (
                colonna["nome"].as_str().unwrap(),
                colonna["tipo"].as_str().unwrap(),
            );
            // Places are looked at below; a number of the row is its key; headers of before ADR 17 are not there.
            let taciuta = match (tabella, nome) {
                ("tracce" | "porta", "id" | "transazione") => true,
                ("egov", nome) => ["richiesta", "risposta"].contains(&nome),
                _ => false,
            };
            if taciuta {
                continue;
            }
            let nuovo = match (tipo, nome) {
                // JSON of the embedded store stays JSON.
                ("TEXT", "codici" | "tempi_us" | "note") => format!("replace({nome}, '[', '[\"x\",')"),
                ("TEXT" | "text", "forma") => "'A'".to_owned(),
                _ => altered(nome, tipo),
            };
            raw.execute(banco.says("PRAGMA ignore_check_constraints = ON", "SELECT 1"))
                .await
                .unwrap();
            let scritta = raw
                .execute(&format!("UPDATE {tabella} SET {nome} = {nuovo} WHERE {dove}"))
                .await;
            if scritta.is_err() {
                // A check of the database that nobody can put aside: the number as text follows from the number.
                assert!(banco.says(false, true), "{tabella}.{nome}");
                continue;
            }
            let anomalia = examine(store).await.expect_err(nome);
            assert_eq!(
                (anomalia.blocco, anomalia.giorno),
                (Some(1), "2021-07-01".parse().unwrap()),
                "{tabella}.{nome}: {anomalia}"
            );
            match anomalia.che {
                // A row of another name is one that was not sealed.
                Che::Inserita if (tabella, nome) == ("tracce", "message_id") => {}
                Che::Alterata | Che::Rimossa => {
                    let riga = Some((genere, chiave.clone()));
                    assert_eq!(anomalia.riga, riga, "{tabella}.{nome}: {anomalia}");
                }
                _ => panic!("{tabella}.{nome}: {anomalia}"),
            }
            provate += 1;
            raw.execute(&format!("DELETE FROM {tabella}")).await.unwrap();
            raw.execute(&format!("INSERT INTO {tabella} SELECT * FROM prima"))
                .await
                .unwrap();
        }
        raw.execute("DROP TABLE prima").await.unwrap();
        in_order(store).await;
    }
    assert!(provate > 75, "{provate}");
}

pub(crate) async fn a_row_that_is_taken_away_put_in_or_moved_is_named(banco: &Banco) {
    let store = banco.store.as_ref();
    fill(banco).await;
    seal(banco, LUGLIO).await;
    store
        .write_tracce(&[refused("tre"), refused("quattro"), refused("cinque")])
        .await
        .unwrap();
    seal(banco, LUGLIO).await;
    let mut raw = unguarded(banco).await;
    let id = |nome: &str| traccia(nome).message_id.to_string();
    let posto = banco.says("id", "transazione");
    let casi = [
        (
            format!("DELETE FROM tracce WHERE message_id = '{}'", id("tre")),
            (2, Genere::Traccia, id("tre"), Che::Rimossa),
        ),
        (
            "DELETE FROM registrazioni WHERE numero = 3".to_owned(),
            (
                1,
                Genere::Registrazione,
                "INPS-AUF-2021-000000000003".to_owned(),
                Che::Rimossa,
            ),
        ),
        (
            "DELETE FROM porta WHERE id = 2".to_owned(),
            (1, Genere::Porta, "2".to_owned(), Che::Rimossa),
        ),
        (
            // A message of later, before others of before.
            banco.says(
                format!("UPDATE tracce SET id = 0 WHERE message_id = '{}'", id("quattro")),
                format!(
                    "UPDATE tracce SET transazione = (SELECT t.transazione FROM tracce t WHERE t.message_id = '{}') \
                     WHERE message_id = '{}'",
                    id("k2"),
                    id("quattro")
                ),
            ),
            (1, Genere::Traccia, id("quattro"), Che::Inserita),
        ),
    ];
    for (sql, (blocco, genere, chiave, che)) in casi {
        raw.execute("CREATE TABLE p_t AS SELECT * FROM tracce; CREATE TABLE p_r AS SELECT * FROM registrazioni; CREATE TABLE p_p AS SELECT * FROM porta")
            .await
            .unwrap();
        raw.execute(&sql).await.unwrap();
        let anomalia = examine(store).await.expect_err(&sql);
        assert_eq!(
            (anomalia.blocco, anomalia.riga.clone(), anomalia.che.clone()),
            (Some(blocco), Some((genere, chiave)), che),
            "{sql}: {anomalia}"
        );
        raw.execute(
            "DELETE FROM tracce; INSERT INTO tracce SELECT * FROM p_t; DROP TABLE p_t;
             DELETE FROM registrazioni; INSERT INTO registrazioni SELECT * FROM p_r; DROP TABLE p_r;
             DELETE FROM porta; INSERT INTO porta SELECT * FROM p_p; DROP TABLE p_p",
        )
        .await
        .unwrap();
        in_order(store).await;
    }
    // Two rows in each other's place: the first of the two is named.
    let (una, altra) = (id("tre"), id("cinque"));
    let primo: Vec<String> = words(
        &mut raw,
        &format!(
            "SELECT CAST(message_id AS text) AS v FROM tracce WHERE message_id IN ('{una}', '{altra}') ORDER BY {posto}, message_id LIMIT 1"
        ),
    )
    .await;
    let scambio = banco.says(
        format!(
            "UPDATE tracce SET id = -id WHERE message_id IN ('{una}', '{altra}');
             UPDATE tracce SET id = -(SELECT t.id FROM tracce t WHERE t.message_id = '{altra}') WHERE message_id = '{una}';
             UPDATE tracce SET id = (SELECT x.id - 2 FROM tracce x WHERE x.message_id = '{una}') WHERE message_id = '{altra}'"
        ),
        format!(
            "UPDATE tracce SET message_id = '00000000-0000-0000-0000-0000000000ff' WHERE message_id = '{una}';
             UPDATE tracce SET message_id = '{una}' WHERE message_id = '{altra}';
             UPDATE tracce SET message_id = '{altra}' WHERE message_id = '00000000-0000-0000-0000-0000000000ff'"
        ),
    );
    raw.execute(&scambio).await.unwrap();
    let anomalia = examine(store).await.unwrap_err();
    assert_eq!(anomalia.blocco, Some(2));
    assert_eq!(
        anomalia.riga,
        Some((Genere::Traccia, primo[0].clone())),
        "{anomalia}"
    );
    assert!(
        matches!(anomalia.che, Che::Scambiata | Che::Alterata),
        "{anomalia}"
    );
}

pub(crate) async fn a_block_that_is_changed_or_taken_away_is_named(banco: &Banco) {
    let store = banco.store.as_ref();
    for n in 0..4 {
        store
            .write_tracce(&[refused(&format!("t{n}")), refused(&format!("u{n}"))])
            .await
            .unwrap();
        seal(banco, LUGLIO).await;
    }
    let mut raw = unguarded(banco).await;
    let byte = |colonna: &str| {
        banco.says(
            format!("CAST(x'00' || substr({colonna}, 2) AS BLOB)"),
            format!("overlay({colonna} PLACING '\\x00' FROM 1)"),
        )
    };
    let in_mezzo = banco.says(
        "CAST(substr(voci, 1, 20) || x'ff' || substr(voci, 22) AS BLOB)".to_owned(),
        "overlay(voci PLACING '\\xff' FROM 21)".to_owned(),
    );
    let casi = [
        (
            format!("UPDATE sigilli SET sale = {} WHERE numero = 2", byte("sale")),
            2,
        ),
        (
            format!("UPDATE sigilli SET voci = {} WHERE numero = 3", byte("voci")),
            3,
        ),
        (
            format!("UPDATE sigilli SET voci = {in_mezzo} WHERE numero = 3"),
            3,
        ),
        (
            format!(
                "UPDATE sigilli SET sigillo = {} WHERE numero = 1",
                byte("sigillo")
            ),
            1,
        ),
        (
            "UPDATE sigilli SET testata = replace(testata, '\"righe\":2', '\"righe\":3') WHERE numero = 2"
                .to_owned(),
            2,
        ),
        (
            "UPDATE sigilli SET testata = testata || ' ' WHERE numero = 4".to_owned(),
            4,
        ),
        (
            "UPDATE sigilli SET giorno = '2021-07-02' WHERE numero = 2".to_owned(),
            2,
        ),
        // The one behind the hole says what is missing.
        ("DELETE FROM sigilli WHERE numero = 2".to_owned(), 3),
    ];
    for (sql, blocco) in casi {
        raw.execute("CREATE TABLE prima AS SELECT * FROM sigilli")
            .await
            .unwrap();
        raw.execute(&sql).await.unwrap();
        let anomalia = examine(store).await.expect_err(&sql);
        assert_eq!(anomalia.blocco, Some(blocco), "{sql}: {anomalia}");
        if sql.starts_with("DELETE") {
            assert_eq!(anomalia.che, Che::Mancano { dal: 2 });
        }
        raw.execute("DELETE FROM sigilli; INSERT INTO sigilli SELECT * FROM prima; DROP TABLE prima")
            .await
            .unwrap();
        in_order(store).await;
    }
}

pub(crate) async fn what_lies_outside_tells_of_an_end_that_was_cut_off(banco: &Banco) {
    let store = banco.store.as_ref();
    fill(banco).await;
    seal(banco, LUGLIO).await;
    seal(banco, "2021-07-02T08:00:00Z").await;
    store.write_tracce(&[refused("ultima")]).await.unwrap();
    seal(banco, "2021-07-02T08:00:10Z").await;
    let (testata, sigillo) = store.coda().await.unwrap().ultimo.unwrap();
    let mut fuori = Esterne {
        giornate: store.giornate(None, 9).await.unwrap(),
        teste: vec![(testata.numero, sigillo)],
    };
    let held = async |fuori: &Esterne| esamina(store, fuori, &|_, _| {}).await.unwrap();
    held(&fuori).await.unwrap();
    let mut raw = unguarded(banco).await;
    let ultima = traccia("ultima").message_id;
    raw.execute(&format!(
        "DELETE FROM tracce WHERE message_id = '{ultima}'; DELETE FROM sigilli WHERE numero = {}",
        testata.numero
    ))
    .await
    .unwrap();
    // The store alone is in order: only what lies outside knows better.
    in_order(store).await;
    assert_eq!(
        held(&fuori).await.unwrap_err().che,
        Che::Mancano { dal: testata.numero }
    );
    fuori.teste.clear();
    raw.execute("DELETE FROM sigilli_giorni").await.unwrap();
    let anomalia = held(&fuori).await.unwrap_err();
    assert_eq!(anomalia.giorno, "2021-07-01".parse().unwrap());
    assert!(matches!(anomalia.che, Che::Ancora(_)), "{anomalia}");
}

async fn words(raw: &mut Raw, sql: &str) -> Vec<String> {
    let righe = raw.rows(sql).await;
    righe
        .iter()
        .map(|riga| match &riga["v"] {
            Value::String(testo) => testo.clone(),
            altro => altro.to_string(),
        })
        .collect()
}
