"""Web page and HTTP service that annotate recordings.

They come with ``pip install "ecgbeat[app]"``.
"""

from ecgbeat.app._server import make_app, serve

__all__ = ["make_app", "serve"]
