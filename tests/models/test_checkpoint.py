"""Checkpoints as signed notes: what was written reads back, and what is no note is refused with a reason."""

import base64

import pytest

from models.checkpoint import Head, NotACheckpoint, SignatureLine, key_hash, note, read_note

HEAD = Head("example.com/log", 7, "ab" * 32, "2026-01-05T08:00:00Z")
LINE = SignatureLine("example.com/log", "0a0b0c0d", b"s" * 64)


def test_a_note_reads_back():
    text = note(HEAD, (LINE, LINE))
    assert read_note(text) == (HEAD, (LINE, LINE))
    assert text.startswith(HEAD.text() + "\n\N{EM DASH} example.com/log ")


def test_the_short_hash_of_a_key_is_that_of_signed_notes():
    # the example key PeterNeumann+c74f20a3+... of pkg.go.dev/golang.org/x/mod/sumdb/note
    packed = base64.b64decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    assert packed[:1] == b"\x01"
    assert key_hash("PeterNeumann", packed[1:]) == "c74f20a3"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty line"),
        ("a\n1\n\n", "lacks"),
        (note(HEAD, ()).replace("at 2026", "on 2026"), "lacks"),
        (note(HEAD, ()).replace("\n7\n", "\n07\n"), "malformed"),
        (note(HEAD, ()).replace("\n7\n", "\n-7\n"), "malformed"),
        (note(HEAD, ()).replace("q6ur", "q6u"), "base64|bytes"),
        (note(HEAD, ()) + "no signature\n", "signature line"),
        (note(HEAD, ()) + "\N{EM DASH} name AAAA\n", "3 bytes"),
    ],
)
def test_what_is_no_checkpoint_is_refused_with_a_reason(text, why):
    with pytest.raises(NotACheckpoint, match=why):
        read_note(text)
