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
  /** TC filters by hook and kind. */
  readonly filters: readonly { readonly hook: string; readonly kind: string; readonly count: number }[];
  /** BPF programs: `tc ingress`, `tcx egress`, `xdp generic`. */
  readonly programs: readonly { readonly hook: string; readonly id: number }[];
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
          hook: asText(filter['hook']),
          kind: asText(filter['kind']),
          count: asCount(filter['count']),
        })),
        programs: asList(row['programs'], (program) => ({ hook: asText(program['hook']), id: asCount(program['id']) })),
      })),
      routingRules: asList(routingRules, (row) => ({ family: asText(row['family']), count: asCount(row['count']) })),
      gaps: array(gaps).map(asText),
    };
  });
}
