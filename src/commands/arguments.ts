import { UsageError } from '../base/usage.ts';

/** Exit codes, as in the README. */
export const exitCodes = { clean: 0, internal: 1, usage: 2, critical: 3, warning: 4, unjudged: 5 } as const;

const unitSeconds = { ms: 0.001, s: 1, m: 60, h: 3600 } as const;

/**
 * A length of time such as `500ms`, `30s`, `2m`, `1h`, in seconds.
 * @throws UsageError naming the text and what is allowed
 */
export function parseWindow(text: string): number {
  const seconds = parseLength('--window', text);
  if (seconds < 0.5 || seconds > 3600) throw new UsageError(`--window ${text} is out of range: from 500ms to 1h`);
  return seconds;
}

const rangeUnits = { w: 604_800, d: 86_400, h: 3600, m: 60, s: 1 } as const;

/**
 * A PromQL duration such as `5m` or `1h30m`, as it was given.
 * @throws UsageError naming the text and what is allowed
 */
export function parseRange(text: string): string {
  const match = /^(?=.)(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text);
  if (match === null)
    throw new UsageError(`--range ${JSON.stringify(text)} is no duration of PromQL: write it like 90s, 5m or 1h30m`);
  const seconds = Object.values(rangeUnits).reduce((sum, unit, index) => sum + unit * Number(match[index + 1] ?? 0), 0);
  if (seconds < 10 || seconds > 30 * rangeUnits.d)
    throw new UsageError(`--range ${text} is out of range: from 10s to 30d`);
  return text;
}

/** The same for another flag, within no range. */
export function parseLength(flag: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  if (match === null) {
    throw new UsageError(`${flag} "${text}" is not a length of time: write it like 500ms, 30s or 2m`);
  }
  return Number(match[1]) * unitSeconds[match[2] as keyof typeof unitSeconds];
}

/**
 * A moment such as `2026-03-01T09:30:00Z` or `1772357400`, in Unix seconds.
 * @throws UsageError naming the text and what is allowed
 */
export function parseTime(flag: string, text: string): number {
  if (/^\d{1,11}(?:\.\d+)?$/.test(text)) return Number(text);
  // Without a zone it would be the time of whichever machine this is.
  const zoned = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/.test(text);
  const time = zoned ? Date.parse(text) : NaN;
  if (Number.isNaN(time)) {
    throw new UsageError(`${flag} "${text}" is not a time: write it like 2026-03-01T09:30:00Z, or in Unix seconds`);
  }
  return time / 1000;
}

/**
 * A share such as `1%` or `0.5%`, as a ratio.
 * @throws UsageError naming the text and what is allowed
 */
export function parsePercent(text: string): number {
  const match = /^(\d+(?:\.\d+)?)%?$/.exec(text);
  const percent = match === null ? Number.NaN : Number(match[1]);
  if (!(percent > 0 && percent <= 100)) {
    throw new UsageError(`--max-overhead "${text}" is not a share, above 0% and up to 100%: write it like 1% or 0.5%`);
  }
  return percent / 100;
}
