#pragma once

#include <optional>
#include <string_view>

#include "stack/base/time.h"

namespace tapestry {

/// Which congestion control a connection has: TCP_CONGESTION.
enum class Congestion : u8 {
    Cubic,  ///< RFC 9438
    Reno,   ///< RFC 5681
};
/// "cubic", as Linux calls it.
constexpr std::string_view name(Congestion congestion) {
    return congestion == Congestion::Reno ? "reno" : "cubic";
}
std::optional<Congestion> congestion_of(std::string_view wanted);

/// The end of the first slow start, seen in the delay before anything is lost: RFC 9406 section 4.3.
struct HyStartConfig {
    bool on = true;
    Duration min_rtt_thresh = 4ms;   ///< MIN_RTT_THRESH: a smaller increase of the delay is noise
    Duration max_rtt_thresh = 16ms;  ///< MAX_RTT_THRESH: a larger one is always believed
    u32 min_rtt_divisor = 8;     ///< MIN_RTT_DIVISOR: between the two, this part of the RTT counts
    u32 n_rtt_sample = 8;        ///< N_RTT_SAMPLE: a round with fewer says nothing
    u32 css_growth_divisor = 4;  ///< CSS_GROWTH_DIVISOR
    u32 css_rounds = 5;          ///< CSS_ROUNDS
    u32 limit = 8;               ///< L in segments, of a sender that does not pace; 0: none
};

/// RFC 5681.
struct RenoConfig {
    double beta = 0.5;  ///< equation (4): ssthresh = FlightSize / 2
};

/// RFC 9438.
struct CubicConfig {
    double c = 0.4;                ///< section 5.1: C, segments / second^3
    double beta = 0.7;             ///< section 4.6: beta_cubic
    double max_target = 1.5;       ///< section 4.2: target is at most this times cwnd
    bool fast_convergence = true;  ///< section 4.7
};

/// How a congestion window grows and shrinks.
struct CwndConfig {
    u32 abc_limit = 2;                ///< RFC 3465 2.3: L in segments; 0: none (as Linux has it)
    u32 abc_limit_after_timeout = 1;  ///< ... in the slow start that follows a timeout; 0: none
    bool validation = true;           ///< RFC 2861 3.2: a window that is not used decays
    HyStartConfig hystart;
    RenoConfig reno;
    CubicConfig cubic;
};

}  // namespace tapestry
