/* TUN and TAP devices: opening, offload flags, reading and writing in batches. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "native.h"

enum { VNET_HEADER = 10 };

struct request {
  char name[IFNAMSIZ];
  uint32_t flags;   /* IFF_TUN or IFF_TAP and the rest; IFF_NO_PI is always added */
  uint32_t offload; /* TUN_F_*, 0 for none */
  int32_t owner;    /* uid, or -1 */
  bool persist;
};

/* Returns the descriptor; or -1 with errno set and the step that failed. */
static int open_device(struct request *request, const char **step) {
  *step = "open /dev/net/tun";
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return -1;

  struct ifreq ifr;
  memset(&ifr, 0, sizeof(ifr));
  memcpy(ifr.ifr_name, request->name, IFNAMSIZ);
  ifr.ifr_flags = (short)(request->flags | IFF_NO_PI);
  *step = "TUNSETIFF";
  if (ioctl(fd, TUNSETIFF, &ifr) < 0) goto fail;
  memcpy(request->name, ifr.ifr_name, IFNAMSIZ);
  request->name[IFNAMSIZ - 1] = '\0';

  if (request->flags & IFF_VNET_HDR) {
    int size = VNET_HEADER, little_endian = 1;
    *step = "TUNSETVNETHDRSZ";
    if (ioctl(fd, TUNSETVNETHDRSZ, &size) < 0) goto fail;
    *step = "TUNSETVNETLE";
    if (ioctl(fd, TUNSETVNETLE, &little_endian) < 0) goto fail;
  }
  *step = "TUNSETOFFLOAD";
  if (request->flags & IFF_VNET_HDR && ioctl(fd, TUNSETOFFLOAD, (unsigned long)request->offload) < 0) goto fail;
  *step = "TUNSETOWNER";
  if (request->owner >= 0 && ioctl(fd, TUNSETOWNER, (unsigned long)request->owner) < 0) goto fail;
  *step = "TUNSETPERSIST";
  if (request->persist && ioctl(fd, TUNSETPERSIST, 1UL) < 0) goto fail;
  return fd;

fail:;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

/* tunOpen(namespace, name, flags, offload, owner, persist): {fd, name} */
static napi_value tun_open(napi_env env, napi_callback_info info) {
  napi_value values[6];
  struct request request;
  memset(&request, 0, sizeof(request));
  int home;
  if (!read_arguments(env, info, 6, values) || !read_text(env, values[1], request.name, sizeof(request.name)) ||
      !read_uint(env, values[2], &request.flags) || !read_uint(env, values[3], &request.offload) ||
      !read_int(env, values[4], &request.owner) || !read_bool(env, values[5], &request.persist) ||
      !enter_namespace(env, values[0], &home))
    return NULL;
  const char *step;
  int fd = open_device(&request, &step);
  leave_namespace(home);
  if (fd < 0) return throw_errno(env, step, errno);

  napi_value result, name;
  napi_create_object(env, &result);
  napi_create_string_utf8(env, request.name, NAPI_AUTO_LENGTH, &name);
  napi_set_named_property(env, result, "fd", from_int(env, fd));
  napi_set_named_property(env, result, "name", name);
  return result;
}

/* tunSetOffload(fd, flags) */
static napi_value tun_set_offload(napi_env env, napi_callback_info info) {
  napi_value values[2];
  int32_t fd;
  uint32_t flags;
  if (!read_arguments(env, info, 2, values) || !read_int(env, values[0], &fd) || !read_uint(env, values[1], &flags))
    return NULL;
  if (ioctl(fd, TUNSETOFFLOAD, (unsigned long)flags) < 0) return throw_errno(env, "TUNSETOFFLOAD", errno);
  return nothing(env);
}

/* tunRead(fd, buffer, slots, slotSize): frames read. The device cuts a long frame silently; one spare byte tells. */
static napi_value tun_read(napi_env env, napi_callback_info info) {
  napi_value values[4];
  int32_t fd;
  struct batch batch;
  if (!read_arguments(env, info, 4, values) || !read_int(env, values[0], &fd) || !read_batch(env, values + 1, &batch))
    return NULL;
  uint32_t count = 0;
  uint8_t spare;
  for (uint32_t reads = 0; count < batch.slots && reads < 2 * batch.slots; reads++) {
    struct iovec parts[2] = {{slot(&batch, count), batch.slot_size}, {&spare, 1}};
    ssize_t length = readv(fd, parts, 2);
    if (length < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || count > 0) break;
      return throw_errno(env, "read", errno);
    }
    if ((size_t)length > batch.slot_size) {
      *batch.oversized += 1;
      continue;
    }
    batch.lengths[count++] = (uint32_t)length;
  }
  return from_int(env, count);
}

/* tunWrite(fd, buffer, slots, slotSize, first, count): frames taken or refused for good; the rest may be tried again. */
static napi_value tun_write(napi_env env, napi_callback_info info) {
  napi_value values[6];
  int32_t fd;
  struct batch batch;
  uint32_t first, end;
  if (!read_arguments(env, info, 6, values) || !read_int(env, values[0], &fd) || !read_batch(env, values + 1, &batch) ||
      !read_range(env, values + 4, &batch, &first, &end))
    return NULL;
  uint32_t at = first;
  while (at < end) {
    if (write(fd, slot(&batch, at), batch.lengths[at]) < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) break;
      if (errno == EBADFD || errno == EBADF) {
        if (at > first) break;
        return throw_errno(env, "write", errno);
      }
      *batch.refused += 1;
      *batch.last_refusal = (uint32_t)errno;
    }
    at++;
  }
  return from_int(env, at - first);
}

/* tunIsUp(fd): is the device up? Told by writability, which follows it into whatever namespace it is moved to. */
static napi_value tun_is_up(napi_env env, napi_callback_info info) {
  napi_value values[1];
  int32_t fd;
  if (!read_arguments(env, info, 1, values) || !read_int(env, values[0], &fd)) return NULL;
  struct pollfd poller = {.fd = fd, .events = POLLOUT};
  bool up = poll(&poller, 1, 0) == 1 && (poller.revents & POLLOUT) != 0;
  napi_value result;
  napi_get_boolean(env, up, &result);
  return result;
}

/* closeDescriptor(fd) */
static napi_value close_descriptor(napi_env env, napi_callback_info info) {
  napi_value values[1];
  int32_t fd;
  if (!read_arguments(env, info, 1, values) || !read_int(env, values[0], &fd)) return NULL;
  close(fd);
  return nothing(env);
}

/* takeDescriptor(pid, descriptor): a descriptor here for what another process has open there. */
static napi_value take_descriptor(napi_env env, napi_callback_info info) {
  napi_value values[2];
  int32_t pid, theirs;
  if (!read_arguments(env, info, 2, values) || !read_int(env, values[0], &pid) || !read_int(env, values[1], &theirs))
    return NULL;
  int process = syscall(SYS_pidfd_open, pid, 0);
  if (process < 0) return throw_errno(env, "pidfd_open", errno);
  int ours = syscall(SYS_pidfd_getfd, process, theirs, 0);
  int error = errno;
  close(process);
  if (ours < 0) return throw_errno(env, "pidfd_getfd", error);
  return from_int(env, ours);
}

const struct function tuntap_functions[] = {
    {"takeDescriptor", take_descriptor},
    {"tunOpen", tun_open},
    {"tunSetOffload", tun_set_offload},
    {"tunRead", tun_read},
    {"tunWrite", tun_write},
    {"tunIsUp", tun_is_up},
    {"closeDescriptor", close_descriptor},
    {NULL, NULL},
};
