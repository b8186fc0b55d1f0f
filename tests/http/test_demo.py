"""`make run` and `make stop` in a fresh clone, and `make install` into an existing Apache
and out of it."""

import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile
from decimal import Decimal

import pytest
import requests

import databases
import harness

pytestmark = pytest.mark.skipif(harness.SANITIZED, reason="the demo is built without sanitizers")


@pytest.fixture
def clone():
    """The committed and uncommitted source without anything built, in a new directory."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="eclectyc clone-", dir="/tmp"))
    # the source may be somebody else's: git does not have to ask whether it is safe
    files = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard"],
                           cwd=harness.SOURCE, check=True, capture_output=True,
                           text=True).stdout.splitlines()
    for name in files:
        source = harness.SOURCE / name
        if source.is_file():
            (directory / "src" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, directory / "src" / name)
    yield directory  # mode 0700: only its owner may enter, as in many a home directory
    subprocess.run(["make", "-s", "stop", f"RUN_DIR={directory}/run"], cwd=directory / "src")
    shutil.rmtree(directory, ignore_errors=True)


def make(clone, *args):
    # what `make check` told its own make is not for this one
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(["make", *args], cwd=clone / "src", env=env, capture_output=True, text=True,
                          timeout=600, umask=0o077)


def connect(run):
    if databases.DRIVER == "sqlite3":
        return databases.Sqlite3(run).connect()
    socket = (run / "postgres" / "socket").readlink()
    return databases.connect_pgsql(f"host={socket} user=eclectyc dbname=postgres")


def processes_of(clone):
    """Processes on whose command line the clone's directory stands."""
    found = []
    for line in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # of a process that has ended meanwhile
            if str(clone).encode() in line.read_bytes():
                found.append(line.parent.name)
    return found


def own_figures():
    rows = (harness.SAMPLES / "sample_hh_data.csv").read_text().splitlines()[1:]
    cells = [c for row in rows for c in row.split(",")[2:] if c]
    return len(cells), sum(Decimal(c) for c in cells)


def test_make_run_and_stop(clone):
    with harness.reserved_port() as reservation:
        make_run_and_stop(clone, reservation.getsockname()[1])


def make_run_and_stop(clone, port):
    run = clone / "run"
    wanted = f"DB={databases.DRIVER}"
    first = make(clone, "run", f"PORT={port}", f"RUN_DIR={run}", wanted)
    assert first.returncode == 0, first.stdout + first.stderr
    password = (run / "admin.password").read_text().strip()
    assert f"http://127.0.0.1:{port}/admin/imports" in first.stdout
    assert password in first.stdout and "sample_hh_data.csv: completed" in first.stdout
    jobs = requests.get(f"http://127.0.0.1:{port}/api/import/jobs", auth=("admin", password)).json()
    assert [j["status"] for j in jobs["jobs"]] == ["completed"]
    with contextlib.closing(connect(run)) as db:
        count, total = db.execute("SELECT count(*), sum(reading_value) FROM meter_readings").fetchone()
    assert count == own_figures()[0]
    assert abs(Decimal(total) - own_figures()[1]) < Decimal("0.000001")
    for name in ("storage", "log/error_log", "httpd.pid"):
        assert (run / name).exists()

    again = make(clone, "run", f"PORT={port}", f"RUN_DIR={run}", wanted)
    assert again.returncode == 0, again.stdout + again.stderr
    assert f"0 new, 0 changed, {count} unchanged" in again.stdout

    pid = int((run / "httpd.pid").read_text())
    assert make(clone, "stop").returncode == 0  # remembers the directory
    assert not pathlib.Path(f"/proc/{pid}").exists()
    assert not processes_of(clone)
    assert make(clone, "stop", f"RUN_DIR={run}").returncode == 0  # nothing to stop is no error
    assert not [line for line in (run / "log/error_log").read_text().splitlines()
                if ":error]" in line or ":warn]" in line or ":crit]" in line]

    (clone / "src/tests/samples/sample_hh_data.csv").write_text("no,readings\n1,2\n")
    failing = make(clone, "run", f"PORT={port}", f"RUN_DIR={run}", wanted)
    assert failing.returncode != 0
    assert "the import ended as failed" in failing.stderr
    assert not processes_of(clone), "a start that fails leaves nothing running"


@pytest.mark.sqlite3
def test_a_port_in_use_is_named(clone):
    import http.server
    import threading
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        port = other.server_address[1]
        answer = make(clone, "run", f"PORT={port}", f"RUN_DIR={clone}/run")
        other.shutdown()
    assert answer.returncode != 0
    assert str(port) in answer.stderr and "PORT=" in answer.stderr


@pytest.mark.sqlite3
def test_install_into_an_existing_apache_and_out_of_it(clone):
    root = clone / "root"
    answer = make(clone, "-s", "install", f"DESTDIR={root}", "PREFIX=/usr")
    assert answer.returncode == 0, answer.stderr
    installed = {str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()}
    module = str(pathlib.Path(harness.apxs("LIBEXECDIR")).relative_to("/")) + "/mod_eclectyc_import.so"
    for name in (module, "usr/bin/eclectyc-import-worker",
                 "usr/share/eclectyc-import/templates/upload.mustache",
                 "usr/share/eclectyc-import/templates/assets/app.css",
                 "usr/share/eclectyc-import/migrations/sqlite3/0001_initial.sql",
                 "usr/share/eclectyc-import/migrations/pgsql/0001_initial.sql",
                 "etc/apache2/mods-available/eclectyc_import.load",
                 "etc/apache2/mods-available/eclectyc_import.conf"):
        assert name in installed, name
    conf = root / "etc/apache2/mods-available/eclectyc_import.conf"
    conf.write_text("# mine\n")
    assert make(clone, "-s", "install", f"DESTDIR={root}", "PREFIX=/usr").returncode == 0
    assert conf.read_text() == "# mine\n"
    for path in root.rglob("*"):
        mode = path.stat().st_mode & 0o777
        assert mode == (0o755 if path.is_dir() or path.name.endswith("-worker") else 0o644), path

    # and out of it again
    enabled = root / "etc/apache2/mods-enabled/eclectyc_import.load"
    enabled.parent.mkdir()
    enabled.symlink_to("../mods-available/eclectyc_import.load")
    answer = make(clone, "-s", "uninstall", f"DESTDIR={root}", "PREFIX=/usr")
    assert answer.returncode != 0 and "a2dismod eclectyc_import" in answer.stderr
    assert (root / module).exists()
    enabled.unlink()
    changed = root / "usr/share/eclectyc-import/templates/upload.mustache"
    changed.write_text("mine")
    others = [root / "usr/share/eclectyc-import/templates/note.txt", root / "usr/bin/other",
              root / "etc/cron.d/eclectyc-import"]
    data = root / "var/lib/eclectyc-import/eclectyc.db"
    for path in (*others, data):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("somebody's")
    shutil.rmtree(clone / "src/build")  # it takes no compiler
    answer = make(clone, "-s", "uninstall", f"DESTDIR={root}", "PREFIX=/usr")
    assert answer.returncode == 0, answer.stderr
    assert {p for p in root.rglob("*") if p.is_file()} == {conf, changed, data, *others}
    for path in (conf, changed, others[2]):
        assert str(path) in answer.stdout
    assert "data was not touched" in answer.stdout
    assert not (clone / "src/build/plain").exists()
    conf.write_bytes((clone / "src/conf/eclectyc_import.conf").read_bytes())
    for path in (changed, *others):
        path.unlink()
    changed.parent.rmdir()
    answer = make(clone, "-s", "uninstall", f"DESTDIR={root}", "PREFIX=/usr")
    assert answer.returncode == 0 and "left" not in answer.stdout, answer.stdout
    assert [p for p in root.rglob("*") if p.is_file()] == [data]
