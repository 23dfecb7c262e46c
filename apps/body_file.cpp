#include "apps/body_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "apps/failure.h"
#include "apps/http/client.h"

namespace tapestry {
namespace {

[[noreturn]] void fail(const std::string& path, int error) {
    const int code = static_cast<int>(HttpFailure::Write);
    throw Failure(
        code, '(' + std::to_string(code) + ") cannot write " + path + ": " + std::strerror(error));
}

}  // namespace

BodyFile::BodyFile(const std::string& path) : path_(path) {
    if (path.empty() || path == "-") {
        path_ = "stdout";
        return;
    }
    struct stat status {};
    const bool there = stat(path.c_str(), &status) == 0;
    if (there && !S_ISREG(status.st_mode)) {
        fd_ = open(path.c_str(), O_WRONLY | O_CLOEXEC);
        if (fd_ < 0) fail(path_, errno);
        return;
    }
    std::string name = path + ".XXXXXX";
    fd_ = mkostemp(name.data(), O_CLOEXEC);
    if (fd_ < 0) fail(path_, errno);
    temporary_ = name;
    // mkostemp() makes it private; a download has the permissions of any new file, or of the old one.
    const mode_t mask = umask(0);
    umask(mask);
    fchmod(fd_, there ? status.st_mode & 07777U : 0666U & ~mask);
}

BodyFile::~BodyFile() {
    if (fd_ > 2) close(fd_);
    if (!temporary_.empty()) unlink(temporary_.c_str());
}

bool BodyFile::write(Bytes bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) {
            // Whoever shares our stdout has made it non-blocking; full is not broken.
            pollfd entry{.fd = fd_, .events = POLLOUT, .revents = 0};
            poll(&entry, 1, -1);
            continue;
        }
        if (n <= 0) return false;
        bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return true;
}

void BodyFile::commit() {
    if (temporary_.empty()) return;
    const int closed = close(fd_);
    fd_ = -1;
    if (closed != 0 || rename(temporary_.c_str(), path_.c_str()) != 0) fail(path_, errno);
    temporary_.clear();
}

}  // namespace tapestry
