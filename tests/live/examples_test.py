"""The two small programs of apps/examples: the client, and the server with a client of Linux's."""

import os
import subprocess

import live

live.need("nc")
live.need_tap()

EXAMPLES = os.environ.get("EXAMPLES", "build/examples")
if not os.path.exists(os.path.join(EXAMPLES, "client")):
    live.skip("the examples are not built")


def test_the_client_fetches_the_page():
    done = subprocess.run([os.path.join(EXAMPLES, "client")], capture_output=True, timeout=30, check=False)
    assert done.returncode == 0, done
    assert done.stdout.startswith(b"HTTP/1.1 200 OK\r\n") and b"</html>" in done.stdout, done


def test_the_server_greets_two_clients():
    server = subprocess.Popen([os.path.join(EXAMPLES, "server"), "2"], stdout=subprocess.PIPE, text=True)
    try:
        command = server.stdout.readline().split()
        assert command[-3:] == ["nc", live.WE, "1234"], command
        for _ in range(2):
            said = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=20, check=False).stdout
            assert said.startswith("Hello, 192.168.3.1:"), said
        assert server.wait(timeout=20) == 0
        assert server.stdout.read().count("greeted") == 2
    finally:
        server.kill()
        server.wait()


def test_they_are_short():
    sources = os.path.join(os.path.dirname(__file__), "../../apps/examples")
    for name in os.listdir(sources):
        with open(os.path.join(sources, name)) as file:
            assert len(file.readlines()) < 40, name


live.main(dict(globals()))
