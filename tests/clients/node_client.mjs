// Client di prova con node-soap: dal solo indirizzo ?wsdl alla ricevuta, e agli errori.
//
//   node node_client.mjs --wsdl https://localhost:8443/modi/soap/AssegnoTemporaneo/v1/?wsdl \
//       --cert pat01.pem --key pat01.key --ca ca.pem --user op.rossi --ufficio 001
//
// Invia una domanda nuova, la rinvia, ne invia una che viola le regole e una che viola lo schema; esce con un codice
// diverso da zero se una risposta non è quella promessa. Il codice dell'Ente lo dice Diagnosi.

import { readFileSync } from 'node:fs';
import https from 'node:https';
import { parseArgs } from 'node:util';
import soap from 'soap';

const { values: scelte } = parseArgs({
  options: Object.fromEntries(
    ['wsdl', 'cert', 'key', 'ca', 'user', 'ufficio', 'chiave', 'minore'].map((nome) => [nome, { type: 'string' }]),
  ),
});
for (const nome of ['wsdl', 'cert', 'key', 'ca', 'user', 'ufficio']) {
  pretendi(scelte[nome], `l'opzione --${nome}`);
}
const chiave = scelte.chiave ?? `node-${process.hrtime.bigint()}-${process.pid}`;
const minore = scelte.minore ?? codiceFiscale();

// La mutua autenticazione vale anche per scaricare il WSDL: httpsAgent per quello, setSecurity per le chiamate.
const tls = { cert: readFileSync(scelte.cert), key: readFileSync(scelte.key), ca: readFileSync(scelte.ca) };

async function apri(porta, soap12) {
  const client = await soap.createClientAsync(scelte.wsdl, {
    wsdl_options: { httpsAgent: new https.Agent(tls) },
    // node-soap scrive envelope 1.1 anche sulla porta 1.2, se non gli si dice altro.
    forceSoap12Headers: soap12,
    // La cache dei WSDL è per indirizzo e porta con sé la versione SOAP: due client si guasterebbero a vicenda.
    disableCache: true,
  });
  client.setSecurity(new soap.ClientSSLSecurity(tls.key, tls.cert, tls.ca, { forever: true }));
  // I figli di Identity non sono qualificati: il blocco si dà come testo.
  client.addSoapHeader(
    `<inps:Identity xmlns:inps="http://inps.it/"><UserId>${scelte.user}</UserId>` +
      `<CodiceUfficio>${scelte.ufficio}</CodiceUfficio></inps:Identity>`,
  );
  const operazioni = client.AssegnoTemporaneo[porta];
  return (nome, richiesta) =>
    new Promise((riesci, fallisci) => {
      operazioni[nome](richiesta, (errore, risposta) => (errore ? fallisci(errore) : riesci(risposta)));
    });
}

function codiceFiscale() {
  const a_caso = (fra) => fra[Math.floor(Math.random() * fra.length)];
  const due = (numero) => String(numero).padStart(2, '0');
  let corpo = '';
  for (let i = 0; i < 6; i += 1) corpo += a_caso('BCDFGLMNPRSTVZ');
  corpo += due(12 + Math.floor(Math.random() * 8)) + a_caso('ABCDEHLMPRST');
  corpo += due(1 + Math.floor(Math.random() * 28)) + a_caso(['H501', 'F205', 'D969', 'L219']);
  const dispari = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
  const posto = (c) => (c >= '0' && c <= '9' ? Number(c) : c.charCodeAt(0) - 65);
  const somma = [...corpo].reduce((s, c, i) => s + (i % 2 === 0 ? dispari[posto(c)] : posto(c)), 0);
  return corpo + String.fromCharCode(65 + (somma % 26));
}

// L'ordine delle proprietà è l'ordine degli elementi: node-soap non le riordina.
function domanda(ente, codiceFiscaleMinore) {
  const scelta = { D4: 'ITALIANO', D7: 'RESIDENZA' };
  return {
    Patronato: { Codice: ente, Ufficio: scelte.ufficio },
    Operatore: scelte.user,
    Mandato: { Numero: 'M-2021-004512', Data: '2021-06-25' },
    Richiedente: { CodiceFiscale: 'RSSMRA80A01H501U', Nome: 'MARIO', Cognome: 'ROSSI' },
    PresentataDa: 'GENITORE',
    Minori: {
      Minore: [
        {
          Qualita: 'GENITORE',
          CodiceFiscale: codiceFiscaleMinore,
          Disabile: false,
          AffidoCondiviso: false,
          AltroGenitore: { CodiceFiscale: 'VRDLGU82B52F205E' },
          Ripartizione: 'INTERO_RICHIEDENTE',
        },
      ],
    },
    Pagamento: { Modalita: 'CC', Iban: 'IT60X0542811101000000123456', IntestatoRichiedente: true },
    Dichiarazioni: {
      Dichiarazione: ['D1', 'D2', 'D3', 'D4', 'D5', 'D6', 'D7', 'D8'].map((Codice) =>
        scelta[Codice] ? { Codice, Valore: true, Scelta: scelta[Codice] } : { Codice, Valore: true },
      ),
    },
  };
}

// Un elemento che può ripetersi arriva come oggetto quando è solo, come vettore quando sono più d'uno.
function elenco(valore) {
  return valore === undefined || valore === null ? [] : [valore].flat();
}

// Nelle risposte SOAP 1.2 node-soap non riconosce i tipi: i booleani arrivano come testo, e "false" è vero.
function vero(valore) {
  return valore === true || valore === 'true';
}

function mostra(errori) {
  for (const e of errori) console.log(`  ${e.Codice} ${e.Percorso ?? ''}: ${e.Testo} → ${e.Suggerimento}`);
}

function pretendi(promessa, cheCosa) {
  if (!promessa) {
    console.error(`node-soap: manca ciò che è promesso: ${cheCosa}`);
    process.exit(1);
  }
}

const chiama = await apri('AssegnoTemporaneoSoap12', true);

const visto = await chiama('Diagnosi', {});
const ente = visto.Ente.Codice;
console.log(`node-soap: il varco vede l'ente ${ente}, certificato ${visto.CertificatoSeriale}, ${visto.VersioneTls}`);
const buona = domanda(ente, minore);

const prova = await chiama('VerificaDomanda', { ChiaveInvio: chiave, Domanda: buona });
mostra(elenco(prova.Errori?.Errore));
pretendi(prova.Esito === 'AMMISSIBILE', 'VerificaDomanda AMMISSIBILE');

const prima = await chiama('InviaDomanda', { ChiaveInvio: chiave, Domanda: buona });
mostra(elenco(prima.Errori?.Errore));
pretendi(prima.Esito === 'REGISTRATA' && !vero(prima.Ripetizione), 'la prima risposta REGISTRATA, senza Ripetizione');
console.log(`node-soap: protocollo ${prima.Ricevuta.Protocollo}, domanda ${prima.Ricevuta.NumeroDomanda}`);

const seconda = await chiama('InviaDomanda', { ChiaveInvio: chiave, Domanda: buona });
pretendi(vero(seconda.Ripetizione), 'Ripetizione=true al secondo invio');
pretendi(seconda.Ricevuta.Protocollo === prima.Ricevuta.Protocollo, 'lo stesso protocollo al secondo invio');
console.log(`node-soap: ripetuta, stesso protocollo ${seconda.Ricevuta.Protocollo}`);

const chiama11 = await apri('AssegnoTemporaneoSoap11', false);
const trovata = await chiama11('ConsultaDomanda', { Riferimento: { ChiaveInvio: chiave } });
pretendi(trovata.Protocollo === prima.Ricevuta.Protocollo, 'ConsultaDomanda per ChiaveInvio');
console.log(`node-soap: SOAP 1.1, stato della scheda 1: ${elenco(trovata.Schede.Scheda)[0].Stato}`);

// Tre regole violate: una risposta normale, RIFIUTATA, con tutti e tre gli errori.
const sbagliata = domanda(ente, codiceFiscale());
sbagliata.Minori.Minore[0].Ripartizione = 'META_ENTRAMBI';
sbagliata.Pagamento.Iban = 'IT40S0542811101000000123456';
sbagliata.Dichiarazioni.Dichiarazione[2].Valore = false;
const rifiutata = await chiama('InviaDomanda', { ChiaveInvio: `${chiave}-r`, Domanda: sbagliata });
pretendi(rifiutata.Esito === 'RIFIUTATA' && !rifiutata.Ricevuta, 'RIFIUTATA senza Ricevuta');
const violate = elenco(rifiutata.Errori.Errore);
console.log(`node-soap: rifiutata, ${violate.length} errori (messaggio ${rifiutata.Errori.IdMessaggio})`);
mostra(violate);
const codici = violate.map((e) => e.Codice).sort();
pretendi(codici.join() === 'AT-001,DIC-001,IBN-003', `AT-001, DIC-001, IBN-003 e non ${codici}`);
pretendi(
  violate.some((e) => e.Percorso === '/at:Domanda/at:Minori/at:Minore[1]/at:Ripartizione'),
  'il percorso della ripartizione',
);

// Due violazioni dello schema: un Fault, con il dettaglio dichiarato nel WSDL.
const informe = domanda(ente, 'ABC');
informe.Pagamento.Modalita = 'XX';
let fault;
try {
  await chiama('InviaDomanda', { ChiaveInvio: `${chiave}-x`, Domanda: informe });
} catch (errore) {
  fault = errore.root?.Envelope?.Body?.Fault;
  pretendi(fault, `un Fault SOAP e non: ${errore.message}`);
}
pretendi(fault, 'un Fault per una domanda fuori schema');
const dettaglio = (fault.Detail ?? fault.detail)?.Errori;
pretendi(dettaglio, 'Errori nel Detail del Fault');
const errori = elenco(dettaglio.Errore);
console.log(`node-soap: Fault ${fault.Code?.Value ?? fault.faultcode}, ${errori.length} errori`);
mostra(errori);
pretendi(errori.length === 2 && errori.every((e) => e.Codice.startsWith('XSD-')), 'due errori XSD');
pretendi(errori.every((e) => Number(e.Riga) > 0 && Number(e.Colonna) > 0), 'riga e colonna di ogni errore');
console.log('node-soap: ok');
// Le connessioni tenute aperte non devono tenere in vita il processo.
process.exit(0);
