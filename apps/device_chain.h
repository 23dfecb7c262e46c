#pragma once

#include <memory>
#include <optional>

#include "apps/inspect/commented_capture.h"
#include "apps/net_options.h"
#include "drivers/capture.h"
#include "drivers/fault.h"
#include "drivers/segmenter.h"
#include "stack/link/interface.h"

namespace tapestry {

/// The wrappers around a device that the options ask for; see Attachment for their order and why.
class DeviceChain {
public:
    /// `device` outlives the chain. `cuts`: the device needs a segmenter in front of it in any case.
    /// `clock` drives the wrappers, `stamp` is written into the capture; `live`: somebody may be
    /// looking at it. Throws Failure.
    DeviceChain(const NetOptions& options, Device& device, bool cuts, const Clock& clock,
                const Clock& stamp, bool live);

    /// What the stack is to be given.
    Device& outermost() { return *outermost_; }
    /// Who has to hear the stack: the capture, for its comments. Null: nobody.
    TraceSink* ear() { return comments_.get(); }

private:
    void record(const NetOptions& options, const Clock& stamp, const Clock& idle);

    std::unique_ptr<Fault> fault_;
    std::unique_ptr<Segmenter> segmenter_;
    std::optional<PcapngWriter> writer_;
    std::unique_ptr<Capture> capture_;
    std::unique_ptr<CommentedFiles> comments_;
    std::unique_ptr<CommentedCapture> commented_;
    Device* outermost_;
};

/// What --address and --mac say, or the defaults.
InterfaceConfig interface_config(const NetOptions& options);

}  // namespace tapestry
