#include "tests/support/script_config.h"

#include <map>

#include "drivers/config_text.h"

namespace tapestry::test {
namespace {

using Setter = std::function<void(const std::string&)>;

template <typename Integer>
requires std::is_integral_v<Integer>
void assign(Integer& target, const std::string& text) {
    Cursor cursor(text);
    target = cursor.number<Integer>();
    if (!cursor.at_end()) cursor.fail("the end of the number");
}
void assign(Duration& target, const std::string& text) {
    const auto value = parse_duration(text);
    if (!value) throw ScriptSyntaxError("wanted a time like 200ms");
    target = *value;
}
void assign(Ipv4Address& target, const std::string& text) {
    const auto value = Ipv4Address::parse(text);
    if (!value) throw ScriptSyntaxError("wanted an IPv4 address");
    target = *value;
}
template <typename T>
void assign(std::optional<T>& target, const std::string& text) {
    assign(target.emplace(), text);
}

template <typename T>
Setter to(T& target) {
    return [&target](const std::string& text) { assign(target, text); };
}

}  // namespace

ScriptConfig make_config(const Script& script) {
    ScriptConfig config;
    config.stack.arp.announce = false;
    std::map<std::string, Setter> setters;
    setters["profile"] = [&config](const std::string& name) {
        if (!set_profile(config.stack, name)) throw ScriptSyntaxError("no such profile");
    };
    setters["local-ip"] = to(config.local.address);
    setters["gateway-ip"] = to(config.gateway);
    setters["remote-ip"] = to(config.remote);
    setters["local-port"] = to(config.local_port);
    setters["connect-port"] = to(config.connect_port);
    setters["remote-port"] = to(config.remote_port);
    setters["mtu"] = to(config.mtu);
    setters["super-frame"] = to(config.super_frame);
    setters["tolerance"] = to(config.tolerance);
    setters["iss"] = to(config.iss);
    setters["peer-iss"] = to(config.peer_iss);
    for (const Script::Setting& setting : script.settings) {
        const auto setter = setters.find(setting.name);
        const std::string where = script.name + ':' + std::to_string(setting.line) + ": ";
        const auto set = setter == setters.end()
                             ? set_config(config.stack, setting.name, setting.value)
                             : std::expected<void, std::string>();
        if (!set && set.error().empty()) {
            throw ScriptSyntaxError(where + "no setting is called \"" + setting.name + "\"");
        }
        if (!set) throw ScriptSyntaxError(where + setting.name + ": " + set.error());
        try {
            if (setter != setters.end()) setter->second(setting.value);
        } catch (const ScriptSyntaxError& error) {
            throw ScriptSyntaxError(where + setting.name + ": " + error.what());
        }
    }
    return config;
}

}  // namespace tapestry::test
