"""Server of the web page and of the HTTP interface."""

import asyncio
import ipaddress
import socket
import threading
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from ecgbeat import __version__
from ecgbeat.app._annotations import annotate, as_json, as_page_body
from ecgbeat.app._guard import Guard
from ecgbeat.app._models import PRETRAINED_NAMES, load
from ecgbeat.app._requests import RequestError, Worker, read_json
from ecgbeat.app._uploads import Recording, read_form, read_signal, read_upload
from ecgbeat.datasets import make_recording

_FOLDER = Path(__file__).parent
_DEFAULT_MODEL = "nsvf"


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
    app.mount("/static", StaticFiles(directory=_FOLDER / "static"))
    _add_page(app)
    _add_interface(app)
    app.add_middleware(Guard, port=port, is_loopback=_is_loopback(host), token=token)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.worker = Worker()
    yield
    app.state.worker.close()


async def _answer_error(_: Request, error: Any) -> Response:
    return JSONResponse({"error": str(error)}, error.status)


async def _answer_http_error(_: Request, error: Any) -> Response:
    return JSONResponse({"error": f"{error.detail}."}, error.status_code, error.headers)


def _add_page(app: FastAPI) -> None:
    templates = Jinja2Templates(directory=_FOLDER / "templates")

    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    async def page(request: Request) -> Response:
        context = {"version": __version__, "models": PRETRAINED_NAMES}
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


async def _annotate(request: Request, render: Any) -> Any:
    async with request.app.state.worker as worker:
        if request.headers.get("content-type", "").startswith("application/json"):
            body = await read_json(request)
            return await worker.run(_annotate_signal, body, render)
        upload = await read_form(request)
        return await worker.run(_annotate_upload, upload, render)


def _annotate_upload(upload: Any, render: Any) -> Any:
    model = load(upload.fields.get("model", _DEFAULT_MODEL))
    return render(annotate(read_upload(upload), model))


def _annotate_signal(body: Any, render: Any) -> Any:
    return render(annotate(read_signal(body), load(body.get("model", _DEFAULT_MODEL))))


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
    return as_page_body(annotate(recording, load(_DEFAULT_MODEL)))


def _add_interface(app: FastAPI) -> None:
    @app.get("/api/models")
    async def models(request: Request) -> Any:
        worker = request.app.state.worker
        return [(await worker.run(load, name)).card for name in PRETRAINED_NAMES]

    @app.post("/api/annotate")
    async def api_annotate(request: Request) -> Response:
        return JSONResponse(await _annotate(request, as_json))


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
