"""The tables as JSON values, diagrams and pages: what the API, the command line and docs/ show of them."""

from collections.abc import Iterable, Sequence
from typing import Any

from models.agenda import escalates_to, waits_for
from models.instants import DAY, HOUR
from models.lifecycle.guards import Guard
from models.lifecycle.roles import Role
from models.lifecycle.states import DealState
from models.lifecycle.table import STAYS, Row, Table
from models.policy import Policy
from models.rules import GUARDS

Edge = tuple[str, str, tuple[str, ...]]


def to_plain(table: Table) -> dict[str, Any]:
    """A table as a JSON value. `stages` is there for the deal alone: state to stage."""
    plain: dict[str, Any] = {
        "name": table.name,
        "initial": str(table.initial),
        "states": [str(state) for state in table.states],
        "terminal": [str(state) for state in table.states if state in table.terminal],
        "rows": [_plain_row(row) for row in table.rows],
    }
    if all(isinstance(state, DealState) for state in table.states):
        plain["stages"] = {str(state): str(DealState(state).stage) for state in table.states}
    return plain


def mermaid(table: Table) -> str:
    """A Mermaid state diagram of the moves between states; actions that stay in a state are left out."""
    lines = ["stateDiagram-v2", f"    [*] --> {table.initial}"]
    lines += [f"    {source} --> {target}: {', '.join(actions)}" for source, target, actions in edges(table)]
    lines += [f"    {state} --> [*]" for state in table.states if state in table.terminal]
    return "\n".join(lines)


def dot(table: Table) -> str:
    """A Graphviz digraph of the moves between states."""
    lines = [
        f"digraph {table.name} {{",
        "    rankdir=LR;",
        '    node [shape=box, style=rounded, fontname="sans-serif"];',
    ]
    for state in table.states:
        if state in table.terminal:
            lines.append(f"    {state} [peripheries=2];")
        elif state == table.initial:
            lines.append(f"    {state} [penwidth=2];")
        else:
            lines.append(f"    {state};")
    for source, target, actions in edges(table):
        label = "\\n".join(actions)
        lines.append(f'    {source} -> {target} [label="{label}"];')
    return "\n".join([*lines, "}"])


def edges(table: Table) -> tuple[Edge, ...]:
    """(source, target, actions) of every pair of different states between which the table moves."""
    found: dict[tuple[str, str], list[str]] = {}
    for source in table.states:
        for row in table.rows:
            target = row.target_from(source)
            if source in row.sources and target != source:
                found.setdefault((str(source), str(target)), []).append(row.action)
    return tuple((source, target, tuple(actions)) for (source, target), actions in found.items())


def markdown(table: Table) -> str:
    """The diagram and the rows of a table."""
    guarded = any(row.guards for row in table.rows)
    heads = ["action", "from", "to", "who", *(["if"] if guarded else []), "what it is"]
    rows = []
    for row in table.rows:
        cells = [f"`{row.action}`", _sources(row, table), _target(row), words(row.roles)]
        if guarded:
            cells.append(", ".join(f"[`{name}`](#{name})" for name in row.guards))
        rows.append([*cells, row.summary])
    return "\n\n".join([f"```mermaid\n{mermaid(table)}\n```", grid(heads, rows)])


def role_matrix(table: Table) -> str:
    """Every action against every role: where there is no mark, the role is refused."""
    roles = [role for role in Role if any(role in row.roles for row in table.rows)]
    allowed: dict[str, set[Role]] = {}
    for row in table.rows:
        allowed.setdefault(row.action, set()).update(row.roles)
    rows = [[f"`{action}`", *("x" if role in able else "" for role in roles)] for action, able in allowed.items()]
    return grid(["action", *(role.replace("_", " ") for role in roles)], rows)


def guards_of(table: Table) -> tuple[Guard, ...]:
    """The guards that a table's rows name, in the order of the rows."""
    return tuple(GUARDS[name] for name in dict.fromkeys(name for row in table.rows for name in row.guards))


def guard_sections(table: Table) -> str:
    """A section for every guard: its sentence, what it needs, who can lift it, where it stands."""
    sections = []
    for guard in guards_of(table):
        actions = dict.fromkeys(row.action for row in table.rows if guard.name in row.guards)
        lifts = "; ".join(guard.lifted_by) or "whoever the policy gives the authority"
        facts = [
            f"- needs: {guard.needed}",
            f"- can be lifted by: {lifts}",
            f"- guards: {', '.join(f'`{action}`' for action in actions)}",
        ]
        sections.append(f"### {guard.name}\n\n{sentence(guard)}\n\n" + "\n".join(facts))
    return "\n\n".join(sections)


def sentence(guard: Guard) -> str:
    """The guard's reason, in one paragraph."""
    return " ".join((guard.check.__doc__ or "").split())


def deadlines(policy: Policy) -> str:
    """How long each open state of a deal may last, for whom it waits and who is told then."""
    rows = []
    for state in DealState.open():
        limit = policy.deadlines[state]
        waits, told = words(waits_for(state)), words(escalates_to(state))
        rows.append([f"`{state}`", str(state.stage), waits, duration(limit.remind), duration(limit.escalate), told])
    return grid(["state", "stage", "waits for", "reminder after", "escalation after", "then told"], rows)


def ladder(policy: Policy) -> str:
    """The rungs of the collection ladder, measured from the due date."""
    rows = []
    for rung in policy.ladder:
        when = f"{duration(abs(rung.after))} {'before' if rung.after < 0 else 'after'}" if rung.after else "on the day"
        hold = "sets the credit hold" if rung.action == policy.credit_hold_from else ""
        rows.append([f"`{rung.action}`", when, rung.letter.replace("_", " "), hold])
    return grid(["rung", "due date", "letter", ""], rows)


def duration(seconds: int) -> str:
    """A number of seconds in words, in the largest unit that leaves no rest."""
    for size, unit in ((DAY, "day"), (HOUR, "hour"), (60, "minute"), (1, "second")):
        if seconds % size == 0:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    raise AssertionError("every number of seconds is a multiple of one")


def words(roles: Iterable[str]) -> str:
    """Role names as people say them, in the order of the roles."""
    held = set(map(str, roles))
    return ", ".join(role.replace("_", " ") for role in Role if role in held)


def grid(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _plain_row(row: Row) -> dict[str, Any]:
    return {
        "action": row.action,
        "sources": [str(source) for source in row.sources],
        "target": None if row.target == STAYS else str(row.target),
        "roles": sorted(str(role) for role in row.roles),
        "guards": list(row.guards),
        "summary": row.summary,
    }


def _sources(row: Row, table: Table) -> str:
    if set(row.sources) == set(table.states):
        return "every state"
    if set(row.sources) == set(table.states) - table.terminal:
        return "every open state"
    return ", ".join(f"`{source}`" for source in row.sources)


def _target(row: Row) -> str:
    return "stays" if row.target == STAYS else f"`{row.target}`"
