//! The states of a sheet, the moves between them and what the patronato may do in each (spec/domain.md §5.1, §5.2).
//! All three are data: the database's guard, the engine's contract and the rules read the same tables.
//!
//! A draft (BOZZA) is no state here: it has no protocol number and never reaches the gateway.

use super::codelista::codelista;

codelista! {
    /// The state of a sheet.
    StatoDomanda {
        /// Registered, not yet worked.
        Presentata = "PRESENTATA",
        /// Checks are running.
        InIstruttoria = "IN_ISTRUTTORIA",
        /// The citizen, or the patronato, must add documents or data.
        InEvidenzaCittadino = "IN_EVIDENZA_CITTADINO",
        /// An INPS office must act.
        InEvidenzaSede = "IN_EVIDENZA_SEDE",
        /// Stopped until something is cleared.
        Sospesa = "SOSPESA",
        /// Accepted, perhaps not yet paid.
        Accolta = "ACCOLTA",
        /// A requirement is missing.
        Respinta = "RESPINTA",
        /// A requirement was lost later.
        Decaduta = "DECADUTA",
        /// False or omitted statements.
        Revocata = "REVOCATA",
        /// Given up by the applicant.
        Rinunciata = "RINUNCIATA",
        /// Another domanda has taken its place.
        Sostituita = "SOSTITUITA",
        /// Its registration was annulled (DPR 445/2000 art. 54).
        Annullata = "ANNULLATA",
    }
}

codelista! {
    /// What the sheet waits for; beside the state, not instead of it.
    AzioneRichiesta {
        /// Nothing.
        Nessuna = "NESSUNA",
        /// Documents.
        AllegareDocumenti = "ALLEGARE_DOCUMENTI",
        /// The child's data.
        AggiornareDatiFiglio = "AGGIORNARE_DATI_FIGLIO",
        /// Another IBAN.
        AggiornareIban = "AGGIORNARE_IBAN",
        /// The other parent's data.
        IntegrareAltroGenitore = "INTEGRARE_ALTRO_GENITORE",
    }
}

codelista! {
    /// From which side of the store a move is made.
    Parte {
        /// The benefit engine, by its contract.
        Motore = "MOTORE",
        /// The patronato, by an act: the gateway makes it.
        Patronato = "PATRONATO",
        /// The office, by an annulment in the register.
        Ufficio = "UFFICIO",
    }
}

/// What the patronato may do with a sheet that was presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Azione {
    /// `ModificaDomanda`: any data.
    Modificare,
    /// `ModificaDomanda`: only what was asked for.
    ModificareQuantoRichiesto,
    /// `ModificaDomanda`: only payment and split.
    ModificarePagamento,
    /// `RinunciaDomanda`.
    Rinunciare,
    /// `AggiungiMinore`.
    AggiungereMinore,
    /// `CompletaSecondoGenitore`, and the change of the split.
    CompletareSecondoGenitore,
    /// `AllegaDocumento`.
    Allegare,
    /// `RichiediRiesame`.
    ChiedereRiesame,
    /// `InviaDomanda` for the same child.
    Ripresentare,
}

impl Azione {
    /// The operation that does it.
    #[must_use]
    pub fn operazione(self) -> &'static str {
        match self {
            Self::Modificare | Self::ModificareQuantoRichiesto | Self::ModificarePagamento => {
                "ModificaDomanda"
            }
            Self::Rinunciare => "RinunciaDomanda",
            Self::AggiungereMinore => "AggiungiMinore",
            Self::CompletareSecondoGenitore => "CompletaSecondoGenitore",
            Self::Allegare => "AllegaDocumento",
            Self::ChiedereRiesame => "RichiediRiesame",
            Self::Ripresentare => "InviaDomanda",
        }
    }
}

impl StatoDomanda {
    /// Whether the sheet is live: its child may not be sent again (AT-6).
    #[must_use]
    pub fn is_live(self) -> bool {
        !self.allows(Azione::Ripresentare)
    }

    /// Whether the patronato may do this in this state. Reading is always allowed and is no action.
    #[must_use]
    pub fn allows(self, azione: Azione) -> bool {
        self.azioni().contains(&azione)
    }

    /// What the patronato may do: the columns of spec/domain.md §5.2.
    #[must_use]
    pub fn azioni(self) -> &'static [Azione] {
        use Azione::{
            AggiungereMinore, Allegare, ChiedereRiesame, CompletareSecondoGenitore, Modificare,
            ModificarePagamento, ModificareQuantoRichiesto, Rinunciare, Ripresentare,
        };
        match self {
            Self::Presentata => &[
                Modificare,
                Rinunciare,
                AggiungereMinore,
                CompletareSecondoGenitore,
                Allegare,
            ],
            Self::InEvidenzaCittadino => &[
                ModificareQuantoRichiesto,
                Rinunciare,
                AggiungereMinore,
                CompletareSecondoGenitore,
                Allegare,
            ],
            // §5.2 has no column for SOSPESA: it waits for the office, so it is held as IN_EVIDENZA_SEDE is.
            Self::InIstruttoria | Self::InEvidenzaSede | Self::Sospesa => {
                &[Rinunciare, AggiungereMinore, CompletareSecondoGenitore, Allegare]
            }
            Self::Accolta => &[
                ModificarePagamento,
                Rinunciare,
                AggiungereMinore,
                CompletareSecondoGenitore,
                Allegare,
                ChiedereRiesame,
            ],
            // A child is added to these only if another sheet of the domanda is live: the operation looks.
            Self::Respinta | Self::Decaduta | Self::Revocata => {
                &[AggiungereMinore, ChiedereRiesame, Ripresentare]
            }
            Self::Rinunciata | Self::Sostituita | Self::Annullata => &[Ripresentare],
        }
    }

    /// The states that may follow this one.
    #[must_use]
    pub fn mosse(self) -> &'static [Self] {
        match self {
            // SOSTITUITA also before any work: the adult child's own domanda (AU-5) waits for nobody.
            Self::Presentata => &[
                Self::InIstruttoria,
                Self::Rinunciata,
                Self::Sostituita,
                Self::Annullata,
            ],
            Self::InIstruttoria | Self::InEvidenzaCittadino | Self::InEvidenzaSede | Self::Sospesa => &[
                Self::InIstruttoria,
                Self::InEvidenzaCittadino,
                Self::InEvidenzaSede,
                Self::Sospesa,
                Self::Accolta,
                Self::Respinta,
                Self::Rinunciata,
                Self::Sostituita,
                Self::Annullata,
            ],
            // Back to the checks by riesame, or because something changed after acceptance.
            Self::Accolta => &[
                Self::InIstruttoria,
                Self::InEvidenzaCittadino,
                Self::InEvidenzaSede,
                Self::Sospesa,
                Self::Decaduta,
                Self::Revocata,
                Self::Rinunciata,
                Self::Sostituita,
                Self::Annullata,
            ],
            Self::Respinta | Self::Decaduta | Self::Revocata => &[Self::InIstruttoria, Self::Annullata],
            Self::Rinunciata | Self::Sostituita => &[Self::Annullata],
            Self::Annullata => &[],
        }
    }

    /// Who brings a sheet into this state: whoever its meaning is up to.
    #[must_use]
    pub fn chi(self) -> Parte {
        match self {
            // SOSTITUITA: the child's own domanda does it, which the engine cannot bring.
            Self::Presentata | Self::Rinunciata | Self::Sostituita => Parte::Patronato,
            Self::Annullata => Parte::Ufficio,
            Self::InIstruttoria
            | Self::InEvidenzaCittadino
            | Self::InEvidenzaSede
            | Self::Sospesa
            | Self::Accolta
            | Self::Respinta
            | Self::Decaduta
            | Self::Revocata => Parte::Motore,
        }
    }

    /// Whether that state may follow this one. A state does not follow itself.
    #[must_use]
    pub fn may_become(self, dopo: Self) -> bool {
        self != dopo && self.mosse().contains(&dopo)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_are_those_whose_child_may_not_be_sent_again() {
        let vive: Vec<&str> = StatoDomanda::TUTTI
            .iter()
            .filter(|stato| stato.is_live())
            .map(|stato| stato.as_str())
            .collect();
        assert_eq!(
            vive,
            [
                "PRESENTATA",
                "IN_ISTRUTTORIA",
                "IN_EVIDENZA_CITTADINO",
                "IN_EVIDENZA_SEDE",
                "SOSPESA",
                "ACCOLTA",
            ]
        );
    }

    #[test]
    fn the_words_are_those_of_the_contract() {
        let xsd = include_str!("../../xsd/cooperazione-v1.xsd");
        for (tipo, parole) in [
            (
                "StatoDomanda",
                StatoDomanda::TUTTI.iter().map(|p| p.as_str()).collect::<Vec<_>>(),
            ),
            (
                "AzioneRichiesta",
                AzioneRichiesta::TUTTI.iter().map(|p| p.as_str()).collect(),
            ),
        ] {
            let (_, dopo) = xsd
                .split_once(&format!("<xs:simpleType name=\"{tipo}\">"))
                .unwrap();
            let (dentro, _) = dopo.split_once("</xs:simpleType>").unwrap();
            let attese: Vec<&str> = dentro
                .split("<xs:enumeration value=\"")
                .skip(1)
                .filter_map(|resto| resto.split('"').next())
                .collect();
            assert_eq!(parole, attese, "{tipo}");
        }
    }

    #[test]
    fn a_state_never_follows_itself_and_an_annulment_is_final() {
        for stato in StatoDomanda::TUTTI {
            assert!(!stato.may_become(*stato));
            assert!(!StatoDomanda::Annullata.may_become(*stato));
            assert_eq!(StatoDomanda::parse(stato.as_str()), Some(*stato));
        }
        assert!(StatoDomanda::Presentata.may_become(StatoDomanda::InIstruttoria));
        assert!(!StatoDomanda::Presentata.may_become(StatoDomanda::Accolta));
        let vive = StatoDomanda::TUTTI.iter().filter(|stato| stato.is_live());
        assert!(
            vive.into_iter()
                .all(|viva| viva.may_become(StatoDomanda::Sostituita))
        );
        assert!(StatoDomanda::Respinta.may_become(StatoDomanda::InIstruttoria));
    }
}
