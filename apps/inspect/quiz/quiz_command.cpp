#include "apps/inspect/quiz/quiz_command.h"

#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "apps/failure.h"
#include "apps/inspect/quiz/quiz_json.h"
#include "apps/inspect/quiz/quiz_session.h"
#include "apps/inspect/quiz/quiz_timeline.h"

namespace tapestry {
namespace {

/// Gives every IPv4 packet of the records, with the size that it had on the wire, to `take`.
void for_each_packet(const Records& next,
                     const std::function<void(const PcapRecord&, Bytes ipv4, std::size_t)>& take) {
    while (true) {
        const auto record = next();
        if (!record) throw Failure(kUsage, "inspect: " + record.error().what);
        if (!*record) return;
        const auto packet = network_packet((*record)->link, (*record)->bytes);
        if (!packet || packet->type != EtherType::Ipv4) continue;
        take(**record, packet->packet, (*record)->original_size - packet->header_size);
    }
}

void read_other_side(const std::string& file, Quiz& quiz) {
    auto reader = PcapReader::open(file);
    if (!reader) throw Failure(kUsage, "inspect: --other-side: " + reader.error().what);
    for_each_packet([&] { return reader->next(); },
                    [&](const PcapRecord& record, Bytes ipv4, std::size_t size) {
                        quiz.packet(record.number, record.time, ipv4, size, true);
                    });
}

/// What is to be asked of all that could be.
Questions chosen(const QuizRequest& request, const Questions& all, std::size_t streams) {
    if (request.stream && *request.stream >= streams) {
        throw Failure(kUsage, "inspect: " + request.file + " has no stream " +
                                  std::to_string(*request.stream) + "; it has " +
                                  std::to_string(streams) + ", counted from 0");
    }
    Questions questions = request.stream ? of_stream(all, *request.stream)
                          : request.json ? all
                                         : worthwhile(all);
    if (questions.empty()) {
        throw Failure(kUsage, "inspect: " + request.file +
                                  " has no TCP conversation that anything can be asked about");
    }
    return questions;
}

std::optional<std::string> read_line() {
    const bool asked = isatty(STDIN_FILENO) != 0;
    if (asked) std::fputs("> ", stdout);
    std::fflush(stdout);
    std::string line;
    if (std::getline(std::cin, line)) return line;
    if (asked) std::puts("");
    return std::nullopt;
}

void put(const QuizRequest& request, const Questions& questions,
         const std::function<void(std::size_t)>& list) {
    if (request.json) {
        std::puts(quiz_json(request.file, questions).c_str());
        return;
    }
    const std::size_t stream = questions.front().stream.value_or(0);
    QuizSession session(questions, request.language,
                        {[](const std::string& line) { std::puts(line.c_str()); }, read_line,
                         [&] { list(stream); }});
    session.run();
}

}  // namespace

void quiz_capture(const QuizRequest& request, const Records& next,
                  const std::function<void(std::size_t stream)>& list) {
    Quiz quiz;
    Observer observer([&](const ObservedSegment& segment) { quiz.segment(segment); });
    for_each_packet(next, [&](const PcapRecord& record, Bytes ipv4, std::size_t size) {
        quiz.packet(record.number, record.time, ipv4, size);
        observer.packet(record.number, record.time, ipv4, size);
    });
    if (!request.other_side.empty()) read_other_side(request.other_side, quiz);
    const auto& streams = observer.streams();
    put(request, chosen(request, quiz.questions(streams), streams.size()), list);
}

void quiz_timeline(const QuizRequest& request, const Timeline& timeline,
                   const std::function<void()>& list) {
    Quiz quiz;
    const auto streams = read_timeline(timeline, quiz);
    if (!request.other_side.empty()) read_other_side(request.other_side, quiz);
    put(request, chosen(request, quiz.questions(streams), streams.size()),
        [&](std::size_t) { list(); });
}

}  // namespace tapestry
