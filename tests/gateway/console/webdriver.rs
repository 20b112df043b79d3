//! A browser, by the W3C's `WebDriver`: chromedriver as it lies on the machine, spoken to over HTTP. Without its
//! sandbox, which it refuses to have as root: what it opens is our own pages.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Keys, as `WebDriver` spells them.
pub(super) const TAB: &str = "\u{e004}";
pub(super) const INVIO: &str = "\u{e007}";

pub(super) struct Browser {
    driver: Child,
    agent: ureq::Agent,
    sessione: String,
}

impl Browser {
    /// A browser; `None`, said aloud, where there is none and none is asked for.
    pub(super) fn open() -> Option<Self> {
        let nome = [
            "/usr/bin/chromedriver",
            "/usr/local/bin/chromedriver",
            "/usr/lib/chromium/chromedriver",
        ]
        .into_iter()
        .find(|file| Path::new(file).is_file());
        let Some(chromedriver) = nome else {
            let set_to =
                |nome: &str, valore: &str| std::env::var_os(nome).is_some_and(|detto| detto == valore);
            assert!(
                !set_to("CI", "true") && !set_to("VARCO_TEST_BROWSER", "1"),
                "no chromedriver on this machine, and the tests are to run in a browser"
            );
            let test = std::thread::current().name().unwrap_or("a test").to_owned();
            // Not with a macro: its words would be kept from whoever runs the tests.
            let _ = writeln!(
                std::io::stderr(),
                "NOT RUN: {test}: no browser here (apt-get install chromium chromium-driver)"
            );
            return None;
        };
        let mut driver = Command::new(chromedriver)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut righe = BufReader::new(driver.stdout.take().unwrap()).lines();
        let porta: u16 = righe
            .find_map(|riga| {
                riga.unwrap()
                    .split("successfully on port ")
                    .nth(1)?
                    .trim_end_matches('.')
                    .parse()
                    .ok()
            })
            .expect("chromedriver tells its port");
        // What else it says is read, so that it never waits for a reader.
        std::thread::spawn(move || righe.for_each(drop));
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_mins(2)))
            .build()
            .into();
        let mut browser = Self {
            driver,
            agent,
            sessione: format!("http://127.0.0.1:{porta}"),
        };
        let args = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--force-color-profile=srgb",
            "--window-size=1280,860",
        ];
        let opzioni =
            json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": { "args": args } } } });
        let aperta = browser.call("POST", "/session", Some(&opzioni));
        browser.sessione = format!(
            "{}/session/{}",
            browser.sessione,
            aperta["sessionId"].as_str().unwrap()
        );
        Some(browser)
    }

    fn call(&self, metodo: &str, percorso: &str, corpo: Option<&Value>) -> Value {
        let url = format!("{}{percorso}", self.sessione);
        let risposta = match (metodo, corpo) {
            ("GET", _) => self.agent.get(url).call(),
            ("DELETE", _) => self.agent.delete(url).call(),
            (_, corpo) => self
                .agent
                .post(url)
                .send(corpo.map_or_else(|| "{}".to_owned(), Value::to_string)),
        };
        let testo = risposta
            .unwrap()
            .body_mut()
            .with_config()
            .limit(64 << 20)
            .read_to_string()
            .unwrap();
        let valore: Value = serde_json::from_str::<Value>(&testo).unwrap()["value"].take();
        assert!(valore.get("error").is_none(), "{metodo} {percorso}: {valore}");
        valore
    }

    pub(super) fn go(&self, url: &str) {
        self.call("POST", "/url", Some(&json!({ "url": url })));
    }

    pub(super) fn url(&self) -> String {
        self.call("GET", "/url", None).as_str().unwrap().to_owned()
    }

    /// Types into whatever has the focus, as a keyboard does.
    pub(super) fn keys(&self, testo: &str) {
        let attivo = self.call("GET", "/element/active", None);
        let id = attivo
            .as_object()
            .unwrap()
            .values()
            .next()
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned();
        self.call(
            "POST",
            &format!("/element/{id}/value"),
            Some(&json!({ "text": testo })),
        );
    }

    /// Presses Tab until what has the focus answers to this question; how often.
    pub(super) fn tab_to(&self, domanda: &str) -> usize {
        for volte in 0..80 {
            let giusto = format!("const e = document.activeElement; return !!e && ({domanda});");
            if self.run(&giusto) == Value::Bool(true) {
                return volte;
            }
            self.press(TAB);
        }
        panic!("the keyboard never reaches {domanda}");
    }

    /// Presses a key that is for the page, not for a field.
    pub(super) fn press(&self, tasto: &str) {
        let azioni = json!([{ "type": "keyDown", "value": tasto }, { "type": "keyUp", "value": tasto }]);
        let azioni = json!({ "actions": [{ "type": "key", "id": "tastiera", "actions": azioni }] });
        self.call("POST", "/actions", Some(&azioni));
    }

    /// Clicks on the one element that a CSS selector finds first.
    pub(super) fn click(&self, selettore: &str) {
        let cercato = json!({ "using": "css selector", "value": selettore });
        let trovato = self.call("POST", "/element", Some(&cercato));
        let id = trovato
            .as_object()
            .unwrap()
            .values()
            .next()
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned();
        self.call("POST", &format!("/element/{id}/click"), None);
    }

    /// Asks the page, as its developer would: the policy forbids it scripts, not the driver.
    pub(super) fn run(&self, script: &str) -> Value {
        self.call(
            "POST",
            "/execute/sync",
            Some(&json!({ "script": script, "args": [] })),
        )
    }

    pub(super) fn text(&self) -> String {
        self.run("return document.body.innerText")
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Waits for a page to be there.
    pub(super) fn until(&self, script: &str) {
        let fine = Instant::now() + Duration::from_secs(20);
        while self.run(script) != Value::Bool(true) {
            assert!(Instant::now() < fine, "{script}: {} {}", self.url(), self.text());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// As somebody sees it who asks for dark pages.
    pub(super) fn dark(&self, scuro: bool) {
        let valore = if scuro { "dark" } else { "light" };
        let params = json!({ "features": [{ "name": "prefers-color-scheme", "value": valore }] });
        self.call(
            "POST",
            "/goog/cdp/execute",
            Some(&json!({ "cmd": "Emulation.setEmulatedMedia", "params": params })),
        );
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A session that is not ended leaves a browser behind.
        let _ = self.agent.delete(&self.sessione).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
