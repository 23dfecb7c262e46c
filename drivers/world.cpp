#include "drivers/world.h"

#include <algorithm>

namespace tapestry {

Host::Host(World& world, std::string name, const StackConfig& config, u64 seed)
    : world_(world), name_(std::move(name)), rng_(seed), stack_(config, rng_) {}

TimePoint Host::now() const { return world_.now(); }

bool Host::run_until(const std::function<bool()>& done, TimePoint deadline) {
    return world_.run_until(done, deadline);
}

Interface& Host::attach(Device& device, InterfaceConfig config) {
    Interface& interface = stack_.add_interface(device, std::move(config), world_.now());
    attachments_.push_back({&device, &interface});
    return interface;
}

World::World(const WorldConfig& config)
    : seeds_(config.seed), batch_(std::max<std::size_t>(1, config.batch)) {}

World::~World() = default;

Host& World::add_host(std::string name, const StackConfig& config) {
    hosts_.push_back(std::make_unique<Host>(*this, std::move(name), config, seeds_.next()));
    return *hosts_.back();
}

MemoryLink& World::add_link(const LinkConfig& config) {
    links_.push_back(std::make_unique<MemoryLink>(clock(), config));
    return *links_.back();
}

MemoryLink& World::connect(Host& a, InterfaceConfig config_a, Host& b, InterfaceConfig config_b,
                           const LinkConfig& config) {
    MemoryLink& link = add_link(config);
    a.attach(link.end(0), std::move(config_a));
    b.attach(link.end(1), std::move(config_b));
    return link;
}

void World::at(TimePoint time, std::function<void()> action) {
    actions_.emplace(std::pair(std::max(time, now_), scheduled_++), std::move(action));
}

bool World::step() {
    const Next next = find_next();
    if (next.kind == EventKind::None) return false;
    happen(next);
    return true;
}

void World::run_until(TimePoint time) {
    run_until([] { return false; }, time);
}

bool World::run_until(const std::function<bool()>& done, TimePoint deadline) {
    bool holds = done();
    while (!holds) {
        const Next next = find_next();
        if (next.kind == EventKind::None || next.time > deadline) {
            if (deadline != kNever) now_ = std::max(now_, deadline);
            break;
        }
        happen(next);
        holds = done();
    }
    tell_time();
    return holds;
}

bool World::run_until_idle(TimePoint limit) {
    Next next = find_next();
    for (; next.kind != EventKind::None && next.time <= limit; next = find_next()) happen(next);
    tell_time();
    return next.kind == EventKind::None;
}

bool World::run_to_event(u64 number) {
    while (last_.number < number) {
        if (!step()) return false;
    }
    return true;
}

World::Next World::find_next() {
    Next best;
    if (!actions_.empty()) {
        consider(best, actions_.begin()->first.first, EventKind::Scheduled, nullptr, 0);
    }
    for (const auto& host : hosts_) {
        for (std::size_t i = 0; i < host->attachments_.size(); ++i) {
            const Device& device = *host->attachments_[i].device;
            consider(best, device.next_deadline(), EventKind::Frames, host.get(), i);
        }
        consider(best, host->stack_.next_deadline(), EventKind::Timer, host.get(), 0);
    }
    return best;
}

/// Keeps the earlier one; of two at the same time the one that came first.
void World::consider(Next& best, std::optional<TimePoint> time, EventKind kind, Host* host,
                     std::size_t attachment) const {
    if (!time) return;
    // A user call may have left something to do at a time that has passed: that is now.
    const TimePoint due = std::max(*time, now_);
    if (due < best.time) best = {due, kind, host, attachment};
}

void World::happen(const Next& next) {
    now_ = next.time;
    last_ = {last_.number + 1, now_, next.kind, next.host, 0};
    switch (next.kind) {
        case EventKind::None:
            return;
        case EventKind::Scheduled:
            run_action();
            return;
        case EventKind::Frames:
            last_.frames = run_frames(*next.host, next.attachment);
            break;
        case EventKind::Timer:
            next.host->stack_.advance(now_);
            break;
    }
    for (const auto& program : next.host->programs_) program();
}

void World::run_action() {
    // Out of the list before it runs: it may schedule others, or let time pass itself.
    auto node = actions_.extract(actions_.begin());
    node.mapped()();
}

std::size_t World::run_frames(Host& host, std::size_t attachment) {
    const Host::Attachment& at = host.attachments_[attachment];
    const std::size_t n = at.device->receive(batch_);
    const std::span batch = std::span(batch_).first(n);
    if (n > 0) host.stack_.receive(*at.interface, batch, now_);
    // Back to their pools, which may belong to a device that does not live as long as the world.
    for (Packet& packet : batch) packet = Packet();
    return n;
}

/// Tells the stacks that have nothing to do what time it is: a user call may come now.
void World::tell_time() {
    for (const auto& host : hosts_) {
        const auto deadline = host->stack_.next_deadline();
        if (host->stack_.now() < now_ && (!deadline || *deadline > now_))
            host->stack_.advance(now_);
    }
}

}  // namespace tapestry
