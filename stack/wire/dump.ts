/**
 * A frame as the text that tcpdump 4.99 prints (`-n -t -S`), for people: one line, with `verbose` (-v) more behind it.
 * Where its words slip ("querymax resp delay") so do ours, that scripts may read either.
 */
import {
  type Decoded,
  type DecodedChecksum,
  type DecodedIcmp6,
  type DecodedNdOption,
  type DecodedOptions,
  type DecodedTcp,
  type DecodedTcpOption,
  decode,
  type LinkType,
} from './decode.ts';
import { EtherType } from './ethernet.ts';
import { NextHeader } from './next-header.ts';
import * as Options from './options.ts';

export interface DumpOptions {
  /** The link-layer header, too (-e). */
  readonly link?: boolean;
  /** All fields (-v). */
  readonly verbose?: boolean;
}

export function dump(bytes: Uint8Array, linkType: LinkType = 'ethernet', options: DumpOptions = {}): string {
  const text = new Text(bytes, options);
  text.frame(decode(bytes, linkType), linkType === 'ethernet');
  return text.text;
}

const PROTOCOLS: Readonly<Record<number, string>> = {
  0: 'Options',
  1: 'ICMP',
  2: 'IGMP',
  4: 'IPIP',
  6: 'TCP',
  17: 'UDP',
  41: 'IPv6',
  43: 'Routing',
  44: 'Fragment',
  46: 'RSVP',
  47: 'GRE',
  50: 'ESP',
  51: 'AH',
  58: 'ICMPv6',
  89: 'OSPF',
  103: 'PIM',
  108: 'Compressed IP',
  132: 'SCTP',
  135: 'Mobility',
};

const ETHER_TYPES: Readonly<Record<number, string>> = {
  [EtherType.ip4]: 'IPv4',
  [EtherType.arp]: 'ARP',
  [EtherType.vlan]: '802.1Q',
  [EtherType.ip6]: 'IPv6',
};

const PREFERENCES: Readonly<Record<number, string>> = { [-1]: 'low', 0: 'medium', 1: 'high' };

const FLAGS = ['F', 'S', 'R', 'P', '.', 'U', 'E', 'W'];

const RECORDS: Readonly<Record<string, string>> = {
  isInclude: 'is_in',
  isExclude: 'is_ex',
  toInclude: 'to_in',
  toExclude: 'to_ex',
  allowNewSources: 'allow',
  blockOldSources: 'block',
};

const MESSAGES: Readonly<Record<string, string>> = {
  unreachable: 'destination unreachable',
  packetTooBig: 'packet too big',
  timeExceeded: 'time exceeded in-transit',
  parameterProblem: 'parameter problem',
  echoRequest: 'echo request',
  echoReply: 'echo reply',
  mldQuery: 'multicast listener query',
  mldReport: 'multicast listener report',
  mldDone: 'multicast listener done',
  routerSolicitation: 'router solicitation',
  routerAdvertisement: 'router advertisement',
  neighborSolicitation: 'neighbor solicitation',
  neighborAdvertisement: 'neighbor advertisement',
  redirect: 'redirect',
  nodeInformationQuery: 'node information query',
  nodeInformationReply: 'node information reply',
  mld2Report: 'multicast listener report v2',
};

const hex = (value: number, digits: number): string => `0x${value.toString(16).padStart(digits, '0')}`;
const seconds = (value: number): string => (value === 0xffffffff ? 'infinity' : `${value}s`);
const flags = (...pairs: readonly (readonly [boolean, string])[]): string =>
  pairs.flatMap(([set, name]) => (set ? [name] : [])).join(', ') || 'none';
const protocolName = (number: number): string => `${PROTOCOLS[number] ?? 'unknown'} (${number})`;

/** The text of one frame while it grows. */
class Text {
  text = '';
  readonly #bytes: Uint8Array;
  readonly #verbose: boolean;
  readonly #link: boolean;

  constructor(bytes: Uint8Array, options: DumpOptions) {
    this.#bytes = bytes;
    this.#verbose = options.verbose ?? false;
    this.#link = options.link ?? false;
  }

  frame(frame: Decoded, ethernet: boolean): void {
    if (!ethernet) {
      if (this.#link) this.text += 'ip: ';
      return this.#ip(frame, 0);
    }
    const { eth } = frame;
    if (eth === undefined) {
      this.text += ' [|ether]';
      return;
    }
    const known = ETHER_TYPES[eth.type];
    const shown = eth.type !== EtherType.vlan && known !== undefined;
    if (this.#link || !shown) {
      this.text += `${eth.src} > ${eth.dst}, ethertype ${known ?? 'Unknown'} (${hex(eth.type, 4)}), length ${frame.length}: `;
    }
    if (!shown) this.#hexWithText(frame.payloadAt, frame.payloadLength);
    else if (eth.type === EtherType.arp) this.#arp(frame);
    else this.#ip(frame, 14);
  }

  /** `above`: bytes of the frame in front of the IP header. */
  #ip(frame: Decoded, above: number): void {
    if (frame.ip6 !== undefined) this.#ip6(frame, above);
    else if (frame.ip4 !== undefined) this.#ip4(frame, above);
    else this.text += frame.eth?.type === EtherType.ip4 ? ' [|ip]' : ' [|ip6]';
  }

  #ip6(frame: Decoded, above: number): void {
    const ip6 = frame.ip6!;
    const missing = ip6.payloadLength - (frame.length - above - 40);
    if (!this.#link) this.text += 'IP6 ';
    if (missing > 0) this.text += `truncated-ip6 - ${missing} bytes missing!`;
    if (this.#verbose) {
      this.text += '(';
      if (ip6.trafficClass !== 0) this.text += `class ${hex(ip6.trafficClass, 2)}, `;
      if (ip6.flowLabel !== 0) this.text += `flowlabel ${hex(ip6.flowLabel, 5)}, `;
      this.text += `hlim ${ip6.hopLimit}, next-header ${protocolName(ip6.nextHeader)} payload length: ${ip6.payloadLength}) `;
    }
    const ported = ip6.nextHeader === NextHeader.udp || ip6.nextHeader === NextHeader.tcp;
    if (!ported || (frame.udp === undefined && frame.tcp === undefined)) this.text += `${ip6.src} > ${ip6.dst}: `;
    for (const header of frame.headers ?? []) this.#extension(frame, header);
    if (frame.fragment !== undefined && frame.fragment.offset > 0) return;
    this.#upper(frame, ported ? ip6 : undefined);
  }

  #extension(frame: Decoded, header: number): void {
    switch (header) {
      case NextHeader.hopByHop:
        return this.#options('HBH ', frame.hopByHop!);
      case NextHeader.destinationOptions:
        return this.#options('DSTOPT ', frame.destinationOptions!);
      case NextHeader.routing: {
        const { type, segmentsLeft, length, addresses } = frame.routing!;
        const deprecated = type === 0 ? ' [Deprecated]' : '';
        const reserved = this.#verbose ? ', rsv=0x0' : '';
        const hops = addresses.map((address, index) => `, [${index}]${address}`).join('');
        this.text += `RT6 (len=${length / 8 - 1}, type=${type}${deprecated}, segleft=${segmentsLeft}${reserved}${hops}) `;
        return;
      }
      case NextHeader.fragment: {
        const { offset, id } = frame.fragment!;
        // what follows the fragment header, as far as the IPv6 header counts it
        const others = (frame.hopByHop?.length ?? 0) + (frame.routing?.length ?? 0);
        const length = frame.ip6!.payloadLength - others - 8;
        this.text += `frag (${this.#verbose ? `${hex(id, 8)}:` : ''}${offset}|${length})${offset === 0 ? ' ' : ''}`;
      }
    }
  }

  #options(name: string, header: DecodedOptions): void {
    this.text += name;
    if (!this.#verbose) return;
    for (const option of header.options) {
      switch (option.type) {
        case Options.OptionType.pad1:
          this.text += '(pad1)';
          break;
        case Options.OptionType.padN:
          this.text += '(padn)';
          break;
        case Options.OptionType.routerAlert:
          this.text += `(rtalert: ${hex(option.value ?? 0, 4)}) `;
          break;
        case Options.OptionType.jumbo:
          this.text += `(jumbo: ${option.value ?? 0}) `;
          break;
        case Options.OptionType.homeAddress:
          this.text += `(homeaddr: ${option.address ?? ''})`;
          break;
        default:
          this.text += `(opt_type ${hex(option.type, 2)}: len=${option.length})`;
      }
    }
    if (!this.text.endsWith(' ')) this.text += ' ';
  }

  /** `ends`: the addresses that ports are printed with; without them ports stand alone. */
  #upper(frame: Decoded, ends: { readonly src: string; readonly dst: string } | undefined): void {
    const { protocol } = frame;
    if (frame.udp !== undefined) {
      this.#ports(frame.udp, ends);
      if (this.#verbose && frame.ip6 !== undefined) this.#sum('udp', frame, frame.udp);
      this.text += `UDP, length ${frame.udp.length - 8}`;
    } else if (frame.tcp !== undefined) {
      this.#ports(frame.tcp, ends);
      this.#tcp(frame, frame.tcp);
    } else if (frame.icmp6 !== undefined) {
      if (this.#verbose) this.#sum('icmp6', frame, frame.icmp6);
      this.text += 'ICMP6, ';
      this.#icmp6(frame, frame.icmp6);
    } else if (frame.icmp4 !== undefined) this.#icmp4(frame);
    else if (frame.inner !== undefined) this.#ip(frame.inner, 0);
    else if (protocol === undefined) this.text += ` [${frame.malformed ?? 'no upper layer'}]`;
    else if (protocol === NextHeader.none) this.text += 'no next header';
    else if (frame.malformed?.endsWith('cut short') || (frame.malformed && frame.payloadLength < 8))
      this.text += ` [|${(PROTOCOLS[protocol] ?? 'proto').toLowerCase()}]`;
    else this.text += ` ip-proto-${protocol} ${frame.payloadLength}`;
  }

  #ports(
    ports: { readonly srcPort: number; readonly dstPort: number },
    ends: { readonly src: string; readonly dst: string } | undefined,
  ): void {
    this.text += ends
      ? `${ends.src}.${ports.srcPort} > ${ends.dst}.${ports.dstPort}: `
      : `${ports.srcPort} > ${ports.dstPort}: `;
  }

  #sum(name: string, frame: Decoded, message: DecodedChecksum): void {
    if (frame.fragment !== undefined || message.checksumOk === undefined) return;
    if (message.checksumOk) this.text += `[${name} sum ok] `;
    else this.text += `[bad ${name} cksum ${hex(message.checksum, 4)} -> ${hex(message.checksumExpected!, 4)}!] `;
  }

  #tcp(frame: Decoded, tcp: DecodedTcp): void {
    const length = frame.payloadLength;
    const set = FLAGS.filter((_, bit) => (tcp.flags >> bit) & 1).join('');
    this.text += `Flags [${set || 'none'}]`;
    if (this.#verbose && tcp.checksumOk !== undefined && frame.fragment === undefined) {
      const verdict = tcp.checksumOk ? 'correct' : `incorrect -> ${hex(tcp.checksumExpected!, 4)}`;
      this.text += `, cksum ${hex(tcp.checksum, 4)} (${verdict})`;
    }
    // FIN, SYN and RST take a number, too
    if (length > 0) this.text += `, seq ${tcp.seq}:${(tcp.seq + length) >>> 0}`;
    else if (tcp.flags & 7) this.text += `, seq ${tcp.seq}`;
    if (tcp.flags & 0x10) this.text += `, ack ${tcp.ack}`;
    this.text += `, win ${tcp.window}`;
    if (tcp.flags & 0x20) this.text += `, urg ${tcp.urgent}`;
    if (tcp.options.length > 0) this.text += `, options [${tcp.options.map(tcpOption).join(',')}]`;
    this.text += `, length ${length}`;
  }

  #icmp6(frame: Decoded, message: DecodedIcmp6): void {
    const verbose = this.#verbose;
    const name = MESSAGES[message.name];
    const cut = ' [|icmp6]';
    if (name === undefined) {
      this.text += `unknown icmp6 type (${message.type}), length ${message.length}`;
      this.#hex(frame.payloadAt - 4, message.length, '\n\t');
      return;
    }
    this.text += name;
    switch (message.name) {
      case 'unreachable': {
        const text = unreachable(message);
        this.text += text ?? cut;
        if (text === undefined) return;
        break;
      }
      case 'packetTooBig':
        if (message.mtu === undefined) return this.#add(cut);
        this.text += `, mtu ${message.mtu}`;
        break;
      case 'timeExceeded':
        if (message.quoted?.ip6 === undefined) return this.#add(cut);
        if (message.code === 0) this.text += ` for ${message.quoted.ip6.dst}`;
        else this.text += message.code === 1 ? ' (reassembly)' : `, unknown code (${message.code})`;
        break;
      case 'parameterProblem': {
        if (message.pointer === undefined) return this.#add(cut);
        const code = ['erroneous', 'next header', 'option', 'incomplete header chain'][message.code];
        this.text += code === undefined ? `, code-#${message.code}` : `, ${code} - octet ${message.pointer}`;
        break;
      }
      case 'echoRequest':
      case 'echoReply':
        if (message.echo === undefined) return this.#add(cut);
        this.text += `, id ${message.echo.id}, seq ${message.echo.seq}`;
        break;
      case 'mldQuery':
        if (message.mld === undefined) return this.#add(cut);
        if (message.mld.version === 1)
          this.text += `max resp delay: ${message.mld.maxDelay} addr: ${message.mld.group}`;
        else {
          const { maxDelay, group, suppress, robustness, interval, sources = [] } = message.mld;
          this.text += ' v2';
          if (verbose) this.text += ` [max resp delay=${maxDelay}]`;
          this.text += ` [gaddr ${group}`;
          if (verbose) this.text += `${suppress ? ' sflag' : ''} robustness=${robustness} qqi=${interval}`;
          this.text += `${sources.length > 0 ? `, ${sources.length} source(s)` : ''}]`;
        }
        break;
      case 'mldReport':
      case 'mldDone':
        if (message.mld === undefined) return this.#add(cut);
        this.text += `max resp delay: 0 addr: ${message.mld.group}`;
        break;
      case 'mld2Report': {
        const { records = [] } = message.mld ?? {};
        this.text += `, ${records.length} group record(s)`;
        if (!verbose) break;
        for (const { group, name, type, sources } of records)
          this.text += ` [gaddr ${group} ${RECORDS[name] ?? `[v2-report-#${type}]`}, ${sources.length} source(s)]`;
        break;
      }
      case 'neighborSolicitation':
      case 'neighborAdvertisement':
      case 'redirect':
      case 'routerSolicitation':
      case 'routerAdvertisement':
        return this.#discovery(message);
      default:
        break;
    }
    if (!verbose) this.text += `, length ${message.length}`;
  }

  /** Here -v moves the length forward. */
  #discovery(message: DecodedIcmp6): void {
    const verbose = this.#verbose;
    if (verbose) this.text += `, length ${message.length}`;
    if (message.options === undefined) return this.#add(' [|icmp6]');
    if (message.name === 'neighborSolicitation') this.text += `, who has ${message.target}`;
    if (message.name === 'neighborAdvertisement') this.text += `, tgt is ${message.target}`;
    if (message.name === 'redirect') this.text += `, ${message.destination} to ${message.target}`;
    if (!verbose) return this.#add(`, length ${message.length}`);
    if (message.name === 'neighborAdvertisement') {
      const set = flags(
        [message.router!, 'router'],
        [message.solicited!, 'solicited'],
        [message.override!, 'override'],
      );
      this.text += `, Flags [${set}]`;
    }
    if (message.advertisement !== undefined) {
      const ra = message.advertisement;
      const set = flags(
        [ra.managed, 'managed'],
        [ra.otherConfiguration, 'other stateful'],
        [ra.homeAgent, 'home agent'],
      );
      this.text += `\n\thop limit ${ra.hopLimit}, Flags [${set}], pref ${PREFERENCES[ra.preference]}, router lifetime ${ra.routerLifetime}s`;
      this.text += `, reachable time ${ra.reachableTime}ms, retrans timer ${ra.retransTimer}ms`;
    }
    for (const option of message.options) this.#ndOption(option);
  }

  #ndOption(option: DecodedNdOption): void {
    const head = (name: string): string =>
      `\n\t  ${name} option (${option.type}), length ${option.length} (${option.length / 8}): `;
    switch (option.name) {
      case 'sourceLinkLayer':
        return this.#add(`${head('source link-address')}${option.address}`);
      case 'targetLinkLayer':
        return this.#add(`${head('destination link-address')}${option.address}`);
      case 'mtu':
        return this.#add(`${head('mtu')} ${option.mtu}`);
      case 'prefixInformation': {
        const set = flags([option.onLink!, 'onlink'], [option.autonomous!, 'auto']).replace('none', '');
        this.text += `${head('prefix info')}${option.prefix}/${option.prefixLength}, Flags [${set || 'none'}]`;
        this.text += `, valid time ${seconds(option.validLifetime!)}, pref. time ${seconds(option.preferredLifetime!)}`;
        return;
      }
      case 'routeInformation': {
        const preference = PREFERENCES[option.preference!];
        this.text += `${head('route info')} ${option.prefix}/${option.prefixLength}, pref=${preference}, lifetime=${seconds(option.lifetime!)}`;
        return;
      }
      case 'rdnss':
        this.text += `${head('rdnss')} lifetime ${seconds(option.lifetime!)},`;
        for (const server of option.servers!) this.text += ` addr: ${server}`;
        return;
      case 'dnssl':
        this.text += `${head('dnssl')} lifetime ${seconds(option.lifetime!)}, domain(s):`;
        for (const domain of option.domains!) this.text += ` ${domain}.`;
        return;
      case 'redirectedHeader':
        this.text += head('redirected header');
        return this.#hex(option.at, option.length, '\n\t    ');
      default:
        this.text += head('unknown');
        this.#hex(option.at + 2, option.length - 2, '\n\t  ');
    }
  }

  #ip4(frame: Decoded, above: number): void {
    const ip4 = frame.ip4!;
    if (!this.#link) this.text += 'IP ';
    const missing = ip4.totalLength - (frame.length - above);
    if (this.#verbose) {
      this.text += `(tos ${hex(ip4.tos, 0)}, ttl ${ip4.ttl}, id ${ip4.id}, offset ${ip4.offset}`;
      this.text += `, flags [${flags([ip4.more, '+'], [ip4.dontFragment, 'DF'])}], proto ${protocolName(ip4.protocol)}, length ${ip4.totalLength}`;
      if (ip4.headerLength > 20) this.text += ', options';
      if (!ip4.checksumOk) {
        this.text += `, bad cksum ${ip4.checksum.toString(16)} (->${ip4.checksumExpected!.toString(16)})!`;
      }
      this.text += ')\n    ';
    } else if (missing > 0) this.text += `truncated-ip - ${missing} bytes missing! `;
    if (ip4.offset > 0) {
      this.text += `${ip4.src} > ${ip4.dst}: ip-proto-${ip4.protocol}`;
      return;
    }
    if (frame.udp === undefined && frame.tcp === undefined) this.text += `${ip4.src} > ${ip4.dst}: `;
    this.#upper(frame, ip4);
  }

  #icmp4(frame: Decoded): void {
    const message = frame.icmp4!;
    this.text += 'ICMP ';
    const quoted = message.quoted?.ip4;
    if (message.echo !== undefined) {
      this.text += `echo ${message.type === 8 ? 'request' : 'reply'}, id ${message.echo.id}, seq ${message.echo.seq}`;
    } else if (message.type === 3 && quoted !== undefined) {
      const { dst, protocol } = quoted;
      const transport = message.quoted!.udp ?? message.quoted!.tcp;
      const name = protocol === NextHeader.udp ? 'udp' : 'tcp';
      if (message.code === 0) this.text += `net ${dst} unreachable`;
      else if (message.code === 1) this.text += `host ${dst} unreachable`;
      else if (message.code === 2) this.text += `${dst} protocol ${protocol} unreachable`;
      else if (message.code === 3)
        this.text += `${dst} ${transport ? `${name} port ${transport.dstPort}` : `protocol ${protocol}`} unreachable`;
      else if (message.code === 4) this.text += `${dst} unreachable - need to frag (mtu ${message.mtu})`;
      else this.text += `${dst} unreachable - #${message.code}`;
    } else if (message.type === 11) {
      this.text += message.code === 0 ? 'time exceeded in-transit' : 'ip reassembly time exceeded';
    } else this.text += `type-#${message.type}`;
    this.text += `, length ${message.length}`;
    if (this.#verbose && quoted !== undefined) {
      this.text += '\n\t';
      this.#ip(message.quoted!, 0);
    }
  }

  #arp(frame: Decoded): void {
    const { arp } = frame;
    if (!this.#link) this.text += 'ARP, ';
    if (arp === undefined) return this.#add(' [|arp]');
    if (this.#verbose) this.text += 'Ethernet (len 6), IPv4 (len 4), ';
    if (arp.operation === 1) this.text += `Request who-has ${arp.target} tell ${arp.sender}`;
    else if (arp.operation === 2) this.text += `Reply ${arp.sender} is-at ${arp.senderMac}`;
    else this.text += `unknown operation ${arp.operation}`;
    this.text += `, length ${frame.length - 14}`;
  }

  #add(text: string): void {
    this.text += text;
  }

  #hex(at: number, length: number, indent: string): void {
    for (let line = 0; line < length; line += 16) {
      this.text += `${indent}${hex(line, 4)}:  ${this.#words(at + line, Math.min(16, length - line))}`;
    }
  }

  #hexWithText(at: number, length: number): void {
    for (let line = 0; line < length; line += 16) {
      const bytes = this.#bytes.subarray(at + line, at + Math.min(line + 16, length));
      const readable = String.fromCharCode(...bytes.map((byte) => (byte > 32 && byte < 127 ? byte : 46)));
      this.text += `\n\t${hex(line, 4)}:  ${this.#words(at + line, bytes.length).padEnd(39)}  ${readable}`;
    }
  }

  #words(at: number, length: number): string {
    let words = '';
    for (let byte = 0; byte < length; byte++) {
      words += (byte > 0 && byte % 2 === 0 ? ' ' : '') + (this.#bytes[at + byte] ?? 0).toString(16).padStart(2, '0');
    }
    return words;
  }
}

/** What is unreachable, by code; undefined when the quotation is too short to say. */
function unreachable(message: DecodedIcmp6): string | undefined {
  const { quoted } = message;
  if (quoted?.ip6 === undefined) return undefined;
  const { src, dst } = quoted.ip6;
  switch (message.code) {
    case 0:
      return `, unreachable route ${dst}`;
    case 1:
      return `,  unreachable prohibited ${dst}`;
    case 2:
      return `, beyond scope ${dst}, source address ${src}`;
    case 3:
      return `, unreachable address ${dst}`;
    case 4:
      if (quoted.udp !== undefined) return `, unreachable port, ${dst} udp port ${quoted.udp.dstPort}`;
      if (quoted.tcp !== undefined) return `, unreachable port, ${dst} tcp port ${quoted.tcp.dstPort}`;
      return `, unreachable port, ${dst} protocol ${quoted.protocol ?? quoted.ip6.nextHeader}`;
    // two codes of RFC 4443 that tcpdump has no name for
    case 5:
      return `, source address failed policy ${src}`;
    case 6:
      return `, reject route ${dst}`;
    default:
      return `, unknown unreach code (${message.code})`;
  }
}

function tcpOption(option: DecodedTcpOption): string {
  const [first, second] = option.values;
  switch (option.name) {
    case 'end':
      return 'eol';
    case 'nop':
      return 'nop';
    case 'mss':
      return `mss ${first}`;
    case 'windowScale':
      return `wscale ${first}`;
    case 'sackPermitted':
      return 'sackOK';
    case 'timestamps':
      return `TS val ${first} ecr ${second}`;
    case 'sack': {
      const blocks = Array.from({ length: option.values.length >> 1 }, (_, block) => block * 2);
      return `sack ${blocks.length} ${blocks.map((at) => `{${option.values[at]}:${option.values[at + 1]}}`).join('')}`;
    }
    default:
      return `unknown-${option.type}`;
  }
}
