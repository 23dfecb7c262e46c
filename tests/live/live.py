"""What the live tests share: the program, its sandbox, Linux servers in a namespace, tshark's verdict.

A test is a script that runs functions named test_*; the program is in $TAPESTRY. Exit status 77 with a
reason on the last line means that this machine does not allow it. Nothing outside of the namespaces
that are made here is touched, and every wait has an end.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

# What is read here is English, whoever runs it.
os.environ["LC_ALL"] = "C.UTF-8"
PROGRAM = os.environ.get("TAPESTRY", "build/tapestry")
PEER = "192.168.3.1"
WE = "192.168.3.10"
NOWHERE = subprocess.DEVNULL


def skip(reason):
    print("skipped: " + reason)
    sys.exit(77)


def need(*programs):
    for program in programs:
        if shutil.which(program) is None:
            print(program + " is not installed; ./packages.sh test installs what the tests need")
            sys.exit(1)


def need_tap():
    if os.geteuid() != 0:
        skip("needs root, for a TAP")
    if not os.path.exists("/dev/net/tun"):
        skip("there is no /dev/net/tun")


def tapestry(*arguments, seconds=60, ok=None, **options):
    """Runs the program and returns the finished process, both outputs as bytes."""
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, timeout=seconds, check=False,
                          **options)
    if ok is not None and done.returncode != ok:
        raise AssertionError("%s: exit status %d, not %d\n%s\n%s" % (
            " ".join(arguments), done.returncode, ok, done.stdout[-2000:].decode(errors="replace"),
            done.stderr[-4000:].decode(errors="replace")))
    return done


def run(*command, seconds=60):
    """Runs a command of the system, which must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    if done.returncode != 0:
        raise AssertionError("%s: exit status %d\n%s\n%s" % (" ".join(command), done.returncode,
                                                            done.stdout, done.stderr))
    return done.stdout


def tapestry_in_background(linux, *arguments):
    """Starts the program, and waits until its TAP has a carrier."""
    process = linux.start(PROGRAM, *arguments, stdout=NOWHERE, stderr=NOWHERE)
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if "LOWER_UP" in run("ip", "link", "show", "tap0"):
            return process
        time.sleep(0.02)
    raise AssertionError(" ".join(arguments) + " does not attach")


def stop(process):
    process.terminate()
    process.wait(timeout=20)


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def make_file(path, size):
    with open(path, "wb") as file:
        while size > 0:
            file.write(os.urandom(min(size, 1 << 20)))
            size -= min(size, 1 << 20)
    return path


def tshark(path, *arguments):
    done = subprocess.run(
        ["tshark", "-r", path, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE",
         "-o", "udp.check_checksum:TRUE", *arguments],
        capture_output=True, text=True, timeout=280, check=False)
    if done.returncode != 0:
        raise AssertionError("tshark: " + done.stderr)
    return done.stdout.splitlines()


def assert_clean(path):
    """Every frame of the capture is well-formed and its checksums are right."""
    count = int(subprocess.run(["capinfos", "-Mc", "-T", "-r", path], capture_output=True, text=True,
                               timeout=60, check=True).stdout.split()[-1])
    if count == 0:
        raise AssertionError(path + " has no frames")
    # Linux, where it sums up itself, writes a TCP sum of 0 as 0xffff, one time in 65536: in one's complement
    # that is the same number (RFC 1624 section 3), though tshark wants the other. We write 0.
    theirs = "(tcp.checksum == 0xffff && ip.src != %s)" % WE
    bad = tshark(path, "-Y", "_ws.malformed || ip.checksum.status == 0 || "
                             "(tcp.checksum.status == 0 && !%s) || "
                             "udp.checksum.status == 0 || icmp.checksum.status == 0" % theirs)
    if bad:
        raise AssertionError("%d of %d frames are bad:\n%s" % (len(bad), count, "\n".join(bad[:10])))


class Linux:
    """A network namespace of its own with a TAP whose kernel end is 192.168.3.1; our program attaches to
    the other end with --net tap:tap0. Use it in a script that was started with in_namespace()."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="tapestry-live-")
        self.processes = []

    def __enter__(self):
        run("ip", "link", "set", "lo", "up")
        run("ip", "tuntap", "add", "dev", "tap0", "mode", "tap", "vnet_hdr")
        with open("/proc/sys/net/ipv6/conf/tap0/disable_ipv6", "w") as file:
            file.write("1")
        run("ip", "address", "add", PEER + "/24", "dev", "tap0")
        run("ip", "link", "set", "tap0", "up")
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()
        run("ip", "link", "delete", "tap0")
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, *command, **options):
        process = subprocess.Popen(command, **options)
        self.processes.append(process)
        return process

    def wait_for_port(self, port, seconds=10):
        """Until somebody listens on it, here in this namespace."""
        end = time.monotonic() + seconds
        pattern = ":%04X 00000000:0000 0A" % port
        while time.monotonic() < end:
            with open("/proc/net/tcp") as file:
                if pattern in file.read():
                    return
            time.sleep(0.02)
        raise AssertionError("nobody listens on port %d" % port)


def in_namespace():
    """Starts this script again in a private network namespace, unless it is in one already."""
    need_tap()
    if os.environ.get("TAPESTRY_LIVE_NAMESPACE") == "1":
        return
    os.environ["TAPESTRY_LIVE_NAMESPACE"] = "1"
    os.execvp("unshare", ["unshare", "--net", sys.executable, *sys.argv])


def main(tests):
    """Runs the functions test_* of a script, all of them, and exits with 1 if one failed."""
    failed = 0
    names = [name for name in tests if name.startswith("test_")]
    for name in names:
        start = time.monotonic()
        try:
            tests[name]()
            verdict = "ok"
        except Exception:  # noqa: a failure is reported, and the next test runs
            traceback.print_exc()
            failed += 1
            verdict = "FAILED"
        print("%-60s %s  (%.1f s)" % (name, verdict, time.monotonic() - start), flush=True)
    print("%d passed, %d failed" % (len(names) - failed, failed))
    sys.exit(1 if failed else 0)
