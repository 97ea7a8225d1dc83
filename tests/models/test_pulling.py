from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from acetate.errors import BadRequest
from acetate.models.licences import unaccepted
from acetate.models.pulling import LicenceNeeded, PullProgress, PullStopped, pull
from acetate.models.store import missing_parts
from tests.models.conftest import WEIGHTS
from tests.models.hub_server import Hub
from tests.models.test_download import ENTRY, left_behind


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
        "unet/config.json",
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
