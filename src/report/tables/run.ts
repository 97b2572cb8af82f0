import type { ChangedThreshold, Probe, SelfCost } from '../../generated/report.ts';
import { few, placed } from '../words/phrases.ts';
import { everyFormat, type Table } from './table.ts';

/** What stands above each of these. */
export const runTitles = {
  actions: 'What pktcost did to itself or to the host',
  limits: 'Limits the configuration changed',
  plan: 'What the probe was attached to, and what not',
} as const;

type PlanLine = Probe['plan'][number];

/** What is the same for several devices. */
export interface PlanRow extends Pick<PlanLine, 'span' | 'attach' | 'mode' | 'reason' | 'price'> {
  readonly drivers: readonly string[];
  /** With their namespaces; none for what is the host's. */
  readonly devices: readonly string[];
}

/** Each reason once, with the devices that it holds for: a host of many veths has the same of each. */
export function planRows(plan: readonly PlanLine[]): PlanRow[] {
  const rows = new Map<string, PlanRow & { readonly devices: string[]; readonly drivers: string[] }>();
  for (const { device, netns, driver, span, attach, mode, reason, price } of plan) {
    const alike = { span, attach, mode, reason, price };
    const key = JSON.stringify([device === '', ...Object.values(alike)]);
    const row = rows.get(key) ?? { ...alike, devices: [], drivers: [] };
    if (device !== '') row.devices.push(placed(device, netns));
    if (driver !== null && !row.drivers.includes(driver)) row.drivers.push(driver);
    rows.set(key, row);
  }
  return [...rows.values()];
}

/** Most devices named in a row. */
const MOST_DEVICES = 8;

/** What the probe was or would be attached to, and what not. */
export const planTable: Table<PlanRow> = [
  {
    label: 'Device',
    unit: 'name',
    cell: ({ devices }) => (devices.length === 0 ? { words: 'host' } : few(devices, MOST_DEVICES)),
  },
  { label: 'Span', unit: 'words', cell: ({ span }) => span, whole: true },
  { label: 'Attach', unit: 'words', cell: ({ attach }) => (attach ? 'yes' : 'no'), whole: true },
  { label: 'Mode', unit: 'words', cell: ({ mode }) => mode, whole: true },
  {
    label: 'Driver',
    unit: 'words',
    cell: ({ drivers }) => (drivers.length === 0 ? null : few(drivers, MOST_DEVICES)),
    unlessEmpty: everyFormat,
  },
  { label: 'Why', unit: 'words', cell: ({ reason }) => reason },
  {
    label: 'Price',
    unit: 'words',
    cell: ({ attach, price }) => (attach ? price : null),
    unlessEmpty: everyFormat,
  },
];

/** Limits that the configuration changed. */
export const limitTable: Table<ChangedThreshold> = [
  { label: 'Limit', unit: 'words', cell: ({ code, name }) => `${code} ${name}` },
  { label: 'In force', unit: 'number', cell: ({ value }) => value },
  { label: 'Default', unit: 'number', cell: ({ default: usual }) => usual },
  { label: 'Unit', unit: 'words', cell: ({ unit }) => unit },
];

/** What pktcost did to itself or to the host. */
export const actionTable: Table<SelfCost['actions'][number]> = [
  { label: 'Action', unit: 'words', cell: ({ action }) => action },
  { label: 'When', unit: 'seconds', cell: ({ seconds }) => seconds },
  { label: 'Why', unit: 'words', cell: ({ reason }) => reason },
  {
    label: 'Put back',
    unit: 'words',
    cell: ({ restored }) => (restored === null ? 'nothing to put back' : restored ? 'yes, verified' : 'NO'),
  },
];
