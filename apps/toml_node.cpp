#include "apps/toml_node.h"

#include <toml++/toml.h>

#include <algorithm>

#include "apps/failure.h"

namespace tapestry {
namespace {

u32 at_least_one(toml::source_index index) { return std::max<u32>(1, index); }

TomlNode convert(const toml::node& node);

void convert_table(const toml::table& table, TomlNode& into) {
    for (const auto& [key, value] : table) {
        TomlNode child = convert(value);
        child.key = key.str();
        child.key_line = at_least_one(key.source().begin.line);
        child.key_column = at_least_one(key.source().begin.column);
        into.children.push_back(std::move(child));
    }
    // toml++ sorts by name; people read from the top to the bottom.
    std::ranges::sort(into.children, [](const TomlNode& a, const TomlNode& b) {
        return std::tie(a.key_line, a.key_column) < std::tie(b.key_line, b.key_column);
    });
}

TomlNode convert(const toml::node& node) {
    using Kind = TomlNode::Kind;
    TomlNode result;
    result.line = at_least_one(node.source().begin.line);
    result.column = at_least_one(node.source().begin.column);
    if (const auto* text = node.as_string()) {
        result.kind = Kind::String;
        result.string = text->get();
    } else if (const auto* integer = node.as_integer()) {
        result.kind = Kind::Integer;
        result.integer = integer->get();
        result.number = static_cast<double>(integer->get());
    } else if (const auto* number = node.as_floating_point()) {
        result.kind = Kind::Float;
        result.number = number->get();
    } else if (const auto* boolean = node.as_boolean()) {
        result.kind = Kind::Boolean;
        result.boolean = boolean->get();
    } else if (const auto* list = node.as_array()) {
        result.kind = Kind::List;
        for (const toml::node& element : *list) result.children.push_back(convert(element));
    } else if (const auto* table = node.as_table()) {
        convert_table(*table, result);
    } else {
        result.kind = Kind::Date;
    }
    return result;
}

}  // namespace

std::string TomlDocument::place(u32 line, u32 column) const {
    return name + ':' + std::to_string(line) + ':' + std::to_string(column);
}

void parse_document(TomlDocument& document) {
    try {
        const toml::table table = toml::parse(std::string_view(document.text), document.name);
        convert_table(table, document.root);
    } catch (const toml::parse_error& error) {
        const toml::source_position& at = error.source().begin;
        throw Failure(kUsage, document.place(at_least_one(at.line), at_least_one(at.column)) +
                                  ": " + std::string(error.description()));
    }
}

}  // namespace tapestry
