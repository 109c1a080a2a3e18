"""Buckets as places, through the clients that the host's own providers make of its settings.

Its providers' methods are not used: they keep each file in memory as a whole, and leave copies in the directory for
uploads or remove those that are there. What a bucket is asked for is the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from openwebui_pocketbase.storage.places import Stored

if TYPE_CHECKING:
    from openwebui_pocketbase.storage.rows import FileRow

__all__ = ["S3Place", "SourceBucket", "azure", "gcs"]

NOT_THERE = {"404", "NoSuchKey", "NotFound"}
SHA256 = "owui-sha256"
"""The checksum of the contents, in an object's metadata."""


class S3Place:
    """The host's bucket.

    Args:
        provider: The host's ``S3StorageProvider``.
        tags: Whether objects are tagged (the host's ``S3_ENABLE_TAGGING``).
    """

    def __init__(self, provider: Any, *, tags: bool) -> None:
        self._client = provider.s3_client
        self._bucket = provider.bucket_name
        self._prefix = provider.key_prefix
        self._sanitized = provider.sanitize_tag_value
        self._tags = tags

    def fetch(self, path: str, directory: Path) -> Path:
        """Download an object."""
        file = directory / "contents"
        with _failures(path), file.open("wb") as stream:
            self._client.download_fileobj(self._bucket, _key(path), stream)
        return file

    def put(self, row: FileRow, name: str, source: Path, sha256: str) -> str:
        """Upload an object, unless it is there."""
        key = os.path.join(self._prefix, name)  # noqa: PTH118 - as the host does
        path = f"s3://{self._bucket}/{key}"
        there = self._sha256(path)
        if there == sha256:
            return path
        if there is not None and not name.startswith(row.id):
            raise FileExistsError(f"There is another object {path}.")
        with _failures(path):
            self._client.upload_file(str(source), self._bucket, key, {"Metadata": {SHA256: sha256}})
            if self._tags:
                tags = {"OpenWebUI-User-Id": row.user_id, "OpenWebUI-File-Id": row.id}
                tagging = [{"Key": tag, "Value": self._sanitized(value)} for tag, value in tags.items()]
                self._client.put_object_tagging(Bucket=self._bucket, Key=key, Tagging={"TagSet": tagging})
        return path

    def remove(self, path: str) -> None:
        """Delete an object."""
        with _failures(path):
            self._client.delete_object(Bucket=self._bucket, Key=_key(path))

    def __iter__(self) -> Iterator[Stored]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
        with _failures(f"s3://{self._bucket}/{self._prefix}"):
            for page in pages:
                for found in page.get("Contents", ()):
                    path = f"s3://{self._bucket}/{found['Key']}"
                    yield Stored(path, found["Size"], found["LastModified"].timestamp())

    def _sha256(self, path: str) -> str | None:
        """Return the checksum that an object of ours tells, "" of another one, None if there is none."""
        try:
            with _failures(path):
                found = self._client.head_object(Bucket=self._bucket, Key=_key(path))
        except FileNotFoundError:
            return None
        return str(found["Metadata"].get(SHA256, ""))


class SourceBucket:
    """A bucket of which files are only moved away.

    Args:
        download: Given a name and a stream, writes the contents to it.
        delete: Given a name, deletes them.
        missing: The client's error for what is not there.
    """

    def __init__(
        self, download: Callable[[str, BinaryIO], None], delete: Callable[[str], None], missing: type[Exception]
    ) -> None:
        self._download = download
        self._delete = delete
        self._missing = missing

    def fetch(self, path: str, directory: Path) -> Path:
        """Download the contents."""
        file = directory / "contents"
        try:
            with file.open("wb") as stream:
                self._download(_name(path), stream)
        except self._missing:
            raise FileNotFoundError(path) from None
        return file

    def put(self, row: FileRow, name: str, source: Path, sha256: str) -> str:
        """Refuse."""
        raise NotImplementedError

    def remove(self, path: str) -> None:
        """Delete the contents."""
        with suppress(self._missing):
            self._delete(_name(path))

    def __iter__(self) -> Iterator[Stored]:
        return iter(())


def gcs(provider: Any, missing: type[Exception]) -> SourceBucket:
    """Return the bucket of the host's ``GCSStorageProvider``.

    Args:
        provider: That provider.
        missing: Google's error for what is not there.
    """
    return SourceBucket(
        lambda name, stream: provider.bucket.blob(name).download_to_file(stream),
        lambda name: provider.bucket.blob(name).delete(),
        missing,
    )


def azure(provider: Any, missing: type[Exception]) -> SourceBucket:
    """Return the container of the host's ``AzureStorageProvider``.

    Args:
        provider: That provider.
        missing: Azure's error for what is not there.
    """
    client = provider.container_client
    return SourceBucket(
        lambda name, stream: client.get_blob_client(name).download_blob().readinto(stream),
        lambda name: client.get_blob_client(name).delete_blob(),
        missing,
    )


def _key(path: str) -> str:
    """Return the key of an object; the bucket of a path is not looked at, nor does the host."""
    return path.removeprefix("s3://").partition("/")[2]


def _name(path: str) -> str:
    return path.rsplit("/", 1)[-1]


@contextmanager
def _failures(path: str) -> Iterator[None]:
    """Raise errors of the operating system in place of boto's."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - the host's, if it uses a bucket

    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in NOT_THERE:
            raise FileNotFoundError(path) from None
        raise OSError(f"{path}: {error}") from None
    except BotoCoreError as error:
        raise OSError(f"{path}: {error}") from None
