/** What was being done when the kernel said no. */
export interface Attempt {
  /** In words, for the message: `open TAP`, `create veth`. The device and the namespace follow it. */
  readonly operation: string;
  readonly device?: string | undefined;
  /** As the caller named it. */
  readonly namespace?: string | number | undefined;
}

/** A refusal by the kernel: what was tried, on what, where, the errno, and what to do about it where that is known. */
export class NetworkError extends Error {
  /** `EPERM`, `EEXIST`, ... */
  readonly code: string;
  /** Positive, as errno.h has it. */
  readonly errno: number;
  /** The system call, ioctl, option or netlink message that failed. */
  readonly syscall: string;
  readonly operation: string;
  readonly device: string | undefined;
  readonly namespace: string | number | undefined;

  constructor(attempt: Attempt, failure: SystemFailure, remark = '') {
    const device = attempt.device === undefined ? '' : ` ${attempt.device}`;
    const place = attempt.namespace === undefined ? '' : ` in namespace ${attempt.namespace}`;
    const advice = hint(failure.syscall, failure.code);
    super(
      `${attempt.operation}${device}${place}: ${failure.message}` +
        (remark === '' ? '' : `: ${remark}`) +
        (advice === '' ? '' : `. ${advice}`),
      { cause: failure },
    );
    this.name = 'NetworkError';
    this.code = failure.code;
    this.errno = Math.abs(failure.errno);
    this.syscall = failure.syscall;
    this.operation = attempt.operation;
    this.device = attempt.device;
    this.namespace = attempt.namespace;
  }
}

export interface SystemFailure {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  readonly message: string;
}

/** Runs native code; what it throws for an errno becomes a NetworkError that says what was attempted. */
export function attempting<T>(attempt: Attempt, run: () => T): T {
  try {
    return run();
  } catch (failure) {
    if (isSystemFailure(failure)) throw new NetworkError(attempt, failure);
    throw failure;
  }
}

function isSystemFailure(value: unknown): value is SystemFailure {
  return value instanceof Error && !(value instanceof NetworkError) && 'syscall' in value && 'errno' in value;
}

const NO_TUN =
  'The node is missing: mkdir -p /dev/net && mknod /dev/net/tun c 10 200 (in a container: docker run --device /dev/net/tun)';

/** What an administrator can do about it; empty where the errno says enough. */
export function hint(syscall: string, code: string): string {
  const denied = code === 'EPERM' || code === 'EACCES';
  switch (syscall) {
    case 'open /dev/net/tun':
      if (code === 'ENOENT') return NO_TUN;
      if (code === 'ENODEV' || code === 'ENXIO') return 'The kernel has no TUN/TAP driver: modprobe tun';
      if (denied) return 'Not allowed to open it (in a container: docker run --device /dev/net/tun)';
      return '';
    case 'TUNSETIFF':
      if (denied) return 'Needs CAP_NET_ADMIN in that namespace, or a device made for this user (owner, persist)';
      if (code === 'EBUSY') return 'Another descriptor holds the device: close it, or open all of them with multiQueue';
      if (code === 'EINVAL')
        return 'A device of that name exists with another mode or other flags, or the name is not one';
      return '';
    case 'TUNSETOFFLOAD':
      return code === 'EINVAL' ? 'This kernel does not know one of the offloads (USO needs Linux 6.2)' : '';
    case 'socket AF_PACKET':
      return denied ? 'Needs CAP_NET_RAW' : '';
    case 'if_nametoindex':
      return code === 'ENODEV' ? 'No device of that name is there' : '';
    case 'open namespace':
      return code === 'ENOENT'
        ? 'No such namespace'
        : denied
          ? 'Needs CAP_SYS_PTRACE for the namespace of another process'
          : '';
    case 'setns':
      if (code === 'EINVAL') return 'Not a network namespace';
      return denied ? 'Needs CAP_SYS_ADMIN' : '';
    case 'pidfd_getfd':
      return denied ? 'Needs CAP_SYS_PTRACE' : '';
    case 'unshare':
    case 'mount':
    case 'bind mount':
    case 'umount':
      return denied ? 'Needs CAP_SYS_ADMIN' : '';
    default:
      if (code === 'EROFS') return 'Mounted read-only (a container: write it from outside, or start with --sysctl)';
      return denied ? 'Needs CAP_NET_ADMIN' : '';
  }
}
