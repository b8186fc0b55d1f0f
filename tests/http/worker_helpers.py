"""Worker processes of a test, watched through /proc and the database."""

import contextlib
import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import time
import uuid

import harness
import meterfiles

# Long enough to be caught in the middle: a batch has a thousand rows at most.
BIG_METERS = 150 if harness.SANITIZED else 400
BIG_DAYS = 300
BIG_READINGS = BIG_METERS * BIG_DAYS * 48


def big_file():
    """BIG_METERS × BIG_DAYS rows; all of one meter's rows are alike, so that it is quickly made."""
    days = [d.isoformat() for d in meterfiles.days("2025-01-01", BIG_DAYS)
            if d.isoformat() not in ("2025-03-30", "2025-10-26")]
    values = "," + ",".join(["0.125"] * 48)
    lines = ["MPAN,Date," + ",".join(f"HH{i:02d}" for i in range(1, 49))]
    for m in range(BIG_METERS):
        meter = meterfiles.mpan(m)
        lines += [f"{meter},{day}{values}" for day in days]
        # the days with a clock change have other lengths; make up for them
        lines += [f"{meter},2024-01-{d:02d}{values}" for d in range(1, BIG_DAYS - len(days) + 1)]
    return "\n".join(lines) + "\n"


def queue(run, content, filename="queued.csv", **columns):
    """Puts a file into the queue as the module does, without an httpd; returns its batch id."""
    batch_id = str(uuid.uuid4())
    files = run.storage / "files"
    if not files.exists():
        run.worker("cleanup")  # makes database and directories
    data = content.encode()
    path = files / batch_id
    path.write_bytes(data)
    if os.getuid() == 0:
        shutil.chown(path, "www-data", "www-data")
    now = int(time.time() * 1e6)
    row = {"batch_id": batch_id, "user_name": "alice", "filename": filename,
           "stored_name": batch_id, "file_size": len(data),
           "file_sha256": hashlib.sha256(data).hexdigest(), "queued_at": now, "run_after": now,
           **columns}
    with contextlib.closing(connect(run)) as db:
        db.execute(f"INSERT INTO import_jobs ({', '.join(row)}) VALUES "
                   f"({', '.join('?' * len(row))})", list(row.values()))
        db.commit()
    return batch_id


def connect(run):
    return run.database.connect()


def job(run, batch_id):
    with contextlib.closing(connect(run)) as db:
        cursor = db.execute("SELECT * FROM import_jobs WHERE batch_id = ?", (batch_id,))
        return dict(zip([c[0] for c in cursor.description], cursor.fetchone()))


def wait_for_status(run, batch_id, *statuses, deadline=harness.DEADLINE * 4):
    def reached():
        row = job(run, batch_id)
        return row if row["status"] in statuses else None
    return harness.wait_for(reached, f"job {batch_id} to be {' or '.join(statuses)}", deadline)


@contextlib.contextmanager
def held_in_the_middle(run, batch_id):
    """At least one batch of the job is committed, and the next can't be before the block's end."""
    def is_in_the_middle(db):
        [(status, rows)] = db.execute("SELECT status, processed_rows FROM import_jobs"
                                      " WHERE batch_id = ?", (batch_id,)).fetchall()
        assert status in ("queued", "processing"), "the file is too small for this test"
        return status == "processing" and rows > 0

    harness.wait_for(lambda: job(run, batch_id)["processed_rows"], "the job's first batch")
    with run.database.held(is_in_the_middle) as db:
        yield db


def children(pid):
    """Pids of the live children of a process."""
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rsplit(")", 1)[1].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(stat.parent.name))
    return found


def name_of(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()


def is_alive(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


def slots(master):
    return [pid for pid in children(master) if name_of(pid) == "eclectyc-slot"]


class Daemon:
    """`eclectyc-import-worker run`; leaves nothing behind."""

    def __init__(self, run, *args, count=1):
        self.run = run
        self.log_path = run.dir / "worker.log"
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [harness.WORKER, "--config", run.settings_file(), "run", *map(str, args)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.pid = self.process.pid
        self.count = count

    def log(self):
        return self.log_path.read_text()

    def wait_ready(self):
        """Until all slots have said that they are alive."""
        def alive():
            assert self.process.poll() is None, self.log()
            # to connect to SQLite would make the file, as another user's
            if not self.run.database.exists():
                return False
            try:
                names = {n for (n,) in self.run.sql("SELECT pid FROM import_workers")}
            except Exception as error:
                if not self.run.database.is_lost(error):
                    raise
                return False
            return self.count == len(names & set(slots(self.pid)))
        harness.wait_for(alive, "the worker processes to be alive")
        return self

    def stop(self, number=signal.SIGTERM):
        """Returns the exit code."""
        os.kill(self.pid, number)
        return self.process.wait(harness.DEADLINE)

    def all_gone(self):
        harness.wait_for(lambda: not harness.process_group_members(self.pid),
                         "all processes of the worker to be gone")

    def close(self):
        for member in harness.process_group_members(self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(member, signal.SIGKILL)
        self.process.wait(harness.DEADLINE)
