#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stack/base/types.h"

namespace tapestry {

/// Why two streams may differ and still say the same.
enum class LiveRule : u8 {
    HttpDate,        ///< Date, Last-Modified, Expires, Age, If-Modified-Since ...
    HttpEtag,        ///< ETag, If-None-Match, If-Match
    HttpServer,      ///< Server, X-Powered-By
    HttpHost,        ///< Host
    HttpUserAgent,   ///< User-Agent
    HttpChunks,      ///< where a chunked body is cut
    HttpConnection,  ///< Connection, Keep-Alive; not used unless asked for
    kCount,
};

/// "http_date"
std::string_view name(LiveRule rule);
/// For people: which fields, in one line.
std::string_view text(LiveRule rule);
/// The rule that is about a field of HTTP, whatever the case of its letters.
std::optional<LiveRule> rule_of_field(std::string_view field);

/// Some of them.
class LiveRules {
public:
    void add(LiveRule rule) { bits_ |= bit(rule); }
    bool has(LiveRule rule) const { return (bits_ & bit(rule)) != 0; }
    bool empty() const { return bits_ == 0; }
    /// In the order of the enumeration.
    std::vector<std::string> names() const;

    /// All but http_connection; none with `strict`; and those with the names in `besides`. Throws
    /// Failure(kUsage) for a name that there is not.
    static LiveRules chosen(bool strict, const std::vector<std::string>& besides);

private:
    static u32 bit(LiveRule rule) { return 1U << static_cast<unsigned>(rule); }
    u32 bits_ = 0;
};

}  // namespace tapestry
