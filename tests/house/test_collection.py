"""The same tests are collected at any time and in every process: xdist compares their names, and refuses to start.

Its processes differ in their hash seeds, so the order of a set shows at once. A clock shows only when the second, or
the day, changes between two of them, and chance may stay out of the names: here neither is asked while test modules
are read.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLOCKS = {"now", "utcnow", "today", "wall_clock", "time", "time_ns", "monotonic", "perf_counter", "localtime", "gmtime"}
CHANCE = {"uuid1", "uuid4", "urandom", "SystemRandom", "token_bytes", "token_hex", "token_urlsafe", "generate"}
PLACES = {"mkdtemp", "mkstemp", "gettempdir", "getpid", "id", "hash"}
DATED = {"gzip.compress", "GzipFile", "gzip.GzipFile"}
"""They write the time of day into their output unless `mtime` says another."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def module(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text(encoding="utf-8"), name)


def run_when_read(node: ast.AST) -> Iterator[ast.AST]:
    """The node and all below it that runs as a module is read: of functions, their decorators and defaults; of what
    only a program runs, nothing."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'":
        return
    yield node
    if isinstance(node, Function):
        below: list[ast.AST] = [*node.decorator_list, node.args]
    elif isinstance(node, ast.Lambda):
        below = [node.args]
    else:
        below = list(ast.iter_child_nodes(node))
    for each in below:
        yield from run_when_read(each)


def named_functions(tree: ast.Module) -> dict[str, tuple[Function, ast.Module]]:
    """The functions that a module may call by a plain name, with where they stand: its own, and from tests/ others'."""
    found = {node.name: (node, tree) for node in tree.body if isinstance(node, Function)}
    for node in tree.body:
        file = f"{node.module}".replace(".", "/") + ".py" if isinstance(node, ast.ImportFrom) else ""
        if isinstance(node, ast.ImportFrom) and file.startswith("tests/") and (ROOT / file).is_file():
            theirs = named_functions(module(file))
            found |= {alias.asname or alias.name: theirs[alias.name] for alias in node.names if alias.name in theirs}
    return found


def is_restless(call: ast.Call) -> bool:
    """Whether a call may answer otherwise in another process or a second later."""
    name = ast.unparse(call.func)
    owner, _, last = name.rpartition(".")
    if last == "Random":
        return not call.args
    if name in DATED:
        return "mtime" not in {keyword.arg for keyword in call.keywords}
    return owner == "random" or owner == "secrets" or last in CLOCKS | CHANCE | PLACES


def asked_when_read(tree: ast.Module) -> list[str]:
    """Every restless call that runs as the module is read, or in a function that is called then."""
    waiting: list[tuple[ast.AST, ast.Module]] = [(tree, tree)]
    called: set[Function] = set()
    found = []
    while waiting:
        part, home = waiting.pop()
        functions = named_functions(home)
        for call in (node for node in run_when_read(part) if isinstance(node, ast.Call)):
            if is_restless(call):
                found.append(f"{call.lineno}: {ast.unparse(call)[:60]}")
            function, theirs = functions.get(ast.unparse(call.func), (None, home))
            if function is not None and function not in called:
                called.add(function)
                waiting += ((statement, theirs) for statement in function.body)
    return found


def test_reading_a_test_module_asks_neither_clock_nor_chance() -> None:
    names = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("*.py"))
    assert len(names) > 200
    assert {name: found for name in names if (found := asked_when_read(module(name)))} == {}


@pytest.mark.parametrize(
    ("text", "is_told"),
    [
        ('@mark.parametrize("content", [gzip.compress(b"x")])\ndef test_it(content): ...', True),
        ('@mark.parametrize("content", [gzip.compress(b"x", mtime=0)])\ndef test_it(content): ...', False),
        ("LATE = [datetime.now(UTC).isoformat()]", True),
        ("def late():\n    return time.time()\n\n\nclass Late:\n    LATE = [late() for _ in range(3)]", True),
        ("def test_it():\n    return time.time()", False),
        ("LATE = lambda: time.time()", False),
        ('if __name__ == "__main__":\n    LATE = time.time()', False),
        ("def late(now=time.time()): ...", True),
        ("def cases():\n    return more()\n\n\ndef more():\n    return [uuid4()]\n\n\nCASES = cases()", True),
        ("CHOSEN = random.sample(range(9), 3)", True),
        ("CHOSEN = Random().sample(range(9), 3)", True),
        ("CHOSEN = Random(7).sample(range(9), 3)", False),
    ],
)
def test_what_is_told(text: str, is_told: bool) -> None:
    assert bool(asked_when_read(ast.parse(text))) == is_told


@pytest.mark.parametrize("content", [b"\x00", b"\x01"])
def test_bytes_are_numbered_in_the_names_of_tests(content: bytes, request: pytest.FixtureRequest) -> None:
    assert request.node.name.endswith(f"[content{content[0]}]")
