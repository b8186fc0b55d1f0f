"""A private Apache httpd with the module in it, for tests.

Every server listens on 127.0.0.1 on a free port, keeps its files in a temporary directory of its
own, and is stopped by its test. stop() fails the test if httpd's log holds a line of level warn or
above that the test did not announce, or if a process outlives the server.
"""

import atexit
import base64
import contextlib
import hashlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import requests

import databases

SOURCE = pathlib.Path(__file__).resolve().parent.parent
BUILD = SOURCE / os.environ.get("ECL_BUILD", "build/plain")
SANITIZED = BUILD.name == "sanitize"
SAMPLES = SOURCE / "tests" / "samples"
USER, PASSWORD = "alice", "correct horse"
DEADLINE = 60 if SANITIZED else 30


# what a test makes is read by httpd's user, unless the test says otherwise
os.umask(0o022)


def reachable():
    """Where worker, module and templates lie for httpd's user: the build and the source, or a copy of
    them, where root's clone is one that www-data can't enter (under /root, or made by umask 077)."""
    worker, module, templates = (BUILD / "eclectyc-import-worker", BUILD / "mod_eclectyc_import.so",
                                 SOURCE / "templates")
    enter = ["setpriv", "--reuid=www-data", "--regid=www-data", "--clear-groups", "sh", "-c",
             'test -x "$0" && test -r "$1" && test -r "$2"', worker, module,
             templates / "upload.mustache"]
    if os.getuid() != 0 or subprocess.run(enter).returncode == 0:
        return worker, module, templates
    directory = pathlib.Path(tempfile.mkdtemp(prefix="eclectyc-build-", dir="/tmp"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    directory.chmod(0o755)
    for program in (worker, module):
        shutil.copyfile(program, directory / program.name)
        (directory / program.name).chmod(0o755)
    shutil.copytree(templates, directory / "templates", copy_function=shutil.copyfile)
    for path in (directory / "templates").rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    (directory / "templates").chmod(0o755)
    return directory / worker.name, directory / module.name, directory / "templates"


WORKER, MODULE, TEMPLATES = reachable()


def wait_for(condition, what, deadline=DEADLINE):
    """Calls condition until it returns something true, and returns that."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"waited {deadline} s in vain for {what}"
        time.sleep(0.02)


def apxs(variable):
    return subprocess.run([os.environ.get("APXS", "apxs"), "-q", variable],
                          check=True, capture_output=True, text=True).stdout.strip()


def reserved_port():
    """A socket that keeps its port from everybody but who binds it with SO_REUSEADDR, as httpd does,
    until it is closed."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", 0))
    return s


def process_group_members(pgid):
    """Pids of the processes of a session, from /proc."""
    members = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rsplit(")", 1)[1].split()
            if int(fields[3]) == pgid and fields[0] != "Z":
                members.append(int(stat.parent.name))
    return members


class Run:
    """A directory that httpd's user can reach, with settings for module and worker in it."""

    def __init__(self, **settings):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="eclectyc-test-", dir="/tmp"))
        self.dir.chmod(0o755)
        self.data = self.dir / "data"
        self.data.mkdir()
        self.storage = self.data / "storage"
        self.storage.mkdir(mode=0o700)
        self.database = databases.make(self.data)
        if os.getuid() == 0:
            shutil.chown(self.data, "www-data", "www-data")
            shutil.chown(self.storage, "www-data", "www-data")
        self.settings = {
            "Database": self.database.setting,
            "Storage": f'"{self.storage}"',
            "Templates": f'"{TEMPLATES}"',
            "WorkerProgram": f'"{WORKER}"',
            "Workers": "1",
            **settings,
        }

    def settings_text(self):
        return "".join(f"EclectycImport{k} {v}\n" for k, v in self.settings.items()
                       if v is not None)

    def settings_file(self):
        path = self.dir / "settings.conf"
        path.write_text(self.settings_text())
        return path

    def worker(self, *args, **kwargs):
        """Runs the worker program with this directory's settings; returns CompletedProcess."""
        return subprocess.run([WORKER, "--config", self.settings_file(), *map(str, args)],
                              capture_output=True, text=True, timeout=300, **kwargs)

    def sql(self, statement, *args):
        with contextlib.closing(self.database.connect()) as db:
            return db.execute(statement, args).fetchall()

    @contextlib.contextmanager
    def change(self):
        """A transaction of the test's own."""
        with contextlib.closing(self.database.connect()) as db, db:
            yield db

    def empty(self):
        """Takes all readings, jobs and meters out."""
        with self.change() as db:
            for table in ("meter_day_history", "meter_days", "meters", "import_errors",
                          "import_jobs"):
                db.execute(f"DELETE FROM {table}")

    def remove(self):
        self.database.remove()
        shutil.rmtree(self.dir, ignore_errors=True)


class Httpd(Run):
    def __init__(self, mpm="event", extra="", locations=None, admin="/admin/imports",
                 api="/api/import", **settings):
        super().__init__(**settings)
        self.mpm = mpm
        self.reservation = reserved_port()
        self.port = self.reservation.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}"
        self.admin = self.base + admin
        self.api = self.base + api
        self.admin_path, self.api_path = admin, api
        self.extra = extra
        self.locations = locations
        self.error_log = self.dir / "error_log"
        # regular expressions of log lines that are no surprise; AH0309[23]: the event MPM was
        # stopped just when an answered connection was to be kept open or closed
        self.expected = ["AH0309[23]"]
        self.process = None
        self.session = requests.Session()
        self.session.auth = (USER, PASSWORD)
        self.session.trust_env = False
        digest = base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()
        (self.dir / "htpasswd").write_text(
            "".join(f"{user}:{{SHA}}{digest}\n" for user in (USER, "bob")))

    def config(self):
        modules = apxs("LIBEXECDIR")
        names = [f"mpm_{self.mpm}", "authn_core", "authn_file", "authz_core", "authz_user",
                 "auth_basic", "reqtimeout", "status", "deflate", "filter", "mime", "dav",
                 "unixd", "log_config"]
        load = "".join(f"<IfModule !{n}_module>\nLoadModule {n}_module {modules}/mod_{n}.so\n"
                       "</IfModule>\n" for n in names
                       if os.path.exists(f"{modules}/mod_{n}.so") or n.startswith("mpm"))
        auth = (f'AuthType Basic\nAuthName test\nAuthBasicProvider file\n'
                f'AuthUserFile "{self.dir}/htpasswd"\nRequire valid-user\nLimitRequestBody 0\n')
        locations = self.locations
        if locations is None:
            locations = (f'<Location "{self.admin_path}">\nEclectycImport admin\n{auth}</Location>\n'
                         f'<Location "{self.api_path}">\nEclectycImport api\n{auth}</Location>\n'
                         '<Location "/server-status">\nSetHandler server-status\n</Location>\n')
        user = "User www-data\nGroup www-data\n" if os.getuid() == 0 else ""
        return (f'ServerRoot "{self.dir}"\nServerName 127.0.0.1\nListen 127.0.0.1:{self.port}\n'
                f'PidFile "{self.dir}/httpd.pid"\nDefaultRuntimeDir "{self.dir}"\n'
                f'ErrorLog "{self.error_log}"\nLogLevel warn eclectyc_import:info\n'
                f'TypesConfig /dev/null\n{load}{user}'
                f'LoadModule eclectyc_import_module "{MODULE}"\n'
                'MaxConnectionsPerChild 0\n'
                '<IfModule mpm_event_module>\nStartServers 1\nThreadsPerChild 16\n'
                'MaxRequestWorkers 32\nMinSpareThreads 1\nMaxSpareThreads 32\n</IfModule>\n'
                '<IfModule mpm_prefork_module>\nStartServers 2\nMinSpareServers 2\n</IfModule>\n'
                f'{self.settings_text()}{locations}{self.extra}\n')

    def command(self, *args):
        program = os.path.join(apxs("SBINDIR"), apxs("PROGNAME"))
        return [program, "-f", str(self.dir / "httpd.conf"), *args]

    def environment(self):
        env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        if "TZ" in os.environ:
            env["TZ"] = os.environ["TZ"]
        if SANITIZED:
            # httpd itself is not built with the sanitizer, so the runtime must be there before the
            # module; what httpd's own pools hold at exit is no leak of ours
            env["LD_PRELOAD"] = subprocess.run(
                ["gcc", "-print-file-name=libasan.so"], check=True, capture_output=True,
                text=True).stdout.strip()
            env["ASAN_OPTIONS"] = "detect_leaks=0:verify_asan_link_order=0"
        return env

    def write_config(self):
        (self.dir / "httpd.conf").write_text(self.config())

    def configtest(self):
        self.write_config()
        return subprocess.run(self.command("-t"), capture_output=True, text=True,
                              env=self.environment(), timeout=60)

    def remove(self):
        super().remove()
        self.reservation.close()

    def start(self):
        self.write_config()
        self.process = subprocess.Popen(self.command("-DFOREGROUND"), env=self.environment(),
                                        start_new_session=True, stdin=subprocess.DEVNULL)
        wait_for(self.answers, "httpd to answer")
        return self

    def answers(self):
        assert self.process.poll() is None, "httpd ended: " + self.log()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        return False

    def graceful(self):
        os.kill(self.process.pid, signal.SIGUSR1)

    def log(self):
        return self.error_log.read_text(errors="replace") if self.error_log.exists() else ""

    def surprises(self):
        found = []
        for line in self.log().splitlines():
            bad = re.search(r"\[[^\]]*:(warn|error|crit|alert|emerg)\]", line) or re.search(
                r"Sanitizer|runtime error:|LeakSanitizer", line)
            if bad and not any(re.search(e, line) for e in self.expected):
                found.append(line)
        return found

    def stop(self):
        if self.process is None:
            return
        pid = self.process.pid
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(DEADLINE)
        wait_for(lambda: not process_group_members(pid), "httpd's processes to end")
        self.process = None
        surprises = self.surprises()
        assert not surprises, "unexpected lines in httpd's log:\n" + "\n".join(surprises)

    def kill(self):
        """For a test that failed: whatever is left goes."""
        if self.process is not None:
            members = process_group_members(self.process.pid) + [self.process.pid]
            # as if at once: none has the time to end in order because another has gone
            for number in (signal.SIGSTOP, signal.SIGKILL):
                for member in members:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(member, number)
            self.process.wait(DEADLINE)
            self.process = None

    # ---- what a client does -------------------------------------------------------------------

    def get(self, path, **kwargs):
        return self.session.get(path if path.startswith("http") else self.base + path,
                                allow_redirects=False, timeout=DEADLINE, **kwargs)

    def post(self, path, **kwargs):
        return self.session.post(path if path.startswith("http") else self.base + path,
                                 allow_redirects=False, timeout=DEADLINE * 4, **kwargs)

    def upload(self, content, filename="readings.csv", **fields):
        """Uploads through the form in the background; returns the batch id."""
        answer = self.post(self.admin, files={"csv_file": (filename, content, "text/csv")},
                           data={"async": "1", **fields})
        assert answer.status_code == 303, (answer.status_code, answer.text)
        return answer.headers["Location"].rsplit("/", 1)[1]

    def job(self, batch_id):
        answer = self.get(f"{self.api}/jobs/{batch_id}")
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return answer.json()

    def finished(self, batch_id, deadline=DEADLINE):
        """Waits for a job's end and returns it."""
        return wait_for(lambda: (lambda j: j if j["status"] in ("completed", "failed", "cancelled")
                                 else None)(self.job(batch_id)), "the job's end", deadline)

    def import_file(self, content, filename="readings.csv", **fields):
        return self.finished(self.upload(content, filename, **fields))


@contextlib.contextmanager
def serving(expected=(), **kwargs):
    """A server that several tests use: as make_httpd's, and its database is there from the start.
    `expected`: what its log may say beyond what any may."""
    server = Httpd(**kwargs)
    server.expected += expected
    try:
        server.start()
        assert server.get(server.admin).status_code == 200
        yield server
        server.stop()
    finally:
        server.kill()
        server.remove()
