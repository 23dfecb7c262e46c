#include "stack/tcp/rack.h"

#include <algorithm>

namespace tapestry {
namespace {

/// Section 6.2 step 1 asks for a windowed minimum, so that a route that has become longer is noticed.
constexpr Duration kMinRttWindow = std::chrono::minutes(5);

}  // namespace

/// Step 2: "the most recently sent segment that has been delivered".
void Rack::take_sample(const Transmission& piece, TimePoint now) {
    rtt_ = std::max(now - piece.sent_at, Duration{1});
    if (!any_ || piece.sent_after(latest_)) latest_ = piece;
    any_ = true;
}

void Rack::on_delivered(const Delivered& delivered, TimePoint now, TimePoint echoed) {
    if (delivered.bytes == 0) return;
    if (!any_) fack_ = delivered.highest - delivered.bytes;
    if (const auto& piece = delivered.newest) {
        const Duration rtt = std::max(now - piece->sent_at, Duration{1});
        if (min_rtt_ == Duration{} || rtt <= min_rtt_ || now - min_rtt_at_ > kMinRttWindow) {
            min_rtt_ = rtt;
            min_rtt_at_ = now;
        }
        // Step 3: something sent once has arrived behind what was sent later.
        if (delivered.lowest_once.before(fack_)) reordering_seen_ = true;
        take_sample(*piece, now);
    }
    if (const auto& piece = delivered.newest_again) {
        // Which transmission has arrived? The first one, when the echoed timestamp is older than the
        // second, or when the second could not have been answered so soon.
        const bool first =
            echoed != TimePoint{} ? echoed < piece->sent_at : now - piece->sent_at < min_rtt_;
        if (!first) take_sample(*piece, now);
    }
    fack_ = later(fack_, delivered.highest);
}

/// Step 4, RACK_update_reo_wnd(): each round trip with a D-SACK, which says that a retransmission was
/// for nothing, makes the window wider by one step, for the next 16 recoveries.
void Rack::update_window(const Situation& at) {
    if (in_dsack_round_ && at.una.after_or_at(dsack_round_)) in_dsack_round_ = false;
    if (!at.duplicate || in_dsack_round_) return;
    in_dsack_round_ = true;
    dsack_round_ = at.nxt;
    if (window_mult_ < 255) ++window_mult_;
    window_persist_ = 16;
}

void Rack::on_recovered() {
    if (window_persist_ > 0 && --window_persist_ == 0) window_mult_ = 1;
}

Duration Rack::reordering_window(const Situation& at) const {
    // As long as nothing has been reordered, the third segment SACKed is as good a sign as ever.
    if (!reordering_seen_ && (at.in_recovery || at.enough_sacked)) return {};
    return std::min(window_mult_ * (min_rtt_ / 4), at.srtt);
}

/// Step 5, RACK_detect_loss(). The records are in the order of their numbers; where nothing has been
/// sent again that is the order of their times, and the rest was sent later than the first that was.
Rack::Result Rack::detect_loss(RetransmissionQueue& queue, const Situation& at) {
    if (at.duplicate || in_dsack_round_) update_window(at);
    Result result;
    if (!any_) return result;
    const Duration patience = rtt_ + reordering_window(at);
    const auto records = queue.records();
    for (std::size_t i = 0; i < records.size(); ++i) {
        const Transmission& record = records[i];
        if (!latest_.sent_after(record)) {
            if (!record.retransmitted) break;
            continue;
        }
        if (record.lost) continue;
        const TimePoint late = record.sent_at + patience;
        if (late <= at.now) {
            result.lost += record.length();
            queue.mark_lost(i);
        } else {
            // "timeout = max(remaining, timeout)": one more look, when all of them are late.
            result.again = result.again == kNever ? late : std::max(result.again, late);
        }
    }
    return result;
}

void Rack::mark_losses_on_timeout(RetransmissionQueue& queue, const Situation& at) const {
    const Duration patience = rtt_ + reordering_window(at);
    const auto records = queue.records();
    for (std::size_t i = 0; i < records.size(); ++i) {
        if (i == 0 || records[i].sent_at + patience <= at.now) queue.mark_lost(i);
    }
}

}  // namespace tapestry
