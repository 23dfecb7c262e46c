#pragma once

#include <set>

#include "apps/inspect/timeline.h"
#include "apps/lab/scenario.h"

namespace tapestry {

struct LabOptions {
    u64 seed = 1;
    std::string pcap_folder;  ///< one file for each link; "": none
    /// Frames that do not arrive, whatever else becomes of them: their numbers in the timeline, from 1.
    std::set<u32> drop = {};
};

/// Runs a lab from its beginning to its end, in virtual time, and tells its story. The same scenario
/// and seed give the same story. Throws Failure for what only a running network can find wrong, and for a frame to be
/// dropped that there is not.
Timeline run_lab(const Scenario& scenario, const LabOptions& options);

}  // namespace tapestry
