"""Damaged and foreign files: LookError in one line, soon."""

import gzip
import io
import json
import time
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skiff_convert.look import LookError, look

FUZZED = (
    "sklearn-0.24-forest.pkl",
    "sklearn-1.9-hist.pkl",
    "sklearn-1.9-lambda.pkl",
    "sklearn-1.9-pandas.pkl",
    "sklearn-1.9-zoo.pkl",
    "sklearn-1.5-logistic.joblib",
    "sklearn-1.5-logistic.joblib.z",
    "sklearn-1.5-logistic.pkl.bz2",
    "sklearn-1.5-logistic.joblib.xz",
    "sklearn-1.9-all.skops",
    "xgboost-1.1-classifier.pkl",
    "xgboost-1.5-model.deprecated",
    "xgboost-1.5-model.json",
    "xgboost-3-model.ubj",
    "xgboost-3-vector.pkl",
    "xgboost-3-words.pkl",
    "lightgbm-4-words.pkl",
    "lightgbm-4-linear.pkl",
    "lightgbm-3.3-model.txt",
    "catboost-1.2-onehot.pkl",
    "catboost-1.2-lossguide.pkl",
    "catboost-1.2-model.cbm",
    "catboost-1.0-ctr.pkl",
)


def refuse(path, seconds: float = 5) -> LookError:
    start = time.monotonic()
    with pytest.raises(LookError) as caught:
        look(path)
    assert time.monotonic() - start < seconds
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300 and caught.value.hint
    assert path.name in str(caught.value)
    return caught.value


@pytest.mark.parametrize("name", FUZZED)
@settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_only_look_errors_come_out(models, tmp_path, name, data):
    whole = (models / name).read_bytes()
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        damaged = damaged[: data.draw(st.integers(0, len(damaged)))]
    path = tmp_path / "model"
    path.write_bytes(damaged)
    try:
        look(path)  # a changed number is still a number
    except LookError as err:
        assert "\n" not in str(err) and err.hint


@pytest.mark.parametrize("name", FUZZED)
def test_a_truncated_file_is_refused(models, tmp_path, name):
    whole = (models / name).read_bytes()
    # What follows a text's last tree, and a skops file's last byte, may be missing.
    end = (
        whole.index(b"end of trees") if b"end of trees" in whole and name.endswith(".txt") else len(whole) - 3
    )
    path = tmp_path / "model"
    for size in (0, 1, 2, end // 3, end // 2, end - 1):
        path.write_bytes(whole[:size])
        refuse(path)


FOREIGN = {
    "page.pkl": (b"<!DOCTYPE html><html>404</html>", "web page"),
    "pointer.pkl": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
    "rides.jsonl": (b'{"ride": {"PULocationID": 130}}\n', "no model"),
    "notes.txt": (b"tree of models\n", "no model"),
    "image.png": (b"\x89PNG\r\n\x1a\n" + bytes(100), "no model"),
    "numbers.pkl": (b"\x80\x04K\x01.", "holds data (int)"),
    "function.pkl": (b"\x80\x04cnumpy\nlog1p\n.", "reference to numpy.log1p"),
    "newer.pkl": (b"\x80\x09N.", "protocol"),
    "empty.pkl": (b"", "empty"),
    "packed.pkl": (b"\x28\xb5\x2f\xfd" + bytes(20), "zstd"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_file_that_is_no_model_is_named(tmp_path, name):
    data, said = FOREIGN[name]
    (tmp_path / name).write_bytes(data)
    assert said in str(refuse(tmp_path / name))


def test_a_file_that_is_not_there(tmp_path):
    assert "No such file" in str(refuse(tmp_path / "model.pkl"))
    assert "directory" in str(refuse(tmp_path)).lower()


def zipped(path, members: dict[str, bytes]):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in members.items():
            packed.writestr(name, data)
    return path


def test_what_unpacks_to_too_much_is_refused(tmp_path):
    bomb = tmp_path / "bomb.pkl.gz"
    with gzip.open(bomb, "wb") as file:
        for _ in range(400):
            file.write(bytes(1 << 20))
    assert "unpacks to more than" in str(refuse(bomb, 20))
    node = {"__loader__": "BytesNode", "__class__": "bytes", "__module__": "builtins", "file": "a.bin"}
    members = {"schema.json": json.dumps(node).encode(), "a.bin": bytes(400 << 20)}
    assert "too many bytes" in str(refuse(zipped(tmp_path / "bomb.skops", members), 20))


def test_a_zip_of_something_else(tmp_path):
    assert "skops" in str(refuse(zipped(tmp_path / "weights.zip", {"data.pkl": b"\x80\x02N."})))


def test_a_skops_file_that_nests_too_deeply(tmp_path):
    text = '{"__loader__": "ListNode", "__class__": "list", "__module__": "builtins", "content": ['
    for depth in (300, 100_000):
        schema = (text * depth + "]}" * depth).encode()
        refuse(zipped(tmp_path / "deep.skops", {"schema.json": schema}))


def test_a_skops_file_of_an_unknown_node(tmp_path):
    schema = b'{"__loader__": "FutureNode", "__class__": "a", "__module__": "b"}'
    assert "FutureNode" in str(refuse(zipped(tmp_path / "new.skops", {"schema.json": schema})))


def test_an_archive_within_an_archive_is_not_opened_twice(tmp_path):
    inner = io.BytesIO()
    with gzip.open(inner, "wb") as file:
        file.write(gzip.compress(b"\x80\x04N."))
    (tmp_path / "twice.pkl.gz").write_bytes(inner.getvalue())
    refuse(tmp_path / "twice.pkl.gz")
