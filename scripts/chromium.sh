#!/usr/bin/env bash
# Prints the path of Chromium, which is installed first if it is missing and the system's packages have it.
# CHROMIUM names another one.
set -euo pipefail

say() { printf '%s\n' "$*" >&2; }

find_one() {
  local name
  for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
    if [ -n "$name" ] && command -v "$name"; then return; fi
  done
  return 1
}

if ! find_one; then
  command -v apt-get >/dev/null || { say 'Chromium is missing; install it, or name one by CHROMIUM'; exit 1; }
  as=()
  [ "$(id -u)" = 0 ] || as=(sudo)
  say 'installing chromium'
  {
    "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium
  } >&2
  find_one
fi
