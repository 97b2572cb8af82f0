/** How a number is written where a rule's words say `{name:format}`; `{name}` alone takes text or a number as it is. */
export const formats = {
  count: (value: number) => grouped(value, Number.isInteger(value) || Math.abs(value) >= 100 ? 0 : 1),
  number: (value: number) => significant(value),
  percent,
  rate: (value: number) => `${significant(value)}/s`,
  packets: (value: number) => `${howMany(value, 'packets')}/s`,
  frames: (value: number) => `${howMany(value, 'frames')}/s`,
  ns: nanoseconds,
  bytes: byteSize,
  seconds,
} as const satisfies Readonly<Record<string, (value: number) => string>>;

/** A figure of what is counted, which is named in the plural: `20 packets`, `1 packet`. */
export function howMany(value: number, things: string): string {
  return `${significant(value)} ${value === 1 ? things.replace(/s$/, '') : things}`;
}

/** Three significant digits below 1,000, whole numbers above. */
export function significant(value: number): string {
  const size = Math.abs(value);
  if (Number.isInteger(value) || size >= 1000) return grouped(value, 0);
  if (size < 0.001) return size === 0 ? '0' : value.toExponential(1);
  return String(Number(value.toPrecision(3)));
}

function grouped(value: number, decimals: number): string {
  const [whole = '', fraction] = value.toFixed(decimals).split('.');
  const withCommas = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined || Number(fraction) === 0 ? withCommas : `${withCommas}.${fraction}`;
}

/** A ratio as percent. What is below the whole never rounds up to it, and what is above nothing never down to nothing. */
function percent(ratio: number): string {
  const value = ratio * 100;
  if (value > 99.9 && value < 100) return '99.9%';
  if (value > 0 && value < 0.01) return '<0.01%';
  const decimals = Number.isInteger(value) ? 0 : Math.abs(value) < 1 ? 2 : Math.abs(value) < 10 || value > 99 ? 1 : 0;
  return `${grouped(value, decimals)}%`;
}

function nanoseconds(value: number): string {
  const size = Math.abs(value);
  if (size < 999.5) return `${size < 10 ? significant(value) : value.toFixed(0)} ns`;
  if (size < 999.5e3) return `${significant(value / 1e3)} µs`;
  if (size < 999.5e6) return `${significant(value / 1e6)} ms`;
  return `${significant(value / 1e9)} s`;
}

function byteSize(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let amount = value;
  let unit = 0;
  while (Math.abs(amount) >= 1024 && unit < units.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  return `${significant(amount)} ${units[unit]!}`;
}

function seconds(value: number): string {
  const size = Math.abs(value);
  if (size < 1e-3 && size > 0) return nanoseconds(value * 1e9);
  if (size < 1 && size > 0) return `${significant(value * 1000)} ms`;
  if (size < 120) return `${significant(value)} s`;
  if (size < 7200) return `${significant(value / 60)} min`;
  return size < 172_800 ? `${significant(value / 3600)} h` : `${significant(value / 86_400)} days`;
}
