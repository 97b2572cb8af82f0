import { ok, type Result } from '../base/result.ts';
import { kernelLogLines } from '../metrics/catalogue/index.ts';
import { asCount, asList, asText, decode } from '../readings/decode.ts';
import { defineCollector } from './collector.ts';
import { utf8Text } from './cursor.ts';

/** What lines of the kernel log are about, where they go with a loss, and how each is known. */
const logSigns = [
  // Newer kernels name the namespace. Source: net/netfilter/nf_conntrack_core.c:__nf_conntrack_alloc.
  { about: 'conntrack', sign: /nf_conntrack: (?:nf_conntrack: )?(?:expectation )?table full\b.*, dropping packet/ },
  { about: 'syn-flood', sign: /Possible SYN flooding on port/ },
  { about: 'tcp-memory', sign: /TCP: (?:out of memory|too many orphaned sockets)/ },
  { about: 'memory', sign: /Out of memory: Kill|page allocation failure/ },
  // Source: net/core/neighbour.c:neigh_alloc, and before 4.x net/ipv4/route.c.
  { about: 'neighbours', sign: /neighbou?r: \w+: neighbou?r table overflow|Neighbour table overflow/ },
  { about: 'transmit', sign: /NETDEV WATCHDOG/ },
] as const;

export interface LogRow {
  readonly about: string;
  readonly lines: number;
}

/** The log itself is the host's own, and only copies have it as the output of a command. */
export const kernellog = defineCollector({
  id: 'kernellog',
  turn: 83,
  scope: 'host',
  reads: ['kernel_log'],
  collect(host, emit) {
    const rows = host.dumpIfPresent('kernel_log', decodeLog);
    if (rows === undefined)
      host.notApplicable('kernel_log', 'the log of the kernel is read of copies only, as dmesg printed it');
    for (const { about, lines } of rows ?? []) emit(kernelLogLines, { about }, lines);
  },
});

function decodeLog(answer: unknown): Result<readonly LogRow[]> {
  return decode(() => asList(answer, (row) => ({ about: asText(row['about']), lines: asCount(row['lines']) })));
}

/** Parses dmesg for lines that go with a loss: how many of each kind, and the last of them. Any text is a log. */
export function parseKernelLog(bytes: Uint8Array): Result<readonly (LogRow & { readonly last: string })[]> {
  const lines = utf8Text(bytes).split('\n');
  return ok(
    logSigns.flatMap(({ about, sign }) => {
      const found = lines.filter((line) => sign.test(line));
      return found.length === 0 ? [] : [{ about, lines: found.length, last: found.at(-1) ?? '' }];
    }),
  );
}
