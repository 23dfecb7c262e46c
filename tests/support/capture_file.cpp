#include "tests/support/capture_file.h"

#include <stdexcept>

#include "drivers/pcap_reader.h"
#include "stack/wire/ipv4.h"

namespace tapestry::test {

std::vector<CapturedFrame> read_capture(const std::string& path) {
    auto reader = PcapReader::open(path);
    if (!reader) throw std::runtime_error(reader.error().what);
    std::vector<CapturedFrame> frames;
    for (;;) {
        const auto record = reader->next();
        if (!record) throw std::runtime_error(record.error().what);
        if (!*record) return frames;
        const PcapRecord& r = **record;
        frames.push_back({r.number, r.time, {r.bytes.begin(), r.bytes.end()}});
    }
}

std::optional<Segment> segment_of(Bytes frame) {
    const auto ethernet = EthernetView::parse(frame);
    if (!ethernet || ethernet->type() != EtherType::Ipv4) return std::nullopt;
    const auto ip = Ipv4View::parse(ethernet->payload());
    if (!ip || ip->protocol() != IpProtocol::Tcp || ip->is_fragment()) return std::nullopt;
    const auto segment = Segment::parse(ip->payload(), ip->source(), ip->destination());
    if (!segment) return std::nullopt;
    return *segment;
}

std::vector<TimedSegment> segments_of(const std::vector<CapturedFrame>& frames) {
    std::vector<TimedSegment> segments;
    for (const CapturedFrame& frame : frames) {
        if (const auto segment = segment_of(frame.bytes)) {
            segments.push_back({frame.number, frame.time, *segment, frame.bytes});
        }
    }
    return segments;
}

}  // namespace tapestry::test
