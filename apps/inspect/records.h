#pragma once

#include <expected>
#include <functional>
#include <optional>

#include "apps/inspect/timeline.h"
#include "drivers/pcap_reader.h"

namespace tapestry {

/// Where records come from: the next one, as PcapReader::next() has it.
using Records = std::function<std::expected<std::optional<PcapRecord>, PcapError>()>;

/// The frames of a capture's timeline as the records that they were made of.
Records records_of(const Timeline& timeline);

}  // namespace tapestry
