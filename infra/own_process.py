"""How each process of ours begins, whatever the shell it was started from: its files are its owner's alone, and the
programs that it starts are this installation's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

INSTALLATION = Path(__file__).resolve().parent.parent
"""Where our own modules are, as a checkout or among the installed packages."""


@contextmanager
def own_process() -> Iterator[None]:
    """Until its end new files have mode 0600 and new folders 0700, and no Python that we start looks for modules in the
    folder that somebody stands in: neither for its own sake (`-c` and `-m` do) nor because PYTHONPATH has an empty or
    relative entry."""
    ours = {"PYTHONSAFEPATH": "1", "PYTHONPATH": _module_path(os.environ.get("PYTHONPATH", ""))}
    before = {name: os.environ.get(name) for name in ours}
    mask = os.umask(0o077)
    os.environ.update(ours)
    try:
        yield
    finally:
        os.umask(mask)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _module_path(inherited: str) -> str:
    """As without `-P` a program finds the modules beside its own file first, our programs are told where they are."""
    places = (place for place in inherited.split(os.pathsep) if os.path.isabs(place))
    return os.pathsep.join(dict.fromkeys((str(INSTALLATION), *places)))
