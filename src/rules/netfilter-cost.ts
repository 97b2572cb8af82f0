import { chainText, chainsOf, chainsOn, hookWords, hooksOf } from '../facts/filters.ts';
import {
  filterChainRules,
  filterEstablishedPosition,
  filterReachableRules,
  filterRulePackets,
  profileNetfilterSamples,
} from '../metrics/catalogue/index.ts';
import { everywhere, increase, rate, value } from '../metrics/expression.ts';
import { worded } from './finding.ts';
import { costLimits, costly, costWords, judgeParts, needsProfile, notDear, pathSignals } from './path-parts.ts';
import { cheaperChain, findRules } from './remedies/filters.ts';
import { defineRule, optionalList } from './rule.ts';

const PARTS = new Set(['nftables', 'iptables', 'ebtables', 'netfilter', 'nfqueue', 'ipvs']);
/** Hooks that are told, and chains for each. */
const [HOOKS, CHAINS] = [2, 2];

export const netfilterCost = defineRule({
  code: 'PKT0106',
  id: 'netfilter-cost',
  role: 'cause',
  title: 'Filter rules slow every packet',
  scope: [],
  signals: {
    ...pathSignals,
    hooks: optionalList(increase(profileNetfilterSamples)),
    chains: optionalList(everywhere(value(filterChainRules))),
    reachable: optionalList(everywhere(value(filterReachableRules))),
    established: optionalList(everywhere(value(filterEstablishedPosition))),
    matched: optionalList(everywhere(rate(filterRulePackets))),
  },
  thresholds: costLimits(
    0.25,
    500,
    'estimate from single runs, not a series: 20 rules of a plain firewall take 0.3 to 0.5 µs, 200 rules 7 µs a packet',
  ),
  messages: {
    dear: `Netfilter takes ${costWords}. It is spent in {places}. Owned by {owners}.`,
  },
  alert: needsProfile,
  conclude(read, limits) {
    const judged = judgeParts(read, (part) => PARTS.has(part), limits);
    if (judged === undefined) return notDear(read, (part) => PARTS.has(part), limits);
    const hooks = hooksOf(read.hooks, judged.cost.direction);
    const chains = chainsOf(read);
    const guilty = hooks.slice(0, HOOKS).flatMap((hook) => chainsOn(chains, hook).slice(0, CHAINS));
    const blamed = [...new Set(guilty)];
    const places = hooks.slice(0, HOOKS).map((hook) => `the ${hookWords(hook)} hook (${hook.engine})`);
    const owners = blamed.map(chainText);
    return costly(judged, {
      message: 'dear',
      args: {
        places: places.length === 0 ? 'hooks that were not told apart' : places.join(' and '),
        owners: owners.length === 0 ? worded([], 'rules whose chains were not seen') : owners.join('; '),
      },
      evidence: { samples: null, hooks: null, chains: null, reachable: null, matched: null, processed: null },
      remedies: blamed.length === 0 ? [findRules()] : blamed.slice(0, 2).flatMap(cheaperChain),
    });
  },
});
