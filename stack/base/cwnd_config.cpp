#include "stack/base/cwnd_config.h"

namespace tapestry {

std::optional<Congestion> congestion_of(std::string_view wanted) {
    for (const Congestion congestion : {Congestion::Cubic, Congestion::Reno}) {
        if (name(congestion) == wanted) return congestion;
    }
    return std::nullopt;
}

}  // namespace tapestry
