#!/usr/bin/env bash
# coverage's concurrency "greenlet" costs as much as tracing itself, in code that never switches a greenlet.
#
# With it, the C tracer calls greenlet.getcurrent() at each call and each return of any Python function, measured or
# not, and looks the answer up in a WeakKeyDictionary, which is Python code. It asks at calls and returns only: lines
# that a function runs between the return of a greenlet to it and its next call are still booked on the greenlet.
#
# Seen on 2026-12-01 with coverage 7.17.3 and greenlet 3.5.6 on CPython 3.11: 10,000 calls of a function ask 20,000 times
# and more, and the last line of a function that switched to a greenlet and back is not seen. When most of the code under
# test runs outside of greenlets (SQLAlchemy's asynchronous engine runs its own inside), tracing can be switched off while
# one runs, at the moments that greenlet.settrace tells: then "thread" asks nobody, and misses what runs inside alone. On
# a suite of ours that halved the price of tracing.
set -euo pipefail

python=${PYTHON:-python3.11}
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
"$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "seen with CPython 3.11 alone")'
"$python" -m venv "$room/venv"
"$room/venv/bin/python" -m pip --disable-pip-version-check -qq install coverage==7.17.3 greenlet==3.5.6
cat > "$room/work.py" <<'PY'
def add(left, right):
    return left + right


def work():
    total = 0
    for number in range(10_000):
        total = add(total, number)
    return total


def inner(back):
    half = 1
    back.switch()
    return half


def outer(greenlet):
    here = greenlet.getcurrent()
    there = greenlet.greenlet(inner)
    there.switch(here)
    before = 1
    there.switch()
    return before
PY
cat > "$room/measure.py" <<'PY'
import sys

import coverage
import greenlet

kind, paused = sys.argv[1], "paused" in sys.argv
asked, getcurrent = 0, greenlet.getcurrent


def counting():
    global asked
    asked += 1
    return getcurrent()


def switched(_event, between):
    left, entered = between
    if left.parent is None:
        traces[left] = sys.gettrace()
    sys.settrace(traces.get(entered) if entered.parent is None else None)


greenlet.getcurrent = counting
traces = {}
measured = coverage.Coverage(data_file=None, concurrency=[kind], include=["*/work.py"])
measured.start()
import work

work.work()
at_calls = asked
if paused:
    greenlet.settrace(switched)
work.outer(greenlet)
measured.stop()
lines = set(measured.get_data().lines(work.__file__))
source = open(work.__file__).read().splitlines()
print(at_calls, *sorted(name for name in ("half", "before") if any(
    number in lines and f"return {name}" in line for number, line in enumerate(source, start=1))))
PY
failed=0
expect() { # WORDS ARGUMENTS...
    local wanted=$1 got
    shift
    got=$(cd "$room" && venv/bin/python measure.py "$@")
    printf '%-16s asks %s times; the last line is seen in: %s\n' "$*" "${got%% *}" "${got#* }"
    case $wanted in
        many) [ "${got%% *}" -ge 20000 ] && [ "${got#* }" = "half" ] || failed=1 ;;
        none) [ "${got%% *}" -eq 0 ] && [ "${got#* }" = "before" ] || failed=1 ;;
    esac
}
expect many greenlet
expect none thread paused
[ "$failed" = 0 ] || { echo "coverage or greenlet behave otherwise now" >&2; exit 1; }
