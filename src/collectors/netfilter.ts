import {
  filterChainRules,
  filterComplete,
  filterEstablishedPosition,
  filterReachableRules,
  filterRulePackets,
  hookFunction,
} from '../metrics/catalogue/index.ts';
import { defineCollector } from './collector.ts';
import { decodeNetfilter } from './netfilter-dump.ts';

/** Who filters packets where, and with how many rules: nf_tables, iptables and the functions on the hooks. */
export const netfilter = defineCollector({
  id: 'netfilter',
  turn: 90,
  scope: 'netns',
  reads: ['netfilter', '/proc/net/ip_tables_names', '/proc/net/ip6_tables_names'],
  collect(host, emit) {
    const answer = host.dump('netfilter', decodeNetfilter);
    if (answer === undefined) return;
    emit(filterComplete, {}, answer.complete ? 1 : 0);
    for (const { priority, policy, rules, reachable, establishedAt, ...labels } of answer.chains) {
      emit(filterChainRules, { ...labels, priority: `${priority}`, policy }, rules);
      emit(filterReachableRules, labels, reachable);
      if (establishedAt !== null) emit(filterEstablishedPosition, labels, establishedAt);
    }
    for (const { position, packets, ...labels } of answer.rules)
      emit(filterRulePackets, { ...labels, position: `${position}` }, packets);
    for (const { priority, ...labels } of answer.hooks) emit(hookFunction, { ...labels, priority: `${priority}` }, 1);
    for (const reason of answer.gaps) host.gap('netfilter', reason);
  },
});
