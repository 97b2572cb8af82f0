import type { Result } from '../base/result.ts';
import { asCount, decode, asList, asRecord, asText } from './decode.ts';

export interface BpfProgramRow {
  readonly id: number;
  /** As bpftool calls it: sched_cls, xdp, tracing. */
  readonly type: string;
  readonly name: string;
  /** Of the user who loaded it. */
  readonly uid: number;
  /** Counted while somebody has the kernel's statistics on. */
  readonly runNs: number;
  readonly runs: number;
}

export interface BpfLinkRow {
  readonly id: number;
  readonly program: number;
  readonly type: string;
  /** tcx_ingress, xdp, tp_btf, cgroup_inet_egress */
  readonly hook: string;
  /** What a raw tracepoint is called; else ''. */
  readonly target: string;
  /** 0 where it is on no device. */
  readonly ifindex: number;
}

/** Of the whole host; pktcost's own are not among them. */
export interface BpfPrograms {
  readonly programs: readonly BpfProgramRow[];
  readonly links: readonly BpfLinkRow[];
}

export function decodePrograms(answer: unknown): Result<BpfPrograms> {
  return decode(() => {
    const { programs, links } = asRecord(answer);
    return {
      programs: asList(programs, (row) => ({
        id: asCount(row['id']),
        type: asText(row['type']),
        name: asText(row['name']),
        uid: asCount(row['uid']),
        runNs: asCount(row['runNs']),
        runs: asCount(row['runs']),
      })),
      links: asList(links, (row) => ({
        id: asCount(row['id']),
        program: asCount(row['program']),
        type: asText(row['type']),
        hook: asText(row['hook']),
        target: asText(row['target']),
        ifindex: asCount(row['ifindex']),
      })),
    };
  });
}

/** Who holds descriptors of BPF programs, links, perf events, and tun and tap devices. */
export interface Holders {
  readonly programs: readonly Holder[];
  readonly links: readonly Holder[];
  readonly perfEvents: readonly { readonly pid: number; readonly comm: string; readonly count: number }[];
  /** A device by its name, of whatever namespace; not in bundles of before. */
  readonly tuns?: readonly { readonly device: string; readonly pid: number; readonly comm: string }[];
  /** Processes whose descriptors may not be looked at, and those that there was no time for. */
  readonly unreadable: number;
  readonly unlooked: number;
}

export interface Holder {
  readonly id: number;
  readonly pid: number;
  readonly comm: string;
}

export function decodeHolders(answer: unknown): Result<Holders> {
  return decode(() => {
    const { programs, links, perfEvents, tuns = [], unreadable, unlooked } = asRecord(answer);
    const holders = (rows: unknown): readonly Holder[] =>
      asList(rows, (row) => ({ id: asCount(row['id']), pid: asCount(row['pid']), comm: asText(row['comm']) }));
    return {
      programs: holders(programs),
      links: holders(links),
      perfEvents: asList(perfEvents, (row) => ({
        pid: asCount(row['pid']),
        comm: asText(row['comm']),
        count: asCount(row['count']),
      })),
      tuns: asList(tuns, (row) => ({
        device: asText(row['device']),
        pid: asCount(row['pid']),
        comm: asText(row['comm']),
      })),
      unreadable: asCount(unreadable),
      unlooked: asCount(unlooked),
    };
  });
}
