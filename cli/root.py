"""The root of the command tree: global options anywhere on the line, and errors as one or two readable lines."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from cli.exits import ExitCode, explain
from cli.screen import complain

WITH_VALUE = ("--data", "--output", "-o", "--pick", "--as", "--for")
FLAGS = ("--quiet", "-q", "--debug")


class Root(TyperGroup):
    """Typer's group, which takes the global options behind the command too, and shows its help to who says nothing."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Bring the global options to the front, wherever they stand."""
        return super().parse_args(ctx, to_the_front(args) or ctx.help_option_names[:1])

    def invoke(self, ctx: Any) -> Any:
        """Run the command; what goes wrong ends it with its exit code, without a traceback."""
        from infra.own_process import own_process

        gc.set_threshold(50_000, 20, 50)  # what a command imports stays: not to look through it saves a tenth
        with own_process():
            return guarded(lambda: super(Root, self).invoke(ctx), debug=bool(ctx.params.get("debug")))


def to_the_front(arguments: Sequence[str]) -> list[str]:
    """Global options first, the rest in its order; nothing behind `--` is touched."""
    front: list[str] = []
    rest: list[str] = []
    left = list(arguments)
    while left:
        word = left.pop(0)
        if word == "--":
            return [*front, *rest, word, *left]
        if word in FLAGS or word.startswith(tuple(f"{name}=" for name in WITH_VALUE if name.startswith("--"))):
            front.append(word)
        elif word in WITH_VALUE and left:
            front += [word, left.pop(0)]
        else:
            rest.append(word)
    return [*front, *rest]


def guarded(work: Callable[[], Any], debug: bool = False) -> Any:
    """Do the work; known errors become an exit code with a sentence, others too unless `debug` wants to see them."""
    try:
        return work()
    except KeyboardInterrupt:
        complain("stopped")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    except Exception as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # a group alone, whose help has been shown
            raise typer.Exit(ExitCode.OK) from None
        if type(error).__module__.startswith("typer") or isinstance(error, BrokenPipeError):
            raise  # how typer itself ends a command, and how `| head` ends it
        failed = explain(error)
        if debug:
            raise
        if failed is None:
            complain(f"unexpected {type(error).__name__}: {error}", "run the command again with --debug and report it")
            raise typer.Exit(ExitCode.BUG) from None
        complain(failed.message, failed.advice)
        raise typer.Exit(failed.code) from None
