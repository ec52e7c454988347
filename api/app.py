"""The application: routers, problems and the OpenAPI page around one desk."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI

from api import problems
from api.openapi import describe
from api.routers import (
    actions,
    agenda,
    alerts,
    approvals,
    audit,
    bank,
    carrier_messages,
    clock,
    credit,
    customers,
    deals,
    health,
    letters,
    lifecycle,
    money,
    policies,
    products,
    reconciliations,
    reports,
    shortages,
    stock,
    timeline,
    users,
)
from infra.desk.service import DealDesk

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

TITLE = "Dealwright"
VERSION = "1"

ACTS = (deals.router, actions.router, approvals.router, money.router)
GUARDED = (
    deals.reading,
    actions.reading,
    timeline.router,
    agenda.router,
    approvals.reading,
    lifecycle.router,
    customers.router,
    products.router,
    stock.router,
    shortages.router,
    reports.router,
    money.reading,
    credit.router,
    bank.hook,
    bank.statements,
    bank.entries,
    carrier_messages.hook,
    carrier_messages.router,
    letters.router,
    reconciliations.router,
    alerts.router,
    users.router,
    audit.router,
    clock.router,
    policies.router,
)
OPEN = (health.router,)


def create_app(desk: DealDesk, lifespan: Lifespan | None = None) -> FastAPI:
    """The application that serves this desk."""
    app = FastAPI(
        title=TITLE,
        version=VERSION,
        description="A durable deal-lifecycle engine: one workflow per deal, from first contact to paid and supported.",
        openapi_url="/v1/openapi.json",
        docs_url=None,  # its page would load scripts from another company's server
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.desk = desk
    problems.install(app)
    for router in (*ACTS, *GUARDED, *OPEN):
        app.include_router(router)
    describe(app)
    return app
