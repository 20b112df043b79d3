//! Messages out of the tables: valid ones of every shape, and what can go wrong with them. Everything follows from one
//! number, so that a case can be told and made again.

use crate::schema::collapsed;
use crate::schema::compiled::semplice::{Genere, Semplice};
use crate::schema::compiled::tavole::{Attributo, Complesso, NomeTipo, Tavole, Tipo};

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
    pub(super) namespace: String,
    pub(super) locale: String,
    /// Namespace, local name and value of those that its type declares.
    pub(super) attributi: Vec<(String, String, String)>,
    /// Further ones, written as they stand here.
    pub(super) aggiunti: String,
    pub(super) testo: String,
    pub(super) figli: Vec<Self>,
    /// A constraint took away what the content model asks for.
    monco: bool,
}

/// A valid message that begins with the element, as far as the tables know the elements in it.
pub(super) fn valido(tavole: &Tavole, elemento: usize, dado: &mut Dado) -> Albero {
    valido_a(0, tavole, elemento, dado)
}

fn valido_a(profondita: usize, tavole: &Tavole, elemento: usize, dado: &mut Dado) -> Albero {
    let dichiarato = &tavole.elementi[elemento];
    let mut albero = Albero {
        elemento,
        namespace: dichiarato.namespace.to_string(),
        locale: dichiarato.locale.to_string(),
        attributi: Vec::new(),
        aggiunti: String::new(),
        testo: String::new(),
        figli: Vec::new(),
        monco: false,
    };
    match &tavole.tipi[dichiarato.tipo] {
        Tipo::Semplice(_, semplice) => albero.testo = valore(semplice, dado),
        Tipo::Complesso(_, complesso) => {
            let nomi = cammino(profondita, tavole, complesso, dado);
            albero.figli = nomi
                .into_iter()
                .map(|figlio| valido_a(profondita + 1, tavole, figlio, dado))
                .collect();
            for (quale, attributo) in complesso.attributi.iter().enumerate() {
                if complesso.obbligatori & (1 << quale) != 0 || dado.capita(50) {
                    albero.attributi.push(attributo_valido(attributo, dado));
                }
            }
            for unico in &dichiarato.unici {
                let mut visti = Vec::new();
                albero.figli.retain(|figlio| {
                    let mut campi = figlio
                        .figli
                        .iter()
                        .filter(|nipote| nipote.elemento == unico.campo);
                    let (campo, altro) = (campi.next(), campi.next());
                    match campo.map(|campo| collapsed(&campo.testo).into_owned()) {
                        _ if figlio.elemento != unico.figlio => true,
                        None => !unico.chiave,
                        // A field is one value, and a value of its own.
                        Some(campo) if altro.is_some() || visti.contains(&campo) => false,
                        Some(campo) => {
                            visti.push(campo);
                            true
                        }
                    }
                });
            }
            albero.monco = !allows(tavole, complesso, &albero.figli);
        }
        // What stands there is anybody's guess.
        Tipo::Ignoto(_) => albero.testo = (*dado.uno(&["", "1", "x", "2021-07-01"])).to_owned(),
    }
    albero
}

fn attributo_valido(attributo: &Attributo, dado: &mut Dado) -> (String, String, String) {
    (
        attributo.namespace.to_string(),
        attributo.locale.to_string(),
        valore(&attributo.tipo, dado),
    )
}

/// Children that a content model allows, in their order.
fn cammino(profondita: usize, tavole: &Tavole, complesso: &Complesso, dado: &mut Dado) -> Vec<usize> {
    let profondo = profondita >= PROFONDITA_MAX;
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
        let puo = qui.elemento.is_some() && contati < qui.max && !profondo;
        if contati < qui.min || (puo && dado.capita(ancora)) {
            contati += 1;
            figli.extend(qui.elemento);
            continue;
        }
        let mosse = &tavole.mosse[qui.mosse.clone()];
        if mosse.is_empty() || (qui.finale && (profondo || dado.capita(salta))) {
            return figli;
        }
        // Mostly what comes first, else one of those that may be left out for it.
        let mossa = if profondo || dado.capita(salta) {
            dado.uno(mosse)
        } else {
            &mosse[0]
        };
        (stato, contati) = (mossa.stato, 1);
        figli.push(mossa.elemento);
    }
}

/// Whether a content model allows these children.
fn allows(tavole: &Tavole, complesso: &Complesso, figli: &[Albero]) -> bool {
    let (mut stato, mut contati) = (0, 0);
    for figlio in figli {
        let qui = &complesso.stati[stato];
        if qui.elemento == Some(figlio.elemento) && contati < qui.max {
            contati += 1;
            continue;
        }
        let mosse = &tavole.mosse[qui.mosse.clone()];
        match mosse.iter().find(|mossa| mossa.elemento == figlio.elemento) {
            Some(mossa) if contati >= qui.min => (stato, contati) = (mossa.stato, 1),
            _ => return false,
        }
    }
    let qui = &complesso.stati[stato];
    qui.finale && contati >= qui.min
}

/// Elements within each other before a type that may hold itself comes to its end; none of ours goes so deep.
const PROFONDITA_MAX: usize = 12;

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
        if semplice.takes(&prova, &collapsed(&prova)) {
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
            let mut tra = namespaces(tavole);
            tra.splice(0..0, ["", "urn:altro"]);
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
            let nome = nome_tipo(&tavole.tipi[tavole.elementi[qui.elemento].tipo]);
            let (namespace, nome) = nome.map_or_else(Default::default, |(ns, nome)| (&**ns, &**nome));
            let nuovo = match dado.sotto(15) {
                0 => " xsi:nil='true'".to_owned(),
                1 => " xsi:nil='false'".to_owned(),
                2 => format!(
                    " xsi:schemaLocation='urn:a a.xsd {} http://b/b.xsd'",
                    namespaces(tavole).last().unwrap()
                ),
                3 => " xsi:schemaLocation='urn:a'".to_owned(),
                4 => " xsi:noNamespaceSchemaLocation=' a.xsd '".to_owned(),
                5 => " xml:lang='it'".to_owned(),
                6 => " a='b'".to_owned(),
                7 => " xsi:altro='b'".to_owned(),
                8 => " xsi:type='xs:string'".to_owned(),
                9 => " xsi:type='ignoto:Tipo'".to_owned(),
                10 => " xsi:type='xs:date'".to_owned(),
                11 => format!(" xsi:type='{nome}'"),
                12 => format!(" xsi:type=':{nome}'"),
                _ => format!(" xmlns:t='{namespace}' xsi:type=' t:{nome} '"),
            };
            qui.aggiunti.push_str(&nuovo);
        }
        13 if figli > 0 => {
            let figlio = qui.figli.remove(dado.sotto(figli));
            qui.figli.push(figlio);
        }
        _ => qui.aggiunti.push_str(" xmlns:z='urn:z'"),
    }
}

/// The same for schemas that have attributes and types that stand for each other, which ours have not.
pub(super) fn muta_attributi(tavole: &Tavole, radice: &mut Albero, dado: &mut Dado) {
    let mut quale = dado.sotto(radice.quanti());
    let qui = radice.nth(&mut quale).unwrap();
    let dichiarati = match &tavole.tipi[tavole.elementi[qui.elemento].tipo] {
        Tipo::Complesso(_, complesso) => complesso.attributi.as_slice(),
        Tipo::Semplice(..) | Tipo::Ignoto(_) => &[],
    };
    let presenti = qui.attributi.len();
    match dado.sotto(7) {
        0 if presenti > 0 => drop(qui.attributi.remove(dado.sotto(presenti))),
        1 | 2 if presenti > 0 => {
            let quale = dado.sotto(presenti);
            let (namespace, locale, valore) = &mut qui.attributi[quale];
            let di = dichiarati
                .iter()
                .find(|noto| *noto.namespace == **namespace && *noto.locale == **locale);
            if let Some(attributo) = di {
                *valore = sul_bordo(&attributo.tipo, dado);
            }
        }
        3 if presenti > 0 => {
            let quale = dado.sotto(presenti);
            let namespace = &mut qui.attributi[quale].0;
            *namespace = if namespace.is_empty() {
                qui.namespace.clone()
            } else {
                String::new()
            };
        }
        4 if !dichiarati.is_empty() => {
            let nuovo = attributo_valido(dado.uno(dichiarati), dado);
            if !qui.attributi.iter().any(|(_, locale, _)| *locale == nuovo.1) {
                qui.attributi.push(nuovo);
            }
        }
        5 => {
            let nuovo: &&str = dado.uno(&[" xsi:nil='true'", " xsi:nil='0'", " xml:lang='it'"]);
            qui.aggiunti.push_str(nuovo);
        }
        _ => {
            if let Some((namespace, nome)) = nome_tipo(dado.uno(&tavole.tipi)) {
                let nuovo = format!(" xmlns:t='{namespace}' xsi:type='t:{nome}'");
                qui.aggiunti.push_str(&nuovo);
            }
        }
    }
}

fn nome_tipo(tipo: &Tipo) -> Option<&NomeTipo> {
    match tipo {
        Tipo::Semplice(nome, _) | Tipo::Complesso(nome, _) => Some(nome),
        Tipo::Ignoto(_) => None,
    }
}

/// The namespaces of the declarations, shortest first.
fn namespaces(tavole: &Tavole) -> Vec<&str> {
    let mut namespaces: Vec<&str> = tavole.elementi.iter().map(|uno| &*uno.namespace).collect();
    namespaces.sort_unstable_by_key(|namespace| (namespace.len(), *namespace));
    namespaces.dedup();
    namespaces
}

impl Albero {
    /// Whether the tables know all that is in it, and nothing that it must have was taken away.
    pub(super) fn e_noto(&self, tavole: &Tavole) -> bool {
        !self.monco
            && !matches!(&tavole.tipi[tavole.elementi[self.elemento].tipo], Tipo::Ignoto(_))
            && self.figli.iter().all(|figlio| figlio.e_noto(tavole))
    }

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
