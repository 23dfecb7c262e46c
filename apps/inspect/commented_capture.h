#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/inspect/timeline_recorder.h"
#include "drivers/capture.h"

namespace tapestry {

/// The captures of a stack that runs, with what it made of each frame as the frame's comment. What a
/// frame that comes in did is known when the stack has dealt with it, so frames wait until a device is
/// drained, or too many wait.
///
/// Hears the stack; each of its devices stands behind a CommentedCapture.
class CommentedFiles final : public TraceSink {
public:
    /// What comments call the stack; "us": they say "we". `stamp` tells the time that is written down.
    CommentedFiles(const std::string& host, Clock stamp);
    /// Writes what has not been written yet.
    ~CommentedFiles() override;

    /// The file of the stack's next interface; it outlives this. `interface` is the writer's number.
    void add(PcapngWriter& writer, u32 interface, const std::string& name);

    void on_frame(const FrameEvent& event) override;
    void on_drop(const DropEvent& event) override;
    void on_tcp(const TcpEvent& event) override;
    void on_flow(const FlowEvent& event) override;
    void on_forward(const ForwardEvent& event) override;

    // For CommentedCapture.
    void note_sent() { sent_ = stamp_(); }
    void note_received() { received_ = stamp_(); }
    /// All that waits, or only if too much does.
    void write_out();
    void write_if_many();

private:
    struct File {
        PcapngWriter* writer;
        u32 interface;
        std::string name;
    };
    void begin();
    TraceSink& ear() { return recorder_->ear(0); }

    std::string host_;
    Clock stamp_;
    std::vector<File> files_;
    TimePoint received_{};  ///< when the last batch came
    TimePoint sent_{};      ///< when the last frame left

    /// What has happened since the last writing.
    std::unique_ptr<Timeline> timeline_;
    std::unique_ptr<TimelineRecorder> recorder_;
    std::vector<TimePoint> stamps_;  ///< of its frames
};

/// Stands between the stack and one of its devices, as Capture does.
class CommentedCapture final : public Device {
public:
    /// `inner`, `files` and `writer` outlive it. `idle`: see IdleFlush.
    CommentedCapture(Device& inner, CommentedFiles& files, PcapngWriter& writer, Clock idle)
        : inner_(inner), files_(files), writer_(writer), flush_(std::move(idle)) {}

    PortCapabilities capabilities() const override { return inner_.capabilities(); }
    bool transmit(const Frame& frame) override;
    std::size_t receive(std::span<Packet> batch) override;
    int fd() const override { return inner_.fd(); }
    std::optional<TimePoint> next_deadline() const override {
        return flush_.or_earlier(inner_.next_deadline());
    }

private:
    Device& inner_;
    CommentedFiles& files_;
    PcapngWriter& writer_;
    IdleFlush flush_;
};

}  // namespace tapestry
