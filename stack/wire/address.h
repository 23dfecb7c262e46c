#pragma once

#include <array>
#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "stack/wire/endian.h"

namespace tapestry {

/// A 48-bit Ethernet address.
class MacAddress {
public:
    static constexpr std::size_t kSize = 6;

    constexpr MacAddress() = default;
    constexpr explicit MacAddress(std::array<u8, kSize> octets) : octets_(octets) {}
    /// The six bytes at p.
    static MacAddress load(const u8* p);
    void store(u8* p) const;
    /// "02:00:00:00:00:01", also with '-'. Nothing else.
    static std::optional<MacAddress> parse(std::string_view text);
    static constexpr MacAddress broadcast() {
        return MacAddress({0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
    }

    constexpr const std::array<u8, kSize>& octets() const { return octets_; }
    /// Multicast or broadcast: the group bit is set.
    constexpr bool is_group() const { return (octets_[0] & 1) != 0; }
    constexpr bool is_broadcast() const { return *this == broadcast(); }
    constexpr bool is_zero() const { return *this == MacAddress(); }
    std::string to_string() const;

    friend constexpr bool operator==(const MacAddress&, const MacAddress&) = default;
    friend constexpr auto operator<=>(const MacAddress&, const MacAddress&) = default;

private:
    std::array<u8, kSize> octets_{};
};

/// An IPv4 address, held in host byte order.
class Ipv4Address {
public:
    static constexpr std::size_t kSize = 4;

    constexpr Ipv4Address() = default;
    constexpr explicit Ipv4Address(u32 host_order) : value_(host_order) {}
    constexpr Ipv4Address(u8 a, u8 b, u8 c, u8 d)
        : value_(static_cast<u32>(a) << 24 | static_cast<u32>(b) << 16 | static_cast<u32>(c) << 8 |
                 d) {}
    static Ipv4Address load(const u8* p) { return Ipv4Address(load_be32(p)); }
    void store(u8* p) const { store_be32(p, value_); }
    /// Four decimal numbers with dots, each 0 to 255, no leading zeros.
    static std::optional<Ipv4Address> parse(std::string_view text);
    static constexpr Ipv4Address broadcast() { return Ipv4Address(0xffffffff); }

    constexpr u32 value() const { return value_; }
    constexpr bool is_unspecified() const { return value_ == 0; }
    /// 0.0.0.0/8, "this network" (RFC 1122 3.2.1.3).
    constexpr bool is_this_network() const { return value_ >> 24 == 0; }
    constexpr bool is_loopback() const { return value_ >> 24 == 127; }
    constexpr bool is_multicast() const { return value_ >> 28 == 0xe; }
    /// 240.0.0.0/4 without the broadcast address (RFC 1112 section 4).
    constexpr bool is_reserved() const { return value_ >> 28 == 0xf && !is_broadcast(); }
    constexpr bool is_broadcast() const { return value_ == 0xffffffff; }
    /// Can be one host's address on a wire, as far as one can say without knowing the subnet.
    constexpr bool is_unicast() const {
        return !is_this_network() && !is_loopback() && value_ >> 28 < 0xe;
    }
    std::string to_string() const;

    friend constexpr bool operator==(Ipv4Address, Ipv4Address) = default;
    friend constexpr auto operator<=>(Ipv4Address, Ipv4Address) = default;

private:
    u32 value_ = 0;
};

/// An address with a prefix length: of an interface (host bits kept) or of a route.
struct Ipv4Prefix {
    Ipv4Address address;
    u8 length = 32;  ///< 0 to 32

    /// "192.168.3.10/24"; without a slash the length is 32.
    static std::optional<Ipv4Prefix> parse(std::string_view text);
    constexpr u32 mask() const { return length == 0 ? 0 : ~u32{0} << (32 - length); }
    constexpr bool contains(Ipv4Address a) const {
        return ((a.value() ^ address.value()) & mask()) == 0;
    }
    constexpr Ipv4Address network() const { return Ipv4Address(address.value() & mask()); }
    /// The subnet's broadcast address; none below /31 (RFC 3021).
    constexpr std::optional<Ipv4Address> subnet_broadcast() const {
        if (length > 30) return std::nullopt;
        return Ipv4Address(address.value() | ~mask());
    }
    std::string to_string() const;

    friend constexpr bool operator==(const Ipv4Prefix&, const Ipv4Prefix&) = default;
};

/// One end of a conversation: address and port.
struct Endpoint {
    Ipv4Address address;
    u16 port = 0;

    std::string to_string() const;
    friend constexpr bool operator==(const Endpoint&, const Endpoint&) = default;
    friend constexpr auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

}  // namespace tapestry
