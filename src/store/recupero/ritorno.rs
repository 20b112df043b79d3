//! What comes back: the rows of all tables that belong to what is missing, and what is set right behind them.

use std::collections::BTreeSet;

use super::confronto::{CONFRONTATE, Perdute};
use super::voci::{by_id, conflict, number, one};
use super::vuoti::{counters, gaps, tratti};
use super::{Archivi, Lato, Presenti, Recuperate, Recupero, Ritorno, Tratto, Voce};
use crate::store::StoreError;
use crate::store::copy::tabelle::VIVE;
use crate::store::lacune::vuoti;

/// All that is written, up to COMMIT.
pub(super) async fn bring(
    archivi: &mut dyn Archivi,
    recupero: &Recupero<'_>,
    perdute: &Perdute,
    avanza: &mut (dyn FnMut(&'static str) + Send),
) -> Result<Recuperate, StoreError> {
    let mut fatte = Recuperate {
        tornate: tratti(&perdute.numeri),
        lacune: Vec::new(),
        gia_lacuna: perdute.gia_lacuna,
    };
    let mut da_dichiarare = Vec::new();
    if !perdute.numeri.is_empty() {
        let mancano = gaps(archivi, perdute).await?;
        let vie = Vie::find(archivi, perdute.dopo).await?;
        for ritorno in ritorni(archivi, perdute, &vie).await? {
            if archivi.has(ritorno.nome) {
                avanza(ritorno.nome);
                if ritorno.nome == "elenco" {
                    // Who does not see a sheet any more has no line of it.
                    let sql = format!("DELETE FROM @elenco WHERE numero_domanda IN {}", vie.fascicoli);
                    archivi.esegui(&sql).await?;
                }
                archivi.porta(&ritorno).await?;
            }
        }
        archivi.porta_indizi(&messages(perdute.dopo)).await?;
        settle(archivi, &vie.fascicoli).await?;
        for vuoto in mancano {
            archivi
                .declare(&vuoto, recupero.dichiarazione, recupero.adesso)
                .await?;
            da_dichiarare.push(vuoto);
        }
        // Holes in between have moved the counters back to where they end.
        archivi.porta(&contatore(perdute.dopo)).await?;
        domanda_counter(archivi).await?;
    }
    let contatori = counters(archivi).await?;
    let ultima: i64 = one(&archivi
        .righe(
            Lato::Qui,
            "SELECT CAST(ultimo AS text) FROM @contatori WHERE nome = 'domanda'",
        )
        .await?)?;
    for vuoto in vuoti(recupero.dichiarazione.detti, contatori, ultima)? {
        archivi
            .declare(&vuoto, recupero.dichiarazione, recupero.adesso)
            .await?;
        da_dichiarare.push(vuoto);
    }
    fatte.lacune = da_dichiarare.into_iter().map(Tratto::from).collect();
    for tratto in &fatte.tornate {
        archivi
            .annota(
                tratto,
                &recupero.da.to_string(),
                recupero.dichiarazione,
                recupero.adesso,
            )
            .await?;
    }
    let verifica = archivi.verify().await?;
    match verifica.anomalie.first() {
        None => Ok(fatte),
        Some(anomalia) => Err(conflict(&format!(
            "with what would come back the register would not be as promised ({} times): {anomalia}",
            verifica.anomalie.len()
        ))),
    }
}

/// The messages that brought them.
fn messages(dopo: i64) -> String {
    format!("(SELECT message_id FROM @registrazioni WHERE id > {dopo})")
}

fn contatore(dopo: i64) -> Ritorno {
    ritorno(
        "registro",
        format!("t.registro IN (SELECT registro FROM @registrazioni WHERE id > {dopo})"),
        Presenti::Seguono,
    )
}

fn ritorno(nome: &'static str, dove: String, presenti: Presenti) -> Ritorno {
    Ritorno {
        nome,
        dove,
        presenti,
        senza: &[],
        sposta: None,
    }
}

/// Every table of which rows come back, each after those that it refers to.
async fn ritorni(
    archivi: &mut dyn Archivi,
    perdute: &Perdute,
    vie: &Vie,
) -> Result<Vec<Ritorno>, StoreError> {
    use Presenti::{Nessuna, Restano, Seguono};

    let dopo = perdute.dopo;
    let Vie {
        decisioni,
        variazioni,
        annullate,
        fascicoli,
    } = vie;
    let lotti = last_lot(archivi).await?;
    let assegnate = unknown_here(archivi, &ASSEGNAZIONI, dopo).await?;
    let vincolate = unknown_here(archivi, &VINCOLI, dopo).await?;
    let della_registrazione = || format!("t.registrazione > {dopo}");
    let del_fascicolo = || format!("t.numero_domanda IN {fascicoli}");
    let del_registro = format!("t.registro IN (SELECT registro FROM @registrazioni WHERE id > {dopo})");
    let prorogate = format!("t.emergenza IN (SELECT id FROM @emergenze t WHERE {del_registro})");
    let del_messaggio = || format!("t.message_id IN {}", messages(dopo));
    let lotto = format!("t.numero > {lotti} AND t.stato = 'done'");
    let esiti = format!("t.lotto IN (SELECT numero FROM @lotti t WHERE {lotto})");
    let chiavi = format!(
        "t.id > {dopo} OR (t.id = 0 AND EXISTS (SELECT 1 FROM @lotti l WHERE l.ente = t.ente \
         AND l.servizio = t.servizio AND l.chiave_invio = t.chiave_invio AND l.numero > {lotti} AND l.stato = 'done'))"
    );
    let decise = format!(
        "t.decisione > {} AND t.numero_domanda IN {fascicoli}",
        decisioni.comune
    );
    let mut ritorni = vec![
        contatore(dopo),
        ritorno("registrazioni", format!("t.id > {dopo}"), Nessuna),
        ritorno("chiavi", chiavi, Nessuna),
        Ritorno {
            sposta: Some(("cursore", variazioni.scarto)),
            ..ritorno(
                "variazioni",
                format!(
                    "t.cursore > {} AND (t.registrazione > {dopo} OR {})",
                    variazioni.comune,
                    del_fascicolo()
                ),
                Nessuna,
            )
        },
        ritorno("domande", format!("t.numero IN {fascicoli}"), Seguono),
        ritorno("schede", del_fascicolo(), Seguono),
        ritorno("deleghe", della_registrazione(), Nessuna),
        ritorno("elenco", del_fascicolo(), Seguono),
    ];
    for nome in [
        "ricevute",
        "payload",
        "carte",
        "allegati",
        "documenti",
        "atti",
        "scarti",
    ] {
        ritorni.push(ritorno(nome, della_registrazione(), Nessuna));
    }
    ritorni.extend([
        ritorno("riesami", del_fascicolo(), Seguono),
        ritorno("emergenze", del_registro, Seguono),
        ritorno("proroghe", prorogate, Restano),
        ritorno("emergenza_registrazioni", della_registrazione(), Nessuna),
        Ritorno {
            senza: &["id"],
            ..ritorno("annullamenti", annullate.clone(), Nessuna)
        },
        Ritorno {
            senza: &["id"],
            ..ritorno("assegnazioni", assegnate, Nessuna)
        },
        Ritorno {
            senza: &["id"],
            // One that stands here already holds the domanda as well.
            ..ritorno("vincoli", vincolate, Restano)
        },
        ritorno("lacune", format!("t.id > {}", perdute.lacune_dopo), Nessuna),
        ritorno("recuperi", format!("t.id > {}", perdute.recuperi_dopo), Nessuna),
        Ritorno {
            sposta: Some(("id", decisioni.scarto)),
            ..ritorno(
                "decisioni",
                format!("t.id > {} AND {}", decisioni.comune, del_fascicolo()),
                Nessuna,
            )
        },
        Ritorno {
            sposta: Some(("decisione", decisioni.scarto)),
            ..ritorno("pagamenti", decise.clone(), Nessuna)
        },
        Ritorno {
            sposta: Some(("decisione", decisioni.scarto)),
            ..ritorno("rinnovi", decise, Nessuna)
        },
        Ritorno {
            senza: &["id", "transazione"],
            ..ritorno("tracce", del_messaggio(), Restano)
        },
        ritorno("egov", del_messaggio(), Restano),
        // Whatever message it brought: a busta is accepted once.
        ritorno("buste", "1 = 1".to_owned(), Restano),
        ritorno("lotti", lotto, Nessuna),
        ritorno("lotti_esiti", esiti, Nessuna),
    ]);
    ritorni.extend(daily(archivi).await?);
    Ok(ritorni)
}

/// What follows from rows that came in: the lists of what is live, and where the counters stand.
async fn settle(archivi: &mut dyn Archivi, fascicoli: &str) -> Result<(), StoreError> {
    if archivi.has("schede_vive") {
        archivi
            .esegui(&format!(
                "DELETE FROM @schede_vive v USING @schede s WHERE s.numero_domanda IN {fascicoli}
                     AND v.servizio = s.servizio AND v.codice_fiscale = s.codice_fiscale
                     AND v.registrazione = s.registrazione"
            ))
            .await?;
        archivi
            .esegui(&format!(
                "INSERT INTO @schede_vive (servizio, codice_fiscale, registrazione)
                 SELECT servizio, codice_fiscale, registrazione FROM @schede t
                 WHERE numero_domanda IN {fascicoli} AND {}",
                VIVE.trim_start_matches('+')
            ))
            .await?;
        archivi
            .esegui(
                "UPDATE @contatori SET ultimo = greatest(ultimo, (SELECT coalesce(max(cursore), 0) FROM @variazioni))
                 WHERE nome = 'variazione'",
            )
            .await?;
    }
    domanda_counter(archivi).await
}

async fn domanda_counter(archivi: &mut dyn Archivi) -> Result<(), StoreError> {
    let sql = "SELECT CAST(ultimo AS text) FROM @contatori WHERE nome = 'domanda'";
    let ultima: i64 = one(&archivi.righe(Lato::Altrove, sql).await?)?;
    archivi
        .esegui(&format!(
            "UPDATE @contatori SET ultimo = {ultima} WHERE nome = 'domanda' AND ultimo < {ultima}"
        ))
        .await
}

/// A table whose rows are numbered as they are written, here by one and there by another since the restore.
struct Numerata {
    tabella: &'static str,
    numero: &'static str,
    confronto: &'static str,
}

const DECISIONI: Numerata = Numerata {
    tabella: "decisioni",
    numero: "id",
    confronto: "CAST(numero_domanda AS text), CAST(posto AS text), gettone, CAST(scritta_il AS text)",
};
const VARIAZIONI: Numerata = Numerata {
    tabella: "variazioni",
    numero: "cursore",
    confronto: "CAST(numero_domanda AS text), CAST(posto AS text), tipo, CAST(istante AS text)",
};

/// How far both go together, and by how much what comes back is to be counted on.
struct Via {
    comune: i64,
    scarto: i64,
    /// The domande about which something was written here since.
    nostre: BTreeSet<String>,
}

/// How what is numbered went on in both.
struct Vie {
    decisioni: Via,
    variazioni: Via,
    /// Which annulments of there are not here.
    annullate: String,
    /// The domande of which the whole file is taken over, as a query that says the same on both sides once their rows are here:
    /// those that a registration that comes back opens, moves or closes, and those about which only the engine or the keeper of
    /// the register wrote there, and nobody here. The feed tells of each.
    fascicoli: String,
}

impl Vie {
    /// Where something was written here since about a domanda that a registration or an annulment would come back for, nothing
    /// comes back.
    async fn find(archivi: &mut dyn Archivi, dopo: i64) -> Result<Self, StoreError> {
        let annullate = unknown_here(archivi, &ANNULLAMENTI, dopo).await?;
        let decisioni = way(archivi, &DECISIONI).await?;
        let variazioni = way(archivi, &VARIAZIONI).await?;
        let nostre: Vec<&str> = decisioni
            .nostre
            .union(&variazioni.nostre)
            .map(String::as_str)
            .collect();
        let di_annullate = format!(
            "SELECT CAST(r.numero_domanda AS text) FROM @registrazioni r JOIN @annullamenti t ON t.registrazione = r.id
             WHERE t.campo IS NULL AND {annullate}"
        );
        let di_annullate = archivi.righe(Lato::Altrove, &di_annullate).await?;
        let di_annullate: BTreeSet<&str> = di_annullate
            .iter()
            .filter_map(|voce| voce[0].as_deref())
            .collect();
        let mut registrate = format!(
            "SELECT numero_domanda FROM @registrazioni WHERE id > {dopo}
             UNION SELECT numero_domanda FROM @variazioni WHERE registrazione > {dopo}"
        );
        if !di_annullate.is_empty() {
            let numeri = Vec::from_iter(di_annullate).join(", ");
            registrate = format!("{registrate} UNION SELECT numero FROM @domande WHERE numero IN ({numeri})");
        }
        let mut scritte = format!(
            "SELECT numero_domanda FROM @variazioni WHERE cursore > {}",
            variazioni.comune
        );
        if !nostre.is_empty() {
            let toccata = archivi
                .righe(
                    Lato::Altrove,
                    &format!(
                        "SELECT CAST(numero AS text) FROM @domande WHERE numero IN ({registrate}) AND numero IN ({}) ORDER BY 1",
                        nostre.join(", ")
                    ),
                )
                .await?;
            if let Some(voce) = toccata.first() {
                return Err(conflict(&format!(
                    "domanda {}: something was written about it here since, and acts about it would come back",
                    voce[0].as_deref().unwrap_or_default()
                )));
            }
            scritte = format!("{scritte} AND numero_domanda NOT IN ({})", nostre.join(", "));
        }
        Ok(Self {
            decisioni,
            variazioni,
            annullate,
            fascicoli: format!("({registrate} UNION {scritte})"),
        })
    }
}

async fn way(archivi: &mut dyn Archivi, numerata: &Numerata) -> Result<Via, StoreError> {
    let Numerata {
        tabella,
        numero,
        confronto,
    } = numerata;
    let massimo: i64 = one(&archivi
        .righe(
            Lato::Qui,
            &format!("SELECT CAST(coalesce(max({numero}), 0) AS text) FROM @{tabella}"),
        )
        .await?)?;
    let prima = massimo - CONFRONTATE;
    // Older ones are not kept there any more (retention).
    let tenute: i64 = one(&archivi
        .righe(
            Lato::Altrove,
            &format!("SELECT CAST(coalesce(min({numero}), 0) AS text) FROM @{tabella}"),
        )
        .await?)?;
    let sql = format!(
        "SELECT CAST({numero} AS text), {confronto} FROM @{tabella} WHERE {numero} BETWEEN {prima} AND {massimo}"
    );
    let qui = by_id(archivi.righe(Lato::Qui, &sql).await?)?;
    let altrove = by_id(archivi.righe(Lato::Altrove, &sql).await?)?;
    let uguale = |(id, voce): &(&i64, &Voce)| **id < tenute || altrove.get(*id) == Some(*voce);
    let comune = qui.iter().take_while(uguale).last().map_or(0, |(id, _)| *id);
    if comune == 0 && prima > 0 {
        return Err(conflict(&format!(
            "none of the last {CONFRONTATE} rows of {tabella} is the same here and there: too much was written here since"
        )));
    }
    Ok(Via {
        comune,
        scarto: massimo - comune,
        nostre: qui
            .range(comune + 1..)
            .filter_map(|(_, voce)| voce[1].clone())
            .collect(),
    })
}

/// A table of what people did about registrations and domande, at any time after them: told apart by what they say.
struct Manuale {
    tabella: &'static str,
    confronto: &'static str,
    /// Whether it is about registrations: of those that this store lacks all rows come back.
    di_registrazione: bool,
}

const ANNULLAMENTI: Manuale = Manuale {
    tabella: "annullamenti",
    confronto: "CAST(registrazione AS text), campo, CAST(annullata_il AS text)",
    di_registrazione: true,
};
const ASSEGNAZIONI: Manuale = Manuale {
    tabella: "assegnazioni",
    confronto: "CAST(registrazione AS text), CAST(dal AS text), operatore, classifica, assegnazione",
    di_registrazione: true,
};
const VINCOLI: Manuale = Manuale {
    tabella: "vincoli",
    confronto: "CAST(numero_domanda AS text), CAST(posto_il AS text), operatore",
    di_registrazione: false,
};

/// Which rows `t` of there are not here.
async fn unknown_here(archivi: &mut dyn Archivi, manuale: &Manuale, dopo: i64) -> Result<String, StoreError> {
    let Manuale {
        tabella,
        confronto,
        di_registrazione,
    } = manuale;
    let di_prima = if *di_registrazione {
        format!("registrazione <= {dopo}")
    } else {
        "1 = 1".to_owned()
    };
    let sql = format!("SELECT CAST(id AS text), {confronto} FROM @{tabella} WHERE {di_prima}");
    let qui = archivi.righe(Lato::Qui, &sql).await?;
    let qui: BTreeSet<&[Option<String>]> = qui.iter().map(|voce| &voce[1..]).collect();
    let altrove = by_id(archivi.righe(Lato::Altrove, &sql).await?)?;
    let ignote: Vec<String> = altrove
        .iter()
        .filter(|(_, voce)| !qui.contains(&voce[1..]))
        .map(|(id, _)| id.to_string())
        .collect();
    let ignote = match ignote.as_slice() {
        [] => "1 = 0".to_owned(),
        ignote => format!("t.id IN ({})", ignote.join(", ")),
    };
    Ok(if *di_registrazione {
        format!("(t.registrazione > {dopo} OR {ignote})")
    } else {
        ignote
    })
}

/// The last lot that both know; where they went different ways none comes back, and its sender sends it again: its items
/// are there.
async fn last_lot(archivi: &mut dyn Archivi) -> Result<i64, StoreError> {
    let sql = "SELECT CAST(numero AS text), CAST(id AS text) FROM @lotti ORDER BY numero DESC LIMIT 1";
    let Some(ultimo) = archivi.righe(Lato::Qui, sql).await?.into_iter().next() else {
        return Ok(0);
    };
    let numero: i64 = number(&ultimo, 0)?;
    let sql = format!("SELECT CAST(numero AS text), CAST(id AS text) FROM @lotti WHERE numero = {numero}");
    let altrove = archivi.righe(Lato::Altrove, &sql).await?;
    Ok(if altrove.first() == Some(&ultimo) {
        numero
    } else {
        i64::MAX
    })
}

/// The daily registers of the days that were closed there and not here. A day that both have closed is the same day.
async fn daily(archivi: &mut dyn Archivi) -> Result<Vec<Ritorno>, StoreError> {
    let sql = format!(
        "SELECT registro, CAST(giorno AS text), {} FROM @registri_giornalieri",
        archivi.hex("sha256")
    );
    let qui = archivi.righe(Lato::Qui, &sql).await?;
    let altrove: BTreeSet<Voce> = archivi.righe(Lato::Altrove, &sql).await?.into_iter().collect();
    if let Some(voce) = qui.iter().find(|voce| !altrove.contains(*voce)) {
        return Err(conflict(&format!(
            "register {}: the daily register of {} is not the same here and there",
            voce[0].as_deref().unwrap_or_default(),
            voce[1].as_deref().unwrap_or_default()
        )));
    }
    Ok(vec![ritorno(
        "registri_giornalieri",
        "1 = 1".to_owned(),
        Presenti::Restano,
    )])
}
