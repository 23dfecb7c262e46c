"""get against the sandbox's peer: pages, refusals, time limits, captures."""

import json
import os
import tempfile
import time

import live

live.need("tshark")
live.need_tap()


def test_a_page():
    done = live.tapestry("get", "http://192.168.3.1/", ok=0)
    assert b"<html" in done.stdout and done.stderr == b"", done


def test_the_head_with_the_page():
    done = live.tapestry("get", "-i", "http://192.168.3.1/", ok=0)
    assert done.stdout.startswith(b"HTTP/1.1 200 OK\r\n"), done.stdout[:100]


def test_a_refused_port_at_once():
    start = time.monotonic()
    done = live.tapestry("get", "http://192.168.3.1:81/", ok=7)
    assert b"connection refused" in done.stderr, done.stderr
    assert done.stderr.count(b"\n") == 1, done.stderr
    assert time.monotonic() - start < 3, "that took long"


def test_a_host_that_is_not_there():
    done = live.tapestry("get", "http://192.168.3.99/", ok=7)
    assert b"no route to host" in done.stderr, done.stderr


def test_the_time_limit():
    done = live.tapestry("get", "--max-time", "0.5", "http://192.168.3.1/slow", ok=28)
    assert b"timed out" in done.stderr, done.stderr


def test_a_slow_answer():
    live.tapestry("get", "http://192.168.3.1/slow", ok=0)


def test_a_bad_url():
    live.tapestry("get", "http://", ok=3)


def test_wrong_usage():
    done = live.tapestry("get", "--net", "nowhere", "http://192.168.3.1/", ok=2)
    assert done.stderr.count(b"\n") == 1 and b"nowhere" in done.stderr, done.stderr


def test_known_bytes_and_one_complete_conversation():
    with tempfile.TemporaryDirectory() as folder:
        capture = os.path.join(folder, "get.pcapng")
        body = os.path.join(folder, "1M.bin")
        live.tapestry("get", "--pcap", capture, "-o", body, "http://192.168.3.1/1M.bin", ok=0)
        assert os.path.getsize(body) == 1 << 20
        live.assert_clean(capture)
        streams = set(live.tshark(capture, "-2", "-Y", "tcp", "-T", "fields", "-e", "tcp.stream", "-e",
                                  "tcp.completeness"))
        assert streams == {"0\t31"}, streams
        for host in ("192.168.3.10", "192.168.3.1"):  # ours, and Linux's part played by us
            live.tapestry("replay", capture, "--as", host, "--summary", ok=0)


def test_every_kind_of_attachment_gives_the_same_bytes():
    with tempfile.TemporaryDirectory() as folder:
        digests = set()
        for number, options in enumerate((["--offload"], ["--no-offload"], ["--mtu", "576"],
                                          ["--drop", "2", "--reorder", "2", "--duplicate", "2"],
                                          ["--corrupt", "1", "--delay", "2"])):
            body = os.path.join(folder, str(number))
            live.tapestry("get", *options, "-o", body, "http://192.168.3.1/1M.bin", ok=0, seconds=120)
            digests.add(live.sha256(body))
        assert len(digests) == 1, digests


def test_in_memory():
    done = live.tapestry("get", "--net", "memory", "http://192.168.3.1/", ok=0)
    assert b"<html" in done.stdout


def test_the_ladder_names_the_handshake():
    done = live.tapestry("get", "--show", "ladder", "-o", "/dev/null", "http://192.168.3.1/", ok=0)
    text = done.stdout.decode() + done.stderr.decode()
    for words in ("1 of 3", "2 of 3", "3 of 3", "RFC 9293 3.10.7.3", "SYN-SENT", "ESTABLISHED",
                  "TIME-WAIT"):
        assert words in text, words + " is not in\n" + text
    assert "\x1b[" not in text, "colour in a pipe"


def test_benchmarks_give_figures():
    done = live.tapestry("bench", "bulk-receive", "--seconds", "0.3", "--json", ok=0)
    names = [figure["name"] for figure in json.loads(done.stdout)["figures"]]
    assert names == ["bulk-receive, kernel over veth", "bulk-receive", "bulk-receive, ratio"], names


live.main(dict(globals()))
