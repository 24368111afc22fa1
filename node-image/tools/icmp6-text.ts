/** What ICMPv6 errors mean, in ping6's words. KAME: pr_icmph. */
import { Type } from '#stack/wire/icmp6.ts';

const UNREACHABLE = [
  'No Route to Destination',
  'Destination Administratively Unreachable',
  'Destination Unreachable Beyond Scope',
  'Destination Host Unreachable',
  'Destination Port Unreachable',
  'Source Address Failed Policy',
  'Reject Route to Destination',
];
const TIME_EXCEEDED = ['Time to live exceeded', 'Frag reassembly time exceeded'];
const PARAMETER_PROBLEM = ['Erroneous Header', 'Unknown Nextheader', 'Unrecognized Option', 'Incomplete Header Chain'];

export function icmp6ErrorText(type: number, code: number, parameter: number): string {
  switch (type) {
    case Type.unreachable:
      return UNREACHABLE[code] ?? `Destination Unreachable, Bad Code: ${code}`;
    case Type.packetTooBig:
      return `Packet too big mtu = ${parameter}`;
    case Type.timeExceeded:
      return TIME_EXCEEDED[code] ?? `Time exceeded, Bad Code: ${code}`;
    case Type.parameterProblem:
      return `Parameter problem: ${PARAMETER_PROBLEM[code] ?? `Bad Code(${code})`} at offset 0x${parameter.toString(16).padStart(2, '0')}`;
    default:
      return `Bad ICMP type: ${type}`;
  }
}
