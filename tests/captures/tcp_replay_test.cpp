// The stack in the place of one of the two Linux hosts in each capture of captures/, compared with what
// that host really sent. Every difference must have a name (see Leeway), and each conversation says which
// names it may have beside those of kAlways.

#include <gtest/gtest.h>

#include "tests/support/capture_compare.h"

using namespace tapestry;        // NOLINT
using namespace tapestry::test;  // NOLINT

namespace {

constexpr Ipv4Address kClient{192, 168, 3, 10};
constexpr Ipv4Address kServer{192, 168, 3, 1};
const std::set<Leeway> kAlways = {Leeway::SackNotOffered, Leeway::Push, Leeway::AckCoalesced};

std::string path_of(const std::string& name, Ipv4Address host) {
    return std::string(TEST_ROOT) + "/../captures/" + name +
           (host == kClient ? ".client.pcap" : ".server.pcap");
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

struct Case {
    const char* name;
    Ipv4Address host;
    TcpState state;      ///< at the end, before TIME-WAIT is over
    const char* ending;  ///< FINs and resets as they pass the host
    std::set<Leeway> rules{};
    std::set<std::string> drops{};  ///< names that may occur
    Errno error = Errno::None;
    ReplayOptions options{};
    bool reads_all = true;  ///< the application gets everything that the other side sent
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

TEST_P(TcpReplay, SendsWhatLinuxSent) {
    const Case& c = GetParam();
    ReplayOptions options = c.options;
    options.host = c.host;
    CaptureReplay replay(path_of(c.name, c.host), options);
    replay.run();
    const Comparison result = compare(replay);

    std::set<Leeway> allowed = kAlways;
    allowed.insert(c.rules.begin(), c.rules.end());
    EXPECT_EQ(result.unexplained(allowed), "");
    EXPECT_EQ(joined(replay.refused_calls()), "");
    EXPECT_EQ(replay.never_fed(), 0U);
    EXPECT_EQ(joined(result.ending), c.ending);
    if (!c.rules.contains(Leeway::ResetAtDeath)) {
        EXPECT_EQ(joined(result.recorded_ending), c.ending);
    }
    EXPECT_EQ(name(replay.state()), name(c.state));
    EXPECT_EQ(name(replay.error()), name(c.error));
    for (const auto& [drop, count] : replay.drops()) {
        EXPECT_TRUE(c.drops.contains(drop)) << count << " times " << drop;
    }
    if (c.reads_all) {
        EXPECT_EQ(replay.read(), stream_of(replay.theirs(), replay.their_isn()))
            << "what the application has read";
    }
    if (HasFailure()) std::printf("%s", result.history.c_str());
}

ReplayOptions keep_alive() {
    ReplayOptions options;
    options.socket.keep_alive = true;
    options.socket.keep_idle = 1s;
    options.socket.keep_interval = 1s;
    options.socket.keep_count = 3;
    options.resets = ReplayOptions::Resets::Stack;
    return options;
}

ReplayOptions unread() {
    ReplayOptions options;
    options.reads = ReplayOptions::Reads::Never;
    return options;
}

ReplayOptions ahead() {
    ReplayOptions options;
    options.writes = ReplayOptions::Writes::Ahead;
    return options;
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
        Case{"refused", kClient, TcpState::Closed, "them RST", {}, {}, Errno::ConnectionRefused},
        Case{"refused", kServer, TcpState::Closed, "us RST", {}, {"TcpNoConnection"}},
        Case{"half-close-client", kClient, TcpState::TimeWait, kWeFirst},
        Case{"half-close-client", kServer, TcpState::Closed, kTheyFirst},
        Case{"half-close-server", kClient, TcpState::Closed, kTheyFirst},
        Case{"half-close-server", kServer, TcpState::TimeWait, kWeFirst},
        Case{"linger-reset", kClient, TcpState::Closed, "us RST"},
        Case{"linger-reset", kServer, TcpState::Closed, "them RST", {}, {}, Errno::ConnectionReset},
        Case{"unread-reset",
             kClient,
             TcpState::Closed,
             "us RST",
             {},
             {},
             Errno::None,
             unread(),
             false},
        Case{"unread-reset", kServer, TcpState::Closed, "them RST", {}, {}, Errno::ConnectionReset},
        // Linux answers as if the connection were gone: RST with SEG.ACK and no ACK.
        Case{"data-after-close",
             kClient,
             TcpState::Closed,
             "us FIN, us RST",
             {Leeway::ResetForm},
             {"TcpDataAfterClose"},
             Errno::None,
             {},
             false},
        // The reset comes after the client's FIN, when the server has read to the end of the stream.
        Case{"data-after-close",
             kServer,
             TcpState::Closed,
             "them FIN, them RST",
             {},
             {},
             Errno::BrokenPipe},
        Case{"simultaneous-close", kClient, TcpState::TimeWait, kWeFirst},
        Case{"simultaneous-close", kServer, TcpState::TimeWait, kWeFirst},
        // Linux acknowledges the SYN,ACK, whose SYN it has seen already; figure 7 of RFC 9293 has no
        // such segment.
        Case{"simultaneous-open", kClient, TcpState::TimeWait, kWeFirst, {Leeway::WindowUpdate}},
        Case{"simultaneous-open", kServer, TcpState::Closed, kTheyFirst, {Leeway::WindowUpdate}}),
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
        Case{
            "keep-alive", kClient, TcpState::TimeWait, kWeFirst, {}, {}, Errno::None, keep_alive()},
        Case{"keep-alive", kServer, TcpState::Closed, kTheyFirst, {}, {"TcpOutOfWindow"}},
        Case{"keep-alive-dead",
             kClient,
             TcpState::Closed,
             "",
             {Leeway::ResetAtDeath},
             {},
             Errno::TimedOut,
             keep_alive()},
        Case{"keep-alive-dead", kServer, TcpState::Established, ""},
        Case{"syn-lost", kClient, TcpState::TimeWait, kWeFirst},
        Case{"syn-lost", kServer, TcpState::Closed, kTheyFirst},
        // Both repeat at about the same time, so that a second SYN or SYN,ACK comes late.
        Case{"syn-ack-lost", kClient, TcpState::TimeWait, kWeFirst, {}, {"TcpOutOfWindow"}},
        // ... and then our initial window is one segment (RFC 5681 3.1), whatever Linux thinks.
        Case{"syn-ack-lost",
             kServer,
             TcpState::Closed,
             kTheyFirst,
             {Leeway::Recovery, Leeway::SentLater},
             {"TcpOutOfWindow"}},
        Case{"request-lost", kClient, TcpState::TimeWait, kWeFirst},
        Case{"request-lost", kServer, TcpState::Closed, kTheyFirst},
        Case{"fin-lost", kClient, TcpState::TimeWait, kWeFirst},
        Case{"fin-lost", kServer, TcpState::Closed, kTheyFirst},
        Case{"last-ack-lost", kClient, TcpState::TimeWait, kWeFirst, {}, {"TcpOutOfWindow"}},
        Case{"last-ack-lost", kServer, TcpState::Closed, kTheyFirst}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Bulk, TcpReplay,
    testing::Values(
        Case{"bulk", kClient, TcpState::Closed, kTheyFirst},
        Case{"bulk", kServer, TcpState::TimeWait, kWeFirst},
        // In recovery Linux's window follows RFC 6937, ours RFC 6582: new data may leave later.
        Case{"fast-retransmit", kClient, TcpState::Closed, kTheyFirst},
        Case{"fast-retransmit", kServer, TcpState::TimeWait, kWeFirst, {Leeway::SentLater}},
        Case{"two-lost", kClient, TcpState::Closed, kTheyFirst},
        Case{"two-lost", kServer, TcpState::TimeWait, kWeFirst, {Leeway::SentLater}},
        // With SACK Linux holds duplicate ACKs back and compresses them (RFC 5681 wants each).
        Case{"sack-recovery", kClient, TcpState::Closed, kTheyFirst, {Leeway::RepeatedAck}},
        Case{"sack-recovery",
             kServer,
             TcpState::TimeWait,
             kWeFirst,
             {Leeway::Recovery, Leeway::SentLater}},
        // A duplicate that we answer with one more ACK may find our window moved meanwhile.
        Case{"reordered",
             kClient,
             TcpState::Closed,
             kTheyFirst,
             {Leeway::WindowUpdate, Leeway::RepeatedAck},
             {"TcpOutOfWindow"}},
        // Linux sees from the echoed timestamps that nothing was lost, and takes its reduced window
        // back (RFC 3522, RFC 4015); NewReno goes on with its recovery (RFC 6582).
        Case{"reordered",
             kServer,
             TcpState::TimeWait,
             kWeFirst,
             {Leeway::Recovery, Leeway::SentLater, Leeway::Segmentation}},
        Case{"doubled",
             kClient,
             TcpState::Closed,
             kTheyFirst,
             {Leeway::WindowUpdate, Leeway::RepeatedAck},
             {"TcpOutOfWindow"}},
        Case{"doubled", kServer, TcpState::TimeWait, kWeFirst}),
    name_of);

// The server writes everything at once, so that our own congestion control decides when segments leave.
// Linux takes its ACKs in batches and so leaves a little later; the close is known when the last segment
// leaves, so that the FIN may ride on it; what was sent meanwhile decides what is a partial ACK.
const std::set<Leeway> kAhead = {Leeway::Segmentation, Leeway::SentEarlier, Leeway::SentLater,
                                 Leeway::Recovery};
INSTANTIATE_TEST_SUITE_P(
    BulkWrittenAhead, TcpReplay,
    testing::Values(
        Case{"bulk",
             kServer,
             TcpState::TimeWait,
             kWeFirst,
             {Leeway::Segmentation, Leeway::SentEarlier},
             {},
             Errno::None,
             ahead()},
        Case{"fast-retransmit",
             kServer,
             TcpState::TimeWait,
             kWeFirst,
             kAhead,
             {},
             Errno::None,
             ahead()},
        Case{"two-lost", kServer, TcpState::TimeWait, kWeFirst, kAhead, {}, Errno::None, ahead()},
        Case{"sack-recovery",
             kServer,
             TcpState::TimeWait,
             kWeFirst,
             kAhead,
             {},
             Errno::None,
             ahead()},
        Case{"doubled", kServer, TcpState::TimeWait, kWeFirst, kAhead, {}, Errno::None, ahead()}),
    name_of);

}  // namespace
