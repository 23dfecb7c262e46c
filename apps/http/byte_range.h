#pragma once

#include <optional>
#include <string_view>

#include "stack/base/types.h"

namespace tapestry {

/// What a Range field asks for of a resource of a known size (RFC 9110 section 14).
struct ByteRange {
    enum class Kind : u8 {
        Whole,          ///< nothing that we serve by range: the whole resource, status 200
        Part,           ///< status 206
        Unsatisfiable,  ///< status 416
    };
    Kind kind = Kind::Whole;
    u64 first = 0;
    u64 length = 0;
};

/// One range of bytes: "bytes=0-99", "bytes=100-", "bytes=-50". A field that is malformed, in another
/// unit, or asks for several ranges is ignored, as RFC 9110 14.2 allows: many tiny ranges are a way to
/// make a server work (CVE-2011-3192).
ByteRange parse_range(std::string_view field, u64 size);

}  // namespace tapestry
