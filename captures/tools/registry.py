"""The list of scenarios, and what many of them do."""

import os

from lab import Lab
from peers import PORT, text

# Without selective acknowledgments, RACK and forward RTO recovery Linux recovers as RFC 5681, RFC 6582 and
# RFC 6298 say, which makes its retransmissions comparable.
CLASSIC = {"net/ipv4/tcp_sack": "0", "net/ipv4/tcp_recovery": "0", "net/ipv4/tcp_frto": "0"}
SCENARIOS = {}


class Scenario:
    def __init__(self, name, what, play, shape, options):
        self.name, self.what, self.play, self.shape = name, what, play, shape
        self.options = options

    def record(self, folder):
        prefix = os.path.join(folder, self.name)
        with self.shape(prefix, **self.options) as lab:
            self.play(lab)
        sizes = [os.path.getsize(path) for path in lab.files if path.endswith(".pcap")]
        print(f"{self.name:22} {' '.join(f'{size:7}' for size in sizes)} bytes", flush=True)


def scenario(name, what, shape=Lab, **options):
    """`shape` is the network: lab.Lab or one of shapes.py, which gets the options."""
    def register(play):
        SCENARIOS[name] = Scenario(name, what, play, shape, options)
        return play
    return register


def talk(server, client):
    """A scenario of two programs of peers.py, each as a list of words."""
    def play(lab):
        serving = lab.server.peer(*server)
        lab.server.wait_for_port(PORT)
        lab.wait(lab.client.peer(*client), serving)
    return play


def page(lab, name, size):
    path = os.path.join(lab.folder.name, name)
    with open(path, "wb") as file:
        file.write(text(size, "of " + name))
    os.chmod(lab.folder.name, 0o755)


def nginx(lab):
    page(lab, "index.html", 900)
    page(lab, "second.html", 4000)
    folder = lab.folder.name
    with open(f"{folder}/nginx.conf", "w", encoding="ascii") as file:
        file.write(f"daemon off; master_process off; user root; pid {folder}/pid;\n"
                   f"error_log {folder}/error.log; events {{}}\n"
                   f"http {{ access_log off; server {{ listen 80; root {folder}; }}\n"
                   f"client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;\n"
                   f"fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u;\n"
                   f"scgi_temp_path {folder}/s; }}\n")
    lab.server.start("nginx", "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf")
    lab.server.wait_for_port(80)


def curl(lab, *urls):
    nowhere = ["-o", "/dev/null"] * sum(url.startswith("http") for url in urls)
    lab.wait(lab.client.start("curl", "-s", "--noproxy", "*", *nowhere, *urls))
