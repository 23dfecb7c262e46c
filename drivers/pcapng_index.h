#pragma once

#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "stack/base/types.h"

namespace tapestry {

/// Walks through the blocks of a pcapng file beside libpcap, which reads the packets but does not tell
/// which interface they belong to. What it cannot make sense of it leaves unsaid: from there on there
/// are no notes.
class PcapngIndex {
public:
    /// What the file says about one packet besides its bytes.
    struct Note {
        u32 interface = 0;
        std::string interface_name;  ///< if_name, or ""
        u32 flags = 0;               ///< epb_flags; the two lowest bits: 1 inbound, 2 outbound
        std::string comment;         ///< the first opt_comment, or ""
    };

    explicit PcapngIndex(const std::string& path);
    /// The file is one of this format.
    bool is_pcapng() const { return is_pcapng_; }
    /// Where in the file the block begins that next() has read last, or could not read.
    u64 offset() const { return offset_; }
    /// The next packet's note; nothing at the end, in a file of another format, or when it is broken.
    std::optional<Note> next();

private:
    bool read_block(u32& type, std::vector<u8>& body);
    u32 get32(const u8* p) const;
    u16 get16(const u8* p) const;
    /// The value of an option in the list that begins at `at`.
    std::optional<Bytes> option(Bytes body, std::size_t at, u16 code) const;
    std::optional<Note> packet(u32 type, Bytes body) const;

    std::ifstream file_;
    bool is_pcapng_ = false;
    u64 offset_ = 0;
    u64 next_offset_ = 0;
    std::vector<u8> body_;
    bool swapped_ = false;  ///< the section was written in the other byte order
    std::vector<std::string> names_;
};

}  // namespace tapestry
