//! The rules that all prestazioni share, and the way in which a finding is weighed by the day.
//!
//! A rule looks at what was sent and gives its findings, each at its path. It never stops at the first, and gives
//! one finding a fault: what cannot be read (a codice fiscale with a wrong check character) is told once and then
//! left alone by the rules that would have needed it. Rules give paths only; the reader knows the lines. A path is
//! made once there is a finding to stand at it: nearly every domanda has none.

use std::iter;

use jiff::civil::Date;

use super::allegato::{AllegatoInviato, nome_file_errato};
use super::pagamento::{Iban, IbanErrato, Modalita, PagamentoInviato};
use super::persona::CodiceInviato;
use super::sepa::Paese;
use super::sha256::hex;
use super::{Ambiente, Assistenza, CodiceFiscaleErrato, Contesto, Esame, Violazione};
use crate::catalogo::{Codice, Genere};

/// More findings than this are not told at once: a domanda with a hundred faults has one cause.
pub const VIOLAZIONI_MAX: usize = 100;

/// From which day a rule warns and from which it refuses. A new rule warns first, so that the patronati's programs
/// can follow; a rule that the gateway cannot do without refuses [`Vigenza::SEMPRE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vigenza {
    /// First day on which a breach is told as a warning.
    pub avvisa_dal: Date,
    /// First day on which a breach refuses.
    pub rifiuta_dal: Date,
}

/// What a breach does on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peso {
    /// The rule is not known yet.
    Tace,
    /// It is told beside the receipt.
    Avvisa,
    /// The domanda is refused.
    Rifiuta,
}

impl Vigenza {
    /// On whatever day.
    pub const SEMPRE: Self = Self::dal(Date::MIN);

    /// Refuses from that day, without a time of warning before.
    #[must_use]
    pub const fn dal(giorno: Date) -> Self {
        Self {
            avvisa_dal: giorno,
            rifiuta_dal: giorno,
        }
    }

    /// What a breach does on that day.
    #[must_use]
    pub fn peso(self, il: Date) -> Peso {
        if il >= self.rifiuta_dal {
            Peso::Rifiuta
        } else if il >= self.avvisa_dal {
            Peso::Avvisa
        } else {
            Peso::Tace
        }
    }
}

/// Parts violations from warnings by the day, in the order of the domanda: `campi` are its element names, brothers
/// in the order of the XSD. A code whose kind is a warning warns, whatever its days.
#[must_use]
pub fn pesa(trovate: Vec<Violazione>, il: Date, vigenza: fn(Codice) -> Vigenza, campi: &[&str]) -> Esame {
    let mut esame = Esame::default();
    for violazione in trovate {
        let peso = if violazione.voce().genere == Genere::Avviso {
            Peso::Avvisa
        } else {
            vigenza(violazione.codice).peso(il)
        };
        match peso {
            Peso::Rifiuta => esame.violazioni.push(violazione),
            Peso::Avvisa => esame.avvisi.push(violazione),
            Peso::Tace => {}
        }
    }
    ordina(&mut esame, campi);
    esame
}

/// Puts findings in the order of the domanda, and leaves out those that are too many to be told.
pub fn ordina(esame: &mut Esame, campi: &[&str]) {
    for elenco in [&mut esame.violazioni, &mut esame.avvisi] {
        elenco.sort_by_cached_key(|violazione| posto_nella_domanda(&violazione.dove, campi));
        elenco.truncate(VIOLAZIONI_MAX);
    }
}

/// The sort key of a path: for each step the place of its name among its brothers, and its `[n]`.
fn posto_nella_domanda(dove: &str, campi: &[&str]) -> Vec<(usize, usize)> {
    dove.split('/')
        .skip(1)
        .map(|passo| {
            let nome = passo.split_once(':').map_or(passo, |(_, nome)| nome);
            let (nome, indice) = nome.split_once('[').unwrap_or((nome, "1]"));
            let posto = campi.iter().position(|campo| *campo == nome);
            let indice = indice.trim_end_matches(']').parse().unwrap_or(0);
            (posto.unwrap_or(usize::MAX), indice)
        })
        .collect()
}

/// The path of a field of the domanda: `percorso("at", &["Minori", "Minore[2]"])` is
/// `/at:Domanda/at:Minori/at:Minore[2]`.
#[must_use]
pub fn percorso(prefisso: &str, campi: &[&str]) -> String {
    below(String::new(), prefisso, iter::once(&"Domanda").chain(campi))
}

/// The path of a field below an element of whatever name: each step with its prefix.
#[must_use]
pub(crate) fn percorso_di(radice: &str, prefisso: &str, campi: &[&str]) -> String {
    below(format!("/{radice}"), prefisso, campi)
}

/// A path with further steps.
pub(crate) fn below<'c>(
    mut percorso: String,
    prefisso: &str,
    campi: impl IntoIterator<Item = &'c &'c str>,
) -> String {
    for campo in campi {
        for parte in ["/", prefisso, ":", *campo] {
            percorso.push_str(parte);
        }
    }
    percorso
}

/// When a prestazione takes domande.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finestra {
    /// First day.
    pub dal: Date,
    /// Last day; `None` while no decree closes it.
    pub al: Option<Date>,
    /// Last day of the measure itself, after which no decorrenza can be told.
    pub fine_misura: Option<Date>,
    /// What to tell whoever comes outside it.
    pub rimedio: &'static str,
}

impl Finestra {
    /// FIN-001: a domanda outside the window is refused. Outside produzione the window only warns, so that it can be
    /// tried on any day: FIN-101, and FIN-102 once the measure itself is over.
    #[must_use]
    pub fn esamina(&self, prefisso: &str, contesto: &Contesto<'_>) -> Option<Violazione> {
        self.esamina_al(|| percorso(prefisso, &[]), contesto)
    }

    /// The same for what is asked for elsewhere than in a domanda.
    #[must_use]
    pub fn esamina_al(&self, dove: impl FnOnce() -> String, contesto: &Contesto<'_>) -> Option<Violazione> {
        // What is there was let in on its day, and is not asked again.
        if contesto.pregresso.is_some() {
            return None;
        }
        let oggi = contesto.oggi();
        if oggi >= self.dal && self.al.is_none_or(|al| oggi <= al) {
            return None;
        }
        let (periodo, period) = self.periodo();
        if contesto.ambiente != Ambiente::Produzione
            && let Some(fine) = self.fine_misura.filter(|fine| oggi > *fine)
        {
            return Some(
                Violazione::at(Codice::Fin102, dove())
                    .with("fine", fine)
                    .with("periodo", periodo),
            );
        }
        let codice = match contesto.ambiente {
            Ambiente::Produzione => Codice::Fin001,
            Ambiente::Sandbox | Ambiente::Collaudo => Codice::Fin101,
        };
        Some(
            Violazione::at(codice, dove())
                .with("periodo", periodo)
                .with("period", period)
                .with("rimedio", self.rimedio),
        )
    }

    /// In Italian and English.
    fn periodo(&self) -> (String, String) {
        let dal = self.dal;
        self.al.map_or_else(
            || (format!("dal {dal}"), format!("from {dal}")),
            |al| (format!("dal {dal} al {al}"), format!("from {dal} to {al}")),
        )
    }
}

/// What was sent, where it could be read: the rules refuse the rest (CF-001…, IBN-001…), on whatever day.
pub(crate) fn letto<T: Clone, E>(inviato: &Result<T, E>) -> Option<T> {
    inviato.as_ref().ok().cloned()
}

/// The same for what may lack: `None` where it is there and cannot be read.
#[expect(
    clippy::option_option,
    reason = "not there is a value, and cannot be read is another"
)]
pub(crate) fn letto_option<T: Clone, E>(inviato: Option<&Result<T, E>>) -> Option<Option<T>> {
    inviato.map(letto).map_or(Some(None), |letto| letto.map(Some))
}

/// Two that were both read, and are the same. Two omocodes are two persons.
#[must_use]
pub fn same(uno: &CodiceInviato, altro: &CodiceInviato) -> bool {
    matches!((uno, altro), (Ok(uno), Ok(altro)) if uno == altro)
}

/// CF-004, CF-005, CF-006 for one child: a provisional codice fiscale does not tell the birth, so `DataNascita` must;
/// beside one of sixteen characters it may only repeat it; nobody is born after the presentation
/// (spec/domain.md §7.1). `dove` makes the path of a field of the child.
#[must_use]
pub fn data_di_nascita(
    codice: &CodiceInviato,
    inviata: Option<Date>,
    oggi: Date,
    dove: impl Fn(&str) -> String,
) -> Option<Violazione> {
    let provvisorio = codice.as_ref().ok()?.is_provvisorio();
    match inviata {
        None if provvisorio => Some(Violazione::at(Codice::Cf004, dove("CodiceFiscale"))),
        Some(data) if provvisorio && data > oggi => Some(Violazione::at(Codice::Cf006, dove("DataNascita"))),
        _ if is_smentita(codice, inviata, oggi) => Some(Violazione::at(Codice::Cf005, dove("DataNascita"))),
        _ => None,
    }
}

/// Whether codice fiscale and `DataNascita` tell two different births.
#[must_use]
pub fn is_smentita(codice: &CodiceInviato, inviata: Option<Date>, oggi: Date) -> bool {
    match (codice, inviata) {
        (Ok(codice), Some(inviata)) => matches!(
            codice.data_nascita(oggi),
            Ok(Some(dal_codice)) if dal_codice != inviata
        ),
        _ => false,
    }
}

/// The documents of a domanda, each by [`allegato`].
#[must_use]
pub fn allegati(inviati: &[AllegatoInviato], prefisso: &str, contesto: &Contesto<'_>) -> Vec<Violazione> {
    (1_usize..)
        .zip(inviati)
        .flat_map(|(posto, inviato)| {
            let quale = format!("Allegato[{posto}]");
            allegato(
                inviato,
                |campo| percorso(prefisso, &["Allegati", &quale, campo]),
                contesto,
            )
        })
        .collect()
}

/// ALL-001 to ALL-005: a document is what its imprint says, not empty, not over the limit, in the format that it is said
/// to be in, and its name says the same. `dove` makes the path of one of its fields.
#[must_use]
pub fn allegato(
    inviato: &AllegatoInviato,
    dove: impl Fn(&str) -> String,
    contesto: &Contesto<'_>,
) -> Vec<Violazione> {
    let al = |codice, campo| Violazione::at(codice, dove(campo));
    let mut trovate = Vec::new();
    if let Some(motivo) = nome_file_errato(&inviato.nome_file, inviato.tipo_mime) {
        let errato = al(Codice::All005, "NomeFile")
            .with("motivo", motivo)
            .with("estensioni", inviato.tipo_mime.estensioni().join(", ."))
            .with("tipo", inviato.tipo_mime.as_str());
        trovate.push(errato);
    }
    if let Some(dichiarata) = &inviato.impronta_dichiarata
        && *dichiarata != hex(&inviato.impronta)
    {
        trovate.push(al(Codice::All001, "Impronta"));
    }
    let massimo = contesto.allegato_bytes_max;
    if inviato.bytes_len == 0 {
        trovate.push(al(Codice::All003, "Contenuto"));
    } else if inviato.bytes_len > massimo {
        trovate.push(al(Codice::All002, "Contenuto").with("massimo", massimo));
    } else if !inviato.formato.is(inviato.tipo_mime) {
        let bugia = al(Codice::All004, "Contenuto")
            .with("dichiarato", inviato.tipo_mime.as_str())
            .with("sembra", inviato.formato.detto());
        trovate.push(bugia);
    }
    trovate
}

/// CF-001, CF-002, CF-003, and CF-101 for a provisional one. `entro` is the latest day of birth that makes sense,
/// which decides the century and so whether there was a 29 February (DM 23/12/1976; spec/domain.md §7.1).
#[must_use]
pub fn codice_fiscale(
    inviato: &CodiceInviato,
    dove: impl FnOnce() -> String,
    entro: Date,
) -> Option<Violazione> {
    match inviato {
        Err(errore) => Some(codice_errato(*errore, dove())),
        Ok(codice) if codice.is_provvisorio() => Some(Violazione::at(Codice::Cf101, dove())),
        Ok(codice) => codice
            .data_nascita(entro)
            .err()
            .map(|errore| codice_errato(errore, dove())),
    }
}

/// CF-001, CF-002, CF-003 alone: for who also stands elsewhere in the domanda, where the rest is told.
#[must_use]
pub fn codice_illeggibile(inviato: &CodiceInviato, dove: String) -> Option<Violazione> {
    inviato.as_ref().err().map(|errore| codice_errato(*errore, dove))
}

fn codice_errato(errore: CodiceFiscaleErrato, dove: String) -> Violazione {
    let codice = match errore {
        CodiceFiscaleErrato::Forma => Codice::Cf001,
        CodiceFiscaleErrato::Controllo => Codice::Cf002,
        CodiceFiscaleErrato::Data => Codice::Cf003,
    };
    Violazione::at(codice, dove)
}

/// PAT-001 to PAT-005: the block of the patronato says the same as certificate and Identity, and the mandate was
/// given before it was used (L. 152/2001: patronati act on a mandate; DPR 445/2000 art. 53 for the mittente).
/// Offline there is neither certificate nor Identity, and the first three are left out.
#[must_use]
pub fn assistenza(
    inviata: &Assistenza,
    prefisso: &str,
    contesto: &Contesto<'_>,
    oggi: Date,
) -> Vec<Violazione> {
    assistenza_al(inviata, |campi| percorso(prefisso, campi), contesto, oggi)
}

/// The same for a block that stands elsewhere than in a domanda: `dove` makes the path of one of its fields.
#[must_use]
pub fn assistenza_al(
    inviata: &Assistenza,
    dove: impl Fn(&[&str]) -> String,
    contesto: &Contesto<'_>,
    oggi: Date,
) -> Vec<Violazione> {
    let al = |codice, campi: &[&str]| Violazione::at(codice, dove(campi));
    let mut trovate = Vec::new();

    if let Some(giorno) = inviata.data_pratica
        && !is_plausibile(giorno)
    {
        trovate.push(al(Codice::Pat005, &["DataPratica"]));
    }
    if let Some(ente) = contesto.ente
        && inviata.codice_patronato != ente.as_str()
    {
        trovate.push(al(Codice::Pat001, &["Patronato", "Codice"]).with("ente", ente));
    }
    if let Some(ufficio) = contesto.codice_ufficio
        && inviata.codice_ufficio != ufficio.as_str()
    {
        trovate.push(al(Codice::Pat002, &["Patronato", "Ufficio"]).with("ufficio", ufficio));
    }
    // A UserId may be a codice fiscale: the sentence does not repeat it.
    if let Some(user_id) = contesto.user_id
        && inviata.operatore != user_id.as_str()
    {
        trovate.push(al(Codice::Pat003, &["Operatore"]));
    }
    if !is_plausibile(inviata.mandato_data) {
        trovate.push(al(Codice::Pat005, &["Mandato", "Data"]));
    } else if inviata.mandato_data > oggi {
        trovate.push(al(Codice::Pat004, &["Mandato", "Data"]).with("presentazione", oggi));
    }
    trovate
}

/// Years outside these are slips of the keyboard (`0021-07-01`, `20211-07-01`).
fn is_plausibile(giorno: Date) -> bool {
    (1900..=2999).contains(&giorno.year())
}

/// IBN-001 to IBN-009, IBN-101: the IBAN, its country on the day of presentation, and what the modality asks
/// (spec/domain.md §3 PAG-AT, §7.2). `puo_non_intestare`: the account may be somebody else's.
#[must_use]
pub fn pagamento(
    inviato: &PagamentoInviato,
    prefisso: &str,
    puo_non_intestare: bool,
    oggi: Date,
) -> Vec<Violazione> {
    pagamento_al(
        inviato,
        &|campi| percorso(prefisso, campi),
        puo_non_intestare,
        oggi,
    )
}

/// The same for a payment that stands elsewhere than in a domanda: `dove` makes the path of one of its fields.
#[must_use]
pub fn pagamento_al(
    inviato: &PagamentoInviato,
    dove: &dyn Fn(&[&str]) -> String,
    puo_non_intestare: bool,
    oggi: Date,
) -> Vec<Violazione> {
    let modalita = inviato.modalita;
    let al = |codice, campi: &[&str]| Violazione::at(codice, dove(campi));
    let con_modalita = |codice, campi| al(codice, campi).with("modalita", modalita.as_str());
    let a_pagamento: &[&str] = &["Pagamento"];
    let all_iban: &[&str] = &["Pagamento", "Iban"];
    let all_intestato: &[&str] = &["Pagamento", "IntestatoRichiedente"];

    let vuole_iban = modalita != Modalita::BonificoDomiciliato;
    match (&inviato.iban, inviato.intestato_richiedente) {
        (None, None) if !vuole_iban => Vec::new(),
        (None, Some(_)) if !vuole_iban => vec![con_modalita(Codice::Ibn009, all_intestato)],
        // With the IBAN goes what stands beside it: one fault.
        (Some(_), _) if !vuole_iban => vec![con_modalita(Codice::Ibn005, all_iban)],
        (None, _) => vec![con_modalita(Codice::Ibn006, a_pagamento)],
        (Some(iban), intestato) => {
            let all_iban = || dove(all_iban);
            let dell_iban = iban_raggiungibile(iban, all_iban, oggi)
                .or_else(|| iban_adatto(iban.as_ref().ok()?, modalita, all_iban));
            let dell_intestazione = match intestato {
                None => Some(al(Codice::Ibn007, a_pagamento)),
                Some(false) if !puo_non_intestare => Some(al(Codice::Ibn008, all_intestato)),
                Some(_) => None,
            };
            dell_iban.into_iter().chain(dell_intestazione).collect()
        }
    }
}

fn iban_errato(errore: IbanErrato, dove: String) -> Violazione {
    match errore {
        IbanErrato::Forma { paese } => {
            Violazione::at(Codice::Ibn001, dove).with("atteso", forma_attesa(paese))
        }
        IbanErrato::Controllo => Violazione::at(Codice::Ibn002, dove),
        IbanErrato::Cin => Violazione::at(Codice::Ibn003, dove),
    }
}

/// Country and structure as SWIFT writes them: the same in every language.
fn forma_attesa(paese: Option<&Paese>) -> String {
    paese.map_or_else(
        || "2!a2!n30c".to_owned(),
        |paese| format!("{}2!n{} ({})", paese.codice, paese.bban, paese.lunghezza()),
    )
}

/// IBN-001 to IBN-004: an IBAN that is one, of a country that payments reach on that day.
#[must_use]
pub fn iban_raggiungibile(
    inviato: &Result<Iban, IbanErrato>,
    dove: impl FnOnce() -> String,
    oggi: Date,
) -> Option<Violazione> {
    match inviato {
        Err(errore) => Some(iban_errato(*errore, dove())),
        Ok(iban) if !iban.in_sepa(oggi) => {
            Some(Violazione::at(Codice::Ibn004, dove()).with("paese", iban.paese()))
        }
        Ok(_) => None,
    }
}

/// One finding at most: an account that no payment reaches is not also of the wrong modality.
fn iban_adatto(iban: &Iban, modalita: Modalita, dove: impl FnOnce() -> String) -> Option<Violazione> {
    let adatto = match modalita {
        Modalita::ContoCorrente | Modalita::LibrettoPostale | Modalita::CartaPrepagata => iban.is_italiano(),
        Modalita::ContoEstero => !iban.is_italiano(),
        Modalita::BonificoDomiciliato => false,
    };
    if !adatto {
        return Some(Violazione::at(Codice::Ibn005, dove()).with("modalita", modalita.as_str()));
    }
    // The Poste have other ABIs too (cards: 36081): a doubt, not a fault.
    (modalita == Modalita::LibrettoPostale && !iban.is_postale())
        .then(|| Violazione::at(Codice::Ibn101, dove()))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_rule_is_silent_then_warns_then_refuses() {
        let vigenza = Vigenza {
            avvisa_dal: date(2021, 9, 1),
            rifiuta_dal: date(2021, 10, 1),
        };
        for (giorno, atteso) in [
            (date(2021, 8, 31), Peso::Tace),
            (date(2021, 9, 1), Peso::Avvisa),
            (date(2021, 9, 30), Peso::Avvisa),
            (date(2021, 10, 1), Peso::Rifiuta),
        ] {
            assert_eq!(vigenza.peso(giorno), atteso, "{giorno}");
        }
        assert_eq!(Vigenza::SEMPRE.peso(Date::MIN), Peso::Rifiuta);
    }

    #[test]
    fn the_day_parts_violations_from_warnings() {
        fn vigenza(codice: Codice) -> Vigenza {
            match codice {
                Codice::Cf002 => Vigenza::dal(date(2021, 10, 1)),
                Codice::Cf003 => Vigenza {
                    avvisa_dal: date(2021, 7, 1),
                    rifiuta_dal: date(2022, 1, 1),
                },
                _ => Vigenza::SEMPRE,
            }
        }
        let trovate = [Codice::Cf101, Codice::Cf003, Codice::Cf002, Codice::Cf001]
            .map(|codice| Violazione::at(codice, "/at:Domanda"))
            .to_vec();
        let esame = pesa(trovate, date(2021, 8, 1), vigenza, &[]);
        let codici = |elenco: &[Violazione]| elenco.iter().map(|v| v.codice).collect::<Vec<_>>();
        assert_eq!(codici(&esame.violazioni), [Codice::Cf001]);
        assert_eq!(codici(&esame.avvisi), [Codice::Cf101, Codice::Cf003]);
    }

    #[test]
    fn findings_stand_in_the_order_of_the_domanda_and_are_bounded() {
        let dove = |campi: &[&str]| percorso("at", campi);
        let ordinati = [
            dove(&[]),
            dove(&["Mandato", "Data"]),
            dove(&["Minori"]),
            dove(&["Minori", "Minore[2]", "Qualita"]),
            dove(&["Minori", "Minore[2]", "CodiceFiscale"]),
            dove(&["Minori", "Minore[10]", "Qualita"]),
        ];
        assert_eq!(ordinati[3], "/at:Domanda/at:Minori/at:Minore[2]/at:Qualita");
        let campi = [
            "Domanda",
            "Mandato",
            "Data",
            "Minori",
            "Minore",
            "Qualita",
            "CodiceFiscale",
        ];
        let al_contrario: Vec<Violazione> = ordinati
            .iter()
            .rev()
            .map(|dove| Violazione::at(Codice::Cf001, dove))
            .collect();
        let esame = pesa(al_contrario, date(2021, 8, 1), |_| Vigenza::SEMPRE, &campi);
        let dove: Vec<&str> = esame.violazioni.iter().map(|v| v.dove.as_str()).collect();
        assert_eq!(dove, ordinati);

        let troppe = vec![Violazione::at(Codice::Cf001, "/at:Domanda"); VIOLAZIONI_MAX + 1];
        let esame = pesa(troppe, date(2021, 8, 1), |_| Vigenza::SEMPRE, &campi);
        assert_eq!(esame.violazioni.len(), VIOLAZIONI_MAX);
    }
}
