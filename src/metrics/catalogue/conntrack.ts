import { counterExposedAs, gauge, type Metric } from '../metric.ts';

const ct = { collector: 'conntrack', labels: [], perNetns: true } as const;
export const conntrackEntries = gauge('node_nf_conntrack_entries', {
  ...ct,
  source: '/proc/sys/net/netfilter/nf_conntrack_count',
  unit: 'entries',
  help: 'Entries in the conntrack table of this network namespace.',
});
export const conntrackLimit = gauge('node_nf_conntrack_entries_limit', {
  ...ct,
  source: '/proc/sys/net/netfilter/nf_conntrack_max',
  unit: 'entries',
  help: 'The one global limit that the count of each namespace is compared with; 0 means unlimited up to 6.12.',
});
export const conntrackBuckets = gauge('pktcost_nf_conntrack_buckets', {
  ...ct,
  source: '/proc/sys/net/netfilter/nf_conntrack_buckets',
  unit: 'number',
  help: 'Size of the global conntrack hash table.',
});
const ctStat = (name: string, help: string, prefix = 'node'): Metric<never> & { readonly countsUp: true } =>
  counterExposedAs('gauge', `${prefix}_nf_conntrack_stat_${name}`, {
    ...ct,
    source: '/proc/net/stat/nf_conntrack',
    unit: name === 'drop' || name === 'invalid' ? 'packets' : 'events',
    width: 'u32-per-cpu',
    help,
  });
export const conntrackFound = ctStat('found', 'Hits of the NAT source-port search; not a count of lookups.');
export const conntrackInvalid = ctStat('invalid', 'Packets that could not be tracked; usually accepted as INVALID.');
export const conntrackIgnore = ctStat('ignore', 'Hard-wired to 0 on current kernels.');
export const conntrackInsert = ctStat('insert', 'Entries created through ctnetlink or BPF; 0 under ordinary traffic.');
export const conntrackInsertFailed = ctStat(
  'insert_failed',
  'Entries lost at confirmation: a race with the same tuple, or a hash chain too long. Not a full table.',
);
export const conntrackDrop = ctStat(
  'drop',
  'Packets dropped because no entry could be allocated (table full), or by a tracker verdict or clash.',
);
export const conntrackEarlyDrop = ctStat(
  'early_drop',
  'Old, not assured entries evicted so that a new one fits; the packet itself goes on.',
);
export const conntrackSearchRestart = ctStat('search_restart', 'Lookups restarted because the entry moved.');
export const conntrackClashResolved = ctStat('clashres', 'Insert clashes resolved without a drop.', 'pktcost');
export const conntrackChainTooLong = ctStat(
  'chaintoolong',
  'Insertions refused because the hash chain was too long: the hash is too small.',
  'pktcost',
);
