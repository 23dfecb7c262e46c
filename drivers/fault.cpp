#include "drivers/fault.h"

#include <algorithm>
#include <stdexcept>

#include "drivers/wire_frames.h"
#include "stack/wire/ethernet.h"

/// How it works. On the way out a frame that is to leave at once, unhurt, goes straight to the device.
/// Everything else is copied and held until its time. On the way in, when there is anything to do, all
/// that the device has is taken, cut into frames of the wire and held; what is due is handed up.

namespace tapestry {
namespace {

void check(const FaultConfig& config) {
    for (const double percent : {config.drop, config.duplicate, config.reorder, config.corrupt}) {
        if (!(percent >= 0 && percent <= 100)) {
            throw std::invalid_argument("a fault's percentage must be from 0 to 100");
        }
    }
    if (config.delay < Duration{} || config.reorder_by < Duration{}) {
        throw std::invalid_argument("a fault's delay must not be negative");
    }
}

/// Slots for what a Segmenter or a cut super-frame can give, whatever the MTU says.
std::size_t slot_size(const Device& inner) {
    constexpr std::size_t kOverhead = EthernetView::kHeaderSize + 4;
    return std::max(PacketPool::kFrameSlot,
                    PacketPool::kHeadroom + kOverhead + inner.capabilities().mtu);
}

void flip_bit(Packet& packet, u64 bit) {
    constexpr std::size_t kHeader = EthernetView::kHeaderSize;
    if (packet.size() <= kHeader) return;
    const MutableBytes bytes = packet.mutable_bytes().subspan(kHeader);
    const u64 at = bit % (u64{8} * bytes.size());
    bytes[at / 8] = static_cast<u8>(bytes[at / 8] ^ (1U << (at % 8)));
}

}  // namespace

Fault::Fault(Device& inner, Clock clock, u64 seed, const FaultConfig& out, const FaultConfig& in)
    : inner_(inner),
      clock_(std::move(clock)),
      pool_(slot_size(inner), kMaxHeld),
      out_(SeededRng(seed).next(), out),
      in_(~SeededRng(seed).next(), in) {
    check(out);
    check(in);
}

Fault::Fate Fault::Way::draw() {
    Fate fate;
    fate.drop = chance(config.drop);
    fate.duplicate = chance(config.duplicate);
    fate.reorder = chance(config.reorder);
    fate.corrupt = chance(config.corrupt);
    fate.bit = rng.next();
    return fate;
}

PortCapabilities Fault::capabilities() const {
    return {.mtu = inner_.capabilities().mtu, .max_super_frame = 0};
}

bool Fault::transmit(const Frame& frame) {
    if (!release_out()) return false;
    if (!out_.config.active()) return inner_.transmit(frame);
    if (frame.size() > pool_.slot_size() - PacketPool::kHeadroom) {
        ++out_.counters.overflowed;  // a super-frame, which we never offered to take
        return true;
    }
    // A frame that is not taken comes again: then it is the same frame, with the same fate.
    const SeededRng before = out_.rng;
    const Fate fate = out_.draw();
    if (!fate.drop && !send(frame, fate)) {
        out_.rng = before;
        return false;
    }
    ++out_.counters.seen;
    out_.counters.dropped += fate.drop ? 1 : 0;
    if (fate.drop) return true;
    out_.counters.reordered += fate.reorder ? 1 : 0;
    out_.counters.corrupted += fate.corrupt ? 1 : 0;
    if (fate.duplicate && send(frame, fate)) ++out_.counters.duplicated;
    return true;
}

bool Fault::send(const Frame& frame, const Fate& fate) {
    const TimePoint now = clock_();
    const Duration wait = out_.config.delay + (fate.reorder ? out_.config.reorder_by : Duration{});
    if (wait == Duration{} && !fate.corrupt) return inner_.transmit(frame);
    // The checksum is finished first: whoever did it later would make the damage good.
    const WireFrames wire(frame);
    if (!hold(out_, fate.corrupt ? wire.at(0) : frame, fate, now + wait)) return false;
    if (wait == Duration{}) release_out();
    return true;
}

/// Sends what is due. False when the device is full before all of it has left.
bool Fault::release_out() {
    stuck_ = false;
    while (!out_.held.empty() && out_.held.begin()->first <= clock_()) {
        const Packet& packet = out_.held.begin()->second;
        Frame frame(packet.bytes());
        frame.offload = packet.offload;
        if (!inner_.transmit(frame)) {
            stuck_ = true;
            retry_at_ = clock_() + kRetry;
            return false;
        }
        out_.held.erase(out_.held.begin());
    }
    return true;
}

bool Fault::hold(Way& way, const Frame& frame, const Fate& fate, TimePoint release) {
    if (frame.size() > pool_.slot_size() - PacketPool::kHeadroom) return false;
    Packet packet = pool_.take();
    if (!packet) return false;
    packet.resize(frame.size());
    frame.copy_to(packet.mutable_bytes().data());
    packet.offload = frame.offload;
    if (fate.corrupt) flip_bit(packet, fate.bit);
    way.held.emplace(release, std::move(packet));
    return true;
}

std::size_t Fault::receive(std::span<Packet> batch) {
    release_out();
    if (!in_.config.active() && in_.held.empty()) return inner_.receive(batch);
    while (const std::size_t n = inner_.receive(arrivals_)) {
        for (Packet& packet : std::span(arrivals_).first(n)) {
            admit(packet);
            packet = Packet();
        }
    }
    const TimePoint now = clock_();
    std::size_t n = 0;
    while (n < batch.size() && !in_.held.empty() && in_.held.begin()->first <= now) {
        batch[n++] = std::move(in_.held.begin()->second);
        in_.held.erase(in_.held.begin());
    }
    return n;
}

/// Decides over what the device has received, frame of the wire by frame of the wire.
void Fault::admit(const Packet& packet) {
    const WireFrames wire(packet);
    const TimePoint now = clock_();
    for (std::size_t i = 0; i < wire.count(); ++i) {
        const Fate fate = in_.draw();
        ++in_.counters.seen;
        if (fate.drop) {
            ++in_.counters.dropped;
            continue;
        }
        in_.counters.reordered += fate.reorder ? 1 : 0;
        in_.counters.corrupted += fate.corrupt ? 1 : 0;
        in_.counters.duplicated += fate.duplicate ? 1 : 0;
        const Duration wait =
            in_.config.delay + (fate.reorder ? in_.config.reorder_by : Duration{});
        for (int copies = fate.duplicate ? 2 : 1; copies > 0; --copies) {
            if (!hold(in_, wire.at(i), fate, now + wait)) ++in_.counters.overflowed;
        }
    }
}

std::optional<TimePoint> Fault::next_deadline() const {
    TimePoint next = inner_.next_deadline().value_or(kNever);
    if (!in_.held.empty()) next = std::min(next, in_.held.begin()->first);
    if (stuck_) {
        next = std::min(next, retry_at_);
    } else if (!out_.held.empty()) {
        next = std::min(next, out_.held.begin()->first);
    }
    if (next == kNever) return std::nullopt;
    return next;
}

}  // namespace tapestry
