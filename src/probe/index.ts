/** The probe as the rest of the house sees it. */
export { readCapabilities, type Capabilities } from './capabilities.ts';
export { readDeviceFacts, ownNetns, type DeviceFacts, type NetnsTarget } from './facts.ts';
export { planDevices, type AttachPlan, type PlanStep, type ProbeChoice, type TcChoice, type XdpMode } from './plan.ts';
export { openProbe, type CloseReport, type ProbeOptions, type ProbeSession } from './session.ts';
export {
  subtractReadings,
  type AttachStatus,
  type DeviceReading,
  type ProbeReading,
  type ProbeTier,
  type SpanReading,
} from './reading.ts';
export { bucketBounds, quantile, shareAtMost, summarise, type SpanHistogram, type SpanSummary } from './histogram.ts';
export { keepBudget, measureCost, projectShare, type BudgetReport, type ProbeCost } from './budget.ts';
export { calibrateFloor, floorInWindow, shippedFloor, type Floor } from './floor.ts';
export { loadLibbpf } from './libbpf.ts';
export { sweep, type SweepReport } from './tc.ts';
