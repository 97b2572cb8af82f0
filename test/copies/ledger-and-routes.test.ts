import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { expectFinding, found, groups, host, judgeCopy, netdev, pairOf, type Copy } from '../support/copies.ts';

const counters = (times: number, filtered: number): Copy => ({
  'proc/net/netstat': groups({ TcpExt: { IPReversePathFilter: filtered * times }, IpExt: { InNoRoutes: 0 } }),
  'proc/net/snmp': groups({
    Ip: { InReceives: 100_000 * times, InHdrErrors: 0, InAddrErrors: 0, OutNoRoutes: 0 },
  }),
});
const six = (received: number): Copy => ({
  'proc/net/snmp6': `Ip6InReceives ${received}\nIp6InHdrErrors 0\nIp6InNoRoutes 0\nIp6InAddrErrors 0\nIp6OutNoRoutes 0\n`,
});

describe('what rp_filter dropped, which is of IPv4 alone', () => {
  const judge = (beside: readonly [Copy, Copy]): ReturnType<typeof judgeCopy> =>
    judgeCopy(
      pairOf(
        host('6.1.0-18-amd64'),
        { ...counters(1, 60_000), ...beside[0] },
        { ...counters(2, 60_000), ...beside[1] },
      ),
    );

  it('weighs the same whether the counters of IPv6 were copied or not', () => {
    for (const beside of [
      [six(5), six(9)],
      [{}, {}],
      [six(5), six(10_000_000)],
    ] as const)
      expectFinding(judge(beside), 'PKT0701', ['critical', 'measured', /^60,000 packets were lost.*rp_filter/]);
  });

  it('weighs the same in one sample', () => {
    const of = (copy: Copy): string => {
      const finding = found(
        judgeCopy({ ...host('6.1.0-18-amd64'), 'proc/uptime': '86400.00 1.00\n', ...copy }),
        'PKT0701',
      );
      return `${finding.outcome} ${finding.certainty ?? ''}`;
    };
    assert.equal(of({ ...counters(1, 95_000), ...six(10) }), 'warning possible');
    assert.equal(of(counters(1, 95_000)), 'warning possible');
    assert.equal(of({ ...counters(1, 95_000), ...six(100_000_000) }), 'warning possible');
  });
});

describe('the ledger of losses', () => {
  const inside = 'sys/devices/pci0000:00/0000:00:03.0/net/eth0';
  const card = (missed: number, own: number, driver = 'ixgbe'): Copy => ({
    'sys/class/net/eth0@': '../../devices/pci0000:00/0000:00:03.0/net/eth0',
    [`${inside}/flags`]: '0x1003\n',
    [`${inside}/ifindex`]: '2\n',
    [`${inside}/statistics/rx_missed_errors`]: `${missed}\n`,
    [`${inside}/statistics/rx_packets`]: `${1000 + own}\n`,
    'proc/net/dev': netdev({ eth0: { packets: 1000 + own * 10 } }),
    'sos_commands/networking/ethtool_-S_eth0': `NIC statistics:\n     rx_missed_errors: ${missed}\n     rx_no_dma_resources: ${own}\n`,
    'sos_commands/networking/ethtool_-i_eth0': `driver: ${driver}\nversion: 5.14\n`,
  });
  const rows = (before: Copy, after: Copy): readonly (readonly [string, string, number, string | null])[] => {
    const { ledger } = judgeCopy(pairOf(host('5.14.0-427.el9.x86_64'), before, after)).report;
    return ledger?.rows.map(({ reason, device, packets, rule }) => [reason, device, packets, rule]) ?? [];
  };

  it('has what the driver counts by a name of its own', () => {
    assert.deepEqual(rows(card(0, 100), card(0, 60_100)), [['rx_no_dma_resources', 'eth0', 60_000, 'PKT0501']]);
  });

  it('has a loss once where the statistics of the device have it too', () => {
    assert.deepEqual(rows(card(100, 100), card(60_100, 60_100)), [['rx_missed_errors', 'eth0', 60_000, 'PKT0501']]);
    assert.deepEqual(rows(card(100, 100), card(1100, 60_100)), [['rx_no_dma_resources', 'eth0', 60_000, 'PKT0501']]);
  });
});
