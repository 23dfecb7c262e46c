#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/hostile/host.h"

namespace tapestry::test {

inline std::vector<u8> text_bytes(std::string_view text) { return {text.begin(), text.end()}; }

/// The other end of one connection, honest until a test has it lie: it keeps the numbers that an honest
/// peer would, and sends whatever it is told to.
class TcpPeer {
public:
    static constexpr u8 kSyn = TcpFlags::kSyn;
    static constexpr u8 kAck = TcpFlags::kAck;
    static constexpr u8 kFin = TcpFlags::kFin;
    static constexpr u8 kRst = TcpFlags::kRst;
    static constexpr u8 kPsh = TcpFlags::kPsh;
    static constexpr u8 kUrg = TcpFlags::kUrg;

    HostileHost& host;
    Ipv4Address address = kPeer;
    u16 port = 1000;
    u16 server = 80;
    u32 seq = 5000;      ///< of what comes next from us
    u32 ack = 0;         ///< of what we expect from the stack
    u16 window = 65535;  ///< as in the header
    bool keep_seen = false;
    std::vector<SeenSegment> seen{};  ///< with keep_seen: all that has been heard

    /// `at` and `acking` stand in for the right numbers; with `at` nothing is remembered as sent.
    void send(u8 flags, std::vector<u8> text = {}, std::optional<u32> at = {},
              std::optional<u32> acking = {}, std::vector<u8> options = {}) {
        const auto size = static_cast<u32>(text.size());
        RawTcp segment{.source_port = port,
                       .destination_port = server,
                       .seq = at.value_or(seq),
                       .ack = acking.value_or((flags & kAck) != 0 ? ack : 0),
                       .flags = flags,
                       .window = window,
                       .options = std::move(options),
                       .text = std::move(text)};
        if (!at) seq += size + ((flags & kSyn) != 0 ? 1U : 0U) + ((flags & kFin) != 0 ? 1U : 0U);
        host.feed(segment.frame(address));
    }
    /// The segments for us since the last time; what came in order is acknowledged by what we send next.
    std::vector<SeenSegment> hear() {
        std::vector<SeenSegment> list;
        for (SeenSegment& seen_now : host.take_segments()) {
            if (seen_now.to != address || seen_now.destination_port != port) continue;
            if ((seen_now.flags & kSyn) != 0) ack = seen_now.seq;
            if (seen_now.seq == ack) {
                ack += static_cast<u32>(seen_now.text.size()) +
                       ((seen_now.flags & kSyn) != 0 ? 1U : 0U) +
                       ((seen_now.flags & kFin) != 0 ? 1U : 0U);
            }
            list.push_back(std::move(seen_now));
        }
        if (keep_seen) seen.insert(seen.end(), list.begin(), list.end());
        return list;
    }
    /// What a handshake with these options in the SYN leads to.
    testing::AssertionResult open(std::vector<u8> options = {2, 4, 5, 180}) {
        send(kSyn, {}, {}, {}, std::move(options));
        const auto answer = hear();
        if (answer.empty()) return testing::AssertionFailure() << "the SYN was not answered";
        if (answer.back().flags != (kSyn | kAck) || answer.back().ack != seq) {
            return testing::AssertionFailure() << "the SYN was answered by another segment";
        }
        send(kAck);
        return testing::AssertionSuccess();
    }
    /// Asks for `size` bytes and takes them all.
    testing::AssertionResult get(std::size_t size) {
        send(kAck | kPsh, text_bytes("GET /" + std::to_string(size) + " HTTP/1.1\r\n\r\n"));
        return take_page(size);
    }
    /// Takes the answer to get(), acknowledging all that comes, until the stack's FIN; then sends its own.
    testing::AssertionResult take_page(std::size_t size) {
        std::size_t got = 0;
        bool ended = false;
        for (int quiet = 0; quiet < 20 && !ended;) {
            const u32 before = ack;
            for (const SeenSegment& segment : hear()) {
                if (segment.flags & kRst) return testing::AssertionFailure() << "a reset";
                ended = ended || (segment.flags & kFin) != 0;
                if (got == 0 && !segment.text.empty() && segment.text[0] != 'H') {
                    return testing::AssertionFailure() << "no HTTP answer";
                }
                got += segment.text.size();
            }
            quiet = ack == before ? quiet + 1 : 0;
            if (ack != before) {
                send(kAck);
            } else {
                host.pass(100ms);
            }
        }
        if (!ended) return testing::AssertionFailure() << "no end after " << got << " bytes";
        const std::size_t whole = size + std::string_view("HTTP/1.1 200 OK\r\n\r\n").size();
        if (got != whole) return testing::AssertionFailure() << got << " bytes of " << whole;
        send(kAck | kFin);
        (void)hear();
        return testing::AssertionSuccess();
    }
};

}  // namespace tapestry::test
