"""Installing as README says, outside a checkout: the worker by `go install`, the converter from its wheel."""

import json
import os
import re
import subprocess
import tarfile
from pathlib import Path

import pytest
from conftest import LINEAR, ROOT, VERSION, inherited, run
from helpers import ESTIMATORS, fit, save, taxi_records

MODULE = "github.com/skiff-ml/skiff"
RUN = "f" * 32
README = (ROOT / "README.md").read_text()


@pytest.fixture(scope="session")
def proxy(tmp_path_factory) -> str:
    """A module proxy that has the working tree as VERSION: the go command packs it as a public one does."""
    folder = tmp_path_factory.mktemp("module")
    files = run("git", "ls-files", "-co", "--exclude-standard", "-z").stdout.split("\0")
    with tarfile.open(folder / "tree.tar", "w") as tar:
        for name in filter(None, files):
            if (ROOT / name).exists():
                tar.add(ROOT / name, name)
    with tarfile.open(folder / "tree.tar") as tar:
        tar.extractall(folder / "tree", filter="data")
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@localhost", "-c", "commit.gpgsign=false")
    for call in (["init", "-q"], ["add", "-A", "-f"], ["commit", "-q", "-m", "all"], ["tag", VERSION]):
        run(*git, *call, cwd=folder / "tree")
    instead = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{folder}/tree.insteadOf",
        "GIT_CONFIG_VALUE_0": f"https://{MODULE}",
    }
    env = {**inherited(), **instead, "GOMODCACHE": str(folder / "modules"), "GOFLAGS": "-modcacherw"}
    packed = run(
        "go", "mod", "download", "-json", f"{MODULE}@{VERSION}", env={**env, "GOPRIVATE": MODULE}, cwd=folder
    )
    assert Path(json.loads(packed.stdout)["Zip"]).stat().st_size < 50e6  # proxies take 500 MB
    return f"file://{folder}/modules/cache/download"


@pytest.fixture(scope="session")
def programs(proxy, tmp_path_factory) -> Path:
    """`go install` of both: the folder they are in."""
    folder = tmp_path_factory.mktemp("go")
    here, usual = run("go", "env", "GOMODCACHE", "GOPROXY").stdout.split()
    proxies = f"{proxy},file://{here}/cache/download,{usual}"  # no second download
    own = {"GOPROXY": proxies, "GONOSUMDB": MODULE, "GOFLAGS": "-modcacherw"}
    own["GODEBUG"] = "goindex=0"  # which takes a version for the one that was in a folder of this name before
    env = {**inherited(), **own, "GOMODCACHE": str(folder / "modules"), "GOBIN": str(folder / "bin")}
    commands = [f"{MODULE}/cmd/{name}@{VERSION}" for name in ("skiff", "worker")]
    assert f"\ngo install {' '.join(commands)}\n" in README
    env["GOFLAGS"] += " -trimpath"  # then what is built already is the same
    run("go", "install", *commands, env=env, cwd=folder)
    return folder / "bin"


def checked(worker: Path, bundle: Path, env: dict, **more: str) -> subprocess.CompletedProcess:
    """The worker's proof of a bundle, in an empty folder."""
    env = {**env, "RUN_ID": bundle.name, "MODEL_LOCATION": str(bundle), "TEST_RUN": "True", **more}
    return subprocess.run([worker, "-check"], cwd=env["HOME"], env=env, capture_output=True, text=True)


def test_go_install(programs, newcomer):
    assert run(programs / "skiff", "--version").stdout == f"skiff version {VERSION}\n"
    assert run(programs / "worker", "-version").stdout == f"worker version {VERSION}\n"


def test_the_hints_command_brings_onnxruntime(programs, newcomer, tmp_path):
    env = {**newcomer, "HOME": str(tmp_path)}
    without = checked(programs / "worker", ROOT / "models" / LINEAR, env)
    assert without.returncode == 1 and "loading onnxruntime" in without.stderr
    (command,) = re.findall(r"^hint: .*`(uv pip install [^`]*)`", without.stderr, re.M)
    assert f"`{command}`" in README
    python = {"UV_PYTHON": str(ROOT / ".build/venv/bin/python")}
    run("sh", "-c", command, cwd=tmp_path, env=env | python)
    done = checked(programs / "worker", ROOT / "models" / LINEAR, env)
    assert done.returncode == 0, done.stderr


def test_a_wheel_and_a_binary(release, programs, newcomer, tmp_path):
    """README's commands: a bundle of a model, with skiff's operators, that is proved."""
    section = README.partition("\n## Install it\n")[2]
    commands = section.partition("```sh\n")[2].partition("```")[0]
    archive = release.only("skiff-*.tar.gz")
    commands = commands.replace("<RUN_ID>", RUN).replace(
        f"skiff-{VERSION}-linux-amd64", archive.name[: -len(".tar.gz")]
    )
    tried = "./model --lowering trees "  # which skiff's operators are for
    assert commands.count("./model ") == 1
    commands = commands.replace("./model ", tried)
    (tmp_path / archive.name).symlink_to(archive)
    save(fit(ESTIMATORS["DecisionTreeRegressor"](), taxi_records()), tmp_path / "model", run_id=RUN)
    own = {"SKIFF_CACHE": str(ROOT / ".build/worlds"), "UV_PYTHON": "3.11"}  # what is there already
    own["TAR_OPTIONS"] = "--touch"  # uv takes a wheel of the same name and date for the one before
    own |= {"UV_CONSTRAINT": str(ROOT / ".tools/python/convert.lock")}
    own |= {"PATH": f"{newcomer['HOME']}/.local/bin:{newcomer['PATH']}"}
    done = run("sh", "-e", "-c", commands, cwd=tmp_path, env=newcomer | own)
    converted, proved = done.stdout.splitlines()[-2:]
    assert converted == f"models/{RUN}" and RUN in proved
    assert "environment" in done.stderr and "no-isolation" not in done.stderr  # the model's own was asked
    bundle = tmp_path / converted
    assert (bundle / "fast.onnx").is_file(), done.stderr
    assert "usage: " in run("uvx", "skiff-convert", "--help", cwd=tmp_path, env=newcomer | own).stdout

    done = checked(programs / "worker", bundle, newcomer)
    assert done.returncode == 0 and "slower" not in done.stderr, done.stderr
    tools = Path(newcomer["HOME"], ".local/share/uv/tools/skiff-convert")
    assert list(tools.glob("lib/python3.*/site-packages/skiff_convert/libskiff.so"))
    assert not os.path.exists("/opt/lib/libonnxruntime.so")  # so it was the converter's
