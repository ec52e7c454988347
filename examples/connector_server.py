"""A reference server for docs/connectors.md, in one file and in memory: a stock system and a carrier.

It shows what the other company has to build, nothing more; `--help` lists its options.
"""

import argparse
import contextlib
import hmac
import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

Plain = dict[str, Any]
Place = tuple[str, int, str]  # deal, line, article

LARGEST_QUESTION = 1_000_000


class Refused(Exception):
    """A question that gets a 4xx."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


class Warehouse:
    """One shelf per article: on hand, and what of it is reserved by whom."""

    def __init__(self, on_hand: dict[str, int]) -> None:
        self.on_hand = Counter(on_hand)
        self.held: Counter[Place] = Counter()

    def reserve(self, asked: Plain) -> Plain:
        """Reserve what is free, in part when there is too little."""
        lines = []
        for line in asked["lines"]:
            article, wanted = line["article"], line["quantity"]
            free = self.on_hand[article] - sum(n for (_, _, held), n in self.held.items() if held == article)
            got = min(wanted, free)
            self.held[_place(asked, line)] += got
            lines.append({"line": line["line"], "article": article, "reserved": got, "short": wanted - got})
        return {"lines": lines}

    def release(self, asked: Plain) -> Plain:
        """Give back at most what is asked; no lines means everything that the deal holds."""
        everything = [
            {"line": line, "article": article, "quantity": units}
            for (deal, line, article), units in self.held.items()
            if deal == asked["deal_id"]
        ]
        freed = [_answer(line, self._take(asked, line)) for line in asked["lines"] or everything]
        return {"lines": [line for line in freed if line["quantity"]]}

    def ship(self, asked: Plain) -> Plain:
        """Take reserved units off the shelf; a line that holds less ships what it holds."""
        lines = []
        for line in asked["lines"]:
            taken = self._take(asked, line)
            self.on_hand[line["article"]] -= taken
            lines.append(_answer(line, taken))
        return {"lines": lines}

    def take_back(self, asked: Plain) -> Plain:
        """Put units back on the shelf."""
        for line in asked["lines"]:
            self.on_hand[line["article"]] += line["quantity"]
        return {}

    def _take(self, asked: Plain, line: Plain) -> int:
        place = _place(asked, line)
        taken = min(line["quantity"], self.held[place])
        self.held[place] -= taken
        return int(taken)


class Carrier:
    """Books shipments and numbers them."""

    def __init__(self) -> None:
        self.booked: list[str] = []

    def book(self, asked: Plain) -> Plain:
        """Take a shipment over."""
        self.booked.append(asked["shipment"])
        return {"carrier": "example", "reference": f"EX-{len(self.booked):06d}"}


class ReferenceServer(ThreadingHTTPServer):
    """Both systems on one port of loopback. `lose_every` loses each n-th answer after its effect, 0 none."""

    daemon_threads = True

    def __init__(self, port: int, token: str, on_hand: dict[str, int], lose_every: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        warehouse, carrier = Warehouse(on_hand), Carrier()
        self.token, self.lose_every = token, lose_every
        self.effects: dict[str, Callable[[Plain], Plain]] = {
            "/stock/v1/reservations": warehouse.reserve,
            "/stock/v1/releases": warehouse.release,
            "/stock/v1/shipments": warehouse.ship,
            "/stock/v1/returns": warehouse.take_back,
            "/carrier/v1/shipments": carrier.book,
        }
        # A real system keeps these as long as the effects themselves, in the same transaction as the effect.
        self._answers: dict[tuple[str, str], bytes] = {}
        self._lock = threading.Lock()
        self._questions = 0

    def answer(self, path: str, key: str, asked: Plain) -> bytes:
        """Do the effect unless this key was answered before; then the same answer again, byte for byte."""
        with self._lock:
            if (path, key) not in self._answers:
                self._answers[path, key] = json.dumps(self.effects[path](asked)).encode()
            return self._answers[path, key]

    def loses_this_one(self) -> bool:
        """Whether the line breaks now."""
        with self._lock:
            self._questions += 1
            return self.lose_every > 0 and self._questions % self.lose_every == 0


class Handler(BaseHTTPRequestHandler):
    """HTTP around it: who asks, what, and under which key."""

    server: ReferenceServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """One question."""
        body = self.rfile.read(min(int(self.headers.get("content-length") or 0), LARGEST_QUESTION))
        try:
            self._check_caller()
            key, asked = self._question(body)
            answer = self.server.answer(self.path, key, asked)
        except Refused as refusal:
            problem = {"title": "The question was refused", "status": refusal.status, "detail": refusal.detail}
            self._send(refusal.status, "application/problem+json", json.dumps(problem).encode())
            return
        except (KeyError, TypeError) as wrong:
            problem = {"title": "The question can't be read", "status": 422, "detail": repr(wrong)}
            self._send(422, "application/problem+json", json.dumps(problem).encode())
            return
        if self.server.loses_this_one():
            self.close_connection = True  # without an answer, though the effect is done
            return
        self._send(200, "application/json", answer)

    def _check_caller(self) -> None:
        shown, expected = self.headers.get("authorization", ""), f"Bearer {self.server.token}"
        if self.server.token and not hmac.compare_digest(shown.encode(), expected.encode()):
            raise Refused(401, "the token is missing or wrong")
        if self.path not in self.server.effects:
            raise Refused(404, "there is nothing here, see docs/connectors.md")

    def _question(self, body: bytes) -> tuple[str, Plain]:
        key = unquote(self.headers.get("idempotency-key", ""))
        try:
            asked = json.loads(body)
        except ValueError:
            raise Refused(400, "the body is not JSON") from None
        if not isinstance(asked, dict) or not key or asked.get("effect_key") != key:
            raise Refused(400, "the header Idempotency-Key and the field effect_key must be the same")
        return key, asked

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _place(asked: Plain, line: Plain) -> Place:
    return asked["deal_id"], line["line"], line["article"]


def _answer(line: Plain, quantity: int) -> Plain:
    return {"line": line["line"], "article": line["article"], "quantity": quantity}


def _stock(text: str) -> tuple[str, int]:
    article, _, units = text.rpartition("=")
    if not article or not units.isdecimal():
        raise argparse.ArgumentTypeError("must look like A-100=500")
    return article, int(units)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.connector_server", description="A stock system and a carrier."
    )
    parser.add_argument("--port", type=int, default=8790, help="0 takes a free one (default: 8790)")
    parser.add_argument("--token", default="", help="the bearer token that callers must show (default: none)")
    parser.add_argument("--stock", type=_stock, nargs="*", default=[], metavar="ARTICLE=UNITS", help="what is on hand")
    parser.add_argument("--lose-every", type=int, default=0, metavar="N", help="lose each N-th answer after its effect")
    given = parser.parse_args(arguments)
    with ReferenceServer(given.port, given.token, dict(given.stock), given.lose_every) as server:
        address = f"http://127.0.0.1:{server.server_port}"
        sys.stdout.write(f"stock system: {address}/stock   carrier: {address}/carrier   (Ctrl-C ends it)\n")
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()


if __name__ == "__main__":
    main()
