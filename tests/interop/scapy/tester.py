"""
A raw tester on links of its own: sends what it is told in scapy's language and judges what comes back with scapy's dissector.

One JSON object a line in, one out (`{"error": ...}` for a request it can't carry out). The vocabulary, a JSON object of
names and values for expressions, is the only argument. Requests, by `op`:

  open      device, mac, peer, address            a link; `peer` and `address` are those of the node under test
  exchange  device, sent, wanted, settle, quoted, mtu  send, then judge all that comes until each link of `settle` answered an echo
  send      device, sent
  flood     device, sent, times, each             one packet many times
  fuzz      device, seed, count, each             random packets; judge whatever comes back
  heard     device, wanted                        judge all that came since the last request that took frames
  await     device, wanted, within                take frames until one is `wanted`; null or its place in time
  play      device, parts                         what the tester does by itself with each frame that comes (PARTS)
  save      path                                  all frames that ever came, as a capture

`wanted` lists frames by the fields that matter: what an expression does not set may have any value. A frame of another link
is `link: expression`.
"""

import ipaddress
import json
import random
import select
import socket
import struct
import sys
import time

from scapy.config import conf
from scapy.layers.inet import TCP, UDP
from scapy.layers.inet6 import *
from scapy.layers.l2 import Ether
from scapy.packet import NoPayload, Packet, Raw, fuzz

conf.verb = 0
SETTLED = 0xFEED
ALL_PROTOCOLS = socket.htons(3)
SO_TIMESTAMPNS = 35
ETHERNET = 1  # LINKTYPE of a capture
MLD_MESSAGES = (131, 132, 143)
ND_MESSAGES = (133, 134, 135, 136, 137)
MINIMUM_MTU = 1280

# ---- the vocabulary of expressions -------------------------------------------------------------------------------------

WORDS = json.loads(sys.argv[1])
D, T, DL, TL, DM, TM = (WORDS[name] for name in ("D", "T", "DL", "TL", "DM", "TM"))
globals().update(WORDS)


def ip(**fields):
    return IPv6(**{"src": T, "dst": D, "hlim": 64, **fields})


def data(length):
    return bytes((7 * place + 1) & 0xFF for place in range(length))


def echo(length=16, **fields):
    return ICMPv6EchoRequest(**{"id": 7, "seq": 1, "data": data(length), **fields})


def reply(length=16, **fields):
    return ip(**{"src": D, "dst": T, **fields}) / ICMPv6EchoReply(id=7, seq=1, data=data(length))


def problem(code, pointer, **fields):
    return ip(**{"src": D, "dst": T, **fields}) / ICMPv6ParamProblem(code=code, ptr=pointer)


def unreachable(code, **fields):
    return ip(**{"src": D, "dst": T, **fields}) / ICMPv6DestUnreach(code=code)


def exceeded(code, **fields):
    return ip(**{"src": D, "dst": T, **fields}) / ICMPv6TimeExceeded(code=code)


def too_big(mtu, **fields):
    return ip(**{"src": D, "dst": T, **fields}) / ICMPv6PacketTooBig(mtu=mtu)


def udp(length=16, port=9):
    return UDP(sport=4000, dport=port) / Raw(data(length))


def hop(*options, **fields):
    return IPv6ExtHdrHopByHop(options=list(options), **fields)


def dest(*options, **fields):
    return IPv6ExtHdrDestOpt(options=list(options), **fields)


def option(kind, length=4):
    return HBHOptUnknown(otype=kind, optlen=length, optdata=data(length))


def behind_dests(count, packet):
    """The packet with that many Destination Options headers of 8 bytes."""
    header = packet.copy()
    upper = raw(packet)[40:]
    headers = b"".join(bytes([60 if left > 1 else raw(packet)[6], 0, 1, 4, 0, 0, 0, 0]) for left in range(count, 0, -1))
    header.remove_payload()
    header.nh = 60
    return header / Raw(headers + upper)


def cut(packet, length):
    return Raw(raw(packet)[:length])


def altered(packet, at, *values):
    changed = bytearray(raw(packet))
    changed[at : at + len(values)] = bytes(values)
    return Raw(bytes(changed))


def fragments(packet, *ranges, id=1, headers=40):
    """Pieces of a packet by byte ranges of its fragmentable part; `(from, to, more)` sets the More flag. `headers`: with one extension header more."""
    whole_packet = raw(packet)
    next_at = 6 if headers == 40 else 40
    part, kind = whole_packet[headers:], whole_packet[next_at]
    out = []
    for start, end, *rest in ranges:
        more = rest[0] if rest else end < len(part)
        piece = part[start:end]
        header = bytes([kind, 0]) + ((start & 0xFFF8) | int(more)).to_bytes(2, "big") + id.to_bytes(4, "big")
        base = bytearray(whole_packet[:headers])
        base[next_at] = 44
        base[4:6] = (headers - 40 + len(header) + len(piece)).to_bytes(2, "big")
        out.append(Raw(bytes(base) + header + piece))
    return out


def fragment(packet, start, end, more=None, **rest):
    return fragments(packet, (start, end) if more is None else (start, end, more), **rest)[0]


def solicited(address):
    last = ipaddress.ip_address(address).packed[-3:].hex()
    return f"ff02::1:ff{last[:2]}:{last[2:]}"


def ns(target=D, slla=TM, icmp={}, **fields):
    packet = ip(**{"dst": solicited(target), "hlim": 255, **fields}) / ICMPv6ND_NS(tgt=target, **icmp)
    return packet / ICMPv6NDOptSrcLLAddr(lladdr=slla) if slla else packet


def na(target=T, tlla=TM, icmp={}, **fields):
    packet = ip(**{"hlim": 255, **fields}) / ICMPv6ND_NA(**{"tgt": target, "R": 0, "S": 1, "O": 1, **icmp})
    return packet / ICMPv6NDOptDstLLAddr(lladdr=tlla) if tlla else packet


def advertised(target=D, mac=DM, icmp={}, **fields):
    """What the node under test answers to `ns`."""
    told = {"tgt": target, "R": 0, "S": 1, "O": 1, **icmp}
    return (
        Ether(src=DM)
        / ip(**{"src": target, "dst": T, "hlim": 255, **fields})
        / ICMPv6ND_NA(**told)
        / ICMPv6NDOptDstLLAddr(lladdr=mac)
    )


def redirect(to, target, tlla="02:00:5e:00:02:03", quoted=None, icmp={}, **fields):
    packet = ip(**{"src": TL, "hlim": 255, **fields}) / ICMPv6ND_Redirect(tgt=target, dst=to, **icmp)
    if tlla:
        packet = packet / ICMPv6NDOptDstLLAddr(lladdr=tlla)
    return packet / ICMPv6NDOptRedirectedHdr(pkt=quoted) if quoted is not None else packet


def query(delay=0, group="::"):
    packet = ip(src=TL, dst="ff02::1" if group == "::" else group, hlim=1)
    return packet / hop(RouterAlert()) / ICMPv6MLQuery(mrd=delay, mladdr=group)


# ---- links -------------------------------------------------------------------------------------------------------------


class Link:
    def __init__(self, device, mac, peer, address):
        self.device, self.mac, self.peer, self.address = device, mac, peer, address
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, ALL_PROTOCOLS)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.bind((device, 0))
        self.socket.setblocking(False)
        # to a point-to-point device without link-layer addresses goes the bare packet
        self.bare = mac is None
        self.heard = []
        self.parts = []
        self.settled = 0

    def send(self, packet):
        frame = packet if isinstance(packet, bytes) else raw(self.addressed(packet))
        self.socket.send(frame)
        return frame

    def addressed(self, packet):
        if isinstance(packet, Ether) or self.bare:
            return packet
        return Ether(src=self.mac, dst=self.destination(raw(packet)), type=0x86DD) / packet

    def destination(self, packet):
        if len(packet) >= 40 and packet[24] == 0xFF:
            return "33:33:" + ":".join(f"{byte:02x}" for byte in packet[36:40])
        return self.peer

    def receive(self):
        while True:
            try:
                frame, extra, _, (_, _, kind, _, _) = self.socket.recvmsg(70000, 64)
            except BlockingIOError:
                return
            except OSError:
                return  # the device is down
            if kind == socket.PACKET_OUTGOING or frame[12:14] != b"\x86\xdd":
                continue
            seconds, nanoseconds = struct.unpack("ll", extra[0][2])
            self.take(seconds + nanoseconds / 1e9, frame)

    def take(self, at, frame):
        everything.append((at, frame))
        if self.is_settled(frame):
            self.settled = int.from_bytes(frame[60:62], "big")
            return
        for part in self.parts:
            PARTS[part](self, frame)
        self.heard.append((at, frame))

    def settle(self, number):
        """An echo, answered behind everything that was sent before it."""
        self.send(Ether(src=self.mac, dst=self.peer) / ip(src=self.from_, dst=self.address) / ICMPv6EchoRequest(id=SETTLED, seq=number))

    @property
    def from_(self):
        return str(ipaddress.ip_address(int(ipaddress.ip_address(self.address)) + 1))

    @staticmethod
    def is_settled(frame):
        return len(frame) >= 62 and frame[20] == 58 and frame[54] == 129 and frame[58:60] == SETTLED.to_bytes(2, "big")


links = {}
everything = []


def icmp_type(frame):
    return frame[54] if len(frame) > 54 and frame[20] == 58 else None


def echo_frame(link, frame):
    link.send(frame)


def echo_disguised(link, frame):
    """Back as from another station: what a bridge loop with a rewriting driver does."""
    link.send(frame[:6] + bytes.fromhex(link.mac.replace(":", "")) + frame[12:])


def claim_by_na(link, frame):
    if icmp_type(frame) == 135 and frame[22:38] == bytes(16):
        target = str(ipaddress.ip_address(frame[62:78]))
        told = {"S": 0, "O": 1}
        link.send(na(target, src=target, dst="ff02::1", icmp=told))


def claim_global_by_ns(link, frame):
    if icmp_type(frame) == 135 and frame[22:38] == bytes(16) and frame[62] == 0x20:
        link.send(ns(str(ipaddress.ip_address(frame[62:78])), slla=None, src="::"))


def answer_ns(link, frame):
    """A neighbor with every address that starts as its own link's prefix does."""
    if icmp_type(frame) == 135 and frame[22:38] != bytes(16):
        target, asker = (str(ipaddress.ip_address(frame[at : at + 16])) for at in (62, 22))
        link.send(na(target, tlla=link.mac, src=target, dst=asker))


def answer_echo(link, frame):
    if icmp_type(frame) == 128:
        packet = Ether(frame)
        there, here = packet[IPv6].src, packet[IPv6].dst
        if here.startswith("ff"):
            here = TL
        request = packet[ICMPv6EchoRequest]
        link.send(ip(src=here, dst=there) / ICMPv6EchoReply(id=request.id, seq=request.seq, data=request.data))


PARTS = {
    "echo": echo_frame,
    "echo disguised": echo_disguised,
    "claim by NA": claim_by_na,
    "claim global by NS": claim_global_by_ns,
    "answer NS": answer_ns,
    "answer echo": answer_echo,
}


def receive(timeout):
    """Frames that come within the time, or the first that do."""
    ready, _, _ = select.select([link.socket for link in links.values()], [], [], timeout)
    for link in links.values():
        if link.socket in ready:
            link.receive()


# ---- judging -----------------------------------------------------------------------------------------------------------


def build(expression):
    built = eval(expression, globals())  # expressions are the test's own
    return built if isinstance(built, list) else [built]


def differences(wanted, got):
    """Where the frame is not what was wanted; layers that `wanted` does not have are free, in front and behind."""
    first = wanted.__class__
    layer = got.getlayer(first)
    if layer is None:
        return [f"no {first.__name__} in it"]
    found = []
    while not isinstance(wanted, NoPayload):
        if wanted.__class__ is not layer.__class__:
            return [*found, f"{layer.__class__.__name__} where {wanted.__class__.__name__} was wanted"]
        for name, value in wanted.fields.items():
            if value == []:
                continue  # scapy sets lists that nobody gave
            actual = layer.getfieldval(name)
            if not same(value, actual):
                found.append(f"{wanted.__class__.__name__}.{name} is {actual!r}, not {value!r}")
        wanted, layer = wanted.payload, layer.payload
    return found


def same(wanted, actual):
    if isinstance(wanted, list) and wanted and isinstance(wanted[0], Packet):
        return [raw(one) for one in wanted] == [raw(one) for one in actual]
    if isinstance(wanted, str) and isinstance(actual, str):
        try:
            return ipaddress.ip_address(wanted) == ipaddress.ip_address(actual)
        except ValueError:
            return wanted.lower() == actual.lower()
    return wanted == actual


def faults(link, frame, sent, mtu):
    """What is wrong with any frame, whatever was wanted."""
    found = []
    packet = IPv6(frame) if link.bare else Ether(frame)
    header = packet.getlayer(IPv6)
    if header is None or header.version != 6:
        return ["not IPv6"]
    start = 0 if link.bare else 14
    if len(frame) != start + 40 + header.plen:
        found.append(f"{len(frame) - start - 40} bytes behind the header, it says {header.plen}")
    if len(frame) - start > mtu:
        found.append(f"{len(frame) - start} bytes, more than {mtu}")
    if not link.bare:
        group = header.dst.startswith("ff")
        if group and packet.dst != link.destination(frame[14:]):
            found.append(f"to {header.dst}, but to station {packet.dst}")
        if not group and int(packet.dst[:2], 16) & 1:
            found.append(f"to {header.dst}, but to the group {packet.dst}")
    for name, address in (("source", header.src), ("destination", header.dst)):
        value = ipaddress.ip_address(address).packed
        link_scoped = value[0] == 0xFE and value[1] & 0xC0 == 0x80 or value[0] == 0xFF and value[1] & 0xF in (1, 2)
        if link_scoped and value[2:4] != b"\0\0":
            found.append(f"a zone in its {name} {address}")
    if is_fragment(packet):
        return found
    return found + upper_faults(packet, header, frame[start:], sent)


def upper_faults(packet, header, bytes_, sent):
    found = []
    at, kind = 40, header.nh
    while kind in (0, 43, 60):
        kind, at = bytes_[at], at + 8 * (bytes_[at + 1] + 1)
    if kind in (17, 58):
        place = at + (2 if kind == 58 else 6)
        cleared = bytes_[at:place] + b"\0\0" + bytes_[place + 2 :]
        sum_ = in6_chksum(kind, header, cleared) or 0xFFFF
        if sum_ != int.from_bytes(bytes_[place : place + 2], "big"):
            found.append(f"checksum {bytes_[place:place + 2].hex()}, should be {sum_:04x}")
    if kind != 58:
        return found
    message = bytes_[at]
    if message in ND_MESSAGES and header.hlim != 255:
        found.append(f"hop limit {header.hlim} of an ND message")
    if message in MLD_MESSAGES and (header.hlim != 1 or header.nh != 0):
        found.append("an MLD message without hop limit 1 and router alert")
    if message < 128 and sent is not None:
        quoted = bytes_[at + 8 :]
        wanted = [original[: MINIMUM_MTU - 48] for original in sent]
        if quoted not in wanted:
            found.append(f"quotes {quoted.hex()}, which was not sent")
    return found


def defragmented(link, frames):
    """Fragments become the packets they were of, by scapy's own reassembly."""
    groups, out = {}, []
    for frame in frames:
        packet = IPv6(frame) if link.bare else Ether(frame)
        if not is_fragment(packet):
            out.append((frame, packet))
            continue
        header = packet[IPv6]
        key = (header.src, header.dst, packet[IPv6ExtHdrFragment].id)
        if key not in groups:
            groups[key] = []
            out.append(key)
        groups[key].append(header)
    return [entry if isinstance(entry[0], bytes) else (None, IPv6(raw(defragment6(groups[entry])))) for entry in out]


def is_fragment(packet):
    """Itself, not what an error quotes."""
    layer = packet[IPv6].payload
    while isinstance(layer, (IPv6ExtHdrHopByHop, IPv6ExtHdrDestOpt, IPv6ExtHdrRouting)):
        layer = layer.payload
    return isinstance(layer, IPv6ExtHdrFragment)


def is_noise(frame, wanted):
    """Group membership is reported at times of its own; it counts where it is asked for."""
    if "ICMPv6ML" in wanted:
        return False
    return len(frame) > 62 and frame[20] == 0 and frame[54] == 58 and frame[62] in MLD_MESSAGES


def judge(devices, wanted, sent, mtu=1500):
    """All frames heard on the links against all wanted, link by link, in order. Takes them. What names no link is of the first."""
    lists = {}
    for text in wanted:
        name, separator, rest = text.partition(": ")
        link, expression = (name, rest) if separator and name in links else (devices[0], text)
        lists.setdefault(link, []).append(expression)
    problems, answers = [], []
    for name in devices:
        link = links[name]
        expressions = lists.get(name, [])
        frames = [frame for _, frame in link.heard if not is_noise(frame, " ".join(expressions))]
        link.heard = []
        for frame in frames:
            problems += [f"{name}: {fault}: {Ether(frame).summary()}" for fault in faults(link, frame, sent, mtu)]
        packets = defragmented(link, frames)
        for _, packet in packets:
            answers.append(f"{name}: {packet.summary()}")
        for expression, (_, packet) in zip(expressions, packets):
            for difference in differences(build(expression)[0], packet):
                problems.append(f"{name}: {difference}: {packet.summary()}")
        for expression in expressions[len(packets) :]:
            problems.append(f"{name}: nothing came for {expression}")
        for _, packet in packets[len(expressions) :]:
            problems.append(f"{name}: not wanted: {packet.summary()}")
    return {"answers": answers, "problems": problems}


# ---- requests ----------------------------------------------------------------------------------------------------------


def op_open(device, mac, peer, address):
    links[device] = Link(device, mac, peer, address)
    return {}


def op_send(device, sent):
    link = links[device]
    return {"frames": len([link.send(packet) for text in sent for packet in build(text)])}


def op_exchange(device, sent, wanted, settle, quoted=(), mtu=1500):
    receive(0)
    for name in settle:
        links[name].heard = []
    link = links[device]
    packets = [packet for text in sent for packet in build(text)]
    frames = [link.send(packet) for packet in packets]
    for name in settle:
        answered(links[name])
    originals = [frame[0 if link.bare else 14 :] for frame in frames]
    originals += [raw(packet) for text in quoted for packet in build(text)]
    return judge(settle, wanted, originals, mtu)


numbers = iter(range(1, 1 << 30))


def answered(link):
    """Everything that was sent on the link before this has been dealt with."""
    number = next(numbers) & 0xFFFF
    link.settle(number)
    limit = time.monotonic() + 5
    while link.settled != number:
        if time.monotonic() > limit:
            raise RuntimeError(f"{link.device}: the node does not answer")
        receive(0.5)


def op_flood(device, sent, times, each):
    """A packet so many times, `each` between two settlements so that none is lost on the way."""
    link = links[device]
    receive(0)
    link.heard = []
    frame = raw(link.addressed(build(sent)[0]))
    start = time.monotonic()
    for sent_ in range(0, times, each):
        for _ in range(min(each, times - sent_)):
            link.socket.send(frame)
        answered(link)
    answers = [frame for _, frame in link.heard if not is_noise(frame, "")]
    link.heard = []
    return {"answers": len(answers), "milliseconds": round((time.monotonic() - start) * 1000)}


def random_packet():
    """A packet of a kind that a node looks into; scapy's fuzz() makes random what has its default value."""
    to = random.choice([D, D, DL, "ff02::1", solicited(D)])
    base = ip(dst=to, src=random.choice([T, T, TL, "::"]), hlim=random.choice([255, 255, 1, 64]))
    upper = random.choice(
        [
            lambda: fuzz(ICMPv6ND_NS(type=135, tgt=random.choice([D, DL, T]), code=0)) / fuzz(ICMPv6NDOptSrcLLAddr(type=1, len=random.choice([1, 1, 2]), lladdr=TM)),
            lambda: fuzz(ICMPv6ND_NA(type=136, tgt=random.choice([D, DL, T]))) / fuzz(ICMPv6NDOptDstLLAddr(type=2, len=random.choice([1, 1, 2]), lladdr=TM)),
            lambda: fuzz(ICMPv6ND_RS(type=133)) / fuzz(ICMPv6NDOptSrcLLAddr(type=1)),
            lambda: fuzz(ICMPv6ND_RA(type=134, code=0)) / fuzz(ICMPv6NDOptPrefixInfo(type=3, len=4)) / fuzz(ICMPv6NDOptMTU(type=5, len=1)),
            lambda: fuzz(ICMPv6ND_Redirect(type=137, code=0)) / fuzz(ICMPv6NDOptDstLLAddr(type=2)),
            lambda: fuzz(ICMPv6MLQuery(type=130, code=0)),
            lambda: fuzz(ICMPv6MLReport(type=131)),
            lambda: fuzz(ICMPv6PacketTooBig(type=2, code=0)) / ip(src=D, dst=T) / udp(),
            lambda: fuzz(ICMPv6DestUnreach(type=1)) / fuzz(ip(src=D, dst=T)),
            lambda: fuzz(ICMPv6ParamProblem(type=4)) / ip(src=D, dst=T) / udp(),
            lambda: fuzz(ICMPv6EchoRequest(type=128, data=data(random.randrange(200)))),
            lambda: fuzz(UDP()) / Raw(data(random.randrange(100))),
        ]
    )
    header = random.choice(
        [
            lambda: None,
            lambda: None,
            lambda: hop(RouterAlert(), option(random.randrange(256), random.randrange(8))),
            lambda: dest(*(option(random.randrange(256), random.randrange(8)) for _ in range(random.randrange(4)))),
            lambda: fuzz(IPv6ExtHdrRouting(addresses=[T, D])),
            lambda: fuzz(IPv6ExtHdrFragment()),
            lambda: fuzz(IPv6ExtHdrFragment(offset=0)),
        ]
    )()
    return base / upper() if header is None else base / header / upper()


def op_fuzz(device, seed, count, each):
    """Random packets, whole and damaged; what is wrong with any frame that comes back."""
    random.seed(seed)
    link = links[device]
    problems, answers = [], 0
    receive(0)
    link.heard = []
    for start in range(0, count, each):
        for _ in range(each):
            frame = bytearray(raw(link.addressed(Raw(raw(random_packet())))))
            if random.random() < 0.3:
                for _ in range(random.randrange(1, 5)):
                    frame[random.randrange(14, len(frame))] = random.randrange(256)
            if random.random() < 0.1:
                del frame[random.randrange(14, len(frame)) :]
            if len(frame) <= 1514:
                link.send(bytes(frame))
        answered(link)
        for _, frame in link.heard:
            answers += 1
            problems += [f"{fault}: {frame.hex()}" for fault in faults(link, frame, None, 1500)]
        link.heard = []
    return {"answers": answers, "problems": problems}


def op_heard(device, wanted):
    receive(0)
    return judge([device], wanted, None)


def op_forget():
    receive(0)
    for link in links.values():
        link.heard = []
    return {}


def op_await(device, wanted, within):
    """What came on the link up to a wanted frame, and how long that took; the rest stays heard."""
    link = links[device]
    start = time.time()
    model = build(wanted)[0]
    passed = []
    limit = time.monotonic() + within / 1000
    while True:
        while link.heard:
            at, frame = link.heard.pop(0)
            packet = IPv6(frame) if link.bare else Ether(frame)
            different = differences(model, packet)
            if not different:
                fault = faults(link, frame, None, 65535)
                return {"at": at * 1000, "passed": passed, "problems": fault, "summary": packet.summary()}
            passed.append(f"{packet.summary()}: {different[0]}")
        left = limit - time.monotonic()
        if left <= 0:
            return {"at": None, "passed": passed, "problems": [f"no {wanted} in {within} ms", *passed], "summary": ""}
        receive(left)


def op_play(device, parts):
    links[device].parts = parts
    return {}


def op_save(path):
    receive(0)
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, ETHERNET))
        for at, frame in everything:
            # an error quotes what the tester sent, right or wrong
            if icmp_type(frame) is None or icmp_type(frame) >= 128:
                file.write(struct.pack("<IIII", int(at), int(at % 1 * 1e6), len(frame), len(frame)) + frame)
    return {"frames": len(everything)}


def serve():
    stdin = sys.stdin.buffer
    rest = b""
    while True:
        watched = [stdin, *(link.socket for link in links.values())]
        ready, _, _ = select.select(watched, [], [])
        for link in links.values():
            if link.socket in ready:
                link.receive()
        if stdin not in ready:
            continue
        chunk = stdin.raw.read(65536)
        if not chunk:
            return
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            request = json.loads(line)
            try:
                answer = globals()[f"op_{request.pop('op')}"](**request)
            except Exception as error:
                answer = {"error": f"{error.__class__.__name__}: {error}"}
            print(json.dumps(answer), flush=True)


serve()
