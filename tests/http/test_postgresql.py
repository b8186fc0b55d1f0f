"""What there is with PostgreSQL only: connections that are lost, partitions, passwords, hosts that
start at once. The rest of the suite runs over both databases (ECL_TEST_DB)."""

import concurrent.futures
import os
import pathlib
import signal
import subprocess

import pytest

import databases
import harness
import meterfiles as mf
import worker_helpers as wh

pytestmark = pytest.mark.pgsql

WEEK = mf.wide(meters=2, count=7)


@pytest.fixture(scope="module")
def postgres():
    """A server that tests may stop and kill."""
    server = databases.Server()
    server.start()
    yield server
    server.remove()


@pytest.fixture
def installation(postgres, make_httpd):
    """An httpd whose database is on that server."""
    def make(**settings):
        database = databases.Pgsql(postgres.start())
        server = make_httpd(start=False, **{"Database": database.setting, **settings})
        server.database.remove()
        server.database = database
        # while the database is away: cannot answer, cannot take jobs
        server.expected += ["ECL202[0-9]", "ECL3010", "ECL3012"]
        return server.start()
    return make


def answers(server):
    return [server.get(u).status_code for u in (server.admin, f"{server.api}/jobs",
                                                f"{server.api}/status") for _ in range(3)]


def assert_unavailable(server):
    for url in (server.admin, f"{server.api}/jobs", f"{server.api}/status"):
        answer = server.get(url)
        assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0
        assert "database is not available" in answer.text
    # refused before the body is read: it is never sent
    import test_web
    answer = test_web.talk(
        server, f"POST {server.api_path}/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: "
                f"{test_web.authorization()}\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n"
        .encode())
    assert answer.startswith("HTTP/1.1 503 ") and "100 Continue" not in answer


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_an_outage_is_told_and_gets_over_by_itself(installation, postgres, how):
    server = installation(Workers="1")
    first = server.import_file(WEEK)
    assert first["readings_new"] == 2 * 7 * 48
    if how == "killed":
        pid = postgres.pid()
        os.kill(pid, signal.SIGKILL)
        harness.wait_for(lambda: not os.path.exists(f"/proc/{pid}"), "the server to be gone")
        postgres.params = None
    else:
        postgres.stop()
    assert_unavailable(server)
    postgres.start()
    # a server that was killed recovers first; from then on no request meets an old connection
    harness.wait_for(lambda: server.get(server.admin).status_code == 200, "the database to be back")
    assert set(answers(server)) == {200}
    again = server.import_file(WEEK, deadline=harness.DEADLINE * 2)
    assert (again["status"], again["readings_unchanged"]) == ("completed", 2 * 7 * 48)


def test_httpd_starts_without_its_database(installation, postgres):
    server = installation(Workers="1")
    server.stop()
    postgres.stop()
    server.start()
    assert_unavailable(server)
    postgres.start()
    harness.wait_for(lambda: server.get(server.admin).status_code == 200, "the database to be back")
    assert server.import_file(WEEK, deadline=harness.DEADLINE * 2)["status"] == "completed"


def terminate(db):
    """Ends all other connections to the database."""
    return db.execute("SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity"
                      " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                      ).fetchone()[0]


def test_terminated_idle_connections_are_noticed_before_they_are_used(installation):
    server = installation(Workers="1")
    server.import_file(WEEK)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:  # so that there are several
        assert set(pool.map(lambda _: server.get(server.admin).status_code, range(16))) == {200}
    for _ in range(3):
        with server.change() as db:
            assert terminate(db) > 0
        assert set(answers(server)) == {200}
        assert server.import_file(WEEK)["status"] == "completed"


def test_a_backend_that_is_terminated_in_an_import_costs_nothing(installation):
    server = installation(Workers="1")
    batch_id = server.upload(wh.big_file())
    with wh.held_in_the_middle(server, batch_id) as db:
        terminate(db)
    job = server.finished(batch_id, harness.DEADLINE * 4)
    assert (job["status"], job["readings_new"]) == ("completed", wh.BIG_READINGS)
    assert server.sql("SELECT count(*) FROM meter_readings") == [(wh.BIG_READINGS,)]


def test_the_password_is_told_to_nobody(make_httpd):
    secret = "open-sesame-4711"
    server = make_httpd(start=False, Workers="1")
    server.settings["Database"] = f'pgsql "{server.database.params} password={secret}"'
    server.start()
    server.import_file(WEEK)
    shown = [server.log(), server.get(server.admin).text, server.get(f"{server.api}/status").text]
    for pid in harness.process_group_members(server.process.pid):
        shown += [pathlib.Path(f"/proc/{pid}/cmdline").read_text(),
                  pathlib.Path(f"/proc/{pid}/environ").read_text()]
    # and when it is wrong
    server.settings["Database"] = f'pgsql "host={server.dir} dbname=x password={secret}"'
    check = server.worker("check")
    assert check.returncode == 1 and "problem  database" in check.stdout
    shown += [check.stdout, check.stderr]
    server.settings["Database"] = f'pgsql "colour=blue password={secret}"'
    check = server.worker("check")
    assert check.returncode == 1
    shown += [check.stdout, check.stderr]
    server.settings["Database"] = f'pgsql "password={secret}" more'
    check = server.worker("check")
    assert check.returncode == 78
    shown += [check.stdout, check.stderr]
    assert not [text for text in shown if secret in text]


def partitions(run):
    return dict(run.sql("SELECT tableoid::regclass::text, count(*) FROM meter_days GROUP BY 1"))


def test_each_year_has_a_partition(run):
    for n, first in enumerate(("2023-12-30", "2025-06-01")):
        file = run.dir / f"{n}.csv"
        file.write_text(mf.wide(meters=1, first=first, count=4))
        assert run.worker("import", file).returncode == 0
    assert partitions(run) == {"meter_days_2023": 2, "meter_days_2024": 2, "meter_days_2025": 4}
    plan = "\n".join(line for (line,) in run.sql(
        "EXPLAIN SELECT * FROM meter_readings WHERE reading_date >= '2025-06-01'"
        " AND reading_date < '2025-07-01'"))
    assert "meter_days_2025" in plan and "meter_days_2024" not in plan


def test_partitions_of_another_width_are_left_alone(run):
    run.worker("migrate")
    with run.change() as db:
        db.execute("CREATE TABLE q1 PARTITION OF meter_days FOR VALUES FROM ('2026-01-01')"
                   " TO ('2026-04-01')")
        db.execute("CREATE TABLE old PARTITION OF meter_days FOR VALUES FROM (MINVALUE)"
                   " TO ('2025-03-01')")
    file = run.dir / "days.csv"
    for first in ("2026-03-30", "2025-02-27"):
        file.write_text(mf.wide(meters=1, first=first, count=4))
        result = run.worker("import", file)
        assert result.returncode == 0 and "ECL3506" not in result.stderr
    assert partitions(run) == {"q1": 2, "old": 2, "meter_days_default": 4}


def test_readings_without_a_partition_are_kept_and_move_to_it(run):
    """A reader holds the default partition: no other can be made meanwhile."""
    file = run.dir / "week.csv"
    file.write_text(WEEK)
    run.worker("migrate")
    with run.change() as db:
        db.execute("LOCK TABLE meter_days_default IN ACCESS SHARE MODE")
        result = run.worker("import", file)
    assert result.returncode == 0 and "ECL3506" in result.stderr
    assert partitions(run) == {"meter_days_default": 14}
    before = run.sql("SELECT * FROM meter_readings ORDER BY meter_id, reading_at")
    file.write_text(mf.wide(meters=1, first="2026-03-01", count=1))
    assert run.worker("import", file).returncode == 0
    assert set(partitions(run)) == {"meter_days_2026"}
    assert run.sql("SELECT * FROM meter_readings WHERE reading_date < '2026-03-01'"
                   " ORDER BY meter_id, reading_at") == before


def test_workers_side_by_side_make_each_thing_once(run):
    """New meters, the same days and new partitions in several files, taken by four workers."""
    ids = [wh.queue(run, mf.wide(meters=20, first=f"20{year}-01-0{1 + n % 3}", count=20))
           for n, year in enumerate((20, 21, 22, 20, 21, 22, 20, 20))]
    result = run.worker("run", "--once", "--workers", "4")
    assert result.returncode == 0, result.stderr
    jobs = [wh.job(run, i) for i in ids]
    assert {j["status"] for j in jobs} == {"completed"}
    assert {j["attempts"] for j in jobs} == {1}, result.stderr
    assert run.sql("SELECT count(*) FROM meters") == [(20,)]
    [(days,)] = run.sql("SELECT count(*) FROM meter_days")
    assert days == len({(y, d) for y in (20, 21, 22) for n in range(3) for d in range(n, n + 20)
                        if (y, n) in {(20, 0), (21, 1), (22, 2), (20, 0), (21, 1), (22, 2), (20, 0),
                                      (20, 1)}}) * 20
    assert sum(j["readings_new"] for j in jobs) == days * 48
    assert set(partitions(run)) == {f"meter_days_20{y}" for y in (20, 21, 22)}


def test_a_database_of_another_encoding_is_refused(run):
    run.database.server.run("CREATE DATABASE latin1 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'"
                            " TEMPLATE template0")
    try:
        params = run.database.server.params.replace("dbname=postgres", "dbname=latin1")
        run.settings["Database"] = f'pgsql "{params}"'
        result = run.worker("migrate")
        assert result.returncode != 0 and "UTF8" in result.stderr
    finally:
        run.database.server.run("DROP DATABASE latin1")


def test_programs_that_start_at_once_migrate_once(run):
    settings = run.settings_file()
    programs = [subprocess.Popen([harness.WORKER, "--config", settings, "migrate"], text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(6)]
    said = [p.communicate(timeout=60) for p in programs]
    assert {p.returncode for p in programs} == {0}, said
    [(newest,)] = run.sql("SELECT count(*) FROM schema_migrations")
    assert sum(int(out.split()[0]) for out, _ in said if "applied" in out) == newest
