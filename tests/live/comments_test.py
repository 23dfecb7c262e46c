"""What tapestry says of each frame, as Wireshark's users see it: comments of a lab's frames, of a capture's, of
a run's; tshark reads them all."""

import os
import subprocess
import tempfile
import time

import live

live.need("tshark", "editcap", "capinfos")
CAPTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "captures")
FOLDER = tempfile.TemporaryDirectory()
URL = "http://192.168.3.1/"


def path(name):
    return os.path.join(FOLDER.name, name)


def rows(file, *fields, only=""):
    """Of each frame the values of these fields."""
    arguments = [word for field in fields for word in ("-e", field)]
    return [tuple(line.split("\t")) for line in
            live.tshark(file, "-T", "fields", *arguments, *(("-Y", only) if only else ()))]


def comments(file, only=""):
    return [row[0] for row in rows(file, "frame.comment", only=only)]


def test_a_labs_frames():
    live.tapestry("lab", "home-nat", "--annotate", path("nat"), ok=0)
    live.assert_clean(path("nat"))
    seen = rows(path("nat"), "frame.interface_name", "frame.interface_description", "frame.comment")
    assert {name for name, _, _ in seen} == {"lan", "wan"}, seen
    assert {about for name, about, _ in seen if name == "lan"} == {
        "laptop 192.168.3.10/24, router inside 192.168.3.1/24"}, seen
    syn = comments(path("nat"), "tcp.flags == 2")
    assert len(syn) == 2 and syn[0].startswith("laptop sends because of frame 2 (CLOSED -> SYN-SENT)."), syn
    for part in ("\\nWhy: ", "\\nRule: RFC 9293 3.10.1\\nOften wrong: ", "router: NAT + tcp 192.168.3.10:",
                 "router passes it on, from inside to outside: src 192.168.3.10:"):
        assert part in syn[0], (part, syn[0])
    assert syn[1].startswith("router passes on frame 3: src 192.168.3.10:"), syn
    assert "server gets it (LISTEN -> SYN-RECEIVED). A SYN comes to a listener." in syn[1], syn
    # What is kept says the same.
    live.tapestry("lab", "home-nat", "--save", path("nat.json"), ok=0)
    live.tapestry("inspect", path("nat.json"), "--annotate", path("nat2"), ok=0)
    with open(path("nat"), "rb") as one, open(path("nat2"), "rb") as other:
        assert one.read() == other.read()


def test_losses_and_refusals():
    live.tapestry("lab", "lost-syn", "--annotate", path("lost"), ok=0)
    lost = comments(path("lost"), 'frame.comment contains "Lost on its way."')
    again = comments(path("lost"), 'frame.comment contains "No answer to the SYN"')
    assert len(lost) == 2 and len(again) == 2 and "what frame 3 had, again" in again[0], (lost, again)
    live.tapestry("lab", "firewall-blocks", "--annotate", path("blocked"), ok=0)
    assert any("router refuses it. A rule of the firewall drops the packet in silence." in text
               for text in comments(path("blocked")))


def test_a_file_for_each_link():
    os.mkdir(path("links"))
    live.tapestry("lab", "home-nat", "--pcap", path("links"), ok=0)
    seen = rows(path("links/wan.pcapng"), "frame.interface_name", "frame.comment", only="tcp")
    assert {name for name, _ in seen} == {"router.outside", "server"}, seen
    assert any("server gets it (LISTEN -> SYN-RECEIVED)." in text for _, text in seen), seen


def test_a_capture():
    original = os.path.join(CAPTURES, "fast-retransmit.server.pcap")
    live.tapestry("inspect", original, "--annotate", path("capture"), ok=0)
    what = ("frame.time_epoch", "frame.len", "frame.cap_len", "frame.protocols", "tcp.seq_raw", "tcp.checksum")
    assert rows(path("capture"), *what) == rows(original, *what)
    said = comments(path("capture"))
    assert sum(" It seems: " in text for text in said) > len(said) / 2, said
    assert not any("congestion window 0" in text or "cwnd 0" in text for text in said), said
    assert any("The third duplicate ACK" in text for text in said), said


def test_what_was_said_before_stays_and_comes_first():
    original = os.path.join(CAPTURES, "http-get.client.pcap")
    live.run("editcap", "-F", "pcapng", "-a", "1:seen at the office", "-a", "3:and so was this", original,
             path("with"))
    live.tapestry("inspect", path("with"), "--annotate", path("more"), ok=0)
    said = comments(path("more"))
    assert said[0].startswith("seen at the office,") and "It seems: " in said[0], said[0]
    assert said[2].startswith("and so was this,"), said[2]
    # Once more: nothing is said twice by another name, and nothing that was there goes.
    live.tapestry("inspect", path("more"), "tcp", "--stream", "0", "--annotate", path("again"), ok=0)
    assert comments(path("again"))[0].startswith("seen at the office,"), comments(path("again"))[0]


def test_other_links_and_cut_records():
    """The same packets as raw IP, and cut to 80 bytes."""
    original = os.path.join(CAPTURES, "http-get.client.pcap")
    live.run("editcap", "-F", "pcap", "-C", "14", "-L", "-T", "rawip", original, path("raw.pcap"))
    live.run("editcap", "-F", "pcap", "-s", "80", original, path("short.pcap"))
    for name, link in (("raw", "Raw IP"), ("short", "Ethernet")):
        live.tapestry("inspect", path(name + ".pcap"), "--annotate", path(name), ok=0)
        what = ("frame.time_epoch", "frame.len", "frame.cap_len", "frame.protocols", "tcp.seq_raw")
        assert rows(path(name), *what) == rows(path(name + ".pcap"), *what), name
        assert link in live.run("capinfos", "-E", path(name)), name
        assert any("It seems: The application opens" in text for text in comments(path(name))), name


def test_nothing_is_written_over_or_left_half():
    copy = path("mine.pcap")
    with open(os.path.join(CAPTURES, "http-get.client.pcap"), "rb") as file, open(copy, "wb") as out:
        out.write(file.read())
    before = live.sha256(copy)
    for arguments in (("inspect", copy), ("replay", copy, "--as", "192.168.3.10")):
        done = live.tapestry(*arguments, "--annotate", copy)
        assert done.returncode == 2 and done.stdout == b"" and done.stderr.count(b"\n") == 1, done
        assert b"is the file that is read" in done.stderr, done
    assert live.sha256(copy) == before
    done = live.tapestry("inspect", copy, "--annotate", path("no/such/file"))
    assert done.returncode == 2 and done.stderr.count(b"\n") == 1, done
    done = live.tapestry("inspect", copy, "--annotate", "/dev/full")
    assert done.returncode == 2 and b"No space left" in done.stderr, done
    assert not [name for name in os.listdir(FOLDER.name) if name.endswith(".part")]


def test_a_runs_own_capture():
    live.tapestry("get", "--net", "memory", "--pcap", path("get"), "-o", os.devnull, URL, ok=0)
    live.assert_clean(path("get"))
    said = dict(zip(("syn", "synack"), (comments(path("get"), "tcp.flags == %d" % flags)[0] for flags in
                                        (2, 18))))
    assert said["syn"].startswith("We send (CLOSED -> SYN-SENT). The application opens a connection."), said
    assert said["synack"].startswith("We get it (SYN-SENT -> ESTABLISHED). The peer has sent SYN and ACK"), said
    assert "\\nRule: RFC 9293 " in said["synack"], said
    live.tapestry("get", "--net", "memory", "--pcap", path("bare"), "--pcap-bare", "-o", os.devnull, URL, ok=0)
    assert not any(comments(path("bare")))
    same = ("frame.time_epoch", "ip.src", "tcp.seq_raw", "frame.len")
    assert rows(path("bare"), *same) == rows(path("get"), *same)


def test_a_timeline_of_a_run():
    live.tapestry("get", "--net", "memory", "-o", os.devnull, "--annotate", path("run"), URL + "1M.bin", ok=0)
    live.assert_clean(path("run"))
    seen = rows(path("run"), "frame.interface_name", "frame.packet_flags_direction", "frame.comment", only="tcp")
    assert {name for name, _, _ in seen} == {"eth0"}, seen[:3]
    assert {int(way, 16) for _, way, _ in seen} == {1, 2}, seen[:3]
    parts = [text for _, _, text in seen if text.startswith("A further part of the frame before")]
    assert len(parts) > 100 and all(text for _, _, text in seen), len(parts)
    live.tapestry("replay", os.path.join(CAPTURES, "http-get.client.pcap"), "--as", "192.168.3.10", "--annotate",
                  path("replayed"), ok=0)
    assert any("replayed host gets it (SYN-SENT -> ESTABLISHED)" in text for text in comments(path("replayed")))


def test_a_recorded_client_to_a_server_of_today():
    kinds = [word for kind in ("save", "html", "svg", "qlog", "annotate") for word in ("--" + kind, path("x." + kind))]
    live.tapestry("replay", os.path.join(CAPTURES, "http-get.client.pcap"), "--live", "--net", "memory", "--to",
                  "192.168.3.1:80", *kinds)
    assert any(text.startswith("We send (CLOSED -> SYN-SENT)") or
               text.startswith("We send because of frame 3 (CLOSED -> SYN-SENT)")
               for text in comments(path("x.annotate"))), comments(path("x.annotate"))
    assert b"SYN-SENT" in live.tapestry("inspect", path("x.save"), ok=0).stdout
    assert all(os.path.getsize(path("x." + kind)) > 500 for kind in ("html", "svg", "qlog"))


def test_a_capture_can_be_followed_and_survives_an_end():
    if os.geteuid() != 0 or not os.path.exists("/dev/net/tun"):
        return
    process = subprocess.Popen([live.PROGRAM, "nc", live.PEER, "7", "--pcap", path("followed")],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        process.stdin.write(b"hello\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"hello\n"
        # The connection is idle, and all that has passed is there.
        end = time.monotonic() + 5
        while time.monotonic() < end:
            passed = rows(path("followed"), "tcp.len", "frame.comment", only="tcp.len == 6")
            if len(passed) == 2:
                break
            time.sleep(0.05)
        assert len(passed) == 2 and passed[1][1].startswith("We get it. Data come exactly at"), passed
        process.send_signal(2)
        process.wait(timeout=10)
    finally:
        process.kill()
        process.communicate()
    live.assert_clean(path("followed"))


live.main(dict(globals()))
