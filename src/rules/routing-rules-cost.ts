import { routingRules } from '../metrics/catalogue/index.ts';
import { everywhere, value } from '../metrics/expression.ts';
import { worded } from './finding.ts';
import { costLimits, costly, costWords, judgeParts, needsProfile, notDear, pathSignals, VERIFY } from './path-parts.ts';
import { inNetns } from './remedies/shell.ts';
import { defineRule, optionalList } from './rule.ts';

const ROUTING = 'routing';
/** Every namespace has three for IPv4 and two for IPv6. */
const USUAL = 10;

export const routingRulesCost = defineRule({
  code: 'PKT0117',
  id: 'routing-rules-cost',
  role: 'cause',
  title: 'Routing lookups slow every packet',
  scope: [],
  signals: { ...pathSignals, rules: optionalList(everywhere(value(routingRules))) },
  thresholds: costLimits(
    0.3,
    700,
    'estimate from single runs, not a series: a lookup with the usual rules takes 0.05 to 0.15 µs, one through 1,000 rules 20 µs',
  ),
  messages: {
    rules: `Routing takes ${costWords}: each lookup goes through {rules:count} rules ({owners}).`,
    dear: `Routing takes ${costWords}; the rules that choose a table are few.`,
    unread: `Routing takes ${costWords}; how many rules choose a table was not read.`,
  },
  alert: needsProfile,
  conclude(read, limits) {
    const judged = judgeParts(read, (part) => part === ROUTING, limits);
    if (judged === undefined) return notDear(read, (part) => part === ROUTING, limits);
    const [most] = [...read.rules].sort((a, b) => b.value - a.value);
    const netns = most?.labels['netns'] ?? '';
    const family = most?.labels['family'] === 'ip6' ? '-6 ' : '';
    const many = (most?.value ?? 0) > USUAL;
    return costly(judged, {
      message: most === undefined ? 'unread' : many ? 'rules' : 'dear',
      args: {
        rules: most?.value ?? 0,
        owners:
          most === undefined
            ? worded(null, 'unknown')
            : `ip ${family}rule${netns === '' ? '' : ` of namespace ${netns}`}`,
      },
      evidence: { samples: null, rules: null, processed: null },
      remedies: many
        ? [
            {
              action: `Put what the ${most?.value ?? 0} rules tell apart into routes, or mark packets by a map of nftables and keep one rule for each table: rules are tried one after the other.`,
              command: inNetns(netns, `ip ${family}rule show`),
              verify: VERIFY,
            },
          ]
        : [
            {
              action:
                'See whether the lookups are needed: reverse path filtering asks a second time, many senders from one host miss the route kept in the socket.',
              command: inNetns(netns, 'sysctl net.ipv4.conf.all.rp_filter; ip route show table all | wc -l'),
              verify: VERIFY,
            },
          ],
    });
  },
});
