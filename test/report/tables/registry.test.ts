import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, it } from 'node:test';

import type { Report } from '../../../src/generated/report.ts';
import { renderHtml } from '../../../src/report/html/index.ts';
import { drawTable as drawHtml } from '../../../src/report/html/table.ts';
import { renderMarkdown } from '../../../src/report/markdown/index.ts';
import { drawTable as drawMarkdown } from '../../../src/report/markdown/table.ts';
import { collectorTable } from '../../../src/report/tables/collectors.ts';
import { cpuTable } from '../../../src/report/tables/cpus.ts';
import { examinedTable, type ExaminedCollector } from '../../../src/report/tables/doctor.ts';
import { deviceTable } from '../../../src/report/tables/devices.ts';
import { evidenceTable } from '../../../src/report/tables/evidence.ts';
import { bookTable, ledgerTable } from '../../../src/report/tables/ledger.ts';
import { lossesOf, lossTable } from '../../../src/report/tables/losses.ts';
import { packetSocketTable } from '../../../src/report/tables/packet-sockets.ts';
import { deviceProfileTable, partTable } from '../../../src/report/tables/profile.ts';
import { spansOf, spanTable } from '../../../src/report/tables/spans.ts';
import { actionTable, limitTable, planRows, planTable } from '../../../src/report/tables/run.ts';
import { columnsIn, everyFormat, written, type Format, type Table } from '../../../src/report/tables/table.ts';
import { drawTable as drawText } from '../../../src/report/text/table.ts';
import { renderDoctor } from '../../../src/report/text/doctor.ts';
import { renderText } from '../../../src/report/text/index.ts';
import { collectorGroups } from '../../../src/report/words/phrases.ts';
import { goldenReports } from '../cases.ts';

/** A table with the rows that a report has for it, drawn without naming their type. */
interface Registered {
  readonly rows: number;
  labels(format: Format): readonly string[];
  firstRow(format: Format): readonly string[];
  /** Words of the head as it is drawn in so many columns, and those of its labels. */
  headAt(width: number): { readonly drawn: readonly string[]; readonly labels: readonly string[] };
  head(format: 'markdown' | 'html'): string;
}

function wordsIn(lines: readonly string[]): readonly string[] {
  return lines
    .flatMap((each) => each.split(' '))
    .filter((word) => word !== '')
    .sort();
}

function registered<Row>(table: Table<Row>, rows: readonly Row[]): Registered {
  const columns = (format: Format): Table<Row> => columnsIn(table, format, rows);
  return {
    rows: rows.length,
    labels: (format) => columns(format).map(({ label }) => label),
    firstRow: (format) => columns(format).map((column) => written(column, rows[0]!).text),
    headAt: (width) => {
      const lines = drawText({ colour: false, unicode: true, width }, table, rows);
      const rule = lines.findIndex((each) => each.trim().startsWith('──'));
      const labels = columns('text').map(({ label }) => label);
      if (rule >= 0) return { drawn: wordsIn(lines.slice(0, rule)), labels: wordsIn(labels) };
      // Where no table fits, each row is a list of its labels and cells.
      const listed = lines.map((each) => `  ${each.trim()} `).join('');
      return { drawn: wordsIn(labels.filter((label) => listed.includes(`  ${label} `))), labels: wordsIn(labels) };
    },
    head: (format) =>
      format === 'markdown'
        ? drawMarkdown(table, rows)[0]!
        : /<thead.*<\/thead>/.exec(drawHtml(table, rows, { caption: '', className: '' }).text)![0],
  };
}

/** Every table of the report, by the name it is declared under. */
const tables: Readonly<Record<string, (report: Report) => Registered>> = {
  collectorTable: ({ collectors }) => registered(collectorTable, collectorGroups(collectors)),
  cpuTable: ({ cost }) => registered(cpuTable, cost.cpus),
  deviceTable: ({ cost }) => registered(deviceTable, cost.devices),
  evidenceTable: ({ findings: [first] }) => registered(evidenceTable(first!.evidence).table, first!.evidence),
  ledgerTable: ({ ledger }) => registered(ledgerTable, ledger!.rows),
  bookTable: ({ ledger }) => registered(bookTable, ledger!.books),
  lossTable: (report) => registered(lossTable, lossesOf(report).rows),
  packetSocketTable: ({ taps }) => registered(packetSocketTable(taps), taps),
  partTable: ({ profile }) => registered(partTable, profile!.directions[0]!.parts),
  deviceProfileTable: ({ profile }) => registered(deviceProfileTable, profile!.devices),
  spanTable: ({ cost }) => registered(spanTable, cost.devices.flatMap(spansOf)),
  planTable: ({ probe }) => registered(planTable, planRows(probe.plan)),
  limitTable: ({ thresholds }) => registered(limitTable, thresholds),
  actionTable: ({ selfCost }) => registered(actionTable, selfCost.actions),
};

const MODULE = /^(.+)\.js$/;

describe('every table of the report', () => {
  const report = filled();
  const drawn: Readonly<Record<Format, string>> = {
    text: renderText(report, { colour: false, unicode: true, width: 2000, verbose: true }),
    markdown: renderMarkdown(report),
    html: renderHtml(report),
  };

  it('is in this registry', async () => {
    const folder = new URL('../../../src/report/tables/', import.meta.url);
    const declared: string[] = [];
    for (const file of readdirSync(folder)) {
      if (!MODULE.test(file)) continue;
      const exported: unknown = await import(new URL(file, folder).href);
      declared.push(...Object.keys(exported as object).filter((name) => name.endsWith('Table')));
    }
    assert.deepEqual(declared.sort(), [...Object.keys(tables), 'examinedTable'].sort());
  });

  for (const [name, of] of Object.entries(tables)) {
    it(`${name} is in text, Markdown and HTML, with all its columns`, () => {
      const table = of(report);
      assert.ok(table.rows > 0, 'the report has no row for it');
      for (const format of everyFormat) {
        if (format === 'text') {
          // At such a width no label and no cell is broken.
          assert.match(drawn.text, line(table.labels('text')), `${name} in text`);
          assert.match(drawn.text, line(table.firstRow('text')), `a row of ${name} in text`);
        } else assert.ok(drawn[format].includes(table.head(format)), `${name} in ${format}`);
      }
    });

    it(`${name} has whole words in its head from 60 columns on`, () => {
      const table = of(report);
      for (const width of [60, 80, 120, 200]) {
        const { drawn: words, labels } = table.headAt(width);
        assert.deepEqual(words, labels, `in ${width} columns`);
      }
    });
  }
});

describe('the tables of doctor', () => {
  const { probe } = filled();
  const collectors: ExaminedCollector[] = [
    { id: 'cpu', status: 'ok', series: 1200, milliseconds: 4, gaps: [] },
    {
      ...{ id: 'nic', status: 'partial', series: 3, milliseconds: 1 },
      gaps: ['a', 'b', 'c', 'd'].map((path) => ({ path, reason: 'permission denied' })),
    },
  ];
  const text = renderDoctor(
    {
      ...{ root: true, otherNamespaces: 0, namespacesReason: null, collectors },
      probe: {
        ...{
          reason: null,
          libbpf: 'found',
          kernel: '6.12',
          btf: true,
          tcx: true,
          tapsPerNetns: true,
          drops: 'counted',
        },
        ...{ tapFunctions: [], plan: [{ ...probe.plan[0]!, driver: 'virtio_net', price: 'some 40 ns a packet' }] },
      },
    },
    { colour: false, unicode: true, width: 200 },
  );

  it('are drawn from what the registry has', () => {
    assert.match(text, line(columnsIn(examinedTable, 'text', collectors).map(({ label }) => label)));
    assert.match(text, /^ {2}nic +partial +3 +1 ms +a: permission denied, .*, c: permission denied and 1 more$/m);
    assert.match(text, /^ {2}Device +Span +Attach +Mode +Driver +Why +Price$/m);
    assert.match(text, /^ {2}eth0 +taps +yes +tcx +virtio_net +costs the device nothing +some 40 ns a packet$/m);
  });
});

describe('what a configuration changed', () => {
  const report = filled();

  it('is said on the one screen of a terminal', () => {
    const screen = renderText(report, { colour: false, unicode: true, width: 80, rows: 24 });
    assert.match(screen, /^Limits {5}1 changed by the configuration: PKT0101 share 50% \(1% by default\)$/m);
    assert.doesNotMatch(
      renderText({ ...report, thresholds: [] }, { colour: false, unicode: true, width: 80, rows: 24 }),
      /^Limits/m,
    );
  });
});

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const line = (cells: readonly string[]): RegExp =>
  new RegExp(
    `^ *${cells
      .filter((cell) => cell !== '')
      .map(escaped)
      .join(' +')}$`,
    'm',
  );

/** A report in which every table has a row. */
function filled(): Report {
  const report = goldenReports['tap']!();
  const ledger = {
    ...report.ledger!,
    counted: true,
    rows: [
      {
        ...{ reason: 'NO_SOCKET', means: 'nobody listens', place: 'udp_rcv', device: 'eth0', netns: '' },
        ...{ packets: 40, share: 0.1, kind: 'loss' as const, rule: null },
      },
    ],
    books: [
      {
        ...{ netns: '', devices: ['eth0'], framesIn: 400, delivered: 300, forwarded: 0, lost: 40, policy: 0 },
        ...{ noise: 0, unclear: 0, notAccounted: 60, droppedAfter: 0 },
      },
    ],
  };
  return {
    ...report,
    ledger,
    selfCost: {
      ...report.selfCost,
      actions: [{ seconds: 1, action: 'probe detached', reason: 'it cost too much', restored: true }],
    },
    thresholds: [{ code: 'PKT0101', name: 'share', value: 0.5, default: 0.01, unit: 'ratio' }],
  };
}
