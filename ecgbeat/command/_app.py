"""The subcommand ``app``."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    parser.add_argument(
        "--port", type=int, default=0, metavar="N", help="port (default: one that is free)"
    )
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address; another than of this machine needs --token (default: %(default)s)",
    )
    parser.add_argument("--token", help="secret that the address of the page must contain")


def run(arguments: argparse.Namespace) -> int:
    """Serve the web page until the command is interrupted."""
    try:
        from ecgbeat.app import serve
    except ModuleNotFoundError as error:
        raise ImportError(
            f'The web page needs {error.name}: pip install "ecgbeat[app]".'
        ) from error
    serve(
        host=arguments.host,
        port=arguments.port,
        token=arguments.token,
        open_browser=not arguments.no_browser,
    )
    return 0
