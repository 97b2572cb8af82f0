import { collectors } from './collectors/index.ts';
import type { CollectorReport, Snapshot } from './metrics/snapshot.ts';
import { ownNetns } from './probe/facts.ts';
import { loadLibbpf } from './probe/libbpf.ts';
import { planLines, planProbe } from './probe/live.ts';
import type { ProbeChoice } from './probe/plan.ts';
import { sweep } from './probe/tc.ts';
import { visible } from './report/escape.ts';
import { sampleOnce } from './scrape.ts';
import { isProcfs, type Roots } from './sources/live-reader.ts';
import { listNamespaces } from './sources/netns.ts';

/** What can be measured here, and what the probe would do to each device. Changes nothing. */
export async function examine(roots: Roots, choice: ProbeChoice): Promise<string[]> {
  return [
    ...whoWeAre(roots),
    '',
    'Collectors',
    ...collectorLines(await sampleOnce(roots)),
    '',
    process.geteuid?.() === 0 ? 'Probe' : 'Probe, as root would have it',
    ...probeLines(roots, choice),
  ];
}

function whoWeAre(roots: Roots): string[] {
  const root = process.geteuid?.() === 0;
  const lines = [
    root ? 'Running as root.' : 'Not root: sockets of other users have no owners, and no probe can be attached.',
  ];
  const namespaces = listNamespaces(roots);
  if (!namespaces.ok) lines.push(`Network namespaces: only this one (${namespaces.reason}).`);
  else {
    const others = namespaces.value.length - 1;
    const more = root ? '' : '; those of other users cannot be seen without root';
    lines.push(`Network namespaces: this one and ${others} more${more}.`);
  }
  return lines;
}

function collectorLines(snapshot: Snapshot): string[] {
  const width = Math.max(...collectors.map(({ id }) => id.length));
  return collectors.flatMap(({ id }) => {
    const report = snapshot.collector(id);
    // The probe has a section of its own.
    if (report === undefined || id === 'ebpf') return [];
    const own = snapshot.metrics().filter((metric) => metric.collector === id);
    const count = own.reduce((sum, metric) => sum + snapshot.series(metric).length, 0);
    const figures = `${String(count).padStart(6)} series  ${report.milliseconds.toFixed(1).padStart(6)} ms`;
    return [`  ${id.padEnd(width)}  ${report.status.padEnd(14)}  ${figures}`, ...gapLines(report, width)];
  });
}

function gapLines({ gaps }: CollectorReport, width: number): string[] {
  const indent = ' '.repeat(width + 4);
  const shown = gaps.slice(0, 3).map(({ path, reason }) => `${indent}${visible(path, 80)}: ${visible(reason, 120)}`);
  return gaps.length > 3 ? [...shown, `${indent}and ${gaps.length - 3} more`] : shown;
}

function probeLines(roots: Roots, choice: ProbeChoice): string[] {
  if (!isProcfs(roots.procfs)) return ['  needs the live host'];
  const planned = planProbe({ ...choice, devices: [], namespaces: [], sysfs: roots.sysfs, procfs: roots.procfs });
  if (!planned.ok) return [`  nothing can be planned: ${planned.reason}`];
  const { capabilities: can } = planned.value;
  const libbpf = loadLibbpf();
  const yes = (fact: boolean): string => (fact ? 'yes' : 'no');
  return [
    `  libbpf: ${libbpf.ok ? 'found' : libbpf.reason}`,
    `  kernel ${visible(can.kernel, 60)}: BTF ${yes(can.btf)}, TCX ${yes(can.tcx)}, taps per namespace ${yes(can.tapsPerNetns)}`,
    `  functions for per-socket prices: ${can.tapFunctions.join(', ') || 'none'} (whether they may be hooked shows only when tried)`,
    '',
    ...planLines(planned.value).flatMap(({ device, driver, span, mode, attach, reason, price }) => [
      `  ${device === '' ? 'host' : visible(device, 20)}${driver === null ? '' : ` (${visible(driver, 20)})`}: ${span}, ${mode ?? ''}: ${attach ? 'attach' : 'leave out'}`,
      `      ${visible(reason, 200)}`,
      ...(attach && price !== null ? [`      price: ${visible(price, 200)}`] : []),
    ]),
  ];
}

/** Removes the clsact filters a killed pktcost left on kernels without TCX, in every namespace; never those of others. */
export function clean(roots: Roots): { readonly lines: string[]; readonly ok: boolean } {
  const bpf = loadLibbpf();
  if (!bpf.ok) return { lines: [`nothing to clean: ${bpf.reason}`], ok: true };
  const listed = listNamespaces(roots);
  const others = listed.ok ? listed.value.filter(({ name }) => name !== '') : [];
  const names = new Map(others.map(({ inode, name }) => [String(inode), name]));
  const { removed, problems } = sweep(bpf.value, [
    ownNetns(),
    ...others.map(({ inode, path }) => ({ id: String(inode), path })),
  ]);
  const lines = removed.map(({ netns, ifindex, direction }) => {
    const where = names.get(netns);
    return `removed our filter from ${direction} of device ${ifindex}${where === undefined ? '' : ` in ${visible(where, 60)}`}`;
  });
  if (removed.length === 0) lines.push('nothing of ours was left behind');
  return {
    lines: [...lines, ...problems.map((problem) => `not cleaned: ${visible(problem, 200)}`)],
    ok: problems.length === 0,
  };
}
