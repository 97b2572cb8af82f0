import type { ChangedThreshold, Probe, SelfCost } from '../../generated/report.ts';
import { placed } from '../words/phrases.ts';
import { everyFormat, type Table } from './table.ts';

/** What stands above each of these. */
export const runTitles = {
  actions: 'What pktcost did to itself or to the host',
  limits: 'Limits the configuration changed',
  plan: 'What the probe was attached to, and what not',
} as const;

/** What the probe was or would be attached to, and what not. */
export const planTable: Table<Probe['plan'][number]> = [
  {
    label: 'Device',
    unit: 'name',
    cell: ({ device, netns }) => (device === '' ? { words: 'host' } : placed(device, netns)),
  },
  { label: 'Span', unit: 'words', cell: ({ span }) => span, whole: true },
  { label: 'Attach', unit: 'words', cell: ({ attach }) => (attach ? 'yes' : 'no'), whole: true },
  { label: 'Mode', unit: 'words', cell: ({ mode }) => mode, whole: true },
  { label: 'Driver', unit: 'words', cell: ({ driver }) => driver, unlessEmpty: everyFormat },
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
