"""The state machine of the guide's backfill, by cfn-lint's schema of the States Language.

What it hands to the worker is tested beside the worker, in cmd/worker/backfill_test.go.
"""

import json

import pytest
from cfnlint.api import ManualArgs, lint

from standin import REGION, ROOT

DEFINITION = json.loads((ROOT / "deploy/backfill.asl.json").read_text())


def faults(definition):
    """What cfn-lint says of a state machine."""
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {"RoleArn": "arn:aws:iam::000000000000:role/map", "Definition": definition},
    }
    template = json.dumps({"Resources": {"Machine": machine}})
    return [m.rule.id for m in lint(template, ManualArgs(regions=[REGION]))]


def test_schema():
    assert faults(DEFINITION) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state.pop("ItemProcessor"),
        lambda state: state.update(ItemBatcher=[]),
    ],
)
def test_schema_sees(change):
    changed = json.loads(json.dumps(DEFINITION))
    change(changed["States"][changed["StartAt"]])
    assert "E3601" in faults(changed)


def machines(node):
    """A machine, and those inside its maps."""
    yield node
    for state in node["States"].values():
        if "ItemProcessor" in state:
            yield from machines(state["ItemProcessor"])


def test_every_state_is_reached_and_ends():
    for machine in machines(DEFINITION):
        states = machine["States"]
        reached, name = [], machine["StartAt"]
        while name:
            assert name in states and name not in reached
            reached.append(name)
            state = states[name]
            assert ("Next" in state) != (state.get("End") is True)
            name = state.get("Next")
        assert set(reached) == set(states)
