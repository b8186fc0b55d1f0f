"""The file of the SQLite database is moved away, put back, or deleted under a server that runs."""

import pytest

import harness
import meterfiles as mf

pytestmark = pytest.mark.sqlite3
FILE = mf.daily(1, count=3)


@pytest.fixture
def web():
    server = harness.Httpd(Workers="1").start()
    server.expected += [f"ECL{code}: .*(is missing or empty|was moved away or deleted)"
                        for code in (2022, 3010, 3020)]
    yield server
    try:
        server.stop()
    finally:
        server.kill()
        server.remove()


def expect_503(server):
    for address in (server.admin, f"{server.admin}/jobs", f"{server.api}/jobs"):
        answer = server.get(address)
        assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0
    answer = server.post(f"{server.api}/jobs", params={"filename": "a.csv"}, data=FILE)
    assert answer.status_code == 503 and answer.json()["code"] == "database-unavailable"


def files_of(server):
    return sorted(path.name for path in server.data.glob(f"{server.database.path.name}*"))


def test_moved_away_and_put_back(web):
    path = web.database.path
    first = web.import_file(FILE)
    assert first["readings_new"] == 3
    path.rename(web.dir / "away.db")
    expect_503(web)
    harness.wait_for(lambda: "ECL3010" in web.log(), "the worker to say so")
    assert f"database '{path}' is missing or empty, and was there before" in web.log()
    checked = web.worker("check")
    assert checked.returncode == 1
    assert f"problem  database  database '{path}' is missing or empty" in checked.stdout
    assert "to mend it: mount its file system or put the file back" in checked.stdout
    for command in (["cleanup"], ["run", "--once"], ["import", web.settings_file()]):
        refused = web.worker(*command)
        assert refused.returncode == 1 and "is missing or empty" in refused.stderr
    assert not path.exists(), "nobody has made a new one"
    web.stop()
    web.start()  # with processes that have never seen it
    expect_503(web)
    assert not path.exists()

    (web.dir / "away.db").rename(path)
    assert web.job(first["batch_id"])["status"] == "completed"
    again = web.import_file(FILE)
    assert (again["status"], again["readings_unchanged"]) == ("completed", 3)
    assert web.worker("check").returncode == 0


def test_deleted_with_all_that_sqlite_keeps_beside_it(web):
    web.import_file(FILE)
    for name in files_of(web):
        (web.data / name).unlink()
    expect_503(web)
    assert "the storage directory knows it" in web.log()
    assert not files_of(web)
    # who wants to begin anew says so
    made = web.worker("migrate")
    assert made.returncode == 0 and "migrations applied" in made.stdout
    assert web.get(f"{web.api}/jobs").json()["count"] == 0
    assert web.import_file(FILE)["readings_new"] == 3


def test_what_is_left_in_the_wal_is_not_destroyed(web):
    """By a new database beside it, not even by migrate."""
    web.expected += ["AH00098"]  # the pid file of the server that was killed
    web.import_file(FILE)
    path = web.database.path
    web.kill()
    wal = path.with_name(path.name + "-wal")
    kept = wal.read_bytes()
    assert kept, "nobody has closed the database"
    path.rename(web.dir / "away.db")
    refused = web.worker("migrate")
    assert refused.returncode == 1 and f"'{wal}' is left of it" in refused.stderr
    assert wal.read_bytes() == kept and not path.exists()
    (web.dir / "away.db").rename(path)
    web.start()
    assert web.get(f"{web.api}/jobs").json()["count"] == 1
