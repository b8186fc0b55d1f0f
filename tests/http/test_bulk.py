"""One action for many jobs: what is chosen, and what is said of each."""

import re

import pytest

import harness
import meterfiles as mf

FILE = mf.daily(1, count=3)


@pytest.fixture(scope="module")
def web():
    with harness.serving(Workers="0") as server:
        yield server


def drain(server):
    result = server.worker("run", "--once")
    assert result.returncode == 0, result.stderr


def bulk(server, action, ids=(), **fields):
    """As a browser sends the form; the outcomes by batch id."""
    answer = server.post(f"{server.admin}/jobs/bulk",
                         data={"action": action, **{f"job_{i}": "1" for i in ids}, **fields},
                         headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.text
    return {o["batch_id"]: o for o in answer.json()["outcomes"]}


def test_each_action(web):
    done = web.upload(FILE, "done.csv")
    drain(web)
    waiting, later = web.upload(FILE, "waiting.csv"), web.upload(FILE, "later.csv")
    gone = "11111111-2222-4333-8444-555555555555"
    found = bulk(web, "cancel", [done, waiting, gone])
    assert [found[i]["done"] for i in (done, waiting, gone)] == [False, True, False]
    assert found[waiting]["words"] == "Cancelled. Nothing of it had been imported."
    assert found[done]["words"].startswith("The job is completed; only a queued")
    assert found[gone]["words"] == "It does not exist any more." and "href" not in found[gone]
    assert web.job(waiting)["status"] == "cancelled"

    found = bulk(web, "retry", [waiting, done])
    assert (found[waiting]["done"], found[done]["done"]) == (True, False)
    found = bulk(web, "run-now", [waiting, later])
    assert [o["words"] for o in found.values()] == ["Due now."] * 2
    found = bulk(web, "undo", [done])
    assert found[done]["done"] and web.job(done)["undo_requested"]
    found = bulk(web, "delete", [done, waiting])
    assert not found[done]["done"] and not found[waiting]["done"]
    drain(web)
    found = bulk(web, "delete", [done, waiting])
    assert [o["words"] for o in found.values()] == ["Deleted. The readings it imported stay."] * 2
    assert web.get(f"{web.api}/jobs/{done}").status_code == 404
    events = web.get(f"{web.api}/jobs/{done}/events").json()["events"]
    assert [e["event"] for e in events if e["user_name"]] == ["delete", "undo", "queued"]


def test_all_on_this_page_means_those_that_were_shown(web):
    mine = [web.upload(FILE, f"bulk {n}.csv") for n in range(3)]
    other = web.upload(FILE, "other.csv")
    page = web.get(f"{web.admin}/jobs?q=bulk").text
    shown = re.search(r'name="shown" value="([^"]*)"', page)[1]
    assert sorted(shown.split(",")) == sorted(mine)
    assert "All 3 on this page" in page and 'name="q" value="bulk"' in page
    for batch_id in mine:
        assert f'form="bulk" name="job_{batch_id}"' in page
    newer = web.upload(FILE, "bulk, after the page was made.csv")
    answer = web.post(f"{web.admin}/jobs/bulk",
                      data={"action": "cancel", "all": "1", "shown": shown, "q": "bulk", "limit": "50",
                            "status": "", "before": "", f"job_{mine[0]}": "1"})
    assert answer.status_code == 200
    assert "Done for all of them." in answer.text
    assert answer.text.count("Cancelled. Nothing of it had been imported.") == 3
    assert f'href="{web.admin_path}/jobs?q=bulk&amp;limit=50"' in answer.text
    assert [web.job(i)["status"] for i in mine] == ["cancelled"] * 3
    assert [web.job(i)["status"] for i in (other, newer)] == ["queued"] * 2
    # without the tick for all, what is shown is not what is meant
    answer = web.post(f"{web.admin}/jobs/bulk", data={"action": "delete", "shown": shown})
    assert answer.status_code == 422 and "No import was chosen" in answer.text
    # one in the way
    answer = web.post(f"{web.admin}/jobs/bulk",
                      data={"action": "delete", **{f"job_{i}": "1" for i in (mine[0], other)}})
    assert "Done for 1 of 2." in answer.text and ">No<" in answer.text


def test_two_hundred_at_once(web):
    ids = [web.upload("a,b", f"many {n}.csv") for n in range(3)]
    ids += [f"{n:08d}-2222-4333-8444-555555555555" for n in range(197)]
    found = bulk(web, "cancel", ids, all="1", shown=",".join(ids), q="many", limit="200")
    assert len(found) == 200 and sum(o["done"] for o in found.values()) == 3
    answer = web.post(f"{web.admin}/jobs/bulk",
                      data={"action": "cancel", "job_99999999-2222-4333-8444-555555555555": "1",
                            "all": "1", "shown": ",".join(ids)})
    assert answer.status_code == 422 and "200" in answer.text


@pytest.mark.parametrize("fields, words", [
    ({"action": "explode", "job_x": "1"}, "is not an action for many imports"),
    ({}, "is not an action for many imports"),
    ({"action": "cancel", "job_../../etc": "1"}, "is not a batch id"),
    ({"action": "cancel", "all": "1", "shown": "1,2"}, "is not a batch id")])
def test_what_is_wrong_is_refused(web, fields, words):
    answer = web.post(f"{web.admin}/jobs/bulk", data=fields)
    assert answer.status_code == 422 and words in answer.text


def test_other_sites_cannot_do_it(web):
    batch_id = web.upload(FILE)
    answer = web.post(f"{web.admin}/jobs/bulk", data={"action": "cancel", f"job_{batch_id}": "1"},
                      headers={"Origin": "https://elsewhere.example"})
    assert answer.status_code == 403
    assert web.job(batch_id)["status"] == "queued"
    assert web.get(f"{web.admin}/jobs/bulk").status_code == 405
