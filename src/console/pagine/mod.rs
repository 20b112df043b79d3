//! The pages: each takes what it shows out of the store, makes plain words of it, and leaves the rest to its template, which
//! escapes whatever it is given. No template marks anything as safe.

mod accesso;
mod archivio;
pub(super) mod bella;
mod enti;
pub(super) mod errore;
mod errori;
mod lotti;
mod messaggi;
mod messaggio;
mod porta;
pub(super) mod stile;
mod traffico;

use std::fmt::Write as _;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, LOCATION, SET_COOKIE};
use askama::Template;
use jiff::Timestamp;

use super::rotte::Rotta;
use super::testi::{Lingua, Testi};
use super::{Domanda, Fallo, modulo, risposta};
use crate::protocollo::roma;
use crate::store::operatori::Ruolo;
use crate::trace::redact::mask;

/// What is a page: a template that is a whole document.
pub(super) trait Pagina: Template {}
impl<T: Template> Pagina for T {}

/// What every page has around it.
#[derive(Debug)]
pub(super) struct Cornice {
    pub(super) t: &'static Testi,
    pub(super) lingua: Lingua,
    /// The way to the style sheet.
    pub(super) stile: &'static str,
    /// Which entry of the menu it is.
    pub(super) voce: &'static str,
    /// Who is signed in.
    pub(super) operatore: Option<Chi>,
    /// Where another language brings back to.
    pub(super) qui: String,
    pub(super) ambiente: &'static str,
    /// What senders are told, during maintenance.
    pub(super) manutenzione: Option<String>,
    /// After so many seconds it comes anew.
    pub(super) aggiorna: Option<u64>,
}

/// Who is signed in, as the pages need to know.
#[derive(Debug)]
pub(super) struct Chi {
    pub(super) nome: String,
    pub(super) ruolo: &'static str,
    pub(super) csrf: String,
    pub(super) indaga: bool,
    pub(super) gestisce: bool,
}

impl Cornice {
    /// Of a page that nobody need be signed in for.
    pub(super) fn bare(lingua: Lingua) -> Self {
        Self {
            t: lingua.testi(),
            lingua,
            stile: stile::percorso(),
            voce: "",
            operatore: None,
            qui: "/accesso".to_owned(),
            ambiente: "",
            manutenzione: None,
            aggiorna: None,
        }
    }

    /// Each language, and the way to this page in it.
    pub(super) fn lingue(&self) -> Vec<(Lingua, String)> {
        let torna = modulo::query([("torna", self.qui.as_str())]);
        let way = |lingua: &Lingua| (*lingua, format!("/lingua/{}{torna}", lingua.codice()));
        Lingua::TUTTE.iter().map(way).collect()
    }

    pub(super) fn csrf(&self) -> &str {
        self.operatore.as_ref().map_or("", |chi| &chi.csrf)
    }

    pub(super) fn indaga(&self) -> bool {
        self.operatore.as_ref().is_some_and(|chi| chi.indaga)
    }

    pub(super) fn gestisce(&self) -> bool {
        self.operatore.as_ref().is_some_and(|chi| chi.gestisce)
    }
}

impl Domanda<'_> {
    /// The words of the banner: what senders are told, and until when.
    fn maintenance(&self) -> Option<String> {
        let cartello = self.console.fonti.custode.cartello()?;
        let t = self.lingua.testi();
        let fine = cartello
            .fino_a
            .map(|fine| format!(" ({} {})", t.manutenzione_fino, instant(fine)));
        Some(format!(
            "{}{}",
            plain(&cartello.messaggio),
            fine.unwrap_or_default()
        ))
    }

    /// The frame of a page of who is signed in.
    pub(super) fn frame(&self, voce: &'static str) -> Result<Cornice, Fallo> {
        let presente = self.chi()?;
        let t = self.lingua.testi();
        let ruolo = presente.operatore.ruolo;
        let qui = self
            .richiesta
            .uri()
            .path_and_query()
            .map(|meta| meta.as_str().to_owned());
        // Another language of what a form answered begins at the list; and no link of ours goes on with a codice fiscale that
        // somebody typed into the address.
        let qui =
            qui.filter(|qui| *self.richiesta.method() == actix_web::http::Method::GET && mask(qui) == *qui);
        Ok(Cornice {
            voce,
            operatore: Some(Chi {
                nome: presente.operatore.nome.clone(),
                ruolo: t.role(ruolo),
                csrf: presente.gettone.csrf(),
                indaga: ruolo >= Ruolo::Indagatore,
                gestisce: ruolo >= Ruolo::Gestore,
            }),
            qui: qui.unwrap_or_else(|| format!("/{voce}")),
            ambiente: self.console.fonti.ambiente.as_str(),
            manutenzione: self.maintenance(),
            ..Cornice::bare(self.lingua)
        })
    }
}

/// What a route shows.
pub(super) async fn show(domanda: &Domanda<'_>, rotta: Rotta) -> Result<HttpResponse, Fallo> {
    match rotta {
        Rotta::Stile => Ok(stile::sheet(domanda.richiesta)),
        Rotta::Icona => Ok(stile::icon()),
        Rotta::Lingua(lingua) => Ok(language(domanda, lingua)),
        Rotta::Accesso => accesso::form(domanda, None),
        Rotta::Entra => accesso::enter(domanda).await,
        Rotta::EntraConCertificato => accesso::enter_with_certificate(domanda).await,
        Rotta::Esci => accesso::leave(domanda).await,
        Rotta::Inizio => Ok(risposta::see("/traffico")),
        Rotta::Traffico => traffico::page(domanda).await,
        Rotta::Messaggi => messaggi::page(domanda).await,
        Rotta::Cerca => messaggi::search(domanda).await,
        Rotta::SalvaRicerca => messaggi::keep(domanda).await,
        Rotta::TogliRicerca => messaggi::forget(domanda).await,
        Rotta::Esporta => messaggi::export(domanda).await,
        Rotta::Messaggio(id) => messaggio::page(domanda, id).await,
        Rotta::InChiaro(id) => messaggio::in_clear(domanda, id).await,
        Rotta::Scarica(id) => messaggio::download(domanda, id).await,
        Rotta::Porta => porta::page(domanda).await,
        Rotta::Lotti => lotti::page(domanda).await,
        Rotta::ComandaLotto(id) => lotti::command(domanda, id).await,
        Rotta::Enti => enti::page(domanda),
        Rotta::Archivio => archivio::page(domanda).await,
    }
}

/// The page that was asked for.
pub(super) fn ok(pagina: &impl Pagina) -> Result<HttpResponse, Fallo> {
    render(StatusCode::OK, pagina)
}

/// A template as an answer.
pub(super) fn render(status: StatusCode, pagina: &impl Pagina) -> Result<HttpResponse, Fallo> {
    let testo = pagina.render().map_err(|causa| Fallo::guasto(&causa))?;
    Ok(HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .body(testo))
}

fn language(domanda: &Domanda<'_>, lingua: Lingua) -> HttpResponse {
    let torna = modulo::local_path(domanda.modulo.raw("torna")).unwrap_or("/");
    HttpResponse::SeeOther()
        .insert_header((SET_COOKIE, domanda.console.language_cookie(lingua.codice())))
        .insert_header((LOCATION, torna))
        .finish()
}

/// A text of somebody else's as it may be seen: signs that no eye sees, or that turn the order of the others, are spelt.
pub(super) fn plain(testo: &str) -> String {
    if !testo.contains(unseen) {
        return testo.to_owned();
    }
    let mut piano = String::with_capacity(testo.len() + 16);
    for segno in testo.chars() {
        if unseen(segno) {
            // Writing to a String cannot fail.
            let _ = write!(piano, "⟨U+{:04X}⟩", u32::from(segno));
        } else {
            piano.push(segno);
        }
    }
    piano
}

fn unseen(segno: char) -> bool {
    segno.is_control()
        || matches!(segno, '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

pub(super) fn plain_option(testo: Option<&String>) -> String {
    testo.map(|testo| plain(testo)).unwrap_or_default()
}

/// An instant in Rome, to the second: `15/07/2021 12:00:00`.
pub(super) fn instant(istante: Timestamp) -> String {
    istante.to_zoned(roma()).strftime("%d/%m/%Y %H:%M:%S").to_string()
}

/// The same to the millisecond.
pub(super) fn instant_ms(istante: Timestamp) -> String {
    istante
        .to_zoned(roma())
        .strftime("%d/%m/%Y %H:%M:%S%.3f")
        .to_string()
}

/// A day in Rome.
pub(super) fn day(istante: Timestamp) -> String {
    istante.to_zoned(roma()).strftime("%d/%m/%Y").to_string()
}

/// Microseconds as milliseconds.
pub(super) fn millis(us: u64) -> String {
    super::disegno::number(super::campioni::float(us) / 1000.0)
}

/// Bytes as people say them.
pub(super) fn bytes(byte: u64) -> String {
    let mut valore = super::campioni::float(byte);
    for unita in ["B", "KiB", "MiB", "GiB"] {
        if valore < 1024.0 {
            return format!(
                "{} {unita}",
                super::disegno::number((valore * 10.0).round() / 10.0)
            );
        }
        valore /= 1024.0;
    }
    format!("{} TiB", super::disegno::number((valore * 10.0).round() / 10.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_eye_sees_is_spelt() {
        assert_eq!(plain("domanda\u{202E}fdp.exe"), "domanda⟨U+202E⟩fdp.exe");
        assert_eq!(plain("a\0b\u{1b}[31m\n"), "a⟨U+0000⟩b⟨U+001B⟩[31m⟨U+000A⟩");
        assert_eq!(plain("perché è così — «x» 👍"), "perché è così — «x» 👍");
    }

    #[test]
    fn bytes_are_said_as_people_say_them() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1536), "1.50 KiB");
        assert_eq!(bytes(5 << 30), "5 GiB");
        assert_eq!(bytes(3 << 40), "3 TiB");
    }

    /// What a sender wrote would be markup there.
    #[test]
    fn no_template_trusts_anything() {
        let mut visti = 0;
        for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/templates")).unwrap() {
            let file = file.unwrap().path();
            let testo = std::fs::read_to_string(&file).unwrap();
            for vietato in [
                "|safe",
                "| safe",
                "|escape",
                "escape=",
                "<script",
                "style=\"",
                "javascript:",
                " on",
            ] {
                let trovato = testo.lines().find(|riga| {
                    riga.find(vietato).is_some_and(|dove| {
                        vietato != " on"
                            || riga[dove..].split('=').next().is_some_and(|nome| {
                                nome.trim().len() > 3
                                    && nome.trim().chars().all(|c| c.is_ascii_lowercase())
                                    && riga[dove..].contains("=\"")
                            })
                    })
                });
                assert_eq!(trovato, None, "{}: {vietato}", file.display());
            }
            visti += 1;
        }
        assert!(visti > 8);
    }
}
