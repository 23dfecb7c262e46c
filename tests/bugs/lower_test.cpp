// Below and beside TCP: rows 60 to 64. Segments of TCP are not what they are about, so they are played once.

#include <numeric>

#include "stack/timer/timer.h"
#include "tests/bugs/pair.h"
#include "tests/support/udp_host.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

class SubtleBugsBelow : public HostileIpTest {
protected:
    using HostileIpTest::HostileIpTest;
    /// What the echo service at port 7 has answered.
    std::optional<std::vector<u8>> echoed() {
        std::optional<std::vector<u8>> text;
        for (const auto& one : host_.port.take()) {
            if (const auto udp = udp_of(one)) text = copy_of(udp->payload());
        }
        return text;
    }
};

/// Fragments of one datagram, byte by byte: what RFC 791 makes of them, with nothing clever in it.
struct Reference {
    std::vector<std::optional<u8>> bytes = std::vector<std::optional<u8>>(1000);
    std::optional<std::size_t> end;
    void add(const std::vector<u8>& from, std::size_t at, std::size_t size) {
        for (std::size_t i = at; i < at + size; ++i) bytes[i] = from[i];
        if (at + size == from.size()) end = from.size();
    }
    bool whole() const {
        return end && std::all_of(bytes.begin(), bytes.begin() + static_cast<long>(*end),
                                  [](const auto& one) { return one.has_value(); });
    }
};

TEST_F(SubtleBugsBelow, B60_FragmentsInEveryOrderOnceOrTwice) {
    const auto data = pattern_bytes(92);
    const auto datagram = udp_datagram(5000, 7, data);  // 100 bytes: the last piece has 4
    Ipv4Header header = ip_header(IpProtocol::Udp);
    header.identification = 1;
    const auto feed = [&](std::size_t at, std::size_t size) {
        host_.feed_ip(fragment_of(datagram, at, size, at + size < datagram.size(), header));
    };
    std::array<std::size_t, 4> order{};
    std::iota(order.begin(), order.end(), 0U);
    do {
        for (std::size_t twice = 0; twice < 5; ++twice) {
            ++header.identification;
            Reference reference;
            for (const std::size_t piece : order) {
                const std::size_t at = 32 * piece;
                const std::size_t size = std::min<std::size_t>(32, datagram.size() - at);
                feed(at, size);
                reference.add(datagram, at, size);
                const auto got = echoed();
                ASSERT_EQ(got.has_value(), reference.whole());
                if (got) {
                    EXPECT_EQ(*got, data);
                }
                if (piece == twice && !reference.whole()) feed(at, size);
                ASSERT_FALSE(echoed());
            }
        }
    } while (std::ranges::next_permutation(order).found);
    host_.pass(61s);

    // Pieces that contradict each other never make a datagram of which nobody sent the whole.
    SeededRng rng(60);
    auto other = datagram;
    for (std::size_t i = 8; i < other.size(); ++i) other[i] ^= 0xff;
    for (int round = 0; round < 300; ++round) {
        ++header.identification;
        for (int i = 0; i < 8; ++i) {
            const std::size_t at = 8 * rng.below(12);
            const std::size_t size =
                std::min<std::size_t>(8 + 8 * rng.below(6), datagram.size() - at);
            const auto& source = rng.below(4) == 0 ? other : datagram;
            host_.feed_ip(fragment_of(source, at, size, at + size < datagram.size(), header));
        }
        if (const auto got = echoed()) {
            EXPECT_EQ(*got, data) << "a mixture";
        }
    }
    // Not the last, and no multiple of eight; longer than its end; longer than any datagram.
    ++header.identification;
    const u64 before = host_.all_drops();
    host_.feed_ip(fragment_of(datagram, 0, 33, true, header));
    ++header.identification;
    host_.feed_ip(fragment_of(datagram, 64, 36, false, header));
    host_.feed_ip(fragment_of(datagram, 72, 20, false, header));
    ++header.identification;
    Ipv4Header far = header;
    far.dont_fragment = false;
    far.fragment_offset = 65528;
    host_.feed_ip(ip_packet(far, datagram));
    EXPECT_EQ(host_.all_drops(), before + 3);
    EXPECT_FALSE(echoed());
}

class SubtleBugsArp : public SubtleBugsBelow {
protected:
    static constexpr Ipv4Address kNew{10, 0, 0, 77};
    const MacAddress liar_{{2, 0x66, 0, 0, 0, 6}};
    auto known(Ipv4Address address) { return host_.interface->arp().lookup(address, host_.now); }
    void say(ArpOperation operation, Ipv4Address sender, MacAddress mac, Ipv4Address target) {
        host_.feed(
            arp_frame({operation, mac, sender, kOurMac, target},
                      operation == ArpOperation::Request ? MacAddress::broadcast() : kOurMac));
    }
};

TEST_F(SubtleBugsArp, B61_WhoIsBelievedByArpAndWhatWaitsForIt) {
    // kPeer was made known by hand.
    say(ArpOperation::Reply, kPeer, liar_, kUs);
    say(ArpOperation::Request, kPeer, liar_, kPeer);
    EXPECT_EQ(known(kPeer), kPeerMac) << "an entry by hand stays";
    say(ArpOperation::Reply, kNew, liar_, kUs);
    say(ArpOperation::Request, kNew, liar_, Ipv4Address(10, 0, 0, 88));
    EXPECT_FALSE(known(kNew)) << "nobody asked";
    say(ArpOperation::Request, kUs, liar_, kUs);
    EXPECT_FALSE(known(kUs)) << "our own address";
    say(ArpOperation::Request, Ipv4Address(10, 0, 0, 255), liar_, kUs);
    EXPECT_FALSE(known(Ipv4Address(10, 0, 0, 255))) << "everybody's address";
    say(ArpOperation::Request, kNew, MacAddress::broadcast(), kUs);
    EXPECT_FALSE(known(kNew)) << "everybody's hardware";
    say(ArpOperation::Request, Ipv4Address(192, 0, 2, 1), liar_, kUs);
    EXPECT_FALSE(known(Ipv4Address(192, 0, 2, 1))) << "not on this network";
    (void)host_.port.take();

    for (u32 i = 0; i < 100; ++i) {
        (void)host_.echo.send_to(pattern_bytes(100 + i), {kNew, 5000});
        host_.settle();
    }
    const auto asked = host_.port.take();
    ASSERT_EQ(asked.size(), 1U) << "one request for all of them";
    EXPECT_EQ(arp_of(asked[0]).target_ip, kNew);
    say(ArpOperation::Reply, kNew, MacAddress({2, 0, 0, 0, 0, 77}), kUs);
    const auto sent = host_.port.take();
    ASSERT_GE(sent.size(), 1U);
    ASSERT_LE(sent.size(), host_.stack.config().arp.max_waiting);
    ASSERT_TRUE(udp_of(sent.back()));
    EXPECT_EQ(udp_of(sent.back())->payload().size(), 199U) << "the newest is among them";
}

TEST_F(SubtleBugsBelow, B62_ErrorsThatAreNoReasonForAnything) {
    TcpPeer peer{.host = host_};
    ASSERT_TRUE(peer.open());
    peer.send(TcpPeer::kAck | TcpPeer::kPsh, text_bytes("GET /20000 HTTP/1.1\r\n\r\n"));
    auto sent = host_.take_segments();
    std::erase_if(sent, [](const auto& one) { return one.text.empty(); });
    ASSERT_FALSE(sent.empty());
    Ipv4Header ours = ip_header(IpProtocol::Tcp);
    std::swap(ours.source, ours.destination);
    const auto quote = [&](u32 seq) {
        const RawTcp tcp{.source_port = 80,
                         .destination_port = peer.port,
                         .seq = seq,
                         .flags = kAck,
                         .text = std::vector<u8>(1400)};
        return ip_packet(ours, tcp.bytes(kUs, kPeer));
    };
    const auto too_big = [&](Bytes about, u32 mtu) {
        const IcmpHeader icmp{IcmpType::DestinationUnreachable, 4, mtu};
        host_.feed_ip(ip_packet(ip_header(IpProtocol::Icmp), icmp_message(icmp, about)));
    };
    const auto mtu = [&] { return host_.stack.ipv4().route(kPeer)->mtu; };
    const u32 right = sent[0].seq;
    for (const u32 wrong : {right - 1, right + 20100, right + 0x80000000U}) {
        too_big(Bytes(quote(wrong)).first(28), 600);
        EXPECT_EQ(mtu(), 1500U) << "not under way";
    }
    for (const std::size_t size : {0U, 19U, 20U, 24U, 27U}) {
        too_big(Bytes(quote(right)).first(size), 600);
        EXPECT_EQ(mtu(), 1500U) << "quotes " << size << " bytes";
    }
    // About an error, and about what went to everybody.
    Ipv4Header about_error = ours;
    about_error.protocol = IpProtocol::Icmp;
    too_big(ip_packet(about_error,
                      icmp_message({IcmpType::DestinationUnreachable, 3, 0}, pattern_bytes(28))),
            600);
    auto to_all = quote(right);
    to_all = patched(std::move(to_all), {{19, 255}});
    too_big(Bytes(to_all).first(28), 600);
    EXPECT_EQ(mtu(), 1500U);
    // The right packet, and sizes that cannot be.
    for (const u32 size : {65535U, 9000U, 1501U}) {
        too_big(Bytes(quote(right)).first(28), size);
        EXPECT_EQ(mtu(), 1500U) << "never more";
    }
    for (const u32 size : {0U, 1U, 68U}) {
        too_big(Bytes(quote(right)).first(28), size);
        EXPECT_GE(mtu(), host_.stack.config().ip.min_path_mtu) << "never less than the floor";
    }
    std::size_t got = 0;
    bool ended = false;
    for (int turn = 0; turn < 100 && !ended; ++turn) {
        peer.send(TcpPeer::kAck);
        for (const auto& one : peer.hear()) {
            got += one.text.size();
            ended = ended || (one.flags & kFin) != 0;
            EXPECT_EQ(one.flags & kRst, 0);
        }
        host_.pass(200ms);
    }
    EXPECT_TRUE(ended) << "stuck after " << got;
}

TEST_F(SubtleBugsBelow, B63_CornersOfTheChecksum) {
    // Every change of one word, in the middle of an odd number of bytes.
    auto bytes = pattern_bytes(15);
    const u16 from = load_be16(&bytes[6]);
    const u16 first = internet_checksum(bytes);
    for (u32 to = 0; to < 65536; ++to) {
        store_be16(&bytes[6], static_cast<u16>(to));
        u32 sum = 0;
        for (std::size_t i = 0; i < bytes.size(); ++i)
            sum += i % 2 == 0 ? bytes[i] << 8U : bytes[i];
        while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16U);
        ASSERT_EQ(internet_checksum(bytes), static_cast<u16>(~sum)) << to;
        ASSERT_EQ(update_checksum(first, from, static_cast<u16>(to)), static_cast<u16>(~sum)) << to;
    }
    // However the bytes are cut into pieces, odd ones included.
    const auto data = pattern_bytes(64);
    for (std::size_t a = 0; a <= data.size(); ++a) {
        for (std::size_t b = a; b <= data.size(); ++b) {
            ChecksumAdder adder;
            adder.add(Bytes(data).first(a));
            adder.add(Bytes(data).subspan(a, b - a));
            adder.add(Bytes(data).subspan(b));
            ASSERT_EQ(adder.checksum(), internet_checksum(data)) << a << " " << b;
        }
    }
    // UDP: a sum of nothing is written as all ones, and 0 says that there is none.
    const auto zero = udp_datagram(7, 5000, std::vector<u8>(2), kUs, kPeer);
    const u16 rest = load_be16(&zero[UdpView::kChecksum]);
    const std::vector<u8> chosen{static_cast<u8>(rest >> 8U), static_cast<u8>(rest)};
    host_.feed_ip(ip_packet(ip_header(IpProtocol::Udp), udp_datagram(5000, 7, chosen)));
    const auto answers = host_.port.take();
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(load_be16(ip_of(answers[0])->payload().data() + UdpView::kChecksum), 0xffff);
    auto without = udp_datagram(5000, 7, chosen);
    store_be16(&without[UdpView::kChecksum], 0);
    host_.feed_ip(ip_packet(ip_header(IpProtocol::Udp), without));
    EXPECT_EQ(echoed(), chosen);
}

/// Does what it is told when it is due.
class DoneWhenDue final : public Timer {
public:
    explicit DoneWhenDue(std::function<void()> what) : what_(std::move(what)) {}
    void on_timer(TimePoint) override { std::exchange(what_, {})(); }

private:
    std::function<void()> what_;
};

TEST_F(SubtleBugsBelow, B64_ClocksThatWrapAndTimersThatEndEachOther) {
    const Duration seconds = 1s;
    const Duration thousandth = 1ms;
    const Duration millionth = 1us;
    for (const Duration unit : {seconds, thousandth, millionth}) {
        for (const i64 edge : {i64{1} << 31U, i64{1} << 32U}) {
            play(kNumbers, [&](Bench& t) {
                // Nothing happens in between.
                t.host.now = TimePoint(unit * edge - 5s);
                t.host.settle();
                t.stamps = true;
                t.stamp_base = 0;
                t.stamp_base = 1 - t.clock();
                t.open({2, 4, 5, 180, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0});
                t.loses = [](const SeenSegment&) { return true; };
                t.write(1000);
                (void)t.out();
                Duration all{};
                for (u32 n = 0; n < 4; ++n) {
                    const auto waited = t.wait_output(30s);
                    ASSERT_TRUE(waited);
                    EXPECT_LE(*waited, 10s);
                    (void)t.out();
                    all += *waited;
                    EXPECT_GE(*t.host.stack.next_deadline(), t.host.now) << "a stale deadline";
                }
                EXPECT_GE(all, 5s) << "over the edge";
                t.loses = nullptr;
                EXPECT_TRUE(t.takes(1000));
                EXPECT_TRUE(t.works());
            });
        }
    }

    TimerQueue queue;
    std::unique_ptr<DoneWhenDue> first;
    std::unique_ptr<DoneWhenDue> second;
    int done = 0;
    first = std::make_unique<DoneWhenDue>([&] {
        ++done;
        second.reset();  // due at the same moment
        first.reset();   // running now
    });
    second = std::make_unique<DoneWhenDue>([&] { done += 100; });
    DoneWhenDue third([&] { ++done; });
    queue.arm(*first, TimePoint(1s));
    queue.arm(*second, TimePoint(1s));
    queue.arm(third, TimePoint(1s));
    queue.advance(TimePoint(2s));
    EXPECT_EQ(done, 2);
    EXPECT_FALSE(queue.next_deadline());
}

}  // namespace
}  // namespace tapestry
