#pragma once

#include <vector>

#include "stack/trace/trace.h"

namespace tapestry {

/// Lets several listen to one stack, each in turn.
class TraceTee final : public TraceSink {
public:
    /// Null: nobody.
    void add(TraceSink* sink) {
        if (sink != nullptr) sinks_.push_back(sink);
    }
    bool empty() const { return sinks_.empty(); }

    void on_frame(const FrameEvent& event) override {
        for (TraceSink* sink : sinks_) sink->on_frame(event);
    }
    void on_drop(const DropEvent& event) override {
        for (TraceSink* sink : sinks_) sink->on_drop(event);
    }
    void on_tcp(const TcpEvent& event) override {
        for (TraceSink* sink : sinks_) sink->on_tcp(event);
    }
    void on_flow(const FlowEvent& event) override {
        for (TraceSink* sink : sinks_) sink->on_flow(event);
    }
    void on_forward(const ForwardEvent& event) override {
        for (TraceSink* sink : sinks_) sink->on_forward(event);
    }

private:
    std::vector<TraceSink*> sinks_;
};

}  // namespace tapestry
