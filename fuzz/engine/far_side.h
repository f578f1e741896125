// Who talks with engine_fuzz's engine in calls: it remembers the dialogs that the engine's own
// messages make (Call-ID, tags, branches, CSeq, RSeq, Contact), and says things that fit them, or
// are wrong in one place or another. All that it says is made of the script's octets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "fuzz/engine/mouth.h"
#include "fuzz/engine/script.h"
#include "sip/message.h"

namespace holdfast::fuzz {

struct Said {
    FlowId flow;  // where the engine expects it; 0: nowhere yet
    std::string text;
};

class FarSide {
public:
    // What the engine has sent.
    void note(FlowId flow, const sip::Message& sent);
    void forget() { *this = FarSide(); }

    // via, headers, body: an INVITE outside dialogs, for this URI.
    std::string invite(std::string_view uri, Reader& in);
    // which, status, how, headers, body: a response to a request of the engine's.
    Said answer(Reader& in);
    // which, method, how, headers, body: a request in a dialog.
    Said request(Reader& in);
    // which: what was said before, octet by octet.
    [[nodiscard]] Said again(Reader& in) const;
    // The usual answer of somebody who takes calls.
    [[nodiscard]] std::string accepted(const sip::Message& request);
    void remember(const Said& said);

private:
    struct Dialog {
        FlowId flow;
        std::string call_id;
        std::string engine_tag;
        std::string far_tag;
        std::string target = "sip:alice@192.168.1.20:40000";  // the engine's Contact
        std::uint32_t cseq = 1;
        std::string invite_branch;  // of the far side's last INVITE
        std::uint32_t invite_cseq = 1;
        std::uint32_t rseq = 0;  // of the engine's last reliable response
    };
    Dialog& dialog(std::string_view call_id, std::string_view engine_tag, std::string_view far_tag);
    Said nothing(Reader& in);
    std::string headers(Reader& in);
    std::string with_body(std::string text, Reader& in);
    [[nodiscard]] std::string replaces(std::uint8_t which, std::string_view equals) const;
    [[nodiscard]] std::string sdp(std::uint8_t kind);

    std::deque<Asked> requests_;  // of the engine's, of calls, newest first
    std::deque<Dialog> dialogs_;  // newest first
    std::deque<Said> said_;       // newest first
    std::uint32_t versions_ = 0;  // of session descriptions
    std::uint32_t branches_ = 0;
    std::uint32_t calls_ = 0;
};

}  // namespace holdfast::fuzz
