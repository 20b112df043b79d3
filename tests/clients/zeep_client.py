"""Client di prova con zeep: dal solo indirizzo ?wsdl alla ricevuta, e agli errori.

    python zeep_client.py --wsdl https://localhost:8443/modi/soap/AssegnoTemporaneo/v1/?wsdl \
        --cert pat01.pem --key pat01.key --ca ca.pem --user op.rossi --ufficio 001

Invia una domanda nuova, la rinvia, ne invia una che viola le regole e una che viola lo schema; esce con un codice
diverso da zero se una risposta non è quella promessa. Il codice dell'Ente lo dice Diagnosi.
"""

import argparse
import random
import sys
import time

import requests
import zeep
from zeep.transports import Transport

AT = "http://inps.it/AssegnoTemporaneo/v1"
COOP = "http://inps.it/cooperazione/v1"
CONSONANTI = "BCDFGLMNPRSTVZ"


def codice_fiscale(dal=12, al=19):
    """Un codice fiscale di fantasia, di chi è nato in quegli anni (un minore), con il carattere di controllo giusto."""
    lettere = "".join(random.choice(CONSONANTI) for _ in range(6))
    anno, mese = random.randint(dal, al), random.choice("ABCDEHLMPRST")
    corpo = f"{lettere}{anno:02d}{mese}{random.randrange(1, 29):02d}{random.choice(['H501', 'F205', 'D969', 'L219'])}"
    dispari = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]

    def posto(carattere):
        return int(carattere) if carattere.isdigit() else ord(carattere) - ord("A")

    somma = sum(dispari[posto(c)] if i % 2 == 0 else posto(c) for i, c in enumerate(corpo))
    return corpo + chr(ord("A") + somma % 26)


def domanda(ente, user, ufficio, minore):
    """Il minimo che InviaDomanda accetta: un richiedente, un minore, un conto italiano, le otto dichiarazioni."""
    scelte = {"D4": "ITALIANO", "D7": "RESIDENZA"}
    return {
        "Patronato": {"Codice": ente, "Ufficio": ufficio},
        "Operatore": user,
        "Mandato": {"Numero": "M-2021-004512", "Data": "2021-06-25"},
        "Richiedente": {"CodiceFiscale": "RSSMRA80A01H501U", "Nome": "MARIO", "Cognome": "ROSSI"},
        "PresentataDa": "GENITORE",
        "Minori": {
            "Minore": [
                {
                    "Qualita": "GENITORE",
                    "CodiceFiscale": minore,
                    "Disabile": False,
                    "AffidoCondiviso": False,
                    "AltroGenitore": {"CodiceFiscale": "VRDLGU82B52F205E"},
                    "Ripartizione": "INTERO_RICHIEDENTE",
                }
            ]
        },
        "Pagamento": {"Modalita": "CC", "Iban": "IT60X0542811101000000123456", "IntestatoRichiedente": True},
        "Dichiarazioni": {
            "Dichiarazione": [
                {"Codice": codice, "Valore": True, "Scelta": scelte.get(codice)}
                for codice in ("D1", "D2", "D3", "D4", "D5", "D6", "D7", "D8")
            ]
        },
    }


def mostra(errori):
    for errore in errori:
        print(f"  {errore.Codice} {errore.Percorso or ''}: {errore.Testo} → {errore.Suggerimento}")


def pretendi(vero, che_cosa):
    if not vero:
        sys.exit(f"zeep: manca ciò che è promesso: {che_cosa}")


def main():
    opzioni = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for nome in ("wsdl", "cert", "key", "ca", "user", "ufficio"):
        opzioni.add_argument(f"--{nome}", required=True)
    opzioni.add_argument("--chiave", default=f"zeep-{time.time_ns()}", help="ChiaveInvio della prima domanda")
    opzioni.add_argument("--minore", default=codice_fiscale(), help="codice fiscale del minore")
    scelte = opzioni.parse_args()

    # La mutua autenticazione vale anche per scaricare il WSDL: la stessa sessione serve a tutto.
    sessione = requests.Session()
    sessione.cert = (scelte.cert, scelte.key)
    sessione.verify = scelte.ca
    # Altrimenti REQUESTS_CA_BUNDLE, se c'è, vince su verify.
    sessione.trust_env = False
    client = zeep.Client(scelte.wsdl, transport=Transport(session=sessione, timeout=30, operation_timeout=30))
    # Identity è dichiarata nel WSDL: zeep la vuole per nome a ogni chiamata.
    intestazione = {"_soapheaders": {"Identity": {"UserId": scelte.user, "CodiceUfficio": scelte.ufficio}}}
    servizio = client.bind("AssegnoTemporaneo", "AssegnoTemporaneoSoap12")

    visto = servizio.Diagnosi(**intestazione)
    ente = visto.Ente.Codice
    print(f"zeep: il varco vede l'ente {ente}, certificato {visto.CertificatoSeriale}, {visto.VersioneTls}")
    buona = domanda(ente, scelte.user, scelte.ufficio, scelte.minore)

    prova = servizio.VerificaDomanda(ChiaveInvio=scelte.chiave, Domanda=buona, **intestazione)
    if prova.Errori:
        mostra(prova.Errori.Errore)
    pretendi(prova.Esito == "AMMISSIBILE", "VerificaDomanda AMMISSIBILE")

    prima = servizio.InviaDomanda(ChiaveInvio=scelte.chiave, Domanda=buona, **intestazione)
    if prima.Errori:
        mostra(prima.Errori.Errore)
    pretendi(prima.Esito == "REGISTRATA" and not prima.Ripetizione, "la prima risposta REGISTRATA, senza Ripetizione")
    print(f"zeep: protocollo {prima.Ricevuta.Protocollo}, domanda {prima.Ricevuta.NumeroDomanda}")

    seconda = servizio.InviaDomanda(ChiaveInvio=scelte.chiave, Domanda=buona, **intestazione)
    pretendi(seconda.Ripetizione is True, "Ripetizione=true al secondo invio")
    pretendi(seconda.Ricevuta.Protocollo == prima.Ricevuta.Protocollo, "lo stesso protocollo al secondo invio")
    print(f"zeep: ripetuta, stesso protocollo {seconda.Ricevuta.Protocollo}")

    # La stessa domanda si ritrova anche dalla porta SOAP 1.1.
    servizio11 = client.bind("AssegnoTemporaneo", "AssegnoTemporaneoSoap11")
    trovata = servizio11.ConsultaDomanda(Riferimento={"ChiaveInvio": scelte.chiave}, **intestazione)
    pretendi(trovata.Protocollo == prima.Ricevuta.Protocollo, "ConsultaDomanda per ChiaveInvio")
    print(f"zeep: SOAP 1.1, stato della scheda 1: {trovata.Schede.Scheda[0].Stato}")

    # Tre regole violate: una risposta normale, RIFIUTATA, con tutti e tre gli errori.
    sbagliata = domanda(ente, scelte.user, scelte.ufficio, codice_fiscale())
    sbagliata["Minori"]["Minore"][0]["Ripartizione"] = "META_ENTRAMBI"
    sbagliata["Pagamento"]["Iban"] = "IT40S0542811101000000123456"
    sbagliata["Dichiarazioni"]["Dichiarazione"][2]["Valore"] = False
    rifiutata = servizio.InviaDomanda(ChiaveInvio=f"{scelte.chiave}-r", Domanda=sbagliata, **intestazione)
    pretendi(rifiutata.Esito == "RIFIUTATA" and rifiutata.Ricevuta is None, "RIFIUTATA senza Ricevuta")
    print(f"zeep: rifiutata, {len(rifiutata.Errori.Errore)} errori (messaggio {rifiutata.Errori.IdMessaggio})")
    mostra(rifiutata.Errori.Errore)
    codici = sorted(errore.Codice for errore in rifiutata.Errori.Errore)
    pretendi(codici == ["AT-001", "DIC-001", "IBN-003"], f"AT-001, DIC-001, IBN-003 e non {codici}")
    pretendi(
        any(e.Percorso == "/at:Domanda/at:Minori/at:Minore[1]/at:Ripartizione" for e in rifiutata.Errori.Errore),
        "il percorso della ripartizione",
    )

    # Due violazioni dello schema: un Fault, con il dettaglio dichiarato nel WSDL.
    informe = domanda(ente, scelte.user, scelte.ufficio, "ABC")
    informe["Pagamento"]["Modalita"] = "XX"
    try:
        servizio.InviaDomanda(ChiaveInvio=f"{scelte.chiave}-x", Domanda=informe, **intestazione)
    except zeep.exceptions.Fault as fault:
        nodo = fault.detail.find(f"{{{COOP}}}Errori")
        pretendi(nodo is not None, "Errori nel Detail del Fault")
        errori = client.get_element(f"{{{COOP}}}Errori").parse(nodo, client.wsdl.types).Errore
        print(f"zeep: Fault {fault.code}, «{fault.message}», {len(errori)} errori")
        mostra(errori)
        pretendi(len(errori) == 2 and all(e.Codice.startswith("XSD-") for e in errori), "due errori XSD")
        pretendi(all(e.Riga and e.Colonna for e in errori), "riga e colonna di ogni errore")
    else:
        pretendi(False, "un Fault per una domanda fuori schema")
    print("zeep: ok")


if __name__ == "__main__":
    main()
