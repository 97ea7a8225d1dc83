#!/bin/sh
# Everything that `make test` runs: first what needs Python alone, then the page in a browser and
# the real editors. A set-up that answers 3 says that this machine cannot have what it needs: its
# tests are named in one last line, and with CI=true that is a failure.
set -eu
make=${MAKE:-make}
absent=

part() { # target, what its tests need
    status=0
    "tests/$1/setup.sh" || status=$?
    case $status in
        0) "$make" "$1" ;;
        3) absent="${absent:+$absent; }make $1 (needs $2)" ;;
        *) exit "$status" ;;
    esac
}

"$make" check
part page "Chromium"
"$make" interface
"$make" cluster
part editors "root on Debian, for GIMP and Krita in folders of their own"

if [ "${ACETATE_TESTS:-}" = brief ]; then
    echo "This was brief: \`make test-all\` adds what is marked exhaustive, and older editors, as CI does."
fi
if [ -n "$absent" ]; then
    echo "Not run on this machine: $absent."
    [ "${CI:-}" != true ]
fi
