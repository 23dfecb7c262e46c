#pragma once

#include <memory>
#include <optional>

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
    /// `clock` drives the wrappers, `stamp` is written into the capture. Throws Failure.
    DeviceChain(const NetOptions& options, Device& device, bool cuts, const Clock& clock,
                const Clock& stamp);

    /// What the stack is to be given.
    Device& outermost() { return *outermost_; }

private:
    std::unique_ptr<Fault> fault_;
    std::unique_ptr<Segmenter> segmenter_;
    std::optional<PcapngWriter> writer_;
    std::unique_ptr<Capture> capture_;
    Device* outermost_;
};

/// What --address and --mac say, or the defaults.
InterfaceConfig interface_config(const NetOptions& options);

}  // namespace tapestry
