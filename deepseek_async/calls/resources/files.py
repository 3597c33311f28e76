"""``client.files``: images and documents that requests refer to by an id.

Source: pages "Files API" and "File Parsing", October 2026. What was uploaded cannot be downloaded again.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Generator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Unpack
from urllib.parse import quote, urlencode

from ...codec.reading.account import file_deletion_from_json, file_from_json, files_from_json
from ...errors import InvalidRequestError, name_ours, refuse_sync
from ...transport import Form
from ...types.account import FileDeletion, FileList, FileObject
from ..arguments.parameters import CallOptions, call_options_of
from ..arguments.spellings import WORDS_OF_FILES
from ..arguments.uploads import form_file_of
from .account import ask

if TYPE_CHECKING:
    from ..caller import Caller

Uploadable = str | os.PathLike[str] | bytes | BinaryIO
MAX_FILE_BYTES: Final = 100 * 2**20
"""Of a document; an image may have 64 MiB."""
EXPIRES_AFTER: Final = (3600, 30 * 24 * 3600)
MAX_PAGE: Final = 1000


class Files:
    """``client.files``."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def create(
        self,
        file: Uploadable | tuple[str, Uploadable] | tuple[str, Uploadable, str],
        *,
        purpose: str = "user_data",
        filename: str | None = None,
        media_type: str | None = None,
        expires_after: int | Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> FileObject:
        """``POST /files``. The file is read while it is sent, and never held in memory.

        Args:
            file: A path, bytes, or an open binary file that can be rewound (for another attempt); it stays open. With
                its name, or that and its media type, as a tuple, as the openai package has it.
            purpose: ``"user_data"``: an image. ``"text_recognition"``, ``"rich_layout_recognition"``: a document, which
                is parsed before the answer comes. Other servers have purposes of their own.
            filename: What it is called; a path's own name, else ``"upload"``.
            media_type: What it is; else as its name ends. The API itself looks at the content.
            expires_after: Seconds until it is deleted, 3,600 to 2,592,000; ``None``: it stays.
            options: Of the call, as for `ChatCompletions.create`.

        Raises:
            InvalidRequestError: There is no such file, it is empty or larger than the official API takes, or a value is
                out of range. Nothing was sent.
            DeepSeekError: As `ChatCompletions.create`.
        """
        options = call_options_of(options, Files.create)
        if isinstance(file, tuple):
            if not 2 <= len(file) <= 3:
                raise InvalidRequestError("file", None, "a file, or (name, file), or (name, file, media_type)")
            named = (*file, None)
            file, filename, media_type = named[1], filename or named[0], media_type or named[2]
        if not isinstance(purpose, str) or not purpose:
            allowed = "'user_data', 'text_recognition' or 'rich_layout_recognition'"
            raise InvalidRequestError("purpose", purpose, allowed)
        fields = [("purpose", purpose)]  # before the file: the API wants to know what to do with it
        if (seconds := _seconds_of(expires_after)) is not None:
            fields += [("expires_after[anchor]", "created_at"), ("expires_after[seconds]", str(seconds))]
        most = None if self._caller.rules is None else MAX_FILE_BYTES
        form = Form(tuple(fields), form_file_of(file, filename=filename, media_type=media_type, most=most))
        return await ask(self._caller, "POST", "/files", file_from_json, options, form)

    async def upload(self, file: Any, **options: Any) -> FileObject:
        """As `create`."""
        return await self.create(file, **options)

    def list(
        self,
        *,
        after: str | None = None,
        limit: int | None = None,
        order: str | None = None,
        purpose: str | None = None,
        **options: Unpack[CallOptions],
    ) -> FileListing:
        """``GET /files``: awaited, one page; iterated by ``async for``, all files, page after page.

        Args:
            after: The id of the file after which the page begins.
            limit: Files a page, 1 to 1,000.
            order: By the time of their making: ``"asc"`` or ``"desc"``.
            purpose: Only files of this purpose.

        Raises:
            InvalidRequestError: A value is out of range. Nothing was sent.
        """
        options = call_options_of(options, Files.list)
        is_number = isinstance(limit, int) and not isinstance(limit, bool)
        if limit is not None and not (is_number and 1 <= limit <= MAX_PAGE):
            raise InvalidRequestError("limit", limit, f"1 to {MAX_PAGE}")
        if order not in (None, "asc", "desc"):
            raise InvalidRequestError("order", order, "'asc' or 'desc'")
        wanted = {"after": after, "limit": limit, "order": order, "purpose": purpose}
        return FileListing(self._caller, {name: value for name, value in wanted.items() if value is not None}, options)

    async def retrieve(self, file_id: str, **options: Unpack[CallOptions]) -> FileObject:
        """``GET /files/{id}``: what is known of a file. Raises as `ChatCompletions.create`."""
        options = call_options_of(options, Files.retrieve)
        return await ask(self._caller, "GET", _path_of(file_id), file_from_json, options)

    async def get(self, file_id: str, **options: Unpack[CallOptions]) -> FileObject:
        """As `retrieve`."""
        return await self.retrieve(file_id, **options)

    async def delete(self, file_id: str, **options: Unpack[CallOptions]) -> FileDeletion:
        """``DELETE /files/{id}``. Raises as `ChatCompletions.create`."""
        options = call_options_of(options, Files.delete)
        return await ask(self._caller, "DELETE", _path_of(file_id), file_deletion_from_json, options)


class FileListing:
    """The list of files, asked for when it is awaited (a page) or iterated (all pages)."""

    def __init__(self, caller: Caller, wanted: Mapping[str, Any], options: CallOptions) -> None:
        self._caller = caller
        self._wanted = wanted
        self._options = options

    def __await__(self) -> Generator[Any, Any, FileList]:
        return self._page(self._wanted).__await__()

    async def __aiter__(self) -> AsyncIterator[FileObject]:
        wanted = dict(self._wanted)
        while True:
            page = await self._page(wanted)
            for file in page:
                yield file
            last = page.last_id or (page.data[-1].id if page.data else None)
            if not page.has_more or last is None or last == wanted.get("after"):
                return
            wanted["after"] = last

    async def _page(self, wanted: Mapping[str, Any]) -> FileList:
        path = f"/files?{urlencode(wanted)}" if wanted else "/files"
        return await ask(self._caller, "GET", path, files_from_json, self._options)


name_ours(Files, WORDS_OF_FILES)
for _name in ("data", "first_id", "last_id", "has_more"):
    name_ours(FileListing, {_name: f"(await client.files.list()).{_name}"})
refuse_sync(FileListing)


def _path_of(file_id: object) -> str:
    if not isinstance(file_id, str) or not file_id.strip("."):
        raise InvalidRequestError("file_id", None, "the id of a file, as create tells it")
    return f"/files/{quote(file_id, safe='')}"


def _seconds_of(expires_after: int | Mapping[str, Any] | None) -> int | None:
    """Of a number, or as the openai package says it: ``{"anchor": "created_at", "seconds": 3600}``."""
    if expires_after is None:
        return None
    seconds = expires_after.get("seconds") if isinstance(expires_after, Mapping) else expires_after
    least, most = EXPIRES_AFTER
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not least <= seconds <= most:
        raise InvalidRequestError("expires_after", seconds, f"seconds, {least:,} to {most:,} (1 hour to 30 days)")
    return seconds
