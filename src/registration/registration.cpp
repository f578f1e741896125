#include "registration/registration.h"

#include <utility>
#include <variant>

#include "registration/plain.h"
#include "registration/resilient.h"

namespace holdfast::registration {

namespace {

using Client = std::variant<Resilient, Plain>;

Client client_for(AccountConfig config, std::string instance_id, const AccountState& state,
                  std::string user_agent) {
    switch (config.policy.style) {
    case Style::resilient:
        return Client{std::in_place_type<Resilient>, std::move(config), instance_id, state,
                      std::move(user_agent)};
    case Style::plain: break;
    }
    return Client{std::in_place_type<Plain>, std::move(config), std::move(instance_id), state,
                  std::move(user_agent)};
}

}  // namespace

class Registration::Impl {
public:
    explicit Impl(Client made) : client(std::move(made)) {}
    Client client;
};

Registration::Registration(AccountConfig config, std::string instance_id, const AccountState& state,
                           std::string user_agent)
    : impl_(std::make_unique<Impl>(
          client_for(std::move(config), std::move(instance_id), state, std::move(user_agent)))) {}
Registration::Registration(Registration&&) noexcept = default;
Registration& Registration::operator=(Registration&&) noexcept = default;
Registration::~Registration() = default;

void Registration::handle(const Told& told, const Context& context) {
    std::visit([&](auto& client) { client.handle(told, context); }, impl_->client);
}
Deadline Registration::next_deadline() const {
    return std::visit([](const auto& client) { return client.next_deadline(); }, impl_->client);
}
View Registration::view() const {
    return std::visit([](const auto& client) { return client.view(); }, impl_->client);
}
const AccountConfig& Registration::config() const {
    return std::visit([](const auto& client) -> const AccountConfig& { return client.config(); },
                      impl_->client);
}
const std::string& Registration::domain() const {
    return std::visit([](const auto& client) -> const std::string& { return client.domain(); },
                      impl_->client);
}

}  // namespace holdfast::registration
