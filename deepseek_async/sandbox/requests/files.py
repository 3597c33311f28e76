"""The files of an account: `FileStore` knows what was uploaded, `read_upload` reads a form.

Sizes, purposes and fields are those of the pages "Files API" and "File Parsing" (October 2026); the texts of refusals
follow the pattern of the observed ones. Contents are looked at and then forgotten: nothing can download them.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from email.message import Message
from email.parser import HeaderParser

import attrs
import msgspec

from .refusals import Refusal, bad_request

__all__ = ["FileStore", "Upload", "read_upload"]

MAX_UPLOAD_BYTES = 100 * 2**20
_MAX_IMAGE_BYTES = 64 * 2**20
_MAX_FILES = 10_000
_EXPIRES_AFTER = range(3600, 2_592_001)
_PURPOSES = ("user_data", "text_recognition", "rich_layout_recognition")
_IMAGES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")


@attrs.frozen
class Upload:
    """What a form brought."""

    filename: str
    size: int
    purpose: str
    expires_after: int | None


class StoredFile(msgspec.Struct, omit_defaults=True):
    """A file as the API tells of it."""

    id: str
    bytes: int
    created_at: int
    filename: str
    purpose: str
    expires_at: int | None = None

    def to_wire(self) -> dict[str, object]:
        """As plain data."""
        return {"object": "file", **msgspec.to_builtins(self)}


class FileStore:
    """The files of an account. ``clock``: Unix time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._files: dict[str, StoredFile] = {}

    def __contains__(self, file_id: object) -> bool:
        self._forget_expired()
        return file_id in self._files

    def add(self, upload: Upload) -> StoredFile:
        """Keep one. Raises `Refusal`: there are too many."""
        self._forget_expired()
        if len(self._files) >= _MAX_FILES:
            raise bad_request(f"Too many files: at most {_MAX_FILES} are kept")
        now = int(self._clock())
        expires_at = None if upload.expires_after is None else now + upload.expires_after
        name = f"file-api-{uuid.uuid4().hex}"
        stored = StoredFile(name, upload.size, now, upload.filename, upload.purpose, expires_at)
        self._files[stored.id] = stored
        return stored

    def get(self, file_id: str) -> StoredFile:
        """One of them. Raises `Refusal`: 404."""
        if file_id not in self:
            raise Refusal(status=404, message=f"No such File object: {file_id}", param="id")
        return self._files[file_id]

    def delete(self, file_id: str) -> None:
        """Forget one. Raises `Refusal`: 404."""
        self.get(file_id)
        del self._files[file_id]

    def page(
        self, *, after: str | None, limit: str | None, order: str | None, purpose: str | None
    ) -> dict[str, object]:
        """A page of them, as the query's parameters ask. Raises `Refusal`: one of these is out of range."""
        self._forget_expired()
        count = _count(limit)
        if order not in (None, "asc", "desc"):
            raise bad_request("Invalid order value, order must be one of asc, desc")
        files = [file for file in self._files.values() if purpose in (None, file.purpose)]
        if order == "desc":
            files.reverse()
        if after is not None:
            places = [place for place, file in enumerate(files) if file.id == after]
            if not places:
                raise bad_request(f"Invalid after value: no such File object: {after}")
            files = files[places[0] + 1 :]
        shown = files[:count]
        return {
            "object": "list",
            "data": [file.to_wire() for file in shown],
            "first_id": shown[0].id if shown else None,
            "last_id": shown[-1].id if shown else None,
            "has_more": len(files) > count,
        }

    def _forget_expired(self) -> None:
        now = self._clock()
        for file_id, file in list(self._files.items()):
            if file.expires_at is not None and file.expires_at <= now:
                del self._files[file_id]


def _count(limit: str | None) -> int:
    if limit is None:
        return 1000
    if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit) <= 1000:
        raise bad_request("Invalid limit value, the valid range of limit is [1, 1000]")
    return int(limit)


def read_upload(body: bytes, content_type: str) -> Upload:
    """Read the form of POST /files.

    Raises:
        Refusal: 400: no form, a field that is missing or wrong, a file of a kind that the purpose does not take.
    """
    fields: dict[str, str] = {}
    file: tuple[str, bytes] | None = None
    for head, data in _parts(body, content_type):
        name = head.get_param("name", header="content-disposition")
        filename = head.get_filename()
        if name == "file":
            if filename is None:
                raise bad_request("Invalid file value, a file with its filename is expected")
            if "purpose" not in fields:
                raise bad_request("Invalid purpose value, purpose must come before file")
            file = filename, data
        elif isinstance(name, str):
            fields[name] = data.decode("utf-8", "replace")
    if file is None:
        raise bad_request("Invalid file value, file is required")
    purpose = fields.get("purpose", "")
    if purpose not in _PURPOSES:
        raise bad_request(f"Invalid purpose value, purpose must be one of {', '.join(_PURPOSES)}")
    filename, data = file
    if not data:
        raise bad_request("Invalid file value, the file is empty")
    is_image = data.startswith(_IMAGES) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")
    if purpose == "user_data" and not is_image:
        raise bad_request("Unsupported file type, supported image formats are JPEG, PNG, GIF and WebP")
    if is_image and len(data) > _MAX_IMAGE_BYTES:
        raise bad_request(f"File too large, an image may have at most {_MAX_IMAGE_BYTES} bytes")
    return Upload(filename, len(data), purpose, _expiry(fields))


def _expiry(fields: dict[str, str]) -> int | None:
    anchor, seconds = fields.get("expires_after[anchor]"), fields.get("expires_after[seconds]")
    if anchor is None and seconds is None:
        return None
    if anchor != "created_at":
        raise bad_request("Invalid expires_after[anchor] value, it must be created_at")
    if seconds is None or not seconds.isdigit() or int(seconds) not in _EXPIRES_AFTER:
        raise bad_request("Invalid expires_after[seconds] value, the valid range is [3600, 2592000]")
    return int(seconds)


def _parts(body: bytes, content_type: str) -> list[tuple[Message, bytes]]:
    """Head and content of each part (RFC 7578). Raises `Refusal`."""
    head = HeaderParser().parsestr(f"content-type: {content_type}\n\n")
    boundary = head.get_boundary()
    if head.get_content_type() != "multipart/form-data" or not boundary:
        raise bad_request("Expected request with `Content-Type: multipart/form-data`")
    _, *pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.encode("latin-1", "replace"))
    if not pieces or not pieces[-1].startswith(b"--"):
        raise bad_request("Failed to parse the request body as a form: it does not end with its boundary")
    parts = []
    for piece in pieces[:-1]:
        said, blank, data = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        if not blank:
            raise bad_request("Failed to parse the request body as a form: a part has no head")
        parts.append((HeaderParser().parsestr(said.decode("utf-8", "replace")), data))
    return parts
