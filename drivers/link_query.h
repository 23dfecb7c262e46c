#pragma once

#include <string>

#include "stack/wire/address.h"

namespace tapestry {

/// What the kernel knows about the interface `name`, asked through any socket: the answer is that of
/// the socket's network namespace. All throw SetupError when there is no such interface.

/// The largest IP packet, bytes.
u32 link_mtu(int socket, const std::string& name);
MacAddress link_mac(int socket, const std::string& name);
int link_index(int socket, const std::string& name);

/// Refuses names that the kernel would refuse or cut: throws SetupError. An empty one is fine only
/// where the caller says so.
void check_link_name(const std::string& name);

}  // namespace tapestry
