"""Web page and HTTP interface that annotate recordings.

Both come with ``pip install "ecgbeat[app]"``.
"""

try:
    from ecgbeat.app._server import make_app, serve
except ModuleNotFoundError as error:
    raise ImportError(f'The web page needs {error.name}: pip install "ecgbeat[app]".') from error

__all__ = ["make_app", "serve"]
