#include "apps/toml_file.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "apps/duration.h"
#include "apps/failure.h"
#include "apps/nearest.h"
#include "apps/toml_node.h"

namespace tapestry {
namespace {

using Kind = TomlNode::Kind;

/// 0.5 as "0.5", 5 as "5".
std::string text_of_number(double number) {
    char buffer[32];
    const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, number);
    return {buffer, end};
}

/// A value, as a message shows it.
std::string describe(const TomlNode& node) {
    switch (node.kind) {
        case Kind::String:
            return '"' + node.string + '"';
        case Kind::Integer:
            return std::to_string(node.integer);
        case Kind::Float:
            return text_of_number(node.number);
        case Kind::Boolean:
            return node.boolean ? "true" : "false";
        case Kind::Date:
            return "a date or time";
        case Kind::List:
            return "a list";
        case Kind::Table:
            return "a table";
    }
    return "?";
}

}  // namespace

TomlTable::TomlTable(std::shared_ptr<const TomlDocument> document, const TomlNode& node,
                     std::string path)
    : document_(std::move(document)),
      node_(&node),
      path_(std::move(path)),
      asked_(std::make_shared<std::set<std::string, std::less<>>>()) {}

const TomlNode* TomlTable::find(std::string_view key) const {
    asked_->emplace(key);
    const auto found = std::ranges::find(node_->children, key, &TomlNode::key);
    return found == node_->children.end() ? nullptr : &*found;
}

bool TomlTable::has(std::string_view key) const { return find(key) != nullptr; }

std::vector<std::string> TomlTable::keys() const {
    std::vector<std::string> keys;
    keys.reserve(node_->children.size());
    for (const TomlNode& child : node_->children) keys.push_back(child.key);
    return keys;
}

std::string TomlTable::full(std::string_view key) const {
    return path_.empty() ? std::string(key) : path_ + '.' + std::string(key);
}

void TomlTable::unexpected(const TomlNode& node, std::string_view key,
                           std::string_view wanted) const {
    throw Failure(kUsage, document_->place(node.line, node.column) + ": " + full(key) +
                              ": expected " + std::string(wanted) + ", found " + describe(node));
}

void TomlTable::refuse(const std::string& message) const {
    throw Failure(kUsage, document_->place(node_->line, node_->column) + ": " +
                              (path_.empty() ? "" : path_ + ": ") + message);
}

void TomlTable::refuse(std::string_view key, const std::string& message) const {
    const TomlNode* node = find(key);
    if (node == nullptr) refuse(std::string(key) + ": " + message);
    throw Failure(kUsage,
                  document_->place(node->line, node->column) + ": " + full(key) + ": " + message);
}

const TomlNode* TomlTable::text_of(std::string_view key, std::string_view wanted) const {
    const TomlNode* node = find(key);
    if (node != nullptr && node->kind != Kind::String) unexpected(*node, key, wanted);
    return node;
}

std::optional<std::string> TomlTable::string(std::string_view key) const {
    const TomlNode* node = text_of(key, "a text in quotes");
    if (node == nullptr) return std::nullopt;
    return node->string;
}

std::optional<TomlString> TomlTable::located(std::string_view key) const {
    const TomlNode* node = text_of(key, "a text in quotes");
    if (node == nullptr) return std::nullopt;
    return TomlString(document_, *node);
}

std::optional<i64> TomlTable::integer(std::string_view key, i64 low, i64 high) const {
    const TomlNode* node = find(key);
    if (node == nullptr) return std::nullopt;
    if (node->kind != Kind::Integer || node->integer < low || node->integer > high) {
        unexpected(*node, key,
                   "a whole number from " + std::to_string(low) + " to " + std::to_string(high));
    }
    return node->integer;
}

std::optional<double> TomlTable::number(std::string_view key, double low, double high) const {
    const TomlNode* node = find(key);
    if (node == nullptr) return std::nullopt;
    const bool number = node->kind == Kind::Integer || node->kind == Kind::Float;
    if (!number || !(node->number >= low && node->number <= high)) {
        unexpected(*node, key,
                   "a number from " + text_of_number(low) + " to " + text_of_number(high));
    }
    return node->number;
}

std::optional<bool> TomlTable::boolean(std::string_view key) const {
    const TomlNode* node = find(key);
    if (node == nullptr) return std::nullopt;
    if (node->kind != Kind::Boolean) unexpected(*node, key, "true or false");
    return node->boolean;
}

std::optional<Duration> TomlTable::duration(std::string_view key, Duration low) const {
    std::string wanted = "a time like \"30s\", \"2h4m\" or \"250ms\"";
    if (low >= 1s) wanted += ", at least " + std::to_string(low / 1s) + " s";
    const TomlNode* node = text_of(key, wanted);
    if (node == nullptr) return std::nullopt;
    const auto duration = parse_duration(node->string);
    if (!duration || *duration < low) unexpected(*node, key, wanted);
    return duration;
}

std::optional<Ipv4Address> TomlTable::address(std::string_view key) const {
    constexpr auto kWanted = "an address like \"192.168.3.1\"";
    const TomlNode* node = text_of(key, kWanted);
    if (node == nullptr) return std::nullopt;
    const auto address = Ipv4Address::parse(node->string);
    if (!address) unexpected(*node, key, kWanted);
    return address;
}

std::optional<Ipv4Prefix> TomlTable::prefix(std::string_view key) const {
    constexpr auto kWanted = "an address with its prefix length, like \"192.168.3.1/24\"";
    const TomlNode* node = text_of(key, kWanted);
    if (node == nullptr) return std::nullopt;
    const auto prefix = Ipv4Prefix::parse(node->string);
    if (!prefix || node->string.find('/') == std::string::npos) unexpected(*node, key, kWanted);
    return prefix;
}

std::optional<MacAddress> TomlTable::mac(std::string_view key) const {
    constexpr auto kWanted = "an Ethernet address of one station, like \"02:00:00:00:00:01\"";
    const TomlNode* node = text_of(key, kWanted);
    if (node == nullptr) return std::nullopt;
    const auto mac = MacAddress::parse(node->string);
    if (!mac || mac->is_group() || mac->is_zero()) unexpected(*node, key, kWanted);
    return mac;
}

std::optional<double> TomlTable::percentage(std::string_view key) const {
    constexpr auto kWanted = "a part of a hundred, like 5 or \"0.5%\"";
    const TomlNode* node = find(key);
    if (node == nullptr) return std::nullopt;
    double value = node->number;
    if (node->kind == Kind::String) {
        const char* last = node->string.data() + node->string.size();
        const auto [end, error] = std::from_chars(node->string.data(), last, value);
        if (error != std::errc() || last - end != 1 || *end != '%') unexpected(*node, key, kWanted);
    } else if (node->kind != Kind::Integer && node->kind != Kind::Float) {
        unexpected(*node, key, kWanted);
    }
    if (!(value >= 0 && value <= 100)) unexpected(*node, key, kWanted);
    return value;
}

std::optional<std::size_t> TomlTable::choice(std::string_view key,
                                             const std::vector<std::string_view>& words) const {
    std::string wanted;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) wanted += i + 1 == words.size() ? " or " : ", ";
        wanted += '"' + std::string(words[i]) + '"';
    }
    const TomlNode* node = text_of(key, wanted);
    if (node == nullptr) return std::nullopt;
    const auto found = std::ranges::find(words, node->string);
    if (found == words.end()) unexpected(*node, key, wanted);
    return static_cast<std::size_t>(found - words.begin());
}

std::vector<TomlString> TomlTable::strings(std::string_view key) const {
    constexpr auto kWanted = "a list of texts, like [\"one\", \"two\"]";
    std::vector<TomlString> strings;
    const TomlNode* node = find(key);
    if (node == nullptr) return strings;
    if (node->kind != Kind::List) unexpected(*node, key, kWanted);
    for (const TomlNode& child : node->children) {
        if (child.kind != Kind::String) unexpected(child, key, kWanted);
        strings.emplace_back(document_, child);
    }
    return strings;
}

std::optional<TomlTable> TomlTable::table(std::string_view key) const {
    const TomlNode* node = find(key);
    if (node == nullptr) return std::nullopt;
    if (node->kind != Kind::Table) unexpected(*node, key, "a table, [" + full(key) + ']');
    return TomlTable(document_, *node, full(key));
}

std::vector<TomlTable> TomlTable::tables(std::string_view key) const {
    std::vector<TomlTable> tables;
    const TomlNode* node = find(key);
    if (node == nullptr) return tables;
    const std::string wanted = "tables, each under [[" + full(key) + "]]";
    if (node->kind != Kind::List) unexpected(*node, key, wanted);
    for (const TomlNode& child : node->children) {
        if (child.kind != Kind::Table) unexpected(child, key, wanted);
        tables.push_back(TomlTable(document_, child, full(key)));
    }
    return tables;
}

void TomlTable::finish() const {
    for (const TomlNode& child : node_->children) {
        if (asked_->contains(child.key)) continue;
        const std::vector<std::string_view> known(asked_->begin(), asked_->end());
        throw Failure(kUsage, document_->place(child.key_line, child.key_column) + ": " +
                                  full(child.key) + ": the key is not known" +
                                  did_you_mean(child.key, known));
    }
}

TomlTable parse_toml(std::string text, const std::string& name) {
    auto document = std::make_shared<TomlDocument>();
    document->name = name;
    document->text = std::move(text);
    parse_document(*document);
    const TomlNode& root = document->root;
    return TomlTable(std::move(document), root, "");
}

TomlTable read_toml(const std::string& path) {
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) {
        throw Failure(kUsage, path + ": expected a TOML file, found a directory");
    }
    std::ifstream file(path, std::ios::binary);
    if (!file) throw Failure(kUsage, path + ": cannot be read: " + std::strerror(errno));
    return parse_toml({std::istreambuf_iterator<char>(file), {}}, path);
}

}  // namespace tapestry
