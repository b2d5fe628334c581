"""Server of the web page and of the HTTP interface."""

import asyncio
import ipaddress
import socket
import threading
import webbrowser
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates
from starlette.websockets import WebSocket

from ecgbeat import __version__
from ecgbeat.app._annotations import Annotated, annotate, as_json, as_page_body
from ecgbeat.app._beat import classify_beat
from ecgbeat.app._guard import Guard
from ecgbeat.app._live import Lives
from ecgbeat.app._models import (
    ANNOTATOR_NAMES,
    DEFAULT_NAME,
    cards,
    load_annotator,
    load_beat_classifier,
)
from ecgbeat.app._report import as_pdf, download
from ecgbeat.app._requests import RequestError, Worker, read_json
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

T = TypeVar("T")

_FOLDER = Path(__file__).parent


def make_app(*, port: int, host: str = "127.0.0.1", token: str | None = None) -> Any:
    """Return the ASGI application."""
    app = FastAPI(
        title="ecgbeat",
        version=__version__,
        docs_url=None,
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


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.worker, app.state.lives = Worker(), Lives()
    yield
    app.state.worker.close()
    app.state.lives.close()


async def _answer_error(_: Request, error: Any) -> Response:
    return JSONResponse({"error": str(error)}, error.status)


async def _answer_http_error(_: Request, error: Any) -> Response:
    return JSONResponse({"error": f"{error.detail}."}, error.status_code, error.headers)


async def _answer_unexpected(_: Request, error: Any) -> Response:
    """Answer with the kind of an error; the server logs its traceback."""
    return JSONResponse({"error": f"Unexpected error ({type(error).__name__})."}, 500)


def _add_page(app: FastAPI) -> None:
    templates = Jinja2Templates(directory=_FOLDER / "templates")

    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    async def page(request: Request) -> Response:
        context = {"version": __version__, "models": ANNOTATOR_NAMES}
        return templates.TemplateResponse(request, "index.html", context)

    @app.post("/page/annotate", include_in_schema=False)
    async def page_annotate(request: Request) -> Response:
        body = await _annotate(request, as_page_body)
        return Response(body, media_type="application/octet-stream")

    @app.post("/page/simulate", include_in_schema=False)
    async def page_simulate(request: Request) -> Response:
        async with request.app.state.worker as worker:
            body = await read_json(request)
            content = await worker.run(_simulate, body)
        return Response(content, media_type="application/octet-stream")

    @app.post("/page/download", include_in_schema=False)
    async def page_download(request: Request) -> Response:
        kind = request.query_params.get("format", "")
        async with request.app.state.worker as worker:
            name, content = await worker.run(download, await read_json(request), kind)
        return _file(name, content, "application/octet-stream")

    @app.post("/page/report", include_in_schema=False)
    async def page_report(request: Request) -> Response:
        async with request.app.state.worker as worker:
            content = await worker.run(as_pdf, await read_json(request))
        return _file("report.pdf", content, "application/pdf")


def _file(name: str, content: bytes, media_type: str) -> Response:
    """Return a file to save; its name has only characters of WFDB's names."""
    disposition = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=disposition)


async def _annotate(request: Request, render: Callable[[Annotated], T]) -> T:
    """Return what is rendered of the recording in the body of a request."""
    async with request.app.state.worker as worker:
        if _is_json(request):
            return await worker.run(_annotate_signal, await read_json(request), render)
        async with read_form(request) as upload:
            return await worker.run(_annotate_upload, upload, render)


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0]
    return kind.strip().lower() == "application/json"


def _annotate_upload(upload: Upload, render: Callable[[Annotated], T]) -> T:
    model = load_annotator(upload.fields.get("model", DEFAULT_NAME))
    return render(annotate(read_upload(upload), model))


def _annotate_signal(body: dict[str, Any], render: Callable[[Annotated], T]) -> T:
    return render(annotate(read_signal(body), load_annotator(body.get("model", DEFAULT_NAME))))


def _simulate(body: dict[str, Any]) -> bytes:
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
    return as_page_body(annotate(recording, load_annotator(DEFAULT_NAME)))


def _add_interface(app: FastAPI) -> None:
    """Add the HTTP interface for other programs."""

    @app.get("/api/models")
    async def models() -> list[dict[str, Any]]:
        """Cards of the trained models."""
        return cards()

    @app.post("/api/annotate")
    async def api_annotate(request: Request) -> Response:
        return JSONResponse(await _annotate(request, as_json))

    @app.post("/api/beat")
    async def api_beat(request: Request) -> Response:
        async with request.app.state.worker as worker:
            if _is_json(request):
                body = await read_json(request)
                return JSONResponse(await worker.run(_beat_of_json, body))
            async with read_form(request) as upload:
                return JSONResponse(await worker.run(_beat_of_file, upload))

    @app.websocket("/api/live")
    async def live(websocket: WebSocket) -> None:
        await websocket.app.state.lives.run(websocket)


def _beat_of_json(body: dict[str, Any]) -> dict[str, Any]:
    return classify_beat(as_numbers(body.get("signal"), "signal"), load_beat_classifier())


def _beat_of_file(upload: Upload) -> dict[str, Any]:
    return classify_beat(read_row(upload), load_beat_classifier())


def _is_loopback(host: str) -> bool:
    """Return whether a host is the loopback interface."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    open_browser: bool = True,
) -> None:
    """Serve the web page until it is interrupted."""
    import uvicorn

    if not _is_loopback(host) and not token:
        raise ValueError(f"host={host!r} can be reached by others: pass a token as well.")
    with socket.create_server((host, port)) as listening:
        port = listening.getsockname()[1]
        address = f"http://{host}:{port}/" + (f"?token={token}" if token else "")
        print(f"ecgbeat serves {address} until Ctrl+C.")
        if open_browser:
            threading.Timer(0.5, webbrowser.open, [address]).start()
        config = uvicorn.Config(
            make_app(port=port, host=host, token=token), log_level="warning", access_log=False
        )
        asyncio.run(uvicorn.Server(config).serve(sockets=[listening]))
