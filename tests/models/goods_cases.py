"""Guards of the fulfilment desk: shortages, shipments, discrepancy acts and amendments, each shown failing."""

from dataclasses import replace

from models.messages.finance import HeadroomResult
from models.parts.amendment import AmendedLine
from models.parts.discrepancy import Discrepancy
from models.parts.shipment import ShipmentLine
from models.policy import GOODS, SPINE
from tests.models.cases import Case, line, offer, order, quoted
from tests.models.samples import ACT, OWED, SENT, WANTED, Sample

FEWER = AmendedLine(
    "quantity", 1, "A-1", quantity_before=10, quantity_after=9, price_before_minor=10_000, price_after_minor=10_000
)


def spine(asked: Sample) -> Sample:
    """The same request on a deal that started under the first rules."""
    return replace(asked, policy=SPINE)


def wanting(asked: Sample, change: AmendedLine, total: int) -> Sample:
    """Another amendment waits for its confirmation."""
    return order(asked, amendments=(replace(WANTED, changes=(change,), total_minor=total),))


def cheaper(asked: Sample, price: int) -> Sample:
    """The new line of the amendment costs less, with 19 % tax."""
    return wanting(asked, replace(WANTED.changes[0], price_after_minor=price), price * 119 // 100)


def older(asked: Sample) -> Sample:
    """The same request on a deal of the second rules, which never credit beyond what is open."""
    return replace(asked, policy=GOODS)


def act(asked: Sample, **changes: object) -> Sample:
    found: Discrepancy = replace(ACT, **changes)  # type: ignore[arg-type]
    return order(asked, discrepancies=(found,))


def wishing(asked: Sample, **change: object) -> Sample:
    return asked.asking(changes=[change])


def twice(asked: Sample) -> Sample:
    first, *rest = asked.payload["lines"]
    return asked.asking(lines=[first, first, *rest])


def equal(asked: Sample) -> Sample:
    assert asked.deal.order
    lines = [
        {"article": o.article, "quantity": o.ordered, "unit_price_minor": o.unit_price_minor}
        for o in asked.deal.order.lines
    ]
    return asked.asking(lines=lines)


def none_of_first(asked: Sample) -> Sample:
    first, *rest = asked.payload["lines"]
    return asked.asking(lines=[first | {"quantity": 0}, *rest])


def two_notes_of_one_article(asked: Sample) -> Sample:
    assert asked.deal.order
    first, second, third = asked.deal.order.lines
    return order(asked, lines=(first, replace(second, article="A-1"), third))


def full(asked: Sample) -> Sample:
    return replace(asked, policy=replace(asked.policy, lines_max=3))


GOODS_CASES = [
    Case("fulfilment_desk_applies", "ordering", "enter_differing_order", spine, "policy 2026.1, rules 1", "a new one"),
    Case("fulfilment_desk_applies", "supporting", "report_discrepancy", spine, "policy 2026.1, rules 1"),
    Case("fulfilment_desk_applies", "supporting", "resume_fulfilment", spine, "policy 2026.1, rules 1"),
    Case("fulfilment_desk_applies", "fulfilling", "request_amendment", spine, "policy 2026.1, rules 1"),
    # shortages
    Case("line_is_on_the_ladder", "fulfilling", "tell_customer", lambda s: line(s, shortage=None), "not short"),
    Case("line_is_on_the_ladder", "fulfilling", "choose_option", lambda s: s.asking(line=9), "not short",
         also=("option_is_open",)),
    Case("date_is_known", "fulfilling", "tell_customer", lambda s: line(s, expected_on="").asking(agrees=True),
         "no date known", "answer_shortage"),
    Case("option_is_open", "fulfilling", "choose_option", lambda s: s.asking(option="analogue"),
         "wait, buy_in, cancel", "answer_shortage, for more options"),
    Case("price_is_protected", "fulfilling", "propose_analogue", lambda s: s.asking(unit_price_minor=10_001),
         "10001 asked, 10000 agreed", "the protected price"),
    # shipments
    Case("shipment_is_known", "fulfilling", "book_carrier_message", lambda s: s.asking(shipment="D-1-S9"),
         "no such shipment", "another number"),
    Case("news_are_consistent", "fulfilling", "book_carrier_message", lambda s: order(s.asking(kind="delivered"),
         shipments=(replace(SENT, state="returned", told_at="2026-01-06T09:00:00Z"),)),
         "the shipment was returned at 2026-01-06T09:00:00Z", "look into it"),
    Case("news_are_consistent", "supporting", "book_carrier_message", lambda s: order(s.asking(kind="returned"),
         shipments=(replace(SENT, state="delivered", delivered_at="2026-01-07T09:00:00Z"),)),
         "the shipment was delivered at 2026-01-07T09:00:00Z"),
    # discrepancy acts
    Case("units_were_delivered", "supporting", "report_discrepancy",
         lambda s: s.asking(shipment="", lines=[{"line": 1, "quantity": 11}, {"line": 9, "quantity": 1}]),
         "line 1: 11 told, 10 delivered; line 9: 1 told, 0 delivered", "deliver"),
    Case("units_were_delivered", "supporting", "report_discrepancy",
         lambda s: act(s).asking(lines=[{"line": 1, "quantity": 9}]), "line 1: 9 told, 8 delivered"),
    Case("shipment_fits", "supporting", "report_discrepancy", lambda s: s.asking(shipment="D-1-S9"),
         "no such shipment", "another shipment"),
    Case("shipment_fits", "supporting", "report_discrepancy",
         lambda s: order(s, shipments=(replace(SENT, lines=(ShipmentLine(1, 10, 1),)),)),
         "it did not bring so much of lines 1"),
    Case("discrepancy_is_open", "supporting", "settle_discrepancy", lambda s: s.asking(act=2), "no such act"),
    Case("discrepancy_is_open", "supporting", "settle_discrepancy", lambda s: act(s, state="settled"), "settled",
         "one decision is enough"),
    Case("measure_fits", "supporting", "settle_discrepancy", lambda s: act(s, is_back=True),
         "credit_note of what came back", "another measure"),
    Case("measure_fits", "supporting", "settle_discrepancy",
         lambda s: act(s, is_back=True).asking(measure="acceptance"), "acceptance of what came back"),
    Case("credit_fits_the_goods", "supporting", "settle_discrepancy", lambda s: older(s).given(receivables=(OWED,)),
         "23800 to credit, 10000 open on R-1", "pays back first"),
    Case("credit_fits_the_goods", "supporting", "settle_discrepancy",
         lambda s: older(s).asking(invoice="R-8", measure="return"), "no invoice R-8"),
    Case("credit_fits_the_goods", "supporting", "settle_discrepancy",
         lambda s: order(older(s), shipments=(replace(SENT, invoice=""),)), "no invoice of these goods; name one"),
    Case("credit_fits_the_goods", "supporting", "settle_discrepancy",
         lambda s: line(older(s), unit_price_minor=0), "0 to credit"),
    Case("credit_fits_the_goods", "supporting", "settle_discrepancy",
         lambda s: order(line(older(s).asking(measure="return").given(receivables=()), shipped=8, delivered=8,
                              prebilled=2, state="open"), discrepancies=(replace(ACT, is_back=True),)),
         "23800 minor units invoiced, 0 open"),
    Case("no_discrepancy_is_open", "supporting", "complete", lambda s: order(s, discrepancies=(ACT,)), "acts 1",
         "settle_discrepancy"),
    Case("no_discrepancy_is_open", "supporting", "default", lambda s: order(s, discrepancies=(ACT,)), "acts 1"),
    Case("billed_goods_can_be_credited", "fulfilling", "cancel_line", lambda s: line(older(s), prebilled=3),
         "35700 minor units invoiced, 0 open", "pays back first"),
    Case("something_is_open", "supporting", "resume_fulfilment",
         lambda s: line(s, shipped=10, delivered=10, state="delivered"), "nothing"),
    # amendments
    Case("no_amendment_pending", "fulfilling", "request_amendment", lambda s: order(s, amendments=(WANTED,)),
         "amendment 1 waits", "confirm_amendment"),
    Case("no_amendment_pending", "supporting", "complete", lambda s: order(s, amendments=(WANTED,)),
         "amendment 1 waits"),
    Case("no_amendment_pending", "ordering", "enter_differing_order", lambda s: order(s, amendments=(WANTED,)),
         "amendment 1 waits"),
    Case("changes_are_possible", "fulfilling", "request_amendment", lambda s: wishing(s, kind="drop", line=9),
         "line 9: no such line", "other changes"),
    Case("changes_are_possible", "fulfilling", "request_amendment", lambda s: line(
        wishing(s, kind="quantity", line=1, quantity=3), shipped=4, reserved=6),
         "line 1: 3 asked, 4 are shipped, cancelled or substituted"),
    Case("changes_are_possible", "fulfilling", "request_amendment", lambda s: line(
        wishing(s, kind="drop", line=1), shipped=10, reserved=0, state="shipped"), "line 1: nothing of it is open"),
    Case("changes_are_possible", "fulfilling", "request_amendment",
         lambda s: wishing(s, kind="price", line=1, unit_price_minor=10_000), "line 1: that is what stands there"),
    Case("changes_are_possible", "fulfilling", "request_amendment",
         lambda s: wishing(s, kind="quantity", line=1, quantity=10), "line 1: that is what stands there"),
    Case("changes_are_possible", "fulfilling", "request_amendment",
         lambda s: wishing(s, kind="payment_days", text="61"), "61 payment days asked, 60 granted"),
    Case("changes_are_possible", "fulfilling", "request_amendment",
         lambda s: offer(wishing(s, kind="payment_days", text="5"), prepaid=True),
         "a prepaid order has no payment days"),
    Case("changes_are_possible", "fulfilling", "request_amendment", full, "4 lines, at most 3"),
    Case("entry_differs", "ordering", "enter_differing_order", equal, "0 differences", "enter_order"),
    Case("entry_differs", "ordering", "enter_differing_order", twice, "an article stands in more than one line"),
    Case("entry_differs", "ordering", "enter_differing_order", two_notes_of_one_article,
         "an article stands in more than one line"),
    Case("entry_differs", "ordering", "enter_differing_order", none_of_first, "quantity must be from 1"),
    Case("entry_differs", "ordering", "enter_differing_order", lambda s: s.asking(payment_days=61),
         "61 payment days asked, 60 granted"),
    Case("added_articles_are_listed", "fulfilling", "request_amendment", lambda s: quoted(s, known=False), "A-1",
         "import products"),
    Case("amendment_is_requested", "fulfilling", "confirm_amendment", lambda s: order(s, amendments=()), "none",
         "request_amendment", also=("amendment_still_fits",)),
    Case("amendment_is_requested", "fulfilling", "decline_amendment",
         lambda s: order(s, amendments=(replace(WANTED, state="declined"),)), "none"),
    Case("amendment_still_fits", "fulfilling", "confirm_amendment", lambda s: wanting(s, FEWER, -11_899),
         "-11900 minor units now, -11899 when it was reckoned", "decline it and ask anew"),
    Case("amendment_still_fits", "fulfilling", "confirm_amendment", lambda s: line(
        wanting(s, replace(FEWER, quantity_after=3), -83_300), shipped=4, reserved=6),
         "line 1: 3 asked, 4 are shipped"),
    Case("amendment_within_authority", "fulfilling", "confirm_amendment", lambda s: cheaper(s, 8_800),
         "12.00 % discount, 5.00 % allowed", "head_of_sales: confirm_amendment"),
    Case("amendment_within_authority", "fulfilling", "confirm_amendment", lambda s: cheaper(s, 6_100),
         "below the margin floor of 8.00 %", "a higher price"),
    Case("amendment_within_authority", "fulfilling", "confirm_amendment", lambda s: cheaper(s, 7_000),
         "30.00 % discount, 5.00 % allowed", "a smaller discount"),
    Case("prepaid_money_is_kept", "fulfilling", "confirm_amendment",
         lambda s: offer(wanting(older(s), FEWER, -11_900), prepaid=True), "11900 to give back, 0 unpaid",
         "pays it back"),
    Case("headroom_for_amendment", "fulfilling", "confirm_amendment",
         lambda s: replace(s, facts=s.facts.told(HeadroomResult(False, 100, 99))), "limit 100, used 99",
         "risk_officer: a higher credit limit"),
]  # fmt: skip
