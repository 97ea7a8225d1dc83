#!/bin/sh
# Makes .interface with a generator of clients and a fuzzer of interfaces, which want other
# versions of libraries than Acetate. Usage: tests/interface/setup.sh PYTHON
set -eu
cd "$(dirname "$0")/../.."
tools='openapi-python-client==0.29.1 schemathesis==4.32.5'
[ -f .interface/ready ] && [ "$(cat .interface/ready)" = "$tools" ] && exit 0
"${1:-python3}" -m venv --clear .interface
# shellcheck disable=SC2086 (two words)
.interface/bin/python -m pip install --quiet --disable-pip-version-check $tools
echo "$tools" > .interface/ready
