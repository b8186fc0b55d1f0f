"""A PostgreSQL server that is restarted, stopped, killed, or ends its clients' connections, at moments
of chance while files of all layouts are uploaded, imported, cancelled, retried and undone."""

import contextlib
import os
import pathlib
import signal
import subprocess

import pytest

import chaos_files
import databases
import harness
import installation as inst
import ledger
import worker_helpers as wh
from chaos_options import LONG, MOMENTS
from test_struck_down import DRY_RUN, SCALE, Blows, strike_through

pytestmark = pytest.mark.skipif(databases.DRIVER != "pgsql", reason="runs with PostgreSQL")

WEAPONS = ["terminated", "terminated", "restarted", "stopped_at_once", "postmaster_killed",
           "worker_process"]
EXPECTED = ["ECL2022", "ECL2041", "ECL3010", "ECL3012", "ECL3020", "ECL1303"]


@pytest.fixture
def private(make_installation):
    """An installation whose PostgreSQL server is its own."""
    server = databases.Server()
    targets = []

    def make(**kwargs):
        database = databases.Pgsql(server)
        target = make_installation(Database=database.setting, **kwargs)
        target.server.database.remove()
        target.server.database = database
        target.server.expected += EXPECTED
        targets.append(target)
        return target, server

    yield make
    try:
        for target in targets:
            target.close()
            target.server.stop()
    finally:
        server.start()
        for target in targets:
            target.server.kill()
        for target in targets:
            target.server.database.remove()
        server.remove()


def processes_in(directory):
    """Those whose working directory it is."""
    found = []
    for cwd in pathlib.Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if os.readlink(cwd) == str(directory) and wh.is_alive(int(cwd.parent.name)):
                found.append(int(cwd.parent.name))
    return found


class DatabaseBlows(Blows):
    def __init__(self, postgres, *args):
        super().__init__(*args)
        self.postgres = postgres

    def control(self, *args):
        data = pathlib.Path(self.postgres.dir) / "data"
        program = subprocess.run(["pg_config", "--bindir"], check=True, capture_output=True,
                                 text=True).stdout.strip() + "/pg_ctl"
        switch = ["setpriv", "--reuid=www-data", "--regid=www-data", "--init-groups"]
        return subprocess.run([*(switch if os.getuid() == 0 else []), program, "-D", data, "-w",
                               *args], cwd="/", capture_output=True, text=True, timeout=60)

    def terminated(self):
        self.target.server.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
            "current_database() AND pid <> pg_backend_pid()")
        return True

    def up_again(self):
        self.postgres.params = None

        def is_up():
            try:
                return self.postgres.start()
            except subprocess.CalledProcessError:  # processes of a killed one are still leaving
                return False

        harness.wait_for(is_up, "PostgreSQL to start")

    def restarted(self):
        assert self.control("-m", "fast", "stop").returncode == 0
        self.up_again()
        return True

    def stopped_at_once(self):
        self.control("-m", "immediate", "stop")
        self.up_again()
        return True

    def postmaster_killed(self):
        data = pathlib.Path(self.postgres.dir) / "data"
        os.kill(self.postgres.pid(), signal.SIGKILL)
        harness.wait_for(lambda: not processes_in(data), "PostgreSQL's processes to leave")
        # where nobody has collected the dead process yet, the next would take it for alive
        (data / "postmaster.pid").unlink()
        self.up_again()
        return True


def test_the_database_server_is_struck_down(private, make_run, rng):
    files = chaos_files.all_layouts(SCALE)
    before, wanted = ledger.undisturbed(make_run, chaos_files.base(), files, DRY_RUN)
    target, postgres = private()
    blows = DatabaseBlows(postgres, target, rng, WEAPONS, MOMENTS if LONG else 5)
    strike_through(target, blows, before, wanted, files, rng)


def test_the_database_server_is_away(private):
    """While httpd starts, serves and reloads: 503 in words, and all goes on when it is back."""
    target, postgres = private(daemons=0)
    server = target.server
    daemon = target.start_daemon()
    content = chaos_files.daily(0, 2, 10)
    assert server.import_file(content, "before.csv")["status"] == "completed"
    daemon.stop()
    target.daemons.remove(daemon)
    server.stop()
    postgres.stop()
    server.start()
    daemon = target.start_daemon()
    harness.wait_for(lambda: "ECL3010" in daemon.log(), "the worker to say so")
    for _ in range(2):
        inst.expect_503(server)
        inst.apachectl(server, "graceful")
    assert not list((server.storage / "incoming").glob("*"))
    postgres.start()
    batch = target.upload("after.csv", content, "k")
    assert wh.wait_for_status(server, batch, "completed", "failed")["readings_unchanged"] > 0
    ledger.assert_settled(server)
