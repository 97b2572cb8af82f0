/** BPF programs on the packet path, and who traces it. */
import { processText } from '../base/process-text.ts';
import type { Signal } from './signal.ts';

export interface Program {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  /** Samples of the profile in the direction asked about. */
  readonly samples: number;
  /** Where it is attached: `tc ingress of eth0`, `tp_btf`, `tracepoint netif_receive_skb`. */
  readonly places: readonly string[];
  readonly netns: string;
  readonly device: string;
  /** How it is attached to that device; empty where it is not. */
  readonly attached: Readonly<Record<'kind' | 'mode' | 'side' | 'parent', string>>;
  readonly holders: readonly { readonly pid: string; readonly comm: string }[];
  /** Mean time of a run while somebody had the kernel's statistics on. */
  readonly nsPerRun: number | undefined;
}

export interface ProgramReadings {
  readonly programs: readonly Signal[];
  readonly known: readonly Signal[];
  readonly onDevices: readonly Signal[];
  readonly linked: readonly Signal[];
  readonly holders: readonly Signal[];
  readonly runs: readonly Signal[];
  readonly runNs: readonly Signal[];
}

/** The programs that samples of a direction met in parts that `isPart` picks, the dearest first. */
export function programsOf(
  read: ProgramReadings,
  direction: string,
  isPart: (part: string) => boolean,
): readonly Program[] {
  const samples = new Map<string, { name: string; samples: number }>();
  for (const { labels, value } of read.programs) {
    if (labels['direction'] !== direction || !isPart(labels['part'] ?? '')) continue;
    const id = labels['program_id'] ?? '';
    const before = samples.get(id)?.samples ?? 0;
    samples.set(id, { name: labels['name'] ?? '', samples: before + value });
  }
  const of = (signals: readonly Signal[], id: string): readonly Signal[] =>
    signals.filter(({ labels }) => labels['program_id'] === id);
  return [...samples]
    .sort(([, a], [, b]) => b.samples - a.samples)
    .map(([id, { name, samples: count }]) => {
      const [info] = of(read.known, id);
      const devices = of(read.onDevices, id);
      const [runs, ns] = [of(read.runs, id)[0]?.value, of(read.runNs, id)[0]?.value];
      return {
        id,
        name: info?.labels['name'] ?? name,
        type: info?.labels['type'] ?? '',
        samples: count,
        places: [
          ...devices.map(({ labels }) => `${labels['hook'] ?? ''} of ${labels['device'] ?? ''}`),
          ...of(read.linked, id)
            .filter(({ labels }) => devices.length === 0 || !OF_DEVICES.has(labels['type'] ?? ''))
            .map(({ labels }) =>
              [labels['hook'] ?? '', labels['target'] ?? ''].filter((word) => word !== '').join(' '),
            ),
        ],
        netns: devices[0]?.labels['netns'] ?? '',
        device: devices[0]?.labels['device'] ?? '',
        attached: attachedAs(devices[0]?.labels ?? {}),
        holders: of(read.holders, id).map(({ labels }) => ({ pid: labels['pid'] ?? '', comm: labels['comm'] ?? '' })),
        nsPerRun: runs === undefined || ns === undefined || runs === 0 ? undefined : ns / runs,
      };
    });
}

/** Types of links that the device's own row tells better. */
const OF_DEVICES: ReadonlySet<string> = new Set(['tcx', 'xdp']);

function attachedAs({ kind = '', mode = '', side = '', parent = '' }: Signal['labels']): Program['attached'] {
  return { kind, mode, side, parent };
}

/** `program spin (id 77)`. */
export function programName({ id, name }: Program): string {
  return `program ${name === '' ? 'without a name' : name} (id ${id})`;
}

/** What is known of it besides its name, as data. */
export function detailsOf({ type, places, holders, netns }: Program): {
  readonly [name: string]: string | readonly string[];
} {
  return { type, places, netns, heldBy: holders.map(processText) };
}

/** What is known of it besides: ` (sched_cls at tc ingress of eth0, held by agent (pid 4711))`. */
export function programDetails({ type, places, holders, netns }: Program): string {
  const held = holders.slice(0, 2).map(processText);
  const known = [
    [type, places.slice(0, 2).join(', ')].filter((word) => word !== '').join(' at '),
    netns === '' ? '' : `namespace ${netns}`,
    held.length === 0 ? 'no process seen that holds it: pinned, or attached by netlink' : `held by ${held.join(', ')}`,
  ];
  return `, ${known.filter((word) => word !== '').join(', ')}`;
}
