"""How quantities of an order line move: every change goes through the line's table and keeps the sum."""

from collections.abc import Callable

from models.change import replace
from models.lifecycle.machines import LINES
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
    after = replace(line, cancelled=line.cancelled + line.open, reserved=0, reserved_until="", proposed_article="")
    ended = "end_delivered" if after.delivered else "cancel"
    action = "cancel_rest" if after.on_the_way else ended
    return replace(after, state=LINES.fire(line.state, action))
