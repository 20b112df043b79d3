<?php
// Client di prova con il SoapClient di PHP: dal solo indirizzo ?wsdl alla ricevuta, e agli errori.
//
//   php php_client.php --wsdl=https://localhost:8443/modi/soap/AssegnoTemporaneo/v1/?wsdl \
//       --cert=pat01.pem --key=pat01.key --ca=ca.pem --user=op.rossi --ufficio=001
//
// Invia una domanda nuova, la rinvia, ne invia una che viola le regole e una che viola lo schema; esce con un codice
// diverso da zero se una risposta non è quella promessa. Il codice dell'Ente lo dice Diagnosi.

declare(strict_types=1);

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

function codice_fiscale(): string
{
    $a_caso = fn (array $fra) => $fra[random_int(0, count($fra) - 1)];
    $corpo = '';
    for ($i = 0; $i < 6; $i++) {
        $corpo .= $a_caso(str_split('BCDFGLMNPRSTVZ'));
    }
    $corpo .= sprintf('%02d', random_int(12, 19)) . $a_caso(str_split('ABCDEHLMPRST'));
    $corpo .= sprintf('%02d', random_int(1, 28)) . $a_caso(['H501', 'F205', 'D969', 'L219']);
    $dispari = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    $somma = 0;
    foreach (str_split($corpo) as $i => $c) {
        $posto = ctype_digit($c) ? (int) $c : ord($c) - ord('A');
        $somma += $i % 2 === 0 ? $dispari[$posto] : $posto;
    }
    return $corpo . chr(ord('A') + $somma % 26);
}

function domanda(string $ente, string $user, string $ufficio, string $minore): array
{
    $scelta = ['D4' => 'ITALIANO', 'D7' => 'RESIDENZA'];
    $dichiarazioni = [];
    foreach (['D1', 'D2', 'D3', 'D4', 'D5', 'D6', 'D7', 'D8'] as $codice) {
        // Valori booleani veri: la stringa "false" partirebbe come true.
        $dichiarazione = ['Codice' => $codice, 'Valore' => true];
        if (isset($scelta[$codice])) {
            $dichiarazione['Scelta'] = $scelta[$codice];
        }
        $dichiarazioni[] = $dichiarazione;
    }
    return [
        'Patronato' => ['Codice' => $ente, 'Ufficio' => $ufficio],
        'Operatore' => $user,
        'Mandato' => ['Numero' => 'M-2021-004512', 'Data' => '2021-06-25'],
        'Richiedente' => ['CodiceFiscale' => 'RSSMRA80A01H501U', 'Nome' => 'MARIO', 'Cognome' => 'ROSSI'],
        'PresentataDa' => 'GENITORE',
        'Minori' => ['Minore' => [[
            'Qualita' => 'GENITORE',
            'CodiceFiscale' => $minore,
            'Disabile' => false,
            'AffidoCondiviso' => false,
            'AltroGenitore' => ['CodiceFiscale' => 'VRDLGU82B52F205E'],
            'Ripartizione' => 'INTERO_RICHIEDENTE',
        ]]],
        'Pagamento' => ['Modalita' => 'CC', 'Iban' => 'IT60X0542811101000000123456', 'IntestatoRichiedente' => true],
        'Dichiarazioni' => ['Dichiarazione' => $dichiarazioni],
    ];
}

// Un elemento che può ripetersi arriva sempre come vettore grazie a SOAP_SINGLE_ELEMENT_ARRAYS.
function mostra(array $errori): void
{
    foreach ($errori as $e) {
        printf("  %s %s: %s → %s\n", $e->Codice, $e->Percorso ?? '', $e->Testo, $e->Suggerimento);
    }
}

$scelte = getopt('', ['wsdl:', 'cert:', 'key:', 'ca:', 'user:', 'ufficio:', 'chiave:', 'minore:']);
foreach (['wsdl', 'cert', 'key', 'ca', 'user', 'ufficio'] as $nome) {
    pretendi(isset($scelte[$nome]), "l'opzione --$nome");
}
$chiave = $scelte['chiave'] ?? 'php-' . hrtime(true) . '-' . getmypid();
$minore = $scelte['minore'] ?? codice_fiscale();

// Il contesto vale per il WSDL, per gli XSD che importa e per le chiamate.
$contesto = stream_context_create(['ssl' => [
    'local_cert' => $scelte['cert'],
    'local_pk' => $scelte['key'],
    'cafile' => $scelte['ca'],
    'verify_peer' => true,
    'verify_peer_name' => true,
]]);

function apri(int $versione): SoapClient
{
    global $scelte, $contesto;
    $client = new SoapClient($scelte['wsdl'], [
        'soap_version' => $versione,
        'stream_context' => $contesto,
        'cache_wsdl' => WSDL_CACHE_NONE,
        'features' => SOAP_SINGLE_ELEMENT_ARRAYS,
        'exceptions' => true,
        'keep_alive' => true,
    ]);
    // Il binding dichiara l'intestazione: PHP la codifica secondo lo schema, con i figli non qualificati.
    $client->__setSoapHeaders(new SoapHeader('http://inps.it/', 'Identity', [
        'UserId' => $scelte['user'],
        'CodiceUfficio' => $scelte['ufficio'],
    ]));
    return $client;
}

$client = apri(SOAP_1_2);

$visto = $client->Diagnosi([]);
$ente = $visto->Ente->Codice;
echo "php: il varco vede l'ente $ente, certificato $visto->CertificatoSeriale, $visto->VersioneTls\n";
$buona = domanda($ente, $scelte['user'], $scelte['ufficio'], $minore);

$prova = $client->VerificaDomanda(['ChiaveInvio' => $chiave, 'Domanda' => $buona]);
mostra($prova->Errori->Errore ?? []);
pretendi($prova->Esito === 'AMMISSIBILE', 'VerificaDomanda AMMISSIBILE');

$prima = $client->InviaDomanda(['ChiaveInvio' => $chiave, 'Domanda' => $buona]);
mostra($prima->Errori->Errore ?? []);
pretendi($prima->Esito === 'REGISTRATA' && !($prima->Ripetizione ?? false), 'la prima risposta REGISTRATA, senza Ripetizione');
echo "php: protocollo {$prima->Ricevuta->Protocollo}, domanda {$prima->Ricevuta->NumeroDomanda}\n";

$seconda = $client->InviaDomanda(['ChiaveInvio' => $chiave, 'Domanda' => $buona]);
pretendi(($seconda->Ripetizione ?? false) === true, 'Ripetizione=true al secondo invio');
pretendi($seconda->Ricevuta->Protocollo === $prima->Ricevuta->Protocollo, 'lo stesso protocollo al secondo invio');
echo "php: ripetuta, stesso protocollo {$seconda->Ricevuta->Protocollo}\n";

// PHP sceglie la porta dalla versione SOAP chiesta.
$trovata = apri(SOAP_1_1)->ConsultaDomanda(['Riferimento' => ['ChiaveInvio' => $chiave]]);
pretendi($trovata->Protocollo === $prima->Ricevuta->Protocollo, 'ConsultaDomanda per ChiaveInvio');
echo "php: SOAP 1.1, stato della scheda 1: {$trovata->Schede->Scheda[0]->Stato}\n";

// Tre regole violate: una risposta normale, RIFIUTATA, con tutti e tre gli errori.
$sbagliata = domanda($ente, $scelte['user'], $scelte['ufficio'], codice_fiscale());
$sbagliata['Minori']['Minore'][0]['Ripartizione'] = 'META_ENTRAMBI';
$sbagliata['Pagamento']['Iban'] = 'IT40S0542811101000000123456';
$sbagliata['Dichiarazioni']['Dichiarazione'][2]['Valore'] = false;
$rifiutata = $client->InviaDomanda(['ChiaveInvio' => "$chiave-r", 'Domanda' => $sbagliata]);
pretendi($rifiutata->Esito === 'RIFIUTATA' && !isset($rifiutata->Ricevuta), 'RIFIUTATA senza Ricevuta');
$violate = $rifiutata->Errori->Errore;
printf("php: rifiutata, %d errori (messaggio %s)\n", count($violate), $rifiutata->Errori->IdMessaggio);
mostra($violate);
$codici = array_map(fn ($e) => $e->Codice, $violate);
sort($codici);
pretendi($codici === ['AT-001', 'DIC-001', 'IBN-003'], 'AT-001, DIC-001, IBN-003 e non ' . implode(',', $codici));
pretendi(
    in_array('/at:Domanda/at:Minori/at:Minore[1]/at:Ripartizione', array_map(fn ($e) => $e->Percorso, $violate), true),
    'il percorso della ripartizione',
);

// Due violazioni dello schema: un Fault, con il dettaglio dichiarato nel WSDL.
$informe = domanda($ente, $scelte['user'], $scelte['ufficio'], 'ABC');
$informe['Pagamento']['Modalita'] = 'XX';
try {
    $client->InviaDomanda(['ChiaveInvio' => "$chiave-x", 'Domanda' => $informe]);
    pretendi(false, 'un Fault per una domanda fuori schema');
} catch (SoapFault $fault) {
    pretendi(isset($fault->detail->Errori), "Errori nel Detail del Fault e non: {$fault->getMessage()}");
    $errori = $fault->detail->Errori->Errore;
    printf("php: Fault %s, «%s», %d errori\n", $fault->faultcode, $fault->getMessage(), count($errori));
    mostra($errori);
    $xsd = array_filter($errori, fn ($e) => str_starts_with($e->Codice, 'XSD-') && $e->Riga > 0 && $e->Colonna > 0);
    pretendi(count($errori) === 2 && count($xsd) === 2, 'due errori XSD, con riga e colonna');
}
echo "php: ok\n";
