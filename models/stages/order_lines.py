"""How quantities of an order line move: every change goes through the line's table and keeps the sum."""

from collections.abc import Callable

from models.change import replace
from models.lifecycle.machines import LINES
from models.lifecycle.states import LineState
from models.parts.order import OrderLine

LineChange = Callable[[OrderLine], OrderLine]


def settle_reservation(
    line: OrderLine, reserved: int, until: str, expected_on: str, analogue: str, at: str
) -> OrderLine:
    """The line after the stock book answered: `reserved` is all that is held for it now."""
    held = min(reserved, line.open)
    if held >= line.open:
        return replace(
            line, state=LINES.fire(line.state, "reserve"), reserved=held, reserved_until=until, short_since="",
            asked_logistics_at="", expected_on="", analogue="", proposed_article="", answered_at=at,
        )  # fmt: skip
    return replace(
        line,
        state=LINES.fire(line.state, "run_short"),
        reserved=held,
        reserved_until=until if held else "",
        short_since=line.short_since or at,
        expected_on=expected_on or line.expected_on,
        analogue=analogue,
        answered_at=at,
    )


def release(line: OrderLine) -> OrderLine:
    """The line after its reservation ended unused."""
    return replace(line, state=LINES.fire(line.state, "release"), reserved=0, reserved_until="")


def ship(line: OrderLine, quantity: int) -> OrderLine:
    """The line after reserved units left."""
    after = replace(line, shipped=line.shipped + quantity, reserved=line.reserved - quantity)
    return replace(after, state=LINES.fire(line.state, "ship" if after.open == 0 else "ship_part"))


def deliver(line: OrderLine, quantity: int) -> OrderLine:
    """The line after shipped units arrived."""
    after = replace(line, delivered=line.delivered + quantity)
    done = after.open == 0 and after.on_the_way == 0
    return replace(after, state=LINES.fire(line.state, "deliver" if done else "deliver_part"))


def substitute(line: OrderLine) -> OrderLine:
    """The line after another article took the place of what is open; its own reservation is given up."""
    after = replace(line, substituted=line.substituted + line.open, reserved=0, reserved_until="", proposed_article="")
    if after.on_the_way:
        return replace(after, state=LINES.fire(line.state, "substitute_part"))
    return replace(after, state=LINES.fire(line.state, "substitute"))


def cancel(line: OrderLine) -> OrderLine:
    """The line after what is open of it was cancelled."""
    after = replace(
        line, cancelled=line.cancelled + line.open, reserved=0, reserved_until="", proposed_article="",
        prebilled=min(line.prebilled, line.on_the_way),
    )  # fmt: skip
    ended = "end_delivered" if after.delivered else "cancel"
    action = "cancel_rest" if after.on_the_way else ended
    return replace(after, state=LINES.fire(line.state, action))


def unship(line: OrderLine, quantity: int) -> OrderLine:
    """The line after units that were to be sent turned out not to have left."""
    return replace(line, state=LINES.fire(line.state, "reopen"), shipped=line.shipped - quantity)


def bring_back(line: OrderLine, quantity: int) -> OrderLine:
    """The line after the carrier brought units back undelivered: they are to be supplied again."""
    return replace(unship(line, quantity), returned=line.returned + quantity)


def reopen(line: OrderLine, quantity: int, *, billed: bool, returned: bool) -> OrderLine:
    """The line after delivered units are to be supplied again; what was invoiced already is not invoiced twice."""
    return replace(
        line,
        state=LINES.fire(line.state, "reopen"),
        shipped=line.shipped - quantity,
        delivered=line.delivered - quantity,
        prebilled=line.prebilled + (quantity if billed else 0),
        returned=line.returned + (quantity if returned else 0),
        lost=line.lost + (0 if returned else quantity),
    )


def give_back(line: OrderLine, quantity: int, *, on_shelf: bool) -> OrderLine:
    """The line after the customer gave delivered units back for good; what is damaged goes on no shelf."""
    return replace(
        line,
        shipped=line.shipped - quantity,
        delivered=line.delivered - quantity,
        cancelled=line.cancelled + quantity,
        returned=line.returned + quantity,
        lost=line.lost + (0 if on_shelf else quantity),
    )


def prebilled_open(line: OrderLine) -> int:
    """Open units that were invoiced already; those on the way come first."""
    return min(line.open, max(0, line.prebilled - line.on_the_way))


def give_up(line: OrderLine, quantity: int) -> OrderLine:
    """The line after open units that nothing is reserved for are no longer wanted."""
    billed = min(quantity, prebilled_open(line))
    fewer = replace(line, cancelled=line.cancelled + quantity, prebilled=line.prebilled - billed)
    return fewer if fewer.short else without_missing(fewer)


def change_quantity(line: OrderLine, ordered: int) -> OrderLine:
    """The line with another ordered quantity, which is not below what was shipped or cancelled."""
    changed = replace(line, ordered=ordered)
    changed = replace(changed, reserved=min(line.reserved, changed.open))
    if not changed.reserved:
        changed = replace(changed, reserved_until="")
    if changed.short == 0:
        return without_missing(changed)
    return replace(changed, state=LINES.fire(changed.state, "amend"))


def without_missing(line: OrderLine) -> OrderLine:
    """A line that nothing is missing of any more: all that is open is reserved, or nothing is open."""
    if line.open == 0:
        return closed(line)
    return replace(line, state=LINES.fire(line.state, "reserve"), short_since="", proposed_article="")


def closed(line: OrderLine) -> OrderLine:
    """A line of which nothing is open any more, in the state that tells what became of it."""
    action = "cancel_rest" if line.on_the_way else "end_delivered" if line.delivered else "cancel"
    return replace(line, state=LINES.fire(line.state, action), proposed_article="")


def with_shortage_ended(line: OrderLine, at: str, outcome: str) -> OrderLine:
    """The line with its shortage settled, when nothing of it is missing any more."""
    lasting = line.shortage
    if lasting is None or not lasting.is_active or line.state in (LineState.SHORT, LineState.OPEN):
        return line
    return replace(line, shortage=replace(lasting, settled_at=at, outcome=outcome), short_since="")
