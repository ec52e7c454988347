"""Fates that are decided before the order: discounts, reviews, expired and lost offers, contracts, open deals."""

from __future__ import annotations

from cli.demo.fates import fate
from cli.demo.story import Story
from models.lifecycle.roles import Role
from models.lifecycle.states import DealState as S


@fate("won, delivered and paid", S.COMPLETED)
async def won(s: Story) -> None:
    """The way it should be."""
    await s.offered()
    await s.ordered()
    await s.delivered()
    await s.days(12)
    await s.pay()
    await s.completed()


@fate("won, and the customer paid more than was owed", S.COMPLETED)
async def won_overpaid(s: Story) -> None:
    """What exceeds the invoice is kept as the customer's credit."""
    await s.offered()
    await s.ordered()
    await s.delivered()
    await s.days(20)
    await s.pay(s.owed().open_minor + 5_000, "rounded up by the customer")
    await s.completed()


@fate("12 % discount, approved by the head of sales", S.COMPLETED)
async def discount_head(s: Story) -> None:
    """Beyond the manager's authority: four eyes."""
    await s.checked()
    await s.drafted()
    await s.do(s.owner, "request_approval", reason="opens the door to their second plant")
    await s.do(s.head, "approve_offer", reason="second plant is worth it")
    await s.do(s.owner, "send_offer")
    await s.ordered(wait=4)
    await s.delivered()
    await s.days(9)
    await s.pay()
    await s.completed()


@fate("20 % discount, approved by the director", S.COMPLETED)
async def discount_director(s: Story) -> None:
    """Beyond the head's authority, too; the contract exceeds the key account manager's signature."""
    await s.checked()
    await s.drafted()
    await s.do(s.owner, "request_approval", reason="key account, frame volume")
    await s.do(s.director, "approve_offer", reason="within this year's plan for the group")
    await s.do(s.owner, "send_offer")
    await s.ordered(wait=14)
    await s.delivered(travel=6)
    await s.days(30)
    await s.pay()
    await s.completed()


@fate("objection and counter-offer, won at 4 % less", S.COMPLETED)
async def counter_offer(s: Story) -> None:
    """Versions of one offer."""
    await s.offered()
    await s.days(6)
    await s.do(s.owner, "object", cause="price", answer="stainless seats last twice as long")
    total = s.deal.offer.total_minor if s.deal.offer else 0
    await s.do(s.owner, "counter", wanted_total_minor=total * 94 // 100, text="six percent less")
    await s.drafted(share=96)
    await s.do(s.owner, "send_offer")
    await s.ordered(wait=3)
    await s.delivered()
    await s.days(10)
    await s.pay()
    await s.completed()


@fate("reliability review: class C, accepted by the risk officer", S.COMPLETED)
async def review_approved(s: Story) -> None:
    """A young firm with weak figures gets a small limit."""
    await s.checked()
    await s.days(1)
    reason = "small order, owner vouches"
    await s.do(s.risk, "approve_reliability", credit_limit_minor=400_000, payment_days=14, reason=reason)
    await s.drafted()
    await s.do(s.owner, "send_offer")
    await s.ordered(wait=7)
    await s.delivered()
    await s.days(12)
    await s.pay()
    await s.completed()


@fate("class D: the director accepts it against prepayment", S.COMPLETED)
async def prepaid(s: Story) -> None:
    """No goods leave before the money is there."""
    await s.checked()
    reason = "class D: prepaid only"
    await s.do(s.director, "approve_reliability", credit_limit_minor=0, payment_days=0, reason=reason)
    await s.drafted()
    await s.do(s.owner, "send_offer")
    await s.ordered(wait=2)
    await s.days(4)
    await s.pay(reference="prepayment")
    await s.delivered()
    await s.completed()


@fate("reliability review: rejected by the risk officer", S.REJECTED)
async def review_rejected(s: Story) -> None:
    """A shell without numbers, statements or history."""
    await s.checked()
    await s.days(1)
    await s.do(s.risk, "reject", reason="a shell: no statements, no register entry, no history")


@fate("rejected at once: on the block list", S.REJECTED)
async def blocked(s: Story) -> None:
    """Class E; nobody has to look."""
    await s.checked()


@fate("offer expired, then lost", S.LOST)
async def expired_lost(s: Story) -> None:
    """A timer ends the offer; the manager gives up."""
    await s.offered(valid_days=14)
    await s.days(18)
    await s.lost("three calls, no answer")


@fate("offer expired, renewed and won", S.COMPLETED)
async def expired_renewed(s: Story) -> None:
    """The customer comes back after the harvest."""
    await s.offered(valid_days=10)
    await s.days(25)
    await s.drafted()
    await s.do(s.owner, "send_offer")
    await s.ordered(wait=4)
    await s.delivered()
    await s.days(14)
    await s.pay()
    await s.completed()


@fate("lost with a reason", S.LOST)
async def lost(s: Story) -> None:
    """Price, competitor or timing."""
    await s.offered()
    await s.days(9)
    await s.do(s.owner, "object", cause=s.row.loss_reason, answer="offered to phase the delivery")
    await s.days(4)
    await s.lost("decided against us")


@fate("protocol of disagreements, settled with legal, big signature", S.COMPLETED)
async def disagreement(s: Story) -> None:
    """A special clause needs legal's release."""
    await s.offered()
    await s.days(8)
    await s.do(s.owner, "accept_offer")
    clause = "late delivery"
    await s.do(
        s.owner, "raise_disagreement", clause=clause, our_position="0.2 % a week", their_position="1 % a week, no cap"
    )
    await s.days(3)
    await s.do(s.owner, "settle_disagreement", clause=clause, resolution="0.5 % a week, at most 5 %")
    await s.do(s.owner, "close_protocol")
    await s.do(s.owner, "submit_contract")
    await s.do(s.legal, "approve_contract", reason="cap agreed")
    await s.both_sign(s.signer())
    await s.entered()
    await s.delivered(travel=5)
    await s.days(25)
    await s.pay()
    await s.completed()


@fate("handed over to another manager, then won", S.COMPLETED)
async def reassigned(s: Story) -> None:
    """The first manager goes on leave."""
    await s.offered()
    successor = next(
        person.id
        for person in s.cast.people.values()
        if person.department == s.cast.department(s.owner)
        and Role.ACCOUNT_MANAGER in person.held_roles
        and person.id != s.owner
    )
    await s.do(s.head, "reassign", owner=successor)
    s.owner = successor
    await s.ordered(wait=6)
    await s.delivered()
    await s.days(11)
    await s.pay()
    await s.completed()


@fate("open: first contact made", S.CONTACTED)
async def open_contacted(s: Story) -> None:
    """Waits for its owner."""
    await s.contacted("fair")


@fate("open: an offer is with the customer", S.OFFER_OPEN)
async def open_offer(s: Story) -> None:
    """Waits for the customer, until the offer expires."""
    await s.offered(valid_days=45)


@fate("open: a discount waits for the head of sales", S.OFFER_APPROVAL)
async def open_approval(s: Story) -> None:
    """Waits for somebody with authority."""
    await s.checked()
    await s.drafted()
    await s.do(s.owner, "request_approval", reason="to beat the price of the Po valley")


@fate("open: the contract waits for the customer's signature", S.AWAITING_SIGNATURES)
async def open_signatures(s: Story) -> None:
    """Our side has signed."""
    await s.offered()
    await s.days(10)
    await s.do(s.owner, "accept_offer")
    signer = s.signer()
    await s.do(signer, "send_contract")
    await s.do(signer, "sign", side="ours", digest=s.digest)


@fate("open: goods are on the way", S.FULFILLING)
async def open_fulfilling(s: Story) -> None:
    """Shipped in parts, the first part has arrived."""
    await s.offered()
    await s.ordered(wait=12)
    await s.do(s.logistics, "ship", lines=[{"line": 1, "quantity": 3}])
    await s.days(9)
    await s.do(s.logistics, "deliver", lines=[{"line": 1, "quantity": 3}])
