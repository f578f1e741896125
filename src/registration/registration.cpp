#include "registration/registration.h"

#include "registration/resilient.h"

namespace holdfast::registration {

class Registration::Impl {
public:
    Impl(AccountConfig config, std::string instance_id, const AccountState& state,
         std::string user_agent)
        : client(std::move(config), std::move(instance_id), state, std::move(user_agent)) {}
    Resilient client;
};

Registration::Registration(AccountConfig config, std::string instance_id, AccountState state,
                           std::string user_agent)
    : impl_(std::make_unique<Impl>(std::move(config), std::move(instance_id), state,
                                   std::move(user_agent))) {}
Registration::Registration(Registration&&) noexcept = default;
Registration& Registration::operator=(Registration&&) noexcept = default;
Registration::~Registration() = default;

void Registration::handle(const Told& told, const Context& context) {
    impl_->client.handle(told, context);
}
Deadline Registration::next_deadline() const { return impl_->client.next_deadline(); }
View Registration::view() const { return impl_->client.view(); }
const AccountConfig& Registration::config() const { return impl_->client.config(); }
const std::string& Registration::domain() const { return impl_->client.domain(); }

}  // namespace holdfast::registration
