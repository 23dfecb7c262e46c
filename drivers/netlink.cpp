#include "drivers/netlink.h"

#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <vector>

#include "drivers/link_query.h"
#include "drivers/setup_error.h"

namespace tapestry {
namespace {

/// IF_OPER_UP of <linux/if.h>, which cannot stand beside <net/if.h> everywhere.
constexpr u8 kOperationalUp = 6;

}  // namespace

/// A request under construction: a header, a fixed part, attributes that may nest. Everything is
/// padded to four bytes.
class Netlink::Message {
public:
    Message(u16 type, u16 flags) {
        nlmsghdr header{};
        header.nlmsg_type = type;
        header.nlmsg_flags = static_cast<u16>(flags | NLM_F_REQUEST | NLM_F_ACK);
        append(&header, sizeof header);
    }

    void append(const void* data, std::size_t size) {
        const u8* from = static_cast<const u8*>(data);
        bytes_.insert(bytes_.end(), from, from + size);
        bytes_.resize((bytes_.size() + 3) & ~std::size_t{3});
    }
    void attribute(u16 type, const void* data, std::size_t size) {
        const rtattr header{static_cast<u16>(RTA_LENGTH(0) + size), type};
        append(&header, sizeof header);
        append(data, size);
    }
    void attribute(u16 type, const std::string& text) {
        attribute(type, text.c_str(), text.size() + 1);
    }
    void attribute(u16 type, u32 value) { attribute(type, &value, sizeof value); }
    void attribute(u16 type, Ipv4Address address) {
        std::array<u8, Ipv4Address::kSize> octets{};
        address.store(octets.data());
        attribute(type, octets.data(), octets.size());
    }
    /// Attributes until end() are inside this one.
    std::size_t begin(u16 type) {
        const std::size_t at = bytes_.size();
        const rtattr header{0, type};
        append(&header, sizeof header);
        return at;
    }
    void end(std::size_t at) {
        const u16 length = static_cast<u16>(bytes_.size() - at);
        std::memcpy(&bytes_[at + offsetof(rtattr, rta_len)], &length, sizeof length);
    }
    /// The finished request.
    std::vector<u8> bytes(u32 sequence) const {
        std::vector<u8> out = bytes_;
        const u32 length = static_cast<u32>(out.size());
        std::memcpy(&out[offsetof(nlmsghdr, nlmsg_len)], &length, sizeof length);
        std::memcpy(&out[offsetof(nlmsghdr, nlmsg_seq)], &sequence, sizeof sequence);
        return out;
    }

private:
    std::vector<u8> bytes_;
};

Netlink::Netlink() : fd_(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)) {
    if (!fd_) throw SetupError("cannot talk to the kernel's routing", errno);
}

/// Sends one request and waits for its end. Returns the message that came before it, if any.
std::vector<u8> Netlink::talk(const Message& message, const std::string& what) {
    const u32 sequence = ++sequence_;
    const std::vector<u8> request = message.bytes(sequence);
    ssize_t done = 0;
    do {
        done = send(fd_.get(), request.data(), request.size(), 0);
    } while (done < 0 && errno == EINTR);
    if (done < 0) throw SetupError("cannot " + what, errno);

    std::vector<u8> answer;
    std::array<u8, 16384> datagram;
    while (true) {
        const ssize_t got = recv(fd_.get(), datagram.data(), datagram.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw SetupError("cannot " + what, errno);
        Bytes rest(datagram.data(), static_cast<std::size_t>(got));
        nlmsghdr header{};
        while (rest.size() >= sizeof header) {
            std::memcpy(&header, rest.data(), sizeof header);
            if (header.nlmsg_len < sizeof header || header.nlmsg_len > rest.size()) break;
            const Bytes one = rest.first(header.nlmsg_len);
            rest = rest.subspan(std::min<std::size_t>(NLMSG_ALIGN(one.size()), rest.size()));
            if (header.nlmsg_seq != sequence) continue;
            if (header.nlmsg_type != NLMSG_ERROR) {
                answer.assign(one.begin(), one.end());
                continue;
            }
            int error = 0;  // a negative errno, 0 for an acknowledgement
            if (one.size() < sizeof header + sizeof error) continue;
            std::memcpy(&error, &one[sizeof header], sizeof error);
            if (error != 0) throw SetupError("cannot " + what, -error);
            return answer;
        }
    }
}

/// The socket's namespace is asked, not the thread's.
int Netlink::index(const std::string& name) const { return link_index(fd_.get(), name); }

void Netlink::create_veth(const std::string& name, const std::string& peer_name) {
    check_link_name(name);
    check_link_name(peer_name);
    Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
    const ifinfomsg link{};
    message.append(&link, sizeof link);
    message.attribute(IFLA_IFNAME, name);
    const std::size_t info = message.begin(IFLA_LINKINFO);
    message.attribute(IFLA_INFO_KIND, "veth", 4);
    const std::size_t data = message.begin(IFLA_INFO_DATA);
    const std::size_t peer = message.begin(VETH_INFO_PEER);
    message.append(&link, sizeof link);
    message.attribute(IFLA_IFNAME, peer_name);
    message.end(peer);
    message.end(data);
    message.end(info);
    talk(message, "make the veth pair " + name + ", " + peer_name);
}

void Netlink::delete_link(const std::string& name) {
    Message message(RTM_DELLINK, 0);
    ifinfomsg link{};
    link.ifi_index = index(name);
    message.append(&link, sizeof link);
    talk(message, "delete " + name);
}

void Netlink::set_flags(const std::string& name, unsigned flags, unsigned mask,
                        const std::string& what) {
    Message message(RTM_NEWLINK, 0);
    ifinfomsg link{};
    link.ifi_index = index(name);
    link.ifi_flags = flags;
    link.ifi_change = mask;
    message.append(&link, sizeof link);
    talk(message, what);
}

void Netlink::set_up(const std::string& name, bool up) {
    set_flags(name, up ? IFF_UP : 0, IFF_UP, "set " + name + (up ? " up" : " down"));
}

/// RFC 2863's state of the interface, in Linux's numbers; 0: unknown.
u8 Netlink::operational_state(const std::string& name) {
    Message message(RTM_GETLINK, 0);
    ifinfomsg link{};
    link.ifi_index = index(name);
    message.append(&link, sizeof link);
    const std::vector<u8> answer = talk(message, "ask about " + name);
    for (std::size_t at = sizeof(nlmsghdr) + sizeof link; at + sizeof(rtattr) <= answer.size();) {
        rtattr attribute{};
        std::memcpy(&attribute, &answer[at], sizeof attribute);
        if (attribute.rta_len < sizeof attribute || at + attribute.rta_len > answer.size()) break;
        if (attribute.rta_type == IFLA_OPERSTATE && attribute.rta_len > sizeof attribute) {
            return answer[at + sizeof attribute];
        }
        at += RTA_ALIGN(attribute.rta_len);
    }
    return 0;
}

void Netlink::wait_until_running(const std::string& name) {
    constexpr int kTries = 2000;
    constexpr timespec kPause{0, 1000000};
    for (int i = 0; i < kTries; ++i) {
        if (operational_state(name) == kOperationalUp) {
            // The state changes a moment before the queue is opened, both under one lock, which this
            // request has to wait for.
            return set_flags(name, 0, 0, "wait for " + name);
        }
        nanosleep(&kPause, nullptr);
    }
    throw SetupError(name + " has no carrier: the other end of the cable is down");
}

void Netlink::set_arp(const std::string& name, bool on) {
    set_flags(name, on ? 0 : IFF_NOARP, IFF_NOARP, "switch ARP of " + name);
}

void Netlink::set_mtu(const std::string& name, u32 mtu) {
    Message message(RTM_NEWLINK, 0);
    ifinfomsg link{};
    link.ifi_index = index(name);
    message.append(&link, sizeof link);
    message.attribute(IFLA_MTU, mtu);
    talk(message, "set the MTU of " + name + " to " + std::to_string(mtu));
}

void Netlink::move_to_namespace_of(const std::string& name, pid_t process) {
    Message message(RTM_NEWLINK, 0);
    ifinfomsg link{};
    link.ifi_index = index(name);
    message.append(&link, sizeof link);
    message.attribute(IFLA_NET_NS_PID, static_cast<u32>(process));
    talk(message, "move " + name + " to the namespace of process " + std::to_string(process));
}

void Netlink::set_mac(const std::string& name, MacAddress mac) {
    Message message(RTM_NEWLINK, 0);
    ifinfomsg link{};
    link.ifi_index = index(name);
    message.append(&link, sizeof link);
    message.attribute(IFLA_ADDRESS, mac.octets().data(), mac.octets().size());
    talk(message, "set the MAC address of " + name);
}

void Netlink::rename(const std::string& name, const std::string& new_name) {
    check_link_name(new_name);
    Message message(RTM_NEWLINK, 0);
    ifinfomsg link{};
    link.ifi_index = index(name);
    message.append(&link, sizeof link);
    message.attribute(IFLA_IFNAME, new_name.c_str(), new_name.size() + 1);
    talk(message, "rename " + name);
}

void Netlink::add_address(const std::string& name, const Ipv4Prefix& address) {
    Message message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
    ifaddrmsg header{};
    header.ifa_family = AF_INET;
    header.ifa_prefixlen = address.length;
    header.ifa_index = static_cast<unsigned>(index(name));
    message.append(&header, sizeof header);
    message.attribute(IFA_LOCAL, address.address);
    message.attribute(IFA_ADDRESS, address.address);
    if (const auto broadcast = address.subnet_broadcast()) {
        message.attribute(IFA_BROADCAST, *broadcast);
    }
    talk(message, "give " + name + " the address " + address.to_string());
}

void Netlink::add_default_route(Ipv4Address gateway) {
    Message message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
    rtmsg route{};
    route.rtm_family = AF_INET;
    route.rtm_table = RT_TABLE_MAIN;
    route.rtm_protocol = RTPROT_STATIC;
    route.rtm_scope = RT_SCOPE_UNIVERSE;
    route.rtm_type = RTN_UNICAST;
    message.append(&route, sizeof route);
    message.attribute(RTA_GATEWAY, gateway);
    talk(message, "add the default route through " + gateway.to_string());
}

void Netlink::disable_offloads(const std::string& name) {
    check_link_name(name);
    for (const auto feature : {ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO}) {
        ethtool_value off{static_cast<u32>(feature), 0};
        ifreq request{};
        name.copy(request.ifr_name, sizeof request.ifr_name - 1);
        request.ifr_data = reinterpret_cast<char*>(&off);
        // A driver that has no such feature says so, and needs nothing switched off.
        if (ioctl(fd_.get(), SIOCETHTOOL, &request) != 0 && errno != EOPNOTSUPP) {
            throw SetupError("cannot switch off the offloads of " + name, errno);
        }
    }
}

}  // namespace tapestry
