"""Objects of a store that speaks S3, or files of a directory, by name; a failure is one sentence.

An object stands whole or not at all once it is closed, but a sender that fails closes what it has
sent so far: who reads compares sizes and hashes.
"""

import contextlib
import datetime as dt
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.fs as arrow

from shortlist.errors import CorruptError, ShortlistError, StorageError, UnavailableError
from shortlist.files import STAGING_PREFIX
from shortlist.settings.remote import RemoteSettings

CHUNK: Final = 4 << 20
_MISSING: Final = FileNotFoundError
_FAILURES: Final = (OSError, pa.ArrowException)
_CODE: Final = re.compile(r"AWS Error ([A-Z_]+)|HTTP status (\d+)|(curlCode: \d+)")
_KEYS: Final = frozenset(
    {
        "ACCESS_DENIED",
        "EXPIRED_TOKEN",
        "INCOMPLETE_SIGNATURE",
        "INVALID_ACCESS_KEY_ID",
        "INVALID_CLIENT_TOKEN_ID",
        "INVALID_SIGNATURE",
        "MISSING_AUTHENTICATION_TOKEN",
        "SIGNATURE_DOES_NOT_MATCH",
        "UNRECOGNIZED_CLIENT",
    }
)


@dataclass(frozen=True)
class Found:
    """One object that a list names.

    Attributes:
        size: bytes.
        changed: when it was written; None where the store does not say.
    """

    size: int
    changed: dt.datetime | None


class Objects:
    """Objects below one URL; names are relative to it, with slashes."""

    def __init__(self, settings: RemoteSettings) -> None:
        """Ask nothing yet.

        Args:
            settings: with a ``url``.

        Raises:
            StorageError: the store cannot be asked with these settings.
        """
        assert settings.url is not None
        self.url = settings.url
        scheme, _, place = self.url.partition("://")
        self._is_directory = scheme == "file"
        self._base = unquote(place) if self._is_directory else place
        self._timeout, self._attempts = settings.timeout_seconds, settings.attempts
        with self._asking():
            self._system = arrow.LocalFileSystem() if self._is_directory else _s3(settings)

    def address(self, name: str) -> str:
        """The URL of an object."""
        return f"{self.url}/{name}"

    def read(self, name: str) -> bytes | None:
        """The bytes of a small object; None where there is none.

        Raises:
            CorruptError: the store's own checksum is of other bytes.
            StorageError: there is no such bucket, or the keys are refused.
            UnavailableError: the store does not answer.
        """
        try:
            return b"".join(self.chunks(name))
        except _MISSING:
            return None

    def chunks(self, name: str) -> Iterator[bytes]:
        """The bytes of an object, in chunks.

        Raises:
            FileNotFoundError: there is none.
            CorruptError: the store's own checksum is of other bytes.
            StorageError: as `read`, and UnavailableError too.
        """
        try:
            with self._asking():
                stream = self._system.open_input_stream(self._path(name))
        except _MISSING:
            self._hold_bucket()
            raise
        with contextlib.closing(stream):
            while True:
                with self._asking(name):
                    chunk = stream.read(CHUNK)
                if not chunk:
                    return
                yield chunk

    def write(self, name: str, chunks: Iterable[bytes]) -> None:
        """Write an object, or replace it.

        Raises:
            StorageError: as `read`, and UnavailableError too; what was sent may stand, cut short.
        """
        path = self._path(name)
        directory = path.rpartition("/")[0]
        aside = f"{directory}/{STAGING_PREFIX}{uuid.uuid4().hex}" if self._is_directory else path
        with self._asking():
            if self._is_directory:
                self._system.create_dir(directory, recursive=True)
            stream = self._system.open_output_stream(aside)
        for chunk in chunks:
            with self._asking():
                stream.write(chunk)
        with self._asking():
            stream.close()
            if self._is_directory:
                self._system.move(aside, path)

    def list(self, directory: str) -> Mapping[str, Found]:
        """What lies below a directory, by name relative to it; empty where there is none.

        Raises:
            StorageError: as `read`, and UnavailableError too.
        """
        below = f"{self._path(directory)}/"
        return {
            info.path.removeprefix(below): Found(int(info.size), info.mtime)
            for info in self._infos(directory, recursive=True)
            if info.type == arrow.FileType.File
        }

    def directories(self) -> tuple[str, ...]:
        """Names of the directories at the top, ascending.

        Raises:
            StorageError: as `read`, and UnavailableError too.
        """
        infos = self._infos("", recursive=False)
        return tuple(
            sorted(info.base_name for info in infos if info.type == arrow.FileType.Directory)
        )

    def remove(self, directory: str, first: str) -> None:
        """Delete a directory; the object ``first`` in it before all others.

        Raises:
            StorageError: as `read`, and UnavailableError too.
        """
        for delete, path in (
            (self._system.delete_file, self._path(f"{directory}/{first}")),
            (self._system.delete_dir, self._path(directory)),
        ):
            with contextlib.suppress(_MISSING), self._asking():
                delete(path)

    def _infos(self, directory: str, *, recursive: bool) -> Iterable[Any]:
        path = self._path(directory) if directory else self._base
        selector = arrow.FileSelector(path, allow_not_found=True, recursive=recursive)
        with self._asking():
            found: list[Any] = self._system.get_file_info(selector)
        if not found:
            self._hold_bucket()
        return found

    def _path(self, name: str) -> str:
        return f"{self._base}/{name}"

    def _hold_bucket(self) -> None:
        """Say of a bucket that it is missing: asked for an object in it, S3 does not.

        Nor does it always say so of keys that it refuses; asked for a list, it gives its reason.
        """
        if self._is_directory:
            return
        with self._asking():
            found = self._system.get_file_info(self._base.partition("/")[0])
        if found.type == arrow.FileType.NotFound:
            with self._asking(), contextlib.suppress(_MISSING):
                self._system.get_file_info(arrow.FileSelector(self._base))
            raise self._no_bucket()

    def _no_bucket(self) -> StorageError:
        bucket = self._base.partition("/")[0]
        return StorageError(f"there is no bucket {bucket!r}; make it, or check remote.url")

    @contextlib.contextmanager
    def _asking(self, name: str = "") -> Iterator[None]:
        try:
            yield
        except _MISSING:
            raise
        except _FAILURES as error:
            raise self._sentence(error, name) from error

    def _sentence(self, error: Exception, name: str) -> ShortlistError:
        said = " ".join(str(error).split())
        codes = {code for found in _CODE.findall(said) for code in found if code}
        if "checksums mismatch" in said:
            return CorruptError(f"{self.address(name)} is torn or edited: its checksum differs")
        if "NO_SUCH_BUCKET" in codes:
            return self._no_bucket()
        if codes & _KEYS or "403" in codes or "access key" in said.lower():
            return StorageError(
                f"{self.url} refuses what was asked ({_first(codes)}); check AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, and that they may list, read, write and delete there"
            )
        if self._is_directory:
            return StorageError(f"{self.url} cannot be used: {said}; check remote.url")
        detail = _first(codes) if codes else said
        return UnavailableError(
            f"{self.url} does not answer ({detail}); check that the object store runs, and "
            "remote.endpoint"
        )


def _first(codes: Iterable[str]) -> str:
    return ", ".join(sorted(codes)).replace("_", " ").lower()


def _s3(settings: RemoteSettings) -> arrow.FileSystem:
    scheme, _, place = (settings.endpoint or "https://").partition("://")
    return arrow.S3FileSystem(
        region=settings.region,
        scheme=scheme,
        endpoint_override=place or None,
        connect_timeout=settings.timeout_seconds,
        request_timeout=settings.timeout_seconds,
        retry_strategy=arrow.AwsStandardS3RetryStrategy(max_attempts=settings.attempts),
        allow_delayed_open=True,
        tls_ca_file_path=None if settings.tls_ca is None else str(settings.tls_ca),
    )
