/** A device of our own beside those of the plan, for the floor of the spans: floor.ts sends it packets. */
import { fail, ok, type Result } from '../base/result.ts';
import type { Attached } from './attach.ts';
import { closeLinks, DETACH_DEADLINE_MS } from './detach.ts';
import { SLOTS } from './layout.ts';
import type { Libbpf } from './libbpf.ts';
import type { AttachPlan } from './plan.ts';
import { removeFilters } from './tc.ts';
import { WatchedDevice } from './watched.ts';

/** Outside of the readings, in the last slot. */
export async function watchForCalibration(
  { bpf, cpus, resting, object, devices }: Attached,
  stackEvery: number,
  plan: AttachPlan,
): Promise<Result<WatchedDevice>> {
  if (devices.length >= SLOTS) return fail('every slot is taken by a device');
  let reason = 'not attached';
  const device = await WatchedDevice.attach(
    {
      ...{ bpf, cpus, resting, object, stackEvery },
      report: (status) => {
        if (status.reason !== undefined) reason = status.reason;
      },
    },
    plan,
    SLOTS - 1,
  );
  if (device && device.tc.length > 0) return ok(device);
  device?.close();
  return fail(reason);
}

export async function endCalibration(bpf: Libbpf, device: WatchedDevice): Promise<void> {
  await closeLinks(bpf, device.links(), DETACH_DEADLINE_MS);
  removeFilters(bpf, device.tc);
  device.close();
}
