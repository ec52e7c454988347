"""What values of settings look like: each function checks one kind and answers it in the one spelling that we use.

Those that check raise ValueError with what would be right, and without the value: it might be a secret.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import SecretStr

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


def absolute(path: Path) -> Path:
    """A path from the root, with the home folder in the place of ~."""
    return path.expanduser().absolute()


def host_and_port(address: str) -> str:
    """A server's address."""
    host, separator, port = address.rpartition(":")
    if not (separator and host and port.isdecimal() and 0 < int(port) < 65536):
        raise ValueError("must be host:port, such as temporal:7233")
    return address


def with_our_driver(url: str) -> str:
    """The URL with the asynchronous driver that ships with the product; other databases and drivers are refused."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in _DRIVERS:
        raise ValueError("must start with postgresql:// or sqlite:////")
    if scheme.startswith("sqlite") and not rest.startswith("//"):
        raise ValueError("must name an absolute file, with four slashes: sqlite:////var/lib/dealwright/dealwright.db")
    return f"{_DRIVERS[scheme]}://{rest}"


def service_url(url: str) -> str:
    """The base URL of a foreign system, without a slash at its end. In clear over loopback only."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not re.fullmatch(r"[\x21-\x7e]+", url):
        raise ValueError("must be a URL such as https://stock.example.com/dealwright")
    if "@" in parts.netloc:
        raise ValueError("must not hold a user or password; there is a variable for the token")
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise ValueError("must end with its path, as more path is appended to it")
    _ = parts.port  # raises ValueError when it is none
    if parts.scheme == "http" and not on_loopback(parts.hostname):
        raise ValueError("must begin with https://; http:// is for 127.0.0.1, [::1] and localhost only")
    return url.rstrip("/")


def on_loopback(host: str) -> bool:
    """Whether a host is this very machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def bearer(token: SecretStr) -> SecretStr:
    """A token as a header can carry it; a line break that slipped in would otherwise end up in a driver's error."""
    if not re.fullmatch(r"[A-Za-z0-9._~+/-]+=*", token.get_secret_value()):
        raise ValueError("a bearer token has letters, digits and -._~+/ only, and = at its end (RFC 6750)")
    return token


def lower(value: object) -> object:
    """A text in small letters."""
    return value.lower() if isinstance(value, str) else value


def upper(value: object) -> object:
    """A text in capitals."""
    return value.upper() if isinstance(value, str) else value


def with_password(url: str, password: str) -> str:
    """A database's URL with the password in it: never to be logged."""
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    name = user.partition(":")[0]
    return urlunsplit(parts._replace(netloc=f"{name}:{quote(password, safe='')}@{host}"))
