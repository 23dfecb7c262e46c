#include "drivers/packet_socket.h"

#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>

#include "drivers/link_query.h"
#include "drivers/setup_error.h"
#include "drivers/vnet_header.h"
#include "stack/wire/ethernet.h"

namespace tapestry {
namespace {

constexpr std::size_t kPoolCeiling = 1024;
/// Super-frames that wait in the kernel. A small buffer loses them in bursts, and bursts of losses are
/// what slows TCP down most.
constexpr int kBufferBytes = 16 << 20;

int set_option(int fd, int level, int option, int value) {
    return setsockopt(fd, level, option, &value, sizeof value);
}

}  // namespace

PacketSocket::PacketSocket(const PacketSocketOptions& options) : name_(options.interface) {
    check_link_name(name_);
    // No protocol yet: nothing may arrive before the socket is bound to its interface.
    fd_ = UniqueFd(socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd_) {
        throw SetupError("cannot make a packet socket", errno,
                         "run as root, give the program CAP_NET_RAW, or use --net sandbox");
    }
    offload_ = options.offload && set_option(fd_.get(), SOL_PACKET, PACKET_VNET_HDR, 1) == 0;
    // Without this option (Linux before 4.20) our own frames would come back to us: see read_frame().
    set_option(fd_.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
    set_buffers();
    bind_to(options);
    const std::size_t frame = link_mtu(fd_.get(), name_) + EthernetView::kHeaderSize + 4;
    const bool small = !offload_ && frame + PacketPool::kHeadroom < PacketPool::kFrameSlot;
    pool_ = std::make_unique<PacketPool>(
        small ? PacketPool::kFrameSlot : PacketPool::kSuperFrameSlot, kPoolCeiling);
}

/// Root may go beyond the system's limit; others get as much as it allows.
void PacketSocket::set_buffers() {
    for (const auto& [force, plain] :
         {std::pair{SO_RCVBUFFORCE, SO_RCVBUF}, std::pair{SO_SNDBUFFORCE, SO_SNDBUF}}) {
        if (set_option(fd_.get(), SOL_SOCKET, force, kBufferBytes) != 0) {
            set_option(fd_.get(), SOL_SOCKET, plain, kBufferBytes);
        }
    }
}

void PacketSocket::bind_to(const PacketSocketOptions& options) {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = link_index(fd_.get(), name_);
    if (bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        throw SetupError("cannot bind a packet socket to " + name_, errno);
    }
    if (!options.promiscuous) return;
    packet_mreq request{};
    request.mr_ifindex = address.sll_ifindex;
    request.mr_type = PACKET_MR_PROMISC;
    if (setsockopt(fd_.get(), SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof request) != 0) {
        throw SetupError("cannot make " + name_ + " promiscuous", errno);
    }
}

PortCapabilities PacketSocket::capabilities() const {
    return {link_mtu(fd_.get(), name_), offload_ ? 65535U : 0U};
}

const DeviceErrors& PacketSocket::errors() {
    tpacket_stats since_last{};  // the kernel begins again from zero when it is asked
    socklen_t size = sizeof since_last;
    if (getsockopt(fd_.get(), SOL_PACKET, PACKET_STATISTICS, &since_last, &size) == 0) {
        errors_.kernel_dropped += since_last.tp_drops;
    }
    return errors_;
}

MacAddress PacketSocket::mac() const { return link_mac(fd_.get(), name_); }

bool PacketSocket::transmit(const Frame& frame) {
    if (!offload_ && (frame.offload.checksum == Offload::Checksum::Partial ||
                      frame.offload.gso != Offload::Gso::None)) {
        ++errors_.write_failed;  // trying again would not help: see checksum_offload()
        return true;
    }
    VnetHeader header;
    std::array<iovec, 4> pieces;
    msghdr message{};
    message.msg_iov = pieces.data();
    const auto add = [&](Bytes bytes) {
        if (bytes.empty()) return;
        // sendmsg() only reads, whatever its type says.
        pieces[message.msg_iovlen++] = {const_cast<u8*>(bytes.data()), bytes.size()};
    };
    if (offload_) {
        header = to_vnet_header(frame.offload);
        add(header);
    }
    add(frame.headers());
    for (const Bytes piece : frame.payload()) add(piece);

    while (sendmsg(fd_.get(), &message, MSG_DONTWAIT) < 0) {
        if (errno == EINTR) continue;
        if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) return false;
        // The interface is down or gone, or the kernel will never take this frame: lost, as on a wire.
        ++errors_.write_failed;
        return true;
    }
    return true;
}

std::size_t PacketSocket::receive(std::span<Packet> batch) {
    std::size_t filled = 0;
    // Bounded even when every frame has to be refused; what is left makes fd() readable again.
    for (std::size_t reads = 0; reads < batch.size(); ++reads) {
        Packet& packet = batch[filled];
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
PacketSocket::Read PacketSocket::read_frame(Packet& packet) {
    VnetHeader header;
    std::array<iovec, 2> pieces;
    sockaddr_ll from{};
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    if (offload_) pieces[message.msg_iovlen++] = {header.data(), header.size()};
    if (packet) {
        packet.resize(packet.room());
        pieces[message.msg_iovlen++] = {packet.mutable_bytes().data(), packet.size()};
    }
    ssize_t got = recvmsg(fd_.get(), &message, 0);
    while (got < 0 && errno == EINTR) got = recvmsg(fd_.get(), &message, 0);
    if (got < 0) {
        if (errno != EAGAIN) ++errors_.read_failed;
        return Read::Nothing;
    }
    if (from.sll_pkttype == PACKET_OUTGOING) return Read::Refused;
    const std::size_t head = offload_ ? header.size() : 0;
    const std::size_t size = static_cast<std::size_t>(got);
    if (!packet) {
        ++errors_.no_slot;
        return Read::Refused;
    }
    if ((message.msg_flags & MSG_TRUNC) != 0 || size < head) {
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
