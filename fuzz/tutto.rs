//! All that is done with the header of a message, as the channel does it. The fuzz target and the property tests of
//! `egov` share it: each names `egov`, `soap` and `xml` where this file looks for them.

use jiff::{SignedDuration, Timestamp};

use super::egov::{
    Accolta, Anagrafe, Busta, Dominio, Eccezione, Identificatore, IntestazioneRisposta, MittenteNoto, Parte,
    Profilo, RegoleBusta, Servizio, Tempi, TipoMessaggio, Traccia, errore_di_validazione, esamina,
};
use super::soap::envelope::{Apertura, Envelope};
use super::xml::{Limits, Reader, Token};

/// One sender, ourselves, one service with one action.
struct Registro;

impl Anagrafe for Registro {
    fn mittente(&self, parte: &Parte) -> Option<MittenteNoto<'_>> {
        parte.is(&Parte::spc("PatronatoEsempio")).then_some(MittenteNoto {
            porta: Some("PatronatoEsempioSPCoopIT"),
            regole: RegoleBusta::LineeGuida11,
        })
    }

    fn is_nostro(&self, destinatario: &Parte) -> bool {
        destinatario.is(&Parte::spc("INPS"))
    }

    fn profilo(&self, servizio: &Servizio) -> Option<Profilo> {
        (servizio.nome == "DomandaAssegno").then_some(Profilo::Sincrono)
    }

    fn has_azione(&self, _servizio: &Servizio, azione: &str) -> bool {
        azione == "InviaDomanda"
    }
}

/// Reads, judges, answers and records a message, and checks what is written. `Some` when it would be served.
pub(crate) fn tutto(bytes: &[u8]) -> Option<Accolta> {
    let limiti = Limits::default();
    let letta = Busta::read(bytes, &limiti);
    // What the opened envelope holds already is the same.
    if let Ok(Apertura::Aperta(envelope)) = Envelope::open(bytes, true, &limiti) {
        assert_eq!(Busta::of(&envelope, bytes, &limiti), letta);
    }
    let busta = match letta {
        Ok(busta) => busta,
        Err(illeggibile) => {
            assert!(illeggibile.testo().len() < 2_000);
            return None;
        }
    };
    // 2021-07-05T10:31:08 in Rome.
    let adesso = Timestamp::new(1_625_473_868, 0).unwrap();
    let tempi = Tempi {
        adesso,
        finestra: SignedDuration::from_hours(5 * 24),
        anticipo: None,
    };
    let esame = esamina(&busta, &tempi, &Registro);
    let eccezioni = match &esame {
        Ok(accolta) => accolta.avvisi(),
        Err(respinta) => {
            assert!(respinta.eccezioni.iter().any(Eccezione::is_grave));
            &respinta.eccezioni
        }
    };
    let dominio = Dominio::new("INPS", "INPSSPCoopIT").unwrap();
    let header = IntestazioneRisposta {
        dominio: &dominio,
        identificatore: &Identificatore::mint(&dominio, 1, adesso),
        ora: adesso,
        richiesta: &busta.intestazione,
        regole: RegoleBusta::LineeGuida11,
        eccezioni,
    }
    .write();
    check_ben_formato(&errore_di_validazione(&header));
    let traccia = Traccia {
        gdo: adesso,
        porta: dominio.porta(),
        tipo: TipoMessaggio::Richiesta,
        intestazione: &bytes[busta.byte],
        legami: &busta.legami,
    };
    check_ben_formato(&traccia.write());
    esame.ok()
}

/// Bounds are for what others send.
fn check_ben_formato(bytes: &[u8]) {
    let limiti = Limits {
        attribute_value_bytes_max: 1 << 20,
        bindings_max: 1 << 20,
        attributes_max: 1 << 20,
        depth_max: 1 << 10,
        ..Limits::default()
    };
    let mut reader = Reader::new(bytes, &limiti);
    loop {
        match reader.next() {
            Ok(Token::Eof) => return,
            Ok(_) => {}
            Err(errore) => panic!("{errore}\n{}", String::from_utf8_lossy(bytes)),
        }
    }
}
