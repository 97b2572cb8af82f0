import type { DeviceCost } from '../../generated/report.ts';

/** Where some drivers count what their rings had no room for: it is no drop beside that. */
const DROPPED = 'rx_dropped';

/** What the device or what is above it dropped, without what its card lost: rx_dropped holds rx_missed_errors as well. */
export function droppedAbove({
  dropped,
  missed,
  cardLost,
  cardLostBy,
}: Pick<DeviceCost, 'dropped' | 'missed' | 'cardLost' | 'cardLostBy'>): number | null {
  if (dropped === null) return null;
  const byDriver = cardLostBy === DROPPED ? (cardLost ?? 0) : 0;
  return Math.max(0, dropped - (missed ?? 0) - byDriver);
}
