/** Network devices of the emulated machine, found by the address the scene gave them, wired to each other by a hub. */
import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pause, runOrThrow, type Host, type Kit } from '../scenarios/kit/hosts.ts';
import { Skip } from './check.ts';

const classNet = '/sys/class/net';

/** A device whose namespace was deleted comes back a little later. */
export async function nicByAddress(last: string): Promise<string> {
  const address = `52:54:00:00:00:${last}`;
  for (let tries = 0; tries < 20; tries++) {
    const found = readdirSync(classNet).find(
      (name) => readFileSync(join(classNet, name, 'address'), 'utf8').trim() === address,
    );
    if (found !== undefined) return found;
    await pause(500);
  }
  throw new Skip(`this machine has no device with the address ${address}`);
}

export function attribute(device: string, path: string): string {
  return readFileSync(join(classNet, device, path), 'utf8').trim();
}

/** The PCI device, also where a virtio device stands in between. */
function pciDevice(device: string): string {
  const own = realpathSync(join(classNet, device, 'device'));
  return existsSync(join(own, 'msi_irqs')) ? own : join(own, '..');
}

export function irqsOf(device: string): string[] {
  const folder = join(pciDevice(device), 'msi_irqs');
  if (existsSync(folder)) return readdirSync(folder);
  return [readFileSync(join(pciDevice(device), 'irq'), 'utf8').trim()];
}

export function moveIrqs(device: string, cpus: string): void {
  for (const irq of irqsOf(device)) {
    try {
      writeFileSync(`/proc/irq/${irq}/smp_affinity_list`, cpus);
    } catch (error) {
      // A vector the driver has not requested, or one it manages itself.
      if (!(error instanceof Error && 'code' in error)) throw error;
    }
  }
}

export interface Wire {
  /** The namespace pktcost runs in. */
  readonly here: Host;
  readonly client: Host;
  readonly device: string;
  readonly address: string;
}

/** Joins a NIC of ours with the sender's, which goes into a namespace of its own. */
export async function wire(kit: Kit, receiver: string, sender: string, net = 40): Promise<Wire> {
  const [device, other] = [await nicByAddress(receiver), await nicByAddress(sender)];
  const [here, client] = [kit.itself(), kit.host()];
  // A PCI device whose namespace goes returns to this one, and keeps its address.
  runOrThrow(['ip', 'link', 'set', other, 'netns', client.netns]);
  client.run('ip', 'address', 'add', `198.18.${net}.2/24`, 'dev', other);
  client.run('ip', 'link', 'set', other, 'up');
  runOrThrow(['ip', 'address', 'add', `198.18.${net}.1/24`, 'dev', device]);
  runOrThrow(['ip', 'link', 'set', device, 'up']);
  kit.undo(() => {
    runOrThrow(['ip', 'address', 'flush', 'dev', device]);
    runOrThrow(['ip', 'link', 'set', device, 'down']);
  });
  return { here, client, device, address: `198.18.${net}.1` };
}

/** Datagrams to an open port of ours. */
export async function udpOver({ here, client, address }: Wire, rate = 1500, size = 200): Promise<void> {
  const life = 900;
  await here.make('udp-receive', { port: 9000, rcvbuf: 1 << 20, life });
  await client.make('udp-send', { address, port: 9000, rate, size, life, seconds: life });
}

/** Types a remedy as a person would. */
export function type(command: string): void {
  runOrThrow(['sh', '-c', command]);
}
