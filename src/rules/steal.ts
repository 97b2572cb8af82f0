import { listed } from './finding.ts';
import { cpuSeconds } from '../metrics/catalogue/index.ts';
import { where } from '../metrics/condition.ts';
import { add, andOn, rate, ratio, sumBy } from '../metrics/expression.ts';
import { askHypervisor } from './remedies/steal.ts';
import { defineRule, info, ok, optionalList, warning } from './rule.ts';

const stolen = sumBy([], rate(cpuSeconds, { mode: 'steal' }));
const ran = sumBy([], rate(cpuSeconds, { mode: ['user', 'nice', 'system', 'irq', 'softirq'] }));

export const steal = defineRule({
  code: 'PKT0606',
  id: 'steal',
  role: 'context',
  title: 'The hypervisor takes CPU time from this guest',
  scope: [],
  watched: { from: { stolen: 0.05 } },
  signals: {
    // Of the time in which the guest wanted to run: an idle CPU waits for nobody, and its time says nothing.
    share: ratio(stolen, add(stolen, ran)),
    stolen,
    stolenByCpu: optionalList(rate(cpuSeconds, { mode: 'steal' })),
  },
  thresholds: {
    share: {
      value: 0.1,
      unit: 'ratio',
      help: 'Share of the time in which CPUs wanted to run that the hypervisor took, from which it is a warning.',
      source: 'Netdata warns from 10 % of steal over 20 minutes; prices and latencies are then a ninth too high',
    },
    remark: {
      value: 0.02,
      unit: 'ratio',
      help: 'The same share from which it is mentioned.',
      source: 'judgement: what repeated runs of a price differ by on a host of its own',
    },
    material: {
      value: 0.1,
      unit: 'ratio',
      help: 'CPU time taken, in CPUs, from which it can be a warning.',
      source: 'judgement: on a host that is nearly idle a few ticks are a large share of little, and delay nobody',
    },
    cpu: {
      value: 0.01,
      unit: 'ratio',
      help: 'CPU time taken, in CPUs, below which nothing is said.',
      source: 'judgement: 1 % of one CPU, as little as pktcost allows itself',
    },
  },
  messages: {
    stretched:
      'While this guest wanted to run, its hypervisor ran something else {share:percent} of the time, most on {cpus}: every ' +
      'price and every latency measured here is about {stretch:percent} too high, and packets wait as long.',
  },
  alert: {
    raise: ({ share, stolen: taken }, limits) => ({
      warning: {
        when: andOn([], where(share, '>=', limits.share), where(taken, '>=', limits.material)),
        says: 'The hypervisor takes {value} of the time in which this guest wants to run.',
      },
    }),
  },
  conclude({ share, stolen: taken, stolenByCpu }, limits) {
    if (share.value < limits.remark || taken.value < limits.cpu) return ok();
    const pressing = share.value >= limits.share && taken.value >= limits.material;
    const most = stolenByCpu.filter(({ value }) => value > 0).sort((a, b) => b.value - a.value);
    const cpus = most.slice(0, 4).map(({ labels }) => labels['cpu'] ?? '');
    const found = {
      certainty: 'measured',
      message: 'stretched',
      args: {
        share: share.value,
        // What took 1 takes 1 / (1 - share) by the clock.
        stretch: share.value < 1 ? share.value / (1 - share.value) : share.value,
        cpus: listed(most.map(Number), `CPU ${cpus.join(', ')}${most.length > cpus.length ? ' and others' : ''}`),
      },
      evidence: {
        share: ['>=', pressing ? limits.share : limits.remark],
        stolen: ['>=', pressing ? limits.material : limits.cpu],
        stolenByCpu: null,
      },
      remedies: [askHypervisor],
    } as const;
    return pressing ? warning(found) : info(found);
  },
});
