#pragma once

#include <optional>
#include <vector>

#include "stack/link/interface.h"

namespace tapestry {

/// One way out: to the hosts of a prefix directly, or through a gateway.
struct Route {
    Ipv4Prefix prefix;  ///< host bits do not count; 0.0.0.0/0 is the default route
    Interface* interface = nullptr;
    Ipv4Address gateway;  ///< unspecified: the hosts are neighbours

    friend bool operator==(const Route&, const Route&) = default;
};

/// The routes of one stack (RFC 1122 section 3.3.1). The longest prefix wins; among equal ones the
/// one that was added first. A stack has a handful of routes, so a lookup is a short walk.
class RouteTable {
public:
    /// False, and nothing added: no interface, a prefix longer than 32 bits, or the same route is
    /// there already.
    bool add(Route route);
    /// Removes all routes to exactly this prefix, or only those through one gateway. Returns how
    /// many.
    std::size_t remove(const Ipv4Prefix& prefix, std::optional<Ipv4Address> gateway = std::nullopt);
    /// Null when nothing fits. Good until the table changes.
    const Route* find(Ipv4Address destination) const;
    /// In the order in which they are tried.
    const std::vector<Route>& all() const { return routes_; }

private:
    std::vector<Route> routes_;  ///< longest prefix first
};

}  // namespace tapestry
