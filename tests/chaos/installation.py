"""An httpd with workers that can be struck down and put up again, and clients that do not give up."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
import unittest.mock

import requests

import harness
import worker_helpers as wh

# What httpd says, by right, of processes that were killed or replaced while they were at work.
EXPECTED = [
    "AH00098",  # pid file of a killed parent
    "AH0005[12]",  # a child was killed
    "AH0004[56]",  # a child that was busy is waited for, or killed, at a stop
    "AH00163|AH00171|AH00173",
    "AH00170|AH00169",
    "AH03490",  # scoreboard is full of children that are leaving
    "AH00485|AH00484|AH10159",
    "ECL2503",  # the worker died and is started again
    "ECL3003",  # a process of the worker died and is started again
    "ECL3004",  # a busy worker process was killed at a stop
    "ECL1301",  # no attempts left: killed too often at one place
    "ECL3012",
    # the test looked as root: for a moment the files beside SQLite's are root's, until SQLite, which
    # has just made them, gives them to the owner of the database
    "ECL(3010|2022): .*(unable to open database file|attempt to write a readonly database)",
]


class Installation:
    """An httpd; its workers are its own (`workers="httpd"`), or daemons beside it."""

    def __init__(self, make_httpd, workers="daemon", daemons=1, processes=2, **kwargs):
        own = workers == "httpd"
        self.server = make_httpd(start=False, Workers=str(processes if own else 0), **kwargs)
        self.server.expected += EXPECTED
        self.processes = processes
        self.daemons = []
        self.server.start()
        if not own:
            for _ in range(daemons):
                self.start_daemon()

    # ---- processes ----------------------------------------------------------------------------

    def start_daemon(self, environment=None):
        with unittest.mock.patch.dict(os.environ, environment or {}):
            daemon = wh.Daemon(self.server, "--workers", self.processes, count=self.processes)
        self.daemons.append(daemon)
        return daemon

    def masters(self):
        if self.daemons:
            return [d.pid for d in self.daemons if d.process.poll() is None]
        return [pid for pid in wh.children(self.server.process.pid)
                if wh.name_of(pid) == "eclectyc-import"]

    def slots(self):
        return [pid for master in self.masters() for pid in wh.slots(master)]

    def httpd_children(self):
        masters = self.masters()
        return [p for p in wh.children(self.server.process.pid) if p not in masters]

    def restart_httpd(self):
        """After its parent process was killed: an administrator, or systemd, ends what is left."""
        self.server.kill()
        self.server.start()

    def revive(self):
        """Starts again what a supervisor would: httpd, and daemons that have died or whose worker
        processes wait for longer than a test has time."""
        if self.server.process.poll() is not None:
            self.restart_httpd()
        for daemon in list(self.daemons):
            if daemon.process.poll() is None:
                continue
            # its processes leave by themselves
            harness.wait_for(lambda d=daemon: not harness.process_group_members(d.pid),
                             "the processes of a killed worker to leave")
            self.daemons.remove(daemon)
            self.start_daemon()

    def close(self):
        for daemon in self.daemons:
            with contextlib.suppress(ProcessLookupError):
                os.kill(daemon.pid, signal.SIGCONT)
                daemon.stop()
            daemon.all_gone()
            daemon.close()

    # ---- clients ------------------------------------------------------------------------------

    def call(self, method, path, accept=(200, 202), deadline=120, **kwargs):
        """A request that is made again until it is answered: by one of `accept`, which is
        returned, or by another status below 500, which is a failure."""
        end = time.monotonic() + deadline
        last = None
        while time.monotonic() < end:
            try:
                answer = requests.request(method, self.server.api + path, timeout=30,
                                          auth=(harness.USER, harness.PASSWORD), **kwargs)
                if answer.status_code in accept:
                    return answer
                last = (answer.status_code, answer.text)
                assert answer.status_code >= 500, (method, path, *last)
            except requests.RequestException as error:
                last = error
            time.sleep(0.05)
        raise AssertionError(f"{method} {path}: no answer in {deadline} s: {last}")

    def upload(self, name, content, key, **fields):
        """Uploads a file, as often as it takes, under one key; returns its batch id."""
        query = "&".join(f"{k}={v}" for k, v in {"filename": name, **fields}.items())
        return self.call("POST", f"/jobs?{query}", data=content,
                         headers={"Idempotency-Key": key}).json()["batch_id"]


class Uploads:
    """Files on their way, each in a thread of its own."""

    def __init__(self, installation, files, key, dry_run=()):
        self.batches = {}
        self.failure = None

        def send(name, content):
            try:
                fields = {"dry_run": "1"} if name in dry_run else {}
                self.batches[name] = installation.upload(name, content, f"{key} {name}", **fields)
            except BaseException as error:  # pylint: disable=broad-except
                self.failure = error

        self.threads = [threading.Thread(target=send, args=item) for item in files.items()]
        for thread in self.threads:
            thread.start()

    def done(self):
        if self.failure:
            raise self.failure
        return not any(thread.is_alive() for thread in self.threads)

    def join(self):
        harness.wait_for(self.done, "the uploads", 180)
        return self.batches


def signal_quietly(pid, number):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def apachectl(server, verb):
    """`httpd -k verb`, as apachectl does it."""
    done = subprocess.run(server.command("-k", verb), capture_output=True, text=True,
                          env=server.environment(), timeout=60)
    assert done.returncode == 0, done.stderr


def expect_refusal_before_the_body(server):
    """An upload is refused before the client has sent any of its file."""
    head = (f"POST {server.api_path}/jobs?filename=f.csv HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: {harness.requests.auth._basic_auth_str(harness.USER, harness.PASSWORD)}"
            "\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n")
    with socket.create_connection(("127.0.0.1", server.port), 30) as client:
        client.sendall(head.encode())
        answer = client.recv(65536).decode()
    assert answer.startswith("HTTP/1.1 503"), answer
    assert "retry-after:" in answer.lower()


def expect_503(server):
    """Every address says in words that the database is out of reach; the rest of httpd serves."""
    expect_refusal_before_the_body(server)
    page = server.get(server.admin)
    assert page.status_code == 503 and "database" in page.text
    answer = server.get(f"{server.api}/jobs")
    assert answer.status_code == 503 and "Retry-After" in answer.headers
    assert server.get("/server-status?auto").status_code == 200
