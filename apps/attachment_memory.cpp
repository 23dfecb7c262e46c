#include "apps/attachment.h"
#include "apps/device_chain.h"
#include "apps/inspect/trace_tee.h"
#include "apps/memory_peer.h"

namespace tapestry {
namespace {

/// Two stacks and a cable in one process. Nothing waits: an hour of virtual time is over at once.
class MemoryAttachment final : public Attachment {
public:
    MemoryAttachment(const NetOptions& options, TraceSink* trace, const StackConfig& config,
                     TraceSink* peer)
        : world_({.seed = options.seed, .batch = 16}),
          us_(world_.add_host("us", config)),
          far_(world_.add_host("peer")) {
        LinkConfig link;
        link.delay = 500us;  // a round trip of a millisecond, as in a building
        link.bytes_per_second = 125'000'000;
        link.tail_drop = false;
        if (options.mtu != 0) link.mtu = options.mtu;
        // Faults are of single frames.
        if (options.offload && !options.fault.active()) link.max_super_frame = 65535;
        MemoryLink& cable = world_.add_link(link);

        const InterfaceConfig ours = interface_config(options);
        const Ipv4Address far_address = options.gateway.value_or(Ipv4Address(192, 168, 3, 1));
        InterfaceConfig theirs;
        theirs.mac = MacAddress({2, 0, 0, 0, 3, 1});
        theirs.address = {far_address, ours.address.length};
        chain_ = std::make_unique<DeviceChain>(options, cable.end(0), false, world_.clock(),
                                               world_.clock(), false);
        listeners_.add(trace);
        listeners_.add(chain_->ear());
        if (!listeners_.empty()) us_.stack().set_trace(&listeners_);
        far_.stack().set_trace(peer);
        Interface& interface = us_.attach(chain_->outermost(), ours);
        far_.attach(cable.end(1), theirs);
        us_.stack().add_route({Ipv4Address(), 0}, interface, far_address);
        services_ = std::make_unique<MemoryPeer>(world_, far_);
    }

    Runner& runner() override { return us_; }
    World* world() override { return &world_; }
    Host* host() override { return &us_; }
    Host* peer() override { return &far_; }

private:
    World world_;
    Host& us_;
    Host& far_;
    TraceTee listeners_;
    /// Goes before the world: packets of the world's link may be in it.
    std::unique_ptr<DeviceChain> chain_;
    std::unique_ptr<MemoryPeer> services_;
};

}  // namespace

std::unique_ptr<Attachment> attach_memory(const NetOptions& options, TraceSink* trace,
                                          const StackConfig& config, TraceSink* peer) {
    return std::make_unique<MemoryAttachment>(options, trace, config, peer);
}

}  // namespace tapestry
