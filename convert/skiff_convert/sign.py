"""--sign: a signature of the manifest, which has the digests of the other files.

It is what `openssl pkeyutl -sign -rawin` (Ed25519) or `openssl dgst -sha256 -sign` (ECDSA P-256) makes, in
base64, as cosign's sign-blob and, of ECDSA, AWS KMS have it; inference/bundle/SPEC.md.
"""

import base64
import os
from collections.abc import Callable
from pathlib import Path

from .errors import ConvertError

FILE = "manifest.json.sig"
KEY = "openssl genpkey -algorithm ed25519 -out KEY makes one, openssl pkey -in KEY -pubout the worker's"


def signer(path: Path) -> Callable[[bytes], bytes]:
    """What signs with a private key in PEM, whose password is SIGN_PASSWORD where it has one.

    It gives manifest.json.sig for manifest.json. ConvertError for what is no such key.
    """
    try:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError as err:
        raise ConvertError("--sign needs the package cryptography", "pip install cryptography") from err
    try:
        password = os.environ.get("SIGN_PASSWORD", "").encode()
        key = load_pem_private_key(path.read_bytes(), password or None)
    except OSError as err:
        raise ConvertError(f"--sign: reading {path}: {err.strerror}", KEY) from err
    except (ValueError, TypeError) as err:  # of cryptography; its words may be of the key
        raise ConvertError(f"--sign: {path} is no private key in PEM that can be read", KEY) from err
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return lambda manifest: base64.b64encode(key.sign(manifest)) + b"\n"
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return lambda manifest: base64.b64encode(key.sign(manifest, ec.ECDSA(hashes.SHA256()))) + b"\n"
    raise ConvertError(f"--sign: {path} is no key of Ed25519 or ECDSA P-256", KEY)
