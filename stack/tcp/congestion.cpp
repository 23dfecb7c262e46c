#include "stack/tcp/congestion.h"

namespace tapestry {

std::unique_ptr<CongestionControl> make_congestion(Congestion which, const CwndConfig& config) {
    return which == Congestion::Reno ? make_reno(config) : make_cubic(config);
}

}  // namespace tapestry
