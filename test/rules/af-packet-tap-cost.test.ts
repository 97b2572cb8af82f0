import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { cpuSeconds, softnetProcessed, spanCpuPackets } from '../../src/metrics/catalogue/index.ts';
import { afPacketTapCost } from '../../src/rules/af-packet-tap-cost.ts';
import { evaluateRules } from '../../src/rules/engine.ts';
import { ruleCases } from '../support/cases.ts';
import { kernelHooks, ownerCell, socketCell } from '../support/taps.ts';
import { judge, windowOf, type Cell } from '../support/window.ts';
import { traffic, probe, tcpdump, busy, calm } from './af-packet-tap-cost/cells.ts';
import { pricedCases } from './af-packet-tap-cost/priced.ts';
import { limitsCases } from './af-packet-tap-cost/limits.ts';
import { billCases } from './af-packet-tap-cost/bill.ts';
import { sentCases } from './af-packet-tap-cost/sent.ts';
import { unpricedCases } from './af-packet-tap-cost/unpriced.ts';
import { ruledOutCases } from './af-packet-tap-cost/ruled-out.ts';
import { namespacesCases } from './af-packet-tap-cost/namespaces.ts';
import { unreadCases } from './af-packet-tap-cost/unread.ts';

ruleCases(afPacketTapCost, [
  ...pricedCases,
  ...limitsCases,
  ...billCases,
  ...sentCases,
  ...unpricedCases,
  ...ruledOutCases,
  ...namespacesCases,
  ...unreadCases,
]);

describe('PKT0101 on several devices', () => {
  const pods = Array.from({ length: 30 }, (_, pod) => traffic(`veth${pod}`, 1000)).flat();

  it('does not accuse devices that carry little: those are one line of what was not measured', () => {
    const cells = [...busy, ...pods, socketCell({ device: 'any' }), kernelHooks, ...calm];
    const findings = judge(afPacketTapCost, { cells });
    assert.deepEqual(
      findings.map(({ outcome, instances, at }) => [outcome, instances, at['device'] ?? '']),
      [
        ['info', 1, 'eth0'],
        ['not-measured', 30, ''],
      ],
    );
    assert.match(findings[1]!.missing[0]!.reason, /not priced/);
  });

  it('is not measured in a namespace whose sockets could not be read, whatever the others say', () => {
    const cells = [...busy, ...traffic('eth0', 5000, 'pod'), kernelHooks, ...calm];
    const window = windowOf({ cells });
    const at = window.after.collectors.findIndex(({ id, netns }) => id === 'packet' && netns === 'pod');
    const gaps = [{ path: '/proc/net/ptype', reason: 'input/output error (EIO)' }];
    window.after.collectors[at] = { ...window.after.collectors[at]!, status: 'unavailable', gaps };
    const findings = evaluateRules(window, [afPacketTapCost]);
    assert.deepEqual(
      findings.map(({ outcome }) => outcome),
      ['ok', 'not-measured'],
    );
    assert.equal(findings[1]!.at['netns'], 'pod');
    assert.match(findings[1]!.missing[0]!.reason, /EIO/);
  });

  it('quotes a device name that is no plain word', () => {
    const device = "a'b;c";
    const cells: Cell[] = [
      ...traffic(device, 100_000),
      socketCell({ device }),
      ownerCell('1001', 'tcpdump', '1'),
      kernelHooks,
    ];
    const [finding] = judge(afPacketTapCost, { cells });
    assert.match(finding!.remedies.map(({ command }) => command).join('\n'), /-i 'a'\\''b;c' /);
  });
});

describe('PKT0101 says which CPUs are short of time', () => {
  const load = (name: string, softirq: number, idle: number, processed: number): Cell[] => [
    [cpuSeconds, { cpu: name, mode: 'softirq' }, 0, softirq * 10],
    [cpuSeconds, { cpu: name, mode: 'user' }, 0, (1 - softirq - idle) * 10],
    [cpuSeconds, { cpu: name, mode: 'idle' }, 0, idle * 10],
    [softnetProcessed, { cpu: name }, 0, processed * 10],
  ];
  const cpusOf = (...cells: readonly Cell[]): readonly string[] => {
    const [found] = judge(afPacketTapCost, {
      cells: [...busy, ...tcpdump, kernelHooks, ...probe(3150, 5000, 100_000), ...cells],
    });
    assert.equal(found?.certainty, 'measured');
    return found.place.cpus ?? [];
  };

  it('one that the taps take a fifth of, with no time to spare, though softirq alone does not fill it', () => {
    assert.deepEqual(cpusOf(...load('0', 0.5, 0.05, 100_000), ...load('1', 0, 0, 0)), ['0']);
  });

  it('not one that is idle now and then, nor one that takes few of the packets', () => {
    assert.deepEqual(cpusOf(...load('0', 0.5, 0.2, 100_000), ...load('1', 0, 0, 0)), []);
    assert.deepEqual(cpusOf(...load('0', 0.5, 0.05, 60_000), ...load('1', 0.1, 0, 40_000)), []);
  });

  it('by what the probe counted of its packets on each CPU, where it did', () => {
    const elsewhere: Cell[] = [
      [spanCpuPackets, { device: 'eth0', cpu: '0' }, 0, 100_000],
      [spanCpuPackets, { device: 'eth0', cpu: '1' }, 0, 900_000],
    ];
    const loads = [...load('0', 0.5, 0.05, 100_000), ...load('1', 0.3, 0.02, 90_000)];
    assert.deepEqual(cpusOf(...loads, ...elsewhere), ['1']);
    const [found] = judge(afPacketTapCost, {
      cells: [...busy, ...tcpdump, kernelHooks, ...probe(3150, 5000, 100_000), ...loads, ...elsewhere],
    });
    assert.deepEqual(found?.args['cpus'], {
      words: 'CPU 1 27%, CPU 0 3.0%',
      data: [
        { cpu: '1', share: 0.27 },
        { cpu: '0', share: 0.03 },
      ],
    });
  });

  it('one that softirq fills, whatever the taps take of it', () => {
    assert.deepEqual(cpusOf(...load('0', 0.95, 0.05, 100_000)), ['0']);
  });
});
