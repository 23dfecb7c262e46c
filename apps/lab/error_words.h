#pragma once

#include <string>

#include "stack/base/errno.h"

namespace tapestry {

/// What text() says of an error, in Chinese: "连接被拒绝".
std::string chinese_text(Errno error);

}  // namespace tapestry
