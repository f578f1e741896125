#include "fuzz/engine/far_side.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"

namespace holdfast::fuzz {

using sip::Method;

namespace {

constexpr std::size_t remembered = 16;

std::string line(std::string_view name, std::string_view value) {
    return std::string(name).append(": ").append(value).append("\r\n");
}

// Its target in a REFER.
std::string refer_target(std::uint8_t kind) {
    constexpr std::array<std::string_view, 8> targets{
        "sip:carol@example.test",
        "sips:carol@example.test",
        "tel:+4930123456",
        "sip:carol@198.51.100.66",
        "sip:carol@example.test;method=BYE",
        "sip:carol@example.test?Route=%3Csip:198.51.100.66;lr%3E&Subject=x",
        "https://example.test/",
        "sip:"};
    return std::string(targets[kind % targets.size()]);
}

}  // namespace

void FarSide::note(FlowId flow, const sip::Message& sent) {
    const auto method = sent.method();
    if (method == Method::register_ || (method == Method::options && sent.is_request())) return;
    const auto& ours = sent.is_request() ? sent.from() : sent.to();
    const auto& theirs = sent.is_request() ? sent.to() : sent.from();
    if (sent.is_request() && method != Method::ack &&
        (requests_.empty() || requests_.front().text != sent.text())) {
        requests_.push_front({flow, std::string(sent.text())});
        if (requests_.size() > remembered) requests_.pop_back();
    }
    if (ours.tag().empty() || theirs.tag().empty()) return;
    if (!sent.is_request() && (method != Method::invite || sent.status() == 100)) return;
    Dialog& known = dialog(sent.call_id(), ours.tag(), theirs.tag());
    known.flow = flow;
    if (!sent.contacts().empty()) known.target = sent.contacts().front().uri.text;
    if (sent.is_request()) return;
    known.invite_branch = sent.top_via().branch;
    known.invite_cseq = sent.cseq().number;
    known.cseq = std::max(known.cseq, known.invite_cseq);
    if (sent.rseq()) known.rseq = *sent.rseq();
}

FarSide::Dialog& FarSide::dialog(std::string_view call_id, std::string_view engine_tag,
                                 std::string_view far_tag) {
    const auto found = std::ranges::find_if(dialogs_, [&](const Dialog& known) {
        return known.call_id == call_id && known.engine_tag == engine_tag &&
               known.far_tag == far_tag;
    });
    if (found != dialogs_.end()) return *found;
    Dialog made;
    made.call_id = call_id;
    made.engine_tag = engine_tag;
    made.far_tag = far_tag;
    dialogs_.push_front(std::move(made));
    if (dialogs_.size() > remembered) dialogs_.pop_back();
    return dialogs_.front();
}

void FarSide::remember(const Said& said) {
    said_.push_front(said);
    if (said_.size() > remembered) said_.pop_back();
}

std::string FarSide::invite(std::string_view uri, Reader& in) {
    const auto number = std::to_string(++calls_);
    std::string text = "INVITE ";
    text.append(uri).append(" SIP/2.0\r\nVia: SIP/2.0/UDP ").append(host_text(in.u8()));
    text.append(";branch=z9hG4bKcall").append(number).append(";rport\r\nMax-Forwards: 70\r\n");
    text.append("From: \"Carol\" <sip:carol@example.test>;tag=f").append(number);
    text.append("\r\nTo: <sip:alice@example.test>\r\nCall-ID: far-").append(number);
    text.append("\r\nCSeq: 1 INVITE\r\n");
    return with_body(std::move(text) + headers(in), in);
}

// The script's octets all the same, so that what follows is what it was.
Said FarSide::nothing(Reader& in) {
    with_body(headers(in), in);
    return {};
}

// how: & 3 which branch of a fork; 4 another To tag although there is one; 8 no tag; 16 another
// CSeq; 64 damage.
Said FarSide::answer(Reader& in) {
    constexpr std::array<int, 48> statuses{
        200, 180, 183, 100, 181, 182, 199, 486, 302, 487, 481, 491, 407, 401, 422, 408,
        500, 503, 488, 480, 202, 204, 300, 301, 305, 380, 400, 403, 404, 405, 415, 420,
        421, 423, 433, 439, 482, 483, 485, 489, 493, 501, 504, 513, 600, 603, 604, 606};
    const auto which = in.u8();
    const int status = in.pick(statuses);
    const auto how = in.u8();
    if (requests_.empty()) return nothing(in);
    const Asked& asked = requests_[which % requests_.size()];
    const auto request = sip::Message::parse(asked.text);
    std::string tag(request->to().tag());
    std::string to(request->to().text);
    if (tag.empty() && (how & 8U) == 0) {
        tag = "b" + std::to_string(how & 3U);
        to.append(";tag=").append(tag);
    } else if (how & 4U) {
        to.append("x");
    }
    if (request->method() == Method::invite && !tag.empty() && status < 300 && status > 100) {
        Dialog& made = dialog(request->call_id(), request->from().tag(), tag);
        made.flow = asked.flow;
        if (!request->contacts().empty()) made.target = request->contacts().front().uri.text;
    }
    std::string text = "SIP/2.0 " + std::to_string(status) + " Said\r\n";
    for (const auto& via : request->vias()) text += line("Via", via.text);
    text += line("From", request->from().text) + line("To", to);
    text += line("Call-ID", request->call_id());
    text += line("CSeq", std::to_string(request->cseq().number + (how & 16U ? 1 : 0)) + " " +
                             std::string(request->method_text()));
    text = with_body(std::move(text) + headers(in), in);
    if (how & 64U) text = Mouth::damaged(std::move(text), in);
    return {asked.flow, std::move(text)};
}

// how: 1 another tag of the engine's; 2 of its own; 4 no To tag; 8 a number that was; 16 the
// branch of the last INVITE; 32 another Call-ID; 64 damage; 128 a far higher number.
Said FarSide::request(Reader& in) {
    constexpr std::array<std::string_view, 12> methods{"BYE",   "ACK",     "INVITE",  "UPDATE",
                                                       "PRACK", "CANCEL",  "REFER",   "NOTIFY",
                                                       "INFO",  "OPTIONS", "MESSAGE", "SUBSCRIBE"};
    const auto which = in.u8();
    const auto method = in.pick(methods);
    const auto how = in.u8();
    if (dialogs_.empty()) return nothing(in);
    Dialog& it = dialogs_[which % dialogs_.size()];
    const bool of_invite = method == "ACK" || method == "CANCEL";
    if (!of_invite && (how & 8U) == 0) it.cseq += how & 128U ? 0x10000 : 1;
    const auto cseq = of_invite ? it.invite_cseq : it.cseq;
    std::string branch = "z9hG4bKfar" + std::to_string(++branches_);
    if ((method == "CANCEL") != ((how & 16U) != 0)) branch = it.invite_branch;
    if (method == "INVITE") {
        it.invite_branch = branch;
        it.invite_cseq = cseq;
    }
    std::string text(method);
    text.append(" ").append(it.target).append(" SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.11;branch=");
    text.append(branch).append(";rport\r\nMax-Forwards: 70\r\nFrom: <sip:carol@example.test>;tag=");
    text.append(it.far_tag).append(how & 2U ? "x" : "").append("\r\nTo: <sip:alice@example.test>");
    // A CANCEL has the INVITE's To (RFC 3261 §9.1).
    if ((method == "CANCEL") == ((how & 4U) != 0))
        text.append(";tag=").append(it.engine_tag).append(how & 1U ? "x" : "");
    text.append("\r\nCall-ID: ").append(it.call_id).append(how & 32U ? "x" : "");
    text.append("\r\nCSeq: ").append(std::to_string(cseq)).append(" ").append(method);
    text.append("\r\n");
    if (method == "PRACK")
        text += line("RAck",
                     std::to_string(it.rseq) + " " + std::to_string(it.invite_cseq) + " INVITE");
    const auto flow = it.flow;
    text = with_body(std::move(text) + headers(in), in);
    if (how & 64U) text = Mouth::damaged(std::move(text), in);
    return {flow, std::move(text)};
}

Said FarSide::again(Reader& in) const {
    const auto which = in.u8();
    return said_.empty() ? Said{} : said_[which % said_.size()];
}

std::string FarSide::accepted(const sip::Message& request) {
    std::string text = "SIP/2.0 200 OK\r\n";
    for (const auto& via : request.vias()) text += line("Via", via.text);
    std::string to(request.to().text);
    if (request.to().tag().empty()) to += ";tag=b0";
    text += line("From", request.from().text) + line("To", to);
    text += line("Call-ID", request.call_id());
    text += line("CSeq",
                 std::to_string(request.cseq().number) + " " + std::string(request.method_text()));
    std::string body;
    if (request.method() == Method::invite) {
        const auto tag = request.to().tag().empty() ? "b0" : request.to().tag();
        Dialog& made = dialog(request.call_id(), request.from().tag(), tag);
        if (!request.contacts().empty()) made.target = request.contacts().front().uri.text;
        body = sdp(1);
        text += line("Contact", "<sip:bob@203.0.113.11>") + line("Content-Type", "application/sdp");
    }
    return text + line("Content-Length", std::to_string(body.size())) + "\r\n" + body;
}

std::string FarSide::replaces(std::uint8_t which, std::string_view equals) const {
    if (dialogs_.empty()) return "none";
    const Dialog& it = dialogs_[which % dialogs_.size()];
    const std::string separator = equals == "=" ? ";" : "%3B";
    return it.call_id + separator + "to-tag" + std::string(equals) + it.engine_tag + separator +
           "from-tag" + std::string(equals) + it.far_tag;
}

// A mask, and where it asks for it one octet for each value.
std::string FarSide::headers(Reader& in) {
    const unsigned mask = in.u16();
    std::string text;
    if (mask & 1U) text += "Contact: <sip:bob@203.0.113.11>\r\n";
    if (mask & 2U) {
        const auto arg = in.u8();
        text += line("Contact", (arg & 0x80U ? "<sips:bob@" : "<sip:bob@") + host_text(arg) +
                                    (arg & 0x40U ? ";transport=tcp>" : ">"));
    }
    if (mask & 4U) {
        const auto arg = in.u8();
        text += line("Record-Route", "<sip:" + host_text(arg) + (arg & 0x80U ? ">" : ";lr>"));
        if (arg & 0x40U) text += "Record-Route: <sip:203.0.113.12;lr>\r\n";
    }
    if (mask & 8U) text += "Supported: 100rel, timer, replaces, norefersub\r\n";
    if (mask & 16U) text += "Require: 100rel\r\n";
    if (mask & 32U) text += line("RSeq", std::to_string(in.u8()));
    if (mask & 64U) {
        const auto arg = in.u8();
        text += line("Session-Expires", number_text(arg) + (arg & 0x40U   ? ";refresher=uac"
                                                            : arg & 0x80U ? ";refresher=uas"
                                                                          : ""));
        if (arg & 0x20U) text += "Require: timer\r\n";
    }
    if (mask & 128U) text += line("Min-SE", number_text(in.u8()));
    if (mask & 256U)
        text += "Allow: INVITE, ACK, CANCEL, BYE, PRACK, UPDATE, INFO, REFER, NOTIFY\r\n";
    if (mask & 512U) {
        const auto arg = in.u8();
        text += line("Replaces", replaces(arg, "=") + (arg & 0x80U ? ";early-only" : ""));
    }
    if (mask & 1024U) {
        const auto arg = in.u8();
        auto target = refer_target(arg);
        if (arg & 0x80U) target += "?Replaces=" + replaces(in.u8(), "%3D");
        text += line("Refer-To", "<" + target + ">");
        if (arg & 0x40U) text += "Refer-Sub: false\r\n";
        if (arg & 0x20U) text += "Referred-By: <sip:carol@example.test>\r\n";
    }
    if (mask & 2048U) {
        constexpr std::array<std::string_view, 4> states{"active;expires=60", "terminated",
                                                         "terminated;reason=noresource", "pending"};
        const auto arg = in.u8();
        text += line("Event", arg & 0x80U ? "refer;id=" + std::to_string(arg & 0xfU) : "refer");
        text += line("Subscription-State", states[arg / 16U % states.size()]);
    }
    if (mask & 4096U) text += line("Retry-After", number_text(in.u8()));
    if (mask & 8192U) {
        const auto arg = in.u8();
        text += line(arg & 1U ? "WWW-Authenticate" : "Proxy-Authenticate",
                     digest_text(arg / 2U, in.u8()));
    }
    if (mask & 16384U) {
        const auto arg = in.u8();
        text += line("Expires", number_text(arg));
        text += "P-Asserted-Identity: <sip:dave@example.test>\r\nPrivacy: id\r\n";
        for (auto left = arg / 16U; left > 0; --left)
            text += "Diversion: <sip:e@example.test>;reason=user-busy\r\n";
    }
    if (mask & 32768U) text += std::string(in.text()) + "\r\n";
    return text;
}

// kind, and its octets.
std::string FarSide::with_body(std::string text, Reader& in) {
    const auto kind = in.u8();
    std::string body;
    std::string_view type;
    switch (kind % 16U) {
    case 0: break;
    case 13: {
        constexpr std::array<std::string_view, 8> first{
            "100 Trying",  "180 Ringing", "200 OK",   "486 Busy",
            "603 Decline", "503 No",      "1000 Odd", ""};
        type = "message/sipfrag;version=2.0";
        body = "SIP/2.0 " + std::string(first[kind / 16U % first.size()]) + "\r\n";
        break;
    }
    case 14:
        type = kind & 0x80U ? "application/dtmf" : "application/dtmf-relay";
        body = kind & 0x80U ? "5" : "Signal=5\r\nDuration=" + number_text(kind / 16U) + "\r\n";
        break;
    case 15:
        type = "application/sdp";
        body = in.text();
        break;
    default: type = "application/sdp"; body = sdp(kind);
    }
    if (!type.empty()) text += line("Content-Type", type);
    return text + line("Content-Length", std::to_string(body.size())) + "\r\n" + body;
}

// What it has to say of its sound, good and bad.
std::string FarSide::sdp(std::uint8_t kind) {
    const std::string host = kind % 16U == 5 ? "0.0.0.0" : "203.0.113.9";
    std::string text = "v=0\r\no=- 1 " + std::to_string(++versions_) + " IN IP4 203.0.113.9\r\n" +
                       "s=-\r\nc=IN IP4 " + host + "\r\nt=0 0\r\n";
    const std::string audio = "m=audio 5000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n";
    constexpr std::string_view fingerprint =
        "a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:"
        "16:17:18:19:1A:1B:1C:1D:1E:1F\r\na=setup:actpass\r\na=rtcp-mux\r\n";
    switch (kind % 16U) {
    case 2: return text + audio + "a=sendonly\r\n";
    case 3: return text + audio + "a=recvonly\r\n";
    case 4: return text + audio + "a=inactive\r\n";
    case 6: return text + "m=audio 0 RTP/AVP 8\r\n";
    case 7: return text + audio + "m=video 5002 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n";
    case 8:
        return text +
               "m=audio 5000 RTP/SAVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 "
               "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n";
    case 9: return text + "m=audio 5000 UDP/TLS/RTP/SAVP 8\r\n" + std::string(fingerprint);
    case 10:
        return text + audio + "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n" +
               "a=candidate:1 1 UDP 2130706431 203.0.113.9 5000 typ host\r\n";
    case 11: return text + "m=audio 5000 RTP/AVP 96\r\na=rtpmap:96 odd/8000\r\n";
    case 12: return text;
    default: return text + audio;
    }
}

}  // namespace holdfast::fuzz
