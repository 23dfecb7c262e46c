#include "stack/buf/packet.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "stack/buf/pool.h"

namespace tapestry {
namespace {

std::vector<u8> content(const Packet& packet) {
    return {packet.bytes().begin(), packet.bytes().end()};
}

TEST(PacketPool, MakesSlotsWhenNeededAndUsesThemAgain) {
    PacketPool pool(256, 10);
    EXPECT_EQ(pool.allocated(), 0U);
    const u8* first = nullptr;
    {
        const Packet a = pool.take();
        const Packet b = pool.take();
        ASSERT_TRUE(a && b);
        first = b.bytes().data();
        EXPECT_EQ(pool.in_use(), 2U);
    }
    EXPECT_EQ(pool.in_use(), 0U);
    EXPECT_EQ(pool.allocated(), 2U);
    const Packet again = pool.take();
    EXPECT_EQ(pool.allocated(), 2U) << "used again";
    EXPECT_NE(first, nullptr);
}

TEST(PacketPool, TheCeilingGivesAFalseHandleAndNothingElse) {
    PacketPool pool(256, 2);
    const Packet a = pool.take();
    Packet b = pool.take();
    const Packet none = pool.take();
    EXPECT_FALSE(none);
    EXPECT_TRUE(none.bytes().empty());
    EXPECT_EQ(pool.in_use(), 2U);
    EXPECT_FALSE(pool.copy(std::array<u8, 1>{1}));
    b = Packet();
    EXPECT_EQ(pool.in_use(), 1U);
    EXPECT_TRUE(pool.copy(std::array<u8, 1>{1}));
}

TEST(PacketPool, CopiesWhatFits) {
    PacketPool pool(256, 2);
    const std::vector<u8> largest(256 - PacketPool::kHeadroom, 7);
    const Packet packet = pool.copy(largest);
    ASSERT_TRUE(packet);
    EXPECT_EQ(content(packet), largest);
    EXPECT_FALSE(pool.copy(std::vector<u8>(256 - PacketPool::kHeadroom + 1)));
    EXPECT_EQ(pool.in_use(), 1U) << "the slot that was too small is back";
}

TEST(Packet, PushTakesFromTheHeadroomAndPullGivesToIt) {
    PacketPool pool(256, 1);
    Packet packet = pool.copy(std::array<u8, 3>{1, 2, 3});
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet.headroom(), PacketPool::kHeadroom);
    u8* header = packet.push(2);
    ASSERT_NE(header, nullptr);
    header[0] = 8;
    header[1] = 9;
    EXPECT_EQ(content(packet), (std::vector<u8>{8, 9, 1, 2, 3}));
    EXPECT_EQ(packet.headroom(), PacketPool::kHeadroom - 2);
    packet.pull(4);
    EXPECT_EQ(content(packet), (std::vector<u8>{3}));
    packet.pull(100);
    EXPECT_EQ(packet.size(), 0U) << "at most all";
}

TEST(Packet, PushBeyondTheHeadroomChangesNothing) {
    PacketPool pool(256, 1);
    Packet packet = pool.copy(std::array<u8, 1>{1});
    EXPECT_EQ(packet.push(PacketPool::kHeadroom + 1), nullptr);
    EXPECT_EQ(content(packet), (std::vector<u8>{1}));
    EXPECT_NE(packet.push(PacketPool::kHeadroom), nullptr);
    EXPECT_EQ(packet.headroom(), 0U);
    EXPECT_EQ(packet.push(1), nullptr);
}

TEST(Packet, ResizeAndAssignKeepToTheRoom) {
    PacketPool pool(128, 1);
    Packet packet = pool.take();
    EXPECT_EQ(packet.size(), 0U);
    EXPECT_EQ(packet.room(), 64U);
    packet.resize(1000);
    EXPECT_EQ(packet.size(), 64U);
    EXPECT_TRUE(packet.assign(std::array<u8, 2>{5, 6}));
    EXPECT_FALSE(packet.assign(std::vector<u8>(65)));
    EXPECT_EQ(content(packet), (std::vector<u8>{5, 6}));
    EXPECT_TRUE(packet.assign({}));
    EXPECT_EQ(packet.size(), 0U);
}

TEST(Packet, MovesWithItsOffloadAndLeavesAFalseHandle) {
    PacketPool pool(256, 2);
    Packet a = pool.copy(std::array<u8, 1>{1});
    a.offload.gso_size = 1448;
    Packet b = std::move(a);
    EXPECT_FALSE(a);  // NOLINT: what is left behind is promised
    EXPECT_EQ(a.size(), 0U);
    EXPECT_EQ(content(b), (std::vector<u8>{1}));
    EXPECT_EQ(b.offload.gso_size, 1448);

    Packet c = pool.copy(std::array<u8, 1>{2});
    c = std::move(b);
    EXPECT_EQ(content(c), (std::vector<u8>{1}));
    EXPECT_EQ(pool.in_use(), 1U) << "the one that was written over is back";

    Packet& same = c;
    c = std::move(same);
    EXPECT_EQ(content(c), (std::vector<u8>{1})) << "onto itself";
    EXPECT_EQ(pool.in_use(), 1U);
}

TEST(Packet, AFalseHandleTakesEveryCall) {
    Packet packet;
    EXPECT_FALSE(packet);
    EXPECT_EQ(packet.push(1), nullptr);
    packet.pull(1);
    packet.resize(1);
    EXPECT_EQ(packet.size(), 0U);
    EXPECT_FALSE(packet.assign(std::array<u8, 1>{1}));
    EXPECT_TRUE(packet.assign({}));
    EXPECT_TRUE(packet.mutable_bytes().empty());
}

TEST(Packet, ANewOneHasNoOffloadOfTheLastUser) {
    PacketPool pool(256, 1);
    {
        Packet packet = pool.take();
        packet.offload.checksum = Offload::Checksum::Partial;
        packet.offload.gso = Offload::Gso::Tcp4;
    }
    EXPECT_EQ(pool.take().offload, Offload{});
}

}  // namespace
}  // namespace tapestry
