import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  conntrackDrop,
  conntrackEntries,
  conntrackLimit,
  cpuSeconds,
  deviceInfo,
  deviceIrq,
  interrupts,
  receivePackets,
  transmitDrop,
  transmitPackets,
} from '../../src/metrics/catalogue/index.ts';
import { conntrackTableFull } from '../../src/rules/conntrack-table-full.ts';
import { interruptsOnOneCpu } from '../../src/rules/interrupts-on-one-cpu.ts';
import { transmitDrops } from '../../src/rules/transmit-drops.ts';
import { judge, type Cell } from '../support/window.ts';

const full = (netns: string): Cell[] => [
  [conntrackEntries, { netns }, 100, 100],
  [conntrackLimit, { netns }, 100, 100],
  [conntrackDrop, { netns }, [0], [50]],
];
const calm = (netns: string): Cell[] => [
  [conntrackEntries, { netns }, 1, 1],
  [conntrackLimit, { netns }, 100, 100],
  [conntrackDrop, { netns }, [0], [0]],
];
const ended = (netns: string): Cell[] => [
  [conntrackEntries, { netns }, 1, null],
  [conntrackLimit, { netns }, 100, null],
  [conntrackDrop, { netns }, [0], null],
];

describe('the rule engine', () => {
  it('judges each namespace by its own readings and names the one that fires', () => {
    const findings = judge(conntrackTableFull, { cells: [...calm('blue'), ...full('red')] });
    assert.deepEqual(
      findings.map(({ outcome, at }) => [outcome, at['netns']]),
      [['critical', 'red']],
    );
  });

  it('does not take what is known of a device for one of the same name in another namespace', () => {
    const sending = (netns: string, dropped: number): Cell[] => [
      [transmitPackets, { netns, device: 'eth0' }, 0, 1000],
      [transmitDrop, { netns, device: 'eth0' }, 0, dropped],
    ];
    const info = { device: 'eth0', ifindex: '4', driver: 'tun', kind: 'tun', pci: '', master: '' };
    const of = (own: number, pod: number): (string | null)[] =>
      judge(transmitDrops, { cells: [...sending('', own), ...sending('pod', pod), [deviceInfo, info, 1, 1]] })
        .filter(({ outcome }) => outcome === 'critical')
        .map(({ message }) => message);
    assert.deepEqual(of(500, 0), ['tun']);
    assert.deepEqual(of(0, 500), ['lost']);
    const irq = { device: 'eth0', type: '30', affinity: '0-1', effective_affinity: '0' };
    const received = (netns: string, frames: number): Cell => [receivePackets, { netns, device: 'eth0' }, 0, frames];
    const pod = judge(interruptsOnOneCpu, {
      cells: [
        [deviceIrq, irq, 1, 1],
        [interrupts, { cpu: '0', type: '30', info: 'PCI-MSI', devices: 'eth0' }, 0, 50_000],
        [cpuSeconds, { cpu: '0', mode: 'softirq' }, 0, 7],
        [cpuSeconds, { cpu: '1', mode: 'softirq' }, 0, 0],
        received('', 100),
        received('pod', 2_000_000),
      ],
    });
    assert.deepEqual(
      pod.map(({ outcome, instances }) => [outcome, instances]),
      [['ok', 2]],
    );
  });

  it('folds quiet instances into one finding', () => {
    const findings = judge(conntrackTableFull, { cells: [...calm('blue'), ...calm('green')] });
    assert.deepEqual(
      findings.map(({ outcome, instances }) => [outcome, instances]),
      [['ok', 2]],
    );
  });

  it('does not count a namespace that ended within the window as overlooked', () => {
    const findings = judge(conntrackTableFull, { cells: [...calm('blue'), ...ended('pod')] });
    assert.deepEqual(
      findings.map(({ outcome }) => outcome),
      ['ok'],
    );
  });

  it('says so when the only one there was ended', () => {
    const [finding] = judge(conntrackTableFull, { cells: ended('pod') });
    assert.equal(finding?.outcome, 'not-applicable');
    assert.equal(finding.args['reason'], 'there for a part of the window only');
  });

  it('keeps a namespace whose statistics could not be read apart from one that ended', () => {
    const unread: Cell[] = calm('red').slice(0, 2);
    const findings = judge(conntrackTableFull, { cells: [...calm('blue'), ...unread, ...ended('pod')] });
    assert.deepEqual(findings.map(({ outcome }) => outcome).sort(), ['not-measured', 'ok']);
  });

  it('does not pass over a namespace that could not be entered, and folds several', () => {
    const refused = { path: '/run/netns/x', reason: 'cannot enter the network namespace: not permitted (EPERM)' };
    const findings = judge(conntrackTableFull, { cells: calm('blue'), closed: { red: refused, green: refused } });
    assert.deepEqual(
      findings.map(({ outcome, instances }) => [outcome, instances]),
      [
        ['ok', 1],
        ['not-measured', 2],
      ],
    );
    assert.match(findings[1]!.missing[0]!.reason, /EPERM/);
  });

  it('does not mind one that was gone when it was to be entered', () => {
    const gone = { path: '/proc/70/ns/net', reason: 'no such file or directory (ENOENT)', errno: 'ENOENT' };
    const findings = judge(conntrackTableFull, { cells: calm('blue'), closed: { pod: gone } });
    assert.deepEqual(
      findings.map(({ outcome }) => outcome),
      ['ok'],
    );
  });

  it('takes a limit of the configuration instead of its own', () => {
    const half: Cell[] = [
      [conntrackEntries, {}, 50, 50],
      [conntrackLimit, {}, 100, 100],
      [conntrackDrop, {}, [0], [50]],
    ];
    assert.equal(judge(conntrackTableFull, { cells: half })[0]?.outcome, 'ok');
    const lowered = { PKT0201: { usage: 0.5 } };
    assert.equal(judge(conntrackTableFull, { cells: half }, lowered)[0]?.outcome, 'critical');
  });

  it('reports a bug in a rule as that rule not measured, and goes on', () => {
    const broken = {
      ...conntrackTableFull,
      conclude: () => {
        throw new Error('oops');
      },
    };
    const [finding] = judge(broken, { cells: full('red') });
    assert.equal(finding?.outcome, 'not-measured');
    assert.match(finding.missing[0]!.reason, /bug in rule PKT0201: oops/);
  });
});
