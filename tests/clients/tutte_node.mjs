// Tutte le operazioni dei due servizi con node-soap: dal solo indirizzo ?wsdl, una vita intera di una domanda per servizio.
//
//   node tutte_node.mjs --wsdl https://localhost:8443/modi/soap/AssegnoTemporaneo/v1/?wsdl \
//       --cert pat01.pem --key pat01.key --ca ca.pem --user op.rossi --ufficio 001 \
//       --cert2 pat02.pem --key2 pat02.key --motore 'varco engine sqlite:demo/store.db --una-volta'
//
// --cert2 e --key2 sono di un secondo Ente, che assiste il secondo genitore; --motore è il comando che fa lavorare le
// domande al motore. Ogni operazione passa dalla porta SOAP 1.2 e dalla 1.1. Alla fine le operazioni chiamate devono essere
// quelle del WSDL: nessuna manca. Esce con un codice diverso da zero alla prima promessa non mantenuta.

import { execSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import soap from 'soap';

const SERVIZI = ['AssegnoTemporaneo', 'AssegnoUnicoUniversale'];
// Un genitore ha una domanda di assegno unico sola: a ogni prova il suo.
const RICHIEDENTE = codiceFiscale(60, 89);
const SECONDO_GENITORE = 'VRDLGU82B52F205E';
const IBAN = 'IT60X0542811101000000123456';
const ALTRO_IBAN = 'IT30O0760103200000012345678';
const PDF = Buffer.from('%PDF-1.4\n%%EOF\n');

const NOMI = ['wsdl', 'cert', 'key', 'ca', 'user', 'ufficio', 'cert2', 'key2', 'motore'];
const { values: scelte } = parseArgs({ options: Object.fromEntries(NOMI.map((nome) => [nome, { type: 'string' }])) });
for (const nome of NOMI) pretendi(scelte[nome], `l'opzione --${nome}`);

function pretendi(promessa, cheCosa) {
  if (!promessa) {
    console.error(`node-soap: manca ciò che è promesso: ${cheCosa}`);
    process.exit(1);
  }
}

// Un elemento che può ripetersi arriva come oggetto quando è solo, come vettore quando sono più d'uno.
const elenco = (valore) => (valore === undefined || valore === null ? [] : [valore].flat());

// Nelle risposte SOAP 1.2 node-soap non riconosce i tipi: i booleani arrivano come testo, e "false" è vero.
const vero = (valore) => valore === true || valore === 'true';

// Perciò due risposte si confrontano come testo, e un vettore di una sola voce come la voce.
function piatto(valore) {
  if (valore instanceof Date) return valore.toISOString();
  if (Array.isArray(valore)) return valore.length === 1 ? piatto(valore[0]) : valore.map(piatto);
  if (valore === null || typeof valore !== 'object') return String(valore);
  return Object.fromEntries(Object.entries(valore).map(([nome, uno]) => [nome, piatto(uno)]));
}
const uguali = (uno, altro) => isDeepStrictEqual(piatto(uno), piatto(altro));

function codiceFiscale(dal = 12, al = 19) {
  const a_caso = (fra) => fra[Math.floor(Math.random() * fra.length)];
  const due = (numero) => String(numero).padStart(2, '0');
  let corpo = '';
  for (let i = 0; i < 6; i += 1) corpo += a_caso('BCDFGLMNPRSTVZ');
  corpo += due(dal + Math.floor(Math.random() * (al - dal + 1))) + a_caso('ABCDEHLMPRST');
  corpo += due(1 + Math.floor(Math.random() * 28)) + a_caso(['H501', 'F205', 'D969', 'L219']);
  const dispari = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
  const posto = (c) => (c >= '0' && c <= '9' ? Number(c) : c.charCodeAt(0) - 65);
  const somma = [...corpo].reduce((s, c, i) => s + (i % 2 === 0 ? dispari[posto(c)] : posto(c)), 0);
  return corpo + String.fromCharCode(65 + (somma % 26));
}

// Un figlio nuovo; quelli che finiscono con Z il motore di prova li respinge, con Y li manda alla sede.
function figlio(respinto = false) {
  for (;;) {
    const codice = codiceFiscale();
    if (!codice.endsWith('Y') && codice.endsWith('Z') === respinto) return codice;
  }
}

// Un Ente che parla con un servizio, dalle sue due porte.
async function apri(servizio, cert, key) {
  const wsdl = scelte.wsdl.replace(SERVIZI[0], servizio);
  const tls = { cert: readFileSync(cert), key: readFileSync(key), ca: readFileSync(scelte.ca) };
  const ente = { porte: [], chiamate: new Map() };
  for (const [versione, soap12] of [['Soap12', true], ['Soap11', false]]) {
    const client = await soap.createClientAsync(wsdl, {
      wsdl_options: { httpsAgent: new https.Agent(tls) },
      forceSoap12Headers: soap12,
      disableCache: true,
    });
    // Con il solo keepAlive node-soap apre una connessione a chiamata e le lascia tutte aperte, fino al limite del varco.
    client.setSecurity(new soap.ClientSSLSecurity(tls.key, tls.cert, tls.ca, { forever: true }));
    client.addSoapHeader(
      `<inps:Identity xmlns:inps="http://inps.it/"><UserId>${scelte.user}</UserId>` +
        `<CodiceUfficio>${scelte.ufficio}</CodiceUfficio></inps:Identity>`,
    );
    ente.porte.push({ nome: servizio + versione, operazioni: client[servizio][servizio + versione] });
    ente.chiamate.set(servizio + versione, new Set());
    ente.testo = client.wsdl.xml;
  }

  // La stessa lettura dalle due porte, una dopo l'altra.
  ente.legge = async (operazione, richiesta) => {
    const risposte = [];
    for (const { nome, operazioni } of ente.porte) {
      ente.chiamate.get(nome).add(operazione);
      pretendi(operazioni[operazione], `${operazione} fra le operazioni che node-soap legge nel WSDL`);
      risposte.push(
        await new Promise((riesci) => {
          operazioni[operazione](richiesta, (errore, risposta) => {
            pretendi(!errore, `${operazione} su ${nome}: ${errore?.body ?? errore?.response?.data ?? errore}`);
            riesci(risposta);
          });
        }),
      );
    }
    return risposte;
  };

  // Un invio dalla porta SOAP 1.2, e di nuovo dalla 1.1: la ricevuta è la stessa.
  ente.invia = async (operazione, richiesta) => {
    const [prima, seconda] = await ente.legge(operazione, richiesta);
    for (const risposta of [prima, seconda]) {
      mostra(elenco(risposta.Errori?.Errore));
      pretendi(risposta.Esito === 'REGISTRATA', `${operazione} REGISTRATA`);
    }
    pretendi(!vero(prima.Ripetizione) && vero(seconda.Ripetizione), `${operazione}: Ripetizione soltanto al secondo invio`);
    pretendi(uguali(prima.Ricevuta, seconda.Ricevuta), `${operazione}: la stessa ricevuta al secondo invio`);
    pretendi(prima.Ricevuta.ChiaveInvio === richiesta.ChiaveInvio, `${operazione}: la propria ChiaveInvio`);
    return prima.Ricevuta;
  };

  const [visto] = await ente.legge('Diagnosi', {});
  // Come comincia ogni atto, dopo il Riferimento.
  ente.chi = { Patronato: { Codice: visto.Ente.Codice, Ufficio: scelte.ufficio }, Operatore: scelte.user };
  return ente;
}

function mostra(errori) {
  for (const e of errori) console.log(`  ${e.Codice} ${e.Percorso ?? ''}: ${e.Testo} → ${e.Suggerimento}`);
}

// L'ordine delle proprietà è l'ordine degli elementi: node-soap non le riordina.
function minore(codice, affidoCondiviso = false) {
  return {
    Qualita: 'GENITORE',
    CodiceFiscale: codice,
    Disabile: false,
    AffidoCondiviso: affidoCondiviso,
    AltroGenitore: { CodiceFiscale: SECONDO_GENITORE },
    Ripartizione: 'INTERO_RICHIEDENTE',
  };
}

function figlioUnico(codice, ripartizione = 'A') {
  return {
    CodiceFiscale: codice,
    AltroGenitore: { CodiceFiscale: SECONDO_GENITORE },
    SituazioneGenitori: 'NON_CONIUGATI',
    Ripartizione: ripartizione,
    Disabilita: 'NESSUNA',
    ACarico: true,
  };
}

function conto(iban, qualita, diChi) {
  return { Strumento: 'CC_BANCARIO', Iban: iban, Intestatario: { Qualita: qualita, CodiceFiscale: diChi } };
}

function dichiarazioni(codici, scelta) {
  return codici.map((Codice) => ({ Codice, Valore: true, ...(scelta[Codice] && { Scelta: scelta[Codice] }) }));
}

// Il primo minore in affido condiviso, perché l'importo si possa dividere.
function domandaTemporaneo(ente, figli, mandato, iban = IBAN) {
  return {
    ...ente.chi,
    Mandato: mandato,
    Richiedente: { CodiceFiscale: RICHIEDENTE, Nome: 'MARIO', Cognome: 'ROSSI' },
    PresentataDa: 'GENITORE',
    Minori: { Minore: figli.map((codice, posto) => minore(codice, posto === 0)) },
    Pagamento: { Modalita: 'CC', Iban: iban, IntestatoRichiedente: true },
    Dichiarazioni: {
      Dichiarazione: dichiarazioni(['D1', 'D2', 'D3', 'D4', 'D5', 'D6', 'D7', 'D8'], { D4: 'ITALIANO', D7: 'RESIDENZA' }),
    },
  };
}

function domandaUnico(ente, figli, mandato, iban = IBAN) {
  return {
    ...ente.chi,
    Mandato: mandato,
    Richiedente: { CodiceFiscale: RICHIEDENTE, Nome: 'MARIO', Cognome: 'ROSSI', Ruolo: 'GENITORE' },
    Figli: { Figlio: figli.map((codice, posto) => figlioUnico(codice, posto === 0 ? 'C' : 'A')) },
    PagamentoRichiedente: { Modalita: 'IBAN', Conto: conto(iban, 'RICHIEDENTE', RICHIEDENTE) },
    Dichiarazioni: {
      Dichiarazione: dichiarazioni(['U1', 'U2', 'U3', 'U4', 'U5', 'U6', 'U7'], { U1: 'ITALIANO', U4: 'RESIDENZA' }),
    },
  };
}

const sha256 = (byte) => createHash('sha256').update(byte).digest('hex');

function allegato(tipo, nome) {
  return {
    Tipo: tipo,
    NomeFile: nome,
    TipoMime: 'application/pdf',
    Impronta: sha256(PDF),
    Contenuto: PDF.toString('base64'),
  };
}

function pdf(documento) {
  const byte = Buffer.from(documento.Contenuto, 'base64');
  pretendi(documento.TipoMime === 'application/pdf' && byte.subarray(0, 4).toString() === '%PDF', 'un PDF');
  pretendi(sha256(byte) === documento.Impronta, "lo SHA-256 detto nell'Impronta");
}

async function prova(servizio) {
  const ente = await apri(servizio, scelte.cert, scelte.key);
  const secondo = await apri(servizio, scelte.cert2, scelte.key2);
  const temporaneo = servizio === SERVIZI[0];
  const chiave = `tutte-node-${process.hrtime.bigint()}-${process.pid}`;
  const riga = (operazione, cheCosa) => console.log(`node-soap ${servizio} ${operazione}: ${cheCosa}`);
  const motore = () => execSync(scelte.motore, { stdio: ['ignore', 'ignore', 'inherit'] });

  // Il servizio, e chi siamo.
  let eco;
  for (eco of await ente.legge('echo', { Msg: 'perché no? <&>' })) {
    pretendi(eco.Msg === 'perché no? <&>' && eco.Servizio === servizio && eco.Stato === 'ATTIVO', 'echo');
  }
  riga('echo', `${eco.Stato}, ambiente ${eco.Ambiente}`);
  let oggi;
  const visti = await ente.legge('Diagnosi', { OraDelChiamante: new Date().toISOString() });
  for (const [posto, visto] of visti.entries()) {
    pretendi(visto.FormaIdentity === 'CANONICA' && visto.VersioneSoap.includes(['1.2', '1.1'][posto]), 'Diagnosi');
    pretendi(Math.abs(Number(visto.ScartoOrologioSecondi)) <= 60, "lo scarto dell'orologio");
    oggi = new Date(visto.OraDiServizio).toISOString().slice(0, 10);
  }
  riga('Diagnosi', `ente ${visti[0].Ente.Codice}, giorno di servizio ${oggi}`);
  let limiti;
  for (const detti of await ente.legge('Limiti', {})) {
    limiti = new Map(elenco(detti.Limite).map((limite) => [limite.Nome, Number(limite.Valore)]));
    pretendi(limiti.get('allegato_bytes_max') === 5 * 1024 * 1024, 'allegato_bytes_max');
  }
  riga('Limiti', `${limiti.size} limiti`);

  // Una domanda con due figli: il secondo il motore lo respingerà.
  const componi = temporaneo ? domandaTemporaneo : domandaUnico;
  const figli = [figlio(), figlio(true)];
  const mandato = { Numero: 'M-1', Data: oggi };
  const intera = { ChiaveInvio: `${chiave}-1`, Domanda: componi(ente, figli, mandato) };
  for (const esito of await ente.legge('VerificaDomanda', intera)) {
    mostra(elenco(esito.Errori?.Errore));
    pretendi(esito.Esito === 'AMMISSIBILE' && elenco(esito.Schede.Scheda).length === 2, 'VerificaDomanda AMMISSIBILE');
  }
  riga('VerificaDomanda', 'AMMISSIBILE');
  const prima = await ente.invia('InviaDomanda', intera);
  const schede = (detto) => elenco(detto.Schede.Scheda);
  pretendi(uguali(schede(prima).map((s) => s.CodiceFiscale), figli), 'una scheda per figlio, nel loro ordine');
  riga('InviaDomanda', `${prima.Protocollo}, domanda ${prima.NumeroDomanda}`);

  // Gli atti: ciascuno con la propria chiave e il proprio protocollo, sulla stessa domanda.
  const riferimento = { Riferimento: { ChiaveInvio: `${chiave}-1` } };
  const atto = { ...riferimento, ...ente.chi, Mandato: mandato };
  const protocolli = new Map();
  const registra = async (operazione, numero, contenuto, chi = ente) => {
    const ricevuta = await chi.invia(operazione, { ChiaveInvio: `${chiave}-${numero}`, ...contenuto });
    const altri = [prima.Protocollo, ...protocolli.values()];
    pretendi(!altri.includes(ricevuta.Protocollo), `${operazione}: un proprio protocollo`);
    pretendi(uguali(ricevuta.NumeroDomanda, prima.NumeroDomanda), `${operazione}: lo stesso NumeroDomanda`);
    protocolli.set(operazione, ricevuta.Protocollo);
    riga(operazione, ricevuta.Protocollo);
    return ricevuta;
  };
  const consulta = async (stati, riesame) => {
    let vista;
    for (vista of await ente.legge('ConsultaDomanda', { Riferimento: { Protocollo: prima.Protocollo } })) {
      const trovati = schede(vista).map((s) => s.Stato);
      pretendi(uguali(trovati, stati), `gli stati ${stati} e non ${trovati}`);
      pretendi(schede(vista)[1].Riesame === riesame, `il riesame ${riesame} e non ${schede(vista)[1].Riesame}`);
    }
    return vista;
  };

  const cambiata = componi(ente, figli, mandato, ALTRO_IBAN);
  await registra('ModificaDomanda', 2, { Modifica: { ...riferimento, Domanda: cambiata } });

  const terzo = figlio();
  const aggiunto = temporaneo
    ? await registra('AggiungiMinore', 3, { NuovoMinore: { ...atto, Minore: minore(terzo) } })
    : await registra('AggiungiFiglio', 3, { NuovoFiglio: { ...atto, Figlio: figlioUnico(terzo) } });
  const nuove = schede(aggiunto).map((s) => [s.Posto, s.CodiceFiscale]);
  pretendi(uguali(nuove, [[3, terzo]]), `la terza scheda e non ${nuove}`);

  const inline = await registra('AllegaDocumento', 4, {
    Documento: { ...atto, Schede: { Scheda: [1, 2] }, Allegato: allegato('DOCUMENTO_IDENTITA', 'documento.pdf') },
  });

  const quota = temporaneo
    ? {
        Ripartizione: 'META_ENTRAMBI',
        Pagamento: { Modalita: 'CC', Iban: ALTRO_IBAN, IntestatoRichiedente: true },
      }
    : {
        Ripartizione: 'C',
        PagamentoAltroGenitore: {
          CodiceFiscale: SECONDO_GENITORE,
          Modalita: 'IBAN',
          Conto: conto(ALTRO_IBAN, 'ALTRO_GENITORE', SECONDO_GENITORE),
        },
      };
  const completamento = {
    Riferimento: { NumeroDomanda: prima.NumeroDomanda },
    ...secondo.chi,
    Mandato: mandato,
    Figlio: figli[0],
    SecondoGenitore: { CodiceFiscale: SECONDO_GENITORE, Nome: 'GIULIA', Cognome: 'VERDI' },
    ...quota,
  };
  await registra('CompletaSecondoGenitore', 5, { Completamento: completamento }, secondo);
  for (const vista of await secondo.legge('ConsultaDomanda', { Riferimento: { ChiaveInvio: `${chiave}-5` } })) {
    pretendi(uguali(schede(vista).map((s) => s.Posto), [1]), 'il secondo Ente vede soltanto la prima scheda');
    pretendi(schede(vista)[0].SecondaMeta.IbanFinale === ALTRO_IBAN.slice(-4), 'la quota del secondo genitore');
  }

  const rinuncia = { ...atto, Motivo: 'ERRORE_COMPILAZIONE', Schede: { Scheda: [3] } };
  await registra('RinunciaDomanda', 6, { Rinuncia: rinuncia });
  await consulta(['PRESENTATA', 'PRESENTATA', 'RINUNCIATA']);

  // Il motore accoglie la prima scheda e respinge la seconda, che si fa riesaminare; poi accoglie anche quella.
  motore();
  await consulta(['ACCOLTA', 'RESPINTA', 'RINUNCIATA']);
  await registra('RichiediRiesame', 7, {
    Riesame: {
      ...atto,
      Schede: { Scheda: [2] },
      Motivo: 'REQUISITO_POSSEDUTO',
      Motivazione: 'Il figlio è nel nucleo: si allega il provvedimento.',
      Allegati: { Allegato: [allegato('PROVVEDIMENTO_GIUDICE', 'provvedimento.pdf')] },
    },
  });
  await consulta(['ACCOLTA', 'RESPINTA', 'RINUNCIATA'], 'PRESENTATO');
  motore();
  const vista = await consulta(['ACCOLTA', 'ACCOLTA', 'RINUNCIATA'], 'ACCOLTO');
  const atti = elenco(vista.Atti.Atto).map((detto) => [detto.Operazione, detto.Protocollo]);
  pretendi(uguali(atti, [...protocolli]), `gli atti con i loro protocolli, nell'ordine, e non ${atti}`);
  riga('ConsultaDomanda', `${schede(vista).map((s) => s.Stato).join(', ')}; ${atti.length} atti`);

  // Un'altra domanda, per avere due pagine da una riga; di assegno unico come tutore, perché da genitore ne ha già una.
  const inPiu = () => {
    const seconda = componi(ente, [figlio()], mandato);
    if (!temporaneo) {
      seconda.Richiedente.Ruolo = 'TUTORE';
      seconda.Figli.Figlio[0].Ripartizione = 'A';
    }
    return seconda;
  };
  const altra = await ente.invia('InviaDomanda', { ChiaveInvio: `${chiave}-8`, Domanda: inPiu() });
  const cerca = async (criteri, attesa, altre) => {
    let pagina;
    for (pagina of await ente.legge('RicercaDomande', criteri)) {
      const trovate = elenco(pagina.Domanda).map((d) => d.Protocollo);
      pretendi(uguali(trovate, [attesa]), `la domanda ${attesa} e non ${trovate}`);
      pretendi(altre === undefined || vero(pagina.Altre) === altre, `Altre ${altre}`);
    }
    return pagina;
  };
  const dueCriteri = { Richiedente: RICHIEDENTE, PresentataDal: oggi, CodiceUfficio: scelte.ufficio };
  const pagina = await cerca({ ...dueCriteri, RigheMax: 1 }, altra.Protocollo, true);
  await cerca({ ...dueCriteri, Cursore: pagina.Cursore, RigheMax: 1 }, prima.Protocollo);
  await cerca({ Minore: figli[1], Stato: 'ACCOLTA' }, prima.Protocollo, false);
  riga('RicercaDomande', 'due pagine da una riga, una ricerca per figlio');

  const variazioni = [];
  let daDove = { Dal: oggi };
  for (let altre = true; altre; ) {
    const [una, stessa] = await ente.legge('ElencoVariazioni', { ...daDove, RigheMax: 7 });
    pretendi(uguali(una, stessa), 'la stessa pagina dalle due porte');
    variazioni.push(...elenco(una.Variazione).filter((v) => uguali(v.NumeroDomanda, prima.NumeroDomanda)));
    daDove = { Cursore: una.Cursore };
    altre = vero(una.Altre);
  }
  for (const vuota of await ente.legge('ElencoVariazioni', daDove)) {
    pretendi(elenco(vuota.Variazione).length === 0 && !vero(vuota.Altre), "niente dopo l'ultimo Cursore");
  }
  pretendi(variazioni[0].Tipo === 'REGISTRATA', 'per prima la registrazione');
  const cause = variazioni.filter((v) => v.Tipo === 'ATTO').map((v) => v.ProtocolloCausa);
  pretendi(uguali(cause, [...protocolli.values()]), `un ATTO per ogni atto, nell'ordine, e non ${cause}`);
  const decisi = variazioni
    .filter((v) => v.Tipo === 'STATO' && ['ACCOLTA', 'RESPINTA'].includes(v.Stato))
    .map((v) => [v.Posto, v.Stato]);
  pretendi(
    uguali(decisi, [[1, 'ACCOLTA'], [2, 'RESPINTA'], [2, 'ACCOLTA']]),
    `le decisioni del motore, e non ${decisi}`,
  );
  riga('ElencoVariazioni', `${variazioni.length} della domanda, a pagine con il Cursore`);

  // Le carte: della domanda, e di un atto con il suo protocollo.
  const dellAtto = { Riferimento: { Protocollo: inline.Protocollo }, Formato: 'PDF' };
  for (const carta of await ente.legge('ScaricaRicevuta', dellAtto)) {
    pretendi(uguali(carta.Ricevuta, inline), "la ricevuta dell'atto, con il suo protocollo");
    pdf(carta.Documento);
  }
  const dellaDomanda = { Riferimento: { NumeroDomanda: prima.NumeroDomanda } };
  for (const carta of await ente.legge('ScaricaRicevuta', dellaDomanda)) {
    pretendi(uguali(carta.Ricevuta, prima) && !carta.Documento, 'la ricevuta della domanda');
  }
  riga('ScaricaRicevuta', "dell'atto in PDF, della domanda in XML");
  let nome;
  for (const carta of await ente.legge('ScaricaRiepilogo', { ...dellaDomanda, Formato: 'PDF' })) {
    pdf(carta.Documento);
    nome = carta.Documento.NomeFile;
  }
  for (const { Riepilogo } of await ente.legge('ScaricaRiepilogo', { Riferimento: { ChiaveInvio: `${chiave}-1` } })) {
    pretendi(Riepilogo.Operazione === 'InviaDomanda' && elenco(Riepilogo.Sezioni.Sezione).length > 0, 'il riepilogo');
    pretendi(uguali(Riepilogo.Ricevuta, prima), 'il riepilogo della domanda');
  }
  riga('ScaricaRiepilogo', `${nome}, e in XML`);

  // Un lotto di due domande, la seconda d'un altro patronato: nel corpo.
  const richieste = [1, 2].map((posto) => ({
    ChiaveInvio: `${chiave}-l${posto}`,
    Domanda: inPiu(),
  }));
  const delSecondo = { Codice: secondo.chi.Patronato.Codice, Ufficio: scelte.ufficio };
  richieste[1].Domanda = { ...richieste[1].Domanda, Patronato: delSecondo };
  const nelCorpo = { ChiaveInvio: `${chiave}-lotto`, Lotto: { InviaDomanda: richieste } };
  const accolti = await ente.legge('InviaLotto', nelCorpo);
  const ripetizioni = accolti.map((detto) => vero(detto.Ripetizione));
  pretendi(uguali(ripetizioni, [false, true]), 'InviaLotto: Ripetizione soltanto al secondo invio');
  pretendi(accolti[0].IdLotto === accolti[1].IdLotto, 'InviaLotto: lo stesso IdLotto al secondo invio');
  riga('InviaLotto', accolti[0].IdLotto);
  const delLotto = { IdLotto: accolti[0].IdLotto };
  let stati;
  for (;;) {
    stati = await ente.legge('StatoLotto', delLotto);
    if (stati.every((stato) => stato.Stato === 'done')) break;
    const attesa = Number(stati[0].ChiedereFraSecondi ?? 1);
    await new Promise((riprendi) => setTimeout(riprendi, attesa * 1000));
  }
  for (const { Esito, Conteggi } of stati) {
    pretendi(Esito === 'PARZIALE', `StatoLotto PARZIALE e non ${Esito}`);
    pretendi(uguali([Conteggi.Registrati, Conteggi.Rifiutati], [1, 1]), 'StatoLotto: una registrata, una rifiutata');
  }
  riga('StatoLotto', 'PARZIALE, 1 registrata, 1 rifiutata');
  for (const esito of await ente.legge('EsitoLotto', delLotto)) {
    const voci = elenco(esito.Elementi.Elemento);
    pretendi(uguali(voci.map((v) => v.ChiaveInvio), richieste.map((r) => r.ChiaveInvio)), 'EsitoLotto: le proprie chiavi');
    pretendi(uguali(voci.map((v) => v.Esito), ['REGISTRATA', 'RIFIUTATA']), 'EsitoLotto: un esito per domanda');
    pretendi(elenco(voci[1].Errore)[0].Codice === 'PAT-001', "EsitoLotto: l'errore della seconda");
  }
  for (const esito of await ente.legge('EsitoLotto', { ...delLotto, Solo: 'RIFIUTATA', Formato: 'CSV' })) {
    const righe = esito.Csv.trim().split('\n');
    pretendi(righe.length === 2 && righe[1].includes('PAT-001'), 'EsitoLotto: il CSV delle sole rifiutate');
  }
  riga('EsitoLotto', 'REGISTRATA e PAT-001, anche in CSV');

  // Dal testo del WSDL, e non da ciò che node-soap ne ha inteso.
  let quante;
  for (const { nome: porta } of ente.porte) {
    const binding = ente.testo.split('<wsdl:binding ').find((pezzo) => pezzo.startsWith(`name="${porta}"`)) ?? '';
    const nelWsdl = [...binding.matchAll(/<wsdl:operation name="(\w+)"/g)].map(([, uno]) => uno).sort();
    const chiamate = [...new Set([...ente.chiamate.get(porta), ...secondo.chiamate.get(porta)])].sort();
    pretendi(nelWsdl.length > 0 && uguali(chiamate, nelWsdl), `le operazioni del WSDL: ${nelWsdl} e non ${chiamate}`);
    quante = nelWsdl.length;
  }
  console.log(`node-soap ${servizio}: ${quante} operazioni nel WSDL, tutte chiamate da due porte`);
}

for (const servizio of SERVIZI) await prova(servizio);
// Le connessioni tenute aperte non devono tenere in vita il processo.
process.exit(0);
