/* One ArrayBuffer holds a batch: counters, one array a column, then the slots. frame-batch.ts lays it out the same way. */
#include "native.h"

enum { COUNTERS = 16, ALIGNMENT = 64, MOST_SLOTS = 65536, LARGEST_SLOT = 1 << 20 };

bool read_batch(napi_env env, const napi_value *values, struct batch *batch) {
  void *data;
  size_t size;
  bool is_buffer;
  if (napi_is_arraybuffer(env, values[0], &is_buffer) != napi_ok || !is_buffer ||
      napi_get_arraybuffer_info(env, values[0], &data, &size) != napi_ok) {
    napi_throw_type_error(env, NULL, "expected the ArrayBuffer of a FrameBatch");
    return false;
  }
  if (!read_uint(env, values[1], &batch->slots) || !read_uint(env, values[2], &batch->slot_size)) return false;
  if (batch->slots == 0 || batch->slots > MOST_SLOTS || batch->slot_size == 0 || batch->slot_size > LARGEST_SLOT) {
    throw_range(env, "a batch has 1 to 65536 slots of 1 to 1048576 bytes");
    return false;
  }
  size_t slots = batch->slots;
  size_t columns = COUNTERS + slots * (8 + 4 + 4 + 1);
  size_t header = (columns + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  if (data == NULL || size < header + slots * batch->slot_size) {
    throw_range(env, "the buffer is smaller than its slots");
    return false;
  }
  uint8_t *at = data;
  batch->oversized = (uint32_t *)at;
  batch->refused = (uint32_t *)at + 1;
  batch->last_refusal = (uint32_t *)at + 2;
  batch->timestamps = (int64_t *)(at + COUNTERS);
  batch->lengths = (uint32_t *)(batch->timestamps + slots);
  batch->wire_lengths = batch->lengths + slots;
  batch->kinds = (uint8_t *)(batch->wire_lengths + slots);
  batch->frames = at + header;
  return true;
}

bool read_range(napi_env env, const napi_value *values, const struct batch *batch, uint32_t *first, uint32_t *end) {
  uint32_t count;
  if (!read_uint(env, values[0], first) || !read_uint(env, values[1], &count)) return false;
  if (*first > batch->slots || count > batch->slots - *first) {
    throw_range(env, "first + count lies beyond the last slot");
    return false;
  }
  *end = *first + count;
  for (uint32_t i = *first; i < *end; i++) {
    if (batch->lengths[i] <= batch->slot_size) continue;
    throw_range(env, "a frame's length is larger than its slot");
    return false;
  }
  return true;
}
