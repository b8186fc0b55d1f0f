import sys
import pathlib

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import browsing  # noqa: E402
import meterfiles as mf  # noqa: E402
from serving import served  # noqa: E402

# Browsers take seconds to start: each kind is started once and blank for each test.
KINDS = {"desktop": (browsing.DESKTOP, True), "phone": (browsing.PHONE, True),
         "without JavaScript": (browsing.DESKTOP, False)}


@pytest.fixture(scope="session")
def browsers():
    started = {}

    def get(kind):
        if kind not in started:
            started[kind] = browsing.Browser(*KINDS[kind])
        return started[kind]

    yield get
    for browser in started.values():
        browser.close()


def blank(browser):
    browser.reset()
    yield browser
    surprises = browser.surprises()
    browser.reset()
    assert not surprises, "in the browser's console:\n" + "\n".join(surprises)


@pytest.fixture(params=list(KINDS))
def everywhere(request, browsers):
    """A browser of each kind."""
    yield from blank(browsers(request.param))


@pytest.fixture(params=["desktop", "without JavaScript"])
def either(request, browsers):
    """A browser with and one without JavaScript, where the width makes no difference."""
    yield from blank(browsers(request.param))


@pytest.fixture(params=["desktop", "phone"])
def scripted(request, browsers):
    """A browser with JavaScript at each width."""
    yield from blank(browsers(request.param))


@pytest.fixture
def desktop(browsers):
    yield from blank(browsers("desktop"))


@pytest.fixture
def phone(browsers):
    yield from blank(browsers("phone"))


@pytest.fixture(scope="module")
def working():
    """A server with a worker."""
    yield from served(Workers="1")


@pytest.fixture(scope="module")
def idle():
    """A server without one: jobs wait until the test runs the worker; it takes 1 MB at most."""
    yield from served(Workers="0", MaxUpload="1M")


# Mondays; in March and October a week may have a day of 46 or 50 half-hours
WEEKS = (day.isoformat() for day in mf.days("2019-01-07", 2000)[::7] if day.month not in (3, 10))


@pytest.fixture
def week():
    """The first day of a week of its own for each test: no other has readings in it."""
    return next(WEEKS)


@pytest.fixture
def save(tmp_path):
    """Writes a file for the browser to choose."""

    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write
