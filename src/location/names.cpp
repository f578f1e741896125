#include "location/names.h"

#include <algorithm>

#include "base/text.h"

namespace holdfast::location {

std::string normal_name(std::string_view name) {
    if (name.ends_with('.')) name.remove_suffix(1);
    return lower_case(name);
}

bool is_valid_name(std::string_view name) {
    if (name.empty() || name.size() > 253) return false;
    std::size_t label = 0;
    for (const char c : name) {
        if (c == '.') {
            if (label == 0) return false;
            label = 0;
            continue;
        }
        const char lower = to_lower(c);
        if (!is_digit(c) && (lower < 'a' || lower > 'z') && c != '-' && c != '_') return false;
        if (++label > 63) return false;
    }
    return label != 0;
}

bool is_system_name(std::string_view name, const HostsFileNames& hosts_file) {
    return name.find('.') == std::string_view::npos || name.ends_with(".local") ||
           name.ends_with(".localhost") || hosts_file.contains(name);
}

}  // namespace holdfast::location
