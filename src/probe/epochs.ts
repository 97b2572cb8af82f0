/**
 * When taps came and went in the window. A price is that of a time with one and the same taps: a mean over a capture's beginning is
 * the price of nothing, and a device that had a tap for a part of the window does not show the floor.
 */
import {
  interfaceKey,
  subtractReadings,
  type DeviceReading,
  type ProbeReading,
  type TappedSending,
  type TappedTime,
  type TransmitReading,
} from '../readings/reading.ts';

/** How many ETH_P_ALL hooks listen on each device of one namespace; `any`: on all of them. Undefined: could not be read. */
export interface HookCounts {
  readonly any: number;
  readonly devices: ReadonlyMap<string, number>;
}

export type AskHooks = (netns: string) => HookCounts | undefined;

/** A time in which the taps of a device stayed the same. */
interface Epoch {
  readonly taps: number | undefined;
  readonly from: ProbeReading;
  /** The last reading in which they were still the same: what came between it and the next belongs to neither. */
  readonly to: ProbeReading;
}

/** Fewer samples do not make the last taps the ones to be priced, where others had more. */
const ENOUGH_SAMPLES = 100;

/** A capture that is started over and over is no reason to keep every reading. */
const MOST_EPOCHS = 16;

/** A device by what tells it from others. */
export type DeviceIdentity = Pick<DeviceReading, 'device' | 'netns' | 'ifindex'>;

export class TapEpochs {
  readonly #ask: AskHooks;
  readonly #epochs = new Map<string, Epoch[]>();

  constructor(ask: AskHooks) {
    this.#ask = ask;
  }

  /**
   * To be called with a reading that was just taken; of more devices where sent packets may be timed. Answers whether taps came or
   * went on any of them.
   */
  look(reading: ProbeReading, devices: readonly DeviceIdentity[] = reading.devices): boolean {
    const asked = new Map<string, HookCounts | undefined>();
    let changed = false;
    for (const device of devices) {
      if (!asked.has(device.netns)) asked.set(device.netns, this.#ask(device.netns));
      const hooks = asked.get(device.netns);
      const taps = hooks && hooks.any + (hooks.devices.get(device.device) ?? 0);
      changed = this.#note(interfaceKey(device), taps, reading) || changed;
    }
    return changed;
  }

  #note(key: string, taps: number | undefined, reading: ProbeReading): boolean {
    const epochs = this.#epochs.get(key) ?? [];
    const last = epochs.at(-1);
    if (last?.taps === taps && last !== undefined) epochs[epochs.length - 1] = { ...last, to: reading };
    else if (epochs.length < MOST_EPOCHS) epochs.push({ taps, from: reading, to: reading });
    this.#epochs.set(key, epochs);
    return last !== undefined && last.taps !== taps;
  }

  /** Whether a tap was on the device at any time, or may have been. */
  everTapped(device: DeviceIdentity): boolean {
    return this.#epochs.get(interfaceKey(device))?.some(({ taps }) => taps !== 0) ?? true;
  }

  /** Whether any device has, or may have, a tap at the last look. */
  get anyTapped(): boolean {
    return [...this.#epochs.values()].some((epochs) => epochs.at(-1)?.taps !== 0);
  }

  /** For each device whose taps changed: the time to price them by. Nothing where there never was one, or it came too late. */
  changed(devices: readonly DeviceReading[]): readonly TappedTime[] {
    return devices.flatMap((device) =>
      this.#times(
        device,
        (delta) => delta.devices.find((each) => interfaceKey(each) === interfaceKey(device)),
        samplesOf,
        passed,
      ),
    );
  }

  /** The same of what they sent. */
  changedSending(devices: readonly TransmitReading[]): readonly TappedSending[] {
    return devices.flatMap((device) =>
      this.#times(
        device,
        (delta) => delta.transmit?.find((each) => interfaceKey(each) === interfaceKey(device)),
        sentSamplesOf,
        timed,
      ),
    );
  }

  #times<T>(
    device: DeviceIdentity,
    pick: (delta: ProbeReading) => T | undefined,
    samples: (reading: T) => number,
    took: (from: ProbeReading, to: ProbeReading) => number,
  ): { taps: number; seconds: number; lasts: boolean; reading: T }[] {
    const epochs = this.#epochs.get(interfaceKey(device)) ?? [];
    if (epochs.length < 2) return [];
    const times = epochs.flatMap((epoch, index) => {
      if (epoch.taps === undefined || epoch.taps === 0) return [];
      const reading = pick(subtractReadings(epoch.from, epoch.to));
      if (reading === undefined) return [];
      const seconds = took(epoch.from, epoch.to) / 1e9;
      return [{ taps: epoch.taps, seconds, lasts: index === epochs.length - 1, reading }];
    });
    const [most] = times.toSorted((a, b) => samples(b.reading) - samples(a.reading));
    const lasting = times.find(({ lasts }) => lasts);
    const best = lasting !== undefined && samples(lasting.reading) >= ENOUGH_SAMPLES ? lasting : most;
    return best === undefined ? [] : [best];
  }
}

function samplesOf({ spans }: DeviceReading): number {
  return spans.find(({ span }) => span === 'taps')?.count ?? 0;
}

function sentSamplesOf({ ways }: TransmitReading): number {
  return ways.reduce((sum, { count }) => sum + count, 0);
}

/** Nanoseconds between two readings. */
function passed(from: ProbeReading, to: ProbeReading): number {
  return to.monotonicNs - from.monotonicNs;
}

/** Of them, those in which sent packets were timed. */
function timed(from: ProbeReading, to: ProbeReading): number {
  return to.transmitNs === undefined ? passed(from, to) : to.transmitNs - (from.transmitNs ?? 0);
}
