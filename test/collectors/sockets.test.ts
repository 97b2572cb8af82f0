import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { runCollector } from '../../src/collectors/collector.ts';
import { Snapshot } from '../../src/metrics/snapshot.ts';
import { formatIpv6 } from '../../src/collectors/address.ts';
import type { InetSockets } from '../../src/collectors/dumps.ts';
import { parseInetSockets, sockets } from '../../src/collectors/sockets.ts';
import {
  acceptQueue,
  acceptQueueLimit,
  listenerDrops,
  tcpPortsTaken,
  tcpSocketDrops,
  tcpSocketReceiveQueue,
  tcpSocketSendQueue,
  udpQueues,
  udpSocketDrops,
  udpSocketReceiveBuffer,
} from '../../src/metrics/catalogue/index.ts';
import { cutAnywhere, garbled } from '../support/bytes.ts';
import { collect, fakeReader, valuesOf } from '../support/reader.ts';

const files = {
  '/proc/net/tcp':
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     \n' +
    '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000002 00:00000000 00000000     0        0 52017 3 00000000cea5c806 100 0 0 10 0                     \n' +
    '   9: 0100007F:1F92 0100007F:B97A 01 00000000:00002710 00:00000000 00000000     0        0 52027 1 0000000002981032 20 4 4 10 -1                     \n',
  '/proc/net/tcp6':
    '  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n' +
    '   0: 00000000000000000000000001000000:1F91 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 52018 1 00000000944fe5f0 100 0 0 10 0\n',
  '/proc/net/udp':
    '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops            \n' +
    ' 9394: 0100007F:2328 00000000:0000 07 00000010:00001E00 00:00000000 00000000     0        0 52023 2 000000001e5fc9d8 44        \n' +
    '11406: 00000000:AB04 00000000:0000 07 00000000:00000100 00:00000000 00000000     0        0 52024 2 00000000a9d8bdbb 0         \n',
  '/proc/net/udp6':
    '  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n',
};
const http = { family: 'v4', address: '127.0.0.1', port: 8080, inode: 52017 } as const;
const dns = { family: 'v4', address: '127.0.0.1', port: 9000, inode: 52023 } as const;
const inet_diag: InetSockets = {
  listeners: [{ ...http, queue: 2, limit: 1, drops: 6 }],
  udp: [{ ...dns, drops: 44, receiveBuffer: 8192 }],
  boundUdp: [{ ...dns, waiting: 8192 }],
  slowReaders: [{ ...http, port: 8082, inode: 52027, peer: '127.0.0.1:47482', unread: 10000 }],
  stalledSenders: [{ ...http, port: 8083, inode: 52028, peer: '127.0.0.1:47483', unsent: 70000 }],
  tcpDrops: [{ ...http, port: 8082, inode: 52027, peer: '127.0.0.1:47482', drops: 12 }],
  ports: [{ family: 'v4', address: '127.0.0.1', peer: '127.0.0.1:8080', ports: 95 }],
  slowReadersSkipped: null,
  udpQueues: [
    { family: 'v4', sent: 16, received: 0x1f00 },
    { family: 'v6', sent: 0, received: 0 },
  ],
};
const httpKey = 'address=127.0.0.1,family=v4,inode=52017,port=8080';
const dnsKey = 'address=127.0.0.1,family=v4,inode=52023,port=9000';

describe('sockets collector', () => {
  it('reports listeners with queue, limit and drops, dropping UDP sockets and slow readers', () => {
    const snapshot = collect(sockets, { files, dumps: { inet_diag } });
    assert.deepEqual(valuesOf(snapshot, acceptQueue), { [httpKey]: 2 });
    assert.deepEqual(valuesOf(snapshot, acceptQueueLimit), { [httpKey]: 1 });
    assert.deepEqual(valuesOf(snapshot, listenerDrops), { [httpKey]: 6 });
    assert.deepEqual(valuesOf(snapshot, udpSocketDrops), { [dnsKey]: 44 });
    assert.deepEqual(valuesOf(snapshot, udpSocketReceiveBuffer), { [dnsKey]: 8192 });
    assert.deepEqual(Object.values(valuesOf(snapshot, tcpSocketReceiveQueue)), [10000]);
    assert.deepEqual(Object.values(valuesOf(snapshot, tcpSocketSendQueue)), [70000]);
    assert.deepEqual(Object.values(valuesOf(snapshot, tcpSocketDrops)), [12]);
    assert.deepEqual(valuesOf(snapshot, tcpPortsTaken), { 'address=127.0.0.1,family=v4,peer=127.0.0.1:8080': 95 });
    assert.equal(snapshot.collector('sockets')?.status, 'ok');
  });

  describe('adds up the queues of all UDP sockets as node_exporter does', () => {
    const { udpQueues: _untold, ...before } = inet_diag;
    const sources = {
      'told by the kernel, without the files': { files: {}, dumps: { inet_diag } },
      'of the files, where the kernel was not asked': { files, dumps: {} },
      'of the files, in a bundle of a version that did not ask for them': { files, dumps: { inet_diag: before } },
    };
    for (const [name, recorded] of Object.entries(sources))
      it(name, () => {
        assert.deepEqual(valuesOf(collect(sockets, recorded), udpQueues), {
          'ip=v4,queue=tx': 16,
          'ip=v4,queue=rx': 0x1e00 + 0x100,
          'ip=v6,queue=tx': 0,
          'ip=v6,queue=rx': 0,
        });
      });
  });

  it('does not read the files of UDP sockets where the kernel has told of them: it takes the square of their number', () => {
    const asked: string[] = [];
    const reader = fakeReader({ files, dumps: { inet_diag } });
    const watched = {
      ...reader,
      read: (path: string) => {
        asked.push(path);
        return reader.read(path);
      },
    };
    runCollector(sockets, watched, new Snapshot('', 0));
    assert.deepEqual(asked, []);
  });

  it('falls back to the files: queues without limits, drops of UDP sockets, and says what is missing', () => {
    const snapshot = collect(sockets, { files });
    assert.deepEqual(valuesOf(snapshot, acceptQueue), {
      [httpKey]: 2,
      'address=::1,family=v6,inode=52018,port=8081': 0,
    });
    assert.deepEqual(valuesOf(snapshot, acceptQueueLimit), {});
    assert.deepEqual(valuesOf(snapshot, listenerDrops), {}, 'absent, not zero');
    assert.deepEqual(valuesOf(snapshot, udpSocketDrops), { [dnsKey]: 44 });
    assert.equal(snapshot.collector('sockets')?.status, 'partial');
    assert.equal(snapshot.collector('sockets')?.gaps[0]?.path, 'inet_diag');
  });

  it('says that connections were not looked at on a host with very many', () => {
    const dumps = { inet_diag: { ...inet_diag, slowReadersSkipped: 'more than 50000 TCP sockets' } };
    assert.deepEqual(collect(sockets, { files, dumps }).collector('sockets')?.gaps, [
      { path: 'inet_diag', reason: 'more than 50000 TCP sockets' },
    ]);
  });

  it('refuses half a file and survives garbage', () => {
    for (const text of Object.values(files)) {
      const bytes = new TextEncoder().encode(text);
      assert.ok(parseInetSockets(bytes).ok);
      for (const cut of cutAnywhere(bytes)) if (cut.at(-1) !== 10) assert.ok(!parseInetSockets(cut).ok);
      for (const noise of garbled(bytes)) {
        const parsed = parseInetSockets(noise);
        if (parsed.ok) assert.ok(parsed.value.every((row) => Number.isFinite(row.receiveQueue + row.inode + row.port)));
      }
    }
  });

  it('writes IPv6 addresses as people know them', () => {
    const shown = (hex: string): string => formatIpv6(Buffer.from(hex, 'hex'));
    assert.equal(shown('20010db8000000000000000000000001'), '2001:db8::1');
    assert.equal(shown('00000000000000000000000000000000'), '::');
    assert.equal(shown('00000000000000000000ffffc0000201'), '::ffff:192.0.2.1');
    assert.equal(shown('20010db8000000010001000100010001'), '2001:db8:0:1:1:1:1:1');
    assert.equal(shown('fe800000000000000000000000000000'), 'fe80::');
  });
});
