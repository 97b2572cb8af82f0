import type { ProbePlan, Report } from '../../generated/report.ts';
import { paint, paragraph, show, type Style } from './layout.ts';

/** What can be measured on this host, and what the probe would do. */
export interface Examined {
  readonly root: boolean;
  /** Namespaces besides the own one; null where they cannot be listed, and the reason. */
  readonly otherNamespaces: number | null;
  readonly namespacesReason: string | null;
  readonly collectors: readonly ExaminedCollector[];
  readonly probe: ExaminedProbe;
}

export interface ExaminedCollector extends Pick<Report['collectors'][number], 'id' | 'status'> {
  /** Series that it yielded. */
  readonly series: number;
  /** What reading it took. */
  readonly milliseconds: number;
  /** What could not be read, and why. */
  readonly gaps: readonly { readonly path: string; readonly reason: string }[];
}

export interface ExaminedProbe {
  /** Why nothing can be planned; null where it can. */
  readonly reason: string | null;
  readonly libbpf: string;
  readonly kernel: string;
  readonly btf: boolean;
  readonly tcx: boolean;
  readonly tapsPerNetns: boolean;
  readonly drops: string;
  /** Functions to hook for prices per socket; whether they may be hooked shows only when tried. */
  readonly tapFunctions: readonly string[];
  readonly plan: readonly ProbePlan[];
}

/** For people. */
export function renderDoctor({ collectors, probe, ...host }: Examined, style: Style): string {
  const lines = [
    ...hostLines(host, style),
    '',
    paint(style, 'strong', 'Collectors'),
    ...collectorLines(collectors, style),
    '',
    paint(style, 'strong', host.root ? 'Probe' : 'Probe, as root would have it'),
    ...probeLines(probe, style),
  ];
  return `${lines.join('\n')}\n`;
}

function hostLines(
  { root, otherNamespaces, namespacesReason }: Pick<Examined, 'root' | 'otherNamespaces' | 'namespacesReason'>,
  style: Style,
): string[] {
  const who = root
    ? 'Running as root.'
    : 'Not root: sockets of other users have no owners, and no probe can be attached.';
  const hidden = root ? '' : '; those of other users cannot be seen without root';
  const namespaces =
    otherNamespaces === null
      ? `only this one (${namespacesReason ?? 'unknown'})`
      : `this one and ${otherNamespaces} more${hidden}`;
  return [who, `Network namespaces: ${namespaces}.`].flatMap((text) => paragraph(show(style, text), style.width));
}

function collectorLines(collectors: readonly ExaminedCollector[], style: Style): string[] {
  const width = Math.max(...collectors.map(({ id }) => id.length));
  return collectors.flatMap(({ id, status, series, milliseconds, gaps }) => {
    const figures = `${String(series).padStart(6)} series  ${milliseconds.toFixed(1).padStart(6)} ms`;
    return [`  ${id.padEnd(width)}  ${status.padEnd(14)}  ${figures}`, ...gapLines(gaps, width + 4, style)];
  });
}

const GAPS = 3;

function gapLines(gaps: ExaminedCollector['gaps'], indent: number, style: Style): string[] {
  const shown = gaps
    .slice(0, GAPS)
    .flatMap(({ path, reason }) => paragraph(show(style, `${path}: ${reason}`), style.width, ' '.repeat(indent), 2));
  return gaps.length > GAPS ? [...shown, `${' '.repeat(indent)}and ${gaps.length - GAPS} more`] : shown;
}

function probeLines({ reason, plan, ...can }: ExaminedProbe, style: Style): string[] {
  const say = (text: string, indent = '  '): string[] => paragraph(show(style, text), style.width, indent, 2);
  if (reason !== null) return say(reason);
  const yes = (fact: boolean): string => (fact ? 'yes' : 'no');
  const functions = can.tapFunctions.join(', ') || 'none';
  return [
    ...say(`libbpf: ${can.libbpf}`),
    ...say(
      `kernel ${can.kernel}: BTF ${yes(can.btf)}, TCX ${yes(can.tcx)}, taps per namespace ${yes(can.tapsPerNetns)}`,
    ),
    ...say(`drops of the kernel: ${can.drops}`),
    ...say(`functions for per-socket prices: ${functions} (whether they may be hooked shows only when tried)`),
    '',
    ...plan.flatMap((line) => planned(line, say)),
  ];
}

function planned(
  { device, driver, span, mode, attach, reason, price }: ProbePlan,
  say: (text: string, indent?: string) => string[],
): string[] {
  const named = driver === null || driver === device ? device : `${device} (${driver})`;
  return [
    ...say(`${device === '' ? 'host' : named}: ${span}, ${mode ?? ''}: ${attach ? 'attach' : 'leave out'}`),
    ...say(reason, '      '),
    ...(attach && price !== null ? say(`price: ${price}`, '      ') : []),
  ];
}
