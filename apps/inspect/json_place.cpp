#include "apps/inspect/json_place.h"

namespace tapestry {

void JsonPlace::refuse(const std::string& what) const {
    throw Wrong(place_.empty() ? what : place_ + ": " + what);
}

void JsonPlace::expected(const std::string& what) const {
    constexpr std::size_t kMost = 40;
    std::string value = json_->dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
    if (value.size() > kMost) value = value.substr(0, kMost) + "...";
    refuse("expected " + what + ", not " + value);
}

std::optional<JsonPlace> JsonPlace::find(const char* key) const {
    if (!json_->is_object()) expected("an object");
    const auto found = json_->find(key);
    if (found == json_->end()) return std::nullopt;
    return JsonPlace(*found, place_.empty() ? key : place_ + '.' + key);
}

JsonPlace JsonPlace::at(const char* key) const {
    auto member = find(key);
    if (!member) refuse(std::string("there is no \"") + key + '"');
    return std::move(*member);
}

std::vector<JsonPlace> JsonPlace::list() const {
    if (!json_->is_array()) expected("a list");
    std::vector<JsonPlace> all;
    all.reserve(json_->size());
    for (std::size_t i = 0; i < json_->size(); ++i) {
        all.emplace_back((*json_)[i], place_ + '[' + std::to_string(i) + ']');
    }
    return all;
}

u64 JsonPlace::number(u64 most) const {
    if (!json_->is_number_unsigned()) expected("a number");
    const auto value = json_->get<u64>();
    if (value > most) expected("a number up to " + std::to_string(most));
    return value;
}

i64 JsonPlace::integer() const {
    constexpr i64 kMost = i64{1} << 62U;
    if (!json_->is_number_integer()) expected("a whole number");
    const bool huge = json_->is_number_unsigned() && json_->get<u64>() > u64{kMost};
    if (huge || json_->get<i64>() > kMost || json_->get<i64>() < -kMost) {
        expected("a number of nanoseconds");
    }
    return json_->get<i64>();
}

bool JsonPlace::flag() const {
    if (!json_->is_boolean()) expected("true or false");
    return json_->get<bool>();
}

const std::string& JsonPlace::string() const {
    if (!json_->is_string()) expected("a text");
    return json_->get_ref<const std::string&>();
}

std::vector<std::string> JsonPlace::strings() const {
    std::vector<std::string> all;
    for (const JsonPlace& one : list()) all.push_back(one.string());
    return all;
}

std::vector<u8> JsonPlace::bytes() const {
    const std::string& text = string();
    const auto digit = [this](char c) -> unsigned {
        if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
        if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
        expected("pairs of hexadecimal digits");
    };
    if (text.size() % 2 != 0) expected("pairs of hexadecimal digits");
    std::vector<u8> bytes(text.size() / 2);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<u8>(digit(text[2 * i]) << 4U | digit(text[2 * i + 1]));
    }
    return bytes;
}

u32 JsonPlace::index(std::size_t size, const char* what) const {
    const u64 value = number();
    if (value >= size) {
        refuse("there are " + std::to_string(size) + ' ' + what + ", so none has the number " +
               std::to_string(value));
    }
    return static_cast<u32>(value);
}

}  // namespace tapestry
