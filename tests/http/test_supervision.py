"""The worker as the server's child: started, restarted, stopped; no orphans, no root, no secrets."""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess

import pytest

import harness
import meterfiles
import worker_helpers as wh

DAY = meterfiles.wide(meters=1, count=1)


def masters(server):
    """Pids of worker programs that httpd has started."""
    found = []
    for pid in wh.children(server.process.pid):
        arguments = read(pid, "cmdline").split("\0")
        if arguments[0] == "eclectyc-import-worker":
            found.append(pid)
    return found


def master(server):
    return harness.wait_for(lambda: masters(server), "the worker")[0]


def read(pid, name):
    try:
        return pathlib.Path(f"/proc/{pid}/{name}").read_text()
    except OSError:
        return ""


def logged(server, pattern, deadline=harness.DEADLINE):
    harness.wait_for(lambda: re.search(pattern, server.log()), pattern, deadline)


def ready(server):
    """Until a worker process has said in the database that it is alive."""
    def alive():
        return server.database.exists() and wh.slots(master(server)) and server.get(
            f"{server.api_path}/status").json()["workers"]
    harness.wait_for(alive, "a live worker")
    return master(server)


def test_a_configuration_test_starts_nothing(make_httpd):
    server = make_httpd(start=False)
    server.write_config()
    # in a session of its own, so that whatever it left could be told from other tests' processes
    process = subprocess.Popen(server.command("-t"), env=server.environment(), text=True,
                               stderr=subprocess.PIPE, start_new_session=True)
    assert (process.communicate(timeout=60)[1].strip(), process.returncode) == ("Syntax OK", 0)
    assert harness.process_group_members(process.pid) == []
    assert list(server.data.rglob("*")) == [server.storage]
    assert server.log() == ""


def test_what_the_worker_is_given(make_httpd):
    server = make_httpd(Workers="2")
    pid = ready(server)
    assert masters(server) == [pid], "one program, though post_config runs twice"
    assert read(pid, "cmdline").split("\0")[:-1] == [
        "eclectyc-import-worker", "--config", "-", "--log-level", "info", "run"]
    harness.wait_for(lambda: len(wh.slots(pid)) == 2, "two worker processes")
    listeners = {os.readlink(f) for f in
                 pathlib.Path(f"/proc/{server.process.pid}/fd").iterdir()
                 if os.readlink(f).startswith("socket:")}
    assert listeners
    for process in [pid, *wh.children(pid)]:
        environment = read(process, "environ").split("\0")
        names = {e.split("=")[0] for e in environment if e}
        assert names <= {"PATH", "LC_ALL"}
        assert "LC_ALL=C.UTF-8" in environment
        sockets = {os.readlink(f) for f in pathlib.Path(f"/proc/{process}/fd").iterdir()
                   if os.path.islink(f) and os.readlink(f).startswith("socket:")}
        assert not sockets & listeners, "httpd's listeners are not the worker's"
        status = dict(line.split(":\t", 1) for line in read(process, "status").splitlines()
                      if ":\t" in line)
        if os.getuid() == 0:
            assert status["Uid"].split()[0] != "0"
            assert "0" not in status["Groups"].split(), "root's supplementary groups"
            assert status["CapEff"].strip("0") == ""
    assert read(wh.slots(pid)[0], "oom_score_adj").strip() == "500"
    if os.getuid() == 0:
        owners = {p.stat().st_uid for p in server.data.rglob("*")}
        assert owners == {server.data.stat().st_uid}


def test_the_log_level_is_httpds(make_httpd):
    server = make_httpd(extra="LogLevel eclectyc_import:warn")
    pid = ready(server)
    assert "\0--log-level\0warn\0" in read(pid, "cmdline")
    batch_id = server.upload(DAY)
    server.finished(batch_id)
    assert batch_id not in server.log()
    assert "ECL3006" in server.log(), "httpd writes every notice"


def test_no_worker_when_it_is_not_wanted(make_httpd):
    server = make_httpd(Workers="0")
    assert masters(server) == []
    assert server.get(server.admin).status_code == 200
    server.stop()
    assert "ECL25" not in server.log()


def test_a_worker_that_dies_is_started_again(make_httpd):
    server = make_httpd()
    server.expected += ["ECL2503"]
    first = ready(server)
    os.kill(first, signal.SIGKILL)
    logged(server, r"ECL2503: worker \d+ died \(signal 9\), next start in 1 s")
    second = harness.wait_for(lambda: [p for p in masters(server) if p != first],
                              "another worker")[0]
    assert server.import_file(DAY)["status"] == "completed"
    assert masters(server) == [second]


def test_a_worker_that_dies_again_and_again_is_started_ever_later(make_httpd):
    server = make_httpd(start=False)
    program = server.dir / "worker.sh"
    program.write_text(f"#!/bin/sh\necho started >>{server.data}/starts\nexit 1\n")
    program.chmod(0o755)
    server.settings["WorkerProgram"] = f'"{program}"'
    server.expected += ["ECL2503"]
    server.start()
    logged(server, r"ECL2503: worker \d+ died \(exit code 1\), next start in 1 s")
    logged(server, r"ECL2503: worker \d+ died \(exit code 1\), next start in 2 s")
    assert (server.data / "starts").read_text().count("started") <= 3
    assert server.get(server.admin).status_code == 200


@pytest.mark.parametrize("setting, said", [
    ({"Timezone": "Europe/Atlantis"}, "Europe/Atlantis"),
    ({"Timezone": "America/New_York"}, "America/New_York")])
def test_a_worker_that_cannot_use_its_settings_is_not_started_again(make_httpd, setting, said):
    server = make_httpd(**setting)
    server.expected += ["ECL3030", "ECL2501", "ECL2001"]
    logged(server, "ECL2501")
    assert re.search(f"ECL3030: .*{said}", server.log())
    assert masters(server) == []
    assert server.get(server.admin).status_code == 200
    server.stop()
    assert server.log().count("ECL3030") == 1
    # the settings are put right, and the server is started anew
    server.settings["Timezone"] = "Europe/London"
    server.start()
    ready(server)


@pytest.mark.parametrize("kind", ["missing", "not executable", "directory", "not a program"])
def test_a_worker_program_that_cannot_be_run(make_httpd, kind):
    server = make_httpd(start=False)
    program = server.dir / "program"
    if kind == "directory":
        program.mkdir()
    elif kind != "missing":
        program.write_text("not a program\n")
        program.chmod(0o755 if kind == "not a program" else 0o644)
    server.settings["WorkerProgram"] = f'"{program}"'
    server.expected += ["ECL2506", "ECL2502"]
    server.start()
    code = "ECL2502" if kind == "not a program" else "ECL2506"
    logged(server, f"{code}: cannot run the worker program '{program}'")
    assert server.get(server.admin).status_code == 200
    batch_id = server.upload(DAY)
    assert server.job(batch_id)["status"] == "queued"


def test_an_upload_wakes_the_worker(make_httpd):
    server = make_httpd()
    ready(server)
    for _ in range(4):  # by polling alone, every 2 s, all four would hardly be so quick
        batch_id = server.upload(DAY)
        server.finished(batch_id)
        row = wh.job(server, batch_id)
        assert row["started_at"] - row["queued_at"] < 700_000


@pytest.mark.parametrize("mpm", ["event", "prefork"])
@pytest.mark.parametrize("how", ["graceful", "restart"])
def test_a_job_goes_on_after_a_reload(make_httpd, mpm, how):
    server = make_httpd(mpm=mpm)
    first = ready(server)
    batch_id = server.upload(wh.big_file())
    with wh.held_in_the_middle(server, batch_id):
        os.kill(server.process.pid, signal.SIGUSR1 if how == "graceful" else signal.SIGHUP)
    row = wh.wait_for_status(server, batch_id, "completed", "failed")
    assert (row["status"], row["readings_new"]) == ("completed", wh.BIG_READINGS)
    assert row["claims"] == 2 and row["attempts"] == 1
    assert server.sql("SELECT count(*) FROM meter_readings") == [(wh.BIG_READINGS,)]
    second = master(server)
    assert second != first and not wh.is_alive(first)


@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_nothing_is_left_after_a_stop_in_the_middle_of_a_job(make_httpd, mpm):
    server = make_httpd(mpm=mpm)
    ready(server)
    batch_id = server.upload(wh.big_file())
    with wh.held_in_the_middle(server, batch_id):
        server.process.send_signal(signal.SIGTERM)
    server.stop()  # waits for every process of httpd's session
    row = wh.job(server, batch_id)
    assert (row["status"], row["lease_until"]) == ("queued", None)
    server.start()
    row = wh.wait_for_status(server, batch_id, "completed", "failed")
    assert (row["status"], row["readings_new"]) == ("completed", wh.BIG_READINGS)


def test_nothing_is_left_when_httpd_is_killed(make_httpd):
    server = make_httpd()
    pid = ready(server)
    processes = [pid, *wh.children(pid)]
    os.kill(server.process.pid, signal.SIGKILL)
    harness.wait_for(lambda: not any(map(wh.is_alive, processes)), "the worker to be gone")
    server.kill()  # httpd's own children


def test_the_storage_directory_is_made_by_the_worker_not_by_root(make_httpd):
    server = make_httpd(start=False)
    server.storage.rmdir()
    server.start()
    ready(server)
    assert server.storage.stat().st_uid == server.data.stat().st_uid
    assert server.import_file(DAY)["status"] == "completed"


def test_status_json(make_httpd):
    server = make_httpd(Workers="2")
    ready(server)
    path = server.storage / "status.json"
    harness.wait_for(lambda: path.exists() and json.loads(path.read_text())["workers"] == 2,
                     "two workers in status.json")
    status = json.loads(path.read_text())
    assert set(status) == {"at", "queued", "due", "processing", "oldest_wait_seconds", "workers"}
    batch_id = server.upload(wh.big_file())
    with wh.held_in_the_middle(server, batch_id):
        harness.wait_for(lambda: json.loads(path.read_text())["processing"] == 1,
                         "the job in status.json")
    assert server.finished(batch_id)["status"] == "completed"
