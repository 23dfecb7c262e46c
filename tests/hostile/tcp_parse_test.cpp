// TCP headers that lie, and every combination of flags in every state.

#include "tests/hostile/tcp_fixture.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

/// The flags and the four bits before them; the checksum is made right.
std::vector<u8> with_reserved(const RawTcp& tcp, u8 reserved) {
    auto segment = tcp.bytes();
    segment[TcpView::kDataOffset] |= reserved;
    store_be16(&segment[TcpView::kChecksum], 0);
    auto adder = pseudo_header(kPeer, kUs, static_cast<u8>(IpProtocol::Tcp),
                               static_cast<u32>(segment.size()));
    adder.add(segment);
    store_be16(&segment[TcpView::kChecksum], adder.checksum());
    return ethernet_frame(EtherType::Ipv4, ip_packet(ip_header(IpProtocol::Tcp), segment));
}

class HostileTcpParse : public HostileTcpTest {};

TEST_F(HostileTcpParse, TCP_01_CutHeaders) {
    const auto whole = RawTcp{}.bytes();
    for (std::size_t size = 0; size < 20; ++size) {
        EXPECT_TRUE(silently_ip(ip_packet(ip_header(IpProtocol::Tcp), Bytes(whole).first(size)),
                                Drop::TcpShort));
    }
}

TEST_F(HostileTcpParse, TCP_02_DataOffsetsThatCannotBe) {
    for (u8 words = 0; words < 5; ++words) {
        EXPECT_TRUE(silently(RawTcp{.data_offset = words}.frame(), Drop::TcpBadDataOffset));
    }
    for (u8 words = 6; words < 16; ++words) {
        EXPECT_TRUE(silently(RawTcp{.data_offset = words}.frame(), Drop::TcpBadDataOffset));
    }
}

TEST_F(HostileTcpParse, TCP_03_WrongChecksums) {
    EXPECT_TRUE(silently(RawTcp{.checksum_error = 1}.frame(), Drop::TcpBadChecksum));
    ASSERT_TRUE(establish());
    for (const u8 flags : {kAck, kRst, static_cast<u8>(kFin | kAck), kSyn}) {
        RawTcp wrong = next(flags, pattern_bytes(flags == kAck ? 50 : 0));
        wrong.checksum_error = 1;
        const auto before = snapshot();
        EXPECT_TRUE(silently(wrong.frame(), Drop::TcpBadChecksum));
        EXPECT_EQ(snapshot(), before);
    }
    EXPECT_TRUE(works());
}

/// The sum is over what is there: IP says how much that is, and nothing else is asked.
TEST_F(HostileTcpParse, TCP_04_ASumOverMoreThanThereIs) {
    const auto whole = RawTcp{.text = pattern_bytes(200)}.bytes();
    for (std::size_t size = 20; size < whole.size(); size += 9) {
        EXPECT_TRUE(silently_ip(ip_packet(ip_header(IpProtocol::Tcp), Bytes(whole).first(size)),
                                Drop::TcpBadChecksum));
    }
}

TEST_F(HostileTcpParse, TCP_05_PortZero) {
    EXPECT_TRUE(silently(RawTcp{.source_port = 0}.frame(), Drop::TcpBadPort));
    EXPECT_TRUE(silently(RawTcp{.destination_port = 0}.frame(), Drop::TcpBadPort));
    EXPECT_TRUE(silently(RawTcp{.destination_port = 0, .flags = kAck}.frame(), Drop::TcpBadPort));
}

/// MUST-57.
TEST_F(HostileTcpParse, TCP_06_SynsToEverybody) {
    for (const Ipv4Address& to : {Ipv4Address(10, 0, 0, 255), Ipv4Address(255, 255, 255, 255)}) {
        EXPECT_TRUE(
            silently_ip(RawTcp{}.packet(kPeer, to), Drop::TcpBadAddress, MacAddress::broadcast()));
        EXPECT_TRUE(silently_ip(RawTcp{}.packet(kPeer, to), Drop::TcpBadAddress));
    }
    const Ipv4Address group(224, 0, 0, 1);
    EXPECT_TRUE(silently_ip(RawTcp{}.packet(kPeer, group), Drop::Ipv4NotForUs,
                            MacAddress({1, 0, 0x5e, 0, 0, 1})));
}

TEST_F(HostileTcpParse, TCP_07_ReservedBits) {
    for (u8 bits = 0; bits < 16; ++bits) {
        RawTcp syn;
        syn.source_port = static_cast<u16>(2000 + bits);
        (void)host_.take_segments();
        host_.feed(with_reserved(syn, bits));
        const auto sent = host_.take_segments();
        ASSERT_EQ(sent.size(), 1U);
        EXPECT_EQ(sent[0].flags, kSyn | kAck);
    }
}

/// RFC 9293 3.10.7.2, LISTEN: a RST is ignored, an ACK is reset, a SYN is answered, anything else is
/// dropped. All 512 values, the accurate-ECN bit included.
TEST_F(HostileTcpParse, TCP_08_EveryFlagAtAListener) {
    for (u32 value = 0; value < 512; ++value) {
        const auto flags = static_cast<u8>(value);
        RawTcp tcp{.destination_port = 81, .seq = 100, .ack = 200, .flags = flags};
        tcp.source_port = static_cast<u16>(2000 + value);
        (void)host_.take_segments();
        host_.feed(with_reserved(tcp, static_cast<u8>(value >> 8)));
        const auto sent = host_.take_segments();
        const bool silent =
            (flags & kRst) != 0 || ((flags & kAck) == 0 && (flags & (kSyn | kFin)) != kSyn);
        ASSERT_EQ(sent.empty(), silent) << value;
        if (silent) continue;
        // RFC 3168 6.1.1: a SYN with both of its flags asks for ECN.
        constexpr int kEcnSetup = TcpFlags::kEce | TcpFlags::kCwr;
        const bool asks = (flags & kEcnSetup) == kEcnSetup;
        const int answer = kSyn | kAck | (asks ? TcpFlags::kEce : 0);
        EXPECT_EQ(sent[0].flags, (flags & kAck) != 0 ? kRst : answer) << value;
        if ((flags & kAck) != 0) {
            EXPECT_EQ(sent[0].seq, 200U);
        } else {
            EXPECT_EQ(sent[0].ack, 101U);
        }
    }
    EXPECT_EQ(host_.drops(Drop::TcpListenReset), 256U);
    EXPECT_EQ(host_.drops(Drop::TcpListenNotSyn), 224U);
    EXPECT_EQ(host_.stack.tcp().connection_count(), 32U);
}

/// RFC 9293 3.10.7.1, CLOSED.
TEST_F(HostileTcpParse, TCP_09_EveryFlagAtAClosedPort) {
    for (u32 value = 0; value < 512; ++value) {
        const auto flags = static_cast<u8>(value);
        const RawTcp tcp{.destination_port = 82, .seq = 100, .ack = 200, .flags = flags};
        (void)host_.take_segments();
        host_.feed(with_reserved(tcp, static_cast<u8>(value >> 8)));
        const auto sent = host_.take_segments();
        ASSERT_EQ(sent.empty(), (flags & kRst) != 0) << value;
        if (sent.empty()) continue;
        const u32 len = ((flags & kSyn) != 0 ? 1U : 0U) + ((flags & kFin) != 0 ? 1U : 0U);
        const bool acked = (flags & kAck) != 0;
        EXPECT_EQ(sent[0].flags, acked ? kRst : kRst | kAck) << value;
        EXPECT_EQ(sent[0].seq, acked ? 200U : 0U) << value;
        EXPECT_EQ(sent[0].ack, acked ? 0U : 100 + len) << value;
    }
    EXPECT_EQ(host_.drops(Drop::TcpNoConnection), 512U);
}

TEST_F(HostileTcpParse, TCP_11_MixedFlagsAtAListener) {
    const auto feed = [&](u8 flags, Drop drop) {
        return silently(
            RawTcp{.destination_port = 81, .flags = flags, .text = pattern_bytes(10)}.frame(),
            drop);
    };
    EXPECT_TRUE(feed(kSyn | kFin, Drop::TcpListenNotSyn)) << "no honest peer's";
    EXPECT_TRUE(feed(kSyn | kRst, Drop::TcpListenReset));
    EXPECT_TRUE(feed(0, Drop::TcpListenNotSyn));
    EXPECT_TRUE(feed(kFin | kUrg | TcpFlags::kPsh, Drop::TcpListenNotSyn));
    EXPECT_EQ(host_.stack.tcp().connection_count(), 0U);
}

// ---- every flag in every state ----------------------------------------------------------------

/// What RFC 9293 3.10.7.3 and 3.10.7.4 (with RFC 5961) make of an empty segment with exactly the numbers
/// that are expected.
TcpState after(TcpState state, TcpFlags flags) {
    const bool fin = flags.fin();
    if (state == TcpState::SynSent) {
        if (flags.rst()) return flags.ack() ? TcpState::Closed : state;
        if (!flags.syn()) return state;
        if (!flags.ack()) return TcpState::SynReceived;
        return fin ? TcpState::CloseWait : TcpState::Established;
    }
    if (flags.rst()) return TcpState::Closed;
    // A SYN returns a passive SYN-RECEIVED to LISTEN, and is challenged anywhere else.
    if (flags.syn()) return state == TcpState::SynReceived ? TcpState::Closed : state;
    if (!flags.ack()) return state;
    switch (state) {
        case TcpState::SynReceived:
        case TcpState::Established:
            return fin ? TcpState::CloseWait : TcpState::Established;
        case TcpState::FinWait1:
            return fin ? TcpState::TimeWait : TcpState::FinWait2;
        case TcpState::FinWait2:
            return fin ? TcpState::TimeWait : state;
        case TcpState::Closing:
            return TcpState::TimeWait;
        case TcpState::LastAck:
            return TcpState::Closed;
        default:
            return state;
    }
}

class HostileTcpFlags : public HostileTcpTest, public testing::WithParamInterface<TcpState> {
protected:
    /// Brings a new connection of peer_'s into the state.
    void reach(TcpState state) {
        if (state == TcpState::SynSent) {
            socket_ = connecting();
            return;
        }
        if (state == TcpState::SynReceived) {
            peer_.send(kSyn);
            (void)peer_.hear();
            return;
        }
        ASSERT_TRUE(establish());
        if (state == TcpState::CloseWait || state == TcpState::LastAck) peer_.send(kAck | kFin);
        if (state != TcpState::Established && state != TcpState::CloseWait) {
            EXPECT_TRUE(socket_.shutdown(Shutdown::Send));
            host_.settle();
        }
        const u32 before_fin = peer_.ack;
        (void)peer_.hear();
        if (state == TcpState::FinWait2 || state == TcpState::TimeWait) peer_.send(kAck);
        if (state == TcpState::TimeWait) peer_.send(kAck | kFin);
        if (state == TcpState::Closing) {
            RawTcp fin = next(kAck | kFin);
            fin.ack = before_fin;
            host_.feed(fin.frame());
            ++peer_.seq;
        }
    }
};

TEST_P(HostileTcpFlags, TCP_10_EveryFlagInEveryState) {
    for (u32 value = 0; value < 512; ++value) {
        peer_.server = 81;
        peer_.port = static_cast<u16>(1000 + value);
        peer_.window = 65535;
        reach(GetParam());
        ASSERT_EQ(state_of(peer_.port), GetParam());
        const TcpFlags flags{static_cast<u8>(value)};
        host_.feed(with_reserved(next(flags.bits), static_cast<u8>(value >> 8)));
        EXPECT_EQ(name(state_of(peer_.port)), name(after(GetParam(), flags))) << value;
        socket_ = TcpSocket();
        host_.feed(next(kRst).frame());
    }
}

INSTANTIATE_TEST_SUITE_P(States, HostileTcpFlags,
                         testing::Values(TcpState::SynSent, TcpState::SynReceived,
                                         TcpState::Established, TcpState::FinWait1,
                                         TcpState::FinWait2, TcpState::CloseWait, TcpState::Closing,
                                         TcpState::LastAck, TcpState::TimeWait),
                         [](const auto& test) {
                             std::string text(name(test.param));
                             std::replace(text.begin(), text.end(), '-', '_');
                             return text;
                         });

// ---- urgent data ------------------------------------------------------------------------------

/// Urgent data are taken as ordinary ones here; what an application may miss of the stream, should they
/// be taken out of it one day, is one octet.
class HostileUrgent : public HostileTcpTest {
protected:
    testing::AssertionResult delivers(u16 pointer, std::size_t size) {
        RawTcp urgent = next(kAck | kUrg, pattern_bytes(size));
        urgent.urgent = pointer;
        host_.feed(urgent.frame());
        peer_.seq += static_cast<u32>(size);
        const auto got = read();
        if (got == pattern_bytes(size) || got.size() + 1 == size) {
            return testing::AssertionSuccess();
        }
        return testing::AssertionFailure() << got.size() << " of " << size << " octets";
    }
};

/// CVE-2019-12255: a pointer of 0 became a length of 0 - 1.
TEST_F(HostileUrgent, TCP_12_UrgentPointerZero) {
    ASSERT_TRUE(establish());
    EXPECT_TRUE(delivers(0, 10));
    EXPECT_TRUE(works());
}

TEST_F(HostileUrgent, TCP_13_UrgentPointersFarBehindTheData) {
    ASSERT_TRUE(establish());
    EXPECT_TRUE(delivers(65535, 10));
    EXPECT_TRUE(delivers(11, 10));
    EXPECT_TRUE(works());
}

TEST_F(HostileUrgent, TCP_14_UrgentInTheHandshakeAndBackwards) {
    socket_ = connecting();
    RawTcp syn_ack = next(kSyn | kAck | kUrg);
    syn_ack.urgent = 7;
    host_.feed(syn_ack.frame());
    ++peer_.seq;
    EXPECT_EQ(socket_.state(), TcpState::Established);
    EXPECT_TRUE(delivers(50, 20));
    EXPECT_TRUE(delivers(1, 20)) << "before the one that was named last";
    EXPECT_TRUE(works());
}

TEST_F(HostileUrgent, TCP_15_UrgentDataForAnApplicationThatKnowsNothingOfThem) {
    TcpPeer browser{.host = host_, .port = 1001};
    ASSERT_TRUE(browser.open());
    RawTcp urgent{.source_port = 1001,
                  .seq = browser.seq,
                  .ack = browser.ack,
                  .flags = kAck | kUrg,
                  .urgent = 3,
                  .text = text_bytes("bye")};
    host_.feed(urgent.frame());
    host_.pass(1s);
}

TEST_F(HostileUrgent, TCP_16_AThousandTimesUrgent) {
    ASSERT_TRUE(establish());
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(delivers(65535, 8));
    EXPECT_EQ(snapshot().receive_queued + snapshot().receive_out_of_order, 0U);
    EXPECT_TRUE(works());
}

}  // namespace
}  // namespace tapestry
