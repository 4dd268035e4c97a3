import pytest
from helpers import Converted
from hypothesis import HealthCheck, settings

settings.register_profile(
    "skiff",
    derandomize=True,  # the same examples every time
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
settings.load_profile("skiff")


@pytest.fixture
def converted(tmp_path):
    """Puts a fitted pipeline through the converter's stages."""
    return lambda pipeline, spec="none": Converted(pipeline, tmp_path, spec)
