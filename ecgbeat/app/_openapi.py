"""Description of the HTTP interface for the OpenAPI document."""

from typing import Any

from ecgbeat.app._beat import N_TIMES
from ecgbeat.app._models import ANNOTATOR_NAMES, DEFAULT_NAME

DESCRIPTION = (
    "Detection and classification of heartbeats. Not a medical device: not for diagnosis or "
    "treatment.\n\nErrors are answered with an object whose `error` is a sentence. Nothing is "
    "kept after a request.\n\nLive signals go over the WebSocket `/api/live`. The first message "
    'is `{"source": "push", "fs": 360, "n_leads": 1}`, or `{"source": "simulated"}`. Then the '
    'client sends `{"samples": [[...]]}` with a list for each lead in mV, or the same as binary '
    'float32, and in the end `{"end": true}`. Each answer has `start`, `beats`, `heart_rate`, '
    "`alarms`, `unreadable` and `ended`."
)

_NUMBERS = {"type": "array", "items": {"type": "number", "nullable": True}}
_MODEL = {"type": "string", "enum": list(ANNOTATOR_NAMES), "default": DEFAULT_NAME}
_FILES = {"type": "array", "items": {"type": "string", "format": "binary"}}
_SENTENCES = {
    400: "The body is not as described",
    403: "Another site or name, or no token",
    408: "The body is too slow",
    413: "The body or the recording is too large",
    415: "The kind of file is not accepted",
    422: "The recording or a parameter is invalid",
    503: "The server is busy",
}
_ERROR = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}

ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": {"application/json": {"schema": _ERROR}}}
    for status, text in _SENTENCES.items()
}


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    """Return the schema of an object."""
    return {"schema": {"type": "object", "properties": properties, "required": required}}


ANNOTATE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": _object(
                {
                    "files": _FILES,
                    "model": _MODEL,
                    "fs": {"type": "number", "description": "Hz, of files that do not state it"},
                    "unit": {"type": "string", "enum": ["mV", "uV", "V", "nV"], "default": "mV"},
                    "leads": {"type": "string", "description": "Names, separated by commas"},
                    "verify": {
                        "type": "boolean",
                        "default": True,
                        "description": "Refuse other checksums, and truncated EDF files",
                    },
                },
                ["files"],
            ),
            "application/json": _object(
                {
                    "signal": {"oneOf": [_NUMBERS, {"type": "array", "items": _NUMBERS}]},
                    "fs": {"type": "number"},
                    "model": _MODEL,
                    "lead_names": {"type": "array", "items": {"type": "string"}},
                    "record_name": {"type": "string"},
                },
                ["signal", "fs"],
            ),
        },
    }
}

BEAT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": _object(
                {"signal": {**_NUMBERS, "minItems": N_TIMES, "maxItems": N_TIMES + 1}}, ["signal"]
            ),
            "multipart/form-data": _object({"files": _FILES}, ["files"]),
        },
    }
}
