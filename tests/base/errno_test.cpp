#include "stack/base/errno.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/base/enumerators.h"

namespace tapestry {
namespace {

TEST(Errno, EveryErrorHasANameAndATextOfItsOwn) {
    const auto enumerators = enumerators_in("stack/base/errno.h", "Errno");
    ASSERT_EQ(enumerators.size(), static_cast<std::size_t>(Errno::AccessDenied) + 1);
    std::set<std::string_view> names;
    std::set<std::string_view> texts;
    for (std::size_t i = 1; i < enumerators.size(); ++i) {
        const Errno e = static_cast<Errno>(i);
        EXPECT_TRUE(name(e).starts_with("E")) << enumerators[i];
        EXPECT_TRUE(names.insert(name(e)).second) << name(e);
        EXPECT_TRUE(texts.insert(text(e)).second) << text(e);
    }
}

TEST(Errno, TheNamesThatEverybodyKnows) {
    EXPECT_EQ(name(Errno::None), "0");
    EXPECT_EQ(name(Errno::Again), "EAGAIN");
    EXPECT_EQ(name(Errno::ConnectionRefused), "ECONNREFUSED");
    EXPECT_EQ(name(Errno::TimedOut), "ETIMEDOUT");
    EXPECT_EQ(name(Errno::AccessDenied), "EACCES");
    EXPECT_EQ(text(Errno::ConnectionReset), "connection reset by peer");
}

}  // namespace
}  // namespace tapestry
