"""Health, for whoever watches over the installation; no key is needed."""

from fastapi import APIRouter, Response

from api.keys import Desk
from api.wire.office import Alive, Health
from api.wire.shared import Plain

router = APIRouter(prefix="/v1/health", tags=["health"])


@router.get("", response_model=Health, responses={503: {"model": Health, "description": "A part does not answer"}})
async def read_health(desk: Desk, response: Response) -> Plain:
    """Whether database, engine and workers answer; 503 when one does not."""
    found = await desk.health()
    if not found.is_ok:
        response.status_code = 503
    return {
        "status": "ok" if found.is_ok else "degraded",
        "database": found.database,
        "engine": found.engine,
        "worker": found.worker,
        "pollers": found.pollers,
        "alerts": found.alerts,
    }


@router.get("/live", response_model=Alive)
async def read_live() -> Plain:
    """This process answers."""
    return {"status": "alive"}
