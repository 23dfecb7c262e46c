#include "tests/support/transfer.h"

#include <algorithm>

#include "drivers/segmenter.h"
#include "stack/trace/notation.h"

namespace tapestry::test {
namespace {

constexpr Ipv4Address kClient{10, 0, 0, 1};
constexpr Ipv4Address kServer{10, 0, 0, 2};
const MacAddress kClientMac({2, 0, 0, 0, 0, 1});
const MacAddress kServerMac({2, 0, 0, 0, 0, 2});
constexpr u16 kPort = 80;
constexpr std::size_t kHistory = 60;

}  // namespace

void Watchdog::note(TimePoint now, std::string text) {
    history_.push_back(std::to_string(to_seconds(now.time_since_epoch())) + ' ' + host_ + ": " +
                       std::move(text));
    if (history_.size() > kHistory) history_.pop_front();
}

void Watchdog::on_drop(const DropEvent& event) {
    note(event.now, "refused " + std::string(name(event.drop)));
}

void Watchdog::on_tcp(const TcpEvent& event) {
    check(event);
    if (event.stimulus == Stimulus::User && event.before == event.after) return;
    const TcpSnapshot& s = event.after;
    std::string text(name(event.verdict));
    if (event.segment != nullptr) {
        text += " in " + tapestry::to_string(note_of(*event.segment, s.irs, s.iss));
    }
    note(event.now,
         text + " -> " + std::string(name(s.state)) + " una " + std::to_string(s.snd_una - s.iss) +
             " nxt " + std::to_string(s.snd_nxt - s.iss) + " wnd " + std::to_string(s.snd_wnd) +
             " cwnd " + std::to_string(s.cwnd) + " rcv.nxt " + std::to_string(s.rcv_nxt - s.irs));
}

void Watchdog::check(const TcpEvent& event) {
    const TcpSnapshot& before = event.before;
    const TcpSnapshot& after = event.after;
    const auto rule = [&](bool holds, const char* what) {
        if (!holds && fault_.empty()) fault_ = host_ + ": " + what;
    };
    const auto armed = [&](TcpTimer timer) {
        return after.deadlines.at(static_cast<std::size_t>(timer)) != kNever;
    };
    rule(after.snd_una.before_or_at(after.snd_nxt), "SND.UNA is beyond SND.NXT");
    if (before.state == after.state && after.state == TcpState::Established) {
        rule(after.snd_una.after_or_at(before.snd_una), "SND.UNA went back");
        rule(after.rcv_nxt.after_or_at(before.rcv_nxt), "RCV.NXT went back");
        rule((after.rcv_nxt + after.rcv_wnd).after_or_at(before.rcv_nxt + before.rcv_wnd),
             "the window's right edge went back (SHLD-14)");
        rule(after.cwnd >= after.mss, "cwnd is below one segment");
    }
    rule(!(armed(TcpTimer::Rto) && armed(TcpTimer::Persist)), "two timers for the same data");
    const bool open = after.state != TcpState::Closed && after.state != TcpState::TimeWait;
    const bool waits = after.snd_una != after.snd_nxt || after.send_queued > 0;
    if (event.stimulus == Stimulus::Flush && event.verdict == Verdict::FlushSent && open && waits) {
        rule(armed(TcpTimer::Rto) || armed(TcpTimer::Persist), "data wait and no timer runs");
    }
}

TransferConfig TransferConfig::quick() {
    TransferConfig config;
    for (StackConfig* stack : {&config.client, &config.server}) stack->tcp.min_rto = 200ms;
    return config;
}

Transfer::Transfer(const TransferConfig& config)
    : world({config.seed, config.batch}),
      client_host(world.add_host("client", config.client)),
      server_host(world.add_host("server", config.server)),
      link(world.add_link(config.link)),
      config_(config),
      buffer_(std::max(config.write_size, config.read_size)) {
    attach();
    client_host.stack().set_trace(&client_watch_);
    server_host.stack().set_trace(&server_watch_);
    client.host = &client_host;
    server.host = &server_host;
    client.to_write = server.to_read = config.client_bytes;
    server.to_write = client.to_read = config.server_bytes;
    client.salt = 1;
    server.salt = 100;
    listener_ = server_host.stack().tcp_listener();
    static_cast<void>(listener_.listen({Ipv4Address(), kPort}));
}

/// The sockets go after those who watch them.
Transfer::~Transfer() {
    client_host.stack().set_trace(nullptr);
    server_host.stack().set_trace(nullptr);
}

/// client stack - [segmenter] - fault - cable - server stack
void Transfer::attach() {
    Device* device = &link.end(0);
    if (config_.fault.active()) {
        device = &client_host.keep<Fault>(*device, world.clock(), config_.seed * 7 + 1,
                                          config_.fault, config_.fault);
    }
    if (config_.segmenter) device = &client_host.keep<Segmenter>(*device, world.clock());
    client_host.attach(*device, {"eth0", kClientMac, {kClient, 24}, 0});
    server_host.attach(link.end(1), {"eth0", kServerMac, {kServer, 24}, 0});
    if (!config_.static_neighbours) return;
    client_host.stack().interface(0).arp().add_static(kServer, kServerMac, world.now());
    server_host.stack().interface(0).arp().add_static(kClient, kClientMac, world.now());
}

bool Transfer::run(Duration limit) {
    world.run_until(TimePoint{} + config_.start);
    started = world.now();
    client.socket = client_host.stack().tcp_socket();
    const auto begun = client.socket.connect({kServer, kPort});
    if (!begun) fault_ = "connect: " + std::string(name(begun.error()));
    client_host.add_program([this] { work(client); });
    server_host.add_program([this] {
        if (!server.socket) {
            if (auto accepted = listener_.accept()) server.socket = std::move(*accepted);
        }
        work(server);
    });
    const auto done = [this] { return (client.at_end && server.at_end) || failed(); };
    if (config_.read_interval == Duration{}) {
        world.run_until(done, started + limit);
    } else {
        // Readers that look in only now and then.
        while (!done() && world.now() < started + limit) {
            world.run_for(config_.read_interval);
            for (Side* side : {&client, &server}) {
                read(*side);
                work(*side);
            }
        }
    }
    return client.at_end && server.at_end && !failed();
}

bool Transfer::finish(Duration limit) {
    client.socket.close();
    server.socket.close();
    listener_.close();
    const auto idle = [this] {
        return client_host.stack().tcp().connection_count() == 0 &&
               server_host.stack().tcp().connection_count() == 0;
    };
    return world.run_until(idle, world.now() + limit) && !failed();
}

void Transfer::work(Side& side) {
    if (!side.socket) return;
    if (config_.read_interval == Duration{}) read(side);
    if (!config_.answer_at_end || &side == &client || side.at_end) write(side);
}

/// The first one counts.
void Transfer::note_error(Side& side, Errno error) {
    if (side.error == Errno::None) side.error = error;
}

void Transfer::write(Side& side) {
    while (side.written < side.to_write) {
        const std::size_t n = std::min(config_.write_size, side.to_write - side.written);
        for (std::size_t i = 0; i < n; ++i) buffer_[i] = byte_at(side.written + i, side.salt);
        const auto done = side.socket.write(Bytes(buffer_).first(n));
        if (!done) {
            if (done.error() != Errno::Again) note_error(side, done.error());
            return;
        }
        side.written += *done;
    }
    const TcpState state = side.socket.state();
    const bool open = state == TcpState::Established || state == TcpState::CloseWait;
    if (!side.shut && open) side.shut = side.socket.shutdown(Shutdown::Send).has_value();
}

void Transfer::read(Side& side) {
    if (!side.socket) return;
    const u32 salt = &side == &client ? server.salt : client.salt;
    while (!side.at_end) {
        const auto done = side.socket.read(MutableBytes(buffer_).first(config_.read_size));
        if (!done) {
            const bool waits = done.error() == Errno::Again || done.error() == Errno::NotConnected;
            if (!waits) note_error(side, done.error());
            return;
        }
        side.at_end = *done == 0;
        for (std::size_t i = 0; i < *done; ++i) {
            if (buffer_[i] == byte_at(side.read + i, salt)) continue;
            fault_ = "a wrong byte at " + std::to_string(side.read + i);
            return;
        }
        side.read += *done;
        if (config_.read_interval != Duration{}) break;
    }
    if (side.at_end && side.read != side.to_read) fault_ = "the stream ended too early";
}

bool Transfer::failed() const {
    return !fault_.empty() || !client_watch_.fault().empty() || !server_watch_.fault().empty() ||
           client.error != Errno::None || server.error != Errno::None;
}

std::string Transfer::describe(const Side& side) const {
    const TcpSnapshot s = side.socket.snapshot();
    return side.host->name() + ": wrote " + std::to_string(side.written) + " of " +
           std::to_string(side.to_write) + ", read " + std::to_string(side.read) + " of " +
           std::to_string(side.to_read) + ", " + std::string(name(s.state)) + ", error " +
           std::string(name(side.error)) + ", retransmissions " +
           std::to_string(s.retransmissions) + ", rto " + std::to_string(to_seconds(s.rto)) +
           ", backoff " + std::to_string(s.backoff) + '\n';
}

std::string Transfer::report() const {
    std::string text;
    for (const std::string& line : history_) text += line + '\n';
    text += "at " + std::to_string(to_seconds(world.now() - started)) + " s after " +
            std::to_string(world.events()) + " events: " + fault_ + client_watch_.fault() +
            server_watch_.fault() + '\n';
    return text + describe(client) + describe(server);
}

}  // namespace tapestry::test
