#pragma once

#include "stack/wire/seq_num.h"

namespace tapestry {

/// The send sequence variables (RFC 9293 section 3.3.1).
///
///            1         2          3          4
///       ----------|----------|----------|----------
///              SND.UNA    SND.NXT    SND.UNA
///                                   +SND.WND
///
///   1 - acknowledged   2 - sent, not acknowledged   3 - may be sent   4 - not yet allowed
struct SendVars {
    SeqNum una;   ///< SND.UNA: the oldest unacknowledged number
    SeqNum nxt;   ///< SND.NXT: one past the highest number ever sent
    SeqNum wl1;   ///< SND.WL1: SEG.SEQ of the last window update
    SeqNum wl2;   ///< SND.WL2: SEG.ACK of the last window update
    SeqNum iss;   ///< initial send sequence number
    SeqNum up;    ///< SND.UP: one past the last urgent octet; urgent
    u32 wnd = 0;  ///< SND.WND: the window in bytes, scaled
    u32 max_wnd =
        0;  ///< the largest window that the peer has offered (RFC 5961 5.2, RFC 9293 3.8.6.2.1)
    u8 wind_shift = 0;    ///< Snd.Wind.Shift (RFC 7323 2.3)
    bool urgent = false;  ///< urgent data have not been acknowledged
};

/// The receive sequence variables (RFC 9293 section 3.3.1).
///
///                1          2          3
///            ----------|----------|----------
///                   RCV.NXT    RCV.NXT
///                             +RCV.WND
///
///   1 - acknowledged   2 - allowed   3 - not yet allowed
struct ReceiveVars {
    SeqNum nxt;           ///< RCV.NXT: the next number expected in order
    SeqNum irs;           ///< initial receive sequence number
    SeqNum up;            ///< RCV.UP: one past the last urgent octet; urgent
    SeqNum edge;          ///< RCV.NXT + RCV.WND as last advertised; it never moves back (SHLD-14)
    u8 wind_shift = 0;    ///< Rcv.Wind.Shift (RFC 7323 2.3)
    bool urgent = false;  ///< urgent data have not been read

    /// RCV.WND: what of the advertised window is left, bytes.
    u32 wnd() const { return edge.after(nxt) ? static_cast<u32>(edge - nxt) : 0; }
};

}  // namespace tapestry
