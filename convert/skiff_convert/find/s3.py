"""Files in S3, or what stands in for it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import ConvertError

# Beside botocore's own, AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL: MLflow's variable, and the worker's.
ENDPOINTS = ("MLFLOW_S3_ENDPOINT_URL", "S3_ENDPOINT_URL")
BOTOCORE_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
CHUNK = 1 << 20  # bytes


class S3:
    """What is below a prefix of a bucket."""

    def __init__(self, bucket: str, prefix: str):
        self._bucket, self._prefix = bucket, prefix.strip("/")
        self.uri = f"s3://{bucket}/{self._prefix}".rstrip("/")
        self._client = client()

    def files(self) -> Iterator[str]:
        """Keys of all objects below the prefix, relative to it."""
        start = self._prefix + "/" if self._prefix else ""
        with self._said("listing"):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=start)
            for page in pages:
                for item in page.get("Contents", []):
                    if not item["Key"].endswith("/"):
                        yield item["Key"].removeprefix(start)

    def download(self, path: str, to: Path) -> None:
        """Writes the object of that key, relative to the prefix."""
        key = f"{self._prefix}/{path}".lstrip("/")
        with self._said("reading"), to.open("wb") as file:
            body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"]
            for chunk in body.iter_chunks(CHUNK):
                file.write(chunk)

    @contextmanager
    def _said(self, doing: str) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

        try:
            yield
        except NoCredentialsError as err:
            hint = "AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            raise ConvertError(f"{doing} {self.uri}: no AWS credentials", hint) from err
        except ClientError as err:
            error = err.response.get("Error", {})
            said = f"{error.get('Code')}: {error.get('Message')}"
            hint = "is that the bucket, the account and the region? may the role read it?"
            raise ConvertError(f"{doing} {self.uri}: {said}", hint) from err
        except BotoCoreError as err:
            hint = f"the endpoint is set by {', '.join(ENDPOINTS + BOTOCORE_ENDPOINTS)}, or is AWS's own"
            raise ConvertError(f"{doing} {self.uri}: {str(err).splitlines()[0]}", hint) from err


def client():
    """A client of S3. ConvertError when its library is not installed."""
    try:
        import botocore.session
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError as err:
        hint = "install botocore, or download the model, then name the folder"
        raise ConvertError("reading s3:// needs botocore", hint) from err
    endpoint = next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), None)
    stand_in = endpoint or any(os.environ.get(name) for name in BOTOCORE_ENDPOINTS)
    path_style = {"addressing_style": "path"} if stand_in else None
    config = Config(s3=path_style, retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=10)
    verify = False if os.environ.get("MLFLOW_S3_IGNORE_TLS", "").lower() in ("1", "true") else None
    try:
        return botocore.session.get_session().create_client(
            "s3", endpoint_url=endpoint, verify=verify, config=config
        )
    except (BotoCoreError, ValueError) as err:  # a profile that is not there, an endpoint that is no URL
        raise ConvertError(f"connecting to S3: {err}", "see AWS_PROFILE and the endpoint's variable") from err
