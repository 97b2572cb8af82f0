import type { Place, ReportFinding } from '../../generated/report.ts';
import { howMany } from './formats.ts';

export function fired({ outcome }: ReportFinding): boolean {
  return outcome === 'critical' || outcome === 'warning';
}

/** What a finding counts as lost, where it is not packets and its arguments do not name it (`lostThings`). */
const lostThings: Readonly<Record<string, string>> = {
  PKT0401: 'connection attempts',
  PKT0402: 'connection attempts',
  PKT0403: 'segments',
  PKT0404: 'connections',
  PKT0405: 'datagrams',
  PKT0406: 'segments',
  PKT0407: 'segments',
  PKT0501: 'frames',
  PKT0707: 'connection attempts',
};

/** What a finding counts as lost: `packets`, `segments`. */
export function thingsLost(code: string, args: ReportFinding['args']): string {
  return String(args['lostThings'] ?? lostThings[code] ?? 'packets');
}

/** `20 packets/s`: what a finding loses; undefined where it loses nothing. */
export function lostRate({ code, args, impact }: Pick<ReportFinding, 'code' | 'args' | 'impact'>): string | undefined {
  const { lostPerSecond } = impact;
  return lostPerSecond === null || lostPerSecond === 0 ? undefined : lossRate(thingsLost(code, args), lostPerSecond);
}

/** `20 packets/s`, `1 connection/s`. */
export function lossRate(things: string, perSecond: number): string {
  return `${howMany(perSecond, things)}/s`;
}

/** Where a finding is, as the end of a sentence: ` on eth0, on CPU 3`; empty for the whole host. */
export function placeWords({ netns, device, cpus }: Place): string {
  const parts = [
    ...(device === null ? [] : [`on ${device}`]),
    ...(cpus.length === 0
      ? []
      : [`on CPU ${cpus.length > 8 ? `${cpus.slice(0, 8).join(', ')} ...` : cpus.join(', ')}`]),
    ...(netns === null || netns === '' ? [] : [`in namespace ${netns}`]),
  ];
  return parts.length === 0 ? '' : ` ${parts.join(', ')}`;
}
