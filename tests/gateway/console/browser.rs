//! The console in a real browser: without a mouse, by an operator who is on the telephone, and by strings that want to be code.

use serde_json::Value;
use varco::store::operatori::Ruolo;

use super::ostili::{OSTILI, plant};
use super::pagine::refused_then_registered;
use super::webdriver::{Browser, INVIO, TAB};
use super::{PASSWORD, add, spawn};
use crate::helpers::{Archivio, Gateway};

/// Signs in as somebody does who has no mouse: the first field has the focus.
fn sign_in(browser: &Browser, gateway: &Gateway, nome: &str) {
    browser.go(&format!("{}/accesso", gateway.console()));
    browser.keys(&format!("{nome}{TAB}"));
    browser.keys(&format!("{PASSWORD}{INVIO}"));
    browser.until("return location.pathname === '/traffico' && document.readyState === 'complete'");
}

/// A patronato calls: «avevamo un numero, finiva per 1, del 2021». Five clicks: search, message, its refusal, the
/// corrected retry, and the number is on the page.
#[test]
fn a_call_with_half_a_number_is_answered_in_five_clicks() {
    let Some(browser) = Browser::open() else { return };
    let gateway = spawn(Archivio::Sqlite);
    add(&gateway, "anna.bianchi", Ruolo::Indagatore);
    let tracce = refused_then_registered(&gateway);
    let ready = |dove: &str| {
        browser.until(&format!(
            "return location.pathname.startsWith('{dove}') && document.readyState === 'complete'"
        ));
    };
    sign_in(&browser, &gateway, "anna.bianchi");
    // 1.
    browser.click("nav a[href='/messaggi']");
    ready("/messaggi");
    browser.run("document.getElementById('protocollo').focus()");
    browser.keys("2021-1");
    // 2.
    browser.click("form[role=search] button");
    browser.until("return location.search === '?protocollo=2021-1'");
    // 3.
    browser.click("tbody th a");
    ready(&format!("/messaggi/{}", tracce[1].message_id));
    // 4. Why was it refused at first?
    browser.click(&format!("a[href='/messaggi/{}']", tracce[0].message_id));
    ready(&format!("/messaggi/{}", tracce[0].message_id));
    let rifiuto = browser.text();
    assert!(
        rifiuto.contains("XSD-016")
            && rifiuto.contains("trovato «forse»")
            && rifiuto.contains("Che cosa fare"),
        "{rifiuto}"
    );
    assert_eq!(
        browser.run("return document.querySelectorAll('tr.segnata').length"),
        Value::from(1)
    );
    // 5. And the corrected one?
    browser.click(&format!("a[href='/messaggi/{}']", tracce[1].message_id));
    ready(&format!("/messaggi/{}", tracce[1].message_id));
    assert_eq!(
        browser.run("return document.getElementById('protocollo').innerText"),
        Value::from("INPS-AUF-2021-000000000001")
    );
}

#[test]
fn everything_can_be_done_without_a_mouse() {
    let Some(browser) = Browser::open() else { return };
    let gateway = spawn(Archivio::Sqlite);
    add(&gateway, "anna.bianchi", Ruolo::Indagatore);
    let id = refused_then_registered(&gateway)[0].message_id;
    sign_in(&browser, &gateway, "anna.bianchi");
    // The first thing that Tab reaches leads past the menu.
    browser.press(TAB);
    assert_eq!(
        browser.run("return document.activeElement.getAttribute('href')"),
        Value::from("#contenuto")
    );
    browser.press(INVIO);
    assert_eq!(
        browser.run("return document.activeElement.id"),
        Value::from("contenuto")
    );
    // To the message, its clear text for a reason, and out.
    browser.go(&format!("{}/messaggi/{id}", gateway.console()));
    browser.tab_to("e.tagName === 'SUMMARY'");
    browser.press(INVIO);
    browser.tab_to("e.id === 'motivo'");
    browser.keys("richiesta telefonica del patronato");
    browser.tab_to(
        "e.tagName === 'BUTTON' && !e.hasAttribute('formaction') && e.form.action.endsWith('/in-chiaro')",
    );
    browser.press(INVIO);
    browser.until("return document.body.innerText.includes('Dati personali in chiaro')");
    assert!(browser.text().contains("RSSMRA80A01H501U"));
    browser.tab_to("e.tagName === 'BUTTON' && e.form.action.endsWith('/uscita')");
    browser.press(INVIO);
    browser.until("return location.pathname === '/accesso'");
    // Whatever has the focus shows it.
    let contorno = browser.run("document.getElementById('nome').focus(); return getComputedStyle(document.getElementById('nome')).outlineStyle");
    assert_eq!(contorno, Value::from("solid"));
}

#[test]
fn hostile_messages_run_nothing_in_a_browser() {
    let Some(browser) = Browser::open() else { return };
    let gateway = spawn(Archivio::Sqlite);
    add(&gateway, "anna.bianchi", Ruolo::Indagatore);
    let messaggi: Vec<_> = (0_u128..)
        .zip(OSTILI)
        .map(|(numero, ostile)| plant(&gateway, numero, ostile))
        .collect();
    sign_in(&browser, &gateway, "anna.bianchi");
    let pagine = messaggi.iter().map(|id| format!("/messaggi/{id}"));
    for percorso in pagine.chain([
        "/messaggi".to_owned(),
        "/porta".to_owned(),
        "/traffico?minuti=60".to_owned(),
    ]) {
        browser.go(&format!("{}{percorso}", gateway.console()));
        browser.until("return document.readyState === 'complete'");
        // A dialogue would fail the next command; a script would have left its mark.
        assert_eq!(
            browser.run("return window.varcoColpito === undefined"),
            Value::Bool(true),
            "{percorso}"
        );
        assert_eq!(
            browser.run(
                "return document.scripts.length + document.querySelectorAll('img,iframe,object').length"
            ),
            Value::from(0)
        );
        assert!(browser.run("return performance.getEntriesByType('resource').every(r => r.name.startsWith(location.origin))") == Value::Bool(true));
        // No word is cut off by the page: it scrolls within its tables.
        let largo = browser
            .run("return document.documentElement.scrollWidth <= document.documentElement.clientWidth");
        assert_eq!(largo, Value::Bool(true), "{percorso}");
    }
}

/// Text against what is behind it, on every page and in both lights: 4.5 to 1 at least (WCAG AA).
#[test]
fn every_text_can_be_read() {
    let Some(browser) = Browser::open() else { return };
    let gateway = spawn(Archivio::Sqlite);
    add(&gateway, "anna.bianchi", Ruolo::Gestore);
    let id = refused_then_registered(&gateway)[0].message_id;
    let messaggio = format!("/messaggi/{id}");
    for scuro in [false, true] {
        browser.dark(scuro);
        browser.go(&format!("{}/accesso", gateway.console()));
        assert_eq!(
            browser.run(CONTRASTI),
            Value::Array(Vec::new()),
            "/accesso, dark: {scuro}"
        );
        sign_in(&browser, &gateway, "anna.bianchi");
        for percorso in [
            "/traffico?minuti=5",
            "/messaggi",
            messaggio.as_str(),
            "/porta",
            "/lotti?tutti=1",
            "/enti",
            "/archivio",
        ] {
            browser.go(&format!("{}{percorso}", gateway.console()));
            browser.until("return document.readyState === 'complete'");
            assert_eq!(
                browser.run(CONTRASTI),
                Value::Array(Vec::new()),
                "{percorso}, dark: {scuro}"
            );
            assert_eq!(browser.run(ETICHETTE), Value::Array(Vec::new()), "{percorso}");
        }
        browser.click("form[action='/uscita'] button");
    }
}

/// Fields without a label, tables without a caption, pictures without words, headings that skip a level, ids twice.
const ETICHETTE: &str = r"
const mali = [];
for (const e of document.querySelectorAll('input:not([type=hidden]),select,textarea'))
    if (!e.labels.length && !e.getAttribute('aria-label')) mali.push('label ' + e.name);
for (const e of document.querySelectorAll('table')) if (!e.caption) mali.push('caption');
for (const e of document.querySelectorAll('svg'))
    if (e.getAttribute('aria-hidden') !== 'true' && !e.getAttribute('aria-label')) mali.push('svg');
for (const e of document.querySelectorAll('button,a')) if (!(e.textContent.trim() || e.getAttribute('aria-label'))) mali.push('name ' + e.outerHTML);
const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
if (new Set(ids).size !== ids.length) mali.push('id twice');
if (document.querySelectorAll('h1').length !== 1) mali.push('h1');
return mali;";

const CONTRASTI: &str = r"
const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
const rgba = c => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
const over = (a, b) => [0, 1, 2].map(i => a[i] * a[3] / 255 + b[i] * (1 - a[3] / 255)).concat(255);
const light = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
const mali = new Set();
for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    const box = e.getBoundingClientRect();
    if (!own || box.width < 2 || e.closest('.solo-voce,.salta,progress,meter,option')) continue;
    const layers = [];
    for (let p = e; p; p = p.parentElement) layers.push(rgba(getComputedStyle(p).backgroundColor));
    let back = [255, 255, 255, 255];
    for (const layer of layers.reverse()) back = over(layer, back);
    const style = getComputedStyle(e);
    const front = over(rgba(e.closest('svg') ? style.fill : style.color), back);
    const [a, b] = [light(front), light(back)].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    if (ratio < 4.5) mali.add(e.tagName + '.' + e.className + ' ' + ratio.toFixed(2));
}
return [...mali];";
