#include "engine/contact.h"

namespace holdfast::engine {

std::string contact_of(const registration::View& view, FlowId flow, sip::Scheme called) {
    const registration::BindingView* best = nullptr;
    for (const auto& binding : view.bindings)
        if (best == nullptr || binding.flow == flow) best = &binding;
    if (best == nullptr) return {};
    const auto& gruu = best->public_gruu.empty() ? best->temporary_gruu : best->public_gruu;
    const bool usable = !gruu.empty() && (called != sip::Scheme::sips || gruu.starts_with("sips:"));
    return usable ? gruu : best->contact;
}

}  // namespace holdfast::engine
