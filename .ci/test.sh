#!/bin/sh
# Everything that `make test` runs: first what needs Python alone, then the page in a browser and
# the real editors. A set-up that answers 3 says that this machine cannot have what it needs: its
# tests are named at the end, and with CI=true that is a failure. In a brief run all that comes after
# the first runs side by side, as it mostly waits for windows and keys.
set -eu
make=${MAKE:-make}
absent= running= processes= failed=
said=$(mktemp -d)
# What runs side by side does not hear Ctrl+C by itself.
trap '[ -z "$processes" ] || { kill $processes 2>/dev/null || true; wait; }; rm -rf "$said"' EXIT
trap 'exit 130' INT TERM

run() { # target
    if [ "${ACETATE_TESTS:-}" = brief ]; then
        "$make" "$1" >"$said/$1" 2>&1 &
        running="$running $1:$!"
        processes="$processes $!"
    else
        "$make" "$1"
    fi
}

part() { # target, what its tests need
    status=0
    "tests/$1/setup.sh" || status=$?
    case $status in
        0) run "$1" ;;
        3) absent="${absent:+$absent; }make $1 (needs $2)" ;;
        *)
            [ "${ACETATE_TESTS:-}" = brief ] || exit "$status"
            failed="$failed $1(setup)" ;;
    esac
}

"$make" check
"$make" more
part page "Chromium"
run interface
run cluster
part editors "root on Debian, for GIMP and Krita in folders of their own"
for each in $running; do
    wait "${each#*:}" || failed="$failed ${each%:*}"
    cat "$said/${each%:*}"
done
processes=

if [ "${ACETATE_TESTS:-}" = brief ]; then
    echo "This was brief: \`make test-all\` adds the other cases, the longest tests and older editors, as CI does."
fi
if [ -n "$absent" ]; then
    echo "Not run on this machine: $absent."
    [ "${CI:-}" != true ]
fi
if [ -n "$failed" ]; then
    echo "Failed:$failed."
    exit 1
fi
