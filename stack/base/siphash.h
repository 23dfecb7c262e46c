#pragma once

#include <array>

#include "stack/base/types.h"

namespace tapestry {

/// A 128-bit secret.
using SipKey = std::array<u64, 2>;

/// SipHash-2-4, a keyed pseudorandom function over up to a few dozen bytes: the F() of RFC 6528 and
/// the hash of every table that a stranger can fill. Without the key its output cannot be predicted.
u64 siphash(const SipKey& key, Bytes data);

}  // namespace tapestry
