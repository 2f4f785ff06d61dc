#!/usr/bin/python3
"""browser.py PAGE COMMAND...: open a page in headless Chromium and try it as a reader would.

Speaks the DevTools protocol over a pipe (descriptors 3 and 4 of the browser), so that keys are real ones. What
the page must be is in the functions below, one for each COMMAND; a failed one is printed, and the status is 1.
"""
import json
import os
import subprocess
import sys
import tempfile


class Browser:
    def __init__(self, url):
        self.ids, self.events = 0, []
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        r4, self.out = os.pipe()
        self.inp, w3 = os.pipe()

        def fds():
            a, b = os.dup(r4), os.dup(w3)  # neither is 3 or 4 then
            os.dup2(a, 3)
            os.dup2(b, 4)

        high = [os.dup(f) for f in (r4, w3) for _ in range(4)]  # keep 3 and 4 free for the child
        self.process = subprocess.Popen(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--no-first-run", "--disable-background-networking", "--disable-component-update",
             "--user-data-dir=" + self.profile.name, "--remote-debugging-pipe", "about:blank"],
            preexec_fn=fds, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        for f in high + [r4, w3]:
            os.close(f)
        self.buffer = b""
        self.session = None
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(domain + ".enable")
        self.send("Page.navigate", url=url)
        while not any(e["method"] == "Page.loadEventFired" for e in self.events):
            self.events.append(self.receive())

    def receive(self):
        while b"\0" not in self.buffer:
            more = os.read(self.inp, 1 << 20)
            if not more:
                sys.exit("the browser is gone")
            self.buffer += more
        line, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(line)

    def send(self, method, **params):
        self.ids += 1
        message = {"id": self.ids, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.ids:
                if "error" in answer:
                    sys.exit("%s: %s" % (method, answer["error"]))
                return answer["result"]
            self.events.append(answer)

    def js(self, expression):
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            sys.exit("%s: %s" % (expression, answer["exceptionDetails"]))
        return answer["result"].get("value")

    def key(self, key, text=None):
        code = {"Enter": 13, "Escape": 27, "Tab": 9, " ": 32}.get(key, ord(key[0].upper()))
        if text is None and len(key) == 1:
            text = key
        if key == "Enter":
            text = "\r"
        extra = {"text": text} if text else {}
        self.send("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, **extra)
        self.send("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def type(self, text):
        for c in text:
            self.key(c)

    def close(self):
        self.process.kill()
        self.process.wait()


failed = 0


def expect(what, got, wanted):
    global failed
    if got != wanted:
        print("%s: %r, not %r" % (what, got, wanted))
        failed += 1


SHOWN = "[...document.querySelectorAll('article')].filter(a => a.offsetHeight > 0).length"

# Text elements whose contrast with what is behind them is below 4.5.
CONTRAST = """(() => {
    const parse = c => { const m = c.match(/[\\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; };
    const lum = c => { const f = c.slice(0, 3).map(v => v / 255)
        .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
        return .2126 * f[0] + .7152 * f[1] + .0722 * f[2]; };
    const behind = e => { for (; e; e = e.parentElement) {
        const c = parse(getComputedStyle(e).backgroundColor); if (c[3] > .99) return c; } return [255, 255, 255, 1]; };
    const bad = []; let seen = 0;
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const e = walk.currentNode.parentElement;
        if (!walk.currentNode.data.trim() || !e.getClientRects().length || e.closest('script, style, title')) continue;
        const s = getComputedStyle(e), ink = parse(e.closest('svg') ? s.fill : s.color);
        const a = lum(ink), b = lum(behind(e));
        const r = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
        seen++;
        if (r < 4.5) bad.push(e.className + ' ' + walk.currentNode.data.slice(0, 20) + ' ' + r.toFixed(2));
    }
    return seen > 20 ? bad : ['only ' + seen + ' texts'];
})()"""


def quiet(b):
    """Nothing was loaded but the page, and nothing complained."""
    urls = {e["params"]["request"]["url"] for e in b.events if e["method"] == "Network.requestWillBeSent"}
    expect("requests", [u for u in urls if not u.startswith("file:///")], [])
    expect("files asked for", len(urls), 1)
    expect("errors", [e for e in b.events if e["method"] in ("Runtime.exceptionThrown", "Log.entryAdded")], [])


def reads(b):
    """Six findings; search, filters and keys do what the foot of the page says."""
    expect("shown at first", b.js(SHOWN), 6)
    b.key("/")
    expect("/ goes to the search", b.js("document.activeElement.id"), "search")
    b.type("race_too")
    expect("found by function", b.js(SHOWN), 1)
    expect("and said", b.js("document.getElementById('count').textContent"), "1 of 6 shown")
    b.key("Enter")
    expect("Enter goes to the first", b.js("document.activeElement.tagName"), "SUMMARY")
    expect("closed", b.js("document.activeElement.parentElement.open"), False)
    b.key("Enter")
    expect("Enter opens", b.js("document.activeElement.parentElement.open"), True)
    b.key("/")
    b.key("Escape")
    expect("Escape clears", b.js(SHOWN), 6)
    b.type("no such words")
    expect("nothing found", b.js(SHOWN), 0)
    b.key("Escape")
    b.js("document.activeElement.blur()")
    for _ in range(3):
        b.key("j")
    expect("j goes down", b.js("[...document.querySelectorAll('summary')].indexOf(document.activeElement)"), 2)
    b.key("k")
    expect("k goes up", b.js("[...document.querySelectorAll('summary')].indexOf(document.activeElement)"), 1)
    b.js("document.querySelector('input[data-kind=data-race]').focus()")
    b.key(" ")
    expect("a kind can be left out", b.js(SHOWN), 4)
    b.js("document.querySelector('#search').focus()")
    seen = set()
    for _ in range(12):
        b.key("Tab")
        seen.add(b.js("document.activeElement.tagName"))
    expect("Tab reaches what can be used", {"INPUT", "SUMMARY"} <= seen, True)


def picture(b):
    """The first finding's timeline: lanes, an edge, the missing one, both accesses marked in the source."""
    first = "document.querySelector('article svg')"
    expect("drawn", b.js(first + ".getBoundingClientRect().height > 100"), True)
    expect("lanes", b.js(first + ".querySelectorAll('.lane').length"), 2)
    expect("go edge", b.js(first + ".querySelector('.edge').getTotalLength() > 100"), True)
    expect("missing edge", b.js(first + ".querySelector('.gap').getTotalLength() > 30"), True)
    expect("accesses", b.js(first + ".querySelectorAll('.hit').length"), 2)
    expect("words", b.js("/no order/.test(%s.textContent)" % first), True)
    expect("named for screen readers", b.js("!!document.getElementById(%s.getAttribute('aria-labelledby'))" % first), True)
    expect("marked lines", b.js("[...document.querySelectorAll('article')][0].querySelectorAll('.here').length"), 2)
    expect("of the source", b.js("document.querySelector('article .here').textContent.includes('*p = ')"), True)
    expect("inside", b.js("""[...document.querySelectorAll('svg')].every(s => [...s.querySelectorAll('text')].every(t => {
        const r = t.getBBox(); return r.x >= 0 && r.y >= 0 && r.x + r.width <= s.viewBox.baseVal.width
            && r.y + r.height <= s.viewBox.baseVal.height; }))"""), True)


def looks(b):
    """Contrast in light and dark, nothing cut off on a phone."""
    b.js("document.querySelectorAll('details').forEach(d => d.open = true)")
    for scheme in ("light", "dark"):
        b.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        expect("contrast, " + scheme, b.js(CONTRAST), [])
    expect("dark is dark", b.js("getComputedStyle(document.body).backgroundColor"), "rgb(20, 24, 29)")
    b.send("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=2, mobile=True)
    expect("width on a phone", b.js("document.documentElement.scrollWidth <= 360"), True)
    expect("ids are unique", b.js("""(() => { const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
        return ids.length == new Set(ids).size; })()"""), True)


def nasty(b):
    """Names that are markup are names."""
    expect("no script ran", b.js("typeof window.pwned"), "undefined")
    expect("no element came about", b.js("document.querySelectorAll('img, b, script[src]').length"), 0)
    expect("shown as they are", b.js("document.body.textContent.includes('</script><script>window.pwned=1</script>')"), True)
    expect("in the picture too", b.js("document.querySelector('svg').textContent.includes('<b>\"&')"), True)


browser = Browser("file://" + os.path.abspath(sys.argv[1]))
try:
    for command in sys.argv[2:]:
        globals()[command](browser)
finally:
    browser.close()
sys.exit(1 if failed else 0)
