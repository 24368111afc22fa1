#!/usr/bin/python3
"""Makes the vectors of this folder; run once, by hand: ./generate.py

frames.json   frames built by scapy (2.5.0), each with the fields that scapy itself reads back from the bytes
frames.*.txt  what tcpdump (4.99.3) prints for them, one frame a line: plain, -e, -v
"""
import json
import os
import struct
import subprocess
import tempfile

from scapy.all import *  # noqa: F403

conf.verb = 0
A, B = "2001:db8::1", "2001:db8::2"
LLA, LLB = "fe80::ff:fe00:1", "fe80::ff:fe00:2"
MA, MB = "02:00:00:00:00:01", "02:00:00:00:00:02"
SN = "ff02::1:ff00:2"
DATA = bytes(range(48, 104))


def ether(packet, dst=MB, src=MA):
    return Ether(dst=dst, src=src) / packet


def multicast(packet):
    return ether(packet, dst=in6_getnsmac(inet_pton(socket.AF_INET6, packet[IPv6].dst)))


def alert(**ip):
    return IPv6(hlim=1, **ip) / IPv6ExtHdrHopByHop(options=[RouterAlert(value=0), PadN(optdata=b"")])


echo = IPv6(src=A, dst=B) / ICMPv6EchoRequest(id=0x1234, seq=1, data=DATA)
big = IPv6(src=A, dst=B) / UDP(sport=4000, dport=4001) / (bytes(range(256)) * 5)[:1200]
echo_bytes = raw(echo)


def parts(packet, size):
    whole = raw(packet)
    header, payload = bytearray(whole[:40]), whole[40:]
    for at in range(0, len(payload), size):
        piece = payload[at : at + size]
        more = at + size < len(payload)
        fragment = struct.pack("!BBHI", header[6], 0, at | more, 0xDEADBEEF)
        head = bytearray(header)
        head[6] = 44
        struct.pack_into("!H", head, 4, len(piece) + 8)
        yield bytes(head) + fragment + piece


ND = dict(hlim=255)
frames = {
    "echo request": ether(echo),
    "echo reply": ether(IPv6(src=B, dst=A) / ICMPv6EchoReply(id=0x1234, seq=1, data=DATA), dst=MA, src=MB),
    "echo with flow label and traffic class": ether(
        IPv6(src=A, dst=B, tc=0xB8, fl=0x12345, hlim=7) / ICMPv6EchoRequest(id=7, seq=65535, data=b"odd")
    ),
    "echo without data": ether(IPv6(src=LLA, dst="ff02::1") / ICMPv6EchoRequest(id=1, seq=2), dst="33:33:00:00:00:01"),
    "echo with a wrong checksum": ether(IPv6(src=A, dst=B) / ICMPv6EchoRequest(id=1, seq=2, cksum=0x1234, data=b"x" * 8)),
    "solicitation": multicast(
        IPv6(src=LLA, dst=SN, **ND) / ICMPv6ND_NS(tgt=B) / ICMPv6NDOptSrcLLAddr(lladdr=MA)
    ),
    "solicitation of DAD": multicast(IPv6(src="::", dst=SN, **ND) / ICMPv6ND_NS(tgt=LLB)),
    "solicitation of enhanced DAD": multicast(
        IPv6(src="::", dst=SN, **ND) / ICMPv6ND_NS(tgt=LLB) / ICMPv6NDOptUnknown(type=14, len=1, data=b"\x01\x02\x03\x04\x05\x06")
    ),
    "solicitation of NUD": ether(IPv6(src=LLA, dst=LLB, **ND) / ICMPv6ND_NS(tgt=LLB) / ICMPv6NDOptSrcLLAddr(lladdr=MA)),
    "advertisement, solicited": ether(
        IPv6(src=LLB, dst=LLA, **ND) / ICMPv6ND_NA(tgt=B, R=0, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=MB), dst=MA, src=MB
    ),
    "advertisement, unsolicited": ether(
        IPv6(src=LLB, dst="ff02::1", **ND) / ICMPv6ND_NA(tgt=LLB, R=1, S=0, O=1) / ICMPv6NDOptDstLLAddr(lladdr=MB),
        dst="33:33:00:00:00:01",
        src=MB,
    ),
    "advertisement of a proxy": ether(IPv6(src=LLB, dst=LLA, **ND) / ICMPv6ND_NA(tgt=B, R=0, S=1, O=0) / ICMPv6NDOptDstLLAddr(lladdr=MB)),
    "advertisement without flags": ether(IPv6(src=LLB, dst=LLA, **ND) / ICMPv6ND_NA(tgt=B, R=0, S=0, O=0)),
    "router solicitation": ether(
        IPv6(src=LLA, dst="ff02::2", **ND) / ICMPv6ND_RS() / ICMPv6NDOptSrcLLAddr(lladdr=MA), dst="33:33:00:00:00:02"
    ),
    "router solicitation from ::": ether(IPv6(src="::", dst="ff02::2", **ND) / ICMPv6ND_RS(), dst="33:33:00:00:00:02"),
    "router advertisement": ether(
        IPv6(src=LLB, dst="ff02::1", **ND)
        / ICMPv6ND_RA(chlim=64, M=0, O=1, H=0, prf=1, routerlifetime=1800, reachabletime=30000, retranstimer=1000)
        / ICMPv6NDOptSrcLLAddr(lladdr=MB)
        / ICMPv6NDOptMTU(mtu=1400)
        / ICMPv6NDOptPrefixInfo(prefix="2001:db8:1::", prefixlen=64, L=1, A=1, validlifetime=2592000, preferredlifetime=604800)
        / ICMPv6NDOptPrefixInfo(prefix="2001:db8:2::", prefixlen=64, L=1, A=0, validlifetime=0xFFFFFFFF, preferredlifetime=0xFFFFFFFF)
        / ICMPv6NDOptRouteInfo(prefix="2001:db8:ff::", plen=48, len=2, prf=3, rtlifetime=600)
        / ICMPv6NDOptRDNSS(lifetime=1200, dns=["2001:db8::53", "2001:db8::54"])
        / ICMPv6NDOptDNSSL(lifetime=1200, searchlist=["example.com.", "lab.example."]),
        dst="33:33:00:00:00:01",
        src=MB,
    ),
    "router advertisement, final": ether(
        IPv6(src=LLB, dst="ff02::1", **ND) / ICMPv6ND_RA(chlim=0, M=1, O=1, H=1, prf=3, routerlifetime=0), dst="33:33:00:00:00:01"
    ),
    "redirect": ether(
        IPv6(src=LLB, dst=A, **ND)
        / ICMPv6ND_Redirect(tgt="fe80::3", dst="2001:db8:2::9")
        / ICMPv6NDOptDstLLAddr(lladdr="02:00:00:00:00:03")
        / ICMPv6NDOptRedirectedHdr(pkt=echo_bytes[:96])
    ),
    "unreachable, no route": ether(IPv6(src=B, dst=A) / ICMPv6DestUnreach(code=0) / echo_bytes),
    "unreachable, prohibited": ether(IPv6(src=B, dst=A) / ICMPv6DestUnreach(code=1) / echo_bytes),
    "unreachable, beyond scope": ether(IPv6(src=B, dst=A) / ICMPv6DestUnreach(code=2) / echo_bytes),
    "unreachable, address": ether(IPv6(src=B, dst=A) / ICMPv6DestUnreach(code=3) / echo_bytes),
    "unreachable, UDP port": ether(
        IPv6(src=B, dst=A) / ICMPv6DestUnreach(code=4) / raw(IPv6(src=A, dst=B) / UDP(sport=40000, dport=33434) / b"probe")
    ),
    "unreachable, TCP port": ether(
        IPv6(src=B, dst=A) / ICMPv6DestUnreach(code=4) / raw(IPv6(src=A, dst=B) / TCP(sport=40000, dport=81, flags="S"))
    ),
    "packet too big": ether(IPv6(src=B, dst=A) / ICMPv6PacketTooBig(mtu=1280) / raw(big)[:1232]),
    "time exceeded in transit": ether(IPv6(src=B, dst=A) / ICMPv6TimeExceeded(code=0) / echo_bytes),
    "time exceeded in reassembly": ether(IPv6(src=B, dst=A) / ICMPv6TimeExceeded(code=1) / next(parts(big, 640))),
    "parameter problem, header": ether(IPv6(src=B, dst=A) / ICMPv6ParamProblem(code=0, ptr=4) / echo_bytes),
    "parameter problem, next header": ether(IPv6(src=B, dst=A) / ICMPv6ParamProblem(code=1, ptr=6) / echo_bytes),
    "parameter problem, option": ether(IPv6(src=B, dst=A) / ICMPv6ParamProblem(code=2, ptr=42) / echo_bytes),
    "parameter problem, first fragment": ether(IPv6(src=B, dst=A) / ICMPv6ParamProblem(code=3, ptr=0) / echo_bytes),
    "MLD query, general": multicast(alert(src=LLB, dst="ff02::1") / ICMPv6MLQuery(mrd=10000, mladdr="::")),
    "MLD query of a group": multicast(alert(src=LLB, dst=SN) / ICMPv6MLQuery(mrd=1000, mladdr=SN)),
    "MLD report": multicast(alert(src=LLA, dst=SN) / ICMPv6MLReport(mladdr=SN)),
    "MLD report from ::": multicast(alert(src="::", dst=SN) / ICMPv6MLReport(mladdr=SN)),
    "MLD done": multicast(alert(src=LLA, dst="ff02::2") / ICMPv6MLDone(mladdr=SN)),
    "MLDv2 query, general": multicast(
        alert(src=LLB, dst="ff02::1") / ICMPv6MLQuery2(mrd=10000, mladdr="::", S=0, QRV=2, QQIC=125, sources=[])
    ),
    "MLDv2 query with sources": multicast(
        alert(src=LLB, dst="ff15::7") / ICMPv6MLQuery2(mrd=1000, mladdr="ff15::7", S=1, QRV=7, QQIC=20, sources=[A, B])
    ),
    "MLDv2 report": multicast(
        alert(src=LLA, dst="ff02::16")
        / ICMPv6MLReport2(
            records=[
                ICMPv6MLDMultAddrRec(rtype=4, dst=SN),
                ICMPv6MLDMultAddrRec(rtype=2, dst="ff02::fb"),
                ICMPv6MLDMultAddrRec(rtype=1, dst="ff15::7", sources=[A, B]),
                ICMPv6MLDMultAddrRec(rtype=3, dst="ff15::8"),
                ICMPv6MLDMultAddrRec(rtype=5, dst="ff15::9", sources=[A]),
                ICMPv6MLDMultAddrRec(rtype=6, dst="ff15::a", sources=[B]),
            ]
        )
    ),
    "UDP": ether(IPv6(src=A, dst=B) / UDP(sport=4000, dport=4001) / DATA),
    "UDP without data": ether(IPv6(src=A, dst=B) / UDP(sport=4000, dport=4001)),
    "UDP with a wrong checksum": ether(IPv6(src=A, dst=B) / UDP(sport=4000, dport=4001, chksum=0xBEEF) / b"data"),
    "TCP SYN": ether(
        IPv6(src=A, dst=B)
        / TCP(sport=40000, dport=5001, flags="S", seq=1000, ack=0, window=65535, options=[("MSS", 1440), ("SAckOK", ""), ("Timestamp", (1, 0)), ("NOP", None), ("WScale", 7)])
    ),
    "TCP SYN and ACK": ether(IPv6(src=B, dst=A) / TCP(sport=5001, dport=40000, flags="SA", seq=5000, ack=1001, window=28800)),
    "TCP data": ether(IPv6(src=A, dst=B) / TCP(sport=40000, dport=5001, flags="PA", seq=1001, ack=5001, window=512) / b"hello"),
    "TCP reset": ether(IPv6(src=B, dst=A) / TCP(sport=81, dport=40000, flags="RA", seq=0, ack=1001, window=0)),
    "TCP end": ether(IPv6(src=B, dst=A) / TCP(sport=5001, dport=40000, flags="FAEC", seq=5001, ack=1006, window=28800)),
    "first fragment": ether(IPv6(list(parts(big, 640))[0])),
    "last fragment": ether(IPv6(list(parts(big, 640))[1])),
    "atomic fragment": ether(IPv6(next(parts(echo, 640)))),
    "hop-by-hop padding": ether(
        IPv6(src=A, dst=B) / IPv6ExtHdrHopByHop(options=[Pad1(), PadN(optdata=b"\0\0\0")]) / ICMPv6EchoRequest(id=1, seq=1)
    ),
    "destination options": ether(
        IPv6(src=A, dst=B)
        / IPv6ExtHdrDestOpt(options=[HBHOptUnknown(otype=0x1E, optdata=b"\1\2\3\4")])
        / ICMPv6EchoRequest(id=1, seq=1)
    ),
    "home address": ether(
        IPv6(src="2001:db8:5::9", dst=B) / IPv6ExtHdrDestOpt(options=[HAO(hoa=A)]) / ICMPv6EchoRequest(id=1, seq=1)
    ),
    "routing header, type 0": ether(
        IPv6(src=A, dst="2001:db8::a") / IPv6ExtHdrRouting(addresses=["2001:db8::b", B], segleft=2) / ICMPv6EchoRequest(id=1, seq=1)
    ),
    "routing header, no segments left": ether(
        IPv6(src=A, dst=B) / IPv6ExtHdrRouting(addresses=["2001:db8::b"], segleft=0) / ICMPv6EchoRequest(id=1, seq=1)
    ),
    "no next header": ether(IPv6(src=A, dst=B, nh=59)),
    "unknown next header": ether(IPv6(src=A, dst=B, nh=253) / Raw(b"\1\2\3\4\5\6\7\x08")),
    "IPv6 in IPv6": ether(IPv6(src=A, dst=B) / IPv6(src="2001:db8:a::1", dst="2001:db8:b::1") / ICMPv6EchoRequest(id=9, seq=3, data=b"tunnel")),
    "IPv4 in IPv6": ether(IPv6(src=A, dst=B) / IP(src="198.51.100.1", dst="198.51.100.2", id=1) / ICMP(type=8, id=2, seq=3)),
    "IPv6 in IPv4": ether(IP(src="198.51.100.1", dst="198.51.100.2", id=1, ttl=30) / echo),
    "IPv4 echo request": ether(IP(src="198.51.100.1", dst="198.51.100.2", id=77, flags="DF", tos=0x10) / ICMP(type=8, id=5, seq=6) / DATA),
    "IPv4 echo reply": ether(IP(src="198.51.100.2", dst="198.51.100.1", id=78) / ICMP(type=0, id=5, seq=6) / DATA),
    "IPv4 unreachable, port": ether(
        IP(src="198.51.100.2", dst="198.51.100.1", id=79)
        / ICMP(type=3, code=3)
        / raw(IP(src="198.51.100.1", dst="198.51.100.2", id=1) / UDP(sport=40000, dport=33434) / b"x")
    ),
    "IPv4 unreachable, need fragmentation": ether(
        IP(src="198.51.100.2", dst="198.51.100.1", id=79)
        / ICMP(type=3, code=4, nexthopmtu=1280)
        / raw(IP(src="198.51.100.1", dst="198.51.100.2", id=1, flags="DF") / UDP(sport=40000, dport=33434) / b"x")
    ),
    "IPv4 time exceeded": ether(
        IP(src="198.51.100.2", dst="198.51.100.1", id=80)
        / ICMP(type=11, code=0)
        / raw(IP(src="198.51.100.1", dst="203.0.113.2", id=1, ttl=1) / UDP(sport=40000, dport=33434) / b"x")
    ),
    "IPv4 UDP": ether(IP(src="198.51.100.1", dst="198.51.100.2", id=3) / UDP(sport=4000, dport=4001) / DATA),
    "IPv4 TCP": ether(IP(src="198.51.100.1", dst="198.51.100.2", id=3) / TCP(sport=40000, dport=5001, flags="S", seq=9, window=1024)),
    "IPv4 fragment": ether(IP(src="198.51.100.1", dst="198.51.100.2", id=3, frag=100, flags="MF", proto=17) / Raw(DATA)),
    "ARP request": ether(
        ARP(op=1, hwsrc=MA, psrc="198.51.100.1", hwdst="00:00:00:00:00:00", pdst="198.51.100.2"), dst="ff:ff:ff:ff:ff:ff"
    ),
    "ARP reply": ether(ARP(op=2, hwsrc=MB, psrc="198.51.100.2", hwdst=MA, pdst="198.51.100.1"), dst=MA, src=MB),
    "unknown Ethernet type": Ether(dst=MB, src=MA, type=0x88B5) / Raw(b"\0" * 50),
    "unreachable, source policy": ether(IPv6(src=B, dst=A) / ICMPv6DestUnreach(code=5) / echo_bytes),
    "unreachable, reject route": ether(IPv6(src=B, dst=A) / ICMPv6DestUnreach(code=6) / echo_bytes),
    "unreachable, unknown code": ether(IPv6(src=B, dst=A) / ICMPv6DestUnreach(code=9) / echo_bytes),
    "unreachable, port of ICMPv6": ether(IPv6(src=B, dst=A) / ICMPv6DestUnreach(code=4) / echo_bytes),
    "unreachable, port behind a header": ether(
        IPv6(src=B, dst=A) / ICMPv6DestUnreach(code=4) / raw(IPv6(src=A, dst=B) / IPv6ExtHdrDestOpt() / UDP(sport=1, dport=2))
    ),
    "time exceeded, unknown code": ether(IPv6(src=B, dst=A) / ICMPv6TimeExceeded(code=7) / echo_bytes),
    "parameter problem, unknown code": ether(IPv6(src=B, dst=A) / ICMPv6ParamProblem(code=9, ptr=1) / echo_bytes),
    "unknown ICMPv6 type": ether(IPv6(src=A, dst=B) / ICMPv6Unknown(type=160, code=1, msgbody=b"\1\2\3\4")),
    "unknown ICMPv6 error": ether(IPv6(src=A, dst=B) / ICMPv6Unknown(type=100, code=1, msgbody=b"\0\0\0\0" + echo_bytes)),
    "UDP behind options": ether(IPv6(src=A, dst=B) / IPv6ExtHdrDestOpt() / UDP(sport=4000, dport=4001) / DATA),
    "TCP behind options": ether(IPv6(src=A, dst=B) / IPv6ExtHdrDestOpt() / TCP(sport=4000, dport=4001, flags="A", ack=7, seq=3)),
    "TCP with a wrong checksum": ether(IPv6(src=A, dst=B) / TCP(sport=4000, dport=4001, flags="UA", ack=7, seq=3, urgptr=9, chksum=1)),
    "TCP without flags": ether(IPv6(src=A, dst=B) / TCP(sport=4000, dport=4001, flags=0, seq=3, options=[("SAck", (10, 20)), ("EOL", None)])),
    "routing header, type 2": ether(
        IPv6(src=A, dst="2001:db8::a") / IPv6ExtHdrRouting(type=2, addresses=[B], segleft=1) / ICMPv6EchoRequest(id=1, seq=1)
    ),
    "router alert of RSVP": ether(
        IPv6(src=A, dst=B) / IPv6ExtHdrHopByHop(options=[RouterAlert(value=1), HBHOptUnknown(otype=0x8B, optdata=b"xy")]) / UDP(sport=1, dport=2)
    ),
    "IPv4 UDP without checksum": ether(IP(src="198.51.100.1", dst="198.51.100.2", id=3) / UDP(sport=4000, dport=4001, chksum=0) / DATA),
    "IPv4 unknown protocol": ether(IP(src="198.51.100.1", dst="198.51.100.2", id=3, proto=253) / Raw(DATA)),
    "IPv4 unreachable, host": ether(
        IP(src="198.51.100.2", dst="198.51.100.1", id=79)
        / ICMP(type=3, code=1)
        / raw(IP(src="198.51.100.1", dst="198.51.100.2", id=1) / UDP(sport=40000, dport=33434) / b"x")
    ),
    "IPv4 with a wrong header checksum": ether(IP(src="198.51.100.1", dst="198.51.100.2", id=3, chksum=1) / ICMP(type=8, id=5, seq=6)),
    "IPv4 first fragment": ether(IP(src="198.51.100.1", dst="198.51.100.2", id=3, flags="MF") / UDP(sport=4000, dport=4001, len=1000) / DATA),
    "cut solicitation": Ether(raw(multicast(IPv6(src=LLA, dst=SN, **ND) / ICMPv6ND_NS(tgt=B)))[:70]),
    "cut IPv6 header": Ether(raw(ether(echo))[:40]),
}


def plain(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, Packet):
        return layers(value)
    if isinstance(value, (int, float, str)) or value is None:
        return value
    return str(value)


def layers(packet):
    found = []
    while packet is not None and not isinstance(packet, NoPayload):
        found.append({"layer": packet.__class__.__name__, **{f.name: plain(packet.getfieldval(f.name)) for f in packet.fields_desc}})
        packet = packet.payload
    return found


here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "frames.json"), "w") as out:
    rows = [
        json.dumps({"name": name, "hex": raw(frame).hex(), "scapy": layers(Ether(raw(frame)))})
        for name, frame in frames.items()
    ]
    out.write("[\n" + ",\n".join(rows) + "\n]\n")

with tempfile.NamedTemporaryFile(suffix=".pcap") as pcap:
    wrpcap(pcap.name, [Ether(raw(frame)) for frame in frames.values()], linktype=1)
    for name, flags in {"plain": [], "link": ["-e"], "verbose": ["-v"]}.items():
        text = subprocess.run(["tcpdump", "-ntS#", *flags, "-r", pcap.name], capture_output=True, text=True, check=True).stdout
        with open(os.path.join(here, f"frames.{name}.txt"), "w") as out:
            out.write(text)
