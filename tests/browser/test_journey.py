"""The whole journey through the pages, at each width and without JavaScript."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

import meterfiles as mf
import scenes
from harness import wait_for


def readings(server, batch):
    return server.sql("SELECT count(*) FROM meter_readings WHERE import_batch_id = ?", batch)[0][0]


def with_bad_rows(week):
    """Seven rows of one meter, of which three are wrong, each in its own way."""
    lines = mf.wide(1, first=week).splitlines()
    cells = [line.split(",") for line in lines]
    cells[2][6] = "12.3.4"
    cells[4][1] = week[:4] + "-02-30"
    cells[5][6] = "n/k"
    return "\n".join(",".join(row) for row in cells) + "\n"


def test_dry_run_import_undo(everywhere, working, week, save):
    page = everywhere
    page.login(working)
    page.upload(save("march.csv", mf.wide(2, first=week)), dry_run=True, notes="checked by phone")
    page.until_job("Completed")
    assert page.text("h1") == "march.csv"
    assert "This was a dry run: nothing has been kept." in page.text()
    assert "checked by phone" in page.text("aside")
    assert page.tiles() == {"New readings": "672", "Changed": "0", "Unchanged": "0",
                            "Good rows": "14", "Failed": "0", "Skipped": "0"}
    dry = page.batch_id
    assert readings(working, dry) == 0

    page.press("Import for real")
    assert page.batch_id != dry
    page.until_job("Completed")
    real = page.batch_id
    assert page.tiles()["New readings"] == "672" and page.tiles()["Rows imported"] == "14"
    assert readings(working, real) == 672

    # asked first, done after
    page.press("Undo this import…")
    assert "Its readings are taken back out" in page.text("aside")
    assert readings(working, real) == 672
    page.press("Undo the import")
    page.until_job("Undone")
    assert "its readings were taken back out" in page.text()
    assert readings(working, real) == 0


def test_rows_that_fail(everywhere, working, week, save):
    page = everywhere
    page.login(working)
    page.upload(save("with errors.csv", with_bad_rows(week)))
    page.until_job("Completed")
    assert page.tiles()["Failed"] == "3" and page.tiles()["Rows imported"] == "4"
    groups = page.rows("section[aria-labelledby=errors-head] table.rows:not(.errors)")
    assert {(cause, column, count, line) for cause, column, count, line, _ in groups} == {
        ("Not a value", "HH05", "2", "3"), ("Date that does not exist", "Date", "1", "5")}
    errors = page.rows("table.errors")
    assert [(line, column) for line, column, _ in errors] == [
        ("3", "HH05"), ("5", "Date"), ("6", "HH05")]
    assert "12.3.4" in errors[0][2] and "02-30" in errors[1][2]
    # a record takes one line until it is asked for
    record = page.find("table.errors details.raw")
    height = record.size["height"]
    record.click()
    assert record.size["height"] > 2 * height

    # the rows come as a file, which imports once it is corrected
    page.press("Download failed rows")
    downloaded = wait_for(lambda: list(page.downloads.glob("*.csv")), "the download")[0]
    failed = downloaded.read_text()
    downloaded.unlink()
    assert "12.3.4" in failed and "n/k" in failed and len(failed.splitlines()) == 4
    corrected = failed.replace("12.3.4", "12.3").replace("n/k", "0").replace(
        week[:4] + "-02-30", mf.days(week, 4)[-1].isoformat())
    page.press("upload the corrected rows")
    page.upload(save("corrected.csv", corrected))
    page.until_job("Completed")
    assert page.tiles()["Failed"] == "0" and page.tiles()["Rows imported"] == "3"
    assert "This import follows on from with errors.csv" in page.text()


def test_what_a_second_import_changes(either, working, week, save):
    page = either
    page.login(working)
    text = mf.one_row(["1.5"] * 48, date=week)
    page.upload(save("first.csv", text))
    page.until_job("Completed")
    page.open(working)
    page.upload(save("second.csv", text.replace("1.5", "2.25", 1)), dry_run=True)
    page.until_job("Completed")
    tiles = page.tiles()
    assert (tiles["New readings"], tiles["Changed"], tiles["Unchanged"]) == ("0", "1", "47")
    row, = page.rows("table.examples")
    assert mf.mpan(0) in row[0] and "1.5" in row[3] and "2.25" in row[4]


def test_a_file_that_is_none(either, working, save):
    page = either
    page.expected = ["status of 422"]
    page.login(working)
    page.upload(save("export.csv", "<!doctype html><html><body>Please log in</body></html>"))
    page.until_job("Failed")
    assert "The import failed." in page.text("[role=alert]")
    assert "web page (HTML)" in page.text("[role=alert]")
    assert not page.tiles(), "figures of nothing"
    assert "Undo" not in page.text("aside") and "Try again" in page.text("aside")


def test_a_question(everywhere, working, save, week):
    page = everywhere
    page.login(working)
    name = f"export {week}.csv"
    page.upload(save(name, scenes.WITHOUT_METER), background=True)
    page.until_job("Question")
    assert "Nothing has been imported yet" in page.text("form.question")
    batch = page.batch_id
    page.open(working, "/jobs?q=" + week)
    page.press(f"Answer: {name}")
    page.find("#answer").send_keys(mf.mpan(900))
    page.press("Go on with the import")
    page.until_job("Completed")
    assert page.batch_id == batch and mf.mpan(900) in page.text("aside")


def test_an_empty_file(either, working, save):
    page = either
    page.expected = ["status of 422"]
    page.login(working)
    page.upload(save("nothing.csv", b""))
    page.until("[role=alert]", "Nothing was imported.")
    if page.javascript:
        assert "nothing.csv is empty." in page.text("[role=alert]")
    else:
        assert '"nothing.csv" is empty: it has no bytes' in page.text("[role=alert]")
    assert page.path == working.admin_path


def test_waiting_for_the_result(either, working, week, save):
    page = either
    page.login(working)
    page.upload(save("waited for.csv", mf.wide(1, first=week)), background=False)
    page.until_job("Completed")
    assert page.tiles()["New readings"] == "336"


def test_several_files_at_once(either, working, week, save):
    page = either
    page.login(working)
    page.upload(save("one.csv", mf.wide(1, first=week, count=1)),
                save("two.csv", mf.wide(2, first=week, count=1)))
    page.until("h1", "Imports")
    assert {"one.csv", "two.csv"} <= set(page.texts("table.jobs .file"))


HOSTILE = "<img src=x onerror=alert(1)>'\"&{{page.user}}.csv"
NOTES = "</textarea><script>alert(2)</script><b>bold</b>"


def test_markup_is_shown_as_text(either, working, week, save):
    page = either
    page.expected = ["status of 422"]
    page.login(working)
    bad = "<script>alert(3)</script>"
    page.upload(save(HOSTILE, mf.one_row([bad] + ["1"] * 47, date=week)), notes=NOTES)
    page.until_job("Failed")
    assert page.text("h1") == HOSTILE
    assert NOTES in page.text("aside")
    assert bad in page.text("table.errors")
    for path in ("", "/jobs", "/jobs?q=%3Cb%3Ebold%3C%2Fb%3E"):
        page.open(working, path)
        assert HOSTILE in [name.text for name in page.all("table.jobs .file")]
        assert not page.all("main img, main script, main b:not(.choice b)")


def test_cancel_and_try_again(either, idle, week, save):
    page = either
    page.login(idle)
    page.upload(save("queued.csv", mf.wide(1, first=week)))
    page.until_job("Waiting")
    assert "waiting for a worker, and none is running" in page.text()
    batch = page.batch_id
    page.confirm("Cancel this import…", "Cancel the import")
    page.until_job("Cancelled")
    assert idle.job(batch)["status"] == "cancelled"
    page.press("Try again")
    page.until_job("Waiting")
    assert idle.worker("run", "--once").returncode == 0
    page.until_job("Completed")  # by itself: live, or by the refresh of a page without script
    assert page.batch_id == batch and readings(idle, batch) == 336


def test_delete(desktop, idle, week, save):
    page = desktop
    page.login(idle)
    page.upload(save("mistake.csv", mf.wide(1, first=week)))
    page.until_job("Waiting")
    batch = page.batch_id
    page.press("Cancel this import…")
    page.press("Cancel the import")
    page.until_job("Cancelled")
    page.press("Delete this record…")
    page.press("Delete the record")
    page.until("h1", "Imports")
    page.expected = ["status of 404"]
    page.open(idle, f"/status/{batch}")
    assert "Error 404" in page.text()


def test_coming_back(desktop, idle, week, save):
    page = desktop
    page.login(idle)
    page.upload(save(f"left {week}.csv", mf.wide(1, first=week)))
    page.until_job("Waiting")
    left = page.driver.current_window_handle
    page.driver.switch_to.new_window("tab")
    here = page.driver.current_window_handle
    page.driver.switch_to.window(left)
    page.driver.close()
    page.driver.switch_to.window(here)
    assert idle.worker("run", "--once").returncode == 0
    page.open(idle)
    page.press("All imports")
    page.press(f"left {week}.csv")
    page.until_job("Completed")
    assert page.tiles()["New readings"] == "336"


@pytest.fixture(scope="module")
def many(idle):
    """45 imports, the last three of them cancelled; one has notes."""
    batches = [idle.upload(mf.wide(1, count=1), f"supplier {n:02d}.csv",
                           notes="meter exchange in Hull" if n == 7 else "") for n in range(45)]
    for batch in batches[-3:]:
        assert idle.post(f"{idle.admin}/status/{batch}/cancel").status_code == 303
    return batches


def names(page):
    return [name.text for name in page.all("table.jobs .file")]


def test_the_list(everywhere, idle, many):
    page = everywhere
    page.login(idle)
    page.open(idle, "/jobs?q=supplier&limit=20")
    assert names(page) == [f"supplier {n:02d}.csv" for n in range(44, 24, -1)]
    page.press("Older")
    assert names(page) == [f"supplier {n:02d}.csv" for n in range(24, 4, -1)]
    page.press("Older")
    assert names(page) == [f"supplier {n:02d}.csv" for n in range(4, -1, -1)]
    assert not [b for b in page.all(".paging a") if b.text == "Older"]
    page.press("Newest")
    assert names(page)[0] == "supplier 44.csv" and len(names(page)) == 20

    tab, = [a for a in page.all(".tabs a") if a.text.startswith("Cancelled")]
    assert int(tab.find_element(By.CSS_SELECTOR, ".count").text) >= 3
    tab.click()
    assert names(page) == ["supplier 44.csv", "supplier 43.csv", "supplier 42.csv"]
    assert {badge.text for badge in page.all("table.jobs .badge")} == {"Cancelled"}

    page.open(idle, "/jobs")
    page.find("#q").send_keys("exchange in hull")
    page.press("Search")
    assert names(page) == ["supplier 07.csv"]
    page.find("#q").clear()
    page.find("#q").send_keys("<nothing>")
    page.press("Search")
    assert "No import matches “<nothing>”." in page.text()


def test_quick_actions(everywhere, idle, week, save):
    page = everywhere
    page.login(idle)
    name = f"quick {week}.csv"
    page.upload(save(name, mf.wide(1, first=week)), dry_run=True)
    page.until_job("Waiting")

    def row():
        page.open(idle, "/jobs?q=" + week)
        first = page.find("table.jobs tbody tr")
        assert name in first.text
        return first

    row()
    page.press(f"Cancel… the import of {name}", "table.jobs")
    page.press("Cancel the import", "table.jobs")
    assert "Cancelled" in row().text
    page.press(f"Try again: {name}", "table.jobs")
    assert "Waiting" in row().text
    assert idle.worker("run", "--once").returncode == 0
    assert "Would add 336 and change 0 readings" in row().text
    page.press(f"Import for real: {name}", "table.jobs")
    assert idle.worker("run", "--once").returncode == 0
    assert "1 row imported" not in row().text and "7 rows imported" in row().text


def drop(page, *paths, on="[data-drop]"):
    """Drops files or folders as from the desktop."""
    box = page.js("const r = document.querySelector(arguments[0]).getBoundingClientRect();"
                  "return [r.x + r.width / 2, r.y + r.height / 2]", on)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        page.cdp("Input.dispatchDragEvent", type=kind, x=box[0], y=box[1], data=data)


def test_what_is_dropped(desktop, working, week, save, tmp_path):
    """Two files are two imports, a folder is none and is said to be one, and a file that misses the
    field does not take its place."""
    page = desktop
    page.login(working)
    first = save("first.csv", mf.one_row(["1.5"] * 48, date=week))
    second = save("second.csv", mf.one_row(["2.5"] * 48, date=week, meter=mf.mpan(1)))
    folder = tmp_path / "November"
    folder.mkdir()
    drop(page, folder)
    page.until("[role=alert]", "November is a folder. Open it, and drop the files that are in it.")
    drop(page, first, on="h1")
    assert page.find("h1").text == "Upload meter data"
    drop(page, first, second)
    page.until("[data-chosen]", "first.csv, second.csv")
    assert not page.find("[data-upload-error]").is_displayed()
    page.find("[data-upload-button]").click()
    page.until("h1", "Imports")
    assert "The files were uploaded. Each is a job of its own." in page.text()
    names = page.js("return [...document.querySelectorAll('table.jobs a.file')].map(a => a.textContent)")
    assert set(names[:2]) == {"first.csv", "second.csv"}


def test_a_nonsensical_answer(either, working, week, save):
    page = either
    page.expected = ["status of 422"]
    page.login(working)
    page.upload(save("no-meter.csv", f"Date,kWh\n{week} 00:00,1.5\n{week} 00:30,2.5\n"))
    page.until_job("Question")
    field = page.find("#answer")
    nonsense = "no such meter!? " * 7
    if page.javascript:
        page.js("arguments[0].removeAttribute('maxlength')", field)
        field.send_keys(nonsense)
        page.press("Go on with the import")
        page.until("#question-error", "at most 99 are accepted")
        field = page.find("#answer")
        assert field.get_attribute("value").startswith("no such meter!?")
        assert field.get_attribute("aria-invalid") == "true"
        field.clear()
    field.send_keys(mf.mpan(3))
    page.press("Go on with the import")
    page.until_job("Completed")
    assert "Active import (AI)" in page.text("figure.chart")


def test_many_at_once(everywhere, idle, week):
    page = everywhere
    page.login(idle)
    for n in range(3):
        idle.upload(mf.wide(1, first=week, count=1), f"bulk {week} {n}.csv")
    page.open(idle, f"/jobs?q=bulk+{week}")
    second = page.all("table.jobs input[type=checkbox]")[1]
    second.send_keys(Keys.SPACE)
    assert second.is_selected() and second.accessible_name == f"Choose bulk {week} 1.csv"
    if page.javascript:
        assert page.text(".bulk [data-picked]") == "1 chosen"
    page.press("Cancel… the chosen imports", ".bulk")
    page.press("Cancel the chosen imports", ".bulk")
    assert page.text("h1") == "Cancelling imports"
    assert "Done for the import." in page.text() and f"bulk {week} 1.csv" in page.text()
    page.press("Back to the list", ".crumbs")
    assert [badge.text for badge in page.all("table.jobs .badge")] == ["Waiting", "Cancelled",
                                                                       "Waiting"]
    page.find(".bulk [name=all]").click()
    assert {b.is_selected() for b in page.all("table.jobs input")} == {page.javascript}
    page.press("Try again", ".bulk")
    assert "Done for 1 of 3." in page.text()
    assert page.text().count("The job is queued; only a failed or cancelled job") == 2
    page.press("Back to the list", ".crumbs")
    assert {badge.text for badge in page.all("table.jobs .badge")} == {"Waiting"}
