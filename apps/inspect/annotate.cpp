#include "apps/inspect/annotate.h"

#include <algorithm>
#include <map>

#include "apps/failure.h"
#include "apps/inspect/frame_comments.h"
#include "apps/inspect/timeline_json.h"
#include "drivers/pcap_reader.h"
#include "drivers/pcapng_copy.h"
#include "drivers/pcapng_writer.h"
#include "drivers/wire_frames.h"

namespace tapestry {
namespace {

using Out = std::function<void(const std::string&)>;
constexpr const char* kOption = "--annotate";

constexpr std::size_t kPiece = std::size_t{64} << 10;

void hand_over(PcapngWriter& writer, const Out& out) {
    const std::vector<u8> bytes = writer.take();
    out({bytes.begin(), bytes.end()});
}

/// Frames of a run, not of what a stack only talks of: a packet that it refused to send.
bool was_on_a_wire(const Timeline& timeline, const Timeline::Frame& frame) {
    if (timeline.source == Timeline::Source::Lab) return frame.sent.has_value();
    return frame.sent || frame.arrived;
}

/// Who is on a link: "laptop 192.168.3.10/24, router inside 192.168.3.1/24".
std::string people(const Timeline& timeline, u32 link) {
    std::string text;
    for (const Timeline::Host& host : timeline.hosts) {
        for (const Timeline::Interface& one : host.interfaces) {
            if (one.link != link) continue;
            text += (text.empty() ? "" : ", ") + host.name;
            if (host.interfaces.size() > 1) text += ' ' + one.name;
            text += ' ' + one.address;
        }
    }
    return text;
}

/// With its offload, if all of it was kept.
Frame whole(const Timeline::Frame& kept) {
    Frame frame{Bytes(kept.bytes)};
    if (kept.bytes.size() == kept.wire_size) frame.offload = kept.offload;
    return frame;
}

/// Writes the frames of one timeline.
class Annotator {
public:
    /// `link` kNone: of all links.
    explicit Annotator(const Timeline& timeline, u32 link = Timeline::kNone)
        : timeline_(timeline),
          link_(link),
          comments_(timeline, [this](u32 frame) { return numbers_[frame]; }) {
        u64 next = 1;
        for (const Timeline::Frame& frame : timeline.frames) {
            const bool here = link == Timeline::kNone || frame.link == link;
            numbers_.push_back(here && was_on_a_wire(timeline, frame) ? next : 0);
            if (numbers_.back() != 0) next += WireFrames(whole(frame)).count();
        }
    }

    void write(const Out& out) {
        add_interfaces();
        for (u32 i = 0; i < timeline_.frames.size(); ++i) {
            if (numbers_[i] == 0) continue;
            write_frame(i);
            if (writer_.bytes().size() > kPiece) hand_over(writer_, out);
        }
        hand_over(writer_, out);
    }

private:
    void add_interfaces() {
        if (link_ != Timeline::kNone) return add_ends();
        for (u32 i = 0; i < timeline_.links.size(); ++i) {
            writer_.add_interface(
                {.name = timeline_.links[i], .description = people(timeline_, i)});
        }
        if (!timeline_.links.empty()) return;
        const bool capture = timeline_.source == Timeline::Source::Capture;
        if (capture || timeline_.hosts.empty()) {
            writer_.add_interface({.description = timeline_.name});
            return;
        }
        for (const Timeline::Interface& one : timeline_.hosts[0].interfaces) {
            writer_.add_interface(
                {.name = one.name, .description = timeline_.hosts[0].name + ' ' + one.address});
        }
    }

    /// "laptop", "router.inside": who puts frames on the link.
    void add_ends() {
        for (u32 h = 0; h < timeline_.hosts.size(); ++h) {
            const Timeline::Host& host = timeline_.hosts[h];
            for (u32 i = 0; i < host.interfaces.size(); ++i) {
                if (host.interfaces[i].link != link_) continue;
                const std::string& side = host.interfaces[i].name;
                ends_[{h, i}] =
                    writer_.add_interface({.name = host.router ? host.name + '.' + side : host.name,
                                           .description = host.interfaces[i].address});
            }
        }
    }

    void write_frame(u32 index) {
        const Timeline::Frame& kept = timeline_.frames[index];
        PcapngWriter::FrameInfo info;
        info.time = timeline_.start + (kept.sent ? *kept.sent : *kept.arrived);
        if (link_ != Timeline::kNone) {
            info.interface = ends_.at({kept.from.host, kept.from.interface});
            info.way = PcapngWriter::Way::Outbound;
        } else if (!timeline_.links.empty()) {
            info.interface = kept.link;
        } else if (timeline_.source != Timeline::Source::Capture) {
            const bool ours = kept.from.host == 0;
            info.interface = ours ? kept.from.interface : kept.to.interface;
            info.way = ours ? PcapngWriter::Way::Outbound : PcapngWriter::Way::Inbound;
        }
        write_commented(writer_, kept, comments_.of(index), info);
    }

    const Timeline& timeline_;
    u32 link_;
    std::map<std::pair<u32, u32>, u32> ends_;  ///< the writer's interface of a host's
    PcapngWriter writer_ = PcapngWriter::in_memory();
    std::vector<u64> numbers_;  ///< of each frame in the file; 0: it is not in it
    FrameComments comments_;
};

/// The records of a file of the older format, as packets of the newer one.
void copy_pcap(PcapReader& reader, const PcapngChanges& changes, const Out& out) {
    PcapngWriter writer = PcapngWriter::in_memory();
    writer.add_interface({.link_type = reader.link_number()});
    while (true) {
        const auto record = reader.next();
        if (!record || !*record) break;  // where the file is broken, the copy ends
        const u64 number = (*record)->number;
        if (!changes.keep(number)) continue;
        const std::string comment = changes.comment(number);
        writer.write((*record)->bytes, {.time = (*record)->time,
                                        .comment = comment,
                                        .original_size = (*record)->original_size});
        if (writer.bytes().size() > kPiece) hand_over(writer, out);
    }
    hand_over(writer, out);
}

}  // namespace

void write_commented(PcapngWriter& writer, const Timeline::Frame& frame, const std::string& comment,
                     PcapngWriter::FrameInfo info) {
    const Frame all = whole(frame);
    const WireFrames wire(all);
    const std::string further =
        "A further part of the frame before, which the stack handled as one.";
    for (std::size_t i = 0; i < wire.count(); ++i) {
        info.comment = i > 0 && !comment.empty() ? further : comment;
        info.original_size = wire.count() > 1 ? 0 : frame.wire_size;
        writer.write(wire.at(i), info);
    }
}

void save_annotated(const Timeline& timeline, const std::string& path) {
    write_file(path, kOption, [&](const Out& out) { Annotator(timeline).write(out); });
}

void save_annotated_links(const Timeline& timeline, const std::string& folder,
                          const std::string& option) {
    for (u32 i = 0; i < timeline.links.size(); ++i) {
        write_file(folder + '/' + timeline.links[i] + ".pcapng", option,
                   [&](const Out& out) { Annotator(timeline, i).write(out); });
    }
}

void save_annotated_capture(const Timeline& timeline, const std::string& capture,
                            const std::function<bool(u64 record)>& keep, const std::string& path) {
    auto reader = PcapReader::open(capture);
    if (!reader) throw Failure(kUsage, std::string(kOption) + ": " + reader.error().what);
    const auto frame_of = [&timeline](u64 record) {
        const auto& frames = timeline.frames;
        const auto found = std::ranges::lower_bound(frames, record, {}, &Timeline::Frame::record);
        const bool known = found != frames.end() && found->record == record;
        return known ? static_cast<u32>(found - frames.begin()) : Timeline::kNone;
    };
    // Records that are left out do not count in the file that is written.
    std::vector<u64> numbers(timeline.frames.size());
    u64 written = 0;
    const FrameComments comments(timeline, [&](u32 frame) { return numbers[frame]; });
    const PcapngChanges changes{
        .keep =
            [&](u64 record) {
                if (!keep(record)) return false;
                ++written;
                if (const u32 frame = frame_of(record); frame != Timeline::kNone) {
                    numbers[frame] = written;
                }
                return true;
            },
        .comment =
            [&](u64 record) {
                const u32 frame = frame_of(record);
                return frame == Timeline::kNone ? "" : comments.of(frame);
            },
    };
    write_file(path, kOption, [&](const Out& out) {
        if (reader->is_pcapng()) {
            copy_pcapng(capture, changes, out);
        } else {
            copy_pcap(*reader, changes, out);
        }
    });
}

}  // namespace tapestry
