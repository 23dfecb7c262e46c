#include "apps/router/router_device.h"

#include <spdlog/spdlog.h>

#include <filesystem>

#include "apps/failure.h"
#include "drivers/monotonic.h"

namespace tapestry {

RouterDevice::RouterDevice(RouterInterface& interface) {
    bool cuts = false;
    if (interface.device == RouterInterface::Device::Tap) {
        tap_ = std::make_unique<Tap>(
            TapOptions{interface.device_name, interface.offload, interface.mtu});
        outermost_ = tap_.get();
        cuts = !tap_->checksum_offload();
    } else {
        // Frames for an address that is not the card's reach us only if it takes everybody's.
        socket_ = std::make_unique<PacketSocket>(PacketSocketOptions{
            interface.device_name, interface.offload, interface.mac.has_value()});
        outermost_ = socket_.get();
        cuts = !socket_->checksum_offload();
        if (!interface.mac) interface.mac = socket_->mac();
    }
    if (!cuts) return;
    segmenter_ = std::make_unique<Segmenter>(*outermost_, monotonic_now);
    outermost_ = segmenter_.get();
}

void RouterDevice::record(const RouterInterface& interface, const std::string& pcap,
                          CommentedFiles& comments) {
    std::error_code error;
    std::filesystem::create_directories(pcap, error);
    if (error) throw Failure(kUsage, "pcap: cannot make " + pcap + ": " + error.message());
    auto writer = PcapngWriter::open(pcap + '/' + interface.name + ".pcapng");
    if (!writer) throw Failure(kUsage, "pcap: " + writer.error());
    writer_.emplace(std::move(*writer));
    writer_->on_failure([](const std::string& why) { spdlog::error("pcap: {}", why); });
    comments.add(*writer_, writer_->add_interface(interface.name), interface.name);
    capture_ = std::make_unique<CommentedCapture>(*outermost_, comments, *writer_, monotonic_now);
    outermost_ = capture_.get();
}

}  // namespace tapestry
