"""What happens to the program from outside: the TAP goes away, Ctrl-C comes in a transfer."""

import os
import signal
import socket
import subprocess
import threading
import time

import live

live.need("curl")
live.in_namespace()


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid) as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def start(linux, *arguments):
    process = linux.start(live.PROGRAM, *arguments, stdout=live.NOWHERE, stderr=subprocess.PIPE)
    end = time.monotonic() + 10
    while time.monotonic() < end and "LOWER_UP" not in live.run("ip", "link", "show", "tap0"):
        time.sleep(0.02)
    return process


def test_a_tap_that_goes_down_and_comes_back():
    """API-04: no busy loop while it is down, and the server is there again afterwards."""
    with live.Linux() as linux:
        live.make_file(linux.path("file"), 1000)
        server = start(linux, "serve", linux.folder, "--net", "tap:tap0")
        live.run("curl", "-sSf", "-o", "/dev/null", "http://192.168.3.10:8080/file")
        live.run("ip", "link", "set", "tap0", "down")
        before = cpu_seconds(server.pid)
        time.sleep(2)
        assert server.poll() is None, server.stderr.read()
        assert cpu_seconds(server.pid) - before < 0.1, cpu_seconds(server.pid) - before
        live.run("ip", "link", "set", "tap0", "up")
        live.run("curl", "-sSf", "-o", "/dev/null", "--retry", "5", "--retry-connrefused",
                 "--max-time", "5", "http://192.168.3.10:8080/file")


def test_a_tap_that_is_deleted():
    """API-04: one line that says so, and an end with an error, at once."""
    with live.Linux() as linux:
        server = start(linux, "serve", linux.folder, "--net", "tap:tap0")
        live.run("ip", "link", "delete", "tap0")
        try:
            status = server.wait(timeout=5)
        finally:
            live.run("ip", "tuntap", "add", "dev", "tap0", "mode", "tap")  # linux deletes it
        last = server.stderr.read().decode().splitlines()[-1]
        assert status == 1, (status, last)
        assert last == "tapestry: the device is gone: tap0", last


class SlowServer(threading.Thread):
    """Sends a page without end until the other side is gone, and remembers how it learnt that."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server((live.PEER, 80))
        self.sent = 0
        self.end = None

    def run(self):
        with self.listener, self.listener.accept()[0] as connection:
            connection.settimeout(10)
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            try:
                while True:
                    self.sent += connection.send(b"x" * 10000)
                    time.sleep(0.005)
            except OSError as error:
                self.end = error


def test_ctrl_c_in_a_transfer():
    """API-06: the peer hears of it at once, and we are gone within two seconds."""
    with live.Linux() as linux:
        server = SlowServer()
        server.start()
        client = start(linux, "get", "--net", "tap:tap0", "-o", linux.path("body"),
                       "http://%s/endless" % live.PEER)
        end = time.monotonic() + 10
        while time.monotonic() < end and server.sent < 500_000:
            time.sleep(0.01)
        interrupted = time.monotonic()
        client.send_signal(signal.SIGINT)
        status = client.wait(timeout=10)
        server.join(timeout=10)
        assert time.monotonic() - interrupted < 2
        # The status that every command has for "it could not be done"; the line says why.
        message = client.stderr.read()
        assert status == 1 and message == b"tapestry: interrupted\n", (status, message)
        assert isinstance(server.end, (ConnectionResetError, BrokenPipeError)), server.end


live.main(globals())
