//! A session: a token that only the browser has, in a cookie that only we are sent. The store knows its SHA-256; what a form
//! must bring back (CSRF) is made of the token, so that nothing else need be kept.

use actix_web::HttpRequest;
use actix_web::http::header::COOKIE;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use ring::rand::{SecureRandom as _, SystemRandom};

use super::{Console, Fallo};
use crate::domanda::sha256::{Sha256, hex};
use crate::store::operatori::Operatore;

/// How the cookie is called. `__Host-` has the browser refuse one that another host or a page in the clear set.
const BISCOTTO: &str = "varco_sessione";
const BISCOTTO_SICURO: &str = "__Host-varco_sessione";
/// How the choice of a language is called.
const LINGUA: &str = "varco_lingua";

/// A note that something was done is written at most so often.
const NOTA_OGNI: SignedDuration = SignedDuration::from_secs(60);

/// What the browser has.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Gettone(String);

impl Gettone {
    /// A fresh one: 256 bits.
    fn new() -> Result<Self, Fallo> {
        let mut caso = [0; 32];
        SystemRandom::new()
            .fill(&mut caso)
            .map_err(|_| Fallo::guasto(&"no randomness"))?;
        Ok(Self(URL_SAFE_NO_PAD.encode(caso)))
    }

    /// By what the store knows it.
    pub(super) fn impronta(&self) -> [u8; 32] {
        Sha256::of(self.0.as_bytes())
    }

    /// What a form of this session brings back.
    pub(super) fn csrf(&self) -> String {
        let mut sha = Sha256::new();
        sha.update(b"varco csrf v1\n");
        sha.update(self.0.as_bytes());
        hex(&sha.finish())
    }

    /// Whether a form brought it. Hashes are compared, so that the time it takes says nothing.
    pub(super) fn brought(&self, csrf: &str) -> bool {
        Sha256::of(csrf.as_bytes()) == Sha256::of(self.csrf().as_bytes())
    }
}

/// Who asks, signed in.
#[derive(Clone)]
pub(super) struct Presente {
    pub(super) operatore: Operatore,
    pub(super) gettone: Gettone,
}

impl Console {
    /// Who is signed in, by the cookie; what they do is noted, unless a page refreshed itself.
    pub(super) async fn present(
        &self,
        richiesta: &HttpRequest,
        da_sola: bool,
    ) -> Result<Option<Presente>, Fallo> {
        let Some(valore) = brought_along(richiesta, self.cookie_name()) else {
            return Ok(None);
        };
        let gettone = Gettone(valore.to_owned());
        let impronta = gettone.impronta();
        let Some(sessione) = self.store.sessione(&impronta).await? else {
            return Ok(None);
        };
        let adesso = self.clock.wall();
        let fino_a = sessione.creata_il + durata(self.config.sessione);
        let ferma_il = sessione.vista_il + durata(self.config.inattivita);
        if adesso >= fino_a || adesso >= ferma_il {
            self.store.close_sessione(&impronta).await?;
            return Ok(None);
        }
        if !da_sola
            && adesso.duration_since(sessione.vista_il) >= NOTA_OGNI.min(durata(self.config.inattivita) / 4)
        {
            self.store.touch_sessione(&impronta, adesso).await?;
        }
        Ok(Some(Presente {
            operatore: sessione.operatore,
            gettone,
        }))
    }

    /// Begins a session and answers with its cookie. A token that came along from before is forgotten.
    pub(super) async fn sign_in(
        &self,
        richiesta: &HttpRequest,
        operatore: &Operatore,
    ) -> Result<String, Fallo> {
        if let Some(prima) = brought_along(richiesta, self.cookie_name()) {
            let gettone = Gettone(prima.to_owned());
            self.store.close_sessione(&gettone.impronta()).await?;
        }
        let gettone = Gettone::new()?;
        let adesso = self.clock.wall();
        let ferme_dal = adesso - durata(self.config.inattivita);
        self.store
            .open_sessione(&gettone.impronta(), operatore.id, adesso, ferme_dal)
            .await?;
        Ok(self.cookie(self.cookie_name(), &gettone.0, ""))
    }

    /// Ends a session, here and in the browser.
    pub(super) async fn sign_out(&self, presente: &Presente) -> Result<String, Fallo> {
        self.store.close_sessione(&presente.gettone.impronta()).await?;
        Ok(self.cookie(self.cookie_name(), "", "; Max-Age=0"))
    }

    fn cookie_name(&self) -> &'static str {
        if self.cifrata { BISCOTTO_SICURO } else { BISCOTTO }
    }

    /// A cookie that comes back to us alone, from our own pages alone, and that no script sees. Without a `Max-Age` it ends
    /// with the browser; how long a session holds is the store's to say.
    fn cookie(&self, nome: &str, valore: &str, fino_a: &str) -> String {
        let sicuro = if self.cifrata { "; Secure" } else { "" };
        format!("{nome}={valore}; Path=/; HttpOnly; SameSite=Strict{sicuro}{fino_a}")
    }

    /// The cookie of a choice of language: it says nothing of anybody, and holds for a year.
    pub(super) fn language_cookie(&self, codice: &'static str) -> String {
        self.cookie(LINGUA, codice, "; Max-Age=31536000")
    }
}

/// The value of a cookie that came along.
fn brought_along<'r>(richiesta: &'r HttpRequest, nome: &str) -> Option<&'r str> {
    let portati = richiesta
        .headers()
        .get_all(COOKIE)
        .filter_map(|riga| riga.to_str().ok());
    let mut coppie = portati
        .flat_map(|riga| riga.split(';'))
        .filter_map(|coppia| coppia.trim().split_once('='));
    coppie
        .find(|(altro, valore)| *altro == nome && !valore.is_empty())
        .map(|(_, valore)| valore)
}

/// The language that was chosen.
pub(super) fn language(richiesta: &HttpRequest) -> Option<&str> {
    brought_along(richiesta, LINGUA)
}

pub(super) fn durata(durata: std::time::Duration) -> SignedDuration {
    SignedDuration::try_from(durata).unwrap_or(SignedDuration::MAX)
}
