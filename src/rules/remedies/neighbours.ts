/** One table for all namespaces, whose limits stand in the host's only (net/core/neighbour.c:neigh_sysctl_register). */
export const tableLimits = 'sysctl net.ipv4.neigh.default.gc_thresh3 net.ipv6.neigh.default.gc_thresh3';

const counters = ['entries', 'unresolved_discards', 'table_fulls'];

/** The host's, too: what the tables hold, and what was lost by them. */
export const tableLosses = `lnstat -c 1 -k ${['arp_cache', 'ndisc_cache']
  .flatMap((table) => counters.map((counter) => `${table}:${counter}`))
  .join(',')}`;
