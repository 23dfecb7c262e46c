#pragma once

#include <gtest/gtest.h>

#include "apps/inspect/observer.h"
#include "tests/support/packet_builder.h"

namespace tapestry::test {

inline constexpr Endpoint kClient{{10, 0, 0, 1}, 40000};
inline constexpr Endpoint kServer{{10, 0, 0, 2}, 80};
inline constexpr u8 kSyn = TcpFlags::kSyn;
inline constexpr u8 kAck = TcpFlags::kAck;
inline constexpr u8 kSynAck = TcpFlags::kSyn | TcpFlags::kAck;
inline constexpr u8 kFin = TcpFlags::kFin | TcpFlags::kAck;
inline constexpr u8 kRst = TcpFlags::kRst | TcpFlags::kAck;

/// A capture in the making: numbers count from 1000 (client) and 5000 (server).
struct MadeCapture {
    Observer observer{[this](const ObservedSegment& s) { segments.push_back(s); }};
    std::vector<ObservedSegment> segments;
    TimePoint now{};
    u64 number = 0;

    u16 mss = 0;  ///< in SYN and SYN-ACK, when it is not 0

    /// A packet of that side, to be changed and put.
    PacketBuilder packet(Side from, u8 flags, u32 seq, u32 ack, const std::string& text = "",
                         u16 window = 500) const {
        const bool client = from == Side::Client;
        TcpHeader tcp = tcp_header((client ? 1000 : 5000) + seq, flags,
                                   (flags & kAck) != 0 ? (client ? 5000 : 1000) + ack : 0);
        tcp.source_port = client ? kClient.port : kServer.port;
        tcp.destination_port = client ? kServer.port : kClient.port;
        tcp.window = window;
        if (mss != 0 && (flags & kSyn) != 0) tcp.options.mss = mss;
        PacketBuilder builder;
        builder.ip.source = client ? kClient.address : kServer.address;
        builder.ip.destination = client ? kServer.address : kClient.address;
        builder.tcp(tcp).payload({text.begin(), text.end()});
        return builder;
    }
    /// The frame's packet; of it the capture has `captured` bytes.
    bool put(const std::vector<u8>& frame, std::size_t captured = SIZE_MAX) {
        now += 1ms;
        const std::size_t size = frame.size() - EthernetView::kHeaderSize;
        const Bytes bytes = Bytes(frame).subspan(EthernetView::kHeaderSize);
        return observer.packet(++number, now, bytes.first(std::min(size, captured)), size);
    }
    const ObservedSegment& send(Side from, u8 flags, u32 seq, u32 ack, const std::string& text = "",
                                u16 window = 500) {
        EXPECT_TRUE(put(packet(from, flags, seq, ack, text, window).build()));
        return segments.back();
    }
    const ObservedSegment& client(u8 flags, u32 seq, u32 ack, const std::string& text = "",
                                  u16 window = 500) {
        return send(Side::Client, flags, seq, ack, text, window);
    }
    const ObservedSegment& server(u8 flags, u32 seq, u32 ack, const std::string& text = "",
                                  u16 window = 500) {
        return send(Side::Server, flags, seq, ack, text, window);
    }
    void open() {
        client(kSyn, 0, 0);
        server(kSynAck, 0, 1);
        client(kAck, 1, 1);
    }
    const ObservedStream& stream(std::size_t i = 0) { return observer.streams().at(i); }
};

}  // namespace tapestry::test
