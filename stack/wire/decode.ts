/**
 * A whole frame as layers of plain values, for people and expectations; not for the data path.
 *
 * Any bytes are taken: what can't be read ends the walk, and `malformed` says why. Addresses are text (RFC 5952, MACs as
 * `02:00:00:00:00:01`), names are those of the tables in this folder, an absent layer is an absent field.
 */
import * as Address from './address.ts';
import * as Arp from './arp.ts';
import * as Checksum from './checksum.ts';
import * as Ethernet from './ethernet.ts';
import * as Fragment from './fragment.ts';
import * as Icmp4 from './icmp4.ts';
import * as Icmp6 from './icmp6.ts';
import * as Ip4 from './ip4.ts';
import * as Ip6 from './ip6.ts';
import * as Mld from './mld.ts';
import * as Nd from './nd.ts';
import { NextHeader } from './next-header.ts';
import * as Options from './options.ts';
import * as Routing from './routing.ts';
import * as Tcp from './tcp.ts';
import * as Udp from './udp.ts';

export type LinkType = 'ethernet' | 'raw';

export interface Decoded {
  /** Of the frame. */
  readonly length: number;
  readonly eth?: DecodedEthernet;
  readonly arp?: DecodedArp;
  readonly ip4?: DecodedIp4;
  readonly ip6?: DecodedIp6;
  readonly hopByHop?: DecodedOptions;
  readonly destinationOptions?: DecodedOptions;
  readonly routing?: DecodedRouting;
  readonly fragment?: DecodedFragment;
  /** Next header numbers of the extension headers, in their order. */
  readonly headers?: readonly number[];
  /** The last next header, of what follows all extension headers. */
  readonly protocol?: number;
  readonly icmp6?: DecodedIcmp6;
  readonly icmp4?: DecodedIcmp4;
  readonly udp?: DecodedUdp;
  readonly tcp?: DecodedTcp;
  /** A packet in a packet. */
  readonly inner?: Decoded;
  /** Bytes behind the last header that was read. */
  readonly payloadLength: number;
  /** Where they start in the frame. */
  readonly payloadAt: number;
  /** Why the walk ended before its time. */
  readonly malformed?: string;
}

export interface DecodedEthernet {
  readonly src: string;
  readonly dst: string;
  readonly type: number;
}

export interface DecodedArp {
  readonly operation: number;
  readonly senderMac: string;
  readonly sender: string;
  readonly targetMac: string;
  readonly target: string;
}

export interface DecodedIp4 extends DecodedChecksum {
  readonly src: string;
  readonly dst: string;
  readonly ttl: number;
  readonly tos: number;
  readonly id: number;
  readonly dontFragment: boolean;
  readonly more: boolean;
  readonly offset: number;
  readonly protocol: number;
  readonly headerLength: number;
  readonly totalLength: number;
}

export interface DecodedIp6 {
  readonly src: string;
  readonly dst: string;
  readonly hopLimit: number;
  readonly payloadLength: number;
  readonly nextHeader: number;
  readonly flowLabel: number;
  readonly trafficClass: number;
}

/** `name` is a key of Options.OptionType, or 'unknown'. */
export interface DecodedOption {
  readonly type: number;
  readonly name: string;
  readonly length: number;
  /** Of a router alert, a jumbo payload or a tunnel encapsulation limit. */
  readonly value?: number;
  readonly address?: string;
}

export interface DecodedOptions {
  /** Of the header, in bytes. */
  readonly length: number;
  readonly options: readonly DecodedOption[];
}

export interface DecodedRouting {
  readonly type: number;
  readonly segmentsLeft: number;
  /** Of the header, in bytes. */
  readonly length: number;
  /** Of types 0 and 2. */
  readonly addresses: readonly string[];
}

export interface DecodedFragment {
  readonly offset: number;
  readonly more: boolean;
  readonly id: number;
}

/** Stored and, where it does not hold, computed. Not judged (`checksumOk` absent) in a fragment or a cut quotation. */
export interface DecodedChecksum {
  readonly checksum: number;
  readonly checksumOk?: boolean;
  readonly checksumExpected?: number;
}

export interface DecodedIcmp6 extends DecodedChecksum {
  readonly type: number;
  readonly code: number;
  /** A key of Icmp6.Type, or 'unknown'. */
  readonly name: string;
  /** Of the message. */
  readonly length: number;
  readonly echo?: { readonly id: number; readonly seq: number; readonly length: number };
  readonly mtu?: number;
  readonly pointer?: number;
  /** The packet an error is about, as far as it was sent along. */
  readonly quoted?: Decoded;
  /** Of a solicitation, an advertisement and a redirect. */
  readonly target?: string;
  /** Of a redirect. */
  readonly destination?: string;
  /** Of a neighbor advertisement. */
  readonly router?: boolean;
  readonly solicited?: boolean;
  readonly override?: boolean;
  readonly advertisement?: Nd.RouterAdvertisement;
  readonly options?: readonly DecodedNdOption[];
  readonly mld?: DecodedMld;
}

/** `name` is a key of Nd.OptionType, 'unknown' or 'malformed'; lifetimes in seconds as on the wire. */
export interface DecodedNdOption {
  readonly name: string;
  readonly type: number;
  /** Where it starts in the frame. */
  readonly at: number;
  /** Bytes of the whole option. */
  readonly length: number;
  /** Link-layer. */
  readonly address?: string;
  readonly prefix?: string;
  readonly prefixLength?: number;
  readonly onLink?: boolean;
  readonly autonomous?: boolean;
  readonly validLifetime?: number;
  readonly preferredLifetime?: number;
  readonly mtu?: number;
  /** Hexadecimal. */
  readonly nonce?: string;
  readonly preference?: number;
  readonly lifetime?: number;
  readonly servers?: readonly string[];
  readonly domains?: readonly string[];
  readonly quoted?: Decoded;
}

export interface DecodedMld {
  readonly version: 1 | 2;
  /** Milliseconds. */
  readonly maxDelay?: number;
  /** Of all but a version 2 report. */
  readonly group?: string;
  /** Of a version 2 query. */
  readonly suppress?: boolean;
  readonly robustness?: number;
  /** Seconds. */
  readonly interval?: number;
  readonly sources?: readonly string[];
  /** Of a version 2 report. */
  readonly records?: readonly DecodedRecord[];
}

export interface DecodedRecord {
  /** A key of Mld.RecordType, or 'unknown'. */
  readonly name: string;
  readonly type: number;
  readonly group: string;
  readonly sources: readonly string[];
}

export interface DecodedIcmp4 {
  readonly type: number;
  readonly code: number;
  readonly checksumOk?: boolean;
  readonly length: number;
  readonly echo?: { readonly id: number; readonly seq: number; readonly length: number };
  readonly mtu?: number;
  readonly quoted?: Decoded;
}

export interface DecodedUdp extends DecodedChecksum {
  readonly srcPort: number;
  readonly dstPort: number;
  /** Header included. */
  readonly length: number;
}

export interface DecodedTcp extends DecodedChecksum {
  readonly srcPort: number;
  readonly dstPort: number;
  readonly seq: number;
  readonly ack: number;
  /** Bits of Tcp.Flag. */
  readonly flags: number;
  readonly window: number;
  readonly urgent: number;
  readonly headerLength: number;
  readonly options: readonly DecodedTcpOption[];
}

/** `name` is a key of Tcp.OptionType, or 'unknown'; `values` are its numbers. */
export interface DecodedTcpOption {
  readonly type: number;
  readonly name: string;
  /** Of the whole option. */
  readonly length: number;
  readonly values: readonly number[];
}

/** Packets in packets are followed this deep. */
const NESTING = 8;

export function decode(bytes: Uint8Array, linkType: LinkType = 'ethernet'): Decoded {
  const walk = new Walk(bytes, 0, false, 0);
  if (linkType === 'ethernet') walk.ethernet();
  else walk.ip();
  return walk.layers;
}

type Building = { -readonly [Layer in keyof Decoded]: Decoded[Layer] };

/** One walk along a frame. `at` is what is not read yet, `end` where the layer above said it ends. */
class Walk {
  readonly layers: Building;
  readonly #v: DataView;
  readonly #bytes: Uint8Array;
  readonly #quoted: boolean;
  readonly #depth: number;
  #at: number;
  #end: number;
  /** Of the pseudo-header; a routing header or a home address changes them. */
  #source = 0;
  #destination = 0;
  #addressLength: 4 | 16 = 16;
  /** A second header of a kind adds to the first one's. */
  readonly #optionsSeen = { hopByHop: [] as DecodedOption[], destinationOptions: [] as DecodedOption[] };
  /** All bytes that the checksum covers are here. */
  #whole = true;

  constructor(bytes: Uint8Array, at: number, quoted: boolean, depth: number) {
    this.#bytes = bytes;
    this.#v = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
    this.#end = bytes.length;
    this.#quoted = quoted;
    this.#depth = depth;
    this.layers = { length: bytes.length - at, payloadLength: bytes.length - at, payloadAt: at };
  }

  ethernet(): void {
    if (!this.#has(Ethernet.LENGTH, 'Ethernet header')) return;
    const type = Ethernet.type(this.#v, this.#at);
    this.layers.eth = { dst: this.#mac(this.#at), src: this.#mac(this.#at + Ethernet.SOURCE), type };
    this.#move(Ethernet.LENGTH);
    if (type === Ethernet.EtherType.ip6) this.#ip6();
    else if (type === Ethernet.EtherType.ip4) this.#ip4();
    else if (type === Ethernet.EtherType.arp) this.#arp();
  }

  ip(): void {
    if (!this.#has(1, 'IP header')) return;
    const version = Ip6.version(this.#v, this.#at);
    if (version === 6) this.#ip6();
    else if (version === 4) this.#ip4();
    else this.#bad(`IP version ${version}`);
  }

  #ip6(): void {
    const v = this.#v;
    const at = this.#at;
    if (!this.#has(Ip6.LENGTH, 'IPv6 header')) return;
    if (Ip6.version(v, at) !== 6) return this.#bad(`IP version ${Ip6.version(v, at)} where 6 is due`);
    const payloadLength = Ip6.payloadLength(v, at);
    const nextHeader = Ip6.nextHeader(v, at);
    this.layers.ip6 = {
      src: this.#address(at + Ip6.SOURCE),
      dst: this.#address(at + Ip6.DESTINATION),
      hopLimit: Ip6.hopLimit(v, at),
      payloadLength,
      nextHeader,
      flowLabel: Ip6.flowLabel(v, at),
      trafficClass: Ip6.trafficClass(v, at),
    };
    this.#source = at + Ip6.SOURCE;
    this.#destination = at + Ip6.DESTINATION;
    this.#addressLength = 16;
    const jumbo = payloadLength === 0 && nextHeader === NextHeader.hopByHop;
    if (!jumbo) this.#limit(at + Ip6.LENGTH + payloadLength, 'payload length');
    this.#move(Ip6.LENGTH);
    this.#headers(nextHeader);
  }

  #headers(nextHeader: number): void {
    const v = this.#v;
    const headers: number[] = [];
    for (;;) {
      const at = this.#at;
      const header = nextHeader;
      switch (nextHeader) {
        case NextHeader.hopByHop:
        case NextHeader.destinationOptions: {
          if (!this.#has(8, 'options header') || !this.#has(Options.headerLength(v, at), 'options header')) return;
          if (!this.#options(nextHeader === NextHeader.hopByHop ? 'hopByHop' : 'destinationOptions')) return;
          nextHeader = Options.nextHeader(v, at);
          break;
        }
        case NextHeader.routing: {
          if (!this.#has(8, 'routing header') || !this.#has(Routing.headerLength(v, at), 'routing header')) return;
          this.#routing();
          nextHeader = Routing.nextHeader(v, at);
          break;
        }
        case NextHeader.fragment: {
          if (!this.#has(Fragment.LENGTH, 'fragment header')) return;
          this.layers.fragment = {
            offset: Fragment.offset(v, at),
            more: Fragment.more(v, at),
            id: Fragment.identification(v, at),
          };
          nextHeader = Fragment.nextHeader(v, at);
          this.#move(Fragment.LENGTH);
          if (!Fragment.atomic(v, at)) this.#whole = false;
          if (Fragment.offset(v, at) === 0) break;
          this.layers.headers = [...headers, header];
          this.layers.protocol = nextHeader;
          return;
        }
        default:
          return this.#upper(nextHeader);
      }
      headers.push(header);
      this.layers.headers = headers;
    }
  }

  #options(layer: 'hopByHop' | 'destinationOptions'): boolean {
    const v = this.#v;
    const start = this.#at;
    const length = Options.headerLength(v, start);
    const end = start + length;
    const options: DecodedOption[] = this.#optionsSeen[layer];
    for (let at = start + Options.OPTIONS, bytes: number; at < end; at += bytes) {
      bytes = Options.length(v, at, end);
      if (bytes === 0) {
        this.#bad('option runs over its header');
        return false;
      }
      options.push(this.#option(at, Options.type(v, at), Math.max(0, bytes - 2)));
    }
    this.layers[layer] = { length, options };
    this.#move(length);
    return true;
  }

  #option(at: number, type: number, length: number): DecodedOption {
    const v = this.#v;
    const option = { type, name: nameIn(Options.OptionType, type), length };
    if (type === Options.OptionType.routerAlert && length === 2)
      return { ...option, value: Options.routerAlert(v, at) };
    if (type === Options.OptionType.jumbo && length === 4) return { ...option, value: Options.jumboLength(v, at) };
    if (type === Options.OptionType.tunnelEncapsulationLimit && length === 1)
      return { ...option, value: v.getUint8(at + 2) };
    if (type === Options.OptionType.homeAddress && length === 16) {
      // the checksum is over the home address, RFC 6275 §11.3.1
      this.#source = at + Options.HOME_ADDRESS;
      return { ...option, address: this.#address(at + Options.HOME_ADDRESS) };
    }
    return option;
  }

  #routing(): void {
    const v = this.#v;
    const at = this.#at;
    const type = Routing.type(v, at);
    const length = Routing.headerLength(v, at);
    const segmentsLeft = Routing.segmentsLeft(v, at);
    const addresses: string[] = [];
    if (type === Routing.Type.source || type === Routing.Type.home) {
      for (let hop = at + Routing.ADDRESSES; hop + 16 <= at + length; hop += 16) addresses.push(this.#address(hop));
      // the checksum is over the final destination
      if (segmentsLeft > 0 && addresses.length > 0) {
        this.#destination = at + Routing.ADDRESSES + 16 * (addresses.length - 1);
      }
    }
    this.layers.routing = { type, segmentsLeft, length, addresses };
    this.#move(length);
  }

  #upper(protocol: number): void {
    this.layers.protocol = protocol;
    switch (protocol) {
      case NextHeader.icmp6:
        return this.#icmp6();
      case NextHeader.icmp:
        return this.#icmp4();
      case NextHeader.udp:
        return this.#udp();
      case NextHeader.tcp:
        return this.#tcp();
      case NextHeader.ip6:
      case NextHeader.ip4: {
        const inner = this.#packet(this.#at, this.#end);
        if (inner !== undefined) this.layers.inner = inner;
      }
    }
  }

  #icmp6(): void {
    const v = this.#v;
    const at = this.#at;
    const end = this.#end;
    if (!this.#has(Icmp6.LENGTH, 'ICMPv6 header')) return;
    const type = Icmp6.type(v, at);
    const length = end - at;
    const message: { -readonly [Field in keyof DecodedIcmp6]: DecodedIcmp6[Field] } = {
      type,
      code: Icmp6.code(v, at),
      name: nameIn(Icmp6.Type, type),
      length,
      ...this.#checksum(Icmp6.checksum(v, at), NextHeader.icmp6),
    };
    this.layers.icmp6 = message;
    const header = HEADERS[message.name] ?? Icmp6.HEADER;
    if (!this.#has(header, `${message.name} message`)) return;
    this.#move(header);
    switch (message.name) {
      case 'packetTooBig':
      case 'parameterProblem':
      case 'timeExceeded':
      case 'unreachable': {
        if (message.name === 'packetTooBig') message.mtu = Icmp6.mtu(v, at);
        if (message.name === 'parameterProblem') message.pointer = Icmp6.pointer(v, at);
        const quoted = this.#quote(at + Icmp6.HEADER, end);
        if (quoted !== undefined) message.quoted = quoted;
        return;
      }
      case 'echoRequest':
      case 'echoReply':
        message.echo = { id: Icmp6.identifier(v, at), seq: Icmp6.sequence(v, at), length: length - Icmp6.HEADER };
        return;
      case 'neighborSolicitation':
        message.target = this.#address(at + Nd.TARGET);
        break;
      case 'neighborAdvertisement':
        message.target = this.#address(at + Nd.TARGET);
        message.router = Nd.router(v, at);
        message.solicited = Nd.solicited(v, at);
        message.override = Nd.override(v, at);
        break;
      case 'routerSolicitation':
        break;
      case 'routerAdvertisement':
        message.advertisement = Nd.parseRouterAdvertisement(v, at);
        break;
      case 'redirect':
        message.target = this.#address(at + Nd.TARGET);
        message.destination = this.#address(at + Nd.REDIRECT_DESTINATION);
        break;
      case 'mldQuery':
      case 'mldReport':
      case 'mldDone':
      case 'mld2Report': {
        const mld = message.name === 'mld2Report' ? this.#mld2Report(at) : this.#mld(at, message.name === 'mldQuery');
        if (mld !== undefined) message.mld = mld;
        return;
      }
      default:
        return;
    }
    const options = this.#ndOptions(end);
    if (options !== undefined) message.options = options;
  }

  #ndOptions(end: number): DecodedNdOption[] | undefined {
    const v = this.#v;
    const options: DecodedNdOption[] = [];
    while (this.#at < end) {
      const at = this.#at;
      if (!this.#has(2, 'Neighbor Discovery option')) return options;
      const length = Nd.optionLength(v, at);
      if (length === 0) {
        this.#bad('Neighbor Discovery option of length 0');
        return options;
      }
      if (!this.#has(length, 'Neighbor Discovery option')) return options;
      options.push(this.#ndOption(at, length));
      this.#move(length);
    }
    return options;
  }

  #ndOption(at: number, length: number): DecodedNdOption {
    const option = Nd.parseOption(this.#v, at);
    const common = { name: option.type, type: Nd.optionType(this.#v, at), at, length };
    switch (option.type) {
      case 'sourceLinkLayer':
      case 'targetLinkLayer':
        return { ...common, address: hex(option.address, ':') };
      case 'prefixInformation':
        return {
          ...common,
          prefix: Address.formatAddress(option.prefix),
          prefixLength: option.length,
          onLink: option.onLink,
          autonomous: option.autonomous,
          validLifetime: option.validLifetime,
          preferredLifetime: option.preferredLifetime,
        };
      case 'redirectedHeader': {
        const quoted = this.#quote(at + Nd.REDIRECTED, at + length);
        return quoted === undefined ? common : { ...common, quoted };
      }
      case 'mtu':
        return { ...common, mtu: option.mtu };
      case 'nonce':
        return { ...common, nonce: hex(option.nonce) };
      case 'routeInformation':
        return {
          ...common,
          prefix: Address.formatAddress(option.prefix),
          prefixLength: option.length,
          preference: option.preference,
          lifetime: option.lifetime,
        };
      case 'rdnss':
        return {
          ...common,
          lifetime: option.lifetime,
          servers: option.servers.map((server) => Address.formatAddress(server)),
        };
      case 'dnssl':
        return { ...common, lifetime: option.lifetime, domains: option.domains };
      case 'unknown':
      case 'malformed':
        return common;
    }
  }

  #mld(at: number, query: boolean): DecodedMld | undefined {
    const v = this.#v;
    const group = this.#address(at + Mld.GROUP);
    if (!query) return { version: 1, group };
    if (this.#end - at < Mld.QUERY2_LENGTH) return { version: 1, maxDelay: Mld.maxResponseDelay(v, at), group };
    const sources = Mld.querySources(v, at);
    this.#move(Mld.QUERY2_LENGTH - Mld.LENGTH);
    if (!this.#has(sources * 16, 'query source list')) return undefined;
    this.#move(sources * 16);
    return {
      version: 2,
      maxDelay: Mld.maxResponseDelay2(v, at),
      group,
      suppress: Mld.suppress(v, at),
      robustness: Mld.robustness(v, at),
      interval: Mld.queryInterval(v, at),
      sources: this.#addresses(at + Mld.QUERY_SOURCES, sources),
    };
  }

  #mld2Report(at: number): DecodedMld {
    const v = this.#v;
    const records: DecodedRecord[] = [];
    for (let count = Mld.records(v, at); count > 0; count--) {
      const record = this.#at;
      if (!this.#has(Mld.RECORD_LENGTH, 'listener record')) break;
      const length = Mld.recordLength(v, record);
      if (!this.#has(length, 'listener record')) break;
      const type = Mld.recordType(v, record);
      records.push({
        name: nameIn(Mld.RecordType, type),
        type,
        group: this.#address(record + Mld.RECORD_GROUP),
        sources: this.#addresses(record + Mld.RECORD_LENGTH, Mld.recordSources(v, record)),
      });
      this.#move(length);
    }
    return { version: 2, records };
  }

  #udp(): void {
    const v = this.#v;
    const at = this.#at;
    if (!this.#has(Udp.LENGTH, 'UDP header')) return;
    const length = Udp.length(v, at);
    if (length < Udp.LENGTH) this.#bad(`UDP length ${length}`);
    else this.#limit(at + length, 'UDP length');
    const none = this.#addressLength === 4 && Udp.checksum(v, at) === 0;
    this.layers.udp = {
      srcPort: Udp.sourcePort(v, at),
      dstPort: Udp.destinationPort(v, at),
      length,
      ...(none ? { checksum: 0 } : this.#checksum(Udp.checksum(v, at), NextHeader.udp)),
    };
    this.#move(Udp.LENGTH);
  }

  #tcp(): void {
    const v = this.#v;
    const at = this.#at;
    if (!this.#has(Tcp.LENGTH, 'TCP header')) return;
    const headerLength = Tcp.headerLength(v, at);
    this.layers.tcp = {
      srcPort: Tcp.sourcePort(v, at),
      dstPort: Tcp.destinationPort(v, at),
      seq: Tcp.sequence(v, at),
      ack: Tcp.acknowledgment(v, at),
      flags: Tcp.flags(v, at),
      window: Tcp.window(v, at),
      urgent: Tcp.urgent(v, at),
      headerLength,
      options: this.#tcpOptions(at + Tcp.LENGTH, Math.min(at + headerLength, this.#end)),
      ...this.#checksum(Tcp.checksum(v, at), NextHeader.tcp),
    };
    if (headerLength < Tcp.LENGTH) return this.#bad(`TCP header length ${headerLength}`);
    if (this.#has(headerLength, 'TCP options')) this.#move(headerLength);
  }

  #tcpOptions(at: number, end: number): DecodedTcpOption[] {
    const v = this.#v;
    const options: DecodedTcpOption[] = [];
    for (let length: number; at < end; at += length) {
      length = Tcp.optionLength(v, at, end);
      if (length === 0) {
        this.#bad('TCP option runs over the header');
        break;
      }
      const type = v.getUint8(at);
      const values: number[] = [];
      if (type === Tcp.OptionType.mss && length === 4) values.push(v.getUint16(at + 2));
      else if (type === Tcp.OptionType.windowScale && length === 3) values.push(v.getUint8(at + 2));
      else if (type === Tcp.OptionType.timestamps || type === Tcp.OptionType.sack)
        for (let word = at + 2; word + 4 <= at + length; word += 4) values.push(v.getUint32(word));
      options.push({ type, name: nameIn(Tcp.OptionType, type), length, values });
      if (type === Tcp.OptionType.end) break;
    }
    return options;
  }

  #ip4(): void {
    const v = this.#v;
    const at = this.#at;
    if (!this.#has(Ip4.LENGTH, 'IPv4 header')) return;
    const headerLength = Ip4.headerLength(v, at);
    if (Ip4.version(v, at) !== 4) return this.#bad(`IP version ${Ip4.version(v, at)} where 4 is due`);
    if (headerLength < Ip4.LENGTH) return this.#bad(`IPv4 header length ${headerLength}`);
    if (!this.#has(headerLength, 'IPv4 options')) return;
    const totalLength = Ip4.totalLength(v, at);
    this.layers.ip4 = {
      src: Address.formatIp4(this.#bytes, at + Ip4.SOURCE),
      dst: Address.formatIp4(this.#bytes, at + Ip4.DESTINATION),
      ttl: Ip4.timeToLive(v, at),
      tos: Ip4.typeOfService(v, at),
      id: Ip4.identification(v, at),
      dontFragment: Ip4.dontFragment(v, at),
      more: Ip4.more(v, at),
      offset: Ip4.fragmentOffset(v, at),
      protocol: Ip4.protocol(v, at),
      headerLength,
      totalLength,
      ...judged(Ip4.checksum(v, at), Checksum.sum(v, at, headerLength)),
    };
    if (totalLength < headerLength) return this.#bad(`IPv4 total length ${totalLength}`);
    this.#source = at + Ip4.SOURCE;
    this.#destination = at + Ip4.DESTINATION;
    this.#addressLength = 4;
    this.#limit(at + totalLength, 'total length');
    this.#move(headerLength);
    if (Ip4.more(v, at) || Ip4.fragmentOffset(v, at) > 0) this.#whole = false;
    if (Ip4.fragmentOffset(v, at) > 0) this.layers.protocol = Ip4.protocol(v, at);
    else this.#upper(Ip4.protocol(v, at));
  }

  #icmp4(): void {
    const v = this.#v;
    const at = this.#at;
    const end = this.#end;
    if (!this.#has(Icmp4.HEADER, 'ICMP header')) return;
    const type = Icmp4.type(v, at);
    const message: { -readonly [Field in keyof DecodedIcmp4]: DecodedIcmp4[Field] } = {
      type,
      code: Icmp4.code(v, at),
      length: end - at,
    };
    this.layers.icmp4 = message;
    if (this.#whole) message.checksumOk = Checksum.sum(v, at, end - at) === 0xffff;
    this.#move(Icmp4.HEADER);
    if (type === Icmp4.Type.echoRequest || type === Icmp4.Type.echoReply) {
      message.echo = { id: Icmp4.identifier(v, at), seq: Icmp4.sequence(v, at), length: end - at - Icmp4.HEADER };
      return;
    }
    if (type === Icmp4.Type.unreachable && message.code === Icmp4.Unreachable.needFragmentation) {
      message.mtu = Icmp4.mtu(v, at);
    }
    if (type === Icmp4.Type.unreachable || type === Icmp4.Type.timeExceeded || type === Icmp4.Type.parameterProblem) {
      const quoted = this.#quote(at + Icmp4.HEADER, end);
      if (quoted !== undefined) message.quoted = quoted;
    }
  }

  #arp(): void {
    const v = this.#v;
    const at = this.#at;
    if (!this.#has(Arp.LENGTH, 'ARP packet')) return;
    if (!Arp.isEthernetIp4(v, at)) return this.#bad('ARP not for IPv4 on Ethernet');
    this.layers.arp = {
      operation: Arp.operation(v, at),
      senderMac: this.#mac(at + Arp.SENDER_MAC),
      sender: Address.formatIp4(this.#bytes, at + Arp.SENDER_IP),
      targetMac: this.#mac(at + Arp.TARGET_MAC),
      target: Address.formatIp4(this.#bytes, at + Arp.TARGET_IP),
    };
    this.#move(Arp.LENGTH);
  }

  /** What an error quotes: it may be cut short. */
  #quote(at: number, end: number): Decoded | undefined {
    return this.#packet(at, end, true);
  }

  #packet(at: number, end: number, quoted = this.#quoted): Decoded | undefined {
    if (at >= end || this.#depth >= NESTING) return undefined;
    const walk = new Walk(this.#bytes.subarray(0, end), at, quoted, this.#depth + 1);
    walk.ip();
    return walk.layers;
  }

  #checksum(stored: number, protocol: number): DecodedChecksum {
    if (!this.#whole) return { checksum: stored };
    const v = this.#v;
    const length = this.#end - this.#at;
    let sum = Checksum.sum(v, this.#source, this.#addressLength, (length >>> 16) + (length & 0xffff));
    sum = Checksum.sum(v, this.#destination, this.#addressLength, sum + protocol);
    sum = Checksum.sum(v, this.#at, length, sum);
    if (protocol !== NextHeader.udp) return judged(stored, sum);
    // zero is no checksum, RFC 8200 §8.1
    const verdict = judged(stored, sum);
    if (stored !== 0 && verdict.checksumOk) return verdict;
    return { ...verdict, checksumOk: false, checksumExpected: Checksum.udp(verdict.checksumExpected ?? 0) };
  }

  /** Whether `bytes` are left before the end; says so if not. */
  #has(bytes: number, what: string): boolean {
    if (this.#at + bytes <= this.#end) return true;
    if (!this.#quoted || this.#whole) this.#bad(`${what} cut short`);
    return false;
  }

  #move(bytes: number): void {
    this.#at += bytes;
    this.#payload();
  }

  /** The layer ends at `end`, where it says itself. */
  #limit(end: number, what: string): void {
    if (end <= this.#end) this.#end = end;
    else {
      // a fragment and a quotation tell the length of the whole
      if (this.#whole && !this.#quoted) this.#bad(`${what} beyond the frame`);
      this.#whole = false;
    }
    this.#payload();
  }

  #payload(): void {
    this.layers.payloadAt = this.#at;
    this.layers.payloadLength = Math.max(0, this.#end - this.#at);
  }

  #bad(reason: string): void {
    this.layers.malformed ??= reason;
  }

  #address(at: number): string {
    return Address.formatAddress(this.#bytes, at);
  }

  #addresses(at: number, count: number): string[] {
    return Array.from({ length: count }, (_, index) => this.#address(at + 16 * index));
  }

  #mac(at: number): string {
    return Ethernet.formatMac(this.#bytes, at);
  }
}

/** Bytes of a message in front of options, sources or data; 8 where not named. */
const HEADERS: Readonly<Record<string, number>> = {
  neighborSolicitation: Nd.SOLICITATION_LENGTH,
  neighborAdvertisement: Nd.ADVERTISEMENT_LENGTH,
  routerSolicitation: Nd.ROUTER_SOLICITATION_LENGTH,
  routerAdvertisement: Nd.ROUTER_ADVERTISEMENT_LENGTH,
  redirect: Nd.REDIRECT_LENGTH,
  mldQuery: Mld.LENGTH,
  mldReport: Mld.LENGTH,
  mldDone: Mld.LENGTH,
  mld2Report: Mld.REPORT2_LENGTH,
  unknown: Icmp6.LENGTH,
};

/** `sum` is over all that is covered, the stored checksum included. */
function judged(stored: number, sum: number): DecodedChecksum {
  if (sum === 0xffff) return { checksum: stored, checksumOk: true };
  const checksumExpected = Checksum.complement(Checksum.add(sum, ~stored & 0xffff));
  return { checksum: stored, checksumOk: false, checksumExpected };
}

function nameIn(table: Readonly<Record<string, number>>, value: number): string {
  for (const name in table) if (table[name] === value) return name;
  return 'unknown';
}

const hex = (bytes: Uint8Array, separator = ''): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(separator);

/**
 * What a frame is to look like: the same shape with what matters. An absent field is any; `undefined` says that there is
 * none; a function judges the value; a list asks for an element to match each of its own, and `[]` for an empty one.
 */
export type Pattern = PatternOf<Decoded>;
type PatternOf<T> =
  | (T extends readonly (infer Element)[]
      ? readonly PatternOf<Element>[]
      : T extends object
        ? { readonly [Field in keyof T]?: PatternOf<NonNullable<T[Field]>> | undefined }
        : T)
  | ((value: T) => boolean);

export const matches = (decoded: Decoded, pattern: Pattern): boolean => agrees(decoded, pattern);

function agrees(value: unknown, pattern: unknown): boolean {
  if (typeof pattern === 'function') return value !== undefined && Boolean(pattern(value));
  if (Array.isArray(pattern)) {
    if (!Array.isArray(value)) return false;
    if (pattern.length === 0) return value.length === 0;
    return pattern.every((wanted) => value.some((element) => agrees(element, wanted)));
  }
  if (typeof pattern === 'object' && pattern !== null) {
    if (typeof value !== 'object' || value === null) return false;
    return Object.entries(pattern).every(([field, wanted]) =>
      agrees((value as Record<string, unknown>)[field], wanted),
    );
  }
  if (value === pattern) return true;
  // the same address in another spelling
  if (typeof value !== 'string' || typeof pattern !== 'string') return false;
  const address = Address.parseAddress(pattern);
  return address !== undefined && Address.formatAddress(address) === value;
}
