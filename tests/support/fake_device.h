#pragma once

#include <deque>

#include "drivers/device.h"
#include "tests/support/packet_builder.h"

namespace tapestry::test {

/// A device whose other side is the test: it records what is sent and gives out what it was fed.
class FakeDevice final : public Device {
public:
    struct Sent {
        std::vector<u8> bytes;
        Offload offload;
    };

    PortCapabilities caps;
    std::vector<Sent> sent;
    /// How many more frames it takes before it says "full".
    std::size_t room = ~std::size_t{0};

    void feed(Bytes bytes, const Offload& offload = {}) {
        Packet packet = pool_.copy(bytes);
        packet.offload = offload;
        waiting_.push_back(std::move(packet));
    }

    PortCapabilities capabilities() const override { return caps; }
    bool transmit(const Frame& frame) override {
        if (room == 0) return false;
        --room;
        sent.push_back({bytes_of(frame), frame.offload});
        return true;
    }
    std::size_t receive(std::span<Packet> batch) override {
        std::size_t n = 0;
        for (; n < batch.size() && !waiting_.empty(); ++n) {
            batch[n] = std::move(waiting_.front());
            waiting_.pop_front();
        }
        return n;
    }

private:
    PacketPool pool_{PacketPool::kSuperFrameSlot, 4096};
    std::deque<Packet> waiting_;
};

}  // namespace tapestry::test
