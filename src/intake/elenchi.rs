//! The operations that answer by pages.

use jiff::Timestamp;
use jiff::civil::Date;

use super::Intake;
use super::passi::Letta;
use super::risposte::without_findings;
use crate::catalogo::Codice;
use crate::domanda::cursore::{Elenco, Legame};
use crate::domanda::elenco::{Filtro, Inizio, Ordine, PostoInElenco, RIGHE_MAX};
use crate::domanda::stato::{AzioneRichiesta, StatoDomanda};
use crate::domanda::{CodiceFiscale, Violazione, lettura};
use crate::protocollo::NumeroDomanda;
use crate::registro::{fine_del_giorno, inizio_del_giorno};
use crate::rifiuto::{Failure, Rifiuto};
use crate::soap::answer::{PaginaDetta, Risposta};

impl Intake {
    /// What changed in the domande of the own ente.
    pub(super) async fn variazioni(&self, letta: Letta) -> Result<Risposta, Failure> {
        without_findings(&letta)?;
        let (ente, servizio) = di_chi(&letta);
        let legame = Legame {
            elenco: Elenco::Variazioni,
            ente: ente.as_str(),
            servizio,
            ricerca: "",
        };
        let dopo = posizione(&letta, &legame).map_err(|violazione| Rifiuto::Forma(vec![violazione]))?;
        let inizio = match (dopo, giorno(&letta, "Dal")) {
            (Some([cursore]), _) => Inizio::Dopo(cursore),
            (None, Some(dal)) => Inizio::Dal(dalla_mezzanotte(dal)),
            (None, None) => Inizio::Dopo(0),
        };
        let pagina = self
            .store
            .variazioni(ente, servizio, inizio, righe_max(&letta))
            .await?;
        Ok(Risposta::Variazioni(PaginaDetta {
            righe: pagina.righe,
            cursore: Some(legame.cursore([pagina.posizione])),
            altre: pagina.altre,
        }))
    }

    /// The domande of the own ente that answer to what is searched for.
    pub(super) async fn ricerca(&self, letta: Letta) -> Result<Risposta, Failure> {
        without_findings(&letta)?;
        let (ente, servizio) = di_chi(&letta);
        let (filtro, mut violazioni) = filtro(&letta);
        let ricerca = filtro.in_words();
        let legame = Legame {
            elenco: Elenco::Ricerca,
            ente: ente.as_str(),
            servizio,
            ricerca: &ricerca,
        };
        let dopo = posizione(&letta, &legame).and_then(|numeri| {
            numeri
                .map(|[ms, numero]| in_elenco(ms, numero).ok_or_else(|| cursore_altrui(&letta)))
                .transpose()
        });
        let dopo = match dopo {
            Ok(dopo) if violazioni.is_empty() => dopo,
            // Of a search that cannot be asked no cursor is right: that one is told first.
            Ok(_) => return Err(Rifiuto::Forma(violazioni).into()),
            Err(violazione) => {
                if violazioni.is_empty() {
                    violazioni.push(violazione);
                }
                return Err(Rifiuto::Forma(violazioni).into());
            }
        };
        let pagina = self
            .store
            .ricerca(ente, servizio, &filtro, dopo, righe_max(&letta))
            .await?;
        Ok(Risposta::Ricerca(PaginaDetta {
            righe: pagina.righe,
            cursore: pagina.posizione.map(|posto| {
                let ms = u64::try_from(posto.presentata_il.as_millisecond()).unwrap_or_default();
                legame.cursore([ms, posto.numero_domanda.0])
            }),
            altre: pagina.altre,
        }))
    }
}

/// Whose list, of which service.
fn di_chi(letta: &Letta) -> (&crate::patronato::CodiceEnte, &'static str) {
    let servizio = letta.authorized.message().prestazione.servizio;
    (&letta.authorized.ente().codice, servizio)
}

/// What is searched for, and all that cannot be.
fn filtro(letta: &Letta) -> (Filtro, Vec<Violazione>) {
    let mut violazioni = Vec::new();
    let mut codice_fiscale = |campo: &str| {
        let testo = letta.campo(campo)?;
        let letto = testo.parse::<CodiceFiscale>().ok();
        if letto.is_none() {
            let errato = Violazione::at(Codice::Cur002, percorso(letta, campo));
            violazioni.push(errato.with("campo", format!("coop:{campo}")));
        }
        letto
    };
    let (richiedente, minore) = (codice_fiscale("Richiedente"), codice_fiscale("Minore"));
    let (dal, al) = (giorno(letta, "PresentataDal"), giorno(letta, "PresentataAl"));
    if dal.zip(al).is_some_and(|(dal, al)| dal > al) {
        violazioni.push(Violazione::at(Codice::Cur003, percorso(letta, "PresentataAl")));
    }
    let filtro = Filtro {
        richiedente,
        minore,
        dal: dal.map(dalla_mezzanotte),
        prima_di: al.map(|al| fine_del_giorno(al).max(Timestamp::UNIX_EPOCH)),
        stato: letta.campo("Stato").and_then(StatoDomanda::parse),
        azione_richiesta: letta.campo("AzioneRichiesta").and_then(AzioneRichiesta::parse),
        codice_ufficio: letta.campo("CodiceUfficio").and_then(|testo| testo.parse().ok()),
        ordine: letta
            .campo("Ordine")
            .and_then(Ordine::parse)
            .unwrap_or(Ordine::DallaPiuRecente),
    };
    (filtro, violazioni)
}

/// Where the list goes on, if the request says so; CUR-001 for what this list did not give out.
fn posizione<const N: usize>(letta: &Letta, legame: &Legame<'_>) -> Result<Option<[u64; N]>, Violazione> {
    letta
        .campo("Cursore")
        .map(|cursore| legame.posizione(cursore).ok_or_else(|| cursore_altrui(letta)))
        .transpose()
}

fn cursore_altrui(letta: &Letta) -> Violazione {
    Violazione::at(Codice::Cur001, percorso(letta, "Cursore"))
}

/// The path of a field of the request, which is of the shared types.
fn percorso(letta: &Letta, campo: &str) -> String {
    let lettura = letta.authorized.message();
    let (prefisso, operazione) = (lettura.prestazione.prefisso, lettura.operazione.nome());
    format!("/{prefisso}:{operazione}/coop:{campo}")
}

/// The place in the list that a cursor's numbers are.
fn in_elenco(ms: u64, numero: u64) -> Option<PostoInElenco> {
    Some(PostoInElenco {
        presentata_il: Timestamp::from_millisecond(i64::try_from(ms).ok()?).ok()?,
        numero_domanda: NumeroDomanda(numero),
    })
}

/// How many rows are asked for; the XSD has held the number to its bounds.
fn righe_max(letta: &Letta) -> u32 {
    letta
        .campo("RigheMax")
        .and_then(|testo| testo.parse().ok())
        .unwrap_or(RIGHE_MAX)
        .min(RIGHE_MAX)
}

fn giorno(letta: &Letta, campo: &str) -> Option<Date> {
    letta.campo(campo).and_then(lettura::data)
}

/// The instant at which a day begins in Rome; no store knows one before 1970.
fn dalla_mezzanotte(giorno: Date) -> Timestamp {
    inizio_del_giorno(giorno).max(Timestamp::UNIX_EPOCH)
}
