// Every frame of every capture through the reader and the parsers.

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <map>
#include <set>

#include "drivers/pcap_reader.h"
#include "stack/trace/notation.h"
#include "stack/wire/arp.h"
#include "stack/wire/ethernet.h"
#include "stack/wire/icmp.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/segment.h"
#include "stack/wire/udp.h"

using namespace tapestry;  // NOLINT

namespace {

namespace fs = std::filesystem;

/// What became of the frames of one or more files.
struct Tally {
    u64 files = 0;
    u64 frames = 0;
    std::map<std::string, u64> parsed;      ///< by protocol
    std::map<std::string, u64> refusals;    ///< by name
    std::map<std::string, u64> unreadable;  ///< files, by the reader's message

    void add(const Tally& other) {
        files += other.files;
        frames += other.frames;
        for (const auto& [key, n] : other.parsed) parsed[key] += n;
        for (const auto& [key, n] : other.refusals) refusals[key] += n;
        for (const auto& [key, n] : other.unreadable) unreadable[key] += n;
    }
    void print(const std::string& title) const {
        std::printf("%s: %llu files, %llu frames\n", title.c_str(),
                    static_cast<unsigned long long>(files),
                    static_cast<unsigned long long>(frames));
        const auto list = [](const char* what, const std::map<std::string, u64>& counts) {
            std::size_t lines = 0;
            for (const auto& [key, n] : counts) {
                if (++lines > 8) continue;
                std::printf("  %-8s %6llu %s\n", what, static_cast<unsigned long long>(n),
                            key.c_str());
            }
            if (lines > 8) std::printf("  %-8s %6zu other reasons\n", what, lines - 8);
        };
        list("parsed", parsed);
        list("refused", refusals);
        list("ended", unreadable);
    }
};

/// Touches every byte of a payload, so that a sanitizer sees a span that reaches too far.
u32 touch(Bytes bytes) {
    u32 sum = 0;
    for (const u8 b : bytes) sum += b;
    return sum;
}

std::expected<std::string, Drop> parse_transport(const Ipv4View& ip) {
    if (ip.is_fragment()) return "fragment";
    switch (ip.protocol()) {
        case IpProtocol::Icmp: {
            const auto icmp = IcmpView::parse(ip.payload());
            if (!icmp) return std::unexpected(icmp.error());
            if (!is_icmp_error(icmp->type())) return "ICMP";
            const auto quote = Ipv4View::parse_quoted(ip.payload().subspan(IcmpView::kHeaderSize));
            if (!quote) return std::unexpected(quote.error());
            touch(quote->payload());
            return "ICMP error";
        }
        case IpProtocol::Udp: {
            const auto udp = UdpView::parse(ip.payload(), ip.source(), ip.destination());
            if (!udp) return std::unexpected(udp.error());
            touch(udp->payload());
            return "UDP";
        }
        case IpProtocol::Tcp: {
            const auto segment = Segment::parse(ip.payload(), ip.source(), ip.destination());
            if (!segment) return std::unexpected(segment.error());
            touch(segment->payload);
            return "TCP";
        }
    }
    return "another IP protocol";
}

std::expected<std::string, Drop> parse_frame(LinkType link, Bytes frame) {
    const auto network = network_packet(link, frame);
    if (!network) return std::unexpected(network.error());
    if (network->type == EtherType::Arp) {
        const auto arp = ArpPacket::parse(network->packet);
        if (!arp) return std::unexpected(arp.error());
        return "ARP";
    }
    if (network->type != EtherType::Ipv4) return "another EtherType";
    const auto ip = Ipv4View::parse(network->packet);
    if (!ip) return std::unexpected(ip.error());
    return parse_transport(*ip);
}

/// The message without the path in front of it, which differs from machine to machine.
std::string reason(const PcapError& error, const std::string& path) {
    std::string text = error.what;
    if (const auto at = text.find(path); at != std::string::npos) {
        text.replace(at, path.size(), fs::path(path).filename().string());
    }
    return text;
}

Tally parse_file(const std::string& path) {
    Tally tally;
    tally.files = 1;
    auto reader = PcapReader::open(path);
    if (!reader) {
        EXPECT_FALSE(reader.error().what.empty());
        ++tally.unreadable[reason(reader.error(), path)];
        return tally;
    }
    for (;;) {
        const auto record = reader->next();
        if (!record) {
            EXPECT_FALSE(record.error().what.empty());
            ++tally.unreadable[reason(record.error(), path)];
            return tally;
        }
        if (!*record) return tally;
        ++tally.frames;
        // Out of a block of its own size, so that a sanitizer sees the first byte too many.
        const std::vector<u8> frame((*record)->bytes.begin(), (*record)->bytes.end());
        const auto what = parse_frame((*record)->link, frame);
        if (what) {
            ++tally.parsed[*what];
        } else {
            ++tally.refusals[std::string(name(what.error()))];
        }
        EXPECT_FALSE(describe_frame(frame, (*record)->original_size).empty());
    }
}

std::vector<fs::path> captures_in(const fs::path& folder) {
    std::vector<fs::path> paths;
    for (const auto& entry : fs::directory_iterator(folder)) {
        const std::string extension = entry.path().extension().string();
        if (extension == ".pcap" || extension == ".pcapng" || extension == ".snoop") {
            paths.push_back(entry.path());
        }
    }
    std::sort(paths.begin(), paths.end());
    return paths;
}

fs::path root() { return fs::path(TEST_ROOT).parent_path(); }

/// The captures whose frames are not clean, on purpose; the only refusal that each may have.
std::set<std::string> refusals_meant_in(const std::string& file) {
    if (file == "corrupted.client.pcap") return {"TcpBadChecksum"};
    if (file.starts_with("offloaded.")) return {"TcpBadChecksum"};    // still to be finished
    if (file.starts_with("snapped.")) return {"Ipv4BadTotalLength"};  // 96 bytes were kept
    return {};
}

std::set<std::string> names_of(const std::map<std::string, u64>& counts) {
    std::set<std::string> names;
    for (const auto& [name, n] : counts) names.insert(name);
    return names;
}

TEST(ParseCaptures, OurOwnAreCleanFrames) {
    Tally all;
    for (const fs::path& path : captures_in(root() / "captures")) {
        const Tally tally = parse_file(path.string());
        const std::string file = path.filename().string();
        EXPECT_GT(tally.frames, 0U) << file;
        EXPECT_EQ(names_of(tally.refusals), refusals_meant_in(file)) << file;
        EXPECT_TRUE(tally.unreadable.empty()) << file;
        all.add(tally);
    }
    all.print("captures");
    EXPECT_GE(all.files, 150U);
    EXPECT_EQ(all.parsed["another EtherType"], 0U);
    for (const char* protocol : {"TCP", "UDP", "ICMP", "ICMP error", "ARP", "fragment"}) {
        EXPECT_GT(all.parsed[protocol], 0U) << protocol;
    }
}

/// A collection of captures beside the project, which not every machine has.
class SharedCaptures : public testing::TestWithParam<const char*> {
protected:
    void SetUp() override {
        folder_ = root().parent_path() / "shared" / "captures" / GetParam();
        if (!fs::is_directory(folder_)) {
            GTEST_SKIP() << "there is no collection ../shared/captures/" << GetParam();
        }
    }
    Tally parse_all() {
        Tally all;
        for (const fs::path& path : captures_in(folder_)) all.add(parse_file(path.string()));
        all.print(GetParam());
        return all;
    }
    fs::path folder_;
};

TEST_P(SharedCaptures, EveryFrameIsParsedOrRefusedByName) {
    const Tally all = parse_all();
    EXPECT_GT(all.files, 0U);
    u64 accounted = 0;
    for (const auto& [what, n] : all.parsed) accounted += n;
    for (const auto& [drop, n] : all.refusals) accounted += n;
    EXPECT_EQ(accounted, all.frames);
    const bool broken_on_purpose = std::string_view(GetParam()) == "malformed";
    EXPECT_EQ(all.parsed.contains("TCP"), !broken_on_purpose);
}

INSTANTIATE_TEST_SUITE_P(Folders, SharedCaptures,
                         testing::Values("recorded", "public", "malformed"),
                         [](const auto& folder) { return std::string(folder.param); });

}  // namespace
