import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { packet } from '../../src/collectors/packet.ts';
import { sockets } from '../../src/collectors/sockets.ts';
import {
  acceptQueue,
  acceptQueueLimit,
  listenerDrops,
  packetHooks,
  packetSocket,
  packetSocketDrops,
  socketOwner,
  tcpSocketReceiveQueue,
  udpQueues,
  udpSocketDrops,
} from '../../src/metrics/catalogue/index.ts';
import type { Metric } from '../../src/metrics/metric.ts';
import { Snapshot, type Series } from '../../src/metrics/snapshot.ts';
import { fail } from '../../src/base/result.ts';
import { runCollector } from '../../src/collectors/collector.ts';
import type { Reader } from '../../src/collectors/reader.ts';
import { Allowance } from '../../src/sources/allowance.ts';
import { HOST_ROOTS, liveReader } from '../../src/sources/live-reader.ts';
import { inNamespace } from '../../src/ffi/namespaces.ts';
import { listNamespaces } from '../../src/sources/netns.ts';
import { liveViews, takeSample } from '../../src/sources/take-sample.ts';
import { valuesOf } from '../support/reader.ts';
import { TestNamespace, withoutRoot } from '../support/root.ts';

/** A socket of one ethertype, one without protocol, a full listener, a dropping UDP socket and a slow reader. */
const program = `
import socket, time
ip = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800)); ip.bind(('lo', 0x0800))
none = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
fan = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)); fan.setsockopt(263, 18, 7)
full = socket.socket(); full.bind(('127.0.0.1', 8080)); full.listen(1)
clients = []
for i in range(4):
    client = socket.socket(); client.setblocking(False)
    try: client.connect(('127.0.0.1', 8080))
    except BlockingIOError: pass
    clients.append(client)
flooded = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); flooded.setsockopt(1, 8, 4096); flooded.bind(('::1', 9000))
sender = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
for i in range(50): sender.sendto(b'x' * 500, ('::1', 9000))
full4 = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); full4.setsockopt(1, 8, 4096); full4.bind(('127.0.0.1', 9001))
for i in range(50): sender4 = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); sender4.sendto(b'x' * 500, ('127.0.0.1', 9001))
server = socket.socket(); server.bind(('127.0.0.1', 8082)); server.listen(5)
slow = socket.socket(); slow.connect(('127.0.0.1', 8082)); reader, _ = server.accept(); slow.send(b'y' * 10000)
time.sleep(0.3)
print('ready', flush=True)
time.sleep(60)
`;

const manyUdp = `
import socket, time
kept = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for i in range(900)]
for each in kept: each.bind(('127.0.0.1', 0))
print('ready', flush=True)
time.sleep(60)
`;

/** What a sample of UDP sockets has of a namespace, through a reader that was changed. */
function udpOf(
  netns: TestNamespace,
  changed: (reader: Reader) => Reader,
): { readonly queues: Record<string, number>; readonly drops: Record<string, number> } {
  const snapshot = new Snapshot('', 0);
  const entered = inNamespace(netns.path, () => {
    runCollector(sockets, changed(liveReader(HOST_ROOTS)), snapshot);
  });
  assert.ok(entered.ok);
  return { queues: valuesOf(snapshot, udpQueues), drops: valuesOf(snapshot, udpSocketDrops) };
}

const only = (snapshot: Snapshot, metric: Metric, match: Record<string, string>): Series => {
  const series = snapshot
    .series(metric)
    .filter(({ labels }) => Object.entries(match).every(([name, value]) => labels[name] === value));
  assert.equal(series.length, 1, `${metric.name} ${JSON.stringify(match)}: ${JSON.stringify(series)}`);
  return series[0]!;
};

describe('sockets of a live namespace', { skip: withoutRoot }, () => {
  let netns: TestNamespace;
  let holder: number;
  let tcpdump: number;
  let snapshot: Snapshot;

  before(async () => {
    netns = new TestNamespace();
    holder = await netns.start('python3', ['-c', program], /ready/);
    tcpdump = await netns.start('tcpdump', ['-i', 'lo', '-s', '96', '-w', '/dev/null', 'udp port 53'], /listening/);
    const listed = listNamespaces(HOST_ROOTS);
    assert.ok(listed.ok);
    const namespaces = liveViews(
      listed.value.filter(({ name }) => name === netns.name),
      HOST_ROOTS,
    );
    assert.equal(namespaces.length, 1);
    snapshot = takeSample({ reader: liveReader(HOST_ROOTS), collectors: [packet, sockets], namespaces });
  });
  after(() => netns.remove());

  const inside = (match: Record<string, string>): Record<string, string> => ({ netns: netns.name, ...match });
  const ownerOf = (series: Series): Series => only(snapshot, socketOwner, { inode: series.labels['inode'] ?? '' });

  it('sees a capture with its ring and filter, and names its process', () => {
    const tap = only(snapshot, packetSocket, inside({ hook: 'tpacket_rcv' }));
    assert.equal(tap.labels['protocol'], '0003');
    assert.equal(tap.labels['device'], 'lo');
    assert.match(tap.labels['ring'] ?? '', /^v3 \d+x\d+$/);
    assert.match(tap.labels['filter'] ?? '', /^classic \d+ instructions$/);
    assert.equal(ownerOf(tap).labels['pid'], `${tcpdump}`);
    assert.equal(ownerOf(tap).labels['comm'], 'tcpdump');
    assert.equal(only(snapshot, packetHooks, inside({ function: 'tpacket_rcv' })).labels['protocol'], 'ALL');
  });

  it('lists sockets of one ethertype and of protocol 0 as what they are', () => {
    const ethertype = only(snapshot, packetSocket, inside({ protocol: '0800' }));
    assert.deepEqual(
      [ethertype.labels['type'], ethertype.labels['hook'], ethertype.labels['ring'], ethertype.labels['filter']],
      ['dgram', 'packet_rcv', 'none', 'none or eBPF'],
    );
    assert.equal(ownerOf(ethertype).labels['pid'], `${holder}`);
    assert.equal(only(snapshot, packetSocket, inside({ protocol: '0000' })).labels['hook'], 'none');
    const fanout = only(snapshot, packetSocket, inside({ hook: 'packet_rcv_fanout' }));
    assert.equal(fanout.labels['fanout'], 'id 7 type hash');
    assert.equal(snapshot.series(packetSocketDrops).length, 4);
  });

  it('sees the full accept queue, its drops, and the process that does not accept', () => {
    const queue = only(snapshot, acceptQueue, inside({ port: '8080' }));
    assert.equal(queue.value, 2);
    assert.equal(only(snapshot, acceptQueueLimit, inside({ port: '8080' })).value, 1);
    assert.ok(only(snapshot, listenerDrops, inside({ port: '8080' })).value > 0);
    assert.equal(ownerOf(queue).labels['pid'], `${holder}`);
  });

  it('sees the UDP socket that drops and the connection that is not read, with their process', () => {
    const dropping = only(snapshot, udpSocketDrops, inside({ port: '9000', family: 'v6', address: '::1' }));
    assert.ok(dropping.value > 0 && dropping.value < 50);
    assert.equal(ownerOf(dropping).labels['pid'], `${holder}`);
    const unread = only(snapshot, tcpSocketReceiveQueue, inside({ port: '8082' }));
    assert.equal(unread.value, 10000);
    assert.equal(ownerOf(unread).labels['pid'], `${holder}`);
  });

  it('tells of UDP sockets over netlink what the files tell', () => {
    const asked: string[] = [];
    const told = udpOf(netns, (reader) => ({ ...reader, read: (path) => (asked.push(path), reader.read(path)) }));
    assert.deepEqual(
      asked.filter((path) => path.startsWith('/proc/net/udp')),
      [],
      'the files need not be read',
    );
    const read = udpOf(netns, (reader) => ({ ...reader, dump: () => fail('refused') }));
    assert.deepEqual(told, read);
    assert.ok(told.queues['ip=v6,queue=rx']! > 0);
    assert.ok(told.queues['ip=v4,queue=rx']! > 0);
    assert.equal(Object.keys(told.drops).length, 2);
  });

  it('says which file took the kernel too long, and tells nothing of what it holds', async () => {
    const many = new TestNamespace();
    try {
      await many.start('python3', ['-c', manyUdp], /ready/);
      let cpu = 0;
      const snapshot = new Snapshot('', 0);
      const dear = liveReader(HOST_ROOTS, {}, new Allowance(() => (cpu += 500)));
      const entered = inNamespace(many.path, () => {
        runCollector(sockets, { ...dear, dump: () => fail('refused') }, snapshot);
      });
      assert.ok(entered.ok);
      assert.equal(valuesOf(snapshot, udpQueues)['ip=v4,queue=rx'], undefined);
      const gaps = snapshot.collector('sockets')?.gaps.filter(({ path }) => path === '/proc/net/udp') ?? [];
      assert.match(gaps[0]?.reason ?? '', /^given up: the kernel takes the square of its lines/);
    } finally {
      await many.remove();
    }
  });

  it('needs no gap for any of it', () => {
    for (const id of ['packet', 'sockets']) {
      const report = snapshot.collector(id, netns.name);
      assert.equal(report?.status, 'ok', JSON.stringify(report?.gaps));
    }
  });

  it('goes on when a namespace cannot be entered', () => {
    const views = [{ name: 'gone', path: '/run/netns/pktcost-none' }].map(({ name, path }) => ({
      name,
      path,
      visit: (look: () => void) => inNamespace(path, look),
    }));
    const gone = takeSample({ reader: liveReader(HOST_ROOTS), collectors: [packet], namespaces: views as never });
    assert.equal(gone.collector('packet', 'gone')?.status, 'unavailable');
    assert.equal(gone.collector('packet')?.status, 'ok');
  });
});

/** Packet sockets with filters of these many instructions, one after the other. */
const filtered = `
import ctypes, socket, struct, sys, time
kept = []
for count in map(int, sys.argv[1:]):
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    code = b''.join(struct.pack('HBBI', 7, 0, 0, 0) for _ in range(count - 1)) + struct.pack('HBBI', 6, 0, 0, 65535)
    bytes = ctypes.create_string_buffer(code)
    tap.setsockopt(1, 26, struct.pack('HxxxxxxP', count, ctypes.addressof(bytes)))
    kept.append(tap)
print('ready', flush=True)
time.sleep(60)
`;

describe('packet sockets with long filters', { skip: withoutRoot }, () => {
  const cases: readonly [string, readonly number[], RegExp][] = [
    ['one of 500 instructions, alone in its namespace', [500], /^classic 500 instructions$/],
    ['one of 3000 instructions', [3000], /^classic 3000 instructions$/],
    // Longer than any message of the kernel: what it is cannot be told, that it is there can, and so of those listed after it.
    ['one that no message holds, and another', [4096, 1], /^(unknown|matches all)$/],
  ];
  for (const [name, counts, filter] of cases) {
    it(`are listed: ${name}`, async () => {
      const netns = new TestNamespace();
      try {
        await netns.start('python3', ['-c', filtered, ...counts.map(String)], /ready/);
        const namespaces = liveViews([{ name: netns.name, path: netns.path, inode: 0 }], HOST_ROOTS);
        const sample = takeSample({ reader: liveReader(HOST_ROOTS), collectors: [packet], namespaces });
        const seen = sample.series(packetSocket).filter(({ labels }) => labels['netns'] === netns.name);
        assert.equal(seen.length, counts.length);
        for (const { labels } of seen) {
          assert.equal(labels['hook'], 'packet_rcv');
          assert.equal(labels['ring'], 'none');
          assert.match(labels['filter'] ?? '', filter);
        }
      } finally {
        await netns.remove();
      }
    });
  }
});

describe('network namespaces', { skip: withoutRoot }, () => {
  it('lists its own first, named ones by name though nobody is in them, and others by their lowest process', async () => {
    const netns = new TestNamespace();
    try {
      const listed = listNamespaces(HOST_ROOTS);
      assert.ok(listed.ok);
      assert.equal(listed.value[0]?.name, '');
      assert.equal(listed.value.filter(({ name }) => name === netns.name).length, 1);
      const pid = await netns.start('unshare', ['-n', 'sh', '-c', 'echo ready; exec sleep 30'], /ready/);
      const again = listNamespaces(HOST_ROOTS);
      assert.ok(again.ok);
      const unnamed = again.value.find(({ path }) => path === `/proc/${pid}/ns/net`);
      assert.match(unnamed?.name ?? '', new RegExp(`^pid:${pid} \\((sh|sleep)\\)$`));
      const renamed = again.value.map((each) => (each === unnamed ? { ...each, name: 'as before' } : each));
      const kept = listNamespaces(HOST_ROOTS, renamed);
      assert.ok(kept.ok && kept.value.some(({ name, inode }) => name === 'as before' && inode === unnamed?.inode));
    } finally {
      await netns.remove();
    }
  });

  it('does not take the devices of its own namespace for those of another', async () => {
    const netns = new TestNamespace();
    try {
      const listed = listNamespaces(HOST_ROOTS);
      assert.ok(listed.ok);
      const [view] = liveViews(
        listed.value.filter(({ name }) => name === netns.name),
        HOST_ROOTS,
      );
      view?.visit((reader) => {
        assert.match(reasonOf(reader.list('/sys/class/net')), /its own network namespace only/);
        assert.match(Buffer.from(bytesOf(reader.read('/proc/net/dev'))).toString(), /^ +lo:/m);
        assert.doesNotMatch(Buffer.from(bytesOf(reader.read('/proc/net/dev'))).toString(), /eth0/);
      });
    } finally {
      await netns.remove();
    }
  });
});

function bytesOf(result: ReturnType<ReturnType<typeof liveReader>['read']>): Uint8Array {
  assert.ok(result.ok);
  return result.value;
}

function reasonOf(result: { readonly ok: boolean; readonly reason?: string }): string {
  assert.ok(!result.ok);
  return result.reason ?? '';
}
