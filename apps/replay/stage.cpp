#include "apps/replay/stage.h"

#include <algorithm>

#include "drivers/wire_frames.h"
#include "stack/wire/arp.h"

namespace tapestry {
namespace {

/// A pause in the recording longer than this is played as this long: nothing happens in the rest of it
/// but keep-alive.
constexpr Duration kLongestPause = 24h;

/// Whether the host's TCP has an option: a SYN that offers it, or answers one that does without it.
bool host_has(const std::vector<TcpScript>& scripts, bool (*offers)(const TcpOptions&)) {
    for (const TcpScript& script : scripts) {
        if (script.our_syn == nullptr) continue;
        if (offers(script.our_syn->options)) return true;
        if (script.active || script.their_syn == nullptr) return false;
        if (offers(script.their_syn->options)) return false;
    }
    return true;
}

}  // namespace

Stage::Stage(const Recording& recording, const PlayOptions& options)
    : recording_(recording),
      options_(options),
      scripts_(tcp_scripts(recording)),
      datagrams_(std::make_unique<DatagramActor>(recording)) {
    StageDoor& door = *this;
    for (const TcpScript& script : scripts_) {
        actors_.push_back(std::make_unique<TcpActor>(script, options_, door));
        actors_.back()->played().end = recording.frames().back()->time;
        by_stream_[script.stream] = actors_.back().get();
    }
    make_schedule();
    match_ticks();
    now_ = stack_time(schedule_.front().first);
    choose_mtu();
    start_stack();
}

Stage::~Stage() {
    stack_->set_trace(nullptr);
    stack_->set_choices(nullptr);
    // Sockets must not outlive their stack.
    actors_.clear();
    datagrams_.reset();
    listeners_.clear();
}

void Stage::make_schedule() {
    for (const auto& frame : recording_.frames()) {
        const auto actor = frame->segment ? by_stream_.find(frame->stream) : by_stream_.end();
        const TimePoint time =
            actor == by_stream_.end() ? frame->time : actor->second->script().host_time(*frame);
        schedule_.emplace_back(time, frame.get());
    }
    std::stable_sort(schedule_.begin(), schedule_.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
}

void Stage::choose_mtu() {
    for (const TcpScript& script : scripts_) {
        if (script.our_syn == nullptr || !script.our_syn->options.mss) continue;
        mtu_ = std::max<u32>(mtu_, std::min<u32>(*script.our_syn->options.mss + 40U, 65535));
    }
}

/// When within a millisecond the recorded host's timestamp clock ticked: between two frames of one
/// conversation it went on by as many ticks as boundaries lie between them.
void Stage::match_ticks() {
    constexpr Duration kTick = 1ms;  // TcpConfig::timestamp_tick
    for (const TcpScript& script : scripts_) {
        std::optional<std::pair<TimePoint, u32>> first;
        Duration least{};  // how far the first frame was in its tick
        Duration most = kTick;
        for (const RecordedFrame* frame : script.ours) {
            const auto& stamps = frame->segment->options.timestamps;
            if (!stamps) continue;
            if (!first) first = {script.host_time(*frame), stamps->value};
            const Duration passed = script.host_time(*frame) - first->first;
            const Duration ticks = kTick * static_cast<i64>(stamps->value - first->second);
            least = std::max(least, ticks - passed);
            most = std::min(most, ticks + kTick - passed);
        }
        if (!first || least >= most) continue;
        const Duration phase = first->first.time_since_epoch() % kTick;
        behind_ = phase - (least + most) / 2;
        return;
    }
}

StackConfig Stage::stack_config() const {
    StackConfig config;
    config.arp.announce = false;
    // Most recorded hosts are Linux.
    config.tcp.min_rto = 200ms;
    config.ip.reassembly_timeout = datagrams_->reassembly_timeout().value_or(30s);
    config.tcp.rto_after_syn_loss = 1s;
    config.tcp.send_buffer = 256U << 20;
    config.tcp.receive_buffer_max = 0;  // windows are those of the recording, or do not matter
    config.tcp.default_backlog = 65535;
    if (!options_.write_ahead) config.tcp.initial_window_segments = 1000;
    config.tcp.timestamps =
        host_has(scripts_, [](const TcpOptions& o) { return o.timestamps.has_value(); });
    config.tcp.sack = host_has(scripts_, [](const TcpOptions& o) { return o.sack_permitted; });
    config.tcp.window_scaling =
        host_has(scripts_, [](const TcpOptions& o) { return o.window_scale.has_value(); });
    return config;
}

void Stage::start_stack() {
    stack_ = std::make_unique<Stack>(stack_config(), rng_);
    InterfaceConfig interface;
    interface.mac = recording_.mac();
    // Everybody is on the link: the recording says where frames went, no routes are needed.
    interface.address = {recording_.host(), 0};
    interface_ = &stack_->add_interface(*this, interface, now_);
    stack_->set_trace(this);
    stack_->set_choices(this);
    know_neighbours();
    datagrams_->start(*stack_);
}

/// Whom the recorded host did not have to ask for.
void Stage::know_neighbours() {
    std::set<Ipv4Address> known;
    for (const auto& frame : recording_.frames()) {
        const auto ethernet = *EthernetView::parse(frame->bytes);
        if (ethernet.type() != EtherType::Ipv4) continue;
        const Bytes ip = frame->packet();
        const auto other =
            Ipv4Address::load(&ip[frame->ours ? Ipv4View::kDestination : Ipv4View::kSource]);
        if (!other.is_unicast() || datagrams_->asked_for().contains(other)) continue;
        const MacAddress mac = frame->ours ? ethernet.destination() : ethernet.source();
        if (mac.is_group() || !known.insert(other).second) continue;
        interface_->arp().add_static(other, mac, now_);
    }
}

void Stage::run() {
    for (const auto& [time, frame] : schedule_) {
        run_to(time);
        play(*frame);
        settle();
    }
    run_to(now_ + behind_ + options_.afterwards);
    for (const auto& actor : actors_) actor->finish();
    settle();
}

/// Lets the timers run that are due until then.
void Stage::run_to(TimePoint recorded) {
    // Times of a recording may go back.
    const TimePoint until = std::max(stack_time(recorded), now_);
    if (until - now_ > kLongestPause) {
        behind_ += until - now_ - kLongestPause;
        return run_to(recorded);
    }
    for (;;) {
        const auto deadline = stack_->next_deadline();
        if (!deadline || *deadline > until) break;
        now_ = std::max(now_, *deadline);
        stack_->advance(now_);
        settle();
    }
    now_ = until;
    stack_->advance(now_);
}

void Stage::play(const RecordedFrame& frame) {
    if (frame.segment) {
        const auto found = by_stream_.find(frame.stream);
        if (found == by_stream_.end()) return;
        TcpActor& actor = *found->second;
        by_ends_[{actor.script().local, actor.script().remote}] = &actor;
        touched_.insert(&actor);
        return actor.play(frame);
    }
    const auto arp = ArpPacket::parse(frame.packet());
    const bool is_arp = EthernetView::parse(frame.bytes)->type() == EtherType::Arp && arp;
    if (frame.ours && is_arp && arp->operation == ArpOperation::Request) {
        cause_request(frame, arp->target_ip);
    }
    datagrams_->play(frame);
    if (!frame.ours) feed(frame.bytes, frame.sum != RecordedFrame::Sum::Wrong);
}

/// The recorded host asked for a neighbour because it had something for it: what it sent first after the
/// answer is sent now.
void Stage::cause_request(const RecordedFrame& request, Ipv4Address target) {
    const auto& frames = recording_.frames();
    auto next = std::find_if(frames.begin(), frames.end(), [&](const auto& frame) {
        return frame->number > request.number && frame->ours && frame->bytes.size() >= 34 &&
               EthernetView::parse(frame->bytes)->type() == EtherType::Ipv4 &&
               Ipv4Address::load(&frame->packet()[Ipv4View::kDestination]) == target;
    });
    if (next == frames.end()) return;
    if (!(*next)->segment) return datagrams_->act(**next);
    const auto found = by_stream_.find((*next)->stream);
    if (found == by_stream_.end()) return;
    TcpActor& actor = *found->second;
    by_ends_[{actor.script().local, actor.script().remote}] = &actor;
    actor.connect_early(**next);
    stack_->advance(now_);
}

/// Until nothing happens any more.
void Stage::settle() {
    for (int rounds = 0; rounds < 64; ++rounds) {
        accept_all();
        const std::set<TcpActor*> touched = std::exchange(touched_, {});
        for (TcpActor* actor : touched) actor->settle();
        if (touched.empty()) break;
    }
    datagrams_->settle();
    stack_->advance(now_);
}

void Stage::accept_all() {
    for (auto& [local, listener] : listeners_) {
        while (auto socket = listener.accept()) {
            TcpActor* actor = find(socket->local(), socket->remote());
            if (actor == nullptr) continue;
            actor->accepted(std::move(*socket));
            touched_.insert(actor);
        }
    }
}

TcpActor* Stage::find(const Endpoint& local, const Endpoint& remote) {
    const auto found = by_ends_.find({local, remote});
    return found == by_ends_.end() ? nullptr : found->second;
}

bool Stage::listen(const Endpoint& local, const TcpSocketOptions& options) {
    Listener& listener = listeners_[local];
    if (!listener) {
        listener = stack_->tcp_listener();
        if (!listener.listen(local)) return false;
    }
    listener.set_options(options);
    return true;
}

void Stage::stop_listening(const Endpoint& local) {
    accept_all();
    listeners_.erase(local);
}

void Stage::feed(Bytes frame, bool trusted) {
    Packet packet = pool_.copy(frame);
    if (!packet) return;  // larger than any that a wire or a device carries
    if (options_.keep_passed)
        passed_.push_back({now_ + behind_, {frame.begin(), frame.end()}, nullptr});
    if (trusted) packet.offload.checksum = Offload::Checksum::Verified;
    stack_->receive(*interface_, {&packet, 1}, now_);
}

bool Stage::transmit(const Frame& frame) {
    const WireFrames wire(frame);
    for (std::size_t i = 0; i < wire.count(); ++i) {
        const Frame one = wire.at(i);
        SentFrame sent;
        sent.time = now_ + behind_;
        sent.bytes.resize(one.size());
        one.copy_to(sent.bytes.data());
        const auto ip = Ipv4View::parse(sent.packet());
        const bool is_ip = EthernetView::parse(sent.bytes)->type() == EtherType::Ipv4 && ip;
        if (is_ip && ip->protocol() == IpProtocol::Tcp && !ip->is_fragment()) {
            const auto segment = Segment::parse(ip->payload(), ip->source(), ip->destination());
            if (segment) sent.segment = *segment;
        }
        TcpActor* actor =
            sent.segment ? find(sent.segment->source, sent.segment->destination) : nullptr;
        const SentFrame& kept = actor != nullptr ? actor->on_sent(std::move(sent))
                                                 : datagrams_->on_sent(std::move(sent));
        if (actor != nullptr) touched_.insert(actor);
        if (options_.keep_passed) passed_.push_back({kept.time, {}, &kept});
    }
    return true;
}

void Stage::on_frame(const FrameEvent& event) {
    if (options_.also != nullptr) options_.also->on_frame(event);
}

void Stage::on_drop(const DropEvent& event) {
    if (options_.also != nullptr) options_.also->on_drop(event);
    ++drops_[std::string(name(event.drop))];
}

void Stage::on_tcp(const TcpEvent& event) {
    if (options_.also != nullptr) options_.also->on_tcp(event);
    TcpActor* actor = find(event.after.local, event.after.remote);
    if (actor == nullptr) return;
    actor->on_event(event);
    touched_.insert(actor);
}

std::optional<SeqNum> Stage::iss(const Endpoint& local, const Endpoint& remote) {
    const TcpActor* actor = find(local, remote);
    return actor == nullptr ? std::nullopt : std::optional(actor->script().our_isn);
}

std::optional<u32> Stage::timestamp(const Endpoint& local, const Endpoint& remote) {
    const TcpActor* actor = find(local, remote);
    return actor == nullptr ? std::nullopt : actor->timestamp_now();
}

std::optional<u16> Stage::identification(const Ipv4Header& header, Bytes transport) {
    if (header.protocol != IpProtocol::Tcp) return datagrams_->identification(header);
    if (transport.size() < 4) return std::nullopt;
    TcpActor* actor = find({header.source, load_be16(&transport[0])},
                           {header.destination, load_be16(&transport[2])});
    return actor == nullptr ? std::nullopt : actor->identification(header, transport);
}

}  // namespace tapestry
