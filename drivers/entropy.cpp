#include "drivers/entropy.h"

#include <sys/random.h>

#include <cerrno>
#include <utility>

#include "drivers/setup_error.h"

namespace tapestry {
namespace {

void fill(void* to, std::size_t size) {
    u8* at = static_cast<u8*>(to);
    while (size > 0) {
        const ssize_t got = getrandom(at, size, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw SetupError("the system gives no random numbers", errno);
        at += got;
        size -= static_cast<std::size_t>(got);
    }
}

}  // namespace

u64 entropy_seed() {
    u64 seed = 0;
    fill(&seed, sizeof seed);
    return seed;
}

u64 SystemRng::next() {
    if (used_ == block_.size()) {
        fill(block_.data(), sizeof block_);
        used_ = 0;
    }
    // A number is wiped when it is given out, so that memory read later does not tell it.
    return std::exchange(block_[used_++], 0);
}

}  // namespace tapestry
