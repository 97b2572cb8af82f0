import type { ProbePlan } from '../../generated/report.ts';
import { examinedTable, type ExaminedCollector } from '../tables/doctor.ts';
import { planRows, planTable } from '../tables/run.ts';
import { paint, paragraph, show, type Style } from './layout.ts';
import { drawTable } from './table.ts';

/** What can be measured on this host, and what the probe would do. */
export interface Examined {
  readonly root: boolean;
  /** Namespaces besides the own one; null where they cannot be listed, and the reason. */
  readonly otherNamespaces: number | null;
  readonly namespacesReason: string | null;
  readonly collectors: readonly ExaminedCollector[];
  readonly probe: ExaminedProbe;
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
    ...drawTable(style, examinedTable, collectors),
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

function probeLines({ reason, plan, ...can }: ExaminedProbe, style: Style): string[] {
  const say = (text: string): string[] => paragraph(show(style, text), style.width, '  ', 2);
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
    ...(plan.length === 0 ? [] : ['', ...drawTable(style, planTable, planRows(plan))]),
  ];
}
