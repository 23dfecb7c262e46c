#include <set>

#include "apps/failure.h"
#include "apps/replay/replay_report.h"
#include "tests/fuzz/fuzz_file.h"

/// Any bytes through all of `replay`: the recording, the stack in the place of its first two hosts, the
/// comparison, the lines and the JSON.

using namespace tapestry;

namespace {

std::set<Ipv4Address> first_hosts(const std::string& path) {
    std::set<Ipv4Address> hosts;
    auto reader = PcapReader::open(path);
    while (reader && hosts.size() < 2) {
        const auto record = reader->next();
        if (!record || !*record) break;
        const auto packet = network_packet((*record)->link, (*record)->bytes);
        if (!packet || packet->type != EtherType::Ipv4) continue;
        const auto ip = Ipv4View::parse_quoted(packet->packet);
        if (ip) hosts.insert(ip->source());
    }
    return hosts;
}

void replay(const std::string& path, Ipv4Address host) {
    const Recording recording(path, host);
    Stage stage(recording, {});
    stage.run();
    const ReplayResult result = compare_all(recording, stage, LeewaySet(), std::nullopt);
    std::size_t lines = 0;
    print_replay(result, true, Paint(false), [&](const std::string&) { ++lines; });
    if (lines == 0 || replay_json(result).empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8* data, std::size_t size) {
    static const test::FuzzFile file;
    file.set({data, size});
    for (const Ipv4Address host : first_hosts(file.path())) {
        try {
            replay(file.path(), host);
        } catch (const Failure&) {
            continue;  // a refusal with its reason
        }
    }
    return 0;
}
