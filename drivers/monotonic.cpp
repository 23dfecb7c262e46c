#include "drivers/monotonic.h"

#include <ctime>

namespace tapestry {

TimePoint monotonic_now() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return TimePoint(std::chrono::seconds(time.tv_sec) + Duration(time.tv_nsec));
}

}  // namespace tapestry
