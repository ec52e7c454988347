"""Ports of this machine: whoever chooses one has it from then on, so that nobody takes it before it is used."""

from __future__ import annotations

import errno
import socket

from infra.settings import Settings

BACKLOG = 2048  # connections that wait while the API is started again


class CannotListen(Exception):
    """The address that the settings name can't be listened on."""


def hold(ip: str, port: int = 0) -> socket.socket:
    """A socket on a port, by default any free one, that keeps it from being chosen by others. Raises OSError.

    It never listens: on Linux another socket may then listen there if it asks for the very number and for reuse, as
    programs in Go do. Elsewhere the port must be let go first.
    """
    held = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        held.bind((ip, port))
    except OSError:
        held.close()
        raise
    return held


def listen(settings: Settings) -> socket.socket:
    """A listening socket on the API's address, loopback unless the settings say otherwise; port 0 takes a free one.
    Raises CannotListen."""
    host, port = settings.api_host, settings.api_port
    try:
        listening = hold(host, port)
        try:
            listening.listen(BACKLOG)
        except OSError:
            listening.close()
            raise
    except OSError as problem:
        if problem.errno == errno.EADDRINUSE:
            raise CannotListen(f"DEALWRIGHT_API_PORT: port {port} of {host} is taken by another program") from None
        named = f"DEALWRIGHT_API_PORT: port {port} of {host}" if port else f"DEALWRIGHT_API_HOST: {host}"
        raise CannotListen(f"{named} can't be listened on: {problem.strerror}") from None
    return listening


def address_of(listening: socket.socket) -> str:
    """The address for people and programs, such as http://127.0.0.1:8080."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
