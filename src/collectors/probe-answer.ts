import { decoded, flag, list, Malformed, number, record, text, textOrNull, type Fields } from '../base/decode.ts';
import type { Result } from '../base/result.ts';
import type { ProbeAnswer, ProbeLoad } from '../readings/answer.ts';

const MOST_DEVICES = 200_000;
const MOST_CPUS = 65_536;
const MOST_BUCKETS = 10_000;

/** The dump `probe`, live or from a bundle that somebody may have edited. Every field that is looked at is of its kind. */
export function decodeProbeAnswer(answer: unknown): Result<ProbeAnswer> {
  return decoded(() => {
    const top = record(answer, 'the reading of the probe');
    if (top['version'] !== 1)
      throw new Malformed(`a probe reading of version ${JSON.stringify(top['version'] ?? null).slice(0, 20)}, not 1`);
    reading(top['reading'], 'reading');
    reading(top['window'], 'window');
    if (top['floor'] !== null) floor(record(top['floor'], 'floor'), 'floor');
    if (top['tappedSending'] !== undefined) list(top['tappedSending'], 'tappedSending', tappedSending, MOST_DEVICES);
    if (top['transmitFloors'] !== undefined) list(top['transmitFloors'], 'transmitFloors', sentFloor, MOST_DEVICES);
    flag(top['tapsPerNetns'], 'tapsPerNetns');
    for (const [inode, name] of Object.entries(record(top['netnsNames'], 'netnsNames')))
      text(name, `netnsNames.${inode}`);
    textOrNull(top['loadError'], 'loadError');
    return answer as ProbeAnswer;
  });
}

export function decodeProbeLoad(answer: unknown): Result<ProbeLoad> {
  return decoded(() => {
    const top = record(answer, 'what a probe says of its load');
    if (top['version'] !== 1) throw new Malformed('what a probe says of its load is not of version 1');
    return { version: 1, objects: flag(top['objects'], 'objects'), error: textOrNull(top['error'], 'error') };
  });
}

function reading(value: unknown, place: string): void {
  const fields = record(value, place);
  numbers(fields, place, ['monotonicNs', 'sampleEvery', 'stackEvery', 'netRxEvery']);
  optionalNumbers(fields, place, ['attachedNs', 'tracedNs']);
  list(fields['devices'], `${place}.devices`, device, MOST_DEVICES);
  list(fields['cpus'], `${place}.cpus`, cpu, MOST_CPUS);
  if (fields['sockets'] !== undefined) list(fields['sockets'], `${place}.sockets`, socket, MOST_DEVICES);
  if (fields['tapTotals'] !== undefined)
    numbers(record(fields['tapTotals'], `${place}.tapTotals`), `${place}.tapTotals`, ['calls']);
  if (fields['transmit'] !== undefined) list(fields['transmit'], `${place}.transmit`, sending, MOST_DEVICES);
  optionalNumbers(fields, place, ['transmitNs', 'transmitCalls']);
  list(fields['programs'], `${place}.programs`, record, MOST_DEVICES);
  list(fields['attach'], `${place}.attach`, record, MOST_DEVICES);
  list(fields['gaps'], `${place}.gaps`, text, MOST_DEVICES);
}

function device(value: unknown, place: string): void {
  const fields = record(value, place);
  text(fields['device'], `${place}.device`);
  text(fields['netns'], `${place}.netns`);
  flag(fields['present'], `${place}.present`);
  numbers(fields, place, ['ifindex', 'packets']);
  optionalNumbers(fields, place, ['counted', 'packetsError', 'unmarked']);
  list(fields['packetsByCpu'], `${place}.packetsByCpu`, number, MOST_CPUS);
  list(fields['spans'], `${place}.spans`, span, 16);
}

function span(value: unknown, place: string): void {
  const fields = record(value, place);
  text(fields['span'], `${place}.span`);
  text(fields['mode'], `${place}.mode`);
  numbers(fields, place, ['sampleEvery']);
  histogram(fields, place);
}

function histogram(fields: Fields, place: string): void {
  numbers(fields, place, ['count', 'sumNs', 'sumSqNs', 'minNs', 'maxNs', 'stamped']);
  const lost = record(fields['lost'], `${place}.lost`);
  numbers(lost, `${place}.lost`, Object.keys(lost));
  list(
    fields['buckets'],
    `${place}.buckets`,
    (each, at) => {
      const pair = list(each, at, number, 2);
      if (pair.length !== 2 || !Number.isSafeInteger(pair[0])) throw new Malformed(`${at} is no bucket and its count`);
    },
    MOST_BUCKETS,
  );
}

function cpu(value: unknown, place: string): void {
  const fields = record(value, place);
  numbers(fields, place, [
    'cpu',
    'skbs',
    'stamped',
    'uncollected',
    'netRxRuns',
    'netRxSampledRuns',
    'netRxNs',
    'netRxSkbs',
  ]);
  optionalNumbers(fields, place, [
    'splitNs',
    'splitStackNs',
    'splitSkbs',
    'driverCalls',
    'allRuns',
    'allNs',
    'allSkbs',
  ]);
}

function socket(value: unknown, place: string): void {
  const fields = record(value, place);
  text(fields['inode'], `${place}.inode`);
  text(fields['netns'], `${place}.netns`);
  numbers(fields, place, ['ifindex', 'packets', 'ns', 'txPackets', 'txNs']);
  optionalNumbers(fields, place, ['lost']);
}

function sending(value: unknown, place: string): void {
  const fields = record(value, place);
  for (const name of ['device', 'netns', 'queue']) text(fields[name], `${place}.${name}`);
  numbers(fields, place, ['ifindex']);
  list(
    fields['ways'],
    `${place}.ways`,
    (each, at) => {
      const way = record(each, at);
      text(way['way'], `${at}.way`);
      histogram(way, at);
    },
    16,
  );
}

function tappedSending(value: unknown, place: string): void {
  const fields = record(value, place);
  numbers(fields, place, ['taps', 'seconds']);
  flag(fields['lasts'], `${place}.lasts`);
  sending(fields['reading'], `${place}.reading`);
}

function sentFloor(value: unknown, place: string): void {
  const fields = record(value, place);
  for (const name of ['netns', 'way']) text(fields[name], `${place}.${name}`);
  numbers(fields, place, ['ifindex']);
  floor(record(fields['floor'], `${place}.floor`), `${place}.floor`);
}

function floor(fields: Fields, place: string): void {
  text(fields['method'], `${place}.method`);
  numbers(fields, place, ['sampleEvery', 'samples', 'p50Ns', 'avgNs', 'uncertaintyNs']);
}

function numbers(fields: Fields, place: string, names: readonly string[]): void {
  for (const name of names) number(fields[name], `${place}.${name}`);
}

function optionalNumbers(fields: Fields, place: string, names: readonly string[]): void {
  numbers(
    fields,
    place,
    names.filter((name) => fields[name] !== undefined),
  );
}
