#!/usr/bin/env bash
# A hashed lock without extras stops installing on the day of a newer release, with pip before 23.3.
#
# Tools that make locks offer to strip extras ("fork", not "fork[fast]"), and pip-compile warns that its own default will
# become that. With pip 23.2.1, which Python 3.11.7 and 3.12.1 bring, such a lock holds only as long as the locked release
# is the newest: pip takes "fork" and "fork[fast]" for two things, the pin of the first does not bind the second, so it
# looks for the newest "fork[fast]", finds one without a hash, and refuses the whole file. From 23.3 on the pin binds both.
#
# Seen on 2026-12-01, with three small wheels that this script makes (user 1.0 asks for fork[fast]>=1; fork 1.0 and 2.0):
#   pip     lock says         newer fork there   ends with
#   23.2.1  fork==1.0         no                 0
#   23.2.1  fork==1.0         yes                1, "all requirements must have their versions pinned with =="
#   23.2.1  fork[fast]==1.0   yes                0
#   23.2.1  fork[fast,more]   yes                0 if its line stands before that of user, 1 if it stands behind it
#   23.3.2  fork==1.0         yes                0
#   26.3    fork==1.0         yes                0
# What to do: keep the very extras that are asked for in the lock, or install it with --no-deps.
set -euo pipefail

python=${PYTHON:-python3.11}
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
unset PIP_FIND_LINKS PIP_CONSTRAINT
export PIP_DISABLE_PIP_VERSION_CHECK=1

# wheels without a build: a wheel is a ZIP file with three files of metadata
"$python" - "$room/shelf" <<'PY'
import pathlib, sys, zipfile

shelf = pathlib.Path(sys.argv[1])
shelf.mkdir()
for name, version, more in (
    ("user", "1.0", ["Requires-Dist: fork[fast]>=1"]),
    ("fork", "1.0", ["Provides-Extra: fast", "Provides-Extra: more"]),
    ("fork", "2.0", ["Provides-Extra: fast", "Provides-Extra: more"]),
):
    about = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(shelf / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *more, ""]
        wheel.writestr(f"{about}/METADATA", "\n".join(lines))
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
PY
mkdir "$room/before" "$room/after"
cp "$room"/shelf/*-1.0-* "$room/before"
cp "$room"/shelf/* "$room/after"

hash_of() { "$python" -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$1"; }
lock() { # NAME LINE-FOR-FORK
    printf '%s --hash=sha256:%s\n' "$2" "$(hash_of "$room/shelf/fork-1.0-py3-none-any.whl")" \
        'user==1.0' "$(hash_of "$room/shelf/user-1.0-py3-none-any.whl")" > "$room/$1.txt"
}
lock stripped 'fork==1.0'
lock kept 'fork[fast]==1.0'
lock before 'fork[fast,more]==1.0'
tac "$room/before.txt" > "$room/behind.txt"

failed=0
expect() { # CODE PIP LOCK SHELF
    local code=0
    "$room/$2/bin/python" -m pip install --dry-run --quiet --require-hashes --no-index --find-links "$room/$4" \
        -r "$room/$3.txt" > "$room/said" 2>&1 || code=$?
    printf 'pip %-7s %-9s %-7s ends with %s\n' "$2" "$3" "$4" "$code"
    if [ "$code" != "$1" ] || { [ "$code" = 1 ] && ! grep -q 'must have their versions pinned with ==' "$room/said"; }; then
        echo "  expected $1"
        sed 's/^/  /' "$room/said"
        failed=1
    fi
}

for pip in 23.2.1 23.3.2 26.3; do
    "$python" -m venv "$room/$pip"
    "$room/$pip/bin/python" -m pip install --quiet "pip==$pip"
done
expect 0 23.2.1 stripped before
expect 1 23.2.1 stripped after
expect 0 23.2.1 kept after
expect 0 23.2.1 before after
expect 1 23.2.1 behind after
expect 0 23.3.2 stripped after
expect 0 26.3 stripped after
expect 0 26.3 kept after
exit "$failed"
