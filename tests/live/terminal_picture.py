"""Makes docs/pictures/step.png and step-zh.png, from the program in a real terminal:

    TAPESTRY=build/tapestry python3 tests/live/terminal_picture.py docs/pictures
"""

import html
import re
import sys
import tempfile
import unicodedata

import browser
from terminal import Terminal

WIDTH, HEIGHT = 110, 36
COLOURS = ["#12161c", "#ff7b7b", "#63d18a", "#f2d06b", "#6c9fff", "#c39bff", "#5fd0d8", "#e4e8ee"]
LAB = ["lab", "--step", "three-way-handshake", "--language"]
# The SYN-ACK is dropped, and a second later the SYN comes again.
KEYS = ["n", "n", "Right", "d", "Right", "Right", "Right"]


def style(codes, now):
    for code in map(int, codes.split(";") if codes else ["0"]):
        if code == 0:
            now = {}
        elif code == 1:
            now["font-weight"] = "bold"
        elif code == 4:
            now["text-decoration"] = "underline"
        elif 30 <= code <= 37:
            now["color"] = COLOURS[code - 30]
        elif 40 <= code <= 47:
            now["background"] = COLOURS[code - 40]
        elif code in (39, 49):
            now.pop("color" if code == 39 else "background", None)
    return now


def page_of(text):
    """What `tmux capture-pane -e` has seen, as a page; a wide character stands in two cells."""
    now = {}
    lines = []
    for line in text.split("\n"):
        parts = []
        for piece in re.split("(\x1b\\[[0-9;]*m|\x1b\\(B|\x0f|\x0e)", line):
            if piece.startswith("\x1b["):
                now = style(piece[2:-1], dict(now))
            elif piece and piece[0] not in "\x1b\x0e\x0f":
                cells = "".join(f"<i><b>{c}</b></i>" if unicodedata.east_asian_width(c) in "WF" else html.escape(c) for c in piece)
                look = ";".join(f"{key}:{value}" for key, value in now.items())
                parts.append(f'<span style="{look}">{cells}</span>')
        lines.append("<div>" + "".join(parts) + "</div>")
    return (f"<!DOCTYPE html><html data-ready=1><meta charset=utf-8><style>body{{margin:0;padding:10px;background:#12161c;color:#d8dee9;"
            f"font:15px/18px 'DejaVu Sans Mono','Noto Sans Mono CJK SC',monospace;width:{WIDTH}ch}}"
            f"div{{white-space:pre;height:18px}}span{{display:inline-block;height:18px}}"
            f"i{{display:inline-block;width:2ch;height:18px;overflow:hidden;vertical-align:top;text-align:center;font-style:normal}}b{{font-size:17px;font-weight:inherit}}</style>" + "".join(lines))


def main(folder):
    with browser.Browser(width=1020, height=HEIGHT * 18 + 20) as chromium, tempfile.TemporaryDirectory() as work:
        for language, name, there in (("en", "step.png", "step 12 of 47"), ("zh", "step-zh.png", "第 12 步")):
            with Terminal([*LAB, language], WIDTH, HEIGHT) as terminal:
                terminal.wait("three-way-handshake")
                terminal.send(*KEYS)
                terminal.wait(there)
                screen = terminal.tmux("capture-pane", "-e", "-p", "-N")
            path = f"{work}/{language}.html"
            with open(path, "w", encoding="utf-8") as file:
                file.write(page_of(screen.rstrip("\n")))
            chromium.open(path)
            chromium.screenshot(f"{folder}/{name}")


main(sys.argv[1])
