//! What a sender asks of lots: take this one in (`InviaLotto`), how far is it (`StatoLotto`), what became of each domanda
//! (`EsitoLotto`). Another ente's lot is answered like one that is not there.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::ricezione::Ricezione;
use crate::access::Authorized;
use crate::catalogo::Codice;
use crate::domanda::Violazione;
use crate::intake::passi::Letta;
use crate::intake::{Diario, Incoming, Intake};
use crate::prestazione::Prestazione;
use crate::rifiuto::{Failure, Rifiuto};
use crate::soap::answer::{FormatoEsito, LottoAccolto, LottoDetto, Risposta};
use crate::soap::envelope::{CORRELAZIONE, Envelope};
use crate::store::Chiave;
use crate::store::lotti::{Accettazione, Lotto, NuovoLotto, StatoLotto};

impl Intake {
    /// Takes a lot in: it answers when the lot is durable, not when it is worked.
    pub(in crate::intake) async fn invia_lotto(
        &self,
        authorized: Authorized<Envelope>,
        prestazione: &'static Prestazione,
        incoming: &mut Incoming,
        diario: &mut Diario,
    ) -> Result<Risposta, Failure> {
        let id = self.lotti.ids.next();
        let ricezione = Ricezione {
            schema: &self.schema,
            store: &self.store,
            config: &self.lotti.config,
            limits: &self.limits,
            busta_bytes_max: incoming.corpo.messaggio_bytes_max(),
            prestazione,
            envelope: authorized.message(),
            scadenza: &incoming.scadenza,
            ente: &authorized.ente().codice,
            spazio: &self.spazio,
            custode: &self.custode,
        };
        let ricevuto = ricezione.receive(&mut incoming.corpo, id).await?;
        diario.passo("ricezione");
        diario.lotto(id, &ricevuto.chiave, ricevuto.arrivati);
        // A lot is durable by a transaction of its own: a busta brings one once, whatever keys its copies have.
        self.use_up(diario).await?;
        let nuovo = NuovoLotto {
            id,
            chiave: Chiave {
                ente: authorized.ente().codice.clone(),
                servizio: prestazione.servizio,
                chiave: ricevuto.chiave,
            },
            digest: ricevuto.digest,
            ente_denominazione: authorized.ente().denominazione.clone(),
            codice_ufficio: authorized.identity().codice_ufficio.clone(),
            user_id: authorized.identity().user_id.clone(),
            certificato_sha256: incoming.peer.certificato.sha256.clone(),
            message_id: incoming.message_id,
            byte: ricevuto.byte,
            elementi: ricevuto.elementi,
        };
        incoming.scadenza.renew();
        let accettazione = self
            .store
            .accept_lotto(&nuovo, self.lotti.config.aperti_max as u64, self.clock.business())
            .await;
        // After an error it is not known whether the lot was taken in: its spool stays until it is swept.
        let accettazione = accettazione?;
        if !matches!(accettazione, Accettazione::Accettato(_))
            && let Err(errore) = self.store.spool_discard(id).await
        {
            tracing::warn!(lotto = %id, "a spool stays until it is swept: {errore}");
        }
        match accettazione {
            Accettazione::Accettato(lotto) => {
                self.lotti.lavoro.nudge();
                Ok(Risposta::Lotto(accolto(&lotto, false)))
            }
            Accettazione::Ripetuto(lotto) => Ok(Risposta::Lotto(accolto(&lotto, true))),
            Accettazione::AltroLotto(lotto) => Err(Rifiuto::ChiaveDiLotto { lotto }.into()),
            Accettazione::AltraRegistrazione(protocollo) => Err(Rifiuto::Conflitto { protocollo }.into()),
            Accettazione::Troppi => {
                let violazione =
                    Violazione::at(Codice::Lot006, "").with("limite", self.lotti.config.aperti_max);
                Err(Rifiuto::Lettura(violazione).into())
            }
        }
    }

    /// How far a lot is.
    pub(in crate::intake) async fn stato_lotto(
        &self,
        letta: &Letta,
        correlazione: Option<String>,
    ) -> Result<Risposta, Failure> {
        let lotto = self.lotto_di(letta, correlazione).await?;
        let ora = self.clock.wall();
        let andatura = Andatura::of(&lotto, ora);
        Ok(Risposta::StatoLotto(Box::new(LottoDetto {
            elementi_al_secondo: andatura.elementi_al_secondo(),
            fine_stimata: andatura.fine(ora),
            chiedere_fra_s: (lotto.stato != StatoLotto::Concluso).then(|| andatura.poll_after()),
            ..detto(lotto)
        })))
    }

    /// What became of each domanda of a lot that has ended.
    pub(in crate::intake) async fn esito_lotto(
        &self,
        letta: &Letta,
        correlazione: Option<String>,
    ) -> Result<Risposta, Failure> {
        let lotto = self.lotto_di(letta, correlazione).await?;
        if lotto.stato != StatoLotto::Concluso {
            let presto = Violazione::at(Codice::Lot005, "").with("lavorati", lotto.fatto.elementi);
            return Err(Rifiuto::Forma(vec![presto]).into());
        }
        Ok(Risposta::EsitoLotto {
            lotto: Box::new(detto(lotto)),
            solo_rifiutate: letta.campo("Solo").is_some(),
            formato: match letta.campo("Formato") {
                Some("CSV") => FormatoEsito::Csv,
                _ => FormatoEsito::Xml,
            },
        })
    }

    /// The lot that a request names, in the header, in the body, or in both alike.
    async fn lotto_di(&self, letta: &Letta, correlazione: Option<String>) -> Result<Lotto, Failure> {
        let lettura = letta.authorized.message();
        if !lettura.rilievi.is_empty() {
            return Err(Rifiuto::Forma(lettura.rilievi.clone()).into());
        }
        let id = id_chiesto(
            lettura.prestazione,
            correlazione.as_deref(),
            letta.campo("IdLotto"),
        )
        .map_err(|violazione| Rifiuto::Forma(vec![*violazione]))?;
        let ente = &letta.authorized.ente().codice;
        let lotto = self.store.lotto(ente, lettura.prestazione.servizio, id).await?;
        lotto.ok_or_else(|| Rifiuto::Forma(vec![Violazione::at(Codice::Lot004, "")]).into())
    }
}

/// What the header block says, if it is there for us.
pub(in crate::intake) fn correlazione(envelope: &Envelope, prestazione: &Prestazione) -> Option<String> {
    let blocco = envelope.blocco(prestazione.namespace, CORRELAZIONE)?;
    Some(blocco.testo.trim().to_owned()).filter(|testo| !testo.is_empty())
}

fn id_chiesto(
    prestazione: &Prestazione,
    correlazione: Option<&str>,
    nel_corpo: Option<&str>,
) -> Result<Uuid, Box<Violazione>> {
    let intestazione = format!("{}:{CORRELAZIONE}", prestazione.prefisso);
    let violazione = |codice| Box::new(Violazione::at(codice, "").with("intestazione", &intestazione));
    let read = |testo: &str, dove: &str| {
        // One id, one spelling.
        let letto = Uuid::parse_str(testo).ok().filter(|id| id.to_string() == testo);
        letto.ok_or_else(|| Box::new(Violazione::at(Codice::Lot002, "").with("dove", dove)))
    };
    let correlazione = correlazione.map(|testo| read(testo, &intestazione)).transpose()?;
    let nel_corpo = nel_corpo.map(|testo| read(testo, "IdLotto")).transpose()?;
    match (correlazione, nel_corpo) {
        (None, None) => Err(violazione(Codice::Lot001)),
        (Some(uno), Some(altro)) if uno != altro => Err(violazione(Codice::Lot003)),
        (Some(id), _) | (None, Some(id)) => Ok(id),
    }
}

fn accolto(lotto: &Lotto, ripetizione: bool) -> LottoAccolto {
    // Nothing was worked yet, as a rule: what can be told comes from its size alone.
    let fra = 1 + lotto.byte / BYTE_AL_SECONDO;
    LottoAccolto {
        id: lotto.id,
        stato: lotto.stato,
        ripetizione,
        presentato_il: lotto.presentato_il,
        byte: lotto.byte,
        elementi: lotto.elementi,
        chiedere_fra_s: fra.min(CHIEDERE_FRA_MAX),
    }
}

/// A lot as it is told, without its pace.
fn detto(lotto: Lotto) -> LottoDetto {
    LottoDetto {
        id: lotto.id,
        esito: lotto.esito(),
        stato: lotto.stato,
        sospeso: lotto.sospeso,
        presentato_il: lotto.presentato_il,
        elementi: lotto.elementi,
        lavorati: lotto.fatto.elementi,
        conteggi: lotto.conteggi,
        byte: lotto.byte,
        byte_lavorati: lotto.fatto.byte,
        elementi_al_secondo: None,
        fine_stimata: None,
        chiedere_fra_s: None,
        chiave: lotto.chiave.chiave,
        interruzione: lotto.interruzione,
    }
}

/// How fast a lot goes.
struct Andatura {
    /// Since its first group, in milliseconds.
    trascorsi_ms: u64,
    elementi: u64,
    /// Milliseconds until its end, at this pace.
    mancano_ms: Option<u64>,
}

impl Andatura {
    fn of(lotto: &Lotto, ora: Timestamp) -> Self {
        let fino_a = lotto.concluso_il.unwrap_or(ora);
        let trascorsi = lotto.iniziato_il.map_or(0, |iniziato| {
            fino_a.as_millisecond().saturating_sub(iniziato.as_millisecond())
        });
        let trascorsi_ms = u64::try_from(trascorsi).unwrap_or(0);
        let (fatti, resto) = (lotto.fatto.byte, lotto.byte.saturating_sub(lotto.fatto.byte));
        // Bytes, not items: how many items a file has is not known before its end.
        let in_corso = lotto.stato == StatoLotto::InLavorazione && !lotto.sospeso;
        let mancano_ms = (in_corso && fatti > 0)
            .then(|| u128::from(trascorsi_ms) * u128::from(resto) / u128::from(fatti))
            .and_then(|ms| u64::try_from(ms).ok());
        Self {
            trascorsi_ms,
            elementi: lotto.fatto.elementi,
            mancano_ms,
        }
    }

    fn elementi_al_secondo(&self) -> Option<u64> {
        (self.elementi > 0).then(|| self.elementi * 1000 / self.trascorsi_ms.max(1))
    }

    fn fine(&self, ora: Timestamp) -> Option<Timestamp> {
        let mancano = i64::try_from(self.mancano_ms?).ok()?;
        ora.checked_add(SignedDuration::from_millis(mancano)).ok()
    }

    fn poll_after(&self) -> u64 {
        let mancano_s = self.mancano_ms.map_or(2, |ms| ms / 1000 + 1);
        mancano_s.clamp(1, CHIEDERE_FRA_MAX)
    }
}

/// Bytes that are worked in a second, for a lot of which nothing is known yet: rather too few.
const BYTE_AL_SECONDO: u64 = 8 * 1024 * 1024;
/// Nobody is told to wait longer than this.
const CHIEDERE_FRA_MAX: u64 = 60;
