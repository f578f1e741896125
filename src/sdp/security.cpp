#include "sdp/security.h"

#include <algorithm>

#include "base/text.h"
#include "sdp/attributes.h"

namespace holdfast::sdp {
namespace {

bool is_secure_protocol(const Media& media) {
    return media.protocol.find("SAVP") != std::string::npos;
}
bool is_dtls_protocol(const Media& media) { return media.protocol.starts_with("UDP/TLS/"); }

void write_fingerprint(const Fingerprint& fingerprint, Setup setup, Media& media) {
    media.attributes.push_back({"setup", std::string(name_of(setup))});
    media.attributes.push_back({"fingerprint", fingerprint.hash + " " + fingerprint.hex});
}

// RFC 4145 §4.1, RFC 5763 §5: what the answerer is.
std::optional<Setup> answer_to(Setup offered) {
    switch (offered) {
    case Setup::actpass:  // §5: active is recommended: the ClientHello leaves half a round trip
                          // sooner
    case Setup::passive: return Setup::active;
    case Setup::active: return Setup::passive;
    case Setup::holdconn: return std::nullopt;
    }
    return std::nullopt;
}

// RFC 8842 §5.3: actpass again, from the same certificate, leaves the association as it is, and who
// was passive stays so. Another certificate, or a role that no longer fits, begins a new one.
std::optional<Setup> role_in(Setup offered, const std::vector<Fingerprint>& theirs,
                             const AgreedDtls* before) {
    if (offered == Setup::actpass && before != nullptr && before->fingerprints == theirs)
        return before->we_are_active ? Setup::active : Setup::passive;
    return answer_to(offered);
}

// RFC 4568 §7.1.2: the first offered whose suite we have, with our key under its tag.
bool answer_with_key(const Media& offered, const LocalStream& stream, AgreedStream& agreed,
                     Media& answer) {
    for (auto& theirs : crypto_of(offered)) {
        const auto ours = std::ranges::find_if(stream.crypto, [&](const CryptoKey& key) {
            return equals_ignoring_case(key.suite, theirs.suite);
        });
        // Session parameters may change what is sent; those we cannot obey are refused (§6.3).
        if (ours == stream.crypto.end() || !theirs.session_parameters.empty()) continue;
        agreed.crypto = AgreedCrypto{.local = *ours, .remote = std::move(theirs)};
        agreed.crypto->local.tag = agreed.crypto->remote.tag;
        answer.attributes.push_back({"crypto", crypto_text(agreed.crypto->local)});
        return true;
    }
    return false;
}

}  // namespace

std::string protocol_of(const LocalStream& stream) {
    std::string protocol = "RTP/AVP";
    if (stream.srtp == Srtp::required)
        protocol = stream.fingerprint && stream.crypto.empty() ? "UDP/TLS/RTP/SAVP" : "RTP/SAVP";
    return stream.feedback.empty() ? protocol : protocol + "F";
}

bool is_rtp(const Media& media) {
    std::string_view protocol = media.protocol;
    if (protocol.starts_with("UDP/TLS/")) protocol.remove_prefix(8);
    return protocol == "RTP/AVP" || protocol == "RTP/AVPF" || protocol == "RTP/SAVP" ||
           protocol == "RTP/SAVPF";
}

void write_offered_security(const LocalStream& stream, Media& media) {
    if (stream.srtp == Srtp::off) return;
    for (const auto& key : stream.crypto) media.attributes.push_back({"crypto", crypto_text(key)});
    if (stream.fingerprint) write_fingerprint(*stream.fingerprint, stream.setup, media);
}

std::expected<void, std::string> answer_security(const Description& offer, const Media& offered,
                                                 const LocalStream& stream,
                                                 const AgreedDtls* before, AgreedStream& agreed,
                                                 Media& answer) {
    const bool demanded = is_secure_protocol(offered);
    if (stream.srtp == Srtp::off) {
        if (!demanded) return {};
        return std::unexpected("the other side demands encryption (" + offered.protocol +
                               "), which is switched off here");
    }
    if (!is_dtls_protocol(offered) && answer_with_key(offered, stream, agreed, answer)) return {};
    auto theirs = fingerprints_of(offer, offered);
    if (!theirs.empty() && stream.fingerprint) {
        // RFC 4145 §4.1: without a=setup the offerer is active.
        const auto role = role_in(setup_of(offer, offered).value_or(Setup::active), theirs, before);
        if (!role)
            return std::unexpected("the other side holds the DTLS connection (setup:holdconn)");
        agreed.dtls = AgreedDtls{std::move(theirs), *role == Setup::active};
        write_fingerprint(*stream.fingerprint, *role, answer);
        return {};
    }
    if (demanded)
        return std::unexpected("the other side's encryption (" + offered.protocol +
                               ") is of a kind that is not switched on here");
    if (stream.srtp == Srtp::required)
        return std::unexpected("encryption is required here, and the other side offers none");
    return {};
}

std::expected<void, std::string> read_security(const LocalStream& offered,
                                               const Description& answer, const Media& answered,
                                               AgreedStream& agreed) {
    if (offered.srtp != Srtp::off) {
        // RFC 4568 §7.1.3: one key, with the tag of one of ours.
        for (auto& theirs : crypto_of(answered)) {
            const auto ours = std::ranges::find_if(offered.crypto, [&](const CryptoKey& key) {
                return key.tag == theirs.tag && equals_ignoring_case(key.suite, theirs.suite);
            });
            if (ours == offered.crypto.end()) continue;
            agreed.crypto = AgreedCrypto{.local = *ours, .remote = std::move(theirs)};
            return {};
        }
        if (auto theirs = fingerprints_of(answer, answered);
            !theirs.empty() && offered.fingerprint) {
            // The answer is active or passive; actpass in an answer is wrong, and read as active.
            const auto role = setup_of(answer, answered).value_or(Setup::active);
            agreed.dtls = AgreedDtls{std::move(theirs), role == Setup::passive};
            return {};
        }
    }
    if (is_secure_protocol(answered))
        return std::unexpected("the answer encrypts without a key that fits ours");
    if (offered.srtp == Srtp::required)
        return std::unexpected("encryption is required here, and the answer has none");
    return {};
}

}  // namespace holdfast::sdp
