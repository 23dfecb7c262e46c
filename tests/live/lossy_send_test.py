"""100 MB to Linux's TCP through 2 % loss in both directions."""

import live
from transfer import SIZE, send

live.in_namespace()


def test_a_hundred_megabytes_through_two_percent_loss():
    with live.Linux() as linux:
        path = live.make_file(linux.path("large.bin"), SIZE)
        assert send(linux, path, "--drop", "2", seconds=600) == live.sha256(path)


live.main(dict(globals()))
