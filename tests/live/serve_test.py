"""serve against curl over the TAP."""

import os
import tempfile

import live

live.need("curl", "tshark")
live.need_tap()

URL = "http://192.168.3.10:8080/"


def serve(folder, command, *options, seconds=100):
    return live.tapestry("serve", folder, *options, "--run", command, seconds=seconds, ok=0)


def test_a_hundred_requests_on_one_connection():
    with tempfile.TemporaryDirectory() as folder:
        live.make_file(os.path.join(folder, "page.bin"), 5000)
        capture = os.path.join(folder, "serve.pcapng")
        done = serve(folder, "curl -sS --fail --write-out '%%{num_connects} ' --remote-name-all "
                             "--output /dev/null '%spage.bin?[1-100]'" % URL, "--pcap", capture)
        connects = [int(word) for word in done.stdout.split()]
        assert len(connects) == 100 and sum(connects) == 1, connects
        live.assert_clean(capture)


def test_fifty_connections_at_once():
    with tempfile.TemporaryDirectory() as folder:
        path = live.make_file(os.path.join(folder, "file.bin"), 300000)
        command = ("cd %s && mkdir got && curl -sS --fail --parallel --parallel-immediate "
                   "--parallel-max 50 --output 'got/#1' '%sfile.bin?[1-50]' && "
                   "sha256sum got/* | cut -d ' ' -f 1 | sort | uniq -c" % (folder, URL))
        done = serve(folder, command)
        count, digest = done.stdout.split()
        assert int(count) == 50 and digest.decode() == live.sha256(path), done.stdout


def test_head_ranges_and_refusals():
    with tempfile.TemporaryDirectory() as folder:
        path = live.make_file(os.path.join(folder, "file.bin"), 100000)
        with open(path, "rb") as file:
            content = file.read()
        done = serve(folder, "curl -sS --range 10-19 %sfile.bin" % URL)
        assert done.stdout == content[10:20], done.stdout
        done = serve(folder, "curl -sSI %sfile.bin" % URL)
        assert b"200 OK" in done.stdout and b"ontent-Length: 100000" in done.stdout, done.stdout
        status = "curl -s -o /dev/null -w '%%{http_code} ' --path-as-is "
        done = serve(folder, (status + "%snone; " + status + "%s../../etc/passwd; " + status +
                              "-X DELETE %sfile.bin; " + status + "--range 200000- %sfile.bin") %
                     (URL, URL, URL, URL))
        codes = done.stdout.split()
        assert codes[0] == b"404" and codes[1] in (b"400", b"403", b"404"), codes
        assert codes[2:] == [b"405", b"416"], codes


def test_a_client_that_goes_away_does_not_matter():
    with tempfile.TemporaryDirectory() as folder:
        live.make_file(os.path.join(folder, "large.bin"), 20_000_000)
        live.make_file(os.path.join(folder, "small.bin"), 1000)
        done = serve(folder, "curl -s --max-time 0.05 --limit-rate 100k -o /dev/null %slarge.bin; "
                             "curl -sS --fail %ssmall.bin | wc -c" % (URL, URL))
        assert done.stdout.strip() == b"1000", done.stdout


live.main(dict(globals()))
