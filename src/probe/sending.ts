/**
 * Whether sent packets are timed. Only while some device has a tap: without one there is nothing to price, and a sender pays for
 * every program on its way.
 */
import { fail, type Result } from '../base/result.ts';
import type { Floor, ProbeAnswer } from '../readings/answer.ts';
import type { ProbeReading, TransmitReading } from '../readings/reading.ts';
import type { HookCounts, TapEpochs, DeviceIdentity } from './epochs.ts';
import type { AttachPlan } from './plan.ts';
import type { ProbeSession } from './session.ts';
import { calibrateTransmit, transmitFloors } from './transmit-floor.ts';

export class Sending {
  readonly #session: ProbeSession;
  /** Every device that sends: taps of a VLAN or a bond are paid for on its own way out. */
  readonly devices: readonly DeviceIdentity[];
  #calibrated: Result<Floor> = fail('the taps came after the window had begun');

  constructor(session: ProbeSession, plans: readonly AttachPlan[]) {
    this.#session = session;
    this.devices = plans
      .filter(({ device }) => device.up)
      .map(({ device: { name, ifindex, netns } }) => ({ device: name, ifindex, netns: netns.id }));
  }

  /** Before the window, and before the budget is looked at. */
  async begin(hooks: (netns: string) => HookCounts | undefined): Promise<void> {
    const asked = new Map([...new Set(this.devices.map(({ netns }) => netns))].map((netns) => [netns, hooks(netns)]));
    const tapped = this.devices.some(({ netns, device }) => {
      const found = asked.get(netns);
      return found === undefined || found.any > 0 || (found.devices.get(device) ?? 0) > 0;
    });
    if (tapped) await this.#session.watchTransmit();
  }

  /** Before the window, at the rate of sampling that is kept. */
  async calibrate(): Promise<void> {
    if (this.#session.transmit !== undefined) this.#calibrated = await calibrateTransmit(this.#session);
  }

  /** In the window: whether programs were attached, because a tap has come. */
  async follow(epochs: TapEpochs): Promise<boolean> {
    if (this.#timed() || !epochs.anyTapped) return false;
    await this.#session.watchTransmit();
    return this.#timed();
  }

  #timed(): boolean {
    return this.#session.transmit !== undefined;
  }

  answer(
    reading: ProbeReading,
    window: ProbeReading,
    epochs: TapEpochs,
  ): Pick<ProbeAnswer, 'tappedSending' | 'transmitFloors'> {
    if (reading.transmit === undefined || window.transmit === undefined) return {};
    const tapped = (device: TransmitReading): boolean => epochs.everTapped(device);
    return {
      tappedSending: epochs.changedSending(reading.transmit),
      transmitFloors: transmitFloors(window.transmit, reading.sampleEvery, tapped, this.#calibrated),
    };
  }
}
