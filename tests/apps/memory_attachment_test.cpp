#include <gtest/gtest.h>

#include "apps/attachment.h"
#include "apps/failure.h"
#include "apps/http/client.h"
#include "apps/inspect/ladder.h"
#include "apps/inspect/timeline_index.h"
#include "apps/inspect/timeline_live.h"
#include "apps/inspect/trace_tee.h"
#include "drivers/pcap_reader.h"
#include "drivers/peer_http.h"
#include "stack/wire/ethernet.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/segment.h"
#include "tests/support/temp_dir.h"

namespace tapestry {
namespace {

/// What --net memory gives for one URL.
struct Fetched {
    std::string body;
    std::vector<std::string> ladder;
    Duration time{};
    int failure = 0;
};

Fetched fetch(const NetOptions& options, const std::string& target, u16 port = 80) {
    Fetched result;
    Ladder ladder([&](const std::string& line) { result.ladder.push_back(line); }, Paint(false));
    {
        const auto net = attach(options, &ladder);
        HttpClient client(net->runner());
        HttpRequest request;
        request.url = {"192.168.3.1", port, target};
        request.deadline = net->now() + 600s;
        HttpListener listener;
        listener.body = [&](Bytes bytes) {
            result.body.append(bytes.begin(), bytes.end());
            return true;
        };
        try {
            client.fetch(request, listener);
            client.close();
        } catch (const Failure& failure) {
            result.failure = failure.status();
        }
        result.time = net->now() - TimePoint{};
    }
    ladder.finish();
    return result;
}

NetOptions in_memory() {
    NetOptions options;
    options.kind = NetOptions::Kind::Memory;
    return options;
}

TEST(MemoryAttachment, HasTheSamePeerAsTheSandbox) {
    EXPECT_NE(fetch(in_memory(), "/").body.find("<html"), std::string::npos);
    EXPECT_EQ(fetch(in_memory(), "/1M.bin").body, peer_megabyte());
    EXPECT_EQ(fetch(in_memory(), "/", 81).failure, 7);
}

TEST(MemoryAttachment, SlowIsSlowInVirtualTime) {
    const Fetched slow = fetch(in_memory(), "/slow");
    EXPECT_GT(slow.time, 2s);
    EXPECT_LT(slow.time, 3s);
}

TEST(MemoryAttachment, ABadCableLosesTimeAndNothingElse) {
    NetOptions options = in_memory();
    options.fault.drop = 3;
    options.fault.duplicate = 2;
    options.fault.reorder = 2;
    options.fault.corrupt = 1;
    options.fault.delay = 1ms;
    EXPECT_EQ(fetch(options, "/1M.bin").body, peer_megabyte());
}

TEST(MemoryAttachment, TheSameSeedTheSameLadder) {
    NetOptions options = in_memory();
    options.fault.drop = 5;
    const auto first = fetch(options, "/1M.bin").ladder;
    EXPECT_EQ(first, fetch(options, "/1M.bin").ladder);
    options.seed = 2;
    EXPECT_NE(first, fetch(options, "/1M.bin").ladder);
}

TEST(MemoryAttachment, TheLadderOfAMegabyteFitsAScreenOrTwo) {
    const auto lines = fetch(in_memory(), "/1M.bin").ladder;
    EXPECT_LT(lines.size(), 60U);
    NetOptions options = in_memory();
    options.fault.drop = 5;
    const auto lossy = fetch(options, "/1M.bin").ladder;
    EXPECT_LT(lossy.size(), 500U);
    for (const auto* some : {&lines, &lossy}) {
        for (const std::string& line : *some) EXPECT_LE(line.size(), 120U) << line;
    }
}

TEST(MemoryAttachment, TheCaptureHasFramesOfTheWire) {
    const test::TempDir folder;
    NetOptions options = in_memory();
    options.pcap = folder.file("x.pcapng");
    fetch(options, "/1M.bin");
    auto reader = PcapReader::open(options.pcap);
    ASSERT_TRUE(reader);
    std::size_t segments = 0;
    while (true) {
        const auto record = reader->next();
        ASSERT_TRUE(record);
        if (!*record) break;
        EXPECT_LE((*record)->bytes.size(), 1514U);
        const auto ethernet = EthernetView::parse((*record)->bytes);
        ASSERT_TRUE(ethernet);
        if (ethernet->type() != EtherType::Ipv4) continue;
        const auto ip = Ipv4View::parse(ethernet->payload());
        ASSERT_TRUE(ip);
        // Checksums are checked here: none was left to a device that does not exist.
        ASSERT_TRUE(Segment::parse(ip->payload(), ip->source(), ip->destination()));
        ++segments;
    }
    EXPECT_GT(segments, 700U);
    options.pcap = folder.file("none/x.pcapng");
    EXPECT_THROW(attach(options, nullptr), Failure);
}

/// A fetch as `get --net memory --save` records it.
Timeline recorded(const NetOptions& options, const std::string& target) {
    TimelineLive live(Timeline::Source::Live, "http://192.168.3.1" + target, "192.168.3.10/24",
                      "192.168.3.1");
    TraceTee ears;
    ears.add(&live.ear());
    {
        const auto net = attach(options, &ears, {}, &live.peer_ear());
        HttpClient client(net->runner());
        HttpRequest request;
        request.url = {"192.168.3.1", 80, target};
        request.deadline = net->now() + 600s;
        client.fetch(request, {});
        client.close();
    }
    return live.finish();
}

TEST(MemoryAttachment, BothEndsAreRecorded) {
    const Timeline timeline = recorded(in_memory(), "/");
    ASSERT_EQ(timeline.hosts.size(), 2U);
    EXPECT_TRUE(timeline.hosts[0].ours && timeline.hosts[1].ours);
    ASSERT_EQ(timeline.ends.size(), 2U);
    EXPECT_EQ(timeline.ends[0].peer, 1U);
    EXPECT_EQ(timeline.ends[1].peer, 0U);
    const TimelineIndex index(timeline);
    std::set<std::string> verdicts;
    for (u32 i = 0; i < timeline.steps.size(); ++i) {
        const Timeline::Step& step = timeline.steps[i];
        if (step.end == 1) verdicts.insert(std::string(name(step.verdict)));
        if (step.frame == Timeline::kNone) continue;
        const Timeline::Frame& frame = timeline.frames[step.frame];
        EXPECT_TRUE(frame.sent) << "what the one gets the other has sent";
        if (frame.arrived) {
            EXPECT_GT(*frame.arrived, *frame.sent);
        }
        EXPECT_EQ(frame.lost, "");
    }
    EXPECT_TRUE(verdicts.contains("ListenSyn") && verdicts.contains("FinReceived"));
    EXPECT_NE(index.state(0, static_cast<u32>(timeline.steps.size() - 1)), nullptr);
    EXPECT_NE(index.state(1, static_cast<u32>(timeline.steps.size() - 1)), nullptr);
}

TEST(MemoryAttachment, WhatABadCableLosesIsLostInTheRecord) {
    NetOptions options = in_memory();
    options.fault.drop = 5;
    const Timeline timeline = recorded(options, "/1M.bin");
    u32 lost = 0;
    u32 again = 0;
    for (u32 i = 0; i < timeline.steps.size(); ++i) {
        const Timeline::Step& step = timeline.steps[i];
        if (step.cause != Timeline::kNone) {
            EXPECT_LT(step.cause, i);
        }
        if (step.frame == Timeline::kNone) continue;
        const Timeline::Frame& frame = timeline.frames[step.frame];
        if (step.kind == Timeline::Step::Kind::Lost) {
            ++lost;
            EXPECT_FALSE(frame.arrived);
            EXPECT_EQ(frame.lost, "lost on the way");
        }
        if (step.kind == Timeline::Step::Kind::Received) {
            EXPECT_TRUE(frame.sent);
        }
        if (step.kind == Timeline::Step::Kind::Sent && frame.again != Timeline::kNone) ++again;
    }
    EXPECT_GT(lost, 20U);
    EXPECT_GT(again, 20U);
}

}  // namespace
}  // namespace tapestry
