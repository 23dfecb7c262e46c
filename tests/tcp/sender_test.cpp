#include "stack/tcp/sender.h"

#include <gtest/gtest.h>

#include "stack/base/rng.h"

namespace tapestry {
namespace {

constexpr u16 kMss = 1000;
constexpr u32 kIss = 0xfffffff0;  // near the end, so that every test passes the wrap

u8 byte_at(u32 offset) { return static_cast<u8>(offset * 7 + offset / 256); }

/// A sender in ESTABLISHED, with numbers that count from the first byte of text.
struct Bench {
    explicit Bench(u32 window = 20 * kMss) {
        sender.start(SeqNum(kIss));
        const auto syn = sender.next_segment(limits);
        sender.sent(*syn, now, 4096);
        ack_number(SeqNum(kIss) + 1);
        sender.update_window(window, SeqNum(1), SeqNum(kIss) + 1);
        limits = {.window = 100 * kMss, .mss = kMss, .max_burst = kMss};
    }
    void write(u32 n) {
        std::vector<u8> text(n);
        for (u8& byte : text) byte = byte_at(written++);
        ASSERT_TRUE(sender.append(text));
    }
    std::optional<SegmentPlan> next() const {
        const auto plan = sender.next_segment(limits);
        EXPECT_FALSE(plan && sender.waits_for_room(limits)) << "the short way says so";
        return plan;
    }
    /// Takes the next segment; its length, or -1 when nothing may leave.
    int send() {
        const auto plan = next();
        if (!plan) return -1;
        last = *plan;
        sender.sent(*plan, now, 4096);
        return static_cast<int>(plan->length);
    }
    void ack_number(SeqNum number) {
        Delivered delivered;
        sender.acknowledge(number, now, delivered);
    }
    void ack(u32 offset) { ack_number(first() + offset); }
    void lose_head() {
        sender.mark_head_lost(kMss);
        sender.retransmit_now();
    }
    void window(u32 wnd) { sender.update_window(wnd, SeqNum(1), sender.snd().una); }
    static SeqNum first() { return SeqNum(kIss) + 1; }
    u32 at(SeqNum seq) const { return static_cast<u32>(seq - first()); }

    BlockPool pool{1 << 22};
    Sender sender{pool};
    TimePoint now{};
    SendLimits limits;
    SegmentPlan last;
    u32 written = 0;
};

TEST(Sender, BeginsWithTheSyn) {
    BlockPool pool(1 << 20);
    Sender sender(pool);
    sender.start(SeqNum(kIss));
    const SendLimits limits{.window = kMss, .mss = kMss, .max_burst = kMss};
    const auto plan = sender.next_segment(limits);
    ASSERT_TRUE(plan);
    EXPECT_TRUE(plan->syn);
    EXPECT_EQ(plan->seq, SeqNum(kIss));
    EXPECT_FALSE(plan->retransmission);
    sender.sent(*plan, {}, 4096);
    EXPECT_FALSE(sender.next_segment(limits)) << "once is enough";
    sender.rewind();
    const auto again = sender.next_segment(limits);
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->syn && again->retransmission);
    EXPECT_EQ(again->seq, SeqNum(kIss)) << "the same number as before";
}

TEST(Sender, PlansWithoutChangingAnything) {
    Bench b;
    b.write(2500);
    const auto one = b.next();
    const auto two = b.next();
    ASSERT_TRUE(one && two);
    EXPECT_EQ(one->seq, two->seq);
    EXPECT_EQ(one->length, two->length);
    EXPECT_EQ(b.sender.pipe(), 0U);
}

TEST(Sender, CutsIntoSegmentsAndPushesTheLast) {
    Bench b;
    b.write(2500);
    b.sender.queue_fin();
    EXPECT_EQ(b.send(), 1000);
    EXPECT_FALSE(b.last.psh || b.last.fin);
    EXPECT_EQ(b.send(), 1000);
    EXPECT_EQ(b.send(), 500);
    EXPECT_TRUE(b.last.psh && b.last.fin);
    EXPECT_EQ(b.last.sequence_length(), 501U);
    EXPECT_EQ(b.send(), -1);
    EXPECT_EQ(b.at(b.sender.snd().nxt), 2501U);
}

TEST(Sender, TextIsWhatWasWritten) {
    Bench b;
    b.write(5000);
    u32 offset = 0;
    for (; b.send() > 0; offset += b.last.length) {
        u32 i = b.at(b.last.seq);
        EXPECT_EQ(i, offset);
        for (const Bytes piece : b.sender.text(b.last)) {
            for (const u8 byte : piece) ASSERT_EQ(byte, byte_at(i++));
        }
        ASSERT_EQ(i, offset + b.last.length);
    }
    EXPECT_EQ(offset, 5000U);
}

TEST(Sender, KeepsToThePeersWindow) {
    Bench b(2500);
    b.write(5000);
    EXPECT_EQ(b.send(), 1000);
    EXPECT_EQ(b.send(), 1000);
    EXPECT_EQ(b.send(), -1) << "500 bytes of window are a silly segment while more wait";
    b.ack(1000);
    b.window(2500);
    EXPECT_EQ(b.send(), 1000);
}

TEST(Sender, KeepsToTheCongestionWindow) {
    Bench b;
    b.limits.window = 2 * kMss;
    b.write(5000);
    EXPECT_EQ(b.send(), 1000);
    EXPECT_EQ(b.send(), 1000);
    EXPECT_EQ(b.send(), -1);
    b.limits.window = 3 * kMss;
    EXPECT_EQ(b.send(), 1000);
}

/// MUST-34: the peer takes window back over what is under way.
TEST(Sender, SurvivesAShrinkingWindow) {
    Bench b;
    b.write(8000);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(b.send(), 1000);
    b.window(1000);
    EXPECT_EQ(b.send(), -1);
    b.ack(5000);
    b.window(1000);
    EXPECT_EQ(b.send(), 1000);
}

/// RFC 9293 3.7.4: a small segment waits while anything is unacknowledged.
TEST(Sender, NagleHoldsASmallSegmentBack) {
    Bench b;
    b.write(10);
    EXPECT_EQ(b.send(), 10);
    b.write(10);
    EXPECT_EQ(b.send(), -1);
    b.write(990);
    EXPECT_EQ(b.send(), 1000) << "a full one does not wait";
    b.write(5);
    EXPECT_EQ(b.send(), -1);
    b.ack(1010);
    EXPECT_EQ(b.send(), 5);
}

TEST(Sender, NoDelayLetsItGo) {
    Bench b;
    b.limits.no_delay = true;
    b.write(10);
    EXPECT_EQ(b.send(), 10);
    b.write(10);
    EXPECT_EQ(b.send(), 10);
}

TEST(Sender, TheLastPartBeforeAFinDoesNotWait) {
    Bench b;
    b.write(10);
    EXPECT_EQ(b.send(), 10);
    b.write(10);
    EXPECT_EQ(b.send(), -1);
    b.sender.queue_fin();
    EXPECT_EQ(b.send(), 10);
    EXPECT_TRUE(b.last.fin);
}

/// RFC 9293 3.8.6.2.1 (3) and (4): half of the largest window, or the override timer.
TEST(Sender, ASmallWindowIsUsedWhenItIsHalfOfTheLargest) {
    Bench b(600);
    b.write(5000);
    EXPECT_EQ(b.send(), 600);
    b.ack(600);
    b.window(299);
    EXPECT_EQ(b.send(), -1);
    b.window(300);
    EXPECT_EQ(b.send(), 300);
    b.ack(900);
    b.window(10);
    EXPECT_EQ(b.send(), -1);
    b.limits.override_sws = true;
    EXPECT_EQ(b.send(), 10);
}

TEST(Sender, TheFinNeedsRoomInTheWindow) {
    Bench b(1000);
    b.write(1000);
    b.sender.queue_fin();
    EXPECT_EQ(b.send(), 1000);
    EXPECT_FALSE(b.last.fin);
    EXPECT_EQ(b.send(), -1);
    b.ack(1000);
    b.window(0);
    EXPECT_EQ(b.send(), -1);
    EXPECT_TRUE(b.sender.has_unsent());
    b.window(1);
    EXPECT_EQ(b.send(), 0);
    EXPECT_TRUE(b.last.fin);
    b.ack(1001);
    EXPECT_TRUE(b.sender.fin_acked());
    EXPECT_FALSE(b.sender.has_unsent());
}

TEST(Sender, MakesSuperFramesOfWholeSegments) {
    Bench b(100 * kMss);
    b.limits.max_burst = 8 * kMss;
    b.write(10500);
    EXPECT_EQ(b.send(), 8000);
    EXPECT_EQ(b.last.gso_size, kMss);
    EXPECT_FALSE(b.last.psh);
    EXPECT_EQ(b.send(), 2000) << "Nagle: the odd rest waits";
    EXPECT_EQ(b.last.gso_size, kMss);
    b.ack(10000);
    EXPECT_EQ(b.send(), 500);
    EXPECT_EQ(b.last.gso_size, 0);
}

TEST(Sender, GoesBackAndSendsAllAgain) {
    Bench b;
    b.write(3000);
    while (b.send() > 0) {
    }
    b.sender.rewind();
    EXPECT_EQ(b.sender.pipe(), 0U);
    EXPECT_EQ(b.send(), 1000);
    EXPECT_TRUE(b.last.retransmission);
    EXPECT_EQ(b.at(b.last.seq), 0U);
    EXPECT_EQ(b.at(b.sender.snd().nxt), 3000U) << "SND.NXT does not go back";
    // The peer had the rest already.
    b.ack(3000);
    EXPECT_EQ(b.send(), -1);
    b.write(10);
    EXPECT_EQ(b.send(), 10);
    EXPECT_FALSE(b.last.retransmission);
}

TEST(Sender, SendsASegmentThatHasGrownAgain) {
    Bench b;
    b.limits.no_delay = true;
    b.write(10);
    EXPECT_EQ(b.send(), 10);
    b.write(10);
    b.sender.queue_fin();
    b.sender.rewind();
    EXPECT_EQ(b.send(), 20);
    EXPECT_TRUE(b.last.fin);
    EXPECT_EQ(b.at(b.sender.snd().nxt), 21U);
}

TEST(Sender, TheHeadAloneIsSentAgain) {
    Bench b;
    b.write(5000);
    while (b.send() > 0) {
    }
    b.lose_head();
    EXPECT_EQ(b.send(), 1000);
    EXPECT_TRUE(b.last.retransmission);
    EXPECT_EQ(b.at(b.last.seq), 0U);
    EXPECT_EQ(b.send(), -1);
    EXPECT_EQ(b.sender.pipe(), 5000U);
}

TEST(Sender, AnAcknowledgmentMakesTheHeadGood) {
    Bench b;
    b.write(5000);
    while (b.send() > 0) {
    }
    b.lose_head();
    b.ack(1000);
    EXPECT_EQ(b.send(), -1) << "what was lost has arrived";
}

TEST(Sender, TheHeadMayBeTheFinAlone) {
    Bench b;
    b.write(100);
    b.sender.queue_fin();
    EXPECT_EQ(b.send(), 100);
    b.ack(100);
    b.lose_head();
    EXPECT_EQ(b.send(), 0);
    EXPECT_TRUE(b.last.fin);
}

TEST(Sender, ProbesWithTheNextByteOrTheFin) {
    Bench b(0);
    EXPECT_FALSE(b.sender.probe());
    b.write(10);
    b.sender.queue_fin();
    EXPECT_EQ(b.send(), -1);
    auto probe = b.sender.probe();
    ASSERT_TRUE(probe);
    EXPECT_EQ(probe->length, 1U);
    EXPECT_FALSE(probe->fin);
    b.sender.sent(*probe, b.now, 4096);
    EXPECT_EQ(b.sender.pipe(), 0U) << "a probe is not waited for";
    // The peer may have taken the byte.
    b.ack(1);
    b.window(1000);
    EXPECT_EQ(b.send(), 9);
    EXPECT_EQ(b.at(b.last.seq), 1U);
    EXPECT_TRUE(b.last.fin);
    b.ack(10);
    probe = b.sender.probe();
    ASSERT_TRUE(probe);
    EXPECT_TRUE(probe->fin && probe->length == 0);
}

TEST(Sender, HoldsNoMemoryWhenAllIsAcknowledged) {
    Bench b;
    b.write(5000);
    while (b.send() > 0) {
    }
    EXPECT_GT(b.pool.in_use(), 0U);
    b.ack(5000);
    EXPECT_EQ(b.pool.in_use(), 0U);
}

TEST(Sender, SendsTheLastTextIntoTheLastRoom) {
    Bench b(1500);
    b.limits.no_delay = true;
    b.write(1500);
    EXPECT_EQ(b.send(), 1000);
    EXPECT_EQ(b.send(), 500);
}

/// Random calls: no segment ever leaves the peer's window, and every byte arrives.
TEST(Sender, NeverSendsBeyondTheWindow) {
    for (u64 seed = 1; seed <= 100; ++seed) {
        SeededRng rng(seed);
        Bench b(rng.below(5000));
        b.limits.max_burst = kMss * (1 + rng.below(8));
        u32 right_edge = b.sender.snd().wnd;
        u32 received = 0;
        for (int step = 0; step < 2000; ++step) {
            switch (rng.below(6)) {
                case 0:
                    if (b.sender.queued() < 20000) b.write(1 + rng.below(3000));
                    break;
                case 1:
                    b.limits.override_sws = rng.below(2) == 0;
                    b.limits.window = kMss * (1 + rng.below(20));
                    break;
                case 2:
                    b.sender.rewind();
                    break;
                case 3: {
                    const u32 una = b.at(b.sender.snd().una);
                    if (received > una) b.ack(una + 1 + rng.below(received - una));
                    const u32 wnd = rng.below(8000);
                    b.window(wnd);
                    right_edge = std::max(right_edge, b.at(b.sender.snd().una) + wnd);
                    break;
                }
                default:
                    if (b.send() < 0) break;
                    ASSERT_LE(b.at(b.last.end()), right_edge) << "seed " << seed;
                    if (b.at(b.last.seq) <= received) {
                        received = std::max(received, b.at(b.last.end()));
                    }
            }
            ASSERT_LE(b.at(b.sender.snd().una), b.at(b.sender.snd().nxt));
            ASSERT_LE(b.sender.pipe(), b.at(b.sender.snd().nxt) - b.at(b.sender.snd().una));
        }
    }
}

}  // namespace
}  // namespace tapestry
