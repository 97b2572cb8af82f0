import type { Report, ReportFinding, Tap } from '../../generated/report.ts';
import { labelKey } from '../../metrics/snapshot.ts';
import { fired } from '../words/findings.ts';
import { LEAST_SHIFT, change, type Change } from './noise.ts';

/** Which finding it is: of which rule, about what. */
export function findingKey({ code, at }: Pick<ReportFinding, 'code' | 'at'>): string {
  return `${code} ${labelKey(at)}`;
}

export interface TapChanges {
  readonly came: readonly Tap[];
  readonly went: readonly Tap[];
  /** Those in both windows that are on the path of every packet, with their price. */
  readonly stayed: readonly { readonly tap: Tap; readonly price: Change }[];
}

export interface FindingChange {
  readonly code: string;
  readonly rule: string;
  readonly at: Readonly<Record<string, string>>;
  /** Null where the rule said nothing of this place. */
  readonly before: FindingState | null;
  readonly after: FindingState | null;
}

type FindingState = Pick<ReportFinding, 'outcome' | 'certainty' | 'summary'>;

export interface FindingChanges {
  readonly appeared: readonly FindingChange[];
  readonly went: readonly FindingChange[];
  /** Fired in both, and not alike. */
  readonly changed: readonly FindingChange[];
  readonly stayed: readonly FindingChange[];
  /** Fired in one window and could not be judged in the other: neither appeared nor went. */
  readonly unjudged: readonly FindingChange[];
}

/** Every item of either list by its key, in the order of the second. */
export function bothOf<T>(
  before: readonly T[],
  after: readonly T[],
  keyOf: (item: T) => string,
): (readonly [key: string, before: T | undefined, after: T | undefined])[] {
  const [a, b] = [before, after].map((items) => new Map(items.map((item) => [keyOf(item), item])));
  return [...new Set([...b!.keys(), ...a!.keys()])].map((key) => [key, a!.get(key), b!.get(key)] as const);
}

/** Inodes name a socket as long as it lives; what is left over is matched by where it listens and whose it is. */
export function tapChanges(before: Report, after: Report): TapChanges {
  const sameBoot = before.host.bootedAt !== null && before.host.bootedAt === after.host.bootedAt;
  const describe = ({ netns, device, protocol, type, owners }: Tap): string =>
    JSON.stringify([netns, device, protocol, type, owners.map(({ comm }) => comm)]);
  const left = [...before.taps];
  const take = (wanted: (tap: Tap) => boolean): Tap | undefined => {
    const index = left.findIndex(wanted);
    return index < 0 ? undefined : left.splice(index, 1)[0];
  };
  const pairs = new Map<Tap, Tap>();
  const pair = (matches: (a: Tap, b: Tap) => boolean): void => {
    for (const tap of after.taps) {
      const earlier = pairs.has(tap) ? undefined : take((each) => matches(each, tap));
      if (earlier !== undefined) pairs.set(tap, earlier);
    }
  };
  if (sameBoot) pair((a, b) => a.inode === b.inode && a.netns === b.netns && a.onHotPath === b.onHotPath);
  pair((a, b) => describe(a) === describe(b) && a.onHotPath === b.onHotPath);
  return {
    came: after.taps.filter((tap) => !pairs.has(tap)),
    went: left,
    stayed: after.taps.flatMap((tap) => {
      const earlier = pairs.get(tap);
      if (earlier === undefined || !tap.onHotPath) return [];
      // Prices of sockets come without their spread: no more than the least shift can be told.
      const [a, b] = [earlier, tap].map(({ nsPerPacket }) =>
        nsPerPacket === null ? null : { value: nsPerPacket, error: LEAST_SHIFT * nsPerPacket },
      );
      return [{ tap, price: change('price', 'price', 'ns', a ?? null, b ?? null) }];
    }),
  };
}

export function findingChanges(before: readonly ReportFinding[], after: readonly ReportFinding[]): FindingChanges {
  const changes = { appeared: [], went: [], changed: [], stayed: [], unjudged: [] } as Record<
    keyof FindingChanges,
    FindingChange[]
  >;
  for (const [, was, is] of bothOf(before, after, findingKey)) {
    const [earlier, later] = [was !== undefined && fired(was) ? was : null, is !== undefined && fired(is) ? is : null];
    const finding = later ?? earlier;
    if (finding === null) continue;
    const { code, rule, at } = finding;
    const entry = { code, rule, at, before: stateOf(was), after: stateOf(is) };
    if (earlier !== null && later !== null) {
      const alike =
        earlier.outcome === later.outcome && earlier.certainty === later.certainty && earlier.message === later.message;
      changes[alike ? 'stayed' : 'changed'].push(entry);
    } else if (unjudged(later === null ? after : before, code)) changes.unjudged.push(entry);
    else changes[later !== null ? 'appeared' : 'went'].push(entry);
  }
  return changes;
}

/** Whether a rule could be judged nowhere in a window. */
function unjudged(findings: readonly ReportFinding[], code: string): boolean {
  return findings.filter((each) => each.code === code).every(({ outcome }) => outcome === 'not-measured');
}

function stateOf(finding: ReportFinding | undefined): FindingState | null {
  if (finding === undefined) return null;
  const { outcome, certainty, summary } = finding;
  return { outcome, certainty, summary };
}
