#!/bin/sh
# Makes .venv with Acetate (editable) and what it paints with, in the tested versions.
# Usage: .ci/environment.sh PYTHON
set -eu

python=${1:-}
if [ -z "$python" ] || ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "Acetate needs Python 3.11 or newer: install it, or name it with make PYTHON=/path/to/python." >&2
    exit 1
fi

if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    # Debian keeps the module that fills a new environment with pip in a package of its own.
    package="python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -q && apt-get install -q -y --no-install-recommends "$package"
    else
        echo "Python cannot make environments here: run 'sudo apt-get install $package', then make again." >&2
        exit 1
    fi
fi

rm -f .venv/ready-*
[ -x .venv/bin/python ] || "$python" -m venv --clear .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check \
    --constraint constraints.txt --editable .
