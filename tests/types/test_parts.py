"""The parts of a message refuse what is no text, and no picture, when they are made."""

from __future__ import annotations

from typing import Any

import pytest

from deepseek_async import ChatRequest, FilePart, ImagePart, InvalidRequestError, TextPart, UserMessage
from deepseek_async.codec.requests import body_of
from deepseek_async.types import ImageURL


@pytest.mark.parametrize(
    ("make", "parameter", "told"),
    [
        (lambda: TextPart(5), "text", "a string, not int"),
        (lambda: TextPart(b"secret"), "text", "a string, not bytes"),
        (
            lambda: ImagePart("http://localhost/secret.png"),
            "image_url",
            "from_url(…) takes an address, not str",
        ),
        (lambda: ImagePart({"url": "secret"}), "image_url", "an ImageURL; "),
        (lambda: ImageURL(None), "url", "a string, not NoneType"),
        (lambda: ImageURL("http://localhost/a.png", 3), "detail", "a string, not int"),
        (lambda: FilePart(5), "file_id", "a string, not int"),
        (lambda: FilePart(file_data=b"secret"), "file_data", "a string, not bytes"),
    ],
)
def test_what_is_no_part(make: Any, parameter: str, told: str) -> None:
    """By its field, with what is wanted there; its text is not shown."""
    with pytest.raises(InvalidRequestError) as caught:
        make()
    assert caught.value.parameter == parameter
    assert told in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "text", "text": 5},
        {"type": "image_url", "image_url": {"url": 5}},
        {"type": "image_url", "image_url": {"url": "http://localhost/a.png", "detail": None}},
        {"type": "file", "file_id": 5},
        {"type": "text", "text": "a"},
        {"type": "image_url", "image_url": {"url": "http://localhost/a.png"}},
        {"type": "file", "file_id": "f"},
    ],
)
def test_parts_that_are_read_back_are_what_they_were(part: dict[str, Any]) -> None:
    """Those that no class of ours would hold stay mappings."""
    request = ChatRequest(model="m", messages=[{"role": "user", "content": [part]}])
    again = ChatRequest.from_json(request.to_json())
    assert body_of(again)["messages"][0]["content"] == [part]
    assert isinstance(again.messages[0], UserMessage)
