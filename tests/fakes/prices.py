"""A price list in memory."""

from infra.gateways import checked
from models.instants import DAY, plus
from models.messages.sales import GrantedDiscountInput, QuotedLine, QuoteInput, QuoteResult
from tests.fakes.recorded import Recorded


class FakePriceList(Recorded):
    """The port PriceList in memory: one price per article and currency."""

    def __init__(self) -> None:
        super().__init__()
        self.prices: dict[tuple[str, str], QuotedLine] = {}
        self.granted: dict[str, GrantedDiscountInput] = {}

    def list_article(self, article: str, currency: str, price_minor: int, cost_minor: int, tax_bps: int = 0) -> None:
        """Put an article on the list; prices per unit in minor units."""
        self.prices[article, currency] = QuotedLine(article, True, article, price_minor, cost_minor, tax_bps)

    async def quote(self, asked: QuoteInput) -> QuoteResult:
        for line in asked.lines:
            checked.units(line.quantity)
        return self._act("quote", asked, lambda: self._quote(asked))

    async def note_granted(self, asked: GrantedDiscountInput) -> None:
        checked.amount(asked.list_minor)
        self._act("note_granted", asked, lambda: self.granted.update({asked.deal_id: asked}), asked.effect_key)

    def _quote(self, asked: QuoteInput) -> QuoteResult:
        unknown = {line.article: QuotedLine(line.article, False) for line in asked.lines}
        given = [
            granted
            for deal_id, granted in self.granted.items()
            if deal_id != asked.deal_id
            and (granted.customer_id, granted.currency) == (asked.customer_id, asked.currency)
            and plus(asked.at, -365 * DAY) < granted.at <= asked.at
        ]
        return QuoteResult(
            tuple(self.prices.get((line.article, asked.currency), unknown[line.article]) for line in asked.lines),
            given_discount_minor=sum(granted.discount_minor for granted in given),
            given_list_minor=sum(granted.list_minor for granted in given),
        )
