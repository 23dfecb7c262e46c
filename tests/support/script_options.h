#pragma once

#include <functional>
#include <string>
#include <vector>

#include "stack/base/types.h"
#include "tests/support/script_text.h"

namespace tapestry::test {

/// One TCP option as a script writes it, in its place: TcpOptions would lose the order and the
/// padding, which scripts are about.
struct ScriptOption {
    enum class Kind : u8 { Eol, Nop, Mss, WindowScale, SackOk, Timestamps, Sack, Raw };
    Kind kind = Kind::Nop;
    u32 value = 0;          ///< MSS, shift, TSval
    u32 echo = 0;           ///< TSecr
    std::vector<u8> raw{};  ///< bytes as they stand: `raw fe040102`, or what is not known
    std::vector<std::pair<u32, u32>> blocks{};

    friend bool operator==(const ScriptOption&, const ScriptOption&) = default;
};

struct ScriptOptions {
    bool any = false;  ///< `<...>`
    std::vector<ScriptOption> list;
};

/// How the numbers in options are said in the other's terms.
struct OptionNumbers {
    std::function<u32(u32)> stamp;  ///< TSval
    std::function<u32(u32)> echo;   ///< TSecr
    std::function<u32(u32)> sequence;
};

/// From behind the `<` to the `>`. Throws ScriptSyntaxError.
ScriptOptions parse_options(Cursor& cursor);
std::vector<ScriptOption> decode_options(Bytes bytes);
/// Padded with EOL to a multiple of four bytes.
std::vector<u8> encode_options(const std::vector<ScriptOption>& options);
std::vector<ScriptOption> translated(std::vector<ScriptOption> options,
                                     const OptionNumbers& numbers);
/// "<mss 1460,nop,wscale 7>", or "" when there are none.
std::string to_string(const std::vector<ScriptOption>& options);

}  // namespace tapestry::test
