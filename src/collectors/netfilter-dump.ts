import type { Result } from '../base/result.ts';
import { array, asCount, decode, integer, asList, nullable, asRecord, asText } from '../readings/decode.ts';

/** A chain that a hook of the packet path runs. */
export interface FilterChainRow {
  readonly engine: 'nftables' | 'iptables-nft' | 'iptables';
  /** inet, ip, ip6, arp, bridge, netdev */
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  readonly hook: string;
  readonly priority: number;
  /** Of a netdev chain; else ''. */
  readonly device: string;
  readonly policy: 'accept' | 'drop';
  readonly rules: number;
  /** Its rules and those of the chains that it leads to. */
  readonly reachable: number;
  /** Which of its rules lets known flows pass (`ct state established accept`), counted from 1. */
  readonly establishedAt: number | null;
}

/** A rule that counts what matched it. */
export interface FilterRuleRow {
  readonly engine: FilterChainRow['engine'];
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  readonly handle: string;
  /** In its chain, from 1: as many rules are evaluated for a packet that it takes. */
  readonly position: number;
  readonly packets: number;
}

export interface HookRow {
  readonly family: string;
  readonly hook: string;
  readonly priority: number;
  readonly function: string;
  readonly module: string;
}

export interface NetfilterAnswer {
  readonly chains: readonly FilterChainRow[];
  /** The busiest of those that count. */
  readonly rules: readonly FilterRuleRow[];
  /** False where there were too many rules to count: the chains then say at most how many they have. */
  readonly complete: boolean;
  /** Empty where the kernel does not tell. */
  readonly hooks: readonly HookRow[];
  readonly gaps: readonly string[];
}

const engines = ['nftables', 'iptables-nft', 'iptables'] as const;

export function decodeNetfilter(answer: unknown): Result<NetfilterAnswer> {
  return decode(() => {
    const { chains, rules, complete, hooks, gaps } = asRecord(answer);
    return {
      chains: asList(chains, (row) => ({
        ...place(row),
        hook: asText(row['hook']),
        priority: integer(row['priority']),
        device: asText(row['device']),
        policy: row['policy'] === 'drop' ? 'drop' : 'accept',
        rules: asCount(row['rules']),
        reachable: asCount(row['reachable']),
        establishedAt: nullable(row['establishedAt'], asCount),
      })),
      rules: asList(rules, (row) => ({
        ...place(row),
        handle: asText(row['handle']),
        position: asCount(row['position']),
        packets: asCount(row['packets']),
      })),
      complete: complete === true,
      hooks: asList(hooks, (row) => ({
        family: asText(row['family']),
        hook: asText(row['hook']),
        priority: integer(row['priority']),
        function: asText(row['function']),
        module: asText(row['module']),
      })),
      gaps: array(gaps).map(asText),
    };
  });
}

type ChainPlace = Pick<FilterChainRow, 'engine' | 'family' | 'table' | 'chain'>;

function place(row: Readonly<Record<string, unknown>>): ChainPlace {
  return {
    engine: engines.find((engine) => engine === row['engine']) ?? 'nftables',
    family: asText(row['family']),
    table: asText(row['table']),
    chain: asText(row['chain']),
  };
}
