//! Pages as values: what stands where, and what it is (title, paragraph, cell), before anything is drawn. Text flows from
//! the top to the bottom of a page and goes on at the next; nothing here knows PDF.

use qrcodegen::QrCode;

use super::caratteri::{Cassa, Colore, Stile, Taglio, Tratto};

/// A4, in points.
pub(super) const PAGINA: (f32, f32) = (595.28, 841.89);
/// Left and right: 20 mm.
pub(super) const MARGINE: f32 = 56.7;
/// What a line may be wide.
pub(super) const COLONNA: f32 = PAGINA.0 - 2.0 * MARGINE;
/// Where text begins on the pages after the first.
const CAPO: f32 = 92.0;
/// Where it ends on every page.
const FONDO: f32 = PAGINA.1 - 66.0;

pub(super) const INCHIOSTRO: Colore = (27, 34, 44);
pub(super) const GRIGIO: Colore = (92, 104, 120);
pub(super) const BLU: Colore = (0, 51, 102);
pub(super) const CELESTE: Colore = (237, 243, 250);
pub(super) const FILETTO: Colore = (205, 213, 223);
pub(super) const ROSSO: Colore = (158, 27, 27);
pub(super) const ROSA: Colore = (252, 240, 240);

pub(super) const TESTO: Stile = Stile::new(Taglio::Tondo, 10.0, INCHIOSTRO);
pub(super) const FORTE: Stile = Stile::new(Taglio::Nero, 10.0, INCHIOSTRO);
pub(super) const MACCHINA: Stile = Stile::new(Taglio::Macchina, 9.0, INCHIOSTRO);
pub(super) const ETICHETTA: Stile = Stile::new(Taglio::Tondo, 10.0, GRIGIO);
pub(super) const PICCOLO: Stile = Stile::new(Taglio::Tondo, 8.5, GRIGIO);
const CAPO_TABELLA: Stile = Stile::new(Taglio::Nero, 9.0, BLU);

/// What a part of the text is, for whoever has it read aloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ruolo {
    /// Its level (1 is the document's own) and its words.
    Titolo(u16, String),
    Paragrafo,
    Tabella,
    Riga,
    /// Head of a column.
    CapoColonna,
    /// Head of a row.
    CapoRiga,
    Cella,
    /// A picture, with what it shows in words.
    Figura(String),
}

/// A part of the document's structure: inner ones have parts, the others text.
#[derive(Debug)]
pub(super) struct Nodo {
    pub(super) ruolo: Ruolo,
    pub(super) padre: Option<usize>,
}

/// Something that is drawn.
pub(super) enum Segno {
    /// Text from `x` on along the baseline `y`.
    Testo {
        x: f32,
        y: f32,
        tratto: Tratto,
        nodo: usize,
    },
    /// A box that means nothing by itself.
    Fondo {
        x: f32,
        y: f32,
        larghezza: f32,
        altezza: f32,
        colore: Colore,
    },
    /// A square code.
    Codice {
        x: f32,
        y: f32,
        lato: f32,
        codice: QrCode,
        nodo: usize,
    },
}

/// A document in the making.
pub(super) struct Foglio<'c> {
    pub(super) cassa: &'c Cassa,
    pub(super) pagine: Vec<Vec<Segno>>,
    pub(super) nodi: Vec<Nodo>,
    pub(super) titoli: Vec<Titolo>,
    /// The top of what comes next.
    pub(super) y: f32,
}

/// Where a title stands.
pub(super) struct Titolo {
    pub(super) livello: u16,
    pub(super) testo: String,
    /// From 0.
    pub(super) pagina: usize,
    pub(super) y: f32,
}

/// A row of a list of names and values.
pub(super) struct Voce {
    pub(super) etichetta: String,
    pub(super) valore: Vec<Tratto>,
}

impl Voce {
    /// From one of its lines to the next.
    fn passo(&self) -> f32 {
        interlinea(&self.valore).max(ETICHETTA.interlinea())
    }
}

/// The width of the names.
const NOMI: f32 = 152.0;

impl<'c> Foglio<'c> {
    /// An empty one, at this height of its first page.
    pub(super) fn new(cassa: &'c Cassa, y: f32) -> Self {
        Self {
            cassa,
            pagine: vec![Vec::new()],
            nodi: Vec::new(),
            titoli: Vec::new(),
            y,
        }
    }

    pub(super) fn nodo(&mut self, ruolo: Ruolo, padre: Option<usize>) -> usize {
        self.nodi.push(Nodo { ruolo, padre });
        self.nodi.len() - 1
    }

    pub(super) fn segna(&mut self, segno: Segno) {
        if let Some(pagina) = self.pagine.last_mut() {
            pagina.push(segno);
        }
    }

    pub(super) fn spazio(&mut self, altezza: f32) {
        self.y += altezza;
    }

    /// What follows needs so much height on one page.
    pub(super) fn serve(&mut self, altezza: f32) -> bool {
        if self.y + altezza <= FONDO || altezza > FONDO - CAPO {
            return false;
        }
        self.pagine.push(Vec::new());
        self.y = CAPO;
        true
    }

    pub(super) fn fondo(&mut self, x: f32, y: f32, larghezza: f32, altezza: f32, colore: Colore) {
        self.segna(Segno::Fondo {
            x,
            y,
            larghezza,
            altezza,
            colore,
        });
    }

    /// One line of text on the baseline `y`.
    pub(super) fn riga(&mut self, x: f32, y: f32, tratti: Vec<Tratto>, nodo: usize) {
        let mut cursore = x;
        for tratto in tratti {
            let larghezza = self.cassa.larghezza(tratto.stile, &tratto.testo);
            self.segna(Segno::Testo {
                x: cursore,
                y,
                tratto,
                nodo,
            });
            cursore += larghezza;
        }
    }

    /// A title, never alone at the foot of a page.
    pub(super) fn titolo(&mut self, livello: u16, testo: &str) {
        let stile = match livello {
            1 => Stile::new(Taglio::Nero, 19.0, BLU),
            2 => Stile::new(Taglio::Nero, 12.5, BLU),
            _ => Stile::new(Taglio::Nero, 10.5, INCHIOSTRO),
        };
        if livello > 1 && self.y > CAPO {
            self.spazio(stile.corpo * 1.1);
        }
        self.serve(stile.interlinea() + 46.0);
        let nodo = self.nodo(Ruolo::Titolo(livello, testo.to_owned()), None);
        self.titoli.push(Titolo {
            livello,
            testo: testo.to_owned(),
            pagina: self.pagine.len() - 1,
            y: self.y,
        });
        self.scorri(&[Tratto::new(stile, testo)], MARGINE, COLONNA, nodo);
        self.spazio(stile.corpo * 0.2);
    }

    /// The height of a paragraph.
    pub(super) fn alto(&self, tratti: &[Tratto]) -> f32 {
        altezza(self.cassa.righe(tratti, COLONNA).len(), interlinea(tratti))
    }

    /// A paragraph of the whole width; one that fits on a page is not torn.
    pub(super) fn paragrafo(&mut self, tratti: &[Tratto]) {
        self.serve(self.alto(tratti));
        let nodo = self.nodo(Ruolo::Paragrafo, None);
        self.scorri(tratti, MARGINE, COLONNA, nodo);
    }

    /// Lets text flow from here on, line by line.
    pub(super) fn scorri(&mut self, tratti: &[Tratto], x: f32, larghezza: f32, nodo: usize) {
        let passo = interlinea(tratti);
        for riga in self.cassa.righe(tratti, larghezza) {
            self.serve(passo);
            self.riga(x, self.y + passo * LINEA_DI_BASE, riga, nodo);
            self.y += passo;
        }
    }

    /// A title with its names and values; together on a page where they take no great part of one.
    pub(super) fn sezione(&mut self, titolo: &str, voci: &[Voce]) {
        let alta: f32 = voci.iter().map(|voce| self.alta(voce)).sum();
        if alta < (FONDO - CAPO) * 0.4 {
            self.serve(alta + 34.0);
        }
        self.titolo(2, titolo);
        self.voci(voci);
    }

    /// The height of a row.
    fn alta(&self, voce: &Voce) -> f32 {
        let etichetta = [Tratto::new(ETICHETTA, voce.etichetta.as_str())];
        let nomi = self.cassa.righe(&etichetta, NOMI - 12.0).len();
        let valore = self.cassa.righe(&voce.valore, COLONNA - NOMI).len();
        altezza(nomi.max(valore), voce.passo())
    }

    /// Names and values, a row each with a thin line below.
    pub(super) fn voci(&mut self, voci: &[Voce]) {
        let tabella = self.nodo(Ruolo::Tabella, None);
        for voce in voci {
            let riga = self.nodo(Ruolo::Riga, Some(tabella));
            let capo = self.nodo(Ruolo::CapoRiga, Some(riga));
            let cella = self.nodo(Ruolo::Cella, Some(riga));
            let etichetta = [Tratto::new(ETICHETTA, voce.etichetta.as_str())];
            let colonne = [
                (MARGINE, self.cassa.righe(&etichetta, NOMI - 12.0), capo),
                (
                    MARGINE + NOMI,
                    self.cassa.righe(&voce.valore, COLONNA - NOMI),
                    cella,
                ),
            ];
            self.affianca(colonne.into(), voce.passo());
        }
    }

    /// A table with a head that is told again on every page.
    pub(super) fn tabella(&mut self, capi: &[(&str, f32)], righe: &[Vec<Tratto>]) {
        let tabella = self.nodo(Ruolo::Tabella, None);
        self.capo_tabella(capi, Some(tabella));
        for celle in righe {
            let riga = self.nodo(Ruolo::Riga, Some(tabella));
            let mut x = MARGINE;
            let mut colonne = Vec::with_capacity(celle.len());
            for (cella, (_, larghezza)) in celle.iter().zip(capi) {
                let nodo = self.nodo(Ruolo::Cella, Some(riga));
                let tratti = std::slice::from_ref(cella);
                colonne.push((x + 6.0, self.cassa.righe(tratti, larghezza - 12.0), nodo));
                x += larghezza;
            }
            let alte = colonne.iter().map(|(_, righe, _)| righe.len()).max().unwrap_or(1);
            if self.serve(altezza(alte, TESTO.interlinea())) {
                self.capo_tabella(capi, None);
            }
            self.affianca(colonne, TESTO.interlinea());
        }
    }

    /// `None`: told again, and so no new head of the table.
    fn capo_tabella(&mut self, capi: &[(&str, f32)], tabella: Option<usize>) {
        let alto = CAPO_TABELLA.interlinea() + 8.0;
        self.serve(alto + 40.0);
        self.fondo(MARGINE, self.y, COLONNA, alto, CELESTE);
        let riga = tabella.map(|tabella| self.nodo(Ruolo::Riga, Some(tabella)));
        let mut x = MARGINE;
        for (capo, larghezza) in capi {
            let tratto = Tratto::new(CAPO_TABELLA, *capo);
            let nodo = match riga {
                Some(riga) => self.nodo(Ruolo::CapoColonna, Some(riga)),
                None => ORNAMENTO,
            };
            self.riga(x + 6.0, self.y + alto * 0.64, vec![tratto], nodo);
            x += larghezza;
        }
        self.y += alto;
    }

    /// Columns of lines side by side, with a thin line below. A row that fits on a page is not torn.
    fn affianca(&mut self, colonne: Vec<(f32, Vec<Vec<Tratto>>, usize)>, passo: f32) {
        let alte = colonne.iter().map(|(_, righe, _)| righe.len()).max().unwrap_or(0);
        self.serve(altezza(alte, passo));
        self.y += 3.0;
        let mut colonne: Vec<_> = colonne
            .into_iter()
            .map(|(x, righe, nodo)| (x, righe.into_iter(), nodo))
            .collect();
        for _ in 0..alte {
            self.serve(passo);
            let y = self.y + passo * LINEA_DI_BASE;
            for (x, righe, nodo) in &mut colonne {
                if let Some(riga) = righe.next() {
                    self.riga(*x, y, riga, *nodo);
                }
            }
            self.y += passo;
        }
        self.y += 3.0;
        self.fondo(MARGINE, self.y, COLONNA, 0.5, FILETTO);
        self.y += 0.5;
    }
}

/// Where the baseline of a line lies, from its top, as a part of its height: the same for every style beside it.
const LINEA_DI_BASE: f32 = 0.74;

/// In place of a part of the structure: what is drawn says nothing that was not said.
pub(super) const ORNAMENTO: usize = usize::MAX;

fn altezza(righe: usize, passo: f32) -> f32 {
    // A few hundred lines at most: a page holds sixty.
    f32::from(u16::try_from(righe).unwrap_or(u16::MAX)) * passo + 6.5
}

fn interlinea(tratti: &[Tratto]) -> f32 {
    tratti
        .iter()
        .map(|tratto| tratto.stile.interlinea())
        .fold(0.0, f32::max)
}
