"""`tapestry lab` as a person and as a script call it."""

import glob
import json
import os
import shutil
import tempfile

import live


def names():
    listed = json.loads(live.tapestry("lab", "--json", ok=0).stdout)
    return [lab["name"] for lab in listed["labs"]]


def test_the_list():
    text = live.tapestry("lab", ok=0).stdout.decode()
    for name in names():
        assert any(line.startswith(name + " ") for line in text.splitlines()), name
    assert max(len(line) for line in text.splitlines()) <= 120
    assert len(names()) == 17, names()


def test_a_lab_in_a_pipe():
    done = live.tapestry("lab", "home-nat", ok=0)
    text = done.stdout.decode()
    assert done.stderr == b"" and "\x1b" not in text, "no colour in a pipe"
    assert "src 192.168.3.10:" in text and "-> 203.0.113.5:" in text
    assert "NAT + tcp 192.168.3.10:" in text and "laptop: get: 200 OK" in text
    assert max(len(line) for line in text.splitlines()) <= 120
    assert live.tapestry("lab", "home-nat", ok=0).stdout == done.stdout


def test_json():
    for name in names():
        story = json.loads(live.tapestry("lab", name, "--json", ok=0).stdout)
        assert story["lab"] == name and story["steps"], name
        lines = {line["name"] for line in story["lifelines"]}
        for step in story["steps"]:
            assert step["from"] in lines and step.get("to", step["from"]) in lines, step


def test_wrong_usage():
    for arguments, words in ((["home-nut"], "did you mean home-nat"), (["nothing-like-it"], "there is no lab"),
                             (["./not-there.toml"], "not-there.toml"),
                             (["home-nat", "--pcap", "/does/not/exist"], "not a folder")):
        done = live.tapestry("lab", *arguments)
        assert done.returncode == 2, (arguments, done)
        assert done.stdout == b"" and done.stderr.count(b"\n") == 1, done
        assert words in done.stderr.decode(), done


def test_a_file_of_ones_own():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "mine.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write('title = "mine"\n'
                       '[[machine]]\nname = "a"\naddress = "10.0.0.1/24"\n'
                       '[[machine]]\nname = "b"\naddress = "10.0.0.2/24"\n'
                       '[[link]]\nname = "cable"\nends = ["a", "b"]\n'
                       '[timeline]\nsteps = ["a ping b -c 1"]\n')
        assert b"1 sent, 1 answered" in live.tapestry("lab", path, ok=0).stdout
        with open(path, "a", encoding="utf-8") as file:
            file.write('colour = "red"\n')
        done = live.tapestry("lab", path, ok=2)
        assert b"mine.toml:13:1: " in done.stderr, done


def test_captures():
    with tempfile.TemporaryDirectory() as folder:
        live.tapestry("lab", "lost-syn", "--pcap", folder, ok=0)
        live.tapestry("lab", "home-nat", "--pcap", folder, ok=0)
        found = sorted(os.path.basename(name) for name in glob.glob(folder + "/*"))
        assert found == ["cable.pcapng", "lan.pcapng", "wan.pcapng"], found
        if shutil.which("tshark") is None:
            return
        for name in found:
            text = live.run("tshark", "-r", os.path.join(folder, name), "-o", "tcp.check_checksum:TRUE",
                            "-o", "ip.check_checksum:TRUE")
            assert "SYN" in text and "HTTP" in text, text
            bad = live.run("tshark", "-r", os.path.join(folder, name), "-Y",
                           "_ws.malformed || tcp.checksum.status == 0 || ip.checksum.status == 0",
                           "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE")
            assert bad == "", bad


live.main(dict(globals()))
