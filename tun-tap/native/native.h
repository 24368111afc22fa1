/* What the files of the addon share: argument checks, errors, the batch layout, visits to a network namespace. */
#ifndef TUN_TAP_NATIVE_H
#define TUN_TAP_NATIVE_H

#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>

/* ---- arguments.c: every reader returns false with a JavaScript exception pending. ---- */

bool read_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values);
bool read_int(napi_env env, napi_value value, int32_t *out);
bool read_uint(napi_env env, napi_value value, uint32_t *out);
bool read_bool(napi_env env, napi_value value, bool *out);
bool read_text(napi_env env, napi_value value, char *out, size_t size);

napi_value from_int(napi_env env, int64_t number);
napi_value nothing(napi_env env);

/* Throws an Error with code ("EPERM"), errno and syscall; returns NULL, so that a caller can return it. */
napi_value throw_errno(napi_env env, const char *operation, int error);
napi_value throw_range(napi_env env, const char *message);

/* ---- batch.c: the C view of frame-batch.ts. ---- */

struct batch {
  uint32_t *oversized;    /* frames longer than a slot, dropped by a read */
  uint32_t *refused;      /* frames the kernel would not take, passed over by a write */
  uint32_t *last_refusal; /* errno of the last of those */
  int64_t *timestamps;
  uint32_t *lengths;
  uint32_t *wire_lengths;
  uint8_t *kinds;
  uint8_t *frames;
  uint32_t slots;
  uint32_t slot_size;
};

/* values: the ArrayBuffer, slots, slotSize. Valid until control returns to JavaScript. */
bool read_batch(napi_env env, const napi_value *values, struct batch *batch);
/* values: first, count. */
bool read_range(napi_env env, const napi_value *values, const struct batch *batch, uint32_t *first, uint32_t *end);

static inline uint8_t *slot(const struct batch *batch, uint32_t index) {
  return batch->frames + (size_t)index * batch->slot_size;
}

/* ---- namespace.c ---- */

/* Moves the calling thread; value is a path, an open descriptor, or undefined to stay. *home is what leave_namespace needs. */
bool enter_namespace(napi_env env, napi_value value, int *home);
/* Keeps errno. Ends the process when the way back is barred: a thread left in a wrong namespace would do worse. */
void leave_namespace(int home);

/* ---- what each file adds to the module ---- */

struct function {
  const char *name;
  napi_callback call;
};

extern const struct function tuntap_functions[];
extern const struct function packet_functions[];
extern const struct function watch_functions[];
extern const struct function namespace_functions[];
extern const struct function netlink_functions[];

#endif
