import { U64_MAX, utf8Text, wholeLines } from '../../collectors/cursor.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import type { Tree } from './tree.ts';

/** When a copy was made, as far as it tells. */
export interface CopyTime {
  /** ISO 8601; null where nothing in the copy tells. */
  readonly takenAt: string | null;
  /** Seconds since boot as /proc/uptime has them. */
  readonly uptime: number | undefined;
  /** Seconds since boot as the times of the CPUs add up: a few seconds off, and short by what tickless CPUs left out. */
  readonly ticks: number | undefined;
  /** Seconds since boot as uptime(1) said them, to the minute. */
  readonly told: number | undefined;
  /** Seconds since the epoch, by the clock of the host: a command of sos, or boot time and time since. */
  readonly clock: number | undefined;
  readonly bootedAt: number | undefined;
  /** What the kernel calls this boot. */
  readonly bootId: string | undefined;
}

/**
 * sos gives a copy of /proc the times of the inode, which was made whenever somebody first looked at the file: no time of a
 * file tells when it was read. What the kernel counts does.
 */
export function copyTime(tree: Tree): CopyTime {
  const uptimeFile = tree.read('/proc/uptime');
  const line = uptimeFile.ok ? utf8Text(uptimeFile.value.subarray(0, MOST_SAID)) : '';
  const seconds = /^(\d{1,12}(?:\.\d{1,9})?) /.exec(line)?.[1];
  const uptime = seconds === undefined ? undefined : Number(seconds);
  const stat = tree.read('/proc/stat');
  const counted = stat.ok ? parseCpuClock(stat.value) : stat;
  const { bootedAt, ticks } = counted.ok ? counted.value : { bootedAt: undefined, ticks: undefined };
  const first = <T>(paths: readonly string[], parse: (bytes: Uint8Array) => Result<T>): T | undefined => {
    for (const path of paths) {
      const bytes = tree.read(path);
      const parsed = bytes.ok ? parse(bytes.value) : bytes;
      if (parsed.ok) return parsed.value;
    }
    return undefined;
  };
  const date = first(saidBy('date'), parseDate);
  const told = first(saidBy('uptime'), parseUptime);
  const since = uptime ?? ticks ?? told;
  const clock = date ?? (bootedAt === undefined || since === undefined ? undefined : bootedAt + since);
  return {
    takenAt: clock === undefined ? null : isoOf(clock),
    uptime,
    ticks,
    told,
    clock,
    bootedAt,
    bootId: bootIdOf(tree),
  };
}

/** By the file, or by what sysctl -a printed of it. */
function bootIdOf(tree: Tree): string | undefined {
  const file = tree.read('/proc/sys/kernel/random/boot_id');
  const own = file.ok ? /^([\da-f-]{1,40})$/.exec(utf8Text(file.value.subarray(0, 80)).trim())?.[1] : undefined;
  const said = own === undefined ? tree.read('/sos_commands/kernel/sysctl_-a') : file;
  if (own !== undefined || !said.ok) return own;
  return /^kernel\.random\.boot_id = ([\da-f-]{1,40})$/m.exec(utf8Text(said.value))?.[1];
}

/** Where releases of sos keep the output of a command that is asked for by several of its plugins. */
const saidBy = (command: string): readonly string[] =>
  ['/sos_commands/date', '/sos_commands/host', '/sos_commands/general', ''].map((folder) => `${folder}/${command}`);

/** The output of these commands is one line. */
const MOST_SAID = 4096;

/**
 * Parses uptime(1): `16:19:19 up 17:41,  2 users`, `up 26 min,`, `up 40 days,  3:12,`, `up 1 day, 5 min,`. In seconds.
 * Source: procps, library/uptime.c:procps_uptime_sprint.
 */
export function parseUptime(bytes: Uint8Array): Result<number> {
  const line = utf8Text(bytes.subarray(0, MOST_SAID));
  const [, days = '0', hours = '0', minutes, lone] =
    /\bup +(?:(\d{1,6}) days?, +)?(?:(\d{1,2}):(\d\d)|(\d{1,2}) min)\b/.exec(line) ?? [];
  const least = minutes ?? lone;
  if (least === undefined) return fail('no "up" with a time', 0);
  return ok(Number(days) * 86_400 + Number(hours) * 3600 + Number(least) * 60);
}

function isoOf(seconds: number): string | null {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

interface CpuClock {
  readonly bootedAt: number | undefined;
  readonly ticks: number;
}

/**
 * Parses the times of /proc/stat as a clock: of the CPU that counted most, all modes together in USER_HZ, guest time left
 * out since user and nice contain it. Source: fs/proc/stat.c:show_stat.
 */
export function parseCpuClock(bytes: Uint8Array): Result<CpuClock> {
  const whole = wholeLines(bytes);
  if (!whole.ok) return whole;
  const cursor = whole.value;
  let most: number | undefined;
  let bootedAt: number | undefined;
  while (!cursor.done) {
    const name = cursor.word();
    if (/^cpu\d+$/.test(name)) {
      let sum = 0;
      for (let column = 0; column < 8; column += 1) sum += cursor.unsigned(U64_MAX) ?? 0;
      most = Math.max(most ?? 0, sum / 100);
    } else if (name === 'btime') bootedAt = cursor.unsigned(2 ** 40);
    cursor.nextLine();
  }
  return most === undefined ? fail('no row for any CPU', 0) : ok({ bootedAt, ticks: most });
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Zones that `date` prints by name and that are one thing everywhere; minutes east of Greenwich. */
const zones: Readonly<Record<string, number>> = { UTC: 0, GMT: 0, Z: 0, CET: 60, CEST: 120, EET: 120, EEST: 180 };

/**
 * Seconds since the epoch of what date(1) prints: `Thu Feb 10 09:52:10 UTC 2022`, `Thu 10 Feb 2022 09:52:10 AM UTC`,
 * `2022-02-10T09:52:10+00:00`. A zone that is not known is taken for UTC: two copies of one host have the same.
 */
export function parseDate(bytes: Uint8Array): Result<number> {
  const none = fail('not what date prints', 0);
  const line = utf8Text(bytes.subarray(0, MOST_SAID))
    .split('\n')
    .find((each) => /\d\d:\d\d:\d\d/.test(each));
  if (line === undefined) return none;
  const iso = /(\d{4})-(\d\d)-(\d\d)[T ](\d\d:\d\d:\d\d)/.exec(line);
  const clock = /(\d{1,2}):(\d\d):(\d\d)(?:[.,]\d+)?(?: ([AP])M)?/.exec(line);
  const month = months.findIndex((name) => new RegExp(`\\b${name}`).test(line));
  const year = iso?.[1] ?? /\b(\d{4})\b/.exec(line.replace(/[+-]\d{4}\b/, ''))?.[1];
  const day = iso?.[3] ?? /(?:^|\s)(\d{1,2})(?=\s|,|$)/.exec(line)?.[1];
  if (clock === null || year === undefined || day === undefined) return none;
  if (iso === null && month < 0) return none;
  const [hour, minute, second] = [Number(clock[1]), Number(clock[2]), Number(clock[3])];
  const hours = clock[4] === undefined ? hour : (hour % 12) + (clock[4] === 'P' ? 12 : 0);
  const at =
    Date.UTC(Number(year), iso === null ? month : Number(iso[2]) - 1, Number(day), hours, minute, second) / 1000;
  const offset = /([+-])(\d\d):?(\d\d)\b/.exec(line.slice(clock.index));
  const zone = Object.entries(zones).find(([name]) => new RegExp(`\\b${name}\\b`).test(line))?.[1] ?? 0;
  const east = offset === null ? zone : (offset[1] === '-' ? -1 : 1) * (Number(offset[2]) * 60 + Number(offset[3]));
  const seconds = at - east * 60;
  return Number.isFinite(seconds) ? ok(seconds) : none;
}

export interface Apart {
  readonly seconds: number;
  /** What the length was taken from, as words. */
  readonly by: string;
  readonly decimals: number;
}

/** How long after the first copy the second was made. The kernel's own count is taken before anybody's clock. */
export function apart(before: CopyTime, after: CopyTime): Result<Apart> {
  const measures = [
    { from: before.uptime, to: after.uptime, by: '/proc/uptime', decimals: 2 },
    { from: before.ticks, to: after.ticks, by: 'the CPU times of /proc/stat', decimals: 2 },
    { from: before.clock, to: after.clock, by: 'date', decimals: 0 },
  ];
  const measure = measures.find(({ from, to }) => from !== undefined && to !== undefined);
  const from = measure?.from ?? 0;
  const seconds = (measure?.to ?? 0) - from;
  const anew = startedAnew(before, after);
  const ups =
    measure === undefined || measure.by === 'date'
      ? ''
      : ` (it was up for ${timeText(from)} in the first, and for ${timeText(measure.to ?? 0)} in the second, by ${measure.by})`;
  if (anew === true)
    return fail(
      `the host was started anew between the two copies${ups}: its counters began at zero, and there is no window`,
    );
  if (measure === undefined)
    return fail(
      'nothing in the copies tells how far they are apart: /proc/uptime, /proc/stat or the output of date is needed (the times of files are no help)',
    );
  const { by, decimals } = measure;
  if (seconds > 0) return ok({ seconds, by, decimals });
  if (seconds === 0) return fail(`both copies are of the same time by ${by}: there is no window between them`);
  if (anew === false)
    return fail(`the second copy was made before the first by ${by}${ups}: give them in the other order`);
  return fail(
    `the second copy is not later than the first${ups}: the host was started anew in between, or they are in the wrong order`,
  );
}

/** Clocks that are looked at one after the other differ a little. */
const SLACK = 10;

/** Whether the host was started between the two copies; undefined where nothing but the length of its uptime tells. */
function startedAnew(before: CopyTime, after: CopyTime): boolean | undefined {
  if (before.bootId !== undefined && after.bootId !== undefined) return before.bootId !== after.bootId;
  const [from, to] = [sinceOf(before), sinceOf(after)];
  // The time of the boot is moved with the clock when that is set: only a boot after the first copy is another one. When that
  // was made the kernel knows in the zone in which it knows its boot; `date` may have said it in one that nobody knows here.
  const first =
    before.bootedAt === undefined || from === undefined ? (before.clock ?? before.bootedAt) : before.bootedAt + from;
  if (after.bootedAt !== undefined && first !== undefined && after.bootedAt > first - SLACK) {
    if (before.bootedAt !== undefined && after.bootedAt > before.bootedAt + SLACK) return true;
  }
  if (from === undefined || to === undefined || to >= from) return undefined;
  if (before.clock === undefined || after.clock === undefined) return undefined;
  return after.clock > before.clock;
}

function sinceOf({ uptime, ticks, told }: CopyTime): number | undefined {
  return uptime ?? ticks ?? told;
}

/** `2.5 hours`. */
function timeText(seconds: number): string {
  const [size, unit] = seconds >= 2 * 86_400 ? [86_400, 'day'] : seconds >= 7200 ? [3600, 'hour'] : [60, 'minute'];
  const amount = Number((seconds / size).toPrecision(seconds / size >= 100 ? 3 : 2));
  return `${amount} ${unit}${amount === 1 ? '' : 's'}`;
}
