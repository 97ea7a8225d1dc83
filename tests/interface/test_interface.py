"""Programs that know the description alone: a generated client paints, a fuzzer finds nothing.

Needs what `setup.sh` beside this file sets up; `make interface` does both.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from acetate.app.route_table import ROUTES
from tests.app.server_process import ROOT, TOKEN, RunningServer
from tests.app.test_http import ask

PYTHON = ROOT / ".interface" / "bin" / "python"
PATIENCE = 900.0
EXAMPLES = 3
ENDLESS = ("/v1/session", "/v1/events")
"""What does not end by itself, so that no fuzzer may wait for it."""

CLIENT = """
import io, sys, time
import httpx
from acetate_client import AuthenticatedClient
from acetate_client.api.default import show_job, show_layer, submit_job, upload_image
from acetate_client.models import ImageReference, JobStatus, SubmitOrder
from acetate_client.types import File

client = AuthenticatedClient(
    base_url=sys.argv[1], token=sys.argv[2], timeout=httpx.Timeout(600)
)
with client:
    body = File(payload=io.BytesIO(bytes(20 * 10 * 4)))
    picture = upload_image.sync(client=client, body=body, width=20, height=10)
    assert isinstance(picture, ImageReference), picture
    order = SubmitOrder.from_dict({
        "recipe": {"mode": "echo", "prompt": "x", "steps": 2},
        "images": {"picture": picture.to_dict()},
    })
    job = submit_job.sync(client=client, body=order)
    assert isinstance(job, JobStatus), job
    while job.state in ("queued", "running"):
        time.sleep(0.05)
        job = show_job.sync(job.job, client=client)
    assert job.state == "done", job
    layer = show_layer.sync_detailed(job.job, "0", client=client)
    assert layer.content.startswith(b"\\x89PNG"), layer
    print("painted", len(job.layers))
"""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningServer]:
    with RunningServer(tmp_path / "server") as server:
        yield server


@pytest.fixture
def description(running: RunningServer, tmp_path: Path) -> Path:
    path = tmp_path / "openapi.json"
    path.write_bytes(ask(running, "GET", "/v1/openapi.json")[1])
    return path


def tool(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PYTHON), *words], cwd=folder, capture_output=True, text=True, timeout=PATIENCE
    )


def test_a_generated_client_has_every_operation_and_paints(
    running: RunningServer, description: Path, tmp_path: Path
) -> None:
    made = tool(
        "-m", "openapi_python_client", "generate", "--path", str(description), "--output-path",
        str(tmp_path / "generated"), "--meta", "none", "--overwrite", folder=tmp_path,
    )  # fmt: skip
    (package,) = [path.parent for path in (tmp_path / "generated").rglob("client.py")]
    operations = {path.stem for path in (package / "api" / "default").glob("*.py")} - {"__init__"}
    assert operations == {route.handler.__name__ for route in ROUTES}, made.stdout
    package.rename(tmp_path / "acetate_client")
    done = tool("-c", CLIENT, f"http://{running.runtime.address}", TOKEN, folder=tmp_path)
    assert done.stdout == "painted 1\n", done.stdout + done.stderr


def test_a_fuzzer_finds_nothing(running: RunningServer, description: Path, tmp_path: Path) -> None:
    checks = "not_a_server_error,status_code_conformance,content_type_conformance"
    skipped = [word for path in ENDLESS for word in ("--exclude-path", path)]
    done = tool(
        "-m", "schemathesis.cli", "run", str(description), "--url",
        f"http://{running.runtime.address}", "-H", f"Authorization: Bearer {TOKEN}", *skipped,
        "--max-examples", str(EXAMPLES), "--phases", "coverage,fuzzing", "--seed", "1",
        "--request-timeout", "300", "--suppress-health-check", "all",
        "--checks", f"{checks},response_schema_conformance", "--no-color", folder=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    assert json.loads(ask(running, "GET", "/v1/health")[1])["ready"]
