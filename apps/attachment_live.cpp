#include <spdlog/spdlog.h>

#include "apps/attachment.h"
#include "apps/device_chain.h"
#include "apps/failure.h"
#include "apps/inspect/trace_tee.h"
#include "apps/stop_on_signal.h"
#include "drivers/config_text.h"
#include "drivers/entropy.h"
#include "drivers/monotonic.h"
#include "drivers/setup_error.h"
#include "drivers/tap.h"

namespace tapestry {
namespace {

/// Where the device comes from. Made before everything else, so that it dies last.
struct Cable {
    explicit Cable(const NetOptions& options) {
        if (options.kind == NetOptions::Kind::Tap) {
            tap = std::make_unique<Tap>(TapOptions{options.tap, options.offload, options.mtu});
            device = tap.get();
            cuts = !tap->checksum_offload();
            return;
        }
        SandboxOptions wanted;
        wanted.offload = options.offload;
        if (options.mtu != 0) wanted.mtu = options.mtu;
        if (options.force_veth) wanted.cable = SandboxOptions::Cable::Veth;
        sandbox = std::make_unique<Sandbox>(wanted);
        device = &sandbox->device();
        if (!sandbox->notice().empty()) spdlog::warn("{}", sandbox->notice());
    }
    std::unique_ptr<Tap> tap;
    std::unique_ptr<Sandbox> sandbox;
    Device* device = nullptr;
    bool cuts = false;
};

class LiveAttachment final : public Attachment {
public:
    LiveAttachment(const NetOptions& options, TraceSink* trace, const StackConfig& config)
        : cable_(options),
          chain_(options, *cable_.device, cable_.cuts, monotonic_now, time_of_day, true),
          stack_(config, rng_),
          loop_(stack_),
          where_(options.tap.empty() ? "the sandbox's" : options.tap) {
        listeners_.add(trace);
        listeners_.add(chain_.ear());
        if (!listeners_.empty()) stack_.set_trace(&listeners_);
        Interface& interface =
            stack_.add_interface(chain_.outermost(), interface_config(options), monotonic_now());
        loop_.add(chain_.outermost(), interface);
        const Ipv4Address gateway = options.gateway.value_or(Ipv4Address(192, 168, 3, 1));
        if (interface.prefix().contains(gateway)) {
            stack_.add_route({Ipv4Address(), 0}, interface, gateway);
        } else if (options.gateway) {
            throw Failure(kUsage, "--gateway: " + gateway.to_string() + " is not in " +
                                      interface.prefix().to_string());
        }
    }
    Runner& runner() override { return loop_; }
    Loop* loop() override { return &loop_; }
    Sandbox* sandbox() override { return cable_.sandbox.get(); }
    std::string interruption() override {
        if (loop_.lost_device() != nullptr) return "the device is gone: " + where_;
        return loop_.stopped() ? "interrupted" : "";
    }

private:
    Cable cable_;
    DeviceChain chain_;
    TraceTee listeners_;
    SystemRng rng_;
    Stack stack_;
    Loop loop_;
    std::string where_;
    StopOnSignal on_signal_{loop_};
};

}  // namespace

std::unique_ptr<Attachment> attach_live(const NetOptions& options, TraceSink* trace,
                                        const StackConfig& config) {
    try {
        return std::make_unique<LiveAttachment>(options, trace, config);
    } catch (const SetupError& error) {
        throw Failure(kUsage, error.what());
    }
}

namespace {

/// What --profile and --set make of it.
StackConfig configured(const NetOptions& options, StackConfig config) {
    if (!options.profile.empty()) set_profile(config, options.profile);
    for (const std::string& setting : options.settings) {
        const std::size_t equals = setting.find('=');
        const std::string name = setting.substr(0, equals);
        const auto done = equals == std::string::npos
                              ? std::expected<void, std::string>(
                                    std::unexpected("wanted NAME=VALUE, like tcp.min_rto=200ms"))
                              : set_config(config, name, setting.substr(equals + 1));
        if (done) continue;
        throw Failure(kUsage, done.error().empty() ? "no setting is called \"" + name +
                                                         "\"; stack/base/config.h has the names"
                                                   : "--set " + setting + ": " + done.error());
    }
    return config;
}

}  // namespace

std::unique_ptr<Attachment> attach(const NetOptions& options, TraceSink* trace,
                                   const StackConfig& config, TraceSink* peer) {
    const StackConfig chosen = configured(options, config);
    return options.kind == NetOptions::Kind::Memory ? attach_memory(options, trace, chosen, peer)
                                                    : attach_live(options, trace, chosen);
}

}  // namespace tapestry
