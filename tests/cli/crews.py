"""What processes of a crew are given to do in tests. Loads next to nothing, so that they start soon."""

import os
import signal
import time


def begin(setup: object) -> None:
    """Nothing to prepare."""


def length(deals: list[str]) -> list[tuple[str, int]]:
    """Work that a deal named `killer` does not survive, and that `stuck` never ends."""
    if "killer" in deals:
        os.kill(os.getpid(), signal.SIGKILL)
    if "stuck" in deals:
        time.sleep(600)
    return [(deal, len(deal)) for deal in deals]


def lost(deal: str) -> tuple[str, int]:
    """What is told of a deal over which its process died."""
    return deal, -1
