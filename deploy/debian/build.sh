#!/bin/sh
# Compone il pacchetto .deb da un eseguibile già compilato: sh deploy/debian/build.sh target/dist/varco CARTELLA
# Serve solo dpkg-deb. Il pacchetto non avvia nulla e non migra nulla: lo dice, e lascia fare a chi installa.
set -eu

eseguibile=${1:?eseguibile di varco}
uscita=${2:?cartella in cui scrivere il pacchetto}
qui=$(cd "$(dirname "$0")" && pwd)
radice=$(cd "$qui/../.." && pwd)
versione=$(sed -n 's/^version = "\(.*\)"/\1/p' "$radice/Cargo.toml" | head -n 1)
architettura=$(dpkg --print-architecture)
albero=$(mktemp -d)
trap 'rm -rf "$albero"' EXIT

install -D -m 0755 "$eseguibile" "$albero/usr/bin/varco"
install -d -m 0755 "$albero/lib/systemd/system" "$albero/usr/share/doc/varco" "$albero/DEBIAN"
# Il pacchetto mette l'eseguibile dove lo mettono i pacchetti.
sed -e 's#/usr/local/bin/varco#/usr/bin/varco#' -e 's#/usr/local/share/doc#/usr/share/doc#' \
    "$radice/deploy/varco.service" > "$albero/lib/systemd/system/varco.service"
chmod 0644 "$albero/lib/systemd/system/varco.service"
for pagina in "$radice"/docs/*.md "$radice"/docs/*.sample.toml "$radice/docs/adesione.modulo.toml"; do
    install -m 0644 "$pagina" "$albero/usr/share/doc/varco/"
done
install -m 0644 "$radice/LICENSE" "$albero/usr/share/doc/varco/copyright"
install -D -m 0640 "$qui/varco.toml" "$albero/etc/varco/varco.toml"

for nome in postinst prerm postrm; do
    install -m 0755 "$qui/$nome" "$albero/DEBIAN/$nome"
done
echo /etc/varco/varco.toml > "$albero/DEBIAN/conffiles"
(cd "$albero" && find etc lib usr -type f -exec md5sum {} +) > "$albero/DEBIAN/md5sums"
# Le librerie che l'eseguibile vuole davvero, dai pacchetti di questa macchina: openssl e libc.
dipende=$(ldd "$eseguibile" | awk '$3 ~ /^\// { print $3 }' | while read -r libreria; do
    { dpkg -S "$(readlink -f "$libreria")" || dpkg -S "$libreria" || dpkg -S "/usr$libreria"; } 2>/dev/null |
        head -n 1 | cut -d: -f1
done | sort -u | paste -sd, | sed 's/,/, /g')
cat > "$albero/DEBIAN/control" <<FINE
Package: varco
Version: $versione
Architecture: $architettura
Maintainer: Varco <varco@localhost>
Section: net
Priority: optional
Depends: adduser${dipende:+, $dipende}
Suggests: postgresql-client
Installed-Size: $(du -sk "$albero" | cut -f1)
Description: porta di cooperazione dei patronati
 Riceve per SOAP le domande di prestazione inviate dai patronati, con mutua
 autenticazione TLS, le verifica, le registra a protocollo e ne dà ricevuta.
FINE
mkdir -p "$uscita"
dpkg-deb --root-owner-group --build "$albero" "$uscita/varco_${versione}_${architettura}.deb"
