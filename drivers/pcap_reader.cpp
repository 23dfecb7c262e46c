#include "drivers/pcap_reader.h"

#include <pcap/pcap.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace tapestry {
namespace {

/// Of a pcap file.
constexpr u64 kFileHeader = 24;
constexpr u64 kRecordHeader = 16;

/// With nanosecond precision the field for microseconds holds nanoseconds. A file may claim any time;
/// what lies beyond the years 1678 to 2262 is moved to their edge.
TimePoint time_of(const timeval& stamp) {
    constexpr i64 kMaxSeconds = 9'200'000'000;
    const i64 seconds = std::clamp<i64>(stamp.tv_sec, -kMaxSeconds, kMaxSeconds);
    return TimePoint(std::chrono::seconds(seconds) + std::chrono::nanoseconds(stamp.tv_usec));
}

}  // namespace

void PcapReader::ClosePcap::operator()(pcap* handle) const { pcap_close(handle); }

void PcapReader::FreeFilter::operator()(bpf_program* filter) const {
    pcap_freecode(filter);
    delete filter;
}

PcapReader::PcapReader(pcap* handle, const std::string& path)
    : pcap_(handle), index_(path), path_(path) {
    std::error_code unknown;
    const auto size = std::filesystem::file_size(path, unknown);
    if (!unknown) file_size_ = size;
    position_ = kFileHeader;
}
PcapReader::PcapReader(PcapReader&&) noexcept = default;
PcapReader& PcapReader::operator=(PcapReader&&) noexcept = default;
PcapReader::~PcapReader() = default;

std::expected<PcapReader, PcapError> PcapReader::open(const std::string& path) {
    std::array<char, PCAP_ERRBUF_SIZE> error{};
    pcap* handle = pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO,
                                                           error.data());
    if (handle == nullptr) {
        std::string what = error.data();
        if (!what.contains(path)) what = path + ": " + what;
        return std::unexpected(PcapError{0, what});
    }
    PcapReader reader(handle, path);
    const int type = pcap_datalink(handle);
    const auto link = link_type_of(type);
    if (!link) {
        const char* name = pcap_datalink_val_to_name(type);
        return std::unexpected(
            PcapError{0, path + ": link type " + (name != nullptr ? name : std::to_string(type)) +
                             " is not read: Ethernet, Linux cooked, raw IP and BSD loopback are"});
    }
    reader.link_ = *link;
    reader.link_number_ = linktype_number(type);
    return reader;
}

std::expected<void, PcapError> PcapReader::set_filter(const std::string& expression) {
    filter_.reset();
    if (expression.empty()) return {};
    auto program = std::make_unique<bpf_program>();
    if (pcap_compile(pcap_.get(), program.get(), expression.c_str(), 1, PCAP_NETMASK_UNKNOWN) !=
        0) {
        return std::unexpected(
            PcapError{0, "filter '" + expression + "': " + pcap_geterr(pcap_.get())});
    }
    filter_.reset(program.release());
    return {};
}

std::expected<std::optional<PcapRecord>, PcapError> PcapReader::next() {
    while (!failed_) {
        pcap_pkthdr* header = nullptr;
        const u_char* data = nullptr;
        const int result = pcap_next_ex(pcap_.get(), &header, &data);
        if (result == PCAP_ERROR_BREAK) break;  // the end of the file
        ++number_;
        auto note = index_.next();
        const u64 offset = index_.is_pcapng() ? index_.offset() : position_;
        if (result != 1) {
            failed_ = true;
            return std::unexpected(
                PcapError{number_, path_ + ": record " + std::to_string(number_) + " at offset " +
                                       std::to_string(offset) + ": " + pcap_geterr(pcap_.get())});
        }
        PcapRecord record;
        if (note) record.note = std::move(*note);
        position_ = index_.is_pcapng() ? offset : offset + kRecordHeader + header->caplen;
        if (filter_ && pcap_offline_filter(filter_.get(), header, data) == 0) continue;
        record.number = number_;
        record.link = link_;
        record.time = time_of(header->ts);
        record.bytes = {data, header->caplen};
        record.original_size = header->len;
        return record;
    }
    return std::nullopt;
}

}  // namespace tapestry
