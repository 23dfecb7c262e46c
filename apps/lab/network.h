#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "apps/inspect/timeline_recorder.h"
#include "apps/lab/scenario.h"
#include "apps/lab/wire.h"
#include "drivers/world.h"

namespace tapestry {

/// The World that a scenario describes, with a recorder that writes all of it into a timeline.
class LabNetwork {
public:
    /// All outlive it. Throws Failure for an iptables line that cannot be carried out.
    LabNetwork(const Scenario& scenario, Timeline& timeline, u64 seed);
    LabNetwork(const LabNetwork&) = delete;
    LabNetwork& operator=(const LabNetwork&) = delete;

    World& world() { return world_; }
    TimelineRecorder& recorder() { return recorder_; }
    Timeline& timeline() { return timeline_; }
    const Scenario& scenario() const { return scenario_; }
    Host& host(std::size_t machine) { return *hosts_.at(machine); }
    LabLink& link(std::size_t index) { return *links_.at(index); }
    /// The link that a machine's interface is on, and which end of it.
    std::pair<std::size_t, std::size_t> link_of(std::size_t machine, std::size_t interface) const;
    /// These frames do not arrive: their numbers in the timeline, from 1. As the same seed gives the same
    /// run, a number names the same frame as in the run without, up to the first that is dropped.
    void drop(const std::set<u32>& frames);

private:
    void describe();
    void connect();
    void watch(std::size_t link);
    ScenarioLink::End receiver(std::size_t link, std::size_t from, Bytes frame) const;

    const Scenario& scenario_;
    Timeline& timeline_;
    TimelineRecorder recorder_;
    /// Before the world, whose stacks have them as their ways out.
    std::vector<std::unique_ptr<LabLink>> links_;
    World world_;
    std::vector<Host*> hosts_;
};

}  // namespace tapestry
