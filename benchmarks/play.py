"""`python -m benchmarks.play`: how soon `deltarule play` is ready, and how many epochs a second it shows.

Chromium is driven by Playwright; the figures go to docs/play.md by hand. It takes about a minute.
"""

import re
import shutil
import subprocess
import sys
import time
from typing import Any

SOURCES = ("circles", "digits")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
SEEN = """() => {
  window.seen = [];
  const epoch = document.getElementById("epoch");
  const note = () => window.seen.push([performance.now(), Number(epoch.textContent)]);
  new MutationObserver(note).observe(epoch, { childList: true, characterData: true, subtree: true });
}"""
PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000"


def main() -> None:
    """Measure every source and print a line for each."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for source in SOURCES:
            print(measured(browser, source), flush=True)
        browser.close()


def measured(browser: Any, source: str) -> str:
    """From the command to the first paint, and epochs and pictures a second, at 60 and without a limit."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    began = time.perf_counter()
    words = [sys.executable, "-m", "deltarule", "play", source, "--no-browser"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http\S+", process.stdout.readline())
        assert found is not None
        printed = time.perf_counter() - began
        page.goto(found[0])
        page.locator("#steps button").first.wait_for()
        drawn = time.perf_counter() - began
        paint = page.evaluate(PAINT)
        if source == "circles":  # 2-8-8-1 on 200 points
            page.get_by_test_id("set-hidden").fill("8,8")
            page.get_by_test_id("set-hidden").press("Enter")
            page.get_by_test_id("neuron-3-7").wait_for()
        limited = rate(page)
        page.get_by_test_id("speed").select_option("0")
        free = rate(page)
        process.terminate()
    return (
        f"{source}: address after {printed:.2f} s, first paint {printed + paint:.2f} s after the command, all numbers "
        f"{drawn:.2f} s; asked for 60 epochs a second {limited}; as fast as it can {free}"
    )


def rate(page: Any, seconds: float = 5.0) -> str:
    """Epochs and pictures a second while it runs."""
    page.evaluate(SEEN)
    page.get_by_test_id("run").click()
    page.wait_for_timeout(1000 * seconds)
    page.get_by_test_id("pause").click()
    page.wait_for_timeout(300)
    (first, before), *_, (last, after) = page.evaluate("() => window.seen")
    pictures = page.evaluate("() => window.seen.length") - 1
    span = (last - first) / 1000
    return f"{(after - before) / span:.0f} in {pictures / span:.0f} pictures"


if __name__ == "__main__":
    main()
