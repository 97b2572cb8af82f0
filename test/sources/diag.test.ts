import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { decodeInetSockets, decodePacketSockets, decodeSocketOwners } from '../../src/collectors/dumps.ts';
import { parseInetDiag } from '../../src/sources/dumps/inet-message.ts';
import { parsePacketDiag } from '../../src/sources/dumps/packet-diag.ts';
import { hexFixture } from '../support/bytes.ts';

function packet(name: string) {
  const parsed = parsePacketDiag(hexFixture(`packet_diag/${name}`));
  assert.ok(parsed.ok);
  return parsed.value;
}

function inet(name: string) {
  const parsed = parseInetDiag(hexFixture(`inet_diag/${name}`));
  assert.ok(parsed.ok);
  return parsed.value;
}

// Captured on 6.18 from `tcpdump -i lo -s 96 'udp port 53'` and from sockets opened for it.
describe('PACKET_DIAG', () => {
  it('tells a capture its ring, filter, snaplen and promiscuous mode', () => {
    const socket = packet('tcpdump-ring');
    assert.equal(socket.protocol, 3);
    assert.equal(socket.ifindex, 1);
    assert.equal(socket.version, 3);
    assert.equal(socket.flags & 1, 1);
    assert.deepEqual(socket.ring, { blockSize: 262144, blocks: 8, frameSize: 262144 });
    assert.deepEqual(socket.filter, { instructions: 20, acceptsAll: false, snaplen: 96 });
    assert.equal(socket.promiscuous, true);
    assert.equal(socket.fanout, null);
  });

  it('tells a socket of one ethertype, a send-only one and a fanout member apart', () => {
    const ethertype = packet('dgram-ethertype');
    assert.deepEqual(
      [ethertype.type, ethertype.protocol, ethertype.ring, ethertype.filter],
      [2, 0x800, null, 'absent'],
    );
    assert.ok(ethertype.memory![0]! > 0);
    assert.deepEqual([packet('protocol-0').protocol, packet('protocol-0').flags & 1], [0, 0]);
    assert.deepEqual(packet('fanout').fanout, { id: 7, type: 0 });
  });

  it('knows a filter hidden for want of CAP_NET_ADMIN from an absent one', () => {
    const hidden = Buffer.concat([hexFixture('packet_diag/fanout'), Uint8Array.of(4, 0, 7, 0)]);
    const parsed = parsePacketDiag(hidden);
    assert.ok(parsed.ok);
    assert.equal(parsed.value.filter, 'hidden');
  });

  it('knows a filter that takes everything', () => {
    const returnAll = Uint8Array.of(12, 0, 7, 0, 6, 0, 0, 0, 0, 0, 4, 0);
    const parsed = parsePacketDiag(Buffer.concat([hexFixture('packet_diag/fanout'), returnAll]));
    assert.ok(parsed.ok);
    assert.deepEqual(parsed.value.filter, { instructions: 1, acceptsAll: true, snaplen: 262144 });
  });

  it('survives the bundle: what was dumped is what is decoded', () => {
    const rows = [packet('tcpdump-ring'), packet('dgram-ethertype'), packet('fanout')];
    assert.deepEqual(decodePacketSockets(JSON.parse(JSON.stringify(rows))), { ok: true, value: rows });
  });
});

describe('inet_diag', () => {
  it('reads queue, limit and drops of a listener', () => {
    const listener = inet('listener-8080-overflowing');
    assert.deepEqual([listener.address, listener.port], ['127.0.0.1', 8080]);
    assert.deepEqual([listener.receiveQueue, listener.sendQueue], [2, 1]);
    assert.equal(listener.memory?.[8], 6);
    assert.deepEqual([inet('listener-v6').family, inet('listener-v6').address], ['v6', '::1']);
  });

  it('reads drops and buffer of a UDP socket, and unread bytes of a connection', () => {
    const udp = inet('udp-dropping');
    assert.deepEqual([udp.port, udp.memory?.[8], udp.memory?.[1]], [9000, 44, 8192]);
    assert.equal(inet('udp-quiet').memory?.[8], 0);
    const slow = inet('established-unread');
    assert.deepEqual([slow.receiveQueue, slow.peerAddress, slow.peerPort], [10000, '127.0.0.1', 47482]);
  });
});

describe('dumps read from a bundle', () => {
  it('refuses what is not the shape, with the reason', () => {
    for (const decode of [decodePacketSockets, decodeInetSockets, decodeSocketOwners]) {
      for (const wrong of [undefined, null, 1, 'x', {}, [1], [null], [{}], { owners: [{}] }, { listeners: 3 }]) {
        const decoded = decode(wrong);
        assert.ok(!decoded.ok, JSON.stringify(wrong));
        assert.match(decoded.reason, /^malformed dump: no /);
      }
    }
    assert.ok(!decodeSocketOwners({ owners: [{ inode: -1, pid: 1, comm: 'x' }], unreadable: 0 }).ok);
    assert.ok(!decodeSocketOwners({ owners: [{ inode: 1e300, pid: 1, comm: 'x' }], unreadable: 0 }).ok);
  });
});
