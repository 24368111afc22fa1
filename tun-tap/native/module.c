#include <unistd.h>

#include "native.h"

static bool add_functions(napi_env env, napi_value exports, const struct function *functions) {
  for (; functions->name != NULL; functions++) {
    napi_value function;
    if (napi_create_function(env, functions->name, NAPI_AUTO_LENGTH, functions->call, NULL, &function) != napi_ok ||
        napi_set_named_property(env, exports, functions->name, function) != napi_ok)
      return false;
  }
  return true;
}

NAPI_MODULE_INIT() {
  const struct function *parts[] = {tuntap_functions, packet_functions, watch_functions, namespace_functions,
                                    netlink_functions};
  for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
    if (!add_functions(env, exports, parts[i])) return NULL;
  return exports;
}
