"""The JSON of what an account has → values: its models, its files, its balance."""

from __future__ import annotations

from typing import Any, TypeVar

from ...types.account import Balance, FileDeletion, FileList, FileObject, ModelList
from ..failures.in_band import in_band_failure
from .bodies import parse_json
from .lenient import value_from
from .shapes.lessons import ENVELOPES

T = TypeVar("T")


def models_from_json(body: bytes) -> ModelList:
    """The body of ``GET /models`` → `ModelList`, also a bare list of models. Raises as `completion_from_json`."""
    return _from_json(body, ModelList, "the list of models")


def file_from_json(body: bytes) -> FileObject:
    """The body of ``POST /files`` and ``GET /files/{id}`` → `FileObject`. Raises as `completion_from_json`."""
    return _from_json(body, FileObject, "the file")


def files_from_json(body: bytes) -> FileList:
    """The body of ``GET /files`` → `FileList`. Raises as `completion_from_json`."""
    return _from_json(body, FileList, "the list of files")


def file_deletion_from_json(body: bytes) -> FileDeletion:
    """The body of ``DELETE /files/{id}`` → `FileDeletion`. Raises as `completion_from_json`."""
    return _from_json(body, FileDeletion, "the deletion")


def balance_from_json(body: bytes) -> Balance:
    """The body of ``GET /user/balance`` → `Balance`. Raises as `completion_from_json`."""
    return _from_json(body, Balance, "the balance")


def _from_json(body: bytes, cls: type[T], what: str) -> T:
    parsed = parse_json(body, what)
    if (failure := in_band_failure(parsed)) is not None:
        raise failure
    if cls is ModelList:
        parsed = _as_list_of_models(parsed)
    return value_from(parsed, cls, what)


def _as_list_of_models(parsed: Any) -> Any:
    """The list that others put bare (Together), under ``models`` (Ollama's own), or in an envelope; or names alone."""
    if isinstance(parsed, list):
        parsed = {"data": parsed}
    elif isinstance(parsed, dict):
        lists = {name: parsed[name] for name in ("data", "models", *ENVELOPES) if parsed.get(name)}
        name, inner = next(iter(lists.items()), ("data", None))
        if isinstance(inner, dict) and (inner.get("data") or inner.get("models")):
            return _as_list_of_models(inner)
        if not lists and "data" not in parsed and "models" not in parsed:
            parsed = {**parsed, "data": "nothing"}  # for the reader to refuse: no list is no empty list
        elif name != "data":
            parsed = {**parsed, "data": inner}
            del parsed[name]
    if isinstance(parsed, dict) and isinstance(parsed.get("data"), list):
        models = [{"id": model} if isinstance(model, str) else model for model in parsed["data"]]
        parsed = {**parsed, "data": models}
    return parsed
