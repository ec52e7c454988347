"""Hold the branches of each shipped package to its floor, as pyproject.toml states them: `branch_coverage.py [--all]`.

coverage's own threshold mixes lines and branches and all packages. Says nothing when all is well, so that pytest's
closing line stays the last one printed; `--all` prints every package's figure.
"""

import json
import sys
import tempfile
import tomllib
from pathlib import Path

from coverage import Coverage

ROOT = Path(__file__).parents[1]


def branches(package: str, contexts: list[str] | None) -> tuple[int, int]:
    """How many branches a package has, and how many of them were taken by tests of these contexts, or by any."""
    measured = Coverage()
    measured.load()
    with tempfile.NamedTemporaryFile() as report:
        measured.json_report(outfile=report.name, include=[f"{package}/*", f"{package}.py"], contexts=contexts)
        totals = json.load(report)["totals"]
    return totals["num_branches"], totals["covered_branches"]


def main(told: str = "") -> int:
    """The exit code: 1 if a package is below its floor or has no branch at all in the report."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["dealwright"]["branches"]
    own = ["^$", *(f"^{folder}$" for folder in settings["own_tests"])]
    status = 0
    for package, floor in settings["floors"].items():
        total, covered = branches(package, own if package in settings["own"] else None)
        enough = total > 0 and covered * 100 >= floor * total
        if told == "--all" or not enough:
            share = f"{covered} of {total} branches covered, {100 * covered / max(total, 1):.1f} %"
            print(f"{package}: {share}; the floor is {floor} %", file=sys.stdout if enough else sys.stderr)
        status |= not enough
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
