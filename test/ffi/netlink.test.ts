import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { fail, ok } from '../../src/base/result.ts';
import { parseInetDiag } from '../../src/sources/dumps/inet-message.ts';
import {
  LITTLE,
  NETLINK_SOCK_DIAG,
  SOCK_DIAG_BY_FAMILY,
  foldOver,
  netlinkDump,
  type Channel,
  parseAttributes,
  parseDatagram,
  viewOf,
} from '../../src/ffi/netlink.ts';
import { inetDiag } from '../../src/sources/dumps/inet-diag.ts';
import { parsePacketDiag } from '../../src/sources/dumps/packet-diag.ts';
import { cutAnywhere, garbled, hexFixture } from '../support/bytes.ts';
import { fakeReader } from '../support/reader.ts';

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

/** A kernel that answers each dump with the next of these lists of datagrams; `changed`: the list changed meanwhile. */
function kernelOf(...dumps: readonly { readonly rows: readonly Uint8Array[]; readonly changed?: boolean }[]): Channel {
  let sequence = 0;
  let waiting: Uint8Array[] = [];
  return {
    ask: () => {
      const { rows = [], changed = false } = dumps[sequence] ?? {};
      sequence += 1;
      const flags = changed ? 0x12 : 2;
      waiting = [...rows.map((row) => message(20, row, sequence, flags)), message(3, errno(0), sequence)];
      return ok(sequence);
    },
    receive: () => {
      const next = waiting.shift();
      return next === undefined ? fail('nothing more') : ok(next);
    },
  };
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

describe('a dump of a list that changes meanwhile', () => {
  const rows = [Uint8Array.of(1), Uint8Array.of(2)];
  const count = (kernel: Channel) =>
    foldOver(
      kernel,
      20,
      new Uint8Array(),
      () => ({ messages: 0, sum: 0 }),
      (into, [value = 0]) => {
        into.messages += 1;
        into.sum += value;
        return ok(undefined);
      },
    );

  it('is asked for again, and nothing of the first is counted', () => {
    const answer = count(kernelOf({ rows, changed: true }, { rows: [...rows, Uint8Array.of(4)] }));
    assert.deepEqual(answer, { ok: true, value: { messages: 3, sum: 7 } });
  });

  it('is given up where it never stands still', () => {
    const changing = { rows, changed: true };
    const answer = count(kernelOf(changing, changing, changing, { rows }));
    assert.ok(!answer.ok);
    assert.match(answer.reason, /changed during each of 3 dumps/);
  });

  it('counts each socket of the host once', () => {
    const sockets = {
      listener: hexFixture('inet_diag/listener-8080-overflowing'),
      dropping: hexFixture('inet_diag/udp-dropping'),
      slow: hexFixture('inet_diag/established-unread'),
    };
    const answered = (changed: boolean) =>
      inetDiag(
        fakeReader({
          files: {
            '/proc/net/sockstat':
              'sockets: used 9\nTCP: inuse 4 orphan 0 tw 0 alloc 4 mem 1\nUDP: inuse 1 mem 1\nUDPLITE: inuse 0\nRAW: inuse 0\nFRAG: inuse 0 memory 0\n',
          },
        }),
        { allowSystemChanges: true },
        (_protocol, type, body, begin, take) => {
          // struct inet_diag_req_v2: protocol, and the states that are asked for.
          const rowsOf = body[1] === 17 ? [sockets.dropping] : body[5] === 4 ? [sockets.listener] : [sockets.slow];
          const whole = { rows: rowsOf };
          return foldOver(changed ? kernelOf({ ...whole, changed }, whole) : kernelOf(whole), type, body, begin, take);
        },
      );
    const calm = answered(false);
    assert.ok(calm.ok);
    const { listeners, udp, boundUdp, slowReaders, udpQueues } = calm.value;
    assert.deepEqual([listeners.length, udp.length, boundUdp.length, slowReaders.length], [1, 1, 1, 1]);
    assert.ok(udpQueues?.some(({ received }) => received > 0));
    assert.deepEqual(answered(true), calm);
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
