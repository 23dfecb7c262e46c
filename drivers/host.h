#pragma once

#include <memory>
#include <string>
#include <utility>

#include "drivers/device.h"
#include "drivers/runner.h"

namespace tapestry {

class World;

/// One machine in a World: a stack with a name, its devices, and a view of the world as a Runner, so
/// that a blocking call on this host lets the whole world go on. Made by World::add_host.
class Host final : public Runner {
public:
    Host(World& world, std::string name, const StackConfig& config, u64 seed);

    const std::string& name() const { return name_; }
    TimePoint now() const override;
    Stack& stack() override { return stack_; }
    bool run_until(const std::function<bool()>& done, TimePoint deadline = kNever) override;

    /// Gives the stack an interface on `device`, the outermost of a chain of wrappers. It outlives the
    /// host, or is kept by keep(), and takes its time from the world's clock; it must not be one that
    /// waits for a file descriptor.
    Interface& attach(Device& device, InterfaceConfig config);
    /// Makes a device that lives as long as the host.
    template <typename T, typename... Args>
    T& keep(Args&&... args) {
        auto device = std::make_unique<T>(std::forward<Args>(args)...);
        T& kept = *device;
        kept_.devices.push_back(std::move(device));
        return kept;
    }
    /// A program that runs on this host: called after every event of the host (a batch of frames, a
    /// timer), it makes user calls and must not let time pass. Several are called in turn.
    void add_program(std::function<void()> program) { programs_.push_back(std::move(program)); }

private:
    friend class World;
    /// Outer devices stand around inner ones, which were made before: the last goes first.
    struct Kept {
        std::vector<std::unique_ptr<Device>> devices;
        ~Kept() {
            while (!devices.empty()) devices.pop_back();
        }
    };
    struct Attachment {
        Device* device;
        Interface* interface;
    };

    World& world_;
    std::string name_;
    SeededRng rng_;
    Kept kept_;
    Stack stack_;
    std::vector<Attachment> attachments_;
    std::vector<std::function<void()>> programs_;
};

}  // namespace tapestry
