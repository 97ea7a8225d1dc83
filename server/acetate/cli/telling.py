"""Telling the server of this machine that models have come or gone, so that editors hear of it."""

from __future__ import annotations

import sys
import urllib.request

from acetate_bridge.client.discovery import read_runtime

_SECONDS = 15.0


def tell_server() -> None:
    """Let a running server look again; says on the error stream when it could not be told."""
    runtime = read_runtime()
    if runtime is None:
        return
    order = urllib.request.Request(
        f"http://{runtime.address}/v1/models",
        method="POST",
        headers={"Authorization": f"Bearer {runtime.token}"},
    )
    # A proxy of the system has no business between two programs of one machine.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        direct.open(order, timeout=_SECONDS).close()
    except OSError as error:
        print(f"The running server could not be told ({error}): restart it.", file=sys.stderr)
