#include "registration/registration.h"

#include <utility>
#include <variant>

#include "registration/credentials.h"
#include "registration/direct.h"
#include "registration/plain.h"
#include "registration/resilient.h"

namespace holdfast::registration {

namespace {

using Client =
    std::variant<std::unique_ptr<Resilient>, std::unique_ptr<Plain>, std::unique_ptr<Direct>>;

Client client_for(const AccountConfig& config, std::string instance_id, const AccountState& state,
                  std::string user_agent, SharedPolicy shared) {
    if (!config.direct_to.empty())
        return std::make_unique<Direct>(config, instance_id, std::move(shared));
    switch (config.policy.style) {
    case Style::resilient:
        return std::make_unique<Resilient>(config, instance_id, state, std::move(user_agent),
                                           std::move(shared));
    case Style::plain: break;
    }
    return std::make_unique<Plain>(config, std::move(instance_id), state, std::move(user_agent));
}

}  // namespace

Registration::Registration(const AccountConfig& config, std::string instance_id,
                           const AccountState& state, std::string user_agent, SharedPolicy shared)
    : client_(client_for(config, std::move(instance_id), state, std::move(user_agent),
                         std::move(shared))) {}
Registration::Registration(Registration&&) noexcept = default;
Registration& Registration::operator=(Registration&&) noexcept = default;
Registration::~Registration() = default;

void Registration::handle(const Told& told, const Context& context) {
    std::visit([&](auto& client) { client->handle(told, context); }, client_);
}
Deadline Registration::next_deadline() const {
    return std::visit([](const auto& client) { return client->next_deadline(); }, client_);
}
View Registration::view() const {
    return std::visit([](const auto& client) { return client->view(); }, client_);
}

std::vector<IpAddress> Registration::accepted(Instant now) const {
    return std::visit([&](const auto& client) { return client->accepted(now); }, client_);
}
const std::string& Registration::aor() const {
    return std::visit(
        [](const auto& client) -> const std::string& { return client->configured_aor(); }, client_);
}
bool Registration::is_secure_only() const {
    return std::visit([](const auto& client) { return client->is_secure_only(); }, client_);
}
bool Registration::is_direct() const {
    return std::holds_alternative<std::unique_ptr<Direct>>(client_);
}
const Policy& Registration::policy() const {
    return std::visit([](const auto& client) -> const Policy& { return client->policy(); },
                      client_);
}
const Credentials* Registration::credentials() const {
    return std::visit([](const auto& client) { return client->credentials(); }, client_);
}
const std::string& Registration::domain() const {
    return std::visit([](const auto& client) -> const std::string& { return client->domain(); },
                      client_);
}

}  // namespace holdfast::registration
