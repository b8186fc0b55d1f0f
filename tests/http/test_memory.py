"""Memory does not grow with the file: neither httpd's nor the worker's."""

import pathlib

import pytest

import harness
import meterfiles as mf

pytestmark = pytest.mark.skipif(harness.SANITIZED, reason="the sanitizers' own memory would be measured")

MEGABYTES = 160


def peak_rss_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1])
    return 0


def test_a_large_upload_and_import_stay_small(make_httpd, tmp_path):
    server = make_httpd()
    path = tmp_path / "large.csv"
    header, *rows = mf.wide(50, "2024-01-01", 366).splitlines(keepends=True)
    size = sum(map(len, rows))
    with path.open("w", newline="") as out:
        out.write(header)
        for _ in range(MEGABYTES * 1_000_000 // size + 1):  # the same rows again: few new days
            out.writelines(rows)

    def body():
        with path.open("rb") as source:
            while chunk := source.read(1 << 20):
                yield chunk

    answer = server.post(f"{server.api}/jobs?filename=large.csv", data=body())
    assert answer.status_code == 202, answer.text
    batch = answer.json()["batch_id"]
    job = server.finished(batch, 240)
    assert job["status"] == "completed", job["error_message"]
    peaks = {pid: peak_rss_kib(pid) for pid in harness.process_group_members(server.process.pid)}
    assert max(peaks.values()) < 64 * 1024, peaks
    # its 48 values on the short day of March show days of UTC; they end with a winter's day
    assert server.sql("SELECT count(*) FROM meter_days")[0][0] == 50 * 366
