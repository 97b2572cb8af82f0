/**
 * ethtool by ioctl, of the devices of the network namespace this thread is in. Nothing here needs a capability
 * (net/ethtool/ioctl.c:dev_ethtool), and nothing here changes a device.
 */
import { refusal } from '../base/errno.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { AF_INET, libc } from './libc.ts';
import { LITTLE, textOf, viewOf } from './netlink.ts';

const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const SIOCETHTOOL = 0x8946;

/** include/uapi/linux/ethtool.h */
const GDRVINFO = 0x03;
const GRINGPARAM = 0x10;
const GSTRINGS = 0x1b;
const GSTATS = 0x1d;
const GSSET_INFO = 0x37;
/** enum ethtool_stringset */
const SS_STATS = 1;
export const SS_FEATURES = 4;
const NAME = 32;
const NUMBER = 8;
/** struct ethtool_gstrings: cmd, set, length. struct ethtool_stats: cmd, count. */
const STRINGS_HEADER = 12;
const STATISTICS_HEADER = 8;
/** struct ethtool_drvinfo. */
const DRIVER = 196;
/** struct ethtool_ringparam: cmd, four limits, four sizes; those of the receive ring first. */
const RINGS = 36;

/** An mlx5 with a queue for each of 128 CPUs has 13,000. */
export const MOST_COUNTERS = 65_536;
/**
 * Kernels of before 2026 write as many as there are when asked, whatever room there is (ethtool_get_stats), and a change of the
 * queues between two questions changes that: room for twice the most. What is not written to takes no memory.
 */
const ROOM = 2 * MOST_COUNTERS;
const ATTEMPTS = 3;

/** What a driver counts, under each of its names; a name may come once for each queue. */
export type DriverCounters = readonly (readonly [name: string, count: number])[];

/** A buffer for one question whose address stays good while the kernel writes to it; only its head is cleared. */
export function ethtoolCommand(bytes: number, code: number): Buffer {
  const buffer = Buffer.allocUnsafeSlow(bytes);
  buffer.fill(0, 0, Math.min(bytes, 256));
  viewOf(buffer).setUint32(0, code, LITTLE);
  return buffer;
}

/** Asks one question; the answer is written into it. */
export function ethtool(device: string, command: Buffer): Result<void> {
  const library = libc();
  if (!library.ok) return library;
  const { socket, ioctl, close, errno, addressOf } = library.value;
  const fd = socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0);
  if (fd < 0) return refusal(errno(), 'socket');
  try {
    // struct ifreq: a name of at most 15 bytes, and a pointer.
    const request = Buffer.alloc(40);
    request.write(device, 0, 15, 'utf8');
    viewOf(request).setBigUint64(16, addressOf(command), LITTLE);
    return ioctl(fd, SIOCETHTOOL, request) < 0 ? refusal(errno(), 'ethtool') : ok(undefined);
  } finally {
    close(fd);
  }
}

/** The name of the driver as `ethtool -i` prints it, which is not always that of its module. */
export function driverOf(device: string): Result<string> {
  const command = ethtoolCommand(DRIVER, GDRVINFO);
  const asked = ethtool(device, command);
  return asked.ok ? ok(nameAt(command, 4)) : asked;
}

/** How many strings of a set a device has. */
export function countOfStrings(device: string, set: number): Result<number> {
  const command = ethtoolCommand(24, GSSET_INFO);
  const view = viewOf(command);
  view.setBigUint64(8, 1n << BigInt(set), LITTLE);
  const asked = ethtool(device, command);
  if (!asked.ok) return asked;
  // The mask comes back without the sets that the driver does not have.
  return ok(view.getBigUint64(8, LITTLE) === 0n ? 0 : view.getUint32(16, LITTLE));
}

/** The strings of a set, of which there are `count`; undefined where there are more or fewer by now. */
export function stringsOf(device: string, set: number, count: number): Result<readonly string[] | undefined> {
  const command = ethtoolCommand(STRINGS_HEADER + (count + ROOM) * NAME, GSTRINGS);
  const view = viewOf(command);
  view.setUint32(4, set, LITTLE);
  view.setUint32(8, count, LITTLE);
  const asked = ethtool(device, command);
  return asked.ok ? parseStrings(command, count) : asked;
}

/** Undefined where it is another number of them. Source: net/ethtool/ioctl.c:ethtool_get_strings. */
export function parseStrings(bytes: Uint8Array, count: number): Result<readonly string[] | undefined> {
  if (bytes.length < STRINGS_HEADER + count * NAME) return fail('list of names cut short', bytes.length);
  if (viewOf(bytes).getUint32(8, LITTLE) !== count) return ok(undefined);
  return ok(Array.from({ length: count }, (_, index) => nameAt(bytes, STRINGS_HEADER + index * NAME)));
}

/**
 * What the driver counts, as `ethtool -S` prints it; none where it has no counters of its own. Some drivers ask the firmware
 * of their card for it: up to a millisecond or two.
 */
export function statisticsOf(device: string): Result<DriverCounters> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const asked = askStatistics(device);
    if (!asked.ok) return asked.errno === 'EOPNOTSUPP' ? ok([]) : asked;
    if (asked.value !== undefined) return ok(asked.value);
  }
  return fail('the counters of the driver changed while they were read');
}

/** Undefined where their number changed meanwhile. */
function askStatistics(device: string): Result<DriverCounters | undefined> {
  const count = countOfStrings(device, SS_STATS);
  if (!count.ok) return count;
  if (count.value === 0) return ok([]);
  if (count.value > MOST_COUNTERS) return fail(`the driver has ${count.value} counters, more than are read`);
  const names = stringsOf(device, SS_STATS, count.value);
  if (!names.ok) return names;
  if (names.value === undefined) return ok(undefined);
  const command = ethtoolCommand(STATISTICS_HEADER + (count.value + ROOM) * NUMBER, GSTATS);
  viewOf(command).setUint32(4, count.value, LITTLE);
  const asked = ethtool(device, command);
  return asked.ok ? parseStatistics(command, names.value) : asked;
}

/** Undefined where there are not as many as names. Source: net/ethtool/ioctl.c:ethtool_get_stats. */
export function parseStatistics(bytes: Uint8Array, names: readonly string[]): Result<DriverCounters | undefined> {
  if (bytes.length < STATISTICS_HEADER + names.length * NUMBER) return fail('counters cut short', bytes.length);
  const view = viewOf(bytes);
  if (view.getUint32(4, LITTLE) !== names.length) return ok(undefined);
  return ok(
    names.map((name, index) => [name, Number(view.getBigUint64(STATISTICS_HEADER + index * NUMBER, LITTLE))] as const),
  );
}

/** The receive ring: frames it has room for, and can be given room for; undefined where the driver has none to tell. */
export function ringOf(device: string): Result<{ readonly frames: number; readonly most: number } | undefined> {
  const command = ethtoolCommand(RINGS, GRINGPARAM);
  const asked = ethtool(device, command);
  if (!asked.ok) return asked.errno === 'EOPNOTSUPP' ? ok(undefined) : asked;
  const view = viewOf(command);
  return ok({ most: view.getUint32(4, LITTLE), frames: view.getUint32(20, LITTLE) });
}

/** A name of at most 32 bytes, ended by a NUL or by its length. */
function nameAt(bytes: Uint8Array, at: number): string {
  return textOf(bytes.subarray(at, at + NAME));
}
