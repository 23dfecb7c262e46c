// The stack in the place of one of the two Linux hosts in each capture of captures/: its states, how the
// conversation ended, what the program got. What it sent frame by frame is in docs/replay-results.md.

#include <gtest/gtest.h>

#include "tests/support/replayed.h"

using namespace tapestry;        // NOLINT
using namespace tapestry::test;  // NOLINT

namespace {

constexpr Ipv4Address kClient{192, 168, 3, 10};
constexpr Ipv4Address kServer{192, 168, 3, 1};

struct Case {
    const char* name;
    Ipv4Address host;
    TcpState state;                 ///< at the end, before TIME-WAIT is over
    const char* ending;             ///< FINs and resets as they pass the host
    std::set<std::string> drops{};  ///< names that may occur
    Errno error = Errno::None;
    bool reads_all = true;  ///< the program gets everything that the other side sent
    bool write_ahead = false;
    bool dies_silently = false;  ///< Linux resets a connection that it gives up, we do not
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
    return out << c.name << (c.host == kClient ? " client" : " server");
}

std::string name_of(const testing::TestParamInfo<Case>& info) {
    std::string name =
        std::string(info.param.name) + (info.param.host == kClient ? "_client" : "_server");
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

class TcpReplay : public testing::TestWithParam<Case> {};

TEST_P(TcpReplay, EndsAsLinuxDid) {
    const Case& c = GetParam();
    PlayOptions options;
    options.write_ahead = c.write_ahead;
    options.afterwards = 5s;
    const char* side = c.host == kClient ? ".client" : ".server";
    Replayed replay(capture_path(std::string(c.name) + side), c.host, options);

    EXPECT_EQ(replay.diverged(), "");
    EXPECT_TRUE(replay.played().refused_calls.empty());
    EXPECT_EQ(replay.played().never_fed, 0U);
    EXPECT_EQ(replay.ending(), c.ending);
    if (!c.dies_silently) {
        EXPECT_EQ(replay.recorded_ending(), c.ending);
    }
    EXPECT_EQ(name(replay.played().state), name(c.state));
    EXPECT_EQ(name(replay.played().error), name(c.error));
    for (const auto& [drop, count] : replay.drops()) {
        EXPECT_TRUE(c.drops.contains(drop)) << count << " times " << drop;
    }
    if (c.reads_all) {
        EXPECT_EQ(replay.played().read,
                  stream_text(replay.script().theirs, replay.script().their_isn))
            << "what the program has read";
    }
    if (HasFailure()) std::printf("%s", replay.text().c_str());
}

constexpr const char* kTheyFirst = "them FIN, us FIN";
constexpr const char* kWeFirst = "us FIN, them FIN";

INSTANTIATE_TEST_SUITE_P(
    Programs, TcpReplay,
    testing::Values(Case{"http-get", kClient, TcpState::Closed, kTheyFirst},
                    Case{"http-get", kServer, TcpState::TimeWait, kWeFirst},
                    Case{"http-keep-alive", kClient, TcpState::TimeWait, kWeFirst},
                    Case{"http-keep-alive", kServer, TcpState::Closed, kTheyFirst},
                    Case{"server-closes-first", kClient, TcpState::Closed, kTheyFirst},
                    Case{"server-closes-first", kServer, TcpState::TimeWait, kWeFirst},
                    Case{"chat", kClient, TcpState::TimeWait, kWeFirst},
                    Case{"chat", kServer, TcpState::Closed, kTheyFirst}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Endings, TcpReplay,
    testing::Values(
        Case{"refused", kClient, TcpState::Closed, "them RST", {}, Errno::ConnectionRefused},
        Case{"refused", kServer, TcpState::Closed, "us RST", {"TcpNoConnection"}},
        Case{"half-close-client", kClient, TcpState::TimeWait, kWeFirst},
        Case{"half-close-client", kServer, TcpState::Closed, kTheyFirst},
        Case{"half-close-server", kClient, TcpState::Closed, kTheyFirst},
        Case{"half-close-server", kServer, TcpState::TimeWait, kWeFirst},
        Case{"linger-reset", kClient, TcpState::Closed, "us RST"},
        Case{"linger-reset", kServer, TcpState::Closed, "them RST", {}, Errno::ConnectionReset},
        Case{"unread-reset", kClient, TcpState::Closed, "us RST", {}, Errno::None, false},
        Case{"unread-reset", kServer, TcpState::Closed, "them RST", {}, Errno::ConnectionReset},
        // Linux answers as if the connection were gone: RST with SEG.ACK and no ACK.
        Case{"data-after-close",
             kClient,
             TcpState::Closed,
             "us FIN, us RST",
             {"TcpDataAfterClose"},
             Errno::None,
             false},
        // The reset comes after the client's FIN, when the server has read to the end of the stream.
        Case{"data-after-close",
             kServer,
             TcpState::Closed,
             "them FIN, them RST",
             {},
             Errno::BrokenPipe},
        Case{"simultaneous-close", kClient, TcpState::TimeWait, kWeFirst},
        Case{"simultaneous-close", kServer, TcpState::TimeWait, kWeFirst},
        // Linux acknowledges the SYN,ACK, whose SYN it has seen already; figure 7 of RFC 9293 has no
        // such segment.
        Case{"simultaneous-open", kClient, TcpState::TimeWait, kWeFirst},
        Case{"simultaneous-open", kServer, TcpState::Closed, kTheyFirst}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Options, TcpReplay,
    testing::Values(Case{"small-mss", kClient, TcpState::Closed, kTheyFirst},
                    Case{"small-mss", kServer, TcpState::TimeWait, kWeFirst},
                    Case{"no-timestamps", kClient, TcpState::TimeWait, kWeFirst},
                    Case{"no-timestamps", kServer, TcpState::Closed, kTheyFirst},
                    Case{"no-window-scaling", kClient, TcpState::TimeWait, kWeFirst},
                    Case{"no-window-scaling", kServer, TcpState::Closed, kTheyFirst},
                    Case{"bare", kClient, TcpState::TimeWait, kWeFirst},
                    Case{"bare", kServer, TcpState::Closed, kTheyFirst}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Timers, TcpReplay,
    testing::Values(
        Case{"keep-alive", kClient, TcpState::TimeWait, kWeFirst},
        Case{"keep-alive", kServer, TcpState::Closed, kTheyFirst, {"TcpOutOfWindow"}},
        Case{"keep-alive-dead",
             kClient,
             TcpState::Closed,
             "",
             {},
             Errno::TimedOut,
             true,
             false,
             true},
        Case{"keep-alive-dead", kServer, TcpState::Established, ""},
        Case{"syn-lost", kClient, TcpState::TimeWait, kWeFirst},
        Case{"syn-lost", kServer, TcpState::Closed, kTheyFirst},
        // Both repeat at about the same time, so that a second SYN or SYN,ACK comes late.
        Case{"syn-ack-lost", kClient, TcpState::TimeWait, kWeFirst, {"TcpOutOfWindow"}},
        // ... and then our initial window is one segment (RFC 5681 3.1), whatever Linux thinks.
        Case{"syn-ack-lost", kServer, TcpState::Closed, kTheyFirst, {"TcpOutOfWindow"}},
        Case{"request-lost", kClient, TcpState::TimeWait, kWeFirst},
        Case{"request-lost", kServer, TcpState::Closed, kTheyFirst},
        Case{"fin-lost", kClient, TcpState::TimeWait, kWeFirst},
        Case{"fin-lost", kServer, TcpState::Closed, kTheyFirst},
        Case{"last-ack-lost", kClient, TcpState::TimeWait, kWeFirst, {"TcpOutOfWindow"}},
        Case{"last-ack-lost", kServer, TcpState::Closed, kTheyFirst}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Bulk, TcpReplay,
    testing::Values(
        Case{"bulk", kClient, TcpState::Closed, kTheyFirst},
        Case{"bulk", kServer, TcpState::TimeWait, kWeFirst},
        // In recovery Linux's window follows RFC 6937, ours RFC 6582: new data may leave later.
        Case{"fast-retransmit", kClient, TcpState::Closed, kTheyFirst},
        Case{"fast-retransmit", kServer, TcpState::TimeWait, kWeFirst},
        Case{"two-lost", kClient, TcpState::Closed, kTheyFirst},
        Case{"two-lost", kServer, TcpState::TimeWait, kWeFirst},
        // With SACK Linux holds duplicate ACKs back and compresses them (RFC 5681 wants each).
        Case{"sack-recovery", kClient, TcpState::Closed, kTheyFirst},
        Case{"sack-recovery", kServer, TcpState::TimeWait, kWeFirst},
        // A duplicate that we answer with one more ACK may find our window moved meanwhile.
        Case{"reordered", kClient, TcpState::Closed, kTheyFirst, {"TcpOutOfWindow"}},
        // Linux sees from the echoed timestamps that nothing was lost, and takes its reduced window
        // back (RFC 3522, RFC 4015); NewReno goes on with its recovery (RFC 6582).
        Case{"reordered", kServer, TcpState::TimeWait, kWeFirst},
        Case{"doubled", kClient, TcpState::Closed, kTheyFirst, {"TcpOutOfWindow"}},
        Case{"doubled", kServer, TcpState::TimeWait, kWeFirst}),
    name_of);

// The server writes everything at once, so that our own congestion control decides when segments leave.
INSTANTIATE_TEST_SUITE_P(
    BulkWrittenAhead, TcpReplay,
    testing::Values(
        Case{"bulk", kServer, TcpState::TimeWait, kWeFirst, {}, Errno::None, true, true},
        Case{"fast-retransmit", kServer, TcpState::TimeWait, kWeFirst, {}, Errno::None, true, true},
        Case{"two-lost", kServer, TcpState::TimeWait, kWeFirst, {}, Errno::None, true, true},
        Case{"sack-recovery", kServer, TcpState::TimeWait, kWeFirst, {}, Errno::None, true, true},
        Case{"doubled", kServer, TcpState::TimeWait, kWeFirst, {}, Errno::None, true, true}),
    name_of);

}  // namespace
