"""100 MB each way against Linux's TCP, and what we sent as tshark sees it."""

import live
from transfer import SIZE, receive, send

live.need("curl")
live.in_namespace()


def test_both_ways():
    with live.Linux() as linux:
        path = live.make_file(linux.path("large.bin"), SIZE)
        expected = live.sha256(path)
        assert send(linux, path) == expected
        assert receive(linux, path) == expected


def test_without_offloads_every_frame_is_well_formed():
    live.need("tshark")
    with live.Linux() as linux:
        path = live.make_file(linux.path("small.bin"), 5_000_000)
        expected = live.sha256(path)
        for number, options in enumerate((["--offload"], ["--no-offload"])):
            capture = linux.path("%d.pcapng" % number)
            assert send(linux, path, "--pcap", capture, *options) == expected
            live.assert_clean(capture)
            assert receive(linux, path, "--pcap", capture, *options) == expected
            live.assert_clean(capture)


live.main(dict(globals()))
