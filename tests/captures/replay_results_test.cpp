// Every capture replayed as each of its hosts, frame by frame: docs/replay-results.md is the
// table of what came of it, and this test fails when it is no longer true. replay_reasons.txt says why
// a frame diverges where one does.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "tests/support/replayed.h"

using namespace tapestry;        // NOLINT
using namespace tapestry::test;  // NOLINT

namespace {

namespace fs = std::filesystem;

const fs::path kRoot = fs::path(TEST_ROOT).parent_path();

std::vector<fs::path> captures() {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(kRoot / "captures")) {
        const std::string extension = entry.path().extension();
        if (extension == ".pcap" || extension == ".pcapng") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

/// Whoever sent IPv4 packets.
std::set<Ipv4Address> hosts_of(const fs::path& file) {
    std::set<Ipv4Address> hosts;
    auto reader = PcapReader::open(file);
    while (const auto record = reader->next()) {
        if (!*record) break;
        const auto packet = network_packet((*record)->link, (*record)->bytes);
        if (!packet || packet->type != EtherType::Ipv4) continue;
        const auto ip = Ipv4View::parse_quoted(packet->packet);
        if (ip && ip->source().is_unicast()) hosts.insert(ip->source());
    }
    return hosts;
}

/// "FILE HOST" and the reason above it.
std::map<std::string, std::string> read_reasons() {
    std::map<std::string, std::string> reasons;
    std::ifstream in(kRoot / "tests/captures/replay_reasons.txt");
    std::string line;
    std::string reason;
    bool gathering = false;
    while (std::getline(in, line)) {
        if (line.starts_with("# ")) {
            reason = gathering ? reason + " " + line.substr(2) : line.substr(2);
            gathering = true;
            continue;
        }
        gathering = false;
        if (!line.empty()) reasons[line] = reason;
    }
    return reasons;
}

std::string rules_of(const CompareSum& sum) {
    std::string text;
    for (std::size_t i = 0; i < sum.rules.size(); ++i) {
        if (sum.rules[i] == 0) continue;
        text += (text.empty() ? "" : ", ") + std::string(name(static_cast<Leeway>(i))) + " " +
                std::to_string(sum.rules[i]);
    }
    return text;
}

constexpr const char* kHead =
    "# What the stack says in the place of recorded hosts\n\n"
    "Every capture of [captures](../captures/README.md), replayed as each of its hosts that speaks "
    "TCP\n"
    "(`tapestry replay FILE --as HOST`): frames that the host sent, frames that the stack sent, "
    "and how\n"
    "many are equal, equal but for coalescing or segmentation (recut), allowed to differ by a "
    "named rule\n"
    "(`tapestry replay --rules`), or diverged. [replay.md](replay.md) explains the words. "
    "`NAME.client`\n"
    "was recorded at the client, `NAME.server` at the server: played from the other end, frames "
    "that the\n"
    "wire lost are wrong in both directions, which is the reason of most divergences.\n\n"
    "`make test` makes this page anew, and fails when it is not the same.\n\n"
    "| capture | host | recorded | sent | equal | recut | allowed | diverged | rules |\n"
    "|---|---|---|---|---|---|---|---|---|\n";

std::string table_row(const std::string& file, Ipv4Address host, const CompareSum& sum) {
    std::ostringstream row;
    row << "| `" << file << "` | " << host.to_string() << " | " << sum.recorded << " | "
        << sum.sent;
    for (const Match match : {Match::Equal, Match::Recut, Match::Allowed, Match::Diverged}) {
        row << " | " << sum.count(match);
    }
    row << " | " << rules_of(sum) << " |\n";
    return row.str();
}

TEST(ReplayResults, AreThoseOfTheTable) {
    const auto reasons = read_reasons();
    std::set<std::string> used;
    std::string page = kHead;
    CompareSum all;
    std::size_t replays = 0;
    std::map<std::string, std::vector<std::string>> explained;
    for (const fs::path& path : captures()) {
        for (const Ipv4Address host : hosts_of(path)) {
            const std::string file = path.filename();
            std::unique_ptr<Replayed> replay;
            try {
                replay = std::make_unique<Replayed>(path, host);
            } catch (const std::exception& error) {
                ADD_FAILURE() << file << " as " << host.to_string() << ": " << error.what();
                continue;
            }
            const CompareSum& sum = replay->result().sum;
            page += table_row(file, host, sum);
            all.add(sum);
            ++replays;
            if (sum.count(Match::Diverged) == 0) continue;
            const std::string key = file + " " + host.to_string();
            const auto reason = reasons.find(key);
            used.insert(key);
            if (reason == reasons.end()) {
                ADD_FAILURE()
                    << key << " diverges, and tests/captures/replay_reasons.txt does not say why:\n"
                    << replay->diverged();
                continue;
            }
            explained[reason->second].push_back("`" + file + "` as " + host.to_string());
        }
    }
    for (const auto& [key, reason] : reasons) {
        EXPECT_TRUE(used.contains(key))
            << key << " does not diverge; replay_reasons.txt says it does";
    }
    page += "\n" + std::to_string(replays) + " replays: " + std::to_string(all.recorded) +
            " frames recorded, " + std::to_string(all.sent) + " sent; " +
            std::to_string(all.count(Match::Equal)) + " equal, " +
            std::to_string(all.count(Match::Recut)) + " recut, " +
            std::to_string(all.count(Match::Allowed)) + " allowed, " +
            std::to_string(all.count(Match::Diverged)) + " diverged.\n\n## Why frames diverge\n";
    for (const auto& [reason, where] : explained) {
        page += "\n" + reason + "\n\n";
        for (const std::string& one : where) page += "- " + one + "\n";
    }
    std::ifstream in(kRoot / "docs/replay-results.md");
    const std::string written((std::istreambuf_iterator<char>(in)), {});
    if (written == page) return;
    const fs::path now = fs::current_path() / "replay-results.md";
    std::ofstream(now) << page;
    ADD_FAILURE() << "docs/replay-results.md is not what the replays give; that is now in " << now
                  << ": see `diff`, and copy it if the change is meant";
}

}  // namespace
