"""Other people's programs at the other end: nginx, netcat, ping, in both roles."""

import os
import subprocess

import live

live.need("nginx", "nc", "ping", "tshark")
live.in_namespace()

NGINX = """
daemon off;
master_process off;
pid %(folder)s/nginx.pid;
error_log %(folder)s/error.log;
events {}
http {
    access_log off;
    client_body_temp_path %(folder)s/t1; proxy_temp_path %(folder)s/t2;
    fastcgi_temp_path %(folder)s/t3; uwsgi_temp_path %(folder)s/t4; scgi_temp_path %(folder)s/t5;
    server { listen 192.168.3.1:8000; root %(folder)s/www; }
}
"""


def test_get_from_nginx_twice_on_one_connection():
    with live.Linux() as linux:
        os.chmod(linux.folder, 0o755)
        os.mkdir(linux.path("www"))
        live.make_file(linux.path("www/page.bin"), 700_000)
        with open(linux.path("nginx.conf"), "w") as file:
            file.write(NGINX % {"folder": linux.folder})
        linux.start("nginx", "-p", linux.folder, "-e", linux.path("error.log"), "-c",
                    linux.path("nginx.conf"))
        linux.wait_for_port(8000)
        capture = linux.path("nginx.pcapng")
        url = "http://192.168.3.1:8000/page.bin"
        done = live.tapestry("get", "--net", "tap:tap0", "--pcap", capture, url, url, ok=0)
        with open(linux.path("www/page.bin"), "rb") as file:
            assert done.stdout == 2 * file.read()
        live.assert_clean(capture)
        assert live.tshark(capture, "-2", "-T", "fields", "-e", "tcp.stream", "-Y", "http.request") == [
            "0", "0"], "not one connection"


def test_netcat_listens_and_we_call():
    with live.Linux() as linux:
        with open(linux.path("got"), "wb") as got:
            listener = linux.start("nc", "-l", "-N", live.PEER, "5000", stdin=subprocess.DEVNULL,
                                   stdout=got)
        linux.wait_for_port(5000)
        data = os.urandom(300_000)
        live.tapestry("nc", "--net", "tap:tap0", live.PEER, "5000", input=data, ok=0)
        listener.wait(timeout=20)
        with open(linux.path("got"), "rb") as got:
            assert got.read() == data


def test_we_listen_and_netcat_calls():
    with live.Linux() as linux:
        with open(linux.path("got"), "wb") as got:
            listener = linux.start(live.PROGRAM, "nc", "-l", "5000", "--net", "tap:tap0",
                                   stdin=subprocess.DEVNULL, stdout=got)
        data = os.urandom(300_000)
        for _ in range(50):
            call = subprocess.run(["nc", "-N", "-w", "10", live.WE, "5000"], input=data, timeout=30,
                                  check=False)
            if call.returncode == 0:
                break
        assert listener.wait(timeout=20) == 0
        with open(linux.path("got"), "rb") as got:
            assert got.read() == data


def test_ping_both_ways():
    with live.Linux() as linux:
        done = live.tapestry("ping", "-c", "3", "-i", "0.2", "--net", "tap:tap0", live.PEER, ok=0)
        assert b"3 packets transmitted, 3 received, 0% packet loss" in done.stdout, done.stdout
        server = live.tapestry_in_background(linux, "serve", linux.folder, "--net", "tap:tap0")
        for size in ("56", "1472", "8000"):
            live.run("ping", "-c", "3", "-i", "0.2", "-s", size, "-w", "10", live.WE)
        live.stop(server)


def test_ping_nobody():
    with live.Linux():
        live.tapestry("ping", "-c", "1", "-W", "1", "--net", "tap:tap0", "192.168.3.77", ok=1)


live.main(dict(globals()))
