#include "apps/inspect/commented_capture.h"

#include <utility>

#include "apps/inspect/annotate.h"
#include "apps/inspect/frame_comments.h"

namespace tapestry {
namespace {

/// Frames that wait for what is to be said of them; super-frames of 64 KB are 16 MB.
constexpr std::size_t kMostFrames = 256;
/// Steps that wait for a frame: a program may call very often before one leaves.
constexpr std::size_t kMostSteps = 4096;

}  // namespace

CommentedFiles::CommentedFiles(const std::string& host, Clock stamp)
    : host_(host), stamp_(std::move(stamp)) {
    begin();
}

CommentedFiles::~CommentedFiles() { write_out(); }

void CommentedFiles::add(PcapngWriter& writer, u32 interface, const std::string& name) {
    files_.push_back({&writer, interface, name});
    begin();
}

/// A timeline of its own each time: what it grows to has a bound, however long the run is.
void CommentedFiles::begin() {
    recorder_.reset();
    timeline_ = std::make_unique<Timeline>();
    timeline_->source = Timeline::Source::Live;
    Timeline::Host host{host_, files_.size() > 1, true, {}};
    for (const File& file : files_) host.interfaces.push_back({file.name, "", 0, Timeline::kNone});
    timeline_->hosts.push_back(std::move(host));
    timeline_->hosts.push_back({"peer", false, false, {{}}});
    recorder_ = std::make_unique<TimelineRecorder>(*timeline_, TimelineRecorder::Frames::AtBorders);
    stamps_.clear();
}

void CommentedFiles::on_frame(const FrameEvent& event) {
    ear().on_frame(event);
    stamps_.resize(timeline_->frames.size());
    stamps_.back() = event.direction == Direction::In ? received_ : sent_;
}

void CommentedFiles::on_drop(const DropEvent& event) { ear().on_drop(event); }
void CommentedFiles::on_tcp(const TcpEvent& event) { ear().on_tcp(event); }
void CommentedFiles::on_flow(const FlowEvent& event) { ear().on_flow(event); }
void CommentedFiles::on_forward(const ForwardEvent& event) { ear().on_forward(event); }

void CommentedFiles::write_if_many() {
    if (timeline_->frames.size() >= kMostFrames) write_out();
}

void CommentedFiles::write_out() {
    // What a program has asked for belongs to the frame that is yet to leave.
    if (timeline_->frames.empty() && timeline_->steps.size() < kMostSteps) return;
    const FrameComments comments(*timeline_);
    stamps_.resize(timeline_->frames.size());
    for (u32 i = 0; i < timeline_->frames.size(); ++i) {
        const Timeline::Frame& frame = timeline_->frames[i];
        // A packet that was refused is kept, too, and is no frame on a wire.
        if (!frame.sent && !frame.arrived) continue;
        const bool out = frame.sent.has_value();
        const File& file = files_.at(out ? frame.from.interface : frame.to.interface);
        if (file.writer->failure()) continue;
        write_commented(*file.writer, frame, comments.of(i),
                        {.interface = file.interface,
                         .time = stamps_[i],
                         .way = out ? PcapngWriter::Way::Outbound : PcapngWriter::Way::Inbound});
    }
    begin();
}

bool CommentedCapture::transmit(const Frame& frame) {
    files_.write_if_many();
    if (!inner_.transmit(frame)) return false;
    files_.note_sent();
    flush_.touch();
    return true;
}

std::size_t CommentedCapture::receive(std::span<Packet> batch) {
    const std::size_t n = inner_.receive(batch);
    files_.write_if_many();
    if (n == 0 || flush_.due()) {
        files_.write_out();
        writer_.flush();
        flush_.done();
    }
    if (n > 0) flush_.touch();
    files_.note_received();
    return n;
}

}  // namespace tapestry
