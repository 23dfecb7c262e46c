#pragma once

#include "drivers/pcap_reader.h"

namespace tapestry {

/// How far a long file has been read, on a terminal that shows nothing else.
class ReadingProgress {
public:
    explicit ReadingProgress(const PcapReader& reader);
    ~ReadingProgress();
    ReadingProgress(const ReadingProgress&) = delete;
    ReadingProgress& operator=(const ReadingProgress&) = delete;
    /// After each record.
    void update();

private:
    const PcapReader& reader_;
    bool on_;
    int percent_ = 0;
};

}  // namespace tapestry
