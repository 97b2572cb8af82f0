import type { Chain } from '../../facts/filters.ts';
import type { Advice } from '../finding.ts';
import { VERIFY } from '../path-parts.ts';
import { inNetns, shellQuote } from './shell.ts';

/** Fewer rules than these are no list to be made a set of. */
const LONG = 20;

/** What makes a chain cheaper, the most telling first: known flows past it, one lookup for many rules, the busy rule in front. */
export function cheaperChain(chain: Chain): Advice[] {
  const remedies: Advice[] = [];
  const passesFirst = chain.establishedAt !== undefined && chain.establishedAt <= 3;
  if (!passesFirst && ['input', 'forward', 'output'].includes(chain.hook)) {
    remedies.push({
      action: `Let packets of known flows pass before all other rules of ${chain.chain}: only the first packet of a flow then meets them. Not for datagrams that nobody answers, which never become a known flow, nor where connections are not tracked yet (nf_conntrack_count is 0): this rule has each packet tracked.`,
      command: inNetns(chain.netns, establishedFirst(chain)),
      undo: withoutEstablished(chain),
      verify: VERIFY,
    });
  }
  if (chain.reachable >= LONG) {
    remedies.push({
      action:
        chain.engine === 'nftables'
          ? `Put what the ${chain.reachable} rules of ${chain.chain} compare with into a set or a verdict map: one lookup instead of as many comparisons.`
          : `Replace the ${chain.reachable} rules of ${chain.chain} by a match on a set (ipset), or by nftables with sets: one lookup instead of as many comparisons.`,
      command: inNetns(chain.netns, listing(chain)),
      verify: VERIFY,
    });
  }
  const { busiest } = chain;
  if (busiest !== undefined && busiest.position > LONG) {
    remedies.push({
      action: `Move up the rule at position ${busiest.position} of ${chain.chain} (handle ${busiest.handle}): of those that count it takes most packets, each after all the rules before it.`,
      command: inNetns(chain.netns, listing(chain)),
      verify: VERIFY,
    });
  }
  if (chain.hook === 'forward') {
    remedies.push({
      action:
        'Let forwarded flows bypass the hooks with a flow table, where the devices of both sides can be named: nothing is filtered once a flow is in it.',
      command: inNetns(
        chain.netns,
        "nft add table inet fast && nft add flowtable inet fast ft '{ hook ingress priority 0; devices = { DEVICE1, DEVICE2 }; }' && " +
          "nft add chain inet fast forward '{ type filter hook forward priority 0; }' && " +
          "nft add rule inet fast forward 'meta l4proto { tcp, udp } ct state established flow add @ft'",
      ),
      undo: inNetns(chain.netns, 'nft delete table inet fast'),
      verify: VERIFY,
    });
  }
  if (remedies.length === 0) {
    remedies.push({
      action: `See what the rules of ${chain.chain} do: a match on the payload (string, u32), a log or a queue is expensive by itself.`,
      command: inNetns(chain.netns, listing(chain)),
      verify: VERIFY,
    });
  }
  return remedies;
}

/** Where the rules could not be told. */
export function findRules(): Advice {
  return {
    action: 'See which rules there are, in each namespace, and which of them count most packets.',
    command: 'nft list ruleset; iptables-save -c',
    verify: VERIFY,
  };
}

function tool({ family }: Chain): string {
  return family === 'ip6'
    ? 'ip6tables'
    : family === 'bridge'
      ? 'ebtables'
      : family === 'arp'
        ? 'arptables'
        : 'iptables';
}

function establishedFirst(chain: Chain): string {
  const [table, name] = [shellQuote(chain.table), shellQuote(chain.chain)];
  if (chain.engine === 'nftables')
    return `nft insert rule ${chain.family} ${table} ${name} ct state established,related accept comment ${MARK}`;
  return `${tool(chain)} -t ${table} -I ${name} 1 -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT`;
}

/** By which a rule of ours is found again: nft takes a rule away by the number that it got, which nobody knows before. */
const MARK = 'pktcost';

function withoutEstablished(chain: Chain): string {
  const [table, name] = [shellQuote(chain.table), shellQuote(chain.chain)];
  if (chain.engine !== 'nftables') {
    const remove = `${tool(chain)} -t ${table} -D ${name} -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT`;
    return inNetns(chain.netns, remove);
  }
  const remove = inNetns(chain.netns, `nft delete rule ${chain.family} ${table} ${name} handle`);
  return `${inNetns(chain.netns, listing(chain))} | sed -n 's/.*comment "${MARK}" # handle //p' | xargs -r -n 1 ${remove}`;
}

function listing(chain: Chain): string {
  const [table, name] = [shellQuote(chain.table), shellQuote(chain.chain)];
  if (chain.engine === 'nftables') return `nft -a list chain ${chain.family} ${table} ${name}`;
  return `${tool(chain)} -t ${table} -vnL ${name} --line-numbers`;
}
