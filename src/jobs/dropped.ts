/** The live host with the counter of drops behind its reader. */
import type { DropsAnswer } from '../readings/drops.ts';
import { overlay, type Reader } from '../collectors/reader.ts';
import { fail, type Result } from '../base/result.ts';
import { Overhead } from '../probe/overhead.ts';
import { lackingFor } from '../probe/privilege.ts';
import type { KernelSymbols } from '../probe/symbols.ts';
import type { DropNamespace } from '../probe/drop-names.ts';
import { DropCounter } from '../probe/drops.ts';
import { isProcfs, monotonicSeconds, type Roots } from '../sources/live-reader.ts';

export interface DropsOptions {
  readonly probe: 'auto' | 'xdp' | 'taps' | 'off';
  readonly roots: Roots;
  readonly maxOverhead: number;
  readonly whyOff?: string;
}

/** What was dropped while it is open; where it could not be attached, why. */
export interface LiveDrops {
  answer(): Result<DropsAnswer>;
  /** The moment up to which the last answer counts, in milliseconds of the monotonic clock. */
  readonly countedAt: number | undefined;
  /** To be called now and then in the window. */
  watch(): void;
  /** What counting took of all CPU time since it was opened, by estimate; null where nothing was counted. */
  cpuShare(): number | null;
  close(): void;
}

/** Never fails: what cannot be counted is a reason in the report. */
export async function openDrops(
  { probe, roots, maxOverhead, whyOff }: DropsOptions,
  namespaces: () => readonly DropNamespace[],
  symbols: KernelSymbols,
  overhead = new Overhead(maxOverhead),
): Promise<LiveDrops> {
  if (probe === 'off') return absent(whyOff ?? 'the probe was not asked for (--probe off)');
  if (!isProcfs(roots.procfs)) return absent(`${roots.procfs} is not the proc file system of this host`);
  const lacking = lackingFor('attaching eBPF programs');
  if (lacking !== undefined) return absent(lacking);
  const opened = await DropCounter.open({ ...roots, symbols, namespaces, overhead });
  return opened.ok ? opened.value : absent(opened.reason);
}

function absent(reason: string): LiveDrops {
  return {
    answer: () => fail(reason),
    countedAt: undefined,
    watch: () => undefined,
    cpuShare: () => null,
    close: () => undefined,
  };
}

/** The same reader, with the counter behind its dump. */
export function withDrops(reader: Reader, drops: LiveDrops): Reader {
  let answeredAt: number | undefined;
  return overlay(reader, {
    get lastReadAt() {
      return answeredAt;
    },
    dump: (name) => {
      if (name !== 'drops') return undefined;
      const asked = monotonicSeconds();
      const answer = drops.answer();
      // Names are looked up before it is counted and after: where they are not known yet, for longer than a short window may be off.
      answeredAt = drops.countedAt === undefined ? asked : drops.countedAt / 1000;
      return answer;
    },
  });
}
