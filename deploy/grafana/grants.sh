#!/bin/sh
# Gives Grafana its token for the platform, once: a role that only reads. The file is all that Grafana gets to see of it.
set -eu
token=/run/marsad/grafana.token
if [ ! -s "$token" ]; then
  # One whose secret was lost with its file is worth nothing.
  node /opt/marsad/bin/marsad.js token remove grafana --data /var/lib/marsad >/dev/null 2>&1 || true
  node /opt/marsad/bin/marsad.js token add grafana --role viewer --data /var/lib/marsad --json >/tmp/grafana.json
  node -e 'process.stdout.write(JSON.parse(require("fs").readFileSync("/tmp/grafana.json", "utf8")).token)' >"$token.new"
  rm /tmp/grafana.json
  chmod 0444 "$token.new"
  mv "$token.new" "$token"
fi
chown -R node:node /var/lib/marsad
