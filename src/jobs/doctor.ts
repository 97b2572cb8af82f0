import { collectors } from '../collectors/index.ts';
import type { Snapshot } from '../metrics/snapshot.ts';
import { readReasons } from '../probe/drop-names.ts';
import { ownNetns } from '../probe/facts.ts';
import { loadLibbpf } from '../probe/libbpf.ts';
import { planLines, planProbe } from '../probe/planning.ts';
import type { ProbeChoice } from '../probe/plan.ts';
import { sweep } from '../probe/tc.ts';
import { visible } from '../report/escape.ts';
import type { ExaminedCollector } from '../report/tables/doctor.ts';
import type { Examined, ExaminedProbe } from '../report/text/doctor.ts';
import { isProcfs, liveReader, type Roots } from '../sources/live-reader.ts';
import { listNamespaces } from '../sources/netns.ts';
import { requireDevices } from './measure.ts';
import { sampleOnce } from './metrics.ts';
import { withOwnDevices } from './own-devices.ts';

/**
 * Changes nothing. An empty list of devices stands for all.
 * @throws UsageError for a device that is not there
 */
export async function examine(roots: Roots, choice: ProbeChoice, devices: readonly string[]): Promise<Examined> {
  const present = liveReader(withOwnDevices(roots)).list('/sys/class/net');
  if (present.ok) requireDevices(devices, present.value);
  const namespaces = listNamespaces(roots);
  return {
    root: process.geteuid?.() === 0,
    otherNamespaces: namespaces.ok ? namespaces.value.length - 1 : null,
    namespacesReason: namespaces.ok ? null : namespaces.reason,
    collectors: collectorsIn(await sampleOnce(roots)),
    probe: probeOf(roots, choice, devices),
  };
}

function collectorsIn(snapshot: Snapshot): ExaminedCollector[] {
  return collectors.flatMap(({ id, examinedApart = false }) => {
    const report = snapshot.collector(id);
    if (report === undefined || examinedApart) return [];
    const own = snapshot.metrics().filter((metric) => metric.collector === id);
    const series = own.reduce((sum, metric) => sum + snapshot.series(metric).length, 0);
    const { status, milliseconds, gaps } = report;
    return [{ id, status, series, milliseconds, gaps }];
  });
}

function probeOf(roots: Roots, choice: ProbeChoice, devices: readonly string[]): ExaminedProbe {
  const nothing = { libbpf: '', kernel: '', btf: false, tcx: false, tapsPerNetns: false, drops: '' };
  const without = (reason: string): ExaminedProbe => ({ reason, ...nothing, tapFunctions: [], plan: [] });
  if (!isProcfs(roots.procfs)) return without('needs the live host');
  const sysfs = withOwnDevices(roots).deviceSysfs ?? roots.sysfs;
  const planned = planProbe({ ...choice, devices, namespaces: [], sysfs, procfs: roots.procfs });
  if (!planned.ok) return without(`nothing can be planned: ${planned.reason}`);
  const { kernel, btf, tcx, tapsPerNetns, tapFunctions } = planned.value.capabilities;
  const libbpf = loadLibbpf();
  return {
    ...{ reason: null, libbpf: libbpf.ok ? 'found' : libbpf.reason },
    ...{ kernel, btf, tcx, tapsPerNetns, drops: dropsWords(sysfs, btf), tapFunctions },
    plan: planLines(planned.value),
  };
}

/** How the kernel's drops can be told apart. The tracepoint is there since 5.10, its reason since 5.17. */
function dropsWords(sysfs: string, btf: boolean): string {
  if (!btf) return 'not counted, the kernel has no BTF; only what counters tell';
  const reasons = readReasons(sysfs);
  return reasons.ok
    ? `counted in every namespace, by ${reasons.value.size} reasons, place and device; one program run for each`
    : 'counted in every namespace, by the function that drops and device: this kernel gives no reasons';
}

/** Removes the clsact filters a killed pktcost left on kernels without TCX, in every namespace; never those of others. */
export function clean(roots: Roots): { readonly lines: string[]; readonly ok: boolean } {
  if (process.geteuid?.() !== 0) return { lines: ['not cleaned: removing packet filters needs root'], ok: false };
  const bpf = loadLibbpf();
  if (!bpf.ok) return { lines: [`not cleaned: ${bpf.reason}`], ok: false };
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
