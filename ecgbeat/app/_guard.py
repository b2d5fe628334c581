"""Middleware that refuses other web sites, strangers, and bodies that are large or slow."""

import asyncio
import secrets
import time
from urllib.parse import parse_qs, quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from ecgbeat.app._requests import RequestError

MAX_BODY_BYTES = 200 * 2**20
GRACE_S = 10.0  # in which a request and its body begin to arrive
_MIN_RATE = 2**16  # bytes per second of a body after that
_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_HEADERS = {
    # styles and scripts from files only; nothing from elsewhere
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class PromptProtocol(H11Protocol):
    """HTTP of uvicorn that closes connections without a request."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self.loop.call_later(GRACE_S, self._close_if_silent)

    def _close_if_silent(self) -> None:
        # a WebSocket has taken over the transport
        if self.cycle is None and self.transport.get_protocol() is self:
            self.transport.close()


class Guard:
    """ASGI middleware that checks each request before the application sees it.

    - ``Host`` must be a name of the loopback interface with the port that is served, so that a
      web site cannot reach the server under a name of its own. With a token, any name is allowed.
    - ``Origin`` of a request that is not a plain GET, and of a WebSocket, must be the server.
    - The token, if there is one, must be in the header ``Authorization: Bearer``, or in the cookie
      that a visit with ``?token=`` sets.
    - Bodies may have ``MAX_BODY_BYTES``, whatever they declare, and must arrive in time.
    """

    def __init__(self, app: ASGIApp, *, port: int, is_loopback: bool, token: str | None) -> None:
        self.app = app
        self._is_loopback = is_loopback
        self._token = token
        self._hosts = {f"{name}:{port}" for name in _LOOPBACK_NAMES}
        if port == 80:
            self._hosts |= set(_LOOPBACK_NAMES)
        # not the token: browsers send cookies to all ports of a host
        self._cookie = f"ecgbeat_{port}", secrets.token_urlsafe(32)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        answer = self._refuse_site(scope, headers) or self._check_token(scope, headers)
        if answer is not None and scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif answer is not None:
            await answer(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await self.app(scope, receive, send)
        else:
            await self.app(scope, _limited(receive, headers), _with_headers(send))

    def _refuse_site(self, scope: Scope, headers: Headers) -> Response | None:
        """Return an answer to a request to another name, or from another site."""
        hosts = headers.getlist("host")
        host = hosts[0].lower() if len(hosts) == 1 else ""
        if self._is_loopback and host not in self._hosts:
            return _error(
                403, f"This server answers to {sorted(self._hosts)} only, got the host {host!r}."
            )
        is_safe = scope["type"] == "http" and scope["method"] in _SAFE_METHODS
        origins = headers.getlist("origin")
        own = {f"{scheme}://{host}" for scheme in ("http", "https")}
        if not is_safe and not {origin.lower() for origin in origins} <= own:
            return _error(403, f"Requests from other sites are refused, got origin {origins!r}.")
        return None

    def _check_token(self, scope: Scope, headers: Headers) -> Response | None:
        """Return an answer to a request without the token, or to one with it in the address."""
        if self._token is None:
            return None
        name, value = self._cookie
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        is_visit = scope["type"] == "http" and scope["method"] == "GET"
        if is_visit and _equals(given, self._token):
            answer = RedirectResponse(quote(scope["path"]), 303)
            answer.set_cookie(name, value, httponly=True, samesite="lax")
            return answer
        cookies = cookie_parser(headers.get("cookie", ""))
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        if _equals(bearer, self._token) or _equals(cookies.get(name, ""), value):
            return None
        return _error(
            403,
            "This server requires its token: open the address that was printed when it started, "
            "or send the header Authorization: Bearer TOKEN.",
        )


def _equals(given: str, expected: str) -> bool:
    """Compare secrets in constant time."""
    return secrets.compare_digest(given.encode(), expected.encode())


def _error(status: int, sentence: str) -> Response:
    return JSONResponse({"error": sentence}, status)


def _with_headers(send: Send) -> Send:
    """Return ``send`` with the headers of all answers."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return send_with_headers


def _limited(receive: Receive, headers: Headers) -> Receive:
    """Return ``receive`` that raises for a body that is too large, or too slow."""
    n_bytes, is_complete = 0, False
    begin = time.monotonic()

    async def receive_limited() -> Message:
        nonlocal n_bytes, is_complete
        if is_complete:  # waits for the end of the connection
            return await receive()
        try:
            deadline = begin + GRACE_S + n_bytes / _MIN_RATE
            message = await asyncio.wait_for(receive(), deadline - time.monotonic())
        except TimeoutError:
            raise RequestError(
                408,
                f"The body must begin to arrive within {GRACE_S:g} s, and go on at "
                f"{_MIN_RATE // 1024} kB per second or more.",
            ) from None
        n_bytes += len(message.get("body", b""))
        is_complete = not message.get("more_body", False)
        # an honest client is told early
        if n_bytes > MAX_BODY_BYTES or _declared(headers) > MAX_BODY_BYTES:
            raise RequestError(
                413, f"An upload may have {MAX_BODY_BYTES // 2**20} MB at most, together."
            )
        return message

    return receive_limited


def _declared(headers: Headers) -> int:
    """Return the declared length of a body, 0 if there is none."""
    length = headers.get("content-length", "")
    return int(length) if length.isdecimal() else 0
