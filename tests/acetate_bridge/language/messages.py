"""Every sentence that painters read in the editors, out of the sources.

`python -m tests.acetate_bridge.language.messages` prints those that a catalog lacks.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from acetate_bridge.language.catalog import languages, load_catalog
from acetate_bridge.panel.fields import FIELDS
from acetate_bridge.protocol.modes import MODES

ROOT = Path(__file__).parents[3]
BRIDGE = ROOT / "shared" / "acetate_bridge"
PLUGINS = (ROOT / "krita_plugin" / "acetate_krita", ROOT / "gimp_plugin" / "acetate_gimp")

SPEAKING = (
    "panel/*.py",
    "editing/insertion.py",
    "editing/job.py",
    "editing/plan.py",
    "editing/request_builder.py",
    "client/address.py",
    "client/client.py",
    "client/connection.py",
    "client/connection_state.py",
    "client/handshake.py",
    "client/launcher.py",
    "client/pending_jobs.py",
    "client/server_call.py",
    "client/server_request.py",
    "protocol/setup.py",
)
"""Files of the bridge whose texts come to a painter's eyes."""
TABLES = ("fields.py",)
"""Their texts are read from the tables themselves: part of them is for scripts."""
REFUSALS = (
    "adapter/insertion.py",
    "adapter/editor.py",
    "adapter/waiting.py",
    "widgets/image_chooser.py",
)
"""Files of the plug-ins that say why they cannot do something."""

ALSO = (
    "Acetate Settings",
    *("here", "missing", "running", "stopped", "waiting", "painting"),
    *("grayscale", "indexed"),
    "{size} ({found} free)",
    "{prompt} · seed {seed}",
    "Choose a file",
    "Open: {name}",
)
"""Single words, and what is put together in several places."""
NOT_SAID = (
    *("pipx install acetate", "{RUN}acetate plugins install all", "{RUN}acetate serve"),
    *("{SCHEMES}://{place}/v1/session", "Authorization", "WWW-Authenticate", r"(\d+)\s*MiB"),
    *("{minutes} min", "{value} h {value_} min", "({found} free)", "So"),
    *("Krita {version}", "GIMP {version}"),
)
"""Commands, codes, and parts of what stands above."""

WIDGET_WORDS = frozenset({"Acetate", "Thumbnail", "Gtk", "Gdk", "GimpUi", "Pango", "Ctrl+Enter"})
"""Names on the widgets that are the same in every language."""

_CALLS_NOT_SAID = ("getLogger", "debug", "info", "warning", "exception", "error", "cast", "TypeVar",
                   "getattr", "Thread")  # fmt: skip
_TEXT = re.compile(r"[A-Z“].*[a-z]|[a-z]+ [a-z]+|\{\w+\} [a-z]+")
_ONE_WORD = re.compile(r"[A-Z][a-z]+")
_CODE = re.compile(r"[\w./:%*+-]*[/.:%*_][\w./:%*+-]*|[a-z]+\[.*\]|https?:.*")

Key = str


def messages() -> dict[Key, str]:
    """All that has to be in every catalog, with where it was found; without marks of keys."""
    found: dict[Key, str] = {}
    for place, text in _all():
        text = text.strip(" ,")
        if text and text not in NOT_SAID:
            found.setdefault(plain(text), f"{place}: {text}")
    return found


def plain(text: str) -> Key:
    """A text as titles, labels and labels with a key have it in common."""
    return text.replace("_", "").casefold() if "{" not in text else text


def _all() -> Iterator[tuple[str, str]]:
    for mode in MODES.values():
        yield "modes", mode.title
        yield "modes", mode.sentence
    for field in FIELDS.values():
        yield "fields", field.label
        yield "fields", field.tip
        yield "fields", field.spoken
        for name, label in field.choices:
            yield "fields", label if field.name != "language" or not name else ""
    for text in ALSO:
        yield "beside the sources", text
    for pattern in SPEAKING:
        for path in sorted(BRIDGE.glob(pattern)):
            if path.name not in TABLES:
                yield from _texts(path)
    for plugin in PLUGINS:
        for name in REFUSALS:
            if (plugin / name).is_file():
                yield from _texts(plugin / name)
        for path in sorted(plugin.rglob("*.py")):
            if "vendored" not in path.parts:
                yield from _marked(path)


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    """Texts of a file that read like language, but for docstrings and what goes to the log."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    left_out = set(_not_said(tree))
    for node in ast.walk(tree):
        if node in left_out or not isinstance(node, (ast.Constant, ast.JoinedStr)):
            continue
        text = text_of(node)
        if text is not None and _reads_like_language(text):
            yield f"{path.relative_to(ROOT)}:{node.lineno}", text


def _marked(path: Path) -> Iterator[tuple[str, str]]:
    """What a file of a plug-in hands to `say`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say":
            for part in ast.walk(node.args[0]):
                if isinstance(part, (ast.Constant, ast.JoinedStr)):
                    text = text_of(part)
                    if text and not any(
                        part in ast.walk(other)
                        for other in ast.walk(node.args[0])
                        if isinstance(other, ast.JoinedStr) and other is not part
                    ):
                        yield f"{path.relative_to(ROOT)}:{node.lineno}", text


def unsaid() -> list[str]:
    """Texts on the widgets of the plug-ins that are neither in a catalog nor markup."""
    found: list[str] = []
    wanted = messages()
    for plugin in PLUGINS:
        for path in sorted((plugin / "widgets").glob("*.py")):
            said = {text for _, text in _marked(path)}
            constants = set(ALSO) | set(NOT_SAID) | WIDGET_WORDS
            found += [
                f"{place}: {text}"
                for place, text in _texts(path)
                if text not in said | constants
                and plain(text) not in wanted
                and not text.strip().startswith(("<", "."))
            ]
    return found


def text_of(node: ast.AST) -> str | None:
    """A text with its placeholders, named after what fills them; None for anything else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if not isinstance(node, ast.JoinedStr):
        return None
    names: list[str] = []
    parts: list[str] = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(str(part.value))
        elif isinstance(part, ast.FormattedValue):
            name = _name_of(part.value)
            while name in names:
                name += "_"
            names.append(name)
            parts.append(f"{{{name}}}")
    return "".join(parts)


def _name_of(value: ast.expr) -> str:
    """The last word of an expression: `layer.name` is a name."""
    if isinstance(value, ast.Call):
        return _name_of(value.func)
    if isinstance(value, ast.Attribute):
        return value.attr
    if isinstance(value, ast.Name):
        return value.id.strip("_")
    if isinstance(value, (ast.Subscript, ast.Starred)):
        return _name_of(value.value)
    return "value"


def _not_said(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            for each in node.body:
                if isinstance(each, ast.Expr):
                    yield from ast.walk(each.value) if isinstance(each.value, ast.Constant) else ()
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            name = name or (node.func.id if isinstance(node.func, ast.Name) else "")
            if name in _CALLS_NOT_SAID:
                yield from (part for each in node.args for part in ast.walk(each))
            for word in node.keywords:
                if word.arg == "bound" or name == "Thread":
                    yield from ast.walk(word.value)
        elif isinstance(node, ast.JoinedStr):
            yield from (part for part in ast.walk(node) if part is not node)
        elif isinstance(node, (ast.AnnAssign, ast.arg)) and node.annotation is not None:
            yield from ast.walk(node.annotation)
        elif isinstance(node, ast.Subscript):
            yield from ast.walk(node.slice)


def _reads_like_language(text: str) -> bool:
    literal = re.sub(r"\{\w+\}", "", text)
    if _CODE.fullmatch(text) or not re.search(r"[A-Za-z]{2}", literal):
        return False
    return bool(_TEXT.search(text) or _ONE_WORD.fullmatch(text))


def main() -> None:
    """Say what each catalog lacks, and what it has for nothing."""
    wanted = messages()
    for language in languages():
        there = {plain(each) for each in load_catalog(language)}
        for key in sorted(wanted.keys() - there):
            print(f"{language} lacks {wanted[key]}")
        for key in sorted(there - wanted.keys()):
            print(f"{language} has for nothing: {key}")
    if not languages() or "--all" in sys.argv:
        print("\n".join(wanted.values()))


if __name__ == "__main__":
    main()
