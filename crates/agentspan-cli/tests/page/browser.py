"""Chromium without a window, driven over the DevTools protocol on a pair of pipes. It needs nothing but Python's library."""

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

# A test that waits this long waits in vain.
PATIENCE = 20
KEYS = {"ArrowDown": 40, "ArrowUp": 38, "ArrowLeft": 37, "ArrowRight": 39, "Enter": 13, "Escape": 27, "Home": 36, "End": 35, "PageDown": 34, "PageUp": 33, "Tab": 9}


def chromium():
    """The browser of the machine; on Debian it is installed if it is missing."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if shutil.which(name):
            return shutil.which(name)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    for command in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
        subprocess.run([*sudo, "apt-get", "--quiet", "--quiet", *command], check=True, env=environment)
    return shutil.which("chromium")


class Browser:
    def __init__(self):
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        commands, self.commands = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 20) for end in os.pipe())
        self.answers, answers = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 20) for end in os.pipe())
        program = chromium()
        arguments = [program, "--headless", "--remote-debugging-pipe", f"--user-data-dir={self.profile.name}", "--no-first-run",
                     "--hide-scrollbars", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions", "--disable-background-networking",
                     "--disable-component-update", "--disable-sync", "--force-color-profile=srgb", "--lang=en-GB"]
        # Chromium's own sandbox does not work for the superuser, whom containers often have.
        arguments += ["--no-sandbox"] if os.geteuid() == 0 else []
        files = [(os.POSIX_SPAWN_DUP2, commands, 3), (os.POSIX_SPAWN_DUP2, answers, 4),
                 (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0), (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)]
        self.process = os.posix_spawn(program, arguments, {**os.environ, "TZ": "UTC", "HOME": self.profile.name}, file_actions=files)
        os.close(commands)
        os.close(answers)
        self.number, self.buffer, self.events = 0, b"", []

    def send(self, method, session=None, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters, **({"sessionId": session} if session else {})}
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        wanted = self.number
        # For all that is received until the answer comes: a page in the background may only tell of its requests.
        deadline = time.monotonic() + PATIENCE
        while True:
            message = self.receive(method, deadline)
            if message.get("id") == wanted:
                assert "error" not in message, (method, message.get("error"))
                return message["result"]
            if "method" in message:
                self.events.append(message)

    def receive(self, what, deadline):
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.answers], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"no answer to {what}"
            piece = os.read(self.answers, 1 << 20)
            assert piece, "the browser has ended"
            self.buffer += piece
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def close(self):
        os.kill(self.process, signal.SIGTERM)
        os.waitpid(self.process, 0)
        os.close(self.commands)
        self.profile.cleanup()


class Page:
    """A tab with the page of a server, or with another one that is ready in another way."""

    def __init__(self, browser, address, width=1440, height=900, ready="document.getElementById('main')"):
        self.browser, self.address = browser, address
        target = browser.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log", "DOM"):
            self.send(domain + ".enable")
        self.size(width, height)
        self.send("Page.navigate", url=address)
        self.wait(f"document.readyState === 'complete' && {ready}")

    def send(self, method, **parameters):
        return self.browser.send(method, self.session, **parameters)

    def size(self, width, height):
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def js(self, expression):
        answer = self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True)
        assert "exceptionDetails" not in answer, (expression, answer["exceptionDetails"].get("exception", answer))
        return answer["result"].get("value")

    def wait(self, condition):
        """Waits, frame by frame, until an expression is true, and returns its value."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            value = self.js("new Promise((done) => { const until = performance.now() + 2000; const look = () => { let value; try { value = ("
                            + condition + "); } catch (error) { value = null; } if (value instanceof Node) value = true; if (value || performance.now() > until) done(value); else requestAnimationFrame(look); }; look(); })")
            if value:
                return value
        raise AssertionError(f"never true: {condition}\n{self.js('document.body.innerText.slice(0, 600)')}")

    def go(self, fragment):
        self.js(f"location.hash = {json.dumps(fragment)}")

    def key(self, *keys):
        for key in keys:
            code = KEYS.get(key, ord(key.upper()) if len(key) == 1 else 0)
            text = {"text": "\r" if key == "Enter" else key} if len(key) == 1 or key == "Enter" else {}
            self.send("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, **text)
            self.send("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def write(self, text):
        self.send("Input.insertText", text=text)

    def mouse(self, kind, x, y, clicks=1):
        self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=clicks)

    def click(self, x, y, clicks=1):
        self.mouse("mousePressed", x, y, clicks)
        self.mouse("mouseReleased", x, y, clicks)

    def click_on(self, selector, text=""):
        """Clicks on the first element that fits and has the text."""
        x, y = self.wait("(() => { const one = [...document.querySelectorAll(%s)].find((one) => one.textContent.includes(%s) && one.getClientRects().length);"
                         " if (!one) return null; one.scrollIntoView({block: 'nearest'}); const box = one.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; })()"
                         % (json.dumps(selector), json.dumps(text)))
        self.click(x, y)

    def screenshot(self, path):
        data = self.send("Page.captureScreenshot", format="png", optimizeForSpeed=False)["data"]
        path.write_bytes(base64.b64decode(data))

    def requests(self):
        """The addresses of all requests so far."""
        return [event["params"]["request"]["url"] for event in self.browser.events if event["method"] == "Network.requestWillBeSent"]

    def complaints(self):
        """Errors, violations of the policy, and dialogs so far."""
        names = ("Runtime.exceptionThrown", "Page.javascriptDialogOpening", "Log.entryAdded")
        found = [event for event in self.browser.events if event["method"] in names]
        return [event for event in found if event["params"].get("entry", {}).get("source") != "network"]
