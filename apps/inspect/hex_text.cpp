#include "apps/inspect/hex_text.h"

#include <string_view>

namespace tapestry {

std::string hex_text(Bytes bytes) {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const u8 byte : bytes) {
        text += kDigits[byte >> 4U];
        text += kDigits[byte & 15U];
    }
    return text;
}

}  // namespace tapestry
