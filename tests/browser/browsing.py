"""A headless Chromium with a profile of its own, for tests and screenshots.

It reaches 127.0.0.1 and nothing else: every other name is unknown to it.
"""

import contextlib
import pathlib
import shutil
import tempfile
import urllib.parse

from selenium import webdriver
from selenium.common.exceptions import (ElementNotInteractableException, NoSuchElementException,
                                        StaleElementReferenceException, WebDriverException)
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

import harness
from harness import wait_for

PHONE, DESKTOP = (390, 844), (1280, 900)


def preferences(directory, javascript):
    prefs = {"download.default_directory": str(directory / "downloads"),
             "download.prompt_for_download": False,
             "credentials_enable_service": False,
             "net.network_prediction_options": 2}
    if not javascript:
        prefs["profile.managed_default_content_settings.javascript"] = 2
    return prefs


@contextlib.contextmanager
def between_pages():
    """What the driver says when a page gives way to another while it looks, is no error."""
    try:
        yield
    except (NoSuchElementException, StaleElementReferenceException):
        pass
    except WebDriverException as e:
        if not any(words in str(e) for words in ("aborted by navigation",
                                                 "does not belong to the document")):
            raise


def gone(element):
    with between_pages():
        try:
            element.is_enabled()
        except StaleElementReferenceException:
            return True
    return False


class Browser:
    """One browser window of a size, with or without JavaScript."""

    def __init__(self, size=DESKTOP, javascript=True):
        self.size, self.javascript = size, javascript
        self.is_phone = size[0] < 600
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="eclectyc-browser-", dir="/tmp"))
        self.downloads = self.dir / "downloads"
        self.downloads.mkdir()
        self.expected = []  # parts of console messages that are no surprise
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for flag in ("headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run",
                     "disable-background-networking", "disable-component-update", "disable-sync",
                     "disable-dev-shm-usage", "disable-extensions", "disable-default-apps",
                     "no-default-browser-check", "no-proxy-server", "hide-scrollbars",
                     "disable-lcd-text",
                     "host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                     f"user-data-dir={self.dir / 'profile'}",
                     f"window-size={size[0]},{size[1]}"):
            options.add_argument("--" + flag)
        options.add_experimental_option("prefs", preferences(self.dir, javascript))
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        if self.is_phone:
            options.add_experimental_option("mobileEmulation", {
                "deviceMetrics": {"width": size[0], "height": size[1], "pixelRatio": 1,
                                  "touch": True, "mobile": True}})
        self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        self.driver.set_page_load_timeout(harness.DEADLINE * 2)
        if not self.is_phone:
            self.cdp("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1],
                     deviceScaleFactor=1, mobile=False)

    def close(self):
        self.driver.quit()
        shutil.rmtree(self.dir, ignore_errors=True)

    def cdp(self, command, **parameters):
        return self.driver.execute_cdp_cmd(command, parameters)

    # ---- going places -------------------------------------------------------------------------

    def login(self, server):
        """From here on the browser knows the server's user and password, as after its prompt."""
        user = urllib.parse.quote(harness.USER), urllib.parse.quote(harness.PASSWORD)
        self.driver.get(f"http://{user[0]}:{user[1]}@127.0.0.1:{server.port}{server.admin_path}")
        assert self.find("h1").text == "Upload meter data"

    def open(self, server, path=""):
        self.driver.get(path if path.startswith("http") else server.admin + path)

    def reset(self):
        """A blank page, no other windows, no surprises from before."""
        first, *others = self.driver.window_handles
        for window in others:
            self.driver.switch_to.window(window)
            self.driver.close()
        self.driver.switch_to.window(first)
        self.driver.get("about:blank")
        self.surprises()
        self.expected = []

    def scheme(self, name):
        self.cdp("Emulation.setEmulatedMedia",
                 features=[{"name": "prefers-color-scheme", "value": name}])

    def surprises(self):
        """What the console holds that no test announced: errors, refusals of the page's policy."""
        return [e["message"] for e in self.driver.get_log("browser")
                if e["level"] in ("SEVERE", "WARNING")
                and not any(part in e["message"] for part in self.expected)]

    # ---- looking ------------------------------------------------------------------------------

    @property
    def path(self):
        return urllib.parse.urlsplit(self.driver.current_url).path

    @property
    def batch_id(self):
        return self.path.rsplit("/", 1)[1]

    def find(self, css):
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def text(self, css="main"):
        """The shown text of an element, "" if there is none (any more)."""
        with between_pages():
            return self.find(css).text
        return ""

    def texts(self, css):
        """The shown texts of all such elements, none of which was exchanged meanwhile."""
        def read():
            with between_pages():
                return [[element.text for element in self.all(css)]]
            return None
        return wait_for(read, f"{css} to stay")[0]

    def until(self, css, text, deadline=harness.DEADLINE):
        """Waits for a text in an element, while the page may load itself anew."""
        try:
            wait_for(lambda: text in self.text(css), f"'{text}' in {css}", deadline)
        except AssertionError as e:
            raise AssertionError(f"{e}; the page says:\n{self.text('body')}") from None

    def js(self, script, *args):
        return self.driver.execute_script(script, *args)

    def tiles(self):
        """The figures of a job's page by their names."""
        return {tile.find_element(By.CSS_SELECTOR, "dt").text:
                tile.find_element(By.CSS_SELECTOR, "dd").text for tile in self.all(".tile")}

    def rows(self, css):
        """The cells of a table's body."""
        return [[cell.text for cell in row.find_elements(By.CSS_SELECTOR, "th, td")]
                for row in self.all(f"{css} tbody tr")]

    # ---- doing --------------------------------------------------------------------------------

    def press(self, name, within="main"):
        """Presses the button or link, or opens the confirmation, that is shown with this name."""
        found = [element for element in self.all(f"{within} :is(button, summary, a)")
                 if " ".join(element.get_property("textContent").split()) == name
                 and element.is_displayed()]
        assert found, f"nothing to press is named '{name}':\n{self.text('body')}"
        leaves = found[0].get_property("href") and found[0].get_attribute("download") is None or (
            found[0].get_property("form") and found[0].get_property("type") == "submit")
        here = self.find("html")
        found[0].click()
        if leaves:
            wait_for(lambda: gone(here), f"'{name}' to lead to a page")

    def confirm(self, opening, name):
        """Opens a confirmation and presses what it asks; again, where a page without script has
        loaded itself anew between the two."""
        def is_pressed():
            try:
                self.press(opening)
                self.press(name)
            except ElementNotInteractableException:
                return False
            return True
        wait_for(is_pressed, f"'{opening}' to stay open")

    def choose(self, *files):
        self.find("#csv_file").send_keys("\n".join(map(str, files)))

    def tick(self, name, on):
        box = self.find(f"input[name={name}]")
        if box.is_selected() != on:
            box.click()

    def upload(self, *files, dry_run=False, background=False, notes=""):
        """Fills in the form that is shown and sends it."""
        self.choose(*files)
        self.tick("dry_run", dry_run)
        self.tick("async", background)
        self.find("#notes").send_keys(notes)
        self.find("[data-upload-button]").click()

    def until_job(self, status, deadline=harness.DEADLINE):
        """Waits for a job's page with this status."""
        self.until("h1 + .sub .badge", status, deadline)
