#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/inspect/observer.h"
#include "drivers/pcap_reader.h"
#include "stack/wire/ethernet.h"

namespace tapestry {

/// One frame of a recording that concerns the played host. Whatever the link was that it was captured
/// on, it is an Ethernet frame without tags here.
struct RecordedFrame {
    /// How its TCP or UDP checksum is.
    enum class Sum : u8 {
        Right,
        Wrong,
        Partial,      ///< the pseudo-header's sum: captured in front of a device that completes it
        Disbelieved,  ///< wrong, as those of most frames from there: it says nothing
        Untouched,    ///< not looked at: no TCP or UDP, a fragment, or bytes are missing
    };

    u64 number = 0;    ///< of the record, from 1
    u64 offset = 0;    ///< of the record in the file, bytes
    TimePoint time{};  ///< since 1970
    std::vector<u8> bytes;
    u32 cut = 0;  ///< bytes at the end that the file does not have; they are zeros here
    bool ours = false;
    bool oversized = false;  ///< larger than a wire would carry: segmentation or receive offload
    Sum sum = Sum::Untouched;
    /// What the IPv4 header checksum was, where it was wrong: it has been made right.
    std::optional<u16> wrong_header_sum;
    /// Not compared by itself: a fragment of a TCP segment, or damaged on its way to the recorder.
    bool set_aside = false;
    /// Of TCP; its text lies in `bytes`, or in `whole` where this is the fragment that completes it.
    std::optional<Segment> segment;
    std::vector<u8> whole;   ///< the IP packet that came in fragments
    std::size_t stream = 0;  ///< with a segment: which conversation, as tshark counts

    /// The IP packet in it: a fragment is one too.
    Bytes packet() const { return Bytes(bytes).subspan(EthernetView::kHeaderSize); }
};

/// What a capture file has of one host: what it sent and what it got.
class Recording {
public:
    /// Reads the whole file. Throws Failure (kUsage): not a capture, broken, nothing of that host in it.
    /// A file that breaks off is used as far as it goes; broken() says so.
    ///
    /// A host of 127.0.0.0/8 that talks to itself is two: `loopback_side` of each TCP conversation is
    /// played. No wire carries such addresses, so the two get others here (kLoopbackHost,
    /// kLoopbackPeer).
    Recording(const std::string& path, Ipv4Address host, Side loopback_side = Side::Client);
    static constexpr Ipv4Address kLoopbackHost{192, 0, 2, 1};
    static constexpr Ipv4Address kLoopbackPeer{192, 0, 2, 2};

    const std::string& path() const { return path_; }
    /// Whom the stack plays; see loopback().
    Ipv4Address host() const { return loopback_ ? kLoopbackHost : host_; }
    /// The host talks to itself, and is two here.
    bool loopback() const { return loopback_; }
    const std::vector<std::unique_ptr<RecordedFrame>>& frames() const { return frames_; }
    /// Records read, and those that are no concern of the host.
    u64 records() const { return records_; }
    u64 skipped() const { return records_ - frames_.size(); }
    /// Why reading ended before the file did; "": it did not.
    const std::string& broken() const { return broken_; }
    MacAddress mac() const { return mac_; }
    /// The TCP conversations of the file, as `inspect` numbers them.
    const Observer& observer() const { return observer_; }

private:
    void read();
    void take(const PcapRecord& record, u64 offset);
    bool concerns_host(const NetworkPacket& packet, bool& ours);
    static void leave_loopback(MutableBytes ip, bool ours);
    void find_segment(RecordedFrame& frame, bool tcp);
    static void address_link(RecordedFrame& frame, const PcapRecord& record,
                             const NetworkPacket& packet);
    void agree_on_mac();
    void judge_checksums();
    void judge_header_sums();
    [[noreturn]] void refuse_empty() const;

    std::string path_;
    Ipv4Address host_;
    Side loopback_side_;
    bool loopback_;
    Observer observer_;
    CaptureFragments fragments_;
    std::vector<std::unique_ptr<RecordedFrame>> frames_;
    u64 records_ = 0;
    std::string broken_;
    MacAddress mac_;
    Side from_ = Side::Client;         ///< who sent the segment that the observer saw last
    std::size_t stream_ = 0;           ///< of the segment that the observer saw last
    std::map<Ipv4Address, u64> seen_;  ///< who sent how many frames
};

}  // namespace tapestry
