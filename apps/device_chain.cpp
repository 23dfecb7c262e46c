#include "apps/device_chain.h"

#include <spdlog/spdlog.h>

#include "apps/failure.h"

namespace tapestry {

DeviceChain::DeviceChain(const NetOptions& options, Device& device, bool cuts, const Clock& clock,
                         const Clock& stamp, bool live)
    : outermost_(&device) {
    if (options.fault.active()) {
        fault_ =
            std::make_unique<Fault>(*outermost_, clock, options.seed, options.fault, options.fault);
        outermost_ = fault_.get();
    }
    if (cuts || fault_) {
        segmenter_ = std::make_unique<Segmenter>(*outermost_, clock);
        outermost_ = segmenter_.get();
    }
    // In virtual time nobody looks on, and a deadline more would be an event more.
    if (!options.pcap.empty()) record(options, stamp, live ? clock : Clock());
}

void DeviceChain::record(const NetOptions& options, const Clock& stamp, const Clock& idle) {
    auto writer = PcapngWriter::open(options.pcap);
    if (!writer) throw Failure(kUsage, "--pcap: " + writer.error());
    writer_.emplace(std::move(*writer));
    writer_->on_failure([](const std::string& why) { spdlog::error("--pcap: {}", why); });
    const u32 interface = writer_->add_interface("eth0");
    if (options.pcap_bare) {
        capture_ = std::make_unique<Capture>(*outermost_, *writer_, interface, stamp, idle);
        outermost_ = capture_.get();
        return;
    }
    comments_ = std::make_unique<CommentedFiles>("us", stamp);
    comments_->add(*writer_, interface, "eth0");
    commented_ = std::make_unique<CommentedCapture>(*outermost_, *comments_, *writer_, idle);
    outermost_ = commented_.get();
}

InterfaceConfig interface_config(const NetOptions& options) {
    InterfaceConfig config;
    config.address = options.address.value_or(Ipv4Prefix{Ipv4Address(192, 168, 3, 10), 24});
    config.mac = options.mac.value_or(MacAddress({2, 0, 0, 0, 3, 10}));
    config.mtu = options.mtu;
    return config;
}

}  // namespace tapestry
