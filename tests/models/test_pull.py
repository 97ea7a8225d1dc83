from __future__ import annotations

import hashlib
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from acetate.errors import BadRequest
from acetate.models.download_plan import CannotFetch
from acetate.models.hub_cache import missing_parts
from acetate.models.licences import unaccepted
from acetate.models.pull import LicenceNeeded, PullProgress, PullStopped, pull
from tests.models.conftest import WEIGHTS
from tests.models.hub_server import Hub
from tests.models.test_download_plan import ENTRY, left_behind


@pytest.fixture(autouse=True)
def _fresh_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(
        "acetate.models.licences.user_config_path", lambda name: tmp_path / "config" / name
    )


def test_nothing_is_fetched_before_its_licences_are_accepted_once(hub: Hub) -> None:
    with pytest.raises(LicenceNeeded, match="licensed under mit") as refused:
        pull(ENTRY, endpoint=hub.address)
    assert refused.value.licences == ["mit"]
    assert hub.sent == 0
    assert len(pull(ENTRY, accepted=True, endpoint=hub.address)) == 3
    assert unaccepted(ENTRY) == []
    assert pull(ENTRY, endpoint=hub.address) == []


def test_progress_runs_over_all_files(hub: Hub) -> None:
    news: list[PullProgress] = []
    pull(ENTRY, accepted=True, on_progress=news.append, endpoint=hub.address)
    total = len(WEIGHTS) + 5
    assert {each.total for each in news} == {total}
    assert [each.here for each in news] == sorted(each.here for each in news)
    assert (news[-1].here, news[-1].share) == (total, 1.0)
    assert {each.file for each in news} == {
        "w.safetensors",
        "model_index.json",
        "scheduler/config.json",
    }


def test_a_stopped_pull_goes_on_where_it_was_stopped(hub: Hub, tmp_path: Path) -> None:
    arrived: list[int] = []
    with pytest.raises(PullStopped, match="was stopped"):
        pull(
            ENTRY,
            accepted=True,
            on_progress=lambda news: arrived.append(news.here),
            should_stop=lambda: bool(arrived) and arrived[-1] > len(WEIGHTS) // 2,
            endpoint=hub.address,
        )
    assert left_behind(tmp_path) == []
    assert missing_parts(ENTRY) == ["someone/base", "w.safetensors"]
    hub.ranges.clear()
    paths = pull(ENTRY, endpoint=hub.address)
    assert hashlib.sha256(paths[0].read_bytes()).digest() == hashlib.sha256(WEIGHTS).digest()
    assert int(hub.ranges[0].removeprefix("bytes=").rstrip("-")) > len(WEIGHTS) // 3


def test_only_modes_of_the_model_are_fetched(hub: Hub) -> None:
    with pytest.raises(BadRequest, match="cannot do dance, only text, joint"):
        pull(ENTRY, ("dance",), accepted=True, endpoint=hub.address)


def test_two_pulls_at_once_leave_one_good_copy(hub: Hub) -> None:
    with ThreadPoolExecutor(2) as pool:
        pulls = [pool.submit(pull, ENTRY, accepted=True, endpoint=hub.address) for _ in range(2)]
        paths = [path for each in pulls for path in each.result() if path.name == "w.safetensors"]
    assert paths and all(path.read_bytes() == WEIGHTS for path in paths)
    assert len({path.resolve() for path in paths}) == 1
    assert hub.sent == len(WEIGHTS) + 5


def test_whatever_goes_wrong_is_one_sentence_and_leaves_no_half_file(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda seconds: None)

    def refused() -> str:
        with pytest.raises(CannotFetch) as error:
            pull(ENTRY, accepted=True, endpoint=hub.address)
        assert "\n" not in error.value.message and error.value.message.endswith(".")
        assert "w.safetensors" not in left_behind(tmp_path)
        return error.value.message

    hub.cuts = 99
    assert "broke off" in refused()
    hub.cuts, hub.tampered = 0, True
    assert "another content" in refused()
    hub.tampered = False
    hub.gated.add("someone/weights")
    assert "accepted its terms" in refused()
    hub.gated.clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "HF_HUB_OFFLINE" in refused()
    monkeypatch.delenv("HF_HUB_OFFLINE")
    content = hub.files["someone/weights"].pop("w.safetensors")
    assert "no longer has w.safetensors" in refused()
    hub.files["someone/weights"]["w.safetensors"] = content
    full = shutil.disk_usage(tmp_path)._replace(free=10**6)
    with monkeypatch.context() as small:
        small.setattr("shutil.disk_usage", lambda path: full)
        assert "free, but the download needs" in refused()
    hub.redirected = True
    paths = pull(ENTRY, endpoint=hub.address)
    assert next(p for p in paths if p.name == "w.safetensors").read_bytes() == WEIGHTS
