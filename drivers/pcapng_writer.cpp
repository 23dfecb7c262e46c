#include "drivers/pcapng_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "drivers/pcapng_blocks.h"

/// How it works. A block is put into the buffer, its two length fields are filled in when it is
/// complete, and the buffer goes to the file when it is large or when somebody asks. All numbers are
/// little-endian, whatever the machine, so equal frames give equal files.

namespace tapestry {
namespace {

using namespace pcapng;

constexpr u32 kSnapLength = 262144;
constexpr std::size_t kFlushSize = std::size_t{256} << 10;

Bytes bytes_of(std::string_view text) {
    return {reinterpret_cast<const u8*>(text.data()), text.size()};
}

}  // namespace

std::expected<PcapngWriter, std::string> PcapngWriter::open(const std::string& path) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) {
        return std::unexpected("cannot write " + path + ": " + std::strerror(errno));
    }
    PcapngWriter writer(fd, path);
    if (!writer.flush()) return std::unexpected(*writer.failure());
    return writer;
}

PcapngWriter PcapngWriter::in_memory() { return {-1, ""}; }

PcapngWriter::PcapngWriter(int fd, std::string path) : fd_(fd), path_(std::move(path)) {
    begin_block(kSectionHeader);
    put32(kByteOrderMagic);
    put16(1);  // version 1.0
    put16(0);
    put32(0xffffffff);  // section length: not said
    put32(0xffffffff);
    put_option(kUserApplication, bytes_of("tapestry"));
    put_option(kEndOfOptions, {});
    end_block();
}

PcapngWriter::PcapngWriter(PcapngWriter&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      buffer_(std::move(other.buffer_)),
      block_at_(other.block_at_),
      file_size_(other.file_size_),
      interfaces_(other.interfaces_),
      failure_(std::move(other.failure_)),
      tell_(std::move(other.tell_)) {}

PcapngWriter::~PcapngWriter() {
    if (fd_ < 0) return;
    flush();
    ::close(fd_);
}

u32 PcapngWriter::add_interface(const InterfaceInfo& info) {
    begin_block(kInterfaceDescription);
    put16(info.link_type);
    put16(0);
    put32(kSnapLength);
    if (!info.name.empty()) put_option(kInterfaceName, bytes_of(info.name));
    if (!info.description.empty()) put_option(kDescription, bytes_of(info.description));
    const u8 nanoseconds = 9;
    put_option(kTimestampResolution, {&nanoseconds, 1});
    put_option(kEndOfOptions, {});
    end_block();
    return interfaces_++;
}

void PcapngWriter::write(const Frame& frame, const FrameInfo& info) {
    if (failure_) return;
    const u64 time = static_cast<u64>(std::max<i64>(0, info.time.time_since_epoch().count()));
    const u32 size = static_cast<u32>(frame.size());
    begin_block(kEnhancedPacket);
    put32(info.interface);
    put32(static_cast<u32>(time >> 32));
    put32(static_cast<u32>(time));
    put32(size);
    put32(std::max(size, info.original_size));
    put_bytes(frame.headers());
    for (const Bytes piece : frame.payload()) put_bytes(piece);
    buffer_.resize(buffer_.size() + (4 - size % 4) % 4);
    if (info.way != Way::Unknown) {
        const std::array<u8, 4> flags{static_cast<u8>(info.way), 0, 0, 0};
        put_option(kPacketFlags, flags);
    }
    if (!info.comment.empty()) put_option(kComment, bytes_of(info.comment.substr(0, 65535)));
    if (info.way != Way::Unknown || !info.comment.empty()) put_option(kEndOfOptions, {});
    end_block();
    if (fd_ >= 0 && buffer_.size() >= kFlushSize) flush();
}

void PcapngWriter::write(Bytes frame, const FrameInfo& info) { write(Frame(frame), info); }

bool PcapngWriter::flush() {
    if (fd_ < 0) return true;
    std::size_t written = 0;
    while (!failure_ && written < buffer_.size()) {
        const ssize_t n = ::write(fd_, buffer_.data() + written, buffer_.size() - written);
        if (n > 0) {
            written += static_cast<std::size_t>(n);
        } else if (n < 0 && errno != EINTR) {
            fail(errno);
        }
    }
    buffer_.clear();
    if (failure_) return false;
    file_size_ += written;
    return true;
}

void PcapngWriter::fail(int error) {
    failure_ = "cannot write " + path_ + ": " + std::strerror(error);
    struct stat status {};
    if (::fstat(fd_, &status) == 0 && S_ISREG(status.st_mode)) {
        // Should even this fail, the file ends in half a block, which every reader tells.
        [[maybe_unused]] const int cut = ::ftruncate(fd_, static_cast<off_t>(file_size_));
    }
    if (tell_) tell_(*failure_);
}

void PcapngWriter::put16(u16 value) {
    buffer_.push_back(static_cast<u8>(value));
    buffer_.push_back(static_cast<u8>(value >> 8));
}

void PcapngWriter::put32(u32 value) {
    put16(static_cast<u16>(value));
    put16(static_cast<u16>(value >> 16));
}

void PcapngWriter::put_bytes(Bytes bytes) {
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

void PcapngWriter::put_option(u16 code, Bytes value) {
    put16(code);
    put16(static_cast<u16>(value.size()));
    put_bytes(value);
    buffer_.resize(buffer_.size() + (4 - value.size() % 4) % 4);
}

void PcapngWriter::begin_block(u32 type) {
    block_at_ = buffer_.size();
    put32(type);
    put32(0);
}

void PcapngWriter::end_block() {
    const u32 length = static_cast<u32>(buffer_.size() - block_at_ + 4);
    put32(length);
    for (std::size_t i = 0; i < 4; ++i) {
        buffer_[block_at_ + 4 + i] = static_cast<u8>(length >> (8 * i));
    }
}

}  // namespace tapestry
