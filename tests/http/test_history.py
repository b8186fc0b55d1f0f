"""Who did what to which job: on its page, on the page of all, in the API, and after it is deleted."""

import os
import pwd

import pytest

import harness
import meterfiles as mf

FILE = mf.daily(1, count=3)


@pytest.fixture(scope="module")
def web():
    with harness.serving(Workers="0", HostName="import1") as server:
        yield server


def drain(server):
    result = server.worker("run", "--once")
    assert result.returncode == 0, result.stderr


def events(server, batch_id, **params):
    answer = server.get(f"{server.api}/jobs/{batch_id}/events", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def names(server, batch_id):
    return [e["event"] for e in events(server, batch_id)["events"]]


def test_a_job_and_what_became_of_it(web):
    batch_id = web.upload(FILE, "march <1>.csv")
    drain(web)
    assert web.post(f"{web.admin}/status/{batch_id}/undo").status_code == 303
    drain(web)
    found = events(web, batch_id)
    assert [e["event"] for e in found["events"]] == ["undone", "claimed", "undo", "completed",
                                                     "claimed", "queued"]
    assert (found["count"], found["next"]) == (6, None)
    completed, queued = found["events"][3], found["events"][5]
    assert completed["detail"] == ("3 rows imported, 0 rejected, 0 skipped; readings: 3 new, "
                                   "0 changed, 0 unchanged")
    assert completed["worker"].startswith("import1:") and completed["user_name"] is None
    assert (queued["user_name"], queued["worker"], queued["filename"], queued["batch_id"]) == (
        harness.USER, None, "march <1>.csv", batch_id)
    page = web.get(f"{web.admin}/status/{batch_id}").text
    assert '<h2 id="history-head">History</h2>' in page
    assert "Rows: 3 imported, 0 failed, 0 skipped; readings: 3 new" in page
    assert "rejected, " not in page
    assert "<b>Undo asked for</b>" in page and "worker import1:" in page

    page = web.get(f"{web.admin}/events").text
    assert f'<a href="{web.admin_path}/status/{batch_id}">march &lt;1&gt;.csv</a>' in page
    assert f'href="{web.admin_path}/events">History</a>' in web.get(f"{web.admin}/jobs").text

    assert web.session.delete(f"{web.api}/jobs/{batch_id}").status_code == 204
    assert names(web, batch_id)[0] == "delete"
    page = web.get(f"{web.admin}/events", params={"q": batch_id}).text
    assert page.count("deleted</span>") == 7 and "Record deleted" in page
    assert f"/status/{batch_id}" not in page


def test_pages_say_it_as_pages_do(web):
    """"Failed" and "19,200"; the API's texts stay."""
    content = mf.wide(meters=1, count=21) + f"{mf.mpan(0)},2026-03-01,oops\r\n"
    batch_id = web.upload(content, "many.csv")
    dry_run = web.upload(content, "many.csv", dry_run="1")
    drain(web)
    assert events(web, batch_id)["events"][0]["detail"] == (
        "21 rows imported, 1 rejected, 0 skipped; readings: 1008 new, 0 changed, 0 unchanged")
    assert ("Rows: 21 imported, 1 failed, 0 skipped; readings: 1,008 new, 0 changed, 0 unchanged."
            in web.get(f"{web.admin}/events", params={"q": batch_id}).text)
    assert ("Dry run: rows: 21 good, 1 failed, 0 skipped; readings: 0 new, 0 changed, "
            "1,008 unchanged." in web.get(f"{web.admin}/status/{dry_run}").text)


def test_pages_and_filters(web):
    first = web.upload(FILE, "filtered.csv")
    web.post(f"{web.api}/jobs/{first}/cancel")
    web.post(f"{web.api}/jobs/{first}/retry")
    web.session.auth = ("bob", harness.PASSWORD)
    try:
        web.post(f"{web.api}/jobs/{first}/cancel")
    finally:
        web.session.auth = (harness.USER, harness.PASSWORD)
    assert names(web, first) == ["cancel", "retry", "cancel", "queued"]
    page = web.get(f"{web.api}/events", params={"q": "FILTERED", "limit": 3}).json()
    assert [e["event"] for e in page["events"]] == ["cancel", "retry", "cancel"]
    page = web.get(f"{web.api}/events",
                   params={"q": "FILTERED", "limit": 3, "before": page["next"]}).json()
    assert [e["event"] for e in page["events"]] == ["queued"] and page["next"] is None
    page = web.get(f"{web.api}/events", params={"q": "bob", "event": "cancel"}).json()
    assert [e["batch_id"] for e in page["events"]] == [first]
    html = web.get(f"{web.admin}/events", params={"q": "filtered", "limit": 2, "event": "cancel"}).text
    assert html.count("<time ") == 2 and '<option value="cancel" selected>' in html
    html = web.get(f"{web.admin}/events", params={"q": "filtered", "limit": 2}).text
    assert 'rel="next"' in html and "q=filtered&amp;limit=2&amp;before=" in html
    assert "Nothing that happened matches" in web.get(f"{web.admin}/events?q=nothing+like+it").text


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "before=x", "event=exploded", "q=" + "x" * 201])
def test_wrong_parameters(web, query):
    for address in (f"{web.api}/events?{query}", f"{web.admin}/events?{query}"):
        assert web.get(address).status_code == 400


def test_a_job_that_never_was(web):
    assert web.get(f"{web.api}/jobs/11111111-2222-4333-8444-555555555555/events").status_code == 404


def test_the_command_line_is_the_operating_systems_user(run):
    path = run.dir / "a.csv"
    path.write_text(FILE)
    # behind sudo it is the person, not root
    user = pwd.getpwuid(os.getuid()).pw_name
    env = {**os.environ, "SUDO_USER": "carol"} if os.getuid() == 0 else os.environ
    user = "carol" if os.getuid() == 0 else user
    assert run.worker("import", path, "--user", "alice", env=env).returncode == 0
    with run.change() as db:
        db.execute("UPDATE import_jobs SET completed_at = 1")
    assert run.worker("cleanup", "--days", "1", env=env).returncode == 0
    assert run.sql("SELECT event, user_name FROM import_job_events WHERE user_name IS NOT NULL"
                   " ORDER BY id") == [("queued", user), ("cleaned-up", user)]


def test_cleanup_removes_what_is_older_than_it_is_kept(run):
    path = run.dir / "a.csv"
    path.write_text(FILE)
    assert run.worker("import", path).returncode == 0
    with run.change() as db:
        db.execute("UPDATE import_jobs SET completed_at = 1")
        db.execute("UPDATE import_job_events SET at = 1")
    cleaned = run.worker("cleanup")
    # what the job's record did not let go before is gone with it, but for the end that is new
    assert "3 entries of the history older than 3,650 days removed" in cleaned.stdout
    assert run.sql("SELECT event FROM import_job_events") == [("cleaned-up",)]
    run.settings["HistoryRetention"] = "0"
    with run.change() as db:
        db.execute("UPDATE import_job_events SET at = 1")
    assert "history" not in run.worker("cleanup").stdout
    assert run.sql("SELECT event FROM import_job_events") == [("cleaned-up",)]
