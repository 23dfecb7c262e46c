#include "tests/support/script.h"

#include <deque>

#include "drivers/wire_frames.h"
#include "tests/support/packet_builder.h"
#include "tests/support/script_calls.h"
#include "tests/support/script_checks.h"
#include "tests/support/script_history.h"

/// One run of one script. Virtual time goes from step to step; on the way the stack's timers run at
/// their deadlines. What the stack sends waits, with its time, until a step expects it; a packet that
/// has waited longer than the tolerance when the next step comes was expected by nobody.

namespace tapestry::test {
namespace {

struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The stack's device: cuts and completes frames as a wire would carry them.
class WirePort final : public Port {
public:
    struct Sent {
        TimePoint time;
        std::vector<u8> bytes;
    };
    WirePort(const ScriptConfig& config, const TimePoint& now)
        : offers_{config.mtu, config.super_frame}, now_(now) {}
    PortCapabilities capabilities() const override { return offers_; }
    bool transmit(const Frame& frame) override {
        const WireFrames wire(frame);
        for (std::size_t i = 0; i < wire.count(); ++i) {
            sent.push_back({now_, bytes_of(wire.at(i))});
        }
        return true;
    }
    std::deque<Sent> sent;

private:
    PortCapabilities offers_;
    const TimePoint& now_;
};

class ScriptRun {
public:
    ScriptRun(const Script& script, const ScriptConfig& config, u32 peer_iss, Duration shift);
    void run();
    /// Runs until our first SYN is on the wire, and says its number; nothing: there was none.
    std::optional<u32> find_iss();
    std::string report(const std::string& what) const;

private:
    struct Blocked {
        const ScriptStep* step;
        CallProgress progress;
        TimePoint due;
        TimePoint timeout = kNever;
    };

    TimePoint at(const StepTime& time, Duration value) const {
        return (time.kind == StepTime::Kind::Relative ? last_ : origin_) + value;
    }
    std::string seconds(TimePoint time) const { return script_time(time - origin_); }
    void perform(const ScriptStep& step);
    void expect(const ScriptStep& step, const TcpLine& line);
    void compare(const SeenSegment& seen, const TcpLine& line) const;
    void inject(const std::vector<u8>& frame);
    void begin_call(const ScriptStep& step, const CallLine& call);
    void finish_call(const Blocked& blocked, const CallLine& call, const CallResult& result);
    void retry_blocked();
    void check(const ChecksLine& line);
    bool advance(TimePoint until, bool stop_at_output);
    void tell_stack();
    void pass_to(TimePoint time);
    std::string seen_text(const WirePort::Sent& sent, const TcpLine* expected);

    const Script& script_;
    const ScriptConfig& config_;
    TimePoint origin_;
    TimePoint now_;
    TimePoint last_;  ///< the time of the last step
    SeededRng rng_{1};
    WirePort port_;
    ScriptHistory history_;
    ScriptWire wire_;
    Stack stack_;
    Interface* interface_;
    ScriptCalls calls_;
    PacketPool pool_{PacketPool::kSuperFrameSlot, 8};
    std::deque<Blocked> blocked_;
    const ScriptStep* step_ = nullptr;
};

ScriptRun::ScriptRun(const Script& script, const ScriptConfig& config, u32 peer_iss, Duration shift)
    : script_(script),
      config_(config),
      origin_(shift),
      now_(origin_),
      last_(origin_),
      port_(config, now_),
      history_(origin_),
      wire_(config, peer_iss),
      stack_(config.stack, rng_),
      interface_(
          &stack_.add_interface(port_, {"eth0", ScriptWire::our_mac(), config.local, 0}, now_)),
      calls_(stack_, config) {
    stack_.set_trace(&history_);
    stack_.add_route({Ipv4Address(), 0}, *interface_, config.gateway);
    interface_->arp().add_static(config.gateway, ScriptWire::gateway_mac(), now_);
}

void ScriptRun::run() {
    for (const ScriptStep& step : script_.steps) {
        step_ = &step;
        perform(step);
    }
    if (!port_.sent.empty()) {
        throw Failure("at the end a packet is left that nobody expected:\n    " +
                      seen_text(port_.sent.front(), nullptr));
    }
    if (!blocked_.empty()) {
        throw Failure("at the end a call still blocks: line " +
                      std::to_string(blocked_.front().step->line));
    }
}

std::optional<u32> ScriptRun::find_iss() {
    try {
        for (const ScriptStep& step : script_.steps) {
            step_ = &step;
            const auto* tcp = std::get_if<TcpLine>(&step.body);
            const bool syn_expected = tcp != nullptr && !tcp->inbound && tcp->note.flags.syn();
            if (!syn_expected) {
                perform(step);
                continue;
            }
            if (port_.sent.empty()) advance(at(step.time, step.time.to), true);
            if (port_.sent.empty()) return std::nullopt;
            const u8* header = port_.sent.front().bytes.data() + 34;
            return load_be32(header + TcpView::kSequence) - tcp->note.seq;
        }
    } catch (const std::exception&) {
        // The real run will say it.
    }
    return std::nullopt;
}

void ScriptRun::perform(const ScriptStep& step) {
    if (const auto* tcp = std::get_if<TcpLine>(&step.body); tcp != nullptr && !tcp->inbound) {
        expect(step, *tcp);
        return;
    }
    const TimePoint time = at(step.time, step.time.from);
    pass_to(time);
    last_ = time;
    history_.add(now_,
                 step.text.substr(std::min(step.text.find_first_of(" \t"), step.text.size())));
    if (const auto* tcp = std::get_if<TcpLine>(&step.body)) {
        inject(wire_.frame_of(*tcp));
    } else if (const auto* icmp = std::get_if<IcmpLine>(&step.body)) {
        inject(wire_.frame_of(*icmp));
    } else if (const auto* call = std::get_if<CallLine>(&step.body)) {
        begin_call(step, *call);
    } else {
        check(std::get<ChecksLine>(step.body));
    }
}

/// To the time of the next step; what comes before it was not expected.
void ScriptRun::pass_to(TimePoint time) {
    if (time < now_) throw Failure("the script's time runs back from " + seconds(now_));
    if (port_.sent.empty()) advance(time, true);
    if (!port_.sent.empty() && port_.sent.front().time + config_.tolerance < time) {
        throw Failure("before this step came, at " + seconds(port_.sent.front().time) +
                      ", a packet that nobody expected:\n    " +
                      seen_text(port_.sent.front(), nullptr));
    }
    advance(time, false);
}

/// Lets time pass until `until`, or to the first packet. False when the time has come.
bool ScriptRun::advance(TimePoint until, bool stop_at_output) {
    constexpr int kMaxAtOnce = 10000;
    int at_once = 0;
    while (true) {
        if (stop_at_output && !port_.sent.empty()) return true;
        TimePoint next = stack_.next_deadline().value_or(kNever);
        if (!blocked_.empty()) next = std::min(next, blocked_.front().timeout);
        if (next > until) break;
        at_once = next <= now_ ? at_once + 1 : 0;
        if (at_once > kMaxAtOnce) throw Failure("the stack does not come to rest");
        now_ = std::max(now_, next);
        tell_stack();
    }
    if (until != kNever) now_ = std::max(now_, until);
    if (stack_.now() < now_) tell_stack();
    return false;
}

void ScriptRun::tell_stack() {
    stack_.advance(now_);
    retry_blocked();
}

void ScriptRun::inject(const std::vector<u8>& frame) {
    Packet packet = pool_.copy(frame);
    stack_.receive(*interface_, std::span(&packet, 1), now_);
    retry_blocked();
}

void ScriptRun::begin_call(const ScriptStep& step, const CallLine& call) {
    // Both times of `a...b` count from the same moment, and the call begins at `a`.
    const Duration takes = step.time.returns.value_or(step.time.from) - step.time.from;
    Blocked blocked{&step, {}, now_ + takes};
    if (ScriptCalls::connects(call)) wire_.expect_connect();
    const auto result = calls_.attempt(call, step.time.returns.has_value(), blocked.progress);
    stack_.advance(now_);
    if (result) {
        finish_call(blocked, call, *result);
    } else {
        if (const auto timeout = ScriptCalls::timeout(call)) blocked.timeout = now_ + *timeout;
        blocked_.push_back(blocked);
    }
    retry_blocked();
}

void ScriptRun::retry_blocked() {
    for (std::size_t i = 0; i < blocked_.size(); ++i) {
        Blocked& blocked = blocked_[i];
        const auto& call = std::get<CallLine>(blocked.step->body);
        auto result = calls_.attempt(call, true, blocked.progress);
        if (!result && now_ >= blocked.timeout) result = calls_.poll_timed_out(call);
        stack_.advance(now_);
        if (!result) continue;
        const Blocked done = blocked;
        blocked_.erase(blocked_.begin() + static_cast<std::ptrdiff_t>(i--));
        history_.add(now_, "returns: " + done.step->text);
        finish_call(done, call, *result);
    }
}

void ScriptRun::finish_call(const Blocked& blocked, const CallLine& call,
                            const CallResult& result) {
    const std::string line = script_.name + ':' + std::to_string(blocked.step->line) + ": ";
    if (!result.fault.empty()) throw Failure(line + call.name + "(): " + result.fault);
    if (blocked.step->time.returns &&
        (now_ > blocked.due + config_.tolerance || now_ < blocked.due - config_.tolerance)) {
        throw Failure(line + call.name + "() should come back at " + seconds(blocked.due) +
                      " and came back at " + seconds(now_));
    }
    if (!call.result_given) return;
    const std::string error = result.error == Errno::None ? "" : std::string(name(result.error));
    if (result.value != call.result || error != call.error) {
        throw Failure(line + call.name + "() should give " + std::to_string(call.result) + ' ' +
                      call.error + "\n    and gave " + std::to_string(result.value) + ' ' + error);
    }
}

void ScriptRun::expect(const ScriptStep& step, const TcpLine& line) {
    const bool any = step.time.kind == StepTime::Kind::Any;
    const TimePoint first = any ? origin_ : at(step.time, step.time.from) - config_.tolerance;
    const TimePoint latest =
        any ? now_ + std::chrono::hours(24) : at(step.time, step.time.to) + config_.tolerance;
    if (port_.sent.empty() && latest >= now_) advance(latest, true);
    if (port_.sent.empty()) throw Failure("no packet came until " + seconds(now_));
    const WirePort::Sent sent = std::move(port_.sent.front());
    port_.sent.pop_front();
    last_ = sent.time;
    const std::string text = seen_text(sent, &line);
    history_.add(sent.time, text);
    if (sent.time < first || sent.time > latest) {
        throw Failure("the packet should come " + (any ? "any time" : "at " + seconds(first)) +
                      " and came at " + seconds(sent.time) + ":\n    " + text);
    }
    const auto seen = wire_.read(sent.bytes, &line);
    if (!seen) throw Failure("a TCP segment should come, and there came\n    " + text);
    compare(*seen, line);
}

void ScriptRun::compare(const SeenSegment& seen, const TcpLine& line) const {
    const TcpNote& want = line.note;
    const TcpNote& have = seen.note;
    std::string wrong;
    const auto differs = [&](bool is, const char* what) {
        if (is) wrong += (wrong.empty() ? "" : ", ") + std::string(what);
    };
    differs(seen.flow != line.flow, "the flow");
    differs(have.flags != want.flags, "the flags");
    differs(have.seq != want.seq, "the sequence number");
    differs(have.length != want.length, "the length");
    differs(have.ack != want.ack, "the acknowledgment");
    differs(want.window && have.window != want.window, "the window");
    differs(have.urgent != want.urgent, "the urgent pointer");
    differs(!line.options.any && seen.options != line.options.list, "the options");
    differs(line.notes.tos && seen.tos != line.notes.tos, "the TOS");
    differs(line.notes.ecn && (seen.tos & 3) != line.notes.ecn, "the bits of ECN");
    differs(line.notes.ttl && seen.ttl != line.notes.ttl, "the TTL");
    if (!wrong.empty()) {
        throw Failure("the packet is another one (" + wrong + "):\n    " + to_string(seen));
    }
    if (!seen.fault.empty()) throw Failure(seen.fault + ":\n    " + to_string(seen));
}

void ScriptRun::check(const ChecksLine& line) {
    for (const Check& one : line.checks) {
        const auto ports = wire_.ports(one.flow);
        const TcpSnapshot* snapshot = ports ? history_.snapshot(*ports) : nullptr;
        const auto wrong = failed_check(
            one, {stack_, snapshot, ports ? calls_.socket_of(*ports) : nullptr, wire_, now_});
        if (wrong) throw Failure(*wrong);
    }
}

std::string ScriptRun::seen_text(const WirePort::Sent& sent, const TcpLine* expected) {
    const auto seen = wire_.read(sent.bytes, expected);
    return seen ? to_string(*seen) : "> " + describe_frame(sent.bytes, sent.bytes.size());
}

std::string ScriptRun::report(const std::string& what) const {
    std::string text = history_.text();
    if (step_ != nullptr) {
        text +=
            script_.name + ':' + std::to_string(step_->line) + ": " + step_->text + "\n  " + what;
    } else {
        text += what;
    }
    for (u32 flow = 1; const auto ports = wire_.ports(flow); ++flow) {
        const TcpSnapshot* snapshot = history_.snapshot(*ports);
        if (snapshot == nullptr) continue;
        text += "\n  flow " + std::to_string(flow) + ": " + to_string(*snapshot, wire_, flow);
    }
    return text;
}

/// The ISN is a clock plus a secret (RFC 6528), so to get a certain one the world begins later: the
/// time by which the clock's 4-microsecond ticks make up the difference to `wanted`.
Duration shift_for(const Script& script, const ScriptConfig& config, u32 peer_iss, u32 wanted) {
    const auto iss = ScriptRun(script, config, peer_iss, Duration{}).find_iss();
    return iss ? Duration(4us) * i64{wanted - *iss} : Duration{};
}

}  // namespace

ScriptResult run_script(const Script& script, const ScriptNumbers& numbers) {
    try {
        const ScriptConfig config = make_config(script);
        const u32 peer_iss = config.peer_iss.value_or(numbers.peer_iss);
        const auto iss = config.iss ? config.iss : numbers.iss;
        const Duration shift = iss ? shift_for(script, config, peer_iss, *iss) : Duration{};
        ScriptRun run(script, config, peer_iss, shift);
        try {
            run.run();
        } catch (const std::exception& error) {
            return {false, run.report(error.what())};
        }
    } catch (const std::exception& error) {
        return {false, error.what()};
    }
    return {true, {}};
}

}  // namespace tapestry::test
