#!/bin/sh
# A Chromium to test the page in: $ACETATE_CHROMIUM, the system's own, or Debian's package.
set -eu
[ -n "${ACETATE_CHROMIUM:-}" ] && exit 0
command -v chromium >/dev/null && exit 0
if [ -e /etc/debian_version ] && [ "$(id -u)" = 0 ]; then
    apt-get update -q && apt-get install -q -y --no-install-recommends chromium
else
    echo "page: NOT TESTED: install Chromium, or name one in ACETATE_CHROMIUM." >&2
    exit 3
fi
