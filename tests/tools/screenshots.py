#!/usr/bin/python3
"""Takes the screenshots of docs/: `make screenshots`.

A private server is filled with invented jobs in every state; each page is shown at desktop and
phone width and cropped at the height that is given here, or at its end.
"""

import base64
import io
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/browser")]
from PIL import Image  # noqa: E402 (Debian's python3-pil)

import browsing  # noqa: E402
import harness  # noqa: E402
import scenes  # noqa: E402

OUT = ROOT / "docs" / "screenshots"
MAX_BYTES = 150000
HEIGHTS = {"upload": 1180, "jobs": 1240, "status": 1366}
SIZES = {"desktop": browsing.DESKTOP, "phone": browsing.PHONE}


def take(browser, path, height):
    """The page from its top, at most that high, as a small PNG."""
    width = browser.size[0]
    height = min(height, browser.js("return Math.ceil(document.documentElement.scrollHeight)"))
    png = base64.b64decode(browser.cdp(
        "Page.captureScreenshot", format="png", captureBeyondViewport=True,
        clip={"x": 0, "y": 0, "width": width, "height": height, "scale": 1})["data"])
    image = Image.open(io.BytesIO(png)).convert("RGB")
    image.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        path, optimize=True)
    size = path.stat().st_size
    print(f"{path.relative_to(ROOT)}: {width} x {height}, {size} bytes")
    assert size < MAX_BYTES, f"{path.name} is larger than {MAX_BYTES} bytes"


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    server = harness.Httpd(Workers="0")
    browsers = []
    try:
        server.start()
        jobs = scenes.fill(server)
        scenes.set_worker(server)
        for name, size in SIZES.items():
            browser = browsing.Browser(size)
            browsers.append(browser)
            browser.login(server)
            for page, path in (("upload", ""), ("jobs", "/jobs"),
                               ("status", f"/status/{jobs['errors']}")):
                browser.open(server, path)
                take(browser, OUT / f"{page}-{name}.png", HEIGHTS[page])
        server.stop()
    finally:
        for browser in browsers:
            browser.close()
        server.kill()
        server.remove()


if __name__ == "__main__":
    main()
