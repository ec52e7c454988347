"""Transition tables of the parts of a deal: order line, receivable, complaint, approval, shipment and so on.

Their moves are consequences of acts on the deal, so roles are those of the deal's rows.
"""

from models.lifecycle.roles import ENGINE, GOODS, HEADS, MONEY, SALES, SALES_AND_MACHINES, Role
from models.lifecycle.states import AmendmentState as M
from models.lifecycle.states import ApprovalState as A
from models.lifecycle.states import ComplaintState as C
from models.lifecycle.states import DiscrepancyState as D
from models.lifecycle.states import LineState as L
from models.lifecycle.states import ReceivableState as R
from models.lifecycle.states import ShipmentState as S
from models.lifecycle.table import STAYS, Row, Table

_LINE_ENDS = SALES | HEADS | ENGINE
_BOOKERS = MONEY | HEADS | SALES
_CARE = SALES_AND_MACHINES | {Role.SALES_SUPPORT}

LINE = Table(
    name="order_line",
    states=tuple(L),
    initial=L.OPEN,
    terminal=frozenset(s for s in L if s.is_terminal),
    rows=(
        Row("reserve", (L.OPEN, L.SHORT, L.RESERVED), L.RESERVED, ENGINE, summary="All that is open is reserved"),
        Row("run_short", (L.OPEN, L.SHORT, L.RESERVED), L.SHORT, ENGINE, summary="Less is reserved than is open"),
        Row("release", (L.OPEN, L.RESERVED, L.SHORT), L.OPEN, ENGINE, summary="The reservation ended unused"),
        Row("ship", (L.OPEN, L.RESERVED, L.SHORT), L.SHIPPED, GOODS | ENGINE, summary="All that is left is on the way"),
        Row("ship_part", (L.OPEN, L.RESERVED, L.SHORT), STAYS, GOODS | ENGINE, summary="A part is on the way"),
        Row("deliver", (L.SHIPPED,), L.DELIVERED, GOODS, summary="All that is left has arrived"),
        Row("deliver_part", (L.SHIPPED, L.RESERVED, L.SHORT, L.OPEN), STAYS, GOODS, summary="A part has arrived"),
        Row("substitute", (L.SHORT,), L.SUBSTITUTED, SALES_AND_MACHINES, summary="Another article takes its place"),
        Row(
            "substitute_part",
            (L.SHORT,),
            L.SHIPPED,
            SALES_AND_MACHINES,
            summary="Another article takes the place of the rest",
        ),
        Row("cancel", (L.OPEN, L.RESERVED, L.SHORT), L.CANCELLED, _LINE_ENDS, summary="Nothing of it will come"),
        Row(
            "cancel_rest",
            (L.OPEN, L.RESERVED, L.SHORT),
            L.SHIPPED,
            _LINE_ENDS,
            summary="The rest will not come, a part is on the way",
        ),
        Row(
            "end_delivered",
            (L.OPEN, L.RESERVED, L.SHORT),
            L.DELIVERED,
            _LINE_ENDS,
            summary="The rest will not come, a part has arrived",
        ),
        Row("amend", (L.OPEN, L.RESERVED, L.SHORT), L.OPEN, _LINE_ENDS, summary="Another quantity is wanted"),
        Row(
            "reopen",
            (L.OPEN, L.RESERVED, L.SHORT, L.SHIPPED, L.DELIVERED, L.SUBSTITUTED),
            L.OPEN,
            _LINE_ENDS | GOODS,
            summary="Units came back or never arrived, and are to be supplied again",
        ),
    ),
)

_OPEN_LEVELS = tuple(s for s in R if not s.is_terminal)

RECEIVABLE = Table(
    name="receivable",
    states=tuple(R),
    initial=R.ISSUED,
    terminal=frozenset(s for s in R if s.is_terminal),
    rows=(
        Row("announce_due", (R.ISSUED,), R.ANNOUNCED, ENGINE, summary="A friendly notice before the due date"),
        Row("fall_due", (R.ISSUED, R.ANNOUNCED), R.DUE, ENGINE, summary="The due date has come"),
        Row("remind_payment", (R.DUE,), R.REMINDED, ENGINE, summary="A friendly reminder"),
        Row("dun_first", (R.REMINDED,), R.DUNNED, ENGINE, summary="First dunning letter"),
        Row("dun_second", (R.DUNNED,), R.DUNNED_TWICE, ENGINE, summary="Second dunning letter and credit hold"),
        Row("involve_head", (R.DUNNED_TWICE,), R.WITH_HEAD_OF_SALES, ENGINE, summary="The head of sales steps in"),
        Row("notice_formally", (R.WITH_HEAD_OF_SALES,), R.FORMALLY_NOTICED, ENGINE, summary="Formal notice"),
        Row("hand_to_legal", (R.FORMALLY_NOTICED,), R.WITH_LEGAL, ENGINE, summary="Handed over to legal"),
        Row("pay_part", _OPEN_LEVELS, STAYS, _BOOKERS, summary="A part was paid, credited or given up"),
        Row("pay", _OPEN_LEVELS, R.PAID, MONEY, summary="Nothing is open any more"),
        Row("credit", _OPEN_LEVELS, R.CREDITED, _BOOKERS, summary="The rest was credited"),
        Row("write_off", _OPEN_LEVELS, R.WRITTEN_OFF, HEADS, summary="The rest was given up"),
        *(
            Row(f"reopen_{level}", (R.PAID, R.CREDITED, R.WRITTEN_OFF), level, MONEY, summary="A payment went back")
            for level in _OPEN_LEVELS
        ),
    ),
)

COMPLAINT = Table(
    name="complaint",
    states=tuple(C),
    initial=C.OPEN,
    terminal=frozenset(s for s in C if s.is_terminal),
    rows=(
        Row("decide", (C.OPEN,), C.DECIDED, SALES | HEADS, summary="Replace, credit or refuse"),
        Row("close", (C.DECIDED,), C.CLOSED, _CARE, summary="The customer has what was decided"),
    ),
)

APPROVAL = Table(
    name="approval",
    states=tuple(A),
    initial=A.PENDING,
    terminal=frozenset(s for s in A if s.is_terminal),
    rows=(
        Row("approve", (A.PENDING,), A.APPROVED, HEADS, summary="Somebody with authority agrees"),
        Row("decline", (A.PENDING,), A.DECLINED, HEADS, summary="Somebody with authority refuses"),
        Row(
            "withdraw",
            (A.PENDING,),
            A.WITHDRAWN,
            SALES_AND_MACHINES | {Role.HEAD_OF_SALES},
            summary="The requester takes it back",
        ),
        Row("expire", (A.PENDING,), A.EXPIRED, ENGINE, summary="Nobody decided in time"),
        Row("void", (A.PENDING, A.APPROVED), A.VOID, _BOOKERS | ENGINE, summary="What was asked for has changed"),
    ),
)

_UNDER_WAY = (S.PREPARED, S.BOOKED, S.PICKED_UP, S.IN_TRANSIT, S.FAILED)

SHIPMENT = Table(
    name="shipment",
    states=tuple(S),
    initial=S.PREPARED,
    terminal=frozenset(s for s in S if s.is_terminal),
    rows=(
        Row("booked", _UNDER_WAY, S.BOOKED, GOODS | ENGINE, summary="A carrier takes it"),
        Row("picked_up", _UNDER_WAY, S.PICKED_UP, GOODS, summary="It has left our warehouse"),
        Row("in_transit", _UNDER_WAY, S.IN_TRANSIT, GOODS, summary="It is on its way"),
        Row("failed", _UNDER_WAY, S.FAILED, GOODS, summary="A try to deliver failed"),
        Row("delivered", _UNDER_WAY, S.DELIVERED, GOODS, summary="It has arrived"),
        Row("returned", _UNDER_WAY, S.RETURNED, GOODS, summary="It came back undelivered"),
    ),
)

DISCREPANCY = Table(
    name="discrepancy",
    states=tuple(D),
    initial=D.OPEN,
    terminal=frozenset(s for s in D if s.is_terminal),
    rows=(
        Row("tolerate", (D.OPEN,), D.SETTLED, ENGINE | GOODS | _CARE, summary="It is within the policy's tolerance"),
        Row("settle", (D.OPEN,), D.SETTLED, SALES | HEADS, summary="Redeliver, credit, take back or accept"),
    ),
)

AMENDMENT = Table(
    name="amendment",
    states=tuple(M),
    initial=M.REQUESTED,
    terminal=frozenset(s for s in M if s.is_terminal),
    rows=(
        Row("confirm", (M.REQUESTED,), M.CONFIRMED, SALES | HEADS, summary="The customer and we agree"),
        Row("decline", (M.REQUESTED,), M.DECLINED, SALES | HEADS, summary="The order stays as it is"),
    ),
)
