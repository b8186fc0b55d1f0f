"""Several hosts on one queue, each with a storage directory of its own: two servers of one machine
stand for them."""

import subprocess
import time

import harness
import meterfiles as mf
import pytest

FILE = mf.daily(1, count=3)


@pytest.fixture
def hosts(make_httpd):
    """North and south: each serves the pages, neither has a worker yet."""
    north = make_httpd(Workers="0", StorageShared="Off", HostName="north")
    south = make_httpd(Workers="0", StorageShared="off", HostName="south.example",
                       Database=north.settings["Database"])
    return north, south


def drain(server):
    result = server.worker("run", "--once")
    assert result.returncode == 0, result.stderr


def beat(north, name, age, batch_id=None):
    """As if a worker of that name had been heard of so many seconds ago."""
    host, pid = name.split(":")
    at = int((time.time() - age) * 1e6)
    with north.change() as db:
        db.execute("DELETE FROM import_workers WHERE name = ?", (name,))
        db.execute("INSERT INTO import_workers (name, host, pid, started_at, heartbeat_at, batch_id) "
                   "VALUES (?, ?, ?, ?, ?, ?)", (name, host, int(pid), at, at, batch_id))


def test_a_job_is_imported_where_its_file_is(hosts):
    north, south = hosts
    batch_id = north.upload(FILE)
    assert south.job(batch_id)["stored_host"] == "north"
    drain(south)
    assert south.job(batch_id)["status"] == "queued"
    drain(north)
    job = south.job(batch_id)
    assert (job["status"], job["stored_host"]) == ("completed", None)
    assert job["worker"].startswith("north:")
    # what needs no file is anybody's
    assert north.post(f"{north.api}/jobs/{batch_id}/undo").status_code == 202
    drain(south)
    job = north.job(batch_id)
    assert job["undone_at"] and job["worker"].startswith("south.example:")


def test_a_job_that_waits_for_another_host_keeps_nobody_busy(hosts):
    north, south = hosts
    north.upload(FILE)
    with open(south.dir / "worker.log", "w") as log:
        worker = subprocess.Popen([harness.WORKER, "--config", south.settings_file(), "run"],
                                  stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                  start_new_session=True)
    try:
        def slots():
            return [p for (p,) in north.sql("SELECT pid FROM import_workers")
                    if p in harness.process_group_members(worker.pid)]
        [slot] = harness.wait_for(slots, "the other host's worker")

        def ticks():
            with open(f"/proc/{slot}/stat") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
            return int(fields[11]) + int(fields[12])
        begin = ticks()
        time.sleep(1)
        assert ticks() - begin < 20, "of 100 in a second"
    finally:
        worker.terminate()
        worker.wait(harness.DEADLINE)


def test_a_dry_run_of_another_host_is_imported_for_real_there(hosts):
    north, south = hosts
    batch_id = north.upload(FILE, dry_run="1")
    drain(north)
    answer = south.post(f"{south.api}/jobs/{batch_id}/import")
    assert answer.status_code == 202, answer.text
    assert answer.json()["stored_host"] == "north"
    drain(south)
    drain(north)
    assert south.job(answer.json()["batch_id"])["status"] == "completed"
    assert list((north.storage / "files").iterdir()) == []


def test_the_page_says_where_the_file_is_and_that_its_host_is_away(hosts):
    north, south = hosts
    batch_id = north.upload(FILE)
    beat(north, "south.example:7", 0)
    page = south.get(f"{south.admin}/status/{batch_id}").text
    assert "<dt>File on</dt><dd>north</dd>" in page
    assert "No worker is running on north." in page and "none is running.</strong>" not in page
    beat(north, "north:8", 600)
    page = south.get(f"{south.admin}/status/{batch_id}").text
    assert "No worker of north has been heard of since <" not in page
    assert "No worker of north has been heard of since " in page and " UTC.</span>" in page
    page = south.get(south.admin).text
    assert "<dt>south.example</dt><dd>1 worker, 0 importing</dd>" in page
    assert '<dt>north</dt><dd class="away">not heard of since ' in page
    assert " UTC, 1 file here</dd>" in page
    check = south.worker("check")
    assert check.returncode == 1
    assert "problem  hosts     1 job waits for a file on north, where no worker runs" in check.stdout
    beat(north, "north:8", 0, batch_id)
    page = south.get(f"{south.admin}/status/{batch_id}").text
    assert "<dt>File on</dt><dd>north</dd>" in page and "is on north, and only" not in page
    assert "<dt>north</dt><dd>1 worker, 1 importing, 1 file here</dd>" in south.get(south.admin).text


def test_the_status_names_hosts_and_their_workers(hosts):
    north, south = hosts
    north.upload(FILE)
    beat(north, "south.example:7", 0)
    beat(north, "south.example:9", 1)
    beat(north, "east:7", 300)
    status = south.get(f"{south.api}/status").json()
    assert status["host"] == "south.example"
    assert [w["name"] for w in status["workers"]] == ["south.example:9", "south.example:7"]
    east, found, away = status["hosts"][0], status["hosts"][2], status["hosts"][1]
    assert (east["name"], east["alive"], east["workers"], east["files"]) == ("east", False, [], 0)
    assert east["heartbeat_at"].endswith("Z")
    assert away == {"name": "north", "alive": False, "heartbeat_at": None, "files": 1, "workers": []}
    assert found["workers"] == ["south.example:9", "south.example:7"] and found["alive"]


def test_workers_that_are_gone_are_forgotten(run):
    """Of a host that is there they go soon; of one that is away the last word stays for a day."""
    run.worker("migrate")
    beat(run, "here:1", 5)
    beat(run, "here:2", 120)
    beat(run, "away:1", 3600)
    beat(run, "gone:1", 86400 + 60)
    assert run.worker("cleanup").returncode == 0
    assert run.sql("SELECT name FROM import_workers ORDER BY name") == [("away:1",), ("here:1",)]
    beat(run, "here:2", 120)
    assert run.worker("run", "--once").returncode == 0  # so does the housekeeping of a worker
    assert ("here:2",) not in run.sql("SELECT name FROM import_workers")


def test_a_shared_directory_is_the_default(make_httpd):
    server = make_httpd(Workers="0", HostName="import-1")
    batch_id = server.upload(FILE)
    assert server.job(batch_id)["stored_host"] is None
    assert "File on" not in server.get(f"{server.admin}/status/{batch_id}").text
    drain(server)
    assert server.job(batch_id)["worker"].startswith("import-1:")


@pytest.mark.parametrize("name, value, said", [
    ("HostName", "two words", "one argument"), ("HostName", "a:b", "letters, digits"),
    ("StorageShared", "perhaps", "On or Off")])
def test_wrong_settings_are_refused(make_httpd, name, value, said):
    server = make_httpd(start=False, **{name: value})
    result = server.configtest()
    assert result.returncode != 0 and said in result.stderr
