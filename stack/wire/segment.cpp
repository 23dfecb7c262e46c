#include "stack/wire/segment.h"

namespace tapestry {

std::expected<Segment, Drop> Segment::parse(Bytes bytes, Ipv4Address source,
                                            Ipv4Address destination, bool checksum_verified) {
    const auto view = TcpView::parse(bytes);
    if (!view) return std::unexpected(view.error());
    if (!checksum_verified && !view->checksum_ok(source, destination)) {
        return std::unexpected(Drop::TcpBadChecksum);
    }
    if (view->source_port() == 0 || view->destination_port() == 0) {
        return std::unexpected(Drop::TcpBadPort);
    }
    const auto options = TcpOptions::parse(view->options());
    if (!options) return std::unexpected(options.error());
    return Segment{.source = {source, view->source_port()},
                   .destination = {destination, view->destination_port()},
                   .seq = view->sequence(),
                   .ack = view->acknowledgment(),
                   .wnd = view->window(),
                   .up = view->urgent_pointer(),
                   .flags = view->flags(),
                   .options = *options,
                   .payload = view->payload()};
}

}  // namespace tapestry
