//! How the assegno unico is paid (codelist PAG-AUU, circ. INPS 23/2022 §7): on an account anywhere in SEPA, or in cash
//! at a post office; as sent, so that the rules can say what is wrong.

use crate::domanda::Iban;
use crate::domanda::codelista::codelista;
use crate::domanda::pagamento::IbanErrato;
use crate::domanda::persona::CodiceInviato;

/// How to pay, as sent.
#[derive(Clone, PartialEq, Eq)]
pub struct PagamentoInviato {
    /// The modality.
    pub modalita: Modalita,
    /// The account, where the modality has one.
    pub conto: Option<Conto>,
}

/// How to pay one other parent's half, as sent.
#[derive(Clone, PartialEq, Eq)]
pub struct PagamentoAltroInviato {
    /// Which other parent.
    pub codice_fiscale: CodiceInviato,
    /// How to pay them.
    pub pagamento: PagamentoInviato,
}

/// An account, as sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Conto {
    /// What it is.
    pub strumento: Strumento,
    /// Its IBAN, or what is wrong with it.
    pub iban: Result<Iban, IbanErrato>,
    /// Whose it is.
    pub intestatario: QualitaIntestatario,
    /// Their codice fiscale.
    pub intestatario_codice: CodiceInviato,
}

codelista! {
    /// The modalities of payment.
    Modalita {
        /// On an account.
        Iban = "IBAN",
        /// Cash at the counter of an Italian post office.
        ContantePoste = "CONTANTE_POSTE",
        /// On the card of the Reddito di cittadinanza: paid without asking.
        CartaRdc = "CARTA_RDC",
    }
}

codelista! {
    /// What the account is.
    Strumento {
        /// Account at a bank.
        CcBancario = "CC_BANCARIO",
        /// Account at the Poste.
        CcPostale = "CC_POSTALE",
        /// Credit or debit card that has an IBAN.
        CartaCreditoDebito = "CARTA_CREDITO_DEBITO",
        /// Savings book that has an IBAN.
        LibrettoRisparmio = "LIBRETTO_RISPARMIO",
    }
}

codelista! {
    /// Whose the account is, alone or with others.
    QualitaIntestatario {
        /// Who asks; also the adult child who asks for itself.
        Richiedente = "RICHIEDENTE",
        /// The other parent, for their half.
        AltroGenitore = "ALTRO_GENITORE",
        /// The parent under tutelage.
        GenitoreTutelato = "GENITORE_TUTELATO",
        /// Another of the tutors or custodians.
        AltroTutoreAffidatario = "ALTRO_TUTORE_AFFIDATARIO",
    }
}

impl PagamentoInviato {
    /// The account of a payment that goes on one.
    #[must_use]
    pub fn conto_da_usare(&self) -> Option<&Conto> {
        self.conto.as_ref().filter(|_| self.modalita == Modalita::Iban)
    }
}
