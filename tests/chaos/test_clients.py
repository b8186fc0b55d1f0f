"""Clients that vanish in the middle of an upload, and many that come at once."""

import socket
import threading
import time

import pytest

import harness
import installation as inst
import ledger
import meterfiles as mf
import worker_helpers as wh
from chaos_options import LONG

FORM = ("--b\r\nContent-Disposition: form-data; name=\"csv_file\"; filename=\"gone.csv\"\r\n"
        "Content-Type: text/csv\r\n\r\n{}\r\n--b--\r\n")


def request(server, kind, body):
    """The bytes of an upload."""
    form = kind == "form"
    path = server.admin_path if form else f"{server.api_path}/jobs?filename=gone.csv"
    body = FORM.format(body) if form else body
    head = (f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
            f"Authorization: {AUTHORIZATION}\r\n"
            f"Content-Type: {'multipart/form-data; boundary=b' if form else 'text/csv'}\r\n")
    if kind == "chunked":
        size = 4096
        body = "".join(f"{len(body[i:i + size]):x}\r\n{body[i:i + size]}\r\n"
                       for i in range(0, len(body), size)) + "0\r\n\r\n"
        return (head + "Transfer-Encoding: chunked\r\n\r\n" + body).encode()
    return (head + f"Content-Length: {len(body)}\r\n\r\n" + body).encode()


AUTHORIZATION = harness.requests.auth._basic_auth_str(harness.USER, harness.PASSWORD)


@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_a_client_that_vanishes_leaves_no_file_and_no_job(make_httpd, rng, mpm):
    server = make_httpd(mpm=mpm)
    server.expected += ["AH01574|AH01579|AH00566|AH00574"]
    content = mf.wide(meters=40, count=60)
    for _ in range(100 if LONG else 12):
        kind = rng.choice(["form", "raw", "chunked"])
        data = request(server, kind, content)
        with socket.create_connection(("127.0.0.1", server.port), 10) as client:
            if rng.random() < 0.5:  # a reset rather than an end
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                  b"\1\0\0\0\0\0\0\0")
            client.sendall(data[:rng.randrange(1, len(data) - 12)])
    harness.wait_for(lambda: not list((server.storage / "incoming").glob("*")),
                     "part files to be gone")
    assert server.import_file(mf.wide(meters=1, count=1), "whole.csv")["status"] == "completed"
    assert server.sql("SELECT filename FROM import_jobs") == [("whole.csv",)]
    assert list((server.storage / "files").iterdir()) == []
    ledger.assert_settled(server)


@pytest.mark.parametrize("shared", ["On", "Off"])
def test_two_hosts_and_many_clients(make_httpd, rng, shared):
    """64 clients at once upload small files to two hosts that share a database and, or not, their
    storage, with four worker processes each: every file is imported, and exactly once."""
    one = make_httpd(Workers="4", HostName="north", StorageShared=shared)
    two = make_httpd(Workers="4", HostName="south", StorageShared=shared,
                     Database=one.settings["Database"],
                     **({"Storage": one.settings["Storage"]} if shared == "On" else {}))
    for server in (one, two):
        server.expected += ["AH00484"]  # as many clients as it serves at once
    clients, each = (64, 8) if LONG else (64, 3)
    total = clients * each
    header = "MPAN,Date," + ",".join(f"HH{i:02d}" for i in range(1, 49)) + "\n"
    day = mf.days("2026-02-01", 1)[0]
    barrier = threading.Barrier(clients)
    uploaded, failures = [], []

    def client(number):
        server = inst.Installation.__new__(inst.Installation)
        server.server = (one, two)[number % 2]
        barrier.wait()
        for i in range(each):
            n = number * each + i
            content = header + f"{mf.mpan(n)},{day},{','.join(['0.5', str(n)] * 24)}\n"
            try:
                uploaded.append(server.upload(f"{n}.csv", content, f"key {n}",
                                              priority=("low", "normal", "high")[n % 3]))
            except AssertionError as error:
                failures.append(error)

    begin = time.monotonic()
    threads = [threading.Thread(target=client, args=(n,)) for n in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[:3]
    assert len(set(uploaded)) == total
    harness.wait_for(lambda: one.sql("SELECT count(*) FROM import_jobs WHERE status IN "
                                     "('queued', 'processing')") == [(0,)],
                     "all jobs to end", 120)
    seconds = time.monotonic() - begin
    assert one.sql("SELECT status, attempts, claims, readings_new, readings_changed, "
                   "readings_unchanged, count(*) FROM import_jobs GROUP BY 1, 2, 3, 4, 5, 6") == [
                       ("completed", 1, 1, 48, 0, 0, total)]
    assert one.sql("SELECT count(*) FROM meter_days") == [(total,)]
    by_host = {}
    for (worker,) in one.sql("SELECT worker FROM import_jobs"):
        by_host[worker.split(":")[0]] = by_host.get(worker.split(":")[0], 0) + 1
    assert set(by_host) == {"north", "south"}, "one host did all the work"
    if shared == "Off":
        assert set(by_host.values()) == {total // 2}, "a host's files are its own workers' to import"
        assert not list((two.storage / "files").iterdir())
    print(f"{total} jobs in {seconds:.1f} s, by host: {by_host}")
    ledger.assert_settled(one)


def test_how_soon_a_job_is_taken(make_httpd):
    """From the answer to an upload to the start of its import, with an idle worker. How soon it
    must be is asked only where nothing else is running: by `make chaos`."""
    server = make_httpd()
    harness.wait_for(lambda: server.get(f"{server.api_path}/status").json()["workers"],
                     "a live worker")
    waits = []
    content = mf.wide(meters=1, count=1)
    for _ in range(100 if LONG else 10):
        answer = server.post(f"{server.api}/jobs?filename=f.csv", data=content)
        answered = time.time()
        assert answer.status_code == 202, answer.text
        batch = answer.json()["batch_id"]
        server.finished(batch)
        row = wh.job(server, batch)
        assert row["queued_at"] <= row["started_at"] <= row["completed_at"]
        waits.append(row["started_at"] / 1e6 - answered)
    p95 = sorted(waits)[int(len(waits) * 0.95)]
    print(f"taken after the answer: median {sorted(waits)[len(waits) // 2] * 1000:.1f} ms, "
          f"95th percentile {p95 * 1000:.1f} ms")
    if LONG:
        assert p95 < 0.1
