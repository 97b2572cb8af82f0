import { processText } from '../../base/process-text.ts';
import type { Program } from '../../facts/programs.ts';
import type { Advice } from '../finding.ts';
import { VERIFY } from '../path-parts.ts';
import { inNetns, shellQuote } from './shell.ts';
import { showFilters } from './tc.ts';

/** What to do about a program on the path: see what it is, who needs it, how it is taken off. */
export function lightenProgram(program: Program): Advice[] {
  const { id, name, holders, device, attached, netns } = program;
  const who = holders.map(processText).join(', ');
  const missed = who === '' ? 'whoever attached it will miss it' : `${who} will miss it`;
  const look: Advice = {
    action: `See what program ${name} (id ${id}) does and how long a run takes: a loop over a large map or a lock in a map makes each packet expensive.`,
    command: `bpftool prog show id ${id}; bpftool prog profile id ${id} duration 5 cycles instructions`,
    verify: VERIFY,
  };
  const detach = detachCommand(attached, device);
  if (detach === undefined) {
    const [holder] = holders;
    if (holder === undefined) return [look];
    return [
      look,
      {
        action: `If the host can do without, end it with the process that holds it: ${missed}.`,
        command: `tr '\\0' ' ' </proc/${holder.pid}/cmdline`,
        verify: VERIFY,
      },
    ];
  }
  return [
    look,
    {
      action: `If the host can do without, take it off ${device}: ${missed}, and has to put it back, if need be.`,
      command: inNetns(netns, detach),
      verify: VERIFY,
    },
  ];
}

/** What ip-link calls the modes: with programs in two of them the kernel refuses a command that names none. */
const XDP_MODES = new Map([
  ['native', 'xdpdrv'],
  ['generic', 'xdpgeneric'],
  ['offloaded', 'xdpoffload'],
]);

function detachCommand(attached: Program['attached'], device: string): string | undefined {
  if (device === '') return undefined;
  const dev = shellQuote(device);
  switch (attached.kind) {
    case 'xdp':
      return `ip link set dev ${dev} ${XDP_MODES.get(attached.mode) ?? 'xdp'} off`;
    case 'tc':
      return showFilters(dev, attached);
    case 'tcx':
      return `bpftool net show dev ${dev}`;
    default:
      return undefined;
  }
}

/** Who traces, where no program says so. */
export function stopTracing(holders: readonly { readonly pid: string; readonly comm: string }[]): Advice[] {
  const find: Advice = {
    action: 'See which tracepoints, probes and functions are traced.',
    command:
      'bpftool perf show; bpftool link show; cat /sys/kernel/tracing/kprobe_events /sys/kernel/tracing/set_event',
    verify: VERIFY,
  };
  const own = holders.slice(0, 3).map(({ pid, comm }) => ({
    action: `End the tracing of ${processText({ comm, pid })}, or let it trace fewer packets: a filter in the kernel, a sample, no stacks.`,
    command: `kill -INT ${pid}`,
    verify: VERIFY,
  }));
  return [...own, find];
}
