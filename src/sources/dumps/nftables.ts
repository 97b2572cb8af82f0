/**
 * Tables, chains and rules of nf_tables over nfnetlink, iptables-nft and ebtables-nft included: how many rules stand where,
 * never what they say. Numbers in these messages are big-endian. Source: net/netfilter/nf_tables_api.c.
 */
import {
  LITTLE,
  NETLINK_NETFILTER,
  netlinkDump,
  netlinkFold,
  parseAttributes,
  textOf,
  viewOf,
} from '../../ffi/netlink.ts';
import { fail, ok, type Result } from '../../base/result.ts';

/** include/uapi/linux/netfilter/nfnetlink.h: the subsystem is the high byte of the type. */
const SUBSYS_NFTABLES = 10 << 8;
/** enum nf_tables_msg_types */
const GETCHAIN = SUBSYS_NFTABLES | 4;
const GETRULE = SUBSYS_NFTABLES | 7;
/** struct nfgenmsg: family, version, resource */
const NFGENMSG = 4;

const families: Readonly<Record<number, string>> = {
  1: 'inet',
  2: 'ip',
  3: 'arp',
  5: 'netdev',
  7: 'bridge',
  10: 'ip6',
};

/** include/uapi/linux/netfilter.h; ingress is 0 of netdev and 5 of inet. */
const ipHooks = ['prerouting', 'input', 'forward', 'output', 'postrouting', 'ingress'];
const hookNames: Readonly<Record<string, readonly string[]>> = {
  netdev: ['ingress', 'egress'],
  arp: ['input', 'output', 'forward'],
};

export function hookName(family: string, hook: number): string {
  return (hookNames[family] ?? ipHooks)[hook] ?? `hook ${hook}`;
}

export function familyName(family: number): string {
  return families[family] ?? `family ${family}`;
}

export interface NfChain {
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  /** Of a chain that a hook of the packet path runs; null for one that others jump to. */
  readonly base: {
    readonly hook: string;
    readonly priority: number;
    readonly device: string;
    readonly policy: 'accept' | 'drop';
    readonly type: string;
  } | null;
  /** Its rules and the jumps to it: what the kernel keeps (struct nft_chain, use). */
  readonly use: number;
}

const CHAIN = { table: 1, name: 3, hook: 4, policy: 5, use: 6, type: 7 } as const;
const HOOK = { number: 1, priority: 2, device: 3, devices: 4 } as const;

/** Parses a message of the chain dump. Source: nf_tables_api.c:nf_tables_fill_chain_info. */
export function parseNfChain(bytes: Uint8Array): Result<NfChain> {
  if (bytes.length < NFGENMSG) return fail('nf_tables message cut short', bytes.length);
  const attributes = parseAttributes(bytes, NFGENMSG);
  if (!attributes.ok) return attributes;
  const all = attributes.value;
  const family = familyName(bytes[0]!);
  const hook = parseAttributes(all.get(CHAIN.hook) ?? new Uint8Array(), 0);
  if (!hook.ok) return hook;
  const number = be32(hook.value.get(HOOK.number));
  const devices = parseAttributes(hook.value.get(HOOK.devices) ?? new Uint8Array(), 0);
  if (!devices.ok) return devices;
  const [first] = [...devices.value.values()];
  const name = all.get(CHAIN.name);
  if (name === undefined) return fail('nf_tables chain without a name', NFGENMSG);
  return ok({
    family,
    table: textOf(all.get(CHAIN.table)),
    chain: textOf(name),
    base:
      number === undefined
        ? null
        : {
            hook: hookName(family, number),
            priority: (be32(hook.value.get(HOOK.priority)) ?? 0) | 0,
            device: textOf(hook.value.get(HOOK.device) ?? first),
            policy: be32(all.get(CHAIN.policy)) === 0 ? 'drop' : 'accept',
            type: textOf(all.get(CHAIN.type)),
          },
    use: be32(all.get(CHAIN.use)) ?? 0,
  });
}

export interface NfRule {
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  readonly handle: number;
  /** What its counter says, if it has one. */
  readonly packets: number | null;
  /** Chains it jumps or goes to, without those that a map chooses. */
  readonly jumps: readonly string[];
  /** Accepts packets of flows that conntrack knows: `ct state established accept`. */
  readonly established: boolean;
}

const RULE = { table: 1, chain: 2, handle: 3, expressions: 4 } as const;
const EXPR = { name: 1, data: 2 } as const;
const COUNTER_PACKETS = 2;
const IMMEDIATE_DATA = 2;
const DATA_VERDICT = 2;
const VERDICT = { code: 1, chain: 2 } as const;
const CT_KEY = 2;
const CT_STATE = 0;
const XT_NAME = 1;
const ACCEPT = 1;
const [JUMP, GOTO] = [-3, -4];

/** Parses a message of the rule dump. Source: nf_tables_api.c:nf_tables_fill_rule_info. */
export function parseNfRule(bytes: Uint8Array): Result<NfRule> {
  if (bytes.length < NFGENMSG) return fail('nf_tables message cut short', bytes.length);
  const attributes = parseAttributes(bytes, NFGENMSG);
  if (!attributes.ok) return attributes;
  const all = attributes.value;
  const found: JumpsFound = { packets: null, jumps: [], state: false, accepts: false };
  const list = all.get(RULE.expressions) ?? new Uint8Array();
  // A list of elements that all have the same type, so that a map of them would keep the last.
  const view = viewOf(list);
  for (let at = 0; at + 4 <= list.length;) {
    const length = view.getUint16(at, LITTLE);
    if (length < 4 || at + length > list.length) return fail(`nf_tables expression of ${length} bytes`);
    const looked = lookAt(list.subarray(at + 4, at + length), found);
    if (!looked.ok) return fail(looked.reason);
    at += (length + 3) & ~3;
  }
  return ok({
    family: familyName(bytes[0]!),
    table: textOf(all.get(RULE.table)),
    chain: textOf(all.get(RULE.chain)),
    handle: be64(all.get(RULE.handle)) ?? 0,
    packets: found.packets,
    jumps: found.jumps,
    established: found.state && found.accepts,
  });
}

interface JumpsFound {
  packets: number | null;
  readonly jumps: string[];
  state: boolean;
  accepts: boolean;
}

function lookAt(element: Uint8Array, found: JumpsFound): Result<undefined> {
  const expression = parseAttributes(element, 0);
  if (!expression.ok) return expression;
  const name = textOf(expression.value.get(EXPR.name));
  if (!(name in looks)) return ok(undefined);
  const data = parseAttributes(expression.value.get(EXPR.data) ?? new Uint8Array(), 0);
  return data.ok ? looks[name as keyof typeof looks](data.value, found) : data;
}

type Look = (data: ReadonlyMap<number, Uint8Array>, found: JumpsFound) => Result<undefined>;

const looks = {
  counter: (data, found) => {
    found.packets = Math.min(be64(data.get(COUNTER_PACKETS)) ?? 0, Number.MAX_SAFE_INTEGER);
    return ok(undefined);
  },
  immediate: (data, found) => {
    const value = parseAttributes(data.get(IMMEDIATE_DATA) ?? new Uint8Array(), 0);
    const verdict = value.ok ? parseAttributes(value.value.get(DATA_VERDICT) ?? new Uint8Array(), 0) : value;
    if (!verdict.ok) return verdict;
    const code = (be32(verdict.value.get(VERDICT.code)) ?? 0) | 0;
    if (code === ACCEPT) found.accepts = true;
    if (code === JUMP || code === GOTO) found.jumps.push(textOf(verdict.value.get(VERDICT.chain)));
    return ok(undefined);
  },
  ct: (data, found) => {
    if (be32(data.get(CT_KEY)) === CT_STATE) found.state = true;
    return ok(undefined);
  },
  match: (data, found) => {
    const name = textOf(data.get(XT_NAME));
    if (name === 'conntrack' || name === 'state') found.state = true;
    return ok(undefined);
  },
} satisfies Readonly<Record<string, Look>>;

/** Big-endian, as nla_put_be32 and nla_put_be64 write them. */
export function be32(bytes: Uint8Array | undefined): number | undefined {
  if (bytes === undefined || bytes.length < 4) return undefined;
  return ((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0;
}

export function be64(bytes: Uint8Array | undefined): number | undefined {
  const [high, low] = [be32(bytes?.subarray(0, 4)), be32(bytes?.subarray(4))];
  return high === undefined || low === undefined ? undefined : high * 2 ** 32 + low;
}

/** All chains of this thread's namespace. */
export function dumpNfChains(): Result<readonly NfChain[]> {
  return netlinkDump(NETLINK_NETFILTER, GETCHAIN, new Uint8Array(NFGENMSG), parseNfChain);
}

/** Puts each rule, in the order of its chain, into what `begin` makes; nothing of them is kept here. A failure of `take` ends it. */
export function foldNfRules<T>(begin: () => T, take: (into: T, rule: NfRule) => Result<undefined>): Result<T> {
  return netlinkFold(NETLINK_NETFILTER, GETRULE, new Uint8Array(NFGENMSG), begin, (into, bytes) => {
    const rule = parseNfRule(bytes);
    return rule.ok ? take(into, rule.value) : rule;
  });
}
