"""How payloads cross the wire to Temporal: pydantic JSON for dataclasses, one converter for the whole process, and
encryption as the settings say."""

from dataclasses import replace

from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
)

from infra.payload_cipher import KeyRing, PayloadCipher
from infra.settings import Settings

_JSON = PydanticJSONPlainPayloadConverter()


class SharedPayloadConverter(CompositePayloadConverter):
    """The SDK's pydantic converter, built once.

    The SDK makes a converter for every workflow instance it keeps, and pydantic's builds its adapters anew each
    time: 0.04 MB and a tenth of the work of opening a deal, measured.
    """

    def __init__(self) -> None:
        """The default converters in their order, with the shared one in the place of plain JSON."""
        usual = DefaultPayloadConverter.default_encoding_payload_converters
        super().__init__(*(_JSON if isinstance(each, JSONPlainPayloadConverter) else each for each in usual))


DATA_CONVERTER = DataConverter(payload_converter_class=SharedPayloadConverter)
"""The data converter without encryption."""


def cipher_of(settings: Settings) -> PayloadCipher | None:
    """The codec of this installation's payloads, None when they are plain."""
    return None if settings.payloads == "plain" else PayloadCipher(KeyRing(settings.keys_dir), settings.payloads)


def converter_of(settings: Settings) -> DataConverter:
    """The data converter of every client, worker and replayer of this installation."""
    cipher = cipher_of(settings)
    if cipher is None:
        return DATA_CONVERTER
    failures = DefaultFailureConverterWithEncodedAttributes
    return replace(DATA_CONVERTER, payload_codec=cipher, failure_converter_class=failures)
