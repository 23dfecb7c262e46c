#include <gtest/gtest.h>

#include <set>

#include "stack/trace/tcp_snapshot.h"
#include "stack/trace/verdict.h"
#include "tests/base/enumerators.h"

namespace tapestry {
namespace {

TEST(Verdict, NamesAreTheEnumeratorsInTheHeader) {
    const auto enumerators = enumerators_in("stack/trace/verdict.h", "Verdict");
    ASSERT_EQ(enumerators.size(), static_cast<std::size_t>(Verdict::kCount));
    for (std::size_t i = 0; i < enumerators.size(); ++i) {
        const Verdict verdict = static_cast<Verdict>(i);
        EXPECT_EQ(name(verdict), enumerators[i]);
        if (verdict == Verdict::None) continue;
        EXPECT_FALSE(text(verdict).empty()) << enumerators[i];
        EXPECT_TRUE(rfc(verdict).empty() || rfc(verdict).starts_with("RFC ")) << enumerators[i];
    }
}

// RFC 9293 section 3.3.2 spells them so.
TEST(TcpState, NamesAreTheRfcs) {
    EXPECT_EQ(name(TcpState::Closed), "CLOSED");
    EXPECT_EQ(name(TcpState::Listen), "LISTEN");
    EXPECT_EQ(name(TcpState::SynSent), "SYN-SENT");
    EXPECT_EQ(name(TcpState::SynReceived), "SYN-RECEIVED");
    EXPECT_EQ(name(TcpState::Established), "ESTABLISHED");
    EXPECT_EQ(name(TcpState::FinWait1), "FIN-WAIT-1");
    EXPECT_EQ(name(TcpState::FinWait2), "FIN-WAIT-2");
    EXPECT_EQ(name(TcpState::CloseWait), "CLOSE-WAIT");
    EXPECT_EQ(name(TcpState::Closing), "CLOSING");
    EXPECT_EQ(name(TcpState::LastAck), "LAST-ACK");
    EXPECT_EQ(name(TcpState::TimeWait), "TIME-WAIT");
}

TEST(TcpTimer, EveryTimerHasANameOfItsOwn) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < kTcpTimerCount; ++i) {
        EXPECT_TRUE(names.insert(name(static_cast<TcpTimer>(i))).second);
        EXPECT_FALSE(name(static_cast<TcpTimer>(i)).empty()) << i;
    }
}

TEST(TcpSnapshot, ANewOneHasAllTimersOff) {
    for (const TimePoint deadline : TcpSnapshot{}.deadlines) EXPECT_EQ(deadline, kNever);
}

}  // namespace
}  // namespace tapestry
