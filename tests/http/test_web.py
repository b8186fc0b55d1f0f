"""The web side: routes, access, headers, uploads in every shape, API, what is refused and when."""

import contextlib
import json
import os
import socket
import subprocess
import threading
import uuid

import pytest
import requests

import harness
import meterfiles as mf
import worker_helpers as wh
from harness import wait_for

HEADERS = {"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
           "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin"}


@pytest.fixture(scope="module", params=["event", "prefork"])
def web(request):
    """A server without a worker: what is uploaded stays queued."""
    with harness.serving(mpm=request.param, Workers="0", MaxUpload="1M") as server:
        yield server


@pytest.fixture(scope="module")
def working(request):
    """A server with a worker."""
    with harness.serving(Workers="1") as server:
        yield server


def alive(server):
    return wait_for(lambda: server.get(f"{server.api}/status").json()["workers"], "a worker")


def stored(server):
    return sorted(p.name for p in server.storage.rglob("*")
                  if p.is_file() and p.name not in ("wake", "database"))


def jobs(server, **params):
    return server.get(f"{server.api}/jobs", params=params).json()["jobs"]


def talk(server, request, wait_for_close=False):
    """Sends raw bytes, returns what comes back before the server closes or falls silent."""
    answer = b""
    with socket.create_connection(("127.0.0.1", server.port), 10) as s:
        s.sendall(request)
        s.settimeout(10 if wait_for_close else 2)
        with contextlib.suppress(TimeoutError):
            while chunk := s.recv(65536):
                answer += chunk
    return answer.decode(errors="replace")


def authorization(user=harness.USER):
    return requests.Request("GET", "http://x", auth=(user, harness.PASSWORD)).prepare().headers[
        "Authorization"]


def multipart(*parts, boundary="XyZ", end=True):
    """Parts are (disposition parameters, content)."""
    body = b"".join(b"--" + boundary.encode() + b"\r\nContent-Disposition: form-data; " +
                    parameters.encode() + b"\r\n\r\n" + content + b"\r\n"
                    for parameters, content in parts)
    return body + (b"--" + boundary.encode() + b"--\r\n" if end else b"")


def post_multipart(server, *parts, end=True, to=None, **headers):
    return server.post(to or server.admin, data=multipart(*parts, end=end),
                       headers={"Content-Type": "multipart/form-data; boundary=XyZ", **headers})


# ---- routes ---------------------------------------------------------------------------------------

def test_pages_answer(web):
    for path in ("", "/", "/jobs", "/jobs/", "/jobs?status=failed&q=x&limit=20"):
        answer = web.get(web.admin + path)
        assert answer.status_code == 200, path
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert f'href="{web.admin_path}/jobs"' in answer.text
        assert "no-store" in answer.headers["Cache-Control"]
        for name, value in HEADERS.items():
            assert answer.headers[name] == value
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_head_has_the_headers_of_get_and_no_body(web):
    for url in (web.admin, web.api + "/jobs"):
        head = web.session.head(url, timeout=10)
        get = web.get(url)
        assert head.status_code == 200 and head.content == b""
        assert head.headers["Content-Length"] == str(len(get.content))


@pytest.mark.parametrize("path", ["/nothing", "/status", "/status/x", "/status/" + "0" * 36,
                                  "/jobs/1", "/assets", "/assets/", "/status/../jobs/x"])
def test_unknown_addresses_are_404(web, path):
    answer = web.get(web.admin + path)
    assert answer.status_code == 404
    assert "text/html" in answer.headers["Content-Type"]


def test_unknown_job_is_a_problem(web):
    answer = web.get(f"{web.api}/jobs/{uuid.uuid4()}")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == 404 and answer.json()["code"] == "job-not-found"


def test_wrong_methods_are_405_with_allow(web):
    answer = web.session.delete(web.admin, timeout=10)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD, POST, OPTIONS"
    answer = web.post(f"{web.api}/status")
    assert answer.status_code == 405 and answer.headers["Allow"] == "GET, HEAD, OPTIONS"
    answer = web.get(f"{web.admin}/status/{uuid.uuid4()}/cancel")
    assert answer.status_code == 405 and answer.headers["Allow"] == "POST, OPTIONS"
    answer = web.session.options(f"{web.api}/jobs/{uuid.uuid4()}", timeout=10)
    assert answer.status_code == 200 and answer.headers["Allow"] == "GET, HEAD, DELETE, OPTIONS"


def test_it_works_at_any_path(make_httpd):
    server = make_httpd(admin="/tools/a b/import", api="/x", Workers="0")
    page = server.get(server.base + "/tools/a%20b/import")
    assert page.status_code == 200
    assert 'href="/tools/a%20b/import/jobs"' in page.text
    batch = server.upload(mf.wide())
    assert server.get(f"/tools/a%20b/import/status/{batch}").status_code == 200
    raw = server.post("/x/jobs?filename=a.csv", data=mf.wide())
    assert raw.status_code == 202
    assert raw.headers["Location"] == "/x/jobs/" + raw.json()["batch_id"]


def test_it_works_in_a_virtual_host(make_httpd):
    server = make_httpd(start=False, Workers="0")
    server.locations = (f'<VirtualHost *:*>\n<Location "/v">\nEclectycImport admin\n'
                        'EclectycImportAllowAnonymous on\n</Location>\n</VirtualHost>\n')
    server.start()
    assert 'href="/v/jobs"' in server.get("/v").text
    assert server.database.exists()


def test_files_of_the_document_root_have_no_say(make_httpd):
    server = make_httpd(start=False, Workers="0", extra="")
    root = server.dir / "htdocs"
    (root / "admin" / "imports").mkdir(parents=True)
    (root / "admin" / "imports" / "jobs").write_text("a file of the document root")
    (root / ".htaccess").write_text("this is no directive\n")
    server.extra = f'DocumentRoot "{root}"\n<Directory "{root}">\nAllowOverride All\n</Directory>\n'
    server.start()
    assert "a file of" not in server.get(server.admin + "/jobs").text


# ---- access ---------------------------------------------------------------------------------------

def test_without_login_nothing(web):
    for url in (web.admin, web.api + "/jobs", web.admin + "/assets/app.css"):
        assert requests.get(url, timeout=10).status_code == 401
        assert requests.post(url, data="x", timeout=10).status_code == 401


def test_a_location_without_login_is_refused(make_httpd):
    open_locations = ('<Location "/admin/imports">\nEclectycImport admin\nRequire all granted\n'
                      '</Location>\n<Location "/api/import">\nEclectycImport api\n'
                      'Require all granted\n</Location>\n')
    server = make_httpd(Workers="0", locations=open_locations)
    server.expected.append("ECL2010")
    assert server.get(server.admin).status_code == 403
    answer = server.post(f"{server.api}/jobs?filename=a.csv", data="x")
    assert answer.status_code == 403 and answer.json()["code"] == "not-authenticated"
    assert not server.database.exists()

    server = make_httpd(Workers="0",
                        locations=open_locations + "EclectycImportAllowAnonymous on\n")
    assert server.get(server.admin).status_code == 200
    job = server.post(f"{server.api}/jobs?filename=a.csv", data="x").json()
    assert job["user_name"] == "anonymous"


@pytest.mark.parametrize("headers, status", [
    ({"Sec-Fetch-Site": "cross-site"}, 403),
    ({"Sec-Fetch-Site": "same-site"}, 403),
    ({"Sec-Fetch-Site": "cross-site", "Origin": "SELF"}, 403),
    ({"Origin": "https://evil.example"}, 403),
    ({"Origin": "null"}, 403),
    ({"Origin": "http://127.0.0.1"}, 403),
    ({"Origin": "SELF"}, 303),
    ({"Sec-Fetch-Site": "same-origin", "Origin": "SELF"}, 303),
    ({"Sec-Fetch-Site": "none"}, 303),
    ({}, 303),
])
def test_requests_of_other_sites_are_refused(web, headers, status):
    headers = {k: web.base if v == "SELF" else v for k, v in headers.items()}
    before = len(stored(web))
    answer = web.post(web.admin, files={"csv_file": ("a.csv", mf.wide())}, data={"async": "1"},
                      headers=headers)
    assert answer.status_code == status
    assert len(stored(web)) == before + (status == 303)
    if status == 403:
        batch = jobs(web)[0]["batch_id"] if jobs(web) else uuid.uuid4()
        assert web.session.delete(f"{web.api}/jobs/{batch}", headers=headers).status_code == 403
        assert web.get(web.admin, headers=headers).status_code == 200


def test_300_header_fields_are_refused(web):
    fields = "".join(f"X-{i}: a\r\n" for i in range(300))
    answer = talk(web, f"POST {web.admin_path} HTTP/1.1\r\nHost: x\r\nAuthorization: "
                       f"{authorization()}\r\n{fields}Content-Length: 0\r\n\r\n".encode())
    assert answer.startswith("HTTP/1.1 400 ")


# ---- what clients send is shown harmless ----------------------------------------------------------

NASTY = '<script>alert("1")</script>.csv'


def test_names_and_notes_are_escaped(web):
    batch = web.upload(mf.wide(), NASTY, notes='"><img src=x onerror=alert(1)>', tags="<b>")
    for page in (f"/status/{batch}", "/jobs", ""):
        text = web.get(web.admin + page).text
        assert "<script>alert" not in text and "<img src=x" not in text
        assert "&lt;/script&gt;" not in text  # the part before the slash is no part of a name
        assert "script&gt;.csv" in text
    assert web.job(batch)["notes"] == '"><img src=x onerror=alert(1)>'


@pytest.mark.parametrize("sent, shown", [
    ("../../../../etc/cron.d/evil", "evil"),
    ("..\\..\\windows\\evil.csv", "evil.csv"),
    ("..", "upload"),
    ("a\x01b\x7f.csv", "a_b_.csv"),
    ("z\u00e4hler \u20ac.csv", "z\u00e4hler \u20ac.csv"),
    ("n" * 300 + ".csv", "n" * 255),
])
def test_file_names_are_display_only(web, sent, shown):
    before = set(stored(web))
    answer = web.post(f"{web.api}/jobs", params={"filename": sent}, data=mf.wide())
    assert answer.status_code == 202
    assert answer.json()["filename"] == shown
    new = set(stored(web)) - before
    assert len(new) == 1 and uuid.UUID(new.pop())
    assert not [p for p in web.data.rglob("*evil*")]


# ---- uploads --------------------------------------------------------------------------------------

def test_fields_in_any_order_and_unknown_ones(web):
    content = mf.wide().encode()
    answer = post_multipart(
        web, ('name="unknown"', b"x" * 100000), ('name="dry_run"', b"on"),
        ('name="csv_file"; filename="a.csv"', content), ('name="other"; filename="b.csv"', b"1"),
        ('name="async"', b"TRUE"), ('name="import_type"', b"hh"), ('name="priority"', b"high"),
        ('name="notes"', "caf\u00e9".encode()), ('name="tags"', b""))
    assert answer.status_code == 303
    job = web.job(answer.headers["Location"].rsplit("/", 1)[1])
    assert (job["dry_run"], job["import_type"], job["priority"]) == (True, "hh", "high")
    assert (job["notes"], job["tags"], job["filename"]) == ("caf\u00e9", None, "a.csv")
    assert job["file_size"] == len(content) and job["user_name"] == harness.USER
    import hashlib
    assert job["file_sha256"] == hashlib.sha256(content).hexdigest()
    name = web.sql("SELECT stored_name FROM import_jobs WHERE batch_id = ?", job["batch_id"])[0][0]
    assert (web.storage / "files" / name).read_bytes() == content
    assert (web.storage / "files" / name).stat().st_mode & 0o777 == 0o600


FILE = ('name="csv_file"; filename="a.csv"', b"a,b\r\n1,2\r\n")


@pytest.mark.parametrize("parts, words", [
    ([], "Choose a file"),
    ([('name="csv_file"; filename=""', b"")], "Choose a file"),
    ([('name="csv_file"; filename="empty.csv"', b"")], "is empty: it has no bytes"),
    ([('name="csv_file"', b"no file")], "Choose a file"),
    ([FILE, ('name="dry_run"', b"maybe")], "maybe"),
    ([FILE, ('name="import_type"', b"gas")], "gas"),
    ([('name="priority"', b"now"), FILE], "now"),
    ([('name="parent_batch_id"', b"<x>"), FILE], "batch id"),
    ([FILE, ('name="parent_batch_id"', b"11111111-2222-4333-8444-555555555555")], "no job"),
    ([FILE, ('name="notes"', b"x" * 5000)], "notes"),
    ([FILE, ('name="notes"', b"x" * 9000)], "notes"),
    ([FILE, ('name="notes"', b"\xff")], "UTF-8"),
    ([FILE, ('name="tags"', b"a"), ('name="tags"', b"b")], "twice"),
    ([('nome="csv_file"', b"")], "no name"),
    ([('name="csv_file"; filename="b.csv"', b"x" * 1100000)], "1 MB"),
    ([FILE] * 21, "More than 20"),
])
def test_wrong_uploads_show_the_form_again(web, parts, words):
    before = stored(web)
    answer = post_multipart(web, *parts)
    assert answer.status_code == 422
    assert words in answer.text and 'type="file"' in answer.text and 'role="alert"' in answer.text
    as_json = post_multipart(web, *parts, Accept="application/json")
    assert as_json.status_code == 422
    assert as_json.headers["Content-Type"] == "application/problem+json"
    assert words in as_json.json()["detail"]
    assert stored(web) == before


def test_what_was_filled_in_is_there_again(web):
    answer = post_multipart(web, ('name="notes"', b"my <notes>"), ('name="import_type"', b"daily"),
                            ('name="dry_run"', b"1"))
    assert answer.status_code == 422
    assert "my &lt;notes&gt;" in answer.text
    assert 'value="daily" checked' in answer.text and 'name="dry_run" value="1" checked' in answer.text
    assert 'name="async" value="1" checked' not in answer.text  # as it was sent
    cut_off = post_multipart(web, FILE, end=False)
    assert 'name="async" value="1" checked' in cut_off.text  # not known: as it is at first


def test_bytes_that_are_no_text_do_not_spoil_the_answer(web):
    for parts in ([('name="notes"', b"a\xff")], [FILE, ('name="dry_run"', b"\xfe")],
                  [('name="import_type"', b"\xfe"), FILE]):
        assert post_multipart(web, *parts).content.decode()
        answer = post_multipart(web, *parts, Accept="application/json")
        assert answer.status_code == 422 and json.loads(answer.content.decode())["detail"]


def test_a_truncated_body_is_refused(web):
    before = stored(web)
    answer = post_multipart(web, FILE, end=False)
    assert answer.status_code == 422 and "ends too early" in answer.text
    assert stored(web) == before


def test_not_multipart_is_415(web):
    assert web.post(web.admin, data={"csv_file": "a"}).status_code == 415


def test_several_files_are_several_jobs(web):
    before = len(jobs(web, limit=200))
    answer = post_multipart(web, FILE, ('name="csv_file"; filename="b.csv"', b"b"), FILE)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(web.admin_path + "/jobs")
    assert len(jobs(web, limit=200)) == before + 3
    refused = post_multipart(web, FILE, FILE, to=f"{web.api}/jobs")
    assert refused.status_code == 422 and refused.json()["code"] == "too-many-files"
    assert len(jobs(web, limit=200)) == before + 3


def test_what_is_too_large_is_refused_before_it_is_sent(web):
    before = stored(web)
    head = (f"POST {web.api_path}/jobs?filename=a.csv HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: {authorization()}\r\nExpect: 100-continue\r\n")
    answer = talk(web, (head + "Content-Length: 2000000\r\n\r\n").encode())
    assert answer.startswith("HTTP/1.1 422 ") and "100 Continue" not in answer
    assert "1 MB" in answer
    bad = head.replace("filename=a.csv", "dry_run=perhaps")
    answer = talk(web, (bad + "Content-Length: 20000\r\n\r\n").encode())
    assert answer.startswith("HTTP/1.1 400 ") and "100 Continue" not in answer
    answer = talk(web, (head + "Content-Length: 3\r\n\r\n").encode())
    assert answer.startswith("HTTP/1.1 100 Continue")
    wait_for(lambda: stored(web) == before, "the server to see that the client has gone")


def test_a_chunked_body_that_grows_too_large_is_refused(web):
    before = stored(web)
    answer = web.post(f"{web.api}/jobs?filename=a.csv", data=(b"x" * 65536 for _ in range(20)))
    assert answer.status_code == 422 and answer.json()["code"] == "file-too-large"
    assert stored(web) == before


def test_a_client_that_vanishes_leaves_nothing(web):
    before = stored(web)
    with socket.create_connection(("127.0.0.1", web.port), 10) as s:
        s.sendall(f"POST {web.api_path}/jobs?filename=a.csv HTTP/1.1\r\nHost: x\r\nAuthorization: "
                  f"{authorization()}\r\nContent-Length: 500000\r\n\r\n".encode() + b"x" * 200000)
        wait_for(lambda: len(stored(web)) > len(before), "the part file")
    wait_for(lambda: stored(web) == before, "the part file to go")
    assert "ECL2030" in web.log()


def test_raw_uploads(web):
    answer = web.post(f"{web.api}/jobs?import_type=daily&dry_run=yes&notes=a%20b&priority=low&tags=x",
                      data=b"a,b")
    job = answer.json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"{web.api_path}/jobs/{job['batch_id']}"
    assert (job["import_type"], job["dry_run"], job["notes"], job["priority"], job["tags"],
            job["filename"]) == ("daily", True, "a b", "low", "x", "upload")
    assert "stored_name" not in job and "id" not in job
    empty = web.post(f"{web.api}/jobs?filename=a.csv")
    assert empty.status_code == 422 and empty.json()["code"] == "no-file"


@pytest.mark.parametrize("query, name", [
    ("import_type=gas", "import_type"), ("priority=now", "priority"), ("dry_run=2", "dry_run"),
    ("notes=" + "x" * 4001, "notes"), ("notes=%ff", "notes"),
    ("parent_batch_id=1", "parent_batch_id"), ("tags=a&tags=b", "tags")])
def test_wrong_parameters_are_named(web, query, name):
    answer = web.post(f"{web.api}/jobs?{query}", data="a")
    assert answer.status_code == 400
    assert name in answer.json()["detail"]


def test_a_client_in_the_middle_of_sending_gets_to_see_the_answer(web):
    answer = web.post(f"{web.api}/jobs?priority=now", data=b"x" * 15_000_000)
    assert answer.status_code == 400 and "priority" in answer.json()["detail"]


@pytest.mark.parametrize("query, name", [
    ("limit=0", "limit"), ("limit=201", "limit"), ("limit=ten", "limit"), ("status=lost", "status"),
    ("before=x", "before")])
def test_wrong_list_parameters_are_named(web, query, name):
    answer = web.get(f"{web.api}/jobs?{query}")
    assert answer.status_code == 400 and name in answer.json()["detail"]
    assert web.get(f"{web.admin}/jobs?{query}").status_code == 400


def test_idempotency_keys(web):
    url = f"{web.api}/jobs?filename=a.csv"
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first = web.post(url, data=b"first", headers=key).json()
    files = stored(web)
    again = web.post(url, data=b"first", headers=key)
    assert again.status_code == 202 and again.json()["batch_id"] == first["batch_id"]
    other = web.post(url, data=b"other", headers=key)
    assert other.status_code == 422 and other.json()["code"] == "idempotency-key-reused"
    without_body = web.post(url, headers=key)
    assert without_body.status_code == 202
    assert without_body.json()["batch_id"] == first["batch_id"]
    assert stored(web) == files
    bob = requests.post(url, data=b"other", headers=key, auth=("bob", harness.PASSWORD), timeout=10)
    assert bob.status_code == 202 and bob.json()["batch_id"] != first["batch_id"]
    assert web.post(url, data="a", headers={"Idempotency-Key": "k" * 201}).status_code == 400


# ---- lists, JSON, ETags ---------------------------------------------------------------------------

def test_paging(web):
    for i in range(5):
        web.upload(b"x", f"page-{i}.csv", notes="paged")
    seen, before = [], None
    while True:
        page = web.get(f"{web.api}/jobs", params={"limit": 2, "q": "PAGED", "before": before}).json()
        assert page["count"] == len(page["jobs"])
        seen += [j["filename"] for j in page["jobs"]]
        before = page["next"]
        if not before:
            break
    assert seen == [f"page-{i}.csv" for i in (4, 3, 2, 1, 0)]
    html = web.get(f"{web.admin}/jobs?limit=2&q=paged").text
    assert "q=paged&amp;limit=2&amp;before=" in html and "page-4.csv" in html
    assert "page-2.csv" not in html


def test_a_page_answers_json_when_asked(web):
    batch = web.upload(b"x", "json.csv")
    accept = {"Accept": "application/json"}
    page = web.get(f"{web.admin}/status/{batch}", headers=accept)
    assert page.headers["Content-Type"] == "application/json"
    job = page.json()["job"]
    assert job["show"]["status"] == "Waiting" and job["can_cancel"] and job["show"]["size"] == "1 byte"
    assert page.json()["waiting_for_worker"] is True
    assert page.json()["worker"]["advice"].startswith("This server is set to start none. Start ")
    assert web.get(f"{web.admin}/jobs", headers=accept).json()["jobs"][0]["batch_id"] == batch
    assert web.get(web.admin, headers=accept).json()["recent"][0]["batch_id"] == batch
    browser = {"Accept": "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8"}
    assert "text/html" in web.get(web.admin, headers=browser).headers["Content-Type"]


def test_a_page_answers_what_moves_when_its_script_asks(web):
    ended, batch = web.upload(b"x", "live-ended.csv"), web.upload(b"x", "live.csv")
    web.post(f"{web.admin}/status/{ended}/cancel")
    accept = {"Accept": "application/json"}

    def asked(path, **params):
        answer = web.get(web.admin + path, headers=accept, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    for job in (batch, ended):
        page = asked(f"/status/{job}")["job"]
        assert asked(f"/status/{job}", live="1") == {
            "jobs": [{key: page[key] for key in ("batch_id", "filename", "show")}]}
    moving = asked(f"/status/{batch}", live="1")["jobs"][0]
    still = {"batch_id": ended, "filename": "live-ended.csv", "show": {"status": "Cancelled"}}
    assert moving["show"]["status"] == "Waiting"
    for path in ("", "/jobs"):
        answer = asked(path, live="1")
        assert list(answer) == ["jobs"] and answer["jobs"][:2] == [moving, still]
    assert asked("/jobs", live="1", q="live.csv", status="queued", limit="1")["jobs"] == [moving]
    assert web.get(f"{web.admin}/jobs?live=1&limit=x", headers=accept).status_code == 400
    assert web.get(f"{web.admin}/status/{uuid.uuid4()}?live=1", headers=accept).status_code == 404
    assert "<h1" in web.get(f"{web.admin}/status/{batch}?live=1").text


def test_an_unchanged_job_costs_a_304(web):
    batch = web.upload(b"x")
    for url, accept in ((f"{web.api}/jobs/{batch}", "*/*"), (f"{web.api}/jobs", "*/*"),
                        (f"{web.admin}/status/{batch}", "application/json"),
                        (f"{web.admin}/status/{batch}?live=1", "application/json"),
                        (f"{web.admin}/jobs?live=1", "application/json")):
        headers = {"Accept": accept, "Accept-Encoding": "gzip"}
        first = web.get(url, headers=headers)
        assert first.headers["Cache-Control"] == "private, no-cache"
        second = web.get(url, headers={**headers, "If-None-Match": first.headers["ETag"]})
        assert second.status_code == 304 and second.content == b""
    tag = web.get(f"{web.api}/jobs/{batch}").headers["ETag"]
    web.post(f"{web.api}/jobs/{batch}/cancel")
    assert web.get(f"{web.api}/jobs/{batch}", headers={"If-None-Match": tag}).status_code == 200


def test_assets(web):
    css = web.get(f"{web.admin}/assets/app.css")
    assert css.status_code == 200 and css.headers["Content-Type"] == "text/css; charset=utf-8"
    assert "max-age" in css.headers["Cache-Control"]
    again = web.get(f"{web.admin}/assets/app.css",
                    headers={"If-None-Match": css.headers["ETag"], "Accept-Encoding": "identity"})
    assert again.status_code == 304
    assert web.get(f"{web.admin}/assets/app.js").headers["Content-Type"].startswith("text/javascript")
    for name in ("missing.css", "..%2fREADME.md", "%2e%2e/README.md", "app.css%00.css", ".css",
                 "app.css/", "..%5capp.css", "../upload.mustache"):
        assert web.get(f"{web.admin}/assets/{name}").status_code in (404, 200 if name == "app.css/"
                                                                     else 404), name


# ---- actions --------------------------------------------------------------------------------------

def test_cancel_retry_delete(web):
    batch = web.upload(b"x", "actions.csv")
    page = f"{web.admin}/status/{batch}"
    cancelled = web.post(page + "/cancel")
    assert cancelled.status_code == 303
    assert cancelled.headers["Location"] == f"{web.admin_path}/status/{batch}"
    assert web.job(batch)["status"] == "cancelled"
    conflict = web.post(page + "/cancel")
    assert conflict.status_code == 409 and "cancelled" in conflict.text
    assert web.post(f"{web.api}/jobs/{batch}/undo").json()["status"] == 409
    retried = web.post(f"{web.api}/jobs/{batch}/retry")
    assert retried.status_code == 202 and retried.json()["status"] == "queued"
    assert web.session.delete(f"{web.api}/jobs/{batch}").status_code == 409
    web.post(page + "/cancel")
    deleted = web.post(page + "/delete")
    assert deleted.status_code == 303
    listed = web.get(deleted.headers["Location"])
    assert listed.status_code == 200 and "was deleted" in listed.text
    assert web.get(page).status_code == 404
    other = web.upload(b"x")
    web.post(f"{web.api}/jobs/{other}/cancel")
    assert web.session.delete(f"{web.api}/jobs/{other}").status_code == 204


# ---- monitoring -----------------------------------------------------------------------------------

def test_status_call(web):
    status = web.get(f"{web.api}/status").json()
    assert status["database"] == web.database.driver and status["workers"] == []
    assert status["queued"] == len(jobs(web, status="queued", limit=200))
    assert status["storage_free_bytes"] > 0


def test_server_status_says_what_the_snapshot_says(make_httpd):
    server = make_httpd(Workers="0")
    assert "No snapshot" in server.get("/server-status").text
    assert "EclectycSnapshot: none\n" in server.get("/server-status?auto").text
    (server.storage / "status.json").write_text(json.dumps(
        {"at": "2026-11-23T14:05:00Z", "queued": 3, "due": 2, "processing": 1,
         "oldest_wait_seconds": 1234, "workers": 2}))
    auto = server.get("/server-status?auto").text
    assert "EclectycQueued: 3\n" in auto and "EclectycOldestWait: 1234\n" in auto
    assert "1,234" in server.get("/server-status").text
    (server.storage / "status.json").write_text("{")
    assert "No snapshot" in server.get("/server-status").text
    assert not server.database.exists()  # it asks no database


# ---- when something is missing --------------------------------------------------------------------

def test_without_a_database_nothing_is_read(make_httpd):
    server = make_httpd(Workers="0", Database='sqlite3 "/nonexistent/dir/eclectyc.db"')
    server.expected.append("ECL2022")
    for url in (server.admin, server.api + "/jobs", server.api + "/status"):
        answer = server.get(url)
        assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0
        assert "database is not available" in answer.text and "/nonexistent" not in answer.text
    assert server.post(f"{server.api}/jobs", data=b"x" * 15_000_000).status_code == 503
    answer = talk(server, f"POST {server.api_path}/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: "
                          f"{authorization()}\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n"
                  .encode())
    assert answer.startswith("HTTP/1.1 503 ") and "100 Continue" not in answer


def test_a_broken_template_is_told(make_httpd):
    server = make_httpd(start=False, Workers="0")
    server.settings["Templates"] = f'"{server.dir / "none"}"'
    server.start()
    server.expected.append("ECL2020")
    assert server.get(server.admin).status_code == 500
    assert server.get(f"{server.api}/jobs").status_code == 200


@pytest.fixture
def small_disk(make_httpd):
    """A server whose storage has 20 MiB, of which it leaves 16 free."""
    server = make_httpd(start=False, Workers="0")
    mount = ["mount", "-t", "tmpfs", "-o", "size=20m,mode=700,uid=www-data,gid=www-data", "none",
             str(server.storage)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("cannot mount a small file system here")
    try:
        yield server.start()
        server.stop()
    finally:
        server.kill()
        subprocess.run(["umount", str(server.storage)], check=True)


def test_a_full_disk_is_told_and_left_clean(small_disk):
    server = small_disk
    server.expected.append("ECL2021")
    head = (f"POST {server.api_path}/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization()}"
            "\r\nExpect: 100-continue\r\nContent-Length: 6000000\r\n\r\n")
    answer = talk(server, head.encode())
    assert answer.startswith("HTTP/1.1 507 ") and "100 Continue" not in answer
    grown = server.post(f"{server.api}/jobs", data=(b"x" * (1 << 20) for _ in range(30)))
    assert grown.status_code == 507 and grown.json()["code"] == "disk-full"
    assert str(server.storage) not in grown.text
    assert stored(server) == []
    assert server.post(f"{server.api}/jobs", data=b"small").status_code == 202


@pytest.mark.parametrize("line, words", [
    ("EclectycImportMaxUpload many", "EclectycImportMaxUpload"),
    ("EclectycImportDatabase mysql x", "pgsql"),
    ("EclectycImportStorage relative/dir", "absolute"),
    ("EclectycImport admin", "not allowed here"),
    ('<Location "/x">\nEclectycImport both\n</Location>', "admin or api"),
    ('<LocationMatch "^/x">\nEclectycImport api\n</LocationMatch>', "without wildcards"),
    ('<Location "/">\nEclectycImport api\n</Location>', "can't be"),
    ('<Directory "/x">\nEclectycImport api\n</Directory>', "Directory"),
    ('<VirtualHost *:1>\nEclectycImportWait 5\n</VirtualHost>', "VirtualHost"),
])
def test_wrong_settings_are_told(make_httpd, line, words):
    answer = make_httpd(start=False, extra=line).configtest()
    assert answer.returncode != 0
    assert words in answer.stderr


def test_configtest_is_silent_and_harmless(make_httpd):
    server = make_httpd(start=False)
    before = sorted(server.dir.rglob("*"))
    answer = server.configtest()
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "Syntax OK\n")
    assert sorted(server.dir.rglob("*")) == sorted(before + [server.dir / "httpd.conf"])


# ---- with a worker --------------------------------------------------------------------------------

def test_a_waiting_upload_answers_with_its_result(working):
    alive(working)
    answer = working.post(working.admin, files={"csv_file": ("a.csv", mf.wide())})
    assert answer.status_code == 200, answer.headers
    location = answer.headers["Content-Location"]
    assert location.startswith(working.admin_path + "/status/")
    assert "Completed" in answer.text and "a.csv" in answer.text
    bad = working.post(working.admin, files={"csv_file": ("b.csv", "this is\nno meter data\n")})
    assert bad.status_code == 422 and "Failed" in bad.text


def test_a_waiting_upload_without_a_worker_redirects_at_once(web):
    answer = web.post(web.admin, files={"csv_file": ("a.csv", mf.wide())})
    assert answer.status_code == 303
    page = web.get(answer.headers["Location"])
    assert "waiting for a worker" in page.text and "EclectycImportWorkers" in page.text


def test_rejected_rows_can_be_corrected_and_sent_again(working):
    lines = mf.wide(3, count=10).splitlines()
    lines[5] = lines[5].replace("2026-", "=2026-", 1)
    lines[9] = lines[9].replace("2026-", "20x6-", 1)
    job = working.import_file("\n".join(lines), 'my "file".csv')
    assert job["failed_rows"] == 2
    table = working.get(f"{working.admin}/status/{job['batch_id']}/failed-rows.csv")
    assert table.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert table.headers["Content-Disposition"] == (
        'attachment; filename="my__file_-rejected-rows.csv"')
    rows = table.text.splitlines()
    assert len(rows) == 3
    assert rows[0].startswith(lines[0] + ",rejected_line,")
    safe = lines[5].replace("=2026-", "'=2026-")
    assert rows[1].startswith(safe + ",6,") and rows[2].startswith(lines[9] + ",10,")
    page = working.get(f"{working.admin}/status/{job['batch_id']}").text
    assert f'?parent_batch_id={job["batch_id"]}"' in page
    form = working.get(f"{working.admin}?parent_batch_id={job['batch_id']}").text
    assert f'name="parent_batch_id" value="{job["batch_id"]}"' in form
    again = working.import_file(table.text.replace("'=2026-", "2026-").replace("20x6-", "2026-"),
                                parent_batch_id=job["batch_id"])
    assert (again["imported_rows"], again["failed_rows"]) == (2, 0)
    assert again["parent_batch_id"] == job["batch_id"]
    assert f'status/{job["batch_id"]}"' in working.get(
        f"{working.admin}/status/{again['batch_id']}").text
    none = working.get(f"{working.admin}/status/{again['batch_id']}/failed-rows.csv")
    assert none.status_code == 404


def test_api_errors_are_paged(working):
    lines = mf.wide(1, count=8).splitlines()
    bad = lines[:2] + [line.replace("2026-", "20x6-", 1) for line in lines[2:]]
    job = working.import_file("\n".join(bad))
    url, after, seen = f"{working.api}/jobs/{job['batch_id']}/errors", 0, []
    while after is not None:
        page = working.get(url, params={"limit": 3, "after": after}).json()
        seen += [e["line"] for e in page["errors"]]
        after = page["next"]
    assert seen == [3, 4, 5, 6, 7, 8, 9]
    assert working.get(url + "?limit=1001").status_code == 400


@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_a_waiting_upload_does_not_hold_up_a_reload(make_httpd, mpm):
    server = make_httpd(mpm=mpm, Workers="1", Wait="300")
    alive(server)
    content = mf.wide(300, "2024-04-01", 180)
    answers = []
    upload = threading.Thread(target=lambda: answers.append(
        server.post(server.admin, files={"csv_file": ("a.csv", content)})))
    upload.start()
    batch = wait_for(lambda: jobs(server), "the job")[0]["batch_id"]
    with wh.held_in_the_middle(server, batch):
        server.graceful()
    upload.join(harness.DEADLINE)
    assert answers[0].status_code == 303  # the page will tell
    assert answers[0].headers["Location"].endswith(batch)
    wait_for(lambda: server.log().count("resuming normal operations") == 2, "the reload")
    assert server.finished(batch)["status"] == "completed"
