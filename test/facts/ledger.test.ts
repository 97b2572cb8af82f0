import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { ledgerOf } from '../../src/facts/ledger.ts';
import {
  netstat,
  packetSocket,
  packetSocketDrops,
  receiveMissed,
  receivePackets,
  skbDrops,
  skbDropsCounted,
  skbDropsError,
  skbDropsEstimated,
  skbDropsLookedAt,
  skbDropsNoRoom,
  skbDropsRarest,
} from '../../src/metrics/catalogue/index.ts';
import { windowOf, type Cell } from '../support/window.ts';

const counted = (total: number): Cell[] => [
  [skbDropsCounted, {}, 5, 5 + total],
  [skbDropsLookedAt, {}, 5, 5 + total],
  [skbDropsNoRoom, {}, 0, 0],
  [skbDropsRarest, {}, 1, 1],
];
const drop = (reason: string, location: string, packets: number, device = 'eth0', netns?: string): Cell => [
  skbDrops,
  { reason, location, device, ...(netns === undefined ? {} : { netns }) },
  3,
  3 + packets,
];

describe('the ledger of losses', () => {
  it('tells of no flood where each drop of the window was looked at, whatever was before it', () => {
    const earlier = counted(3).map((cell): Cell => (cell[0] === skbDropsRarest ? [skbDropsRarest, {}, 16, 16] : cell));
    assert.equal(ledgerOf(windowOf({ cells: earlier })).sampling, 1);
    const flood = earlier.map((cell): Cell => (cell[0] === skbDropsLookedAt ? [skbDropsLookedAt, {}, 5, 6] : cell));
    assert.equal(ledgerOf(windowOf({ cells: flood })).sampling, 16);
  });

  it('says how many are estimated and how far off they may be, of a flood of the window alone', () => {
    const of = (from: number, to: number) =>
      ledgerOf(windowOf({ cells: [...counted(500), [skbDropsEstimated, {}, from, to], [skbDropsError, {}, 70, 80]] }));
    assert.deepEqual([of(100, 500).estimated, of(100, 500).error], [400, 80]);
    assert.deepEqual([of(100, 100).estimated, of(100, 100).error], [0, 0]);
  });

  it('has all drops of the same time as its rows, where they were read later than the window ended', () => {
    const { total, lookedAt, sampling, rows } = ledgerOf(
      windowOf({
        cells: [...counted(500), drop('SOCKET_RCVBUFF', 'udp_queue_rcv_one_skb', 500)],
        readAfter: { [skbDrops.collector]: 12.5 },
      }),
    );
    assert.deepEqual([total, lookedAt, sampling, rows.map(({ packets }) => packets)], [400, 400, 1, [400]]);
  });

  it('has what was dropped for the first time in the window, in whatever namespace', () => {
    const began = ['SOCKET_RCVBUFF', 'NO_SOCKET'].map((reason, index): Cell => [
      skbDrops,
      { reason, location: 'udp_queue_rcv_one_skb', device: 'eth0', ...(index === 0 ? {} : { netns: 'pod' }) },
      null,
      50,
    ]);
    const { total, rows } = ledgerOf(windowOf({ cells: [...counted(100), ...began] }));
    assert.deepEqual(
      [total, rows.map(({ netns, packets }) => [netns, packets])],
      [
        100,
        [
          ['pod', 50],
          ['', 50],
        ],
      ],
    );
  });

  it('has no share of what arrived on a device whose frames are not known, and all of it where none came', () => {
    const share = (before: number, after: number | null): number | null | undefined =>
      ledgerOf(
        windowOf({
          cells: [
            ...counted(0),
            [receiveMissed, { device: 'eth0' }, 50, 40_050],
            [receivePackets, { device: 'eth0' }, before, after],
          ],
        }),
      ).rows[0]?.share;
    assert.deepEqual([share(900_000, 100_000), share(900_000, null), share(7, 7)], [null, null, 1]);
  });

  it('has what IPv6 lost where counters tell, and no share of what came for what was to be sent', () => {
    const rows = (['Ip', 'Ip6'] as const).flatMap((version): Cell[] => [
      [netstat.member(`${version}_OutNoRoutes`), {}, 0, 30],
      [netstat.member(version === 'Ip' ? 'IpExt_InNoRoutes' : 'Ip6_InNoRoutes'), {}, 0, 20],
      [netstat.member(version === 'Ip' ? 'Udp_RcvbufErrors' : 'Udp6_RcvbufErrors'), {}, 0, 10],
    ]);
    const told = ledgerOf(windowOf({ cells: [...rows, [receivePackets, { device: 'eth0' }, 0, 1000]] })).rows;
    assert.deepEqual(
      told.map(({ reason, packets, share, rule }) => [reason, packets, share, rule]),
      [
        ['Ip6_OutNoRoutes', 30, null, 'PKT0701'],
        ['Ip_OutNoRoutes', 30, null, 'PKT0701'],
        ['Ip6_InNoRoutes', 20, 0.02, 'PKT0701'],
        ['IpExt_InNoRoutes', 20, 0.02, 'PKT0701'],
        ['Udp6_RcvbufErrors', 10, 0.01, 'PKT0405'],
        ['Udp_RcvbufErrors', 10, 0.01, 'PKT0405'],
      ],
    );
    const late = { cells: [...rows], readAfter: { [netstat.collector]: 15 } };
    assert.deepEqual([...new Set(ledgerOf(windowOf(late)).rows.map(({ packets }) => packets))], [20, 13, 7]);
    for (const { place, reason } of told) assert.equal(place.endsWith('6'), reason.includes('6'), reason);
  });

  it('balances the books: frames in are delivered, forwarded, dropped by kind, or not accounted for', () => {
    const { rows, books } = ledgerOf(
      windowOf({
        cells: [
          ...counted(350),
          drop('IP_RPFILTER', 'ip_rcv_finish_core', 100),
          drop('NETFILTER_DROP', 'nft_do_chain', 200),
          drop('SOCKET_RCVBUFF', 'udp_queue_rcv_one_skb', 50),
          [receivePackets, { device: 'eth0' }, 10, 1010],
          [netstat.member('Ip_InDelivers'), {}, 7, 507],
          [netstat.member('Ip_ForwDatagrams'), {}, 0, 190],
        ],
      }),
    );
    for (const row of rows)
      assert.deepEqual(
        Object.keys(row),
        ['reason', 'means', 'place', 'device', 'netns', 'packets', 'share', 'kind', 'rule'],
        'what the schema has, and nothing else',
      );
    assert.deepEqual(books, [
      {
        netns: '',
        devices: ['eth0'],
        framesIn: 1000,
        delivered: 500,
        forwarded: 190,
        lost: 100,
        policy: 200,
        noise: 0,
        unclear: 0,
        notAccounted: 10,
        droppedAfter: 50,
      },
    ]);
    assert.deepEqual(
      rows.map(({ reason, packets, share, kind, rule }) => [reason, packets, share, kind, rule]),
      [
        ['NETFILTER_DROP', 200, 0.2, 'policy', 'PKT0704'],
        ['IP_RPFILTER', 100, 0.1, 'loss', 'PKT0701'],
        ['SOCKET_RCVBUFF', 50, 0.05, 'loss', 'PKT0405'],
      ],
    );
  });

  for (const [kernel, transmitted] of [
    ['that count a packet as forwarded before the hook', 360],
    ['that count it behind the hook, and have no count of all that went out', null],
  ] as const)
    it(`has a packet that is dropped while it is forwarded once, on kernels ${kernel}`, () => {
      const after = transmitted === null;
      const { books } = ledgerOf(
        windowOf({
          cells: [
            ...counted(810),
            drop('NETFILTER_DROP', 'nft_do_chain', 500),
            drop('PKT_TOO_BIG', 'ip_forward', 200),
            // Of the host's own, at its output hook.
            drop('NETFILTER_DROP', 'nft_do_chain', 10, ''),
            drop('NETFILTER_DROP', 'nft_do_chain', 100, 'eth1'),
            [receivePackets, { device: 'eth0' }, 0, 1100],
            [netstat.member('Ip_InDelivers'), {}, 0, 0],
            [netstat.member('Ip_ForwDatagrams'), {}, 5, after ? 305 : 1005],
            [netstat.member('Ip_OutRequests'), {}, 0, 70],
            ...(after ? [] : [[netstat.member('Ip_OutTransmits'), {}, 0, transmitted] as const]),
          ],
        }),
      );
      assert.deepEqual(
        books.map(({ forwarded, lost, policy, notAccounted }) => ({ forwarded, lost, policy, notAccounted })),
        [{ forwarded: 300, lost: 200, policy: 600, notAccounted: 0 }],
      );
    });

  it('takes none for dropped twice where a route leads what is forwarded into a tunnel', () => {
    const { books } = ledgerOf(
      windowOf({
        cells: [
          ...counted(0),
          [receivePackets, { device: 'eth0' }, 0, 1000],
          [netstat.member('Ip_InDelivers'), {}, 0, 0],
          [netstat.member('Ip_ForwDatagrams'), {}, 0, 1000],
          [netstat.member('Ip_OutRequests'), {}, 0, 0],
          [netstat.member('Ip_OutTransmits'), {}, 0, 0],
        ],
      }),
    );
    assert.deepEqual(
      books.map(({ forwarded, notAccounted }) => [forwarded, notAccounted]),
      [[1000, 0]],
    );
  });

  it('keeps namespaces apart, and drops elsewhere without a share', () => {
    const { rows, books } = ledgerOf(
      windowOf({
        cells: [
          ...counted(20),
          drop('UDP_CSUM', '__udp4_lib_rcv', 10, 'eth0', 'pod'),
          drop('UDP_CSUM', '__udp4_lib_rcv', 10, '', '(elsewhere)'),
          [receivePackets, { device: 'eth0', netns: 'pod' }, 0, 100],
          [netstat.member('Ip_InDelivers'), { netns: 'pod' }, 0, 80],
          [netstat.member('Ip_ForwDatagrams'), { netns: 'pod' }, 7, 7],
          [receivePackets, { device: 'eth0', netns: 'unread' }, 0, 100],
        ],
      }),
    );
    assert.deepEqual(
      rows.map(({ netns, share }) => [netns, share]),
      [
        ['pod', 0.1],
        ['(elsewhere)', null],
      ],
    );
    assert.deepEqual(
      books.map(({ netns, notAccounted }) => [netns, notAccounted]),
      [['pod', 20]],
      'nothing is missing where nobody counted what was delivered',
    );
  });

  it('takes what a firewall drops of the packets that the host sends for none of those it received', () => {
    const { rows, books } = ledgerOf(
      windowOf({
        cells: [
          ...counted(19_503),
          drop('NETFILTER_DROP', 'nft_do_chain', 19_503, ''),
          [receivePackets, { device: 'eth0' }, 0, 10],
          [netstat.member('Ip_InDelivers'), {}, 0, 10],
          [netstat.member('Ip_ForwDatagrams'), {}, 0, 0],
        ],
      }),
    );
    assert.equal(rows[0]?.share, null);
    assert.deepEqual(
      books.map(({ policy, notAccounted, droppedAfter }) => ({ policy, notAccounted, droppedAfter })),
      [{ policy: 0, notAccounted: 0, droppedAfter: 19_503 }],
    );
  });

  it('adds what no packet was made of: the ring of the card', () => {
    const { rows } = ledgerOf(windowOf({ cells: [...counted(0), [receiveMissed, { device: 'eth0' }, 5, 1005]] }));
    assert.deepEqual([rows[0]?.reason, rows[0]?.packets, rows[0]?.rule], ['rx_missed_errors', 1000, 'PKT0501']);
  });

  for (const [lost, received, share] of [
    [40_000, 500_000, 40 / 540],
    [900_000, 100, 900_000 / 900_100],
    [1000, 0, 1],
  ] as const)
    it(`takes the ${lost} frames that a card lost as a share of all that arrived, with ${received} received`, () => {
      const { rows } = ledgerOf(
        windowOf({
          cells: [
            ...counted(0),
            [receiveMissed, { device: 'eth0' }, 5, 5 + lost],
            [receivePackets, { device: 'eth0' }, 7, 7 + received],
          ],
        }),
      );
      assert.equal(rows[0]?.share, share);
    });

  it('has no share of more than what was received, as of copies of one packet', () => {
    const { rows } = ledgerOf(
      windowOf({
        cells: [
          ...counted(300),
          drop('SOCKET_RCVBUFF', 'udp_queue_rcv_one_skb', 300),
          [receivePackets, { device: 'eth0' }, 0, 100],
        ],
      }),
    );
    assert.equal(rows[0]?.share, null);
  });

  for (const [device, at] of [
    ['eth0', 'eth0'],
    ['any', ''],
  ] as const)
    it(`counts once what a capture on ${device} lost of the packets that this host sent`, () => {
      const { rows, books } = ledgerOf(
        windowOf({
          cells: [
            ...counted(60),
            drop('PACKET_SOCK_ERROR', 'packet_rcv', 40),
            drop('PACKET_SOCK_ERROR', 'packet_rcv', 20, 'eth0', 'pod'),
            [packetSocket, { inode: '7', device }, 1, 1],
            [packetSocketDrops, { inode: '7' }, 0, 900],
            [receivePackets, { device: 'eth0' }, 0, 1800],
            [netstat.member('Ip_InDelivers'), {}, 0, 1800],
            [netstat.member('Ip_ForwDatagrams'), {}, 0, 0],
          ],
        }),
      );
      assert.deepEqual(
        rows.map(({ place, device: named, netns, packets, share, rule }) => [
          place,
          named,
          netns,
          packets,
          share,
          rule,
        ]),
        [
          ['packet socket 7', at, '', 900, null, 'PKT0709'],
          ['packet_rcv', 'eth0', 'pod', 20, null, 'PKT0709'],
        ],
        'in the pod no counter tells of it',
      );
      assert.equal(books.length, 1);
    });

  it('tells by counters where drops were not counted, and says why they were not', () => {
    const ledger = ledgerOf(
      windowOf({
        cells: [[netstat.member('TcpExt_IPReversePathFilter'), { netns: 'pod' }, 0, 40]],
        failed: { drops: { path: 'drops', reason: 'attaching eBPF programs needs root' } },
      }),
    );
    assert.equal(ledger.counted, false);
    assert.match(ledger.reason ?? '', /root/);
    assert.deepEqual(
      ledger.rows.map(({ reason, netns, packets, rule }) => [reason, netns, packets, rule]),
      [['TcpExt_IPReversePathFilter', 'pod', 40, 'PKT0701']],
    );
    assert.deepEqual(ledger.books, []);
  });
});
