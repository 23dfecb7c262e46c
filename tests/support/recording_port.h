#pragma once

#include <utility>
#include <vector>

#include "stack/link/port.h"

namespace tapestry::test {

/// A device that keeps what it is given.
class RecordingPort final : public Port {
public:
    struct Sent {
        std::vector<u8> bytes;
        std::size_t header_size = 0;  ///< of the frame, as it was handed over
        Offload offload;
    };

    PortCapabilities capabilities() const override { return offers; }
    bool transmit(const Frame& frame) override {
        if (room == 0) return false;
        if (room > 0) --room;
        Sent one;
        one.bytes.resize(frame.size());
        frame.copy_to(one.bytes.data());
        one.header_size = frame.headers().size();
        one.offload = frame.offload;
        sent.push_back(std::move(one));
        return true;
    }

    /// What has been sent since the last take().
    std::vector<Sent> take() { return std::exchange(sent, {}); }

    PortCapabilities offers;
    int room = -1;  ///< frames that the device still takes; below 0: any number
    std::vector<Sent> sent;
};

}  // namespace tapestry::test
