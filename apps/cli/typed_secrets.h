// Digits that a person types on a command line, behind a pause ("*97,,1234#") or to be pressed in a
// call, may be a PIN, and the list of processes shows every user what was typed. So they are
// overwritten there, before anything else is done.
#pragma once

#include <span>

namespace holdfast::cli {

// arguments: those of main(), the command's name first, each of them overwritten in place, with as
// many letters x, commas stay. For call, answer, phone and ctl: what may be a PIN
// (phone::secret_at; of a URI behind its user), --dtmf's value, and the digits of `ctl dtmf`.
void hide_typed_digits(std::span<char* const> arguments);

}  // namespace holdfast::cli
