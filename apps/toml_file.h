#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "stack/base/time.h"
#include "stack/wire/address.h"

namespace tapestry {

struct TomlNode;
struct TomlDocument;

/// A string of a file, and where it stands.
class TomlString {
public:
    TomlString(std::shared_ptr<const TomlDocument> document, const TomlNode& node);

    const std::string& text() const { return text_; }
    /// Where a byte of the text stands in the file, escapes and line ends seen through:
    /// "home.toml:12:15".
    std::string place(std::size_t offset = 0) const;

private:
    std::shared_ptr<const TomlDocument> document_;
    const TomlNode* node_;
    std::string text_;
};

/// A table of a TOML file, read key by key. Every reading function returns nothing when the key is not
/// there, and throws Failure (kUsage) with one line when its value is not what is wanted:
///
///     home.toml:3:11: interface.address: expected an address with its prefix length, ..., found "x"
///
/// finish() then refuses the keys that nobody has asked for. Copies share what has been asked for.
class TomlTable {
public:
    std::optional<std::string> string(std::string_view key) const;
    std::optional<i64> integer(std::string_view key, i64 low, i64 high) const;
    /// An integer or a fraction.
    std::optional<double> number(std::string_view key, double low, double high) const;
    std::optional<bool> boolean(std::string_view key) const;
    /// "30s", "2h4m", "250ms".
    std::optional<Duration> duration(std::string_view key, Duration low = {}) const;
    std::optional<Ipv4Address> address(std::string_view key) const;
    /// "192.168.3.0/24"; the length must be there.
    std::optional<Ipv4Prefix> prefix(std::string_view key) const;
    std::optional<MacAddress> mac(std::string_view key) const;
    /// 5, 0.5 or "5%": of a hundred.
    std::optional<double> percentage(std::string_view key) const;
    /// One of these words; its index.
    std::optional<std::size_t> choice(std::string_view key,
                                      const std::vector<std::string_view>& words) const;
    /// A string together with its place, for those who find a fault in it later.
    std::optional<TomlString> located(std::string_view key) const;
    /// A list of strings; empty when the key is not there.
    std::vector<TomlString> strings(std::string_view key) const;

    /// [key]
    std::optional<TomlTable> table(std::string_view key) const;
    /// [[key]]; empty when the key is not there.
    std::vector<TomlTable> tables(std::string_view key) const;

    bool has(std::string_view key) const;
    /// The keys that are there, in their order; does not count as asking for them.
    std::vector<std::string> keys() const;
    /// The value, or a Failure: "home.toml:3:1: interface: address is missing (...)".
    template <typename T>
    T need(std::string_view key, std::optional<T> value, const std::string& example) const {
        if (!value) refuse(std::string(key) + " is missing (" + example + ")");
        return std::move(*value);
    }

    /// Refuses the first key that nobody has asked for, and names the nearest that somebody has.
    void finish() const;

    /// The table as a whole is at fault.
    [[noreturn]] void refuse(const std::string& message) const;
    /// The value of a key is.
    [[noreturn]] void refuse(std::string_view key, const std::string& message) const;

private:
    friend TomlTable read_toml(const std::string& path);
    friend TomlTable parse_toml(std::string text, const std::string& name);
    TomlTable(std::shared_ptr<const TomlDocument> document, const TomlNode& node, std::string path);

    const TomlNode* find(std::string_view key) const;
    const TomlNode* text_of(std::string_view key, std::string_view wanted) const;
    std::string full(std::string_view key) const;
    [[noreturn]] void unexpected(const TomlNode& node, std::string_view key,
                                 std::string_view wanted) const;

    std::shared_ptr<const TomlDocument> document_;
    const TomlNode* node_;
    std::string path_;  ///< "nat"; empty: the root
    std::shared_ptr<std::set<std::string, std::less<>>> asked_;
};

/// The root of a file. Throws Failure when it cannot be read or is not TOML.
TomlTable read_toml(const std::string& path);
/// The same of a text; `name` stands in the messages.
TomlTable parse_toml(std::string text, const std::string& name);

}  // namespace tapestry
