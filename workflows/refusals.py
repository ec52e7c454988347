"""How a refusal crosses the wire: an application error with a type, never a domain exception."""

from temporalio.exceptions import ApplicationError

from models import codec
from models.errors import Refusal
from models.messages.deals import REFUSED


def as_error(refusal: Refusal) -> ApplicationError:
    """The error that callers get; the plain refusal is its first detail."""
    return ApplicationError(refusal.message, codec.encode(refusal), type=REFUSED, non_retryable=True)
