#!/usr/bin/env bash
# I client di prova contro un varco vero: avvia `varco demo` in una cartella temporanea, su una porta libera. Prima i tre
# esempi della documentazione, poi con gli stessi strumenti tutte le operazioni dei due servizi (tutte_*).
#
#   tests/clients/run.sh [VARCO]     (VARCO: l'eseguibile; altrimenti target/release/varco)
#
# PYTHON dice quale Python ha zeep (requirements.txt); node-soap sta in tests/clients/node_modules (npm ci).
set -euo pipefail

qui=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
varco=${1:-$qui/../../target/release/varco}
python=${PYTHON:-python3}
[ -x "$varco" ] || { echo "run.sh: non c'è $varco: cargo build --release" >&2; exit 1; }

dir=$(mktemp -d)
porta=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$varco" demo --dir "$dir/demo" --listen "127.0.0.1:$porta" >"$dir/demo.out" 2>"$dir/demo.err" &
demo=$!
# Il varco è nostro figlio: si ferma per numero di processo, e la cartella va via con lui.
trap 'kill "$demo" 2>/dev/null || true; wait "$demo" 2>/dev/null || true; rm -rf "$dir"' EXIT

certs=$dir/demo/certs
wsdl="https://127.0.0.1:$porta/modi/soap/AssegnoTemporaneo/v1/?wsdl"
pronto=no
for _ in $(seq 1 300); do
    if curl -fsS --max-time 2 --cacert "$certs/ca.pem" --cert "$certs/pat01.pem" --key "$certs/pat01.key" \
        -o "$dir/servito.wsdl" "$wsdl" 2>"$dir/curl.err"; then
        pronto=sì
        break
    fi
    kill -0 "$demo" 2>/dev/null || break
    sleep 0.1
done
if [ "$pronto" = no ]; then
    echo "run.sh: il varco non risponde su 127.0.0.1:$porta" >&2
    cat "$dir/curl.err" "$dir/demo.out" "$dir/demo.err" >&2 || true
    exit 1
fi

# Ciò che ogni client riceve: l'indirizzo del WSDL, il certificato, la CA, l'Identity. Nient'altro.
opzioni=(--wsdl "$wsdl" --cert "$certs/pat01.pem" --key "$certs/pat01.key" --ca "$certs/ca.pem" --user op.rossi --ufficio 001)
# A chi le prova tutte serve anche un secondo Ente, e il comando che fa lavorare le domande al motore.
printf -v motore '%q engine %q --una-volta' "$varco" "sqlite:$dir/demo/store.db"
tutte=("${opzioni[@]}" --cert2 "$certs/pat02.pem" --key2 "$certs/pat02.key" --motore "$motore")
# PHP legge le opzioni come --nome=valore.
php_tutte=()
for ((i = 0; i < ${#tutte[@]}; i += 2)); do
    php_tutte+=("${tutte[i]}=${tutte[i + 1]}")
done
php_opzioni=("${php_tutte[@]:0:${#opzioni[@]} / 2}")

esito=0
falliti=0
riusciti=0
prova() {
    echo "== $1"
    shift
    if "$@"; then
        riusciti=$((riusciti + 1))
    else
        falliti=$((falliti + 1))
        esito=1
    fi
}
prova zeep "$python" "$qui/zeep_client.py" "${opzioni[@]}"
prova node-soap node "$qui/node_client.mjs" "${opzioni[@]}"
prova php php "$qui/php_client.php" "${php_opzioni[@]}"
prova "zeep, tutte le operazioni" "$python" "$qui/tutte_zeep.py" "${tutte[@]}"
prova "node-soap, tutte le operazioni" node "$qui/tutte_node.mjs" "${tutte[@]}"
prova "php, tutte le operazioni" php "$qui/tutte_php.php" "${php_tutte[@]}"
if [ "$esito" -ne 0 ]; then
    echo "-- il varco ha detto:" >&2
    cat "$dir/demo.err" >&2
fi
echo "client: $riusciti passed, $falliti failed"
exit "$esito"
