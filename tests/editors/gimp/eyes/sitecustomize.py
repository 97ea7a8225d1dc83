"""Lets a test look at the windows of a plug-in: Python loads this by itself, through PYTHONPATH.

In each process of our plug-in, and nowhere else, a thread answers on a socket whose port stands in
a file of the folder that ACETATE_EYES names: a line of code comes in, its `answer` goes back. The
code runs on the main loop; a process without one never answers.
"""

# pyright: reportMissingImports=false
import contextlib
import json
import os
import queue
import socket
import sys
import threading
import traceback


def _watch(folder):
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    with open(os.path.join(folder, str(os.getpid())), "w", encoding="ascii") as file:
        file.write(str(port))
    names = {"__name__": "eyes"}
    while True:
        connection, _ = listener.accept()
        with contextlib.suppress(OSError), connection, connection.makefile("rwb") as stream:
            code, answers = json.loads(stream.readline())["code"], queue.Queue()
            _later(_answer, code, names, answers)
            stream.write(json.dumps(answers.get()).encode() + b"\n")


def _later(*call):
    from gi.repository import GLib

    GLib.idle_add(*call, priority=GLib.PRIORITY_DEFAULT)


def _answer(code, names, answers):
    names["answer"] = None
    try:
        exec(code, names)
        answers.put({"value": names["answer"]})
    except Exception:
        answers.put({"error": traceback.format_exc()})
    return False


if os.environ.get("ACETATE_EYES") and any("acetate_gimp.py" in each for each in sys.orig_argv):
    sys.path += os.environ["ACETATE_PATHS"].split(":")
    threading.Thread(target=_watch, args=(os.environ["ACETATE_EYES"],), daemon=True).start()
