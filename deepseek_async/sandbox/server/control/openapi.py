"""The description of what is served, made from the structs that bodies are read and written with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from ...answers.replies import (
    Balance,
    ChatCompletion,
    ChatCompletionChunk,
    ErrorBody,
    ModelList,
    TextCompletion,
    TextCompletionChunk,
)
from ...requests.bodies import ChatBody, CompletionBody
from ...scripts.json_form import script_schema
from ..endpoints import ENDPOINTS, FILE, FILE_ENDPOINTS, FILES, PREFIXES
from .orders import NewCeiling, NewScripts

__all__ = ["describe"]

_REFUSALS = {
    400: "Malformed, out of range, or a contradiction; the text names the field.",
    401: "No key, or a wrong one.",
    402: "The balance is used up.",
    404: "There is no such file.",
    413: "The body is over 48 MiB.",
    415: "Content-Type is not exactly application/json.",
    422: "A field is missing or has the wrong type; the text names it.",
    429: "Too many requests in flight; only the text tells the limit.",
    500: "The server failed.",
    503: "The server is overloaded.",
}
_AS_TEXT = {401, 413, 415}
_TITLES = {
    "/chat/completions": "Create a chat completion",
    "/completions": "Fill in the middle (beta)",
    "/models": "List the models",
    "/user/balance": "Show the balance",
}
_FILE_TITLES = {
    (FILES, "POST"): "Upload a file",
    (FILES, "GET"): "List the files",
    (FILE, "GET"): "Tell of a file",
    (FILE, "DELETE"): "Delete a file",
}
_NO_BRACES = str.maketrans("", "", "{}")
_BODIES: dict[str, type[Any]] = {"/chat/completions": ChatBody, "/completions": CompletionBody}
_ANSWERS: dict[str, type[Any]] = {
    "/chat/completions": ChatCompletion,
    "/completions": TextCompletion,
    "/models": ModelList,
    "/user/balance": Balance,
}
_CHUNKS: dict[str, type[Any]] = {"/chat/completions": ChatCompletionChunk, "/completions": TextCompletionChunk}
_CONTROL_TITLES = {
    ("/openapi.json", "GET"): "Describe what is served",
    ("/sandbox", "GET"): "Count what is in flight, refused, billed and spent",
    ("/sandbox/scripts", "POST"): "Have scripts played, one a request, in this order",
    ("/sandbox/scripts", "DELETE"): "Forget the scripts in waiting",
    ("/sandbox/requests", "GET"): "List the requests seen, keys left out",
    ("/sandbox/requests", "DELETE"): "Forget the requests seen",
    ("/sandbox/ceiling", "PUT"): "Move the ceiling of requests in flight",
}
_CONTROL_BODIES: dict[str, type[Any]] = {"/sandbox/scripts": NewScripts, "/sandbox/ceiling": NewCeiling}
_ABOUT = """A stand-in for DeepSeek's API, on loopback, with a small language model and scripted faults.

Every path of the API is also served under /v1 and /beta. A script for one request goes into the header
`x-sandbox-script`, as JSON (the schema `Script`). `x-sandbox-row` names the row that a request is billed under.
Requests with the header `x-sandbox-caller: NAME`, or below `/caller/NAME`, belong to one caller, who may have scripts
of its own."""


def describe(base_url: str, control: Mapping[str, Iterable[str]]) -> dict[str, Any]:
    """The OpenAPI document.

    Args:
        base_url: Where the server listens.
        control: The sandbox's own paths, and the methods of each.
    """
    document = _document(tuple((path, tuple(methods)) for path, methods in control.items()))
    return {**document, "servers": [{"url": str(base_url)}]}


@lru_cache(maxsize=1)
def _document(control: tuple[tuple[str, tuple[str, ...]], ...]) -> dict[str, Any]:
    _, components = msgspec.json.schema_components(
        [*_BODIES.values(), *_ANSWERS.values(), *_CHUNKS.values(), ErrorBody, *_CONTROL_BODIES.values()],
        ref_template="#/components/schemas/{name}",
    )
    components["Script"] = script_schema()
    components["NewScripts"]["properties"]["scripts"]["items"] = {"$ref": "#/components/schemas/Script"}
    return {
        "openapi": "3.2.0",
        "info": {"title": "DeepSeek sandbox", "version": "1", "description": _ABOUT},
        "security": [{}, {"key": []}],
        "paths": {
            **{prefix + path: _operation(prefix, path) for path in _TITLES for prefix in sorted(PREFIXES)},
            **{prefix + path: _file_operations(prefix, path) for path in (FILES, FILE) for prefix in sorted(PREFIXES)},
            **{path: {method.lower(): _control(path, method) for method in methods} for path, methods in control},
        },
        "components": {"schemas": components, "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
    }


def _operation(prefix: str, path: str) -> dict[str, Any]:
    method = ENDPOINTS[path].method.lower()
    operation: dict[str, Any] = {
        "operationId": (prefix + path).strip("/").replace("/", "_"),
        "summary": _TITLES[path],
        "responses": {"200": _answer(path), **{str(status): _refusal(status) for status in _statuses(path)}},
    }
    if path in _BODIES:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(_BODIES[path])}}}
    return {method: operation}


def _file_operations(prefix: str, path: str) -> dict[str, Any]:
    """What a path of the files takes; ids stand in the path, the form of an upload in the body."""
    operations: dict[str, Any] = {}
    for method in (method for known, method in FILE_ENDPOINTS if known == path):
        operation = operations[method.lower()] = {
            "operationId": f"{method.lower()}_{(prefix + path).strip('/').replace('/', '_').translate(_NO_BRACES)}",
            "summary": _FILE_TITLES[path, method],
            "responses": {
                "200": {"description": "Done.", "content": {"application/json": {"schema": {"type": "object"}}}},
                **{str(status): _refusal(status) for status in (400, 401, 404, 413, 500)},
            },
        }
        if path == FILE:
            operation["parameters"] = [_parameter("file_id", "path")]
        elif method == "GET":
            operation["parameters"] = [_parameter(name, "query") for name in ("after", "limit", "order", "purpose")]
        else:
            fields = {
                name: {"type": "string"} for name in ("purpose", "expires_after[anchor]", "expires_after[seconds]")
            }
            form = {"type": "object", "required": ["purpose", "file"], "properties": {**fields, "file": {}}}
            operation["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": form}}}
    return operations


def _parameter(name: str, place: str) -> dict[str, Any]:
    return {"name": name, "in": place, "required": place == "path", "schema": {"type": "string"}}


def _control(path: str, method: str) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"{method.lower()}_{path.strip('/').replace('/', '_').replace('.', '_')}",
        "tags": ["sandbox"],
        "summary": _CONTROL_TITLES[path, method],
        "responses": {
            "200": {"description": "Done.", "content": {"application/json": {"schema": {"type": "object"}}}},
            "401": _refusal(401),
        },
    }
    if method in ("POST", "PUT"):
        schema = _ref(_CONTROL_BODIES[path])
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
        operation["responses"]["400"] = _refusal(400)
    return operation


def _statuses(path: str) -> list[int]:
    with_body = (402, 413, 415, 422, 429)
    return [status for status in _REFUSALS if status != 404 and (path in _BODIES or status not in with_body)]


def _answer(path: str) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": _ref(_ANSWERS[path])}}
    if path in _CHUNKS:
        chunk = {"type": "string", "contentMediaType": "application/json", "contentSchema": _ref(_CHUNKS[path])}
        event = {
            "type": "object",
            "required": ["data"],
            "properties": {"data": {"anyOf": [{"const": "[DONE]"}, chunk]}},
        }
        content["text/event-stream"] = {"itemSchema": event}
    return {"description": "The answer.", "content": content}


def _refusal(status: int) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": _ref(ErrorBody)}}
    if status in _AS_TEXT:
        content["text/plain"] = {"schema": {"type": "string"}}
    return {"description": _REFUSALS[status], "content": content}


def _ref(struct: type[Any]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{struct.__name__}"}
