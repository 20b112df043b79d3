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
    Lato {
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

/// A part of a sheet, or of the domanda that it stands in, that `ModificaDomanda` may touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Parte {
    /// Whatever is none of the following.
    Dati,
    /// Who the other parent is.
    AltroGenitore,
    /// How to pay who asks.
    Pagamento,
    /// How to pay the other parent.
    PagamentoAltroGenitore,
    /// How the sum is split.
    Ripartizione,
    /// Documents beside those that are there.
    Documenti,
}

impl Parte {
    /// As people are told.
    #[must_use]
    pub fn nome(self) -> &'static str {
        match self {
            Self::Dati => "dati",
            Self::AltroGenitore => "altro genitore",
            Self::Pagamento => "pagamento",
            Self::PagamentoAltroGenitore => "pagamento dell'altro genitore",
            Self::Ripartizione => "ripartizione",
            Self::Documenti => "documenti",
        }
    }
}

impl AzioneRichiesta {
    /// Whether what was asked for is given when this part changes.
    #[must_use]
    pub fn is_answered_by(self, parte: Parte) -> bool {
        match self {
            Self::Nessuna => false,
            Self::AllegareDocumenti => parte == Parte::Documenti,
            Self::AggiornareDatiFiglio => matches!(parte, Parte::Dati | Parte::AltroGenitore),
            Self::AggiornareIban => matches!(parte, Parte::Pagamento | Parte::PagamentoAltroGenitore),
            Self::IntegrareAltroGenitore => matches!(
                parte,
                Parte::AltroGenitore | Parte::PagamentoAltroGenitore | Parte::Ripartizione
            ),
        }
    }
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

    /// What `ModificaDomanda` may touch of a sheet in this state, of which that is asked (spec/domain.md §5.2): before any
    /// work all of it; once accepted how it is paid; where the citizen must act, what was asked for, and how it is paid,
    /// since nobody shall wait with a wrong IBAN. Documents go with either: an account abroad asks for its form.
    #[must_use]
    pub fn modificabili(self, azione: AzioneRichiesta) -> &'static [Parte] {
        use Parte::{AltroGenitore, Dati, Documenti, Pagamento, PagamentoAltroGenitore, Ripartizione};
        const TUTTE: &[Parte] = &[
            Dati,
            AltroGenitore,
            Pagamento,
            PagamentoAltroGenitore,
            Ripartizione,
            Documenti,
        ];
        // Each begins where the one before it leaves a part out.
        let (altro_genitore, pagamento) = (&TUTTE[1..], &TUTTE[2..]);
        if self.allows(Azione::Modificare) {
            return TUTTE;
        }
        if self.allows(Azione::ModificareQuantoRichiesto) {
            return match azione {
                AzioneRichiesta::AggiornareDatiFiglio => TUTTE,
                AzioneRichiesta::IntegrareAltroGenitore => altro_genitore,
                AzioneRichiesta::Nessuna
                | AzioneRichiesta::AllegareDocumenti
                | AzioneRichiesta::AggiornareIban => pagamento,
            };
        }
        if self.allows(Azione::ModificarePagamento) {
            return pagamento;
        }
        &[]
    }

    /// Whether the engine brought the sheet here: its work has begun, or is done.
    #[must_use]
    pub fn is_lavorata(self) -> bool {
        match self {
            Self::InIstruttoria
            | Self::InEvidenzaCittadino
            | Self::InEvidenzaSede
            | Self::Sospesa
            | Self::Accolta
            | Self::Respinta
            | Self::Decaduta
            | Self::Revocata => true,
            Self::Presentata | Self::Rinunciata | Self::Sostituita | Self::Annullata => false,
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
    pub fn chi(self) -> Lato {
        match self {
            // SOSTITUITA: the child's own domanda does it, which the engine cannot bring.
            Self::Presentata | Self::Rinunciata | Self::Sostituita => Lato::Patronato,
            Self::Annullata => Lato::Ufficio,
            Self::InIstruttoria
            | Self::InEvidenzaCittadino
            | Self::InEvidenzaSede
            | Self::Sospesa
            | Self::Accolta
            | Self::Respinta
            | Self::Decaduta
            | Self::Revocata => Lato::Motore,
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
    fn what_was_asked_for_can_be_given_where_it_is_asked() {
        use AzioneRichiesta::{
            AggiornareDatiFiglio, AggiornareIban, AllegareDocumenti, IntegrareAltroGenitore,
        };
        let stato = StatoDomanda::InEvidenzaCittadino;
        for azione in [
            AllegareDocumenti,
            AggiornareDatiFiglio,
            AggiornareIban,
            IntegrareAltroGenitore,
        ] {
            let modificabili = stato.modificabili(azione);
            assert!(
                modificabili.iter().any(|parte| azione.is_answered_by(*parte)),
                "{}",
                azione.as_str()
            );
        }
        assert!(!stato.modificabili(AggiornareIban).contains(&Parte::Dati));
    }

    #[test]
    fn before_any_work_all_may_change_and_afterwards_how_it_is_paid() {
        for stato in StatoDomanda::TUTTI {
            let modificabili = stato.modificabili(AzioneRichiesta::Nessuna);
            let attese: &[&str] = match stato {
                StatoDomanda::Presentata => &[
                    "dati",
                    "altro genitore",
                    "pagamento",
                    "pagamento dell'altro genitore",
                    "ripartizione",
                    "documenti",
                ],
                StatoDomanda::InEvidenzaCittadino | StatoDomanda::Accolta => &[
                    "pagamento",
                    "pagamento dell'altro genitore",
                    "ripartizione",
                    "documenti",
                ],
                _ => &[],
            };
            let nomi: Vec<&str> = modificabili.iter().map(|parte| parte.nome()).collect();
            assert_eq!(nomi, attese, "{}", stato.as_str());
        }
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
