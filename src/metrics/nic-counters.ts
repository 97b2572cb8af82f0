import { namesIn, type NicLosses, type NicLossKind } from './nic-losses.ts';

/**
 * What a driver counts in `ethtool -S` of frames that its ring had no room for, by name, with `N` for the numbers of queues, whose
 * counters are added up. Two names may be the same loss.
 */
export function ringLossesIn(
  known: NicLosses,
  counters: readonly (readonly [name: string, count: number])[],
): ReadonlyMap<string, number> {
  const names = namesIn(known, ['ring']);
  const wanted = names === undefined ? undefined : new RegExp(`^(?:${names})$`);
  const lost = new Map<string, number>();
  for (const [name, count] of counters) {
    if (wanted?.test(name) !== true) continue;
    const all = name.trim().replace(/\d+/g, 'N');
    lost.set(all, (lost.get(all) ?? 0) + count);
  }
  return lost;
}

/** The names of these kinds as people write them: `rxN_drops`. */
export function spokenNames({ ethtool }: NicLosses, kinds: readonly NicLossKind[]): readonly string[] {
  return ethtool
    .filter(([, kind]) => kinds.includes(kind))
    .flatMap(([name]) => alternatives(name.replace(/\[0-\d\]\+?/g, 'N')))
    .map((name) => name.replace(/ \*|[?\\]/g, '').trim());
}

/** What a pattern of the table stands for: its groups multiplied out, without those that may be absent. */
function alternatives(pattern: string): readonly string[] {
  const [first = '', ...others] = pattern.match(/(?:\([^()]*\)\??|[^|()])+/g) ?? [];
  if (others.length > 0) return [first, ...others].flatMap(alternatives);
  const group = /\(([^()]*)\)(\?)?/.exec(first);
  if (group === null) return [first];
  const [whole, inner = '', absent] = group;
  const insides = absent === undefined ? inner.split('|') : [''];
  return insides.flatMap((inside) => alternatives(first.replace(whole, inside)));
}
