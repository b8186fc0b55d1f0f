"""HTTP: uploads beside mod_dav's PUT, and answers beside a static file, in one and the same server.

Static file and PUT are let in without a password, and so are the module's locations: passwords are
httpd's work, and the same for all of them. Requests come over the loopback interface.
"""

import contextlib
import os
import pathlib
import re
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import harness  # noqa: E402
from measure import median, peak_rss_kib, timed  # noqa: E402

JOBS = 10_000
CLIENTS = 16
SECONDS = 5


@contextlib.contextmanager
def server(work, **settings):
    """A running server with a static and a DAV directory beside the module. What is uploaded goes
    to the same disk, however it comes."""
    root, dav, locks, storage = (work / name for name in ("htdocs", "dav", "locks", "storage"))
    for directory in (root, dav, locks, storage):
        directory.mkdir()
        if os.getuid() == 0:
            harness.shutil.chown(directory, "www-data", "www-data")
    modules = harness.apxs("LIBEXECDIR")
    anonymous = "EclectycImportAllowAnonymous on\nRequire all granted\nLimitRequestBody 0\n"
    httpd = harness.Httpd(
        locations=f'<Location "/admin/imports">\nEclectycImport admin\n{anonymous}</Location>\n'
                  f'<Location "/api/import">\nEclectycImport api\n{anonymous}</Location>\n',
        extra=f'LoadModule dav_fs_module {modules}/mod_dav_fs.so\n'
              f'LoadModule alias_module {modules}/mod_alias.so\n'
              f'DavLockDB "{locks}/lock"\nDocumentRoot "{root}"\nAlias "/dav" "{dav}"\n'
              f'<Directory "{root}">\nRequire all granted\n</Directory>\n'
              f'<Directory "{dav}">\nDav on\nRequire all granted\nLimitRequestBody 0\n</Directory>\n'
              'AddType application/json .json\nMaxKeepAliveRequests 0\n'
              # fewer threads than clients, and kept connections would be closed to make room
              f'ThreadsPerChild {2 * CLIENTS}\nMaxRequestWorkers {2 * CLIENTS}\n',
        Storage=f'"{storage}"', **settings)
    httpd.static, httpd.dav, httpd.storage = root, dav, storage
    try:
        yield httpd.start()
        httpd.stop()
    finally:
        httpd.kill()
        httpd.remove()
        for directory in (root, dav, locks, storage):
            harness.shutil.rmtree(directory, ignore_errors=True)


def peaks(httpd):
    return {pid: peak_rss_kib(pid) for pid in harness.process_group_members(httpd.process.pid)}


def empty(directory):
    for path in directory.rglob("*"):
        if path.is_file():
            path.unlink()


def curl(*arguments):
    seconds, _, out = timed(["curl", "-s", "-S", "--noproxy", "*", "-o", "/dev/null", "-w",
                             "%{http_code}", *arguments])
    if out not in ("201", "202", "204", "303"):
        raise RuntimeError(f"curl {' '.join(arguments)} was answered with {out}")
    return seconds


def upload_row(case, what, seconds, size, growth, puts):
    return {"case": case, "what": what, "bytes": size, "seconds": median(seconds),
            "growth": growth * 1024,
            "ratio": median([put / own for put, own in zip(puts, seconds)])}


def uploads(files, work, runs):
    """One file by PUT, as the body of a POST, and through the form, in turn."""
    path = files.large()
    size = path.stat().st_size
    ways = {"PUT": [], "POST": [], "form": []}
    growth = dict.fromkeys(ways, 0)
    with server(work, Workers="0") as httpd:
        small = work / "small.csv"
        small.write_text("a,b\n1,2\n")

        def send(way, file):
            if way == "PUT":
                return curl("-T", str(file), f"{httpd.base}/dav/large.csv")
            if way == "POST":
                return curl("-X", "POST", "-T", str(file), f"{httpd.api}/jobs?filename=large.csv")
            return curl("-F", f"csv_file=@{file}", "-F", "async=1", httpd.admin)

        for way in ways:  # so that a child's first request of a kind is not its growth
            send(way, small)
        for _ in range(runs):
            for way, seconds in ways.items():
                before = peaks(httpd)
                seconds.append(send(way, path))
                after = peaks(httpd)
                growth[way] = max([growth[way]] + [rss - before.get(pid, rss)
                                                   for pid, rss in after.items()])
                empty(httpd.storage)
                empty(httpd.dav)
    files.done_with("large.csv")
    return [upload_row("upload PUT", "PUT, mod_dav", ways["PUT"], size, growth["PUT"], ways["PUT"]),
            upload_row("upload", "POST, the file as the body", ways["POST"], size, growth["POST"],
                       ways["PUT"]),
            upload_row("upload form", "POST, multipart form", ways["form"], size, growth["form"],
                       ways["PUT"])]


# ---- requests under load ------------------------------------------------------------------------

def fill_table(httpd):
    """Copies a finished job until there are JOBS of them, each of a file of its own."""
    with httpd.change() as db:
        columns = [name for _, name, *_ in db.execute("PRAGMA table_info(import_jobs)")
                   if name not in ("id", "batch_id", "file_sha256")]
        names = ", ".join(columns)
        batch = ("lower(printf('%08x-%04x-4000-8000-%012x', n, n % 65536, n))")
        db.execute(
            f"WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers"
            f" WHERE n < {JOBS}) INSERT INTO import_jobs (batch_id, file_sha256, {names})"
            f" SELECT {batch}, printf('%064x', n), {names} FROM numbers,"
            f" (SELECT * FROM import_jobs ORDER BY id LIMIT 1)")


class Importing(threading.Thread):
    """Imports a file again and again while requests are measured."""

    def __init__(self, httpd, path):
        super().__init__(daemon=True)
        self.httpd, self.path, self.stopped, self.failure = httpd, path, threading.Event(), None
        self.imports = 0
        self.start()

    def run(self):
        while not self.stopped.is_set():
            done = self.httpd.worker("import", self.path)
            if done.returncode:
                self.failure = done.stderr
                return
            self.imports += 1

    def stop(self):
        self.stopped.set()
        self.join()
        if self.failure:
            raise RuntimeError(f"the import beside the requests failed: {self.failure}")


def wrk(url, headers=()):
    """Requests a second, p50 and p99 in milliseconds."""
    command = ["wrk", "-t1", f"-c{CLIENTS}", f"-d{SECONDS}s", "--latency"]
    for header in headers:
        command += ["-H", header]
    out = subprocess.run([*command, url], check=True, capture_output=True, text=True).stdout
    if re.search(r"Non-2xx or 3xx|Socket errors", out):
        raise RuntimeError(f"{url}: {out}")
    units = {"us": 0.001, "ms": 1, "s": 1000}

    def percentile(name):
        value, unit = re.search(rf"{name}%\s+([\d.]+)(us|ms|s)\b", out).groups()
        return float(value) * units[unit]

    return {"rate": float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)),
            "p50": percentile("50"), "p99": percentile("99")}


def request_row(case, what, runs, static, body):
    out = {"case": case, "what": what, "body_bytes": body,
           "requests_per_second": median([run["rate"] for run in runs]),
           "p50_ms": median([run["p50"] for run in runs]),
           "p99_ms": median([run["p99"] for run in runs])}
    if static:
        out["ratio"] = median([run["rate"] / other["rate"] for run, other in zip(runs, static)])
    return out


def requests(files, work, runs):
    """What browsers ask for again and again, each beside a static file of the same length."""
    with server(work, Workers="0") as httpd:
        first = httpd.worker("import", files.wide())
        if first.returncode:
            raise RuntimeError(first.stderr)
        if os.getuid() == 0:
            for path in [*httpd.data.rglob("*"), *httpd.storage.rglob("*")]:
                harness.shutil.chown(path, "www-data", "www-data")
        fill_table(httpd)
        batch = httpd.sql("SELECT batch_id FROM import_jobs ORDER BY id LIMIT 1")[0][0]
        asked = {
            "job 200": ("job, 200", f"{httpd.api}/jobs/{batch}"),
            "job 304": ("job, 304", f"{httpd.api}/jobs/{batch}"),
            "jobs list": (f"jobs list, 20 of {JOBS:,}", f"{httpd.api}/jobs?limit=20"),
            "status page": ("status page", f"{httpd.admin}/status/{batch}"),
            "live": ("what a job's page asks for, each second",
                     f"{httpd.admin}/status/{batch}?live=1"),
        }
        rows = []
        importing = Importing(httpd, files.wide())
        try:
            for case, (what, url) in asked.items():
                headers = ["Accept: application/json"] if case == "live" else []
                answer = httpd.get(url, headers=dict(header.split(": ") for header in headers))
                answer.raise_for_status()
                static = httpd.static / "static.json"
                static.write_bytes(answer.content)
                if "304" in case:
                    headers.append(f"If-None-Match: {answer.headers['ETag']}")
                own, others = [], []
                for _ in range(runs):
                    others.append(wrk(f"{httpd.base}/static.json"))
                    own.append(wrk(url, headers))
                rows.append(request_row(case, what, own, others, len(answer.content)))
                rows.append(request_row(f"{case} static", "static file beside it", others, None,
                                        len(answer.content)))
        finally:
            importing.stop()
        if not importing.imports:
            raise RuntimeError("the import beside the requests did not end once")
        return rows
