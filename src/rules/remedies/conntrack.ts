import type { Advice } from '../finding.ts';
import { setSysctl } from './setting.ts';
import { inNetns } from './shell.ts';

/** Bytes of one conntrack entry with the usual extensions (`slabinfo` shows 256 to 320), and of its bucket. */
const ENTRY_BYTES = 320 + 8;

/** Most of the host's memory that a full table may take, and the largest table that is proposed: 344 MB when full. */
const LARGEST_SHARE = 1 / 8;
const LARGEST_TABLE = 2 ** 20;

/**
 * Who holds most entries. Of an entry's two src= the first is the one that opened the flow. Cut short on purpose: listing
 * a table of a million entries loads a CPU for seconds.
 */
const TOP_SOURCES =
  "conntrack -L 2>/dev/null | head -n 20000 | grep -o '^[^=]*src=[0-9a-f.:]*' | grep -o 'src=.*' | sort | uniq -c | sort -rn | head";

/** For packets that conntrack dropped while its table had room. */
export function seeRefusals(netns: string): Advice[] {
  return [
    {
      action:
        'Have the kernel log what its trackers refuse (by default nothing), and see whether memory for entries ran out, or the table was full for a moment.',
      command: inNetns(
        netns,
        'conntrack -S; dmesg | grep -i conntrack | tail; sysctl -w net.netfilter.nf_conntrack_log_invalid=255',
      ),
      undo: inNetns(netns, 'sysctl -w net.netfilter.nf_conntrack_log_invalid=0'),
      verify: inNetns(netns, "conntrack -S | grep -oE '(early_)?drop=[0-9]+'"),
    },
  ];
}

/** For packets that conntrack dropped in a table of which nothing else is known. */
export function seeLevel(netns: string): Advice[] {
  const level = 'sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max';
  return [
    {
      action:
        'See how full the table is, and whether the drops still rise: on the host, since a container may not be shown it.',
      command: inNetns(netns, level),
      verify: inNetns(netns, `${level} && conntrack -S | grep -oE '(early_)?drop=[0-9]+'`),
    },
  ];
}

interface ConntrackTable {
  /** The namespace, where the flows are looked at; the limit itself is the host's. */
  readonly netns: string;
  readonly entries: number;
  readonly limit: number;
  readonly refusedPerSecond: number;
  readonly buckets: number | undefined;
  readonly totalBytes: number | undefined;
}

/**
 * Sizes the table from what was measured: what is in it, plus the refused flows over one generic UDP timeout of 120 s,
 * doubled, and rounded up to a power of two, as long as the host can spare the memory: under a flood no table is large
 * enough. Buckets equal to the limit keep chains at one entry on average, as the kernel's own default does
 * (nf_conntrack_core.c:nf_conntrack_init_start).
 */
export function raiseConntrackMax({
  netns,
  entries,
  limit,
  refusedPerSecond,
  buckets,
  totalBytes,
}: ConntrackTable): Advice[] {
  const wanted = 2 ** Math.ceil(Math.log2(Math.max(limit * 2, 2 * (entries + refusedPerSecond * 120))));
  const affordable =
    totalBytes === undefined
      ? Math.max(4 * limit, 2 ** 18)
      : 2 ** Math.floor(Math.log2((totalBytes * LARGEST_SHARE) / ENTRY_BYTES));
  const max = Math.min(wanted, affordable, LARGEST_TABLE);
  const find: Advice = {
    action:
      'Find out which flows fill it before settling on a size: one source with many short flows is a different problem.',
    command: inNetns(netns, TOP_SOURCES),
  };
  if (max <= limit) return [find];
  const megabytes = Math.ceil((max * ENTRY_BYTES) / 2 ** 20);
  const enlarge = buckets !== undefined && buckets < max;
  return [
    {
      action: `Raise the table from ${limit} to ${max} entries${enlarge ? ` and its hash from ${buckets} to as many buckets` : ''} (about ${megabytes} MB when full); one global limit, set in the host's namespace.`,
      ...setSysctl([
        { name: 'net.netfilter.nf_conntrack_max', value: max, before: limit },
        ...(enlarge ? [{ name: 'net.netfilter.nf_conntrack_buckets', value: max, before: buckets }] : []),
      ]),
      verify: inNetns(
        netns,
        "sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max && conntrack -S | grep -oE '(early_)?drop=[0-9]+'",
      ),
    },
    find,
  ];
}

/** Entries lost to the race of two packets of one flow: mostly the A and AAAA queries of one resolver call through NAT. */
export function avoidClashes(netns: string): Advice[] {
  const verify = inNetns(netns, "conntrack -S | grep -o 'insert_failed=[0-9]*'");
  return [
    {
      action:
        'If the clients resolve names through NAT: give them "options single-request-reopen" (glibc; for pods in dnsConfig), or run a caching resolver on the node. First see what they have now.',
      command: "grep -E '^(nameserver|options)' /etc/resolv.conf",
      verify,
    },
    {
      action:
        'Let SNAT choose its ports at random, so that two CPUs do not pick the same one: list the rules that do not.',
      command: inNetns(
        netns,
        "iptables-save -t nat | grep -E 'MASQUERADE|SNAT' | grep -v random; nft list ruleset | grep -E 'masquerade|snat' | grep -v random",
      ),
      verify,
    },
  ];
}

/** More buckets, as many as entries or twice what there is, whichever is more; the hash is one for all namespaces. */
export function raiseBuckets(netns: string, entries: number, buckets: number | undefined): Advice[] {
  const wanted = 2 ** Math.ceil(Math.log2(Math.max(entries, 2 * (buckets ?? 0), 65536)));
  return [
    {
      action: `Enlarge the conntrack hash ${buckets === undefined ? '' : `from ${buckets} `}to ${wanted} buckets (${(wanted * 8) / 2 ** 20} MB), set in the host's namespace.`,
      ...setSysctl([{ name: 'net.netfilter.nf_conntrack_buckets', value: wanted, before: buckets }]),
      verify: inNetns(
        netns,
        "sysctl net.netfilter.nf_conntrack_buckets && conntrack -S | grep -o 'chaintoolong=[0-9]*'",
      ),
    },
    {
      action: 'If chains stay long with a large hash, one source is aiming at them: see who holds most entries.',
      command: inNetns(netns, TOP_SOURCES),
    },
  ];
}
