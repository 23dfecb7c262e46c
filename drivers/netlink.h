#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "drivers/unique_fd.h"
#include "stack/wire/address.h"

namespace tapestry {

/// Sets up network interfaces (rtnetlink(7)), in the network namespace that the calling thread was in
/// when the object was made. Every call throws SetupError when the kernel says no.
class Netlink {
public:
    Netlink();

    /// Two interfaces that are the ends of one cable. They are down.
    void create_veth(const std::string& name, const std::string& peer_name);
    void delete_link(const std::string& name);
    void set_up(const std::string& name, bool up = true);
    /// Waits until frames can pass, for which both ends of a veth pair must be up: the kernel notices
    /// a little later, and throws away what is sent until then.
    void wait_until_running(const std::string& name);
    /// Whether the kernel speaks ARP on it.
    void set_arp(const std::string& name, bool on);
    void set_mtu(const std::string& name, u32 mtu);
    /// It must be down.
    void rename(const std::string& name, const std::string& new_name);
    void set_mac(const std::string& name, MacAddress mac);
    /// Moves it into the network namespace of another process; it is down there, without an address.
    void move_to_namespace_of(const std::string& name, pid_t process);
    /// The kernel adds the route to the subnet by itself, once the interface is up.
    void add_address(const std::string& name, const Ipv4Prefix& address);
    void add_default_route(Ipv4Address gateway);
    /// Makes the kernel send through it what a wire would carry: checksums complete, nothing larger than
    /// the MTU. As far as the driver lets itself be told.
    void disable_offloads(const std::string& name);

private:
    class Message;
    std::vector<u8> talk(const Message& message, const std::string& what);
    u8 operational_state(const std::string& name);
    void set_flags(const std::string& name, unsigned flags, unsigned mask, const std::string& what);
    int index(const std::string& name) const;

    UniqueFd fd_;
    u32 sequence_ = 0;
};

}  // namespace tapestry
