"""A small disk that fills up: while a file is received, while it is imported. Nothing is lost, what
cannot be done is said, and all goes on when there is space again."""

import contextlib
import os
import shutil
import subprocess

import pytest

import chaos_files
import databases
import harness
import installation as inst
import ledger
import meterfiles as mf
import worker_helpers as wh

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a small disk")

MIB = 1 << 20


@pytest.fixture
def small_disk(tmp_path_factory):
    """Mounts a file system in memory of so many MiB on a directory."""
    mounted = []

    def mount(path, mib):
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=0755", "tmpfs", path],
                              capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"mounting is not permitted here: {done.stderr.strip()}")
        mounted.append(path)
        shutil.chown(path, "www-data", "www-data")

    yield mount
    for path in mounted:
        subprocess.run(["umount", "-l", path], check=True)
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def filled(directory, leave):
    """Leaves so many bytes of the disk free."""
    path = directory / "filler"
    with path.open("wb", buffering=0) as out, contextlib.suppress(OSError):
        free = shutil.disk_usage(directory).free
        os.posix_fallocate(out.fileno(), 0, max(1, free - leave))
    try:
        yield
    finally:
        path.unlink()


def test_a_disk_that_fills_while_files_are_received(make_httpd, small_disk):
    server = make_httpd(start=False)
    small_disk(server.storage, 40)
    server.start()
    content = mf.wide(meters=30, count=60)
    first = server.import_file(content, "first.csv")
    assert first["status"] == "completed"

    def endless():  # more than fits, and nothing announces how much
        for _ in range(80):
            yield b"x" * MIB

    server.expected += ["ECL2021"]
    for url in (f"{server.api}/jobs?filename=large.csv", server.admin):
        answer = server.post(url, data=endless() if "jobs" in url else None,
                             files=None if "jobs" in url else {
                                 "csv_file": ("large.csv", b"x" * 60 * MIB, "text/csv")})
        assert answer.status_code == 507, (answer.status_code, answer.text)
        assert "disk is full" in answer.text
    with filled(server.storage, 4 * MIB):
        answer = server.post(f"{server.api}/jobs?filename=small.csv", data=content)
        assert answer.status_code == 507, (answer.status_code, answer.text)
        assert server.get(server.admin).status_code == 200
    assert server.sql("SELECT filename FROM import_jobs") == [("first.csv",)]
    after = server.import_file(content, "after.csv")
    assert after["readings_unchanged"] == first["readings_new"] > 0
    ledger.assert_settled(server)


@pytest.mark.sqlite3
def test_a_database_whose_disk_fills_while_files_are_imported(
        make_installation, make_run, small_disk):
    files = {"wide.csv": chaos_files.wide(0, 80, 150), "flow.txt": chaos_files.d0036(400, 30, 60)}
    _, wanted = ledger.undisturbed(make_run, {}, files)
    directory = harness.pathlib.Path(harness.tempfile.mkdtemp(prefix="eclectyc-disk-", dir="/tmp"))
    try:
        small_disk(directory, 64)
        target = make_installation(daemons=0,
                                   Database=f'sqlite3 "{directory}/eclectyc.db"')
        server = target.server
        server.database = databases.Sqlite3(directory)
        server.expected += ["ECL202[12]"]
        assert server.get(server.admin).status_code == 200
        batches = inst.Uploads(target, files, "full").join()
        with filled(directory, 700_000):
            target.start_daemon()
            for batch in batches.values():
                row = harness.wait_for(lambda b=batch: (lambda j: j if j["error_message"] else None)(
                    wh.job(server, b)), "a job to meet the full disk")
                assert row["status"] in ("queued", "failed"), row
                assert "full" in row["error_message"], row["error_message"]
            answer = server.post(f"{server.api}/jobs?filename=more.csv", data="x" * 100_000)
            assert answer.status_code in (202, 503, 507), (answer.status_code, answer.text)
            assert server.get(server.admin).status_code in (200, 503)

        def all_completed():
            for batch in batches.values():
                if wh.job(server, batch)["status"] == "failed":
                    target.call("POST", f"/jobs/{batch}/retry", accept=(200, 202, 409))
            return server.sql("SELECT count(*) FROM import_jobs WHERE status = 'completed'") == [
                (len(files),)]

        harness.wait_for(all_completed, "the imports to complete when there is space", 60)
        for batch, name in server.sql("SELECT batch_id, filename FROM import_jobs"):
            if name == "more.csv":
                wh.wait_for_status(server, batch, "failed")
                target.call("DELETE", f"/jobs/{batch}", accept=(200, 204))
        ledger.assert_equal(ledger.read(server), wanted)
        ledger.assert_settled(server)
        target.close()
        server.stop()
    finally:
        harness.shutil.rmtree(directory, ignore_errors=True)
