/** Tracing on a packet's way: whose it is, and what it traces. */
import type { PartId } from './parts.ts';
import { markOf } from './marks.ts';
import { PROGRAM_PARTS, type Frame } from './frames.ts';

/** The function that the tracing, its programs and its trampolines were called from. */
export function tracedIn(callers: readonly Frame[]): string | undefined {
  return callers.findLast(({ name, program }) => program === null && markOf(name)?.id !== 'tracing')?.name;
}

/** Parts of receiving that come before a packet is in the stack. The tracepoint netif_receive_skb is the first thing in it. */
const ENTRANCE: ReadonlySet<PartId> = new Set([
  ...(['driver-receive', 'gro', 'backlog', 'softirq', 'stack-entry'] as const),
]);

/** Whether what is traced lies where packets enter the stack, or before. */
export function isEntrance(traced: string): boolean {
  const part = markOf(traced);
  return part === undefined || ENTRANCE.has(part.id);
}

/** Programs of others on a tracepoint, whose frames say nothing of whose program they call. */
export function hasForeignTracing(frames: readonly Frame[]): boolean {
  return frames.some(
    ({ program }, index) =>
      program !== null &&
      !program.own &&
      PROGRAM_PARTS[program.type] === 'tracing' &&
      frames.slice(0, index).some(({ name }) => TRACEPOINT.test(name)),
  );
}

const TRACEPOINT = /^(?:bpf_trace_run|__bpf_trace_|__traceiter_)/;
const TRAMPOLINE = /^(?:bpf_trampoline|__bpf_prog_enter|__bpf_prog_exit|__bpf_tramp_)/;
/** On arm64 a function with hooks goes to its trampoline through this, before it has a frame of its own: the target may be unseen. */
const FTRACE = /^ftrace_caller/;
/** Where pktcost's own fentry and fexit programs are. */
const OWN_TARGETS = /^(?:t?packet_rcv|packet_rcv_fanout|dev_queue_xmit_nit)$/;

/** Of what leads to a program without one on the stack: a tracepoint on which only pktcost is, a trampoline at its targets. */
export function isOwnTracing(frames: readonly Frame[], at: number, foreignTracing: boolean): boolean {
  const { name } = frames[at]!;
  if (TRACEPOINT.test(name) || FTRACE.test(name)) return !foreignTracing;
  return (
    TRAMPOLINE.test(name) &&
    OWN_TARGETS.test(frames.slice(0, at).findLast((frame) => !TRAMPOLINE.test(frame.name))?.name ?? '')
  );
}
