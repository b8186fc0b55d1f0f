import pathlib
import random
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "http")]
import harness  # noqa: E402
import installation  # noqa: E402
from chaos_options import MOMENTS, SEED  # noqa: E402


def pytest_report_header(config):
    return f"chaos: SEED={SEED} MOMENTS={MOMENTS}"


@pytest.fixture
def rng(request):
    """Chance, the same again with the same SEED. (What it meets depends on the machine's speed.)"""
    print(f"SEED={SEED} MOMENTS={MOMENTS}")
    return random.Random(f"{SEED} {request.node.name}")


@pytest.fixture
def make_run():
    """Directories with settings, for what happens without an httpd."""
    runs = []

    def make(**kwargs):
        runs.append(harness.Run(**kwargs))
        return runs[-1]

    yield make
    for run in runs:
        run.remove()


@pytest.fixture
def make_installation(make_httpd):
    """An httpd and its workers, which are stopped when the test ends; it fails if a process is left
    or the log holds a line that is unexpected even here."""
    made = []

    def make(**kwargs):
        made.append(installation.Installation(make_httpd, **kwargs))
        return made[-1]

    yield make
    for one in made:
        one.close()
