"""A proxy that cannot be used is named in a sentence, whatever stands in its variable."""

from __future__ import annotations

import os

import pytest

from acetate.model_import.importing import hub_entry
from acetate.models.download_plan import CannotFetch
from acetate.models.proxies import set_proxies, usable_proxies

UNUSABLE = ("socks4://127.0.0.1:9", "ftp://127.0.0.1:9", "http://host:port", "://", "http://[::1")
UNREACHABLE = ("http://127.0.0.1:9", "socks5://127.0.0.1:9", "socks5h://127.0.0.1:9")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(autouse=True)
def fresh_client():
    """The hub's client reads the variables when it is made."""
    from huggingface_hub import close_session

    close_session()
    yield
    close_session()


@pytest.mark.parametrize("variable", ["ALL_PROXY", "https_proxy"])
@pytest.mark.parametrize("address", UNUSABLE + UNREACHABLE + ("socks://127.0.0.1:9/",))
def test_the_variable_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, address: str
) -> None:
    monkeypatch.setenv(variable, address)
    with pytest.raises(CannotFetch) as caught:
        hub_entry("someone/some-model")
    assert variable in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("variable", ["ALL_PROXY", "all_proxy"])
def test_desktops_write_socks_alone(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "socks://127.0.0.1:1080/")
    with usable_proxies():
        assert os.environ[variable] == "socks5://127.0.0.1:1080/"
    assert os.environ[variable] == "socks://127.0.0.1:1080/"
    assert set_proxies() == [variable]
