#include "stack/buf/byte_ring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <vector>

#include "stack/base/rng.h"

namespace tapestry {
namespace {

constexpr u64 kPlenty = u64{64} << 20;

std::vector<u8> readable(const ByteRing& ring) {
    std::vector<u8> bytes;
    for (const Bytes piece : ring.peek(0, ring.size())) {
        bytes.insert(bytes.end(), piece.begin(), piece.end());
    }
    return bytes;
}

std::vector<u8> count_up(std::size_t n, u8 first = 0) {
    std::vector<u8> bytes(n);
    for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<u8>(first + i);
    return bytes;
}

TEST(ByteRing, HoldsNoMemoryWhileEmpty) {
    BlockPool pool(kPlenty);
    ByteRing ring(pool);
    EXPECT_EQ(ring.capacity(), 0U);
    ASSERT_TRUE(ring.append({}));
    EXPECT_EQ(ring.capacity(), 0U);
    ASSERT_TRUE(ring.append(count_up(1)));
    EXPECT_EQ(pool.in_use(), BlockPool::kMinBlock);
    ring.discard(1);
    EXPECT_EQ(ring.capacity(), 0U);
    EXPECT_EQ(pool.in_use(), 0U);
}

TEST(ByteRing, PeekAndCopyKeepToWhatIsThere) {
    BlockPool pool(kPlenty);
    ByteRing ring(pool);
    EXPECT_TRUE(ring.peek(0, 10)[0].empty());
    ASSERT_TRUE(ring.append(count_up(10)));
    EXPECT_EQ(ring.peek(4, 100)[0].size(), 6U);
    EXPECT_TRUE(ring.peek(10, 1)[0].empty());
    EXPECT_TRUE(ring.peek(4000000000U, 1)[0].empty());
    std::array<u8, 4> out{};
    EXPECT_EQ(ring.copy_out(8, out), 2U);
    EXPECT_EQ(out, (std::array<u8, 4>{8, 9, 0, 0}));
    EXPECT_EQ(ring.copy_out(10, out), 0U);
    ring.discard(100);
    EXPECT_TRUE(ring.empty()) << "at most all";
}

TEST(ByteRing, WrapsInTwoPieces) {
    BlockPool pool(kPlenty);
    ByteRing ring(pool);
    ASSERT_TRUE(ring.append(count_up(4000)));
    ring.discard(3900);
    ASSERT_TRUE(ring.append(count_up(300, 200)));
    EXPECT_EQ(ring.capacity(), 4096U);
    const auto pieces = ring.peek(0, 400);
    EXPECT_EQ(pieces[0].size(), 196U);
    EXPECT_EQ(pieces[1].size(), 204U);
    std::vector<u8> expected = count_up(100, static_cast<u8>(3900));
    const auto rest = count_up(300, 200);
    expected.insert(expected.end(), rest.begin(), rest.end());
    EXPECT_EQ(readable(ring), expected);
}

TEST(ByteRing, LaysDownBehindAHoleAndJoins) {
    BlockPool pool(kPlenty);
    ByteRing ring(pool);
    const auto all = count_up(5000);
    ASSERT_TRUE(ring.append(Bytes(all).first(10)));
    ASSERT_TRUE(ring.write_ahead(4000, Bytes(all).subspan(4010)));
    EXPECT_EQ(ring.size(), 10U) << "cannot be read yet";
    ring.discard(10, true);
    EXPECT_TRUE(ring.empty());
    EXPECT_GT(ring.capacity(), 0U) << "kept for what is ahead";
    ASSERT_TRUE(ring.append(Bytes(all).subspan(10, 4000)));
    ring.extend(990);
    EXPECT_EQ(readable(ring), std::vector<u8>(all.begin() + 10, all.end()));
}

TEST(ByteRing, RefusesWhatIsBeyondTheCeilingAndChangesNothing) {
    BlockPool pool(8192);
    ByteRing ring(pool);
    ASSERT_TRUE(ring.append(count_up(4096)));
    EXPECT_FALSE(ring.append(count_up(1))) << "8192 more are needed while 4096 are held";
    EXPECT_FALSE(ring.write_ahead(0, count_up(1)));
    EXPECT_EQ(readable(ring), count_up(4096));
    EXPECT_EQ(pool.in_use(), 4096U);
}

/// One byte at the far end of a window costs the memory of the whole window.
TEST(ByteRing, BehindAGapHalfOfThePoolIsLeftAlone) {
    BlockPool pool(64 << 10);
    ByteRing first(pool);
    ByteRing second(pool);
    ASSERT_TRUE(first.write_ahead((16 << 10) - 1, count_up(1)));
    ASSERT_TRUE(second.write_ahead((16 << 10) - 1, count_up(1)));
    EXPECT_EQ(pool.in_use(), 32U << 10);
    ByteRing third(pool);
    EXPECT_FALSE(third.write_ahead(1, count_up(1)));
    EXPECT_FALSE(second.write_ahead(16 << 10, count_up(1))) << "nor may one of them grow";
    EXPECT_TRUE(third.write_ahead(0, count_up(1))) << "what comes in its place is no luxury";
    EXPECT_TRUE(third.write_ahead(4000, count_up(1))) << "this needs no more memory";
    ByteRing fourth(pool);
    EXPECT_TRUE(fourth.append(count_up(16 << 10))) << "the other half is there";
    EXPECT_EQ(pool.in_use(), (48U << 10) + BlockPool::kMinBlock);
}

TEST(ByteRing, RefusesSizesThatNoBlockHas) {
    BlockPool pool(u64{8} << 30);
    ByteRing ring(pool);
    const auto one = count_up(1);
    EXPECT_FALSE(ring.write_ahead(BlockPool::kMaxBlock, one));
    EXPECT_FALSE(ring.write_ahead(0xffffffff, one)) << "the end is past 2^32";
    ASSERT_TRUE(ring.append(one));
    EXPECT_FALSE(ring.write_ahead(0xfffffffe, one));
    EXPECT_EQ(readable(ring), one);
}

TEST(ByteRing, MovesWithItsMemory) {
    BlockPool pool(kPlenty);
    ByteRing ring(pool);
    ASSERT_TRUE(ring.append(count_up(100)));
    const ByteRing moved(std::move(ring));
    EXPECT_EQ(readable(moved), count_up(100));
    EXPECT_EQ(ring.size(), 0U);  // NOLINT: what is left behind is promised
    EXPECT_EQ(ring.capacity(), 0U);
    ASSERT_TRUE(ring.append(count_up(1)));
    EXPECT_EQ(readable(moved), count_up(100));
}

TEST(BlockPool, IdleBlocksDoNotCountAgainstTheCeiling) {
    BlockPool pool(64 << 10);
    {
        ByteRing ring(pool);
        for (int i = 0; i < 16; ++i) ASSERT_TRUE(ring.append(count_up(1024)));
    }
    EXPECT_EQ(pool.in_use(), 0U);
    EXPECT_EQ(pool.allocated(), 4096U + 8192 + 16384);
    u8* block = pool.take(64 << 10);
    ASSERT_NE(block, nullptr);
    EXPECT_EQ(pool.allocated(), u64{64} << 10);
    EXPECT_EQ(pool.take(4096), nullptr);
    pool.give_back(block, 64 << 10);
    block = pool.take(4096);
    EXPECT_NE(block, nullptr);
    pool.give_back(block, 4096);
}

TEST(BlockPool, LetsTheRestOfABurstGo) {
    BlockPool pool(u64{1} << 30);
    std::vector<u8*> blocks;
    blocks.reserve(8);
    constexpr u32 kSize = 16U << 20;
    for (int i = 0; i < 8; ++i) blocks.push_back(pool.take(kSize));
    for (u8* block : blocks) {
        ASSERT_NE(block, nullptr);
        pool.give_back(block, kSize);
    }
    EXPECT_EQ(pool.in_use(), 0U);
    EXPECT_LE(pool.allocated(), u64{64} << 20);
    EXPECT_GT(pool.allocated(), 0U);
}

/// The ring beside a deque of bytes, each of which is there or a hole.
class ModelRun {
public:
    explicit ModelRun(u64 seed) : rng_(seed) {}

    void run(int steps) {
        for (int i = 0; i < steps && !testing::Test::HasFatalFailure(); ++i) {
            step();
            check();
        }
    }

private:
    static constexpr int kHole = -1;
    static constexpr u32 kLimit = 40000;

    void step() {
        switch (rng_.below(6)) {
            case 0:
            case 1:
                append();
                break;
            case 2:
                write_ahead();
                break;
            case 3:
                extend();
                break;
            case 4:
                discard();
                break;
            default:
                if (rng_.below(200) == 0) {
                    ring_.clear();
                    model_.clear();
                    ahead_ = size_ = 0;
                }
        }
    }

    std::vector<u8> fresh(u32 n) {
        std::vector<u8> bytes(n);
        std::generate(bytes.begin(), bytes.end(), [this] { return next_byte_++; });
        return bytes;
    }

    void put(u32 at, const std::vector<u8>& bytes) {
        if (model_.size() < at + bytes.size()) model_.resize(at + bytes.size(), kHole);
        std::copy(bytes.begin(), bytes.end(), model_.begin() + at);
    }

    void append() {
        const auto bytes = fresh(rng_.below(3000));
        if (size_ + bytes.size() > kLimit) return;
        ASSERT_TRUE(ring_.append(bytes));
        put(size_, bytes);
        size_ += static_cast<u32>(bytes.size());
        ahead_ = static_cast<u32>(model_.size()) - size_;
    }

    void write_ahead() {
        const u32 offset = rng_.below(5000);
        const auto bytes = fresh(1 + rng_.below(2000));
        if (size_ + offset + bytes.size() > kLimit) return;
        ASSERT_TRUE(ring_.write_ahead(offset, bytes));
        put(size_ + offset, bytes);
        ahead_ = static_cast<u32>(model_.size()) - size_;
    }

    /// Joins what has been laid down without a hole.
    void extend() {
        u32 n = 0;
        while (size_ + n < model_.size() && model_[size_ + n] != kHole) ++n;
        if (n == 0 && ahead_ > 0) {
            // Fill the hole from its front, as the missing segment does.
            const u32 gap = static_cast<u32>(std::find_if(model_.begin() + size_, model_.end(),
                                                          [](int byte) { return byte != kHole; }) -
                                             (model_.begin() + size_));
            const auto bytes = fresh(1 + rng_.below(gap));
            ASSERT_TRUE(ring_.write_ahead(0, bytes));
            put(size_, bytes);
            n = static_cast<u32>(bytes.size());
        }
        n = rng_.below(2) == 0 ? n : rng_.below(n + 1);
        ring_.extend(n);
        size_ += n;
        ahead_ = static_cast<u32>(model_.size()) - size_;
    }

    void discard() {
        const u32 n = rng_.below(2) == 0 ? size_ : rng_.below(size_ + 1);
        ring_.discard(n, ahead_ > 0);
        model_.erase(model_.begin(), model_.begin() + n);
        size_ -= n;
    }

    void check() {
        ASSERT_EQ(ring_.size(), size_);
        const u32 offset = rng_.below(size_ + 1);
        const u32 n = rng_.below(size_ - offset + 1);
        std::vector<u8> bytes(n);
        ASSERT_EQ(ring_.copy_out(offset, bytes), n);
        ASSERT_TRUE(std::equal(bytes.begin(), bytes.end(), model_.begin() + offset,
                               [](u8 byte, int model) { return byte == model; }));
        ASSERT_EQ(pool_.in_use(), ring_.capacity());
        ASSERT_LE(ring_.capacity(), 65536U) << "grows with what it holds only";
        if (model_.empty()) {
            ASSERT_EQ(ring_.capacity(), 0U);
        }
    }

    SeededRng rng_;
    BlockPool pool_{kPlenty};
    ByteRing ring_{pool_};
    std::deque<int> model_;
    u32 size_ = 0;
    u32 ahead_ = 0;
    u8 next_byte_ = 0;
};

TEST(ByteRing, BehavesLikeADequeWithHoles) {
    for (u64 seed = 1; seed <= 10; ++seed) {
        SCOPED_TRACE(seed);
        ModelRun(seed).run(2000);
    }
}

}  // namespace
}  // namespace tapestry
