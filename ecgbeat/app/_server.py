"""Server of the web page and of the HTTP interface."""

import asyncio
import ipaddress
import logging
import socket
import threading
import webbrowser
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlencode

import uvicorn
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from ecgbeat.app._annotations import (
    as_json,
    as_json_body,
    beats_part,
    compared_part,
    signal_part,
)
from ecgbeat.app._beat import classify_beat
from ecgbeat.app._guard import Guard, PromptProtocol
from ecgbeat.app._live import Lives
from ecgbeat.app._models import (
    ANNOTATOR_NAMES,
    DEFAULT_NAME,
    Model,
    cards,
    load_annotator,
    load_beat_classifier,
)
from ecgbeat.app._openapi import ANNOTATE, BEAT, DESCRIPTION, ERRORS
from ecgbeat.app._report import as_pdf, download
from ecgbeat.app._requests import Place, RequestError, Worker, read_json
from ecgbeat.app._uploads import (
    Recording,
    Upload,
    as_numbers,
    read_form,
    read_row,
    read_signal,
    read_upload,
)
from ecgbeat.datasets import make_recording

Opened: TypeAlias = tuple[Recording, Model]

_FOLDER = Path(__file__).parent


def make_app(*, port: int, host: str = "127.0.0.1", token: str | None = None) -> FastAPI:
    """Return the web page and the HTTP interface as an ASGI application.

    `serve` runs it. Use this function to run it under another server.

    Parameters
    ----------
    port : int
        Port that is served. Requests whose ``Host`` has another one are refused.
    host : str, default="127.0.0.1"
        Address that is served. On the loopback interface, requests must be for ``localhost``,
        ``127.0.0.1`` or ``[::1]``.
    token : str or None, default=None
        Secret that each request must bring, in the header ``Authorization: Bearer`` or as
        ``?token=`` in the address of the first visit. Required unless ``host`` is the loopback
        interface.

    Returns
    -------
    fastapi.FastAPI
        ASGI application.

    Raises
    ------
    ValueError
        If others can reach ``host``, and there is no token.

    Examples
    --------
    >>> from ecgbeat.app import make_app
    >>> app = make_app(port=8000)
    >>> sorted(app.openapi()["paths"])
    ['/api/annotate', '/api/beat', '/api/models']
    """
    _check_token(host, token)
    app = FastAPI(
        title="ecgbeat",
        description=DESCRIPTION,
        version=version("ecgbeat"),
        docs_url=None,  # their scripts would come from another host
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.add_exception_handler(RequestError, _answer_error)
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_exception_handler(Exception, _answer_unexpected)
    app.mount("/static", StaticFiles(directory=_FOLDER / "static"))
    _add_page(app)
    _add_interface(app)
    app.add_middleware(Guard, port=port, is_loopback=_is_loopback(host), token=token)
    return app


def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    open_browser: bool = True,
) -> None:
    """Serve the web page, until Ctrl+C.

    The page annotates recordings, single beats and live signals with the trained models of
    ecgbeat. Nothing is kept after a request, and nothing is sent to other machines.

    Parameters
    ----------
    host : str, default="127.0.0.1"
        Address to listen on. The default cannot be reached from other machines.
    port : int, default=0
        Port to listen on. 0 takes a free one.
    token : str or None, default=None
        As in `make_app`.
    open_browser : bool, default=True
        Whether to open the page in the browser.

    Raises
    ------
    ValueError
        If others can reach ``host``, and there is no token.
    OSError
        If the port is in use.

    Examples
    --------
    >>> from ecgbeat.app import serve
    >>> serve(port=8000)  # doctest: +SKIP
    >>> serve(host="0.0.0.0", open_browser=False)
    Traceback (most recent call last):
    ...
    ValueError: host='0.0.0.0' can be reached from other machines. Pass a token, a secret word.
    """
    _check_token(host, token)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listening:
        port = listening.getsockname()[1]
        address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
        if token:
            address += f"?{urlencode({'token': token})}"
        print(f"ecgbeat is at {address} (Ctrl+C ends it)", flush=True)
        if open_browser:
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        config = make_config(make_app(port=port, host=host, token=token))
        with suppress(KeyboardInterrupt):
            asyncio.run(uvicorn.Server(config).serve(sockets=[listening]))


def make_config(app: FastAPI) -> uvicorn.Config:
    """Return the settings of the server, which bound what a client can occupy."""
    return uvicorn.Config(
        app,
        http=PromptProtocol,
        log_level="warning",
        access_log=False,  # would show tokens
        proxy_headers=False,
        server_header=False,
        limit_concurrency=400,
        ws_max_size=2**20,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=2,
    )


def _check_token(host: str, token: str | None) -> None:
    """Raise if others could use the server without a token."""
    if not _is_loopback(host) and not token:
        raise ValueError(
            f"host={host!r} can be reached from other machines. Pass a token, a secret word."
        )


def _is_loopback(host: str) -> bool:
    """Return whether a host is the loopback interface."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.worker, app.state.lives = Worker(), Lives()
    app.state.received = {}  # bytes of uploads that have arrived so far, by the names of these
    app.state.worker.prepare(load_annotator, DEFAULT_NAME)
    yield
    app.state.worker.close()
    app.state.lives.close()


async def _answer_error(_: Request, error: Any) -> Response:
    return JSONResponse({"error": str(error)}, error.status)


async def _answer_http_error(_: Request, error: Any) -> Response:
    return JSONResponse({"error": f"{error.detail}."}, error.status_code, error.headers)


async def _answer_unexpected(_: Request, error: Any) -> Response:
    """Answer with the kind of an error; the server logs its traceback."""
    return JSONResponse({"error": _unexpected(error)}, 500)


def _unexpected(error: Exception) -> str:
    return f"Unexpected error ({type(error).__name__})."


def _add_page(app: FastAPI) -> None:
    templates = Jinja2Templates(directory=_FOLDER / "templates")

    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    async def page(request: Request) -> Response:
        context = {"version": version("ecgbeat"), "models": ANNOTATOR_NAMES}
        return templates.TemplateResponse(request, "index.html", context)

    @app.post("/page/annotate", include_in_schema=False)
    async def page_annotate(request: Request) -> Response:
        return _InParts(request, _open)

    @app.get("/page/received", include_in_schema=False)
    async def page_received(request: Request, upload: str) -> dict[str, int | None]:
        return {"n_bytes": request.app.state.received.get(upload)}

    @app.post("/page/simulate", include_in_schema=False)
    async def page_simulate(request: Request) -> Response:
        return _InParts(request, _open_simulated)

    @app.post("/page/compare", include_in_schema=False)
    async def page_compare(request: Request) -> Response:
        async with Place(request) as place:
            content = await place.run(compared_part, await read_json(request))
        return Response(content, media_type="application/json")

    @app.post("/page/download", include_in_schema=False)
    async def page_download(request: Request) -> Response:
        kind = request.query_params.get("format", "")
        async with Place(request) as place:
            name, content = await place.run(download, await read_json(request), kind)
        return _file(name, content, "application/octet-stream")

    @app.post("/page/report", include_in_schema=False)
    async def page_report(request: Request) -> Response:
        async with Place(request) as place:
            content = await place.run(as_pdf, await read_json(request))
        return _file("report.pdf", content, "application/pdf")


def _file(name: str, content: bytes, media_type: str) -> Response:
    """Return a file to save; its name has only characters of WFDB's names."""
    disposition = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=disposition)


class _InParts(Response):
    """Answer whose first part is the signal of a recording, and whose second one its beats.

    A part is its length in four bytes, and its content. The second one may be an error, since the
    status has been sent before it.
    """

    media_type = "application/octet-stream"

    def __init__(
        self, request: Request, open_recording: Callable[[Request, Place], Awaitable[Opened]]
    ) -> None:
        super().__init__()
        del self.headers["content-length"]
        self._request, self._open_recording = request, open_recording

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Do the work, with a place in the queue until its end."""

        async def send_part(content: bytes, *, is_last: bool) -> None:
            for body, more in ((len(content).to_bytes(4, "little"), True), (content, not is_last)):
                await send({"type": "http.response.body", "body": body, "more_body": more})

        async with Place(self._request) as place:
            opened = await self._open_recording(self._request, place)
            signal = await place.run(signal_part, *opened)
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await send_part(signal, is_last=False)
            try:
                beats = await place.run(beats_part, *opened)
            except RequestError as error:
                beats = as_json({"error": str(error)})
            except Exception as error:  # raised again, it would close the connection before the end
                logging.getLogger(__name__).exception("The beats could not be found")
                beats = as_json({"error": _unexpected(error)})
            await send_part(beats, is_last=True)


async def _annotate(request: Request) -> bytes:
    """Return the beats of the recording in the body of a request, with their summary."""
    async with Place(request) as place:
        return await place.run(as_json_body, *await _open(request, place))


async def _open(request: Request, place: Place) -> Opened:
    """Return the recording in the body of a request, and the model that it names."""
    if _is_json(request):
        return await place.run(_open_signal, await read_json(request))
    async with read_form(request) as upload:
        return await place.run(_open_upload, upload)


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0]
    return kind.strip().lower() == "application/json"


def _open_upload(upload: Upload) -> Opened:
    model = load_annotator(upload.fields.get("model", DEFAULT_NAME))
    return read_upload(upload), model


def _open_signal(body: dict[str, Any]) -> Opened:
    model = load_annotator(body.get("model", DEFAULT_NAME))
    return read_signal(body), model


async def _open_simulated(request: Request, place: Place) -> Opened:
    """Return a simulated patient."""
    return await place.run(_simulate, await read_json(request))


def _simulate(body: dict[str, Any]) -> Opened:
    simulated = make_recording(
        float(body.get("seconds", 600)),
        n_leads=2,
        weights={"N": 0.82, "A": 0.07, "V": 0.09, "F": 0.02},
        random_state=int(body.get("random_state", 0)),
    )
    recording = Recording(
        simulated.signal,
        simulated.fs,
        simulated.lead_names,
        f"simulated-{int(body.get('random_state', 0))}",
        simulated.annotation,
    )
    return recording, load_annotator(DEFAULT_NAME)


def _add_interface(app: FastAPI) -> None:
    """Add the HTTP interface for other programs."""

    @app.get("/api/models")
    async def list_models() -> list[dict[str, Any]]:
        """Cards of the trained models."""
        return cards()

    @app.post("/api/annotate", openapi_extra=ANNOTATE, responses=ERRORS)
    async def annotate_recording(request: Request) -> Response:
        """Beats of a recording: a WFDB, EDF, BDF, CSV or NumPy file, or a list of numbers in mV."""
        return Response(await _annotate(request), media_type="application/json")

    @app.post("/api/beat", openapi_extra=BEAT, responses=ERRORS)
    async def classify_single_beat(request: Request) -> Response:
        """Class of a beat of 187 numbers from 0 to 1, and the relevance of each of them."""
        async with Place(request) as place:
            if _is_json(request):
                body = await read_json(request)
                return JSONResponse(await place.run(_beat_of_json, body))
            async with read_form(request) as upload:
                return JSONResponse(await place.run(_beat_of_file, upload))

    @app.websocket("/api/live")
    async def live(websocket: WebSocket) -> None:
        await websocket.app.state.lives.run(websocket)


def _beat_of_json(body: dict[str, Any]) -> dict[str, Any]:
    return classify_beat(as_numbers(body.get("signal"), "signal"), load_beat_classifier())


def _beat_of_file(upload: Upload) -> dict[str, Any]:
    return classify_beat(read_row(upload), load_beat_classifier())
