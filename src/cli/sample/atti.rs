//! Samples of acts about a domanda that is there, named by its protocol number.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Scrittore;
use crate::domanda::allegato::{TipoAllegato, TipoMime};
use crate::domanda::atto::riesame;
use crate::domanda::atto::rinuncia::Motivo;
use crate::domanda::campione::{Campo, Spunto};
use crate::prestazione::{Operazione, Prestazione};

/// Declares the prefix of the shared types.
const COOP: &str = " xmlns:coop=\"http://inps.it/cooperazione/v1\"";

/// The request element of `ModificaDomanda`.
#[must_use]
pub(super) fn modifica(
    prestazione: &'static Prestazione,
    spunto: &Spunto<'_>,
    chiave: &str,
    protocollo: &str,
) -> String {
    let mut richiesta = Scrittore::of(prestazione);
    richiesta.root(Operazione::ModificaDomanda.nome());
    richiesta.leaf("ChiaveInvio", chiave);
    richiesta.open_with("Modifica", COOP);
    richiesta.open("Riferimento");
    richiesta.within(None, |richiesta| richiesta.leaf("coop:Protocollo", protocollo));
    richiesta.close();
    richiesta.campo(&(prestazione.campione)(spunto));
    richiesta.close();
    richiesta.close();
    richiesta.testo
}

/// The request element of the operation that adds a child: the first one of the sample's domanda, with the payment of its
/// other parent where that one tells it.
#[must_use]
pub(super) fn aggiunta(
    prestazione: &'static Prestazione,
    operazione: Operazione,
    spunto: &Spunto<'_>,
    chiave: &str,
    protocollo: &str,
) -> String {
    let domanda = children((prestazione.campione)(spunto));
    let figlio = domanda.iter().find_map(|campo| match campo {
        Campo::Gruppo("Minori" | "Figli", figli) => figli.first(),
        _ => None,
    });
    let pagamento = domanda
        .iter()
        .find(|campo| matches!(campo, Campo::Gruppo("PagamentoAltroGenitore", _)));

    let mut richiesta = begin(prestazione, operazione, spunto, chiave, protocollo);
    for campo in figlio.into_iter().chain(pagamento) {
        richiesta.campo(campo);
    }
    richiesta.close();
    richiesta.close();
    richiesta.testo
}

/// The request element of `CompletaSecondoGenitore`, for the first child of the sample's domanda: split and payment of the
/// other parent's half as that one tells them.
#[must_use]
pub(super) fn completamento(
    prestazione: &'static Prestazione,
    spunto: &Spunto<'_>,
    chiave: &str,
    protocollo: &str,
) -> String {
    let domanda = children((prestazione.campione)(spunto));
    let figlio = domanda.iter().find_map(|campo| match campo {
        Campo::Gruppo("Minori" | "Figli", figli) => figli.first(),
        _ => None,
    });
    let mut richiesta = begin(
        prestazione,
        Operazione::CompletaSecondoGenitore,
        spunto,
        chiave,
        protocollo,
    );
    for campo in figlio.map(children_of).unwrap_or_default() {
        match campo {
            Campo::Foglia("CodiceFiscale", codice) => {
                richiesta.within(None, |richiesta| richiesta.leaf("coop:Figlio", codice));
            }
            Campo::Gruppo("AltroGenitore", altro) => {
                let Some(Campo::Foglia(_, codice)) = altro.first() else {
                    continue;
                };
                let foglia = |nome, testo: &str| Campo::Foglia(nome, testo.to_owned());
                let secondo = Campo::Gruppo(
                    "coop:SecondoGenitore",
                    vec![
                        foglia("coop:CodiceFiscale", codice),
                        foglia("coop:Nome", "GENITORE"),
                        foglia("coop:Cognome", "SECONDO"),
                    ],
                );
                richiesta.within(None, |richiesta| richiesta.campo(&secondo));
            }
            Campo::Foglia("Ripartizione", _) => richiesta.campo(campo),
            Campo::Foglia(..) | Campo::Gruppo(..) => {}
        }
    }
    let pagamento = domanda
        .iter()
        .find(|campo| matches!(campo, Campo::Gruppo("PagamentoAltroGenitore", _)));
    if let Some(pagamento) = pagamento {
        richiesta.campo(pagamento);
    }
    richiesta.close();
    richiesta.close();
    richiesta.testo
}

fn children(campo: Campo) -> Vec<Campo> {
    match campo {
        Campo::Gruppo(_, campi) => campi,
        Campo::Foglia(..) => Vec::new(),
    }
}

fn children_of(campo: &Campo) -> &[Campo] {
    match campo {
        Campo::Gruppo(_, campi) => campi,
        Campo::Foglia(..) => &[],
    }
}

/// The request element of `RinunciaDomanda`, for every sheet of a domanda.
#[must_use]
pub(super) fn rinuncia(
    prestazione: &'static Prestazione,
    spunto: &Spunto<'_>,
    chiave: &str,
    protocollo: &str,
) -> String {
    let operazione = Operazione::RinunciaDomanda;
    let mut richiesta = begin(prestazione, operazione, spunto, chiave, protocollo);
    let motivo = Motivo::ErroreCompilazione.as_str();
    richiesta.within(None, |richiesta| richiesta.leaf("coop:Motivo", motivo));
    richiesta.close();
    richiesta.close();
    richiesta.testo
}

/// The request element of `AllegaDocumento`, for every sheet of a domanda: a document of one empty page, which readers
/// open.
#[must_use]
pub(super) fn documento(
    prestazione: &'static Prestazione,
    spunto: &Spunto<'_>,
    chiave: &str,
    protocollo: &str,
) -> String {
    let foglia = |nome, testo: &str| Campo::Foglia(nome, testo.to_owned());
    let mut richiesta = begin(
        prestazione,
        Operazione::AllegaDocumento,
        spunto,
        chiave,
        protocollo,
    );
    richiesta.campo(&Campo::Gruppo(
        "Allegato",
        vec![
            foglia("Tipo", TipoAllegato::Altro.as_str()),
            foglia("NomeFile", "documento.pdf"),
            foglia("TipoMime", TipoMime::Pdf.as_str()),
            foglia("Contenuto", &STANDARD.encode(PDF_VUOTO)),
        ],
    ));
    richiesta.close();
    richiesta.close();
    richiesta.testo
}

/// The request element of `RichiediRiesame`, for the first sheet of a domanda.
#[must_use]
pub(super) fn riesame(
    prestazione: &'static Prestazione,
    spunto: &Spunto<'_>,
    chiave: &str,
    protocollo: &str,
) -> String {
    let foglia = |nome, testo: &str| Campo::Foglia(nome, testo.to_owned());
    let mut richiesta = begin(
        prestazione,
        Operazione::RichiediRiesame,
        spunto,
        chiave,
        protocollo,
    );
    for campo in [
        Campo::Gruppo("Schede", vec![foglia("Scheda", "1")]),
        foglia("Motivo", riesame::Motivo::RequisitoPosseduto.as_str()),
        foglia(
            "Motivazione",
            "Il requisito era posseduto alla data della domanda.",
        ),
    ] {
        richiesta.campo(&campo);
    }
    richiesta.close();
    richiesta.close();
    richiesta.testo
}

/// ISO 32000-1, annex H.2, without its cross-reference table, which readers make anew.
const PDF_VUOTO: &[u8] = b"%PDF-1.4
1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj
2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj
3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>> endobj
trailer <</Root 1 0 R>>
%%EOF
";

/// What every act begins with: its key, which domanda, who sends it on which mandate. Request and content stay open.
fn begin(
    prestazione: &'static Prestazione,
    operazione: Operazione,
    spunto: &Spunto<'_>,
    chiave: &str,
    protocollo: &str,
) -> Scrittore {
    let mittente = &spunto.mittente;
    let foglia = |nome, testo: &str| Campo::Foglia(nome, testo.to_owned());
    let atto = [
        Campo::Gruppo("coop:Riferimento", vec![foglia("coop:Protocollo", protocollo)]),
        Campo::Gruppo(
            "coop:Patronato",
            vec![
                foglia("coop:Codice", mittente.ente),
                foglia("coop:Ufficio", mittente.ufficio),
            ],
        ),
        foglia("coop:Operatore", mittente.user_id),
        Campo::Gruppo(
            "coop:Mandato",
            vec![
                foglia("coop:Numero", &format!("M-{chiave}")),
                foglia("coop:Data", &spunto.presentazione.to_string()),
            ],
        ),
    ];
    let mut richiesta = Scrittore::of(prestazione);
    richiesta.root(operazione.nome());
    richiesta.leaf("ChiaveInvio", chiave);
    richiesta.open_with(operazione.elemento().unwrap_or_default(), COOP);
    // Inside stand the shared types, hence their namespace.
    richiesta.within(None, |richiesta| {
        for campo in &atto {
            richiesta.campo(campo);
        }
    });
    richiesta
}
