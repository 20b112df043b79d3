//! How a message is spelt: prefixes, references, CDATA, comments, line ends, an envelope around; and bytes broken after
//! all that.

use std::fmt::Write as _;

use super::caso::{Albero, Dado};
use crate::prestazione::Operazione;

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
        for (quale, (namespace, locale, valore)) in albero.attributi.iter().enumerate() {
            let valore = valore
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('\'', "&#39;");
            let _ = if namespace.is_empty() {
                write!(self.xml, " {locale}='{valore}'")
            } else {
                write!(
                    self.xml,
                    " xmlns:a{quale}='{namespace}' a{quale}:{locale}='{valore}'"
                )
            };
        }
        self.xml.push_str(&albero.aggiunti);
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
