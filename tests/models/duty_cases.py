"""What shows the guards that keep duties apart: the same person did the other half before."""

from models.parts.duty import Done
from tests.models.cases import Case, Change
from tests.models.samples import Sample

SUPPORTING = "supporting"


def did(duty: str, action: str, role: str = "") -> Change:
    """The deal remembers that who asks now, the person with `role` if one is named, did a duty in its fourth entry."""

    def change(asked: Sample) -> Sample:
        asked = asked.by(role) if role else asked
        return asked.given(did=(Done(duty, action, 4, ("u-x", asked.actor.user)),))

    return change


ANOTHER = "another person with the role"
DUTY_CASES = [
    Case("order_entry_is_apart", "ordering", "enter_order", did("credit_note", "credit", "sales_support"),
         "order_entry_and_credit_note: u-sales_support did credit in entry 4", ANOTHER),
    Case("order_entry_is_apart", "ordering", "enter_differing_order",
         did("credit_note", "grant_credit", "sales_support"), "did grant_credit in entry 4", ANOTHER),
    Case("goods_release_is_apart", "fulfilling", "ship", did("order_entry", "enter_order", "logistics_manager"),
         "order_entry_and_goods_release: u-logistics_manager did enter_order in entry 4", ANOTHER),
    Case("goods_release_is_apart", "fulfilling", "ship",
         did("payment_booking", "record_payment", "logistics_manager"),
         "goods_release_and_payment", ANOTHER),
    Case("invoicing_is_apart", "fulfilling", "reach_milestone", did("payment_booking", "record_payment"),
         "invoicing_and_payment", ANOTHER),
    Case("payment_booking_is_apart", SUPPORTING, "record_payment", did("goods_release", "ship"),
         "goods_release_and_payment: u-accounts_receivable did ship in entry 4", ANOTHER),
    Case("payment_booking_is_apart", SUPPORTING, "reverse_payment", did("relief_approval", "approve_write_off"),
         "payment_and_relief", ANOTHER),
    Case("credit_note_is_apart", SUPPORTING, "credit", did("order_entry", "enter_order"),
         "order_entry_and_credit_note", ANOTHER),
    Case("credit_note_is_apart", SUPPORTING, "grant_credit", did("payment_booking", "record_payment"),
         "payment_and_credit_note", ANOTHER),
    *(
        Case("relief_approval_is_apart", SUPPORTING, f"approve_{what}", did("payment_booking", "record_payment"),
             "payment_and_relief: u-", ANOTHER)
        for what in ("write_off", "waiver", "legal")
    ),
]  # fmt: skip
