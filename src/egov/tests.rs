use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::xml::Limits;

/// Our registry: one sender, ourselves, one service with one action.
struct Prova {
    regole: RegoleBusta,
}

impl Anagrafe for Prova {
    fn mittente(&self, parte: &Parte) -> Option<MittenteNoto<'_>> {
        (parte.nome == "PatronatoEsempio").then_some(MittenteNoto {
            porta: Some("PatronatoEsempioSPCoopIT"),
            regole: self.regole,
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

/// The request of spec/spcoop.md §5.1.
const RICHIESTA: &str = r#"<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">
 <soapenv:Header>
  <eGov_IT:Intestazione xmlns:eGov_IT="http://www.cnipa.it/schemas/2003/eGovIT/Busta1_0/"
      soapenv:actor="http://www.cnipa.it/eGov_it/portadominio" soapenv:mustUnderstand="1">
   <eGov_IT:IntestazioneMessaggio>
    <eGov_IT:Mittente><eGov_IT:IdentificativoParte tipo="SPC">PatronatoEsempio</eGov_IT:IdentificativoParte></eGov_IT:Mittente>
    <eGov_IT:Destinatario><eGov_IT:IdentificativoParte tipo="SPC">INPS</eGov_IT:IdentificativoParte></eGov_IT:Destinatario>
    <eGov_IT:ProfiloCollaborazione>EGOV_IT_ServizioSincrono</eGov_IT:ProfiloCollaborazione>
    <eGov_IT:Servizio tipo="SPC">DomandaAssegno</eGov_IT:Servizio>
    <eGov_IT:Azione>InviaDomanda</eGov_IT:Azione>
    <eGov_IT:Messaggio>
     <eGov_IT:Identificatore>PatronatoEsempio_PatronatoEsempioSPCoopIT_0000042_2021-07-05_10:31</eGov_IT:Identificatore>
     <eGov_IT:OraRegistrazione tempo="EGOV_IT_SPC">2021-07-05T10:31:07</eGov_IT:OraRegistrazione>
     <eGov_IT:Scadenza>2021-07-05T10:36:07</eGov_IT:Scadenza>
    </eGov_IT:Messaggio>
    <eGov_IT:ProfiloTrasmissione inoltro="EGOV_IT_ALPIUUNAVOLTA" confermaRicezione="false"/>
   </eGov_IT:IntestazioneMessaggio>
  </eGov_IT:Intestazione>
 </soapenv:Header>
 <soapenv:Body>
  <d:InviaDomandaRequest xmlns:d="urn:esempio:domanda-assegno:v1"/>
 </soapenv:Body>
</soapenv:Envelope>"#;

fn tempi() -> Tempi {
    Tempi {
        adesso: "2021-07-05T10:31:08+02:00".parse::<Timestamp>().unwrap(),
        finestra: SignedDuration::from_hours(5 * 24),
        anticipo: None,
    }
}

#[test]
fn a_busta_as_published_is_served_without_a_word() {
    let busta = Busta::read(RICHIESTA.as_bytes(), &Limits::default()).unwrap();
    let anagrafe = Prova {
        regole: RegoleBusta::LineeGuida11,
    };
    let accolta = esamina(&busta, &tempi(), &anagrafe).unwrap();
    assert_eq!(accolta.avvisi(), &[]);
    assert_eq!(accolta.azione(), "InviaDomanda");
}
