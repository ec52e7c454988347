"""Pages of the documentation as a reader follows them: their `sh` blocks, in one shell, in their order."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.cli.command import ROOT, environment

BIN = Path(sys.executable).parent
"""Where `make setup` has put the command that the pages call."""


def blocks_of(page: str, section: str = "") -> list[str]:
    """The blocks of a page, or of the section under one of its headings."""
    text = (ROOT / page).read_text(encoding="utf-8")
    if section:
        text = re.split(r"^#+ ", text.partition(f"\n## {section}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    return re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def follow(blocks: list[str], folder: Path, timeout: float, **variables: str) -> dict[int, str]:
    """Run the blocks in this folder, up to the first line that fails; what each showed, counted from 1."""
    script = "".join(f"echo '=== block {number}'\n{block}" for number, block in enumerate(blocks, start=1))
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder, env=environment(PATH=path, **variables), capture_output=True, text=True, timeout=timeout,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    shown = re.split(r"^=== block \d+$", done.stdout, flags=re.MULTILINE)[1:]
    return dict(enumerate(shown, start=1))
