import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, before, describe, it } from 'node:test';

import { collectors } from '../src/collectors/index.ts';
import { expose } from '../src/metrics/exposition.ts';
import { liveReader } from '../src/sources/live-reader.ts';
import { takeSample } from '../src/sources/take-sample.ts';
import { notShipped } from './support/needs.ts';
import { parsePage, seriesName, type Page } from './support/page.ts';
import { copyTree, expectedSeries, upstream, type ExpectedSeries } from './support/upstream.ts';

interface Exception {
  readonly file: string;
  readonly series: RegExp;
  readonly reason: string;
  /** What we say instead; nothing at all, if not given. */
  readonly instead?: (expected: ExpectedSeries) => number;
}

/** Where node_exporter and the kernel disagree, we follow the kernel. Each case, and why. */
const exceptions: readonly Exception[] = [
  {
    file: 'node_exporter_fixtures/proc/net/softnet_stat',
    series: /^node_softnet_backlog_len/,
    reason:
      'The file is of a kernel before 5.10: 11 columns and no backlog length. It had a backlog, so 0 is invented.',
  },
];

const roots = [
  { at: 'node_exporter_fixtures', proc: 'node_exporter_fixtures/proc' },
  { at: 'procfs_fixtures', proc: 'procfs_fixtures/proc' },
  // Another net directory in the same tree: the view of one process.
  { at: 'procfs_fixtures/proc/26231', proc: 'process' },
] as const;

const present = existsSync(`${upstream}/expected.json`);

describe(
  'parity with node_exporter over its own fixtures',
  { skip: notShipped(present ? undefined : `${upstream} is not there`) },
  () => {
    const scratch = present ? mkdtempSync(`${tmpdir()}/pktcost-parity-`) : '';
    const pages = new Map<string, Page>();

    before(() => {
      for (const name of ['node_exporter_fixtures', 'procfs_fixtures'])
        copyTree(`${upstream}/${name}`, `${scratch}/${name}`);
      mkdirSync(`${scratch}/process`);
      copyTree(`${upstream}/procfs_fixtures/proc/26231/net`, `${scratch}/process/net`);
      for (const { at, proc } of roots) {
        const [tree = ''] = at.split('/');
        const reader = liveReader({
          procfs: `${scratch}/${proc}`,
          sysfs: `${scratch}/${tree}/sys`,
          rootfs: `${scratch}/root`,
        });
        pages.set(at, parsePage(expose(takeSample({ reader, collectors }))));
      }
    });
    after(() => {
      rmSync(scratch, { recursive: true, force: true });
    });

    for (const [file, count] of [
      ['expected.json', 257],
      ['expected_extra.json', 125],
      ['expected_procfs.json', 473],
    ] as const) {
      it(`agrees with every series of ${file}`, () => {
        const all = expectedSeries(file);
        assert.equal(all.length, count);
        const wrong = all.flatMap((expected) => disagreement(expected, pageOf(expected)));
        assert.deepEqual(wrong, []);
      });
    }

    it('has no exception that nothing needs', () => {
      const all = ['expected.json', 'expected_extra.json', 'expected_procfs.json'].flatMap(expectedSeries);
      for (const exception of exceptions) assert.ok(all.some((expected) => exceptionFor(expected) === exception));
    });

    function pageOf(expected: ExpectedSeries): Page {
      const root = roots.findLast(({ at }) => expected.file.startsWith(`${at}/`));
      const page = root === undefined ? undefined : pages.get(root.at);
      assert.ok(page, `no sample of ${expected.file}`);
      return page;
    }
  },
);

function disagreement(expected: ExpectedSeries, page: Page): string[] {
  const name = seriesName(expected.metric, expected.labels);
  const got = page.series.get(name);
  const exception = exceptionFor(expected);
  const want = exception === undefined ? expected.value : exception.instead?.(expected);
  const type = page.types.get(expected.metric);
  if (got !== undefined && type !== expected.type) return [`${name} is a ${type ?? 'nothing'}, not a ${expected.type}`];
  if (got === want || (got !== undefined && want !== undefined && near(got, want))) return [];
  return [`${expected.file}: ${name} is ${got ?? 'absent'}, not ${want ?? 'absent'}`];
}

function exceptionFor(expected: ExpectedSeries): Exception | undefined {
  const name = seriesName(expected.metric, expected.labels);
  return exceptions.find(({ file, series }) => file === expected.file && series.test(name));
}

function near(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));
}
