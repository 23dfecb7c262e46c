"""`--step` in a terminal: keys are sent to tmux, and its screen is read."""

import os
import re
import signal
import subprocess
import tempfile
import time
import unicodedata

import live
from terminal import Terminal

LAB = ["lab", "--step", "three-way-handshake"]
CHINESE = [*LAB, "--language", "zh"]
COLOUR = re.compile("\x1b\\[([0-9]+;)*[34][0-7][;m]")


def test_a_beginner_walks_drops_the_syn_ack_and_comes_back():
    with Terminal(LAB) as terminal:
        first = terminal.wait("step 1 of 43")
        assert "Press Enter for the next step, ? for all keys, q to quit." in first, first
        assert len(first.splitlines()) == 24 and max(map(len, first.splitlines())) <= 80, first
        screens = [first]
        for number in range(2, 11):
            screens.append(terminal.press("Enter", until=f"step {number} of 43"))
        assert "*ESTABLISHED" in screens[-1] and "2 of 3" in screens[-1] or "SYN-ACK" in screens[-1]
        for number in range(9, 0, -1):
            terminal.send("Left")
            terminal.shows(screens[number - 1])
        for number in range(2, 10):
            terminal.send("Space")
            terminal.shows(screens[number - 1])
        branch = terminal.press("d", until="[branch: frame 4 dropped]")
        assert "step 9 of 47" in branch and "It does not arrive" in branch, branch
        later = terminal.press("Enter", until="step 10 of 47, 1.000 s")
        assert "the SYN again" in later and "No answer to the SYN" in later, later
        sent = terminal.press("Enter", until="step 11 of 47, 1.000 s")
        assert "Sent again: frame 3 carried this" in sent, sent
        terminal.press("Left", "Left", until="step 9 of 47")
        # One more in the branch, which u takes back, and then the first.
        terminal.press("Right", "Right", "d", until="[branch: frames 4, 5 dropped]")
        terminal.press("u", until="[branch: frame 4 dropped]")
        terminal.press("d", until="[branch: frames 4, 5 dropped]")
        terminal.press("U", until="step 11 of 43")
        terminal.press("u", until="This is the run as it was")
        terminal.press("Left", "Left", until="step 9 of 43")
        terminal.press("d", until="[branch: frame 4 dropped]")
        terminal.send("u", "Left", "Right")
        terminal.shows(screens[8])
        terminal.send("q")
        before, after, screen = terminal.ended()
        assert "ended 0" in screen and "step 9" not in screen, screen
        assert before == after


def test_a_screen_as_it_is():
    with Terminal(LAB) as terminal:
        terminal.wait("step 1 of 43")
        terminal.send("n", "n")
        terminal.shows("""\
 three-way-handshake:  step 8 of 43, 0.030 s
 laptop:56021             laptop                        server  server:5000
 SYN-SENT                 192.168.3.10            192.168.3.20 *SYN-RECEIVED
 SND.UNA 0        0.000   │                    $ listen 5000 │ *ISS 2233082392
 SND.NXT 1                │ CLOSED -> SYN-SENT               │ *SND.UNA 0
 SND.WND 0                │── ARP who has 192.168.3.20? ────>│ *SND.NXT 0
 RCV.NXT 0        0.010   │                      ARP arrives │ *SND.WND 0->65535
 RCV.WND 65535            │<─ ARP I am 192.168.3.20 ─────────│ *SND.WL1 0
 cwnd 0           0.020   │ ARP arrives                      │ *MSS 536->1460
 RTO 1 s                  │── S 0:0(0) win 65535, 1 of 3 ───>│ *IRS 520405849
 RTO timer 0.97 s 0.030  >│           LISTEN -> SYN-RECEIVED │ *RCV.NXT 1
────────────────────────────────────────────────────────────────────────────────
 server gets frame 3, SYN (1 of 3): S 0:0(0) win 65535 <mss
 1460,nop,nop,sackOK>. server: LISTEN -> SYN-RECEIVED
 A SYN comes to a listener. TCP notes IRS, sets RCV.NXT to the number behind
 the SYN, chooses an ISS and answers with SYN and ACK: LISTEN to SYN-RECEIVED.
 The SYN tells from where the peer counts; our answer acknowledges that and
 tells our own number. Only the third segment shows that the peer r~ PgDn: more
 bytes of frame 3  tcp.flags: Flags = SYN  (byte 47)
 0000  02 00 00 00 02 01 02 00 00 00 01 01 08 00 45 00  ..............E.
 0010  00 30 00 00 40 00 40 06 b3 59 c0 a8 03 0a c0 a8  .0..@.@..Y......
 0020  03 14 da d5 13 88 1f 04 c3 59 00 00 00 00 70 02  .........Y....p.
 0030  ff ff 2a f5 00 00 02 04 05 b4 01 01 04 02        ..*...........
 Enter: next  Left: back  n/p: state change  d: drop frame  ?: help  q: quit""")


def test_conditions():
    with Terminal(LAB) as terminal:
        terminal.wait("step 1 of 43")
        terminal.send("b")
        terminal.wait("stop at: ")
        terminal.press("state==ESTAB", "Enter", until="column 8: there is no state ESTAB")
        terminal.press("LISHED", "Enter", until="step 10 of 43, 0.040 s")
        terminal.press("b", "fin && sent", "Enter", until="Here holds fin && sent")
        both = "1 state==ESTABLISHED, 2 fin && sent"
        terminal.press("b", until=f"already {both}")
        terminal.press("-2", "Enter", until="Removed: fin && sent. Left: 1 state==ESTABLISHED")
        terminal.press("g", "0.6", "Enter", until="0.600 s")
        terminal.press("/", "fin && sent", "Enter", until="2 of 43 steps are shown")
        terminal.press("?", until="any key: back to the steps")
        terminal.press("x", until="[filter: fin && sent]")


def cells(line):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def test_chinese():
    with Terminal(CHINESE) as terminal:
        screen = terminal.wait("第 1 步，共 43 步")
        assert "按 Enter 看下一步" in screen and "建立一个 TCP 连接" in screen, screen
        for number in range(2, 44):
            screen = terminal.press("Enter", until=f"第 {number} 步，共 43 步")
            lines = screen.splitlines()
            assert len(lines) == 24 and max(map(cells, lines)) <= 80, screen
            for line in lines[3:11]:
                # Both lifelines stand where they stand on every row.
                places = [cells(line[:i]) for i, c in enumerate(line) if c == "│"]
                assert {26, 61} >= set(places) and len(places) > 0, screen
        terminal.press("Home", until="第 1 步")
        terminal.press("n", "n", "Right", "d", until="分支：丢弃了帧 4")
        later = terminal.press("Enter", until="第 10 步，共 47 步，1.000 秒")
        assert "重发 SYN" in later and "重传超时" not in later, later
        terminal.press("b", "retransmision", "Enter", until="没有 retransmision 这个词")
        terminal.press("Escape", until="q: 退出")
        terminal.press("?", until="按任意键回到步骤")
        terminal.press("x", "l", until="step 10 of 47, 1.000 s")
        terminal.press("l", until="第 10 步")


def test_the_locale_chooses_the_language():
    for locale, first in (("LANG=zh_CN.UTF-8", "第 1 步"), ("LC_MESSAGES=zh_CN.UTF-8", "第 1 步"),
                          ("LANG=en_US.UTF-8", "step 1 of 43"), ("LANG=zh_CN.GBK", "step 1 of 43")):
        with Terminal(LAB, environment=("LC_ALL=", "LC_CTYPE=", locale)) as terminal:
            terminal.wait(first)
    plain = {"stdin": subprocess.DEVNULL, "ok": 0}
    text = live.tapestry(*CHINESE, **plain).stdout.decode()
    assert "第 43 步，共 43 步" in text and "应用程序" in text, text[:300]
    story = live.tapestry("lab", "lost-syn", "--language", "zh", **plain).stdout.decode()
    assert story.startswith("lost-syn: 第一个 SYN 丢失") and "握手 1/3，重传" in story, story
    assert max(cells(line) for line in story.splitlines()) <= 120
    done = live.tapestry(*CHINESE, **plain, env={**os.environ, "LC_ALL": "C"})
    assert "\nstep 1 of 43" in done.stdout.decode(), done.stdout[:200]
    assert "this locale has no UTF-8" in done.stderr.decode(), done.stderr
    with Terminal(CHINESE, environment=("LC_ALL=C",)) as terminal:
        terminal.wait("step 1 of 43")
        terminal.press("l", until="No Chinese here")


def test_sizes():
    for width, height in ((40, 10), (200, 60), (20, 6), (10, 3)):
        with Terminal(LAB, width, height) as terminal:
            # A tiny one has no room for all of the position.
            terminal.wait("step 1 of 43"[:width - 2])
            screen = terminal.press("n", until="step 2 of 43"[:width - 2] if width > 15 else "step")
            assert len(screen.splitlines()) <= height, screen


def test_the_size_changes():
    with Terminal(LAB) as terminal:
        wide = terminal.wait("step 1 of 43")
        terminal.press("n", "n", until="step 8 of 43")
        for width, height in ((120, 40), (40, 10), (12, 4), (80, 24)):
            terminal.tmux("resize-window", "-x", str(width), "-y", str(height))
            time.sleep(0.5)
            screen = terminal.wait("step 8 of"[:width - 4])
            assert len(screen.splitlines()) <= height
            if height >= 10:
                assert "SYN-RECEIVED" in screen, screen
        terminal.send("Home")
        terminal.shows(wide)
        terminal.send("q")
        before, after, _ = terminal.ended()
        # stty tells the size, too; it is the one of the beginning again.
        assert before == after


def test_signals_leave_the_terminal_as_it_was():
    for number, status in ((signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)):
        with Terminal(LAB) as terminal:
            terminal.wait("step 1 of 43")
            terminal.press("n", until="step 2 of 43")
            os.kill(terminal.program_id(), number)
            before, after, screen = terminal.ended()
            assert before == after, (before, after)
            assert f"ended {status}" in screen and "step 2" not in screen, screen


def test_a_dumb_terminal_gets_all_steps_as_text():
    expected = live.tapestry(*LAB, ok=0, stdin=subprocess.DEVNULL).stdout.decode()
    assert "\x1b" not in expected and expected.count("\nstep ") == 43
    for environment in ("TERM=dumb", "TERM=", "TERM=no-such-terminal", "--unset=TERM"):
        with Terminal(LAB, environment=(environment,)) as terminal:
            before, after, screen = terminal.ended()
            assert "ended 0" in screen and before == after, screen
            last = expected.strip().splitlines()[-1].strip()
            assert last in screen, screen


def test_without_colour_and_in_ascii():
    with Terminal(LAB, environment=("NO_COLOR=1", "LC_ALL=C")) as terminal:
        terminal.wait("step 1 of 43")
        screen = terminal.press("n", "n", until="step 8 of 43")
        assert all(ord(c) < 128 for c in screen), screen
        assert not COLOUR.search(terminal.tmux("capture-pane", "-p", "-e"))
    with Terminal(LAB) as terminal:
        terminal.wait("step 1 of 43")
        assert "│" in terminal.screen()
        assert COLOUR.search(terminal.tmux("capture-pane", "-p", "-e"))
        terminal.press("t", "t", until="Theme: without colour")
        assert not COLOUR.search(terminal.tmux("capture-pane", "-p", "-e"))


def test_other_runs_can_be_walked_through_too():
    folder = os.path.join(os.path.dirname(__file__), "..", "..", "captures")
    capture = os.path.join(folder, "http-get.client.pcap")
    with tempfile.TemporaryDirectory() as kept:
        saved = os.path.join(kept, "f.json")
        body = os.path.join(kept, "body")
        live.tapestry("lab", "lost-syn", "--save", saved, ok=0)
        for arguments, refusal in (
                (["inspect", "--step", capture], "A capture is over"),
                (["inspect", "--step", saved], "A kept run is over"),
                (["replay", "--step", capture, "--as", "192.168.3.10"], "A replay keeps to its capture"),
                (["get", "--net", "memory", "--step", "-o", body, "http://192.168.3.1/"],
                 "A network does not do the same twice")):
            with Terminal(arguments) as terminal:
                terminal.wait("step 1 of ")
                terminal.press("b", "state==ESTABLISHED", "Enter", until="Here holds state==ESTABLISHED")
                terminal.press("d", until=refusal)
                if arguments[0] == "get":
                    # The far end is a stack of ours, too: both panels have a state.
                    screen = terminal.press("n", until="step")
                    assert "no state known" not in screen and screen.count("RTO timer") == 2, screen
                terminal.send("q")
                assert "ended 0" in terminal.ended()[2]
            text = live.tapestry(*arguments, ok=0, stdin=subprocess.DEVNULL).stdout.decode()
            assert "\nstep 1 of " in text and "ESTABLISHED" in text, text[:500]
        assert os.path.getsize(body) > 0
    done = live.tapestry("replay", "--step", capture, "--live", ok=2)
    assert "--step needs --as" in done.stderr.decode(), done


def test_drop_on_the_command_line():
    text = live.tapestry(*LAB, "--drop", "4", ok=0, stdin=subprocess.DEVNULL).stdout.decode()
    assert "[branch: frame 4 dropped]" in text
    at = text.index("A timer of laptop goes off")
    assert ", 1.000 s" in text[at - 40:at], text[at - 40:at]
    story = live.tapestry("lab", "three-way-handshake", "--drop", "4", ok=0).stdout.decode()
    assert re.search("1\\.000 .*\n.*-- S 0:0\\(0\\).* again", story), story
    for word, complaint in (("0", "no number of a frame"), ("x", "no number of a frame"),
                            ("999", "there is no frame 999 to drop; the run has ")):
        done = live.tapestry(*LAB, "--drop", word, ok=2)
        assert complaint in done.stderr.decode(), done


live.main(dict(globals()))
