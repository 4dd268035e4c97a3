"""What `make release` builds: the archive works where it is unpacked, and the lists are of what is there."""

import hashlib
import json
import re
import shutil
import subprocess
import tarfile
import zipfile

import pytest
from conftest import LINEAR, NUMBER, ROOT, VERSION, run


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def contents(bom: dict) -> dict[str, dict]:
    """The components of an SBOM, by name; its edges lead to them."""
    assert bom["bomFormat"] == "CycloneDX"
    refs = {part["bom-ref"] for part in [bom["metadata"]["component"], *bom["components"]]}
    assert {ref for edge in bom["dependencies"] for ref in [edge["ref"], *edge.get("dependsOn", [])]} <= refs
    return {part["name"]: part for part in bom["components"]}


@pytest.fixture(scope="module")
def unpacked(release, tmp_path_factory):
    """The archive, as a user has it."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(release.only("skiff-*.tar.gz")) as tar:
        entries = tar.getmembers()
        assert len({entry.mtime for entry in entries}) == 1 and {entry.uname for entry in entries} == {"root"}
        tar.extractall(folder, filter="data")
    (inside,) = folder.iterdir()
    return inside


def test_the_archive(release, unpacked, newcomer):
    assert run(unpacked / "bin/skiff", "--version").stdout == f"skiff version {VERSION}\n"
    assert run(unpacked / "bin/worker", "-version").stdout == f"worker version {VERSION}\n"
    assert "usage: local" in run(unpacked / "bin/local", "-help").stdout
    env = {**newcomer, "RUN_ID": LINEAR, "MODEL_LOCATION": str(ROOT / "models" / LINEAR), "TEST_RUN": "True"}
    assert LINEAR in run(unpacked / "bin/worker", "-check", cwd=unpacked, env=env).stdout
    beside = unpacked / "bin" / release.only("*.whl").name  # where skiff convert looks
    assert beside.read_bytes() == release.only("*.whl").read_bytes()
    assert (unpacked / "LICENSE").is_file() and (unpacked / "licenses/ThirdPartyNotices.txt").is_file()


def test_the_archives_list(release, unpacked):
    bom = json.loads(release.only("skiff-v*.cdx.json").read_text())
    parts = contents(bom)
    for name in ("libskiff", "onnxruntime"):
        (file,) = unpacked.glob(f"lib/lib{name.removeprefix('lib')}.*")
        assert parts[name]["hashes"][0]["content"] == digest(file.read_bytes())
    packed = release.only("skiff-*.tar.gz").read_bytes()
    assert bom["metadata"]["component"]["hashes"][0]["content"] == digest(packed)
    for program in (unpacked / "bin" / name for name in ("skiff", "worker", "local", "rows")):
        inside = re.findall(r"^\tdep\t(\S+)\t(\S+)", run("go", "version", "-m", program).stdout, re.M)
        assert len(inside) > 5
        for module, version in inside:
            if module != "github.com/skiff-ml/skiff":
                assert parts[module]["version"] == version


def test_the_wheel(release):
    wheel = release.only("*.whl")
    tracked = run("git", "ls-files", "convert/skiff_convert").stdout.split()
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
        library = packed.read("skiff_convert/libskiff.so")
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        asked = re.findall(r"^Requires-Dist: ([\w.-]+)[^;\n]*$", packed.read(metadata).decode(), re.M)
    assert library == (ROOT / ".build/lib/libskiff.so").read_bytes()
    assert {name.removeprefix("convert/") for name in tracked if not name.endswith(".md")} <= names
    assert not [name for name in names if "__pycache__" in name or "/tests/" in name]

    parts = contents(json.loads(release.only("*.whl.cdx.json").read_text()))
    assert parts["libskiff"]["hashes"][0]["content"] == digest(library)
    known = {re.sub("[-_.]+", "-", name).lower() for name in parts}
    assert len(asked) > 10 and {re.sub("[-_.]+", "-", name).lower() for name in asked} <= known


def test_the_wheel_is_built_again_to_the_same_bytes(release):
    wheel = release.only("*.whl")
    before = wheel.read_bytes()
    assert run(".tools/release/wheel", VERSION).stdout.strip() == str(wheel.relative_to(ROOT))
    assert wheel.read_bytes() == before


def test_checksums_and_notes(release):
    lines = (release.folder / "SHA256SUMS").read_text().splitlines()
    said = {name: sum for sum, name in (line.split("  ") for line in lines)}
    files = [path for path in release.folder.iterdir() if path.name.endswith((".gz", ".whl", ".cdx.json"))]
    assert said == {path.name: digest(path.read_bytes()) for path in files} and len(files) == 4
    notes = (release.folder / "NOTES.md").read_text()
    assert notes.startswith("- ") and notes.strip() in (ROOT / ".github/CHANGELOG.md").read_text()


def test_another_version_is_refused():
    done = subprocess.run([ROOT / ".tools/release/wheel", "v9.9.9"], capture_output=True, text=True)
    assert (
        done.returncode == 1
        and f"the converter's version is {NUMBER}, not 9.9.9\nhint: set __ver" in done.stderr
    )


@pytest.mark.parametrize(
    "title, error",
    [(VERSION, ""), (f"{VERSION} (2026-11-25)", ""), ("Unreleased", f"has no section {VERSION}")],
)
def test_the_notes_of_a_tag(tmp_path, title, error):
    """They are its own section of the changelog, without which there is no release."""
    for name in ("common.sh", "finish"):
        copied = tmp_path / ".tools/release" / name
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / ".tools/release" / name, copied)
    log = tmp_path / ".github/CHANGELOG.md"
    log.parent.mkdir()
    log.write_text(f"# Changelog\n\n## {title}\n\n- new\n  things\n\n## v0.0.9\n\n- old\n")
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@localhost", "-c", "commit.gpgsign=false")
    for call in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "all"], ["tag", VERSION]):
        run(*git, *call, cwd=tmp_path)
    built = tmp_path / ".build/release"
    built.mkdir(parents=True)
    (built / f"skiff-{VERSION}-linux-amd64.tar.gz").write_text("")
    done = subprocess.run([copied, VERSION], capture_output=True, text=True)
    if error:
        assert done.returncode == 1 and error in done.stderr
    else:
        assert done.returncode == 0, done.stderr
        assert (built / "NOTES.md").read_text() == "- new\n  things\n"
        assert len((built / "SHA256SUMS").read_text().splitlines()) == 1
