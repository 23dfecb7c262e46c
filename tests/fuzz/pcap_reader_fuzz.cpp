#include "drivers/pcap_reader.h"
#include "tests/fuzz/fuzz_file.h"

/// Any bytes as a capture file: every record that is given lies within what its frame has, and the
/// reader ends.

using namespace tapestry;

extern "C" int LLVMFuzzerTestOneInput(const u8* data, std::size_t size) {
    static const test::FuzzFile file;
    file.set({data, size});
    auto reader = PcapReader::open(file.path());
    if (!reader) return 0;
    u64 number = 0;
    while (true) {
        const auto record = reader->next();
        if (!record || !*record) return 0;
        // A record costs at least its header; more of them than that are made of nothing.
        ++number;
        if ((*record)->number != number || number > size) std::abort();
        const auto packet = network_packet((*record)->link, (*record)->bytes);
        if (packet && packet->header_size + packet->packet.size() != (*record)->bytes.size()) {
            std::abort();
        }
    }
}
