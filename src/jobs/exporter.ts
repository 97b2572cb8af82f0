import { UsageError } from '../base/usage.ts';
import type { Report } from '../generated/report.ts';
import { receivePackets } from '../metrics/catalogue/index.ts';
import { onlyDevices } from '../sources/choose.ts';
import { parseEndpoint, type Endpoint } from '../sources/pages/endpoint.ts';
import { isSavedPage, scrape } from '../sources/pages/exporter.ts';
import { monotonicSeconds } from '../sources/live-reader.ts';
import { windowOfPages, type ExporterPage } from '../sources/pages/page-window.ts';
import { sampleTwice } from '../sources/window.ts';
import type { DiagnosisOptions } from './diagnose.ts';
import { judgeWindow, neededElsewhere } from './judge.ts';
import { processCost, requireDevices } from './measure.ts';

type ExporterOptions = Pick<
  DiagnosisOptions,
  'seconds' | 'devices' | 'overrides' | 'baseline' | 'version' | 'stop' | 'onTick'
> & { readonly endpoint: Endpoint };

/** The address given with `--exporter`; the page is /metrics where nothing else is said. */
export function exporterEndpoint(text: string): Endpoint {
  if (isSavedPage(text))
    throw new UsageError(
      `--exporter ${text}: a saved page, and no address: pktcost replay ${text} judges it, and with a later one behind it the time between them`,
    );
  const endpoint = parseEndpoint('--exporter', text);
  if (endpoint.url.pathname !== '/' || endpoint.url.search !== '') return endpoint;
  const url = new URL('/metrics', endpoint.url);
  return { ...endpoint, url, shown: url.href };
}

/**
 * The verdict of another host, from two scrapes of a page of its metrics.
 * @throws UsageError when the page cannot be had, or is none
 */
export async function diagnoseExporter({ endpoint, ...options }: ExporterOptions): Promise<Report> {
  const startedCpu = process.cpuUsage();
  const refuse = (reason: string): UsageError => new UsageError(`--exporter ${endpoint.shown}: ${reason}`);
  const sample = async (): Promise<ExporterPage> => {
    const page = await scrape(endpoint, monotonicSeconds);
    if (!page.ok) throw refuse(page.reason);
    return page.value;
  };
  const { before, after, cutShort } = await sampleTwice({ ...options, sample });
  requireDevicesOf(after, options.devices);
  const window = windowOfPages(before, after, {
    shown: endpoint.shown,
    absent: `not exported`,
    needed: neededElsewhere,
    keep: onlyDevices(options.devices),
  });
  if (!window.ok) throw refuse(window.reason);
  return judgeWindow({
    window: window.value,
    requestedSeconds: options.seconds,
    cutShort,
    version: options.version,
    overrides: options.overrides,
    baseline: options.baseline,
    probe: { status: 'off', tier: 'none', reason: `another host's page: ${endpoint.shown}`, plan: [] },
    self: () => processCost(startedCpu),
  });
}

function requireDevicesOf({ samples }: ExporterPage, devices: readonly string[]): void {
  const present = samples.flatMap(({ name, labels }) => (name === receivePackets.name ? [labels['device'] ?? ''] : []));
  if (present.length > 0) requireDevices(devices, present);
}
