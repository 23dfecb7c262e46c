#include "apps/lab/network.h"

#include "apps/failure.h"
#include "apps/router/nat_options.h"
#include "stack/wire/arp.h"
#include "stack/wire/ethernet.h"

namespace tapestry {
namespace {

/// 02:00:00:00:00:0a for the first machine's first interface, and so on: easy to tell apart.
MacAddress mac_of(std::size_t machine, std::size_t interface) {
    return MacAddress({2, 0, 0, 0, static_cast<u8>(machine + 1), static_cast<u8>(interface + 1)});
}

}  // namespace

LabNetwork::LabNetwork(const Scenario& scenario, Timeline& timeline, u64 seed)
    : scenario_(scenario),
      timeline_(timeline),
      recorder_(timeline, TimelineRecorder::Frames::OnLinks, [this] { return world_.now(); }),
      world_({.seed = seed, .batch = 1}) {
    describe();
    for (const ScenarioMachine& machine : scenario.machines) {
        hosts_.push_back(&world_.add_host(machine.name, machine.config));
        hosts_.back()->stack().set_trace(&recorder_.ear(static_cast<u32>(hosts_.size() - 1)));
    }
    SeededRng seeds(seed + 1);
    for (const ScenarioLink& link : scenario.links) {
        MemoryLink* cable = link.ends.size() == 2 ? &world_.add_link(link.config) : nullptr;
        links_.push_back(std::make_unique<LabLink>(link, cable, world_.clock(), seeds.next()));
    }
    for (std::size_t i = 0; i < links_.size(); ++i) watch(i);
    connect();
}

/// Who there is, for the timeline.
void LabNetwork::describe() {
    for (const ScenarioLink& link : scenario_.links) timeline_.links.push_back(link.name);
    for (std::size_t m = 0; m < scenario_.machines.size(); ++m) {
        const ScenarioMachine& machine = scenario_.machines[m];
        Timeline::Host host{machine.name, machine.router, true, {}};
        for (std::size_t i = 0; i < machine.interfaces.size(); ++i) {
            const ScenarioInterface& interface = machine.interfaces[i];
            if (i == 0 || machine.two_lines) {
                timeline_.lifelines.push_back({machine.name,
                                               machine.two_lines ? interface.name : "",
                                               interface.address.address.to_string()});
            } else {
                timeline_.lifelines.back().address.clear();
            }
            host.interfaces.push_back({interface.name, interface.address.to_string(),
                                       static_cast<u32>(timeline_.lifelines.size() - 1),
                                       static_cast<u32>(link_of(m, i).first)});
        }
        timeline_.hosts.push_back(std::move(host));
    }
}

/// Plugs every interface in, sets the routes and the rules.
void LabNetwork::connect() {
    for (std::size_t m = 0; m < hosts_.size(); ++m) {
        const ScenarioMachine& machine = scenario_.machines[m];
        Stack& stack = hosts_[m]->stack();
        for (std::size_t i = 0; i < machine.interfaces.size(); ++i) {
            const auto [link, end] = link_of(m, i);
            // Who is everybody's neighbour has a network that everybody is in.
            Ipv4Prefix address = machine.interfaces[i].address;
            if (machine.on_link == i) address.length = 0;
            hosts_[m]->attach(
                links_[link]->end(end),
                {.name = machine.interfaces[i].name, .mac = mac_of(m, i), .address = address});
        }
        const Ipv4Prefix everything{{}, 0};
        if (machine.gateway) {
            for (std::size_t i = 0; i < machine.interfaces.size(); ++i) {
                if (!machine.interfaces[i].address.contains(*machine.gateway)) continue;
                stack.add_route(everything, stack.interface(i), *machine.gateway);
                break;
            }
        }
        if (!machine.iptables.empty()) {
            std::vector<std::string_view> names;
            names.reserve(machine.interfaces.size());
            for (const ScenarioInterface& interface : machine.interfaces) {
                names.push_back(interface.name);
            }
            apply_rules(machine.iptables, stack.forwarder(), names);
        }
    }
}

std::pair<std::size_t, std::size_t> LabNetwork::link_of(std::size_t machine,
                                                        std::size_t interface) const {
    for (std::size_t l = 0; l < scenario_.links.size(); ++l) {
        const auto& ends = scenario_.links[l].ends;
        for (std::size_t e = 0; e < ends.size(); ++e) {
            if (ends[e].machine == machine && ends[e].interface == interface) return {l, e};
        }
    }
    throw Failure(kUsage, scenario_.machines.at(machine).name + ": an interface without a link");
}

void LabNetwork::watch(std::size_t link) {
    links_[link]->set_watcher([this, link](std::size_t end, Bytes frame, const std::string& lost) {
        const auto place = [](const ScenarioLink::End& e) {
            return Timeline::Place{static_cast<u32>(e.machine), static_cast<u32>(e.interface)};
        };
        recorder_.on_link(static_cast<u32>(link), place(scenario_.links[link].ends[end]),
                          place(receiver(link, end, frame)), frame, lost);
    });
}

/// Whom a frame is for: the station with its address; of a broadcast of ARP, who is asked for.
ScenarioLink::End LabNetwork::receiver(std::size_t link, std::size_t from, Bytes frame) const {
    const auto& ends = scenario_.links[link].ends;
    const auto ethernet = EthernetView::parse(frame);
    if (ends.size() > 2 && ethernet) {
        std::optional<Ipv4Address> asked;
        if (ethernet->type() == EtherType::Arp) {
            const auto arp = ArpPacket::parse(ethernet->payload());
            if (arp) asked = arp->target_ip;
        }
        for (const ScenarioLink::End& end : ends) {
            const Ipv4Address address =
                scenario_.machines[end.machine].interfaces[end.interface].address.address;
            const bool meant = ethernet->destination().is_group()
                                   ? asked == address
                                   : ethernet->destination() == mac_of(end.machine, end.interface);
            if (meant) return end;
        }
    }
    return ends[from == 0 ? ends.size() - 1 : 0];
}

void LabNetwork::drop(const std::set<u32>& frames) {
    if (frames.empty()) return;
    for (const auto& link : links_) {
        // The frame that is about to be put on a link is the timeline's next.
        link->set_judge([this, frames] {
            return frames.contains(static_cast<u32>(timeline_.frames.size() + 1));
        });
    }
}

}  // namespace tapestry
