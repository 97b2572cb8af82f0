import { formatCpuList } from '../base/cpu-list.ts';
import { coresDedicated, cpuDedicated } from '../metrics/catalogue/index.ts';
import { sumBy, value } from '../metrics/expression.ts';
import { informsOnly } from './alert.ts';
import { defineRule, info, list, ok, optional } from './rule.ts';

export const dedicatedCores = defineRule({
  code: 'PKT0605',
  id: 'dedicated-cores',
  role: 'context',
  title: 'CPUs are set apart from the scheduler',
  scope: [],
  watched: { seldom: 'a setting' },
  signals: {
    cpus: list(value(cpuDedicated)),
    atBoot: optional(sumBy([], value(coresDedicated))),
  },
  thresholds: {},
  messages: {
    apart: 'CPUs are set apart: {how}. Packet work on them is judged by PKT0103.',
  },
  alert: informsOnly,
  conclude({ cpus }) {
    if (cpus.length === 0) return ok();
    const byMeans = new Map<string, number[]>();
    for (const { labels } of cpus) {
      const means = labels['by'] ?? '';
      byMeans.set(means, [...(byMeans.get(means) ?? []), Number(labels['cpu'])]);
    }
    const how = [...byMeans].map(([means, list]) => `${means} ${formatCpuList(list)}`).join(', ');
    return info({ certainty: 'measured', message: 'apart', args: { how }, evidence: { cpus: null, atBoot: null } });
  },
});
