#include "apps/lab/echo_programs.h"

#include <cstdio>

#include "apps/inspect/chinese_words.h"
#include "apps/inspect/frame_reader.h"

namespace tapestry {
namespace {

/// How long an answer is waited for.
constexpr Duration kPatience = 2s;

std::string milliseconds(Duration d) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g ms", to_seconds(d) * 1000);
    return text;
}

std::string error_text(IcmpType type, u8 code) {
    if (type == IcmpType::TimeExceeded) return "time to live exceeded";
    if (type != IcmpType::DestinationUnreachable) return "it cannot be delivered";
    return unreachable_text(code);
}

}  // namespace

PingProgram::PingProgram(const Seat& at, const Command& command)
    : Program(at), command_(command), socket_(at.stack().ping_socket()), next_(at.now()) {
    seat().call(command.line);
    poll();
}

void PingProgram::poll() {
    if (over_) return;
    while (const auto reply = socket_.receive()) {
        const auto asked = sent_.find(reply->sequence);
        if (asked == sent_.end()) continue;
        if (reply->error) {
            ++errors_;
            const std::string who = reply->source.to_string();
            const std::string what = error_text(*reply->error, reply->code);
            seat().result("ping: " + who + " says: " + what,
                          "ping：" + who + " 报告：" + icmp_in(what, Language::Chinese));
        } else {
            ++answers_;
            const std::string who = reply->source.to_string();
            const std::string number = std::to_string(reply->sequence);
            const std::string rest = "ttl " + std::to_string(reply->ttl) + ", " +
                                     milliseconds(reply->arrived - asked->second);
            seat().result("ping: answer " + number + " from " + who + ", " + rest,
                          "ping：来自 " + who + " 的应答 " + number + "，" + rest);
        }
        sent_.erase(asked);
    }
    if (count_ < command_.count && seat().now() >= next_) send();
    if (count_ < command_.count) return;
    if (sent_.empty() || seat().now() >= sent_.rbegin()->second + kPatience) finish();
}

void PingProgram::send() {
    const u16 sequence = static_cast<u16>(++count_);
    const std::vector<u8> data(56, 'p');
    const auto sent = socket_.send(command_.remote.address, sequence, data);
    if (sent) {
        sent_[sequence] = seat().now();
    } else {
        seat().result("ping: " + std::string(text(sent.error())));
    }
    next_ = seat().now() + (count_ < command_.count ? command_.time : kPatience);
    wake_at(next_);
}

void PingProgram::finish() {
    over_ = true;
    const std::string sent = std::to_string(count_);
    const std::string answers = std::to_string(answers_);
    seat().result("ping: " + sent + " sent, " + answers + " answered",
                  "ping：发送 " + sent + " 个，收到 " + answers + " 个应答");
}

void PingProgram::give_up(Duration /*patience*/) {
    if (!over_) finish();
}

TracerouteProgram::TracerouteProgram(const Seat& at, const Command& command)
    : Program(at), command_(command), socket_(at.stack().ping_socket()) {
    seat().call(command.line);
    send();
}

void TracerouteProgram::send() {
    ++hop_;
    sent_ = seat().now();
    socket_.set_ttl(static_cast<u8>(hop_));
    const std::vector<u8> data(32, 't');
    const auto sent = socket_.send(command_.remote.address, hop_, data);
    if (!sent) {
        seat().result("traceroute: " + std::string(text(sent.error())));
        over_ = true;
        return;
    }
    wake_at(sent_ + kPatience);
}

void TracerouteProgram::poll() {
    if (over_) return;
    const std::string hop = "traceroute: " + std::to_string(hop_) + "  ";
    bool answered = false;
    while (const auto reply = socket_.receive()) {
        if (reply->sequence != hop_) continue;
        answered = true;
        std::string line =
            hop + reply->source.to_string() + "  " + milliseconds(reply->arrived - sent_);
        const bool expected = !reply->error || *reply->error == IcmpType::TimeExceeded;
        const std::string why = expected ? "" : error_text(*reply->error, reply->code);
        seat().result(line + (expected ? "" : "  " + why),
                      expected ? "" : line + "  " + icmp_in(why, Language::Chinese));
        over_ = !reply->error || !expected;
    }
    if (!answered && seat().now() < sent_ + kPatience) return;
    if (!answered) seat().result(hop + "*  no answer", hop + "*  没有应答");
    over_ = over_ || hop_ >= command_.count;
    if (!over_) send();
}

}  // namespace tapestry
