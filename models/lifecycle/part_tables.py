"""Transition tables of the parts of a deal: order line, receivable, complaint and approval.

Their moves are consequences of acts on the deal, so roles are those of the deal's rows.
"""

from models.lifecycle.roles import ENGINE, GOODS, HEADS, MONEY, SALES, SALES_AND_MACHINES, Role
from models.lifecycle.states import ApprovalState as A
from models.lifecycle.states import ComplaintState as C
from models.lifecycle.states import LineState as L
from models.lifecycle.states import ReceivableState as R
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
        Row("release", (L.RESERVED, L.SHORT), L.OPEN, ENGINE, summary="The reservation ended unused"),
        Row("ship", (L.RESERVED, L.SHORT), L.SHIPPED, GOODS | ENGINE, summary="All that is left is on the way"),
        Row("ship_part", (L.RESERVED, L.SHORT), STAYS, GOODS | ENGINE, summary="A part is on the way"),
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
