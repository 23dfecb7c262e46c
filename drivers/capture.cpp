#include "drivers/capture.h"

#include "drivers/wire_frames.h"

namespace tapestry {
namespace {

void write(PcapngWriter& writer, const WireFrames& wire, const PcapngWriter::FrameInfo& info) {
    for (std::size_t i = 0; i < wire.count(); ++i) writer.write(wire.at(i), info);
}

}  // namespace

Capture::Capture(Device& inner, PcapngWriter& writer, u32 interface, Clock stamp, Clock idle)
    : inner_(inner),
      writer_(writer),
      interface_(interface),
      stamp_(std::move(stamp)),
      flush_(std::move(idle)) {}

bool Capture::transmit(const Frame& frame) {
    if (!inner_.transmit(frame)) return false;
    if (writer_.failure()) return true;
    write(writer_, WireFrames(frame), {interface_, stamp_(), PcapngWriter::Way::Outbound});
    flush_.touch();
    return true;
}

std::size_t Capture::receive(std::span<Packet> batch) {
    const std::size_t n = inner_.receive(batch);
    if (writer_.failure()) return n;
    if (n == 0 || flush_.due()) {
        writer_.flush();
        flush_.done();
    }
    if (n == 0) return 0;
    flush_.touch();
    const PcapngWriter::FrameInfo info{interface_, stamp_(), PcapngWriter::Way::Inbound};
    for (const Packet& packet : batch.first(n)) write(writer_, WireFrames(packet), info);
    return n;
}

}  // namespace tapestry
