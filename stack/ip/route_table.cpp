#include "stack/ip/route_table.h"

#include <algorithm>

namespace tapestry {

bool RouteTable::add(Route route) {
    if (route.interface == nullptr || route.prefix.length > 32) return false;
    route.prefix.address = route.prefix.network();
    if (std::ranges::find(routes_, route) != routes_.end()) return false;
    const auto place = std::ranges::find_if(
        routes_, [&](const Route& other) { return other.prefix.length < route.prefix.length; });
    routes_.insert(place, route);
    return true;
}

std::size_t RouteTable::remove(const Ipv4Prefix& prefix, std::optional<Ipv4Address> gateway) {
    return std::erase_if(routes_, [&](const Route& route) {
        return route.prefix.length == prefix.length && prefix.contains(route.prefix.address) &&
               (!gateway || route.gateway == *gateway);
    });
}

const Route* RouteTable::find(Ipv4Address destination) const {
    const auto found = std::ranges::find_if(
        routes_, [&](const Route& route) { return route.prefix.contains(destination); });
    return found == routes_.end() ? nullptr : &*found;
}

}  // namespace tapestry
