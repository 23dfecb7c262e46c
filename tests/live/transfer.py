"""One file over TCP, to Linux or from it, through the TAP of a live.Linux()."""

import os

import live

SIZE = 100_000_000


def send(linux, path, *options, seconds=120):
    """serve here, curl at the peer: what it got is hashed there."""
    server = live.tapestry_in_background(linux, "serve", linux.folder, "--net", "tap:tap0", *options)
    got = linux.path("got")
    live.run("curl", "-sS", "--fail", "--retry-connrefused", "--retry", "20", "--retry-delay", "1",
             "--connect-timeout", "5", "-o", got, "http://192.168.3.10:8080/" + os.path.basename(path),
             seconds=seconds)
    live.stop(server)
    return live.sha256(got)


def receive(linux, path, *options, seconds=120):
    """get here from a web server at the peer."""
    web = linux.start("python3", "-m", "http.server", "--bind", live.PEER, "--directory",
                      linux.folder, "8000", stdout=live.NOWHERE, stderr=live.NOWHERE)
    linux.wait_for_port(8000)
    body = linux.path("body")
    live.tapestry("get", "--net", "tap:tap0", *options, "-o", body,
                  "http://192.168.3.1:8000/" + os.path.basename(path), ok=0, seconds=seconds)
    live.stop(web)
    return live.sha256(body)


