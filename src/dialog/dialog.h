// One dialog (RFC 3261 §12), as our side has it: who the peers are, how a request gets there, and
// the order of the requests.
//
//     caller: Dialog::of_caller(invite, response)   early after a 1xx, confirmed after a 2xx
//     callee: Dialog::of_callee(invite, our_tag)    early; confirm() with our 2xx
//     then    dialog.request(Method::bye)           CSeq + 1, routes, tags
//             dialog.admit(request)                 the peer's, in order or not
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dialog/request.h"
#include "sip/message.h"
#include "sip/uri.h"

namespace holdfast::dialog {

enum class State : std::uint8_t { early, confirmed };

// Whether a request of the peer comes in order (RFC 3261 §12.2.2).
enum class Order : std::uint8_t {
    fine,
    out_of_order,  // 500
};

class Dialog {
public:
    // RFC 3261 §12.1.2. invite: as it was sent; response: a 101–299 to it. Without a To tag the
    // peer is one of RFC 2543 and its tag is null. Deviates: without a Contact, which §12.1.1
    // demands, the Request-URI stays the target.
    static Dialog of_caller(const Request& invite, const sip::Message& response);
    // RFC 3261 §12.1.1. Nothing: the INVITE has no Contact that could be called.
    static std::optional<Dialog> of_callee(const sip::Message& invite, std::string_view local_tag);

    // RFC 3261 §13.2.2.4: a 2xx to the INVITE that made the early dialog; its route set counts.
    void confirm(const sip::Message& response);
    void confirm() { state_ = State::confirmed; }  // our 2xx

    // RFC 3261 §12.2.1.1: the next request of ours; never ACK or CANCEL.
    [[nodiscard]] Request request(sip::Method method);
    // RFC 3261 §13.2.2.4: the ACK of a 2xx, with the number of its INVITE.
    [[nodiscard]] Request ack(std::uint32_t invite_cseq) const;

    // RFC 3261 §12.2.2: its CSeq is noted. Not for ACK (it has the INVITE's number) and CANCEL.
    Order admit(const sip::Message& request);
    // RFC 3261 §12.2.1.2, §12.2.2: the Contact of a target refresh request, or of its 2xx.
    void refresh_target(const sip::Message& message);

    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] const std::string& call_id() const { return call_id_; }
    [[nodiscard]] const std::string& local_tag() const { return local_tag_; }
    [[nodiscard]] const std::string& remote_tag() const { return remote_tag_; }
    [[nodiscard]] const std::string& local() const { return local_; }    // whole From of ours
    [[nodiscard]] const std::string& remote() const { return remote_; }  // whole To of ours
    [[nodiscard]] const std::string& remote_target() const { return remote_target_; }
    [[nodiscard]] const std::vector<std::string>& route_set() const { return route_set_; }
    [[nodiscard]] std::uint32_t local_cseq() const { return local_cseq_; }
    [[nodiscard]] bool is_secure() const { return secure_; }  // sips all the way (§12.1.1)
    // Whether a message with these tags is of this dialog (§12.2.2).
    [[nodiscard]] bool has(std::string_view local_tag, std::string_view remote_tag) const;

private:
    Dialog() = default;
    void address(Request& request) const;  // Request-URI, Route and next hop

    State state_ = State::early;
    std::string call_id_;
    std::string local_tag_;
    std::string remote_tag_;
    std::string local_;
    std::string remote_;
    std::string remote_target_;  // as a Request-URI
    std::vector<std::string> route_set_;
    std::uint32_t local_cseq_ = 0;
    std::optional<std::uint32_t> remote_cseq_;
    bool secure_ = false;
};

}  // namespace holdfast::dialog
