#include "tests/support/capture_replay.h"

#include <algorithm>
#include <stdexcept>

#include "drivers/wire_frames.h"
#include "stack/tcp/isn.h"
#include "stack/wire/checksum.h"
#include "stack/wire/ipv4.h"

namespace tapestry::test {
namespace {

/// Every secret of the stack is made of this.
constexpr u64 kSecret = 0x7461706573747279;

/// Adds `shift` to the echo in a frame's timestamps option, puts another ACK in if one is given (with
/// the same right edge of the window), and makes the checksum right again.
void adapt(std::vector<u8>& frame, u32 shift, std::optional<SeqNum> ack, u8 window_shift) {
    const auto ip = *Ipv4View::parse(EthernetView::parse(frame)->payload());
    const auto tcp = *TcpView::parse(ip.payload());
    u8* header = frame.data() + EthernetView::kHeaderSize + ip.header_size();
    if (ack) {
        const u32 window =
            tcp.window() + (static_cast<u32>(tcp.acknowledgment() - *ack) >> window_shift);
        store_be16(header + TcpView::kWindow, static_cast<u16>(std::min<u32>(window, 65535)));
        store_be32(header + TcpView::kAcknowledgment, ack->value());
    }
    u8* option = header + TcpView::kMinHeaderSize;
    const u8* end = option + tcp.options().size();
    for (; option < end && *option != 0; option += *option == 1 ? 1 : option[1]) {
        if (*option != static_cast<u8>(TcpOptionKind::Timestamps)) continue;
        store_be32(option + 6, load_be32(option + 6) + shift);
    }
    store_be16(header + TcpView::kChecksum, 0);
    auto adder = pseudo_header(ip.source(), ip.destination(), static_cast<u8>(IpProtocol::Tcp),
                               static_cast<u32>(ip.payload().size()));
    adder.add(ip.payload());
    store_be16(header + TcpView::kChecksum, adder.checksum());
}

bool has_syn(const TimedSegment& s) { return s.segment.flags.syn(); }

}  // namespace

std::vector<u8> stream_of(const std::vector<TimedSegment>& segments, SeqNum isn) {
    std::vector<u8> bytes;
    for (const TimedSegment& s : segments) {
        const Bytes payload = s.segment.payload;
        if (payload.empty()) continue;
        const auto at = static_cast<std::size_t>(s.segment.seq - (isn + 1U));
        bytes.resize(std::max(bytes.size(), at + payload.size()));
        std::copy(payload.begin(), payload.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
    }
    return bytes;
}

/// Not random at all: with it the secret of the ISNs is known.
class CaptureReplay::FixedRng final : public Rng {
public:
    u64 next() override { return kSecret; }
};

CaptureReplay::CaptureReplay(const std::string& path, const ReplayOptions& options)
    : options_(options), frames_(read_capture(path)) {
    options_.socket.no_delay |= options_.writes == ReplayOptions::Writes::AsSent;
    sort_out(path);
    set_clock();
    start_stack();
}

CaptureReplay::~CaptureReplay() {
    if (stack_) stack_->set_trace(nullptr);
}

/// Who is who.
void CaptureReplay::sort_out(const std::string& path) {
    all_ = segments_of(frames_);
    for (const TimedSegment& s : all_) {
        const bool ours = s.segment.source.address == options_.host;
        if (!ours && s.segment.destination.address != options_.host) continue;
        (ours ? ours_ : theirs_).push_back(s);
    }
    const auto our_syn = std::find_if(ours_.begin(), ours_.end(), has_syn);
    const auto their_syn = std::find_if(theirs_.begin(), theirs_.end(), has_syn);
    if (ours_.empty() || theirs_.empty() ||
        (our_syn == ours_.end() && their_syn == theirs_.end())) {
        throw std::runtime_error(path + ": no TCP conversation of " + options_.host.to_string());
    }
    active_ = our_syn != ours_.end() && !our_syn->segment.flags.ack();
    refuses_ = our_syn == ours_.end();
    local_ = ours_.front().segment.source;
    remote_ = ours_.front().segment.destination;
    const auto ethernet = EthernetView::parse(ours_.front().frame);
    local_mac_ = ethernet->source();
    remote_mac_ = ethernet->destination();
    std::erase_if(all_, [&](const TimedSegment& s) {
        return !(s.segment.source == local_ && s.segment.destination == remote_) &&
               !(s.segment.source == remote_ && s.segment.destination == local_);
    });
    if (!refuses_) our_isn_ = our_syn->segment.seq;
    if (their_syn != theirs_.end()) their_isn_ = their_syn->segment.seq;
    written_to_ = our_isn_ + 1U;
}

/// When our ISN is chosen (the SYN leaves, or arrives), M + F must be the recorded one; M is the time in
/// units of 4 microseconds.
void CaptureReplay::set_clock() {
    const TimePoint chosen_at = active_ ? ours_.front().time : theirs_.front().time;
    const SeqNum f = IsnGenerator({kSecret, kSecret}).isn(local_, remote_, TimePoint{});
    const i64 m = (i64{1} << 32) + (our_isn_.value() - f.value());
    clock_offset_ = TimePoint(m * 4us) - chosen_at;
    now_ = stack_time(all_.front().time);
}

StackConfig CaptureReplay::stack_config() const {
    StackConfig config;
    config.arp.announce = false;
    config.tcp.min_rto = 200ms;
    if (options_.writes == ReplayOptions::Writes::AsSent) config.tcp.initial_window_segments = 1000;
    config.tcp.rto_after_syn_loss = 1s;
    if (options_.receive_buffer != 0) config.tcp.receive_buffer = options_.receive_buffer;
    if (!refuses_) {
        const auto syn = std::find_if(ours_.begin(), ours_.end(), has_syn);
        config.tcp.timestamps = syn->segment.options.timestamps.has_value();
        config.tcp.window_scaling = syn->segment.options.window_scale.has_value();
    }
    return config;
}

void CaptureReplay::start_stack() {
    rng_ = std::make_unique<FixedRng>();
    stack_ = std::make_unique<Stack>(stack_config(), *rng_);
    InterfaceConfig interface;
    interface.mac = local_mac_;
    interface.address = {local_.address, 24};
    interface_ = &stack_->add_interface(*this, interface, now_);
    interface_->arp().add_static(remote_.address, remote_mac_, now_);
    stack_->set_trace(this);
    if (refuses_) return;
    const auto syn = std::find_if(ours_.begin(), ours_.end(), has_syn);
    if (syn->segment.options.mss.value_or(1460) < 1460) {
        options_.socket.max_segment = *syn->segment.options.mss;
    }
    if (active_) return;
    listener_ = stack_->tcp_listener();
    check("listen", listener_.listen(local_));
    listener_.set_options(options_.socket);
}

void CaptureReplay::run(Duration afterwards) {
    for (const TimedSegment& s : all_) {
        run_to(s.time);
        if (s.segment.source == local_) {
            act(s);
        } else {
            arrive(s);
        }
        settle();
    }
    over_ = true;
    settle();
    run_to(all_.back().time + afterwards);
}

/// Lets the timers run that are due until then.
void CaptureReplay::run_to(TimePoint recorded) {
    const TimePoint until = stack_time(recorded);
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

/// The recorded host has sent this: what must its application have done?
void CaptureReplay::act(const TimedSegment& s) {
    const Segment& seg = s.segment;
    if (seg.options.timestamps && !recorded_stamp_) recorded_stamp_ = seg.options.timestamps->value;
    if (refuses_) return;
    if (seg.flags.syn() && active_ && !socket_) {
        socket_ = stack_->tcp_socket();
        check("options", socket_.set_options(options_.socket));
        check("bind", socket_.bind(local_));
        check("connect", socket_.connect(remote_));
    }
    if (seg.flags.ack() && !seg.flags.syn() && !seg.flags.rst()) {
        const auto syn = std::find_if(ours_.begin(), ours_.end(), has_syn);
        const u8 shift = syn->segment.options.window_scale.value_or(0);
        const SeqNum edge = seg.ack + (u32{seg.wnd} << shift);
        edge_ = edge_ ? later(*edge_, edge) : edge;
    }
    act_on_text(seg);
    if (seg.flags.fin()) act_on_fin(seg);
    if (seg.flags.rst()) act_on_reset();
}

void CaptureReplay::act_on_text(const Segment& seg) {
    const SeqNum end = seg.seq + static_cast<u32>(seg.payload.size());
    // What begins in front of what is written already is sent again; a probe is no text.
    if (seg.flags.syn() || seg.payload.empty() || !end.after(written_to_)) return;
    if (options_.writes == ReplayOptions::Writes::Ahead) {
        write(stream_of(ours_, our_isn_));
    } else {
        write(seg.payload.subspan(static_cast<std::size_t>(written_to_ - seg.seq)));
    }
}

void CaptureReplay::write(Bytes text) {
    const auto written = socket_.write(text);
    if (!written || *written != text.size()) {
        refused_calls_.push_back("write: " +
                                 std::string(written ? "too little room" : name(written.error())));
    }
    written_to_ += static_cast<u32>(text.size());
}

void CaptureReplay::act_on_fin(const Segment& seg) {
    if (std::exchange(closing_, true)) return;
    // Who answers later data with a reset has closed, not only shut down.
    const bool resets_later = std::any_of(ours_.begin(), ours_.end(), [&](const TimedSegment& s) {
        return s.segment.flags.rst() && s.segment.seq.after(seg.seq);
    });
    if (resets_later) {
        socket_.close();
    } else {
        check("shutdown", socket_.shutdown(Shutdown::Send));
    }
}

void CaptureReplay::act_on_reset() {
    if (closing_ || std::exchange(reset_, true)) return;
    if (options_.resets == ReplayOptions::Resets::Stack) return;
    if (options_.reads == ReplayOptions::Reads::Never) {
        socket_.close();
    } else {
        socket_.abort();
    }
}

/// The other side's segments come in their order: one that is held back holds those behind it.
void CaptureReplay::arrive(const TimedSegment& s) {
    if (!held_.empty() || too_early(s)) {
        held_.push_back(s);
        ++held_back_;
        return;
    }
    feed(s);
}

bool CaptureReplay::too_early(const TimedSegment& s) const {
    if (!s.segment.flags.ack() || refuses_) return false;
    return !sent_to_ || s.segment.ack.after(*sent_to_);
}

void CaptureReplay::feed(const TimedSegment& s, std::optional<SeqNum> ack) {
    std::vector<u8> bytes(s.frame.begin(), s.frame.end());
    const bool echoes = s.segment.options.timestamps && s.segment.flags.ack();
    const bool shift = echoes && our_stamp_ && recorded_stamp_;
    if (shift || ack) {
        adapt(bytes, shift ? *our_stamp_ - *recorded_stamp_ : 0, ack, their_window_shift());
    }
    Packet packet = pool_.copy(bytes);
    stack_->receive(*interface_, {&packet, 1}, now_);
}

u8 CaptureReplay::their_window_shift() const {
    const auto syn = std::find_if(theirs_.begin(), theirs_.end(), has_syn);
    const bool both = syn != theirs_.end() && stack_->config().tcp.window_scaling;
    return both ? syn->segment.options.window_scale.value_or(0) : u8{0};
}

void CaptureReplay::feed_held() {
    while (!held_.empty()) {
        const TimedSegment s = held_.front();
        if (!too_early(s)) {
            held_.pop_front();
            feed(s);
            continue;
        }
        // Only what is a mere ACK, and only if it says something new.
        if (!sent_to_ || lowered_ == sent_to_ || s.segment.flags.bits != TcpFlags::kAck ||
            !s.segment.payload.empty()) {
            return;
        }
        lowered_ = sent_to_;
        feed(s, sent_to_);
    }
}

/// What the application does whenever it can, and what that causes to be sent.
void CaptureReplay::settle() {
    feed_held();
    if (!socket_ && !closing_ && !reset_ && listener_.acceptable()) {
        if (auto accepted = listener_.accept()) socket_ = std::move(*accepted);
    }
    if (socket_) read_some();
    stack_->advance(now_);
    feed_held();
}

void CaptureReplay::read_some() {
    std::array<u8, 4096> block{};
    while (const std::size_t want = std::min(block.size(), may_read())) {
        const auto n = socket_.read(MutableBytes(block).first(want));
        if (!n && n.error() != Errno::Again && n.error() != Errno::NotConnected) error_ = n.error();
        if (!n || *n == 0) return;
        read_.insert(read_.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(*n));
    }
}

/// How many bytes the application would read now if they were there.
std::size_t CaptureReplay::may_read() const {
    switch (options_.reads) {
        case ReplayOptions::Reads::Never:
            return 0;
        case ReplayOptions::Reads::AtOnce:
            break;
        case ReplayOptions::Reads::WithTheWindow:
            if (over_ || closing_) break;
            if (!edge_) return 0;
            // A window that reaches so far has room behind everything that is still unread.
            const i64 read = *edge_ - (their_isn_ + 1U) - i64{options_.receive_buffer};
            return static_cast<std::size_t>(std::max<i64>(0, read - std::ssize(read_)));
    }
    return ~std::size_t{0};
}

bool CaptureReplay::check(const std::string& call, const std::expected<void, Errno>& result) {
    if (!result) refused_calls_.push_back(call + ": " + std::string(name(result.error())));
    return result.has_value();
}

bool CaptureReplay::transmit(const Frame& frame) {
    const WireFrames wire(frame);
    for (std::size_t i = 0; i < wire.count(); ++i) {
        const Frame one = wire.at(i);
        auto& bytes = sent_bytes_.emplace_back(one.size());
        one.copy_to(bytes.data());
        const auto segment = segment_of(bytes);
        if (!segment) {
            refused_calls_.push_back("a frame was sent that is no right TCP segment");
            continue;
        }
        sent_.push_back({sent_.size() + 1, recorded_time(now_), *segment, bytes});
        if (!sent_to_ || segment->end().after(*sent_to_)) sent_to_ = segment->end();
        const auto& stamps = segment->options.timestamps;
        if (stamps && !our_stamp_) our_stamp_ = stamps->value;
    }
    return true;
}

void CaptureReplay::on_drop(const DropEvent& event) { ++drops_[std::string(name(event.drop))]; }

void CaptureReplay::on_tcp(const TcpEvent& event) {
    state_ = event.after.state;
    if (states_.empty() || states_.back() != state_) states_.push_back(state_);
}

}  // namespace tapestry::test
