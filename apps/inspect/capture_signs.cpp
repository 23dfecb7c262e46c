#include "apps/inspect/observed.h"

namespace tapestry {

std::string CaptureSigns::text() const {
    std::string line;
    const auto say = [&](u64 count, const char* one, const std::string& what) {
        if (count == 0) return;
        line += (line.empty() ? "" : "; ") + std::to_string(count) + " " + one;
        line += (count == 1 ? "" : "s") + (what.empty() ? "" : " " + what);
    };
    if (mid_stream) line = "begins in the middle of the conversation";
    const u64 client = missing[static_cast<std::size_t>(Side::Client)];
    const u64 server = missing[static_cast<std::size_t>(Side::Server)];
    say(client, "byte", "of the client acknowledged but not captured");
    say(server, "byte", "of the server acknowledged but not captured");
    say(cut, "segment", "cut short");
    say(super_frames, "segment", "larger than the wire allows (segmentation offload)");
    say(partial_checksums, "partial TCP checksum", "(checksum offload)");
    say(wrong_checksums, "wrong TCP checksum", "");
    say(wrong_ip_checksums, "wrong IP checksum", "");
    say(from_fragments, "segment", "put together from IP fragments");
    return line;
}

}  // namespace tapestry
