//! The table of keys: name in the file → field. The one place to add a key; a test holds that the sample has it.

use super::Config;
use super::valore::{Grezzo, Valore};

macro_rules! chiavi {
    ($($chiave:literal => $($campo:ident).+,)*) => {
        /// Every key, in the order of the sample.
        pub(super) const CHIAVI: &[&str] = &[$($chiave,)*];

        /// Puts a raw value into its field, or says what was expected.
        pub(super) fn set(config: &mut Config, chiave: &str, grezzo: &Grezzo) -> Result<(), &'static str> {
            match chiave {
                $($chiave => put(&mut config.$($campo).+, grezzo),)*
                _ => Err("una chiave nota"),
            }
        }

        /// The value of a key, as it may be shown.
        pub(super) fn show(config: &Config, chiave: &str) -> String {
            match chiave {
                $($chiave => config.$($campo).+.show(),)*
                _ => String::new(),
            }
        }
    };
}

fn put<V: Valore>(campo: &mut V, grezzo: &Grezzo) -> Result<(), &'static str> {
    *campo = V::read(grezzo).ok_or(V::ATTESO)?;
    Ok(())
}

chiavi! {
    "ambiente" => ambiente,
    "store" => store,
    "adesioni" => adesioni,
    "listener.indirizzo" => listener.indirizzo,
    "listener.indirizzo_pubblico" => listener.indirizzo_pubblico,
    "listener.workers" => listener.workers,
    "salute.indirizzo" => salute.indirizzo,
    "salute.intervallo_s" => salute.intervallo,
    "salute.attesa_s" => salute.attesa,
    "salute.preavviso_s" => salute.preavviso,
    "console.indirizzo" => console.indirizzo,
    "console.nome" => console.nome,
    "console.certificato" => console.certificato,
    "console.chiave" => console.chiave,
    "console.ca" => console.ca,
    "console.sessione_s" => console.sessione,
    "console.inattivita_s" => console.inattivita,
    "console.tentativi" => console.tentativi,
    "console.blocco_s" => console.blocco,
    "console.blocco_massimo_s" => console.blocco_massimo,
    "console.password_insieme" => console.password_insieme,
    "console.modulo_bytes_max" => console.modulo_bytes_max,
    "console.richiesta_s" => console.richiesta,
    "console.connessioni_max" => console.connessioni_max,
    "console.campione_s" => console.campione,
    "tls.certificato" => tls.certificato,
    "tls.chiave" => tls.chiave,
    "tls.ca" => tls.ca,
    "tls.crl" => tls.crl,
    "tls.crl_scaduta" => tls.crl_scaduta,
    "tls.crl_assente" => tls.crl_assente,
    "tls.avviso_giorni" => tls.avvisi,
    "tls.crl_avviso_s" => tls.crl_avviso,
    "porta_di_prova.indirizzo" => porta_di_prova.indirizzo,
    "porta_di_prova.connessioni_max" => porta_di_prova.connessioni_max,
    "porta_di_prova.richiesta_s" => porta_di_prova.richiesta,
    "porta_di_prova.corpo_bytes_max" => porta_di_prova.corpo_bytes_max,
    "database.connessioni" => database.connessioni,
    "database.attesa_s" => database.attesa,
    "database.istruzione_s" => database.istruzione,
    "limits.messaggio_bytes_max" => limits.messaggio_bytes_max,
    "limits.messaggi_in_memoria_bytes_max" => limits.messaggi_in_memoria_bytes_max,
    "limits.secondo_genitore_errori_max" => limits.secondo_genitore_errori_max,
    "limits.allegato_bytes_max" => limits.allegato_bytes_max,
    "limits.connessioni_max" => limits.porta.connessioni_max,
    "limits.connessioni_per_certificato_max" => limits.porta.connessioni_per_certificato_max,
    "limits.handshake_s" => limits.porta.handshake,
    "limits.testata_s" => limits.porta.testata,
    "limits.testata_bytes_max" => limits.porta.testata_bytes_max,
    "limits.testata_campi_max" => limits.porta.testata_campi_max,
    "limits.richiesta_s" => limits.porta.richiesta,
    "limits.scrittura_s" => limits.porta.scrittura,
    "limits.keep_alive_s" => limits.porta.keep_alive,
    "limits.drain_s" => limits.porta.drain,
    "limits.mtom.parti_max" => limits.mtom.parti_max,
    "limits.mtom.parte_testata_bytes_max" => limits.mtom.parte_testata_bytes_max,
    "limits.xml.depth_max" => limits.xml.depth_max,
    "limits.xml.attributes_max" => limits.xml.attributes_max,
    "limits.xml.bindings_max" => limits.xml.bindings_max,
    "limits.xml.name_bytes_max" => limits.xml.name_bytes_max,
    "limits.xml.attribute_value_bytes_max" => limits.xml.attribute_value_bytes_max,
    "limits.xml.text_bytes_max" => limits.xml.text_bytes_max,
    "limits.xml.elements_max" => limits.xml.elements_max,
    "limits.xml.header_blocks_max" => limits.xml.header_blocks_max,
    "limits.xml.envelope_head_bytes_max" => limits.xml.envelope_head_bytes_max,
    "lotti.byte_max" => lotti.byte_max,
    "lotti.elementi_max" => lotti.elementi_max,
    "lotti.elemento_bytes_max" => lotti.elemento_bytes_max,
    "lotti.aperti_max" => lotti.aperti_max,
    "lotti.gzip_rapporto_max" => lotti.gzip_rapporto_max,
    "lotti.byte_al_secondo_min" => lotti.byte_al_secondo_min,
    "lotti.gruppo" => lotti.gruppo,
    "lotti.enti_insieme" => lotti.enti_insieme,
    "lotti.conservazione_giorni" => lotti.conservazione_giorni,
    "lotti.fermo_dopo_s" => lotti.fermo_dopo,
    "identity.mode" => identity.mode,
    "pdd.nome" => pdd.nome,
    "pdd.porta" => pdd.porta,
    "pdd.finestra_minuti" => pdd.finestra_minuti,
    "pdd.anticipo_minuti" => pdd.anticipo_minuti,
    "orologio.inizio" => orologio.inizio,
    "trace.coda" => trace.coda,
    "trace.coda_porta" => trace.coda_porta,
    "trace.lotto_massimo" => trace.lotto_massimo,
    "trace.ritardo_s" => trace.ritardo,
    "trace.riprova_s" => trace.riprova,
    "telemetria.collettore" => telemetria.collettore,
    "telemetria.campione" => telemetria.campione,
    "telemetria.coda" => telemetria.coda,
    "telemetria.ritardo_s" => telemetria.ritardo,
    "telemetria.attesa_s" => telemetria.attesa,
    "trace.sigilli" => trace.sigilli,
    "trace.sigillo_s" => trace.sigillo,
    "trace.sigillo_righe" => trace.sigillo_righe,
    "trace.chiave_ricerca" => chiave_ricerca,
    "writer.coda" => writer.coda,
    "writer.coda_ente" => writer.coda_ente,
    "writer.lotto_massimo" => writer.lotto_massimo,
    "writer.quiete_s" => writer.quiete,
    "spazio.intervallo_s" => spazio.intervallo,
    "spazio.stretto_bytes" => spazio.soglie.stretto_bytes,
    "spazio.stretto_percento" => spazio.soglie.stretto_percento,
    "spazio.critico_bytes" => spazio.soglie.critico_bytes,
    "spazio.critico_percento" => spazio.soglie.critico_percento,
    "spazio.isteresi_percento" => spazio.soglie.isteresi_percento,
    "spazio.riprova_s" => spazio.riprova,
    "spazio.database_bytes_max" => spazio.database_bytes_max,
    "spazio.database_cartella" => spazio.database_cartella,
    "manutenzione.intervallo_s" => manutenzione.intervallo,
    "manutenzione.riprova_s" => manutenzione.riprova,
    "conservazione.richieste_anni" => conservazione.richieste_anni,
    "conservazione.tracce_byte_giorni" => conservazione.tracce_byte_giorni,
    "conservazione.tracce_giorni" => conservazione.tracce_giorni,
    "conservazione.porta_giorni" => conservazione.porta_giorni,
    "conservazione.variazioni_giorni" => conservazione.variazioni_giorni,
    "conservazione.passo_s" => conservazione.passo,
    "conservazione.pausa_s" => conservazione.pausa,
    "conservazione.intervallo_s" => conservazione.intervallo,
    "registro.codice_amministrazione" => registro.codice_amministrazione,
    "registro.codice_aoo" => registro.codice_aoo,
    "registro.classifica" => registro.classifica,
    "registro.ancore" => registro.ancore.cartella,
    "registro.nodo" => registro.ancore.nodo,
    "registro.firma" => registro.firma,
    "registro.giornalieri" => registro.ancore.giornalieri.cartella,
    "registro.giornalieri_chiave" => registro.ancore.giornalieri.chiave,
    "log.formato" => log.formato,
    "log.livello" => log.livello,
}
