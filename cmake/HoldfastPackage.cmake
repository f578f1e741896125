# What is installed beside the library, and the Debian packages that CPack makes of it (make package): holdfast (the
# components command and command_debian), holdfast-calls (calls, calls_debian), and libholdfast-dev (development,
# development_debian). What ends in _debian is Debian's alone; make install leaves it out.
include(CPackComponent)

set(made "${CMAKE_BINARY_DIR}/packaging")
set(packaging "${CMAKE_SOURCE_DIR}/packaging")
file(MAKE_DIRECTORY "${made}")

find_program(HOLDFAST_GZIP gzip REQUIRED)
function(_holdfast_compressed source name)
  # -n: neither the time nor the name is kept, so that the same source gives the same bytes.
  add_custom_command(OUTPUT "${made}/${name}" DEPENDS "${source}" VERBATIM
    COMMAND sh -c "\"$1\" -9nc \"$2\" >\"$3\"" gzip "${HOLDFAST_GZIP}" "${source}" "${made}/${name}")
endfunction()
_holdfast_compressed("${packaging}/man/holdfast.1" holdfast.1.gz)
_holdfast_compressed("${packaging}/man/holdfast.toml.5" holdfast.toml.5.gz)
_holdfast_compressed("${packaging}/debian/changelog" changelog.Debian.gz)
_holdfast_compressed("${CMAKE_SOURCE_DIR}/CHANGELOG.md" changelog.gz)

# The completions are printed by a program that knows the tables of commands and options (apps/cli/completion.h).
set(completions "${made}/holdfast.bash" "${made}/_holdfast" "${made}/holdfast.fish")
if(TARGET holdfast_completions)
  add_custom_command(OUTPUT ${completions} DEPENDS holdfast_completions VERBATIM
    COMMAND holdfast_completions "${made}")
endif()

# Everything that an installation needs; the tests alone are not in it.
add_custom_target(installed DEPENDS
  holdfast holdfast-media holdfast_all ${completions} "${made}/holdfast.1.gz" "${made}/holdfast.toml.5.gz"
  "${made}/changelog.Debian.gz" "${made}/changelog.gz")

install(FILES "${made}/holdfast.1.gz" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1" COMPONENT command)
install(FILES "${made}/holdfast.toml.5.gz" DESTINATION "${CMAKE_INSTALL_MANDIR}/man5" COMPONENT command)
install(FILES "${made}/holdfast.bash" RENAME holdfast
  DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" COMPONENT command)
install(FILES "${made}/holdfast.fish" DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d" COMPONENT command)
# What `holdfast lab list` lists.
install(DIRECTORY "${CMAKE_SOURCE_DIR}/scenarios" DESTINATION "${CMAKE_INSTALL_DATADIR}/holdfast"
  COMPONENT command FILES_MATCHING PATTERN "*.toml")
install(FILES "${packaging}/systemd/holdfast.sysusers" RENAME holdfast.conf
  DESTINATION lib/sysusers.d COMPONENT command)

# Where this depends on the prefix that the installation is given.
install(CODE "
  set(zsh site-functions)
  if(CMAKE_INSTALL_PREFIX STREQUAL \"/usr\")
    set(zsh vendor-completions)
  endif()
  file(INSTALL \"${made}/_holdfast\" DESTINATION \"\${CMAKE_INSTALL_PREFIX}/share/zsh/\${zsh}\")
  foreach(unit \"system;holdfast@.service\" \"system;holdfast.service\" \"user;user/holdfast@.service\")
    list(GET unit 0 manager)
    list(GET unit 1 source)
    cmake_path(GET source FILENAME name)
    file(READ \"${packaging}/systemd/\${source}\" text)
    string(REPLACE \"ExecStart=/usr/\" \"ExecStart=\${CMAKE_INSTALL_PREFIX}/\" text \"\${text}\")
    file(WRITE \"${made}/\${manager}/\${name}\" \"\${text}\")
    file(INSTALL \"${made}/\${manager}/\${name}\" DESTINATION \"\${CMAKE_INSTALL_PREFIX}/lib/systemd/\${manager}\")
  endforeach()" COMPONENT command)
# --strip knows programs only.
install(CODE "
  if(CMAKE_INSTALL_DO_STRIP)
    execute_process(COMMAND \"${CMAKE_STRIP}\" --strip-debug --remove-section=.comment --enable-deterministic-archives
      \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/libholdfast.a\" COMMAND_ERROR_IS_FATAL ANY)
  endif()" COMPONENT development)

foreach(pair "command;holdfast" "calls;holdfast-calls" "development;libholdfast-dev")
  list(GET pair 0 component)
  list(GET pair 1 package)
  set(component "${component}_debian")
  set(doc "share/doc/${package}")
  install(FILES "${made}/changelog.Debian.gz" "${made}/changelog.gz" "${packaging}/debian/copyright"
    DESTINATION "${doc}" COMPONENT ${component} EXCLUDE_FROM_ALL)
  install(FILES "${packaging}/debian/${package}.lintian-overrides" RENAME "${package}"
    DESTINATION share/lintian/overrides COMPONENT ${component} EXCLUDE_FROM_ALL)
endforeach()
# Where the accounts' configuration goes; each file is the administrator's own.
install(DIRECTORY DESTINATION /etc/holdfast COMPONENT command_debian EXCLUDE_FROM_ALL
  DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
# All pages: the program's own words send a reader to some, and those to others (tools/check-links).
install(DIRECTORY "${CMAKE_SOURCE_DIR}/docs" DESTINATION share/doc/holdfast
  COMPONENT command_debian EXCLUDE_FROM_ALL FILES_MATCHING PATTERN "*.md")
install(FILES "${packaging}/grafana/holdfast.json" RENAME grafana-dashboard.json
  DESTINATION share/doc/holdfast/examples COMPONENT command_debian EXCLUDE_FROM_ALL)
install(FILES "${CMAKE_SOURCE_DIR}/docs/embedding.md" DESTINATION share/doc/libholdfast-dev
  COMPONENT development_debian EXCLUDE_FROM_ALL)
install(DIRECTORY "${CMAKE_SOURCE_DIR}/examples" DESTINATION share/doc/libholdfast-dev
  COMPONENT development_debian EXCLUDE_FROM_ALL)

file(STRINGS "${packaging}/debian/changelog" newest LIMIT_COUNT 1)
if(NOT newest MATCHES "^holdfast \\(${PROJECT_VERSION}-([0-9]+)\\)")
  message(FATAL_ERROR "packaging/debian/changelog begins with `${newest}` and not with holdfast (${PROJECT_VERSION}-N)")
endif()
set(CPACK_DEBIAN_PACKAGE_RELEASE "${CMAKE_MATCH_1}")
set(full_version "${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_ALL command command_debian calls calls_debian development development_debian)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # it would stand above those of the packages
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "Holdfast developers <holdfast@holdfast.invalid>")
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME holdfast)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION comm)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers | systemd-sysusers")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS "ca-certificates")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SUGGESTS "holdfast-calls, curl, prometheus")  # calls; webhooks; metrics
set(CPACK_DEBIAN_PROGRAM_PACKAGE_CONTROL_EXTRA
  "${packaging}/debian/postinst;${packaging}/debian/prerm;${packaging}/debian/postrm")
set(CPACK_DEBIAN_PROGRAM_DESCRIPTION "SIP user agent that stays registered
Registers an account with the servers of its domain and keeps it reachable:
it leaves a dead server within seconds, over UDP as over TCP and TLS, follows
DNS that rotates and NATs that give each server another port, and says what it
does and why.")

set(CPACK_DEBIAN_CALLS_GROUP_PACKAGE_NAME holdfast-calls)
set(CPACK_DEBIAN_CALLS_GROUP_PACKAGE_SECTION comm)
set(CPACK_DEBIAN_CALLS_GROUP_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_CALLS_GROUP_PACKAGE_DEPENDS
  "holdfast (= ${full_version}), gstreamer1.0-plugins-base, gstreamer1.0-plugins-good")
set(CPACK_DEBIAN_CALLS_GROUP_PACKAGE_RECOMMENDS "gstreamer1.0-plugins-bad, gstreamer1.0-libav")  # SRTP, GSM, digits in the sound; G.722
set(CPACK_DEBIAN_CALLS_GROUP_PACKAGE_SUGGESTS "gstreamer1.0-alsa, gstreamer1.0-pipewire")  # their devices
set(CPACK_DEBIAN_CALLS_GROUP_DESCRIPTION "SIP user agent that stays registered: sound of calls
What the command holdfast loads when it makes or takes the first call: codecs,
sound devices and RTP, on GStreamer.")

set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libholdfast-dev)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_DEPENDS "libssl-dev (>= 3.0), libsqlite3-dev, libc-ares-dev")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SUGGESTS "holdfast (= ${full_version})")
set(CPACK_DEBIAN_LIBRARY_DESCRIPTION "SIP user agent that stays registered: library for C++
The engine of Holdfast, which does no I/O of its own, and the runtime that
drives it, as a static library with headers, a CMake package and a pkg-config
file; with three examples.")

include(CPack)
cpack_add_component_group(program)
cpack_add_component_group(calls_group)
cpack_add_component_group(library)
cpack_add_component(command GROUP program)
cpack_add_component(command_debian GROUP program)
cpack_add_component(calls GROUP calls_group)
cpack_add_component(calls_debian GROUP calls_group)
cpack_add_component(development GROUP library)
cpack_add_component(development_debian GROUP library)
