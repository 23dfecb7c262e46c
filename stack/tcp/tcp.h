#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "stack/tcp/connection.h"
#include "stack/tcp/isn.h"
#include "stack/tcp/listener.h"
#include "stack/tcp/syn_cookie.h"

namespace tapestry {

/// What names a connection.
struct FourTuple {
    Endpoint local;
    Endpoint remote;
    friend bool operator==(const FourTuple&, const FourTuple&) = default;
};

/// A keyed hash, so that a stranger cannot choose addresses that fall into one bucket.
struct FourTupleHash {
    SipKey key;
    std::size_t operator()(const FourTuple& tuple) const;
};

/// TCP of one stack: finds the connection or the listener that a segment is for, and answers for
/// those that are for nobody (RFC 9293 section 3.10.7.1).
class Tcp final : public TransportProtocol {
public:
    Tcp(Services& services, Ipv4& ip);
    ~Tcp() override;

    TcpSocket socket();
    Listener listener() { return Listener(*this); }

    /// Refuses: Tcp*.
    std::expected<void, Drop> input(const Ipv4Datagram& datagram, TimePoint now) override;
    std::expected<void, Drop> icmp_error(const IcmpError& error, TimePoint now) override;

    /// Lets every connection that was touched send what it has to say, once.
    void flush(TimePoint now);
    /// Something waits for a flush.
    bool wants_flush() const { return !dirty_.empty(); }
    /// ... because the device was full the last time.
    bool blocked() const { return blocked_; }

    /// Sends one segment, or a super-frame, of a connection.
    SendResult output(const Endpoint& local, const Endpoint& remote, const TcpHeader& header,
                      const std::array<Bytes, 2>& text, u16 gso_size, u8 ecn,
                      const TcpSocketOptions* options, TimePoint now);

    std::size_t connection_count() const { return connections_.size(); }

private:
    friend class Connection;
    friend class TcpSocket;
    friend class Listener;
    friend class TcpTraceGuard;

    Connection& create();
    void destroy(Connection& connection);
    void touch(Connection& connection);
    bool register_tuple(Connection& connection);
    void unregister_tuple(Connection& connection);
    Connection* find(const FourTuple& tuple);
    ListenQueue* find_listener(const Endpoint& local) const;
    std::expected<Endpoint, Errno> choose_local(const Connection& connection,
                                                const Endpoint& remote);
    bool port_free(const Endpoint& local, const Endpoint* remote) const;
    SegmentResult input(Connection& connection, const Segment& seg, TimePoint now);
    std::expected<void, Drop> input_listen(ListenQueue& queue, const Segment& seg,
                                           std::optional<SeqNum> iss_floor, TimePoint now);
    void answer_with_cookie(ListenQueue& queue, const Segment& seg, TimePoint now);
    std::expected<void, Drop> take_cookie(ListenQueue& queue, const Segment& seg, TimePoint now);
    void answer_nobody(const Segment& seg, TimePoint now);
    void send_reply(const Segment& seg, const TcpHeader& reply, TimePoint now,
                    const TcpSocketOptions* options = nullptr);
    void close_listener(ListenQueue& queue);
    static void take_options(Connection& connection, const ListenQueue& queue);
    void run_deadline(Connection& connection, TimePoint now);

    Services& services_;
    Ipv4& ip_;
    IsnGenerator isn_;
    std::unordered_map<FourTuple, Connection*, FourTupleHash> tuples_;
    Connection* latest_ = nullptr;  ///< what find() has found last, and is still in tuples_
    std::vector<std::unique_ptr<Connection>> connections_;
    std::vector<std::unique_ptr<ListenQueue>> listeners_;
    std::vector<Connection*> dirty_;
    std::vector<Connection*> flushing_;
    u32 next_ephemeral_;
    SynCookie cookies_;
    bool blocked_ = false;
};

/// The one guard around a connection's stimuli: when somebody listens it copies the connection's
/// state before and after and tells both. When nobody does it costs one test.
class TcpTraceGuard {
public:
    TcpTraceGuard(const Connection& connection, Stimulus stimulus, TimePoint now)
        : stimulus_(stimulus), now_(now) {
        if (connection.services_.trace != nullptr) begin(connection);
    }
    ~TcpTraceGuard() {
        if (connection_ != nullptr) end();
    }
    TcpTraceGuard(const TcpTraceGuard&) = delete;
    TcpTraceGuard& operator=(const TcpTraceGuard&) = delete;

    void segment(const Segment& segment) { segment_ = &segment; }
    void decided(Verdict verdict, std::optional<Drop> drop = std::nullopt) {
        verdict_ = verdict;
        drop_ = drop;
    }

private:
    void begin(const Connection& connection);
    void end();

    const Connection* connection_ = nullptr;  ///< null: nobody listens
    Stimulus stimulus_;
    TimePoint now_;
    const Segment* segment_ = nullptr;
    Verdict verdict_ = Verdict::None;
    std::optional<Drop> drop_;
    std::unique_ptr<TcpSnapshot> before_;
};

}  // namespace tapestry
