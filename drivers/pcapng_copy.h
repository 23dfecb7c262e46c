#pragma once

#include <functional>
#include <string>

#include "stack/base/types.h"

namespace tapestry {

/// How copy_pcapng() changes what it copies. Packets are numbered from 1, as PcapReader does.
struct PcapngChanges {
    std::function<bool(u64 number)> keep;  ///< false: the packet is left out
    std::function<std::string(u64 number)>
        comment;  ///< to be added behind those that it has; "": none
};

/// Copies a pcapng file block by block. Whatever is in it stays as it is, bytes, times in their
/// resolution, interfaces, options and blocks of other kinds, but for what `changes` says. A file that
/// is broken ends with its last whole block. A packet of the form without options (a simple packet
/// block) gets no comment.
///
/// `out` takes it piece by piece.
void copy_pcapng(const std::string& path, const PcapngChanges& changes,
                 const std::function<void(const std::string&)>& out);

}  // namespace tapestry
