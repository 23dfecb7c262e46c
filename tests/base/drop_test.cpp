#include "stack/base/drop.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace tapestry {
namespace {

TEST(Drop, EveryReasonHasANameOfItsOwnAndAText) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < kDropCount; ++i) {
        const Drop drop = static_cast<Drop>(i);
        EXPECT_TRUE(names.insert(name(drop)).second) << name(drop);
        EXPECT_FALSE(text(drop).empty()) << name(drop);
        EXPECT_TRUE(rfc(drop).empty() || rfc(drop).starts_with("RFC ")) << name(drop);
    }
}

TEST(Drop, NamesAreTheEnumerators) {
    EXPECT_EQ(name(Drop::EthernetShort), "EthernetShort");
    EXPECT_EQ(name(Drop::Ipv4BadChecksum), "Ipv4BadChecksum");
    EXPECT_EQ(name(Drop::TcpPaws), "TcpPaws");
    EXPECT_EQ(name(Drop::OffloadInvalid), "OffloadInvalid");
}

}  // namespace
}  // namespace tapestry
