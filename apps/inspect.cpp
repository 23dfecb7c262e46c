#include <unistd.h>

#include <cstdio>

#include "apps/commands.h"
#include "apps/failure.h"
#include "apps/inspect/capture_report.h"
#include "apps/inspect/quiz/quiz_command.h"
#include "apps/inspect/reading_progress.h"
#include "apps/inspect/terminal/step_view.h"
#include "apps/inspect/timeline_capture.h"
#include "apps/inspect/timeline_json.h"
#include "apps/inspect/timeline_show.h"
#include "apps/timeline_files.h"

namespace tapestry {
namespace {

struct InspectOptions {
    std::string file;
    std::vector<std::string> filter;
    std::optional<std::size_t> stream;
    bool json = false;
    bool summary_only = false;
    bool step = false;
    bool quiz = false;
    std::string other_side;
    std::string language;
    TimelineFiles files;
};

std::string joined(const std::vector<std::string>& words) {
    std::string line;
    for (const std::string& word : words) line += (line.empty() ? "" : " ") + word;
    return line;
}

PcapReader open(const InspectOptions& options) {
    auto reader = PcapReader::open(options.file);
    if (!reader) throw Failure(kUsage, "inspect: " + reader.error().what);
    if (const auto set = reader->set_filter(joined(options.filter)); !set) {
        throw Failure(kUsage, "inspect: " + set.error().what);
    }
    return std::move(*reader);
}

/// What has been read of a file.
struct Reading {
    u64 frames = 0;
    u64 skipped = 0;  ///< records without a whole TCP segment
    std::optional<TimePoint> start;
    std::string broken;        ///< why it ended before the file did
    std::vector<bool> chosen;  ///< by a record's number: the filter has let it pass
};

Reading read_all(const Records& next, Observer& observer, TimelineCapture* timeline) {
    Reading reading;
    while (true) {
        const auto record = next();
        if (!record) reading.broken = record.error().what;
        if (!record || !*record) return reading;
        if (timeline != nullptr) timeline->record(**record);
        ++reading.frames;
        reading.chosen.resize((*record)->number + 1);
        reading.chosen.back() = true;
        if (!reading.start) reading.start = (*record)->time;
        const auto packet = network_packet((*record)->link, (*record)->bytes);
        const bool taken = packet && packet->type == EtherType::Ipv4 &&
                           observer.packet((*record)->number, (*record)->time, packet->packet,
                                           (*record)->original_size - packet->header_size);
        if (!taken) ++reading.skipped;
    }
}

void check_stream(const InspectOptions& options, std::size_t count) {
    if (!options.stream || *options.stream < count) return;
    throw Failure(kUsage, "inspect: " + options.file + " has no stream " +
                              std::to_string(*options.stream) + "; it has " +
                              std::to_string(count) + ", counted from 0");
}

/// --save and its like. With --stream the records of one conversation are chosen.
void keep_capture(const InspectOptions& options, const Timeline& timeline, Reading reading) {
    // A kept timeline is all that there is.
    if (may_be_timeline(options.file)) return options.files.write(timeline);
    if (options.stream) {
        reading.chosen.assign(reading.chosen.size(), false);
        for (const Timeline::Step& step : timeline.steps) {
            if (step.end == Timeline::kNone) continue;
            reading.chosen[timeline.frames[step.frame].record] = true;
        }
    }
    const CaptureFile capture{options.file, [&reading](u64 record) {
                                  return record < reading.chosen.size() && reading.chosen[record];
                              }};
    options.files.write(timeline, &capture);
}

/// --step of a capture.
int walk_capture(const InspectOptions& options, const Records& next) {
    TimelineCapture timeline(options.file);
    const std::vector<ObservedStream>* streams = nullptr;
    Observer observer([&](const ObservedSegment& segment) {
        if (options.stream && segment.stream != *options.stream) return;
        timeline.segment(segment, (*streams)[segment.stream]);
    });
    streams = &observer.streams();
    const Reading reading = read_all(next, observer, &timeline);
    check_stream(options, streams->size());
    Timeline read = timeline.finish();
    keep_capture(options, read, reading);
    step_through(std::move(read), {.run = nullptr, .refusal = Phrase::CaptureIsOver},
                 language_of(options.language));
    if (!reading.broken.empty()) throw Failure(kUsage, "inspect: " + reading.broken);
    return kDone;
}

int read_capture(const InspectOptions& options, const Records& next) {
    if (options.step && !options.json) return walk_capture(options, next);
    CaptureReport report([](const std::string& line) { std::puts(line.c_str()); },
                         Paint::for_descriptor(STDOUT_FILENO));
    std::vector<ObservedSegment> segments;
    const std::vector<ObservedStream>* streams = nullptr;
    TimelineCapture timeline(options.file);
    Observer observer([&](const ObservedSegment& segment) {
        if (options.stream && segment.stream != *options.stream) return;
        if (options.files.wanted()) timeline.segment(segment, (*streams)[segment.stream]);
        if (options.json) {
            segments.push_back(segment);
        } else if (!options.summary_only) {
            report.segment(segment, (*streams)[segment.stream]);
        }
    });
    streams = &observer.streams();
    const Reading reading = read_all(next, observer, options.files.wanted() ? &timeline : nullptr);
    check_stream(options, streams->size());
    if (options.json) {
        std::vector<ObservedStream> chosen = *streams;
        if (options.stream) chosen = {(*streams)[*options.stream]};
        std::puts(capture_json(options.file, reading.frames, reading.skipped, chosen, segments,
                               reading.start.value_or(TimePoint{}))
                      .c_str());
    } else {
        for (const ObservedStream& stream : observer.streams()) {
            if (!options.stream || stream.number == *options.stream) report.summary(stream);
        }
        std::printf("\n%llu frames, %llu of them no TCP segments, %zu conversations\n",
                    static_cast<unsigned long long>(reading.frames),
                    static_cast<unsigned long long>(reading.skipped), observer.streams().size());
    }
    if (options.files.wanted()) keep_capture(options, timeline.finish(), reading);
    if (!reading.broken.empty()) throw Failure(kUsage, "inspect: " + reading.broken);
    return kDone;
}

QuizRequest quiz_request(const InspectOptions& options) {
    return {options.file, options.other_side, options.stream, options.json,
            language_of(options.language)};
}

/// The segments of one conversation, for who is being asked about it.
void list_conversation(const Records& next, std::size_t stream) {
    CaptureReport report([](const std::string& line) { std::puts(line.c_str()); },
                         Paint::for_descriptor(STDOUT_FILENO));
    const std::vector<ObservedStream>* streams = nullptr;
    Observer observer([&](const ObservedSegment& segment) {
        if (segment.stream == stream) report.segment(segment, (*streams)[stream]);
    });
    streams = &observer.streams();
    read_all(next, observer, nullptr);
}

/// What `--save` of another command, or of this one, has kept.
int read_saved(const InspectOptions& options) {
    if (!options.filter.empty()) {
        throw Failure(kUsage, "inspect: " + options.file + " is a timeline: no filter is for it");
    }
    Timeline timeline = load_timeline(options.file);
    const bool capture = timeline.source == Timeline::Source::Capture;
    if (options.quiz && capture) {
        quiz_capture(quiz_request(options), records_of(timeline),
                     [&](std::size_t stream) { list_conversation(records_of(timeline), stream); });
        return kDone;
    }
    if (options.quiz) {
        quiz_timeline(quiz_request(options), timeline, [&] {
            show_timeline(timeline, language_of(options.language),
                          Paint::for_descriptor(STDOUT_FILENO),
                          [](const std::string& line) { std::puts(line.c_str()); });
        });
        return kDone;
    }
    if (capture) return read_capture(options, records_of(timeline));
    if (options.stream || options.summary_only) {
        throw Failure(kUsage,
                      "inspect: " + options.file +
                          " is no capture's timeline: --stream and --summary are not for it");
    }
    options.files.write(timeline);
    if (options.step && !options.json) {
        step_through(std::move(timeline), {.run = nullptr, .refusal = Phrase::KeptIsOver},
                     language_of(options.language));
        return kDone;
    }
    if (options.json) {
        write_timeline(timeline, [](const std::string& text) { std::fputs(text.c_str(), stdout); });
    } else {
        show_timeline(timeline, language_of(options.language), Paint::for_descriptor(STDOUT_FILENO),
                      [](const std::string& line) { std::puts(line.c_str()); });
    }
    return kDone;
}

/// --quiz with other ways to look at the file makes no sense.
void check(const InspectOptions& options) {
    if (options.quiz && (options.step || options.summary_only || options.files.wanted())) {
        throw Failure(kUsage, "inspect: --quiz asks; leave out --step, --summary and the files");
    }
    if (!options.quiz && !options.other_side.empty()) {
        throw Failure(kUsage, "inspect: --other-side is for --quiz");
    }
}

int run_inspect(const InspectOptions& options) {
    check(options);
    options.files.check(options.file);
    if (may_be_timeline(options.file)) return read_saved(options);
    PcapReader reader = open(options);
    if (options.quiz) {
        quiz_capture(
            quiz_request(options), [&] { return reader.next(); },
            [&](std::size_t stream) {
                PcapReader again = open(options);
                list_conversation([&] { return again.next(); }, stream);
            });
        return kDone;
    }
    ReadingProgress progress(reader);
    return read_capture(options, [&] {
        auto record = reader.next();
        progress.update();
        return record;
    });
}

}  // namespace

void add_inspect(CommandLine& program, Action& chosen) {
    auto options = std::make_shared<InspectOptions>();
    CommandLine command = program.add("inspect", "explain the TCP conversations of a capture file");
    command.examples(
        "  tapestry inspect FILE.pcap               every segment, both ends' states\n"
        "  tapestry inspect FILE.pcap tcp port 80   a filter as tcpdump has it\n"
        "  tapestry inspect FILE.json               what `lab --save FILE.json` has kept\n"
        "  tapestry inspect --step FILE.pcap        one step at a time\n"
        "  tapestry inspect --quiz FILE.pcap        questions about it, and their answers\n"
        "  tapestry inspect --html f.html FILE.pcap a page for the browser: ladder, states, plots\n"
        "  tapestry inspect --annotate f.pcapng FILE.pcap   the same frames, explained, for "
        "Wireshark\n"
        "  tapestry inspect --stream 3 --json FILE.pcapng");
    command.option("FILE", options->file, "pcap, pcapng, or what --save has kept").required();
    command.option("FILTER", options->filter, "a filter of pcap-filter(7)");
    command.option("--stream", options->stream, "only this conversation (tshark's tcp.stream)")
        .value("N")
        .between(0, 1 << 30);
    command.flag("--summary", options->summary_only, "no segments, only what came of them");
    command.flag("--step", options->step, "one step at a time, full screen: docs/step.md");
    add_language_option(command, options->language);
    command.flag("--json", options->json, "one JSON document");
    command.flag("--quiz", options->quiz,
                 "ask about the capture; with --json the answers: docs/quiz.md");
    command
        .option("--other-side", options->other_side,
                "the same traffic on the other side of a NAT, for --quiz")
        .value("FILE");
    add_timeline_options(command, options->files);
    add_log_option(command);
    command.when_chosen(
        [options, &chosen] { chosen = [options] { return run_inspect(*options); }; });
}

}  // namespace tapestry
