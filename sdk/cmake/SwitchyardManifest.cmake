# switchyard_manifest_header(manifest.json header.h): checks a manifest (schema: ABI.md, "The manifest") and writes
# it as C string literals. A wrong one stops the configuration with a sentence that names file, key and remedy.
# SWITCHYARD_ABI, such as 0.5, is set by whoever includes this.

cmake_policy(PUSH)
cmake_policy(VERSION 3.25)

function(switchyard_manifest_header manifest header)
  if(NOT EXISTS ${manifest})
    message(FATAL_ERROR "${manifest}: there is no such file")
  endif()
  file(READ ${manifest} json)
  string(JSON kind ERROR_VARIABLE problem TYPE "${json}")
  if(problem)
    message(FATAL_ERROR "${manifest}: not JSON: ${problem}")
  elseif(NOT kind STREQUAL "OBJECT")
    message(FATAL_ERROR "${manifest}: a manifest is one JSON object")
  endif()

  string(ASCII 1 first_control)
  string(ASCII 31 last_control)
  string(REPLACE "." "\\." abi_pattern ${SWITCHYARD_ABI})
  set(line "^[^${first_control}-${last_control}]*$")
  _switchyard_check_members("${json}" ""
    id STRING! "^[a-z][a-z0-9_-]*(\\.[a-z0-9_-]+)*$" "lower-case words joined by dots, such as com.example.echo"
    version STRING! "^[0-9]+\\.[0-9]+\\.[0-9]+(-[0-9A-Za-z.-]+)?$" "MAJOR.MINOR.PATCH, such as 1.0.0"
    abi STRING "^${abi_pattern}$" "${SWITCHYARD_ABI}, the ABI of this SDK, or left out"
    description STRING ${line} "one line of text"
    license STRING ${line} "one line of text"
    contact STRING ${line} "one line of text"
    exclusive BOOLEAN "" "true or false"
    state OBJECT "" "an object with version, reads and writes"
    protocols ARRAY "" "a list of protocols"
    provides ARRAY "" "a list of interfaces"
    requires ARRAY "" "a list of interfaces")
  string(JSON id GET "${json}" id)
  string(JSON version GET "${json}" version)

  set(macros "")
  set(names "")
  set(name_macros "")
  _switchyard_elements("${json}" protocols)
  foreach(at IN LISTS elements)
    string(JSON protocol GET "${json}" protocols ${at})
    _switchyard_check_members("${protocol}" "protocols[${at}]."
      name STRING! "^[a-z][a-z0-9_-]*(\\.[a-z0-9_-]+)*$" "lower-case words joined by dots, such as echo.stream"
      tag NUMBER "^([0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])$" "a number from 0 to 255"
      alpn STRING "^[!-~]+$" "an ALPN name: printable characters without blanks"
      mode STRING "^(stream|descriptor)$" "\"stream\" or \"descriptor\""
      listener_alpn STRING "^[!-~]+$" "an ALPN name: printable characters without blanks"
      trial OBJECT "" "an object with send and answer")
    string(JSON trial ERROR_VARIABLE none GET "${protocol}" trial)
    if(NOT none)
      set(hex "^([0-9a-f][0-9a-f])+$")
      _switchyard_check_members("${trial}" "protocols[${at}].trial."
        send STRING ${hex} "bytes in hex, two of 0-9a-f each"
        answer STRING! ${hex} "bytes in hex, two of 0-9a-f each")
    endif()
    string(JSON tag ERROR_VARIABLE none GET "${protocol}" tag)
    if(tag MATCHES "^(3|20|21|22|23)$")
      message(FATAL_ERROR "${manifest}: protocols[${at}].tag: ${tag} means TLS; take another than 3 and 20 to 23")
    endif()
    string(JSON name GET "${protocol}" name)
    if(name IN_LIST names)
      message(FATAL_ERROR "${manifest}: protocols[${at}].name: ${name} is taken by an earlier protocol")
    endif()
    list(APPEND names ${name})
    string(TOUPPER "${name}" macro)
    string(REGEX REPLACE "[^A-Z0-9]" "_" macro "${macro}")
    if(macro IN_LIST name_macros)
      message(FATAL_ERROR
        "${manifest}: protocols[${at}].name: ${name} and an earlier name both make SY_PROTOCOL_${macro}")
    endif()
    list(APPEND name_macros ${macro})
    string(APPEND macros "#define SY_PROTOCOL_${macro} ${at}u\n")
  endforeach()

  set(interface "^[a-z][a-z0-9_-]*(\\.[a-z0-9_-]+)*/[0-9]+$")
  set(interface_form "an interface id with its major, such as com.example.clock/1")
  _switchyard_elements("${json}" provides)
  foreach(at IN LISTS elements)
    string(JSON provided GET "${json}" provides ${at})
    _switchyard_check_members("${provided}" "provides[${at}]."
      interface STRING! ${interface} ${interface_form}
      minor NUMBER "^[0-9]+$" "a whole number"
      registrar BOOLEAN "" "true or false")
  endforeach()
  _switchyard_elements("${json}" requires)
  foreach(at IN LISTS elements)
    string(JSON required GET "${json}" requires ${at})
    _switchyard_check_members("${required}" "requires[${at}]."
      interface STRING! ${interface} ${interface_form}
      min_minor NUMBER "^[0-9]+$" "a whole number"
      optional BOOLEAN "" "true or false"
      on_swap STRING "^(rebind|restart|drain_first|pin)$" "\"rebind\", \"restart\", \"drain_first\" or \"pin\"")
  endforeach()
  string(JSON state ERROR_VARIABLE none GET "${json}" state)
  if(NOT none)
    _switchyard_check_members("${state}" "state."
      version NUMBER! "^[0-9]+$" "a whole number"
      reads ARRAY "" "a list of whole numbers"
      writes ARRAY "" "a list of whole numbers")
    string(JSON exclusive ERROR_VARIABLE none GET "${json}" exclusive)
    if(NOT exclusive STREQUAL "ON")
      message(FATAL_ERROR "${manifest}: state: only a plugin with exclusive = true hands one over")
    endif()
  endif()

  string(JSON json SET "${json}" abi "\"${SWITCHYARD_ABI}\"")
  _switchyard_canonical_json("${json}" text)
  string(LENGTH "${text}" length)
  if(length GREATER 65535)
    message(FATAL_ERROR "${manifest}: ${length} bytes; a manifest has at most 65535")
  endif()
  _switchyard_c_string("${text}" text)

  # C99 promises 4095 characters in a literal; every compiler that makes ELF takes more.
  file(CONFIGURE OUTPUT ${header} @ONLY CONTENT [=[/* Made from @manifest@ */
#pragma once

#pragma GCC diagnostic ignored "-Woverlength-strings"

#define SY_MANIFEST_ID "@id@"
#define SY_MANIFEST_VERSION "@version@"
#define SY_MANIFEST_JSON @text@

/* What serve() gets as `protocol`. */
@macros@]=])
endfunction()

# Checks the members of an object against rules of four words each: key, kind (with ! when it must be there),
# pattern of its value, and what it should have been. `manifest` is the caller's.
function(_switchyard_check_members json where)
  string(JSON kind ERROR_VARIABLE problem TYPE "${json}")
  if(problem OR NOT kind STREQUAL "OBJECT")
    string(REGEX REPLACE "\\.$" "" where "${where}")
    message(FATAL_ERROR "${manifest}: ${where}: must be an object")
  endif()
  set(rules "${ARGN}")
  set(known "")
  math(EXPR last "${ARGC} - 1")
  foreach(at RANGE 2 ${last} 4)
    math(EXPR kind_at "${at} + 1")
    math(EXPR pattern_at "${at} + 2")
    math(EXPR form_at "${at} + 3")
    set(key ${ARGV${at}})
    set(form "${ARGV${form_at}}")
    list(APPEND known ${key})
    string(REPLACE "!" "" wanted ${ARGV${kind_at}})
    string(JSON kind ERROR_VARIABLE none TYPE "${json}" ${key})
    if(none)
      if(ARGV${kind_at} MATCHES "!")
        message(FATAL_ERROR "${manifest}: ${where}${key} is missing: ${form}")
      endif()
      continue()
    endif()
    string(JSON value GET "${json}" ${key})
    if(NOT kind STREQUAL wanted OR (ARGV${pattern_at} AND NOT value MATCHES "${ARGV${pattern_at}}"))
      message(FATAL_ERROR "${manifest}: ${where}${key}: must be ${form}")
    endif()
    set(longest 64)
    if(key MATCHES "^(alpn|contact|description|license|listener_alpn)$")
      set(longest 255)
    elseif(key MATCHES "^(answer|send)$")
      set(longest 8192)
    endif()
    string(LENGTH "${value}" length)
    if(kind STREQUAL "STRING" AND length GREATER longest)
      message(FATAL_ERROR "${manifest}: ${where}${key}: longer than ${longest} bytes")
    endif()
  endforeach()

  string(JSON count LENGTH "${json}")
  if(count GREATER 0)
    math(EXPR last "${count} - 1")
    foreach(at RANGE ${last})
      string(JSON key MEMBER "${json}" ${at})
      if(NOT key IN_LIST known)
        list(JOIN known ", " known)
        message(FATAL_ERROR "${manifest}: ${where}${key}: no such key; known are ${known}")
      endif()
    endforeach()
  endif()
endfunction()

# Sets `elements` to 0;1;… for the array `key`, which may be missing.
function(_switchyard_elements json key)
  string(JSON count ERROR_VARIABLE none LENGTH "${json}" ${key})
  set(elements "" PARENT_SCOPE)
  if(NOT none AND count GREATER 0)
    math(EXPR last "${count} - 1")
    set(all "")
    foreach(at RANGE ${last})
      list(APPEND all ${at})
    endforeach()
    set(elements "${all}" PARENT_SCOPE)
  endif()
endfunction()

# Text without blanks, keys in byte order: the same bytes for the same manifest, however it was laid out.
function(_switchyard_canonical_json json result)
  string(JSON kind TYPE "${json}")
  string(JSON count LENGTH "${json}")
  set(text "")
  set(comma "")
  set(at 0)
  while(at LESS count)
    string(APPEND text "${comma}")
    set(comma ",")
    set(step ${at})
    if(kind STREQUAL "OBJECT")
      string(JSON step MEMBER "${json}" ${at})
      _switchyard_quote("${step}" quoted)
      string(APPEND text "${quoted}:")
    endif()
    string(JSON value_kind TYPE "${json}" "${step}")
    string(JSON value GET "${json}" "${step}")
    if(value_kind MATCHES "OBJECT|ARRAY")
      _switchyard_canonical_json("${value}" value)
    elseif(value_kind STREQUAL "STRING")
      _switchyard_quote("${value}" value)
    elseif(value_kind STREQUAL "BOOLEAN" AND value)
      set(value true)
    elseif(value_kind STREQUAL "BOOLEAN")
      set(value false)
    endif()
    string(APPEND text "${value}")
    math(EXPR at "${at} + 1")
  endwhile()
  if(kind STREQUAL "OBJECT")
    set(${result} "{${text}}" PARENT_SCOPE)
  else()
    set(${result} "[${text}]" PARENT_SCOPE)
  endif()
endfunction()

# As a JSON string. Nothing else needs escaping: the checks let no control character through.
function(_switchyard_quote text result)
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  set(${result} "\"${text}\"" PARENT_SCOPE)
endfunction()

# As a C string literal, without trigraphs.
function(_switchyard_c_string text result)
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  string(REPLACE "?" "\\?" text "${text}")
  set(${result} "\"${text}\"" PARENT_SCOPE)
endfunction()

cmake_policy(POP)
