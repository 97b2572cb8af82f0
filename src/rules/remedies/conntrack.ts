import type { Remedy } from '../finding.ts';

/** Bytes of one conntrack entry with the usual extensions; `slabinfo` shows 256 to 320. */
const ENTRY_BYTES = 320;

interface Table {
  readonly entries: number;
  readonly limit: number;
  readonly refusedPerSecond: number;
  readonly buckets: number | undefined;
}

/**
 * Sizes the table from what was measured: what is in it, plus the refused flows over one generic UDP timeout of 120 s,
 * doubled, and rounded up to a power of two. Buckets equal to the limit keep chains at one entry on average, as the
 * kernel's own default does (nf_conntrack_core.c:nf_conntrack_init_start).
 */
export function raiseConntrackMax({ entries, limit, refusedPerSecond, buckets }: Table): Remedy[] {
  const wanted = Math.max(limit * 2, 2 * (entries + refusedPerSecond * 120));
  const max = 2 ** Math.ceil(Math.log2(wanted));
  const megabytes = Math.ceil((max * ENTRY_BYTES) / 2 ** 20);
  const commands = [`sysctl -w net.netfilter.nf_conntrack_max=${max}`];
  if (buckets !== undefined && buckets < max) commands.push(`sysctl -w net.netfilter.nf_conntrack_buckets=${max}`);
  return [
    {
      action: `Raise the table to ${max} entries with as many buckets (about ${megabytes} MB when full); one global limit, set in the host's namespace.`,
      command: commands.join(' && '),
      verify:
        "sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max && conntrack -S | grep -o 'drop=[0-9]*'",
    },
    {
      action:
        'Find out which flows fill it before settling on a size: one source with many short flows is a different problem.',
      command:
        "conntrack -L 2>/dev/null | head -n 20000 | grep -o 'src=[0-9a-f.:]*' | sort | uniq -c | sort -rn | head",
    },
  ];
}
