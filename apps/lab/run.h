#pragma once

#include "apps/inspect/timeline.h"
#include "apps/lab/scenario.h"

namespace tapestry {

struct LabOptions {
    u64 seed = 1;
    std::string pcap_folder;  ///< one file for each link; "": none
};

/// Runs a lab from its beginning to its end, in virtual time, and tells its story. The same scenario
/// and seed give the same story. Throws Failure for what only a running network can find wrong.
Timeline run_lab(const Scenario& scenario, const LabOptions& options);

}  // namespace tapestry
