/** One loss, one answer: the table of losses, the list of packet sockets, the ledger and the finding are of the same count. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  deviceInfo,
  packetRingDrops,
  packetRingsSeen,
  packetSocketDrops,
  receiveDrop,
  receiveMissed,
  receivePackets,
  socketOwner,
  softnetDropped,
  softnetProcessed,
} from '../../../src/metrics/catalogue/index.ts';
import type { Report } from '../../../src/generated/report.ts';
import { ledgerWords } from '../../../src/report/tables/ledger.ts';
import { lossesOf } from '../../../src/report/tables/losses.ts';
import { lostRate } from '../../../src/report/words/findings.ts';
import { backlogDrops } from '../../../src/rules/backlog-drops.ts';
import { captureIncomplete } from '../../../src/rules/capture-incomplete.ts';
import { evaluateRules } from '../../../src/rules/engine.ts';
import { nicRingDrops } from '../../../src/rules/nic-ring-drops.ts';
import { ownerCell, socketCell } from '../../support/taps.ts';
import { windowOf, type Cell } from '../../support/window.ts';
import { finding, host, reportOf } from '../cases.ts';

const KIND = 'packet socket full (the capture is incomplete)';
const queue = [
  socketCell({ inode: '1002', ring: 'none', hook: 'packet_rcv' }),
  [packetSocketDrops, { inode: '1002' }, 0, 0] as const,
];
const lostByRing: Cell = [packetRingDrops, { inode: '1001' }, 0, 70_000];
const looked: Cell = [packetRingsSeen, {}, 1, 1];

function told(cells: readonly Cell[]): Report {
  const all = [...host(), ...cells];
  return reportOf({ cells: all }, evaluateRules(windowOf({ cells: all }), [captureIncomplete]));
}

function byFinding({ findings }: Report): unknown[] {
  return findings.filter(({ outcome }) => outcome === 'info').map(({ args }) => args['lost']);
}

describe('what a capture lost', () => {
  for (const [name, labels] of Object.entries({
    'a ring': {},
    'a ring that only its function tells of': { ring: 'unknown' },
  }))
    it(`of ${name} beside a socket that lost nothing is one count everywhere`, () => {
      const report = told([...queue, socketCell(labels), ownerCell('1001', 'tcpdump', '31'), lostByRing, looked]);
      const { rows, none } = lossesOf(report);
      assert.deepEqual(
        rows.map(({ where, counts, lost }) => [where, counts, lost]),
        [['tcpdump (pid 31) on eth0', KIND, 70_000]],
      );
      assert.ok(!none.includes(KIND));
      assert.equal(report.taps.find(({ inode }) => inode === '1001')?.drops, 70_000);
      assert.deepEqual(byFinding(report), [70_000]);
      assert.deepEqual(
        report.ledger?.rows.map(({ packets }) => packets),
        [70_000],
      );
    });

  it('of a socket of which it is not known whether it has a ring is told as well', () => {
    const report = told([
      socketCell({ ring: 'unknown', hook: 'packet_rcv' }),
      [packetSocketDrops, { inode: '1001' }, 0, 500],
    ]);
    assert.equal(report.taps[0]?.drops, 500);
    assert.deepEqual(
      lossesOf(report).rows.map(({ lost }) => lost),
      [500],
    );
    assert.deepEqual(byFinding(report), [500]);
  });

  it('is nothing where the probe looked and no ring was full, and not known where nobody looked', () => {
    const calm = told([...queue, socketCell({}), looked]);
    assert.ok(lossesOf(calm).none.includes(KIND));
    assert.equal(calm.taps.find(({ inode }) => inode === '1001')?.drops, 0);
    const blind = told([...queue, socketCell({})]);
    assert.ok(!lossesOf(blind).none.includes(KIND));
    assert.ok(lossesOf(blind).unknown.includes(KIND));
    assert.ok(blind.findings.some(({ outcome }) => outcome === 'not-measured'));
  });

  it('is of whoever holds the socket at the end, in the finding and in the table', () => {
    const report = told([
      socketCell({ ring: 'none', hook: 'packet_rcv' }),
      [packetSocketDrops, { inode: '1001' }, 0, 9],
      [socketOwner, { inode: '1001', pid: '10', comm: 'arpwatch' }, 1, null],
      [socketOwner, { inode: '1001', pid: '11', comm: 'child' }, null, 1],
    ]);
    const [found] = report.findings.filter(({ outcome }) => outcome === 'info');
    assert.equal(found?.args['process'], 'child (pid 11)');
    assert.equal(lossesOf(report).rows[0]?.where, 'child (pid 11) on eth0');
  });

  it('is of whoever held it before where nobody was seen at the end', () => {
    const report = told([
      socketCell({ ring: 'none', hook: 'packet_rcv' }),
      [packetSocketDrops, { inode: '1001' }, 0, 9],
      [socketOwner, { inode: '1001', pid: '10', comm: 'arpwatch' }, 1, null],
    ]);
    const [found] = report.findings.filter(({ outcome }) => outcome === 'info');
    assert.equal(found?.args['process'], 'arpwatch (pid 10)');
    assert.equal(lossesOf(report).rows[0]?.where, 'arpwatch (pid 10) on eth0');
  });
});

describe('losses per second', () => {
  it('are of the time between the two readings of what counts them, as the findings and the rates beside them', () => {
    const cells: Cell[] = [
      ...host(),
      [receivePackets, { device: 'eth9' }, 0, 50_000],
      [receiveMissed, { device: 'eth9' }, 0, 4000],
      [receiveDrop, { device: 'eth9' }, 0, 4100],
      [softnetProcessed, { cpu: '0' }, 0, 90_000],
      [softnetDropped, { cpu: '0' }, 0, 800],
      [deviceInfo, { device: 'eth9', driver: 'ixgbe', kind: 'physical', ifindex: '2', pci: '', master: '' }, 1, 1],
      socketCell({ ring: 'none', hook: 'packet_rcv' }),
      [packetSocketDrops, { inode: '1001' }, 0, 500],
    ];
    const readAfter = { netdev: 20, device: 20, softnet: 8, packet: 5 };
    const spec = { cells, readAfter };
    const report = reportOf(spec, evaluateRules(windowOf(spec), [captureIncomplete, backlogDrops, nicRingDrops]));
    const rates = lossesOf(report).rows.map(({ counts, perSecond }) => [counts, perSecond]);
    assert.deepEqual(
      new Map(rates as [string, number][]),
      new Map([
        ['lost by the NIC (rx_missed_errors)', 200],
        ['backlog full (softnet dropped)', 100],
        [KIND, 100],
        ['dropped by the device or above it (rx_dropped)', 5],
      ]),
    );
    const rated = report.findings.filter(({ args }) => typeof args['rate'] === 'number');
    const told = new Map(rated.map(({ code, args }) => [code, args['rate']]));
    assert.deepEqual([told.get('PKT0501'), told.get('PKT0502'), told.get('PKT0709')], [200, 100, 100]);
    assert.equal(report.cost.devices.find(({ device }) => device === 'eth9')?.packetsPerSecond, 2500);
    // And in one word: what a card loses is frames wherever it is told, what the stack loses packets.
    const things = new Map(lossesOf(report).rows.map((row) => [row.counts, row.things]));
    assert.equal(things.get('lost by the NIC (rx_missed_errors)'), 'frames');
    assert.equal(things.get('backlog full (softnet dropped)'), 'packets');
    const card = report.findings.find(({ code }) => code === 'PKT0501');
    assert.equal(lostRate(card!), '200 frames/s');
    assert.deepEqual(
      card!.evidence.map(({ unit }) => unit).filter((unit) => unit === 'packets'),
      [],
    );
  });
});

describe('a loss and its reason', () => {
  it('are one row, since they are of the same datagrams', () => {
    const loss = { outcome: 'critical', impact: { lostPerSecond: 50 }, place: { netns: '' } } as const;
    const report = reportOf({ cells: host() }, [
      finding({ ...loss, code: 'PKT0415', rule: 'reader-bursty', role: 'cause', args: { lostThings: 'datagrams' } }),
      finding({ ...loss, code: 'PKT0405', rule: 'udp-buffer-errors' }),
    ]);
    const [reason, udp] = ['PKT0415', 'PKT0405'].map((code) => report.findings.findIndex((each) => each.code === code));
    const cause = { finding: reason!, code: 'PKT0415', certainty: 'measured' as const, summary: '', leadsTo: [] };
    const led = {
      ...cause,
      leadsTo: [{ finding: udp!, code: 'PKT0405', summary: '', shared: report.findings[udp!]!.place }],
    };
    const codes = (causes: Report['verdict']['causes']): (string | null)[] =>
      lossesOf({ ...report, verdict: { ...report.verdict, causes } }).rows.map((row) => row.finding);
    assert.deepEqual(codes([led]), ['PKT0405']);
    assert.deepEqual(codes([cause]).sort(), ['PKT0405', 'PKT0415']);
  });
});

describe('the words of the ledger', () => {
  const ledger = reportOf({ cells: host() }, []).ledger!;
  const row = {
    reason: 'X',
    means: '',
    place: '',
    device: '',
    netns: '',
    packets: 9,
    share: null,
    kind: 'loss',
  } as const;
  const said = (...rules: readonly (string | null)[]): string =>
    ledgerWords({ ...ledger, counted: true, total: 9, rows: rules.map((rule) => ({ ...row, rule })) }, []);

  it('name what a row counts where its finding has another word for it', () => {
    assert.match(
      said('PKT0405', 'PKT0403', 'PKT0502', null),
      / The rows of PKT0405 count its datagrams, those of PKT0403 count its segments\.$/,
    );
    assert.match(said('PKT0502', 'PKT0404', null), /^9 packets were dropped by the kernel, all namespaces together\.$/);
  });
});
