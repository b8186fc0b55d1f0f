"""Pages and API read on while another program holds the lock that uploads wait for."""

import threading

import pytest
import requests

import harness
import meterfiles as mf

ONE_PROCESS = "<IfModule mpm_event_module>\nServerLimit 1\nMaxRequestWorkers 16\n</IfModule>\n"
CONNECTIONS = 8  # of one process: docs/install.md
UPLOADS = CONNECTIONS + 2
READ = ["{admin}", "{admin}/jobs", "{admin}/jobs?q=x", "{admin}/status/{batch}",
        "{admin}/status/{batch}/failed-rows.csv", "{admin}/events", "{admin}/templates",
        "{api}/jobs", "{api}/jobs/{batch}", "{api}/jobs/{batch}/errors",
        "{api}/jobs/{batch}/events", "{api}/events", "{api}/templates", "{api}/status"]


class Upload(threading.Thread):
    def __init__(self, server, content):
        super().__init__()
        self.server, self.content, self.answer = server, content, None
        self.start()

    def run(self):
        self.answer = requests.post(f"{self.server.api}/jobs?filename=f.csv", data=self.content,
                                    auth=(harness.USER, harness.PASSWORD), timeout=harness.DEADLINE)


@pytest.fixture
def server(make_httpd):
    server = make_httpd(start=False, Workers="0", extra=ONE_PROCESS)
    # where the pages take so long that uploads have waited for too long meanwhile
    server.expected.append("ECL2022: .*(is locked by|connections are in use)")
    return server.start()


def stored(server):
    return list((server.storage / "files").glob("*"))


def test_reading_goes_on_while_uploads_wait(server):
    batch = server.upload(mf.wide(meters=1, count=3).replace("2026-02-02", "2026-02-99"))
    assert server.worker("run", "--once").returncode == 0
    assert server.job(batch)["failed_rows"] == 1
    before = len(stored(server))
    with server.database.held():
        uploads = [Upload(server, mf.daily(1, count=n + 1)) for n in range(UPLOADS)]
        # their files are stored: all that is left of each is to write its job
        harness.wait_for(lambda: len(stored(server)) == before + UPLOADS, "the uploads' files")
        for address in READ:
            address = address.format(admin=server.admin, api=server.api, batch=batch)
            answer = server.get(address)
            assert answer.status_code == 200, (address, answer.text)
    for upload in uploads:
        upload.join()
        assert upload.answer.status_code in (202, 503), upload.answer.text
        if upload.answer.status_code == 503:
            assert upload.answer.json()["detail"] and "Retry-After" in upload.answer.headers
    queued = [upload for upload in uploads if upload.answer.status_code == 202]
    assert len(server.get(f"{server.api}/jobs").json()["jobs"]) == 1 + len(queued)
