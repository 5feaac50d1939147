#!/usr/bin/env python3
"""Looks at the page of `drvc report` in Chromium: contrast, width, console, and everything by keyboard.

    browser.py PAGE PICTURES

Writes a picture for each size and colour scheme into the directory PICTURES. Ends with 1, and a line for each fault.
"""
import base64
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import websocket

# The contrast of every text with what is behind it (WCAG 2), worst first, and whether the page is wider than the window.
LOOK = r"""(() => {
  const channels = color => color.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => (c /= 255) <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    .reduce((sum, c, at) => sum + c * [.2126, .7152, .0722][at], 0);
  const behind = element => {
    for (let one = element; one; one = one.parentElement) {
      const color = getComputedStyle(one).backgroundColor, parts = channels(color);
      if (parts.length < 4 || parts[3] > 0) return parts;
    }
    return [255, 255, 255];
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility()) continue;
    const style = getComputedStyle(element), svg = element.closest("svg");
    const ink = channels(svg ? style.fill : style.color);
    const [a, b] = [light(ink), light(behind(svg ? svg.parentElement : element))];
    found.push([(Math.max(a, b) + .05) / (Math.min(a, b) + .05), texts.currentNode.data.trim().slice(0, 40)]);
  }
  found.sort((a, b) => a[0] - b[0]);
  return {worst: found[0], wide: document.documentElement.scrollWidth - innerWidth};
})()"""

FOCUS = r"""(() => {
  const one = document.activeElement, style = getComputedStyle(one);
  return [one.tagName + (one.id && "#" + one.id), one.textContent.trim().slice(0, 30),
    one === document.body || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2)];
})()"""


class Browser:
    def __init__(self, home):
        words = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
                 "--remote-allow-origins=*", f"--user-data-dir={home}", "about:blank"]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port = Path(home) / "DevToolsActivePort"
        for _ in range(600):
            if port.exists() and "\n" in port.read_text():
                break
            time.sleep(0.1)
        number = port.read_text().splitlines()[0]
        pages = json.load(urllib.request.urlopen(f"http://127.0.0.1:{number}/json"))
        page = next(page for page in pages if page["type"] == "page")
        self.socket = websocket.create_connection(page["webSocketDebuggerUrl"], timeout=60)
        self.number, self.said = 0, []
        for domain in ("Page", "Runtime", "Log"):
            self.do(f"{domain}.enable")

    def do(self, method, **params):
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": params}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("method") in ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
                self.said.append(json.dumps(message["params"])[:300])
            if message.get("id") == self.number:
                return message.get("result", message)

    def value(self, script):
        return self.do("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def key(self, key, code, text=None):
        both = {"key": key, "code": key if len(key) > 1 else "Space", "windowsVirtualKeyCode": code}
        self.do("Input.dispatchKeyEvent", type="keyDown", **both, **({"text": text} if text else {}))
        self.do("Input.dispatchKeyEvent", type="keyUp", **both)

    def show(self, address, width, height, scheme):
        self.do("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.do("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.do("Page.navigate", url=address)
        for _ in range(600):
            if self.value("document.readyState") == "complete" and self.value("location.protocol") == "file:":
                return
            time.sleep(0.1)

    def picture(self, path, whole=True):
        data = self.do("Page.captureScreenshot", captureBeyondViewport=whole)["data"]
        path.write_bytes(base64.b64decode(data))


def walk(browser):
    """Goes through the page by keyboard alone, and says what is wrong."""
    faults, seen = [], []
    for _ in range(400):
        browser.key("Tab", 9)
        name, text, is_seen = browser.value(FOCUS)
        if name == "BODY":
            break
        if not is_seen:
            faults.append(f"no outline on {name} {text!r}")
        seen.append(name)
        if name == "SUMMARY" and seen.count(name) == 1:
            before = browser.value("document.activeElement.parentElement.open")
            browser.key("Enter", 13, "\r")
            if browser.value("document.activeElement.parentElement.open") == before:
                faults.append("Enter does not fold")
            browser.key("Enter", 13, "\r")
        if name == "INPUT#busy":
            browser.key(" ", 32, " ")
            if browser.value("[...document.querySelectorAll('.calm')].some(one => one.checkVisibility())"):
                faults.append("the filter does not hide what is up to date")
            browser.key(" ", 32, " ")
        if name == "A" and "failed" in text:
            place = browser.value("document.activeElement.hash")
            browser.key("Enter", 13, "\r")
            if not browser.value(f"document.querySelector('{place}').checkVisibility()"):
                faults.append(f"{place} stays folded")
    faults += [f"the keyboard never comes to {kind}" for kind in ("A", "SUMMARY") if kind not in seen]
    return faults, len(seen)


def main():
    page, pictures = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    faults = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        browser = Browser(home)
        try:
            for width, height in ((1280, 800), (390, 844)):
                for scheme in ("light", "dark"):
                    browser.show(page.as_uri(), width, height, scheme)
                    browser.value("document.querySelectorAll('details').forEach(one => one.open = true)")
                    (worst, text), wide = browser.value(LOOK).values()
                    print(f"{width}, {scheme}: least contrast {worst:.2f} ({text})")
                    if worst < 4.5:
                        faults.append(f"{width}, {scheme}: contrast {worst:.2f} of {text!r}")
                    if wide > 0:
                        faults.append(f"{width}, {scheme}: {wide} pixels wider than the window")
                    browser.show(page.as_uri(), width, height, scheme)
                    browser.picture(pictures / f"{width}-{scheme}.png")
            browser.show(page.as_uri(), 1280, 800, "light")
            found, number = walk(browser)
            print(f"{number} stops by keyboard")
            faults += found + [f"console: {line}" for line in browser.said]
        finally:
            browser.process.terminate()
            browser.process.wait()
    for fault in faults:
        print(f"fault: {fault}")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
