#include <unistd.h>

#include <cstdio>

#include "apps/commands.h"
#include "apps/failure.h"
#include "apps/inspect/capture_report.h"
#include "apps/inspect/reading_progress.h"
#include "drivers/pcap_reader.h"

namespace tapestry {
namespace {

struct InspectOptions {
    std::string file;
    std::vector<std::string> filter;
    std::optional<std::size_t> stream;
    bool json = false;
    bool summary_only = false;
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
    std::string broken;  ///< why it ended before the file did
};

Reading read_all(PcapReader& reader, Observer& observer) {
    ReadingProgress progress(reader);
    Reading reading;
    while (true) {
        const auto record = reader.next();
        if (!record) reading.broken = record.error().what;
        if (!record || !*record) return reading;
        progress.update();
        ++reading.frames;
        if (!reading.start) reading.start = (*record)->time;
        const auto packet = network_packet((*record)->link, (*record)->bytes);
        const bool taken = packet && packet->type == EtherType::Ipv4 &&
                           observer.packet((*record)->number, (*record)->time, packet->packet,
                                           (*record)->original_size - packet->header_size);
        if (!taken) ++reading.skipped;
    }
}

int run_inspect(const InspectOptions& options) {
    PcapReader reader = open(options);
    CaptureReport report([](const std::string& line) { std::puts(line.c_str()); },
                         Paint::for_descriptor(STDOUT_FILENO));
    std::vector<ObservedSegment> segments;
    const std::vector<ObservedStream>* streams = nullptr;
    Observer observer([&](const ObservedSegment& segment) {
        if (options.stream && segment.stream != *options.stream) return;
        if (options.json) {
            segments.push_back(segment);
        } else if (!options.summary_only) {
            report.segment(segment, (*streams)[segment.stream]);
        }
    });
    streams = &observer.streams();
    const Reading reading = read_all(reader, observer);
    if (options.stream && *options.stream >= streams->size()) {
        throw Failure(kUsage, "inspect: " + options.file + " has no stream " +
                                  std::to_string(*options.stream) + "; it has " +
                                  std::to_string(streams->size()) + ", counted from 0");
    }
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
    if (!reading.broken.empty()) throw Failure(kUsage, "inspect: " + reading.broken);
    return kDone;
}

}  // namespace

void add_inspect(CLI::App& program, Action& chosen) {
    auto options = std::make_shared<InspectOptions>();
    CLI::App& command =
        *program.add_subcommand("inspect", "explain the TCP conversations of a capture file");
    add_examples(command,
                 "  tapestry inspect FILE.pcap               every segment, both ends' states\n"
                 "  tapestry inspect FILE.pcap tcp port 80   a filter as tcpdump has it\n"
                 "  tapestry inspect --stream 3 --json FILE.pcapng");
    command.add_option("FILE", options->file, "pcap or pcapng")->required();
    command.add_option("FILTER", options->filter, "a filter of pcap-filter(7)");
    command.add_option("--stream", options->stream, "only this conversation (tshark's tcp.stream)")
        ->type_name("N")
        ->check(between<std::size_t>(0, 1U << 30));
    command.add_flag("--summary", options->summary_only, "no segments, only what came of them");
    command.add_flag("--json", options->json, "one JSON document");
    add_log_option(command);
    command.callback([options, &chosen] { chosen = [options] { return run_inspect(*options); }; });
}

}  // namespace tapestry
