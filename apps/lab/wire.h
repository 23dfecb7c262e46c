#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>

#include "apps/lab/scenario.h"
#include "drivers/ethernet_switch.h"
#include "stack/base/rng.h"

namespace tapestry {

/// One link of a lab: a cable or a switch, and what may happen to the frames on it. It can be cut, it
/// loses frames by chance or when it is told to, and it knows of every frame what became of it.
class LabLink {
public:
    /// A frame is put on the link by an end; `lost`: why it does not arrive, or "". The bytes are as
    /// a wire carries them, and good during the call only.
    using Watcher = std::function<void(std::size_t end, Bytes frame, const std::string& lost)>;

    /// `cable` is null for a link with more than two ends, which gets a switch of its own.
    LabLink(const ScenarioLink& link, MemoryLink* cable, const Clock& clock, u64 seed);
    ~LabLink();
    LabLink(const LabLink&) = delete;
    LabLink& operator=(const LabLink&) = delete;

    /// What a machine is plugged into.
    Device& end(std::size_t index);
    void set_watcher(Watcher watcher) { watcher_ = std::move(watcher); }
    /// Is asked of every frame whether it is to be dropped, before the watcher hears of it.
    void set_judge(std::function<bool()> judge) { judge_ = std::move(judge); }
    void set_plugged(bool plugged) { plugged_ = plugged; }
    /// From that end `skip` packets of that kind pass, and the next `count` do not arrive. ARP never
    /// counts.
    void lose(std::size_t end, LoseKind kind, u32 skip, u32 count) {
        orders_.push_back({end, kind, skip, count});
    }

private:
    class End;
    struct Order {
        std::size_t end;
        LoseKind kind;
        u32 skip;
        u32 left;
    };

    bool transmit(std::size_t end, const Frame& frame);
    std::string fate(std::size_t end, Bytes frame);
    bool ordered(std::size_t end, Bytes frame);

    const ScenarioLink& link_;
    MemoryLink* cable_;
    std::unique_ptr<EthernetSwitch> switch_;
    std::vector<std::unique_ptr<End>> ends_;
    Watcher watcher_;
    std::function<bool()> judge_;
    SeededRng rng_;
    std::list<Order> orders_;
    bool plugged_ = true;
    std::vector<u8> bytes_;
};

}  // namespace tapestry
