#!/usr/bin/env bash
# Installs the Debian packages with the real programs that tests use (test/support/real-part.ts): as root, or with sudo.
set -euo pipefail

parts=(
  gcc
  libc6-dev
  spin
  sqlite3
  sqlite3-tools
  systemd
  zstd
)

if ! command -v apt-get >/dev/null; then
  echo "There is no apt-get here. Please install what these Debian packages hold: ${parts[*]} prometheus" >&2
  exit 1
fi

# Of Prometheus only the tool that tries rules: the whole package would start a server.
wants_promtool() { ! command -v promtool >/dev/null; }

missing=()
for part in "${parts[@]}"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$part" 2>/dev/null || true)
  [[ $status == installed ]] || missing+=("$part")
done
if ((${#missing[@]} == 0)) && ! wants_promtool; then
  echo "Already installed: ${parts[*]} promtool"
  exit 0
fi

as_root=()
((EUID == 0)) || as_root=(sudo)
apt_get() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes "$@"; }

apt_get update
if ((${#missing[@]} > 0)); then
  echo "Installing: ${missing[*]}"
  apt_get install --no-install-recommends "${missing[@]}"
fi
if wants_promtool; then
  echo "Installing: promtool, out of the package prometheus"
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  (cd "$folder" && apt-get --quiet -o APT::Sandbox::User=root download prometheus)
  dpkg-deb --extract "$folder"/prometheus_*.deb "$folder/unpacked"
  "${as_root[@]}" install "$folder/unpacked/usr/bin/promtool" /usr/local/bin/promtool
fi
