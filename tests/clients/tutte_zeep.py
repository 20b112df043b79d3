"""Tutte le operazioni dei due servizi con zeep: dal solo indirizzo ?wsdl, una vita intera di una domanda per servizio.

    python tutte_zeep.py --wsdl https://localhost:8443/modi/soap/AssegnoTemporaneo/v1/?wsdl \
        --cert pat01.pem --key pat01.key --ca ca.pem --user op.rossi --ufficio 001 \
        --cert2 pat02.pem --key2 pat02.key --motore 'varco engine sqlite:demo/store.db --una-volta'

--cert2 e --key2 sono di un secondo Ente, che assiste il secondo genitore; --motore è il comando che fa lavorare le domande
al motore. Ogni operazione passa dalla porta SOAP 1.2 e dalla 1.1, e ogni risposta è confrontata con lo schema che il WSDL
importa. Alla fine le operazioni chiamate devono essere quelle del WSDL: nessuna manca. Esce con un codice diverso da zero
alla prima promessa non mantenuta.
"""

import argparse
import gzip
import hashlib
import random
import shlex
import subprocess
import time
from datetime import datetime, timezone
from urllib.parse import unquote

import requests
import zeep
from lxml import etree
from zeep.transports import Transport

from zeep_client import codice_fiscale, domanda, mostra, pretendi

SERVIZI = ("AssegnoTemporaneo", "AssegnoUnicoUniversale")
# Un genitore ha una domanda di assegno unico sola: a ogni prova il suo.
RICHIEDENTE, SECONDO_GENITORE = codice_fiscale(60, 89), "VRDLGU82B52F205E"
IBAN, ALTRO_IBAN = "IT60X0542811101000000123456", "IT30O0760103200000012345678"
PDF = b"%PDF-1.4\n%%EOF\n"
BUSTA = "{http://www.w3.org/2003/05/soap-envelope}"


def figlio(respinto=False):
    """Un codice fiscale nuovo; quelli che finiscono con Z il motore di prova li respinge, con Y li manda alla sede."""
    while (ultimo := (codice := codice_fiscale())[-1]) == "Y" or (ultimo == "Z") != respinto:
        pass
    return codice


class Schema(zeep.Plugin):
    """Le operazioni del WSDL; e ogni risposta dev'essere valida per gli schemi che esso importa."""

    def __init__(self, sessione, wsdl):
        class Indirizzi(etree.Resolver):
            def resolve(self, indirizzo, _, contesto):
                return self.resolve_string(sessione.get(unquote(indirizzo)).content, contesto, base_url=indirizzo)

        lettore = etree.XMLParser()
        lettore.resolvers.add(Indirizzi())
        letto = etree.fromstring(sessione.get(wsdl).content)
        importati = etree.tostring(letto.find(".//{*}types/{*}schema"))
        self.schema = etree.XMLSchema(etree.fromstring(importati, lettore, base_url=wsdl))
        # Dal testo: zeep tralascia con un avviso un'operazione di cui non trova gli elementi.
        self.operazioni = {
            binding.get("name"): {operazione.get("name") for operazione in binding.findall("{*}operation")}
            for binding in letto.findall("{*}binding")
        }

    def ingress(self, envelope, http_headers, operation):
        corpo = envelope.find("{*}Body")[0]
        if not corpo.tag.endswith("}Fault"):
            valida = self.schema.validate(corpo)
            pretendi(valida, f"{operation.name}: una risposta secondo lo schema: {self.schema.error_log}")
        return envelope, http_headers


class Ente:
    """Un Ente che parla con un servizio, dalle sue due porte."""

    def __init__(self, wsdl, servizio, cert, key, scelte):
        self.sessione = requests.Session()
        self.sessione.cert, self.sessione.verify, self.sessione.trust_env = (cert, key), scelte.ca, False
        self.schema = Schema(self.sessione, wsdl)
        trasporto = Transport(session=self.sessione, timeout=30, operation_timeout=30)
        self.client = zeep.Client(wsdl, transport=trasporto, plugins=[self.schema])
        self.intestazione = {"Identity": {"UserId": scelte.user, "CodiceUfficio": scelte.ufficio}}
        self.porte = [self.client.bind(servizio, servizio + versione) for versione in ("Soap12", "Soap11")]
        self.chiamate = {porta: set() for porta in self.porte}
        self.codice = self.chiama(self.porte[0], "Diagnosi").Ente.Codice
        # Come comincia ogni atto, dopo il Riferimento.
        self.chi = {"Patronato": {"Codice": self.codice, "Ufficio": scelte.ufficio}, "Operatore": scelte.user}

    def chiama(self, porta, operazione, _blocchi=None, **richiesta):
        self.chiamate[porta].add(operazione)
        return porta[operazione](**richiesta, _soapheaders={**self.intestazione, **(_blocchi or {})})

    def legge(self, operazione, **richiesta):
        """La stessa lettura dalle due porte."""
        return [self.chiama(porta, operazione, **richiesta) for porta in self.porte]

    def invia(self, operazione, **richiesta):
        """Un invio dalla porta SOAP 1.2, e di nuovo dalla 1.1: la ricevuta è la stessa."""
        prima, seconda = self.legge(operazione, **richiesta)
        for risposta in (prima, seconda):
            mostra(risposta.Errori.Errore if risposta.Errori else [])
            pretendi(risposta.Esito == "REGISTRATA", f"{operazione} REGISTRATA")
        ripetizioni = [prima.Ripetizione or False, seconda.Ripetizione]
        pretendi(ripetizioni == [False, True], f"{operazione}: Ripetizione soltanto al secondo invio")
        uguali = zeep.helpers.serialize_object(prima.Ricevuta) == zeep.helpers.serialize_object(seconda.Ricevuta)
        pretendi(uguali, f"{operazione}: la stessa ricevuta al secondo invio")
        pretendi(prima.Ricevuta.ChiaveInvio == richiesta["ChiaveInvio"], f"{operazione}: la propria ChiaveInvio")
        return prima.Ricevuta


def figlio_unico(codice, ripartizione="A"):
    """Un figlio dell'assegno unico."""
    return {
        "CodiceFiscale": codice,
        "AltroGenitore": {"CodiceFiscale": SECONDO_GENITORE},
        "SituazioneGenitori": "NON_CONIUGATI",
        "Ripartizione": ripartizione,
        "Disabilita": "NESSUNA",
        "ACarico": True,
    }


def conto(iban, qualita, di_chi):
    return {
        "Strumento": "CC_BANCARIO",
        "Iban": iban,
        "Intestatario": {"Qualita": qualita, "CodiceFiscale": di_chi},
    }


def domanda_temporaneo(ente, figli, mandato):
    """La domanda del client di prova, con più minori; il primo in affido condiviso, perché si possa dividere l'importo."""
    base = domanda(ente.codice, ente.chi["Operatore"], ente.chi["Patronato"]["Ufficio"], figli[0])
    modello = base["Minori"]["Minore"][0]
    base["Minori"]["Minore"] = [
        {**modello, "CodiceFiscale": codice, "AffidoCondiviso": posto == 0} for posto, codice in enumerate(figli)
    ]
    return {**base, "Mandato": mandato, "Richiedente": {**base["Richiedente"], "CodiceFiscale": RICHIEDENTE}}


def domanda_unico(ente, figli, mandato):
    scelte = {"U1": "ITALIANO", "U4": "RESIDENZA"}
    return {
        **ente.chi,
        "Mandato": mandato,
        "Richiedente": {"CodiceFiscale": RICHIEDENTE, "Nome": "MARIO", "Cognome": "ROSSI", "Ruolo": "GENITORE"},
        "Figli": {"Figlio": [figlio_unico(codice, "C" if posto == 0 else "A") for posto, codice in enumerate(figli)]},
        "PagamentoRichiedente": {"Modalita": "IBAN", "Conto": conto(IBAN, "RICHIEDENTE", RICHIEDENTE)},
        "Dichiarazioni": {
            "Dichiarazione": [
                {"Codice": codice, "Valore": True, "Scelta": scelte.get(codice)}
                for codice in ("U1", "U2", "U3", "U4", "U5", "U6", "U7")
            ]
        },
    }


def allegato(tipo, nome):
    return {
        "Tipo": tipo,
        "NomeFile": nome,
        "TipoMime": "application/pdf",
        "Impronta": hashlib.sha256(PDF).hexdigest(),
        "Contenuto": PDF,
    }


def mtom(ente, operazione, elemento, tipo_mime, byte, richiesta):
    """Una richiesta con i byte di un suo elemento in una parte del messaggio: zeep scrive la busta, essi le stanno accanto."""
    porta = ente.porte[0]
    busta = ente.client.create_message(porta, operazione, **richiesta, _soapheaders=ente.intestazione)
    contenuto = busta.find(f".//{{*}}{elemento}")
    contenuto.text = None
    etree.SubElement(contenuto, "{http://www.w3.org/2004/08/xop/include}Include", href="cid:accanto@prova")
    confine = f"confine-{random.getrandbits(64):016x}"
    tipo = 'type="application/soap+xml"'
    parti = [
        (f"application/xop+xml; charset=UTF-8; {tipo}", "busta@prova", etree.tostring(busta)),
        (tipo_mime, "accanto@prova", byte),
    ]
    corpo = b"".join(
        f"--{confine}\r\nContent-Type: {che}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <{nome}>\r\n\r\n".encode()
        + byte
        + b"\r\n"
        for che, nome, byte in parti
    )
    risposta = ente.sessione.post(
        porta._binding_options["address"],
        data=corpo + f"--{confine}--\r\n".encode(),
        headers={
            "Content-Type": f'multipart/related; type="application/xop+xml"; start="<busta@prova>"; '
            f'start-info="application/soap+xml"; boundary="{confine}"'
        },
        timeout=30,
    )
    pretendi(risposta.status_code == 200, f"la risposta a un messaggio MTOM: {risposta.text}")
    esito = etree.fromstring(risposta.content).find(f"{BUSTA}Body")[0]
    return ente.client.get_element(esito.tag).parse(esito, ente.client.wsdl.types)


def lotto(ente, richieste):
    """Un file di lotto, con le richieste come le scrive zeep."""
    porta = ente.porte[0]
    elementi = [
        ente.client.create_message(porta, "InviaDomanda", **una, _soapheaders=ente.intestazione).find(f"{BUSTA}Body")[0]
        for una in richieste
    ]
    radice = etree.Element(elementi[0].tag.replace("InviaDomanda", "Lotto"))
    radice.extend(elementi)
    return etree.tostring(radice, xml_declaration=True, encoding="UTF-8")


def pdf(documento):
    pretendi(documento.TipoMime == "application/pdf" and documento.Contenuto[:4] == b"%PDF", "un PDF")
    pretendi(hashlib.sha256(documento.Contenuto).hexdigest() == documento.Impronta, "lo SHA-256 detto nell'Impronta")


def prova(servizio, scelte):
    wsdl = scelte.wsdl.replace(SERVIZI[0], servizio)
    ente = Ente(wsdl, servizio, scelte.cert, scelte.key, scelte)
    secondo = Ente(wsdl, servizio, scelte.cert2, scelte.key2, scelte)
    temporaneo = servizio == SERVIZI[0]
    chiave = f"tutte-zeep-{time.time_ns()}"
    oggi = None

    def riga(operazione, che_cosa):
        print(f"zeep {servizio} {operazione}: {che_cosa}")

    def motore():
        subprocess.run(shlex.split(scelte.motore), check=True, stdout=subprocess.DEVNULL)

    def consulta(stati, riesame=None):
        """Lo stato di ogni scheda e del riesame della seconda, da tutte e due le porte."""
        for vista in ente.legge("ConsultaDomanda", Riferimento={"Protocollo": prima.Protocollo}):
            trovati = [scheda.Stato for scheda in vista.Schede.Scheda]
            pretendi(trovati == stati, f"gli stati {stati} e non {trovati}")
            detto = vista.Schede.Scheda[1].Riesame
            pretendi(detto == riesame, f"il riesame {riesame} e non {detto}")
        return vista

    # Il servizio, e chi siamo.
    for eco in ente.legge("echo", Msg="perché no? <&>"):
        pretendi(eco.Msg == "perché no? <&>" and eco.Servizio == servizio and eco.Stato == "ATTIVO", "echo")
    riga("echo", f"{eco.Stato}, ambiente {eco.Ambiente}")
    for visto, versione in zip(ente.legge("Diagnosi", OraDelChiamante=datetime.now(timezone.utc)), ("1.2", "1.1")):
        pretendi(visto.FormaIdentity == "CANONICA" and versione in visto.VersioneSoap, "Diagnosi")
        pretendi(abs(visto.ScartoOrologioSecondi) <= 60, "lo scarto dell'orologio")
        oggi = visto.OraDiServizio.astimezone(timezone.utc).date()
    riga("Diagnosi", f"ente {visto.Ente.Codice}, giorno di servizio {oggi}")
    for limiti in ente.legge("Limiti"):
        valori = {limite.Nome: limite.Valore for limite in limiti.Limite}
        pretendi(valori["allegato_bytes_max"] == 5 * 1024 * 1024, "allegato_bytes_max")
    riga("Limiti", f"{len(valori)} limiti")

    # Una domanda con due figli: il secondo il motore lo respingerà.
    componi = domanda_temporaneo if temporaneo else domanda_unico
    figli = [figlio(), figlio(respinto=True)]
    mandato = {"Numero": "M-1", "Data": oggi}
    intera = componi(ente, figli, mandato)
    for esito in ente.legge("VerificaDomanda", ChiaveInvio=f"{chiave}-1", Domanda=intera):
        mostra(esito.Errori.Errore if esito.Errori else [])
        pretendi(esito.Esito == "AMMISSIBILE" and len(esito.Schede.Scheda) == 2, "VerificaDomanda AMMISSIBILE")
    riga("VerificaDomanda", esito.Esito)
    prima = ente.invia("InviaDomanda", ChiaveInvio=f"{chiave}-1", Domanda=intera)
    pretendi([s.CodiceFiscale for s in prima.Schede.Scheda] == figli, "una scheda per figlio, nel loro ordine")
    riga("InviaDomanda", f"{prima.Protocollo}, domanda {prima.NumeroDomanda}")

    # Gli atti: ciascuno con la propria chiave e il proprio protocollo, sulla stessa domanda.
    riferimento = {"Riferimento": {"ChiaveInvio": f"{chiave}-1"}}
    atto = {**riferimento, **ente.chi, "Mandato": mandato}
    protocolli = {}

    def registra(operazione, numero, chi=ente, **contenuto):
        ricevuta = chi.invia(operazione, ChiaveInvio=f"{chiave}-{numero}", **contenuto)
        pretendi(ricevuta.Protocollo not in [prima.Protocollo, *protocolli.values()], f"{operazione}: un proprio protocollo")
        pretendi(ricevuta.NumeroDomanda == prima.NumeroDomanda, f"{operazione}: lo stesso NumeroDomanda")
        protocolli[operazione] = ricevuta.Protocollo
        riga(operazione, ricevuta.Protocollo)
        return ricevuta

    cambiata = componi(ente, figli, mandato)
    if temporaneo:
        cambiata["Pagamento"]["Iban"] = ALTRO_IBAN
    else:
        cambiata["PagamentoRichiedente"]["Conto"]["Iban"] = ALTRO_IBAN
    registra("ModificaDomanda", 2, Modifica={**riferimento, "Domanda": cambiata})

    terzo = figlio()
    if temporaneo:
        minore = componi(ente, [figli[0], terzo], mandato)["Minori"]["Minore"][1]
        aggiunto = registra("AggiungiMinore", 3, NuovoMinore={**atto, "Minore": minore})
    else:
        aggiunto = registra("AggiungiFiglio", 3, NuovoFiglio={**atto, "Figlio": figlio_unico(terzo)})
    pretendi([(s.Posto, s.CodiceFiscale) for s in aggiunto.Schede.Scheda] == [(3, terzo)], "la terza scheda")

    documento = {**atto, "Schede": {"Scheda": [1, 2]}, "Allegato": allegato("DOCUMENTO_IDENTITA", "documento.pdf")}
    inline = registra("AllegaDocumento", 4, Documento=documento)
    richiesta = {"ChiaveInvio": f"{chiave}-4", "Documento": documento}
    accanto = mtom(ente, "AllegaDocumento", "Contenuto", "application/pdf", PDF, richiesta)
    pretendi(accanto.Ripetizione is True, "Ripetizione=true dello stesso documento in una parte MTOM")
    uguali = zeep.helpers.serialize_object(accanto.Ricevuta) == zeep.helpers.serialize_object(inline)
    pretendi(uguali, "la stessa ricevuta del documento inline")
    riga("AllegaDocumento", f"MTOM, di nuovo {accanto.Ricevuta.Protocollo}")

    completamento = {
        "Riferimento": {"NumeroDomanda": prima.NumeroDomanda},
        **secondo.chi,
        "Mandato": mandato,
        "Figlio": figli[0],
        "SecondoGenitore": {"CodiceFiscale": SECONDO_GENITORE, "Nome": "GIULIA", "Cognome": "VERDI"},
    }
    if temporaneo:
        completamento["Ripartizione"] = "META_ENTRAMBI"
        completamento["Pagamento"] = {"Modalita": "CC", "Iban": ALTRO_IBAN, "IntestatoRichiedente": True}
    else:
        completamento["Ripartizione"] = "C"
        completamento["PagamentoAltroGenitore"] = {
            "CodiceFiscale": SECONDO_GENITORE,
            "Modalita": "IBAN",
            "Conto": conto(ALTRO_IBAN, "ALTRO_GENITORE", SECONDO_GENITORE),
        }
    registra("CompletaSecondoGenitore", 5, secondo, Completamento=completamento)
    for vista in secondo.legge("ConsultaDomanda", Riferimento={"ChiaveInvio": f"{chiave}-5"}):
        pretendi([s.Posto for s in vista.Schede.Scheda] == [1], "il secondo Ente vede soltanto la prima scheda")
        pretendi(vista.Schede.Scheda[0].SecondaMeta.IbanFinale == ALTRO_IBAN[-4:], "la quota del secondo genitore")

    rinuncia = {**atto, "Motivo": "ERRORE_COMPILAZIONE", "Schede": {"Scheda": [3]}}
    registra("RinunciaDomanda", 6, Rinuncia=rinuncia)
    consulta(["PRESENTATA", "PRESENTATA", "RINUNCIATA"])

    # Il motore accoglie la prima scheda e respinge la seconda, che si fa riesaminare; poi accoglie anche quella.
    motore()
    consulta(["ACCOLTA", "RESPINTA", "RINUNCIATA"])
    riesame = {
        **atto,
        "Schede": {"Scheda": [2]},
        "Motivo": "REQUISITO_POSSEDUTO",
        "Motivazione": "Il figlio è nel nucleo: si allega il provvedimento.",
        "Allegati": {"Allegato": [allegato("PROVVEDIMENTO_GIUDICE", "provvedimento.pdf")]},
    }
    registra("RichiediRiesame", 7, Riesame=riesame)
    consulta(["ACCOLTA", "RESPINTA", "RINUNCIATA"], "PRESENTATO")
    motore()
    vista = consulta(["ACCOLTA", "ACCOLTA", "RINUNCIATA"], "ACCOLTO")
    atti = [(detto.Operazione, detto.Protocollo) for detto in vista.Atti.Atto]
    pretendi(atti == list(protocolli.items()), f"gli atti con i loro protocolli, nell'ordine, e non {atti}")
    riga("ConsultaDomanda", f"{', '.join(s.Stato for s in vista.Schede.Scheda)}; {len(atti)} atti")

    # Un'altra domanda, per avere due pagine da una riga; di assegno unico come tutore, perché da genitore ne ha già una.
    def in_piu():
        seconda = componi(ente, [figlio()], mandato)
        if not temporaneo:
            seconda["Richiedente"]["Ruolo"] = "TUTORE"
            seconda["Figli"]["Figlio"][0]["Ripartizione"] = "A"
        return seconda

    altra = ente.invia("InviaDomanda", ChiaveInvio=f"{chiave}-8", Domanda=in_piu())
    ricerca = {"Richiedente": RICHIEDENTE, "PresentataDal": oggi, "CodiceUfficio": scelte.ufficio, "RigheMax": 1}
    for pagina in ente.legge("RicercaDomande", **ricerca):
        pretendi([d.Protocollo for d in pagina.Domanda] == [altra.Protocollo], "la domanda più recente per prima")
        pretendi(pagina.Altre is True and pagina.Cursore, "un'altra pagina")
    for pagina in ente.legge("RicercaDomande", **ricerca, Cursore=pagina.Cursore):
        pretendi([d.Protocollo for d in pagina.Domanda] == [prima.Protocollo], "la domanda seguente, con il Cursore")
    for pagina in ente.legge("RicercaDomande", Minore=figli[1], Stato="ACCOLTA"):
        pretendi([d.Protocollo for d in pagina.Domanda] == [prima.Protocollo], "la domanda di un figlio")
        pretendi(pagina.Altre is False, "nessun'altra pagina")
    riga("RicercaDomande", "due pagine da una riga, una ricerca per figlio")

    variazioni, da_dove = [], {"Dal": oggi}
    while True:
        pagine = ente.legge("ElencoVariazioni", **da_dove, RigheMax=7)
        pretendi(pagine[0] == pagine[1], "la stessa pagina dalle due porte")
        variazioni += [v for v in pagine[0].Variazione if v.NumeroDomanda == prima.NumeroDomanda]
        da_dove = {"Cursore": pagine[0].Cursore}
        if not pagine[0].Altre:
            break
    for pagina in ente.legge("ElencoVariazioni", **da_dove):
        pretendi(not pagina.Variazione and pagina.Altre is False, "niente dopo l'ultimo Cursore")
    pretendi(variazioni[0].Tipo == "REGISTRATA", "per prima la registrazione")
    cause = [v.ProtocolloCausa for v in variazioni if v.Tipo == "ATTO"]
    pretendi(cause == list(protocolli.values()), f"un ATTO per ogni atto, nell'ordine, e non {cause}")
    decisi = [(v.Posto, v.Stato) for v in variazioni if v.Tipo == "STATO" and v.Stato in ("ACCOLTA", "RESPINTA")]
    pretendi(decisi == [(1, "ACCOLTA"), (2, "RESPINTA"), (2, "ACCOLTA")], f"le decisioni del motore, e non {decisi}")
    riga("ElencoVariazioni", f"{len(variazioni)} della domanda, a pagine con il Cursore")

    # Le carte: della domanda, e di un atto con il suo protocollo.
    for carta in ente.legge("ScaricaRicevuta", Riferimento={"Protocollo": inline.Protocollo}, Formato="PDF"):
        uguali = zeep.helpers.serialize_object(carta.Ricevuta) == zeep.helpers.serialize_object(inline)
        pretendi(uguali, "la ricevuta dell'atto, con il suo protocollo")
        pdf(carta.Documento)
    for carta in ente.legge("ScaricaRicevuta", Riferimento={"NumeroDomanda": prima.NumeroDomanda}):
        pretendi(carta.Ricevuta.Protocollo == prima.Protocollo and carta.Documento is None, "la ricevuta della domanda")
    riga("ScaricaRicevuta", "dell'atto in PDF, della domanda in XML")
    for carta in ente.legge("ScaricaRiepilogo", Riferimento={"Protocollo": prima.Protocollo}, Formato="PDF"):
        pdf(carta.Documento)
    nome = carta.Documento.NomeFile
    for carta in ente.legge("ScaricaRiepilogo", Riferimento={"ChiaveInvio": f"{chiave}-1"}):
        pretendi(carta.Riepilogo.Operazione == "InviaDomanda" and carta.Riepilogo.Sezioni.Sezione, "il riepilogo")
        pretendi(carta.Riepilogo.Ricevuta.Protocollo == prima.Protocollo, "il riepilogo della domanda")
    riga("ScaricaRiepilogo", f"{nome}, e in XML")

    # Un lotto di due domande, la seconda d'un altro patronato: nel corpo, dalle due porte, poi lo stesso contenuto in un file.
    richieste = [{"ChiaveInvio": f"{chiave}-l{posto}", "Domanda": in_piu()} for posto in (1, 2)]
    richieste[1]["Domanda"]["Patronato"] = {**ente.chi["Patronato"], "Codice": secondo.codice}
    mandato_in = [
        ente.chiama(porta, "InviaLotto", ChiaveInvio=f"{chiave}-lotto", Lotto={"InviaDomanda": richieste})
        for porta in ente.porte
    ]
    accolti = [detto.body if hasattr(detto, "body") else detto for detto in mandato_in]
    pretendi([detto.Ripetizione for detto in accolti] == [False, True], "InviaLotto: Ripetizione soltanto al secondo invio")
    pretendi(accolti[0].IdLotto == accolti[1].IdLotto, "InviaLotto: lo stesso IdLotto al secondo invio")
    file = lotto(ente, richieste)
    richiesta = {"ChiaveInvio": f"{chiave}-file", "File": b"-"}
    accanto = mtom(ente, "InviaLotto", "File", "application/gzip", gzip.compress(file), richiesta)
    pretendi(accanto.Byte == len(file), "InviaLotto: i byte del file, decompresso")
    riga("InviaLotto", f"{accolti[0].IdLotto} nel corpo, {accanto.IdLotto} in un file")

    for id_lotto, attesi in ((accolti[0].IdLotto, (1, 0, 1)), (accanto.IdLotto, (0, 1, 1))):
        # L'intestazione X-Correlation-ID, o IdLotto nel corpo.
        modi = [{"_blocchi": {"X-Correlation-ID": id_lotto}}, {"IdLotto": id_lotto}]
        while True:
            stati = [ente.chiama(porta, "StatoLotto", **modo) for porta in ente.porte for modo in modi]
            if all(stato.Stato == "done" for stato in stati):
                break
            time.sleep(min(stato.ChiedereFraSecondi or 1 for stato in stati))
        for stato in stati:
            conteggi = (stato.Conteggi.Registrati, stato.Conteggi.Ripetuti, stato.Conteggi.Rifiutati)
            pretendi((stato.Esito, conteggi) == ("PARZIALE", attesi), f"StatoLotto PARZIALE {attesi} e non {conteggi}")
        for porta in ente.porte:
            for modo in modi:
                esito = ente.chiama(porta, "EsitoLotto", **modo)
                voci = esito.Elementi.Elemento
                pretendi([v.ChiaveInvio for v in voci] == [r["ChiaveInvio"] for r in richieste], "EsitoLotto: le proprie chiavi")
                pretendi([v.Esito for v in voci] == ["REGISTRATA", "RIFIUTATA"], "EsitoLotto: un esito per domanda")
                pretendi(voci[1].Errore[0].Codice == "PAT-001", "EsitoLotto: l'errore della seconda")
            rifiutate = ente.chiama(porta, "EsitoLotto", IdLotto=id_lotto, Solo="RIFIUTATA", Formato="CSV")
            righe = rifiutate.Csv.splitlines()
            pretendi(len(righe) == 2 and "PAT-001" in righe[1], "EsitoLotto: il CSV delle sole rifiutate")
    riga("StatoLotto", f"{stato.Esito}, {stato.Conteggi.Ripetuti} già registrata, {stato.Conteggi.Rifiutati} rifiutata")
    riga("EsitoLotto", f"{voci[0].Protocollo} e {voci[1].Errore[0].Codice}, anche in CSV")

    for porta, del_secondo in zip(ente.porte, secondo.porte):
        nel_wsdl = ente.schema.operazioni[porta._binding.name.localname]
        chiamate = ente.chiamate[porta] | secondo.chiamate[del_secondo]
        pretendi(nel_wsdl and chiamate == nel_wsdl, f"le operazioni del WSDL: differiscono {chiamate ^ nel_wsdl}")
    print(f"zeep {servizio}: {len(nel_wsdl)} operazioni nel WSDL, tutte chiamate da due porte")


def main():
    opzioni = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for nome in ("wsdl", "cert", "key", "ca", "user", "ufficio", "cert2", "key2", "motore"):
        opzioni.add_argument(f"--{nome}", required=True)
    scelte = opzioni.parse_args()
    for servizio in SERVIZI:
        prova(servizio, scelte)


if __name__ == "__main__":
    main()
