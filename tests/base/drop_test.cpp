#include "stack/base/drop.h"

#include <gtest/gtest.h>

#include <set>

#include "stack/base/counters.h"
#include "tests/base/enumerators.h"

namespace tapestry {
namespace {

TEST(Drop, NamesAreTheEnumeratorsInTheHeader) {
    const auto enumerators = enumerators_in("stack/base/drop.h", "Drop");
    ASSERT_EQ(enumerators.size(), kDropCount);
    for (std::size_t i = 0; i < kDropCount; ++i) {
        EXPECT_EQ(name(static_cast<Drop>(i)), enumerators[i]);
    }
}

TEST(Drop, EveryReasonHasATextOfItsOwnAndAPointerIfAny) {
    std::set<std::string_view> texts;
    for (std::size_t i = 0; i < kDropCount; ++i) {
        const Drop drop = static_cast<Drop>(i);
        EXPECT_FALSE(text(drop).empty()) << name(drop);
        EXPECT_TRUE(texts.insert(text(drop)).second) << text(drop);
        EXPECT_TRUE(rfc(drop).empty() || rfc(drop).starts_with("RFC ")) << name(drop);
    }
}

TEST(Counters, CountEachReasonByItself) {
    Counters counters;
    counters.count(Drop::TcpPaws);
    counters.count(Drop::TcpPaws);
    counters.count(Drop::EthernetShort);
    EXPECT_EQ(counters.of(Drop::TcpPaws), 2U);
    EXPECT_EQ(counters.of(Drop::EthernetShort), 1U);
    EXPECT_EQ(counters.of(Drop::OffloadInvalid), 0U);
    u64 sum = 0;
    for (const u64 count : counters.drops) sum += count;
    EXPECT_EQ(sum, 3U);
}

}  // namespace
}  // namespace tapestry
