"""The settings of the mail server: none needed, and none that would send a password in clear."""

import pytest

from infra.gateways.letter_office import dispatcher_of, letterhead_of, smtp_server_of
from infra.gateways.letter_pdf import Letterhead
from infra.settings import PREFIX, SettingsError, load_settings


def test_without_a_mail_server_letters_wait():
    assert load_settings().smtp_host is None


def test_a_mail_server_with_its_secret_unprinted():
    settings = load_settings(
        smtp_host="mail.example", smtp_from="us@example.org", smtp_user="us", smtp_password="hush", smtp_tls="TLS"
    )
    assert (settings.smtp_port, settings.smtp_tls) == (587, "tls")
    assert "hush" not in repr(settings)
    assert settings.smtp_password is not None
    assert settings.smtp_password.get_secret_value() == "hush"


def test_what_the_settings_make(database, tmp_path):
    assert dispatcher_of(load_settings(data_dir=tmp_path), database) is None
    settings = load_settings(
        data_dir=tmp_path,
        smtp_host="mail.example",
        smtp_from="us@example.org",
        letter_sender="Nordwind GmbH | Hafenstraße 12 | 20457 Hamburg",
        letter_footer="HRB 12345|",
    )
    dispatcher = dispatcher_of(settings, database)
    assert dispatcher is not None
    assert (dispatcher.folder, dispatcher.domain) == (tmp_path / "outbox", "example.org")
    assert letterhead_of(settings) == Letterhead("Nordwind GmbH", ("Hafenstraße 12", "20457 Hamburg"), ("HRB 12345",))
    server = smtp_server_of(settings)
    assert server is not None
    assert (server.tls, server.port, server.sender_name) == ("starttls", 587, "Nordwind GmbH")
    assert letterhead_of(load_settings()) == Letterhead()


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"smtp_host": "mail.example"}, "SMTP_FROM"),
        ({"smtp_host": "mail.example", "smtp_from": "nobody"}, "SMTP_FROM"),
        ({"smtp_user": "us"}, "SMTP_PASSWORD"),
        ({"smtp_password": "hush"}, "SMTP_PASSWORD"),
        ({"smtp_port": 0}, "SMTP_PORT"),
        ({"smtp_tls": "maybe"}, "SMTP_TLS"),
        (
            {
                "smtp_host": "mail.example",
                "smtp_from": "us@example.org",
                "smtp_user": "us",
                "smtp_password": "hush",
                "smtp_tls": "none",
            },
            "SMTP_TLS",
        ),
    ],
)
def test_refused(given, named):
    with pytest.raises(SettingsError) as caught:
        load_settings(**given)
    (problem,) = caught.value.problems
    assert problem.startswith(f"{PREFIX}{named}: ")
    assert "hush" not in problem
