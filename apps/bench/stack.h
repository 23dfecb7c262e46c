#pragma once

#include "apps/attachment.h"
#include "apps/bench/workload.h"

namespace tapestry {

/// Our stack's figure for a workload, against the classical services at `peer` (RFC 862 to 864 on their
/// own ports). Bytes are read where they lie. Throws Failure when the network says no.
double measure_stack(Attachment& attachment, Ipv4Address peer, Workload workload, Duration time);

}  // namespace tapestry
