import assert from 'node:assert/strict';

import { openCopy, openPair } from '../../src/bundle/copies.ts';
import { collectors } from '../../src/collectors/index.ts';
import { exitCodeOf, judgedReport } from '../../src/commands/exit-code.ts';
import type { Report, ReportFinding } from '../../src/generated/report.ts';
import { judgeRun } from '../../src/jobs/judge.ts';
import { below, memoryTree, type Kept } from '../../src/sources/copy/tree.ts';
import { bytesOf } from './fixture.ts';

/** A copy: content by path below its top, `sys/class/net/eth0@` for a symbolic link of that name. */
export type Copy = Readonly<Record<string, string>>;

export interface JudgedCopy {
  readonly report: Report;
  readonly notes: readonly string[];
  readonly status: number;
}

export function treeOf(copy: Copy): ReturnType<typeof memoryTree> {
  const kept = Object.entries(copy).map(([path, content]): [string, Kept] =>
    path.endsWith('@') ? [path.slice(0, -1), { link: content }] : [path, bytesOf(content)],
  );
  return memoryTree(new Map(kept));
}

/** Judges one copy, or two of them under before/ and after/, as `replay` does. */
export function judgeCopy(copy: Copy): JudgedCopy {
  const tree = treeOf(copy);
  const pair = tree.list('/before').ok && tree.list('/after').ok;
  const opened = pair ? openPair('copy', [below(tree, 'before'), below(tree, 'after')]) : openCopy('copy', tree);
  assert.ok(opened.ok, opened.ok ? '' : opened.reason);
  const window = opened.value.window(collectors);
  const run = {
    requestedSeconds: window.seconds,
    cutShort: false,
    devices: [],
    baseline: null,
    probe: { status: 'not-measured', tier: 'none', reason: 'a copy', plan: [] },
    selfCost: null,
  } as const;
  const report = judgeRun(
    window,
    { ...run, devices: [], probe: { ...run.probe, plan: [] } },
    {
      overrides: {},
      baseline: null,
      version: '0',
    },
  );
  return { report, notes: opened.value.notes, status: exitCodeOf(judgedReport(report), 'warning') };
}

/** The same files at both ends, with what differs, and so many seconds in between. */
export function pairOf(common: Copy, before: Copy, after: Copy, seconds = 10): Copy {
  const ends = { before: [before, 1000], after: [after, 1000 + seconds] } as const;
  return Object.fromEntries(
    Object.entries(ends).flatMap(([end, [own, uptime]]) =>
      Object.entries({ 'proc/uptime': `${uptime.toFixed(2)} 1.00\n`, ...common, ...own }).map(([path, content]) => [
        `${end}/${path}`,
        content,
      ]),
    ),
  );
}

export function found({ report }: JudgedCopy, code: string, at: Readonly<Record<string, string>> = {}): ReportFinding {
  const finding = report.findings.find(
    (each) => each.code === code && Object.entries(at).every(([name, value]) => each.at[name] === value),
  );
  assert.ok(finding !== undefined, `no finding of ${code}`);
  return finding;
}

/** Outcome, certainty and what is said. */
export type Expected = readonly [
  outcome: ReportFinding['outcome'],
  certainty: ReportFinding['certainty'],
  says: RegExp,
];

export function expectFinding(judged: JudgedCopy, code: string, [outcome, certainty, says]: Expected): ReportFinding {
  const finding = found(judged, code);
  assert.deepEqual([finding.outcome, finding.certainty], [outcome, certainty], JSON.stringify(finding, null, 1));
  assert.match(finding.summary, says);
  return finding;
}

/** Codes of what fired. */
export function fired({ report }: JudgedCopy): readonly string[] {
  return report.findings.flatMap(({ code, outcome }) =>
    outcome === 'critical' || outcome === 'warning' || outcome === 'info' ? [code] : [],
  );
}

type Fields = Readonly<Record<string, number>>;

/** Groups of counters as snmp and netstat have them: a line of names, a line of values. */
export function groups(tables: Readonly<Record<string, Fields>>): string {
  return Object.entries(tables)
    .map(([name, fields]) => `${name}: ${Object.keys(fields).join(' ')}\n${name}: ${Object.values(fields).join(' ')}\n`)
    .join('');
}

/** /proc/net/dev of devices with the frames they received and dropped. */
export function netdev(
  devices: Readonly<Record<string, { readonly packets: number; readonly dropped?: number }>>,
): string {
  const rows = Object.entries(devices).map(
    ([name, { packets, dropped = 0 }]) =>
      `${name.padStart(6)}: ${packets * 900} ${packets} 0 ${dropped} 0 0 0 0 ${packets * 100} ${packets} 0 0 0 0 0 0\n`,
  );
  const columns = 'bytes    packets errs drop fifo frame compressed multicast';
  return `Inter-|   Receive                                                |  Transmit\n face |${columns}|bytes    packets errs drop fifo colls carrier compressed\n${rows.join('')}`;
}

/** /proc/net/softnet_stat: what each row counts first, zeros up to `width` columns, and the CPU in column 12 if it is told. */
export function softnet(
  rows: readonly { readonly counts: readonly number[]; readonly cpu?: number }[],
  width: number,
): string {
  return rows
    .map(({ counts, cpu }) =>
      Array.from({ length: width }, (_, column) => (column === 12 ? (cpu ?? 0) : (counts[column] ?? 0)))
        .map((count) => count.toString(16).padStart(8, '0'))
        .join(' ')
        .concat('\n'),
    )
    .join('');
}

/** /proc/stat of CPUs that were mostly idle for so many seconds. */
export function cpuTimes(cpus: readonly number[], seconds: number, bootedAt = 1_700_000_000): string {
  const row = (name: string, count: number): string =>
    `${name} ${10 * count} 0 ${10 * count} ${(seconds * 100 - 30) * count} 0 0 ${10 * count} 0 0 0\n`;
  return `${row('cpu ', cpus.length)}${cpus.map((cpu) => row(`cpu${cpu}`, 1)).join('')}intr 0\nctxt 1000\nbtime ${bootedAt}\nprocesses 100\nprocs_running 1\nprocs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n`;
}

/** /proc/net/stat/nf_conntrack with one CPU. */
export function conntrackStat(fields: Fields): string {
  const hex = (value: number): string => value.toString(16).padStart(8, '0');
  return `${Object.keys(fields).join(' ')}\n${Object.values(fields).map(hex).join(' ')}\n`;
}

/** The three settings of connection tracking. */
export function conntrackTable(entries: number, limit: number): Copy {
  const folder = 'proc/sys/net/netfilter/nf_conntrack_';
  return { [`${folder}count`]: `${entries}\n`, [`${folder}max`]: `${limit}\n`, [`${folder}buckets`]: `${limit / 4}\n` };
}

export const host = (release: string, name = 'db-1'): Copy => ({
  'proc/sys/kernel/osrelease': `${release}\n`,
  'proc/sys/kernel/hostname': `${name}\n`,
});
