"""What the pages' script adds: live figures, upload progress, drag and drop; and the keyboard."""

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

import meterfiles as mf
from harness import wait_for
from scenes import drain, set_processing, set_waiting


def keys(page, *sequence):
    ActionChains(page.driver).send_keys(*sequence).perform()


# ---- progress ---------------------------------------------------------------------------------------

def test_progress_is_live(scripted, idle, week):
    page = scripted
    page.login(idle)
    batch = idle.upload(mf.wide(1, first=week), "large.csv")
    set_processing(idle, batch, total=62000, done=1000)
    page.open(idle, f"/status/{batch}")
    page.until("[data-live='show.rows']", "1,000 of 62,000 rows")
    page.js("window.isSamePage = true")
    for done in (26350, 48050):
        set_processing(idle, batch, total=62000, done=done)
        page.until("[data-live='show.rows']", f"{done:,} of 62,000 rows")
        percent = int(idle.job(batch)["progress_percent"])
        assert percent == done * 100 // 62000
        assert page.text("[data-live='show.percent']") == str(percent)
        assert page.find("progress").get_property("value") == percent
        if done == 26350:
            page.until("#announce[aria-live=polite]", f"{percent}%, ")
    assert page.js("return window.isSamePage"), "the page was loaded anew for its figures"
    set_waiting(idle, batch)
    drain(idle)
    page.until_job("Completed")
    assert page.tiles()["Rows imported"] == "7"


def test_the_list_is_live(desktop, idle, week, save):
    page = desktop
    page.login(idle)
    batch = idle.upload(mf.wide(1, first=week), "listed.csv")
    page.open(idle, "/jobs")
    row = f"[data-job='{batch}']"
    assert "Waiting" in page.text(row)
    page.js("window.isSamePage = true")
    assert idle.worker("run", "--once").returncode == 0
    page.until(row, "7 rows imported")
    page.until("#announce", "listed.csv: Completed")
    assert page.js("return window.isSamePage")


def test_a_lost_connection_is_told(desktop, idle, week):
    page = desktop
    page.login(idle)
    page.expected = ["ERR_INTERNET_DISCONNECTED"]
    batch = idle.upload(mf.wide(1, first=week), "lost.csv")
    page.open(idle, f"/status/{batch}")
    offline = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    page.cdp("Network.enable")
    page.cdp("Network.emulateNetworkConditions", offline=True, **offline)
    page.until("[data-connection]", "Connection lost, trying again.")
    page.cdp("Network.emulateNetworkConditions", offline=False, **offline)
    wait_for(lambda: not page.find("[data-connection]").is_displayed(), "the connection")


# ---- uploading --------------------------------------------------------------------------------------

def test_upload_progress_and_cancelling(scripted, working, save):
    page = scripted
    page.login(working)
    page.js("""
        window.said = [];
        const text = document.querySelector("[data-sending-text]");
        new MutationObserver(() => said.push(text.textContent)).observe(text, {childList: true});""")
    before = len(working.get(working.api + "/jobs?limit=200").json()["jobs"])
    page.cdp("Network.enable")
    page.cdp("Network.emulateNetworkConditions", offline=False, latency=0, downloadThroughput=-1,
             uploadThroughput=1000000)
    page.choose(save("slow.csv", mf.wide(100, first="2022-01-01", count=60)))
    page.find("[data-upload-button]").click()
    halfway = wait_for(lambda: [t for t in page.js("return said") if t.startswith(
        tuple(f"{n}%, " for n in range(1, 99)))], "a share of the upload")
    assert " KB of " in halfway[0] or " MB of " in halfway[0]
    assert not page.find("[data-upload-button]").is_enabled()
    page.press("Cancel the upload")
    assert page.find("[data-upload-button]").is_enabled()
    assert not page.find("[data-sending]").is_displayed()
    page.cdp("Network.emulateNetworkConditions", offline=False, latency=0, downloadThroughput=-1,
             uploadThroughput=-1)
    assert len(working.get(working.api + "/jobs?limit=200").json()["jobs"]) == before


def test_what_is_too_large_is_not_sent(desktop, idle, save):
    page = desktop
    page.login(idle)
    page.choose(save("too large.csv", "x" * 1100000))
    words = "What you chose has 1.1 MB. The limit is 1 MB."
    assert words in page.text("[role=alert]")
    page.find("[data-upload-button]").click()
    assert words in page.text("[role=alert]")
    assert page.find("#csv_file").get_attribute("aria-invalid") == "true"
    sent = page.js("return performance.getEntriesByType('resource').map(e => e.initiatorType)")
    assert "xmlhttprequest" not in sent


def test_what_the_server_refuses_is_shown_in_the_form(desktop, idle, save):
    page = desktop
    page.login(idle)
    page.expected = ["status of 422"]
    page.js("document.querySelector('#csv_file').dataset.maxBytes = ''")
    page.choose(save("too large.csv", "x" * 1100000))
    page.find("#notes").send_keys("still here")
    page.find("[data-upload-button]").click()
    page.until("[role=alert]", "1 MB")
    assert page.find("#notes").get_property("value") == "still here"
    assert page.find("[data-upload-button]").is_enabled()


def test_drag_and_drop(scripted, working, week):
    page = scripted
    page.login(working)
    drag = """
        const transfer = new DataTransfer();
        transfer.items.add(new File([arguments[1]], "dropped.csv", {type: "text/csv"}));
        document.querySelector("[data-drop]").dispatchEvent(
            new DragEvent(arguments[0], {dataTransfer: transfer, bubbles: true, cancelable: true}));"""
    content = mf.wide(1, first=week)
    page.js(drag, "dragover", content)
    assert "over" in page.find("[data-drop]").get_attribute("class")
    page.js(drag, "drop", content)
    assert "over" not in page.find("[data-drop]").get_attribute("class")
    assert "dropped.csv (2." in page.text("[data-chosen]")
    page.until("#announce", "Chosen: dropped.csv")
    page.tick("async", False)
    page.find("[data-upload-button]").click()
    page.until_job("Completed")
    assert page.text("h1") == "dropped.csv" and page.tiles()["New readings"] == "336"


# ---- keyboard ---------------------------------------------------------------------------------------

NAME = """e => (e.getAttribute("aria-label") || e.name || e.textContent).trim().replace(/\\s+/g, " ")"""
REACHABLE = """
    const name = %s, groups = new Set();
    return [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
        .filter(e => e.checkVisibility() && !e.disabled && e.type !== "hidden")
        .filter(e => e.type !== "radio" || (!groups.has(e.name) && groups.add(e.name)))
        .map(name);""" % NAME
FOCUSED = """
    const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
    return e === document.body ? null : {
        name: (%s)(e), parts: e.type === "datetime-local", outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
        shown: box.width > 0 && box.right > 0 && box.bottom > 0 && box.left < innerWidth};""" % NAME


def tab_through(page):
    """What Tab reaches from the start of the page, in its order."""
    reached = []
    while True:
        keys(page, Keys.TAB)
        focused = page.js(FOCUSED)
        if not focused or (reached and focused["name"] == reached[0]["name"]):
            return reached
        # day, month, year … of a time are stops of their own
        if not reached or (focused["name"], focused["parts"]) != (reached[-1]["name"], True):
            reached.append(focused)


def test_tab_reaches_everything(desktop, idle, week):
    page = desktop
    page.login(idle)
    batch = idle.upload(mf.wide(1, first=week), "by keyboard.csv")
    for path in ("", "/jobs?q=by+keyboard", f"/status/{batch}"):
        page.open(idle, path)
        reached = tab_through(page)
        assert [f["name"] for f in reached] == page.js(REACHABLE)
        assert reached[0]["name"] == "Skip to the content"
        assert all(f["outlined"] and f["shown"] for f in reached), reached


def test_skip_link(desktop, idle):
    page = desktop
    page.login(idle)
    keys(page, Keys.TAB, Keys.ENTER)
    assert page.js("return document.activeElement.id") == "main"
    keys(page, Keys.TAB)
    assert page.js("return document.activeElement.id") == "csv_file"


def focus(page, name):
    for _ in range(40):
        keys(page, Keys.TAB)
        if (page.js(FOCUSED) or {}).get("name") == name:
            return
    raise AssertionError(f"Tab does not reach '{name}'")


def test_everything_works_by_keyboard(desktop, idle, week, save):
    page = desktop
    page.login(idle)
    page.choose(save("keys.csv", mf.wide(1, first=week)))
    focus(page, "import_type")
    keys(page, Keys.ARROW_RIGHT)
    focus(page, "dry_run")
    keys(page, Keys.SPACE)
    assert page.find("input[value=hh]").is_selected() and page.find("[name=dry_run]").is_selected()
    focus(page, "Upload and compare")
    keys(page, Keys.ENTER)
    page.until_job("Waiting")
    focus(page, "Cancel this import…")
    keys(page, Keys.SPACE)
    assert page.find("details.confirm").get_property("open")
    keys(page, Keys.ESCAPE)
    assert not page.find("details.confirm").get_property("open")
    keys(page, Keys.ENTER, Keys.TAB)
    assert page.js(FOCUSED)["name"] == "Cancel the import"
    keys(page, Keys.ENTER)
    page.until_job("Cancelled")


# ---- widths and schemes -----------------------------------------------------------------------------

def test_no_page_is_wider_than_the_phone(phone, idle, week):
    page = phone
    page.login(idle)
    page.expected = ["status of 404"]
    broken = mf.one_row(["x" * 300] + ["1"] * 47, date=week) + "y" * 500 + "\n"
    names = ["n" * 250 + ".csv", "half_hourly_" * 20 + ".csv", "Ж" * 100 + ".csv"]
    batches = [idle.upload(broken if n else mf.wide(2, first=week), name,
                           notes="z" * 900) for n, name in enumerate(names)]
    waiting = idle.upload(broken, names[0])
    paths = ["", "/jobs", "/jobs?q=" + "q" * 200, "/status/none"]
    paths += [f"/status/{batch}" for batch in (*batches, waiting)]
    for drained in (False, True):
        for path in paths:
            page.open(idle, path)
            page.js("document.querySelectorAll('details').forEach(d => { d.open = true; })")
            assert page.js("return document.scrollingElement.scrollWidth") <= 390, (
                path, drained, page.js("""
                    return [...document.querySelectorAll("body *")]
                        .filter(e => e.getBoundingClientRect().right > 391)
                        .map(e => e.outerHTML.slice(0, 200)).join("\\n")"""))
            assert page.js("""
                const tabs = document.querySelector(".tabs");
                return !tabs || tabs.scrollWidth <= tabs.clientWidth;"""), "tabs out of sight"
        if not drained:
            assert idle.worker("run", "--once").returncode in (0, 1)


def test_the_dark_scheme(desktop, idle):
    page = desktop
    page.login(idle)
    lightness = {}
    try:
        for scheme in ("light", "dark"):
            page.scheme(scheme)
            page.open(idle)
            rgb = page.js("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g)")
            lightness[scheme] = sum(map(int, rgb[:3]))
    finally:
        page.scheme("light")
    assert lightness["light"] > 600 and lightness["dark"] < 150
