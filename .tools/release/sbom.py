"""Puts the lists of sbom together: sbom.py VERSION FOLDER SCRATCH WHEEL. FOLDER is the archive, unpacked.

Writes FOLDER.cdx.json and WHEEL.cdx.json; prints both names.
"""

import hashlib
import json
import re
import sys
import zipfile
from pathlib import Path

REPLACED = "golang/../.."  # the project's own module, as cmd/tools has it: it is what is listed


def component(kind: str, name: str, version: str, purl: str, content: bytes, what: str, license: str) -> dict:
    """A CycloneDX component of one file."""
    return {
        "bom-ref": purl,
        "type": kind,
        "name": name,
        "version": version,
        "purl": purl,
        "description": what,
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}],
        "licenses": [{"license": {"id": license}}],
    }


def operators(version: str, content: bytes) -> dict:
    """libskiff.so: C of this project, built against onnxruntime's header, linked to the C library alone."""
    what = "skiff's operators for onnxruntime: inference/ort/ops, compiled"
    purl = f"pkg:generic/libskiff@{version}"
    return component("library", "libskiff", version, purl, content, what, "MIT")


def of_archive(version: str, folder: Path, lists: list[dict]) -> dict:
    """The SBOM of an archive, from those of its programs."""
    bom, found, edges = lists[0], {}, {}
    for one in lists:
        main = one["metadata"]["component"]
        for part in [main, *one.get("components", [])]:
            if REPLACED not in part["bom-ref"]:
                found.setdefault(part["bom-ref"], part)
        for edge in one.get("dependencies", []):
            on = (ref for ref in edge.get("dependsOn", []) if REPLACED not in ref)
            edges.setdefault(edge["ref"], set()).update(on)
    for library in sorted((folder / "lib").iterdir()):
        content = library.read_bytes()
        if library.name.startswith("libskiff"):
            part = operators(version, content)
        else:
            pinned = Path(".tools/python/onnxruntime.in").read_text().strip().partition("==")[2]
            purl = f"pkg:pypi/onnxruntime@{pinned}"
            what = f"{library.name} of the wheel"
            part = component("library", "onnxruntime", pinned, purl, content, what, "MIT")
        found[part["bom-ref"]] = part
    purl = f"pkg:github/skiff-ml/skiff@{version}#{folder.name}"
    content = folder.with_name(folder.name + ".tar.gz").read_bytes()
    bom["metadata"]["component"] = component(
        "application", "skiff", version, purl, content, folder.name + ".tar.gz", "MIT"
    )
    bom["metadata"].pop("timestamp", None)  # the same archive, the same bytes
    bom.pop("compositions", None)  # of the one program
    bom["components"] = [found[ref] for ref in sorted(found)]
    edges[purl] = set(found)
    bom["dependencies"] = [
        {"ref": ref, "dependsOn": sorted(edges[ref])} for ref in sorted(edges) if REPLACED not in ref
    ]
    return bom


def of_wheel(version: str, wheel: Path, bom: dict) -> dict:
    """The SBOM of the wheel, from that of an environment with nothing else in it."""

    def own(part: dict) -> bool:
        return re.sub("[-_.]+", "-", part["name"]).lower() == "skiff-convert"

    (main,) = (part for part in bom["components"] if own(part))
    with zipfile.ZipFile(wheel) as packed:
        part = operators(version, packed.read("skiff_convert/libskiff.so"))
    main["hashes"] = [{"alg": "SHA-256", "content": hashlib.sha256(wheel.read_bytes()).hexdigest()}]
    bom["metadata"]["component"] = main
    bom["metadata"].pop("timestamp", None)
    bom["components"] = [*(part for part in bom["components"] if not own(part)), part]
    for edge in bom["dependencies"]:
        if edge["ref"] == main["bom-ref"]:
            edge["dependsOn"] = [*edge.get("dependsOn", []), part["bom-ref"]]
    bom["dependencies"] = [edge for edge in bom["dependencies"] if edge["ref"] != "root-component"]
    return bom


def main(version: str, folder: Path, scratch: Path, wheel: Path) -> None:
    """The command."""
    lists = [json.loads(path.read_text()) for path in sorted(scratch.glob("*.go.json"))]
    for target, bom in (
        (folder.name, of_archive(version, folder, lists)),
        (wheel.name, of_wheel(version, wheel, json.loads((scratch / "wheel.json").read_text()))),
    ):
        path = folder.with_name(target + ".cdx.json")
        path.write_text(json.dumps(bom, indent=2) + "\n")
        print(path)


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:5]))
