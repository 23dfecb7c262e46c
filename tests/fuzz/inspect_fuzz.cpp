#include "apps/inspect/capture_report.h"
#include "drivers/pcap_reader.h"
#include "tests/fuzz/fuzz_file.h"

/// Any bytes through all of `inspect`: the reader, the observer, the lines for people and the JSON.

using namespace tapestry;

extern "C" int LLVMFuzzerTestOneInput(const u8* data, std::size_t size) {
    static const test::FuzzFile file;
    file.set({data, size});
    auto reader = PcapReader::open(file.path());
    if (!reader) return 0;
    CaptureReport report(
        [](const std::string& line) {
            for (const char c : line) {
                if (static_cast<unsigned char>(c) < ' ') std::abort();  // a terminal would obey it
            }
        },
        Paint(false));
    const std::vector<ObservedStream>* streams = nullptr;
    std::vector<ObservedSegment> segments;
    Observer observer([&](const ObservedSegment& segment) {
        segments.push_back(segment);
        report.segment(segment, (*streams)[segment.stream]);
    });
    streams = &observer.streams();
    while (true) {
        const auto record = reader->next();
        if (!record || !*record) break;
        const auto packet = network_packet((*record)->link, (*record)->bytes);
        if (!packet || packet->type != EtherType::Ipv4) continue;
        observer.packet((*record)->number, (*record)->time, packet->packet,
                        (*record)->original_size - packet->header_size);
    }
    for (const ObservedStream& stream : *streams) report.summary(stream);
    if (capture_json("x", 0, 0, *streams, segments, TimePoint{}).empty()) std::abort();
    return 0;
}
