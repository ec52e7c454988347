"""Files that exports are written to: whole or not at all, and packed when their name ends with .gz."""

import gzip
import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, cast

_MODE = 0o640
"""What is exported are trade secrets: not for everybody on the machine."""


class ExportFile:
    """A file that takes its name only when everything is in it: what stood there before stands until then."""

    def __init__(self, path: Path) -> None:
        self._path = path
        handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
        self._part = Path(name)
        self._raw = os.fdopen(handle, "wb")
        self._out: BinaryIO = self._raw
        if path.name.endswith(".gz"):
            # neither name nor time of packing: the same deals give the same file
            self._out = cast(BinaryIO, gzip.GzipFile("", "wb", fileobj=self._raw, mtime=0))

    def write(self, text: str) -> None:
        """Add text, in UTF-8."""
        self._out.write(text.encode())

    def __enter__(self) -> "ExportFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the file its name, or remove it after an exception."""
        try:
            if self._out is not self._raw:
                self._out.close()
            if kind is None:
                self._raw.flush()
                os.fchmod(self._raw.fileno(), _MODE)
                os.fsync(self._raw.fileno())
                os.replace(self._part, self._path)
        finally:
            self._raw.close()
            self._part.unlink(missing_ok=True)
