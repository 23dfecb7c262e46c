#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "drivers/link_layer.h"
#include "drivers/pcapng_index.h"
#include "stack/base/time.h"

struct pcap;
struct bpf_program;

namespace tapestry {

/// One record of a capture file.
struct PcapRecord {
    u64 number = 0;         ///< from 1, records that the filter has left out included
    TimePoint time{};       ///< since 1970
    Bytes bytes;            ///< what was captured, from the link's header; good until next()
    u32 original_size = 0;  ///< on the wire: more than bytes when the capture was cut
    LinkType link = LinkType::Ethernet;
    /// Interface, direction, comment; of a pcap file, which has none of them, the defaults.
    PcapngIndex::Note note;
};

/// Why a capture file cannot be read.
struct PcapError {
    u64 record = 0;    ///< the record at fault, from 1; 0: the file as a whole, or the filter
    std::string what;  ///< one line, with the file's name
};

/// Reads pcap and pcapng files, through libpcap, with the nanoseconds that they have, one record at a
/// time whatever the size of the file.
class PcapReader {
public:
    /// Errors: not there, not a capture file, a link type that LinkType does not have.
    static std::expected<PcapReader, PcapError> open(const std::string& path);
    PcapReader(PcapReader&&) noexcept;
    PcapReader& operator=(PcapReader&&) noexcept;
    ~PcapReader();

    /// Only records that match this expression of pcap-filter(7) from now on; "": all.
    std::expected<void, PcapError> set_filter(const std::string& expression);
    /// The next record; nothing at the end of the file. After an error there is nothing more.
    std::expected<std::optional<PcapRecord>, PcapError> next();

    LinkType link() const { return link_; }
    /// As files number it: LINKTYPE_ of tcpdump.org.
    u16 link_number() const { return link_number_; }
    /// The file is pcapng.
    bool is_pcapng() const { return index_.is_pcapng(); }
    /// Bytes of the file that have been read, about; and all that it has, 0 when that is not known.
    u64 position() const { return position_; }
    u64 file_size() const { return file_size_; }

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
    LinkType link_ = LinkType::Ethernet;
    u16 link_number_ = 1;
    u64 file_size_ = 0;
    u64 position_ = 0;
    u64 number_ = 0;
    bool failed_ = false;
};

}  // namespace tapestry
