"""The worker program: commands, exit codes, and how its processes live and die."""

import hashlib
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

import harness
import meterfiles
import worker_helpers as wh

DAY = meterfiles.wide(meters=1, count=1)
WEEK = meterfiles.wide(meters=2, count=7)


@pytest.fixture
def daemon(run):
    """Starts `run` commands that are gone when the test ends."""
    daemons = []

    def start(*args, count=1):
        daemons.append(wh.Daemon(run, *args, count=count))
        return daemons[-1]

    yield start
    for one in daemons:
        one.close()


def stored_files(run):
    return sorted(p.name for p in (run.storage / "files").iterdir())


def readings(run):
    return run.sql("SELECT count(*) FROM meter_readings")[0][0]


# ---- import ------------------------------------------------------------------------------------

def test_import_prints_the_job_as_json(run):
    sample = harness.SAMPLES / "sample_hh_data.csv"
    result = run.worker("import", sample, "--json", "--user", "bob", "--notes", "first try",
                        "--priority", "high", "--type", "hh")
    assert result.returncode == 0, result.stderr
    job = json.loads(result.stdout)
    assert job["status"] == "completed"
    assert (job["filename"], job["user_name"], job["notes"]) == (sample.name, "bob", "first try")
    assert (job["priority"], job["import_type"]) == ("high", "hh")
    assert job["progress_percent"] == 100
    assert job["readings_new"] == readings(run) > 0
    assert "stored_name" not in job and "id" not in job
    assert result.stderr == ""


def test_import_prints_a_summary_for_people(run):
    path = run.dir / "two weeks.csv"
    path.write_text(WEEK + "2000000000000,31/02/2026" + ",1" * 48 + "\n")
    result = run.worker("import", "--dry-run", path)
    assert result.returncode == 0, result.stderr
    assert "two weeks.csv: completed (dry run: nothing was kept)" in result.stdout
    assert "14 imported, 1 failed" in result.stdout
    assert "672 new, 0 changed, 0 unchanged" in result.stdout
    assert "line 16, column Date: " in result.stdout
    assert readings(run) == 0


def test_import_reads_standard_input(run):
    result = run.worker("import", "-", "--json", input=WEEK)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["filename"] == "stdin"
    assert readings(run) == 14 * 48


def test_a_file_without_a_good_row_is_a_failure_that_says_why(run):
    path = run.dir / "letter.csv"
    path.write_text("Dear Sir or Madam,\nplease find the readings enclosed.\n")
    result = run.worker("import", path, "--json")
    assert result.returncode == 1
    job = json.loads(result.stdout)
    assert job["status"] == "failed"
    assert job["error_message"] and job["error_message"] in result.stderr
    path.write_text("MPAN,Date," + ",".join(f"HH{i:02d}" for i in range(1, 49)) + "\n"
                    + "2000000000000,31/02/2026" + ",1" * 48 + "\n")
    result = run.worker("import", path)
    assert result.returncode == 1
    assert "letter.csv: " in result.stderr


def test_a_file_that_cannot_be_read(run):
    for path in (run.dir / "nowhere.csv", run.dir):
        result = run.worker("import", path)
        assert result.returncode == 1
        assert "ECL3034" in result.stderr and str(path) in result.stderr
    assert not run.database.exists()


def test_a_file_that_cannot_be_read_to_its_end(run):
    run.worker("migrate")
    result = run.worker("import", "/proc/self/mem")  # opens, and fails with the first read
    assert result.returncode == 1
    assert "cannot read '/proc/self/mem'" in result.stderr
    assert run.sql("SELECT count(*) FROM import_jobs") == [(0,)]
    assert stored_files(run) == [] and list((run.storage / "incoming").iterdir()) == []


def test_there_is_no_job_before_its_file_is_stored(run):
    """What is written to the pipe is copied at once; nobody hears of it before its end."""
    pipe = run.dir / "week.csv"
    os.mkfifo(pipe)
    run.worker("migrate")
    process = subprocess.Popen([harness.WORKER, "--config", run.settings_file(), "import", pipe],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with open(os.open(pipe, os.O_RDWR), "w") as out:  # O_RDWR: waits for nobody
        out.write(WEEK)
        out.flush()
        harness.wait_for(lambda: [part for part in run.storage.glob("incoming/*")
                                  if part.stat().st_size == len(WEEK)], "the part")
        assert stored_files(run) == []
        assert run.sql("SELECT count(*) FROM import_jobs") == [(0,)]
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert run.sql("SELECT status, file_size, file_sha256 FROM import_jobs") == [
        ("completed", len(WEEK), hashlib.sha256(WEEK.encode()).hexdigest())]
    assert stored_files(run) == []


def test_text_from_a_file_does_not_steer_the_terminal(run):
    path = run.dir / "bad\x1b[2J.csv"
    path.write_text(WEEK + "\x1b]0;owned\x07,2026-02-01" + ",x\x1b[31m" * 48 + "\n")
    result = run.worker("import", path)
    assert "\x1b" not in result.stdout + result.stderr
    assert "bad?[2J.csv" in result.stdout


def test_an_interrupted_import_is_cancelled_and_leaves_nothing(run):
    path = run.dir / "big.csv"
    path.write_text(wh.big_file())
    run.worker("migrate")
    process = subprocess.Popen([harness.WORKER, "--config", run.settings_file(), "import", path],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    batch_id = harness.wait_for(lambda: run.sql("SELECT batch_id FROM import_jobs"),
                                "the job")[0][0]
    with wh.held_in_the_middle(run, batch_id):
        process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "cancelling" in err and "cancelled" in out
    assert wh.job(run, batch_id)["status"] == "cancelled"
    assert readings(run) == 0


def test_a_terminated_import_goes_on_in_the_background(run):
    path = run.dir / "big.csv"
    path.write_text(wh.big_file())
    run.worker("migrate")
    process = subprocess.Popen([harness.WORKER, "--config", run.settings_file(), "import", path],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    batch_id = harness.wait_for(lambda: run.sql("SELECT batch_id FROM import_jobs"),
                                "the job")[0][0]
    with wh.held_in_the_middle(run, batch_id):
        process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "goes on when a worker takes it" in err
    row = wh.job(run, batch_id)
    assert row["status"] == "queued" and row["checkpoint"] > 0
    assert run.worker("run", "--once").returncode == 0
    row = wh.job(run, batch_id)
    assert (row["status"], row["readings_new"]) == ("completed", wh.BIG_READINGS)
    assert readings(run) == wh.BIG_READINGS


def test_an_import_that_another_worker_takes_is_waited_for(run, daemon):
    daemon().wait_ready()
    for _ in range(3):
        result = run.worker("import", "-", "--json", input=WEEK)
        assert result.returncode == 0, result.stderr
        assert json.loads(result.stdout)["status"] == "completed"


# ---- wrong usage, wrong settings ---------------------------------------------------------------

@pytest.mark.parametrize("args", [
    [], ["nonsense"], ["import"], ["import", "a", "b"], ["import", "a", "--type", "weekly"],
    ["import", "a", "--priority", "urgent"], ["import", "a", "--user", ""],
    ["run", "--limit", "0"], ["run", "--limit", "many"], ["run", "--workers", "65"],
    ["run", "extra"], ["run", "--bogus"], ["cleanup", "--days", "-1"], ["check", "--verbose"],
    ["--log-level", "loud", "check"], ["--bogus"]])
def test_wrong_usage(run, args):
    result = run.worker(*args)
    assert result.returncode == 2, result.stderr
    assert "usage" in result.stderr or "--help" in result.stderr
    assert not run.database.exists()


@pytest.mark.skipif(os.path.exists("/etc/apache2/mods-available/eclectyc_import.conf"),
                    reason="the product is installed on this machine")
def test_the_settings_are_named_or_installed():
    result = subprocess.run([harness.WORKER, "migrate"], capture_output=True, text=True)
    assert result.returncode == 2
    assert "--config" in result.stderr and "eclectyc_import.conf" in result.stderr


def test_standard_input_cannot_be_both():
    result = subprocess.run([harness.WORKER, "--config", "-", "import", "-"], input="",
                            capture_output=True, text=True)
    assert result.returncode == 2


def test_help_and_version():
    for option, text in (("--help", "Commands:"), ("--version", "eclectyc-import-worker ")):
        result = subprocess.run([harness.WORKER, option], capture_output=True, text=True)
        assert (result.returncode, result.stderr) == (0, "")
        assert text in result.stdout


@pytest.mark.parametrize("name, value, said", [
    ("Storage", "relative/dir", "relative/dir"),
    ("Database", "sqlite3 relative.db", "relative.db"),
    ("Database", "oracle /x", "oracle"),
    ("Workers", "many", "many"),
    ("Timezone", "Europe/Atlantis", "Europe/Atlantis"),
    ("Colour", "blue", "EclectycImportColour"),
])
@pytest.mark.parametrize("command", ["check", "migrate", "run"])
def test_wrong_settings(run, command, name, value, said):
    run.settings[name] = value
    result = run.worker(command)
    assert result.returncode == 78
    assert "ECL3030" in result.stderr and said in result.stderr
    assert not run.database.exists()


def test_settings_from_a_file_that_is_not_there(run):
    result = subprocess.run([harness.WORKER, "--config", run.dir / "nowhere", "check"],
                            capture_output=True, text=True)
    assert result.returncode == 78
    assert "nowhere" in result.stderr


def test_settings_from_standard_input(run):
    result = subprocess.run([harness.WORKER, "--config", "-", "migrate"],
                            input=run.settings_text(), capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert run.database.exists()


# ---- migrate, cleanup, check -------------------------------------------------------------------

def test_migrate(run):
    first, second = run.worker("migrate"), run.worker("migrate")
    assert (first.returncode, second.returncode) == (0, 0)
    assert "applied; the database has schema" in first.stdout
    assert "nothing to do; the database has schema" in second.stdout


def make_newer(run):
    with run.change() as db:
        db.execute("INSERT INTO schema_migrations (version, name, applied_at) VALUES (9999, 'x', 1)")


def test_a_newer_schema_is_left_alone(run):
    run.worker("migrate")
    make_newer(run)
    migrate, check = run.worker("migrate"), run.worker("check")
    assert migrate.returncode == 1 and "9999" in migrate.stderr
    assert check.returncode == 1 and "9999" in check.stdout
    result = run.worker("run")
    assert result.returncode == 78
    assert "ECL3013" in result.stderr and "9999" in result.stderr


def test_cleanup(run):
    old = wh.queue(run, DAY)
    recent = wh.queue(run, WEEK)
    assert run.worker("run", "--once").returncode == 0
    long_ago = int((time.time() - 100 * 86400) * 1e6)
    with run.change() as db:
        db.execute("UPDATE import_jobs SET completed_at = ? WHERE batch_id = ?", (long_ago, old))
    before = readings(run)
    result = run.worker("cleanup", "--days", "101")
    assert (result.returncode, len(run.sql("SELECT 1 FROM import_jobs"))) == (0, 2)
    assert "0 files without a job removed" in result.stdout
    result = run.worker("cleanup")  # EclectycImportRetention: 90 days
    assert "1 finished job older than 90 days removed" in result.stdout
    assert run.sql("SELECT batch_id FROM import_jobs") == [(recent,)]
    assert readings(run) == before
    run.settings["Retention"] = "0"
    assert "kept for ever" in run.worker("cleanup").stdout


def test_run_cleans_up_at_its_start(run):
    old = wh.queue(run, DAY)
    run.worker("run", "--once")
    assert wh.job(run, old)["status"] == "completed"
    with run.change() as db:
        db.execute("UPDATE import_jobs SET completed_at = 1")
    result = run.worker("run", "--once")
    assert run.sql("SELECT count(*) FROM import_jobs") == [(0,)]
    assert "ECL3021" in result.stderr


def test_check_finds_what_is_wrong_and_says_how_to_mend_it(run, daemon):
    result = run.worker("check")
    assert result.returncode == 1
    what = "database" if run.database.driver == "sqlite3" else "schema  "
    assert f"problem  {what}" in result.stdout and "migrate" in result.stdout
    assert not run.database.exists(), "check changes nothing"

    run.worker("migrate")
    result = run.worker("check")
    assert result.returncode == 1
    assert "problem  workers   none is alive" in result.stdout
    assert "ok       schema" in result.stdout

    daemon().wait_ready()
    result = run.worker("check")
    assert result.returncode == 0, result.stdout
    assert "problem" not in result.stdout
    assert "ok       workers   1 alive" in result.stdout

    run.storage.chmod(0o500)
    if os.getuid() != 0:
        result = run.worker("check")
        assert result.returncode == 1 and "problem  storage" in result.stdout
    run.storage.chmod(0o700)
    run.settings["Storage"] = f'"{run.dir}/nowhere"'
    result = run.worker("check")
    assert result.returncode == 1 and "install -d" in result.stdout


def test_check_tells_of_jobs_that_nobody_takes(run):
    run.settings["Workers"] = "0"
    wh.queue(run, DAY)
    assert run.worker("check").returncode == 0
    with run.change() as db:
        db.execute("UPDATE import_jobs SET run_after = run_after - 120000000")
    result = run.worker("check")
    assert result.returncode == 1
    assert re.search(r"problem  queue     1 due, the oldest for 12\d s", result.stdout)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_root_leaves_no_file_that_the_server_cannot_open(run):
    secret = run.dir / "of root.csv"
    secret.write_text(WEEK)
    secret.chmod(0o600)
    settings = run.settings_file()
    settings.chmod(0o600)
    owner = run.storage.stat().st_uid
    assert owner != 0
    assert run.worker("import", secret).returncode == 0
    assert run.worker("run", "--once").returncode == 0
    for path in run.data.rglob("*"):
        assert path.stat().st_uid == owner, path
        assert path.stat().st_mode & 0o007 == 0, path


# ---- run ---------------------------------------------------------------------------------------

def test_once_drains_the_queue(run):
    ids = [wh.queue(run, meterfiles.wide(meters=1, first=f"2026-0{m}-01")) for m in range(3, 7)]
    result = run.worker("run", "--once", "--workers", "2")
    assert result.returncode == 0, result.stderr
    assert {wh.job(run, i)["status"] for i in ids} == {"completed"}
    assert run.sql("SELECT count(*) FROM import_workers") == [(0,)]
    status = json.loads((run.storage / "status.json").read_text())
    assert status.pop("at").endswith("Z")
    assert status == {"queued": 0, "due": 0, "processing": 0, "oldest_wait_seconds": 0,
                      "workers": 0}


def test_once_says_nothing_when_all_is_well(run):
    wh.queue(run, DAY)
    result = subprocess.run([harness.WORKER, "--config", run.settings_file(), "--log-level",
                             "warn", "run", "--once"], capture_output=True, text=True)
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


@pytest.mark.parametrize("workers", [1, 2])
def test_limit(run, workers):
    ids = [wh.queue(run, DAY) for _ in range(4)]
    result = run.worker("run", "--limit", "3", "--workers", str(workers))
    assert result.returncode == 0, result.stderr
    assert [wh.job(run, i)["status"] for i in ids].count("completed") == 3


def test_once_with_a_database_out_of_reach(run):
    run.settings["Database"] = f'sqlite3 "{run.dir}/nowhere/x.db"'
    result = run.worker("run", "--once")
    assert result.returncode == 1
    assert "ECL3010" in result.stderr


def test_log_lines_look_like_httpds(run):
    result = run.worker("run", "--once")
    assert result.stderr
    for line in result.stderr.splitlines():
        stamp = line[1:line.index("]")]
        whole, fraction = stamp[:-5].rsplit(".", 1)
        time.strptime(whole + stamp[-5:], "%a %b %d %H:%M:%S %Y")
        assert len(fraction) == 6
        assert "] [eclectyc_import:" in line and "] ECL" in line


def test_an_idle_worker_stops_at_once(run, daemon):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        worker = daemon("--workers", 2, count=2).wait_ready()
        assert worker.stop(number) == 0
        worker.all_gone()
        assert run.sql("SELECT count(*) FROM import_workers") == [(0,)]


def test_a_busy_worker_stops_soon_and_the_next_goes_on(run, daemon):
    batch_id = wh.queue(run, wh.big_file())
    worker = daemon()
    with wh.held_in_the_middle(run, batch_id):
        os.kill(worker.pid, signal.SIGTERM)
    assert worker.stop() == 0
    row = wh.job(run, batch_id)
    assert row["status"] == "queued" and row["lease_until"] is None and row["attempts"] == 0
    assert 0 < row["processed_rows"] < wh.BIG_METERS * wh.BIG_DAYS
    assert row["checkpoint"] == row["processed_rows"] + 1  # the header is a record, too

    daemon()
    row = wh.wait_for_status(run, batch_id, "completed", "failed")
    assert (row["status"], row["readings_new"]) == ("completed", wh.BIG_READINGS)
    assert readings(run) == wh.BIG_READINGS


def test_a_worker_that_cannot_finish_its_batch_is_killed_in_time(run, daemon):
    """Somebody holds a lock that it needs: httpd would kill the master 3 s after SIGTERM."""
    batch_id = wh.queue(run, wh.big_file())
    worker = daemon()
    with wh.held_in_the_middle(run, batch_id):
        worker.stop()
        worker.all_gone()
    assert "ECL3004" in worker.log(), "it waited for the lock"


def put_back(run, batch_id):
    return run.sql("SELECT at, detail FROM import_job_events WHERE batch_id = ? AND "
                   "event = 'put-back' ORDER BY id", batch_id)


def test_a_killed_slot_is_replaced_and_its_job_goes_on(run, daemon):
    batch_id = wh.queue(run, wh.big_file())
    worker = daemon()
    with wh.held_in_the_middle(run, batch_id):
        [slot] = wh.slots(worker.pid)
        os.kill(slot, signal.SIGKILL)
    row = harness.wait_for(lambda: (lambda j: j if j["claims"] == 2 else None)(
        wh.job(run, batch_id)), "the second claim")
    # at once: neither the lease (30 s) nor a back-off (2 s) is waited for
    [(at, why)] = put_back(run, batch_id)
    assert row["run_after"] <= at and "signal 9" in why
    row = wh.wait_for_status(run, batch_id, "completed", "failed")
    assert (row["status"], row["readings_new"]) == ("completed", wh.BIG_READINGS)
    assert readings(run) == wh.BIG_READINGS
    assert "ECL3003" in worker.log() and "signal 9" in worker.log()
    assert [s for s in wh.slots(worker.pid) if s != slot]
    assert slot not in [p for (p,) in run.sql("SELECT pid FROM import_workers")]


def test_a_job_that_kills_its_worker_fails_and_the_others_go_on(run, daemon):
    """Three times at the same place: the reason names the signal."""
    poison = wh.queue(run, wh.big_file(), max_attempts=1)
    worker = daemon()
    with wh.held_in_the_middle(run, poison):
        os.kill(wh.slots(worker.pid)[0], signal.SIGABRT)
    row = wh.wait_for_status(run, poison, "failed")
    line = re.search(r"the worker died \(signal 6\) near line (\d+)$", row["error_message"])
    assert line, row["error_message"]
    assert row["checkpoint"] <= int(line[1]) <= wh.BIG_METERS * wh.BIG_DAYS + 1
    good = wh.queue(run, DAY)
    assert wh.wait_for_status(run, good, "completed", "failed")["status"] == "completed"


def test_deaths_at_one_spot_back_off_and_end(run, daemon):
    """The first says more about the process than about the file; the others do not."""
    batch_id = wh.queue(run, DAY)
    run.database.stall_storing()
    worker = daemon()
    began, killed = [], []
    for attempt in (1, 2, 3):
        row = harness.wait_for(lambda: (lambda j: j if j["claims"] == attempt else None)(
            wh.job(run, batch_id)), f"attempt {attempt}")
        assert (row["status"], row["attempts"], row["checkpoint"]) == ("processing", attempt, 0)
        if attempt == 2:
            [(at, _)] = put_back(run, batch_id)
            assert row["run_after"] <= at
        killed.append(time.time())
        os.kill(wh.slots(worker.pid)[0], signal.SIGKILL)
        began.append(row["attempt_started_at"] / 1e6)
    row = wh.wait_for_status(run, batch_id, "failed")
    assert began[2] - killed[1] >= 2
    assert all("signal 9" in why for _, why in put_back(run, batch_id)), "a lease has run out"
    assert "gave up after 3 attempts" in row["error_message"]
    assert "the worker died (signal 9) " in row["error_message"]


def test_nothing_outlives_a_killed_master(run, daemon):
    batch_id = wh.queue(run, wh.big_file())
    worker = daemon("--workers", 2, count=2)
    with wh.held_in_the_middle(run, batch_id):
        os.kill(worker.pid, signal.SIGKILL)
    worker.process.wait(harness.DEADLINE)
    worker.all_gone()
    row = wh.job(run, batch_id)
    assert (row["status"], row["lease_until"]) == ("queued", None), "given back in order"


def test_a_killed_keeper_is_replaced(run, daemon):
    worker = daemon().wait_ready()
    keeper, = [p for p in wh.children(worker.pid) if wh.name_of(p) == "eclectyc-keeper"]
    harness.wait_for((run.storage / "status.json").exists, "status.json")
    os.kill(keeper, signal.SIGKILL)
    harness.wait_for(lambda: not wh.is_alive(keeper), "the keeper's end")
    (run.storage / "status.json").unlink()
    harness.wait_for((run.storage / "status.json").exists, "status.json")
    assert worker.stop() == 0
    worker.all_gone()


@pytest.mark.sqlite3  # whose directory tells root whom to become where there is no storage yet
def test_a_worker_waits_for_its_storage_and_says_so_once(run, daemon):
    later = run.dir / "later"
    later.mkdir()
    later.chmod(0o555)
    run.settings["Storage"] = f'"{later}/storage"'
    worker = daemon()
    harness.wait_for(lambda: "ECL3010" in worker.log(), "the complaint")
    time.sleep(2.5)  # the second and the third try
    assert worker.log().count("ECL3010") == 1
    assert str(later) in worker.log()
    later.chmod(0o777)
    harness.wait_for(lambda: "ECL3011" in worker.log(), "the worker's recovery")
    assert (later / "storage" / "files").is_dir()


def test_a_worker_hears_of_a_job_at_once(run, daemon):
    daemon().wait_ready()
    ended = None

    def is_heard_of():
        """Polling alone, it would look again 2 s after the end of the last job."""
        nonlocal ended
        batch_id = wh.queue(run, DAY)
        (run.storage / "wake").touch()
        row = wh.wait_for_status(run, batch_id, "completed")
        is_early = ended is not None and row["started_at"] - ended < 1_500_000
        ended = row["completed_at"]
        return is_early
    harness.wait_for(is_heard_of, "a job that is taken before the worker's next look")


def test_a_worker_polls_for_what_it_does_not_hear_of(run, daemon):
    daemon().wait_ready()
    (run.storage / "wake").unlink()
    batch_id = wh.queue(run, DAY)
    wh.wait_for_status(run, batch_id, "completed", deadline=harness.DEADLINE)


def test_slots_let_themselves_be_killed_first_when_memory_runs_out(run, daemon):
    worker = daemon().wait_ready()
    [slot] = wh.slots(worker.pid)
    adjusted = pathlib.Path(f"/proc/{slot}/oom_score_adj").read_text().strip()
    own = pathlib.Path("/proc/self/oom_score_adj").read_text().strip()
    assert adjusted == "500" or int(own) > 500
