import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { expectFinding, found, groups, host, judgeCopy, netdev, pairOf, type Copy } from '../support/copies.ts';

const quiet = groups({ TcpExt: { ListenOverflows: 0, ListenDrops: 0, TCPReqQFullDrop: 0, TCPBacklogDrop: 0 } });
const inside = 'sys/devices/pci0000:00/0000:00:03.0/net/eth0';

interface Card {
  readonly driver?: string;
  /** Lines of `ethtool -S`. */
  readonly says: string;
  readonly packets?: number;
  readonly dropped?: number;
  /** Without: neither statistics/ nor `ip -s` were copied. */
  readonly statistics?: boolean;
}

function card({ driver, says, packets = 96_000_000, dropped = 0, statistics = true }: Card): Copy {
  const commands = 'sos_commands/networking/ethtool';
  return {
    'sys/class/net/eth0@': '../../devices/pci0000:00/0000:00:03.0/net/eth0',
    [`${inside}/flags`]: '0x1003\n',
    [`${inside}/ifindex`]: '2\n',
    ...(statistics
      ? {
          [`${inside}/statistics/rx_missed_errors`]: '0\n',
          [`${inside}/statistics/rx_packets`]: `${packets}\n`,
          [`${inside}/statistics/rx_nohandler`]: '0\n',
        }
      : {}),
    'proc/net/dev': netdev({ eth0: { packets, dropped } }),
    [`${commands}_-S_eth0`]: `NIC statistics:\n${says}`,
    ...(driver === undefined ? {} : { [`${commands}_-i_eth0`]: `driver: ${driver}\nversion: 5.14\n` }),
  };
}

const boot = { ...host('5.14.0-427.13.1.el9_4.x86_64'), 'proc/uptime': '104000.00 1.00\n', 'proc/net/netstat': quiet };
const judge = (of: Card): ReturnType<typeof judgeCopy> => judgeCopy({ ...boot, ...card(of) });

describe('what drivers count of full rings, in one copy', () => {
  const cases: Readonly<Record<string, readonly [card: Card, counter: string]>> = {
    ixgbe: [
      { driver: 'ixgbe', says: '     rx_missed_errors: 0\n     rx_no_dma_resources: 4000000\n' },
      'rx_no_dma_resources',
    ],
    'i40e before 6.8': [
      { driver: 'i40e', says: '     rx_dropped: 0\n     port.rx_dropped: 4000000\n' },
      'port\\.rx_dropped',
    ],
    'be2net, in rx_dropped as well': [
      {
        driver: 'be2net',
        says: '     rxq0: rx_pkts: 9\n     rxq0: rx_drops_no_frags: 3000000\n     rxq1: rx_drops_no_frags: 1000000\n',
        dropped: 4_000_000,
      },
      'rxqN: rx_drops_no_frags',
    ],
    virtio_net: [
      { driver: 'virtio_net', says: '     rx0_hw_drop_overruns: 4000000\n     rx0_drops: 0\n' },
      'rxN_hw_drop_overruns',
    ],
    'vmxnet3, once for each queue': [
      {
        driver: 'vmxnet3',
        says: '     Rx Queue#: 0\n       pkts rx OOB: 1000000\n     Rx Queue#: 1\n       pkts rx OOB: 3000000\n',
      },
      'pkts rx OOB',
    ],
    'ena, in rx_dropped as well': [{ driver: 'ena', says: '     rx_drops: 4000000\n', dropped: 4_000_000 }, 'rx_drops'],
  };
  for (const [name, [of, counter]] of Object.entries(cases)) {
    it(`are told since boot: ${name}`, () => {
      const says = `^eth0 \\(${of.driver ?? ''}\\) lost 4,000,000 frames in its receive ring since boot .*, 4% of what arrived\\..* as ${counter} `;
      const finding = expectFinding(judge(of), 'PKT0501', ['warning', 'possible', new RegExp(says)]);
      assert.deepEqual(finding.at, { device: 'eth0', netns: '' });
    });
  }

  it('are told where no statistics of the device were copied', () => {
    const judged = judge({
      driver: 'mlx5_core',
      says: '     rx_packets: 96000000\n     rx_out_of_buffer: 4000000\n',
      statistics: false,
    });
    expectFinding(judged, 'PKT0501', [
      'warning',
      'possible',
      /4,000,000 frames .* since boot .*, 4% of what arrived\./,
    ]);
  });

  it('are told by rx_dropped alone where the driver counts there, as a note: what nobody wanted is in it', () => {
    const judged = judge({ driver: 'nicvf', says: '     rx_frames: 5\n', dropped: 4_000_000 });
    expectFinding(judged, 'PKT0501', [
      'info',
      'possible',
      /^eth0 \(nicvf\) dropped 4,000,000 frames since boot .*, 4% of /,
    ]);
  });

  it('are none where the driver counts none', () => {
    for (const says of [
      '     rx0_hw_drop_overruns: 0\n',
      '     rx_no_dma_resources: 0\n     rx_no_buffer_count: 900\n',
    ]) {
      const judged = judge({ driver: says.includes('hw_drop') ? 'virtio_net' : 'ixgbe', says });
      assert.equal(found(judged, 'PKT0501').outcome, 'ok', JSON.stringify(found(judged, 'PKT0501')));
    }
  });

  it('are none by the statistics alone in a copy of /proc and /sys, whatever else was not copied', () => {
    const { 'sos_commands/networking/ethtool_-S_eth0': _, ...without } = card({ says: '' });
    const { [`${inside}/ifindex`]: __, ...unnumbered } = without;
    const driven = { ...unnumbered, [`${inside}/device/driver@`]: '../../../../bus/pci/drivers/ixgbe' };
    assert.equal(found(judgeCopy({ ...boot, ...driven }), 'PKT0501').outcome, 'ok');
    // Of some drivers the statistics say nothing.
    assert.equal(found(judgeCopy({ ...boot, ...unnumbered }), 'PKT0501').outcome, 'not-measured');
  });

  it('are not known where sos ran ethtool, and what the driver counts was not copied, empty or cut', () => {
    const { 'sos_commands/networking/ethtool_-S_eth0': _, ...without } = card({ driver: 'ixgbe', says: '' });
    for (const copy of [
      without,
      { ...without, 'sos_commands/networking/ethtool_-S_eth0': '' },
      card({ driver: 'ixgbe', says: '     rx_missed_errors: 0\n     rx_no_dma_resources: 0\n     rx_no_bu' }),
      card({ driver: 'ixgbe', says: '     rx_missed_errors: 0\n     rx_no_buffer_count: 0\n' }),
    ])
      assert.equal(found(judgeCopy({ ...boot, ...copy }), 'PKT0501').outcome, 'not-measured');
  });

  for (const counter of ['rx_out_of_buffer', 'rx_no_buffer_count', 'rx_no_dma_resources', 'rx_missed_errors']) {
    it(`are possible where nothing says whose driver it is: ${counter}`, () => {
      expectFinding(judge({ says: `     rx_packets: 9\n     ${counter}: 4000000\n` }), 'PKT0501', [
        'warning',
        'possible',
        new RegExp(`^eth0 lost 4,000,000 frames .* as ${counter} \\(ethtool -S\\), as other drivers call it`),
      ]);
    });
  }

  it('are a remark where the name says no more than that frames were dropped', () => {
    const finding = found(judge({ driver: 'newcard', says: '     rx_discards: 4000000\n' }), 'PKT0501');
    assert.deepEqual([finding.outcome, finding.certainty], ['info', 'possible']);
  });

  const before: Readonly<Record<string, readonly [driver: string, says: string, words: RegExp]>> = {
    'in the card': [
      'mlx5_core',
      'rx_out_of_buffer: 0\n     rx_discards_phy',
      /no room for them in the card itself.*\(rx_discards_phy of/,
    ],
    'for want of memory': [
      'ice',
      'rx_dropped.nic: 0\n     rx_alloc_fail',
      /got no memory for their buffers \(rx_alloc_fail of/,
    ],
    'on the cable': ['ice', 'rx_dropped.nic: 0\n     rx_crc_errors.nic', /spoilt on their way/],
    'by the host of the guest': [
      'ena',
      'rx_drops: 0\n     bw_in_allowance_exceeded',
      /more than the host of this guest allows/,
    ],
  };
  for (const [where, [driver, counter, words]] of Object.entries(before)) {
    it(`are told before the ring as well: ${where}`, () => {
      const finding = expectFinding(judge({ driver, says: `     ${counter}: 4000000\n` }), 'PKT0501', [
        'warning',
        'possible',
        words,
      ]);
      assert.match(finding.summary, /^eth0 \(\w+\) lost 4,000,000 frames since boot .*, 4% of what arrived, because/);
    });
  }

  it('are told beside each other, the larger first', () => {
    const says = (ring: number, port: number): string =>
      `     rx_out_of_buffer: ${ring}\n     rx_discards_phy: ${port}\n`;
    const ring = found(judge({ driver: 'mlx5_core', says: says(4_000_000, 1000) }), 'PKT0501');
    assert.match(ring.summary, /in its receive ring .*; besides, 1,000 frames because .* \(rx_discards_phy\)/);
    const port = found(judge({ driver: 'mlx5_core', says: says(1000, 4_000_000) }), 'PKT0501');
    assert.match(port.summary, /in the card itself.*; besides, 1,000 frames in its receive ring\.$/);
  });

  it('are asked for by the names that people write where ethtool -S does not have them', () => {
    const finding = found(judge({ driver: 'virtio_net', says: '     rx0_packets: 5\n' }), 'PKT0501');
    assert.equal(finding.outcome, 'not-applicable', JSON.stringify(finding));
    assert.match(finding.summary, /`ethtool -S eth0` may have it as rxN_hw_drop_overruns$/);
  });
});

describe('what drivers count of full rings, in two copies', () => {
  const pair = (before: number, after: number): ReturnType<typeof judgeCopy> => {
    const { 'proc/uptime': _, ...common } = boot;
    const at = (lost: number, packets: number): Copy =>
      card({ driver: 'ixgbe', says: `     rx_no_dma_resources: ${lost}\n`, packets });
    return judgeCopy(pairOf(common, at(before, 1000), at(after, 1_001_000)));
  };

  it('is what was added between them', () => {
    expectFinding(pair(5_000_000, 5_060_000), 'PKT0501', [
      'critical',
      'measured',
      /^eth0 \(ixgbe\) lost 60,000 frames .* 5\.7% of what arrived \(6,000\/s\)\. Its driver counts them as rx_no_dma_resources/,
    ]);
  });

  it('is nothing where the counters stood still', () => {
    assert.equal(found(pair(5_000_000, 5_000_000), 'PKT0501').outcome, 'ok');
  });

  it('is not the total where only one of them has the counters', () => {
    const { 'proc/uptime': _, ...common } = boot;
    const of = (says: string, packets: number): Copy => card({ driver: 'ixgbe', says, packets });
    const judged = judgeCopy(
      pairOf(common, of('     other: 1\n', 1000), of('     rx_no_dma_resources: 4000000\n', 1_001_000)),
    );
    assert.notEqual(found(judged, 'PKT0501').outcome, 'critical');
  });

  it('names no driver where none is known', () => {
    const { 'proc/uptime': _, ...common } = boot;
    const of = (missed: number, packets: number): Copy => ({
      ...card({ says: '     rx_packets: 5\n', packets }),
      [`${inside}/statistics/rx_missed_errors`]: `${missed}\n`,
    });
    const judged = judgeCopy(pairOf(common, of(0, 1000), of(60_000, 1_001_000)));
    expectFinding(judged, 'PKT0501', ['critical', 'measured', /^eth0 lost 60,000 frames in its receive ring, /]);
  });
});
