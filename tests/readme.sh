#!/usr/bin/env bash
# Runs the lines that the README gives to copy under "What to try next", as they stand there: only the program, the
# folder and the port are put in place of the newcomer's.
#
#     tests/readme.sh VARCO
set -euo pipefail
readme=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../README.md")
varco=$(realpath "$1")
dir=$(mktemp -d)
# As root a PostgreSQL server is another user, which must be able to come to its folder.
chmod 755 "$dir"
gateway=''
trap 'kill $gateway 2>/dev/null && wait $gateway 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$varco" demo --listen "127.0.0.1:$port" >demo.out 2>&1 &
gateway=$!
until grep -qs 'Ripetizione=true' demo.out; do sleep 0.1; kill -0 $gateway || { cat demo.out; exit 1; }; done

awk '/^## What to try next/ { on = 1; next } /^## / { on = 0 } on && /^    / { sub(/^    /, ""); print }' "$readme" |
    sed -e "s|cargo run --release --|$varco|" -e "s|127.0.0.1:8443|127.0.0.1:$port|" -e 's|127.0.0.1:844[45]|127.0.0.1:0|' \
        -e 's|^\(.* demo --dir .*\)$|timeout --preserve-status -s INT 15 \1|' >lines.sh
grep -c . lines.sh | sed 's/$/ lines of the README/'
bash -euo pipefail lines.sh >lines.out 2>&1 || { cat lines.sh lines.out; exit 1; }
grep -q '<wsdl:definitions' lines.out
grep -q 'REGISTRATA' lines.out
grep -q 'INPS-AUF-2021-000000000001' lines.out
grep -q '^archivio      postgres:///varco?host=.*&user=varco_gateway&' lines.out
echo "readme: every line ran"
