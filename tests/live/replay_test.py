"""The command line of `replay --as`: exit status, rules, JSON, what it writes, what it refuses, and captures of
our own programs."""

import json
import os
import subprocess
import tempfile

import live

CAPTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "captures")
GET = os.path.join(CAPTURES, "http-get.client.pcap")
RESET = os.path.join(CAPTURES, "reset-in-transfer.client.pcap")  # as SERVER: two frames diverge
LAST_ACK = os.path.join(CAPTURES, "last-ack-lost.client.pcap")    # as SERVER: one
CLIENT = "192.168.3.10"
SERVER = "192.168.3.1"


def replay(file, *arguments, host=CLIENT, **options):
    return live.tapestry("replay", file, "--as", host, *arguments, **options)


def test_exit_status_says_whether_something_diverged():
    assert b"0 diverged" in replay(GET, ok=0).stdout
    done = replay(RESET, host=SERVER)
    assert done.returncode == 1, done
    lines = done.stdout.decode()
    for part in ("never sent by us (RFC 9293 3.7)", "recorded: . 43441:44889(1448)", "we sent:  nothing",
                 "we were:  CLOSED", "record 65, at byte "):
        assert part in lines, (part, lines)


def test_strict_allows_only_what_is_named():
    assert replay(GET, "--strict").returncode == 1
    done = replay(GET, "--json", ok=0)
    needed = list(json.loads(done.stdout)["sum"]["rules"])
    assert "window" in needed, needed
    ignores = [word for rule in needed for word in ("--ignore", rule)]
    replay(GET, "--strict", *ignores, ok=0)
    assert replay(GET, "--strict", *ignores[2:]).returncode == 1
    known = live.tapestry("replay", "--rules", ok=0).stdout.decode()
    for rule in needed:
        assert "\n" + rule + " " in "\n" + known and "RFC" in known, rule


def test_json_has_its_form():
    document = json.loads(replay(RESET, "--json", host=SERVER).stdout)
    assert document["as"] == SERVER and document["frames"] == 68 and document["skipped"] == 0, document
    (conversation,) = document["conversations"]
    assert conversation["stream"] == 0 and conversation["opened_by_host"] is False
    total = conversation["sum"]
    assert total["recorded"] == sum(f["recorded"] is not None for f in conversation["frames"])
    assert total["sent"] == sum(f["sent"] is not None for f in conversation["frames"])
    wrong, _ = [f for f in conversation["frames"] if f["verdict"] == "diverged"]
    assert wrong["why"] == "never sent by us" and wrong["rfc"] == "RFC 9293 3.7", wrong
    assert wrong["offset"] > 24, wrong


def test_out_is_read_by_tshark_with_its_comments():
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "ours.pcapng")
        replay(LAST_ACK, "--out", out, host=SERVER)
        rows = subprocess.run(["tshark", "-r", out, "-T", "fields", "-e", "ip.src", "-e", "frame.comment"],
                              capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
        comments = [row.split("\t")[1] for row in rows if row.startswith(SERVER)]
        assert any(c.startswith("diverged: a reset of ours only (RFC 9293 3.5.2)") for c in comments), comments
        assert any("; recorded as frame 6: . 1:1449" in c for c in comments), comments
        assert not any(row.split("\t")[1] for row in rows if not row.startswith(SERVER)), rows
        done = replay(GET, "--out", os.path.join(folder, "no", "such"))
        assert done.returncode == 2 and done.stderr.count(b"\n") == 1, done


def test_broken_files_are_used_as_far_as_they_go():
    with tempfile.TemporaryDirectory() as folder:
        cut = os.path.join(folder, "cut.pcap")
        with open(GET, "rb") as whole, open(cut, "wb") as part:
            part.write(whole.read()[:700])
        done = replay(cut)
        assert done.returncode == 2 and b"#1 " in done.stdout, done
        assert b"record" in done.stderr and done.stderr.count(b"\n") == 1, done.stderr
        garbage = os.path.join(folder, "garbage")
        with open(garbage, "wb") as out:
            out.write(bytes(range(256)) * 10)
        done = replay(garbage)
        assert done.returncode == 2 and done.stdout == b"" and done.stderr.count(b"\n") == 1, done


def test_stranger_is_told_who_is_there():
    done = replay(GET, host="10.9.8.7")
    assert done.returncode == 2 and b"192.168.3.10" in done.stderr and done.stdout == b"", done
    done = replay(GET, "--stream", "7")
    assert done.returncode == 2 and b"stream 7" in done.stderr, done


def test_one_conversation_can_be_looked_at():
    file = os.path.join(CAPTURES, "port-reuse.server.pcap")
    done = json.loads(replay(file, "--stream", "1", "--json", host="192.168.3.1", ok=0).stdout)
    assert [c["stream"] for c in done["conversations"]] == [1]
    done = json.loads(replay(file, "--json", host="192.168.3.1", ok=0).stdout)
    assert [c["stream"] for c in done["conversations"]] == [0, 1, 2]


def test_our_own_captures_do_not_diverge():
    with tempfile.TemporaryDirectory() as folder:
        own = os.path.join(folder, "own.pcapng")
        for path in ("/", "/1M.bin"):
            live.tapestry("get", "-o", os.devnull, "--net", "memory", "--pcap", own,
                          "http://192.168.3.1" + path, ok=0)
            for host in (CLIENT, "192.168.3.1"):
                done = replay(own, "--summary", host=host)
                assert done.returncode == 0, (path, host, done.stdout.decode()[-2000:])


live.main(dict(globals()))
