"""The guide's sessions, in order, against the stand-in; its other commands are at least bash."""

import re
import subprocess

import pytest

from conftest import shell
from standin import ROOT

PROMPTS = ("$ ", "> ")  # the second for a command that goes on
# What happens before a session that the guide does not show, by a word of the session.
STAGE = """
put() { aws kinesis put-record --stream-name start-ride-events --partition-key 1 --data "$1" >/dev/null; }
allow() { aws iam put-role-policy --role-name $role --policy-name worker --policy-document "$1"; }
"""
A_BAD_RIDE = "put '{}'"
AN_OUTAGE = """
role=$(aws cloudformation describe-stack-resource --stack-name ride-duration-prediction \
  --logical-resource-id Role --query StackResourceDetail.PhysicalResourceId --output text)
policy=$(aws iam get-role-policy --role-name $role --policy-name worker --query PolicyDocument --output json)
allow "$(jq 'del(.Statement[] | select(.Sid == "PublishPredictions"))' <<<"$policy")"
put '{"ride": {"PULocationID": 236, "DOLocationID": 162, "trip_distance": 2.28}, "ride_id": 159}'
allow "$policy"
"""
BEFORE = {"for n in $(seq": A_BAD_RIDE, "--queue-name ride-duration-prediction-on-failure": AN_OUTAGE}
GUIDE = (ROOT / "deploy/README.md").read_text()


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


def test_sessions(aws):
    """One shell runs them all, as a person's would. What it prints is compared session by session."""
    sessions = blocks("console")
    assert len(sessions) > 8
    script, wanted = ["set -euo pipefail", STAGE], []
    for session in sessions:
        lines = session.splitlines()
        script += [staged for word, staged in BEFORE.items() if word in session]
        script += [line[2:] for line in lines if line.startswith(PROMPTS)] + ["echo end of session"]
        wanted.append("\n".join(line for line in lines if not line.startswith(PROMPTS)))
    done = subprocess.run(
        ["bash"],
        input="\n".join(script),
        cwd=ROOT,
        env=shell(aws),
        capture_output=True,
        text=True,
        timeout=480,
    )
    assert all(any(word in session for session in sessions) for word in BEFORE)
    printed = done.stdout.split("end of session\n")
    for session, want, got in zip(sessions, wanted, printed, strict=False):
        assert re.fullmatch(pattern(want), got.removesuffix("\n"), re.DOTALL), (
            f"{session}\nprinted:\n{got}\n{done.stderr}"
        )
    assert done.returncode == 0, done.stderr


def pattern(text):
    """The expression that matches text, with anything for an ellipsis."""
    return ".*".join(re.escape(part) for part in text.split("…"))


@pytest.mark.parametrize("block", blocks("sh"))
def test_commands_are_bash(block):
    subprocess.run(["bash", "-n"], input=block, text=True, check=True)
