#include "apps/cli/outcome.h"

#include <string>
#include <variant>

namespace holdfast::cli {

void Outcome::on_input(const Input& input) {
    if (const auto* answer = std::get_if<in::DnsAnswer>(&input))
        dns_failed_ = dns_failed_ || dns::is_failure(answer->answer.status);
    if (const auto* failed = std::get_if<in::FlowFailed>(&input))
        certificate_failed_ = certificate_failed_ || failed->error == FlowError::certificate;
    if (const auto* closed = std::get_if<in::FlowClosed>(&input))
        certificate_failed_ = certificate_failed_ || closed->error == FlowError::certificate;
}

// The engine's words: there is no status where nothing was answered.
bool is_confirmed(const Event& unregistered) {
    return unregistered.reason.find("did not answer") == std::string::npos;
}

void Outcome::on_event(const Event& event) {
    switch (event.kind) {
    case EventKind::resolved: return resolved(event);
    case EventKind::registered:
    case EventKind::moved:
    case EventKind::refreshed:
        bindings_.insert(event.reg_id);
        code_ = ExitCode::ok;
        decided_ = true;
        certificate_failed_ = false;
        return;
    case EventKind::unregistered:
        bindings_.erase(event.reg_id);
        if (leaving_) {
            unconfirmed_ = unconfirmed_ || !is_confirmed(event);
        } else if (bindings_.empty()) {
            code_ = ExitCode::no_server;
        }
        return;
    case EventKind::auth_failed:
        if (event.reg_id == 0) bindings_.clear();  // a plain client has one, and says it so
        if (bindings_.empty()) code_ = ExitCode::auth_failed;
        return;
    case EventKind::refused:
        if (event.reg_id == 0) bindings_.clear();
        return failed(event.status == 401 || event.status == 407 || code_ == ExitCode::auth_failed
                          ? ExitCode::auth_failed
                          : ExitCode::refused);
    case EventKind::waiting:
        if (event.reg_id == 0) bindings_.clear();
        return failed(certificate_failed_ ? ExitCode::certificate : ExitCode::no_server);
    case EventKind::connected:  // a direct call: it decides from here on
        code_ = ExitCode::ok;
        certificate_failed_ = false;
        return;
    case EventKind::not_connected:
        if (decided_ || code_ == ExitCode::ok) return;
        if (!event.target)
            return failed(dns_failed_ ? ExitCode::no_dns : ExitCode::name_leads_nowhere);
        return failed(certificate_failed_ ? ExitCode::certificate : ExitCode::no_server);
    case EventKind::attempt:
    case EventKind::attempt_failed:
    case EventKind::probed:
    case EventKind::mapping_changed:
    case EventKind::suspect:
    case EventKind::reachable:
    case EventKind::unreachable:
    case EventKind::unprovable:
    case EventKind::binding_removed:
    case EventKind::binding_debt:
    case EventKind::ring:
    case EventKind::dialling:
    case EventKind::ringing:
    case EventKind::early_media:
    case EventKind::answered:
    case EventKind::held:
    case EventKind::resumed:
    case EventKind::transferring:
    case EventKind::transferred:
    case EventKind::transfer_failed:
    case EventKind::referred:
    case EventKind::replaced:
    case EventKind::sound:
    case EventKind::sound_failed:
    case EventKind::silent:
    case EventKind::heard:
    case EventKind::dtmf:
    case EventKind::digits_sent:
    case EventKind::digits_failed:
    case EventKind::played:
    case EventKind::recorded:
    case EventKind::measured:
    case EventKind::call_ended:
    case EventKind::notice:
    case EventKind::flow_lost: return;
    case EventKind::stopped:
        unconfirmed_ = unconfirmed_ || !bindings_.empty();  // nothing was heard of them
        return;
    }
}

void Outcome::resolved(const Event& event) {
    if (event.targets.empty()) {
        failed(dns_failed_ ? ExitCode::no_dns : ExitCode::name_leads_nowhere);
    } else if (code_ == ExitCode::no_dns || code_ == ExitCode::name_leads_nowhere) {
        code_ = ExitCode::undecided;
    }
    dns_failed_ = false;
}

void Outcome::failed(ExitCode code) {
    if (!bindings_.empty()) return;  // another binding holds
    code_ = code;
    decided_ = true;
}

ExitCode Outcome::code() const {
    if (code_ == ExitCode::ok && unconfirmed_) return ExitCode::not_unregistered;
    return code_;
}

}  // namespace holdfast::cli
