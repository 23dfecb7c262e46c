#!/usr/bin/env python3
"""Writes a capture of one bulk transfer over TCP, as large as wanted: bulk_capture.py FILE MEGABYTES.

Headers are right (the checksums of TCP are partial, as a sender leaves them to its network card); a
segment in a thousand is sent twice, so that there is something to find.
"""

import struct
import sys

CLIENT = bytes([192, 168, 3, 10])
SERVER = bytes([192, 168, 3, 1])
MSS = 1448
OPTIONS = b"\1\1\10\12" + bytes(8)


def folded(total):
    total = (total & 0xFFFF) + (total >> 16)
    return (total & 0xFFFF) + (total >> 16)


def frame(source, destination, ports, seq, ack, flags, options, payload):
    size = 20 + len(options) + len(payload)
    partial = folded(sum(struct.unpack(">4H", source + destination)) + 6 + size)
    tcp = struct.pack(">HHIIBBHHH", *ports, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF,
                      (20 + len(options)) // 4 << 4, flags, 501, partial, 0) + options
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp) + len(payload), 0, 0x4000, 64, 6, 0,
                     source, destination)
    ip = ip[:10] + struct.pack(">H", ~folded(sum(struct.unpack(">10H", ip))) & 0xFFFF) + ip[12:]
    return bytes(12) + b"\x08\x00" + ip + tcp + payload


def main():
    path, size = sys.argv[1], int(sys.argv[2]) * 1000000
    up, down = (40000, 9), (9, 40000)
    syn = b"\2\4\5\264\4\2\10\12" + bytes(8) + b"\1\3\3\7"
    text = bytes(MSS)
    with open(path, "wb", buffering=1 << 20) as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        clock = 0
        written = 0

        def put(data):
            nonlocal clock, written
            clock += 12
            out.write(struct.pack("<IIII", clock // 1000000, clock % 1000000, len(data), len(data)))
            out.write(data)
            written += 16 + len(data)

        put(frame(CLIENT, SERVER, up, 1000, 0, 2, syn, b""))
        put(frame(SERVER, CLIENT, down, 5000, 1001, 18, syn, b""))
        put(frame(CLIENT, SERVER, up, 1001, 5001, 16, OPTIONS, b""))
        seq = 1001
        count = 0
        while written < size:
            segment = frame(CLIENT, SERVER, up, seq, 5001, 16, OPTIONS, text)
            put(segment)
            count += 1
            if count % 1000 == 0:
                put(segment)
            seq += MSS
            if count % 2 == 0:
                put(frame(SERVER, CLIENT, down, 5001, seq, 16, OPTIONS, b""))
        put(frame(CLIENT, SERVER, up, seq, 5001, 17, OPTIONS, b""))
        put(frame(SERVER, CLIENT, down, 5001, seq + 1, 17, OPTIONS, b""))
        put(frame(CLIENT, SERVER, up, seq + 1, 5002, 16, OPTIONS, b""))


if __name__ == "__main__":
    main()
