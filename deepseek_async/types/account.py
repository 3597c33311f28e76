"""What the account sees: its models, its files and its balance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import attrs

from .values import Brief, Document, extra_field


@attrs.frozen(repr=False)
class Model(Document):
    """A model. Older answers have only ``id``, ``object`` and ``owned_by``.

    Attributes:
        context_window, max_output_tokens: In tokens.
        effort: Supported and default reasoning effort, as sent.
    """

    id: str
    object: str = "model"
    owned_by: str | None = None
    name: str | None = None
    context_window: int | None = None
    max_output_tokens: int | None = None
    input_modalities: tuple[str, ...] | None = None
    output_modalities: tuple[str, ...] | None = None
    effort: Mapping[str, Any] | None = attrs.field(default=None, hash=False)
    api_capabilities: Mapping[str, Any] | None = attrs.field(default=None, hash=False)
    extra: Mapping[str, Any] = extra_field()


@attrs.frozen(repr=False)
class ModelList(Document):
    """The models, iterable. Aliases of retired names are not listed."""

    object: str = "list"
    data: tuple[Model, ...] = ()
    extra: Mapping[str, Any] = extra_field()

    def __iter__(self) -> Iterator[Model]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)


@attrs.frozen(repr=False)
class FileObject(Document):
    """An uploaded file. Its id goes into `FilePart`.

    Attributes:
        bytes: Its size.
        created_at, expires_at: Unix seconds; ``expires_at`` is ``None`` for a file that stays.
        purpose: ``"user_data"`` (images), ``"text_recognition"`` or ``"rich_layout_recognition"`` (documents).
    """

    id: str
    object: str = "file"
    bytes: int | None = None
    created_at: int | None = None
    filename: str | None = None
    purpose: str | None = None
    expires_at: int | None = None
    extra: Mapping[str, Any] = extra_field()


@attrs.frozen(repr=False)
class FileList(Document):
    """A page of files, iterable. ``last_id`` begins the next, if there ``has_more``."""

    object: str = "list"
    data: tuple[FileObject, ...] = ()
    first_id: str | None = None
    last_id: str | None = None
    has_more: bool | None = None
    extra: Mapping[str, Any] = extra_field()

    def __iter__(self) -> Iterator[FileObject]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)


@attrs.frozen(repr=False)
class FileDeletion(Document):
    """What came of deleting a file."""

    id: str | None = None
    object: str = "file"
    deleted: bool = False
    extra: Mapping[str, Any] = extra_field()


@attrs.frozen(repr=False)
class BalanceInfo(Brief):
    """One currency's balance. Amounts are exact; granted balance is spent first."""

    currency: str
    total_balance: Decimal
    granted_balance: Decimal | None = None
    topped_up_balance: Decimal | None = None
    extra: Mapping[str, Any] = extra_field()


@attrs.frozen(repr=False)
class Balance(Document):
    """The account's balance. ``is_available``: whether requests are served."""

    is_available: bool | None = None
    balance_infos: tuple[BalanceInfo, ...] = ()
    extra: Mapping[str, Any] = extra_field()
