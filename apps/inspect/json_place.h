#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "stack/base/types.h"

namespace tapestry {

/// A value of a JSON document and where it stands, so that whatever is wrong with it can be said with its
/// place. Everything that does not fit throws Wrong.
class JsonPlace {
public:
    /// "steps[3].frame: expected a number, not \"x\"".
    class Wrong : public std::runtime_error {
    public:
        using std::runtime_error::runtime_error;
    };

    JsonPlace(const nlohmann::json& json, std::string place)
        : json_(&json), place_(std::move(place)) {}

    /// The member of an object that must be there; that may be.
    JsonPlace at(const char* key) const;
    std::optional<JsonPlace> find(const char* key) const;
    /// The elements of a list.
    std::vector<JsonPlace> list() const;

    u64 number(u64 most = ~u64{0}) const;
    i64 integer() const;  ///< nanoseconds: within 146 years
    bool flag() const;
    const std::string& string() const;
    std::vector<std::string> strings() const;
    std::vector<u8> bytes() const;  ///< hexadecimal digits
    /// An index of a list of `size` elements that are called `what`.
    u32 index(std::size_t size, const char* what) const;
    bool null() const { return json_->is_null(); }

    const nlohmann::json& json() const { return *json_; }
    [[noreturn]] void refuse(const std::string& what) const;
    /// "expected ..., not VALUE".
    [[noreturn]] void expected(const std::string& what) const;

private:
    const nlohmann::json* json_;
    std::string place_;
};

}  // namespace tapestry
