#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stack/base/time.h"
#include "stack/buf/frame.h"

namespace tapestry {

/// Writes a pcapng file (draft-ietf-opsawg-pcapng): one section, interfaces with timestamps in
/// nanoseconds, one enhanced packet block for each frame.
///
/// Blocks are gathered and written whole, so the file is valid after each flush. When a write fails
/// (a full disk) the file is cut back to the last whole block where that is possible, the failure is
/// told once, and everything written later is ignored: losing a capture never stops the traffic.
class PcapngWriter {
public:
    /// Which way a frame went, seen from the captured interface (epb_flags).
    enum class Way : u8 { Unknown = 0, Inbound = 1, Outbound = 2 };
    struct FrameInfo {
        u32 interface = 0;  ///< as add_interface() returned it
        TimePoint time{};   ///< since 1970, or since the origin of a virtual clock; not negative
        Way way = Way::Unknown;
        std::string_view comment = {};  ///< opt_comment, at most 65535 bytes; "": none
        u32 original_size = 0;  ///< on the wire, where the frame was cut; 0: all of it is there
    };
    struct InterfaceInfo {
        std::string_view name = {};         ///< if_name; "": it has none
        std::string_view description = {};  ///< if_description; "": none
        u16 link_type = 1;                  ///< tcpdump.org's LINKTYPE_ number; 1: Ethernet
    };

    /// Creates the file, or empties it. The error says what and why.
    static std::expected<PcapngWriter, std::string> open(const std::string& path);
    /// Keeps everything in bytes().
    static PcapngWriter in_memory();
    PcapngWriter(PcapngWriter&& other) noexcept;
    PcapngWriter& operator=(PcapngWriter&&) = delete;
    PcapngWriter(const PcapngWriter&) = delete;
    PcapngWriter& operator=(const PcapngWriter&) = delete;
    /// Flushes.
    ~PcapngWriter();

    /// Adds an interface description; its number is returned. May come between frames.
    u32 add_interface(const InterfaceInfo& info);
    u32 add_interface(std::string_view name) { return add_interface({.name = name}); }
    void write(const Frame& frame, const FrameInfo& info);
    void write(Bytes frame, const FrameInfo& info);
    /// Brings everything to the file. False when that, or an earlier write, failed.
    bool flush();

    /// Why writing has failed; nothing: it has not.
    const std::optional<std::string>& failure() const { return failure_; }
    /// Called once, when writing fails.
    void on_failure(std::function<void(const std::string&)> tell) { tell_ = std::move(tell); }
    /// What has been written, in_memory() only.
    const std::vector<u8>& bytes() const { return buffer_; }
    /// ... and forgets it: for a file that somebody else writes, piece by piece.
    std::vector<u8> take() { return std::exchange(buffer_, {}); }

private:
    PcapngWriter(int fd, std::string path);
    void fail(int error);
    void put16(u16 value);
    void put32(u32 value);
    void put_bytes(Bytes bytes);
    void put_option(u16 code, Bytes value);
    void begin_block(u32 type);
    void end_block();

    int fd_;  ///< -1: in memory
    std::string path_;
    std::vector<u8> buffer_;
    std::size_t block_at_ = 0;
    u64 file_size_ = 0;  ///< whole blocks that have reached the file
    u32 interfaces_ = 0;
    std::optional<std::string> failure_;
    std::function<void(const std::string&)> tell_;
};

}  // namespace tapestry
