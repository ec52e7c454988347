"""The remote codec that Temporal's web pages and command line ask to read payloads: for auditors, and each time logged.

A browser can't be told to send an API key, so an auditor signs in once; the cookie serves these routes alone.
"""

from collections.abc import Callable, Coroutine
from http.cookies import CookieError, SimpleCookie
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import HTMLResponse

from api.keys import Desk, Me
from api.once import allow
from api.routes import GuardedRoute
from api.wire.shared import Plain
from infra.desk.decoding import DECODERS

COOKIE = "dealwright_codec"
_PLACE = "/v1/codec"
_HOURS = 8


class CodecRoute(GuardedRoute):
    """A route that takes the key from the cookie where no header brings one."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, after the cookie was read."""
        inner = super().get_route_handler()

        async def with_cookie(request: Request) -> Response:
            headers = request.scope["headers"]
            names = {name for name, _ in headers}
            key = _key_in(request.headers.get("cookie", ""))
            if key and not names & {b"authorization", b"x-api-key"}:
                request = Request({**request.scope, "headers": [*headers, (b"x-api-key", key)]}, request.receive)
            return await inner(request)

        return with_cookie


router = APIRouter(prefix=_PLACE, tags=["codec"], route_class=CodecRoute)
page = APIRouter(prefix=_PLACE, tags=["codec"])


@router.post("/decode")
async def decode(
    asked: Plain, desk: Desk, me: Me, namespace: Annotated[str, Header(alias="X-Namespace", max_length=200)] = ""
) -> Plain:
    """Payloads of the engine's store in clear; the leaf `decode` in the audit log tells who asked for which."""
    return await desk.decoding.decode(me, asked, namespace)


@router.post("/session", status_code=204)
async def sign_in(me: Me, request: Request) -> Response:
    """Let this browser decode for eight hours with the key that comes in the header X-API-Key."""
    allow(me, "decoding payloads", DECODERS)
    answer = Response(status_code=204)
    key = request.headers.get("x-api-key", "")
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, key, max_age=_HOURS * 3600, path=_PLACE, httponly=True, samesite="strict", secure=secure)
    return answer


@page.delete("/session", status_code=204)
async def sign_out() -> Response:
    """Forget the key."""
    answer = Response(status_code=204)
    answer.delete_cookie(COOKIE, path=_PLACE)
    return answer


@page.get("/sign-in", response_class=HTMLResponse)
async def sign_in_page() -> HTMLResponse:
    """The page on which an auditor signs in, so that Temporal's web pages can show payloads."""
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"})


def _key_in(header: str) -> bytes:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return b""
    return found.value.encode("ascii", "replace") if found else b""


_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'"
_PAGE = r"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Dealwright: read payloads</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 4rem auto; padding: 0 1rem }
input, button { font: inherit; padding: .4rem .6rem } input { width: 22rem }
</style>
<h1>Read payloads in Temporal's pages</h1>
<p>Payloads are encrypted. With an auditor's API key this browser may decode them for eight hours.
Each time it does is written to the audit log.</p>
<form><label>API key <input name="key" type="password" autocomplete="off" required></label>
<button>Sign in</button></form>
<p><button id="out">Sign out</button></p><p role="status"></p>
<p>Then open the codec server's settings in Temporal's pages (the pair of glasses), let your browser's setting be used,
with the endpoint <code id="endpoint"></code> and cross-origin credentials included.</p>
<script>
document.querySelector('#endpoint').textContent = location.href.replace(/\/sign-in.*/, '');
const say = text => document.querySelector('[role=status]').textContent = text;
document.querySelector('form').addEventListener('submit', async event => {
  event.preventDefault();
  const key = new FormData(event.target).get('key').trim();
  const answer = await fetch('session', {method: 'POST', headers: {'X-API-Key': key}});
  event.target.reset();
  if (answer.ok) { say('Signed in. Reload the page of the workflow.'); return; }
  const problem = await answer.json();
  say(problem.detail || problem.title);
});
document.querySelector('#out').addEventListener('click', async () => {
  await fetch('session', {method: 'DELETE'});
  say('Signed out.');
});
</script></html>
"""
