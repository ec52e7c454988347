"""What can go wrong between us and a foreign system. No message holds a token; a foreign text is cleaned and cut.

All three leave the effect owed: the engine asks again with the same effect key until there is an answer, so that a
system that is back, a corrected token or a repaired answer need nobody to restart anything.
"""

LONGEST_TEXT = 300
"""Characters of a foreign text that are shown."""


class ConnectorError(Exception):
    """A call to a foreign system failed. `connector` names the system, `path` what it was asked for."""

    def __init__(self, connector: str, path: str, what: str) -> None:
        super().__init__(f"{connector} {path}: {what}")
        self.connector, self.path = connector, path


class ConnectorUnavailable(ConnectorError):
    """No answer within the patience of one call; whether the effect was done is unknown. Worth trying again.

    `tries` is how often it was asked, 0 when it had told us not to come back yet.
    """

    def __init__(self, connector: str, path: str, reason: str, tries: int) -> None:
        super().__init__(connector, path, f"no answer in {tries} tries, the last one: {reason}")
        self.reason, self.tries = reason, tries


class ConnectorRefused(ConnectorError):
    """The system says that the question is wrong, or that we are not welcome: `status` is its 4xx.

    Asking again at once would not help; somebody must put the token, the address or the data right.
    """

    def __init__(self, connector: str, path: str, status: int, problem: str) -> None:
        super().__init__(connector, path, f"refused with {status}: {problem or 'no reason given'}")
        self.status, self.problem = status, problem


class ConnectorMalformed(ConnectorError):
    """The answer is not what docs/connectors.md says: `where` is the field, `why` what is wrong with it."""

    def __init__(self, connector: str, path: str, where: str, why: str) -> None:
        super().__init__(connector, path, f"the answer is not as documented: {where or 'body'}: {why}")
        self.where, self.why = where, why


def presentable(text: str, secret: str = "") -> str:
    """A foreign text for a message: without our secret, on one line, not longer than LONGEST_TEXT."""
    # the secret goes first: half of it, left over by cutting, could not be found any more
    kept = text.replace(secret, "[token]") if secret else text
    line = " ".join("".join(c if c.isprintable() else " " for c in kept).split())
    return line if len(line) <= LONGEST_TEXT else line[: LONGEST_TEXT - 4] + " ..."
