//! `varco lot`: the command as a process of its own, against a gateway over mutual TLS and on its store.

use std::path::{Path, PathBuf};
use std::process::Command;

use varco::store::lotti::Quali;

use crate::helpers::{Archivio, Gateway, Setting, certs, on_both_stores};

on_both_stores! {
    a_file_is_sent_watched_and_told_item_by_item,
    the_same_file_is_the_same_lot_in_every_form,
    what_was_refused_is_cut_out_and_sent_again,
    what_was_not_read_is_cut_out_as_well,
    who_runs_the_gateway_holds_lots_back_and_ends_them,
    a_lot_is_found_by_its_id_alone_whatever_its_service,
}

/// What a command said, and how it ended.
struct Detto {
    codice: i32,
    fuori: String,
    errori: String,
}

fn varco(argomenti: &[&str]) -> Detto {
    told(Command::new(env!("CARGO_BIN_EXE_varco")).args(argomenti))
}

fn told(comando: &mut Command) -> Detto {
    let output = comando.output().unwrap();
    Detto {
        codice: output.status.code().unwrap(),
        fuori: String::from_utf8(output.stdout).unwrap(),
        errori: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Files beside a gateway, and its command line.
struct Scrivania {
    gateway: Gateway,
}

impl Scrivania {
    fn new(archivio: Archivio) -> Self {
        Self {
            gateway: Gateway::spawn(&Setting::on(archivio)),
        }
    }

    fn file(&self, nome: &str) -> PathBuf {
        self.gateway.dir.path().join(nome)
    }

    fn write(&self, nome: &str, testo: &str) -> PathBuf {
        let file = self.file(nome);
        std::fs::write(&file, testo).unwrap();
        file
    }

    /// As a patronato.
    fn lot(&self, argomenti: &[&str]) -> Detto {
        told(&mut self.command(argomenti))
    }

    fn command(&self, argomenti: &[&str]) -> Command {
        let url = format!("https://localhost:{}", self.gateway.addr().port());
        let file = |nome: &str| certs().join(nome).display().to_string();
        let (cert, ca) = (file("pat01.pem"), file("ca.pem"));
        let dove = ["--url", &url, "--cert", &cert, "--ca", &ca, "--tentativi", "2"];
        let mut comando = Command::new(env!("CARGO_BIN_EXE_varco"));
        comando.args([&["lot"], argomenti, &dove].concat());
        comando
    }

    /// As who runs the gateway.
    fn keeper(&self, argomenti: &[&str]) -> Detto {
        let config = self.file("varco.toml").display().to_string();
        varco(&[&["lot"], argomenti, &["--config", &config]].concat())
    }

    /// Sends a file that must be taken in; its id.
    fn send(&self, file: &Path, opzioni: &[&str]) -> String {
        let detto = self.lot(&[&["send", path(file)], opzioni].concat());
        assert_eq!(detto.codice, 0, "{}{}", detto.fuori, detto.errori);
        id_in(&detto.fuori)
    }
}

fn path(file: &Path) -> &str {
    file.to_str().unwrap()
}

fn id_in(fuori: &str) -> String {
    fuori.split_whitespace().nth(1).unwrap().to_owned()
}

/// A lot of samples.
fn campioni(file: &Path, quanti: u32) -> String {
    let detto = varco(&[
        "sample",
        "--lotto",
        &quanti.to_string(),
        "--seme",
        "1",
        "--data",
        "2021-07-15",
        "--semplice",
        "-o",
        path(file),
    ]);
    assert_eq!(
        (detto.codice, detto.fuori),
        (0, format!("{quanti} domande in {}\n", file.display())),
        "{}",
        detto.errori
    );
    std::fs::read_to_string(file).unwrap()
}

/// The items of a lot of samples, byte by byte.
fn elementi(lotto: &str) -> Vec<&str> {
    lotto
        .split_inclusive("</at:InviaDomanda>")
        .filter_map(|pezzo| Some(&pezzo[pezzo.find("<at:InviaDomanda")?..]))
        .collect()
}

/// The same lot with these items (from 0) broken: a value that the XSD does not know.
fn guasto(lotto: &str, quali: &[usize]) -> String {
    let mut rotto = lotto.to_owned();
    for (posto, elemento) in elementi(lotto).into_iter().enumerate() {
        if quali.contains(&posto) {
            rotto = rotto.replace(elemento, &rotto_di(elemento));
        }
    }
    rotto
}

fn rotto_di(elemento: &str) -> String {
    elemento.replace("GENITORE</at:PresentataDa>", "ZIO</at:PresentataDa>")
}

fn a_file_is_sent_watched_and_told_item_by_item(archivio: Archivio) {
    let scrivania = Scrivania::new(archivio);
    let file = scrivania.file("lotto.xml");
    let rotto = guasto(&campioni(&file, 5), &[1, 3]);
    scrivania.write("lotto.xml", &rotto);

    let inviato = scrivania.lot(&["send", path(&file), "--watch"]);
    assert_eq!(inviato.codice, 65, "{}{}", inviato.fuori, inviato.errori);
    let id = id_in(&inviato.fuori);
    assert!(
        inviato
            .fuori
            .starts_with(&format!("ACCOLTO {id}\n  ChiaveInvio       lotto-")),
        "{}",
        inviato.fuori
    );
    assert!(
        inviato
            .fuori
            .contains(&format!("  byte              {}\n", rotto.len())),
        "{}",
        inviato.fuori
    );
    assert!(
        inviato
            .fuori
            .contains("  presentato il     2021-07-15T10:00:00.000Z\n"),
        "{}",
        inviato.fuori
    );
    let fine = format!("PARZIALE {id}\n");
    assert!(inviato.fuori.contains(&fine), "{}", inviato.fuori);
    assert!(
        inviato
            .fuori
            .contains("  esiti           3 registrate, 2 rifiutate\n"),
        "{}",
        inviato.fuori
    );

    let stato = scrivania.lot(&["status", &id]);
    assert_eq!(stato.codice, 0);
    assert!(stato.fuori.starts_with(&fine), "{}", stato.fuori);
    assert!(
        stato.fuori.contains("  domande         5 di 5\n"),
        "{}",
        stato.fuori
    );

    let esito = scrivania.lot(&["outcome", &id]);
    assert_eq!(esito.codice, 65);
    let righe: Vec<_> = esito.fuori.lines().collect();
    assert_eq!(
        righe[0],
        "1\t3:1\tcampione-20210715-1\tREGISTRATA\tINPS-AUF-2021-000000000001"
    );
    assert!(
        righe[1].ends_with("\tcampione-20210715-2\tRIFIUTATA"),
        "{}",
        righe[1]
    );
    assert!(righe[2].contains(" XSD-011 "), "{}", righe[2]);
    assert!(esito.errori.starts_with(&fine), "{}", esito.errori);

    let json = scrivania.lot(&["outcome", &id, "--json", "--solo-rifiutate"]);
    let oggetti: Vec<serde_json::Value> = json
        .fuori
        .lines()
        .map(|riga| serde_json::from_str(riga).unwrap())
        .collect();
    assert_eq!(oggetti.len(), 2);
    assert_eq!(oggetti[1]["posto"], 4);
    assert_eq!(oggetti[1]["chiave"], "campione-20210715-4");
    assert_eq!(oggetti[1]["errori"][0]["codice"], "XSD-011");
    assert_eq!(oggetti[1]["protocollo"], serde_json::Value::Null);

    let csv = scrivania.file("esiti.csv");
    let detto = scrivania.lot(&["outcome", &id, "--csv", "-o", path(&csv)]);
    assert_eq!(detto.fuori, format!("esiti in {}\n", csv.display()));
    let righe = std::fs::read_to_string(&csv).unwrap();
    let righe: Vec<_> = righe.lines().collect();
    assert_eq!(righe.len(), 6);
    assert!(
        righe[0].starts_with("posto;riga;colonna;chiave_invio;esito;protocollo;"),
        "{}",
        righe[0]
    );
    assert!(
        righe[5].contains(";campione-20210715-5;REGISTRATA;INPS-AUF-2021-000000000003;"),
        "{}",
        righe[5]
    );
    assert!(!scrivania.file("esiti.csv.parziale").exists());

    let ignoto = scrivania.lot(&["watch", "0197a3c1-0000-7000-8000-000000000001"]);
    assert_eq!(ignoto.codice, 65);
    assert!(ignoto.fuori.contains("LOT-004"), "{}", ignoto.fuori);
}

fn a_lot_is_found_by_its_id_alone_whatever_its_service(archivio: Archivio) {
    let scrivania = Scrivania::new(archivio);
    let file = scrivania.file("lotto.xml");
    let unico = ["--servizio", "AssegnoUnicoUniversale"];
    let campione = [
        "sample",
        "--lotto",
        "2",
        "--data",
        "2021-07-15",
        "-o",
        path(&file),
    ];
    assert_eq!(varco(&[&campione[..], &unico].concat()).codice, 0);
    let id = scrivania.send(&file, &[]);

    assert_eq!(scrivania.lot(&["watch", &id]).codice, 0);
    let stato = scrivania.lot(&["status", &id]);
    assert_eq!(stato.codice, 0, "{}", stato.fuori);
    let righe = scrivania.lot(&["outcome", &id]).fuori;
    assert_eq!(righe.matches("REGISTRATA").count(), 2, "{righe}");
    // Whoever names the wrong service is told so.
    let altrove = scrivania.lot(&["status", &id, "--servizio", "AssegnoTemporaneo"]);
    assert_eq!(altrove.codice, 65);
    assert!(altrove.fuori.contains("LOT-004"), "{}", altrove.fuori);
}

fn the_same_file_is_the_same_lot_in_every_form(archivio: Archivio) {
    let scrivania = Scrivania::new(archivio);
    let file = scrivania.file("lotto.xml");
    campioni(&file, 3);
    let id = scrivania.send(&file, &[]);
    let ancora = scrivania.lot(&["send", path(&file)]);
    assert!(
        ancora
            .fuori
            .starts_with(&format!("ACCOLTO {id}  Ripetizione=true\n")),
        "{}",
        ancora.fuori
    );
    assert_eq!(scrivania.send(&file, &["--gzip"]), id, "unzipped it is the same");
    let zip = scrivania.file("lotto.xml.gz");
    let mut gzip = flate2::write::GzEncoder::new(
        std::fs::File::create(&zip).unwrap(),
        flate2::Compression::default(),
    );
    std::io::Write::write_all(&mut gzip, &std::fs::read(&file).unwrap()).unwrap();
    gzip.finish().unwrap();
    assert_eq!(scrivania.send(&zip, &[]), id);

    // From a pipe as well, and nothing of it stays behind.
    for quale in [&file, &zip] {
        let cartella = tempfile::tempdir().unwrap();
        let detto = told(
            scrivania
                .command(&["send", "-"])
                .env("TMPDIR", cartella.path())
                .stdin(std::fs::File::open(quale).unwrap()),
        );
        assert_eq!(
            (detto.codice, id_in(&detto.fuori)),
            (0, id.clone()),
            "{}",
            detto.errori
        );
        assert_eq!(std::fs::read_dir(cartella.path()).unwrap().count(), 0);
    }

    // In the body the element counts: a lot of its own, with the numbers of the first.
    let inline = scrivania.lot(&["send", path(&file), "--inline", "--watch"]);
    assert_eq!(inline.codice, 0, "{}{}", inline.fuori, inline.errori);
    assert!(
        inline
            .fuori
            .contains("  esiti           0 registrate, 0 rifiutate, 3 già registrate in precedenza\n"),
        "{}",
        inline.fuori
    );
    let id_inline = id_in(&inline.fuori);
    assert_ne!(id_inline, id);
    assert_eq!(scrivania.send(&zip, &["--inline"]), id_inline);
    // Places are those of the file.
    let esito = scrivania.lot(&["outcome", &id_inline]);
    assert!(
        esito.fuori.starts_with("1\t3:1\tcampione-20210715-1\t"),
        "{}",
        esito.fuori
    );

    let presa = scrivania.lot(&["send", path(&file), "--inline", "--chiave", "campione-20210715-1"]);
    assert_eq!(presa.codice, 65);
    assert!(presa.fuori.contains("RPL-001"), "{}", presa.fuori);
    let altro = scrivania.write("altro.xml", "<altro/>");
    let altro = scrivania.lot(&["send", path(&altro)]);
    assert_eq!(altro.codice, 65);
    assert!(altro.fuori.contains("1:1 LOT-014"), "{}", altro.fuori);
}

fn what_was_refused_is_cut_out_and_sent_again(archivio: Archivio) {
    let scrivania = Scrivania::new(archivio);
    let file = scrivania.file("lotto.xml");
    let buono = campioni(&file, 5);
    let rotto = guasto(&buono, &[1, 3]);
    scrivania.write("lotto.xml", &rotto);
    let scarti = scrivania.file("scarti.xml");
    for opzioni in [&["--watch"][..], &["--watch", "--inline"]] {
        let inviato = scrivania.lot(&[&["send", path(&file)], opzioni].concat());
        let id = id_in(&inviato.fuori);
        let ritagliato = scrivania.lot(&["rejects", &id, "--file", path(&file), "-o", path(&scarti)]);
        assert_eq!(ritagliato.codice, 0, "{}{}", ritagliato.fuori, ritagliato.errori);
        assert_eq!(
            ritagliato.fuori,
            format!("2 rifiutate e 0 non lette in {}\n", scarti.display())
        );
        let testo = std::fs::read_to_string(&scarti).unwrap();
        let originali = elementi(&rotto);
        assert_eq!(elementi(&testo), [originali[1], originali[3]], "byte by byte");
        let riga = rotto
            .lines()
            .position(|riga| riga.contains("-2</at:Chiave"))
            .unwrap();
        assert!(
            testo.contains(&format!("<!-- posto 2, riga {riga}:\n  ")),
            "{testo}"
        );
        assert!(testo.contains(" XSD-011 "), "{testo}");
        let altro = scrivania.write(
            "altro.xml",
            &format!("\n{buono}")
                .replacen("\n<?xml", "<?xml", 1)
                .replacen(">\n<at:Inv", ">\n\n<at:Inv", 1),
        );
        let errato = scrivania.lot(&["rejects", &id, "--file", path(&altro), "-o", path(&scarti)]);
        assert_eq!(errato.codice, 64, "{}", errato.fuori);
        assert!(
            errato.errori.contains("non è il file inviato: al posto 2"),
            "{}",
            errato.errori
        );
    }

    // Corrected, with the same keys: the next numbers.
    let corretti = std::fs::read_to_string(&scarti)
        .unwrap()
        .replace("ZIO</at:PresentataDa>", "GENITORE</at:PresentataDa>");
    let corretti = scrivania.write("corretti.xml", &corretti);
    let secondo = scrivania.lot(&["send", path(&corretti), "--watch"]);
    assert_eq!(secondo.codice, 0, "{}{}", secondo.fuori, secondo.errori);
    let id = id_in(&secondo.fuori);
    let esito = scrivania.lot(&["outcome", &id]);
    for (chiave, numero) in [(2, 4), (4, 5)] {
        let attesa = format!("\tcampione-20210715-{chiave}\tREGISTRATA\tINPS-AUF-2021-{numero:012}\n");
        assert!(esito.fuori.contains(&attesa), "{}", esito.fuori);
    }
    let niente = scrivania.lot(&["rejects", &id, "--file", path(&corretti), "-o", path(&scarti)]);
    assert_eq!(
        (niente.codice, niente.fuori.as_str()),
        (0, "nessuna domanda rifiutata: niente da scrivere\n")
    );
}

fn what_was_not_read_is_cut_out_as_well(archivio: Archivio) {
    let scrivania = Scrivania::new(archivio);
    let file = scrivania.file("lotto.xml");
    let buono = guasto(&campioni(&file, 4), &[0]);
    // The third cannot be read, and so nothing behind it.
    let qui = buono.find("-3</at:ChiaveInvio>").unwrap();
    let tronco = format!("{}<", &buono[..qui]);
    scrivania.write("lotto.xml", &tronco);
    let inviato = scrivania.lot(&["send", path(&file), "--watch"]);
    assert_eq!(inviato.codice, 65);
    let id = id_in(&inviato.fuori);
    assert!(
        inviato.fuori.contains(&format!("INTERROTTO {id}\n")),
        "{}",
        inviato.fuori
    );
    let scarti = scrivania.file("scarti.xml");
    let ritagliato = scrivania.lot(&["rejects", &id, "--file", path(&file), "-o", path(&scarti)]);
    assert_eq!(ritagliato.codice, 65);
    assert_eq!(
        ritagliato.fuori,
        format!("1 rifiutate e 0 non lette in {}\n", scarti.display())
    );
    assert!(ritagliato.errori.contains("ENV-002"), "{}", ritagliato.errori);
    // The file, mended, with what was done in it: the rest of it is not read by the lot that has ended.
    scrivania.write("lotto.xml", &buono);
    let ritagliato = scrivania.lot(&["rejects", &id, "--file", path(&file), "-o", path(&scarti)]);
    assert_eq!(
        (ritagliato.codice, ritagliato.fuori),
        (0, format!("1 rifiutate e 2 non lette in {}\n", scarti.display()))
    );
    let testo = std::fs::read_to_string(&scarti).unwrap();
    let originali = elementi(&buono);
    assert_eq!(elementi(&testo), [originali[0], originali[2], originali[3]]);
    assert!(testo.contains("<!-- posto 3, riga "), "{testo}");
    assert!(testo.contains(": NON LETTA -->\n"), "{testo}");
}

fn who_runs_the_gateway_holds_lots_back_and_ends_them(archivio: Archivio) {
    let scrivania = Scrivania::new(archivio);
    assert_eq!(scrivania.keeper(&["queue"]).fuori, "nessun lotto\n");
    let file = scrivania.file("lotto.xml");
    campioni(&file, 3);
    let id = scrivania.send(&file, &[]);
    assert_eq!(scrivania.lot(&["watch", &id]).codice, 0);
    assert_eq!(scrivania.keeper(&["queue"]).fuori, "nessun lotto\n");
    let tutti = scrivania.keeper(&["queue", "--tutti"]).fuori;
    let riga = tutti.lines().nth(1).unwrap();
    let parole: Vec<_> = riga.split_whitespace().collect();
    assert_eq!(
        parole[..6],
        [&id, "PAT01", "AssegnoTemporaneo", "COMPLETO", "3/3", "0"]
    );
    let finito = scrivania.keeper(&["pause", &id]);
    assert_eq!(finito.codice, 65);
    assert!(finito.errori.contains("nessun lotto aperto"), "{}", finito.errori);

    // One that is long enough to be found at work, also by a release build.
    let file = scrivania.file("grande.xml");
    let grande = campioni(&file, 6000);
    let id = scrivania.send(&file, &[]);
    let in_lavorazione = loop {
        let coda = scrivania.keeper(&["queue"]).fuori;
        let riga = coda
            .lines()
            .find(|riga| riga.starts_with(&id))
            .unwrap()
            .to_owned();
        if !riga.contains("IN CODA") {
            break riga;
        }
    };
    assert!(
        in_lavorazione.contains("  IN LAVORAZIONE ") && in_lavorazione.ends_with("  varco"),
        "{in_lavorazione}"
    );
    let sospeso = scrivania.keeper(&["pause", &id]);
    assert_eq!(sospeso.codice, 0, "{}", sospeso.errori);
    assert!(
        sospeso.fuori.starts_with(&format!("{id}: sospeso dopo ")),
        "{}",
        sospeso.fuori
    );
    let coda = scrivania.keeper(&["queue"]).fuori;
    assert!(
        coda.contains(&format!("{id}  PAT01 ")) && coda.contains("  SOSPESO "),
        "{coda}"
    );
    let stato = scrivania.lot(&["status", &id]);
    assert!(
        stato.fuori.starts_with(&format!("SOSPESO {id}\n")),
        "{}",
        stato.fuori
    );
    let presto = scrivania.lot(&["outcome", &id]);
    assert_eq!(presto.codice, 75);
    assert!(presto.fuori.contains("LOT-005"), "{}", presto.fuori);

    let senza = scrivania.keeper(&["cancel", &id]);
    assert_eq!(senza.codice, 64);
    assert!(senza.errori.contains("--conferma"), "{}", senza.errori);
    let chiuso = scrivania.keeper(&["cancel", &id, "--conferma"]);
    assert_eq!(chiuso.codice, 0, "{}", chiuso.errori);
    assert!(
        chiuso.fuori.starts_with(&format!("{id}: chiuso dopo ")),
        "{}",
        chiuso.fuori
    );
    let fine = scrivania.lot(&["watch", &id]);
    assert_eq!(fine.codice, 65);
    assert!(
        fine.fuori.starts_with(&format!("INTERROTTO {id}\n")) && fine.fuori.contains("LOT-015"),
        "{}",
        fine.fuori
    );
    let scarti = scrivania.file("scarti.xml");
    let ritagliato = scrivania.lot(&["rejects", &id, "--file", path(&file), "-o", path(&scarti)]);
    assert_eq!(ritagliato.codice, 0, "{}", ritagliato.errori);
    let testo = std::fs::read_to_string(&scarti).unwrap();
    let lavorate = scrivania
        .gateway
        .block_on(scrivania.gateway.store().lotti(Quali::Tutti, 10))
        .unwrap()
        .into_iter()
        .find(|lotto| lotto.id.to_string() == id)
        .unwrap()
        .fatto
        .elementi;
    assert_eq!(
        elementi(&testo),
        elementi(&grande)[usize::try_from(lavorate).unwrap()..]
    );

    // What is left goes on in a lot of its own: held back, then let go.
    let id = scrivania.send(&scarti, &[]);
    assert_eq!(scrivania.keeper(&["pause", &id]).codice, 0);
    let riprende = scrivania.keeper(&["resume", &id]);
    assert_eq!(riprende.codice, 0, "{}", riprende.errori);
    assert!(
        riprende.fuori.starts_with(&format!("{id}: riprende dopo ")),
        "{}",
        riprende.fuori
    );
    let fine = scrivania.lot(&["watch", &id]);
    assert_eq!(fine.codice, 0, "{}", fine.fuori);
}

#[test]
fn a_lot_is_validated_item_by_item_without_a_gateway() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("lotto.xml");
    let rotto = guasto(&campioni(&file, 4), &[2]);
    std::fs::write(&file, &rotto).unwrap();
    let nome = path(&file);
    let detto = varco(&["validate", "--data", "2021-07-15", nome]);
    assert_eq!(detto.codice, 65, "{}", detto.errori);
    let riga = rotto.lines().position(|riga| riga.contains(">ZIO<")).unwrap() + 1;
    assert!(
        detto.fuori.starts_with(&format!("{nome}:{riga}:")) && detto.fuori.contains(" XSD-011 "),
        "{}",
        detto.fuori
    );
    assert!(
        detto
            .fuori
            .contains("\n    /at:Lotto/at:InviaDomanda[3]/at:Domanda/at:PresentataDa\n"),
        "{}",
        detto.fuori
    );
    let somma = format!("{nome}: lotto di 4 domande, 1 rifiutate\n");
    assert!(detto.fuori.contains(&somma), "{}", detto.fuori);

    let tronco = &rotto[..rotto.find("-4</at:ChiaveInvio>").unwrap()];
    std::fs::write(&file, tronco).unwrap();
    let detto = varco(&["validate", "--data", "2021-07-15", nome, "--json"]);
    assert_eq!(detto.codice, 65);
    let oggetto: serde_json::Value = serde_json::from_str(&detto.fuori).unwrap();
    let codici: Vec<_> = oggetto["errori"]
        .as_array()
        .unwrap()
        .iter()
        .map(|errore| errore["codice"].as_str().unwrap())
        .collect();
    assert_eq!(codici, ["XSD-011", "ENV-002"]);
}

#[test]
fn single_messages_become_a_lot() {
    let dir = tempfile::tempdir().unwrap();
    let messaggi = dir.path().join("messaggi");
    let file = dir.path().join("lotto.xml");
    let detto = varco(&[
        "sample",
        "--quanti",
        "3",
        "--seme",
        "1",
        "--data",
        "2021-07-15",
        "--dir",
        path(&messaggi),
    ]);
    assert_eq!(detto.codice, 0, "{}", detto.errori);
    let detto = varco(&["lot", "build", path(&messaggi), "-o", path(&file)]);
    assert_eq!(
        (detto.codice, detto.fuori),
        (0, format!("3 domande in {}\n", file.display())),
        "{}",
        detto.errori
    );
    let detto = varco(&["validate", "--data", "2021-07-15", path(&file)]);
    assert_eq!(detto.codice, 0, "{}", detto.fuori);
    assert!(
        detto.fuori.contains(": lotto di 3 domande, 0 rifiutate\n"),
        "{}",
        detto.fuori
    );
    let testo = std::fs::read_to_string(&file).unwrap();
    for seme in 1..=3 {
        assert!(testo.contains(&format!(
            "<at:ChiaveInvio>campione-20210715-{seme}</at:ChiaveInvio>"
        )));
    }
}
