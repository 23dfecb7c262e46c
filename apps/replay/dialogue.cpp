#include "apps/replay/dialogue.h"

#include <algorithm>
#include <map>

#include "apps/failure.h"
#include "apps/inspect/observer.h"
#include "apps/replay/dialogue_damage.h"
#include "apps/replay/dialogue_streams.h"
#include "drivers/pcap_reader.h"

namespace tapestry {
namespace {

constexpr u8 kHandshake = 1 | 2;  ///< SYN and SYN-ACK in ObservedStream::completeness

/// Reads the file once. Of the streams that may still be the one that is looked for no more is kept
/// than has to be.
class DialogueReader {
public:
    DialogueReader(const std::string& file, std::optional<std::size_t> stream)
        : file_(file), wanted_(stream) {}

    Dialogue read() {
        read_all();
        const auto& streams = observer_.streams();
        if (streams.empty()) throw Failure(kUsage, "replay: " + file_ + " has no TCP stream");
        if (wanted_ && *wanted_ >= streams.size()) {
            throw Failure(kUsage, "replay: " + file_ + " has no stream " +
                                      std::to_string(*wanted_) + "; it has " +
                                      std::to_string(streams.size()) + ", counted from 0");
        }
        const auto chosen = wanted_ ? wanted_ : first_;
        if (!chosen) {
            throw Failure(kUsage, "replay: " + file_ +
                                      " has no TCP stream with a handshake and application bytes "
                                      "(--stream N takes one without a handshake)");
        }
        const std::string what = "replay: " + file_ + ": stream " + std::to_string(*chosen);
        DialogueStreams& kept = kept_[*chosen];
        const ObservedStream& shown = streams[*chosen];
        Dialogue dialogue;
        dialogue.stream = *chosen;
        dialogue.client = shown.end(Side::Client).endpoint;
        dialogue.server = shown.end(Side::Server).endpoint;
        dialogue.handshake = (shown.completeness & kHandshake) == kHandshake;
        dialogue.opened = shown.ack.value_or(shown.syn_ack.value_or(shown.first));
        kept.finish(dialogue, what);
        return dialogue;
    }

private:
    void read_all() {
        auto reader = PcapReader::open(file_);
        if (!reader) throw Failure(kUsage, "replay: " + reader.error().what);
        while (true) {
            const auto record = reader->next();
            if (!record) throw Failure(kUsage, "replay: " + record.error().what);
            if (!*record) return;
            const auto packet = network_packet((*record)->link, (*record)->bytes);
            if (!packet || packet->type != EtherType::Ipv4) continue;
            packet_ = packet->packet;
            observer_.packet((*record)->number, (*record)->time, packet->packet,
                             (*record)->original_size - packet->header_size);
        }
    }

    void take(const ObservedSegment& segment) {
        if (wanted_ ? segment.stream != *wanted_ : first_ && segment.stream > *first_) return;
        DialogueStreams& kept = kept_[segment.stream];
        kept.segment(segment, damaged_segment(packet_));
        if (wanted_ || !kept.has_bytes() || segment.stream == first_) return;
        const u8 seen = observer_.streams()[segment.stream].completeness;
        if ((seen & kHandshake) != kHandshake) return;
        first_ = segment.stream;
        kept_.erase(kept_.upper_bound(segment.stream), kept_.end());
    }

    const std::string& file_;
    std::optional<std::size_t> wanted_;
    std::optional<std::size_t> first_;  ///< with a handshake and bytes, so far
    std::map<std::size_t, DialogueStreams> kept_;
    Bytes packet_;
    Observer observer_{[this](const ObservedSegment& segment) { take(segment); }};
};

}  // namespace

const TurnPiece* Dialogue::piece_at(Side side, u64 offset) const {
    const auto& all = pieces_of(side);
    const auto behind = std::ranges::upper_bound(all, offset, {}, &TurnPiece::begin);
    if (behind == all.begin()) return all.empty() ? nullptr : &all.front();
    return &*std::prev(behind);
}

const TurnPiece* Dialogue::first_hole(Side side) const {
    const auto& all = pieces_of(side);
    const auto hole = std::ranges::find(all, false, &TurnPiece::known);
    return hole == all.end() ? nullptr : &*hole;
}

Dialogue read_dialogue(const std::string& file, std::optional<std::size_t> stream) {
    return DialogueReader(file, stream).read();
}

}  // namespace tapestry
