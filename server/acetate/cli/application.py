"""The commands by their names, and how each of them ends."""

from __future__ import annotations

import atexit
import gc
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any

import typer

from acetate import __version__
from acetate.cli.console import flush, give_up, make_safe, say
from acetate.cli.doctor import doctor
from acetate.cli.generate import generate
from acetate.cli.models import models
from acetate.cli.next_step import with_next_step
from acetate.cli.plugins import plugins
from acetate.cli.show import show
from acetate.cli.stopping import STOPPED, WORDS, Stopped, heard_politely
from acetate.errors import AcetateError

app = typer.Typer(
    name="acetate",
    help="Paints transparent image layers with diffusion models.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(generate, name="generate")
app.command()(show)
app.add_typer(models, name="models")
app.add_typer(plugins, name="plugins")
app.command()(doctor)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"acetate {__version__}")
        raise typer.Exit


@app.callback()
def _acetate(
    version: Annotated[
        bool, typer.Option("--version", help="Say the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    pass


def _deferred(name: str, words: str, place: str) -> None:
    """Add a command that is imported when it is used: "module:function" or "module:application".

    A distribution without the module is one without the command.
    """
    module, _, attribute = place.partition(":")
    if find_spec(module) is None:
        return

    def forward(context: typer.Context) -> None:
        target = getattr(import_module(module), attribute)
        if not isinstance(target, typer.Typer):
            inner = typer.Typer(add_completion=False)
            inner.command()(target)
            target = inner
        command = typer.main.get_command(target)
        with heard_politely():
            code = command.main(
                args=context.args, prog_name=f"acetate {name}", standalone_mode=False
            )
        raise typer.Exit(code if isinstance(code, int) else 0)

    settings: dict[str, Any] = {
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "help_option_names": [],
    }
    app.command(name, help=words, context_settings=settings)(forward)


_deferred("serve", "Serve editors and scripts on this machine.", "acetate.cli.serve:serve")
_deferred("stop", "Stop the server of this machine.", "acetate.cli.stop:stop")
_deferred("open", "Open the local page in your browser, signed in.", "acetate.cli.open:open_page")
_deferred("share", "Show a code that pairs another machine.", "acetate.cli.share:share")
_deferred("connect", "Pair with a server of another machine.", "acetate.cli.share:connect")
_deferred("setup", "See what fits this machine, and fetch it.", "acetate.cli.setup:setup")
_deferred("train", "Make a model transparent, step by step.", "acetate.training.command:app")
_deferred("evaluate", "Measure a model beside its rivals.", "acetate.evaluation.command:app")


def run() -> None:
    """Run the command line, and leave with its exit status."""
    make_safe()
    # Python would search all that torch has brought for garbage before it ends, for a second.
    atexit.register(gc.freeze)
    code = 0
    try:
        code = app(prog_name="acetate", standalone_mode=False)
    except AcetateError as error:
        _complain(error.message if not error.hint else f"{error.message} {error.hint}")
        code = 2
    except typer.TyperException as error:
        _complain(with_next_step(error))
        code = 2
    except (typer.Abort, Stopped, KeyboardInterrupt):
        _complain(WORDS)
        code = STOPPED
    except BrokenPipeError:  # Whoever read what was printed has seen enough.
        give_up(sys.stdout)
    flush()
    sys.exit(code if isinstance(code, int) else 0)


def _complain(sentence: str) -> None:
    say(sentence, sys.stderr)
