#include "stack/tcp/receiver.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "stack/base/rng.h"

namespace tapestry {
namespace {

using Outcome = Receiver::Outcome;

constexpr u32 kLimit = 8192;
constexpr u16 kMss = 1000;
constexpr u32 kMaxIslands = 64;

u8 byte_at(u32 offset) { return static_cast<u8>(offset * 7 + offset / 256); }

/// A receiver whose stream has the bytes byte_at(0), byte_at(1) ... from `irs` + 1 on.
struct Bench {
    explicit Bench(u32 irs = 1000, u32 buffer = kLimit) : limit(buffer) {
        first = SeqNum(irs) + 1;
        receiver.start(SeqNum(irs));
        advertise();
    }
    void advertise() { receiver.advertised(receiver.window_field(limit, kMss, false), false); }
    Outcome accept(u32 offset, u32 length, bool fin = false, u32 islands = kMaxIslands) {
        std::vector<u8> text(length);
        for (u32 i = 0; i < length; ++i) text[i] = byte_at(offset + i);
        return receiver.accept(first + offset, text, fin, islands);
    }
    u32 nxt() const { return static_cast<u32>(receiver.rcv().nxt - first); }
    u32 edge() const { return static_cast<u32>(receiver.rcv().edge - first); }
    /// Reads n bytes and says whether they are the right ones.
    bool read(u32 n) {
        std::vector<u8> out(n);
        if (receiver.read(out) != n) return false;
        for (const u8 byte : out) {
            if (byte != byte_at(consumed++)) return false;
        }
        return true;
    }

    BlockPool pool{1 << 20};
    Receiver receiver{pool};
    SeqNum first;
    u32 limit;
    u32 consumed = 0;
};

/// A sender of single bytes costs what it sends, rounded up to a power of two: segments are not kept, their
/// text is.
TEST(Receiver, SmallSegmentsCostTheirBytes) {
    Bench b(1000, 65536);
    for (u32 i = 0; i < 10000; ++i) {
        ASSERT_EQ(b.accept(i, 1), Outcome::InOrder);
        ASSERT_LE(b.pool.in_use(), std::max<u64>(2 * (i + 1), BlockPool::kMinBlock));
    }
    // Every other byte behind a hole: the window, and a bounded list.
    for (u32 i = 0; i < 5000; ++i) static_cast<void>(b.accept(10001 + 2 * i, 1));
    EXPECT_LE(b.pool.in_use(), 32768U);
    EXPECT_LE(b.receiver.assembler().islands().size(), kMaxIslands);
}

TEST(Receiver, TakesTextInOrder) {
    Bench b;
    EXPECT_EQ(b.accept(0, 100), Outcome::InOrder);
    EXPECT_EQ(b.accept(100, 50), Outcome::InOrder);
    EXPECT_EQ(b.nxt(), 150U);
    EXPECT_EQ(b.receiver.readable(), 150U);
    EXPECT_TRUE(b.read(150));
    EXPECT_EQ(b.accept(0, 150), Outcome::Duplicate);
    EXPECT_EQ(b.accept(150, 0), Outcome::Nothing);
    EXPECT_EQ(b.nxt(), 150U);
}

/// The window that our SYN has offered holds for text in the peer's SYN-ACK.
TEST(Receiver, KeepsTheWindowThatOurSynHasOffered) {
    BlockPool pool(1 << 20);
    Receiver receiver(pool);
    receiver.advertised(5000, true);
    receiver.start(SeqNum(77));
    EXPECT_EQ(receiver.rcv().nxt, SeqNum(78));
    EXPECT_EQ(receiver.rcv().wnd(), 5000U);
    const std::vector<u8> text(6000, 1);
    EXPECT_EQ(receiver.accept(SeqNum(78), text, true, kMaxIslands), Outcome::InOrder);
    EXPECT_EQ(receiver.readable(), 5000U);
    EXPECT_FALSE(receiver.finished());
}

TEST(Receiver, FillsAHole) {
    Bench b;
    EXPECT_EQ(b.accept(100, 100), Outcome::OutOfOrder);
    EXPECT_EQ(b.accept(300, 100), Outcome::OutOfOrder);
    EXPECT_EQ(b.receiver.readable(), 0U);
    EXPECT_EQ(b.accept(0, 150), Outcome::FilledHole);
    EXPECT_EQ(b.nxt(), 200U);
    EXPECT_EQ(b.accept(200, 100), Outcome::FilledHole);
    EXPECT_TRUE(b.read(400));
    EXPECT_TRUE(b.receiver.assembler().empty());
}

TEST(Receiver, CutsWhatLiesOutsideOfTheWindow) {
    Bench b;
    ASSERT_EQ(b.edge(), kLimit);
    EXPECT_EQ(b.accept(0, kLimit + 500), Outcome::InOrder);
    EXPECT_EQ(b.nxt(), kLimit);
    EXPECT_EQ(b.accept(kLimit, 10), Outcome::Duplicate) << "the window is closed";
    EXPECT_TRUE(b.read(kLimit));
    EXPECT_EQ(b.receiver.readable(), 0U);
}

TEST(Receiver, DropsTheFinOfASegmentThatIsCut) {
    Bench b;
    EXPECT_EQ(b.accept(0, kLimit + 1, true), Outcome::InOrder);
    EXPECT_FALSE(b.receiver.finished());
    EXPECT_EQ(b.nxt(), kLimit);
    // RFC 9293 3.10.7.4, eighth: at a closed window a bare FIN in order is still taken.
    EXPECT_EQ(b.accept(kLimit, 0, true), Outcome::InOrder);
    EXPECT_TRUE(b.receiver.finished());
    EXPECT_EQ(b.nxt(), kLimit + 1);
}

TEST(Receiver, WaitsForTheDataBeforeAnEarlyFin) {
    Bench b;
    EXPECT_EQ(b.accept(1000, 0, true), Outcome::OutOfOrder);
    EXPECT_FALSE(b.receiver.finished());
    EXPECT_EQ(b.accept(0, 1000), Outcome::InOrder);
    EXPECT_TRUE(b.receiver.finished());
    EXPECT_EQ(b.nxt(), 1001U);
    EXPECT_TRUE(b.read(1000));
}

TEST(Receiver, TakesNothingBehindTheFin) {
    Bench b;
    EXPECT_EQ(b.accept(100, 100), Outcome::OutOfOrder);
    EXPECT_EQ(b.accept(0, 50, true), Outcome::InOrder);
    EXPECT_TRUE(b.receiver.finished());
    EXPECT_EQ(b.nxt(), 51U);
    EXPECT_EQ(b.receiver.readable(), 50U);
    EXPECT_TRUE(b.receiver.assembler().empty()) << "what lies behind the FIN is thrown away";
    EXPECT_EQ(b.accept(51, 10), Outcome::Nothing);
    EXPECT_TRUE(b.read(50));
}

TEST(Receiver, TakesNothingBehindAFinThatWaits) {
    Bench b;
    EXPECT_EQ(b.accept(500, 0, true), Outcome::OutOfOrder);
    EXPECT_EQ(b.accept(450, 200), Outcome::OutOfOrder);
    EXPECT_EQ(b.receiver.assembler().bytes(), 50U);
    EXPECT_EQ(b.accept(600, 100), Outcome::Duplicate);
    EXPECT_EQ(b.accept(0, 450), Outcome::FilledHole);
    EXPECT_TRUE(b.receiver.finished());
    EXPECT_EQ(b.receiver.readable(), 500U);
}

TEST(Receiver, TheFirstFinStays) {
    Bench b;
    EXPECT_EQ(b.accept(500, 0, true), Outcome::OutOfOrder);
    EXPECT_EQ(b.accept(300, 0, true), Outcome::OutOfOrder);
    EXPECT_EQ(b.accept(0, 400), Outcome::InOrder);
    EXPECT_FALSE(b.receiver.finished());
    EXPECT_EQ(b.accept(400, 100), Outcome::InOrder);
    EXPECT_TRUE(b.receiver.finished());
}

TEST(Receiver, RefusesTooManyIslandsButNotTheHole) {
    Bench b;
    for (u32 i = 0; i < 4; ++i) EXPECT_EQ(b.accept(100 + 20 * i, 1, false, 4), Outcome::OutOfOrder);
    EXPECT_EQ(b.accept(200, 1, false, 4), Outcome::NoMemory);
    EXPECT_EQ(b.accept(0, 100, false, 4), Outcome::FilledHole);
    EXPECT_EQ(b.nxt(), 101U);
}

TEST(Receiver, RefusesWhenThePoolIsEmptyAndTakesItLater) {
    BlockPool pool(BlockPool::kMinBlock);
    u8* taken = pool.take(BlockPool::kMinBlock);
    Receiver receiver(pool);
    receiver.start(SeqNum(0));
    receiver.advertised(8000, false);
    const std::vector<u8> text(100, 1);
    EXPECT_EQ(receiver.accept(SeqNum(1), text, false, kMaxIslands), Outcome::NoMemory);
    EXPECT_EQ(receiver.accept(SeqNum(201), text, false, kMaxIslands), Outcome::NoMemory);
    EXPECT_TRUE(receiver.assembler().empty()) << "an island without its bytes";
    EXPECT_EQ(receiver.rcv().nxt, SeqNum(1));
    pool.give_back(taken, BlockPool::kMinBlock);
    EXPECT_EQ(receiver.accept(SeqNum(1), text, false, kMaxIslands), Outcome::InOrder);
    EXPECT_EQ(receiver.readable(), 100U);
}

TEST(Receiver, HoldsNoMemoryWhenNothingWaits) {
    Bench b;
    b.accept(0, 5000);
    EXPECT_GT(b.pool.in_use(), 0U);
    EXPECT_TRUE(b.read(5000));
    EXPECT_EQ(b.pool.in_use(), 0U);
}

TEST(Receiver, DiscardsForAUserWhoWantsNoMore) {
    Bench b;
    b.accept(0, 100);
    b.accept(200, 100);
    b.receiver.discard_all();
    EXPECT_EQ(b.receiver.readable(), 0U);
    EXPECT_EQ(b.accept(100, 300), Outcome::InOrder);
    EXPECT_EQ(b.nxt(), 400U);
    EXPECT_EQ(b.receiver.readable(), 0U);
    EXPECT_EQ(b.pool.in_use(), 0U);
    EXPECT_EQ(b.accept(400, 0, true), Outcome::InOrder);
    EXPECT_TRUE(b.receiver.finished());
}

/// RFC 9293 3.8.6.2.2: the right edge waits until it can move by an MSS or half of the buffer.
TEST(Receiver, AvoidsTheSillyWindow) {
    Bench b;
    b.accept(0, kLimit);
    b.advertise();
    EXPECT_EQ(b.receiver.window_field(kLimit, kMss, false), 0);
    EXPECT_TRUE(b.read(kMss - 1));
    EXPECT_EQ(b.receiver.window_field(kLimit, kMss, false), 0);
    EXPECT_FALSE(b.receiver.window_update_due(kLimit, kMss));
    EXPECT_TRUE(b.read(1));
    EXPECT_EQ(b.receiver.window_field(kLimit, kMss, false), kMss);
    EXPECT_TRUE(b.receiver.window_update_due(kLimit, kMss));
    // A buffer smaller than two segments: half of it is enough.
    EXPECT_EQ(b.receiver.window_field(kLimit, 40000, false), 0);
    EXPECT_TRUE(b.read(kLimit / 2 - kMss));
    EXPECT_EQ(b.receiver.window_field(kLimit, 40000, false), kLimit / 2);
}

TEST(Receiver, SaysNothingOfASmallGainWhileThereIsRoom) {
    Bench b(1000, 60000);
    b.accept(0, 3000);
    b.advertise();
    EXPECT_TRUE(b.read(3000));
    EXPECT_FALSE(b.receiver.window_update_due(60000, kMss));
    b.accept(3000, 30000);
    b.advertise();
    EXPECT_TRUE(b.read(30000));
    EXPECT_TRUE(b.receiver.window_update_due(60000, kMss)) << "half of the buffer";
}

TEST(Receiver, OffersOnlyWhatSixteenBitsCanSay) {
    Bench b(1000, 1 << 20);
    EXPECT_EQ(b.edge(), 65535U);
    b.accept(0, 1000);
    EXPECT_TRUE(b.read(1000));
    EXPECT_FALSE(b.receiver.window_update_due(1 << 20, kMss)) << "1000 bytes are all it could gain";
    EXPECT_EQ(b.receiver.window_field(1 << 20, kMss, false), 65535);
}

/// SHLD-14: "A TCP receiver SHOULD NOT shrink the window". With scaling it has to, by less than one unit
/// of the shift, or to offer what it has no room for (RFC 7323 2.4); what was offered is taken all the
/// same.
TEST(Receiver, NeverTakesBackWhatItOffered) {
    for (const u8 shift : {u8{0}, u8{3}, u8{7}, u8{14}}) {
        SeededRng rng(shift + 1U);
        Bench b(0xfffff000, 300000);
        b.receiver.set_wind_shift(shift);
        SeqNum edge = b.receiver.rcv().edge;
        for (int step = 0; step < 3000; ++step) {
            const u32 window = b.receiver.rcv().wnd();
            b.accept(b.nxt(), rng.below(std::min(window, 3000U) + 1));
            ASSERT_TRUE(b.read(rng.below(b.receiver.readable() + 1)));
            if (rng.below(2) == 0) {
                const u16 field = b.receiver.window_field(300000, kMss, false);
                const SeqNum offered = b.receiver.rcv().nxt + (u32{field} << shift);
                ASSERT_TRUE((offered + ((1U << shift) - 1)).after_or_at(edge)) << "step " << step;
                ASSERT_TRUE(b.receiver.rcv().edge.after_or_at(edge));
                // At most one unit of the shift more than there is room for.
                ASSERT_LT(b.receiver.readable() + (u32{field} << shift), 300000 + (1U << shift));
                b.receiver.advertised(field, false);
                edge = b.receiver.rcv().edge;
            }
        }
    }
}

TEST(Receiver, ScalingDoesNotLetTheWindowCreepOnWithSmallSegments) {
    Bench bench;
    bench.receiver.set_wind_shift(5);
    bench.advertise();
    // Nobody reads. Each ACK says the window in units of 32 bytes; what rounding gives too much must not
    // become room for ever more.
    u32 sent = 0;
    while (sent < 2 * kLimit && bench.receiver.rcv().wnd() > 0) {
        ASSERT_EQ(bench.accept(sent, 1), Outcome::InOrder);
        ++sent;
        bench.advertise();
    }
    EXPECT_GE(sent, kLimit);
    EXPECT_LT(sent, kLimit + 32);
}

/// Against a bitmap: whatever comes in whatever order, the stream is the stream.
TEST(Receiver, AgreesWithABitmap) {
    for (u64 seed = 1; seed <= 200; ++seed) {
        SeededRng rng(seed);
        Bench b(0xffffff00U + rng.below(256));
        constexpr u32 kStream = 20000;
        const u32 fin_at = kStream;
        std::vector<bool> have(kStream);
        for (int step = 0; step < 4000 && !b.receiver.finished(); ++step) {
            const u32 nxt = b.nxt();
            u32 offset = nxt + rng.below(1000);
            offset -= std::min(offset, rng.below(800));
            const u32 end = std::min(fin_at, offset + rng.below(1200));
            if (offset > fin_at) continue;
            const bool fin = end == fin_at;
            const u32 edge = b.edge();
            b.accept(offset, end - offset, fin, 1000);
            for (u32 i = std::max(offset, nxt); i < std::min(end, edge); ++i) have[i] = true;
            u32 expected = nxt;
            while (expected < kStream && have[expected]) ++expected;
            ASSERT_EQ(std::min(b.nxt(), kStream), expected) << "seed " << seed;
            ASSERT_EQ(b.receiver.readable(), expected - b.consumed);
            if (!b.receiver.finished()) {
                const auto ahead = std::count(have.begin() + expected, have.end(), true);
                ASSERT_EQ(b.receiver.assembler().bytes(), ahead) << "seed " << seed;
            }
            if (rng.below(3) == 0) {
                ASSERT_TRUE(b.read(rng.below(b.receiver.readable() + 1))) << "seed " << seed;
            }
            if (rng.below(3) == 0) b.advertise();
        }
        ASSERT_TRUE(b.receiver.finished()) << "seed " << seed;
        ASSERT_EQ(b.nxt(), kStream + 1);
        ASSERT_TRUE(b.read(b.receiver.readable()));
        ASSERT_EQ(b.consumed, kStream);
    }
}

}  // namespace
}  // namespace tapestry
