#include <gtest/gtest.h>

#include <clocale>
#include <cstdlib>

#include "apps/inspect/chinese_words.h"
#include "apps/inspect/language.h"

namespace tapestry::test {
namespace {

/// The environment's words for the locale; "": not set.
void set_locale(const char* all, const char* messages, const char* lang) {
    setenv("LC_ALL", all, 1);
    setenv("LC_MESSAGES", messages, 1);
    setenv("LC_CTYPE", "", 1);
    setenv("LANG", lang, 1);
    std::setlocale(LC_CTYPE, "C");
}

TEST(Language, FollowsTheFirstVariableThatIsSet) {
    set_locale("", "", "C.UTF-8");
    EXPECT_EQ(language_of(""), Language::English);
    EXPECT_EQ(language_of("zh"), Language::Chinese);
    set_locale("", "", "zh_CN.UTF-8");  // need not be installed here
    EXPECT_EQ(language_of(""), Language::Chinese);
    EXPECT_EQ(language_of("en"), Language::English);
    set_locale("", "en_US.UTF-8", "zh_CN.UTF-8");
    EXPECT_EQ(language_of(""), Language::English);
    set_locale("zh_TW.UTF-8", "en_US.UTF-8", "C");
    EXPECT_EQ(language_of(""), Language::Chinese);
}

TEST(Language, WithoutUtf8ThereIsOnlyEnglish) {
    set_locale("", "", "C");
    EXPECT_EQ(language_of("zh"), Language::English);
    set_locale("", "", "zh_CN.GB2312");
    EXPECT_EQ(language_of(""), Language::English);
    set_locale("", "", "C.UTF-8");
}

TEST(Language, ChineseLinesAreJoinedWithoutBlanks) {
    EXPECT_EQ(paragraph_of({"one", "two"}, Language::English), "one two");
    EXPECT_EQ(paragraph_of({"三次", "握手"}, Language::Chinese), "三次握手");
}

TEST(Language, TheRoleOfASegmentIsTold) {
    EXPECT_EQ(role_in("2 of 3 again", Language::Chinese), "握手 2/3，重传");
    EXPECT_EQ(role_in("again", Language::Chinese), "重传");
    EXPECT_EQ(role_in("2 of 3 again", Language::English), "2 of 3 again");
    EXPECT_EQ(role_in("3 x 1460", Language::Chinese), "3 x 1460");
}

}  // namespace
}  // namespace tapestry::test
