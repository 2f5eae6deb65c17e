#!/bin/sh
# Installs or updates the Marsad edge agent from this folder. As root; again at any time. The outbox and the
# configuration are never touched.
set -eu
here=$(dirname "$(readlink -f "$0")")
prefix=/opt/marsad-edge

[ "$(id -u)" -eq 0 ] || { echo "install.sh: run it as root" >&2; exit 1; }
id marsad >/dev/null 2>&1 || useradd --system --home-dir /var/lib/marsad --shell /usr/sbin/nologin marsad

# The new one beside the old one, then in its place: an update that is cut off leaves what runs.
rm -rf "$prefix.new"
mkdir -p "$prefix.new"
cp -R "$here/." "$prefix.new/"
chown -R root:root "$prefix.new"
"$prefix.new/bin/marsad-edge" --version >/dev/null
rm -rf "$prefix.old"
[ ! -e "$prefix" ] || mv "$prefix" "$prefix.old"
mv "$prefix.new" "$prefix"
rm -rf "$prefix.old"

install -d -m 0750 -o root -g marsad /etc/marsad
if [ ! -e /etc/marsad/gateway.yaml ]; then
  install -m 0640 -o root -g marsad "$prefix/gateway.yaml" /etc/marsad/gateway.yaml
fi
install -m 0644 "$prefix/marsad-edge.service" /etc/systemd/system/marsad-edge.service
systemctl daemon-reload
if systemctl is-active --quiet marsad-edge; then
  systemctl restart marsad-edge
else
  echo "Now: edit /etc/marsad/gateway.yaml, put the password into /etc/marsad/gateway.password, then"
  echo "  systemctl enable --now marsad-edge"
fi
