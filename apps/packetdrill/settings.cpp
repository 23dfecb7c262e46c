#include "apps/packetdrill/settings.h"

#include <charconv>
#include <fstream>
#include <vector>

#include "drivers/config_text.h"

namespace tapestry::packetdrill {
namespace {

using Result = std::expected<void, std::string>;
using Pairs = std::vector<std::pair<std::string, std::string>>;

Result split(const std::string& text, const char* separators, Pairs& pairs) {
    std::size_t at = 0;
    while ((at = text.find_first_not_of(separators, at)) != std::string::npos) {
        const std::size_t end = std::min(text.find_first_of(separators, at), text.size());
        const std::string word = text.substr(at, end - at);
        const std::size_t equals = word.find('=');
        if (equals == std::string::npos) return std::unexpected(word + ": wanted key=value");
        pairs.emplace_back(word.substr(0, equals), word.substr(equals + 1));
        at = end;
    }
    return {};
}

Result read_file(const std::string& name, Pairs& pairs) {
    std::ifstream file(name);
    if (!file) return std::unexpected("config=" + name + ": cannot be read");
    for (std::string line; std::getline(file, line);) {
        const auto read = split(line.substr(0, line.find('#')), " \t\r", pairs);
        if (!read) return read;
    }
    return {};
}

std::expected<Ipv4Address, std::string> address_of(const std::string& text) {
    const auto address = Ipv4Address::parse(text);
    if (!address) return std::unexpected("wanted an IPv4 address");
    return *address;
}

Result set(Settings& settings, const std::string& key, const std::string& value) {
    if (key == "local_ip" || key == "gateway_ip") {
        const auto address = address_of(value);
        if (!address) return std::unexpected(address.error());
        (key == "local_ip" ? settings.local.address : settings.gateway) = *address;
        return {};
    }
    if (key == "mtu") {
        const char* end = value.data() + value.size();
        const auto read = std::from_chars(value.data(), end, settings.mtu);
        const bool right = read.ec == std::errc() && read.ptr == end && settings.mtu >= 68 &&
                           settings.mtu <= 65535;
        return right ? Result() : std::unexpected("wanted 68 to 65535");
    }
    if (key == "extra_packets") {
        settings.extra_packets = value == "allow";
        return settings.extra_packets || value == "fail" ? Result()
                                                         : std::unexpected("wanted allow or fail");
    }
    const auto done = set_config(settings.stack, key, value);
    if (!done && done.error().empty()) return std::unexpected("no setting is called so");
    return done;
}

}  // namespace

std::expected<Settings, std::string> parse_settings(const std::string& flags) {
    Pairs pairs;
    if (const auto read = split(flags, ", \t\n", pairs); !read) {
        return std::unexpected(read.error());
    }
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        if (pairs[i].first != "config") continue;
        const std::string name = pairs[i].second;
        if (const auto read = read_file(name, pairs); !read) return std::unexpected(read.error());
    }
    Settings settings;
    settings.stack.arp.announce = false;
    std::string profile = "linux";
    for (const auto& [key, value] : pairs) {
        if (key == "profile") profile = value;
    }
    if (!set_profile(settings.stack, profile)) {
        return std::unexpected("profile=" + profile + ": wanted linux or default");
    }
    for (const auto& [key, value] : pairs) {
        if (key == "profile" || key == "config") continue;
        if (const auto done = set(settings, key, value); !done) {
            return std::unexpected(key + '=' + value + ": " + done.error());
        }
    }
    return settings;
}

}  // namespace tapestry::packetdrill
