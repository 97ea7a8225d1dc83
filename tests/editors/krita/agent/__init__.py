"""A Krita plug-in for tests: does what the test outside says, while Krita's own loop turns.

Started with ACETATE_AGENT=port. One JSON object a line each way: `{"code": …}` comes in and
`{"value": …}` or `{"error": …}` goes back, where `value` is what the code left in `answer`. Code
that defines a generator `main()` is run piece by piece: it yields seconds to wait.
"""

import faulthandler
import json
import os
import socket
import sys
import traceback
from typing import Any

from krita import Extension, Krita

try:
    from PyQt5.QtCore import QSocketNotifier, QTimer
except ImportError:
    from PyQt6.QtCore import QSocketNotifier, QTimer


class Agent(Extension):
    def setup(self):
        self.socket: Any = None
        self.names: dict[str, Any] = {}
        notifier = Krita.instance().notifier()
        notifier.setActive(True)
        notifier.windowCreated.connect(self.begin)

    def createActions(self, window):  # noqa: N802 (Krita's name)
        pass

    def begin(self):
        if self.socket is None:
            sys.path[:0] = os.environ["ACETATE_PATHS"].split(":")
            self.socket = socket.create_connection(
                ("127.0.0.1", int(os.environ["ACETATE_AGENT"])), timeout=300
            )
            self.names = {"__name__": "agent"}
            self.rest = b""
            watch: Any = QSocketNotifier
            self.notifier = watch(self.socket.fileno(), QSocketNotifier.Type.Read)
            self.notifier.activated.connect(self.hear)

    def hear(self, *_):
        data = self.socket.recv(65536)
        if not data:
            self.notifier.setEnabled(False)
            return
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self.do(json.loads(line)["code"])

    def do(self, code):
        self.names["answer"] = None
        self.names.pop("main", None)
        try:
            exec(compile(code, "agent", "exec"), self.names)
        except Exception:
            self.say(error=traceback.format_exc())
            return
        if "main" in self.names:
            self.step(self.names["main"]())
        else:
            self.say(value=self.names["answer"])

    def step(self, pieces):
        try:
            seconds = next(pieces)
        except StopIteration:
            self.say(value=self.names["answer"])
        except Exception:
            self.say(error=traceback.format_exc())
        else:
            QTimer.singleShot(round(1000 * seconds), lambda: self.step(pieces))

    def say(self, **message):
        self.socket.sendall(json.dumps(message).encode() + b"\n")


if "ACETATE_AGENT" in os.environ:
    faulthandler.enable()
    Krita.instance().addExtension(Agent(Krita.instance()))
