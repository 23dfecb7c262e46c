"""`tapestry router` between hosts of Linux: what a home wants of its router."""

import os
import signal
import stat
import subprocess
import time

import live
from home import Home

live.need("nginx", "curl", "ping", "tshark", "nsenter", "setpriv")
live.in_namespace()

SERVER = "198.51.100.1"
OUTSIDE = "203.0.113.5"
SINK = """
import hashlib, socket, sys
socket.setdefaulttimeout(20)
listener = socket.create_server(("0.0.0.0", int(sys.argv[1])))
print("ready", flush=True)
connection, peer = listener.accept()
digest = hashlib.sha256()
while block := connection.recv(1 << 20):
    digest.update(block)
print(peer[0], digest.hexdigest(), flush=True)
"""
SOURCE = """
import hashlib, os, socket, sys
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=15)
digest = hashlib.sha256()
block = os.urandom(1 << 20)
for i in range(int(sys.argv[3])):
    piece = i.to_bytes(8, "big") + block[8:]
    digest.update(piece)
    connection.sendall(piece)
connection.close()
print(digest.hexdigest())
"""


def curl(host, url, *options, seconds=30):
    return host.try_to("curl", "-sS", "--connect-timeout", "2", *options, url, seconds=seconds)


def test_a_page_from_behind_the_router():
    done = curl(home.laptop, "http://%s/" % SERVER)
    assert done.stdout == "hello from server\n", done
    done = curl(home.tablet, "http://%s/" % SERVER)
    assert done.stdout == "hello from server\n", done
    assert home.server.visitors(2) == [OUTSIDE, OUTSIDE], home.server.visitors()


def test_twenty_connections_at_once():
    path = live.make_file(home.server.path("www/some.bin"), 300_000)
    script = ("mkdir -p %(f)s && cd %(f)s && curl -sS --fail --max-time 20 --parallel --parallel-immediate "
              "--parallel-max 20 -o 'got#1' 'http://%(s)s/some.bin?[1-20]' && sha256sum got* | "
              "cut -d ' ' -f 1 | sort | uniq -c" % {"f": home.laptop.path("got"), "s": SERVER})
    count, digest = home.laptop.run("sh", "-c", script).split()
    assert int(count) == 20 and digest == live.sha256(path), (count, digest)
    assert set(home.server.visitors(22)) == {OUTSIDE}


def transfer(sender, receiver, address, megabytes):
    """From one host to another, hashed at both ends; the address that it came from."""
    sink = receiver.start("python3", "-c", SINK, "9000", stdout=subprocess.PIPE, text=True)
    assert sink.stdout.readline() == "ready\n"
    digest = sender.run("python3", "-c", SOURCE, address, "9000", str(megabytes)).strip()
    peer, got = sink.stdout.readline().split()
    sink.wait(timeout=10)
    assert got == digest, (got, digest)
    return peer


def test_two_hundred_megabytes_up():
    assert transfer(home.laptop, home.server, SERVER, 200) == OUTSIDE


def test_two_hundred_megabytes_down():
    path = live.make_file(home.server.path("www/large.bin"), 200_000_000)
    script = "curl -sS --fail --max-time 30 http://%s/large.bin | sha256sum" % SERVER
    assert home.laptop.run("sh", "-c", script).split()[0] == live.sha256(path)


def test_twenty_megabytes_each_way_through_a_packet_socket():
    assert transfer(home.tablet, home.server, SERVER, 20) == OUTSIDE
    path = live.make_file(home.server.path("www/large.bin"), 20_000_000)
    script = "curl -sS --fail --max-time 30 http://%s/large.bin | sha256sum" % SERVER
    assert home.tablet.run("sh", "-c", script).split()[0] == live.sha256(path)


def test_a_forwarded_port_a_rejected_one_and_a_dropped_one():
    before = len(home.laptop.visitors())
    done = curl(home.server, "http://%s:8080/" % OUTSIDE)
    assert done.stdout == "hello from laptop\n", done
    assert home.laptop.visitors(before + 1)[-1] == "203.0.113.1", home.laptop.visitors()
    refused = curl(home.server, "http://%s:8081/" % OUTSIDE)
    assert refused.returncode == 7, refused
    start = time.monotonic()
    dropped = curl(home.server, "http://%s:8082/" % OUTSIDE)
    assert dropped.returncode == 28 and time.monotonic() - start > 1.5, dropped
    unasked = curl(home.server, "http://%s:2222/" % OUTSIDE)
    assert unasked.returncode == 28, unasked


def test_one_inside_reaches_the_other_by_the_outside_address():
    before = len(home.laptop.visitors())
    done = curl(home.tablet, "http://%s:8080/" % OUTSIDE)
    assert done.stdout == "hello from laptop\n", done
    assert home.laptop.visitors(before + 1)[-1] == OUTSIDE, home.laptop.visitors()
    # The host that the port belongs to, too: there and back over the same cable.
    done = curl(home.laptop, "http://%s:8080/" % OUTSIDE)
    assert done.stdout == "hello from laptop\n", done


def test_ping_and_the_way():
    said = home.laptop.run("ping", "-c", "3", "-i", "0.2", SERVER)
    assert "3 received, 0% packet loss" in said, said
    first = home.laptop.try_to("ping", "-c", "1", "-W", "2", "-t", "1", SERVER)
    assert "From 192.168.3.1 icmp_seq=1 Time to live exceeded" in first.stdout, first
    second = home.laptop.run("ping", "-c", "1", "-W", "2", "-t", "2", SERVER)
    assert "1 received" in second, second
    large = home.laptop.run("ping", "-c", "2", "-i", "0.2", "-s", "5000", SERVER)
    assert "2 received" in large, large


def test_the_table_and_its_events():
    events_path = os.path.join(home.folder, "events")
    with open(events_path, "w") as file:
        events = subprocess.Popen([live.PROGRAM, "nat", home.file, "-E"], stdout=file)
    time.sleep(0.3)
    # More than fits into buffers: the conversation is under way when we look.
    live.make_file(home.server.path("www/slow.bin"), 50_000_000)
    slow = home.laptop.start("curl", "-s", "--limit-rate", "500k", "-o", "/dev/null",
                             "http://%s/slow.bin" % SERVER)
    time.sleep(1)
    lines = [line for line in home.nat().splitlines() if "ESTABLISHED" in line]
    assert any("src=192.168.3.10 dst=%s" % SERVER in line and "dst=%s" % OUTSIDE in line and
               "[ASSURED]" in line for line in lines), lines
    mapping = home.nat("--mappings")
    assert "192.168.3.10:" in mapping and "-> %s:" % OUTSIDE in mapping, mapping
    rules = home.nat("-L", "-n", "-v", "-t", "nat")
    assert "MASQUERADE" in rules and "policy ACCEPT" in rules, rules
    saved = home.nat("--save")
    assert "-A POSTROUTING -o wan -j MASQUERADE" in saved and "[0:0] -A POSTROUTING" not in saved
    live.stop(slow)
    home.laptop.run("ping", "-c", "1", SERVER)
    end = time.monotonic() + 5
    text = ""
    while "[DESTROY] icmp" not in text and time.monotonic() < end:
        time.sleep(0.1)
        with open(events_path) as file:
            text = file.read()
    live.stop(events)
    assert "\n[DESTROY] icmp     1 " in text, text[-1000:]
    assert "    [NEW] tcp      6 240 SYN_SENT src=192.168.3.10 dst=%s" % SERVER in text, text
    assert " [UPDATE] tcp      6 " in text and "ESTABLISHED src=192.168.3.10" in text, text


def test_clients_of_the_socket_do_not_hold_up_the_router():
    assert stat.S_IMODE(os.stat(home.control).st_mode) == 0o600
    stuck = subprocess.Popen([live.PROGRAM, "nat", home.file, "-E"], stdout=subprocess.PIPE,
                             stderr=live.NOWHERE)
    time.sleep(0.2)
    stuck.send_signal(signal.SIGSTOP)
    try:
        done = curl(home.laptop, "http://%s/" % SERVER)
        assert done.stdout == "hello from server\n", done
        # Many at once: those who only keep a connection open make room for those who ask.
        idle = [subprocess.Popen(["python3", "-c",
                                  "import socket, time\n"
                                  "s = socket.socket(socket.AF_UNIX)\n"
                                  "s.connect('%s')\n"
                                  "time.sleep(60)" % home.control]) for _ in range(18)]
        time.sleep(1)
        assert "MASQUERADE" in home.nat("--rules")
        for process in idle:
            process.kill()
            process.wait()
    finally:
        stuck.kill()
        stuck.wait()
        stuck.stdout.close()


def test_our_own_stack_behind_our_own_router():
    body = home.laptop.path("body")
    before = len(home.server.visitors())
    home.laptop.run(live.PROGRAM, "get", "--net", "tap:us", "--address", "192.168.3.20/24",
                    "--gateway", "192.168.3.1", "-o", body, "http://%s/some.bin" % SERVER)
    assert live.sha256(body) == live.sha256(home.server.path("www/some.bin"))
    assert home.server.visitors(before + 1)[-1] == OUTSIDE


def test_a_second_router_and_a_stale_socket():
    second = live.tapestry("router", home.file)
    assert second.returncode == 2 and second.stderr.count(b"\n") == 1, second


def test_the_end_says_what_was_refused():
    out, _ = home.stop_router()
    assert "packets sent on" in out and "FilterDropped" in out and "FilterRejected" in out, out
    assert not os.path.exists(home.control)


def test_a_narrow_link_outside():
    with Home(mtu=1400) as narrow:
        narrow.server.serve()
        said = narrow.laptop.try_to("ping", "-c", "1", "-W", "2", "-M", "do", "-s", "1422", SERVER)
        assert "Frag needed and DF set (mtu = 1400)" in said.stdout + said.stderr, said
        narrow.laptop.run("ip", "route", "flush", "cache")
        transfer(narrow.laptop, narrow.server, SERVER, 10)
        path = live.make_file(narrow.server.path("www/page.bin"), 10_000_000)
        script = "curl -sS --fail --max-time 30 http://%s/page.bin | sha256sum" % SERVER
        assert narrow.laptop.run("sh", "-c", script).split()[0] == live.sha256(path)
        # Whoever allows it has it cut.
        said = narrow.laptop.run("ping", "-c", "2", "-i", "0.2", "-M", "dont", "-s", "1422", SERVER)
        assert "2 received" in said, said
        # Killed, it leaves its socket behind; the next one takes its place.
        narrow.router.kill()
        narrow.router.communicate()
        assert os.path.exists(narrow.control)
        narrow.start_router()


def test_what_the_outside_sees_is_well_formed():
    with Home(pcap=True) as watched:
        watched.server.serve()
        watched.laptop.serve()
        live.make_file(watched.server.path("www/page.bin"), 100_000)
        assert curl(watched.laptop, "http://%s/page.bin" % SERVER, "-o", "/dev/null").returncode == 0
        assert curl(watched.tablet, "http://%s/page.bin" % SERVER, "-o", "/dev/null").returncode == 0
        assert curl(watched.server, "http://%s:8080/" % OUTSIDE).returncode == 0
        assert curl(watched.server, "http://%s:8081/" % OUTSIDE).returncode == 7
        watched.laptop.run("ping", "-c", "1", "-s", "3000", SERVER)
        watched.laptop.try_to("ping", "-c", "1", "-W", "1", "-t", "1", SERVER)
        watched.stop_router()
        for name in ("wan", "lan", "lan2"):
            live.assert_clean("%s/%s.pcapng" % (watched.captures, name))
        inside = live.tshark(watched.captures + "/wan.pcapng", "-Y", "ip.addr == 192.168.0.0/16")
        assert not inside, inside[:5]
        said = {name: live.tshark("%s/%s.pcapng" % (watched.captures, name), "-T", "fields", "-e", "frame.comment",
                                  "-Y", "tcp.flags == 2") for name in ("lan", "wan")}
        assert "router passes it on, from lan to wan: src 192.168." in said["lan"][0], said
        assert said["wan"][0].startswith("router passes on what came in: src 192.168."), said


with Home() as home:
    home.server.serve()
    home.laptop.serve()
    live.main(dict(globals()))
