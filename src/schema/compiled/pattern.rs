//! `xs:pattern` as an automaton that looks at each character once. It is built from the pattern's own text; what could
//! mean one thing to XML Schema and another to the authority's engine (`\w`, `\i`, `\p{…}`, `^`, `$`, subtraction) is
//! refused, and `\d` takes ASCII digits alone: a pattern has no negation outside of its classes, so to know fewer
//! characters can only make us ask.

/// What an automaton says of a whole value.
#[derive(Debug)]
pub(super) struct Automa {
    /// Class of each ASCII character.
    ascii: [u16; 128],
    /// First character of each class, for the others: in order.
    da: Vec<(u32, u16)>,
    classi: usize,
    /// Next state by state and class, state 0 being the one without a way out.
    mosse: Vec<u16>,
    finali: Vec<bool>,
    #[cfg(test)]
    lontani: std::sync::OnceLock<Vec<Option<usize>>>,
}

/// The pattern holds something that is not known here, or too much of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ignoto;

/// Characters, as ranges that neither overlap nor go backwards.
type Classe = Vec<(u32, u32)>;

enum Regola {
    Uno(Classe),
    Fila(Vec<Self>),
    Scelta(Vec<Self>),
    Ripetuta(Box<Self>, u32, Option<u32>),
}

impl Automa {
    /// The automaton of a derivation step: a value that any of its patterns takes.
    pub(super) fn new(pattern: &[&str]) -> Result<Self, Ignoto> {
        let scelte = pattern
            .iter()
            .map(|pattern| Lettura::whole(pattern))
            .collect::<Result<_, _>>()?;
        let mut nodi = Nodi::default();
        let fine = nodi.push()?;
        let inizio = nodi.regola(&Regola::Scelta(scelte), fine)?;
        nodi.determine(inizio, fine)
    }

    /// Whether the whole value is of the pattern.
    pub(super) fn takes(&self, valore: &str) -> bool {
        let mut stato = INIZIO;
        for carattere in valore.chars() {
            let codice = u32::from(carattere);
            let classe = if carattere.is_ascii() {
                self.ascii[codice as usize]
            } else {
                self.da[self.da.partition_point(|(da, _)| *da <= codice) - 1].1
            };
            stato = usize::from(self.mosse[stato * self.classi + usize::from(classe)]);
        }
        self.finali[stato]
    }
}

#[cfg(test)]
impl Automa {
    /// A value that it takes: a walk to the nearest end, with detours. `sotto` throws a die below a number.
    pub(super) fn esempio(&self, sotto: &mut dyn FnMut(usize) -> usize) -> String {
        let mossa = |stato: usize, classe: usize| usize::from(self.mosse[stato * self.classi + classe]);
        let lontani = self.lontani.get_or_init(|| self.lontani());
        let giri = [0, 5, 90][sotto(3)];
        let mut valore = String::new();
        let mut stato = INIZIO;
        for passo in 0.. {
            let vive: Vec<usize> = (0..self.classi)
                .filter(|classe| lontani[mossa(stato, *classe)].is_some())
                .filter(|classe| passo < giri || lontani[mossa(stato, *classe)] < lontani[stato])
                .collect();
            if vive.is_empty() || self.finali[stato] && (passo >= giri || sotto(20) == 0) {
                break;
            }
            let classe = vive[sotto(vive.len())];
            let (da, _) = self.da[classe];
            let prossima = self.da.get(classe + 1).map_or(CARATTERE_MAX, |(da, _)| *da);
            let largo = usize::try_from(prossima - da).unwrap_or(1).clamp(1, 200);
            let codice = da + u32::try_from(sotto(largo)).unwrap_or_default();
            // Characters that XML has not are left to who looks at the whole.
            let carattere = char::from_u32(codice).filter(|c| !c.is_control() && *c < '\u{FFFE}');
            let Some(carattere) = carattere else { continue };
            valore.push(carattere);
            stato = mossa(stato, classe);
        }
        valore
    }

    /// Steps to an end, by state.
    fn lontani(&self) -> Vec<Option<usize>> {
        let mut lontani: Vec<Option<usize>> = self.finali.iter().map(|finale| finale.then_some(0)).collect();
        let mut cambia = true;
        while std::mem::take(&mut cambia) {
            for stato in (0..lontani.len()).rev() {
                let dopo = &self.mosse[stato * self.classi..(stato + 1) * self.classi];
                let vicino = dopo.iter().filter_map(|dopo| lontani[usize::from(*dopo)]).min();
                if let (None, Some(passi)) = (lontani[stato], vicino) {
                    lontani[stato] = Some(passi + 1);
                    cambia = true;
                }
            }
        }
        lontani
    }
}

/// The state before the first character.
const INIZIO: usize = 1;
/// States of one automaton, and nodes of what it is made from.
const STATI_MAX: usize = 8192;
const CARATTERE_MAX: u32 = 0x10_FFFF;

/// A pattern that is being read.
struct Lettura<'p> {
    caratteri: std::iter::Peekable<std::str::Chars<'p>>,
}

impl<'p> Lettura<'p> {
    fn whole(pattern: &'p str) -> Result<Regola, Ignoto> {
        let mut lettura = Self {
            caratteri: pattern.chars().peekable(),
        };
        let regola = lettura.scelta()?;
        lettura.caratteri.next().is_none().then_some(regola).ok_or(Ignoto)
    }

    fn scelta(&mut self) -> Result<Regola, Ignoto> {
        let mut rami = vec![self.ramo()?];
        while self.caratteri.next_if_eq(&'|').is_some() {
            rami.push(self.ramo()?);
        }
        Ok(Regola::Scelta(rami))
    }

    fn ramo(&mut self) -> Result<Regola, Ignoto> {
        let mut fila = Vec::new();
        while let Some(carattere) = self.caratteri.peek().copied() {
            let atomo = match carattere {
                '|' | ')' => break,
                '(' => {
                    self.caratteri.next();
                    // `(?` is no group of XML Schema.
                    if self.caratteri.peek() == Some(&'?') {
                        return Err(Ignoto);
                    }
                    let dentro = self.scelta()?;
                    self.caratteri.next_if_eq(&')').ok_or(Ignoto)?;
                    dentro
                }
                '[' => Regola::Uno(self.classe()?),
                '.' => {
                    self.caratteri.next();
                    Regola::Uno(negate(&[(0x0A, 0x0A), (0x0D, 0x0D)]))
                }
                '\\' => Regola::Uno(self.fuga()?),
                '?' | '*' | '+' | '{' | '}' | ']' | '^' | '$' => return Err(Ignoto),
                _ => {
                    self.caratteri.next();
                    Regola::Uno(vec![(carattere.into(), carattere.into())])
                }
            };
            fila.push(self.quante(atomo)?);
        }
        Ok(Regola::Fila(fila))
    }

    fn quante(&mut self, atomo: Regola) -> Result<Regola, Ignoto> {
        let (minimo, massimo) = match self.caratteri.peek() {
            Some('?') => (0, Some(1)),
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('{') => {
                self.caratteri.next();
                let minimo = self.numero()?;
                let massimo = if self.caratteri.next_if_eq(&',').is_none() {
                    Some(minimo)
                } else if self.caratteri.peek() == Some(&'}') {
                    None
                } else {
                    Some(self.numero()?)
                };
                if self.caratteri.peek() != Some(&'}') || massimo.is_some_and(|massimo| massimo < minimo) {
                    return Err(Ignoto);
                }
                (minimo, massimo)
            }
            _ => return Ok(atomo),
        };
        self.caratteri.next();
        // `a{2}{3}` and `a*?` are none of XML Schema's.
        if matches!(self.caratteri.peek(), Some('?' | '*' | '+' | '{')) {
            return Err(Ignoto);
        }
        Ok(Regola::Ripetuta(Box::new(atomo), minimo, massimo))
    }

    fn numero(&mut self) -> Result<u32, Ignoto> {
        let mut cifre = String::new();
        while let Some(cifra) = self.caratteri.next_if(char::is_ascii_digit) {
            cifre.push(cifra);
        }
        cifre.parse().map_err(|_| Ignoto)
    }

    /// `\…`, of one character or of a class that is known.
    fn fuga(&mut self) -> Result<Classe, Ignoto> {
        self.caratteri.next();
        let carattere = match self.caratteri.next().ok_or(Ignoto)? {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'd' => return Ok(vec![('0'.into(), '9'.into())]),
            's' => return Ok(vec![(0x09, 0x0A), (0x0D, 0x0D), (0x20, 0x20)]),
            segno @ ('\\' | '|' | '.' | '-' | '^' | '?' | '*' | '+' | '{' | '}' | '(' | ')' | '[' | ']') => {
                segno
            }
            _ => return Err(Ignoto),
        };
        Ok(vec![(carattere.into(), carattere.into())])
    }

    /// `[…]`.
    fn classe(&mut self) -> Result<Classe, Ignoto> {
        self.caratteri.next();
        let negata = self.caratteri.next_if_eq(&'^').is_some();
        let mut classe: Classe = Vec::new();
        loop {
            let da = match self.caratteri.peek().copied().ok_or(Ignoto)? {
                ']' => break,
                // A range's own hyphen is taken below; any other, `&&` and `~~` are read in more than one way.
                '[' | '-' | '^' | '&' | '~' => return Err(Ignoto),
                '\\' => {
                    let fuga = self.fuga()?;
                    // Fewer digits than XML Schema has would be more of all others.
                    if fuga.len() > 1 || fuga[0].0 != fuga[0].1 {
                        if negata || self.caratteri.peek() == Some(&'-') {
                            return Err(Ignoto);
                        }
                        classe.extend(fuga);
                        continue;
                    }
                    fuga[0].0
                }
                carattere => {
                    self.caratteri.next();
                    carattere.into()
                }
            };
            let a = if self.caratteri.next_if_eq(&'-').is_none() {
                da
            } else {
                match self.caratteri.peek().copied().ok_or(Ignoto)? {
                    ']' | '[' | '-' | '^' | '&' | '~' => return Err(Ignoto),
                    '\\' => match self.fuga()?.as_slice() {
                        [(uno, altro)] if uno == altro => *uno,
                        _ => return Err(Ignoto),
                    },
                    carattere => {
                        self.caratteri.next();
                        carattere.into()
                    }
                }
            };
            if a < da {
                return Err(Ignoto);
            }
            classe.push((da, a));
        }
        self.caratteri.next();
        if classe.is_empty() {
            return Err(Ignoto);
        }
        classe.sort_unstable();
        Ok(if negata { negate(&classe) } else { classe })
    }
}

/// All characters but those of `classe`, which is sorted.
fn negate(classe: &[(u32, u32)]) -> Classe {
    let mut resto = Vec::new();
    let mut da = 0;
    for (primo, ultimo) in classe.iter().copied() {
        if primo > da {
            resto.push((da, primo - 1));
        }
        da = da.max(ultimo + 1);
    }
    if da <= CARATTERE_MAX {
        resto.push((da, CARATTERE_MAX));
    }
    resto
}

/// An automaton that may be in many states at once: each node leads on by a class of characters, or by none.
#[derive(Default)]
struct Nodi(Vec<Nodo>);

#[derive(Default)]
struct Nodo {
    classe: Option<(Classe, usize)>,
    vuote: Vec<usize>,
}

impl Nodi {
    fn push(&mut self) -> Result<usize, Ignoto> {
        if self.0.len() == STATI_MAX {
            return Err(Ignoto);
        }
        self.0.push(Nodo::default());
        Ok(self.0.len() - 1)
    }

    /// Adds nodes that take `regola` and go on at `dopo`; the first of them.
    fn regola(&mut self, regola: &Regola, dopo: usize) -> Result<usize, Ignoto> {
        match regola {
            Regola::Uno(classe) => {
                let nodo = self.push()?;
                self.0[nodo].classe = Some((classe.clone(), dopo));
                Ok(nodo)
            }
            Regola::Fila(fila) => fila
                .iter()
                .rev()
                .try_fold(dopo, |dopo, regola| self.regola(regola, dopo)),
            Regola::Scelta(rami) => {
                let nodo = self.push()?;
                for ramo in rami {
                    let ramo = self.regola(ramo, dopo)?;
                    self.0[nodo].vuote.push(ramo);
                }
                Ok(nodo)
            }
            Regola::Ripetuta(regola, minimo, massimo) => {
                let mut qui = dopo;
                match massimo {
                    None => {
                        let nodo = self.push()?;
                        let ancora = self.regola(regola, nodo)?;
                        self.0[nodo].vuote = vec![ancora, dopo];
                        qui = nodo;
                    }
                    Some(massimo) => {
                        for _ in *minimo..*massimo {
                            let nodo = self.push()?;
                            let ancora = self.regola(regola, qui)?;
                            self.0[nodo].vuote = vec![ancora, dopo];
                            qui = nodo;
                        }
                    }
                }
                for _ in 0..*minimo {
                    qui = self.regola(regola, qui)?;
                }
                Ok(qui)
            }
        }
    }

    /// The same in one state at a time.
    fn determine(&self, inizio: usize, fine: usize) -> Result<Automa, Ignoto> {
        let mut confini: Vec<u32> = self
            .0
            .iter()
            .filter_map(|nodo| nodo.classe.as_ref())
            .flat_map(|(classe, _)| classe.iter().flat_map(|(da, a)| [*da, a + 1]))
            .chain([0])
            .filter(|confine| *confine <= CARATTERE_MAX)
            .collect();
        confini.sort_unstable();
        confini.dedup();
        let da: Vec<(u32, u16)> = confini.iter().copied().zip(0..).collect();
        let classe_di = |codice: u32| da[da.partition_point(|(da, _)| *da <= codice) - 1].1;

        let mut automa = Automa {
            ascii: [0; 128],
            classi: da.len(),
            mosse: vec![0; da.len()],
            finali: vec![false],
            da: Vec::new(),
            #[cfg(test)]
            lontani: std::sync::OnceLock::new(),
        };
        for (codice, classe) in (0..).zip(&mut automa.ascii) {
            *classe = classe_di(codice);
        }
        let mut noti = std::collections::HashMap::from([(Vec::new(), 0)]);
        let mut insiemi = vec![Vec::new(), self.chiusura(vec![inizio])];
        noti.insert(insiemi[1].clone(), INIZIO);
        let mut stato = INIZIO;
        while let Some(insieme) = insiemi.get(stato).cloned() {
            automa.finali.push(insieme.contains(&fine));
            for (primo, _) in &da {
                let mosse = insieme
                    .iter()
                    .filter_map(|nodo| self.0[*nodo].classe.as_ref())
                    .filter(|(classe, _)| classe.iter().any(|(da, a)| da <= primo && primo <= a))
                    .map(|(_, dopo)| *dopo)
                    .collect();
                let arrivo = self.chiusura(mosse);
                let quale = *noti.entry(arrivo).or_insert_with_key(|arrivo| {
                    insiemi.push(arrivo.clone());
                    insiemi.len() - 1
                });
                automa.mosse.push(u16::try_from(quale).map_err(|_| Ignoto)?);
            }
            if insiemi.len() > STATI_MAX {
                return Err(Ignoto);
            }
            stato += 1;
        }
        automa.da = da;
        Ok(automa)
    }

    /// The nodes and all that they reach without a character, in order.
    fn chiusura(&self, mut nodi: Vec<usize>) -> Vec<usize> {
        let mut visti = std::collections::BTreeSet::new();
        while let Some(nodo) = nodi.pop() {
            if visti.insert(nodo) {
                nodi.extend(&self.0[nodo].vuote);
            }
        }
        visti.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_takes_whole_values_and_no_others() {
        for (pattern, giusti, errati) in [
            ("a|b{2,3}", &["a", "bb", "bbb"][..], &["", "b", "bbbb", "ab"][..]),
            ("[A-ZÀÈ' \\-]*", &["", "À L'È-A", "Z"], &["a", "É", "0"]),
            ("[^@ ]{1,2}@x+", &["à@x", "ab@xx"], &["@x", "abc@x", "a @x", "a@"]),
            ("\\+?[0-9]{2}", &["+12", "12"], &["++12", "1", "+"]),
            ("(ab?)*c", &["c", "abac"], &["b", "abb"]),
            (".\\.\\d\\s", &["à.7\t", "x.0 "], &["\n.7 ", "x.٣ ", "xx7 "]),
            ("", &[""], &["a"]),
        ] {
            let automa = Automa::new(&[pattern]).unwrap();
            for giusto in giusti {
                assert!(automa.takes(giusto), "{pattern} {giusto}");
            }
            for errato in errati {
                assert!(!automa.takes(errato), "{pattern} {errato}");
            }
        }
        let due = Automa::new(&["a", "b"]).unwrap();
        assert!(due.takes("a") && due.takes("b") && !due.takes("ab"));
    }

    #[test]
    fn what_may_be_read_in_two_ways_is_refused() {
        for pattern in [
            "\\w",
            "\\W",
            "\\D",
            "\\S",
            "\\i",
            "\\c",
            "\\p{L}",
            "\\P{L}",
            "\\b",
            "^a$",
            "$",
            "a**",
            "a+?",
            "a{2}{3}",
            "(?:a)",
            "(?i)a",
            "(a",
            "a)",
            "[a",
            "[]",
            "[a-z-[x]]",
            "[[:alpha:]]",
            "[a&&b]",
            "[a~~b]",
            "[-a]",
            "[a-]",
            "[a^]",
            "[^\\d]",
            "[\\d-z]",
            "[z-a]",
            "a{",
            "a{,2}",
            "a{3,2}",
            "a{99999}",
            "*",
            "]",
            "}",
            "a\\",
        ] {
            assert_eq!(Automa::new(&[pattern]).err(), Some(Ignoto), "{pattern}");
        }
    }
}
