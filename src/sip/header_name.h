// Header names that have a meaning for a user agent, in their long and compact forms.
#pragma once

#include <cstdint>
#include <string_view>

namespace holdfast::sip {

enum class HeaderName : std::uint8_t {
    other,  // unknown: compare Header::name_text
    accept,
    accept_contact,
    accept_encoding,
    accept_language,
    alert_info,
    allow,
    allow_events,
    answer_mode,
    authentication_info,
    authorization,
    call_id,
    call_info,
    contact,
    content_disposition,
    content_encoding,
    content_language,
    content_length,
    content_type,
    cseq,
    date,
    diversion,
    error_info,
    event,
    expires,
    flow_timer,
    from,
    history_info,
    identity,
    in_reply_to,
    join,
    max_forwards,
    mime_version,
    min_expires,
    min_se,
    organization,
    p_asserted_identity,
    p_associated_uri,
    p_preferred_identity,
    path,
    priority,
    privacy,
    proxy_authenticate,
    proxy_authorization,
    proxy_require,
    rack,
    reason,
    record_route,
    refer_sub,
    refer_to,
    referred_by,
    reject_contact,
    remote_party_id,
    replaces,
    reply_to,
    request_disposition,
    require,
    retry_after,
    route,
    rseq,
    security_client,
    security_server,
    security_verify,
    server,
    service_route,
    session_expires,
    sip_etag,
    sip_if_match,
    subject,
    subscription_state,
    supported,
    target_dialog,
    timestamp,
    to,
    unsupported,
    user_agent,
    via,
    warning,
    www_authenticate,
    count,
};

std::string_view name_of(HeaderName name);  // "Call-ID"; "" for other
std::string_view compact_name_of(
    HeaderName name);  // "i"; the long form where there is no compact one
HeaderName header_name_of(std::string_view text);  // any case, long or compact; other when unknown
// The same for a name inside a padded buffer (scan.h): reads whole words.
HeaderName padded_header_name_of(std::string_view text);

}  // namespace holdfast::sip
