//! A part of a message as a tree of local names and texts: for who tells again what was received, field by field. It is
//! read by the same strict reader as at its coming, within the same bounds.

use super::{Limits, Reader, Token, XmlError, is_bianco};

/// An element as it was received: names without their namespace, texts without the white space around them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Elemento {
    /// The local name.
    pub nome: String,
    /// The text, of an element without elements in it.
    pub testo: String,
    /// The elements in it, in their order.
    pub figli: Vec<Self>,
}

impl Elemento {
    /// The element that begins at this byte of a message; `None` where none does. The text of elements of the name
    /// `tralasciato` (a document's bytes) is left out.
    pub fn at(
        bytes: &[u8],
        inizio: usize,
        tralasciato: &str,
        limits: &Limits,
    ) -> Result<Option<Self>, XmlError> {
        let mut reader = Reader::new(bytes, limits);
        let mut aperti: Vec<Self> = Vec::new();
        loop {
            let mut lungo = false;
            match reader.next()? {
                Token::Start {
                    nome, inizio: qui, ..
                } => {
                    if !aperti.is_empty() || qui == inizio {
                        aperti.push(Self {
                            nome: nome.locale.to_owned(),
                            ..Self::default()
                        });
                    }
                    lungo = nome.locale == tralasciato;
                }
                Token::Text(testo) => {
                    if let Some(aperto) = aperti.last_mut()
                        && aperto.nome != tralasciato
                    {
                        aperto.testo.push_str(&testo);
                    }
                }
                Token::End { .. } => {
                    let Some(mut chiuso) = aperti.pop() else { continue };
                    chiuso.collapse();
                    match aperti.last_mut() {
                        Some(padre) => padre.figli.push(chiuso),
                        None => return Ok(Some(chiuso)),
                    }
                }
                Token::Eof => return Ok(None),
            }
            if lungo {
                reader.lift_text_bound();
            }
        }
    }

    /// The first element in it of that name.
    #[must_use]
    pub fn figlio(&self, nome: &str) -> Option<&Self> {
        self.figli.iter().find(|figlio| figlio.nome == nome)
    }

    /// The text of the element that this path of names leads to; empty where there is none.
    #[must_use]
    pub fn testo_di(&self, percorso: &[&str]) -> &str {
        percorso
            .iter()
            .try_fold(self, |elemento, nome| elemento.figlio(nome))
            .map_or("", |elemento| &elemento.testo)
    }

    /// As `whiteSpace="collapse"` has it, which all our simple types ask for; between elements there is no text.
    fn collapse(&mut self) {
        if !self.figli.is_empty() || is_bianco(&self.testo) {
            self.testo.clear();
            return;
        }
        let parole = self.testo.split([' ', '\t', '\r', '\n']);
        self.testo = parole
            .filter(|parola| !parola.is_empty())
            .collect::<Vec<_>>()
            .join(" ");
    }
}

impl std::fmt::Debug for Elemento {
    /// Without texts: they are somebody's data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple(&self.nome).field(&self.figli).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_message_is_read_with_the_names_in_scope_around_it() {
        let messaggio = "<e:a xmlns:e='urn:e'><e:b> no </e:b><e:c>\n  <e:d> uno\n due </e:d><e:d/><e:Contenuto>AAAA</e:Contenuto></e:c></e:a>";
        let inizio = messaggio.find("<e:c>").unwrap();
        let letto = Elemento::at(messaggio.as_bytes(), inizio, "Contenuto", &Limits::default())
            .unwrap()
            .unwrap();
        assert_eq!((letto.nome.as_str(), letto.testo.as_str()), ("c", ""));
        assert_eq!(letto.testo_di(&["d"]), "uno due");
        assert_eq!(letto.figli.len(), 3);
        assert_eq!(letto.testo_di(&["Contenuto"]), "");
        assert_eq!(format!("{letto:?}").matches("uno").count(), 0);
    }

    #[test]
    fn where_no_element_begins_there_is_none() {
        assert_eq!(
            Elemento::at(b"<a><b/></a>", 1, "", &Limits::default()).unwrap(),
            None
        );
    }

    #[test]
    fn what_is_no_xml_is_refused() {
        assert!(Elemento::at(b"<a><b></a>", 0, "", &Limits::default()).is_err());
    }
}
