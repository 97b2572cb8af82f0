import type { Thresholds } from './rule.ts';

/**
 * Every limit a rule compares with, in one place, each with where it comes from. `--config` overrides any of them by
 * code and name.
 */
export const thresholds = {
  PKT0201: {
    usage: {
      value: 0.95,
      unit: 'ratio',
      help: 'Share of nf_conntrack_max in use at either end of the window from which drops are put down to a full table.',
      source: 'net/netfilter/nf_conntrack_core.c:gc_worker starts to evict above 95 % of nf_conntrack_max',
    },
  },
} as const satisfies Readonly<Record<string, Thresholds>>;
