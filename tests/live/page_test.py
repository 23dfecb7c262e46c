"""The page that --html writes, in a real Chromium: it loads, steps, plots, speaks two languages, has two
themes, and asks nobody for anything. Set PAGE_SCREENSHOTS to a folder to look at it."""

import json
import os
import struct
import tempfile
import time
import xml.dom.minidom

import browser
import live

LABS = ["three-way-handshake", "lost-data", "home-nat"]
SETTLED = "new Promise(done => setTimeout(done, 150))"


class Pages:
    """The pages of some labs, and one browser for all tests."""

    folder = None
    chromium = None

    def __enter__(self):
        Pages.folder = tempfile.TemporaryDirectory()
        Pages.chromium = browser.Browser()
        for lab in LABS:
            live.tapestry("lab", "--html", self.path(lab), lab, ok=0)
        return self

    def __exit__(self, *_):
        Pages.chromium.__exit__()
        Pages.folder.cleanup()

    @staticmethod
    def path(lab):
        return f"{Pages.folder.name}/{lab}.html"


def opened(name):
    page = Pages.chromium
    page.errors.clear()
    page.requests.clear()
    page.open(Pages.path(name))
    return page


def assert_quiet(page):
    assert page.errors == [], page.errors
    outside = [url for url in page.requests if not url.startswith(("file:", "data:"))]
    assert outside == [], outside


def choose(page, control, value):
    page.js(f"(e => {{ e.value = '{value}'; e.dispatchEvent(new Event('change')) }})(document.getElementById('{control}'))")


def text(page, selector):
    return page.js(f"document.querySelector({json.dumps(selector)}).innerText")


def shown(page):
    page.frame()
    return page.js("Page.current()")


def test_every_lab_loads():
    for lab in LABS:
        page = opened(lab)
        assert page.js("Data.count") > 20
        assert page.js("document.querySelectorAll('#ladder .arrow').length") > 3, lab
        assert page.js("document.querySelectorAll('#plots canvas').length") > 3, lab
        assert_quiet(page)


def test_keys_walk_through_the_steps():
    page = opened("three-way-handshake")
    last = page.js("Data.count") - 1
    for key, expected in [("ArrowRight", 1), ("ArrowRight", 2), (" ", 3), ("ArrowLeft", 2), ("End", last), ("ArrowRight", last), ("Home", 0)]:
        page.key(key)
        assert shown(page) == expected, key
    page.key("n")
    assert shown(page) == 2 and "CLOSED → SYN-SENT" in text(page, "#explain")
    page.key("n")
    assert shown(page) == 9
    assert page.js("[...document.querySelectorAll('.diagram .lit text')].map(e => e.textContent)") == ["SYN-SENT", "SYN-RECEIVED"]
    assert "IRS" in page.js("[...document.querySelectorAll('.variables tr')].filter(r => r.querySelector('.changed')).map(r => r.cells[0].textContent)")
    page.key("p")
    assert shown(page) == 2
    page.key("?")
    assert page.js("document.getElementById('help').open")
    assert "dygraphs" in text(page, "#help")
    page.key("Escape")
    assert not page.js("document.getElementById('help').open")
    assert_quiet(page)


def test_the_steps_are_also_a_table():
    page = opened("lost-data")
    count = page.js("Data.count")
    assert page.js("document.getElementById('table').getAttribute('aria-rowcount')") == str(count + 1)
    first = page.js("document.querySelectorAll('#table [role=row]').length")
    assert 5 < first < count, "only rows in sight exist"
    page.key("End")
    page.frame()
    assert page.js("document.querySelector('#table .current').getAttribute('aria-rowindex')") == str(count + 1)
    assert page.js("document.querySelector('#explain').getAttribute('aria-live')") == "polite"
    # (dygraphs' own, without a name, is never displayed.)
    unnamed = "[...document.querySelectorAll('button, select, input:not(.dygraph-roller)')].filter(e => !(e.getAttribute('aria-label') || e.textContent.trim() || e.closest('label'))).map(e => e.outerHTML)"
    assert page.js(unnamed) == []
    assert_quiet(page)


def test_pointing_shows_the_frame():
    page = opened("lost-data")
    page.frame()
    # The label of an arrow: its first fully visible one.
    x, y = page.js("(r => [r.x + r.width / 2, r.y + r.height / 2])([...document.querySelectorAll('#ladder .label')]"
                   ".map(e => e.getBoundingClientRect()).find(r => r.y > 420))")
    page.mouse("mouseMoved", x, y)
    page.frame()
    assert not page.js("document.getElementById('tip').hidden")
    tip = text(page, "#tip")
    assert "Step " in tip and " s\n" in tip, tip
    page.mouse("mousePressed", x, y, button="left", clickCount=1)
    page.mouse("mouseReleased", x, y, button="left", clickCount=1)
    page.frame()
    assert shown(page) > 0
    # A field and its bytes light each other.
    page.js("Page.go(Data.d.steps.frame.findIndex(f => f >= 0 && Data.d.frames.text[f].startsWith('S ')))")
    page.js("[...document.querySelectorAll('[data-field]')].find(e => e.title == 'tcp.seq').dispatchEvent(new MouseEvent('mouseover', {bubbles: true}))")
    assert page.js("document.querySelectorAll('.hex .lit').length") == 4
    assert_quiet(page)


def test_what_is_lost_and_what_comes_again():
    page = opened("lost-data")
    page.js("Page.go(Data.d.steps.kind.findIndex((k, i) => Data.kindOf(i) == 'lost'))")
    page.frame()
    assert page.js("document.querySelectorAll('#ladder .lost .cross').length") == 1
    again = page.js("Data.d.frames.again.findIndex(a => a >= 0)")
    page.js(f"Page.go(Data.ofFrame[{again}][0])")
    page.frame()
    assert page.js("document.querySelectorAll('#ladder .again .tie').length") == 1
    assert "Sent again" in text(page, "#explain")
    assert_quiet(page)


def test_plots_have_all_points():
    page = opened("lost-data")
    segments, acks = page.js("(s => [s.segments.length, s.acks.length])(Data.d.series[1])")
    assert page.js("document.getElementById('direction').value") == "1", "the direction that carries the data"
    assert page.js("Plots.graphs()[0].numRows()") == segments + acks
    # tcptrace's: the segments' low and high ends by how they were sent, ACKs, the window.
    assert page.js("Plots.graphs()[0].getLabels().length") == 1 + 6 + 2
    assert page.js("Plots.graphs().length") == 4
    page.js("Plots.graphs()[0].updateOptions({dateWindow: [0.1, 0.15]})")
    assert_quiet(page)


def test_both_languages_and_both_themes():
    page = opened("home-nat")
    english = text(page, "body")
    choose(page, "language", "zh")
    chinese = text(page, "body")
    assert page.js("document.documentElement.lang") == "zh-Hans"
    assert "State diagram" not in chinese and "梯形图" in chinese and "梯形图" not in english
    assert "私有地址的主机通过做地址转换的路由器访问" in chinese and "a private address" in english
    assert "笔记本的地址 192.168.3.10 出了家庭网络就没有意义" in text(page, "#watch")
    assert "它从来没有听说过 192.168.3.10" in text(page, "#summary")
    assert any("已连接" in word[1] or "字节" in word[1] for word in page.js("Data.d.words.filter(Array.isArray)"))
    page.key("n")
    assert any("\u4e00" <= c <= "\u9fff" for c in text(page, "#explain .what"))
    assert page.js("Object.keys(JSON.parse(document.getElementById('texts-en').textContent)).join()") == \
        page.js("Object.keys(JSON.parse(document.getElementById('texts-zh').textContent)).join()")
    choose(page, "theme", "auto")
    colours = []
    for dark in (False, True):
        page.dark(dark)
        colours.append(page.js("getComputedStyle(document.body).backgroundColor"))
    page.dark(False)
    choose(page, "theme", "dark")
    assert colours[0] != colours[1] == page.js("getComputedStyle(document.body).backgroundColor")
    choose(page, "language", "en")
    choose(page, "theme", "auto")
    assert_quiet(page)


def test_both_ends_of_a_network_in_memory():
    path = f"{Pages.folder.name}/get.html"
    live.tapestry("get", "--net", "memory", "--html", path, "-o", "/dev/null", "http://192.168.3.1/", ok=0)
    page = opened("get")
    page.key("End")
    page.frame()
    heads = page.js("[...document.querySelectorAll('.variables thead th')].map(e => e.textContent)")
    assert [head.split()[0] for head in heads if head] == ["us", "peer"], heads
    lit = page.js("[...document.querySelectorAll('.diagram .lit text')].map(e => e.textContent)")
    assert len(lit) == 2 and "TIME-WAIT" in lit, lit
    assert_quiet(page)


def test_the_routers_table_follows_the_step():
    page = opened("home-nat")
    page.key("Home")
    assert "empty" in text(page, "#nat")
    page.key("End")
    page.js("Page.go(Data.d.flows[0].step)")
    assert "192.168.3.10:" in text(page, "#nat") and "203.0.113.5:" in text(page, "#nat")
    assert page.js("document.querySelectorAll('#nat tr.changed').length") == 1
    assert_quiet(page)


def test_paper():
    page = opened("three-way-handshake")
    page.call("Emulation.setEmulatedMedia", media="print")
    page.js("dispatchEvent(new Event('beforeprint'))")
    assert page.js("getComputedStyle(document.getElementById('print')).display") == "block"
    assert page.js("document.querySelectorAll('#print tbody tr').length") == page.js("Data.count")
    assert page.js("document.querySelectorAll('#print .arrow').length") == page.js("Data.d.frames.text.length")
    heads = page.js("[...document.querySelectorAll('#print [marker-end]')].map(e => e.getAttribute('marker-end').slice(5, -1))")
    assert all(page.js(f"!!document.querySelector('#print marker#{head}')") for head in set(heads)), heads
    page.js("dispatchEvent(new Event('afterprint'))")
    page.call("Emulation.setEmulatedMedia", media="")
    assert_quiet(page)


def test_the_slide():
    path = f"{Pages.folder.name}/ladder.svg"
    live.tapestry("lab", "--svg", path, "lost-data", ok=0)
    lines = xml.dom.minidom.parse(path).getElementsByTagName("line")
    assert sum(1 for line in lines if "lost" in line.getAttribute("class")) == 1
    failed = live.tapestry("lab", "--html", "/nowhere/page.html", "lost-data", ok=2)
    assert b"--html: cannot write /nowhere/page.html" in failed.stderr


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!H", total ^ 0xFFFF)


def segment(client, flags, seq, ack, payload=b""):
    ports = (40000, 80) if client else (80, 40000)
    ends = (b"\xc0\xa8\x03\x0a", b"\xc0\xa8\x03\x01")
    source, destination = ends if client else ends[::-1]
    tcp = struct.pack("!HHIIBBHHH", *ports, seq, ack, 0x50, flags, 65535, 0, 0)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40 + len(payload), 0, 0, 64, 6, 0, source, destination)
    pseudo = source + destination + struct.pack("!HH", 6, len(tcp) + len(payload))
    tcp = tcp[:16] + checksum(pseudo + tcp + payload) + tcp[18:]
    ip = ip[:10] + checksum(ip) + ip[12:]
    return b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0" + ip + tcp + payload


def long_capture(path, frames):
    """A client that sends, a server that acknowledges every second segment."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))

        def write(number, frame):
            file.write(struct.pack("<IIII", 1700000000 + number // 10000, number % 10000 * 100, len(frame), len(frame)) + frame)

        write(0, segment(True, 2, 1000, 0))
        write(1, segment(False, 0x12, 5000, 1001))
        write(2, segment(True, 0x10, 1001, 5001))
        sent = 1001
        for number in range(3, frames):
            if number % 3 == 2:
                write(number, segment(False, 0x10, 5001, sent))
            else:
                write(number, segment(True, 0x18, sent, 5001, bytes(100)))
                sent += 100


def test_long_captures():
    """Measured and told, not judged: machines differ."""
    page = Pages.chromium
    for frames in (10_000, 100_000):
        capture, html, saved = (f"{Pages.folder.name}/long.{kind}" for kind in ("pcap", "html", "json"))
        long_capture(capture, frames)
        begin = time.monotonic()
        live.tapestry("inspect", "--summary", "--html", html, capture, ok=0, seconds=120)
        made = time.monotonic() - begin
        begin = time.monotonic()
        live.tapestry("inspect", "--summary", "--save", saved, capture, ok=0, seconds=120)
        kept = time.monotonic() - begin
        page.errors.clear()
        loaded = page.open(html)
        ready = page.js("+document.documentElement.dataset.ready")
        assert page.js("Data.d.frames.text.length") == frames
        assert page.js("document.querySelectorAll('#ladder *').length") < 2000, "only what is in sight"
        assert page.js("document.querySelectorAll('#table [role=row]').length") < 100
        assert page.js("Plots.graphs()[0].numRows()") <= 8000
        steps = page.js("(async () => { const all = []; for (let i = 0; i < 60; i++) { const a = performance.now();"
                        "Page.go(Math.floor(Data.count * i / 60)); document.body.offsetHeight; await new Promise(requestAnimationFrame); all.push(performance.now() - a); } return all.sort((a, b) => a - b) })()")
        scrolls = page.js("(async () => { const all = []; const box = document.getElementById('ladder'); for (let i = 0; i < 60; i++) { const a = performance.now();"
                          "box.scrollTop += 400; await new Promise(requestAnimationFrame); all.push(performance.now() - a); } return all.sort((a, b) => a - b) })()")
        assert_quiet(page)
        print(f"{frames} frames: --save {kept:.2f} s ({os.path.getsize(saved) >> 20} MiB), --html {made:.2f} s "
              f"({os.path.getsize(html) >> 20} MiB); opened in {loaded:.2f} s, scripts done after {ready / 1000:.2f} s; "
              f"a step {steps[30]:.0f} ms (worst {steps[-1]:.0f}), a scroll {scrolls[30]:.0f} ms (worst {scrolls[-1]:.0f})")


def test_screenshots():
    folder = os.environ.get("PAGE_SCREENSHOTS")
    page = Pages.chromium
    for lab in LABS:
        opened(lab)
        for language, theme in [("en", "light"), ("en", "dark"), ("zh", "light")]:
            choose(page, "language", language)
            choose(page, "theme", theme)
            page.js("Page.go(Math.floor(Data.count / 2))")
            page.js(SETTLED)
            path = f"{folder or Pages.folder.name}/{lab}-{language}-{theme}.png"
            page.screenshot(path)
            assert os.path.getsize(path) > 20_000, path
        choose(page, "language", "en")
        choose(page, "theme", "auto")
        assert_quiet(page)


if __name__ == "__main__":
    with Pages():
        live.main(globals())
