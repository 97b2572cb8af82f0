import { deviceProgram, linkInfo, routingRules, tcFilters } from '../metrics/catalogue/index.ts';
import { defineCollector } from './collector.ts';
import { decodeLinks, programHook, filterHook } from './links-dump.ts';

/** What the devices are made of, and what hangs on them: filters, programs, and the rules that choose a routing table. */
export const links = defineCollector({
  id: 'links',
  turn: 130,
  scope: 'netns',
  reads: ['links'],
  collect(host, emit) {
    const answer = host.dump('links', decodeLinks);
    if (answer === undefined) return;
    for (const { device, kind, master, lower, filters, programs } of answer.links) {
      emit(linkInfo, { device, kind, master, lower }, 1);
      for (const { count, ...filter } of filters)
        emit(tcFilters, { device, hook: filterHook(filter), ...filter }, count);
      for (const { id, ...program } of programs)
        emit(deviceProgram, { device, hook: programHook(program), program_id: `${id}`, ...program }, 1);
    }
    for (const { family, count } of answer.routingRules) emit(routingRules, { family }, count);
    for (const reason of answer.gaps) host.gap('links', reason);
  },
});
