"""The command line: helps, usage errors, JSON, where each output goes. No network but memory."""

import json
import os
import subprocess
import tempfile

import live

COMMANDS = ("get", "serve", "ping", "nc", "doctor", "bench", "lab", "router", "nat",
            "inspect", "replay")


def memory(*arguments, **options):
    return live.tapestry(*arguments, "--net", "memory", **options)


def test_helps_begin_with_examples():
    for command in ("",) + COMMANDS:
        done = live.tapestry(*([command] if command else []), "--help", ok=0)
        first, second = done.stdout.split(b"\n")[:2]
        assert first == b"Examples:" and b"tapestry " in second, (command, done.stdout[:80])
        assert done.stderr == b"", command
        wide = [line for line in done.stdout.decode().splitlines() if len(line) > 100]
        assert not wide, wide
    text = live.tapestry("--help", ok=0).stdout.decode()
    for command in COMMANDS:
        assert "\n  " + command in text, command


def test_wrong_usage_is_one_line_and_2():
    for line in ("", "bogus", "get", "get --bogus x", "get --mtu 12 x", "get --mac x x", "get --drop 101 x",
                 "get --address 1.2.3 x", "get --gateway 1.2.3 x", "get --show x x", "get --net tap: x",
                 "get --delay -1 x", "get --log-level x x", "get -m 0 x", "get -H novalue 1.2.3.4",
                 "serve --port 0", "serve --port 65536", "serve /does/not/exist --net memory",
                 "serve --net memory --run true", "ping", "ping name", "ping -c x 1.2.3.4",
                 "ping -s 65508 1.2.3.4", "nc 1.2.3.4", "nc 1.2.3.4 0", "nc 1.2.3.4 x", "nc -l 1 2",
                 "nc -l 5000 --net memory", "nc name 80", "bench nothing", "doctor x",
                 "router", "router /does/not/exist", "router / --check", "nat", "nat x --control y",
                 "nat --control x -t nat", "nat --control x --save --json", "nat --control x -E -L",
                 "nat --control x -L -t mangle", "replay", "replay x", "replay x --as 1.2.3",
                 "replay /does/not/exist --as 1.2.3.4", "replay x --to 1.2.3.4:80", "replay x --as 1.2.3.4 --live",
                 "replay x --as 1.2.3.4 --ignore nothing", "inspect", "inspect /does/not/exist",
                 "get --net memory --pcap /does/not/exist/x 1.2.3.4", "get --profile x 1.2.3.4",
                 "get --net memory --set tcp.min_rto 1.2.3.4", "get --net memory --set tcp.nothing=1 1.2.3.4",
                 "get --net memory --set tcp.min_rto=x 1.2.3.4"):
        done = live.tapestry(*line.split())
        assert done.returncode == 2, (line, done)
        assert done.stdout == b"" and done.stderr.count(b"\n") == 1, (line, done)
        assert done.stderr.startswith(b"tapestry"), (line, done)


def test_constants_of_the_stack_can_be_set():
    done = memory("get", "--set", "tcp.initial_window_segments=3", "--set", "ip.default_ttl=9", "--profile",
                  "linux", "--show", "frames", "-o", "/dev/null", "http://192.168.3.1/")
    assert done.returncode == 0, done
    # Linux's 15 MB of receive buffer want a window scale of 8.
    assert b"wscale 8" in done.stdout, done.stdout.decode()[:1000]


def test_curls_codes():
    for url, code in (("http://", 3), ("http://h:x/", 3), ("https://h/", 1), ("http://name/", 6),
                      ("http://192.168.3.1:81/", 7)):
        done = memory("get", url)
        assert done.returncode == code, (url, done)
        assert done.stderr.startswith(b"tapestry: (%d) " % code), (url, done)
        assert memory("get", "-s", url).stderr == b"", url
    assert memory("get", "-f", "http://192.168.3.1/none").returncode == 22
    assert memory("get", "-m", "1", "http://192.168.3.1/slow").returncode == 28


def test_stdout_has_the_body_and_nothing_else():
    plain = memory("get", "http://192.168.3.1/", ok=0)
    shown = memory("get", "-v", "--show", "ladder", "http://192.168.3.1/", ok=0)
    assert shown.stdout == plain.stdout and plain.stderr == b""
    assert b"3 of 3" in shown.stderr and b"> GET / HTTP/1.1" in shown.stderr
    assert b"< HTTP/1.1 200 OK" in shown.stderr
    frames = memory("get", "--show", "frames", "-o", "/dev/null", "http://192.168.3.1/", ok=0)
    assert b"who-has 192.168.3.1" in frames.stdout and frames.stderr == b""


def test_a_file_is_whole_or_not_there():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "body")
        memory("get", "-o", path, "http://192.168.3.1/1M.bin", ok=0)
        assert os.path.getsize(path) == 1 << 20
        os.unlink(path)
        memory("get", "-m", "0.01", "-o", path, "http://192.168.3.1/1M.bin", ok=28)
        assert os.listdir(folder) == [], os.listdir(folder)


def test_a_full_disk_is_23():
    memory("get", "-o", "/dev/full", "http://192.168.3.1/", ok=23)


def test_json_is_one_document():
    done = memory("get", "--json", "--show", "ladder", "http://192.168.3.1/", "http://192.168.3.1/none",
                  ok=0)
    document = json.loads(done.stdout)
    assert [entry["status"] for entry in document["transfers"]] == [200, 404]
    refused = memory("get", "--json", "http://192.168.3.1:81/", ok=7)
    assert json.loads(refused.stdout)["exit"] == 7
    pinged = json.loads(memory("ping", "--json", "-c", "3", "192.168.3.1", ok=0).stdout)
    assert pinged["received"] == 3 and pinged["loss_percent"] == 0
    assert isinstance(json.loads(live.tapestry("doctor", "--json").stdout)["checks"], list)


def test_ping_in_memory():
    done = memory("ping", "-c", "3", "192.168.3.1", ok=0)
    assert b"3 packets transmitted, 3 received, 0% packet loss" in done.stdout, done
    memory("ping", "-c", "1", "192.168.3.77", ok=1)


def test_nc_in_memory():
    assert memory("nc", "192.168.3.1", "7", input=b"hello\n", ok=0).stdout == b"hello\n"
    data = os.urandom(3_000_000)
    assert memory("nc", "192.168.3.1", "7", input=data, ok=0).stdout == data
    assert memory("nc", "-u", "192.168.3.1", "7", input=b"hello\n", ok=0).stdout == b"hello\n"
    assert b"connection refused" in memory("nc", "192.168.3.1", "81", input=b"", ok=1).stderr


def test_serve_in_memory():
    with tempfile.TemporaryDirectory() as folder:
        done = memory("serve", folder, "--requests", "3", ok=0)
        assert done.stderr.count(b"HTTP/1.1 200 OK") == 3, done


def test_the_same_seed_gives_the_same_capture():
    with tempfile.TemporaryDirectory() as folder:
        captures = []
        for name, seed in (("1", "7"), ("2", "7"), ("3", "8")):
            path = os.path.join(folder, name)
            memory("get", "--drop", "5", "--seed", seed, "--pcap", path, "-o", "/dev/null",
                   "http://192.168.3.1/1M.bin", ok=0)
            with open(path, "rb") as file:
                captures.append(file.read())
        assert captures[0] == captures[1] != captures[2]


def test_inspect_chooses_and_refuses():
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../captures")
    capture = os.path.join(folder, "bulk.client.pcap")
    stream = json.loads(live.tapestry("inspect", "--stream", "0", "--json", capture, ok=0).stdout)
    assert len(stream["streams"]) == 1 and len(stream["streams"][0]["frames"]) == 72
    port = json.loads(live.tapestry("inspect", "--json", capture, "tcp", "dst", "port", "7000",
                                    ok=0).stdout)
    assert {frame["from"] for frame in port["streams"][0]["frames"]} == {"client"}
    for wrong, what in ((("--stream", "1", capture), b"has no stream 1"),
                        ((capture, "tcp", "porrt", "80"), b"porrt"),
                        ((folder,), b"captures"),
                        ((__file__,), b"cli_test.py")):
        done = live.tapestry("inspect", *wrong, ok=2)
        assert what in done.stderr and done.stderr.count(b"\n") == 1 and not done.stdout, done


def test_no_colour_in_a_pipe_or_with_no_color():
    terminal = ["script", "-qec", " ".join([live.PROGRAM, "get", "--net", "memory", "--show", "ladder",
                                            "http://192.168.3.1/"]), "/dev/null"]
    def printed(**environment):
        return subprocess.run(terminal, capture_output=True, timeout=30, check=True,
                              env={**os.environ, "TERM": "xterm", **environment}).stdout
    live.need("script")
    assert b"\x1b[" in printed()
    assert b"\x1b[" not in printed(NO_COLOR="1")
    assert b"\x1b[" not in memory("get", "--show", "ladder", "http://192.168.3.1/", ok=0).stderr


live.main(dict(globals()))
