"""Rules of the house that no single file can keep: data flows one way, and files stay small."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "acetate": ROOT / "server" / "acetate",
    "acetate_bridge": ROOT / "shared/acetate_bridge",
}
LONGEST = 400

STOREYS: tuple[tuple[str, ...], ...] = (
    ("acetate.__main__",),
    ("acetate.cli", "acetate.demo.__main__"),
    ("acetate.app",),
    ("acetate.jobs", "acetate.evaluation", "acetate.training"),
    ("acetate.workers", "acetate.demo"),
    ("acetate.modes",),
    ("acetate.pipelines.loading", "acetate.pipelines.model_cache", "acetate.model_import"),
    ("acetate.pipelines",),
    ("acetate.adapters", "acetate.embedded"),
    ("acetate.matting",),
    (
        "acetate.images",
        "acetate.models",
        "acetate.plugin_install",
        "acetate.prompting",
        "acetate.upscaling",
    ),
    (
        "acetate.latent_transparency",
        "acetate.background_tasks",
        "acetate.compiled_code",
        "acetate.errors",
        "acetate.logs",
    ),
    ("acetate_bridge.panel",),
    ("acetate_bridge.editing",),
    ("acetate_bridge.client",),
    ("acetate_bridge.protocol", "acetate_bridge.language"),
)
"""From the top: a module imports from its own storey and from those below."""

UPWARDS: set[tuple[str, str]] = set()
"""Arrows that point upwards: none, and a new one needs a reason here."""

EARLIER_NAMES = {"messages", "states", "launch", "discovery"}
"""Modules of the bridge outside its storeys: names of 0.1 that scripts import."""


def modules() -> dict[str, Path]:
    """Every module of ours by its dotted name."""
    found: dict[str, Path] = {}
    for package, folder in PACKAGES.items():
        for path in folder.rglob("*.py"):
            parts = path.relative_to(folder).with_suffix("").parts
            if parts[-1] == "__init__":
                parts = parts[:-1]
            found[".".join((package, *parts))] = path
    return found


def imports(tree: ast.Module, later: bool = True) -> Iterator[ast.Import | ast.ImportFrom]:
    """Imports that really run, not those for types alone; `later`: those inside functions too."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not later:
            continue
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting.extend(node.orelse)
        else:
            waiting.extend(ast.iter_child_nodes(node))


def needs(name: str, path: Path, known: dict[str, Path]) -> set[str]:
    """Modules of ours that a module imports."""
    found: set[str] = set()
    for node in imports(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
            continue
        base = node.module or ""
        if node.level:
            package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
            package = package[: len(package) - node.level + 1]
            base = ".".join(filter(None, (*package, base)))
        for alias in node.names:
            whole = f"{base}.{alias.name}"
            found.add(whole if whole in known else base)
    return {each for each in found if each in known and each != name}


def circle(graph: dict[str, set[str]]) -> list[str]:
    """One circle of imports, if there is any."""
    done: set[str] = set()

    def follow(name: str, trail: list[str]) -> list[str]:
        if name in trail:
            return [*trail[trail.index(name) :], name]
        if name not in done:
            for needed in sorted(graph[name]):
                if found := follow(needed, [*trail, name]):
                    return found
            done.add(name)
        return []

    for name in sorted(graph):
        if found := follow(name, []):
            return found
    return []


def test_no_module_imports_itself_by_way_of_others() -> None:
    known = modules()
    graph = {name: needs(name, path, known) for name, path in known.items()}
    assert len(graph) > 100
    assert sum(map(len, graph.values())) > len(graph)
    assert " → ".join(circle(graph)) == ""


def storey(name: str) -> int | None:
    """Which storey a module stands in, counted from the top; None for the packages' faces."""
    for number, packages in enumerate(STOREYS):
        if any(name == each or name.startswith(f"{each}.") for each in packages):
            return number
    return None


def upwards(graph: dict[str, set[str]]) -> set[tuple[str, str]]:
    """Imports of something that stands above."""
    return {
        (name, needed)
        for name, found in graph.items()
        for needed in found
        if (here := storey(name)) is not None
        and (there := storey(needed)) is not None
        and there < here
    }


def test_imports_point_downwards() -> None:
    known = modules()
    graph = {name: needs(name, path, known) for name, path in known.items()}
    assert upwards(graph) == UPWARDS


def test_an_import_from_above_is_found() -> None:
    graph = {
        "acetate.modes.text": {"acetate.workers.ipc", "acetate.errors"},
        "acetate_bridge.editing.job": {"acetate_bridge.panel.strings", "acetate_bridge.client"},
    }
    assert upwards(graph) == {
        ("acetate.modes.text", "acetate.workers.ipc"),
        ("acetate_bridge.editing.job", "acetate_bridge.panel.strings"),
    }


def test_every_module_stands_in_a_storey() -> None:
    faces = {"acetate", "acetate_bridge", *(f"acetate_bridge.{name}" for name in EARLIER_NAMES)}
    assert {name for name in modules() if storey(name) is None} - faces == set()


def loaded_with(start: str, known: dict[str, Path]) -> set[str]:
    """Names of all modules that are loaded with one of ours, those of others too."""
    waiting, found = [start], {start}
    while waiting:
        path = known.get(waiting.pop())
        if path is None:
            continue
        for node in imports(ast.parse(path.read_text(encoding="utf-8")), later=False):
            names = [alias.name for alias in node.names]
            if isinstance(node, ast.ImportFrom):
                names = [str(node.module), *(f"{node.module}.{name}" for name in names)]
            # A package is loaded before what is in it.
            parts = [name.split(".") for name in names]
            every = {".".join(each[:end]) for each in parts for end in range(1, len(each) + 1)}
            waiting += every - found
            found |= every
    return found


@pytest.mark.parametrize(
    "start",
    [
        "acetate.cli.run",
        "acetate.modes",
        "acetate.pipelines.embedded.loader",
        "acetate.workers.generator",
        "acetate.pipelines.model_cache",
        "acetate.workers.process",
    ],
)
def test_what_paints_with_the_embedded_model_loads_without_what_takes_seconds(start: str) -> None:
    found = loaded_with(start, modules())
    assert "acetate.errors" in found
    assert not {"accelerate", "diffusers", "kornia", "scipy", "transformers"} & found


def test_what_the_other_families_load_is_found() -> None:
    assert {"diffusers", "transformers"} <= loaded_with("acetate.pipelines.sdxl", modules())


def test_editing_takes_nothing_of_the_client_but_its_folders_and_locks() -> None:
    known = modules()
    taken = {
        needed
        for name, path in known.items()
        if name.startswith("acetate_bridge.editing.")
        for needed in needs(name, path, known)
        if needed.startswith("acetate_bridge.client.")
    }
    assert taken <= {"acetate_bridge.client.paths", "acetate_bridge.client.file_locks"}


@pytest.mark.parametrize(
    ("graph", "found"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b"}, "b": {"c"}, "c": {"b"}}, ["b", "c", "b"]),
        ({"a": {"b", "c"}, "b": {"c"}, "c": set()}, []),
    ],
)
def test_circles_are_found(graph: dict[str, set[str]], found: list[str]) -> None:
    assert circle(graph) == found


def test_imports_inside_functions_count_and_those_for_types_do_not(tmp_path: Path) -> None:
    source = (
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import one\n"
        "def function():\n    import two\n    from . import three\n"
    )
    path = tmp_path / "module.py"
    path.write_text(source)
    known = {name: path for name in ("one", "two", "pack.three", "pack.module")}
    assert needs("pack.module", path, known) == {"two", "pack.three"}


def test_the_bridge_knows_nothing_of_the_server() -> None:
    known = modules()
    for name, path in known.items():
        if name.startswith("acetate_bridge"):
            assert not {
                each for each in needs(name, path, known) if each.split(".")[0] == "acetate"
            }


def test_no_file_is_long() -> None:
    folders = ["server", "shared", "tests", "krita_plugin", "gimp_plugin"]
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    long = {
        str(path.relative_to(ROOT)): lines
        for path in paths
        if "_vendor" not in path.parts
        and (lines := path.read_text(encoding="utf-8").count("\n")) > LONGEST
    }
    assert long == {}
