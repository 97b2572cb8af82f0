import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { ok } from '../../src/base/result.ts';
import { parseInetDiag } from '../../src/sources/dumps/inet-diag.ts';
import {
  LITTLE,
  NETLINK_SOCK_DIAG,
  SOCK_DIAG_BY_FAMILY,
  netlinkDump,
  parseAttributes,
  parseDatagram,
  viewOf,
} from '../../src/ffi/netlink.ts';
import { parsePacketDiag } from '../../src/sources/dumps/packet-diag.ts';
import { cutAnywhere, garbled, hexFixture } from '../support/bytes.ts';

const fixtures = {
  'packet_diag/tcpdump-ring': parsePacketDiag,
  'packet_diag/dgram-ethertype': parsePacketDiag,
  'packet_diag/protocol-0': parsePacketDiag,
  'packet_diag/fanout': parsePacketDiag,
  'inet_diag/listener-8080-overflowing': parseInetDiag,
  'inet_diag/listener-v6': parseInetDiag,
  'inet_diag/udp-dropping': parseInetDiag,
  'inet_diag/established-unread': parseInetDiag,
};

function message(type: number, body: Uint8Array, sequence = 7, flags = 2): Uint8Array {
  const bytes = new Uint8Array((16 + body.length + 3) & ~3);
  const view = viewOf(bytes);
  view.setUint32(0, 16 + body.length, LITTLE);
  view.setUint16(4, type, LITTLE);
  view.setUint16(6, flags, LITTLE);
  view.setUint32(8, sequence, LITTLE);
  bytes.set(body, 16);
  return bytes;
}

function errno(code: number): Uint8Array {
  const body = new Uint8Array(4);
  viewOf(body).setInt32(0, code, LITTLE);
  return body;
}

describe('netlink datagrams', () => {
  it('gives the payloads of our request and sees the end', () => {
    const first = message(20, Uint8Array.of(1, 2, 3));
    const foreign = message(20, Uint8Array.of(9), 6);
    const parsed = parseDatagram(Buffer.concat([first, foreign, message(3, errno(0))]), 7);
    assert.ok(parsed.ok && parsed.value.done && !parsed.value.interrupted);
    assert.deepEqual(
      parsed.value.payloads.map((payload) => [...payload]),
      [[1, 2, 3]],
    );
  });

  it('notices that the list changed during the dump', () => {
    const parsed = parseDatagram(message(20, Uint8Array.of(1), 7, 2 | 0x10), 7);
    assert.ok(parsed.ok && parsed.value.interrupted && !parsed.value.done);
  });

  it('puts an error of the kernel in words, whether it comes at once or at the end', () => {
    for (const type of [2, 3]) {
      const parsed = parseDatagram(message(type, errno(-2)), 7);
      assert.ok(!parsed.ok);
      assert.equal(parsed.reason, 'no such file or directory (ENOENT)');
    }
  });

  it('refuses lengths that do not fit, at their byte', () => {
    const bytes = message(20, new Uint8Array(8));
    viewOf(bytes).setUint32(0, 4000, LITTLE);
    assert.deepEqual(parseDatagram(bytes, 7), { ok: false, reason: 'netlink message of 4000 bytes', offset: 0 });
    assert.ok(!parseAttributes(Uint8Array.of(200, 0, 1, 0), 0).ok);
    assert.ok(!parseAttributes(Uint8Array.of(4, 0), 0).ok);
  });

  it('gives a value or a reason for any bytes', () => {
    const whole = Buffer.concat([message(20, hexFixture('packet_diag/fanout')), message(3, errno(0))]);
    for (const bytes of [...cutAnywhere(whole), ...garbled(whole)]) {
      const parsed = parseDatagram(bytes, 7);
      if (!parsed.ok) assert.ok(parsed.reason.length > 0);
    }
    for (const [name, parser] of Object.entries(fixtures)) {
      const bytes = hexFixture(name);
      assert.ok(parser(bytes).ok, name);
      const header = name.startsWith('packet') ? 16 : 72;
      for (const cut of cutAnywhere(bytes)) if (cut.length < header) assert.ok(!parser(cut).ok, name);
      for (const noise of garbled(bytes)) {
        const parsed = parser(noise);
        if (parsed.ok) assert.ok(!JSON.stringify(parsed.value).includes('NaN'));
      }
    }
  });
});

describe('netlink client', () => {
  it('reports what the kernel refuses in its words', () => {
    // No such address family.
    const answer = netlinkDump(NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, Uint8Array.of(200, 0, 0, 0), () => ok(1));
    assert.ok(!answer.ok);
    assert.match(answer.reason, /\((EINVAL|ENOENT)\)$/);
  });

  it('closes its socket every time', async () => {
    const { readdirSync } = await import('node:fs');
    const request = new Uint8Array(20);
    request[0] = 17;
    netlinkDump(NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, request, () => ok(1));
    const before = readdirSync('/proc/self/fd').length;
    for (let round = 0; round < 50; round += 1) {
      netlinkDump(NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, request, () => ok(1));
    }
    assert.equal(readdirSync('/proc/self/fd').length, before);
  });
});
