#!/usr/bin/env bash
# The Debian package on a machine with systemd: installed, started, reloaded, killed, restarted, stopped and removed, with the unit
# of deploy/ and all that it takes away from the process. The machine is this one's own file system, seen through an overlay
# that is thrown away, and booted in a container without a network.
#
#     tests/drills/systemd.sh [VARCO]
#
# Needs root, systemd-nspawn (Debian: systemd-container), overlayfs and dpkg-deb.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
varco=$(realpath "${1:-target/release/varco}")
if [ "$(id -u)" -ne 0 ] || ! command -v systemd-nspawn >/dev/null || [ ! -x /lib/systemd/systemd ]; then
    echo "systemd: SKIPPED, it needs root and systemd-nspawn" >&2
    exit 0
fi
dir=$(mktemp -d)
leave() {
    mountpoint -q "$dir/root" && umount "$dir/root"
    umount "$dir/over"
    rm -rf "$dir"
}
mkdir "$dir/over" "$dir/root"
# An overlay's upper folder may not lie on an overlay, which the root of a container often is.
mount -t tmpfs tmpfs "$dir/over"
trap leave EXIT
mkdir "$dir/over/upper" "$dir/over/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=$dir/over/upper,workdir=$dir/over/work" "$dir/root"

port=0
# shellcheck source=tests/drills/lib/embedded.sh
. tests/drills/lib/embedded.sh
demo_start "$dir/over/demo"
demo_stop
sh deploy/debian/build.sh "$varco" "$dir/over" >/dev/null
install -d "$dir/root/drill"
cp "$dir/over"/varco_*.deb "$dir/root/drill/varco.deb"
cp -r "$dir/over/demo/certs" "$dir/over/demo/adesioni.toml" "$dir/root/drill/"
"$varco" sample -o "$dir/root/drill/domanda.xml" >/dev/null
cat >"$dir/root/drill/drill.sh" <<'DRILL'
set -euo pipefail
cd /drill
dpkg -i varco.deb
[ "$(systemctl is-active varco || true)" = inactive ]
cp -r certs adesioni.toml /etc/varco/
chown -R root:varco /etc/varco
chmod -R u=rwX,g=rX,o= /etc/varco
config=/etc/varco/varco.toml
as_varco() { setpriv --reuid varco --regid varco --clear-groups env HOME=/ "$@"; }
as_varco varco migrate --config $config
as_varco varco check --config $config >/dev/null
# The anchors on another disk, as the unit lets it.
install -d -o varco -g varco -m 700 /srv/varco
echo 'VARCO_REGISTRO__ANCORE=/srv/varco/ancore' >/etc/varco/varco.env
sent() {
    local n
    for n in $(seq 100); do
        varco send --url https://127.0.0.1:8443 --cert certs/pat01.pem --ca certs/ca.pem --tentativi 1 domanda.xml >sent.out 2>&1 && break
        sleep 0.1
    done
    grep -o 'INPS-AUF-[0-9]*-[0-9]*' sent.out | head -1 || { cat sent.out; journalctl -u varco --no-pager | tail; exit 1; }
}
systemctl enable --now varco
number=$(sent)
echo "started: $number"
ls /srv/varco/ancore/*.ancora >/dev/null
[ -s /var/lib/varco/chiave-ricerca.key ]
pid=$(systemctl show -p MainPID --value varco)
[ "$(stat -c %U "/proc/$pid")" = varco ]
chrt -p "$pid" | grep -q SCHED_BATCH
systemctl reload varco
until journalctl -u varco --no-pager | grep -qi 'adesioni'; do sleep 0.1; done
[ "$(sent)" = "$number" ] && [ "$(systemctl show -p MainPID --value varco)" = "$pid" ]
echo "reloaded: the same process, the same number"
systemctl kill -s KILL varco
sleep 3
[ "$(sent)" = "$number" ] && [ "$(systemctl show -p MainPID --value varco)" != "$pid" ]
echo "killed: started again by itself, the same number"
systemctl restart varco
[ "$(sent)" = "$number" ]
echo "restarted: the same number"
systemctl stop varco
[ "$(systemctl show -p Result --value varco)" = success ]
echo "stopped: $(systemctl show -p ExecMainStatus --value varco)"
VARCO_REGISTRO__ANCORE=/srv/varco/ancore as_varco varco register verify --config $config
systemd-analyze verify varco.service
systemd-analyze security varco.service | tail -1
dpkg -r varco >/dev/null
[ ! -e /usr/bin/varco ] && [ -s /var/lib/varco/store.db ]
echo "removed: the store is there"
echo "drill: passed"
DRILL
cat >"$dir/root/etc/systemd/system/drill.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'timeout 120 bash /drill/drill.sh >/drill/out 2>&1; systemctl poweroff --force'
UNIT
wants=$dir/root/etc/systemd/system/multi-user.target.wants
mkdir -p "$wants"
ln -s ../drill.service "$wants/drill.service"
SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 timeout 180 systemd-nspawn -D "$dir/root" -b --register=no --keep-unit -M "varco-drill-$$" \
    --private-network >"$dir/boot" 2>&1 </dev/null || true
cat "$dir/root/drill/out" || { tail -30 "$dir/boot"; exit 1; }
grep -q '^drill: passed' "$dir/root/drill/out"
