#include "drivers/link_query.h"

#include <net/if.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>

#include "drivers/setup_error.h"

namespace tapestry {
namespace {

ifreq ask(int socket, unsigned long request, const std::string& name) {
    check_link_name(name);
    ifreq query{};
    std::copy(name.begin(), name.end(), query.ifr_name);
    if (ioctl(socket, request, &query) != 0) {
        throw SetupError("cannot ask about the interface \"" + name + "\"", errno,
                         "\"ip link\" lists those that are there");
    }
    return query;
}

}  // namespace

void check_link_name(const std::string& name) {
    const bool good = !name.empty() && name.size() < IFNAMSIZ && name != "." && name != ".." &&
                      name.find_first_of("/: \t\n") == std::string::npos &&
                      name.find('\0') == std::string::npos;
    if (good) return;
    std::string shown = name;
    std::ranges::replace_if(
        shown, [](char c) { return c < ' '; }, '?');
    throw SetupError("\"" + shown + "\" cannot be an interface's name: 1 to " +
                     std::to_string(IFNAMSIZ - 1) + " characters, without \"/\", \":\" and spaces");
}

u32 link_mtu(int socket, const std::string& name) {
    return static_cast<u32>(ask(socket, SIOCGIFMTU, name).ifr_mtu);
}

MacAddress link_mac(int socket, const std::string& name) {
    const ifreq answer = ask(socket, SIOCGIFHWADDR, name);
    std::array<u8, MacAddress::kSize> octets{};
    std::memcpy(octets.data(), answer.ifr_hwaddr.sa_data, octets.size());
    return MacAddress(octets);
}

int link_index(int socket, const std::string& name) {
    return ask(socket, SIOCGIFINDEX, name).ifr_ifindex;
}

}  // namespace tapestry
