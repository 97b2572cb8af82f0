import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, it } from 'node:test';

import { openPair } from '../../src/bundle/copies.ts';
import { collectors } from '../../src/collectors/index.ts';
import { expose, isOwn } from '../../src/metrics/exposition.ts';
import { neededElsewhere } from '../../src/jobs/judge.ts';
import { metricNamed } from '../../src/metrics/lookup.ts';
import { evaluateRules } from '../../src/rules/engine.ts';
import type { Window } from '../../src/metrics/window.ts';
import { rules } from '../../src/rules/index.ts';
import { below, memoryTree, type Kept } from '../../src/sources/copy/tree.ts';
import { treeOf } from '../support/copies.ts';
import { repository } from '../support/fixture.ts';
import { Judge } from '../support/law-judge.ts';
import { full, inPart, seedOf } from '../support/law-extent.ts';
import { breach, fires, seeded } from '../support/law.ts';
import { windowOfTexts } from '../support/pages.ts';
import { sickFiles } from '../support/sick-host.ts';

/** Two scrapes of one host, line by line, without comments. */
interface Pages {
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly seconds: number;
}

const folder = `${repository}/test/fixtures/copies`;
const linesOf = (page: string): readonly string[] =>
  page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

/** The pages that exporters would have shown of the hosts of which two copies were taken. */
function pagesOfCopies(): ReadonlyMap<string, Pages> {
  const pages = new Map<string, Pages>();
  for (const name of readdirSync(folder).sort()) {
    const files = new Map<string, Kept>();
    for (const entry of readdirSync(`${folder}/${name}`, { recursive: true, withFileTypes: true })) {
      const path = `${entry.parentPath}/${entry.name}`;
      if (entry.isFile()) files.set(path.slice(path.indexOf(`/${name}/`) + name.length + 2), readFileSync(path));
    }
    const tree = memoryTree(files);
    if (!tree.list('/before').ok || !tree.list('/after').ok) continue;
    const pair = openPair(name, [below(tree, 'before'), below(tree, 'after')]);
    if (!pair.ok) continue;
    const { before, after, seconds } = pair.value.window(collectors);
    const shown = (own: boolean): Pages => ({
      before: linesOf(expose(before, (metric) => own || !isOwn(metric))),
      after: linesOf(expose(after, (metric) => own || !isOwn(metric))),
      seconds,
    });
    pages.set(`node_exporter on ${name}`, shown(false));
    pages.set(`pktcost metrics on ${name}`, shown(true));
  }
  const sick = openPair('sick', [treeOf(sickFiles(0)), treeOf(sickFiles(1))]);
  assert.ok(sick.ok);
  const { before, after, seconds } = sick.value.window(collectors);
  pages.set('pktcost metrics on a host with much wrong at once', {
    before: linesOf(expose(before, () => true)),
    after: linesOf(expose(after, () => true)),
    seconds,
  });
  const stock = `${folder}/exporter-remedy-claims-rmem-max`;
  const read = (end: string): readonly string[] => linesOf(readFileSync(`${stock}/${end}.prom`, 'utf8'));
  pages.set('a stock page', { before: read('before'), after: read('after'), seconds: 2 });
  pages.set('a page of losses', sickPages());
  return pages;
}

const LOSS =
  /Error|Drop|drop|Overflow|Prun|Fails|NoRoutes|Abort|Filter|missed|fifo|failed|Retrans|Collapsed|ZeroWindow|discards|full_total/;
const CPU_MODES = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'];
const values: Readonly<Record<string, readonly string[]>> = {
  cpu: ['0', '1'],
  device: ['eth0', 'eth1'],
  kind: ['fq_codel'],
  mode: CPU_MODES,
  node: ['0', '1'],
  table: ['arp', 'ndisc'],
};

/** A page on which everything that is counted of losses has risen by a tenth of what was counted of packets. */
function sickPages(): Pages {
  const series = neededElsewhere.flatMap(({ name, labels, type }) => {
    const combined = labels.reduce<readonly string[]>(
      (rest, label) => (values[label] ?? []).flatMap((each) => rest.map((front) => `${front},${label}="${each}"`)),
      [''],
    );
    return combined.map((text) => ({
      line: text === '' ? name : `${name}{${text.slice(1)}}`,
      // node_exporter has no type for what it takes from /proc/net, and calls what conntrack counts a gauge.
      step: type === 'gauge' && !name.includes('_stat_') ? 0 : LOSS.test(name) ? 2000 : 20_000,
    }));
  });
  const kinds = ['eth0', 'eth1'].map((device) => `pktcost_device_info{device="${device}",kind="physical"} 1`);
  const limits = ['min', 'pressure', 'max'].flatMap((limit) => [
    `pktcost_tcp_mem_pages{limit="${limit}"} 900`,
    `pktcost_udp_mem_pages{limit="${limit}"} 900`,
  ]);
  const page = (end: number): readonly string[] => [
    ...series.map(({ line, step }) => `${line} ${/cpu_seconds/.test(line) ? 500 + 5 * end : 1000 + step * end}`),
    ...kinds,
    ...limits,
    'node_uname_info{sysname="Linux",release="6.1.0",version="1",machine="x",nodename="sick",domainname=""} 1',
  ];
  return { before: page(0), after: page(1), seconds: 10 };
}

function windowOf({ before, after, seconds }: Pages): Window {
  const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');
  return windowOfTexts(text(before), text(after), seconds);
}

const nameOf = (line: string): string => /^\w+/.exec(line)?.[0] ?? '';
const seriesOf = (line: string): string => line.slice(0, line.lastIndexOf(' '));

/**
 * Of a page all series of a metric, one series, or the values of one label can be missing. What is zero is left out of some
 * metrics: that one series of them is missing is no lack of evidence.
 */
type Piece = (line: string) => string | undefined;

function pieces({ before, after }: Pages, random: (below: number) => number): readonly (readonly [string, Piece])[] {
  const lines = [...before, ...after];
  const names = [...new Set(lines.map(nameOf))];
  const series = [...new Set(lines.map(seriesOf))].filter(
    (each) => each.includes('{') && metricNamed(nameOf(each))?.sparse !== true,
  );
  const some = series.length <= SERIES ? series : Array.from({ length: SERIES }, () => series[random(series.length)]!);
  const labels = new Set(
    lines.flatMap((line) => [...line.matchAll(/[{,](\w+)="/g)].map(([, label = '']) => `${nameOf(line)} ${label}`)),
  );
  return [
    ...names.map((name) => [name, (line: string) => (nameOf(line) === name ? undefined : line)] as const),
    ...some.map((each) => [each, (line: string) => (seriesOf(line) === each ? undefined : line)] as const),
    ...[...labels].map((each) => {
      const [name, label = ''] = each.split(' ');
      const pair = new RegExp(`([{,])${label}="(?:[^"\\\\]|\\\\.)*",?`);
      return [
        `label ${label} of ${name}`,
        (line: string) =>
          nameOf(line) === name ? line.replace(pair, '$1').replace(/,}/, '}').replace('{}', '') : line,
      ] as const;
    }),
  ];
}

/** At both ends, or at one of them as when a scrape failed in part. */
const ways: Readonly<Record<string, (pages: Pages, piece: Piece) => Pages>> = {
  'at both ends': (pages, piece) => ({ ...pages, before: cut(pages.before, piece), after: cut(pages.after, piece) }),
  before: (pages, piece) => ({ ...pages, before: cut(pages.before, piece) }),
  after: (pages, piece) => ({ ...pages, after: cut(pages.after, piece) }),
};

/** What is then no page any more (the same series twice) is taken once. */
function cut(lines: readonly string[], piece: Piece): readonly string[] {
  const left = new Map<string, string>();
  for (const line of lines) {
    const kept = piece(line);
    if (kept !== undefined && !left.has(seriesOf(kept))) left.set(seriesOf(kept), kept);
  }
  return [...left.values()];
}

const PAIRS = full ? 400 : 20;
/** Pieces that are tried of a page. */
const PIECES = full ? Infinity : 60;
/** Of so many series of a page each is a piece. */
const SERIES = full ? 600 : 60;

describe('with less on the page of an exporter', () => {
  for (const [name, pages] of pagesOfCopies()) {
    const whole = windowOf(pages);
    if (!evaluateRules(whole, rules).some(fires)) continue;
    it(`what was found by ${name} only weakens`, () => {
      const judge = new Judge(whole);
      const random = seeded(seedOf(pages.after.length * 17));
      const all = pieces(pages, random);
      const any = (): (typeof all)[number] => all[random(all.length)]!;
      const singles = all.length <= PIECES ? all : Array.from({ length: PIECES }, any);
      const sets = singles.map((piece) => [piece]);
      for (let pair = 0; pair < PAIRS; pair += 1) sets.push([any(), any()]);
      const breaches = inPart(sets).flatMap((gone) =>
        Object.entries(ways).flatMap(([way, take]) => {
          const left = gone.reduce((rest, [, piece]) => take(rest, piece), pages);
          const what = `${gone.map(([each]) => each).join(' and ')} (${way})`;
          return breach(judge.findings, judge.of(windowOf(left)), what) ?? [];
        }),
      );
      assert.deepEqual([...new Set(breaches)], []);
    });
  }
});
