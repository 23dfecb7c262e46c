#include "stack/wire/tcp_options.h"

#include <algorithm>

#include "stack/wire/endian.h"

namespace tapestry {
namespace {

constexpr u8 kNop = static_cast<u8>(TcpOptionKind::NoOperation);
constexpr std::size_t kTimestampsLength = 10;
constexpr std::size_t kSackBlockLength = 8;

void parse_sack(Bytes data, TcpOptions& options) {
    if (data.empty() || data.size() % kSackBlockLength != 0) return;
    options.sack_count = 0;
    for (; !data.empty() && options.sack_count < TcpOptions::kMaxSackBlocks;
         data = data.subspan(kSackBlockLength)) {
        options.sack_blocks.at(options.sack_count++) = {SeqNum(load_be32(&data[0])),
                                                        SeqNum(load_be32(&data[4]))};
    }
}

/// `data` is what follows kind and length.
void parse_option(TcpOptionKind kind, Bytes data, TcpOptions& options) {
    switch (kind) {
        case TcpOptionKind::MaximumSegmentSize:
            if (data.size() == 2) options.mss = load_be16(data.data());
            break;
        case TcpOptionKind::WindowScale:
            if (data.size() == 1) options.window_scale = data[0];
            break;
        case TcpOptionKind::SackPermitted:
            if (data.empty()) options.sack_permitted = true;
            break;
        case TcpOptionKind::Timestamps:
            if (data.size() == kTimestampsLength - 2) {
                options.timestamps = TcpTimestamps{load_be32(&data[0]), load_be32(&data[4])};
            }
            break;
        case TcpOptionKind::Sack:
            parse_sack(data, options);
            break;
        // RFC 9293 3.1, MUST-6: "A TCP implementation MUST (MUST-6) ignore without error any TCP
        // Option it does not implement, assuming that the option has a length field."
        default:
            break;
    }
}

u8* put(u8* p, TcpOptionKind kind, std::size_t length) {
    *p++ = static_cast<u8>(kind);
    *p++ = static_cast<u8>(length);
    return p;
}

u8* put_timestamps(u8* p, const TcpTimestamps& timestamps) {
    p = put(p, TcpOptionKind::Timestamps, kTimestampsLength);
    store_be32(p, timestamps.value);
    store_be32(p + 4, timestamps.echo_reply);
    return p + 8;
}

/// SACK-permitted and timestamps share two words when both are there; alone each is led by two NOPs.
u8* put_sack_permitted_and_timestamps(u8* p, const TcpOptions& options) {
    if (!options.sack_permitted && !options.timestamps) return p;
    if (options.sack_permitted && options.timestamps) {
        p = put(p, TcpOptionKind::SackPermitted, 2);
        return put_timestamps(p, *options.timestamps);
    }
    *p++ = kNop;
    *p++ = kNop;
    if (options.timestamps) return put_timestamps(p, *options.timestamps);
    return put(p, TcpOptionKind::SackPermitted, 2);
}

std::size_t size_without_sack(const TcpOptions& options) {
    std::size_t size = 0;
    if (options.mss) size += 4;
    if (options.timestamps) {
        size += 12;
    } else if (options.sack_permitted) {
        size += 4;
    }
    if (options.window_scale) size += 4;
    return size;
}

u8* put_sack(u8* p, const TcpOptions& options) {
    const std::size_t count = options.sack_blocks_that_fit();
    if (count == 0) return p;
    *p++ = kNop;
    *p++ = kNop;
    p = put(p, TcpOptionKind::Sack, 2 + kSackBlockLength * count);
    for (std::size_t i = 0; i < count; ++i) {
        store_be32(p, options.sack_blocks.at(i).left.value());
        store_be32(p + 4, options.sack_blocks.at(i).right.value());
        p += kSackBlockLength;
    }
    return p;
}

}  // namespace

std::expected<TcpOptions, Drop> TcpOptions::parse(Bytes options) {
    TcpOptions result;
    while (!options.empty()) {
        const auto kind = static_cast<TcpOptionKind>(options[0]);
        if (kind == TcpOptionKind::EndOfList) break;
        if (kind == TcpOptionKind::NoOperation) {
            options = options.subspan(1);
            continue;
        }
        if (options.size() < 2 || options[1] < 2 || options[1] > options.size()) {
            return std::unexpected(Drop::TcpBadOption);
        }
        const std::size_t length = options[1];
        parse_option(kind, options.subspan(2, length - 2), result);
        options = options.subspan(length);
    }
    return result;
}

std::size_t TcpOptions::write(u8* out) const {
    u8* p = out;
    if (mss) {
        p = put(p, TcpOptionKind::MaximumSegmentSize, 4);
        store_be16(p, *mss);
        p += 2;
    }
    p = put_sack_permitted_and_timestamps(p, *this);
    if (window_scale) {
        *p++ = kNop;
        p = put(p, TcpOptionKind::WindowScale, 3);
        *p++ = *window_scale;
    }
    p = put_sack(p, *this);
    return static_cast<std::size_t>(p - out);
}

std::size_t TcpOptions::size() const {
    const std::size_t blocks = sack_blocks_that_fit();
    return size_without_sack(*this) + (blocks > 0 ? 4 + kSackBlockLength * blocks : 0);
}

std::size_t TcpOptions::sack_blocks_that_fit() const {
    if (sack_count == 0) return 0;
    const std::size_t taken = size_without_sack(*this) + 4;
    const std::size_t room = taken < kMaxSize ? (kMaxSize - taken) / kSackBlockLength : 0;
    return std::min({std::size_t{sack_count}, kMaxSackBlocks, room});
}

}  // namespace tapestry
