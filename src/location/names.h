// Host names as they are asked for: lower case, without the final dot.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace holdfast::location {

using HostsFileNames = std::set<std::string, std::less<>>;  // lower case

std::string normal_name(std::string_view name);
// A name that may be asked for and shown: letters, digits, '-', '_' in labels of 1–63, 253 in all
// (RFC 1035 §2.3.4).
bool is_valid_name(std::string_view name);
// The system's resolver knows it, DNS does not: single labels, .local (RFC 6762), localhost (RFC
// 6761), the hosts file.
bool is_system_name(std::string_view name, const HostsFileNames& hosts_file);

}  // namespace holdfast::location
