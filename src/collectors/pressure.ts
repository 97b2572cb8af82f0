import {
  pressureAverage,
  pressureCpuWaiting,
  pressureIoStalled,
  pressureIoWaiting,
  pressureIrqStalled,
  pressureMemoryStalled,
  pressureMemoryWaiting,
} from '../metrics/catalogue/index.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { defineCollector } from './collector.ts';
import { Cursor, U64_MAX } from './cursor.ts';

const directory = '/proc/pressure';

/**
 * Which line of which file is which metric. `full` of cpu is always zero for the whole host and not exported; irq has
 * nothing but `full`.
 */
const resources = [
  { file: 'cpu', some: pressureCpuWaiting, full: undefined },
  { file: 'io', some: pressureIoWaiting, full: pressureIoStalled },
  { file: 'memory', some: pressureMemoryWaiting, full: pressureMemoryStalled },
  { file: 'irq', some: undefined, full: pressureIrqStalled },
] as const;

export const pressure = defineCollector({
  id: 'pressure',
  turn: 140,
  scope: 'host',
  reads: [`${directory}/{cpu,io,memory,irq}`],
  collect(host, emit) {
    const files = host.listIfPresent(directory);
    if (files.length === 0) {
      host.notApplicable(directory, 'this kernel does not track pressure (psi=0 or built without CONFIG_PSI)');
      return;
    }
    for (const { file, some, full } of resources) {
      // Only since 6.1 and with IRQ_TIME_ACCOUNTING.
      if (file === 'irq' && !files.includes(file)) continue;
      const stalls = host.parse(`${directory}/${file}`, parsePressure);
      if (some !== undefined && stalls?.some !== undefined) emit(some, {}, stalls.some);
      if (full !== undefined && stalls?.full !== undefined) emit(full, {}, stalls.full);
      for (const kind of ['some', 'full'] as const) {
        const share = stalls?.lately[kind];
        if (share !== undefined) emit(pressureAverage, { resource: file, kind }, share);
      }
    }
  },
});

/** Seconds since boot, and the share of the last minute. */
interface Pressure {
  readonly some: number | undefined;
  readonly full: number | undefined;
  readonly lately: { readonly some: number | undefined; readonly full: number | undefined };
}

/**
 * Parses a file of /proc/pressure: `some avg10=0.00 avg60=0.00 avg300=0.00 total=N` and a like line `full`. The total is
 * in microseconds; of the averages, which are the kernel's own in percent, that of a minute is taken. Unlike elsewhere the last line feed may be missing: copies
 * without it exist. Source: kernel/sched/psi.c:psi_show.
 */
export function parsePressure(bytes: Uint8Array): Result<Pressure> {
  const cursor = new Cursor(bytes);
  const seconds = new Map<string, number>();
  const minute = new Map<string, number>();
  while (!cursor.done) {
    const start = cursor.at;
    const kind = cursor.word();
    if (kind !== 'some' && kind !== 'full') return fail('a line that is neither some nor full', start);
    let total: number | undefined;
    while (cursor.moreOnLine()) {
      const word = cursor.word();
      const microseconds = /^total=(\d{1,20})$/.exec(word)?.[1];
      if (microseconds !== undefined) total = Number(microseconds);
      const percent = /^avg60=(\d{1,3}\.\d{1,2})$/.exec(word)?.[1];
      if (percent !== undefined) minute.set(kind, Number(percent) / 100);
    }
    if (total === undefined || total > U64_MAX) return fail(`no total in line ${kind}`, cursor.at);
    seconds.set(kind, total / 1e6);
    cursor.nextLine();
  }
  if (seconds.size === 0) return fail('empty file', 0);
  return ok({
    some: seconds.get('some'),
    full: seconds.get('full'),
    lately: { some: minute.get('some'), full: minute.get('full') },
  });
}
