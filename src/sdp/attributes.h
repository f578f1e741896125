// Typed readings of attributes, and the texts to write them. What cannot be read is nothing: the
// field is full of private dialects, and one strange attribute is no reason to refuse a call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "sdp/description.h"
#include "sdp/stream.h"

namespace holdfast::sdp {

// The m-line's own a=sendrecv … a=inactive, else the session's, else sendrecv (RFC 8866 §6.7).
Direction direction_of(const Description& description, const Media& media);
std::string_view name_of(Direction direction);

// c= of the m-line, else of the session. Nothing: none, a name instead of a number, or multicast.
std::optional<IpAddress> address_of(const Description& description, const Media& media);
// RFC 2543's hold: 0.0.0.0 (or ::) instead of a direction (RFC 3264 §8.4).
bool is_held_by_address(const Description& description, const Media& media);
Connection connection_of(const IpAddress& address);

// Where RTCP goes (RFC 3605), else the port above; with rtcp-mux the RTP port.
Endpoint rtcp_of(const Media& media, const Endpoint& rtp);

std::optional<std::uint16_t> ptime_of(const Media& media);     // ms (RFC 8866 §6.4)
std::optional<std::uint16_t> maxptime_of(const Media& media);  // ms
// kbit/s: b=AS, else TIAS (RFC 3890), else CT.
std::optional<std::uint32_t> bandwidth_of(const Media& media);

std::vector<CryptoKey> crypto_of(const Media& media);  // RFC 4568, in order
std::string crypto_text(const CryptoKey& key);

// All of the m-line, else all of the session (RFC 8122 §5: several hashes, one certificate).
std::vector<Fingerprint> fingerprints_of(const Description& description, const Media& media);
std::optional<Setup> setup_of(const Description& description, const Media& media);
std::string_view name_of(Setup setup);

// RFC 8839; nothing without both credentials.
std::optional<AgreedIce> ice_of(const Description& description, const Media& media);
// RFC 5576: the first a=ssrc with a cname.
std::optional<Source> source_of(const Media& media);
bool has_ice_mismatch(const Media& media);

// The m-line's attribute, else the session's.
std::optional<std::string_view> find_either(const Description& description, const Media& media,
                                            std::string_view name);

}  // namespace holdfast::sdp
