import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { refusal } from '../../src/base/errno.ts';
import type { PacketSocketRow } from '../../src/collectors/dumps.ts';
import { packet, parseNumberedDevices, parsePacketSockets, parsePtype } from '../../src/collectors/packet.ts';
import { packetHooks, packetSocket, packetSocketDrops, packetSocketMemory } from '../../src/metrics/catalogue/index.ts';
import type { Labels } from '../../src/metrics/metric.ts';
import type { Snapshot } from '../../src/metrics/snapshot.ts';
import { cutAnywhere, garbled } from '../support/bytes.ts';
import { collect, valuesOf } from '../support/reader.ts';

const header = 'sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n';
const files = {
  '/proc/net/packet':
    header +
    '00000000581a09b2 3      3    0003   2     1 0      0      51998 \n' +
    '00000000ee3c0e0d 3      2    0800   2     1 83160  0      52014 \n' +
    '000000003d2531db 2      3    0000   0     0 0      1000   52015 \n' +
    '000000006caf815b 3      3    0003   0     1 166320 0      52016 \n',
  '/proc/net/ptype':
    'Type Device      Function\nALL  eth0     tpacket_rcv [af_packet]\nALL           packet_rcv_fanout\n' +
    'ALL           packet_rcv_fanout\n0800          ip_rcv\n86dd          ipv6_rcv\n',
  '/proc/net/igmp':
    'Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n1\tlo        :     1      V3\n' +
    '\t\t\t\t010000E0     1 0:00000000\t\t0\n2\teth0      :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n',
};

const row: PacketSocketRow = {
  inode: 51998,
  type: 3,
  protocol: 3,
  ifindex: 2,
  version: 3,
  flags: 1,
  uid: 0,
  ring: { blockSize: 262144, blocks: 8, frameSize: 262144 },
  fanout: null,
  filter: { instructions: 20, acceptsAll: false, snaplen: 96 },
  promiscuous: true,
  memory: [0, 212992, 0, 212992, 0, 0, 0, 0, 0],
};
const packet_diag: readonly PacketSocketRow[] = [
  row,
  {
    ...row,
    inode: 52014,
    type: 2,
    protocol: 0x800,
    ring: null,
    filter: 'absent',
    promiscuous: false,
    memory: [83160, 0, 0, 0, 0, 0, 0, 0, 12],
  },
  { ...row, inode: 52015, protocol: 0, ifindex: 0, ring: null, filter: 'hidden', promiscuous: false, memory: null },
  {
    ...row,
    inode: 52016,
    ifindex: 0,
    ring: null,
    fanout: { id: 7, type: 0 },
    filter: { instructions: 1, acceptsAll: true, snaplen: 262144 },
  },
];

function labelsByInode(snapshot: Snapshot): Readonly<Record<string, Labels>> {
  return Object.fromEntries(snapshot.series(packetSocket).map(({ labels }) => [labels['inode'] ?? '', labels]));
}

describe('packet collector', () => {
  it('says of each packet socket what its hook is and what it does with packets', () => {
    const snapshot = collect(packet, { files, dumps: { packet_diag } });
    const sockets = labelsByInode(snapshot);
    assert.deepEqual(sockets['51998'], {
      inode: '51998',
      device: 'eth0',
      ifindex: '2',
      protocol: '0003',
      type: 'raw',
      hook: 'tpacket_rcv',
      filter: 'classic 20 instructions',
      ring: 'v3 8x262144',
      fanout: 'none',
      uid: '0',
      promiscuous: '1',
    });
    assert.equal(sockets['52014']?.['hook'], 'packet_rcv');
    assert.equal(sockets['52014']['filter'], 'none or eBPF');
    assert.deepEqual(
      [sockets['52015']?.['hook'], sockets['52015']?.['device'], sockets['52015']?.['filter']],
      ['none', 'any', 'hidden (needs CAP_NET_ADMIN)'],
    );
    assert.deepEqual(
      [sockets['52016']?.['hook'], sockets['52016']?.['fanout'], sockets['52016']?.['filter']],
      ['packet_rcv_fanout', 'id 7 type hash', 'matches all'],
    );
    assert.deepEqual(valuesOf(snapshot, packetSocketDrops), { 'inode=51998': 0, 'inode=52014': 12, 'inode=52016': 0 });
    assert.equal(valuesOf(snapshot, packetSocketMemory)['inode=52016'], 166320);
    assert.equal(snapshot.collector('packet')?.status, 'ok');
  });

  it('counts hooks as the kernel lists them, whether af_packet is a module or not', () => {
    const snapshot = collect(packet, { files, dumps: { packet_diag } });
    assert.deepEqual(valuesOf(snapshot, packetHooks), {
      'device=eth0,function=tpacket_rcv,protocol=ALL': 1,
      'device=any,function=packet_rcv_fanout,protocol=ALL': 2,
      'device=any,function=ip_rcv,protocol=0800': 1,
      'device=any,function=ipv6_rcv,protocol=86dd': 1,
    });
  });

  it('keeps what the files say when PACKET_DIAG is refused, and calls the rest unknown', () => {
    const snapshot = collect(packet, { files });
    const sockets = labelsByInode(snapshot);
    assert.equal(sockets['51998']?.['hook'], 'tpacket_rcv', 'the only kind of ALL hook on eth0');
    assert.equal(sockets['51998']['filter'], 'unknown');
    assert.equal(sockets['52014']?.['hook'], 'unknown', 'one ethertype on one device is in no list');
    assert.equal(sockets['52015']?.['hook'], 'none');
    assert.equal(snapshot.collector('packet')?.status, 'partial');
    assert.deepEqual(valuesOf(snapshot, packetSocketDrops), {});
  });

  it('asks nothing of the kernel when there is no packet socket', () => {
    const snapshot = collect(packet, { files: { ...files, '/proc/net/packet': header } });
    assert.equal(snapshot.collector('packet')?.status, 'ok');
    assert.deepEqual(snapshot.series(packetSocket), []);
  });

  it('names an interface by its number when nothing else knows it', () => {
    const others = { '/proc/net/packet': files['/proc/net/packet'], '/proc/net/ptype': files['/proc/net/ptype'] };
    assert.equal(labelsByInode(collect(packet, { files: others }))['51998']?.['device'], 'if2');
    const sysfs = { ...others, '/sys/class/net/ens3/ifindex': '2\n' };
    assert.equal(labelsByInode(collect(packet, { files: sysfs }))['51998']?.['device'], 'ens3');
  });

  it('notes a failing file and goes on', () => {
    const broken = { ...files, '/proc/net/ptype': refusal('EIO') } as never;
    const snapshot = collect(packet, { files: broken, dumps: { packet_diag } });
    assert.equal(snapshot.collector('packet')?.status, 'partial');
    assert.equal(snapshot.series(packetSocket).length, 4);
  });

  it('takes an interface name that leaves no blank before the colon', () => {
    const long = parseNumberedDevices(
      new TextEncoder().encode('Idx\tDevice    : Count Querier\n12\tveth0123456789a:     1      V3\n'),
    );
    assert.deepEqual(long.ok && [...long.value], [[12, 'veth0123456789a']]);
  });

  it('takes the rows of dev_mcast, and a file without any', () => {
    const rows = '2    ifb0            1     0     333300000001\n4    eth0            1     0     01005e000001\n';
    const parsed = parseNumberedDevices(new TextEncoder().encode(rows));
    assert.deepEqual(parsed.ok && [...parsed.value], [
      [2, 'ifb0'],
      [4, 'eth0'],
    ]);
    assert.equal(parseNumberedDevices(new Uint8Array()).ok, true);
  });

  it('refuses numbered lines that are no rows of interfaces', () => {
    const igmp = 'Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n';
    for (const garbage of [
      '12 garbage\n',
      '12\n',
      'eth0 4\n',
      '4    eth0            1     0     xyz\n',
      '4    et/h0           1     0     01005e000001\n',
      '-4   eth0            1     0     01005e000001\n',
      '4    eth0            1     0     01005e000001',
      `${igmp}1\tlo        :     x      V3\n`,
      `${igmp}1\tlo        :     1      V3\n\t\t\t\tzz     1 0:00000000\t\t0\n`,
      `${igmp}\n`,
      '<html>\n',
    ]) {
      const parsed = parseNumberedDevices(new TextEncoder().encode(garbage));
      assert.ok(!parsed.ok, JSON.stringify(garbage));
      assert.equal(typeof parsed.offset, 'number');
    }
  });

  it('gives a value or a reason for any bytes', () => {
    for (const [text, parser] of [
      [files['/proc/net/packet'], parsePacketSockets],
      [files['/proc/net/ptype'], parsePtype],
      [files['/proc/net/igmp'], parseNumberedDevices],
    ] as const) {
      const bytes = new TextEncoder().encode(text);
      for (const cut of cutAnywhere(bytes)) {
        // A namespace without multicast has an empty dev_mcast.
        if (cut.length === 0 && parser === parseNumberedDevices) continue;
        if (cut.at(-1) !== 10) assert.ok(!parser(cut).ok, 'half a line is no line');
      }
      for (const noise of garbled(bytes)) {
        const parsed = parser(noise);
        if (parsed.ok) assert.ok(!JSON.stringify(parsed.value).includes('null'), 'no NaN');
      }
    }
  });
});
