import sys
import pathlib

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import databases  # noqa: E402
import harness  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "sqlite3: nothing to do with PostgreSQL")
    config.addinivalue_line("markers", "pgsql: nothing to do with SQLite")


def pytest_collection_modifyitems(items):
    """What is about one of the databases, or about none, runs once."""
    other = "pgsql" if databases.DRIVER == "sqlite3" else "sqlite3"
    for item in items:
        if item.get_closest_marker(other):
            item.add_marker(pytest.mark.skip(reason=f"runs with ECL_TEST_DB={other}"))


def pytest_sessionfinish():
    databases.server.remove()


@pytest.fixture
def make_httpd():
    """Starts servers that are stopped, and their logs judged, when the test ends."""
    servers = []

    def make(start=True, **kwargs):
        server = harness.Httpd(**kwargs)
        servers.append(server)
        return server.start() if start else server

    yield make
    try:
        for server in servers:
            server.stop()
    finally:
        for server in servers:
            server.kill()
            server.remove()


@pytest.fixture(params=["event", "prefork"])
def httpd(request, make_httpd):
    """A server with one worker, under each of the two MPMs."""
    return make_httpd(mpm=request.param)


@pytest.fixture
def clean(server):
    """The module's server (a fixture of its own) without any reading, job or meter in its database."""
    server.empty()
    return server


@pytest.fixture
def run():
    """A directory with settings, for tests of the worker program alone."""
    directory = harness.Run()
    yield directory
    directory.remove()
