#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "drivers/pcapng_index.h"
#include "stack/base/time.h"

struct pcap;
struct bpf_program;

namespace tapestry {

/// One record of a capture file.
struct PcapRecord {
    u64 number = 0;         ///< from 1, records that the filter has left out included
    TimePoint time{};       ///< since 1970
    Bytes bytes;            ///< what was captured, from the Ethernet header; good until next()
    u32 original_size = 0;  ///< on the wire: more than bytes when the capture was cut
    /// Interface, direction, comment; of a pcap file, which has none of them, the defaults.
    PcapngIndex::Note note;
};

/// Why a capture file cannot be read.
struct PcapError {
    u64 record = 0;    ///< the record at fault, from 1; 0: the file as a whole, or the filter
    std::string what;  ///< one line, with the file's name
};

/// Reads pcap and pcapng files of Ethernet frames, through libpcap, with the nanoseconds that they
/// have.
class PcapReader {
public:
    /// Errors: not there, not a capture file, not Ethernet.
    static std::expected<PcapReader, PcapError> open(const std::string& path);
    PcapReader(PcapReader&&) noexcept;
    PcapReader& operator=(PcapReader&&) noexcept;
    ~PcapReader();

    /// Only records that match this expression of pcap-filter(7) from now on; "": all.
    std::expected<void, PcapError> set_filter(const std::string& expression);
    /// The next record; nothing at the end of the file. After an error there is nothing more.
    std::expected<std::optional<PcapRecord>, PcapError> next();

private:
    struct ClosePcap {
        void operator()(pcap* handle) const;
    };
    struct FreeFilter {
        void operator()(bpf_program* filter) const;
    };
    PcapReader(pcap* handle, const std::string& path);

    std::unique_ptr<pcap, ClosePcap> pcap_;
    std::unique_ptr<bpf_program, FreeFilter> filter_;
    PcapngIndex index_;
    std::string path_;
    u64 number_ = 0;
    bool failed_ = false;
};

}  // namespace tapestry
