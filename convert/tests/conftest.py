import json
import os
import sys
from pathlib import Path

# numpy's exp and log are the C library's, as the form has them, only without its own for these processors.
os.environ.setdefault("NPY_DISABLE_CPU_FEATURES", "X86_V4 AVX512_ICL AVX512_SPR")

import onnx  # noqa: E402
import pytest  # noqa: E402
from contract import CONTRACT  # noqa: E402
from helpers import Converted  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

from skiff_convert.world import World  # noqa: E402

OPERATORS = json.loads((CONTRACT.parent / "graph" / "operators.json").read_text())["operators"]

settings.register_profile(
    "skiff",
    derandomize=True,  # the same examples every time
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
settings.load_profile("skiff")


def pytest_addoption(parser):
    parser.addoption("--no-worlds", action="store_true", help="skip what installs environments of models")


def pytest_configure(config):
    config.addinivalue_line("markers", "world: installs a model's environment")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--no-worlds"):
        skip = pytest.mark.skip(reason="--no-worlds")
        for item in items:
            if item.get_closest_marker("world"):
                item.add_marker(skip)


@pytest.fixture(autouse=True)
def in_this_environment(request, monkeypatch):
    """Models are asked with the libraries that are here, except where a test says that it installs theirs."""
    if not request.node.get_closest_marker("world"):
        here = lambda builder: World(builder._found, Path(sys.executable), {})  # noqa: E731
        monkeypatch.setattr(sys.modules["skiff_convert.world.build"]._Builder, "world", here)


@pytest.fixture(autouse=True)
def only_what_the_worker_reads(monkeypatch):
    """Every node that a test has the converter write is one that the worker reads; inference/graph."""
    make = onnx.helper.make_node

    def listed(operator, *args, domain="", **attributes):
        known = OPERATORS[f"{domain}:{operator}"]
        node = make(operator, *args, domain=domain, **attributes)
        types = {a.name: onnx.AttributeProto.AttributeType.Name(a.type) for a in node.attribute}
        assert types.items() <= known.items(), f"inference/graph/operators.json: {operator} {types}"
        return node

    monkeypatch.setattr(onnx.helper, "make_node", listed)


@pytest.fixture
def converted(tmp_path):
    """Puts a fitted pipeline through the converter's stages."""
    return lambda pipeline, spec="none": Converted(pipeline, tmp_path, spec)
