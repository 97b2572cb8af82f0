import type { FilterChainRow, FilterRuleRow, NetfilterAnswer } from '../../collectors/netfilter-dump.ts';
import type { Reader } from '../../collectors/reader.ts';
import { cpuMs } from '../../base/clock.ts';
import { fail, ok, type Result } from '../../base/result.ts';

import { answersWithoutLoading, type LiveOptions } from './modules.ts';
import { dumpHookFunctions } from './netfilter-hooks.ts';
import { dumpNfChains, foldNfRules, type NfChain, type NfRule } from './nftables.ts';
import { askXtTable, hooksOfXt, parseXtNames, xtFamilies, type XtFamily } from './xtables.ts';

/** Of CPU time: counting takes 4 us a rule. What is left uncounted then is told by what the chains say of themselves. */
const MOST_MS = 150;
const MOST_RULES = 30_000;
/** Rules with a counter that are told, the busiest of the namespace. */
const HOTTEST = 24;

const TOO_MANY = fail('enough');

/** What filters packets in the namespace this thread is in, and how many rules it has: counted, never kept. */
export function readNetfilter(reader: Reader, { allowSystemChanges = false }: LiveOptions): Result<NetfilterAnswer> {
  const nft = allowSystemChanges ? ok(undefined) : answersWithoutLoading(reader, ['nfnetlink', 'nf_tables']);
  const counted = nft.ok ? countNftables() : ok(nothing);
  if (!counted.ok) return counted;
  const legacy = xtFamilies.map((family) => countXtables(reader, family));
  const hooks = answersWithoutLoading(reader, ['nfnetlink', 'nfnetlink_hook']).ok ? dumpHookFunctions() : undefined;
  return ok({
    chains: [...counted.value.chains, ...legacy.flatMap(({ chains }) => chains)],
    rules: hottest([...counted.value.rules, ...legacy.flatMap(({ rules }) => rules)]),
    complete: counted.value.complete,
    hooks: hooks?.ok === true ? hooks.value : [],
    gaps: [...(nft.ok ? [] : [nft.reason]), ...legacy.flatMap(({ gaps }) => gaps)],
  });
}

type Counted = Pick<NetfilterAnswer, 'chains' | 'rules' | 'complete'>;
const unsupported = new Set<string | undefined>(['EINVAL', 'EPROTONOSUPPORT', 'EOPNOTSUPP']);
const nothing: Counted = { chains: [], rules: [], complete: true };

interface Tally {
  readonly chain: NfChain;
  rules: number;
  establishedAt: number | null;
  readonly jumps: Map<string, number>;
}

function countNftables(): Result<Counted> {
  const chains = dumpNfChains();
  // A kernel without nf_tables answers so, and has no such rules.
  if (!chains.ok) return unsupported.has(chains.errno) ? ok(nothing) : chains;
  if (chains.value.length === 0) return ok(nothing);
  const begin = (): Counting => beginCounting(chains.value);
  // What was counted until there was enough is told.
  let counting = begin();
  const walked = foldNfRules(
    () => (counting = begin()),
    (into, rule) => {
      into.seen += 1;
      if (into.seen > MOST_RULES || (into.seen % 256 === 0 && cpuMs() > into.until)) return TOO_MANY;
      const tally = into.tallies.get(chainKey(rule));
      if (tally === undefined) return ok(undefined);
      note(tally, rule);
      if (rule.packets !== null) into.rules.push(ruleRow(rule, tally));
      if (into.rules.length > 8 * HOTTEST) into.rules = hottest(into.rules);
      return ok(undefined);
    },
  );
  if (!walked.ok && walked !== TOO_MANY) return walked;
  return ok({ chains: rowsOf(counting.tallies, walked.ok), rules: hottest(counting.rules), complete: walked.ok });
}

/** The rules of one dump, as far as they were passed. */
interface Counting {
  readonly tallies: ReadonlyMap<string, Tally>;
  rules: FilterRuleRow[];
  seen: number;
  readonly until: number;
}

function beginCounting(chains: readonly NfChain[]): Counting {
  const tallies = chains.map(
    (chain) => [chainKey(chain), { chain, rules: 0, establishedAt: null, jumps: new Map() }] as const,
  );
  return { tallies: new Map<string, Tally>(tallies), rules: [], seen: 0, until: cpuMs() + MOST_MS };
}

function chainKey({
  family,
  table,
  chain,
}: {
  readonly family: string;
  readonly table: string;
  readonly chain: string;
}) {
  return `${family}\0${table}\0${chain}`;
}

function note(tally: Tally, { jumps, established }: NfRule): void {
  tally.rules += 1;
  if (established) tally.establishedAt ??= tally.rules;
  for (const target of jumps) tally.jumps.set(target, (tally.jumps.get(target) ?? 0) + 1);
}

function ruleRow({ family, table, chain, handle, packets }: NfRule, { rules }: Tally): FilterRuleRow {
  const engine = engineOf(family, table);
  return { engine, family, table, chain, handle: String(handle), position: rules, packets: packets ?? 0 };
}

/**
 * The tables of iptables-nft, ip6tables-nft, arptables-nft and ebtables-nft bear the names that those of xtables had; their rules
 * are made of nf_tables' own expressions since iptables 1.8.9.
 */
function engineOf(family: string, table: string): FilterChainRow['engine'] {
  const theirs = ['ip', 'ip6', 'arp', 'bridge'].includes(family) && XT_TABLES.has(table);
  return theirs ? 'iptables-nft' : 'nftables';
}

const XT_TABLES = new Set(['filter', 'nat', 'mangle', 'raw', 'security', 'broute']);

/** Only the chains that a hook runs; the others are counted as what these reach. */
function rowsOf(tallies: ReadonlyMap<string, Tally>, complete: boolean): readonly FilterChainRow[] {
  const rows: FilterChainRow[] = [];
  for (const { chain, rules, establishedAt } of tallies.values()) {
    if (chain.base === null || (complete && rules === 0)) continue;
    const { hook, priority, device, policy } = chain.base;
    rows.push({
      engine: engineOf(chain.family, chain.table),
      family: chain.family,
      table: chain.table,
      chain: chain.chain,
      hook,
      priority,
      device,
      policy,
      rules: complete ? rules : Math.max(rules, chain.use),
      reachable: reachable(tallies, chain, complete),
      establishedAt,
    });
  }
  return rows;
}

/** Rules of the chain and of every chain that it leads to, each once: as many as one packet can meet, save what maps choose. */
function reachable(tallies: ReadonlyMap<string, Tally>, from: NfChain, complete: boolean): number {
  const seen = new Set<string>();
  const waiting = [chainKey(from)];
  let sum = 0;
  for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
    const tally = tallies.get(key);
    if (tally === undefined || seen.has(key)) continue;
    seen.add(key);
    sum += complete ? tally.rules : Math.max(tally.rules, tally.chain.use);
    for (const target of tally.jumps.keys()) waiting.push(chainKey({ ...tally.chain, chain: target }));
  }
  return sum;
}

function hottest(rules: readonly FilterRuleRow[]): FilterRuleRow[] {
  return [...rules].sort((a, b) => b.packets - a.packets).slice(0, HOTTEST);
}

function countXtables(
  reader: Reader,
  family: XtFamily,
): {
  readonly chains: readonly FilterChainRow[];
  readonly rules: readonly FilterRuleRow[];
  readonly gaps: readonly string[];
} {
  const names = reader.read(family.names);
  const tables = names.ok ? parseXtNames(names.value) : ok([]);
  if (!tables.ok) return { chains: [], rules: [], gaps: [tables.reason] };
  const told = tables.value.map((table) => {
    const answer = askXtTable(family, table);
    return answer.ok
      ? { ...hooksOfXt(family, table, answer.value), gaps: [] }
      : { chains: [], rules: [], gaps: [`${table}: ${answer.reason}`] };
  });
  return {
    chains: told.flatMap(({ chains }) => chains),
    rules: hottest(told.flatMap(({ rules }) => rules)),
    gaps: told.flatMap(({ gaps }) => gaps),
  };
}
