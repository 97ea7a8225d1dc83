"""Runs inside GIMP as a batch command: does what the test outside says, and answers.

Started with ACETATE_AGENT=port. One JSON object a line each way: `{"code": …}` comes in and
`{"value": …}` or `{"error": …}` goes back, where `value` is what the code left in `answer`.
Meanwhile the code may ask the test for something that only a hand can do: `ask("key", "ctrl+z")`.
"""

import json
import os
import socket
import sys
import traceback

_connection = socket.create_connection(("127.0.0.1", int(os.environ["ACETATE_AGENT"])))
_lines = _connection.makefile("rw", encoding="utf-8")


def _say(message):
    _lines.write(json.dumps(message) + "\n")
    _lines.flush()


def ask(*words):
    """Let the test do something; returns when it is done."""
    _say({"ask": words})
    return json.loads(_lines.readline())["done"]


def serve():
    namespace = {"ask": ask, "__name__": "agent"}
    for line in _lines:
        namespace["answer"] = None
        try:
            exec(json.loads(line)["code"], namespace)
            _say({"value": namespace["answer"]})
        except Exception:
            _say({"error": traceback.format_exc()})


sys.path[:0] = os.environ["ACETATE_PATHS"].split(":")
serve()
