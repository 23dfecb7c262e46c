#include <gtest/gtest.h>

#include "apps/attachment.h"
#include "apps/failure.h"
#include "apps/http/client.h"
#include "apps/inspect/ladder.h"
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

}  // namespace
}  // namespace tapestry
