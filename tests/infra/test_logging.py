"""Where the log goes: never among a command's results."""

from collections.abc import Iterator

import pytest
import structlog

from infra.logging import log_to_stderr


@pytest.fixture(autouse=True)
def configuration_put_back() -> Iterator[None]:
    before = structlog.get_config()
    structlog.reset_defaults()
    yield
    structlog.configure(**before)


def test_it_keeps_off_stdout_even_where_somebody_configured_only_how_it_looks(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`capture_logs` of structlog 26.1 does so; a command in its process then told of its log before its JSON."""
    structlog.configure(processors=structlog.get_config()["processors"])
    log_to_stderr()
    structlog.get_logger().warning("a_letter_is_late")
    told = capsys.readouterr()
    assert ("a_letter_is_late" in told.err, told.out) == (True, "")


def test_who_chose_a_place_keeps_it(capsys: pytest.CaptureFixture[str]) -> None:
    lines: list[str] = []

    class Kept:
        def msg(self, line: str) -> None:
            lines.append(line)

        warning = msg

    structlog.configure(logger_factory=lambda *_: Kept())
    log_to_stderr()
    structlog.get_logger().warning("a_letter_is_late")
    assert "a_letter_is_late" in lines[0]
    assert capsys.readouterr().out == ""
