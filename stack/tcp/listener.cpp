#include "stack/tcp/listener.h"

#include <algorithm>

namespace tapestry {

void ListenQueue::established(Connection& connection) {
    --half_open_;
    ready_.push_back(&connection);
    if (ready_set_ != nullptr) ready_set_->add(ready_token_);
}

Connection* ListenQueue::take() {
    if (ready_.empty()) return nullptr;
    Connection* connection = ready_.front();
    ready_.pop_front();
    return connection;
}

void ListenQueue::forget(const Connection& connection) { std::erase(ready_, &connection); }

void ListenQueue::watch(ReadySet* set, u64 token) {
    ready_set_ = set;
    ready_token_ = token;
    if (set != nullptr && !ready_.empty()) set->add(token);
}

}  // namespace tapestry
