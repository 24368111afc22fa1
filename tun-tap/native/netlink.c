/* One netlink conversation a call: the messages themselves are made and read in TypeScript. And ethtool's ioctl. */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "native.h"

enum { CHUNK = 64 * 1024, LARGEST_REPLY = 256 * 1024 * 1024 };

struct reply {
  uint8_t *bytes;
  size_t length, room;
};

static bool make_room(struct reply *reply) {
  if (reply->room - reply->length >= CHUNK) return true;
  size_t room = reply->room == 0 ? CHUNK : reply->room * 2;
  uint8_t *bytes = room > LARGEST_REPLY ? NULL : realloc(reply->bytes, room);
  if (bytes == NULL) {
    errno = ENOMEM;
    return false;
  }
  reply->bytes = bytes;
  reply->room = room;
  return true;
}

/* True when the messages from `at` on hold the end of the conversation: an acknowledgement, an error, or DONE. */
static bool ends(const struct reply *reply, size_t at) {
  while (reply->length - at >= sizeof(struct nlmsghdr)) {
    struct nlmsghdr header;
    memcpy(&header, reply->bytes + at, sizeof(header));
    if (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_type == NLMSG_DONE) return true;
    size_t step = NLMSG_ALIGN((size_t)header.nlmsg_len);
    if (header.nlmsg_len < sizeof(header) || step > reply->length - at) return false;
    at += step;
  }
  return false;
}

static bool converse(const void *request, size_t length, struct reply *reply, const char **step) {
  *step = "socket AF_NETLINK";
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return false;
  int on = 1, error = 0;
  struct timeval patience = {.tv_sec = 10};
  setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on)); /* a sentence beside errno, where the kernel has one */
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  *step = "send to netlink";
  if (sendto(fd, request, length, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0) error = errno;
  while (error == 0) {
    *step = "receive from netlink";
    ssize_t got = -1;
    if (make_room(reply)) got = recv(fd, reply->bytes + reply->length, CHUNK, MSG_TRUNC);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) error = errno;
    if (got > CHUNK) error = EMSGSIZE;
    if (error != 0) break;
    size_t at = reply->length;
    reply->length += (size_t)got;
    if (ends(reply, at)) break;
  }
  close(fd);
  errno = error;
  return error == 0;
}

/* netlink(namespace, request): ArrayBuffer of all replies up to the acknowledgement, the error or DONE */
static napi_value netlink(napi_env env, napi_callback_info info) {
  napi_value values[2], buffer, result;
  napi_typedarray_type type;
  void *request, *copy;
  size_t length, offset;
  int home;
  if (!read_arguments(env, info, 2, values)) return NULL;
  if (napi_get_typedarray_info(env, values[1], &type, &length, &request, &buffer, &offset) != napi_ok ||
      type != napi_uint8_array || length < sizeof(struct nlmsghdr)) {
    napi_throw_type_error(env, NULL, "expected a netlink message as Uint8Array");
    return NULL;
  }
  if (!enter_namespace(env, values[0], &home)) return NULL;
  struct reply reply = {0};
  const char *step;
  bool done = converse(request, length, &reply, &step);
  leave_namespace(home);
  if (!done)
    throw_errno(env, step, errno);
  else if (napi_create_arraybuffer(env, reply.length, &copy, &result) == napi_ok)
    memcpy(copy, reply.bytes, reply.length);
  free(reply.bytes);
  return done ? result : NULL;
}

/* ethtoolSet(namespace, device, command, value): one of ethtool's commands that carry a single number */
static napi_value ethtool_set(napi_env env, napi_callback_info info) {
  napi_value values[4];
  struct ifreq ifr;
  struct ethtool_value setting;
  int home;
  memset(&ifr, 0, sizeof(ifr));
  if (!read_arguments(env, info, 4, values) || !read_text(env, values[1], ifr.ifr_name, sizeof(ifr.ifr_name)) ||
      !read_uint(env, values[2], &setting.cmd) || !read_uint(env, values[3], &setting.data) ||
      !enter_namespace(env, values[0], &home))
    return NULL;
  ifr.ifr_data = (char *)&setting;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  int error = fd < 0 || ioctl(fd, SIOCETHTOOL, &ifr) < 0 ? errno : 0;
  if (fd >= 0) close(fd);
  leave_namespace(home);
  if (error != 0) return throw_errno(env, "SIOCETHTOOL", error);
  return nothing(env);
}

const struct function netlink_functions[] = {
    {"netlink", netlink},
    {"ethtoolSet", ethtool_set},
    {NULL, NULL},
};
