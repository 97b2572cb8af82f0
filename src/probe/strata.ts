/**
 * All of the time from its slices. The tracepoints see a part of the time only, and a slice is the shorter the more comes: what they
 * counted, scaled by the time alone, would be too little of a host that is now busy and now idle. So each slice stands for itself and
 * the rest before it, by the runs of NET_RX that the kernel counted in both (/proc/softirqs); by their time where it does not tell.
 */
import { join } from 'node:path';
import { readFileGuarded } from '../base/file.ts';
import { parseSoftirqs } from '../collectors/softirqs.ts';
import type { CpuReading } from '../readings/reading.ts';

/** Of one CPU in all of the time, by estimate. */
export interface Whole {
  readonly allRuns: number;
  readonly allNs: number;
  readonly allSkbs: number;
}

export type RunsByCpu = ReadonlyMap<number, number>;

/** Runs of the NET_RX softirq by CPU, as the kernel counts them; undefined where it does not tell. */
export function kernelRuns(procfs: string): RunsByCpu | undefined {
  const bytes = readFileGuarded(join(procfs, 'softirqs'));
  const table = bytes.ok ? parseSoftirqs(bytes.value) : bytes;
  const row = table.ok ? table.value.rows.find(({ type }) => type === 'NET_RX') : undefined;
  if (!table.ok || row === undefined) return undefined;
  return new Map(table.value.cpus.map((cpu, column) => [Number(cpu), row.runs[column] ?? 0]));
}

/** A moment between two slices, or within one. */
export interface Moment {
  readonly cpus: readonly CpuReading[];
  readonly runs: RunsByCpu | undefined;
  /** Nanoseconds since the session began, and those of them in which the tracepoints were attached. */
  readonly attachedNs: number;
  readonly tracedNs: number;
}

interface Sum {
  allRuns: number;
  allNs: number;
  allSkbs: number;
  /** Runs for which there has been no timed one yet. */
  waiting: number;
  /** Of the last timed runs: nanoseconds and packets of each. */
  each: { readonly ns: number; readonly skbs: number } | undefined;
}

const NOTHING: Sum = { allRuns: 0, allNs: 0, allSkbs: 0, waiting: 0, each: undefined };

/** /proc/softirqs has 32 bits. */
const WRAP = 2 ** 32;

export class Strata {
  #last: Moment | undefined;
  readonly #sums = new Map<number, Sum>();

  /** At the end of a slice: it and the rest before it are done with. */
  close(now: Moment): void {
    for (const cpu of now.cpus) this.#sums.set(cpu.cpu, this.#upTo(cpu, now));
    this.#last = now;
  }

  /** Up to now, what has not been closed included. */
  whole(cpu: CpuReading, now: Moment): Whole {
    const { allRuns, allNs, allSkbs } = this.#upTo(cpu, now);
    return { allRuns, allNs, allSkbs };
  }

  #upTo(cpu: CpuReading, now: Moment): Sum {
    const before = this.#sums.get(cpu.cpu) ?? NOTHING;
    const last = this.#last?.cpus.find((each) => each.cpu === cpu.cpu);
    const timed = cpu.netRxSampledRuns - (last?.netRxSampledRuns ?? 0);
    const each =
      timed > 0
        ? { ns: (cpu.netRxNs - (last?.netRxNs ?? 0)) / timed, skbs: (cpu.netRxSkbs - (last?.netRxSkbs ?? 0)) / timed }
        : before.each;
    const runs = this.#runs(cpu, last, now);
    const known = each === undefined ? 0 : runs + before.waiting;
    return {
      allRuns: before.allRuns + runs,
      allNs: before.allNs + known * (each?.ns ?? 0),
      allSkbs: before.allSkbs + known * (each?.skbs ?? 0),
      waiting: each === undefined ? runs + before.waiting : 0,
      each,
    };
  }

  #runs(cpu: CpuReading, last: CpuReading | undefined, now: Moment): number {
    const seen = cpu.netRxRuns - (last?.netRxRuns ?? 0);
    const [from, to] = [this.#last?.runs?.get(cpu.cpu), now.runs?.get(cpu.cpu)];
    if (from !== undefined && to !== undefined) return Math.max(seen, (to - from + WRAP) % WRAP);
    const traced = now.tracedNs - (this.#last?.tracedNs ?? 0);
    return traced <= 0 ? seen : (seen * (now.attachedNs - (this.#last?.attachedNs ?? 0))) / traced;
  }
}
