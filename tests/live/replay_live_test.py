"""replay --live: recorded clients against real servers, a recorded server for real clients.

The recordings are those of captures/; the servers are nginx with the same documents and small ones of
Python's, all of them in this namespace at the far end of our TAP, and so is curl.
"""

import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import threading
import time

import live

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "captures" / "tools"))
sys.dont_write_bytecode = True
import peers  # noqa: E402

live.need("nginx", "curl", "tshark", "editcap")
live.in_namespace()
LINUX = None
HTTP_RULES = {"http_date", "http_etag", "http_server"}


def capture(name):
    return str(ROOT / "captures" / (name + ".pcap"))


def play(recording, *options, ok=0):
    """What was played to somebody here, as JSON."""
    done = live.tapestry("replay", recording, "--live", "--net", "tap:tap0", "--json", *options,
                         seconds=20, ok=ok)
    return json.loads(done.stdout)


def verdicts(document):
    return [turn["verdict"] for turn in document["turns"]]


def write_documents(first=None, second=None):
    for name, size, text in (("index.html", 900, first), ("second.html", 4000, second)):
        with open(LINUX.path(name), "wb") as file:
            file.write(peers.text(size, "of " + name) if text is None else text)


def start_nginx():
    folder = LINUX.folder
    os.chmod(folder, 0o755)
    write_documents()
    with open(LINUX.path("nginx.conf"), "w") as file:
        file.write(f"daemon off; master_process off; user root; pid {folder}/pid;\n"
                   f"error_log {folder}/error.log; events {{}}\n"
                   f"http {{ access_log off; server {{ listen 80; root {folder}; }}\n"
                   f"client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;\n"
                   f"fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u;\n"
                   f"scgi_temp_path {folder}/s; }}\n")
    LINUX.start("nginx", "-e", folder + "/error.log", "-c", folder + "/nginx.conf",
                stdout=live.NOWHERE, stderr=live.NOWHERE)
    LINUX.wait_for_port(80)


class Server:
    """A server for one connection, which `talk` deals with."""

    def __init__(self, talk):
        self.listener = socket.create_server((live.PEER, 0))
        self.listener.settimeout(10)
        self.address = "%s:%d" % self.listener.getsockname()
        self.talk = talk
        self.thread = threading.Thread(target=self.serve)

    def serve(self):
        connection = self.listener.accept()[0]
        connection.settimeout(10)
        with connection:
            self.talk(connection)

    def __enter__(self):
        self.thread.start()
        return self.address

    def __exit__(self, *_):
        self.thread.join(timeout=15)
        self.listener.close()


def echo(connection):
    while block := connection.recv(65536):
        connection.sendall(block)


def as_server(recording, client, *options, ok=0):
    """Plays the recorded server; `client` is called with its address. The document, what it returned."""
    command = [live.PROGRAM, "replay", recording, "--live", "--net", "tap:tap0", "--json",
               "--listen", "8000", "--max-time", "10", *options]
    process = LINUX.start(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert b"playing the server" in process.stderr.readline()
    got = client((live.WE, 8000))
    out, err = process.communicate(timeout=15)
    assert process.returncode == ok, (process.returncode, out[-2000:], err)
    return json.loads(out), got


def call(talk):
    def client(address):
        with socket.create_connection(address, timeout=10) as connection:
            return talk(connection)
    return client


def curl(*paths):
    def client(address):
        urls = ["http://%s:%d%s" % (*address, path) for path in paths]
        return subprocess.run(["curl", "-sS", "--noproxy", "*", *urls], capture_output=True, timeout=15,
                              check=True).stdout
    return client


def test_two_requests_on_one_connection_to_nginx():
    for end in ("client", "server"):
        document = play(capture("http-keep-alive." + end), "--to", live.PEER + ":80")
        assert verdicts(document) == ["sent", "allowed", "sent", "allowed", "sent", "equal"], document
        rules = {rule for turn in document["turns"] for rule in turn["rules"]}
        assert "http_date" in rules and rules <= HTTP_RULES, rules
        assert document["role"] == "client" and document["diverged"] == 0, document


def test_a_request_for_another_server_program():
    # Recorded with Python's http.server: it is HTTP/1.0 there, and HTTP/1.1 here.
    document = play(capture("http-get.client"), "--to", live.PEER + ":80", "--quiet-time", "0.2", ok=1)
    turn = document["turns"][1]
    assert turn["verdict"] == "diverged" and turn["at"] == 7, turn
    assert turn["recorded"].startswith("HTTP/1.0 200") and turn["live"].startswith("HTTP/1.1 200"), turn


def test_a_changed_document():
    text = bytearray(peers.text(4000, "of second.html"))
    text[3000:3003] = b"XYZ"
    try:
        write_documents(second=bytes(text))
        document = play(capture("http-keep-alive.client"), "--to", live.PEER + ":80", ok=1)
        turn = document["turns"][3]
        assert verdicts(document) == ["sent", "allowed", "sent", "diverged", "sent", "equal"], document
        # The document stands at the end of a response of 4239 bytes; frame 12 has the last 1343.
        assert turn["at"] == 4239 - 4000 + 3000 and turn["frame"] == 12, turn
        assert turn["why"] == "bytes" and "XYZ" in turn["live"] and "XYZ" not in turn["recorded"], turn
        write_documents(second=b"short\n")
        start = time.monotonic()
        document = play(capture("http-keep-alive.client"), "--to", live.PEER + ":80", "--quiet-time",
                        "8", ok=1)
        assert time.monotonic() - start < 6, "more was waited for than the response says"
        turn = document["turns"][3]
        assert verdicts(document)[3:] == ["diverged", "sent", "equal"], document
        assert turn["recorded"] == "Content-Length: 4000\\r\\n", turn
        assert turn["live"] == "Content-Length: 6\\r\\n" and turn["bytes_live"] < 300, turn
    finally:
        write_documents()


def test_rules_are_chosen_by_name():
    to = ("--to", live.PEER + ":80")
    document = play(capture("http-keep-alive.client"), *to, "--strict", ok=1)
    assert document["turns"][1]["verdict"] == "diverged" and document["diverged"] == 2, document
    ignore = [word for rule in sorted(HTTP_RULES) for word in ("--ignore", rule)]
    assert play(capture("http-keep-alive.client"), *to, "--strict", *ignore)["diverged"] == 0
    done = live.tapestry("replay", capture("http-get.client"), "--live", *to, "--ignore", "date", ok=2)
    assert b'no rule "date"' in done.stderr, done.stderr


def test_curl_gets_the_recorded_answers():
    documents = peers.text(900, "of index.html") + peers.text(4000, "of second.html")
    document, got = as_server(capture("http-keep-alive.client"), curl("/", "/second.html"))
    assert got == documents, got[:200]
    assert verdicts(document) == ["allowed", "sent", "allowed", "sent", "equal", "sent"], document
    assert "http_host" in document["turns"][0]["rules"], document
    document, got = as_server(capture("http-get.server"), curl("/"))
    assert got == documents[:900] and document["role"] == "server", document


def test_curl_asks_for_something_else():
    document, _ = as_server(capture("http-keep-alive.client"), curl("/", "/third.html"), ok=1)
    turn = document["turns"][2]
    assert turn["verdict"] == "diverged" and turn["recorded"].startswith("GET /second.html"), turn
    assert turn["at"] == 5 and turn["live"].startswith("GET /third.html"), turn


def test_half_closes():
    def capitals(connection):
        connection.sendall(peers.read_all(connection).upper())

    for end in ("client", "server"):
        with Server(capitals) as address:
            document = play(capture("half-close-client." + end), "--to", address)
            assert verdicts(document) == ["sent", "equal"], document
        with Server(lambda c: c.sendall(peers.text(2000, "of the server"))) as address:
            document = play(capture("half-close-server." + end), "--to", address)
            assert verdicts(document) == ["equal", "sent"], document

    def half_close(connection):
        connection.sendall(peers.text(3000, "of the client"))
        connection.shutdown(socket.SHUT_WR)
        return peers.read_all(connection)

    document, got = as_server(capture("half-close-client.client"), call(half_close))
    assert got == peers.text(3000, "of the client").upper() and document["diverged"] == 0, document


def test_a_chat():
    recorded = LINUX.path("chat.pcapng")
    with Server(echo) as address:
        document = play(capture("chat.client"), "--to", address, "--pcap", recorded)
        assert document["diverged"] == 0 and len(document["turns"]) == 14, document
    live.assert_clean(recorded)
    # What was recorded just now is a recording, too; at the speed of the first one half a second passes.
    with Server(echo) as address:
        assert play(recorded, "--to", address)["diverged"] == 0
    start = time.monotonic()
    with Server(echo) as address:
        assert play(capture("chat.client"), "--to", address, "--speed", "recorded")["diverged"] == 0
    assert time.monotonic() - start > 0.45, "too early"

    def deaf(connection):
        peers.read_exactly(connection, 9)
        connection.sendall(b"other\n")
        peers.read_all(connection)

    with Server(deaf) as address:
        document = play(capture("chat.client"), "--to", address, "--quiet-time", "0.1", ok=1)
        turns = document["turns"]
        assert turns[1]["bytes_live"] == 6 and turns[1]["why"] == "bytes", turns[1]
        assert turns[3]["bytes_live"] == 0 and turns[3]["why"] == "missing", turns[3]


def test_resets():
    outcome = []

    def until_reset(connection):
        peers.read_exactly(connection, 100)
        connection.sendall(peers.text(500, "of the server"))
        try:
            outcome.append(connection.recv(100))
        except ConnectionResetError:
            outcome.append("reset")

    with Server(until_reset) as address:
        document = play(capture("linger-reset.client"), "--to", address)
        assert verdicts(document) == ["sent", "equal", "sent"], document
    assert outcome == ["reset"], outcome

    def linger(connection):
        connection.sendall(peers.text(100, "of the client"))
        peers.read_exactly(connection, 500)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    document, _ = as_server(capture("linger-reset.server"), call(linger))
    assert verdicts(document) == ["equal", "sent", "equal"], document

    # A reset right behind the data: they have arrived all the same.
    def linger_at_once(connection):
        connection.sendall(b"farewell\n")
        time.sleep(0.1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    recorded = LINUX.path("farewell.pcapng")
    as_server(capture("half-close-client.server"), call(linger_at_once), "--pcap", recorded, ok=1)
    farewell = []

    def listen(connection):
        try:
            farewell.append(peers.read_exactly(connection, 9))
            farewell.append(connection.recv(1))
        except ConnectionResetError:
            farewell.append("reset")

    with Server(listen) as address:
        document = play(recorded, "--to", address)
    assert verdicts(document) == ["sent"] and document["turns"][0]["ends"] == "reset", document
    assert farewell == [b"farewell\n", "reset"], (farewell, document)


def test_a_peer_that_leaves_early():
    def once(connection):
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with Server(once) as address:
        document = play(capture("http-keep-alive.client"), "--to", address, ok=1)
    assert verdicts(document)[0:2] == ["sent", "diverged"], document
    assert "not_played" in verdicts(document) or document["diverged"] > 1, document

    with Server(lambda connection: connection.recv(3)) as address:
        document = play(capture("chat.client"), "--to", address, ok=1)
    assert verdicts(document) == ["sent", "diverged"] + ["not_played"] * 12, document
    assert document["turns"][1]["why"] == "reset", document


def test_what_the_capture_does_not_have():
    cut = LINUX.path("cut.pcap")
    live.run("editcap", "-s", "200", capture("http-keep-alive.client"), cut)
    document = play(cut, "--to", live.PEER + ":80")
    assert document["diverged"] == 0, document
    assert document["turns"][1]["bytes_unknown"] == 1138 - (200 - 66), document["turns"][1]
    live.run("editcap", "-s", "100", capture("http-keep-alive.client"), cut)
    done = live.tapestry("replay", cut, "--live", "--to", live.PEER + ":80", ok=2)
    assert b"stream 0: bytes 34 to 74 of the client" in done.stderr, done.stderr
    assert b"frame 4" in done.stderr and done.stderr.count(b"\n") == 1, done.stderr
    live.run("editcap", capture("http-keep-alive.client"), cut, "8")
    done = live.tapestry("replay", cut, "--live", "--to", live.PEER + ":80", ok=2)
    assert b"bytes 75 to 160 of the client" in done.stderr, done.stderr
    live.run("editcap", capture("http-keep-alive.client"), cut, "10")
    document = play(cut, "--to", live.PEER + ":80")
    assert document["turns"][3]["bytes_unknown"] == 1448 and document["diverged"] == 0, document


def test_no_connection_and_bad_input():
    def refused(code, message, *words, recording="chat.client"):
        done = live.tapestry("replay", capture(recording), "--live", "--net", "tap:tap0", *words, ok=code)
        assert message in done.stderr and done.stdout == b"", done.stderr
        assert done.stderr.count(b"\n") <= 2, done.stderr

    refused(7, b"connection refused", "--to", live.PEER + ":81")
    refused(6, b"could not resolve host: server", "--to", "server:80")
    refused(28, b"timed out", "--to", "192.168.3.77:80", "--max-time", "0.2")
    refused(28, b"nobody has called", "--listen", "80", "--max-time", "0.2")
    refused(2, b"is not HOST:PORT", "--to", live.PEER)
    refused(2, b"--to HOST:PORT or --listen PORT")
    refused(2, b"no stream 4", "--to", live.PEER + ":80", "--stream", "4")
    refused(2, b"no TCP stream", "--to", live.PEER + ":80", recording="ping.client")


def test_the_lines_for_people_and_the_sandbox():
    done = live.tapestry("replay", capture("http-get.client"), "--live", "--listen", "80", "--run",
                         "curl -sS http://192.168.3.10/ | wc -c", ok=0)
    lines = done.stdout.decode().splitlines()
    assert lines[0].endswith("we are the server") and "http_host" in lines[1], lines
    assert lines[-1] == "3 turns: 1 sent, 1 equal, 1 allowed, 0 diverged", lines
    assert b"900" in done.stderr, done.stderr


with live.Linux() as LINUX:
    start_nginx()
    live.main(dict(globals()))
