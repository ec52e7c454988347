"""Hold the branches of each shipped package to its floor, as pyproject.toml states them: `branch_coverage.py [--all]`.

What `make test` and `make test-systems` have covered counts together. coverage's own threshold mixes lines and branches
and all packages. Says nothing when all is well, so that pytest's closing line stays the last one printed; `--all`
prints every package's figure.
"""

import json
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from coverage import Coverage

ROOT = Path(__file__).parents[1]
MEASURED = (".coverage", ".systems-coverage")


def totals(measured: Coverage, package: str, contexts: list[str] | None) -> Any:
    """The sums over a package's files; what ran in tests of these contexts counts, or what ran in any."""
    with tempfile.NamedTemporaryFile() as report:
        measured.json_report(outfile=report.name, include=[f"{package}/*", f"{package}.py"], contexts=contexts)
        return json.load(report)["totals"]


def main(told: str = "") -> int:
    """The exit code: 1 if a package is below its floor. A package without any branch is held by its lines."""
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["dealwright"]["branches"]
    own = ["^$", *(f"^{folder}$" for folder in asked["own_tests"])]
    measured = Coverage(data_file=None)
    if missing := [name for name in MEASURED if not (ROOT / name).exists()]:
        print(f"no {' and no '.join(missing)}: run make test and make test-systems first", file=sys.stderr)
        return 1
    measured.combine([str(ROOT / name) for name in MEASURED], strict=True, keep=True)
    status = 0
    for package, floor in asked["floors"].items():
        found = totals(measured, package, own if package in asked["own"] else None)
        kind, covered, total = "branches", found["covered_branches"], found["num_branches"]
        if total == 0:
            kind, covered, total = "lines", found["covered_lines"], found["num_statements"]
        enough = covered * 100 >= floor * total
        if told == "--all" or not enough:
            share = f"{covered} of {total} {kind} covered, {100 * covered / total:.1f} %"
            print(f"{package}: {share}; the floor is {floor} %", file=sys.stdout if enough else sys.stderr)
        status |= not enough
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
