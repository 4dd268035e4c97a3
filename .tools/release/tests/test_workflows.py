"""The workflows call what there is, with what others wrote pinned and no more rights than they use."""

import re
import tarfile

import pytest
import yaml
from conftest import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
PINNED = re.compile(r"^\s*(?:- )?uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
MAY_WRITE = {
    "contents": {"publish", "lock"},
    "packages": {"image"},
    "attestations": {"image", "publish"},
    "id-token": {"image", "publish", "pypi"},
    "pull-requests": {"lock"},
}
TARGETS = {
    name
    for file in (ROOT / ".tools/make").glob("*.mk")
    for name in re.findall(r"^([a-z0-9-]+):(?!=)", file.read_text(), re.M)
}


def jobs(workflow) -> dict:
    return yaml.safe_load(workflow.read_text())["jobs"]


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.stem)
def workflow(request):
    return request.param


def test_there_are_three():
    assert [path.stem for path in WORKFLOWS] == ["ci", "release", "supply-chain"]


def test_actions_are_pinned_by_commit(workflow):
    uses = [line for line in workflow.read_text().splitlines() if "uses:" in line]
    assert uses and [line for line in uses if not PINNED.match(line)] == []


def test_one_action_has_one_version():
    found = re.findall(r"uses: (\S+)@(\S+ # \S+)", "".join(path.read_text() for path in WORKFLOWS))
    assert len(set(found)) == len({action for action, _ in found})


def test_rights_are_those_of_the_job(workflow):
    whole = yaml.safe_load(workflow.read_text())
    assert whole["permissions"] == {} and whole["defaults"]["run"]["shell"] == "bash"
    for name, job in jobs(workflow).items():
        for right, what in job["permissions"].items():
            assert what == "read" and right == "contents" or name in MAY_WRITE[right], (name, right)
        assert job["timeout-minutes"] <= 60


def test_commands(workflow):
    """Each calls make's targets, which exist; none has text of others in it, which would be run."""
    commands = [step["run"] for job in jobs(workflow).values() for step in job["steps"] if "run" in step]
    assert commands
    for command in commands:
        assert "${{" not in command
        for called in re.findall(r"\bmake ([^|;)\n]*)", command):
            targets = [word for word in called.split() if "=" not in word and word != "-k"]
            assert targets and set(targets) <= TARGETS, command


def test_what_is_uploaded_is_what_is_built(release):
    """Every file of the release is uploaded, and every pattern uploads one."""
    (step,) = (
        step
        for step in jobs(ROOT / ".github/workflows/release.yml")["publish"]["steps"]
        if step.get("name") == "upload"
    )
    patterns = [
        word.removeprefix(".build/release/")
        for word in step["run"].split()
        if word.startswith(".build/release/")
    ]
    uploaded = {path for pattern in patterns for path in release.folder.glob(pattern)}
    assert all(any(release.folder.glob(pattern)) for pattern in patterns)
    assert {path for path in release.folder.iterdir() if path.is_file()} == uploaded
    assert tarfile.is_tarfile(release.only("*.tar.gz"))


def test_dependabot_looks_where_there_is_something():
    config = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())
    has = {
        "gomod": "go.mod",
        "pip": "*.toml",
        "docker": "Dockerfile",
        "github-actions": ".github/workflows/*.yml",
    }
    for update in config["updates"]:
        for folder in update.get("directories", [update.get("directory")]):
            place = ROOT / folder.strip("/")
            assert any(place.glob(has[update["package-ecosystem"]])) or any(place.glob("*.in")), update
    assert {update["package-ecosystem"] for update in config["updates"]} == set(has)
