"""As an ordinary user: a user namespace, and a veth pair where the TAP is out of reach."""

import json
import os
import shutil
import subprocess
import tempfile

import live

live.need("setpriv", "curl")


class User:
    """Nobody's shell, with a copy of the program that he may run."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="tapestry-user-")
        os.chmod(self.folder, 0o777)
        self.program = os.path.join(self.folder, "tapestry")
        shutil.copy(live.PROGRAM, self.program)
        os.chmod(self.program, 0o755)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *arguments, ok=0):
        command = [self.program, *arguments]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
        done = subprocess.run(command, capture_output=True, timeout=60, check=False, cwd=self.folder)
        assert ok is None or done.returncode == ok, done
        return done


with User() as somebody:
    DOCTOR = somebody.run("doctor", "--json", ok=None)
    if not json.loads(DOCTOR.stdout)["can_run"]:
        live.skip("no sandbox for ordinary users here; tapestry doctor says why")


def test_doctor_and_reality_agree():
    with User() as user:
        assert b"works here" in user.run("doctor").stdout
        assert b"<html" in user.run("get", "http://192.168.3.1/").stdout


def test_known_bytes_over_a_veth_pair():
    with User() as user:
        user.run("get", "--net", "sandbox:veth", "-o", "body", "http://192.168.3.1/1M.bin")
        assert live.sha256(os.path.join(user.folder, "body")) == (
            "8ffdf7e6cfde155ab118e1f70435db9efd0e96745e674854895edd173fc591ca")
        user.run("get", "--net", "sandbox:veth", "--no-offload", "-o", "again",
                 "http://192.168.3.1/1M.bin")
        assert live.sha256(os.path.join(user.folder, "body")) == live.sha256(
            os.path.join(user.folder, "again"))


def test_a_refused_port():
    with User() as user:
        done = user.run("get", "http://192.168.3.1:81/", ok=7)
        assert b"connection refused" in done.stderr


def test_curl_reaches_our_server():
    with User() as user:
        with open(os.path.join(user.folder, "page.txt"), "w") as page:
            page.write("from a user\n")
        done = user.run("serve", ".", "--run", "curl -sS http://192.168.3.10:8080/page.txt")
        assert done.stdout == b"from a user\n", done


def test_ping():
    with User() as user:
        done = user.run("ping", "-c", "2", "-i", "0.1", "192.168.3.1")
        assert b"2 received, 0% packet loss" in done.stdout, done


live.main(dict(globals()))
