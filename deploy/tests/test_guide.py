"""The guide's sessions, in order, against the stand-in; its other commands are at least bash."""

import re
import subprocess

import pytest

from conftest import shell
from standin import ROOT

PROMPTS = ("$ ", "> ")  # the second for a command that goes on
GUIDE = (ROOT / "deploy/README.md").read_text()


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


def test_sessions(aws):
    """One shell runs them all, as a person's would. What it prints is compared session by session."""
    sessions = blocks("console")
    assert len(sessions) > 8
    script, wanted = ["set -euo pipefail"], []
    for session in sessions:
        lines = session.splitlines()
        script += [line[2:] for line in lines if line.startswith(PROMPTS)] + ["echo end of session"]
        wanted.append("".join(line + "\n" for line in lines if not line.startswith(PROMPTS)))
    done = subprocess.run(
        ["bash"],
        input="\n".join(script),
        cwd=ROOT,
        env=shell(aws),
        capture_output=True,
        text=True,
        timeout=240,
    )
    printed = done.stdout.split("end of session\n")
    for session, want, got in zip(sessions, wanted, printed, strict=False):
        assert re.fullmatch(pattern(want), got, re.DOTALL), f"{session}\nprinted:\n{got}\n{done.stderr}"
    assert done.returncode == 0, done.stderr


def pattern(text):
    """The expression that matches text, with anything for an ellipsis."""
    return ".*".join(re.escape(part) for part in text.split("…"))


@pytest.mark.parametrize("block", blocks("sh"))
def test_commands_are_bash(block):
    subprocess.run(["bash", "-n"], input=block, text=True, check=True)
