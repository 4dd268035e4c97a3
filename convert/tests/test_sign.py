"""Signatures of bundles: those that openssl makes, and what the worker's vectors say."""

import base64
import json
import subprocess
from pathlib import Path

import pytest
from contract import vectors
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key
from helpers import fit, save, taxi_records
from sklearn.tree import DecisionTreeRegressor

from skiff_convert import bundle, cli
from skiff_convert.errors import ConvertError
from skiff_convert.sign import FILE, signer

KINDS = {
    "ed25519": ["-algorithm", "ed25519"],
    "p256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "p384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
}


def openssl(*args: str | Path) -> None:
    subprocess.run(["openssl", *args], check=True, capture_output=True)


def key(folder: Path, kind: str, *more: str) -> Path:
    """A private key that openssl makes, and its public one beside it."""
    path = folder / f"{kind}.key"
    openssl("genpkey", *KINDS[kind], *more, "-out", path)
    openssl(
        "pkey",
        "-in",
        path,
        *(["-passin", "pass:secret"] if more else []),
        "-pubout",
        "-out",
        path.with_suffix(".pub"),
    )
    return path


def valid(public: str, manifest: bytes, signature: bytes) -> bool:
    """Whether a signature is one, by the rules of SPEC.md."""
    pem = public.startswith("-----")
    key = load_pem_public_key(public.encode()) if pem else load_der_public_key(base64.b64decode(public))
    try:
        raw = base64.b64decode(signature.strip(), validate=True)
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(raw, manifest)
        else:
            key.verify(raw, manifest, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


@pytest.mark.parametrize(
    "vector", [v for v in vectors("signatures") if not v.get("no_key")], ids=lambda v: v["name"]
)
def test_vectors(vector):
    assert valid(vector["key"], vector["manifest"].encode(), vector["signature"].encode()) == vector["ok"]


@pytest.mark.parametrize("kind", ["ed25519", "p256"])
def test_openssl_verifies(kind, tmp_path):
    private = key(tmp_path, kind)
    manifest, signature = tmp_path / "manifest.json", tmp_path / "signature"
    manifest.write_bytes(b"{}\n")
    text = signer(private)(manifest.read_bytes())
    assert valid(private.with_suffix(".pub").read_text(), b"{}\n", text)
    signature.write_bytes(base64.b64decode(text))
    public = private.with_suffix(".pub")
    if kind == "p256":
        openssl("dgst", "-sha256", "-verify", public, "-signature", signature, manifest)
    else:
        openssl(
            "pkeyutl", "-verify", "-pubin", "-inkey", public, "-rawin", "-in", manifest, "-sigfile", signature
        )


def test_a_password(tmp_path, monkeypatch):
    private = key(tmp_path, "ed25519", "-aes256", "-pass", "pass:secret")
    with pytest.raises(ConvertError, match="no private key in PEM that can be read"):
        signer(private)
    monkeypatch.setenv("SIGN_PASSWORD", "secret")
    assert valid(private.with_suffix(".pub").read_text(), b"x", signer(private)(b"x"))


@pytest.mark.parametrize("what", ["p384", "public", "none", "folder"])
def test_other_keys_are_refused(what, tmp_path):
    path = tmp_path / "no"
    if what == "p384":
        path = key(tmp_path, "p384")
    elif what == "public":
        path = key(tmp_path, "ed25519").with_suffix(".pub")
    elif what == "folder":
        path.mkdir()
    with pytest.raises(ConvertError, match="--sign") as refused:
        signer(path)
    assert "openssl genpkey" in refused.value.hint


def test_a_signed_bundle(tmp_path):
    """The signature is of the manifest as it is written; without a key one that is there stays."""
    private = key(tmp_path, "ed25519")
    manifest, files = {"run_id": "r"}, {"model.onnx": b"m", "golden.jsonl": b"g"}
    folder = bundle.write(tmp_path, "r", manifest, files, signer(private))
    text = (folder / "manifest.json").read_bytes()
    assert valid(private.with_suffix(".pub").read_text(), text, (folder / FILE).read_bytes())
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    bundle.write(tmp_path, "r", manifest, files)
    bundle.write(tmp_path, "r", manifest, files, signer(private))
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    bundle.write(tmp_path, "r", manifest, {**files, "model.onnx": b"n"})
    assert not (folder / FILE).exists()


def test_the_command_signs(tmp_path, capsys):
    private = key(tmp_path, "ed25519")
    model = save(fit(DecisionTreeRegressor(max_depth=2), taxi_records()), tmp_path / "model", run_id="f" * 32)
    assert cli.main([str(model), "--out", str(tmp_path), "--sign", str(private), "--spec", "taxi"]) == 0
    folder = tmp_path / ("f" * 32)
    assert json.loads((folder / "manifest.json").read_text())["run_id"] == "f" * 32
    public = private.with_suffix(".pub").read_text()
    assert valid(public, (folder / "manifest.json").read_bytes(), (folder / FILE).read_bytes())
    capsys.readouterr()
    assert cli.main([str(model), "--out", str(tmp_path), "--sign", str(tmp_path / "no.key")]) == 1
    assert capsys.readouterr().err.startswith("convert: error: --sign: reading ")
