import type { ProfileDirection, ProfilePart, Report } from '../../generated/report.ts';
import type { PlaceChanges } from './comparison.ts';
import { change, type Estimate } from './noise.ts';
import { bothOf } from './sets.ts';

const places = { receive: 'receiving', transmit: 'sending', socket: 'socket calls' } as const;

/** Which parts of a packet's cost grew or shrank, by direction, where both windows were sampled and could be priced. */
export function profileChanges(before: Report, after: Report): PlaceChanges[] {
  const [was, is] = [before, after].map(({ profile }) => profile?.directions ?? []);
  return bothOf(was!, is!, ({ direction }) => direction).flatMap(([, from, to]): PlaceChanges[] => {
    const direction = (to ?? from)!;
    if (from === undefined || to === undefined || (from.samples === 0 && to.samples === 0)) return [];
    const reason =
      from.nsPerPacket === null ? `not priced before` : to.nsPerPacket === null ? 'not priced after' : null;
    return [{ place: places[direction.direction], figures: reason === null ? partsOf(from, to) : [], reason }];
  });
}

function partsOf(from: ProfileDirection, to: ProfileDirection): PlaceChanges['figures'] {
  return bothOf(from.parts, to.parts, ({ part }) => part).map(([part, was, is]) =>
    change('partNs', (is ?? was)?.title ?? part, 'ns', measured(was), measured(is)),
  );
}

/** A part that was never met cost next to nothing, since the direction had its price. */
function measured(part: ProfilePart | undefined): Estimate {
  return { value: part?.ns ?? 0, error: part?.nsError ?? 0 };
}
