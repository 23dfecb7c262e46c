"""A terminal for the tests of full screens: a tmux of its own, whose screen is read and which is sent keys."""

import os
import shlex
import shutil
import subprocess
import tempfile
import time

import live

live.need("tmux")


class Terminal:
    """A terminal of that size, in which the program runs; then the shell says how it ended, and how the
    terminal has been left."""

    def __init__(self, arguments=(), width=80, height=24, environment=(), program=None):
        self.folder = tempfile.mkdtemp()
        self.socket = os.path.join(self.folder, "tmux")
        command = " ".join(shlex.quote(word) for word in [program or live.PROGRAM, *arguments])
        variables = " ".join((*[e for e in environment if e.startswith("-")], "LC_ALL=C.UTF-8",
                              *[e for e in environment if not e.startswith("-")]))
        script = os.path.join(self.folder, "script")
        with open(script, "w", encoding="utf-8") as file:
            # The shell itself must not die of the keys and signals that are meant for the program.
            file.write(f"stty -a >{self.folder}/before\n"
                       f"env {variables} {command}\n"
                       f"echo ended $?\n"
                       f"stty -a >{self.folder}/after\n"
                       f"touch {self.folder}/done\n"
                       f"read wait\n")
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", str(height),
                  "sh " + script)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tmux("kill-server", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def tmux(self, *arguments, check=True):
        return subprocess.run(["tmux", "-S", self.socket, *arguments], check=check, timeout=20,
                              capture_output=True, text=True).stdout

    def screen(self):
        return self.tmux("capture-pane", "-p").rstrip("\n")

    def send(self, *keys):
        self.tmux("send-keys", "--", *keys)

    def wait(self, text, seconds=20):
        """The screen, once it shows that and does not change any more: it may be drawn in parts."""
        deadline = time.time() + seconds
        before = None
        while time.time() < deadline:
            screen = self.screen()
            if text in screen and screen == before:
                return screen
            before = screen
            time.sleep(0.05)
        raise AssertionError(f"no {text!r} in\n{self.screen()}")

    def press(self, *keys, until):
        self.send(*keys)
        return self.wait(until)

    def shows(self, expected, seconds=20):
        """Waits until the screen is exactly that."""
        deadline = time.time() + seconds
        while self.screen() != expected:
            assert time.time() < deadline, f"{self.screen()}\nis not\n{expected}"
            time.sleep(0.03)

    def program_id(self):
        shell = self.tmux("display-message", "-p", "#{pane_pid}").strip()
        children = live.run("ps", "-o", "pid=,comm=", "--ppid", shell).split("\n")
        found = [line.split()[0] for line in children if "tapestry" in line]
        assert len(found) == 1, children
        return int(found[0])

    def ended(self):
        """How stty saw the terminal before and after, and the last screen."""
        deadline = time.time() + 20
        while not os.path.exists(self.folder + "/done"):
            assert time.time() < deadline, self.screen()
            time.sleep(0.03)
        texts = []
        for name in ("before", "after"):
            with open(f"{self.folder}/{name}", encoding="utf-8") as file:
                texts.append(file.read())
        return texts[0], texts[1], self.screen()
