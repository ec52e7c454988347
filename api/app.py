"""The application: routers, problems and the OpenAPI page around one desk."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from api import problems
from api.openapi import describe
from api.routers import (
    actions,
    agenda,
    alerts,
    approvals,
    as_of,
    audit,
    audit_export,
    audit_log,
    bank,
    carrier_messages,
    clock,
    codec,
    credit,
    customers,
    deals,
    deputies,
    duties,
    health,
    letters,
    lifecycle,
    mining,
    money,
    policies,
    privacy,
    products,
    reconciliations,
    replay,
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
    replay.router,
    as_of.router,
    agenda.router,
    approvals.reading,
    lifecycle.router,
    customers.router,
    privacy.router,
    products.router,
    stock.router,
    shortages.router,
    reports.router,
    money.reading,
    credit.limits,
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
    deputies.router,
    audit.router,
    duties.router,
    audit_export.deal,
    audit_export.router,
    mining.router,
    audit_log.router,
    clock.router,
    codec.router,
    policies.router,
)
OPEN = (health.router, codec.page)


def create_app(desk: DealDesk, lifespan: Lifespan | None = None, ui_origins: str = "") -> FastAPI:
    """The application that serves this desk. Web pages of `ui_origins` may ask it to decode payloads."""
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
    if origins := [origin.strip() for origin in ui_origins.split(",") if origin.strip()]:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_credentials=True,
            allow_methods=["POST"],
            allow_headers=["authorization", "content-type", "x-api-key", "x-namespace"],
        )
    for router in (*ACTS, *GUARDED, *OPEN):
        app.include_router(router)
    describe(app)
    return app
