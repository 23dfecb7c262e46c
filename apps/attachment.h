#pragma once

#include <memory>
#include <string>

#include "apps/net_options.h"
#include "drivers/loop.h"
#include "drivers/sandbox.h"
#include "drivers/world.h"

namespace tapestry {

/// A stack that is attached to a network as the options say, and what drives it.
///
/// Between the stack and the device stand, from the stack outwards:
///
///    Stack -> Capture -> Segmenter -> Fault -> device
///
/// Capture (--pcap) is nearest to the stack, because the file is to show what the stack saw and sent:
/// frames that the bad cable loses on the way out are in it, those lost on the way in are not, and a
/// corrupted one is there as it arrived. It writes what a wire would have carried, whatever offloads are
/// in use. Fault loses, doubles and delays single frames of the wire, so it stands behind the segmenter
/// that cuts our super-frames; those that the device received it cuts itself. Wrappers that have nothing
/// to do are left out, and offloads stay in use unless there are faults.
class Attachment {
public:
    virtual ~Attachment() = default;

    virtual Runner& runner() = 0;
    Stack& stack() { return runner().stack(); }
    TimePoint now() { return runner().now(); }
    bool run_until(const std::function<bool()>& done, TimePoint deadline = kNever) {
        return runner().run_until(done, deadline);
    }
    /// The loop with the real clock; null with --net memory.
    virtual Loop* loop() { return nullptr; }
    /// Null unless the stack is in a sandbox.
    virtual Sandbox* sandbox() { return nullptr; }
    /// Null unless the stack is in a world in memory; host() is ours then, peer() the far one.
    virtual World* world() { return nullptr; }
    virtual Host* host() { return nullptr; }
    virtual Host* peer() { return nullptr; }
    /// Something is in the way of every frame: the device is gone, or the user wants an end. One line.
    virtual std::string interruption() { return {}; }

    Ipv4Prefix address() { return stack().interface(0).prefix(); }
};

/// Attaches a stack. `trace` (null: nobody) hears everything from the first frame on and outlives the
/// attachment; so does `peer`, which hears the far end's stack: only --net memory has one. Throws
/// Failure(kUsage) when the system forbids it, with cause and remedy.
std::unique_ptr<Attachment> attach(const NetOptions& options, TraceSink* trace,
                                   const StackConfig& config = {}, TraceSink* peer = nullptr);

/// The two of which attach() makes one.
std::unique_ptr<Attachment> attach_live(const NetOptions& options, TraceSink* trace,
                                        const StackConfig& config);
std::unique_ptr<Attachment> attach_memory(const NetOptions& options, TraceSink* trace,
                                          const StackConfig& config, TraceSink* peer);

}  // namespace tapestry
