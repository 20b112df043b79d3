#!/usr/bin/env bash
# A full disk: 503 with Retry-After and a Receiver fault, nothing acknowledged that is not registered, and recovery
# without a restart once there is room. Needs root (it mounts a small tmpfs of its own).
#
#     tests/drills/disk-full.sh [VARCO] [LOAD]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
varco=${1:-target/release/varco}
load=${2:-target/release/examples/load}
dir=$(mktemp -d)
port=${PORT:-18444}
gateway=''
trap 'kill $gateway 2>/dev/null && wait $gateway 2>/dev/null || true; umount "$dir/disk" 2>/dev/null || true; rm -rf "$dir"' EXIT
# shellcheck source=tests/drills/lib/embedded.sh
. tests/drills/lib/embedded.sh
mkdir "$dir/disk"
mount -t tmpfs -o size=128M tmpfs "$dir/disk"

demo_start "$dir/disk/demo"

# Room for a while, then none.
"$load" --url "https://127.0.0.1:$port" --certs "$dir/disk/demo/certs" --connections 4 --seconds 3 >"$dir/before.out" 2>&1 || true
echo "free before the filler: $(df --output=avail -k "$dir/disk" | tail -1) KiB"
dd if=/dev/zero of="$dir/disk/filler" bs=4k 2>/dev/null || true
"$load" --url "https://127.0.0.1:$port" --certs "$dir/disk/demo/certs" --connections 4 --seconds 3 >"$dir/full.out" 2>&1 || true
"$varco" sample >"$dir/domanda.xml"
certs=(--cacert "$dir/disk/demo/certs/ca.pem" --cert "$dir/disk/demo/certs/pat01.pem" --key "$dir/disk/demo/certs/pat01.key")
post() {
    curl -s "${certs[@]}" -H 'Content-Type: application/soap+xml; charset=UTF-8' -D "$dir/head" -o "$dir/answer" \
        --data-binary @"$dir/domanda.xml" "https://127.0.0.1:$port/modi/soap/AssegnoTemporaneo/v1/"
}
post
head -1 "$dir/head"
grep -i '^retry-after' "$dir/head"
grep -o '<[a-z]*:Value>[a-z]*:Receiver' "$dir/answer"
grep -o 'STO-00[0-9]' "$dir/answer" | sed -n 1p
grep -q ' 503 ' "$dir/head"

rm "$dir/disk/filler"
for _ in $(seq 20); do
    post
    grep -q ' 200 ' "$dir/head" && break
    sleep 0.5
done
head -1 "$dir/head"
grep -q 'REGISTRATA' "$dir/answer"
kill -INT $gateway
wait $gateway || true
"$varco" register verify --config "$dir/disk/demo/varco.toml"
echo "drill: passed"
