//! The porte di dominio of an ente, `[[ente.pdd]]`: under which name it sends on SPCoop, by which rules, and who operates
//! where no header Identity says so.

use std::str::FromStr;

use toml::de::DeTable;

use super::documento::{nearest, specie};
use super::file::Lettura;
use crate::egov::{Dominio, Parte, RegoleBusta};
use crate::patronato::{CodiceUfficio, UserId};

/// One name under which an ente sends on SPCoop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortaEnte {
    /// The Mittente of its buste.
    pub parte: Parte,
    /// The code of its porta, which its Identificativi bear; `None` = any.
    pub porta: Option<String>,
    /// By which rules its buste are read.
    pub regole: RegoleBusta,
    /// Who operates, where no header Identity says so; `None` = Identity must be there.
    pub operatore: Option<(UserId, CodiceUfficio)>,
}

const CHIAVI: &[&str] = &["mittente", "tipo", "porta", "regole", "user_id", "codice_ufficio"];

impl<'a> Lettura<'a> {
    /// The porte of an ente.
    pub(super) fn pdd(
        &mut self,
        ente: &str,
        uffici: &[CodiceUfficio],
        tabella: &DeTable<'a>,
    ) -> Vec<PortaEnte> {
        let Some(valore) = tabella.get("pdd") else {
            return Vec::new();
        };
        let riga = self.documento.riga(valore.span().start);
        let Some(lista) = valore.get_ref().as_array() else {
            let trovato = specie(valore.get_ref());
            self.documento.tell(
                riga,
                format!("pdd: atteso un blocco [[ente.pdd]] per ogni porta, trovato {trovato}"),
            );
            return Vec::new();
        };
        let mut porte = Vec::new();
        for voce in lista {
            let riga = self.documento.riga(voce.span().start);
            match voce.get_ref().as_table() {
                Some(tabella) => porte.extend(self.porta(riga, ente, uffici, tabella)),
                None => self.documento.tell(riga, "pdd: atteso un blocco [[ente.pdd]]"),
            }
        }
        porte
    }

    fn porta(
        &mut self,
        riga: usize,
        ente: &str,
        uffici: &[CodiceUfficio],
        tabella: &DeTable<'a>,
    ) -> Option<PortaEnte> {
        self.documento.refuse_unknown("ente.pdd.", tabella, CHIAVI);
        let Some((mittente, riga_mittente)) = self.documento.text(tabella, "mittente") else {
            if tabella.get("mittente").is_none() {
                self.documento
                    .tell(riga, format!("ente {ente}: pdd senza «mittente»"));
            }
            return None;
        };
        let porta = self.documento.text(tabella, "porta");
        let codice = porta.as_ref().map_or("PDD", |(codice, _)| codice.as_str());
        if let Err(errato) = Dominio::new(&mittente, codice) {
            let (chiave, riga) = match (errato.campo, &porta) {
                ("porta", Some((_, riga))) => ("porta", *riga),
                _ => ("mittente", riga_mittente),
            };
            self.documento.tell(
                riga,
                format!("pdd.{chiave}: solo lettere e cifre (è parte di ogni Identificatore)"),
            );
            return None;
        }
        let tipo = self.documento.text(tabella, "tipo").map(|(tipo, _)| tipo);
        let parte = Parte {
            tipo: tipo.unwrap_or_else(|| Parte::spc("").tipo),
            nome: mittente,
            indirizzo: None,
        };
        let nome = (parte.tipo.clone(), parte.nome.clone());
        if let Some(prima) = self.mittenti.insert(nome, riga_mittente) {
            self.documento.tell(
                riga_mittente,
                format!("pdd.mittente «{}» già usato alla riga {prima}", parte.nome),
            );
        }
        let regole = self.regole(tabella)?;
        let operatore = self.operatore(riga, ente, uffici, tabella);
        Some(PortaEnte {
            parte,
            porta: porta.map(|(codice, _)| codice),
            regole,
            operatore,
        })
    }

    fn regole(&mut self, tabella: &DeTable<'a>) -> Option<RegoleBusta> {
        let Some((testo, riga)) = self.documento.text(tabella, "regole") else {
            return Some(RegoleBusta::LineeGuida11);
        };
        let lette = RegoleBusta::parse(&testo);
        if lette.is_none() {
            let note: Vec<&str> = RegoleBusta::TUTTI.iter().map(|regole| regole.as_str()).collect();
            let detto = match nearest(&testo, &note) {
                Some(vicina) => format!("pdd.regole «{testo}»: forse «{vicina}»?"),
                None => format!("pdd.regole «{testo}»: si può scrivere «{}»", note.join("» o «")),
            };
            self.documento.tell(riga, detto);
        }
        lette
    }

    /// Both or neither: half an operator is nobody.
    fn operatore(
        &mut self,
        riga: usize,
        ente: &str,
        uffici: &[CodiceUfficio],
        tabella: &DeTable<'a>,
    ) -> Option<(UserId, CodiceUfficio)> {
        let user_id = self.documento.text(tabella, "user_id");
        let ufficio = self.documento.text(tabella, "codice_ufficio");
        let ((user_id, riga_user), (ufficio, riga_ufficio)) = match (user_id, ufficio) {
            (Some(user_id), Some(ufficio)) => (user_id, ufficio),
            (None, None) => return None,
            _ => {
                self.documento.tell(
                    riga,
                    "pdd: user_id e codice_ufficio vanno scritti tutti e due, o nessuno (allora serve Identity)",
                );
                return None;
            }
        };
        let Ok(user_id) = UserId::from_str(&user_id) else {
            self.documento.tell(
                riga_user,
                "pdd.user_id: da 1 a 64 caratteri, senza caratteri di controllo",
            );
            return None;
        };
        let abilitato = CodiceUfficio::from_str(&ufficio)
            .ok()
            .filter(|ufficio| uffici.contains(ufficio));
        if abilitato.is_none() {
            self.documento.tell(
                riga_ufficio,
                format!("pdd.codice_ufficio «{ufficio}»: non è fra gli uffici dell'ente {ente}"),
            );
        }
        Some((user_id, abilitato?))
    }
}
