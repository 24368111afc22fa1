#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "native.h"

bool read_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values) {
  size_t given = count;
  if (napi_get_cb_info(env, info, &given, values, NULL, NULL) == napi_ok && given >= count) return true;
  napi_throw_type_error(env, NULL, "too few arguments");
  return false;
}

bool read_int(napi_env env, napi_value value, int32_t *out) {
  double number;
  if (napi_get_value_double(env, value, &number) == napi_ok && number >= INT32_MIN && number <= INT32_MAX &&
      number == (double)(int32_t)number) {
    *out = (int32_t)number;
    return true;
  }
  napi_throw_type_error(env, NULL, "expected an integer of 32 bits");
  return false;
}

bool read_uint(napi_env env, napi_value value, uint32_t *out) {
  double number;
  if (napi_get_value_double(env, value, &number) == napi_ok && number >= 0 && number <= UINT32_MAX &&
      number == (double)(uint32_t)number) {
    *out = (uint32_t)number;
    return true;
  }
  napi_throw_type_error(env, NULL, "expected an unsigned integer of 32 bits");
  return false;
}

bool read_bool(napi_env env, napi_value value, bool *out) {
  if (napi_get_value_bool(env, value, out) == napi_ok) return true;
  napi_throw_type_error(env, NULL, "expected a boolean");
  return false;
}

bool read_text(napi_env env, napi_value value, char *out, size_t size) {
  size_t length;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) {
    napi_throw_type_error(env, NULL, "expected a string");
    return false;
  }
  if (length >= size) {
    napi_throw_range_error(env, NULL, "string too long");
    return false;
  }
  napi_get_value_string_utf8(env, value, out, size, &length);
  if (strlen(out) == length) return true;
  napi_throw_range_error(env, NULL, "string holds a zero byte");
  return false;
}

napi_value from_int(napi_env env, int64_t number) {
  napi_value value = NULL;
  napi_create_int64(env, number, &value);
  return value;
}

napi_value nothing(napi_env env) {
  napi_value value = NULL;
  napi_get_undefined(env, &value);
  return value;
}

static void set_text(napi_env env, napi_value object, const char *name, const char *text) {
  napi_value value;
  if (napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value) == napi_ok)
    napi_set_named_property(env, object, name, value);
}

napi_value throw_errno(napi_env env, const char *operation, int error) {
  const char *code = strerrorname_np(error);
  const char *description = strerrordesc_np(error);
  char message[512];
  snprintf(message, sizeof(message), "%s: %s (%s)", operation, description ? description : "unknown error",
           code ? code : "?");
  napi_value text, thrown;
  if (napi_create_string_utf8(env, message, NAPI_AUTO_LENGTH, &text) != napi_ok ||
      napi_create_error(env, NULL, text, &thrown) != napi_ok)
    return NULL;
  set_text(env, thrown, "code", code ? code : "UNKNOWN");
  set_text(env, thrown, "syscall", operation);
  napi_set_named_property(env, thrown, "errno", from_int(env, error));
  napi_throw(env, thrown);
  return NULL;
}

napi_value throw_range(napi_env env, const char *message) {
  napi_throw_range_error(env, NULL, message);
  return NULL;
}
