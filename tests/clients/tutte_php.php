<?php
// Tutte le operazioni dei due servizi con il SoapClient di PHP: dal solo indirizzo ?wsdl, una vita intera di una domanda
// per servizio.
//
//   php tutte_php.php --wsdl=https://localhost:8443/modi/soap/AssegnoTemporaneo/v1/?wsdl \
//       --cert=pat01.pem --key=pat01.key --ca=ca.pem --user=op.rossi --ufficio=001 \
//       --cert2=pat02.pem --key2=pat02.key --motore='varco engine sqlite:demo/store.db --una-volta'
//
// --cert2 e --key2 sono di un secondo Ente, che assiste il secondo genitore; --motore è il comando che fa lavorare le
// domande al motore. Ogni operazione passa dalla porta SOAP 1.2 e dalla 1.1. Alla fine le operazioni chiamate devono essere
// quelle del WSDL: nessuna manca. Esce con un codice diverso da zero alla prima promessa non mantenuta.

declare(strict_types=1);

const SERVIZI = ['AssegnoTemporaneo', 'AssegnoUnicoUniversale'];
const SECONDO_GENITORE = 'VRDLGU82B52F205E';
const IBAN = 'IT60X0542811101000000123456';
const ALTRO_IBAN = 'IT30O0760103200000012345678';
const PDF = "%PDF-1.4\n%%EOF\n";
// Un genitore ha una domanda di assegno unico sola: a ogni prova il suo.
define('RICHIEDENTE', codice_fiscale(60, 89));

set_error_handler(function (int $livello, string $testo) {
    throw new ErrorException($testo, 0, $livello);
});

function pretendi($promessa, string $che_cosa): void
{
    if (!$promessa) {
        fwrite(STDERR, "php: manca ciò che è promesso: $che_cosa\n");
        exit(1);
    }
}

function codice_fiscale(int $dal = 12, int $al = 19): string
{
    $a_caso = fn (array $fra) => $fra[random_int(0, count($fra) - 1)];
    $corpo = '';
    for ($i = 0; $i < 6; $i++) {
        $corpo .= $a_caso(str_split('BCDFGLMNPRSTVZ'));
    }
    $corpo .= sprintf('%02d', random_int($dal, $al)) . $a_caso(str_split('ABCDEHLMPRST'));
    $corpo .= sprintf('%02d', random_int(1, 28)) . $a_caso(['H501', 'F205', 'D969', 'L219']);
    $dispari = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    $somma = 0;
    foreach (str_split($corpo) as $i => $c) {
        $posto = ctype_digit($c) ? (int) $c : ord($c) - ord('A');
        $somma += $i % 2 === 0 ? $dispari[$posto] : $posto;
    }
    return $corpo . chr(ord('A') + $somma % 26);
}

// Un figlio nuovo; quelli che finiscono con Z il motore di prova li respinge, con Y li manda alla sede.
function figlio(bool $respinto = false): string
{
    do {
        $codice = codice_fiscale();
    } while ($codice[15] === 'Y' || ($codice[15] === 'Z') !== $respinto);
    return $codice;
}

// Un elemento che può ripetersi arriva sempre come vettore grazie a SOAP_SINGLE_ELEMENT_ARRAYS.
function mostra(array $errori): void
{
    foreach ($errori as $e) {
        printf("  %s %s: %s → %s\n", $e->Codice, $e->Percorso ?? '', $e->Testo, $e->Suggerimento);
    }
}

// Un Ente che parla con un servizio, dalle sue due porte.
final class Ente
{
    /** @var array<string, SoapClient> PHP sceglie la porta dalla versione SOAP chiesta. */
    private array $porte = [];
    /** @var array<string, array<string, true>> */
    public array $chiamate = [];
    public string $wsdl;
    /** Come comincia ogni atto, dopo il Riferimento. */
    public array $chi;

    public function __construct(string $servizio, string $cert, string $key, array $scelte)
    {
        // Il contesto vale per il WSDL, per gli XSD che importa e per le chiamate.
        $contesto = stream_context_create(['ssl' => [
            'local_cert' => $cert,
            'local_pk' => $key,
            'cafile' => $scelte['ca'],
            'verify_peer' => true,
            'verify_peer_name' => true,
        ]]);
        $indirizzo = str_replace(SERVIZI[0], $servizio, $scelte['wsdl']);
        $this->wsdl = file_get_contents($indirizzo, false, $contesto);
        foreach (['Soap12' => SOAP_1_2, 'Soap11' => SOAP_1_1] as $nome => $versione) {
            $client = new SoapClient($indirizzo, [
                'soap_version' => $versione,
                'stream_context' => $contesto,
                'cache_wsdl' => WSDL_CACHE_NONE,
                'features' => SOAP_SINGLE_ELEMENT_ARRAYS,
            ]);
            $client->__setSoapHeaders(new SoapHeader('http://inps.it/', 'Identity', [
                'UserId' => $scelte['user'],
                'CodiceUfficio' => $scelte['ufficio'],
            ]));
            $this->porte[$servizio . $nome] = $client;
        }
        $codice = $this->legge('Diagnosi', [])[0]->Ente->Codice;
        $this->chi = ['Patronato' => ['Codice' => $codice, 'Ufficio' => $scelte['ufficio']], 'Operatore' => $scelte['user']];
    }

    // La stessa lettura dalle due porte; $blocco sta accanto a Identity.
    public function legge(string $operazione, array $richiesta, ?SoapHeader $blocco = null): array
    {
        $risposte = [];
        foreach ($this->porte as $nome => $client) {
            $this->chiamate[$nome][$operazione] = true;
            try {
                $risposte[] = $client->__soapCall($operazione, [$richiesta], null, $blocco);
            } catch (SoapFault $fault) {
                $errori = $fault->detail->Errori->Errore ?? [];
                mostra(is_array($errori) ? $errori : [$errori]);
                pretendi(false, "$operazione su $nome: {$fault->getMessage()}");
            }
        }
        return $risposte;
    }

    // Un invio dalla porta SOAP 1.2, e di nuovo dalla 1.1: la ricevuta è la stessa.
    public function invia(string $operazione, array $richiesta): stdClass
    {
        [$prima, $seconda] = $this->legge($operazione, $richiesta);
        foreach ([$prima, $seconda] as $risposta) {
            mostra($risposta->Errori->Errore ?? []);
            pretendi($risposta->Esito === 'REGISTRATA', "$operazione REGISTRATA");
        }
        $ripetizioni = [$prima->Ripetizione ?? false, $seconda->Ripetizione ?? false];
        pretendi($ripetizioni === [false, true], "$operazione: Ripetizione soltanto al secondo invio");
        pretendi($prima->Ricevuta == $seconda->Ricevuta, "$operazione: la stessa ricevuta al secondo invio");
        pretendi($prima->Ricevuta->ChiaveInvio === $richiesta['ChiaveInvio'], "$operazione: la propria ChiaveInvio");
        return $prima->Ricevuta;
    }
}

function minore(string $codice, bool $affido_condiviso = false): array
{
    return [
        'Qualita' => 'GENITORE',
        'CodiceFiscale' => $codice,
        'Disabile' => false,
        'AffidoCondiviso' => $affido_condiviso,
        'AltroGenitore' => ['CodiceFiscale' => SECONDO_GENITORE],
        'Ripartizione' => 'INTERO_RICHIEDENTE',
    ];
}

function figlio_unico(string $codice, string $ripartizione = 'A'): array
{
    return [
        'CodiceFiscale' => $codice,
        'AltroGenitore' => ['CodiceFiscale' => SECONDO_GENITORE],
        'SituazioneGenitori' => 'NON_CONIUGATI',
        'Ripartizione' => $ripartizione,
        'Disabilita' => 'NESSUNA',
        'ACarico' => true,
    ];
}

function conto(string $iban, string $qualita, string $di_chi): array
{
    $intestatario = ['Qualita' => $qualita, 'CodiceFiscale' => $di_chi];
    return ['Strumento' => 'CC_BANCARIO', 'Iban' => $iban, 'Intestatario' => $intestatario];
}

function dichiarazioni(array $codici, array $scelta): array
{
    $una = function (string $codice) use ($scelta): array {
        $dichiarazione = ['Codice' => $codice, 'Valore' => true];
        if (isset($scelta[$codice])) {
            $dichiarazione['Scelta'] = $scelta[$codice];
        }
        return $dichiarazione;
    };
    return ['Dichiarazione' => array_map($una, $codici)];
}

// Il primo minore in affido condiviso, perché l'importo si possa dividere.
function domanda_temporaneo(Ente $ente, array $figli, array $mandato, string $iban = IBAN): array
{
    $minori = array_map(fn ($codice, $posto) => minore($codice, $posto === 0), $figli, array_keys($figli));
    return $ente->chi + [
        'Mandato' => $mandato,
        'Richiedente' => ['CodiceFiscale' => RICHIEDENTE, 'Nome' => 'MARIO', 'Cognome' => 'ROSSI'],
        'PresentataDa' => 'GENITORE',
        'Minori' => ['Minore' => $minori],
        'Pagamento' => ['Modalita' => 'CC', 'Iban' => $iban, 'IntestatoRichiedente' => true],
        'Dichiarazioni' => dichiarazioni(
            ['D1', 'D2', 'D3', 'D4', 'D5', 'D6', 'D7', 'D8'],
            ['D4' => 'ITALIANO', 'D7' => 'RESIDENZA'],
        ),
    ];
}

function domanda_unico(Ente $ente, array $figli, array $mandato, string $iban = IBAN): array
{
    $schede = array_map(
        fn ($codice, $posto) => figlio_unico($codice, $posto === 0 ? 'C' : 'A'),
        $figli,
        array_keys($figli),
    );
    return $ente->chi + [
        'Mandato' => $mandato,
        'Richiedente' => [
            'CodiceFiscale' => RICHIEDENTE,
            'Nome' => 'MARIO',
            'Cognome' => 'ROSSI',
            'Ruolo' => 'GENITORE',
        ],
        'Figli' => ['Figlio' => $schede],
        'PagamentoRichiedente' => ['Modalita' => 'IBAN', 'Conto' => conto($iban, 'RICHIEDENTE', RICHIEDENTE)],
        'Dichiarazioni' => dichiarazioni(
            ['U1', 'U2', 'U3', 'U4', 'U5', 'U6', 'U7'],
            ['U1' => 'ITALIANO', 'U4' => 'RESIDENZA'],
        ),
    ];
}

// PHP codifica da sé base64Binary: Contenuto sono i byte, in un verso e nell'altro.
function allegato(string $tipo, string $nome): array
{
    return [
        'Tipo' => $tipo,
        'NomeFile' => $nome,
        'TipoMime' => 'application/pdf',
        'Impronta' => hash('sha256', PDF),
        'Contenuto' => PDF,
    ];
}

function pdf(stdClass $documento): void
{
    pretendi($documento->TipoMime === 'application/pdf' && str_starts_with($documento->Contenuto, '%PDF'), 'un PDF');
    pretendi(hash('sha256', $documento->Contenuto) === $documento->Impronta, "lo SHA-256 detto nell'Impronta");
}

function prova(string $servizio, array $scelte): void
{
    $ente = new Ente($servizio, $scelte['cert'], $scelte['key'], $scelte);
    $secondo = new Ente($servizio, $scelte['cert2'], $scelte['key2'], $scelte);
    $temporaneo = $servizio === SERVIZI[0];
    $chiave = 'tutte-php-' . hrtime(true) . '-' . getmypid();
    $riga = function (string $operazione, string $che_cosa) use ($servizio): void {
        echo "php $servizio $operazione: $che_cosa\n";
    };
    $motore = function () use ($scelte): void {
        exec($scelte['motore'], $detto, $esito);
        pretendi($esito === 0, 'il motore');
    };

    // Il servizio, e chi siamo.
    foreach ($ente->legge('echo', ['Msg' => 'perché no? <&>']) as $eco) {
        pretendi($eco->Msg === 'perché no? <&>' && $eco->Servizio === $servizio && $eco->Stato === 'ATTIVO', 'echo');
    }
    $riga('echo', "$eco->Stato, ambiente $eco->Ambiente");
    foreach ($ente->legge('Diagnosi', ['OraDelChiamante' => gmdate('Y-m-d\TH:i:s\Z')]) as $posto => $visto) {
        $versione = ['1.2', '1.1'][$posto];
        pretendi($visto->FormaIdentity === 'CANONICA' && str_contains($visto->VersioneSoap, $versione), 'Diagnosi');
        pretendi(abs((int) $visto->ScartoOrologioSecondi) <= 60, "lo scarto dell'orologio");
        $oggi = gmdate('Y-m-d', strtotime($visto->OraDiServizio));
    }
    $riga('Diagnosi', "ente {$visto->Ente->Codice}, giorno di servizio $oggi");
    foreach ($ente->legge('Limiti', []) as $limiti) {
        $valori = array_column($limiti->Limite, 'Valore', 'Nome');
        pretendi((int) $valori['allegato_bytes_max'] === 5 * 1024 * 1024, 'allegato_bytes_max');
    }
    $riga('Limiti', count($valori) . ' limiti');

    // Una domanda con due figli: il secondo il motore lo respingerà.
    $componi = $temporaneo ? domanda_temporaneo(...) : domanda_unico(...);
    $figli = [figlio(), figlio(respinto: true)];
    $mandato = ['Numero' => 'M-1', 'Data' => $oggi];
    $intera = ['ChiaveInvio' => "$chiave-1", 'Domanda' => $componi($ente, $figli, $mandato)];
    foreach ($ente->legge('VerificaDomanda', $intera) as $esito) {
        mostra($esito->Errori->Errore ?? []);
        pretendi($esito->Esito === 'AMMISSIBILE' && count($esito->Schede->Scheda) === 2, 'VerificaDomanda AMMISSIBILE');
    }
    $riga('VerificaDomanda', $esito->Esito);
    $prima = $ente->invia('InviaDomanda', $intera);
    pretendi(array_column($prima->Schede->Scheda, 'CodiceFiscale') === $figli, 'una scheda per figlio, nel loro ordine');
    $riga('InviaDomanda', "$prima->Protocollo, domanda $prima->NumeroDomanda");

    // Gli atti: ciascuno con la propria chiave e il proprio protocollo, sulla stessa domanda.
    $riferimento = ['Riferimento' => ['ChiaveInvio' => "$chiave-1"]];
    $atto = $riferimento + $ente->chi + ['Mandato' => $mandato];
    $protocolli = [];
    $registra = function (string $operazione, int $numero, array $contenuto, ?Ente $chi = null) use (
        $ente,
        $prima,
        $chiave,
        $riga,
        &$protocolli,
    ): stdClass {
        $ricevuta = ($chi ?? $ente)->invia($operazione, ['ChiaveInvio' => "$chiave-$numero"] + $contenuto);
        $altri = [$prima->Protocollo, ...array_values($protocolli)];
        pretendi(!in_array($ricevuta->Protocollo, $altri, true), "$operazione: un proprio protocollo");
        pretendi($ricevuta->NumeroDomanda === $prima->NumeroDomanda, "$operazione: lo stesso NumeroDomanda");
        $protocolli[$operazione] = $ricevuta->Protocollo;
        $riga($operazione, $ricevuta->Protocollo);
        return $ricevuta;
    };
    $consulta = function (array $stati, ?string $riesame = null) use ($ente, $prima): stdClass {
        foreach ($ente->legge('ConsultaDomanda', ['Riferimento' => ['Protocollo' => $prima->Protocollo]]) as $vista) {
            $trovati = array_column($vista->Schede->Scheda, 'Stato');
            pretendi($trovati === $stati, 'gli stati ' . implode(', ', $stati) . ' e non ' . implode(', ', $trovati));
            $detto = $vista->Schede->Scheda[1]->Riesame ?? null;
            pretendi($detto === $riesame, "il riesame $riesame e non $detto");
        }
        return $vista;
    };

    $cambiata = $componi($ente, $figli, $mandato, ALTRO_IBAN);
    $registra('ModificaDomanda', 2, ['Modifica' => $riferimento + ['Domanda' => $cambiata]]);

    $terzo = figlio();
    $aggiunto = $temporaneo
        ? $registra('AggiungiMinore', 3, ['NuovoMinore' => $atto + ['Minore' => minore($terzo)]])
        : $registra('AggiungiFiglio', 3, ['NuovoFiglio' => $atto + ['Figlio' => figlio_unico($terzo)]]);
    $nuove = array_map(fn ($s) => [(int) $s->Posto, $s->CodiceFiscale], $aggiunto->Schede->Scheda);
    pretendi($nuove === [[3, $terzo]], 'la terza scheda');

    $inline = $registra('AllegaDocumento', 4, ['Documento' => $atto + [
        'Schede' => ['Scheda' => [1, 2]],
        'Allegato' => allegato('DOCUMENTO_IDENTITA', 'documento.pdf'),
    ]]);

    $quota = $temporaneo
        ? [
            'Ripartizione' => 'META_ENTRAMBI',
            'Pagamento' => ['Modalita' => 'CC', 'Iban' => ALTRO_IBAN, 'IntestatoRichiedente' => true],
        ]
        : [
            'Ripartizione' => 'C',
            'PagamentoAltroGenitore' => [
                'CodiceFiscale' => SECONDO_GENITORE,
                'Modalita' => 'IBAN',
                'Conto' => conto(ALTRO_IBAN, 'ALTRO_GENITORE', SECONDO_GENITORE),
            ],
        ];
    $completamento = ['Riferimento' => ['NumeroDomanda' => $prima->NumeroDomanda]] + $secondo->chi + [
        'Mandato' => $mandato,
        'Figlio' => $figli[0],
        'SecondoGenitore' => ['CodiceFiscale' => SECONDO_GENITORE, 'Nome' => 'GIULIA', 'Cognome' => 'VERDI'],
    ] + $quota;
    $registra('CompletaSecondoGenitore', 5, ['Completamento' => $completamento], $secondo);
    foreach ($secondo->legge('ConsultaDomanda', ['Riferimento' => ['ChiaveInvio' => "$chiave-5"]]) as $vista) {
        $viste = $vista->Schede->Scheda;
        pretendi(count($viste) === 1 && (int) $viste[0]->Posto === 1, 'il secondo Ente vede soltanto la prima scheda');
        pretendi($viste[0]->SecondaMeta->IbanFinale === substr(ALTRO_IBAN, -4), 'la quota del secondo genitore');
    }

    $rinuncia = $atto + ['Motivo' => 'ERRORE_COMPILAZIONE', 'Schede' => ['Scheda' => [3]]];
    $registra('RinunciaDomanda', 6, ['Rinuncia' => $rinuncia]);
    $consulta(['PRESENTATA', 'PRESENTATA', 'RINUNCIATA']);

    // Il motore accoglie la prima scheda e respinge la seconda, che si fa riesaminare; poi accoglie anche quella.
    $motore();
    $consulta(['ACCOLTA', 'RESPINTA', 'RINUNCIATA']);
    $registra('RichiediRiesame', 7, ['Riesame' => $atto + [
        'Schede' => ['Scheda' => [2]],
        'Motivo' => 'REQUISITO_POSSEDUTO',
        'Motivazione' => 'Il figlio è nel nucleo: si allega il provvedimento.',
        'Allegati' => ['Allegato' => [allegato('PROVVEDIMENTO_GIUDICE', 'provvedimento.pdf')]],
    ]]);
    $consulta(['ACCOLTA', 'RESPINTA', 'RINUNCIATA'], 'PRESENTATO');
    $motore();
    $vista = $consulta(['ACCOLTA', 'ACCOLTA', 'RINUNCIATA'], 'ACCOLTO');
    $atti = array_column($vista->Atti->Atto, 'Protocollo', 'Operazione');
    pretendi($atti === $protocolli, "gli atti con i loro protocolli, nell'ordine, e non " . json_encode($atti));
    $riga('ConsultaDomanda', implode(', ', array_column($vista->Schede->Scheda, 'Stato')) . '; ' . count($atti) . ' atti');

    // Un'altra domanda, per avere due pagine da una riga; di assegno unico come tutore, perché da genitore ne ha già una.
    $in_piu = function () use ($componi, $ente, $mandato, $temporaneo): array {
        $seconda = $componi($ente, [figlio()], $mandato);
        if (!$temporaneo) {
            $seconda['Richiedente']['Ruolo'] = 'TUTORE';
            $seconda['Figli']['Figlio'][0]['Ripartizione'] = 'A';
        }
        return $seconda;
    };
    $altra = $ente->invia('InviaDomanda', ['ChiaveInvio' => "$chiave-8", 'Domanda' => $in_piu()]);
    $cerca = function (array $criteri, string $attesa, ?bool $altre = null) use ($ente): stdClass {
        foreach ($ente->legge('RicercaDomande', $criteri) as $pagina) {
            $trovate = array_column($pagina->Domanda ?? [], 'Protocollo');
            pretendi($trovate === [$attesa], "la domanda $attesa e non " . implode(', ', $trovate));
            pretendi($altre === null || $pagina->Altre === $altre, 'Altre');
        }
        return $pagina;
    };
    $criteri = [
        'Richiedente' => RICHIEDENTE,
        'PresentataDal' => $oggi,
        'CodiceUfficio' => $scelte['ufficio'],
        'RigheMax' => 1,
    ];
    $pagina = $cerca($criteri, $altra->Protocollo, true);
    $cerca($criteri + ['Cursore' => $pagina->Cursore], $prima->Protocollo);
    $cerca(['Minore' => $figli[1], 'Stato' => 'ACCOLTA'], $prima->Protocollo, false);
    $riga('RicercaDomande', 'due pagine da una riga, una ricerca per figlio');

    $variazioni = [];
    $da_dove = ['Dal' => $oggi];
    do {
        [$una, $stessa] = $ente->legge('ElencoVariazioni', $da_dove + ['RigheMax' => 7]);
        pretendi($una == $stessa, 'la stessa pagina dalle due porte');
        foreach ($una->Variazione ?? [] as $variazione) {
            if ($variazione->NumeroDomanda === $prima->NumeroDomanda) {
                $variazioni[] = $variazione;
            }
        }
        $da_dove = ['Cursore' => $una->Cursore];
    } while ($una->Altre);
    foreach ($ente->legge('ElencoVariazioni', $da_dove) as $vuota) {
        pretendi(!isset($vuota->Variazione) && $vuota->Altre === false, "niente dopo l'ultimo Cursore");
    }
    pretendi($variazioni[0]->Tipo === 'REGISTRATA', 'per prima la registrazione');
    $del_tipo = fn (string $tipo) => array_values(array_filter($variazioni, fn ($v) => $v->Tipo === $tipo));
    $cause = array_column($del_tipo('ATTO'), 'ProtocolloCausa');
    pretendi($cause === array_values($protocolli), "un ATTO per ogni atto, nell'ordine, e non " . implode(', ', $cause));
    $decisi = array_filter($del_tipo('STATO'), fn ($v) => in_array($v->Stato, ['ACCOLTA', 'RESPINTA'], true));
    $decisi = implode(', ', array_map(fn ($v) => "$v->Posto $v->Stato", $decisi));
    pretendi($decisi === '1 ACCOLTA, 2 RESPINTA, 2 ACCOLTA', "le decisioni del motore, e non $decisi");
    $riga('ElencoVariazioni', count($variazioni) . ' della domanda, a pagine con il Cursore');

    // Le carte: della domanda, e di un atto con il suo protocollo.
    $dell_atto = ['Riferimento' => ['Protocollo' => $inline->Protocollo], 'Formato' => 'PDF'];
    foreach ($ente->legge('ScaricaRicevuta', $dell_atto) as $carta) {
        pretendi($carta->Ricevuta == $inline, "la ricevuta dell'atto, con il suo protocollo");
        pdf($carta->Documento);
    }
    $della_domanda = ['Riferimento' => ['NumeroDomanda' => $prima->NumeroDomanda]];
    foreach ($ente->legge('ScaricaRicevuta', $della_domanda) as $carta) {
        pretendi($carta->Ricevuta == $prima && !isset($carta->Documento), 'la ricevuta della domanda');
    }
    $riga('ScaricaRicevuta', "dell'atto in PDF, della domanda in XML");
    foreach ($ente->legge('ScaricaRiepilogo', $della_domanda + ['Formato' => 'PDF']) as $carta) {
        pdf($carta->Documento);
        $nome = $carta->Documento->NomeFile;
    }
    foreach ($ente->legge('ScaricaRiepilogo', ['Riferimento' => ['ChiaveInvio' => "$chiave-1"]]) as $carta) {
        $riepilogo = $carta->Riepilogo;
        pretendi($riepilogo->Operazione === 'InviaDomanda' && count($riepilogo->Sezioni->Sezione) > 0, 'il riepilogo');
        pretendi($riepilogo->Ricevuta == $prima, 'il riepilogo della domanda');
    }
    $riga('ScaricaRiepilogo', "$nome, e in XML");

    // Un lotto di due domande, la seconda d'un altro patronato: nel corpo.
    $richieste = array_map(fn (int $posto) => [
        'ChiaveInvio' => "$chiave-l$posto",
        'Domanda' => $in_piu(),
    ], [1, 2]);
    $richieste[1]['Domanda']['Patronato']['Codice'] = $secondo->chi['Patronato']['Codice'];
    $nel_corpo = ['ChiaveInvio' => "$chiave-lotto", 'Lotto' => ['InviaDomanda' => $richieste]];
    $accolti = $ente->legge('InviaLotto', $nel_corpo);
    $ripetizioni = array_column($accolti, 'Ripetizione');
    pretendi($ripetizioni === [false, true], 'InviaLotto: Ripetizione soltanto al secondo invio');
    $id = $accolti[0]->IdLotto;
    pretendi($id === $accolti[1]->IdLotto, 'InviaLotto: lo stesso IdLotto al secondo invio');
    $riga('InviaLotto', $id);
    // L'intestazione X-Correlation-ID, o IdLotto nel corpo.
    $chiedi = function (string $operazione, array $altro = []) use ($ente, $servizio, $id): array {
        return [
            ...$ente->legge($operazione, ['IdLotto' => $id] + $altro),
            ...$ente->legge($operazione, $altro, new SoapHeader("http://inps.it/$servizio/v1", 'X-Correlation-ID', $id)),
        ];
    };
    while (array_column($stati = $chiedi('StatoLotto'), 'Stato') !== ['done', 'done', 'done', 'done']) {
        sleep((int) ($stati[0]->ChiedereFraSecondi ?? 1));
    }
    foreach ($stati as $stato) {
        $conteggi = [(int) $stato->Conteggi->Registrati, (int) $stato->Conteggi->Rifiutati];
        pretendi([$stato->Esito, $conteggi] === ['PARZIALE', [1, 1]], 'StatoLotto: una registrata, una rifiutata');
    }
    $riga('StatoLotto', "$stato->Esito, 1 registrata, 1 rifiutata");
    foreach ($chiedi('EsitoLotto') as $esito) {
        $voci = $esito->Elementi->Elemento;
        $chiavi = array_column($voci, 'ChiaveInvio');
        pretendi($chiavi === array_column($richieste, 'ChiaveInvio'), 'EsitoLotto: le proprie chiavi');
        pretendi(array_column($voci, 'Esito') === ['REGISTRATA', 'RIFIUTATA'], 'EsitoLotto: un esito per domanda');
        pretendi($voci[1]->Errore[0]->Codice === 'PAT-001', "EsitoLotto: l'errore della seconda");
    }
    foreach ($chiedi('EsitoLotto', ['Solo' => 'RIFIUTATA', 'Formato' => 'CSV']) as $esito) {
        $righe = explode("\n", trim($esito->Csv));
        pretendi(count($righe) === 2 && str_contains($righe[1], 'PAT-001'), 'EsitoLotto: il CSV delle sole rifiutate');
    }
    $riga('EsitoLotto', "{$voci[0]->Protocollo} e {$voci[1]->Errore[0]->Codice}, anche in CSV");

    // Dal testo del WSDL, e non da ciò che PHP ne ha inteso.
    foreach ($ente->chiamate as $porta => $del_primo) {
        $trovato = preg_match("/<wsdl:binding name=\"$porta\".*?<\/wsdl:binding>/s", $ente->wsdl, $binding);
        pretendi($trovato, "il binding $porta");
        preg_match_all('/<wsdl:operation name="(\w+)"/', $binding[0], $operazioni);
        $nel_wsdl = $operazioni[1];
        $chiamate = array_keys($del_primo + $secondo->chiamate[$porta]);
        sort($nel_wsdl);
        sort($chiamate);
        $differenza = implode(', ', array_merge(array_diff($nel_wsdl, $chiamate), array_diff($chiamate, $nel_wsdl)));
        pretendi($nel_wsdl !== [] && $chiamate === $nel_wsdl, "le operazioni del WSDL: differiscono $differenza");
    }
    echo "php $servizio: " . count($nel_wsdl) . " operazioni nel WSDL, tutte chiamate da due porte\n";
}

$nomi = ['wsdl', 'cert', 'key', 'ca', 'user', 'ufficio', 'cert2', 'key2', 'motore'];
$scelte = getopt('', array_map(fn ($nome) => "$nome:", $nomi));
foreach ($nomi as $nome) {
    pretendi(isset($scelte[$nome]), "l'opzione --$nome");
}
foreach (SERVIZI as $servizio) {
    prova($servizio, $scelte);
}
