//! Messages out of the tables: valid ones of every shape, and what can go wrong with them. Everything follows from one
//! number, so that a case can be told and made again.

use std::fmt::Write as _;

use crate::prestazione::Operazione;
use crate::schema::compiled::semplice::{Genere, Semplice};
use crate::schema::compiled::tavole::{Complesso, Tavole, Tipo};

/// Numbers that look random and are not (`SplitMix64`).
pub(super) struct Dado(pub(super) u64);

impl Dado {
    pub(super) fn tira(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Below `n`, which is not 0.
    pub(super) fn sotto(&mut self, n: usize) -> usize {
        usize::try_from(self.tira() % n as u64).unwrap()
    }

    /// In `percento` of a hundred cases.
    pub(super) fn capita(&mut self, percento: usize) -> bool {
        self.sotto(100) < percento
    }

    pub(super) fn uno<'a, T>(&mut self, tra: &'a [T]) -> &'a T {
        &tra[self.sotto(tra.len())]
    }
}

/// An element to be written.
#[derive(Debug, Clone)]
pub(super) struct Albero {
    elemento: usize,
    namespace: String,
    locale: String,
    /// Written as they stand here.
    attributi: String,
    testo: String,
    figli: Vec<Self>,
}

/// A valid message that begins with the element.
pub(super) fn valido(tavole: &Tavole, elemento: usize, dado: &mut Dado) -> Albero {
    let dichiarato = &tavole.elementi[elemento];
    let mut albero = Albero {
        elemento,
        namespace: dichiarato.namespace.to_string(),
        locale: dichiarato.locale.to_string(),
        attributi: String::new(),
        testo: String::new(),
        figli: Vec::new(),
    };
    match &tavole.tipi[dichiarato.tipo] {
        Tipo::Semplice(_, semplice) => albero.testo = valore(semplice, dado),
        Tipo::Complesso(_, complesso) => {
            let nomi = cammino(tavole, complesso, dado);
            albero.figli = nomi
                .into_iter()
                .map(|figlio| valido(tavole, figlio, dado))
                .collect();
            for unico in &dichiarato.unici {
                let mut visti = Vec::new();
                albero.figli.retain(|figlio| {
                    let campo = figlio.figli.iter().find(|nipote| nipote.elemento == unico.campo);
                    let campo = campo.map(|campo| campo.testo.clone());
                    let nuovo = !visti.contains(&campo);
                    visti.push(campo);
                    nuovo
                });
            }
        }
        Tipo::Ignoto(cosa) => panic!("{cosa}"),
    }
    albero
}

/// Children that a content model allows, in their order.
fn cammino(tavole: &Tavole, complesso: &Complesso, dado: &mut Dado) -> Vec<usize> {
    let ancora = if dado.capita(4) {
        98
    } else {
        *dado.uno(&[2, 5, 15, 30])
    };
    let salta = *dado.uno(&[10, 50, 90]);
    let mut figli = Vec::new();
    let (mut stato, mut contati) = (0, 0);
    loop {
        let qui = &complesso.stati[stato];
        if contati < qui.min || (qui.elemento.is_some() && contati < qui.max && dado.capita(ancora)) {
            contati += 1;
            figli.extend(qui.elemento);
            continue;
        }
        let mosse = &tavole.mosse[qui.mosse.clone()];
        if mosse.is_empty() || (qui.finale && dado.capita(salta)) {
            return figli;
        }
        // Mostly what comes first, else one of those that may be left out for it.
        let mossa = if dado.capita(salta) {
            dado.uno(mosse)
        } else {
            &mosse[0]
        };
        (stato, contati) = (mossa.stato, 1);
        figli.push(mossa.elemento);
    }
}

const LETTERE: &[char] = &[
    'A', 'b', '7', ' ', '-', '\'', '.', '@', '/', '&', '<', '>', '"', 'è', 'À', '€', '\u{A0}', '\u{2028}',
    '😀', ']', '\u{FFFD}', '\u{85}',
];

/// A value of the type.
pub(super) fn valore(semplice: &Semplice, dado: &mut Dado) -> String {
    let fisso = |dado: &mut Dado, tra: &[&str]| (*dado.uno(tra)).to_owned();
    for _ in 0..200 {
        let prova = match semplice.genere {
            Genere::Testo => match (semplice.valori.first(), semplice.pattern.first()) {
                (Some(valori), _) => dado.uno(valori).to_string(),
                (None, Some(automa)) => automa.esempio(&mut |n| dado.sotto(n)),
                (None, None) => {
                    let massima = usize::try_from(semplice.lunghezza_max.min(300)).unwrap();
                    let minima = usize::try_from(semplice.lunghezza_min).unwrap();
                    let quante = *dado.uno(&[minima, minima + 1, 5, 8, 8, 12, massima]);
                    (0..quante.clamp(minima, massima))
                        .map(|_| *dado.uno(LETTERE))
                        .collect()
                }
            },
            Genere::Booleano => fisso(dado, &["true", "false", "1", "0"]),
            Genere::Intero => match dado.sotto(4) {
                0 => semplice.minimo.max(-5).to_string(),
                1 => semplice.massimo.min(i128::from(u64::MAX)).to_string(),
                2 => format!("+00{}", semplice.minimo.max(3)),
                _ => (semplice.minimo.max(0) + i128::from(dado.tira() % 90))
                    .min(semplice.massimo)
                    .to_string(),
            },
            Genere::Data => fisso(
                dado,
                &[
                    "2021-07-01",
                    "2024-02-29",
                    "0001-01-01",
                    "9999-12-31",
                    "1980-01-01Z",
                    "1999-11-30+13:59",
                    "2000-02-29-05:00",
                ],
            ),
            Genere::Istante => fisso(
                dado,
                &[
                    "2021-07-01T10:20:30",
                    "2021-07-01T23:59:59.999Z",
                    "2024-02-29T00:00:00.5+02:00",
                ],
            ),
            Genere::Anno => fisso(dado, &["2021", "2999", "2022", "2000"]),
            Genere::AnnoMese => fisso(dado, &["2021-12", "2021-01Z"]),
            Genere::Byte => {
                let byte: Vec<u8> = (0..dado.sotto(70))
                    .map(|_| dado.tira().to_le_bytes()[0])
                    .collect();
                base64::Engine::encode(&base64::engine::general_purpose::STANDARD, byte)
            }
        };
        if semplice.takes(&prova, &crate::schema::collapsed(&prova)) {
            return prova;
        }
    }
    panic!("no value for {semplice:?}")
}

/// A value at the edge of the type, on this side or beyond.
fn sul_bordo(semplice: &Semplice, dado: &mut Dado) -> String {
    let buono = valore(semplice, dado);
    match dado.sotto(12) {
        0 => String::new(),
        1 => format!(
            "{}{buono}{}",
            dado.uno(&[" ", "\n\t", "\r\n", "\u{A0}", ""]),
            dado.uno(&["  ", "\t", "\u{3000}"])
        ),
        2 => {
            // A character more, less, other.
            let mut caratteri: Vec<char> = buono.chars().collect();
            let dove = dado.sotto(caratteri.len() + 1);
            let nuovo = *dado.uno(&['A', '0', 'z', ' ', 'È', '٣', '😀', '-', '=', '\u{301}', '\n']);
            match dado.sotto(3) {
                0 => caratteri.insert(dove, nuovo),
                1 if dove < caratteri.len() => caratteri[dove] = nuovo,
                _ => drop(caratteri.pop()),
            }
            caratteri.into_iter().collect()
        }
        3 => buono.to_lowercase(),
        4 => buono.chars().flat_map(|c| [c, ' ']).collect(),
        5 => {
            let quante = semplice.lunghezza_max.min(2100) + dado.tira() % 3;
            "à".repeat(usize::try_from(quante).unwrap())
        }
        6 => format!("{buono}{buono}"),
        7 => (*dado.uno(&[
            "TRUE",
            "yes",
            "+1",
            "-0",
            "-1",
            "0",
            "00",
            "1.0",
            "1e1",
            "100",
            "101",
            "999",
            "1000",
            "999999999999",
            "1000000000000",
            "12345678901234567890123456789012",
            "1 2",
            "٣",
        ]))
        .to_owned(),
        8 => (*dado.uno(&[
            "0000-01-01",
            "2021-02-29",
            "-0001-01-01",
            "12021-01-01",
            "2021-1-01",
            "2021-01-01+14:00",
            "2021-01-01+14:01",
            "2021-01-01-14:00",
            "2021-01-01Z ",
            "2021-13-01",
            "2021-00-10",
            "2021-01-32",
            "2021-07-01T24:00:00",
            "02021-01-01",
            "2021-07-01T24:00:01",
            "2021-07-01T00:00:60",
            "2021-07-01T00:00:00.",
            "2021-07-01T00:00:00.1234567890123456789012345678901",
            "2021",
            "20211",
            "2021Z",
            "2021+02:00",
            " 2021 ",
            "1999",
            "2021-01-01+24:00",
            "2021-01-01+01:60",
            "+2021-01-01",
        ]))
        .to_owned(),
        9 => (*dado.uno(&[
            "YQ==",
            "YR==",
            "YQ=",
            "YQ",
            "Y Q = =",
            "YWJj\nZGVm",
            "YWJj ",
            "====",
            "YQ==YQ==",
            "YWJ*",
            "à",
            "YW=j",
            "-_==",
        ]))
        .to_owned(),
        10 => "x".repeat(dado.sotto(300)),
        _ => (0..dado.sotto(6)).map(|_| *dado.uno(LETTERE)).collect(),
    }
}

/// Breaks the message in one way, or only changes it.
pub(super) fn muta(tavole: &Tavole, radice: &mut Albero, dado: &mut Dado) {
    let quanti = radice.quanti();
    let mut quale = dado.sotto(quanti);
    let qui = radice.nth(&mut quale).unwrap();
    let figli = qui.figli.len();
    match dado.sotto(15) {
        0 if figli > 0 => drop(qui.figli.remove(dado.sotto(figli))),
        1 if figli > 0 => {
            let figlio = qui.figli[dado.sotto(figli)].clone();
            let quante = *dado.uno(&[1, 1, 7, 20, 21]);
            let dove = dado.sotto(figli + 1);
            qui.figli.splice(dove..dove, std::iter::repeat_n(figlio, quante));
        }
        2 if figli > 1 => {
            let (a, b) = (dado.sotto(figli), dado.sotto(figli));
            qui.figli.swap(a, b);
        }
        3 => qui.locale = dado.uno(&tavole.elementi).locale.to_string(),
        4 => {
            let tra = [
                "",
                "urn:altro",
                "http://inps.it/cooperazione/v1",
                "http://inps.it/AssegnoTemporaneo/v1",
                "http://inps.it/AssegnoUnicoUniversale/v1",
            ];
            qui.namespace = (*dado.uno(&tra)).to_owned();
        }
        5 => {
            let mut nuovo = valido(tavole, dado.sotto(tavole.elementi.len()), dado);
            nuovo.figli.truncate(3);
            let dove = dado.sotto(figli + 1);
            qui.figli.insert(dove, nuovo);
        }
        6..=10 => {
            let foglie = radice.foglie(tavole);
            let mut foglia = *dado.uno(&foglie);
            let foglia = radice.nth(&mut foglia).unwrap();
            if let Tipo::Semplice(_, semplice) = &tavole.tipi[tavole.elementi[foglia.elemento].tipo] {
                foglia.testo = sul_bordo(semplice, dado);
            }
        }
        11 => qui.testo.push(*dado.uno(&['x', ' ', '\u{A0}', '\n'])),
        12 => {
            let nome = match &tavole.tipi[tavole.elementi[qui.elemento].tipo] {
                Tipo::Semplice((ns, nome), _) | Tipo::Complesso((ns, nome), _) => {
                    (ns.to_string(), nome.to_string())
                }
                Tipo::Ignoto(_) => Default::default(),
            };
            let nuovo = match dado.sotto(15) {
                0 => " xsi:nil='true'".to_owned(),
                1 => " xsi:nil='false'".to_owned(),
                2 => " xsi:schemaLocation='urn:a a.xsd urn:b http://b/b.xsd'".to_owned(),
                3 => " xsi:schemaLocation='urn:a'".to_owned(),
                4 => " xsi:noNamespaceSchemaLocation=' a.xsd '".to_owned(),
                5 => " xml:lang='it'".to_owned(),
                6 => " a='b'".to_owned(),
                7 => " xsi:altro='b'".to_owned(),
                8 => " xsi:type='xs:string'".to_owned(),
                9 => " xsi:type='ignoto:Tipo'".to_owned(),
                10 => " xsi:type='xs:date'".to_owned(),
                11 => format!(" xsi:type='{}'", nome.1),
                _ => format!(" xmlns:t='{}' xsi:type=' t:{} '", nome.0, nome.1),
            };
            qui.attributi.push_str(&nuovo);
        }
        13 if figli > 0 => {
            let figlio = qui.figli.remove(dado.sotto(figli));
            qui.figli.push(figlio);
        }
        _ => qui.attributi.push_str(" xmlns:z='urn:z'"),
    }
}

impl Albero {
    fn quanti(&self) -> usize {
        1 + self.figli.iter().map(Self::quanti).sum::<usize>()
    }

    /// The element of that number in document order.
    fn nth(&mut self, quale: &mut usize) -> Option<&mut Self> {
        if *quale == 0 {
            return Some(self);
        }
        *quale -= 1;
        self.figli.iter_mut().find_map(|figlio| figlio.nth(quale))
    }

    /// The numbers of those with a simple type; 0 where there is none.
    fn foglie(&self, tavole: &Tavole) -> Vec<usize> {
        fn walk(albero: &Albero, tavole: &Tavole, numero: &mut usize, foglie: &mut Vec<usize>) {
            if matches!(
                &tavole.tipi[tavole.elementi[albero.elemento].tipo],
                Tipo::Semplice(..)
            ) {
                foglie.push(*numero);
            }
            *numero += 1;
            for figlio in &albero.figli {
                walk(figlio, tavole, numero, foglie);
            }
        }
        let mut foglie = Vec::new();
        walk(self, tavole, &mut 0, &mut foglie);
        if foglie.is_empty() { vec![0] } else { foglie }
    }
}

/// How a message is spelt.
pub(super) struct Penna {
    xml: String,
    a_capo: &'static str,
    /// Of a hundred: how often a comment, CDATA, a reference, `<a/>`, a prefix instead of the default namespace.
    strano: usize,
    predefinito: bool,
}

impl Penna {
    /// The whole message: the element alone, or in an envelope.
    pub(super) fn scrivi(albero: &Albero, dado: &mut Dado) -> String {
        let mut penna = Self {
            xml: String::new(),
            a_capo: *dado.uno(&["", "\n", "\n  ", "\r\n\t", " \r"]),
            strano: *dado.uno(&[0, 0, 2, 20]),
            predefinito: dado.capita(50),
        };
        if dado.capita(30) {
            penna.xml.push_str("<?xml version='1.0' encoding='UTF-8'?>\n");
        }
        // An envelope is around a request, not around a content alone.
        let busta = Operazione::by_nome(&albero.locale).is_some() && dado.capita(50);
        if busta {
            penna.xml.push_str("<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xmlns:p1='http://inps.it/AssegnoUnicoUniversale/v1'><s:Header/><s:Body>");
        }
        penna.elemento(albero, "", true, dado);
        if busta {
            penna.xml.push_str("</s:Body></s:Envelope>");
        }
        penna.xml
    }

    fn elemento(&mut self, albero: &Albero, ambito: &str, radice: bool, dado: &mut Dado) {
        let prefisso = if albero.namespace.is_empty() || (self.predefinito && !dado.capita(self.strano)) {
            ""
        } else {
            "p"
        };
        let nome = if prefisso.is_empty() {
            albero.locale.clone()
        } else {
            format!("p:{}", albero.locale)
        };
        self.xml.push('<');
        self.xml.push_str(&nome);
        // Bound anew where it matters; a prefix is declared by whoever uses it.
        let mut ambito = ambito;
        if prefisso.is_empty() {
            if ambito != albero.namespace {
                let _ = write!(self.xml, " xmlns=\"{}\"", albero.namespace);
                ambito = &albero.namespace;
            }
        } else {
            let _ = write!(self.xml, " xmlns:p='{}'", albero.namespace);
        }
        if radice {
            self.xml.push_str(" xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xmlns:xs=\"http://www.w3.org/2001/XMLSchema\"");
        }
        self.xml.push_str(&albero.attributi);
        if dado.capita(self.strano) {
            self.xml.push_str("\n ");
        }
        if albero.figli.is_empty() && albero.testo.is_empty() && dado.capita(50) {
            self.xml.push_str("/>");
            return;
        }
        self.xml.push('>');
        self.testo(&albero.testo, dado);
        for figlio in &albero.figli {
            self.xml.push_str(self.a_capo);
            if dado.capita(self.strano) {
                self.xml.push_str("<!-- & < ' -->");
            }
            self.elemento(figlio, ambito, false, dado);
        }
        if !albero.figli.is_empty() {
            self.xml.push_str(self.a_capo);
        }
        let _ = write!(
            self.xml,
            "</{nome}{}>",
            if dado.capita(self.strano) { " " } else { "" }
        );
    }

    fn testo(&mut self, testo: &str, dado: &mut Dado) {
        let strano = self.strano;
        for carattere in testo.chars() {
            if dado.capita(strano) {
                self.xml.push_str("<!---->");
            }
            match carattere {
                '&' => self.xml.push_str("&amp;"),
                '<' => self.xml.push_str("&lt;"),
                '>' => self.xml.push_str("&gt;"),
                carattere if dado.capita(strano) => {
                    let _ = write!(self.xml, "&#x{:X};", u32::from(carattere));
                }
                carattere if dado.capita(strano) => {
                    let _ = write!(self.xml, "<![CDATA[{carattere}]]>");
                }
                carattere => self.xml.push(carattere),
            }
        }
    }
}

/// Changes bytes, without a thought for what they mean.
pub(super) fn sporca(bytes: &mut Vec<u8>, dado: &mut Dado) {
    const PEZZI: &[&[u8]] = &[
        b"<",
        b">",
        b"/",
        b"&",
        b"&amp;",
        b"&#0;",
        b"&#x20;",
        b"]]>",
        b"<!--",
        b"-->",
        b"<![CDATA[",
        b"]]>",
        b"<?a?>",
        b"\r",
        b"\0",
        b"\x7F",
        b"\xC3",
        b"\xEF\xBF\xBF",
        b"\xEF\xBB\xBF",
        b"'",
        b"\"",
        b"=",
        b":",
        b" ",
        b"xmlns=''",
        b"x",
        b"</p:a>",
        b"<a/>",
        b" a='1'",
        b"\xF0\x9F\x98\x80",
        b"<!DOCTYPE a>",
        b"p:",
    ];
    if bytes.is_empty() {
        return;
    }
    let dove = dado.sotto(bytes.len());
    match dado.sotto(4) {
        0 => bytes.truncate(dove),
        1 => drop(bytes.remove(dove)),
        2 => {
            let a = (dove + dado.sotto(30)).min(bytes.len());
            let pezzo: Vec<u8> = bytes[dove..a].to_vec();
            let altrove = dado.sotto(bytes.len());
            bytes.splice(altrove..altrove, pezzo);
        }
        _ => drop(bytes.splice(dove..dove, dado.uno(PEZZI).iter().copied())),
    }
}
