"""The deal's transition table (domain, section 2): the one place that says what may happen to a deal, and by whom."""

from models.lifecycle.roles import ENGINE, GOODS, HEADS, MONEY, SALES, SALES_AND_MACHINES, Role
from models.lifecycle.states import DealState as S
from models.lifecycle.states import Stage
from models.lifecycle.table import STAYS, Row, Table

_OPEN = S.open()
_ALL = tuple(S)
_AFTER_CONTRACT = (S.ORDERING, S.FULFILLING, S.SUPPORTING)
_DELIVERING = (S.FULFILLING, S.SUPPORTING)
_RUNNING = S.of(Stage.PROSPECTING, Stage.NEGOTIATION, Stage.CONTRACT)
_SELLERS = SALES_AND_MACHINES | {Role.HEAD_OF_SALES}
_LEGAL = frozenset({Role.LEGAL})
_RISK = frozenset({Role.RISK_OFFICER})
_RISK_OR_DIRECTOR = frozenset({Role.RISK_OFFICER, Role.COMMERCIAL_DIRECTOR})
_SUPPORT = frozenset({Role.SALES_SUPPORT, Role.AUTOMATION})
_HOLDERS = frozenset(
    {Role.RISK_OFFICER, Role.ACCOUNTS_RECEIVABLE, Role.LEGAL, Role.HEAD_OF_SALES, Role.COMMERCIAL_DIRECTOR}
)
_SIGNERS = SALES | HEADS | {Role.AUTOMATION}
_CARE = SALES_AND_MACHINES | {Role.SALES_SUPPORT}


def _row(
    action: str,
    sources: tuple[str, ...] | str,
    target: str,
    roles: frozenset[Role],
    *guards: str,
    summary: str,
) -> Row:
    where = (sources,) if isinstance(sources, str) else tuple(sources)
    return Row(action, where, target, roles, guards, summary)


_EVERYWHERE = (
    _row("hold", _OPEN, STAYS, _HOLDERS | ENGINE, summary="Put the deal on hold with a reason"),
    _row("resume", _OPEN, STAYS, _HOLDERS | ENGINE, "is_on_hold", summary="Lift a hold"),
    _row("reassign", _OPEN, STAYS, HEADS, summary="Give the deal to another account manager"),
    _row("note", _OPEN, STAYS, _SELLERS | {Role.SALES_SUPPORT, Role.LEGAL}, summary="Write down a remark"),
    _row("remind", _OPEN, STAYS, ENGINE, "agenda_item_due", summary="Remind whoever the deal waits for"),
    _row("escalate", _OPEN, STAYS, ENGINE, "agenda_item_due", summary="Tell the next level that a deadline passed"),
    _row("file_document", _ALL, STAYS, ENGINE, "effect_is_pending", summary="File a printed document"),
    _row("file_letter", _ALL, STAYS, ENGINE, "effect_is_pending", summary="File a letter that was sent"),
    _row("finish_effect", _ALL, STAYS, ENGINE, "effect_is_pending", summary="Take note that a duty was done"),
)

_PROSPECTING = (
    _row("log_contact", (S.IDENTIFIED, S.CONTACTED), S.CONTACTED, _SELLERS, summary="Log a contact and its outcome"),
    _row("record_needs", S.CONTACTED, STAYS, _SELLERS, summary="Record what the customer needs"),
    _row("qualify", S.CONTACTED, S.QUALIFIED, _SELLERS, "needs_are_recorded", summary="Declare the prospect qualified"),
    _row("request_check", S.QUALIFIED, S.RELIABILITY_CHECK, _SELLERS, summary="Ask for the reliability check"),
    _row("lose", _RUNNING, S.LOST, _SELLERS, "lost_to_is_told", summary="Give the deal up, with the reason"),
)

_RELIABILITY = (
    _row(
        "pass_check",
        S.RELIABILITY_CHECK,
        S.PREPARING_OFFER,
        ENGINE,
        "effect_is_pending",
        "class_passes",
        summary="Class A or B: go on",
    ),
    _row(
        "refer_check",
        S.RELIABILITY_CHECK,
        S.RELIABILITY_REVIEW,
        ENGINE,
        "effect_is_pending",
        "class_needs_review",
        summary="Class C or D: a person decides",
    ),
    _row(
        "reject_check",
        S.RELIABILITY_CHECK,
        S.REJECTED,
        ENGINE,
        "effect_is_pending",
        "class_is_rejected",
        summary="Class E: no business",
    ),
    _row(
        "approve_reliability",
        S.RELIABILITY_REVIEW,
        S.PREPARING_OFFER,
        _RISK_OR_DIRECTOR,
        "four_eyes",
        "class_d_needs_director",
        summary="Accept the risk, with terms",
    ),
    _row("reject", S.RELIABILITY_REVIEW, S.REJECTED, _RISK_OR_DIRECTOR, "four_eyes", summary="Refuse the customer"),
    _row(
        "recheck_reliability",
        (S.PREPARING_OFFER, S.DRAFTING_CONTRACT),
        S.RELIABILITY_CHECK,
        _SELLERS | _RISK,
        summary="Check again: the order grew or the check is too old",
    ),
)

_NEGOTIATION = (
    _row(
        "draft_offer",
        S.PREPARING_OFFER,
        STAYS,
        _SELLERS,
        "articles_are_listed",
        "discount_is_possible",
        "margin_is_kept",
        "total_is_plausible",
        "validity_is_ahead",
        summary="Write a new version of the offer",
    ),
    _row(
        "request_approval",
        S.PREPARING_OFFER,
        S.OFFER_APPROVAL,
        _SELLERS,
        "offer_is_drafted",
        "approval_is_needed",
        summary="Ask for a discount beyond one's authority",
    ),
    _row(
        "approve_offer",
        S.OFFER_APPROVAL,
        S.PREPARING_OFFER,
        HEADS,
        "four_eyes",
        "discount_within_approver",
        summary="Approve exactly this version of the offer",
    ),
    _row("decline_offer", S.OFFER_APPROVAL, S.PREPARING_OFFER, HEADS, "four_eyes", summary="Decline the discount"),
    _row("withdraw_approval", S.OFFER_APPROVAL, S.PREPARING_OFFER, _SELLERS, summary="Take the request back"),
    _row(
        "send_offer",
        S.PREPARING_OFFER,
        S.OFFER_OPEN,
        _SELLERS,
        "offer_is_drafted",
        "offer_not_expired",
        "discount_within_authority",
        "reliability_is_fresh",
        "not_on_hold",
        summary="Send the offer to the customer",
    ),
    _row("object", S.OFFER_OPEN, STAYS, _SELLERS, summary="Record an objection with cause and answer"),
    _row("counter", S.OFFER_OPEN, S.PREPARING_OFFER, _SELLERS, summary="Record the customer's counter-offer"),
    _row("expire", S.OFFER_OPEN, S.PREPARING_OFFER, ENGINE, "agenda_item_due", summary="The offer's validity ended"),
    _row(
        "accept_offer",
        S.OFFER_OPEN,
        S.DRAFTING_CONTRACT,
        _SELLERS,
        "offer_not_expired",
        "reliability_is_fresh",
        "not_on_hold",
        "headroom_is_available",
        summary="Record the customer's acceptance",
    ),
)

_CONTRACT = (
    _row(
        "redraft_contract", S.DRAFTING_CONTRACT, STAYS, _SELLERS | _LEGAL, "contract_is_drafted", summary="New version"
    ),
    _row(
        "send_contract",
        S.DRAFTING_CONTRACT,
        S.AWAITING_SIGNATURES,
        _SELLERS,
        "contract_is_drafted",
        "clauses_are_standard",
        "signing_within_authority",
        summary="Send a standard contract for signature",
    ),
    _row(
        "submit_contract",
        S.DRAFTING_CONTRACT,
        S.CONTRACT_APPROVAL,
        _SELLERS,
        "contract_is_drafted",
        summary="Ask legal to review the contract",
    ),
    _row(
        "approve_contract",
        S.CONTRACT_APPROVAL,
        S.AWAITING_SIGNATURES,
        _LEGAL | HEADS,
        "four_eyes",
        "special_clauses_need_legal",
        summary="Release the contract for signature",
    ),
    _row("return_contract", S.CONTRACT_APPROVAL, S.DRAFTING_CONTRACT, _LEGAL | HEADS, summary="Ask for changes"),
    _row(
        "raise_disagreement",
        (S.DRAFTING_CONTRACT, S.RESOLVING_DISAGREEMENTS, S.AWAITING_SIGNATURES),
        S.RESOLVING_DISAGREEMENTS,
        _SELLERS | _LEGAL,
        "contract_is_drafted",
        summary="Add a clause to the protocol of disagreements",
    ),
    _row(
        "settle_disagreement",
        S.RESOLVING_DISAGREEMENTS,
        STAYS,
        _SELLERS | _LEGAL,
        "disagreement_is_open",
        summary="Record how a clause was settled",
    ),
    _row(
        "close_protocol",
        S.RESOLVING_DISAGREEMENTS,
        S.DRAFTING_CONTRACT,
        _SELLERS | _LEGAL,
        "disagreements_are_settled",
        summary="Redraft with all clauses settled",
    ),
    _row(
        "sign",
        S.AWAITING_SIGNATURES,
        STAYS,
        _SIGNERS,
        "side_has_not_signed",
        "document_is_current",
        "signing_within_authority",
        "not_on_hold",
        summary="Record a signature of one side",
    ),
    _row(
        "conclude_contract",
        S.AWAITING_SIGNATURES,
        S.ORDERING,
        ENGINE,
        "both_sides_signed",
        summary="Both sides signed",
    ),
)

_FULFILMENT = (
    _row("accept_order", S.ORDERING, STAYS, SALES_AND_MACHINES, "order_not_accepted", summary="Accept the order"),
    _row(
        "enter_order",
        S.ORDERING,
        S.FULFILLING,
        _SUPPORT,
        "order_is_accepted",
        "entry_matches_contract",
        "reliability_is_fresh",
        "not_on_hold",
        summary="Enter the order, checked against the contract",
    ),
    _row(
        "book_reservation", S.FULFILLING, STAYS, ENGINE, "effect_is_pending", summary="Take note of what was reserved"
    ),
    _row("expire_reservation", S.FULFILLING, STAYS, ENGINE, "agenda_item_due", summary="A reservation ran out"),
    _row(
        "retry_reservation",
        S.FULFILLING,
        STAYS,
        ENGINE | GOODS | SALES,
        "a_line_is_short",
        summary="Try to reserve again",
    ),
    _row(
        "escalate_shortage",
        S.FULFILLING,
        STAYS,
        ENGINE | SALES_AND_MACHINES,
        "line_is_short",
        summary="Ask logistics for an out-of-stock line",
    ),
    _row(
        "answer_shortage",
        S.FULFILLING,
        STAYS,
        GOODS | {Role.PRODUCTION},
        "line_is_short",
        summary="Logistics answers: date, quantity or no",
    ),
    _row(
        "propose_analogue",
        S.FULFILLING,
        STAYS,
        SALES_AND_MACHINES,
        "line_is_short",
        "articles_are_listed",
        summary="Propose a substitute article at a protected price",
    ),
    _row(
        "accept_analogue",
        S.FULFILLING,
        STAYS,
        SALES_AND_MACHINES,
        "analogue_is_proposed",
        summary="Record the customer's consent to the substitute",
    ),
    _row(
        "decline_analogue",
        S.FULFILLING,
        STAYS,
        SALES_AND_MACHINES,
        "analogue_is_proposed",
        summary="Record that the customer declined the substitute",
    ),
    _row("cancel_line", S.FULFILLING, STAYS, SALES | HEADS, "line_is_open", summary="Cancel what is open of a line"),
    _row(
        "ship",
        S.FULFILLING,
        STAYS,
        GOODS,
        "contract_is_signed",
        "not_on_hold",
        "prepayment_is_settled",
        "quantities_are_reserved",
        summary="Send reserved goods off",
    ),
    _row("book_shipment", S.FULFILLING, STAYS, ENGINE, "effect_is_pending", summary="Take note of what left"),
    _row("deliver", S.FULFILLING, STAYS, GOODS, "quantities_are_shipped", summary="Record a delivery"),
    _row(
        "deliver_all",
        S.FULFILLING,
        S.SUPPORTING,
        ENGINE,
        "nothing_is_open",
        "something_was_delivered",
        summary="Every line is done",
    ),
    _row(
        "close_short",
        S.FULFILLING,
        S.SUPPORTING,
        SALES | HEADS,
        "something_was_delivered",
        "nothing_on_the_way",
        summary="Cancel the rest and go to support",
    ),
    _row(
        "cancel",
        (S.ORDERING, S.FULFILLING),
        S.CANCELLED,
        SALES | HEADS,
        "nothing_was_shipped",
        "nothing_was_paid",
        "effects_are_done",
        summary="Cancel the order and give everything back",
    ),
)

_RECEIVABLES = (
    _row("book_invoice", _AFTER_CONTRACT, STAYS, ENGINE, "effect_is_pending", summary="Take note of an invoice"),
    _row(
        "record_payment",
        _AFTER_CONTRACT,
        STAYS,
        MONEY,
        "invoice_is_known",
        "currency_matches",
        summary="Record money that came in",
    ),
    _row(
        "advance_collection",
        _AFTER_CONTRACT,
        STAYS,
        ENGINE,
        "agenda_item_due",
        "invoice_is_open",
        summary="Go to the next rung of the collection ladder",
    ),
    _row(
        "dispute",
        _AFTER_CONTRACT,
        STAYS,
        MONEY | SALES,
        "invoice_is_open",
        "amount_within_open",
        summary="Freeze a disputed amount",
    ),
    _row(
        "settle_dispute",
        _AFTER_CONTRACT,
        STAYS,
        MONEY | HEADS,
        "dispute_is_open",
        summary="End a dispute with a credit or by rejecting it",
    ),
    _row(
        "promise_to_pay",
        _AFTER_CONTRACT,
        STAYS,
        MONEY | SALES,
        "invoice_is_open",
        "amount_within_open",
        "date_is_ahead",
        summary="Record the customer's promise to pay",
    ),
    _row(
        "break_promise",
        _AFTER_CONTRACT,
        STAYS,
        ENGINE,
        "agenda_item_due",
        "invoice_is_open",
        summary="The promised money did not come",
    ),
    _row(
        "request_write_off",
        _AFTER_CONTRACT,
        STAYS,
        MONEY,
        "invoice_is_open",
        "no_request_pending",
        summary="Ask to give up an open amount",
    ),
    _row(
        "approve_write_off",
        _AFTER_CONTRACT,
        STAYS,
        HEADS,
        "write_off_is_requested",
        "four_eyes",
        "write_off_within_authority",
        summary="Give up an open amount",
    ),
    _row(
        "decline_write_off",
        _AFTER_CONTRACT,
        STAYS,
        HEADS,
        "write_off_is_requested",
        "four_eyes",
        summary="Keep collecting",
    ),
    _row(
        "credit", _AFTER_CONTRACT, STAYS, HEADS, "invoice_is_open", "amount_within_open", summary="Issue a credit note"
    ),
)

_SUPPORT_STAGE = (
    _row("record_feedback", _DELIVERING, STAYS, _CARE, summary="Record what the customer says"),
    _row("open_case", _DELIVERING, STAYS, _CARE, "lines_are_known", summary="Open a complaint case"),
    _row(
        "decide_case",
        _DELIVERING,
        STAYS,
        SALES | HEADS,
        "case_is_open",
        "credit_fits_an_invoice",
        summary="Decide a complaint: replace, credit or refuse",
    ),
    _row("close_case", _DELIVERING, STAYS, _CARE, "case_is_decided", summary="Close a complaint case"),
    _row("follow_up", S.SUPPORTING, STAYS, ENGINE, "agenda_item_due", summary="Ask the customer how it went"),
    _row(
        "complete",
        S.SUPPORTING,
        S.COMPLETED,
        SALES_AND_MACHINES | ENGINE,
        "receivables_are_settled",
        "no_case_is_open",
        "effects_are_done",
        summary="Close a deal that is delivered, paid and supported",
    ),
    _row(
        "default",
        S.SUPPORTING,
        S.DEFAULTED,
        ENGINE | HEADS,
        "something_was_written_off",
        "receivables_are_settled",
        "effects_are_done",
        summary="Close a deal whose money was given up",
    ),
)

DEAL = Table(
    name="deal",
    states=tuple(S),
    initial=S.IDENTIFIED,
    terminal=frozenset(S.terminal()),
    rows=_EVERYWHERE
    + _PROSPECTING
    + _RELIABILITY
    + _NEGOTIATION
    + _CONTRACT
    + _FULFILMENT
    + _RECEIVABLES
    + _SUPPORT_STAGE,
)
