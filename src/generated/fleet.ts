/* Made from schema/fleet.v1.json by `npm run generate`: do not edit. */
import type {ChangedThreshold, Impact, NotMeasured, ReportFinding, Tool, Verdict} from './report.ts';

/**
 * The hosts of a Prometheus-compatible server by their verdict, as `pktcost fleet --json` prints them. The promise is that of the report: every field is always there, and what is not known is null.
 */
export interface Fleet {
  /**
   * Version of this schema, `major.minor`.
   */
  fleetVersion: string;
  tool: Tool;
  server: FleetServer;
  /**
   * How many hosts are how, and the worst of them, for people.
   */
  headline: string;
  counts: FleetCounts;
  /**
   * Each rule that fired or could not be judged on some host, by code.
   */
  rules: FleetRule[];
  /**
   * The hosts in order: critical, warning, gone, not fully measured, ok; in each group the surer verdict first, then what loses most packets or connections per second, then what takes most CPU time, then by name.
   */
  hosts: FleetHost[];
  /**
   * Hosts that --top left out of the list; they are in the counts.
   */
  omitted: number;
  /**
   * What the server itself said against its answers, such as a store that did not answer: hosts may be missing.
   */
  warnings: string[];
  /**
   * Thresholds that the configuration changed.
   */
  thresholds: ChangedThreshold[];
}
/**
 * The server and what it was asked for.
 */
export interface FleetServer {
  /**
   * Its address, without user name, password and query.
   */
  url: string;
  /**
   * Label matchers given with --match.
   */
  match: string | null;
  /**
   * Start of the window, ISO 8601, by the server's clock.
   */
  startedAt: string;
  /**
   * End of the window, ISO 8601, by the server's clock.
   */
  endedAt: string;
  /**
   * Length of the window.
   */
  windowSeconds: number;
}
/**
 * Each host counts once.
 */
export interface FleetCounts {
  /**
   * All hosts, listed or not.
   */
  hosts: number;
  /**
   * Hosts with a critical finding.
   */
  critical: number;
  /**
   * Hosts with a warning and nothing critical.
   */
  warning: number;
  /**
   * Hosts that are not up, or that the server did not answer for, with nothing found.
   */
  gone: number;
  /**
   * Hosts that are up, with nothing found by the checks that could be made.
   */
  notMeasured: number;
  /**
   * Hosts that all checks for causes and losses could be made on, with nothing found.
   */
  ok: number;
}
/**
 * On how many hosts a rule fired, or could not be judged.
 */
export interface FleetRule {
  /**
   * Code of the rule.
   */
  code: string;
  /**
   * Name of the rule.
   */
  rule: string;
  /**
   * What it says, for people.
   */
  title: string;
  /**
   * Hosts on which it is critical.
   */
  critical: number;
  /**
   * Hosts on which it is a warning.
   */
  warning: number;
  /**
   * Hosts on which it could not be judged.
   */
  notMeasured: number;
}
/**
 * One host and its verdict.
 */
export interface FleetHost {
  /**
   * Place in the order, from 1.
   */
  rank: number;
  /**
   * Label job of its scrapes.
   */
  job: string;
  /**
   * Label instance of its scrapes.
   */
  instance: string;
  /**
   * Labels that tell it from another of the same job and instance, such as cluster; mostly none.
   */
  labels: {
    [k: string]: string;
  };
  /**
   * What it calls itself.
   */
  hostname: string | null;
  /**
   * Kernel release.
   */
  kernel: string | null;
  /**
   * CPUs with samples.
   */
  cpus: number | null;
  /**
   * up: scraped to the end of the window; down: the latest scrape failed; stale: the latest scrape is long before the end; gone: no samples in the window; unanswered: the server gave no answer for it.
   */
  state: 'up' | 'down' | 'stale' | 'gone' | 'unanswered';
  /**
   * Why it is not up, or could not be judged.
   */
  reason: string | null;
  /**
   * Time of its latest sample, ISO 8601; of the last hour, when there is none in the window.
   */
  lastSampleAt: string | null;
  /**
   * Seconds between its first and last scrape of the window.
   */
  seconds: number | null;
  verdict: Verdict;
  impact: Impact;
  checks: FleetChecks;
  /**
   * What fired, the principal one first.
   */
  findings: ReportFinding[];
  /**
   * What the rules lacked, one item per reason.
   */
  notMeasured: NotMeasured[];
}
/**
 * How many rules came to what on a host; a rule with several findings counts with each of their outcomes.
 */
export interface FleetChecks {
  /**
   * Critical.
   */
  critical: number;
  /**
   * Warnings.
   */
  warning: number;
  /**
   * Informed.
   */
  info: number;
  /**
   * Judged, and nothing of the kind seen.
   */
  ok: number;
  /**
   * Could not be judged.
   */
  notMeasured: number;
  /**
   * The host has nothing of the kind.
   */
  notApplicable: number;
}
