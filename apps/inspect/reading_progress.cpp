#include "apps/inspect/reading_progress.h"

#include <unistd.h>

#include <cstdio>

namespace tapestry {
namespace {

constexpr u64 kLongFile = 32U << 20;

}  // namespace

ReadingProgress::ReadingProgress(const PcapReader& reader)
    : reader_(reader), on_(isatty(STDERR_FILENO) != 0 && isatty(STDOUT_FILENO) == 0) {}

ReadingProgress::~ReadingProgress() {
    if (percent_ > 0) std::fprintf(stderr, "\r\033[K");
}

void ReadingProgress::update() {
    if (!on_ || reader_.file_size() < kLongFile) return;
    const auto now = static_cast<int>(reader_.position() * 100 / reader_.file_size());
    if (now == percent_) return;
    percent_ = now;
    std::fprintf(stderr, "\rreading %3d %%", percent_);
}

}  // namespace tapestry
