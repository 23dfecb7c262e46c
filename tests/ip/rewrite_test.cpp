#include "stack/ip/rewrite.h"

#include <gtest/gtest.h>

#include "stack/base/rng.h"
#include "tests/support/router_bench.h"

/// Checksums that are corrected by what has changed have to be those of a full computation: RFC 1624,
/// whose whole point are the corner cases.

namespace tapestry::test {
namespace {

/// All checksums of a whole packet, computed anew.
bool all_right(Bytes packet) {
    const auto view = Ipv4View::parse(packet);
    if (!view) return false;
    const Bytes payload = view->payload();
    switch (view->protocol()) {
        case IpProtocol::Tcp:
            return TcpView::parse(payload)->checksum_ok(view->source(), view->destination());
        case IpProtocol::Udp:
            return UdpView::parse(payload, view->source(), view->destination()).has_value();
        case IpProtocol::Icmp:
            return IcmpView::parse(payload).has_value();
    }
    return true;
}

Endpoint random_endpoint(Rng& rng) {
    return {Ipv4Address(static_cast<u32>(rng.next())), static_cast<u16>(rng.next())};
}

TEST(Rewrite, Rfc1624EveryWordAgainstFullRecomputation) {
    // A header of two words whose first is m and whose checksum is HC: for every m' the incremental
    // result has to equal the sum over the new words. 0x5555 makes HC pass through every value.
    for (const u16 other : {u16{0x0000}, u16{0x5555}, u16{0xffff}}) {
        for (const u16 from : {u16{0x0000}, u16{0x0001}, u16{0x7fff}, u16{0x8000}, u16{0xaaaa},
                               u16{0xfffe}, u16{0xffff}}) {
            std::array<u8, 4> words{};
            store_be16(words.data(), from);
            store_be16(words.data() + 2, other);
            const u16 before = internet_checksum(words);
            for (u32 to = 0; to < 65536; ++to) {
                store_be16(words.data(), static_cast<u16>(to));
                const u16 expected = internet_checksum(words);
                const u16 updated = update_checksum(before, from, static_cast<u16>(to));
                // Over words that are all zero the sum has no other representation than +0, and
                // the full computation gives 0xffff where the update may give 0x0000: RFC 1624
                // section 3 ("the only way"): no real header is all zero.
                if (to == 0 && other == 0) continue;
                ASSERT_EQ(updated, expected) << from << " -> " << to << " beside " << other;
            }
        }
    }
}

TEST(Rewrite, AMillionRandomPacketsHaveTheirChecksumsRight) {
    SeededRng rng(1624);
    const std::array<IpProtocol, 3> protocols{IpProtocol::Tcp, IpProtocol::Udp, IpProtocol::Icmp};
    for (const IpProtocol protocol : protocols) {
        const Endpoint from = random_endpoint(rng);
        const Endpoint to = random_endpoint(rng);
        auto packet = protocol == IpProtocol::Tcp ? RouterBench::tcp(from, to, TcpFlags::kAck)
                      : protocol == IpProtocol::Udp
                          ? RouterBench::udp(from, to, {1, 2, 3})
                          : RouterBench::echo(from.address, to.address, 7);
        for (int i = 0; i < 333'334; ++i) {
            const FlowTuple tuple{random_endpoint(rng), random_endpoint(rng), protocol, 0};
            rewrite_packet(packet, tuple, {});
            ASSERT_TRUE(all_right(packet)) << i;
        }
    }
}

TEST(Rewrite, EveryPortThroughAUdpChecksumOfZero) {
    // Whatever the other words are, one of 65,536 source ports makes the computed sum zero, which is
    // sent as 0xffff (RFC 768).
    const Endpoint from{RouterBench::kLaptop, 0};
    const Endpoint to{RouterBench::kServer, 53};
    auto packet = RouterBench::udp(from, to);
    u32 ones = 0;
    for (u32 port = 0; port < 65536; ++port) {
        rewrite_packet(packet, {{from.address, static_cast<u16>(port)}, to, IpProtocol::Udp, 0},
                       {});
        ASSERT_TRUE(all_right(packet)) << port;
        const u16 checksum = load_be16(&packet[26]);
        ASSERT_NE(checksum, 0) << "that would mean: none";
        if (checksum == 0xffff) ++ones;
    }
    EXPECT_GE(ones, 1U);
}

TEST(Rewrite, ADatagramWithoutAChecksumStaysWithout) {
    auto packet = RouterBench::udp({RouterBench::kLaptop, 1}, {RouterBench::kServer, 2});
    store_be16(&packet[26], 0);
    rewrite_packet(packet,
                   {{RouterBench::kOutside, 9}, {RouterBench::kServer, 2}, IpProtocol::Udp, 0}, {});
    EXPECT_EQ(load_be16(&packet[26]), 0);
}

TEST(Rewrite, AWrongChecksumStaysWrong) {
    auto packet =
        RouterBench::tcp({RouterBench::kLaptop, 1}, {RouterBench::kServer, 2}, TcpFlags::kAck);
    packet[36] ^= 0x10;
    rewrite_packet(packet,
                   {{RouterBench::kOutside, 9}, {RouterBench::kServer, 2}, IpProtocol::Tcp, 0}, {});
    EXPECT_FALSE(all_right(packet)) << "damage from before us must not be covered up";
}

TEST(Rewrite, APartialChecksumFollowsTheAddressesOnly) {
    SeededRng rng(1);
    for (int i = 0; i < 100'000; ++i) {
        PacketBuilder builder;
        TcpHeader tcp = tcp_header(1);
        builder.ip.source = random_endpoint(rng).address;
        builder.ip.destination = random_endpoint(rng).address;
        auto frame = builder.tcp(tcp).payload({1, 2, 3}).build_partial();
        const FlowTuple tuple{random_endpoint(rng), random_endpoint(rng), IpProtocol::Tcp, 0};
        rewrite_packet(MutableBytes(frame).subspan(14), tuple, builder.partial_offload());
        tcp.source_port = tuple.source.port;
        tcp.destination_port = tuple.destination.port;
        builder.ip.source = tuple.source.address;
        builder.ip.destination = tuple.destination.address;
        const auto expected = builder.tcp(tcp).build_partial();
        // 0x0000 and 0xffff are the same sum.
        const u16 got = load_be16(&frame[50]);
        const u16 wanted = load_be16(&expected[50]);
        ASSERT_TRUE(got == wanted || (got % 0xffff == 0 && wanted % 0xffff == 0)) << i;
    }
}

TEST(Rewrite, TheTtlOfEveryHeader) {
    for (u32 ttl = 1; ttl < 256; ++ttl) {
        for (u32 protocol = 0; protocol < 256; ++protocol) {
            Ipv4Header header = RouterBench::header(static_cast<IpProtocol>(protocol),
                                                    RouterBench::kLaptop, RouterBench::kServer);
            header.ttl = static_cast<u8>(ttl);
            auto packet = ip_packet(header, {});
            decrement_ttl(packet);
            ASSERT_EQ(packet[8], ttl - 1);
            ASSERT_EQ(packet[9], protocol);
            ASSERT_EQ(internet_checksum(packet), 0);
        }
    }
}

}  // namespace
}  // namespace tapestry::test
