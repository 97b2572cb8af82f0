/** Raw samples of the sampler as stacks of named functions, of the packet path only. Pure. */
import { directionOfStack, type StackDirection } from '../../profile/direction.ts';
import type { FunctionRow, ProgramRow, StackRow } from '../../profile/stacks.ts';
import type { Address } from '../address.ts';
import type { RawSample } from './layout.ts';

/** Processes that are told apart; of the others only the samples are kept. */
const MOST_PROCESSES = 64;
/** A bundle holds as many rows; the rarest of a larger host are counted with what called them. */
const MOST_ROWS = 8_000;

export interface NamedAddress {
  readonly name: string;
  readonly program: number | null;
}

export interface FoldedProfile {
  readonly functions: readonly FunctionRow[];
  readonly stacks: readonly StackRow[];
  /** Samples whose chain was not there, or whose leaf has no name. */
  readonly unresolved: number;
}

export interface RawSamples {
  readonly samples: readonly RawSample[];
  readonly chains: ReadonlyMap<string, readonly Address[]>;
}

/**
 * A packet is a device's from tc ingress on, which is where the device's program leaves its mark: what stands before is of the
 * packet that came before. By the functions of protocols and upper devices, since each calls the next at its very end and may be
 * gone from the stack by then; those of GRO have the same fronts and run before.
 */
const AFTER_TC =
  /^(?!.*gro)_*(?:ip_|ip6_|ipv6_|arp_|br_|vlan_do_|bond_|team_|macvlan_|ipvlan_|netdev_frame_hook|macsec_|nf_|nft_|tcp_|udp|icmp|igmp|raw|mpls_|sctp_|esp|xfrm)/;

export function foldSamples(raw: RawSamples, nameOf: (address: Address) => NamedAddress | undefined): FoldedProfile {
  const functions = new FunctionNumbers();
  const chains = new Map<string, readonly number[]>();
  const ways = new Map<string, StackDirection | undefined>();
  const rows = new Rows();
  let unresolved = 0;
  for (const sample of raw.samples) {
    const callers = raw.chains.get(sample.chain);
    const leaf = nameOf(sample.leaf);
    if (callers === undefined || leaf === undefined) {
      unresolved += sample.count;
      continue;
    }
    let chain = chains.get(sample.chain);
    if (chain === undefined) {
      chain = callers.map((address) => functions.indexOf(nameOf(address) ?? UNKNOWN)).reverse();
      chains.set(sample.chain, chain);
    }
    const leafIndex = functions.indexOf(leaf);
    const key = `${sample.chain}${leafIndex}`;
    if (!ways.has(key))
      ways.set(key, directionOfStack([...chain, leafIndex].map((index) => functions.rows[index]!.name)));
    const way = ways.get(key);
    if (way === undefined) continue;
    const stack = [...chain, leafIndex].slice(way.from);
    const seen = way.direction === 'receive' && stack.some((index) => AFTER_TC.test(functions.rows[index]!.name));
    rows.add({
      direction: way.direction,
      cpu: sample.cpu,
      pid: way.ofProcess ? sample.pid : 0,
      device: seen ? (sample.slot ?? null) : null,
      samples: sample.count,
      functions: stack,
    });
  }
  return { functions: functions.rows, stacks: rows.kept(), unresolved };
}

const UNKNOWN: NamedAddress = { name: '[unknown]', program: null };

class FunctionNumbers {
  readonly rows: FunctionRow[] = [];
  readonly #known = new Map<string, number>();

  indexOf({ name, program }: NamedAddress): number {
    const key = program === null ? name : `${name}\0${program}`;
    let index = this.#known.get(key);
    if (index === undefined) {
      index = this.rows.push({ name, program }) - 1;
      this.#known.set(key, index);
    }
    return index;
  }
}

class Rows {
  #rows = new Map<string, StackRow>();

  add(row: StackRow): void {
    const key = `${row.direction} ${row.cpu} ${row.pid} ${row.device ?? ''} ${row.functions.join(' ')}`;
    const known = this.#rows.get(key);
    this.#rows.set(key, known === undefined ? row : { ...row, samples: known.samples + row.samples });
  }

  /** The largest first, in an order that is the same for the same samples. */
  kept(): readonly StackRow[] {
    this.#forgetProcesses();
    while (this.#rows.size > MOST_ROWS) {
      const over = this.#sorted().slice(MOST_ROWS);
      const longer = over.filter(([, { functions }]) => functions.length > 1);
      if (longer.length === 0) break;
      for (const [key, row] of longer) {
        this.#rows.delete(key);
        this.add({ ...row, functions: row.functions.slice(0, -1) });
      }
    }
    return this.#sorted().map(([, row]) => row);
  }

  #forgetProcesses(): void {
    const byPid = new Map<number, number>();
    for (const { pid, samples } of this.#rows.values()) if (pid !== 0) byPid.set(pid, (byPid.get(pid) ?? 0) + samples);
    if (byPid.size <= MOST_PROCESSES) return;
    const named = new Set(
      [...byPid]
        .sort((a, b) => b[1] - a[1])
        .slice(0, MOST_PROCESSES)
        .map(([pid]) => pid),
    );
    const rows = this.#rows;
    this.#rows = new Map();
    for (const row of rows.values()) this.add(named.has(row.pid) ? row : { ...row, pid: 0 });
  }

  #sorted(): (readonly [string, StackRow])[] {
    return [...this.#rows].sort(([a, x], [b, y]) => y.samples - x.samples || (a < b ? -1 : 1));
  }
}

/** The programs that occur. */
export function programsOn(functions: readonly FunctionRow[], known: ReadonlyMap<number, ProgramRow>): ProgramRow[] {
  const ids = new Set(functions.flatMap(({ program }) => (program === null ? [] : [program])));
  return [...ids].sort((a, b) => a - b).flatMap((id) => known.get(id) ?? []);
}
