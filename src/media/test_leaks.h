// What AddressSanitizer's leak check is told about GLib and GStreamer in a program of tests
// (included once in each). Each line is
// one allocation of theirs that lives as long as the process, and why. Their own stacks are whole
// only without the fast unwinder: Debian builds them without frame pointers.
#pragma once

// The sanitizer's own names, and defined here because each program of tests includes this once:
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming,misc-definitions-in-headers)
extern "C" const char* __asan_default_options();
extern "C" const char* __lsan_default_suppressions();

extern "C" const char* __asan_default_options() { return "fast_unwind_on_malloc=0"; }

extern "C" const char* __lsan_default_suppressions() {
    return
        // GLib's first table of quarks, made as the library is loaded; a bigger one takes its
        // place, and it stays, since others may read it without a lock.
        "leak:call_init\n"
        "leak:g_quark_from\n"
        "leak:g_intern\n"
        // The context with which GStreamer's plug-in asks PulseAudio for its devices, where no
        // server answers.
        "leak:gst_device_provider_get_devices\n";
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming,misc-definitions-in-headers)
