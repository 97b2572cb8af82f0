import type { Result } from '../base/result.ts';
import { array, asCount, decode, asList, asRecord, asText } from '../readings/decode.ts';

export interface LinkRow {
  readonly device: string;
  readonly ifindex: number;
  /** bridge, vxlan, veth, macvlan; '' for hardware and loopback. */
  readonly kind: string;
  /** The bridge or bond that it is a port of; else ''. */
  readonly master: string;
  /** The device below a VLAN or macvlan in the same namespace; else ''. */
  readonly lower: string;
  /** TC filters by place and kind. */
  readonly filters: readonly (FilterPlace & { readonly kind: string; readonly count: number })[];
  /** BPF programs on the packet path. */
  readonly programs: readonly ProgramPlace[];
}

/** Where filters hang: at a side of the device, or at a queueing discipline that asks them. */
export interface FilterPlace {
  /** ingress or egress; '' at a queueing discipline. */
  readonly side: string;
  /** Kind of that queueing discipline, htb; else ''. */
  readonly qdisc: string;
  /** Its handle as tc writes it, `1:`; else ''. */
  readonly parent: string;
}

export interface ProgramPlace extends FilterPlace {
  readonly id: number;
  /** xdp, tc or tcx. */
  readonly kind: string;
  /** Of XDP: native, generic, offloaded, several; else ''. */
  readonly mode: string;
}

/** `ingress`, `htb 1:`. */
export function filterHook({ side, qdisc, parent }: FilterPlace): string {
  return side === '' ? [qdisc, parent].filter((word) => word !== '').join(' ') : side;
}

/** `tc ingress`, `tcx egress`, `xdp generic`. */
export function programHook(program: Omit<ProgramPlace, 'id'>): string {
  return [program.kind, program.mode, filterHook(program)].filter((word) => word !== '').join(' ');
}

export interface LinksAnswer {
  readonly links: readonly LinkRow[];
  readonly routingRules: readonly { readonly family: string; readonly count: number }[];
  readonly gaps: readonly string[];
}

export function decodeLinks(answer: unknown): Result<LinksAnswer> {
  return decode(() => {
    const { links, routingRules, gaps } = asRecord(answer);
    return {
      links: asList(links, (row) => ({
        device: asText(row['device']),
        ifindex: asCount(row['ifindex']),
        kind: asText(row['kind']),
        master: asText(row['master']),
        lower: asText(row['lower']),
        filters: asList(row['filters'], (filter) => ({
          ...filterPlace(filter),
          kind: asText(filter['kind']),
          count: asCount(filter['count']),
        })),
        programs: asList(row['programs'], programPlace),
      })),
      routingRules: asList(routingRules, (row) => ({ family: asText(row['family']), count: asCount(row['count']) })),
      gaps: array(gaps).map(asText),
    };
  });
}

function filterPlace(row: Readonly<Record<string, unknown>>): FilterPlace {
  if ('hook' in row) return placeOfHook(asText(row['hook']));
  return { side: asText(row['side']), qdisc: asText(row['qdisc']), parent: asText(row['parent']) };
}

function programPlace(row: Readonly<Record<string, unknown>>): ProgramPlace {
  const id = asCount(row['id']);
  if (!('hook' in row)) return { ...filterPlace(row), id, kind: asText(row['kind']), mode: asText(row['mode']) };
  const [, kind = '', rest = ''] = /^(\S*) ?(.*)$/.exec(asText(row['hook'])) ?? [];
  return kind === 'xdp'
    ? { side: '', qdisc: '', parent: '', id, kind, mode: rest }
    : { ...placeOfHook(rest), id, kind, mode: '' };
}

/** Bundles of before have only what `filterHook` makes of the place. */
function placeOfHook(hook: string): FilterPlace {
  const [first = '', parent = ''] = hook.split(' ');
  return parent === '' ? { side: first, qdisc: '', parent } : { side: '', qdisc: first, parent };
}
