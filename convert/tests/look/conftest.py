import zipfile
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def models(tmp_path_factory) -> Path:
    """A folder with all of the model files, and what is known about each in its name + .json."""
    folder = tmp_path_factory.mktemp("models")
    for packed in sorted((Path(__file__).parent / "files").glob("*.zip")):
        with zipfile.ZipFile(packed) as files:
            files.extractall(folder)
    return folder
