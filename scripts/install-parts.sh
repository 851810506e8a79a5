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
  echo "There is no apt-get here. Please install what these Debian packages hold: ${parts[*]}" >&2
  exit 1
fi

missing=()
for part in "${parts[@]}"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$part" 2>/dev/null || true)
  [[ $status == installed ]] || missing+=("$part")
done
if ((${#missing[@]} == 0)); then
  echo "Already installed: ${parts[*]}"
  exit 0
fi

as_root=()
((EUID == 0)) || as_root=(sudo)
apt_get() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes "$@"; }

echo "Installing: ${missing[*]}"
apt_get update
apt_get install --no-install-recommends "${missing[@]}"
