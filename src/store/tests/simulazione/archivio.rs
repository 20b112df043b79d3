//! The third implementation of the store: a node's way to the simulated database. What a registration is, which acts are
//! taken, which number each gets and in which order it all goes is told by the same functions as in the two real ones
//! (`transazione`, `gara`, `registro`, `ancore`); here stand the trips, and who waits how long.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

use super::banca::{Modifiche, chiave_di};
use super::scena::{Mutazione, Scena};
use super::sessione::{Sessione, open_domande};
use crate::carte::{Carta, Formato, Quale};
use crate::domanda::consultazione::{
    Consultazione, Corrispondenza, DomandaConsultata, Riferimento, SchedaTrovata,
};
use crate::domanda::elenco::{DomandaElencata, Filtro, Inizio, Pagina, PostoInElenco, Variazione};
use crate::domanda::quadro::Quadro;
use crate::domanda::{Ambiente, Avente, CodiceFiscale, DomandaViva, SchedaViva};
use crate::patronato::CodiceEnte;
use crate::protocollo::{NumeroDomanda, NumeroProtocollo};
use crate::ricevuta::Registrata;
use crate::sigilli::giornata::{Blocchi, UltimoGiornaliero};
use crate::sigilli::{Blocco, Riga, Segni};
use crate::store::ancore::Ancore;
use crate::store::diagnosi::{self, ArchivioDiagnosi};
use crate::store::egov::{ArchivioEgov, RicercaScambi, ScambioDi};
use crate::store::filtri::{ArchivioFiltri, FiltroSalvato};
use crate::store::gara::claim;
use crate::store::interessato::{ArchivioInteressati, DocumentoTenuto, DomandaTenuta, RegistrazioneTenuta};
use crate::store::lotti::{
    Accettazione, ArchivioLotti, Comando, EsitoElemento, Gruppo, Lavorazione, Lotto, NuovoLotto, Quali,
};
use crate::store::manutenzione::{ArchivioManutenzioni, Disposizione};
use crate::store::operatori;
use crate::store::operatori::{ArchivioOperatori, NuovoOperatore, Operatore, Volume};
use crate::store::quote::{ArchivioQuote, Fetta};
use crate::store::registro::{
    Chi, Numeri, Richiesta as RichiestaConservata, Scritte, compose, misura, outcomes, registri,
};
use crate::store::sigilli::{ArchivioSigilli, BloccoConservato, Coda, Nuovo, ScartoConservato};
use crate::store::spazio::{
    ArchivioSpazio, Campione, EsitoVincolo, Ingombro, Passo, Perche, Pulizia, Regola, Scaduti, Vincolo,
};
use crate::store::transazione::{Registrante, register};
use crate::store::valori::intero;
use crate::store::{
    Atto, Chiave, Identikit, Misure, PaginaTracce, Registrazione, RegistrazioneTrovata, Ricerca, Richiesta,
    RigaRegistro, Store, StoreError, Verifica,
};
use crate::trace::persona::Persona;
use crate::trace::{RifiutoAllaPorta, Traccia};

/// How long a node waits for the database, as in production.
const LIMITE: Duration = Duration::from_secs(10);

/// A node's store.
#[derive(Debug)]
pub(super) struct ArchivioSimulato {
    scena: Arc<Scena>,
    chi: String,
    scrittura: Mutex<Scrittura>,
    ancore: Ancore,
    nessuna_ancora: Ancore,
}

/// The connection that registers.
#[derive(Debug)]
pub(super) struct Scrittura {
    sessione: Option<Sessione>,
    sospetta: bool,
}

/// The same, taken out.
pub(super) struct Presa<'a> {
    scrittura: MutexGuard<'a, Scrittura>,
    sessione: Sessione,
}

impl ArchivioSimulato {
    /// The store of a node that was just started.
    pub(super) fn new(scena: &Arc<Scena>, chi: &str, ancore: Ancore) -> Self {
        Self {
            scena: Arc::clone(scena),
            chi: chi.to_owned(),
            scrittura: Mutex::new(Scrittura {
                sessione: None,
                sospetta: true,
            }),
            ancore,
            nessuna_ancora: Ancore::default(),
        }
    }

    async fn within<T>(&self, lavoro: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let esito = tokio::time::timeout(LIMITE, lavoro).await;
        esito.unwrap_or_else(|_| Err(StoreError::unavailable("no answer in time (simulated)")))
    }

    async fn take_from<'a>(
        &'a self,
        mut scrittura: MutexGuard<'a, Scrittura>,
    ) -> Result<Presa<'a>, StoreError> {
        let sessione = match scrittura.sessione.take() {
            Some(sessione) => sessione,
            None => self.within(Sessione::connect(&self.scena, &self.chi)).await?,
        };
        Ok(Presa { scrittura, sessione })
    }

    /// Looks with a connection of its own.
    async fn read<T>(
        &self,
        cosa: &str,
        guarda: impl FnOnce(&super::banca::Stato) -> T,
    ) -> Result<T, StoreError> {
        self.within(async {
            let sessione = Sessione::connect(&self.scena, &self.chi).await?;
            sessione.read(cosa, guarda).await
        })
        .await
    }
}

impl Presa<'_> {
    fn give_back(mut self) {
        self.scrittura.sessione = Some(self.sessione);
    }

    async fn settle(&mut self) -> Result<(), StoreError> {
        if self.scrittura.sospetta {
            self.sessione.read("looks the register over", |_| ()).await?;
            self.scrittura.sospetta = false;
        }
        Ok(())
    }
}

impl Registrante for ArchivioSimulato {
    type Presa<'s> = Presa<'s>;
    type Sospesa<'s> = MutexGuard<'s, Scrittura>;

    async fn take_for<'s>(&'s self, _: &[&Atto], _: Timestamp) -> Result<Presa<'s>, StoreError> {
        let mut presa = self.take_from(self.scrittura.lock().await).await?;
        self.within(presa.settle()).await?;
        Ok(presa)
    }

    async fn transact<'s>(
        &'s self,
        presa: &mut Presa<'s>,
        atti: &[&Atto],
        richieste: Vec<RichiestaConservata>,
        adesso: Timestamp,
    ) -> Result<Scritte, StoreError> {
        self.within(async {
            let sessione = &mut presa.sessione;
            let pretese = claim(sessione, atti).await?;
            if pretese.ids.is_empty() {
                return outcomes(atti, pretese.sorti, &[]);
            }
            let (ultima, righe) = sessione.lock_counters(&registri(atti)).await?;
            let mut numeri = Numeri::after(ultima, &self.ancore)?;
            for (registro, riga) in righe {
                numeri.insert(registro, adesso, riga, &self.ancore)?;
            }
            let id = |atto: &Atto| pretese.ids.get(&atto.chiave).copied().ok_or_else(misura);
            let (sorti, visto) = (pretese.sorti, &pretese.visto);
            let nuove = compose(Ambiente::Sandbox, atti, &sorti, richieste, visto, &mut numeri, id)?;
            let mut modifiche = Modifiche::default();
            for nuova in &nuove {
                modifiche.push(nuova);
            }
            modifiche.ultima_domanda = Some(numeri.ultima_domanda());
            for (registro, contatore) in numeri.registri() {
                let ultimo_istante = contatore.istante.as_millisecond();
                let riga = (
                    contatore.anno,
                    intero(contatore.ultimo),
                    ultimo_istante,
                    i64::MIN,
                    None,
                );
                modifiche.registri.push((registro, riga));
            }
            sessione.write(modifiche).await?;
            Ok(outcomes(atti, sorti, &nuove)?.drawn(&numeri, nuove.len()))
        })
        .await
    }

    async fn leave<'s>(&'s self, mut presa: Presa<'s>) -> Result<(), StoreError> {
        self.within(presa.sessione.rollback()).await?;
        presa.give_back();
        Ok(())
    }

    async fn discard<'s>(&'s self, presa: Presa<'s>) {
        drop(presa);
    }

    async fn commit<'s>(
        &'s self,
        mut presa: Presa<'s>,
    ) -> Result<(), (MutexGuard<'s, Scrittura>, StoreError)> {
        presa.scrittura.sospetta = true;
        match self.within(presa.sessione.commit()).await {
            Ok(()) => {
                presa.scrittura.sospetta = false;
                presa.give_back();
                Ok(())
            }
            Err(_) if self.scena.mutazione == Mutazione::DubbioPerFatto => Ok(()),
            Err(errore) => Err((presa.scrittura, errore)),
        }
    }

    async fn read_back<'s>(
        &'s self,
        sospesa: MutexGuard<'s, Scrittura>,
        atti: &[&Atto],
    ) -> Result<Option<HashMap<Chiave, Registrata>>, StoreError> {
        self.within(async {
            let Ok(mut presa) = self.take_from(sospesa).await else {
                return Ok(None);
            };
            if presa.settle().await.is_err() {
                return Ok(None);
            }
            let trovate = presa
                .sessione
                .read("reads its keys back", |stato| {
                    let trovata = |atto: &&Atto| {
                        Some((atto.chiave.clone(), stato.registrata(&chiave_di(&atto.chiave))?))
                    };
                    atti.iter().filter_map(trovata).collect()
                })
                .await?;
            presa.give_back();
            Ok(Some(trovate))
        })
        .await
    }

    fn ancore(&self) -> &Ancore {
        match self.scena.mutazione {
            Mutazione::SenzaAncora => &self.nessuna_ancora,
            _ => &self.ancore,
        }
    }
}

#[async_trait]
impl Store for ArchivioSimulato {
    async fn registrata(&self, chiave: &Chiave) -> Result<Option<Registrata>, StoreError> {
        let nome = chiave_di(chiave);
        let trovata = self
            .read("looks a key up", |stato| stato.registrata(&nome))
            .await?;
        Registrante::ancore(self).tell_again(trovata.iter().map(Registrata::numeri));
        Ok(trovata)
    }

    async fn schede_vive(
        &self,
        servizio: &'static str,
        minori: &[CodiceFiscale],
    ) -> Result<Vec<SchedaViva>, StoreError> {
        self.read("looks children up", |stato| {
            minori
                .iter()
                .filter_map(|minore| stato.viva(servizio, minore))
                .collect()
        })
        .await
    }

    async fn domande_vive(
        &self,
        servizio: &'static str,
        avente: &Avente,
    ) -> Result<Vec<DomandaViva>, StoreError> {
        self.read("looks an avente up", |stato| {
            let aperte = open_domande(stato, servizio, &avente.codice_fiscale);
            let nota = |chi| match chi {
                Chi::Nota(viva) => Some(viva),
                Chi::DiQui(_) => None,
            };
            aperte.filter_map(|aperta| nota(aperta.chi)).collect()
        })
        .await
    }

    async fn register(&self, atti: &[Atto], adesso: Timestamp) -> Result<Vec<Registrazione>, StoreError> {
        register(self, atti, adesso).await
    }

    /// By its protocol number: so the simulated acts name it.
    async fn domanda(
        &self,
        ente: &CodiceEnte,
        _: &'static str,
        riferimento: &Riferimento,
    ) -> Result<Option<DomandaConsultata>, StoreError> {
        self.read("reads a domanda", |stato| {
            let Riferimento::Protocollo(protocollo) = riferimento else {
                return None;
            };
            let mut domande = stato.domande.values();
            let sua = domande.find(|domanda| {
                domanda.consultata.registrata.protocollo == *protocollo && domanda.consultata.ente == *ente
            });
            sua.map(|domanda| domanda.consultata.clone())
        })
        .await
    }

    async fn write_tracce(&self, _: &[Traccia]) -> Result<(), StoreError> {
        self.read("writes traces", |_| ()).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.read("pings", |_| ()).await
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.ping().await
    }

    async fn close(&self) {}

    // What no simulated message asks for.

    async fn consulta(
        &self,
        _: &CodiceEnte,
        _: &'static str,
        _: &Riferimento,
    ) -> Result<Option<Consultazione>, StoreError> {
        Err(elsewhere())
    }

    async fn scheda_di(
        &self,
        _: &'static str,
        _: &Corrispondenza,
    ) -> Result<Option<SchedaTrovata>, StoreError> {
        Err(elsewhere())
    }

    async fn quadro(&self, _: NumeroDomanda) -> Result<Option<Quadro>, StoreError> {
        Err(elsewhere())
    }

    async fn variazioni(
        &self,
        _: &CodiceEnte,
        _: &'static str,
        _: Inizio,
        _: u32,
    ) -> Result<Pagina<Variazione, u64>, StoreError> {
        Err(elsewhere())
    }

    async fn registrazione(
        &self,
        _: &CodiceEnte,
        _: &'static str,
        _: &Riferimento,
    ) -> Result<Option<RegistrazioneTrovata>, StoreError> {
        Err(elsewhere())
    }

    async fn carta(
        &self,
        _: &RegistrazioneTrovata,
        _: Quale,
        _: Formato,
    ) -> Result<Option<Carta>, StoreError> {
        Err(elsewhere())
    }

    async fn richiesta(&self, _: &RegistrazioneTrovata) -> Result<Option<Richiesta>, StoreError> {
        Err(elsewhere())
    }

    async fn keep_carta(
        &self,
        _: &RegistrazioneTrovata,
        _: &Carta,
        _: Timestamp,
    ) -> Result<Option<Carta>, StoreError> {
        Err(elsewhere())
    }

    async fn ricerca(
        &self,
        _: &CodiceEnte,
        _: &'static str,
        _: &Filtro,
        _: Option<PostoInElenco>,
        _: u32,
    ) -> Result<Pagina<DomandaElencata, Option<PostoInElenco>>, StoreError> {
        Err(elsewhere())
    }

    async fn write_porta(&self, _: &[RifiutoAllaPorta]) -> Result<(), StoreError> {
        Err(elsewhere())
    }

    async fn tracce(&self, _: &Ricerca) -> Result<PaginaTracce, StoreError> {
        Err(elsewhere())
    }

    fn trova_persone(&self) -> bool {
        false
    }

    async fn porta(&self, _: Option<Timestamp>, _: u32) -> Result<Vec<RifiutoAllaPorta>, StoreError> {
        Err(elsewhere())
    }

    async fn registro(&self, _: Option<&NumeroProtocollo>, _: u32) -> Result<Vec<RigaRegistro>, StoreError> {
        Err(elsewhere())
    }

    async fn verify(&self) -> Result<Verifica, StoreError> {
        Err(elsewhere())
    }

    async fn identikit(&self) -> Result<Identikit, StoreError> {
        Err(elsewhere())
    }

    fn misure(&self) -> Misure {
        Misure::default()
    }
}

#[async_trait]
impl ArchivioFiltri for ArchivioSimulato {
    async fn filtri(&self, _: Option<&str>) -> Result<Vec<FiltroSalvato>, StoreError> {
        Err(elsewhere())
    }

    async fn keep_filtro(&self, _: &FiltroSalvato) -> Result<(), StoreError> {
        Err(elsewhere())
    }

    async fn forget_filtro(&self, _: Option<&str>, _: &str) -> Result<bool, StoreError> {
        Err(elsewhere())
    }
}

#[async_trait]
impl ArchivioEgov for ArchivioSimulato {
    async fn accept_buste(&self, _: &[ScambioDi]) -> Result<Vec<bool>, StoreError> {
        Err(elsewhere())
    }

    async fn reserve_identificativi(&self, _: u32) -> Result<u64, StoreError> {
        Err(elsewhere())
    }

    async fn forget_buste(&self, _: Date, _: u32) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn scambi(&self, _: &RicercaScambi) -> Result<Vec<ScambioDi>, StoreError> {
        Err(elsewhere())
    }
}

#[async_trait]
impl ArchivioSigilli for ArchivioSimulato {
    async fn identita(&self) -> Result<(Ambiente, String), StoreError> {
        Err(elsewhere())
    }

    async fn coda(&self) -> Result<Coda, StoreError> {
        Err(elsewhere())
    }

    async fn da_sigillare(&self, _: &Segni, _: &[u8; 32], _: u32) -> Result<(Vec<Riga>, Segni), StoreError> {
        Err(elsewhere())
    }

    async fn sigillate(&self, _: &Segni, _: &Blocco) -> Result<Vec<Riga>, StoreError> {
        Err(elsewhere())
    }

    async fn keep_sigillo(&self, _: &Coda, _: &Nuovo) -> Result<bool, StoreError> {
        Err(elsewhere())
    }

    async fn blocchi(&self, _: u64, _: u32) -> Result<Vec<BloccoConservato>, StoreError> {
        Err(elsewhere())
    }

    async fn sigilli_di(&self, _: Date) -> Result<Blocchi, StoreError> {
        Err(elsewhere())
    }

    async fn giornate(&self, _: Option<Date>, _: u32) -> Result<Vec<(Date, String)>, StoreError> {
        Err(elsewhere())
    }

    async fn attesa(&self, _: &Segni) -> Result<Option<Timestamp>, StoreError> {
        Err(elsewhere())
    }

    async fn registrate_fra(&self, _: &[String]) -> Result<Vec<String>, StoreError> {
        Err(elsewhere())
    }

    async fn scarti(&self, _: &Segni) -> Result<Vec<ScartoConservato>, StoreError> {
        Err(elsewhere())
    }

    async fn ultimi_giornalieri(&self) -> Result<Vec<UltimoGiornaliero>, StoreError> {
        Err(elsewhere())
    }
}

#[async_trait]
impl ArchivioSpazio for ArchivioSimulato {
    async fn byte_occupati(&self) -> Result<u64, StoreError> {
        Err(elsewhere())
    }

    async fn keep_campione(&self, _: &Campione, _: Timestamp) -> Result<(), StoreError> {
        Err(elsewhere())
    }

    async fn campioni(&self) -> Result<Vec<Campione>, StoreError> {
        Err(elsewhere())
    }

    async fn ingombri(&self) -> Result<Vec<Ingombro>, StoreError> {
        Err(elsewhere())
    }

    async fn begin_pulizia(
        &self,
        _: Regola,
        _: Timestamp,
        _: Timestamp,
    ) -> Result<Option<Pulizia>, StoreError> {
        Err(elsewhere())
    }

    async fn step_pulizia(
        &self,
        _: Regola,
        _: u32,
        _: Timestamp,
        _: Timestamp,
    ) -> Result<Option<Passo>, StoreError> {
        Err(elsewhere())
    }

    async fn pulizie(&self, _: u32) -> Result<Vec<Pulizia>, StoreError> {
        Err(elsewhere())
    }

    async fn scaduti(&self, _: Regola, _: Timestamp) -> Result<Scaduti, StoreError> {
        Err(elsewhere())
    }

    async fn give_back(&self) -> Result<bool, StoreError> {
        Err(elsewhere())
    }

    async fn variazioni_scartate(&self, _: &CodiceEnte, _: &'static str) -> Result<Option<u64>, StoreError> {
        Err(elsewhere())
    }

    async fn vincola(
        &self,
        _: NumeroDomanda,
        _: &Perche<'_>,
        _: Timestamp,
    ) -> Result<EsitoVincolo, StoreError> {
        Err(elsewhere())
    }

    async fn libera(
        &self,
        _: NumeroDomanda,
        _: &Perche<'_>,
        _: Timestamp,
    ) -> Result<EsitoVincolo, StoreError> {
        Err(elsewhere())
    }

    async fn vincoli(&self) -> Result<Vec<Vincolo>, StoreError> {
        Err(elsewhere())
    }
}

#[async_trait]
impl ArchivioInteressati for ArchivioSimulato {
    async fn ultima_domanda(&self) -> Result<u64, StoreError> {
        Err(elsewhere())
    }

    async fn domande_con(&self, _: &Persona, _: u64, _: u64) -> Result<Vec<DomandaTenuta>, StoreError> {
        Err(elsewhere())
    }

    async fn registrazioni_di(&self, _: NumeroDomanda) -> Result<Vec<RegistrazioneTenuta>, StoreError> {
        Err(elsewhere())
    }

    async fn documenti_di(&self, _: NumeroDomanda, _: i64) -> Result<Vec<DocumentoTenuto>, StoreError> {
        Err(elsewhere())
    }

    async fn byte_del_documento(
        &self,
        _: NumeroDomanda,
        _: i64,
        _: u32,
    ) -> Result<Option<Bytes>, StoreError> {
        Err(elsewhere())
    }
}

#[async_trait]
impl ArchivioDiagnosi for ArchivioSimulato {
    async fn tabelle(&self) -> Result<Vec<diagnosi::Tabella>, StoreError> {
        Err(elsewhere())
    }

    async fn impostazioni(&self) -> Result<Vec<(String, String)>, StoreError> {
        Err(elsewhere())
    }

    async fn ora_del_server(&self) -> Result<Option<Timestamp>, StoreError> {
        Err(elsewhere())
    }

    async fn porta_per_codice(&self, _: Timestamp) -> Result<Vec<diagnosi::RifiutiPerCodice>, StoreError> {
        Err(elsewhere())
    }
}

#[async_trait]
impl ArchivioManutenzioni for ArchivioSimulato {
    async fn dispose(&self, _: &Disposizione) -> Result<(), StoreError> {
        Err(elsewhere())
    }

    async fn disposizione(&self) -> Result<Option<Disposizione>, StoreError> {
        Err(elsewhere())
    }
}

#[async_trait]
impl ArchivioQuote for ArchivioSimulato {
    async fn take_fetta(&self, _: &CodiceEnte, _: u32, _: Timestamp) -> Result<Fetta, StoreError> {
        Err(elsewhere())
    }
}

#[async_trait]
impl ArchivioOperatori for ArchivioSimulato {
    async fn volumi(&self, _: Timestamp, _: u32) -> Result<Vec<Volume>, StoreError> {
        Err(elsewhere())
    }

    async fn add_operatore(&self, _: &NuovoOperatore, _: Timestamp) -> Result<bool, StoreError> {
        Err(elsewhere())
    }

    async fn operatori(&self) -> Result<Vec<Operatore>, StoreError> {
        Err(elsewhere())
    }

    async fn operatore(
        &self,
        _: operatori::Chi<'_>,
    ) -> Result<Option<(Operatore, Option<String>)>, StoreError> {
        Err(elsewhere())
    }

    async fn set_password(&self, _: &str, _: &str) -> Result<bool, StoreError> {
        Err(elsewhere())
    }

    async fn set_disabilitato(&self, _: &str, _: Option<Timestamp>) -> Result<bool, StoreError> {
        Err(elsewhere())
    }

    async fn open_sessione(
        &self,
        _: &[u8; 32],
        _: i64,
        _: Timestamp,
        _: Timestamp,
    ) -> Result<(), StoreError> {
        Err(elsewhere())
    }

    async fn sessione(&self, _: &[u8; 32]) -> Result<Option<operatori::Sessione>, StoreError> {
        Err(elsewhere())
    }

    async fn touch_sessione(&self, _: &[u8; 32], _: Timestamp) -> Result<(), StoreError> {
        Err(elsewhere())
    }

    async fn close_sessione(&self, _: &[u8; 32]) -> Result<(), StoreError> {
        Err(elsewhere())
    }
}

#[async_trait]
impl ArchivioLotti for ArchivioSimulato {
    async fn lotto_by_chiave(&self, _: &Chiave) -> Result<Option<Lotto>, StoreError> {
        self.read("looks for a lot", |_| None).await
    }

    async fn spool_append(&self, _: Uuid, _: u32, _: Bytes) -> Result<(), StoreError> {
        Err(elsewhere())
    }

    async fn spool_read(&self, _: Uuid, _: u64, _: usize) -> Result<Bytes, StoreError> {
        Err(elsewhere())
    }

    async fn spool_discard(&self, _: Uuid) -> Result<(), StoreError> {
        Err(elsewhere())
    }

    async fn spool_sweep(&self, _: Timestamp, _: Timestamp) -> Result<u64, StoreError> {
        Err(elsewhere())
    }

    async fn accept_lotto(&self, _: &NuovoLotto, _: u64, _: Timestamp) -> Result<Accettazione, StoreError> {
        Err(elsewhere())
    }

    async fn lotto(&self, _: &CodiceEnte, _: &'static str, _: Uuid) -> Result<Option<Lotto>, StoreError> {
        Err(elsewhere())
    }

    async fn lotti(&self, _: Quali, _: u32) -> Result<Vec<Lotto>, StoreError> {
        Err(elsewhere())
    }

    async fn claim_lotto(
        &self,
        _: &str,
        _: &[CodiceEnte],
        _: Timestamp,
        _: Timestamp,
    ) -> Result<Option<Lotto>, StoreError> {
        Err(elsewhere())
    }

    async fn release_lotto(&self, _: Uuid, _: &str) -> Result<(), StoreError> {
        Err(elsewhere())
    }

    async fn work_gruppo(&self, _: &Gruppo, _: Timestamp, _: Timestamp) -> Result<Lavorazione, StoreError> {
        Err(elsewhere())
    }

    async fn esiti_lotto(&self, _: Uuid, _: u64, _: bool, _: u32) -> Result<Vec<EsitoElemento>, StoreError> {
        Err(elsewhere())
    }

    async fn command_lotto(&self, _: Uuid, _: &Comando, _: Timestamp) -> Result<Option<Lotto>, StoreError> {
        Err(elsewhere())
    }
}

fn elsewhere() -> StoreError {
    StoreError::Refused("not simulated".to_owned())
}
