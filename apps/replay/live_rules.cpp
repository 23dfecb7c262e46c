#include "apps/replay/live_rules.h"

#include <algorithm>
#include <cctype>

#include "apps/failure.h"

namespace tapestry {
namespace {

constexpr std::size_t kRules = static_cast<std::size_t>(LiveRule::kCount);

struct Row {
    std::string_view name;
    std::string_view text;
    bool usual = true;
};
constexpr std::array<Row, kRules> kRows{{
    {"http_date", "Date, Last-Modified, Expires, Age and the conditions with dates"},
    {"http_etag", "ETag, If-Match, If-None-Match"},
    {"http_server", "Server, X-Powered-By"},
    {"http_host", "Host"},
    {"http_user_agent", "User-Agent"},
    {"http_chunks", "where a chunked body is cut"},
    {"http_connection", "Connection, Keep-Alive", false},
}};

struct Field {
    std::string_view name;
    LiveRule rule;
};
constexpr std::array kFields{
    Field{"date", LiveRule::HttpDate},
    Field{"last-modified", LiveRule::HttpDate},
    Field{"expires", LiveRule::HttpDate},
    Field{"age", LiveRule::HttpDate},
    Field{"if-modified-since", LiveRule::HttpDate},
    Field{"if-unmodified-since", LiveRule::HttpDate},
    Field{"etag", LiveRule::HttpEtag},
    Field{"if-match", LiveRule::HttpEtag},
    Field{"if-none-match", LiveRule::HttpEtag},
    Field{"server", LiveRule::HttpServer},
    Field{"x-powered-by", LiveRule::HttpServer},
    Field{"host", LiveRule::HttpHost},
    Field{"user-agent", LiveRule::HttpUserAgent},
    Field{"connection", LiveRule::HttpConnection},
    Field{"keep-alive", LiveRule::HttpConnection},
};

const Row& row(LiveRule rule) { return kRows[static_cast<std::size_t>(rule)]; }

}  // namespace

std::string_view name(LiveRule rule) { return row(rule).name; }
std::string_view text(LiveRule rule) { return row(rule).text; }

std::optional<LiveRule> rule_of_field(std::string_view field) {
    const auto same = [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) == b;
    };
    for (const Field& known : kFields) {
        if (std::ranges::equal(field, known.name, same)) return known.rule;
    }
    return std::nullopt;
}

std::vector<std::string> LiveRules::names() const {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < kRules; ++i) {
        if (has(static_cast<LiveRule>(i))) names.emplace_back(kRows[i].name);
    }
    return names;
}

LiveRules LiveRules::chosen(bool strict, const std::vector<std::string>& besides) {
    LiveRules rules;
    for (std::size_t i = 0; i < kRules && !strict; ++i) {
        if (kRows[i].usual) rules.add(static_cast<LiveRule>(i));
    }
    for (const std::string& wanted : besides) {
        const auto found = std::ranges::find(kRows, wanted, &Row::name);
        if (found == kRows.end()) {
            std::string all;
            for (const Row& known : kRows) all += ' ' + std::string(known.name);
            throw Failure(kUsage, "replay: --ignore: no rule \"" + wanted + "\"; there are" + all);
        }
        rules.add(static_cast<LiveRule>(found - kRows.begin()));
    }
    return rules;
}

}  // namespace tapestry
