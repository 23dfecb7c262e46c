#pragma once

#include <string_view>
#include <vector>

#include "stack/base/types.h"

namespace tapestry {

/// Bytes written as hexadecimal digits; anything else between them is for the eye.
inline std::vector<u8> from_hex(std::string_view text) {
    std::vector<u8> bytes;
    int high = -1;
    for (const char c : text) {
        int digit = -1;
        if (c >= '0' && c <= '9') digit = c - '0';
        if (c >= 'a' && c <= 'f') digit = c - 'a' + 10;
        if (digit < 0) continue;
        if (high < 0) {
            high = digit;
        } else {
            bytes.push_back(static_cast<u8>(high * 16 + digit));
            high = -1;
        }
    }
    return bytes;
}

}  // namespace tapestry
