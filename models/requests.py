"""Questions of a deal to other departments, with their deadlines and answers: the watch over others (D25)."""

from collections.abc import Iterator
from dataclasses import dataclass

from models.agenda import waits_for
from models.deal_state import Consultation, Deal
from models.instants import plus
from models.parts.care import Approval
from models.policy import Policy
from models.stages.shortage_ladder import OTHER_DEPARTMENTS


@dataclass(frozen=True, slots=True)
class InternalRequest:
    """One question. `answered_at` is empty while it is open, `escalated_at` when it was never told to the head. One
    that was late and never answered ends, with nobody in `answered_by`, when the shortage that it was about ends."""

    key: str
    role: str
    kind: str
    subject: str
    asked_at: str
    due_at: str
    answered_at: str = ""
    answered_by: str = ""
    escalated_at: str = ""


def requests(deal: Deal, policy: Policy) -> tuple[InternalRequest, ...]:
    """All questions that a deal has put to other departments, by kind; none under the first rules."""
    if policy.rules < 2:
        return ()
    consulted = (_consultation(each, deal, policy) for each in deal.consulted)
    return (*consulted, *(_approval(asked, deal) for asked in deal.approvals), *_shortages(deal))


def _consultation(each: Consultation, deal: Deal, policy: Policy) -> InternalRequest:
    due = plus(each.since, policy.deadlines[each.state].escalate)
    told = due if f"escalate:{each.state}:{each.entry}" in deal.fired or (each.left_at and each.left_at > due) else ""
    return InternalRequest(
        f"state:{each.entry}", waits_for(each.state)[0], each.state, each.state.replace("_", " "), each.since, due,
        each.left_at, "", told,
    )  # fmt: skip


def _approval(asked: Approval, deal: Deal) -> InternalRequest:
    key = f"approval:{asked.number}"
    told = next((late.at for late in deal.escalations if late.key == key), "")
    role = asked.roles[0] if asked.roles else ""
    return InternalRequest(
        key, role, f"{asked.kind}_approval", asked.subject, asked.requested_at, asked.due_at, asked.decided_at,
        asked.decided_by, told,
    )  # fmt: skip


def _shortages(deal: Deal) -> Iterator[InternalRequest]:
    for line in deal.order.lines if deal.order else ():
        lasting = line.shortage
        for visit in lasting.visits if lasting else ():
            over = lasting is not None and not lasting.is_active and not visit.answered_at
            if visit.role not in OTHER_DEPARTMENTS or (over and not visit.escalated_at):
                continue  # the goods came before the answer was due: nobody had to give one any more
            subject = f"line {line.line}: {line.article}, {visit.rung}"
            yield InternalRequest(
                f"shortage:{line.line}:{visit.number}", visit.role, "shortage", subject, visit.since, visit.due_at,
                lasting.settled_at if lasting and over else visit.answered_at, visit.answered_by, visit.escalated_at,
            )  # fmt: skip
