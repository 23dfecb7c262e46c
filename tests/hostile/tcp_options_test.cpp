// TCP options that are malformed, out of place or chosen to do harm.

#include "tests/hostile/tcp_fixture.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

class HostileTcpOptions : public HostileTcpTest {
protected:
    /// A SYN with options whose length cannot be: behind them nothing can be found any more, so that
    /// nothing of the segment is believed (MUST-7 asks for no harm; Linux goes on without the rest).
    testing::AssertionResult refused_syn(std::vector<u8> options) {
        return silently(RawTcp{.options = std::move(options)}.frame(), Drop::TcpBadOption);
    }
    /// The same connection's page, asked for by a peer whose SYN has these options; the largest segment.
    std::size_t largest_after(std::vector<u8> options, std::size_t size) {
        TcpPeer peer{.host = host_};
        peer.port = next_port_++;
        peer.keep_seen = true;
        EXPECT_TRUE(peer.open(std::move(options)));
        EXPECT_TRUE(peer.get(size));
        std::size_t largest = 0;
        for (const auto& one : peer.seen) largest = std::max(largest, one.text.size());
        return largest;
    }
    u16 next_port_ = 3000;
};

/// CVE-2020-24337: an option of length 0 is where a loop never ends.
TEST_F(HostileTcpOptions, OPT_01_LengthZero) {
    EXPECT_TRUE(refused_syn({0xff, 0, 0, 0}));
    EXPECT_TRUE(refused_syn({1, 1, 0xfd, 0}));
}

TEST_F(HostileTcpOptions, OPT_02_LengthOne) {
    EXPECT_TRUE(refused_syn({0xfd, 1, 0, 0}));
    EXPECT_TRUE(refused_syn({8, 1, 0, 0}));
}

TEST_F(HostileTcpOptions, OPT_03_LengthsPastTheHeader) {
    EXPECT_TRUE(refused_syn({8, 40, 0, 0}));
    EXPECT_TRUE(refused_syn({1, 1, 3, 3}));
    EXPECT_TRUE(refused_syn({0xfe, 255, 0, 0}));
}

/// A wrong length that can be stepped over leaves the option without effect: 536 (MUST-15).
TEST_F(HostileTcpOptions, OPT_04_MssOfTheWrongLength) {
    EXPECT_TRUE(refused_syn({2, 0, 0, 0}));
    EXPECT_TRUE(refused_syn({2, 255, 5, 180}));
    EXPECT_TRUE(refused_syn({1, 1, 1, 2}));
    EXPECT_EQ(largest_after({2, 2, 0, 0}, 3000), 536U);
    EXPECT_EQ(largest_after({2, 3, 5, 0}, 3000), 536U);
    EXPECT_EQ(largest_after({2, 5, 5, 180, 1, 0, 0, 0}, 3000), 536U);
}

/// CVE-2018-16523: divided by.
TEST_F(HostileTcpOptions, OPT_05_MssZero) {
    EXPECT_EQ(largest_after({2, 4, 0, 0}, 100000), host_.stack.config().tcp.min_mss);
}

/// CVE-2019-11479: a megabyte in segments of one byte would cost a million of them.
TEST_F(HostileTcpOptions, OPT_06_TinyMss) {
    for (const u8 mss : {u8{1}, u8{8}, u8{48}}) {
        EXPECT_EQ(largest_after({2, 4, 0, mss}, 100000), host_.stack.config().tcp.min_mss);
    }
    // With timestamps in every segment, too, there is room for data.
    auto options = timestamps_option(1, 0);
    options.insert(options.end(), {2, 4, 0, 1});
    EXPECT_GE(largest_after(options, 20000), host_.stack.config().tcp.min_mss - 12U);
}

TEST_F(HostileTcpOptions, OPT_07_MssOf65535) {
    EXPECT_EQ(largest_after({2, 4, 0xff, 0xff}, 100000), 1460U) << "what our link carries";
}

/// RFC 7323 2.3.
TEST_F(HostileTcpOptions, OPT_08_WindowScaleAbove14) {
    for (u32 shift = 15; shift < 256; shift += 30) {
        peer_.port = static_cast<u16>(4000 + shift);
        ASSERT_TRUE(establish({2, 4, 5, 180, 3, 3, static_cast<u8>(shift), 0}));
        EXPECT_EQ(snapshot().snd_wind_shift, 14) << shift;
        host_.feed(next().frame());
        EXPECT_EQ(snapshot().snd_wnd, 65535U << 14);
        EXPECT_TRUE(works());
    }
}

TEST_F(HostileTcpOptions, OPT_09_WindowScaleBehindTheHandshake) {
    ASSERT_TRUE(establish());
    ASSERT_EQ(snapshot().snd_wind_shift, 0);
    RawTcp scaled = next();
    scaled.options = {3, 3, 9, 0};
    host_.feed(scaled.frame());
    EXPECT_EQ(snapshot().snd_wind_shift, 0);
    EXPECT_EQ(snapshot().snd_wnd, 65535U);
    EXPECT_TRUE(works());
}

/// Said twice: the last one counts, for all options alike.
TEST_F(HostileTcpOptions, OPT_10_OptionsTwice) {
    EXPECT_EQ(largest_after({2, 4, 4, 0, 2, 4, 2, 0}, 3000), 512U);
    ASSERT_TRUE(establish({2, 4, 4, 0, 3, 3, 9, 3, 3, 5, 1, 1}));
    EXPECT_EQ(snapshot().snd_wind_shift, 5);
    peer_.port = 1002;
    auto stamps = timestamps_option(100, 0);
    const auto second = timestamps_option(200, 0);
    stamps.insert(stamps.end(), second.begin(), second.end());
    ASSERT_TRUE(establish(stamps));
    EXPECT_TRUE(snapshot().timestamps);
    EXPECT_EQ(snapshot().ts_recent, 200U);
}

TEST_F(HostileTcpOptions, OPT_11_NothingButPadding) {
    std::vector<u8> garbage(40, 0xde);
    garbage[0] = 0;
    garbage[1] = 2;
    for (const auto& options : {std::vector<u8>(40, 1), std::vector<u8>(40, 0), garbage}) {
        EXPECT_EQ(largest_after(options, 3000), 536U);
    }
}

/// RFC 7323 3.2 would have such a segment dropped (SHOULD). Some boxes on the way strip options, and a
/// connection that stops for ever is worse than a segment without its stamp: Linux takes it, and so do
/// we.
TEST_F(HostileTcpOptions, OPT_12_NoTimestampsAfterAll) {
    ASSERT_TRUE(establish(timestamps_option(100, 0)));
    ASSERT_TRUE(snapshot().timestamps);
    EXPECT_TRUE(works());
    EXPECT_EQ(snapshot().ts_recent, 100U);
}

TEST_F(HostileTcpOptions, OPT_13_OldTimestamps) {
    ASSERT_TRUE(establish(timestamps_option(1000000, 0)));
    const auto before = snapshot();
    for (const u32 age : {1U, 1000U, 0x40000000U, 0x7fffffffU}) {
        RawTcp old = next(kAck, pattern_bytes(10));
        old.options = timestamps_option(1000000 - age, 0);
        EXPECT_TRUE(refuses(old, Drop::TcpPaws, true)) << age;
    }
    EXPECT_EQ(snapshot().receive_queued, 0U);
    EXPECT_EQ(snapshot().rcv_nxt, before.rcv_nxt);
    EXPECT_TRUE(works());
}

/// CVE-2005-0356: a stamp far in the future, in a segment that is otherwise wrong, must not make all
/// honest ones old.
TEST_F(HostileTcpOptions, OPT_14_StampsFromTheFuture) {
    ASSERT_TRUE(establish(timestamps_option(1000, 0)));
    std::vector<RawTcp> forged(4, next(kAck, pattern_bytes(10)));
    forged[0].seq += 0x40000000;
    forged[1].seq -= 20;
    forged[2].ack += 1000;
    forged[3].flags = kSyn;
    for (RawTcp& one : forged) {
        one.options = timestamps_option(1000 + 0x40000000, 0);
        host_.feed(one.frame());
        EXPECT_EQ(snapshot().ts_recent, 1000U);
    }
    // In the window, but beyond what we have acknowledged.
    RawTcp early = next(kAck, pattern_bytes(10));
    early.seq += 100;
    early.options = timestamps_option(1000 + 0x40000000, 0);
    host_.feed(early.frame());
    EXPECT_EQ(snapshot().ts_recent, 1000U);
    RawTcp honest = next(kAck, pattern_bytes(10));
    honest.options = timestamps_option(1001, 0);
    host_.feed(honest.frame());
    EXPECT_EQ(read(), pattern_bytes(10));
}

TEST_F(HostileTcpOptions, OPT_15_ForgedEchoes) {
    ASSERT_TRUE(establish(timestamps_option(1000, 0)));
    const auto& config = host_.stack.config().tcp;
    u32 stamp = 1000;
    for (const u32 echo : {0U, 1U, 0x7fffffffU, 0x80000000U, 0xffffffffU}) {
        write(pattern_bytes(10));
        (void)peer_.hear();
        host_.pass(20ms);
        RawTcp ack = next();
        ack.options = timestamps_option(++stamp, echo);
        host_.feed(ack.frame());
        EXPECT_EQ(snapshot().snd_una, snapshot().snd_nxt);
        EXPECT_GE(snapshot().rto, config.min_rto) << echo;
        EXPECT_LE(snapshot().rto, config.max_rto) << echo;
    }
}

/// Blocks of no length, half a block, more than fit.
TEST_F(HostileTcpOptions, OPT_16_MalformedSack) {
    ASSERT_TRUE(establish({4, 2, 1, 1}));
    write(pattern_bytes(3000));
    for (const u8 length : {u8{2}, u8{9}, u8{11}, u8{33}, u8{35}}) {
        RawTcp sack = next();
        sack.ack = snapshot().snd_una.value();
        sack.options.assign(36, 0x55);
        sack.options[0] = 5;
        sack.options[1] = length;
        std::fill(sack.options.begin() + length, sack.options.end(), u8{1});
        host_.feed(sack.frame());
        EXPECT_EQ(host_.drops(Drop::TcpBadOption), 0U) << int{length};
    }
    RawTcp five = next();
    five.options.assign(40, 0);
    five.options[0] = 5;
    five.options[1] = 42;
    EXPECT_TRUE(silently(five.frame(), Drop::TcpBadOption));
    host_.pass(3s);
    (void)peer_.hear();
    EXPECT_EQ(snapshot().state, TcpState::Established);
}

TEST_F(HostileTcpOptions, OPT_21_SackThatWasNeverAgreedOn) {
    ASSERT_TRUE(establish());
    RawTcp late = next();
    late.options = {4, 2, 1, 1};
    const auto before = snapshot();
    host_.feed(late.frame());
    EXPECT_EQ(snapshot(), before);
    write(pattern_bytes(1000));
    RawTcp sack = next();
    sack.ack = snapshot().snd_una.value();
    sack.options = {1, 1, 5, 10, 0, 0, 0, 0, 0, 0, 0, 0};
    store_be32(&sack.options[4], sack.ack + 100);
    store_be32(&sack.options[8], sack.ack + 200);
    host_.feed(sack.frame());
    (void)peer_.hear();
    EXPECT_TRUE(works());
}

/// Signatures that we cannot check are options that we do not know.
TEST_F(HostileTcpOptions, OPT_22_Signatures) {
    std::vector<u8> md5(20, 0xaa);
    md5[0] = 19;
    md5[1] = 18;
    md5[18] = md5[19] = 1;
    EXPECT_EQ(largest_after(md5, 3000), 536U);
    EXPECT_EQ(largest_after({29, 2, 29, 3, 1, 1, 1, 1}, 3000), 536U);
    EXPECT_TRUE(refused_syn({29, 1, 1, 1}));
}

/// CVE-2019-12258: a malformed option in the middle of a connection was its end.
TEST_F(HostileTcpOptions, OPT_23_MalformedOptionsInAnOpenConnection) {
    ASSERT_TRUE(establish());
    const std::vector<std::vector<u8>> broken = {{3, 1, 0, 0}, {8, 0, 0, 0}, {2, 40, 0, 0}};
    for (const auto& options : broken) {
        for (const u8 flags : {kAck, kSyn, kRst}) {
            RawTcp bad = next(flags, pattern_bytes(10));
            bad.options = options;
            EXPECT_TRUE(silently(bad.frame(), Drop::TcpBadOption));
        }
    }
    RawTcp short_scale = next(kAck, pattern_bytes(10));
    short_scale.options = {3, 2, 1, 1};
    host_.feed(short_scale.frame());
    peer_.seq += 10;
    EXPECT_EQ(read(), pattern_bytes(10)) << "this one can be stepped over";
    EXPECT_TRUE(works());
}

/// No Fast Open: whatever the cookie, what comes with a SYN is taken when it comes again.
TEST_F(HostileTcpOptions, OPT_24_FastOpenCookies) {
    for (const u8 length : {u8{0}, u8{1}}) EXPECT_TRUE(refused_syn({34, length, 1, 1}));
    for (const u8 length : {u8{2}, u8{3}, u8{18}, u8{19}}) {
        peer_.port = static_cast<u16>(5000 + length);
        std::vector<u8> options(20, 1);
        options[0] = 34;
        options[1] = length;
        peer_.send(kSyn, pattern_bytes(100), peer_.seq, 0, options);
        const auto answer = peer_.hear();
        ASSERT_EQ(answer.size(), 1U);
        EXPECT_EQ(answer[0].ack, peer_.seq + 1) << "the SYN alone";
        EXPECT_FALSE(listener_.accept());
        ++peer_.seq;
        peer_.send(kAck);
        auto accepted = listener_.accept();
        ASSERT_TRUE(accepted);
        socket_ = std::move(*accepted);
        EXPECT_TRUE(read().empty());
        peer_.send(kAck, pattern_bytes(100));
        EXPECT_EQ(read(), pattern_bytes(100)) << "once";
    }
}

}  // namespace
}  // namespace tapestry
