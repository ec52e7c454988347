"""Hold the branches of each named package to a floor: `branch_coverage.py REPORT.json PERCENT PACKAGE...`.

coverage's own threshold mixes lines and branches and all packages. Says nothing when all is well, so that
pytest's closing line stays the last one printed.
"""

import json
import sys
from pathlib import Path


def main(report: str, percent: str, *packages: str) -> int:
    """The exit code: 1 if a package is below `percent` or has no branch at all in the report."""
    files = json.loads(Path(report).read_text(encoding="utf-8"))["files"]
    status = 0
    for package in packages:
        summaries = [file["summary"] for name, file in files.items() if name.split("/")[0] == package]
        total = sum(summary.get("num_branches", 0) for summary in summaries)
        covered = sum(summary.get("covered_branches", 0) for summary in summaries)
        if total == 0 or covered * 100 < float(percent) * total:
            print(f"{package}/: {covered} of {total} branches covered, less than {percent} %", file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
