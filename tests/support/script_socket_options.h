#pragma once

#include <expected>
#include <optional>
#include <string>

#include "stack/stack.h"
#include "tests/support/script_text.h"

namespace tapestry::test {

/// A number alone, with a sign or without.
i64 integer(std::string_view text);
/// "[5]" or "5"
i64 boxed(std::string_view text);
/// The value of `name` in "{onoff=1, linger=0}".
std::optional<std::string> field(const std::string& text, std::string_view name);

/// setsockopt: an option of one socket by its name in C. EINVAL where Linux refuses a value before
/// TCP sees it.
std::expected<TcpSocketOptions, Errno> with_option(TcpSocketOptions options,
                                                   const std::string& name,
                                                   const std::string& value);
/// getsockopt: what a script must say of the option, "5" or "{onoff=1, linger=0}".
std::string option_text(const TcpSocket& socket, const TcpSocketOptions& options,
                        const StackConfig& config, const std::string& name);

}  // namespace tapestry::test
