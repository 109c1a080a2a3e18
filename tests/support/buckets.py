"""A local S3 server, and the host's provider for a bucket on it.

This is a pytest plugin; modules that need its fixtures say ``pytest_plugins = ["tests.support.buckets"]``.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

REGION = "us-east-1"
KEY = "tests"


@dataclass(frozen=True)
class Bucket:
    """A bucket of a test's own.

    Attributes:
        name: Its name.
        endpoint: Address of the server.
        client: boto's client.
    """

    name: str
    endpoint: str
    client: Any

    @property
    def variables(self) -> dict[str, str]:
        """The host's variables for it."""
        return {
            "S3_BUCKET_NAME": self.name,
            "S3_KEY_PREFIX": "uploads",
            "S3_ENDPOINT_URL": self.endpoint,
            "S3_REGION_NAME": REGION,
            "S3_ACCESS_KEY_ID": KEY,
            "S3_SECRET_ACCESS_KEY": KEY,
        }

    @property
    def keys(self) -> list[str]:
        found = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return sorted(each["Key"] for each in found)

    def read(self, key: str) -> bytes:
        return bytes(self.client.get_object(Bucket=self.name, Key=key)["Body"].read())


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Address of the server."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_server: str) -> Bucket:
    client = boto3.client(
        "s3", endpoint_url=s3_server, region_name=REGION, aws_access_key_id=KEY, aws_secret_access_key=KEY
    )
    name = f"bucket-{uuid.uuid4().hex}"
    client.create_bucket(Bucket=name)
    return Bucket(name, s3_server, client)


@pytest.fixture
def s3_provider(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The host's own provider, set up for the bucket as its environment would."""
    from open_webui.storage import provider  # noqa: PLC0415 - it reads the environment

    for name, value in bucket.variables.items():
        monkeypatch.setattr(provider, name, value)
    monkeypatch.setattr(provider, "S3_ADDRESSING_STYLE", "path")
    return provider.S3StorageProvider()
