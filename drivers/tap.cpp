#include "drivers/tap.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>

#include "drivers/link_query.h"
#include "drivers/setup_error.h"
#include "stack/wire/ethernet.h"

/// A TAP is a file: one read is one frame from the kernel, one write is one frame to it, and with
/// IFF_VNET_HDR both begin with the virtio-net header. The kernel then hands over what it would hand
/// to a network card with segmentation offload, TCP super-frames of up to 64 KB with unfinished
/// checksums, and takes the same from us. That is worth a factor of sixteen when sending.

namespace tapestry {
namespace {

constexpr char kTunPath[] = "/dev/net/tun";
constexpr std::size_t kPoolCeiling = 1024;

std::string open_remedy(int error) {
    if (error == ENOENT || error == ENODEV || error == ENXIO) {
        return "load the driver with \"sudo modprobe tun\"";
    }
    return "open it to users with \"sudo chmod 666 /dev/net/tun\", or use --net sandbox";
}

std::string attach_remedy(int error, const std::string& name) {
    if (error == EBUSY) return "another program has it: end that, or choose another name";
    if (error == EINVAL) return "an interface of that name exists and is not a TAP";
    return "make one that you may open with \"sudo ip tuntap add dev " +
           (name.empty() ? std::string("tap0") : name) + " mode tap user $USER\"";
}

}  // namespace

Tap::Tap(const TapOptions& options) {
    if (!options.name.empty()) check_link_name(options.name);
    control_ = UniqueFd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!control_) throw SetupError("cannot make a socket", errno);
    open_device(options);
    if (options.mtu != 0) set_mtu(options.mtu);

    // With offload any frame may be a super-frame; without it, none is larger than the MTU.
    const std::size_t frame = link_mtu(control_.get(), name_) + EthernetView::kHeaderSize + 4;
    const bool small = !offload_ && frame + PacketPool::kHeadroom < PacketPool::kFrameSlot;
    pool_ = std::make_unique<PacketPool>(
        small ? PacketPool::kFrameSlot : PacketPool::kSuperFrameSlot, kPoolCeiling);
}

void Tap::open_device(const TapOptions& options) {
    if (options.offload && attach(options.name, true)) return;
    // A descriptor can be attached once only, so that a refused offload needs a new one.
    attach(options.name, false);
}

/// Opens the file and attaches it to the interface. False when the device does not take the offload.
bool Tap::attach(const std::string& name, bool offload) {
    fd_ = UniqueFd(open(kTunPath, O_RDWR | O_NONBLOCK | O_CLOEXEC));
    if (!fd_) throw SetupError(std::string("cannot open ") + kTunPath, errno, open_remedy(errno));

    const int wanted = IFF_TAP | IFF_NO_PI | (offload ? IFF_VNET_HDR : 0);
    ifreq request{};
    // A persistent TAP made for several queues refuses who does not ask for several.
    for (const int flags : {wanted, wanted | IFF_MULTI_QUEUE}) {
        request = {};
        std::copy(name.begin(), name.end(), request.ifr_name);
        request.ifr_flags = static_cast<short>(flags);
        if (ioctl(fd_.get(), TUNSETIFF, &request) == 0) break;
        if (errno == EINVAL && (flags & IFF_MULTI_QUEUE) == 0) continue;
        if (offload && errno == EINVAL) return false;
        throw SetupError("cannot attach to the TAP \"" + name + "\"", errno,
                         attach_remedy(errno, name));
    }
    name_ = request.ifr_name;
    if (!offload) {
        // Offloads belong to the interface too: whoever had a persistent TAP before may have left the
        // kernel sending super-frames and half-made checksums, which a plain reader cannot tell.
        ioctl(fd_.get(), TUNSETOFFLOAD, 0);
        return true;
    }

    // The header length belongs to the interface and outlives whoever used it before.
    int header_size = kVnetHeaderSize;
    if (ioctl(fd_.get(), TUNSETVNETHDRSZ, &header_size) != 0) return false;
    const unsigned long taken = TUN_F_CSUM | TUN_F_TSO4;
    offload_ = ioctl(fd_.get(), TUNSETOFFLOAD, taken | TUN_F_TSO_ECN) == 0 ||
               ioctl(fd_.get(), TUNSETOFFLOAD, taken) == 0;
    return offload_;
}

void Tap::set_mtu(u32 mtu) {
    ifreq request{};
    std::copy(name_.begin(), name_.end(), request.ifr_name);
    request.ifr_mtu = static_cast<int>(mtu);
    if (ioctl(control_.get(), SIOCSIFMTU, &request) != 0) {
        throw SetupError("cannot set the MTU of \"" + name_ + "\" to " + std::to_string(mtu),
                         errno);
    }
}

PortCapabilities Tap::capabilities() const {
    return {link_mtu(control_.get(), name_), offload_ ? 65535U : 0U};
}

bool Tap::transmit(const Frame& frame) {
    if (!offload_ && (frame.offload.checksum == Offload::Checksum::Partial ||
                      frame.offload.gso != Offload::Gso::None)) {
        ++errors_.write_failed;  // trying again would not help: see checksum_offload()
        return true;
    }
    VnetHeader header;
    std::array<iovec, 4> pieces;
    int count = 0;
    const auto add = [&](Bytes bytes) {
        if (bytes.empty()) return;
        // writev() only reads, whatever its type says.
        pieces[static_cast<std::size_t>(count++)] = {const_cast<u8*>(bytes.data()), bytes.size()};
    };
    if (offload_) {
        header = to_vnet_header(frame.offload);
        add(header);
    }
    add(frame.headers());
    for (const Bytes piece : frame.payload()) add(piece);

    while (writev(fd_.get(), pieces.data(), count) < 0) {
        if (errno == EINTR) continue;
        if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) return false;
        // The interface is down or gone, or the kernel will never take this frame: lost, as on a wire.
        ++errors_.write_failed;
        return true;
    }
    return true;
}

std::size_t Tap::receive(std::span<Packet> batch) {
    std::size_t filled = 0;
    // Bounded even when every frame has to be refused; what is left makes fd() readable again.
    for (std::size_t reads = 0; reads < batch.size(); ++reads) {
        Packet& packet = batch[filled];
        // What the caller hands in is used again as long as it is as good as a new one.
        if (!packet || packet.headroom() != PacketPool::kHeadroom ||
            packet.headroom() + packet.room() < pool_->slot_size()) {
            packet = Packet();
            packet = pool_->take();
        }
        const Read read = read_frame(packet);
        if (read == Read::Nothing) break;
        if (read == Read::Frame) ++filled;
    }
    return filled;
}

/// One frame into `packet`, or past an empty one.
Tap::Read Tap::read_frame(Packet& packet) {
    VnetHeader header;
    std::array<iovec, 2> pieces;
    int count = 0;
    if (offload_) pieces[static_cast<std::size_t>(count++)] = {header.data(), header.size()};
    u8 nowhere = 0;
    if (packet) packet.resize(packet.room());
    const MutableBytes room = packet ? packet.mutable_bytes() : MutableBytes(&nowhere, 1);
    pieces[static_cast<std::size_t>(count++)] = {room.data(), room.size()};

    ssize_t got = readv(fd_.get(), pieces.data(), count);
    while (got < 0 && errno == EINTR) got = readv(fd_.get(), pieces.data(), count);
    if (got < 0) {
        if (errno != EAGAIN) ++errors_.read_failed;
        return Read::Nothing;
    }
    const std::size_t head = offload_ ? header.size() : 0;
    const std::size_t size = static_cast<std::size_t>(got);
    if (!packet) {
        ++errors_.no_slot;
        return Read::Refused;
    }
    // The kernel cuts without saying so; slots are larger than any frame that fits the interface.
    if (size < head || size - head >= room.size()) {
        ++errors_.truncated;
        return Read::Refused;
    }
    packet.resize(size - head);
    packet.offload = {};
    if (!offload_) return Read::Frame;
    const auto offload = from_vnet_header(header, packet.bytes());
    if (!offload) {
        ++errors_.offload_invalid;
        return Read::Refused;
    }
    packet.offload = *offload;
    return Read::Frame;
}

}  // namespace tapestry
