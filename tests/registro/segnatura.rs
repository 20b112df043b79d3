//! The segnatura in `AgID`'s shape. Its XSD is not ours to ship; the names, their order and the forms of its values are
//! held here as that schema has them (`SegnaturaInformatica` 3.0.0).

use base64::Engine as _;

use crate::annul::annulla;
use crate::atti::{LUGLIO, atto};
use crate::banco::Banco;
use crate::comando::{config_of, keeper, register};
use crate::tell;

tell! { it_identifies_the_registration_and_its_documents, }

const UNO: &str = "INPS-AUF-2021-000000000001";

async fn it_identifies_the_registration_and_its_documents(banco: &Banco) {
    banco.one(atto("a", 7, &[1]), LUGLIO).await;
    let cartella = config_of(banco);
    let config = cartella.path().join("varco.toml");
    let senza = register(&config, &["segnatura", UNO]);
    assert_eq!(
        (senza.codice, senza.errori.as_str()),
        (
            64,
            "varco: manca registro.codice_amministrazione nella configurazione: la segnatura lo dice\n"
        )
    );
    let mut testo = std::fs::read_to_string(&config).unwrap();
    testo.push_str(
        "[registro]\ncodice_amministrazione = \"inps\"\ncodice_aoo = \"INPS-DG\"\nclassifica = \"5.2.1\"\n",
    );
    std::fs::write(&config, testo).unwrap();

    let impronta = |byte: u8| base64::engine::general_purpose::STANDARD.encode([byte; 32]);
    let detta = register(&config, &["segnatura", UNO]);
    assert_eq!(
        detta.fuori,
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <prot:SegnaturaInformatica xmlns:prot=\"http://www.agid.gov.it/protocollo/\" prot:versione=\"3.0.0\" \
             prot:lang=\"it\">\
             <prot:Intestazione><prot:Identificatore>\
             <prot:CodiceAmministrazione>inps</prot:CodiceAmministrazione><prot:CodiceAOO>INPS-DG</prot:CodiceAOO>\
             <prot:CodiceRegistro>AUF</prot:CodiceRegistro>\
             <prot:NumeroRegistrazione>000000000001</prot:NumeroRegistrazione>\
             <prot:DataRegistrazione>2021-07-01</prot:DataRegistrazione>\
             <prot:OraRegistrazione>10:00:00.000+02:00</prot:OraRegistrazione></prot:Identificatore>\
             <prot:Oggetto>Assegno Temporaneo - domanda n. 1</prot:Oggetto>\
             <prot:Classifica><prot:Denominazione>Assegno temporaneo per i figli minori</prot:Denominazione>\
             <prot:CodiceFlat>5.2.1</prot:CodiceFlat></prot:Classifica></prot:Intestazione>\
             <prot:Descrizione>\
             <prot:Mittente><prot:PersonaGiuridica><prot:Denominazione>Patronato Uno</prot:Denominazione>\
             </prot:PersonaGiuridica></prot:Mittente>\
             <prot:Destinatario><prot:Amministrazione>\
             <prot:DenominazioneAmministrazione>INPS</prot:DenominazioneAmministrazione>\
             <prot:CodiceIPAAmministrazione>inps</prot:CodiceIPAAmministrazione>\
             <prot:CodiceIPAAOO>INPS-DG</prot:CodiceIPAAOO></prot:Amministrazione></prot:Destinatario>\
             <prot:DocumentoPrimario prot:nomeFile=\"INPS-AUF-2021-000000000001.xml\" \
             prot:mimeType=\"application/xml\"><prot:Impronta prot:algoritmo=\"SHA-256\">{}</prot:Impronta>\
             </prot:DocumentoPrimario>\
             <prot:Allegato prot:nomeFile=\"foglio.pdf\" prot:mimeType=\"application/pdf\">\
             <prot:Impronta prot:algoritmo=\"SHA-256\">{}</prot:Impronta></prot:Allegato>\
             </prot:Descrizione></prot:SegnaturaInformatica>\n",
            impronta(7),
            impronta(9)
        )
    );

    let ignota = register(&config, &["segnatura", "INPS-AUF-2021-000000000009"]);
    assert_eq!(
        (ignota.codice, ignota.errori.as_str()),
        (
            65,
            "varco: INPS-AUF-2021-000000000009: nessuna registrazione ha questo numero\n"
        )
    );
    annulla(&*keeper(banco).await, UNO, None, "2021-07-02T08:00:00Z").await;
    let annullata = register(&config, &["segnatura", UNO]);
    assert_eq!(
        (annullata.codice, annullata.errori.as_str()),
        (
            65,
            "varco: INPS-AUF-2021-000000000001: ANNULLATA, non ha più segnatura\n"
        )
    );
}
