"""The tables that say what may happen, as JSON or as diagrams."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from api.keys import Me
from api.routes import GuardedRoute
from models.lifecycle.machines import TABLES
from models.lifecycle.render import dot, mermaid, to_plain

router = APIRouter(prefix="/v1/lifecycle", tags=["lifecycle"], route_class=GuardedRoute)

MERMAID, DOT = "text/vnd.mermaid", "text/vnd.graphviz"
_BY_NAME = {table.name: table for table in TABLES}


@router.get(
    "",
    response_class=Response,
    responses={
        200: {
            "description": "All tables, or the diagram of one",
            "content": {
                "application/json": {"schema": {"type": "object", "additionalProperties": {"type": "object"}}},
                MERMAID: {"schema": {"type": "string"}},
                DOT: {"schema": {"type": "string"}},
            },
        }
    },
)
async def read_lifecycle(
    _: Me,
    form: Annotated[Literal["json", "mermaid", "dot"], Query(alias="format")] = "json",
    table: Annotated[
        Literal["deal", "order_line", "receivable", "complaint", "approval"], Query(description="Table of the diagram")
    ] = "deal",
) -> Response:
    """States, actions, roles and guards; a diagram shows the moves of one table."""
    if form == "mermaid":
        return Response(mermaid(_BY_NAME[table]), media_type=MERMAID)
    if form == "dot":
        return Response(dot(_BY_NAME[table]), media_type=DOT)
    return JSONResponse({name: to_plain(found) for name, found in _BY_NAME.items()})
