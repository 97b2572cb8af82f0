/** Which part a function on a stack belongs to: by its name, its caller, or the type of the program that it is. */
import { parts, type PartId } from './parts.ts';
import { markOf, type AnyPart } from './marks.ts';

/** A function on a stack. */
export interface Frame {
  readonly name: string;
  /** The BPF program that it is, where it is one. */
  readonly program: ProgramFrame | null;
}

export interface ProgramFrame {
  readonly id: number;
  /** enum bpf_prog_type, include/uapi/linux/bpf.h. */
  readonly type: number;
  /** One of pktcost's. */
  readonly own: boolean;
}

const part = (id: PartId): AnyPart => parts.find((each) => each.id === id)!;
const byStructure = {
  driverReceive: part('driver-receive'),
  driverTransmit: part('driver-transmit'),
  self: part('self'),
  other: part('other'),
};

/** The callers of a driver's functions, whose names are the driver's own. */
const POLLERS = new Set([
  '__napi_poll',
  'napi_poll',
  'net_rx_action',
  'napi_threaded_poll_loop',
  '__napi_busy_loop',
  'busy_poll_stop',
]);
const SENDERS = new Set([
  'dev_hard_start_xmit',
  'xmit_one',
  'netdev_start_xmit',
  '__dev_direct_xmit',
  'sch_direct_xmit',
]);

/** enum bpf_prog_type: where a program of this type runs. Tracing: kprobe, tracepoint, perf_event, raw_tracepoint, tracing. */
export const PROGRAM_PARTS: Readonly<Record<number, PartId>> = {
  ...{ 1: 'socket-filter', 2: 'tracing', 3: 'tc-bpf', 4: 'tc-bpf', 5: 'tracing', 6: 'xdp', 7: 'tracing' },
  ...{ 8: 'cgroup-bpf', 9: 'cgroup-bpf', 10: 'tunnel', 11: 'tunnel', 12: 'tunnel', 13: 'cgroup-bpf' },
  ...{ 14: 'socket-filter', 16: 'socket-filter', 17: 'tracing', 18: 'cgroup-bpf', 19: 'tunnel', 21: 'socket-filter' },
  ...{
    22: 'stack-entry',
    24: 'tracing',
    25: 'cgroup-bpf',
    26: 'tracing',
    27: 'tcp',
    29: 'lsm',
    30: 'socket-filter',
    32: 'netfilter',
  },
};

export function partOfFrame(frames: readonly Frame[], index: number): AnyPart | undefined {
  const { name, program } = frames[index]!;
  if (program !== null) {
    if (program.own) return byStructure.self;
    const id = PROGRAM_PARTS[program.type];
    return id === undefined ? undefined : part(id);
  }
  const named = markOf(name);
  if (named !== undefined) return named;
  const caller = frames[index - 1]?.name;
  if (caller === undefined) return undefined;
  if (POLLERS.has(caller)) return byStructure.driverReceive;
  return SENDERS.has(caller) ? byStructure.driverTransmit : undefined;
}
