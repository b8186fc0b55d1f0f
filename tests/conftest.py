import sys
import pathlib

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness  # noqa: E402


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
def run():
    """A directory with settings, for tests of the worker program alone."""
    directory = harness.Run()
    yield directory
    directory.remove()
