#include "stack/wire/address.h"

#include <charconv>

namespace tapestry {
namespace {

/// A decimal number of at most `max`, without sign or leading zeros, that fills `text`.
std::optional<u32> parse_decimal(std::string_view text, u32 max) {
    if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
    u32 value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value > max) {
        return std::nullopt;
    }
    return value;
}

}  // namespace

MacAddress MacAddress::load(const u8* p) {
    std::array<u8, kSize> octets;
    std::memcpy(octets.data(), p, kSize);
    return MacAddress(octets);
}

void MacAddress::store(u8* p) const { std::memcpy(p, octets_.data(), kSize); }

std::optional<MacAddress> MacAddress::parse(std::string_view text) {
    if (text.size() != 3 * kSize - 1) return std::nullopt;
    const char separator = text[2];
    if (separator != ':' && separator != '-') return std::nullopt;
    std::array<u8, kSize> octets{};
    for (std::size_t i = 0; i < kSize; ++i) {
        const char* digits = text.data() + 3 * i;
        const auto [end, error] = std::from_chars(digits, digits + 2, octets[i], 16);
        if (error != std::errc() || end != digits + 2) return std::nullopt;
        if (i + 1 < kSize && digits[2] != separator) return std::nullopt;
    }
    return MacAddress(octets);
}

std::string MacAddress::to_string() const {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (const u8 octet : octets_) {
        if (!text.empty()) text += ':';
        text += kDigits[octet >> 4];
        text += kDigits[octet & 0xf];
    }
    return text;
}

std::optional<Ipv4Address> Ipv4Address::parse(std::string_view text) {
    u32 value = 0;
    for (int i = 0; i < 4; ++i) {
        const std::size_t dot = i < 3 ? text.find('.') : text.size();
        if (dot == std::string_view::npos) return std::nullopt;
        const auto octet = parse_decimal(text.substr(0, dot), 255);
        if (!octet) return std::nullopt;
        value = value << 8 | *octet;
        text.remove_prefix(i < 3 ? dot + 1 : dot);
    }
    return Ipv4Address(value);
}

std::string Ipv4Address::to_string() const {
    return std::to_string(value_ >> 24) + '.' + std::to_string(value_ >> 16 & 255) + '.' +
           std::to_string(value_ >> 8 & 255) + '.' + std::to_string(value_ & 255);
}

std::optional<Ipv4Prefix> Ipv4Prefix::parse(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto address = Ipv4Address::parse(text.substr(0, slash));
    if (!address) return std::nullopt;
    if (slash == std::string_view::npos) return Ipv4Prefix{*address, 32};
    const auto length = parse_decimal(text.substr(slash + 1), 32);
    if (!length) return std::nullopt;
    return Ipv4Prefix{*address, static_cast<u8>(*length)};
}

std::string Ipv4Prefix::to_string() const {
    return address.to_string() + '/' + std::to_string(length);
}

std::string Endpoint::to_string() const { return address.to_string() + ':' + std::to_string(port); }

}  // namespace tapestry
