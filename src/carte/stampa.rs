//! From pages as values to the bytes of a PDF/A: krilla draws and checks, and refuses to write what would be none.
//! The same pages give the same bytes: the date inside is the registration's, and no id is drawn by chance.

use jiff::Timestamp;
use krilla::configure::{Accessibility, Archival, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::geom::{PathBuilder, Point, Rect, Size, Transform};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule};
use krilla::surface::Surface;
use krilla::tagging::{
    Artifact, ArtifactType, BBox, ContentTag, Identifier, Node, TableHeaderScope, Tag, TagGroup, TagKind,
    TagTree,
};
use krilla::{Document, SerializeSettings, color};
use qrcodegen::QrCode;

use super::CartaError;
use super::caratteri::{Cassa, Colore, Stile, Taglio, Tratto};
use super::foglio::{BLU, COLONNA, FILETTO, Foglio, GRIGIO, MARGINE, PAGINA, PICCOLO, Ruolo, Segno};

/// What every page of a document carries beside its text.
pub(super) struct Contorno<'a> {
    /// The document's title.
    pub(super) titolo: &'a str,
    /// The number that it is about.
    pub(super) protocollo: &'a str,
    /// Across the page, outside produzione.
    pub(super) filigrana: Option<&'static str>,
    /// The instant that the document bears.
    pub(super) istante: Timestamp,
}

/// The identifiers of the text of each part of the structure, gathered while it is drawn.
struct Struttura {
    figli: Vec<Vec<Identifier>>,
    riquadri: Vec<Option<BBox>>,
}

/// The PDF/A (2a, and PDF/UA-1) of these pages.
pub(super) fn stampa(foglio: &Foglio<'_>, contorno: &Contorno<'_>) -> Result<Vec<u8>, CartaError> {
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A2_A)
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|error| CartaError::Pdf(format!("{error:?}")))?;
    let mut documento = Document::new_with(SerializeSettings {
        configuration,
        ..SerializeSettings::default()
    });
    let mut struttura = Struttura {
        figli: foglio.nodi.iter().map(|_| Vec::new()).collect(),
        riquadri: foglio.nodi.iter().map(|_| None).collect(),
    };
    let quante = foglio.pagine.len();
    for (numero, segni) in foglio.pagine.iter().enumerate() {
        let misura = Size::from_wh(PAGINA.0, PAGINA.1).ok_or(CartaError::Misura)?;
        let mut pagina = documento.start_page_with(PageSettings::new(misura));
        let mut penna = Penna {
            cassa: foglio.cassa,
            superficie: pagina.surface(),
        };
        if let Some(filigrana) = contorno.filigrana {
            penna.filigrana(filigrana);
        }
        for segno in segni {
            penna.segno(segno, numero, &mut struttura);
        }
        penna.contorno(contorno, numero + 1, quante);
        drop(penna);
        pagina.finish();
    }
    documento.set_tag_tree(struttura.albero(foglio));
    documento.set_outline(indice(foglio));
    documento.set_metadata(
        Metadata::new()
            .title(format!("{} {}", contorno.titolo, contorno.protocollo))
            .language("it-IT".to_owned())
            .authors(vec!["INPS".to_owned()])
            .creator("Varco".to_owned())
            .creation_date(data(contorno.istante)),
    );
    documento
        .finish()
        .map_err(|error| CartaError::Pdf(format!("{error:?}")))
}

/// A page that is being drawn.
struct Penna<'c, 's> {
    cassa: &'c Cassa,
    superficie: Surface<'s>,
}

impl Penna<'_, '_> {
    fn segno(&mut self, segno: &Segno, pagina: usize, struttura: &mut Struttura) {
        match segno {
            Segno::Testo { x, y, tratto, nodo } => match struttura.figli.get_mut(*nodo) {
                Some(figli) => {
                    figli.push(self.superficie.start_tagged(ContentTag::Other));
                    self.testo(*x, *y, tratto);
                    self.superficie.end_tagged();
                }
                None => self.ornamento(ArtifactType::Layout, |penna| penna.testo(*x, *y, tratto)),
            },
            Segno::Fondo {
                x,
                y,
                larghezza,
                altezza,
                colore,
            } => self.ornamento(ArtifactType::Layout, |penna| {
                penna.fondo(*x, *y, *larghezza, *altezza, *colore);
            }),
            Segno::Codice {
                x,
                y,
                lato,
                codice,
                nodo,
            } => {
                let identificato = self.superficie.start_tagged(ContentTag::Other);
                self.codice(*x, *y, *lato, codice);
                self.superficie.end_tagged();
                if let (Some(figli), Some(riquadro)) =
                    (struttura.figli.get_mut(*nodo), struttura.riquadri.get_mut(*nodo))
                {
                    figli.push(identificato);
                    *riquadro = Rect::from_xywh(*x, *y, *lato, *lato).map(|rect| BBox::new(pagina, rect));
                }
            }
        }
    }

    /// Draws what is no part of the text.
    fn ornamento(&mut self, tipo: ArtifactType, disegna: impl FnOnce(&mut Self)) {
        let _ = self
            .superficie
            .start_tagged(ContentTag::Artifact(Artifact::with_kind(tipo)));
        disegna(self);
        self.superficie.end_tagged();
    }

    fn colore(&mut self, (rosso, verde, blu): Colore) {
        self.superficie.set_fill(Some(Fill {
            paint: color::rgb::Color::new(rosso, verde, blu).into(),
            opacity: NormalizedF32::ONE,
            rule: FillRule::NonZero,
        }));
    }

    fn testo(&mut self, x: f32, y: f32, tratto: &Tratto) {
        let carattere = self.cassa.carattere(tratto.stile.taglio);
        let glifi = carattere.glifi(&tratto.testo);
        self.colore(tratto.stile.colore);
        let (font, corpo) = (carattere.font.clone(), tratto.stile.corpo);
        self.superficie
            .draw_glyphs(Point::from_xy(x, y), &glifi, font, &tratto.testo, corpo, false);
    }

    fn fondo(&mut self, x: f32, y: f32, larghezza: f32, altezza: f32, colore: Colore) {
        let mut tracciato = PathBuilder::new();
        if let Some(rettangolo) = Rect::from_xywh(x, y, larghezza, altezza) {
            tracciato.push_rect(rettangolo);
        }
        if let Some(tracciato) = tracciato.finish() {
            self.colore(colore);
            self.superficie.draw_path(&tracciato);
        }
    }

    /// The dark modules of a code, as one path: it is sharp at any size.
    fn codice(&mut self, x: f32, y: f32, lato: f32, codice: &QrCode) {
        let moduli = codice.size();
        let passo = lato / misura(moduli);
        let mut tracciato = PathBuilder::new();
        for riga in 0..moduli {
            for colonna in 0..moduli {
                if codice.get_module(colonna, riga)
                    && let Some(modulo) = Rect::from_xywh(
                        x + misura(colonna) * passo,
                        y + misura(riga) * passo,
                        passo,
                        passo,
                    )
                {
                    tracciato.push_rect(modulo);
                }
            }
        }
        if let Some(tracciato) = tracciato.finish() {
            self.colore((0, 0, 0));
            self.superficie.draw_path(&tracciato);
        }
    }

    /// The word across the page, under all that is written on it.
    fn filigrana(&mut self, parola: &str) {
        let stile = Stile::new(Taglio::Nero, 112.0, (242, 229, 229));
        let larga = self.cassa.larghezza(stile, parola);
        let giro = Transform::from_rotate_at(-52.0, PAGINA.0 / 2.0, PAGINA.1 / 2.0);
        self.superficie.push_transform(&giro);
        self.ornamento(ArtifactType::Watermark, |penna| {
            let (x, y) = ((PAGINA.0 - larga) / 2.0, PAGINA.1 / 2.0 + stile.corpo * 0.34);
            penna.testo(x, y, &Tratto::new(stile, parola));
        });
        self.superficie.pop();
    }

    /// Head of the pages after the first, and foot of every one.
    fn contorno(&mut self, contorno: &Contorno<'_>, numero: usize, quante: usize) {
        let destra = PAGINA.0 - MARGINE;
        if numero > 1 {
            let forte = Stile::new(Taglio::Nero, 9.0, BLU);
            self.ornamento(ArtifactType::Header, |penna| {
                penna.testo(MARGINE, 58.0, &Tratto::new(forte, "INPS"));
                let stile = Stile::new(Taglio::Tondo, 9.0, GRIGIO);
                penna.testo(MARGINE + 28.0, 58.0, &Tratto::new(stile, contorno.titolo));
                penna.a_destra(destra, 58.0, stile, contorno.protocollo);
                penna.fondo(MARGINE, 67.0, COLONNA, 0.75, BLU);
            });
        }
        self.ornamento(ArtifactType::Footer, |penna| {
            let y = PAGINA.1 - 40.0;
            penna.fondo(MARGINE, y - 15.0, COLONNA, 0.5, FILETTO);
            penna.testo(MARGINE, y, &Tratto::new(PICCOLO, contorno.protocollo));
            if let Some(filigrana) = contorno.filigrana {
                let avviso = format!("{filigrana}: documento senza valore");
                let larga = penna.cassa.larghezza(PICCOLO, &avviso);
                penna.testo((PAGINA.0 - larga) / 2.0, y, &Tratto::new(PICCOLO, avviso));
            }
            penna.a_destra(destra, y, PICCOLO, &format!("Pagina {numero} di {quante}"));
        });
    }

    fn a_destra(&mut self, destra: f32, y: f32, stile: Stile, testo: &str) {
        let larga = self.cassa.larghezza(stile, testo);
        self.testo(destra - larga, y, &Tratto::new(stile, testo));
    }
}

impl Struttura {
    /// The tree of the document's parts. Every part comes after the one that holds it.
    fn albero(self, foglio: &Foglio<'_>) -> TagTree {
        let mut gruppi: Vec<Option<TagGroup>> = foglio
            .nodi
            .iter()
            .zip(self.figli)
            .zip(self.riquadri)
            .map(|((nodo, figli), riquadro)| {
                let figli = figli.into_iter().map(Node::from).collect();
                Some(TagGroup::with_children(tag(&nodo.ruolo, riquadro), figli))
            })
            .collect();
        let mut interni: Vec<Vec<Node>> = foglio.nodi.iter().map(|_| Vec::new()).collect();
        let mut albero = TagTree::new();
        albero = albero.with_lang(Some("it-IT".to_owned()));
        // From the last to the first: what holds parts is closed after them.
        let mut in_cima = Vec::new();
        for numero in (0..foglio.nodi.len()).rev() {
            let Some(mut gruppo) = gruppi[numero].take() else {
                continue;
            };
            gruppo.children.extend(interni[numero].drain(..).rev());
            match foglio.nodi[numero].padre {
                Some(padre) => interni[padre].push(gruppo.into()),
                None => in_cima.push(gruppo),
            }
        }
        for gruppo in in_cima.into_iter().rev() {
            albero.push(gruppo);
        }
        albero
    }
}

/// The titles below the document's own, for whoever leafs through it.
fn indice(foglio: &Foglio<'_>) -> Outline {
    let mut indice = Outline::new();
    for titolo in foglio.titoli.iter().filter(|titolo| titolo.livello <= 2) {
        let punto = Point::from_xy(MARGINE, titolo.y);
        indice.push_child(OutlineNode::new(
            titolo.testo.clone(),
            XyzDestination::new(titolo.pagina, punto),
        ));
    }
    indice
}

fn tag(ruolo: &Ruolo, riquadro: Option<BBox>) -> TagKind {
    match ruolo {
        Ruolo::Titolo(livello, testo) => {
            let livello = std::num::NonZeroU16::new(*livello).unwrap_or(std::num::NonZeroU16::MIN);
            Tag::Hn(livello, Some(testo.clone())).into()
        }
        Ruolo::Paragrafo => Tag::P.into(),
        Ruolo::Tabella => Tag::Table.into(),
        Ruolo::Riga => Tag::TR.into(),
        Ruolo::CapoColonna => Tag::TH(TableHeaderScope::Column).into(),
        Ruolo::CapoRiga => Tag::TH(TableHeaderScope::Row).into(),
        Ruolo::Cella => Tag::TD.into(),
        Ruolo::Figura(parole) => Tag::Figure(Some(parole.clone())).with_bbox(riquadro).into(),
    }
}

/// A count of modules as a length.
fn misura(moduli: i32) -> f32 {
    // A code has at most 177 modules a side.
    f32::from(i16::try_from(moduli).unwrap_or(i16::MAX))
}

fn data(istante: Timestamp) -> DateTime {
    let giorno = istante.to_zoned(jiff::tz::TimeZone::UTC);
    let due_cifre = |valore: i8| u8::try_from(valore).unwrap_or_default();
    DateTime::new(u16::try_from(giorno.year()).unwrap_or_default())
        .month(due_cifre(giorno.month()))
        .day(due_cifre(giorno.day()))
        .hour(due_cifre(giorno.hour()))
        .minute(due_cifre(giorno.minute()))
        .second(due_cifre(giorno.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}
