#include "apps/inspect/tcp_changes.h"

#include <cstdio>

namespace tapestry {
namespace {

std::string seconds(Duration d) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3f", to_seconds(d));
    return text;
}

std::string milliseconds(Duration d) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3f ms", to_seconds(d) * 1000);
    return text;
}

std::string threshold(u32 value) { return value == ~u32{0} ? "inf" : std::to_string(value); }

u32 distance(SeqNum from, SeqNum to) { return to.value() - from.value(); }

/// Gathers the texts of one event.
class Changes {
public:
    explicit Changes(const TcpEvent& event)
        : before_(event.before),
          after_(event.after),
          now_(event.now),
          timer_(event.stimulus == Stimulus::Timer) {}

    void sequence_numbers() {
        const bool opened = before_.iss != after_.iss;
        if (opened) add("iss " + std::to_string(after_.iss.value()) + " (shown as 0)");
        if (before_.irs != after_.irs) {
            add("irs " + std::to_string(after_.irs.value()) + " (shown as 0)");
            add("rcv.nxt " + std::to_string(distance(after_.irs, after_.rcv_nxt)));
        } else {
            number("rcv.nxt", after_.irs, before_.rcv_nxt, after_.rcv_nxt);
        }
        if (opened) return;
        number("snd.una", after_.iss, before_.snd_una, after_.snd_una);
        number("snd.nxt", after_.iss, before_.snd_nxt, after_.snd_nxt);
    }

    void windows(bool all) {
        const bool closed_or_opened = (before_.snd_wnd == 0) != (after_.snd_wnd == 0);
        if (all || closed_or_opened) value("snd.wnd", before_.snd_wnd, after_.snd_wnd);
        if (all) value("mss", before_.mss, after_.mss);
        // When nothing more will be sent it means nothing any more.
        if (after_.state == TcpState::TimeWait || after_.state == TcpState::Closed) return;
        value("cwnd", before_.cwnd, after_.cwnd);
        if (before_.ssthresh != after_.ssthresh) {
            add("ssthresh " + threshold(before_.ssthresh) + "->" + threshold(after_.ssthresh));
        }
    }

    void recovery() {
        if (before_.in_recovery != after_.in_recovery) {
            add(after_.in_recovery ? "recovery begins" : "recovery ends");
        }
        if (after_.duplicate_acks > before_.duplicate_acks) {
            add("duplicate acks " + std::to_string(after_.duplicate_acks));
        }
        value("sacked", before_.sacked, after_.sacked);
        value("out of order", before_.receive_out_of_order, after_.receive_out_of_order);
    }

    void timers() {
        if (before_.srtt == Duration{} && after_.srtt != Duration{}) {
            add("srtt " + milliseconds(after_.srtt));
        }
        if (before_.rto != after_.rto) {
            add("rto " + seconds(before_.rto) + "->" + seconds(after_.rto));
        }
        for (std::size_t i = 0; i < kTcpTimerCount; ++i) {
            const std::string timer(name(static_cast<TcpTimer>(i)));
            const bool was_on = before_.deadlines[i] != kNever;
            const bool is_on = after_.deadlines[i] != kNever;
            if (is_on && !was_on) add(timer + " armed " + seconds(after_.deadlines[i] - now_));
            // Of a timer that has just gone off that goes without saying.
            if (was_on && !is_on && !timer_) add(timer + " off");
        }
    }

    std::vector<std::string> take() { return std::move(texts_); }

private:
    void add(std::string text) { texts_.push_back(std::move(text)); }
    void value(const char* what, u32 from, u32 to) {
        if (from != to)
            add(std::string(what) + ' ' + std::to_string(from) + "->" + std::to_string(to));
    }
    void number(const char* what, SeqNum base, SeqNum from, SeqNum to) {
        if (from != to) value(what, distance(base, from), distance(base, to));
    }

    const TcpSnapshot& before_;
    const TcpSnapshot& after_;
    TimePoint now_;
    bool timer_;
    std::vector<std::string> texts_;
};

}  // namespace

std::vector<std::string> tcp_changes(const TcpEvent& event, bool all) {
    Changes changes(event);
    changes.sequence_numbers();
    changes.windows(all);
    changes.recovery();
    changes.timers();
    return changes.take();
}

}  // namespace tapestry
