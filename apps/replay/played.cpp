#include "apps/replay/played.h"

namespace tapestry {

PlayedState PlayedState::of(const TcpSnapshot& snapshot) {
    return {snapshot.state,   snapshot.snd_una,     snapshot.snd_nxt,
            snapshot.rcv_nxt, snapshot.snd_wnd,     snapshot.rcv_wnd,
            snapshot.cwnd,    snapshot.send_queued, snapshot.receive_out_of_order};
}

std::string PlayedState::text(SeqNum our_isn, SeqNum their_isn) const {
    std::string line(name(state));
    if (state == TcpState::Closed) return line;
    const auto add = [&line](const char* variable, u32 value) {
        line += std::string(" ") + variable + " " + std::to_string(value);
    };
    add("SND.UNA", (snd_una - our_isn.value()).value());
    add("SND.NXT", (snd_nxt - our_isn.value()).value());
    add("SND.WND", snd_wnd);
    if (state != TcpState::SynSent) add("RCV.NXT", (rcv_nxt - their_isn.value()).value());
    add("RCV.WND", rcv_wnd);
    add("cwnd", cwnd);
    if (send_queued > 0) add("queued", send_queued);
    if (receive_out_of_order > 0) add("out-of-order", receive_out_of_order);
    return line;
}

}  // namespace tapestry
