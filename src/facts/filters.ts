/** Which chains of netfilter a hook's cost belongs to. */
import type { Signal } from './signal.ts';

export interface Chain {
  readonly netns: string;
  /** nftables, iptables-nft, iptables */
  readonly engine: string;
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  readonly hook: string;
  readonly device: string;
  readonly rules: number;
  /** With those that it jumps to. */
  readonly reachable: number;
  /** Which rule accepts known flows; undefined where none does. */
  readonly establishedAt: number | undefined;
  /** The rule that takes most packets, of those that count. */
  readonly busiest: { readonly handle: string; readonly position: number; readonly perSecond: number } | undefined;
}

export interface FilterReadings {
  readonly chains: readonly Signal[];
  readonly reachable: readonly Signal[];
  readonly established: readonly Signal[];
  readonly matched: readonly Signal[];
}

/** Every chain on a hook, those with most rules first. */
export function chainsOf({ chains, reachable, established, matched }: FilterReadings): readonly Chain[] {
  const [reach, known] = [byChain(reachable), byChain(established)];
  return chains
    .map(({ labels, value }) => {
      const key = filterKey(labels);
      const { netns = '', engine = '', family = '', table = '', chain = '', hook = '', device = '' } = labels;
      const busiest = matched
        .filter((rule) =>
          ['netns', 'engine', 'family', 'table', 'chain'].every((name) => rule.labels[name] === labels[name]),
        )
        .sort((a, b) => b.value - a.value)[0];
      return {
        ...{ netns, engine, family, table, chain, hook, device },
        rules: value,
        reachable: Math.max(value, reach.get(key) ?? 0),
        establishedAt: known.get(key),
        busiest:
          busiest === undefined || busiest.value === 0
            ? undefined
            : {
                handle: busiest.labels['handle'] ?? '',
                position: Number(busiest.labels['position']),
                perSecond: busiest.value,
              },
      };
    })
    .sort((a, b) => b.reachable - a.reachable);
}

function byChain(signals: readonly Signal[]): ReadonlyMap<string, number> {
  return new Map(signals.map(({ labels, value }) => [filterKey(labels), value]));
}

function filterKey(labels: Signal['labels']): string {
  return ['netns', 'engine', 'family', 'table', 'chain', 'hook', 'device'].map((name) => labels[name] ?? '').join('\0');
}

/** A hook as the profile tells it, and who was on it. */
export interface HookCost {
  readonly family: string;
  readonly hook: string;
  readonly engine: string;
  readonly samples: number;
}

/** Hooks by what the samples of one direction met there, the dearest first; conntrack and nat are not filters. */
export function hooksOf(samples: readonly Signal[], direction: string): readonly HookCost[] {
  return samples
    .filter(({ labels }) => labels['direction'] === direction)
    .map(({ labels: { family = '', hook = '', engine = '' }, value }) => ({ family, hook, engine, samples: value }))
    .filter(({ engine }) => engine !== 'conntrack' && engine !== 'nat')
    .sort((a, b) => b.samples - a.samples);
}

/** Families with hooks of their own: a chain of any other is on the hooks of IP or of a device. */
const APART: ReadonlySet<string> = new Set(['bridge', 'arp']);

/** `input`, `bridge prerouting`. */
export function hookWords({ family, hook }: Pick<HookCost, 'family' | 'hook'>): string {
  return APART.has(family) ? `${family} ${hook}` : hook;
}

/** Chains that can be the cost of a hook: on that hook, run by that engine. */
export function chainsOn(chains: readonly Chain[], { family, hook, engine }: HookCost): readonly Chain[] {
  return chains.filter(
    (chain) =>
      chain.hook === hook &&
      (APART.has(family) ? chain.family === family : !APART.has(chain.family)) &&
      (engine === 'iptables' ? chain.engine === 'iptables' : engine === 'other' || chain.engine !== 'iptables'),
  );
}

/** `chain input of table inet filter (nftables), 200 rules`. */
export function chainText({ engine, family, table, chain, rules, netns, device }: Chain): string {
  const where = netns === '' ? '' : ` in namespace ${netns}`;
  const on = device === '' ? '' : ` on ${device}`;
  return `chain ${chain} of table ${family} ${table}${on} (${engine})${where}, ${rules.toLocaleString('en-US')} ${rules === 1 ? 'rule' : 'rules'}`;
}
